/* SPDX-License-Identifier: MIT */
/*
 * FETCH   rfc/9051:4330, UID FETCH, with CHANGEDSINCE (rfc/7162:866) and VANISHED (rfc/7162:1687), BINARY (rfc/3516),
 * PREVIEW (rfc/8970), SAVEDATE (rfc/8514), PARTIAL (rfc/9394:257). How each data item is made is in fetch_items.c.
 */
#include "imapserver/imapserver_internal.h"

struct args {
	struct imap_set set;
	bool has_changed_since, vanished, has_partial;
	struct imap_partial partial;
	uint64_t changed_since;
};

/* fetch-modifiers: CHANGEDSINCE, VANISHED and PARTIAL, in any order   rfc/7162:2479 rfc/9394:360 */
static void
parse_modifiers(struct cur *in, struct args *args)
{
	if (!cur_try(in, ' '))
		return;
	cur_char(in, '(');
	do {
		if (!args->has_changed_since && imap_try_keyword(in, S("CHANGEDSINCE"))) {
			imap_sp(in);
			args->has_changed_since = true;
			args->changed_since = imap_number64(in);
		} else if (!args->has_partial && imap_try_keyword(in, S("PARTIAL"))) {
			imap_sp(in);
			args->has_partial = true;
			imap_partial(in, &args->partial);
		} else if (!args->vanished && imap_try_keyword(in, S("VANISHED"))) {
			args->vanished = true;
		} else {
			cur_fail(in, "fetch modifier, once");
		}
	} while (cur_try(in, ' '));
	cur_char(in, ')');
}

static int
parse(struct imapserver_cmd *c, struct args *args, struct imapserver_fetch *f)
{
	struct imapserver_session *s = c->s;

	imap_sp(&c->in);
	imap_set(&c->in, &args->set);
	imap_sp(&c->in);
	imap_fetch_items(&c->in, &f->items);
	parse_modifiers(&c->in, args);
	TRY(imapserver_end(c));
	/* rfc/7162:1702 */
	if (args->vanished && (!c->uid || !(s->enabled & IMAPSERVER_QRESYNC) || !args->has_changed_since))
		return imapserver_bad(c, "VANISHED needs UID FETCH with CHANGEDSINCE, and QRESYNC enabled");
	if (args->has_partial && !c->uid)
		return imapserver_bad(c, "PARTIAL needs UID FETCH");            /* rfc/9394:259 */
	/* mod-sequence-value is above 0; some clients send 0 all the same, meaning everything */
	if (args->has_changed_since && args->changed_since == 0 && s->server->pedantic)
		return imapserver_bad(c, "CHANGEDSINCE must be above 0");
	return 0;
}

static void
plan(struct imapserver_cmd *c, const struct args *args, struct imapserver_fetch *f)
{
	f->modseq = args->has_changed_since || (c->uid && c->s->enabled & IMAPSERVER_QRESYNC);  /* rfc/7162:1407 */
	for (size_t i = 0; i < f->items.n; i++) {
		const struct imap_fetch_item *it = &f->items.v[i];
		switch (it->kind) {
		case IMAP_FETCH_FLAGS:
			f->flags = true;
			break;
		case IMAP_FETCH_MODSEQ:
			f->modseq = true;
			break;
		case IMAP_FETCH_UID:
		case IMAP_FETCH_INTERNALDATE:
		case IMAP_FETCH_RFC822_SIZE:
		case IMAP_FETCH_SAVEDATE:
		case IMAP_FETCH_EMAILID:
		case IMAP_FETCH_THREADID:
			break;
		default:
			f->with_body = true;
			break;
		}
		if (imap_fetch_sets_seen(it) && !c->s->view->readonly)
			f->sets_seen = true;
	}
}

/* UIDs of the set that the client may hold and that are gone. */
static int
tell_vanished(struct imapserver_cmd *c, const struct args *args)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_view *v = c->s->view;
	struct imap_ranges live = imapserver_view_all(v, c->a), among, below = { 0 }, vanished;
	struct store_mailbox mb;

	int r = store_read(c->s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "finding expunged messages");
	TRY(imapserver_selected(c, &tx, &mb));
	if (args->set.saved)
		among = imapserver_saved(c->s, c->a);
	else
		imap_set_resolve(c->a, &args->set, imapserver_view_last_uid(v), &among);
	/* Of UIDs that the session was not told about it cannot hear that they are gone. */
	if (v->uidnext > 1)
		imap_ranges_add(c->a, &below, 1, v->uidnext - 1);
	imap_ranges_and(c->a, &among, &below, &among);
	TRY(imapserver_find_vanished(c, &tx, &mb, &among, &live, (int64_t)args->changed_since, &vanished));
	store_tx_rollback(&tx);
	imapserver_add_vanished(c, &vanished, true);
	return 0;
}

/* Answers for each message of the set. *r_gone: the client still believes in messages that are expunged. */
static int
fetch(struct imapserver_cmd *c, const struct args *args, struct imapserver_fetch *f, const struct imap_ranges *uids, bool *r_gone)
{
	struct imapserver_scan scan = {
		.uids = uids, .with_body = f->with_body, .live_only = args->changed_since > 0, .changed_since = (int64_t)args->changed_since,
	};
	uint64_t found = 0;

	for (;;) {
		ARENA_SCOPE(c->a);
		struct imapserver_row *rows;
		size_t n;
		int r = imapserver_scan(c, &scan, &rows, &n);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		for (size_t i = 0; i < n; i++) {
			ARENA_SCOPE(c->a);
			TRY(imapserver_fetch_message(c, f, &rows[i]));
			*r_gone = *r_gone || rows[i].m.expunged;
		}
		found += n;
		imapserver_fetch_save(c, f);
	}
	if (args->changed_since == 0 && found < imap_ranges_count(uids))
		*r_gone = true;
	return 0;
}

static int
run(struct imapserver_cmd *c, struct imapserver_fetch *f)
{
	struct args args = { 0 };
	struct imap_ranges uids;
	struct store_mailbox mb;
	bool gone = false, all = true;

	TRY(parse(c, &args, f));
	TRY(imapserver_resolve(c, &args.set, &uids));
	if (args.has_partial)
		uids = imapserver_part_of(c->a, &args.partial, &uids);
	plan(c, &args, f);
	if (f->modseq && !(c->s->enabled & IMAPSERVER_CONDSTORE))
		TRY(imapserver_enable_condstore(c));
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		int r = store_read(c->s->acct, &tx);
		if (r < 0)
			return imapserver_error(c, r, NULL, "fetching messages");
		TRY(imapserver_selected(c, &tx, &mb));
	}
	if (args.vanished && args.changed_since > 0)
		TRY(tell_vanished(c, &args));
	TRY(fetch(c, &args, f, &uids, &gone));
	if (f->seen.n > 0)
		TRY(imapserver_set_seen(c, &f->seen, &all));
	if (gone || !all)
		c->code = S("EXPUNGEISSUED");           /* rfc/5530:202 */
	return 0;
}

int
imapserver_cmd_fetch(struct imapserver_cmd *c)
{
	struct imapserver_fetch f = { 0 };
	int r = run(c, &f);

	imapserver_fetch_done(&f);
	return r;
}
