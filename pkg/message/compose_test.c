/* SPDX-License-Identifier: MIT */
#include "message/compose.h"

#include "base/utf8.h"
#include "message/authres.h"
#include "message/body.h"
#include "message/corpus_test.h"
#include "testutil/testutil.h"

static struct message_composer
composer(bool smtputf8)
{
	struct buf *b = ARENA_NEW(test_arena(), struct buf);

	*b = (struct buf)BUF_ARENA(test_arena(), SIZE_MAX / 2);
	return (struct message_composer){ .b = b, .smtputf8 = smtputf8 };
}

/* check_lines: CRLF only, no line beyond 78 columns unless it has no place to fold. */
static void
check_lines(struct str s)
{
	assert_true(str_ends(s, S("\r\n")));
	while (s.n > 0) {
		struct str line = str_split(&s, '\n');
		assert_true(line.n > 0 && line.p[line.n - 1] == '\r');
		assert_null(memchr(line.p, '\r', line.n - 1));
		assert_true(line.n <= 79 || str_find(str_from(line, 20), ' ') < 0);
	}
}

TEST(text_headers)
{
	static const struct {
		const char *text, *out, *utf8;
	} rows[] = {
		{ "simple", "Subject: simple\r\n", NULL },
		{ "", "Subject:\r\n", NULL },
		{ "  a   b ", "Subject: a b\r\n", NULL },
		{ "m\xc3\xb6x", "Subject: =?utf-8?q?m=C3=B6x?=\r\n", "Subject: m\xc3\xb6x\r\n" },
		{ "a m\xc3\xb6x b m\xc3\xb6x c", "Subject: a =?utf-8?q?m=C3=B6x_b_m=C3=B6x?= c\r\n", "Subject: a m\xc3\xb6x b m\xc3\xb6x c\r\n" },
		{ "=?utf-8?q?x?=", "Subject: =?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=\r\n", "Subject: =?utf-8?q?x?=\r\n" },
		{ "a\r\nX: injected", "Subject: a X: injected\r\n", NULL },
		{ "\xe4\xbd\xa0\xe5\xa5\xbd", "Subject: =?utf-8?b?5L2g5aW9?=\r\n", "Subject: \xe4\xbd\xa0\xe5\xa5\xbd\r\n" },
		{ "0123456789012345678901234567890123456789 0123456789012345678901234567890123456789 x",
		    "Subject: 0123456789012345678901234567890123456789\r\n\t0123456789012345678901234567890123456789 x\r\n", NULL },
		{ "m\xf6x", "Subject: =?utf-8?q?m=C3=B6x?=\r\n", "Subject: m\xc3\xb6x\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (int utf8 = 0; utf8 < 2; utf8++) {
			struct message_composer c = composer(utf8);
			test_row("%s %d", rows[i].text, utf8);
			message_add_text_header(&c, "Subject", str_of(rows[i].text));
			assert_strz(buf_str(c.b), utf8 && rows[i].utf8 ? rows[i].utf8 : rows[i].out);
			assert_int_equal(c.has_8bit, utf8 && !str_is_ascii(buf_str(c.b)));
		}
	}
}

/* Whatever is written reads back, and stays within its lines. */
TEST(text_header_round_trip)
{
	static const char *const pieces[] = {
		"plain", "m\xc3\xb6x", "\xe4\xbd\xa0\xe5\xa5\xbd", "\xf0\x9f\x98\x80", "=?x?=", "a_b", "quo\"te", "averyveryveryverylongwordthatgoesonandonandonandonandonandonandonandonandonandon",
		"m\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6",
	};
	uint32_t seed = 1;

	for (int n = 0; n < 500; n++) {
		ARENA_SCOPE(test_arena());
		struct buf text = BUF_ARENA(test_arena(), 10000);
		for (uint32_t k = 0; k < 1 + seed % 9; k++) {
			seed = seed * 1103515245 + 12345;
			if (text.n > 0)
				buf_addc(&text, ' ');
			buf_addz(&text, pieces[(seed >> 16) % ARRAY_LEN(pieces)]);
		}
		struct message_composer c = composer(false);
		test_row("%d %s", n, text.p);
		message_add_text_header(&c, "Subject", buf_str(&text));
		check_lines(buf_str(c.b));
		assert_true(str_is_ascii(buf_str(c.b)));
		assert_str(message_header_get(test_arena(), buf_str(c.b), S("Subject")), buf_str(&text));
	}
}

