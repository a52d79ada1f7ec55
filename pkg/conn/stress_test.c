/* SPDX-License-Identifier: MIT */
/*
 * Many clients of all manners at once, while listeners, limits and TLS contexts change, and the server stops in the middle.
 * Honest clients check every byte: what they get is what they are owed, or its beginning with a word of farewell. Run it
 * under TSan and ASan. A round takes about a second; MOX_STRESS_ROUNDS sets their number (default 2).
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "conn/conn_internal.h"
#include "conn/testclient.h"
#include "conn/testrig.h"
#include "testutil/testutil.h"

#define THREADS 8
#define ROUND_US (800 * TIME_MS)
#define PATIENCE_US (60 * TIME_SEC)

struct stress {
	struct testrig r;
	struct tls_ctx *client;
	struct testproto_opts hasty;            /* for a listener with short deadlines and limits */
	uint16_t hasty_plain, hasty_tls;
	atomic_bool stopping, over;
	atomic_int sessions, complete, cut, wakes;
	/* The first failure. */
	pthread_mutex_t lock;
	char failure[1000];
};

struct actor {
	struct stress *x;
	pthread_t thread;
	uint64_t rng;
	unsigned index;
};

/* Small and reproducible from the seed; no cryptography. */
static uint32_t
rnd(struct actor *a, uint32_t below)
{
	a->rng = a->rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(a->rng >> 33) % below;
}

static void printf_(2, 3)
failed(struct stress *x, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&x->lock);
	va_start(ap, fmt);
	if (x->failure[0] == '\0')
		vsnprintf(x->failure, sizeof(x->failure), fmt, ap);
	va_end(ap);
	pthread_mutex_unlock(&x->lock);
}

/* --- a client that sends and receives at the same time --- */

struct peer {
	struct actor *a;
	int fd;
	SSL *ssl;
	unsigned char key;                      /* of XOR */
	struct buf tx, rx;
	size_t sent;
	bool ended;                             /* by the server */
	bool late;
};

static int
dial(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		fd_close(&fd);
	if (fd >= 0)
		fd_nonblock(fd, true);
	return fd;
}

static bool
peer_open(struct peer *p, struct actor *a, uint16_t port)
{
	*p = (struct peer){ .a = a, .fd = dial(port), .tx = BUF_INIT(1 << 24), .rx = BUF_INIT(1 << 24) };
	if (p->fd < 0 && !atomic_load(&a->x->stopping))
		failed(a->x, "connect: %s", err_strerror(errno));
	return p->fd >= 0;
}

static void
peer_close(struct peer *p)
{
	if (p->a && rnd(p->a, 4) == 0)
		ignore_result(setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)));
	SSL_free(p->ssl);
	fd_close(&p->fd);
	buf_done(&p->tx);
	buf_done(&p->rx);
}

static bool
wait_io(struct peer *p, short events)
{
	struct pollfd pfd = { .fd = p->fd, .events = events };

	p->late = poll(&pfd, 1, (int)(PATIENCE_US / TIME_MS)) == 0;
	return !p->late;
}

static bool
peer_tls(struct peer *p)
{
	int r, e;

	p->ssl = tls_ctx_session(p->a->x->client, p->fd, false);
	for (;;) {
		ERR_clear_error();
		r = SSL_do_handshake(p->ssl);
		if (r == 1)
			return true;
		e = SSL_get_error(p->ssl, r);
		if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
			break;
		if (!wait_io(p, e == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT))
			break;
	}
	p->ended = true;
	return false;
}

static void
peer_say(struct peer *p, struct str s)
{
	size_t at = p->tx.n;

	buf_add(&p->tx, s);
	for (; at < p->tx.n; at++)
		p->tx.p[at] = (char)(p->tx.p[at] ^ p->key);
}

/* Sends a piece; 0, or the poll event that it waits for, or -1. */
static int
send_piece(struct peer *p, size_t most)
{
	size_t n = MIN(p->tx.n - p->sent, most);
	ssize_t r;
	int e;

	if (n == 0)
		return 0;
	ERR_clear_error();
	r = p->ssl ? SSL_write(p->ssl, p->tx.p + p->sent, (int)n) : send(p->fd, p->tx.p + p->sent, n, MSG_NOSIGNAL);
	if (r > 0) {
		p->sent += (size_t)r;
		return 0;
	}
	if (p->ssl) {
		e = SSL_get_error(p->ssl, (int)r);
		return e == SSL_ERROR_WANT_READ ? POLLIN : e == SSL_ERROR_WANT_WRITE ? POLLOUT : -1;
	}
	return errno == EAGAIN ? POLLOUT : -1;
}

