/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. An arena is a list of blocks; only the last (`cur`) has room. Pieces are laid out one behind the other,
 * a piece too large for the room left starts a new block. Blocks behind a mark are freed when it is restored.
 *
 * With AddressSanitizer all room is poisoned until it is handed out, and a few bytes stay poisoned between pieces.
 */
#include "base/arena.h"

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(ARENA_ASAN)
#define ARENA_ASAN 1
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#define REDZONE 16
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#define REDZONE 0
#endif

#define DEFAULT_BLOCK ((size_t)4096)
#define MAX_BLOCK ((size_t)1 << 20)
#define LARGE ((size_t)1 << 20)
#define ALIGN alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	alignas(max_align_t) char data[];
};

static atomic_size_t large_count;

void
arena_init(struct arena *a, size_t block_size)
{
	*a = (struct arena){ .block_size = block_size };
}

static size_t
first_size(const struct arena *a)
{
	return a->block_size ? a->block_size : DEFAULT_BLOCK;
}

static struct arena_block *
add_block(struct arena *a, size_t need)
{
	size_t size = a->cur ? MIN(a->cur->size * 2, MAX_BLOCK) : first_size(a);
	struct arena_block *b;

	size = MAX(size, need);
	if (size > SIZE_MAX / 2)
		bug("arena piece of %zu bytes", need);
	b = malloc(sizeof(*b) + size);
	if (b == NULL)                                  /* GCOVR_EXCL_BR_LINE: out of memory */
		b = mem_alloc(sizeof(*b) + size);       /* GCOVR_EXCL_LINE: reports and aborts */
	*b = (struct arena_block){ .size = size };
	POISON(b->data, size);
	if (a->cur)
		a->cur->next = b;
	else
		a->first = b;
	a->cur = b;
	return b;
}

static void
free_blocks(struct arena_block *b)
{
	while (b) {
		struct arena_block *next = b->next;

		UNPOISON(b->data, b->size);
		free(b);
		b = next;
	}
}

static void
count_used(struct arena *a, size_t n)
{
	if (a->used < LARGE && n >= LARGE - a->used)
		atomic_fetch_add_explicit(&large_count, 1, memory_order_relaxed);
	a->used += n;
}

static char *
piece(struct arena *a, size_t n, size_t align)
{
	struct arena_block *b = a->cur;
	size_t at = 0;
	char *p;

	if (b) {
		at = b->used ? b->used + REDZONE : 0;
		at = (at + align - 1) & ~(align - 1);
	}
	if (b == NULL || at > b->size || n > b->size - at) {
		b = add_block(a, n);
		at = 0;
	}
	p = b->data + at;
	b->used = at + n;
	UNPOISON(p, n);
	count_used(a, n);
	return p;
}

void
arena_reset(struct arena *a)
{
	if (a->first == NULL)
		return;
	/* A first block that one large piece blew up is not kept: it would stay for the life of a session. */
	if (a->first->size > first_size(a)) {
		arena_done(a);
		return;
	}
	free_blocks(a->first->next);
	a->first->next = NULL;
	a->first->used = 0;
	POISON(a->first->data, a->first->size);
	a->cur = a->first;
	a->used = 0;
}

void
arena_done(struct arena *a)
{
	free_blocks(a->first);
	a->first = a->cur = NULL;
	a->used = 0;
}

void
arena_erase(struct arena *a)
{
	for (struct arena_block *b = a->first; b != NULL; b = b->next) {
		UNPOISON(b->data, b->size);
		mem_erase(b->data, b->used);
	}
	arena_done(a);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	return memset(piece(a, n, ALIGN), 0, n);
}

void *
arena_allocn(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		bug("allocation of %zu elements of %zu bytes overflows", count, size);
	return arena_alloc(a, n);
}

char *
arena_bytes(struct arena *a, size_t n)
{
	return piece(a, n, 1);
}

void *
arena_grow(struct arena *a, void *p, size_t n, size_t cap, size_t size)
{
	struct arena_block *b = a->cur;
	size_t old, want;
	char *q = p;

	if (__builtin_mul_overflow(cap, size, &want) || n > cap)
		bug("arena_grow to %zu elements of %zu bytes", cap, size);
	old = n * size;
	if (q && b && q + old == b->data + b->used && want - old <= b->size - b->used) {
		UNPOISON(q + old, want - old);
		b->used += want - old;
		count_used(a, want - old);
	} else {
		q = piece(a, want, ALIGN);
		if (old > 0)
			memcpy(q, p, old);
	}
	memset(q + old, 0, want - old);
	return q;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	size_t n = strlen(s);

	return memcpy(arena_bytes(a, n + 1), s, n + 1);
}

struct arena_mark
arena_mark(struct arena *a)
{
	return (struct arena_mark){ a, a->cur, a->cur ? a->cur->used : 0, a->used };
}

void
arena_restore(struct arena_mark *m)
{
	struct arena *a = m->a;

	if (m->cur == NULL) {
		arena_reset(a);
		return;
	}
	free_blocks(m->cur->next);
	m->cur->next = NULL;
	m->cur->used = m->block_used;
	POISON(m->cur->data + m->block_used, m->cur->size - m->block_used);
	a->cur = m->cur;
	a->used = m->used;
}

size_t
arena_large_count(void)
{
	return atomic_load_explicit(&large_count, memory_order_relaxed);
}
