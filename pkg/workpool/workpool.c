/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. Everything is under one lock, held for some tens of instructions. A job that can start while a thread
 * is idle is handed to that thread directly, so no thread wakes for nothing. A job is in exactly one place: the queue of its
 * class, the waiting list of its group, or a thread.
 *
 * Threads are woken after the lock is dropped, so that they do not run into it. By then the one that was meant may have
 * ended: therefore a struct worker is never freed before the pool, and a wake-up may be for nothing.
 *
 * One more thread, the herder, adds threads and joins those that ended. It sleeps while nothing waits.
 */
#include "workpool/workpool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/timeutil.h"

#define STACK_SIZE ((size_t)2 << 20)
#define GROUP_BUCKETS 256               /* power of two */

struct queue {
	struct workpool_job *first, *last;
};

/* A group exists while a job of it runs. */
struct group {
	struct group *next;             /* in its bucket, or in the list of free ones */
	uint64_t id;
	unsigned running;
	struct queue waiting;
};

struct worker {
	struct workpool *p;
	struct worker *next;            /* in idle, dead or spare */
	struct workpool_job *job;       /* handed over by workpool_submit */
	struct cond wake;
	pthread_t thread;
};

struct workpool {
	struct workpool_opts o;
	unsigned reserve[WORKPOOL_CLASSES];             /* threads that a class leaves to those above it, */
	unsigned queue_max[WORKPOOL_CLASSES];           /* and how long the queue may be for it */
	struct lock lock;
	struct cond herd;
	struct queue queues[WORKPOOL_CLASSES];
	struct group *buckets[GROUP_BUCKETS], *free_groups;
	struct worker *idle, *dead;
	struct worker *spare;           /* joined, for the next thread */
	unsigned threads, nidle, running;
	unsigned alive;                 /* threads that have not come to dead yet; those that decided to end count here only */
	unsigned queued;                /* in queues and waiting lists */
	uint64_t jobs;
	bool started, stopping, herding;
	pthread_t herder;
};

static void
queue_add(struct queue *q, struct workpool_job *j)
{
	j->next = NULL;
	if (q->last)
		q->last->next = j;
	else
		q->first = j;
	q->last = j;
}

static struct workpool_job *
queue_take(struct queue *q)
{
	struct workpool_job *j = q->first;

	if (j) {
		q->first = j->next;
		if (q->first == NULL)
			q->last = NULL;
	}
	return j;
}

/* --- groups --- */

static struct group **
group_at(struct workpool *p, uint64_t id)
{
	struct group **g = &p->buckets[hash_u64(id) & (GROUP_BUCKETS - 1)];

	while (*g && (*g)->id != id)
		g = &(*g)->next;
	return g;
}

static bool
group_full(struct workpool *p, uint64_t id)
{
	struct group *g = id ? *group_at(p, id) : NULL;

	return g && g->running >= p->o.group_max;
}

static void
group_enter(struct workpool *p, uint64_t id)
{
	struct group **at, *g;

	if (id == 0)
		return;
	at = group_at(p, id);
	g = *at;
	if (g == NULL) {
		g = p->free_groups;
		if (g)
			p->free_groups = g->next;
		else
			g = mem_alloc(sizeof(*g));
		*g = (struct group){ .id = id };
		*at = g;
	}
	g->running++;
}

static void
group_leave(struct workpool *p, uint64_t id)
{
	struct group **at, *g;
	struct workpool_job *j;

	if (id == 0)
		return;
	at = group_at(p, id);
	g = *at;
	g->running--;
	j = queue_take(&g->waiting);
	if (j) {
		queue_add(&p->queues[j->class], j);
	} else if (g->running == 0) {
		*at = g->next;
		g->next = p->free_groups;
		p->free_groups = g;
	}
}

/* --- queue --- */

static bool
may_start(const struct workpool *p, enum workpool_class class)
{
	return p->o.max - p->running > p->reserve[class];
}

/* next_job takes the job that is to run now, if any, and counts it as running. */
static struct workpool_job *
next_job(struct workpool *p)
{
	for (int class = 0; class < WORKPOOL_CLASSES; class++) {
		struct queue *q = &p->queues[class];
		struct workpool_job *j;

		if (q->first == NULL || !may_start(p, (enum workpool_class)class))
			continue;
		while ((j = queue_take(q)) != NULL) {
			/* Its group may have filled up while it was queued. */
			if (!group_full(p, j->group)) {
				group_enter(p, j->group);
				p->running++;
				p->jobs++;
				p->queued--;
				return j;
			}
			queue_add(&(*group_at(p, j->group))->waiting, j);
		}
	}
	return NULL;
}

