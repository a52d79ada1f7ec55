/* SPDX-License-Identifier: MIT */
/* stub_test.c - the resolver against a server on loopback: records, chains, authenticity, cache, settings, metrics. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/fd.h"
#include "dns/dns.h"
#include "dns/fakeserver_test.h"
#include "metrics/metrics.h"
#include "testutil/testutil.h"

static const char zone[] =
    "a.test. 300 IN A 192.0.2.1\n"
    "a.test. 300 IN A 192.0.2.2\n"
    "a.test. 200 IN AAAA 2001:db8::1\n"
    "v4.test. 300 IN A 192.0.2.1\n"
    "mapped.test. 300 IN AAAA ::ffff:192.0.2.1\n"
    "txt.test. 300 IN TXT \"v=spf1 \" \"-all\"\n"
    "txt.test. 300 IN TXT \"\"\n"
    "mx.test. 300 IN MX 20 c.test.\n"
    "mx.test. 300 IN MX 10 A.TEST.\n"
    "mx.test. 300 IN MX 10 b.test.\n"
    "null.test. 300 IN MX 0 .\n"
    "badmx.test. 300 IN MX 0 not\\032host.test.\n"
    "badmx.test. 300 IN MX 5 under_score.test.\n"
    "allbad.test. 300 IN MX 0 not\\032host.test.\n"
    "_imaps._tcp.test. 300 IN SRV 2 0 993 c.test.\n"
    "_imaps._tcp.test. 300 IN SRV 1 10 993 a.test.\n"
    "1.2.0.192.in-addr.arpa. 300 IN CNAME 1.0/25.2.0.192.in-addr.arpa.\n"
    "1.0/25.2.0.192.in-addr.arpa. 300 IN PTR a.test.\n"
    "test. 300 IN NS ns.test.\n"
    "_25._tcp.a.test. 300 IN TLSA 3 1 1 00ff\n"
    "alias.test. 100 IN CNAME b.test.\n"
    "b.test. 300 IN CNAME a.test.\n"
    "circle.test. 300 IN CNAME circle2.test.\n"
    "circle2.test. 300 IN CNAME circle.test.\n"
    "dangling.test. 300 IN CNAME none.test.\n"
    "a.sec.test. 300 IN A 192.0.2.3\n"
    "in.sec.test. 300 IN CNAME a.sec.test.\n"
    "out.sec.test. 300 IN CNAME in2.sec.test.\n"
    "in2.sec.test. 300 IN CNAME a.test.\n"
    "back.sec.test. 300 IN CNAME alias2.test.\n"
    "alias2.test. 300 IN CNAME a.sec.test.\n"
    "one.sec.test. 300 IN CNAME two.test.\n"
    "two.test. 300 IN CNAME three.test.\n"
    "three.test. 300 IN A 192.0.2.4\n"
    "!one.sec.test onestep\n!two.test onestep\n"
    "zero.test. 0 IN A 192.0.2.1\n"
    "huge.test. 2147483648 IN A 192.0.2.1\n"
    "long.test. 2000000 IN A 192.0.2.1\n"
    "!nosoa.test nosoa\n";

static struct fake *fake;
static struct dns_resolver *resolver;

static void
begin_with(const char *z, struct dns_stub_opts o)
{
	struct ipport server;

	fake = fake_start(z);
	server = fake_addr(fake);
	if (!o.servers) {
		o.servers = &server;
		o.nservers = 1;
	}
	o.hosts = o.hosts ? o.hosts : "";
	assert_ok(dns_stub_new(&o, &resolver, NULL));
}

static void
begin(void)
{
	begin_with(zone, (struct dns_stub_opts){ .clock = test_clock() });
}

static void
end(void)
{
	dns_stub_free(&resolver);
	fake_stop(&fake);
}

static int
ask(enum dns_type type, const char *name, unsigned flags, struct dns_result *r)
{
	struct ctx ctx = { 0 };
	struct errmsg e = { 0 };
	int rv = dns_lookup(resolver, test_arena(), &ctx, type, str_of(name), flags, r, &e);

	test_row("%d %s: %s", (int)type, name, e.text);
	assert_int_equal(rv < 0, e.text[0] != '\0');
	return rv;
}

TEST(records)
{
	struct dns_result r;
	struct ip ip;
	struct ctx ctx = { 0 };

	begin();
	assert_ok(ask(DNS_A, "A.test.", 0, &r));
	assert_int_equal(r.n, 2);
	assert_strz(ip_str(test_arena(), &r.v[0].ip), "192.0.2.1");
	assert_strz(r.canonical, "a.test");
	assert_int_equal(r.ttl, 300);
	assert_int_equal(r.extended_error, -1);
	assert_ok(ask(DNS_AAAA, "a.test", 0, &r));
	assert_strz(ip_str(test_arena(), &r.v[0].ip), "2001:db8::1");
	assert_int_equal(r.ttl, 200);
	assert_ok(ask(DNS_AAAA, "mapped.test", 0, &r));
	assert_int_equal(r.v[0].ip.family, 6);
	assert_ok(ask(DNS_TXT, "txt.test", 0, &r));
	assert_int_equal(r.n, 2);
	assert_strz(r.v[0].text, "v=spf1 -all");
	assert_strz(r.v[1].text, "");
	assert_ok(ask(DNS_MX, "mx.test", 0, &r));
	assert_int_equal(r.n, 3);
	assert_int_equal(r.v[1].preference, 10);
	assert_strz(r.v[2].name, "c.test");
	assert_ok(ask(DNS_MX, "null.test", 0, &r));             /* rfc/7505:125 */
	assert_int_equal(r.n, 1);
	assert_strz(r.v[0].name, "");
	assert_ok(ask(DNS_MX, "badmx.test", 0, &r));            /* what can be used is */
	assert_int_equal(r.n, 1);
	assert_strz(r.v[0].name, "under_score.test");
	assert_err(ask(DNS_MX, "allbad.test", 0, &r), DNS_TEMPORARY);
	assert_ok(ask(DNS_SRV, "_imaps._tcp.test", 0, &r));
	assert_int_equal(r.n, 2);
	assert_strz(r.v[0].name, "a.test");
	assert_int_equal(r.v[0].priority, 1);
	assert_int_equal(r.v[0].weight, 10);
	assert_int_equal(r.v[0].port, 993);
	assert_ok(ip_parse(S("192.0.2.1"), &ip));
	assert_ok(dns_lookup_ptr(resolver, test_arena(), &ctx, &ip, &r, NULL));         /* over an alias as of RFC 2317 */
	assert_strz(r.v[0].name, "a.test");
	assert_strz(r.canonical, "1.0/25.2.0.192.in-addr.arpa");
	assert_ok(ask(DNS_NS, "test", 0, &r));
	assert_strz(r.v[0].name, "ns.test");
	assert_ok(ask(DNS_TLSA, "_25._tcp.a.test", 0, &r));
	assert_int_equal(r.v[0].usage * 100 + r.v[0].selector * 10 + r.v[0].matching, 311);
	assert_str(r.v[0].data, S("\x00\xff"));
	assert_ok(ask(DNS_CNAME, "alias.test", 0, &r));
	assert_int_equal(r.n, 1);
	assert_int_equal(r.nsteps, 0);
	assert_strz(r.v[0].name, "b.test");
	assert_err(ask(DNS_CNAME, "a.test", 0, &r), DNS_NOTFOUND);
	assert_false(r.nxdomain);
	assert_err(ask(DNS_A, "none.test", 0, &r), DNS_NOTFOUND);
	assert_true(r.nxdomain);
	assert_err(ask(DNS_MX, "a.test", 0, &r), DNS_NOTFOUND);
	assert_false(r.nxdomain);
	assert_true(fake_mixed_case(fake));
	assert_true(fake_ports(fake) > 10);
	assert_int_equal(fake_tcp(fake), 0);
	end();
}

