/* SPDX-License-Identifier: MIT */
/* spf_test.c - records that parse or not, writing them again, explanations, identities, Received-SPF. */
#include "spf/spf.h"

#include "base/buf.h"
#include "dns_mock/dns_mock.h"
#include "testutil/testutil.h"

static const char *const good[] = {
	"v=spf1",
	"v=spf1 ",
	"V=SPF1 -ALL",
	"v=spf1 +mx a:colo.example.com/28 -all",
	"v=spf1 a/24//64 mx//48 ptr:example.org ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all",
	"v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} -all",
	"v=spf1 redirect=_spf.example.com",
	"v=spf1 mx -all exp=explain._spf.%{d}",
	"v=spf1 allow=x mxpolicy=y a=b moo.cow-far_out=man:dog/cat -all", // unknown modifiers: rfc/7208:869
	"v=spf1 a:foo:bar/baz.example.com",
	"v=spf1 ip6:::ffff:1.2.3.4",
	"v=spf1 ip4:1.2.3.4/0",
	"v=spf1 include:%{d}",
	"v=spf1 a:example.com.",
	"v=spf1 a:a-b.xn--zckzah ?all",
	"v=spf1 exists:%%.%_.%-.example.org",
};
static const char *const bad[] = {
	"",
	"v=spf10",
	"v=spf2 -all",
	" v=spf1",
	"v=spf1 all:x",
	"v=spf1 foo",
	"v=spf1 -",
	"v=spf1 include",
	"v=spf1 include:",
	"v=spf1 exists",
	"v=spf1 a:",
	"v=spf1 redirect=a.org redirect=b.org",
	"v=spf1 exp=a.org exp=b.org", // rfc/7208:1419
	"v=spf1 a/33",
	"v=spf1 a//129",
	"v=spf1 a/01",
	"v=spf1 mx/",
	"v=spf1 ip4:1.2.3",
	"v=spf1 ip4:1.2.3.256",
	"v=spf1 ip4:01.2.3.4",
	"v=spf1 ip4:1.2.3.4/33",
	"v=spf1 ip4",
	"v=spf1 ip6:1.2.3.4",
	"v=spf1 ip6:::1/129",
	"v=spf1 ip6:x",
	"v=spf1 a:museum",
	"v=spf1 a:abc.123",
	"v=spf1 a:abc.-x",
	"v=spf1 a:abc.x-",
	"v=spf1 a:example.com:8080",
	"v=spf1 exists:%{s0}.example.org",
	"v=spf1 exists:%{q}.example.org",
	"v=spf1 exists:%{s.example.org",
	"v=spf1 exists:%(s).example.org",
	"v=spf1 exists:%{c}.example.org",
	"v=spf1 +redirect=x.org",
	"v=spf1 -a=b",
	"v=spf1 a\x01",
	"v=spf1 x=%{",
	"v=spf1 redirect=",
};

TEST(records_that_parse)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct spf_record r, again;
		struct str once;

		test_row("%s", good[i]);
		assert_ok(spf_parse(test_arena(), test_exact(str_of(good[i])), &r, NULL));
		once = spf_pack(test_arena(), &r);
		assert_ok(spf_parse(test_arena(), once, &again, NULL));
		assert_str(spf_pack(test_arena(), &again), once);
	}
}

TEST(records_that_do_not)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct spf_record r;

		test_row("%s", bad[i]);
		assert_err(spf_parse(test_arena(), test_exact(str_of(bad[i])), &r, NULL), ERR_INVALID);
	}
}

static struct spf_result
check(const char *zone, const char *local, const char *domain, const char *helo, bool authentic)
{
	struct dns_mock_opts o = { .zone = zone, .all_authentic = authentic };
	struct dns_resolver *r = dns_mock_new(&o);
	struct spf_args args = { .mailfrom_localpart = str_of(local),
		.mailfrom_domain = str_of(domain),
		.helo_domain = str_of(helo),
		.local_hostname = S("mx.example") };
	struct spf_result res;
	struct ctx ctx = { 0 };

	assert_ok(ip_parse(S("192.0.2.3"), &args.remote_ip));
	spf_evaluate(r, test_arena(), &ctx, &args, &res);
	dns_mock_free(&r);
	return res;
}

