/* SPDX-License-Identifier: MIT */
/*
 * imap/set.h - sequence sets (rfc/9051:7034): sequence numbers or UIDs.
 */
#ifndef IMAP_SET_H
#define IMAP_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cur.h"

#define IMAP_STAR 0                     /* "*" in a range: the largest number in use */

struct imap_range {
	uint32_t first, last;
};

/* A set as the client wrote it: ranges in its order, each end may be IMAP_STAR. */
struct imap_set {
	struct imap_range *v;
	size_t n;
	bool saved;                     /* "$", the saved search result (RFC 5182); then no ranges */
};

/* Numbers as sorted, disjoint, non-adjacent ranges with first <= last. */
struct imap_ranges {
	struct imap_range *v;
	size_t n, cap;
};

void imap_set(struct cur *c, struct imap_set *r_set);           /* sequence-set, also "$"; at most LIMIT_IMAP_SET_RANGES ranges */
/* imap_uid_set: without "*" and "$" (rfc/9051:7133), as in QRESYNC parameters. */
void imap_uid_set(struct cur *c, struct imap_set *r_set);
bool imap_set_has_star(const struct imap_set *s);

/*
 * imap_set_resolve replaces "*" by max and normalises: reversed ranges are turned, duplicates merged, ascending. With
 * max 0 (nothing in use) "*" counts as 0 and ranges that have only it vanish.
 */
void imap_set_resolve(struct arena *a, const struct imap_set *s, uint32_t max, struct imap_ranges *r_ranges);

/* imap_ranges_add appends a number or range above or inside the last one: for building in ascending order. */
void imap_ranges_add(struct arena *a, struct imap_ranges *r, uint32_t first, uint32_t last);
bool imap_ranges_has(const struct imap_ranges *r, uint32_t v);  /* binary search */
uint64_t imap_ranges_count(const struct imap_ranges *r);
/* imap_ranges_and: what both contain. */
void imap_ranges_and(struct arena *a, const struct imap_ranges *x, const struct imap_ranges *y, struct imap_ranges *r_both);
/* imap_ranges_minus: what x contains and y does not. */
void imap_ranges_minus(struct arena *a, const struct imap_ranges *x, const struct imap_ranges *y, struct imap_ranges *r_rest);

#endif
