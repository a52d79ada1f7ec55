/* SPDX-License-Identifier: MIT */
#include "base/timeutil.h"

#include "testutil/testutil.h"

static int64_t
fixed(void *arg)
{
	const int64_t *t = arg;

	return *t;
}

TEST(clocks)
{
	int64_t t = 42, now = time_now_us(), mono = time_mono_us();
	struct clock c = { fixed, &t }, empty = { 0 };

	assert_int_equal(clock_now_us(&c), 42);
	assert_true(clock_now_us(NULL) >= now);
	assert_true(clock_now_us(&empty) >= now);
	assert_true(now > INT64_C(1600000000) * TIME_SEC);
	assert_true(time_mono_us() >= mono);
}

TEST(time_civil)
{
	static const struct { int64_t sec; int year, month, day, hour, min, s, weekday; } rows[] = {
		{ 0, 1970, 1, 1, 0, 0, 0, 4 },
		{ -1, 1969, 12, 31, 23, 59, 59, 3 },
		{ INT64_C(951782399), 2000, 2, 28, 23, 59, 59, 1 },
		{ INT64_C(951782400), 2000, 2, 29, 0, 0, 0, 2 },
		{ INT64_C(951868800), 2000, 3, 1, 0, 0, 0, 3 },
		{ INT64_C(1709164800), 2024, 2, 29, 0, 0, 0, 4 },
		{ INT64_C(1700000000), 2023, 11, 14, 22, 13, 20, 2 },
		{ INT64_C(4107542400), 2100, 3, 1, 0, 0, 0, 1 },
		{ INT64_C(-2203891200), 1900, 3, 1, 0, 0, 0, 4 },
		{ INT64_C(-62167219200), 0, 1, 1, 0, 0, 0, 6 },
		{ INT64_C(-62162035201), 0, 2, 29, 23, 59, 59, 2 },
		{ INT64_C(253402300799), 9999, 12, 31, 23, 59, 59, 5 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct time_parts p;
		int64_t us;

		test_row("%zu", i);
		time_split(rows[i].sec * TIME_SEC, 0, &p);
		assert_int_equal(p.year, rows[i].year);
		assert_int_equal(p.month, rows[i].month);
		assert_int_equal(p.day, rows[i].day);
		assert_int_equal(p.hour, rows[i].hour);
		assert_int_equal(p.min, rows[i].min);
		assert_int_equal(p.sec, rows[i].s);
		assert_int_equal(p.usec, 0);
		assert_int_equal(p.weekday, rows[i].weekday);
		assert_ok(time_join(&p, &us));
		assert_int_equal(us, rows[i].sec * TIME_SEC);
	}
}

/* Every day of four centuries, there and back, against the C library. */
TEST(time_agrees_with_the_c_library)
{
	for (int64_t day = -370 * 366; day < 200 * 366; day++) {
		time_t t = (time_t)(day * 86400 + 3661);
		struct time_parts p;
		struct tm tm;
		int64_t us;

		assert_non_null(gmtime_r(&t, &tm));
		time_split((int64_t)t * TIME_SEC + 5, 0, &p);
		if (p.year != tm.tm_year + 1900 || p.month != tm.tm_mon + 1 || p.day != tm.tm_mday || p.weekday != tm.tm_wday ||
		    p.hour != 1 || p.min != 1 || p.sec != 1 || p.usec != 5)
			fail_msg("day %lld", (long long)day);
		if (time_join(&p, &us) < 0 || us != (int64_t)t * TIME_SEC + 5)
			fail_msg("day %lld back", (long long)day);
	}
}

TEST(time_split_clamps)
{
	struct time_parts p;

	time_split(INT64_MAX, 0, &p);
	assert_int_equal(p.year, 9999);
	assert_int_equal(p.usec, 999999);
	time_split(INT64_MIN, 0, &p);
	assert_int_equal(p.year, 0);
	assert_int_equal(p.usec, 0);
	time_split(INT64_MAX, 60, &p);
	assert_int_equal(p.year, 9999);
	time_split(INT64_MIN, -60, &p);
	assert_int_equal(p.year, 0);
	time_split(0, -90, &p);
	assert_int_equal(p.day, 31);
	assert_int_equal(p.hour, 22);
	assert_int_equal(p.min, 30);
	assert_int_equal(p.tz_min, -90);
}

TEST(time_join_ranges)
{
	static const struct { struct time_parts p; bool ok; } rows[] = {
		{ { 2024, 2, 29, 23, 59, 60, 999999, 0, 0 }, true },
		{ { 2023, 2, 29, 0, 0, 0, 0, 0, 0 }, false },
		{ { 1900, 2, 29, 0, 0, 0, 0, 0, 0 }, false },
		{ { 2000, 2, 29, 0, 0, 0, 0, 0, 0 }, true },
		{ { 2024, 4, 31, 0, 0, 0, 0, 0, 0 }, false },
		{ { 2024, 12, 31, 0, 0, 0, 0, 0, 0 }, true },
		{ { -1, 1, 1, 0, 0, 0, 0, 0, 0 }, false },
		{ { 10000, 1, 1, 0, 0, 0, 0, 0, 0 }, false },
		{ { 2024, 0, 1, 0, 0, 0, 0, 0, 0 }, false },
		{ { 2024, 13, 1, 0, 0, 0, 0, 0, 0 }, false },
		{ { 2024, 1, 0, 0, 0, 0, 0, 0, 0 }, false },
		{ { 2024, 1, 1, -1, 0, 0, 0, 0, 0 }, false },
		{ { 2024, 1, 1, 24, 0, 0, 0, 0, 0 }, false },
		{ { 2024, 1, 1, 0, 60, 0, 0, 0, 0 }, false },
		{ { 2024, 1, 1, 0, -1, 0, 0, 0, 0 }, false },
		{ { 2024, 1, 1, 0, 0, 61, 0, 0, 0 }, false },
		{ { 2024, 1, 1, 0, 0, -1, 0, 0, 0 }, false },
		{ { 2024, 1, 1, 0, 0, 0, 1000000, 0, 0 }, false },
		{ { 2024, 1, 1, 0, 0, 0, -1, 0, 0 }, false },
		{ { 2024, 1, 1, 0, 0, 0, 0, 0, 1439 }, true },
		{ { 2024, 1, 1, 0, 0, 0, 0, 0, 1440 }, false },
		{ { 2024, 1, 1, 0, 0, 0, 0, 0, -1440 }, false },
		/* In range there, out of it in UTC. */
		{ { 0, 1, 1, 0, 0, 0, 0, 0, 1 }, false },
		{ { 9999, 12, 31, 23, 59, 59, 0, 0, -1 }, false },
		{ { 9999, 12, 31, 23, 59, 60, 0, 0, 0 }, false },
	};
	int64_t us;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		us = 77;
		assert_err(time_join(&rows[i].p, &us), rows[i].ok ? 0 : ERR_INVALID);
		assert_int_equal(us == 77, !rows[i].ok);
	}
}

