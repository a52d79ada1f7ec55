/* SPDX-License-Identifier: MIT */
/* Sets of UIDs as sorted, disjoint, non-adjacent ranges. */
#include "store/store_internal.h"

/* first_from returns the index of the first range that ends at or behind uid. */
static size_t
first_from(const struct store_uidset *s, uint32_t uid)
{
	size_t lo = 0, hi = s->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (s->v[mid].last < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void
store_uidset_add(struct arena *a, struct store_uidset *s, uint32_t first, uint32_t last)
{
	if (first > last)
		return;
	/* Ranges [i, j) touch or overlap the new one and melt into it. */
	size_t i = first_from(s, first > 0 ? first - 1 : 0), j = i;
	while (j < s->n && (last == UINT32_MAX || s->v[j].first <= last + 1)) {
		first = MIN(first, s->v[j].first);
		last = MAX(last, s->v[j].last);
		j++;
	}
	if (i == j) {
		if (s->n == s->cap) {
			s->cap = s->cap ? s->cap * 2 : 8;
			s->v = arena_grow(a, s->v, s->n, s->cap, sizeof(*s->v));
		}
		memmove(&s->v[i + 1], &s->v[i], (s->n - i) * sizeof(*s->v));
		s->n++;
	} else {
		memmove(&s->v[i + 1], &s->v[j], (s->n - j) * sizeof(*s->v));
		s->n -= j - i - 1;
	}
	s->v[i] = (struct store_uidrange){ first, last };
}

bool
store_uidset_has(const struct store_uidset *s, uint32_t uid)
{
	size_t i = first_from(s, uid);
	return i < s->n && s->v[i].first <= uid;
}

size_t
store_uidset_count(const struct store_uidset *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		n += (size_t)s->v[i].last - s->v[i].first + 1;
	return n;
}
