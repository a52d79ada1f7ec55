/* SPDX-License-Identifier: MIT */
#include "base/enc.h"

#include "base/err.h"
#include "testutil/testutil.h"

static const struct { struct str plain; const char *std, *url; } base64_rows[] = {
	{ { "", 0 }, "", "" },          /* RFC 4648 section 10, from here */
	{ { "f", 1 }, "Zg==", "Zg" },
	{ { "fo", 2 }, "Zm8=", "Zm8" },
	{ { "foo", 3 }, "Zm9v", "Zm9v" },
	{ { "foob", 4 }, "Zm9vYg==", "Zm9vYg" },
	{ { "fooba", 5 }, "Zm9vYmE=", "Zm9vYmE" },
	{ { "foobar", 6 }, "Zm9vYmFy", "Zm9vYmFy" },
	{ { "\xfb\xff\xfe", 3 }, "+//+", "-__-" },
	{ { "\0\0\0\0", 4 }, "AAAAAA==", "AAAAAA" },
};

TEST(base64_both_ways)
{
	struct arena *a = test_arena();
	struct str out;

	for (size_t i = 0; i < ARRAY_LEN(base64_rows); i++) {
		struct str plain = test_exact(base64_rows[i].plain);
		cleanup_(buf_done) struct buf b = BUF_INIT(100);

		test_row("%s", base64_rows[i].std);
		assert_strz(enc_base64(a, plain, ENC_STD), base64_rows[i].std);
		assert_strz(enc_base64(a, plain, ENC_URL), base64_rows[i].url);
		assert_ok(enc_unbase64(a, test_exact(str_of(base64_rows[i].std)), ENC_STD, &out));
		assert_str(out, plain);
		assert_ok(enc_unbase64(a, test_exact(str_of(base64_rows[i].url)), ENC_URL, &out));
		assert_str(out, plain);
		buf_addc(&b, '>');
		enc_base64_add(&b, plain, ENC_STD);
		assert_str(str_from(buf_str(&b), 1), str_of(base64_rows[i].std));
	}
}

TEST(base64_all_bytes)
{
	char all[768];
	struct str out;

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)(i * 7 + i / 256);
	for (size_t n = 0; n <= sizeof(all); n++) {
		for (int kind = ENC_STD; kind <= ENC_URL; kind++) {
			struct str e = enc_base64(test_arena(), str_n(all, n), (enum enc_base64)kind);

			assert_ok(enc_unbase64(test_arena(), e, (enum enc_base64)kind, &out));
			assert_str(out, str_n(all, n));
		}
	}
}

TEST(base64_strict)
{
	static const struct { const char *in; bool std, url; } rows[] = {
		{ "Zg==", true, false },
		{ "Zg", false, true },
		{ "Zg=", false, false },
		{ "Zm8==", false, false },
		{ "Zm9v=", false, false },
		{ "Zm9v====", false, false },
		{ "Zm9=", false, false },       /* unused bits not zero */
		{ "Zh==", false, false },
		{ "Zh", false, false },
		{ "Z", false, false },
		{ "Z===", false, false },
		{ "=", false, false },
		{ "====", false, false },
		{ "==", false, false },
		{ "Zm 9v", false, false },
		{ "Zm9v\n", false, false },
		{ "Zm9v\nZm9v\n", false, false },
		{ "Zg==Zg==", false, false },
		{ "Z=g=", false, false },
		{ "+//+", true, false },
		{ "-__-", false, true },
		{ "Zm9*", false, false },
		{ "Zm9{", false, false },
		{ "Zm9[", false, false },
		{ "Zm9:", false, false },
		{ "Zm\xc3\xa4", false, false },
	};
	struct str out;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = test_exact(str_of(rows[i].in));

		test_row("%s", rows[i].in);
		out = S("untouched");
		assert_err(enc_unbase64(test_arena(), in, ENC_STD, &out), rows[i].std ? 0 : ERR_INVALID);
		assert_int_equal(str_is(out, S("untouched")), !rows[i].std);
		out = S("untouched");
		assert_err(enc_unbase64(test_arena(), in, ENC_URL, &out), rows[i].url ? 0 : ERR_INVALID);
		assert_int_equal(str_is(out, S("untouched")), !rows[i].url);
	}
}

/* Decodes in pieces of the given size. */
static struct str
b64dec(struct str in, size_t piece, size_t *r_bad)
{
	struct buf b = BUF_ARENA(test_arena(), 10000);
	struct enc_b64dec d = { 0 };

	for (size_t i = 0; i < in.n; i += piece)
		enc_b64dec_add(&d, str_upto(str_from(in, i), piece), &b);
	enc_b64dec_end(&d, &b);
	*r_bad = d.bad;
	return buf_str(&b);
}

