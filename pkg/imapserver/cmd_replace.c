/* SPDX-License-Identifier: MIT */
/*
 * REPLACE   rfc/8508:158, UID REPLACE: a message goes, another comes, in one transaction. How the message comes is in
 * upload.c.
 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

/* The message that goes, while it is there. */
static int
find_old(struct imapserver_cmd *c, struct store_tx *tx, uint32_t uid, struct store_mailbox *r_mb,
	struct store_message *r_m)
{
	TRY(imapserver_selected(c, tx, r_mb));
	int r = store_message_by_uid(tx, r_mb->id, uid, r_m);
	if (r < 0)
		return imapserver_error(c, r, NULL, "replacing a message");
	if (r == 0 || r_m->expunged)
		return imapserver_error(c, STORE_MESSAGE_EXPUNGED, NULL, "replacing a message");
	return 0;
}

/* Its size counts for what takes its place: rfc/8508:245 */
static int
check(struct imapserver_cmd *c, const struct imapserver_upload *up, struct store_tx *tx, int64_t *r_credit)
{
	struct store_mailbox mb;
	struct store_message m;

	TRY(find_old(c, tx, up->uid, &mb, &m));
	*r_credit = m.size;
	return 0;
}

/* Both at once, in the same mailbox or in two. */
static int
exchange(struct imapserver_cmd *c, struct imapserver_upload *up, struct store_tx *tx, const struct store_add *add,
	struct store_added *r_added, int64_t *r_modseq)
{
	struct store_mailbox src, other, *dst = &src;
	struct store_message old;
	struct errmsg e = { 0 };

	TRY(find_old(c, tx, up->uid, &src, &old));
	TRY(imapserver_find(c, tx, up->name, "TRYCREATE", &other));
	if (other.id != src.id)
		dst = &other;
	int r = store_quota_fits(tx, up->size - old.size);
	if (r == 0)
		r = store_add_message(tx, dst, add, r_added, &e);
	if (r == 0)
		r = store_expunge(tx, &src, &old, 1);
	if (r >= 0)
		r = store_tx_modseq(tx, r_modseq);
	if (r < 0)
		return imapserver_error(c, r, &e, "replacing a message");
	imapserver_take_changes(c);
	r = store_tx_commit(tx, c->s->comm);
	return r < 0 ? imapserver_error(c, r, NULL, "replacing a message") : 0;
}

static int
commit(struct imapserver_cmd *c, struct imapserver_upload *up)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_session *s = c->s;
	struct store_add add = { .skip_quota = true };
	struct store_added added = { 0 };
	struct imap_ranges gone = { 0 };
	int64_t modseq = 0;

	int r = imapserver_upload_prepare(c, up, &add);
	if (r == 0) {
		r = store_write(s->acct, &tx);
		if (r < 0)
			r = imapserver_error(c, r, NULL, "replacing a message");
		else
			r = exchange(c, up, &tx, &add, &added, &modseq);
		store_tx_rollback(&tx);
	}
	store_prepared_free(&add.prepared);
	if (r < 0)
		return r;

	imapserver_tell_changes(c, false);
	/* Before the EXPUNGE, so that the client knows what came for what goes: rfc/8508:403 */
	buf_addf(&c->out, "* OK [APPENDUID %u %u] replaced\r\n", (unsigned)added.uidvalidity, (unsigned)added.uid);
	if (s->view->mailbox_id == added.mailbox_id) {
		imapserver_view_add(s->view, added.uid);
		buf_addf(&c->out, "* %u EXISTS\r\n", (unsigned)s->view->count);
	}
	imap_ranges_add(c->a, &gone, up->uid, up->uid);
	imapserver_tell_gone(c, &gone);
	if (s->enabled & IMAPSERVER_CONDSTORE)
		imapserver_code(c, "HIGHESTMODSEQ %lld", (long long)modseq);    /* rfc/8508:422 rfc/7162:1799 */
	return 0;
}

static const struct imapserver_upload_ops replace_ops = { check, commit };

const struct imapserver_steps imapserver_replace_steps = { imapserver_upload_step, imapserver_upload_free, false };

/* replace = "REPLACE" SP seq-number SP mailbox append-message   rfc/8508:471 */
int
imapserver_cmd_replace(struct imapserver_cmd *c)
{
	struct imapserver_view *v = c->s->view;
	struct imap_set set = { 0 };
	struct imap_ranges uids;

	imap_sp(&c->in);
	imap_set(&c->in, &set);
	if (cur_ok(&c->in) && (set.saved || set.n != 1 || set.v[0].first != set.v[0].last))
		cur_fail(&c->in, "number of one message");
	if (!cur_ok(&c->in))
		return imapserver_syntax(c);
	if (v->readonly)
		return imapserver_no(c, NULL, "mailbox is read-only");
	TRY(imapserver_resolve(c, &set, &uids));
	if (uids.n == 0)
		return imapserver_no(c, NULL, "no such message");

	struct imapserver_upload *up = mem_alloc(sizeof(*up));
	up->ops = &replace_ops;
	up->max = 1;
	up->uid = uids.v[0].first;
	return imapserver_upload(c, up);
}
