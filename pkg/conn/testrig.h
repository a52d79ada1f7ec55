/* SPDX-License-Identifier: MIT */
/*
 * testrig - a server of testproto for tests: a plain listener with STARTTLS and one with implicit TLS.
 */
#ifndef CONN_TESTRIG_H
#define CONN_TESTRIG_H

#include "conn/conn.h"
#include "conn/testproto.h"

struct testrig {
	/* Set before testrig_start as wanted. */
	struct conn_server_opts so;
	struct conn_listener_opts lo;           /* for both listeners */
	struct testproto_opts o;
	/* Made by it. */
	struct conn_server *server;
	struct tls_ctx *ctx;
	uint16_t plain, tls;                    /* ports on 127.0.0.1 */
};

void testrig_start(struct testrig *r);
/* testrig_stop drains, frees, and checks that every started connection was closed and nothing is left. */
void testrig_stop(struct testrig *r);
void testrig_release(struct testrig *r);        /* lets BLOCK commands go on */
unsigned testrig_waiting(struct testrig *r);    /* workers that wait for output */
unsigned testrig_running(struct testrig *r);    /* workers that do anything */
/* testrig_listen opens another listener; returns its port. */
uint16_t testrig_listen(struct testrig *r, const struct conn_listener_opts *lo);
/* testrig_listen_soft is testrig_listen for other threads than the test's: 0 when it fails. */
uint16_t testrig_listen_soft(struct testrig *r, const struct conn_listener_opts *lo);
/* TESTRIG_UNTIL waits until a condition holds that other threads bring about: it looks when the protocol reports a change, and
 * now and then, for what nobody reports. Fails after 20 s. */
#define TESTRIG_UNTIL(r, cond) do { \
		int64_t until_ = time_mono_us() + 20 * TIME_SEC; \
		while (!(cond) && testrig_change(r, until_)) \
			; \
		assert_true(cond); \
	} while (0)
bool testrig_change(struct testrig *r, int64_t until_us);       /* false when the time is over */

#endif
