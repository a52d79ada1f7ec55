/* SPDX-License-Identifier: MIT */
/* signature.c - reading DKIM-Signature, rfc/6376:984 */
#include "base/buf.h"
#include "base/cur.h"
#include "base/enc.h"
#include "dkim/dkim.h"
#include "idna/idna.h"

/* 1*n DIGIT that fit 63 bits. */
static int
number(struct str s, size_t max_digits, int64_t *r_v)
{
	uint64_t v;

	if (s.n > max_digits)
		return ERR_INVALID;
	while (s.n > 19 && s.p[0] == '0')
		s = str_from(s, 1);
	if (str_u64(s, &v) < 0 || v > INT64_MAX)
		return ERR_INVALID;
	*r_v = (int64_t)v;
	return 0;
}

/* A list with a separator; FWS around elements goes. Empty elements are wrong. */
static int
list(struct arena *a, struct str s, char sep, bool lower, struct strlist *r_l)
{
	do {
		struct str item = str_trim(str_split(&s, sep));

		if (item.n == 0)
			return ERR_INVALID;
		strlist_add(a, r_l, lower ? str_lower(a, item) : item);
	} while (s.n > 0);
	return 0;
}

/* hdr-name = field-name: printable ASCII without colon and semicolon. */
static bool
valid_names(const struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->v[i].n; k++)
			if ((unsigned char)l->v[i].p[k] <= ' ' || (unsigned char)l->v[i].p[k] >= 0x7f)
				return false;
	return true;
}

