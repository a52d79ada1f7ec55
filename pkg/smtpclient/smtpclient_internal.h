/* SPDX-License-Identifier: MIT */
/*
 * smtpclient_internal.h - shared between the files of smtpclient.
 */
#ifndef SMTPCLIENT_SMTPCLIENT_INTERNAL_H
#define SMTPCLIENT_SMTPCLIENT_INTERNAL_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/timeutil.h"
#include "smtpclient/smtpclient.h"

struct smtpclient {
	struct arena a;                 /* of the dialogue */
	struct smtpclient_opts o;       /* strings copied */
	struct ctx ctx;
	int fd;
	SSL *ssl;                       /* NULL: plain */
	struct buf in, out;             /* bytes not looked at yet; not written yet */
	size_t in_off;                  /* bytes of in that were consumed */
	bool eof;
	struct buf transcript;
	struct str greeting;
	struct smtpclient_extensions ext;
	struct smtpclient_tls_facts facts;
	int alert_in, alert_out;        /* TLS alerts that came and went in the handshake; -1 none */
	bool check_first_read;          /* TLS 1.3: the server's verdict on the handshake comes with its first data */
	bool botched;
	bool need_rset;                 /* a transaction did not come to its end */
	int64_t sent_us;                /* when the command at hand was written, for metrics */
};

/* --- io.c. Failures are SMTPCLIENT_IO, PROTOCOL or TLS; they botch the dialogue and put a text into e. --- */

/*
 * smtpclient_line takes the next line without its CRLF; valid until the next read. What is in out is written
 * meanwhile.
 */
int smtpclient_line(struct smtpclient *c, int64_t timeout_us, struct str *r_line, struct errmsg *e) must_use_;
/* smtpclient_flush writes all of out, reading what comes meanwhile. */
int smtpclient_flush(struct smtpclient *c, struct errmsg *e) must_use_;
/*
 * smtpclient_say appends a line to out and to the transcript; shown replaces it in the latter and in traces (NULL: as
 * it is).
 */
void smtpclient_say(struct smtpclient *c, struct str line, const char *shown);
void smtpclient_note(struct smtpclient *c, const char *who, struct str line);    /* transcript and trace */
bool smtpclient_unread(struct smtpclient *c);                                     /* bytes are waiting in the buffer */
int smtpclient_handshake(struct smtpclient *c, int64_t timeout_us, struct errmsg *e) must_use_;

/* --- reply.c --- */

/* smtpclient_read_reply reads a whole reply. Negative: *r_e is filled. ecodes: enhanced codes are looked for. */
int smtpclient_read_reply(struct smtpclient *c, struct arena *a, const char *command, bool ecodes,
    int64_t timeout_us, struct smtpclient_reply *r_reply,
    struct smtpclient_error *r_e) must_use_;
/* smtpclient_command writes a line and reads its reply. */
int smtpclient_command(struct smtpclient *c, struct arena *a, const char *command, struct str line,
    bool ecodes, struct smtpclient_reply *r_reply,
    struct smtpclient_error *r_e) must_use_;
/* Both fill *r_e and return the cause. */
int smtpclient_fail(struct arena *a, struct smtpclient_error *r_e, int cause, bool permanent,
    const char *command, const char *fmt, ...) printf_(6, 7);
int smtpclient_fail_reply(struct arena *a, struct smtpclient_error *r_e, int cause, const char *command,
    const struct smtpclient_reply *reply);

/* --- ehlo.c --- */

/* smtpclient_hello says EHLO and fills c->ext; HELO when EHLO is not understood and fallback is allowed. */
int smtpclient_hello(struct smtpclient *c, struct arena *a, bool fallback, struct smtpclient_error *r_e) must_use_;
void smtpclient_parse_limits(struct smtpclient_extensions *ext, struct str params);

/* --- auth.c --- */
int smtpclient_login(struct smtpclient *c, struct arena *a, struct smtpclient_error *r_e) must_use_;

/* --- starttls.c --- */

SSL *smtpclient_tls_session(struct smtpclient *c);
/* smtpclient_tls_result fills the facts after a handshake. ok: it succeeded. */
void smtpclient_tls_result(struct smtpclient *c, bool ok, int io_err);
void smtpclient_tls_alert(struct arena *a, struct smtpclient_verdict *v, bool remote, int alert);

#endif
