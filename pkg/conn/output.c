/* SPDX-License-Identifier: MIT */
/*
 * Output: a buffer of LIMIT_CONN_OUT, sent without waiting where possible. Only a worker that has more to say than fits waits
 * for the peer, see wait_out.
 */
#include <poll.h>
#include <stdio.h>

#include "base/lock.h"
#include "base/mem.h"
#include "conn/server_internal.h"

static const char *
prefix_out(const struct conn *c)
{
	return c->proto->trace_out ? c->proto->trace_out : "S: ";
}

static void
out_traced(struct conn *c)
{
	size_t n = c->out.n - c->out_traced;

	if (n > 0 && log_tracing(&c->log))
		log_trace(c->trace_out, &c->log, prefix_out(c), str_n(c->out.p + c->out_traced, n));
	c->out_traced = c->out.n;
}

void
conn_trace_out(struct conn *c, enum log_level level)
{
	if (level != (enum log_level)c->trace_out)
		out_traced(c);
	c->trace_out = (uint8_t)level;
}

void
conn_trace_in(struct conn *c, enum log_level level)
{
	c->trace_in = (uint8_t)level;
}

/* blocked turns what a stream answered instead of taking bytes into a result of conn_send. */
static int
blocked(struct conn *c, int r)
{
	if (r == CONN_WANT_READ || r == CONN_WANT_WRITE) {
		c->want_out = r == CONN_WANT_READ ? POLLIN : POLLOUT;
		return 1;
	}
	conn_fail(c, "write", r);
	return ERR_IO;
}

int
conn_send_some(struct conn *c, size_t max)
{
	const struct conn_stream_ops *ops = c->top->ops;
	size_t sent = 0;
	ssize_t r;

	out_traced(c);
	if (c->failed)
		return ERR_IO;
	for (;;) {
		while (c->out.n > c->out_off) {
			if (sent >= max)
				return 1;
			r = ops->write(c->top, c->out.p + c->out_off, MIN(c->out.n - c->out_off, max - sent));
			if (r == CONN_WANT_AGAIN)
				continue;
			if (r < 0)
				return blocked(c, (int)r);
			c->out_off += (size_t)r;
			c->rate_moved += (uint64_t)r;
			sent += (size_t)r;
		}
		buf_reset(&c->out);
		c->out_off = c->out_traced = 0;
		if (c->spill == NULL)
			break;
		conn_spill_refill(c);
		if (c->failed)
			return ERR_IO;
		c->out_traced = c->out.n;       /* was traced when it went to the file */
	}
	buf_done(&c->out);
	r = ops->flush ? ops->flush(c->top) : 0;
	c->held = r < 0;
	if (r < 0)
		return blocked(c, (int)r);
	c->write_at = c->slow_at = 0;
	return 0;
}

int
conn_send(struct conn *c)
{
	return conn_send_some(c, SIZE_MAX);
}

int64_t
conn_rate_window(const struct conn *c)
{
	return c->server && c->server->o.rate_window_us ? c->server->o.rate_window_us : CONN_RATE_WINDOW_US;
}

/*
 * wait_out waits, on a worker, until the peer took enough for more to fit, or the connection failed: past the write deadline,
 * below the minimum rate, at the stop of the server. A TLS peer that wants us to read first (half a KeyUpdate) would hold the
 * worker; it is cut off.
 */
static void
wait_out(struct conn *c)
{
	int64_t now = time_mono_us();
	int r;

	lock_none_held();
	if (!conn_wait_enter(c)) {
		conn_spill_open(c);
		return;
	}
	if (c->write_at == 0 && c->write_timeout > 0)
		c->write_at = now + c->write_timeout;
	c->rate_at = now + conn_rate_window(c);
	c->rate_moved = 0;
	while (!c->failed && c->out.n - c->out_off > LIMIT_CONN_OUT / 2) {
		struct ctx x = c->work->ctx;

		if (c->want_out != POLLOUT) {
			conn_fail(c, "peer holds up output", ERR_LIMIT);
			break;
		}
		x.deadline_us = c->write_at ? MIN(c->write_at, c->rate_at) : c->rate_at;
		r = ctx_poll(&x, c->sock.fd, POLLOUT);
		now = time_mono_us();
		if (r < 0 && (r != ERR_TIMEOUT || (c->write_at && now >= c->write_at) || c->rate_moved < CONN_RATE_MIN)) {
			conn_fail(c, "wait for output", r);
			break;
		}
		if (now >= c->rate_at) {
			c->rate_at = now + conn_rate_window(c);
			c->rate_moved = 0;
		}
		ignore_result(conn_send(c) < 0);
	}
	c->rate_at = 0;
	conn_wait_leave(c);
}

/* make_room sends; then more fits into the buffer, or there is a spill file, or the connection failed. */
static void
make_room(struct conn *c)
{
	if (conn_send(c) == 1 && !c->failed) {
		if (c->place == CONN_ON_LOOP)
			conn_fail(c, "output of a framer does not fit", ERR_LIMIT);
		else if (c->out.n - c->out_off > LIMIT_CONN_OUT / 2)
			wait_out(c);
	}
	if (c->out_off > 0) {
		buf_drop(&c->out, c->out_off);
		c->out_traced -= c->out_off;
		c->out_off = 0;
	}
}

static void
write_spill(struct conn *c, struct str s)
{
	out_traced(c);     /* what stands before it */
	if (log_tracing(&c->log))
		log_trace(c->trace_out, &c->log, prefix_out(c), s);
	conn_spill_write(c, s);
}

void
conn_write(struct conn *c, struct str s)
{
	size_t n;

	while (s.n > 0 && !c->failed) {
		if (c->spill) {
			write_spill(c, s);
			return;
		}
		if (c->out.n >= LIMIT_CONN_OUT && c->place != CONN_INLINE) {
			make_room(c);
			continue;
		}
		n = c->place == CONN_INLINE ? s.n : MIN(s.n, LIMIT_CONN_OUT - c->out.n);
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
