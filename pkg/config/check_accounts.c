/* SPDX-License-Identifier: MIT */
/* Accounts of domains.conf. */
#include "base/utf8.h"
#include "config/config_internal.h"

static void
check_name(struct config_check *c, struct str name)
{
	bool bad = name.n == 0 || name.n > 200 || str_is(name, S(".")) || str_is(name, S("..")) || !utf8_is_nfc(name);

	for (size_t i = 0; i < name.n; i++)
		bad |= name.p[i] == '/' || (unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f;
	if (bad)
		config_errorf(
		    c, NULL, "the name must be fit for a directory: no slash, no control character, not \".\" or \"..\"");
}

static void
check_junk(struct config_check *c, struct config_account *a)
{
	struct config_automatic_junk_flags *f = &a->automatic_junk_flags;
	struct config_junk_filter *j = a->junk_filter;

	config_enter(c, S("AutomaticJunkFlags"));
	a->junk_re = config_check_regexp(c, "JunkMailboxRegexp", f->junk_mailbox_regexp);
	a->neutral_re = config_check_regexp(c, "NeutralMailboxRegexp", f->neutral_mailbox_regexp);
	a->notjunk_re = config_check_regexp(c, "NotJunkMailboxRegexp", f->notjunk_mailbox_regexp);
	config_leave(c, 1);
	if (j == NULL)
		return;
	config_enter(c, S("JunkFilter"));
	config_enter(c, S("Params"));
	if (j->params.max_power < 0 || j->params.max_power > 0.5)
		config_errorf(c, "MaxPower", "must be from 0 to 0.5");
	if (j->params.ignore_words < 0 || j->params.ignore_words > 0.5)
		config_errorf(c, "IgnoreWords", "must be from 0 to 0.5");
	config_leave(c, 2);
}

static void
check_hooks(struct config_check *c, const struct config_account *a)
{
	config_enter(c, S("OutgoingWebhook"));
	if (a->outgoing_webhook) {
		config_check_url(c, "URL", a->outgoing_webhook->url);
		config_check_text(c, "Authorization", a->outgoing_webhook->authorization);
	}
	config_leave(c, 1);
	config_enter(c, S("IncomingWebhook"));
	if (a->incoming_webhook) {
		config_check_url(c, "URL", a->incoming_webhook->url);
		config_check_text(c, "Authorization", a->incoming_webhook->authorization);
	}
	config_leave(c, 1);
}

static void
check_mailboxes(struct config_check *c, struct config_account *a)
{
	if (a->rejects_mailbox.n)
		config_check_box(c, "RejectsMailbox", &a->rejects_mailbox, false);
	if (a->introbox.n && config_check_box(c, "Introbox", &a->introbox, false) && str_is(a->introbox, a->rejects_mailbox))
		config_errorf(c, "Introbox", "is the RejectsMailbox too");
}

static void
check_capabilities(struct config_check *c, const struct typedesc_str_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		bool bad = l->v[i].n == 0;

		for (size_t k = 0; k < l->v[i].n; k++) {
			char ch = l->v[i].p[k];

			bad |= ch <= ' ' || ch > 0x7e || (ch >= 'a' && ch <= 'z') || strchr("(){%*\"\\]", ch);
		}
		if (bad)
			config_errorf(
			    c, "IMAPCapabilitiesDisabled", "\"" STRF "\" is no capability in upper case", STRA(l->v[i]));
	}
}

/* The parts of a key of Destinations; an empty localpart with *r_catchall for "@domain". */
static const struct config_hosted *
parse_destination(
    struct config_check *c, const struct config_account *a, struct str key, struct smtp_address *r_addr, bool *r_catchall)
{
	struct errmsg e = { 0 };
	const struct config_hosted *h;

	*r_catchall = str_starts(key, S("@"));
	if (*r_catchall) {
		if (!config_check_domain(c, NULL, str_from(key, 1), &r_addr->domain))
			return NULL;
	} else if (str_rfind(key, '@') < 0) {
		config_warnf(
		    c, NULL, "an address without domain is deprecated, write " STRF "@" STRF, STRA(key), STRA(a->domain));
		if (!config_check_domain(c, NULL, a->domain, &r_addr->domain))
			return NULL;
		if (smtp_parse_localpart(c->a, key, SMTP_UTF8, &r_addr->localpart, &e) < 0) {
			config_errorf(c, NULL, "no local part of an address: %s", e.text);
			return NULL;
		}
	} else if (smtp_parse_address(c->a, key, SMTP_UTF8, r_addr, &e) < 0) {
		config_errorf(c, NULL, "no address: %s", e.text);
		return NULL;
	}
	h = map_get(&c->priv->by_name, r_addr->domain.ascii);
	if (h == NULL)
		config_errorf(c, NULL, STRF " is not one of our domains", STRA(idna_text(&r_addr->domain, true)));
	return h;
}

