/* SPDX-License-Identifier: MIT */
/*
 * Verified passwords. Clients log in often with the same password, and bcrypt takes as long as 10,000 of these look-ups. What is kept
 * cannot be turned back into a password without bcrypt's effort unless the memory of this process leaks, for the key is in it: a trade that
 * the reference makes too, with plain text.
 *
 * The key of an entry has the bcrypt hash in it, so setting a password, even the same, makes old entries unreachable.
 */
#include "auth/auth_internal.h"
#include "base/mem.h"
#include "base/randutil.h"

#define LIFETIME_US (15 * TIME_MIN)
#define MIN_PASSWORD 8          /* shorter ones could not be set today; never cached, so that trying all of them stays dear */

void
auth_cache_init(struct auth_cache *c)
{
	*c = (struct auth_cache){ 0 };
	lock_init(&c->lock, LOCK_AUTH, "password cache");
	rand_bytes(c->key, sizeof(c->key));
}

static void
empty(struct auth_cache *c)
{
	size_t pos = 0;
	struct str key;
	void *value;

	while (map_next(&c->map, &pos, &key, &value))
		mem_free(&value);
	map_done(&c->map);
}

void
auth_cache_done(struct auth_cache *c)
{
	empty(c);
	mem_erase(c->key, sizeof(c->key));
	lock_done(&c->lock);
}

static struct str
entry_key(struct arena *a, struct str address, struct str hash)
{
	return str_cat(a, str_cat(a, address, str_n("", 1)), hash);
}

/* The MAC covers the key of the entry, so that equal passwords of different accounts do not look alike. */
static void
mac(struct auth_cache *c, struct arena *a, struct str key, struct str password, uint8_t r_out[32])
{
	struct str data = str_cat(a, str_cat(a, key, str_n("", 1)), password);

	hash_hmac_sha256(str_n((const char *)c->key, sizeof(c->key)), data, r_out);
}

static void
expire(struct auth_cache *c, int64_t now_us)
{
	if (now_us - c->emptied_us < LIFETIME_US && c->map.n < LIMIT_AUTH_CACHE)
		return;
	empty(c);
	c->emptied_us = now_us;
}

bool
auth_cache_has(struct auth_cache *c, int64_t now_us, struct str address, struct str hash, struct str password)
{
	struct arena a = { 0 };
	uint8_t want[32];
	bool has = false;

	if (password.n < MIN_PASSWORD)
		return false;
	struct str key = entry_key(&a, address, hash);
	mac(c, &a, key, password, want);
	{
		LOCKED(&c->lock);
		expire(c, now_us);
		const uint8_t *got = map_get(&c->map, key);
		has = got != NULL && mem_equal(got, want, sizeof(want));
	}
	arena_erase(&a);
	return has;
}

void
auth_cache_add(struct auth_cache *c, int64_t now_us, struct str address, struct str hash, struct str password)
{
	struct arena a = { 0 };
	uint8_t *value;

	if (password.n < MIN_PASSWORD)
		return;
	struct str key = entry_key(&a, address, hash);
	value = mem_alloc(32);
	mac(c, &a, key, password, value);
	{
		LOCKED(&c->lock);
		expire(c, now_us);
		void *old = map_set(&c->map, key, value);
		mem_free(&old);
	}
	arena_erase(&a);
}
