/* SPDX-License-Identifier: MIT */
/*
 * queue - outgoing messages: kept until they are delivered or given up, and tried again meanwhile.
 *
 * One row per recipient. The recipients of one submission share its content: up to 64 KiB in a row of its own, larger
 * ones in a file (creating a file that is soon deleted again costs more than all the rest). queue_add is one durable
 * transaction. Before an attempt touches the network its state is advanced and durable (attempts, next attempt, a
 * result "delivering..."), so that a crash neither loses a message nor makes us hammer a server; after it, the
 * outcome is one transaction again, and what must be told (DSN) is on disk before the message is forgotten.
 *
 * A message ends as delivered, failed or dropped, and then stays in the list of retired ones for the account's
 * KeepRetiredMessagePeriod. Attempts come at 0, 7.5 min, 15 min, 30 min, 1 h, 2 h, 4 h, 8 h after one another; after
 * the fifth failure the sender is told of the delay, after the last of the failure. DSNs go straight into the
 * sender's Inbox; a message with a null sender gives none.
 *
 * Where a message goes: its transport, or the first route that matches (account, domain of the sender, global), or
 * directly to the hosts of the recipient's domain. For each host of a domain DANE and MTA-STS say whether TLS may be
 * done without, and which certificate is good; without either, TLS is opportunistic. The table is in ../spec/queue.md
 * 5.
 *
 * Scheduling: destinations (recipient domains) with due messages stand in a heap by time. Each has a number of
 * deliveries that may run at once, which grows by one with each success and is halved by trouble; a worker that has a
 * connection takes further messages for the same destination. Workers are threads of their own.
 *
 * Functions are thread-safe. Strings that they give are in the arena of the call.
 *
 * Files: queue/index.db (schema_sql.c), queue/<dir>/<content id>. ../spec/queue.md, RFC 5321 4.5.4, 3461, 3464, 4865,
 * 7435, 7672, 8461, 8689.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "blob/blob.h"
#include "config/config.h"
#include "dns/dns.h"
#include "log/log.h"
#include "message/message.h"
#include "mtasts/mtasts.h"
#include "queue/queue_idl.h"
#include "smtp/smtp.h"
#include "smtpclient/smtpclient.h"
#include "store/store.h"

struct queue;

enum queue_err {
	QUEUE_FROMID_NOT_UNIQUE = -140, /* the from id was used before */
	QUEUE_NO_TRANSPORT = -141,      /* no transport of this name is configured */
};

/* What we know of an MTA-STS policy. */
struct queue_sts {
	bool have;                      /* there is a policy */
	struct mtasts_policy policy;
};

struct queue_opts {
	const char *data_dir;
	struct store *store;            /* for DSNs; NULL: they are only logged */
	/* config returns the current snapshot, referenced (config_current). */
	struct config *(*config)(void *arg);
	void *config_arg;
	struct dns_resolver *resolver;
	struct smtpclient_tls *tls;
	const struct log *log;          /* NULL: none */
	const struct clock *clock;      /* NULL: the system's. Deadlines of connections are always the system's */
	uint16_t port;                  /* of other servers; 0: 25 */
	unsigned deliveries;            /* workers, hence connections at once; 0: 20 */
	unsigned per_destination;       /* of which for one domain, at most; 0: 10 */
	/*
	 * Test mode (localserve): everything goes to this address by SMTP instead of the recipient's hosts. Port 0:
	 * off.
	 */
	struct ipport localserve;
	/*
	 * The MTA-STS policy of a domain (ASCII), from package mtastsdb. 0, or an error that postpones delivery (the
	 * policy may exist, but is not known now). NULL: no policies.
	 */
	int (*sts)(void *arg, struct arena *a, const struct ctx *ctx, struct str domain, struct queue_sts *r_sts, struct errmsg *e);
	/*
	 * Judges certificates by TLSA records in place of dane_verify, in tests: 0 if one matches, *r_errors if one could
	 * not be evaluated. names are those that a trust anchor's certificate may be for. NULL: dane_verify.
	 */
	int (*dane)(void *arg, const struct dns_record *records, size_t n, const struct strlist *names, X509 *leaf,
	    STACK_OF(X509) *chain, bool *r_errors, struct errmsg *e);
	/* Told after each set-up of a connection how TLS went, for TLS reports. NULL: nobody is. */
	void (*tls_result)(void *arg, struct str recipient_domain, struct str host, const struct smtpclient_tls_facts *facts);
	void *arg;                      /* of the three */
	/* dial replaces smtpclient_dial in tests. */
	int (*dial)(void *arg, const struct smtpclient_dial_opts *o, int *r_fd, size_t *r_index, struct errmsg *e);
	void *dial_arg;
};

