/* SPDX-License-Identifier: MIT */
/* DELETE   rfc/9051:1972. There are no names without a mailbox: one that has children stays. */
#include "imapserver/imapserver_internal.h"

int
imapserver_cmd_delete(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct str asked, name;
	struct store_mailbox mb;
	struct errmsg e = { 0 };

	imap_sp(&c->in);
	TRY(imapserver_mailbox_arg(c, &asked));
	TRY(imapserver_end(c));
	int r = store_mailbox_name(c->a, asked, false, &name, &e);
	if (r < 0)
		return imapserver_error(c, r, &e, "deleting a mailbox");
	r = store_write(c->s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "deleting a mailbox");
	TRY(imapserver_find(c, &tx, name, "NONEXISTENT", &mb));
	r = store_mailbox_delete(&tx, &mb);
	if (r == 0)
		r = store_tx_commit(&tx, c->s->comm);
	return r < 0 ? imapserver_error(c, r, NULL, "deleting a mailbox") : 0;
}
