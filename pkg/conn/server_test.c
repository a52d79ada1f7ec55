/* SPDX-License-Identifier: MIT */
/* The server with its threads: the whole way of units, STARTTLS, wake-ups, limits, overload, reload. Deadlines:
 * deadline_test.c. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/timeutil.h"
#include "conn/server_internal.h"
#include "conn/testclient.h"
#include "conn/testproto.h"
#include "conn/testrig.h"
#include "testutil/testutil.h"

TEST(server_plain)
{
	struct testrig r = { 0 };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_expect(&t, "HELLO\r\n");
	testclient_put(&t, S("ECHO a\r\nECHO b\r\nDATA 5\r\nabcdeLIT {3}\r\nabcECHO c\r\n"));
	testclient_expect(&t, "= a\r\n= b\r\nGO\r\nSUM 5 495\r\n+\r\nLIT 3 294\r\n= c\r\n");
	testclient_put(&t, S("BIG 5000000\r\n"));
	assert_int_equal(testclient_skip(&t, 5000002), 5000002);
	testclient_put(&t, S("SLEEP 5\r\nECHO x\r\nQUIT\r\nECHO y\r\n"));
	testclient_expect(&t, "AWAKE\r\n= x\r\nBYE\r\n");
	testclient_expect_end(&t);
	testclient_close(&t);
	testrig_stop(&r);
}

TEST(server_many_pipelined)
{
	struct testrig r = { 0 };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_expect(&t, "HELLO\r\n");
	for (int i = 0; i < 1000; i++)
		testclient_put(&t, S("ECHO abc\r\n"));
	for (int i = 0; i < 1000; i++)
		testclient_expect(&t, "= abc\r\n");
	testclient_close(&t);
	testrig_stop(&r);
}

/* A peer that sends the rest by a second write, which its TCP holds back until we acknowledge the first. Delayed, each round
 * would take 40 ms at least. */
TEST(server_acknowledges_partial_input)
{
	struct testrig r = { 0 };
	struct testclient t;
	int off = 0;
	int64_t best = INT64_MAX, start;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_expect(&t, "HELLO\r\n");
	assert_int_equal(setsockopt(t.fd, IPPROTO_TCP, TCP_NODELAY, &off, sizeof(off)), 0);
	for (int i = 0; i < 5 && best > 5 * 40 * TIME_MS; i++) {
		start = time_mono_us();
		for (int j = 0; j < 10; j++) {
			testclient_put(&t, S("LIT {3}\r\n"));
			testclient_expect(&t, "+\r\n");
			testclient_put(&t, S("ab"));
			testclient_put(&t, S("c"));
			testclient_expect(&t, "LIT 3 294\r\n");
		}
		best = MIN(best, time_mono_us() - start);
	}
	assert_true(best < 10 * 40 * TIME_MS);
	testclient_close(&t);
	testrig_stop(&r);
}

TEST(server_implicit_tls)
{
	struct testrig r = { 0 };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.tls, NULL);
	testclient_tls(&t);
	testclient_expect(&t, "HELLO\r\n");
	testclient_put(&t, S("ECHO a\r\nDATA 3\r\nabcBIG 1000000\r\n"));
	testclient_expect(&t, "= a\r\nGO\r\nSUM 3 294\r\n");
	assert_int_equal(testclient_skip(&t, 1000002), 1000002);
	testclient_put(&t, S("QUIT\r\n"));
	testclient_expect(&t, "BYE\r\n");
	testclient_expect_end(&t);
	testclient_close(&t);
	testrig_stop(&r);
}

TEST(server_starttls)
{
	struct testrig r = { 0 };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("STARTTLS\r\n"));
	testclient_expect(&t, "HELLO\r\nGO\r\n");
	testclient_tls(&t);
	testclient_expect(&t, "TLS\r\n");
	testclient_put(&t, S("ECHO a\r\n"));
	testclient_expect(&t, "= a\r\n");
	testclient_close(&t);
	testrig_stop(&r);
}

