/* SPDX-License-Identifier: MIT */
#include "imap/name.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "imap/parse.h"

static const char utf7_digits[64 + 1] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int
utf7_value(char c)
{
	const char *p = c ? memchr(utf7_digits, c, 64) : NULL;
	return p ? (int)(p - utf7_digits) : -1;
}

static bool
is_printable(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

/*
 * Decodes the base64 between "&" and "-": UTF-16 in network order, without anything that could stand unencoded
 * rfc/3501:1056
 */
static int
utf7_shifted(struct str s, struct buf *out)
{
	uint32_t acc = 0, high = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = utf7_value(s.p[i]);
		if (v < 0)
			return ERR_INVALID;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits < 16)
			continue;
		bits -= 16;
		uint32_t unit = acc >> bits & 0xffff;
		acc &= (UINT32_C(1) << bits) - 1;
		if (unit >= 0xd800 && unit < 0xdc00) {
			if (high)
				return ERR_INVALID;
			high = unit;
		} else if (unit >= 0xdc00 && unit < 0xe000) {
			if (!high)
				return ERR_INVALID;
			utf8_add(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
			high = 0;
		} else {
			if (high || is_printable(unit))
				return ERR_INVALID;
			utf8_add(out, unit);
		}
	}
	/* What is left must be less than one digit, and zero. */
	return high || bits >= 6 || acc != 0 ? ERR_INVALID : 0;
}

int
imap_utf7_decode(struct arena *a, struct str s, struct str *r_utf8)
{
	bool shifted_back = false;

	if (!str_has(s, '&')) {
		if (!utf8_valid(s))
			return ERR_INVALID;
		*r_utf8 = s;
		return 0;
	}
	struct buf out = BUF_ARENA(a, 2 * s.n + 4);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '&') {
			buf_addc(&out, s.p[i]);
			shifted_back = false;
			continue;
		}
		ssize_t len = str_find(str_from(s, i + 1), '-');
		if (len < 0)
			return ERR_INVALID;
		if (len == 0) {
			buf_addc(&out, '&');
			shifted_back = false;
		} else {
			if (shifted_back)       /* could have stayed shifted   rfc/3501:1107 */
				return ERR_INVALID;
			TRY(utf7_shifted(str_n(s.p + i + 1, (size_t)len), &out));
			shifted_back = true;
		}
		i += (size_t)len + 1;
	}
	if (!utf8_valid(buf_str(&out)))
		return ERR_INVALID;
	*r_utf8 = buf_str(&out);
	return 0;
}

/* A run of bits that is written six at a time. */
struct utf7_run {
	struct buf *out;
	uint32_t acc;
	unsigned bits;
	bool open;
};

static void
run_add(struct utf7_run *r, uint32_t unit)
{
	if (!r->open)
		buf_addc(r->out, '&');
	r->open = true;
	r->acc = r->acc << 16 | unit;
	r->bits += 16;
	while (r->bits >= 6) {
		r->bits -= 6;
		buf_addc(r->out, utf7_digits[r->acc >> r->bits & 63]);
	}
	r->acc &= (UINT32_C(1) << r->bits) - 1;
}

static void
run_end(struct utf7_run *r)
{
	if (!r->open)
		return;
	if (r->bits > 0)
		buf_addc(r->out, utf7_digits[r->acc << (6 - r->bits) & 63]);
	buf_addc(r->out, '-');
	r->acc = r->bits = 0;
	r->open = false;
}

