/* SPDX-License-Identifier: MIT */
/*
 * SEARCH   rfc/9051:3716, UID SEARCH, with ESEARCH (rfc/4731), SEARCHRES (rfc/5182), WITHIN (rfc/5032), MODSEQ
 * (rfc/7162:1039), PARTIAL (rfc/9394:135).
 */
#include "imapserver/imapserver_internal.h"

#define SEARCH_LINE 100                 /* numbers of one SEARCH response: long lines trouble clients */

struct result {
	const struct imapserver_search *q;
	struct arena mem;               /* outlives the batches */
	struct imap_ranges uids;        /* of all matches that were looked for */
	uint32_t count;
	int64_t modseq;                 /* highest of them */
	int64_t first_modseq, last_modseq;
};

/* Nothing beyond the first match is wanted. */
static bool
is_min_only(const struct imapserver_search *q)
{
	return q->extended && (q->ret & ~(unsigned)IMAP_RETURN_SAVE) == IMAP_RETURN_MIN;
}

static int
add(void *arg, struct imapserver_cmd *c, const struct imapserver_row *row)
{
	struct result *res = arg;
	int64_t modseq = row->m.modseq;

	(void)c;
	imap_ranges_add(&res->mem, &res->uids, row->m.uid, row->m.uid);
	if (res->count++ == 0)
		res->first_modseq = modseq;
	res->last_modseq = modseq;
	res->modseq = MAX(res->modseq, modseq);
	return is_min_only(res->q);
}

/* The matches as the command names messages. */
static struct imap_ranges
numbers(struct imapserver_cmd *c, const struct imap_ranges *uids)
{
	struct imap_ranges r = { 0 };

	if (c->uid)
		return *uids;
	for (size_t i = 0; i < uids->n; i++) {
		for (uint64_t uid = uids->v[i].first; uid <= uids->v[i].last; uid++) {
			uint32_t seq = imapserver_view_seq(c->s->view, (uint32_t)uid);
			imap_ranges_add(c->a, &r, seq, seq);
		}
	}
	return r;
}

/* mailbox-data: "SEARCH" *(SP nz-number) [SP "(" "MODSEQ" SP n ")"]   rfc/3501:4832 rfc/7162:2557 */
static void
tell_search(struct imapserver_cmd *c, const struct imapserver_search *q, const struct result *res, const struct imap_ranges *found)
{
	unsigned on_line = 0;

	buf_add(&c->out, S("* SEARCH"));
	for (size_t i = 0; i < found->n; i++) {
		for (uint64_t v = found->v[i].first; v <= found->v[i].last; v++) {
			if (on_line++ == SEARCH_LINE) {
				if (q->modseq)
					buf_addf(&c->out, " (MODSEQ %lld)", (long long)res->modseq);
				buf_add(&c->out, S("\r\n* SEARCH"));
				imapserver_send(c, false);
				on_line = 1;
			}
			buf_addc(&c->out, ' ');
			buf_addu(&c->out, v);
		}
	}
	if (q->modseq && res->count > 0)
		buf_addf(&c->out, " (MODSEQ %lld)", (long long)res->modseq);
	buf_add(&c->out, S("\r\n"));
}

/* The highest modseq of what the answer names: of MIN and MAX only those (rfc/7162:1206). */
static int64_t
told_modseq(const struct imapserver_search *q, const struct result *res)
{
	if (q->ret & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT))
		return res->modseq;
	int64_t min = q->ret & IMAP_RETURN_MIN ? res->first_modseq : 0, max = q->ret & IMAP_RETURN_MAX ? res->last_modseq : 0;
	return MAX(min, max);
}

/* esearch-response   rfc/9051:6546 */
static void
tell_esearch(struct imapserver_cmd *c, const struct imapserver_search *q, const struct result *res, const struct imap_ranges *found)
{
	if (q->ret == IMAP_RETURN_SAVE)
		return;
	imapserver_add_esearch(c);
	if (q->ret & IMAP_RETURN_MIN && found->n > 0)
		buf_addf(&c->out, " MIN %u", (unsigned)found->v[0].first);
	if (q->ret & IMAP_RETURN_MAX && found->n > 0)
		buf_addf(&c->out, " MAX %u", (unsigned)found->v[found->n - 1].last);
	if (q->ret & IMAP_RETURN_COUNT)
		buf_addf(&c->out, " COUNT %u", (unsigned)res->count);
	if (q->ret & IMAP_RETURN_ALL && found->n > 0) {
		buf_add(&c->out, S(" ALL "));
		imap_add_ranges(&c->out, found->v, found->n);
	}
	if (q->ret & IMAP_RETURN_PARTIAL) {
		struct imap_ranges part = imapserver_part_of(c->a, &q->partial, found);
		buf_add(&c->out, S(" PARTIAL ("));
		imap_add_partial(&c->out, &q->partial);
		buf_addc(&c->out, ' ');
		if (part.n > 0)
			imap_add_ranges(&c->out, part.v, part.n);
		else
			buf_add(&c->out, S("NIL"));
		buf_addc(&c->out, ')');
	}
	if (q->modseq && found->n > 0)
		buf_addf(&c->out, " MODSEQ %lld", (long long)told_modseq(q, res));
	buf_add(&c->out, S("\r\n"));
}

/*
 * What is saved: with only MIN, MAX and PARTIAL, just these; else all   rfc/9051:4104 rfc/9394:241
 */
static void
save(struct imapserver_cmd *c, const struct imapserver_search *q, const struct imap_ranges *uids)
{
	unsigned some = IMAP_RETURN_MIN | IMAP_RETURN_MAX | IMAP_RETURN_PARTIAL;
	struct imap_ranges part = { 0 }, ends = { 0 };

	if (!(q->ret & some) || q->ret & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT)) {
		imapserver_set_saved(c->s, uids);
		return;
	}
	if (q->ret & IMAP_RETURN_PARTIAL)
		part = imapserver_part_of(c->a, &q->partial, uids);
	if (uids->n > 0 && q->ret & IMAP_RETURN_MIN && !imap_ranges_has(&part, uids->v[0].first))
		imap_ranges_add(c->a, &ends, uids->v[0].first, uids->v[0].first);
	for (size_t i = 0; i < part.n; i++)
		imap_ranges_add(c->a, &ends, part.v[i].first, part.v[i].last);
	if (uids->n > 0 && q->ret & IMAP_RETURN_MAX) {
		uint32_t max = uids->v[uids->n - 1].last;
		imap_ranges_add(c->a, &ends, max, max);
	}
	imapserver_set_saved(c->s, &ends);
}

int
imapserver_cmd_search(struct imapserver_cmd *c)
{
	struct imapserver_search q = { 0 };
	struct result res = { .q = &q };

	imap_sp(&c->in);
	imapserver_search_return(c, &q);
	TRY(imapserver_search_parse(c, &q, false));
	if (c->s->enabled & IMAPSERVER_REV2 && !q.extended) {
		q.extended = true;              /* rfc/9051:3737 */
		q.ret = IMAP_RETURN_ALL;
	}
	int r = imapserver_search_run(c, &q, false, add, &res);
	if (r == 0) {
		struct imap_ranges found = numbers(c, &res.uids);
		if (q.extended)
			tell_esearch(c, &q, &res, &found);
		else
			tell_search(c, &q, &res, &found);
	}
	if (q.ret & IMAP_RETURN_SAVE)
		save(c, &q, r == 0 ? &res.uids : &(struct imap_ranges){ 0 });
	arena_done(&res.mem);
	return r;
}
