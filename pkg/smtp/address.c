/* SPDX-License-Identifier: MIT */
/*
 * Localparts, addresses and paths. The productions are those of RFC 5321 4.1.2, extended by RFC 6531 3.3; each function
 * reads the production of its name from a cursor and records the first fault in struct fault, since a cursor alone cannot tell the
 * two kinds of missing SMTPUTF8 apart, which have different reply codes.
 */
#include "smtp/smtp.h"

#include "base/limits.h"
#include "base/utf8.h"

#define LOCALPART_PEDANTIC 64   /* rfc/5321:3486 */

static const char atext_specials[] = "!#$%&'*+-/=?^_`{|}~";

static bool
is_atext(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80 ||
		(c != 0 && strchr(atext_specials, c));
}

/* Reading */

struct reader {
	struct cur c;
	struct arena *a;
	unsigned flags;
	int code;               /* error class when c failed; 0 means ERR_INVALID */
};

static void
fail(struct reader *r, int code, const char *want)
{
	if (cur_ok(&r->c))
		r->code = code;
	cur_fail(&r->c, want);
}

static int
finish(struct reader *r, const char *what, struct errmsg *e)
{
	if (cur_done(&r->c))
		return 0;
	return err_set(e, r->code ? r->code : ERR_INVALID, "%s: expected %s at offset %zu", what, r->c.want, cur_off(&r->c));
}

/*
 * Dot-string     = Atom *("."  Atom)
 * Quoted-string  = DQUOTE *QcontentSMTP DQUOTE         rfc/5321:2320
 * atext and qtextSMTP include non-ASCII                rfc/6531:414,419
 */
static struct str
localpart(struct reader *r)
{
	struct cur *c = &r->c;
	char *out = arena_bytes(r->a, cur_left(c) + 1);
	size_t n = 0;
	bool quoted = cur_try(c, '"'), any = false;

	for (int ch; (ch = cur_peek(c)) >= 0;) {
		if (quoted ? ch == '"' : !is_atext((unsigned char)ch) && ch != '.')
			break;
		if (quoted && ch == '\\') {
			cur_char(c, '\\');
			ch = cur_peek(c);
			if (ch < 0x20 || ch > 0x7e)
				fail(r, 0, "printable ASCII after backslash");
		} else if (ch < 0x20 || ch == 0x7f) {
			fail(r, 0, "no control character");
		} else if (ch == '.' && !quoted) {
			if (!any)
				fail(r, 0, "localpart without empty atom");
			any = false;
			out[n++] = (char)cur_any(c, "localpart");
			continue;
		}
		if (!cur_ok(c))
			break;
		any = true;
		out[n++] = (char)cur_any(c, "localpart");
	}
	if (quoted)
		cur_char(c, '"');
	else if (!any)
		fail(r, 0, "localpart");
	if (!cur_ok(c))
		return (struct str){ 0 };

	struct str s = str_n(out, n);
	if (!str_is_ascii(s)) {
		if (!(r->flags & SMTP_UTF8))
			fail(r, SMTP_ERR_UTF8_LOCALPART, "ASCII localpart without SMTPUTF8");
		else if (!utf8_valid(s))
			fail(r, 0, "valid UTF-8");
		else
			s = utf8_nfc(r->a, s);
	}
	if (s.n > (r->flags & SMTP_PEDANTIC ? LOCALPART_PEDANTIC : LIMIT_LOCALPART))
		fail(r, ERR_LIMIT, "shorter localpart");
	return s;
}

/* Domain = sub-domain *("." sub-domain); sub-domain may be a U-label: rfc/5321:2291, rfc/6531:411 */
static struct idna_domain
domain(struct reader *r)
{
	struct cur *c = &r->c;
	struct idna_domain d = { 0 };
	const char *start = c->p;

	for (int ch; (ch = cur_peek(c)) >= 0; cur_any(c, "domain")) {
		bool ascii = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '.' ||
			(ch == '_' && (r->flags & SMTP_UNDERSCORE));
		if (ch >= 0x80 && !(r->flags & SMTP_UTF8)) {
			fail(r, SMTP_ERR_UTF8_DOMAIN, "ASCII domain without SMTPUTF8");
			return d;
		}
		if (!ascii && ch < 0x80)
			break;
	}
	if (!cur_ok(c))
		return d;
	struct str text = str_n(start, (size_t)(c->p - start));
	if (text.n > LIMIT_DOMAIN)
		fail(r, ERR_LIMIT, "shorter domain");
	else if (idna_parse(r->a, text, r->flags & SMTP_UNDERSCORE ? IDNA_UNDERSCORE : 0, &d, NULL) < 0)
		fail(r, 0, "valid domain");
	return d;
}