TEST(address_headers)
{
	struct message_mailbox *v;
	uint32_t n;
	struct message_composer c = composer(false);

	message_add_addrs(&c, "To", NULL, 0);
	assert_int_equal(c.b->n, 0);
	assert_ok(message_parse_addrs_strict(test_arena(), S("a@b.example, J\xc3\xb6rg M\xc3\xb6 <j@m\xc3\xb6x.example>, \"Doe, John\" <d@e.example>, X.Y <x@y.example>, "
		"\"=?a?=\" <\"a b\"@c.example>"), &v, &n, NULL));
	message_add_addrs(&c, "To", v, n);
	assert_strz(buf_str(c.b), "To: <a@b.example>, =?utf-8?q?J=C3=B6rg_M=C3=B6?= <j@xn--mx-fka.example>,\r\n"
		"\t\"Doe, John\" <d@e.example>, \"X.Y\" <x@y.example>,\r\n\t=?utf-8?b?PT9hPz0=?= <\"a b\"@c.example>\r\n");
	c = composer(true);
	message_add_addrs(&c, "To", v, 2);
	assert_strz(buf_str(c.b), "To: <a@b.example>, J\xc3\xb6rg M\xc3\xb6 <j@m\xc3\xb6x.example>\r\n");
	assert_true(c.has_8bit);

	/* Control characters in a name cannot make a line of their own. */
	struct message_mailbox evil = v[0];
	evil.name = S("a\r\nBcc: x\"");
	c = composer(false);
	message_add_addrs(&c, "From", &evil, 1);
	assert_strz(buf_str(c.b), "From: \"a  Bcc: x\\\"\" <a@b.example>\r\n");
}

TEST(param_headers)
{
	struct message_composer c = composer(false);
	struct message_param v[] = {
		{ S("a"), S("token") }, { S("b"), S("with space\"") }, { S("c"), S("m\xc3\xb6x") }, { S("d"), S("") },
		{ S("filename"), S("a long name that has to be cut into several pieces, m\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6, to fit") },
		{ S("e"), S("0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789") },
		{ S("f"), S("a\r\nb") }, { S("g"), S("a\x7f" "b\t") },
	};
	struct message_params p;

	message_add_param_header(&c, "Content-Type", S("text/plain"), v, ARRAY_LEN(v));
	check_lines(buf_str(c.b));
	struct str h = buf_str(c.b);
	struct message_field f;
	assert_true(message_field_next(&h, &f, NULL));
	message_parse_params(test_arena(), f.body, &p);
	assert_strz(p.value, "text/plain");
	assert_int_equal(p.n, ARRAY_LEN(v));
	assert_int_equal(p.flaws, 0);
	for (uint32_t i = 0; i < p.n; i++) {
		test_row("%u", i);
		assert_str(p.v[i].name, v[i].name);
		assert_str(p.v[i].value, v[i].value);
	}
}

/* A value of any length reads as written: longer pieces instead of more of them than a reader takes. */
TEST(long_param)
{
	struct message_composer c = composer(false);
	struct buf value = BUF_ARENA(test_arena(), SIZE_MAX / 2);
	struct message_params p;
	struct message_field f;

	for (int i = 0; i < 10000; i++)
		buf_addz(&value, "m\xc3\xb6");
	struct message_param v = { S("a-name-that-leaves-little-room-on-a-line"), buf_str(&value) };
	message_add_param_header(&c, "Content-Type", S("text/plain"), &v, 1);
	struct str h = buf_str(c.b);
	assert_true(message_field_next(&h, &f, NULL));
	message_parse_params(test_arena(), f.body, &p);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.flaws, 0);
	assert_str(p.v[0].value, v.value);
}

TEST(small_headers)
{
	struct message_composer c = composer(false);
	struct idna_domain d, plain;

	assert_ok(idna_parse(test_arena(), S("m\xc3\xb6x.example"), 0, &d, NULL));
	assert_ok(idna_parse(test_arena(), S("a.example"), 0, &plain, NULL));
	message_add_date(&c, INT64_C(1704067200) * 1000000, 60);
	message_add_message_id(&c, S("x@y"));
	message_add_header(&c, "X-Long", S("0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789"));
	message_end_header(&c);
	assert_strz(buf_str(c.b), "Date: 1 Jan 2024 01:00:00 +0100\r\nMessage-Id: <x@y>\r\n"
		"X-Long: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\r\n\t0123456789 0123456789\r\n\r\n");
	assert_strz(message_header_domain(test_arena(), &d, true), "m\xc3\xb6x.example (xn--mx-fka.example)");
	assert_strz(message_header_domain(test_arena(), &d, false), "xn--mx-fka.example");
	assert_strz(message_header_domain(test_arena(), &plain, true), "a.example");
	struct str id = message_new_id(test_arena(), &d), id2 = message_new_id(test_arena(), &d);
	assert_true(str_ends(id, S("@xn--mx-fka.example")));
	assert_false(str_is(id, id2));
	assert_true(message_new_boundary(test_arena()).n <= 70);        // rfc/2046:1092
}

