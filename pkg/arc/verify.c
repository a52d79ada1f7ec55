/* SPDX-License-Identifier: MIT */
/* verify.c - validation of a chain, in the order of rfc/8617:903 */
#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "arc/arc_internal.h"
#include "message/header.h"

const char *
arc_status_text(enum arc_status s)
{
	return s == ARC_PASS ? "pass" : s == ARC_FAIL ? "fail" : "none";
}

struct verifier {
	struct dns_resolver *r;
	struct arena *a;
	const struct ctx *ctx;
	const struct message_source *msg;
	const struct dkim_verify_args *args;
	struct str header;
	struct arc_set *sets;           /* by instance - 1 */
	size_t n;
	bool authentic;
	struct str problem;
};

static int
bad(struct verifier *v, const char *fmt, ...) printf_(2, 3);
static int
bad(struct verifier *v, const char *fmt, ...)
{
	struct buf b = BUF_ARENA(v->a, 512);
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	v->problem = buf_str(&b);
	return ERR_INVALID;
}

/* The instance of a field: for AAR it stands first and ends at ";", for the others it is the tag i=. 0 if it has none. */
static uint32_t
instance_of(struct arena *a, enum arc_kind kind, struct str body, struct str *r_payload)
{
	struct str first = message_unfold(a, body);
	struct dkim_tags tags;
	const struct dkim_tag *i;
	uint32_t n;

	if (kind == ARC_AAR) {
		struct str spec, name;

		if (!str_has(first, ';'))
			return 0;
		spec = str_split(&first, ';');
		name = str_trim(str_split(&spec, '='));
		*r_payload = str_trim(first);
		return str_is(name, S("i")) && str_u32(str_trim(spec), &n) == 0 ? n : 0;
	}
	if (dkim_tags(a, body, &tags, NULL) < 0 || !(i = dkim_tag_get(&tags, "i")))
		return 0;
	return str_u32(i->value, &n) == 0 ? n : 0;
}

static int
kind_of(struct str name)
{
	for (int k = 0; k < ARC_KINDS; k++)
		if (str_icase(name, str_of(arc_names[k])))
			return k;
	return -1;
}

/* Steps 1 and 3 A, B. */
static int
collect(struct verifier *v)
{
	struct str rest = v->header;
	struct message_field f;
	size_t count = 0;

	v->sets = ARENA_NEWN(v->a, ARC_MAX_SETS, struct arc_set);
	while (message_field_next(&rest, &f, NULL)) {
		int kind = kind_of(f.name);
		struct str payload = { 0 };
		uint32_t i;

		if (kind < 0)
			continue;
		count++;
		i = instance_of(v->a, (enum arc_kind)kind, f.body, &payload);
		if (i < 1 || i > ARC_MAX_SETS)
			return bad(v, "%s without usable instance", arc_names[kind]);
		if (v->sets[i - 1].field[kind].p)
			return bad(v, "instance %u has two %s fields", i, arc_names[kind]);
		v->sets[i - 1].field[kind] = f.raw;
		v->sets[i - 1].instance = (int)i;
		if (kind == ARC_AAR)
			v->sets[i - 1].results = payload;
		v->n = MAX(v->n, (size_t)i);
	}
	if (count != v->n * ARC_KINDS)
		return bad(v, "sets are incomplete");
	return 0;
}