TEST(server_starttls_injection)
{
	struct testrig r = { 0 };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_expect(&t, "HELLO\r\n");
	testclient_put(&t, S("STARTTLS\r\nECHO injected\r\n"));
	testclient_expect(&t, "GO\r\n");
	testclient_tls(&t);
	testclient_put(&t, S("ECHO a\r\n"));
	testclient_expect(&t, "TLS\r\n= a\r\n");
	testclient_close(&t);
	testrig_stop(&r);
}

TEST(server_wake)
{
	struct testrig r = { 0 };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("IDLE\r\n"));
	testclient_expect(&t, "HELLO\r\n+\r\n");
	for (int i = 0; i < 20; i++) {
		conn_wake(r.server, r.o.last_id);
		testclient_expect(&t, "WOKEN\r\n");
	}
	testclient_put(&t, S("DONE\r\n"));
	testclient_expect(&t, "OK\r\n");
	conn_wake(r.server, r.o.last_id);       /* remembered */
	testclient_put(&t, S("ECHO a\r\n"));
	testclient_expect(&t, "= a\r\n");
	testclient_put(&t, S("IDLE\r\n"));
	testclient_expect(&t, "+\r\nWOKEN\r\n");
	testclient_close(&t);
	testrig_stop(&r);
}

/* --- limits at accept, overload --- */

TEST(server_rate_limit)
{
	struct testrig r = { .lo.limits = { .enabled = true, .rate = { 3, 5, 100 } } };
	struct testclient t[3], over;

	testrig_start(&r);
	for (int i = 0; i < 3; i++) {
		testclient_open(&t[i], r.plain, "127.0.1.1");
		testclient_expect(&t[i], "HELLO\r\n");
	}
	testclient_open(&over, r.plain, "127.0.1.1");
	testclient_expect(&over, "REFUSED\r\n");
	testclient_expect_end(&over);
	testclient_close(&over);
	/* Closing does not help against the rate; another address of the same network has two left. */
	for (int i = 0; i < 3; i++)
		testclient_close(&t[i]);
	for (int i = 0; i < 3; i++) {
		testclient_open(&over, r.plain, "127.0.1.2");
		testclient_expect(&over, i < 2 ? "HELLO\r\n" : "REFUSED\r\n");
		testclient_close(&over);
	}
	testclient_open(&over, r.plain, "127.0.2.1");
	testclient_expect(&over, "HELLO\r\n");
	testclient_close(&over);
	/* The other listener counts for itself; with implicit TLS the socket is just closed. */
	for (int i = 0; i < 3; i++) {
		testclient_open(&t[i], r.tls, "127.0.1.1");
		testclient_tls(&t[i]);
		testclient_expect(&t[i], "HELLO\r\n");
	}
	testclient_open(&over, r.tls, "127.0.1.1");
	testclient_expect_end(&over);
	testclient_close(&over);
	for (int i = 0; i < 3; i++)
		testclient_close(&t[i]);
	testrig_stop(&r);
}

TEST(server_open_limit)
{
	struct testrig r = { .lo.limits = { .enabled = true, .rate = { 1000, 1000, 1000 }, .open = { 2, 3, 100 } } };
	struct testclient t[2], over;

	testrig_start(&r);
	for (int i = 0; i < 2; i++) {
		testclient_open(&t[i], r.plain, "127.0.1.1");
		testclient_expect(&t[i], "HELLO\r\n");
	}
	testclient_open(&over, r.plain, "127.0.1.1");
	testclient_expect(&over, "REFUSED\r\n");
	testclient_close(&over);
	testclient_close(&t[0]);
	TESTRIG_UNTIL(&r, conn_server_count(r.server) == 1);
	testclient_open(&t[0], r.plain, "127.0.1.1");
	testclient_expect(&t[0], "HELLO\r\n");
	/* New limits hold for new connections; the old ones count where they counted. */
	conn_server_set_limits(r.server, "test", &(struct conn_limits){ .enabled = true, .open = { 1, 1, 1 } });
	testclient_open(&over, r.plain, "127.0.1.1");
	testclient_expect(&over, "HELLO\r\n");
	testclient_close(&t[0]);
	testclient_close(&t[1]);
	TESTRIG_UNTIL(&r, conn_server_count(r.server) == 1);
	testclient_open(&t[0], r.plain, "127.0.1.1");
	testclient_expect(&t[0], "REFUSED\r\n");
	testclient_close(&t[0]);
	conn_server_set_limits(r.server, "test", &(struct conn_limits){ 0 });
	testclient_open(&t[0], r.plain, "127.0.1.1");
	testclient_expect(&t[0], "HELLO\r\n");
	testclient_close(&t[0]);
	testclient_close(&over);
	testrig_stop(&r);
}