#define L50 "01234567890123456789012345678901234567890123456789"

TEST(bad_names)
{
	static const char *const names[] = {
		"", "..", "a..b", ".a", "a.b..", "m\303\274nchen.example",
		"0123456789012345678901234567890123456789012345678901234567890123.example",      /* 64 octets: rfc/1035:523 */
		/* 254: rfc/1035:525 */
		L50 "." L50 "." L50 "." L50 "." L50,
	};
	struct dns_result r;

	begin();
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_err(ask(DNS_A, names[i], 0, &r), DNS_BADNAME);
	assert_err(ask(DNS_NS, ".", 0, &r), DNS_NOTFOUND);
	assert_err(ask(DNS_A, "odd bytes\\ \001.test", 0, &r), DNS_NOTFOUND);
	assert_int_equal(fake_udp(fake), 2);
	end();
}

TEST(addresses_of_both_families)
{
	static const char z[] =
	    "both.test. 300 IN A 192.0.2.1\nboth.test. 200 IN AAAA 2001:db8::1\n!both.test pair\n"
	    "v4.test. 300 IN A 192.0.2.1\n"
	    "v6.test. 300 IN AAAA 2001:db8::1\n"
	    "sec.test. 300 IN A 192.0.2.1\n"
	    "!bad.test servfail\n";
	struct ctx ctx = { 0 };
	struct dns_result r;
	struct arena *a = test_arena();

	/* "pair" answers A only behind AAAA: both must be under way at once. */
	begin_with(z, (struct dns_stub_opts){ 0 });
	assert_ok(dns_lookup_ip(resolver, a, &ctx, S("both.test"), 0, &r, NULL));
	assert_int_equal(r.n, 2);
	assert_int_equal(r.v[0].ip.family, 4);
	assert_int_equal(r.v[1].ip.family, 6);
	assert_int_equal(r.ttl, 200);
	assert_int_equal(fake_udp(fake), 2);
	/* From the cache. */
	assert_ok(dns_lookup_ip(resolver, a, &ctx, S("both.test"), 0, &r, NULL));
	assert_int_equal(fake_udp(fake), 2);
	assert_ok(dns_lookup_ip(resolver, a, &ctx, S("v4.test"), 0, &r, NULL));
	assert_int_equal(r.n, 1);
	assert_ok(dns_lookup_ip(resolver, a, &ctx, S("v6.test"), 0, &r, NULL));
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].ip.family, 6);
	assert_err(dns_lookup_ip(resolver, a, &ctx, S("v6.test"), 4, &r, NULL), DNS_NOTFOUND);
	assert_ok(dns_lookup_ip(resolver, a, &ctx, S("sec.test"), 0, &r, NULL));
	assert_true(r.authentic);       /* the addresses, and that there are none of the other family */
	assert_err(dns_lookup_ip(resolver, a, &ctx, S("none.test"), 0, &r, NULL), DNS_NOTFOUND);
	assert_err(dns_lookup_ip(resolver, a, &ctx, S("bad.test"), 0, &r, NULL), DNS_TEMPORARY);
	assert_err(dns_lookup_ip(resolver, a, &ctx, S("a..b"), 0, &r, NULL), DNS_BADNAME);
	end();
}

