/* SPDX-License-Identifier: MIT */
#include "base/ctx.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/timeutil.h"
#include "testutil/testutil.h"

TEST(ctx_checks)
{
	atomic_bool stop = false;
	struct ctx none = { 0 }, c = { .deadline_us = time_mono_us() + TIME_HOUR, .stop = &stop };

	assert_ok(ctx_check(&none));
	assert_ok(ctx_check(&c));
	c.deadline_us = time_mono_us();
	assert_err(ctx_check(&c), ERR_TIMEOUT);
	stop = true;
	assert_err(ctx_check(&c), ERR_CANCELED);
}

TEST(ctx_time_left)
{
	struct ctx c = { 0 };

	assert_int_equal(ctx_left_ms(&c, 500), 500);
	c.deadline_us = time_mono_us() + TIME_HOUR;
	assert_int_equal(ctx_left_ms(&c, 500), 500);
	assert_in_range(ctx_left_ms(&c, INT32_MAX), 3500 * 1000, 3600 * 1000);
	c.deadline_us = 1;
	assert_int_equal(ctx_left_ms(&c, 500), 0);
	/* Less than a millisecond counts as one. */
	c.deadline_us = time_mono_us() + TIME_SEC;
	assert_true(ctx_left_ms(&c, 5000) >= 1);
}

TEST(ctx_within_only_shortens)
{
	struct ctx c = { .cid = 5 }, d = ctx_within(&c, TIME_MIN), e;

	assert_int_equal(d.cid, 5);
	assert_in_range(d.deadline_us - time_mono_us(), 50 * TIME_SEC, TIME_MIN);
	e = ctx_within(&d, TIME_HOUR);
	assert_int_equal(e.deadline_us, d.deadline_us);
	e = ctx_within(&d, TIME_SEC);
	assert_true(e.deadline_us < d.deadline_us);
}

TEST(ctx_poll_outcomes)
{
	cleanup_(fd_close) int ready = eventfd(1, EFD_CLOEXEC), idle = eventfd(0, EFD_CLOEXEC);
	cleanup_(fd_close) int stop = eventfd(1, EFD_CLOEXEC);
	struct ctx c = { .stop_fd = -1 };

	assert_int_equal(ctx_poll(&c, ready, POLLIN), 1);
	assert_int_equal(ctx_poll(&c, idle, POLLOUT), 1);
	c.stop_fd = idle;
	assert_int_equal(ctx_poll(&c, ready, POLLIN), 1);
	c.stop_fd = stop;
	assert_err(ctx_poll(&c, ready, POLLIN), ERR_CANCELED);
	c = (struct ctx){ .deadline_us = time_mono_us() + 2 * TIME_MS };
	assert_err(ctx_poll(&c, idle, POLLIN), ERR_TIMEOUT);
	c = (struct ctx){ 0 };
	assert_err(ctx_poll(&c, 9999, POLLIN), ERR_IO);
}

TEST(ctx_poll_sees_the_other_end_closing)
{
	struct ctx c = { 0 };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	fd_close(&fds[1]);
	assert_int_equal(ctx_poll(&c, fds[0], POLLIN), 1);
	fd_close(&fds[0]);
}

/* poll must go on after a signal. */
static int wake_fd;

static void
on_alarm(int sig unused_)
{
	static int count;
	uint64_t one = 1;

	if (++count == 3 && write(wake_fd, &one, sizeof(one)) < 0)
		abort();
}

TEST(ctx_poll_survives_signals)
{
	cleanup_(fd_close) int fd = eventfd(0, EFD_CLOEXEC);
	struct sigaction sa = { .sa_handler = on_alarm }, old;
	struct itimerval every_ms = { { 0, 1000 }, { 0, 1000 } }, off = { 0 };
	struct ctx c = { 0 };

	wake_fd = fd;
	sigaction(SIGALRM, &sa, &old);
	setitimer(ITIMER_REAL, &every_ms, NULL);
	assert_int_equal(ctx_poll(&c, fd, POLLIN), 1);
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &old, NULL);
}

static void
too_many_descriptors(void *arg unused_)
{
	struct rlimit old, few;
	struct ctx c = { 0 };
	int r;

	/* poll fails with EINVAL when it is given more descriptors than may be open. */
	getrlimit(RLIMIT_NOFILE, &old);
	few = (struct rlimit){ 1, old.rlim_max };
	setrlimit(RLIMIT_NOFILE, &few);
	r = ctx_poll(&c, 0, POLLIN);
	setrlimit(RLIMIT_NOFILE, &old);
	if (r == ERR_IO)
		bug("as it should");
}

TEST(ctx_poll_fails)
{
	test_bug(too_many_descriptors, NULL, "as it should");
}
