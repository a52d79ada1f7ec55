/* SPDX-License-Identifier: MIT */
/*
 * Changes that others made, as untagged responses.
 *
 * The store queues them for the session in the order of their commits. They are told only where a command allows it
 * (the dispatcher sees to that), all at once and in order, so the view and what the client believes never differ.
 * What the session did itself is not in the queue; the command has told it. That leaves one trap: a queued flag
 * change that is older than a flag change of our own would tell old flags, so such flags are read anew.
 */
#include "imapserver/imapserver_internal.h"

#define VANISHED_LINE 4000

/* New messages are told together: one EXISTS, then the flags of each. */
struct adds {
	const struct store_change **v;
	size_t n, cap;
};

static void
tell_adds(struct imapserver_cmd *c, struct adds *adds)
{
	struct imapserver_view *v = c->s->view;

	if (adds->n == 0)
		return;
	buf_addf(&c->out, "* %u EXISTS\r\n", (unsigned)v->count);
	for (size_t i = 0; i < adds->n; i++) {
		const struct store_change *ch = adds->v[i];
		imapserver_add_fetch_flags(c, imapserver_view_seq(v, ch->uid), ch->uid, ch->flags, ch->keywords, ch->modseq);
	}
	adds->n = 0;
}

static void
add_later(struct imapserver_cmd *c, struct adds *adds, const struct store_change *ch)
{
	if (adds->n == adds->cap) {
		size_t more = adds->cap ? 2 * adds->cap : 16;
		adds->v = arena_grow(c->a, adds->v, adds->cap, more, sizeof(*adds->v));
		adds->cap = more;
	}
	adds->v[adds->n++] = ch;
	imapserver_view_add(c->s->view, ch->uid);
}

static void
tell_flags(struct imapserver_cmd *c, const struct store_change *ch)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_view *v = c->s->view;
	uint32_t seq = imapserver_view_seq(v, ch->uid);
	unsigned flags = ch->flags;
	struct str keywords = ch->keywords;
	int64_t modseq = ch->modseq;

	if (seq == 0)
		return;
	if (ch->modseq < v->own_modseq) {
		struct store_message m;
		if (store_read(c->s->acct, &tx) < 0 || store_message_by_uid(&tx, v->mailbox_id, ch->uid, &m) <= 0)
			return;
		flags = m.flags;
		keywords = str_dup(c->a, m.keywords);
		modseq = m.modseq;
		store_tx_rollback(&tx);
	}
	imapserver_add_fetch_flags(c, seq, ch->uid, flags, keywords, modseq);
}

void
imapserver_add_vanished(struct imapserver_cmd *c, const struct imap_ranges *uids, bool earlier)
{
	struct buf *b = &c->out;
	size_t start = 0;

	for (size_t i = 0; i < uids->n; i++) {
		if (i > 0 && b->n - start < VANISHED_LINE) {
			buf_addc(b, ',');
		} else {
			if (i > 0)
				buf_add(b, S("\r\n"));
			imapserver_send(c, false);
			start = b->n;
			/* rfc/7162:2623 */
			buf_add(b, earlier ? S("* VANISHED (EARLIER) ") : S("* VANISHED "));
		}
		imap_add_range(b, uids->v[i].first, uids->v[i].last);
	}
	if (uids->n > 0)
		buf_add(b, S("\r\n"));
}

void
imapserver_tell_gone(struct imapserver_cmd *c, const struct imap_ranges *uids)
{
	struct imapserver_gone *gone;
	struct imap_ranges told = { 0 };
	size_t n;

	imapserver_view_remove(c->s->view, c->a, uids, &gone, &n);
	for (size_t i = 0; i < n; i++) {
		if (c->s->enabled & (IMAPSERVER_QRESYNC | IMAPSERVER_UIDONLY)) {       /* rfc/9586:210 */
			imap_ranges_add(c->a, &told, gone[i].first, gone[i].first + (gone[i].count - 1));
			continue;
		}
		for (uint32_t k = 0; k < gone[i].count; k++) {
			buf_add(&c->out, S("* "));
			buf_addu(&c->out, gone[i].seq);
			buf_add(&c->out, S(" EXPUNGE\r\n"));
			imapserver_send(c, false);
		}
	}
	imapserver_add_vanished(c, &told, false);
}

