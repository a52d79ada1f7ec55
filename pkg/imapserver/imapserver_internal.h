/* SPDX-License-Identifier: MIT */
/*
 * What the files of imapserver share: the session, the command at hand, the table of commands, results, the view, changes.
 */
#ifndef IMAPSERVER_INTERNAL_H
#define IMAPSERVER_INTERNAL_H

#include "base/buf.h"
#include "base/cur.h"
#include "base/limits.h"
#include "imap/imap.h"
#include "imapserver/imapserver.h"
#include "message/imap.h"
#include "message/message.h"
#include "metrics/metrics.h"
#include "store/changes.h"
#include "store/mailbox.h"
#include "store/messages.h"

/* --- the session --- */

enum imapserver_state {                 /* bits, for the table */
	IMAPSERVER_NOT_AUTHENTICATED = 1,
	IMAPSERVER_AUTHENTICATED = 2,
	IMAPSERVER_SELECTED = 4,
};

enum imapserver_enabled {               /* rfc/5161 */
	IMAPSERVER_REV2 = 1,
	IMAPSERVER_UTF8 = 2,
	IMAPSERVER_CONDSTORE = 4,       /* also by commands that imply it, rfc/7162:375 */
	IMAPSERVER_QRESYNC = 8,
	IMAPSERVER_UIDONLY = 16,        /* rfc/9586 */
};

struct imapserver {
	struct store *store;
	struct auth *auth;
	struct config *(*config)(void *arg);
	void *config_arg;
	struct conn_server *conns;
	struct arena arena;             /* of the strings below */
	struct str product, version, hostname;
	bool pedantic, no_delays;
	int64_t progress_period_us;
};

/* Consecutive UIDs of a mailbox with their sequence numbers: first has number seq, and so on. */
struct imapserver_span {
	uint32_t first, last, seq;
};

/*
 * What the client knows of the selected mailbox. Spans are sorted, disjoint and not adjacent. Messages with uid >=
 * uidnext do not exist for the session until they are announced.
 */
struct imapserver_view {
	int64_t mailbox_id;
	uint32_t uidvalidity, uidnext;
	bool readonly;
	bool stale;                     /* changes were lost: to be read anew */
	int64_t modseq;                 /* changes up to here were told, or were in what SELECT showed */
	int64_t own_modseq;             /* of the last flag change that this session made itself; 0 = none */
	struct imapserver_span *v;
	uint32_t n, cap;
	uint32_t count;                 /* messages */
	uint32_t added, removed;        /* so far, modulo 2^32 */
	struct imapserver_batches {     /* what UIDBATCHES told; size 0: nothing yet */
		uint32_t size, last;    /* messages in a batch, number of the last batch */
		uint32_t added, removed;
	} batches;
};

struct imapserver_command;

/* A command that continues over several units of input. */
struct imapserver_running {
	const struct imapserver_command *def;
	char *tag;
	int64_t start_us;
	bool uid;
	void *data;                     /* of the command; released by its steps */
};

struct imapserver_attempt;

/* In conn_data; what is there only sometimes is on the heap, so that an idle session stays small. */
struct imapserver_session {
	struct conn *conn;
	struct imapserver *server;
	const struct imapserver_listener *listener;
	struct imap_framer framer;
	uint8_t state;                  /* enum imapserver_state */
	uint8_t enabled;                /* enum imapserver_enabled */
	bool started;                   /* a command that we know was seen */
	bool slow;
	unsigned failures;              /* of authentication, in a row */
	int64_t wait_us;                /* to wait before the next input; 0 = none */
	struct store_account *acct;     /* once authenticated */
	struct store_comm *comm;
	char *address;                  /* login address */
	char *user_agent;               /* from ID */
	struct imapserver_attempt *attempt;     /* of the login, kept until ID comes or a second passed */
	struct imapserver_view *view;   /* in the selected state */
	struct imap_range *saved;       /* UIDs of the saved search result, rfc/5182 */
	size_t nsaved;
	struct imapserver_running *running;
	struct conn_id id;              /* for the store's wake-up */
};

