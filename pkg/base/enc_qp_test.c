/* SPDX-License-Identifier: MIT */
#include "base/enc.h"
#include "testutil/testutil.h"

/* Decodes in pieces of the given size. */
static struct str
decode(struct str in, size_t piece, size_t *r_bad)
{
	struct buf b = BUF_ARENA(test_arena(), 100000);
	struct enc_qpdec d = { 0 };

	for (size_t i = 0; i < in.n; i += piece)
		enc_qpdec_add(&d, str_upto(str_from(in, i), piece), &b);
	enc_qpdec_end(&d, &b);
	*r_bad = d.bad;
	return buf_str(&b);
}

#define SP16 "                "
#define SP80 SP16 SP16 SP16 SP16 SP16

TEST(qp_decoding)
{
	static const struct { const char *in, *out; size_t bad; } rows[] = {
		{ "", "", 0 },
		{ "plain text\r\n", "plain text\r\n", 0 },
		{ "a=3Db=09=C3=A4", "a=b\t\xc3\xa4", 0 },               /* rfc/2045:1041 */
		{ "=3d=c3=A4", "=\xc3\xa4", 2 },                        /* lower case: rfc/2045:1047 */
		/* White space at the end of a line is none of the data: rfc/2045:1085. */
		{ "a \t\r\nb  c\r\n", "a\r\nb  c\r\n", 0 },
		{ "a \nb", "a\nb", 0 },
		{ "a  ", "a", 0 },
		{ "a \r", "a\r", 0 },
		{ "a \rb", "a \rb", 0 },
		{ "a \r b", "a \r b", 0 },
		{ "a \r\r\nb", "a \r\r\nb", 0 },
		{ "\r\n \r\n", "\r\n\r\n", 0 },
		/* Soft line breaks: rfc/2045:1223. */
		{ "a=\r\nb", "ab", 0 },
		{ "a=\nb", "ab", 0 },
		{ "a= \t\r\nb", "ab", 0 },
		{ "a= \nb", "ab", 0 },
		{ "a=\r\n=\r\nb", "ab", 0 },
		{ "a=20\r\nb", "a \r\nb", 0 },
		{ "a =\r\nb", "a b", 0 },
		/* Its line end belonged to a MIME boundary. */
		{ "a=", "a", 1 },
		{ "a= ", "a", 1 },
		{ "a=\r", "a", 1 },
		/* What is no escape passes through. */
		{ "a=b", "a=b", 1 },
		{ "=ZZ", "=ZZ", 1 },
		{ "=4Z", "=4Z", 1 },
		{ "=4", "=4", 1 },
		{ "=4\r\n", "=4\r\n", 1 },
		{ "=4\n", "=4\n", 1 },
		{ "=4=41", "=4A", 1 },
		{ "==41", "=A", 1 },
		{ "= x", "= x", 1 },
		{ "= =41", "= A", 1 },
		{ "=\rx", "=\rx", 1 },
		{ "=\r\rx", "=\r\rx", 1 },
		{ "= 41", "= 41", 1 },
		/* Bytes that must be encoded: rfc/2045:1055. */
		{ "\xc3\xa4", "\xc3\xa4", 2 },
		{ "a\x01\x7f", "a\x01\x7f", 2 },
		/* More white space than a line may have is not held for ever. */
		{ SP16 SP16 SP16 SP16 "               \r\n", "\r\n", 0 },
		{ SP80 "\r\n", SP80 "\r\n", 1 },
		{ SP80 "\n", "\n", 0 },
		{ SP80 " x", SP80 " x", 1 },
		{ SP80 " \r\n", SP80 "\r\n", 1 },
		{ "=" SP80 "\r\nx", "=" SP16 SP16 SP16 SP16 "               \r\nx", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = test_exact(str_of(rows[i].in));

		test_row("%zu: %s", i, rows[i].in);
		for (size_t piece = 1; piece <= in.n + 1; piece++) {
			size_t bad;

			assert_strz(decode(in, piece, &bad), rows[i].out);
			assert_int_equal(bad, rows[i].bad);
		}
	}
}

static void
check_lines(struct str s)
{
	while (s.n > 0) {
		struct str line = str_split(&s, '\n');
		struct str bare = str_ends(line, S("\r")) ? str_upto(line, line.n - 1) : line;

		assert_true(bare.n <= 76);      /* rfc/2045:1223 */
		assert_true(bare.n == line.n - 1 || s.n == 0);
		assert_false(str_ends(bare, S(" ")) || str_ends(bare, S("\t")));
		for (size_t i = 0; i < bare.n; i++)
			assert_true(bare.p[i] == '\t' || (bare.p[i] >= ' ' && bare.p[i] < 0x7f));
	}
}

TEST(qp_encoding)
{
	static const struct { const char *in, *out, *back; } rows[] = {
		{ "", "", NULL },
		{ "plain text", "plain text", NULL },
		{ "a=b\t\xc3\xa4", "a=3Db\t=C3=A4", NULL },
		{ "one\r\ntwo\r\n", "one\r\ntwo\r\n", NULL },
		{ "one\ntwo\n", "one\r\ntwo\r\n", "one\r\ntwo\r\n" },
		{ "end \r\nend\t\n", "end=20\r\nend=09\r\n", "end \r\nend\t\r\n" },
		{ "end ", "end=20", NULL },
		{ "cr\rlf", "cr=0Dlf", NULL },
		{ "cr\r\r\n", "cr=0D\r\n", NULL },
		{ " \r", " =0D", NULL },
		{ "\x01\x7f~!", "=01=7F~!", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_(buf_done) struct buf b = BUF_INIT(1000);
		size_t bad;

		test_row("%zu", i);
		enc_qp(&b, test_exact(str_of(rows[i].in)));
		assert_strz(buf_str(&b), rows[i].out);
		check_lines(buf_str(&b));
		assert_strz(decode(buf_str(&b), 100, &bad), rows[i].back ? rows[i].back : rows[i].in);
		assert_int_equal(bad, 0);
	}
}

/* Lines of any length, of characters of width 1 and 3, break where they must and come back. */
TEST(qp_long_lines)
{
	char text[300];

	for (size_t n = 0; n < sizeof(text); n++) {
		cleanup_(buf_done) struct buf b = BUF_INIT(10000);
		size_t bad;

		memset(text, 'x', n);
		if (n > 10)
			memset(text + n - 9, n % 2 ? '=' : ' ', 5);
		enc_qp(&b, str_n(text, n));
		check_lines(buf_str(&b));
		assert_str(decode(buf_str(&b), 1000, &bad), str_n(text, n));
		assert_int_equal(bad, 0);
	}
}
