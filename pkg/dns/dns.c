/* SPDX-License-Identifier: MIT */
/* dns.c - what is the same for every resolver: look-ups of addresses and reverse names. */
#include "base/buf.h"
#include "dns/dns.h"

bool
dns_is_temporary(int err)
{
	return err < 0 && err != DNS_NOTFOUND && err != DNS_BADNAME;
}

int
dns_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, enum dns_type type, struct str name, unsigned flags,
    struct dns_result *r_result, struct errmsg *e)
{
	*r_result = (struct dns_result){ .canonical = name, .extended_error = -1 };
	return r->lookup(r, a, ctx, type, name, flags, r_result, e);
}

static int
failed(const struct dns_outcome *o, struct dns_result *r_result, struct errmsg *e)
{
	*r_result = o->result;
	return err_set(e, o->rv, "%s", o->e.text);
}

int
dns_lookup_ip(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str name, int family,
    struct dns_result *r_result, struct errmsg *e)
{
	struct dns_outcome out[2] = { 0 };
	struct dns_record *all;
	size_t n;

	if (family != 0)
		return dns_lookup(r, a, ctx, family == 4 ? DNS_A : DNS_AAAA, name, 0, r_result, e);
	if (r->lookup_both) {
		r->lookup_both(r, a, ctx, name, out);
	} else {
		out[0].rv = dns_lookup(r, a, ctx, DNS_A, name, 0, &out[0].result, &out[0].e);
		out[1].rv = dns_lookup(r, a, ctx, DNS_AAAA, name, 0, &out[1].result, &out[1].e);
	}
	for (int i = 0; i < 2; i++)
		out[i].result.authentic = out[0].result.authentic && out[1].result.authentic;
	/* Of two failures the temporary one counts: the name may have addresses. */
	if (out[0].rv < 0 && out[1].rv < 0)
		return failed(&out[dns_is_temporary(out[0].rv) ? 0 : 1], r_result, e);
	if (out[0].rv < 0 || out[1].rv < 0) {
		*r_result = out[out[0].rv < 0 ? 1 : 0].result;
		return 0;
	}
	n = out[0].result.n + out[1].result.n;
	all = ARENA_NEWN(a, n, struct dns_record);
	memcpy(all, out[0].result.v, out[0].result.n * sizeof(*all));
	memcpy(all + out[0].result.n, out[1].result.v, out[1].result.n * sizeof(*all));
	*r_result = out[0].result;
	r_result->v = all;
	r_result->n = n;
	r_result->ttl = MIN(out[0].result.ttl, out[1].result.ttl);
	return 0;
}

struct str
dns_reverse(struct arena *a, const struct ip *ip, struct str zone)
{
	static const char hex[] = "0123456789abcdef";
	struct buf b = BUF_ARENA(a, 512);

	if (ip->family == 4) {
		for (int i = 3; i >= 0; i--)
			buf_addf(&b, "%u.", ip->a[i]);
	} else {
		for (int i = 15; i >= 0; i--)
			buf_addf(&b, "%c.%c.", hex[ip->a[i] & 15], hex[ip->a[i] >> 4]);
	}
	buf_add(&b, zone);
	return buf_str(&b);
}

int
dns_lookup_ptr(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct ip *ip, struct dns_result *r_result,
    struct errmsg *e)
{
	struct str name = dns_reverse(a, ip, ip->family == 4 ? S("in-addr.arpa") : S("ip6.arpa"));

	return dns_lookup(r, a, ctx, DNS_PTR, name, 0, r_result, e);
}