TEST(server_limits_exempt_loopback)
{
	struct testrig r = {
		.lo.limits = { .enabled = true, .rate = { 1, 1, 1 }, .open = { 1, 1, 1 }, .exempt_loopback = true },
	};
	struct testclient t[3];

	testrig_start(&r);
	for (int i = 0; i < 3; i++) {
		testclient_open(&t[i], r.plain, NULL);
		testclient_expect(&t[i], "HELLO\r\n");
	}
	for (int i = 0; i < 3; i++)
		testclient_close(&t[i]);
	testrig_stop(&r);
}

static bool
refuse(void *arg unused_, const struct ip *remote)
{
	return remote->a[2] == 9;
}

TEST(server_refuse)
{
	struct testrig r = { .lo.refuse = refuse };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.plain, "127.0.9.1");
	testclient_expect(&t, "REFUSED\r\n");
	testclient_expect_end(&t);
	testclient_close(&t);
	testclient_open(&t, r.plain, "127.0.8.1");
	testclient_expect(&t, "HELLO\r\n");
	testclient_close(&t);
	testrig_stop(&r);
}

TEST(server_overload)
{
	struct testrig r = { .so = { .workers_min = 1, .workers_max = 1, .queue_max = 1 } };
	struct testclient t, idle, waits, over, tls;

	testrig_start(&r);
	testclient_open(&idle, r.plain, NULL);
	testclient_expect(&idle, "HELLO\r\n");
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("BLOCK\r\n"));
	TESTRIG_UNTIL(&r, r.o.blocked == 1);
	testclient_open(&waits, r.plain, NULL);
	TESTRIG_UNTIL(&r, testrig_running(&r) == 2);
	/* New connections, and commands of old ones. */
	testclient_open(&over, r.plain, NULL);
	testclient_expect(&over, "OVERLOAD\r\n");
	testclient_expect_end(&over);
	testclient_close(&over);
	testclient_open(&tls, r.tls, NULL);
	testclient_tls(&tls);
	testclient_expect(&tls, "OVERLOAD\r\n");
	testclient_expect_end(&tls);
	testclient_close(&tls);
	testclient_put(&idle, S("ECHO a\r\nECHO b\r\n"));
	testclient_expect(&idle, "OVERLOAD\r\n");
	testclient_expect_end(&idle);
	testclient_close(&idle);
	testrig_release(&r);
	testclient_expect(&t, "HELLO\r\nDONE\r\n");
	testclient_expect(&waits, "HELLO\r\n");
	testclient_close(&t);
	testclient_close(&waits);
	testrig_stop(&r);
}

