/* SPDX-License-Identifier: MIT */
/* trouble.c - failures of handshakes, by the names of rfc/8460:532. */
#include <pthread.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/buf.h"
#include "tlsrpt/tlsrpt.h"

static int watched; /* index of the struct among the data of a session */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
init(void)
{
	watched = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	bug_if(watched < 0);
}

/* Called by OpenSSL for each step; of an alert ret has level and description. */
static void
on_info(const SSL *ssl, int where, int ret)
{
	struct tlsrpt_trouble *t = SSL_get_ex_data(ssl, watched);
	uint8_t alert = (uint8_t)(ret & 0xff);

	if (!t || !(where & SSL_CB_ALERT) || alert == SSL_AD_CLOSE_NOTIFY)
		return;
	if (where & SSL_CB_READ) {
		t->has_remote_alert = true;
		t->remote_alert = alert;
	} else {
		t->has_local_alert = true;
		t->local_alert = alert;
	}
}

void
tlsrpt_watch(SSL *ssl, struct tlsrpt_trouble *t)
{
	pthread_once(&once, init);
	bug_if(SSL_set_ex_data(ssl, watched, t) != 1);
	SSL_set_info_callback(ssl, t ? on_info : NULL);
}

void
tlsrpt_note(SSL *ssl, int rv, struct tlsrpt_trouble *t)
{
	unsigned long error = ERR_peek_error();
	int why = SSL_get_error(ssl, rv);

	if (why == SSL_ERROR_ZERO_RETURN || why == SSL_ERROR_SYSCALL)
		t->closed = true;
	if (why != SSL_ERROR_SSL || ERR_GET_LIB(error) != ERR_LIB_SSL)
		return;
	switch (ERR_GET_REASON(error)) {
	case SSL_R_UNEXPECTED_EOF_WHILE_READING: t->closed = true; break;
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
	case SSL_R_BAD_RECORD_TYPE: t->not_tls = true; break;
	default: break;
	}
}

static const struct {
	int error;
	const char *type, *reason;
} verify_errors[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, "certificate-expired", "" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, "certificate-expired", "" },
	{ X509_V_ERR_HOSTNAME_MISMATCH, "certificate-host-mismatch", "" },
	{ X509_V_ERR_IP_ADDRESS_MISMATCH, "certificate-host-mismatch", "" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "certificate-not-trusted", "" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "certificate-not-trusted", "" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "certificate-not-trusted", "" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "certificate-not-trusted", "" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "certificate-not-trusted", "" },
	{ X509_V_ERR_CERT_UNTRUSTED, "certificate-not-trusted", "" },
	{ X509_V_ERR_CERT_REJECTED, "certificate-not-trusted", "" },
	{ X509_V_ERR_STORE_LOOKUP, "certificate-not-trusted", "no-system-roots" },
	{ X509_V_ERR_INVALID_CA, "certificate-not-trusted", "not-authorized-to-sign" },
	{ X509_V_ERR_KEYUSAGE_NO_CERTSIGN, "certificate-not-trusted", "not-authorized-to-sign" },
	{ X509_V_ERR_PERMITTED_VIOLATION, "certificate-not-trusted", "ca-not-authorized-for-this-name" },
	{ X509_V_ERR_EXCLUDED_VIOLATION, "certificate-not-trusted", "ca-not-authorized-for-this-name" },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, "certificate-not-trusted", "too-many-intermediates" },
	{ X509_V_ERR_CERT_CHAIN_TOO_LONG, "certificate-not-trusted", "too-many-intermediates" },
	{ X509_V_ERR_INVALID_PURPOSE, "certificate-not-trusted", "incompatible-key-usage" },
	{ X509_V_ERR_SUBJECT_ISSUER_MISMATCH, "certificate-not-trusted", "parent-subject-child-issuer-mismatch" },
	{ X509_V_ERR_AKID_SKID_MISMATCH, "certificate-not-trusted", "parent-subject-child-issuer-mismatch" },
	{ X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH, "certificate-not-trusted", "parent-subject-child-issuer-mismatch" },
	{ X509_V_ERR_DANE_NO_MATCH, "validation-failure", "dane-no-match" },
	{ X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, "certificate-not-trusted", "unconstrained-name" },
	{ X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, "certificate-not-trusted", "unconstrained-name" },
};

/* A text of OpenSSL as a code: lower case, dashes between words. */
static struct str
dashed(struct arena *a, const char *text)
{
	struct buf b = BUF_ARENA(a, 256);

	for (const char *p = text; *p; p++) {
		bool word = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');

		if (*p >= 'A' && *p <= 'Z')
			buf_addc(&b, (char)(*p | 0x20));
		else if (word)
			buf_addc(&b, *p);
		else if (b.n > 0 && b.p[b.n - 1] != '-')
			buf_addc(&b, '-');
	}
	return str_upto(buf_str(&b), b.n > 0 && b.p[b.n - 1] == '-' ? b.n - 1 : b.n);
}

static void
classify_certificate(struct arena *a, int error, struct str *r_type, struct str *r_reason)
{
	for (size_t i = 0; i < ARRAY_LEN(verify_errors); i++)
		if (verify_errors[i].error == error) {
			*r_type = str_of(verify_errors[i].type);
			*r_reason = str_of(verify_errors[i].reason);
			return;
		}
	*r_type = S("validation-failure");
	*r_reason = dashed(a, X509_verify_cert_error_string(error));
}

static struct str
alert_reason(struct arena *a, const char *side, uint8_t alert)
{
	const char *name = SSL_alert_desc_string_long(alert);
	struct str dashes = dashed(a, name);

	if (strcmp(name, "unknown") == 0)
		return str_fmt(a, "tls-%s-alert-%u", side, alert);
	return str_fmt(a, "tls-%s-alert-%u-" STRF, side, alert, STRA(dashes));
}

void
tlsrpt_classify(struct arena *a, const struct tlsrpt_trouble *t, struct str *r_type, struct str *r_reason)
{
	*r_type = S("validation-failure");
	*r_reason = S("");
	if (t->verify_error != X509_V_OK)
		classify_certificate(a, t->verify_error, r_type, r_reason);
	else if (t->dane_no_match)
		*r_reason = t->dane_errors ? S("dane-no-match+errors") : S("dane-no-match");
	else if (t->has_remote_alert)
		*r_reason = alert_reason(a, "remote", t->remote_alert);
	else if (t->not_tls)
		*r_reason = S("tls-record-header-error");
	else if (t->closed)
		*r_reason = S("connection-closed-during-handshake");
	else if (t->has_local_alert)
		*r_reason = alert_reason(a, "local", t->local_alert);
	else if (t->timeout)
		*r_reason = S("io-timeout-during-handshake");
}
