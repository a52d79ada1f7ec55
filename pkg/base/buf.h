/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growable byte buffer with a maximum.
 *
 * Invariants: n <= max; p is NULL only when cap is 0; when cap > 0, p[n] is a NUL that is there for convenience and never part
 * of the content. Once an append would pass max, it is dropped whole and `failed` stays set until reset: check once at the end.
 * Life cycle: BUF_INIT(max) or buf_init, use, buf_done (fits cleanup_()). Heap memory, except for buf_arena buffers, whose
 * memory belongs to the arena (buf_done is then a no-op on it).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/str.h"

struct buf {
	char *p;
	size_t n, cap, max;
	struct arena *a;        /* NULL: heap */
	bool failed;
};

#define BUF_INIT(limit) { .max = (limit) }
#define BUF_ARENA(arena, limit) { .max = (limit), .a = (arena) }

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
void buf_reset(struct buf *b);                            /* empty, not failed; keeps the memory */
struct str buf_str(const struct buf *b);                  /* view of the content, valid until the next change */
char *buf_detach(struct buf *b, size_t *r_n);             /* moves the memory (terminated, never NULL) to the caller; heap only */
bool buf_reserve(struct buf *b, size_t n);                /* makes room for n more bytes; false (failed) beyond max */
char *buf_tail(struct buf *b);                            /* where the reserved room starts */
void buf_wrote(struct buf *b, size_t n);                  /* n bytes of the reserved room were filled */

void buf_add(struct buf *b, struct str s);
void buf_addz(struct buf *b, const char *z);
void buf_addc_(struct buf *b, char c);                    /* when there is no room */
static inline void
buf_addc(struct buf *b, char c)
{
	if (b->failed || b->n + 1 >= b->cap) {
		buf_addc_(b, c);
		return;
	}
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}
void buf_addu(struct buf *b, uint64_t v);                 /* decimal */
void buf_addi(struct buf *b, int64_t v);
void buf_addf(struct buf *b, const char *fmt, ...) printf_(2, 3);
void buf_addv(struct buf *b, const char *fmt, va_list ap) printf_(2, 0);
void buf_truncate(struct buf *b, size_t n);               /* keeps the first n bytes */
void buf_drop(struct buf *b, size_t n);                   /* removes the first n bytes */

#endif