TEST(time_local_zone)
{
	const char *old = getenv("TZ");

	old = old ? arena_strdup(test_arena(), old) : NULL;
	setenv("TZ", "XST-05:30", 1);
	tzset();
	assert_int_equal(time_local_tz_min(0), 330);
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	assert_int_equal(time_local_tz_min(INT64_C(1705000000) * TIME_SEC), -300);
	assert_int_equal(time_local_tz_min(INT64_C(1720000000) * TIME_SEC), -240);
	assert_int_equal(time_local_tz_min(INT64_MAX), -300);
	if (old)
		setenv("TZ", old, 1);
	else
		unsetenv("TZ");
	tzset();
}

TEST(time_rfc3339_writing)
{
	static const struct { int64_t us; const char *text; } rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1, "1970-01-01T00:00:00.000001Z" },
		{ INT64_C(1700000000123000), "2023-11-14T22:13:20.123Z" },
		{ INT64_C(1700000000100000), "2023-11-14T22:13:20.1Z" },
		{ -1, "1969-12-31T23:59:59.999999Z" },
		{ INT64_MIN, "0000-01-01T00:00:00Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999999Z" },
	};
	int64_t us;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_strz(time_rfc3339(test_arena(), rows[i].us), rows[i].text);
		assert_ok(time_parse_rfc3339(str_of(rows[i].text), &us));
		if (rows[i].us > INT64_MIN && rows[i].us < INT64_MAX)
			assert_int_equal(us, rows[i].us);
	}
}