static void
add_address(
    struct config_check *c, struct config_account *a, struct str account_name, struct str key, struct config_destination *dest)
{
	struct config_address *addr = ARENA_NEW(c->a, struct config_address);
	struct smtp_address parsed = { 0 };
	bool catchall;
	const struct config_hosted *h = parse_destination(c, a, key, &parsed, &catchall);
	struct str domain, text = S("");

	if (h == NULL)
		return;
	domain = idna_text(&h->name, true);
	if (!catchall) {
		struct str lower = h->conf->localpart_case_sensitive ? parsed.localpart : utf8_lower(c->a, parsed.localpart);

		parsed.localpart = config_canonical(c->a, h, parsed.localpart);
		if (!str_is(lower, parsed.localpart)) {
			config_errorf(c, NULL, "has a catch-all separator of the domain");
			return;
		}
		text = smtp_localpart(c->a, parsed.localpart);
	}
	*addr = (struct config_address){ .kind = catchall ? CONFIG_ADDRESS_CATCHALL : CONFIG_ADDRESS_ACCOUNT,
		.account_name = account_name,
		.account = a,
		.destination = dest,
		.canonical = str_fmt(c->a, STRF "@" STRF, STRA(text), STRA(domain)) };
	struct str k = config_address_key(c->a, catchall ? CONFIG_CATCHALL : parsed.localpart, &h->name);
	const struct config_address *other = map_get(&c->priv->addresses, k);
	if (other)
		config_errorf(c, NULL, STRF " is there twice, also for account \"" STRF "\"", STRA(addr->canonical),
		    STRA(other->account_name));
	else
		map_set(&c->priv->addresses, k, addr);
}

static void
check_account(struct config_check *c, struct str name, struct config_account *a)
{
	struct idna_domain d;

	config_enter(c, name);
	check_name(c, name);
	config_check_text(c, "LoginDisabled", a->login_disabled);
	if (a->domain.n && config_check_domain(c, "Domain", a->domain, &d))
		a->domain = idna_text(&d, true);
	check_hooks(c, a);
	check_mailboxes(c, a);
	check_junk(c, a);
	check_capabilities(c, &a->imap_capabilities_disabled);
	a->quota = MAX(a->quota_message_size ? a->quota_message_size : c->base->fixed->quota_message_size, 0);
	config_check_routes(c, &a->routes);
	config_enter(c, S("Destinations"));
	for (size_t i = 0; i < a->destinations.n; i++) {
		config_enter(c, a->destinations.v[i].k);
		config_check_destination(c, &a->destinations.v[i].v);
		add_address(c, a, name, a->destinations.v[i].k, &a->destinations.v[i].v);
		config_leave(c, 1);
	}
	config_leave(c, 2);
}

/* Needs the addresses of all accounts. */
static void
check_fromid(struct config_check *c, struct str account_name, struct str login)
{
	struct smtp_address addr;
	struct errmsg e = { 0 };
	const struct config_hosted *h;
	const struct config_address *found;

	if (smtp_parse_address(c->a, login, SMTP_UTF8, &addr, &e) < 0) {
		config_errorf(c, "FromIDLoginAddresses", "\"" STRF "\" is no address: %s", STRA(login), e.text);
		return;
	}
	h = map_get(&c->priv->by_name, addr.domain.ascii);
	if (h == NULL || h->separators.n == 0) {
		config_errorf(c, "FromIDLoginAddresses", "the domain of \"" STRF "\" %s", STRA(login),
		    h ? "has no catch-all separator" : "is not one of ours");
		return;
	}
	found = map_get(&c->priv->addresses, config_address_key(c->a, config_canonical(c->a, h, addr.localpart), &h->name));
	if (found == NULL)
		found = map_get(&c->priv->addresses, config_address_key(c->a, CONFIG_CATCHALL, &h->name));
	if (found == NULL || !str_is(found->account_name, account_name))
		config_errorf(c, "FromIDLoginAddresses", "\"" STRF "\" is not an address of the account", STRA(login));
}

void
config_check_accounts(struct config_check *c, struct config_dynamic *d)
{
	config_enter(c, S("Accounts"));
	for (size_t i = 0; i < d->accounts.n; i++)
		check_account(c, d->accounts.v[i].k, &d->accounts.v[i].v);
	for (size_t i = 0; i < d->accounts.n; i++) {
		const struct typedesc_str_list *l = &d->accounts.v[i].v.from_id_login_addresses;

		config_enter(c, d->accounts.v[i].k);
		for (size_t k = 0; k < l->n; k++)
			check_fromid(c, d->accounts.v[i].k, l->v[k]);
		config_leave(c, 1);
	}
	config_leave(c, 1);
}
