/* SPDX-License-Identifier: MIT */
/* store_internal.h - what the files of store share. Statements are in the *_sql.c files only. */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include <stdatomic.h>

#include "base/hash.h"
#include "base/lock.h"
#include "base/timeutil.h"
#include "log/log.h"
#include "regexp/regexp.h"
#include "store/changes.h"
#include "store/store.h"

#define READERS_MAX 8                   /* connections that read one account at once; the next reader waits */
/*
 * A database connection holds some 100 KiB, and opening one costs a millisecond: where few are open they stay for a while, where many are they go as soon as
 * they are not used.
 */
#define IDLE_US (10 * TIME_SEC)         /* after this long without use store_trim closes connections, or the account */
#define IDLE_MANY_US (TIME_SEC / 5)     /* while more than CONNECTIONS_MANY are open, and IDLE_US longer, so that the last of a burst go too */
#define CONNECTIONS_MANY 16
#define WAL_PAGES 2000                  /* a commit that finds the log longer is followed by a checkpoint */
#define PROBLEMS_MAX 20                 /* of one kind that store_check lists */
#define ORPHANS_MAX 1000                /* more message files without rows than a crash can leave: then they are left alone */
#define GROUP_MAX 100                   /* deliveries in one transaction */
#define PATH_SIZE 4096

extern const struct db_kind store_kind;
extern const struct log store_log;

struct store {
	char *data_dir, *tmp_dir;
	struct store_opts opts;
	struct lock lock;               /* LOCK_ACCOUNTS: accounts, and the state of each */
	struct cond changed;            /* an account is no longer OPENING or CLOSING */
	struct map accounts;
	struct store_eraser *eraser;
	struct store_syncer *syncer;
	int sync_fd;                    /* of accounts, for blob_sync_all; -1: each file is synced for itself */
	atomic_llong unsynced_size;     /* of content that waits for the next round of the syncer */
	atomic_int connections;         /* to databases of accounts, all together */
	atomic_llong many_until;        /* monotonic; store_trim's */
};

/* --- an account --- */

enum account_state { ACCOUNT_OPENING, ACCOUNT_OPEN, ACCOUNT_CLOSING };

/* Row sync_state. The account has one writer, so what is committed is kept in memory too. */
struct sync_state {
	int64_t last_modseq, highest_deleted_modseq;
	int64_t message_size;           /* disk usage */
	int64_t next_message_id;        /* ids below were given out */
	int64_t junk_mark;              /* modseq of the last training of the junk filter */
	int64_t file_floor;             /* files with ids from here on that have no row were left by a crash */
};

struct reader {
	struct db *db;
	struct arena arena;
	struct reader *next;
};

/* The rules of automatic junk flags, compiled; by the texts they were compiled from. */
struct junk_rules {
	struct str text[3];             /* heap: junk, neutral, notjunk */
	struct regexp *re[3];
};

/* Message ids whose files may exist although no committed row names them: from `first` on. In a list sorted by first. */
struct in_flight {
	int64_t first;
	struct in_flight *prev, *next;
};

/* Files of a transaction whose commit failed: the commit may still come back after a crash (db.h), so they stay until the next commit that succeeds. */
struct doubtful {
	struct in_flight flight;
	int64_t *ids;
	size_t n;
	struct doubtful *next;
};

struct ids {                            /* message ids, on the heap */
	int64_t *v;
	size_t n, cap;
};

/* A directory of message files and its syncs, shared by all who wait for one. */
struct dir_sync {
	char name[16];
	uint64_t started, finished, failed;     /* numbers of syncs; failed: the last that did */
	bool running;
	struct dir_sync *next;
};

struct store_account {
	struct store *store;
	char *name, *dir, *msg_dir;
	enum account_state state;       /* under store->lock */
	atomic_int refs;                /* 0: open, but unused; rises from 0 only under store->lock */
	atomic_llong last_used;         /* monotonic */
	atomic_llong usage;             /* sync.message_size, to look at without the lock */
	int lock_fd;
	bool syncs_later;               /* the syncer can sync its files */
	atomic_int nunsynced;           /* ids in unsynced, and those that the syncer has in hand */

