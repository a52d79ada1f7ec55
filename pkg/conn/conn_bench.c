/* SPDX-License-Identifier: MIT */
/*
 * What a connection costs: memory of idle ones, processor time of a unit in lockstep. The peers run in a child process, so
 * that what is measured here is the server's.
 */
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "conn/conn_internal.h"

#define IDLE 1000
#define PEERS 16
#define UNITS 100000

static int
bench_frame(struct conn *c unused_, struct str in, struct conn_unit *u, size_t *r_used)
{
	ssize_t lf = str_find(in, '\n');

	if (lf < 0)
		return CONN_FRAME_MORE;
	u->data = str_upto(in, (size_t)lf);
	*r_used = (size_t)lf + 1;
	return CONN_FRAME_UNIT;
}

static enum conn_next
bench_unit(struct conn *c, const struct conn_unit *u)
{
	if (u->kind == CONN_START)
		conn_set_read_timeout(c, TIME_HOUR);
	conn_write(c, S("ok\n"));
	return CONN_NEXT_PARK;
}

static const struct conn_proto proto = { .name = "bench", .data_size = 400, .frame = bench_frame, .unit = bench_unit };

/* --- the peers --- */

struct peer {
	int fd;
	SSL *ssl;
};

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "conn_bench: %s: %s\n", what, err_strerror(errno));
	exit(1);
}

static void
peer_open(struct peer *p, uint16_t port, struct tls_ctx *tls)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	must(p->fd >= 0 && connect(p->fd, (struct sockaddr *)&sin, sizeof(sin)) == 0, "connect");
	ignore_result(setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	if (tls) {
		p->ssl = tls_ctx_session(tls, p->fd, false);
		SSL_set_mode(p->ssl, SSL_MODE_AUTO_RETRY);
		SSL_set_tlsext_host_name(p->ssl, "localhost");
		must(SSL_do_handshake(p->ssl) == 1, "handshake");
	}
}

static void
peer_send(struct peer *p)
{
	static const char line[] = "MAIL FROM:<somebody@example.org> SIZE=1000\r\n";

	must(p->ssl ? SSL_write(p->ssl, line, sizeof(line) - 1) > 0 : send(p->fd, line, sizeof(line) - 1, 0) > 0, "send");
}

static void
peer_receive(struct peer *p)
{
	char b[100];

	must(p->ssl ? SSL_read(p->ssl, b, sizeof(b)) > 0 : recv(p->fd, b, sizeof(b), 0) > 0, "receive");
}

/* Opens n connections with one exchange each, says so, and waits for the end of its standard input. */
static void
run_idle(uint16_t port, struct tls_ctx *tls, int ready, int end)
{
	struct peer *p = mem_allocn(IDLE, sizeof(*p));
	char b = 0;

	for (int i = 0; i < IDLE; i++) {
		peer_open(&p[i], port, tls);
		peer_receive(&p[i]);
		peer_send(&p[i]);
		peer_receive(&p[i]);
	}
	must(write(ready, &b, 1) == 1, "ready");
	ignore_result(read(end, &b, 1) < 0);
	_exit(0);
}

/* n peers, each of which waits for the answer before it sends again. */
static void
run_lockstep(uint16_t port, struct tls_ctx *tls, int n, int ready)
{
	struct peer p[PEERS];
	struct pollfd pfd[PEERS];
	char b = 0;

	for (int i = 0; i < n; i++) {
		peer_open(&p[i], port, tls);
		peer_receive(&p[i]);
		pfd[i] = (struct pollfd){ .fd = p[i].fd, .events = POLLIN };
	}
	must(write(ready, &b, 1) == 1, "ready");
	for (int i = 0; i < n; i++)
		peer_send(&p[i]);
	for (int done = 0; done < UNITS; ) {
		must(poll(pfd, (nfds_t)n, -1) > 0, "poll");
		for (int i = 0; i < n; i++) {
			if (!pfd[i].revents)
				continue;
			peer_receive(&p[i]);
			peer_send(&p[i]);
			done++;
		}
	}
	must(write(ready, &b, 1) == 1, "ready");
	_exit(0);
}

/* --- the server --- */

static double
cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static size_t
resident(void)
{
	unsigned long size, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f) {
		must(fscanf(f, "%lu %lu", &size, &rss) == 2, "statm");
		fclose(f);
	}
	return rss * (size_t)sysconf(_SC_PAGESIZE);
}

