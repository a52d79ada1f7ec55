/* SPDX-License-Identifier: MIT */
/* COPY   rfc/9051:4602, UID COPY, with COPYUID (rfc/4315:183) */
#include "imapserver/imapserver_internal.h"

int
imapserver_cmd_copy(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_copy k;
	struct imap_ranges uids;
	struct str name;
	uint32_t *new_uids;

	TRY(imapserver_copy_args(c, &uids, &name));
	TRY(imapserver_copy_begin(c, &tx, &uids, name, &k));
	if (k.n == 0)
		return 0;               /* UIDs that do not exist are no error: rfc/9051:4770 */
	int r = store_copy(&tx, &k.src, &k.dst, k.v, k.n, &new_uids);
	if (r < 0)
		return imapserver_error(c, r, NULL, "copying messages");
	c->code = imapserver_copyuid(c, &k, &uids, new_uids);
	r = store_tx_commit(&tx, c->s->comm);
	if (r < 0) {
		c->code = (struct str){ 0 };
		return imapserver_error(c, r, NULL, "copying messages");
	}
	return 0;
}
