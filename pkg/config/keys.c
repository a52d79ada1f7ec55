/* SPDX-License-Identifier: MIT */
/* Files with keys and certificates: whether they are there and of use. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/enc.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/pem.h"
#include "config/config_internal.h"

#define MAX_FILE (1024 * 1024)

static void
bio_cleanup(BIO **b)
{
	BIO_free(*b);
}

static void
x509_cleanup(X509 **x)
{
	X509_free(*x);
}

static void
pkey_cleanup(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

/* Reads a file into the arena; false after an error was told. */
static bool
read_pem(struct config_check *c, const char *field, struct arena *a, struct str path, struct str *r_text)
{
	struct errmsg e = { 0 };

	if (path.n == 0)
		config_errorf(c, field, "no file named");
	else if (fd_read_file(a, path.p, MAX_FILE, r_text, &e) < 0)
		config_errorf(c, field, "%s", e.text);
	else
		return true;
	return false;
}

static EVP_PKEY *
read_key(struct config_check *c, const char *field, struct str path)
{
	struct arena a = { 0 };
	EVP_PKEY *k = NULL;
	struct str text;

	if (read_pem(c, field, &a, path, &text) && pem_private_key(text, &k) < 0)
		config_errorf(c, field, STRF ": no private key in PEM form", STRA(path));
	arena_erase(&a);
	return k;
}

/* No password is asked for. */
static int
no_password(char *buf unused_, int size unused_, int rw unused_, void *arg unused_)
{
	return -1;
}

static X509 *
read_cert(struct config_check *c, const char *field, struct str path)
{
	struct arena a = { 0 };
	cleanup_(bio_cleanup) BIO *b = NULL;
	X509 *x = NULL;
	struct str text;

	if (read_pem(c, field, &a, path, &text)) {
		ERR_clear_error();
		b = BIO_new_mem_buf(text.n ? text.p : "", (int)text.n);
		bug_if(!b);
		x = PEM_read_bio_X509(b, NULL, no_password, NULL);
		if (x == NULL)
			config_errorf(c, field, STRF ": no certificate in PEM form", STRA(path));
	}
	ERR_clear_error();
	arena_done(&a);
	return x;
}

void
config_check_keycert(struct config_check *c, const struct config_key_cert *kc)
{
	cleanup_(x509_cleanup) X509 *x = read_cert(c, "CertFile", kc->cert_file);
	cleanup_(pkey_cleanup) EVP_PKEY *k = read_key(c, "KeyFile", kc->key_file);

	if (x && k && X509_check_private_key(x, k) != 1)
		config_errorf(c, "KeyFile", "the key is not that of the first certificate in CertFile");
	ERR_clear_error();
}

static bool
is_p256(const EVP_PKEY *k)
{
	char name[80];
	size_t n;

	return EVP_PKEY_get_base_id(k) == EVP_PKEY_EC && EVP_PKEY_get_group_name(k, name, sizeof(name), &n) == 1 &&
	    strcmp(name, "prime256v1") == 0;
}

void
config_check_host_keys(struct config_check *c, const struct config_tls *t)
{
	bool rsa = false, ecdsa = false, failed = false;

	for (size_t i = 0; i < t->host_private_key_files.n; i++) {
		cleanup_(pkey_cleanup) EVP_PKEY *k = read_key(c, "HostPrivateKeyFiles", t->host_private_key_files.v[i]);

		if (k == NULL)
			failed = true;
		else if (EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA && EVP_PKEY_get_bits(k) == 2048)
			rsa = true;
		else if (is_p256(k))
			ecdsa = true;
		else
			config_warnf(c, "HostPrivateKeyFiles",
			    STRF ": only RSA keys of 2048 bits and ECDSA keys on P-256 are used",
			    STRA(t->host_private_key_files.v[i]));
	}
	if (t->acme.n && rsa != ecdsa && !failed)
		config_warnf(c, "HostPrivateKeyFiles", "a key of type %s is missing", rsa ? "ECDSA P-256" : "RSA-2048");
}

void
config_check_ca(struct config_check *c, const struct config_ca *ca)
{
	for (size_t i = 0; i < ca->cert_files.n; i++)
		X509_free(read_cert(c, "CertFiles", ca->cert_files.v[i]));
}

/* base64url without padding; line ends do not count. */
void
config_check_eab(struct config_check *c, struct config_external_account_binding *eab)
{
	struct arena a = { 0 };
	struct errmsg e = { 0 };
	struct str text, key;

	if (fd_read_file(&a, eab->key_file.p, MAX_FILE, &text, &e) < 0) {
		config_errorf(c, "KeyFile", "%s", e.text);
	} else {
		struct buf b = BUF_ARENA(&a, MAX_FILE);

		for (size_t i = 0; i < text.n; i++)
			if (text.p[i] != '\r' && text.p[i] != '\n')
				buf_addc(&b, text.p[i]);
		if (b.n == 0 || enc_unbase64(&a, buf_str(&b), ENC_URL, &key) < 0)
			config_errorf(c, "KeyFile", STRF ": not base64url without padding", STRA(eab->key_file));
	}
	arena_erase(&a);
}

void
config_check_dkim_key(struct config_check *c, struct config_selector *s)
{
	EVP_PKEY *k = read_key(c, "PrivateKeyFile", s->private_key_file);
	int bits;

	if (k == NULL)
		return;
	*CONFIG_PUSH(c->a, c->priv->keys, c->priv->nkeys, c->priv->keys_cap) = k;
	bits = EVP_PKEY_get_bits(k);
	switch (EVP_PKEY_get_base_id(k)) {
	case EVP_PKEY_RSA:
		if (bits < 1024)
			config_errorf(c, "PrivateKeyFile", "an RSA key must have at least 1024 bits, not %d", bits);
		s->algorithm = str_fmt(c->a, "rsa-%d", bits);
		break;
	case EVP_PKEY_ED25519:
		if (s->hash != CONFIG_DKIM_HASH_SHA256)
			config_errorf(c, "Hash", "an ed25519 key needs sha256");
		s->algorithm = S("ed25519");
		break;
	default: config_errorf(c, "PrivateKeyFile", "must be an RSA or ed25519 key"); return;
	}
	s->key = k;
}
