/* SPDX-License-Identifier: MIT */
/* httpclient_test.c - against a server in a thread, which answers by the path it is asked for. */
#include "httpclient/httpclient.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "dns_mock/dns_mock.h"
#include "metrics/metrics.h"
#include "testutil/testutil.h"
#include "tls/tls.h"

struct server {
	int listener, quit, stop;
	uint16_t port;
	struct tls_ctx *tls;            /* NULL: plain */
	pthread_t thread;
	char request[8192];             /* the last one; read by tests after its answer */
	struct str cert;
};

struct peer {
	int fd;
	SSL *ssl;
};

static ssize_t
peer_read(struct peer *p, char *buf, size_t n)
{
	return p->ssl ? SSL_read(p->ssl, buf, (int)n) : read(p->fd, buf, n);
}

static void
peer_write(struct peer *p, struct str s)
{
	if (p->ssl)
		ignore_result(SSL_write(p->ssl, s.p, (int)s.n) <= 0);
	else
		ignore_result(send(p->fd, s.p, s.n, MSG_NOSIGNAL) < 0);
}

/* Reads a request with its body into s->request; its path is returned. */
static struct str
read_request(struct server *s, struct peer *p)
{
	size_t n = 0;
	ssize_t got, head = -1, at;
	uint64_t length = 0;
	struct str path, line;

	while (head < 0 || n < (size_t)head + 4 + length) {
		got = peer_read(p, s->request + n, sizeof(s->request) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		if (s->request[0] == 0x16)
			return S("/error");     /* TLS, which is not spoken here */
		head = str_search(str_n(s->request, n), S("\r\n\r\n"));
		at = str_isearch(str_n(s->request, n), S("content-length: "));
		if (head >= 0 && at >= 0 && at < head) {
			line = str_from(str_n(s->request, n), (size_t)at + 16);
			ignore_result(str_u64(str_trim(str_split(&line, '\r')), &length) < 0);
		}
	}
	s->request[n] = '\0';
	line = str_n(s->request, n);
	str_split(&line, ' ');
	path = str_split(&line, ' ');
	return path;
}

static void
respond(struct server *s, struct peer *p, struct str path)
{
	struct arena a = { 0 };
	char byte;
	struct str out;

	if (str_is(path, S("/ok")))
		out = S("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Empty:\r\nContent-Length: 5\r\n\r\nhello");
	else if (str_is(path, S("/missing")))
		out = S("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
	else if (str_is(path, S("/error")))
		out = S("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
	else if (str_is(path, S("/continue")))
		out = S("HTTP/1.1 103 Early Hints\r\nEarly: 1\r\n\r\nHTTP/1.1 200 OK\r\nLate: 1\r\nContent-Length: 0\r\n\r\n");
	else if (str_is(path, S("/to-ok")))
		out = S("HTTP/1.1 301 Moved\r\nLocation: /ok\r\nContent-Length: 9\r\n\r\nlook else");
	else if (str_is(path, S("/loop")))
		out = S("HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
	else if (str_is(path, S("/to-file")))
		out = S("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
	else if (str_is(path, S("/to-credentials")))
		out = S("HTTP/1.1 302 Found\r\nLocation: http://user:pass@web.test/ok\r\nContent-Length: 0\r\n\r\n");
	else if (str_is(path, S("/to-private")))
		out = str_fmt(&a, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.9:%u/ok\r\nContent-Length: 0\r\n\r\n", s->port);
	else if (str_is(path, S("/endless")))
		out = S("HTTP/1.1 200 OK\r\n\r\n");
	else if (str_is(path, S("/big-head")))
		out = str_fmt(&a, "HTTP/1.1 200 OK\r\nX: %070000d\r\nContent-Length: 0\r\n\r\n", 1);
	else
		out = S("");    /* closes, or stays silent */
	peer_write(p, out);
	if (str_is(path, S("/endless")))
		for (int i = 0; i < 1000; i++)
			peer_write(p, str_fmt(&a, "%01000d", 0));
	if (str_is(path, S("/stop")))
		ignore_result(eventfd_write(s->stop, 1) < 0);
	if (str_is(path, S("/stop")) || str_is(path, S("/silent")))
		ignore_result(peer_read(p, &byte, 1) < 0);
	arena_done(&a);
}

static void *
serve(void *arg)
{
	struct server *s = arg;

	for (;;) {
		struct pollfd p[] = { { .fd = s->listener, .events = POLLIN }, { .fd = s->quit, .events = POLLIN } };
		struct peer peer = { 0 };

		ignore_result(poll(p, 2, -1) < 0);
		if (p[1].revents)
			return NULL;
		peer.fd = accept(s->listener, NULL, NULL);
		if (s->tls) {
			peer.ssl = tls_ctx_session(s->tls, peer.fd, true);
			SSL_set_mode(peer.ssl, SSL_MODE_AUTO_RETRY);
		}
		if (!peer.ssl || SSL_accept(peer.ssl) == 1)
			respond(s, &peer, read_request(s, &peer));
		if (peer.ssl)
			SSL_shutdown(peer.ssl);
		SSL_free(peer.ssl);
		close(peer.fd);
	}
}

/* cert_name NULL: plain HTTP. */
static struct server *
server_start(const char *cert_name, int days)
{
	struct server *s = mem_alloc(sizeof(*s));
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);

	if (cert_name) {
		struct tls_ctx_opts o = { 0 };

		assert_ok(tls_selfsigned(test_arena(), cert_name, days, &o.cert_pem, &o.key_pem, NULL));
		assert_ok(tls_ctx_new(&o, &s->tls, NULL));
		s->cert = o.cert_pem;
	}
	s->quit = eventfd(0, EFD_CLOEXEC);
	s->stop = eventfd(0, EFD_CLOEXEC);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)(void *)&sin, len), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)(void *)&sin, &len), 0);
	s->port = ntohs(sin.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	return s;
}

static void
server_stop(struct server *s)
{
	assert_int_equal(eventfd_write(s->quit, 1), 0);
	pthread_join(s->thread, NULL);
	fd_close(&s->listener);
	fd_close(&s->quit);
	fd_close(&s->stop);
	tls_ctx_unref(&s->tls);
	mem_free(&s);
}

struct rig {
	struct server *server;
	struct dns_resolver *resolver;
	struct httpclient *client;
	struct fetcher *f;
};

static bool
not_9(void *arg unused_, const struct ip *ip)
{
	return ip->a[3] != 9;
}

static void
begin(struct rig *r, const char *cert_name, int days, struct str cas)
{
	static const char *const fail[] = { "a broken.test", "aaaa broken.test", NULL };
	static const char *const hang[] = { "a hang.test", NULL };
	struct dns_mock_opts o = { .zone = "web.test A 127.0.0.1\nother.test A 127.0.0.1\nprivate.test A 127.0.0.9\n",
		.fail = fail, .hang = hang };
	struct httpclient_opts h = { .user_agent = "mox-test/1", .no_system_cas = true, .may_connect = not_9 };

	r->server = server_start(cert_name, days);
	r->resolver = dns_mock_new(&o);
	h.resolver = r->resolver;
	h.extra_cas = cas.n > 0 ? cas : r->server->cert;
	assert_ok(httpclient_new(&h, &r->client, NULL));
	r->f = httpclient_for(r->client, "test");
}

static void
end(struct rig *r)
{
	httpclient_free(&r->client);
	dns_mock_free(&r->resolver);
	server_stop(r->server);
}

static struct str
url_of(const struct rig *r, const char *host, const char *path)
{
	return str_fmt(test_arena(), "%s://%s:%u%s", r->server->tls ? "https" : "http", host, r->server->port, path);
}

TEST(responses)
{
	static const struct { const char *host, *path; int rv, status; const char *body, *text; unsigned redirects; } rows[] = {
		{ "web.test", "/ok", 0, 200, "hello", NULL, 0 },
		{ "127.0.0.1", "/ok", 0, 200, "hello", NULL, 0 },
		{ "web.test", "/missing", 0, 404, "gone", NULL, 0 },
		{ "web.test", "/error", 0, 500, "", NULL, 0 },
		{ "web.test", "/close", ERR_IO, 0, "", "mpty reply", 0 },
		{ "none.test", "/ok", FETCH_NOHOST, 0, "", "no such record", 0 },
		{ "broken.test", "/ok", FETCH_DNS, 0, "", "temporary", 0 },
		{ "private.test", "/ok", ERR_DENIED, 0, "", "allowed", 0 },
		{ "127.0.0.9", "/ok", ERR_DENIED, 0, "", "allowed", 0 },
		{ "web.test", "/endless", FETCH_TOOLARGE, 200, NULL, "larger", 0 },
		{ "web.test", "/big-head", FETCH_TOOLARGE, 200, "", "larger", 0 },
		{ "web.test", "/to-ok", FETCH_REDIRECT, 301, NULL, "redirected (301)", 0 },
		{ "web.test", "/to-ok", 0, 200, "hello", NULL, 1 },
		{ "web.test", "/loop", FETCH_REDIRECT, 302, NULL, "too often", 3 },
		{ "web.test", "/to-file", ERR_INVALID, 0, "", NULL, 3 },
		{ "web.test", "/to-credentials", FETCH_REDIRECT, 302, NULL, NULL, 3 },
		{ "web.test", "/to-private", ERR_DENIED, 0, "", "allowed", 3 },
	};
	struct ctx ctx = { 0 };
	struct rig r;

	begin(&r, NULL, 0, S(""));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fetch_request q = { .url = url_of(&r, rows[i].host, rows[i].path), .max_body = 1000,
			.max_redirects = rows[i].redirects };
		struct fetch_response res;
		struct errmsg e = { 0 };

		test_row("%s%s", rows[i].host, rows[i].path);
		assert_err(fetch(r.f, test_arena(), &ctx, &q, &res, &e), rows[i].rv);
		assert_int_equal(res.status, rows[i].status);
		if (rows[i].body)
			assert_strz(res.body, rows[i].body);
		if (rows[i].text && !strstr(e.text, rows[i].text))
			fail_msg("text is: %s", e.text);
	}
	end(&r);
}

