/* SPDX-License-Identifier: MIT */
/*
 * Connecting, directly or through a SOCKS5 proxy.
 */
#include "smtpclient/smtpclient_internal.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define CONNECT_US (30 * TIME_SEC)

/* connect_one makes one connection; the descriptor is non-blocking. */
static int
connect_one(const struct ctx *op, const struct ipport *to, const struct ip *from, int *r_fd, struct errmsg *e)
{
	struct sockaddr_storage ss;
	socklen_t n = ipport_sockaddr(to, &ss), len = sizeof(int);
	cleanup_(fd_close) int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = 0;

	if (fd < 0)
		return err_errno(e, errno, "socket");
	if (from) {
		struct sockaddr_storage local;
		struct ipport any = { .ip = *from };
		socklen_t nl = ipport_sockaddr(&any, &local);
		if (bind(fd, (struct sockaddr *)&local, nl) < 0)
			return err_errno(e, errno, "local address");
	}
	if (connect(fd, (struct sockaddr *)&ss, n) < 0 && errno != EINPROGRESS)
		return err_errno(e, errno, "connect");
	int rv = ctx_poll(op, fd, POLLOUT);
	if (rv < 0)
		return err_set(e, rv, "connect: %s", err_text(rv));
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err != 0)
		return err_errno(e, err, "connect");
	*r_fd = fd;
	fd = -1;
	return 0;
}

/* Whole reads and writes for the few bytes of SOCKS. */
static int
transfer(const struct ctx *op, int fd, void *p, size_t n, bool reading, struct errmsg *e)
{
	char *at = p;

	while (n > 0) {
		ssize_t got = reading ? recv(fd, at, n, 0) : send(fd, at, n, MSG_NOSIGNAL);
		if (got > 0) {
			at += got;
			n -= (size_t)got;
			continue;
		}
		if (got == 0)
			return err_set(e, ERR_CLOSED, "proxy closed the connection");
		if (errno != EAGAIN && errno != EINTR)
			return err_errno(e, errno, "proxy");
		int rv = ctx_poll(op, fd, reading ? POLLIN : POLLOUT);
		if (rv < 0)
			return err_set(e, rv, "proxy: %s", err_text(rv));
	}
	return 0;
}

/* socks_connect asks the proxy, without authentication, to connect to an address: RFC 1928 4 */
static int
socks_connect(const struct ctx *op, int fd, const struct ipport *to, struct errmsg *e)
{
	static const char *const errors[] = {
		"succeeded",
		"general failure",
		"not allowed by ruleset",
		"network unreachable",
		"host unreachable",
		"connection refused",
		"TTL expired",
		"command not supported",
		"address type not supported",
	};
	uint8_t hello[3] = { 5, 1, 0 }, reply[2], req[22] = { 5, 1, 0 }, head[4], bound[256 + 2];
	size_t alen = to->ip.family == 4 ? 4 : 16;

	TRY(transfer(op, fd, hello, sizeof(hello), false, e));
	TRY(transfer(op, fd, reply, sizeof(reply), true, e));
	if (reply[0] != 5 || reply[1] != 0)
		return err_set(e, ERR_DENIED, "proxy wants authentication, or is no SOCKS5 proxy");
	req[3] = to->ip.family == 4 ? 1 : 4;
	memcpy(req + 4, to->ip.a, alen);
	req[4 + alen] = (uint8_t)(to->port >> 8);
	req[5 + alen] = (uint8_t)to->port;
	TRY(transfer(op, fd, req, 6 + alen, false, e));
	TRY(transfer(op, fd, head, sizeof(head), true, e));
	if (head[0] != 5)
		return err_set(e, ERR_INVALID, "proxy's reply is not SOCKS5");
	if (head[1] != 0)
		return err_set(e, ERR_IO, "proxy: %s", head[1] < ARRAY_LEN(errors) ? errors[head[1]] : "unknown error");
	/* The address it connects from does not matter, but has to be read away. */
	if (head[3] == 1) {
		alen = 4;
	} else if (head[3] == 4) {
		alen = 16;
	} else if (head[3] == 3) {
		TRY(transfer(op, fd, bound, 1, true, e));
		alen = bound[0];
	} else {
		return err_set(e, ERR_INVALID, "proxy's reply has an unknown type of address");
	}
	return transfer(op, fd, bound, alen + 2, true, e);
}

static int
resolve_proxy(const char *socks, struct ipport *r_p, struct errmsg *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *res = NULL;
	struct arena tmp = { 0 };
	struct str s = str_of(socks);
	ssize_t colon = str_rfind(s, ':');
	int rv = ERR_INVALID;

	if (colon > 0) {
		struct str host = str_upto(s, (size_t)colon);
		if (str_starts(host, S("[")) && str_ends(host, S("]")))
			host = str_n(host.p + 1, host.n - 2);
		rv = getaddrinfo(str_dup(&tmp, host).p, str_from(s, (size_t)colon + 1).p, &hints, &res) == 0 ?
		    0 :
		    ERR_NOTFOUND;
	}
	if (rv == 0) {
		*r_p = ipport_of(res->ai_addr);
		freeaddrinfo(res);
	} else {
		err_set(e, rv, "address of the proxy cannot be found");
	}
	arena_done(&tmp);
	return rv;
}

static const struct ip *
local_for(const struct smtpclient_dial_opts *o, const struct ip *ip)
{
	for (size_t i = 0; i < o->nlocal; i++)
		if (o->local[i].family == ip->family)
			return &o->local[i];
	return NULL;
}

int
smtpclient_dial(const struct smtpclient_dial_opts *o, int *r_fd, size_t *r_index, struct errmsg *e)
{
	int64_t share = CONNECT_US;
	struct ipport proxy = { 0 };
	int rv = ERR_NOTFOUND;

	if (o->nips == 0)
		return err_set(e, ERR_NOTFOUND, "no addresses to connect to");
	if (o->ctx->deadline_us != 0)
		share = MAX((o->ctx->deadline_us - time_mono_us()) / (int64_t)o->nips, INT64_C(1));
	if (o->socks)
		TRY(resolve_proxy(o->socks, &proxy, e));
	for (size_t i = 0; i < o->nips; i++) {
		struct ctx op = ctx_within(o->ctx, share);
		struct ipport to = { .ip = o->ips[i], .port = o->port };
		struct errmsg one = { 0 };
		cleanup_(fd_close) int fd = -1;

		rv = connect_one(&op, o->socks ? &proxy : &to, o->socks ? NULL : local_for(o, &to.ip), &fd, &one);
		if (rv == 0 && o->socks)
			rv = socks_connect(&op, fd, &to, &one);
		if (rv == 0) {
			*r_fd = fd;
			fd = -1;
			*r_index = i;
			return 0;
		}
		if (e) {
			struct arena tmp = { 0 };
			*e = (struct errmsg){ 0 };
			err_set(e, rv, STRF ": %s", STRA(ipport_str(&tmp, &to)), one.text);
			arena_done(&tmp);
		}
		if (rv == ERR_CANCELED)
			break;
	}
	return rv;
}
