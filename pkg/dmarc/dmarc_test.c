/* SPDX-License-Identifier: MIT */
/* dmarc_test.c - records, the tree walk, evaluation, reports to others. */
#include "dmarc/dmarc.h"

#include "base/buf.h"
#include "dns_mock/dns_mock.h"
#include "metrics/metrics.h"
#include "testutil/testutil.h"

/* Records, and how they are written. strict: also by strict reading. */
static const struct {
	const char *in, *out;
	bool strict;
} good[] = {
	{ "v=DMARC1;p=reject", "v=DMARC1;p=reject", true },
	{ "v=DMARC1; p=reject; rua=mailto:dmarc@example.org!10m", "v=DMARC1;p=reject;rua=mailto:dmarc@example.org!10m",
	    true },
	{ "V = DMARC1 ; P = Quarantine ; SP=NONE;", "v=DMARC1;p=quarantine;sp=none", true },
	{ "v=DMARC1;", NULL, true },
	{ "v=DMARC1;rua=mailto:a@example.org", "v=DMARC1;p=none;rua=mailto:a@example.org", true }, // rfc/9989:1323
	{ "v=DMARC1;p=reject;sp=bad;rua=mailto:a@b", "v=DMARC1;p=none;rua=mailto:a@b", true },
	{ "v=DMARC1;p=reject;np=bad;rua=mailto:a@b", "v=DMARC1;p=none;rua=mailto:a@b", true },
	{ "v=DMARC1;p=none;rua=mailto:A@Example.org , https://x.example/p?a=%2C!5 ;",
	    "v=DMARC1;p=none;rua=mailto:A@Example.org,https://x.example/p?a=%2C!5", true },
	{ "v=DMARC1;p=none;adkim=S;aspf=s;fo=1:D:s;ri=3600;rf=AFRF:x-y;pct=5",
	    "v=DMARC1;p=none;adkim=s;aspf=s;fo=1:d:s;ri=3600;rf=afrf:x-y;pct=5", true },
	{ "v=DMARC1;p=none;adkim=r;aspf=r;fo=0;ri=86400;rf=afrf;pct=100;psd=u;t=n", "v=DMARC1;p=none", true },
	{ "v=DMARC1;p=reject;np=quarantine;psd=Y;t=y", "v=DMARC1;p=reject;np=quarantine;psd=y;t=y", true },
	{ "v=DMARC1;p=reject;psd=n", "v=DMARC1;p=reject;psd=n", true },
	{ "v=DMARC1;p=none;ruf=mailto:a@b!1,mailto:c@d!2K", "v=DMARC1;p=none;ruf=mailto:a@b!1,mailto:c@d!2k", true },
	{ "v=DMARC1;p=none;x=1;foo=bar baz;x=2", "v=DMARC1;p=none", true }, // unknown tags
	{ "v=DMARC1;p=none;rua=mailto:a=b@c?d=e=f", "v=DMARC1;p=none;rua=mailto:a=b@c?d=e=f", true },
	/* What owners should mend, and others read past: rfc/9989:1019 */
	{ "v=DMARC1;sp=none;p=reject", "v=DMARC1;p=reject;sp=none", false },
	{ "v=DMARC1;p=reject;adkim=x;aspf=strict", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;ri=99999999999", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;ri=-1", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;pct=110", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;fo=01", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;fo=x", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;rf=afrf-", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;t=1;psd=q", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;rua=bogus", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;rua=bogus,mailto:a@b", "v=DMARC1;p=reject;rua=mailto:a@b", false },
	{ "v=DMARC1;p=reject;rua=mailto:a@b!99999999999999999999999", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;rua=mailto:a@b!10p", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;rua=mailto:a@b!", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;rua=mailto:a%zz", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;junk", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=reject;a-b=c", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;;p=reject", "v=DMARC1;p=reject", false },
	{ "v=DMARC1;p=bad;rua=mailto:a@b", "v=DMARC1;p=none;rua=mailto:a@b", false },
	{ "v=DMARC1;p=reject;adkim=", "v=DMARC1;p=reject", false },
};
static const struct {
	const char *txt;
	bool is;
} bad[] = {
	{ "", false },
	{ "v=DMARC1", false },        // the semicolon is missing
	{ "v=dmarc1;p=none", false }, // rfc/9989:1010
	{ "v=DMARC1x;p=none", false },
	{ " v=DMARC1;p=none", false },
	{ "v=DMARC2;p=none", false },
	{ "p=none;v=DMARC1", false },
	{ "v=spf1 -all", false },
	{ "v=DMARC1;", true },
	{ "v=DMARC1;adkim=s", true },
	{ "v=DMARC1;p=bad", true },
	{ "v=DMARC1;p=none;p=none", true },
	{ "v=DMARC1;p=none;sp=none;SP=none", true },
	{ "v=DMARC1;p=none;sp=bad", true },
	{ "v=DMARC1;p=reject;np=", true },
};

TEST(records_that_parse)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct str in = test_exact(str_of(good[i].in)), once;
		struct dmarc_record r, again;
		bool is;
		/* Nothing but the version is for reports. */
		unsigned flags = good[i].out ? 0 : DMARC_REPORT_RECORD;

		test_row("%s", good[i].in);
		assert_ok(dmarc_parse(test_arena(), in, flags, &r, &is, NULL));
		assert_true(is);
		once = dmarc_pack(test_arena(), &r);
		assert_strz(once, good[i].out ? good[i].out : "v=DMARC1;");
		assert_ok(dmarc_parse(test_arena(), once, flags, &again, &is, NULL));
		assert_str(dmarc_pack(test_arena(), &again), once);
		assert_int_equal(dmarc_parse(test_arena(), in, flags | DMARC_STRICT, &r, &is, NULL),
		    good[i].strict ? 0 : ERR_INVALID);
	}
}

