/* SPDX-License-Identifier: MIT */
/*
 * SELECT   rfc/9051:1754, EXAMINE   rfc/9051:1868, with the parameters CONDSTORE (rfc/7162:1146) and QRESYNC (rfc/7162:1432).
 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

struct params {
	bool condstore, qresync;
	/* QRESYNC (uidvalidity modseq [known-uids] [(known-sequence-set known-uid-set)]) */
	uint32_t uidvalidity;
	uint64_t modseq;
	struct imap_set known;          /* n 0: not given */
	struct imap_set match_seqs, match_uids;
};

/* "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"   rfc/7162:2599 */
static void
parse_qresync(struct cur *in, struct params *p)
{
	imap_sp(in);
	cur_char(in, '(');
	p->uidvalidity = imap_nz_number(in);
	imap_sp(in);
	p->modseq = imap_nz_number64(in);
	struct cur t = *in;
	if (cur_try(&t, ' ') && !cur_is(&t, '(')) {
		imap_uid_set(&t, &p->known);
		*in = t;
	}
	if (cur_try(in, ' ')) {
		cur_char(in, '(');
		imap_uid_set(in, &p->match_seqs);
		imap_sp(in);
		imap_uid_set(in, &p->match_uids);
		cur_char(in, ')');
	}
	cur_char(in, ')');
}

static int
parse(struct imapserver_cmd *c, struct str *r_name, struct params *p)
{
	struct cur *in = &c->in;

	imap_sp(in);
	TRY(imapserver_mailbox_arg(c, r_name));
	if (cur_try(in, ' ')) {
		cur_char(in, '(');
		do {
			if (!p->condstore && imap_try_keyword(in, S("CONDSTORE"))) {
				p->condstore = true;
			} else if (!p->qresync && imap_try_keyword(in, S("QRESYNC"))) {
				p->qresync = true;
				parse_qresync(in, p);
			} else {
				cur_fail(in, "CONDSTORE or QRESYNC, once");
			}
		} while (cur_try(in, ' '));
		cur_char(in, ')');
	}
	TRY(imapserver_end(c));
	/* rfc/7162:1413 */
	if (p->qresync && !(c->s->enabled & IMAPSERVER_QRESYNC))
		return imapserver_bad(c, "QRESYNC must be enabled first");
	if (p->match_seqs.n > 0 && c->s->enabled & IMAPSERVER_UIDONLY)
		return imapserver_uid_required(c);      /* rfc/9586:255 */
	return 0;
}

/* Walks a set number by number: one step. False at the end. */
struct walk {
	const struct imap_set *set;
	size_t i;
	uint32_t next;
};
static bool
walk_next(struct walk *w, uint32_t *r_v)
{
	if (w->next == 0) {
		if (w->i == w->set->n)
			return false;
		w->next = w->set->v[w->i].first;
	}
	*r_v = w->next;
	if (w->next == w->set->v[w->i].last) {
		w->i++;
		w->next = 0;
	} else {
		w->next++;
	}
	return true;
}

/* Match data: numbers that ascend strictly, as many in both sets. */
static int
check_match_data(struct imapserver_cmd *c, const struct params *p)
{
	const struct imap_set *sets[2] = { &p->match_seqs, &p->match_uids };
	uint64_t counts[2] = { 0, 0 };

	for (int k = 0; k < 2; k++) {
		uint32_t before = 0;
		for (size_t i = 0; i < sets[k]->n; i++) {
			if (sets[k]->v[i].first <= before || sets[k]->v[i].last < sets[k]->v[i].first)
				return imapserver_no(c, NULL, "match data must be in ascending order");
			before = sets[k]->v[i].last;
			counts[k] += (uint64_t)before - sets[k]->v[i].first + 1;
		}
	}
	return counts[0] == counts[1] ? 0 : imapserver_bad(c, "match data must be as long in UIDs as in sequence numbers");
}

/*
 * Compares the client's pairs of sequence number and UID with the mailbox (rfc/7162:1579). Up to the last pair that
 * is right nothing vanished: *r_from is the UID above which it may have. A pair that is wrong because its message was
 * expunged before the client's modseq shows that the client missed something (*r_inconsistent): *r_modseq goes back
 * to before that.
 */
