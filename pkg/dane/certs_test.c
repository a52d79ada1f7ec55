/* SPDX-License-Identifier: MIT */
/* certs_test.c - authorities and servers. */
#include "dane/certs_test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/err.h"
#include "testutil/testutil.h"

#define NOW 1700000000
#define DAY 86400

static struct cert {
	const char *name, *issuer, *alt;
	bool ca;
	long days; /* to the end */
	X509 *x;
	EVP_PKEY *key;
} certs[] = {
	{ .name = "root", .issuer = "root", .ca = true, .days = 1000 },
	{ .name = "ca", .issuer = "root", .ca = true, .days = 1000 },
	{ .name = "leaf", .issuer = "ca", .alt = "DNS:mail.example.org,DNS:*.wild.example.org", .days = 90 },
	{ .name = "expired", .issuer = "ca", .alt = "DNS:mail.example.org", .days = -1 },
	{ .name = "noname", .issuer = "ca", .days = 90 },
	{ .name = "self", .issuer = "self", .alt = "DNS:mail.example.org", .days = 90 },
	{ .name = "evil", .issuer = "evil", .ca = true, .days = 1000 },
	{ .name = "fake", .issuer = "evil", .alt = "DNS:mail.example.org", .days = 90 },
};

static struct cert *
find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(certs); i++)
		if (str_is(str_of(certs[i].name), name))
			return &certs[i];
	bug("no certificate " STRF, STRA(name));
}

static void
extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bug_if(!ext || X509_add_ext(x, ext, -1) != 1);
	X509_EXTENSION_free(ext);
}

static void
make(struct cert *c)
{
	struct cert *issuer = find(str_of(c->issuer));

	c->key = EVP_EC_gen("P-256");
	c->x = X509_new();
	X509_set_version(c->x, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(c->x), (uint64_t)(c - certs) + 1);
	ASN1_TIME_set(X509_getm_notBefore(c->x), NOW - 100 * DAY);
	ASN1_TIME_set(X509_getm_notAfter(c->x), NOW + c->days * DAY);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(c->x), "O", MBSTRING_UTF8, (const unsigned char *)c->name, -1, -1, 0);
	X509_set_issuer_name(c->x, X509_get_subject_name(issuer->x));
	X509_set_pubkey(c->x, c->key);
	extend(c->x, issuer->x, NID_basic_constraints, c->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (c->alt)
		extend(c->x, issuer->x, NID_subject_alt_name, c->alt);
	if (!c->ca)
		extend(c->x, issuer->x, NID_ext_key_usage, "serverAuth");
	bug_if(X509_sign(c->x, issuer->key, EVP_sha256()) <= 0);
	/* Makes OpenSSL keep what it works out of the extensions. */
	X509_check_purpose(c->x, -1, 0);
}

static struct cert *
get(struct str name)
{
	if (!certs[0].x)
		for (size_t i = 0; i < ARRAY_LEN(certs); i++)
			make(&certs[i]);
	return find(name);
}

__attribute__((destructor)) static void
free_certs(void)
{
	for (size_t i = 0; i < ARRAY_LEN(certs); i++) {
		X509_free(certs[i].x);
		EVP_PKEY_free(certs[i].key);
	}
}

X509 *
certs_get(const char *name)
{
	return get(str_of(name))->x;
}

EVP_PKEY *
certs_key(const char *name)
{
	return get(str_of(name))->key;
}

STACK_OF(X509) *
certs_chain(const char *names)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct str rest = str_of(names);

	while (rest.n > 0) {
		X509 *x = get(str_split(&rest, ' '))->x;

		X509_up_ref(x);
		sk_X509_push(chain, x);
	}
	return chain;
}

struct str
certs_pem(struct arena *a, const char *name, const char *what)
{
	struct cert *c = get(str_of(name));
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;
	struct str pem;

	if (strcmp(what, "cert") == 0)
		PEM_write_bio_X509(bio, c->x);
	else if (strcmp(what, "key") == 0)
		PEM_write_bio_PrivateKey(bio, c->key, NULL, NULL, 0, NULL, NULL);
	else if (strcmp(what, "ec") == 0)
		PEM_write_bio_PrivateKey_traditional(bio, c->key, NULL, NULL, 0, NULL, NULL);
	else
		PEM_write_bio_PUBKEY(bio, c->key);
	n = BIO_get_mem_data(bio, &p);
	pem = str_dup(a, str_n(p, (size_t)n));
	BIO_free(bio);
	return pem;
}
