/* SPDX-License-Identifier: MIT */
/*
 * The driver without threads, for tests and fuzzers: everything happens in conn_inline_run, in the order in which a
 * connection alone on an idle server would see it. There is nobody to drain the peer while a handler runs, so output is
 * buffered without limit.
 */
#include <poll.h>

#include "base/fd.h"
#include "base/mem.h"
#include "conn/conn_internal.h"
#include "conn/server_internal.h"

struct conn *
conn_inline_new(int fd, const struct conn_listener_opts *o, const struct ipport *remote, const struct ipport *local)
{
	struct conn_listener *l = conn_listener_new(o);
	struct conn *c;

	fd_nonblock(fd, true);
	c = conn_new(NULL, l, fd, remote, local);
	conn_listener_unref(&l);
	c->place = CONN_INLINE;
	c->work = mem_alloc(sizeof(*c->work));
	conn_work_init(c->work);
	return c;
}

/* Reads once more; false when nothing can come now. */
static bool
more_input(struct conn *c)
{
	return conn_in_wanted(c) && conn_fill(c) > 0;
}

/* One step: true when another may follow. */
static bool
step(struct conn *c, bool wait_timers)
{
	if (c->state == CONN_S_HANDSHAKE) {
		return conn_handshake(c) != 0;
	}
	if (conn_send(c) != 0)
		return false;
	if (c->state == CONN_S_CLOSING)
		return false;
	if (c->starttls || c->push) {
		conn_settle(c);
		return true;
	}
	if (c->timer_at && wait_timers)
		c->timer_at = 1;
	if (conn_pick(c, c->timer_at == 1 ? INT64_MAX : time_mono_us())) {
		/* All that is buffered is handled before replies are sent, as a worker does. */
		do
			conn_handle(c);
		while (conn_pick(c, 0));
		return true;
	}
	if (conn_out_pending(c))
		return true;    /* the framer asked for more */
	if (more_input(c))
		return true;
	if (c->eof)
		c->state = CONN_S_CLOSING;
	return false;
}

bool
conn_inline_run(struct conn *c, bool wait_timers)
{
	while (!c->failed && step(c, wait_timers))
		;
	if (!conn_over(c))
		return true;
	conn_closed(c);
	c->state = CONN_S_CLOSING;
	conn_hang_up(c);
	return false;
}

void
conn_inline_wake(struct conn *c)
{
	c->woken = true;
}

void
conn_inline_due(struct conn *c, enum conn_unit_kind kind)
{
	switch (kind) {
	case CONN_TIMEOUT:
		c->due |= CONN_DUE_TIMEOUT;
		break;
	case CONN_SHUTDOWN:
		c->due |= CONN_DUE_SHUTDOWN;
		c->stopping = true;
		break;
	case CONN_TIMER:
		c->due |= CONN_DUE_TIMER;
		break;
	default:
		bug("conn_inline_due: unit kind %d is no event", (int)kind);
	}
}

void
conn_inline_free(struct conn **pc)
{
	struct conn *c = *pc;
	struct conn_work *w;

	if (c == NULL)
		return;
	*pc = NULL;
	conn_closed(c);
	w = c->work;
	conn_free(c);
	conn_work_done(w);
	free(w);
}
