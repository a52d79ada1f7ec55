/* SPDX-License-Identifier: MIT */
/* LOGIN   rfc/9051:1597 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

int
imapserver_cmd_login(struct imapserver_cmd *c)
{
	cleanup_(auth_user_done) struct auth_user user = { 0 };
	struct imapserver_session *s = c->s;
	struct errmsg e = { 0 };

	imap_sp(&c->in);
	struct str address = imap_astring(&c->in);
	imap_sp(&c->in);
	struct str password = imap_astring(&c->in);
	TRY(imapserver_end(c));
	if (!imapserver_cleartext_allowed(s))
		return imapserver_no(c, "PRIVACYREQUIRED", "TLS is required for logging in");

	int r = auth_password(s->server->auth, c->a, address, password, &user, &e);
	if (r == 0 && !imapserver_cert_allows(s, &user))
		r = AUTH_BAD_CREDENTIALS;
	if (r == AUTH_BAD_CREDENTIALS) {
		imapserver_record(s, S(""), address, S("login"), S("badcreds"));
		imapserver_login_failed(s);
		return imapserver_no(c, "AUTHENTICATIONFAILED", "bad credentials");
	}
	if (r == AUTH_LOGIN_DISABLED) {
		imapserver_record(s, S(""), address, S("login"), S("logindisabled"));
		imapserver_login_failed(s);
		return imapserver_no(c, NULL, "%s", e.text);
	}
	if (r < 0) {
		imapserver_record(s, S(""), address, S("login"), S("error"));
		return imapserver_error(c, r, &e, "checking a password");
	}
	imapserver_login(s, &user);
	imapserver_record(s, store_account_name(s->acct), user.address, S("login"), S("ok"));
	imapserver_capability_code(c);
	return 0;
}
