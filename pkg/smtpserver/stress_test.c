/* SPDX-License-Identifier: MIT */
/*
 * Threads and sockets: clients of all manners deliver and submit while others hang up, send rubbish or stop reading, and the server stops in the middle.
 * What was acknowledged must be there exactly once, what was not at most once. Run it under TSan and ASan too.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/fd.h"
#include "smtpserver/rig_test.h"

#define CLIENTS 6
#define ROUNDS 2
#define ROUND_MESSAGES 200      /* begun, then the round ends */
#define PATIENCE_S 60
#define MAX_SENT 20000

enum { TO_MJL = 1, TO_OTHER = 2, TO_CATCHALL = 4 };     /* mjl gets those of the catch-all */

/* A message that was sent, and what became of it. */
struct sent {
	unsigned to;
	bool acknowledged;
};

struct stress {
	struct rig r;
	struct smtpserver_listener submission;
	struct conn_server *server;
	uint16_t port, submission_port;
	struct sent *sent;              /* by number; each is written by the thread that took the number */
	atomic_uint next, target;       /* number of the next message; the one that ends the round */
	int reached_fd;                 /* readable when the target is reached */
	atomic_bool stopping;
};

struct client {
	struct stress *x;
	pthread_t thread;
	uint64_t rng;
	int fd;
	SSL *ssl;
	char in[4096];
	size_t n;
};

static uint32_t
rnd(struct client *c, uint32_t below)
{
	c->rng = c->rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(c->rng >> 33) % below;
}

static bool
dial(struct client *c, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = PATIENCE_S };

	c->n = 0;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(c->fd, (struct sockaddr *)&sin, sizeof(sin)) == 0)
		return true;
	fd_close(&c->fd);
	return false;
}

static void
hang_up(struct client *c)
{
	if (rnd(c, 3) == 0)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	SSL_free(c->ssl);
	c->ssl = NULL;
	fd_close(&c->fd);
	ERR_clear_error();
}

