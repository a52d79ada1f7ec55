/* SPDX-License-Identifier: MIT */
/*
 * Where to deliver: hosts of a domain, addresses of a host, TLSA records.
 *
 * The resolver follows CNAMEs, and an answer that came through one is authentic only as a whole. Where it matters
 * whether at least the first step was (rfc/7672:684), the CNAME is asked for alone.
 */
#include "smtpclient/smtpclient_internal.h"

#include "idna/idna.h"

#define LOOKUP_US (30 * TIME_SEC)

static void
keep_extended(struct arena *a, const struct dns_result *res, int *r_error, struct str *r_text)
{
	*r_error = res->extended_error;
	*r_text = str_dup(a, res->extended_text);
}

/* first_authentic: by DNSSEC, was the answer, or at least the CNAME that led away from the name? */
static bool
first_authentic(
    struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str name, const struct dns_result *res)
{
	struct dns_result cname = { 0 };
	struct ctx op = ctx_within(ctx, LOOKUP_US);

	if (res->authentic || res->nsteps == 0)
		return res->authentic;
	return dns_lookup(r, a, &op, DNS_CNAME, name, DNS_NO_CNAME, &cname, NULL) == 0 && cname.authentic;
}

/* add_hosts takes the names of MX records that can be names of hosts. */
static void
add_hosts(struct arena *a, const struct dns_result *res, struct smtpclient_destinations *d)
{
	d->hosts = ARENA_NEWN(a, res->n, struct smtpclient_host);
	for (size_t i = 0; i < res->n; i++) {
		struct idna_domain name;

		if (res->v[i].name.n > 0 && idna_parse(a, res->v[i].name, IDNA_UNDERSCORE, &name, NULL) == 0)
			d->hosts[d->nhosts++] =
			    (struct smtpclient_host){ .name = name.ascii, .preference = res->v[i].preference };
	}
}

int
smtpclient_gather_destinations(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str next_hop,
    bool is_ip, struct smtpclient_destinations *r_d, struct errmsg *e)
{
	struct smtpclient_destinations d = { .expanded = next_hop, .extended_error = -1 };
	struct dns_result res = { .extended_error = -1 };
	struct ctx op = ctx_within(ctx, LOOKUP_US);

	if (is_ip) {
		d.hosts = ARENA_NEW(a, struct smtpclient_host);
		d.hosts[0] = (struct smtpclient_host){ .name = next_hop, .is_ip = true, .preference = -1 };
		d.nhosts = 1;
		*r_d = d;
		return 0;
	}
	int err = dns_lookup(r, a, &op, DNS_MX, next_hop, 0, &res, e);
	d.authentic = first_authentic(r, a, ctx, next_hop, &res);
	d.expanded_authentic = res.authentic;
	if (res.canonical.n > 0)
		d.expanded = res.canonical;
	if (err < 0 && err != DNS_NOTFOUND) {
		keep_extended(a, &res, &d.extended_error, &d.extended_text);
		d.permanent = err == DNS_BADNAME;
		*r_d = d;
		return err;
	}
	if (err == DNS_NOTFOUND) {
		/* Without MX the name itself is the host: rfc/5321:3842 */
		if (e)
			*e = (struct errmsg){ 0 };
		d.hosts = ARENA_NEW(a, struct smtpclient_host);
		d.hosts[0] = (struct smtpclient_host){ .name = d.expanded, .preference = -1 };
		d.nhosts = 1;
		*r_d = d;
		return 0;
	}
	d.have_mx = true;
	add_hosts(a, &res, &d);
	d.permanent = d.nhosts == 0;
	*r_d = d;
	if (res.n == 1 && res.v[0].name.n == 0)
		return err_set(e, ERR_INVALID, "domain does not accept mail, as its MX record says"); // rfc/7505:127
	return d.nhosts > 0 ? 0 : err_set(e, ERR_INVALID, "no MX record of the domain names a valid host");
}

static void
move_front(struct ip *v, size_t i)
{
	struct ip ip = v[i];

	memmove(v + 1, v, i * sizeof(*v));
	v[0] = ip;
}

/* order: what was dialed before decides, see the header. */
static void
order(struct smtpclient_ips *ips, const struct smtpclient_dialed *dialed)
{
	size_t same = 0;

	if (dialed == NULL || dialed->n == 0)
		return;
	const struct ip *last = &dialed->v[dialed->n - 1];
	for (size_t i = 0; i < dialed->n; i++)
		same += dialed->v[i].family == last->family;
	if (same == 1) {
		for (size_t i = 0; i < ips->n; i++) {
			if (ip_equal(&ips->v[i], last)) {
				move_front(ips->v, i);
				break;
			}
		}
	}
	/* Stable partition: those of the other family first. */
	size_t front = 0;
	for (size_t i = 0; i < ips->n; i++) {
		if (ips->v[i].family != last->family) {
			struct ip ip = ips->v[i];
			memmove(ips->v + front + 1, ips->v + front, (i - front) * sizeof(*ips->v));
			ips->v[front++] = ip;
		}
	}
}

