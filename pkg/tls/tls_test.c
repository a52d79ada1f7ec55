/* SPDX-License-Identifier: MIT */
#include "tls/tls.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/fd.h"
#include "base/timeutil.h"
#include "testutil/testutil.h"
#include "tls/tls_internal.h"

static struct str cert, key, cert2, key2;

static void
make_certs(void)
{
	assert_ok(tls_selfsigned(test_arena(), "mail.example", 30, &cert, &key, NULL));
	assert_ok(tls_selfsigned(test_arena(), "other.example", 30, &cert2, &key2, NULL));
}

/* Both ends of a connection, in one thread. */
struct pair {
	SSL *client, *server;
	int c, s;                       /* results of the handshakes: 1 or what SSL_get_error says, negated */
};

static int
shake(SSL *ssl)
{
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(ssl);
	return r == 1 ? 1 : -SSL_get_error(ssl, r);
}

static bool
wants_more(int r)
{
	return r == -SSL_ERROR_WANT_READ || r == -SSL_ERROR_WANT_WRITE;
}

/* set_up adjusts the client before the handshake; may be NULL. */
static void
pair_open(struct pair *p, struct tls_ctx *server, struct tls_ctx *client, void (*set_up)(SSL *ssl, void *arg), void *arg)
{
	BIO *a, *b;

	assert_int_equal(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
	*p = (struct pair){ tls_ctx_session(client, -1, false), tls_ctx_session(server, -1, true), 0, 0 };
	SSL_set_bio(p->client, a, a);
	SSL_set_bio(p->server, b, b);
	if (set_up)
		set_up(p->client, arg);
	for (int i = 0; i < 20; i++) {
		if (p->c == 0 || wants_more(p->c))
			p->c = shake(p->client);
		if (p->s == 0 || wants_more(p->s))
			p->s = shake(p->server);
	}
}

static void
pair_close(struct pair *p)
{
	SSL_shutdown(p->client);
	SSL_shutdown(p->server);
	SSL_free(p->client);
	SSL_free(p->server);
	ERR_clear_error();
}

/* Data in both directions; the client takes tickets on the way. */
static void
pair_talk(struct pair *p)
{
	char b[10];

	assert_int_equal(SSL_write(p->client, "ping", 4), 4);
	while (SSL_read(p->server, b, sizeof(b)) != 4)
		assert_int_equal(SSL_get_error(p->server, -1), SSL_ERROR_WANT_READ);
	assert_int_equal(SSL_write(p->server, "pong", 4), 4);
	while (SSL_read(p->client, b, sizeof(b)) != 4)
		assert_int_equal(SSL_get_error(p->client, -1), SSL_ERROR_WANT_READ);
}

static struct tls_ctx *
context(struct tls_ctx_opts o)
{
	struct tls_ctx *c = NULL;
	struct errmsg e = { 0 };

	assert_ok(tls_ctx_new(&o, &c, &e));
	return c;
}

static struct tls_ctx *
server_context(void)
{
	make_certs();
	return context((struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key });
}

static struct tls_ctx *
client_context(void)
{
	return context((struct tls_ctx_opts){ 0 });
}

/* --- contexts --- */

TEST(tls_ctx_from_files)
{
	char c[200], k[200];
	struct tls_ctx *ctx;
	struct errmsg e = { 0 };

	make_certs();
	snprintf(c, sizeof(c), "%s/cert.pem", test_dir());
	snprintf(k, sizeof(k), "%s/key.pem", test_dir());
	assert_ok(fd_write_file(c, cert, 0600, NULL));
	assert_ok(fd_write_file(k, key, 0600, NULL));
	ctx = context((struct tls_ctx_opts){ .cert_file = c, .key_file = k });
	tls_ctx_unref(&ctx);
	assert_null(ctx);
	tls_ctx_unref(&ctx);
	assert_ok(fd_write_file(c, str_cat(test_arena(), cert, key), 0600, NULL));
	ctx = context((struct tls_ctx_opts){ .cert_file = c });         /* both in one */
	tls_ctx_unref(&ctx);
	assert_err(tls_ctx_new(&(struct tls_ctx_opts){ .cert_file = "/nonexistent" }, &ctx, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "/nonexistent"));
	assert_int_equal(ERR_peek_error(), 0);
}

TEST(tls_ctx_bad_pem)
{
	static const struct {
		const char *name, *cert, *key;
	} rows[] = {
		{ "no certificate", "x", NULL },
		{ "no key", NULL, "x" },
		{ "empty key", NULL, "" },
		{ "key of another certificate", NULL, "other" },
	};

	make_certs();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tls_ctx *ctx = NULL;
		struct errmsg e = { 0 };
		struct tls_ctx_opts o = {
			.cert_pem = rows[i].cert ? str_of(rows[i].cert) : cert,
			.key_pem = rows[i].key ? str_of(rows[i].key) : key,
		};

		test_row("%s", rows[i].name);
		if (rows[i].key && strcmp(rows[i].key, "other") == 0)
			o.key_pem = key2;
		assert_err(tls_ctx_new(&o, &ctx, &e), ERR_INVALID);
		assert_null(ctx);
		assert_int_not_equal(e.text[0], '\0');
		assert_int_equal(ERR_peek_error(), 0);
	}
}

