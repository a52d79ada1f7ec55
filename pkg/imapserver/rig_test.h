/* SPDX-License-Identifier: MIT */
/*
 * rig_test.h - a server with its store, and scripted clients over inline connections.
 *
 * The world: host mox.example; account mjl with mjl@mox.example, its password "testtest1"; account other with
 * other@mox.example; account limit with a quota of 500 octets; account gone, login disabled; account caps, for which
 * CONDSTORE is disabled. In account mjl a mailbox "expungebox" was made and deleted, which commands must not see.
 */
#ifndef IMAPSERVER_RIG_TEST_H
#define IMAPSERVER_RIG_TEST_H

#include "imapserver/imapserver_internal.h"
#include "testutil/testutil.h"

enum rig_flags {
	RIG_TLS = 1,                    /* STARTTLS is offered */
	RIG_IMPLICIT = 2,               /* TLS from the start */
	RIG_REQUIRE_TLS = 4,            /* no passwords without TLS */
	RIG_PASSWORDS = 8,              /* accounts have passwords: takes a moment */
	RIG_BYTES = 16,                 /* input arrives byte by byte */
	RIG_DELAYS = 32,                /* delays are on */
	RIG_PEDANTIC = 64,
	RIG_PROGRESS = 256,             /* progress is told for each message */
	RIG_KEYS = 128,                 /* client keys are checked in the handshake, as the program does with implicit TLS */
};

enum { RIG_CLIENTS = 4 };

struct rig_client {
	struct conn *c;
	int fd;
	SSL *ssl;
	bool open;
	struct buf in;                  /* what the server sent and nobody looked at */
	struct str sent;                /* last to the server, for failure messages */
};

struct rig {
	unsigned flags;
	struct config *cfg;
	struct store *store;
	struct auth *auth;
	struct imapserver *srv;
	struct imapserver_listener listener;
	struct tls_ctx *tls, *client_tls;
	SSL_SESSION *resume;            /* offered in handshakes; NULL = none */
	struct rig_client clients[RIG_CLIENTS];
};

void rig_start(struct rig *r, unsigned flags);
void rig_stop(struct rig *r);                           /* checks the accounts */
/* rig_connect opens a connection for client 'a'..'d'; the greeting is to be read. */
void rig_connect(struct rig *r, char client);
void rig_hangup(struct rig *r, char client);
/* rig_login does so, reads the greeting and logs in without a password. */
void rig_login(struct rig *r, char client, const char *account);
struct imapserver_session *rig_session(struct rig *r, char client);
void rig_run(struct rig *r);                            /* lets all connections do what they can */
void rig_send(struct rig *r, char client, struct str s);
void rig_handshake(struct rig *r, char client);
/* rig_client_key: clients present a new key from the next handshake on, which the server knows if account is not NULL. */
struct str rig_client_key(struct rig *r, const char *account, const char *address, bool no_preauth);

/* rig_append adds a message with these flags by APPEND of client 'd', logged in as account. */
void rig_append(struct rig *r, const char *account, const char *mailbox, const char *flags, struct str message);

/*
 * rig_script runs lines. "a" stands for a client:
 *   a> command      sends "x command" CRLF
 *   a! text         sends text with \r \n \0 \\ decoded (other backslashes stay), and nothing added
 *   a< line         the next line from the server; "..." matches any text
 *                   (what SELECT says of MAILBOXID is passed over where a line does not want it)
 *   a-              nothing more came
 *   a$              the connection is closed
 *   a+              connects and reads nothing
 *   a=account       connects and logs in (rig_login)
 *   a~              TLS handshake
 *   a?              forgets what came and was not read
 * A remark may stand behind "  //". Empty lines are skipped. At the end nothing may be left unread.
 */
void rig_script(struct rig *r, const char *script);
/* rig_fmt formats a script in the arena of the test. */
const char *rig_fmt(const char *fmt, ...) printf_(1, 2);
/*
 * rig_scripts starts a world with the flags, client a logged in to mjl, and runs the script in it; then once more
 * with input byte by byte.
 */
void rig_scripts(unsigned flags, const char *script);

extern const char rig_message[];        /* a small multipart message */

#endif
