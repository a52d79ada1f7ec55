/* SPDX-License-Identifier: MIT */
/*
 * hash.h - SipHash-2-4 with a per-process key for tables, a string map, and SHA/HMAC shortcuts over OpenSSL.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* hash_siphash: keyed, so that peers cannot choose colliding keys. */
uint64_t hash_siphash(const uint8_t key[16], struct str s);
uint64_t hash_str(struct str s);                          /* with the process's random key */
uint64_t hash_u64(uint64_t v);

/*
 * A map from strings to pointers: open addressing, keys copied to the heap. Zero-initialise; map_done frees it (not the
 * values). Not for concurrent use.
 */
struct map_slot;
struct map {
	struct map_slot *slots;
	size_t n, cap, used;
};
void *map_get(const struct map *m, struct str key);       /* NULL if absent */
void *map_set(struct map *m, struct str key, void *value);/* returns the value replaced, or NULL; value is not NULL */
void *map_del(struct map *m, struct str key);             /* returns the value removed, or NULL */
/* map_next walks: start with *pos = 0; false at the end. The map must not change meanwhile, except by map_del of the current key. */
bool map_next(const struct map *m, size_t *pos, struct str *r_key, void **r_value);
void map_done(struct map *m);

#define HASH_SHA256_LEN 32
void hash_sha256(struct str s, uint8_t r_out[32]);
void hash_sha1(struct str s, uint8_t r_out[20]);
void hash_hmac_sha256(struct str key, struct str s, uint8_t r_out[32]);

#endif
