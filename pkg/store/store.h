/* SPDX-License-Identifier: MIT */
/*
 * store - accounts, mailboxes, messages: data that can be proved sound.
 *
 * Per account one SQLite database (accounts/<name>/index.db) and one immutable file per message (accounts/<name>/msg/<dir>/<id>). The content of a
 * message is always prefix ++ file: headers generated during reception live in the row.
 *
 * Order of locks and effects: account lock -> BEGIN IMMEDIATE -> changes -> commit -> broadcast -> unlock. So the order of broadcasts is the order of
 * commits, hence of UIDs and modseqs. No socket write under the lock. Files are removed only after the commit that forgets them.
 *
 * A message is acknowledged, and sessions are told of it, only when a crash or a power cut cannot take it any more. A large one: its file and the file's
 * directory entry are synced, then its row is committed. A small one (kept in memory while it is received): its file is written without a sync, and the
 * commit of its row holds the content too, until a thread has synced the files of hundreds of messages at once. What a crash leaves in that table is written
 * to its file when the account is next opened. So a small message costs one sync instead of three, and many share a commit. How and why: unsynced.c.
 *
 * Group commit: deliveries that wait for one account share one transaction (leader/follower); each is a savepoint in it.
 *
 * One process owns an account at a time (flock on accounts/<name>/lock), so UIDs and modseqs have one author.
 *
 * This header has the account and its transactions; mailbox.h, messages.h, changes.h, annotations.h beside it have the rest.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "db/db.h"
#include "junk/junk.h"

struct store;                           /* all accounts below one data directory */
struct store_account;                   /* an open account: shared, refcounted, one per name */

enum store_err {
	STORE_NO_ACCOUNT = -120,        /* not in the configuration, or being removed */
	STORE_LOGIN_DISABLED = -121,    /* text in the errmsg */
	STORE_LOCKED = -122,            /* another process has the account open */
	STORE_NO_MAILBOX = -123,
	STORE_MAILBOX_EXISTS = -124,
	STORE_HAS_CHILDREN = -125,
	STORE_BAD_NAME = -126,          /* mailbox name; reason in the errmsg */
	STORE_IS_INBOX = -127,          /* not allowed for Inbox */
	STORE_UID_OVERFLOW = -128,
	STORE_MESSAGE_EXPUNGED = -129,  /* gone, or already expunged by someone else */
	STORE_BAD_KEYWORD = -130,
	STORE_LIMIT = -131,             /* too many keywords, annotations, ... */
	STORE_ANNOTATIONS_SIZE = -132,  /* annotations of the account would have too many bytes */
};

/* What the store needs to know of an account's configuration; strings live as long as the callback's caller needs: copied. */
struct store_account_config {
	struct str login_disabled;      /* non-empty: logins are refused with this text */
	int64_t quota;                  /* bytes; <= 0: none */
	/* Initial mailboxes of a new account besides Inbox; empty names are skipped; all empty: Sent, Archive, Trash, Drafts, Junk. */
	struct str archive, draft, junk, sent, trash;
	struct strlist regular;
	struct {                        /* automatic junk flags by mailbox name, ../spec/store.md 10 */
		bool enabled;
		struct str junk_regexp, neutral_regexp, notjunk_regexp;
	} auto_junk;
	struct {                        /* store/junk.h */
		bool enabled;
		struct junk_params params;
	} junk_filter;
	struct str rejects_mailbox, introbox;
	bool keep_rejects;
};

struct store_opts {
	const char *data_dir;
	/* Looks an account up in the configuration at hand; results in the arena. ERR_NOTFOUND when there is none. */
	int (*account_config)(void *arg, struct arena *a, struct str name, struct store_account_config *r_c);
	void *arg;
	/* Organisational domain (public suffix list) of a domain, both Unicode lower-case; result in the arena. NULL: the domain itself is taken. */
	struct str (*org_domain)(void *arg, struct arena *a, struct str domain);
	const struct clock *clock;      /* NULL = system */
	bool check_on_close;            /* run the full consistency check at each close of an account and abort on failure (tests) */
};

int store_open(const struct store_opts *o, struct store **r_store, struct errmsg *e) must_use_;
/* store_close: all accounts must have been closed. Waits for the eraser. */
void store_close(struct store **s);
/* store_settle waits until every message is erased that no session refers to any more. For tests and orderly ends. */
void store_settle(struct store *s);
const char *store_tmp_dir(const struct store *s);

/* store_account_open: creates the account's directory and database at first use, replays erasures, guards against id reuse. */
int store_account_open(struct store *s, struct str name, bool for_login, struct store_account **r_acct, struct errmsg *e) must_use_;
struct store_account *store_account_ref(struct store_account *a);
void store_account_close(struct store_account **a);     /* releases one reference; NULL is fine (cleanup_()) */
struct str store_account_name(const struct store_account *a);
/*
 * An account that nobody refers to stays open, since mail comes one by one. store_trim, called by a timer some times a second, closes those not used for
 * some seconds, and gives back the database connections of those that only parked sessions refer to; they come back when needed. Where many connections
 * are open it does so after a fraction of a second. Returns whether something was given back.
 */
bool store_trim(struct store *s);

/* --- transactions --- */

struct store_changes;                   /* changes.h */

/*
 * Zeroed after commit or rollback; cleanup_(store_tx_rollback) is the usual form. A write transaction holds the account lock. tx.arena lives as long as
 * the transaction. A read transaction holds a pooled reader: never keep it while waiting for a client; read in batches.
 */
struct store_tx {
	struct store_account *acct;
	struct db_tx db;
	struct arena *arena;
	bool write;
	int64_t modseq;                 /* taken by store_tx_modseq; 0 = none yet */
	struct store_changes *changes;  /* broadcast after commit */
	void *priv;
};
int store_write(struct store_account *a, struct store_tx *r_tx) must_use_;
int store_read(struct store_account *a, struct store_tx *r_tx) must_use_;
void store_tx_rollback(struct store_tx *tx);            /* also removes message files that the transaction linked */
struct store_comm;
/* store_tx_commit: syncs touched directories, commits, broadcasts the changes to every comm but origin (may be NULL), unlocks. */
int store_tx_commit(struct store_tx *tx, struct store_comm *origin) must_use_;
/* store_tx_modseq: the transaction's modification sequence, taken at first use. */
int store_tx_modseq(struct store_tx *tx, int64_t *r_modseq) must_use_;

/* --- checks --- */

/* store_check runs every check of ../spec/store.md 17; problems as text lines (at most 20 per kind). ERR_CORRUPT when there are any. */
int store_check(struct store_account *a, struct arena *mem, struct strlist *r_problems) must_use_;

#endif
