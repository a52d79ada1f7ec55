/* SPDX-License-Identifier: MIT */
/* What parses is written in a form that parses to the same; civil time goes there and back. */
#include "base/arena.h"
#include "base/err.h"
#include "base/timeutil.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = { 0 };
	struct str s = str_n((const char *)data, n);
	struct time_parts p;
	int64_t us, again;

	if (time_parse_rfc3339(s, &us) == 0)
		bug_if(time_parse_rfc3339(time_rfc3339(&a, us), &again) < 0 || again != us);
	if (time_parse_duration(s, &us) == 0) {
		/* Rounded up at the very end of the range it is one too large. */
		if (us < INT64_MAX / 1000 && us > -(INT64_MAX / 1000))
			bug_if(time_parse_duration(time_duration(&a, us), &again) < 0 || again != us);
	}
	if (n >= 10) {
		int tz = (int8_t)data[8] * 10 + data[9] % 10;

		memcpy(&us, data, 8);
		time_split(us, tz, &p);
		bug_if(p.year < 0 || p.year > 9999 || p.weekday < 0 || p.weekday > 6);
		if (time_join(&p, &again) == 0 && p.year > 0 && p.year < 9999)
			bug_if(again != us);
		time_rfc3339(&a, us);
		time_rfc5322(&a, us, tz);
		time_duration(&a, us);
		time_local_tz_min(us);
	}
	arena_done(&a);
	return 0;
}
