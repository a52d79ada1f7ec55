/* SPDX-License-Identifier: MIT */
/* Changing flags and keywords of a message. */
#include "base/limits.h"
#include "store/store_internal.h"

int
store_message_flags(struct store_tx *tx, struct store_mailbox *mb, struct store_message *m, enum store_flag_op op, unsigned flags, struct str keywords)
{
	struct arena *a = tx->arena;
	unsigned new_flags = op == STORE_FLAG_SET ? flags : op == STORE_FLAG_ADD ? m->flags | flags : m->flags & ~flags;
	struct str new_keywords = op == STORE_FLAG_SET ? keywords :
	    op == STORE_FLAG_ADD ? store_keywords_union(a, m->keywords, keywords) : store_keywords_minus(a, m->keywords, keywords);
	if (m->expunged)
		return STORE_MESSAGE_EXPUNGED;
	unsigned mask = new_flags ^ m->flags;
	if (mask == 0 && str_is(new_keywords, m->keywords))
		return 0;
	if (store_keywords_count(new_keywords) > LIMIT_KEYWORDS)
		return STORE_LIMIT;
	struct str all = store_keywords_union(a, mb->keywords, new_keywords);
	if (all.n > mb->keywords.n && store_keywords_count(all) > LIMIT_MAILBOX_KEYWORDS)
		return STORE_LIMIT;

	struct store_message changed = *m;
	changed.flags = new_flags;
	changed.keywords = new_keywords;
	TRY(store_tx_modseq(tx, &changed.modseq));
	TRY(store_message_save_flags(tx, &changed));
	store_junk_note(tx, &tx_priv(tx)->config, &changed, changed.trained_junk);
	if (mask & (STORE_JUNK | STORE_NOTJUNK))
		TRY(store_judge(tx, &changed));
	store_count(mb, m->flags, m->size, -1);
	store_count(mb, new_flags, m->size, 1);
	mb->modseq = changed.modseq;
	bool grown = all.n > mb->keywords.n;
	mb->keywords = all;
	store_stage(tx, mb, (mask & (STORE_SEEN | STORE_DELETED)) != 0);
	store_tx_change(tx, &(struct store_change){
		.kind = STORE_CHANGE_FLAGS, .mailbox_id = mb->id, .uid = m->uid, .modseq = changed.modseq, .mask = mask, .flags = new_flags,
		.keywords = new_keywords, .uidvalidity = mb->uidvalidity, .uidnext = mb->uidnext, .messages = mb->total + mb->deleted,
		.unseen = mb->unseen, .deleted = mb->deleted, .size = mb->size,
	});
	if (grown)
		store_change_keywords(tx, mb);
	*m = changed;
	return 1;
}
