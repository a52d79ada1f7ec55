/* SPDX-License-Identifier: MIT */
/* APPEND   rfc/9051:3406, with MULTIAPPEND (rfc/3502). How the messages come is in upload.c. */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

/* The messages are in and acknowledged together, or not at all. */
static int
add_messages(struct imapserver_cmd *c, struct imapserver_upload *up, struct store_tx *tx, const struct store_add *adds,
	struct store_added *r_added)
{
	struct store_mailbox mb;
	struct errmsg e = { 0 };

	TRY(imapserver_find(c, tx, up->name, "TRYCREATE", &mb));
	for (size_t i = 0; i < up->n; i++) {
		int r = store_add_message(tx, &mb, &adds[i], &r_added[i], &e);
		if (r < 0)
			return imapserver_error(c, r, &e, "appending a message");
	}
	imapserver_take_changes(c);
	int r = store_tx_commit(tx, c->s->comm);
	return r < 0 ? imapserver_error(c, r, NULL, "appending a message") : 0;
}

static int
commit(struct imapserver_cmd *c, struct imapserver_upload *up)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_session *s = c->s;
	struct store_add *adds = ARENA_NEWN(c->a, up->n, struct store_add);
	struct store_added *added = ARENA_NEWN(c->a, up->n, struct store_added);

	int r = imapserver_upload_prepare(c, up, adds);
	if (r == 0) {
		r = store_write(s->acct, &tx);
		r = r < 0 ? imapserver_error(c, r, NULL, "appending a message") : add_messages(c, up, &tx, adds, added);
		store_tx_rollback(&tx);
	}
	for (size_t i = 0; i < up->n; i++)
		store_prepared_free(&adds[i].prepared);
	if (r < 0)
		return r;

	imapserver_tell_changes(c, false);
	if (s->view && s->view->mailbox_id == added[0].mailbox_id) {
		for (size_t i = 0; i < up->n; i++)
			imapserver_view_add(s->view, added[i].uid);
		buf_addf(&c->out, "* %u EXISTS\r\n", (unsigned)s->view->count);
	}
	struct buf uids = BUF_ARENA(c->a, 100);
	imap_add_range(&uids, added[0].uid, added[up->n - 1].uid);
	/* rfc/4315:148 */
	imapserver_code(c, "APPENDUID %u " STRF, (unsigned)added[0].uidvalidity, STRA(buf_str(&uids)));
	return 0;
}

static const struct imapserver_upload_ops append_ops = { NULL, commit };

const struct imapserver_steps imapserver_append_steps = { imapserver_upload_step, imapserver_upload_free, false };

int
imapserver_cmd_append(struct imapserver_cmd *c)
{
	struct imapserver_upload *up = mem_alloc(sizeof(*up));

	up->ops = &append_ops;
	up->max = LIMIT_IMAP_APPEND_MESSAGES;
	return imapserver_upload(c, up);
}
