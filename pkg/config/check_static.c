/* SPDX-License-Identifier: MIT */
/* mox.conf, but for listeners and transports. */
#include <pwd.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/config_internal.h"

/* A name of the user database, else a number for both user and group. */
static void
check_user(struct config_check *c, const struct config_static *s)
{
	const char *name = str_z(c->a, s->user);
	struct passwd pw, *found = NULL;
	char *buf = mem_alloc(16384);

	c->base->uid = (uint32_t)getuid();
	c->base->gid = (uint32_t)getgid();
	if (name && getpwnam_r(name, &pw, buf, 16384, &found) == 0 && found) {
		c->base->uid = (uint32_t)pw.pw_uid;
		c->base->gid = (uint32_t)pw.pw_gid;
	} else if (str_u32(s->user, &c->base->uid) == 0) {
		c->base->gid = c->base->uid;
	} else if (!(c->flags & CONFIG_CHECK_ONLY)) {
		config_errorf(
		    c, "User", "there is no user \"" STRF "\"; add one: useradd -d $PWD " STRF, STRA(s->user), STRA(s->user));
	}
	mem_free(&buf);
}

static void
check_hostname(struct config_check *c, struct config_static *s)
{
	if (config_check_unicode_domain(c, "Hostname", s->hostname, &c->base->hostname))
		s->hostname = idna_text(&c->base->hostname, true);
}

static void
check_localpart(struct config_check *c, const char *field, struct str *localpart)
{
	struct errmsg e = { 0 };

	if (!str_is_ascii(*localpart))
		config_errorf(c, field, "must be ASCII");
	else if (smtp_parse_localpart(c->a, *localpart, 0, localpart, &e) < 0)
		config_errorf(c, field, "\"" STRF "\" is no local part of an address: %s", STRA(*localpart), e.text);
}

static void
check_postmaster(struct config_check *c, struct config_static *s)
{
	config_enter(c, S("Postmaster"));
	config_check_box(c, "Mailbox", &s->postmaster.mailbox, true);
	c->base->postmaster.mailbox = s->postmaster.mailbox;
	config_leave(c, 1);
	if (s->host_tlsrpt.account.n == 0 && s->host_tlsrpt.localpart.n == 0 && s->host_tlsrpt.mailbox.n == 0)
		return;
	config_enter(c, S("HostTLSRPT"));
	check_localpart(c, "Localpart", &s->host_tlsrpt.localpart);
	config_check_box(c, "Mailbox", &s->host_tlsrpt.mailbox, true);
	c->base->host_tlsrpt.mailbox = s->host_tlsrpt.mailbox;
	c->base->host_tlsrpt.host_tls_reports = true;
	c->base->host_tlsrpt_address = str_fmt(c->a, STRF "@" STRF, STRA(s->host_tlsrpt.localpart), STRA(s->hostname));
	config_leave(c, 1);
}

static void
check_acme(struct config_check *c, struct str name, struct config_acme *acme)
{
	config_enter(c, S("ACME"));
	config_enter(c, name);
	if (!(c->flags & CONFIG_CHECK_ONLY)) {
		if (acme->contact_email.n == 0)
			config_errorf(c, "ContactEmail", "is empty");
		if (acme->directory_url.n == 0)
			config_errorf(c, "DirectoryURL", "is empty");
	}
	if (acme->directory_url.n)
		config_check_url(c, "DirectoryURL", acme->directory_url);
	if (acme->issuer_domain_name.n == 0 && str_is(acme->directory_url, S("https://acme-v02.api.letsencrypt.org/directory")))
		acme->issuer_domain_name = S("letsencrypt.org");
	if (acme->external_account_binding) {
		config_enter(c, S("ExternalAccountBinding"));
		if (acme->external_account_binding->key_id.n == 0)
			config_errorf(c, "KeyID", "is empty");
		acme->external_account_binding->key_file = config_path(c, acme->external_account_binding->key_file);
		if (!(c->flags & CONFIG_NO_KEYS))
			config_check_eab(c, acme->external_account_binding);
		config_leave(c, 1);
	}
	config_leave(c, 2);
}

/* Mailboxes that new accounts get: not Inbox, and no children. */
static void
check_initial(struct config_check *c, const char *field, struct str *name, bool allow_inbox)
{
	if (name->n == 0 || !config_check_box(c, field, name, allow_inbox))
		return;
	if (str_has(*name, '/'))
		config_errorf(c, field, "\"" STRF "\" is below another mailbox, which is not possible here", STRA(*name));
}

static void
check_initial_mailboxes(struct config_check *c, struct config_static *s)
{
	struct config_initial_mailboxes *m = &s->initial_mailboxes;
	struct config_special_use_mailboxes *u = &m->special_use;

	if (s->default_mailboxes.n && !typedesc_is_zero(&config_initial_mailboxes_desc, m))
		config_errorf(c, "DefaultMailboxes", "cannot be used together with InitialMailboxes");
	for (size_t i = 0; i < s->default_mailboxes.n; i++)
		check_initial(c, "DefaultMailboxes", &s->default_mailboxes.v[i], true);
	if (s->default_mailboxes.n) {
		m->regular = s->default_mailboxes;
		return;
	}
	if (typedesc_is_zero(&config_initial_mailboxes_desc, m)) {
		*u = (struct config_special_use_mailboxes){
			.sent = S("Sent"), .archive = S("Archive"), .trash = S("Trash"), .draft = S("Drafts"), .junk = S("Junk")
		};
		return;
	}
	config_enter(c, S("InitialMailboxes"));
	config_enter(c, S("SpecialUse"));
	check_initial(c, "Sent", &u->sent, false);
	check_initial(c, "Archive", &u->archive, false);
	check_initial(c, "Trash", &u->trash, false);
	check_initial(c, "Draft", &u->draft, false);
	check_initial(c, "Junk", &u->junk, false);
	config_leave(c, 1);
	for (size_t i = 0; i < m->regular.n; i++)
		check_initial(c, "Regular", &m->regular.v[i], false);
	config_leave(c, 1);
}

static void
check_authorities(struct config_check *c, struct config_static *s)
{
	struct config_ca *ca = s->tls.ca;

	if (ca == NULL)
		return;
	config_enter(c, S("TLS"));
	config_enter(c, S("CA"));
	for (size_t i = 0; i < ca->cert_files.n; i++)
		ca->cert_files.v[i] = config_path(c, ca->cert_files.v[i]);
	if (!(c->flags & CONFIG_NO_KEYS))
		config_check_ca(c, ca);
	config_leave(c, 2);
}

void
config_check_static(struct config_check *c, struct config_static *s)
{
	c->base->data_dir = s->data_dir = config_path(c, s->data_dir);
	if (s->data_dir.n == 0)
		config_errorf(c, "DataDir", "is empty");
	s->admin_password_file = config_path(c, s->admin_password_file);
	check_user(c, s);
	check_hostname(c, s);
	check_postmaster(c, s);
	for (size_t i = 0; i < s->acme.n; i++)
		check_acme(c, s->acme.v[i].k, &s->acme.v[i].v);
	config_check_listeners(c, s);
	check_initial_mailboxes(c, s);
	config_check_transports(c, s);
	check_authorities(c, s);
	if (s->quota_message_size < 0)
		config_errorf(c, "QuotaMessageSize", "must not be negative");
}
