/* SPDX-License-Identifier: MIT */
/* pem.c - private keys in PEM form. */
#include "base/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/err.h"

#define MAX_PEM (1U << 20)

/* The key of one block; 1 if it is another kind of block. */
static int
key_of(const char *name, const char *header, const unsigned char *der, long n, EVP_PKEY **r_key)
{
	EVP_PKEY *key;

	if (!str_ends(str_of(name), S("PRIVATE KEY")))
		return 1;
	if (str_starts(str_of(name), S("ENCRYPTED")) || str_starts(str_of(header), S("Proc-Type:")))
		return ERR_UNSUPPORTED;
	key = d2i_AutoPrivateKey(NULL, &der, n);
	if (!key)
		return ERR_INVALID;
	*r_key = key;
	return 0;
}

int
pem_private_key(struct str pem, EVP_PKEY **r_key)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	BIO *in;
	long n;
	int rv = 1;

	ERR_clear_error();
	if (pem.n == 0 || pem.n > MAX_PEM)
		return ERR_INVALID;
	in = BIO_new_mem_buf(pem.p, (int)pem.n);
	bug_if(!in);
	while (rv == 1 && PEM_read_bio(in, &name, &header, &der, &n) == 1) {
		rv = key_of(name, header, der, n, r_key);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)n);
	}
	BIO_free(in);
	ERR_clear_error();
	return rv == 1 ? ERR_INVALID : rv;
}
