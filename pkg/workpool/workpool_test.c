/* SPDX-License-Identifier: MIT */
#include "workpool/workpool.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/randutil.h"
#include "base/timeutil.h"
#include "testutil/testutil.h"

/* Jobs report to a board, and wait there until they are let go. */
struct board {
	struct lock lock;
	struct cond changed;
	unsigned running, done, high;           /* high: most at a time */
	unsigned open;                          /* so many may finish */
	char order[64];                         /* names in the order of starting */
	unsigned norder;
	unsigned gone;                          /* threads that ended */
	unsigned rests;
};

struct job {
	struct workpool_job j;
	struct board *b;
	char name;
};

static void
board_init(struct board *b, unsigned open)
{
	*b = (struct board){ .open = open };
	lock_init(&b->lock, LOCK_QUEUE, "board");
	cond_init(&b->changed);
}

static void
board_done(struct board *b)
{
	cond_done(&b->changed);
	lock_done(&b->lock);
}

static void
run(struct workpool_job *j, void *thread unused_)
{
	struct job *job = container_of(j, struct job, j);
	struct board *b = job->b;

	LOCKED(&b->lock);
	if (b->norder < sizeof(b->order))
		b->order[b->norder++] = job->name;
	b->running++;
	b->high = MAX(b->high, b->running);
	cond_broadcast(&b->changed);
	while (b->open == 0)
		cond_wait(&b->changed, &b->lock, 0);
	b->open--;
	b->running--;
	b->done++;
	cond_broadcast(&b->changed);
}

#define UNTIL(b, cond) do { \
		int64_t until_ = time_mono_us() + 60 * TIME_SEC; \
		lock_take(&(b)->lock); \
		while (!(cond) && cond_wait(&(b)->changed, &(b)->lock, until_)) ; \
		assert_true(cond); \
		lock_drop(&(b)->lock); \
	} while (0)

static void
let_go(struct board *b, unsigned n)
{
	LOCKED(&b->lock);
	b->open += n;
	cond_broadcast(&b->changed);
}

TEST(workpool_runs_all)
{
	enum { N = 2000 };
	struct board b;
	struct job *jobs = mem_allocn(N, sizeof(*jobs));
	struct workpool *p = workpool_new(&(struct workpool_opts){ .min = 2, .max = 6 });
	struct workpool_stats st;

	board_init(&b, N);
	workpool_start(p);
	for (unsigned i = 0; i < N; i++) {
		jobs[i] = (struct job){ .j = { .run = run, .class = i % WORKPOOL_CLASSES, .group = i % 7 }, .b = &b };
		assert_ok(workpool_submit(p, &jobs[i].j));
	}
	UNTIL(&b, b.done == N);
	workpool_stats(p, &st);
	assert_int_equal(st.jobs, N);
	assert_int_equal(st.queued, 0);
	assert_in_range(st.threads, 2, 6);
	workpool_free(&p);
	board_done(&b);
	free(jobs);
}

TEST(workpool_stop_runs_what_is_queued)
{
	struct board b;
	struct job jobs[50];
	struct workpool *p = workpool_new(&(struct workpool_opts){ .min = 2, .max = 2 });

	board_init(&b, 50);
	for (unsigned i = 0; i < 50; i++) {
		jobs[i] = (struct job){ .j = { .run = run, .class = i % WORKPOOL_CLASSES, .group = 1 }, .b = &b };
		assert_ok(workpool_submit(p, &jobs[i].j));
	}
	workpool_start(p);
	workpool_stop(p);
	assert_int_equal(b.done, 50);
	assert_err(workpool_submit(p, &jobs[0].j), ERR_CANCELED);
	workpool_free(&p);
	board_done(&b);
}

TEST(workpool_queue_is_bounded)
{
	struct board b;
	struct job jobs[8];
	struct workpool *p = workpool_new(&(struct workpool_opts){ .min = 1, .max = 1, .queue_max = 3 });

	board_init(&b, 0);
	workpool_start(p);
	for (unsigned i = 0; i < 8; i++)
		jobs[i] = (struct job){ .j = { .run = run }, .b = &b };
	assert_ok(workpool_submit(p, &jobs[0].j));
	UNTIL(&b, b.running == 1);
	for (unsigned i = 1; i <= 3; i++)
		assert_ok(workpool_submit(p, &jobs[i].j));
	assert_err(workpool_submit(p, &jobs[4].j), ERR_LIMIT);
	workpool_submit_always(p, &jobs[5].j);
	let_go(&b, 5);
	UNTIL(&b, b.done == 5);
	workpool_free(&p);
	board_done(&b);
}

