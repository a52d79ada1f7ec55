/* SPDX-License-Identifier: MIT */
/* What COPY and MOVE share: arguments, and the messages in question. */
#include "imapserver/imapserver_internal.h"

#define CODE_MAX (64 * 1024 * 1024)     /* sets that name each message of a huge mailbox */

/* SP sequence-set SP mailbox   rfc/9051:6482 */
int
imapserver_copy_args(struct imapserver_cmd *c, struct imap_ranges *r_uids, struct str *r_name)
{
	struct imap_set set = { 0 };

	imap_sp(&c->in);
	imap_set(&c->in, &set);
	imap_sp(&c->in);
	TRY(imapserver_mailbox_arg(c, r_name));
	TRY(imapserver_end(c));
	return imapserver_resolve(c, &set, r_uids);
}

int
imapserver_copy_begin(struct imapserver_cmd *c, struct store_tx *tx, const struct imap_ranges *uids, struct str name, struct imapserver_copy *r_copy)
{
	struct imapserver_copy k = { 0 };
	uint64_t count = imap_ranges_count(uids);

	int r = store_write(c->s->acct, tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "copying messages");
	TRY(imapserver_selected(c, tx, &k.src));
	TRY(imapserver_find(c, tx, name, "TRYCREATE", &k.dst));
	if (k.src.id == k.dst.id)
		return imapserver_no(c, NULL, "source and destination are the same");
	*r_copy = k;
	if (count == 0)
		return 0;

	struct store_uidset set = imapserver_uidset(c->a, uids);
	cleanup_(store_scan_done) struct store_scan scan = { .tx = tx, .mailbox_id = k.src.id, .set = &set };
	k.v = ARENA_NEWN(c->a, count, struct store_message);
	while (k.n < count && (r = store_scan_next(&scan, c->a, &k.v[k.n], NULL)) > 0) {
		/* The client believes it to be there: all or nothing. */
		if (k.v[k.n].expunged)
			return imapserver_error(c, STORE_MESSAGE_EXPUNGED, NULL, "copying messages");
		k.n++;
	}
	if (r < 0)
		return imapserver_error(c, r, NULL, "copying messages");
	if (k.n < count)
		return imapserver_error(c, STORE_MESSAGE_EXPUNGED, NULL, "copying messages");
	*r_copy = k;
	return 0;
}

/* "COPYUID" SP nz-number SP uid-set SP uid-set   rfc/9051:6881 */
struct str
imapserver_copyuid(struct imapserver_cmd *c, const struct imapserver_copy *k, const struct imap_ranges *from, const uint32_t *new_uids)
{
	struct buf b = BUF_ARENA(c->a, CODE_MAX);
	struct imap_ranges to = { 0 };

	for (size_t i = 0; i < k->n; i++)
		imap_ranges_add(c->a, &to, new_uids[i], new_uids[i]);
	buf_addf(&b, "COPYUID %u ", (unsigned)k->dst.uidvalidity);
	imap_add_ranges(&b, from->v, from->n);
	buf_addc(&b, ' ');
	imap_add_ranges(&b, to.v, to.n);
	return buf_str(&b);
}
