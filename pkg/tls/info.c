/* SPDX-License-Identifier: MIT */
/*
 * What a protocol wants to know about an established session: description, client key, channel bindings.
 */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "base/enc.h"
#include "base/hash.h"
#include "tls/tls_internal.h"

int
tls_key_fingerprint(X509 *cert, char r_out[TLS_FINGERPRINT_LEN + 1])
{
	unsigned char *der = NULL;
	uint8_t digest[HASH_SHA256_LEN];
	struct arena a = { 0 };
	struct str text;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	if (n <= 0)
		return ERR_INVALID;
	hash_sha256(str_n((const char *)der, (size_t)n), digest);
	OPENSSL_free(der);
	text = enc_base64(&a, str_n((const char *)digest, sizeof(digest)), ENC_URL);
	bug_if(text.n != TLS_FINGERPRINT_LEN);
	memcpy(r_out, text.p, text.n);
	r_out[text.n] = '\0';
	arena_done(&a);
	return 0;
}

void
tls_describe(struct arena *a, SSL *ssl, struct tls_info *r_info)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const unsigned char *alpn;
	unsigned alpn_len;
	char fp[TLS_FINGERPRINT_LEN + 1];
	X509 *peer = SSL_is_server(ssl) ? SSL_get0_peer_certificate(ssl) : NULL;

	*r_info = (struct tls_info){
		.version = SSL_version(ssl),
		.resumed = SSL_session_reused(ssl),
	};
	r_info->version_name = r_info->version == TLS1_3_VERSION ? S("TLS1.3") :
	    r_info->version == TLS1_2_VERSION ? S("TLS1.2") : str_of(SSL_get_version(ssl));
	if (cipher) {
		r_info->cipher_id = SSL_CIPHER_get_protocol_id(cipher);
		r_info->cipher_name = str_of(SSL_CIPHER_standard_name(cipher));
	}
	if (sni)
		r_info->sni = str_dup(a, str_of(sni));
	SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
	if (alpn_len > 0)
		r_info->alpn = str_dup(a, str_n((const char *)alpn, alpn_len));
	if (peer && tls_key_fingerprint(peer, fp) == 0)
		r_info->client_key = str_dup(a, str_n(fp, TLS_FINGERPRINT_LEN));
}

/* Label and length: rfc/9266:104. Limited to TLS 1.3 because 1.2 would need the extended master secret as well. */
int
tls_exporter(SSL *ssl, uint8_t r_out[32])
{
	static const char label[] = "EXPORTER-Channel-Binding";

	if (SSL_version(ssl) != TLS1_3_VERSION)
		return ERR_UNSUPPORTED;
	ERR_clear_error();
	if (SSL_export_keying_material(ssl, r_out, 32, label, sizeof(label) - 1, NULL, 0, 1) != 1) {
		ERR_clear_error();
		return ERR_UNSUPPORTED;
	}
	return 0;
}

/* The first Finished message of the latest handshake: the client's, or the server's when the session was resumed. rfc/5929:161 */
int
tls_unique(struct arena *a, SSL *ssl, struct str *r_out)
{
	uint8_t fin[EVP_MAX_MD_SIZE];
	bool resumed = SSL_session_reused(ssl), own;
	size_t n;

	if (SSL_version(ssl) != TLS1_2_VERSION)
		return ERR_UNSUPPORTED;
	/* Without the extended master secret, resumption lets a man in the middle give two sessions the same value
	 * (rfc/7627:478). */
	if (resumed && SSL_get_extms_support(ssl) != 1)
		return ERR_UNSUPPORTED;
	own = SSL_is_server(ssl) ? resumed : !resumed;
	n = own ? SSL_get_finished(ssl, fin, sizeof(fin)) : SSL_get_peer_finished(ssl, fin, sizeof(fin));
	if (n == 0 || n > sizeof(fin))
		return ERR_UNSUPPORTED;
	*r_out = str_dup(a, str_n((const char *)fin, n));
	return 0;
}

/* Hash of the server's certificate, by the hash of its signature; SHA-256 in place of MD5 and SHA-1. rfc/5929:264 */
int
tls_server_end_point(struct arena *a, SSL *ssl, struct str *r_out)
{
	X509 *cert = SSL_is_server(ssl) ? SSL_get_certificate(ssl) : SSL_get0_peer_certificate(ssl);
	const EVP_MD *md;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n;
	int mdnid;

	/* Signatures without a hash of their own, as Ed25519, have no defined binding. */
	if (cert == NULL || X509_get_signature_info(cert, &mdnid, NULL, NULL, NULL) != 1 || mdnid == NID_undef) {
		ERR_clear_error();
		return ERR_UNSUPPORTED;
	}
	if (mdnid == NID_md5 || mdnid == NID_sha1)
		mdnid = NID_sha256;
	md = EVP_get_digestbynid(mdnid);
	if (md == NULL || X509_digest(cert, md, digest, &n) != 1) {
		ERR_clear_error();
		return ERR_UNSUPPORTED;
	}
	*r_out = str_dup(a, str_n((const char *)digest, n));
	return 0;
}
