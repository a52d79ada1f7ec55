/* SPDX-License-Identifier: MIT */
/* Every deadline, and peers that are slow in every way. Configured times are short; tests wait for what follows from them. */
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/timeutil.h"
#include "conn/conn_internal.h"
#include "conn/testclient.h"
#include "conn/testrig.h"
#include "testutil/testutil.h"

TEST(deadline_read)
{
	struct testrig r = { .o.read_timeout_us = 30 * TIME_MS };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_expect(&t, "HELLO\r\nTIMEOUT\r\n");
	testclient_expect_end(&t);
	testclient_close(&t);
	/* Half a command does not help, nor do more bytes of it. */
	testclient_open(&t, r.plain, NULL);
	testclient_expect(&t, "HELLO\r\n");
	testclient_put(&t, S("EC"));
	testclient_put(&t, S("HO"));
	testclient_expect(&t, "TIMEOUT\r\n");
	testclient_expect_end(&t);
	testclient_close(&t);
	testrig_stop(&r);
}

/* Wake-ups answer the peer, but say nothing about whether it is alive. */
TEST(deadline_read_not_moved_by_wakes)
{
	struct testrig r = { .o.read_timeout_us = 50 * TIME_MS };
	struct testclient t;
	uint64_t n = 0;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("IDLE\r\n"));
	testclient_expect(&t, "HELLO\r\n+\r\n");
	TESTRIG_UNTIL(&r, (conn_wake(r.server, r.o.last_id), n++, conn_server_count(r.server) == 0));
	testclient_close(&t);
	testrig_stop(&r);
}

TEST(deadline_handshake)
{
	struct testrig r = { .lo.handshake_timeout_us = 30 * TIME_MS };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.tls, NULL);
	testclient_expect_end(&t);
	testclient_close(&t);
	testclient_open(&t, r.tls, NULL);
	testclient_put(&t, S("\x16\x03\x01\x02\x00\x01"));      /* the head of a ClientHello */
	testclient_expect_end(&t);
	testclient_close(&t);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("STARTTLS\r\n"));
	testclient_expect(&t, "HELLO\r\nGO\r\n");
	testclient_expect_end(&t);
	testclient_close(&t);
	testrig_stop(&r);
	assert_int_equal(r.o.tls_failed, 3);
	assert_int_equal(r.o.started, 1);
}

TEST(deadline_spool)
{
	static const struct {
		const char *name;
		int64_t read_us, spool_us, window_us;
	} rows[] = {
		{ "between pieces", 30 * TIME_MS, 0, TIME_MIN },
		{ "in all", TIME_MIN, 30 * TIME_MS, TIME_MIN },
		{ "minimum rate", TIME_MIN, 0, 30 * TIME_MS },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct testrig r = {
			.o = { .read_timeout_us = rows[i].read_us, .spool_us = rows[i].spool_us },
			.so.rate_window_us = rows[i].window_us,
		};
		struct testclient t;

		test_row("%s", rows[i].name);
		testrig_start(&r);
		testclient_open(&t, r.plain, NULL);
		testclient_put(&t, S("DATA 100000\r\nabc"));
		testclient_expect(&t, "HELLO\r\nGO\r\nTIMEOUT\r\n");
		testclient_expect_end(&t);
		testclient_close(&t);
		testrig_stop(&r);
	}
}

/* A peer that keeps the minimum rate is served to the end. */
TEST(deadline_spool_fast_enough)
{
	struct testrig r = { .o.read_timeout_us = TIME_MIN, .so.rate_window_us = 300 * TIME_MS };
	struct testclient t;
	char piece[1024] = { 0 };
	int64_t end = time_mono_us() + 650 * TIME_MS;
	unsigned n = 0;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("DATA 1000000000\r\n"));
	testclient_expect(&t, "HELLO\r\nGO\r\n");
	for (; time_mono_us() < end; n++)
		testclient_put(&t, str_n(piece, sizeof(piece)));
	assert_true(n > 10);
	assert_int_equal(conn_server_count(r.server), 1);
	testclient_close(&t);
	testrig_stop(&r);
}

