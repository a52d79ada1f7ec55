/* SPDX-License-Identifier: MIT */
/* exchange_test.c - servers that are silent, broken, or not who they say: what is asked again, where, and what comes of it. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "dns/dns.h"
#include "dns/fakeserver_test.h"
#include "testutil/testutil.h"

static const char good[] = "a.test. 300 IN A 192.0.2.1\na.sec.test. 300 IN A 192.0.2.1\n";

/* A resolver over servers with these zones. */
struct rig {
	struct fake *fake[3];
	struct dns_resolver *resolver;
};

static void
rig_start(struct rig *r, const char *const *zones, size_t n, const char *options)
{
	const char *conf = str_fmt(test_arena(), "%s/resolv.conf", test_dir()).p;
	struct buf text = BUF_ARENA(test_arena(), 4096);
	struct dns_stub_opts o = { .resolv_conf = conf, .hosts = "", .no_cache = true };

	*r = (struct rig){ 0 };
	for (size_t i = 0; i < n; i++) {
		r->fake[i] = fake_start(zones[i]);
		buf_addf(&text, "nameserver [127.0.0.1]:%d\n", fake_addr(r->fake[i]).port);
	}
	buf_addf(&text, "options %s\n", options);
	assert_ok(fd_write_file(conf, buf_str(&text), 0644, NULL));
	assert_ok(dns_stub_new(&o, &r->resolver, NULL));
}

static void
rig_stop(struct rig *r)
{
	dns_stub_free(&r->resolver);
	for (size_t i = 0; i < ARRAY_LEN(r->fake); i++)
		if (r->fake[i])
			fake_stop(&r->fake[i]);
}

/* One server that misbehaves, and how many questions it got. */
TEST(quirks)
{
	static const struct { const char *words; int rv; unsigned udp, tcp; const char *text; bool authentic; } rows[] = {
		{ "", 0, 1, 0, NULL, true },
		{ "truncate", 0, 1, 1, NULL, true },                                    /* rfc/1035:1757 */
		{ "truncate tcpslow", 0, 1, 1, NULL, true },
		{ "truncate tcpclose", DNS_TEMPORARY, 2, 2, "connection closed", false },
		{ "truncate tcpwrong", DNS_TEMPORARY, 2, 2, "another question", false },
		{ "badid", 0, 1, 0, NULL, true },               /* the wrong one is passed over: rfc/5452:724 */
		{ "flood", 0, 1, 1, NULL, true },                                       /* somebody guesses ids */
		{ "lower", 0, 1, 1, NULL, true },
		{ "garbage", DNS_TEMPORARY, 2, 0, "malformed", false },
		{ "short", DNS_TEMPORARY, 2, 0, "malformed", false },
		{ "servfail", DNS_TEMPORARY, 2, 0, "SERVFAIL", false },
		{ "refused", DNS_TEMPORARY, 2, 0, "REFUSED", false },
		{ "norecursion", DNS_TEMPORARY, 2, 0, "no recursion", false },
		{ "formerr", 0, 2, 0, NULL, true },                                     /* from before EDNS: rfc/6891:658 */
		{ "shortheader", 0, 2, 0, NULL, true },
		{ "ede=6", DNS_BOGUS, 1, 0, "SERVFAIL, extended error 6 because", false },
		{ "ede=9", DNS_BOGUS, 1, 0, "extended error 9", false },
		{ "ede=22", DNS_TEMPORARY, 2, 0, "extended error 22 because", false },
		{ "cd", DNS_TEMPORARY, 2, 0, "SERVFAIL", false },                       /* CD is not set: rfc/4035:1310 */
	};
	struct ctx ctx = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *zone = str_fmt(test_arena(), "%s!* %s\n", good, rows[i].words).p;
		struct errmsg e = { 0 };
		struct dns_result res;
		struct rig r;

		test_row("%s", rows[i].words);
		rig_start(&r, &zone, 1, "");
		assert_err(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, S("a.sec.test"), 0, &res, &e), rows[i].rv);
		assert_int_equal(res.authentic, rows[i].authentic);
		assert_int_equal(fake_udp(r.fake[0]), rows[i].udp);
		assert_int_equal(fake_tcp(r.fake[0]), rows[i].tcp);
		if (rows[i].text && !strstr(e.text, rows[i].text))
			fail_msg("text is: %s", e.text);
		if (rows[i].words[0] == 'e') {
			assert_true(res.extended_error > 0);
			assert_strz(res.extended_text, "because");
		}
		rig_stop(&r);
	}
}

