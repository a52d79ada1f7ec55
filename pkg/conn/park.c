/* SPDX-License-Identifier: MIT */
/*
 * A connection on its loop: handshake, reading, framing, deadlines, what workers left to be sent, slow mode, the end.
 *
 * Implementation notes. conn_advance does all that can be done now and then either gives the connection away (to a worker) or
 * parks it with an event and a timer set. It is called whenever something may have changed. While the connection is away only
 * the fields that struct conn marks as the loop's are touched here, and a note is left on the baton.
 *
 * Events are level-triggered and changed lazily: an event stays registered while the connection is away or wants nothing, and
 * only if it comes then is it removed. In the usual exchange (the peer waits for our answer) it never does, so a command
 * costs no change of the poll set. Level-triggered, it comes again once it is wanted and the data is still there: nothing can
 * be lost.
 */
#include <poll.h>
#include <sys/socket.h>

#include "conn/server_internal.h"
#include "metrics/metrics.h"

static struct metric overloads =
	METRICS_COUNTER_INIT("mox_conn_overload_total", "Connections closed because no worker was to be had.", NULL);

static void advance(struct conn *c, bool readable);

/* --- events and timers --- */

/* mine tells whether the loop has the baton; otherwise whoever has it will find the note. */
static bool
mine(struct conn *c, enum conn_baton note)
{
	unsigned b = atomic_load_explicit(&c->baton, memory_order_acquire);

	while (b != CONN_BATON_LOOP)
		if (atomic_compare_exchange_weak_explicit(&c->baton, &b, b | note, memory_order_acq_rel, memory_order_acquire))
			return false;
	return true;
}

static void
on_socket(evutil_socket_t fd unused_, short what unused_, void *arg)
{
	struct conn *c = arg;

	if (!mine(c, CONN_BATON_READABLE) || (c->wanted & c->armed) == 0) {
		event_del(&c->ev);
		c->armed = 0;
		return;
	}
	advance(c, true);
}

static void
on_time(void *arg)
{
	struct conn *c = arg;

	if (mine(c, CONN_BATON_CALLED))
		advance(c, true);
}

/* want waits for POLLIN or POLLOUT on the socket, or for neither. */
static void
want(struct conn *c, short events)
{
	c->wanted = events;
	if (events == 0 || c->armed == events)
		return;
	if (c->armed)
		event_del(&c->ev);
	event_assign(&c->ev, loop_base(c->loop->loop), c->sock.fd, (events == POLLIN ? EV_READ : EV_WRITE) | EV_PERSIST,
	    on_socket, c);
	event_add(&c->ev, NULL);
	c->armed = events;
}

static void
sooner(int64_t *at, int64_t t)
{
	if (t != 0 && (*at == 0 || t < *at))
		*at = t;
}

static void
set_timer(struct conn *c, int64_t at)
{
	if (at != 0)
		loop_timer_by(&c->timer, at);
}

/* --- the end --- */

static void
destroy(struct conn *c)
{
	struct conn_server *s = c->server;

	loop_slot_free(c->loop->loop, c->slot);
	conn_free(c);
	conn_server_leave(s);
}

static void
returned(struct loop_msg *m)
{
	struct conn *c = container_of(m, struct conn, msg);

	atomic_store_explicit(&c->baton, CONN_BATON_LOOP, memory_order_relaxed);
	if (c->woken_away) {
		c->woken_away = false;
		c->woken = true;
	}
	/* Without a registered event nobody told us whether there is input. */
	advance(c, c->armed == 0);
}

static void
send_away(struct conn *c, void (*run)(struct workpool_job *j, void *thread))
{
	static const enum workpool_class class[] = {
		[CONN_CONTROL] = WORKPOOL_CONTROL, [CONN_AUTHENTICATED] = WORKPOOL_AUTHENTICATED,
		[CONN_UNAUTHENTICATED] = WORKPOOL_UNAUTHENTICATED, [CONN_BACKGROUND] = WORKPOOL_BACKGROUND,
	};

	c->parkable = c->armed == POLLIN && c->wanted == POLLIN;
	c->msg.fn = returned;
	c->job.run = run;
	c->job.class = class[c->class];
	c->job.group = c->group;
	atomic_store_explicit(&c->baton, CONN_BATON_AWAY, memory_order_relaxed);
}

/*
 * finish ends the connection: what the peer should still read, the socket, the protocol's last call, the memory. The socket
 * goes first, so that the peer does not wait for a worker.
 */