TEST(folder)
{
	struct buf b = BUF_ARENA(test_arena(), 10000);
	struct message_folder f;

	message_folder_begin(&f, &b, "X");
	message_folder_add(&f, S(" "), S("a"));
	message_folder_add(&f, S("; "), S("b"));
	message_folder_add(&f, S("; "), S("01234567890123456789012345678901234567890123456789012345678901234567890123456789"));
	message_folder_newline(&f);
	message_folder_add(&f, S(" "), S("c"));
	message_folder_end(&f);
	assert_strz(buf_str(&b), "X: a; b;\r\n\t01234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n\tc\r\n");

	buf_reset(&b);
	message_folder_begin(&f, &b, "X");
	message_folder_add(&f, S(" "), S("b="));
	message_folder_wrap(&f, S("012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789"), true);
	message_folder_end(&f);
	check_lines(buf_str(&b));
	size_t digits = 0;
	for (size_t i = 0; i < b.n; i++)
		digits += b.p[i] >= '0' && b.p[i] <= '9';
	assert_int_equal(digits, 160);
}

TEST(text_parts)
{
	static const struct {
		const char *text, *charset, *encoding, *body;
		bool bit8;
	} rows[] = {
		{ "a\nb\n", "us-ascii", "7bit", "a\r\nb\r\n", false },
		{ "a\r\nb", "us-ascii", "7bit", "a\r\nb\r\n", false },
		{ "", "us-ascii", "7bit", "", false },
		{ "m\xc3\xb6x\n", "utf-8", "8bit", "m\xc3\xb6x\r\n", true },
		{ "a\rb\n", "us-ascii", "quoted-printable", "a=0Db\r\n", false },
		{ "01234567890123456789012345678901234567890123456789012345678901234567890123456789\xc3\xb6", "utf-8", "quoted-printable",
		    "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n56789=C3=B6\r\n", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_composer c = composer(false);
		test_row("%s", rows[i].text);
		message_add_text_part(&c, S("plain"), str_of(rows[i].text));
		assert_strz(buf_str(c.b), str_fmt(test_arena(), "Content-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n%s",
			rows[i].charset, rows[i].encoding, rows[i].body).p);
		assert_int_equal(c.has_8bit, rows[i].bit8);
	}
}

/* A whole message: what was written is what is read. */
TEST(whole_message)
{
	struct message_composer c = composer(false);
	struct str boundary = message_new_boundary(test_arena()), text, disposition, name;
	struct message_mailbox *v;
	struct message m;
	uint32_t n;

	assert_ok(message_parse_addrs_strict(test_arena(), S("A <a@b.example>"), &v, &n, NULL));
	message_add_addrs(&c, "From", v, n);
	message_add_text_header(&c, "Subject", S("m\xc3\xb6x"));
	message_add_date(&c, 0, 0);
	message_add_message_id(&c, S("x@y"));
	message_add_header(&c, "MIME-Version", S("1.0"));
	message_multipart_begin(&c, S("mixed"), NULL, 0, boundary);
	message_multipart_part(&c, boundary);
	message_add_text_part(&c, S("plain"), S("hello\n"));
	message_multipart_part(&c, boundary);
	message_add_base64_part(&c, S("image/png"), S("attachment"), S("m\xc3\xb6x \"1\".png"), S("\x00\x01\x02"));
	message_multipart_end(&c, boundary);

	struct message_source src = message_source_mem(buf_str(c.b));
	struct errmsg e = { 0 };
	assert_ok(message_parse(test_arena(), &src, MESSAGE_STRICT, &m, &e));
	assert_int_equal(m.nparts, 3);
	assert_ok(message_part_text(test_arena(), &m, &src, &m.parts[1], MESSAGE_READ_TEXT, 100, &text));
	assert_strz(text, "hello\r\n");
	assert_ok(message_part_text(test_arena(), &m, &src, &m.parts[2], MESSAGE_READ_DECODED, 100, &text));
	assert_str(text, S("\x00\x01\x02"));
	message_filename(test_arena(), &m.parts[2], &disposition, &name, NULL);
	assert_strz(name, "m\xc3\xb6x \"1\".png");
	corpus_check(buf_str(c.b));

	/* Over the limit: said once, at the end. */
	struct buf small = BUF_ARENA(test_arena(), 20);
	struct message_composer d = { .b = &small };
	message_add_header(&d, "X", S("0123456789012345678901234567890123456789"));
	assert_true(small.failed);
}

TEST(authres_write)
{
	struct message_authprop props[] = {
		{ .type = S("smtp"), .property = S("mailfrom"), .value = S("a@b.example"), .is_addr = true },
		{ .type = S("header"), .property = S("d"), .value = S("a b"), .comment = S("c (x)") },
		{ .type = S("header"), .property = S("i"), .value = S("@b.example"), .is_addr = false },
	};
	struct message_authmethod methods[] = {
		{ .method = S("spf"), .result = S("pass"), .comment = S("not written") },
		{ .method = S("dkim"), .result = S("fail"), .comment = S("2048 bits"), .reason = S("bad, sig"), .props = props, .nprops = 3 },
	};
	struct message_authres r = { .hostname = S("mx.example"), .methods = methods, .nmethods = 2 };
	struct buf b = BUF_ARENA(test_arena(), 10000);
	struct message_authres back;

	message_authres_add(&b, &r);
	assert_strz(buf_str(&b), "Authentication-Results: mx.example;\r\n\tspf=pass;\r\n\tdkim=fail (2048 bits) reason=\"bad, sig\" smtp.mailfrom=a@b.example\r\n"
		"\theader.d=\"a b\" (c \\(x\\)) header.i=\"@b.example\"\r\n");
	struct str body = str_from(buf_str(&b), strlen("Authentication-Results:"));
	assert_ok(message_authres_parse(test_arena(), body, &back, NULL));
	assert_int_equal(back.nmethods, 2);
	assert_strz(back.methods[1].reason, "bad, sig");
	assert_int_equal(back.methods[1].nprops, 3);
	assert_strz(back.methods[1].props[1].value, "a b");
	buf_reset(&b);
	r.nmethods = 0;
	r.comment = S("x");
	message_authres_add(&b, &r);
	assert_strz(buf_str(&b), "Authentication-Results: (x) mx.example;\r\n");
}

static struct str
authres_text(const struct message_authres *r)
{
	struct buf b = BUF_ARENA(test_arena(), 10000);

	buf_addf(&b, STRF "/" STRF, STRA(r->hostname), STRA(r->version));
	for (uint32_t i = 0; i < r->nmethods; i++) {
		const struct message_authmethod *m = &r->methods[i];
		buf_addf(&b, "; " STRF "/" STRF "=" STRF, STRA(m->method), STRA(m->version), STRA(m->result));
		if (m->reason.n)
			buf_addf(&b, " r=" STRF, STRA(m->reason));
		for (uint32_t k = 0; k < m->nprops; k++)
			buf_addf(&b, " " STRF "." STRF "=" STRF, STRA(m->props[k].type), STRA(m->props[k].property), STRA(m->props[k].value));
	}
	return buf_str(&b);
}

TEST(authres_parse)
{
	static const char *const rows[][2] = {
		{ " example.org 1; none\r\n", "example.org/1" },                        // rfc/8601:591
		{ " example.org; none", "example.org/" },
		{ " example.com; spf=pass smtp.mailfrom=example.net\r\n", "example.com/; spf/=pass smtp.mailfrom=example.net" },
		{ " example.com; auth=pass (cleartext) smtp.auth=sender@example.net;\r\n spf=pass smtp.mailfrom=example.net", "example.com/; auth/=pass smtp.auth=sender@example.net; spf/=pass smtp.mailfrom=example.net" },
		{ " foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n policy (A dot can go here) . (like that) expired\r\n"
		    " (this surprised me) = (as I wasn't expecting it) 1362471462", "foo.example.net/1; dkim/1=fail policy.expired=1362471462" },
		{ " x; dkim=pass reason=\"good \\\"sig\\\"\" header.d=y; dmarc=perm_fail;\r\n", "x/; dkim/=pass r=good \"sig\" header.d=y; dmarc/=perm_fail" },
		{ " x; dkim=pass header.i=@y header.b=\"a=/b\"", "x/; dkim/=pass header.i=@y header.b=a=/b" },
		{ " x; SPF=PASS smtp.MailFrom=\"a b\"@c", "x/; spf/=pass smtp.mailfrom=\"a b\"@c" },
		{ " x; iprev=pass policy.iprev=2001:db8::1", "x/; iprev/=pass policy.iprev=2001:db8::1" },
		{ " x", NULL },
		{ " x;", NULL },
		{ " x; none; spf=pass", NULL },
		{ " x; spf=pass; none", NULL },
		{ " x; spf", NULL },
		{ " x; spf=", NULL },
		{ " x; spf=pass smtp.mailfrom", NULL },
		{ " x; spf=pass (open", NULL },
		{ " x; spf=pass (\\", NULL },
		{ " x; spf=pass reason=\"open", NULL },
		{ " x; spf=pass junk", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_authres r;
		struct errmsg e = { 0 };
		struct str in = str_of(rows[i][0]);
		test_row("%s", rows[i][0]);
		int rc = message_authres_parse(test_arena(), test_exact(in), &r, &e);
		assert_int_equal(rc, rows[i][1] ? 0 : ERR_INVALID);
		if (rc == 0)
			assert_strz(authres_text(&r), rows[i][1]);
		for (size_t n = 0; n < in.n; n++)
			ignore_result(message_authres_parse(test_arena(), test_exact(str_upto(in, n)), &r, NULL));
	}
}
