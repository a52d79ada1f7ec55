/* SPDX-License-Identifier: MIT */
/*
 * SORT   rfc/5256:183, UID SORT, with ESORT (rfc/5267:181), DISPLAYFROM and DISPLAYTO (rfc/5957). Strings are compared
 * by i;unicode-casemap.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "imapserver/imapserver_internal.h"
#include "message/header.h"

/* What a message is sorted by, in the order of the criteria: a number or a string each. */
struct value {
	int64_t n;
	struct str s;
};

struct item {
	uint32_t uid;
	int64_t modseq;
	const struct value *v;
};

struct sort {
	struct imapserver_search q;
	struct imap_sort by[IMAP_SORT_MAX];
	size_t nby;
	struct arena mem;               /* outlives the batches */
	struct item *v;
	size_t n, cap;
};

static bool
needs_envelope(const struct sort *s)
{
	for (size_t i = 0; i < s->nby; i++)
		if (s->by[i].key != IMAP_SORT_ARRIVAL && s->by[i].key != IMAP_SORT_SIZE && s->by[i].key != IMAP_SORT_SUBJECT)
			return true;
	return false;
}

/* addr-mailbox of the first address   rfc/5256:256 */
static struct str
first_mailbox(const struct message_addrs *l)
{
	if (l->n == 0)
		return S("");
	const struct message_addr *first = &l->v[0];
	return first->kind == MESSAGE_GROUP_START ? first->name : first->localpart;
}

/* DISPLAY sort value of the first address   rfc/5957:99 */
static struct str
first_display(struct arena *a, const struct message_addrs *l)
{
	if (l->n == 0)
		return S("");
	const struct message_addr *first = &l->v[0];
	struct str name = message_to_utf8(a, message_decode_words(a, first->name));
	if (name.n > 0)
		return name;
	return first->domain.n > 0 ? str_fmt(a, STRF "@" STRF, STRA(first->localpart), STRA(first->domain)) : first->localpart;
}

static struct value
value_of(struct arena *a, enum imap_sort_key key, const struct store_message *m, const struct message_envelope *env)
{
	switch (key) {
	case IMAP_SORT_ARRIVAL:
		return (struct value){ .n = m->received_us };
	case IMAP_SORT_SIZE:
		return (struct value){ .n = m->size };
	case IMAP_SORT_DATE:            /* rfc/5256:155 */
		return (struct value){ .n = env->has_date ? env->date_us : m->received_us };
	case IMAP_SORT_SUBJECT:
		return (struct value){ .s = m->subject_base };
	case IMAP_SORT_CC:
		return (struct value){ .s = first_mailbox(&env->cc) };
	case IMAP_SORT_FROM:
		return (struct value){ .s = first_mailbox(&env->from) };
	case IMAP_SORT_TO:
		return (struct value){ .s = first_mailbox(&env->to) };
	case IMAP_SORT_DISPLAYFROM:
		return (struct value){ .s = first_display(a, &env->from) };
	case IMAP_SORT_DISPLAYTO:
		return (struct value){ .s = first_display(a, &env->to) };
	}
	return (struct value){ 0 };
}

static int
add(void *arg, struct imapserver_cmd *c, const struct imapserver_row *row)
{
	struct sort *s = arg;
	struct imapserver_content k = { .acct = c->s->acct, .row = row, .a = c->a };
	struct value *v = ARENA_NEWN(&s->mem, s->nby, struct value);
	int r = needs_envelope(s) ? imapserver_content_structure(&k) : 0;

	for (size_t i = 0; i < s->nby && r == 0; i++) {
		v[i] = value_of(c->a, s->by[i].key, &row->m, k.loaded ? k.m.parts[0].envelope : NULL);
		if (v[i].s.n > 0)
			v[i].s = str_dup(&s->mem, utf8_casemap(c->a, message_to_utf8(c->a, v[i].s)));
	}
	imapserver_content_done(&k);
	if (r < 0)
		return r;
	if (s->n == s->cap) {
		size_t more = s->cap ? 2 * s->cap : 64;
		s->v = arena_grow(&s->mem, s->v, s->cap, more, sizeof(*s->v));
		s->cap = more;
	}
	s->v[s->n++] = (struct item){ row->m.uid, row->m.modseq, v };
	return 0;
}

/* REVERSE turns its criterion only, not the order of equal messages   rfc/5256:265 */
static int
compare(const void *x, const void *y, void *arg)
{
	const struct item *a = x, *b = y;
	const struct sort *s = arg;

	for (size_t i = 0; i < s->nby; i++) {
		int d = a->v[i].n < b->v[i].n ? -1 : a->v[i].n > b->v[i].n;
		if (d == 0)
			d = str_cmp(a->v[i].s, b->v[i].s);
		if (d != 0)
			return s->by[i].reverse ? -d : d;
	}
	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

static int64_t
highest_modseq(const struct item *v, size_t n)
{
	int64_t modseq = 0;

	for (size_t i = 0; i < n; i++)
		modseq = MAX(modseq, v[i].modseq);
	return modseq;
}

/* Numbers in their order; only what ascends by one becomes a range   rfc/5267:203 */
static void
add_set(struct imapserver_cmd *c, const struct item *v, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t first = imapserver_number(c, v[i].uid), last = first;
		if (i > 0)
			buf_addc(&c->out, ',');
		for (i++; i < n && imapserver_number(c, v[i].uid) == last + 1; i++)
			last++;
		imap_add_range(&c->out, first, last);
		imapserver_send(c, false);
	}
}

