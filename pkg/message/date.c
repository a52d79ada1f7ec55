/* SPDX-License-Identifier: MIT */
/*
 * Dates in headers, as they are and as they should be (RFC 5322 3.3 and 4.3).
 *
 * The text is cut into tokens: words, numbers, and single characters. What a number means shows from its form and neighbours ("10:52",
 * a month's name beside it, four digits), so most orders and separators are understood: RFC 5322, RFC 850, asctime, ISO 8601.
 */
#include "message/header.h"

#include "base/timeutil.h"

#define MAX_TOKENS 48

enum type { WORD, NUMBER, CHAR };
struct token {
	enum type type;
	struct str s;
	int v;                  /* of a NUMBER of at most 9 digits, else -1 */
	bool space;             /* white space in front of it */
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static size_t
tokenize(struct str s, struct token *v)
{
	size_t n = 0;
	bool space = false;

	for (size_t i = 0; i < s.n && n < MAX_TOKENS;) {
		char c = s.p[i];
		size_t start = i;
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			space = true;
			i++;
			continue;
		}
		if (c == '(') {
			/* Comments, nested; an open one goes to the end. */
			unsigned depth = 0;
			for (; i < s.n; i++) {
				if (s.p[i] == '\\')
					i++;
				else if (s.p[i] == '(')
					depth++;
				else if (s.p[i] == ')' && --depth == 0)
					break;
			}
			i++;
			space = true;
			continue;
		}
		struct token *t = &v[n++];
		*t = (struct token){ .type = CHAR, .space = space, .v = -1 };
		if (is_digit(c)) {
			t->type = NUMBER;
			while (i < s.n && is_digit(s.p[i]))
				i++;
			uint32_t u;
			if (i - start <= 9 && str_u32(str_n(s.p + start, i - start), &u) == 0)
				t->v = (int)u;
		} else if (is_letter(c)) {
			t->type = WORD;
			while (i < s.n && is_letter(s.p[i]))
				i++;
		} else {
			i++;
		}
		t->s = str_n(s.p + start, i - start);
		space = false;
	}
	return n;
}

static int
month_of(struct str s)
{
	for (int m = 0; s.n >= 3 && m < 12; m++) {
		if (str_icase(str_upto(s, 3), str_n(time_months[m], 3)))
			return m + 1;
	}
	return 0;
}

/* zone_of gives minutes east of UTC for a zone's name; military letters mean nothing reliable, so UTC: rfc/5322:1889 */
static bool
zone_of(struct str s, int *r_min)
{
	static const struct {
		const char *name;
		int min;
	} zones[] = {
		{ "UT", 0 }, { "UTC", 0 }, { "GMT", 0 }, { "Z", 0 }, { "WET", 0 }, { "BST", 60 }, { "CET", 60 }, { "MET", 60 }, { "MEZ", 60 },
		{ "WEST", 60 }, { "CEST", 120 }, { "MEST", 120 }, { "MESZ", 120 }, { "EET", 120 }, { "EEST", 180 }, { "MSK", 180 },
		{ "IST", 330 }, { "SGT", 480 }, { "HKT", 480 }, { "JST", 540 }, { "KST", 540 }, { "AEST", 600 }, { "NZST", 720 }, { "NZDT", 780 },
		{ "EST", -300 }, { "EDT", -240 }, { "CST", -360 }, { "CDT", -300 }, { "MST", -420 }, { "MDT", -360 }, { "PST", -480 }, { "PDT", -420 },
		{ "AST", -240 }, { "ADT", -180 }, { "NST", -210 }, { "BRT", -180 }, { "AKST", -540 }, { "HST", -600 },
	};

	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		if (str_icase(s, str_of(zones[i].name))) {
			*r_min = zones[i].min;
			return true;
		}
	}
	if (s.n == 1) {
		*r_min = 0;
		return true;
	}
	return false;
}

/* year_of completes short years: rfc/5322:1860 */
static int
year_of(const struct token *t)
{
	if (t->s.n <= 2)
		return t->v < 50 ? 2000 + t->v : 1900 + t->v;
	return t->s.n == 3 ? 1900 + t->v : t->v;
}

/* A zone in digits: +hhmm, +hh:mm, +hh. More than 24 hours are no zone; the time is then taken as UTC. */
static void
numeric_zone(const struct token *v, size_t n, size_t i, bool minus, int *r_min)
{
	int min;

	if (v[i].s.n <= 2) {
		min = v[i].v * 60;
		if (i + 2 < n && v[i + 1].s.p[0] == ':' && v[i + 2].type == NUMBER && v[i + 2].s.n == 2)
			min += v[i + 2].v;
	} else {
		min = v[i].v / 100 * 60 + v[i].v % 100;
	}
	if (min < 24 * 60)
		*r_min = minus ? -min : min;
}

