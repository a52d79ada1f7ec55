/* SPDX-License-Identifier: MIT */
/*
 * lock.h - mutexes with ranks.
 *
 * A thread takes locks only in rising rank. Debug builds assert it, and that no lock is held where lock_none_held() stands: before
 * socket I/O, DNS, and fsync of messages. Use LOCKED(&l) for the rest of a block, or lock_take / lock_drop.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

enum lock_rank {                /* lowest first */
	LOCK_CONFIG,            /* configuration snapshot */
	LOCK_ACCOUNTS,          /* table of open accounts */
	LOCK_ACCOUNT,           /* one account: held over a write transaction and its broadcast */
	LOCK_GROUP,             /* group commit queue and shared directory syncs of an account */
	LOCK_DB,                /* pool of database connections */
	LOCK_JUNK,
	LOCK_QUEUE,
	LOCK_AUTH,              /* auth.db and the verified-password cache */
	LOCK_LIMITER,
	LOCK_LISTENERS,         /* sessions registered with an account (change broadcast) */
	LOCK_POOL,              /* work queue */
	LOCK_MAILBOX,           /* a loop's incoming messages */
	LOCK_TLS,               /* ticket keys of a TLS context */
	LOCK_DNS,               /* cache and settings of a resolver */
	LOCK_PSL,               /* public suffix list */
	LOCK_METRICS,
	LOCK_LOG,
	LOCK_MEM,               /* memory of SQLite: wherever it is called */
};

struct lock {
	pthread_mutex_t m;
	enum lock_rank rank;
	const char *name;
};

/* For static locks: static struct lock l = LOCK_INIT(LOCK_LOG, "log"); */
#define LOCK_INIT(r, n) { .m = PTHREAD_MUTEX_INITIALIZER, .rank = (r), .name = (n) }
void lock_init(struct lock *l, enum lock_rank rank, const char *name);
void lock_done(struct lock *l);
void lock_take(struct lock *l);
bool lock_try(struct lock *l) must_use_;
void lock_drop(struct lock *l);
void lock_held(const struct lock *l);                     /* debug: asserts that this thread holds it */
void lock_none_held(void);                                /* debug: asserts that this thread holds none */

struct lock_guard { struct lock *l; };
static inline struct lock_guard lock_guard_(struct lock *l) { lock_take(l); return (struct lock_guard){ l }; }
static inline void lock_unguard_(struct lock_guard *g) { lock_drop(g->l); }
#define LOCKED(l) LOCKED_(l, __COUNTER__)
#define LOCKED_(l, n) LOCKED__(l, n)
#define LOCKED__(l, n) cleanup_(lock_unguard_) unused_ struct lock_guard lock_guard_##n = lock_guard_(l)

/* A condition that belongs to one lock. cond_wait returns false when the monotonic deadline passed (0 = none). */
struct cond {
	pthread_cond_t c;
};
void cond_init(struct cond *c);
void cond_done(struct cond *c);
bool cond_wait(struct cond *c, struct lock *l, int64_t deadline_us);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);

/* A reader/writer lock with a rank. A writer that waits keeps new readers out. */
struct rwlock {
	pthread_rwlock_t rw;
	enum lock_rank rank;
	const char *name;
};
#define RWLOCK_INIT(r, n) { .rw = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP, .rank = (r), .name = (n) }
void rwlock_init(struct rwlock *l, enum lock_rank rank, const char *name);
void rwlock_done(struct rwlock *l);
void rwlock_read(struct rwlock *l);
void rwlock_write(struct rwlock *l);
void rwlock_drop(struct rwlock *l);

#endif
