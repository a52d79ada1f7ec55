/* SPDX-License-Identifier: MIT */
#include "testutil/testutil.h"

#include "base/cur.h"
#include "base/timeutil.h"
#include "imap/imap.h"

/* Renders what a production made of the input, "!" where it failed; `left` is what it did not take. */
struct got {
	struct str text, left;
};

static struct got
done(struct cur *c, struct str text)
{
	if (!cur_ok(c))
		return (struct got){ .text = { "!", 1 } };
	return (struct got){ .text = text, .left = cur_rest(c) };
}

static struct got
run(const char *what, struct str in)
{
	struct arena *a = test_arena();
	struct cur c = cur_in(a, test_exact(in));
	struct str s = { 0 };
	bool binary = false;
	int tz = 0;

	switch (what[0]) {
	case 't': s = imap_tag(&c); break;
	case 'a': s = imap_astring(&c); break;
	case 'A': s = imap_atom(&c); break;
	case 's': s = imap_string(&c); break;
	case '8': s = imap_literal8(&c, &binary); s = cur_ok(&c) && binary ? str_cat(a, S("~"), s) : s; break;
	case 'N': s = imap_nstring(&c); s = s.p ? s : S("nil"); break;
	case 'n': s = str_fmt(a, "%u", (unsigned)imap_number(&c)); break;
	case 'z': s = str_fmt(a, "%u", (unsigned)imap_nz_number(&c)); break;
	case '6': s = str_fmt(a, "%llu", (unsigned long long)imap_number64(&c)); break;
	case 'f': s = imap_flag(&c); break;
	case 'F': {
		struct strlist l = { 0 };
		imap_flag_list(&c, &l);
		s = strlist_join(a, &l, S(","));
		break;
	}
	case 'd': s = str_fmt(a, "%d", (int)imap_date(&c)); break;
	case 'D': {
		int64_t us = imap_date_time(&c, &tz);
		s = str_fmt(a, "%lld %d", (long long)(us / TIME_SEC), tz);
		break;
	}
	case 'm': s = imap_mailbox(&c, false); break;
	case 'u': s = imap_mailbox(&c, true); break;
	case 'l': s = imap_list_mailbox(&c, false); break;
	default: fail();
	}
	return done(&c, s);
}

