/* SPDX-License-Identifier: MIT */
#include "rdap/rdap.h"

#include "rdap/rdap_idl.h"

#define MAX_BOOTSTRAP (1024 * 1024)     /* has 60 KiB now */
#define MAX_RESPONSE (100 * 1024)
#define MAX_REDIRECTS 5                 /* registries send clients on: rfc/7480:321 */
#define MAX_TEXT 200                    /* of what a server says about an error; longer ones are cut to 150 */

/* Whether the labels of a suffix end the domain. Returns how many there are, 0 if not. */
static unsigned
matches(struct str domain, struct str suffix)
{
	unsigned labels = 1;
	size_t at;

	if (suffix.n == 0 || !str_iends(domain, suffix))
		return 0;
	at = domain.n - suffix.n;
	if (at > 0 && domain.p[at - 1] != '.')
		return 0;
	for (size_t i = 0; i < suffix.n; i++)
		labels += suffix.p[i] == '.';
	return labels;
}

int
rdap_services(struct arena *a, struct str bootstrap, struct str domain, struct strlist *r_urls, struct errmsg *e)
{
	struct rdap_bootstrap b = { 0 };
	const struct typedesc_str_list *best = NULL;
	unsigned most = 0;

	TRY(typedesc_json_decode(a, &rdap_bootstrap_desc, bootstrap, MAX_BOOTSTRAP, TYPEDESC_JSON_LENIENT, &b, e));
	for (size_t i = 0; i < b.services.n; i++) {
		if (b.services.v[i].n < 2)
			continue;
		for (size_t k = 0; k < b.services.v[i].v[0].n; k++) {
			unsigned labels = matches(domain, b.services.v[i].v[0].v[k]);

			if (labels > most) {
				most = labels;
				best = &b.services.v[i].v[1];
			}
		}
	}
	for (size_t i = 0; best && i < best->n; i++)
		if (str_istarts(best->v[i], S("https://")))
			strlist_add(a, r_urls, str_ends(best->v[i], S("/")) ? best->v[i] : str_cat(a, best->v[i], S("/")));
	if (r_urls->n == 0)
		return err_set(e, RDAP_NOSERVICE, "no RDAP server is registered for the top-level domain");
	return 0;
}

static bool
is_registration(struct str action)
{
	return str_icase(action, S("registration")) || str_icase(action, S("reregistration")) ||
	    str_icase(action, S("reinstantiation"));
}

int
rdap_registration(struct arena *a, struct str response, int64_t now_us, int64_t *r_us, struct errmsg *e)
{
	struct rdap_domain d = { 0 };
	int64_t latest = INT64_MIN, us;

	if (typedesc_json_decode(a, &rdap_domain_desc, response, MAX_RESPONSE, TYPEDESC_JSON_LENIENT, &d, e) < 0)
		return RDAP_FAILED;
	for (size_t i = 0; i < d.events.n; i++)
		if (is_registration(d.events.v[i].action) && time_parse_rfc3339(d.events.v[i].date, &us) == 0 && us <= now_us)
			latest = MAX(latest, us);
	if (latest == INT64_MIN)
		return err_set(e, RDAP_NOEVENT, "the registry tells no date of registration");
	*r_us = latest;
	return 0;
}

/* What a server says about an error: its title and description, or the text as it stands. */
static struct str
explanation(struct arena *a, struct str body)
{
	struct rdap_problem p = { 0 };
	struct str text = body;

	if (typedesc_json_decode(a, &rdap_problem_desc, body, MAX_RESPONSE, TYPEDESC_JSON_LENIENT, &p, NULL) == 0 &&
	    p.title.n > 0) {
		text = p.title;
		for (size_t i = 0; i < p.description.n; i++)
			text = str_fmt(a, STRF "%s" STRF, STRA(text), i == 0 ? ": " : " ", STRA(p.description.v[i]));
	}
	if (text.n > MAX_TEXT)
		text = str_cat(a, str_upto(text, 150), S("..."));
	return str_log(a, text, 2 * MAX_TEXT);
}

static int
get(const struct rdap_opts *o, struct arena *a, const struct ctx *ctx, struct str url, struct str accept, size_t max,
    struct fetch_response *res, struct errmsg *e)
{
	struct fetch_header h = { S("Accept"), accept };
	struct fetch_request q = { .url = url, .headers = &h, .nheaders = 1, .max_body = max, .max_redirects = MAX_REDIRECTS,
		.https_only = true };
	int rv = fetch(o->fetcher, a, ctx, &q, res, e);

	if (rv < 0)
		return rv == ERR_CANCELED || rv == ERR_TIMEOUT ? rv : RDAP_FAILED;
	if (res->status == 404)
		return err_set(e, RDAP_UNKNOWN, "the registry does not know the domain");       /* rfc/7480:362 */
	if (res->status != 200)
		return err_set(e, RDAP_FAILED, "status %d: " STRF, res->status, STRA(explanation(a, res->body)));
	return 0;
}

int
rdap_registered(const struct rdap_opts *o, struct arena *a, const struct ctx *ctx, const struct idna_domain *domain,
    int64_t *r_us, struct errmsg *e)
{
	const char *bootstrap = o->bootstrap_url ? o->bootstrap_url : RDAP_BOOTSTRAP_URL;
	struct fetch_response res;
	struct strlist urls = { 0 };
	struct errmsg why = { 0 };
	int rv = get(o, a, ctx, str_of(bootstrap), S("application/json"), MAX_BOOTSTRAP, &res, &why);

	if (rv < 0)
		return err_set(e, rv == RDAP_UNKNOWN ? RDAP_FAILED : rv, "list of RDAP servers: %s", why.text);
	rv = rdap_services(a, res.body, domain->ascii, &urls, &why);
	if (rv == RDAP_NOSERVICE)
		return err_set(e, rv, "%s", why.text);
	if (rv < 0)
		return err_set(e, RDAP_FAILED, "list of RDAP servers: %s", why.text);
	for (size_t i = 0; i < urls.n; i++) {
		struct str url = str_fmt(a, STRF "domain/" STRF, STRA(urls.v[i]), STRA(domain->ascii));

		why = (struct errmsg){ 0 };
		rv = get(o, a, ctx, url, S("application/rdap+json"), MAX_RESPONSE, &res, &why);
		if (rv == 0)
			rv = rdap_registration(a, res.body, clock_now_us(o->clock), r_us, &why);
		/* Another server of the same registry helps only against a failure. */
		if (rv != RDAP_FAILED)
			break;
	}
	return rv < 0 ? err_set(e, rv, "%s", why.text) : 0;
}