TEST(tls_chain_is_sent)
{
	struct tls_ctx *server, *client = client_context();
	struct pair p;

	make_certs();
	server = context((struct tls_ctx_opts){ .cert_pem = str_cat(test_arena(), cert, cert2), .key_pem = key });
	/* The second takes all from the first, and outlives it. */
	for (int i = 0; i < 2; i++) {
		struct tls_ctx *same = context((struct tls_ctx_opts){ .same_cert = server, .cert_file = "/not/looked/at" });

		pair_open(&p, server, client, NULL, NULL);
		assert_int_equal(p.c, 1);
		assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(p.client)), 2);
		pair_close(&p);
		tls_ctx_unref(&server);
		server = same;
	}
	tls_ctx_unref(&server);
	tls_ctx_unref(&client);
}

static void
client_version(SSL *ssl, void *arg)
{
	int v = *(int *)arg;

	SSL_set_min_proto_version(ssl, v);
	SSL_set_max_proto_version(ssl, v);
	SSL_set_security_level(ssl, 0);
}

TEST(tls_versions)
{
	static const struct {
		int min, client;
		bool ok;
	} rows[] = {
		{ 0, TLS1_3_VERSION, true },
		{ 0, TLS1_2_VERSION, true },
		{ 0, TLS1_1_VERSION, false },           /* rfc/8996:285 */
		{ TLS1_3_VERSION, TLS1_2_VERSION, false },
	};
	struct tls_ctx *client = client_context();

	make_certs();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tls_ctx_opts o = { .cert_pem = cert, .key_pem = key, .min_version = rows[i].min };
		struct tls_ctx *server = context(o);
		struct tls_info info;
		struct pair p;
		int v = rows[i].client;

		test_row("min %x client %x", rows[i].min, v);
		pair_open(&p, server, client, client_version, &v);
		assert_int_equal(p.s == 1, rows[i].ok);
		if (rows[i].ok) {
			tls_describe(test_arena(), p.server, &info);
			assert_int_equal(info.version, v);
			assert_strz(info.version_name, v == TLS1_3_VERSION ? "TLS1.3" : "TLS1.2");
			assert_true(str_starts(info.cipher_name, S("TLS_")));
			assert_int_not_equal(info.cipher_id, 0);
			pair_talk(&p);
		}
		pair_close(&p);
		tls_ctx_unref(&server);
	}
	tls_ctx_unref(&client);
}

TEST(tls_no_renegotiation)
{
	struct tls_ctx *server = server_context(), *client = client_context();
	struct pair p;
	int v = TLS1_2_VERSION;
	char b[10];

	pair_open(&p, server, client, client_version, &v);
	assert_int_equal(p.s, 1);
	SSL_clear_options(p.client, SSL_OP_NO_RENEGOTIATION);
	assert_int_equal(SSL_renegotiate(p.client), 1);
	for (int i = 0; i < 10; i++) {
		ignore_result(SSL_do_handshake(p.client));
		ignore_result(SSL_read(p.server, b, sizeof(b)));
	}
	assert_int_not_equal(SSL_is_init_finished(p.client), 1);
	pair_close(&p);
	tls_ctx_unref(&server);
	tls_ctx_unref(&client);
}

/* --- ALPN: RFC 7301 3.2, and ALPACA --- */

static void
client_alpn(SSL *ssl, void *arg)
{
	const struct str *protos = arg;

	if (protos->n > 0)
		assert_int_equal(SSL_set_alpn_protos(ssl, (const uint8_t *)protos->p, (unsigned)protos->n), 0);
}

