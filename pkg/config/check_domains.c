/* SPDX-License-Identifier: MIT */
/* Domains of domains.conf: names, signing, policies, reporting addresses, aliases. */
#include "base/cur.h"
#include "base/timeutil.h"
#include "base/utf8.h"
#include "config/config_internal.h"

static void
check_separators(struct config_check *c, struct config_domain *d, struct config_hosted *h)
{
	struct typedesc_str_list *l = &h->separators;

	if (d->localpart_catchall_separator.n && d->localpart_catchall_separators.n)
		config_errorf(c, "LocalpartCatchallSeparators", "cannot be used together with LocalpartCatchallSeparator");
	*l = d->localpart_catchall_separators;
	if (d->localpart_catchall_separator.n) {
		l->v = ARENA_NEWN(c->a, 1, struct str);
		l->v[0] = d->localpart_catchall_separator;
		l->n = 1;
	}
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].n == 0)
			config_errorf(c, "LocalpartCatchallSeparators", "an empty separator");
		for (size_t k = 0; k < i; k++)
			if (str_is(l->v[i], l->v[k]))
				config_errorf(c, "LocalpartCatchallSeparators", "\"" STRF "\" is there twice", STRA(l->v[i]));
	}
}

static void
check_signed_headers(struct config_check *c, struct config_selector *s)
{
	static const char *const usual[] = { "From", "To", "Cc", "Bcc", "Reply-To", "References", "In-Reply-To", "Subject",
		"Date", "Message-Id", "Content-Type" };
	static const char *const unwise[] = { "DKIM-Signature", "Received", "Return-Path" };
	bool from = false;

	s->headers_effective = s->headers;
	if (s->headers.n == 0) {
		s->headers_effective.v = ARENA_NEWN(c->a, ARRAY_LEN(usual), struct str);
		s->headers_effective.n = ARRAY_LEN(usual);
		for (size_t i = 0; i < ARRAY_LEN(usual); i++)
			s->headers_effective.v[i] = str_of(usual[i]);
		return;
	}
	for (size_t i = 0; i < s->headers.n; i++) {
		from |= str_icase(s->headers.v[i], S("From"));
		for (size_t k = 0; k < ARRAY_LEN(unwise); k++)
			if (str_icase(s->headers.v[i], str_of(unwise[k])))
				config_warnf(c, "Headers", "signing %s is unwise: it changes on the way", unwise[k]);
	}
	if (!from)
		config_errorf(c, "Headers", "From must be signed");
}

static void
check_selector(struct config_check *c, struct str name, struct config_selector *s)
{
	struct idna_domain d;
	int64_t us;

	config_enter(c, name);
	config_check_unicode_domain(c, NULL, name, &d);
	if (s->hash == CONFIG_DKIM_HASH_SHA1)
		config_warnf(c, "Hash", "sha1 is deprecated, others do not accept it");
	check_signed_headers(c, s);
	if (s->expiration.n) {
		if (time_parse_duration(s->expiration, &us) < 0 || us < TIME_SEC)
			config_errorf(
			    c, "Expiration", "\"" STRF "\" is no duration of at least a second, like 72h", STRA(s->expiration));
		else
			s->expiration_seconds = us / TIME_SEC;
	}
	s->private_key_file = config_path(c, s->private_key_file);
	if (!(c->flags & CONFIG_NO_KEYS))
		config_check_dkim_key(c, s);
	config_leave(c, 1);
}

static void
check_dkim(struct config_check *c, struct config_dkim *k)
{
	const struct typedesc *map = typedesc_type(&config_dkim_desc, "Selectors");

	config_enter(c, S("DKIM"));
	config_enter(c, S("Selectors"));
	for (size_t i = 0; i < k->selectors.n; i++)
		check_selector(c, k->selectors.v[i].k, &k->selectors.v[i].v);
	config_leave(c, 1);
	for (size_t i = 0; i < k->sign.n; i++)
		if (!typedesc_map_find(map, &k->selectors, k->sign.v[i]))
			config_errorf(c, "Sign", "there is no selector \"" STRF "\"", STRA(k->sign.v[i]));
	config_leave(c, 1);
}

/* 1 to 32 letters and digits: rfc/8461:319 */
static bool
is_policy_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!cur_class_has(&cur_alnum, (unsigned char)s.p[i]))
			return false;
	return s.n >= 1 && s.n <= 32;
}

static bool
serves_mtasts(const struct config_static *s)
{
	for (size_t i = 0; i < s->listeners.n; i++)
		if (s->listeners.v[i].v.mtasts_https.enabled)
			return true;
	return false;
}

