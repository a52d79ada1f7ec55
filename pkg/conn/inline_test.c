/* SPDX-License-Identifier: MIT */
/* The engine without threads: framing, spooling, output, STARTTLS, stacked streams. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/buf.h"
#include "base/fd.h"
#include "conn/conn_internal.h"
#include "conn/testproto.h"
#include "testutil/testutil.h"

/* One connection and the client's end. */
struct rig {
	struct conn *c;
	int fd;
	SSL *ssl;
	struct tls_ctx *tls;
	bool open;
	struct testproto_opts o;
};

static void
rig_open_tls(struct rig *r, bool tls, bool implicit)
{
	int fds[2];
	struct conn_listener_opts lo = { .name = "test", .proto = &testproto, .arg = &r->o };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	fd_nonblock(fds[1], true);
	r->fd = fds[1];
	if (tls)
		r->tls = lo.tls = testproto_server_tls(NULL);
	lo.implicit_tls = implicit;
	r->c = conn_inline_new(fds[0], &lo, NULL, NULL);
	r->open = true;
}

static void
rig_open(struct rig *r)
{
	rig_open_tls(r, false, false);
}

static void
rig_close(struct rig *r)
{
	conn_inline_free(&r->c);
	SSL_free(r->ssl);
	fd_close(&r->fd);
	tls_ctx_unref(&r->tls);
	assert_int_equal(r->o.started, r->o.closed);
	assert_int_equal(conn_in_total(), 0);
}

static void
run(struct rig *r)
{
	r->open = conn_inline_run(r->c, true);
}

static void
put(struct rig *r, struct str s)
{
	while (s.n > 0) {
		ssize_t n = r->ssl ? SSL_write(r->ssl, s.p, (int)s.n) : send(r->fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		else
			s = str_from(s, (size_t)n);
		if (s.n > 0)
			run(r);
	}
	run(r);
}

/* All that the server sent. */
static struct str
get(struct rig *r)
{
	struct buf b = BUF_ARENA(test_arena(), 64 << 20);
	char p[16384];
	ssize_t n;

	for (;;) {
		n = r->ssl ? SSL_read(r->ssl, p, sizeof(p)) : recv(r->fd, p, sizeof(p), 0);
		if (n > 0)
			buf_add(&b, str_n(p, (size_t)n));
		else if (!r->open || !(r->open = conn_inline_run(r->c, true)) || !conn_out_pending(r->c))
			break;
	}
	/* What came while the last run closed it. */
	while ((n = r->ssl ? SSL_read(r->ssl, p, sizeof(p)) : recv(r->fd, p, sizeof(p), 0)) > 0)
		buf_add(&b, str_n(p, (size_t)n));
	ERR_clear_error();
	return buf_str(&b);
}

static void
client_tls(struct rig *r)
{
	struct tls_ctx *ctx;
	int n;

	assert_ok(tls_ctx_new(&(struct tls_ctx_opts){ 0 }, &ctx, NULL));
	r->ssl = tls_ctx_session(ctx, r->fd, false);
	tls_ctx_unref(&ctx);
	for (n = 0; n < 10 && SSL_do_handshake(r->ssl) != 1; n++)
		run(r);
	assert_int_equal(SSL_is_init_finished(r->ssl), 1);
	run(r);
}

TEST(inline_commands)
{
	static const struct {
		const char *in, *out;
		bool closes;
	} rows[] = {
		{ "", "HELLO\r\n", false },
		{ "ECHO a\r\n", "HELLO\r\n= a\r\n", false },
		{ "ECHO a\nECHO b\r\n", "HELLO\r\n= a\r\n= b\r\n", false },
		{ "ECHO a\r\nECHO", "HELLO\r\n= a\r\n", false },
		{ "DATA 5\r\nabcdeECHO x\r\n", "HELLO\r\nGO\r\nSUM 5 495\r\n= x\r\n", false },
		{ "DATA 5\r\nabc", "HELLO\r\nGO\r\n", false },
		{ "LIT {3}\r\nabcECHO x\r\n", "HELLO\r\n+\r\nLIT 3 294\r\n= x\r\n", false },
		{ "LIT {3}\r\na", "HELLO\r\n+\r\n", false },
		{ "SLEEP 5000\r\nECHO x\r\n", "HELLO\r\nAWAKE\r\n= x\r\n", false },
		{ "SLOW 1\r\nECHO x\r\n", "HELLO\r\nOK\r\n= x\r\n", false },
		{ "IDLE\r\nDONE\r\n", "HELLO\r\n+\r\nOK\r\n", false },
		{ "QUIT\r\nECHO x\r\n", "HELLO\r\nBYE\r\n", true },
		{ "what\r\n", "HELLO\r\nBAD\r\n", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i].in);

		test_row("%s", rows[i].in);
		for (int bytewise = 0; bytewise < 2; bytewise++) {
			struct rig r = { 0 };

			rig_open(&r);
			for (size_t k = 0; bytewise && k < in.n && r.open; k++)
				put(&r, str_n(in.p + k, 1));
			if (!bytewise)
				put(&r, in);
			run(&r);
			assert_strz(get(&r), rows[i].out);
			assert_int_equal(r.open, !rows[i].closes);
			rig_close(&r);
		}
	}
}

TEST(inline_line_too_long)
{
	struct rig r = { .o.input_limit = 100 };
	char line[100];

	memset(line, 'a', sizeof(line));
	rig_open(&r);
	run(&r);
	put(&r, str_n(line, 99));
	assert_true(r.open);
	put(&r, S("a"));
	assert_strz(get(&r), "HELLO\r\nBAD\r\n");
	assert_false(r.open);
	rig_close(&r);
}

