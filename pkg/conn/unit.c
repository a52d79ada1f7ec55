/* SPDX-License-Identifier: MIT */
/*
 * Units: which is due next, and what follows from the protocol's decision.
 */
#include <poll.h>

#include "conn/conn_internal.h"

static bool
take_due(struct conn *c, enum conn_due bit, enum conn_unit_kind kind)
{
	if (!(c->due & bit))
		return false;
	c->due &= (uint8_t)~bit;
	c->unit = (struct conn_unit){ .kind = kind };
	return true;
}

bool
conn_pick(struct conn *c, int64_t now)
{
	c->unit_used = 0;
	if (c->state != CONN_S_OPEN || c->failed || c->starttls || c->push)
		return false;
	if (c->timer_at && now >= c->timer_at) {
		c->timer_at = 0;
		c->due |= CONN_DUE_TIMER;
	}
	if (c->woken && c->want_wake) {
		c->woken = false;
		c->due |= CONN_DUE_WAKE;
	}
	return take_due(c, CONN_DUE_START, CONN_START) ||
	    take_due(c, CONN_DUE_TLS, CONN_TLS_STARTED) ||
	    take_due(c, CONN_DUE_SHUTDOWN, CONN_SHUTDOWN) ||
	    take_due(c, CONN_DUE_TIMEOUT, CONN_TIMEOUT) ||
	    take_due(c, CONN_DUE_TIMER, CONN_TIMER) ||
	    take_due(c, CONN_DUE_WAKE, CONN_WAKE) ||
	    (!c->waiting && conn_cut(c));
}

void
conn_handle(struct conn *c)
{
	enum conn_unit_kind kind = c->unit.kind;
	enum conn_next next;
	int64_t now = time_mono_us();

	c->started = true;
	if (kind != CONN_TIMER && kind != CONN_WAKE)
		c->read_at = 0;
	c->waiting = false;
	c->work->ctx.cid = c->log.cid;
	c->work->ctx.deadline_us = now + CONN_UNIT_TIMEOUT_US;
	next = c->proto->unit(c, &c->unit);
	arena_reset(&c->work->arena);
	conn_in_drop(c, c->unit_used);
	c->unit_used = 0;
	if (kind == CONN_BAD_INPUT || kind == CONN_TIMEOUT || kind == CONN_SHUTDOWN)
		next = CONN_NEXT_CLOSE;
	switch (next) {
	case CONN_NEXT_PARK:
		break;
	case CONN_NEXT_WAIT:
		c->waiting = true;
		break;
	case CONN_NEXT_CLOSE:
		c->state = CONN_S_CLOSING;
		c->linger = kind == CONN_BAD_INPUT || c->in.n > 0;
		conn_in_discard(c);
		break;
	case CONN_NEXT_STARTTLS:
		if (c->tls_ctx == NULL || c->ssl)
			bug("%s starts TLS where it cannot be", c->proto->name);
		/* What the peer sent behind the command came without protection, so nobody may take it for protected
		 * (STARTTLS injection). */
		conn_in_discard(c);
		c->starttls = true;
		break;
	}
}

void
conn_settle(struct conn *c)
{
	if (c->starttls) {
		c->starttls = false;
		conn_in_discard(c);
		conn_start_tls(c);
	} else if (c->push) {
		conn_in_discard(c);
		c->push->below = c->top;
		c->top = take(c->push);
	}
}

bool
conn_over(const struct conn *c)
{
	return c->failed || (!conn_out_pending(c) && c->state == CONN_S_CLOSING);
}

void
conn_closed(struct conn *c)
{
	if (c->started && c->proto->closed)
		c->proto->closed(c);
	c->started = false;
	c->sink = NULL;
	arena_reset(&c->work->arena);
}
