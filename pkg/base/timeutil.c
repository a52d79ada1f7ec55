/* SPDX-License-Identifier: MIT */
#include "base/timeutil.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"

#define MIN_US (INT64_C(-62167219200) * TIME_SEC)               /* 0000-01-01T00:00:00Z */
#define MAX_US (INT64_C(253402300800) * TIME_SEC - 1)           /* 9999-12-31T23:59:59.999999Z */

const char time_months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
const char time_weekdays[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	bug_if(clock_gettime(id, &ts) < 0);
	return ts.tv_sec * TIME_SEC + ts.tv_nsec / 1000;
}

int64_t
time_now_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t
time_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
clock_now_us(const struct clock *c)
{
	return c && c->now_us ? c->now_us(c->arg) : time_now_us();
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
	static const unsigned char days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/*
 * Days since 1970-01-01 and back, by counting in years that start in March, so that the leap day is the last one: in such years
 * month m (0 = March) starts at day (153 m + 2) / 5. 400 years have 146097 days.
 */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
date_of(int64_t days, struct time_parts *p)
{
	int64_t d = days + 719468;
	int64_t era = (d >= 0 ? d : d - 146096) / 146097;
	int64_t doe = d - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t m = (5 * doy + 2) / 153;

	p->day = (int)(doy - (153 * m + 2) / 5 + 1);
	p->month = (int)(m < 10 ? m + 3 : m - 9);
	p->year = (int)(yoe + era * 400 + (p->month <= 2));
}

void
time_split(int64_t us, int tz_min, struct time_parts *r_p)
{
	int64_t days, rest;

	us = MIN(MAX(us, MIN_US), MAX_US) + tz_min * TIME_MIN;
	us = MIN(MAX(us, MIN_US), MAX_US);
	days = (us - MIN_US) / TIME_DAY + MIN_US / TIME_DAY;
	rest = us - days * TIME_DAY;
	*r_p = (struct time_parts){
		.hour = (int)(rest / TIME_HOUR),
		.min = (int)(rest / TIME_MIN % 60),
		.sec = (int)(rest / TIME_SEC % 60),
		.usec = (int)(rest % TIME_SEC),
		.weekday = (int)(((days + 4) % 7 + 7) % 7),     /* 1970-01-01 was a Thursday */
		.tz_min = tz_min,
	};
	date_of(days, r_p);
}

static bool
within(int v, int from, int to)
{
	return v >= from && v <= to;
}

int
time_join(const struct time_parts *p, int64_t *r_us)
{
	int64_t us;

	if (!within(p->year, 0, 9999) || !within(p->month, 1, 12) || !within(p->day, 1, month_days(p->year, p->month)) ||
	    !within(p->hour, 0, 23) || !within(p->min, 0, 59) || !within(p->sec, 0, 60) || !within(p->usec, 0, 999999) ||
	    !within(p->tz_min, -24 * 60 + 1, 24 * 60 - 1))
		return ERR_INVALID;
	us = days_of(p->year, p->month, p->day) * TIME_DAY + p->hour * TIME_HOUR + (p->min - p->tz_min) * TIME_MIN +
	    p->sec * TIME_SEC + p->usec;
	if (us < MIN_US || us > MAX_US)
		return ERR_INVALID;
	*r_us = us;
	return 0;
}

int
time_local_tz_min(int64_t us)
{
	time_t t = (time_t)(MIN(MAX(us, MIN_US), MAX_US) / TIME_SEC);
	struct tm tm;

	bug_if(localtime_r(&t, &tm) == NULL);
	return (int)(tm.tm_gmtoff / 60);
}

struct str
time_rfc3339(struct arena *a, int64_t us)
{
	struct time_parts p;
	char frac[8] = "";
	size_t n;

	time_split(us, 0, &p);
	if (p.usec != 0) {
		n = (size_t)snprintf(frac, sizeof(frac), ".%06d", p.usec);
		while (frac[n - 1] == '0')
			frac[--n] = '\0';
	}
	return str_fmt(a, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", p.year, p.month, p.day, p.hour, p.min, p.sec, frac);
}

/* Exactly n digits. */
static int
digits(struct cur *c, size_t n)
{
	struct str s = cur_bytes(c, n, "digits");
	uint32_t v = 0;

	if (cur_ok(c) && str_u32(s, &v) < 0)
		cur_fail(c, "digits");
	return (int)v;
}

/* date-time of rfc/3339:422; the letters may be lower case. */
int
time_parse_rfc3339(struct str s, int64_t *r_us)
{
	struct cur c = cur_of(s);
	struct time_parts p = { 0 };

	p.year = digits(&c, 4);
	cur_char(&c, '-');
	p.month = digits(&c, 2);
	cur_char(&c, '-');
	p.day = digits(&c, 2);
	cur_icase(&c, S("T"));
	p.hour = digits(&c, 2);
	cur_char(&c, ':');
	p.min = digits(&c, 2);
	cur_char(&c, ':');
	p.sec = digits(&c, 2);
	if (cur_try(&c, '.')) {
		struct str frac = cur_span1(&c, &cur_digit, "digits");

		for (size_t i = 0; i < 6; i++)  /* finer digits are cut off */
			p.usec = p.usec * 10 + (i < frac.n ? frac.p[i] - '0' : 0);
	}
	if (!cur_try_icase(&c, S("Z"))) {
		bool minus = cur_try(&c, '-');
		int hour, min;

		if (!minus)
			cur_char(&c, '+');
		hour = digits(&c, 2);
		cur_char(&c, ':');
		min = digits(&c, 2);
		if (hour > 23 || min > 59)
			cur_fail(&c, "offset below 24 hours");
		p.tz_min = (minus ? -1 : 1) * (hour * 60 + min);
	}
	return cur_done(&c) ? time_join(&p, r_us) : ERR_INVALID;
}

struct str
time_rfc5322(struct arena *a, int64_t us, int tz_min)
{
	struct time_parts p;
	int tz = tz_min < 0 ? -tz_min : tz_min;

	time_split(us, tz_min, &p);
	return str_fmt(a, "%d %s %04d %02d:%02d:%02d %c%02d%02d", p.day, time_months[p.month - 1], p.year, p.hour, p.min, p.sec,
	    tz_min < 0 ? '-' : '+', tz / 60, tz % 60);
}

/* Units of durations, in nanoseconds. "ms" before "m", or the "s" would be left. */
static const struct unit {
	struct str name;
	uint64_t ns;
} units[] = {
	{ { "ns", 2 }, 1 },
	{ { "us", 2 }, 1000 },
	{ { "\xc2\xb5s", 3 }, 1000 },           /* U+00B5 micro sign */
	{ { "\xce\xbcs", 3 }, 1000 },           /* U+03BC Greek mu */
	{ { "ms", 2 }, 1000000 },
	{ { "s", 1 }, UINT64_C(1000000000) },
	{ { "m", 1 }, UINT64_C(60000000000) },
	{ { "h", 1 }, UINT64_C(3600000000000) },
};

/* One "number unit" of a duration, added to *ns; false when it has no such form, or is too large. */
static bool
duration_term(struct cur *c, uint64_t *ns)
{
	struct str whole = cur_span(c, &cur_digit), frac = S("");
	const struct unit *u = NULL;
	uint64_t v = 0, scale = 1;

	if (cur_try(c, '.'))
		frac = cur_span(c, &cur_digit);
	if (whole.n + frac.n == 0 || (whole.n > 0 && str_u64(whole, &v) < 0))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units) && u == NULL; i++)
		if (cur_try_str(c, units[i].name))
			u = &units[i];
	if (u == NULL || __builtin_mul_overflow(v, u->ns, &v) || __builtin_add_overflow(*ns, v, ns))
		return false;
	/* 15 digits are more than the 13 that an hour has in nanoseconds. */
	v = 0;
	for (size_t i = 0; i < frac.n && i < 15; i++, scale *= 10)
		v = v * 10 + (uint64_t)(frac.p[i] - '0');
	v = (uint64_t)((unsigned __int128)v * u->ns / scale);
	return !__builtin_add_overflow(*ns, v, ns);
}