TEST(base64_streaming)
{
	static const struct { const char *in, *out; size_t bad; } rows[] = {
		{ "", "", 0 },
		{ "Zm9vYmFy", "foobar", 0 },
		{ "Zm9v\r\nYmFy\r\n", "foobar", 0 },
		{ "Z m\t9\nv", "foo", 0 },
		{ "Zg==", "f", 0 },
		{ "Zm8=", "fo", 0 },
		{ "Zg==\r\n", "f", 0 },
		{ "Zg=\r\n=", "f", 0 },
		/* Foreign characters are skipped (rfc/2045:1373). */
		{ "Zm*9v", "foo", 1 },
		{ "Zm-9_v!", "foo", 3 },
		{ "Zm\xc3\xa4" "9v", "foo", 2 },
		/* Padding missing, too much, out of place. */
		{ "Zg", "f", 1 },
		{ "Zg=", "f", 1 },
		{ "Zm8", "fo", 1 },
		{ "Zm8==", "fo", 1 },
		{ "Zm9v=", "foo", 1 },
		{ "=", "", 1 },
		{ "Z", "", 1 },
		{ "Z=", "", 1 },
		{ "Z==", "", 2 },
		/* Several encodings behind one another. */
		{ "Zg==Zg==", "ff", 1 },
		{ "Zg==\r\nZm8=\r\nZm9v", "ffofoo", 2 },
		{ "Zg=Zg==", "ff", 2 },
		/* Unused bits. */
		{ "Zh==", "f", 1 },
		{ "Zm9=", "fo", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = test_exact(str_of(rows[i].in));

		test_row("%s", rows[i].in);
		for (size_t piece = 1; piece <= in.n + 1; piece++) {
			size_t bad;

			assert_strz(b64dec(in, piece, &bad), rows[i].out);
			assert_int_equal(bad, rows[i].bad);
		}
	}
}

TEST(base64_lines)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(10000);
	char text[200];
	struct str rest, line;
	size_t bad;

	memset(text, 'x', sizeof(text));
	enc_base64_lines(&b, S(""));
	assert_str(buf_str(&b), S(""));
	enc_base64_lines(&b, S("foobar"));
	assert_str(buf_str(&b), S("Zm9vYmFy\r\n"));
	buf_reset(&b);
	enc_base64_lines(&b, str_n(text, sizeof(text)));
	assert_str(b64dec(buf_str(&b), 7, &bad), str_n(text, sizeof(text)));
	assert_int_equal(bad, 0);
	for (rest = buf_str(&b); rest.n > 0;) {         /* rfc/2045:1372 */
		line = str_split(&rest, '\n');
		assert_true(str_ends(line, S("\r")));
		assert_true(line.n <= 77);
		assert_true(rest.n == 0 || line.n == 77);
	}
}

TEST(hexadecimal)
{
	struct arena *a = test_arena();
	struct str out = S("untouched");

	assert_strz(enc_hex(a, S("\0\x09\xaf\xff")), "0009afff");
	assert_strz(enc_hex(a, S("")), "");
	assert_ok(enc_unhex(a, test_exact(S("0009aFFf")), &out));
	assert_str(out, S("\0\x09\xaf\xff"));
	assert_ok(enc_unhex(a, S(""), &out));
	assert_str(out, S(""));
	assert_err(enc_unhex(a, S("0"), &out), ERR_INVALID);
	assert_err(enc_unhex(a, S("0g"), &out), ERR_INVALID);
	assert_err(enc_unhex(a, S("g0"), &out), ERR_INVALID);
	assert_err(enc_unhex(a, S(" 0"), &out), ERR_INVALID);
	for (int c = -128; c < 128; c++) {
		int want = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		assert_int_equal(enc_hexval((char)c), want);
	}
}

TEST(percent_encoding)
{
	struct arena *a = test_arena();
	cleanup_(buf_done) struct buf b = BUF_INIT(1000);
	struct str out = { 0 };

	enc_percent(&b, S("aZ09-._~ /%+\xc3\xa4\0"));           /* rfc/3986:724 */
	assert_strz(buf_str(&b), "aZ09-._~%20%2F%25%2B%C3%A4%00");
	assert_ok(enc_unpercent(a, test_exact(buf_str(&b)), &out));
	assert_str(out, S("aZ09-._~ /%+\xc3\xa4\0"));
	assert_ok(enc_unpercent(a, S("%2f+%2F"), &out));
	assert_str(out, S("/+/"));
	assert_err(enc_unpercent(a, test_exact(S("a%")), &out), ERR_INVALID);
	assert_err(enc_unpercent(a, test_exact(S("a%2")), &out), ERR_INVALID);
	assert_err(enc_unpercent(a, test_exact(S("a%2g")), &out), ERR_INVALID);
	assert_err(enc_unpercent(a, test_exact(S("a%g2")), &out), ERR_INVALID);
	assert_ok(enc_unpercent(a, S(""), &out));
	assert_str(out, S(""));
}

TEST(encoders_respect_the_maximum)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(3);

	enc_base64_add(&b, S("foo"), ENC_STD);
	assert_true(b.failed);
	assert_int_equal(b.n, 0);
}