TEST(chains)
{
	static const struct { const char *name; int rv; const char *canonical, *steps; bool authentic; } rows[] = {
		/* steps: for each whether it is authentic */
		{ "a.test", 0, "a.test", "", false },
		{ "alias.test", 0, "a.test", "..", false },
		{ "dangling.test", DNS_NOTFOUND, "none.test", ".", false },
		{ "a.sec.test", 0, "a.sec.test", "", true },
		{ "none.sec.test", DNS_NOTFOUND, "none.sec.test", "", true },
		{ "in.sec.test", 0, "a.sec.test", "+", true },
		/* The first may be secure where the whole is not: rfc/7672:684; behind an insecure one none is: rfc/7672:660 */
		{ "out.sec.test", 0, "a.test", "++", false },
		{ "back.sec.test", 0, "a.sec.test", "+.", false },
		{ "one.sec.test", 0, "three.test", "+.", false },       /* the server follows no CNAME */
		{ "circle.test", DNS_TEMPORARY, NULL, NULL, false },
	};
	struct dns_result r;

	begin();
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct buf steps = BUF_ARENA(test_arena(), 100);

			assert_err(ask(DNS_A, rows[i].name, 0, &r), rows[i].rv);
			assert_int_equal(r.authentic, rows[i].authentic);
			if (!rows[i].canonical)
				continue;
			for (size_t k = 0; k < r.nsteps; k++) {
				buf_addc(&steps, r.steps[k].authentic ? '+' : '.');
				assert_str(r.steps[k].from, k == 0 ? str_of(rows[i].name) : r.steps[k - 1].to);
			}
			assert_strz(buf_str(&steps), rows[i].steps);
			assert_strz(r.canonical, rows[i].canonical);
		}
	}
	assert_ok(ask(DNS_A, "alias.test", DNS_BYPASS_CACHE, &r));
	assert_int_equal(r.ttl, 100);   /* the least of the chain */
	end();
}

