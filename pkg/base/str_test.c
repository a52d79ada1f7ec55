/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include "testutil/testutil.h"

static const struct str none;           /* no bytes, no pointer */

TEST(str_views)
{
	assert_str(S("abc"), str_n("abcd", 3));
	assert_str(str_of("abc"), S("abc"));
	assert_str(str_of(NULL), none);
	assert_true(str_is(none, S("")));
	assert_false(str_is(S("a"), S("b")));
	assert_false(str_is(S("a"), S("ab")));
}

TEST(str_copies)
{
	struct arena *a = test_arena();
	struct str s = str_dup(a, S("a\0b"));
	char *z = str_z(a, S("abc"));

	assert_str(s, S("a\0b"));
	assert_int_equal(s.p[3], '\0');
	assert_string_equal(z, "abc");
	assert_null(str_z(a, S("a\0b")));
	assert_string_equal(str_z(a, none), "");
	assert_str(str_dup(a, none), S(""));
}

static void
bad_format(void *arg unused_)
{
	/* A wide string that cannot be converted in the C locale. */
	str_fmt(test_arena(), "%ls", L"\x20ac");
}

TEST(str_formats)
{
	struct arena *a = test_arena();
	char fill[1001];
	struct str s;

	memset(fill, 'x', 1000);
	fill[1000] = '\0';
	assert_str(str_fmt(a, "%d-" STRF, 5, STRA(S("ab"))), S("5-ab"));
	s = str_fmt(a, "%s", fill);
	assert_str(s, str_of(fill));
	fill[255] = '\0';
	assert_str(str_fmt(a, "%s", fill), str_of(fill));
	fill[255] = 'x';
	fill[256] = '\0';
	assert_str(str_fmt(a, "%s", fill), str_of(fill));
	test_bug(bad_format, NULL, "%ls");
	assert_str(str_cat(a, S("ab"), S("cd")), S("abcd"));
	assert_str(str_cat(a, none, S("cd")), S("cd"));
	assert_str(str_cat(a, S("ab"), none), S("ab"));
}