static void
check_mtasts(struct config_check *c, struct config_mtasts *m)
{
	struct idna_domain d;

	config_enter(c, S("MTASTS"));
	if (!is_policy_id(m->policy_id))
		config_errorf(c, "PolicyID", "must have 1 to 32 letters and digits");
	for (size_t i = 0; i < m->mx.n; i++) {
		struct str name = m->mx.v[i];

		config_check_domain(c, "MX", str_starts(name, S("*.")) ? str_from(name, 2) : name, &d);
	}
	if (m->mx.n == 0) {
		m->mx.v = ARENA_NEWN(c->a, 1, struct str);
		m->mx.v[0] = c->base->hostname.ascii;
		m->mx.n = 1;
	}
	if (!serves_mtasts(c->base->fixed))
		config_errorf(c, NULL, "the policy is not served: MTASTSHTTPS is enabled in no listener");
	config_leave(c, 1);
}

static void
check_domain(struct config_check *c, struct str name, struct config_domain *d, struct config_hosted *h)
{
	config_enter(c, name);
	h->conf = d;
	if (config_check_unicode_domain(c, NULL, name, &h->name))
		map_set(&c->priv->by_name, h->name.ascii, h);
	if (d->client_settings_domain.n &&
	    config_check_domain(c, "ClientSettingsDomain", d->client_settings_domain, &h->client_settings))
		d->client_settings_domain = idna_text(&h->client_settings, true);
	check_separators(c, d, h);
	check_dkim(c, &d->dkim);
	if (d->mtasts)
		check_mtasts(c, d->mtasts);
	config_check_routes(c, &d->routes);
	config_leave(c, 1);
}

void
config_check_domains(struct config_check *c, struct config_dynamic *d)
{
	struct config_priv *p = c->priv;

	p->hosted = ARENA_NEWN(c->a, d->domains.n, struct config_hosted);
	config_enter(c, S("Domains"));
	for (size_t i = 0; i < d->domains.n; i++)
		check_domain(c, d->domains.v[i].k, &d->domains.v[i].v, &p->hosted[i]);
	config_leave(c, 1);
}

/* One of DMARC and TLSRPT, which have the same fields. */
struct report {
	const char *field;
	struct str localpart, domain, account, *mailbox;
	bool is_dmarc;
};

static void
add_report(struct config_check *c, const struct config_dynamic *d, const struct report *r, struct str localpart,
    const struct config_hosted *h)
{
	const struct config_account *acct =
	    typedesc_map_find(typedesc_type(&config_dynamic_desc, "Accounts"), &d->accounts, r->account);
	struct config_address *addr = ARENA_NEW(c->a, struct config_address);
	struct config_destination *dest = ARENA_NEW(c->a, struct config_destination);
	struct str key;

	if (acct == NULL) {
		config_errorf(c, "Account", "there is no account \"" STRF "\"", STRA(r->account));
		return;
	}
	if (!h->conf->localpart_case_sensitive)
		localpart = utf8_lower(c->a, localpart);
	key = config_address_key(c->a, localpart, &h->name);
	const struct config_address *other = map_get(&c->priv->reports, key);
	if (other)
		*dest = *other->destination;
	dest->mailbox = *r->mailbox;
	dest->dmarc_reports |= r->is_dmarc;
	dest->domain_tls_reports |= !r->is_dmarc;
	*addr = (struct config_address){ .kind = CONFIG_ADDRESS_ACCOUNT,
		.canonical = str_fmt(c->a, STRF "@" STRF, STRA(localpart), STRA(idna_text(&h->name, true))),
		.account_name = str_dup(c->a, r->account),
		.account = acct,
		.destination = dest };
	map_set(&c->priv->reports, key, addr);
}

static void
check_report(struct config_check *c, const struct config_dynamic *d, const struct report *r, const struct config_hosted *own)
{
	const struct config_hosted *h = own;
	struct errmsg e = { 0 };
	struct idna_domain name;
	struct str localpart;
	bool good = true;

	config_enter(c, str_of(r->field));
	if (!str_is_ascii(r->localpart)) {
		config_errorf(c, "Localpart", "must be ASCII");
		good = false;
	} else if (smtp_parse_localpart(c->a, r->localpart, 0, &localpart, &e) < 0) {
		config_errorf(c, "Localpart", "\"" STRF "\" is no local part of an address: %s", STRA(r->localpart), e.text);
		good = false;
	}
	good &= config_check_box(c, "Mailbox", r->mailbox, true);
	if (r->domain.n) {
		if (!config_check_domain(c, "Domain", r->domain, &name)) {
			good = false;
		} else if ((h = map_get(&c->priv->by_name, name.ascii)) == NULL) {
			config_errorf(c, "Domain", "\"" STRF "\" is not one of our domains", STRA(r->domain));
			good = false;
		}
	}
	if (good)
		add_report(c, d, r, localpart, h);
	config_leave(c, 1);
}

void
config_check_report_addresses(struct config_check *c, struct config_dynamic *d)
{
	config_enter(c, S("Domains"));
	for (size_t i = 0; i < d->domains.n; i++) {
		struct config_dmarc *m = d->domains.v[i].v.dmarc;
		struct config_tlsrpt *t = d->domains.v[i].v.tlsrpt;

		config_enter(c, d->domains.v[i].k);
		if (m)
			check_report(c, d, &(struct report){ "DMARC", m->localpart, m->domain, m->account, &m->mailbox, true },
			    &c->priv->hosted[i]);
		if (t)
			check_report(c, d, &(struct report){ "TLSRPT", t->localpart, t->domain, t->account, &t->mailbox, false },
			    &c->priv->hosted[i]);
		config_leave(c, 1);
	}
	config_leave(c, 1);
}

