/* SPDX-License-Identifier: MIT */
/*
 * smtpserver_internal.h - shared between the files of smtpserver.
 */
#ifndef SMTPSERVER_SMTPSERVER_INTERNAL_H
#define SMTPSERVER_SMTPSERVER_INTERNAL_H

#include "base/buf.h"
#include "base/cur.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/timeutil.h"
#include "blob/blob.h"
#include "metrics/metrics.h"
#include "sasl/sasl.h"
#include "smtp/smtp.h"
#include "smtpserver/smtpserver.h"
#include "store/messages.h"

/* --- server.c --- */

struct smtpserver {
	struct smtpserver_opts opts;
	struct arena arena;                     /* strings of opts */
	struct partial_memory *partial;
};
struct config *smtpserver_config(struct smtpserver *srv);       /* current snapshot; config_unref */
bool smtpserver_is_localserve(const struct smtpserver *srv);

extern struct metric smtpserver_m_connection, smtpserver_m_command, smtpserver_m_delivery, smtpserver_m_submission, smtpserver_m_starttls,
    smtpserver_m_starttls_errors;

/* --- the session --- */

/* The failure of a command: the first one counts. Rendered by the dispatcher only. */
struct failure {
	bool set;
	int code;
	char ecode[8];                          /* without class: "5.2" */
	struct str text;                        /* for the peer; in the arena of the unit */
	struct str cause;                       /* for the log; empty: the peer is to blame */
	const char *file;
	int line;
};

/* A recipient that was accepted. */
struct rcpt {
	struct smtp_path path;
	bool remote;                            /* at another host: for the queue */
	struct str dsn_notify, dsn_orcpt;       /* parameters of DSN (RFC 3461), for remote ones */
	bool unknown;                           /* no such address: refused after DATA, so that guessing costs a message */
};

/* A mail transaction: from MAIL to the end of DATA, or to what clears it. */
struct transaction {
	bool open;
	struct arena arena;                     /* of its strings and lists */
	struct smtp_path from;
	bool utf8;                              /* SMTPUTF8 was declared */
	bool body_8bit;                         /* BODY=8BITMIME */
	bool requiretls;
	int64_t size;                           /* declared; 0 = not */
	int64_t release_us;                     /* FUTURERELEASE (RFC 4865): not before; 0 = now */
	struct str future_release;              /* as asked for: "for;n", "until;time" */
	struct str dsn_ret, dsn_envid;          /* parameters of DSN (RFC 3461) */
	struct rcpt *rcpts;
	size_t nrcpts, cap;
};

struct session {
	struct conn *c;
	struct smtpserver *srv;
	const struct smtpserver_listener *l;

	char cid[24];                           /* smtpserver_cid; made when first needed */
	bool known_verb;                        /* some command was understood: this is SMTP */
	bool greeted, esmtp;                    /* HELO or EHLO was given; it was EHLO */
	struct smtp_ipdomain helo;              /* in helo_arena */
	struct arena helo_arena;
	struct transaction tx;
	unsigned good, bad;                     /* transactions that reached the end of DATA */

	struct auth_user user;                  /* who is logged in, when logged_in */
	bool logged_in;
	bool sasl_done;                         /* by AUTH; else by client key */
	struct arena user_arena;
	struct auth_user cert;                  /* whom the TLS client key belongs to; zeroed without */
	unsigned auth_failures;
	struct exchange *exchange;              /* AUTH under way */

	struct data *data;                      /* DATA under way */
	int (*resume)(struct session *s);       /* what goes on when the timer fires */
	char *held;                             /* AUTH line that waits for resume; heap */

	/* the command at hand */
	const struct command *cmd;
	int64_t started_us;
	struct failure failure;
	enum conn_next next;
	int code;                               /* last reply */
	char ecode[8];
};

enum command_flags {
	CMD_GREETED = 1,        /* only after EHLO or HELO */
	CMD_SUBMISSION = 2,     /* only for our users' listeners */
	CMD_LOGIN = 4,          /* on submission only after login */
	CMD_NO_TX = 8,          /* not within a transaction */
	CMD_TX = 16,            /* only within one */
	CMD_RCPT = 32,          /* only with a recipient */
	CMD_TRUST = 64,         /* not after many bad and no good transactions */
};
struct command {
	const char *verb;
	const char *label;                      /* in metrics */
	/* args: what stands behind the verb, with the space before it. Negative: a failure was recorded. */
	int (*fn)(struct session *s, struct cur *args);
	unsigned flags;
};

/* How long our users may have mail held: what EHLO says of FUTURERELEASE. */
#define SMTPSERVER_HOLD_MAX_US (60 * TIME_DAY)

/* session.c */
bool smtpserver_starttls_offered(struct session *s);
bool smtpserver_requiretls_offered(const struct session *s);
/* smtpserver_dsn_offered: DSN (RFC 3461) and FUTURERELEASE (RFC 4865), which need the queue. */
bool smtpserver_dsn_offered(const struct session *s);
/* smtpserver_pause lets fn go on after a time; no input is taken until then. fn is called at once when the server has no delays. */
int smtpserver_pause(struct session *s, int64_t us, int (*fn)(struct session *s)) must_use_;
void smtpserver_slow(struct session *s, bool on);
void smtpserver_tx_clear(struct session *s);
void smtpserver_reset(struct session *s);       /* state as after the greeting */
/* smtpserver_login_key logs in by the client's TLS key, where there is one. Negative: it is not good, the connection must end. */
int smtpserver_login_key(struct session *s) must_use_;
const char *smtpserver_kind(const struct session *s);   /* "smtp", "submission" */

