/* SPDX-License-Identifier: MIT */
/*
 * The session's view of the selected mailbox: an array of spans, found by binary search in either direction.
 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

static void
reserve(struct imapserver_view *v, uint32_t n)
{
	if (n <= v->cap)
		return;
	uint32_t cap = MAX(n, v->cap + v->cap / 2);
	v->v = mem_grow(v->v, v->cap, cap, sizeof(*v->v));
	v->cap = cap;
}

struct imapserver_view *
imapserver_view_new(const struct store_mailbox *mb, const struct store_uidset *uids, bool readonly)
{
	struct imapserver_view *v = mem_alloc(sizeof(*v));

	v->mailbox_id = mb->id;
	v->uidvalidity = mb->uidvalidity;
	v->uidnext = mb->uidnext;
	v->modseq = mb->modseq;
	v->readonly = readonly;
	reserve(v, (uint32_t)uids->n);
	for (size_t i = 0; i < uids->n; i++) {
		v->v[v->n++] = (struct imapserver_span){ uids->v[i].first, uids->v[i].last, v->count + 1 };
		v->count += uids->v[i].last - uids->v[i].first + 1;
	}
	return v;
}

void
imapserver_view_free(struct imapserver_view **v)
{
	if (!*v)
		return;
	mem_free(&(*v)->v);
	mem_free(v);
}

uint32_t
imapserver_view_seq(const struct imapserver_view *v, uint32_t uid)
{
	uint32_t lo = 0, hi = v->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (uid < v->v[mid].first)
			hi = mid;
		else if (uid > v->v[mid].last)
			lo = mid + 1;
		else
			return v->v[mid].seq + (uid - v->v[mid].first);
	}
	return 0;
}

uint32_t
imapserver_view_uid(const struct imapserver_view *v, uint32_t seq)
{
	uint32_t lo = 0, hi = v->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct imapserver_span *s = &v->v[mid];
		if (seq < s->seq)
			hi = mid;
		else if (seq - s->seq > s->last - s->first)
			lo = mid + 1;
		else
			return s->first + (seq - s->seq);
	}
	return 0;
}

uint32_t
imapserver_view_last_uid(const struct imapserver_view *v)
{
	return v->n ? v->v[v->n - 1].last : 0;
}

void
imapserver_view_add(struct imapserver_view *v, uint32_t uid)
{
	v->count++;
	v->added++;
	if (uid >= v->uidnext)
		v->uidnext = uid + (uid < UINT32_MAX);
	if (v->n > 0 && v->v[v->n - 1].last + 1 == uid) {
		v->v[v->n - 1].last = uid;
		return;
	}
	reserve(v, v->n + 1);
	v->v[v->n++] = (struct imapserver_span){ uid, uid, v->count };
}

void
imapserver_view_remove(struct imapserver_view *v, struct arena *a, const struct imap_ranges *uids, struct imapserver_gone **r_gone, size_t *r_n)
{
	/* Each range leaves at most one more span, and meets at most all spans and one more piece per range. */
	struct imapserver_gone *gone = ARENA_NEWN(a, v->n + uids->n, struct imapserver_gone);
	struct imapserver_span *old = v->v;
	uint32_t nold = v->n, removed = 0;
	size_t ngone = 0, j = 0;

	v->v = NULL;
	v->n = v->cap = 0;
	reserve(v, nold + (uint32_t)uids->n);
	for (uint32_t i = 0; i < nold; i++) {
		uint64_t first = old[i].first;
		while (j < uids->n && uids->v[j].last < first)
			j++;
		for (size_t k = j; first <= old[i].last; k++) {
			bool cut = k < uids->n && uids->v[k].first <= old[i].last;
			uint64_t stop = cut ? MAX((uint64_t)uids->v[k].first, first) : (uint64_t)old[i].last + 1;
			if (stop > first) {
				uint32_t seq = old[i].seq + (uint32_t)(first - old[i].first) - removed;
				v->v[v->n++] = (struct imapserver_span){ (uint32_t)first, (uint32_t)(stop - 1), seq };
			}
			if (!cut)
				break;
			uint64_t end = MIN((uint64_t)uids->v[k].last, (uint64_t)old[i].last);
			uint32_t count = (uint32_t)(end - stop + 1);
			gone[ngone++] = (struct imapserver_gone){
				.seq = old[i].seq + (uint32_t)(stop - old[i].first) - removed, .first = (uint32_t)stop, .count = count,
			};
			removed += count;
			first = end + 1;
		}
	}
	v->count -= removed;
	v->removed += removed;
	mem_free(&old);
	*r_gone = gone;
	*r_n = ngone;
}

