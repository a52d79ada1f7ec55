/* SPDX-License-Identifier: MIT */
/*
 * arena.h - memory for one unit of work: allocated piece by piece, freed all at once.
 *
 * One SMTP or IMAP command, one HTTP request, one delivery attempt has one arena. It is reset, not freed, between units; the
 * first block stays. Lifetime is in the signature: a function that allocates takes the arena as its first parameter, there is
 * no hidden one. It lacks, on purpose: freeing one piece, sharing between threads, destructors.
 * With AddressSanitizer, what is not handed out is poisoned. Arenas that grew past 1 MiB are counted.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdalign.h>
#include <stddef.h>

#include "base/macros.h"

struct arena_block;

/* Zero-initialised is an empty arena with the default block size. */
struct arena {
	struct arena_block *first, *cur;
	size_t block_size;      /* size of the first block in bytes; 0 means 4096. Later blocks double up to 1 MiB. */
	size_t used;            /* bytes handed out since the last reset */
};

struct arena_mark {
	struct arena *a;
	struct arena_block *cur;
	size_t block_used, used;
};

void arena_init(struct arena *a, size_t block_size);
void arena_reset(struct arena *a);      /* all memory becomes invalid; keeps the first block, if of the usual size */
void arena_done(struct arena *a);       /* frees everything; the arena is empty and usable again */
void arena_erase(struct arena *a);      /* arena_done for one that held secrets: overwrites what was handed out */

void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, alloc_size(2), returns_nonnull)); /* zeroed, aligned for any type */
void *arena_allocn(struct arena *a, size_t count, size_t size) __attribute__((malloc, alloc_size(2, 3), returns_nonnull));
char *arena_bytes(struct arena *a, size_t n) __attribute__((malloc, alloc_size(2), returns_nonnull)); /* not zeroed, not aligned */
/*
 * arena_grow returns a copy of the array p (may be NULL) of n elements with room for cap, the new ones zeroed; extends in place when
 * it is the last piece.
 */
void *arena_grow(struct arena *a, void *p, size_t n, size_t cap, size_t size) __attribute__((returns_nonnull)) must_use_;
char *arena_strdup(struct arena *a, const char *s) __attribute__((malloc, returns_nonnull));

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_NEWN(a, n, type) ((type *)arena_allocn((a), (n), sizeof(type)))

/*
 * A mark remembers how full the arena is; restoring it frees what came later, also what older arrays, lists and buffers grew by
 * meanwhile. ARENA_SCOPE(a) restores at the end of the enclosing block: use it around the body of loops over messages.
 */
struct arena_mark arena_mark(struct arena *a);
void arena_restore(struct arena_mark *m);
#define ARENA_SCOPE(a) ARENA_SCOPE_(a, __COUNTER__)
#define ARENA_SCOPE_(a, n) ARENA_SCOPE__(a, n)
#define ARENA_SCOPE__(a, n) cleanup_(arena_restore) unused_ struct arena_mark arena_scope_##n = arena_mark(a)

/* arena_large_count tells how often an arena of this process grew past 1 MiB. */
size_t arena_large_count(void);

#endif
