/* SPDX-License-Identifier: MIT */
/* The server with its threads: the whole way of units, STARTTLS, wake-ups, limits, overload, reload. Deadlines: deadline_test.c. */
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/timeutil.h"
#include "conn/conn_internal.h"
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
