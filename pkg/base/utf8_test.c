/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include "testutil/testutil.h"

TEST(utf8_decoding)
{
	static const struct { struct str in; int len; uint32_t cp; } rows[] = {
		{ { "", 0 }, 0, 0 },
		{ { "\0", 1 }, 1, 0 },
		{ { "a", 1 }, 1, 'a' },
		{ { "\x7f", 1 }, 1, 0x7f },
		{ { "\xc2\x80", 2 }, 2, 0x80 },
		{ { "\xdf\xbf", 2 }, 2, 0x7ff },
		{ { "\xe0\xa0\x80", 3 }, 3, 0x800 },
		{ { "\xed\x9f\xbf", 3 }, 3, 0xd7ff },
		{ { "\xee\x80\x80", 3 }, 3, 0xe000 },
		{ { "\xef\xbf\xbf", 3 }, 3, 0xffff },
		{ { "\xf0\x90\x80\x80", 4 }, 4, 0x10000 },
		{ { "\xf4\x8f\xbf\xbf", 4 }, 4, 0x10ffff },
		{ { "\xe2\x82\xac" "x", 4 }, 3, 0x20ac },
		{ { "\x80", 1 }, -1, 0 },               /* continuation alone */
		{ { "\xbf", 1 }, -1, 0 },
		{ { "\xc0\x80", 2 }, -1, 0 },           /* overlong, rfc/3629:260 */
		{ { "\xc1\xbf", 2 }, -1, 0 },
		{ { "\xe0\x9f\xbf", 3 }, -1, 0 },
		{ { "\xf0\x8f\xbf\xbf", 4 }, -1, 0 },
		{ { "\xed\xa0\x80", 3 }, -1, 0 },       /* surrogates */
		{ { "\xed\xbf\xbf", 3 }, -1, 0 },
		{ { "\xf4\x90\x80\x80", 4 }, -1, 0 },   /* beyond U+10FFFF */
		{ { "\xf5\x80\x80\x80", 4 }, -1, 0 },
		{ { "\xf8\x88\x80\x80\x80", 5 }, -1, 0 },
		{ { "\xff", 1 }, -1, 0 },
		{ { "\xfe", 1 }, -1, 0 },
		{ { "\xc2", 1 }, -1, 0 },               /* cut short */
		{ { "\xe2\x82", 2 }, -1, 0 },
		{ { "\xf0\x90\x80", 3 }, -1, 0 },
		{ { "\xc2" "a", 2 }, -1, 0 },
		{ { "\xe2\x82" "a", 3 }, -1, 0 },
		{ { "\xe2" "a\x82", 3 }, -1, 0 },
		{ { "\xc2\xc2", 2 }, -1, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = test_exact(rows[i].in);
		uint32_t cp = 0;

		test_row("%zu", i);
		assert_int_equal(utf8_next(in, &cp), rows[i].len);
		assert_int_equal(cp, rows[i].cp);
		if (rows[i].len < 0)
			assert_false(utf8_valid(in));
	}
	assert_true(utf8_valid(S("")));
	assert_true(utf8_valid(S("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z")));
	assert_false(utf8_valid(S("a\xff")));
}

TEST(utf8_encoding)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(16);

	for (uint32_t cp = 0; cp <= 0x110000; cp++) {
		bool surrogate = cp >= 0xd800 && cp <= 0xdfff;
		uint32_t back = 0;

		buf_reset(&b);
		utf8_add(&b, cp);
		if (utf8_next(buf_str(&b), &back) != (int)b.n || back != (surrogate || cp > 0x10ffff ? 0xfffd : cp))
			fail_msg("U+%04X", cp);
	}
}

TEST(utf8_counting_and_cleaning)
{
	struct str s = S("a\xc3\xa4\xff\xe2\x82z"), valid = S("\xc3\xa4" "bc");

	assert_int_equal(utf8_count(s), 6);
	assert_int_equal(utf8_count(valid), 3);
	assert_int_equal(utf8_count(S("")), 0);
	assert_strz(utf8_clean(test_arena(), test_exact(s)), "a\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
	assert_ptr_equal(utf8_clean(test_arena(), valid).p, valid.p);
}

TEST(utf8_cutting)
{
	static const struct { const char *in; size_t max; const char *out; } rows[] = {
		{ "abc", 5, "abc" },
		{ "abc", 3, "abc" },
		{ "abc", 2, "ab" },
		{ "abc", 0, "" },
		{ "a\xc3\xa4z", 2, "a" },
		{ "a\xc3\xa4z", 3, "a\xc3\xa4" },
		{ "\xe2\x82\xacz", 1, "" },
		{ "\xe2\x82\xacz", 2, "" },
		{ "\xe2\x82\xacz", 3, "\xe2\x82\xac" },
		{ "a\xf0\x9f\x98\x80z", 1, "a" },
		{ "a\xf0\x9f\x98\x80z", 2, "a" },
		{ "a\xf0\x9f\x98\x80z", 3, "a" },
		{ "a\xf0\x9f\x98\x80z", 4, "a" },
		{ "a\xf0\x9f\x98\x80z", 5, "a\xf0\x9f\x98\x80" },
		{ "\x80\x80\x80\x80\x80", 4, "\x80\x80\x80\x80" },      /* invalid anyway */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		assert_strz(utf8_cut(test_exact(str_of(rows[i].in)), rows[i].max), rows[i].out);
	}
}

TEST(utf8_normalisation)
{
	struct arena *a = test_arena();
	struct str composed = S("\xc3\xa4"), decomposed = S("a\xcc\x88"), invalid = S("a\xcc"), ascii = S("abc");

	assert_true(utf8_is_nfc(composed));
	assert_false(utf8_is_nfc(decomposed));
	assert_true(utf8_is_nfc(ascii));
	assert_true(utf8_is_nfc(S("")));
	assert_false(utf8_is_nfc(invalid));
	assert_str(utf8_nfc(a, composed), composed);
	assert_str(utf8_nfc(a, decomposed), composed);
	assert_str(utf8_nfc(a, invalid), invalid);
	assert_ptr_equal(utf8_nfc(a, ascii).p, ascii.p);
	/* Hangul, and the Kelvin sign, which is not what it is canonically equivalent to. */
	assert_strz(utf8_nfc(a, S("\xe1\x84\x80\xe1\x85\xa1")), "\xea\xb0\x80");
	assert_strz(utf8_nfc(a, S("\xe2\x84\xaa")), "K");
}

TEST(utf8_case)
{
	struct arena *a = test_arena();
	struct str invalid = S("A\xff");

	assert_strz(utf8_lower(a, S("ABC")), "abc");
	assert_strz(utf8_lower(a, S("\xc3\x84\xce\xa3\xd0\x96z")), "\xc3\xa4\xcf\x83\xd0\xb6z");
	assert_strz(utf8_lower(a, S("STRA\xc3\x9f" "E")), "stra\xc3\x9f" "e");
	assert_str(utf8_lower(a, invalid), invalid);
	assert_strz(utf8_casefold(a, S("ABC")), "abc");
	assert_strz(utf8_casefold(a, S("Stra\xc3\x9f" "e")), "strasse");
	assert_strz(utf8_casefold(a, S("\xce\xa3\xcf\x82")), "\xcf\x83\xcf\x83");
	assert_strz(utf8_casefold(a, S("A\xcc\x88")), "\xc3\xa4");
	assert_str(utf8_casefold(a, invalid), invalid);
}
