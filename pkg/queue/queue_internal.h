/* SPDX-License-Identifier: MIT */
/*
 * queue_internal.h - shared between the files of queue.
 */
#ifndef QUEUE_QUEUE_INTERNAL_H
#define QUEUE_QUEUE_INTERNAL_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/timeutil.h"
#include "db/db.h"
#include "metrics/metrics.h"
#include "queue/queue.h"
#include "smtp/smtp.h"

#define QUEUE_ROW_CONTENT (64 * 1024)   /* larger content is a file */
#define QUEUE_ATTEMPTS 8                /* by default */
#define QUEUE_DELAYED_AT 5              /* the failed attempt after which the sender is told */
#define QUEUE_GROUP_MAX LIMIT_SMTP_RCPTS
#define QUEUE_DELIVERING "delivering..."

struct queue {
	struct queue_opts o;
	struct arena arena;             /* strings of opts */
	struct lock lock;               /* db, next_content_id, sched */
	struct db *db;
	const char *dir;                /* <data_dir>/queue */
	int64_t next_content_id;
	struct queue_sched *sched;      /* NULL when nothing runs */
	atomic_bool stop;
	int stop_fd;
};

static inline int64_t
queue_now(const struct queue *q)
{
	return clock_now_us(q->o.clock);
}
/* queue_begin takes the lock and starts a transaction; queue_end ends both, rolling back what was not committed. */
struct queue_tx {
	struct queue *q;
	struct db_tx db;
};
int queue_begin(struct queue *q, struct queue_tx *r_tx) must_use_;
int queue_commit(struct queue_tx *tx) must_use_;
void queue_end(struct queue_tx *tx);    /* fits cleanup_() */

/* --- schema_sql.c --- */

int queue_db_open(struct queue *q, struct errmsg *e) must_use_;
int queue_db_recover(struct queue *q, struct errmsg *e) must_use_;

/* --- message_sql.c; all within a transaction --- */

int queue_content_insert(struct queue_tx *tx, int64_t id, int64_t size, const struct str *data) must_use_;
/* queue_content_get: 1 found; *r_data is the content if it is in the row, else *r_in_file. */
int queue_content_get(struct queue_tx *tx, struct arena *a, int64_t id, struct str *r_data, bool *r_in_file) must_use_;
/*
 * queue_content_release deletes a content that no message refers to any more: 1 if it has a file, to be removed after
 * the commit.
 */
int queue_content_release(struct queue_tx *tx, int64_t id) must_use_;
int queue_from_id_used(struct queue_tx *tx, struct str from_id) must_use_;     /* 1, 0 */
int queue_msg_insert(struct queue_tx *tx, struct queue_msg *m) must_use_;      /* sets m->id */
int queue_msg_set_base(struct queue_tx *tx, int64_t id, int64_t base_id) must_use_;
int queue_msg_get(struct queue_tx *tx, struct arena *a, int64_t id, bool retired, struct queue_msg *r_m) must_use_;
int queue_msg_body(struct queue_tx *tx, struct arena *a, struct queue_msg *m) must_use_;       /* prefix, dsn_utf8 */
int queue_msg_results(struct queue_tx *tx, struct arena *a, struct queue_msg *m) must_use_;
/*
 * Calls fn for all; it returns negative to end. The message is in the arena, which is reset after each call: fn
 * copies what it keeps.
 */
int queue_msg_each(struct queue_tx *tx, bool retired, int (*fn)(void *arg, const struct queue_msg *m),
    void *arg) must_use_;
/* hold, attempts, next, last, transport, require_tls, dialed */
int queue_msg_update(struct queue_tx *tx, const struct queue_msg *m) must_use_;
int queue_msg_delete(struct queue_tx *tx, int64_t id) must_use_;
/* into msg_retired; m->success, last_activity, keep_until */
int queue_msg_retire(struct queue_tx *tx, const struct queue_msg *m) must_use_;
int queue_result_insert(struct queue_tx *tx, int64_t msg_id, int64_t seq, const struct queue_result *r) must_use_;
/* queue_due: the first message for a domain that is due and not in the list of ids; 1 found. */
int queue_due(struct queue_tx *tx, struct arena *a, struct str domain, int64_t now, const int64_t *skip, size_t nskip,
    struct queue_msg *r_m) must_use_;
/* queue_siblings: others with the same base, destination and number of attempts that are due by the time. */
int queue_siblings(struct queue_tx *tx, struct arena *a, const struct queue_msg *m, int64_t due_by,
    struct queue_msg **r_v, size_t *r_n) must_use_;
/* queue_domains calls fn for each destination with its earliest next attempt. queue_domain_next: of one; 1 found. */
int queue_domains(struct queue_tx *tx, void (*fn)(void *arg, struct str domain, int64_t next), void *arg) must_use_;
int queue_domain_next(struct queue_tx *tx, struct str domain, int64_t *r_next) must_use_;
int queue_recent_failures(struct queue_tx *tx, struct str account, struct str recipient, int64_t except,
    int *r_failed, int *r_n) must_use_;
int queue_retired_expired(struct queue_tx *tx, int64_t now) must_use_;
int queue_counts(struct queue_tx *tx, int64_t *r_all, int64_t *r_held) must_use_;
struct str queue_extra_text(struct arena *a, const struct typedesc_str_map *extra);
int queue_extra_parse(struct arena *a, struct str text, struct typedesc_str_map *r_extra) must_use_;

/* --- suppress_sql.c, hook_sql.c: within a transaction --- */

int queue_rules(struct queue_tx *tx, struct arena *a, struct queue_hold_rule **r_v, size_t *r_n) must_use_;
bool queue_rule_matches(const struct queue_hold_rule *r, const struct queue_msg *m);
int queue_suppressed_tx(struct queue_tx *tx, struct arena *a, struct str account, struct str base,
    struct queue_suppression *r_s) must_use_;
