/* SPDX-License-Identifier: MIT */
/*
 * The server: loops, workers, listeners, and the stop.
 *
 * Stopping in three steps. Draining: no new connections; each parked one gets CONN_SHUTDOWN, each running one after its unit.
 * After the grace period: the stop flag and descriptor end every wait that workers are in (DNS, slow peers). A second later:
 * what is left is closed without a word. Then the threads end; a handler that obeys its ctx cannot be in the way.
 */
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "conn/server_internal.h"

struct conn_server *
conn_server_new(const struct conn_server_opts *o)
{
	struct conn_server *s = mem_alloc(sizeof(*s));
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	s->o = *o;
	s->log = o->log;
	s->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->stop_fd < 0)
		bug("no eventfd: out of descriptors");
	lock_init(&s->lock, LOCK_POOL, "server");
	cond_init(&s->ended);
	s->nloops = o->loops ? o->loops : cores > 0 ? (unsigned)cores : 1;
	s->nloops = MIN(s->nloops, (unsigned)CONN_LOOPS_MAX);
	for (unsigned i = 0; i < s->nloops; i++) {
		struct conn_loop *l = &s->loops[i];

		l->server = s;
		l->index = i;
		l->loop = loop_new(&(struct loop_opts){ .index = i, .woken = conn_woken });
		conn_work_init(&l->work);
	}
	s->max_waiting = MAX((o->workers_max ? o->workers_max : 512) / 2, 1u);
	s->waiting = mem_allocn(s->max_waiting, sizeof(*s->waiting));
	s->pool = workpool_new(&(struct workpool_opts){
		.min = o->workers_min, .max = o->workers_max, .queue_max = o->queue_max, .group_max = o->group_max,
		.thread_new = conn_thread_new, .thread_free = conn_thread_free, .thread_rest = conn_thread_rest, .arg = s,
	});
	return s;
}

void
conn_server_start(struct conn_server *s)
{
	bug_if(s->started);
	s->started = true;
	workpool_start(s->pool);
	for (unsigned i = 0; i < s->nloops; i++)
		loop_start(s->loops[i].loop);
}

/* --- listeners: each call below runs on the acceptor's loop --- */

struct listener_call {
	struct conn_server *s;
	const char *name;
	struct conn_listener *l;
	int fd;
	struct tls_ctx *tls;
	const struct conn_limits *limits;
};

static void
do_listen(void *arg)
{
	struct listener_call *k = arg;

	/* The stop may have closed the others in the meantime. */
	if (atomic_load(&k->s->draining)) {
		close(k->fd);
		conn_listener_unref(&k->l);
		return;
	}
	conn_listener_open(k->s, k->l, k->fd);
}

int
conn_server_listen(struct conn_server *s, int fd, const struct conn_listener_opts *o, struct errmsg *e)
{
	struct listener_call k = { .s = s, .l = conn_listener_new(o), .fd = fd };

	loop_call(s->loops[0].loop, do_listen, &k);
	return k.l ? 0 : err_set(e, ERR_CANCELED, "the server stops");
}

static void
do_unlisten(void *arg)
{
	struct listener_call *k = arg;

	for (struct conn_listener **at = &k->s->listeners; *at; ) {
		struct conn_listener *l = *at;

		if (k->name && strcmp(l->name, k->name) != 0) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		conn_listener_close(l);
		conn_listener_unref(&l);
	}
}

void
conn_server_unlisten(struct conn_server *s, const char *name)
{
	loop_call(s->loops[0].loop, do_unlisten, &(struct listener_call){ .s = s, .name = name });
}

static void
do_set_tls(void *arg)
{
	struct listener_call *k = arg;

	for (struct conn_listener *l = k->s->listeners; l; l = l->next) {
		if (strcmp(l->name, k->name) != 0)
			continue;
		tls_ctx_unref(&l->tls);
		l->tls = k->tls ? tls_ctx_ref(k->tls) : NULL;
	}
}

void
conn_server_set_tls(struct conn_server *s, const char *name, struct tls_ctx *tls)
{
	loop_call(s->loops[0].loop, do_set_tls, &(struct listener_call){ .s = s, .name = name, .tls = tls });
}

static void
do_set_limits(void *arg)
{
	struct listener_call *k = arg;

	for (struct conn_listener *l = k->s->listeners; l; l = l->next) {
		if (strcmp(l->name, k->name) != 0)
			continue;
		conn_gate_unref(&l->gate);
		l->gate = conn_gate_new(k->limits);
	}
}

void
conn_server_set_limits(struct conn_server *s, const char *name, const struct conn_limits *limits)
{
	loop_call(s->loops[0].loop, do_set_limits, &(struct listener_call){ .s = s, .name = name, .limits = limits });
}

/* --- connections --- */

bool
conn_server_enter(struct conn_server *s)
{
	/* In this order: either we see that it drains, or it sees us. */
	atomic_fetch_add(&s->count, 1);
	if (!atomic_load(&s->draining))
		return true;
	conn_server_leave(s);
	return false;
}

void
conn_server_leave(struct conn_server *s)
{
	if (atomic_fetch_sub(&s->count, 1) == 1 && atomic_load(&s->draining)) {
		LOCKED(&s->lock);
		cond_broadcast(&s->ended);
	}
}

