/* SPDX-License-Identifier: MIT */
/* Making, renaming, deleting mailboxes; special use; subscriptions. */
#include "base/limits.h"
#include "store/annotations.h"
#include "store/store_internal.h"

/* changed records a change that concerns the mailbox itself. */
static void
record(struct store_tx *tx, enum store_change_kind kind, const struct store_mailbox *mb, struct str old_name, bool subscribed)
{
	store_tx_change(tx, &(struct store_change){
		.kind = kind, .mailbox_id = mb->id, .modseq = mb->modseq, .name = mb->name, .old_name = old_name, .subscribed = subscribed, .use = mb->use,
		.uidvalidity = mb->uidvalidity, .uidnext = mb->uidnext,
	});
}

/* --- special use --- */

/* clear_use takes roles away from all other mailboxes. */
static int
clear_use(struct store_tx *tx, unsigned use, int64_t except)
{
	int64_t modseq;
	for (unsigned bit = STORE_USE_ARCHIVE; bit <= STORE_USE_TRASH; bit <<= 1) {
		struct store_mailbox mb;
		if (!(use & bit))
			continue;
		int found = store_mailbox_by_use(tx, (enum store_use)bit, &mb);
		if (found < 0)
			return found;
		if (!found || mb.id == except)
			continue;
		TRY(store_tx_modseq(tx, &modseq));
		mb.modseq = modseq;
		mb.use &= ~use;
		TRY(store_mailbox_save_name(tx, &mb));
		record(tx, STORE_CHANGE_USE, &mb, S(""), false);
	}
	return 0;
}

int
store_mailbox_set_use(struct store_tx *tx, struct store_mailbox *mb, unsigned use)
{
	if (mb->use == use)
		return 0;
	TRY(clear_use(tx, use, mb->id));
	TRY(store_tx_modseq(tx, &mb->modseq));
	mb->use = use;
	TRY(store_mailbox_save_name(tx, mb));
	record(tx, STORE_CHANGE_USE, mb, S(""), false);
	return 0;
}

/* --- making --- */

/* make inserts one mailbox, whose parent exists. */
static int
make(struct store_tx *tx, struct str name, int64_t parent_id, unsigned use, bool subscribe, struct store_mailbox *r_mb)
{
	struct store_mailbox mb = { .name = str_dup(tx->arena, name), .parent_id = parent_id, .uidnext = 1, .use = use };
	TRY(store_tx_modseq(tx, &mb.modseq));
	mb.createseq = mb.modseq;
	TRY(store_uidvalidity_next(&tx->db, &mb.uidvalidity));
	TRY(store_mailbox_insert(tx, &mb));
	int subscribed = 1;
	if (subscribe)
		TRY(store_subscription_put(tx, mb.name));
	else
		TRY(subscribed = store_subscription_has(tx, mb.name));
	record(tx, STORE_CHANGE_ADD_MAILBOX, &mb, S(""), subscribed == 1);
	*r_mb = mb;
	return 0;
}

struct made {
	struct store_mailbox *v;
	size_t n, cap;
};

/* make_parents makes the mailboxes above name that are missing; *r_id is the direct parent, 0 at top level. */
static int
make_parents(struct store_tx *tx, struct str name, bool subscribe, struct made *made, int64_t *r_id)
{
	int64_t parent = 0;
	for (size_t end = 0; end < name.n; end++) {
		if (name.p[end] != '/')
			continue;
		struct store_mailbox mb;
		int found = store_mailbox_find(tx, str_upto(name, end), &mb);
		if (found < 0)
			return found;
		if (!found) {
			TRY(make(tx, str_upto(name, end), parent, 0, subscribe, &mb));
			if (made->n == made->cap) {
				made->cap = made->cap ? made->cap * 2 : 4;
				made->v = arena_grow(tx->arena, made->v, made->n, made->cap, sizeof(*made->v));
			}
			made->v[made->n++] = mb;
		}
		parent = mb.id;
	}
	*r_id = parent;
	return 0;
}

int
store_mailbox_create(struct store_tx *tx, struct str name, unsigned use, bool subscribe, struct store_mailbox **r_made, size_t *r_n)
{
	struct str checked;
	struct store_mailbox mb;
	TRY(store_mailbox_name(tx->arena, name, true, &checked, NULL));
	int found = store_mailbox_find(tx, checked, &mb);
	if (found != 0)
		return found < 0 ? found : STORE_MAILBOX_EXISTS;
	struct made made = { 0 };
	int64_t parent;
	TRY(make_parents(tx, checked, subscribe, &made, &parent));
	TRY(clear_use(tx, use, 0));
	TRY(make(tx, checked, parent, use, subscribe, &mb));
	made.v = arena_grow(tx->arena, made.v, made.n, made.n + 1, sizeof(*made.v));
	made.v[made.n++] = mb;
	*r_made = made.v;
	*r_n = made.n;
	return 0;
}

int
store_mailbox_ensure(struct store_tx *tx, struct str name, struct store_mailbox *r_mb)
{
	struct str checked;
	TRY(store_mailbox_name(tx->arena, name, true, &checked, NULL));
	int found = store_mailbox_find(tx, checked, r_mb);
	if (found != 0)
		return found < 0 ? found : 0;
	struct store_mailbox *made;
	size_t n;
	TRY(store_mailbox_create(tx, checked, 0, true, &made, &n));
	*r_mb = made[n - 1];
	return 0;
}