/* address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"  rfc/5321:2309 */
static struct ip
address_literal(struct reader *r)
{
	struct cur *c = &r->c;
	struct ip ip = { 0 };
	const char *start;

	cur_char(c, '[');
	start = c->p;
	for (int ch; (ch = cur_peek(c)) > 0x20 && ch < 0x7f && ch != ']' && ch != '>';)
		cur_any(c, "address literal");
	if (!cur_ok(c))
		return ip;
	struct str text = str_n(start, (size_t)(c->p - start));
	if (str_istarts(text, S("IPv6:"))) {
		if (ip_parse(str_from(text, 5), &ip) < 0 || !str_has(str_from(text, 5), ':'))
			fail(r, 0, "IPv6 address");
	} else if (ip_parse(text, &ip) < 0 || str_has(text, ':')) {
		fail(r, str_has(text, ':') ? ERR_UNSUPPORTED : 0, "IP address");
	}
	if (!cur_try(c, ']') && (r->flags & SMTP_PEDANTIC))
		fail(r, 0, "]");
	return ip;
}

static void
ipdomain(struct reader *r, struct smtp_ipdomain *h)
{
	if (cur_is(&r->c, '['))
		h->ip = address_literal(r);
	else
		h->domain = domain(r);
}

/* A-d-l = At-domain *( "," At-domain ), read and ignored: rfc/5321:2266 */
static void
source_route(struct reader *r)
{
	if (!cur_is(&r->c, '@'))
		return;
	do {
		cur_char(&r->c, '@');
		domain(r);
	} while (cur_try(&r->c, ','));
	cur_char(&r->c, ':');
}

int
smtp_parse_localpart(struct arena *a, struct str s, unsigned flags, struct str *r_localpart, struct errmsg *e)
{
	struct reader r = { .c = cur_of(s), .a = a, .flags = flags };
	struct str l = localpart(&r);

	TRY(finish(&r, "localpart", e));
	*r_localpart = l;
	return 0;
}

int
smtp_parse_address(struct arena *a, struct str s, unsigned flags, struct smtp_address *r_addr, struct errmsg *e)
{
	struct reader r = { .c = cur_of(s), .a = a, .flags = flags };
	struct smtp_address addr;

	addr.localpart = localpart(&r);
	cur_char(&r.c, '@');
	addr.domain = domain(&r);
	TRY(finish(&r, "address", e));
	*r_addr = addr;
	return 0;
}

int
smtp_make_address(struct arena *a, struct str lp, struct str dom, struct smtp_address *r_addr, struct errmsg *e)
{
	return smtp_parse_address(a, str_fmt(a, STRF "@" STRF, STRA(smtp_localpart(a, lp)), STRA(dom)), SMTP_UTF8 | SMTP_UNDERSCORE, r_addr, e);
}

struct str
smtp_path_text(struct cur *c)
{
	const char *start = c->p;
	bool quoted = false;

	cur_char(c, '<');
	for (int ch; (ch = cur_peek(c)) >= 0;) {
		cur_any(c, "path");
		if (ch == '"')
			quoted = !quoted;
		else if (quoted && ch == '\\')
			cur_any(c, "character after backslash");
		else if (!quoted && ch == '>')
			break;
	}
	if (cur_ok(c) && (c->p == start || c->p[-1] != '>' || quoted))
		cur_fail(c, ">");
	if (cur_ok(c) && c->p - start > LIMIT_PATH)
		cur_fail(c, "path of at most 256 octets");      // rfc/5321:3495
	return cur_ok(c) ? str_n(start, (size_t)(c->p - start)) : (struct str){ 0 };
}

int
smtp_parse_path(struct arena *a, struct str text, unsigned flags, struct smtp_path *r_path, struct errmsg *e)
{
	struct reader r = { .c = cur_of(text), .a = a, .flags = flags };
	struct smtp_path p = { 0 };

	if (text.n > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "path longer than %d octets", LIMIT_PATH);
	if ((flags & SMTP_EMPTY) && str_is(text, S("<>"))) {
		*r_path = p;
		return 0;
	}
	cur_char(&r.c, '<');
	source_route(&r);
	p.localpart = localpart(&r);
	if ((flags & SMTP_POSTMASTER) && cur_is(&r.c, '>') && str_icase(p.localpart, S("postmaster"))) {
		p.localpart = str_lower(a, p.localpart);        // rfc/5321:3395
	} else {
		cur_char(&r.c, '@');
		ipdomain(&r, &p.host);
	}
	cur_char(&r.c, '>');
	TRY(finish(&r, "path", e));
	*r_path = p;
	return 0;
}

