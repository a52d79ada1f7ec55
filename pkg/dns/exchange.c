/* SPDX-License-Identifier: MIT */
/*
 * exchange.c - questions to the servers and their answers: UDP, then TCP for what does not fit or smells of forgery, server
 * after server.
 *
 * Each question is a small state machine (struct talk) over one socket at a time; one poll loop runs up to two of them, with the
 * stop descriptor. A try ends with an acceptable answer, a failure of that server, or its time; then the next server is asked,
 * and after the last the first again, as often as settings say. An answer that says validation failed ends it all: another
 * server, which may not validate, must not be asked instead.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/randutil.h"
#include "base/timeutil.h"
#include "dns/dns_internal.h"

#define MAX_TALKS 2
#define MAX_STRAYS 10   /* datagrams that are no answer to the question: beyond, somebody guesses, and TCP is used */
#define UDP_BUFFER 4096 /* more than the size we announce */
#define PORT_TRIES 5

enum state { UDP, TCP_CONNECT, TCP_WRITE, TCP_READ, DONE };

/* What went wrong with a try, the more telling ones last: of several the last of the highest is reported. */
enum failure { NO_FAILURE, SILENT, UNREACHABLE, MALFORMED, REFUSED, EXPLAINED };

struct talk {
	const struct dns_conf *conf;
	struct arena *a;
	struct dns_exchange *x;
	const struct dns_server *server;
	enum state state;
	enum failure failure;
	int fd;
	unsigned tries, first; /* tries begun; index of the server asked first */
	bool edns;
	unsigned strays;
	int64_t deadline_us; /* of the try */
	uint8_t *out, *in;   /* TCP: with the two octets of the length before */
	size_t nout, out_done, in_have;
};

static void next_try(struct talk *t);
static void fail(struct talk *t, enum failure f, int rv, const char *fmt, ...) printf_(4, 5);

/* Closes what the try used. */
static void
end_try(struct talk *t)
{
	fd_close(&t->fd);
	mem_free(&t->out);
	mem_free(&t->in);
}

/* The try failed: on to the next. */
static void
fail(struct talk *t, enum failure f, int rv, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	if (f >= t->failure) {
		ignore_result(vsnprintf(text, sizeof(text), fmt, ap) < 0);
		t->failure = f;
		t->x->rv = rv;
		t->x->e = (struct errmsg){ 0 };
		err_set(&t->x->e, rv, STRF ": %s", STRA(dns_server_str(t->a, t->server)), text);
	}
	va_end(ap);
	next_try(t);
}

static void
fail_socket(struct talk *t, int errnum)
{
	struct ipport p = ipport_of((const struct sockaddr *)(const void *)&t->server->addr);
	bool local = errnum == ECONNREFUSED && t->server->loopback && p.port == 53;

	fail(t, UNREACHABLE, DNS_TEMPORARY, "%s%s", err_strerror(errnum),
	    local ? " (no resolver runs here: install one that validates, such as unbound, or correct /etc/resolv.conf)" : "");
}

/* A port of our own choice, since what the kernel takes from is smaller: rfc/5452:739. Not getting one is no failure. */
static void
bind_random(int fd, int family)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
			.sin6_port = htons((uint16_t)(1024 + rand_below(65536 - 1024))) };
		struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = v6.sin6_port };
		const struct sockaddr *sa = family == AF_INET ? (const void *)&v4 : (const void *)&v6;

		if (bind(fd, sa, family == AF_INET ? sizeof(v4) : sizeof(v6)) == 0 || errno != EADDRINUSE)
			return;
	}
}

/* A socket that is connected (UDP), so that only the server's datagrams arrive, or connecting (TCP). */
static bool
open_socket(struct talk *t, int type)
{
	int family = t->server->addr.ss_family;

	end_try(t);
	t->fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd >= 0 && type == SOCK_DGRAM)
		bind_random(t->fd, family);
	if (t->fd < 0 ||
	    (connect(t->fd, (const struct sockaddr *)(const void *)&t->server->addr, t->server->n) < 0 && errno != EINPROGRESS)) {
		fail_socket(t, errno);
		return false;
	}
	t->deadline_us = time_mono_us() + t->conf->timeout_us;
	return true;
}

static void
start_udp(struct talk *t)
{
	t->strays = 0;
	t->state = UDP;
	if (!open_socket(t, SOCK_DGRAM))
		return;
	dns_query_build(&t->x->query, t->edns);
	if (send(t->fd, t->x->query.packet, t->x->query.n, MSG_NOSIGNAL) < 0)
		fail_socket(t, errno);
}

