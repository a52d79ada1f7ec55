/* SPDX-License-Identifier: MIT */
/*
 * sasl - authentication exchanges (RFC 4422), independent of the protocol that carries them: SMTP AUTH (RFC 4954), IMAP AUTHENTICATE (RFC 9051 6.2.2),
 * and our clients of both.
 *
 * Mechanisms are step functions: data of the peer in, data for the peer out. The server side asks for credentials through callbacks
 * (struct sasl_server_ops; package auth has them), so the same object serves SMTP and IMAP. Calls of the server side may take long (bcrypt, database):
 * worker threads only.
 *
 * PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login), CRAM-MD5 (RFC 2195), SCRAM-SHA-1 and SCRAM-SHA-256, both with -PLUS (RFC 5802, 7677), EXTERNAL (RFC 4422
 * appendix A). Also here: the OpaqueString preparation of passwords (RFC 8265), and the MD5 states that CRAM-MD5 can be verified with.
 */
#ifndef SASL_SASL_H
#define SASL_SASL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "scram/scram.h"

/* In the order in which a server lists them (EXTERNAL first, only to clients that presented a key). */
enum sasl_mech {
	SASL_EXTERNAL,
	SASL_SCRAM_SHA256_PLUS, SASL_SCRAM_SHA256, SASL_SCRAM_SHA1_PLUS, SASL_SCRAM_SHA1,
	SASL_CRAM_MD5,
	SASL_PLAIN, SASL_LOGIN,
	SASL_MECHS,
};
const char *sasl_mech_name(enum sasl_mech m);             /* "SCRAM-SHA-256-PLUS" */
const char *sasl_mech_lower(enum sasl_mech m);            /* "scram-sha-256-plus": audit log, metrics */
bool sasl_mech_cleartext(enum sasl_mech m);               /* PLAIN and LOGIN: the password itself is sent */
int sasl_mech_parse(struct str name, enum sasl_mech *r_m) must_use_;  /* upper case only (rfc/4422:438); ERR_NOTFOUND */

/* Outcomes of a step beside 0 (authenticated) and SASL_CONTINUE. Each protocol maps them to its replies. */
enum {
	SASL_CONTINUE = 1,              /* send the challenge and read a line of the client */
};
enum sasl_err {
	SASL_ABORTED = -160,            /* the client sent "*" */
	SASL_BAD_BASE64 = -161,
	SASL_BAD_SYNTAX = -162,         /* the message does not have the form of the mechanism */
	SASL_NO_INITIAL = -163,         /* an initial response where the mechanism has none */
	SASL_TLS_REQUIRED = -164,       /* cleartext password, -PLUS or EXTERNAL without TLS */
	SASL_BAD_CREDENTIALS = -165,    /* unknown user, wrong password or proof, no usable client certificate */
	SASL_BAD_AUTHZID = -166,        /* asks to act for somebody else */
	SASL_BAD_FIRST = -167,          /* SCRAM client-first refused: syntax, extension, kind of channel binding; scram_err says which */
	SASL_BAD_BINDING = -168,        /* SCRAM: channel binding data differ; worth a warning, somebody may be in the middle */
	SASL_BAD_FINAL = -169,          /* SCRAM client-final is malformed */
	SASL_NO_SECRET = -170,          /* the account has no secret for this mechanism: not a failed attempt */
	SASL_LOGIN_DISABLED = -171,     /* credentials were right; the callback has the text */
	SASL_SERVER_ERROR = -172,       /* database and the like; the callback has the text, for the log only */
};
/* sasl_result: the word for audit log and metrics: "ok" for 0, "badcreds", "badchanbind", "badprotocol", "aborted", "logindisabled", "error". */
const char *sasl_result(int err);
/* sasl_counts tells whether the outcome counts as a failed attempt (connection counter and IP limiter). */
bool sasl_counts(int err);

/* --- server --- */

/*
 * Where credentials come from. Names are NFC. Each returns 0 or one of: SASL_BAD_CREDENTIALS, SASL_NO_SECRET, SASL_LOGIN_DISABLED,
 * SASL_SERVER_ERROR. Those that return 0, except scram_keys, have established who the client is; the implementation
 * remembers that in its arg. LOGIN_DISABLED is only for a client that has shown right credentials. a: memory of the exchange.
 */
struct sasl_server_ops {
	/* password checks a cleartext password as the client sent it (OpaqueString is up to the callback). */
	int (*password)(void *arg, struct arena *a, struct str user, struct str password);
	/* scram_keys finds keys. For an unknown user it returns keys that nobody can know, with a salt that stays the same for the name, so that
	 * the exchange fails at its end like that of a wrong password. SASL_NO_SECRET when the account has none. */
	int (*scram_keys)(void *arg, struct arena *a, struct str user, enum scram_hash hash, struct scram_keys *r_keys);
	/* verified: the SCRAM proof of user was right. */
	int (*verified)(void *arg, struct arena *a, struct str user);
	/* crammd5 checks the digest (32 lower-case hex digits) of the challenge. */
	int (*crammd5)(void *arg, struct arena *a, struct str user, struct str challenge, struct str digest_hex);
	/* external: identity of the TLS client key; authzid is empty or another address that the client wants to act as. */
	int (*external)(void *arg, struct arena *a, struct str authzid);
};

