/* SPDX-License-Identifier: MIT */
/*
 * Input: from the streams into a buffer that exists only while something is in it, and from there to the framer or a sink.
 * The memory of all buffers together is bounded; a connection that finds no room waits, under its read timeout, until others
 * have used up theirs.
 */
#include <errno.h>
#include <poll.h>

#include "base/mem.h"
#include "conn/conn_internal.h"

static atomic_size_t in_total;

size_t
conn_in_total(void)
{
	return atomic_load_explicit(&in_total, memory_order_relaxed);
}

void
conn_in_charge(ssize_t n)
{
	atomic_fetch_add_explicit(&in_total, (size_t)n, memory_order_relaxed);
}

static const char *
prefix_in(const struct conn *c)
{
	return c->proto->trace_in ? c->proto->trace_in : "C: ";
}

static struct str
unused_input(const struct conn *c)
{
	if (c->in.n == 0)
		return S("");           /* there may be no buffer */
	return str_n(c->in.p + c->in_off, c->in.n - c->in_off);
}

/* in_add appends to the buffer and counts what it grew by. */
static void
in_add(struct conn *c, struct str s)
{
	size_t before = c->in.cap;

	if (c->in_off > 0 && c->in.n + s.n + 1 > c->in.cap) {
		buf_drop(&c->in, c->in_off);
		c->in_off = 0;
	}
	buf_add(&c->in, s);
	conn_in_charge((ssize_t)(c->in.cap - before));
}

static void
in_free(struct conn *c)
{
	conn_in_charge(-(ssize_t)c->in.cap);
	buf_done(&c->in);
	c->in_off = 0;
}

void
conn_in_drop(struct conn *c, size_t n)
{
	c->in_off += n;
	if (c->in_off == c->in.n) {
		buf_reset(&c->in);
		c->in_off = 0;
	}
}

void
conn_in_discard(struct conn *c)
{
	if (c->in.cap > 0)
		in_free(c);
}

void
conn_in_trim(struct conn *c)
{
	if (c->in.n == 0 && c->in.cap > 0)
		in_free(c);
}

bool
conn_has_input(struct conn *c)
{
	return c->in.n - c->in_off > c->unit_used;
}

void
conn_spool(struct conn *c, struct conn_sink *s, int64_t deadline_us)
{
	c->sink = s;
	c->spool_at = deadline_us > 0 ? time_mono_us() + deadline_us : 0;
	c->rate_at = 0;
}

static void
spooled(struct conn *c, int status)
{
	c->sink = NULL;
	c->spool_at = c->rate_at = 0;
	c->sink_status = status;
	c->due |= CONN_DUE_SPOOLED;
}

/* feed gives input to the sink and returns how much it took. */
static size_t
feed(struct conn *c, struct str in)
{
	bool done = false;
	ssize_t r = c->sink->write(c->sink, in, &done);

	if (r < 0) {
		spooled(c, (int)r);
		return 0;
	}
	bug_if((size_t)r > in.n);
	if (r > 0 && log_tracing(&c->log))
		log_trace(LOG_TRACEDATA, &c->log, prefix_in(c), str_upto(in, (size_t)r));
	if (done)
		spooled(c, 0);
	return (size_t)r;
}

static void
feed_buffered(struct conn *c)
{
	size_t n = feed(c, unused_input(c));

	conn_in_drop(c, n);
	if (c->sink && c->in.n - c->in_off >= c->in_limit)
		spooled(c, ERR_LIMIT);          /* a sink that wants ever more before it takes anything */
}

/* in_room: how much may be read now. */
static size_t
in_room(const struct conn *c)
{
	size_t have = c->in.n - c->in_off, room = have < c->in_limit ? c->in_limit - have : 0;

	size_t total = c->class <= CONN_AUTHENTICATED ? LIMIT_CONN_IN_TOTAL : LIMIT_CONN_IN_TOTAL / 2;

	/* A sink takes input without keeping it here. */
	if (c->sink == NULL && conn_in_total() >= total)
		return 0;
	return MIN(room, (size_t)CONN_SCRATCH);
}

void
conn_start_read_timeout(struct conn *c, int64_t now)
{
	if (c->read_at == 0 && c->read_timeout > 0)
		c->read_at = now + c->read_timeout;
}

bool
conn_in_wanted(const struct conn *c)
{
	return c->state == CONN_S_OPEN && !c->failed && !c->eof && !c->waiting && c->due == 0 && in_room(c) > 0;
}

int
conn_fill(struct conn *c)
{
	struct str got;
	size_t room = in_room(c);
	ssize_t r;

	if (room == 0)
		return 0;
	r = c->top->ops->read(c->top, c->work->scratch, room);
	switch (r) {
	case CONN_WANT_READ:
		c->want_in = POLLIN;
		return 0;
	case CONN_WANT_WRITE:
		c->want_in = POLLOUT;
		return 0;
	case CONN_WANT_AGAIN:
		return 1;
	case 0:
		c->eof = true;
		return ERR_CLOSED;
	}
	if (r < 0) {
		conn_fail(c, "read", (int)r);
		return (int)r;
	}
	c->rate_moved += (uint64_t)r;
	got = str_n(c->work->scratch, (size_t)r);
	if (c->sink && c->in.n == c->in_off)
		got = str_from(got, feed(c, got));
	if (got.n > 0)
		in_add(c, got);
	return 1;
}

bool
conn_cut(struct conn *c)
{
	struct conn_unit *u = &c->unit;
	struct str in;
	size_t used;
	int r;

	if (c->sink && c->in.n > c->in_off)
		feed_buffered(c);
	if (c->sink)
		return false;
	if (c->due & CONN_DUE_SPOOLED) {
		c->due &= (uint8_t)~CONN_DUE_SPOOLED;
		*u = (struct conn_unit){ .kind = CONN_SPOOLED, .status = c->sink_status };
		return true;
	}
	while ((in = unused_input(c)).n > 0) {
		*u = (struct conn_unit){ .kind = CONN_INPUT };
		used = 0;
		r = c->proto->frame(c, in, u, &used);
		if (r == CONN_FRAME_UNIT) {
			bug_if(used == 0 || used > in.n);
			c->unit_used = used;
			if (log_tracing(&c->log))
				log_trace(c->trace_in, &c->log, prefix_in(c), u->data);
			return true;
		}
		if (r == CONN_FRAME_MORE && u->data.n > 0) {
			conn_write(c, u->data);
			continue;
		}
		if (r == CONN_FRAME_MORE && in.n >= c->in_limit)
			r = ERR_LIMIT;
		if (r < 0) {
			if (log_tracing(&c->log))
				log_trace(c->trace_in, &c->log, prefix_in(c), str_upto(in, 1000));
			*u = (struct conn_unit){ .kind = CONN_BAD_INPUT, .status = r };
			return true;
		}
		break;
	}
	return false;
}
