/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/timeutil.h"
#include "regexp/regexp.h"
#include "testutil/testutil.h"

TEST(matching)
{
	static const struct { const char *pattern, *subject; bool want; } rows[] = {
		{ "", "", true }, { "", "x", true }, { "a", "xay", true }, { "^a", "xa", false }, { "a$", "xa", true }, { "a$", "a\n", false },
		{ "^(junk|spam)", "junk/old", true }, { "^(junk|spam)", "my junk", false },
		{ "(?i)JUNK", "junk", true }, { "a.c", "a\nc", false }, { "(?s)a.c", "a\nc", true }, { "(?m)^b$", "a\nb\nc", true },
		{ "\\bfoo\\b", "a foo b", true }, { "\\bfoo\\b", "food", false },
		{ "^list-id: <x\\.example\\.org>$", "list-id: <x.example.org>", true },
		{ "^.$", "\xc3\xa9", true }, { "^[\xc3\xa9]$", "\xc3\xa9", true }, { "^..$", "\xc3\xa9", false },
		{ "a", "\xff" "a", true }, { "^.a", "\xff" "a", true },
		{ "\\p{Greek}", "\xce\xb1", true }, { "[[:alpha:]]{2,3}", "1ab", true }, { "[]a]", "]", true }, { "[^]a]", "]", false },
		{ "\\Qa.b*\\E", "a.b*", true }, { "\\Qa.b\\E", "axb", false }, { "x{,2}", "x{,2}", true }, { "a??b", "b", true },
		{ "(?P<name>a)(?:b)", "ab", true }, { "(?i)\xc3\x89t\xc3\xa9", "\xc3\xa9T\xc3\x89", true }, { "(?i)[^a]", "A", false }, { "(?i:a)b", "Ab", true },
		{ "(?i:a)b", "AB", false }, { "a(?i)b|c", "C", true }, { "(a(?i)b)c", "aBC", false }, { "[\\d-]+$", "5-", true }, { "[^\\D]", "x", false }, { "[a\\]]", "]", true },
		{ "\\x41\\x{e9}", "A\xc3\xa9", true }, { "\\PL", "a", false }, { "\\p{^L}", "1", true }, { "\\pN", "1", true }, { "a{2}", "a", false }, { "^a{2,}$", "aaa", true },
		{ "^(ab){1,2}$", "ababab", false }, { "x{,2}", "x{,2}", true }, { "a{", "a{", true }, { "^$", "", true }, { "(?m)^$", "a\n\nb", true }, { "\\Ba", "ba", true },
		{ "^a?{", "{", true }, { "(?-s).", "\n", false }, { "\\Ab\\z", "b", true }, { "(|a)+$", "aaa", true }, { "^(?:a?){3}a{3}$", "aaa", true }, { "a|b|", "zzz", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct regexp *re;
		struct errmsg e = { 0 };

		test_row("%s on %s", rows[i].pattern, rows[i].subject);
		if (regexp_compile(test_exact(str_of(rows[i].pattern)), &re, &e) < 0)
			fail_msg("%s", e.text);
		assert_int_equal(regexp_match(re, test_exact(str_of(rows[i].subject))), rows[i].want);
		regexp_free(&re);
	}
}

TEST(refused)
{
	static const struct { const char *pattern, *error; } rows[] = {
		{ "a\\", "backslash at the end at offset 2" },
		{ "(a)\\1", "backreferences are not supported at offset 4" },
		{ "[\\1]", "backreferences are not supported at offset 2" },
		{ "(?=a)", "only groups, names and the flags i, m, s, U may follow \"(?\" at offset 2" },
		{ "(?!a)", "only groups, names and the flags i, m, s, U may follow \"(?\" at offset 2" },
		{ "(?<=a)", "bad name of a group at offset 3" },
		{ "(?<!a)", "bad name of a group at offset 3" },
		{ "(?P<a", "bad name of a group at offset 5" },
		{ "(?P<>x)", "bad name of a group at offset 4" },
		{ "(?>a)", "only groups, names and the flags i, m, s, U may follow \"(?\" at offset 2" },
		{ "(?R)", "only groups, names and the flags i, m, s, U may follow \"(?\" at offset 2" },
		{ "(?)", "only groups, names and the flags i, m, s, U may follow \"(?\" at offset 2" },
		{ "(*UTF8)a", "nothing to repeat at offset 2" },
		{ "\\g{1}", "unknown escape at offset 1" }, { "\\K", "unknown escape at offset 1" }, { "\\C", "unknown escape at offset 1" },
		{ "a++", "repetition of a repetition at offset 3" }, { "a**", "repetition of a repetition at offset 3" }, { "a{2}{3}", "repetition of a repetition at offset 7" },
		{ "a{1001}", "more than 1000 repetitions at offset 7" }, { "a{1,99999999999}", "more than 1000 repetitions at offset 16" },
		{ "a{2,1}", "repetitions out of order at offset 6" },
		{ "[a", "class without end at offset 2" }, { "[]", "class without end at offset 2" }, { "[[:nosuch:]]", "unknown class at offset 11" },
		{ "(a", "missing closing parenthesis at offset 2" },
		{ "a)(b", "unmatched closing parenthesis at offset 1" },
		{ "*", "nothing to repeat at offset 1" }, { "a|+", "nothing to repeat at offset 3" },
		{ "[b-a]", "range out of order at offset 4" }, { "[a-\\d]", "unknown escape at offset 4" },
		{ "\\p{Nosuch}", "unknown property at offset 10" }, { "\\p", "unknown property at offset 2" }, { "\\x4", "bad hexadecimal escape at offset 3" },
		{ "\\x{110000}", "bad hexadecimal escape at offset 10" },
		{ "\xff", "not valid UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct regexp *re;
		struct errmsg e = { 0 };

		test_row("%s", rows[i].pattern);
		assert_err(regexp_compile(test_exact(str_of(rows[i].pattern)), &re, &e), ERR_INVALID);
		assert_str(str_of(e.text), str_fmt(test_arena(), "regular expression: %s", rows[i].error));
	}
}

TEST(limits)
{
	struct buf b = BUF_ARENA(test_arena(), 10000);
	struct regexp *re;

	while (b.n <= REGEXP_MAX_PATTERN)
		buf_addc(&b, 'a');
	assert_err(regexp_compile(buf_str(&b), &re, NULL), ERR_LIMIT);
	buf_reset(&b);
	for (int i = 0; i < 200; i++)
		buf_addc(&b, '(');
	assert_err(regexp_compile(buf_str(&b), &re, NULL), ERR_INVALID);
	buf_reset(&b);
	for (int i = 0; i <= REGEXP_MAX_GROUPS; i++)
		buf_addz(&b, "()");
	assert_err(regexp_compile(buf_str(&b), &re, NULL), ERR_INVALID);
	assert_err(regexp_compile(S("((a{1000}){1000}){1000}"), &re, NULL), ERR_LIMIT);
	assert_err(regexp_compile(S("(((((a|b){0,1000}){0,1000}){0,1000}){0,1000}){0,1000}"), &re, NULL), ERR_LIMIT);
	assert_ok(regexp_compile(S("a{1000}b{0,1000}"), &re, NULL));
	regexp_free(&re);
}

/* Patterns that take a backtracking matcher forever, on long subjects: some of these would not end before the sun. */
TEST(no_backtracking)
{
	static const char *const patterns[] = { "^(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)x", "(a?){30}a{30}b", "([a-z]+)*\\d", "(x+x+)+y" };
	struct buf b = BUF_ARENA(test_arena(), 100000);
	int64_t start = time_mono_us();

	for (int i = 0; i < 20000; i++)
		buf_addc(&b, 'a');
	buf_addc(&b, '!');
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		struct regexp *re;

		test_row("%s", patterns[i]);
		assert_ok(regexp_compile(str_of(patterns[i]), &re, NULL));
		assert_false(regexp_match(re, buf_str(&b)));
		regexp_free(&re);
	}
	assert_true(time_mono_us() - start < 60 * TIME_SEC);
}

TEST(expanding)
{
	static const struct { const char *pattern, *subject, *template, *want; } rows[] = {
		{ "^/old/(.*)$", "/old/x/y", "/new/$1", "/new/x/y" },
		{ "^/(a)?(b)", "/b", "[$1][$2][$0]", "[][b][/b]" },
		{ "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "abcdefghij", "${10}$1${99}", "ja" },
		{ "a", "a", "$$1 $x ${y} $", "$1 $x  $" },
		{ "a", "a", "", "" },
		{ "(\xc3\xa9+)", "x\xc3\xa9\xc3\xa9y", "$1", "\xc3\xa9\xc3\xa9" },
		{ "b", "a", "x", NULL },
		/* Leftmost, then what the pattern prefers. */
		{ "a|ab", "xab", "$0", "a" }, { "ab|a", "xab", "$0", "ab" }, { "(a+)(a+)", "aaaa", "$1,$2", "aaa,a" }, { "(a+?)(a+)", "aaaa", "$1,$2", "a,aaa" },
		{ "(?U)(a+)(a+)", "aaaa", "$1,$2", "a,a" }, { "(a|b)*", "abba", "$1", "a" }, { "(a)|(b)", "b", "[$1][$2]", "[][b]" }, { "x*", "aaxx", "[$0]", "[]" },
		{ "^/([^/]+)/(.*)$", "/a/b/c", "/$2?x=$1", "/b/c?x=a" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct regexp *re;
		struct str out = { 0 };

		test_row("%s on %s", rows[i].pattern, rows[i].subject);
		assert_ok(regexp_compile(str_of(rows[i].pattern), &re, NULL));
		assert_int_equal(regexp_expand(re, test_arena(), test_exact(str_of(rows[i].subject)), str_of(rows[i].template), &out), rows[i].want != NULL);
		assert_strz(out, rows[i].want ? rows[i].want : "");
		regexp_free(&re);
	}
}

TEST(quoting)
{
	struct str all;
	struct buf b = BUF_ARENA(test_arena(), 1000);
	struct regexp *re;

	for (int c = 1; c < 128; c++)
		buf_addc(&b, (char)c);
	all = buf_str(&b);
	assert_ok(regexp_compile(str_fmt(test_arena(), "^" STRF "$", STRA(regexp_quote(test_arena(), all))), &re, NULL));
	assert_true(regexp_match(re, all));
	regexp_free(&re);
	assert_strz(regexp_quote(test_arena(), S("a.b@c-d")), "a\\.b@c-d");
}