/*
 * queue_open opens or makes the database; leftovers of a crash are cleared: files without a row are removed, results
 * that say "delivering..." are marked as interrupted. Nothing is delivered before queue_start.
 */
int queue_open(const struct queue_opts *o, struct queue **r_q, struct errmsg *e) must_use_;
int queue_start(struct queue *q, struct errmsg *e) must_use_;
/* queue_stop ends connections that are under way and waits for the workers. */
void queue_stop(struct queue *q);
void queue_close(struct queue **q);     /* after queue_stop; NULL is fine */
/*
 * queue_run does what is due now in the calling thread, one delivery after the other, without queue_start: for tests.
 * Returns how many attempts were made.
 */
int queue_run(struct queue *q);
/* queue_cleanup forgets retired messages and webhooks whose time is over, and removes content nobody refers to. */
int queue_cleanup(struct queue *q) must_use_;

/* --- adding --- */

/* What the recipients of a submission share, and one of them. Zero is the default of everything but what is marked. */
struct queue_add {
	struct str account;             /* whose message it is; required */
	struct smtp_path from;
	struct blob *content;           /* as submitted; the caller frees it. Required, unless: */
	struct str text;                /* the content */
	bool has_8bit, smtputf8;
	bool is_dmarc_report, is_tls_report;
	int64_t max_attempts;
	const bool *require_tls;        /* NULL: as usual */
	int64_t release_us;             /* not before this time (RFC 4865); 0: now */
	struct str future_release;      /* as requested: "for;n" */
	struct str message_id;          /* with <> */
	struct str subject;
	struct typedesc_str_map extra;
	struct str dsn_ret, dsn_envid;
	struct str dsn_utf8;
	struct queue_add_rcpt {
		struct smtp_path to;
		struct str prefix;      /* header fields in front of the content */
		struct smtp_path from;  /* instead of the shared one, if has_from: with a from id */
		bool has_from;
		struct str from_id;
		struct str dsn_notify, dsn_orcpt;
	} *rcpts;
	size_t nrcpts;                  /* at least 1 */
};
/*
 * queue_add adds one message for each recipient, all or none, durable when it returns 0. r_ids (may be NULL) gets the
 * nrcpts ids. QUEUE_FROMID_NOT_UNIQUE, ERR_NOSPACE, ERR_IO.
 */
int queue_add(struct queue *q, const struct queue_add *add, int64_t *r_ids, struct errmsg *e) must_use_;

/* --- looking and changing --- */

/* Which messages. Zero: all. Fields that are set must all match. */
struct queue_filter {
	const int64_t *ids;             /* NULL: any */
	size_t nids;
	int64_t max;                    /* at most this many, by the order at hand; 0: all */
	struct str account;
	/* part of the address; "@domain" is the end of it, "a@b" all of it */
	struct str from, to;
	int hold;                       /* 0 any, 1 on hold, -1 not */
	/* "<duration" before now + duration, ">duration" after; "now" for 0. Empty: any */
	struct str submitted, next_attempt, last_activity;
	const struct str *transport;    /* NULL: any; empty: those without */
	int result;                     /* retired: 0 any, 1 success, -1 failure */
	struct str event;               /* webhooks: "incoming" or an outgoing event */
};
enum queue_sort { QUEUE_SORT_NEXT_ATTEMPT, QUEUE_SORT_QUEUED, QUEUE_SORT_LAST_ACTIVITY };
struct queue_order {
	enum queue_sort by;             /* default: next attempt; retired ones: last activity */
	bool asc;
	int64_t after_id;               /* page: what comes behind this message; 0: from the start */
};
/* ERR_INVALID with a text for a filter that is not well formed. */
int queue_list(struct queue *q, struct arena *a, const struct queue_filter *f, const struct queue_order *o,
    struct queue_msg **r_v, size_t *r_n, struct errmsg *e) must_use_;
