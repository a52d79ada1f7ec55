/* SPDX-License-Identifier: MIT */
#include "conn/testrig.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "conn/server_internal.h"
#include "testutil/testutil.h"

uint16_t
testrig_listen_soft(struct testrig *r, const struct conn_listener_opts *lo)
{
	struct ipport addr = { .ip = { .family = 4, .a = { 127, 0, 0, 1 } } };
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof(ss);
	int fd;

	if (conn_listen_socket(&addr, &fd, NULL) < 0)
		return 0;
	ignore_result(getsockname(fd, (struct sockaddr *)&ss, &n) < 0);
	if (conn_server_listen(r->server, fd, lo, NULL) < 0)
		return 0;
	return ipport_of((struct sockaddr *)&ss).port;
}

uint16_t
testrig_listen(struct testrig *r, const struct conn_listener_opts *lo)
{
	uint16_t port = testrig_listen_soft(r, lo);

	assert_int_not_equal(port, 0);
	return port;
}

void
testrig_start(struct testrig *r)
{
	r->ctx = testproto_server_tls(NULL);
	r->o.gate_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	r->o.changed_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (r->so.workers_min == 0)
		r->so.workers_min = 2;
	if (r->so.workers_max == 0)
		r->so.workers_max = 16;
	r->server = conn_server_new(&r->so);
	r->lo.name = "test";
	r->lo.proto = &testproto;
	r->lo.arg = &r->o;
	r->lo.tls = r->ctx;
	r->plain = testrig_listen(r, &r->lo);
	r->lo.implicit_tls = true;
	r->tls = testrig_listen(r, &r->lo);
	conn_server_start(r->server);
}

void
testrig_release(struct testrig *r)
{
	uint64_t one = 1;

	assert_int_equal(write(r->o.gate_fd, &one, sizeof(one)), sizeof(one));
}

void
testrig_stop(struct testrig *r)
{
	conn_server_stop(r->server, 3 * TIME_SEC);
	assert_int_equal(conn_server_count(r->server), 0);
	conn_server_free(&r->server);
	tls_ctx_unref(&r->ctx);
	fd_close(&r->o.gate_fd);
	fd_close(&r->o.changed_fd);
	assert_int_equal(r->o.started, r->o.closed);
	assert_int_equal(conn_in_total(), 0);
}

unsigned
testrig_waiting(struct testrig *r)
{
	LOCKED(&r->server->lock);
	return r->server->nwaiting;
}

unsigned
testrig_running(struct testrig *r)
{
	struct workpool_stats st;

	workpool_stats(r->server->pool, &st);
	return st.running + st.queued;
}

bool
testrig_change(struct testrig *r, int64_t until_us)
{
	struct ctx x = { .deadline_us = time_mono_us() + 2 * TIME_MS };
	uint64_t n;

	if (ctx_poll(&x, r->o.changed_fd, POLLIN) == 1)
		ignore_result(read(r->o.changed_fd, &n, sizeof(n)) < 0);
	return time_mono_us() < until_us;
}
