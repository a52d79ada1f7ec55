/* SPDX-License-Identifier: MIT */
/* The second half of adding a message: its row (store.md 7). */
#include "store/store_internal.h"

int
store_quota(struct store_tx *tx, int64_t *r_used, int64_t *r_limit)
{
	struct tx_priv *p = tx_priv(tx);
	if (tx->write) {
		*r_used = p->sync.message_size;
		*r_limit = p->config.quota;
		return 0;
	}
	struct store_account_config c;
	struct sync_state s;
	TRY(store_config_of(tx->acct->store, tx->arena, str_of(tx->acct->name), &c, NULL));
	int found = store_sync_load(&tx->db, &s);
	if (found <= 0)
		return found < 0 ? found : ERR_CORRUPT;
	*r_used = s.message_size;
	*r_limit = c.quota;
	return 0;
}

static bool
fits(int64_t used, int64_t limit, int64_t add)
{
	return limit <= 0 || add <= limit - used;
}

int
store_quota_fits(struct store_tx *tx, int64_t add)
{
	int64_t used, limit;
	TRY(store_quota(tx, &used, &limit));
	return fits(used, limit, add) ? 0 : ERR_OVERQUOTA;
}

void
store_change_keywords(struct store_tx *tx, const struct store_mailbox *mb)
{
	store_tx_change(tx, &(struct store_change){ .kind = STORE_CHANGE_KEYWORDS, .mailbox_id = mb->id, .name = mb->name, .keywords = mb->keywords });
}

int
store_add_prepared(struct store_tx *tx, struct store_mailbox *mb, struct store_prepared *p, struct store_added *r_added, struct errmsg *e)
{
	struct tx_priv *t = tx_priv(tx);
	const struct store_add *add = p->add;
	bug_if(p->state != PREPARED_READY || p->acct != tx->acct);
	if (!add->skip_quota && !fits(t->sync.message_size, p->config.quota, p->size))
		return err_set(e, ERR_OVERQUOTA, "account is over its quota of %lld bytes", (long long)p->config.quota);
	if (mb->uidnext == UINT32_MAX)
		return err_set(e, STORE_UID_OVERFLOW, "mailbox has no UIDs left; make it anew");

	struct store_message m = {
		.id = p->id, .mailbox_id = mb->id, .uid = mb->uidnext, .keywords = add->keywords, .size = p->size, .received_us = p->received_us,
		.received_tz = p->received_tz, .save_date_us = store_now_us(tx->acct->store), .trained_junk = -1, .mailbox_orig_id = mb->id,
		.mailbox_destined_id = add->mailbox_destined_id == mb->id ? 0 : add->mailbox_destined_id, .message_id = p->message_id,
		.subject_base = p->subject_base, .is_dsn = p->is_dsn, .is_reject = add->is_reject, .is_forward = add->is_forward,
		.is_mailinglist = add->is_mailinglist,
	};
	m.flags = store_junk_flags(tx, &p->config, mb, add->flags);
	TRY(store_tx_modseq(tx, &m.modseq));
	m.createseq = m.modseq;
	if (!add->skip_threads)
		TRY(store_thread_assign(tx, p, &m));
	TRY(store_message_insert(tx, &m));
	TRY(store_body_insert(tx, m.id, add->prefix, p->parsed, add->message_hash));
	if (p->unsynced) {
		struct str content;
		TRY(blob_view(add->blob, &content));
		TRY(store_unsynced_add(tx, m.id, content));
	}
	if (add->delivery) {
		TRY(store_delivery_insert(tx, m.id, m.received_us, add->delivery));
		if (m.flags & (STORE_JUNK | STORE_NOTJUNK))
			TRY(store_judge(tx, &m));
	}
	if (!add->skip_training)
		store_junk_note(tx, &p->config, &m, -1);
	if (mb->use & STORE_USE_SENT)
		TRY(store_recipients_add(tx, p, &m));

	t->sync.message_size += m.size;
	t->sync_dirty = true;
	mb->uidnext++;
	mb->modseq = m.modseq;
	struct str keywords = store_keywords_union(tx->arena, mb->keywords, m.keywords);
	bool grown = keywords.n > mb->keywords.n;
	mb->keywords = keywords;
	store_count(mb, m.flags, m.size, 1);
	store_stage(tx, mb, true);
	store_tx_change(tx, &(struct store_change){
		.kind = STORE_CHANGE_ADD_UID, .mailbox_id = mb->id, .uid = m.uid, .modseq = m.modseq, .flags = m.flags, .keywords = m.keywords,
		.uidvalidity = mb->uidvalidity, .uidnext = mb->uidnext, .messages = mb->total + mb->deleted, .unseen = mb->unseen, .deleted = mb->deleted,
		.size = mb->size,
	});
	if (grown)
		store_change_keywords(tx, mb);

	p->state = PREPARED_ADDED;
	p->next_in_tx = NULL;
	*t->prepared_end = p;
	t->prepared_end = &p->next_in_tx;
	*r_added = (struct store_added){ .id = m.id, .uid = m.uid, .uidvalidity = mb->uidvalidity, .modseq = m.modseq, .mailbox_id = mb->id };
	return 0;
}

int
store_add_message(struct store_tx *tx, struct store_mailbox *mb, const struct store_add *add, struct store_added *r_added, struct errmsg *e)
{
	if (add->prepared)
		return store_add_prepared(tx, mb, add->prepared, r_added, e);
	struct tx_priv *t = tx_priv(tx);
	struct store_prepared *p;
	TRY(store_prepare_with(tx->acct, add, &t->config, &p, e));
	p->next_adopted = t->adopted;
	t->adopted = p;
	return store_add_prepared(tx, mb, p, r_added, e);
}