struct imap_ranges
imapserver_view_all(const struct imapserver_view *v, struct arena *a)
{
	struct imap_ranges r = { 0 };

	for (uint32_t i = 0; i < v->n; i++)
		imap_ranges_add(a, &r, v->v[i].first, v->v[i].last);
	return r;
}

/* Sequence numbers, which must all exist, as UIDs. */
static int
resolve_seqs(struct imapserver_cmd *c, const struct imap_set *set, struct imap_ranges *r_uids)
{
	const struct imapserver_view *v = c->s->view;
	struct imap_ranges seqs, uids = { 0 };

	imap_set_resolve(c->a, set, v->count, &seqs);
	/* rfc/9051:7018: a number greater than the number of messages is BAD, also "*" in an empty mailbox */
	if (seqs.n == 0 || seqs.v[seqs.n - 1].last > v->count)
		return imapserver_bad(c, "no such message sequence number");
	uint32_t i = 0;
	for (size_t k = 0; k < seqs.n; k++) {
		uint32_t seq = seqs.v[k].first, last = seqs.v[k].last;
		for (; i < v->n && seq <= last; i++) {
			uint32_t span_last = v->v[i].seq + (v->v[i].last - v->v[i].first);
			if (span_last < seq)
				continue;
			uint32_t end = MIN(last, span_last);
			imap_ranges_add(c->a, &uids, v->v[i].first + (seq - v->v[i].seq), v->v[i].first + (end - v->v[i].seq));
			seq = end + 1;
			if (end < span_last)
				break;          /* the span may serve the next range too */
		}
	}
	*r_uids = uids;
	return 0;
}

int
imapserver_resolve(struct imapserver_cmd *c, const struct imap_set *set, struct imap_ranges *r_uids)
{
	const struct imapserver_view *v = c->s->view;
	struct imap_ranges all = imapserver_view_all(v, c->a), wanted;

	if (set->saved) {
		wanted = imapserver_saved(c->s, c->a);
	} else if (c->uid) {
		imap_set_resolve(c->a, set, imapserver_view_last_uid(v), &wanted);
	} else {
		return resolve_seqs(c, set, r_uids);
	}
	imap_ranges_and(c->a, &wanted, &all, r_uids);
	return 0;
}

struct store_uidset
imapserver_uidset(struct arena *a, const struct imap_ranges *r)
{
	struct store_uidset s = { .v = r->n ? ARENA_NEWN(a, r->n, struct store_uidrange) : NULL, .n = r->n, .cap = r->n };

	for (size_t i = 0; i < r->n; i++)
		s.v[i] = (struct store_uidrange){ r->v[i].first, r->v[i].last };
	return s;
}

struct imap_ranges
imapserver_saved(const struct imapserver_session *s, struct arena *a)
{
	struct imap_ranges r = { .v = s->nsaved ? ARENA_NEWN(a, s->nsaved, struct imap_range) : NULL, .n = s->nsaved, .cap = s->nsaved };

	for (size_t i = 0; i < s->nsaved; i++)
		r.v[i] = s->saved[i];
	return r;
}

void
imapserver_set_saved(struct imapserver_session *s, const struct imap_ranges *r)
{
	mem_free(&s->saved);
	s->nsaved = 0;
	if (r->n == 0)
		return;
	s->saved = mem_allocn(r->n, sizeof(*s->saved));
	for (size_t i = 0; i < r->n; i++)
		s->saved[i] = r->v[i];
	s->nsaved = r->n;
}