int
smtp_parse_ipdomain(struct arena *a, struct str s, unsigned flags, struct smtp_ipdomain *r_host, struct errmsg *e)
{
	struct reader r = { .c = cur_of(s), .a = a, .flags = flags };
	struct smtp_ipdomain h = { 0 };

	ipdomain(&r, &h);
	TRY(finish(&r, "host name", e));
	*r_host = h;
	return 0;
}

/* Writing */

/* needs_quotes: not a dot-string of RFC 5321. Non-ASCII is atext in what we keep decoded. */
static bool
needs_quotes(struct str s)
{
	if (s.n == 0 || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return true;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '.' ? s.p[i - 1] == '.' : !is_atext(c))
			return true;
	}
	return false;
}

static void
add_quoted(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, s.p[i]);
	}
	buf_addc(b, '"');
}

void
smtp_localpart_add(struct buf *b, struct str lp)
{
	if (needs_quotes(lp))
		add_quoted(b, lp);
	else
		buf_add(b, lp);
}

struct str
smtp_localpart(struct arena *a, struct str lp)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);

	if (!needs_quotes(lp))
		return lp;
	add_quoted(&b, lp);
	return buf_str(&b);
}

struct str
smtp_localpart_dsn(struct arena *a, struct str lp)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);
	uint32_t cp;

	if (str_is_ascii(lp))
		return smtp_localpart(a, lp);
	for (struct str s = lp; s.n > 0;) {
		int n = utf8_next(s, &cp);
		if (n <= 0) {
			cp = (unsigned char)s.p[0];
			n = 1;
		}
		/* QCHAR: printable ASCII but "\", "+" and "=": rfc/6533:272 */
		if (cp < 0x21 || cp > 0x7e || cp == '\\' || cp == '+' || cp == '=')
			buf_addf(&b, "\\x{%02X}", (unsigned)cp);
		else
			buf_addc(&b, (char)cp);
		s = str_from(s, (size_t)n);
	}
	return buf_str(&b);
}

int
smtp_unescape_dsn(struct arena *a, struct str s, struct str *r_out)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);

	while (s.n > 0) {
		if (s.n < 3 || s.p[0] != '\\' || (s.p[1] | 0x20) != 'x' || s.p[2] != '{') {
			buf_addc(&b, s.p[0]);
			s = str_from(s, 1);
			continue;
		}
		ssize_t end = str_find(s, '}');
		uint32_t cp = 0;
		if (end < 5 || end > 9)         /* 2 to 6 digits: rfc/6533:295 */
			return ERR_INVALID;
		for (ssize_t i = 3; i < end; i++) {
			char c = s.p[i];
			char l = (char)(c | 0x20);
			if (c >= '0' && c <= '9')
				cp = cp << 4 | (uint32_t)(c - '0');
			else if (l >= 'a' && l <= 'f')
				cp = cp << 4 | (uint32_t)(l - 'a' + 10);
			else
				return ERR_INVALID;
		}
		if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
			return ERR_INVALID;
		utf8_add(&b, cp);
		s = str_from(s, (size_t)end + 1);
	}
	*r_out = buf_str(&b);
	return 0;
}

struct str
smtp_address(struct arena *a, const struct smtp_address *addr, bool utf8)
{
	return str_fmt(a, STRF "@" STRF, STRA(smtp_localpart(a, addr->localpart)), STRA(idna_text(&addr->domain, utf8)));
}

