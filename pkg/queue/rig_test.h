/* SPDX-License-Identifier: MIT */
/*
 * rig_test.h - a queue with its store, a world of DNS, and SMTP servers that behave as told.
 *
 * Our host is mox.example; account mjl (mjl@mox.example, retired messages and webhooks kept, webhook), account other
 * (other@mox.example, nothing kept). Transports: fail4, fail5, submit (to relay.example, PLAIN), direct. Attempts are
 * made by queue_run in the test's thread; servers run in threads. Time is the test's clock.
 */
#ifndef QUEUE_RIG_TEST_H
#define QUEUE_RIG_TEST_H

#include <pthread.h>

#include "queue/queue_internal.h"
#include "testutil/testutil.h"

enum { RIG_HOSTS = 8, RIG_CONNS = 64 };

/*
 * A server. Recipients are answered by their localpart: a number at its start is the reply code ("550x@"), everything
 * else is taken.
 */
struct rig_host {
	const char *ip;
	const char *ehlo;               /* extensions, lines with LF: "PIPELINING\nSIZE 1000" */
	const char *mail;               /* reply to MAIL; NULL: 250 */
	const char *data;               /* reply to the message; NULL: 250 */
	int rcpt_max;                   /* 452 beyond so many; 0: none */
	bool refuse;                    /* no connection */
	bool drop;                      /* closes after the message, without a reply */
	bool tls_broken;                /* garbage in place of a handshake */
	struct tls_ctx *tls;            /* for STARTTLS */
	/* what happened; read under rig.lock or after rig_join */
	unsigned connections, messages, tls_messages, rcpts;
	struct str last_rcpts;          /* of the last message, joined by spaces */
	struct buf last;                /* content of the last message */
	struct buf dialogue;            /* all command lines */
};

struct rig {
	struct queue *q;
	struct config *cfg;
	struct store *store;
	struct dns_resolver *dns;
	struct smtpclient_tls *tls;
	struct rig_host host[RIG_HOSTS];
	size_t nhosts;
	pthread_t threads[RIG_CONNS];
	size_t nthreads;
	struct lock lock;
	struct cond ended;              /* signaled when a connection ends */
	unsigned nended;
	struct queue_sts sts;           /* what the policy callback gives */
	int sts_err;
	bool dane_ok;
	bool with_dane;
	struct arena mem;               /* of what servers keep */
};

void rig_fresh(void);                   /* forgets what earlier rigs of the test left */
void rig_start(struct rig *r, const char *zone);
void rig_stop(struct rig *r);
void rig_open(struct rig *r);           /* the queue, again after rig_close */
void rig_close(struct rig *r);          /* only the queue */
struct rig_host *rig_host(struct rig *r, const char *ip, const char *ehlo);
/* rig_wait_empty waits until the queue, which runs, is empty: looks again whenever a connection has ended. */
void rig_wait_empty(struct rig *r);
void rig_join(struct rig *r);           /* waits for the servers' threads */
/* for rig_host.tls; owned by the rig until rig_stop */
struct tls_ctx *rig_tls(struct rig *r, const char *name, bool trusted);

/* rig_add queues one message from mjl to the addresses (separated by spaces); returns the first id. */
int64_t rig_add(struct rig *r, const char *to);
int64_t rig_add_opts(struct rig *r, struct queue_add *add, const char *to);
/* rig_run is queue_run and rig_join. */
int rig_run(struct rig *r);
struct queue_msg *rig_list(struct rig *r, bool retired, size_t *r_n);
/* rig_inbox returns the messages of an account's mailbox. */
struct strlist rig_inbox(struct rig *r, const char *account, const char *mailbox);

#endif
