/* SPDX-License-Identifier: MIT */
/* Listeners of mox.conf. */
#include "base/ip.h"
#include "config/config_internal.h"

/* Services whose port and path depend on which they are. */
struct web_default {
	const char *field, *path;
	size_t offset;
	bool tls;
};
static const struct web_default web_defaults[] = {
	{ "AccountHTTP", "/", offsetof(struct config_listener, account_http), false },
	{ "AccountHTTPS", "/", offsetof(struct config_listener, account_https), true },
	{ "AdminHTTP", "/admin/", offsetof(struct config_listener, admin_http), false },
	{ "AdminHTTPS", "/admin/", offsetof(struct config_listener, admin_https), true },
	{ "WebmailHTTP", "/webmail/", offsetof(struct config_listener, webmail_http), false },
	{ "WebmailHTTPS", "/webmail/", offsetof(struct config_listener, webmail_https), true },
	{ "WebAPIHTTP", "/webapi/", offsetof(struct config_listener, web_api_http), false },
	{ "WebAPIHTTPS", "/webapi/", offsetof(struct config_listener, web_api_https), true },
};

static struct config_web_service *
web_service(struct config_listener *l, size_t i)
{
	return (struct config_web_service *)(void *)((char *)l + web_defaults[i].offset);
}

static void
check_web_services(struct config_check *c, struct config_listener *l)
{
	for (size_t i = 0; i < ARRAY_LEN(web_defaults); i++) {
		struct config_web_service *w = web_service(l, i);

		config_enter(c, str_of(web_defaults[i].field));
		if (w->port == 0)
			w->port = web_defaults[i].tls ? 443 : 80;
		if (w->path.n == 0) {
			w->path = str_of(web_defaults[i].path);
		} else if (w->enabled && w->path.p[0] != '/') {
			config_errorf(c, "Path", "must begin with a slash");
		} else if (!str_ends(w->path, S("/"))) {
			if (w->enabled)
				config_warnf(c, "Path", "has no slash at the end, one is added");
			w->path = str_cat(c->a, w->path, S("/"));
		}
		config_leave(c, 1);
	}
	if (l->webserver_http.port == 0)
		l->webserver_http.port = 80;
	if (l->webserver_https.port == 0)
		l->webserver_https.port = 443;
}

/* Names the services that are to use TLS though there are no certificates. */
static void
check_without_tls(struct config_check *c, struct config_listener *l)
{
	struct strlist needs = { 0 };

	if (l->imaps.enabled)
		strlist_add(c->a, &needs, S("IMAPS"));
	if (l->imap.enabled && !l->imap.no_require_starttls)
		strlist_add(c->a, &needs, S("IMAP without NoRequireSTARTTLS"));
	if (l->smtp.enabled && !l->smtp.no_starttls)
		strlist_add(c->a, &needs, S("SMTP without NoSTARTTLS"));
	if (l->submissions.enabled)
		strlist_add(c->a, &needs, S("Submissions"));
	if (l->submission.enabled && !l->submission.no_require_starttls)
		strlist_add(c->a, &needs, S("Submission without NoRequireSTARTTLS"));
	for (size_t i = 0; i < ARRAY_LEN(web_defaults); i++)
		if (web_defaults[i].tls && web_service(l, i)->enabled)
			strlist_add(c->a, &needs, str_of(web_defaults[i].field));
	if (l->autoconfig_https.enabled && !l->autoconfig_https.non_tls)
		strlist_add(c->a, &needs, S("AutoconfigHTTPS without NonTLS"));
	if (l->mtasts_https.enabled && !l->mtasts_https.non_tls)
		strlist_add(c->a, &needs, S("MTASTSHTTPS without NonTLS"));
	if (l->webserver_https.enabled)
		strlist_add(c->a, &needs, S("WebserverHTTPS"));
	if (needs.n) {
		struct str all = strlist_join(c->a, &needs, S(", "));

		config_errorf(c, NULL, "without TLS these services are not possible: " STRF, STRA(all));
	}
}

static void
check_tls(struct config_check *c, const struct config_static *s, struct config_tls *t)
{
	config_enter(c, S("TLS"));
	if (t->acme.n && t->key_certs.n)
		config_errorf(c, "ACME", "cannot be used together with KeyCerts");
	else if (t->acme.n == 0 && t->key_certs.n == 0)
		config_errorf(c, NULL, "either ACME or KeyCerts is needed");
	if (t->acme.n && !typedesc_map_find(typedesc_type(&config_static_desc, "ACME"), &s->acme, t->acme))
		config_errorf(c, "ACME", "there is no provider \"" STRF "\"", STRA(t->acme));
	config_enter(c, S("KeyCerts"));
	for (size_t i = 0; i < t->key_certs.n; i++) {
		t->key_certs.v[i].cert_file = config_path(c, t->key_certs.v[i].cert_file);
		t->key_certs.v[i].key_file = config_path(c, t->key_certs.v[i].key_file);
		config_enter_index(c, i);
		if (!(c->flags & (CONFIG_NO_KEYS | CONFIG_NO_TLS_FILES)))
			config_check_keycert(c, &t->key_certs.v[i]);
		config_leave(c, 1);
	}
	config_leave(c, 1);
	for (size_t i = 0; i < t->host_private_key_files.n; i++)
		t->host_private_key_files.v[i] = config_path(c, t->host_private_key_files.v[i]);
	if (!(c->flags & (CONFIG_NO_KEYS | CONFIG_NO_TLS_FILES)))
		config_check_host_keys(c, t);
	config_leave(c, 1);
}

