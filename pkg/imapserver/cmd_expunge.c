/* SPDX-License-Identifier: MIT */
/* EXPUNGE   rfc/9051:3687, UID EXPUNGE   rfc/9051:4777 */
#include "imapserver/imapserver_internal.h"

#define CHUNK 500

/*
 * Reads live messages of the set that are marked \Deleted, and expunges them. In chunks: an array of all could be
 * large, while one transaction is what makes the command atomic.
 */
static int
expunge(struct imapserver_cmd *c, struct store_tx *tx, struct store_mailbox *mb, const struct imap_ranges *uids, struct imap_ranges *r_gone)
{
	struct imap_ranges rest = *uids, gone = { 0 };

	while (rest.n > 0) {
		struct store_message *v = ARENA_NEWN(c->a, CHUNK, struct store_message);
		struct store_uidset set = imapserver_uidset(c->a, &rest);
		struct store_scan scan = { .tx = tx, .mailbox_id = mb->id, .set = &set, .live_only = true };
		uint32_t last = 0;
		size_t n = 0;
		int r = 0;

		while (n < CHUNK && (r = store_scan_next(&scan, c->a, &v[n], NULL)) > 0) {
			last = v[n].uid;
			n += (v[n].flags & STORE_DELETED) != 0;
		}
		store_scan_done(&scan);
		for (size_t i = 0; i < n; i++)
			imap_ranges_add(c->a, &gone, v[i].uid, v[i].uid);
		if (r >= 0 && n > 0)
			r = MIN(store_expunge(tx, mb, v, n), 0);
		if (r < 0)
			return r;
		if (n < CHUNK)
			break;
		struct imap_ranges done = { 0 }, left;
		imap_ranges_add(c->a, &done, 1, last);
		imap_ranges_minus(c->a, &rest, &done, &left);
		rest = left;
	}
	*r_gone = gone;
	return 0;
}

int
imapserver_remove_deleted(struct imapserver_cmd *c, const struct imap_ranges *uids, bool silent)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_session *s = c->s;
	struct imap_ranges all, gone;
	struct store_mailbox mb;

	if (!uids) {
		all = imapserver_view_all(s->view, c->a);
		uids = &all;
	}
	int r = store_write(s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "expunging messages");
	r = store_mailbox_get(&tx, s->view->mailbox_id, &mb);
	if (silent && r >= 0 && (r == 0 || mb.expunged))
		return 0;
	TRY(imapserver_selected(c, &tx, &mb));
	r = expunge(c, &tx, &mb, uids, &gone);
	int64_t modseq = mb.modseq;
	if (r == 0 && gone.n > 0) {
		imapserver_take_changes(c);
		r = store_tx_modseq(&tx, &modseq);
		if (r == 0)
			r = store_tx_commit(&tx, s->comm);
	}
	if (r < 0)
		return imapserver_error(c, r, NULL, "expunging messages");
	store_tx_rollback(&tx);
	if (silent)
		return 0;
	imapserver_tell_changes(c, false);
	imapserver_tell_gone(c, &gone);
	if (s->enabled & IMAPSERVER_CONDSTORE)
		imapserver_code(c, "HIGHESTMODSEQ %lld", (long long)modseq);    /* rfc/7162:1799 */
	return 0;
}

int
imapserver_cmd_expunge(struct imapserver_cmd *c)
{
	struct imap_set set = { 0 };
	struct imap_ranges uids = { 0 };

	if (c->uid) {
		imap_sp(&c->in);
		imap_set(&c->in, &set);
	}
	TRY(imapserver_end(c));
	if (c->s->view->readonly)
		return imapserver_no(c, NULL, "mailbox is read-only");
	if (c->uid)
		TRY(imapserver_resolve(c, &set, &uids));
	return imapserver_remove_deleted(c, c->uid ? &uids : NULL, false);
}