int
time_parse_duration(struct str s, int64_t *r_us)
{
	struct cur c = cur_of(s);
	bool minus = cur_try(&c, '-');
	uint64_t ns = 0;

	if (!minus)
		cur_try(&c, '+');
	if (str_is(cur_rest(&c), S("0"))) {
		*r_us = 0;
		return 0;
	}
	do {
		if (!duration_term(&c, &ns) || ns > (uint64_t)INT64_MAX)
			return ERR_INVALID;
	} while (!cur_end(&c));
	ns = (ns + 500) / 1000;
	*r_us = minus ? -(int64_t)ns : (int64_t)ns;
	return 0;
}

/* v/1000000 or v/1000 without trailing zeros. */
static void
add_fraction(struct buf *b, uint64_t v, uint64_t one)
{
	buf_addu(b, v / one);
	v %= one;
	if (v == 0)
		return;
	buf_addc(b, '.');
	for (uint64_t digit = one / 10; v > 0; digit /= 10) {
		buf_addc(b, (char)('0' + v / digit));
		v %= digit;
	}
}

struct str
time_duration(struct arena *a, int64_t us)
{
	struct buf b = BUF_ARENA(a, 64);
	uint64_t v = us < 0 ? -(uint64_t)us : (uint64_t)us;
	uint64_t h = v / (uint64_t)TIME_HOUR, m = v / (uint64_t)TIME_MIN % 60;

	if (us < 0)
		buf_addc(&b, '-');
	if (v > 0 && v < (uint64_t)TIME_SEC) {
		add_fraction(&b, v, v < 1000 ? 1 : 1000);
		buf_addz(&b, v < 1000 ? "\xc2\xb5s" : "ms");
		return buf_str(&b);
	}
	if (h > 0)
		buf_addf(&b, "%" PRIu64 "h", h);
	if (h > 0 || m > 0)
		buf_addf(&b, "%" PRIu64 "m", m);
	add_fraction(&b, v % (uint64_t)TIME_MIN, (uint64_t)TIME_SEC);
	buf_addc(&b, 's');
	return buf_str(&b);
}
