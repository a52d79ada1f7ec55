/* SPDX-License-Identifier: MIT */
/*
 * spf.c - look-up and evaluation: check_host() of rfc/7208:749.
 *
 * Inside, SPF_NONE stands for "go on"; a result that ends evaluation is any other status. Names that cannot be in DNS
 * (empty or long labels, from macros) do not match: rfc/7208:1049 leaves it open, and a permanent error would punish
 * mail for what its sender put into a localpart.
 */
#include <stdarg.h>

#include "metrics/metrics.h"
#include "spf/spf_internal.h"
#include "base/timeutil.h"

static struct metric metric_verify = METRICS_HISTOGRAM_INIT(
    "mox_spf_verify_duration_seconds", "SPF verify, including lookup, duration and result.", metrics_buckets_a, "status");

const char *
spf_status_text(enum spf_status s)
{
	static const char *const text[] = { "none", "neutral", "pass", "fail", "softfail", "temperror", "permerror" };

	bug_if((size_t)s >= ARRAY_LEN(text));
	return text[s];
}

enum spf_status
spf_fail_with(struct spf_eval *e, enum spf_status s, const char *fmt, ...)
{
	struct errmsg m = { 0 };
	va_list ap;

	va_start(ap, fmt);
	ignore_result(vsnprintf(m.text, sizeof(m.text), fmt, ap) < 0);
	va_end(ap);
	if (e->problem.text[0] == '\0')
		e->problem = m;
	return s;
}

bool
spf_valid_name(struct str name)
{
	if (name.n == 0 || name.n > 253)
		return false;
	while (name.n > 0) {
		struct str label = str_split(&name, '.');

		if (label.n == 0 || label.n > 63)
			return false;
	}
	return true;
}

enum spf_status
spf_count_term(struct spf_eval *e)
{
	if (++e->terms > SPF_MAX_TERMS)
		return spf_fail_with(e, SPF_PERMERROR, "more than %d terms that need DNS", SPF_MAX_TERMS);
	return SPF_NONE;
}

enum spf_status
spf_ask(struct spf_eval *e, enum dns_type type, struct str name, struct dns_result *r_result, bool *r_found)
{
	struct errmsg m = { 0 };
	int rv;

	*r_found = false;
	if (!spf_valid_name(name))
		return SPF_NONE;
	rv = dns_lookup(e->resolver, e->a, e->ctx, type, name, 0, r_result, &m);
	e->authentic = e->authentic && r_result->authentic;
	if (rv == 0) {
		*r_found = true;
		return SPF_NONE;
	}
	if (dns_is_temporary(rv))
		return spf_fail_with(e, SPF_TEMPERROR, "%s", m.text);
	if (++e->voids > SPF_MAX_VOIDS)
		return spf_fail_with(e, SPF_PERMERROR, "more than %d look-ups without an answer", SPF_MAX_VOIDS);
	return SPF_NONE;
}

static enum dns_type
address_type(const struct spf_eval *e)
{
	return e->args->remote_ip.family == 6 ? DNS_AAAA : DNS_A;
}

static bool
in_network(const struct ip *ip, const struct ip *net, int bits)
{
	struct ip a, b;

	if (ip->family != net->family)
		return false;
	a = ip_mask(ip, bits < 0 ? 128 : (unsigned)bits);
	b = ip_mask(net, bits < 0 ? 128 : (unsigned)bits);
	return ip_equal(&a, &b);
}

/* Whether an address of a name is the client's, within the prefix. */
static enum spf_status
match_host(struct spf_eval *e, struct str name, const struct spf_directive *d, bool *r_match)
{
	const struct ip *ip = &e->args->remote_ip;
	int bits = ip->family == 6 ? d->cidr6 : d->cidr4;
	struct dns_result res;
	bool found;
	enum spf_status s = spf_ask(e, address_type(e), name, &res, &found);

	for (size_t i = 0; s == SPF_NONE && found && i < res.n; i++)
		*r_match |= in_network(ip, &res.v[i].ip, bits);
	return s;
}

static enum spf_status
match_mx(struct spf_eval *e, struct str name, const struct spf_directive *d, bool *r_match)
{
	struct dns_result res;
	bool found;
	enum spf_status s = spf_ask(e, DNS_MX, name, &res, &found);

	if (s != SPF_NONE || !found)
		return s;
	for (size_t i = 0; i < res.n && !*r_match; i++) {
		/* The domain takes no mail: rfc/7505 */
		if (res.v[i].name.n == 0)
			continue;
		if (i >= SPF_MAX_NAMES)
			return spf_fail_with(e, SPF_PERMERROR, "more than %d MX hosts", SPF_MAX_NAMES);
		s = match_host(e, res.v[i].name, d, r_match);
		if (s != SPF_NONE)
			return s;
	}
	return SPF_NONE;
}

