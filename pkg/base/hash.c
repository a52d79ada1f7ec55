/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <limits.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/randutil.h"

static inline uint64_t
rotl(uint64_t v, int n)
{
	return v << n | v >> (64 - n);
}

static inline uint64_t
load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

static inline void
sip_word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	sip_round(v);
	sip_round(v);
	v[0] ^= m;
}

uint64_t
hash_siphash(const uint8_t key[16], struct str s)
{
	uint64_t k0 = load64(key), k1 = load64(key + 8), last = (uint64_t)s.n << 56;
	uint64_t v[4] = {
		k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573),
	};
	size_t i = 0;

	for (; s.n - i >= 8; i += 8)
		sip_word(v, load64(s.p + i));
	for (int shift = 0; i < s.n; i++, shift += 8)
		last |= (uint64_t)(unsigned char)s.p[i] << shift;
	sip_word(v, last);
	v[2] ^= 0xff;
	for (int round = 0; round < 4; round++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint8_t process_key[16];
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;

static void
make_process_key(void)
{
	rand_bytes(process_key, sizeof(process_key));
}

uint64_t
hash_str(struct str s)
{
	pthread_once(&process_key_once, make_process_key);
	return hash_siphash(process_key, s);
}

uint64_t
hash_u64(uint64_t v)
{
	return hash_str(str_n((const char *)&v, sizeof(v)));
}

/*
 * Slots: free (no key, no value), removed (no key, `hash` says so), or in use. `used` counts the last two, so that at least a
 * quarter stays free and every search ends.
 */
struct map_slot {
	char *key;              /* terminated copy; NULL if free or removed */
	size_t key_n;
	uint64_t hash;
	void *value;
};
#define REMOVED 1

static struct map_slot *
find(const struct map *m, struct str key, uint64_t hash)
{
	if (m->cap == 0)
		return NULL;
	for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct map_slot *s = &m->slots[i];

		if (s->key == NULL && s->hash != REMOVED)
			return NULL;
		if (s->key && s->hash == hash && str_is(str_n(s->key, s->key_n), key))  /* GCOVR_EXCL_BR_LINE: needs a collision */
			return s;
	}
}

/* Moves everything into a table of the right size for n entries, without the removed ones. */
static void
rebuild(struct map *m)
{
	size_t cap = 16;
	struct map_slot *slots;

	while (cap / 2 <= m->n)
		cap *= 2;
	slots = mem_allocn(cap, sizeof(*slots));
	for (size_t i = 0; i < m->cap; i++) {
		size_t at = m->slots[i].hash & (cap - 1);

		if (m->slots[i].key == NULL)
			continue;
		while (slots[at].key)
			at = (at + 1) & (cap - 1);
		slots[at] = m->slots[i];
	}
	free(m->slots);
	m->slots = slots;
	m->cap = cap;
	m->used = m->n;
}

void *
map_get(const struct map *m, struct str key)
{
	struct map_slot *s = m->n > 0 ? find(m, key, hash_str(key)) : NULL;

	return s ? s->value : NULL;
}

void *
map_set(struct map *m, struct str key, void *value)
{
	uint64_t hash = hash_str(key);
	struct map_slot *s = find(m, key, hash);
	size_t i;

	bug_if(value == NULL);
	if (s) {
		void *old = s->value;

		s->value = value;
		return old;
	}
	if (m->used + 1 > m->cap / 4 * 3)
		rebuild(m);
	for (i = hash & (m->cap - 1); m->slots[i].key; i = (i + 1) & (m->cap - 1))
		;
	s = &m->slots[i];
	if (s->hash != REMOVED)
		m->used++;
	*s = (struct map_slot){ mem_str(key), key.n, hash, value };
	m->n++;
	return NULL;
}

void *
map_del(struct map *m, struct str key)
{
	struct map_slot *s = m->n > 0 ? find(m, key, hash_str(key)) : NULL;
	void *value;

	if (s == NULL)
		return NULL;
	value = s->value;
	free(s->key);
	*s = (struct map_slot){ .hash = REMOVED };
	m->n--;
	return value;
}

bool
map_next(const struct map *m, size_t *pos, struct str *r_key, void **r_value)
{
	while (*pos < m->cap) {
		const struct map_slot *s = &m->slots[(*pos)++];

		if (s->key) {
			*r_key = str_n(s->key, s->key_n);
			*r_value = s->value;
			return true;
		}
	}
	return false;
}

void
map_done(struct map *m)
{
	for (size_t i = 0; i < m->cap; i++)
		free(m->slots[i].key);
	free(m->slots);
	*m = (struct map){ 0 };
}

static void
digest(const EVP_MD *md, struct str s, uint8_t *r_out)
{
	bug_if(EVP_Digest(s.p, s.n, r_out, NULL, md, NULL) != 1);
}

void
hash_sha256(struct str s, uint8_t r_out[32])
{
	digest(EVP_sha256(), s, r_out);
}

void
hash_sha1(struct str s, uint8_t r_out[20])
{
	digest(EVP_sha1(), s, r_out);
}

void
hash_hmac_sha256(struct str key, struct str s, uint8_t r_out[32])
{
	/* OpenSSL takes a NULL key for "the same as before". */
	if (key.n == 0)
		key = S("");
	bug_if(key.n > INT_MAX);
	bug_if(HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)s.p, s.n, r_out, NULL) == NULL);
}