/* selector = sub-domain *( "." sub-domain ); "_" is tolerated: rfc/6376:581 */
static bool
valid_selector(struct str s)
{
	if (s.n == 0 || s.n > 253)
		return false;
	while (s.n > 0) {
		struct str label = str_split(&s, '.');

		if (label.n == 0 || label.n > 63 || label.p[0] == '-')
			return false;
		for (size_t i = 0; i < label.n; i++)
			if (!cur_class_has(&cur_alnum, (unsigned char)label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
				return false;
	}
	return true;
}

static int
domain(struct arena *a, struct str s, struct str *r_d)
{
	struct idna_domain d;

	/* A-labels only: rfc/6376:1115 */
	if (!str_is_ascii(s) || idna_parse(a, s, IDNA_UNDERSCORE, &d, NULL) < 0)
		return ERR_INVALID;
	*r_d = d.ascii;
	return 0;
}

static bool
is_under(struct arena *a, struct str name, struct str parent)
{
	return str_is(name, parent) || str_ends(name, str_cat(a, S("."), parent));
}

static int
identity(struct arena *a, struct str value, unsigned flags, struct dkim_signature *s)
{
	struct buf decoded = BUF_ARENA(a, value.n + 1);
	struct enc_qpdec qp = { 0 };
	ssize_t at;

	/* dkim-quoted-printable, in which white space may stand anywhere: rfc/6376:494 */
	for (size_t i = 0; i < value.n; i++)
		if (!str_has(S(" \t\r\n"), value.p[i]))
			enc_qpdec_add(&qp, str_n(value.p + i, 1), &decoded);
	enc_qpdec_end(&qp, &decoded);
	value = buf_str(&decoded);
	at = str_rfind(value, '@');
	if (at < 0)
		return ERR_INVALID;
	s->has_identity = true;
	s->identity_localpart = str_upto(value, (size_t)at);
	if (!(flags & DKIM_SMTPUTF8) && !str_is_ascii(s->identity_localpart))
		return ERR_INVALID;
	return domain(a, str_from(value, (size_t)at + 1), &s->identity_domain);
}

static int
canonicalization(struct arena *a, struct str value, struct dkim_signature *s)
{
	struct str body = str_lower(a, value), header = str_split(&body, '/');

	s->canon_header = header;
	if (body.n > 0)
		s->canon_body = body;
	else if (str_has(value, '/'))
		return ERR_INVALID;
	return header.n > 0 ? 0 : ERR_INVALID;
}

/* Errors name the tag; its values come from outside and stay out. */
#define CHECK(tag, expr) do { if ((expr) < 0) return err_set(e, ERR_INVALID, "bad value of " tag "="); } while (0)

static int
optional_tags(struct arena *a, const struct dkim_tags *t, unsigned flags, struct dkim_signature *s, struct errmsg *e)
{
	const struct dkim_tag *g;

	if ((g = dkim_tag_get(t, "c")))
		CHECK("c", canonicalization(a, g->value, s));
	if ((g = dkim_tag_get(t, "i")))
		CHECK("i", identity(a, g->value, flags, s));
	if ((g = dkim_tag_get(t, "l")))
		CHECK("l", number(g->value, 76, &s->length));
	if ((g = dkim_tag_get(t, "q")))
		CHECK("q", list(a, g->value, ':', true, &s->query));
	if ((g = dkim_tag_get(t, "t")))
		CHECK("t", number(g->value, 12, &s->sign_time));
	if ((g = dkim_tag_get(t, "x")))
		CHECK("x", number(g->value, 12, &s->expire_time));
	if ((g = dkim_tag_get(t, "z")))
		CHECK("z", list(a, g->value, '|', false, &s->copied));
	return 0;
}

static int
required_tags(struct arena *a, const struct dkim_tags *t, struct dkim_signature *s, struct errmsg *e)
{
	static const char *const names[] = { "v", "a", "b", "bh", "d", "h", "s" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!dkim_tag_get(t, names[i]))
			return err_set(e, ERR_INVALID, "tag %s= is missing", names[i]);
	/* The only version: rfc/6376:1026 */
	if (!str_is(dkim_tag_get(t, "v")->value, S("1")))
		return err_set(e, ERR_INVALID, "unknown version");
	s->algorithm = str_lower(a, dkim_tag_get(t, "a")->value);
	if (!str_has(s->algorithm, '-'))
		return err_set(e, ERR_INVALID, "bad value of a=");
	CHECK("b", dkim_unbase64(a, dkim_tag_get(t, "b")->value, &s->signature));
	CHECK("bh", dkim_unbase64(a, dkim_tag_get(t, "bh")->value, &s->body_hash));
	CHECK("d", domain(a, dkim_tag_get(t, "d")->value, &s->domain));
	CHECK("h", list(a, dkim_tag_get(t, "h")->value, ':', false, &s->headers));
	if (!valid_names(&s->headers))
		return err_set(e, ERR_INVALID, "bad value of h=");
	s->selector = str_lower(a, dkim_tag_get(t, "s")->value);
	if (!valid_selector(s->selector))
		return err_set(e, ERR_INVALID, "bad value of s=");
	return 0;
}

int
dkim_parse_signature(
    struct arena *a, struct str field, unsigned flags, struct dkim_signature *r_sig, struct str *r_verify_form, struct errmsg *e)
{
	struct dkim_signature s = {
		.length = -1, .sign_time = -1, .expire_time = -1, .canon_header = S("simple"), .canon_body = S("simple")
	};
	struct dkim_tags t = { 0 };
	ssize_t colon = str_find(field, ':');
	size_t want;

	if (colon < 0 || !str_icase(str_trim(str_upto(field, (size_t)colon)), S("DKIM-Signature")))
		return err_set(e, ERR_INVALID, "not a DKIM-Signature field");
	TRY(dkim_tags(a, str_from(field, (size_t)colon + 1), &t, e));
	TRY(required_tags(a, &t, &s, e));
	TRY(optional_tags(a, &t, flags, &s, e));
	want = str_ends(s.algorithm, S("-sha256")) ? 32 : str_ends(s.algorithm, S("-sha1")) ? 20 : s.body_hash.n;
	if (s.body_hash.n != want)
		return err_set(e, ERR_INVALID, "length of bh= does not fit its algorithm");
	/* x= MUST be greater than t=: rfc/6376:1337 */
	if (s.sign_time >= 0 && s.expire_time >= 0 && s.expire_time <= s.sign_time)
		return err_set(e, ERR_INVALID, "x= is not after t=");
	/* The domain part of i= MUST be d= or below it: rfc/6376:1208 */
	if (s.has_identity && !is_under(a, s.identity_domain, s.domain))
		return err_set(e, ERR_INVALID, "domain of i= is not within d=");
	*r_sig = s;
	*r_verify_form = dkim_without_b(a, field);
	return 0;
}
