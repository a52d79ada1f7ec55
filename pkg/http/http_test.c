/* SPDX-License-Identifier: MIT */
/* http_test.c - heads of requests, and a server over a socketpair. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "http/http.h"
#include "testutil/testutil.h"

struct row {
	const char *head;
	int status;             /* 0 = accepted */
	const char *path;
	bool keep;
};

static const struct row rows[] = {
	{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0, "/", true },
	{ "GET /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 0, "/a", false },
	{ "HEAD /metrics HTTP/1.0\r\n\r\n", 0, "/metrics", false },
	{ "GET / HTTP/1.1\r\n\r\n", 400, NULL, false },                            // rfc/9112:445
	{ "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, NULL, false },      // rfc/9112:445
	{ "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, NULL, false },                // rfc/9112:714
	{ "GET / HTTP/1.1\r\n: x\r\n\r\n", 400, NULL, false },
	{ "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400, NULL, false },
	{ "GET / HTTP/1.1\r\nHost: x\ry\r\n\r\n", 400, NULL, false },
	{ "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL, false },
	{ "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL, false },
	{ "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL, false },
	{ "POST / HTTP/1.1\r\nHost: x\r\n\r\n", 405, NULL, false },
	{ "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, NULL, false },
	{ "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", 413, NULL, false },
	{ "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 501, NULL, false },
	{ "GET\r\n\r\n", 400, NULL, false },
	{ "\r\n\r\n", 400, NULL, false },
};

TEST(heads)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_request q = { 0 };
		bool keep = false;

		test_row("%s", rows[i].head);
		assert_int_equal(http_parse_head(test_exact(str_of(rows[i].head)), &q, &keep), rows[i].status);
		if (rows[i].status == 0) {
			assert_strz(q.path, rows[i].path);
			assert_int_equal(keep, rows[i].keep);
		}
	}
}

TEST(truncated_heads)
{
	struct str whole = S("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

	for (size_t n = 0; n < whole.n; n++) {
		struct http_request q = { 0 };
		bool keep = false;

		assert_int_not_equal(http_parse_head(test_exact(str_upto(whole, n)), &q, &keep), 0);
	}
}

static void
hello(const struct http_request *q, struct http_response *r)
{
	buf_addf(&r->body, "hello %s", (const char *)q->arg);
}

static const struct http_route routes[] = { { "/", hello }, { "/metrics", http_metrics }, { 0 } };

/* Sends the pieces to a fresh connection and returns all that it answers until it is idle or closed. */
static struct str
dialogue(const struct str *pieces, size_t n, bool *r_closed)
{
	static char world[] = "world";
	struct http_server server = { routes, world };
	struct conn_listener_opts o = { .name = "test", .proto = &http_proto, .arg = &server };
	struct ipport local = { 0 };
	struct buf out = BUF_ARENA(test_arena(), 1024 * 1024);
	struct conn *c;
	int fds[2];
	bool open;

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	fd_nonblock(fds[0], true);
	c = conn_inline_new(fds[1], &o, &local, &local);
	open = conn_inline_run(c, false);
	for (size_t i = 0; i < n && open; i++) {
		assert_ok(fd_write_all(fds[0], pieces[i]));
		open = conn_inline_run(c, false);
	}
	*r_closed = !open;
	conn_inline_free(&c);
	for (;;) {
		ssize_t got;

		assert_true(buf_reserve(&out, 65536));
		got = read(fds[0], buf_tail(&out), 65536);
		if (got <= 0)
			break;
		buf_wrote(&out, (size_t)got);
	}
	fd_close(&fds[0]);
	return buf_str(&out);
}

TEST(two_requests_on_one_connection)
{
	struct str piece = S("GET / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
	bool closed;
	struct str got = dialogue(&piece, 1, &closed);

	assert_true(str_starts(got, S("HTTP/1.1 200 OK\r\n")));
	assert_true(str_search(got, S("\r\n\r\nhello worldHTTP/1.1 200 OK\r\n")) > 0);
	assert_true(str_ends(got, S("\r\n\r\n")));
	assert_false(closed);
}

TEST(byte_by_byte)
{
	struct str whole = S("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	struct str pieces[64];
	bool closed;
	struct str got;

	assert_in_range(whole.n, 1, ARRAY_LEN(pieces));
	for (size_t i = 0; i < whole.n; i++)
		pieces[i] = str_upto(str_from(whole, i), 1);
	got = dialogue(pieces, whole.n, &closed);
	assert_true(str_starts(got, S("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4")));
	assert_true(closed);
}

TEST(refusals_close)
{
	struct str post = S("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
	struct str unknown = S("GET /no HTTP/1.0\r\n\r\n");
	char *big = arena_alloc(test_arena(), LIMIT_HTTP_HEAD + 1);
	struct str too_large;
	bool closed;

	assert_true(str_starts(dialogue(&post, 1, &closed), S("HTTP/1.1 413 ")));
	assert_true(closed);
	assert_true(str_starts(dialogue(&unknown, 1, &closed), S("HTTP/1.1 404 ")));
	memset(big, 'a', LIMIT_HTTP_HEAD);
	too_large = str_n(big, LIMIT_HTTP_HEAD);
	assert_true(str_starts(dialogue(&too_large, 1, &closed), S("HTTP/1.1 431 ")));
	assert_true(closed);
}
