/* SPDX-License-Identifier: MIT */
/* mtasts.c - looking records up and fetching policies. */
#include "mtasts/mtasts.h"

#include "base/timeutil.h"
#include "metrics/metrics.h"

static struct metric metric_get = METRICS_HISTOGRAM_INIT("mox_mtasts_get_duration_seconds",
    "MTA-STS get of policy, including lookup, duration and result.", metrics_buckets_a30, "result");

const char *
mtasts_reason(int err)
{
	switch (err) {
	case MTASTS_NORECORD: return "no-mta-sts-dns-txt-record";
	case MTASTS_MULTIPLE: return "multiple-mta-sts-records";
	case MTASTS_RECORD_SYNTAX: return "record-syntax-error";
	case MTASTS_DNS: return "dns-lookup";
	case MTASTS_NOPOLICY: return "no-policy-served";
	case MTASTS_FETCH: return "cannot-fetch-policy";
	case MTASTS_POLICY_SYNTAX: return "policy-syntax-error";
	default: return "";
	}
}

int
mtasts_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain, struct str *r_txt,
    struct mtasts_record *r_record, bool *r_authentic, struct errmsg *e)
{
	struct str name = str_cat(a, S("_mta-sts."), domain);
	struct errmsg why = { 0 };
	struct dns_result res;
	size_t n = 0;
	int rv = dns_lookup(r, a, ctx, DNS_TXT, name, 0, &res, e), syntax = 0;

	*r_txt = S("");
	*r_authentic = res.authentic;
	if (rv == DNS_NOTFOUND || rv == DNS_BADNAME)
		return MTASTS_NORECORD;
	if (rv < 0)
		return ctx_check(ctx) < 0 ? rv : MTASTS_DNS;
	for (size_t i = 0; i < res.n; i++) {
		struct mtasts_record record;
		bool is_sts;
		int parsed = mtasts_parse_record(a, res.v[i].text, &record, &is_sts, &why);

		if (!is_sts) {
			why = (struct errmsg){ 0 };
			continue;
		}
		n++;
		*r_txt = res.v[i].text;
		if (parsed < 0)
			syntax = parsed;
		else
			*r_record = record;
	}
	if (n == 0)
		return err_set(e, MTASTS_NORECORD, "no MTA-STS record at " STRF, STRA(name));
	if (n > 1)
		return err_set(e, MTASTS_MULTIPLE, "%zu MTA-STS records at " STRF, n, STRA(name));
	if (syntax < 0)
		return err_set(e, MTASTS_RECORD_SYNTAX, "MTA-STS record: %s", why.text);
	return 0;
}

static int
fetch_policy(struct fetcher *f, struct arena *a, const struct ctx *ctx, struct str domain, struct fetch_response *res,
    struct errmsg *e)
{
	struct fetch_request q = {
		.url = str_fmt(a, "https://mta-sts." STRF "/.well-known/mta-sts.txt", STRA(domain)),
		.max_body = MTASTS_MAX_POLICY,
		.https_only = true,     /* and no redirects: rfc/8461:549 */
	};
	int rv = fetch(f, a, ctx, &q, res, e);

	if (rv == FETCH_NOHOST || (res->status == 404 && (rv == 0 || rv == FETCH_TOOLARGE)))
		return err_set(e, MTASTS_NOPOLICY, "no policy is served (404)");
	if (rv == FETCH_TOOLARGE && res->status == 200)
		return MTASTS_POLICY_SYNTAX;
	if (rv < 0)
		return MTASTS_FETCH;
	if (res->status != 200)
		return err_set(e, MTASTS_FETCH, "status %d instead of a policy", res->status);
	return 0;
}

int
mtasts_fetch(struct fetcher *f, struct arena *a, const struct ctx *ctx, struct str domain, struct mtasts_policy *r_policy,
    struct str *r_text, struct mtasts_failure *r_failure, struct errmsg *e)
{
	struct ctx minute = ctx_within(ctx, TIME_MIN);  /* rfc/8461:570 */
	struct fetch_response res = { 0 };
	struct errmsg why = { 0 };
	int rv = fetch_policy(f, a, &minute, domain, &res, e);

	*r_failure = (struct mtasts_failure){ res.status, res.verify_error };
	*r_text = S("");
	if (rv < 0)
		return ctx_check(ctx) == ERR_CANCELED ? ERR_CANCELED : rv;
	/* The media type is not looked at, though rfc/8461:367 would: many serve another, and HTML is no policy anyway. */
	*r_text = res.body;
	if (mtasts_parse_policy(a, res.body, r_policy, &why) < 0)
		return err_set(e, MTASTS_POLICY_SYNTAX, "MTA-STS policy: %s", why.text);
	return 0;
}

static int
get(struct dns_resolver *r, struct fetcher *f, struct arena *a, const struct ctx *ctx, struct str domain,
    struct mtasts_result *res, const char **r_label, struct errmsg *e)
{
	*r_label = "lookuperror";
	TRY(mtasts_lookup(r, a, ctx, domain, &res->txt, &res->record, &res->authentic, e));
	res->has_record = true;
	*r_label = "fetcherror";
	TRY(mtasts_fetch(f, a, ctx, domain, &res->policy, &res->text, &res->failure, e));
	*r_label = "ok";
	return 0;
}

int
mtasts_get(struct dns_resolver *r, struct fetcher *f, struct arena *a, const struct ctx *ctx, struct str domain,
    struct mtasts_result *r_result, struct errmsg *e)
{
	int64_t start = time_mono_us();
	const char *label;
	int rv;

	*r_result = (struct mtasts_result){ 0 };
	rv = get(r, f, a, ctx, domain, r_result, &label, e);
	metrics_observe(&metric_get, (double)(time_mono_us() - start) / 1e6, label, NULL);
	return rv;
}