	struct lock lock;               /* LOCK_ACCOUNT, for this block */
	struct db *writer;              /* NULL while trimmed */
	struct arena writer_arena;
	struct sync_state sync;         /* as committed */
	struct doubtful *doubtful;
	struct junk_rules junk_rules;
	struct junkdb *junk_writer;     /* NULL until needed */
	struct lock junk_lock;          /* LOCK_JUNK */
	struct junkdb *junk_reader;     /* needs the writer */

	struct lock readers_lock;       /* LOCK_DB */
	struct cond reader_free;
	struct reader *idle_readers;
	int nreaders;                   /* idle or not */

	struct lock files_lock;         /* LOCK_GROUP */
	struct cond dir_synced;
	int64_t next_id;
	struct in_flight in_flight;     /* head of the ring */
	struct dir_sync *dirs;
	struct ids unsynced, synced;    /* committed messages whose content is in message_unsynced, in order of commits: unsynced.c */
	struct delivery *queue, **queue_end;
	size_t nqueued;
	bool leading;                   /* someone commits deliveries */

	struct lock comms_lock;         /* LOCK_LISTENERS */
	struct store_comm *comms;
	int ncomms;                     /* rises only under lock, too */
	struct map references;          /* message id (its 8 bytes) -> number of sessions that have not acknowledged its removal */
};

int64_t store_now_us(const struct store *s);

/* store.c: references of holders; store_account_start and _stop are in account.c. */
int store_config_of(struct store *s, struct arena *a, struct str name, struct store_account_config *r_c, struct errmsg *e) must_use_;
int store_account_start(struct store_account *a, struct errmsg *e) must_use_;
void store_account_stop(struct store_account *a);
int store_account_db(struct store_account *a, enum db_mode mode, struct db **r_db, struct errmsg *e) must_use_;     /* opens a connection that is counted */
void store_account_db_close(struct store_account *a, struct db **db);
int store_account_writer(struct store_account *a, struct errmsg *e) must_use_;  /* opens the writer if trimmed; under lock */
bool store_account_trim(struct store_account *a);  /* whether it gave something back */

/* --- transactions: tx.c --- */

/* What a change is made of while the transaction runs; becomes a store_batch. */
struct store_changes {
	struct arena arena;             /* of the batch */
	struct store_change *v;
	size_t n, cap;
};

struct message_envelope;

struct tx_priv {
	struct reader *reader;          /* read transactions */
	struct arena mem;               /* bookkeeping: callers may restore marks of tx->arena */
	struct store_account_config config;
	struct sync_state sync;
	bool sync_dirty, modseq_taken;
	bool listening;                 /* there is a session to tell of changes */
	/* Message files that the transaction made itself (hard links). */
	struct in_flight flight;
	int64_t *linked;
	size_t nlinked, linked_cap;
	int64_t *unsynced;              /* ids that store_unsynced_add added */
	size_t nunsynced, unsynced_cap, nforgotten;
	int64_t unsynced_size;
	struct strlist touched;         /* names of directories to sync before the commit */
	struct store_prepared *prepared; /* messages added, linked by next_in_tx */
	struct store_prepared **prepared_end;
	struct store_prepared *adopted; /* prepared by the transaction itself, linked by next_adopted: freed with it */
	struct staged_mailbox *staged;
	size_t nstaged, staged_cap;
	struct store_changes changes;
	/* Messages whose training is to follow their flags, before the commit. */
	int64_t *junk;
	size_t njunk, junk_cap;
	struct junk_params junk_params;
	bool junk_changed;              /* the filter has changes to be kept with the commit */
};

static inline struct tx_priv *
tx_priv(struct store_tx *tx)
{
	return tx->priv;
}

/* store_tx_begin: with_config looks the configuration up first (before the lock). */
int store_tx_begin(struct store_account *a, bool with_config, struct store_tx *r_tx, struct errmsg *e) must_use_;
/* store_tx_finish is store_tx_commit with what deliveries need: `done` runs after the broadcast, before the checkpoint. */
int store_tx_finish(struct store_tx *tx, struct store_comm *origin, void (*done)(void *arg), void *arg) must_use_;
/* store_tx_link_file makes a message file for a new id as a hard link of another message's. */
int store_tx_link_file(struct store_tx *tx, int64_t from_id, int64_t *r_id, struct errmsg *e) must_use_;
struct reader *store_reader_get(struct store_account *a, int *r_err);
void store_reader_put(struct store_account *a, struct reader *r);
int store_reader_begin(struct store_account *a, struct reader *r, struct store_tx *r_tx) must_use_;

