/* SPDX-License-Identifier: MIT */
/* dns_mock_test.c - the mock itself, and the shared look-ups over it. */
#include "dns_mock/dns_mock.h"

#include "base/timeutil.h"
#include "testutil/testutil.h"

static const char zone[] =
    "example.org MX 20 b.example.org\n"
    "example.org MX 10 a.example.org.\n"
    "example.org TXT \"v=spf1 \" \"-all\"\n"
    "a.example.org A 192.0.2.1\n"
    "a.example.org AAAA 2001:db8::1\n"
    "b.example.org A 192.0.2.2\n"
    "c.example.org CNAME d.example.org\n"
    "d.example.org CNAME a.example.org\n"
    "1.2.0.192.in-addr.arpa PTR a.example.org\n"
    "_25._tcp.a.example.org TLSA 3 1 1 00ff\n"
    "; a comment\n";

TEST(records)
{
	const char *const fail[] = { "a bad.example.org", NULL };
	struct dns_mock_opts o = { .zone = zone,
		.all_authentic = true,
		.inauthentic = (const char *const[]){ "cname d.example.org", "a d.example.org", NULL },
		.fail = fail };
	struct dns_resolver *r = dns_mock_new(&o);
	struct arena *a = test_arena();
	struct ctx ctx = { 0 };
	struct dns_result res;
	struct ip ip;

	assert_ok(dns_lookup(r, a, &ctx, DNS_MX, S("Example.ORG."), 0, &res, NULL));
	assert_int_equal(res.n, 2);
	assert_strz(res.v[0].name, "a.example.org");
	assert_true(res.authentic);
	assert_ok(dns_lookup(r, a, &ctx, DNS_TXT, S("example.org"), 0, &res, NULL));
	assert_strz(res.v[0].text, "v=spf1 -all");
	assert_ok(dns_lookup(r, a, &ctx, DNS_TLSA, S("_25._tcp.a.example.org"), 0, &res, NULL));
	assert_str(res.v[0].data, S("\x00\xff"));
	assert_err(dns_lookup(r, a, &ctx, DNS_A, S("none.example.org"), 0, &res, NULL), DNS_NOTFOUND);
	assert_err(dns_lookup(r, a, &ctx, DNS_A, S("bad.example.org"), 0, &res, NULL), DNS_TEMPORARY);

	assert_ok(dns_lookup_ip(r, a, &ctx, S("c.example.org"), 0, &res, NULL));
	assert_int_equal(res.n, 2);
	assert_int_equal(res.nsteps, 2);
	assert_strz(res.canonical, "a.example.org");
	assert_false(res.authentic);
	assert_ok(dns_lookup(r, a, &ctx, DNS_A, S("c.example.org"), DNS_NO_CNAME, &res, NULL));
	assert_int_equal(res.n, 0);
	assert_int_equal(res.nsteps, 1);

	assert_ok(ip_parse(S("192.0.2.1"), &ip));
	assert_ok(dns_lookup_ptr(r, a, &ctx, &ip, &res, NULL));
	assert_strz(res.v[0].name, "a.example.org");
	dns_mock_free(&r);
}

TEST(hang_ends_with_deadline)
{
	const char *const hang[] = { "* slow.example.org", NULL };
	struct dns_mock_opts o = { .zone = "", .hang = hang };
	struct dns_resolver *r = dns_mock_new(&o);
	struct ctx ctx = { .deadline_us = time_mono_us() + 20 * TIME_MS };
	struct dns_result res;

	assert_err(dns_lookup(r, test_arena(), &ctx, DNS_A, S("slow.example.org"), 0, &res, NULL), ERR_TIMEOUT);
	dns_mock_free(&r);
}

TEST(reverse_names)
{
	struct ip ip;

	assert_ok(ip_parse(S("192.0.2.1"), &ip));
	assert_strz(dns_reverse(test_arena(), &ip, S("bl.example")), "1.2.0.192.bl.example");
	assert_ok(ip_parse(S("2001:db8::567:89ab"), &ip));
	assert_strz(dns_reverse(test_arena(), &ip, S("ip6.arpa")),
	    "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}