int queue_suppress_tx(struct queue_tx *tx, const struct queue_suppression *s) must_use_;
/*
 * queue_hook_event queues the webhook of the account for an event of a message, if it wants one. code 0 for
 * delivered.
 */
int queue_hook_event(struct queue_tx *tx, struct arena *a, const struct config *cfg, const struct queue_msg *m,
    const char *event, bool suppressing,
    const struct queue_result *last) must_use_;
int queue_hooks_expired(struct queue_tx *tx, int64_t now) must_use_;
int queue_hook_each(struct queue_tx *tx, bool retired, int (*fn)(void *arg, const struct queue_hook *h),
    void *arg) must_use_;
int queue_hook_set_next(struct queue_tx *tx, int64_t id, int64_t next) must_use_;
int queue_hook_end(struct queue_tx *tx, const struct config *cfg, const struct queue_hook *h) must_use_;

/* --- attempt.c --- */

/* What became of a message in an attempt. */
struct queue_outcome {
	bool done;                      /* decided; else the error of the attempt counts */
	bool success, permanent;
	bool suppressed;                /* not tried: the recipient is on the suppression list */
	bool expected_dsn;              /* the next server took over what was asked for by DSN parameters */
	int code;
	char secode[8];
	struct str error;
	struct str lines;               /* reply, lines joined by a space: Diagnostic-Code */
	struct str remote_mta, remote_ip;
};

struct queue_attempt {
	struct queue *q;
	struct arena *a;
	struct config *cfg;
	const struct log *log;
	struct queue_msg *v;            /* messages of one transaction: same content, destination, transport */
	struct queue_outcome *out;      /* one for each */
	size_t n;
	struct str transport;           /* name, "" for direct */
	const struct config_transport *conf;    /* NULL for direct */
	int64_t start_us, start_mono;
	struct str data;                /* content in memory, or: */
	struct blob_file *file;
	struct str transcript;
	const char *tls_mode;           /* for metrics */
};
/* queue_source: the message as it is sent to the first recipient of the attempt: prefix and content. */
struct message_source queue_source(const struct queue_attempt *at);

/*
 * queue_prepare takes the next due message for a destination, and those that can go with it, and advances their
 * state: 1, 0 none due. The attempt is to be ended by queue_finish.
 */
int queue_prepare(struct queue *q, struct arena *a, struct str domain, const int64_t *skip, size_t nskip,
    struct queue_attempt *r_at) must_use_;
/* queue_finish writes what became of the messages. */
void queue_finish(struct queue_attempt *at);
int64_t queue_backoff(int64_t attempts);        /* until the next attempt, after so many; without jitter */
int64_t queue_max_attempts(const struct queue_msg *m);
/* queue_retire ends a message that will not be tried again: suppression list, webhook, retired. */
int queue_retire(struct queue_tx *tx, struct arena *a, const struct config *cfg, struct queue_msg *m,
    const struct queue_result *last, const char *event,
    bool may_suppress, int64_t *r_file) must_use_;
void queue_remove_file(struct queue *q, int64_t content_id);
struct str queue_file_path(struct queue *q, struct arena *a, int64_t content_id);

/* --- cause.c: "" if we do not know */
struct str queue_cause(int code, const char *secode, struct str lines);

/* Marks outcomes. */
void queue_fail_all(struct queue_attempt *at, bool permanent, int code, const char *secode, struct str text);
void queue_outcome_reply(struct arena *a, struct queue_outcome *o, const struct smtpclient_reply *r);
void queue_outcome_error(struct queue_attempt *at, struct queue_outcome *o, const struct smtpclient_error *e);

/* --- direct.c, relay.c --- */

/* A connection that is kept for the next message to the same destination. */
struct queue_session {
	struct smtpclient *client;
	struct str key;                 /* destination, transport and demands it was made for */
	struct arena arena;
	struct str mta, ip;             /* of the server */
	unsigned messages;
	int64_t opened_mono;
	const char *tls_mode;
};
void queue_session_close(struct queue_session *s);
void queue_deliver(struct queue_attempt *at, struct queue_session *s);
void queue_direct(struct queue_attempt *at, struct queue_session *s);
void queue_relay(struct queue_attempt *at, struct queue_session *s);
void queue_local(struct queue_attempt *at, struct queue_session *s);    /* localserve */
/*
 * queue_transfer sends the messages of the attempt over the session, as often as the server's limits need. Negative:
 * the error of the whole, in *r_e.
 */
int queue_transfer(struct queue_attempt *at, struct queue_session *s, bool pedantic, bool requiretls,
    struct smtpclient_error *r_e) must_use_;
bool queue_session_fits(struct queue_session *s, struct str key);
struct str queue_session_key(struct queue_attempt *at);
const struct ip *queue_local_ips(struct queue_attempt *at, size_t *r_n);

/* --- dsn.c --- */

/* queue_dsn tells the sender. Problems are logged. */
enum queue_dsn_kind { QUEUE_DSN_FAILED, QUEUE_DSN_DELAYED, QUEUE_DSN_DELIVERED };
void queue_dsn(struct queue *q, const struct config *cfg, const struct queue_msg *m, enum queue_dsn_kind kind,
    const struct queue_outcome *out,
    struct str content_head);
bool queue_wants_dsn(const struct queue_msg *m, enum queue_dsn_kind kind);

/* --- sched.c --- */

/* queue_kick: the earliest message of the destination may have changed ("" all). Called without the lock. */
void queue_kick(struct queue *q, struct str domain);

extern struct metric queue_m_connection, queue_m_delivery, queue_m_hold;

#endif
