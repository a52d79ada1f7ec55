/* SPDX-License-Identifier: MIT */
/*
 * verify_test.c - chains against records, as we see them and as OpenSSL's own DANE does; handshakes over a pair of BIOs.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "dane/certs_test.h"
#include "dane/dane.h"
#include "metrics/metrics.h"
#include "testutil/testutil.h"

/*
 * A record: "usage selector matching certificate", then "cut" for one octet too few, or "junk" for other octets. Records of a
 * row are separated by commas.
 */
static struct dane_record
make_record(struct str text)
{
	struct dane_record r;
	uint32_t v[3];
	struct str cert;

	for (int i = 0; i < 3; i++)
		assert_ok(str_u32(str_split(&text, ' '), &v[i]));
	cert = str_split(&text, ' ');
	assert_ok(dane_of_cert(test_arena(), (uint8_t)v[0], v[1] == 9 ? 0 : (uint8_t)v[1],
	    v[2] == 9 ? 1 : (uint8_t)v[2], certs_get(str_z(test_arena(), cert)), &r, NULL));
	r.selector = (uint8_t)v[1];
	r.matching = (uint8_t)v[2];
	if (str_is(text, S("cut")))
		r.data.n--;
	else if (str_is(text, S("junk")))
		r.data = S("junk");
	return r;
}

static size_t
make_records(const char *list, struct dane_record *v)
{
	struct str rest = str_of(list);
	size_t n = 0;

	while (rest.n > 0)
		v[n++] = make_record(str_trim(str_split(&rest, ',')));
	return n;
}

static X509_STORE *
roots(void)
{
	X509_STORE *s = X509_STORE_new();

	X509_STORE_add_cert(s, certs_get("root"));
	return s;
}

