/* SPDX-License-Identifier: MIT */
/*
 * testproto - a small protocol that uses all of conn, for its tests, its stress test and its benchmark.
 *
 * Greeting "HELLO". Lines end with LF or CRLF; replies with CRLF:
 *
 *	ECHO text       "= text"
 *	DATA n          "GO", then n bytes are spooled, then "SUM n sum" (sum of all bytes)
 *	LIT {n}         the framer answers "+" and waits for n bytes: one unit with the line; "LIT n sum"
 *	BIG n           n bytes of 'x' and CRLF
 *	STARTTLS        "GO", then TLS; after the handshake "TLS"
 *	XOR n           "GO", then every byte in both directions is xored with n
 *	SLEEP ms        reading stops; "AWAKE" when the time passed
 *	IDLE [n]        "+", "WOKEN" at each wake until the next line (DONE: "OK"), with n bytes of 'x' before it
 *	ID              "ID slot gen"
 *	ADDR            "remote local", addresses without port
 *	SLOW 0|1        tarpit
 *	GROUP n, CLASS n        for the pool
 *	BLOCK           holds its worker until testproto_release or the stop of the server; "DONE" or "STOPPED"
 *	BAD             "BAD" and close; so does every line longer than the input limit
 *	QUIT            "BYE" and close
 *
 * On timeout "TIMEOUT", on shutdown "SHUTDOWN".
 */
#ifndef CONN_TESTPROTO_H
#define CONN_TESTPROTO_H

#include <stdatomic.h>
#include <stdbool.h>

#include "conn/conn.h"

extern const struct conn_proto testproto;

/* The listener's arg; may be NULL. Members are set before the first connection. */
struct testproto_opts {
	int64_t read_timeout_us, write_timeout_us;      /* 0: conn's defaults */
	int64_t spool_us;                               /* deadline of DATA; 0 none */
	size_t input_limit;
	enum conn_class class;
	int64_t deaf_us;                                /* BLOCK does not hear the stop for so long */
	int gate_fd;                                    /* BLOCK waits until it is readable */
	int changed_fd;                                 /* an eventfd that is written when one of those below changed; 0 = none */
	atomic_int started, closed, blocked;            /* connections that had START, closed; BLOCKs waiting */
	atomic_int tls_failed;
	struct conn_id last_id;                         /* of the connection that sent IDLE last */
};

/* What the test's side needs. */
struct tls_ctx *testproto_server_tls(const char *alpn);        /* self-signed for "localhost", tickets on */

#endif
