/* SPDX-License-Identifier: MIT */
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "testutil/testutil.h"

TEST(ip_parsing_and_writing)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "1.2.3.4", "1.2.3.4" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:DB8::1", "2001:db8::1" },
		{ "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },        /* the first of two equal runs (RFC 5952 4.2.3) */
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },              /* the longer one */
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },     /* one group is not shortened (RFC 5952 4.2.2) */
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
		{ "0:0:3:4:5:6:0:0", "::3:4:5:6:0:0" },
		{ "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
		{ "fe80::abcd", "fe80::abcd" },
		{ "::ffff:1.2.3.4", "1.2.3.4" },
		{ "::ffff:102:304", "1.2.3.4" },
		{ "::1.2.3.4", "::102:304" },
		{ "64:ff9b::1.2.3.4", "64:ff9b::102:304" },
		{ "0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255" },
		{ "", NULL },
		{ "1.2.3", NULL },
		{ "1.2.3.4.5", NULL },
		{ "1.2.3.256", NULL },
		{ "1.2.3.04", NULL },
		{ "1.2.3.4 ", NULL },
		{ " 1.2.3.4", NULL },
		{ "0x1.2.3.4", NULL },
		{ "16909060", NULL },
		{ ":::", NULL },
		{ "1::2::3", NULL },
		{ "12345::", NULL },
		{ "1:2:3:4:5:6:7", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ "[::1]", NULL },
		{ "fe80::1%eth0", NULL },
		{ "g::", NULL },
		{ "0000:0000:0000:0000:0000:ffff:255.255.255.2555", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip ip = { .family = 99 }, again;

		test_row("%s", rows[i].in);
		assert_err(ip_parse(test_exact(str_of(rows[i].in)), &ip), rows[i].out ? 0 : ERR_INVALID);
		if (rows[i].out == NULL) {
			assert_int_equal(ip.family, 99);
			continue;
		}
		assert_strz(ip_str(test_arena(), &ip), rows[i].out);
		assert_ok(ip_parse(str_of(rows[i].out), &again));
		assert_true(ip_equal(&ip, &again));
	}
	assert_err(ip_parse(S("::1\0"), &(struct ip){ 0 }), ERR_INVALID);
	assert_str(ip_str(test_arena(), &(struct ip){ 0 }), S(""));
}

static struct ip
ip_of(const char *z)
{
	struct ip ip;

	assert_ok(ip_parse(str_of(z), &ip));
	return ip;
}

TEST(ip_comparing)
{
	struct ip a = ip_of("0.0.0.1"), b = ip_of("0.0.0.2"), c = ip_of("1::");

	assert_true(ip_equal(&a, &a));
	assert_false(ip_equal(&a, &b));
	assert_false(ip_equal(&a, &c));
}

