/* SPDX-License-Identifier: MIT */
/*
 * auth - credentials: setting passwords, checking them, finding the account of a login name, recording attempts, client TLS keys.
 *
 * Derived secrets only, in the account's database: bcrypt (cost 10), SCRAM-SHA-1 and SCRAM-SHA-256 StoredKey and ServerKey, CRAM-MD5 states where
 * configured. A verified password is cached for at most 15 minutes as a keyed hash, so that clients that log in often cost no bcrypt. Unknown users cost the
 * same time, and answer SCRAM with a salt, as known ones do. A login name is an address of an account, never the account's name, an alias or the
 * postmaster that every domain has. See ../spec/auth-credentials.md.
 *
 * Services log in their clients through package sasl with auth_sasl_ops below; webmail and the like call auth_password. All functions are thread-safe.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "base/ip.h"
#include "config/config.h"
#include "ratelimit/ratelimit.h"
#include "sasl/sasl.h"
#include "store/authdb.h"
#include "store/store.h"
#include "tls/tls.h"

struct auth;                            /* one per process: auth.db, cache, limiters */

enum auth_err {
	AUTH_BAD_CREDENTIALS = -140,    /* unknown user or wrong password: the same for both */
	AUTH_LOGIN_DISABLED = -141,     /* credentials were right; text in the errmsg */
	AUTH_NO_SECRET = -142,          /* the derived secret for this mechanism is missing: not a failed attempt */
	AUTH_BAD_PASSWORD = -143,       /* setting: not allowed, reason in the errmsg */
};

struct auth_opts {
	const char *data_dir;
	struct store *store;
	/* config returns the current snapshot, referenced; released by config_unref. */
	struct config *(*config)(void *arg);
	void *config_arg;
	const struct clock *clock;
	struct str secret;              /* of this installation, the same over restarts (content of receivedid.key): makes salts for unknown users */
	bool crammd5;                   /* derive CRAM-MD5 states when a password is set; services offer the mechanism then */
};
int auth_open(const struct auth_opts *o, struct auth **r_auth, struct errmsg *e) must_use_;
void auth_close(struct auth **a);               /* drains the attempts queue */
bool auth_crammd5_enabled(const struct auth *a);

/* auth_bcrypt_make hashes a password that is prepared, without NUL, of at most AUTH_BCRYPT_MAX bytes. Takes 50 to 100 ms. */
#define AUTH_BCRYPT_MAX 72
struct str auth_bcrypt_make(struct arena *a, struct str password);
/* auth_set_password: OpaqueString (RFC 8265), 8 to 72 bytes; replaces all derived secrets and removes web sessions, in one transaction. */
int auth_set_password(struct auth *a, struct str account, struct str password, struct errmsg *e) must_use_;

/* Who logged in. Release with auth_user_done. Strings are in the arena that was given. */
struct auth_user {
	struct store_account *acct;
	struct str account;             /* name */
	struct str address;             /* login address, NFC, as typed */
};
void auth_user_done(struct auth_user *u);       /* closes acct; zeroed is fine (cleanup_()) */
/* auth_password checks an address and a password (worker thread: bcrypt takes 50 to 100 ms unless cached; at most one per core runs at a time). */
int auth_password(struct auth *a, struct arena *mem, struct str address, struct str password, struct auth_user *r_user, struct errmsg *e) must_use_;
/* auth_lookup finds the account of a login address without a password (EXTERNAL, after SCRAM). */
int auth_lookup(struct auth *a, struct arena *mem, struct str address, struct auth_user *r_user, struct errmsg *e) must_use_;
/* auth_scram_keys: the stored keys of an address; for unknown addresses keys that nobody can know, with a salt that is always the same for the name. */
int auth_scram_keys(struct auth *a, struct arena *mem, struct str address, enum scram_hash hash, struct scram_keys *r_keys, struct errmsg *e) must_use_;
/* auth_crammd5 verifies a response; constant time. */
int auth_crammd5(struct auth *a, struct arena *mem, struct str address, struct str challenge, struct str digest_hex, struct auth_user *r_user,
	struct errmsg *e) must_use_;

/* --- for sasl_server_start: .ops = &auth_sasl_ops, .arg = a struct auth_sasl --- */

struct auth_sasl {
	struct auth *auth;
	struct arena *mem;              /* for strings of user; that of the session */
	const struct auth_user *cert;   /* who the TLS client key belongs to; NULL without. Logins are then for that account only */
	struct auth_user user;          /* result of a successful exchange; auth_user_done is the caller's */
	struct errmsg err;              /* text of LOGIN_DISABLED, or of a server error (not for the client) */
};
extern const struct sasl_server_ops auth_sasl_ops;
/* auth_binding collects the channel bindings that the session can give, in the arena. ssl NULL: none. */
void auth_binding(struct arena *a, SSL *ssl, struct scram_binding *r_binding);

/* Failed attempts by IP (10/30/90 a minute, 50/150/450 a day), shared by all protocols. */
bool auth_refused(struct auth *a, const struct ip *remote);             /* over the limit; quick, any thread */
bool auth_refuse(struct auth *a, const struct ip *remote, const char *kind);   /* the same, counted in mox_authentication_ratelimited_total{kind} */
void auth_failed(struct auth *a, const struct ip *remote);
void auth_succeeded(struct auth *a, const struct ip *remote);
void auth_set_limits(struct auth *a, bool enabled, bool exempt_loopback);

/*
 * An attempt for the audit log and the metric mox_authentication_total{kind=protocol,variant=mechanism,result}. Empty account: "-". result: ok, baduser,
 * badpassword, badcreds, badchanbind, badprotocol, logindisabled, error, aborted. Queued; written in batches by a thread of its own; waits when
 * 100 are queued.
 */
struct auth_attempt {
	struct str account, address, remote_ip, local_ip, tls, client_key, protocol, user_agent, mechanism, result;
};
void auth_record(struct auth *a, const struct auth_attempt *t);
/* auth_tls_text describes a session for auth_attempt.tls: "version=.. ciphersuite=.. sni=.. resumed=.. alpn=.."; "" for NULL. */
struct str auth_tls_text(struct arena *a, const struct tls_info *info);

/*
 * TLS client keys: rows of auth.db, read from an immutable in-memory snapshot. struct store_tls_key says who a fingerprint (tls_info.client_key) logs
 * in: account and address.
 */
int auth_key_find(struct auth *a, struct arena *mem, struct str fingerprint, struct store_tls_key *r_key) must_use_;    /* 1 found, 0 none */
/* auth_key_user finds who a key logs in, as it is now: the address must still be the account's. AUTH_BAD_CREDENTIALS for unknown and stale keys,
 * AUTH_LOGIN_DISABLED. */
int auth_key_user(struct auth *a, struct arena *mem, struct str fingerprint, struct auth_user *r_user, struct store_tls_key *r_key,
	struct errmsg *e) must_use_;
/* auth_key_verify is for tls_ctx_opts.verify_key (arg: the struct auth): the key logs somebody in. Quick enough for a handshake on a loop. */
bool auth_key_verify(void *arg, struct str fingerprint);
/* auth_keys_changed reads the keys again: call it after changing rows with store_tls_key_*. */
int auth_keys_changed(struct auth *a) must_use_;
/* auth_db is the handle of auth.db, for lists of keys and attempts. */
struct store_authdb *auth_db(struct auth *a);

#endif