/* When the memory of all input buffers is used up, reading waits until there is room; half is kept for those who logged in. */
TEST(server_input_budget)
{
	struct testrig r = { 0 };
	struct testclient t, user;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_open(&user, r.plain, NULL);
	testclient_put(&user, S("CLASS 1\r\n"));
	testclient_expect(&user, "HELLO\r\nOK\r\n");
	testclient_expect(&t, "HELLO\r\n");
	conn_in_charge(LIMIT_CONN_IN_TOTAL / 2);
	testclient_put(&t, S("ECHO a\r\n"));
	testclient_put(&user, S("ECHO b\r\n"));
	testclient_expect(&user, "= b\r\n");
	assert_int_equal(recv(t.fd, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
	conn_in_charge(LIMIT_CONN_IN_TOTAL / 2);
	testclient_put(&user, S("ECHO c\r\n"));
	conn_in_charge(-LIMIT_CONN_IN_TOTAL);
	testclient_expect(&user, "= c\r\n");
	testclient_expect(&t, "= a\r\n");
	testclient_close(&t);
	testclient_close(&user);
	testrig_stop(&r);
}

/* Without descriptors accepting pauses, and goes on when there are some again. */
TEST(server_out_of_descriptors)
{
	struct testrig r = { 0 };
	struct testclient t, waits;
	struct rlimit old, none;
	double before = metrics_get(&conn_refused, "resources", NULL);

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_expect(&t, "HELLO\r\n");
	testclient_socket(&waits);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	testclient_connect(&waits, r.plain, NULL);
	testclient_put(&t, S("ECHO a\r\n"));
	testclient_expect(&t, "= a\r\n");
	TESTRIG_UNTIL(&r, metrics_get(&conn_refused, "resources", NULL) > before);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	testclient_expect(&waits, "HELLO\r\n");
	testclient_close(&t);
	testclient_close(&waits);
	testrig_stop(&r);
}

/* Units of one group do not take all workers. */
TEST(server_group_cap)
{
	struct testrig r = { .so = { .workers_min = 4, .workers_max = 4, .group_max = 2 } };
	struct testclient t[4], other;

	testrig_start(&r);
	for (int i = 0; i < 4; i++) {
		testclient_open(&t[i], r.plain, NULL);
		testclient_put(&t[i], S("GROUP 5\r\n"));
		testclient_expect(&t[i], "HELLO\r\nOK\r\n");
	}
	for (int i = 0; i < 4; i++)
		testclient_put(&t[i], S("BLOCK\r\n"));
	TESTRIG_UNTIL(&r, r.o.blocked == 2 && testrig_running(&r) == 4);
	testclient_open(&other, r.plain, NULL);
	testclient_put(&other, S("ECHO a\r\n"));
	testclient_expect(&other, "HELLO\r\n= a\r\n");
	assert_int_equal(r.o.blocked, 2);
	testrig_release(&r);
	for (int i = 0; i < 4; i++) {
		testclient_expect(&t[i], "DONE\r\n");
		testclient_close(&t[i]);
	}
	testclient_close(&other);
	testrig_stop(&r);
}

/* --- listeners come, change and go --- */

TEST(server_listeners_change)
{
	struct testrig r = { 0 };
	struct testclient old, t;
	struct conn_listener_opts lo;
	struct tls_ctx *alpn = testproto_server_tls("test/1");
	uint16_t port;

	testrig_start(&r);
	lo = r.lo;
	lo.name = "second";
	lo.implicit_tls = false;
	port = testrig_listen(&r, &lo);
	testclient_open(&old, port, NULL);
	testclient_expect(&old, "HELLO\r\n");
	conn_server_unlisten(r.server, "second");
	testclient_socket(&t);
	assert_false(testclient_connect(&t, port, NULL));
	testclient_close(&t);
	testclient_put(&old, S("ECHO a\r\n"));
	testclient_expect(&old, "= a\r\n");
	/* A new TLS context, for new connections. */
	conn_server_set_tls(r.server, "test", alpn);
	testclient_open(&t, r.tls, NULL);
	t.alpn = "test/1";
	testclient_tls(&t);
	testclient_expect(&t, "HELLO\r\n");
	testclient_close(&t);
	testclient_close(&old);
	tls_ctx_unref(&alpn);
	testrig_stop(&r);
}

TEST(server_adopt)
{
	struct testrig r = { 0 };
	struct testclient t;
	struct conn_listener_opts lo;
	struct conn_id id;
	int fds[2];

	testrig_start(&r);
	lo = r.lo;
	lo.implicit_tls = false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	testclient_adopt(&t, fds[1]);
	assert_ok(conn_server_adopt(r.server, fds[0], &lo, &id));
	testclient_put(&t, S("IDLE\r\n"));
	testclient_expect(&t, "HELLO\r\n+\r\n");
	assert_memory_equal(&id, &r.o.last_id, sizeof(id));
	conn_wake(r.server, id);
	testclient_expect(&t, "WOKEN\r\n");
	testclient_close(&t);
	testrig_stop(&r);
}

/* --- stop --- */

TEST(server_stop_says_goodbye)
{
	struct testrig r = { 0 };
	struct testclient idle, half, sleeping, data, tls, handshake;

	testrig_start(&r);
	testclient_open(&idle, r.plain, NULL);
	testclient_expect(&idle, "HELLO\r\n");
	testclient_open(&half, r.plain, NULL);
	testclient_put(&half, S("ECHO"));
	testclient_expect(&half, "HELLO\r\n");
	testclient_open(&sleeping, r.plain, NULL);
	testclient_put(&sleeping, S("SLEEP 1000000\r\n"));
	testclient_expect(&sleeping, "HELLO\r\n");
	testclient_open(&data, r.plain, NULL);
	testclient_put(&data, S("DATA 1000\r\nabc"));
	testclient_expect(&data, "HELLO\r\nGO\r\n");
	testclient_open(&tls, r.tls, NULL);
	testclient_tls(&tls);
	testclient_expect(&tls, "HELLO\r\n");
	testclient_open(&handshake, r.tls, NULL);
	TESTRIG_UNTIL(&r, conn_server_count(r.server) == 6);
	conn_server_stop(r.server, 3 * TIME_SEC);
	testclient_expect(&idle, "SHUTDOWN\r\n");
	testclient_expect(&half, "SHUTDOWN\r\n");
	testclient_expect(&sleeping, "SHUTDOWN\r\n");
	testclient_expect(&data, "SHUTDOWN\r\n");
	testclient_expect(&tls, "SHUTDOWN\r\n");
	testclient_expect_end(&handshake);
	testclient_close(&idle);
	testclient_close(&half);
	testclient_close(&sleeping);
	testclient_close(&data);
	testclient_close(&tls);
	testclient_close(&handshake);
	testrig_stop(&r);
}

/* What runs may finish; after the grace period its waits end; peers that do not read are closed in the end. */
TEST(server_stop_frees_waits)
{
	struct testrig r = { .o.write_timeout_us = TIME_MIN };
	struct testclient t, slow;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("BLOCK\r\n"));
	testclient_open(&slow, r.plain, NULL);
	testclient_put(&slow, S("BIG 100000000\r\n"));
	TESTRIG_UNTIL(&r, r.o.blocked == 1 && testrig_waiting(&r) == 1);
	conn_server_stop(r.server, 20 * TIME_MS);
	testclient_expect(&t, "HELLO\r\nSTOPPED\r\nSHUTDOWN\r\n");
	testclient_close(&t);
	testclient_close(&slow);
	testrig_stop(&r);
}

static atomic_int background_ran;

static void
background(void *arg, const struct ctx *ctx)
{
	struct testrig *r = arg;
	int e;

	atomic_fetch_add(&background_ran, 1);
	while ((e = ctx_poll(ctx, r->o.gate_fd, POLLIN)) == 1)
		;
	assert_int_equal(e, ERR_CANCELED);
	assert_false(conn_server_run_background(r->server, background, r));
}

TEST(server_background)
{
	struct testrig r = { 0 };
	struct testclient t;

	testrig_start(&r);
	assert_true(conn_server_run_background(r.server, background, &r));
	TESTRIG_UNTIL(&r, atomic_load(&background_ran) == 1);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("ECHO a\r\n"));
	testclient_expect(&t, "HELLO\r\n= a\r\n");
	testclient_close(&t);
	testrig_stop(&r);
}

