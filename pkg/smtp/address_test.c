/* SPDX-License-Identifier: MIT */
#include "smtp/smtp.h"

#include <cjson/cJSON.h>

#include "base/limits.h"
#include "testutil/testutil.h"

TEST(localpart)
{
	static const struct {
		const char *in;
		unsigned flags;
		int rc;
		const char *out, *packed;
	} rows[] = {
		/* Local-part = Dot-string / Quoted-string              rfc/5321:2316 */
		{ "user", 0, 0, "user", "user" },
		{ "a.b.c", 0, 0, "a.b.c", "a.b.c" },
		{ "!#$%&'*+-/=?^_`{|}~", 0, 0, "!#$%&'*+-/=?^_`{|}~", "!#$%&'*+-/=?^_`{|}~" },
		{ "\"\"", 0, 0, "", "\"\"" },
		{ "\"user\"", 0, 0, "user", "user" },
		{ "\"a b\"", 0, 0, "a b", "\"a b\"" },
		{ "\"a\\\"b\\\\\"", 0, 0, "a\"b\\", "\"a\\\"b\\\\\"" },
		{ "\"a..b\"", 0, 0, "a..b", "\"a..b\"" },
		{ "\".a\"", 0, 0, ".a", "\".a\"" },
		{ "\"a.\"", 0, 0, "a.", "\"a.\"" },
		{ "\"@\"", 0, 0, "@", "\"@\"" },
		{ "", 0, ERR_INVALID, NULL, NULL },
		{ ".a", 0, ERR_INVALID, NULL, NULL },
		{ "a.", 0, ERR_INVALID, NULL, NULL },
		{ "a..b", 0, ERR_INVALID, NULL, NULL },
		{ "a b", 0, ERR_INVALID, NULL, NULL },
		{ "a@b", 0, ERR_INVALID, NULL, NULL },
		{ "\"a", 0, ERR_INVALID, NULL, NULL },
		{ "\"a\\\"", 0, ERR_INVALID, NULL, NULL },
		{ "\"a\"b", 0, ERR_INVALID, NULL, NULL },
		{ "\"a\tb\"", 0, ERR_INVALID, NULL, NULL },              // rfc/5321:2330
		{ "\"a\\\tb\"", 0, ERR_INVALID, NULL, NULL },            // rfc/5321:2326
		{ "a\x7f" "b", SMTP_UTF8, ERR_INVALID, NULL, NULL },
		/* Non-ASCII with SMTPUTF8 only                         rfc/6531:414 */
		{ "m\xc3\xb6x", 0, SMTP_ERR_UTF8_LOCALPART, NULL, NULL },
		{ "m\xc3\xb6x", SMTP_UTF8, 0, "m\xc3\xb6x", "m\xc3\xb6x" },
		{ "\"m\xc3\xb6 x\"", SMTP_UTF8, 0, "m\xc3\xb6 x", "\"m\xc3\xb6 x\"" },
		{ "mo\xcc\x88x", SMTP_UTF8, 0, "m\xc3\xb6x", "m\xc3\xb6x" },     // decomposed becomes NFC
		{ "m\xff", SMTP_UTF8, ERR_INVALID, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i].in), got = { 0 };
		test_row("%s", rows[i].in);
		assert_err(smtp_parse_localpart(test_arena(), test_exact(in), rows[i].flags, &got, NULL), rows[i].rc);
		if (rows[i].rc < 0)
			continue;
		assert_strz(got, rows[i].out);
		assert_strz(smtp_localpart(test_arena(), got), rows[i].packed);
	}
}

TEST(localpart_length)
{
	char s[200];
	struct str got;

	memset(s, 'a', sizeof(s));
	assert_ok(smtp_parse_localpart(test_arena(), str_n(s, 64), SMTP_PEDANTIC, &got, NULL));
	assert_err(smtp_parse_localpart(test_arena(), str_n(s, 65), SMTP_PEDANTIC, &got, NULL), ERR_LIMIT);      // rfc/5321:3486
	assert_ok(smtp_parse_localpart(test_arena(), str_n(s, LIMIT_LOCALPART), 0, &got, NULL));
	assert_err(smtp_parse_localpart(test_arena(), str_n(s, LIMIT_LOCALPART + 1), 0, &got, NULL), ERR_LIMIT);
}