/* utf8: quoted strings and names may hold UTF-8. */
static inline bool
imapserver_utf8(const struct imapserver_session *s)
{
	return s->enabled & (IMAPSERVER_REV2 | IMAPSERVER_UTF8);
}

void imapserver_login(struct imapserver_session *s, struct auth_user *user);    /* takes user->acct over (login.c) */
/* imapserver_logout undoes it: the connection is as after its greeting, but for TLS and ID. */
void imapserver_logout(struct imapserver_session *s);
void imapserver_login_failed(struct imapserver_session *s);
/* imapserver_record notes an attempt; that of a success waits for ID. address and mechanism are copied. */
void imapserver_record(struct imapserver_session *s, struct str account, struct str address, struct str mechanism, struct str result);
void imapserver_record_flush(struct imapserver_session *s, bool now);
bool imapserver_cleartext_allowed(const struct imapserver_session *s);
/* imapserver_cert_user: whom the TLS client key logs in; false without one that is valid now. Release with auth_user_done. */
bool imapserver_cert_user(struct imapserver_session *s, struct arena *a, struct auth_user *r_user);
/* imapserver_cert_allows: a client with a key logs in to no other account than the key's. */
bool imapserver_cert_allows(struct imapserver_session *s, const struct auth_user *user);

/* imapserver_start: the state of a new connection (server.c). */
void imapserver_start(struct imapserver_session *s, struct conn *conn);

/* --- the command at hand --- */

enum imapserver_status { IMAPSERVER_OK, IMAPSERVER_NO, IMAPSERVER_BAD };

struct imapserver_cmd {
	struct imapserver_session *s;
	struct conn *conn;
	struct arena *a;                /* conn_arena: until the unit is done */
	const struct imapserver_command *def;
	struct str tag;
	bool uid;                       /* the UID form */
	struct cur in;                  /* arguments, from behind the command word */
	unsigned unit_flags;            /* enum imap_unit_flag of the unit */
	uint64_t literal;               /* announced message data */
	struct buf out;                 /* untagged data being written; goes to the connection by imapserver_send */
	struct store_batch **late;      /* changes taken before the command's own, to be told with it (imapserver_take_changes) */
	size_t nlate;
	bool overflow;
	int64_t progress_us;            /* monotonic: when progress was last told; 0 = not yet looked at */

	/* The result: the first failure wins. Written by the dispatcher. */
	enum imapserver_status status;
	struct str code;                /* without brackets; empty = none */
	char text[256];
	bool server_error;              /* for the metric */
	bool close;                     /* the connection ends after the reply */
	bool starttls;                  /* TLS starts after the reply */
};

/* What a handler returns besides 0: done, the tagged OK follows. */
enum {
	IMAPSERVER_FAILED = -1,         /* recorded in the cmd */
	IMAPSERVER_MORE = 1,            /* the command goes on with the next unit, see imapserver_continue */
};

enum imapserver_flag {
	IMAPSERVER_F_UID = 1,           /* has a UID form */
	IMAPSERVER_F_SEQ = 2,           /* its plain form takes sequence numbers: changes by others must not be told before its end, so
	                                   that numbers stay as they are (rfc/9051:5862) */
	IMAPSERVER_F_QUIET = 4,         /* changes by others are not told: they are taken up in another way, or it is not the time */
	IMAPSERVER_F_SECRET = 8,        /* its arguments are not to be traced */
	IMAPSERVER_F_NUMBERS = 32,      /* its plain form is of sequence numbers: refused with UIDONLY */
	IMAPSERVER_F_MESSAGE = 16,      /* message data follow it; the framer stops before them */
};

/*
 * Units after the first one. run is called for CONN_INPUT, CONN_SPOOLED and CONN_WAKE; free when the command ends in
 * whatever way.
 */