/* --- the peer's end --- */

TEST(server_half_close)
{
	struct testrig r = { 0 };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("ECHO a\r\nBIG 100000\r\nECHO"));
	assert_int_equal(shutdown(t.fd, SHUT_WR), 0);
	testclient_expect(&t, "HELLO\r\n= a\r\n");
	assert_int_equal(testclient_skip(&t, 100002), 100002);
	testclient_expect_end(&t);
	testclient_close(&t);
	testrig_stop(&r);
}

TEST(server_reset_by_peer)
{
	struct testrig r = { 0 };
	struct testclient t;

	testrig_start(&r);
	for (int i = 0; i < 20; i++) {
		testclient_open(&t, i % 2 ? r.plain : r.tls, NULL);
		if (i % 2 == 0)
			testclient_tls(&t);
		testclient_put(&t, i % 4 < 2 ? S("IDLE\r\n") : S("BIG 1000000\r\n"));
		assert_int_equal(setsockopt(t.fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)), 0);
		testclient_close(&t);
	}
	TESTRIG_UNTIL(&r, conn_server_count(r.server) == 0);
	testrig_stop(&r);
}

/* --- what an administrator gets wrong --- */

TEST(server_listen_fails)
{
	struct testrig r = { 0 };
	struct ipport used = { .ip = { .family = 4, .a = { 127, 0, 0, 1 } } };
	struct ipport foreign = { .ip = { .family = 4, .a = { 192, 0, 2, 1 } } };
	struct errmsg e = { 0 };
	int fd = -1;

	testrig_start(&r);
	used.port = r.plain;
	assert_err(conn_listen_socket(&used, &fd, &e), ERR_IO);
	assert_non_null(strstr(e.text, "bind on 127.0.0.1:"));
	e.text[0] = '\0';
	assert_err(conn_listen_socket(&foreign, &fd, &e), ERR_IO);
	assert_non_null(strstr(e.text, "192.0.2.1:0"));
	assert_int_equal(fd, -1);
	testrig_stop(&r);
}

