/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <unicase.h>
#include <uninorm.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/mem.h"

/* UTF8-octets  rfc/3629:275 */
int
utf8_next(struct str s, uint32_t *r_cp)
{
	const unsigned char *p = (const unsigned char *)s.p;
	uint32_t cp, min;
	int n;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80) {
		*r_cp = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2, cp = p[0] & 0x1f, min = 0x80;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3, cp = p[0] & 0x0f, min = 0x800;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4, cp = p[0] & 0x07, min = 0x10000;
	else
		return -1;
	if ((size_t)n > s.n)
		return -1;
	for (int i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < min || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return -1;
	*r_cp = cp;
	return n;
}

bool
utf8_valid(struct str s)
{
	while (s.n > 0) {
		uint32_t cp;
		int n = utf8_next(s, &cp);

		if (n < 0)
			return false;
		s = str_from(s, (size_t)n);
	}
	return true;
}

void
utf8_add(struct buf *b, uint32_t cp)
{
	char t[4];
	size_t n;

	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = 0xfffd;
	if (cp < 0x80) {
		buf_addc(b, (char)cp);
		return;
	}
	n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, cp >>= 6)
		t[i] = (char)(0x80 | (cp & 0x3f));
	t[0] = (char)((0xf0 << (4 - n)) | cp);
	buf_add(b, str_n(t, n));
}

size_t
utf8_count(struct str s)
{
	size_t count = 0;

	for (; s.n > 0; count++) {
		uint32_t cp;
		int n = utf8_next(s, &cp);

		s = str_from(s, n > 0 ? (size_t)n : 1);
	}
	return count;
}

struct str
utf8_clean(struct arena *a, struct str s)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);
	struct str rest = s;

	if (utf8_valid(s))
		return s;
	buf_reserve(&b, s.n);
	while (rest.n > 0) {
		uint32_t cp;
		int n = utf8_next(rest, &cp);

		if (n > 0)
			buf_add(&b, str_upto(rest, (size_t)n));
		else
			buf_add(&b, S("\xef\xbf\xbd"));
		rest = str_from(rest, n > 0 ? (size_t)n : 1);
	}
	return buf_str(&b);
}

struct str
utf8_cut(struct str s, size_t max)
{
	uint32_t cp;
	size_t n = max;

	if (s.n <= max)
		return s;
	/* A code point that starts up to three bytes before the cut and goes past it is left out. */
	for (size_t back = 1; back <= 3 && back <= max; back++) {
		int len = utf8_next(str_from(s, max - back), &cp);

		if (len > 0) {
			if ((size_t)len > back)
				n = max - back;
			break;
		}
	}
	return str_upto(s, n);
}

bool
utf8_is_nfc(struct str s)
{
	cleanup_(mem_cleanup) uint8_t *out = NULL;
	size_t n = 0;

	if (str_is_ascii(s))
		return true;
	if (!utf8_valid(s))
		return false;
	out = u8_normalize(UNINORM_NFC, (const uint8_t *)s.p, s.n, NULL, &n);
	bug_if(out == NULL);
	return str_is(s, str_n((const char *)out, n));
}

struct str
utf8_nfc(struct arena *a, struct str s)
{
	cleanup_(mem_cleanup) uint8_t *out = NULL;
	size_t n = 0;

	if (str_is_ascii(s) || !utf8_valid(s))
		return s;
	out = u8_normalize(UNINORM_NFC, (const uint8_t *)s.p, s.n, NULL, &n);
	bug_if(out == NULL);
	return str_dup(a, str_n((const char *)out, n));
}

struct str
utf8_lower(struct arena *a, struct str s)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);

	if (str_is_ascii(s))
		return str_lower(a, s);
	if (!utf8_valid(s))
		return s;
	buf_reserve(&b, s.n);
	while (s.n > 0) {
		uint32_t cp;
		int n = utf8_next(s, &cp);

		utf8_add(&b, uc_tolower(cp));
		s = str_from(s, (size_t)n);
	}
	return buf_str(&b);
}

struct str
utf8_casemap(struct arena *a, struct str s)
{
	cleanup_(mem_cleanup) uint8_t *out = NULL;
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);
	size_t n = 0;

	if (!utf8_valid(s))
		return s;
	buf_reserve(&b, s.n);
	for (struct str rest = s; rest.n > 0;) {
		uint32_t cp;
		int len = utf8_next(rest, &cp);

		utf8_add(&b, uc_totitle(cp));
		rest = str_from(rest, (size_t)len);
	}
	if (str_is_ascii(buf_str(&b)))
		return buf_str(&b);
	out = u8_normalize(UNINORM_NFKD, (const uint8_t *)b.p, b.n, NULL, &n);
	bug_if(out == NULL);
	return str_dup(a, str_n((const char *)out, n));
}

struct str
utf8_casefold(struct arena *a, struct str s)
{
	cleanup_(mem_cleanup) uint8_t *out = NULL;
	size_t n = 0;

	if (str_is_ascii(s))
		return str_lower(a, s);
	if (!utf8_valid(s))
		return s;
	out = u8_casefold((const uint8_t *)s.p, s.n, NULL, UNINORM_NFC, NULL, &n);
	bug_if(out == NULL);
	return str_dup(a, str_n((const char *)out, n));
}
