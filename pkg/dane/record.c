/* SPDX-License-Identifier: MIT */
/* record.c - TLSA records: as text, of certificates and keys, which of them to use. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/enc.h"
#include "base/hash.h"
#include "dane/dane_internal.h"

/* Names of RFC 7218, and those of our command line. */
static const char *const usages[] = { "pkix-ta", "pkix-ee", "dane-ta", "dane-ee" };
static const char *const selectors[] = { "cert", "spki" };
static const char *const matchings[] = { "full", "sha2-256", "sha2-512" };

static int
parse_number(struct str s, const char *const *names, size_t n, uint8_t *r_v)
{
	uint32_t v;

	for (size_t i = 0; i < n; i++)
		if (str_icase(s, str_of(names[i]))) {
			*r_v = (uint8_t)i;
			return 0;
		}
	if (str_u32(s, &v) < 0 || v > 255)
		return ERR_INVALID;
	*r_v = (uint8_t)v;
	return 0;
}

int
dane_parse_usage(struct str s, uint8_t *r_v)
{
	return parse_number(s, usages, ARRAY_LEN(usages), r_v);
}

int
dane_parse_selector(struct str s, uint8_t *r_v)
{
	return parse_number(s, selectors, ARRAY_LEN(selectors), r_v);
}

int
dane_parse_matching(struct str s, uint8_t *r_v)
{
	return parse_number(s, matchings, ARRAY_LEN(matchings), r_v);
}

const char *
dane_usage_text(uint8_t usage)
{
	return usage < ARRAY_LEN(usages) ? usages[usage] : "unknown";
}

int
dane_parse_usages(struct str s, unsigned *r_set)
{
	unsigned set = 0;

	do {
		uint8_t v;

		TRY(dane_parse_usage(str_trim(str_split(&s, ',')), &v));
		if (v > DANE_DANE_EE)
			return ERR_INVALID;
		set |= 1u << v;
	} while (s.n > 0);
	*r_set = set;
	return 0;
}

struct str
dane_text(struct arena *a, const struct dane_record *r)
{
	struct str hex = enc_hex(a, r->data);

	return str_fmt(a, "%u %u %u " STRF, r->usage, r->selector, r->matching, STRA(hex));
}

static struct str
word(struct str *s)
{
	struct str w;

	*s = str_trim(*s);
	w = str_split(s, ' ');
	*s = str_trim(*s);
	return w;
}

int
dane_parse(struct arena *a, struct str text, struct dane_record *r_record, struct errmsg *e)
{
	struct dane_record r;
	struct buf hex = BUF_ARENA(a, DANE_MAX_TEXT);

	if (dane_parse_usage(word(&text), &r.usage) < 0 || dane_parse_selector(word(&text), &r.selector) < 0 ||
	    dane_parse_matching(word(&text), &r.matching) < 0)
		return err_set(e, ERR_INVALID, "a TLSA record is: usage selector matching data");
	/* Blanks within the data are how zone files show it: rfc/6698:516 */
	while (text.n > 0)
		buf_add(&hex, word(&text));
	if (hex.failed || hex.n == 0 || enc_unhex(a, buf_str(&hex), &r.data) < 0)
		return err_set(e, ERR_INVALID, "the data of a TLSA record is hexadecimal");
	*r_record = r;
	return 0;
}

/* The value of a record: what was selected, or its hash. */
static int
associate(struct arena *a, uint8_t usage, uint8_t selector, uint8_t matching, struct str der,
    struct dane_record *r_record, struct errmsg *e)
{
	struct dane_record r = { usage, selector, matching, der };

	if (matching == DANE_SHA256) {
		uint8_t hash[32];

		hash_sha256(der, hash);
		r.data = str_dup(a, str_n((const char *)hash, sizeof(hash)));
	} else if (matching == DANE_SHA512) {
		uint8_t hash[64];

		if (EVP_Digest(der.p, der.n, hash, NULL, EVP_sha512(), NULL) != 1)
			return err_set(e, ERR_UNSUPPORTED, "no SHA-512");
		r.data = str_dup(a, str_n((const char *)hash, sizeof(hash)));
	} else if (matching != DANE_FULL) {
		return err_set(e, ERR_UNSUPPORTED, "unknown matching type %u", matching);
	}
	*r_record = r;
	return 0;
}

static struct str
take_der(struct arena *a, unsigned char *der, int n)
{
	struct str s = { 0 };

	if (n > 0)
		s = str_dup(a, str_n((const char *)der, (size_t)n));
	OPENSSL_free(der);
	ERR_clear_error();
	return s;
}

struct str
dane_cert_der(struct arena *a, X509 *cert, uint8_t selector)
{
	unsigned char *der = NULL;
	int n = selector == DANE_CERT ? i2d_X509(cert, &der) : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	return take_der(a, der, n);
}

int
dane_of_cert(struct arena *a, uint8_t usage, uint8_t selector, uint8_t matching, X509 *cert,
    struct dane_record *r_record, struct errmsg *e)
{
	struct str der;

	if (selector > DANE_SPKI)
		return err_set(e, ERR_UNSUPPORTED, "unknown selector %u", selector);
	der = dane_cert_der(a, cert, selector);
	if (der.n == 0)
		return err_set(e, ERR_UNSUPPORTED, "the certificate cannot be encoded");
	return associate(a, usage, selector, matching, der, r_record, e);
}

