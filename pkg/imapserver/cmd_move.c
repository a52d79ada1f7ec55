/* SPDX-License-Identifier: MIT */
/* MOVE   rfc/9051:4650 rfc/6851, UID MOVE */
#include "imapserver/imapserver_internal.h"

int
imapserver_cmd_move(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_session *s = c->s;
	struct imapserver_copy k;
	struct imap_ranges uids;
	struct str name;
	uint32_t *new_uids;
	int64_t modseq;

	TRY(imapserver_copy_args(c, &uids, &name));
	if (s->view->readonly)
		return imapserver_no(c, NULL, "mailbox is read-only");
	TRY(imapserver_copy_begin(c, &tx, &uids, name, &k));
	if (k.n == 0)
		return 0;               /* UIDs that do not exist are no error: rfc/9051:4770 */
	int r = store_move(&tx, &k.src, &k.dst, k.v, k.n, &new_uids);
	if (r == 0)
		r = store_tx_modseq(&tx, &modseq);
	if (r < 0)
		return imapserver_error(c, r, NULL, "moving messages");
	struct str copyuid = imapserver_copyuid(c, &k, &uids, new_uids);
	imapserver_take_changes(c);
	r = store_tx_commit(&tx, s->comm);
	if (r < 0)
		return imapserver_error(c, r, NULL, "moving messages");

	/* COPYUID comes first, untagged: it would mean nothing once the messages are gone (rfc/9051:4708). */
	imapserver_tell_changes(c, false);
	buf_addf(&c->out, "* OK [" STRF "] moved\r\n", STRA(copyuid));
	imapserver_tell_gone(c, &uids);
	if (s->enabled & IMAPSERVER_QRESYNC)
		imapserver_code(c, "HIGHESTMODSEQ %lld", (long long)modseq);
	return 0;
}
