/* SPDX-License-Identifier: MIT */
/* lookup.c - where the records of a service are, and a connection to it. */
#include <poll.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/fd.h"
#include "base/limits.h"
#include "dane/dane_internal.h"

int
dane_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, uint16_t port, struct str base,
    struct dane_record **r_v, size_t *r_n, struct errmsg *e)
{
	struct str name = str_fmt(a, "_%u._tcp." STRF, port, STRA(base));
	struct dns_result res;
	struct dane_record *v;
	int rv = dns_lookup(r, a, ctx, DNS_TLSA, name, 0, &res, e);

	if (rv == DNS_NOTFOUND || rv == DNS_BADNAME)
		return DANE_NORECORDS;
	if (rv < 0)
		return rv;
	/* Every CNAME on the way counts: rfc/7672:987 */
	if (!res.authentic)
		return err_set(e, DANE_INSECURE, "TLSA records at " STRF " are not protected by DNSSEC", STRA(name));
	v = ARENA_NEWN(a, res.n, struct dane_record);
	for (size_t i = 0; i < res.n; i++)
		v[i] = (struct dane_record){ res.v[i].usage, res.v[i].selector, res.v[i].matching, res.v[i].data };
	*r_v = v;
	*r_n = res.n;
	return 0;
}

/* The name at the end of the CNAMEs of a host. */
static int
expand(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct dane_service *s, struct errmsg *e)
{
	s->expanded = s->host;
	s->authentic = true;
	for (unsigned i = 0; i < DANE_MAX_CNAMES; i++) {
		struct errmsg why = { 0 };
		struct dns_result res;
		int rv = dns_lookup(r, a, ctx, DNS_CNAME, s->expanded, DNS_NO_CNAME, &res, &why);

		if (rv < 0 && rv != DNS_NOTFOUND)
			return err_set(e, rv, "%s", why.text);
		/* A zone that is not signed has no records that count; its servers may choke on the question: rfc/7672:889 */
		if (i == 0 && !res.authentic)
			return err_set(e, DANE_INSECURE, STRF " is not protected by DNSSEC", STRA(s->host));
		s->authentic = s->authentic && res.authentic;
		if (rv == DNS_NOTFOUND)
			return 0;
		s->expanded = res.v[0].name;
	}
	return err_set(e, ERR_LIMIT, "too many CNAMEs from " STRF, STRA(s->host));
}

int
dane_find(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str host, uint16_t port,
    struct dane_service *r_service, struct errmsg *e)
{
	struct dane_service s = { .host = str_lower(a, str_ends(host, S(".")) ? str_upto(host, host.n - 1) : host) };
	struct errmsg why = { 0 };
	int rv = DANE_NORECORDS;

	TRY(expand(r, a, ctx, &s, e));
	s.base = s.authentic ? s.expanded : s.host;
	rv = dane_lookup(r, a, ctx, port, s.base, &s.records, &s.n, &why);
	if ((rv == DANE_NORECORDS || rv == DANE_INSECURE) && !str_is(s.base, s.host)) {
		why = (struct errmsg){ 0 };
		s.base = s.host;
		rv = dane_lookup(r, a, ctx, port, s.base, &s.records, &s.n, &why);
	}
	if (rv == DANE_NORECORDS)
		return err_set(e, rv, "no TLSA records for port %u of " STRF, port, STRA(s.host));
	if (rv < 0)
		return err_set(e, rv, "%s", why.text);
	s.names[s.nnames++] = s.base;
	if (!str_is(s.base, s.host))
		s.names[s.nnames++] = s.host;
	*r_service = s;
	return 0;
}

/* Tries addresses in order until one accepts. */
static int
connect_any(const struct ctx *ctx, const struct dane_dial_args *args, const struct dns_result *ips, struct dane_conn *c,
    struct errmsg *e)
{
	int64_t share = ctx->deadline_us ? (ctx->deadline_us - time_mono_us()) / (int64_t)ips->n : DANE_CONNECT_US;
	struct errmsg why = { 0 };
	int rv = ERR_IO;

	for (size_t i = 0; i < ips->n; i++) {
		struct ctx one = ctx_within(ctx, MAX(share, (int64_t)0));

		TRY(ctx_check(ctx));
		c->remote = (struct ipport){ ips->v[i].ip, args->port };
		why = (struct errmsg){ 0 };
		rv = args->connect(args->arg, &one, &c->remote, &c->fd, &why);
		if (rv == 0)
			return 0;
	}
	return err_set(
	    e, rv, "cannot connect to " STRF ": %s", STRA(c->service.expanded), why.text[0] ? why.text : err_text(rv));
}

static int
handshake(const struct ctx *ctx, struct dane_conn *c, struct errmsg *e)
{
	for (;;) {
		int n, want;

		ERR_clear_error();
		n = SSL_connect(c->ssl);
		if (n == 1)
			return 0;
		want = SSL_get_error(c->ssl, n);
		if (want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE) {
			int rv = ctx_poll(ctx, c->fd, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);

			if (rv < 0)
				return err_set(e, rv, "TLS handshake: %s", err_text(rv));
			continue;
		}
		if (c->handshake.seen && c->handshake.dane_error < 0)
			return err_set(e, c->handshake.dane_error, "%s", c->handshake.dane_problem.text);
		const char *reason = ERR_reason_error_string(ERR_peek_error());

		err_set(e, ERR_IO, "TLS handshake: %s", reason ? reason : "the connection was closed");
		ERR_clear_error();
		return ERR_IO;
	}
}

static int
start_tls(
    struct arena *a, const struct ctx *ctx, const struct dane_dial_args *args, struct dane_conn *c, struct errmsg *e)
{
	c->handshake = (struct dane_handshake){
		.a = a,
		.check = { c->service.records, c->service.n, args->usages, c->service.names, c->service.nnames,
		    args->roots, args->clock },
		.host = c->service.base,
		.require_dane = true,
	};
	fd_nonblock(c->fd, true);
	dane_ctx(args->tls);
	c->ssl = SSL_new(args->tls);
	bug_if(!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1);
	if (dane_attach(c->ssl, &c->handshake) < 0)
		return err_set(e, ERR_INVALID, STRF " is no name of a server", STRA(c->service.base));
	return handshake(ctx, c, e);
}

int
dane_dial(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct dane_dial_args *args,
    struct dane_conn *r_conn, struct errmsg *e)
{
	struct dane_record *usable;
	struct dns_result ips;
	size_t n;
	int rv;

	*r_conn = (struct dane_conn){ .fd = -1 };
	TRY(dane_find(r, a, ctx, args->host, args->port, &r_conn->service, e));
	dane_select(a, r_conn->service.records, r_conn->service.n, args->usages ? args->usages : DANE_ALL, &usable, &n);
	if (n == 0)
		return err_set(e, DANE_UNUSABLE, "none of %zu TLSA records is usable", r_conn->service.n);
	TRY(dns_lookup_ip(r, a, ctx, r_conn->service.expanded, args->family, &ips, e));
	rv = connect_any(ctx, args, &ips, r_conn, e);
	if (rv == 0)
		rv = start_tls(a, ctx, args, r_conn, e);
	if (rv < 0)
		dane_conn_done(r_conn);
	return rv;
}

void
dane_conn_done(struct dane_conn *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	fd_close(&c->fd);
}