TEST(records_that_do_not)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct dmarc_record r;
		struct errmsg e = { 0 };
		bool is;

		test_row("%s", bad[i].txt);
		assert_err(dmarc_parse(test_arena(), test_exact(str_of(bad[i].txt)), 0, &r, &is, &e), ERR_INVALID);
		assert_true(e.text[0] != '\0');
		assert_int_equal(is, bad[i].is);
	}
}

TEST(sizes_of_uris)
{
	struct dmarc_uri u = { .uri = S("mailto:a@b") };

	assert_true(dmarc_uri_size(&u) == UINT64_MAX);
	u.max_size = 3;
	assert_int_equal(dmarc_uri_size(&u), 3);
	u.unit = 'm';
	assert_int_equal(dmarc_uri_size(&u), 3 << 20);
	u.unit = 't';
	u.max_size = UINT64_MAX / 2;
	assert_true(dmarc_uri_size(&u) == UINT64_MAX);
	/* Characters that would end it are encoded in writing. */
	struct dmarc_record r = { .p = DMARC_NONE,
		.ri = 86400,
		.pct = 100,
		.rua = { &(struct dmarc_uri){ .uri = S("mailto:a,b!c@d") }, 1 } };
	assert_strz(dmarc_pack(test_arena(), &r), "v=DMARC1;p=none;rua=mailto:a%2Cb%21c@d");
}

static const char zone[] =
    "example.org A 192.0.2.1\n"
    "_dmarc.example.org TXT v=DMARC1; p=reject; sp=quarantine; np=none\n"
    "_dmarc.example.org TXT other text\n"
    "sub.example.org A 192.0.2.1\n"
    "x.sub.example.org A 192.0.2.1\n"
    "_dmarc.own.example.org TXT v=DMARC1; p=none; adkim=s; aspf=s\n"
    "_dmarc.dept.example.org TXT v=DMARC1; p=quarantine; psd=n\n"
    "a.dept.example.org A 192.0.2.1\n"
    "_dmarc.two.example.org TXT v=DMARC1; p=none\n"
    "_dmarc.two.example.org TXT v=DMARC1; p=reject\n"
    "_dmarc.bad.example TXT v=DMARC1; p=bogus\n"
    "_dmarc.deep.example TXT v=DMARC1; p=reject\n"
    /* A registry with psd=y, one that forgot it, and customers. */
    "_dmarc.bank TXT v=DMARC1; p=reject; sp=quarantine; psd=y\n"
    "shop.bank A 192.0.2.1\n"
    "_dmarc.own.bank TXT v=DMARC1; p=none\n"
    "_dmarc.co.uk TXT v=DMARC1; p=reject\n"
    "one.co.uk A 192.0.2.1\n"
    "two.co.uk A 192.0.2.1\n"
    "_dmarc.test.example TXT v=DMARC1; p=reject; t=y\n"
    "_dmarc.zero.example TXT v=DMARC1; p=reject; pct=0\n"
    "_dmarc.quar.example TXT v=DMARC1; p=quarantine; t=y\n"
    "_dmarc.temp2.example TXT v=DMARC1; p=reject\n";