static int
match_pairs(struct imapserver_cmd *c, struct store_tx *tx, const struct imapserver_view *v, const struct params *p, uint32_t *r_from, bool *r_inconsistent,
	uint64_t *r_modseq)
{
	struct walk seqs = { .set = &p->match_seqs }, uids = { .set = &p->match_uids };
	uint32_t seq, uid, good = 0;
	struct store_message m;

	while (walk_next(&seqs, &seq) && walk_next(&uids, &uid)) {
		if (imapserver_view_seq(v, uid) == seq) {
			good = uid;
			continue;
		}
		int r = store_message_by_uid(tx, v->mailbox_id, uid, &m);
		if (r < 0)
			return imapserver_error(c, r, NULL, "comparing a client's state");
		if (r > 0 && m.expunged && (uint64_t)m.modseq <= *r_modseq) {
			*r_inconsistent = true;
			*r_modseq = (uint64_t)m.modseq - 1;
			good = 0;
		}
		break;
	}
	*r_from = good;
	return 0;
}

/* What the client missed since its modseq. */
struct missed {
	bool inconsistent;              /* the client believes in messages that were gone before its modseq */
	struct imap_ranges changed;     /* live messages in question: those above `since` are told */
	int64_t since;
	struct imap_ranges vanished;
};

static int
find_missed(struct imapserver_cmd *c, struct store_tx *tx, const struct store_mailbox *mb, const struct imapserver_view *v, const struct params *p,
	struct missed *r_missed)
{
	struct imap_ranges live = imapserver_view_all(v, c->a), known = { 0 }, gone;
	uint64_t modseq = p->modseq;
	uint32_t from = 0;

	if (p->uidvalidity != mb->uidvalidity)
		return 0;
	TRY(match_pairs(c, tx, v, p, &from, &r_missed->inconsistent, &modseq));
	if (p->known.n > 0)
		imap_set_resolve(c->a, &p->known, 0, &known);
	else
		imap_ranges_add(c->a, &known, 1, UINT32_MAX);
	imap_ranges_and(c->a, &known, &live, &r_missed->changed);
	r_missed->since = (int64_t)modseq;

	TRY(imapserver_find_vanished(c, tx, mb, &known, &live, r_missed->since, &gone));
	struct imap_ranges in_sync = { 0 };
	if (from > 0)
		imap_ranges_add(c->a, &in_sync, 1, from);
	imap_ranges_minus(c->a, &gone, &in_sync, &r_missed->vanished);
	return 0;
}

static int
tell_changed(struct imapserver_cmd *c, const struct imap_ranges *uids, int64_t since)
{
	struct imapserver_scan scan = { .uids = uids, .live_only = true, .changed_since = since };

	for (;;) {
		ARENA_SCOPE(c->a);
		struct imapserver_row *rows;
		size_t n;
		int r = imapserver_scan(c, &scan, &rows, &n);
		if (r <= 0)
			return r;
		for (size_t i = 0; i < n; i++) {
			const struct store_message *m = &rows[i].m;
			imapserver_add_fetch_flags(c, imapserver_view_seq(c->s->view, m->uid), m->uid, m->flags, m->keywords, m->modseq);
		}
	}
}

#define SYSTEM_FLAGS "\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent"

