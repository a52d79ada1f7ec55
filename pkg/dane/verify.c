/* SPDX-License-Identifier: MIT */
/* verify.c - a server's certificates against records. */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "dane/dane_internal.h"
#include "metrics/metrics.h"

static struct metric metric_verify =
    METRICS_COUNTER_INIT("mox_dane_verify_total", "Certificates verified by DANE.", NULL);
static struct metric metric_errors =
    METRICS_COUNTER_INIT("mox_dane_verify_errors_total", "Certificates that did not verify by DANE.", NULL);

/* Verification of one chain. */
struct work {
	struct arena *a;
	const struct dane_check *c;
	STACK_OF(X509) * chain;
	struct dane_result *r;
	bool pkix_done; /* the chain was verified by roots, with: */
	int pkix_error;
	STACK_OF(X509) * pkix_chain;
};

static bool
matches(struct arena *a, const struct dane_record *r, X509 *cert)
{
	struct dane_record own;

	return dane_of_cert(a, r->usage, r->selector, r->matching, cert, &own, NULL) == 0 && str_is(own.data, r->data);
}

/* The first certificate from `from` on that a record matches, or -1. */
static int
find_match(struct work *w, const struct dane_record *r, STACK_OF(X509) * chain, int from)
{
	for (int i = from; i < sk_X509_num(chain); i++)
		if (matches(w->a, r, sk_X509_value(chain, i)))
			return i;
	return -1;
}

/* Who we expect: names, or an address. */
static bool
set_expected(X509_VERIFY_PARAM *p, const struct str *names, size_t n, const struct ip *ip)
{
	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	for (size_t i = 0; i < n; i++)
		/* An empty name would switch the check off. */
		if (names[i].n == 0 || X509_VERIFY_PARAM_add1_host(p, names[i].p, names[i].n) != 1)
			return false;
	if (n == 0 && ip && ip->family)
		return X509_VERIFY_PARAM_set1_ip(p, ip->a, ip->family == 4 ? 4 : 16) == 1;
	return n > 0;
}

/* Path validation by OpenSSL for a TLS server. r_chain (may be NULL) gets the path. */
static int
verify_path(X509_STORE *store, STACK_OF(X509) * chain, unsigned long flags, const struct str *names, size_t nnames,
    const struct ip *ip, const struct clock *clock, STACK_OF(X509) * *r_chain)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int error = X509_V_ERR_OUT_OF_MEM;

	if (ctx && X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain) == 1) {
		X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);

		X509_STORE_CTX_set_default(ctx, "ssl_server");
		X509_VERIFY_PARAM_set_flags(p, flags);
		/* Nothing below 80 bits of strength: no SHA-1, no RSA below 1024 bits. */
		X509_VERIFY_PARAM_set_auth_level(p, 1);
		X509_VERIFY_PARAM_set_time(p, (time_t)(clock_now_us(clock) / TIME_SEC));
		if (!set_expected(p, names, nnames, ip))
			error = X509_V_ERR_HOSTNAME_MISMATCH;
		else if (X509_verify_cert(ctx) == 1)
			error = X509_V_OK;
		else
			error = X509_STORE_CTX_get_error(ctx);
		if (error == X509_V_OK && r_chain)
			*r_chain = X509_STORE_CTX_get1_chain(ctx);
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return error;
}

int
dane_verify_pkix(X509_STORE *roots, STACK_OF(X509) * chain, const struct str *names, size_t nnames, const struct ip *ip,
    const struct clock *clock)
{
	if (!roots || sk_X509_num(chain) <= 0)
		return X509_V_ERR_STORE_LOOKUP;
	return verify_path(roots, chain, 0, names, nnames, ip, clock, NULL);
}

/* The same for the check's names, once. */
static int
pkix(struct work *w)
{
	const struct dane_check *c = w->c;

	if (w->pkix_done)
		return w->pkix_error;
	w->pkix_done = true;
	w->pkix_error = X509_V_ERR_STORE_LOOKUP;
	if (c->roots)
		w->pkix_error = verify_path(c->roots, w->chain, 0, c->names, c->nnames, NULL, c->clock, &w->pkix_chain);
	return w->pkix_error;
}

static void
add_failure(struct work *w, const struct dane_record *r, int error)
{
	struct dane_result *res = w->r;

	res->failures = arena_grow(w->a, res->failures, res->nfailures, res->nfailures + 1, sizeof(*res->failures));
	res->failures[res->nfailures++] = (struct dane_failure){ *r, error };
}

