/* SPDX-License-Identifier: MIT */
/*
 * Partial deliveries. SMTP has one reply for all recipients of a message. When some got it and others could not yet, 250 would lose the
 * message for those, so the answer is 451, and the sender will try again for all. This memory makes that good: who has got the message is passed over
 * then. It is bounded, and lost with the process: then the message comes twice, which is the lesser evil.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "smtpserver/smtpserver_internal.h"

#define ENTRIES_MAX 10000

struct entry {
	uint8_t key[32];
	bool used;
};

struct partial_memory {
	struct lock lock;
	struct map map;                 /* key -> struct entry */
	struct entry *ring;             /* in the order they came; the oldest is replaced */
	size_t next;
};

struct partial_memory *
smtpserver_partial_new(void)
{
	struct partial_memory *m = mem_alloc(sizeof(*m));

	lock_init(&m->lock, LOCK_LIMITER, "partial deliveries");
	return m;
}

void
smtpserver_partial_free(struct partial_memory **mp)
{
	struct partial_memory *m = *mp;

	if (m == NULL)
		return;
	map_done(&m->map);
	mem_free(&m->ring);
	lock_done(&m->lock);
	mem_free(mp);
}

static struct str
key_str(const uint8_t key[32])
{
	return str_n((const char *)key, 32);
}

bool
smtpserver_partial_empty(struct partial_memory *m)
{
	LOCKED(&m->lock);
	return m->map.n == 0;
}

bool
smtpserver_partial_has(struct partial_memory *m, const uint8_t key[32])
{
	LOCKED(&m->lock);
	return map_get(&m->map, key_str(key)) != NULL;
}

void
smtpserver_partial_del(struct partial_memory *m, const uint8_t key[32])
{
	LOCKED(&m->lock);
	struct entry *e = map_del(&m->map, key_str(key));
	if (e != NULL)
		e->used = false;
}

void
smtpserver_partial_add(struct partial_memory *m, const uint8_t key[32])
{
	LOCKED(&m->lock);
	if (map_get(&m->map, key_str(key)) != NULL)
		return;
	if (m->ring == NULL)
		m->ring = mem_allocn(ENTRIES_MAX, sizeof(*m->ring));
	struct entry *e = &m->ring[m->next];
	m->next = (m->next + 1) % ENTRIES_MAX;
	if (e->used)
		map_del(&m->map, key_str(e->key));
	memcpy(e->key, key, sizeof(e->key));
	e->used = true;
	map_set(&m->map, key_str(key), e);
}
