/* SPDX-License-Identifier: MIT */
/*
 * scram - Salted Challenge Response Authentication Mechanism: a client proves that it knows a password without sending it, the server
 * proves that it knows the keys made from it, and both can bind the proof to the TLS connection it travels over.
 *
 * Both sides, as functions from message to message; nothing here reads a network or looks up users. Package sasl puts it behind the
 * common interface of mechanisms. The server side needs no password, only the keys of scram_derive.
 *
 * RFC 5802 (SCRAM-SHA-1), 7677 (SCRAM-SHA-256), 5929 (tls-unique, tls-server-end-point), 9266 (tls-exporter).
 */
#ifndef SCRAM_SCRAM_H
#define SCRAM_SCRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum scram_hash { SCRAM_SHA1, SCRAM_SHA256 };
#define SCRAM_HASH_MAX 32
size_t scram_hash_len(enum scram_hash h);                 /* 20 or 32 */

/* The first eleven are the values of "e=" (rfc/5802:972), see scram_error_name. */
enum scram_err {
	SCRAM_INVALID_ENCODING = -180,          /* syntax error */
	SCRAM_EXTENSIONS_NOT_SUPPORTED = -181,  /* m= */
	SCRAM_INVALID_PROOF = -182,             /* wrong password, or foreign nonce */
	SCRAM_BINDINGS_DONT_MATCH = -183,       /* other binding data than ours: perhaps someone in the middle */
	SCRAM_SERVER_DOES_SUPPORT_BINDING = -184, /* client believes that we do not: perhaps a downgrade */
	SCRAM_BINDING_NOT_SUPPORTED = -185,
	SCRAM_UNSUPPORTED_BINDING_TYPE = -186,
	SCRAM_UNKNOWN_USER = -187,
	SCRAM_INVALID_USERNAME_ENCODING = -188, /* not UTF-8, not in NFC, or '=' that is no escape */
	SCRAM_NO_RESOURCES = -189,
	SCRAM_OTHER_ERROR = -190,
	/* client side only: */
	SCRAM_WEAK_SERVER = -191,               /* short nonce or salt, too few or too many iterations */
	SCRAM_BAD_SIGNATURE = -192,             /* the server does not know the keys */
};
/* scram_error_name: "invalid-proof" etc.; "other-error" for any other code. */
const char *scram_error_name(int err);

/* What a server keeps of a password (rfc/5802:413). Erase copies with mem_erase when done. */
struct scram_keys {
	struct str salt;
	unsigned iterations;
	uint8_t stored_key[SCRAM_HASH_MAX], server_key[SCRAM_HASH_MAX];  /* scram_hash_len bytes are used */
};
/* scram_derive computes the two keys of a prepared password (OpaqueString) from salt and iterations, which k has already. */
void scram_derive(enum scram_hash h, struct str password, struct scram_keys *k);

/* Binding data of the connection; an empty one is not available. Only tls_unique or tls_exporter can be, by the version of TLS. */
struct scram_binding {
	struct str tls_unique;
	struct str tls_exporter;
	struct str tls_server_end_point;
};

/* --- server --- */

struct scram_server_args {
	enum scram_hash hash;
	bool plus;                              /* the mechanism name had -PLUS: a binding is required */
	const struct scram_binding *binding;    /* NULL without TLS; must outlive the exchange */
	struct str nonce;                       /* our part; empty: 12 random bytes in base64. For tests. */
};

/* One exchange. Strings are in the arena given to scram_server_start. */
struct scram_server {
	struct str user, authzid;               /* after start: unescaped, NFC; authzid may be empty */
	struct str reply;                       /* after finish: "v=..." or "e=..." */
	/* private: */
	struct scram_server_args args;
	struct arena *a;
	struct scram_keys keys;
	struct str gs2_header, binding_data, first_bare, server_first, nonce;
};

/*
 * scram_server_start takes the client-first-message. Errors end the exchange without a message to the client: a `y` flag is always
 * SCRAM_SERVER_DOES_SUPPORT_BINDING, because we list -PLUS; p= is also taken without -PLUS in the name, as some clients send it.
 */
int scram_server_start(struct scram_server *s, struct arena *a, const struct scram_server_args *args, struct str client_first) must_use_;
/* scram_server_challenge returns the server-first-message for a user with these keys (copied). */
struct str scram_server_challenge(struct scram_server *s, const struct scram_keys *keys);
/* scram_server_finish checks the client-final-message; s->reply is set in every case and is to be sent. Constant time. */
int scram_server_finish(struct scram_server *s, struct str client_final) must_use_;

/* --- client --- */

struct scram_client_args {
	enum scram_hash hash;
	struct str user, authzid;               /* NFC is applied; authzid may be empty */
	struct str password;                    /* prepared (OpaqueString) by the caller */
	bool plus;                              /* bind: to tls-exporter, else tls-unique, else tls-server-end-point, whichever binding has */
	bool no_server_plus;                    /* we could bind, but the server does not offer -PLUS: sends `y` */
	const struct scram_binding *binding;
	struct str nonce;                       /* empty: 12 random bytes in base64. For tests. */
};
struct scram_client {
	struct str server_error;                /* after SCRAM_OTHER_ERROR from verify: the text the server sent */
	/* private: */
	struct scram_client_args args;
	struct arena *a;
	struct str gs2_header, binding_data, first_bare, nonce;
	uint8_t server_signature[SCRAM_HASH_MAX];
};

/* scram_client_first returns the client-first-message. SCRAM_BINDING_NOT_SUPPORTED when plus and no data for any binding. */
int scram_client_first(struct scram_client *c, struct arena *a, const struct scram_client_args *args, struct str *r_msg) must_use_;
/* scram_client_final answers the server-first-message. Refuses weak servers: our nonce must be followed by at least 8 characters, salt of at least
 * 8 bytes, 2048 to 2,000,000 iterations. */
int scram_client_final(struct scram_client *c, struct str server_first, struct str *r_msg) must_use_;
/* scram_client_verify checks the server-final-message: 0, the error that the server named, or SCRAM_BAD_SIGNATURE. */
int scram_client_verify(struct scram_client *c, struct str server_final) must_use_;

#endif