/*
 * A record with a whole anchor spares the server from sending it. With a bare key the certificate that was issued by it takes
 * the anchor's place: rfc/7671:655
 */
static X509 *
anchor_from_record(struct work *w, const struct dane_record *r)
{
	X509 *anchor = NULL;
	EVP_PKEY *key;

	if (r->matching != DANE_FULL)
		return NULL;
	if (r->selector == DANE_CERT)
		return dane_record_cert(r);
	key = dane_record_key(r);
	for (int i = 0; key && !anchor && i < sk_X509_num(w->chain); i++) {
		X509 *cert = sk_X509_value(w->chain, i);

		if (X509_verify(cert, key) == 1 && X509_up_ref(cert) == 1)
			anchor = cert;
	}
	EVP_PKEY_free(key);
	ERR_clear_error();
	return anchor;
}

/* The chain must lead to the anchor, with a good name and good dates: rfc/7671:643 */
static int
verify_anchor(struct work *w, const struct dane_record *r, X509 *anchor)
{
	X509_STORE *store = X509_STORE_new();
	int error = X509_V_ERR_OUT_OF_MEM;

	/* An anchor need not be a root, so a path may end at it without being self-signed. */
	if (store && X509_STORE_add_cert(store, anchor) == 1)
		error = verify_path(
		    store, w->chain, X509_V_FLAG_PARTIAL_CHAIN, w->c->names, w->c->nnames, NULL, w->c->clock, NULL);
	X509_STORE_free(store);
	if (error != X509_V_OK)
		add_failure(w, r, error);
	return error == X509_V_OK;
}

static bool
verify_record(struct work *w, const struct dane_record *r)
{
	int depth = find_match(w, r, w->chain, 0);
	X509 *anchor;
	bool ok;

	w->r->depth = depth;
	switch (r->usage) {
	case DANE_DANE_EE: return depth == 0;
	case DANE_PKIX_EE:
		if (depth != 0)
			return false;
		if (pkix(w) != X509_V_OK)
			add_failure(w, r, pkix(w));
		return pkix(w) == X509_V_OK;
	case DANE_PKIX_TA:
		if (pkix(w) != X509_V_OK) {
			if (depth >= 0)
				add_failure(w, r, pkix(w));
			return false;
		}
		/* An authority on the path: not the server's own certificate: rfc/6698:382 */
		return w->pkix_chain && find_match(w, r, w->pkix_chain, 1) > 0;
	default:
		if (depth >= 0)
			return verify_anchor(w, r, sk_X509_value(w->chain, depth));
		anchor = anchor_from_record(w, r);
		ok = anchor && verify_anchor(w, r, anchor);
		X509_free(anchor);
		return ok;
	}
}

static int
verify(struct work *w, struct errmsg *e)
{
	struct dane_record *v;
	size_t n;

	if (sk_X509_num(w->chain) <= 0)
		return err_set(e, ERR_INVALID, "the server sent no certificate");
	if (w->c->n == 0)
		return err_set(e, DANE_NORECORDS, "no TLSA records");
	dane_select(w->a, w->c->records, w->c->n, w->c->usages ? w->c->usages : DANE_ALL, &v, &n);
	if (n == 0)
		return err_set(e, DANE_UNUSABLE, "none of %zu TLSA records is usable", w->c->n);
	for (size_t i = 0; i < n; i++)
		if (verify_record(w, &v[i])) {
			w->r->record = v[i];
			return 0;
		}
	if (w->r->nfailures > 0)
		return err_set(e, DANE_NOMATCH, "no TLSA record verifies the server: %s",
		    X509_verify_cert_error_string(w->r->failures[0].verify_error));
	return err_set(e, DANE_NOMATCH, "no TLSA record matches the server's certificates");
}

int
dane_verify(
    struct arena *a, const struct dane_check *c, STACK_OF(X509) * chain, struct dane_result *r_result, struct errmsg *e)
{
	struct dane_result result = { .depth = -1 };
	struct work w = { .a = a, .c = c, .chain = chain, .r = &result };
	int rv = verify(&w, e);

	sk_X509_pop_free(w.pkix_chain, X509_free);
	metrics_add(&metric_verify, 1, NULL);
	if (rv < 0) {
		result.depth = -1;
		metrics_add(&metric_errors, 1, NULL);
	}
	*r_result = result;
	return rv;
}
