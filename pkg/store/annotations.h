/* SPDX-License-Identifier: MIT */
/*
 * store/annotations.h - annotations of mailboxes and of the account (IMAP METADATA, RFC 5464).
 *
 * Keys are lower-case and start with "/private/" or "/shared/"; both trees are stored alike, since an account has one owner. What is removed stays as
 * an expunged row with its modseq, and is not revived: setting the key again makes a new row.
 */
#ifndef STORE_ANNOTATIONS_H
#define STORE_ANNOTATIONS_H

#include "store/mailbox.h"

struct store_annotation {
	int64_t id, createseq, modseq;
	bool expunged;
	int64_t mailbox_id;             /* 0: of the account ("server" in IMAP) */
	struct str key;
	bool is_string;                 /* came as a string, else as binary data */
	struct str value;               /* any bytes; empty when expunged */
};

/* store_annotation_get: 1 found, 0 none; live ones only. In tx's arena. mailbox_id 0: of the account. */
int store_annotation_get(struct store_tx *tx, int64_t mailbox_id, struct str key, struct store_annotation *r_a) must_use_;
/* store_annotation_list gives the live ones of a mailbox, or of the account (0), sorted by key; in tx's arena. */
int store_annotation_list(struct store_tx *tx, int64_t mailbox_id, struct store_annotation **r_v, size_t *r_n) must_use_;

/*
 * store_annotation_set changes several annotations of mb (NULL: of the account): of each element key, value and is_string count; with `expunged` the
 * key is removed. What is already so stays untouched. One modseq for all, the mailbox has it too, and sessions are told. Errors: ERR_INVALID for a
 * bad key, STORE_LIMIT with more than LIMIT_ANNOTATIONS in the account, STORE_ANNOTATIONS_SIZE beyond LIMIT_ANNOTATIONS_SIZE bytes; then the
 * transaction must be rolled back.
 */
int store_annotation_set(struct store_tx *tx, struct store_mailbox *mb, const struct store_annotation *v, size_t n) must_use_;
/* store_annotation_copy gives `to` copies of the annotations of another mailbox. Errors as for store_annotation_set. */
int store_annotation_copy(struct store_tx *tx, int64_t from_id, struct store_mailbox *to) must_use_;

#endif
