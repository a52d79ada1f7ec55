/* SPDX-License-Identifier: MIT */
#include "dnsbl/dnsbl.h"

#include "dns_mock/dns_mock.h"
#include "testutil/testutil.h"

static const char zone[] =
    "2.0.0.127.bl.example A 127.0.0.2\n"
    "2.0.0.127.bl.example TXT test\n"
    "1.2.0.192.bl.example A 127.0.0.2\n"
    "1.2.0.192.bl.example A 127.0.0.4\n"
    "1.2.0.192.bl.example TXT \"https://bl.example/192.0.2.1\"\n"
    "1.2.0.192.bl.example TXT second\n"
    "2.2.0.192.bl.example A 127.0.0.2\n"
    "3.2.0.192.bl.example A 127.0.0.2\n"
    "5.2.0.192.bl.example A 127.255.255.254\n"
    "6.2.0.192.bl.example A 127.255.255.255\n"
    "7.2.0.192.bl.example A 127.255.255.252\n"
    "8.2.0.192.bl.example A 127.255.255.1\n"
    "9.2.0.192.bl.example A 192.0.2.80\n"
    "10.2.0.192.bl.example A 127.0.0.2\n"
    "10.2.0.192.bl.example A 127.255.255.255\n"
    "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example A 127.0.0.2\n"
    "1.0.0.127.all.example A 127.0.0.2\n"
    "2.0.0.127.all.example A 127.0.0.2\n"
    "1.0.0.127.parked.example A 192.0.2.80\n"
    "2.0.0.127.parked.example A 192.0.2.80\n";

static const char *const fails[] = { "a 4.2.0.192.bl.example", "txt 3.2.0.192.bl.example", "a 1.0.0.127.down.example", NULL };

TEST(lookups)
{
	static const struct { const char *ip; enum dnsbl_status status; const char *explanation; size_t codes; bool refused; } rows[] = {
		{ "192.0.2.1", DNSBL_FAIL, "https://bl.example/192.0.2.1; second", 2, false },  /* rfc/5782:249 */
		{ "192.0.2.2", DNSBL_FAIL, "", 1, false },
		{ "192.0.2.3", DNSBL_FAIL, "", 1, false },      /* the look-up of TXT fails */
		{ "192.0.2.4", DNSBL_TEMPERROR, "", 0, false },
		{ "192.0.2.5", DNSBL_TEMPERROR, "", 0, true },
		{ "192.0.2.6", DNSBL_TEMPERROR, "", 0, true },
		{ "192.0.2.7", DNSBL_TEMPERROR, "", 0, true },
		{ "192.0.2.8", DNSBL_TEMPERROR, "", 0, true },
		{ "192.0.2.9", DNSBL_TEMPERROR, "", 0, true },  /* rfc/5782:260 */
		{ "192.0.2.10", DNSBL_TEMPERROR, "", 1, true },
		{ "192.0.2.11", DNSBL_PASS, "", 0, false },
		{ "2001:db8::567:89ab", DNSBL_FAIL, "", 1, false },
		{ "2001:db8::1", DNSBL_PASS, "", 0, false },
	};
	struct dns_mock_opts o = { .zone = zone, .fail = fails };
	struct dns_resolver *r = dns_mock_new(&o);
	struct ctx ctx = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dnsbl_result res;
		struct ip ip;

		test_row("%s", rows[i].ip);
		assert_ok(ip_parse(str_of(rows[i].ip), &ip));
		dnsbl_lookup(r, test_arena(), &ctx, S("bl.example"), &ip, &res);
		assert_string_equal(dnsbl_status_text(res.status), dnsbl_status_text(rows[i].status));
		assert_strz(res.explanation, rows[i].explanation);
		assert_int_equal(res.ncodes, rows[i].codes);
		assert_int_equal(res.refused, rows[i].refused);
		assert_int_equal(res.problem.n > 0, res.status == DNSBL_TEMPERROR);
	}
	dns_mock_free(&r);
}

TEST(health)
{
	static const struct { const char *zone; int rv; const char *text; } rows[] = {
		{ "bl.example", 0, "" },
		{ "all.example", ERR_INVALID, "127.0.0.1 is listed" },
		{ "empty.example", ERR_INVALID, "127.0.0.2 is not listed" },
		{ "parked.example", DNS_TEMPORARY, "outside 127.0.0.0/8" },
		{ "down.example", DNS_TEMPORARY, "127.0.0.1: " },
	};
	struct dns_mock_opts o = { .zone = zone, .fail = fails };
	struct dns_resolver *r = dns_mock_new(&o);
	struct ctx ctx = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct errmsg e = { 0 };

		test_row("%s", rows[i].zone);
		assert_err(dnsbl_check_health(r, test_arena(), &ctx, str_of(rows[i].zone), &e), rows[i].rv);
		assert_non_null(strstr(e.text, rows[i].text));
	}
	dns_mock_free(&r);
}
