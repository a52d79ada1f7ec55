/* SPDX-License-Identifier: MIT */
#include "iprev/iprev.h"

#include "base/buf.h"
#include "dns_mock/dns_mock.h"
#include "testutil/testutil.h"

static const char zone[] =
    "1.2.0.192.in-addr.arpa PTR a.example\n"
    "a.example A 192.0.2.1\n"
    "2.2.0.192.in-addr.arpa PTR other.example\n"
    "2.2.0.192.in-addr.arpa PTR b.example\n"
    "other.example A 192.0.2.9\n"
    "b.example A 192.0.2.8\n"
    "b.example A 192.0.2.2\n"
    "3.2.0.192.in-addr.arpa PTR other.example\n"
    "4.2.0.192.in-addr.arpa PTR none.example\n"
    "5.2.0.192.in-addr.arpa PTR fail.example\n"
    "5.2.0.192.in-addr.arpa PTR other.example\n"
    "6.2.0.192.in-addr.arpa PTR fail.example\n"
    "6.2.0.192.in-addr.arpa PTR c.example\n"
    "c.example A 192.0.2.6\n"
    "8.2.0.192.in-addr.arpa PTR loose.example\n"
    "loose.example A 192.0.2.8\n"
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.example\n"
    "six.example A 192.0.2.1\n"
    "six.example AAAA 2001:db8::1\n";

TEST(lookups)
{
	static const struct { const char *ip; enum iprev_status status; const char *name, *names; bool authentic; } rows[] = {
		{ "192.0.2.1", IPREV_PASS, "a.example", "a.example", true },
		{ "192.0.2.2", IPREV_PASS, "b.example", "other.example b.example", true },
		{ "192.0.2.3", IPREV_FAIL, "", "other.example", true },
		{ "192.0.2.4", IPREV_FAIL, "", "none.example", true },          /* rfc/8601:1092 */
		{ "192.0.2.5", IPREV_TEMPERROR, "", "fail.example other.example", false },
		{ "192.0.2.6", IPREV_PASS, "c.example", "fail.example c.example", false },
		{ "192.0.2.7", IPREV_PERMERROR, "", "", true },                 /* rfc/8601:1104 */
		{ "192.0.2.8", IPREV_PASS, "loose.example", "loose.example", false },
		{ "192.0.2.99", IPREV_TEMPERROR, "", "", false },
		{ "2001:db8::1", IPREV_PASS, "six.example", "six.example", true },
		{ "2001:db8::2", IPREV_PERMERROR, "", "", true },
	};
	static const char *const fail[] = { "a fail.example", "ptr 99.2.0.192.in-addr.arpa", NULL };
	static const char *const inauthentic[] = { "a loose.example", NULL };
	struct dns_mock_opts o = { .zone = zone, .all_authentic = true, .fail = fail, .inauthentic = inauthentic };
	struct dns_resolver *r = dns_mock_new(&o);
	struct ctx ctx = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct iprev_result res;
		struct ip ip;

		test_row("%s", rows[i].ip);
		assert_ok(ip_parse(str_of(rows[i].ip), &ip));
		iprev_lookup(r, test_arena(), &ctx, &ip, &res);
		assert_string_equal(iprev_status_text(res.status), iprev_status_text(rows[i].status));
		assert_strz(res.name, rows[i].name);
		assert_strz(strlist_join(test_arena(), &res.names, S(" ")), rows[i].names);
		assert_int_equal(res.authentic, rows[i].authentic);
		assert_int_equal(res.problem.n > 0, res.status == IPREV_TEMPERROR);
	}
	dns_mock_free(&r);
}

/* Who publishes a hundred names costs ten look-ups: rfc/8601:1312 */
TEST(many_names)
{
	struct buf z = BUF_ARENA(test_arena(), 65536);
	struct ip ip = { .family = 4, .a = { 192, 0, 2, 1 } };
	struct dns_mock_opts o = { 0 };
	struct dns_resolver *r;
	struct iprev_result res;
	struct ctx ctx = { 0 };

	for (int i = 0; i < 100; i++)
		buf_addf(&z, "1.2.0.192.in-addr.arpa PTR n%d.example\nn%d.example A 192.0.2.%d\n", i, i, i == 10 ? 1 : 2);
	buf_addc(&z, '\0');
	o.zone = z.p;
	r = dns_mock_new(&o);
	iprev_lookup(r, test_arena(), &ctx, &ip, &res);
	assert_int_equal(res.status, IPREV_FAIL);
	assert_int_equal(res.names.n, 100);
	assert_int_equal(dns_mock_lookups(r), 1 + IPREV_MAX_NAMES);
	dns_mock_free(&r);
}
