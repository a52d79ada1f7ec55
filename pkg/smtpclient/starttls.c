/* SPDX-License-Identifier: MIT */
/*
 * TLS of the client: the server's certificates are judged in the handshake, in two ways that do not depend on each
 * other. What fails, and in which words TLS reports put it, is kept.
 */
#include <pthread.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/lock.h"
#include "base/mem.h"
#include "smtpclient/smtpclient_internal.h"

/* Certificates that a server may send in all; some have long chains. */
#define MAX_CERT_LIST (64 * 1024)

struct smtpclient_tls {
	struct tls_ctx *ctx;
	struct lock lock;               /* LOCK_TLS: system_due */
	bool system_due;                /* the system's authorities are still to be read: that takes 25 ms */
};

static int client_index = -1;
static pthread_once_t client_index_once = PTHREAD_ONCE_INIT;

static void
make_client_index(void)
{
	client_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	bug_if(client_index < 0);
}

/* What X.509 verification says, in the words of rfc/8460:538 and of the widest spread sender of reports. */
static void
pkix_failure(struct arena *a, struct smtpclient_verdict *v, int err)
{
	v->type = "certificate-not-trusted";
	switch (err) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID: v->type = "certificate-expired"; break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH: v->type = "certificate-host-mismatch"; break;
	case X509_V_ERR_INVALID_CA: v->reason = S("not-authorized-to-sign"); break;
	case X509_V_ERR_PATH_LENGTH_EXCEEDED: v->reason = S("too-many-intermediates"); break;
	case X509_V_ERR_INVALID_PURPOSE: v->reason = S("incompatible-key-usage"); break;
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION: v->reason = S("ca-not-authorized-for-this-name"); break;
	case X509_V_ERR_SUBJECT_ISSUER_MISMATCH: v->reason = S("parent-subject-child-issuer-mismatch"); break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED: break;
	default: v->reason = str_fmt(a, "x509-error-%d", err);
	}
}

static void
judge_dane(struct smtpclient *c, X509_STORE_CTX *store, struct errmsg *e)
{
	bool errors = false;
	int rv = c->o.dane->verify(
	    c->o.dane->arg, X509_STORE_CTX_get0_cert(store), X509_STORE_CTX_get0_untrusted(store), &errors, e);

	c->facts.dane = (struct smtpclient_verdict){ .judged = true, .ok = rv == 0 };
	if (rv == 0)
		return;
	c->facts.dane.type = "validation-failure";
	c->facts.dane.reason = errors ? S("dane-no-match+errors") : S("dane-no-match");
}

/*
 * verify stands in place of OpenSSL's: both judgements are made whatever the other says, and only then it is decided.
 */
