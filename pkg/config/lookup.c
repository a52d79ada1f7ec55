/* SPDX-License-Identifier: MIT */
/* Finding things in a snapshot. */
#include "base/utf8.h"
#include "config/config_internal.h"

const struct config_account *
config_account(const struct config *c, struct str name)
{
	return typedesc_map_find(typedesc_type(&config_dynamic_desc, "Accounts"), &c->dynamic->accounts, name);
}

const struct config_hosted *
config_domain(const struct config *c, const struct idna_domain *name)
{
	return map_get(&config_priv(c)->by_name, name->ascii);
}

const struct config_hosted *
config_domain_text(const struct config *c, struct str name)
{
	const struct config_hosted *h = NULL;
	struct arena a = { 0 };
	struct idna_domain d;

	if (idna_parse(&a, name, 0, &d, NULL) == 0)
		h = config_domain(c, &d);
	arena_done(&a);
	return h;
}

const struct config_hosted *
config_domains(const struct config *c, size_t *pos)
{
	return *pos < c->dynamic->domains.n ? &config_priv(c)->hosted[(*pos)++] : NULL;
}

const struct config_listener *
config_listener(const struct config *c, struct str name)
{
	return typedesc_map_find(typedesc_type(&config_static_desc, "Listeners"), &c->fixed->listeners, name);
}

const struct config_transport *
config_transport(const struct config *c, struct str name)
{
	return typedesc_map_find(typedesc_type(&config_static_desc, "Transports"), &c->fixed->transports, name);
}

const struct typedesc_str_list *
config_send_ips(const struct config *c)
{
	return &config_priv(c)->base->send_ips;
}

struct str
config_address_key(struct arena *a, struct str localpart, const struct idna_domain *d)
{
	return str_fmt(a, STRF "@" STRF, STRA(localpart), STRA(d->ascii));
}

struct str
config_canonical(struct arena *a, const struct config_hosted *h, struct str localpart)
{
	for (size_t i = 0; i < h->separators.n; i++) {
		ssize_t at = h->separators.v[i].n ? str_search(localpart, h->separators.v[i]) : -1;

		if (at >= 0)
			localpart = str_upto(localpart, (size_t)at);
	}
	return h->conf->localpart_case_sensitive ? str_dup(a, localpart) : utf8_lower(a, localpart);
}

static bool
is_our_host(const struct config_base *b, const struct idna_domain *d)
{
	for (size_t i = 0; i < b->nsmtp_hostnames; i++)
		if (idna_equal(&b->smtp_hostnames[i], d))
			return true;
	return false;
}

static int
postmaster(const struct config *c, unsigned flags, struct config_address *r)
{
	if (!(flags & CONFIG_LOOKUP_POSTMASTER))
		return CONFIG_NO_ADDRESS;
	*r = (struct config_address){
		.kind = CONFIG_ADDRESS_POSTMASTER,
		.canonical = S("postmaster"),
		.account_name = c->postmaster_account,
		.account = config_account(c, c->postmaster_account),
		.destination = &config_priv(c)->base->postmaster,
	};
	return 0;
}

static int
host_tlsrpt(const struct config *c, struct config_address *r)
{
	const struct config_base *b = config_priv(c)->base;

	*r = (struct config_address){
		.kind = CONFIG_ADDRESS_ACCOUNT,
		.canonical = b->host_tlsrpt_address,
		.account_name = b->fixed->host_tlsrpt.account,
		.account = config_account(c, b->fixed->host_tlsrpt.account),
		.destination = &b->host_tlsrpt,
	};
	return 0;
}

/* At a domain of ours. Keys are made in a, which the results do not need. */
static int
lookup_hosted(const struct config *c, struct arena *a, const struct config_hosted *h, struct str localpart, unsigned flags,
    struct config_address *r)
{
	const struct config_priv *p = config_priv(c);
	struct str lower = h->conf->localpart_case_sensitive ? localpart : utf8_lower(a, localpart);
	struct str canonical = config_canonical(a, h, localpart);
	const struct config_address *found = map_get(&p->reports, config_address_key(a, lower, &h->name));

