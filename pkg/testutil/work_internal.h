/* SPDX-License-Identifier: MIT */
/*
 * work_internal.h - included in front of everything that is compiled for counting its work (see test_work):
 * functions of the C library that run over bytes are no basic blocks of ours, so what they do is added here, and
 * allocations are taken note of.
 */
#ifndef TESTUTIL_WORK_INTERNAL_H
#define TESTUTIL_WORK_INTERNAL_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void testutil_work_bytes(size_t n);
void *testutil_work_malloc(size_t n);
void *testutil_work_calloc(size_t count, size_t n);
void *testutil_work_realloc(void *p, size_t n);
void testutil_work_free(void *p);

static inline void *
testutil_memchr(const void *s, int c, size_t n)
{
	char *r = memchr(s, c, n);

	testutil_work_bytes(r ? (size_t)(r - (const char *)s) : n);
	return r;
}
static inline void *
testutil_memrchr(const void *s, int c, size_t n)
{
	char *r = memrchr(s, c, n);

	testutil_work_bytes(r ? n - (size_t)(r - (const char *)s) : n);
	return r;
}
static inline void *
testutil_memmem(const void *s, size_t n, const void *t, size_t k)
{
	char *r = memmem(s, n, t, k);

	testutil_work_bytes(r ? (size_t)(r - (const char *)s) : n);
	return r;
}
static inline void *
testutil_memcpy(void *d, const void *s, size_t n)
{
	testutil_work_bytes(n);
	return memcpy(d, s, n);
}
static inline void *
testutil_memmove(void *d, const void *s, size_t n)
{
	testutil_work_bytes(n);
	return memmove(d, s, n);
}
static inline void *
testutil_memset(void *d, int c, size_t n)
{
	testutil_work_bytes(n);
	return memset(d, c, n);
}
static inline int
testutil_memcmp(const void *a, const void *b, size_t n)
{
	testutil_work_bytes(n);
	return memcmp(a, b, n);
}

#undef memchr
#undef memrchr
#undef memmem
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#define memchr(...) testutil_memchr(__VA_ARGS__)
#define memrchr(...) testutil_memrchr(__VA_ARGS__)
#define memmem(...) testutil_memmem(__VA_ARGS__)
#define memcpy(...) testutil_memcpy(__VA_ARGS__)
#define memmove(...) testutil_memmove(__VA_ARGS__)
#define memset(...) testutil_memset(__VA_ARGS__)
#define memcmp(...) testutil_memcmp(__VA_ARGS__)
#define malloc(...) testutil_work_malloc(__VA_ARGS__)
#define calloc(...) testutil_work_calloc(__VA_ARGS__)
#define realloc(...) testutil_work_realloc(__VA_ARGS__)
#define free(...) testutil_work_free(__VA_ARGS__)

#endif