static struct imap_ranges
ranges_of(struct arena *a, const struct store_uidset *set)
{
	struct imap_ranges r = { 0 };

	for (size_t i = 0; i < set->n; i++)
		imap_ranges_add(a, &r, set->v[i].first, set->v[i].last);
	return r;
}

/* mailbox-list, with OLDNAME for clients that know it   rfc/9051:6690 rfc/9051:6811 */
void
imapserver_add_list_change(struct imapserver_cmd *c, struct str attributes, struct str name, struct str old_name)
{
	buf_addf(&c->out, "* LIST (" STRF ") \"/\" ", STRA(attributes));
	imapserver_add_mailbox(c, name);
	if (old_name.n > 0 && c->s->enabled & IMAPSERVER_REV2) {
		buf_add(&c->out, S(" (\"OLDNAME\" ("));
		imapserver_add_mailbox(c, old_name);
		buf_add(&c->out, S("))"));
	}
	buf_add(&c->out, S("\r\n"));
}

/* Changes of the list of mailboxes are told in any state after login. */
static void
tell_list(struct imapserver_cmd *c, const struct store_change *ch)
{
	bool rev2 = c->s->enabled & IMAPSERVER_REV2;
	struct str none = { 0 };

	switch (ch->kind) {
	case STORE_CHANGE_ADD_MAILBOX:
		imapserver_add_list_change(c, ch->subscribed ? S("\\Subscribed") : none, ch->name, none);
		break;
	case STORE_CHANGE_REMOVE_MAILBOX:
		if (rev2)
			imapserver_add_list_change(c, S("\\NonExistent"), ch->name, none);
		break;
	case STORE_CHANGE_RENAME_MAILBOX:
		imapserver_add_list_change(c, ch->subscribed ? S("\\Subscribed") : none, ch->name, ch->old_name);
		break;
	case STORE_CHANGE_ADD_SUBSCRIPTION:
		imapserver_add_list_change(c, ch->nonexistent ? S("\\Subscribed \\NonExistent") : S("\\Subscribed"), ch->name, none);
		break;
	case STORE_CHANGE_REMOVE_SUBSCRIPTION:
		imapserver_add_list_change(c, ch->nonexistent ? S("\\NonExistent") : none, ch->name, none);
		break;
	default:
		break;
	}
}

static void
tell(struct imapserver_cmd *c, const struct store_change *ch, struct adds *adds)
{
	struct imapserver_view *v = c->s->view;
	bool ours = v && !v->stale && ch->mailbox_id == v->mailbox_id;

	switch (ch->kind) {
	case STORE_CHANGE_ADD_UID:
		if (ours && ch->uid >= v->uidnext)
			add_later(c, adds, ch);
		break;
	case STORE_CHANGE_FLAGS:
		if (ours) {
			tell_adds(c, adds);
			tell_flags(c, ch);
		}
		break;
	case STORE_CHANGE_REMOVE_UIDS:
		if (ours) {
			tell_adds(c, adds);
			struct imap_ranges gone = ranges_of(c->a, &ch->uids);
			imapserver_tell_gone(c, &gone);
		}
		break;
	default:
		tell_list(c, ch);
		break;
	}
	if (ours && ch->modseq > v->modseq)
		v->modseq = ch->modseq;
}