/* A socket bound to any address tells the one that was used. */
TEST(server_any_address)
{
	struct testrig r = { 0 };
	struct testclient t;
	struct ipport any = { .ip = { .family = 4 } };
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof(ss);
	struct conn_listener_opts lo;
	int fd;

	testrig_start(&r);
	lo = r.lo;
	lo.implicit_tls = false;
	assert_ok(conn_listen_socket(&any, &fd, NULL));
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	assert_ok(conn_server_listen(r.server, fd, &lo, NULL));
	testclient_open(&t, ipport_of((struct sockaddr *)&ss).port, "127.0.0.9");
	testclient_put(&t, S("ADDR\r\n"));
	testclient_expect(&t, "HELLO\r\n127.0.0.9 127.0.0.1\r\n");
	testclient_close(&t);
	testrig_stop(&r);
}

/* After the stop began nothing is taken on any more. */
TEST(server_stopped)
{
	struct testrig r = { 0 };
	struct conn_listener_opts lo;
	struct ipport addr = { .ip = { .family = 4, .a = { 127, 0, 0, 1 } } };
	int fds[2], fd;

	testrig_start(&r);
	lo = r.lo;
	lo.implicit_tls = false;
	conn_server_stop(r.server, TIME_SEC);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_err(conn_server_adopt(r.server, fds[0], &lo, NULL), ERR_CANCELED);
	assert_ok(conn_listen_socket(&addr, &fd, NULL));
	assert_err(conn_server_listen(r.server, fd, &lo, NULL), ERR_CANCELED);
	assert_int_equal(read(fds[1], &(char){ 0 }, 1), 0);
	close(fds[1]);
	testrig_stop(&r);
}

/* A handler that takes its time past the grace period finds its connection gone, and everything ends when it returns. */
TEST(server_stop_kills)
{
	struct testrig r = { .o.deaf_us = 1200 * TIME_MS };
	struct testclient t, idle;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("BLOCK\r\n"));
	testclient_open(&idle, r.plain, NULL);
	testclient_expect(&idle, "HELLO\r\n");
	TESTRIG_UNTIL(&r, r.o.blocked == 1);
	conn_server_stop(r.server, 10 * TIME_MS);
	testclient_expect(&idle, "SHUTDOWN\r\n");
	testclient_expect(&t, "HELLO\r\n");
	testclient_expect_end(&t);
	testclient_close(&t);
	testclient_close(&idle);
	testrig_stop(&r);
}

/* Output has nowhere to go: the connection fails, the server lives. */
TEST(server_no_room_for_spilled_output)
{
	struct testrig r = { .so = { .tmp_dir = "/nonexistent", .workers_max = 4 }, .o.write_timeout_us = TIME_MIN };
	struct testclient t[4];

	testrig_start(&r);
	for (int i = 0; i < 3; i++) {
		testclient_open(&t[i], r.plain, NULL);
		testclient_put(&t[i], S("BIG 100000000\r\n"));
	}
	TESTRIG_UNTIL(&r, r.o.closed == 1);
	testclient_open(&t[3], r.plain, NULL);
	testclient_put(&t[3], S("ECHO a\r\n"));
	testclient_expect(&t[3], "HELLO\r\n= a\r\n");
	for (int i = 0; i < 4; i++)
		testclient_close(&t[i]);
	testrig_stop(&r);
}
