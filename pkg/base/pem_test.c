/* SPDX-License-Identifier: MIT */
#include "base/pem.h"

#include <openssl/pem.h>

#include "base/err.h"
#include "testutil/testutil.h"

static EVP_PKEY *
new_key(const char *type)
{
	if (strcmp(type, "RSA") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	if (strcmp(type, "EC") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	return EVP_PKEY_Q_keygen(NULL, NULL, type);
}

static struct str
make(struct arena *a, const char *type, const EVP_CIPHER *cipher, bool old)
{
	BIO *b = BIO_new(BIO_s_mem());
	EVP_PKEY *key = new_key(type);
	char *p, password[] = "secret";
	struct str s;
	long n;
	int ok;

	assert_non_null(key);
	if (old)
		ok = PEM_write_bio_PrivateKey_traditional(b, key, cipher, NULL, 0, NULL, cipher ? password : NULL);
	else
		ok = PEM_write_bio_PKCS8PrivateKey(b, key, cipher, NULL, 0, NULL, cipher ? password : NULL);
	assert_int_equal(ok, 1);
	n = BIO_get_mem_data(b, &p);
	s = str_dup(a, str_n(p, (size_t)n));
	BIO_free(b);
	EVP_PKEY_free(key);
	return s;
}

TEST(pem_private_keys)
{
	struct arena a = { 0 };
	const struct row {
		const char *type;
		bool encrypted, old;
		int want;
	} rows[] = {
		{ "RSA", false, false, 0 },
		{ "RSA", false, true, 0 },
		{ "EC", false, false, 0 },
		{ "EC", false, true, 0 },
		{ "ED25519", false, false, 0 },
		{ "RSA", true, false, ERR_UNSUPPORTED },
		{ "RSA", true, true, ERR_UNSUPPORTED },
	};

	for (const struct row *r = rows; r < rows + ARRAY_LEN(rows); r++) {
		struct str pem = make(&a, r->type, r->encrypted ? EVP_aes_128_cbc() : NULL, r->old);
		EVP_PKEY *key = NULL;

		test_row("%s%s%s", r->type, r->encrypted ? ", encrypted" : "", r->old ? ", old form" : "");
		assert_int_equal(pem_private_key(test_exact(pem), &key), r->want);
		assert_int_equal(key != NULL, r->want == 0);
		if (key)
			assert_int_equal(EVP_PKEY_is_a(key, r->type), 1);
		EVP_PKEY_free(key);
	}
	arena_done(&a);
}

TEST(pem_with_notes)
{
	struct arena a = { 0 };
	struct str pem = make(&a, "ED25519", NULL, false), first, with;
	EVP_PKEY *key = NULL;
	const char *const around[][2] = {
		{ "", "" },
		{ "Note: before\n", "" },
		{ "", "Note: within\n\n" },
		{ "", "Note: one\nNote: two\n\n" },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "" },
	};

	first = str_split(&pem, '\n');
	for (size_t i = 0; i < ARRAY_LEN(around); i++) {
		with = str_fmt(&a, "%s" STRF "\n%s" STRF, around[i][0], STRA(first), around[i][1], STRA(pem));
		assert_int_equal(pem_private_key(test_exact(with), &key), 0);
		EVP_PKEY_free(key);
	}
	/* cut anywhere, there is no key */
	for (size_t n = 0; n < pem.n - 1; n++) {
		key = NULL;
		with = str_fmt(&a, STRF "\n" STRF, STRA(first), STRA(str_upto(pem, n)));
		assert_int_equal(pem_private_key(test_exact(with), &key), ERR_INVALID);
		assert_null(key);
	}
	arena_done(&a);
}