/* The job at the head of any queue that could start if there were a thread. */
static const struct workpool_job *
stuck_job(const struct workpool *p)
{
	for (int class = 0; class < WORKPOOL_CLASSES; class++)
		if (p->queues[class].first && may_start(p, (enum workpool_class)class))
			return p->queues[class].first;
	return NULL;
}

static void
submit(struct workpool *p, struct workpool_job *j)
{
	struct worker *w = NULL;
	bool herd = false;

	j->queued_us = time_mono_us();
	queue_add(group_full(p, j->group) ? &(*group_at(p, j->group))->waiting : &p->queues[j->class], j);
	p->queued++;
	if (p->idle) {
		struct workpool_job *next = next_job(p);

		if (next) {
			w = p->idle;
			p->idle = w->next;
			p->nidle--;
			w->job = next;
		}
	} else if (!p->herding && p->threads < p->o.max) {
		herd = p->herding = true;
	}
	lock_drop(&p->lock);
	if (w)
		cond_signal(&w->wake);
	if (herd)
		cond_signal(&p->herd);
}

int
workpool_submit(struct workpool *p, struct workpool_job *j)
{
	lock_take(&p->lock);
	if (p->stopping || p->queued >= p->queue_max[j->class]) {
		int r = p->stopping ? ERR_CANCELED : ERR_LIMIT;

		lock_drop(&p->lock);
		return r;
	}
	submit(p, j);
	return 0;
}

void
workpool_submit_always(struct workpool *p, struct workpool_job *j)
{
	lock_take(&p->lock);
	submit(p, j);
}

/* --- threads --- */

/* rest gives back what a worker does not need while it waits. Drops the lock meanwhile. */
static void
rest(struct workpool *p, void *thread)
{
	lock_drop(&p->lock);
	if (p->o.thread_rest)
		p->o.thread_rest(thread);
	thread_trim_stack();
	lock_take(&p->lock);
}

/* wait_for_job parks the worker; false when it should end, and is not counted in threads any more. */
static bool
wait_for_job(struct workpool *p, struct worker *w, void *thread)
{
	int64_t now = time_mono_us(), until = now + p->o.idle_us;
	bool rested = false;

	if (p->stopping) {
		p->threads--;
		return false;
	}
	w->next = p->idle;
	p->idle = w;
	p->nidle++;
	while (w->job == NULL && !p->stopping) {
		bool in_time = cond_wait(&w->wake, &p->lock, !rested ? now + p->o.rest_us : p->threads > p->o.min ? until : 0);

		if (in_time || w->job)
			continue;
		if (!rested) {          /* still in the list of idle ones: a job that comes now waits some microseconds */
			rested = true;
			rest(p, thread);
		} else if (p->threads > p->o.min) {
			break;
		}
	}
	if (w->job)
		return true;
	for (struct worker **at = &p->idle; *at; at = &(*at)->next) {
		if (*at == w) {
			*at = w->next;
			p->nidle--;
			break;
		}
	}
	p->threads--;
	return false;
}

static void
run_job(struct workpool *p, struct workpool_job *j, void *thread)
{
	uint64_t group = j->group;

	lock_drop(&p->lock);
	j->run(j, thread);
	lock_none_held();
	lock_take(&p->lock);
	p->running--;
	group_leave(p, group);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct workpool *p = w->p;
	void *thread = p->o.thread_new ? p->o.thread_new(p->o.arg) : NULL;

	lock_take(&p->lock);
	for (;;) {
		struct workpool_job *j = w->job ? take(w->job) : next_job(p);

		if (j)
			run_job(p, j, thread);
		else if (!wait_for_job(p, w, thread))
			break;
	}
	lock_drop(&p->lock);
	if (p->o.thread_free)
		p->o.thread_free(thread);
	lock_take(&p->lock);
	p->alive--;
	w->next = p->dead;
	p->dead = w;
	cond_signal(&p->herd);  /* to join it */
	lock_drop(&p->lock);
	return NULL;
}

