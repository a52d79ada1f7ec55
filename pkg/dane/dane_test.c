/* SPDX-License-Identifier: MIT */
/* dane_test.c - records as text and of keys, where they are looked for, dialing. */
#include "dane/dane.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/fd.h"
#include "base/hash.h"
#include "dane/certs_test.h"
#include "dns_mock/dns_mock.h"
#include "testutil/testutil.h"

TEST(text)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{ "3 1 1 0123456789abcdef", "3 1 1 0123456789abcdef" },
		{ "DANE-EE SPKI SHA2-256 AB CD  ef", "3 1 1 abcdef" },
		{ " dane-ta cert full 00 ", "2 0 0 00" },
		{ "pkix-ee cert sha2-512 ff", "1 0 2 ff" },
		{ "255 254 253 00", "255 254 253 00" },
	};
	static const char *const bad[] = { "", "3", "3 1", "3 1 1", "3 1 1 0", "3 1 1 0g", "256 1 1 00", "-1 1 1 00",
		"x 1 1 00", "3 y 1 00" };
	struct dane_record r;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		test_row("%s", good[i].in);
		assert_ok(dane_parse(test_arena(), test_exact(str_of(good[i].in)), &r, NULL));
		assert_strz(dane_text(test_arena(), &r), good[i].out);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		test_row("%s", bad[i]);
		assert_err(dane_parse(test_arena(), test_exact(str_of(bad[i])), &r, NULL), ERR_INVALID);
	}
}

TEST(usages)
{
	unsigned set;

	assert_ok(dane_parse_usages(S("dane-ee, 2"), &set));
	assert_int_equal(set, DANE_SMTP);
	assert_ok(dane_parse_usages(S("pkix-ta,pkix-ee,dane-ta,dane-ee"), &set));
	assert_int_equal(set, DANE_ALL);
	assert_err(dane_parse_usages(S("4"), &set), ERR_INVALID);
	assert_err(dane_parse_usages(S(""), &set), ERR_INVALID);
	assert_string_equal(dane_usage_text(2), "dane-ta");
	assert_string_equal(dane_usage_text(200), "unknown");
}