/* The server's ends of these have small buffers, so that what a peer does not read soon counts. */
static int
open_pair(struct testrig *r, struct testclient *t, bool tls)
{
	struct conn_listener_opts lo = r->lo;
	int fds[2], size = 4096;

	lo.implicit_tls = tls;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	testclient_adopt(t, fds[1]);
	assert_ok(conn_server_adopt(r->server, fds[0], &lo, NULL));
	return fds[0];
}

static void
open_narrow(struct testrig *r, struct testclient *t)
{
	open_pair(r, t, false);
}

/* Returns the server's descriptor, for looking. */
static int
open_narrow_tls(struct testrig *r, struct testclient *t)
{
	int fd = open_pair(r, t, true);

	testclient_tls(t);
	return fd;
}

/* Output that fits the buffer is the loop's: no worker waits. */
TEST(deadline_write_flushing)
{
	struct testrig r = { .o.write_timeout_us = 30 * TIME_MS, .so.workers_min = 1, .so.workers_max = 1 };
	struct testclient t;

	testrig_start(&r);
	open_narrow(&r, &t);
	testclient_put(&t, S("BIG 60000\r\n"));
	TESTRIG_UNTIL(&r, r.o.closed == 1);
	testclient_close(&t);
	testrig_stop(&r);
}

TEST(write_flushed_later)
{
	struct testrig r = { .so.workers_min = 1, .so.workers_max = 1 };
	struct testclient t, other;

	testrig_start(&r);
	open_narrow(&r, &t);
	testclient_put(&t, S("BIG 60000\r\nECHO a\r\n"));
	/* The only worker is free for others. */
	testclient_open(&other, r.plain, NULL);
	testclient_put(&other, S("ECHO b\r\n"));
	testclient_expect(&other, "HELLO\r\n= b\r\n");
	testclient_expect(&t, "HELLO\r\n");
	assert_int_equal(testclient_skip(&t, 60002), 60002);
	testclient_expect(&t, "= a\r\n");
	testclient_close(&t);
	testclient_close(&other);
	testrig_stop(&r);
}

/* Larger output makes the worker wait, until the deadline or as long as the minimum rate is kept. */
TEST(deadline_write_waiting)
{
	static const struct {
		const char *name;
		int64_t write_us, window_us;
	} rows[] = {
		{ "deadline", 30 * TIME_MS, TIME_MIN },
		{ "minimum rate", TIME_MIN, 30 * TIME_MS },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct testrig r = { .o.write_timeout_us = rows[i].write_us, .so.rate_window_us = rows[i].window_us };
		struct testclient t;

		test_row("%s", rows[i].name);
		testrig_start(&r);
		open_narrow(&r, &t);
		testclient_put(&t, S("BIG 100000000\r\n"));
		TESTRIG_UNTIL(&r, r.o.closed == 1);
		testclient_close(&t);
		testrig_stop(&r);
	}
}

TEST(write_waiting_goes_on)
{
	struct testrig r = { .so.workers_min = 1, .so.workers_max = 2, .so.rate_window_us = 200 * TIME_MS };
	struct testclient t;

	testrig_start(&r);
	open_narrow(&r, &t);
	testclient_put(&t, S("BIG 10000000\r\nECHO a\r\n"));
	testclient_expect(&t, "HELLO\r\n");
	assert_int_equal(testclient_skip(&t, 10000002), 10000002);
	testclient_expect(&t, "= a\r\n");
	testclient_close(&t);
	testrig_stop(&r);
}

