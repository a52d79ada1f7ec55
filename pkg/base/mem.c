/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <errno.h>
#include <openssl/crypto.h>

#include "base/err.h"

/* Out of memory: the process ends. GCOVR_EXCL_START: no test can bring it about. */
static void
no_memory(size_t n)
{
	fprintf(stderr, "out of memory (%zu bytes)\n", n);
	abort();
}
/* GCOVR_EXCL_STOP */

void *
mem_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (p == NULL)          /* GCOVR_EXCL_BR_LINE */
		no_memory(n);   /* GCOVR_EXCL_LINE */
	return p;
}

void *
mem_allocn(size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		bug("allocation of %zu elements of %zu bytes overflows", count, size);
	return mem_alloc(n);
}

void *
mem_grow(void *p, size_t old, size_t new_count, size_t size)
{
	size_t n;
	char *q;

	if (__builtin_mul_overflow(new_count, size, &n))
		bug("allocation of %zu elements of %zu bytes overflows", new_count, size);
	q = realloc(p, n ? n : 1);
	if (q == NULL)          /* GCOVR_EXCL_BR_LINE */
		no_memory(n);   /* GCOVR_EXCL_LINE */
	if (new_count > old)
		memset(q + old * size, 0, (new_count - old) * size);
	return q;
}

char *
mem_strdup(const char *s)
{
	return mem_str(str_of(s));
}

char *
mem_str(struct str s)
{
	char *p = mem_alloc(s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

void
mem_free_(void *p)
{
	free(p);
}

void
mem_cleanup(void *pp)
{
	void *p;

	/* pp is the address of a pointer of any type: copy its bytes, so that no type rule is broken. */
	memcpy(&p, pp, sizeof(p));
	free(p);
}

void
mem_erase(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

bool
mem_equal(const void *a, const void *b, size_t n)
{
	return n == 0 || CRYPTO_memcmp(a, b, n) == 0;
}

void
secret_set(struct secret *s, struct str value)
{
	char *p = mem_str(value);       /* before the old one goes: value may be a part of it */

	secret_done(s);
	s->p = p;
	s->n = value.n;
}

struct str
secret_str(const struct secret *s)
{
	return str_n(s->p, s->n);
}

bool
secret_equal(const struct secret *s, struct str value)
{
	return s->n == value.n && mem_equal(s->p, value.p, value.n);
}

void
secret_done(struct secret *s)
{
	mem_erase(s->p, s->n);
	free(s->p);
	*s = (struct secret){ 0 };
}
