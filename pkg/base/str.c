/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <stdarg.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"

static inline unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static inline char
upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}

char *
str_z(struct arena *a, struct str s)
{
	if (str_has(s, '\0'))
		return NULL;
	return (char *)(uintptr_t)str_dup(a, s).p;
}

struct str
str_dup(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return str_n(p, s.n);
}

struct str
str_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char small[256], *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		bug("str_fmt: format \"%s\" fails", fmt);
	if ((size_t)n < sizeof(small))
		return str_dup(a, str_n(small, (size_t)n));
	p = arena_bytes(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return str_n(p, (size_t)n);
}

struct str
str_cat(struct arena *a, struct str x, struct str y)
{
	char *p = arena_bytes(a, x.n + y.n + 1);

	if (x.n > 0)
		memcpy(p, x.p, x.n);
	if (y.n > 0)
		memcpy(p + x.n, y.p, y.n);
	p[x.n + y.n] = '\0';
	return str_n(p, x.n + y.n);
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int r = n > 0 ? memcmp(a.p, b.p, n) : 0;

	if (r != 0)
		return r < 0 ? -1 : 1;
	return (a.n > b.n) - (a.n < b.n);
}

bool
str_icase(struct str a, struct str b)
{
	return a.n == b.n && str_icmp(a, b) == 0;
}

int
str_icmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);

	for (size_t i = 0; i < n; i++) {
		int x = lower(a.p[i]), y = lower(b.p[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a.n > b.n) - (a.n < b.n);
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_is(str_n(s.p, prefix.n), prefix);
}

bool
str_istarts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_icase(str_n(s.p, prefix.n), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_is(str_from(s, s.n - suffix.n), suffix);
}

bool
str_iends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_icase(str_from(s, s.n - suffix.n), suffix);
}

bool
str_has(struct str s, char c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

ssize_t
str_find(struct str s, char c)
{
	const char *p = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return p ? p - s.p : -1;
}

ssize_t
str_rfind(struct str s, char c)
{
	const char *p = s.n > 0 ? memrchr(s.p, c, s.n) : NULL;

	return p ? p - s.p : -1;
}

ssize_t
str_search(struct str s, struct str needle)
{
	const char *p;

	if (needle.n == 0)
		return 0;
	if (s.n < needle.n)
		return -1;
	p = memmem(s.p, s.n, needle.p, needle.n);
	return p ? p - s.p : -1;
}

ssize_t
str_isearch(struct str s, struct str needle)
{
	if (needle.n == 0)
		return 0;
	for (size_t i = 0; needle.n <= s.n - i; i++)
		if (lower(s.p[i]) == lower(needle.p[0]) && str_icase(str_n(s.p + i, needle.n), needle))
			return (ssize_t)i;
	return -1;
}

struct str
str_from(struct str s, size_t off)
{
	off = MIN(off, s.n);
	return off > 0 ? str_n(s.p + off, s.n - off) : s;
}

struct str
str_upto(struct str s, size_t n)
{
	return str_n(s.p, MIN(s.n, n));
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = str_from(s, 1);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str
str_split(struct str *s, char c)
{
	struct str all = *s;
	ssize_t i = str_find(all, c);

	if (i < 0) {
		*s = str_from(all, all.n);
		return all;
	}
	*s = str_from(all, (size_t)i + 1);
	return str_upto(all, (size_t)i);
}

struct str
str_lower(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)lower(s.p[i]);
	p[s.n] = '\0';
	return str_n(p, s.n);
}

struct str
str_upper(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = upper(s.p[i]);
	p[s.n] = '\0';
	return str_n(p, s.n);
}

bool
str_is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 0x7f)
			return false;
	return true;
}

int
str_u64(struct str s, uint64_t *r_v)
{
	uint64_t v = 0;

	if (s.n == 0)
		return ERR_INVALID;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return ERR_INVALID;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return ERR_INVALID;
	}
	*r_v = v;
	return 0;
}

int
str_u32(struct str s, uint32_t *r_v)
{
	uint64_t v;

	TRY(str_u64(s, &v));
	if (v > UINT32_MAX)
		return ERR_INVALID;
	*r_v = (uint32_t)v;
	return 0;
}

int
str_i64(struct str s, int64_t *r_v)
{
	bool neg = str_starts(s, S("-"));
	uint64_t v;

	TRY(str_u64(neg || str_starts(s, S("+")) ? str_from(s, 1) : s, &v));
	if (v > (uint64_t)INT64_MAX + neg)
		return ERR_INVALID;
	*r_v = neg ? (int64_t)-v : (int64_t)v;
	return 0;
}

struct str
str_log(struct arena *a, struct str s, size_t max)
{
	static const char hex[] = "0123456789abcdef";
	/* Output is at most four times the input; it ends where the next unit would pass max. */
	size_t room = s.n > max / 4 ? max + 3 : s.n * 4;
	char *out = arena_bytes(a, room + 1);
	size_t n = 0;

	while (s.n > 0) {
		uint32_t cp;
		int len = utf8_next(s, &cp);
		bool plain = len > 0 && cp >= 0x20 && cp != 0x7f && cp != '\\';
		size_t take_n = len > 0 ? (size_t)len : 1, put = plain ? take_n : 4;

		if (put > max - n) {
			memcpy(out + n, "...", 3);
			n += 3;
			break;
		}
		if (plain) {
			memcpy(out + n, s.p, take_n);
		} else {
			unsigned char c = (unsigned char)s.p[0];

			memcpy(out + n, (char[]){ '\\', 'x', hex[c >> 4], hex[c & 15] }, 4);
		}
		n += put;
		s = str_from(s, take_n);
	}
	out[n] = '\0';
	return str_n(out, n);
}

void
strlist_add(struct arena *a, struct strlist *l, struct str s)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 8;

		l->v = arena_grow(a, l->v, l->n, cap, sizeof(l->v[0]));
		l->cap = cap;
	}
	l->v[l->n++] = s;
}

bool
strlist_has(const struct strlist *l, struct str s)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_is(l->v[i], s))
			return true;
	return false;
}

bool
strlist_ihas(const struct strlist *l, struct str s)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_icase(l->v[i], s))
			return true;
	return false;
}

static int
compare(const void *x, const void *y)
{
	const struct str *a = x, *b = y;

	return str_cmp(*a, *b);
}

void
strlist_sort(struct strlist *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(l->v[0]), compare);
}

struct str
strlist_join(struct arena *a, const struct strlist *l, struct str sep)
{
	size_t n = 0;
	char *p, *q;

	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].n + (i > 0 ? sep.n : 0);
	p = q = arena_bytes(a, n + 1);
	for (size_t i = 0; i < l->n; i++) {
		if (i > 0 && sep.n > 0)
			q = mempcpy(q, sep.p, sep.n);
		if (l->v[i].n > 0)
			q = mempcpy(q, l->v[i].p, l->v[i].n);
	}
	*q = '\0';
	return str_n(p, n);
}