/* Only two workers of a group wait; what the third has to say goes to a file, and still arrives. */
TEST(write_spilled)
{
	struct testrig r = { .o.write_timeout_us = TIME_MIN };
	struct testclient t[4], other;

	testrig_start(&r);
	for (int i = 0; i < 4; i++) {
		open_narrow(&r, &t[i]);
		testclient_put(&t[i], S("GROUP 7\r\n"));
		testclient_expect(&t[i], "HELLO\r\nOK\r\n");
	}
	for (int i = 0; i < 4; i++)
		testclient_put(&t[i], S("BIG 3000000\r\nECHO a\r\nBIG 200000\r\nECHO b\r\n"));
	/* In the end only the two that wait hold a worker. */
	TESTRIG_UNTIL(&r, testrig_waiting(&r) == 2 && testrig_running(&r) == 2);
	testclient_open(&other, r.plain, NULL);
	testclient_put(&other, S("ECHO other\r\n"));
	testclient_expect(&other, "HELLO\r\n= other\r\n");
	testclient_close(&other);
	for (int i = 3; i >= 0; i--) {
		assert_int_equal(testclient_skip(&t[i], 3000002), 3000002);
		testclient_expect(&t[i], "= a\r\n");
		assert_int_equal(testclient_skip(&t[i], 200002), 200002);
		testclient_expect(&t[i], "= b\r\n");
		testclient_close(&t[i]);
	}
	testrig_stop(&r);
}

/* Half of the pool at most waits, whoever for. */
TEST(write_waiting_is_limited)
{
	struct testrig r = { .o.write_timeout_us = TIME_MIN, .so.workers_max = 4 };
	struct testclient t[4];

	testrig_start(&r);
	for (int i = 0; i < 4; i++) {
		open_narrow(&r, &t[i]);
		testclient_put(&t[i], S("BIG 3000000\r\n"));
	}
	TESTRIG_UNTIL(&r, r.o.started == 4 && testrig_waiting(&r) == 2 && testrig_running(&r) == 2);
	for (int i = 3; i >= 0; i--) {
		testclient_expect(&t[i], "HELLO\r\n");
		assert_int_equal(testclient_skip(&t[i], 3000002), 3000002);
		testclient_close(&t[i]);
	}
	testrig_stop(&r);
}

TEST(slow_mode)
{
	struct testrig r = { .so.slow_us = 2 * TIME_MS };
	struct testclient t;
	char p[100];
	int64_t start;
	size_t n = 0, pieces = 0;

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("SLOW 1\r\n"));
	testclient_expect(&t, "HELLO\r\nOK\r\n");
	start = time_mono_us();
	testclient_put(&t, S("ECHO abcdefgh\r\n"));
	while (n < 12) {
		ssize_t got = recv(t.fd, p + n, sizeof(p) - n, 0);

		assert_true(got > 0);
		n += (size_t)got;
		pieces++;
	}
	assert_str(str_n(p, n), S("= abcdefgh\r\n"));
	/* One delay before the read, one between any two bytes. */
	assert_true(time_mono_us() - start >= 11 * 2 * TIME_MS);
	assert_true(pieces > 3);
	testclient_put(&t, S("SLOW 0\r\nECHO x\r\n"));
	testclient_expect(&t, "OK\r\n= x\r\n");
	testclient_close(&t);
	testrig_stop(&r);
}

/* What is left when the write deadline comes near is sent at once. */
TEST(slow_mode_ends_with_deadline)
{
	struct testrig r = { .o.write_timeout_us = 4 * TIME_SEC };
	struct testclient t;
	int64_t start = time_mono_us();

	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_put(&t, S("SLOW 1\r\n"));
	testclient_expect(&t, "HELLO\r\nOK\r\n");
	assert_true(time_mono_us() - start < TIME_SEC);
	testclient_close(&t);
	testrig_stop(&r);
}

