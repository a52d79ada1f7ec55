/* SPDX-License-Identifier: MIT */
#include "subjectpass/subjectpass.h"

#include "base/timeutil.h"
#include "testutil/testutil.h"

#define KEY S("0123456789abcdef")
#define T0 1700000000

TEST(vector)
{
	assert_str(subjectpass_generate(test_arena(), KEY, S("user@example.org"), T0 * TIME_SEC), S("(pass:AGVT8Rfj0a2QSltmwzbWwQ)"));
}

TEST(verify)
{
	static const struct {
		const char *subject, *from, *key;
		int64_t now_s, period_s;
		const char *want;
	} rows[] = {
#define GOOD "(pass:AGVT8Rfj0a2QSltmwzbWwQ)"
		{ "hi " GOOD, "user@example.org", NULL, T0, 3600, "ok" },
		{ GOOD " hi", "user@example.org", NULL, T0 + 3000, 3600, "ok" },
		{ GOOD, "user@example.org", NULL, T0 + 3600, 3600, "ok" },
		{ GOOD, "user@example.org", NULL, T0 + 3601, 3600, "expired" },
		{ GOOD, "user@example.org", NULL, T0 - 1000000, 3600, "ok" },                  /* a clock that went back */
		{ GOOD, "other@example.org", NULL, T0, 3600, "forged" },
		{ GOOD, "User@example.org", NULL, T0, 3600, "forged" },
		{ GOOD, "user@example.org", "0123456789abcdeF", T0, 3600, "forged" },
		{ "(pass:AGVT8Rfj0a2QSltmwzbWwA)", "user@example.org", NULL, T0, 3600, "forged" },
		{ "(pass:AGVT8hfj0a2QSltmwzbWwQ)", "user@example.org", NULL, T0, 3600, "forged" },     /* another time */
		{ "(pass:EGVT8Rfj0a2QSltmwzbWwQ)", "user@example.org", NULL, T0, 3600, "malformed" },  /* version 1 */
		{ "(pass:AGVT8Rfj0a2QSltmwzbWw)", "user@example.org", NULL, T0, 3600, "malformed" },
		{ "(pass:AGVT8Rfj0a2QSltmwzbWwQAA)", "user@example.org", NULL, T0, 3600, "malformed" },
		{ "(pass:AGVT8Rfj0a2QSltmwzbWwQ", "user@example.org", NULL, T0, 3600, "malformed" },
		{ "(pass:****************)", "user@example.org", NULL, T0, 3600, "malformed" },
		{ "(pass:)", "user@example.org", NULL, T0, 3600, "malformed" },
		{ "pass:AGVT8Rfj0a2QSltmwzbWwQ", "user@example.org", NULL, T0, 3600, "none" },
		{ "", "user@example.org", NULL, T0, 3600, "none" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu %s", i, rows[i].subject);
		assert_string_equal(subjectpass_result_text(subjectpass_verify(test_arena(), rows[i].key ? str_of(rows[i].key) : KEY, str_of(rows[i].subject),
		    str_of(rows[i].from), rows[i].period_s * TIME_SEC, rows[i].now_s * TIME_SEC)), rows[i].want);
	}
}
