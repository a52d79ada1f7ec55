/* SPDX-License-Identifier: MIT */
#include "iprev/iprev.h"

#include "base/timeutil.h"
#include "metrics/metrics.h"

static struct metric metric_lookup = METRICS_HISTOGRAM_INIT("mox_iprev_lookup_total", "Number of iprev lookups.",
    metrics_buckets_a30, "status");

const char *
iprev_status_text(enum iprev_status s)
{
	static const char *const text[] = { "pass", "fail", "temperror", "permerror" };

	bug_if((size_t)s >= ARRAY_LEN(text));
	return text[s];
}

/* Whether a name has the address. Returns what dns_lookup does. */
static int
leads_back(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str name, const struct ip *ip,
    struct iprev_result *res, bool *r_found, struct errmsg *e)
{
	struct dns_result addresses;
	int rv = dns_lookup(r, a, ctx, ip->family == 6 ? DNS_AAAA : DNS_A, name, 0, &addresses, e);

	res->authentic = res->authentic && addresses.authentic;
	for (size_t i = 0; rv == 0 && i < addresses.n; i++)
		*r_found = *r_found || ip_equal(&addresses.v[i].ip, ip);
	return rv;
}

static void
lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct ip *ip, struct iprev_result *res)
{
	struct errmsg e = { 0 };
	struct dns_result ptr;
	int rv = dns_lookup_ptr(r, a, ctx, ip, &ptr, &e);

	res->authentic = ptr.authentic;
	res->status = IPREV_PERMERROR;
	if (rv < 0 && dns_is_temporary(rv))
		res->status = IPREV_TEMPERROR;
	if (rv == 0)
		res->status = IPREV_FAIL;
	for (size_t i = 0; rv == 0 && i < ptr.n; i++)
		strlist_add(a, &res->names, ptr.v[i].name);
	for (size_t i = 0; i < res->names.n && i < IPREV_MAX_NAMES; i++) {
		bool found = false;

		if (dns_is_temporary(leads_back(r, a, ctx, res->names.v[i], ip, res, &found, &e)))
			res->status = IPREV_TEMPERROR;
		if (found) {
			res->status = IPREV_PASS;
			res->name = res->names.v[i];
			break;
		}
	}
	if (res->status == IPREV_TEMPERROR)
		res->problem = str_dup(a, str_of(e.text));
}

void
iprev_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct ip *ip, struct iprev_result *r_result)
{
	int64_t start = time_mono_us();

	*r_result = (struct iprev_result){ 0 };
	lookup(r, a, ctx, ip, r_result);
	metrics_observe(&metric_lookup, (double)(time_mono_us() - start) / 1e6, iprev_status_text(r_result->status), NULL);
}
