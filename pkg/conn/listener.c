/* SPDX-License-Identifier: MIT */
/*
 * Listeners: sockets, limits per address, accepting. All sockets belong to one loop, the acceptor; connections go round the
 * loops in turn.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "conn/server_internal.h"

struct metric conn_refused =
	METRICS_COUNTER_INIT("mox_conn_refused_total", "Connections refused at accept, by reason.", "reason");

/* --- limits --- */

struct conn_gate *
conn_gate_new(const struct conn_limits *l)
{
	static const unsigned rate[3] = { 300, 900, 2700 }, open[3] = { 30, 90, 270 };
	struct ratelimit_opts per_minute = { .windows[0].length_us = TIME_MIN };
	struct ratelimit_opts at_once = { .windows[0].length_us = RATELIMIT_OPEN };
	struct conn_gate *g;

	if (!l->enabled)
		return NULL;
	for (int i = 0; i < 3; i++) {
		per_minute.windows[0].limits[i] = l->rate[i] ? l->rate[i] : rate[i];
		at_once.windows[0].limits[i] = l->open[i] ? l->open[i] : open[i];
	}
	g = mem_alloc(sizeof(*g));
	atomic_init(&g->refs, 1);
	g->rate = ratelimit_new(&per_minute);
	g->open = ratelimit_new(&at_once);
	g->exempt_loopback = l->exempt_loopback;
	return g;
}

void
conn_gate_unref(struct conn_gate **pg)
{
	struct conn_gate *g = *pg;

	*pg = NULL;
	if (g == NULL || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) != 1)
		return;
	ratelimit_free(g->rate);
	ratelimit_free(g->open);
	free(g);
}

void
conn_gate_leave(struct conn_gate **g, const struct ip *ip)
{
	if (*g)
		ratelimit_add((*g)->open, ip, -1);
	conn_gate_unref(g);
}

/* admit returns NULL, or why the address is refused. When admitted by a gate, *r_gate is a reference and the connection is
 * counted in it. */
static const char *
admit(struct conn_listener *l, const struct ip *ip, struct conn_gate **r_gate)
{
	struct conn_gate *g = l->gate && !(l->gate->exempt_loopback && ip_is_loopback(ip)) ? l->gate : NULL;

	*r_gate = NULL;
	if (g && !ratelimit_add(g->rate, ip, 1))
		return "rate";
	if (l->o.refuse && l->o.refuse(l->o.arg, ip))
		return "authfailures";
	if (g && !ratelimit_add(g->open, ip, 1))
		return "open";
	if (g) {
		atomic_fetch_add_explicit(&g->refs, 1, memory_order_relaxed);
		*r_gate = g;
	}
	return NULL;
}

/* --- listeners --- */

struct conn_listener *
conn_listener_new(const struct conn_listener_opts *o)
{
	struct conn_listener *l = mem_alloc(sizeof(*l));

	bug_if(o->implicit_tls && o->tls == NULL);
	atomic_init(&l->refs, 1);
	l->o = *o;
	l->name = mem_strdup(o->name ? o->name : "");
	l->o.name = l->name;
	l->o.tls = NULL;
	l->tls = o->tls ? tls_ctx_ref(o->tls) : NULL;
	l->gate = conn_gate_new(&o->limits);
	l->fd = -1;
	return l;
}

struct conn_listener *
conn_listener_ref(struct conn_listener *l)
{
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	return l;
}