static int
take_piece(struct peer *p, size_t most)
{
	char b[16384];
	ssize_t r;
	int e;

	most = MIN(most, sizeof(b));
	ERR_clear_error();
	r = p->ssl ? SSL_read(p->ssl, b, (int)most) : recv(p->fd, b, most, 0);
	if (r > 0) {
		for (ssize_t i = 0; i < r; i++)
			b[i] = (char)(b[i] ^ p->key);
		buf_add(&p->rx, str_n(b, (size_t)r));
		return 0;
	}
	if (p->ssl && r < 0) {
		e = SSL_get_error(p->ssl, (int)r);
		return e == SSL_ERROR_WANT_READ ? POLLIN : e == SSL_ERROR_WANT_WRITE ? POLLOUT : -1;
	}
	return r < 0 && errno == EAGAIN ? POLLIN : -1;
}

/* Sends all and receives until there are n bytes, in pieces of the given sizes; false when the server ended it before. */
static bool
peer_pump(struct peer *p, size_t n, size_t tx_piece, size_t rx_piece)
{
	while (!p->ended && !p->late && (p->sent < p->tx.n || p->rx.n < n)) {
		/* Nothing more is sent once the server said its last words, but they must be read. */
		int out = send_piece(p, tx_piece), in = take_piece(p, rx_piece);

		if (in == -1)
			p->ended = true;
		if (in > 0 && (out != 0 || p->sent == p->tx.n))
			wait_io(p, (short)(in | (out > 0 ? out : 0)));
	}
	return !p->ended && !p->late;
}

/* --- honest clients --- */

struct script {
	struct buf in, out;             /* what is said and what is owed for it, since the beginning */
};

static void
add_bytes(struct actor *a, struct buf *b, size_t n, uint64_t *r_sum)
{
	*r_sum = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)rnd(a, 256);

		*r_sum += c;
		buf_addc(b, (char)c);
	}
}

static void
add_command(struct actor *a, struct script *s)
{
	uint64_t sum;
	size_t n;

	switch (rnd(a, 9)) {
	case 0:
		n = rnd(a, 3000);
		buf_addf(&s->in, "DATA %zu\r\n", n + 1);
		add_bytes(a, &s->in, n + 1, &sum);
		buf_addf(&s->out, "GO\r\nSUM %zu %llu\r\n", n + 1, (unsigned long long)sum);
		break;
	case 1:
		n = rnd(a, 3000);
		buf_addf(&s->in, "LIT {%zu}\r\n", n);
		add_bytes(a, &s->in, n, &sum);
		buf_addf(&s->out, "+\r\nLIT %zu %llu\r\n", n, (unsigned long long)sum);
		break;
	case 2:
		n = rnd(a, rnd(a, 10) == 0 ? 400000 : 3000);
		buf_addf(&s->in, "BIG %zu\n", n);
		for (size_t i = 0; i < n; i++)
			buf_addc(&s->out, 'x');
		buf_addz(&s->out, "\r\n");
		break;
	case 3:
		buf_addf(&s->in, "SLEEP %u\r\n", rnd(a, 3) + 1);
		buf_addz(&s->out, "AWAKE\r\n");
		break;
	case 4:
		buf_addf(&s->in, rnd(a, 2) ? "GROUP %u\n" : "CLASS %u\r\n", rnd(a, 4));
		buf_addz(&s->out, "OK\r\n");
		break;
	default:
		n = rnd(a, 100000);
		buf_addf(&s->in, "ECHO %zu\r\n", n);
		buf_addf(&s->out, "= %zu\r\n", n);
		break;
	}
}

/* An end that comes early must be announced, or the server stops. */
static void
check_end(struct peer *p, struct str owed)
{
	static const char *const words[] = { "", "OVERLOAD\r\n", "SHUTDOWN\r\n", "STOPPED\r\n" };
	struct stress *x = p->a->x;
	struct str got = buf_str(&p->rx);
	size_t same = 0;

	while (same < got.n && same < owed.n && got.p[same] == owed.p[same])
		same++;
	if (same == owed.n && got.n == owed.n) {
		atomic_fetch_add(&x->complete, 1);
		return;
	}
	atomic_fetch_add(&x->cut, 1);
	/* We stopped reading in the middle of the farewell. */
	for (size_t i = 1; same == owed.n && i < ARRAY_LEN(words); i++)
		if (str_starts(str_of(words[i]), str_from(got, same)))
			return;
	/* "SHUTDOWN" may begin as the next owed line does. */
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (size_t back = 0; back <= MIN(same, (size_t)10); back++)
			if (str_is(str_from(got, same - back), str_of(words[i])) && (i > 0 || atomic_load(&x->stopping)))
				return;
	if (p->late)
		failed(x, "no progress after %zu of %zu bytes, %zu of %zu sent", got.n, owed.n, p->sent, p->tx.n);
	else
		failed(x, "at %zu of %zu: got \"" STRF "\", owed \"" STRF "\"", same, owed.n,
		    STRA(str_upto(str_from(got, same), 100)), STRA(str_upto(str_from(owed, same), 100)));
}

