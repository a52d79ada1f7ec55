/* SPDX-License-Identifier: MIT */
/*
 * Connection ids as peers see them: a counter would tell how busy we are, and could be guessed; so one block of AES-128 over a secret and the counter.
 */
#include <openssl/evp.h>

#include "base/enc.h"
#include "base/mem.h"
#include "smtpserver/smtpserver_internal.h"

static bool
aes_block(const uint8_t key[16], const uint8_t in[16], uint8_t r_out[16], bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	bool good = ctx != NULL && EVP_CipherInit_ex(ctx, EVP_aes_128_ecb(), NULL, key, NULL, encrypt) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 && EVP_CipherUpdate(ctx, r_out, &n, in, 16) == 1 && n == 16;
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

struct str
smtpserver_cid_encode(struct arena *a, const uint8_t key[16], const uint8_t secret[8], uint64_t cid)
{
	uint8_t plain[16], block[16];

	memcpy(plain, secret, 8);
	for (int i = 0; i < 8; i++)
		plain[8 + i] = (uint8_t)(cid >> (56 - 8 * i));
	if (!aes_block(key, plain, block, true))
		bug("AES failed");
	return enc_base64(a, str_n((const char *)block, sizeof(block)), ENC_URL);
}

int
smtpserver_cid_decode(const uint8_t key[16], const uint8_t secret[8], struct str text, uint64_t *r_cid)
{
	struct arena a = { 0 };
	uint8_t block[16], plain[16];
	struct str raw;
	uint64_t cid = 0;

	bool good = enc_unbase64(&a, text, ENC_URL, &raw) == 0 && raw.n == sizeof(block);
	if (good)
		memcpy(block, raw.p, sizeof(block));
	arena_done(&a);
	if (!good || !aes_block(key, block, plain, false) || !mem_equal(plain, secret, 8))
		return ERR_INVALID;
	for (int i = 0; i < 8; i++)
		cid = cid << 8 | plain[8 + i];
	*r_cid = cid;
	return 0;
}
