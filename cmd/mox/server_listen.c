/* SPDX-License-Identifier: MIT */
/* server_listen.c - from the listeners of mox.conf to bound sockets with their protocol, TLS context and limits. */
#include <openssl/x509v3.h>

#include "server.h"
#include "tls/tls.h"

/* How one service uses TLS. */
struct tls_use {
	const char *alpn;
	bool tickets, client_keys;
};

/* Contexts for one use of a listener's certificates: one per certificate, chosen by server name; the first is the default. */
struct tls_set {
	struct tls_set *next;
	const struct config_tls *config;        /* to compare, while server_listen runs */
	struct tls_use use;
	struct tls_ctx *v[16];
	size_t n;
};

/* In the server's arena: lives as long as the connections, whose listener argument points into it. */
struct server_listener {
	struct smtpserver_listener smtp;
	struct imapserver_listener imap;
};

void
server_tls_free(struct server *s)
{
	for (struct tls_set *t = s->tls; t; t = t->next)
		for (size_t i = 0; i < t->n; i++)
			tls_ctx_unref(&t->v[i]);
	s->tls = NULL;
}

static struct tls_ctx *
by_name(void *arg, struct str name)
{
	const struct tls_set *set = arg;

	for (size_t i = 0; i < set->n; i++)
		if (X509_check_host(SSL_CTX_get0_certificate(tls_ctx_raw(set->v[i])), name.p, name.n, 0, NULL) == 1)
			return tls_ctx_ref(set->v[i]);
	return NULL;
}

static bool
same_use(const struct tls_use *a, const struct tls_use *b)
{
	return strcmp(a->alpn, b->alpn) == 0 && a->tickets == b->tickets && a->client_keys == b->client_keys;
}

/* make_tls finds or makes the contexts. Making one takes a millisecond or two, and a start is to be quick. */
static int
make_tls(struct server *s, const char *name, const struct config_tls *t, const struct tls_use *use, struct tls_ctx **r_ctx,
    struct errmsg *e)
{
	const struct tls_set *same = NULL;
	struct tls_set *set;
	struct tls_ctx_opts o = {
		.alpn = use->alpn, .tickets = use->tickets, .request_client_cert = use->client_keys && !t->client_auth_disabled,
		.min_version = t->min_version == CONFIG_TLS_VERSION_TLS1_3 ? TLS1_3_VERSION : TLS1_2_VERSION,
	};

	if (t->key_certs.n == 0)
		return err_set(e, ERR_UNSUPPORTED, "listener %s: TLS needs certificates from files (KeyCerts)", name);
	if (o.request_client_cert) {
		o.verify_key = auth_key_verify;
		o.verify_arg = s->auth;
	}
	for (set = s->tls; set; set = set->next) {
		if (set->config == t && same_use(&set->use, use)) {
			*r_ctx = set->v[0];
			return 0;
		}
		if (set->config == t)
			same = set;
	}
	set = ARENA_NEW(&s->arena, struct tls_set);
	*set = (struct tls_set){ .next = s->tls, .config = t, .use = *use };
	s->tls = set;
	for (size_t i = 0; i < t->key_certs.n && i < ARRAY_LEN(set->v); i++) {
		const struct config_key_cert *k = &t->key_certs.v[i];

		o.same_cert = same ? same->v[i] : NULL;
		o.cert_file = str_dup(&s->arena, k->cert_file).p;
		o.key_file = str_dup(&s->arena, k->key_file).p;
		o.by_name = i == 0 && t->key_certs.n > 1 ? by_name : NULL;
		o.by_name_arg = set;
		TRY(tls_ctx_new(&o, &set->v[i], e));
		set->n = i + 1;
	}
	*r_ctx = set->v[0];
	return 0;
}

/* What to bind: filled per service, then used for each address of the listener. */
struct service {
	const char *what;               /* "smtp", for logs and metrics */
	int64_t port;
	const struct conn_proto *proto;
	void *arg;
	bool (*refuse)(void *arg, const struct ip *remote);
	bool tls, implicit;
	struct tls_use use;
};

static int
bind_service(struct server *s, const char *name, const struct config_listener *l, const struct service *v, struct errmsg *e)
{
	const struct config_rate_limits *r = &l->rate_limits;
	struct conn_listener_opts o = {
		.name = str_fmt(&s->arena, "%s-%s", name, v->what).p, .proto = v->proto, .arg = v->arg, .implicit_tls = v->implicit, .refuse = v->refuse,
		.limits = {
			.enabled = !r->disabled,
			.exempt_loopback = s->opts->exempt_loopback && !r->loopback,
		},
	};

	for (unsigned i = 0, factor = 1; i < 3; i++, factor *= 3) {
		o.limits.rate[i] = (unsigned)MIN(r->connections_per_minute, INT64_C(100000000)) * factor;
		o.limits.open[i] = (unsigned)MIN(r->connections, INT64_C(100000000)) * factor;
	}
	if (v->tls && l->tls)
		TRY(make_tls(s, name, l->tls, &v->use, &o.tls, e));
	for (size_t i = 0; i < l->ips.n; i++) {
		struct ipport addr = { .port = (uint16_t)v->port };
		struct str text;
		int fd = -1;

		if (ip_parse(l->ips.v[i], &addr.ip) < 0)
			return err_set(e, ERR_INVALID, "listener %s: \"" STRF "\" is no address", name, STRA(l->ips.v[i]));
		TRY(conn_listen_socket(&addr, &fd, e));
		TRY(conn_server_listen(s->conns, fd, &o, e));
		text = ipport_str(&s->arena, &addr);
		log_debug(&s->log, "listening", log_z("service", v->what), log_s("address", text));
	}
	return 0;
}

