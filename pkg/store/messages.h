/* SPDX-License-Identifier: MIT */
/*
 * store/messages.h - messages: adding, flags, expunging, copying, moving, reading.
 */
#ifndef STORE_MESSAGES_H
#define STORE_MESSAGES_H

#include "blob/blob.h"
#include "store/mailbox.h"

enum store_flag {                       /* bits of message.flags */
	STORE_SEEN = 1, STORE_ANSWERED = 2, STORE_FLAGGED = 4, STORE_DELETED = 8, STORE_DRAFT = 16, STORE_FORWARDED = 32, STORE_JUNK = 64,
	STORE_NOTJUNK = 128, STORE_PHISHING = 256, STORE_MDNSENT = 512,
	STORE_FLAGS_ALL = 1023,
};

/* store_flags_parse splits IMAP flags and keywords ("\Seen", "$Junk", "work") into bits and sorted, lower-case keywords. STORE_BAD_KEYWORD. */
int store_flags_parse(struct arena *a, const struct strlist *in, unsigned *r_flags, struct str *r_keywords, struct errmsg *e) must_use_;
const char *store_flag_name(enum store_flag f);         /* "\\Seen", "$Forwarded", ... */
int store_keyword_valid(struct str keyword) must_use_;  /* 0 or STORE_BAD_KEYWORD; lower-case expected */

/* The hot row (table message). Delivery details and bodies are read apart. */
struct store_message {
	int64_t id, mailbox_id;
	uint32_t uid;
	int64_t createseq, modseq;
	bool expunged, erased;
	unsigned flags;
	struct str keywords;            /* sorted, space separated */
	int64_t size;                   /* prefix + file */
	int64_t received_us;
	int received_tz;                /* minutes */
	int64_t save_date_us;           /* 0 = unknown */
	int trained_junk;               /* -1 not trained, 0 ham, 1 junk */
	int64_t mailbox_orig_id, mailbox_destined_id;
	struct str message_id;          /* canonical, without <> */
	struct str subject_base;
	int64_t email_id;               /* of the content: copies have that of the message they were made of (RFC 8474) */
	int64_t thread_id;
	struct str thread_parent_ids;
	bool thread_missing_link, thread_muted, thread_collapsed;
	bool is_dsn, is_reject, is_forward, is_mailinglist;
};

/* How far a domain was proved to be the sender's: by SPF for EHLO and MAIL FROM, by what is aligned with it for From (../spec/delivery-analysis.md 2). */
enum store_validation {
	STORE_VALIDATION_UNKNOWN,       /* not checked */
	STORE_VALIDATION_STRICT,        /* From: the same domain passed SPF or DKIM */
	STORE_VALIDATION_DMARC,         /* From: a domain of the organisation did, and the policy takes that */
	STORE_VALIDATION_RELAXED,       /* From: a domain of the organisation did */
	STORE_VALIDATION_PASS,          /* results of SPF */
	STORE_VALIDATION_NEUTRAL, STORE_VALIDATION_TEMPERROR, STORE_VALIDATION_PERMERROR, STORE_VALIDATION_FAIL, STORE_VALIDATION_SOFTFAIL,
	STORE_VALIDATION_NONE,
};

/* What reception knows (table message_delivery); all empty for APPEND and import. Domains are Unicode, lower-case. */
struct store_delivery_info {
	struct str remote_ip, ehlo_domain, mailfrom, mailfrom_localpart, mailfrom_domain, rcptto_localpart, rcptto_domain;
	struct str msgfrom_localpart, msgfrom_domain, msgfrom_orgdomain;
	bool ehlo_validated, mailfrom_validated, msgfrom_validated;
	int ehlo_validation, mailfrom_validation, msgfrom_validation;   /* enum store_validation */
	struct str orig_ehlo_domain, orig_dkim_domains;
	struct strlist dkim_domains;
	int tls_version, tls_cipher;    /* 0 unknown, 1 plaintext */
	bool requiretls;
	bool remote_is_forwarder;       /* writing only: what the message is must not be held against remote_ip and its network */
};

/* A message to add. Zero = default: now, no flags, UID and modseq assigned. */
struct store_add {
	struct blob *blob;              /* content of the file; the store links it, the caller frees it */
	struct str prefix;              /* headers before it */
	unsigned flags;
	struct str keywords;            /* sorted, space separated, valid */
	int64_t received_us;            /* 0 = now, in the server's zone */
	int received_tz;
	int64_t mailbox_destined_id;
	bool is_reject, is_forward, is_mailinglist;
	struct str message_hash;        /* SHA-256, rejects only */
	const struct store_delivery_info *delivery;     /* NULL for APPEND and import */
	bool skip_quota, skip_threads, skip_training;
	struct store_prepared *prepared;                /* from store_prepare; NULL: store_add_message prepares by itself */
};
struct store_added {
	int64_t id;
	uint32_t uid, uidvalidity;
	int64_t modseq, mailbox_id;
};

/*
 * store_prepare does all of adding a message that needs no lock: parses, makes the message file and, if it is large, syncs it and its directory. Call it before
 * store_write, since disk syncs under the account lock hold up everybody. *add must stay as it is until the message is added or given up.
 * store_prepared_free afterwards in any case (cleanup_()): it removes the file unless a commit took it. One prepared message is added at most once.
 */
struct store_prepared;
int store_prepare(struct store_account *a, const struct store_add *add, struct store_prepared **r_p, struct errmsg *e) must_use_;
void store_prepared_free(struct store_prepared **p);

