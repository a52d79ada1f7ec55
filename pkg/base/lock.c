/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <errno.h>

#include "base/err.h"
#include "base/timeutil.h"

#ifdef MOX_DEBUG
/* The locks of this thread in the order they were taken: ranks rise. */
#define MAX_HELD (LOCK_LOG + 1)
static _Thread_local struct held {
	const void *lock;
	enum lock_rank rank;
	const char *name;
} held[MAX_HELD];
static _Thread_local unsigned nheld;

static void
check_order(const void *lock, enum lock_rank rank, const char *name)
{
	for (unsigned i = 0; i < nheld; i++)
		if (held[i].lock == lock)
			bug("lock %s taken twice", name);
	if (nheld > 0 && held[nheld - 1].rank >= rank)
		bug("lock %s (rank %d) taken while holding %s (rank %d)", name, (int)rank, held[nheld - 1].name,
		    (int)held[nheld - 1].rank);
}

static void
push(const void *lock, enum lock_rank rank, const char *name)
{
	held[nheld++] = (struct held){ lock, rank, name };
}

static void
pop(const void *lock, const char *name)
{
	unsigned i = nheld;

	while (i > 0 && held[i - 1].lock != lock)
		i--;
	if (i == 0)
		bug("lock %s dropped but not held", name);
	for (nheld--; i <= nheld; i++)
		held[i - 1] = held[i];
}

static void
check_held(const void *lock, const char *name)
{
	for (unsigned i = 0; i < nheld; i++)
		if (held[i].lock == lock)
			return;
	bug("lock %s is not held", name);
}

/* The lock is taken again when the wait ends, so it must be the last one taken. */
static void
check_last(const void *lock, const char *name)
{
	check_held(lock, name);
	if (held[nheld - 1].lock != lock)
		bug("waiting with lock %s while holding %s", name, held[nheld - 1].name);
}

static void
check_none(void)
{
	if (nheld > 0)
		bug("lock %s held where none may be", held[nheld - 1].name);
}
#else
static inline void check_order(const void *l unused_, enum lock_rank r unused_, const char *n unused_) {}
static inline void push(const void *l unused_, enum lock_rank r unused_, const char *n unused_) {}
static inline void pop(const void *l unused_, const char *n unused_) {}
static inline void check_held(const void *l unused_, const char *n unused_) {}
static inline void check_last(const void *l unused_, const char *n unused_) {}
static inline void check_none(void) {}
#endif

/* The calls below fail only for misuse. */
static void
must(int err, const char *what, const char *name)
{
	if (err != 0)
		bug("%s of lock %s: %s", what, name, err_strerror(err));
}

void
lock_init(struct lock *l, enum lock_rank rank, const char *name)
{
	*l = (struct lock)LOCK_INIT(rank, name);
}

void
lock_done(struct lock *l)
{
	must(pthread_mutex_destroy(&l->m), "release", l->name);
}

void
lock_take(struct lock *l)
{
	check_order(l, l->rank, l->name);
	must(pthread_mutex_lock(&l->m), "taking", l->name);
	push(l, l->rank, l->name);
}

bool
lock_try(struct lock *l)
{
	int err;

	check_order(l, l->rank, l->name);
	err = pthread_mutex_trylock(&l->m);
	if (err == EBUSY)
		return false;
	must(err, "trying", l->name);
	push(l, l->rank, l->name);
	return true;
}

void
lock_drop(struct lock *l)
{
	pop(l, l->name);
	must(pthread_mutex_unlock(&l->m), "dropping", l->name);
}

void
lock_held(const struct lock *l)
{
	check_held(l, l->name);
}

void
lock_none_held(void)
{
	check_none();
}

void
cond_init(struct cond *c)
{
	pthread_condattr_t attr;

	must(pthread_condattr_init(&attr), "condition", "");
	must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), "condition", "");
	must(pthread_cond_init(&c->c, &attr), "condition", "");
	must(pthread_condattr_destroy(&attr), "condition", "");
}

void
cond_done(struct cond *c)
{
	must(pthread_cond_destroy(&c->c), "condition", "");
}

bool
cond_wait(struct cond *c, struct lock *l, int64_t deadline_us)
{
	struct timespec ts = { .tv_sec = deadline_us / TIME_SEC, .tv_nsec = deadline_us % TIME_SEC * 1000 };
	int err;

	check_last(l, l->name);
	if (deadline_us == 0)
		err = pthread_cond_wait(&c->c, &l->m);
	else
		err = pthread_cond_timedwait(&c->c, &l->m, &ts);
	if (err == ETIMEDOUT)
		return false;
	must(err, "waiting", l->name);
	return true;
}

void
cond_signal(struct cond *c)
{
	must(pthread_cond_signal(&c->c), "condition", "");
}

void
cond_broadcast(struct cond *c)
{
	must(pthread_cond_broadcast(&c->c), "condition", "");
}

void
rwlock_init(struct rwlock *l, enum lock_rank rank, const char *name)
{
	*l = (struct rwlock)RWLOCK_INIT(rank, name);
}

void
rwlock_done(struct rwlock *l)
{
	must(pthread_rwlock_destroy(&l->rw), "release", l->name);
}

void
rwlock_read(struct rwlock *l)
{
	check_order(l, l->rank, l->name);
	must(pthread_rwlock_rdlock(&l->rw), "reading", l->name);
	push(l, l->rank, l->name);
}

void
rwlock_write(struct rwlock *l)
{
	check_order(l, l->rank, l->name);
	must(pthread_rwlock_wrlock(&l->rw), "writing", l->name);
	push(l, l->rank, l->name);
}

void
rwlock_drop(struct rwlock *l)
{
	pop(l, l->name);
	must(pthread_rwlock_unlock(&l->rw), "dropping", l->name);
}