/* reply.c. enhanced codes are without class ("1.0"); NULL: none. */
void smtpserver_reply(struct session *s, int code, const char *ecode, struct str text);
void smtpserver_replyf(struct session *s, int code, const char *ecode, const char *fmt, ...) printf_(4, 5);
/* smtpserver_reply_lines writes lines as they are, for EHLO. */
void smtpserver_reply_lines(struct session *s, int code, const struct strlist *lines);
/* Failures return -1. userf: what the client did wrong. serverf: our fault, 451 4.3.0 or for a full disk 452 4.3.1, with the cause for the log. */
#define smtpserver_userf(s, code, ecode, ...) smtpserver_fail_user((s), __FILE__, __LINE__, (code), (ecode), __VA_ARGS__)
#define smtpserver_serverf(s, err, ...) smtpserver_fail_server((s), __FILE__, __LINE__, (err), __VA_ARGS__)
int smtpserver_fail_user(struct session *s, const char *file, int line, int code, const char *ecode, const char *fmt, ...) printf_(6, 7);
int smtpserver_fail_server(struct session *s, const char *file, int line, int err, const char *fmt, ...) printf_(5, 6);
/* smtpserver_fail_parse: 501 5.5.2 with what was expected. Users that are logged in also see what could not be read. */
int smtpserver_fail_parse(struct session *s, const struct cur *p);
/* smtpserver_end wants the end of the line: 0, or the failure. */
int smtpserver_end(struct session *s, struct cur *p) must_use_;
void smtpserver_render_failure(struct session *s);
struct str smtpserver_cid(struct session *s);           /* valid as long as the session */

/* cmd_*.c */
typedef int command_fn(struct session *s, struct cur *args);
command_fn smtpserver_cmd_auth, smtpserver_cmd_data, smtpserver_cmd_ehlo, smtpserver_cmd_expn, smtpserver_cmd_helo, smtpserver_cmd_help,
    smtpserver_cmd_mail, smtpserver_cmd_noop, smtpserver_cmd_quit, smtpserver_cmd_rcpt, smtpserver_cmd_rset, smtpserver_cmd_starttls,
    smtpserver_cmd_vrfy;
/* smtpserver_string takes SP String (atom or quoted string), as NOOP, VRFY and EXPN have it: rfc/5321:2338 */
void smtpserver_string(struct cur *p);

/* cmd_auth.c */
int smtpserver_auth_line(struct session *s, struct str line) must_use_;
void smtpserver_auth_free(struct session *s);
/* smtpserver_auth_mechs lists the mechanisms for EHLO. */
struct str smtpserver_auth_mechs(struct session *s);
bool smtpserver_client_key(const struct session *s);    /* the client presented a TLS key that we look at */

/* data.c */
struct data {
	struct conn_sink sink;
	struct smtp_dot dot;
	struct blob *blob;
	struct buf out;
	int64_t max;
	int err;                                /* first error of blob */
	/* once received: */
	struct str content;                     /* view of the blob */
	struct str header;                      /* with its empty line, if it has one */
	bool utf8_needed;                       /* what it is, not what was declared */
	struct smtp_address msgfrom;            /* author, zero if there is not exactly one; in the transaction's arena */
	struct str prefix;                      /* submission: fields that were missing; in the transaction's arena */
	int64_t received_us;
};
int smtpserver_data_spooled(struct session *s, int status) must_use_;
void smtpserver_data_free(struct session *s);

/* submit.c */
int smtpserver_submit_check(struct session *s) must_use_;

/* enqueue.c */
/* smtpserver_is_remote: the recipient's mail is for the queue, not for an account here. */
bool smtpserver_is_remote(struct session *s, const struct config *cfg, const struct smtp_path *to);
/* smtpserver_dkim makes the DKIM-Signature fields of the author's domain for what stands before the content, and the content; "" for none. */
struct str smtpserver_dkim(struct session *s, const struct config *cfg, struct str before);
/* smtpserver_enqueue queues the message for n recipients, all or none: 0, else a failure is recorded. */
int smtpserver_enqueue(struct session *s, const struct rcpt *const *rcpts, size_t n) must_use_;

/* lookup.c */
/* smtpserver_may_send: the account of the user may send as this address: 0, else a failure with code 550 5.7.1 (451 4.3.0 for a disabled domain). */
int smtpserver_may_send(struct session *s, const struct smtp_address *addr, const char *what) must_use_;
/*
 * smtpserver_lookup is config_lookup_address for a recipient's path. In local test mode what is unknown is the test account's. 0, or an enum
 * config_lookup_err.
 */
int smtpserver_lookup(struct session *s, const struct config *cfg, const struct smtp_path *path, struct config_address *r_addr) must_use_;

/* deliver.c */
int smtpserver_deliver(struct session *s) must_use_;

/* partial.c: recipients that have got a message whose transaction was refused as a whole, because others could not get it yet. */
struct partial_memory *smtpserver_partial_new(void);
void smtpserver_partial_free(struct partial_memory **m);
bool smtpserver_partial_empty(struct partial_memory *m);
bool smtpserver_partial_has(struct partial_memory *m, const uint8_t key[32]);
void smtpserver_partial_add(struct partial_memory *m, const uint8_t key[32]);
void smtpserver_partial_del(struct partial_memory *m, const uint8_t key[32]);

/* received.c */
/* smtpserver_received writes the Received field; rcpt NULL: without "for". */
void smtpserver_received(struct session *s, struct buf *b, const struct smtp_path *rcpt);
struct str smtpserver_date(struct session *s, int64_t us);

/* localserve.c */
/* smtpserver_localserve acts on the localpart of a test address: 0 nothing to do, -1 a failure is recorded, 1 the reply waits (smtpserver_pause). */
int smtpserver_localserve(struct session *s, struct str localpart) must_use_;

#endif