TEST(workpool_queue_keeps_room_for_higher_classes)
{
	static const unsigned room[WORKPOOL_CLASSES] = { 16, 15, 12, 8 };
	struct board b;
	struct job jobs[17];
	struct workpool *p = workpool_new(&(struct workpool_opts){ .min = 1, .max = 1, .queue_max = 16 });
	unsigned n = 0;

	board_init(&b, 16);
	for (int class = WORKPOOL_BACKGROUND; class >= WORKPOOL_CONTROL; class--) {
		test_row("class %d", class);
		for (;; n++) {
			jobs[n] = (struct job){ .j = { .run = run, .class = (enum workpool_class)class }, .b = &b };
			if (workpool_submit(p, &jobs[n].j) < 0)
				break;
		}
		assert_int_equal(n, room[class]);
	}
	workpool_start(p);
	UNTIL(&b, b.done == 16);
	workpool_free(&p);
	board_done(&b);
}

/* Higher classes first; a class may not take the reserve of those above it. */
TEST(workpool_classes)
{
	static const struct {
		enum workpool_class class;
		unsigned may_run;
	} rows[] = {
		{ WORKPOOL_CONTROL, 16 },
		{ WORKPOOL_AUTHENTICATED, 15 },
		{ WORKPOOL_UNAUTHENTICATED, 12 },
		{ WORKPOOL_BACKGROUND, 8 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct board b;
		struct job jobs[20];
		struct job control;
		struct workpool *p = workpool_new(&(struct workpool_opts){ .min = 16, .max = 16 });

		test_row("class %d", (int)rows[i].class);
		board_init(&b, 0);
		workpool_start(p);
		for (unsigned k = 0; k < 20; k++) {
			jobs[k] = (struct job){ .j = { .run = run, .class = rows[i].class }, .b = &b };
			assert_ok(workpool_submit(p, &jobs[k].j));
		}
		UNTIL(&b, b.running == rows[i].may_run);
		if (rows[i].may_run < 16) {
			control = (struct job){ .j = { .run = run, .class = WORKPOOL_CONTROL }, .b = &b };
			assert_ok(workpool_submit(p, &control.j));
			UNTIL(&b, b.running == rows[i].may_run + 1);
		}
		let_go(&b, 21);
		UNTIL(&b, b.done >= 20);
		workpool_free(&p);
		assert_int_equal(b.high, MIN(rows[i].may_run + 1, 16u));
		board_done(&b);
	}
}

TEST(workpool_order)
{
	struct board b;
	struct job jobs[7];
	static const char names[] = "xBUACba";
	static const enum workpool_class class[] = {
		WORKPOOL_CONTROL, WORKPOOL_BACKGROUND, WORKPOOL_UNAUTHENTICATED, WORKPOOL_AUTHENTICATED,
		WORKPOOL_CONTROL, WORKPOOL_BACKGROUND, WORKPOOL_AUTHENTICATED,
	};
	struct workpool *p = workpool_new(&(struct workpool_opts){ .min = 1, .max = 1 });

	board_init(&b, 0);
	workpool_start(p);
	for (unsigned i = 0; i < 7; i++) {
		jobs[i] = (struct job){ .j = { .run = run, .class = class[i] }, .b = &b, .name = names[i] };
		assert_ok(workpool_submit(p, &jobs[i].j));
		if (i == 0)
			UNTIL(&b, b.running == 1);
	}
	let_go(&b, 7);
	UNTIL(&b, b.done == 7);
	workpool_free(&p);
	assert_str(str_n(b.order, b.norder), S("xCAaUBb"));
	board_done(&b);
}

/* A group at its cap waits aside and holds up nobody else. */
TEST(workpool_groups)
{
	struct board b, other;
	struct job jobs[10], alone;
	struct workpool *p = workpool_new(&(struct workpool_opts){ .min = 8, .max = 8, .group_max = 3 });

	board_init(&b, 0);
	board_init(&other, 1);
	workpool_start(p);
	for (unsigned i = 0; i < 10; i++) {
		jobs[i] = (struct job){ .j = { .run = run, .group = 42 }, .b = &b };
		assert_ok(workpool_submit(p, &jobs[i].j));
	}
	UNTIL(&b, b.running == 3);
	alone = (struct job){ .j = { .run = run, .group = 43 }, .b = &other };
	assert_ok(workpool_submit(p, &alone.j));
	UNTIL(&other, other.done == 1);
	let_go(&b, 10);
	UNTIL(&b, b.done == 10);
	assert_int_equal(b.high, 3);
	workpool_free(&p);
	board_done(&b);
	board_done(&other);
}

static void
thread_gone(void *thread)
{
	struct board *b = thread;

	LOCKED(&b->lock);
	b->gone++;
	cond_broadcast(&b->changed);
}

static void *
thread_is_board(void *arg)
{
	return arg;
}

/* Threads come when jobs wait, up to max, and go when idle, down to min. */
TEST(workpool_grows_and_shrinks)
{
	struct board b;
	struct job jobs[12];
	struct workpool *p = workpool_new(&(struct workpool_opts){ .min = 2, .max = 10, .grow_us = 100, .idle_us = 1000,
	    .thread_new = thread_is_board, .thread_free = thread_gone, .arg = &b });
	struct workpool_stats st;

	board_init(&b, 0);
	workpool_start(p);
	for (unsigned i = 0; i < 12; i++) {
		jobs[i] = (struct job){ .j = { .run = run }, .b = &b };
		assert_ok(workpool_submit(p, &jobs[i].j));
	}
	UNTIL(&b, b.running == 10);
	let_go(&b, 12);
	UNTIL(&b, b.done == 12);
	UNTIL(&b, b.gone == 8);
	workpool_stats(p, &st);
	assert_int_equal(st.threads, 2);
	workpool_free(&p);
	board_done(&b);
}

/* --- stress: jobs of all classes and groups that submit themselves again, from several threads --- */

struct spin {
	struct workpool_job j;
	struct workpool *p;
	int left;
	struct board *b;
};

static void
spin_run(struct workpool_job *j, void *thread)
{
	struct spin *s = container_of(j, struct spin, j);

	assert_ptr_equal(thread, s->p);
	if (--s->left == 0) {
		LOCKED(&s->b->lock);
		s->b->done++;
		cond_broadcast(&s->b->changed);
		return;
	}
	s->j.class = (enum workpool_class)rand_below(WORKPOOL_CLASSES);
	s->j.group = rand_below(4);
	workpool_submit_always(s->p, &s->j);
}

static void
thread_rests(void *thread)
{
	struct board *b = thread;

	LOCKED(&b->lock);
	b->rests++;
	cond_broadcast(&b->changed);
}

/* Threads that find nothing to do rest once, and work as before when something comes. */
TEST(workpool_threads_rest)
{
	struct board b;
	struct job jobs[2] = { { .j = { .run = run }, .b = &b }, { .j = { .run = run }, .b = &b } };
	struct workpool *p = workpool_new(&(struct workpool_opts){ .min = 2, .max = 2, .rest_us = 1000,
	    .thread_new = thread_is_board, .thread_free = thread_gone, .thread_rest = thread_rests, .arg = &b });

	board_init(&b, 2);
	workpool_start(p);
	UNTIL(&b, b.rests == 2);
	assert_ok(workpool_submit(p, &jobs[0].j));
	UNTIL(&b, b.done == 1 && b.rests == 3);
	assert_ok(workpool_submit(p, &jobs[1].j));
	UNTIL(&b, b.done == 2);
	workpool_free(&p);
	assert_in_range(b.rests, 3, 4);
	board_done(&b);
}

static void *
thread_new(void *arg)
{
	return *(struct workpool **)arg;
}

TEST(workpool_stress)
{
	enum { N = 40, ROUNDS = 500 };
	struct spin *spins = mem_allocn(N, sizeof(*spins));
	struct workpool *p;
	struct board b;

	board_init(&b, 0);
	p = workpool_new(&(struct workpool_opts){ .min = 2, .max = 12, .group_max = 2, .grow_us = 50, .idle_us = 200,
	    .thread_new = thread_new, .arg = &p });
	workpool_start(p);
	for (unsigned i = 0; i < N; i++) {
		spins[i].j.run = spin_run;
		spins[i].p = p;
		spins[i].b = &b;
		spins[i].left = ROUNDS;
		workpool_submit_always(p, &spins[i].j);
	}
	UNTIL(&b, b.done == N);
	workpool_free(&p);
	board_done(&b);
	free(spins);
}
