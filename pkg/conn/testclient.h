/* SPDX-License-Identifier: MIT */
/*
 * testclient - the peer's side of a connection in tests: blocking, with a limit of 20 seconds for everything, plain or TLS.
 */
#ifndef CONN_TESTCLIENT_H
#define CONN_TESTCLIENT_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/ip.h"
#include "base/str.h"

struct testclient {
	int fd;                         /* -1 = closed */
	SSL *ssl;
	bool soft;                      /* failures to send and early ends are only noted, in broken */
	bool broken;
	const char *alpn;               /* offered in the handshake; NULL = none */
	/* For testclient_raw: the client's application traffic secret, by the key log. */
	uint8_t secret[64];
	size_t secret_n;
	uint64_t seq;
};

/* testclient_open connects to 127.0.0.1 at the port, from the given loopback address (NULL: any). */
void testclient_open(struct testclient *t, uint16_t port, const char *from);
/* The same in two steps; connect tells whether somebody listens. */
void testclient_socket(struct testclient *t);
bool testclient_connect(struct testclient *t, uint16_t port, const char *from);
void testclient_adopt(struct testclient *t, int fd);
void testclient_tls(struct testclient *t);              /* handshake; no verification */
bool testclient_try_tls(struct testclient *t);          /* false when the server ends it */
void testclient_close(struct testclient *t);

void testclient_put(struct testclient *t, struct str s);
void testclient_expect(struct testclient *t, const char *want);         /* the next bytes */
void testclient_expect_end(struct testclient *t);       /* nothing more but the end, by close or reset */
uint64_t testclient_skip(struct testclient *t, uint64_t n);     /* reads n bytes, returns how many came before the end */

/*
 * testclient_raw sends one TLS 1.3 record of our own making: content type 22 is a handshake message or a part of one.
 * OpenSSL's client must not have sent application data, and cannot afterwards.
 */
void testclient_raw(struct testclient *t, uint8_t type, struct str content);

#endif