static int
verify(X509_STORE_CTX *store, void *arg unused_)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct smtpclient *c = SSL_get_ex_data(ssl, client_index);
	struct errmsg e = { 0 };

	int valid = X509_verify_cert(store);
	int err = X509_STORE_CTX_get_error(store);
	if (valid != 1 && err == X509_V_OK)
		err = X509_V_ERR_UNSPECIFIED;
	c->facts.pkix = (struct smtpclient_verdict){ .judged = true, .ok = valid == 1 };
	if (valid != 1)
		pkix_failure(&c->a, &c->facts.pkix, err);
	if (c->o.dane)
		judge_dane(c, store, &e);

	bool fail = (c->o.verify_pkix && !c->facts.pkix.ok) || (c->o.dane && !c->facts.dane.ok);
	if (fail && !c->o.ignore_verify_errors) {
		X509_STORE_CTX_set_error(store, !c->facts.pkix.ok && c->o.verify_pkix ? err : X509_V_ERR_DANE_NO_MATCH);
		return 0;
	}
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static int
add_authorities(X509_STORE *store, struct str pem, struct errmsg *e)
{
	BIO *b = pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	X509 *x;
	unsigned n = 0;

	while (b && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	BIO_free(b);
	ERR_clear_error(); /* reading past the last certificate leaves "no start line" */
	return n > 0 ? 0 : err_set(e, ERR_INVALID, "no usable certificate of an authority");
}

int
smtpclient_tls_new(const struct smtpclient_tls_opts *o, struct smtpclient_tls **r_tls, struct errmsg *e)
{
	struct tls_ctx_opts to = { 0 };
	struct smtpclient_tls *t;
	struct tls_ctx *ctx = NULL;

	pthread_once(&client_index_once, make_client_index);
	TRY(tls_ctx_new(&to, &ctx, e));
	t = mem_alloc(sizeof(*t));
	t->ctx = ctx;
	lock_init(&t->lock, LOCK_TLS, "smtpclient authorities");
	t->system_due = !o->no_system;
	SSL_CTX *raw = tls_ctx_raw(ctx);
	for (size_t i = 0; i < o->nca; i++) {
		int rv = add_authorities(SSL_CTX_get_cert_store(raw), o->ca_pem[i], e);
		if (rv < 0) {
			smtpclient_tls_free(&t);
			return rv;
		}
	}
	SSL_CTX_set_max_cert_list(raw, MAX_CERT_LIST);
	SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(raw, verify, NULL);
	*r_tls = t;
	return 0;
}

void
smtpclient_tls_free(struct smtpclient_tls **t)
{
	if (*t == NULL)
		return;
	tls_ctx_unref(&(*t)->ctx);
	lock_done(&(*t)->lock);
	mem_free(t);
}

/* Reads the authorities of the system, with the first handshake. */
static void
load_system(struct smtpclient_tls *t)
{
	LOCKED(&t->lock);
	if (t->system_due)
		SSL_CTX_set_default_verify_paths(tls_ctx_raw(t->ctx));
	t->system_due = false;
}

static void
on_info(const SSL *ssl, int where, int ret)
{
	struct smtpclient *c = SSL_get_ex_data(ssl, client_index);

	if (!(where & SSL_CB_ALERT) || (ret & 0xff) == SSL_AD_CLOSE_NOTIFY)
		return;
	if (where & SSL_CB_READ)
		c->alert_in = ret & 0xff;
	else
		c->alert_out = ret & 0xff;
}

SSL *
smtpclient_tls_session(struct smtpclient *c)
{
	load_system(c->o.tls);
	SSL *ssl = tls_ctx_session(c->o.tls->ctx, c->fd, false);
	const char *name = str_dup(&c->a, c->o.remote_name).p;
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	struct ip ip;

	bug_if(SSL_set_ex_data(ssl, client_index, c) != 1);
	SSL_set_info_callback(ssl, on_info);
	if (ip_parse(c->o.remote_name, &ip) == 0) {
		ignore_result(X509_VERIFY_PARAM_set1_ip(param, ip.a, ip.family == 4 ? 4 : 16) != 1);
	} else if (c->o.remote_name.n > 0) {
		SSL_set_tlsext_host_name(ssl, name);
		X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		bug_if(X509_VERIFY_PARAM_set1_host(param, name, c->o.remote_name.n) != 1);
	}
	return ssl;
}

void
smtpclient_tls_alert(struct arena *a, struct smtpclient_verdict *v, bool remote, int alert)
{
	struct str name = str_of(SSL_alert_desc_string_long(alert));
	char *dashed = arena_bytes(a, name.n);

	for (size_t i = 0; i < name.n; i++)
		dashed[i] = name.p[i] == ' ' ? '-' : name.p[i];
	*v = (struct smtpclient_verdict){ .judged = true, .type = "validation-failure" };
	if (str_is(name, S("unknown")))
		v->reason = str_fmt(a, "tls-%s-alert-%d", remote ? "remote" : "local", alert);
	else
		v->reason = str_fmt(a, "tls-%s-alert-%d-%.*s", remote ? "remote" : "local", alert, (int)name.n, dashed);
}

void
smtpclient_tls_result(struct smtpclient *c, bool ok, int io_err)
{
	struct smtpclient_tls_facts *f = &c->facts;

	f->established = ok;
	if (ok) {
		tls_describe(&c->a, c->ssl, &f->info);
		f->handshake = (struct smtpclient_verdict){ .judged = true, .ok = true };
		return;
	}
	/* The verdicts say it all. */
	if ((f->pkix.judged && !f->pkix.ok && c->o.verify_pkix) || (f->dane.judged && !f->dane.ok))
		return;
	f->handshake = (struct smtpclient_verdict){ .judged = true, .type = "validation-failure" };
	if (c->alert_in >= 0)
		smtpclient_tls_alert(&c->a, &f->handshake, true, c->alert_in);
	else if (io_err == ERR_INVALID)
		f->handshake.reason = S("tls-record-header-error");
	else if (io_err == ERR_TIMEOUT)
		f->handshake.reason = S("io-timeout-during-handshake");
	else if (io_err == ERR_CLOSED)
		f->handshake.reason = S("connection-closed-during-handshake");
	else if (c->alert_out >= 0)
		smtpclient_tls_alert(&c->a, &f->handshake, false, c->alert_out);
}
