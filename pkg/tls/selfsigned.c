/* SPDX-License-Identifier: MIT */
/*
 * Self-signed certificates, for localserve and tests.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/ip.h"
#include "base/randutil.h"
#include "tls/tls_internal.h"

static struct str
bio_text(struct arena *a, BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	return str_dup(a, str_n(p, n > 0 ? (size_t)n : 0));
}

static bool
add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool
fill(X509 *x, EVP_PKEY *key, const char *name, const char *alt, int days)
{
	uint64_t serial = rand_u64() >> 1;      /* positive: RFC 5280 4.1.2.2 */
	X509_NAME *n = X509_get_subject_name(x);

	return X509_set_version(x, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&       /* clocks of clients differ */
	    X509_gmtime_adj(X509_getm_notAfter(x), (long)days * 86400) != NULL &&
	    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(x, n) == 1 && X509_set_pubkey(x, key) == 1 &&
	    add_extension(x, NID_subject_alt_name, alt) &&
	    add_extension(x, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(x, NID_ext_key_usage, "serverAuth,clientAuth") &&
	    X509_sign(x, key, EVP_sha256()) > 0;
}

int
tls_selfsigned(struct arena *a, const char *name, int days, struct str *r_cert_pem, struct str *r_key_pem, struct errmsg *e)
{
	BIO *cert = BIO_new(BIO_s_mem()), *priv = BIO_new(BIO_s_mem());
	EVP_PKEY *key;
	X509 *x = X509_new();
	struct ip ip;
	struct str alt, t;
	int r = 0;

	ERR_clear_error();
	key = EVP_EC_gen("P-256");
	/* The extension is given as text: a name with its separators in it would be read as several. */
	if (strpbrk(name, ",:\n") != NULL && ip_parse(str_of(name), &ip) < 0)
		r = err_set(e, ERR_INVALID, "name for a certificate has characters that cannot be in one");
	alt = str_fmt(a, "%s:%s", ip_parse(str_of(name), &ip) == 0 ? "IP" : "DNS", name);
	if (r == 0 && (key == NULL || x == NULL || cert == NULL || priv == NULL || !fill(x, key, name, alt.p, days) ||
	    PEM_write_bio_X509(cert, x) != 1 || PEM_write_bio_PrivateKey(priv, key, NULL, NULL, 0, NULL, NULL) != 1)) {
		t = tls_error(a);
		r = err_set(e, ERR_INVALID, "make certificate: " STRF, STRA(t));
	}
	if (r == 0) {
		*r_cert_pem = bio_text(a, cert);
		*r_key_pem = bio_text(a, priv);
	}
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(cert);
	BIO_free(priv);
	return r;
}