TEST(tls_alpn)
{
	static const struct {
		const char *server;
		struct str client;
		const char *agreed;             /* NULL: refused */
	} rows[] = {
		{ "imap", { "", 0 }, "" },
		{ "imap", { "\4imap", 5 }, "imap" },
		{ "imap", { "\2h2\4imap", 8 }, "imap" },
		{ "imap", { "\2h2", 3 }, NULL },
		{ "imap", { "\2h2\10http/1.1", 12 }, NULL },
		{ "imap", { "\5imaps", 6 }, NULL },
		{ "imap", { "\3ima", 4 }, NULL },
		{ NULL, { "\2h2", 3 }, "" },
	};
	struct tls_ctx *client = client_context();

	make_certs();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tls_ctx_opts o = { .cert_pem = cert, .key_pem = key, .alpn = rows[i].server };
		struct tls_ctx *server = context(o);
		struct str offer = rows[i].client;
		struct tls_info info;
		struct pair p;

		test_row("%zu", i);
		pair_open(&p, server, client, client_alpn, &offer);
		assert_int_equal(p.s == 1, rows[i].agreed != NULL);
		if (rows[i].agreed) {
			tls_describe(test_arena(), p.server, &info);
			assert_strz(info.alpn, rows[i].agreed);
		} else {
			assert_int_equal(p.c, -SSL_ERROR_SSL);
		}
		pair_close(&p);
		tls_ctx_unref(&server);
	}
	tls_ctx_unref(&client);
}

/* --- server names --- */

static void
client_sni(SSL *ssl, void *arg)
{
	if (arg)
		assert_int_equal(SSL_set_tlsext_host_name(ssl, (const char *)arg), 1);
}

static struct tls_ctx *
by_name(void *arg, struct str name)
{
	return str_is(name, S("other.example")) ? tls_ctx_ref(arg) : NULL;
}

TEST(tls_server_names)
{
	static const struct {
		const char *sni, *subject;
	} rows[] = {
		{ NULL, "mail.example" },
		{ "mail.example", "mail.example" },
		{ "other.example", "other.example" },
		{ "x.example", "mail.example" },
	};
	struct tls_ctx *client = client_context(), *other, *server;

	make_certs();
	other = context((struct tls_ctx_opts){ .cert_pem = cert2, .key_pem = key2, .tickets = true });
	server = context((struct tls_ctx_opts){
		.cert_pem = cert, .key_pem = key, .tickets = true, .by_name = by_name, .by_name_arg = other,
	});
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tls_info info;
		struct pair p;
		char sni[40] = "";

		snprintf(sni, sizeof(sni), "%s", rows[i].sni ? rows[i].sni : "");
		test_row("%s", sni);
		pair_open(&p, server, client, client_sni, rows[i].sni ? sni : NULL);
		assert_int_equal(p.s, 1);
		tls_describe(test_arena(), p.server, &info);
		assert_strz(info.sni, sni);
		assert_int_equal(X509_check_host(SSL_get0_peer_certificate(p.client), rows[i].subject, 0, 0, NULL), 1);
		pair_talk(&p);
		pair_close(&p);
	}
	tls_ctx_unref(&server);
	tls_ctx_unref(&other);
	tls_ctx_unref(&client);
}

/* --- tickets --- */

static int64_t now_us;

static int64_t
fake_now(void *arg unused_)
{
	return now_us;
}

static void
client_session(SSL *ssl, void *arg)
{
	if (arg)
		assert_int_equal(SSL_set_session(ssl, arg), 1);
}

/* One connection; returns its session for the next, and whether it was resumed. */
static SSL_SESSION *
visit(struct tls_ctx *server, struct tls_ctx *client, SSL_SESSION *session, bool *r_resumed)
{
	struct tls_info info;
	struct pair p;

	pair_open(&p, server, client, client_session, session);
	assert_int_equal(p.s, 1);
	pair_talk(&p);
	tls_describe(test_arena(), p.server, &info);
	*r_resumed = info.resumed;
	SSL_SESSION_free(session);
	session = SSL_get1_session(p.client);
	pair_close(&p);
	return session;
}