/* Responses in the order of rfc/9051:1767. */
static void
describe(struct imapserver_cmd *c, const struct store_mailbox *mb, bool readonly, uint32_t first_unseen_uid)
{
	struct imapserver_session *s = c->s;
	bool rev2 = s->enabled & IMAPSERVER_REV2;
	struct buf *b = &c->out;

	buf_addf(b, "* FLAGS (" SYSTEM_FLAGS "%s" STRF ")\r\n", mb->keywords.n ? " " : "", STRA(mb->keywords));
	/* In a mailbox that is only looked at no flag can be changed (rfc/9051:1897). */
	buf_addz(b, readonly ? "* OK [PERMANENTFLAGS ()] read-only\r\n" : "* OK [PERMANENTFLAGS (" SYSTEM_FLAGS " \\*)] flags\r\n");
	if (!rev2)
		buf_addz(b, "* 0 RECENT\r\n");
	buf_addf(b, "* %u EXISTS\r\n", (unsigned)s->view->count);
	if (!rev2 && !(s->enabled & IMAPSERVER_UIDONLY) && first_unseen_uid)    /* it is a number: rfc/9586:137 */
		buf_addf(b, "* OK [UNSEEN %u] first unseen\r\n", (unsigned)imapserver_view_seq(s->view, first_unseen_uid));
	buf_addf(b, "* OK [UIDVALIDITY %u] valid\r\n* OK [UIDNEXT %u] next\r\n* LIST () \"/\" ", (unsigned)mb->uidvalidity, (unsigned)mb->uidnext);
	imapserver_add_mailbox(c, mb->name);
	buf_addz(b, "\r\n");
	buf_addz(b, "* OK [MAILBOXID ");
	imapserver_add_object_id(b, 'F', mb->id);       /* rfc/8474:208 */
	buf_addz(b, "] mailbox\r\n");
	if (s->enabled & IMAPSERVER_CONDSTORE)
		buf_addf(b, "* OK [HIGHESTMODSEQ %lld] highest\r\n", (long long)mb->modseq);
}

/* Reads the mailbox as of one moment: what changes after it will be in the queue. */
static int
open_mailbox(struct imapserver_cmd *c, struct str name, const struct params *p, bool readonly)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_session *s = c->s;
	struct store_batch **batches;
	size_t nbatches;
	bool overflow;
	struct store_mailbox mb;
	struct store_uidset uids = { 0 };
	struct missed missed = { 0 };
	uint32_t first_unseen;

	int r = store_comm_snapshot(s->comm, c->a, &tx, &batches, &nbatches, &overflow);
	if (r < 0)
		return imapserver_error(c, r, NULL, "opening a mailbox");
	imapserver_taken(c, batches, nbatches, overflow);
	imapserver_tell_changes(c, false);      /* no mailbox is selected: only the list of mailboxes */
	TRY(imapserver_find(c, &tx, name, "NONEXISTENT", &mb));
	r = store_uids(&tx, c->a, mb.id, &uids, &first_unseen);
	if (r < 0)
		return imapserver_error(c, r, NULL, "opening a mailbox");
	struct imapserver_view *view = imapserver_view_new(&mb, &uids, readonly);
	if (p->qresync && (r = find_missed(c, &tx, &mb, view, p, &missed)) < 0) {
		imapserver_view_free(&view);
		return r;
	}
	mb.name = str_dup(c->a, mb.name);
	mb.keywords = str_dup(c->a, mb.keywords);
	store_tx_rollback(&tx);

	s->view = view;
	s->state = IMAPSERVER_SELECTED;
	if (p->condstore)
		s->enabled |= IMAPSERVER_CONDSTORE;
	describe(c, &mb, readonly, first_unseen);
	if (p->qresync) {
		if (missed.inconsistent)
			buf_addz(&c->out, "* OK [ALERT] the state of the client is inconsistent: all removals are told again\r\n");
		/* In this order, or the client is led astray about which number is which UID (rfc/7162:1715). */
		imapserver_add_vanished(c, &missed.vanished, true);
		TRY(tell_changed(c, &missed.changed, missed.since));
	}
	return 0;
}

static int
select_mailbox(struct imapserver_cmd *c, bool readonly)
{
	struct imapserver_session *s = c->s;
	struct params p = { 0 };
	struct str name;

	TRY(parse(c, &name, &p));
	if (s->view) {
		imapserver_unselect(s);
		buf_addz(&c->out, "* OK [CLOSED] previous mailbox closed\r\n");     /* rfc/9051:1814 */
	}
	if (p.qresync)
		TRY(check_match_data(c, &p));
	int r = open_mailbox(c, name, &p, readonly);
	if (r < 0) {
		imapserver_unselect(s);
		return r;
	}
	imapserver_code(c, readonly ? "READ-ONLY" : "READ-WRITE");
	return 0;
}

int
imapserver_cmd_select(struct imapserver_cmd *c)
{
	return select_mailbox(c, false);
}

int
imapserver_cmd_examine(struct imapserver_cmd *c)
{
	return select_mailbox(c, true);
}
