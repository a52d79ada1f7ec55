/* SPDX-License-Identifier: MIT */
/* parts_test.c - names, settings, order of records, packets without a server. */
#include "base/randutil.h"
#include "base/timeutil.h"
#include "dns/dns_internal.h"
#include "testutil/testutil.h"

TEST(names)
{
	static const struct { const char *text; struct str wire; } rows[] = {
		{ "A.Test.", { "\1a\4test", 8 } },
		{ ".", { "", 1 } },
		{ "x", { "\1x", 3 } },
	};
	struct str w, t;
	struct arena *a = test_arena();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].text);
		assert_ok(dns_wire_name(a, str_of(rows[i].text), &w));
		assert_str(w, rows[i].wire);
	}
	/* 253 characters are 255 octets: rfc/1035:525 */
	assert_ok(dns_wire_name(a, str_fmt(a, "%063d.%063d.%063d.%061d", 1, 1, 1, 1), &w));
	assert_int_equal(w.n, 255);
	assert_err(dns_wire_name(a, str_fmt(a, "%063d.%063d.%063d.%062d", 1, 1, 1, 1), &w), DNS_BADNAME);

	assert_ok(dns_text_name(a, S("\3a/b\3x_y\0"), false, &t));
	assert_strz(t, "a/b.x_y");
	assert_err(dns_text_name(a, S("\3a/b\3x_y\0"), true, &t), ERR_INVALID);
	assert_ok(dns_text_name(a, S("\3x_y\0"), true, &t));
	assert_err(dns_text_name(a, S("\3a.b\0"), false, &t), ERR_INVALID);
	assert_err(dns_text_name(a, S("\3a\\b\0"), false, &t), ERR_INVALID);
	assert_err(dns_text_name(a, S("\3a\0b\0"), false, &t), ERR_INVALID);
	assert_err(dns_text_name(a, S("\2\303\244\0"), false, &t), ERR_INVALID);
	assert_ok(dns_text_name(a, S("\0"), true, &t));
	assert_strz(t, "");

	assert_str(dns_wire_parent(S("\1a\4test\0")), S("\4test\0"));
	assert_str(dns_wire_parent(S("\0")), S("\0"));
	assert_true(dns_wire_under(S("\1a\4test\0"), S("\4test\0")));
	assert_true(dns_wire_under(S("\1a\4test\0"), S("\0")));
	assert_false(dns_wire_under(S("\5btest\0"), S("\4test\0")));
	assert_int_equal(dns_wire_labels(S("\1a\4test\0")), 2);
	assert_int_equal(dns_wire_labels(S("\0")), 0);
}

