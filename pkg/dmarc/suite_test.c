/* SPDX-License-Identifier: MIT */
/*
 * suite_test.c - cases of opendmarc, mailauth and rspamd, see testdata/dmarc/README.md. Every case runs, but for those named
 * with the reason.
 */
#include <cjson/cJSON.h>

#include "base/buf.h"
#include "dmarc/dmarc.h"
#include "dns_mock/dns_mock.h"
#include "message/message.h"
#include "publicsuffix/publicsuffix.h"
#include "testutil/testutil.h"

static cJSON *
load(const char *name)
{
	struct str text = test_read(test_data(name));
	cJSON *json = cJSON_ParseWithLength(text.p, text.n);

	assert_non_null(json);
	return json;
}

static const char *
text_of(const cJSON *t, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(t, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

/* Cases of opendmarc that we see differently. */
static const struct {
	const char *record, *why;
} records_differ[] = {
	{ "v=DMARC1; p=n;", "abbreviations of values are opendmarc's own" },
	{ "v=DMARC1; p=none; rf=bob;", "any keyword is a format: rfc/7489:1189" },
	{ "v=DMARC1; p=none; rf=000000000000000000000000000000000", "any keyword is a format: rfc/7489:1189" },
};

TEST(opendmarc_records)
{
	cJSON *all = load("dmarc/opendmarc-records.json");
	const cJSON *row;
	size_t rows = 0, different = 0;

	cJSON_ArrayForEach(row, all)
	{
		bool want = strcmp(text_of(row, "result"), "OKAY") == 0, is;
		struct dmarc_record r;

		for (size_t i = 0; i < ARRAY_LEN(records_differ); i++)
			if (strcmp(text_of(row, "record"), records_differ[i].record) == 0) {
				want = !want;
				different++;
			}
		test_row("%s", text_of(row, "record"));
		assert_int_equal(
		    dmarc_parse(test_arena(), str_of(text_of(row, "record")), DMARC_STRICT, &r, &is, NULL) == 0, want);
		rows++;
	}
	assert_int_equal(rows, 19);
	assert_int_equal(different, ARRAY_LEN(records_differ));
	cJSON_Delete(all);
}

/* The organisation of the author publishes a record, with the mode of the case. */
TEST(opendmarc_alignment)
{
	cJSON *all = load("dmarc/opendmarc-alignment.json");
	const cJSON *row;
	size_t run = 0, skipped = 0;

	cJSON_ArrayForEach(row, all)
	{
		struct str from = str_of(text_of(row, "from_domain"));
		struct dmarc_args args = {
			.from = from, .spf = SPF_PASS, .spf_domain = str_of(text_of(row, "auth_domain"))
		};
		struct idna_domain d, org;
		struct dns_mock_opts o = { 0 };
		struct dns_resolver *r;
		struct ctx ctx = { 0 };
		struct dmarc_result res;

		test_row(STRF " " STRF, STRA(from), STRA(args.spf_domain));
		/* Names with dots at the ends, or two together: who parses From and the rest does not let them in. */
		if (idna_parse(test_arena(), from, 0, &d, NULL) < 0) {
			skipped++;
			continue;
		}
		org = publicsuffix_org(&d);
		r = dns_mock_new(&o);
		dns_mock_add(r,
		    str_fmt(test_arena(), "_dmarc." STRF " TXT v=DMARC1; p=reject; aspf=%s", STRA(org.ascii),
			strcmp(text_of(row, "mode"), "strict") == 0 ? "s" : "r")
			.p);
		dmarc_verify(r, test_arena(), &ctx, &args, &res);
		assert_int_equal(res.aligned_spf, cJSON_IsTrue(cJSON_GetObjectItem(row, "aligned")));
		dns_mock_free(&r);
		run++;
	}
	assert_int_equal(run, 7);
	assert_int_equal(skipped, 3);
	cJSON_Delete(all);
}

/* DNS of a call of mailauth: answers as lists of strings of a record, or an error. */
static void
add_dns(struct dns_resolver *r, const cJSON *dns)
{
	const cJSON *q, *answer, *part;

	cJSON_ArrayForEach(q, dns) cJSON_ArrayForEach(answer, cJSON_GetObjectItem(q, "answer"))
	{
		struct buf b = BUF_ARENA(test_arena(), 65536);

		buf_addf(&b, "%s TXT \"", text_of(q, "name"));
		cJSON_ArrayForEach(part, answer) buf_addz(&b, part->valuestring);
		buf_addz(&b, "\"");
		dns_mock_add(r, b.p);
	}
}

/* The look-ups that time out, as entries of the mock. */
static void
failing(const cJSON *dns, const char **fail, size_t n)
{
	const cJSON *q;
	size_t i = 0;

	cJSON_ArrayForEach(q, dns) if (strcmp(text_of(q, "error"), "ETIMEOUT") == 0 && i + 1 < n) fail[i++] =
	    str_fmt(test_arena(), "txt %s", text_of(q, "name")).p;
	fail[i] = NULL;
}

static struct str
domain_of(const char *address)
{
	struct str s = str_of(address);

	return str_lower(test_arena(), str_from(s, (size_t)(str_rfind(s, '@') + 1)));
}

/* A domain, or an object with one. */
static struct str
identifier(const cJSON *d)
{
	return str_of(cJSON_IsString(d) ? d->valuestring : text_of(d, "domain"));
}

static void
mailauth_call(const cJSON *call)
{
	const cJSON *in = cJSON_GetObjectItem(call, "input"), *out = cJSON_GetObjectItem(call, "output"), *d;
	const cJSON *from = cJSON_GetObjectItem(in, "headerFrom"), *status = cJSON_GetObjectItem(out, "status");
	struct dkim_result dkim[8];
	struct dmarc_args args = { .dkim = dkim };
	const char *fail[8];
	struct dns_mock_opts o = { .fail = fail };
	struct dns_resolver *r;
	struct dmarc_result res;
	struct ctx ctx = { 0 };

	args.from = domain_of(cJSON_IsArray(from) ? from->child->valuestring : from->valuestring);
	cJSON_ArrayForEach(d, cJSON_GetObjectItem(in, "dkimDomains")) dkim[args.ndkim++] =
	    (struct dkim_result){ .status = DKIM_PASS, .has_signature = true, .sig.domain = identifier(d) };
	cJSON_ArrayForEach(d, cJSON_GetObjectItem(in, "spfDomains"))
	{
		args.spf = SPF_PASS;
		args.spf_domain = identifier(d);
	}
	failing(cJSON_GetObjectItem(call, "dns"), fail, ARRAY_LEN(fail));
	r = dns_mock_new(&o);
	add_dns(r, cJSON_GetObjectItem(call, "dns"));
	dmarc_verify(r, test_arena(), &ctx, &args, &res);
	assert_string_equal(dmarc_status_text(res.status), text_of(status, "result"));
	assert_string_equal(dmarc_policy_text(res.policy), text_of(out, "policy"));
	if (text_of(cJSON_GetObjectItem(status, "header"), "d")[0])
		assert_strz(res.found.domain, text_of(cJSON_GetObjectItem(status, "header"), "d"));
	if (res.found.found)
		assert_strz(res.found.txt, text_of(out, "rr"));
	dns_mock_free(&r);
}

TEST(mailauth)
{
	cJSON *all = load("dmarc/mailauth-evaluate.json");
	const cJSON *t, *call;
	size_t run = 0, skipped = 0;

	cJSON_ArrayForEach(t, all) cJSON_ArrayForEach(call, cJSON_GetObjectItem(t, "calls"))
	{
		test_row("%s: %s", text_of(t, "suite"), text_of(t, "name"));
		/* "false": several domains in From, which the caller finds out: rfc/9989:1640 */
		if (cJSON_IsFalse(cJSON_GetObjectItem(call, "output"))) {
			skipped++;
			continue;
		}
		mailauth_call(call);
		run++;
	}
	assert_int_equal(run, 52);
	assert_int_equal(skipped, 1);
	cJSON_Delete(all);
}

/* The zone of rspamd's tests. */
static struct dns_resolver *
rspamd_zone(struct dns_mock_opts *o, const char **fail, size_t nfail)
{
	cJSON *all = load("dmarc/rspamd-zone.json");
	struct dns_resolver *r;
	const cJSON *row, *v;
	size_t n = 0;

	cJSON_ArrayForEach(row, all) if (strcmp(text_of(row, "rcode"), "timeout") == 0 && n + 1 < nfail) fail[n++] =
	    str_fmt(test_arena(), "%s %s", text_of(row, "type"), text_of(row, "name")).p;
	fail[n] = NULL;
	o->fail = fail;
	r = dns_mock_new(o);
	cJSON_ArrayForEach(row, all)
	    cJSON_ArrayForEach(v, cJSON_GetObjectItem(row, "value")) if (strcmp(text_of(row, "type"), "txt") == 0)
		dns_mock_add(r, str_fmt(test_arena(), "%s txt \"%s\"", text_of(row, "name"), v->valuestring).p);
	else if (strcmp(text_of(row, "type"), "a") == 0)
	    dns_mock_add(r, str_fmt(test_arena(), "%s a %s", text_of(row, "name"), v->valuestring).p);
	cJSON_Delete(all);
	return r;
}

/* Cases of rspamd that RFC 9989 sees differently. */
static const struct {
	const char *name, *expect, *why;
} rspamd_differs[] = {
	{ "DMARC SUBDOMAIN PASS DKIM RELAXED ALIGNMENT", "fail, policy reject",
	    "mom.za.org has no record, so my.mom.za.org, which has one, is an organisation of its own: rfc/9989:1410" },
	{ "DMARC SUBDOMAIN PASS SPF RELAXED ALIGNMENT", "fail, policy reject", "likewise" },
};

static struct str
outcome(const struct dmarc_result *res)
{
	if (res->status != DMARC_STATUS_FAIL)
		return str_of(dmarc_status_text(res->status));
	return str_fmt(test_arena(), "fail, policy %s", dmarc_policy_text(res->policy));
}

static void
rspamd_case(struct dns_resolver *r, const cJSON *row, const char *expect)
{
	struct str text = test_read(test_data(str_fmt(test_arena(), "dmarc/%s", text_of(row, "file")).p));
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);
	struct spf_args spf = { .mailfrom_localpart = S("foo"), .local_hostname = S("mx.example") };
	struct dkim_verify_args verify = { .clock = test_clock() };
	struct dmarc_args args = { .apply_pct = true };
	struct dkim_result *dkim;
	struct spf_result spf_res;
	struct dmarc_result res;
	struct message_source src;
	struct message m;
	struct ctx ctx = { 0 };

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
			buf_addc(&b, '\r');
		buf_addc(&b, text.p[i]);
	}
	src = message_source_mem(buf_str(&b));
	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	args.from = str_lower(test_arena(), m.parts[0].envelope->from.v[0].domain);
	assert_ok(dkim_verify(r, test_arena(), &ctx, &src, &verify, &dkim, &args.ndkim, NULL));
	args.dkim = dkim;
	if (text_of(row, "mail_from")[0] && ip_parse(str_of(text_of(row, "client_ip")), &spf.remote_ip) == 0) {
		spf.mailfrom_domain = domain_of(text_of(row, "mail_from"));
		spf_evaluate(r, test_arena(), &ctx, &spf, &spf_res);
		args.spf = spf_res.status;
		args.spf_domain = spf_res.domain;
	}
	dmarc_verify(r, test_arena(), &ctx, &args, &res);
	assert_strz(outcome(&res), expect);
}

TEST(rspamd)
{
	const char *fail[16];
	struct dns_mock_opts o = { 0 };
	struct dns_resolver *r = rspamd_zone(&o, fail, ARRAY_LEN(fail));
	cJSON *all = load("dmarc/rspamd-cases.json");
	const cJSON *row;
	size_t rows = 0;

	test_clock_set(1502912195 * TIME_SEC);
	cJSON_ArrayForEach(row, all)
	{
		const char *expect = text_of(row, "expect");

		test_row("%s", text_of(row, "name"));
		for (size_t i = 0; i < ARRAY_LEN(rspamd_differs); i++)
			if (strcmp(text_of(row, "name"), rspamd_differs[i].name) == 0)
				expect = rspamd_differs[i].expect;
		rspamd_case(r, row, expect);
		rows++;
	}
	assert_int_equal(rows, 17);
	cJSON_Delete(all);
	dns_mock_free(&r);
}
