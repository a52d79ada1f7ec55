/* SPDX-License-Identifier: MIT */
/*
 * A connection on a worker: the units that are buffered, one after the other, then their replies in one write, and back to
 * the loop.
 */
#include "base/mem.h"
#include "conn/server_internal.h"

void *
conn_thread_new(void *server)
{
	struct conn_server *s = server;
	struct conn_work *w = mem_alloc(sizeof(*w));

	conn_work_init(w);
	w->ctx.stop = &s->stop;
	w->ctx.stop_fd = s->stop_fd;
	return w;
}

void
conn_thread_free(void *thread)
{
	struct conn_work *w = thread;

	conn_work_done(w);
	free(w);
}

/* look_again tells whether more input came while the worker was busy, and takes it. Not waiting for input: the loop saw it in
 * the socket. */
static bool
look_again(struct conn *c)
{
	if (!(atomic_load_explicit(&c->baton, memory_order_relaxed) & CONN_BATON_READABLE))
		return false;
	c->parkable = false;
	atomic_fetch_and_explicit(&c->baton, ~(unsigned)CONN_BATON_READABLE, memory_order_relaxed);
	return conn_fill(c) > 0;
}

/* next_unit tells whether the worker goes on with this connection. */
static bool
next_unit(struct conn *c, int64_t now)
{
	if (c->group != c->job.group)
		return false;           /* logged in: from now on the cap of the account counts */
	if (conn_pick(c, now))
		return true;
	if (c->slow || c->waiting || c->state != CONN_S_OPEN || c->starttls || c->push)
		return false;
	return conn_send(c) == 0 && conn_in_wanted(c) && look_again(c) && conn_pick(c, now);
}

/*
 * park_here parks the connection without the loop's doing, if the loop would have nothing to do: the event waits for input,
 * the timer comes soon enough, and there is no note. When it returns true the connection may be anywhere.
 */
static bool
park_here(struct conn *c, int64_t now)
{
	unsigned away = CONN_BATON_AWAY;
	int64_t armed = atomic_load_explicit(&c->timer.armed_us, memory_order_relaxed);

	if (!c->parkable || c->slow || c->waiting || c->sink || c->starttls || c->push || c->group != c->job.group)
		return false;
	if (conn_out_pending(c) || c->in.n > c->in_off || !conn_in_wanted(c) || c->want_in != POLLIN ||
	    c->top->ops->pending(c->top) || (c->woken && c->want_wake))
		return false;
	conn_start_read_timeout(c, now);
	if ((c->read_at && (armed == 0 || armed > c->read_at)) || (c->timer_at && (armed == 0 || armed > c->timer_at)))
		return false;
	conn_in_trim(c);
	conn_ack(c);
	return atomic_compare_exchange_strong_explicit(&c->baton, &away, CONN_BATON_LOOP, memory_order_release,
	    memory_order_relaxed);
}

void
conn_thread_rest(void *thread)
{
	conn_work_done(thread);
}

/* take_up is the thread's work, with the memory that a rest took away. */
static struct conn_work *
take_up(void *thread)
{
	struct conn_work *w = thread;

	if (!w->scratch)
		w->scratch = mem_alloc(CONN_SCRATCH);
	return w;
}

void
conn_run(struct workpool_job *j, void *thread)
{
	struct conn *c = container_of(j, struct conn, job);
	int64_t start = time_mono_us(), now = start;
	unsigned n = 0;

	c->work = take_up(thread);
	c->place = CONN_ON_WORKER;
	do {
		conn_handle(c);
		now = time_mono_us();
	} while (++n < CONN_BATCH && now - start < CONN_BATCH_US && next_unit(c, now));
	if (!c->slow)
		ignore_result(conn_send(c) < 0);
	if (conn_over(c))
		conn_closed(c);
	else if (park_here(c, now))
		return;
	loop_post(c->loop->loop, &c->msg);
}

void
conn_run_closed(struct workpool_job *j, void *thread)
{
	struct conn *c = container_of(j, struct conn, job);

	c->work = take_up(thread);
	c->place = CONN_ON_WORKER;
	conn_closed(c);
	loop_post(c->loop->loop, &c->msg);
}

/* --- workers that wait for output --- */

bool
conn_wait_enter(struct conn *c)
{
	struct conn_server *s = c->server;
	unsigned same = 0;

	LOCKED(&s->lock);
	if (s->nwaiting >= s->max_waiting)
		return false;
	for (unsigned i = 0; c->group && i < s->nwaiting; i++)
		same += s->waiting[i] == c->group;
	if (same >= 2)
		return false;
	s->waiting[s->nwaiting++] = c->group;
	return true;
}

void
conn_wait_leave(struct conn *c)
{
	struct conn_server *s = c->server;
	unsigned i = 0;

	LOCKED(&s->lock);
	while (s->waiting[i] != c->group)
		i++;
	s->waiting[i] = s->waiting[--s->nwaiting];
}
