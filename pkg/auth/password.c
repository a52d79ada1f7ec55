/* SPDX-License-Identifier: MIT */
/*
 * Setting and checking passwords, and handing out what SCRAM and CRAM-MD5 need.
 */
#include "auth/auth_internal.h"
#include "base/mem.h"
#include "base/randutil.h"

#define PASSWORD_MIN 8
#define SALT_LEN 12
#define SHA1_ITERATIONS 8192
#define SHA256_ITERATIONS 4096          /* rfc/7677:157 */

void
auth_user_done(struct auth_user *u)
{
	store_account_close(&u->acct);
}

/* --- setting --- */

static void
make_scram(struct arena *mem, enum scram_hash h, struct str password, struct store_scram *s)
{
	struct scram_keys k = { .iterations = h == SCRAM_SHA1 ? SHA1_ITERATIONS : SHA256_ITERATIONS };
	char salt[SALT_LEN];
	size_t n = scram_hash_len(h);

	rand_bytes(salt, sizeof(salt));
	k.salt = str_dup(mem, str_n(salt, sizeof(salt)));
	scram_derive(h, password, &k);
	*s = (struct store_scram){
		.salt = k.salt,
		.iterations = k.iterations,
		.stored_key = str_dup(mem, str_n((const char *)k.stored_key, n)),
		.server_key = str_dup(mem, str_n((const char *)k.server_key, n)),
	};
	mem_erase(&k, sizeof(k));
}

static int
set_password(struct auth *a, struct arena *mem, struct str account, struct str password, struct errmsg *e)
{
	cleanup_(store_account_close) struct store_account *acct = NULL;
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_password s = { 0 };
	struct str prepared;

	if (sasl_opaque_string(mem, password, &prepared) < 0)
		return err_set(e, AUTH_BAD_PASSWORD, "password has characters that are not allowed");
	if (prepared.n < PASSWORD_MIN)
		return err_set(e, AUTH_BAD_PASSWORD, "password must be at least %d bytes", PASSWORD_MIN);
	if (prepared.n > AUTH_BCRYPT_MAX)
		return err_set(e, AUTH_BAD_PASSWORD, "password must be at most %d bytes", AUTH_BCRYPT_MAX);

	s.bcrypt = auth_bcrypt_make(mem, prepared);
	make_scram(mem, SCRAM_SHA1, prepared, &s.scram1);
	make_scram(mem, SCRAM_SHA256, prepared, &s.scram256);
	if (a->opts.crammd5) {
		struct sasl_crammd5 states;
		sasl_crammd5_derive(prepared, &states);
		s.crammd5_ipad = str_dup(mem, str_n((const char *)states.ipad, sizeof(states.ipad)));
		s.crammd5_opad = str_dup(mem, str_n((const char *)states.opad, sizeof(states.opad)));
		mem_erase(&states, sizeof(states));
	}

	TRY(store_account_open(a->opts.store, account, false, &acct, e));
	TRY(store_write(acct, &tx));
	TRY(store_password_set(&tx, &s));
	return store_tx_commit(&tx, NULL);
}

int
auth_set_password(struct auth *a, struct str account, struct str password, struct errmsg *e)
{
	struct arena mem = { 0 };

	int err = set_password(a, &mem, account, password, e);
	arena_erase(&mem);
	return err < 0 ? err_set(e, err, "storing password: %s", err_text(err)) : 0;
}

/* --- checking --- */

static struct store_scram
copy_scram(struct arena *mem, const struct store_scram *s)
{
	return (struct store_scram){ str_dup(mem, s->salt), str_dup(mem, s->stored_key), str_dup(mem, s->server_key), s->iterations };
}

/*
 * open_secrets opens the account of a found login name and reads its secrets. An account without a password, or one that cannot be opened because
 * it is being removed, is AUTH_BAD_CREDENTIALS.
 */
static int
open_secrets(struct auth *a, struct arena *mem, struct str account, struct store_account **r_acct, struct store_password *r_s, struct errmsg *e)
{
	cleanup_(store_account_close) struct store_account *acct = NULL;
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };

	int err = store_account_open(a->opts.store, account, false, &acct, e);
	if (err == STORE_NO_ACCOUNT)
		return AUTH_BAD_CREDENTIALS;
	TRY(err);
	TRY(store_read(acct, &tx));
	struct store_password s;
	int found = store_password_get(&tx, &s);
	TRY(found);
	if (found == 0)
		return AUTH_BAD_CREDENTIALS;
	*r_s = (struct store_password){
		.bcrypt = str_dup(mem, s.bcrypt),
		.crammd5_ipad = str_dup(mem, s.crammd5_ipad),
		.crammd5_opad = str_dup(mem, s.crammd5_opad),
		.scram1 = copy_scram(mem, &s.scram1),
		.scram256 = copy_scram(mem, &s.scram256),
	};
	*r_acct = take(acct);
	return 0;
}

static int
check_disabled(const struct auth_found *f, struct errmsg *e)
{
	if (f->disabled.n == 0)
		return 0;
	return err_set(e, AUTH_LOGIN_DISABLED, STRF, STRA(f->disabled));
}

