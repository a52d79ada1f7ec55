/* SPDX-License-Identifier: MIT */
/*
 * tls - server and client contexts over OpenSSL, and what a protocol wants to know about a finished handshake.
 *
 * Rules of the house (each was paid for): ERR_clear_error before every call; release buffers, partial writes and moving write
 * buffer on; auto-retry off, else a flood of KeyUpdate holds a loop; no renegotiation; session cache off, tickets by our own
 * keys; read-ahead off. TLS 1.2 is the minimum.
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/err.h"
#include "base/str.h"
#include "base/timeutil.h"

/* Refcounted (a session holds a reference as well), immutable after tls_ctx_new except for ticket keys. */
struct tls_ctx;

struct tls_ctx_opts {
	const char *cert_file, *key_file;       /* PEM chain and key; or: */
	struct str cert_pem, key_pem;
	struct tls_ctx *same_cert;              /* or: chain and key of this context; reading a key takes a millisecond */
	/* the only protocol accepted by ALPN ("imap", "smtp", "http/1.1"); NULL = the extension is ignored. A client that offers
	 * others only is refused with no_application_protocol (RFC 7301 3.2). */
	const char *alpn;
	/* session tickets with keys of ours, rotated every 24 h, the newest and 7 before it valid */
	bool tickets;
	const struct clock *clock;              /* for the age of ticket keys; NULL = the system's */
	/* asked for, never required, chain not verified: identity is the key's fingerprint */
	bool request_client_cert;
	int min_version;                        /* TLS1_2_VERSION (0 means that) or TLS1_3_VERSION */
	/*
	 * verify_key is called in the handshake with the fingerprint of a presented client key; false refuses it, with the alert
	 * bad_certificate. Not called when a session is resumed: whoever grants rights by tls_info.client_key looks it up.
	 */
	bool (*verify_key)(void *arg, struct str fingerprint);
	void *verify_arg;
	/*
	 * by_name returns a reference to the context whose certificate answers for a server name (SNI, as sent, not empty), or
	 * NULL for this one's. Called in the handshake: quick, any thread. Tickets, ALPN and client certificates should agree
	 * between the two.
	 */
	struct tls_ctx *(*by_name)(void *arg, struct str name);
	void *by_name_arg;
};

int tls_ctx_new(const struct tls_ctx_opts *o, struct tls_ctx **r_ctx, struct errmsg *e) must_use_;
struct tls_ctx *tls_ctx_ref(struct tls_ctx *c);
void tls_ctx_unref(struct tls_ctx **c);
/* tls_ctx_session makes an SSL with the house rules; SSL_free when done. fd -1: the caller sets a BIO. */
SSL *tls_ctx_session(struct tls_ctx *c, int fd, bool server);
SSL_CTX *tls_ctx_raw(struct tls_ctx *c);

/* Describes an established session. Strings are constants or live in the arena given. */
struct tls_info {
	int version;                    /* TLS1_2_VERSION, TLS1_3_VERSION */
	uint16_t cipher_id;             /* IANA cipher suite number */
	struct str version_name;        /* "TLS1.3" */
	struct str cipher_name;         /* IANA name, "TLS_AES_128_GCM_SHA256" */
	struct str sni, alpn;           /* as asked for and agreed; may be empty */
	bool resumed;
	struct str client_key;          /* fingerprint of the client's certificate key: unpadded base64url of SHA-256 over its
	                                   SubjectPublicKeyInfo; empty when none was presented */
};
void tls_describe(struct arena *a, SSL *ssl, struct tls_info *r_info);

/* Channel bindings for SCRAM. ERR_UNSUPPORTED when the session cannot give that kind. */
int tls_exporter(SSL *ssl, uint8_t r_out[32]) must_use_;                /* RFC 9266: TLS 1.3 only */
/* RFC 5929: TLS 1.2, extended master secret or not resumed */
int tls_unique(struct arena *a, SSL *ssl, struct str *r_out) must_use_;
int tls_server_end_point(struct arena *a, SSL *ssl, struct str *r_out) must_use_;

/* tls_error drains the thread's OpenSSL error queue into one line for logs. */
struct str tls_error(struct arena *a);

/* tls_selfsigned makes an ECDSA P-256 key and certificate for a name (subject and subjectAltName), as PEM in the arena. */
int tls_selfsigned(struct arena *a, const char *name, int days, struct str *r_cert_pem, struct str *r_key_pem,
    struct errmsg *e) must_use_;

#endif
