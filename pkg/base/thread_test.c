/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "testutil/testutil.h"

struct seen {
	sigset_t mask;
	size_t stack;
};

static void *
look(void *arg)
{
	struct seen *s = arg;
	pthread_attr_t attr;

	pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstacksize(&attr, &s->stack);
	pthread_attr_destroy(&attr);
	return arg;
}

TEST(thread_takes_no_signals)
{
	struct seen s = { 0 };
	sigset_t before, after;
	pthread_t t;
	void *ret;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(thread_start(&t, "mox-test", 0, look, &s), 0);
	pthread_join(t, &ret);
	assert_ptr_equal(ret, &s);
	assert_int_equal(sigismember(&s.mask, SIGTERM), 1);
	assert_int_equal(sigismember(&s.mask, SIGINT), 1);
	assert_int_equal(sigismember(&s.mask, SIGHUP), 1);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));  /* ours is as it was */
	assert_int_equal(sigismember(&after, SIGHUP), sigismember(&before, SIGHUP));
}

TEST(thread_stack_size)
{
	struct seen s = { 0 };
	pthread_t t;

	assert_int_equal(thread_start(&t, "mox-test", (size_t)1 << 20, look, &s), 0);
	pthread_join(t, NULL);
	assert_in_range(s.stack, (size_t)1 << 20, ((size_t)1 << 20) + 65536);
}

/* use touches a good deal of stack. */
static __attribute__((noinline)) void
use(uintptr_t *r_where)
{
	volatile char deep[200 * 1024];

	for (size_t i = 0; i < sizeof(deep); i += 1024)
		deep[i] = 1;
	*r_where = (uintptr_t)deep;
}

static size_t
resident(uintptr_t p, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
	unsigned char v[256];
	uintptr_t at = p & ~(uintptr_t)(page - 1);

	assert_true(n / page <= sizeof(v));
	assert_int_equal(mincore((void *)at, n, v), 0);
	for (size_t i = 0; i < n / page; i++)
		count += v[i] & 1;
	return count;
}

static void *
use_and_trim(void *arg)
{
	size_t *pages = arg;
	uintptr_t deep;

	use(&deep);
	pages[0] = resident(deep, 100 * 1024);
	thread_trim_stack();
	pages[1] = resident(deep, 100 * 1024);
	return NULL;
}

TEST(thread_stack_is_given_back)
{
	size_t pages[2];
	pthread_t t;

	assert_int_equal(thread_start(&t, "mox-test", (size_t)1 << 20, use_and_trim, pages), 0);
	pthread_join(t, NULL);
	assert_int_equal(pages[0], 100 * 1024 / (size_t)sysconf(_SC_PAGESIZE));
	assert_int_equal(pages[1], 0);
}
