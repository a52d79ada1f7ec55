/* SPDX-License-Identifier: MIT */
/*
 * auth_internal.h - shared between the files of auth.
 */
#ifndef AUTH_AUTH_INTERNAL_H
#define AUTH_AUTH_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/auth.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/lock.h"
#include "store/password.h"

/* bcrypt.c */
/* auth_bcrypt_check waits for its turn: at most one per core runs. An empty hash costs the same time and is never right. */
bool auth_bcrypt_check(struct auth *au, struct str hash, struct str password);

/* cache.c: verified passwords, as keyed hashes. */
struct auth_cache {
	struct lock lock;
	struct map map;                         /* address NUL bcrypt hash -> 32 bytes of HMAC */
	uint8_t key[32];
	int64_t emptied_us;
};
void auth_cache_init(struct auth_cache *c);
void auth_cache_done(struct auth_cache *c);
bool auth_cache_has(struct auth_cache *c, int64_t now_us, struct str address, struct str hash, struct str password);
void auth_cache_add(struct auth_cache *c, int64_t now_us, struct str address, struct str hash, struct str password);

/* attempts.c */
struct auth_attempt_item {
	struct auth_attempt_item *next;
	struct arena a;
	struct store_attempt t;
};
int auth_attempts_start(struct auth *a, struct errmsg *e) must_use_;
void auth_attempts_stop(struct auth *a);

void auth_keys_free(struct auth *a);

/* A login name, looked up. Strings in the arena given. */
struct auth_found {
	struct str account, address;            /* address: NFC */
	struct str disabled;                    /* LoginDisabled */
};
/* auth_find: 0 or AUTH_BAD_CREDENTIALS. */
int auth_find(struct auth *a, struct arena *mem, struct str address, struct auth_found *r_f) must_use_;
int64_t auth_now(struct auth *a);

struct auth {
	struct auth_opts opts;
	char *data_dir;
	struct store_authdb *db;
	uint8_t salt_secret[32];                /* salts for unknown users */
	struct auth_cache cache;
	struct ratelimit *failed;
	atomic_bool limits, exempt_loopback;

	struct lock bcrypt_lock;
	struct cond bcrypt_free;
	unsigned bcrypt_running, bcrypt_max;

	struct lock keys_lock;                  /* held while the snapshot of keys is made */
	struct lock lock;                       /* of what follows */
	struct map keys;                        /* fingerprint -> struct store_tls_key */
	struct arena keys_arena;
	struct auth_attempt_item *head, **tail;
	size_t queued;
	bool stopping;
	bool running;                           /* the thread was started; set before and after its life only */
	struct cond work, room;
	pthread_t thread;
	int64_t expired_us;                     /* when old attempts were removed last; the thread's own */
};

#endif
