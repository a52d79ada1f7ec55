/* SPDX-License-Identifier: MIT */
/* Changes of mailboxes' hot columns, collected during a transaction. */
#include "store/store_internal.h"

static struct staged_mailbox *
find(struct tx_priv *p, int64_t id)
{
	for (size_t i = 0; i < p->nstaged; i++)
		if (p->staged[i].mb.id == id)
			return &p->staged[i];
	return NULL;
}

void
store_stage(struct store_tx *tx, const struct store_mailbox *mb, bool counts)
{
	struct tx_priv *p = tx_priv(tx);
	struct staged_mailbox *s = find(p, mb->id);
	if (!s) {
		if (p->nstaged == p->staged_cap) {
			p->staged_cap = p->staged_cap ? p->staged_cap * 2 : 4;
			p->staged = arena_grow(&p->mem, p->staged, p->nstaged, p->staged_cap, sizeof(*p->staged));
		}
		s = &p->staged[p->nstaged++];
		*s = (struct staged_mailbox){ 0 };
	}
	struct str keywords = s->mb.keywords;
	s->mb = *mb;
	s->mb.keywords = str_is(keywords, mb->keywords) ? keywords : str_dup(&p->mem, mb->keywords);
	s->mb.name = S("");             /* not ours to write, and the caller's memory */
	s->counts |= counts;
}

void
store_stage_overlay(struct store_tx *tx, struct store_mailbox *mb)
{
	struct tx_priv *p = tx_priv(tx);
	const struct staged_mailbox *s = find(p, mb->id);
	if (!s)
		return;
	mb->modseq = s->mb.modseq;
	mb->uidnext = s->mb.uidnext;
	mb->keywords = s->mb.keywords;
	mb->total = s->mb.total;
	mb->deleted = s->mb.deleted;
	mb->unread = s->mb.unread;
	mb->unseen = s->mb.unseen;
	mb->size = s->mb.size;
}

int
store_stage_flush(struct store_tx *tx)
{
	struct tx_priv *p = tx_priv(tx);
	for (size_t i = 0; i < p->nstaged; i++) {
		const struct store_mailbox *mb = &p->staged[i].mb;
		TRY(store_mailbox_write(tx, mb));
		if (p->staged[i].counts && !mb->expunged)
			store_tx_change(tx, &(struct store_change){
				.kind = STORE_CHANGE_COUNTS, .mailbox_id = mb->id, .modseq = mb->modseq, .uidvalidity = mb->uidvalidity, .uidnext = mb->uidnext,
				.messages = mb->total + mb->deleted, .unseen = mb->unseen, .deleted = mb->deleted, .size = mb->size,
			});
	}
	p->nstaged = 0;
	return 0;
}

void
store_count(struct store_mailbox *mb, unsigned flags, int64_t size, int sign)
{
	mb->size += sign * size;
	if (flags & STORE_DELETED)
		mb->deleted += sign;
	else
		mb->total += sign;
	if (!(flags & STORE_SEEN)) {
		mb->unseen += sign;
		if (!(flags & STORE_DELETED))
			mb->unread += sign;
	}
}