TEST(aliases_not_followed)
{
	struct dns_result r;

	begin_with("a.test. 300 IN A 192.0.2.1\nc.sec.test. 60 IN CNAME a.test.\n!bad.test servfail\n"
	    "y.test. 300 IN CNAME bad.test.\n!y.test onestep\n",
	    (struct dns_stub_opts){ 0 });
	assert_ok(ask(DNS_A, "c.sec.test", DNS_NO_CNAME, &r));
	assert_int_equal(r.n, 0);
	assert_int_equal(r.nsteps, 1);
	assert_strz(r.steps[0].to, "a.test");
	assert_strz(r.canonical, "a.test");
	assert_true(r.authentic);
	assert_ok(ask(DNS_A, "a.test", DNS_NO_CNAME, &r));
	assert_int_equal(r.n, 1);
	/* Only the target is in trouble. */
	assert_err(ask(DNS_A, "y.test", 0, &r), DNS_TEMPORARY);
	assert_ok(ask(DNS_A, "y.test", DNS_NO_CNAME, &r));
	assert_strz(r.steps[0].to, "bad.test");
	assert_err(ask(DNS_A, "bad.test", DNS_NO_CNAME, &r), DNS_TEMPORARY);
	end();
}

/* The AD bit counts only from servers that nobody stands before: rfc/4035:1333 */
TEST(trust)
{
	struct dns_result r;
	struct ipport servers[2];

	for (int i = 0; i < 3; i++) {
		struct dns_stub_opts o = { .servers = servers, .hosts = "", .nservers = 2, .trust_ad = i == 2 };

		fake = fake_start(zone);
		servers[0] = fake_addr(fake);
		servers[1] = servers[0];
		if (i > 0)
			servers[1].ip = (struct ip){ .family = 4, .a = { 192, 0, 2, 1 } };
		assert_ok(dns_stub_new(&o, &resolver, NULL));
		assert_ok(ask(DNS_A, "a.sec.test", 0, &r));
		test_row("%d", i);
		assert_int_equal(r.authentic, i != 1);
		assert_ok(ask(DNS_A, "out.sec.test", 0, &r));
		assert_int_equal(r.steps[0].authentic, i != 1);
		end();
	}
}

TEST(cache)
{
	struct dns_result r;
	unsigned asked;

	begin();
	assert_ok(ask(DNS_A, "a.test", 0, &r));
	test_clock_add(299 * TIME_SEC);
	assert_ok(ask(DNS_A, "A.test", 0, &r));
	assert_int_equal(r.ttl, 1);
	assert_int_equal(r.n, 2);
	assert_int_equal(fake_udp(fake), 1);
	assert_ok(ask(DNS_A, "a.test", DNS_BYPASS_CACHE, &r));
	assert_int_equal(fake_udp(fake), 2);
	test_clock_add(301 * TIME_SEC);
	assert_ok(ask(DNS_A, "a.test", 0, &r));
	assert_int_equal(r.ttl, 300);
	assert_int_equal(fake_udp(fake), 3);

	/* Denials, by the lesser of the SOA's TTL and minimum: rfc/2308:410; none without SOA: rfc/2308:494 */
	assert_err(ask(DNS_A, "none.test", 0, &r), DNS_NOTFOUND);
	assert_int_equal(r.ttl, 60);
	assert_err(ask(DNS_A, "none.test", 0, &r), DNS_NOTFOUND);
	assert_int_equal(fake_udp(fake), 4);
	assert_err(ask(DNS_AAAA, "v4.test", 0, &r), DNS_NOTFOUND);
	assert_err(ask(DNS_AAAA, "v4.test", 0, &r), DNS_NOTFOUND);
	assert_int_equal(fake_udp(fake), 5);
	test_clock_add(60 * TIME_SEC);
	assert_err(ask(DNS_A, "none.test", 0, &r), DNS_NOTFOUND);
	assert_int_equal(fake_udp(fake), 6);
	for (int i = 0; i < 2; i++)
		assert_err(ask(DNS_A, "nosoa.test", 0, &r), DNS_NOTFOUND);
	assert_int_equal(fake_udp(fake), 8);

	/* Not kept at all; a negative TTL is 0 (rfc/2181:570); kept for a day at most. */
	asked = fake_udp(fake);
	for (int i = 0; i < 2; i++) {
		assert_ok(ask(DNS_A, "zero.test", 0, &r));
		assert_ok(ask(DNS_A, "huge.test", 0, &r));
		assert_int_equal(r.ttl, 0);
		assert_ok(ask(DNS_A, "long.test", 0, &r));
		assert_int_equal(r.ttl, 24 * 3600);
	}
	assert_int_equal(fake_udp(fake), asked + 5);
	end();
}