enum spf_status
spf_validated(struct spf_eval *e, struct strlist *r_names)
{
	struct dns_result ptr, res;
	int rv = dns_lookup_ptr(e->resolver, e->a, e->ctx, &e->args->remote_ip, &ptr, NULL);

	e->authentic = e->authentic && ptr.authentic;
	if (rv < 0) {
		if (!dns_is_temporary(rv) && ++e->voids > SPF_MAX_VOIDS)
			return spf_fail_with(e, SPF_PERMERROR, "more than %d look-ups without an answer", SPF_MAX_VOIDS);
		return SPF_NONE;
	}
	for (size_t i = 0; i < ptr.n && i < SPF_MAX_NAMES; i++) {
		struct errmsg kept = e->problem;
		bool found;
		enum spf_status s = spf_ask(e, address_type(e), ptr.v[i].name, &res, &found);

		/* The names are the client's, who could point them at nothing: trouble with one only leaves it out. */
		if (s == SPF_TEMPERROR) {
			e->problem = kept;
			continue;
		}
		if (s != SPF_NONE)
			return s;
		if (!found)
			continue;
		for (size_t k = 0; k < res.n; k++)
			if (ip_equal(&res.v[k].ip, &e->args->remote_ip)) {
				strlist_add(e->a, r_names, ptr.v[i].name);
				break;
			}
	}
	return SPF_NONE;
}

static enum spf_status
match_ptr(struct spf_eval *e, struct str name, bool *r_match)
{
	struct strlist names = { 0 };
	enum spf_status s = spf_validated(e, &names);
	struct str below = str_cat(e->a, S("."), name);

	for (size_t i = 0; s == SPF_NONE && i < names.n; i++)
		*r_match |= str_icase(names.v[i], name) || str_iends(names.v[i], below);
	return s;
}

static enum spf_status check_host(
    struct spf_eval *e, struct str domain, struct str *r_mechanism, struct str *r_exp, struct str *r_exp_domain);

/* The table of rfc/7208:1203: how a result of the included record counts. */
static enum spf_status
match_include(struct spf_eval *e, struct str name, bool *r_match)
{
	struct str mechanism, exp = { 0 }, exp_domain;
	enum spf_status s = spf_valid_name(name) ? check_host(e, name, &mechanism, &exp, &exp_domain) : SPF_NONE;

	switch (s) {
	case SPF_PASS:
		*r_match = true;
		return SPF_NONE;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		return SPF_NONE;
	case SPF_NONE:
		return spf_fail_with(e, SPF_PERMERROR, "included domain " STRF " has no SPF record", STRA(name));
	case SPF_TEMPERROR:
	case SPF_PERMERROR:
		break;
	}
	return s;
}

static enum spf_status
match(struct spf_eval *e, struct str domain, const struct spf_directive *d, bool *r_match)
{
	struct dns_result res;
	struct str name = { 0 };
	enum spf_status s;

	if (d->mechanism == SPF_ALL) {
		*r_match = true;
		return SPF_NONE;
	}
	if (d->mechanism == SPF_IP4 || d->mechanism == SPF_IP6) {
		*r_match = in_network(&e->args->remote_ip, &d->ip, d->mechanism == SPF_IP4 ? d->cidr4 : d->cidr6);
		return SPF_NONE;
	}
	s = spf_count_term(e);
	if (s == SPF_NONE)
		s = spf_target(e, domain, d->domain, &name);
	if (s != SPF_NONE)
		return s;
	switch (d->mechanism) {
	case SPF_INCLUDE:
		return match_include(e, name, r_match);
	case SPF_A:
		return match_host(e, name, d, r_match);
	case SPF_MX:
		return match_mx(e, name, d, r_match);
	case SPF_PTR:
		return match_ptr(e, name, r_match);
	case SPF_EXISTS:
		/* An A look-up also for IPv6 clients: rfc/7208:1392 */
		return spf_ask(e, DNS_A, name, &res, r_match);
	default:
		bug("SPF mechanism %d", (int)d->mechanism);
	}
}

static struct str
directive_text(struct arena *a, const struct spf_directive *d)
{
	struct spf_directive copy = *d;
	struct spf_record r = { .directives = &copy, .ndirectives = 1 };

	return str_from(spf_pack(a, &r), 7);
}

static enum spf_status
qualifier_status(char q)
{
	return q == '-' ? SPF_FAIL : q == '~' ? SPF_SOFTFAIL : q == '?' ? SPF_NEUTRAL : SPF_PASS;
}

enum spf_status
spf_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain, bool *r_found, struct str *r_txt,
    struct spf_record *r_record, bool *r_authentic, struct errmsg *e)
{
	struct dns_result res;
	size_t count = 0;
	int rv = dns_lookup(r, a, ctx, DNS_TXT, domain, 0, &res, e);

	*r_found = false;
	*r_authentic = res.authentic;
	if (rv < 0)
		return dns_is_temporary(rv) ? SPF_TEMPERROR : SPF_NONE;
	for (size_t i = 0; i < res.n; i++)
		if (spf_is_record(res.v[i].text)) {
			*r_txt = res.v[i].text;
			count++;
		}
	if (count == 0)
		return SPF_NONE;
	if (count > 1) {
		err_set(e, ERR_INVALID, "%zu SPF records at " STRF, count, STRA(domain));
		return SPF_PERMERROR;
	}
	if (spf_parse(a, *r_txt, r_record, e) < 0)
		return SPF_PERMERROR;
	*r_found = true;
	return SPF_NONE;
}

