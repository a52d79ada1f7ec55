/* SPDX-License-Identifier: MIT */
/*
 * httpclient.c - one request after another over libcurl's multi interface: it lets us wait for the sockets and the stop
 * descriptor together.
 */
#include "httpclient/httpclient.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "metrics/metrics.h"

#define MAX_ADDRESSES 10                /* of a host, handed to libcurl */
#define WAIT_MS (60 * 1000)

static struct metric metric_request = METRICS_HISTOGRAM_INIT("mox_httpclient_request_duration_seconds", "HTTP requests made.",
    metrics_buckets_a30, "pkg", "method", "code", "result");

/* What a user holds. */
struct view {
	struct fetcher f;
	struct httpclient *client;
	char *pkg;
	struct view *next;
};

struct httpclient {
	struct dns_resolver *resolver;
	char *user_agent;
	STACK_OF(X509) *extra;
	bool no_system_cas;
	bool (*may_connect)(void *arg, const struct ip *ip);
	void *arg;
	struct lock lock;               /* views */
	struct view *views;
};

/* One request to one URL. */
struct transfer {
	struct httpclient *client;
	struct arena *a;
	const struct ctx *ctx;
	const struct fetch_request *q;
	struct fetch_response *res;
	struct errmsg *e;
	CURL *easy;
	struct curl_slist *headers, *resolve;
	struct buf body;
	size_t header_bytes, cap;
	bool too_large;
	char error[CURL_ERROR_SIZE];
};

/* --- what libcurl calls --- */

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	buf_add(&t->body, str_n(p, size * n));
	t->too_large = t->body.failed;
	return t->too_large ? 0 : size * n;
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	struct str line = str_trim(str_n(p, size * n)), value = line, name;

	/* A new response begins: what came before was interim, as 100 Continue. */
	if (str_istarts(line, S("HTTP/"))) {
		t->res->nheaders = 0;
		return size * n;
	}
	t->header_bytes += line.n;
	if (t->header_bytes > LIMIT_HTTP_RESPONSE_HEAD) {
		t->too_large = true;
		return 0;
	}
	if (!str_has(line, ':'))
		return size * n;
	name = str_trim(str_split(&value, ':'));
	if (t->res->nheaders == t->cap) {
		t->cap = MAX(2 * t->cap, (size_t)16);
		t->res->headers = arena_grow(t->a, t->res->headers, t->res->nheaders, t->cap, sizeof(*t->res->headers));
	}
	t->res->headers[t->res->nheaders++] = (struct fetch_header){ str_lower(t->a, name), str_dup(t->a, str_trim(value)) };
	return size * n;
}

/* Adds the authorities of the configuration to those that libcurl put into the context. */
static CURLcode
on_ssl_ctx(CURL *easy unused_, void *ssl_ctx, void *arg)
{
	const struct httpclient *c = arg;
	X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);

	ERR_clear_error();
	for (int i = 0; i < sk_X509_num(c->extra); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(c->extra, i)) != 1)
			return CURLE_SSL_CACERT_BADFILE;
	return CURLE_OK;
}

/* --- one transfer --- */

/* The parts of a URL, checked. Strings are in the arena. */
struct target {
	const char *host, *port;        /* host without brackets */
	bool is_ip;
	struct ip ip;
};

static const char *
url_part(CURLU *u, struct arena *a, CURLUPart part, unsigned flags)
{
	char *s = NULL;
	const char *copy = "";

	if (curl_url_get(u, part, &s, flags) == CURLUE_OK)
		copy = arena_strdup(a, s);
	curl_free(s);
	return copy;
}

