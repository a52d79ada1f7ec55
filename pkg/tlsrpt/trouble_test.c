/* SPDX-License-Identifier: MIT */
/* trouble_test.c - names of failures, by table and by handshakes that fail in fact. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "testutil/testutil.h"
#include "tlsrpt/tlsrpt.h"

TEST(names)
{
	static const struct {
		struct tlsrpt_trouble t;
		const char *type, *reason;
	} rows[] = {
		{ { .verify_error = X509_V_ERR_CERT_HAS_EXPIRED }, "certificate-expired", "" },
		{ { .verify_error = X509_V_ERR_HOSTNAME_MISMATCH }, "certificate-host-mismatch", "" },
		{ { .verify_error = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY }, "certificate-not-trusted", "" },
		{ { .verify_error = X509_V_ERR_STORE_LOOKUP }, "certificate-not-trusted", "no-system-roots" },
		{ { .verify_error = X509_V_ERR_INVALID_CA }, "certificate-not-trusted", "not-authorized-to-sign" },
		{ { .verify_error = X509_V_ERR_PERMITTED_VIOLATION }, "certificate-not-trusted",
		    "ca-not-authorized-for-this-name" },
		{ { .verify_error = X509_V_ERR_PATH_LENGTH_EXCEEDED }, "certificate-not-trusted",
		    "too-many-intermediates" },
		{ { .verify_error = X509_V_ERR_INVALID_PURPOSE }, "certificate-not-trusted", "incompatible-key-usage" },
		{ { .verify_error = X509_V_ERR_SUBJECT_ISSUER_MISMATCH }, "certificate-not-trusted",
		    "parent-subject-child-issuer-mismatch" },
		{ { .verify_error = X509_V_ERR_CERT_SIGNATURE_FAILURE }, "validation-failure",
		    "certificate-signature-failure" },
		{ { .dane_no_match = true }, "validation-failure", "dane-no-match" },
		{ { .verify_error = X509_V_ERR_DANE_NO_MATCH }, "validation-failure", "dane-no-match" },
		{ { .dane_no_match = true, .dane_errors = true }, "validation-failure", "dane-no-match+errors" },
		{ { .has_remote_alert = true, .remote_alert = SSL_AD_HANDSHAKE_FAILURE }, "validation-failure",
		    "tls-remote-alert-40-handshake-failure" },
		{ { .has_remote_alert = true, .remote_alert = 255 }, "validation-failure", "tls-remote-alert-255" },
		{ { .has_local_alert = true, .local_alert = SSL_AD_PROTOCOL_VERSION }, "validation-failure",
		    "tls-local-alert-70-protocol-version" },
		{ { .not_tls = true }, "validation-failure", "tls-record-header-error" },
		{ { .timeout = true }, "validation-failure", "io-timeout-during-handshake" },
		{ { .closed = true }, "validation-failure", "connection-closed-during-handshake" },
		{ { 0 }, "validation-failure", "" },
		{ { .verify_error = X509_V_ERR_CERT_HAS_EXPIRED, .has_local_alert = true, .closed = true },
		    "certificate-expired", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str type, reason;

		test_row("%zu %s %s", i, rows[i].type, rows[i].reason);
		tlsrpt_classify(test_arena(), &rows[i].t, &type, &reason);
		assert_strz(type, rows[i].type);
		assert_strz(reason, rows[i].reason);
	}
}

/* A self-signed certificate for mail.example, in the client's store or not, out of date or not. */
struct fixture {
	EVP_PKEY *key;
	X509 *cert;
	SSL_CTX *cctx, *sctx;
	SSL *client, *server;
	BIO *near, *far; /* ends of the client's connection: near is its own */
};

static struct fixture
make(long days, bool trusted, const char *host)
{
	struct fixture f = { .key = EVP_EC_gen("P-256"),
		.cert = X509_new(),
		.cctx = SSL_CTX_new(TLS_client_method()),
		.sctx = SSL_CTX_new(TLS_server_method()) };
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509_set_version(f.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(f.cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(f.cert), -100 * 86400);
	X509_gmtime_adj(X509_getm_notAfter(f.cert), days * 86400);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(f.cert), "O", MBSTRING_UTF8, (const unsigned char *)"x", -1, -1, 0);
	X509_set_issuer_name(f.cert, X509_get_subject_name(f.cert));
	X509_set_pubkey(f.cert, f.key);
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, f.cert, f.cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, "DNS:mail.example");
	X509_add_ext(f.cert, ext, -1);
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(f.cert, f.key, EVP_sha256()) > 0);
	SSL_CTX_use_certificate(f.sctx, f.cert);
	SSL_CTX_use_PrivateKey(f.sctx, f.key);
	if (trusted)
		X509_STORE_add_cert(SSL_CTX_get_cert_store(f.cctx), f.cert);
	SSL_CTX_set_verify(f.cctx, SSL_VERIFY_PEER, NULL);
	f.client = SSL_new(f.cctx);
	f.server = SSL_new(f.sctx);
	SSL_set1_host(f.client, host);
	assert_int_equal(BIO_new_bio_pair(&f.near, 65536, &f.far, 65536), 1);
	SSL_set_bio(f.client, f.near, f.near);
	SSL_set_connect_state(f.client);
	SSL_set_accept_state(f.server);
	return f;
}

