/* SPDX-License-Identifier: MIT */
/*
 * store/mailbox.h - mailboxes, subscriptions, names. Functions that change something need a write transaction; they record the change for
 * the broadcast and take care of modseqs.
 */
#ifndef STORE_MAILBOX_H
#define STORE_MAILBOX_H

#include "store/store.h"

enum store_use {                        /* special use, RFC 6154 */
	STORE_USE_ARCHIVE = 1, STORE_USE_DRAFT = 2, STORE_USE_JUNK = 4, STORE_USE_SENT = 8, STORE_USE_TRASH = 16
};

struct store_mailbox {
	int64_t id, createseq, modseq;
	bool expunged;
	int64_t parent_id;              /* 0 = top level */
	struct str name;                /* UTF-8, NFC, '/' separated, "Inbox" in that case */
	uint32_t uidvalidity, uidnext;
	unsigned use;                   /* enum store_use */
	struct str keywords;            /* sorted, space separated, lower-case; only grows */
	int64_t total, deleted, unread, unseen, size;   /* IMAP's MESSAGES is total + deleted */
};

/*
 * store_mailbox_name checks a name as ../spec/store.md 5 says and returns it with "Inbox" in its case. STORE_BAD_NAME with the reason; STORE_IS_INBOX for
 * bare Inbox unless allowed.
 */
int store_mailbox_name(struct arena *a, struct str name, bool allow_inbox, struct str *r_name, struct errmsg *e) must_use_;

int store_mailbox_find(struct store_tx *tx, struct str name, struct store_mailbox *r_mb) must_use_;      /* 1 found, 0 none; live only */
int store_mailbox_get(struct store_tx *tx, int64_t id, struct store_mailbox *r_mb) must_use_;           /* 1 found (also expunged), 0 absent */
/* store_mailbox_list returns the live ones sorted by name, in tx's arena. */
int store_mailbox_list(struct store_tx *tx, struct store_mailbox **r_v, size_t *r_n) must_use_;
int store_mailbox_by_use(struct store_tx *tx, enum store_use use, struct store_mailbox *r_mb) must_use_; /* 1 found, 0 none */

/* store_mailbox_create makes name and missing parents; r_made lists what was made, in order. STORE_MAILBOX_EXISTS. */
int store_mailbox_create(struct store_tx *tx, struct str name, unsigned use, bool subscribe, struct store_mailbox **r_made, size_t *r_n) must_use_;
/* store_mailbox_ensure finds or creates (subscribed). */
int store_mailbox_ensure(struct store_tx *tx, struct str name, struct store_mailbox *r_mb) must_use_;
/* store_mailbox_rename: children move along; not for Inbox (see store_mailbox_rename_inbox). */
int store_mailbox_rename(struct store_tx *tx, struct store_mailbox *mb, struct str to) must_use_;
/* store_mailbox_rename_inbox makes mailbox `to`, moves all messages of Inbox there, and copies its annotations. */
int store_mailbox_rename_inbox(struct store_tx *tx, struct str to) must_use_;
int store_mailbox_delete(struct store_tx *tx, struct store_mailbox *mb) must_use_;
int store_mailbox_set_use(struct store_tx *tx, struct store_mailbox *mb, unsigned use) must_use_;

int store_subscribe(struct store_tx *tx, struct str name) must_use_;
int store_unsubscribe(struct store_tx *tx, struct str name) must_use_;          /* 1 was subscribed, 0 was not */
int store_subscriptions(struct store_tx *tx, struct strlist *r_names) must_use_; /* sorted */

#endif