static enum spf_status
check_host(struct spf_eval *e, struct str domain, struct str *r_mechanism, struct str *r_exp, struct str *r_exp_domain)
{
	struct spf_record rec = { 0 };
	struct str txt, name;
	struct errmsg m = { 0 };
	bool found, authentic;
	enum spf_status s = spf_lookup(e->resolver, e->a, e->ctx, domain, &found, &txt, &rec, &authentic, &m);

	e->authentic = e->authentic && authentic;
	if (s != SPF_NONE)
		return spf_fail_with(e, s, "%s", m.text);
	if (!found)
		return SPF_NONE;
	for (size_t i = 0; i < rec.ndirectives; i++) {
		const struct spf_directive *d = &rec.directives[i];
		bool hit = false;

		s = match(e, domain, d, &hit);
		if (s != SPF_NONE) {
			*r_mechanism = directive_text(e->a, d);
			return s;
		}
		if (hit) {
			*r_mechanism = directive_text(e->a, d);
			*r_exp = rec.exp;
			*r_exp_domain = domain;
			return qualifier_status(d->qualifier);
		}
	}
	*r_mechanism = S("default");
	if (!rec.has_redirect)
		return SPF_NEUTRAL;
	/* redirect: result, mechanism and explanation are the target's: rfc/7208:1447 */
	s = spf_count_term(e);
	if (s == SPF_NONE)
		s = spf_target(e, domain, rec.redirect, &name);
	if (s != SPF_NONE)
		return s;
	s = spf_valid_name(name) ? check_host(e, name, r_mechanism, r_exp, r_exp_domain) : SPF_NONE;
	if (s == SPF_NONE)
		return spf_fail_with(e, SPF_PERMERROR, "redirect to " STRF ", which has no SPF record", STRA(name));
	return s;
}

/* The explanation of a fail: rfc/7208:1489. Anything odd about it gives none. */
static struct str
explain(struct spf_eval *e, struct str exp, struct str domain)
{
	struct spf_eval fresh = *e;
	struct dns_result res;
	struct str name, text = { 0 };
	bool found;

	fresh.terms = fresh.voids = 0;
	if (exp.n == 0 || spf_target(&fresh, domain, exp, &name) != SPF_NONE)
		return text;
	if (spf_ask(&fresh, DNS_TXT, name, &res, &found) != SPF_NONE || !found || res.n != 1)
		return text;
	if (!spf_macro_string(res.v[0].text, true) || spf_expand(&fresh, domain, res.v[0].text, true, &text) != SPF_NONE)
		return (struct str){ 0 };
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || (unsigned char)text.p[i] > 0x7e)
			return (struct str){ 0 };
	if (text.n == 0)
		return text;
	if (text.n > 800)
		text = str_cat(e->a, str_upto(text, 797), S("..."));
	return str_cat(e->a, S("remote claims: "), text);
}

/* A name to start from has several labels, all of them possible in DNS: rfc/7208:800 */
static bool
checkable(struct str domain)
{
	struct str name = str_ends(domain, S(".")) ? str_upto(domain, domain.n - 1) : domain;

	return spf_valid_name(name) && str_has(name, '.');
}

static void
evaluate(struct spf_eval *e, const struct spf_args *args, struct spf_result *r)
{
	struct str exp = { 0 }, exp_domain = { 0 };

	r->helo_identity = args->mailfrom_domain.n == 0;
	r->domain = r->helo_identity ? args->helo_domain : args->mailfrom_domain;
	if (r->domain.n == 0) {
		r->problem = S("no domain name to check");
		return;
	}
	if (!checkable(r->domain)) {
		r->problem = S("not a domain name that can be checked");
		return;
	}
	e->localpart = r->helo_identity || args->mailfrom_localpart.n == 0 ? S("postmaster") : args->mailfrom_localpart;
	e->sender_domain = r->domain;
	r->status = check_host(e, r->domain, &r->mechanism, &exp, &exp_domain);
	if (r->status == SPF_FAIL)
		r->explanation = explain(e, exp, exp_domain);
	r->authentic = e->authentic;
	if (r->status == SPF_TEMPERROR || r->status == SPF_PERMERROR)
		r->problem = str_dup(e->a, str_of(e->problem.text));
}

void
spf_evaluate(
    struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct spf_args *args, struct spf_result *r_result)
{
	struct spf_eval e = { .resolver = r, .a = a, .ctx = ctx, .args = args, .authentic = true };
	int64_t start = time_mono_us();

	*r_result = (struct spf_result){ .status = SPF_NONE };
	evaluate(&e, args, r_result);
	metrics_observe(&metric_verify, (double)(time_mono_us() - start) / 1e6, spf_status_text(r_result->status), NULL);
}