TEST(requests)
{
	const struct fetch_header headers[] = { { S("Accept"), S("application/json") }, { S("X-Empty"), S("") } };
	const struct fetch_header bad = { S("X"), S("a\r\nEvil: 1") };
	struct ctx ctx = { 0 };
	struct fetch_response res;
	struct fetch_request q;
	struct rig r;

	begin(&r, NULL, 0, S(""));
	q = (struct fetch_request){ .url = url_of(&r, "web.test", "/ok"), .headers = headers, .nheaders = 2, .max_body = 100 };
	assert_ok(fetch(r.f, test_arena(), &ctx, &q, &res, NULL));
	assert_non_null(strstr(r.server->request, "GET /ok HTTP/1.1\r\n"));
	assert_non_null(strstr(r.server->request, "User-Agent: mox-test/1\r\n"));
	assert_non_null(strstr(r.server->request, "Accept: application/json\r\n"));
	assert_non_null(strstr(r.server->request, "X-Empty:\r\n"));
	assert_int_equal(res.nheaders, 3);
	assert_strz(res.headers[0].name, "content-type");
	assert_strz(res.headers[0].value, "text/plain");
	assert_strz(res.headers[1].value, "");
	q = (struct fetch_request){ .url = url_of(&r, "web.test", "/ok"), .body = S("a=b"), .has_body = true, .max_body = 100 };
	assert_ok(fetch(r.f, test_arena(), &ctx, &q, &res, NULL));
	assert_non_null(strstr(r.server->request, "POST /ok HTTP/1.1\r\n"));
	assert_non_null(strstr(r.server->request, "\r\n\r\na=b"));
	/* A redirect is not followed with a body. */
	q.url = url_of(&r, "web.test", "/to-ok");
	q.max_redirects = 3;
	assert_err(fetch(r.f, test_arena(), &ctx, &q, &res, NULL), FETCH_REDIRECT);
	q = (struct fetch_request){ .url = url_of(&r, "web.test", "/ok"), .method = "HEAD" };
	assert_ok(fetch(r.f, test_arena(), &ctx, &q, &res, NULL));
	assert_int_equal(res.status, 200);
	q = (struct fetch_request){ .url = url_of(&r, "web.test", "/continue"), .max_body = 1 };
	assert_ok(fetch(r.f, test_arena(), &ctx, &q, &res, NULL));
	assert_int_equal(res.nheaders, 2);
	assert_strz(res.headers[0].name, "late");
	q = (struct fetch_request){ .url = url_of(&r, "web.test", "/ok"), .headers = &bad, .nheaders = 1 };
	assert_err(fetch(r.f, test_arena(), &ctx, &q, &res, NULL), ERR_INVALID);
	end(&r);
}