static int
listen_smtp(struct server *s, const char *name, const struct config *cfg, const struct config_listener *l, struct service v,
    bool submission, bool no_require_starttls, struct errmsg *e)
{
	struct server_listener *sl = ARENA_NEW(&s->arena, struct server_listener);
	struct smtpserver_listener *m = &sl->smtp;

	m->server = s->smtp;
	m->hostname = cfg->hostname;
	if (l->hostname.n > 0)
		TRY(idna_parse(&s->arena, l->hostname, 0, &m->hostname, e));
	m->hostname = idna_dup(&s->arena, &m->hostname);
	m->submission = submission;
	m->max_message_size = l->smtp_max_message_size;
	m->no_starttls = !submission && l->smtp.no_starttls;
	m->require_starttls = !submission && l->smtp.require_starttls;
	m->no_require_starttls = no_require_starttls;
	m->no_require_tls = l->smtp.no_require_tls;
	m->client_auth_disabled = l->tls && l->tls->client_auth_disabled;
	v.proto = &smtpserver_proto;
	v.arg = m;
	v.tls = !m->no_starttls;
	v.refuse = submission ? smtpserver_refuse : NULL;
	v.use = (struct tls_use){ "smtp",
		submission || !(l->smtp.tls_session_tickets_disabled && *l->smtp.tls_session_tickets_disabled), submission };
	return bind_service(s, name, l, &v, e);
}

static int
listen_imap(struct server *s, const char *name, const struct config_listener *l, struct service v, struct errmsg *e)
{
	struct server_listener *sl = ARENA_NEW(&s->arena, struct server_listener);

	sl->imap.server = s->imap;
	sl->imap.no_require_starttls = l->imap.no_require_starttls;
	sl->imap.client_auth_disabled = l->tls && l->tls->client_auth_disabled;
	v.proto = &imapserver_proto;
	v.arg = &sl->imap;
	v.tls = true;
	v.refuse = imapserver_refuse;
	v.use = (struct tls_use){ "imap", true, true };
	return bind_service(s, name, l, &v, e);
}

static int
listen_http(struct server *s, const char *name, const struct config_listener *l, struct service v, struct http_server *pages,
    struct errmsg *e)
{
	v.proto = &http_proto;
	v.arg = pages;
	v.tls = v.implicit;
	v.use = (struct tls_use){ "http/1.1", true, false };
	return bind_service(s, name, l, &v, e);
}

static int
listen_one(struct server *s, const struct config *cfg, const char *name, const struct config_listener *l, struct errmsg *e)
{
	if (l->smtp.enabled)
		TRY(listen_smtp(s, name, cfg, l, (struct service){ .what = "smtp", .port = l->smtp.port }, false, false, e));
	if (l->submission.enabled)
		TRY(listen_smtp(s, name, cfg, l, (struct service){ .what = "submission", .port = l->submission.port }, true,
		    l->submission.no_require_starttls, e));
	if (l->submissions.enabled)
		TRY(listen_smtp(s, name, cfg, l,
		    (struct service){ .what = "submissions", .port = l->submissions.port, .implicit = true }, true, false, e));
	if (l->imap.enabled)
		TRY(listen_imap(s, name, l, (struct service){ .what = "imap", .port = l->imap.port }, e));
	if (l->imaps.enabled)
		TRY(listen_imap(s, name, l, (struct service){ .what = "imaps", .port = l->imaps.port, .implicit = true }, e));
	if (s->opts->pages && l->account_http.enabled)
		TRY(listen_http(s, name, l, (struct service){ .what = "http", .port = l->account_http.port }, &s->pages, e));
	if (s->opts->pages && l->account_https.enabled)
		TRY(listen_http(s, name, l, (struct service){ .what = "https", .port = l->account_https.port, .implicit = true },
		    &s->pages, e));
	if (l->metrics_http.enabled)
		TRY(listen_http(s, name, l, (struct service){ .what = "metrics", .port = l->metrics_http.port }, &s->metrics, e));
	return 0;
}

int
server_listen(struct server *s, struct errmsg *e)
{
	static const struct http_route metrics[] = { { "/metrics", http_metrics }, { 0 } };
	cleanup_(config_unref) struct config *cfg = config_current(s->live);

	s->pages = (struct http_server){ s->opts->pages, s };
	s->metrics = (struct http_server){ metrics, s };
	for (size_t i = 0; i < cfg->fixed->listeners.n; i++)
		TRY(listen_one(s, cfg, str_dup(&s->arena, cfg->fixed->listeners.v[i].k).p, &cfg->fixed->listeners.v[i].v, e));
	return 0;
}
