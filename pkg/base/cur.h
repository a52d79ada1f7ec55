/* SPDX-License-Identifier: MIT */
/*
 * cur.h - a cursor over a complete, immutable unit of input: the base of all parsers.
 *
 * Every primitive is total: it never reads past the end, advances only on success, and after the first failure does nothing
 * and returns empty. So a production reads like its ABNF, without checks between tokens; the caller tests cur_ok or cur_done once.
 * For alternatives save a copy of the struct and restore it. `want` names what was expected at the first failure.
 */
#ifndef BASE_CUR_H
#define BASE_CUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/str.h"

struct cur {
	const char *p, *end, *start;
	const char *want;       /* non-NULL after the first failure: what was expected at p. A constant text. */
	struct arena *a;        /* for decoded copies only; may be NULL where none are made */
	unsigned depth;         /* nesting of the production at hand, see cur_enter */
};

/*
 * A set of bytes. CUR_CLASS makes a constant one from a macro that ORs ranges and characters for the word w of the set:
 *
 *	#define ATOM(w) (CUR_RANGE(w, 'a', 'z') | CUR_RANGE(w, 'A', 'Z') | CUR_CHAR(w, '.'))
 *	static const struct cur_class atom = CUR_CLASS(ATOM);
 */
struct cur_class {
	uint64_t bits[4];
};
#define CUR_CLASS(SET) { { SET(0), SET(1), SET(2), SET(3) } }
#define CUR_CHAR(w, c) ((unsigned char)(c) >> 6 == (w) ? UINT64_C(1) << ((unsigned char)(c) & 63) : UINT64_C(0))
/* The bytes of word w from the given one on, and those up to the given one. */
#define CUR_FROM_(w, c) \
	((c) <= (w) * 64 ? ~UINT64_C(0) : (c) > (w) * 64 + 63 ? UINT64_C(0) : ~UINT64_C(0) << ((c) & 63))
#define CUR_UPTO_(w, c) \
	((c) >= (w) * 64 + 63 ? ~UINT64_C(0) : (c) < (w) * 64 ? UINT64_C(0) : ~UINT64_C(0) >> (63 - ((c) & 63)))
#define CUR_RANGE(w, from, to) (CUR_FROM_(w, (unsigned char)(from)) & CUR_UPTO_(w, (unsigned char)(to)))

static inline bool
cur_class_has(const struct cur_class *k, unsigned char c)
{
	return k->bits[c >> 6] >> (c & 63) & 1;
}
void cur_class_add(struct cur_class *k, const char *chars);
void cur_class_range(struct cur_class *k, unsigned char from, unsigned char to);

/* Sets that every protocol shares (RFC 5234 appendix B.1). */
extern const struct cur_class cur_alpha, cur_digit, cur_alnum, cur_hexdig, cur_wsp, cur_vchar;

struct cur cur_of(struct str s);
struct cur cur_in(struct arena *a, struct str s);         /* with an arena for decoded copies */

static inline bool cur_ok(const struct cur *c) { return c->want == NULL; }
static inline bool cur_end(const struct cur *c) { return c->p == c->end; }   /* also true after a failure at the end */
/* cur_done tells that nothing failed and nothing is left; otherwise records "end" as wanted. */
bool cur_done(struct cur *c);
void cur_fail(struct cur *c, const char *want);           /* first failure wins */
static inline size_t cur_left(const struct cur *c) { return (size_t)(c->end - c->p); }
static inline size_t cur_off(const struct cur *c) { return (size_t)(c->p - c->start); }
struct str cur_rest(const struct cur *c);                 /* view of what is left */

int cur_peek(const struct cur *c);                        /* next byte 0..255, or -1 at the end or after failure */
bool cur_is(const struct cur *c, char ch);                /* next byte is ch */
bool cur_try(struct cur *c, char ch);                     /* takes ch if it is next */
bool cur_try_str(struct cur *c, struct str s);            /* takes s if it is next, exact */
bool cur_try_icase(struct cur *c, struct str s);          /* takes s if it is next, ASCII case-insensitive */
void cur_char(struct cur *c, char ch);                    /* must be next */
void cur_str(struct cur *c, struct str s);
void cur_icase(struct cur *c, struct str s);
unsigned char cur_any(struct cur *c, const char *want);   /* takes one byte */
struct str cur_bytes(struct cur *c, size_t n, const char *want);                              /* exactly n bytes */
struct str cur_span(struct cur *c, const struct cur_class *k);                                /* as many as are in k, also none */
struct str cur_span1(struct cur *c, const struct cur_class *k, const char *want);             /* at least one */
struct str cur_until(struct cur *c, char stop);                                               /* up to stop (not taken) or the end */
/* cur_u64 takes 1 to max_digits digits, value at most max; fails otherwise (also when more digits follow). */
uint64_t cur_u64(struct cur *c, unsigned max_digits, uint64_t max, const char *want);

/* cur_enter counts one level of nesting and fails beyond max; pair with cur_leave. */
bool cur_enter(struct cur *c, unsigned max);
void cur_leave(struct cur *c);

/* cur_error describes the failure: "expected X at offset N". */
struct str cur_error(struct arena *a, const struct cur *c);

#endif