	if (found == NULL)
		found = map_get(&p->addresses, config_address_key(a, canonical, &h->name));
	if (found && found->kind == CONFIG_ADDRESS_ALIAS && !(flags & CONFIG_LOOKUP_ALIAS))
		return CONFIG_NO_ADDRESS;
	if (found == NULL)
		found = map_get(&p->addresses, config_address_key(a, CONFIG_CATCHALL, &h->name));
	if (found == NULL)
		return str_icase(canonical, S("postmaster")) ? postmaster(c, flags, r) : CONFIG_NO_ADDRESS;
	*r = *found;
	return 0;
}

int
config_lookup_address(
    const struct config *c, struct str localpart, const struct idna_domain *domain, unsigned flags, struct config_address *r_addr)
{
	const struct config_base *b = config_priv(c)->base;
	const struct config_hosted *h;
	struct arena a = { 0 };
	int r;

	if (str_icase(localpart, S("postmaster")) && (idna_is_zero(domain) || is_our_host(b, domain)))
		return postmaster(c, flags, r_addr);
	if (b->host_tlsrpt.host_tls_reports && idna_equal(domain, &b->hostname) &&
	    str_is(localpart, b->fixed->host_tlsrpt.localpart))
		return host_tlsrpt(c, r_addr);
	h = config_domain(c, domain);
	if (h == NULL || h->conf->reports_only)
		return CONFIG_NO_DOMAIN;
	if (flags & CONFIG_LOOKUP_ENABLED && h->conf->disabled)
		return CONFIG_DOMAIN_DISABLED;
	r = lookup_hosted(c, &a, h, localpart, flags, r_addr);
	arena_done(&a);
	return r;
}

int
config_lookup_text(const struct config *c, struct str address, unsigned flags, struct config_address *r_addr)
{
	struct arena a = { 0 };
	struct smtp_address addr = { 0 };
	int r = 0;

	if (str_icase(address, S("postmaster")))
		addr.localpart = address;
	else
		r = smtp_parse_address(&a, address, SMTP_UTF8, &addr, NULL);
	if (r == 0)
		r = config_lookup_address(c, addr.localpart, &addr.domain, flags, r_addr);
	else
		r = ERR_INVALID;
	arena_done(&a);
	return r;
}

/* A list that is empty takes all; ".example.org" the domain and those below; "." the empty domain. */
static bool
route_has(const struct typedesc_str_list *l, const struct idna_domain *d)
{
	for (size_t i = 0; i < l->n; i++) {
		struct idna_domain want = { .ascii = l->v[i] };

		if (!str_starts(want.ascii, S("."))) {
			if (idna_equal(&want, d))
				return true;
			continue;
		}
		want.ascii = str_from(want.ascii, 1);
		if (want.ascii.n ? !idna_is_zero(d) && idna_is_under(d, &want) : idna_is_zero(d))
			return true;
	}
	return l->n == 0;
}

static bool
find_route(const struct config_route_list *l, const struct idna_domain *from, const struct idna_domain *to, int64_t attempts,
    struct str *r)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct config_route *route = &l->v[i];

		if (attempts < route->minimum_attempts || !route_has(&route->from_domain, from) ||
		    !route_has(&route->to_domain, to))
			continue;
		*r = route->transport;
		return true;
	}
	return false;
}

struct str
config_route(const struct config *c, const struct config_account *account, const struct idna_domain *from,
    const struct idna_domain *to, int64_t attempts)
{
	const struct config_hosted *h = config_domain(c, from);
	struct str transport = { 0 };

	if (!(account && find_route(&account->routes, from, to, attempts, &transport)) &&
	    !(h && find_route(&h->conf->routes, from, to, attempts, &transport)))
		ignore_result(find_route(&c->dynamic->routes, from, to, attempts, &transport));
	return transport;
}