/* sort-data = "SORT" *(SP nz-number)   rfc/5256:779 */
static void
tell_sort(struct imapserver_cmd *c, const struct sort *s)
{
	buf_add(&c->out, S("* SORT"));
	for (size_t i = 0; i < s->n; i++) {
		buf_addc(&c->out, ' ');
		buf_addu(&c->out, imapserver_number(c, s->v[i].uid));
		imapserver_send(c, false);
	}
	if (s->q.modseq && s->n > 0)
		buf_addf(&c->out, " (MODSEQ %lld)", (long long)highest_modseq(s->v, s->n));
	buf_add(&c->out, S("\r\n"));
}

/* MIN is the first of the order, MAX the last   rfc/5267:187 */
static void
tell_esort(struct imapserver_cmd *c, const struct sort *s)
{
	unsigned ret = s->q.ret;
	uint64_t from, n;

	if (ret == IMAP_RETURN_SAVE)
		return;
	imapserver_add_esearch(c);
	if (ret & IMAP_RETURN_MIN && s->n > 0)
		buf_addf(&c->out, " MIN %u", (unsigned)imapserver_number(c, s->v[0].uid));
	if (ret & IMAP_RETURN_MAX && s->n > 0)
		buf_addf(&c->out, " MAX %u", (unsigned)imapserver_number(c, s->v[s->n - 1].uid));
	if (ret & IMAP_RETURN_COUNT)
		buf_addf(&c->out, " COUNT %zu", s->n);
	if (ret & IMAP_RETURN_ALL && s->n > 0) {
		buf_add(&c->out, S(" ALL "));
		add_set(c, s->v, s->n);
	}
	if (ret & IMAP_RETURN_PARTIAL) {
		imap_partial_of(&s->q.partial, s->n, &from, &n);
		buf_add(&c->out, S(" PARTIAL ("));
		imap_add_partial(&c->out, &s->q.partial);
		buf_addc(&c->out, ' ');
		if (n > 0)
			add_set(c, s->v + from, (size_t)n);
		else
			buf_add(&c->out, S("NIL"));
		buf_addc(&c->out, ')');
	}
	if (s->q.modseq && s->n > 0)
		buf_addf(&c->out, " MODSEQ %lld", (long long)highest_modseq(s->v, s->n));
	buf_add(&c->out, S("\r\n"));
}

static int
by_uid(const void *x, const void *y)
{
	const uint32_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

/* As for SEARCH: with only MIN, MAX and PARTIAL, just these; else all   rfc/9394:241 */
static void
save(struct imapserver_cmd *c, const struct sort *s)
{
	unsigned ret = s->q.ret, some = IMAP_RETURN_MIN | IMAP_RETURN_MAX | IMAP_RETURN_PARTIAL;
	bool all = !(ret & some) || ret & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT);
	uint32_t *uids = ARENA_NEWN(c->a, s->n + 2, uint32_t);
	struct imap_ranges saved = { 0 };
	uint64_t from = 0, part = 0;
	size_t n = 0;

	if (ret & IMAP_RETURN_PARTIAL)
		imap_partial_of(&s->q.partial, s->n, &from, &part);
	for (uint64_t i = all ? 0 : from; i < (all ? s->n : from + part); i++)
		uids[n++] = s->v[i].uid;
	if (!all && ret & IMAP_RETURN_MIN && s->n > 0)
		uids[n++] = s->v[0].uid;
	if (!all && ret & IMAP_RETURN_MAX && s->n > 0)
		uids[n++] = s->v[s->n - 1].uid;
	qsort(uids, n, sizeof(*uids), by_uid);
	for (size_t i = 0; i < n; i++)
		imap_ranges_add(c->a, &saved, uids[i], uids[i]);
	imapserver_set_saved(c->s, &saved);
}

static int
run(struct imapserver_cmd *c, struct sort *s)
{
	/* sort = ["UID" SP] "SORT" [SP "RETURN" ...] SP sort-criteria SP search-criteria   rfc/5256:758 rfc/5267:163 */
	imap_sp(&c->in);
	imapserver_search_return(c, &s->q);
	s->nby = imap_sort_criteria(&c->in, s->by);
	imap_sp(&c->in);
	TRY(imapserver_search_parse(c, &s->q, true));
	int r = imapserver_search_run(c, &s->q, needs_envelope(s), add, s);
	if (r < 0)
		s->n = 0;
	if (s->n > 1)
		qsort_r(s->v, s->n, sizeof(*s->v), compare, s);
	if (r == 0 && s->q.extended)
		tell_esort(c, s);
	else if (r == 0)
		tell_sort(c, s);
	if (s->q.ret & IMAP_RETURN_SAVE)
		save(c, s);
	return r;
}

int
imapserver_cmd_sort(struct imapserver_cmd *c)
{
	struct sort s = { 0 };
	int r = run(c, &s);

	arena_done(&s.mem);
	return r;
}