int queue_retired_list(struct queue *q, struct arena *a, const struct queue_filter *f, const struct queue_order *o,
    struct queue_msg **r_v, size_t *r_n, struct errmsg *e) must_use_;
/* 1 found, 0 none */
int queue_get(struct queue *q, struct arena *a, int64_t id, bool retired, struct queue_msg *r_m) must_use_;
/* queue_content reads the whole message: prefix and content. ERR_NOTFOUND. */
int queue_content(struct queue *q, struct arena *a, int64_t id, struct str *r_content, struct errmsg *e) must_use_;
int queue_count(struct queue *q, int64_t *r_n) must_use_;

/* Each returns how many messages it changed, or an error. Those that become due are tried at once. */
int queue_hold(struct queue *q, const struct queue_filter *f, bool hold, struct errmsg *e) must_use_;
/* queue_schedule moves the next attempt by us, or with from_now sets it to now + us. */
int queue_schedule(struct queue *q, const struct queue_filter *f, int64_t us, bool from_now,
    struct errmsg *e) must_use_;
/* queue_transport: "" takes a transport back. QUEUE_NO_TRANSPORT. */
int queue_transport(struct queue *q, const struct queue_filter *f, struct str name, struct errmsg *e) must_use_;
int queue_require_tls(struct queue *q, const struct queue_filter *f, const bool *require, struct errmsg *e) must_use_;
/* queue_fail gives messages up: a DSN tells the sender, webhook event failed. */
int queue_fail(struct queue *q, const struct queue_filter *f, struct errmsg *e) must_use_;
/* queue_drop forgets messages without DSN; webhook event canceled. */
int queue_drop(struct queue *q, const struct queue_filter *f, struct errmsg *e) must_use_;

/* --- hold rules --- */

int queue_holdrules(struct queue *q, struct arena *a, struct queue_hold_rule **r_v, size_t *r_n) must_use_;
/* queue_holdrule_add also holds what waits and matches. Domains in Unicode. r_id may be NULL. */
int queue_holdrule_add(struct queue *q, const struct queue_hold_rule *r, int64_t *r_id) must_use_;
int queue_holdrule_remove(struct queue *q, int64_t id) must_use_;      /* ERR_NOTFOUND. Messages stay as they are */

/* --- suppression list --- */

/* queue_base_address: what an address counts as; for addresses with a domain name. */
struct str queue_base_address(struct arena *a, const struct smtp_path *p);
int queue_suppressions(struct queue *q, struct arena *a, struct str account, struct queue_suppression **r_v,
    size_t *r_n) must_use_;
int queue_suppression_add(struct queue *q, struct str account, const struct smtp_path *address, bool manual,
    struct str reason,
    struct errmsg *e) must_use_;        /* ERR_EXISTS */
/* ERR_NOTFOUND */
int queue_suppression_remove(struct queue *q, struct str account, const struct smtp_path *address) must_use_;
/* queue_suppressed: 1 with the row (r_s may be NULL), 0. account "": any */
int queue_suppressed(struct queue *q, struct arena *a, struct str account, const struct smtp_path *address,
    struct queue_suppression *r_s) must_use_;

/* --- webhooks: rows that wait for their sender --- */

int queue_hooks(struct queue *q, struct arena *a, const struct queue_filter *f, const struct queue_order *o,
    bool retired,
    struct queue_hook **r_v, size_t *r_n, struct errmsg *e) must_use_;
int queue_hook_get(struct queue *q, struct arena *a, int64_t id, bool retired, struct queue_hook *r_h) must_use_;
int queue_hook_schedule(struct queue *q, const struct queue_filter *f, int64_t us, bool from_now,
    struct errmsg *e) must_use_;
int queue_hook_cancel(struct queue *q, const struct queue_filter *f, struct errmsg *e) must_use_;

#endif
