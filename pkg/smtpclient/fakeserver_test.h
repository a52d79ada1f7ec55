/* SPDX-License-Identifier: MIT */
/*
 * fakeserver_test.h - an SMTP server that follows a script, in a thread at the other end of a socket pair.
 *
 * Lines of a script: "S text" sends text and CRLF; "R text" sends text with \r \n decoded, nothing added; "C text"
 * wants exactly this line; "C* text" wants a line that starts so; "D text" wants message data up to the lone dot,
 * which with \r \n decoded must be the text; "B text" wants these bytes (BDAT); "A mech" answers AUTH of a client
 * that knows user "user", password "secret"; "T" shakes hands for TLS; "X" closes; "E" wants the end of the
 * connection. Without a failure the script is at its end when fakeserver_end returns.
 */
#ifndef SMTPCLIENT_FAKESERVER_TEST_H
#define SMTPCLIENT_FAKESERVER_TEST_H

#include <pthread.h>

#include "smtpclient/smtpclient_internal.h"
#include "testutil/testutil.h"

struct fakeserver {
	int fd;                         /* the server's end */
	const char *script;
	struct tls_ctx *tls;
	SSL *ssl;
	pthread_t thread;
	struct buf in;
	char failure[2000];             /* what differed; "" if all went as told */
};

/* fakeserver_start returns the client's end. tls may be NULL. */
int fakeserver_start(struct fakeserver *f, const char *script, struct tls_ctx *tls);
/* fakeserver_end waits for the thread and fails the test if the script was not followed. */
void fakeserver_end(struct fakeserver *f);

/* A certificate for a name that is signed by itself; context of a server with it. */
struct tls_ctx *fakeserver_tls(const char *name, struct str *r_cert_pem);

#endif