TEST(ip_masks)
{
	static const struct { const char *ip; unsigned bits; const char *want; } rows[] = {
		{ "255.255.255.255", 0, "0.0.0.0" },
		{ "255.255.255.255", 1, "128.0.0.0" },
		{ "255.255.255.255", 8, "255.0.0.0" },
		{ "255.255.255.255", 21, "255.255.248.0" },
		{ "255.255.255.255", 32, "255.255.255.255" },
		{ "255.255.255.255", 128, "255.255.255.255" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65, "ffff:ffff:ffff:ffff:8000::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "::" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip ip = ip_of(rows[i].ip), m = ip_mask(&ip, rows[i].bits);

		assert_strz(ip_str(test_arena(), &m), rows[i].want);
	}
}

static void
fourth_class(void *arg)
{
	ip_class(arg, 3);
}

static void
negative_class(void *arg)
{
	ip_class(arg, -1);
}

TEST(ip_classes)
{
	static const char *const want[2][3] = {
		{ "10.1.255.255", "10.1.255.192", "10.1.248.0" },
		{ "2001:db8:1:2::", "2001:db8:1::", "2001:db8::" },
	};
	struct ip ip[2] = { ip_of("10.1.255.255"), ip_of("2001:db8:1:2:3:4:5:6") };

	for (int i = 0; i < 2; i++) {
		for (int class = 0; class < 3; class++) {
			struct ip c = ip_class(&ip[i], class);

			assert_strz(ip_str(test_arena(), &c), want[i][class]);
		}
	}
	test_bug(fourth_class, &ip[0], "class_index");
	test_bug(negative_class, &ip[0], "class_index");
}

TEST(ip_kinds)
{
	static const struct { const char *ip; bool loopback, private; } rows[] = {
		{ "127.0.0.1", true, false }, { "127.255.255.255", true, false }, { "128.0.0.1", false, false }, { "126.0.0.1", false, false },
		{ "::1", true, false }, { "::2", false, false }, { "::", false, false }, { "::ffff:127.0.0.1", true, false },
		{ "10.0.0.0", false, true }, { "10.255.255.255", false, true }, { "11.0.0.0", false, false }, { "172.15.255.255", false, false },
		{ "172.16.0.0", false, true }, { "172.31.255.255", false, true }, { "172.32.0.0", false, false }, { "192.168.0.1", false, true },
		{ "192.169.0.1", false, false }, { "169.254.1.1", false, true }, { "169.253.1.1", false, false }, { "fc00::1", false, true },
		{ "fdff::1", false, true }, { "fe00::1", false, false }, { "fe80::1", false, true }, { "febf::1", false, true },
		{ "fec0::1", false, false }, { "fb00::1", false, false }, { "7f00::1", false, false }, { "0a00::1", false, false },
	};
	struct ip none = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip ip = ip_of(rows[i].ip);

		test_row("%s", rows[i].ip);
		assert_int_equal(ip_is_loopback(&ip), rows[i].loopback);
		assert_int_equal(ip_is_private(&ip), rows[i].private);
		assert_int_equal(ip_is_unspecified(&ip), strcmp(rows[i].ip, "::") == 0);
	}
	struct ip zero = ip_of("0.0.0.0");
	assert_true(ip_is_unspecified(&zero));
	assert_false(ip_is_unspecified(&none));
	assert_false(ip_is_loopback(&none));
	assert_false(ip_is_private(&none));
}

TEST(ipport_texts)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "1.2.3.4:25", "1.2.3.4:25" },
		{ "1.2.3.4:0", "1.2.3.4:0" },
		{ "1.2.3.4:65535", "1.2.3.4:65535" },
		{ "[::1]:25", "[::1]:25" },
		{ "[::ffff:1.2.3.4]:25", "1.2.3.4:25" },
		{ "1.2.3.4:65536", NULL },
		{ "1.2.3.4:", NULL },
		{ "1.2.3.4", NULL },
		{ ":25", NULL },
		{ "", NULL },
		{ "::1:25", NULL },
		{ "[1.2.3.4]:25", NULL },
		{ "[::1]", NULL },
		{ "[::1]25", NULL },
		{ "[::1:25", NULL },
		{ "::1]:25", NULL },
		{ "[]:25", NULL },
		{ "[:25", NULL },
		{ "1.2.3.4:+5", NULL },
		{ "1.2.3.4:25 ", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ipport p = { .port = 7 };

		test_row("%s", rows[i].in);
		assert_err(ipport_parse(test_exact(str_of(rows[i].in)), &p), rows[i].out ? 0 : ERR_INVALID);
		if (rows[i].out)
			assert_strz(ipport_str(test_arena(), &p), rows[i].out);
		else
			assert_int_equal(p.port, 7);
	}
}

TEST(ipport_sockaddrs)
{
	static const char *const rows[] = { "1.2.3.4:25", "[2001:db8::1]:993" };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct sockaddr_storage ss;
	struct ipport p, q;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(ipport_parse(str_of(rows[i]), &p));
		assert_int_equal(ipport_sockaddr(&p, &ss), i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		q = ipport_of((const struct sockaddr *)&ss);
		assert_strz(ipport_str(test_arena(), &q), rows[i]);
	}
	/* A mapped address comes back as IPv4. */
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(25) };
	assert_int_equal(inet_pton(AF_INET6, "::ffff:1.2.3.4", &sin6.sin6_addr), 1);
	p = ipport_of((const struct sockaddr *)&sin6);
	assert_strz(ipport_str(test_arena(), &p), "1.2.3.4:25");

	p = ipport_of((const struct sockaddr *)&sun);
	assert_int_equal(p.ip.family, 0);
	assert_int_equal(ipport_sockaddr(&p, &ss), 0);
}