static void
start_tcp(struct talk *t)
{
	struct dns_query *q = &t->x->query;

	t->state = TCP_CONNECT;
	if (!open_socket(t, SOCK_STREAM))
		return;
	dns_query_build(q, t->edns);
	/* Length and message in one write: rfc/7766:569 */
	t->nout = 2 + q->n;
	t->out = mem_alloc(t->nout);
	t->out[0] = (uint8_t)(q->n >> 8);
	t->out[1] = (uint8_t)q->n;
	memcpy(t->out + 2, q->packet, q->n);
	t->out_done = t->in_have = 0;
}

static void
start(struct talk *t)
{
	if (t->conf->use_tcp)
		start_tcp(t);
	else
		start_udp(t);
}

static void
next_try(struct talk *t)
{
	size_t n = t->conf->n;

	end_try(t);
	if (t->tries >= (unsigned)t->conf->attempts * n) {
		t->state = DONE;
		return;
	}
	t->server = &t->conf->servers[(t->first + t->tries) % n];
	t->tries++;
	t->edns = true;
	start(t);
}

static void
accept_response(struct talk *t, const struct dns_response *res)
{
	t->x->response = *res;
	t->x->rv = 0;
	t->x->e = (struct errmsg){ 0 };
	t->state = DONE;
	end_try(t);
}

/* An answer to our question that is no success. */
static void
refused(struct talk *t, struct dns_response *res)
{
	const ldns_lookup_table *l = ldns_lookup_by_id(ldns_rcodes, res->rcode);
	const char *name = l ? l->name : "unknown error code";
	bool bogus = dns_is_bogus(res->extended_error);

	dns_response_done(res);
	if (t->edns && (res->rcode == LDNS_RCODE_FORMERR || res->rcode == LDNS_RCODE_NOTIMPL || res->rcode == 16)) {
		/* From before EDNS, or of another version of it (BADVERS): rfc/6891:658 */
		t->edns = false;
		start(t);
		return;
	}
	if (res->extended_error >= 0)
		t->x->response = *res;
	if (bogus)
		t->tries = UINT32_MAX;
	if (res->extended_error >= 0)
		fail(t, EXPLAINED, bogus ? DNS_BOGUS : DNS_TEMPORARY, "%s, extended error %d%s" STRF, name, res->extended_error,
		    res->extended_text.n > 0 ? " " : "", STRA(str_log(t->a, res->extended_text, 100)));
	else
		fail(t, REFUSED, DNS_TEMPORARY, "%s", name);
}

/* Whether a response without records and denial comes from a server that does not look for others: it is no answer. */
static bool
is_referral(const struct dns_response *res)
{
	return res->rcode == LDNS_RCODE_NOERROR && !res->recursive && ldns_pkt_ancount(res->pkt) == 0 && !ldns_pkt_aa(res->pkt);
}

static void
take_message(struct talk *t, const uint8_t *p, size_t n)
{
	bool udp = t->state == UDP;
	enum dns_match m = dns_query_match(&t->x->query, p, n);
	struct dns_response res;

	if (m == DNS_MATCH_NO && !udp) {
		fail(t, MALFORMED, DNS_TEMPORARY, "answer to another question");
		return;
	}
	if (m == DNS_MATCH_NO) {
		if (++t->strays > MAX_STRAYS)
			start_tcp(t);
		return;
	}
	/*
	 * Too long (rfc/1035:1757), or with a name in other case, by an old server or a forger: ask again where forging is
	 * hard.
	 */
	if (udp && (m == DNS_MATCH_CASE || (p[2] & 2))) {
		start_tcp(t);
		return;
	}
	if (dns_response_parse(t->a, p, n, &res) < 0) {
		fail(t, MALFORMED, DNS_TEMPORARY, "malformed answer");
		return;
	}
	if (res.rcode != LDNS_RCODE_NOERROR && res.rcode != LDNS_RCODE_NXDOMAIN) {
		refused(t, &res);
	} else if (is_referral(&res)) {
		dns_response_done(&res);
		fail(t, REFUSED, DNS_TEMPORARY, "no recursion");
	} else {
		accept_response(t, &res);
	}
}

static void
read_udp(struct talk *t)
{
	uint8_t in[UDP_BUFFER];

	while (t->state == UDP) {
		int fd = t->fd;
		ssize_t n = recv(fd, in, sizeof(in), MSG_TRUNC);

		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				fail_socket(t, errno);
			return;
		}
		if ((size_t)n > sizeof(in))
			start_tcp(t);
		else
			take_message(t, in, (size_t)n);
		/* A later try has another socket. */
		if (t->fd != fd)
			return;
	}
}