static void
done(struct fixture *f)
{
	SSL_free(f->client);
	SSL_free(f->server);
	SSL_CTX_free(f->cctx);
	SSL_CTX_free(f->sctx);
	X509_free(f->cert);
	EVP_PKEY_free(f->key);
	ERR_clear_error();
}

/* Handshakes until the client fails. */
static void
shake(struct fixture *f, struct tlsrpt_trouble *t)
{
	tlsrpt_watch(f->client, t);
	for (int i = 0; i < 10; i++) {
		int n;

		ERR_clear_error();
		n = SSL_do_handshake(f->client);
		if (n != 1 && SSL_get_error(f->client, n) != SSL_ERROR_WANT_READ) {
			tlsrpt_note(f->client, n, t);
			return;
		}
		ERR_clear_error();
		ignore_result(SSL_do_handshake(f->server));
	}
}

enum act { SERVE, ONLY_OLD, GARBAGE, HTTP, CLOSE, REFUSE };

TEST(handshakes)
{
	static const struct {
		long days;
		bool trusted;
		const char *host;
		enum act act;
		const char *type, *reason;
	} rows[] = {
		{ 10, true, "mail.example", SERVE, NULL, NULL },
		{ -10, true, "mail.example", SERVE, "certificate-expired", "" },
		{ 10, true, "other.example", SERVE, "certificate-host-mismatch", "" },
		{ 10, false, "mail.example", SERVE, "certificate-not-trusted", "" },
		{ 10, true, "mail.example", ONLY_OLD, "validation-failure", "tls-remote-alert-70-protocol-version" },
		{ 10, true, "mail.example", GARBAGE, "validation-failure", "tls-record-header-error" },
		{ 10, true, "mail.example", HTTP, "validation-failure", "tls-record-header-error" },
		{ 10, true, "mail.example", CLOSE, "validation-failure", "connection-closed-during-handshake" },
		{ 10, true, "mail.example", REFUSE, "validation-failure", "tls-remote-alert-40-handshake-failure" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f = make(rows[i].days, rows[i].trusted, rows[i].host);
		struct tlsrpt_trouble t = { 0 };
		struct str type, reason;

		test_row("%zu", i);
		if (rows[i].act == ONLY_OLD)
			SSL_set_max_proto_version(f.client, TLS1_2_VERSION);
		if (rows[i].act == ONLY_OLD)
			SSL_set_min_proto_version(f.server, TLS1_3_VERSION);
		if (rows[i].act == REFUSE) {
			SSL_set_max_proto_version(f.client, TLS1_2_VERSION);
			SSL_set_cipher_list(f.client, "ECDHE-RSA-AES128-GCM-SHA256");
		}
		if (rows[i].act == GARBAGE)
			assert_int_equal(BIO_write(f.far, "220 mail.example ESMTP\r\n", 24), 24);
		if (rows[i].act == HTTP)
			assert_int_equal(BIO_write(f.far, "HTTP/1.1 400 Bad Request\r\n\r\n", 28), 28);
		if (rows[i].act == CLOSE)
			BIO_shutdown_wr(f.far);
		SSL_set_bio(f.server, f.far, f.far);
		shake(&f, &t);
		t.verify_error = (int)SSL_get_verify_result(f.client);
		if (!rows[i].type) {
			assert_int_equal(SSL_is_init_finished(f.client), 1);
			assert_false(t.has_local_alert || t.has_remote_alert || t.closed || t.not_tls);
		} else {
			tlsrpt_classify(test_arena(), &t, &type, &reason);
			assert_strz(type, rows[i].type);
			assert_strz(reason, rows[i].reason);
		}
		tlsrpt_watch(f.client, NULL);
		done(&f);
	}
}