TEST(settings)
{
	static const struct { const char *text, *servers; int timeout, attempts; const char *flags; bool trusted; } rows[] = {
		{ "", "127.0.0.1:53 [::1]:53", 5, 2, "", true },
		{ "nameserver 192.0.2.1\n", "192.0.2.1:53", 5, 2, "", false },
		{ "nameserver 192.0.2.1\noptions trust-ad\n", "192.0.2.1:53", 5, 2, "t", true },
		{ "; comment\n# comment\n\tnameserver\t127.0.0.53 \r\nnameserver 192.0.2.1\nsearch a b\nnameserver ::1",
		    "127.0.0.53:53 192.0.2.1:53 [::1]:53", 5, 2, "", false },
		{ "nameserver 127.0.0.1\nnameserver 127.9.9.9\nnameserver ::1",
		    "127.0.0.1:53 127.9.9.9:53 [::1]:53", 5, 2, "", true },
		{ "options timeout:2 attempts:4 rotate use-vc edns0 ndots:3\nnameserver ::1\n", "[::1]:53", 2, 4, "ru", true },
		{ "options timeout:100 attempts:99\n", "127.0.0.1:53 [::1]:53", 30, 5, "", true },
		{ "options timeout:0 attempts:0 timeout:x\noptions attempts:-1\n", "127.0.0.1:53 [::1]:53", 1, 1, "", true },
		{ "nameserver fe80::1%lo\nnameserver fe80::1%3", "[fe80::1]:53 [fe80::1]:53", 5, 2, "", false },
		{ "nameserver [127.0.0.1]:5300\nnameserver [::1]:5301\n", "127.0.0.1:5300 [::1]:5301", 5, 2, "", true },
		{ "nameserver example.com\nnameserver [127.0.0.1]\nnameserver [::1]:99999\nnameserver\nnameservers 192.0.2.1\n",
		    "127.0.0.1:53 [::1]:53", 5, 2, "", true },
		{ "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\n"
		    "nameserver 1.1.1.5\nnameserver 1.1.1.6\nnameserver 1.1.1.7\nnameserver 1.1.1.8\nnameserver 1.1.1.9\n",
		    "1.1.1.1:53 1.1.1.2:53 1.1.1.3:53 1.1.1.4:53 1.1.1.5:53 1.1.1.6:53 1.1.1.7:53 1.1.1.8:53", 5, 2, "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strlist servers = { 0 };
		struct dns_conf c;

		test_row("%s", rows[i].text);
		dns_conf_parse(test_exact(str_of(rows[i].text)), &c);
		for (size_t k = 0; k < c.n; k++)
			strlist_add(test_arena(), &servers, dns_server_str(test_arena(), &c.servers[k]));
		assert_strz(strlist_join(test_arena(), &servers, S(" ")), rows[i].servers);
		assert_int_equal(c.timeout_us, rows[i].timeout * TIME_SEC);
		assert_int_equal(c.attempts, rows[i].attempts);
		assert_int_equal(c.trust_ad, strchr(rows[i].flags, 't') != NULL);
		assert_int_equal(c.rotate, strchr(rows[i].flags, 'r') != NULL);
		assert_int_equal(c.use_tcp, strchr(rows[i].flags, 'u') != NULL);
		assert_int_equal(dns_conf_trusted(&c), rows[i].trusted);
	}
}

TEST(hosts)
{
	struct dns_hosts h = { 0 };
	const struct dns_host *host;

	dns_hosts_parse(&h, test_exact(S("127.0.0.1\tlocalhost LOCALHOST.localdomain\r\n::1 localhost\n# 192.0.2.1 commented\n"
	    "192.0.2.1 a..b c#d\nbad line\n192.0.2.2\n192.0.2.3 last")));
	host = map_get(&h.names, S("\x9localhost\0"));
	assert_non_null(host);
	assert_int_equal(host->n, 2);
	assert_int_equal(host->v[1].family, 6);
	assert_non_null(map_get(&h.names, S("\x9localhost\xblocaldomain\0")));
	assert_non_null(map_get(&h.names, S("\1c\0")));
	assert_non_null(map_get(&h.names, S("\4last\0")));
	assert_int_equal(h.names.n, 4);
	dns_hosts_parse(&h, S(""));
	assert_int_equal(h.names.n, 0);
	dns_hosts_done(&h);
}

static const char *
order_of(const struct dns_record *in, size_t n)
{
	struct dns_record v[8];
	char *out = arena_bytes(test_arena(), n + 1);

	memcpy(v, in, n * sizeof(*v));
	dns_order(v, n);
	for (size_t i = 0; i < n; i++)
		out[i] = v[i].name.p[0];
	out[n] = '\0';
	return out;
}

#define MX(p, host) { .type = DNS_MX, .preference = (p), .name = { (host), 1 } }
#define SRV(p, w, host) { .type = DNS_SRV, .priority = (p), .weight = (w), .name = { (host), 1 } }

TEST(order)
{
	static const struct dns_record mx[] = { MX(20, "d"), MX(10, "a"), MX(10, "b"), MX(10, "c") };
	static const struct dns_record srv[] = { SRV(2, 0, "d"), SRV(1, 1, "a"), SRV(1, 0, "b"), SRV(1, 60000, "c") };
	unsigned first[256] = { 0 };
	const char *o;

	for (int i = 0; i < 600; i++) {
		o = order_of(mx, 4);
		assert_int_equal(o[3], 'd');
		first[(unsigned char)o[0]]++;
	}
	assert_in_range(first['a'], 100, 300);  /* 200 expected, 5 % of 10^-15 beyond */
	assert_in_range(first['b'], 100, 300);
	assert_in_range(first['c'], 100, 300);
	memset(first, 0, sizeof(first));
	for (int i = 0; i < 600; i++) {
		o = order_of(srv, 4);
		assert_int_equal(o[3], 'd');
		first[(unsigned char)o[0]]++;
	}
	assert_true(first['c'] > 550);          /* by weight: rfc/2782:183 */
}

/* An answer that other tests cannot get from a server of ours: answers in pieces, wrong owners, broken records. */
static int
answer_of(const char *const *lines, size_t n, int type, struct dns_answer *r)
{
	ldns_pkt *pkt = ldns_pkt_new();
	struct dns_response res;
	uint8_t *wire = NULL;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		ldns_rr *rr = NULL;

		assert_int_equal(ldns_rr_new_frm_str(&rr, lines[i], 0, NULL, NULL), LDNS_STATUS_OK);
		ldns_pkt_push_rr(pkt, LDNS_SECTION_ANSWER, rr);
	}
	assert_int_equal(ldns_pkt2wire(&wire, pkt, &len), LDNS_STATUS_OK);
	ldns_pkt_free(pkt);
	assert_ok(dns_response_parse(test_arena(), (const uint8_t *)test_exact(str_n((char *)wire, len)).p, len, &res));
	/* Cut short anywhere it fails, or has fewer records. */
	for (size_t cut = 0; cut < len; cut++) {
		struct dns_response less;
		struct dns_answer ignored;

		if (dns_response_parse(test_arena(), (const uint8_t *)test_exact(str_n((char *)wire, cut)).p, cut, &less) == 0) {
			dns_answer_of(test_arena(), &less, S("\1a\0"), type, &ignored);
			dns_response_done(&less);
		}
	}
	free(wire);
	dns_answer_of(test_arena(), &res, S("\1a\0"), type, r);
	dns_response_done(&res);
	return r->denied ? 0 : (int)r->n;
}

