/* SPDX-License-Identifier: MIT */
#include "imap/set.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "imap/parse.h"

/* seq-number = nz-number / "*"   rfc/9051:7007 */
static uint32_t
seq_number(struct cur *c, bool star)
{
	if (star && cur_try(c, '*'))
		return IMAP_STAR;
	return imap_nz_number(c);
}

/* sequence-set = (seq-number / seq-range) *("," ...)   rfc/9051:7034 */
static void
ranges(struct cur *c, bool star, struct imap_set *r_set)
{
	struct imap_set s = { 0 };
	size_t cap = 0;

	do {
		struct imap_range r;
		r.first = r.last = seq_number(c, star);
		if (cur_try(c, ':'))
			r.last = seq_number(c, star);
		if (s.n == LIMIT_IMAP_SET_RANGES)
			cur_fail(c, "fewer ranges");
		if (!cur_ok(c))
			return;
		if (s.n == cap) {
			size_t more = cap ? 2 * cap : 4;
			s.v = arena_grow(c->a, s.v, cap, more, sizeof(*s.v));
			cap = more;
		}
		s.v[s.n++] = r;
	} while (cur_try(c, ','));
	*r_set = s;
}

void
imap_set(struct cur *c, struct imap_set *r_set)
{
	/* seq-last-command = "$"   rfc/9051:7051 rfc/5182:540 */
	if (cur_try(c, '$')) {
		*r_set = (struct imap_set){ .saved = true };
		return;
	}
	ranges(c, true, r_set);
}

void
imap_uid_set(struct cur *c, struct imap_set *r_set)
{
	ranges(c, false, r_set);
}

bool
imap_set_has_star(const struct imap_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].first == IMAP_STAR || s->v[i].last == IMAP_STAR)
			return true;
	return false;
}

static int
by_first(const void *x, const void *y)
{
	const struct imap_range *a = x, *b = y;
	return a->first < b->first ? -1 : a->first > b->first;
}

/* Appends a range whose first is not below that of the last one; joins what overlaps or touches. Room is there. */
static void
append_merged(struct imap_ranges *r, uint32_t first, uint32_t last)
{
	if (r->n > 0 && first <= r->v[r->n - 1].last + (r->v[r->n - 1].last < UINT32_MAX)) {
		if (last > r->v[r->n - 1].last)
			r->v[r->n - 1].last = last;
		return;
	}
	r->v[r->n++] = (struct imap_range){ first, last };
}

void
imap_set_resolve(struct arena *a, const struct imap_set *s, uint32_t max, struct imap_ranges *r_ranges)
{
	struct imap_range *v = s->n ? ARENA_NEWN(a, s->n, struct imap_range) : NULL;
	size_t n = 0;
	bool sorted = true;

	for (size_t i = 0; i < s->n; i++) {
		uint32_t x = s->v[i].first == IMAP_STAR ? max : s->v[i].first;
		uint32_t y = s->v[i].last == IMAP_STAR ? max : s->v[i].last;
		if (x > y) {
			uint32_t t = x;
			x = y;
			y = t;
		}
		if (y == 0)
			continue;       /* only "*", and nothing is in use */
		v[n++] = (struct imap_range){ MAX(x, UINT32_C(1)), y };
		sorted = sorted && (n < 2 || v[n - 2].first <= v[n - 1].first);
	}
	if (!sorted)
		qsort(v, n, sizeof(*v), by_first);
	/* Merging in place: the result never gets ahead of what is read. */
	struct imap_ranges r = { .v = v, .cap = s->n };
	for (size_t i = 0; i < n; i++)
		append_merged(&r, v[i].first, v[i].last);
	*r_ranges = r;
}

void
imap_ranges_add(struct arena *a, struct imap_ranges *r, uint32_t first, uint32_t last)
{
	if (r->n == r->cap) {
		size_t more = r->cap ? 2 * r->cap : 4;
		r->v = arena_grow(a, r->v, r->n, more, sizeof(*r->v));
		r->cap = more;
	}
	append_merged(r, first, last);
}

bool
imap_ranges_has(const struct imap_ranges *r, uint32_t v)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (v < r->v[mid].first)
			hi = mid;
		else if (v > r->v[mid].last)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

uint64_t
imap_ranges_count(const struct imap_ranges *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += (uint64_t)r->v[i].last - r->v[i].first + 1;
	return n;
}

void
imap_ranges_and(struct arena *a, const struct imap_ranges *x, const struct imap_ranges *y, struct imap_ranges *r_both)
{
	struct imap_ranges r = { 0 };

	for (size_t i = 0, j = 0; i < x->n && j < y->n;) {
		uint32_t first = MAX(x->v[i].first, y->v[j].first), last = MIN(x->v[i].last, y->v[j].last);
		if (first <= last)
			imap_ranges_add(a, &r, first, last);
		if (x->v[i].last < y->v[j].last)
			i++;
		else
			j++;
	}
	*r_both = r;
}

void
imap_ranges_minus(struct arena *a, const struct imap_ranges *x, const struct imap_ranges *y, struct imap_ranges *r_rest)
{
	struct imap_ranges r = { 0 };
	size_t j = 0;

	for (size_t i = 0; i < x->n; i++) {
		uint64_t first = x->v[i].first, last = x->v[i].last;
		while (j < y->n && y->v[j].last < first)
			j++;
		for (size_t k = j; k < y->n && first <= last && y->v[k].first <= last; k++) {
			if (y->v[k].first > first)
				imap_ranges_add(a, &r, (uint32_t)first, y->v[k].first - 1);
			first = (uint64_t)y->v[k].last + 1;
		}
		if (first <= last)
			imap_ranges_add(a, &r, (uint32_t)first, (uint32_t)last);
	}
	*r_rest = r;
}