static void
write_tcp(struct talk *t)
{
	socklen_t len = sizeof(int);
	int errnum = 0;
	ssize_t n;

	if (t->state == TCP_CONNECT && (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0 || errnum != 0)) {
		fail_socket(t, errnum);
		return;
	}
	t->state = TCP_WRITE;
	n = send(t->fd, t->out + t->out_done, t->nout - t->out_done, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		fail_socket(t, errno);
		return;
	}
	t->out_done += n > 0 ? (size_t)n : 0;
	if (t->out_done == t->nout) {
		t->state = TCP_READ;
		t->in = mem_alloc(2 + DNS_MAX_MESSAGE);
	}
}

static void
read_tcp(struct talk *t)
{
	size_t want = t->in_have < 2 ? 2 : 2 + ((size_t)t->in[0] << 8 | t->in[1]);
	ssize_t n = recv(t->fd, t->in + t->in_have, want - t->in_have, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fail_socket(t, errno);
		return;
	}
	if (n == 0) {
		fail(t, UNREACHABLE, DNS_TEMPORARY, "connection closed without an answer");
		return;
	}
	t->in_have += (size_t)n;
	if (t->in_have < want)
		return;
	if (want == 2 && (t->in[0] || t->in[1]))
		return;
	take_message(t, t->in + 2, want - 2);
}

static void
step(struct talk *t, short events)
{
	if (t->state == DONE)
		return;
	if (events != 0) {
		if (t->state == UDP)
			read_udp(t);
		else if (t->state == TCP_READ)
			read_tcp(t);
		else
			write_tcp(t);
	}
	if (t->state != DONE && time_mono_us() >= t->deadline_us)
		fail(t, SILENT, ERR_TIMEOUT, "no answer in time");
}

static void
give_up(struct talk *t, int rv)
{
	if (t->state == DONE)
		return;
	end_try(t);
	t->state = DONE;
	t->x->rv = rv;
	if (t->x->e.text[0] == '\0')
		err_set(&t->x->e, rv, "%s", err_text(rv));
}

/* Waits until something happens to one of the sockets, a try's time is over, or the context ends. */
static int
wait_events(const struct ctx *ctx, struct talk *t, size_t n)
{
	struct pollfd p[MAX_TALKS + 1];
	int64_t deadline = INT64_MAX;
	int rv;

	for (size_t i = 0; i < n; i++) {
		bool out = t[i].state == TCP_CONNECT || t[i].state == TCP_WRITE;

		p[i] = (struct pollfd){ .fd = t[i].state == DONE ? -1 : t[i].fd, .events = out ? POLLOUT : POLLIN };
		if (t[i].state != DONE)
			deadline = MIN(deadline, t[i].deadline_us);
	}
	p[n] = (struct pollfd){ .fd = ctx->stop_fd > 0 ? ctx->stop_fd : -1, .events = POLLIN };
	TRY(ctx_check(ctx));
	rv = poll(p, n + 1, ctx_left_ms(ctx, ctx_left_ms(&(struct ctx){ .deadline_us = deadline }, 60 * 1000)));
	if (rv < 0)
		return errno == EINTR ? 0 : ERR_IO;
	if (p[n].revents)
		return ERR_CANCELED;
	for (size_t i = 0; i < n; i++)
		step(&t[i], p[i].revents);
	return 0;
}

void
dns_exchange_run(const struct dns_conf *c, struct arena *a, const struct ctx *ctx, struct dns_exchange *x, size_t n)
{
	struct talk t[MAX_TALKS];
	unsigned first = c->rotate ? (unsigned)rand_below(c->n) : 0;
	int rv = 0;

	bug_if(n > MAX_TALKS || c->n == 0);
	lock_none_held();
	for (size_t i = 0; i < n; i++) {
		t[i] = (struct talk){ .conf = c, .a = a, .x = &x[i], .fd = -1, .first = first };
		x[i].response = (struct dns_response){ .extended_error = -1 };
		x[i].rv = DNS_TEMPORARY;
		next_try(&t[i]);
	}
	for (;;) {
		bool pending = false;

		for (size_t i = 0; i < n; i++)
			pending |= t[i].state != DONE;
		if (!pending || rv < 0)
			break;
		rv = wait_events(ctx, t, n);
	}
	for (size_t i = 0; i < n; i++)
		give_up(&t[i], rv);
}
