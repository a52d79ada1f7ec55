/* SPDX-License-Identifier: MIT */
/*
 * server_internal.h - the server and its listeners, shared between the files of conn.
 */
#ifndef CONN_SERVER_INTERNAL_H
#define CONN_SERVER_INTERNAL_H

#include "base/lock.h"
#include "conn/conn_internal.h"
#include "metrics/metrics.h"
#include "ratelimit/ratelimit.h"

#define CONN_LOOPS_MAX 4
#define CONN_ACCEPTS 64                 /* in a row, before others have their turn */
#define CONN_ACCEPT_PAUSE_US (100 * TIME_MS)    /* when the process has no descriptor left */
#define CONN_KILL_US TIME_SEC           /* from the end of the grace period until what is left is closed */

/* Counters of a listener's limits. Connections hold references: they count themselves out where they counted in. */
struct conn_gate {
	atomic_uint refs;
	struct ratelimit *rate, *open;
	bool exempt_loopback;
};
struct conn_gate *conn_gate_new(const struct conn_limits *l);   /* NULL when not enabled */
void conn_gate_unref(struct conn_gate **g);
void conn_gate_leave(struct conn_gate **g, const struct ip *ip);        /* takes back what was counted at accept; NULL is fine */

/* A listener. Connections hold references, so it outlives its socket. */
struct conn_listener {
	atomic_uint refs;
	struct conn_listener_opts o;    /* name is ours; tls and limits moved to the fields below */
	char *name;
	/* The acceptor's: */
	struct conn_server *server;
	struct conn_listener *next;
	struct tls_ctx *tls;
	struct conn_gate *gate;
	int fd;                         /* -1: adopted connections only */
	struct ipport local;            /* zeroed when bound to any address */
	struct event ev;
	struct loop_timer resume;
	bool paused;
};
extern struct metric conn_refused;
struct conn_listener *conn_listener_new(const struct conn_listener_opts *o);
struct conn_listener *conn_listener_ref(struct conn_listener *l);
void conn_listener_unref(struct conn_listener **l);
/* conn_listener_open and _close: on the acceptor's loop. */
void conn_listener_open(struct conn_server *s, struct conn_listener *l, int fd);
void conn_listener_close(struct conn_listener *l);

/* A loop and what belongs to it. */
struct conn_loop {
	struct conn_server *server;
	struct loop *loop;
	struct conn_work work;
	unsigned index;
};

struct conn_server {
	struct conn_server_opts o;
	const struct log *log;
	struct workpool *pool;
	struct conn_loop loops[CONN_LOOPS_MAX];
	unsigned nloops;
	struct conn_listener *listeners;        /* the acceptor's (loop 0), as next_loop */
	unsigned next_loop;
	bool started;
	atomic_bool draining;                   /* no new connections; those that exist say goodbye */
	atomic_bool stop;                       /* blocked waits end */
	atomic_bool killed;                     /* connections end without a word */
	int stop_fd;                            /* readable with stop, never read */
	atomic_uint count;                      /* connections */
	struct lock lock;
	struct cond ended;                      /* count became 0 while draining */
	/* Workers that wait for output, under lock: groups of those in one. */
	unsigned nwaiting, max_waiting;
	uint64_t *waiting;
};

/* --- server.c --- */
/* conn_server_enter counts a connection, unless the server stops: the stop waits for those that are counted. */
bool conn_server_enter(struct conn_server *s);
void conn_server_leave(struct conn_server *s);

/* --- park.c --- */
/* conn_arrive takes a new connection into its loop; on that loop. Returns its id: by then it may be gone. */
struct conn_id conn_arrive(struct conn *c);
void conn_woken(void *object);                  /* loop_opts.woken */
void conn_drain(void *object, void *arg);       /* for loop_each: told to say goodbye, or killed */

/* --- worker.c --- */
void conn_run(struct workpool_job *j, void *thread);            /* handles units, beginning with c->unit */
void conn_run_closed(struct workpool_job *j, void *thread);     /* the protocol's last call */
void *conn_thread_new(void *server);
void conn_thread_free(void *thread);
void conn_thread_rest(void *thread);
/* conn_wait_enter tells whether a worker may wait for the output of c: at most half of them, two per group. Then call
 * conn_wait_leave. */
bool conn_wait_enter(struct conn *c);
void conn_wait_leave(struct conn *c);

#endif