TEST(tls_tickets_rotate)
{
	static const struct clock clock = { .now_us = fake_now };
	struct tls_ctx *client = client_context(), *server, *other;
	SSL_SESSION *s = NULL;
	bool resumed;

	make_certs();
	now_us = time_now_us();
	server = context((struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key, .tickets = true, .clock = &clock });
	other = context((struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key, .tickets = true, .clock = &clock });
	s = visit(server, client, s, &resumed);
	assert_false(resumed);
	s = visit(server, client, s, &resumed);
	assert_true(resumed);
	/* Under the same key the whole day; then a new one, and tickets of the old one still open, and are replaced. */
	now_us += TIME_DAY;
	s = visit(server, client, s, &resumed);
	assert_true(resumed);
	assert_int_equal(((struct tls_ctx *)server)->tickets[0].made_us, now_us);
	/* Each context (listener) has keys of its own. */
	SSL_SESSION_up_ref(s);
	SSL_SESSION_free(visit(other, client, s, &resumed));
	assert_false(resumed);
	/* Seven keys later the ticket's key is the oldest that still opens, one later it is gone. */
	for (int i = 0; i < 7; i++) {
		now_us += TIME_DAY;
		SSL_SESSION_free(visit(server, client, NULL, &resumed));
	}
	SSL_SESSION_up_ref(s);
	SSL_SESSION_free(visit(server, client, s, &resumed));
	assert_true(resumed);
	now_us += TIME_DAY;
	s = visit(server, client, s, &resumed);
	assert_false(resumed);
	/* A server without visitors does not rotate; age counts. */
	now_us += 8 * TIME_DAY;
	s = visit(server, client, s, &resumed);
	assert_false(resumed);
	SSL_SESSION_free(s);
	tls_ctx_unref(&server);
	tls_ctx_unref(&other);
	tls_ctx_unref(&client);
}

TEST(tls_tickets_off)
{
	struct tls_ctx *server = server_context(), *client = client_context();
	SSL_SESSION *s = NULL;
	bool resumed;

	s = visit(server, client, s, &resumed);
	s = visit(server, client, s, &resumed);
	assert_false(resumed);
	SSL_SESSION_free(s);
	tls_ctx_unref(&server);
	tls_ctx_unref(&client);
}

/* --- client keys --- */

struct keys {
	struct str allowed;
	int asked;
};

static bool
verify_key(void *arg, struct str fp)
{
	struct keys *k = arg;

	k->asked++;
	return str_is(fp, k->allowed);
}

static struct str
fingerprint(struct str pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	char fp[TLS_FINGERPRINT_LEN + 1];

	assert_ok(tls_key_fingerprint(x, fp));
	X509_free(x);
	BIO_free(b);
	return str_dup(test_arena(), str_of(fp));
}

TEST(tls_client_keys)
{
	struct tls_ctx *server, *none = client_context(), *known, *stranger;
	struct keys keys = { 0 };
	struct tls_info info;
	struct pair p;

	make_certs();
	keys.allowed = fingerprint(cert2);
	server = context((struct tls_ctx_opts){
		.cert_pem = cert, .key_pem = key, .request_client_cert = true, .verify_key = verify_key, .verify_arg = &keys,
	});
	known = context((struct tls_ctx_opts){ .cert_pem = cert2, .key_pem = key2 });
	stranger = context((struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key });
	/* Asked for, not required. */
	pair_open(&p, server, none, NULL, NULL);
	assert_int_equal(p.s, 1);
	tls_describe(test_arena(), p.server, &info);
	assert_str(info.client_key, S(""));
	assert_int_equal(keys.asked, 0);
	pair_close(&p);
	pair_open(&p, server, known, NULL, NULL);
	assert_int_equal(p.s, 1);
	tls_describe(test_arena(), p.server, &info);
	assert_str(info.client_key, keys.allowed);
	assert_int_equal(keys.asked, 1);
	pair_close(&p);
	pair_open(&p, server, stranger, NULL, NULL);
	assert_int_equal(p.s, -SSL_ERROR_SSL);
	assert_int_equal(keys.asked, 2);
	pair_close(&p);
	tls_ctx_unref(&server);
	tls_ctx_unref(&none);
	tls_ctx_unref(&known);
	tls_ctx_unref(&stranger);
}

/* The key stays known when the session is resumed. */
TEST(tls_client_key_resumed)
{
	struct tls_ctx *server, *client;
	SSL_SESSION *s = NULL;
	struct tls_info info;
	struct pair p;
	bool resumed;

	make_certs();
	server = context((struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key, .request_client_cert = true, .tickets = true });
	client = context((struct tls_ctx_opts){ .cert_pem = cert2, .key_pem = key2 });
	s = visit(server, client, s, &resumed);
	pair_open(&p, server, client, client_session, s);
	assert_int_equal(p.s, 1);
	tls_describe(test_arena(), p.server, &info);
	assert_true(info.resumed);
	assert_str(info.client_key, fingerprint(cert2));
	pair_close(&p);
	SSL_SESSION_free(s);
	tls_ctx_unref(&server);
	tls_ctx_unref(&client);
}

