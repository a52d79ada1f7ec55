/* SPDX-License-Identifier: MIT */
/*
 * Whose address is it: recipients, and the addresses that a user may send as.
 */
#include "smtpserver/smtpserver_internal.h"

/* local_test_account gives everything that is not configured to one account. */
static int
local_test_account(struct session *s, const struct config *cfg, const struct smtp_path *path, struct config_address *r_addr)
{
	const struct config_account *account = config_account(cfg, s->srv->opts.localserve_account);

	if (account == NULL)
		return CONFIG_NO_ADDRESS;
	*r_addr = (struct config_address){
		.kind = CONFIG_ADDRESS_CATCHALL,
		.canonical = smtp_path(conn_arena(s->c), path, true),
		.account_name = s->srv->opts.localserve_account,
		.account = account,
	};
	return 0;
}

int
smtpserver_lookup(struct session *s, const struct config *cfg, const struct smtp_path *path, struct config_address *r_addr)
{
	int err = CONFIG_NO_DOMAIN;

	if (path->host.ip.family == 0)
		err = config_lookup_address(cfg, path->localpart, &path->host.domain,
		    CONFIG_LOOKUP_POSTMASTER | CONFIG_LOOKUP_ALIAS | CONFIG_LOOKUP_ENABLED, r_addr);
	if ((err == CONFIG_NO_DOMAIN || err == CONFIG_NO_ADDRESS) && smtpserver_is_localserve(s->srv))
		return local_test_account(s, cfg, path, r_addr);
	return err;
}

/* member: an address of the account is a member of the alias. */
static bool
member(const struct config *cfg, const struct config_alias *alias, struct str account)
{
	for (size_t i = 0; i < alias->addresses.n; i++) {
		struct config_address addr;

		if (config_lookup_text(cfg, alias->addresses.v[i], 0, &addr) == 0 && str_is(addr.account_name, account))
			return true;
	}
	return false;
}

int
smtpserver_may_send(struct session *s, const struct smtp_address *from, const char *what)
{
	cleanup_(config_unref) struct config *cfg = smtpserver_config(s->srv);
	struct config_address addr;

	/* Without CONFIG_LOOKUP_POSTMASTER: the postmaster that every domain has is nobody's address to send from. */
	int err = config_lookup_address(cfg, from->localpart, &from->domain, CONFIG_LOOKUP_ALIAS | CONFIG_LOOKUP_ENABLED, &addr);
	if (err == CONFIG_DOMAIN_DISABLED)
		return smtpserver_userf(s, 451, SMTP_E_SYS_OTHER, "domain is disabled");
	bool allowed = err == 0 && (addr.kind == CONFIG_ADDRESS_ALIAS ?
	    addr.alias->allow_msg_from && member(cfg, addr.alias, s->user.account) : str_is(addr.account_name, s->user.account));
	if (!allowed)
		return smtpserver_userf(s, 550, SMTP_E_POLICY_NOT_AUTHORIZED, "must match an address of the account in %s", what);
	return 0;
}
