/* SPDX-License-Identifier: MIT */
/*
 * store/password.h - derived secrets of an account and its web login sessions: rows only; pkg/auth computes and compares.
 */
#ifndef STORE_PASSWORD_H
#define STORE_PASSWORD_H

#include "store/store.h"

/* Stored SCRAM secrets of one hash. Empty strings and 0 when they were never derived. */
struct store_scram {
	struct str salt, stored_key, server_key;
	unsigned iterations;
};
struct store_password {
	struct str bcrypt;
	struct str crammd5_ipad, crammd5_opad;          /* MD5 states of 16 bytes, empty when missing */
	struct store_scram scram1, scram256;
};

/* store_password_get: 1 found, 0 when no password was set. Strings in tx's arena. */
int store_password_get(struct store_tx *tx, struct store_password *r_p) must_use_;
/* store_password_set replaces all secrets and removes all login sessions. */
int store_password_set(struct store_tx *tx, const struct store_password *p) must_use_;

/*
 * store_subjectpass_key gives the key by which tokens of pkg/subjectpass are made for an address (canonical, as text): 16 characters, made at first use. Needs a
 * write transaction.
 */
int store_subjectpass_key(struct store_tx *tx, struct str address, struct str *r_key) must_use_;

#define STORE_SESSIONS_MAX 100                          /* per account; adding one more removes expired ones, then the one that expires first */

struct store_session {
	int64_t id;
	int64_t created_us, expires_us;
	struct str token_hash;                          /* SHA-256 of the session token: a stolen database opens no session */
	struct str csrf_token;                          /* 16 random bytes */
	struct str address;                             /* login address */
};
int store_session_add(struct store_tx *tx, struct store_session *s) must_use_;         /* fills id */
int store_session_list(struct store_tx *tx, struct store_session **r_v, size_t *r_n) must_use_;
int store_session_find(struct store_tx *tx, struct str token_hash, struct store_session *r_s) must_use_;       /* 1 found, 0 none */
int store_session_extend(struct store_tx *tx, int64_t id, int64_t expires_us) must_use_;                       /* 1 done, 0 it is gone */
int store_session_remove(struct store_tx *tx, int64_t id) must_use_;                                           /* 1 done, 0 it is gone */
int store_session_remove_all(struct store_tx *tx) must_use_;

#endif