/* Checks what a tag list of AMS or AS must have, and verifies data with its key. */
static int
check_signature(struct verifier *v, const struct dkim_tags *t, const char *what, struct str data)
{
	const struct dkim_tag *alg = dkim_tag_get(t, "a"), *sig = dkim_tag_get(t, "b"), *d = dkim_tag_get(t, "d"),
			    *s = dkim_tag_get(t, "s"), *when = dkim_tag_get(t, "t");
	struct dkim_record rec;
	struct str signature, txt;
	struct errmsg m = { 0 };
	EVP_PKEY *key = NULL;
	uint64_t stamp;
	bool authentic, ok, rsa;
	int bits;

	if (!alg || !sig || !d || !s || d->value.n == 0 || s->value.n == 0)
		return bad(v, "%s lacks a tag", what);
	rsa = str_is(alg->value, S("rsa-sha256"));
	if (!rsa && !str_is(alg->value, S("ed25519-sha256")))
		return bad(v, "%s has an algorithm that is not accepted", what);
	if (when && str_u64(when->value, &stamp) < 0)
		return bad(v, "%s has a bad t=", what);
	if (dkim_unbase64(v->a, sig->value, &signature) < 0 || signature.n == 0)
		return bad(v, "%s has a bad b=", what);
	if (dkim_lookup(v->r, v->a, v->ctx, str_lower(v->a, s->value), str_lower(v->a, d->value), &txt, &rec, &authentic, &m) !=
	    DKIM_NEUTRAL)
		return bad(v, "key of %s: %s", what, m.text);
	v->authentic = v->authentic && authentic;
	if (!str_is(rec.key_type, rsa ? S("rsa") : S("ed25519")) || dkim_public_key(&rec, &key, &bits, &m) < 0)
		return bad(v, "key of %s is not usable", what);
	ok = (!rsa || bits >= (v->args->min_rsa_bits ? v->args->min_rsa_bits : 1024)) && dkim_verify_data(key, data, signature);
	EVP_PKEY_free(key);
	return ok ? 0 : bad(v, "%s does not verify", what);
}

static int
check_body(struct verifier *v, const struct dkim_tags *t, enum dkim_canon canon)
{
	const struct dkim_tag *bh = dkim_tag_get(t, "bh");
	const bool wanted[2] = { canon == DKIM_SIMPLE, canon == DKIM_RELAXED };
	uint8_t hash[2][32];
	struct str want;

	if (!bh || dkim_unbase64(v->a, bh->value, &want) < 0 || want.n != 32)
		return bad(v, "ARC-Message-Signature has a bad bh=");
	if (dkim_hash_body(v->a, v->ctx, v->msg, (int64_t)v->header.n, wanted, hash) < 0)
		return bad(v, "the message cannot be read");
	return mem_equal(hash[canon], want.p, 32) ? 0 : bad(v, "body hash of ARC-Message-Signature does not match");
}

static bool
canon_word(struct str s, enum dkim_canon *r_c)
{
	*r_c = str_is(s, S("relaxed")) ? DKIM_RELAXED : DKIM_SIMPLE;
	return str_is(s, S("relaxed")) || str_is(s, S("simple"));
}

/* Step 4: the latest AMS, a DKIM signature but for v= and i=: rfc/8617:511 */
static int
check_message_signature(struct verifier *v)
{
	struct str field = v->sets[v->n - 1].field[ARC_AMS], data, list;
	struct strlist names = { 0 };
	enum dkim_canon header_canon = DKIM_SIMPLE, body_canon = DKIM_SIMPLE;
	const struct dkim_tag *c, *h;
	struct dkim_tags t;
	struct errmsg m = { 0 };

	if (dkim_tags(v->a, str_from(field, (size_t)str_find(field, ':') + 1), &t, &m) < 0)
		return bad(v, "ARC-Message-Signature: %s", m.text);
	if ((c = dkim_tag_get(&t, "c"))) {
		struct str body = c->value, header = str_split(&body, '/');

		if (!canon_word(header, &header_canon) || (body.n > 0 && !canon_word(body, &body_canon)) ||
		    (body.n == 0 && str_has(c->value, '/')))
			return bad(v, "ARC-Message-Signature has an unknown canonicalization");
	}
	if (!(h = dkim_tag_get(&t, "h")))
		return bad(v, "ARC-Message-Signature lacks h=");
	list = h->value;
	while (list.n > 0) {
		struct str name = str_trim(str_split(&list, ':'));

		/* Seals are not covered: rfc/8617:543 */
		if (str_icase(name, str_of(arc_names[ARC_AS])))
			return bad(v, "ARC-Message-Signature covers ARC-Seal");
		strlist_add(v->a, &names, name);
	}
	if (dkim_signed_data(v->a, v->header, &names, header_canon, dkim_without_b(v->a, field), &data) < 0)
		return bad(v, "signed fields are too large");
	TRY(check_signature(v, &t, "ARC-Message-Signature", data));
	if ((c = dkim_tag_get(&t, "d")))
		v->sets[v->n - 1].message_domain = str_lower(v->a, c->value);
	return check_body(v, &t, body_canon);
}

