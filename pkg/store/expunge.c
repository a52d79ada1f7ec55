/* SPDX-License-Identifier: MIT */
/* Removing messages, first phase: marked expunged; row and file stay while a session may show them (store.md 8). */
#include "store/store_internal.h"

#define PIECE 500

static int
expunge_rows(struct store_tx *tx, struct store_mailbox *mb, struct store_message *v, size_t n, bool counts)
{
	struct arena *a = tx->arena;
	int64_t modseq, *ids = ARENA_NEWN(a, n, int64_t);
	struct store_uidset uids = { 0 };
	TRY(store_tx_modseq(tx, &modseq));
	for (size_t i = 0; i < n; i++) {
		struct store_message *m = &v[i];
		if (m->expunged || m->mailbox_id != mb->id)
			return STORE_MESSAGE_EXPUNGED;
		store_count(mb, m->flags, m->size, -1);
		m->expunged = true;
		m->modseq = modseq;
		bool judged = m->flags & (STORE_JUNK | STORE_NOTJUNK);
		m->flags &= ~(unsigned)(STORE_JUNK | STORE_NOTJUNK);
		TRY(store_message_save_expunged(tx, m));
		store_junk_note(tx, &tx_priv(tx)->config, m, m->trained_junk);
		if (judged)
			TRY(store_judge(tx, m));
		TRY(store_erase_insert(tx, m->id, false));
		store_uidset_add(a, &uids, m->uid, m->uid);
		ids[i] = m->id;
	}
	mb->modseq = modseq;
	store_stage(tx, mb, counts);
	store_tx_change(tx, &(struct store_change){
		.kind = STORE_CHANGE_REMOVE_UIDS, .mailbox_id = mb->id, .modseq = modseq, .uids = uids, .ids = ids, .nids = n,
		.uidvalidity = mb->uidvalidity, .uidnext = mb->uidnext, .messages = mb->total + mb->deleted, .unseen = mb->unseen, .deleted = mb->deleted,
		.size = mb->size,
	});
	return 0;
}

int
store_expunge(struct store_tx *tx, struct store_mailbox *mb, struct store_message *v, size_t n)
{
	if (n == 0)
		return ERR_INVALID;
	return expunge_rows(tx, mb, v, n, true);
}

int
store_mailbox_expunge_all(struct store_tx *tx, struct store_mailbox *mb)
{
	struct store_message *v = ARENA_NEWN(tx->arena, PIECE, struct store_message);
	size_t n;
	do {
		ARENA_SCOPE(tx->arena);
		TRY(store_message_piece(tx, mb->id, 0, v, PIECE, &n));
		if (n > 0)
			TRY(expunge_rows(tx, mb, v, n, false));
	} while (n == PIECE);
	return 0;
}
