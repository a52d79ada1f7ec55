/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. A struct tls_ctx hangs on its SSL_CTX as ex_data and is freed with it, so callbacks that OpenSSL
 * makes for a session always find it alive. All references that tls_ctx_ref counts are one reference to the SSL_CTX:
 * OpenSSL's own count would do, but ThreadSanitizer cannot see into that.
 */
#include "tls/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/pem.h"
#include "tls/tls_internal.h"

/*
 * TLS 1.2 suites: forward secrecy only. CBC suites stay at the end, since a sending server that cannot agree on one of the better
 * suites would fall back to plaintext.
 */
#define TLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:!aNULL:!eNULL:!PSK:!SRP"
#define TLS_GROUPS "X25519:P-256:P-384"
/* Client certificates are self-signed keys; a chain would be ignored. OpenSSL's default is 100 KiB per handshake. */
#define TLS_MAX_CERT_LIST (16 * 1024)

static int ctx_index = -1;
static pthread_once_t ctx_index_once = PTHREAD_ONCE_INIT;

static void
ctx_free(void *parent unused_, void *ptr, CRYPTO_EX_DATA *ad unused_, int idx unused_, long argl unused_, void *argp unused_)
{
	struct tls_ctx *c = ptr;

	if (c == NULL)
		return;
	bug_if(atomic_load_explicit(&c->refs, memory_order_acquire) != 0);
	lock_done(&c->ticket_lock);
	mem_erase(c->tickets, sizeof(c->tickets));
	mem_free(&c->alpn);
	free(c);
}

static void
make_ctx_index(void)
{
	ctx_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, ctx_free);
	bug_if(ctx_index < 0);
}

static int
set_openssl(struct errmsg *e, int code, const char *what)
{
	struct arena a = { 0 };
	struct str t = tls_error(&a);

	err_set(e, code, "%s: " STRF, what, STRA(t));
	arena_done(&a);
	return code;
}

static int
use_pem(SSL_CTX *ctx, struct str cert, struct str key, struct errmsg *e)
{
	BIO *b;
	X509 *x;
	EVP_PKEY *k;
	int r;

	if (cert.n > INT32_MAX)
		return err_set(e, ERR_LIMIT, "certificate is too large");
	b = BIO_new_mem_buf(cert.p, (int)cert.n);
	x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	r = x ? SSL_CTX_use_certificate(ctx, x) : 0;
	X509_free(x);
	while (r == 1 && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL)
		r = SSL_CTX_add0_chain_cert(ctx, x) == 1;
	BIO_free(b);
	if (r != 1)
		return set_openssl(e, ERR_INVALID, "certificate");
	if (pem_private_key(key, &k) <
	    0) /* clears the errors: reading past the last certificate leaves "no start line" */
		return err_set(e, ERR_INVALID, "private key: none in PEM form");
	r = SSL_CTX_use_PrivateKey(ctx, k);
	EVP_PKEY_free(k);
	if (r != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return set_openssl(e, ERR_INVALID, "private key");
	return 0;
}

static int
use_files(SSL_CTX *ctx, const char *cert, const char *key, struct errmsg *e)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return set_openssl(e, ERR_INVALID, cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return set_openssl(e, ERR_INVALID, key);
	return 0;
}

static int
use_same(SSL_CTX *ctx, SSL_CTX *from, struct errmsg *e)
{
	STACK_OF(X509) *chain = NULL;

	SSL_CTX_get0_chain_certs(from, &chain);
	if (SSL_CTX_use_cert_and_key(ctx, SSL_CTX_get0_certificate(from), SSL_CTX_get0_privatekey(from), chain, 1) != 1)
		return set_openssl(e, ERR_INVALID, "certificate");
	return 0;
}

/*
 * Strict ALPN against cross-protocol attacks (ALPACA): a client that names protocols, but not ours, is not for us, and gets the
 * fatal alert no_application_protocol (RFC 7301 3.2).
 */
static int
alpn_select(SSL *ssl unused_, const unsigned char **out, unsigned char *outlen, const unsigned char *in, unsigned inlen,
    void *arg)
{
	struct tls_ctx *c = arg;
	struct str want = str_n(c->alpn + 1, (uint8_t)c->alpn[0]);

	for (unsigned i = 0; i < inlen && in[i] < inlen - i; i += 1u + in[i]) {
		if (str_is(str_n((const char *)in + i + 1, in[i]), want)) {
			*out = in + i + 1;
			*outlen = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int
server_name(SSL *ssl, int *alert unused_, void *arg)
{
	struct tls_ctx *c = arg, *other;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	if (name == NULL || *name == '\0' || c->by_name == NULL)
		return SSL_TLSEXT_ERR_OK;
	other = c->by_name(c->by_name_arg, str_of(name));
	if (other) {
		SSL_set_SSL_CTX(ssl, other->ctx);       /* takes a reference of its own */
		tls_ctx_unref(&other);
	}
	return SSL_TLSEXT_ERR_OK;
}

/* Replaces chain verification: a client is known by its key, whoever signed for it. */
static int
verify_client(X509_STORE_CTX *store, void *arg)
{
	struct tls_ctx *c = arg;
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	char fp[TLS_FINGERPRINT_LEN + 1];

	if (cert && tls_key_fingerprint(cert, fp) == 0 &&
	    (c->verify_key == NULL || c->verify_key(c->verify_arg, str_of(fp)))) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);      /* becomes the alert bad_certificate */
	return 0;
}

static void
set_rules(struct tls_ctx *c, const struct tls_ctx_opts *o)
{
	SSL_CTX *ctx = c->ctx;

	SSL_CTX_set_min_proto_version(ctx, o->min_version ? o->min_version : TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	    SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 0);
	SSL_CTX_set_max_cert_list(ctx, TLS_MAX_CERT_LIST);
	bug_if(SSL_CTX_set_cipher_list(ctx, TLS_CIPHERS) != 1);
	bug_if(SSL_CTX_set1_groups_list(ctx, TLS_GROUPS) != 1);
	SSL_CTX_set_dh_auto(ctx, 1);
	/* Tickets are bound to this context by their keys; the id only has to be there for sessions with client certificates. */
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"mox", 3);
	if (o->tickets) {
		tls_tickets_enable(c);
	} else {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
	}
	if (o->alpn) {
		size_t n = strlen(o->alpn);

		bug_if(n == 0 || n > 255);
		c->alpn = mem_alloc(n + 1);
		c->alpn[0] = (char)n;
		memcpy(c->alpn + 1, o->alpn, n);
		SSL_CTX_set_alpn_select_cb(ctx, alpn_select, c);
		SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)c->alpn, (unsigned)n + 1);  /* when used as a client */
	}
	SSL_CTX_set_tlsext_servername_callback(ctx, server_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, c);
	if (o->request_client_cert) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_cert_verify_callback(ctx, verify_client, c);
	}
}

