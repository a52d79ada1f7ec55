/* SPDX-License-Identifier: MIT */
/*
 * Session tickets. Keys are made here and known to nobody else: a new one every 24 hours, tickets of the seven before it
 * still open, so a stolen memory image decrypts at most eight days. Rotation happens at the first ticket after its time; no
 * timer.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/randutil.h"
#include "tls/tls_internal.h"

/* Fills in the newest key, and makes it first where it is time. */
static struct tls_ticket_key
current_key(struct tls_ctx *c)
{
	int64_t now = clock_now_us(c->clock);
	struct tls_ticket_key *k = c->tickets;

	LOCKED(&c->ticket_lock);
	if (k->made_us == 0 || now - k->made_us >= TLS_TICKET_ROTATE_US) {
		memmove(k + 1, k, sizeof(*k) * (TLS_TICKET_KEYS - 1));
		rand_bytes(k->name, sizeof(k->name));
		rand_bytes(k->aes, sizeof(k->aes));
		rand_bytes(k->hmac, sizeof(k->hmac));
		k->made_us = now;
	}
	return *k;
}

/* Finds the key of a ticket; false when it is unknown or too old. *r_fresh: it is the one that is current, too. */
static bool
find_key(struct tls_ctx *c, const unsigned char name[16], struct tls_ticket_key *r_key, bool *r_fresh)
{
	int64_t now = clock_now_us(c->clock);

	LOCKED(&c->ticket_lock);
	for (int i = 0; i < TLS_TICKET_KEYS; i++) {
		const struct tls_ticket_key *k = &c->tickets[i];

		if (k->made_us != 0 && memcmp(k->name, name, sizeof(k->name)) == 0) {
			if (now - k->made_us >= TLS_TICKET_KEYS * TLS_TICKET_ROTATE_US)
				return false;
			*r_key = *k;
			*r_fresh = i == 0 && now - k->made_us < TLS_TICKET_ROTATE_US;
			return true;
		}
	}
	return false;
}

static bool
set_mac(EVP_MAC_CTX *mac, const struct tls_ticket_key *k)
{
	char digest[] = "SHA256";
	uint8_t key[sizeof(k->hmac)];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, sizeof(key)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	bool ok;

	memcpy(key, k->hmac, sizeof(key));
	ok = EVP_MAC_CTX_set_params(mac, params) == 1;
	mem_erase(key, sizeof(key));
	return ok;
}

/* Returns as OpenSSL wants it: 1 ok, 2 ok but issue a new ticket, 0 unknown key, -1 error. */
static int
ticket_key(SSL *ssl, unsigned char name[16], unsigned char iv[EVP_MAX_IV_LENGTH], EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
    int encrypt)
{
	struct tls_ctx *c = SSL_get_app_data(ssl);      /* also after by_name switched certificates */
	struct tls_ticket_key k;
	bool fresh = true;
	int r;

	if (encrypt) {
		k = current_key(c);
		memcpy(name, k.name, sizeof(k.name));
		rand_bytes(iv, 16);
		r = EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k.aes, iv) == 1;
	} else {
		if (!find_key(c, name, &k, &fresh))
			return 0;
		/* In TLS 1.3 clients use a ticket once, so that visits cannot be linked: rfc/8446:7625 */
		fresh = fresh && SSL_version(ssl) != TLS1_3_VERSION;
		r = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k.aes, iv) == 1;
	}
	r = r && set_mac(mac, &k);
	mem_erase(&k, sizeof(k));
	if (!r)
		return -1;
	return fresh ? 1 : 2;
}

void
tls_tickets_enable(struct tls_ctx *c)
{
	SSL_CTX_set_num_tickets(c->ctx, 1);     /* every ticket is a packet and an HMAC; clients keep one */
	SSL_CTX_set_timeout(c->ctx, (TLS_TICKET_KEYS - 1) * (TLS_TICKET_ROTATE_US / TIME_SEC));
	bug_if(SSL_CTX_set_tlsext_ticket_key_evp_cb(c->ctx, ticket_key) != 1);
}