TEST(identities)
{
	static const char zone[] = "example.org TXT v=spf1 -all\nhelo.example.org TXT v=spf1 +all\n";
	struct spf_result res = check(zone, "x", "example.org", "helo.example.org", true);

	assert_int_equal(res.status, SPF_FAIL);
	assert_false(res.helo_identity);
	assert_true(res.authentic);
	assert_strz(res.mechanism, "-all");
	res = check(zone, "", "", "helo.example.org", false);
	assert_int_equal(res.status, SPF_PASS);
	assert_true(res.helo_identity);
	assert_false(res.authentic);
	assert_int_equal(check(zone, "", "", "", true).status, SPF_NONE);
	assert_int_equal(check(zone, "x", "org", "", true).status, SPF_NONE);           // rfc/7208:800
	assert_int_equal(check(zone, "x", "none.example.org", "", true).status, SPF_NONE);
}

TEST(limits)
{
	/* redirect counts too, so a loop of them ends: rfc/7208:943 */
	assert_int_equal(check("a.org TXT v=spf1 redirect=a.org", "x", "a.org", "", true).status, SPF_PERMERROR);
	assert_int_equal(check("a.org TXT v=spf1 include:a.org", "x", "a.org", "", true).status, SPF_PERMERROR);
	/* Two void look-ups are fine, the third is too many: rfc/7208:988 */
	assert_int_equal(check("a.org TXT v=spf1 a:x.org a:y.org -all", "x", "a.org", "", true).status, SPF_FAIL);
	assert_int_equal(check("a.org TXT v=spf1 a:x.org a:y.org a:z.org -all", "x", "a.org", "", true).status, SPF_PERMERROR);
}

TEST(explanations)
{
	static const char zone[] =
	    "a.org TXT v=spf1 -all exp=e.a.org\ne.a.org TXT \"no mail \" \"from %{c} at %{r}\"\n"
	    "b.org TXT v=spf1 -all exp=e.b.org\ne.b.org TXT \"bad \\010 text\"\n"
	    "c.org TXT v=spf1 redirect=a.org\n"
	    "d.org TXT v=spf1 include:a.org -all\n";
	struct spf_result res = check(zone, "x", "a.org", "", true);

	assert_strz(res.explanation, "remote claims: no mail from 192.0.2.3 at mx.example");
	assert_strz(check(zone, "x", "b.org", "", true).explanation, "");
	assert_strz(check(zone, "x", "c.org", "", true).explanation, "remote claims: no mail from 192.0.2.3 at mx.example");
	assert_strz(check(zone, "x", "d.org", "", true).explanation, "");       // not of an included record: rfc/7208:1489
}

TEST(received_spf)
{
	struct spf_args args = { .mailfrom_localpart = S("x"),
		.mailfrom_domain = S("example.org"),
		.helo_domain = S("h.example"),
		.local_hostname = S("mx.example") };
	struct spf_result res = { .status = SPF_FAIL, .domain = S("example.org"), .mechanism = S("-all") };
	struct spf_received r;

	assert_ok(ip_parse(S("192.0.2.3"), &args.remote_ip));
	spf_received_of(test_arena(), &args, &res, &r);
	assert_strz(spf_received_header(test_arena(), &r),
	    "Received-SPF: fail (domain example.org)\r\n\tclient-ip=192.0.2.3;\r\n\tenvelope-from=\"x@example.org\";\r\n"
	    "\thelo=h.example;\r\n\tmechanism=-all;\r\n\treceiver=mx.example;\r\n\tidentity=mailfrom\r\n");

	/* What comes from outside can neither end the line nor leave its quotes. */
	r = (struct spf_received){
		.result = SPF_TEMPERROR, .comment = S("a)\r\nX: y"), .problem = S("p\"\\\r\nBcc: z"), .helo = S("")
	};
	assert_strz(spf_received_header(test_arena(), &r),
	    "Received-SPF: temperror (a\\)X: y)\r\n\tclient-ip=\"\";\r\n\tenvelope-from=\"\";\r\n\thelo=\"\";\r\n"
	    "\tproblem=\"p\\\"\\\\Bcc: z\";\r\n\treceiver=\"\"\r\n");
}
