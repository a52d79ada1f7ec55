/* SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "base/mem.h"
#include "db/db_internal.h"
#include "testutil/testutil.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The database's own use of it does not disturb: objects are our own. */
static void
ready(void)
{
	struct db *none = NULL;

	db_configure();
	db_close(&none);
}

TEST(heap_classes)
{
	unsigned last = 0;

	for (size_t n = 0; n <= 32768; n++) {
		unsigned c = db_heap_class(n);

		assert_in_range(c, last, last + 1);
		assert_true(db_heap_class_size(c) >= n);
		assert_true(n == 0 || c == 0 || db_heap_class_size(c - 1) < n);
		assert_true(db_heap_class_size(c) % 16 == 0);
		assert_true(db_heap_class_size(c) - n <= MAX((size_t)16, n / 8));
		last = c;
	}
	assert_int_equal(last, 71);
}

TEST(heap_objects)
{
	static const size_t sizes[] = { 0, 1, 16, 17, 100, 256, 257, 4000, 4360, 32768, 32769, 100000, 1000000 };

	pthread_once(&once, ready);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		unsigned char *v[300];
		size_t n = sizes[i], many = n > 32768 ? 3 : ARRAY_LEN(v);

		for (size_t k = 0; k < many; k++) {
			v[k] = db_heap_alloc(n);
			assert_non_null(v[k]);
			assert_true(db_heap_size(v[k]) >= n);
			assert_int_equal((uintptr_t)v[k] % 16, 0);
			memset(v[k], (int)k, n);
		}
		for (size_t k = 0; k < many; k += 2)
			db_heap_free(v[k]);
		for (size_t k = 0; k < many; k += 2) {
			v[k] = db_heap_alloc(n);
			memset(v[k], (int)k, n);
		}
		for (size_t k = 0; k < many; k++) {
			for (size_t at = 0; at < n; at += 61)
				assert_int_equal(v[k][at], (unsigned char)k);
			db_heap_free(v[k]);
		}
		db_heap_trim();
	}
	db_heap_free(NULL);
	assert_null(db_heap_alloc(SIZE_MAX - 10));
}

TEST(heap_realloc_keeps_contents)
{
	static const size_t sizes[] = { 1, 20, 30, 300, 290, 5000, 40000, 40100, 400000, 50000, 1000, 10 };
	char *p = NULL;
	size_t n = 0;

	pthread_once(&once, ready);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		p = db_heap_realloc(p, sizes[i]);
		for (size_t at = 0; at < MIN(n, sizes[i]); at++)
			assert_int_equal(p[at], (char)at);
		n = sizes[i];
		for (size_t at = 0; at < n; at++)
			p[at] = (char)at;
		assert_true(db_heap_size(p) >= n);
		assert_true(n > 32768 || db_heap_size(p) < n + MAX((size_t)16, n / 8 + 1));     /* shrinks, too */
	}
	db_heap_free(p);
}

/* threads hand objects to each other: what one allocates the next frees. */
struct relay {
	pthread_t thread;
	void *_Atomic *slots;
	unsigned seed;
};

static void *
run_relay(void *arg)
{
	struct relay *r = arg;

	for (unsigned i = 0; i < 20000; i++) {
		r->seed = r->seed * 1103515245 + 12345;
		size_t n = (r->seed >> 8) % (i % 64 ? 2000 : 40000) + 8;
		size_t *p = db_heap_alloc(n), *q;

		*p = n;
		q = atomic_exchange(&r->slots[(r->seed >> 4) % 64], p);
		if (q && db_heap_size(q) < *q)
			return r;
		db_heap_free(q);
		if (i % 1000 == 0)
			db_heap_trim();
	}
	return NULL;
}

TEST(heap_threads)
{
	void *_Atomic slots[64] = { 0 };
	struct relay r[4];

	pthread_once(&once, ready);
	for (unsigned i = 0; i < ARRAY_LEN(r); i++) {
		r[i] = (struct relay){ .slots = slots, .seed = i + 1 };
		assert_int_equal(pthread_create(&r[i].thread, NULL, run_relay, &r[i]), 0);
	}
	for (unsigned i = 0; i < ARRAY_LEN(r); i++) {
		void *bad;

		pthread_join(r[i].thread, &bad);
		assert_null(bad);
	}
	for (unsigned i = 0; i < 64; i++)
		db_heap_free(slots[i]);
}
