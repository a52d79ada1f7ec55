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

int
dns_lookup_ip(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str name, int family,
    struct dns_result *r_result, struct errmsg *e)
{
	struct dns_result v6 = { 0 };
	struct dns_record *all;
	int rv4, rv6;

	if (family != 0)
		return dns_lookup(r, a, ctx, family == 4 ? DNS_A : DNS_AAAA, name, 0, r_result, e);
	rv4 = dns_lookup(r, a, ctx, DNS_A, name, 0, r_result, e);
	rv6 = dns_lookup(r, a, ctx, DNS_AAAA, name, 0, &v6, rv4 < 0 ? NULL : e);
	r_result->authentic = r_result->authentic && v6.authentic;
	if (rv4 < 0 && rv6 < 0) {
		/* Of two failures the temporary one counts: the name may have addresses. */
		return dns_is_temporary(rv4) ? rv4 : rv6;
	}
	if (rv4 < 0 || rv6 < 0) {
		if (rv4 < 0) {
			v6.authentic = r_result->authentic;
			*r_result = v6;
		}
		return 0;
	}
	all = ARENA_NEWN(a, r_result->n + v6.n, struct dns_record);
	memcpy(all, r_result->v, r_result->n * sizeof(*all));
	memcpy(all + r_result->n, v6.v, v6.n * sizeof(*all));
	r_result->v = all;
	r_result->n += v6.n;
	r_result->ttl = MIN(r_result->ttl, v6.ttl);
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
