/* SPDX-License-Identifier: MIT */
#include "imap/parse.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/timeutil.h"

/* Sets as bit constants: word 0 has 0x00-0x3f, word 1 0x40-0x7f. All of %x21-7e, less the specials. */
#define LOW(c) (UINT64_C(1) << (c))
#define HIGH(c) (UINT64_C(1) << ((c) - 64))
#define GRAPH_LOW (~UINT64_C(0) << 0x21)
#define GRAPH_HIGH (~HIGH(0x7f))

/* atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials   rfc/9051:6338 */
#define ATOM_LOW (GRAPH_LOW & ~(LOW('(') | LOW(')') | LOW('%') | LOW('*') | LOW('"')))
#define ATOM_HIGH (GRAPH_HIGH & ~(HIGH('{') | HIGH('\\') | HIGH(']')))

const struct cur_class imap_atom_chars = { { ATOM_LOW, ATOM_HIGH, 0, 0 } };
const struct cur_class imap_astring_chars = { { ATOM_LOW, ATOM_HIGH | HIGH(']'), 0, 0 } };
const struct cur_class imap_tag_chars = { { ATOM_LOW & ~LOW('+'), ATOM_HIGH | HIGH(']'), 0, 0 } };
const struct cur_class imap_list_chars = { { ATOM_LOW | LOW('%') | LOW('*'), ATOM_HIGH | HIGH(']'), 0, 0 } };
/* Letters, digits and ".-_=": bits of "A".."Z" and "a".."z" in word 1. */
static const struct cur_class keyword_chars = { { LOW('.') | LOW('-') | LOW('=') | UINT64_C(0x3ff) << '0', UINT64_C(0x07fffffe07fffffe) | HIGH('_'), 0, 0 } };

void
imap_sp(struct cur *c)
{
	if (cur_ok(c) && !cur_try(c, ' '))
		cur_fail(c, "space");
}

struct str
imap_tag(struct cur *c)
{
	return cur_span1(c, &imap_tag_chars, "tag");
}

