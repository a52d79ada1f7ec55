/* SPDX-License-Identifier: MIT */
/*
 * What SASL exchanges of SMTP and IMAP ask for.
 */
#include "auth/auth_internal.h"

static int
map_error(int err)
{
	switch (err) {
	case 0: return 0;
	case AUTH_BAD_CREDENTIALS: return SASL_BAD_CREDENTIALS;
	case AUTH_LOGIN_DISABLED: return SASL_LOGIN_DISABLED;
	case AUTH_NO_SECRET: return SASL_NO_SECRET;
	default: return SASL_SERVER_ERROR;
	}
}

/* same_account: who has presented a client key can log in only to the account of that. */
static int
same_account(struct auth_sasl *s, int err)
{
	if (err == 0 && s->cert != NULL && !str_is(s->cert->account, s->user.account)) {
		auth_user_done(&s->user);
		return SASL_BAD_CREDENTIALS;
	}
	if (err < 0)
		err_set(&s->err, err, "%s", err_text(err));
	return map_error(err);
}

static int
sasl_password(void *arg, struct arena *a unused_, struct str user, struct str password)
{
	struct auth_sasl *s = arg;

	return same_account(s, auth_password(s->auth, s->mem, user, password, &s->user, &s->err));
}

static int
sasl_scram_keys(void *arg, struct arena *a, struct str user, enum scram_hash hash, struct scram_keys *r_keys)
{
	struct auth_sasl *s = arg;

	return map_error(auth_scram_keys(s->auth, a, user, hash, r_keys, &s->err));
}

static int
sasl_verified(void *arg, struct arena *a unused_, struct str user)
{
	struct auth_sasl *s = arg;

	return same_account(s, auth_lookup(s->auth, s->mem, user, &s->user, &s->err));
}

static int
sasl_check_crammd5(void *arg, struct arena *a unused_, struct str user, struct str challenge, struct str digest_hex)
{
	struct auth_sasl *s = arg;

	return same_account(s, auth_crammd5(s->auth, s->mem, user, challenge, digest_hex, &s->user, &s->err));
}

static int
sasl_external(void *arg, struct arena *a unused_, struct str authzid)
{
	struct auth_sasl *s = arg;

	if (s->cert == NULL)
		return SASL_BAD_CREDENTIALS;
	struct str address = authzid.n > 0 ? authzid : s->cert->address;
	int err = auth_lookup(s->auth, s->mem, address, &s->user, &s->err);
	/* The client is known; only the address it asks for is not. */
	return err == AUTH_BAD_CREDENTIALS && authzid.n > 0 ? SASL_BAD_AUTHZID : same_account(s, err);
}

const struct sasl_server_ops auth_sasl_ops = {
	.password = sasl_password,
	.scram_keys = sasl_scram_keys,
	.verified = sasl_verified,
	.crammd5 = sasl_check_crammd5,
	.external = sasl_external,
};

void
auth_binding(struct arena *a, SSL *ssl, struct scram_binding *r_binding)
{
	uint8_t exporter[32];

	*r_binding = (struct scram_binding){ 0 };
	if (ssl == NULL)
		return;
	if (tls_exporter(ssl, exporter) == 0)
		r_binding->tls_exporter = str_dup(a, str_n((const char *)exporter, sizeof(exporter)));
	ignore_result(tls_unique(a, ssl, &r_binding->tls_unique));
	ignore_result(tls_server_end_point(a, ssl, &r_binding->tls_server_end_point));
}
