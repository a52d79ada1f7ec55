/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/fd.h"
#include "base/hash.h"
#include "dns_mock/dns_mock.h"
#include "smtpclient/smtpclient_internal.h"
#include "testutil/testutil.h"

static const struct ctx no_limit;

#define SHA256_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char zone[] =
    "one.example MX 10 mx.one.example\n"
    "two.example MX 20 b.two.example\ntwo.example MX 10 a.two.example\n"
    "null.example MX 0 .\n"
    "bad.example MX 0 a..b\nbad.example MX 5 under_score.bad.example\n"
    "allbad.example MX 0 -x.example\n"
    "nomx.example A 10.0.0.1\n"
    "cname.example CNAME two.example\n"
    "cnamenomx.example CNAME nomx.example\n"
    "dangling.example CNAME nothing.example\n"
    "loop.example CNAME loop2.example\nloop2.example CNAME loop.example\n"
    "mx.one.example A 10.0.0.1\nmx.one.example A 10.0.0.2\nmx.one.example AAAA 2001:db8::1\nmx.one.example AAAA 2001:db8::2\n"
    "mxcname.example CNAME mx.one.example\n"
    "_25._tcp.tlsa.example TLSA 3 1 1 " SHA256_A "\n_25._tcp.tlsa.example TLSA 1 1 1 " SHA256_A "\n"
    "_25._tcp.unusable.example TLSA 3 1 1 aabb\n_25._tcp.unusable.example TLSA 3 9 1 " SHA256_A
    "\n_25._tcp.unusable.example TLSA 2 0 0 abcd\n"
    "_25._tcp.alias.example CNAME _25._tcp.tlsa.example\n"
    "_25._tcp.insecure.example TLSA 3 1 1 " SHA256_A "\n";

TEST(destinations)
{
	static const char *const inauthentic[] = { "* two.example", "* insecure.example", NULL };
	static const char *const fail[] = { "mx servfail.example", NULL };
	static const char *const bogus[] = { "mx bogus.example", NULL };
	static const struct {
		const char *name;
		int err;
		bool permanent;
		const char *hosts;
		bool mx, authentic, expanded_authentic;
		const char *expanded;
	} rows[] = {
		{ "one.example", 0, false, "mx.one.example", true, true, true, "one.example" },
		{ "two.example", 0, false, "a.two.example b.two.example", true, false, false, "two.example" },
		{ "null.example", ERR_INVALID, true, "", true, true, true, "null.example" }, // rfc/7505:127
		{ "bad.example", 0, false, "under_score.bad.example", true, true, true, "bad.example" },
		{ "allbad.example", ERR_INVALID, true, "", true, true, true, "allbad.example" },
		{ "nomx.example", 0, false, "nomx.example", false, true, true, "nomx.example" }, // rfc/5321:3842
		{ "cname.example", 0, false, "a.two.example b.two.example", true, true, false,
		    "two.example" }, // rfc/7672:684
		{ "cnamenomx.example", 0, false, "nomx.example", false, true, true, "nomx.example" },
		{ "dangling.example", 0, false, "nothing.example", false, true, true, "nothing.example" },
		{ "servfail.example", DNS_TEMPORARY, false, "", false, false, false, "servfail.example" },
		{ "bogus.example", DNS_BOGUS, false, "", false, false, false, "bogus.example" },
	};
	struct dns_resolver *r = dns_mock_new(&(struct dns_mock_opts){
	    .zone = zone, .all_authentic = true, .inauthentic = inauthentic, .fail = fail, .bogus = bogus });
	struct arena *a = test_arena();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtpclient_destinations d = { 0 };
		struct strlist hosts = { 0 };
		struct errmsg e = { 0 };

		test_row("%s", rows[i].name);
		assert_err(
		    smtpclient_gather_destinations(r, a, &no_limit, str_of(rows[i].name), false, &d, &e), rows[i].err);
		for (size_t j = 0; j < d.nhosts; j++)
			strlist_add(a, &hosts, d.hosts[j].name);
		assert_strz(strlist_join(a, &hosts, S(" ")), rows[i].hosts);
		assert_int_equal(d.permanent, rows[i].permanent);
		assert_int_equal(d.have_mx, rows[i].mx);
		if (rows[i].err >= 0) {
			assert_int_equal(d.authentic, rows[i].authentic);
			assert_int_equal(d.expanded_authentic, rows[i].expanded_authentic);
		}
		assert_strz(d.expanded, rows[i].expanded);
		assert_int_equal(d.extended_error, rows[i].err == DNS_BOGUS ? 6 : -1);
	}
	struct smtpclient_destinations d;
	assert_true(smtpclient_gather_destinations(r, a, &no_limit, S("loop.example"), false, &d, NULL) < 0);
	assert_false(d.permanent);
	assert_ok(smtpclient_gather_destinations(r, a, &no_limit, S("2001:db8::9"), true, &d, NULL));
	assert_true(d.nhosts == 1 && d.hosts[0].is_ip);
	dns_mock_free(&r);
}