/* Adds an alias to those that the account of a member is in. */
static void
add_membership(struct config_check *c, struct config_account *acct, struct str address, const struct config_alias *alias)
{
	const struct typedesc *list = typedesc_type(&config_account_desc, "Aliases");
	struct config_address_alias *m = typedesc_list_add(c->a, list, &acct->aliases);

	m->subscription_address = address;
	m->alias = *alias;
	if (alias->list_members)
		m->member_addresses = alias->addresses;
}

static bool
is_member(const struct config_account *acct, struct str address)
{
	for (size_t i = 0; i < acct->aliases.n; i++)
		if (str_is(acct->aliases.v[i].subscription_address, address))
			return true;
	return false;
}

static void
check_member(struct config_check *c, struct config_dynamic *d, struct str member, struct str alias_address,
    const struct config_alias *alias)
{
	struct smtp_address addr;
	const struct config_address *found = NULL;
	struct errmsg e = { 0 };

	if (smtp_parse_address(c->a, member, SMTP_UTF8, &addr, &e) < 0) {
		config_errorf(c, "Addresses", "\"" STRF "\" is no address: %s", STRA(member), e.text);
		return;
	}
	found = map_get(&c->priv->addresses, config_address_key(c->a, addr.localpart, &addr.domain));
	if (found && found->kind == CONFIG_ADDRESS_ALIAS) {
		config_errorf(c, "Addresses", "\"" STRF "\" is an alias too", STRA(member));
	} else if (found == NULL || !str_is(found->canonical, member)) {
		config_errorf(c, "Addresses", "\"" STRF "\" is not an address of an account in its canonical form", STRA(member));
	} else {
		struct config_account *acct =
		    typedesc_map_find(typedesc_type(&config_dynamic_desc, "Accounts"), &d->accounts, found->account_name);

		if (!is_member(acct, alias_address))
			add_membership(c, acct, alias_address, alias);
	}
}

static void
check_alias(
    struct config_check *c, struct config_dynamic *d, struct str name, struct config_alias *alias, const struct config_hosted *h)
{
	struct config_address *addr = ARENA_NEW(c->a, struct config_address);
	struct errmsg e = { 0 };
	struct str localpart, text;

	if (smtp_parse_localpart(c->a, name, SMTP_UTF8, &localpart, &e) < 0) {
		config_errorf(c, NULL, "\"" STRF "\" is no local part of an address: %s", STRA(name), e.text);
		return;
	}
	if (!str_is(config_canonical(c->a, h, localpart),
		h->conf->localpart_case_sensitive ? localpart : utf8_lower(c->a, localpart))) {
		config_errorf(c, NULL, "\"" STRF "\" has a catch-all separator", STRA(name));
		return;
	}
	localpart = config_canonical(c->a, h, localpart);
	text = smtp_localpart(c->a, localpart);
	text = str_fmt(c->a, STRF "@" STRF, STRA(text), STRA(idna_text(&h->name, true)));
	*addr = (struct config_address){ .kind = CONFIG_ADDRESS_ALIAS, .canonical = text, .alias = alias, .alias_address = text };
	struct str key = config_address_key(c->a, localpart, &h->name);
	const struct config_address *other = map_get(&c->priv->addresses, key);
	if (other) {
		config_errorf(c, NULL, STRF " is %s", STRA(text),
		    other->kind == CONFIG_ADDRESS_ALIAS ? "an alias twice" : "an address of an account too");
		return;
	}
	map_set(&c->priv->addresses, key, addr);
	if (alias->addresses.n == 0)
		config_errorf(c, "Addresses", "there is none");
	for (size_t i = 0; i < alias->addresses.n; i++) {
		for (size_t k = 0; k < i; k++)
			if (str_is(alias->addresses.v[i], alias->addresses.v[k]))
				config_errorf(c, "Addresses", "\"" STRF "\" is there twice", STRA(alias->addresses.v[i]));
		check_member(c, d, alias->addresses.v[i], text, alias);
	}
}

void
config_check_aliases(struct config_check *c, struct config_dynamic *d)
{
	config_enter(c, S("Domains"));
	for (size_t i = 0; i < d->domains.n; i++) {
		struct config_alias_map *m = &d->domains.v[i].v.aliases;

		config_enter(c, d->domains.v[i].k);
		config_enter(c, S("Aliases"));
		for (size_t k = 0; k < m->n; k++) {
			config_enter(c, m->v[k].k);
			check_alias(c, d, m->v[k].k, &m->v[k].v, &c->priv->hosted[i]);
			config_leave(c, 1);
		}
		config_leave(c, 2);
	}
	config_leave(c, 1);
}
