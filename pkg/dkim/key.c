/* SPDX-License-Identifier: MIT */
/* key.c - keys: making, reading, signing data, verifying data. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/pem.h"
#include "dkim/dkim.h"

int
dkim_generate_rsa(int bits, EVP_PKEY **r_key)
{
	ERR_clear_error();
	*r_key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	return *r_key ? 0 : ERR_IO;
}

int
dkim_generate_ed25519(EVP_PKEY **r_key)
{
	ERR_clear_error();
	*r_key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return *r_key ? 0 : ERR_IO;
}

static bool
is_rsa(EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "RSA") == 1;
}

int
dkim_key_from_pem(struct str pem, EVP_PKEY **r_key, struct errmsg *e)
{
	EVP_PKEY *key;
	int rv = pem_private_key(pem, &key);

	if (rv < 0)
		return err_set(e, rv, rv == ERR_UNSUPPORTED ? "the key is encrypted" : "no private key in PEM form");
	if (!is_rsa(key) && EVP_PKEY_is_a(key, "ED25519") != 1) {
		EVP_PKEY_free(key);
		return err_set(e, ERR_UNSUPPORTED, "the key is neither RSA nor Ed25519");
	}
	*r_key = key;
	return 0;
}

int
dkim_key_to_pem(struct arena *a, EVP_PKEY *key, struct str *r_pem)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *p = NULL;
	int rv = ERR_IO;

	ERR_clear_error();
	if (out && PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1) {
		long n = BIO_get_mem_data(out, &p);

		*r_pem = str_dup(a, str_n(p, (size_t)n));
		rv = 0;
	}
	BIO_free(out);
	return rv;
}

int
dkim_record_of(struct arena *a, EVP_PKEY *key, struct dkim_record *r_rec)
{
	struct dkim_record rec = { .key_type = is_rsa(key) ? S("rsa") : S("ed25519") };
	unsigned char raw[32], *der = NULL;
	size_t n = sizeof(raw);
	int len;

	ERR_clear_error();
	strlist_add(a, &rec.hashes, S("sha256"));
	strlist_add(a, &rec.flags, S("s"));
	if (is_rsa(key)) {
		if ((len = i2d_PUBKEY(key, &der)) <= 0)
			return ERR_IO;
		rec.public_key = str_dup(a, str_n((const char *)der, (size_t)len));
		OPENSSL_free(der);
	} else {
		if (EVP_PKEY_get_raw_public_key(key, raw, &n) != 1)
			return ERR_IO;
		rec.public_key = str_dup(a, str_n((const char *)raw, n));
	}
	*r_rec = rec;
	return 0;
}

int
dkim_public_key(const struct dkim_record *rec, EVP_PKEY **r_key, int *r_bits, struct errmsg *e)
{
	const unsigned char *p = (const unsigned char *)rec->public_key.p;
	EVP_PKEY *key = NULL;

	ERR_clear_error();
	if (str_is(rec->key_type, S("ed25519"))) {
		key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p, rec->public_key.n);
	} else if (rec->public_key.n < 65536) {
		/* What rfc/6376:1480 names is RSAPublicKey; what nearly all publish is SubjectPublicKeyInfo (erratum 3017). */
		key = d2i_PUBKEY(NULL, &p, (long)rec->public_key.n);
		if (!key) {
			p = (const unsigned char *)rec->public_key.p;
			key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)rec->public_key.n);
		}
		if (key && !is_rsa(key)) {
			EVP_PKEY_free(key);
			key = NULL;
		}
	}
	ERR_clear_error();
	if (!key)
		return err_set(e, ERR_INVALID, "p= holds no key of its type");
	*r_key = key;
	*r_bits = EVP_PKEY_get_bits(key);
	return 0;
}

/* Ed25519 signs the SHA-256 hash of the data (RFC 8463 3); RSA is PKCS #1 v1.5 over it. */
static struct str
to_sign(EVP_PKEY *key, struct str data, unsigned char hash[32])
{
	if (is_rsa(key))
		return data;
	bug_if(EVP_Digest(data.p, data.n, hash, NULL, EVP_sha256(), NULL) != 1);
	return str_n((const char *)hash, 32);
}

int
dkim_sign_data(struct arena *a, EVP_PKEY *key, struct str data, struct str *r_signature)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char hash[32], *out;
	struct str in = to_sign(key, data, hash);
	size_t n = 0;
	int rv = ERR_IO;

	ERR_clear_error();
	if (md && EVP_DigestSignInit(md, NULL, is_rsa(key) ? EVP_sha256() : NULL, NULL, key) == 1 &&
	    EVP_DigestSign(md, NULL, &n, (const unsigned char *)in.p, in.n) == 1) {
		out = arena_alloc(a, n);
		if (EVP_DigestSign(md, out, &n, (const unsigned char *)in.p, in.n) == 1) {
			*r_signature = str_n((const char *)out, n);
			rv = 0;
		}
	}
	EVP_MD_CTX_free(md);
	return rv;
}

bool
dkim_verify_data(EVP_PKEY *key, struct str data, struct str signature)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char hash[32];
	struct str in = to_sign(key, data, hash);
	bool ok;

	ERR_clear_error();
	ok = md && EVP_DigestVerifyInit(md, NULL, is_rsa(key) ? EVP_sha256() : NULL, NULL, key) == 1 &&
	    EVP_DigestVerify(md, (const unsigned char *)signature.p, signature.n, (const unsigned char *)in.p, in.n) == 1;
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return ok;
}
