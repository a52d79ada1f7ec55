/* SPDX-License-Identifier: MIT */
/* verify.c - evaluating the signatures of a message, rfc/6376:2425 */
#include "base/mem.h"
#include "dkim/dkim.h"
#include "message/header.h"
#include "metrics/metrics.h"

static struct metric metric_verify = METRICS_HISTOGRAM_INIT("mox_dkim_verify_duration_seconds",
    "DKIM verify, including lookup, duration and result.", metrics_buckets_a, "algorithm", "status");

/* A signature while it is evaluated. */
struct work {
	struct dkim_result *res;
	struct str verify_form;
	EVP_PKEY *key;
	enum dkim_canon header_canon, body_canon;
	bool pending;                   /* nothing speaks against it yet: hashes decide */
	bool test_mode;                 /* t=y */
};

static void
end(struct work *w, enum dkim_status status, struct str problem)
{
	w->res->status = status;
	w->res->problem = problem;
	w->pending = false;
	/* A failing signature of a domain that is testing counts as none: rfc/6376:1558 */
	if (w->test_mode && status != DKIM_PASS)
		w->res->status = DKIM_NONE;
}

static bool
canon_of(struct str name, enum dkim_canon *r_c)
{
	*r_c = str_is(name, S("relaxed")) ? DKIM_RELAXED : DKIM_SIMPLE;
	return str_is(name, S("relaxed")) || str_is(name, S("simple"));
}

static bool
is_public_suffix(const struct dkim_verify_args *args, struct str domain)
{
	if (args->allow_localhost && str_is(domain, S("localhost")))
		return false;
	return args->public_suffix ? args->public_suffix(args->arg, domain) : !str_has(domain, '.');
}

/* What can be told without the key, in the order of ../spec/dkim.md 5. */
static void
check_signature(struct work *w, const struct dkim_verify_args *args)
{
	const struct dkim_signature *s = &w->res->sig;

	if (!strlist_ihas(&s->headers, S("From")))
		end(w, DKIM_PERMERROR, S("From is not signed"));                /* rfc/6376:2546 */
	else if (s->expire_time >= 0 && s->expire_time < clock_now_us(args->clock) / TIME_SEC)
		end(w, DKIM_PERMERROR, S("signature is expired"));
	else if (is_public_suffix(args, s->domain))
		end(w, DKIM_PERMERROR, S("domain is a public suffix"));
	else if (!str_is(s->algorithm, S("rsa-sha256")) && !str_is(s->algorithm, S("ed25519-sha256")) &&
	    !str_is(s->algorithm, S("rsa-sha1")))
		end(w, DKIM_PERMERROR, S("unknown algorithm"));
	else if (!canon_of(s->canon_header, &w->header_canon) || !canon_of(s->canon_body, &w->body_canon))
		end(w, DKIM_PERMERROR, S("unknown canonicalization"));
	else if (s->query.n > 0 && !strlist_has(&s->query, S("dns/txt")))
		end(w, DKIM_PERMERROR, S("unknown query method"));
	else if (str_is(s->algorithm, S("rsa-sha1")))
		end(w, DKIM_POLICY, S("rsa-sha1 is not accepted"));             /* rfc/8301:137 */
	else if (s->length >= 0)
		end(w, DKIM_POLICY, S("l= leaves the end of the body unsigned"));
	else
		w->pending = true;
}

static void
check_record(struct work *w, struct arena *a, const struct dkim_verify_args *args)
{
	const struct dkim_signature *s = &w->res->sig;
	const struct dkim_record *rec = &w->res->record;
	struct str type = str_starts(s->algorithm, S("rsa-")) ? S("rsa") : S("ed25519");
	struct errmsg m = { 0 };

	w->test_mode = !args->ignore_test_mode && strlist_has(&rec->flags, S("y"));
	if (rec->hashes.n > 0 && !strlist_has(&rec->hashes, S("sha256")))
		end(w, DKIM_PERMERROR, S("key is not for this hash"));
	else if (!str_is(rec->key_type, type))
		end(w, DKIM_PERMERROR, S("key is not for this algorithm"));
	else if (rec->public_key.n == 0)
		end(w, DKIM_PERMERROR, S("key is revoked"));
	else if (dkim_public_key(rec, &w->key, &w->res->key_bits, &m) < 0)
		end(w, DKIM_PERMERROR, str_dup(a, str_of(m.text)));
	else if (str_is(type, S("rsa")) && w->res->key_bits < (args->min_rsa_bits ? args->min_rsa_bits : 1024))
		end(w, DKIM_POLICY, S("key is too short"));                     /* rfc/8301:154 */
	else if (rec->services.n > 0 && !strlist_has(&rec->services, S("email")) && !strlist_has(&rec->services, S("*")))
		end(w, DKIM_PERMERROR, S("key is not for mail"));
	else if (strlist_has(&rec->flags, S("s")) && s->has_identity && !str_is(s->identity_domain, s->domain))
		end(w, DKIM_PERMERROR, S("key does not allow subdomains in i="));
}