int
tls_ctx_new(const struct tls_ctx_opts *o, struct tls_ctx **r_ctx, struct errmsg *e)
{
	struct tls_ctx *c;
	SSL_CTX *ctx;
	int r = 0;

	pthread_once(&ctx_index_once, make_ctx_index);
	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_method());
	if (ctx == NULL)
		return set_openssl(e, ERR_UNSUPPORTED, "new TLS context");
	c = mem_alloc(sizeof(*c));
	atomic_init(&c->refs, 1);
	c->ctx = ctx;
	c->verify_key = o->verify_key;
	c->verify_arg = o->verify_arg;
	c->by_name = o->by_name;
	c->by_name_arg = o->by_name_arg;
	c->clock = o->clock;
	lock_init(&c->ticket_lock, LOCK_TLS, "tls tickets");
	bug_if(SSL_CTX_set_ex_data(ctx, ctx_index, c) != 1);
	set_rules(c, o);
	if (o->same_cert)
		r = use_same(ctx, o->same_cert->ctx, e);
	else if (o->cert_file)
		r = use_files(ctx, o->cert_file, o->key_file ? o->key_file : o->cert_file, e);
	else if (o->cert_pem.n > 0)
		r = use_pem(ctx, o->cert_pem, o->key_pem, e);
	if (r < 0) {
		tls_ctx_unref(&c);
		return r;
	}
	*r_ctx = c;
	return 0;
}

struct tls_ctx *
tls_ctx_ref(struct tls_ctx *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
tls_ctx_unref(struct tls_ctx **c)
{
	struct tls_ctx *x = *c;

	*c = NULL;
	if (x && atomic_fetch_sub_explicit(&x->refs, 1, memory_order_acq_rel) == 1)
		SSL_CTX_free(x->ctx);
}

SSL_CTX *
tls_ctx_raw(struct tls_ctx *c)
{
	return c->ctx;
}

SSL *
tls_ctx_session(struct tls_ctx *c, int fd, bool server)
{
	SSL *ssl;

	ERR_clear_error();
	ssl = SSL_new(c->ctx);
	if (ssl == NULL || (fd >= 0 && SSL_set_fd(ssl, fd) != 1))
		bug("out of memory for a TLS session");
	SSL_set_app_data(ssl, c);
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

struct str
tls_error(struct arena *a)
{
	struct buf b = BUF_ARENA(a, 1000);
	const char *data;
	unsigned long code;
	int flags;

	while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
		const char *reason = ERR_SYSTEM_ERROR(code) ? err_strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);

		if (b.n > 0)
			buf_addz(&b, "; ");
		if (reason)
			buf_addz(&b, reason);
		else
			buf_addf(&b, "error %lx", code);
		if ((flags & ERR_TXT_STRING) && data && *data)
			buf_addf(&b, " (%s)", data);
	}
	return b.n > 0 ? buf_str(&b) : S("no TLS error recorded");
}