static void
honest(struct actor *a, bool tls)
{
	struct peer p;
	struct script s = { BUF_INIT(1 << 24), BUF_INIT(1 << 24) };
	size_t tx_piece = rnd(a, 3) ? 100000 : 1 + rnd(a, 50), rx_piece = rnd(a, 3) ? 100000 : 1 + rnd(a, 500);
	bool xored = false;

	if (!peer_open(&p, a, tls ? a->x->r.tls : a->x->r.plain))
		return;
	if (tls && !peer_tls(&p)) {
		if (!atomic_load(&a->x->stopping))
			failed(a->x, "handshake failed");
		peer_close(&p);
		return;
	}
	buf_addz(&s.out, "HELLO\r\n");
	for (unsigned segments = 1 + rnd(a, 4); segments > 0; segments--) {
		size_t from = s.in.n;

		for (unsigned n = rnd(a, rnd(a, 8) ? 8 : 100); n > 0; n--)
			add_command(a, &s);
		peer_say(&p, str_from(buf_str(&s.in), from));
		if (!peer_pump(&p, s.out.n, tx_piece, rx_piece))
			break;
		if (!p.ssl && !xored && rnd(a, 2)) {
			peer_say(&p, S("STARTTLS\r\n"));
			buf_addz(&s.out, "GO\r\n");
			if (!peer_pump(&p, s.out.n, 1000, 1000) || p.rx.n != s.out.n)
				break;
			if (!peer_tls(&p))
				break;
			buf_addz(&s.out, "TLS\r\n");
		} else if (!xored && rnd(a, 2)) {
			xored = true;
			peer_say(&p, S("XOR 90\r\n"));
			buf_addz(&s.out, "GO\r\n");
			if (!peer_pump(&p, s.out.n, 1000, 1000) || !str_is(str_upto(buf_str(&p.rx), s.out.n), buf_str(&s.out)))
				break;
			/* A farewell may have come in the same piece. */
			for (size_t i = s.out.n; i < p.rx.n; i++)
				p.rx.p[i] = (char)(p.rx.p[i] ^ 90);
			p.key = 90;
		}
	}
	peer_pump(&p, s.out.n, tx_piece, rx_piece);
	check_end(&p, buf_str(&s.out));
	peer_close(&p);
	buf_done(&s.in);
	buf_done(&s.out);
}

/* --- others --- */

/* Leaves in the middle, of anything. */
static void
leaver(struct actor *a)
{
	struct peer p;
	struct script s = { BUF_INIT(1 << 24), BUF_INIT(1 << 24) };
	bool tls = rnd(a, 2);

	if (!peer_open(&p, a, tls ? a->x->r.tls : a->x->r.plain))
		return;
	if (!tls || rnd(a, 5) == 0 || peer_tls(&p)) {
		for (unsigned n = rnd(a, 20); n > 0; n--)
			add_command(a, &s);
		peer_say(&p, str_upto(buf_str(&s.in), rnd(a, (uint32_t)s.in.n + 1)));
		peer_pump(&p, rnd(a, (uint32_t)s.out.n + 1), 1 + rnd(a, 10000), 1 + rnd(a, 10000));
	}
	peer_close(&p);
	buf_done(&s.in);
	buf_done(&s.out);
}

/* next_line takes a line out of what was received, into the buffer. */
static bool
next_line(struct peer *p, char line[100])
{
	ssize_t lf;

	while ((lf = str_find(buf_str(&p->rx), '\n')) < 0)
		if (!peer_pump(p, p->rx.n + 1, 1000, 1000))
			return false;
	snprintf(line, 100, "%.*s", (int)lf, p->rx.p);
	buf_drop(&p->rx, (size_t)lf + 1);
	return true;
}

/* Takes lines until one is as wanted; false when the server says farewell instead. */
static bool
await(struct peer *p, const char *want)
{
	char line[100];

	while (next_line(p, line)) {
		if (strcmp(line, want) == 0)
			return true;
		if (strcmp(line, "WOKEN\r") != 0 && strcmp(line, "OK\r") != 0)
			return false;
	}
	return false;
}