static struct dns_resolver *
resolver(void)
{
	static const char *const fail[] = { "txt _dmarc.temp.example", "txt _dmarc.sub.temp2.example", NULL };
	static const char *const plain[] = { "txt _dmarc.quar.example", NULL };
	struct dns_mock_opts o = { .zone = zone, .all_authentic = true, .inauthentic = plain, .fail = fail };

	return dns_mock_new(&o);
}

static const struct {
	const char *domain;
	enum dmarc_status status;
	const char *at;  /* where the record is; NULL: none */
	const char *org; /* NULL: cannot be known */
} lookups[] = {
	{ "example.org", DMARC_STATUS_NONE, "example.org", "example.org" },
	{ "sub.example.org", DMARC_STATUS_NONE, "example.org", "example.org" },
	{ "x.sub.example.org", DMARC_STATUS_NONE, "example.org", "example.org" },
	{ "own.example.org", DMARC_STATUS_NONE, "own.example.org", "example.org" },        // rfc/9989:1410
	{ "two.example.org", DMARC_STATUS_NONE, "example.org", "example.org" },            // of several none counts
	{ "dept.example.org", DMARC_STATUS_NONE, "dept.example.org", "dept.example.org" }, // psd=n: rfc/9989:1394
	{ "a.dept.example.org", DMARC_STATUS_NONE, "dept.example.org", "dept.example.org" },
	{ "none.example", DMARC_STATUS_NONE, NULL, "none.example" },
	{ "a.none.example", DMARC_STATUS_NONE, NULL, "a.none.example" }, // rfc/9989:1414
	{ "bad.example", DMARC_STATUS_PERMERROR, NULL, "bad.example" },
	{ "sub.bad.example", DMARC_STATUS_PERMERROR, NULL, "sub.bad.example" },
	{ "temp.example", DMARC_STATUS_TEMPERROR, NULL, NULL },
	{ "sub.temp.example", DMARC_STATUS_TEMPERROR, NULL, NULL },
	{ "shop.bank", DMARC_STATUS_NONE, "bank", "shop.bank" }, // psd=y: rfc/9989:1398
	{ "a.b.shop.bank", DMARC_STATUS_NONE, "bank", "shop.bank" },
	{ "a.own.bank", DMARC_STATUS_NONE, "own.bank", "own.bank" },
	{ "bank", DMARC_STATUS_NONE, "bank", "bank" },
	{ "one.co.uk", DMARC_STATUS_NONE, "co.uk", "one.co.uk" }, // the list knows
	{ "a.b.c.d.e.f.g.h.i.j.deep.example", DMARC_STATUS_NONE, "deep.example", "deep.example" },
};

TEST(finding_records)
{
	struct ctx ctx = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
		struct dns_resolver *r = resolver();
		struct dmarc_found f;
		struct str org;
		struct errmsg e = { 0 };
		int rv;

		test_row("%s", lookups[i].domain);
		dmarc_lookup(r, test_arena(), &ctx, str_of(lookups[i].domain), &f);
		assert_int_equal(f.status, lookups[i].status);
		assert_int_equal(f.found, lookups[i].at != NULL);
		assert_int_equal(f.problem.n > 0, lookups[i].status != DMARC_STATUS_NONE);
		if (f.found) {
			assert_strz(f.domain, lookups[i].at);
			assert_int_equal(f.from_parent, strcmp(lookups[i].domain, lookups[i].at) != 0);
			assert_true(str_starts(f.txt, S("v=DMARC1;")));
			assert_true(f.authentic);
		}
		rv = dmarc_org(r, test_arena(), &ctx, str_of(lookups[i].domain), &org, &e);
		assert_int_equal(rv, lookups[i].org ? 0 : DNS_TEMPORARY);
		if (rv == 0)
			assert_strz(org, lookups[i].org);
		dns_mock_free(&r);
	}
}

TEST(look_ups_are_few)
{
	struct ctx ctx = { 0 };
	struct dns_resolver *r = resolver();
	struct str org;

	/* rfc/9989:1253: eight, however long the name is */
	assert_ok(dmarc_org(r, test_arena(), &ctx, S("a.b.c.d.e.f.g.h.i.j.mail.example.com"), &org, NULL));
	assert_int_equal(dns_mock_lookups(r), 8);
	assert_ok(dmarc_org(r, test_arena(), &ctx, S("b.c.d.e.f.g.example.com"), &org, NULL));
	assert_int_equal(dns_mock_lookups(r), 16);
	assert_ok(dmarc_org(r, test_arena(), &ctx, S("com"), &org, NULL));
	assert_int_equal(dns_mock_lookups(r), 17);
	dns_mock_free(&r);
}

