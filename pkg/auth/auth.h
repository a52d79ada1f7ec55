/* SPDX-License-Identifier: MIT */
/*
 * auth - credentials: setting passwords, checking them, finding the account of a login name, recording attempts, client TLS keys.
 *
 * Derived secrets only, in the account's database: bcrypt (cost 10), CRAM-MD5 states, SCRAM-SHA-1 and SCRAM-SHA-256 StoredKey and ServerKey. A verified password is
 * cached for at most 15 minutes as a keyed hash, so that clients that log in often cost no bcrypt. See ../spec/auth-credentials.md.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "base/ip.h"
#include "config/config.h"
#include "ratelimit/ratelimit.h"
#include "store/store.h"

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
};
int auth_open(const struct auth_opts *o, struct auth **r_auth, struct errmsg *e) must_use_;
void auth_close(struct auth **a);               /* drains the attempts queue */

/* auth_set_password: OpaqueString (RFC 8265), 8 to 72 bytes; replaces all derived secrets and removes web sessions, in one transaction. */
int auth_set_password(struct auth *a, struct str account, struct str password, struct errmsg *e) must_use_;

/* Who logged in. Release acct with store_account_close. */
struct auth_user {
	struct store_account *acct;
	struct str account;             /* name */
	struct str address;             /* login address, NFC, as typed */
};
/* auth_password checks an address and a password (worker thread: bcrypt takes 50 to 100 ms unless cached). */
int auth_password(struct auth *a, struct arena *mem, struct str address, struct str password, struct auth_user *r_user, struct errmsg *e) must_use_;
/* auth_lookup finds the account of a login address without a password (EXTERNAL, after SCRAM). */
int auth_lookup(struct auth *a, struct arena *mem, struct str address, struct auth_user *r_user, struct errmsg *e) must_use_;

enum auth_hash { AUTH_SHA1, AUTH_SHA256 };
struct auth_scram {                     /* stored keys of an address; a deterministic fake for unknown ones (fake = true: fail at the end) */
	struct str salt, stored_key, server_key;
	unsigned iterations;
	bool fake;
};
int auth_scram_keys(struct auth *a, struct arena *mem, struct str address, enum auth_hash hash, struct auth_scram *r_keys) must_use_;
/* auth_crammd5 verifies a response; constant time. */
int auth_crammd5(struct auth *a, struct arena *mem, struct str address, struct str challenge, struct str digest_hex, struct auth_user *r_user, struct errmsg *e) must_use_;

/* Failed attempts by IP (10/30/90 a minute, 50/150/450 a day), shared by all protocols. */
bool auth_refused(struct auth *a, const struct ip *remote);             /* over the limit; quick, any thread */
void auth_failed(struct auth *a, const struct ip *remote);
void auth_succeeded(struct auth *a, const struct ip *remote);
void auth_set_limits(struct auth *a, bool enabled, bool exempt_loopback);

/* An attempt for the audit log and the metric mox_authentication_total. result: ok, baduser, badpassword, badcreds, badchanbind, badprotocol,
 * logindisabled, error, aborted. Queued; written in batches by a thread of its own. */
struct auth_attempt {
	struct str account, address, remote_ip, local_ip, tls, client_key, protocol, user_agent, mechanism, result;
};
void auth_record(struct auth *a, const struct auth_attempt *t);

/* TLS client keys: fingerprint -> account and address, from an immutable in-memory snapshot of auth.db. */
struct auth_key {
	struct str account, address;
	bool no_imap_preauth;
};
int auth_key_find(struct auth *a, struct arena *mem, struct str fingerprint, struct auth_key *r_key) must_use_;  /* 1 found, 0 none */

#endif
