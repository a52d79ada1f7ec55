/* SPDX-License-Identifier: MIT */
/*
 * workpool - threads that run jobs which may block.
 *
 * The number of threads follows the load between min and max: one is added when the job at the head of the queue has waited
 * for 2 ms and nobody is idle; one that was idle for a quarter of a second gives memory back, and after 10 s it ends. The
 * thread that became idle last is woken first, so that surplus ones notice.
 *
 * Classes, highest first. A job starts only while more threads than its class's reserve are free (of max), so lower classes
 * cannot keep higher ones waiting; of the queue's room a class leaves the same share. Jobs of one group (an account) run at
 * most group_max at a time; further ones wait aside without holding up others.
 *
 * Jobs are part of what they belong to; queueing allocates nothing.
 */
#ifndef WORKPOOL_WORKPOOL_H
#define WORKPOOL_WORKPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

enum workpool_class {
	WORKPOOL_CONTROL,               /* no reserve against it */
	WORKPOOL_AUTHENTICATED,         /* leaves a sixteenth of max */
	WORKPOOL_UNAUTHENTICATED,       /* leaves a quarter */
	WORKPOOL_BACKGROUND,            /* leaves half */
	WORKPOOL_CLASSES
};

struct workpool_job {
	/* run is called on a thread of the pool; thread is what thread_new made for it. The job is not touched after run
	 * began, so run may submit it again or free it. */
	void (*run)(struct workpool_job *j, void *thread);
	enum workpool_class class;
	uint64_t group;                 /* 0 = none */
	/* private: */
	struct workpool_job *next;
	int64_t queued_us;
};

struct workpool_opts {
	const char *name;               /* of the threads, at most 10 characters; NULL: "work" */
	unsigned min, max;              /* threads; 0: 8 and 512 */
	unsigned queue_max;             /* jobs waiting; 0: 4096 */
	unsigned group_max;             /* 0: 8 */
	int64_t grow_us, rest_us, idle_us;      /* 0: 2 ms, 250 ms and 10 s */
	void *(*thread_new)(void *arg); /* called on each new thread; NULL: none */
	void (*thread_free)(void *thread);
	void (*thread_rest)(void *thread);      /* called after rest_us without work: gives back memory; NULL: none */
	void *arg;
};

struct workpool;

struct workpool *workpool_new(const struct workpool_opts *o);
void workpool_start(struct workpool *p);                /* starts min threads; jobs may be queued before */
/* workpool_submit: 0; ERR_LIMIT when as many jobs wait as may for this class; ERR_CANCELED after workpool_stop began. */
int workpool_submit(struct workpool *p, struct workpool_job *j) must_use_;
/* workpool_submit_always queues without a limit: for what must run, and is bounded otherwise (ends of connections). Also
 * while stopping. */
void workpool_submit_always(struct workpool *p, struct workpool_job *j);
/* workpool_stop runs what is queued, then ends the threads. */
void workpool_stop(struct workpool *p);
void workpool_free(struct workpool **p);

struct workpool_stats {
	unsigned threads, idle, running, queued;
	uint64_t jobs;                  /* started so far */
};
void workpool_stats(struct workpool *p, struct workpool_stats *r_stats);

#endif
