/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdint.h>

#include "testutil/testutil.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

static bool
all_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

TEST(arena_pieces_are_aligned_and_zeroed)
{
	cleanup_(arena_done) struct arena a = { 0 };

	/* Dirty the block first: what is handed out again must be zeroed. */
	memset(arena_bytes(&a, 3000), 0xff, 3000);
	arena_reset(&a);
	for (size_t n = 0; n < 60; n++) {
		char *p = arena_alloc(&a, n);

		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		assert_true(all_zero(p, n));
		memset(p, 0xff, n);
		arena_bytes(&a, 1)[0] = 1;
	}
	assert_true(all_zero((const char *)ARENA_NEW(&a, struct { int x[10]; }), 40));
	assert_true(all_zero((const char *)ARENA_NEWN(&a, 10, uint64_t), 80));
}

TEST(arena_used_counts)
{
	cleanup_(arena_done) struct arena a;

	arena_init(&a, 128);
	assert_int_equal(a.used, 0);
	arena_reset(&a);
	arena_bytes(&a, 100);
	arena_bytes(&a, 100);
	assert_int_equal(a.used, 200);
	arena_reset(&a);
	assert_int_equal(a.used, 0);
	assert_non_null(a.first);       /* kept */
	arena_done(&a);
	assert_null(a.first);
	arena_bytes(&a, 10);
	assert_int_equal(a.used, 10);
}

TEST(arena_does_not_keep_a_large_first_block)
{
	cleanup_(arena_done) struct arena a = { .block_size = 64 };

	memset(arena_bytes(&a, 100000), 1, 100000);
	arena_reset(&a);
	assert_null(a.first);
	assert_non_null(arena_bytes(&a, 1));
}

TEST(arena_alignment_passes_the_end_of_a_block)
{
	cleanup_(arena_done) struct arena a = { .block_size = 65 };

	arena_bytes(&a, 65);
	assert_true(all_zero(arena_alloc(&a, 1), 1));
	assert_non_null(a.first);
	assert_ptr_not_equal(a.first, a.cur);
}

TEST(arena_erases)
{
	struct arena a = { 0 };

	arena_erase(&a);
	memset(arena_bytes(&a, 10), 'x', 10);
	memset(arena_bytes(&a, 10000), 'x', 10000);
	arena_erase(&a);
	assert_null(a.first);
	assert_int_equal(a.used, 0);
}

TEST(arena_many_blocks)
{
	cleanup_(arena_done) struct arena a = { .block_size = 64 };
	char *p[2000];

	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		p[i] = memset(arena_bytes(&a, i + 1), (int)(i & 0xff), i + 1);
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		assert_int_equal((unsigned char)p[i][0], i & 0xff);
		assert_int_equal((unsigned char)p[i][i], i & 0xff);
	}
}

TEST(arena_strdup_copies)
{
	cleanup_(arena_done) struct arena a = { 0 };
	char z[] = "abc", *p = arena_strdup(&a, z);

	z[0] = 'x';
	assert_string_equal(p, "abc");
}

TEST(arena_grow_in_place_and_by_copy)
{
	cleanup_(arena_done) struct arena a = { 0 };
	uint32_t *v = arena_grow(&a, NULL, 0, 4, sizeof(*v)), *w;

	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(v[i], 0);
		v[i] = i;
	}
	w = arena_grow(&a, v, 4, 8, sizeof(*v));
	assert_ptr_equal(v, w);         /* the last piece */
	assert_true(all_zero((const char *)(w + 4), 16));
	arena_bytes(&a, 1);
	v = arena_grow(&a, w, 8, 16, sizeof(*v));
	assert_ptr_not_equal(v, w);     /* no more */
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(v[i], i);
	assert_true(all_zero((const char *)(v + 4), 48));
	w = arena_grow(&a, v, 16, 5000, sizeof(*v));
	assert_ptr_not_equal(v, w);     /* no room in the block */
	assert_int_equal(w[3], 3);
	assert_int_equal(((uint32_t *)arena_grow(&a, w, 4, 4, sizeof(*w)))[3], 3);
	/* From memory that is not the arena's. */
	arena_done(&a);
	v = arena_grow(&a, (uint32_t[]){ 5, 6 }, 2, 3, sizeof(*v));
	assert_int_equal(v[0], 5);
	assert_int_equal(v[1], 6);
	assert_int_equal(v[2], 0);
}

