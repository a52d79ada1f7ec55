/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <stdatomic.h>

#include "base/timeutil.h"
#include "testutil/testutil.h"

static struct lock low = LOCK_INIT(LOCK_ACCOUNT, "low"), high = LOCK_INIT(LOCK_QUEUE, "high");

TEST(locks_in_rising_rank)
{
	lock_none_held();
	lock_take(&low);
	lock_held(&low);
	lock_take(&high);
	lock_held(&high);
	lock_drop(&low);        /* the order of dropping is free */
	lock_held(&high);
	lock_drop(&high);
	lock_none_held();
	{
		LOCKED(&low);
		LOCKED(&high);
		lock_held(&low);
		lock_held(&high);
	}
	lock_none_held();
}

TEST(lock_in_a_struct)
{
	struct lock l;

	lock_init(&l, LOCK_DB, "db");
	assert_true(lock_try(&l));
	lock_drop(&l);
	lock_done(&l);
}

static atomic_int step;

static void *
hold_high(void *arg)
{
	struct cond *c = arg;
	LOCKED(&high);

	step = 1;
	cond_signal(c);
	while (step < 2)
		cond_wait(c, &high, 0);
	return NULL;
}

TEST(lock_try_fails_when_taken)
{
	pthread_mutex_t *m = &high.m;
	void *r;

	assert_int_equal(pthread_mutex_lock(m), 0);     /* behind the back of the checks */
	assert_false(lock_try(&high));
	assert_int_equal(pthread_mutex_unlock(m), 0);
	r = lock_try(&high) ? &high : NULL;
	assert_non_null(r);
	lock_drop(&high);
}

TEST(cond_signals)
{
	struct cond c;
	pthread_t t;

	cond_init(&c);
	step = 0;
	assert_int_equal(pthread_create(&t, NULL, hold_high, &c), 0);
	{
		LOCKED(&high);
		while (step < 1)
			assert_true(cond_wait(&c, &high, time_mono_us() + TIME_MIN));
		step = 2;
		cond_broadcast(&c);
	}
	assert_int_equal(pthread_join(t, NULL), 0);
	cond_done(&c);
}

TEST(cond_wait_ends_at_the_deadline)
{
	struct cond c;
	LOCKED(&low);

	cond_init(&c);
	assert_false(cond_wait(&c, &low, 1));
	assert_false(cond_wait(&c, &low, time_mono_us() + 2 * TIME_MS));
	lock_held(&low);
	cond_done(&c);
}

#define THREADS 4
#define ROUNDS 5000

static struct {
	struct lock lock;
	struct rwlock rw;
	int count, rw_count;
} shared;

static void *
count_up(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		{
			LOCKED(&shared.lock);
			shared.count++;
		}
		rwlock_write(&shared.rw);
		shared.rw_count++;
		rwlock_drop(&shared.rw);
		rwlock_read(&shared.rw);
		if (shared.rw_count > THREADS * ROUNDS)
			abort();
		rwlock_drop(&shared.rw);
	}
	return arg;
}

TEST(locks_exclude)
{
	pthread_t t[THREADS];

	lock_init(&shared.lock, LOCK_AUTH, "count");
	rwlock_init(&shared.rw, LOCK_LISTENERS, "rw");
	shared.count = shared.rw_count = 0;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, count_up, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(shared.count, THREADS * ROUNDS);
	assert_int_equal(shared.rw_count, THREADS * ROUNDS);
	lock_done(&shared.lock);
	rwlock_done(&shared.rw);
}

static struct rwlock rw_low = RWLOCK_INIT(LOCK_CONFIG, "rw_low");

TEST(rwlocks_have_ranks)
{
	rwlock_read(&rw_low);
	lock_take(&low);
	lock_drop(&low);
	rwlock_drop(&rw_low);
	rwlock_write(&rw_low);
	rwlock_drop(&rw_low);
	lock_none_held();
}

#ifdef MOX_DEBUG
static void
falling(void *arg unused_)
{
	lock_take(&high);
	lock_take(&low);
}

static void
falling_try(void *arg unused_)
{
	lock_take(&high);
	ignore_result(lock_try(&low));
}

static void
same_rank(void *arg unused_)
{
	static struct lock other = LOCK_INIT(LOCK_QUEUE, "other");

	lock_take(&high);
	lock_take(&other);
}

static void
twice(void *arg unused_)
{
	lock_take(&high);
	lock_take(&high);
}

static void
read_twice(void *arg unused_)
{
	rwlock_read(&rw_low);
	rwlock_read(&rw_low);
}

static void
rw_falling(void *arg unused_)
{
	lock_take(&high);
	rwlock_write(&rw_low);
}

static void
drop_foreign(void *arg unused_)
{
	lock_take(&low);
	lock_drop(&high);
}

static void
not_held(void *arg unused_)
{
	lock_take(&low);
	lock_held(&high);
}

static void
held(void *arg unused_)
{
	lock_take(&low);
	lock_none_held();
}

static void
wait_below(void *arg unused_)
{
	struct cond c;

	cond_init(&c);
	lock_take(&low);
	lock_take(&high);
	cond_wait(&c, &low, 0);
}

static void
wait_without(void *arg unused_)
{
	struct cond c;

	cond_init(&c);
	cond_wait(&c, &low, 0);
}

TEST(lock_misuse_is_a_bug)
{
	test_bug(falling, NULL, "lock low (rank 2) taken while holding high (rank 6)");
	test_bug(falling_try, NULL, "lock low (rank 2) taken while holding high");
	test_bug(same_rank, NULL, "lock other (rank 6) taken while holding high (rank 6)");
	test_bug(twice, NULL, "lock high taken twice");
	test_bug(read_twice, NULL, "lock rw_low taken twice");
	test_bug(rw_falling, NULL, "lock rw_low (rank 0) taken while holding high");
	test_bug(drop_foreign, NULL, "lock high dropped but not held");
	test_bug(not_held, NULL, "lock high is not held");
	test_bug(held, NULL, "lock low held where none may be");
	test_bug(wait_below, NULL, "waiting with lock low while holding high");
	test_bug(wait_without, NULL, "lock low is not held");
}
#endif

#ifndef __SANITIZE_THREAD__     /* which reports it itself */
static void
destroy_held(void *arg unused_)
{
	struct lock l;

	lock_init(&l, LOCK_DB, "busy");
	lock_take(&l);
	lock_done(&l);
}

TEST(lock_errors_are_bugs)
{
	test_bug(destroy_held, NULL, "release of lock busy");
}
#endif
