/* SPDX-License-Identifier: MIT */
/* CHECK   rfc/3501:2618. Everything is on disk already; it only finds out whether the mailbox is still there. */
#include "imapserver/imapserver_internal.h"

int
imapserver_cmd_check(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;

	TRY(imapserver_end(c));
	int r = store_read(c->s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "checking a mailbox");
	return imapserver_selected(c, &tx, &mb);
}