static int
parse_url(struct transfer *t, struct str url, struct target *r_target)
{
	const char *z = str_z(t->a, url), *scheme;
	CURLU *u = curl_url();
	struct target g = { 0 };
	struct str host;
	int rv = 0;

	bug_if(!u);
	if (!z || curl_url_set(u, CURLUPART_URL, z, 0) != CURLUE_OK) {
		curl_url_cleanup(u);
		return err_set(t->e, ERR_INVALID, "malformed URL");
	}
	scheme = url_part(u, t->a, CURLUPART_SCHEME, 0);
	g.host = url_part(u, t->a, CURLUPART_HOST, 0);
	g.port = url_part(u, t->a, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (strcmp(scheme, "https") != 0 && (strcmp(scheme, "http") != 0 || t->q->https_only))
		rv = err_set(t->e, ERR_INVALID, "not a URL of %s", t->q->https_only ? "https" : "http or https");
	curl_url_cleanup(u);
	host = str_of(g.host);
	if (str_starts(host, S("[")))
		host = str_n(host.p + 1, host.n - 2);
	g.is_ip = ip_parse(host, &g.ip) == 0;
	g.host = str_z(t->a, host);
	*r_target = g;
	return rv;
}

static bool
allowed(const struct httpclient *c, const struct ip *ip)
{
	return !c->may_connect || c->may_connect(c->arg, ip);
}

/* Looks the host up and tells libcurl where it is. */
static int
resolve(struct transfer *t, const struct target *g)
{
	struct buf b = BUF_ARENA(t->a, 4096);
	struct dns_result addresses;
	size_t n = 0;
	int rv;

	if (g->is_ip)
		return allowed(t->client, &g->ip) ? 0 : err_set(t->e, ERR_DENIED, "address is not allowed");
	rv = dns_lookup_ip(t->client->resolver, t->a, t->ctx, str_of(g->host), 0, &addresses, t->e);
	if (rv == DNS_NOTFOUND || rv == DNS_BADNAME)
		return FETCH_NOHOST;
	if (rv < 0)
		return ctx_check(t->ctx) == 0 ? FETCH_DNS : rv;
	buf_addf(&b, "%s:%s:", g->host, g->port);
	for (size_t i = 0; i < addresses.n && n < MAX_ADDRESSES; i++) {
		struct str ip = ip_str(t->a, &addresses.v[i].ip);

		if (!allowed(t->client, &addresses.v[i].ip))
			continue;
		buf_addf(&b, addresses.v[i].ip.family == 6 ? "%s[" STRF "]" : "%s" STRF, n++ > 0 ? "," : "", STRA(ip));
	}
	if (n == 0)
		return err_set(t->e, ERR_DENIED, "no address of the host is allowed");
	buf_addc(&b, '\0');
	t->resolve = curl_slist_append(t->resolve, b.p);
	bug_if(!t->resolve);
	return 0;
}

static const char *
method_of(const struct fetch_request *q)
{
	return q->method ? q->method : q->has_body ? "POST" : "GET";
}

static int
add_headers(struct transfer *t)
{
	for (size_t i = 0; i < t->q->nheaders; i++) {
		const struct fetch_header *h = &t->q->headers[i];
		const char *line;

		/* What callers put together must not become other lines. */
		if (str_has(h->name, '\n') || str_has(h->value, '\n') || str_has(h->name, '\r') || str_has(h->value, '\r'))
			return err_set(t->e, ERR_INVALID, "line end in a header field");
		line = str_z(t->a, str_fmt(t->a, h->value.n > 0 ? STRF ": " STRF : STRF ";" STRF, STRA(h->name), STRA(h->value)));
		if (!line)
			return err_set(t->e, ERR_INVALID, "NUL in a header field");
		t->headers = curl_slist_append(t->headers, line);
		bug_if(!t->headers);
	}
	return 0;
}

static void
set_options(struct transfer *t, struct str url)
{
	CURL *c = t->easy;
	const char *method = method_of(t->q);

	curl_easy_setopt(c, CURLOPT_URL, str_z(t->a, url));
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, t->q->https_only ? "https" : "http,https");
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, t->client->user_agent);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(c, CURLOPT_RESOLVE, t->resolve);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, t->client);
	if (t->client->no_system_cas) {
		curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	if (t->q->has_body) {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->q->body.n);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, t->q->body.n > 0 ? t->q->body.p : "");
	}
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	else if (strcmp(method, t->q->has_body ? "POST" : "GET") != 0)
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
}