TEST(urls)
{
	static const char *const urls[] = { "", "x", "ftp://web.test/", "file:///etc/passwd", "http://", "http://a b/",
		"http://web.test:99999/", "http://web.test/\n" };
	struct ctx ctx = { 0 };
	struct fetch_response res;
	struct rig r;

	begin(&r, NULL, 0, S(""));
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct fetch_request q = { .url = str_of(urls[i]) };

		test_row("%s", urls[i]);
		assert_err(fetch(r.f, test_arena(), &ctx, &q, &res, NULL), ERR_INVALID);
	}
	struct fetch_request plain = { .url = url_of(&r, "web.test", "/ok"), .https_only = true };
	assert_err(fetch(r.f, test_arena(), &ctx, &plain, &res, NULL), ERR_INVALID);
	end(&r);
}

TEST(certificates)
{
	struct str other_ca, key;
	static const struct { const char *name; int days; const char *host; bool trusted; int rv, verify; } rows[] = {
		{ "web.test", 30, "web.test", true, 0, 0 },
		{ "web.test", 30, "other.test", true, FETCH_TLS, X509_V_ERR_HOSTNAME_MISMATCH },
		{ "web.test", -1, "web.test", true, FETCH_TLS, X509_V_ERR_CERT_HAS_EXPIRED },
		{ "web.test", 30, "web.test", false, FETCH_TLS, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT },
	};
	struct ctx ctx = { 0 };

	assert_ok(tls_selfsigned(test_arena(), "ca.test", 30, &other_ca, &key, NULL));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fetch_response res;
		struct errmsg e = { 0 };
		struct rig r;

		begin(&r, rows[i].name, rows[i].days, rows[i].trusted ? S("") : other_ca);
		struct fetch_request q = { .url = url_of(&r, rows[i].host, "/ok"), .max_body = 100, .https_only = true };
		int rv = fetch(r.f, test_arena(), &ctx, &q, &res, &e);

		test_row("%zu: %s", i, e.text);
		assert_int_equal(rv, rows[i].rv);
		assert_int_equal(res.verify_error, rows[i].verify);
		end(&r);
	}
	struct httpclient_opts o = { .extra_cas = S("no certificate") };
	struct httpclient *c;
	assert_err(httpclient_new(&o, &c, NULL), ERR_INVALID);
	o.extra_cas = str_cat(test_arena(), other_ca, S("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
	assert_err(httpclient_new(&o, &c, NULL), ERR_INVALID);
}

/* A plain server where TLS is expected. */
TEST(no_tls)
{
	struct errmsg e = { 0 };
	struct ctx ctx = { 0 };
	struct fetch_response res;
	struct rig r;

	begin(&r, NULL, 0, S(""));
	struct fetch_request q = { .url = str_fmt(test_arena(), "https://web.test:%u/ok", r.server->port) };
	int rv = fetch(r.f, test_arena(), &ctx, &q, &res, &e);
	test_row("%s", e.text);
	assert_int_equal(rv, FETCH_TLS);
	assert_int_equal(res.verify_error, 0);
	end(&r);
}

TEST(deadline_and_stop)
{
	struct fetch_response res;
	struct rig r;

	begin(&r, NULL, 0, S(""));
	struct ctx ctx = ctx_within(&(struct ctx){ 0 }, 100 * TIME_MS);
	struct fetch_request q = { .url = url_of(&r, "web.test", "/silent") };
	assert_err(fetch(r.f, test_arena(), &ctx, &q, &res, NULL), ERR_TIMEOUT);
	ctx = ctx_within(&(struct ctx){ 0 }, 20 * TIME_MS);
	q.url = url_of(&r, "hang.test", "/ok");
	assert_err(fetch(r.f, test_arena(), &ctx, &q, &res, NULL), ERR_TIMEOUT);
	/* The server stops us when the request is there. */
	ctx = (struct ctx){ .stop_fd = r.server->stop };
	q.url = url_of(&r, "web.test", "/stop");
	assert_err(fetch(r.f, test_arena(), &ctx, &q, &res, NULL), ERR_CANCELED);
	end(&r);
}

TEST(metric)
{
	struct buf out = BUF_ARENA(test_arena(), 1 << 20);
	struct ctx ctx = { 0 };
	struct fetch_response res;
	struct rig r;

	metrics_reset_all();
	begin(&r, NULL, 0, S(""));
	assert_ptr_equal(httpclient_for(r.client, "test"), r.f);
	struct fetch_request q = { .url = url_of(&r, "web.test", "/missing"), .max_body = 100 };
	assert_ok(fetch(httpclient_for(r.client, "mtasts"), test_arena(), &ctx, &q, &res, NULL));
	end(&r);
	metrics_expose(&out);
	buf_addc(&out, '\0');
	assert_non_null(strstr(out.p,
	    "mox_httpclient_request_duration_seconds_count{pkg=\"mtasts\",method=\"GET\",code=\"404\",result=\"usererror\"} 1"));
}
