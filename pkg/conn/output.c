/* SPDX-License-Identifier: MIT */
/*
 * Output: a buffer of LIMIT_CONN_OUT, sent without waiting where possible. Only a worker that has more to say than fits waits for the peer,
 * see conn_wait_out.
 */
#include <poll.h>
#include <stdio.h>

#include "base/mem.h"
#include "conn/conn_internal.h"
#include "conn/server_internal.h"

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
		conn_wait_out(c);
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
