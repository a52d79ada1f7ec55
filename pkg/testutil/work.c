/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <stdlib.h>

#include "testutil/testutil.h"

void testutil_work_bytes(size_t n);
void *testutil_work_malloc(size_t n);
void *testutil_work_calloc(size_t count, size_t n);
void *testutil_work_realloc(void *p, size_t n);
void testutil_work_free(void *p);
/* gcc and clang call this at the start of every basic block of what is compiled with -fsanitize-coverage=trace-pc. */
void __sanitizer_cov_trace_pc(void);

static _Thread_local struct {
	uint64_t work;
	size_t bytes, peak;     /* on the heap */
} so_far;

void
__sanitizer_cov_trace_pc(void)
{
	so_far.work++;
}

void
testutil_work_bytes(size_t n)
{
	so_far.work += n / 16;
}

static void *
got(void *p)
{
	so_far.bytes += malloc_usable_size(p);
	so_far.peak = MAX(so_far.peak, so_far.bytes);
	return p;
}

/* What a library has allocated and gives us to free was never counted. */
static void
gone(void *p)
{
	so_far.bytes -= MIN(so_far.bytes, malloc_usable_size(p));
}

void *
testutil_work_malloc(size_t n)
{
	return got(malloc(n));
}

void *
testutil_work_calloc(size_t count, size_t n)
{
	return got(calloc(count, n));
}

void *
testutil_work_realloc(void *p, size_t n)
{
	gone(p);
	return got(realloc(p, n));
}

void
testutil_work_free(void *p)
{
	gone(p);
	free(p);
}

struct test_work
test_work(void)
{
	struct test_work w = { .steps = so_far.work, .bytes = so_far.bytes, .peak = so_far.peak };

	so_far.peak = so_far.bytes;
	return w;
}