TEST(next_server)
{
	static const struct { const char *words, *options; int rv; unsigned first, second; } rows[] = {
		{ "servfail", "", 0, 1, 1 },
		{ "refused", "", 0, 1, 1 },
		{ "garbage", "", 0, 1, 1 },
		{ "drop", "timeout:1", 0, 1, 1 },
		{ "badname", "timeout:1", 0, 1, 1 },
		{ "badtype", "timeout:1", 0, 1, 1 },
		{ "ede=22", "", 0, 1, 1 },
		{ "ede=6", "", DNS_BOGUS, 1, 0 },       /* a server that does not validate must not be asked instead */
		{ "", "attempts:5", 0, 1, 0 },
	};
	struct ctx ctx = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *zones[] = { str_fmt(test_arena(), "%s!* %s\n", good, rows[i].words).p, good };
		struct dns_result res;
		struct rig r;

		test_row("%s", rows[i].words);
		rig_start(&r, zones, 2, rows[i].options);
		assert_err(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, S("a.test"), 0, &res, NULL), rows[i].rv);
		assert_int_equal(fake_udp(r.fake[0]), rows[i].first);
		assert_int_equal(fake_udp(r.fake[1]), rows[i].second);
		assert_int_equal(res.extended_error, rows[i].rv == DNS_BOGUS ? 6 : -1);
		rig_stop(&r);
	}
}

TEST(attempts)
{
	const char *zones[] = { "!* servfail\n", "!* refused\n", "!* drop1\na.test. 300 IN A 192.0.2.1\n" };
	struct ctx ctx = { 0 };
	struct errmsg e = { 0 };
	struct dns_result res;
	struct rig r;

	rig_start(&r, zones, 2, "attempts:3");
	assert_err(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, S("a.test"), 0, &res, &e), DNS_TEMPORARY);
	assert_int_equal(fake_udp(r.fake[0]), 3);
	assert_int_equal(fake_udp(r.fake[1]), 3);
	rig_stop(&r);
	/* Only TCP. */
	rig_start(&r, zones, 1, "use-vc");
	assert_err(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, S("a.test"), 0, &res, NULL), DNS_TEMPORARY);
	assert_int_equal(fake_udp(r.fake[0]), 0);
	assert_int_equal(fake_tcp(r.fake[0]), 2);
	rig_stop(&r);
	/* A datagram that got lost. */
	rig_start(&r, zones + 2, 1, "timeout:1");
	assert_ok(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, S("a.test"), 0, &res, NULL));
	assert_int_equal(fake_udp(r.fake[0]), 2);
	rig_stop(&r);
	/* In turn. */
	rig_start(&r, (const char *const[]){ good, good, good }, 3, "rotate");
	for (int i = 0; i < 100; i++)
		assert_ok(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, S("a.test"), 0, &res, NULL));
	for (int i = 0; i < 3; i++)
		assert_in_range(fake_udp(r.fake[i]), 5, 90);
	rig_stop(&r);
}

/* All servers are silent: the tries' time, not a context's. */
TEST(silence)
{
	const char *zone = "!* drop\n!tcp.test truncate tcpsilent\n";
	struct ctx ctx = { 0 };
	struct errmsg e = { 0 };
	struct dns_result res;
	struct rig r;

	rig_start(&r, &zone, 1, "timeout:1 attempts:1");
	assert_err(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, S("a.test"), 0, &res, &e), ERR_TIMEOUT);
	assert_non_null(strstr(e.text, "no answer in time"));
	rig_stop(&r);
}

TEST(deadline)
{
	const char *zone = "!udp.test drop\n!tcp.test truncate tcpsilent\n";
	struct dns_result res;
	struct rig r;

	rig_start(&r, &zone, 1, "");
	for (int i = 0; i < 2; i++) {
		struct ctx ctx = ctx_within(&(struct ctx){ 0 }, 50 * TIME_MS);
		struct errmsg e = { 0 };

		assert_err(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, str_of(i ? "tcp.test" : "udp.test"), 0, &res, &e),
		    ERR_TIMEOUT);
		assert_true(e.text[0] != '\0');
		/* And at once when it is over already. */
		assert_err(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, S("udp.test"), 0, &res, NULL), ERR_TIMEOUT);
	}
	rig_stop(&r);
}

TEST(cancel)
{
	const char *zone = "!* stop\n";
	struct dns_result res;
	struct rig r;
	struct ctx ctx = { 0 };

	rig_start(&r, &zone, 1, "");
	/* The server stops us when the question is there. */
	ctx.stop_fd = fake_stop_fd(r.fake[0]);
	assert_err(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, S("a.test"), 0, &res, NULL), ERR_CANCELED);
	assert_int_equal(fake_udp(r.fake[0]), 1);
	rig_stop(&r);
}

/* Nobody listens: known at once for both protocols. */
TEST(unreachable)
{
	const char *zone = "";
	struct ctx ctx = { 0 };
	struct errmsg e = { 0 };
	struct dns_result res;
	struct rig r;

	for (int i = 0; i < 2; i++) {
		rig_start(&r, &zone, 1, i ? "use-vc" : "");
		fake_stop(&r.fake[0]);
		assert_err(dns_lookup(r.resolver, test_arena(), &ctx, DNS_A, S("a.test"), 0, &res, &e), DNS_TEMPORARY);
		assert_non_null(strstr(e.text, "refused"));
		rig_stop(&r);
	}
}