/*
 * store_add_message adds one message within a write transaction (store.md 7). ERR_OVERQUOTA before any change. mb's counters, uidnext, keywords are
 * updated in place and in the database. Records the change; durable and visible with store_tx_commit.
 */
int store_add_message(struct store_tx *tx, struct store_mailbox *mb, const struct store_add *add, struct store_added *r_added, struct errmsg *e) must_use_;

/*
 * store_deliver is the delivery path: one message into mailbox `name` (made if missing, subscribed), durable when it returns 0. Prepares
 * outside the lock, then shares a transaction and commit with others that wait for the account (group commit). All sessions are told, also the caller's.
 */
int store_deliver(struct store_account *a, struct str mailbox, const struct store_add *add, struct store_added *r_added, struct errmsg *e) must_use_;

/* --- reading --- */

/* A set of UIDs as sorted, disjoint, non-adjacent ranges. */
struct store_uidset {
	struct store_uidrange { uint32_t first, last; } *v;
	size_t n, cap;
};
void store_uidset_add(struct arena *a, struct store_uidset *s, uint32_t first, uint32_t last);  /* any order; merges */
bool store_uidset_has(const struct store_uidset *s, uint32_t uid);
size_t store_uidset_count(const struct store_uidset *s);

/* store_uids lists the live UIDs of a mailbox in order as ranges (for SELECT), below uidnext; r_first_unseen_uid gets the first without \Seen or 0. */
int store_uids(struct store_tx *tx, struct arena *a, int64_t mailbox_id, struct store_uidset *r_uids, uint32_t *r_first_unseen_uid) must_use_;

/*
 * A cursor over the messages of a mailbox with uid in a set, in UID order; also expunged ones (a session may still show them) unless live_only. Reads
 * in batches: the caller may end the transaction between batches and go on with a new one from the last uid.
 */
struct store_scan {
	struct store_tx *tx;
	int64_t mailbox_id;
	const struct store_uidset *set; /* NULL = all */
	bool live_only;
	bool with_body;                 /* also fill prefix, preview, parsed */
	int64_t changed_since;          /* only modseq > this; 0 = all */
	/* private */
	struct db_rows rows;
	size_t range;
	int state;
};
struct store_body {                     /* table message_body; views until the next step */
	struct str prefix;
	struct str preview;
	bool has_preview;
	struct str parsed;              /* message_serialize() blob; empty when not parsed with the current version */
};
/* store_scan_next: 1 with *r_m (and *r_body if not NULL) filled in arena a, 0 end. */
int store_scan_next(struct store_scan *s, struct arena *a, struct store_message *r_m, struct store_body *r_body) must_use_;
void store_scan_done(struct store_scan *s);

int store_message_get(struct store_tx *tx, int64_t id, struct store_message *r_m) must_use_;            /* 1 found, 0 none */
int store_message_by_uid(struct store_tx *tx, int64_t mailbox_id, uint32_t uid, struct store_message *r_m) must_use_;
int store_message_body(struct store_tx *tx, struct arena *a, int64_t id, struct store_body *r_body) must_use_;
int store_message_delivery(struct store_tx *tx, struct arena *a, int64_t id, struct store_delivery_info *r_d) must_use_;
/* store_message_open opens the message file; the content is prefix ++ file. No transaction needed. */
int store_message_open(struct store_account *acct, int64_t id, struct blob_file **r_file) must_use_;
/* store_save_parsed and store_save_preview keep what was computed later. They are no visible change: no modseq. */
int store_save_parsed(struct store_tx *tx, int64_t id, struct str parsed) must_use_;
int store_save_preview(struct store_tx *tx, int64_t id, struct str preview) must_use_;

/* UIDs changed or vanished since a modseq (CONDSTORE, QRESYNC): expunged ones of the mailbox with modseq > since, as ranges. */
int store_vanished(struct store_tx *tx, struct arena *a, int64_t mailbox_id, int64_t since, struct store_uidset *r_uids) must_use_;
int store_highest_deleted_modseq(struct store_tx *tx, int64_t *r_modseq) must_use_;

/* --- changing --- */

enum store_flag_op { STORE_FLAG_SET, STORE_FLAG_ADD, STORE_FLAG_REMOVE };
/*
 * store_message_flags changes the flags of one live message: 1 changed (m updated, change recorded), 0 nothing to change. SET replaces the
 * system flags and keywords alike.
 */
int store_message_flags(struct store_tx *tx, struct store_mailbox *mb, struct store_message *m, enum store_flag_op op, unsigned flags, struct str keywords) must_use_;

/* store_expunge removes live messages of mb (phase 1): marked expunged; erased when no session refers to them any more. */
int store_expunge(struct store_tx *tx, struct store_mailbox *mb, struct store_message *v, size_t n) must_use_;

/* store_copy and store_move: the messages v of src into dst, in order; r_uids (n elements, tx's arena) gets the new UIDs. ERR_OVERQUOTA (copy only),
 * STORE_MESSAGE_EXPUNGED when one is no longer live. */
int store_copy(struct store_tx *tx, struct store_mailbox *src, struct store_mailbox *dst, struct store_message *v, size_t n, uint32_t **r_uids) must_use_;
int store_move(struct store_tx *tx, struct store_mailbox *src, struct store_mailbox *dst, struct store_message *v, size_t n, uint32_t **r_uids) must_use_;

/* Quota: limit <= 0 = none. */
int store_quota(struct store_tx *tx, int64_t *r_used, int64_t *r_limit) must_use_;
/* store_quota_fits: 0, or ERR_OVERQUOTA when add bytes more do not fit. */
int store_quota_fits(struct store_tx *tx, int64_t add) must_use_;

#endif