/* add_thread: called with the lock; a failure (limit of the system) leaves the load to the threads that are there. */
static void
add_thread(struct workpool *p)
{
	struct worker *w = p->spare;
	char name[16];

	if (w) {
		p->spare = w->next;
	} else {
		w = mem_alloc(sizeof(*w));
		w->p = p;
		cond_init(&w->wake);
	}
	snprintf(name, sizeof(name), "mox-%s", p->o.name);
	p->threads++;
	p->alive++;
	if (thread_start(&w->thread, name, STACK_SIZE, worker_main, w) < 0) {
		p->threads--;
		p->alive--;
		w->next = p->spare;
		p->spare = w;
	}
}

static void
join_dead(struct workpool *p)
{
	while (p->dead) {
		struct worker *w = p->dead;

		p->dead = w->next;
		lock_drop(&p->lock);
		pthread_join(w->thread, NULL);
		lock_take(&p->lock);
		w->next = p->spare;
		p->spare = w;
	}
}

static void *
herder_main(void *arg)
{
	struct workpool *p = arg;

	lock_take(&p->lock);
	for (;;) {
		const struct workpool_job *j;
		int64_t now;

		join_dead(p);
		if (p->stopping && p->alive == 0)
			break;
		j = stuck_job(p);
		p->herding = j && p->nidle == 0 && p->threads < p->o.max;
		if (!p->herding) {
			cond_wait(&p->herd, &p->lock, 0);
			continue;
		}
		now = time_mono_us();
		if (p->threads < p->o.min || now - j->queued_us >= p->o.grow_us)
			add_thread(p);
		cond_wait(&p->herd, &p->lock, now + p->o.grow_us);
	}
	lock_drop(&p->lock);
	return NULL;
}

struct workpool *
workpool_new(const struct workpool_opts *o)
{
	static const unsigned sixteenths[WORKPOOL_CLASSES] = { 0, 1, 4, 8 };
	struct workpool *p = mem_alloc(sizeof(*p));

	p->o = *o;
	p->o.name = o->name ? o->name : "work";
	p->o.max = o->max ? o->max : 512;
	p->o.min = MIN(o->min ? o->min : 8, p->o.max);
	p->o.queue_max = o->queue_max ? o->queue_max : 4096;
	p->o.group_max = o->group_max ? o->group_max : 8;
	p->o.grow_us = o->grow_us ? o->grow_us : 2 * TIME_MS;
	p->o.rest_us = o->rest_us ? o->rest_us : TIME_SEC / 4;
	p->o.idle_us = o->idle_us ? o->idle_us : 10 * TIME_SEC;
	for (int i = 0; i < WORKPOOL_CLASSES; i++) {
		p->reserve[i] = MIN((p->o.max * sixteenths[i] + 15) / 16, p->o.max - 1);
		p->queue_max[i] = p->o.queue_max - p->o.queue_max * sixteenths[i] / 16;
	}
	lock_init(&p->lock, LOCK_POOL, "work pool");
	cond_init(&p->herd);
	return p;
}

void
workpool_start(struct workpool *p)
{
	bug_if(p->started);
	p->started = true;
	lock_take(&p->lock);
	for (unsigned i = 0; i < p->o.min; i++)
		add_thread(p);
	lock_drop(&p->lock);
	if (thread_start(&p->herder, "mox-herder", 0, herder_main, p) < 0)
		bug("cannot create a thread");
}

void
workpool_stop(struct workpool *p)
{
	if (!p->started || p->stopping)
		return;
	lock_take(&p->lock);
	p->stopping = true;
	for (struct worker *w = p->idle; w; w = w->next)
		cond_signal(&w->wake);
	cond_signal(&p->herd);
	lock_drop(&p->lock);
	pthread_join(p->herder, NULL);
}

void
workpool_free(struct workpool **pp)
{
	struct workpool *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	workpool_stop(p);
	for (int i = 0; i < GROUP_BUCKETS; i++)
		bug_if(p->buckets[i] != NULL);
	while (p->spare) {
		struct worker *w = p->spare;

		p->spare = w->next;
		cond_done(&w->wake);
		free(w);
	}
	while (p->free_groups) {
		struct group *g = p->free_groups;

		p->free_groups = g->next;
		free(g);
	}
	cond_done(&p->herd);
	lock_done(&p->lock);
	free(p);
}

void
workpool_stats(struct workpool *p, struct workpool_stats *r_stats)
{
	LOCKED(&p->lock);
	*r_stats = (struct workpool_stats){
		.threads = p->threads, .idle = p->nidle, .running = p->running,
		.queued = p->queued, .jobs = p->jobs,
	};
}
