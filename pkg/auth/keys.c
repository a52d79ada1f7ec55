/* SPDX-License-Identifier: MIT */
/*
 * TLS client keys. Handshakes, on an event loop, ask a snapshot in memory, which is replaced when the rows have changed.
 */
#include "auth/auth_internal.h"
#include "base/mem.h"

int
auth_keys_changed(struct auth *a)
{
	struct arena fresh = { 0 };
	struct map map = { 0 };
	struct store_tls_key *v = NULL;
	size_t n = 0;

	LOCKED(&a->keys_lock);          /* one at a time: else an older list could replace a newer one */
	int err = store_tls_key_list(a->db, &fresh, S(""), &v, &n);
	if (err < 0) {
		arena_done(&fresh);
		return err;
	}
	for (size_t i = 0; i < n; i++)
		map_set(&map, v[i].fingerprint, &v[i]);

	LOCKED(&a->lock);
	auth_keys_free(a);
	a->keys = map;
	a->keys_arena = fresh;
	return 0;
}

void
auth_keys_free(struct auth *a)
{
	map_done(&a->keys);
	arena_done(&a->keys_arena);
}

static struct store_tls_key
copy_key(struct arena *mem, const struct store_tls_key *k)
{
	return (struct store_tls_key){
		.fingerprint = str_dup(mem, k->fingerprint), .account = str_dup(mem, k->account), .address = str_dup(mem, k->address),
		.type = str_dup(mem, k->type), .name = str_dup(mem, k->name), .cert_der = str_dup(mem, k->cert_der),
		.no_imap_preauth = k->no_imap_preauth, .created_us = k->created_us,
	};
}

int
auth_key_find(struct auth *a, struct arena *mem, struct str fingerprint, struct store_tls_key *r_key)
{
	LOCKED(&a->lock);
	const struct store_tls_key *k = map_get(&a->keys, fingerprint);
	if (k == NULL)
		return 0;
	*r_key = copy_key(mem, k);
	return 1;
}

/* find_user: the key's address must still be one of the key's account, whose configuration says whether logins are allowed. */
static int
find_user(struct auth *a, struct arena *mem, struct str fingerprint, struct store_tls_key *r_key, struct auth_found *r_f, struct errmsg *e)
{
	if (auth_key_find(a, mem, fingerprint, r_key) == 0)
		return err_set(e, AUTH_BAD_CREDENTIALS, "unknown key");
	TRY(auth_find(a, mem, r_key->address, r_f));
	if (!str_is(r_f->account, r_key->account))
		return err_set(e, AUTH_BAD_CREDENTIALS, "the address of the key belongs to another account");
	if (r_f->disabled.n > 0)
		return err_set(e, AUTH_LOGIN_DISABLED, STRF, STRA(r_f->disabled));
	return 0;
}

int
auth_key_user(struct auth *a, struct arena *mem, struct str fingerprint, struct auth_user *r_user, struct store_tls_key *r_key, struct errmsg *e)
{
	struct auth_found f;
	struct store_tls_key k;
	struct store_account *acct;

	TRY(find_user(a, mem, fingerprint, &k, &f, e));
	TRY(store_account_open(a->opts.store, f.account, false, &acct, e));
	*r_user = (struct auth_user){ .acct = acct, .account = f.account, .address = f.address };
	*r_key = k;
	return 0;
}

bool
auth_key_verify(void *arg, struct str fingerprint)
{
	struct arena mem = { 0 };
	struct auth_found f;
	struct store_tls_key k;

	int err = find_user(arg, &mem, fingerprint, &k, &f, NULL);
	arena_done(&mem);
	/* A disabled login with "no preauth" is told so at SASL time. */
	return err == 0 || (err == AUTH_LOGIN_DISABLED && k.no_imap_preauth);
}