/* --- channel bindings --- */

TEST(tls_bindings)
{
	struct tls_ctx *server, *client = client_context();

	make_certs();
	server = context((struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key, .tickets = true });
	for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
		struct str a = { 0 }, b = { 0 };
		uint8_t x[32], y[32];
		struct pair p;

		test_row("version %x", v);
		pair_open(&p, server, client, client_version, &v);
		assert_int_equal(p.s, 1);
		/* RFC 9266: only TLS 1.3; RFC 5929 tls-unique: only 1.2 */
		if (v == TLS1_3_VERSION) {
			assert_ok(tls_exporter(p.server, x));
			assert_ok(tls_exporter(p.client, y));
			assert_memory_equal(x, y, 32);
			assert_err(tls_unique(test_arena(), p.server, &a), ERR_UNSUPPORTED);
		} else {
			assert_err(tls_exporter(p.server, x), ERR_UNSUPPORTED);
			assert_ok(tls_unique(test_arena(), p.server, &a));
			assert_ok(tls_unique(test_arena(), p.client, &b));
			assert_str(a, b);
			assert_int_equal(a.n, 12);
		}
		assert_ok(tls_server_end_point(test_arena(), p.server, &a));
		assert_ok(tls_server_end_point(test_arena(), p.client, &b));
		assert_str(a, b);
		assert_int_equal(a.n, 32);
		pair_close(&p);
	}
	tls_ctx_unref(&server);
	tls_ctx_unref(&client);
}

/* rfc/5929:161: of a resumed session the first Finished message is the server's. */
TEST(tls_unique_resumed)
{
	struct tls_ctx *server, *client = client_context();
	struct str a, b;
	struct pair p;
	SSL_SESSION *s;
	int v = TLS1_2_VERSION;

	make_certs();
	server = context((struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key, .tickets = true });
	SSL_CTX_set_max_proto_version(tls_ctx_raw(client), v);
	SSL_CTX_clear_options(tls_ctx_raw(client), SSL_OP_NO_TICKET);
	pair_open(&p, server, client, NULL, NULL);
	s = SSL_get1_session(p.client);
	pair_close(&p);
	pair_open(&p, server, client, client_session, s);
	assert_int_equal(SSL_session_reused(p.server), 1);
	assert_ok(tls_unique(test_arena(), p.server, &a));
	assert_ok(tls_unique(test_arena(), p.client, &b));
	assert_str(a, b);
	pair_close(&p);
	SSL_SESSION_free(s);
	tls_ctx_unref(&server);
	tls_ctx_unref(&client);
}

/* --- certificates --- */

TEST(tls_selfsigned_names)
{
	static const struct {
		const char *name;
		bool ok;
	} rows[] = {
		{ "localhost", true }, { "mail.example", true }, { "127.0.0.1", true }, { "::1", true },
		{ "a,DNS:b", false }, { "a:b", false }, { "a\nb", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str c, k;
		struct errmsg e = { 0 };
		X509 *x;
		BIO *b;
		int r;

		test_row("%s", rows[i].name);
		r = tls_selfsigned(test_arena(), rows[i].name, 1, &c, &k, &e);
		if (!rows[i].ok) {
			assert_int_equal(r, ERR_INVALID);
			continue;
		}
		assert_int_equal(r, 0);
		b = BIO_new_mem_buf(c.p, (int)c.n);
		x = PEM_read_bio_X509(b, NULL, NULL, NULL);
		assert_true(X509_check_host(x, rows[i].name, 0, 0, NULL) == 1 || X509_check_ip_asc(x, rows[i].name, 0) == 1);
		assert_true(X509_cmp_current_time(X509_get0_notAfter(x)) > 0);
		X509_free(x);
		BIO_free(b);
	}
	ERR_clear_error();
}

TEST(tls_error_text)
{
	struct str t;

	ERR_clear_error();
	assert_str(tls_error(test_arena()), S("no TLS error recorded"));
	ERR_raise(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);
	ERR_raise_data(ERR_LIB_SSL, SSL_R_BAD_DATA, "more");
	t = tls_error(test_arena());
	assert_str(t, S("wrong version number; bad data (more)"));
	assert_int_equal(ERR_peek_error(), 0);
}
