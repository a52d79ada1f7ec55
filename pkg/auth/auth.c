/* SPDX-License-Identifier: MIT */
/*
 * Opening, closing, finding the account of a login name, and the limiter of failed attempts.
 */
#include "auth/auth_internal.h"

#include <unistd.h>

#include "base/mem.h"
#include "base/randutil.h"
#include "base/utf8.h"
#include "metrics/metrics.h"

static struct metric ratelimited = METRICS_COUNTER_INIT("mox_authentication_ratelimited_total", "Connections refused for failed authentications.",
    "kind");

int
auth_open(const struct auth_opts *o, struct auth **r_auth, struct errmsg *e)
{
	struct auth *a = mem_alloc(sizeof(*a));
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	a->opts = *o;
	a->data_dir = mem_strdup(o->data_dir);
	a->opts.data_dir = a->data_dir;
	lock_init(&a->bcrypt_lock, LOCK_AUTH, "bcrypt");
	lock_init(&a->keys_lock, LOCK_DB, "auth keys");
	lock_init(&a->lock, LOCK_AUTH, "auth");
	cond_init(&a->bcrypt_free);
	cond_init(&a->work);
	cond_init(&a->room);
	a->bcrypt_max = cores > 0 ? (unsigned)cores : 1;
	a->tail = &a->head;
	auth_cache_init(&a->cache);
	a->limits = true;
	a->failed = ratelimit_new(&(struct ratelimit_opts){
		.windows = { { TIME_MIN, { 10, 30, 90 } }, { TIME_DAY, { 50, 150, 450 } } },
		.clock = o->clock,
	});
	if (o->secret.n > 0)
		hash_hmac_sha256(o->secret, S("salts of unknown users"), a->salt_secret);
	else
		rand_bytes(a->salt_secret, sizeof(a->salt_secret));
	int err = store_authdb_open(o->data_dir, &a->db, e);
	if (err == 0)
		err = auth_keys_changed(a);
	if (err == 0)
		err = auth_attempts_start(a, e);
	if (err < 0) {
		auth_close(&a);
		return err_set(e, err, "opening auth.db: %s", err_text(err));
	}
	*r_auth = a;
	return 0;
}

void
auth_close(struct auth **ap)
{
	struct auth *a = *ap;

	if (a == NULL)
		return;
	auth_attempts_stop(a);
	store_authdb_close(&a->db);
	auth_keys_free(a);
	auth_cache_done(&a->cache);
	ratelimit_free(a->failed);
	cond_done(&a->room);
	cond_done(&a->work);
	cond_done(&a->bcrypt_free);
	lock_done(&a->lock);
	lock_done(&a->keys_lock);
	lock_done(&a->bcrypt_lock);
	mem_free(&a->data_dir);
	mem_erase(a, sizeof(*a));
	mem_free(ap);
}

bool
auth_crammd5_enabled(const struct auth *a)
{
	return a->opts.crammd5;
}

struct store_authdb *
auth_db(struct auth *a)
{
	return a->db;
}

int64_t
auth_now(struct auth *a)
{
	return clock_now_us(a->opts.clock);
}

int
auth_find(struct auth *a, struct arena *mem, struct str address, struct auth_found *r_f)
{
	cleanup_(config_unref) struct config *c = a->opts.config(a->opts.config_arg);
	struct config_address addr;

	if (!utf8_valid(address))
		return AUTH_BAD_CREDENTIALS;
	struct str name = utf8_nfc(mem, address);
	/* No flags: aliases and the postmaster that every domain has are not found. Disabled domains are: their users still read their mail. */
	if (config_lookup_text(c, name, 0, &addr) < 0 || addr.account == NULL)
		return AUTH_BAD_CREDENTIALS;
	*r_f = (struct auth_found){
		.account = str_dup(mem, addr.account_name),
		.address = str_dup(mem, name),
		.disabled = str_dup(mem, addr.account->login_disabled),
	};
	return 0;
}

/* --- failed attempts --- */

static bool
limited(struct auth *a, const struct ip *remote)
{
	return a->limits && !(a->exempt_loopback && ip_is_loopback(remote));
}

bool
auth_refused(struct auth *a, const struct ip *remote)
{
	return limited(a, remote) && !ratelimit_can_add(a->failed, remote, 1);
}

bool
auth_refuse(struct auth *a, const struct ip *remote, const char *kind)
{
	if (!auth_refused(a, remote))
		return false;
	metrics_add(&ratelimited, 1, kind, NULL);
	return true;
}

void
auth_failed(struct auth *a, const struct ip *remote)
{
	if (limited(a, remote))
		ratelimit_add(a->failed, remote, 1);
}

void
auth_succeeded(struct auth *a, const struct ip *remote)
{
	if (limited(a, remote))
		ratelimit_reset(a->failed, remote);
}

void
auth_set_limits(struct auth *a, bool enabled, bool exempt_loopback)
{
	a->limits = enabled;
	a->exempt_loopback = exempt_loopback;
}
