/* SPDX-License-Identifier: MIT */
/*
 * tls_internal.h - shared between the files of tls.
 */
#ifndef TLS_TLS_INTERNAL_H
#define TLS_TLS_INTERNAL_H

#include <stdatomic.h>

#include "base/lock.h"
#include "base/mem.h"
#include "tls/tls.h"

#define TLS_FINGERPRINT_LEN 43          /* unpadded base64url of 32 bytes */

#define TLS_TICKET_KEYS 8               /* the newest and 7 before it */
#define TLS_TICKET_ROTATE_US (24 * TIME_HOUR)

/* A key that protects tickets. The name stands in the ticket and finds the key again. */
struct tls_ticket_key {
	uint8_t name[16], aes[32], hmac[32];
	int64_t made_us;                /* 0 = unused entry */
};

/* Lives as long as the SSL_CTX, whose reference count is its own: sessions and callbacks may use it without counting again. */
struct tls_ctx {
	atomic_uint refs;
	SSL_CTX *ctx;
	char *alpn;                     /* NULL = none; else wire form: length byte and name */
	bool (*verify_key)(void *arg, struct str fingerprint);
	void *verify_arg;
	struct tls_ctx *(*by_name)(void *arg, struct str name);
	void *by_name_arg;
	const struct clock *clock;
	struct lock ticket_lock;
	struct tls_ticket_key tickets[TLS_TICKET_KEYS];         /* newest first */
};

void tls_tickets_enable(struct tls_ctx *c);
/* tls_key_fingerprint writes the fingerprint of a certificate's key; ERR_INVALID when it cannot be encoded. */
int tls_key_fingerprint(X509 *cert, char r_out[TLS_FINGERPRINT_LEN + 1]) must_use_;

#endif
