/* SPDX-License-Identifier: MIT */
/*
 * rig_test.h - a server with its store, and scripted clients over inline connections.
 *
 * The world: host mox.example; account mjl with mjl@mox.example, tést@mox.example and @catch.example; account other with other@mox.example; account full, over its
 * quota; account gone, login disabled; domains disabled.example (disabled), case.example (case-sensitive); aliases public@, closed@ and send@mox.example. All passwords
 * are "test password".
 */
#ifndef SMTPSERVER_RIG_TEST_H
#define SMTPSERVER_RIG_TEST_H

#include "smtpserver/smtpserver_internal.h"
#include "testutil/testutil.h"

enum rig_flags {
	RIG_SUBMISSION = 1,
	RIG_TLS = 2,                    /* STARTTLS is offered */
	RIG_IMPLICIT = 4,               /* TLS from the start */
	RIG_PEDANTIC = 8,
	RIG_LOCALSERVE = 16,
	RIG_PASSWORDS = 32,             /* mjl, gone and full have passwords: takes a moment */
	RIG_BYTES = 64,                 /* input arrives byte by byte */
	RIG_NO_REQUIRE_STARTTLS = 128,
	RIG_REQUIRE_STARTTLS = 256,
	RIG_CRAMMD5 = 512,
	RIG_DELAYS = 1024,              /* push-backs are on; timers fire by rig_timer only */
	RIG_TLS12 = 2048,               /* the client speaks TLS 1.2 at most */
	RIG_QUEUE = 4096,               /* there is a queue, which delivers nothing; mox.example signs with an Ed25519 key, selector sel */
};

struct rig {
	unsigned flags;
	struct config *cfg;
	struct store *store;
	struct auth *auth;
	struct queue *queue;
	struct smtpserver *srv;
	struct smtpserver_listener listener;
	struct tls_ctx *tls, *client_tls;
	struct conn *c;
	int fd;
	SSL *ssl;
	bool open;
	SSL_SESSION *resume;            /* offered in the next handshake */
	struct buf in;                  /* what the server sent and nobody looked at */
};

void rig_start(struct rig *r, unsigned flags);          /* server and one connection */
void rig_stop(struct rig *r);
void rig_connect(struct rig *r);                        /* a new connection, after rig_hangup */
void rig_hangup(struct rig *r);
void rig_client_key(struct rig *r, const char *name, struct str *r_fingerprint);  /* the client presents a key from the next connection on */

void rig_send(struct rig *r, struct str s);
struct str rig_read(struct rig *r);                     /* all that has come */
void rig_handshake(struct rig *r);
void rig_timer(struct rig *r);

/*
 * rig_script runs lines: "C text" sends text and CRLF; "P a|b" sends several lines in one piece; "B text" sends text with \r \n \0 \\ decoded, nothing added;
 * "S text" wants a line of the server that starts with text; "S* text" skips the lines of a reply up to its last, which must start with text; "N" wants nothing
 * more; "X" wants the connection closed; "T" shakes hands for TLS. A ref or remark may stand behind "  //".
 */
void rig_script(struct rig *r, const char *script);

/* rig_messages returns the messages in a mailbox of an account, each prefix and content, in UID order. */
struct strlist rig_messages(struct rig *r, const char *account, const char *mailbox);

#endif
