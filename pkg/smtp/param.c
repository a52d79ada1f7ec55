/* SPDX-License-Identifier: MIT */
/*
 * Parameters of MAIL and RCPT, and xtext, the encoding of their values.
 */
#include "smtp/smtp.h"

#include "base/enc.h"

static bool
is_keyword(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

bool
smtp_param(struct cur *c, unsigned flags, struct str *r_keyword, struct str *r_value)
{
	struct str value = { 0 };
	const char *start;

	if (!cur_ok(c) || cur_end(c))
		return false;
	cur_char(c, ' ');
	if (!(flags & SMTP_PEDANTIC)) {
		while (cur_try(c, ' '))
			continue;
		if (cur_ok(c) && cur_end(c))
			return false;
	}

	/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")   rfc/5321:2279 */
	start = c->p;
	if (!is_keyword(cur_peek(c)) || cur_is(c, '-'))
		cur_fail(c, "parameter keyword");
	while (is_keyword(cur_peek(c)))
		cur_any(c, "parameter keyword");
	struct str keyword = str_n(start, (size_t)(c->p - start));

	/* esmtp-value = 1*(%d33-60 / %d62-126 / UTF8-non-ascii)    rfc/5321:2281, rfc/6531:422 */
	if (cur_try(c, '=')) {
		start = c->p;
		for (int ch; (ch = cur_peek(c)) > 0x20 && ch != '=' && ch != 0x7f;)
			cur_any(c, "parameter value");
		if (c->p == start)
			cur_fail(c, "parameter value");
		value = str_n(start, (size_t)(c->p - start));
	}
	if (!cur_end(c) && !cur_is(c, ' '))
		cur_fail(c, "space or end after parameter");
	if (!cur_ok(c))
		return false;
	*r_keyword = keyword;
	*r_value = value;
	return true;
}

/* xchar = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "=": rfc/3461:321 */
static bool
is_xchar(unsigned char c)
{
	return c >= 0x21 && c <= 0x7e && c != '+' && c != '=';
}

void
smtp_xtext_add(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (is_xchar(c))
			buf_addc(b, (char)c);
		else
			buf_addf(b, "+%02X", c);
	}
}

int
smtp_unxtext(struct arena *a, struct str s, unsigned flags, struct str *r_out)
{
	char *out = arena_bytes(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '+') {
			if (s.n - i < 3)
				return ERR_INVALID;
			int hi = enc_hexval(s.p[i + 1]), lo = enc_hexval(s.p[i + 2]);
			if (hi < 0 || lo < 0)
				return ERR_INVALID;
			if ((flags & SMTP_PEDANTIC) && (s.p[i + 1] >= 'a' || s.p[i + 2] >= 'a'))
				return ERR_INVALID;
			out[n++] = (char)(hi << 4 | lo);
			i += 2;
		} else if (is_xchar(c)) {
			out[n++] = (char)c;
		} else {
			return ERR_INVALID;
		}
	}
	*r_out = str_n(out, n);
	return 0;
}