static int
seal_tags(struct verifier *v, size_t i, struct dkim_tags *r_t)
{
	struct str field = v->sets[i].field[ARC_AS];
	struct errmsg m = { 0 };

	if (dkim_tags(v->a, str_from(field, (size_t)str_find(field, ':') + 1), r_t, &m) < 0)
		return bad(v, "ARC-Seal: %s", m.text);
	return 0;
}

/* Steps 2 and 3 C. */
static int
check_cv(struct verifier *v, bool *r_ended)
{
	for (size_t i = v->n; i-- > 0;) {
		const struct dkim_tag *cv;
		struct dkim_tags t;

		TRY(seal_tags(v, i, &t));
		cv = dkim_tag_get(&t, "cv");
		if (cv && str_is(cv->value, S("fail"))) {
			*r_ended = true;
			return bad(v, "instance %zu says that the chain fails", i + 1);
		}
		if (!cv || !str_is(cv->value, i == 0 ? S("none") : S("pass")))
			return bad(v, "instance %zu has a wrong cv=", i + 1);
		/* h= MUST result in a fail: rfc/8617:596 */
		if (dkim_tag_get(&t, "h"))
			return bad(v, "ARC-Seal has h=");
	}
	return 0;
}

/* Step 6. */
static int
check_seals(struct verifier *v)
{
	for (size_t i = v->n; i-- > 0;) {
		struct buf data = BUF_ARENA(v->a, LIMIT_HEADER_SIZE * 2);
		struct dkim_tags t;

		TRY(seal_tags(v, i, &t));
		for (size_t k = 0; k <= i; k++) {
			struct str seal = v->sets[k].field[ARC_AS];

			dkim_canon_field(&data, v->sets[k].field[ARC_AAR], DKIM_RELAXED);
			dkim_canon_field(&data, v->sets[k].field[ARC_AMS], DKIM_RELAXED);
			dkim_canon_field(&data, k == i ? dkim_without_b(v->a, seal) : seal, DKIM_RELAXED);
		}
		if (data.failed)
			return bad(v, "sets are too large");
		TRY(check_signature(v, &t, "ARC-Seal", buf_str(&data)));
		v->sets[i].seal_domain = str_lower(v->a, dkim_tag_get(&t, "d")->value);
		v->sets[i].seal_selector = str_lower(v->a, dkim_tag_get(&t, "s")->value);
	}
	return 0;
}

int
arc_verify(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct message_source *msg,
    const struct dkim_verify_args *args, struct arc_chain *r_chain, struct errmsg *e)
{
	struct verifier v = { .r = r, .a = a, .ctx = ctx, .msg = msg, .args = args, .authentic = true };
	bool ended = false;
	int rv = dkim_read_header(a, msg, &v.header);

	/* Without a header that ends there is no chain. */
	if (rv == ERR_NOTFOUND) {
		*r_chain = (struct arc_chain){ .status = ARC_NONE };
		return 0;
	}
	if (rv < 0)
		return err_set(e, rv, "the header of the message cannot be read");
	rv = collect(&v);
	if (rv == 0 && v.n == 0) {
		*r_chain = (struct arc_chain){ .status = ARC_NONE };
		return 0;
	}
	if (rv == 0)
		rv = check_cv(&v, &ended);
	if (rv == 0)
		rv = check_message_signature(&v);
	if (rv == 0)
		rv = check_seals(&v);
	*r_chain = (struct arc_chain){
		.status = rv == 0 ? ARC_PASS : ARC_FAIL,
		.sets = v.sets,
		.n = v.n,
		.ended = ended,
		.problem = v.problem,
		.authentic = rv == 0 && v.authentic,
	};
	return 0;
}