TEST(str_order)
{
	static const struct { struct str a, b; int cmp, icmp; } rows[] = {
		{ { "", 0 }, { NULL, 0 }, 0, 0 },
		{ { "a", 1 }, { "", 0 }, 1, 1 },
		{ { "a", 1 }, { "ab", 2 }, -1, -1 },
		{ { "a", 1 }, { "b", 1 }, -1, -1 },
		{ { "a", 1 }, { "A", 1 }, 1, 0 },
		{ { "Z", 1 }, { "a", 1 }, -1, 1 },
		{ { "[", 1 }, { "{", 1 }, -1, -1 },
		{ { "@", 1 }, { "`", 1 }, -1, -1 },
		{ { "\xe4", 1 }, { "\xc4", 1 }, 1, 1 },         /* letters of Latin 1 are not folded */
		{ { "\x80", 1 }, { "z", 1 }, 1, 1 },            /* bytes are unsigned */
		{ { "a\0b", 3 }, { "a\0c", 3 }, -1, -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		assert_int_equal(str_cmp(rows[i].a, rows[i].b), rows[i].cmp);
		assert_int_equal(str_cmp(rows[i].b, rows[i].a), -rows[i].cmp);
		assert_int_equal(str_icmp(rows[i].a, rows[i].b), rows[i].icmp);
		assert_int_equal(str_icmp(rows[i].b, rows[i].a), -rows[i].icmp);
		assert_int_equal(str_icase(rows[i].a, rows[i].b), rows[i].icmp == 0);
	}
}

TEST(str_prefixes_and_suffixes)
{
	assert_true(str_starts(S("abc"), S("ab")));
	assert_true(str_starts(S("abc"), none));
	assert_true(str_starts(none, none));
	assert_false(str_starts(S("a"), S("ab")));
	assert_false(str_starts(S("abc"), S("AB")));
	assert_true(str_istarts(S("abc"), S("AB")));
	assert_false(str_istarts(S("abc"), S("ABCD")));
	assert_true(str_ends(S("abc"), S("bc")));
	assert_true(str_ends(S("abc"), none));
	assert_false(str_ends(S("abc"), S("BC")));
	assert_false(str_ends(S("c"), S("bc")));
	assert_true(str_iends(S("abc"), S("BC")));
	assert_false(str_iends(S("c"), S("BC")));
	assert_false(str_iends(S("abc"), S("BD")));
}

TEST(str_searching)
{
	static const struct { struct str s, needle; int at, iat; } rows[] = {
		{ { "abcabc", 6 }, { "c", 1 }, 2, 2 },
		{ { "abcabc", 6 }, { "C", 1 }, -1, 2 },
		{ { "abcabc", 6 }, { "bca", 3 }, 1, 1 },
		{ { "abcabc", 6 }, { "CA", 2 }, -1, 2 },
		{ { "abcabc", 6 }, { "abd", 3 }, -1, -1 },
		{ { "abcabc", 6 }, { "abcabc", 6 }, 0, 0 },
		{ { "abc", 3 }, { "abcd", 4 }, -1, -1 },
		{ { "abc", 3 }, { "", 0 }, 0, 0 },
		{ { NULL, 0 }, { NULL, 0 }, 0, 0 },
		{ { NULL, 0 }, { "a", 1 }, -1, -1 },
		{ { "a\0b", 3 }, { "\0b", 2 }, 1, 1 },
		{ { "aab", 3 }, { "AB", 2 }, -1, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		assert_int_equal(str_search(rows[i].s, rows[i].needle), rows[i].at);
		assert_int_equal(str_isearch(rows[i].s, rows[i].needle), rows[i].iat);
	}
	assert_true(str_has(S("abc"), 'c'));
	assert_false(str_has(S("abc"), 'd'));
	assert_false(str_has(none, 'd'));
	assert_int_equal(str_find(S("abcb"), 'b'), 1);
	assert_int_equal(str_find(S("abcb"), 'x'), -1);
	assert_int_equal(str_find(none, 'x'), -1);
	assert_int_equal(str_rfind(S("abcb"), 'b'), 3);
	assert_int_equal(str_rfind(S("abcb"), 'x'), -1);
	assert_int_equal(str_rfind(none, 'x'), -1);
}

TEST(str_parts)
{
	struct str rest = S("a,b,,c");

	assert_str(str_from(S("abc"), 1), S("bc"));
	assert_str(str_from(S("abc"), 4), S(""));
	assert_str(str_from(none, 4), none);
	assert_str(str_upto(S("abc"), 2), S("ab"));
	assert_str(str_upto(S("abc"), 4), S("abc"));
	assert_str(str_trim(S(" \t\r\n a b\r\n")), S("a b"));
	assert_str(str_trim(S(" \v ")), S("\v"));
	assert_str(str_trim(S("  ")), S(""));
	assert_str(str_trim(none), none);
	assert_str(str_split(&rest, ','), S("a"));
	assert_str(str_split(&rest, ','), S("b"));
	assert_str(str_split(&rest, ','), S(""));
	assert_str(str_split(&rest, ','), S("c"));
	assert_str(rest, S(""));
	assert_str(str_split(&rest, ','), S(""));
	rest = S("a,");
	assert_str(str_split(&rest, ','), S("a"));
	assert_str(rest, S(""));
}

TEST(str_case_conversion)
{
	struct arena *a = test_arena();

	assert_str(str_lower(a, S("aBZ@[\xc4")), S("abz@[\xc4"));
	assert_str(str_upper(a, S("aBz`{\xe4")), S("ABZ`{\xe4"));
	assert_str(str_lower(a, none), S(""));
	assert_str(str_upper(a, none), S(""));
	assert_true(str_is_ascii(S("\0\x7f")));
	assert_true(str_is_ascii(none));
	assert_false(str_is_ascii(S("a\x80")));
}

TEST(str_numbers)
{
	static const struct { const char *s; int ok64, ok32, oki; uint64_t v; int64_t i; } rows[] = {
		{ "0", 1, 1, 1, 0, 0 },
		{ "007", 1, 1, 1, 7, 7 },
		{ "4294967295", 1, 1, 1, 4294967295, 4294967295 },
		{ "4294967296", 1, 0, 1, 4294967296, 4294967296 },
		{ "9223372036854775807", 1, 0, 1, INT64_MAX, INT64_MAX },
		{ "9223372036854775808", 1, 0, 0, UINT64_C(9223372036854775808), 0 },
		{ "18446744073709551615", 1, 0, 0, UINT64_MAX, 0 },
		{ "18446744073709551616", 0, 0, 0, 0, 0 },
		{ "18446744073709551620", 0, 0, 0, 0, 0 },
		{ "99999999999999999999", 0, 0, 0, 0, 0 },
		{ "-1", 0, 0, 1, 0, -1 },
		{ "+1", 0, 0, 1, 0, 1 },
		{ "-9223372036854775808", 0, 0, 1, 0, INT64_MIN },
		{ "-9223372036854775809", 0, 0, 0, 0, 0 },
		{ "", 0, 0, 0, 0, 0 },
		{ "-", 0, 0, 0, 0, 0 },
		{ "+-1", 0, 0, 0, 0, 0 },
		{ " 1", 0, 0, 0, 0, 0 },
		{ "1 ", 0, 0, 0, 0, 0 },
		{ "1a", 0, 0, 0, 0, 0 },
		{ "1/", 0, 0, 0, 0, 0 },
		{ "1:", 0, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str s = str_of(rows[i].s);
		uint64_t u64 = 99;
		uint32_t u32 = 99;
		int64_t i64 = 99;

		test_row("%s", rows[i].s);
		assert_err(str_u64(s, &u64), rows[i].ok64 ? 0 : ERR_INVALID);
		assert_true(u64 == (rows[i].ok64 ? rows[i].v : 99));
		assert_err(str_u32(s, &u32), rows[i].ok32 ? 0 : ERR_INVALID);
		assert_true(u32 == (rows[i].ok32 ? rows[i].v : 99));
		assert_err(str_i64(s, &i64), rows[i].oki ? 0 : ERR_INVALID);
		assert_true(i64 == (rows[i].oki ? rows[i].i : 99));
	}
}

TEST(str_log_escapes_and_cuts)
{
	static const struct { struct str in; size_t max; const char *out; } rows[] = {
		{ { "plain text", 10 }, 100, "plain text" },
		{ { "a\r\n\tb", 5 }, 100, "a\\x0d\\x0a\\x09b" },
		{ { "\0\x1b\x7f\\", 4 }, 100, "\\x00\\x1b\\x7f\\x5c" },
		{ { "\xc3\xa4\xff\xc3", 4 }, 100, "\xc3\xa4\\xff\\xc3" },
		{ { "abcdef", 6 }, 6, "abcdef" },
		{ { "abcdef", 6 }, 5, "abcde..." },
		{ { "abcdef", 6 }, 0, "..." },
		{ { "ab\n", 3 }, 5, "ab..." },                  /* no half escape */
		{ { "a\xc3\xa4z", 4 }, 2, "a..." },             /* no half character */
		{ { NULL, 0 }, 0, "" },
		{ { "\n\n\n\n", 4 }, 16, "\\x0a\\x0a\\x0a\\x0a" },
		{ { "\n\n\n\n", 4 }, 15, "\\x0a\\x0a\\x0a..." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		assert_strz(str_log(test_arena(), test_exact(rows[i].in), rows[i].max), rows[i].out);
	}
}

TEST(strlists)
{
	struct arena *a = test_arena();
	struct strlist l = { 0 };

	assert_str(strlist_join(a, &l, S(", ")), S(""));
	strlist_sort(&l);
	for (int i = 19; i >= 0; i--)
		strlist_add(a, &l, str_fmt(a, "%c", 'a' + i));
	strlist_add(a, &l, none);
	assert_int_equal(l.n, 21);
	assert_true(strlist_has(&l, S("c")));
	assert_false(strlist_has(&l, S("C")));
	assert_true(strlist_ihas(&l, S("C")));
	assert_false(strlist_ihas(&l, S("X")));
	strlist_sort(&l);
	assert_str(strlist_join(a, &l, S("")), S("abcdefghijklmnopqrst"));
	l.n = 3;
	assert_str(strlist_join(a, &l, S(", ")), S(", a, b"));
}
