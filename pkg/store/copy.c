/* SPDX-License-Identifier: MIT */
/* Copying and moving messages between mailboxes (store.md 8). */
#include "store/store_internal.h"

/* settle_junk applies what the destination says about junk, and what leaving Rejects or the introbox says about where the message belongs. */
static void
settle_junk(struct store_tx *tx, const struct store_mailbox *src, const struct store_mailbox *dst, struct store_message *m)
{
	const struct store_account_config *c = &tx_priv(tx)->config;
	m->flags = store_junk_flags(tx, c, dst, m->flags);
	if (m->is_reject && m->mailbox_destined_id) {
		m->mailbox_orig_id = m->mailbox_destined_id;
		m->is_reject = false;
	}
	if (!c->introbox.n || !str_is(src->name, c->introbox) || !m->mailbox_destined_id)
		return;
	bool arrived = dst->id == m->mailbox_destined_id;
	if (arrived && !(m->flags & (STORE_JUNK | STORE_NOTJUNK)))
		m->flags |= STORE_NOTJUNK;
	if (arrived || m->flags & (STORE_JUNK | STORE_NOTJUNK)) {
		m->mailbox_orig_id = m->mailbox_destined_id;
		m->mailbox_destined_id = 0;
	}
}

/* arrive counts the message in and tells the sessions. */
static void
arrive(struct store_tx *tx, struct store_mailbox *dst, const struct store_message *m)
{
	dst->uidnext++;
	dst->modseq = m->modseq;
	store_count(dst, m->flags, m->size, 1);
	store_tx_change(tx, &(struct store_change){
		.kind = STORE_CHANGE_ADD_UID, .mailbox_id = dst->id, .uid = m->uid, .modseq = m->modseq, .flags = m->flags, .keywords = m->keywords,
		.uidvalidity = dst->uidvalidity, .uidnext = dst->uidnext, .messages = dst->total + dst->deleted, .unseen = dst->unseen,
		.deleted = dst->deleted, .size = dst->size,
	});
}

static int
check_all(const struct store_mailbox *src, const struct store_mailbox *dst, const struct store_message *v, size_t n)
{
	if (n == 0)
		return ERR_INVALID;
	if (UINT32_MAX - dst->uidnext < n)
		return STORE_UID_OVERFLOW;
	for (size_t i = 0; i < n; i++)
		if (v[i].expunged || v[i].mailbox_id != src->id)
			return STORE_MESSAGE_EXPUNGED;
	return 0;
}

static void
merge_keywords(struct store_tx *tx, struct store_mailbox *dst, struct str keywords)
{
	struct str all = store_keywords_union(tx->arena, dst->keywords, keywords);
	if (all.n == dst->keywords.n)
		return;
	dst->keywords = all;
	store_change_keywords(tx, dst);
}

int
store_copy(struct store_tx *tx, struct store_mailbox *src, struct store_mailbox *dst, struct store_message *v, size_t n, uint32_t **r_uids)
{
	struct tx_priv *t = tx_priv(tx);
	uint32_t *uids = ARENA_NEWN(tx->arena, n, uint32_t);
	int64_t modseq, size = 0, now = store_now_us(tx->acct->store);
	TRY(check_all(src, dst, v, n));
	for (size_t i = 0; i < n; i++)
		size += v[i].size;
	TRY(store_quota_fits(tx, size));
	TRY(store_tx_modseq(tx, &modseq));
	for (size_t i = 0; i < n; i++) {
		struct store_message m = v[i];
		TRY(store_tx_link_file(tx, v[i].id, &m.id, NULL));
		m.mailbox_id = dst->id;
		m.uid = uids[i] = dst->uidnext;
		m.createseq = m.modseq = modseq;
		m.save_date_us = now;
		m.trained_junk = -1;
		settle_junk(tx, src, dst, &m);
		TRY(store_message_insert(tx, &m));
		TRY(store_message_duplicate(tx, v[i].id, m.id));
		store_junk_note(tx, &t->config, &m, -1);
		if (m.flags & (STORE_JUNK | STORE_NOTJUNK))
			TRY(store_judge(tx, &m));
		arrive(tx, dst, &m);
		merge_keywords(tx, dst, m.keywords);
	}
	t->sync.message_size += size;
	t->sync_dirty = true;
	if (src->id == dst->id) {
		*src = *dst;
	} else {
		src->modseq = modseq;   /* not told to anybody: nothing to see there */
		store_stage(tx, src, false);
	}
	store_stage(tx, dst, true);
	*r_uids = uids;
	return 0;
}

/* leave_behind puts an expunged row in the place the message leaves, for sessions that still show it there. It has a file of its own. */
static int
leave_behind(struct store_tx *tx, const struct store_message *old, int64_t modseq, int64_t *r_id)
{
	struct store_message ghost = *old;
	TRY(store_tx_link_file(tx, old->id, &ghost.id, NULL));
	ghost.modseq = modseq;
	ghost.expunged = true;
	ghost.trained_junk = -1;
	TRY(store_message_insert(tx, &ghost));
	TRY(store_body_duplicate(tx, old->id, ghost.id));
	TRY(store_erase_insert(tx, ghost.id, true));    /* the file is a second name: it never counted */
	*r_id = ghost.id;
	return 0;
}

int
store_move(struct store_tx *tx, struct store_mailbox *src, struct store_mailbox *dst, struct store_message *v, size_t n, uint32_t **r_uids)
{
	uint32_t *uids = ARENA_NEWN(tx->arena, n, uint32_t);
	int64_t modseq, now = store_now_us(tx->acct->store), *ghosts = ARENA_NEWN(tx->arena, n, int64_t);
	struct store_uidset gone = { 0 };
	if (src->id == dst->id)
		return ERR_INVALID;
	TRY(check_all(src, dst, v, n));
	TRY(store_tx_modseq(tx, &modseq));
	for (size_t i = 0; i < n; i++) {
		struct store_message old = v[i], *m = &v[i];
		m->mailbox_id = dst->id;
		m->uid = uids[i] = dst->uidnext;
		m->createseq = m->modseq = modseq;
		m->save_date_us = now;
		if (m->is_reject && m->mailbox_destined_id)
			m->flags &= ~(unsigned)STORE_SEEN;
		settle_junk(tx, src, dst, m);
		TRY(store_message_save_moved(tx, m));
		store_junk_note(tx, &tx_priv(tx)->config, m, m->trained_junk);
		if (((m->flags ^ old.flags) & (STORE_JUNK | STORE_NOTJUNK)) || m->mailbox_orig_id != old.mailbox_orig_id)
			TRY(store_judge(tx, m));
		TRY(leave_behind(tx, &old, modseq, &ghosts[i]));
		store_uidset_add(tx->arena, &gone, old.uid, old.uid);
		store_count(src, old.flags, old.size, -1);
		arrive(tx, dst, m);
		merge_keywords(tx, dst, m->keywords);
	}
	src->modseq = modseq;
	store_stage(tx, src, true);
	store_stage(tx, dst, true);
	store_tx_change(tx, &(struct store_change){
		.kind = STORE_CHANGE_REMOVE_UIDS, .mailbox_id = src->id, .modseq = modseq, .uids = gone, .ids = ghosts, .nids = n,
		.uidvalidity = src->uidvalidity, .uidnext = src->uidnext, .messages = src->total + src->deleted, .unseen = src->unseen,
		.deleted = src->deleted, .size = src->size,
	});
	*r_uids = uids;
	return 0;
}
