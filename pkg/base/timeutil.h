/* SPDX-License-Identifier: MIT */
/*
 * timeutil.h - times are int64 microseconds since 1970 UTC; deadlines are monotonic microseconds.
 */
#ifndef BASE_TIMEUTIL_H
#define BASE_TIMEUTIL_H

#include <stdint.h>

#include "base/str.h"

#define TIME_MS INT64_C(1000)
#define TIME_SEC INT64_C(1000000)
#define TIME_MIN (60 * TIME_SEC)
#define TIME_HOUR (60 * TIME_MIN)
#define TIME_DAY (24 * TIME_HOUR)

/* A replaceable clock: packages whose behaviour depends on time take one. NULL means the system's. */
struct clock {
	int64_t (*now_us)(void *arg);
	void *arg;
};
int64_t clock_now_us(const struct clock *c);

int64_t time_now_us(void);
int64_t time_mono_us(void);

/* Broken-down civil time, proleptic Gregorian, any year 0..9999. */
struct time_parts {
	int year, month, day;           /* month 1..12, day 1..31 */
	int hour, min, sec, usec;       /* sec up to 60 when parsed */
	int weekday;                    /* 0 = Sunday; filled by time_split */
	int tz_min;                     /* offset from UTC in minutes */
};
void time_split(int64_t us, int tz_min, struct time_parts *r_p);   /* times outside year 0..9999 are clamped */
/* time_join checks ranges (also days of the month) and returns ERR_INVALID outside them. */
int time_join(const struct time_parts *p, int64_t *r_us) must_use_;
int time_local_tz_min(int64_t us);                                 /* the server's zone at that time */

extern const char time_months[12][4], time_weekdays[7][4];         /* "Jan".., "Sun".. */

/* RFC 3339, UTC with "Z" when writing (fraction only if not 0); parsing takes fractions and offsets. */
struct str time_rfc3339(struct arena *a, int64_t us);
int time_parse_rfc3339(struct str s, int64_t *r_us) must_use_;
/* RFC 5322 date for headers: "2 Jan 2006 15:04:05 -0700" (no weekday). */
struct str time_rfc5322(struct arena *a, int64_t us, int tz_min);

/* Durations as in Go's time.ParseDuration: "72h0m0s", "1m30s", "1.5s", "0s"; result in nanoseconds-resolution rounded to µs. */
int time_parse_duration(struct str s, int64_t *r_us) must_use_;
struct str time_duration(struct arena *a, int64_t us);

#endif