TEST(several_records)
{
	struct ctx ctx = { 0 };
	struct dns_mock_opts o = {
		.zone = "_dmarc.two.example TXT v=DMARC1; p=none\n_dmarc.two.example TXT v=DMARC1; p=reject\n"
	};
	struct dns_resolver *r = dns_mock_new(&o);
	struct dmarc_found f;

	dmarc_lookup(r, test_arena(), &ctx, S("two.example"), &f);
	assert_int_equal(f.status, DMARC_STATUS_NONE);
	assert_false(f.found);
	assert_strz(f.problem, "more than one DMARC record");
	assert_false(f.authentic);
	dns_mock_free(&r);
}

/* DKIM results: "pass:d fail:d temperror:d". */
static size_t
make_dkim(const char *text, struct dkim_result *v)
{
	struct str rest = str_of(text);
	size_t n = 0;

	while (rest.n > 0) {
		struct str one = str_split(&rest, ' '), status = str_split(&one, ':');

		v[n] = (struct dkim_result){ .has_signature = true, .sig.domain = one };
		v[n++].status = str_is(status, S("pass")) ? DKIM_PASS :
		    str_is(status, S("temp"))             ? DKIM_TEMPERROR :
							    DKIM_FAIL;
	}
	return n;
}

static const struct {
	const char *from;
	enum spf_status spf;
	const char *spf_domain, *dkim;
	enum dmarc_status status;
	enum dmarc_policy policy;
	bool reject, use, aligned_spf, aligned_dkim;
} verifies[] = {
	/* No record, errors. */
	{ "none.example", SPF_PASS, "none.example", "pass:none.example", DMARC_STATUS_NONE, DMARC_ABSENT, false, false,
	    false, false },
	{ "temp.example", SPF_PASS, "temp.example", "", DMARC_STATUS_TEMPERROR, DMARC_ABSENT, false, false, false,
	    false },
	{ "bad.example", SPF_PASS, "bad.example", "", DMARC_STATUS_PERMERROR, DMARC_ABSENT, false, false, false,
	    false },
	/* Nothing, or nothing that is aligned. */
	{ "example.org", SPF_NONE, "", "", DMARC_STATUS_FAIL, DMARC_REJECT, true, true, false, false },
	{ "example.org", SPF_FAIL, "example.org", "fail:example.org", DMARC_STATUS_FAIL, DMARC_REJECT, true, true,
	    false, false },
	{ "example.org", SPF_PASS, "other.example", "pass:other.example", DMARC_STATUS_FAIL, DMARC_REJECT, true, true,
	    false, false },
	{ "example.org", SPF_SOFTFAIL, "example.org", "", DMARC_STATUS_FAIL, DMARC_REJECT, true, true, false, false },
	{ "example.org", SPF_PASS, "", "pass:", DMARC_STATUS_FAIL, DMARC_REJECT, true, true, false, false },
	{ "example.org", SPF_PASS, "badexample.org", "pass:org", DMARC_STATUS_FAIL, DMARC_REJECT, true, true, false,
	    false },
	/* The same domain, and relaxed: rfc/9989:489 */
	{ "example.org", SPF_PASS, "example.org", "", DMARC_STATUS_PASS, DMARC_REJECT, false, true, true, false },
	{ "example.org", SPF_NONE, "", "pass:example.org", DMARC_STATUS_PASS, DMARC_REJECT, false, true, false, true },
	{ "example.org", SPF_PASS, "sub.example.org", "pass:x.sub.example.org", DMARC_STATUS_PASS, DMARC_REJECT, false,
	    true, true, true },
	{ "sub.example.org", SPF_PASS, "example.org", "fail:example.org pass:other.example.org", DMARC_STATUS_PASS,
	    DMARC_QUARANTINE, false, true, true, true },
	/* Organisations of their own: psd=n */
	{ "example.org", SPF_PASS, "a.dept.example.org", "pass:dept.example.org", DMARC_STATUS_FAIL, DMARC_REJECT, true,
	    true, false, false },
	{ "dept.example.org", SPF_PASS, "example.org", "pass:a.dept.example.org", DMARC_STATUS_PASS, DMARC_QUARANTINE,
	    false, true, false, true },
	/* Strict */
	{ "own.example.org", SPF_PASS, "own.example.org", "", DMARC_STATUS_PASS, DMARC_NONE, false, true, true, false },
	{ "own.example.org", SPF_PASS, "a.own.example.org", "pass:example.org", DMARC_STATUS_FAIL, DMARC_NONE, false,
	    true, false, false },
	/* sp, np: rfc/9989:1312 */
	{ "sub.example.org", SPF_NONE, "", "", DMARC_STATUS_FAIL, DMARC_QUARANTINE, true, true, false, false },
	{ "missing.example.org", SPF_NONE, "", "", DMARC_STATUS_FAIL, DMARC_NONE, false, true, false, false },
	{ "x.deep.example", SPF_NONE, "", "", DMARC_STATUS_FAIL, DMARC_REJECT, true, true, false, false },
	{ "shop.bank", SPF_NONE, "", "", DMARC_STATUS_FAIL, DMARC_QUARANTINE, true, true, false, false },
	/* A public suffix vouches for nobody, nor do neighbours. */
	{ "shop.bank", SPF_PASS, "bank", "pass:bank", DMARC_STATUS_FAIL, DMARC_QUARANTINE, true, true, false, false },
	{ "shop.bank", SPF_PASS, "a.shop.bank", "", DMARC_STATUS_PASS, DMARC_QUARANTINE, false, true, true, false },
	{ "one.co.uk", SPF_PASS, "two.co.uk", "pass:co.uk", DMARC_STATUS_FAIL, DMARC_REJECT, true, true, false, false },
	{ "co.uk", SPF_PASS, "co.uk", "", DMARC_STATUS_PASS, DMARC_REJECT, false, true, true, false },
	{ "com", SPF_PASS, "com", "", DMARC_STATUS_NONE, DMARC_ABSENT, false, false, false, false },
	/* Temporary errors, unless something else is aligned. */
	{ "example.org", SPF_TEMPERROR, "example.org", "", DMARC_STATUS_TEMPERROR, DMARC_REJECT, false, true, false,
	    false },
	{ "example.org", SPF_NONE, "", "temp:example.org", DMARC_STATUS_TEMPERROR, DMARC_REJECT, false, true, false,
	    false },
	{ "example.org", SPF_TEMPERROR, "example.org", "temp:example.org pass:example.org", DMARC_STATUS_PASS,
	    DMARC_REJECT, false, true, false, true },
	{ "temp2.example", SPF_PASS, "sub.temp2.example", "", DMARC_STATUS_TEMPERROR, DMARC_REJECT, false, true, false,
	    false },
	/* Testing: one step weaker: rfc/9989:990 */
	{ "test.example", SPF_NONE, "", "", DMARC_STATUS_FAIL, DMARC_QUARANTINE, false, true, false, false },
	{ "quar.example", SPF_NONE, "", "", DMARC_STATUS_FAIL, DMARC_NONE, false, true, false, false },
	/* pct=0 likewise: rfc/7489:1451 */
	{ "zero.example", SPF_NONE, "", "", DMARC_STATUS_FAIL, DMARC_QUARANTINE, false, false, false, false },
	{ "zero.example", SPF_PASS, "zero.example", "", DMARC_STATUS_PASS, DMARC_REJECT, false, true, true, false },
};