int
smtpclient_gather_ips(struct dns_resolver *r, struct arena *a, const struct ctx *ctx,
    const struct smtpclient_host *host, int family, const struct smtpclient_dialed *dialed,
    struct smtpclient_ips *r_ips, struct errmsg *e)
{
	struct smtpclient_ips ips = { .expanded = host->name, .extended_error = -1 };
	struct dns_result res = { .extended_error = -1 };
	bool v4 = false, v6 = false;
	struct ip ip;

	if (host->is_ip) {
		if (ip_parse(host->name, &ip) < 0)
			return err_set(e, ERR_INVALID, "not an IP address");
		ips.v = ARENA_NEW(a, struct ip);
		ips.v[0] = ip;
		ips.n = 1;
		*r_ips = ips;
		return 0;
	}
	int err = dns_lookup_ip(r, a, ctx, host->name, family, &res, e);
	ips.authentic = first_authentic(r, a, ctx, host->name, &res);
	ips.expanded_authentic = res.authentic;
	if (res.canonical.n > 0)
		ips.expanded = res.canonical;
	if (err < 0) {
		keep_extended(a, &res, &ips.extended_error, &ips.extended_text);
		*r_ips = ips;
		return err;
	}
	ips.v = ARENA_NEWN(a, res.n, struct ip);
	for (size_t i = 0; i < res.n; i++) {
		ips.v[ips.n++] = res.v[i].ip;
		v4 = v4 || res.v[i].ip.family == 4;
		v6 = v6 || res.v[i].ip.family == 6;
	}
	ips.dual_stack = v4 && v6;
	order(&ips, dialed);
	*r_ips = ips;
	return 0;
}

/* usable: DANE-TA and DANE-EE only (rfc/7672:1302), with data that can match. */
static bool
usable(const struct dns_record *r)
{
	if ((r->usage != 2 && r->usage != 3) || r->selector > 1)
		return false;
	switch (r->matching) {
	case 0: {
		const unsigned char *p = (const unsigned char *)r->data.p;
		if (r->data.n > INT32_MAX)
			return false;
		if (r->selector == 0) {
			X509 *x = d2i_X509(NULL, &p, (long)r->data.n);
			X509_free(x);
			return x != NULL;
		}
		EVP_PKEY *k = d2i_PUBKEY(NULL, &p, (long)r->data.n);
		EVP_PKEY_free(k);
		return k != NULL;
	}
	case 1: return r->data.n == 32;
	case 2: return r->data.n == 64;
	default: return false;
	}
}

static int
lookup_tlsa(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str base, struct dns_result *res,
    struct errmsg *e)
{
	struct ctx op = ctx_within(ctx, LOOKUP_US);

	*res = (struct dns_result){ .extended_error = -1 };
	int err = dns_lookup(r, a, &op, DNS_TLSA, str_cat(a, S("_25._tcp."), base), 0, res, e);
	/* What is not proved to be theirs does not count, nor does its absence have to be proved. */
	if (err == 0 && !res->authentic)
		err = DNS_NOTFOUND;
	if (err == DNS_NOTFOUND && e)
		*e = (struct errmsg){ 0 };
	return err;
}

int
smtpclient_gather_tlsa(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str host,
    bool expanded_authentic, struct str expanded, struct smtpclient_tlsa *r_tlsa, struct errmsg *e)
{
	struct smtpclient_tlsa t = { .base = host, .extended_error = -1 };
	struct dns_result res;
	int err = DNS_NOTFOUND;

	if (expanded_authentic && expanded.n > 0 && !str_icase(expanded, host)) {
		err = lookup_tlsa(r, a, ctx, expanded, &res, e);
		if (err != DNS_NOTFOUND)
			t.base = expanded;
	}
	if (err == DNS_NOTFOUND)
		err = lookup_tlsa(r, a, ctx, host, &res, e);
	if (err == DNS_NOTFOUND || err == DNS_BADNAME) {
		*r_tlsa = t;
		return 0;
	}
	t.required = true;
	if (err < 0) {
		keep_extended(a, &res, &t.extended_error, &t.extended_text);
		*r_tlsa = t;
		return err;
	}
	struct dns_record *v = ARENA_NEWN(a, res.n, struct dns_record);
	for (size_t i = 0; i < res.n; i++)
		if (usable(&res.v[i]))
			v[t.n++] = res.v[i];
	t.v = v;
	t.found = res.n > 0;
	*r_tlsa = t;
	return 0;
}

static void
add_name(struct arena *a, struct strlist *l, struct str name)
{
	if (name.n > 0 && !strlist_ihas(l, name))
		strlist_add(a, l, name);
}

void
smtpclient_tlsa_names(struct arena *a, bool have_mx, bool expanded_nexthop_authentic, bool expanded_base_authentic,
    struct str nexthop, struct str expanded_nexthop, struct str host, struct str base, struct strlist *r_names)
{
	*r_names = (struct strlist){ 0 };
	if (!have_mx) {
		add_name(a, r_names, base);
		if (expanded_base_authentic)
			add_name(a, r_names, host);
	} else if (expanded_nexthop_authentic) {
		add_name(a, r_names, base);
		add_name(a, r_names, host);
		add_name(a, r_names, nexthop);
		add_name(a, r_names, expanded_nexthop);
	} else {
		add_name(a, r_names, nexthop);
	}
}