struct imapserver_steps {
	int (*run)(struct imapserver_cmd *c, const struct conn_unit *u, void *data);
	void (*free)(struct imapserver_session *s, void *data);
	bool lines;                     /* input is plain lines, without literals */
};

struct imapserver_command {
	struct str name;
	int (*run)(struct imapserver_cmd *c);
	uint8_t states;                 /* bits of enum imapserver_state; elsewhere it is refused with NO */
	uint8_t flags;
	const struct imapserver_steps *steps;
};

/* commands.c */
const struct imapserver_command *imapserver_command_find(struct str name, bool uid);
enum conn_next imapserver_unit(struct imapserver_session *s, const struct conn_unit *u);
/*
 * imapserver_continue makes the command go on with the next unit; data is released by the command's steps. Returns
 * IMAPSERVER_MORE.
 */
int imapserver_continue(struct imapserver_cmd *c, void *data);
void imapserver_end_running(struct imapserver_session *s);

/* --- results (reply.c) --- */

int imapserver_bad(struct imapserver_cmd *c, const char *fmt, ...) printf_(2, 3) must_use_;
/* code without brackets, or NULL */
int imapserver_no(struct imapserver_cmd *c, const char *code, const char *fmt, ...) printf_(3, 4) must_use_;
int imapserver_syntax(struct imapserver_cmd *c) must_use_;      /* BAD, from the cursor */
int imapserver_uid_required(struct imapserver_cmd *c) must_use_;        /* BAD [UIDREQUIRED] */
/* imapserver_end: the arguments end here; 0, or BAD. */
int imapserver_end(struct imapserver_cmd *c) must_use_;
/*
 * imapserver_error: an error of the store or another package: its NO, logged if it is ours to mend. what: "creating
 * the mailbox"
 */
int imapserver_error(struct imapserver_cmd *c, int err, const struct errmsg *e, const char *what) must_use_;
void imapserver_code(struct imapserver_cmd *c, const char *fmt, ...) printf_(2, 3);     /* response code of the tagged OK */
void imapserver_bye(struct imapserver_session *s, const char *text);

/* imapserver_send hands c->out to the connection when there is much of it (or always, with now). */
void imapserver_send(struct imapserver_cmd *c, bool now);
void imapserver_add_mailbox(struct imapserver_cmd *c, struct str name);
void imapserver_add_flags(struct buf *b, unsigned flags, struct str keywords);          /* "(\Seen work)" */
/*
 * imapserver_begin_fetch writes "* 3 FETCH (UID 7", or with UIDONLY "* 7 UIDFETCH (". True: no item stands there yet.
 * Then, for each item, imapserver_next_item separates it from what stands before.
 */
bool imapserver_begin_fetch(struct imapserver_cmd *c, uint32_t seq, uint32_t uid);
void imapserver_next_item(struct buf *b, bool *first);
/* imapserver_add_fetch_flags: "* 3 FETCH (UID 7 FLAGS (...) MODSEQ (9))" */
void imapserver_add_fetch_flags(struct imapserver_cmd *c, uint32_t seq, uint32_t uid, unsigned flags, struct str keywords, int64_t modseq);

/* imapserver_add_object_id: "(M12)", or NIL for 0. kind: F mailbox, M content, T thread   rfc/8474:523 */
void imapserver_add_object_id(struct buf *b, char kind, int64_t id);
/* imapserver_progress tells the client from time to time that done of total messages are looked at   rfc/9585:104 */
void imapserver_progress(struct imapserver_cmd *c, uint64_t done, uint64_t total);