TEST(verifying)
{
	struct ctx ctx = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(verifies); i++) {
		struct dns_resolver *r = resolver();
		struct dkim_result dkim[4];
		struct dmarc_args args = { .from = str_of(verifies[i].from),
			.dkim = dkim,
			.spf = verifies[i].spf,
			.spf_domain = str_of(verifies[i].spf_domain),
			.apply_pct = true };
		struct dmarc_result res;

		test_row("%zu %s spf %s dkim %s", i, verifies[i].from, verifies[i].spf_domain, verifies[i].dkim);
		args.ndkim = make_dkim(verifies[i].dkim, dkim);
		dmarc_verify(r, test_arena(), &ctx, &args, &res);
		assert_string_equal(dmarc_status_text(res.status), dmarc_status_text(verifies[i].status));
		assert_string_equal(dmarc_policy_text(res.policy), dmarc_policy_text(verifies[i].policy));
		assert_int_equal(res.reject, verifies[i].reject);
		assert_int_equal(res.use, verifies[i].use);
		assert_int_equal(res.aligned_spf, verifies[i].aligned_spf);
		assert_int_equal(res.aligned_dkim, verifies[i].aligned_dkim);
		assert_int_equal(res.dkim_domain.n > 0, res.aligned_dkim);
		assert_int_equal(res.author_missing, strcmp(verifies[i].from, "missing.example.org") == 0);
		assert_int_equal(res.sampled_out, !res.use && res.found.found);
		dns_mock_free(&r);
	}
}

