/* SPDX-License-Identifier: MIT */
/*
 * str.h - a view of bytes: pointer and length, passed by value, not terminated, owning nothing.
 *
 * A zeroed str is the empty string; p may be NULL only when n is 0. Case functions fold ASCII letters only.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "base/macros.h"

struct arena;

struct str {
	const char *p;
	size_t n;
};

#define S(lit) ((struct str){ "" lit, sizeof(lit) - 1 })
#define STRF "%.*s"
#define STRA(s) (int)(s).n, (s).p

static inline struct str
str_n(const char *p, size_t n)
{
	return (struct str){ p, n };
}

/* str_of views a C string; NULL gives the empty view. */
static inline struct str
str_of(const char *z)
{
	return (struct str){ z, z ? strlen(z) : 0 };
}

static inline bool
str_is(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* str_z copies s into the arena with a terminator; NULL if s holds a NUL byte. */
char *str_z(struct arena *a, struct str s) must_use_;
/* str_dup copies s into the arena (a terminator follows the copy). */
struct str str_dup(struct arena *a, struct str s);
/* str_fmt formats into the arena. */
struct str str_fmt(struct arena *a, const char *fmt, ...) printf_(2, 3);
/* str_cat joins two strings in the arena. */
struct str str_cat(struct arena *a, struct str x, struct str y);

int str_cmp(struct str a, struct str b);                  /* order of bytes, as memcmp; a prefix comes first */
bool str_icase(struct str a, struct str b);               /* equal but for the case of ASCII letters */
int str_icmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_istarts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_iends(struct str s, struct str suffix);
bool str_has(struct str s, char c);                       /* contains the byte */
ssize_t str_find(struct str s, char c);                   /* first offset of the byte, or -1 */
ssize_t str_rfind(struct str s, char c);                  /* last offset, or -1 */
ssize_t str_search(struct str s, struct str needle);      /* first offset of needle, or -1; an empty needle is at 0 */
ssize_t str_isearch(struct str s, struct str needle);
struct str str_from(struct str s, size_t off);            /* without the first off bytes (empty beyond the end) */
struct str str_upto(struct str s, size_t n);              /* at most the first n bytes */
struct str str_trim(struct str s);                        /* without SP, TAB, CR, LF at both ends */
/* str_split cuts *s at the first c: returns what stands before and leaves *s behind it. Without c returns all and empties *s. */
struct str str_split(struct str *s, char c);
struct str str_lower(struct arena *a, struct str s);      /* ASCII */
struct str str_upper(struct arena *a, struct str s);
bool str_is_ascii(struct str s);                          /* no byte above 0x7f */

/* Decimal digits only, no sign or space, no overflow; else ERR_INVALID. */
int str_u64(struct str s, uint64_t *r_v) must_use_;
int str_u32(struct str s, uint32_t *r_v) must_use_;
/* str_i64 takes an optional leading '-' or '+'. */
int str_i64(struct str s, int64_t *r_v) must_use_;

/*
 * str_log returns s in a form fit for logs and replies: bytes below 0x20, 0x7f, backslash, and invalid UTF-8 as \xHH, cut at
 * max bytes of output with "..." appended.
 */
struct str str_log(struct arena *a, struct str s, size_t max);

/* A list of strings, usually in an arena. Zero-initialise. */
struct strlist {
	struct str *v;
	size_t n, cap;
};
void strlist_add(struct arena *a, struct strlist *l, struct str s);  /* stores the view, does not copy the bytes */
bool strlist_has(const struct strlist *l, struct str s);
bool strlist_ihas(const struct strlist *l, struct str s);
void strlist_sort(struct strlist *l);                                /* by str_cmp */
struct str strlist_join(struct arena *a, const struct strlist *l, struct str sep);

#endif
