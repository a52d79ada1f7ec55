/* SPDX-License-Identifier: MIT */
/*
 * store/authdb.h - the global database auth.db: TLS client keys, login attempts, accounts being removed. Rows only; pkg/auth has the rules.
 *
 * One handle per process. Every function takes the handle's lock (rank LOCK_AUTH) and is one transaction.
 */
#ifndef STORE_AUTHDB_H
#define STORE_AUTHDB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct store_authdb;
int store_authdb_open(const char *data_dir, struct store_authdb **r_db, struct errmsg *e) must_use_;
void store_authdb_close(struct store_authdb **db);

struct store_tls_key {
	struct str fingerprint;                         /* unpadded base64url of SHA-256 over the SubjectPublicKeyInfo */
	int64_t created_us;
	struct str type;                                /* "rsa-2048", "ecdsa-p256", "ed25519" */
	struct str name;                                /* not empty */
	bool no_imap_preauth;
	struct str cert_der;
	struct str account, address;
};
int store_tls_key_add(struct store_authdb *db, const struct store_tls_key *k) must_use_;               /* ERR_EXISTS */
int store_tls_key_get(struct store_authdb *db, struct arena *a, struct str fingerprint, struct store_tls_key *r_k) must_use_;  /* 1 found, 0 none */
/* store_tls_key_list: of one account, or of all when it is empty; sorted by account and name. */
int store_tls_key_list(struct store_authdb *db, struct arena *a, struct str account, struct store_tls_key **r_v, size_t *r_n) must_use_;
/* store_tls_key_update changes name and no_imap_preauth. 1 done, 0 no such key. */
int store_tls_key_update(struct store_authdb *db, const struct store_tls_key *k) must_use_;
int store_tls_key_remove(struct store_authdb *db, struct str fingerprint) must_use_;                   /* 1 removed, 0 none */

#define STORE_ATTEMPTS_FAILED_MAX 10000                 /* failed rows kept per account */
struct store_attempt {
	int64_t last_us, first_us, count;
	struct str account;                             /* "-" unknown, "(admin)" */
	struct str address, remote_ip, local_ip, tls, client_key, protocol, user_agent, mechanism, result;
};
/*
 * store_attempts_write upserts a batch in one transaction: attempts alike in all their strings are one row with a count; last_us is now. Beyond
 * STORE_ATTEMPTS_FAILED_MAX rows with a result other than "ok", the account's oldest ones go.
 */
int store_attempts_write(struct store_authdb *db, const struct store_attempt *v, size_t n, int64_t now_us) must_use_;
/* store_attempts_list: newest first, at most limit (<= 0: all), of one account, or of all when it is empty. */
int store_attempts_list(struct store_authdb *db, struct arena *a, struct str account, int limit, struct store_attempt **r_v, size_t *r_n) must_use_;
int store_attempts_expire(struct store_authdb *db, int64_t before_us) must_use_;       /* removes rows last seen before */

int store_removal_add(struct store_authdb *db, struct str account) must_use_;
int store_removal_list(struct store_authdb *db, struct arena *a, struct strlist *r_accounts) must_use_;
/* store_removal_done removes the record together with the account's TLS keys and login attempts. */
int store_removal_done(struct store_authdb *db, struct str account) must_use_;

#endif
