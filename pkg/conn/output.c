/* SPDX-License-Identifier: MIT */
/*
 * Output: a buffer of LIMIT_CONN_OUT, sent without waiting where possible. Only a worker that has more to say than fits waits for the peer,
 * see wait_out.
 */
#include <poll.h>
#include <stdio.h>

#include "base/lock.h"
#include "base/mem.h"
#include "conn/conn_internal.h"

void
conn_out_traced(struct conn *c)
{
	size_t n = c->out.n - c->out_traced;

	if (n > 0 && log_tracing(&c->log))
		log_trace(c->trace_out, &c->log, c->proto->trace_out ? c->proto->trace_out : "S: ", str_n(c->out.p + c->out_traced, n));
	c->out_traced = c->out.n;
}

void
conn_trace_out(struct conn *c, enum log_level level)
{
	if (level != (enum log_level)c->trace_out)
		conn_out_traced(c);
	c->trace_out = (uint8_t)level;
}

void
conn_trace_in(struct conn *c, enum log_level level)
{
	c->trace_in = (uint8_t)level;
}

int
conn_send(struct conn *c)
{
	ssize_t r;
	int f;

	conn_out_traced(c);
	while (!c->failed && conn_out_pending(c)) {
		r = c->top->ops->write(c->top, c->out.p + c->out_off, c->out.n - c->out_off);
		if (r > 0) {
			c->out_off += (size_t)r;
			c->rate_moved += (uint64_t)r;
		} else if (r == CONN_WANT_READ || r == CONN_WANT_WRITE) {
			c->want_out = r == CONN_WANT_READ ? POLLIN : POLLOUT;
			return 1;
		} else if (r != CONN_WANT_AGAIN) {
			conn_fail(c, "write", (int)r);
		}
	}
	if (c->failed)
		return ERR_IO;
	buf_done(&c->out);
	c->out_off = c->out_traced = 0;
	if (c->top->ops->flush && (f = c->top->ops->flush(c->top)) < 0) {
		if (f == CONN_WANT_READ || f == CONN_WANT_WRITE) {
			c->want_out = f == CONN_WANT_READ ? POLLIN : POLLOUT;
			return 1;
		}
		conn_fail(c, "write", f);
		return ERR_IO;
	}
	c->write_at = 0;
	return 0;
}

/* Starts the write deadline and the first window of the minimum rate, unless they run. */
static void
start_deadlines(struct conn *c)
{
	int64_t now = time_mono_us();

	if (c->write_at == 0 && c->write_timeout > 0)
		c->write_at = now + c->write_timeout;
	if (c->rate_at == 0) {
		c->rate_at = now + CONN_RATE_WINDOW_US;
		c->rate_moved = 0;
	}
}

/*
 * wait_out waits, on a worker, until the peer took enough for more to fit, or the connection failed: past the write deadline, below the
 * minimum rate, at the stop of the server. A TLS peer that wants us to read first (half a KeyUpdate) would hold the worker; it is cut off.
 */
static void
wait_out(struct conn *c)
{
	int r;

	lock_none_held();
	start_deadlines(c);
	while (!c->failed && c->out.n - c->out_off > LIMIT_CONN_OUT / 2) {
		struct ctx x = c->work->ctx;
		int64_t now;

		if (c->want_out != POLLOUT) {
			conn_fail(c, "peer holds up output", ERR_LIMIT);
			break;
		}
		x.deadline_us = c->write_at ? MIN(c->write_at, c->rate_at) : c->rate_at;
		r = ctx_poll(&x, c->sock.fd, POLLOUT);
		now = time_mono_us();
		if (r == ERR_TIMEOUT && (c->write_at == 0 || now < c->write_at) && c->rate_moved >= CONN_RATE_MIN)
			r = 1;
		if (r < 0) {
			conn_fail(c, "wait for output", r);
			break;
		}
		if (now >= c->rate_at) {
			c->rate_at = now + CONN_RATE_WINDOW_US;
			c->rate_moved = 0;
		}
		ignore_result(conn_send(c) < 0);
	}
	c->rate_at = 0;
}

/* make_room returns when at least one byte fits. */
static void
make_room(struct conn *c)
{
	if (c->out_off > 0) {
		conn_out_traced(c);
		buf_drop(&c->out, c->out_off);
		c->out_traced -= c->out_off;
		c->out_off = 0;
	}
	if (c->out.n < LIMIT_CONN_OUT || c->place == CONN_INLINE)
		return;
	if (conn_send(c) != 1)
		return;
	if (c->place == CONN_ON_LOOP)
		conn_fail(c, "output of a framer does not fit", ERR_LIMIT);
	else
		wait_out(c);
}

void
conn_write(struct conn *c, struct str s)
{
	size_t n;

	while (s.n > 0 && !c->failed) {
		if (c->out.n >= LIMIT_CONN_OUT)
			make_room(c);
		n = c->place == CONN_INLINE || c->out.n >= LIMIT_CONN_OUT ? s.n : MIN(s.n, LIMIT_CONN_OUT - c->out.n);
		if (c->failed)
			return;
		buf_add(&c->out, str_upto(s, n));
		s = str_from(s, n);
	}
}

void
conn_writef(struct conn *c, const char *fmt, ...)
{
	char small[512], *text = small, *large = NULL;
	va_list ap;
	int n;

	if (c->failed)
		return;
	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	bug_if(n < 0);
	if ((size_t)n >= sizeof(small)) {
		text = large = mem_alloc((size_t)n + 1);
		va_start(ap, fmt);
		vsnprintf(large, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	conn_write(c, str_n(text, (size_t)n));
	mem_free(&large);
}

void
conn_flush(struct conn *c)
{
	if (!c->slow)
		ignore_result(conn_send(c) < 0);
}