static void
check_nat(struct config_check *c, const struct config_listener *l)
{
	struct ip ip;

	if (l->ips_nated && l->nat_ips.n)
		config_errorf(c, "IPsNATed", "cannot be used together with NATIPs");
	if (!config_check_ips(c, "NATIPs", &l->nat_ips))
		return;
	for (size_t i = 0; i < l->nat_ips.n; i++) {
		if (ip_parse(l->nat_ips.v[i], &ip) == 0 && (ip_is_loopback(&ip) || ip_is_unspecified(&ip)))
			config_errorf(c, "NATIPs", STRF " is not a public address", STRA(l->nat_ips.v[i]));
	}
}

static void
check_smtp(struct config_check *c, struct config_smtp *s)
{
	struct idna_domain d;

	config_enter(c, S("SMTP"));
	for (size_t i = 0; i < s->dnsbls.n; i++)
		if (config_check_domain(c, "DNSBLs", s->dnsbls.v[i], &d))
			s->dnsbls.v[i] = idna_text(&d, true);
	config_leave(c, 1);
}

/* Autoconfig and MTA-STS on one port are one server. */
static void
check_discovery(struct config_check *c, const struct config_listener *l)
{
	const struct config_discovery_https *a = &l->autoconfig_https, *m = &l->mtasts_https;

	if (a->enabled && m->enabled && a->port == m->port && a->non_tls != m->non_tls)
		config_errorf(c, "MTASTSHTTPS", "is on the port of AutoconfigHTTPS, so NonTLS must be the same for both");
}

static void
add_smtp_hostname(struct config_check *c, size_t *cap, const struct idna_domain *d)
{
	struct config_base *b = c->base;

	*CONFIG_PUSH(c->a, b->smtp_hostnames, b->nsmtp_hostnames, *cap) = *d;
}

static void
check_listener(struct config_check *c, struct config_static *s, struct config_listener *l, size_t *cap)
{
	struct idna_domain name;

	if (l->ips.n == 0)
		config_errorf(c, "IPs", "names no address");
	config_check_ips(c, "IPs", &l->ips);
	check_nat(c, l);
	if (l->hostname.n == 0) {
		l->hostname = s->hostname;
	} else if (config_check_domain(c, "Hostname", l->hostname, &name)) {
		l->hostname = idna_text(&name, true);
		if (l->smtp.enabled)
			add_smtp_hostname(c, cap, &name);
	}
	check_web_services(c, l);
	check_smtp(c, &l->smtp);
	check_discovery(c, l);
	if (l->tls)
		check_tls(c, s, l->tls);
	else
		check_without_tls(c, l);
}

/* Addresses to send from: those of SMTP listeners, if it is clear which one to take. */
static void
find_send_ips(struct config_check *c, const struct config_static *s)
{
	const struct typedesc *list = typedesc_type(&config_listener_desc, "IPs");
	struct typedesc_str_list ips = { 0 };
	unsigned v4 = 0, v6 = 0;
	struct ip ip;

	for (size_t i = 0; i < s->listeners.n; i++) {
		const struct config_listener *l = &s->listeners.v[i].v;

		for (size_t k = 0; l->smtp.enabled && k < l->ips.n; k++) {
			if (ip_parse(l->ips.v[k], &ip) < 0 || ip_is_unspecified(&ip))
				return;
			v4 += ip.family == 4;
			v6 += ip.family == 6;
			*(struct str *)typedesc_list_add(c->a, list, &ips) = l->ips.v[k];
		}
	}
	if (v4 <= 1 && v6 <= 1)
		c->base->send_ips = ips;
}

void
config_check_listeners(struct config_check *c, struct config_static *s)
{
	size_t cap = 0;

	add_smtp_hostname(c, &cap, &c->base->hostname);
	config_enter(c, S("Listeners"));
	if (s->listeners.n == 0)
		config_errorf(c, NULL, "there is none");
	for (size_t i = 0; i < s->listeners.n; i++) {
		config_enter(c, s->listeners.v[i].k);
		check_listener(c, s, &s->listeners.v[i].v, &cap);
		config_leave(c, 1);
	}
	config_leave(c, 1);
	find_send_ips(c, s);
}