static const struct row {
	const char *records, *chain, *name;
	unsigned usages;
	int want;
	int which; /* the record that verifies */
	int depth;
	int error;           /* of the first failure; 0: none */
	const char *differs; /* why OpenSSL sees it differently */
} rows[] = {
	/* DANE-EE: rfc/7671:483 */
	{ "3 0 0 leaf", "leaf ca", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "3 0 1 leaf", "leaf ca", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "3 0 2 leaf", "leaf ca", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "3 1 0 leaf", "leaf ca", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "3 1 1 leaf", "leaf ca", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "3 1 2 leaf", "leaf", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "3 1 1 leaf", "leaf ca", "other.example", 0, 0, 0, 0, 0, NULL }, // no name check
	{ "3 1 1 noname", "noname ca", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "3 1 1 expired", "expired ca", "mail.example.org", 0, 0, 0, 0, 0, NULL }, // rfc/7671:527
	{ "3 1 1 self", "self", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "3 1 1 fake", "leaf ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, 0, NULL },
	{ "3 1 1 ca", "leaf ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, 0, NULL },    // not the server's own
	{ "3 1 1 fake, 3 1 1 leaf", "leaf ca", "mail.example.org", 0, 0, 1, 0, 0, NULL }, // rollover: rfc/7671:1127
	{ "3 1 1 leaf, 3 1 1 fake", "fake evil", "mail.example.org", 0, 0, 1, 0, 0, NULL },
	/* Unusable: rfc/6698:649 */
	{ "3 1 1 leaf cut", "leaf ca", "mail.example.org", 0, DANE_UNUSABLE, 0, 0, 0, NULL },
	{ "3 1 2 leaf cut", "leaf ca", "mail.example.org", 0, DANE_UNUSABLE, 0, 0, 0, NULL },
	{ "3 0 0 leaf cut", "leaf ca", "mail.example.org", 0, DANE_UNUSABLE, 0, 0, 0, NULL },
	{ "3 1 0 leaf junk", "leaf ca", "mail.example.org", 0, DANE_UNUSABLE, 0, 0, 0, NULL },
	{ "4 1 1 leaf", "leaf ca", "mail.example.org", 0, DANE_UNUSABLE, 0, 0, 0, NULL },
	{ "3 9 1 leaf", "leaf ca", "mail.example.org", 0, DANE_UNUSABLE, 0, 0, 0, NULL },
	{ "3 1 9 leaf", "leaf ca", "mail.example.org", 0, DANE_UNUSABLE, 0, 0, 0, NULL },
	{ "255 1 1 leaf, 3 1 1 leaf", "leaf ca", "mail.example.org", 0, 0, 1, 0, 0, NULL },
	{ "3 1 1 leaf", "leaf ca", "mail.example.org", 1u << DANE_DANE_TA, DANE_UNUSABLE, 0, 0, 0, "usages" },
	{ "0 0 1 root, 3 1 1 leaf", "leaf ca", "mail.example.org", DANE_SMTP, 0, 1, 0, 0, "usages" },
	/* Of several hashes only the strongest counts: rfc/7671:1304 */
	{ "3 1 1 leaf, 3 1 2 fake", "leaf ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, 0, NULL },
	{ "3 1 1 leaf, 3 1 2 leaf cut", "leaf ca", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "3 1 1 leaf, 3 0 2 fake", "leaf ca", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "3 1 0 leaf, 3 1 2 fake", "leaf ca", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	/* DANE-TA: rfc/7671:599 */
	{ "2 0 1 root", "leaf ca root", "mail.example.org", 0, 0, 0, 2, 0, NULL },
	{ "2 0 2 root", "leaf ca root", "mail.example.org", 0, 0, 0, 2, 0, NULL },
	{ "2 1 1 ca", "leaf ca", "mail.example.org", 0, 0, 0, 1, 0, NULL }, // an anchor need not be a root
	{ "2 0 0 ca", "leaf ca", "mail.example.org", 0, 0, 0, 1, 0, NULL },
	{ "2 0 1 ca", "leaf ca", "host.wild.example.org", 0, 0, 0, 1, 0, NULL },
	{ "2 0 1 ca", "leaf ca", "a.b.wild.example.org", 0, DANE_NOMATCH, 0, 0, X509_V_ERR_HOSTNAME_MISMATCH, NULL },
	{ "2 0 1 ca", "leaf ca", "other.example", 0, DANE_NOMATCH, 0, 0, X509_V_ERR_HOSTNAME_MISMATCH, NULL },
	{ "2 0 1 ca", "noname ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, X509_V_ERR_HOSTNAME_MISMATCH, NULL },
	{ "2 0 1 ca", "leaf ca", "other.example|mail.example.org", 0, 0, 0, 1, 0, NULL },
	{ "2 0 1 ca", "expired ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, X509_V_ERR_CERT_HAS_EXPIRED, NULL },
	{ "2 0 1 root", "leaf ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, 0,
	    NULL },                                                            // the server must send it: rfc/7671:606
	{ "2 0 0 root", "leaf ca", "mail.example.org", 0, 0, 0, -1, 0, NULL }, // but for this
	{ "2 0 0 ca", "leaf", "mail.example.org", 0, 0, 0, -1, 0, NULL },
	{ "2 0 0 evil", "leaf ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0,
	    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, NULL },
	{ "2 1 0 ca", "leaf", "mail.example.org", 0, 0, 0, -1, 0, NULL },
	{ "2 1 0 root", "leaf ca", "mail.example.org", 0, 0, 0, -1, 0, NULL },
	{ "2 1 0 root", "leaf ca", "other.example", 0, DANE_NOMATCH, 0, 0, X509_V_ERR_HOSTNAME_MISMATCH, NULL },
	{ "2 1 0 evil", "leaf ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, 0, NULL },
	{ "2 0 0 root junk", "leaf ca root", "mail.example.org", 0, DANE_UNUSABLE, 0, 0, 0, NULL },
	{ "2 0 0 root junk, 2 0 0 root", "leaf ca", "mail.example.org", 0, 0, 1, -1, 0, NULL },
	{ "2 0 1 evil", "leaf ca evil", "mail.example.org", 0, DANE_NOMATCH, 0, 0,
	    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, NULL },
	{ "2 0 1 self", "self", "mail.example.org", 0, 0, 0, 0, 0,
	    "takes no anchor that is the server's own certificate" },
	{ "2 0 1 leaf", "leaf ca", "mail.example.org", 0, 0, 0, 0, 0,
	    "takes no anchor that is the server's own certificate" },
	{ "2 0 1 leaf", "leaf ca", "other.example", 0, DANE_NOMATCH, 0, 0, X509_V_ERR_HOSTNAME_MISMATCH, NULL },
	{ "2 0 1 ca, 3 1 1 expired", "expired ca", "mail.example.org", 0, 0, 1, 0, X509_V_ERR_CERT_HAS_EXPIRED, NULL },
	/* PKIX-EE, PKIX-TA: rfc/6698:382 */
	{ "1 1 1 leaf", "leaf ca", "mail.example.org", 0, 0, 0, 0, 0, NULL },
	{ "1 1 1 leaf", "leaf ca", "other.example", 0, DANE_NOMATCH, 0, 0, X509_V_ERR_HOSTNAME_MISMATCH, NULL },
	{ "1 1 1 expired", "expired ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, X509_V_ERR_CERT_HAS_EXPIRED, NULL },
	{ "1 1 1 fake", "fake evil", "mail.example.org", 0, DANE_NOMATCH, 0, 0, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
	    NULL },
	{ "1 1 1 fake", "leaf ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, 0, NULL },
	{ "0 0 1 root", "leaf ca", "mail.example.org", 0, 0, 0, -1, 0, NULL },
	{ "0 1 1 ca", "leaf ca", "mail.example.org", 0, 0, 0, 1, 0, NULL },
	{ "0 0 1 leaf", "leaf ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, 0, NULL },
	{ "0 0 1 evil", "leaf ca", "mail.example.org", 0, DANE_NOMATCH, 0, 0, 0, NULL },
	{ "0 0 1 evil", "fake evil", "mail.example.org", 0, DANE_NOMATCH, 0, 0, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
	    NULL },
};

static size_t
split_names(const char *names, struct str *v)
{
	struct str rest = str_of(names);
	size_t n = 0;

	while (rest.n > 0)
		v[n++] = str_split(&rest, '|');
	return n;
}

static int
openssl_callback(X509_STORE_CTX *ctx, void *arg)
{
	int *error = arg;

	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)(clock_now_us(test_clock()) / TIME_SEC));
	*error = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_set_error(ctx, *error);
	return *error == X509_V_OK;
}

/* Moves both ends on until nothing more happens. */
static void
shake(SSL *client, SSL *server)
{
	for (int i = 0; i < 20; i++) {
		ERR_clear_error();
		ignore_result(SSL_do_handshake(client));
		ERR_clear_error();
		ignore_result(SSL_do_handshake(server));
	}
	ERR_clear_error();
}

struct pair {
	SSL_CTX *cctx, *sctx;
	SSL *client, *server;
};

static struct pair
make_pair(const char *chain)
{
	struct pair p = { SSL_CTX_new(TLS_client_method()), SSL_CTX_new(TLS_server_method()), NULL, NULL };
	struct str rest = str_of(chain);
	const char *leaf = str_z(test_arena(), str_split(&rest, ' '));
	BIO *a, *b;

	SSL_CTX_set_session_cache_mode(p.sctx, SSL_SESS_CACHE_OFF);
	assert_int_equal(SSL_CTX_use_certificate(p.sctx, certs_get(leaf)), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(p.sctx, certs_key(leaf)), 1);
	while (rest.n > 0)
		assert_int_equal(
		    SSL_CTX_add1_chain_cert(p.sctx, certs_get(str_z(test_arena(), str_split(&rest, ' ')))), 1);
	SSL_CTX_set_mode(p.sctx, SSL_MODE_NO_AUTO_CHAIN);
	p.client = SSL_new(p.cctx);
	p.server = SSL_new(p.sctx);
	assert_int_equal(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
	SSL_set_bio(p.client, a, a);
	SSL_set_bio(p.server, b, b);
	SSL_set_connect_state(p.client);
	SSL_set_accept_state(p.server);
	return p;
}

static void
free_pair(struct pair *p)
{
	SSL_free(p->client);
	SSL_free(p->server);
	SSL_CTX_free(p->cctx);
	SSL_CTX_free(p->sctx);
}

/* Whether OpenSSL's own DANE takes a server. */
static bool
openssl_accepts(const struct row *row, const struct dane_record *v, size_t n, const struct str *names, size_t nnames)
{
	struct pair p = make_pair(row->chain);
	int error = -1;
	bool ok;

	SSL_CTX_dane_enable(p.cctx);
	SSL_CTX_set_cert_verify_callback(p.cctx, openssl_callback, &error);
	SSL_set_verify(p.client, SSL_VERIFY_PEER, NULL);
	SSL_set0_verify_cert_store(p.client, roots());
	assert_true(SSL_dane_enable(p.client, str_z(test_arena(), names[0])) > 0);
	SSL_dane_set_flags(p.client, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	for (size_t i = 1; i < nnames; i++)
		SSL_add1_host(p.client, str_z(test_arena(), names[i]));
	for (size_t i = 0; i < n; i++)
		ignore_result(SSL_dane_tlsa_add(p.client, v[i].usage, v[i].selector, v[i].matching,
		    (const unsigned char *)v[i].data.p, v[i].data.n));
	shake(p.client, p.server);
	/* Without a usable record OpenSSL falls back to PKIX; so only a match of a record counts. */
	ok = error == X509_V_OK && SSL_get0_dane_authority(p.client, NULL, NULL) >= 0;
	free_pair(&p);
	return ok;
}

TEST(rows)
{
	X509_STORE *store = roots();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct dane_record v[4];
		struct str names[2];
		struct dane_check c = {
			.records = v, .usages = row->usages, .names = names, .roots = store, .clock = test_clock()
		};
		struct dane_result res;
		struct errmsg e = { 0 };
		STACK_OF(X509) *chain = certs_chain(row->chain);
		int rv;

		test_row("%s | %s | %s", row->records, row->chain, row->name);
		c.n = make_records(row->records, v);
		c.nnames = split_names(row->name, names);
		rv = dane_verify(test_arena(), &c, chain, &res, &e);
		assert_int_equal(rv, row->want);
		assert_true((rv == 0) == (e.text[0] == '\0'));
		assert_int_equal(res.nfailures > 0 ? res.failures[0].verify_error : 0, row->error);
		if (rv == 0) {
			assert_strz(dane_text(test_arena(), &res.record), dane_text(test_arena(), &v[row->which]).p);
			assert_int_equal(res.depth, row->depth);
		}
		if (!row->differs)
			assert_int_equal(openssl_accepts(row, v, c.n, names, c.nnames), rv == 0);
		sk_X509_pop_free(chain, X509_free);
	}
	X509_STORE_free(store);
}

TEST(nothing_to_verify)
{
	struct dane_record v[1];
	struct dane_check c = { .records = v, .clock = test_clock() };
	struct dane_result res;
	STACK_OF(X509) *chain = certs_chain("leaf ca"), *none = sk_X509_new_null();
	struct str name = S("mail.example.org"), empty = S("");

	assert_err(dane_verify(test_arena(), &c, chain, &res, NULL), DANE_NORECORDS);
	c.n = make_records("2 0 1 ca", v);
	assert_err(dane_verify(test_arena(), &c, none, &res, NULL), ERR_INVALID);
	/* Without a name, or with an empty one, nobody has it. */
	assert_err(dane_verify(test_arena(), &c, chain, &res, NULL), DANE_NOMATCH);
	c.names = &empty;
	c.nnames = 1;
	assert_err(dane_verify(test_arena(), &c, chain, &res, NULL), DANE_NOMATCH);
	assert_int_equal(res.failures[0].verify_error, X509_V_ERR_HOSTNAME_MISMATCH);
	/* Without roots no usage that needs them. */
	c.names = &name;
	c.n = make_records("1 1 1 leaf", v);
	assert_err(dane_verify(test_arena(), &c, chain, &res, NULL), DANE_NOMATCH);
	sk_X509_pop_free(chain, X509_free);
	sk_X509_free(none);
}

TEST(metrics)
{
	struct dane_record v[1];
	struct str name = S("mail.example.org");
	struct dane_check c = { .records = v, .names = &name, .nnames = 1, .clock = test_clock() };
	struct dane_result res;
	STACK_OF(X509) *chain = certs_chain("leaf ca");
	struct buf out = BUF_ARENA(test_arena(), 1 << 20);

	metrics_reset_all();
	c.n = make_records("3 1 1 leaf", v);
	assert_ok(dane_verify(test_arena(), &c, chain, &res, NULL));
	c.n = make_records("3 1 1 fake", v);
	assert_err(dane_verify(test_arena(), &c, chain, &res, NULL), DANE_NOMATCH);
	metrics_expose(&out);
	assert_true(str_search(buf_str(&out), S("\nmox_dane_verify_total 2\n")) > 0);
	assert_true(str_search(buf_str(&out), S("\nmox_dane_verify_errors_total 1\n")) > 0);
	sk_X509_pop_free(chain, X509_free);
}

TEST(pkix_by_address)
{
	X509_STORE *store = roots();
	STACK_OF(X509) *chain = certs_chain("leaf ca");
	struct str name = S("mail.example.org");
	struct ip ip;

	assert_ok(ip_parse(S("192.0.2.1"), &ip));
	assert_int_equal(dane_verify_pkix(store, chain, &name, 1, NULL, test_clock()), X509_V_OK);
	assert_int_equal(dane_verify_pkix(store, chain, NULL, 0, &ip, test_clock()), X509_V_ERR_IP_ADDRESS_MISMATCH);
	assert_int_equal(dane_verify_pkix(store, chain, NULL, 0, NULL, test_clock()), X509_V_ERR_HOSTNAME_MISMATCH);
	X509_STORE_free(store);
	sk_X509_pop_free(chain, X509_free);
}

/* What both verifications say, whatever is required; and whether the handshake goes through. */
static const struct {
	const char *records, *chain;
	bool require_dane, require_pkix, ok;
	int dane_error, pkix_error;
} shakes[] = {
	{ "3 1 1 leaf", "leaf ca", true, false, true, 0, X509_V_OK },
	{ "3 1 1 leaf", "leaf ca", true, true, true, 0, X509_V_OK },
	{ "3 1 1 self", "self", true, false, true, 0, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT },
	{ "3 1 1 self", "self", true, true, false, 0,
	    X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT }, // MTA-STS is checked in addition
	{ "3 1 1 fake", "leaf ca", true, false, false, DANE_NOMATCH, X509_V_OK },
	{ "3 1 1 fake", "leaf ca", false, false, true, DANE_NOMATCH, X509_V_OK },
	{ "", "leaf ca", false, true, true, DANE_NORECORDS, X509_V_OK },
	{ "", "expired ca", false, true, false, DANE_NORECORDS, X509_V_ERR_CERT_HAS_EXPIRED },
	{ "", "expired ca", false, false, true, DANE_NORECORDS, X509_V_ERR_CERT_HAS_EXPIRED },
	{ "", "leaf ca", true, false, false, DANE_NORECORDS, X509_V_OK },
	{ "3 1 9 leaf", "leaf ca", true, false, false, DANE_UNUSABLE, X509_V_OK },
};

TEST(handshakes)
{
	X509_STORE *store = roots();
	struct str name = S("mail.example.org");

	for (size_t i = 0; i < ARRAY_LEN(shakes); i++) {
		struct dane_record v[4];
		struct dane_handshake h = {
			.a = test_arena(),
			.host = name,
			.require_dane = shakes[i].require_dane,
			.require_pkix = shakes[i].require_pkix,
			.check = { .records = v, .names = &name, .nnames = 1, .roots = store, .clock = test_clock() },
		};
		struct pair p = make_pair(shakes[i].chain);

		test_row("%zu: %s", i, shakes[i].records);
		h.check.n = make_records(shakes[i].records, v);
		dane_ctx(p.cctx);
		assert_ok(dane_attach(p.client, &h));
		shake(p.client, p.server);
		assert_true(h.seen);
		assert_int_equal(h.dane_error, shakes[i].dane_error);
		assert_int_equal(h.pkix_error, shakes[i].pkix_error);
		assert_int_equal(SSL_is_init_finished(p.client) && SSL_is_init_finished(p.server), shakes[i].ok);
		if (shakes[i].ok)
			assert_string_equal(
			    SSL_get_servername(p.server, TLSEXT_NAMETYPE_host_name), "mail.example.org");
		assert_true(SSL_get_min_proto_version(p.client) == TLS1_2_VERSION);
		free_pair(&p);
	}
	X509_STORE_free(store);
}

TEST(handshake_without_check)
{
	struct pair p = make_pair("self");
	struct dane_handshake h = { .a = test_arena(), .host = S("a\0b") };

	dane_ctx(p.cctx);
	assert_err(dane_attach(p.client, &h), ERR_INVALID);
	shake(p.client, p.server);
	assert_int_equal(SSL_is_init_finished(p.client), 1);
	assert_false(h.seen);
	free_pair(&p);
}