TEST(answers)
{
	static const char *const chain[] = { "c. 5 IN A 192.0.2.1", "b. 4 IN CNAME c.", "A. 3 IN CNAME B.", "d. 2 IN A 192.0.2.2",
	};
	struct dns_answer r;

	assert_int_equal(answer_of((const char *const[]){ "b. 5 IN A 192.0.2.1" }, 1, DNS_A, &r), 0);
	assert_true(r.denied);
	assert_int_equal(r.ttl, 0);
	/* The order in the section does not matter; records of the chain's middle do not count. */
	assert_int_equal(answer_of(chain, ARRAY_LEN(chain), DNS_A, &r), 1);
	assert_int_equal(r.nchain, 3);
	assert_int_equal(r.ttl, 3);
	assert_str(r.chain[2], S("\1c\0"));
	/* Of another class. */
	assert_int_equal(answer_of((const char *const[]){ "a. 5 CH A 192.0.2.1" }, 1, DNS_A, &r), 0);
	/* The end of the chain is not there, and nothing says that it does not exist. */
	assert_int_equal(answer_of((const char *const[]){ "a. 5 IN CNAME b." }, 1, DNS_A, &r), 0);
	assert_false(r.denied);
	assert_int_equal(answer_of((const char *const[]){ "a. 5 IN CNAME a." }, 1, DNS_A, &r), 0);
	assert_true(r.loop);
	assert_int_equal(answer_of((const char *const[]){ "a. 5 IN CNAME \\000." }, 1, DNS_CNAME, &r), 0);
	assert_int_equal(r.unusable, 1);
	assert_int_equal(answer_of((const char *const[]){ "a. 5 IN TYPE1 \\# 0", "a. 5 IN A 192.0.2.1" }, 2, DNS_A, &r), 1);
}

TEST(cache_entries)
{
	struct dns_cache c = { .max = 10 };
	struct dns_record rec = { .type = DNS_TXT, .text = str_n(arena_alloc(test_arena(), 8000), 8000) };
	struct dns_step step = { S("a"), S("b"), true };
	struct dns_result r = { &rec, 1, true, S("b"), &step, 1, .extended_text = S("x") }, got;
	struct errmsg none = { 0 }, e = { 0 };
	int rv;

	dns_cache_put(&c, 0, DNS_TXT, S("\1a\0"), 10, 0, &r, &none);
	assert_true(dns_cache_get(&c, test_arena(), 1, DNS_TXT, S("\1a\0"), &rv, &got, NULL));
	assert_int_equal(got.ttl, 10);
	assert_str(got.v[0].text, rec.text);
	assert_str(got.steps[0].to, S("b"));
	assert_str(got.canonical, S("b"));
	assert_str(got.extended_text, S("x"));
	assert_true(got.authentic);
	assert_false(dns_cache_get(&c, test_arena(), 1, DNS_MX, S("\1a\0"), &rv, &got, NULL));
	/* Two such do not fit: ten entries may have 10 KiB. */
	dns_cache_put(&c, 0, DNS_TXT, S("\1b\0"), 10, 0, &r, &none);
	assert_int_equal(c.n, 1);
	assert_false(dns_cache_get(&c, test_arena(), 1, DNS_TXT, S("\1a\0"), &rv, &got, NULL));
	/* Replaced by something too large to be kept: gone. */
	rec.text = str_n(arena_alloc(test_arena(), 40000), 40000);
	dns_cache_put(&c, 0, DNS_TXT, S("\1b\0"), 10, 0, &r, &none);
	assert_int_equal(c.n, 0);
	assert_int_equal(c.bytes, 0);
	err_set(&none, -1, "why");
	dns_cache_put(&c, 0, DNS_A, S("\1b\0"), 10, DNS_BOGUS, &(struct dns_result){ .extended_error = 6 }, &none);
	assert_true(dns_cache_get(&c, test_arena(), 1, DNS_A, S("\1b\0"), &rv, &got, &e));
	assert_int_equal(rv, DNS_BOGUS);
	assert_int_equal(got.extended_error, 6);
	assert_string_equal(e.text, "why");
	assert_false(dns_cache_get(&c, test_arena(), 10 * TIME_SEC, DNS_A, S("\1b\0"), &rv, &got, &e));
	assert_int_equal(c.n, 0);
	dns_cache_done(&c);
}