struct sasl_server_args {
	enum sasl_mech mech;
	const struct sasl_server_ops *ops;
	void *arg;
	bool tls;                               /* the connection is encrypted */
	bool allow_cleartext;                   /* PLAIN and LOGIN also without TLS (NoRequireSTARTTLS) */
	const struct scram_binding *binding;    /* copied; may be NULL for mechanisms other than SCRAM */
	struct str host;                        /* our name, in CRAM-MD5 challenges */
	struct str nonce;                       /* SCRAM server nonce or whole CRAM-MD5 challenge; empty: random. For tests. */
};

struct sasl_server;                     /* one exchange, on the heap; holds what the client sent until freed, then erases it */

/*
 * sasl_server_start begins an exchange. Refused at once: SASL_TLS_REQUIRED (nothing may be read then). On 0 the caller owns *r_s.
 */
int sasl_server_start(const struct sasl_server_args *args, struct sasl_server **r_s) must_use_;
/*
 * sasl_server_step takes decoded data of the client: the initial response, or the answer to the last challenge. NULL only in the first
 * step: there was no initial response. Returns SASL_CONTINUE with *r_challenge (not encoded, may be empty, valid until the next step), 0, or an error. When an exchange fails
 * and the mechanism has a message for that (SCRAM e=), the step returns SASL_CONTINUE, and the next step the error, whatever the client sent.
 */
int sasl_server_step(struct sasl_server *s, const struct str *data, struct str *r_challenge) must_use_;
/*
 * sasl_server_initial and sasl_server_line are sasl_server_step for the encoded form that SMTP and IMAP share, challenge included: base64; "*" alone aborts; "=" alone as initial
 * response is an empty one (rfc/4954:216, rfc/9051:1451). No initial response: sasl_server_step with NULL via sasl_server_initial(s, NULL, ...).
 */
int sasl_server_initial(struct sasl_server *s, const struct str *encoded, struct str *r_challenge_encoded) must_use_;
int sasl_server_line(struct sasl_server *s, struct str line, struct str *r_challenge_encoded) must_use_;
enum sasl_mech sasl_server_mech(const struct sasl_server *s);
struct str sasl_server_user(const struct sasl_server *s); /* name that the client gave, NFC; empty when it came to none. For the audit log */
int sasl_server_scram_err(const struct sasl_server *s);   /* enum scram_err behind SASL_BAD_FIRST, BAD_FINAL, BAD_BINDING; else 0. For logs */
void sasl_server_free(struct sasl_server **s);            /* NULL is fine */

/* --- client --- */

struct sasl_client_args {
	enum sasl_mech mech;
	struct str user, password;              /* as the user wrote them; prepared here where the mechanism wants it */
	struct str authzid;                     /* EXTERNAL and PLAIN; usually empty */
	bool no_server_plus;                    /* SCRAM without -PLUS because the server did not offer it, though we have binding data */
	const struct scram_binding *binding;    /* copied */
	struct str nonce;                       /* SCRAM; empty: random. For tests. */
};
struct sasl_client;
struct sasl_client *sasl_client_new(const struct sasl_client_args *args);
struct sasl_send {
	bool has;                               /* false in the first step: no initial response; otherwise: nothing is left to say */
	struct str data;                        /* not encoded; may be empty */
	bool last;                              /* the server must give its verdict next */
};
/*
 * sasl_client_step: data is the server's challenge, NULL in the first step. 0, or an error on which the exchange is to be aborted:
 * SASL_BAD_SYNTAX, SASL_BAD_CREDENTIALS (the server said so, or is not who it should be), enum scram_err, ERR_INVALID for a step too many.
 */
int sasl_client_step(struct sasl_client *c, const struct str *data, struct sasl_send *r_send) must_use_;
void sasl_client_free(struct sasl_client **c);

/* --- passwords --- */

/*
 * sasl_opaque_string enforces the OpaqueString profile (rfc/8265:738): UTF-8 of allowed code points, spaces mapped to U+0020, NFC, not
 * empty. ERR_INVALID otherwise.
 */
int sasl_opaque_string(struct arena *a, struct str s, struct str *r_out) must_use_;

/* State of MD5 after one block: of the key xor ipad and opad (rfc/2104:204). Four little-endian words. Verifies CRAM-MD5 without the password. */
struct sasl_crammd5 {
	uint8_t ipad[16], opad[16];
};
void sasl_crammd5_derive(struct str password, struct sasl_crammd5 *r_states);
/* sasl_crammd5_digest: HMAC-MD5 of the challenge in 32 lower-case hex digits (no terminator). */
void sasl_crammd5_digest(const struct sasl_crammd5 *states, struct str challenge, char r_hex[32]);

#endif