static uint16_t
listen_on(struct conn_server *s, struct tls_ctx *tls)
{
	struct ipport addr = { .ip = { .family = 4, .a = { 127, 0, 0, 1 } } };
	struct conn_listener_opts o = { .name = "bench", .proto = &proto, .tls = tls, .implicit_tls = tls != NULL };
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof(ss);
	int fd;

	must(conn_listen_socket(&addr, &fd, NULL) == 0 && getsockname(fd, (struct sockaddr *)&ss, &n) == 0, "listen");
	must(conn_server_listen(s, fd, &o, NULL) == 0, "listen");
	return ipport_of((struct sockaddr *)&ss).port;
}

struct child {
	pid_t pid;
	int ready, end;
};

static struct child
start(void (*run)(uint16_t port, struct tls_ctx *tls, int n, int ready, int end), uint16_t port, struct tls_ctx *tls, int n)
{
	int ready[2], end[2];
	pid_t pid;

	must(pipe(ready) == 0 && pipe(end) == 0, "pipe");
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		close(ready[0]);
		close(end[1]);
		run(port, tls, n, ready[1], end[0]);
	}
	close(ready[1]);
	close(end[0]);
	return (struct child){ pid, ready[0], end[1] };
}

static void
wait_ready(const struct child *c)
{
	char b;

	must(read(c->ready, &b, 1) == 1, "the peers failed");
}

static void
finish(struct child *c)
{
	close(c->end);
	close(c->ready);
	waitpid(c->pid, NULL, 0);
}

static void
child_idle(uint16_t port, struct tls_ctx *tls, int n unused_, int ready, int end)
{
	run_idle(port, tls, ready, end);
}

static void
child_lockstep(uint16_t port, struct tls_ctx *tls, int n, int ready, int end unused_)
{
	run_lockstep(port, tls, n, ready);
}

static void
measure_idle(struct conn_server *s, uint16_t port, struct tls_ctx *tls, const char *what)
{
	size_t rss, heap;
	struct child c;

	malloc_trim(0);
	rss = resident();
	heap = mallinfo2().uordblks;
	c = start(child_idle, port, tls, IDLE);
	wait_ready(&c);
	malloc_trim(0);
	printf("idle %-6s %d connections: %.2f KiB resident each, %.2f KiB allocated in the main arena\n", what, IDLE,
	    (double)(resident() - rss) / 1024 / IDLE, (double)(mallinfo2().uordblks - heap) / 1024 / IDLE);
	must(conn_server_count(s) == IDLE, "connections are missing");
	finish(&c);
}

static void
measure_lockstep(uint16_t port, struct tls_ctx *tls, int n, const char *what)
{
	struct child c = start(child_lockstep, port, tls, n);
	int64_t t;
	double cpu;

	wait_ready(&c);
	t = time_mono_us();
	cpu = cpu_us();
	wait_ready(&c);
	t = time_mono_us() - t;
	cpu = cpu_us() - cpu;
	printf("lockstep %-6s %2d peers: %7.0f units/s, %.1f us of server CPU per unit\n", what, n, UNITS / ((double)t / 1e6),
	    cpu / UNITS);
	finish(&c);
}

int
main(void)
{
	struct arena a = { 0 };
	struct str cert, key;
	struct tls_ctx *tls, *client;
	struct conn_server *s;
	uint16_t plain, secure;

	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 4096, 4096 });
	must(tls_selfsigned(&a, "localhost", 10, &cert, &key, NULL) == 0 &&
	    tls_ctx_new(&(struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key, .tickets = true }, &tls, NULL) == 0 &&
	    tls_ctx_new(&(struct tls_ctx_opts){ 0 }, &client, NULL) == 0, "TLS contexts");
	s = conn_server_new(&(struct conn_server_opts){ 0 });
	plain = listen_on(s, NULL);
	secure = listen_on(s, tls);
	conn_server_start(s);
	printf("struct conn is %zu bytes\n", sizeof(struct conn));
	measure_lockstep(plain, NULL, 1, "plain");
	measure_lockstep(plain, NULL, PEERS, "plain");
	measure_lockstep(secure, client, PEERS, "TLS");
	measure_idle(s, plain, NULL, "plain");
	measure_idle(s, secure, client, "TLS");
	conn_server_stop(s, TIME_SEC);
	conn_server_free(&s);
	tls_ctx_unref(&tls);
	tls_ctx_unref(&client);
	arena_done(&a);
	return 0;
}