TEST(pct_is_not_always_applied)
{
	struct ctx ctx = { 0 };
	struct dns_resolver *r = resolver();
	struct dmarc_args args = { .from = S("zero.example") };
	struct dmarc_result res;
	struct buf out = BUF_ARENA(test_arena(), 1 << 20);

	metrics_reset_all();
	dmarc_verify(r, test_arena(), &ctx, &args, &res);
	assert_true(res.use && res.reject);
	assert_int_equal(res.policy, DMARC_REJECT);
	metrics_expose(&out);
	assert_true(
	    str_search(buf_str(&out),
		S("mox_dmarc_verify_duration_seconds_count{status=\"fail\",reject=\"yes\",use=\"yes\"} 1\n")) > 0);
	dns_mock_free(&r);
}

TEST(many_signatures_cost_little)
{
	struct ctx ctx = { 0 };
	struct dns_resolver *r = resolver();
	struct dkim_result dkim[DKIM_MAX_SIGNATURES];
	struct dmarc_args args = { .from = S("example.org"),
		.dkim = dkim,
		.ndkim = ARRAY_LEN(dkim),
		.spf = SPF_PASS,
		.spf_domain = S("a.b.c.d.e.f.attacker.example") };
	struct dmarc_result res;

	for (size_t i = 0; i < ARRAY_LEN(dkim); i++)
		dkim[i] = (struct dkim_result){ .status = DKIM_PASS,
			.has_signature = true,
			.sig.domain = str_fmt(test_arena(), "a.b.c.d%zu.e.f.attacker.example", i) };
	dmarc_verify(r, test_arena(), &ctx, &args, &res);
	assert_int_equal(res.status, DMARC_STATUS_FAIL);
	assert_int_equal(dns_mock_lookups(r), 2); // the author's domain and the one above
	dns_mock_free(&r);
}

TEST(reports_to_others)
{
	static const char *const fail[] = { "txt a.example._report._dmarc.temp.example", NULL };
	struct dns_mock_opts o = {
		.zone = "a.example._report._dmarc.one.example TXT v=DMARC1\n"
			"a.example._report._dmarc.two.example TXT v=DMARC1;\n"
			"a.example._report._dmarc.many.example TXT v=DMARC1; rua=mailto:x@many.example\n"
			"a.example._report._dmarc.many.example TXT v=DMARC1;p=none\n"
			"a.example._report._dmarc.many.example TXT v=DMARC1;p=none;p=none\n"
			"a.example._report._dmarc.bad.example TXT v=DMARC1;p=none;p=none\n"
			"a.example._report._dmarc.other.example TXT hello\n",
		.all_authentic = true,
		.fail = fail,
	};
	static const struct {
		const char *host;
		bool accepted;
		enum dmarc_status status;
		size_t records, txts;
	} rows[] = {
		{ "one.example", true, DMARC_STATUS_NONE, 1, 1 },
		{ "two.example", true, DMARC_STATUS_NONE, 1, 1 },
		{ "many.example", true, DMARC_STATUS_NONE, 2, 3 }, // those that do not parse are left out: rfc/9990:970
		{ "bad.example", false, DMARC_STATUS_PERMERROR, 0, 1 },
		{ "other.example", false, DMARC_STATUS_NONE, 0, 0 },
		{ "none.example", false, DMARC_STATUS_NONE, 0, 0 },
		{ "temp.example", false, DMARC_STATUS_TEMPERROR, 0, 0 },
	};
	struct dns_resolver *r = dns_mock_new(&o);
	struct ctx ctx = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dmarc_external x;

		test_row("%s", rows[i].host);
		dmarc_check_external(r, test_arena(), &ctx, S("a.example"), str_of(rows[i].host), &x);
		assert_int_equal(x.accepted, rows[i].accepted);
		assert_int_equal(x.status, rows[i].status);
		assert_int_equal(x.n, rows[i].records);
		assert_int_equal(x.txts.n, rows[i].txts);
		assert_int_equal(x.authentic, rows[i].status != DMARC_STATUS_TEMPERROR);
	}
	dns_mock_free(&r);
}