TEST(failures_are_kept_shortly)
{
	struct dns_result r;

	begin_with("!a.test servfail\n", (struct dns_stub_opts){ .clock = test_clock() });
	assert_err(ask(DNS_A, "a.test", 0, &r), DNS_TEMPORARY);
	assert_int_equal(fake_udp(fake), 2);    /* as often as settings say */
	fake_zone(fake, "a.test. 300 IN A 192.0.2.1\n");
	test_clock_add(4 * TIME_SEC);
	assert_err(ask(DNS_A, "a.test", 0, &r), DNS_TEMPORARY);
	assert_int_equal(fake_udp(fake), 2);
	test_clock_add(TIME_SEC);
	assert_ok(ask(DNS_A, "a.test", 0, &r));
	end();
}

TEST(cache_is_bounded)
{
	struct dns_result r;
	struct buf z = BUF_ARENA(test_arena(), 65536);

	for (int i = 0; i < 8; i++)
		buf_addf(&z, "h%d.test. 300 IN A 192.0.2.%d\n", i, i);
	buf_addc(&z, '\0');
	begin_with(z.p, (struct dns_stub_opts){ .cache_entries = 4 });
	for (int i = 0; i < 8; i++)
		assert_ok(ask(DNS_A, str_fmt(test_arena(), "h%d.test", i).p, 0, &r));
	assert_ok(ask(DNS_A, "h4.test", 0, &r));        /* used last now */
	assert_int_equal(fake_udp(fake), 8);
	assert_ok(ask(DNS_A, "h3.test", 0, &r));        /* went, and puts out h5 */
	assert_ok(ask(DNS_A, "h4.test", 0, &r));
	assert_int_equal(fake_udp(fake), 9);
	assert_ok(ask(DNS_A, "h5.test", 0, &r));
	assert_int_equal(fake_udp(fake), 10);
	end();
	begin_with(zone, (struct dns_stub_opts){ .no_cache = true });
	for (int i = 0; i < 2; i++)
		assert_ok(ask(DNS_A, "a.test", 0, &r));
	assert_int_equal(fake_udp(fake), 2);
	end();
}

TEST(files)
{
	const char *conf = str_fmt(test_arena(), "%s/resolv.conf", test_dir()).p;
	const char *hosts = str_fmt(test_arena(), "%s/hosts", test_dir()).p;
	struct dns_stub_opts o = { .resolv_conf = conf, .hosts = hosts };
	struct dns_result r;
	struct str text;
	struct fake *other = fake_start("a.sec.test. 300 IN A 192.0.2.9\n");
	struct errmsg e = { 0 };
	struct ctx ctx = { 0 };

	assert_ok(fd_write_file(hosts, S("192.0.2.77 printer.test printer # mine\n2001:db8::7 printer.test\n"), 0644, NULL));
	fake = fake_start(zone);
	assert_ok(dns_stub_new(&o, &resolver, NULL));
	/*
	 * Without the file the servers are 127.0.0.1 and ::1, where nothing listens in tests; a name of the hosts file needs
	 * none.
	 */
	assert_ok(ask(DNS_A, "printer", 0, &r));
	assert_strz(ip_str(test_arena(), &r.v[0].ip), "192.0.2.77");
	assert_false(r.authentic);
	assert_err(ask(DNS_AAAA, "printer", 0, &r), DNS_NOTFOUND);
	assert_ok(ask(DNS_AAAA, "printer.test.", 0, &r));
	assert_int_equal(r.n, 1);
	assert_ok(dns_lookup_ip(resolver, test_arena(), &ctx, S("printer.test"), 0, &r, NULL));
	assert_int_equal(r.n, 2);

	assert_ok(fd_write_file(conf, str_fmt(test_arena(), "nameserver [127.0.0.1]:%d\n", fake_addr(fake).port), 0644, NULL));
	assert_ok(ask(DNS_A, "a.sec.test", 0, &r));
	assert_int_equal(r.v[0].ip.a[3], 3);
	assert_true(r.authentic);
	/* Another server that is not the only one, and so not believed: also what was kept is gone. */
	text = str_fmt(test_arena(), "nameserver [127.0.0.1]:%d\nnameserver 192.0.2.1\n", fake_addr(other).port);
	assert_ok(fd_write_file(conf, text, 0644, NULL));
	assert_ok(ask(DNS_A, "a.sec.test", 0, &r));
	assert_int_equal(r.v[0].ip.a[3], 9);
	assert_false(r.authentic);
	assert_ok(fd_write_file(hosts, S(""), 0644, NULL));
	assert_err(ask(DNS_A, "printer", 0, &r), DNS_NOTFOUND);
	/* Nobody listens there: the text says what to do. */
	assert_ok(fd_write_file(conf, S("nameserver 127.255.255.254\noptions attempts:1\n"), 0644, NULL));
	assert_err(dns_lookup(resolver, test_arena(), &ctx, DNS_A, S("b.test"), 0, &r, &e), DNS_TEMPORARY);
	assert_non_null(strstr(e.text, "127.255.255.254:53: "));
	assert_non_null(strstr(e.text, "unbound"));
	fake_stop(&other);
	end();
}