static int
check_password(struct auth *a, struct arena *scratch, struct auth_found *f, struct str password, struct store_account **r_acct, struct errmsg *e)
{
	cleanup_(store_account_close) struct store_account *acct = NULL;
	struct store_password s = { 0 };
	struct str prepared = { 0 };

	int err = f->account.n > 0 ? open_secrets(a, scratch, f->account, &acct, &s, e) : AUTH_BAD_CREDENTIALS;
	if (err < 0 && err != AUTH_BAD_CREDENTIALS)
		return err;
	if (sasl_opaque_string(scratch, password, &prepared) < 0)
		return AUTH_BAD_CREDENTIALS;
	if (err < 0) {
		/* Unknown, or without password. It takes as long as a wrong one. */
		ignore_result(auth_bcrypt_check(a, S(""), prepared));
		return AUTH_BAD_CREDENTIALS;
	}
	if (!auth_cache_has(&a->cache, auth_now(a), f->address, s.bcrypt, prepared)) {
		if (!auth_bcrypt_check(a, s.bcrypt, prepared))
			return AUTH_BAD_CREDENTIALS;
		auth_cache_add(&a->cache, auth_now(a), f->address, s.bcrypt, prepared);
	}
	TRY(check_disabled(f, e));
	*r_acct = take(acct);
	return 0;
}

int
auth_password(struct auth *a, struct arena *mem, struct str address, struct str password, struct auth_user *r_user, struct errmsg *e)
{
	struct arena scratch = { 0 };
	struct auth_found f = { 0 };
	struct store_account *acct = NULL;

	ignore_result(auth_find(a, mem, address, &f));
	int err = check_password(a, &scratch, &f, password, &acct, e);
	arena_erase(&scratch);
	TRY(err);
	*r_user = (struct auth_user){ .acct = acct, .account = f.account, .address = f.address };
	return 0;
}

int
auth_lookup(struct auth *a, struct arena *mem, struct str address, struct auth_user *r_user, struct errmsg *e)
{
	struct auth_found f;
	struct store_account *acct;

	TRY(auth_find(a, mem, address, &f));
	TRY(check_disabled(&f, e));
	int err = store_account_open(a->opts.store, f.account, false, &acct, e);
	if (err == STORE_NO_ACCOUNT)
		return AUTH_BAD_CREDENTIALS;
	TRY(err);
	*r_user = (struct auth_user){ .acct = acct, .account = f.account, .address = f.address };
	return 0;
}

/* --- SCRAM --- */

/* fake_keys answers for names that do not exist: the salt always the same, keys that fit no password. */
static void
fake_keys(struct auth *a, struct arena *mem, struct str address, enum scram_hash h, struct scram_keys *r_keys)
{
	uint8_t mac[32];

	struct str what = str_cat(mem, h == SCRAM_SHA1 ? S("1 ") : S("256 "), address);
	hash_hmac_sha256(str_n((const char *)a->salt_secret, sizeof(a->salt_secret)), what, mac);
	*r_keys = (struct scram_keys){
		.salt = str_dup(mem, str_n((const char *)mac, SALT_LEN)),
		.iterations = h == SCRAM_SHA1 ? SHA1_ITERATIONS : SHA256_ITERATIONS,
	};
	rand_bytes(r_keys->stored_key, sizeof(r_keys->stored_key));
	rand_bytes(r_keys->server_key, sizeof(r_keys->server_key));
}

int
auth_scram_keys(struct auth *a, struct arena *mem, struct str address, enum scram_hash h, struct scram_keys *r_keys, struct errmsg *e)
{
	cleanup_(store_account_close) struct store_account *acct = NULL;
	struct store_password s = { 0 };
	struct auth_found f;
	size_t n = scram_hash_len(h);

	int err = auth_find(a, mem, address, &f);
	if (err == 0)
		err = open_secrets(a, mem, f.account, &acct, &s, e);
	if (err == AUTH_BAD_CREDENTIALS) {
		fake_keys(a, mem, address, h, r_keys);
		return 0;
	}
	TRY(err);
	const struct store_scram *k = h == SCRAM_SHA1 ? &s.scram1 : &s.scram256;
	if (k->salt.n == 0 || k->stored_key.n != n || k->server_key.n != n || k->iterations == 0)
		return AUTH_NO_SECRET;
	*r_keys = (struct scram_keys){ .salt = k->salt, .iterations = k->iterations };
	memcpy(r_keys->stored_key, k->stored_key.p, n);
	memcpy(r_keys->server_key, k->server_key.p, n);
	return 0;
}

/* --- CRAM-MD5 --- */

int
auth_crammd5(struct auth *a, struct arena *mem, struct str address, struct str challenge, struct str digest_hex, struct auth_user *r_user,
	struct errmsg *e)
{
	cleanup_(store_account_close) struct store_account *acct = NULL;
	struct store_password s = { 0 };
	struct auth_found f;
	struct sasl_crammd5 states;
	char hex[32];

	TRY(auth_find(a, mem, address, &f));
	TRY(open_secrets(a, mem, f.account, &acct, &s, e));
	if (s.crammd5_ipad.n != sizeof(states.ipad) || s.crammd5_opad.n != sizeof(states.opad))
		return AUTH_NO_SECRET;
	memcpy(states.ipad, s.crammd5_ipad.p, sizeof(states.ipad));
	memcpy(states.opad, s.crammd5_opad.p, sizeof(states.opad));
	sasl_crammd5_digest(&states, challenge, hex);
	bool good = digest_hex.n == sizeof(hex) && mem_equal(hex, digest_hex.p, sizeof(hex));
	mem_erase(&states, sizeof(states));
	mem_erase(hex, sizeof(hex));
	if (!good)
		return AUTH_BAD_CREDENTIALS;
	TRY(check_disabled(&f, e));
	*r_user = (struct auth_user){ .acct = take(acct), .account = f.account, .address = f.address };
	return 0;
}