/* imapserver_mailbox_arg reads a mailbox name and checks it: NO [CANNOT] if it cannot be one. */
int imapserver_mailbox_arg(struct imapserver_cmd *c, struct str *r_name) must_use_;
/* imapserver_find finds a live mailbox by name: NO with the code if there is none. */
int imapserver_find(struct imapserver_cmd *c, struct store_tx *tx, struct str name, const char *code, struct store_mailbox *r_mb) must_use_;
/* imapserver_selected gets the selected mailbox: NO [NONEXISTENT] when someone deleted it. */
int imapserver_selected(struct imapserver_cmd *c, struct store_tx *tx, struct store_mailbox *r_mb) must_use_;
/* imapserver_enable_condstore: some use of it; tells HIGHESTMODSEQ of the selected mailbox the first time (rfc/7162:403). */
int imapserver_enable_condstore(struct imapserver_cmd *c) must_use_;

/* cmd_capability.c */
void imapserver_add_capabilities(struct imapserver_session *s, struct buf *b);
bool imapserver_capability_disabled(struct imapserver_session *s, struct str name);
void imapserver_capability_code(struct imapserver_cmd *c);      /* the list as code of the tagged OK */

/* --- the view (view.c) --- */

struct imapserver_view *imapserver_view_new(const struct store_mailbox *mb, const struct store_uidset *uids, bool readonly);
void imapserver_view_free(struct imapserver_view **v);
uint32_t imapserver_view_seq(const struct imapserver_view *v, uint32_t uid);    /* 0 if it is not in the view */
uint32_t imapserver_view_uid(const struct imapserver_view *v, uint32_t seq);    /* seq 1..count */
uint32_t imapserver_view_last_uid(const struct imapserver_view *v);             /* 0 if empty */
void imapserver_view_add(struct imapserver_view *v, uint32_t uid);              /* above all others */
/*
 * What was removed, in order: `count` messages from uid `first` on, each of which had number seq when the ones before
 * were gone.
 */
struct imapserver_gone {
	uint32_t seq, first, count;
};
void imapserver_view_remove(struct imapserver_view *v, struct arena *a, const struct imap_ranges *uids, struct imapserver_gone **r_gone, size_t *r_n);
struct imap_ranges imapserver_view_all(const struct imapserver_view *v, struct arena *a);       /* all UIDs */
/* imapserver_resolve: a set of the command (sequence numbers, or UIDs in the UID form, or "$") as UIDs of the view. BAD for a sequence number
 * that does not exist. */
int imapserver_resolve(struct imapserver_cmd *c, const struct imap_set *set, struct imap_ranges *r_uids) must_use_;
struct store_uidset imapserver_uidset(struct arena *a, const struct imap_ranges *r);
struct imap_ranges imapserver_saved(const struct imapserver_session *s, struct arena *a);
void imapserver_set_saved(struct imapserver_session *s, const struct imap_ranges *r);

/* --- reading many messages (scan.c) --- */

struct imapserver_row {
	struct store_message m;
	struct store_body body;
};
/*
 * Messages of the selected mailbox in batches, so that no read transaction is open while output waits. Set the first
 * fields; uids must stay. Use:
 *
 *	for (;;) {
 *		ARENA_SCOPE(c->a);
 *		r = imapserver_scan(c, &scan, &rows, &n);
 *		if (r <= 0) break;
 *		...
 *	}
 */
struct imapserver_scan {
	const struct imap_ranges *uids;
	bool live_only, with_body;
	int64_t changed_since;          /* only modseq above it; 0 = all */
	/* private */
	size_t range;
	uint32_t next;                  /* first UID not yet looked at; 0 = from the start of the range */
	size_t batch;
};
/* imapserver_scan: 1 with rows in c->a, 0 at the end, negative: recorded in c. */
int imapserver_scan(struct imapserver_cmd *c, struct imapserver_scan *s, struct imapserver_row **r_rows, size_t *r_n) must_use_;

/* --- changes by others (changes.c) --- */

/*
 * imapserver_take_changes takes what is queued now, within a write transaction: it came before what the command is
 * about to do.
 */
