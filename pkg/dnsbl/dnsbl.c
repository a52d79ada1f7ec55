/* SPDX-License-Identifier: MIT */
#include "dnsbl/dnsbl.h"

#include "base/timeutil.h"
#include "metrics/metrics.h"

static struct metric metric_lookup = METRICS_HISTOGRAM_INIT("mox_dnsbl_lookup_duration_seconds", "DNSBL lookup.",
    metrics_buckets_a30, "zone", "status");

const char *
dnsbl_status_text(enum dnsbl_status s)
{
	static const char *const text[] = { "pass", "fail", "temperror" };

	bug_if((size_t)s >= ARRAY_LEN(text));
	return text[s];
}

/* The reason for a code by which a list refuses to answer, NULL for others. Numbers as Spamhaus has them. */
static const char *
refusal(const struct ip *ip)
{
	if (ip->a[0] != 127)
		return "answers with an address outside 127.0.0.0/8: is the zone still a list?";
	if (ip->a[1] != 255 || ip->a[2] != 255)
		return NULL;
	switch (ip->a[3]) {
	case 252: return "says that its name is mistyped";
	case 254: return "does not answer public resolvers: use one of your own";
	case 255: return "says that too much is asked";
	default: return "refuses to answer";
	}
}

static void
explain(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str name, struct dnsbl_result *res)
{
	struct strlist texts = { 0 };
	struct dns_result txt;

	/* Listed it is anyway. */
	if (dns_lookup(r, a, ctx, DNS_TXT, name, 0, &txt, NULL) < 0)
		return;
	for (size_t i = 0; i < txt.n; i++)
		strlist_add(a, &texts, txt.v[i].text);
	res->explanation = strlist_join(a, &texts, S("; "));
}

static void
lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str zone, const struct ip *ip,
    struct dnsbl_result *res)
{
	struct str name = dns_reverse(a, ip, zone);
	struct errmsg e = { 0 };
	struct dns_result found;
	int rv = dns_lookup(r, a, ctx, DNS_A, name, 0, &found, &e);

	res->status = rv == DNS_NOTFOUND ? DNSBL_PASS : DNSBL_TEMPERROR;
	if (rv < 0) {
		if (rv != DNS_NOTFOUND)
			res->problem = str_dup(a, str_of(e.text));
		return;
	}
	res->codes = ARENA_NEWN(a, found.n, struct ip);
	for (size_t i = 0; i < found.n; i++) {
		const char *why = refusal(&found.v[i].ip);

		if (why) {
			res->refused = true;
			res->problem = str_fmt(a, STRF " %s (" STRF ")", STRA(zone), why, STRA(ip_str(a, &found.v[i].ip)));
		} else {
			res->codes[res->ncodes++] = found.v[i].ip;
		}
	}
	if (res->refused)
		return;
	res->status = DNSBL_FAIL;
	explain(r, a, ctx, name, res);
}

void
dnsbl_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str zone, const struct ip *ip,
    struct dnsbl_result *r_result)
{
	int64_t start = time_mono_us();
	const char *label = str_z(a, zone);

	*r_result = (struct dnsbl_result){ 0 };
	lookup(r, a, ctx, zone, ip, r_result);
	metrics_observe(&metric_lookup, (double)(time_mono_us() - start) / 1e6, label ? label : "",
	    dnsbl_status_text(r_result->status), NULL);
}

int
dnsbl_check_health(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str zone, struct errmsg *e)
{
	for (uint8_t last = 1; last <= 2; last++) {
		struct ip ip = { .family = 4, .a = { 127, 0, 0, last } };
		enum dnsbl_status want = last == 1 ? DNSBL_PASS : DNSBL_FAIL;
		struct dnsbl_result res;

		dnsbl_lookup(r, a, ctx, zone, &ip, &res);
		/* A list that refuses us is of no use, but may be sound. */
		if (res.status == DNSBL_TEMPERROR)
			return err_set(e, DNS_TEMPORARY, "127.0.0.%u: " STRF, last, STRA(str_log(a, res.problem, 200)));
		if (res.status != want)
			return err_set(e, ERR_INVALID, last == 1 ? "127.0.0.1 is listed, as probably everything is" :
			    "127.0.0.2 is not listed: the list is empty, or none");
	}
	return 0;
}
