/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>
#include <string.h>

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