/* A peer that says more than a line holds gets its answer, though it is still sending. */
TEST(last_words_reach_the_peer)
{
	struct testrig r = { .o.input_limit = 100 };
	struct testclient t;
	char junk[500000];

	memset(junk, 'a', sizeof(junk));
	testrig_start(&r);
	testclient_open(&t, r.plain, NULL);
	testclient_expect(&t, "HELLO\r\n");
	testclient_put(&t, str_n(junk, sizeof(junk)));
	testclient_expect(&t, "BAD\r\n");
	testclient_expect_end(&t);
	testclient_close(&t);
	testrig_stop(&r);
}

/* --- KeyUpdate (RFC 8446 4.6.3): messages without data, which must neither hold a thread nor run it --- */

#define KEY_UPDATE S("\x18\x00\x00\x01\x00")

TEST(keyupdate_half_while_idle)
{
	struct testrig r = {
		.so = { .workers_min = 1, .workers_max = 1 },
		.o = { .read_timeout_us = TIME_MIN, .write_timeout_us = 50 * TIME_MS },
	};
	struct testclient t, other;

	testrig_start(&r);
	testclient_open(&t, r.tls, NULL);
	testclient_tls(&t);
	testclient_raw(&t, 23, S("IDLE\r\n"));
	testclient_expect(&t, "HELLO\r\n+\r\n");
	/* The head of the message is there, its last byte never comes; until then OpenSSL will not write. */
	testclient_raw(&t, 22, str_upto(KEY_UPDATE, 4));
	testclient_open(&other, r.plain, NULL);
	testclient_put(&other, S("ECHO a\r\n"));
	testclient_expect(&other, "HELLO\r\n= a\r\n");
	TESTRIG_UNTIL(&r, (conn_wake(r.server, r.o.last_id), r.o.closed == 1));
	testclient_put(&other, S("ECHO b\r\n"));
	testclient_expect(&other, "= b\r\n");
	testclient_close(&t);
	testclient_close(&other);
	testrig_stop(&r);
}

/* The same when there is more to say than fits the buffer: the worker does not wait for input. */
TEST(keyupdate_half_and_large_output)
{
	struct testrig r = { .o.read_timeout_us = TIME_MIN, .o.write_timeout_us = TIME_MIN };
	struct testclient t;
	int fd, left;

	testrig_start(&r);
	fd = open_narrow_tls(&r, &t);
	testclient_raw(&t, 23, S("IDLE 100000\r\n"));
	testclient_expect(&t, "HELLO\r\n+\r\n");
	testclient_raw(&t, 22, str_upto(KEY_UPDATE, 4));
	TESTRIG_UNTIL(&r, ioctl(fd, FIONREAD, &left) == 0 && left == 0);   /* the server has it */
	TESTRIG_UNTIL(&r, (conn_wake(r.server, r.o.last_id), r.o.closed == 1));
	testclient_close(&t);
	testrig_stop(&r);
	assert_true(test_logged("peer holds up output") > 0);
}

TEST(keyupdate_whole_is_fine)
{
	struct testrig r = { 0 };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.tls, NULL);
	testclient_tls(&t);
	testclient_expect(&t, "HELLO\r\n");
	for (int i = 0; i < 20; i++) {
		assert_int_equal(SSL_key_update(t.ssl, i % 2 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		testclient_put(&t, S("ECHO a\r\n"));
		testclient_expect(&t, "= a\r\n");
	}
	testclient_close(&t);
	testrig_stop(&r);
}

TEST(keyupdate_flood)
{
	struct testrig r = { .o.read_timeout_us = TIME_MIN };
	struct testclient t;

	testrig_start(&r);
	testclient_open(&t, r.tls, NULL);
	testclient_tls(&t);
	testclient_expect(&t, "HELLO\r\n");
	for (int i = 0; i < 1000 && r.o.closed == 0; i++)
		if (SSL_key_update(t.ssl, SSL_KEY_UPDATE_REQUESTED) != 1 || SSL_do_handshake(t.ssl) != 1)
			break;
	TESTRIG_UNTIL(&r, r.o.closed == 1);
	testclient_close(&t);
	testrig_stop(&r);
}