static void
finish(struct conn *c)
{
	if (c->linger && !c->failed && c->state != CONN_S_LINGER) {
		/* Closing with unread input in the socket would reset the connection, and the peer might never see why. */
		conn_say_end(c);
		shutdown(c->sock.fd, SHUT_WR);
		c->state = CONN_S_LINGER;
		c->read_at = time_mono_us() + CONN_LINGER_US;
		c->rate_moved = 0;
		want(c, POLLIN);
		set_timer(c, c->read_at);
		return;
	}
	if (c->armed)
		event_del(&c->ev);
	c->armed = 0;
	loop_timer_done(&c->timer);
	conn_hang_up(c);
	if (c->started) {
		send_away(c, conn_run_closed);
		workpool_submit_always(c->server->pool, &c->job);
	} else {
		destroy(c);
	}
}

static void
linger(struct conn *c)
{
	struct conn_stream *s = &c->sock.s;
	ssize_t r = 0;

	for (int i = 0; i < CONN_READS && (r = s->ops->read(s, c->work->scratch, CONN_SCRATCH)) > 0; i++)
		c->rate_moved += (uint64_t)r;
	if (r == 0 || r == ERR_IO || c->rate_moved > CONN_LINGER_MAX || time_mono_us() >= c->read_at)
		finish(c);
	else
		set_timer(c, c->read_at);
}

/* --- steps of advance --- */

/* give hands the connection, with its unit, to a worker. When there is none to be had it is told so and closes. */
static bool
give(struct conn *c)
{
	send_away(c, conn_run);
	if (atomic_load_explicit(&c->server->draining, memory_order_relaxed)) {
		workpool_submit_always(c->server->pool, &c->job);       /* all say goodbye at once, and none new comes */
		return true;
	}
	if (workpool_submit(c->server->pool, &c->job) == 0)
		return true;
	atomic_store_explicit(&c->baton, CONN_BATON_LOOP, memory_order_relaxed);
	metrics_add(&overloads, 1, NULL);
	conn_in_discard(c);
	if (c->proto->overload_reply)
		conn_write(c, str_of(c->proto->overload_reply));
	c->state = CONN_S_CLOSING;
	c->slow = false;
	c->linger = true;
	return false;
}

/* A deadline for what the connection is waiting for passed: the protocol says so, or what is unsent is given up. */
static void
check_deadlines(struct conn *c, int64_t now)
{
	bool late;

	if (c->failed)
		return;
	if (c->state == CONN_S_HANDSHAKE) {
		if (c->read_at && now >= c->read_at)
			conn_handshake_failed(c, "timeout");
		return;
	}
	if (conn_out_pending(c)) {
		if (c->write_at && now >= c->write_at)
			conn_fail(c, "write", ERR_TIMEOUT);
		return;
	}
	if (c->state != CONN_S_OPEN || c->waiting)
		return;
	late = (c->read_at && now >= c->read_at) || (c->sink && c->spool_at && now >= c->spool_at);
	if (c->sink && c->rate_at && now >= c->rate_at) {
		late = late || c->rate_moved < CONN_IN_RATE_MIN;
		c->rate_at = 0;
	}
	if (late && !(c->due & CONN_DUE_SPOOLED)) {
		c->sink = NULL;
		c->due |= CONN_DUE_TIMEOUT;
	}
}

static void
check_stop(struct conn *c)
{
	struct conn_server *s = c->server;

	if (atomic_load_explicit(&s->killed, memory_order_relaxed)) {
		conn_fail(c, "server stops", ERR_CANCELED);
	} else if (atomic_load_explicit(&s->draining, memory_order_relaxed) && !c->drained) {
		c->drained = true;
		if (c->state == CONN_S_HANDSHAKE)
			conn_fail(c, "server stops", ERR_CANCELED);
		else if (c->state == CONN_S_OPEN)
			c->due |= CONN_DUE_SHUTDOWN;
	}
}

static int64_t
slow_us(const struct conn *c)
{
	return c->server->o.slow_us ? c->server->o.slow_us : CONN_SLOW_US;
}

/* slow_turn tells whether the tarpit lets a read or a byte pass now; if not, slow_at says when. first: also the first waits. */
static bool
slow_turn(struct conn *c, int64_t now, bool first)
{
	if (c->slow_at == 0 && first)
		c->slow_at = now + slow_us(c);
	return now >= c->slow_at;
}

static int
flush(struct conn *c, int64_t now)
{
	int r;

	if (c->write_at == 0 && c->write_timeout > 0)
		c->write_at = now + c->write_timeout;
	if (!c->slow || (c->write_at && c->write_at - now < CONN_SLOW_LEFT_US))
		return conn_send(c);
	if (!slow_turn(c, now, false))
		return 1;
	r = conn_send_some(c, 1);
	if (r != 0)
		c->slow_at = now + slow_us(c);
	return r;
}

/* fill reads for the framer or the sink, if it should be done now. */
static bool
fill(struct conn *c, bool *readable, int *reads, int64_t now)
{
	if (!conn_in_wanted(c) || *reads >= CONN_READS)
		return false;
	if (!*readable && !c->top->ops->pending(c->top))
		return false;
	if (c->slow && !slow_turn(c, now, true))
		return false;
	++*reads;
	c->slow_at = 0;
	if (conn_fill(c) == 0) {
		*readable = false;
		return false;
	}
	if (c->sink)
		c->read_at = 0;         /* holds between pieces */
	return true;
}

