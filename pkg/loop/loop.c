/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. The mailbox is a list of messages and a list of slots to wake, under one lock. Draining it takes both
 * lists at once. A slot is woken if its generation is the one that was named, both when that is asked and when it is done, so
 * an id that outlived its object reaches nobody. Generations of used slots are odd, so that no id at all matches a free one.
 * Slots are in chunks that never move, found through a table of fixed size, so that other threads can address them while the
 * table grows.
 */
#include "loop/loop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/timeutil.h"

#define CHUNK 256                       /* slots */
#define CHUNKS 4096                     /* a million connections per loop */

struct slot {
	void *object;                   /* loop thread only; NULL = free */
	/* under the mailbox lock, as the rest; odd while the slot is used. Changed on the loop thread only. */
	uint32_t gen;
	bool waking;                    /* in the wake list */
	uint32_t next;                  /* in the wake list, or of free slots (loop thread only); index + 1, 0 = end */
};

struct loop {
	struct loop_opts o;
	struct event_base *base;
	int fd;                         /* eventfd, interrupts the waiting */
	struct event ev;
	struct lock lock;
	struct loop_msg *first, *last;
	uint32_t wake;                  /* first slot to wake, index + 1 */
	bool signalled;                 /* fd was written and not read yet */
	bool stopping, running;
	struct slot *chunks[CHUNKS];    /* entries are set once, under the lock */
	uint32_t nslots, free;
	pthread_t thread;
};

static _Thread_local struct loop *here;         /* the loop whose thread this is */

static struct slot *
slot_at(struct loop *l, uint32_t index)
{
	return &l->chunks[index / CHUNK][index % CHUNK];
}

/* --- mailbox --- */

/* Interrupts the loop, if nobody did yet. Called with the lock; tells whether the descriptor must be written after it was
 * dropped. */
static bool
must_signal(struct loop *l)
{
	bool first = !l->signalled;

	l->signalled = true;
	return first;
}

static void
send_signal(struct loop *l)
{
	uint64_t one = 1;

	if (write(l->fd, &one, sizeof(one)) != sizeof(one))
		bug("eventfd");
}

void
loop_post(struct loop *l, struct loop_msg *m)
{
	bool sig;

	m->next = NULL;
	lock_take(&l->lock);
	if (l->last)
		l->last->next = m;
	else
		l->first = m;
	l->last = m;
	sig = must_signal(l);
	lock_drop(&l->lock);
	if (sig)
		send_signal(l);
}

void
loop_wake(struct loop *l, struct loop_slot s)
{
	struct slot *slot;
	bool sig = false;

	lock_take(&l->lock);
	if ((s.gen & 1) && s.index < CHUNK * CHUNKS && l->chunks[s.index / CHUNK] != NULL) {
		slot = slot_at(l, s.index);
		if (slot->gen == s.gen && !slot->waking) {
			slot->waking = true;
			slot->next = l->wake;
			l->wake = s.index + 1;
			sig = must_signal(l);
		}
	}
	lock_drop(&l->lock);
	if (sig)
		send_signal(l);
}

/* Wakes the slots of the list one by one: what a woken object does may free others, whose entries are then skipped. */
static void
wake_slots(struct loop *l, uint32_t wake)
{
	while (wake != 0) {
		uint32_t index = wake - 1;
		struct slot *slot = slot_at(l, index);
		void *object = slot->object;

		lock_take(&l->lock);
		wake = slot->next;
		slot->waking = false;
		if (object == NULL) {
			/* Freed while it was in the list: only now can it be given out again. */
			slot->next = l->free;
			l->free = index + 1;
		}
		lock_drop(&l->lock);
		if (object)
			l->o.woken(object);
	}
}

static void
on_mail(evutil_socket_t fd, short what unused_, void *arg)
{
	struct loop *l = arg;
	struct loop_msg *m, *next;
	uint64_t count;
	uint32_t wake;
	bool stop;

	ignore_result(read(fd, &count, sizeof(count)) < 0);
	lock_take(&l->lock);
	m = l->first;
	l->first = l->last = NULL;
	wake = l->wake;
	l->wake = 0;
	l->signalled = false;
	stop = l->stopping;
	lock_drop(&l->lock);
	for (; m; m = next) {
		next = m->next;
		m->fn(m);
	}
	wake_slots(l, wake);
	if (stop)
		event_base_loopbreak(l->base);
}

/* --- slots --- */

struct loop_slot
loop_slot_new(struct loop *l, void *object)
{
	struct slot *slot;
	uint32_t index;

	LOCKED(&l->lock);
	if (l->free) {
		index = l->free - 1;
		slot = slot_at(l, index);
		l->free = slot->next;
	} else {
		index = l->nslots++;
		bug_if(index >= CHUNK * CHUNKS);
		if (index % CHUNK == 0)
			l->chunks[index / CHUNK] = mem_allocn(CHUNK, sizeof(struct slot));
		slot = slot_at(l, index);
	}
	slot->gen++;
	slot->object = object;
	return (struct loop_slot){ index, slot->gen };
}