/* --- message files: files.c --- */

int64_t store_file_id(struct store_account *a, struct in_flight *f);            /* a new id, in flight as f unless f already is */
void store_file_landed(struct store_account *a, struct in_flight *f);           /* row committed or file removed */
void store_file_path(const struct store_account *a, int64_t id, char path[PATH_SIZE], char dir[16]);   /* dir may be NULL */
int store_file_dir(struct store_account *a, const char *dir, struct errmsg *e) must_use_;       /* makes it when needed, durably */
int store_file_sync(struct store_account *a, const char *dir) must_use_;        /* all names made in dir before the call are on disk */
void store_file_remove(struct store_account *a, int64_t id);                    /* absent is fine */
void store_file_floor(struct store_account *a, struct sync_state *s);           /* fills next_message_id and file_floor for a commit */
int store_files_recover(struct store_account *a, struct store_tx *tx, struct errmsg *e) must_use_;

/* --- files that are synced later: unsynced.c --- */

bool store_unsynced_suits(const struct store_account *a, const struct blob *b);         /* its file need not be synced before the commit */
int store_unsynced_add(struct store_tx *tx, int64_t id, struct str content) must_use_;
int store_unsynced_copy(struct store_tx *tx, int64_t from_id, int64_t id) must_use_;    /* if from_id has content there */
int store_unsynced_forget(struct store_tx *tx, bool all) must_use_;                     /* before a commit; not all: only some, so that it takes no time */
void store_unsynced_committed(struct store_tx *tx);                                     /* after it */
int store_unsynced_recover(struct store_account *a) must_use_;      /* at the start of an account */
void store_unsynced_end(struct store_account *a);               /* forgets all that is synced, in a transaction of its own */
void store_unsynced_done(struct store_account *a);
struct store_syncer *store_syncer_new(struct store *s);
void store_syncer_free(struct store_syncer **y);                /* syncs what is left */
void store_syncer_ask(struct store *s);                         /* for a round, soon */
void store_syncer_settle(struct store *s);                      /* makes a round and waits for its end; for tests */
/* unsynced_sql.c; content 1 found, 0 none */
int store_unsynced_insert(struct store_tx *tx, int64_t id, struct str content) must_use_;
int store_unsynced_content(struct store_tx *tx, struct arena *a, int64_t id, struct str *r_content) must_use_;
int store_unsynced_next(struct store_tx *tx, struct arena *a, int64_t after, int64_t *r_id, struct str *r_content) must_use_;
int store_unsynced_delete(struct store_tx *tx, int64_t id) must_use_;

/* --- what was prepared: prepare.c --- */

enum prepared_state {
	PREPARED_READY,                 /* file made, not added */
	PREPARED_ADDED,                 /* by a running transaction */
	PREPARED_SETTLED,               /* committed, or its file is doubtful: no longer ours to remove */
};

struct store_prepared {
	struct store_account *acct;
	struct arena arena;
	enum prepared_state state;
	struct in_flight flight;
	const struct store_add *add;
	struct store_account_config config;
	int64_t id, size;
	const struct message_envelope *envelope;
	struct str message_id, subject_base, parsed;
	struct strlist references;
	bool is_response, is_dsn;
	bool unsynced;                  /* the file is; the transaction keeps the content */
	int64_t received_us;
	int received_tz;
	struct store_prepared *next_in_tx, *next_adopted;
};

/* store_prepare_with uses the given configuration, NULL: looks it up. */
int store_prepare_with(struct store_account *a, const struct store_add *add, const struct store_account_config *c, struct store_prepared **r_p,
    struct errmsg *e) must_use_;

/* store_add_prepared adds the row. mb is changed in place, not saved: store_mailbox_save. */
int store_add_prepared(struct store_tx *tx, struct store_mailbox *mb, struct store_prepared *p, struct store_added *r_added, struct errmsg *e) must_use_;
/* store_parse fills what is in the content: parse.c. */
int store_parse(struct store_prepared *p, struct errmsg *e) must_use_;

/* --- rows --- */