TEST(path)
{
	static const struct {
		const char *in;
		unsigned flags;
		int rc;
		const char *out;
	} rows[] = {
		{ "<a@b.example>", 0, 0, "a@b.example" },
		{ "<A@B.Example>", 0, 0, "A@b.example" },
		{ "<>", SMTP_EMPTY, 0, "" },
		{ "<>", 0, ERR_INVALID, NULL },
		{ "<postmaster>", SMTP_POSTMASTER, 0, "postmaster" },
		{ "<PostMaster>", SMTP_POSTMASTER, 0, "postmaster" },           // rfc/5321:3395
		{ "<postmaster>", 0, ERR_INVALID, NULL },
		{ "<other>", SMTP_POSTMASTER, ERR_INVALID, NULL },
		{ "<\"a>b\"@x.example>", 0, 0, "\"a>b\"@x.example" },
		/* Source routes are read and ignored                           rfc/5321:2266 */
		{ "<@r1.example,@r2.example:a@b.example>", 0, 0, "a@b.example" },
		{ "<@r1.example:a@b.example>", 0, 0, "a@b.example" },
		{ "<@r1.example a@b.example>", 0, ERR_INVALID, NULL },
		{ "<@:a@b.example>", 0, ERR_INVALID, NULL },
		/* Address literals                                             rfc/5321:2309 */
		{ "<a@[10.0.0.1]>", 0, 0, "a@[10.0.0.1]" },
		{ "<a@[IPv6:2001:DB8::1]>", 0, 0, "a@[IPv6:2001:db8::1]" },
		{ "<a@[ipv6:::1]>", 0, 0, "a@[IPv6:::1]" },
		{ "<a@[10.0.0.1>", 0, 0, "a@[10.0.0.1]" },
		{ "<a@[10.0.0.1>", SMTP_PEDANTIC, ERR_INVALID, NULL },
		{ "<a@[10.0.0.256]>", 0, ERR_INVALID, NULL },
		{ "<a@[::1]>", 0, ERR_UNSUPPORTED, NULL },
		{ "<a@[tag:x]>", 0, ERR_UNSUPPORTED, NULL },
		{ "<a@[IPv6:10.0.0.1]>", 0, ERR_INVALID, NULL },
		{ "<a@[]>", 0, ERR_INVALID, NULL },
		/* Internationalised                                            rfc/6531:411 */
		{ "<a@m\xc3\xb6x.example>", 0, SMTP_ERR_UTF8_DOMAIN, NULL },
		{ "<a@m\xc3\xb6x.example>", SMTP_UTF8, 0, "a@m\xc3\xb6x.example" },
		{ "<\xe2\x98\xba@m\xc3\xb6x.example>", 0, SMTP_ERR_UTF8_LOCALPART, NULL },
		{ "<a@xn--mx-fka.example>", 0, 0, "a@m\xc3\xb6x.example" },
		{ "<a@-b.example>", 0, ERR_INVALID, NULL },
		{ "<a@b-.example>", 0, ERR_INVALID, NULL },
		{ "<a@b..example>", 0, ERR_INVALID, NULL },
		{ "<a@b.example.>", 0, ERR_INVALID, NULL },
		{ "<a@b_c.example>", 0, ERR_INVALID, NULL },
		{ "<a@b_c.example>", SMTP_UNDERSCORE, 0, "a@b_c.example" },
		{ "<a@b.example", 0, ERR_INVALID, NULL },
		{ "a@b.example", 0, ERR_INVALID, NULL },
		{ "<a@b.example> ", 0, ERR_INVALID, NULL },
		{ "<a@>", 0, ERR_INVALID, NULL },
		{ "<@b.example>", 0, ERR_INVALID, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtp_path p;
		struct str in = str_of(rows[i].in);
		test_row("%s", rows[i].in);
		assert_err(smtp_parse_path(test_arena(), test_exact(in), rows[i].flags, &p, NULL), rows[i].rc);
		if (rows[i].rc == 0)
			assert_strz(smtp_path(test_arena(), &p, true), rows[i].out);
		/* Every truncation fails cleanly. */
		for (size_t n = 0; n < in.n; n++)
			ignore_result(smtp_parse_path(test_arena(), test_exact(str_upto(in, n)), rows[i].flags, &p, NULL));
	}
}

TEST(path_text)
{
	static const struct {
		const char *in, *path, *rest;
	} rows[] = {
		{ "<a@b> SIZE=1", "<a@b>", " SIZE=1" },
		{ "<>", "<>", "" },
		{ "<\"a>\\\"b\"@x> y", "<\"a>\\\"b\"@x>", " y" },
		{ "<a@b", NULL, NULL },
		{ "a@b>", NULL, NULL },
		{ "<\"a@b>", NULL, NULL },
		{ "", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cur c = cur_of(test_exact(str_of(rows[i].in)));
		struct str got = smtp_path_text(&c);
		test_row("%s", rows[i].in);
		assert_int_equal(cur_ok(&c), rows[i].path != NULL);
		if (!rows[i].path)
			continue;
		assert_strz(got, rows[i].path);
		assert_strz(cur_rest(&c), rows[i].rest);
	}

	char longp[LIMIT_PATH + 2];
	memset(longp, 'a', sizeof(longp));
	longp[0] = '<';
	longp[LIMIT_PATH - 1] = '>';
	struct cur c = cur_of(str_n(longp, LIMIT_PATH));
	smtp_path_text(&c);
	assert_true(cur_ok(&c));
	longp[LIMIT_PATH - 1] = 'a';
	longp[LIMIT_PATH] = '>';
	c = cur_of(str_n(longp, LIMIT_PATH + 1));
	smtp_path_text(&c);
	assert_false(cur_ok(&c));               // rfc/5321:3495
}

TEST(compare_and_copy)
{
	struct arena *a = test_arena();
	struct smtp_path p, q, null = { 0 };
	struct smtp_address x;

	assert_ok(smtp_parse_path(a, S("<User@M\xc3\xb6x.example>"), SMTP_UTF8, &p, NULL));
	q = smtp_path_dup(a, &p);
	assert_true(smtp_path_equal(&p, &q));
	assert_true(smtp_path_address(&p, &x));
	assert_strz(smtp_address(a, &x, false), "User@xn--mx-fka.example");
	struct smtp_path back = smtp_path_of(&x);
	assert_true(smtp_path_equal(&p, &back));
	assert_false(smtp_path_needs_utf8(&p));
	assert_ok(smtp_parse_path(a, S("<user@m\xc3\xb6x.example>"), SMTP_UTF8, &q, NULL));
	assert_false(smtp_path_equal(&p, &q));          /* localparts are exact */
	assert_ok(smtp_parse_path(a, S("<User@[10.0.0.1]>"), 0, &q, NULL));
	assert_false(smtp_path_equal(&p, &q));
	assert_false(smtp_path_address(&q, &x));
	assert_false(smtp_path_is_null(&q));
	assert_true(smtp_path_is_null(&null));
	assert_strz(smtp_path(a, &null, false), "");
	assert_ok(smtp_parse_address(a, S("a@b.example"), 0, &x, NULL));
	struct smtp_address y = smtp_address_dup(a, &x), zero = { 0 };
	assert_true(smtp_address_equal(&x, &y));
	assert_true(smtp_address_is_zero(&zero));
	assert_false(smtp_address_is_zero(&x));
	assert_ok(smtp_make_address(a, S("a b"), S("b_c.example"), &x, NULL));
	assert_strz(smtp_address(a, &x, false), "\"a b\"@b_c.example");
	assert_err(smtp_make_address(a, S("a"), S("b c"), &x, NULL), ERR_INVALID);
}

TEST(ipdomain)
{
	struct arena *a = test_arena();
	struct smtp_ipdomain h, zero = { 0 };

	assert_ok(smtp_parse_ipdomain(a, S("Mail.Example"), 0, &h, NULL));
	assert_strz(smtp_ipdomain(a, &h, false), "mail.example");
	assert_ok(smtp_parse_ipdomain(a, S("[IPv6:::1]"), 0, &h, NULL));
	assert_strz(smtp_ipdomain(a, &h, false), "[IPv6:::1]");
	assert_strz(smtp_ipdomain_log(a, &h), "[IPv6:::1]");
	assert_ok(smtp_parse_ipdomain(a, S("xn--mx-fka.example"), 0, &h, NULL));
	assert_strz(smtp_ipdomain_log(a, &h), "m\xc3\xb6x.example/xn--mx-fka.example");
	assert_err(smtp_parse_ipdomain(a, S("my_host"), 0, &h, NULL), ERR_INVALID);
	assert_ok(smtp_parse_ipdomain(a, S("my_host"), SMTP_UNDERSCORE, &h, NULL));
	assert_err(smtp_parse_ipdomain(a, S(""), 0, &h, NULL), ERR_INVALID);
	assert_true(smtp_ipdomain_is_zero(&zero));
}

TEST(log_form)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "a@b.example", "a@b.example" },
		{ "a@m\xc3\xb6x.example", "a@m\xc3\xb6x.example/\"a\"@xn--mx-fka.example" },
		{ "m\xc3\xb6x@b.example", "m\xc3\xb6x@b.example/\"m\\u00f6x\"@b.example" },
		{ "\"a \\\"b\"@b.example", "a \"b@b.example/\"a \\\"b\"@b.example" },
		{ "\xf0\x9f\x98\x80@b.example", "\xf0\x9f\x98\x80@b.example/\"\\U0001f600\"@b.example" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtp_address x;
		test_row("%s", rows[i].in);
		assert_ok(smtp_parse_address(test_arena(), str_of(rows[i].in), SMTP_UTF8, &x, NULL));
		assert_strz(smtp_address_log(test_arena(), &x), rows[i].out);
		struct smtp_path p = smtp_path_of(&x);
		assert_strz(smtp_path_log(test_arena(), &p), rows[i].out);
	}
	struct smtp_path pm = { .localpart = S("postmaster") };
	assert_strz(smtp_path_log(test_arena(), &pm), "postmaster");
}

