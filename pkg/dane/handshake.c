/* SPDX-License-Identifier: MIT */
/* handshake.c - our verification in place of OpenSSL's. */
#include <pthread.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "dane/dane_internal.h"

static int attached; /* index of the handshake among the data of a session */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
init(void)
{
	attached = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	bug_if(attached < 0);
}

static void
verify_both(struct dane_handshake *h, STACK_OF(X509) * chain)
{
	h->seen = true;
	h->dane_error = DANE_NORECORDS;
	if (h->check.n > 0)
		h->dane_error = dane_verify(h->a, &h->check, chain, &h->dane, &h->dane_problem);
	h->pkix_error = dane_verify_pkix(h->check.roots, chain, &h->host, h->host.n > 0, &h->ip, h->check.clock);
}

/* 1 goes on with the handshake. The error decides about the alert that is sent. */
static int
callback(X509_STORE_CTX *ctx, void *arg unused_)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct dane_handshake *h = ssl ? SSL_get_ex_data(ssl, attached) : NULL;
	int error = X509_V_OK;

	if (h) {
		verify_both(h, X509_STORE_CTX_get0_untrusted(ctx));
		if (h->require_dane && h->dane_error < 0)
			error = X509_V_ERR_DANE_NO_MATCH;
		else if (h->require_pkix)
			error = h->pkix_error;
	}
	X509_STORE_CTX_set_error(ctx, error);
	return error == X509_V_OK;
}

void
dane_ctx(SSL_CTX *ctx)
{
	pthread_once(&once, init);
	SSL_CTX_set_cert_verify_callback(ctx, callback, NULL);
}

int
dane_attach(SSL *ssl, struct dane_handshake *h)
{
	char *name = h->host.n > 0 ? str_z(h->a, h->host) : NULL;

	pthread_once(&once, init);
	ERR_clear_error();
	if (h->host.n > 0 && (!name || SSL_set_tlsext_host_name(ssl, name) != 1)) {
		ERR_clear_error();
		return ERR_INVALID;
	}
	/* rfc/7671:318 asks for 1.0 at least and 1.2 rather; RFC 8996 took the older ones away. */
	SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
	/* Without this mode OpenSSL asks us, and goes on whatever we say. */
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	bug_if(SSL_set_ex_data(ssl, attached, h) != 1);
	return 0;
}
