/* SPDX-License-Identifier: MIT */
#include "smtp/smtp.h"

#include "testutil/testutil.h"

TEST(params)
{
	static const struct {
		const char *in;
		unsigned flags;
		bool ok;
		const char *out;        /* k=v|k|... */
	} rows[] = {
		{ "", 0, true, "" },
		{ " SIZE=10", 0, true, "SIZE=10|" },
		{ " SIZE=10 BODY=8BITMIME SMTPUTF8", 0, true, "SIZE=10|BODY=8BITMIME|SMTPUTF8|" },
		{ " a-b=<>", 0, true, "a-b=<>|" },
		{ " a=\xc3\xb6", 0, true, "a=\xc3\xb6|" },                       // rfc/6531:422
		{ "  SIZE=10  X ", 0, true, "SIZE=10|X|" },
		{ "  SIZE=10", SMTP_PEDANTIC, false, "" },
		{ " SIZE=10 ", SMTP_PEDANTIC, false, "SIZE=10|" },
		{ "SIZE=10", 0, false, "" },
		{ " -a=1", 0, false, "" },                                      // rfc/5321:2279
		{ " a=", 0, false, "" },
		{ " a=b=c", 0, false, "" },
		{ " =b", 0, false, "" },
		{ " a,b", 0, false, "" },
		{ " a=b\x7f", 0, false, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cur c = cur_of(test_exact(str_of(rows[i].in)));
		struct buf b = BUF_ARENA(test_arena(), 1000);
		struct str k, v;
		test_row("%s", rows[i].in);
		while (smtp_param(&c, rows[i].flags, &k, &v)) {
			buf_add(&b, k);
			if (v.p)
				buf_addf(&b, "=" STRF, STRA(v));
			buf_addc(&b, '|');
		}
		assert_int_equal(cur_ok(&c), rows[i].ok);
		if (rows[i].ok || rows[i].out[0])
			assert_str(buf_str(&b), str_of(rows[i].out));
	}
}

TEST(xtext)
{
	struct arena *a = test_arena();
	struct buf b = BUF_ARENA(a, 1000);
	struct str s;

	/* rfc/3461:319 */
	smtp_xtext_add(&b, S("a+b=c d\xff~"));
	assert_strz(buf_str(&b), "a+2Bb+3Dc+20d+FF~");
	assert_ok(smtp_unxtext(a, buf_str(&b), SMTP_PEDANTIC, &s));
	assert_strz(s, "a+b=c d\xff~");
	assert_ok(smtp_unxtext(a, S("+2b"), 0, &s));
	assert_strz(s, "+");
	static const char *const bad[] = { "+", "+2", "+zz", "a=b", "a b", "\x7f", "\xff" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		test_row("%s", bad[i]);
		assert_err(smtp_unxtext(a, test_exact(str_of(bad[i])), 0, &s), ERR_INVALID);
	}
	assert_err(smtp_unxtext(a, S("+2b"), SMTP_PEDANTIC, &s), ERR_INVALID);
}

TEST(replies)
{
	struct buf b = BUF_ARENA(test_arena(), 100000);

	smtp_reply_add(&b, 250, "1.0", S("ok"));
	assert_strz(buf_str(&b), "250 2.1.0 ok\r\n");
	buf_reset(&b);
	smtp_reply_add(&b, 354, NULL, S("go"));
	assert_strz(buf_str(&b), "354 go\r\n");
	buf_reset(&b);
	smtp_reply_add(&b, 250, NULL, S("host\nSIZE 10\nHELP"));
	assert_strz(buf_str(&b), "250-host\r\n250-SIZE 10\r\n250 HELP\r\n");
	buf_reset(&b);
	smtp_reply_add(&b, 550, "1.1", S(""));
	assert_strz(buf_str(&b), "550 5.1.1\r\n");
	buf_reset(&b);
	/* Nothing from a peer can break the line. */
	smtp_reply_add(&b, 550, "1.1", S("a\rb\0c\xc3\xb6"));
	assert_strz(buf_str(&b), "550 5.1.1 a?b?c??\r\n");
	buf_reset(&b);
	char big[1500];
	memset(big, 'x', sizeof(big));
	big[400] = ' ';
	smtp_reply_add(&b, 421, "3.0", str_n(big, sizeof(big)));
	size_t lines = 0, content = 0;
	for (struct str rest = buf_str(&b); rest.n > 0;) {
		struct str line = str_split(&rest, '\n');
		assert_true(line.n <= 511);                     // rfc/5321:3506
		assert_true(str_starts(line, S("421")));
		assert_int_equal(line.p[3], rest.n > 0 ? '-' : ' ');
		content += line.n - 11;
		lines++;
	}
	assert_int_equal(lines, 4);
	assert_int_equal(content, sizeof(big) - 1);
	assert_true(smtp_code_known(555));
	assert_false(smtp_code_known(299));
}

TEST(reply_lines)
{
	static const struct {
		const char *in;
		int code;               /* 0: invalid */
		bool more;
		const char *enhanced, *text;
	} rows[] = {
		{ "250 2.1.0 ok", 250, false, "2.1.0", "ok" },
		{ "250-2.1.0 ok", 250, true, "2.1.0", "ok" },
		{ "250", 250, false, "", "" },
		{ "250 ", 250, false, "", "" },
		{ "250 2.1.0", 250, false, "2.1.0", "" },
		{ "250 5.1.0 ok", 250, false, "", "5.1.0 ok" },          // class must be the code's: rfc/2034:97
		{ "550 5.1.1000 x", 550, false, "", "5.1.1000 x" },
		{ "550 5.7.26 x", 550, false, "5.7.26", "x" },
		{ "550 5.7 x", 550, false, "", "5.7 x" },
		{ "550 5.7.1x", 550, false, "", "5.7.1x" },
		{ "25", 0, false, NULL, NULL },
		{ "150 x", 0, false, NULL, NULL },
		{ "650 x", 0, false, NULL, NULL },
		{ "2x0 x", 0, false, NULL, NULL },
		{ "250x", 0, false, NULL, NULL },
		{ "", 0, false, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtp_reply_line l;
		test_row("%s", rows[i].in);
		int rc = smtp_parse_reply_line(test_exact(str_of(rows[i].in)), &l);
		assert_int_equal(rc, rows[i].code ? 0 : ERR_INVALID);
		if (rc < 0)
			continue;
		assert_int_equal(l.code, rows[i].code);
		assert_int_equal(l.more, rows[i].more);
		assert_strz(l.enhanced, rows[i].enhanced);
		assert_strz(l.text, rows[i].text);
	}
}