TEST(inline_peer_closes)
{
	struct rig r = { 0 };

	rig_open(&r);
	put(&r, S("ECHO a\r\nECHO b\r\nECHO"));
	assert_int_equal(shutdown(r.fd, SHUT_WR), 0);
	run(&r);
	assert_false(r.open);
	assert_strz(get(&r), "HELLO\r\n= a\r\n= b\r\n");
	rig_close(&r);
}

TEST(inline_large_output)
{
	struct rig r = { 0 };

	rig_open(&r);
	put(&r, S("BIG 3000000\r\nECHO x\r\n"));
	assert_int_equal(get(&r).n, 7 + 3000002 + 5);
	rig_close(&r);
}

TEST(inline_wake)
{
	struct rig r = { 0 };

	rig_open(&r);
	conn_inline_wake(r.c);
	run(&r);
	assert_strz(get(&r), "HELLO\r\n");
	put(&r, S("IDLE\r\n"));
	assert_strz(get(&r), "+\r\nWOKEN\r\n");        /* the wake that came before is not lost */
	run(&r);
	assert_strz(get(&r), "");
	conn_inline_wake(r.c);
	run(&r);
	assert_strz(get(&r), "WOKEN\r\n");
	put(&r, S("DONE\r\n"));
	conn_inline_wake(r.c);
	run(&r);
	assert_strz(get(&r), "OK\r\n");
	rig_close(&r);
}

TEST(inline_due)
{
	static const struct {
		enum conn_unit_kind kind;
		const char *out;
	} rows[] = {
		{ CONN_TIMEOUT, "HELLO\r\nTIMEOUT\r\n" },
		{ CONN_SHUTDOWN, "HELLO\r\nSHUTDOWN\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig r = { 0 };

		test_row("%s", rows[i].out);
		rig_open(&r);
		run(&r);
		conn_inline_due(r.c, rows[i].kind);
		run(&r);
		assert_false(r.open);
		assert_strz(get(&r), rows[i].out);
		rig_close(&r);
	}
}

TEST(inline_implicit_tls)
{
	struct rig r = { 0 };

	rig_open_tls(&r, true, true);
	client_tls(&r);
	assert_strz(get(&r), "HELLO\r\n");
	put(&r, S("ECHO a\r\nDATA 3\r\nabcECHO b\r\n"));
	assert_strz(get(&r), "= a\r\nGO\r\nSUM 3 294\r\n= b\r\n");
	assert_true(conn_is_tls(r.c));
	assert_int_equal(conn_tls(r.c)->version, TLS1_3_VERSION);
	put(&r, S("QUIT\r\n"));
	assert_strz(get(&r), "BYE\r\n");
	assert_int_equal(SSL_get_shutdown(r.ssl), SSL_RECEIVED_SHUTDOWN);
	rig_close(&r);
}

TEST(inline_no_handshake)
{
	struct rig r = { 0 };

	rig_open_tls(&r, true, true);
	put(&r, S("ECHO this is no ClientHello, but long enough to be looked at\r\n"));
	assert_false(r.open);
	assert_int_equal(r.o.started, 0);
	assert_int_equal(r.o.tls_failed, 1);
	rig_close(&r);
}

/* RFC 3207 4.2: what came before the handshake must not count; the command injection of CVE-2011-0411. */
TEST(inline_starttls)
{
	struct rig r = { 0 };

	rig_open_tls(&r, true, false);
	run(&r);
	put(&r, S("ECHO a\r\nSTARTTLS\r\nECHO injected\r\n"));
	assert_strz(get(&r), "HELLO\r\n= a\r\nGO\r\n");
	client_tls(&r);
	assert_strz(get(&r), "TLS\r\n");
	put(&r, S("ECHO b\r\n"));
	assert_strz(get(&r), "= b\r\n");
	rig_close(&r);
}

/* Injected plaintext that is still in the socket reaches the handshake, which fails. */
TEST(inline_starttls_late_plaintext)
{
	struct rig r = { 0 };

	rig_open_tls(&r, true, false);
	put(&r, S("STARTTLS\r\n"));
	assert_strz(get(&r), "HELLO\r\nGO\r\n");
	put(&r, S("ECHO injected\r\nECHO injected\r\n"));
	assert_false(r.open);
	assert_int_equal(r.o.tls_failed, 1);
	rig_close(&r);
}

static void
xor_text(struct str s, unsigned char key)
{
	char *p = (char *)(uintptr_t)s.p;

	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)(p[i] ^ key);
}

/* A filter stacks on plain and on TLS, and takes effect behind the reply that announced it. */
TEST(inline_stacked_streams)
{
	for (int tls = 0; tls < 2; tls++) {
		struct rig r = { 0 };
		struct str out;

		test_row("tls %d", tls);
		rig_open_tls(&r, tls != 0, tls != 0);
		if (tls)
			client_tls(&r);
		put(&r, S("XOR 37\r\n"));
		assert_strz(get(&r), "HELLO\r\nGO\r\n");
		out = str_dup(test_arena(), S("ECHO through the filter\r\nBIG 100000\r\n"));
		xor_text(out, 37);
		put(&r, out);
		out = get(&r);
		xor_text(out, 37);
		assert_true(str_starts(out, S("= through the filter\r\nxxxx")));
		assert_int_equal(out.n, 24 + 100002 - 2);
		rig_close(&r);
	}
}