TEST(ip_order)
{
	static const struct {
		const char *dialed;
		int family;
		const char *want;
	} rows[] = {
		{ "", 0, "10.0.0.1 10.0.0.2 2001:db8::1 2001:db8::2" },
		{ "", 4, "10.0.0.1 10.0.0.2" },
		{ "", 6, "2001:db8::1 2001:db8::2" },
		/* The other family first; after one attempt in a family the same address again. */
		{ "10.0.0.2", 0, "2001:db8::1 2001:db8::2 10.0.0.2 10.0.0.1" },
		{ "10.0.0.2", 4, "10.0.0.2 10.0.0.1" },
		{ "10.0.0.1 2001:db8::2", 0, "10.0.0.1 10.0.0.2 2001:db8::2 2001:db8::1" },
		{ "10.0.0.2 10.0.0.2", 4, "10.0.0.1 10.0.0.2" },
		{ "10.9.9.9", 4, "10.0.0.1 10.0.0.2" },
	};
	struct dns_resolver *r = dns_mock_new(&(struct dns_mock_opts){ .zone = zone });
	struct arena *a = test_arena();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtpclient_host host = { .name = S("mx.one.example") };
		struct ip v[4];
		struct smtpclient_dialed dialed = { .v = v };
		struct smtpclient_ips ips = { 0 };
		struct strlist got = { 0 };
		struct str rest = str_of(rows[i].dialed);

		test_row("%s/%d", rows[i].dialed, rows[i].family);
		while (rest.n > 0)
			assert_ok(ip_parse(str_split(&rest, ' '), &v[dialed.n++]));
		assert_ok(smtpclient_gather_ips(r, a, &no_limit, &host, rows[i].family, &dialed, &ips, NULL));
		for (size_t j = 0; j < ips.n; j++)
			strlist_add(a, &got, ip_str(a, &ips.v[j]));
		assert_strz(strlist_join(a, &got, S(" ")), rows[i].want);
		assert_int_equal(ips.dual_stack, rows[i].family == 0);
	}
	dns_mock_free(&r);
}

TEST(tlsa)
{
	static const char *const inauthentic[] = { "tlsa _25._tcp.insecure.example", NULL };
	static const char *const fail[] = { "tlsa _25._tcp.servfail.example", NULL };
	static const struct {
		const char *host, *expanded;
		bool expanded_authentic;
		int err;
		bool required, found;
		size_t n;
		const char *base;
	} rows[] = {
		{ "tlsa.example", "tlsa.example", true, 0, true, true, 1, "tlsa.example" },
		{ "alias.example", "alias.example", true, 0, true, true, 1, "alias.example" }, // rfc/7672:1005
		{ "unusable.example", "unusable.example", true, 0, true, true, 0, "unusable.example" },
		{ "insecure.example", "insecure.example", true, 0, false, false, 0, "insecure.example" },
		{ "nothing.example", "nothing.example", true, 0, false, false, 0, "nothing.example" },
		{ "servfail.example", "servfail.example", true, DNS_TEMPORARY, true, false, 0, "servfail.example" },
		/* The expanded name first, if it is authentic; else the original: rfc/7672:978 */
		{ "nothing.example", "tlsa.example", true, 0, true, true, 1, "tlsa.example" },
		{ "tlsa.example", "nothing.example", true, 0, true, true, 1, "tlsa.example" },
		{ "nothing.example", "tlsa.example", false, 0, false, false, 0, "nothing.example" },
	};
	struct dns_resolver *r = dns_mock_new(
	    &(struct dns_mock_opts){ .zone = zone, .all_authentic = true, .inauthentic = inauthentic, .fail = fail });

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtpclient_tlsa t = { 0 };
		struct errmsg e = { 0 };

		test_row("%s %s", rows[i].host, rows[i].expanded);
		assert_err(smtpclient_gather_tlsa(r, test_arena(), &no_limit, str_of(rows[i].host),
		    rows[i].expanded_authentic, str_of(rows[i].expanded), &t, &e),
		    rows[i].err);
		assert_int_equal(t.required, rows[i].required);
		assert_int_equal(t.found, rows[i].found);
		assert_int_equal(t.n, rows[i].n);
		assert_strz(t.base, rows[i].base);
	}
	dns_mock_free(&r);
}

