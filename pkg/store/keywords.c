/* SPDX-License-Identifier: MIT */
/* Flags and keywords: names, validity, sorted lists (store.md 6). */
#include "base/limits.h"
#include "store/store_internal.h"

static const char *const names[] = {
	"\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$Forwarded", "$Junk", "$NotJunk", "$Phishing", "$MDNSent",
};

const char *
store_flag_name(enum store_flag f)
{
	return names[__builtin_ctz(f)];
}

static unsigned
known(struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_icase(s, str_of(names[i])))
			return 1u << i;
	return 0;
}

int
store_keyword_valid(struct str keyword)
{
	if (keyword.n == 0 || keyword.n > LIMIT_KEYWORD || known(keyword))
		return STORE_BAD_KEYWORD;
	for (size_t i = 0; i < keyword.n; i++) {
		char c = keyword.p[i];
		if (c < 0x21 || c > 0x7e || (c >= 'A' && c <= 'Z') || strchr("(){%*\"\\]", c))
			return STORE_BAD_KEYWORD;
	}
	return 0;
}

int
store_flags_parse(struct arena *a, const struct strlist *in, unsigned *r_flags, struct str *r_keywords, struct errmsg *e)
{
	unsigned flags = 0;
	struct strlist keywords = { 0 };
	for (size_t i = 0; i < in->n; i++) {
		unsigned flag = known(in->v[i]);
		if (flag) {
			flags |= flag;
			continue;
		}
		struct str k = str_lower(a, in->v[i]);
		if (store_keyword_valid(k) < 0)
			return err_set(e, STORE_BAD_KEYWORD, "flag or keyword is not valid: " STRF, STRA(str_log(a, in->v[i], 100)));
		if (!strlist_has(&keywords, k))
			strlist_add(a, &keywords, k);
	}
	if (keywords.n > LIMIT_KEYWORDS)
		return err_set(e, STORE_LIMIT, "more than %d keywords", LIMIT_KEYWORDS);
	strlist_sort(&keywords);
	*r_flags = flags;
	*r_keywords = strlist_join(a, &keywords, S(" "));
	return 0;
}

size_t
store_keywords_count(struct str x)
{
	size_t n = x.n > 0;
	for (size_t i = 0; i < x.n; i++)
		n += x.p[i] == ' ';
	return n;
}

/* merge walks both sorted lists: what only x has, only y has, both have, is taken as told. */
static struct str
merge(struct arena *a, struct str x, struct str y, bool only_y, bool both)
{
	struct strlist out = { 0 };
	while (x.n || y.n) {
		struct str rx = x, ry = y, kx = str_split(&rx, ' '), ky = str_split(&ry, ' ');
		int c = !x.n ? 1 : !y.n ? -1 : str_cmp(kx, ky);
		if (c < 0 || (c == 0 && both))
			strlist_add(a, &out, kx);
		else if (c > 0 && only_y)
			strlist_add(a, &out, ky);
		if (c <= 0)
			x = rx;
		if (c >= 0)
			y = ry;
	}
	return strlist_join(a, &out, S(" "));
}

struct str
store_keywords_union(struct arena *a, struct str x, struct str y)
{
	if (y.n == 0 || str_is(x, y))
		return x;
	struct str all = merge(a, x, y, true, true);
	return all.n == x.n ? x : all;
}

struct str
store_keywords_minus(struct arena *a, struct str x, struct str y)
{
	return x.n == 0 || y.n == 0 ? x : merge(a, x, y, false, false);
}