TEST(tokens)
{
	static const struct {
		const char *what, *in, *want, *left;
	} rows[] = {
		{ "t", "a1]x rest", "a1]x", " rest" },                          /* rfc/9051:7085 */
		{ "t", "a+b", "a", "+b" },
		{ "t", " x", "!", "" },
		{ "t", "\x1fx", "!", "" },                                      /* a control character is no tag */
		{ "A", "x]y", "x", "]y" },                                      /* rfc/9051:6336 */
		{ "A", "x\x7f", "x", "\x7f" },
		{ "A", "a(b", "a", "(b" },
		{ "A", "a{b", "a", "{b" },
		{ "A", "a%b", "a", "%b" },
		{ "A", "\xc3\xa9", "!", "" },
		{ "a", "x]y z", "x]y", " z" },                                  /* rfc/9051:6332 */
		{ "a", "\"\"", "", "" },
		{ "a", "\"a \\\"b\\\\ c\" d", "a \"b\\ c", " d" },              /* rfc/9051:6858: both escapes are decoded */
		{ "a", "\"a\\n\"", "!", "" },                                   /* and no others exist */
		{ "a", "\"a", "!", "" },
		{ "a", "\"a\\", "!", "" },
		{ "a", "\"a\r\nb\"", "!", "" },
		{ "a", "\"\xe2\x98\xba\"", "\xe2\x98\xba", "" },
		{ "a", "{3}\r\nabc def", "abc", " def" },                       /* rfc/9051:6655 */
		{ "a", "{3+}\r\nabc", "abc", "" },                              /* rfc/7888:163 */
		{ "a", "{3}\nabc", "abc", "" },
		{ "a", "{0}\r\n", "", "" },
		{ "a", "{3}\r\nab", "!", "" },
		{ "a", "{3}abc", "!", "" },
		{ "a", "{99999999999999999999}\r\nabc", "!", "" },
		{ "s", "abc", "!", "" },
		{ "8", "~{3}\r\nabc", "~abc", "" },                             /* rfc/9051:6663 */
		{ "8", "{3}\r\nabc", "abc", "" },
		{ "8", "~{3+}\r\nab", "!", "" },
		{ "N", "NIL", "nil", "" },
		{ "N", "nil)", "nil", ")" },
		{ "N", "\"NIL\"", "NIL", "" },
		{ "N", "NILS", "!", "" },
		{ "N", "\"\"", "", "" },
		{ "n", "0", "0", "" },
		{ "n", "4294967295 ", "4294967295", " " },                      /* rfc/9051:6789 */
		{ "n", "4294967296", "!", "" },
		{ "n", "-1", "!", "" },
		{ "z", "0", "!", "" },
		{ "z", "01", "!", "" },                                         /* rfc/9051:6797 */
		{ "z", "7x", "7", "x" },
		{ "6", "9223372036854775807", "9223372036854775807", "" },      /* rfc/9051:6793: 63 bits */
		{ "6", "9223372036854775808", "!", "" },
		{ "f", "\\seen x", "\\seen", " x" },                            /* rfc/9051:6565 */
		{ "f", "\\Recent", "!", "" },
		{ "f", "\\Seenx", "!", "" },
		{ "f", "\\*", "!", "" },
		{ "f", "$Forwarded)", "$Forwarded", ")" },
		{ "F", "(\\Seen a $b) x", "\\Seen,a,$b", " x" },
		{ "F", "()", "", "" },
		{ "F", "(a  b)", "!", "" },
		{ "F", "( a)", "!", "" },
		{ "F", "(a )", "!", "" },
		{ "F", "(a", "!", "" },
		{ "d", "1-Jan-1970", "0", "" },                                 /* rfc/9051:6487 */
		{ "d", "\"17-jul-1996\"", "9694", "" },
		{ "d", "01-Feb-2024 ", "19754", " " },
		{ "d", "31-Dec-1969", "-1", "" },
		{ "d", "29-Feb-2023", "!", "" },                                /* ranges are checked */
		{ "d", "29-Feb-2024", "19782", "" },
		{ "d", "0-Jan-2024", "!", "" },
		{ "d", "32-Jan-2024", "!", "" },
		{ "d", "1-Foo-2024", "!", "" },
		{ "d", "1-Jan-24", "!", "" },
		{ "d", "\"1-Jan-2024", "!", "" },
		{ "D", "\"17-Jul-1996 02:44:25 -0700\"", "837596665 -420", "" },  /* rfc/9051:6502 */
		{ "D", "\" 1-Jan-1970 00:00:00 +0000\" {3}", "0 0", " {3}" },
		{ "D", "\"1-Jan-1970 00:00:00 +0000\"", "!", "" },              /* the day has two places here */
		{ "D", "\"01-Jan-1970 00:00:00 +0530\"", "-19800 330", "" },
		{ "D", "\"01-Jan-1970 24:00:00 +0000\"", "!", "" },
		{ "D", "\"01-Jan-1970 00:60:00 +0000\"", "!", "" },
		{ "D", "\"01-Jan-1970 00:00:00 +2400\"", "!", "" },
		{ "D", "\"01-Jan-1970 00:00:00 +0060\"", "!", "" },
		{ "D", "\"01-Jan-1970 00:00:00 0000\"", "!", "" },
		{ "m", "&Jjo- x", "\xe2\x98\xba", " x" },
		{ "m", "&Jjo", "!", "" },
		{ "m", "\"\xc3\xa9\"", "\xc3\xa9", "" },                        /* UTF-8 comes in any session */
		{ "m", "{1}\r\n\x80", "!", "" },
		{ "u", "&Jjo-", "&Jjo-", "" },
		{ "u", "{1}\r\n\x80", "!", "" },
		{ "l", "a%*]b c", "a%*]b", " c" },                              /* rfc/9051:6607 */
		{ "l", "\"a b\"", "a b", "" },
		{ "l", "a(", "a", "(" },
		{ "l", "&Jjo-*", "\xe2\x98\xba*", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s %s", rows[i].what, rows[i].in);
		struct str in = str_of(rows[i].in);
		struct got g = run(rows[i].what, in);
		assert_strz(g.text, rows[i].want);
		assert_strz(g.left, rows[i].left);
		/* Truncated anywhere it may fail or end earlier, but neither crashes nor reads beyond. */
		for (size_t n = 0; n < in.n; n++)
			(void)run(rows[i].what, str_upto(in, n));
	}
}

TEST(nul)
{
	struct cur c = cur_in(test_arena(), S("{3}\r\na\0b"));
	imap_literal(&c);
	assert_false(cur_ok(&c));
	c = cur_in(test_arena(), S("\"a\0b\""));
	imap_quoted(&c);
	assert_false(cur_ok(&c));
	bool binary = false;
	c = cur_in(test_arena(), S("~{3}\r\na\0b"));
	assert_str(imap_literal8(&c, &binary), S("a\0b"));
	assert_true(binary);
}

TEST(sticky)
{
	struct cur c = cur_in(test_arena(), S("x"));
	imap_sp(&c);
	assert_int_equal(imap_tag(&c).n, 0);
	assert_int_equal(imap_number(&c), 0);
	assert_false(imap_try_keyword(&c, S("x")));
	assert_strz(cur_error(test_arena(), &c), "expected space at offset 0");
}