/* --- parking --- */

static void
park_open(struct conn *c, int64_t now, int64_t *at)
{
	bool wanted = conn_in_wanted(c);

	sooner(at, c->timer_at);
	if (c->waiting) {
		want(c, 0);
		return;
	}
	conn_start_read_timeout(c, now);
	if (c->sink) {
		if (c->rate_at == 0) {
			c->rate_at = now + conn_rate_window(c);
			c->rate_moved = 0;
		}
		sooner(at, c->rate_at);
		sooner(at, c->spool_at);
	}
	sooner(at, c->read_at);
	if (c->slow && wanted)
		slow_turn(c, now, true);
	if (!wanted) {
		sooner(at, now + CONN_RETRY_US);
		want(c, 0);
	} else if (c->slow && now < c->slow_at) {
		sooner(at, c->slow_at);
		want(c, 0);
	} else {
		/* The streams hold data, but this connection had its turn. */
		if (c->top->ops->pending(c->top))
			sooner(at, now);
		conn_ack(c);
		want(c, c->want_in);
	}
}

static void
park(struct conn *c, int64_t now)
{
	int64_t at = 0;

	conn_in_trim(c);
	if (c->state == CONN_S_HANDSHAKE) {
		sooner(&at, c->read_at);
		want(c, c->want_in);
	} else if (conn_out_pending(c)) {
		sooner(&at, c->write_at);
		if (c->slow && now < c->slow_at) {
			sooner(&at, c->slow_at);
			want(c, 0);
		} else {
			want(c, c->want_out);
		}
	} else {
		park_open(c, now, &at);
	}
	set_timer(c, at);
}

static int64_t
handshake_timeout(const struct conn *c)
{
	return c->listener->o.handshake_timeout_us ? c->listener->o.handshake_timeout_us : CONN_HANDSHAKE_TIMEOUT_US;
}

/* handshake: whether to go on; the connection is parked otherwise. */
static bool
handshake(struct conn *c, int64_t now)
{
	int r;

	if (c->read_at == 0)
		c->read_at = now + handshake_timeout(c);
	r = conn_handshake(c);
	if (r == 0) {
		park(c, now);
		return false;
	}
	c->read_at = 0;
	return true;
}

/* step does the next thing that can be done; false when the connection is parked, away or gone. */
static bool
step(struct conn *c, bool *readable, int *reads, int64_t now)
{
	if (c->failed) {
		finish(c);
		return false;
	}
	if (c->state == CONN_S_HANDSHAKE)
		return handshake(c, now);
	if (conn_out_pending(c)) {
		if (flush(c, now) == 1) {
			park(c, now);
			return false;
		}
		return true;
	}
	if (c->state == CONN_S_CLOSING) {
		finish(c);
		return false;
	}
	if (c->starttls || c->push) {
		c->read_at = 0;
		conn_settle(c);
		return true;
	}
	if (conn_pick(c, now))
		return !give(c);
	if (conn_out_pending(c) || fill(c, readable, reads, now))
		return true;
	if (c->failed)
		return true;
	if (c->eof) {
		c->state = CONN_S_CLOSING;
		return true;
	}
	park(c, now);
	return false;
}

static void
advance(struct conn *c, bool readable)
{
	int64_t now = time_mono_us();
	int reads = 0;

	c->work = &c->loop->work;
	c->place = CONN_ON_LOOP;
	check_stop(c);
	if (c->state == CONN_S_LINGER && !c->failed && c->sock.fd >= 0) {
		linger(c);
		return;
	}
	check_deadlines(c, now);
	while (step(c, &readable, &reads, now))
		;
}

/* --- called by others --- */

struct conn_id
conn_arrive(struct conn *c)
{
	struct conn_id id;

	c->slot = loop_slot_new(c->loop->loop, c);
	loop_timer_init(&c->timer, c->loop->loop, on_time, c);
	id = conn_id(c);
	advance(c, false);
	return id;
}

void
conn_woken(void *object)
{
	struct conn *c = object;

	if (!mine(c, CONN_BATON_CALLED)) {
		c->woken_away = true;
		return;
	}
	c->woken = true;
	if (c->want_wake)
		advance(c, false);
}

void
conn_drain(void *object, void *arg unused_)
{
	struct conn *c = object;

	if (mine(c, CONN_BATON_CALLED))
		advance(c, false);
	else if (atomic_load_explicit(&c->server->killed, memory_order_relaxed))
		shutdown(c->sock.fd, SHUT_RDWR);        /* wakes a worker that polls it */
}
