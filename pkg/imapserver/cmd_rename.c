/* SPDX-License-Identifier: MIT */
/*
 * RENAME   rfc/9051:2062. Inbox is special: it stays, and its messages move to the new mailbox (rfc/9051:2102).
 */
#include "imapserver/imapserver_internal.h"

/* When the session has Inbox selected, it must hear that all messages it knows are gone. */
static int
rename_inbox(struct imapserver_cmd *c, struct store_tx *tx, const struct store_mailbox *inbox, struct str to)
{
	struct imapserver_session *s = c->s;
	bool selected = s->view && s->view->mailbox_id == inbox->id;
	struct store_uidset live = { 0 };
	uint32_t unseen;

	int r = selected ? store_uids(tx, c->a, inbox->id, &live, &unseen) : 0;
	if (r == 0)
		r = store_mailbox_rename_inbox(tx, to);
	if (r == 0) {
		if (selected)
			imapserver_take_changes(c);
		r = store_tx_commit(tx, s->comm);
	}
	if (r < 0 || !selected)
		return r;
	imapserver_tell_changes(c, false);
	struct imap_ranges gone = { 0 };
	for (size_t i = 0; i < live.n; i++)
		imap_ranges_add(c->a, &gone, live.v[i].first, live.v[i].last);
	imapserver_tell_gone(c, &gone);
	return 0;
}

int
imapserver_cmd_rename(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct str from, asked_to, to;
	struct store_mailbox mb;
	struct errmsg e = { 0 };

	imap_sp(&c->in);
	TRY(imapserver_mailbox_arg(c, &from));
	imap_sp(&c->in);
	TRY(imapserver_mailbox_arg(c, &asked_to));
	TRY(imapserver_end(c));
	int r = store_mailbox_name(c->a, asked_to, false, &to, &e);
	if (r == 0)
		r = store_write(c->s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, &e, "renaming a mailbox");
	TRY(imapserver_find(c, &tx, from, "NONEXISTENT", &mb));
	if (str_is(mb.name, S("Inbox"))) {
		r = rename_inbox(c, &tx, &mb, to);
	} else {
		r = store_mailbox_rename(&tx, &mb, to);
		if (r == 0)
			r = store_tx_commit(&tx, c->s->comm);
	}
	return r < 0 ? imapserver_error(c, r, &e, "renaming a mailbox") : 0;
}