/* sync_sql.c */
int store_sync_load(struct db_tx *db, struct sync_state *r_s) must_use_;
int store_sync_save(struct db_tx *db, const struct sync_state *s) must_use_;
int store_sync_create(struct db_tx *db, const struct sync_state *s, uint32_t next_uidvalidity) must_use_;
int store_uidvalidity_next(struct db_tx *db, uint32_t *r_v) must_use_;

/* mailbox_sql.c */
int store_mailbox_insert(struct store_tx *tx, struct store_mailbox *mb) must_use_;              /* fills id */
int store_mailbox_write(struct store_tx *tx, const struct store_mailbox *mb) must_use_;         /* modseq, uidnext, keywords, counters */
int store_mailbox_save_name(struct store_tx *tx, const struct store_mailbox *mb) must_use_;     /* name, parent, use, expunged, modseq */
int store_mailbox_children(struct store_tx *tx, struct str name, struct store_mailbox **r_v, size_t *r_n) must_use_; /* all below, by name */
int store_mailbox_exists(struct store_tx *tx, int64_t id) must_use_;                            /* 1 live, 0 not */
int store_subscription_has(struct store_tx *tx, struct str name) must_use_;                     /* 1, 0 */
int store_subscription_put(struct store_tx *tx, struct str name) must_use_;                     /* 1 added, 0 was there */
int store_subscription_delete(struct store_tx *tx, struct str name) must_use_;                   /* 1 removed, 0 was not there */

/* annotations_sql.c */
int store_annotations_expunge(struct store_tx *tx, int64_t mailbox_id, int64_t modseq) must_use_;       /* all of a mailbox */

/* message_sql.c */
#define STORE_MESSAGE_COLUMNS \
	"m.id, m.mailbox_id, m.uid, m.createseq, m.modseq, m.expunged, m.erased, m.flags, m.keywords, m.size, m.received, m.received_tz, m.save_date, " \
	"m.trained_junk, m.mailbox_orig_id, m.mailbox_destined_id, m.message_id_hdr, m.subject_base, m.thread_id, m.thread_parent_ids, " \
	"m.thread_missing_link, m.thread_muted, m.thread_collapsed, m.is_dsn, m.is_reject, m.is_forward, m.is_mailinglist, " \
	"m.email_id"
#define STORE_MESSAGE_NCOLUMNS 28
void store_message_row(struct db_rows *rows, struct arena *a, struct store_message *r_m);
int store_message_insert(struct store_tx *tx, const struct store_message *m) must_use_;
int store_body_insert(struct store_tx *tx, int64_t id, struct str prefix, struct str parsed, struct str hash) must_use_;
int store_delivery_insert(struct store_tx *tx, int64_t id, int64_t received_us, const struct store_delivery_info *d) must_use_;
int store_recipient_insert(struct store_tx *tx, int64_t id, struct str localpart, struct str domain, struct str org_domain, int64_t sent_us) must_use_;
int store_message_save_flags(struct store_tx *tx, const struct store_message *m) must_use_;     /* flags, keywords, modseq */
int store_message_save_expunged(struct store_tx *tx, const struct store_message *m) must_use_;  /* expunged, flags, modseq; recipients go */
int store_message_save_moved(struct store_tx *tx, const struct store_message *m) must_use_;
int store_message_duplicate(struct store_tx *tx, int64_t from_id, int64_t new_id) must_use_;    /* body, delivery, dkim, recipients of a copy */
int store_body_duplicate(struct store_tx *tx, int64_t from_id, int64_t new_id) must_use_;
int store_erase_insert(struct store_tx *tx, int64_t id, bool skip_usage) must_use_;
int store_erase_pending(struct store_tx *tx, struct arena *a, int64_t **r_ids, size_t *r_n) must_use_;
int store_erase_row(struct store_tx *tx, int64_t id, int64_t *r_size) must_use_;               /* 1 erased (size to subtract), 0 was not pending */
int store_message_max_id(struct store_tx *tx, int64_t *r_id) must_use_;
/* store_message_piece reads up to max live messages of a mailbox with uid > after, in tx's arena. */
int store_message_piece(struct store_tx *tx, int64_t mailbox_id, uint32_t after, struct store_message *v, size_t max, size_t *r_n) must_use_;

/* --- the rest --- */

/* junkflags.c: flags that a mailbox implies (store.md 10). */
unsigned store_junk_flags(struct store_tx *tx, const struct store_account_config *c, const struct store_mailbox *mb, unsigned flags);
void store_junk_rules_done(struct junk_rules *r);