static void
get_key(struct work *w, struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct dkim_verify_args *args)
{
	struct dkim_result *res = w->res;
	struct errmsg m = { 0 };
	struct str txt;
	enum dkim_status status =
	    dkim_lookup(r, a, ctx, res->sig.selector, res->sig.domain, &txt, &res->record, &res->authentic, &m);

	if (status != DKIM_NEUTRAL) {
		end(w, status, str_dup(a, str_of(m.text)));
		return;
	}
	res->has_record = true;
	check_record(w, a, args);
}

static void
check_header(struct work *w, struct arena *a, struct str header)
{
	struct str data;

	ARENA_SCOPE(a);
	if (dkim_signed_data(a, header, &w->res->sig.headers, w->header_canon, w->verify_form, &data) < 0)
		end(w, DKIM_PERMERROR, S("signed header fields are too large"));
	else if (!dkim_verify_data(w->key, data, w->res->sig.signature))
		end(w, DKIM_FAIL, S("signature does not match"));
}

/* Reads the body once, with the two canonical forms that are asked for. */
static int
check_bodies(struct work *w, size_t n, struct arena *a, const struct ctx *ctx, const struct message_source *msg, int64_t off)
{
	bool want[2] = { false, false };
	uint8_t hash[2][32];
	int rv;

	for (size_t i = 0; i < n; i++)
		if (w[i].pending)
			want[w[i].body_canon] = true;
	rv = dkim_hash_body(a, ctx, msg, off, want, hash);
	for (size_t i = 0; i < n; i++) {
		if (!w[i].pending)
			continue;
		if (rv < 0)
			end(&w[i], DKIM_TEMPERROR, S("body cannot be read"));
		else if (!mem_equal(hash[w[i].body_canon], w[i].res->sig.body_hash.p, 32))
			end(&w[i], DKIM_FAIL, S("body hash does not match"));
		else
			end(&w[i], DKIM_PASS, S(""));
	}
	return rv;
}

/* Collects the signatures of the header. */
static size_t
collect(struct arena *a, struct str header, const struct dkim_verify_args *args, struct work **r_w)
{
	struct work *w = ARENA_NEWN(a, DKIM_MAX_SIGNATURES, struct work);
	struct dkim_result *res = ARENA_NEWN(a, DKIM_MAX_SIGNATURES, struct dkim_result);
	struct message_field f;
	size_t n = 0;

	while (n < DKIM_MAX_SIGNATURES && message_field_next(&header, &f, NULL)) {
		struct errmsg m = { 0 };

		if (!str_icase(f.name, S("DKIM-Signature")))
			continue;
		w[n].res = &res[n];
		if (dkim_parse_signature(a, f.raw, args->flags, &res[n].sig, &w[n].verify_form, &m) < 0) {
			end(&w[n], DKIM_PERMERROR, str_dup(a, str_of(m.text)));
		} else {
			res[n].has_signature = true;
			check_signature(&w[n], args);
		}
		n++;
	}
	*r_w = w;
	return n;
}

/* Labels come from a fixed set, not from messages. */
static const char *
algorithm_label(const struct dkim_result *res)
{
	if (str_is(res->sig.algorithm, S("rsa-sha256")))
		return "rsa-sha256";
	return str_is(res->sig.algorithm, S("ed25519-sha256")) ? "ed25519-sha256" : "(other)";
}

int
dkim_verify(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct message_source *msg,
    const struct dkim_verify_args *args, struct dkim_result **r_v, size_t *r_n, struct errmsg *e)
{
	int64_t start = time_mono_us();
	struct str header;
	struct work *w;
	size_t n;
	int rv = dkim_read_header(a, msg, &header);

	if (rv < 0)
		return err_set(e, rv, "the header of the message has no end, or cannot be read");
	n = collect(a, header, args, &w);
	for (size_t i = 0; i < n; i++)
		if (w[i].pending)
			get_key(&w[i], r, a, ctx, args);
	for (size_t i = 0; i < n; i++)
		if (w[i].pending)
			check_header(&w[i], a, header);
	rv = check_bodies(w, n, a, ctx, msg, (int64_t)header.n);
	for (size_t i = 0; i < n; i++) {
		EVP_PKEY_free(w[i].key);
		metrics_observe(&metric_verify, (double)(time_mono_us() - start) / 1e6, algorithm_label(w[i].res),
		    dkim_status_text(w[i].res->status), NULL);
	}
	*r_v = n > 0 ? w[0].res : NULL;
	*r_n = n;
	return rv < 0 ? err_set(e, rv, "the message cannot be read") : 0;
}