/* --- renaming --- */

/* rename_one changes the name (and parent) of one mailbox. Subscriptions are by name and stay. */
static int
rename_one(struct store_tx *tx, struct store_mailbox *mb, struct str to, int64_t parent_id)
{
	struct str old = mb->name;
	TRY(store_tx_modseq(tx, &mb->modseq));
	mb->name = to;
	mb->parent_id = parent_id;
	TRY(store_mailbox_save_name(tx, mb));
	int subscribed = store_subscription_has(tx, to);
	if (subscribed < 0)
		return subscribed;
	record(tx, STORE_CHANGE_RENAME_MAILBOX, mb, old, subscribed == 1);
	return 0;
}

static int
rename_children(struct store_tx *tx, struct store_mailbox *v, size_t n, struct str from, struct str to)
{
	for (size_t i = n; i-- > 0;) {
		struct str name = str_cat(tx->arena, to, str_from(v[i].name, from.n));
		if (name.n > LIMIT_MAILBOX_NAME)
			return STORE_BAD_NAME;
		TRY(rename_one(tx, &v[i], name, v[i].parent_id));
	}
	return 0;
}

int
store_mailbox_rename(struct store_tx *tx, struct store_mailbox *mb, struct str to)
{
	struct str checked, from = mb->name;
	struct store_mailbox other, *children;
	size_t n;
	struct made made = { 0 };
	int64_t parent = 0;
	if (str_is(from, S("Inbox")))
		return STORE_IS_INBOX;
	TRY(store_mailbox_name(tx->arena, to, false, &checked, NULL));
	int found = store_mailbox_find(tx, checked, &other);
	if (found != 0)
		return found < 0 ? found : STORE_MAILBOX_EXISTS;
	TRY(store_mailbox_children(tx, from, &children, &n));
	checked = str_dup(tx->arena, checked);
	/* When the new name lies below the old one, the old name must become free before it can be made anew as a parent. */
	bool below = str_starts(checked, str_cat(tx->arena, from, S("/")));
	if (!below)
		TRY(make_parents(tx, checked, false, &made, &parent));
	TRY(rename_children(tx, children, n, from, checked));
	TRY(rename_one(tx, mb, checked, below ? mb->parent_id : parent));
	if (!below)
		return 0;
	TRY(make_parents(tx, checked, false, &made, &parent));
	mb->parent_id = parent;
	return store_mailbox_save_name(tx, mb);
}

/* Messages of a mailbox in order of their UIDs, in pieces. */
#define PIECE 500

int
store_mailbox_rename_inbox(struct store_tx *tx, struct str to)
{
	struct store_mailbox inbox, *made;
	size_t nmade, n;
	struct str checked;
	TRY(store_mailbox_name(tx->arena, to, false, &checked, NULL));
	TRY(store_mailbox_create(tx, checked, 0, false, &made, &nmade));
	struct store_mailbox *dst = &made[nmade - 1];
	int found = store_mailbox_find(tx, S("Inbox"), &inbox);
	if (found <= 0)
		return found < 0 ? found : ERR_CORRUPT;
	struct store_message *v = ARENA_NEWN(tx->arena, PIECE, struct store_message);
	do {
		uint32_t *uids;
		TRY(store_message_piece(tx, inbox.id, 0, v, PIECE, &n));
		if (n > 0)
			TRY(store_move(tx, &inbox, dst, v, n, &uids));
	} while (n == PIECE);
	return store_annotation_copy(tx, inbox.id, dst);
}

/* --- deleting --- */

int
store_mailbox_delete(struct store_tx *tx, struct store_mailbox *mb)
{
	struct store_mailbox *children;
	size_t n;
	if (str_is(mb->name, S("Inbox")))
		return STORE_IS_INBOX;
	TRY(store_mailbox_children(tx, mb->name, &children, &n));
	if (n > 0)
		return STORE_HAS_CHILDREN;
	TRY(store_mailbox_expunge_all(tx, mb));
	TRY(store_tx_modseq(tx, &mb->modseq));
	TRY(store_annotations_expunge(tx, mb->id, mb->modseq));
	mb->expunged = true;
	mb->use = 0;
	TRY(store_mailbox_save_name(tx, mb));
	record(tx, STORE_CHANGE_REMOVE_MAILBOX, mb, S(""), false);
	return 0;
}

/* --- subscriptions --- */

static int
change_subscription(struct store_tx *tx, struct str name, bool add)
{
	int changed = add ? store_subscription_put(tx, name) : store_subscription_delete(tx, name);
	if (changed <= 0)
		return changed;
	struct store_mailbox mb;
	int found = store_mailbox_find(tx, name, &mb);
	if (found < 0)
		return found;
	store_tx_change(tx, &(struct store_change){
		.kind = add ? STORE_CHANGE_ADD_SUBSCRIPTION : STORE_CHANGE_REMOVE_SUBSCRIPTION, .name = name, .subscribed = add, .nonexistent = !found,
		.mailbox_id = found ? mb.id : 0,
	});
	return 1;
}

int
store_subscribe(struct store_tx *tx, struct str name)
{
	int changed = change_subscription(tx, name, true);
	return changed < 0 ? changed : 0;
}

int
store_unsubscribe(struct store_tx *tx, struct str name)
{
	return change_subscription(tx, name, false);
}
