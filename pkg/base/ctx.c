/* SPDX-License-Identifier: MIT */
#include "base/ctx.h"

#include <errno.h>
#include <poll.h>

#include "base/err.h"
#include "base/timeutil.h"

int
ctx_check(const struct ctx *c)
{
	if (c->stop && atomic_load_explicit(c->stop, memory_order_relaxed))
		return ERR_CANCELED;
	if (c->deadline_us != 0 && time_mono_us() >= c->deadline_us)
		return ERR_TIMEOUT;
	return 0;
}

int
ctx_left_ms(const struct ctx *c, int max_ms)
{
	int64_t left;

	if (c->deadline_us == 0)
		return max_ms;
	left = c->deadline_us - time_mono_us();
	if (left <= 0)
		return 0;
	/* Rounded up, or the last millisecond would be spent polling with 0. */
	return (int)MIN((left + TIME_MS - 1) / TIME_MS, (int64_t)max_ms);
}

struct ctx
ctx_within(const struct ctx *c, int64_t us)
{
	struct ctx r = *c;
	int64_t at = time_mono_us() + us;

	if (r.deadline_us == 0 || at < r.deadline_us)
		r.deadline_us = at;
	return r;
}

int
ctx_poll(const struct ctx *c, int fd, short events)
{
	struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = c->stop_fd > 0 ? c->stop_fd : -1, .events = POLLIN } };

	for (;;) {
		int n;

		TRY(ctx_check(c));
		n = poll(p, 2, ctx_left_ms(c, 60 * 1000));
		if (n < 0 && errno != EINTR)
			return ERR_IO;
		if (n <= 0)
			continue;
		if (p[1].revents)
			return ERR_CANCELED;
		if (p[0].revents & POLLNVAL)
			return ERR_IO;
		return 1;       /* POLLERR and POLLHUP as well: the next read or write tells more */
	}
}