static bool
say(struct client *c, struct str s)
{
	while (s.n > 0) {
		ssize_t n = c->ssl ? SSL_write(c->ssl, s.p, (int)s.n) : send(c->fd, s.p, s.n, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		s = str_from(s, (size_t)n);
	}
	return true;
}

/* reply reads a whole reply and returns its code, or -1 when the connection is gone. */
static int
reply(struct client *c)
{
	for (;;) {
		const char *lf = memchr(c->in, '\n', c->n);
		if (lf != NULL) {
			size_t len = (size_t)(lf - c->in) + 1;
			bug_if(len < 6);
			int code = (c->in[0] - '0') * 100 + (c->in[1] - '0') * 10 + (c->in[2] - '0');
			bool more = c->in[3] == '-';
			memmove(c->in, c->in + len, c->n - len);
			c->n -= len;
			if (more)
				continue;
			return code;
		}
		ssize_t n = c->ssl ? SSL_read(c->ssl, c->in + c->n, (int)(sizeof(c->in) - c->n)) : recv(c->fd, c->in + c->n, sizeof(c->in) - c->n, 0);
		if (n <= 0) {
			bug_if(n < 0 && !c->ssl && errno == EAGAIN);    /* an answer that did not come in a minute */
			return -1;
		}
		c->n += (size_t)n;
	}
}

static bool
ask(struct client *c, struct arena *a, int want, const char *line)
{
	return say(c, str_fmt(a, "%s\r\n", line)) && reply(c) == want;
}

static bool
start_tls(struct client *c)
{
	c->ssl = tls_ctx_session(c->x->r.client_tls, c->fd, false);
	SSL_set_mode(c->ssl, SSL_MODE_AUTO_RETRY);
	return SSL_do_handshake(c->ssl) == 1;
}

/* send_message sends one; false when the connection is of no use any more. */
static bool
send_message(struct client *c, struct arena *a, bool submit)
{
	struct stress *x = c->x;
	unsigned id = atomic_fetch_add(&x->next, 1), to = 1 + rnd(c, 7);
	struct buf envelope = BUF_ARENA(a, 4096);

	bug_if(id >= MAX_SENT);
	if (id == atomic_load(&x->target))
		ignore_result(eventfd_write(x->reached_fd, 1) < 0);
	x->sent[id].to = to;
	buf_addf(&envelope, "MAIL FROM:<%s>\r\n", submit ? "mjl@mox.example" : "a@remote.example");
	unsigned replies = 2;
	if (to & TO_MJL)
		buf_addz(&envelope, "RCPT TO:<mjl@mox.example>\r\n"), replies++;
	if (to & TO_OTHER)
		buf_addz(&envelope, "RCPT TO:<other@mox.example>\r\n"), replies++;
	if (to & TO_CATCHALL)
		buf_addz(&envelope, "RCPT TO:<any@catch.example>\r\n"), replies++;
	buf_addz(&envelope, "DATA\r\n");
	if (!say(c, buf_str(&envelope)))
		return false;
	int code = 0;
	while (replies-- > 0)
		code = reply(c);
	if (code != 354)
		return false;
	char *filler = arena_bytes(a, 1000);
	memset(filler, 'x', 1000);
	struct str body = str_fmt(a, "From: <mjl@mox.example>\r\nX-Id: %u\r\n\r\n", id);
	if (!say(c, body))
		return false;
	for (uint32_t lines = rnd(c, 4) ? rnd(c, 10) : rnd(c, 300); lines > 0; lines--)
		if (!say(c, str_fmt(a, STRF "\r\n", STRA(str_n(filler, rnd(c, 900))))))
			return false;
	if (rnd(c, 20) == 0)
		return false;           /* hangs up in the middle */
	if (!say(c, S(".\r\n")))
		return false;
	if (rnd(c, 20) == 0)
		return false;           /* does not wait for the answer */
	code = reply(c);
	x->sent[id].acknowledged = code == 250;
	return code == 250;
}

static void
deliver(struct client *c, struct arena *a)
{
	if (!dial(c, c->x->port))
		return;
	bool good = reply(c) == 220 && ask(c, a, 250, "EHLO client.example");
	if (good && rnd(c, 4) == 0)
		good = ask(c, a, 220, "STARTTLS") && start_tls(c) && ask(c, a, 250, "EHLO client.example");
	for (uint32_t n = rnd(c, 8); good && n > 0; n--)
		good = send_message(c, a, false);
	if (good)
		ignore_result(ask(c, a, 221, "QUIT"));
	hang_up(c);
}

static void
submit(struct client *c, struct arena *a)
{
	if (!dial(c, c->x->submission_port))
		return;
	bool good = reply(c) == 220 && ask(c, a, 250, "EHLO client.example") &&
	    ask(c, a, 235, "AUTH PLAIN AG1qbEBtb3guZXhhbXBsZQB0ZXN0IHBhc3N3b3Jk");
	for (uint32_t n = rnd(c, 4); good && n > 0; n--)
		good = send_message(c, a, true);
	hang_up(c);
}

static void
rubbish(struct client *c, struct arena *a)
{
	static const char *const lines[] = { "EHLO x.example", "MAIL FROM:<a@b.example>", "RCPT TO:<mjl@mox.example>", "NOOP", "FOO", "DATA", ".", "VRFY x", "STARTTLS",
	    "\r\n.\n", "RSET", "RCPT TO:<", "" };
	struct buf b = BUF_ARENA(a, 1 << 20);

	if (!dial(c, c->x->port))
		return;
	for (uint32_t n = rnd(c, 60); n > 0; n--)
		buf_addf(&b, "%s\r\n", lines[rnd(c, ARRAY_LEN(lines))]);
	ignore_result(say(c, buf_str(&b)));
	if (rnd(c, 2))
		while (c->n = 0, recv(c->fd, c->in, sizeof(c->in), rnd(c, 2) ? MSG_DONTWAIT : MSG_PEEK | MSG_DONTWAIT) > 0 && rnd(c, 4))
			continue;
	hang_up(c);
}

static void *
client_main(void *arg)
{
	struct client *c = arg;

	while (!atomic_load(&c->x->stopping)) {
		struct arena a = { 0 };
		uint32_t kind = rnd(c, 10);
		if (kind < 6)
			deliver(c, &a);
		else if (kind < 8)
			submit(c, &a);
		else
			rubbish(c, &a);
		arena_done(&a);
	}
	return NULL;
}

static uint16_t
listen_on(struct stress *x, struct smtpserver_listener *l)
{
	struct ipport addr = { 0 };
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int fd;

	assert_ok(ip_parse(S("127.0.0.1"), &addr.ip));
	assert_ok(conn_listen_socket(&addr, &fd, NULL));
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	assert_ok(conn_server_listen(x->server, fd, &(struct conn_listener_opts){ .name = "stress", .proto = &smtpserver_proto, .arg = l, .tls = x->r.tls }, NULL));
	return ntohs(sin.sin_port);
}

static void
await_target(struct stress *x)
{
	struct pollfd p = { .fd = x->reached_fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, PATIENCE_S * 1000), 1);
}

