/* SPDX-License-Identifier: MIT */
/* Dates. One that is understood, written and read again, is the same. */
#include "base/err.h"
#include "base/timeutil.h"
#include "message/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	int64_t us, again;
	int tz, tz2;

	if (message_parse_date(str_n((const char *)data, size), &us, &tz) == 0) {
		struct time_parts t;
		time_split(us, tz, &t);
		/* Years below 1900 are written with fewer digits, which read as others; at the ends the zone leaves the range. */
		if (t.year >= 1900 && t.year < 9999) {
			bug_if(message_parse_date(time_rfc5322(&a, us, tz), &again, &tz2) < 0);
			bug_if(again != us || tz2 != tz);
		}
	}
	arena_done(&a);
	return 0;
}