struct adopt_call {
	struct conn *c;
	struct conn_id id;
};

static void
do_adopt(void *arg)
{
	struct adopt_call *k = arg;

	k->id = conn_arrive(k->c);
}

int
conn_server_adopt(struct conn_server *s, int fd, const struct conn_listener_opts *o, struct conn_id *r_id)
{
	struct conn_listener *l;
	struct adopt_call k = { 0 };
	struct sockaddr_storage ss = { 0 };
	struct ipport remote = { 0 }, local = { 0 };
	socklen_t n = sizeof(ss);

	if (!conn_server_enter(s)) {
		fd_close(&fd);
		return ERR_CANCELED;
	}
	fd_nonblock(fd, true);
	fd_cloexec(fd);
	if (getpeername(fd, (struct sockaddr *)&ss, &n) == 0)
		remote = ipport_of((struct sockaddr *)&ss);
	n = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
		local = ipport_of((struct sockaddr *)&ss);
	l = conn_listener_new(o);
	k.c = conn_new(s, l, fd, &remote, &local);
	conn_listener_unref(&l);
	k.c->loop = &s->loops[k.c->log.cid % s->nloops];
	loop_call(k.c->loop->loop, do_adopt, &k);
	if (r_id)
		*r_id = k.id;
	return 0;
}

void
conn_wake(struct conn_server *s, struct conn_id id)
{
	unsigned loop = id.slot % CONN_LOOPS_MAX;

	if (id.gen != 0 && loop < s->nloops)
		loop_wake(s->loops[loop].loop, (struct loop_slot){ id.slot / CONN_LOOPS_MAX, id.gen });
}

size_t
conn_server_count(struct conn_server *s)
{
	return atomic_load(&s->count);
}

/* --- background work --- */

struct background {
	struct workpool_job job;
	struct conn_server *s;
	void (*fn)(void *arg, const struct ctx *ctx);
	void *arg;
};

static void
run_background(struct workpool_job *j, void *thread unused_)
{
	struct background *b = container_of(j, struct background, job);
	struct ctx x = { .stop = &b->s->draining, .stop_fd = b->s->stop_fd };

	b->fn(b->arg, &x);
	free(b);
}

bool
conn_server_run_background(struct conn_server *s, void (*fn)(void *arg, const struct ctx *ctx), void *arg)
{
	struct background *b;

	if (atomic_load(&s->draining))
		return false;
	b = mem_alloc(sizeof(*b));
	*b = (struct background){ .job = { .run = run_background, .class = WORKPOOL_BACKGROUND }, .s = s, .fn = fn, .arg = arg };
	if (workpool_submit(s->pool, &b->job) < 0) {
		free(b);
		return false;
	}
	return true;
}

/* --- stop --- */

static void
do_drain(void *arg)
{
	struct conn_loop *l = arg;

	loop_each(l->loop, conn_drain, NULL);
}

static void
drain_all(struct conn_server *s)
{
	for (unsigned i = 0; i < s->nloops; i++)
		loop_call(s->loops[i].loop, do_drain, &s->loops[i]);
}

/* wait_ended waits until no connection is left, at most us (0: without end). */
static bool
wait_ended(struct conn_server *s, int64_t us)
{
	int64_t until = us ? time_mono_us() + us : 0;

	LOCKED(&s->lock);
	while (atomic_load(&s->count) > 0)
		if (!cond_wait(&s->ended, &s->lock, until))
			return false;
	return true;
}

void
conn_server_stop(struct conn_server *s, int64_t grace_us)
{
	uint64_t one = 1;
	bool ended;

	if (!s->started || atomic_exchange(&s->draining, true))
		return;
	conn_server_unlisten(s, NULL);
	drain_all(s);
	ended = wait_ended(s, grace_us > 0 ? grace_us : 1);
	atomic_store(&s->stop, true);
	if (write(s->stop_fd, &one, sizeof(one)) != sizeof(one))
		bug("eventfd");
	if (!ended && !wait_ended(s, CONN_KILL_US)) {
		log_debug(s->log ? s->log : &(struct log){ .pkg = "conn" }, "closing connections at the end of the grace period",
		    log_u("count", atomic_load(&s->count)));
		atomic_store(&s->killed, true);
		drain_all(s);
		ignore_result(wait_ended(s, 0));
	}
	workpool_stop(s->pool);
	for (unsigned i = 0; i < s->nloops; i++)
		loop_stop(s->loops[i].loop);
	s->started = false;
}

void
conn_server_free(struct conn_server **ps)
{
	struct conn_server *s = *ps;

	*ps = NULL;
	if (s == NULL)
		return;
	conn_server_stop(s, 0);
	do_unlisten(&(struct listener_call){ .s = s });        /* never started */
	workpool_free(&s->pool);
	for (unsigned i = 0; i < s->nloops; i++) {
		loop_free(&s->loops[i].loop);
		conn_work_done(&s->loops[i].work);
	}
	close(s->stop_fd);
	mem_free(&s->waiting);
	cond_done(&s->ended);
	lock_done(&s->lock);
	free(s);
}
