/* SPDX-License-Identifier: MIT */
/* arc_test.c - the ValiMail suites, see testdata/arc/README.md: every case; and chains that we make ourselves. */
#include "arc/arc.h"

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "dns_mock/dns_mock.h"
#include "message/header.h"
#include "testutil/testutil.h"

static const char *
text_of(const cJSON *t, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(t, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static struct str
crlf(const char *z)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);

	for (; *z; z++) {
		if (*z == '\n')
			buf_addc(&b, '\r');
		buf_addc(&b, *z);
	}
	return buf_str(&b);
}

static struct dns_resolver *
resolver_of(const cJSON *scenario)
{
	struct buf zone = BUF_ARENA(test_arena(), 1 << 20);
	struct dns_mock_opts o = { 0 };
	const cJSON *rec;

	cJSON_ArrayForEach(rec, cJSON_GetObjectItem(scenario, "txt-records")) {
		buf_addf(&zone, "%s TXT \"", rec->string);
		for (const char *p = rec->valuestring; *p; p++)
			if (*p != '\n')
				buf_addc(&zone, *p);
		buf_addz(&zone, "\"\n");
	}
	buf_addc(&zone, '\0');
	o.zone = zone.p;
	return dns_mock_new(&o);
}

static struct arc_chain
verify(struct dns_resolver *r, struct str msg)
{
	struct message_source src = message_source_mem(msg);
	struct dkim_verify_args args = { 0 };
	struct arc_chain chain;
	struct ctx ctx = { 0 };

	assert_ok(arc_verify(r, test_arena(), &ctx, &src, &args, &chain, NULL));
	return chain;
}

TEST(validation_suite)
{
	struct str text = test_read(test_data("arc/arc-draft-validation-tests.json"));
	cJSON *all = cJSON_ParseWithLength(text.p, text.n);
	const cJSON *scenario, *t;
	unsigned failed = 0, count = 0;

	cJSON_ArrayForEach(scenario, all) {
		struct dns_resolver *r = resolver_of(scenario);

		cJSON_ArrayForEach(t, cJSON_GetObjectItem(scenario, "tests")) {
			struct arc_chain chain = verify(r, crlf(text_of(t, "message")));
			/* Three cases leave the verdict on cv=fail open; the RFC says fail: rfc/8617:922 */
			const char *want = *text_of(t, "cv") ? text_of(t, "cv") : "Fail";

			/* Signed in relaxed form without saying so; the default is simple, as in DKIM: rfc/6376:1088 */
			if (strcmp(text_of(t, "name"), "ams_fields_c_na") == 0)
				want = "Fail";
			count++;
			if (str_icase(str_of(want), str_of(arc_status_text(chain.status))))
				continue;
			print_error("%s: %s (" STRF "), want %s\n", text_of(t, "name"), arc_status_text(chain.status),
			    STRA(chain.problem), want);
			failed++;
		}
		dns_mock_free(&r);
	}
	cJSON_Delete(all);
	assert_int_equal(failed, 0);
	assert_int_equal(count, 171);
}

static struct str
without_space(struct str s)
{
	struct buf b = BUF_ARENA(test_arena(), 65536);

	for (size_t i = 0; i < s.n; i++)
		if (!str_has(S(" \t\r\n"), s.p[i]))
			buf_addc(&b, s.p[i]);
	return buf_str(&b);
}

/*
 * Each tag of the expected value must be in the field, white space apart. But not b=: it depends on the order of the
 * tags, which is free. That ours is right is shown by verifying what we sealed.
 */
static bool
same_tags(struct str got, const char *want)
{
	struct dkim_tags g, w;

	if (dkim_tags(test_arena(), got, &g, NULL) < 0 || dkim_tags(test_arena(), crlf(want), &w, NULL) < 0)
		return false;
	for (size_t i = 0; i < w.n; i++) {
		const struct dkim_tag *tag = dkim_tag_get(&g, str_dup(test_arena(), w.v[i].name).p);

		if (str_is(w.v[i].name, S("b")))
			continue;
		if (!tag || !str_icase(without_space(tag->value), without_space(w.v[i].value)))
			return false;
	}
	return true;
}

static int64_t
at_time(void *arg)
{
	return *(const int64_t *)arg;
}