static void
play_round(struct stress *x, unsigned round)
{
	struct client clients[CLIENTS];

	x->reached_fd = eventfd(0, EFD_CLOEXEC);
	atomic_store(&x->target, atomic_load(&x->next) + ROUND_MESSAGES);
	x->server = conn_server_new(&(struct conn_server_opts){ .loops = 2 });
	x->port = listen_on(x, &x->r.listener);
	x->submission_port = listen_on(x, &x->submission);
	conn_server_start(x->server);
	atomic_store(&x->stopping, false);
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){ .x = x, .rng = round * 1000 + i, .fd = -1 };
		assert_int_equal(pthread_create(&clients[i].thread, NULL, client_main, &clients[i]), 0);
	}
	await_target(x);
	if (round % 2 == 0) {
		/* The server goes while clients are at work. */
		conn_server_stop(x->server, TIME_SEC);
		atomic_store(&x->stopping, true);
	} else {
		atomic_store(&x->stopping, true);
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		pthread_join(clients[i].thread, NULL);
	fd_close(&x->reached_fd);
	if (round % 2 != 0)
		conn_server_stop(x->server, TIME_SEC);
	conn_server_free(&x->server);
}

/* count_copies counts for each message how often the account has it. */
static void
count_copies(struct stress *x, const char *account, unsigned *counts)
{
	struct strlist l = rig_messages(&x->r, account, "Inbox");

	for (size_t i = 0; i < l.n; i++) {
		ssize_t at = str_search(l.v[i], S("\r\nX-Id: "));
		uint32_t id = 0;
		if (at < 0)
			continue;       /* rubbish that passed for a message */
		struct str rest = str_from(l.v[i], (size_t)at + 8);
		assert_ok(str_u32(str_split(&rest, '\r'), &id));
		counts[id]++;
	}
}

TEST(stress)
{
	static struct stress x;
	struct arena *a = test_arena();
	unsigned acknowledged = 0;

	memset(&x, 0, sizeof(x));
	x.sent = ARENA_NEWN(a, MAX_SENT, struct sent);
	rig_start(&x.r, RIG_TLS | RIG_PASSWORDS);
	rig_hangup(&x.r);
	x.submission = x.r.listener;
	x.submission.submission = true;
	x.submission.no_require_starttls = true;
	for (unsigned round = 0; round < ROUNDS; round++)
		play_round(&x, round);

	unsigned *mjl = ARENA_NEWN(a, MAX_SENT, unsigned), *other = ARENA_NEWN(a, MAX_SENT, unsigned);
	count_copies(&x, "mjl", mjl);
	count_copies(&x, "other", other);
	for (unsigned id = 0; id < x.next; id++) {
		const struct sent *s = &x.sent[id];
		unsigned want_mjl = (s->to & TO_MJL ? 1 : 0) + (s->to & TO_CATCHALL ? 1 : 0), want_other = s->to & TO_OTHER ? 1 : 0;
		test_row("message %u", id);
		assert_true(mjl[id] <= want_mjl && other[id] <= want_other);
		if (s->acknowledged) {
			acknowledged++;
			assert_int_equal(mjl[id], want_mjl);
			assert_int_equal(other[id], want_other);
		}
	}
	assert_true(acknowledged > 0);
	rig_stop(&x.r);
}