/* Changes were lost: the view is brought up to date by comparing it with the mailbox. */
static int
refresh(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_view *v = c->s->view;
	struct store_batch **batches;
	size_t nbatches;
	bool overflow;
	struct store_mailbox mb;
	struct store_uidset live;
	uint32_t unseen;

	int r = store_comm_snapshot(c->s->comm, c->a, &tx, &batches, &nbatches, &overflow);
	if (r < 0)
		return imapserver_error(c, r, NULL, "refreshing a session");
	for (size_t i = 0; i < nbatches; i++) {
		for (size_t k = 0; k < batches[i]->n; k++)
			tell_list(c, &batches[i]->v[k]);
		store_batch_release(c->s->comm, batches[i]);
	}
	v->stale = false;
	r = store_mailbox_get(&tx, v->mailbox_id, &mb);
	if (r > 0 && !mb.expunged)
		r = store_uids(&tx, c->a, v->mailbox_id, &live, &unseen);
	else if (r >= 0)
		return 0;               /* deleted meanwhile; each command finds that out */
	store_tx_rollback(&tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "refreshing a session");

	struct imap_ranges now = ranges_of(c->a, &live), before = imapserver_view_all(v, c->a), gone, fresh;
	imap_ranges_minus(c->a, &before, &now, &gone);
	imap_ranges_minus(c->a, &now, &before, &fresh);
	imapserver_tell_gone(c, &gone);
	for (size_t i = 0; i < fresh.n; i++)
		for (uint64_t uid = fresh.v[i].first; uid <= fresh.v[i].last; uid++)
			if (uid >= v->uidnext)
				imapserver_view_add(v, (uint32_t)uid);
	if (fresh.n > 0)
		buf_addf(&c->out, "* %u EXISTS\r\n", (unsigned)v->count);

	struct imap_ranges all = imapserver_view_all(v, c->a);
	struct imapserver_scan scan = { .uids = &all, .live_only = true, .changed_since = v->modseq };
	for (;;) {
		ARENA_SCOPE(c->a);
		struct imapserver_row *rows;
		size_t n;
		r = imapserver_scan(c, &scan, &rows, &n);
		if (r <= 0)
			break;
		for (size_t i = 0; i < n; i++) {
			uint32_t uid = rows[i].m.uid;
			imapserver_add_fetch_flags(c, imapserver_view_seq(v, uid), uid, rows[i].m.flags, rows[i].m.keywords, rows[i].m.modseq);
		}
	}
	v->modseq = MAX(v->modseq, mb.modseq);
	return r;
}

void
imapserver_taken(struct imapserver_cmd *c, struct store_batch **v, size_t n, bool overflow)
{
	bug_if(c->nlate != 0);
	c->late = v;
	c->nlate = n;
	c->overflow = overflow;
}

void
imapserver_take_changes(struct imapserver_cmd *c)
{
	struct store_batch **v;
	size_t n;
	bool overflow;

	store_comm_take(c->s->comm, c->a, &v, &n, &overflow);
	imapserver_taken(c, v, n, overflow);
}

void
imapserver_drop_changes(struct imapserver_cmd *c)
{
	for (size_t i = 0; i < c->nlate; i++)
		store_batch_release(c->s->comm, c->late[i]);
	c->nlate = 0;
}

static void
tell_taken(struct imapserver_cmd *c)
{
	struct adds adds = { 0 };

	if (c->overflow && c->s->view)
		c->s->view->stale = true;
	c->overflow = false;
	for (size_t i = 0; i < c->nlate; i++)
		for (size_t k = 0; k < c->late[i]->n; k++)
			tell(c, &c->late[i]->v[k], &adds);
	tell_adds(c, &adds);
	imapserver_drop_changes(c);
	/* A failure leaves the view stale, for the next time. */
	if (c->s->view && c->s->view->stale && refresh(c) < 0)
		c->s->view->stale = true;
}

void
imapserver_tell_changes(struct imapserver_cmd *c, bool queued)
{
	tell_taken(c);
	if (queued && c->s->comm && store_comm_pending(c->s->comm)) {
		imapserver_take_changes(c);
		tell_taken(c);
	}
}
