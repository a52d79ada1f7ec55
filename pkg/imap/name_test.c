/* SPDX-License-Identifier: MIT */
#include "testutil/testutil.h"

#include "imap/imap.h"

TEST(utf7)
{
	static const struct {
		const char *wire, *utf8;
		bool decode_only;
	} rows[] = {
		{ "plain", "plain", false },
		{ "", "", false },
		{ "&Jjo-", "\xe2\x98\xba", false },
		{ "a&Jjo-b", "a\xe2\x98\xba" "b", false },
		{ "&-", "&", false },
		{ "a&-b&-", "a&b&", false },
		{ "&Jjo-&-", "\xe2\x98\xba&", false },                          /* must round trip */
		{ "&2AHcNw-", "\xf0\x90\x90\xb7", false },                      /* U+10437 */
		{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", false }, /* rfc/3501:1129 */
		{ "&AOk-&-&AOk-", "\xc3\xa9&\xc3\xa9", false },
		{ "\xc3\xa9", "\xc3\xa9", true },                               /* UTF-8 passes */
		{ "&Jjo", NULL, false },                                        /* unfinished */
		{ "&", NULL, false },
		{ "&Jjo!", NULL, false },
		{ "&Jjo-&Jjo-", NULL, false },                                  /* superfluous shift: rfc/3501:1107 */
		{ "&U,BTFw-&ZeVnLIqe-", NULL, false },                          /* the RFC's own bad example */
		{ "&AGE-", NULL, false },                                       /* "a" needs no encoding */
		{ "&ACY-", NULL, false },                                       /* nor does "&" */
		{ "&Jj/-", NULL, false },                                       /* "/" is no digit here */
		{ "&Jjp-", NULL, false },                                       /* bits left over that are not zero */
		{ "&Jg-", NULL, false },                                        /* half a unit */
		{ "&JjoA-", NULL, false },                                      /* a digit too many */
		{ "&2AE-", NULL, false },                                       /* high surrogate alone */
		{ "&3Dc-", NULL, false },                                       /* low surrogate alone */
		{ "&2AHYAQ-", NULL, false },                                    /* two high ones */
		{ "&2AEmOg-", NULL, false },                                    /* high, then no surrogate */
		{ "&3DfYAQ-", NULL, false },                                    /* wrong order */
		{ "\x80", NULL, false },
		{ "&Jjo-\xff", NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = { 0 };
		test_row("%s", rows[i].wire);
		int r = imap_utf7_decode(test_arena(), test_exact(str_of(rows[i].wire)), &got);
		if (!rows[i].utf8) {
			assert_err(r, ERR_INVALID);
			continue;
		}
		assert_ok(r);
		assert_strz(got, rows[i].utf8);
		if (!rows[i].decode_only)
			assert_strz(imap_utf7_encode(test_arena(), test_exact(str_of(rows[i].utf8))), rows[i].wire);
	}
}

TEST(pattern_join)
{
	static const struct {
		const char *reference, *pattern, *want;
	} rows[] = {
		{ "", "%", "%" },
		{ "", "", "" },
		{ "a", "%", "a/%" },
		{ "a/", "%", "a/%" },
		{ "a//b/", "c//d/", "a/b/c/d" },
		{ "inbox", "a", "Inbox/a" },
		{ "", "INBOX", "Inbox" },
		{ "", "iNbOx/%", "Inbox/%" },
		{ "", "INBO*", "INBO*" },
		{ "", "Inbox*", "Inbox*" },
		{ "/a", "b", NULL },
		{ "a", "/b", NULL },
		{ "", "/", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s + %s", rows[i].reference, rows[i].pattern);
		struct str got = imap_pattern_join(test_arena(), str_of(rows[i].reference), str_of(rows[i].pattern));
		assert_int_equal(got.p != NULL, rows[i].want != NULL);
		assert_str(got, str_of(rows[i].want));
	}
}

TEST(pattern_match)
{
	static const struct {
		const char *pattern, *name;
		bool want;
	} rows[] = {
		{ "", "", true }, { "", "a", false }, { "*", "", true }, { "*", "a/b", true }, { "%", "a", true }, { "%", "a/b", false },
		{ "a/%", "a/b", true }, { "a/%", "a/b/c", false }, { "a/*", "a/b/c", true }, { "a*", "a", true }, { "%/b", "a/b", true },
		{ "*b", "a/b", true }, { "*%", "a/b", true }, { "%*", "a/b", true }, { "a%c", "abc", true }, { "a%c", "a/c", false },
		{ "*a%b", "xa/ab", true }, { "%a*c", "ba/c", true }, { "a", "A", false }, { "%%", "ab", true }, { "**", "", true },
		{ "a%/%c", "ab/xc", true }, { "Inbox", "Inbox", true }, { "INBO*", "Inbox", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s against %s", rows[i].pattern, rows[i].name);
		assert_int_equal(imap_pattern_match(str_of(rows[i].pattern), str_of(rows[i].name)), rows[i].want);
	}
}

/* The definition, by trying everything. */
static bool
match_by_definition(const char *p, const char *n)
{
	if (*p == '\0')
		return *n == '\0';
	if (*p == '*' || *p == '%') {
		for (;; n++) {
			if (match_by_definition(p + 1, n))
				return true;
			if (*n == '\0' || (*p == '%' && *n == '/'))
				return false;
		}
	}
	return *n == *p && match_by_definition(p + 1, n + 1);
}

TEST(pattern_match_all_short)
{
	static const char pattern_chars[] = "ab/%*", name_chars[] = "ab/";
	char pattern[6] = "", name[6] = "";

	for (unsigned i = 0; i < 3125 * 6; i++) {
		unsigned length = i / 3125, v = i % 3125;
		for (unsigned k = 0; k < length; k++, v /= 5)
			pattern[k] = pattern_chars[v % 5];
		pattern[length] = '\0';
		if (v > 0)
			continue;
		for (unsigned j = 0; j < 243 * 6; j++) {
			unsigned nlen = j / 243, w = j % 243;
			for (unsigned k = 0; k < nlen; k++, w /= 3)
				name[k] = name_chars[w % 3];
			name[nlen] = '\0';
			if (w > 0)
				continue;
			if (imap_pattern_match(str_of(pattern), str_of(name)) != match_by_definition(pattern, name)) {
				test_row("%s against %s", pattern, name);
				assert_int_equal(imap_pattern_match(str_of(pattern), str_of(name)), match_by_definition(pattern, name));
			}
		}
	}
}