TEST(tlsa_names)
{
	static const struct {
		bool mx, nexthop_auth, base_auth;
		const char *expanded_nexthop, *base, *want;
	} rows[] = {
		{ false, true, false, "host", "host", "host" },
		{ false, true, true, "host", "base", "base host" },
		{ true, true, true, "hop", "host", "host hop" },
		{ true, true, true, "hop2", "base", "base host hop hop2" },
		{ true, false, true, "hop2", "base", "hop" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strlist names;

		smtpclient_tlsa_names(test_arena(), rows[i].mx, rows[i].nexthop_auth, rows[i].base_auth, S("hop"),
		    str_of(rows[i].expanded_nexthop), S("host"), str_of(rows[i].base), &names);
		assert_strz(strlist_join(test_arena(), &names, S(" ")), rows[i].want);
	}
}

/* --- dialing --- */

static int
listen_on(uint16_t *r_port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(sin);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, n), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	*r_port = ntohs(sin.sin_port);
	return fd;
}

TEST(dial)
{
	struct ip ips[2], local;
	uint16_t port;
	cleanup_(fd_close) int l = listen_on(&port);
	cleanup_(fd_close) int fd = -1;
	struct errmsg e = { 0 };
	struct sockaddr_in peer;
	socklen_t n = sizeof(peer);
	size_t index = 9;

	/* Nobody listens on the first address. */
	assert_ok(ip_parse(S("127.0.0.2"), &ips[0]));
	assert_ok(ip_parse(S("127.0.0.1"), &ips[1]));
	assert_ok(ip_parse(S("127.0.0.9"), &local));
	struct smtpclient_dial_opts o = {
		.ctx = &no_limit, .ips = ips, .nips = 2, .port = port, .local = &local, .nlocal = 1
	};
	assert_ok(smtpclient_dial(&o, &fd, &index, &e));
	assert_int_equal(index, 1);
	cleanup_(fd_close) int accepted = accept(l, (struct sockaddr *)&peer, &n);
	assert_true(accepted >= 0);
	assert_int_equal(ntohl(peer.sin_addr.s_addr), 0x7f000009);
	o.nips = 1;
	assert_true(smtpclient_dial(&o, &accepted, &index, &e) < 0);
	assert_true(str_search(str_of(e.text), S("127.0.0.2:")) >= 0);
	o.nips = 0;
	assert_err(smtpclient_dial(&o, &accepted, &index, &e), ERR_NOTFOUND);
}

struct proxy {
	int listener;
	const char *send; /* hex of all that it sends */
	uint8_t got[64];
	size_t n;
};

static void *
proxy_main(void *arg)
{
	struct proxy *p = arg;
	struct arena a = { 0 };
	struct str bytes;
	int fd = accept(p->listener, NULL, NULL);

	if (enc_unhex(&a, str_of(p->send), &bytes) == 0)
		ignore_result(send(fd, bytes.p, bytes.n, MSG_NOSIGNAL) < 0);
	shutdown(fd, SHUT_WR);
	for (ssize_t n; (n = recv(fd, p->got + p->n, sizeof(p->got) - p->n, 0)) > 0;)
		p->n += (size_t)n;
	close(fd);
	arena_done(&a);
	return NULL;
}

TEST(socks)
{
	static const struct {
		const char *send;
		int err;
	} rows[] = {
		// RFC 1928 4
		{ "0500"
		    "05000001"
		    "0a0000011234",
		    0 },
		{ "0500"
		    "05000004"
		    "20010db80000000000000000000000011234",
		    0 },
		{ "0500"
		    "05000003"
		    "03616263"
		    "1234",
		    0 },
		{ "05ff", ERR_DENIED },
		{ "0500"
		    "05050001",
		    ERR_IO },
		{ "0500"
		    "05000009",
		    ERR_INVALID },
		{ "0500"
		    "04000001",
		    ERR_INVALID },
		{ "0500"
		    "050000",
		    ERR_CLOSED },
		{ "", ERR_CLOSED },
	};
	uint16_t port;
	cleanup_(fd_close) int l = listen_on(&port);
	struct ip ip;

	assert_ok(ip_parse(S("192.0.2.1"), &ip));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proxy p = { .listener = l, .send = rows[i].send };
		struct smtpclient_dial_opts o = { .ctx = &no_limit,
			.ips = &ip,
			.nips = 1,
			.port = 25,
			.socks = str_fmt(test_arena(), "127.0.0.1:%d", port).p };
		struct errmsg e = { 0 };
		pthread_t thread;
		size_t index;
		int fd = -1;

		test_row("%s", rows[i].send);
		assert_int_equal(pthread_create(&thread, NULL, proxy_main, &p), 0);
		int rv = smtpclient_dial(&o, &fd, &index, &e);
		fd_close(&fd);
		pthread_join(thread, NULL);
		assert_int_equal(rv, rows[i].err);
		if (rv == 0)
			assert_str(enc_hex(test_arena(), str_n((const char *)p.got, p.n)),
			    S("050100"
			    "05010001c00002010019"));
	}
}