/* log_form joins what people see and, if it differs, what machines use: look-alikes must not hide in logs. */
static struct str
log_form(struct arena *a, struct str lp, struct str unicode, struct str ascii)
{
	struct str plain = str_log(a, str_fmt(a, STRF "@" STRF, STRA(lp), STRA(unicode)), SIZE_MAX / 2);

	if (!needs_quotes(lp) && str_is_ascii(lp) && str_is(unicode, ascii))
		return plain;
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);
	buf_add(&b, plain);
	buf_addc(&b, '/');
	struct buf q = BUF_ARENA(a, SIZE_MAX / 2);
	for (struct str s = lp; s.n > 0;) {
		uint32_t cp;
		int n = utf8_next(s, &cp);
		if (n <= 0) {
			cp = (unsigned char)s.p[0];
			n = 1;
		}
		if (cp < 0x20 || cp > 0x7e)
			buf_addf(&q, cp > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)cp);
		else if (cp == '"' || cp == '\\')
			buf_addf(&q, "\\%c", (char)cp);
		else
			buf_addc(&q, (char)cp);
		s = str_from(s, (size_t)n);
	}
	buf_addf(&b, "\"" STRF "\"@" STRF, STRA(buf_str(&q)), STRA(ascii));
	return buf_str(&b);
}

struct str
smtp_address_log(struct arena *a, const struct smtp_address *addr)
{
	return log_form(a, addr->localpart, idna_text(&addr->domain, true), addr->domain.ascii);
}

bool
smtp_address_equal(const struct smtp_address *x, const struct smtp_address *y)
{
	return str_is(x->localpart, y->localpart) && idna_equal(&x->domain, &y->domain);
}

bool
smtp_address_is_zero(const struct smtp_address *addr)
{
	return addr->localpart.n == 0 && idna_is_zero(&addr->domain);
}

struct smtp_address
smtp_address_dup(struct arena *a, const struct smtp_address *addr)
{
	return (struct smtp_address){ .localpart = str_dup(a, addr->localpart), .domain = idna_dup(a, &addr->domain) };
}

struct str
smtp_ipdomain(struct arena *a, const struct smtp_ipdomain *h, bool utf8)
{
	if (h->ip.family == 0)
		return idna_text(&h->domain, utf8);
	return str_fmt(a, "[%s" STRF "]", h->ip.family == 6 ? "IPv6:" : "", STRA(ip_str(a, &h->ip)));
}

struct str
smtp_ipdomain_log(struct arena *a, const struct smtp_ipdomain *h)
{
	return h->ip.family == 0 ? idna_log(a, &h->domain) : smtp_ipdomain(a, h, false);
}

bool
smtp_ipdomain_is_zero(const struct smtp_ipdomain *h)
{
	return h->ip.family == 0 && idna_is_zero(&h->domain);
}

struct str
smtp_path(struct arena *a, const struct smtp_path *p, bool utf8)
{
	if (smtp_path_is_null(p))
		return (struct str){ 0 };
	if (smtp_ipdomain_is_zero(&p->host))
		return smtp_localpart(a, p->localpart);
	return str_fmt(a, STRF "@" STRF, STRA(smtp_localpart(a, p->localpart)), STRA(smtp_ipdomain(a, &p->host, utf8)));
}

struct str
smtp_path_log(struct arena *a, const struct smtp_path *p)
{
	if (smtp_ipdomain_is_zero(&p->host))
		return str_log(a, p->localpart, SIZE_MAX / 2);
	return log_form(a, p->localpart, smtp_ipdomain(a, &p->host, true), smtp_ipdomain(a, &p->host, false));
}

bool
smtp_path_equal(const struct smtp_path *x, const struct smtp_path *y)
{
	return str_is(x->localpart, y->localpart) && ip_equal(&x->host.ip, &y->host.ip) && idna_equal(&x->host.domain, &y->host.domain);
}

bool
smtp_path_is_null(const struct smtp_path *p)
{
	return p->localpart.n == 0 && smtp_ipdomain_is_zero(&p->host);
}

bool
smtp_path_needs_utf8(const struct smtp_path *p)
{
	return !str_is_ascii(p->localpart);
}

struct smtp_path
smtp_path_of(const struct smtp_address *addr)
{
	return (struct smtp_path){ .localpart = addr->localpart, .host.domain = addr->domain };
}

struct smtp_path
smtp_path_dup(struct arena *a, const struct smtp_path *p)
{
	return (struct smtp_path){
		.localpart = str_dup(a, p->localpart),
		.host = { .domain = idna_dup(a, &p->host.domain), .ip = p->host.ip },
	};
}

bool
smtp_path_address(const struct smtp_path *p, struct smtp_address *r_addr)
{
	if (p->host.ip.family != 0 || idna_is_zero(&p->host.domain))
		return false;
	*r_addr = (struct smtp_address){ .localpart = p->localpart, .domain = p->host.domain };
	return true;
}