void
conn_listener_unref(struct conn_listener **pl)
{
	struct conn_listener *l = *pl;

	*pl = NULL;
	if (l == NULL || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
		return;
	bug_if(l->fd >= 0);
	tls_ctx_unref(&l->tls);
	conn_gate_unref(&l->gate);
	mem_free(&l->name);
	free(l);
}

/* --- accepting --- */

static void
arrive(struct loop_msg *m)
{
	conn_arrive(container_of(m, struct conn, msg));
}

static void
refuse(struct conn_listener *l, int fd, const char *why)
{
	const char *reply = l->o.proto->refused_reply;

	metrics_add(&conn_refused, 1, why, NULL);
	/* The socket's buffer is empty, so the line fits; if not, the peer learns it from the close. */
	if (reply && !l->o.implicit_tls)
		ignore_result(send(fd, reply, strlen(reply), MSG_NOSIGNAL | MSG_DONTWAIT) < 0);
	close(fd);
}

static void
accepted(struct conn_listener *l, int fd, const struct sockaddr_storage *from)
{
	struct conn_server *s = l->server;
	struct ipport remote = ipport_of((const struct sockaddr *)from), local = l->local;
	struct conn_gate *gate;
	struct conn *c;
	const char *why;

	why = admit(l, &remote.ip, &gate);
	if (why) {
		refuse(l, fd, why);
		return;
	}
	if (!conn_server_enter(s)) {
		conn_gate_leave(&gate, &remote.ip);
		close(fd);
		return;
	}
	if (local.port == 0) {
		struct sockaddr_storage ss = { 0 };
		socklen_t n = sizeof(ss);

		if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
			local = ipport_of((struct sockaddr *)&ss);
	}
	c = conn_new(s, l, fd, &remote, &local);
	c->gate = gate;
	c->loop = &s->loops[s->next_loop];
	s->next_loop = (s->next_loop + 1) % s->nloops;
	c->msg.fn = arrive;
	if (c->loop->index == 0)
		conn_arrive(c);
	else
		loop_post(c->loop->loop, &c->msg);
}

static void
resume(void *arg)
{
	struct conn_listener *l = arg;

	l->paused = false;
	event_add(&l->ev, NULL);
}

/* Without this the loop would spin on a socket that is readable and cannot be accepted from. */
static void
pause_accepting(struct conn_listener *l)
{
	l->paused = true;
	event_del(&l->ev);
	loop_timer_by(&l->resume, time_mono_us() + CONN_ACCEPT_PAUSE_US);
}

static void
on_accept(evutil_socket_t lfd, short what unused_, void *arg)
{
	struct conn_listener *l = arg;

	for (int i = 0; i < CONN_ACCEPTS && l->fd >= 0; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t n = sizeof(from);
		int fd = accept4(lfd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			accepted(l, fd, &from);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			metrics_add(&conn_refused, 1, "resources", NULL);
			pause_accepting(l);
			return;
		}
		/* Anything else is about that one connection, which is gone. */
	}
}

void
conn_listener_open(struct conn_server *s, struct conn_listener *l, int fd)
{
	struct loop *loop = s->loops[0].loop;
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof(ss);
	struct ip any = { 0 };

	l->server = s;
	l->fd = fd;
	if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
		l->local = ipport_of((struct sockaddr *)&ss);
	any.family = l->local.ip.family;
	if (ip_equal(&any, &l->local.ip))
		l->local = (struct ipport){ 0 };
	fd_nonblock(fd, true);
	loop_timer_init(&l->resume, loop, resume, l);
	event_assign(&l->ev, loop_base(loop), fd, EV_READ | EV_PERSIST, on_accept, l);
	event_add(&l->ev, NULL);
	l->next = s->listeners;
	s->listeners = l;
}

void
conn_listener_close(struct conn_listener *l)
{
	loop_timer_done(&l->resume);
	if (!l->paused)
		event_del(&l->ev);
	close(l->fd);
	l->fd = -1;
}

static int
socket_error(int fd, const char *what, const struct ipport *addr, struct errmsg *e)
{
	struct arena a = { 0 };
	struct str text = ipport_str(&a, addr);
	int r = err_errno(e, errno, "%s on " STRF, what, STRA(text));

	arena_done(&a);
	if (fd >= 0)
		close(fd);
	return r;
}

int
conn_listen_socket(const struct ipport *addr, int *r_fd, struct errmsg *e)
{
	struct sockaddr_storage ss;
	socklen_t n = ipport_sockaddr(addr, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	int idle = 300, interval = 60, probes = 5;      /* keep-alive after 5 minutes; a peer that is gone is noticed after 10 */

	if (fd < 0)
		return socket_error(fd, "socket", addr, e);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (ss.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0))
		return socket_error(fd, "socket options", addr, e);
	/* Accepted sockets inherit these. They are improvements; the server works without. */
	ignore_result(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	ignore_result(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	ignore_result(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)));
	ignore_result(setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval)));
	ignore_result(setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes)));
	if (bind(fd, (struct sockaddr *)&ss, n) < 0)
		return socket_error(fd, "bind", addr, e);
	if (listen(fd, SOMAXCONN) < 0)
		return socket_error(fd, "listen", addr, e);
	*r_fd = fd;
	return 0;
}