void imapserver_take_changes(struct imapserver_cmd *c);
/* imapserver_tell_changes writes what was taken, then (queued) what is queued now. */
void imapserver_tell_changes(struct imapserver_cmd *c, bool queued);
/* imapserver_taken hands over what store_comm_snapshot took. */
void imapserver_taken(struct imapserver_cmd *c, struct store_batch **v, size_t n, bool overflow);
void imapserver_drop_changes(struct imapserver_cmd *c);
/* imapserver_tell_gone removes UIDs from the view and tells so: EXPUNGE, or VANISHED with QRESYNC. */
void imapserver_tell_gone(struct imapserver_cmd *c, const struct imap_ranges *uids);
/* imapserver_add_vanished: "* VANISHED [(EARLIER) ]set" in lines of about 4 KiB. */
void imapserver_add_vanished(struct imapserver_cmd *c, const struct imap_ranges *uids, bool earlier);
void imapserver_add_list_change(struct imapserver_cmd *c, struct str attributes, struct str name, struct str old_name);

/* imapserver_unselect leaves the selected mailbox, if any. */
void imapserver_unselect(struct imapserver_session *s);

/* --- commands --- */

/* cmd_status.c: the items of STATUS as bits, and the response. */
unsigned imapserver_status_items(struct cur *c);
void imapserver_add_status(struct imapserver_cmd *c, const struct store_mailbox *mb, unsigned items);
bool imapserver_status_is_condstore(unsigned items);    /* asks for HIGHESTMODSEQ */

/* cmd_store.c: sets \Seen of messages that are there; *r_all: all of them were. */
int imapserver_set_seen(struct imapserver_cmd *c, const struct imap_ranges *uids, bool *r_all) must_use_;
/* vanished.c: UIDs of a set that were expunged since modseq, or may have been where history is incomplete. */
int imapserver_find_vanished(struct imapserver_cmd *c, struct store_tx *tx, const struct store_mailbox *mb, const struct imap_ranges *among,
	const struct imap_ranges *live, int64_t modseq, struct imap_ranges *r_vanished) must_use_;

/* fetch_items.c: one message of FETCH. */
struct imapserver_fetch {
	struct imap_fetch_items items;
	bool flags, modseq;             /* told at the end */
	bool with_body;                 /* the row with prefix, preview and structure is needed */
	bool sets_seen;                 /* and the mailbox may be changed */
	struct imap_ranges seen;        /* to be marked \Seen */
	struct arena keep;              /* of seen: outlives the batches */
	struct imapserver_later *later; /* structures and previews that were computed, to be saved after the batch */
	struct arena later_mem;
};
/* imapserver_fetch_message writes the FETCH response of one message. */
int imapserver_fetch_message(struct imapserver_cmd *c, struct imapserver_fetch *f, const struct imapserver_row *row) must_use_;
/* imapserver_fetch_save keeps what was computed. */
void imapserver_fetch_save(struct imapserver_cmd *c, struct imapserver_fetch *f);
void imapserver_fetch_done(struct imapserver_fetch *f);

/* content.c: the structure and the bytes of one message, each read when first asked for. */
struct imapserver_content {
	struct store_account *acct;
	const struct imapserver_row *row;       /* with body */
	struct arena *a;
	struct message m;
	struct message_source src;
	struct blob_file *file;
	bool loaded, parsed;            /* parsed: the structure was not stored, or by an older version */
};
int imapserver_content_source(struct imapserver_content *k) must_use_;
int imapserver_content_structure(struct imapserver_content *k) must_use_;
void imapserver_content_done(struct imapserver_content *k);

/* search_match.c: search keys against one message. */
struct imapserver_match {
	const struct imap_search *key;
	const struct imapserver_view *view;
	struct imapserver_term *terms;          /* folded text of keys, in the order of the tree */
	struct imap_ranges saved;               /* for "$" */
	bool with_body;                         /* rows are needed with their bodies */
	int64_t now_us;
};
/* imapserver_match_init prepares a tree; text is UTF-8. */
void imapserver_match_init(struct imapserver_match *t, struct imapserver_session *s, struct arena *a, const struct imap_search *key);
/* imapserver_match: 1 yes, 0 no, negative: an error of the store. Scratch memory in a. */
int imapserver_match(const struct imapserver_match *t, struct store_account *acct, struct arena *a, const struct imapserver_row *row) must_use_;

