/* SPDX-License-Identifier: MIT */
/* parse.c - records: parsing and writing. */
#include "base/cur.h"
#include "spf/spf_internal.h"

static bool
is_alnum(char c)
{
	return cur_class_has(&cur_alnum, (unsigned char)c);
}

static bool
is_alpha(char c)
{
	return cur_class_has(&cur_alpha, (unsigned char)c);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"    rfc/7208:1589 */
size_t
spf_macro_length(struct str s, bool in_text)
{
	size_t i = 3;

	if (s.n < 2 || s.p[0] != '%')
		return 0;
	if (s.p[1] == '%' || s.p[1] == '_' || s.p[1] == '-')
		return 2;
	if (s.p[1] != '{' || s.n < 4)
		return 0;
	if (!str_has(S("slodiphvSLODIPHV"), s.p[2]) && !(in_text && str_has(S("crtCRT"), s.p[2])))
		return 0;
	while (i < s.n && is_digit(s.p[i]))
		i++;
	if (i > 3) {
		uint32_t digits;

		/* If a DIGIT is specified, the value MUST be nonzero: rfc/7208:1687 */
		if (i > 12 || str_u32(str_n(s.p + 3, i - 3), &digits) < 0 || digits == 0)
			return 0;
	}
	if (i < s.n && (s.p[i] == 'r' || s.p[i] == 'R'))
		i++;
	while (i < s.n && str_has(S(".-+,/_="), s.p[i]))
		i++;
	return i < s.n && s.p[i] == '}' ? i + 1 : 0;
}

bool
spf_macro_string(struct str s, bool in_text)
{
	while (s.n > 0) {
		size_t n = 1;

		if (s.p[0] == '%')
			n = spf_macro_length(s, in_text);
		else if ((unsigned char)s.p[0] < 0x21 || (unsigned char)s.p[0] > 0x7e)
			n = in_text && s.p[0] == ' ';
		if (n == 0)
			return false;
		s = str_from(s, n);
	}
	return true;
}

/* toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )    rfc/7208:1582 */
static bool
is_toplabel(struct str s)
{
	bool letter = false, hyphen = false;

	if (s.n == 0 || !is_alnum(s.p[0]) || !is_alnum(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		letter |= is_alpha(s.p[i]);
		hyphen |= s.p[i] == '-';
		if (!is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	}
	return letter || hyphen;
}

/* domain-spec = macro-string domain-end; domain-end = ( "." toplabel [ "." ] ) / macro-expand    rfc/7208:1579 */
bool
spf_domain_spec(struct str s)
{
	size_t dot = 0;         /* offset behind the last literal dot that may start the top label */
	struct str rest = s, body;
	bool has_dot = false, macro_last = false;

	if (s.n == 0 || !spf_macro_string(s, false))
		return false;
	body = str_ends(s, S(".")) ? str_upto(s, s.n - 1) : s;
	while (rest.n > 0) {
		size_t n = rest.p[0] == '%' ? spf_macro_length(rest, false) : 1;

		macro_last = rest.p[0] == '%';
		if (rest.p[0] == '.' && (size_t)(rest.p - s.p) < body.n) {
			dot = (size_t)(rest.p - s.p) + 1;
			has_dot = true;
		}
		rest = str_from(rest, n);
	}
	return macro_last || (has_dot && is_toplabel(str_from(body, dot)));
}

/* Digits of a prefix length without leading zeros, at most max; -1 otherwise. */
static int
prefix_length(struct str s, unsigned max)
{
	uint32_t v;

	if (s.n == 0 || s.n > 3 || (s.n > 1 && s.p[0] == '0') || str_u32(s, &v) < 0 || v > max)
		return -1;
	return (int)v;
}

/* Digits at the end of s; s is left without them. */
static struct str
trailing_digits(struct str *s)
{
	size_t n = s->n;

	while (n > 0 && is_digit(s->p[n - 1]))
		n--;
	struct str digits = str_from(*s, n);

	s->n = n;
	return digits;
}

/* dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ], taken off the end: rfc/7208:1361 */
static int
take_cidr(struct str *s, struct spf_directive *d)
{
	struct str t = *s, digits = trailing_digits(&t);

	if (digits.n > 0 && str_ends(t, S("//"))) {
		if ((d->cidr6 = prefix_length(digits, 128)) < 0)
			return ERR_INVALID;
		t.n -= 2;
		*s = t;
		digits = trailing_digits(&t);
	}
	if (digits.n > 0 && str_ends(t, S("/"))) {
		if ((d->cidr4 = prefix_length(digits, 32)) < 0)
			return ERR_INVALID;
		t.n--;
		*s = t;
	}
	return 0;
}

static int
parse_ip4(struct str s, struct spf_directive *d)
{
	ssize_t slash = str_find(s, '/');
	struct str octets;

	if (slash >= 0) {
		if ((d->cidr4 = prefix_length(str_from(s, (size_t)slash + 1), 32)) < 0)
			return ERR_INVALID;
		s = str_upto(s, (size_t)slash);
	}
	/* qnum: no leading zeros: rfc/7208:1363 */
	octets = s;
	for (int i = 0; i < 4; i++)
		if (prefix_length(str_split(&octets, '.'), 255) < 0)
			return ERR_INVALID;
	return ip_parse(s, &d->ip) < 0 || d->ip.family != 4 ? ERR_INVALID : 0;
}

static int
parse_ip6(struct str s, struct spf_directive *d)
{
	ssize_t slash = str_find(s, '/');

	if (slash >= 0) {
		if ((d->cidr6 = prefix_length(str_from(s, (size_t)slash + 1), 128)) < 0)
			return ERR_INVALID;
		s = str_upto(s, (size_t)slash);
	}
	/* A mapped address parses as IPv4 and then never matches an IPv6 client, which is right: such clients are IPv4. */
	return str_has(s, ':') && ip_parse(s, &d->ip) == 0 ? 0 : ERR_INVALID;
}

static const struct { const char *name; enum spf_mechanism mechanism;
} mechanisms[] = {
	{ "all", SPF_ALL },
	{ "include", SPF_INCLUDE },
	{ "a", SPF_A },
	{ "mx", SPF_MX },
	{ "ptr", SPF_PTR },
	{ "ip4", SPF_IP4 },
	{ "ip6", SPF_IP6 },
	{ "exists", SPF_EXISTS },
};

static int
parse_directive(struct str term, struct spf_directive *d)
{
	struct str name, value;
	size_t n = 0, i = 0;
	bool colon;

	*d = (struct spf_directive){ .qualifier = '+', .cidr4 = -1, .cidr6 = -1 };
	if (str_has(S("+-?~"), term.p[0])) {
		d->qualifier = term.p[0];
		d->explicit_plus = term.p[0] == '+';
		term = str_from(term, 1);
	}
	while (n < term.n && term.p[n] != ':' && term.p[n] != '/')
		n++;
	name = str_upto(term, n);
	while (i < ARRAY_LEN(mechanisms) && !str_icase(name, str_of(mechanisms[i].name)))
		i++;
	if (i == ARRAY_LEN(mechanisms))
		return ERR_INVALID;
	d->mechanism = mechanisms[i].mechanism;
	value = str_from(term, n);
	colon = str_starts(value, S(":"));

	switch (d->mechanism) {
	case SPF_ALL:
		return value.n == 0 ? 0 : ERR_INVALID;
	case SPF_IP4:
		return colon ? parse_ip4(str_from(value, 1), d) : ERR_INVALID;
	case SPF_IP6:
		return colon ? parse_ip6(str_from(value, 1), d) : ERR_INVALID;
	case SPF_A:
	case SPF_MX:
		TRY(take_cidr(&value, d));
		break;
	case SPF_PTR:
	case SPF_INCLUDE:
	case SPF_EXISTS:
		break;
	}
	if (value.n == 0)
		return d->mechanism == SPF_INCLUDE || d->mechanism == SPF_EXISTS ? ERR_INVALID : 0;
	d->domain = str_from(value, 1);
	return str_starts(value, S(":")) && spf_domain_spec(d->domain) ? 0 : ERR_INVALID;
}

/* name "=" macro-string. The '=' stands before any ':' or '/': rfc/7208:876 */
static bool
is_modifier(struct str term, struct str *r_name, struct str *r_value)
{
	size_t n = 0;

	while (n < term.n && (is_alnum(term.p[n]) || str_has(S("-_."), term.p[n])))
		n++;
	if (n == 0 || n == term.n || term.p[n] != '=' || !is_alpha(term.p[0]))
		return false;
	*r_name = str_upto(term, n);
	*r_value = str_from(term, n + 1);
	return true;
}

static int
parse_modifier(struct arena *a, struct str name, struct str value, struct spf_record *r)
{
	bool redirect = str_icase(name, S("redirect"));

	if (redirect || str_icase(name, S("exp"))) {
		bool *has = redirect ? &r->has_redirect : &r->has_exp;

		/* Each MUST NOT appear more than once: rfc/7208:1419 */
		if (*has || !spf_domain_spec(value))
			return ERR_INVALID;
		*has = true;
		*(redirect ? &r->redirect : &r->exp) = value;
		return 0;
	}
	if (!spf_macro_string(value, false))
		return ERR_INVALID;
	r->others = arena_grow(a, r->others, r->nothers, r->nothers + 1, sizeof(*r->others));
	r->others[r->nothers++] = (struct spf_modifier){ name, value };
	return 0;
}

bool
spf_is_record(struct str txt)
{
	return str_istarts(txt, S("v=spf1")) && (txt.n == 6 || txt.p[6] == ' ');
}

int
spf_parse(struct arena *a, struct str txt, struct spf_record *r_record, struct errmsg *e)
{
	struct spf_record r = { 0 };

	if (!spf_is_record(txt))
		return err_set(e, ERR_INVALID, "a record starts with v=spf1");
	txt = str_from(txt, 6);
	while (txt.n > 0) {
		struct str term = str_split(&txt, ' '), name, value;
		int rv;

		if (term.n == 0)
			continue;
		if (is_modifier(term, &name, &value)) {
			rv = parse_modifier(a, name, value, &r);
		} else {
			r.directives = arena_grow(a, r.directives, r.ndirectives, r.ndirectives + 1, sizeof(*r.directives));
			rv = parse_directive(term, &r.directives[r.ndirectives++]);
		}
		if (rv < 0) {
			struct str shown = str_log(a, term, 80);

			return err_set(e, ERR_INVALID, "bad term \"" STRF "\" in SPF record", STRA(shown));
		}
	}
	*r_record = r;
	return 0;
}

static const char *
mechanism_name(enum spf_mechanism m)
{
	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
		if (mechanisms[i].mechanism == m)
			return mechanisms[i].name;
	bug("SPF mechanism %d", (int)m);
}

static void
pack_directive(struct buf *b, struct arena *a, const struct spf_directive *d)
{
	if (d->qualifier != '+' || d->explicit_plus)
		buf_addc(b, d->qualifier);
	buf_addz(b, mechanism_name(d->mechanism));
	if (d->mechanism == SPF_IP4 || d->mechanism == SPF_IP6) {
		struct str ip = ip_str(a, &d->ip);

		/* An IPv4-mapped address must stay an IPv6 one in writing. */
		buf_addf(b, ":%s" STRF, d->mechanism == SPF_IP6 && d->ip.family == 4 ? "::ffff:" : "", STRA(ip));
	} else if (d->domain.n > 0) {
		buf_addf(b, ":" STRF, STRA(d->domain));
	}
	if (d->cidr4 >= 0)
		buf_addf(b, "/%d", d->cidr4);
	if (d->cidr6 >= 0)
		buf_addf(b, "%s%d", d->mechanism == SPF_IP6 ? "/" : "//", d->cidr6);
}

struct str
spf_pack(struct arena *a, const struct spf_record *r)
{
	struct buf b = BUF_ARENA(a, SPF_MAX_TEXT);

	buf_addz(&b, "v=spf1");
	for (size_t i = 0; i < r->ndirectives; i++) {
		buf_addc(&b, ' ');
		pack_directive(&b, a, &r->directives[i]);
	}
	if (r->has_redirect)
		buf_addf(&b, " redirect=" STRF, STRA(r->redirect));
	if (r->has_exp)
		buf_addf(&b, " exp=" STRF, STRA(r->exp));
	for (size_t i = 0; i < r->nothers; i++)
		buf_addf(&b, " " STRF "=" STRF, STRA(r->others[i].name), STRA(r->others[i].value));
	return buf_str(&b);
}
