/* SPDX-License-Identifier: MIT */
/*
 * A connection on a worker: the units that are buffered, one after the other, then their replies in one write, and back to the loop.
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

/* next_unit tells whether the worker goes on with this connection: something is buffered, or comes at the first look. */
static bool
next_unit(struct conn *c, int64_t now)
{
	if (c->group != c->job.group)
		return false;           /* logged in: from now on the cap of the account counts */
	if (conn_pick(c, now))
		return true;
	if (c->slow || c->waiting || c->state != CONN_S_OPEN || c->starttls || c->push)
		return false;
	/* Not waiting for input, only asking: peers that send in bursts save the way over the loop. */
	return conn_send(c) == 0 && conn_in_wanted(c) && conn_fill(c) > 0 && conn_pick(c, now);
}

void
conn_run(struct workpool_job *j, void *thread)
{
	struct conn *c = container_of(j, struct conn, job);
	int64_t start = time_mono_us(), now = start;
	unsigned n = 0;

	c->work = thread;
	c->place = CONN_ON_WORKER;
	do {
		conn_handle(c);
		now = time_mono_us();
	} while (++n < CONN_BATCH && now - start < CONN_BATCH_US && next_unit(c, now));
	if (!c->slow)
		ignore_result(conn_send(c) < 0);
	if (conn_over(c))
		conn_closed(c);
	loop_post(c->loop->loop, &c->msg);
}

void
conn_run_closed(struct workpool_job *j, void *thread)
{
	struct conn *c = container_of(j, struct conn, job);

	c->work = thread;
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
