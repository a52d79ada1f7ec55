/* SPDX-License-Identifier: MIT */
#include "message/header.h"

#include "base/limits.h"
#include "base/timeutil.h"
#include "message/corpus_test.h"
#include "testutil/testutil.h"

static struct str
list_text(const struct message_addrs *l)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);

	for (uint32_t i = 0; i < l->n; i++) {
		const struct message_addr *x = &l->v[i];
		static const char kinds[] = "a({!";
		buf_addf(&b, "%s%c" STRF "|" STRF, i ? " " : "", kinds[0], STRA(x->name), STRA(x->localpart));
		b.p[b.n - x->name.n - x->localpart.n - 2] = x->kind == MESSAGE_ADDR ? 'a' : x->kind == MESSAGE_GROUP_START ? '{' : x->kind == MESSAGE_GROUP_END ? '}' : '!';
		buf_addf(&b, "|" STRF, STRA(x->domain));
		if (x->route.n)
			buf_addf(&b, "|" STRF, STRA(x->route));
	}
	return buf_str(&b);
}

TEST(lists)
{
	static const struct {
		const char *in, *out;   /* kind name|localpart|domain; kinds: a address, { group, } its end, ! no address */
		bool ok;
	} rows[] = {
		{ "", "", true },
		{ "a@b", "a|a|b", true },
		{ " a@b , c@d ", "a|a|b a|c|d", true },
		{ "A B <a@b>", "aA B|a|b", true },
		{ "\"A, B\" <a@b>", "aA, B|a|b", true },
		{ "A. B. <a@b>", "aA. B.|a|b", true },                  // obs-phrase rfc/5322:1815
		{ "<a@b>", "a|a|b", true },
		{ "a@b (Comment)", "aComment|a|b", true },
		{ "(Comment) a@b", "aComment|a|b", true },
		{ "A (c) <a@b> (d)", "aA|a|b", true },
		{ "G:;", "{G|| }||", true },
		{ "G: a@b, C <c@d>; e@f", "{G|| a|a|b aC|c|d }|| a|e|f", true },
		{ "G: a@b", "{G|| a|a|b }||", false },
		{ "a@b;", "a|a|b", false },
		{ ",,a@b,,", "a|a|b", true },                           // null members rfc/5322:1918
		{ "<@r,@s:a@b>", "a|a|b|@r,@s", true },
		{ "\" \"@b", "a| |b", true },
		{ "\"\"@b", "a||b", true },
		{ "\"a\".b@c", "a|a.b|c", true },                        // obs-local-part rfc/5322:1931
		{ "a . b @ c . d", "a|a.b|c.d", true },
		{ "a@[127.0.0.1]", "a|a|[127.0.0.1]", true },
		{ "m\xc3\xb6x <m\xc3\xb6x@m\xc3\xb6x>", "am\xc3\xb6x|m\xc3\xb6x|m\xc3\xb6x", true },
		{ "a@b c@d", "a|a|b a|c|d", false },
		{ "<a@b> <c@d>", "a|a|b a|c|d", false },
		{ "<a@b> words", "a|a|b", false },
		{ "A a@b", "aA|a|b", false },
		{ "a@b <c@d>", "aa@b|c|d", false },
		{ "a..b@c", "a|a..b|c", false },
		{ ".a@c", "a|.a|c", false },
		{ "a@b..c", "a|a|b..c", false },
		{ "a@", "!|a|", false },
		{ "@b", "!||b", false },
		{ "<>", "!||", false },
		{ "A <>", "!A||", false },
		{ "root", "!|root|", false },
		{ "John Smith", "!John Smith||", false },
		{ "A <a@b", "aA|a|b", false },
		{ "A <a b@c>", "!A|a b|c", false },
		{ "A <a@b c>", "!A|a|b", false },
		{ "A < <a@b>", "aA|a|b", false },
		{ "\"open <a@b>", "!open <a@b>||", false },
		{ "(open a@b", "", false },
		{ "Foo [Bar] <a@b>", "aFoo [Bar]|a|b", false },
		{ "a@b\r\n c@d", "a|a|b a|c|d", false },
		{ "A =?utf-8?q?<,?= <a@b>", "aA =?utf-8?q?<,?=|a|b", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_addrs l = { 0 };
		struct str in = str_of(rows[i].in);
		test_row("%s", rows[i].in);
		bool ok = message_parse_addrs(test_arena(), test_exact(in), &l);
		assert_strz(list_text(&l), rows[i].out);
		assert_int_equal(ok, rows[i].ok);
		for (size_t n = 0; n < in.n; n++) {
			struct message_addrs cut = { 0 };
			message_parse_addrs(test_arena(), test_exact(str_upto(in, n)), &cut);
		}
	}
}

TEST(strict_list)
{
	struct arena *a = test_arena();
	struct message_mailbox *v;
	uint32_t n;
	struct errmsg e = { 0 };

	assert_ok(message_parse_addrs_strict(a, S("=?utf-8?q?J=C3=B6?= <a@m\xc3\xb6x.example>, G: \"b c\"@d.example;"), &v, &n, NULL));
	assert_int_equal(n, 2);
	assert_strz(v[0].name, "J\xc3\xb6");
	assert_strz(v[0].address.domain.ascii, "xn--mx-fka.example");
	assert_strz(v[1].address.localpart, "b c");
	assert_ok(message_parse_addrs_strict(a, S(""), &v, &n, NULL));
	assert_int_equal(n, 0);
	static const char *const bad[] = { "a", "a@", "a@b c@d", "a@-b", "a@[127.0.0.1]", "A B", "a@b; c@d", "a@b, c", "\"a@b" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		test_row("%s", bad[i]);
		e = (struct errmsg){ 0 };
		assert_err(message_parse_addrs_strict(a, str_of(bad[i]), &v, &n, &e), ERR_INVALID);
		assert_true(e.text[0] != '\0');
	}
}

TEST(from)
{
	static const struct {
		const char *header, *address;
	} rows[] = {
		{ "From: a@b.example\r\n", "a@b.example" },
		{ "from: A <a@B.example>\r\n\r\n", "a@b.example" },
		{ "From: \"a b\"@b.example\r\n", "\"a b\"@b.example" },
		{ "From: G: a@b.example;\r\n", "a@b.example" },         // rfc/6854:129
		{ "From: x@y.example <a@b.example>\r\n", "a@b.example" },
		{ "To: a@b.example\r\n", NULL },
		{ "From: a@b.example\r\nFrom: c@d.example\r\n", NULL },
		{ "From: a@b.example, c@d.example\r\n", NULL },
		{ "From: a@b.example c@d.example\r\n", NULL },
		{ "From: <a@b.example> <c@d.example>\r\n", NULL },
		{ "From: a@b.example, nonsense\r\n", NULL },
		{ "From:\r\n", NULL },
		{ "From: nonsense\r\n", NULL },
		{ "From: a@[127.0.0.1]\r\n", NULL },
		{ "From: a@b_c.example\r\n", "a@b_c.example" },
		{ "From: a@-x.example\r\n", NULL },
		{ "From: G:;\r\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtp_address x;
		struct errmsg e = { 0 };
		test_row("%s", rows[i].header);
		int rc = message_from(test_arena(), str_of(rows[i].header), &x, &e);
		assert_int_equal(rc, rows[i].address ? 0 : ERR_INVALID);
		if (rc == 0)
			assert_strz(smtp_address(test_arena(), &x, false), rows[i].address);
		else
			assert_true(e.text[0] != '\0');
	}
}

/*
 * isemail again, for header fields: comments, folds and obsolete syntax are allowed there. Where our reading differs:
 */
static const struct {
	int id;
	const char *why;
} isemail_own[] = {
	{ 30, "hyphens are checked where the domain is used" },
	{ 31, "same" },
	{ 102, "same" },
	{ 58, "the row ends at its NUL here" },
	{ 134, "an escaped LF: its line cannot be part of a field" },
	{ 127, "a bare CR counts as white space" },
	{ 128, "same" },
	{ 129, "same" },
	{ 130, "same" },
	{ 131, "same" },
};

TEST(isemail_header)
{
	cJSON *all = corpus_json("headers/isemail.json"), *row;

	cJSON_ArrayForEach(row, all) {
		struct str s = corpus_string(row, "address"), category = corpus_string(row, "category");
		struct message_addrs l = { 0 };
		uint32_t id = 0;
		assert_ok(str_u32(corpus_string(row, "id"), &id));
		bool want = !str_is(category, S("ISEMAIL_ERR")), own = false;
		for (size_t i = 0; i < ARRAY_LEN(isemail_own); i++)
			own |= isemail_own[i].id == (int)id;
		test_row("%u " STRF " " STRF, id, STRA(s), STRA(category));
		/* As the body of a field: lines that are no continuation do not belong to it. */
		struct str header = str_fmt(test_arena(), "X:" STRF "\r\n", STRA(s));
		struct message_field f;
		bool ok = message_field_next(&header, &f, NULL) && str_is(f.body, s) && message_parse_addrs(test_arena(), test_exact(s), &l) &&
			l.n == 1 && l.v[0].kind == MESSAGE_ADDR;
		if (getenv("MOX_TEST_DIFFERENCES")) {
			if (ok != want)
				fprintf(stderr, "%u want %d " STRF " " STRF "\n", id, want, STRA(s), STRA(corpus_string(row, "diagnosis")));
			continue;
		}
		assert_int_equal(ok, want != own);
	}
	cJSON_Delete(all);
}

TEST(dates)
{
	static const struct {
		const char *in;
		int64_t sec;            /* -1: not a date */
		int tz;
	} rows[] = {
		{ "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360 },
		{ "21 Nov 97 09:55:06 GMT", 880106106, 0 },              // rfc/5322:1860
		{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360 },
		{ "21 Nov 1997 09:55 -0600", 880127700, -360 },
		{ "1 Jan 2024 00:00:00 +0000 (UTC)", 1704067200, 0 },
		{ "1 Jan 2024 00:00:00", 1704067200, 0 },
		{ "Mon, 01 Jan 2024 00:00:00 GMT", 1704067200, 0 },
		{ "Monday, 1 January 2024 00:00:00 Z", 1704067200, 0 },
		{ "1-Jan-2024 00:00:00 +0000", 1704067200, 0 },
		{ "Monday, 01-Jan-24 00:00:00 GMT", 1704067200, 0 },
		{ "Mon Jan  1 00:00:00 2024", 1704067200, 0 },
		{ "Mon Jan  1 00:00:00 UTC 2024", 1704067200, 0 },
		{ "2024-01-01T00:00:00Z", 1704067200, 0 },
		{ "2024-01-01 01:00:00 +0100", 1704067200, 60 },
		{ "2024/01/01 00:00:00", 1704067200, 0 },
		{ "2024-01-01T00:00:00.123+00:00", 1704067200, 0 },
		{ "Jan 1, 2024 12:00 AM", 1704067200, 0 },
		{ "Jan 1, 2024 1:02:03 PM -0500", 1704132123, -300 },
		{ "Mon, 1 Jan 2024 00:00:00 GMT+0100", 1704063600, 60 },
		{ "Mon, 1 Jan 2024 00:00:00 EST", 1704085200, -300 },
		{ "Mon, 1 Jan 2024 00:00:00 X", 1704067200, 0 },         // rfc/5322:1889
		{ "Mon, 1 Jan 2024 00:00:00 NOWHERE", 1704067200, 0 },
		{ "Wed, 1 Jan 2024 00:00:00 +0000", 1704067200, 0 },     /* a wrong weekday */
		{ "1 Jan 2024 24:00:00 +0000", -1, 0 },
		{ "1 Jan 2024 00:00:60 +0000", 1704067260, 0 },
		{ "30 Feb 2024 00:00:00 +0000", -1, 0 },
		{ "29 Feb 2024 00:00:00 +0000", 1709164800, 0 },
		{ "29 Feb 2023 00:00:00 +0000", -1, 0 },
		{ "1 Jan 10000 00:00:00 +0000", -1, 0 },
		{ "1 Jan 2024 00:00:00 +9900", 1704067200, 0 },          /* beyond a day: UTC */
		{ "1 Jan 2024 00:00:00 -2359", 1704153540, -1439 },
		{ "1 Jan 2024", 1704067200, 0 },
		{ "", -1, 0 },
		{ "yesterday", -1, 0 },
		{ "32 Jan 2024 00:00:00", -1, 0 },
		{ "1 Foo 2024 00:00:00", -1, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t us = 0;
		int tz = 0;
		struct str in = str_of(rows[i].in);
		test_row("%s", rows[i].in);
		int rc = message_parse_date(test_exact(in), &us, &tz);
		assert_int_equal(rc, rows[i].sec < 0 ? ERR_INVALID : 0);
		if (rc == 0) {
			assert_int_equal(us, rows[i].sec * 1000000);
			assert_int_equal(tz, rows[i].tz);
		}
		for (size_t n = 0; n < in.n; n++)
			ignore_result(message_parse_date(test_exact(str_upto(in, n)), &us, &tz));
	}
}

TEST(message_ids)
{
	static const struct {
		const char *in;
		bool pedantic;
		const char *id;         /* NULL: none */
		bool raw;
	} rows[] = {
		{ " <A@B.example>", false, "a@b.example", false },
		{ "<a@b>", true, "a@b", false },
		{ "<\"a\"@b>", false, "a@b", false },
		{ "<\"a b\"@b>", false, "\"a b\"@b", false },
		{ "<a@b> (comment)", false, "a@b", false },
		{ "<a@b> x", true, NULL, false },
		{ "<a@b>x", false, NULL, false },
		{ "<a@[127.0.0.1]>", false, "a@[127.0.0.1]", false },
		{ "<a>", false, "a", true },
		{ "<a..b@c>", false, "a..b@c", true },
		{ "<a@b c>", false, "a@b c", true },
		{ "<>", false, NULL, false },
		{ "a@b", false, NULL, false },
		{ "<a@b", false, NULL, false },
		{ "", false, NULL, false },
		{ "<a@\r\n b>", false, "a@ b", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str id;
		bool raw;
		test_row("%s", rows[i].in);
		int rc = message_id_canonical(test_arena(), test_exact(str_of(rows[i].in)), rows[i].pedantic, &id, &raw);
		assert_int_equal(rc, rows[i].id ? 0 : ERR_INVALID);
		if (rc == 0) {
			assert_strz(id, rows[i].id);
			assert_int_equal(raw, rows[i].raw);
		}
	}
}

TEST(references)
{
	static const char *const rows[][2] = {
		{ "References: <a@b> <C@d>\r\n", "a@b c@d" },
		{ "References: <a@b>\r\n\t<c@d>\r\nReferences: <e@f>\r\n", "a@b c@d e@f" },
		{ "References: <a@b> <tru <c@d>\r\n", "a@b c@d" },
		{ "References: <a @ b>\r\n", "a@b" },
		{ "References: <\"a\"@b><>\r\n", "a@b" },
		{ "References: junk <a@b> more <c@d\r\n", "a@b" },
		{ "References: <>\r\nIn-Reply-To: <x@y> <z@y>\r\n", "x@y" },
		{ "In-Reply-To: Your message of <x@y>\r\nIn-Reply-To: <z@y>\r\n", "z@y" },
		{ "References: <a@b>\r\nIn-Reply-To: <x@y>\r\n", "a@b" },
		{ "In-Reply-To: <a <b@c>\r\n", "" },
		{ "Subject: x\r\n", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strlist ids = { 0 };
		test_row("%s", rows[i][0]);
		message_references(test_arena(), test_exact(str_of(rows[i][0])), &ids);
		assert_strz(strlist_join(test_arena(), &ids, S(" ")), rows[i][1]);
	}
}

TEST(base_subject)
{
	static const struct {
		const char *in, *base;
		bool response;
	} rows[] = {
		{ "Weekly\t report", "weekly report", false },
		{ "Re: Fw: plan (fwd)", "plan", true },
		{ "[team][ops] re :[x] plan", "plan", true },
		{ "[FWD: [FWD: plan]]", "plan", true },
		{ "[only a tag]", "[only a tag]", false },
		{ "fwd [x] plan", "fwd [x] plan", false },
		{ "re [x]:", "", true },
		{ "Re: [list] re[2]: x", "x", true },
		{ "RE: re: Fwd: x", "x", true },
		{ "[a] [b] x", "x", false },
		{ "[a][b]", "[b]", false },
		{ "re", "re", false },
		{ "report", "report", false },
		{ "re: (fwd)", "", true },
		{ "  x  ", "x", false },
		{ "x (fwd) (fwd)", "x", true },
		{ "[fwd: x", "[fwd: x", false },
		{ "\xc3\x84rger", "\xc3\xa4rger", false },
		{ "", "", false },
		{ "re : re[x] : [y] z", "z", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool response;
		test_row("%s", rows[i].in);
		assert_strz(message_base_subject(test_arena(), test_exact(str_of(rows[i].in)), &response), rows[i].base);
		assert_int_equal(response, rows[i].response);
	}
	bool response;
	assert_int_equal(message_base_subject(test_arena(), S("a\0b"), &response).n, 0);
}
