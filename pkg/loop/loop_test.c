/* SPDX-License-Identifier: MIT */
#include "loop/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/lock.h"
#include "base/timeutil.h"
#include "testutil/testutil.h"

static struct lock lock;
static struct cond changed;

__attribute__((constructor)) static void
init(void)
{
	lock_init(&lock, LOCK_MAILBOX, "test");
	cond_init(&changed);
}

struct counter {
	struct loop_msg m;
	struct loop *l;
	int got, woken;                 /* under lock */
	struct loop_slot slot;
};

static void
count(int *n)
{
	LOCKED(&lock);
	++*n;
	cond_broadcast(&changed);
}

static void
on_msg(struct loop_msg *m)
{
	struct counter *c = container_of(m, struct counter, m);

	assert_true(loop_is_here(c->l));
	count(&c->got);
}

static void
on_woken(void *object)
{
	struct counter *c = object;

	count(&c->woken);
}

/* Waits until the number was reached. */
static void
until(const int *n, int want)
{
	int64_t end = time_mono_us() + 20 * TIME_SEC;

	LOCKED(&lock);
	while (*n < want && cond_wait(&changed, &lock, end))
		;
	assert_in_range(*n, want, INT32_MAX);
}

TEST(loop_messages)
{
	struct loop *l = loop_new(&(struct loop_opts){ 0 });
	struct counter c[100];

	/* Also what was posted before the start, and right before the stop. */
	for (int i = 0; i < 100; i++)
		c[i] = (struct counter){ .m.fn = on_msg, .l = l };
	for (int i = 0; i < 50; i++)
		loop_post(l, &c[i].m);
	loop_start(l);
	until(&c[49].got, 1);
	for (int i = 50; i < 100; i++)
		loop_post(l, &c[i].m);
	loop_stop(l);
	for (int i = 0; i < 100; i++)
		assert_int_equal(c[i].got, 1);
	loop_free(&l);
}

static void
make_slot(void *arg)
{
	struct counter *c = arg;

	c->slot = loop_slot_new(c->l, c);
}

static void
drop_slot(void *arg)
{
	struct counter *c = arg;

	loop_slot_free(c->l, c->slot);
}

TEST(loop_wake_by_id)
{
	struct loop *l = loop_new(&(struct loop_opts){ .woken = on_woken });
	struct counter a = { .l = l }, b = { .l = l };
	struct loop_slot old;

	loop_start(l);
	loop_call(l, make_slot, &a);
	loop_wake(l, a.slot);
	until(&a.woken, 1);
	old = a.slot;
	loop_call(l, drop_slot, &a);
	loop_call(l, make_slot, &b);            /* takes the same slot, of another generation */
	assert_int_equal(b.slot.index, old.index);
	assert_int_not_equal(b.slot.gen, old.gen);
	loop_wake(l, old);
	loop_wake(l, (struct loop_slot){ 0 });
	loop_wake(l, (struct loop_slot){ UINT32_MAX, 1 });
	loop_wake(l, b.slot);
	until(&b.woken, 1);
	assert_int_equal(a.woken, 1);
	loop_call(l, drop_slot, &b);
	loop_stop(l);
	loop_free(&l);
}

/* Two objects are woken at once, and the first frees the second: it must not be reached, and its slot stays usable. */
struct pair {
	struct loop *l;
	struct loop_slot slot[2];
	int id[2];
	bool gone;
	int calls;
};
static struct pair pair;

static void
pair_woken(void *object)
{
	int me = *(int *)object;

	pair.calls++;
	if (!pair.gone)
		loop_slot_free(pair.l, pair.slot[!me]);
	pair.gone = true;
}

static void
pair_make(void *arg unused_)
{
	for (int i = 0; i < 2; i++) {
		pair.id[i] = i;
		pair.slot[i] = loop_slot_new(pair.l, &pair.id[i]);
	}
	loop_wake(pair.l, pair.slot[0]);
	loop_wake(pair.l, pair.slot[1]);
}