struct str
imap_utf7_encode(struct arena *a, struct str s)
{
	size_t plain = 0;

	while (plain < s.n && is_printable((unsigned char)s.p[plain]) && s.p[plain] != '&')
		plain++;
	if (plain == s.n)
		return s;

	/* The worst case is one character that shifts and shifts back: 6 octets for one. */
	struct buf out = BUF_ARENA(a, 6 * s.n + 4);
	struct utf7_run run = { .out = &out };
	buf_add(&out, str_upto(s, plain));
	for (s = str_from(s, plain); s.n > 0;) {
		uint32_t cp = 0xfffd;
		int len = utf8_next(s, &cp);
		if (len < 1)
			len = 1;
		s = str_from(s, (size_t)len);
		if (is_printable(cp)) {
			run_end(&run);
			buf_addc(&out, (char)cp);
			if (cp == '&')
				buf_addc(&out, '-');
		} else if (cp >= 0x10000) {
			run_add(&run, 0xd800 + ((cp - 0x10000) >> 10));
			run_add(&run, 0xdc00 + ((cp - 0x10000) & 0x3ff));
		} else {
			run_add(&run, cp);
		}
	}
	run_end(&run);
	return buf_str(&out);
}

static struct str
decoded(struct cur *c, struct str s, bool utf8)
{
	struct str name = s;

	if (!cur_ok(c))
		return (struct str){ 0 };
	if (utf8 ? !utf8_valid(s) : imap_utf7_decode(c->a, s, &name) < 0)
		cur_fail(c, utf8 ? "mailbox name in UTF-8" : "mailbox name in modified UTF-7");
	return cur_ok(c) ? name : (struct str){ 0 };
}

struct str
imap_mailbox(struct cur *c, bool utf8)
{
	return decoded(c, imap_astring(c), utf8);
}

struct str
imap_list_mailbox(struct cur *c, bool utf8)
{
	if (cur_is(c, '"') || cur_is(c, '{'))
		return decoded(c, imap_string(c), utf8);
	return decoded(c, cur_span1(c, &imap_list_chars, "mailbox pattern"), utf8);
}

struct str
imap_pattern_join(struct arena *a, struct str reference, struct str pattern)
{
	struct str joined = pattern;

	if (str_starts(reference, S("/")) || str_starts(pattern, S("/")))
		return (struct str){ 0 };
	if (reference.n > 0) {
		struct buf b = BUF_ARENA(a, reference.n + pattern.n + 2);
		struct str rest = str_fmt(a, STRF "/" STRF, STRA(reference), STRA(pattern));
		while (rest.n > 0) {
			struct str element = str_split(&rest, '/');
			if (element.n == 0)
				continue;
			if (b.n > 0)
				buf_addc(&b, '/');
			buf_add(&b, element);
		}
		joined = buf_str(&b);
	}
	struct str rest = joined, first = str_split(&rest, '/');
	if (str_icase(first, S("Inbox")))
		joined = str_cat(a, S("Inbox"), str_from(joined, first.n));
	if (!joined.p)
		joined.p = "";
	return joined;
}

/*
 * On a mismatch the last "%" takes one more character; where it may not (a "/"), the last "*" does. Going back
 * further never helps: a "*" matches whatever an earlier wildcard could, and between two of them the leftmost match
 * of what stands between ends first.
 */
bool
imap_pattern_match(struct str pattern, struct str name)
{
	size_t p = 0, n = 0;
	size_t star_p = SIZE_MAX, star_n = 0, percent_p = SIZE_MAX, percent_n = 0;

	for (;;) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star_p = ++p;
			star_n = n;
			percent_p = SIZE_MAX;
			continue;
		}
		if (p < pattern.n && pattern.p[p] == '%') {
			percent_p = ++p;
			percent_n = n;
			continue;
		}
		if (p < pattern.n && n < name.n && pattern.p[p] == name.p[n]) {
			p++;
			n++;
			continue;
		}
		if (p == pattern.n && n == name.n)
			return true;
		if (percent_p != SIZE_MAX && percent_n < name.n && name.p[percent_n] != '/') {
			p = percent_p;
			n = ++percent_n;
			continue;
		}
		percent_p = SIZE_MAX;
		if (star_p == SIZE_MAX || star_n >= name.n)
			return false;
		p = star_p;
		n = ++star_n;
	}
}