int
dane_of_key(
    struct arena *a, uint8_t usage, uint8_t matching, EVP_PKEY *key, struct dane_record *r_record, struct errmsg *e)
{
	unsigned char *p = NULL;
	int n = i2d_PUBKEY(key, &p);
	struct str der = take_der(a, p, n);

	if (der.n == 0)
		return err_set(e, ERR_UNSUPPORTED, "the key cannot be encoded");
	return associate(a, usage, DANE_SPKI, matching, der, r_record, e);
}

static bool
ends_with(const char *name, const char *end)
{
	return str_ends(str_of(name), str_of(end));
}

/* A key out of a block, or NULL. */
static EVP_PKEY *
block_key(const char *name, const unsigned char *p, long n)
{
	const unsigned char *at = p;

	if (strcmp(name, "PUBLIC KEY") == 0)
		return d2i_PUBKEY(NULL, &at, n);
	if (strcmp(name, "RSA PUBLIC KEY") == 0)
		return d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, n);
	if (ends_with(name, "PRIVATE KEY") && strcmp(name, "ENCRYPTED PRIVATE KEY") != 0)
		return d2i_AutoPrivateKey(NULL, &at, n);
	return NULL;
}

static int
of_block(struct arena *a, uint8_t usage, uint8_t selector, uint8_t matching, const char *name, const unsigned char *p,
    long n, struct dane_record *r_record, struct errmsg *e)
{
	const unsigned char *at = p;
	int rv = ERR_NOTFOUND;

	if (ends_with(name, "CERTIFICATE")) {
		X509 *cert = d2i_X509(NULL, &at, n);

		if (cert)
			rv = dane_of_cert(a, usage, selector, matching, cert, r_record, e);
		X509_free(cert);
	} else if (selector == DANE_SPKI) {
		EVP_PKEY *key = block_key(name, p, n);

		if (key)
			rv = dane_of_key(a, usage, matching, key, r_record, e);
		EVP_PKEY_free(key);
	}
	return rv;
}

int
dane_of_pem(struct arena *a, uint8_t usage, uint8_t selector, uint8_t matching, struct str pem,
    struct dane_record *r_record, struct errmsg *e)
{
	BIO *bio = pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long n;
	int rv = ERR_NOTFOUND;

	ERR_clear_error();
	while (bio && rv == ERR_NOTFOUND && PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
		rv = of_block(a, usage, selector, matching, name, data, n, r_record, e);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)n);
	}
	BIO_free(bio);
	ERR_clear_error();
	if (rv == ERR_NOTFOUND)
		return err_set(e, rv, selector == DANE_CERT ? "no certificate found" : "no certificate or key found");
	return rv;
}

X509 *
dane_record_cert(const struct dane_record *r)
{
	const unsigned char *at = (const unsigned char *)r->data.p;
	X509 *cert = d2i_X509(NULL, &at, (long)r->data.n);

	if (cert && at != (const unsigned char *)r->data.p + r->data.n) {
		X509_free(cert);
		cert = NULL;
	}
	ERR_clear_error();
	return cert;
}

EVP_PKEY *
dane_record_key(const struct dane_record *r)
{
	const unsigned char *at = (const unsigned char *)r->data.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)r->data.n);

	if (key && at != (const unsigned char *)r->data.p + r->data.n) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	ERR_clear_error();
	return key;
}

/* rfc/6698:642 */
static bool
full_is_usable(const struct dane_record *r)
{
	X509 *cert = r->selector == DANE_CERT ? dane_record_cert(r) : NULL;
	EVP_PKEY *key = r->selector == DANE_SPKI ? dane_record_key(r) : NULL;
	bool ok = cert || key;

	X509_free(cert);
	EVP_PKEY_free(key);
	return ok;
}

bool
dane_usable(const struct dane_record *r, unsigned set)
{
	if (r->usage > DANE_DANE_EE || !(set & (1u << r->usage)) || r->selector > DANE_SPKI)
		return false;
	switch (r->matching) {
	case DANE_FULL: return r->data.n <= DANE_MAX_TEXT && full_is_usable(r);
	case DANE_SHA256: return r->data.n == 32;
	case DANE_SHA512: return r->data.n == 64;
	default: return false;
	}
}

void
dane_select(struct arena *a, const struct dane_record *v, size_t n, unsigned set, struct dane_record **r_v, size_t *r_n)
{
	struct dane_record *out = ARENA_NEWN(a, MIN(n, (size_t)DANE_MAX_RECORDS), struct dane_record);
	bool sha512[4][2] = { 0 };
	size_t usable = 0, kept = 0;

	for (size_t i = 0; i < n && usable < DANE_MAX_RECORDS; i++) {
		if (!dane_usable(&v[i], set))
			continue;
		out[usable++] = v[i];
		sha512[v[i].usage][v[i].selector] |= v[i].matching == DANE_SHA512;
	}
	for (size_t i = 0; i < usable; i++)
		if (out[i].matching != DANE_SHA256 || !sha512[out[i].usage][out[i].selector])
			out[kept++] = out[i];
	*r_v = out;
	*r_n = kept;
}