struct found {
	int year, month, day;           /* -1: not seen */
	int hour, min, sec, usec, tz;
	bool time, zone, pm, am;
};

/* take_time takes h:m[:s[.fraction]] at token i; returns how many tokens it has, 0 if there is none. */
static size_t
take_time(const struct token *v, size_t n, size_t i, struct found *f)
{
	if (i + 2 >= n || v[i].type != NUMBER || v[i].s.n > 2 || v[i + 2].type != NUMBER || v[i + 2].s.n > 2)
		return 0;
	char sep = v[i + 1].s.p[0];
	if (sep != ':' && !(sep == '.' && i + 4 < n && v[i + 3].s.p[0] == '.' && v[i + 4].type == NUMBER))
		return 0;
	f->time = true;
	f->hour = v[i].v;
	f->min = v[i + 2].v;
	f->sec = 0;
	if (i + 4 >= n || v[i + 3].s.p[0] != sep || v[i + 4].type != NUMBER || v[i + 4].s.n > 2)
		return 3;
	f->sec = v[i + 4].v;
	if (i + 6 < n && (v[i + 5].s.p[0] == '.' || v[i + 5].s.p[0] == ',') && v[i + 6].type == NUMBER && !v[i + 6].space)
		return 7;
	return 5;
}

/* take_iso takes yyyy-mm-dd (also with '/') at token i. */
static size_t
take_iso(const struct token *v, size_t n, size_t i, struct found *f)
{
	if (i + 4 >= n || v[i].type != NUMBER || v[i].s.n != 4 || v[i + 2].type != NUMBER || v[i + 2].s.n > 2 || v[i + 4].type != NUMBER)
		return 0;
	char sep = v[i + 1].s.p[0];
	if ((sep != '-' && sep != '/') || v[i + 3].s.p[0] != sep || v[i + 4].s.n > 2)
		return 0;
	f->year = v[i].v;
	f->month = v[i + 2].v;
	f->day = v[i + 4].v;
	return 5;
}

/* take_word makes sense of a name: of a month, zone, or half of the day. Weekdays are not looked at, they are often wrong. */
static void
take_word(const struct token *t, struct found *f)
{
	int month = month_of(t->s), tz;

	if (f->time && (str_icase(t->s, S("pm")) || str_icase(t->s, S("am")))) {
		f->pm = (t->s.p[0] | 0x20) == 'p';
		f->am = !f->pm;
	} else if (f->month < 0 && month > 0) {
		f->month = month;
	} else if (f->time && !f->zone && zone_of(t->s, &tz)) {
		f->tz = tz;
		f->zone = true;
	}
}

static void
take_number(const struct token *t, struct found *f)
{
	if (t->v < 0)
		return;
	if (t->s.n <= 2 && f->day < 0 && t->v >= 1 && t->v <= 31)
		f->day = t->v;
	else if (t->s.n <= 2 && f->month < 0 && t->v >= 1 && t->v <= 12)
		f->month = t->v;
	else if (f->year < 0 && (f->month >= 0 || t->s.n == 4))
		f->year = year_of(t);
}

int
message_parse_date(struct str body, int64_t *r_us, int *r_tz_min)
{
	struct token v[MAX_TOKENS];
	size_t n = tokenize(body, v);
	struct found f = { .year = -1, .month = -1, .day = -1 };

	for (size_t i = 0; i < n;) {
		size_t took = 0;
		if (v[i].type == NUMBER && !f.time)
			took = take_time(v, n, i, &f);
		if (took == 0 && v[i].type == NUMBER && f.year < 0 && f.month < 0)
			took = take_iso(v, n, i, &f);
		if (took > 0) {
			i += took;
			continue;
		}
		char c = v[i].s.p[0];
		if (v[i].type == WORD) {
			take_word(&v[i], &f);
		} else if (v[i].type == NUMBER) {
			take_number(&v[i], &f);
		} else if (f.time && (c == '+' || c == '-') && i + 1 < n && v[i + 1].type == NUMBER && v[i + 1].s.n <= 4 && v[i + 1].v >= 0) {
			/* The zone comes after the time; "GMT+0200" counts from GMT. */
			numeric_zone(v, n, i + 1, c == '-', &f.tz);
			f.zone = true;
			i++;
			if (i + 1 < n && v[i + 1].s.p[0] == ':')
				i += 2;
		}
		i++;
	}
	if (f.year < 0 || f.month < 0 || f.day < 0)
		return ERR_INVALID;
	if (f.pm && f.hour < 12)
		f.hour += 12;
	if (f.am && f.hour == 12)
		f.hour = 0;

	struct time_parts p = {
		.year = f.year, .month = f.month, .day = f.day, .hour = f.hour, .min = f.min, .sec = f.sec, .tz_min = f.tz,
	};
	int64_t us;
	TRY(time_join(&p, &us));
	*r_us = us;
	*r_tz_min = f.tz;
	return 0;
}
