/* SPDX-License-Identifier: MIT */
#include "testutil/testutil.h"

#include "base/buf.h"
#include "base/timeutil.h"
#include "imap/imap.h"

TEST(strings)
{
	static const struct {
		struct str in;
		const char *string, *astring, *string_utf8;
	} rows[] = {
		{ { "", 0 }, "\"\"", "\"\"", "\"\"" },
		{ { "abc", 3 }, "\"abc\"", "abc", "\"abc\"" },
		{ { "a b", 3 }, "\"a b\"", "\"a b\"", "\"a b\"" },
		{ { "a\"b\\", 4 }, "\"a\\\"b\\\\\"", "\"a\\\"b\\\\\"", "\"a\\\"b\\\\\"" },
		{ { "a\r\nb", 4 }, "{4}\r\na\r\nb", "{4}\r\na\r\nb", "{4}\r\na\r\nb" },
		{ { "\xc3\xa9", 2 }, "{2}\r\n\xc3\xa9", "{2}\r\n\xc3\xa9", "\"\xc3\xa9\"" },
		{ { "\xc3", 1 }, "{1}\r\n\xc3", "{1}\r\n\xc3", "{1}\r\n\xc3" },
		{ { "a\0b", 3 }, "{3}\r\na?b", "{3}\r\na?b", "{3}\r\na?b" },
		{ { "nil", 3 }, "\"nil\"", "\"nil\"", "\"nil\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf s = BUF_ARENA(test_arena(), 100), a = BUF_ARENA(test_arena(), 100), u = BUF_ARENA(test_arena(), 100);
		test_row("%s", rows[i].string);
		imap_add_string(&s, rows[i].in, false);
		imap_add_astring(&a, rows[i].in, false);
		imap_add_string(&u, rows[i].in, true);
		assert_strz(buf_str(&s), rows[i].string);
		assert_strz(buf_str(&a), rows[i].astring);
		assert_strz(buf_str(&u), rows[i].string_utf8);
		/* What is written is read back, but for NUL. */
		struct cur c = cur_in(test_arena(), test_exact(buf_str(&s)));
		if (!str_has(rows[i].in, '\0'))
			assert_str(imap_string(&c), rows[i].in);
	}
	struct buf n = BUF_ARENA(test_arena(), 100);
	imap_add_nstring(&n, (struct str){ 0 }, false);
	assert_strz(buf_str(&n), "NIL");
}

TEST(other_writers)
{
	struct buf b = BUF_ARENA(test_arena(), 1000);

	imap_add_mailbox(&b, test_arena(), S("a\xe2\x98\xba"), false);
	imap_add_mailbox(&b, test_arena(), S("a\xe2\x98\xba"), true);
	imap_add_date_time(&b, 837596665 * TIME_SEC, -420);
	imap_add_date_time(&b, 0, 330);
	imap_add_text(&b, S("a\r\nb\0\xc3\xa9"), false);
	imap_add_text(&b, S("\xc3\xa9"), true);
	imap_add_text(&b, S("\xc3"), true);
	assert_str(buf_str(&b), S("a&Jjo-\"a\xe2\x98\xba\"\"17-Jul-1996 02:44:25 -0700\"\" 1-Jan-1970 05:30:00 +0530\"a??b???\xc3\xa9?"));
}