static bool
wake_once(struct actor *a, struct peer *p, struct conn_id id)
{
	if (rnd(a, 4) > 0) {
		conn_wake(a->x->r.server, id);
		return await(p, "WOKEN\r");
	}
	/* Not wanted at the moment: remembered. */
	peer_say(p, S("DONE\r\n"));
	if (!await(p, "OK\r"))
		return false;
	conn_wake(a->x->r.server, id);
	peer_say(p, S("IDLE\r\n"));
	return await(p, "+\r") && await(p, "WOKEN\r");
}

/* A wake-up is never lost, whatever the connection is doing at that moment. */
static void
sleeper(struct actor *a)
{
	struct peer p;
	struct conn_id id;
	char line[100];
	bool tls = rnd(a, 2);

	if (!peer_open(&p, a, tls ? a->x->r.tls : a->x->r.plain))
		return;
	peer_say(&p, S("ID\r\n"));
	if ((!tls || peer_tls(&p)) && await(&p, "HELLO\r") && next_line(&p, line) &&
	    sscanf(line, "ID %u %u", &id.slot, &id.gen) == 2) {
		peer_say(&p, S("IDLE\r\n"));
		if (await(&p, "+\r"))
			for (unsigned n = 5 + rnd(a, 50); n > 0 && wake_once(a, &p, id); n--)
				atomic_fetch_add(&a->x->wakes, 1);
	}
	if (p.late)
		failed(a->x, "a wake-up was lost");
	peer_close(&p);
}

/* Holds up the server in one way or another, at the listener with short deadlines, until it has enough. */
static void
nuisance(struct actor *a)
{
	static const char *const says[] = {
		"", "ECHO a\r\nECH", "DATA 100000\r\nabc", "LIT {1000}\r\nabc", "BIG 50000000\r\n",
		"GROUP 9\r\nBIG 50000000\r\n", "SLOW 1\r\nECHO abc\r\n", "IDLE 300000\r\n", "\x16\x03\x01\x02", "STARTTLS\r\n",
	};
	struct peer p;
	bool tls = rnd(a, 3) == 0;
	struct pollfd pfd;

	if (!peer_open(&p, a, tls ? a->x->hasty_tls : a->x->hasty_plain))
		return;
	if (!tls || rnd(a, 3) == 0 || peer_tls(&p)) {
		peer_say(&p, str_of(says[rnd(a, ARRAY_LEN(says))]));
		if (send_piece(&p, 1000) >= 0) {
			/* Reads nothing, long enough for every deadline; then looks what the server did. */
			pfd = (struct pollfd){ .fd = p.fd, .events = POLLRDHUP };
			ignore_result(poll(&pfd, 1, 300));
			peer_pump(&p, SIZE_MAX, 1000, 1000);
		}
		if (p.late)
			failed(a->x, "a nuisance was not closed");
	}
	peer_close(&p);
}

/* TLS peers that send only messages without data, whole or half, while the server wants to talk. */
static void
updater(struct actor *a)
{
	static const char update[] = "\x18\x00\x00\x01\x01";
	struct testclient t;
	int fd = dial(a->x->r.tls);
	unsigned n = rnd(a, 2) ? rnd(a, 10) : rnd(a, 300);

	if (fd < 0)
		return;
	fd_nonblock(fd, false);
	testclient_adopt(&t, fd);
	t.soft = true;
	if (testclient_try_tls(&t) && t.secret_n > 0) {
		if (rnd(a, 2)) {
			testclient_raw(&t, 23, S("IDLE 1000\r\n"));
			testclient_raw(&t, 22, str_n(update, 1 + rnd(a, 4)));
			while (n-- > 0)
				conn_wake(a->x->r.server, (struct conn_id){ rnd(a, 200), 1 + rnd(a, 100) });
		} else {
			while (n-- > 0 && SSL_key_update(t.ssl, (int)rnd(a, 2)) == 1 && SSL_do_handshake(t.ssl) == 1)
				;
			ERR_clear_error();
		}
	}
	testclient_close(&t);
}

static void *
actor_main(void *arg)
{
	struct actor *a = arg;

	while (!atomic_load(&a->x->stopping)) {
		switch (rnd(a, 10)) {
		case 0:
			leaver(a);
			break;
		case 1:
			sleeper(a);
			break;
		case 2:
			nuisance(a);
			break;
		case 3:
			updater(a);
			break;
		default:
			honest(a, rnd(a, 2));
			break;
		}
		atomic_fetch_add(&a->x->sessions, 1);
	}
	return NULL;
}

/* --- what goes on around them --- */