void
loop_slot_free(struct loop *l, struct loop_slot s)
{
	struct slot *slot = slot_at(l, s.index);

	LOCKED(&l->lock);
	bug_if(slot->gen != s.gen || slot->object == NULL);
	slot->object = NULL;
	slot->gen++;
	if (slot->waking)
		return;         /* wake_slots frees it */
	slot->next = l->free;
	l->free = s.index + 1;
}

void
loop_each(struct loop *l, void (*fn)(void *object, void *arg), void *arg)
{
	for (uint32_t i = 0; i < l->nslots; i++) {
		void *object = slot_at(l, i)->object;

		if (object)
			fn(object, arg);
	}
}

/* --- calls --- */

struct call {
	struct loop_msg m;
	void (*fn)(void *arg);
	void *arg;
	struct lock lock;
	struct cond done;
	bool ready;
};

static void
on_call(struct loop_msg *m)
{
	struct call *c = container_of(m, struct call, m);

	c->fn(c->arg);
	LOCKED(&c->lock);
	c->ready = true;
	cond_signal(&c->done);
}

void
loop_call(struct loop *l, void (*fn)(void *arg), void *arg)
{
	struct call c = { .m.fn = on_call, .fn = fn, .arg = arg };

	if (!l->running || loop_is_here(l)) {
		fn(arg);
		return;
	}
	lock_init(&c.lock, LOCK_MAILBOX, "loop call");
	cond_init(&c.done);
	loop_post(l, &c.m);
	lock_take(&c.lock);
	while (!c.ready)
		cond_wait(&c.done, &c.lock, 0);
	lock_drop(&c.lock);
	cond_done(&c.done);
	lock_done(&c.lock);
}

/* --- life --- */

struct loop *
loop_new(const struct loop_opts *o)
{
	struct loop *l = mem_alloc(sizeof(*l));
	struct event_config *cfg = event_config_new();

	l->o = *o;
	lock_init(&l->lock, LOCK_MAILBOX, "loop mailbox");
	bug_if(cfg == NULL);
	/* One thread, so no locks. Not EPOLL_USE_CHANGELIST: it puts off system calls beyond the close of the descriptor, whose
	 * number may be another thread's by then. */
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	l->base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	l->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->base == NULL || l->fd < 0)
		bug("no event base or eventfd: out of descriptors");
	event_assign(&l->ev, l->base, l->fd, EV_READ | EV_PERSIST, on_mail, l);
	event_add(&l->ev, NULL);
	return l;
}

static void *
loop_main(void *arg)
{
	struct loop *l = arg;

	here = l;
	if (event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
		bug("event loop");
	return NULL;
}

void
loop_start(struct loop *l)
{
	char name[16];

	bug_if(l->running);
	l->running = true;
	snprintf(name, sizeof(name), "mox-loop%u", l->o.index);
	if (thread_start(&l->thread, name, 0, loop_main, l) < 0)
		bug("cannot create a thread");
}

void
loop_stop(struct loop *l)
{
	bool sig;

	if (!l->running)
		return;
	lock_take(&l->lock);
	l->stopping = true;
	sig = must_signal(l);
	lock_drop(&l->lock);
	if (sig)
		send_signal(l);
	pthread_join(l->thread, NULL);
	l->running = false;
}

void
loop_free(struct loop **pl)
{
	struct loop *l = *pl;

	*pl = NULL;
	if (l == NULL)
		return;
	bug_if(l->running);
	for (uint32_t i = 0; i < l->nslots; i++)
		bug_if(slot_at(l, i)->object != NULL);
	event_del(&l->ev);
	event_base_free(l->base);
	close(l->fd);
	for (size_t i = 0; i < CHUNKS && l->chunks[i]; i++)
		free(l->chunks[i]);
	lock_done(&l->lock);
	free(l);
}

struct event_base *
loop_base(struct loop *l)
{
	return l->base;
}

bool
loop_is_here(const struct loop *l)
{
	return here == l;
}

/* --- timers --- */

static void
on_timer(evutil_socket_t fd unused_, short what unused_, void *arg)
{
	struct loop_timer *t = arg;

	t->armed_us = 0;
	t->fn(t->arg);
}

void
loop_timer_init(struct loop_timer *t, struct loop *l, void (*fn)(void *arg), void *arg)
{
	*t = (struct loop_timer){ .fn = fn, .arg = arg };
	event_assign(&t->ev, l->base, -1, 0, on_timer, t);
}

void
loop_timer_by(struct loop_timer *t, int64_t at_us)
{
	int64_t left;
	struct timeval tv;

	if (t->armed_us != 0 && t->armed_us <= at_us)
		return;
	left = MAX(at_us - time_mono_us(), INT64_C(0));
	tv = (struct timeval){ .tv_sec = left / TIME_SEC, .tv_usec = left % TIME_SEC };
	event_add(&t->ev, &tv);
	t->armed_us = at_us;
}

void
loop_timer_done(struct loop_timer *t)
{
	if (t->armed_us != 0)
		event_del(&t->ev);
	t->armed_us = 0;
}