static unsigned
run_sign(struct dns_resolver *r, const cJSON *scenario, const cJSON *t)
{
	struct str msg = crlf(text_of(t, "message")), names = str_of(text_of(t, "sig-headers")), fields, header = msg;
	struct message_source src = message_source_mem(msg);
	struct arc_seal_args args = { .selector = str_of(text_of(scenario, "sel")),
		.domain = str_of(text_of(scenario, "domain")) };
	struct arc_chain chain = verify(r, msg);
	struct message_field f;
	int64_t now = 0;
	struct clock clk = { at_time, &now };
	struct str results = { 0 };
	unsigned bad = 0;

	assert_ok(str_i64(str_of(text_of(t, "t")), &now));
	now *= TIME_SEC;
	args.clock = &clk;
	while (names.n > 0)
		strlist_add(test_arena(), &args.headers, str_split(&names, ':'));
	/* What the sealer found is in the message's own Authentication-Results, perhaps several. */
	while (message_field_next(&header, &f, NULL)) {
		struct str body = message_unfold(test_arena(), f.body), id = str_of(text_of(t, "srv-id"));

		if (!str_icase(f.name, S("Authentication-Results")) || !str_starts(body, id))
			continue;
		results = results.n == 0 ? body : str_fmt(test_arena(), STRF STRF, STRA(results), STRA(str_from(body, id.n)));
	}
	args.results = results;
	assert_ok(dkim_key_from_pem(str_of(text_of(scenario, "privatekey")), &args.key, NULL));
	assert_ok(arc_seal(test_arena(), &src, &chain, &args, &fields, NULL));
	EVP_PKEY_free(args.key);
	if (!*text_of(t, "AS"))
		return fields.n > 0;
	/* Only a chain that failed before stays so. */
	if (chain.status != ARC_FAIL)
		bad += verify(r, str_cat(test_arena(), fields, msg)).status != ARC_PASS;
	while (message_field_next(&fields, &f, NULL)) {
		if (str_icase(f.name, S("ARC-Message-Signature")))
			bad += !same_tags(f.body, text_of(t, "AMS"));
		else if (str_icase(f.name, S("ARC-Authentication-Results")))
			bad += !str_is(without_space(f.body), without_space(str_of(text_of(t, "AAR"))));
		else
			bad += !same_tags(f.body, text_of(t, "AS"));
	}
	return bad;
}

TEST(signing_suite)
{
	struct str text = test_read(test_data("arc/arc-draft-sign-tests.json"));
	cJSON *all = cJSON_ParseWithLength(text.p, text.n);
	const cJSON *scenario, *t;
	unsigned failed = 0;

	cJSON_ArrayForEach(scenario, all) {
		struct dns_resolver *r = resolver_of(scenario);

		cJSON_ArrayForEach(t, cJSON_GetObjectItem(scenario, "tests"))
			if (run_sign(r, scenario, t) > 0) {
				print_error("%s\n", text_of(t, "name"));
				failed++;
			}
		dns_mock_free(&r);
	}
	cJSON_Delete(all);
	assert_int_equal(failed, 0);
}

TEST(chain_of_ours)
{
	static const char plain[] = "From: a@example.org\r\nSubject: x\r\nDate: Tue, 1 Jan 2019 00:00:00 +0000\r\n\r\nhello\r\n";
	struct str msg = str_of(plain), fields;
	struct dkim_record rec;
	struct arc_seal_args args = { .results = S("mx.example.org; spf=pass smtp.mailfrom=example.org; dkim=none; arc=none"),
		.selector = S("s"),
		.domain = S("example.org") };
	struct dns_mock_opts o = { .all_authentic = true };
	struct dns_resolver *r;
	struct arc_chain chain = { 0 };

	assert_ok(dkim_generate_ed25519(&args.key));
	assert_ok(dkim_record_of(test_arena(), args.key, &rec));
	o.zone =
	    str_fmt(test_arena(), "s._domainkey.example.org TXT \"" STRF "\"\n", STRA(dkim_pack_record(test_arena(), &rec))).p;
	r = dns_mock_new(&o);
	for (int i = 1; i <= 4; i++) {
		struct message_source src = message_source_mem(msg);

		assert_ok(arc_seal(test_arena(), &src, &chain, &args, &fields, NULL));
		msg = str_cat(test_arena(), fields, msg);
		chain = verify(r, msg);
		test_row("set %d: " STRF, i, STRA(chain.problem));
		assert_int_equal(chain.status, ARC_PASS);
		assert_int_equal(chain.n, i);
		assert_true(chain.authentic);
		assert_strz(chain.sets[i - 1].seal_domain, "example.org");
		assert_str(chain.sets[0].results, args.results);
	}
	/* A change breaks it; the next sealer says so, and then the chain is over: rfc/8617:855 */
	msg = str_cat(test_arena(), msg, S("more\r\n"));
	chain = verify(r, msg);
	assert_int_equal(chain.status, ARC_FAIL);
	assert_false(chain.ended);
	struct message_source src = message_source_mem(msg);
	assert_ok(arc_seal(test_arena(), &src, &chain, &args, &fields, NULL));
	assert_true(str_search(fields, S("cv=fail")) > 0);
	msg = str_cat(test_arena(), fields, msg);
	chain = verify(r, msg);
	assert_true(chain.ended);
	src = message_source_mem(msg);
	assert_ok(arc_seal(test_arena(), &src, &chain, &args, &fields, NULL));
	assert_int_equal(fields.n, 0);
	dns_mock_free(&r);
	EVP_PKEY_free(args.key);
}
