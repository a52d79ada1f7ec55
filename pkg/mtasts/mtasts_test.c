/* SPDX-License-Identifier: MIT */
#include "mtasts/mtasts.h"

#include <cjson/cJSON.h>
#include <openssl/x509_vfy.h>

#include "base/buf.h"
#include "base/timeutil.h"
#include "dns_mock/dns_mock.h"
#include "testutil/testutil.h"

#define ID32 "01234567890123456789012345678901"

TEST(records)
{
	static const struct { const char *txt, *id; bool is_sts; unsigned extensions; } rows[] = {
		{ "v=STSv1; id=20160831085700Z;", "20160831085700Z", true, 0 },         /* rfc/8461:304 */
		{ "v=STSv1; \t id=x  \t;\t", "x", true, 0 },
		{ "v=STSv1 ;id=" ID32, ID32, true, 0 },
		{ "v=STSv1; a.b_c-d=<v>:1; id=1", "1", true, 1 },
		{ "v=STSv1; id=1; id=2; id=not-alnum", "1", true, 2 },                  /* rfc/8461:518 */
		{ "v=STSv1; ID=1; id=2", "2", true, 1 },
		{ "v=STSv1;", NULL, true, 0 },
		{ "v=STSv1; a=b", NULL, true, 0 },
		{ "v=STSv1; id=" ID32 "0", NULL, true, 0 },
		{ "v=STSv1; id=test-123", NULL, true, 0 },
		{ "v=STSv1; id=", NULL, true, 0 },
		{ "v=STSv1; id=1; ext=", NULL, true, 0 },
		{ "v=STSv1; id=1;;", NULL, true, 0 },
		{ "v=STSv1; id=1; ;", NULL, true, 0 },
		{ "v=STSv1; id=1 x", NULL, true, 0 },
		{ "v=STSv1; id=1; _x=1", NULL, true, 0 },
		{ "v=STSv1; id=1; x=a=b", NULL, true, 0 },
		{ "v=STSv1; id=1; x=a b", NULL, true, 0 },
		{ "v=STSv1; id=1; a" ID32 "=b", NULL, true, 0 },
		{ "v=STSv1", NULL, false, 0 },
		{ "v=STSv1 id=1", NULL, false, 0 },
		{ "v=STSv10; id=1", NULL, false, 0 },
		{ "V=STSv1; id=1", NULL, false, 0 },
		{ "v=stsv1; id=1", NULL, false, 0 },
		{ " v=STSv1; id=1", NULL, false, 0 },
		{ "", NULL, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mtasts_record r, again;
		struct str txt = test_exact(str_of(rows[i].txt));
		struct errmsg e = { 0 };
		bool is_sts = !rows[i].is_sts;

		test_row("%s", rows[i].txt);
		assert_err(mtasts_parse_record(test_arena(), txt, &r, &is_sts, &e), rows[i].id ? 0 : ERR_INVALID);
		assert_int_equal(is_sts, rows[i].is_sts);
		assert_int_equal(e.text[0] != '\0', rows[i].id == NULL);
		for (size_t cut = 0; cut < txt.n; cut++)
			ignore_result(mtasts_parse_record(test_arena(), test_exact(str_upto(txt, cut)), &again, &is_sts, NULL) < 0);
		if (!rows[i].id)
			continue;
		assert_strz(r.id, rows[i].id);
		assert_int_equal(r.nextensions, rows[i].extensions);
		assert_ok(mtasts_parse_record(test_arena(), mtasts_pack_record(test_arena(), &r), &again, &is_sts, NULL));
		assert_str(again.id, r.id);
		assert_int_equal(again.nextensions, r.nextensions);
	}
}

#define HEAD "version: STSv1\nmode: enforce\nmax_age: 1\n"

TEST(policies)
{
	static const struct { const char *text, *packed, *error; } rows[] = {
		{ HEAD "mx: a.example\n", HEAD "mx: a.example\n", NULL },
		{ "version:\tSTSv1 \r\nmode:enforce\t\r\nmax_age:  1\r\nmx: \tA.example", HEAD "mx: a.example\n", NULL },
		{ HEAD "mx: *.example\nmx: b.example\nmx: xn--mnchen-3ya.example\n",
		    HEAD "mx: *.example\nmx: b.example\nmx: xn--mnchen-3ya.example\n", NULL },
		{ "version: STSv1\nmode: none\nmax_age: 0\n", "version: STSv1\nmode: none\nmax_age: 0\n", NULL },
		{ HEAD "mx: a.example\next: e  ns ion\nutf8: \303\244\n", HEAD "mx: a.example\n", NULL },
		{ HEAD "mx: a.example\nversion: STSv2\nmode: odd\nmax_age: x\n", HEAD "mx: a.example\n", NULL }, /* rfc/8461:518 */
		{ HEAD "max_age: 1\n", NULL, "mx is missing" },
		{ "mode: enforce\nmax_age: 1\nmx: a.example\n", NULL, "version is missing" },
		{ "version: STSv1\nmax_age: 1\nmx: a.example\n", NULL, "mode is missing" },
		{ "version: STSv1\nmode: enforce\nmx: a.example\n", NULL, "max_age is missing" },
		{ HEAD "mx: m\303\274nchen.example\n", NULL, "line 4: value of mx" },   /* rfc/8461:412 */
		{ HEAD "mx: *.*.example\n", NULL, "line 4" },
		{ HEAD "mx: **.example\n", NULL, "line 4" },
		{ HEAD "mx: a.*.example\n", NULL, "line 4" },
		{ HEAD "mx: a-.example\n", NULL, "line 4" },
		{ HEAD "mx: a.example.\n", NULL, "line 4" },
		{ HEAD "mx: \n", NULL, "line 4" },
		{ HEAD "mx: a.example b.example\n", NULL, "line 4" },
		{ HEAD "mx: a.example\n\n", NULL, "line 5" },
		{ "\n" HEAD "mx: a.example\n", NULL, "line 1" },
		{ HEAD "mx: a.example\n_bad: x\n", NULL, "line 5" },
		{ HEAD "mx: a.example\nempty:\n", NULL, "line 5" },
		{ HEAD "mx: a.example\nctl: a\001b\n", NULL, "line 5" },
		{ HEAD "mx: a.example\nbad: \303\n", NULL, "line 5" },
		{ HEAD "mx : a.example\n", NULL, "line 4" },
		{ " " HEAD "mx: a.example\n", NULL, "line 1" },
		{ "version: STSv1\nmode: Enforce\nmax_age: 1\nmx: a.example\n", NULL, "line 2" },
		{ "version: STSv1\nmode: enforce\nmax_age: 01234567890\nmx: a.example\n", NULL, "line 3" },
		{ "version: STSv1\nmode: enforce\nmax_age: 31557601\nmx: a.example\n", NULL, "line 3" }, /* rfc/8461:384 */
		{ "version: STSv1\rmode: none\rmax_age: 0", NULL, "line 1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str text = test_exact(str_of(rows[i].text));
		struct mtasts_policy p;
		struct errmsg e = { 0 };

		test_row("%s", rows[i].text);
		assert_err(mtasts_parse_policy(test_arena(), text, &p, &e), rows[i].packed ? 0 : ERR_INVALID);
		if (rows[i].packed)
			assert_strz(mtasts_pack_policy(test_arena(), &p), rows[i].packed);
		else if (!strstr(e.text, rows[i].error))
			fail_msg("text is: %s", e.text);
		for (size_t cut = 0; cut < text.n; cut++)
			ignore_result(mtasts_parse_policy(test_arena(), test_exact(str_upto(text, cut)), &p, NULL) < 0);
	}
	/* The size that may be served, and one octet more. */
	for (int more = 0; more < 2; more++) {
		struct buf b = BUF_ARENA(test_arena(), 1 << 20);
		struct mtasts_policy p;

		buf_addz(&b, HEAD "mx: a.example\nx: ");
		while (b.n < MTASTS_MAX_POLICY + (size_t)more)
			buf_addc(&b, 'x');
		assert_err(mtasts_parse_policy(test_arena(), buf_str(&b), &p, NULL), more ? ERR_INVALID : 0);
	}
}

static const char *
text_of(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(o, key);

	return cJSON_IsString(v) ? v->valuestring : NULL;
}

static void
vector_policy(const cJSON *v)
{
	struct mtasts_policy p;
	const cJSON *mx = cJSON_GetObjectItem(v, "mx");
	bool valid = cJSON_IsTrue(cJSON_GetObjectItem(v, "valid"));

	test_row("policy %s", text_of(v, "name"));
	assert_err(mtasts_parse_policy(test_arena(), str_of(text_of(v, "text")), &p, NULL), valid ? 0 : ERR_INVALID);
	if (!valid)
		return;
	assert_string_equal(mtasts_mode_text(p.mode), text_of(v, "mode"));
	assert_int_equal(p.max_age_s, (int64_t)cJSON_GetObjectItem(v, "max_age")->valuedouble);
	assert_int_equal(p.nmx, cJSON_GetArraySize(mx));
	for (size_t i = 0; i < p.nmx; i++)
		assert_strz(mtasts_mx_text(test_arena(), &p.mx[i]), cJSON_GetArrayItem(mx, (int)i)->valuestring);
}

static void
vector_match(const cJSON *v)
{
	struct str text = str_fmt(test_arena(), HEAD "mx: %s\n", text_of(v, "pattern"));
	struct mtasts_policy p;

	test_row("%s %s", text_of(v, "pattern"), text_of(v, "mx"));
	assert_ok(mtasts_parse_policy(test_arena(), text, &p, NULL));
	assert_int_equal(mtasts_match(&p, str_of(text_of(v, "mx"))), cJSON_IsTrue(cJSON_GetObjectItem(v, "match")));
}

static void
vector_txt(const cJSON *v)
{
	struct buf zone = BUF_ARENA(test_arena(), 4096);
	struct dns_mock_opts o = { 0 };
	struct dns_resolver *r;
	struct mtasts_record record;
	struct ctx ctx = { 0 };
	struct str txt;
	const cJSON *t;
	bool authentic;
	int rv;

	cJSON_ArrayForEach(t, cJSON_GetObjectItem(v, "txt"))
		buf_addf(&zone, "_mta-sts.test TXT \"%s\"\n", t->valuestring);
	buf_addc(&zone, '\0');
	o.zone = zone.p;
	r = dns_mock_new(&o);
	rv = mtasts_lookup(r, test_arena(), &ctx, S("test"), &txt, &record, &authentic, NULL);
	test_row("%s", zone.p);
	if (text_of(v, "id")) {
		assert_int_equal(rv, 0);
		assert_strz(record.id, text_of(v, "id"));
	} else {
		assert_true(rv == MTASTS_NORECORD || rv == MTASTS_MULTIPLE || rv == MTASTS_RECORD_SYNTAX);
	}
	dns_mock_free(&r);
}

TEST(vectors)
{
	static const struct { const char *key; void (*fn)(const cJSON *v); int n; } kinds[] = {
		{ "policies", vector_policy, 18 }, { "mx_match", vector_match, 9 }, { "mta_sts_txt", vector_txt, 13 },
	};
	struct str text = test_read(test_data("mta-sts/vectors.json"));
	cJSON *root = cJSON_ParseWithLength(text.p, text.n);
	const cJSON *v;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const cJSON *list = cJSON_GetObjectItem(root, kinds[i].key);

		assert_int_equal(cJSON_GetArraySize(list), kinds[i].n);
		cJSON_ArrayForEach(v, list)
			kinds[i].fn(v);
	}
	cJSON_Delete(root);
}

TEST(lookups)
{
	static const char *const fail[] = { "txt _mta-sts.fail.test", NULL }, *const hang[] = { "txt _mta-sts.hang.test", NULL };
	struct dns_mock_opts o = { .zone = "_mta-sts.two.test TXT \"v=STSv1; id=1\"\n_mta-sts.two.test TXT \"v=STSv1; bad\"\n"
		"_mta-sts.bad.test TXT \"other\"\n_mta-sts.bad.test TXT \"v=STSv1; id=\"\n"
		"_mta-sts.alias.test CNAME _mta-sts.host.test\n_mta-sts.host.test TXT \"v=STSv1;\" \" id=9\"\n",
		.fail = fail, .hang = hang, .all_authentic = true };
	struct dns_resolver *r = dns_mock_new(&o);
	struct ctx ctx = { 0 }, soon = ctx_within(&ctx, 20 * TIME_MS);
	struct mtasts_record record;
	struct errmsg e = { 0 };
	bool authentic;
	struct str txt;

	assert_err(mtasts_lookup(r, test_arena(), &ctx, S("none.test"), &txt, &record, &authentic, NULL), MTASTS_NORECORD);
	assert_err(mtasts_lookup(r, test_arena(), &ctx, S("fail.test"), &txt, &record, &authentic, NULL), MTASTS_DNS);
	assert_err(mtasts_lookup(r, test_arena(), &soon, S("hang.test"), &txt, &record, &authentic, NULL), ERR_TIMEOUT);
	assert_err(mtasts_lookup(r, test_arena(), &ctx, S("two.test"), &txt, &record, &authentic, NULL), MTASTS_MULTIPLE);
	assert_err(mtasts_lookup(r, test_arena(), &ctx, S("bad.test"), &txt, &record, &authentic, &e), MTASTS_RECORD_SYNTAX);
	assert_strz(txt, "v=STSv1; id=");
	assert_non_null(strstr(e.text, "id of letters"));
	/* Over an alias, of several strings: rfc/8461:351, rfc/8461:346 */
	assert_ok(mtasts_lookup(r, test_arena(), &ctx, S("alias.test"), &txt, &record, &authentic, NULL));
	assert_strz(record.id, "9");
	assert_true(authentic);
	dns_mock_free(&r);
}

/* A fetcher with a given outcome. */
struct canned {
	struct fetcher f;
	int rv;
	struct fetch_response res;
	struct fetch_request asked;
};

static int
canned_get(struct fetcher *f, struct arena *a unused_, const struct ctx *ctx, const struct fetch_request *q,
    struct fetch_response *r_response, struct errmsg *e)
{
	struct canned *c = container_of(f, struct canned, f);

	assert_true(ctx->deadline_us != 0);
	c->asked = *q;
	*r_response = c->res;
	return c->rv < 0 ? err_set(e, c->rv, "canned") : 0;
}

TEST(fetching)
{
	static const char policy[] = HEAD "mx: a.example\n";
	static const struct { int rv, status; const char *body; int verify, want; } rows[] = {
		{ 0, 200, policy, 0, 0 },
		{ 0, 404, "", 0, MTASTS_NOPOLICY },
		{ FETCH_TOOLARGE, 404, "", 0, MTASTS_NOPOLICY },
		{ FETCH_NOHOST, 0, "", 0, MTASTS_NOPOLICY },
		{ FETCH_DNS, 0, "", 0, MTASTS_FETCH },
		{ 0, 500, policy, 0, MTASTS_FETCH },
		{ 0, 204, "", 0, MTASTS_FETCH },
		{ FETCH_REDIRECT, 301, "", 0, MTASTS_FETCH },
		{ FETCH_TLS, 0, "", X509_V_ERR_CERT_HAS_EXPIRED, MTASTS_FETCH },
		{ FETCH_TOOLARGE, 200, "", 0, MTASTS_POLICY_SYNTAX },
		{ 0, 200, "<html>", 0, MTASTS_POLICY_SYNTAX },
		{ ERR_IO, 200, policy, 0, MTASTS_FETCH },
		{ ERR_TIMEOUT, 0, "", 0, MTASTS_FETCH },
	};
	struct dns_mock_opts o = { .zone = "_mta-sts.example.test TXT \"v=STSv1; id=1\"\n" };
	struct dns_resolver *r = dns_mock_new(&o);
	struct ctx ctx = { 0 };
	struct mtasts_result res;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct canned c = { .f.get = canned_get, .rv = rows[i].rv,
			.res = { rows[i].status, NULL, 0, str_of(rows[i].body), rows[i].verify } };
		struct errmsg e = { 0 };

		test_row("%zu", i);
		assert_err(mtasts_get(r, &c.f, test_arena(), &ctx, S("example.test"), &res, &e), rows[i].want);
		assert_strz(c.asked.url, "https://mta-sts.example.test/.well-known/mta-sts.txt");
		assert_true(c.asked.https_only);
		assert_int_equal(c.asked.max_redirects, 0);
		assert_true(res.has_record);
		assert_int_equal(res.failure.status, rows[i].status);
		assert_int_equal(res.failure.verify_error, rows[i].verify);
		assert_int_equal(e.text[0] != '\0', rows[i].want < 0);
		assert_int_equal(mtasts_reason(rows[i].want)[0] != '\0', rows[i].want < 0);
		if (rows[i].want == 0)
			assert_strz(res.text, policy);
	}
	assert_err(mtasts_get(r, NULL, test_arena(), &ctx, S("none.test"), &res, NULL), MTASTS_NORECORD);
	assert_false(res.has_record);
	dns_mock_free(&r);
}