/* The failure that libcurl reports, as one of ours. */
static int
outcome(struct transfer *t, CURLcode code)
{
	const char *text = t->error[0] ? t->error : curl_easy_strerror(code);
	long verify = 0;

	if (t->too_large)
		return err_set(t->e, FETCH_TOOLARGE, "response is larger than allowed");
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_PEER_FAILED_VERIFICATION:
		curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
		/* Unset (as "unspecified") when the chain was good: then it is the name. */
		t->res->verify_error = verify == X509_V_OK || verify == X509_V_ERR_UNSPECIFIED ? X509_V_ERR_HOSTNAME_MISMATCH :
		    (int)verify;
		return err_set(t->e, FETCH_TLS, "%s", text);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(t->e, FETCH_TLS, "%s", text);
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return err_set(t->e, ERR_INVALID, "%s", text);
	default:
		return err_set(t->e, ERR_IO, "%s", text);
	}
}

/* Runs the transfer to its end, or that of the context. */
static int
run(struct transfer *t)
{
	CURLM *multi = curl_multi_init();
	CURLcode code = CURLE_OK;
	int running = 1, rv = 0, left;

	bug_if(!multi || curl_multi_add_handle(multi, t->easy) != CURLM_OK);
	while (running > 0 && rv == 0) {
		struct curl_waitfd stop = { .fd = t->ctx->stop_fd, .events = CURL_WAIT_POLLIN };
		bool stoppable = t->ctx->stop_fd > 0;
		const CURLMsg *m;

		if (curl_multi_perform(multi, &running) != CURLM_OK)
			rv = err_set(t->e, ERR_IO, "transfer failed");
		while ((m = curl_multi_info_read(multi, &left)))
			if (m->msg == CURLMSG_DONE)
				code = m->data.result;
		if (running == 0 || rv < 0)
			break;
		rv = ctx_check(t->ctx);
		if (rv == 0 &&
		    curl_multi_poll(multi, stoppable ? &stop : NULL, stoppable, ctx_left_ms(t->ctx, WAIT_MS), NULL) != CURLM_OK)
			rv = err_set(t->e, ERR_IO, "waiting for a transfer failed");
		if (rv == 0 && stoppable && stop.revents)
			rv = ERR_CANCELED;
	}
	curl_multi_remove_handle(multi, t->easy);
	if (rv == 0)
		rv = outcome(t, code);
	else if (rv == ERR_TIMEOUT || rv == ERR_CANCELED)
		err_set(t->e, rv, "%s", err_text(rv));
	curl_multi_cleanup(multi);
	return rv;
}

static bool
is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where a redirect leads, without credentials; empty if nowhere. */
static struct str
redirect_of(struct transfer *t)
{
	char *url = NULL;

	if (curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &url) != CURLE_OK || !url || str_has(str_of(url), '@'))
		return S("");
	return str_dup(t->a, str_of(url));
}

/* One request; *r_redirect gets where the response sends us, if it is to be followed. */
static int
one_request(struct httpclient *c, struct arena *a, const struct ctx *ctx, const struct fetch_request *q, struct str url,
    struct fetch_response *res, struct str *r_redirect, struct errmsg *e)
{
	struct transfer t = { .client = c, .a = a, .ctx = ctx, .q = q, .res = res, .e = e, .body = BUF_ARENA(a, q->max_body) };
	struct target g;
	long status = 0;
	int rv = parse_url(&t, url, &g);

	*r_redirect = S("");
	*res = (struct fetch_response){ 0 };
	if (rv == 0)
		rv = resolve(&t, &g);
	if (rv == 0)
		rv = add_headers(&t);
	if (rv == 0) {
		t.easy = curl_easy_init();
		bug_if(!t.easy);
		set_options(&t, url);
		rv = run(&t);
		curl_easy_getinfo(t.easy, CURLINFO_RESPONSE_CODE, &status);
		res->status = (int)status;
		res->body = buf_str(&t.body);
		/* The body of a redirect is of no interest. */
		if (is_redirect(res->status) && (rv == 0 || rv == FETCH_TOOLARGE)) {
			*r_redirect = redirect_of(&t);
			rv = FETCH_REDIRECT;
		}
		curl_easy_cleanup(t.easy);
	}
	curl_slist_free_all(t.headers);
	curl_slist_free_all(t.resolve);
	return rv;
}

static int
request(struct httpclient *c, struct arena *a, const struct ctx *ctx, const struct fetch_request *q, struct fetch_response *res,
    struct errmsg *e)
{
	struct str url = q->url, next = { 0 };
	bool may_follow = strcmp(method_of(q), "GET") == 0;

