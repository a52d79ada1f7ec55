/* SPDX-License-Identifier: MIT */
/* Which UIDs are gone since a client last looked (QRESYNC, rfc/7162:1687). */
#include "imapserver/imapserver_internal.h"

int
imapserver_find_vanished(struct imapserver_cmd *c, struct store_tx *tx, const struct store_mailbox *mb, const struct imap_ranges *among,
	const struct imap_ranges *live, int64_t modseq, struct imap_ranges *r_vanished)
{
	struct imap_ranges gone = { 0 }, rest;
	struct store_uidset expunged = { 0 };
	int64_t highest_deleted = 0;

	int r = store_highest_deleted_modseq(tx, &highest_deleted);
	if (r == 0 && modseq < highest_deleted) {
		/* Some of the history was removed: whatever is not there may have been there. */
		if (mb->uidnext > 1)
			imap_ranges_add(c->a, &gone, 1, mb->uidnext - 1);
	} else if (r == 0) {
		r = store_vanished(tx, c->a, mb->id, modseq, &expunged);
		for (size_t i = 0; i < expunged.n; i++)
			imap_ranges_add(c->a, &gone, expunged.v[i].first, expunged.v[i].last);
	}
	if (r < 0)
		return imapserver_error(c, r, NULL, "finding expunged messages");
	/* What the session still shows is not gone for it yet; that will be told in due time. */
	imap_ranges_minus(c->a, &gone, live, &rest);
	imap_ranges_and(c->a, &rest, among, r_vanished);
	return 0;
}
