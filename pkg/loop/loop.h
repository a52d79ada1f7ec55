/* SPDX-License-Identifier: MIT */
/*
 * loop - a thread that waits for many things at once: descriptors and timers by libevent, messages from other threads, wake-ups.
 *
 * Everything about a loop's events happens on its thread; there is no locking inside libevent. Other threads may do two
 * things: post a message, which is part of the object that it is about (nothing is allocated) and hands that object over; and
 * wake a slot, which names an object by number and generation and is harmless when the object is gone. The descriptor that
 * interrupts the loop's waiting is written only when nothing was pending yet.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/macros.h"

struct loop;

struct loop_opts {
	unsigned index;                 /* for the thread's name */
	/* woken is called on the loop for an object of loop_slot_new after loop_wake; once for any number of wake-ups since
	 * the last call. */
	void (*woken)(void *object);
};
struct loop *loop_new(const struct loop_opts *o);
void loop_start(struct loop *l);
/* loop_stop ends the thread after the messages that are posted by then. */
void loop_stop(struct loop *l);
void loop_free(struct loop **l);                        /* not while it runs; slots must be free */
struct event_base *loop_base(struct loop *l);
bool loop_is_here(const struct loop *l);                /* the caller runs on its thread */

/* --- messages: from any thread --- */

/* A message. fn runs on the loop; the message may be reused or freed by then. */
struct loop_msg {
	void (*fn)(struct loop_msg *m);
	struct loop_msg *next;          /* private */
};
void loop_post(struct loop *l, struct loop_msg *m);
/* loop_call runs fn on the loop and waits for its end; before loop_start and on the loop itself it is a plain call. */
void loop_call(struct loop *l, void (*fn)(void *arg), void *arg);

/* --- slots --- */

/* Zeroed = none. gen differs for each object that had the slot (until it wraps, after two thousand million of them). */
struct loop_slot {
	uint32_t index, gen;
};
struct loop_slot loop_slot_new(struct loop *l, void *object);   /* on the loop */
void loop_slot_free(struct loop *l, struct loop_slot s);        /* on the loop */
void loop_wake(struct loop *l, struct loop_slot s);             /* any thread; takes the mailbox lock */
/* loop_each calls fn for every object; fn may free its own slot. On the loop. */
void loop_each(struct loop *l, void (*fn)(void *object, void *arg), void *arg);

/* --- timers: on the loop --- */

/*
 * A timer that is cheap to move. Its function comes at the latest when the time set last has passed, and may come earlier: it
 * looks what is due and sets the next time. Moving a timer to a later time costs nothing, so a deadline that is renewed for
 * each command hardly ever touches the heap.
 */
struct loop_timer {
	struct event ev;
	_Atomic int64_t armed_us;       /* when it will come; 0 = not. Other threads may look. */
	void (*fn)(void *arg);
	void *arg;
};
void loop_timer_init(struct loop_timer *t, struct loop *l, void (*fn)(void *arg), void *arg);
void loop_timer_by(struct loop_timer *t, int64_t at_us);       /* monotonic */
void loop_timer_done(struct loop_timer *t);

#endif
