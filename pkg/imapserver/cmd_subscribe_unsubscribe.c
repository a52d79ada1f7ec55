/* SPDX-License-Identifier: MIT */
/* SUBSCRIBE   rfc/9051:2172, UNSUBSCRIBE   rfc/9051:2203. Subscriptions are names; their mailboxes need not exist. */
#include "imapserver/imapserver_internal.h"

static int
begin(struct imapserver_cmd *c, struct store_tx *tx, struct str *r_name)
{
	struct errmsg e = { 0 };
	struct str name;

	imap_sp(&c->in);
	TRY(imapserver_mailbox_arg(c, &name));
	TRY(imapserver_end(c));
	int r = store_mailbox_name(c->a, name, true, r_name, &e);
	if (r == 0)
		r = store_write(c->s->acct, tx);
	return r < 0 ? imapserver_error(c, r, &e, "changing a subscription") : 0;
}

int
imapserver_cmd_subscribe(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct str name;

	TRY(begin(c, &tx, &name));
	int r = store_subscribe(&tx, name);
	if (r >= 0)
		r = store_tx_commit(&tx, c->s->comm);
	return r < 0 ? imapserver_error(c, r, NULL, "subscribing to a mailbox") : 0;
}

int
imapserver_cmd_unsubscribe(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	struct str name;

	TRY(begin(c, &tx, &name));
	int r = store_unsubscribe(&tx, name);
	if (r == 0) {
		/* Nothing to do for a mailbox that is there; a name that is not known at all is an error. */
		r = store_mailbox_find(&tx, name, &mb);
		if (r == 0)
			return imapserver_no(c, "NONEXISTENT", "not subscribed, and no such mailbox");
	}
	if (r >= 0)
		r = store_tx_commit(&tx, c->s->comm);
	return r < 0 ? imapserver_error(c, r, NULL, "unsubscribing from a mailbox") : 0;
}