static void
pair_check(void *arg unused_)
{
	struct loop_slot s;

	assert_int_equal(pair.calls, 1);
	s = loop_slot_new(pair.l, &pair.calls);
	assert_in_range(s.index, 0, 1);
	loop_slot_free(pair.l, s);
	for (int i = 0; i < 2; i++)
		if (s.index != pair.slot[i].index)
			loop_slot_free(pair.l, pair.slot[i]);
}

static void
nothing(void *arg unused_)
{
}

TEST(loop_woken_frees_other)
{
	pair = (struct pair){ .l = loop_new(&(struct loop_opts){ .woken = pair_woken }) };
	loop_start(pair.l);
	loop_call(pair.l, pair_make, NULL);
	loop_call(pair.l, nothing, NULL);       /* wake-ups come behind the messages of their round */
	loop_call(pair.l, pair_check, NULL);
	loop_stop(pair.l);
	loop_free(&pair.l);
}

/* --- timers --- */

struct tick {
	struct loop_timer t;
	struct loop *l;
	int64_t at;
	int calls, late;
	bool done;
};

static void
on_tick(void *arg)
{
	struct tick *k = arg;

	k->calls++;
	if (time_mono_us() < k->at) {
		loop_timer_by(&k->t, k->at);
		return;
	}
	k->done = true;
	event_base_loopbreak(loop_base(k->l));
}

TEST(loop_timer_moves)
{
	struct tick k = { .l = loop_new(&(struct loop_opts){ 0 }) };
	int64_t start = time_mono_us();

	loop_timer_init(&k.t, k.l, on_tick, &k);
	k.at = start + 10 * TIME_MS;
	loop_timer_by(&k.t, k.at);
	for (int i = 0; i < 1000; i++) {
		k.at = start + (20 + i / 100) * TIME_MS;
		loop_timer_by(&k.t, k.at);
	}
	assert_int_equal(k.t.armed_us, start + 10 * TIME_MS);
	event_base_dispatch(loop_base(k.l));
	assert_true(k.done);
	assert_true(time_mono_us() >= k.at);
	assert_in_range(k.calls, 1, 30);        /* 1 when the machine slept over all of it */
	loop_timer_by(&k.t, time_mono_us() + TIME_MIN);
	loop_timer_by(&k.t, time_mono_us());    /* earlier: takes effect */
	k.at = 0;
	k.done = false;
	event_base_dispatch(loop_base(k.l));
	assert_true(k.done);
	loop_timer_by(&k.t, time_mono_us() + TIME_MIN);
	loop_timer_done(&k.t);
	loop_free(&k.l);
}

/* --- stress: objects come and go while others wake them --- */

struct life {
	struct loop *l;
	_Atomic uint64_t id;            /* index and gen packed */
	atomic_bool stop;
	atomic_int woken;
	struct counter c;
};

static void
life_step(void *arg)
{
	struct life *f = arg;
	uint64_t id = atomic_load(&f->id);

	if (id)
		loop_slot_free(f->l, (struct loop_slot){ (uint32_t)(id >> 32), (uint32_t)id });
	if (id && atomic_load(&f->stop)) {
		atomic_store(&f->id, 0);
		return;
	}
	f->c.slot = loop_slot_new(f->l, &f->c);
	atomic_store(&f->id, (uint64_t)f->c.slot.index << 32 | f->c.slot.gen);
}

static void *
waker(void *arg)
{
	struct life *f = arg;

	while (!atomic_load(&f->stop)) {
		uint64_t id = atomic_load(&f->id);

		loop_wake(f->l, (struct loop_slot){ (uint32_t)(id >> 32), (uint32_t)id });
	}
	return NULL;
}

TEST(loop_stress_wake)
{
	struct life f = { .l = loop_new(&(struct loop_opts){ .woken = on_woken }) };
	pthread_t t[2];

	loop_start(f.l);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, waker, &f), 0);
	for (int i = 0; i < 1000; i++)
		loop_call(f.l, life_step, &f);
	until(&f.c.woken, 1);
	atomic_store(&f.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	loop_call(f.l, life_step, &f);
	loop_stop(f.l);
	loop_free(&f.l);
}