TEST(dsn_localpart)
{
	struct arena *a = test_arena();
	struct str s;

	/* rfc/6533:211 */
	assert_strz(smtp_localpart_dsn(a, S("user+tag")), "user+tag");
	assert_strz(smtp_localpart_dsn(a, S("a b")), "\"a b\"");
	assert_strz(smtp_localpart_dsn(a, S("m\xc3\xb6x")), "m\\x{F6}x");
	assert_strz(smtp_localpart_dsn(a, S("\xe2\x98\xba+ x=\\")), "\\x{263A}\\x{2B}\\x{20}x\\x{3D}\\x{5C}");

	assert_ok(smtp_unescape_dsn(a, S("m\\x{F6}x\\X{263a}"), &s));
	assert_strz(s, "m\xc3\xb6x\xe2\x98\xba");
	assert_ok(smtp_unescape_dsn(a, S("plain\\"), &s));
	assert_strz(s, "plain\\");
	static const char *const bad[] = { "\\x{", "\\x{F6", "\\x{}", "\\x{1}", "\\x{D800}", "\\x{110000}", "\\x{0000041}", "\\x{zz}" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		test_row("%s", bad[i]);
		assert_err(smtp_unescape_dsn(a, test_exact(str_of(bad[i])), &s), ERR_INVALID);
	}
}