struct str
imap_atom(struct cur *c)
{
	return cur_span1(c, &imap_atom_chars, "atom");
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE; any byte but NUL, CR, LF; "\" only before DQUOTE and "\"   rfc/9051:6856 */
struct str
imap_quoted(struct cur *c)
{
	struct cur t = *c;
	size_t escapes = 0, n = 0;

	cur_char(&t, '"');
	if (!cur_ok(&t)) {
		cur_fail(c, "quoted string");
		return (struct str){ 0 };
	}
	const char *p = t.p, *q;
	for (q = p; q < t.end && *q != '"'; q++) {
		if (*q == '\0' || *q == '\r' || *q == '\n')
			break;
		if (*q == '\\') {
			if (q + 1 == t.end || (q[1] != '"' && q[1] != '\\'))
				break;
			escapes++;
			q++;
		}
	}
	if (q == t.end || *q != '"') {
		c->p = q;       /* the error names the character */
		cur_fail(c, "rest of quoted string");
		return (struct str){ 0 };
	}
	c->p = q + 1;
	if (escapes == 0)
		return str_n(p, (size_t)(q - p));
	char *copy = arena_bytes(c->a, (size_t)(q - p) - escapes);
	for (const char *s = p; s < q; s++) {
		if (*s == '\\')
			s++;
		copy[n++] = *s;
	}
	return str_n(copy, n);
}

/* "{" number64 ["+"] "}" CRLF and the octets; the framer has seen to their being there. */
static struct str
counted_octets(struct cur *c, const char *want)
{
	struct cur t = *c;
	cur_char(&t, '{');
	uint64_t n = imap_number64(&t);
	cur_try(&t, '+');
	cur_char(&t, '}');
	cur_try(&t, '\r');
	cur_char(&t, '\n');
	if (!cur_ok(&t) || n > cur_left(&t)) {
		cur_fail(c, want);
		return (struct str){ 0 };
	}
	struct str s = cur_bytes(&t, (size_t)n, want);
	*c = t;
	return s;
}

/* literal = "{" number64 ["+"] "}" CRLF *CHAR8   rfc/9051:6655 */
struct str
imap_literal(struct cur *c)
{
	struct cur t = *c;
	struct str s = counted_octets(&t, "literal");

	if (str_has(s, '\0')) {
		cur_fail(c, "literal without NUL");
		return (struct str){ 0 };
	}
	*c = t;
	return s;
}

/* literal8 = "~{" number64 "}" CRLF *OCTET   rfc/9051:6663 */
struct str
imap_literal8(struct cur *c, bool *r_binary)
{
	struct cur t = *c;
	bool binary = cur_try(&t, '~');
	struct str s = binary ? counted_octets(&t, "literal8") : imap_literal(&t);

	if (!cur_ok(&t)) {
		cur_fail(c, t.want);
		return (struct str){ 0 };
	}
	*r_binary = binary;
	*c = t;
	return s;
}

struct str
imap_string(struct cur *c)
{
	if (cur_is(c, '"'))
		return imap_quoted(c);
	if (cur_is(c, '{'))
		return imap_literal(c);
	cur_fail(c, "string");
	return (struct str){ 0 };
}

/* astring = 1*ASTRING-CHAR / string   rfc/9051:6330 */
struct str
imap_astring(struct cur *c)
{
	if (cur_is(c, '"') || cur_is(c, '{'))
		return imap_string(c);
	return cur_span1(c, &imap_astring_chars, "astring");
}

struct str
imap_nstring(struct cur *c)
{
	if (imap_try_keyword(c, S("NIL")))
		return (struct str){ 0 };
	struct str s = imap_string(c);
	if (!s.p && cur_ok(c))
		s.p = "";
	return s;
}

uint32_t
imap_number(struct cur *c)
{
	return (uint32_t)cur_u64(c, 10, UINT32_MAX, "number");
}

uint32_t
imap_nz_number(struct cur *c)
{
	if (cur_is(c, '0'))
		cur_fail(c, "number above 0");
	return (uint32_t)cur_u64(c, 10, UINT32_MAX, "number above 0");
}

uint64_t
imap_number64(struct cur *c)
{
	return cur_u64(c, 19, INT64_MAX, "number");
}

uint64_t
imap_nz_number64(struct cur *c)
{
	if (cur_is(c, '0'))
		cur_fail(c, "number above 0");
	return cur_u64(c, 19, INT64_MAX, "number above 0");
}

struct str
imap_keyword(struct cur *c)
{
	return cur_span1(c, &keyword_chars, "word");
}

bool
imap_try_keyword(struct cur *c, struct str word)
{
	struct cur t = *c;

	if (!str_icase(cur_span(&t, &keyword_chars), word))
		return false;
	*c = t;
	return true;
}

/* flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword   rfc/9051:6565 */
struct str
imap_flag(struct cur *c)
{
	static const struct str system_flags[] = {
		{ "\\Answered", 9 }, { "\\Flagged", 8 }, { "\\Deleted", 8 }, { "\\Seen", 5 }, { "\\Draft", 6 },
	};
	struct cur t = *c;
	const char *start = t.p;

	if (!cur_try(&t, '\\'))
		return cur_span1(c, &imap_atom_chars, "flag");
	imap_atom(&t);
	struct str flag = str_n(start, (size_t)(t.p - start));
	for (size_t i = 0; cur_ok(&t) && i < ARRAY_LEN(system_flags); i++) {
		if (str_icase(flag, system_flags[i])) {
			*c = t;
			return flag;
		}
	}
	cur_fail(c, "system flag");
	return (struct str){ 0 };
}

/* flag-list = "(" [flag *(SP flag)] ")"   rfc/9051:6584 */
void
imap_flag_list(struct cur *c, struct strlist *r_flags)
{
	cur_char(c, '(');
	while (cur_ok(c) && !cur_try(c, ')')) {
		if (r_flags->n > 0)
			imap_sp(c);
		struct str flag = imap_flag(c);
		if (cur_ok(c))
			strlist_add(c->a, r_flags, flag);
	}
}

/* Exactly n digits. */
static int
digits(struct cur *c, unsigned n, const char *want)
{
	struct cur t = *c;
	int v = 0;

	for (unsigned i = 0; i < n; i++) {
		int ch = cur_peek(&t);
		if (ch < '0' || ch > '9') {
			cur_fail(c, want);
			return 0;
		}
		v = v * 10 + (ch - '0');
		cur_any(&t, want);
	}
	*c = t;
	return v;
}

/* "-" date-month "-" date-year   rfc/9051:6498 */
static void
month_and_year(struct cur *c, struct time_parts *t)
{
	cur_char(c, '-');
	struct str name = cur_span1(c, &cur_alpha, "month");
	for (int m = 0; m < 12; m++)
		if (str_icase(name, str_of(time_months[m])))
			t->month = m + 1;
	if (t->month == 0)
		cur_fail(c, "month");
	cur_char(c, '-');
	t->year = digits(c, 4, "year of 4 digits");
}

static int64_t
joined(struct cur *c, const struct time_parts *t)
{
	int64_t us = 0;

	if (cur_ok(c) && time_join(t, &us) < 0)
		cur_fail(c, "date that exists");
	return cur_ok(c) ? us : 0;
}

/* date = date-text / DQUOTE date-text DQUOTE   rfc/9051:6487 */
int32_t
imap_date(struct cur *c)
{
	struct time_parts t = { 0 };
	bool quoted = cur_try(c, '"');

	t.day = (int)cur_u64(c, 2, 31, "day of month");
	month_and_year(c, &t);
	if (quoted)
		cur_char(c, '"');
	int64_t us = joined(c, &t);
	/* Midnight UTC: a whole number of days, also before 1970. */
	return (int32_t)(us / TIME_DAY);
}

/* date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE   rfc/9051:6502 */
int64_t
imap_date_time(struct cur *c, int *r_tz_min)
{
	struct time_parts t = { 0 };

	cur_char(c, '"');
	t.day = cur_try(c, ' ') ? digits(c, 1, "day of month") : digits(c, 2, "day of month");
	month_and_year(c, &t);
	imap_sp(c);
	t.hour = digits(c, 2, "hour");
	cur_char(c, ':');
	t.min = digits(c, 2, "minute");
	cur_char(c, ':');
	t.sec = digits(c, 2, "second");
	imap_sp(c);
	bool west = cur_try(c, '-');
	if (!west)
		cur_char(c, '+');
	int hours = digits(c, 2, "zone"), minutes = digits(c, 2, "zone");
	if (hours > 23 || minutes > 59)
		cur_fail(c, "zone below 24 hours");
	t.tz_min = west ? -(hours * 60 + minutes) : hours * 60 + minutes;
	cur_char(c, '"');
	int64_t us = joined(c, &t);
	if (cur_ok(c))
		*r_tz_min = t.tz_min;
	return us;
}

void
imap_announcement(struct cur *c)
{
	cur_try(c, '~');
	cur_char(c, '{');
	imap_number64(c);
	cur_try(c, '+');
	cur_char(c, '}');
}