TEST(time_rfc3339_parsing)
{
	static const struct { const char *text, *utc; } rows[] = {
		{ "1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.52Z" },               /* rfc/3339:515 */
		{ "1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z" },                /* rfc/3339:520 */
		{ "1990-12-31T23:59:60Z", "1991-01-01T00:00:00Z" },                     /* rfc/3339:527 */
		{ "1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z" },
		{ "1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.87Z" },          /* rfc/3339:536 */
		{ "2020-01-02t03:04:05z", "2020-01-02T03:04:05Z" },                     /* rfc/3339:425 */
		{ "2020-01-02T03:04:05.123456789Z", "2020-01-02T03:04:05.123456Z" },
		{ "2020-01-02T03:04:05-00:00", "2020-01-02T03:04:05Z" },
		{ "2020-01-02T03:04:05+23:59", "2020-01-01T03:05:05Z" },
		{ "2020-01-02 03:04:05Z", NULL },
		{ "2020-01-02T03:04:05", NULL },
		{ "2020-01-02T03:04:05.Z", NULL },
		{ "2020-01-02T03:04Z", NULL },
		{ "2020-1-02T03:04:05Z", NULL },
		{ "20-01-02T03:04:05Z", NULL },
		{ "2020-01-02T03:04:05+24:00", NULL },
		{ "2020-01-02T03:04:05+01:60", NULL },
		{ "2020-01-02T03:04:05+0100", NULL },
		{ "2020-01-02T03:04:05Z ", NULL },
		{ " 2020-01-02T03:04:05Z", NULL },
		{ "2020-13-02T03:04:05Z", NULL },
		{ "2020-02-30T03:04:05Z", NULL },
		{ "+020-01-02T03:04:05Z", NULL },
		{ "0000-01-01T00:00:00+00:01", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str s = test_exact(str_of(rows[i].text));
		int64_t us = 77;

		test_row("%s", rows[i].text);
		assert_err(time_parse_rfc3339(s, &us), rows[i].utc ? 0 : ERR_INVALID);
		if (rows[i].utc == NULL) {
			assert_int_equal(us, 77);
			continue;
		}
		assert_strz(time_rfc3339(test_arena(), us), rows[i].utc);
		/* Truncated anywhere, it is none; only within the fraction is a shorter one possible, but without zone. */
		for (size_t n = 0; n < s.n; n++)
			assert_err(time_parse_rfc3339(test_exact(str_upto(s, n)), &us), ERR_INVALID);
	}
}

TEST(time_rfc5322_writing)
{
	assert_strz(time_rfc5322(test_arena(), INT64_C(1136239445) * TIME_SEC, -420), "2 Jan 2006 15:04:05 -0700");
	assert_strz(time_rfc5322(test_arena(), INT64_C(1136239445) * TIME_SEC, 330), "3 Jan 2006 03:34:05 +0530");
	assert_strz(time_rfc5322(test_arena(), 0, 0), "1 Jan 1970 00:00:00 +0000");
	assert_string_equal(time_months[11], "Dec");
	assert_string_equal(time_weekdays[0], "Sun");
}

TEST(durations_parsing)
{
	static const struct { const char *text; int64_t us; bool bad; } rows[] = {
		{ "0", 0, false }, { "+0", 0, false }, { "-0", 0, false }, { "0s", 0, false }, { "1s", TIME_SEC, false },
		{ "72h0m0s", 72 * TIME_HOUR, false }, { "1m30s", 90 * TIME_SEC, false }, { "1.5s", 1500 * TIME_MS, false },
		{ "-1.5h", -90 * TIME_MIN, false }, { "+5m", 5 * TIME_MIN, false }, { "1h1s", TIME_HOUR + TIME_SEC, false },
		{ "1s1h", TIME_HOUR + TIME_SEC, false }, { "100ms", 100 * TIME_MS, false }, { "7us", 7, false },
		{ "7\xc2\xb5s", 7, false }, { "7\xce\xbcs", 7, false }, { "1000ns", 1, false }, { "499ns", 0, false }, { "500ns", 1, false },
		{ "-500ns", -1, false }, { ".5s", 500 * TIME_MS, false }, { "1.s", TIME_SEC, false }, { "0.0000000001h", 0, false },
		{ "0.000000001h", 4, false },   /* 3.6 microseconds */
		{ "0.100000000000000000000000h", 6 * TIME_MIN, false }, { "0.33333333333333333333h", 20 * TIME_MIN, false },
		{ "2562047h47m16.854775807s", INT64_C(9223372036854776), false },
		{ "2562047h47m16.854775808s", 0, true }, { "2562048h", 0, true }, { "99999999999999999999s", 0, true },
		{ "9223372036854775807h", 0, true }, { "1e5s", 0, true }, { "9223372036s9223372036s", 0, true },
		{ "5124095h5124095h", 0, true }, { "0.9h5124095h34m33s", 0, true },
		{ "", 0, true }, { "-", 0, true }, { "1", 0, true }, { ".s", 0, true }, { ".", 0, true }, { "1d", 0, true }, { "s", 0, true },
		{ " 1s", 0, true }, { "1s ", 0, true }, { "1 s", 0, true }, { "--1s", 0, true }, { "1s-1s", 0, true }, { "00", 0, true },
		{ "1.2.3s", 0, true }, { "1S", 0, true }, { "1m ", 0, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t us = 77;

		test_row("%s", rows[i].text);
		assert_err(time_parse_duration(test_exact(str_of(rows[i].text)), &us), rows[i].bad ? ERR_INVALID : 0);
		assert_int_equal(us, rows[i].bad ? 77 : rows[i].us);
	}
}

TEST(durations_writing)
{
	static const struct { int64_t us; const char *text; } rows[] = {
		{ 0, "0s" }, { 1, "1\xc2\xb5s" }, { 999, "999\xc2\xb5s" }, { 1000, "1ms" }, { 1500, "1.5ms" }, { 999999, "999.999ms" },
		{ TIME_SEC, "1s" }, { 1500 * TIME_MS, "1.5s" }, { 90 * TIME_SEC, "1m30s" }, { TIME_HOUR, "1h0m0s" },
		{ 72 * TIME_HOUR, "72h0m0s" }, { TIME_HOUR + 1, "1h0m0.000001s" }, { -90 * TIME_SEC, "-1m30s" }, { -5, "-5\xc2\xb5s" },
		{ INT64_MAX, "2562047788h0m54.775807s" }, { INT64_MIN, "-2562047788h0m54.775808s" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t us;

		test_row("%s", rows[i].text);
		assert_strz(time_duration(test_arena(), rows[i].us), rows[i].text);
		if (rows[i].us > INT64_MIN && rows[i].us < INT64_MAX) {
			assert_ok(time_parse_duration(str_of(rows[i].text), &us));
			assert_int_equal(us, rows[i].us);
		}
	}
}