/*
 * The isemail table. What RFC 5321 allows must pass, whatever is an error or allowed in header fields only must not. Rows where
 * our reading differs, each for a reason:
 */
static const struct {
	int id;
	bool valid;
	const char *why;
} isemail_own[] = {
	{ 26, true, "localparts up to 128 octets are taken unless pedantic" },
	{ 59, true, "same" },
	{ 60, true, "same" },
	{ 71, true, "'::' for a single group: obsolete, but its meaning is clear" },
	{ 106, true, "the bracket of a literal may be missing unless pedantic" },
};

TEST(isemail)
{
	struct str text = test_read(test_data("headers/isemail.json"));
	cJSON *all = cJSON_ParseWithLength(text.p, text.n), *row;
	size_t n = 0;

	assert_non_null(all);
	cJSON_ArrayForEach(row, all) {
		const char *address = cJSON_GetObjectItem(row, "address")->valuestring;
		const char *category = cJSON_GetObjectItem(row, "category")->valuestring;
		uint32_t id = 0;
		struct smtp_path p;

		assert_ok(str_u32(str_of(cJSON_GetObjectItem(row, "id")->valuestring), &id));
		bool want = strcmp(category, "ISEMAIL_VALID_CATEGORY") == 0 || strcmp(category, "ISEMAIL_DNSWARN") == 0 ||
			strcmp(category, "ISEMAIL_RFC5321") == 0;
		for (size_t i = 0; i < ARRAY_LEN(isemail_own); i++) {
			if (isemail_own[i].id == (int)id)
				want = isemail_own[i].valid;
		}
		struct str path = str_fmt(test_arena(), "<%s>", address);
		test_row("%u %s %s", id, address, category);
		assert_int_equal(smtp_parse_path(test_arena(), path, 0, &p, NULL) == 0, want);
		n++;
	}
	assert_int_equal(n, 164);
	cJSON_Delete(all);
}