static void
quick_job(void *arg unused_, const struct ctx *ctx)
{
	ignore_result(ctx_check(ctx));
}

/* The administrator: waits a little, then changes something. */
static void *
admin_main(void *arg)
{
	struct actor *a = arg;
	struct stress *x = a->x;
	struct tls_ctx *ctxs[2] = { x->r.ctx, testproto_server_tls(NULL) };
	struct conn_listener_opts extra = x->r.lo;
	struct conn_limits limits;
	bool open = false;

	extra.name = "extra";
	while (!atomic_load(&x->stopping)) {
		testrig_change(&x->r, 0);
		for (unsigned i = 0; i < 100; i++)
			conn_wake(x->r.server, (struct conn_id){ rnd(a, 200), 1 + rnd(a, 100) });
		switch (rnd(a, 5)) {
		case 0:
			conn_server_set_tls(x->r.server, "test", ctxs[rnd(a, 2)]);
			break;
		case 1:
			if (open)
				conn_server_unlisten(x->r.server, "extra");
			else if (!atomic_load(&x->stopping))
				testrig_listen_soft(&x->r, &extra);
			open = !open;
			break;
		case 2:
			limits = (struct conn_limits){ .enabled = rnd(a, 2), .rate = { 1 + rnd(a, 100), 1000, 1000 } };
			conn_server_set_limits(x->r.server, "hasty", &limits);
			break;
		default:
			ignore_result(conn_server_run_background(x->r.server, quick_job, NULL));
			break;
		}
	}
	tls_ctx_unref(&ctxs[1]);
	return NULL;
}

static void
stress_round(unsigned seed, unsigned workers, unsigned queue)
{
	struct stress x = {
		.r.so = {
			.loops = 1 + seed % 3, .workers_min = 2, .workers_max = workers, .queue_max = queue, .group_max = 3,
			.rate_window_us = 10 * TIME_SEC, .slow_us = 5 * TIME_MS,
		},
		.r.o = { .read_timeout_us = PATIENCE_US, .write_timeout_us = PATIENCE_US },
		.hasty = { .read_timeout_us = 30 * TIME_MS, .write_timeout_us = 30 * TIME_MS, .spool_us = 50 * TIME_MS },
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	struct actor actors[THREADS + 1];
	struct conn_listener_opts hasty;
	struct ctx until;

	assert_ok(tls_ctx_new(&(struct tls_ctx_opts){ 0 }, &x.client, NULL));
	testrig_start(&x.r);
	hasty = x.r.lo;
	hasty.name = "hasty";
	hasty.arg = &x.hasty;
	hasty.handshake_timeout_us = 50 * TIME_MS;
	x.hasty_tls = testrig_listen(&x.r, &hasty);
	hasty.implicit_tls = false;
	x.hasty_plain = testrig_listen(&x.r, &hasty);
	for (unsigned i = 0; i <= THREADS; i++) {
		actors[i] = (struct actor){ .x = &x, .rng = seed * 1000 + i, .index = i };
		assert_int_equal(pthread_create(&actors[i].thread, NULL, i < THREADS ? actor_main : admin_main, &actors[i]), 0);
	}
	until = (struct ctx){ .deadline_us = time_mono_us() + ROUND_US };
	ignore_result(ctx_poll(&until, x.r.o.gate_fd, POLLIN));
	atomic_store(&x.stopping, true);
	conn_server_stop(x.r.server, 200 * TIME_MS);
	for (unsigned i = 0; i <= THREADS; i++)
		pthread_join(actors[i].thread, NULL);
	tls_ctx_unref(&x.client);
	testrig_stop(&x.r);
	print_message("  %d sessions, %d of honest clients complete, %d cut, %d wake-ups; %d connections\n",
	    x.sessions, x.complete, x.cut, x.wakes, x.r.o.started + x.hasty.started);
	assert_int_equal(x.hasty.started, x.hasty.closed);
	if (x.failure[0])
		fail_msg("%s", x.failure);
	assert_true(x.complete > 0 || queue < 100);     /* with a queue that short it may be refused to all */
}

static unsigned
rounds(void)
{
	const char *z = getenv("MOX_STRESS_ROUNDS");
	uint32_t n = 2;

	if (z && str_u32(str_of(z), &n) < 0)
		n = 2;
	return n;
}

TEST(stress)
{
	for (unsigned i = 0; i < rounds(); i++)
		stress_round(i + 1, 4 + i % 3 * 6, 1000);
}

/* The same with hardly any workers. */
TEST(stress_overload)
{
	for (unsigned i = 0; i < rounds(); i++)
		stress_round(100 + i, 2, 2);
}
