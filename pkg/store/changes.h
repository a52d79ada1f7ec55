/* SPDX-License-Identifier: MIT */
/*
 * store/changes.h - distribution of changes to the sessions of an account.
 *
 * Each session registers a comm. A commit delivers its batch to all comms of the account but the originating one; pending changes collect
 * per comm, at most LIMIT_CHANGES_PENDING; beyond that everything is dropped until the session fetches and sees `overflow`.
 *
 * Expunge has three phases: marked (store_expunge), announced (each session is told), erased (row reduced, file removed) once every session has
 * acknowledged. A session acknowledges exactly once per STORE_CHANGE_REMOVE_UIDS it took, by releasing the batch.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "store/messages.h"

enum store_change_kind {
	STORE_CHANGE_ADD_UID,           /* mailbox_id, uid, modseq, flags, keywords */
	STORE_CHANGE_REMOVE_UIDS,       /* mailbox_id, uids, modseq */
	STORE_CHANGE_FLAGS,             /* mailbox_id, uid, modseq, mask, flags, keywords */
	STORE_CHANGE_THREAD,            /* ids, muted, collapsed */
	STORE_CHANGE_ADD_MAILBOX,       /* mailbox (name, ...), subscribed */
	STORE_CHANGE_REMOVE_MAILBOX,    /* mailbox_id, name, modseq */
	STORE_CHANGE_RENAME_MAILBOX,    /* mailbox_id, old_name, name, subscribed, modseq */
	STORE_CHANGE_ADD_SUBSCRIPTION,  /* name, nonexistent */
	STORE_CHANGE_REMOVE_SUBSCRIPTION,
	STORE_CHANGE_COUNTS,            /* mailbox (counts) */
	STORE_CHANGE_USE,               /* mailbox_id, name, use */
	STORE_CHANGE_KEYWORDS,          /* mailbox_id, name, keywords of the mailbox */
	STORE_CHANGE_ANNOTATION,        /* mailbox_id or 0, name, key, modseq */
};

/* One change. Fields that the kind does not name are zero. Strings live as long as the batch. */
struct store_change {
	enum store_change_kind kind;
	int64_t mailbox_id;
	uint32_t uid;
	int64_t modseq;
	unsigned mask, flags;
	struct str keywords;
	struct str name, old_name, key;
	bool subscribed, nonexistent, muted, collapsed;
	unsigned use;
	struct store_uidset uids;
	const int64_t *ids;             /* message ids that belong to uids (REMOVE_UIDS), or of a thread */
	size_t nids;
	uint32_t uidvalidity, uidnext;  /* of the mailbox, for message changes and new mailboxes */
	int64_t messages, unseen, deleted, size; /* counts of the mailbox after the change */
};

/* The changes of one commit: immutable, shared by all comms, refcounted. */
struct store_batch {
	const struct store_change *v;
	size_t n;
	void *priv;
};

/* wake is called under the listener-list lock when the first pending batch arrives: it must only signal (conn_wake). */
struct store_comm *store_comm_new(struct store_account *a, void (*wake)(void *arg), void *arg);
/* store_comm_free unregisters and acknowledges everything still queued. */
void store_comm_free(struct store_comm **c);

/* store_comm_take moves all pending batches to the caller (in commit order); *r_overflow: changes were dropped. Without changes n is 0.
 * Each batch is released by store_batch_release when it has been applied (or dropped), which acknowledges removals. */
void store_comm_take(struct store_comm *c, struct arena *a, struct store_batch ***r_v, size_t *r_n, bool *r_overflow);
void store_batch_release(struct store_comm *c, struct store_batch *b);
bool store_comm_pending(struct store_comm *c);

/*
 * store_comm_snapshot begins a read transaction that is consistent with the queue: under the account's read lock it takes all pending batches (as
 * store_comm_take) and starts reading. SELECT uses it: what it reads includes exactly the changes taken.
 */
int store_comm_snapshot(struct store_comm *c, struct arena *a, struct store_tx *r_tx, struct store_batch ***r_v, size_t *r_n, bool *r_overflow) must_use_;

/* store_tx_change records a change for the broadcast of tx (the store's own functions do so themselves). Copied. */
void store_tx_change(struct store_tx *tx, const struct store_change *c);

#endif