TEST(records_of_pem)
{
	struct arena *a = test_arena();
	struct str cert = certs_pem(a, "leaf", "cert"), key = certs_pem(a, "leaf", "key");
	struct str pub = certs_pem(a, "leaf", "pub"), ec = certs_pem(a, "leaf", "ec");
	struct dane_record want, r;

	assert_ok(dane_of_cert(a, DANE_DANE_EE, DANE_SPKI, DANE_SHA256, certs_get("leaf"), &want, NULL));
	for (int i = 0; i < 4; i++) {
		struct str pem[] = { cert, key, pub, ec };

		test_row("%d", i);
		assert_ok(dane_of_pem(a, DANE_DANE_EE, DANE_SPKI, DANE_SHA256, test_exact(pem[i]), &r, NULL));
		assert_str(dane_text(a, &r), dane_text(a, &want));
	}
	/* The first block that will do. */
	assert_ok(dane_of_cert(a, 2, DANE_CERT, DANE_SHA512, certs_get("leaf"), &want, NULL));
	assert_ok(dane_of_pem(a, 2, DANE_CERT, DANE_SHA512, str_cat(a, key, cert), &r, NULL));
	assert_str(dane_text(a, &r), dane_text(a, &want));
	assert_ok(dane_of_key(a, 3, DANE_FULL, certs_key("leaf"), &want, NULL));
	assert_ok(dane_of_pem(a, 3, DANE_SPKI, DANE_FULL,
	    str_cat(a, S("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), pub), &r, NULL));
	assert_str(dane_text(a, &r), dane_text(a, &want));

	assert_err(dane_of_pem(a, 3, DANE_CERT, DANE_SHA256, key, &r, NULL), ERR_NOTFOUND);
	assert_err(dane_of_pem(a, 3, DANE_SPKI, DANE_SHA256, S("nothing"), &r, NULL), ERR_NOTFOUND);
	assert_err(dane_of_pem(a, 3, DANE_SPKI, 3, pub, &r, NULL), ERR_UNSUPPORTED);
	assert_err(dane_of_pem(a, 3, 2, DANE_SHA256, cert, &r, NULL), ERR_UNSUPPORTED);
}

TEST(records_of_rsa_keys)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	unsigned char *der = NULL;
	int n = i2d_PublicKey(key, &der);
	struct buf pem = BUF_ARENA(test_arena(), 65536);
	struct dane_record want, r;

	/* PKCS #1 has no key type, only the name of the block. */
	buf_addz(&pem, "-----BEGIN RSA PUBLIC KEY-----\n");
	enc_base64_lines(&pem, str_n((char *)der, (size_t)n));
	buf_addz(&pem, "-----END RSA PUBLIC KEY-----\n");
	assert_ok(dane_of_key(test_arena(), 3, DANE_SHA512, key, &want, NULL));
	assert_ok(dane_of_pem(test_arena(), 3, DANE_SPKI, DANE_SHA512, buf_str(&pem), &r, NULL));
	assert_str(dane_text(test_arena(), &r), dane_text(test_arena(), &want));
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

TEST(full_records_hold_nothing_else)
{
	struct dane_record r;

	for (uint8_t selector = DANE_CERT; selector <= DANE_SPKI; selector++) {
		assert_ok(dane_of_cert(test_arena(), 3, selector, DANE_FULL, certs_get("leaf"), &r, NULL));
		assert_true(dane_usable(&r, DANE_ALL));
		r.data = str_cat(test_arena(), r.data, S("x"));
		assert_false(dane_usable(&r, DANE_ALL));
	}
}

TEST(selection_is_bounded)
{
	struct dane_record v[200], *out;
	uint8_t hash[32] = { 0 };
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = (struct dane_record){ DANE_DANE_EE, DANE_SPKI, DANE_SHA256, str_n((char *)hash, 32) };
	dane_select(test_arena(), v, ARRAY_LEN(v), DANE_ALL, &out, &n);
	assert_int_equal(n, DANE_MAX_RECORDS);
}

#define H "0000000000000000000000000000000000000000000000000000000000000000"

static const char zone[] =
    "plain.example A 127.0.0.1\n"
    "_25._tcp.plain.example TLSA 3 1 1 " H "\n"
    "none.example A 127.0.0.1\n"
    "alias.example CNAME mid.example\n"
    "mid.example CNAME end.example\n"
    "end.example A 127.0.0.1\n"
    "_25._tcp.end.example TLSA 3 1 1 " H "\n"
    "_25._tcp.alias.example TLSA 2 0 1 " H "\n"
    "_26._tcp.alias.example TLSA 2 0 1 " H "\n"
    "_27._tcp.end.example CNAME shared.example\n"
    "shared.example TLSA 2 0 1 " H "\n"
    "l0.example CNAME l1.example\nl1.example CNAME l2.example\nl2.example CNAME l3.example\nl3.example CNAME l4.example\n"
    "l4.example CNAME l5.example\nl5.example CNAME l6.example\nl6.example CNAME l7.example\nl7.example CNAME l8.example\n"
    "l8.example CNAME l9.example\nl9.example CNAME l10.example\n"
    "_25._tcp.l10.example TLSA 3 1 1 " H "\n"
    "loop.example CNAME loop.example\n"
    "temp.example A 127.0.0.1\n";

static const struct {
	const char *host;
	uint16_t port;
	const char *inauthentic[3];
	int want;
	const char *base, *expanded;
	size_t nnames;
	const char *usages;
} finds[] = {
	{ "plain.example", 25, { NULL }, 0, "plain.example", "plain.example", 1, "3" },
	{ "Plain.Example.", 25, { NULL }, 0, "plain.example", "plain.example", 1, "3" },
	{ "plain.example", 26, { NULL }, DANE_NORECORDS, NULL, NULL, 0, NULL },
	{ "none.example", 25, { NULL }, DANE_NORECORDS, NULL, NULL, 0, NULL },
	{ "plain.example", 25, { "cname plain.example" }, DANE_INSECURE, NULL, NULL, 0, NULL },
	{ "plain.example", 25, { "tlsa _25._tcp.plain.example" }, DANE_INSECURE, NULL, NULL, 0, NULL },
	{ "alias.example", 25, { NULL }, 0, "end.example", "end.example", 2, "3" }, // rfc/7671:1003
	{ "alias.example", 26, { NULL }, 0, "alias.example", "end.example", 1,
	    "2" }, // falls back to the original: rfc/7671:1015
	{ "alias.example", 27, { NULL }, 0, "end.example", "end.example", 2, "2" }, // the base stays: rfc/7672:1005
	{ "alias.example", 25, { "tlsa _25._tcp.end.example" }, 0, "alias.example", "end.example", 1, "2" },
	{ "alias.example", 27, { "tlsa shared.example" }, DANE_NORECORDS, NULL, NULL, 0, NULL },
	{ "alias.example", 25, { "cname mid.example" }, 0, "alias.example", "end.example", 1, "2" }, // rfc/7672:927
	{ "alias.example", 25, { "cname end.example" }, 0, "alias.example", "end.example", 1, "2" },
	{ "alias.example", 25, { "cname alias.example" }, DANE_INSECURE, NULL, NULL, 0, NULL },
	{ "l1.example", 25, { NULL }, 0, "l10.example", "l10.example", 2, "3" },
	{ "l0.example", 25, { NULL }, ERR_LIMIT, NULL, NULL, 0, NULL },
	{ "loop.example", 25, { NULL }, ERR_LIMIT, NULL, NULL, 0, NULL },
	{ "temp.example", 25, { NULL }, DNS_TEMPORARY, NULL, NULL, 0, NULL }, // a downgrade cannot be excluded
	{ "tempcname.example", 25, { NULL }, DNS_TEMPORARY, NULL, NULL, 0, NULL },
};

TEST(finding)
{
	static const char *const fail[] = { "tlsa _25._tcp.temp.example", "cname tempcname.example", NULL };
	struct ctx ctx = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
		struct dns_mock_opts o = {
			.zone = zone, .all_authentic = true, .inauthentic = finds[i].inauthentic, .fail = fail
		};
		struct dns_resolver *r = dns_mock_new(&o);
		struct dane_service s = { 0 };
		struct errmsg e = { 0 };
		int rv;

		test_row(
		    "%s %u %s", finds[i].host, finds[i].port, finds[i].inauthentic[0] ? finds[i].inauthentic[0] : "");
		rv = dane_find(r, test_arena(), &ctx, str_of(finds[i].host), finds[i].port, &s, &e);
		assert_int_equal(rv, finds[i].want);
		assert_true((rv == 0) == (e.text[0] == '\0'));
		if (rv == 0) {
			assert_strz(s.base, finds[i].base);
			assert_strz(s.expanded, finds[i].expanded);
			assert_int_equal(s.nnames, finds[i].nnames);
			assert_str(s.names[0], s.base);
			assert_int_equal(s.n, 1);
			assert_int_equal(s.records[0].usage, finds[i].usages[0] - '0');
		}
		dns_mock_free(&r);
	}
}

/* A server for one connection: makes the handshake, says hello, reads to the end. */
struct server {
	int fd[2]; /* ours, the client's */
	const char *leaf;
	unsigned refuse; /* this many connections fail first */
	unsigned tried;
	bool hangs_up; /* without a handshake */
	pthread_t thread;
	bool started;
};

static void *
serve(void *arg)
{
	struct server *s = arg;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;
	char c;

	SSL_CTX_use_certificate(ctx, certs_get(s->leaf));
	SSL_CTX_use_PrivateKey(ctx, certs_key(s->leaf));
	SSL_CTX_add1_chain_cert(ctx, certs_get("ca"));
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, s->fd[0]);
	if (!s->hangs_up && SSL_accept(ssl) == 1 && SSL_write(ssl, "hello", 5) == 5)
		while (SSL_read(ssl, &c, 1) == 1)
			;
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	fd_close(&s->fd[0]);
	return NULL;
}

static int
connect_to(void *arg, const struct ctx *ctx unused_, const struct ipport *to unused_, int *r_fd, struct errmsg *e)
{
	struct server *s = arg;

	if (s->tried++ < s->refuse)
		return err_set(e, ERR_IO, "refused");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->fd), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	s->started = true;
	*r_fd = s->fd[1];
	return 0;
}

static const struct {
	const char *leaf, *record;
	unsigned refuse, usages;
	int want;
} dials[] = {
	{ "leaf", "3 1 1", 0, 0, 0 },
	{ "expired", "3 1 1", 1, 0, 0 }, // the second address
	{ "leaf", "3 1 1", 2, 0, ERR_IO },
	{ "leaf", "3 1 1 hangs up", 0, 0, ERR_IO },
	{ "leaf", "3 1 1 wrong", 0, 0, DANE_NOMATCH },
	{ "leaf", "3 1 1", 0, 1u << DANE_DANE_TA, DANE_UNUSABLE },
};

TEST(dialing)
{
	struct ctx ctx = { 0 };

	/* Made here, as the threads of servers share them. */
	certs_get("leaf");
	for (size_t i = 0; i < ARRAY_LEN(dials); i++) {
		struct arena *a = test_arena();
		struct dns_mock_opts o = { .zone = "mail.example.org A 127.0.0.1\nmail.example.org A 127.0.0.2\n",
			.all_authentic = true };
		struct dns_resolver *r = dns_mock_new(&o);
		struct server s = { .fd = { -1, -1 }, .leaf = dials[i].leaf, .refuse = dials[i].refuse };
		struct dane_dial_args args = { .host = S("mail.example.org"),
			.port = 465,
			.usages = dials[i].usages,
			.connect = connect_to,
			.arg = &s,
			.clock = test_clock(),
			.tls = SSL_CTX_new(TLS_client_method()) };
		struct dane_record record;
		struct dane_conn c;
		struct errmsg e = { 0 };
		struct str text;

		test_row("%zu", i);
		assert_ok(dane_of_cert(a, DANE_DANE_EE, DANE_SPKI, DANE_SHA256,
		    certs_get(str_ends(str_of(dials[i].record), S("wrong")) ? "fake" : dials[i].leaf), &record, NULL));
		text = dane_text(a, &record);
		dns_mock_add(r, str_fmt(a, "_465._tcp.mail.example.org TLSA " STRF, STRA(text)).p);
		s.hangs_up = str_ends(str_of(dials[i].record), S("hangs up"));
		assert_int_equal(dane_dial(r, a, &ctx, &args, &c, &e), dials[i].want);
		assert_int_equal(e.text[0] == '\0', dials[i].want == 0);
		if (dials[i].want == 0) {
			char got[8];
			int n;

			assert_str(c.handshake.dane.record.data, record.data);
			while ((n = SSL_read(c.ssl, got, sizeof(got))) <= 0) {
				assert_int_equal(SSL_get_error(c.ssl, n), SSL_ERROR_WANT_READ);
				assert_int_equal(ctx_poll(&ctx, c.fd, POLLIN), 1);
			}
			assert_str(str_n(got, (size_t)n), S("hello"));
			dane_conn_done(&c);
		}
		assert_int_equal(c.fd, -1);
		if (s.started)
			pthread_join(s.thread, NULL);
		SSL_CTX_free(args.tls);
		dns_mock_free(&r);
	}
}