static void
allocn_overflows(void *arg)
{
	volatile size_t half = SIZE_MAX / 2;

	arena_allocn(arg, half, 3);
}

static void
grow_overflows(void *arg)
{
	volatile size_t half = SIZE_MAX / 2;

	*(char *)arena_grow(arg, NULL, 0, half, 3) = 1;
}

static void
grow_shrinks(void *arg)
{
	*(char *)arena_grow(arg, arena_bytes(arg, 3), 3, 2, 1) = 1;
}

static void
piece_is_absurd(void *arg)
{
	volatile size_t n = SIZE_MAX - 100;

	arena_bytes(arg, n);
}

TEST(arena_overflow_is_a_bug)
{
	cleanup_(arena_done) struct arena a = { 0 };

	test_bug(allocn_overflows, &a, "overflows");
	test_bug(grow_overflows, &a, "arena_grow");
	test_bug(grow_shrinks, &a, "arena_grow");
	test_bug(piece_is_absurd, &a, "arena piece");
}

TEST(arena_marks)
{
	cleanup_(arena_done) struct arena a = { .block_size = 64 };
	struct arena_mark m;
	char *p, *q;

	/* Of an arena that had nothing. */
	m = arena_mark(&a);
	arena_bytes(&a, 1000);
	arena_restore(&m);
	assert_int_equal(a.used, 0);

	p = memcpy(arena_bytes(&a, 4), "keep", 4);
	m = arena_mark(&a);
	q = arena_bytes(&a, 8);
	arena_bytes(&a, 5000);          /* blocks behind the mark */
	arena_restore(&m);
	assert_int_equal(a.used, 4);
	assert_memory_equal(p, "keep", 4);
	assert_ptr_equal(arena_bytes(&a, 8), q);
}

TEST(arena_scopes_nest)
{
	cleanup_(arena_done) struct arena a = { 0 };

	arena_bytes(&a, 10);
	for (int i = 0; i < 3; i++) {
		ARENA_SCOPE(&a);
		arena_bytes(&a, 5000);
		{
			ARENA_SCOPE(&a);
			arena_bytes(&a, 50000);
			assert_int_equal(a.used, 55010);
		}
		assert_int_equal(a.used, 5010);
	}
	assert_int_equal(a.used, 10);
}

TEST(arena_large_ones_are_counted)
{
	cleanup_(arena_done) struct arena a = { 0 };
	size_t before = arena_large_count();

	arena_bytes(&a, (1 << 20) - 1);
	assert_int_equal(arena_large_count(), before);
	arena_bytes(&a, 1);
	arena_bytes(&a, 1 << 20);
	assert_int_equal(arena_large_count(), before + 1);
}

#ifdef __SANITIZE_ADDRESS__
TEST(arena_poisons)
{
	cleanup_(arena_done) struct arena a = { 0 };
	char *p = arena_bytes(&a, 24), *q = arena_alloc(&a, 24);
	struct arena_mark m = arena_mark(&a);
	char *r = arena_alloc(&a, 24);

	assert_false(__asan_address_is_poisoned(p + 23));
	assert_true(__asan_address_is_poisoned(p + 24));
	assert_false(__asan_address_is_poisoned(r));
	arena_restore(&m);
	assert_true(__asan_address_is_poisoned(r));
	assert_false(__asan_address_is_poisoned(q));
	arena_reset(&a);
	assert_true(__asan_address_is_poisoned(p));
}
#endif
