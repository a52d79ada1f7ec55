/* SPDX-License-Identifier: MIT */
/* domains.conf as a whole. */
#include "config/config_internal.h"

static struct config_account *
find_account(const struct config_dynamic *d, struct str name)
{
	return typedesc_map_find(typedesc_type(&config_dynamic_desc, "Accounts"), &d->accounts, name);
}

/* Accounts that mox.conf names. Lines are of domains.conf, so the place is said in the text. */
static void
check_static_accounts(struct config_check *c, const struct config_dynamic *d)
{
	const struct config_static *s = c->base->fixed;

	if (find_account(d, s->postmaster.account) == NULL)
		config_errorf(c, "Accounts", "there is no account \"" STRF "\", which mox.conf names as Postmaster",
		    STRA(s->postmaster.account));
	if (s->host_tlsrpt.localpart.n && find_account(d, s->host_tlsrpt.account) == NULL)
		config_errorf(c, "Accounts", "there is no account \"" STRF "\", which mox.conf names in HostTLSRPT",
		    STRA(s->host_tlsrpt.account));
}

/* Domains of routes may begin with a dot, and "." alone is the empty domain. */
static void
check_route_domains(struct config_check *c, const char *field, struct typedesc_str_list *l)
{
	struct idna_domain d;

	for (size_t i = 0; i < l->n; i++) {
		bool below = str_starts(l->v[i], S("."));

		if (below && l->v[i].n == 1)
			continue;
		if (config_check_domain(c, field, below ? str_from(l->v[i], 1) : l->v[i], &d))
			l->v[i] = below ? str_cat(c->a, S("."), d.ascii) : d.ascii;
	}
}

void
config_check_routes(struct config_check *c, const struct config_route_list *routes)
{
	const struct typedesc *map = typedesc_type(&config_static_desc, "Transports");

	config_enter(c, S("Routes"));
	for (size_t i = 0; i < routes->n; i++) {
		struct config_route *r = &routes->v[i];

		config_enter_index(c, i);
		check_route_domains(c, "FromDomain", &r->from_domain);
		check_route_domains(c, "ToDomain", &r->to_domain);
		if (!typedesc_map_find(map, &c->base->fixed->transports, r->transport))
			config_errorf(c, "Transport", "there is no transport \"" STRF "\" in mox.conf", STRA(r->transport));
		config_leave(c, 1);
	}
	config_leave(c, 1);
}

static void
check_monitored(struct config_check *c, struct typedesc_str_list *l)
{
	struct idna_domain d;

	for (size_t i = 0; i < l->n; i++) {
		if (!config_check_domain(c, "MonitorDNSBLs", l->v[i], &d))
			continue;
		l->v[i] = idna_text(&d, true);
		for (size_t k = 0; k < i; k++)
			if (str_is(l->v[i], l->v[k]))
				config_errorf(c, "MonitorDNSBLs", STRF " is there twice", STRA(l->v[i]));
	}
}

/* Whether a reporting address with this Domain option is at the domain itself. */
static bool
is_here(struct config_check *c, const struct config_hosted *h, struct str domain)
{
	struct idna_domain d;

	return domain.n == 0 || (idna_parse(c->a, domain, 0, &d, NULL) == 0 && idna_equal(&d, &h->name));
}

/* Domains that are only there to name where reports go: without an address of an account, and their own reports go elsewhere. */
static void
find_reports_only(struct config_check *c, struct config_dynamic *d)
{
	struct config_priv *p = c->priv;
	struct str key;
	void *value;

	for (size_t i = 0; i < d->domains.n; i++) {
		struct config_domain *dom = &d->domains.v[i].v;

		dom->reports_only = !(dom->dmarc && is_here(c, &p->hosted[i], dom->dmarc->domain)) &&
		    !(dom->tlsrpt && is_here(c, &p->hosted[i], dom->tlsrpt->domain));
	}
	for (size_t pos = 0; map_next(&p->addresses, &pos, &key, &value);) {
		const struct config_address *addr = value;
		struct config_hosted *h;

		if (addr->kind == CONFIG_ADDRESS_ALIAS)
			continue;
		h = map_get(&p->by_name, str_from(key, (size_t)str_rfind(key, '@') + 1));
		d->domains.v[h - p->hosted].v.reports_only = false;
	}
}

void
config_check_dynamic(struct config_check *c, struct config_dynamic *d)
{
	check_static_accounts(c, d);
	config_check_routes(c, &d->routes);
	config_check_domains(c, d);
	config_check_accounts(c, d);
	config_check_report_addresses(c, d);
	find_reports_only(c, d);
	config_check_aliases(c, d);
	config_check_web(c, d);
	check_monitored(c, &d->monitor_dnsbls);
}