TEST(users_have_names_in_metrics)
{
	static const char name[] = "mox_dns_lookup_duration_seconds";
	struct dns_resolver *spf, *dkim;
	struct dns_result r;
	struct ctx ctx = { 0 };
	struct buf out = BUF_ARENA(test_arena(), 1 << 20);

	begin_with("!t.test servfail\na.test. 300 IN TXT \"x\"\n", (struct dns_stub_opts){ 0 });
	spf = dns_stub_for(resolver, "spf");
	dkim = dns_stub_for(resolver, "dkim");
	assert_ptr_equal(dns_stub_for(spf, "spf"), spf);
	assert_ok(dns_lookup(spf, test_arena(), &ctx, DNS_TXT, S("a.test"), 0, &r, NULL));
	assert_ok(dns_lookup(dkim, test_arena(), &ctx, DNS_TXT, S("a.test"), 0, &r, NULL));
	assert_err(dns_lookup(dkim, test_arena(), &ctx, DNS_MX, S("a.test"), 0, &r, NULL), DNS_NOTFOUND);
	assert_err(dns_lookup(dkim, test_arena(), &ctx, DNS_TXT, S("t.test"), 0, &r, NULL), DNS_TEMPORARY);
	assert_err(dns_lookup(dkim, test_arena(), &ctx, DNS_PTR, S("a..b"), 0, &r, NULL), DNS_BADNAME);
	assert_int_equal(fake_udp(fake), 4);    /* they share the cache */
	metrics_expose(&out);
	buf_addc(&out, '\0');
	for (size_t i = 0; i < 5; i++) {
		static const char *const labels[] = { "pkg=\"spf\",type=\"txt\",result=\"ok\"",
			"pkg=\"dkim\",type=\"txt\",result=\"ok\"",
			"pkg=\"dkim\",type=\"mx\",result=\"nxdomain\"", "pkg=\"dkim\",type=\"txt\",result=\"temporary\"",
			"pkg=\"dkim\",type=\"addr\",result=\"error\"" };

		test_row("%s", labels[i]);
		assert_non_null(strstr(out.p, str_fmt(test_arena(), "%s_count{%s} 1", name, labels[i]).p));
	}
	end();
}

struct worker {
	pthread_t thread;
	struct arena arena;
	unsigned failed;
};

static void *
work(void *arg)
{
	static const char *const names[] = { "a.test", "mx.test", "none.test", "alias.test", "in.sec.test", "txt.test" };
	struct worker *w = arg;
	struct ctx ctx = { 0 };
	struct dns_result r;

	for (unsigned i = 0; i < 120; i++) {
		int rv = dns_lookup(dns_stub_for(resolver, i % 3 ? "spf" : "dkim"), &w->arena, &ctx, i % 4 == 0 ? DNS_MX : DNS_A,
		    str_of(names[i % ARRAY_LEN(names)]), i % 7 == 0 ? DNS_BYPASS_CACHE : 0, &r, NULL);

		w->failed += rv != 0 && rv != DNS_NOTFOUND;
		arena_reset(&w->arena);
	}
	arena_done(&w->arena);
	return NULL;
}

TEST(threads)
{
	struct worker w[4] = { 0 };

	begin_with(zone, (struct dns_stub_opts){ .cache_entries = 3 });
	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(w); i++) {
		pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].failed, 0);
	}
	end();
}
