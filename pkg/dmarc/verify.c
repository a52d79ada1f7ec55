/* SPDX-License-Identifier: MIT */
/* verify.c - what SPF and DKIM say, held against the record: rfc/9989:1646 */
#include "base/randutil.h"
#include "base/timeutil.h"
#include "dmarc/dmarc_internal.h"
#include "metrics/metrics.h"
#include "publicsuffix/publicsuffix.h"

static struct metric metric_verify = METRICS_HISTOGRAM_INIT("mox_dmarc_verify_duration_seconds",
    "DMARC verify, including lookup, duration and result.", metrics_buckets_a, "status", "reject", "use");

const char *
dmarc_status_text(enum dmarc_status s)
{
	static const char *const text[] = { "none", "pass", "fail", "temperror", "permerror" };

	bug_if((size_t)s >= ARRAY_LEN(text));
	return text[s];
}

struct work {
	struct dmarc_walk walk;
	const struct dmarc_args *args;
	struct dmarc_result *res;
	struct str org; /* of the author domain; empty: not known yet */
};

/* Whether name is end or below it. */
static bool
is_under(struct str name, struct str end)
{
	return str_ends(name, end) && (name.n == end.n || name.p[name.n - end.n - 1] == '.');
}

/* 1 aligned, 0 not, or the error of a look-up. */
static int
is_aligned(struct work *w, struct str domain, bool strict)
{
	struct dmarc_tree tree;

	if (domain.n == 0)
		return 0;
	if (str_is(domain, w->args->from))
		return 1;
	/* Nobody signs for all who registered below a suffix. */
	if (strict || publicsuffix_is(domain))
		return 0;
	if (w->org.n == 0) {
		TRY(dmarc_walk_up(&w->walk, w->args->from, &tree));
		w->org = tree.org;
	}
	/* Its organisation is a part of the name, so most need no look-ups. */
	if (!is_under(domain, w->org))
		return 0;
	TRY(dmarc_walk_up(&w->walk, domain, &tree));
	return str_is(tree.org, w->org);
}

static void
check_spf(struct work *w, bool *trouble)
{
	int rv;

	if (w->args->spf == SPF_TEMPERROR)
		*trouble = true;
	if (w->args->spf != SPF_PASS)
		return;
	rv = is_aligned(w, w->args->spf_domain, w->res->found.record.strict_spf);
	*trouble |= rv < 0;
	w->res->aligned_spf = rv == 1;
}

static void
check_dkim(struct work *w, bool *trouble)
{
	for (size_t i = 0; i < w->args->ndkim && !w->res->aligned_dkim; i++) {
		const struct dkim_result *d = &w->args->dkim[i];
		int rv;

		if (d->status == DKIM_TEMPERROR)
			*trouble = true;
		if (d->status != DKIM_PASS || !d->has_signature)
			continue;
		rv = is_aligned(w, d->sig.domain, w->res->found.record.strict_dkim);
		*trouble |= rv < 0;
		w->res->aligned_dkim = rv == 1;
		if (rv == 1)
			w->res->dkim_domain = d->sig.domain;
	}
}

/* Existence, by an answer about the name itself: rfc/9989:523 */
static bool
is_missing(struct work *w)
{
	struct dns_result res;

	return dns_lookup(w->walk.r, w->walk.a, w->walk.ctx, DNS_A, w->args->from, 0, &res, NULL) == DNS_NOTFOUND &&
	    res.nxdomain;
}

/* rfc/9989:1308 */
static enum dmarc_policy
choose_policy(struct work *w)
{
	const struct dmarc_record *r = &w->res->found.record;
	enum dmarc_policy policy = r->p;

	if (!w->res->found.from_parent)
		return policy;
	if (r->sp != DMARC_ABSENT)
		policy = r->sp;
	if (r->np != DMARC_ABSENT && r->np != policy) {
		w->res->author_missing = is_missing(w);
		if (w->res->author_missing)
			policy = r->np;
	}
	return policy;
}

static void
apply_policy(struct work *w)
{
	struct dmarc_result *res = w->res;
	const struct dmarc_record *r = &res->found.record;

	res->policy = choose_policy(w);
	if (res->status == DMARC_STATUS_FAIL && w->args->apply_pct && r->pct < 100)
		res->sampled_out = rand_below(100) >= r->pct;
	if ((r->testing || res->sampled_out) && res->policy > DMARC_NONE)
		res->policy--;
	res->use = !res->sampled_out;
	res->reject = res->status == DMARC_STATUS_FAIL && res->policy > DMARC_NONE && !r->testing && !res->sampled_out;
}

static void
evaluate(struct work *w)
{
	bool trouble = false;

	dmarc_find(&w->walk, w->args->from, &w->res->found);
	w->res->status = w->res->found.status;
	if (!w->res->found.found)
		return;
	check_spf(w, &trouble);
	check_dkim(w, &trouble);
	if (w->res->aligned_spf || w->res->aligned_dkim)
		w->res->status = DMARC_STATUS_PASS;
	else
		w->res->status = trouble ? DMARC_STATUS_TEMPERROR : DMARC_STATUS_FAIL;
	apply_policy(w);
	w->res->found.authentic = w->walk.authentic;
}

void
dmarc_verify(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct dmarc_args *args,
    struct dmarc_result *r_result)
{
	int64_t start = time_mono_us();
	struct work w = { .walk = { .r = r, .a = a, .ctx = ctx, .authentic = true }, .args = args, .res = r_result };

	*r_result = (struct dmarc_result){ 0 };
	evaluate(&w);
	metrics_observe(&metric_verify, (double)(time_mono_us() - start) / 1e6, dmarc_status_text(r_result->status),
	    r_result->reject ? "yes" : "no", r_result->use ? "yes" : "no", NULL);
}