/* junk.c: training. store_junk_note is called with each message that is new, or may have other flags; `trained` as what it counts so far. */
void store_junk_note(struct store_tx *tx, const struct store_account_config *c, const struct store_message *m, int trained);
void store_junk_train(struct store_tx *tx);                     /* before the commit */
void store_junk_end(struct store_tx *tx, bool committed);       /* after it */
void store_junk_close(struct store_account *a);
int store_junk_open(struct store_account *a, struct errmsg *e) must_use_;                       /* the writer; under lock */
int store_junk_words(struct store_tx *tx, int64_t id, struct junk_words *r_w) must_use_;        /* 0, or why the message cannot be read */
int store_junk_check(struct store_tx *tx, const struct store_account_config *c, void (*report)(void *arg, struct str line), void *arg) must_use_;
/* junk_sql.c: class -1 not trained, 0 ham, 1 junk */
int store_message_save_trained(struct store_tx *tx, int64_t id, int class) must_use_;
int store_trained_forget(struct store_tx *tx) must_use_;
int store_trainable(struct store_tx *tx, int64_t after, int64_t *v, size_t max, size_t *r_n) must_use_;  /* ids of messages that should teach, above `after` */
int store_trained(struct store_tx *tx, int64_t after, int64_t *v, size_t max, size_t *r_n) must_use_;    /* ids of messages that did */

/* recipients.c: rows for who was written to, from a message added to the mailbox of sent mail */
int store_recipients_add(struct store_tx *tx, const struct store_prepared *p, const struct store_message *m) must_use_;

/* thread.c */
int store_thread_assign(struct store_tx *tx, const struct store_prepared *p, struct store_message *m) must_use_;
struct store_thread_hit {
	int64_t id, thread_id;
	struct str parent_ids, message_id;
	bool muted, collapsed;
};
/* thread_sql.c: 1 found, 0 none */
int store_thread_by_id(struct store_tx *tx, struct str message_id, struct store_thread_hit *r_hit) must_use_;
int store_thread_by_id_subject(struct store_tx *tx, struct str message_id, struct str subject, struct store_thread_hit *r_hit) must_use_;
int store_thread_by_subject(struct store_tx *tx, struct str subject, int64_t mailbox_orig_id, int64_t after_us, int64_t before_us,
    struct store_thread_hit *r_hit) must_use_;

/* history_sql.c: notes whether the message is judged, and where it counts, after flags, mailbox or expunged changed */
int store_judge(struct store_tx *tx, const struct store_message *m) must_use_;

/* keywords.c: sorted, space separated lists */
struct str store_keywords_union(struct arena *a, struct str x, struct str y);   /* x itself if it has all of y */
struct str store_keywords_minus(struct arena *a, struct str x, struct str y);
size_t store_keywords_count(struct str x);

/*
 * staged.c: a transaction writes what it changes in the hot columns of a mailbox (modseq, uidnext, keywords, counters) once, before the commit, and tells
 * sessions the counts once. Until then reading a mailbox in the same transaction sees what is staged.
 */
struct staged_mailbox {
	struct store_mailbox mb;
	bool counts;                    /* counters changed: sessions are told */
};
void store_stage(struct store_tx *tx, const struct store_mailbox *mb, bool counts);
void store_stage_overlay(struct store_tx *tx, struct store_mailbox *mb);        /* of a row just read */
int store_stage_flush(struct store_tx *tx) must_use_;
/* store_count: a message comes (sign 1) or goes (-1). */
void store_count(struct store_mailbox *mb, unsigned flags, int64_t size, int sign);

/* expunge.c */
int store_mailbox_expunge_all(struct store_tx *tx, struct store_mailbox *mb) must_use_;

/* changes.c */
void store_broadcast(struct store_account *a, struct store_changes *c, struct store_comm *origin);
void store_change_keywords(struct store_tx *tx, const struct store_mailbox *mb);
void store_comms_done(struct store_account *a);

/* eraser.c */
struct store_eraser *store_eraser_new(void);
void store_eraser_free(struct store_eraser **e);
void store_eraser_add(struct store_account *a, const int64_t *ids, size_t n);
int store_erase(struct store_account *a, const int64_t *ids, size_t n) must_use_;

#endif