/* search_run.c: SEARCH, SORT and THREAD. */
struct imapserver_search {
	bool extended;                  /* the answer is ESEARCH */
	unsigned ret;                   /* enum imap_return */
	struct imap_partial partial;
	struct imap_search *key;
	bool modseq;                    /* a MODSEQ key was used: the answer tells the highest */
};
/* imapserver_search_return reads "RETURN (...)" SP, if it stands there. */
void imapserver_search_return(struct imapserver_cmd *c, struct imapserver_search *q);
/* imapserver_search_parse reads the rest of the command: with `criteria` the charset must stand there (SORT, THREAD). */
int imapserver_search_parse(struct imapserver_cmd *c, struct imapserver_search *q, bool criteria) must_use_;
/*
 * imapserver_search_run calls each for all messages that match, in mailbox order; rows come with their bodies if
 * with_body. each returns 0, 1 when it has enough, or an error.
 */
int imapserver_search_run(struct imapserver_cmd *c, const struct imapserver_search *q, bool with_body,
	int (*each)(void *arg, struct imapserver_cmd *c, const struct imapserver_row *row), void *arg) must_use_;
/* imapserver_part_of: what PARTIAL asks for of all, counted in mailbox order   rfc/9394:135 */
struct imap_ranges imapserver_part_of(struct arena *a, const struct imap_partial *p, const struct imap_ranges *all);
void imapserver_add_esearch(struct imapserver_cmd *c);  /* "* ESEARCH (TAG "x")", with UID in the UID form */
uint32_t imapserver_number(const struct imapserver_cmd *c, uint32_t uid);       /* how the command names that message */

/* upload.c: messages that come with a command, APPEND and REPLACE. */
struct imapserver_uploaded {
	struct imapserver_uploaded *next;
	struct blob *blob;
	struct strlist flags;
	int64_t received_us;            /* 0 = now */
	int received_tz;
};

struct imapserver_upload;
struct imapserver_upload_ops {
	/*
	 * check looks at what else must hold before the octets are asked for; *r_credit: what the command gives back to
	 * the quota. May be NULL.
	 */
	int (*check)(struct imapserver_cmd *c, const struct imapserver_upload *up, struct store_tx *tx, int64_t *r_credit);
	int (*commit)(struct imapserver_cmd *c, struct imapserver_upload *up);  /* all messages are there */
};

struct imapserver_upload {
	/* set by the command */
	const struct imapserver_upload_ops *ops;
	size_t max;                     /* messages */
	uint32_t uid;                   /* of the message that REPLACE removes */
	/* for commit */
	struct arena mem;
	struct str name;                /* of the mailbox */
	struct imapserver_uploaded *first, **last;
	size_t n;
	int64_t size;                   /* of all messages so far, the one to come included */
	/* private */
	struct conn_sink sink;
	uint64_t left;                  /* octets of the literal still to come */
	struct blob *into;              /* NULL: dropped */
	int err;                        /* of writing the blob */
	bool utf8;                      /* the literal stands in "UTF8 (...)": a parenthesis follows it */
	/* The first failure, to be told when the input is through. */
	enum imapserver_status status;
	struct str code;
	char *text;
	bool server_error;
};
/* imapserver_upload reads SP mailbox and the head of the first message; up is on the heap and taken over. */
int imapserver_upload(struct imapserver_cmd *c, struct imapserver_upload *up) must_use_;
/* The steps of such a command. */
int imapserver_upload_step(struct imapserver_cmd *c, const struct conn_unit *u, void *data);
void imapserver_upload_free(struct imapserver_session *s, void *data);
/* imapserver_upload_prepare fills adds, of which there are up->n; store_prepared_free each in any case. */
int imapserver_upload_prepare(struct imapserver_cmd *c, const struct imapserver_upload *up, struct store_add *adds) must_use_;