	lock_none_held();
	for (unsigned hops = 0;; hops++) {
		int rv = one_request(c, a, ctx, q, url, res, &next, e);

		if (rv != FETCH_REDIRECT)
			return rv;
		if (!may_follow || next.n == 0 || hops >= q->max_redirects)
			return err_set(e, FETCH_REDIRECT, "redirected (%d)%s", res->status, hops > 0 ? " too often" : "");
		url = next;
	}
}

static const char *
result_of(int rv, int status)
{
	if (rv == ERR_TIMEOUT)
		return "timeout";
	if (rv == ERR_CANCELED)
		return "canceled";
	if (rv < 0 && rv != FETCH_REDIRECT && rv != FETCH_TOOLARGE)
		return "error";
	return status / 100 == 2 ? "ok" : status / 100 == 4 ? "usererror" : status / 100 == 5 ? "servererror" : "other";
}

static int
get(struct fetcher *f, struct arena *a, const struct ctx *ctx, const struct fetch_request *q, struct fetch_response *r_response,
    struct errmsg *e)
{
	struct view *v = container_of(f, struct view, f);
	struct errmsg why = { 0 };
	int64_t start = time_mono_us();
	int rv = request(v->client, a, ctx, q, r_response, &why);
	char code[16];

	ignore_result(snprintf(code, sizeof(code), "%d", r_response->status) < 0);
	metrics_observe(&metric_request, (double)(time_mono_us() - start) / 1e6, v->pkg, method_of(q), code,
	    result_of(rv, r_response->status), NULL);
	if (rv < 0)
		err_set(e, rv, "%s of " STRF ": %s", method_of(q), STRA(str_log(a, q->url, 120)), why.text);
	return rv;
}

/* --- life --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
init_curl(void)
{
	bug_if(curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK);
}

static int
load_extra(struct httpclient *c, struct str pem, struct errmsg *e)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x;

	bug_if(!bio);
	ERR_clear_error();
	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		bug_if(sk_X509_push(c->extra, x) <= 0);
	BIO_free(bio);
	/* Reading ends with "no start line"; anything else is damage. */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE || sk_X509_num(c->extra) == 0) {
		ERR_clear_error();
		return err_set(e, ERR_INVALID, "no certificates, or damaged ones, among the additional authorities");
	}
	ERR_clear_error();
	return 0;
}

int
httpclient_new(const struct httpclient_opts *o, struct httpclient **r_client, struct errmsg *e)
{
	struct httpclient *c = mem_alloc(sizeof(*c));

	pthread_once(&once, init_curl);
	c->resolver = o->resolver;
	c->user_agent = mem_strdup(o->user_agent ? o->user_agent : "mox");
	c->extra = sk_X509_new_null();
	c->no_system_cas = o->no_system_cas;
	c->may_connect = o->may_connect;
	c->arg = o->arg;
	lock_init(&c->lock, LOCK_DNS, "httpclient");
	if (o->extra_cas.n > 0 && load_extra(c, o->extra_cas, e) < 0) {
		httpclient_free(&c);
		return ERR_INVALID;
	}
	*r_client = c;
	return 0;
}

void
httpclient_free(struct httpclient **pc)
{
	struct httpclient *c = *pc;

	if (!c)
		return;
	while (c->views) {
		struct view *v = c->views;

		c->views = v->next;
		mem_free(&v->pkg);
		mem_free(&v);
	}
	sk_X509_pop_free(c->extra, X509_free);
	lock_done(&c->lock);
	mem_free(&c->user_agent);
	mem_free(&c);
	*pc = NULL;
}

struct fetcher *
httpclient_for(struct httpclient *c, const char *pkg)
{
	struct view *v;

	LOCKED(&c->lock);
	for (v = c->views; v; v = v->next)
		if (strcmp(v->pkg, pkg) == 0)
			return &v->f;
	v = mem_alloc(sizeof(*v));
	v->f.get = get;
	v->client = c;
	v->pkg = mem_strdup(pkg);
	v->next = c->views;
	c->views = v;
	return &v->f;
}