/* copy.c: what COPY and MOVE share. */
struct imapserver_copy {
	struct store_mailbox src, dst;
	struct store_message *v;
	size_t n;
};
int imapserver_copy_args(struct imapserver_cmd *c, struct imap_ranges *r_uids, struct str *r_name) must_use_;
/* imapserver_copy_begin begins a write transaction and reads the messages; all of them must still be there. */
int imapserver_copy_begin(struct imapserver_cmd *c, struct store_tx *tx, const struct imap_ranges *uids, struct str name,
	struct imapserver_copy *r_copy) must_use_;
/* imapserver_copyuid: the response code, for messages that had the UIDs `from`, in order. */
struct str imapserver_copyuid(struct imapserver_cmd *c, const struct imapserver_copy *k, const struct imap_ranges *from, const uint32_t *new_uids);

/*
 * cmd_expunge.c: removes messages marked \Deleted, of uids or (NULL) all. silent: nothing is told, and a mailbox that
 * is gone is fine.
 */
int imapserver_remove_deleted(struct imapserver_cmd *c, const struct imap_ranges *uids, bool silent) must_use_;

int imapserver_cmd_capability(struct imapserver_cmd *c);
int imapserver_cmd_noop(struct imapserver_cmd *c);
int imapserver_cmd_logout(struct imapserver_cmd *c);
int imapserver_cmd_id(struct imapserver_cmd *c);
int imapserver_cmd_starttls(struct imapserver_cmd *c);
int imapserver_cmd_authenticate(struct imapserver_cmd *c);
int imapserver_cmd_login(struct imapserver_cmd *c);
int imapserver_cmd_enable(struct imapserver_cmd *c);
int imapserver_cmd_select(struct imapserver_cmd *c);
int imapserver_cmd_examine(struct imapserver_cmd *c);
int imapserver_cmd_create(struct imapserver_cmd *c);
int imapserver_cmd_delete(struct imapserver_cmd *c);
int imapserver_cmd_rename(struct imapserver_cmd *c);
int imapserver_cmd_subscribe(struct imapserver_cmd *c);
int imapserver_cmd_unsubscribe(struct imapserver_cmd *c);
int imapserver_cmd_list(struct imapserver_cmd *c);
int imapserver_cmd_lsub(struct imapserver_cmd *c);
int imapserver_cmd_namespace(struct imapserver_cmd *c);
int imapserver_cmd_status(struct imapserver_cmd *c);
int imapserver_cmd_append(struct imapserver_cmd *c);
int imapserver_cmd_idle(struct imapserver_cmd *c);
int imapserver_cmd_check(struct imapserver_cmd *c);
int imapserver_cmd_close(struct imapserver_cmd *c);
int imapserver_cmd_unselect(struct imapserver_cmd *c);
int imapserver_cmd_expunge(struct imapserver_cmd *c);
int imapserver_cmd_search(struct imapserver_cmd *c);
int imapserver_cmd_fetch(struct imapserver_cmd *c);
int imapserver_cmd_store(struct imapserver_cmd *c);
int imapserver_cmd_copy(struct imapserver_cmd *c);
int imapserver_cmd_move(struct imapserver_cmd *c);
int imapserver_cmd_replace(struct imapserver_cmd *c);
int imapserver_cmd_unauthenticate(struct imapserver_cmd *c);
int imapserver_cmd_uidbatches(struct imapserver_cmd *c);
int imapserver_cmd_sort(struct imapserver_cmd *c);
int imapserver_cmd_thread(struct imapserver_cmd *c);
extern const struct imapserver_steps imapserver_authenticate_steps, imapserver_append_steps, imapserver_replace_steps,
	imapserver_idle_steps;

#endif
