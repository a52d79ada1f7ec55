/* SPDX-License-Identifier: MIT */
/*
 * conn - connections and the baton.
 *
 * A connection has exactly one owner at any time, so it needs no lock:
 *
 *             readable / timer / wake              pool slot
 *   PARKED --------------------------> QUEUED ----------------> RUNNING
 *     ^  loop owns                      queue owns               worker owns
 *     +--- one atomic exchange, or a message if there is a note <----+
 *
 * While it is parked an event loop owns it: it reads, decrypts, frames, runs timers, drains output that the peer was slow to
 * take. When one complete unit of input is there (conn_proto.frame says so), or another event for the protocol happens, the
 * connection is handed whole to a worker thread, which calls conn_proto.unit: straight-line code that may block on the
 * database, files and DNS.
 *
 * THE ONE RULE: a worker never waits for client input. It may wait for client output, bounded by the write deadline and a
 * minimum rate of 1 KiB/s over 30 s; at most half of the workers do at a time, and two per group. When no more may, the rest of
 * the unit's output goes to a temporary file (LIMIT_CONN_SPILL) that the loop sends.
 *
 * A worker handles all complete units that are already buffered (pipelining), up to 32 or 50 ms, writes what they replied at
 * once, and gives the connection back. What happens meanwhile is noted on the baton, so a wake-up is never lost. Handlers never
 * see the socket; the only handle that may be kept elsewhere is the conn_id. Streams stack (plain, TLS, later DEFLATE: stream.h)
 * and are swapped only by the owner.
 *
 * Bounds: input of a connection by conn_set_input_limit, of all by LIMIT_CONN_IN_TOTAL (half of it before login); output by
 * LIMIT_CONN_OUT. An idle connection holds no buffer: about 1.2 KiB without and 15 KiB with TLS, most of that OpenSSL's.
 *
 * The same code runs inline, without threads, over one end of a socketpair: conn_inline_*. Tests and fuzzers use it.
 */
#ifndef CONN_CONN_H
#define CONN_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/ip.h"
#include "base/str.h"
#include "log/log.h"
#include "tls/tls.h"

struct conn;
struct conn_server;

/* Names a connection across threads; harmless when it is gone. Zeroed = none. */
struct conn_id {
	uint32_t slot, gen;
};

enum conn_unit_kind {
	CONN_START,             /* accepted, implicit TLS done: write the greeting */
	CONN_INPUT,             /* the framer delivered a unit */
	CONN_SPOOLED,           /* the sink given to conn_spool is done (u->status: 0, or the sink's error) */
	CONN_TLS_STARTED,       /* handshake after CONN_NEXT_STARTTLS succeeded; buffered plaintext was discarded */
	CONN_TIMER,             /* the time set by conn_set_timer passed */
	CONN_WAKE,              /* conn_wake was called while conn_want_wake is on */
	CONN_BAD_INPUT,         /* the framer returned an error (u->status); reply, then the connection closes */
	CONN_TIMEOUT,           /* the read timeout passed without a complete unit; say goodbye, then it closes */
	CONN_SHUTDOWN,          /* the server stops: say goodbye, then it closes */
};

struct conn_unit {
	enum conn_unit_kind kind;
	struct str data;        /* CONN_INPUT: the unit as the framer cut it; valid until the handler returns */
	uint64_t literal;       /* CONN_INPUT: set by framers that stop before announced octets (IMAP literals) */
	unsigned flags;         /* CONN_INPUT: set by the framer, meaning is the protocol's */
	int status;
};

/* What happens after a handler returns. Output that was written is sent in any case. */
enum conn_next {
	CONN_NEXT_PARK,         /* go on with the next unit, or wait for one */
	CONN_NEXT_CLOSE,        /* send what is buffered, then close */
	CONN_NEXT_STARTTLS,     /* send what is buffered, discard buffered input, do the handshake, then CONN_TLS_STARTED */
	CONN_NEXT_WAIT,         /* no further input until the timer or a wake (conn_set_timer, conn_want_wake): tarpits, delays */
};

/* Results of a framer. */
enum conn_frame {
	CONN_FRAME_MORE,        /* no complete unit yet; with u->data set: bytes to send first (IMAP's "+ " continuation) */
	CONN_FRAME_UNIT,        /* *r_used bytes of input are a unit, described in *u */
};

/* A protocol. One static object per protocol; arg of the listener and per-connection data make the difference. */
struct conn_proto {
	const char *name;                       /* "smtpserver": package of its logs */
	const char *trace_in, *trace_out;       /* prefix of traced lines: "RC: " and "LS: " for SMTP; NULL: "C: " and "S: " */
	size_t data_size;                       /* bytes of conn_data, zeroed at accept */

	/*
	 * frame looks at all buffered input (never empty) and cuts off one unit. Pure but for its own state in conn_data
	 * (reset that when a unit was delivered) and conn_trace_in; runs on the loop or the worker, whoever owns the
	 * connection. Negative: framing error, see CONN_BAD_INPUT. After CONN_FRAME_MORE with u->data set it is called again
	 * at once, as input may be there already.
	 */
	int (*frame)(struct conn *c, struct str in, struct conn_unit *u, size_t *r_used);

	/* unit handles one unit on a worker thread (inline: on the caller's). The arena conn_arena(c) is reset afterwards. */
	enum conn_next (*unit)(struct conn *c, const struct conn_unit *u);

	/*
	 * closed releases what conn_data holds; the last call for a connection that had its CONN_START, made on a worker (it may
	 * take account locks). The socket may be closed already: conn_ssl is NULL. May be NULL.
	 */
	void (*closed)(struct conn *c);

	/* tls_failed tells that a handshake, implicit or by STARTTLS, did not succeed (on the loop: count it). May be NULL. */
	void (*tls_failed)(struct conn *c, const char *why);

	/*
	 * Complete protocol lines with CRLF that the loop sends without a worker, before it closes: when the queue is full
	 * (also in the middle of a session), and when a limit at accept is hit (with implicit TLS the socket is closed silently).
	 */
	const char *overload_reply, *refused_reply;
};

/* --- for handlers: the owner only --- */

void *conn_data(struct conn *c);
void *conn_listener_arg(struct conn *c);                /* arg of the listener it came in by */
struct arena *conn_arena(struct conn *c);               /* of the unit at hand; reset after it */
struct arena *conn_session_arena(struct conn *c);       /* of the connection's life; keep it small */
struct conn_id conn_id(struct conn *c);
uint64_t conn_cid(struct conn *c);                      /* connection id for logs and Received */
struct log *conn_log(struct conn *c);                   /* package and cid set */
const struct ctx *conn_ctx(struct conn *c);             /* stop flag and deadline of the running unit: pass it to DNS, scans */
const struct ipport *conn_remote(struct conn *c);
const struct ipport *conn_local(struct conn *c);
bool conn_is_tls(struct conn *c);
const struct tls_info *conn_tls(struct conn *c);        /* NULL without TLS */
SSL *conn_ssl(struct conn *c);                          /* for channel bindings; NULL without TLS */
struct tls_ctx *conn_tls_ctx(struct conn *c);           /* the listener's; NULL when TLS cannot be started */
bool conn_stopping(struct conn *c);                     /* the server is draining */

/*
 * Output. Never fails visibly: after an error or deadline everything is discarded and conn_ok is false; loops that produce much
 * check it per item. Up to LIMIT_CONN_OUT is buffered; beyond, the call sends and may wait.
 */
void conn_write(struct conn *c, struct str s);
void conn_writef(struct conn *c, const char *fmt, ...) printf_(2, 3);
bool conn_ok(const struct conn *c);
void conn_flush(struct conn *c);                        /* sends what the peer takes at once (progress of long commands) */
/*
 * conn_trace_out sets the level at which following output is traced (LOG_TRACE, LOG_TRACEAUTH, LOG_TRACEDATA); conn_trace_in the
 * same for input that is framed from now on; called by the framer it holds for the unit that it is cutting. Spooled input is
 * always LOG_TRACEDATA.
 */
void conn_trace_out(struct conn *c, enum log_level level);
void conn_trace_in(struct conn *c, enum log_level level);

/*
 * A spool sink takes a large input (DATA, BDAT chunk, literal) as it arrives, on the loop thread or a worker. write is called
 * with all buffered input and returns how many bytes it took; *r_done = true when the input is complete: then CONN_SPOOLED is
 * delivered and framing goes on behind the taken bytes. Negative: an error; it is delivered as CONN_SPOOLED with that status
 * (the sink itself must go on taking bytes to the end where the protocol wants to stay in step, and keep its error to itself
 * until then).
 */
struct conn_sink {
	ssize_t (*write)(struct conn_sink *s, struct str in, bool *r_done);
};
/*
 * conn_spool directs input from now on to the sink until it is done. The sink lives in conn_data or the session arena.
 * deadline_us: for the whole input, from now; 0 = none. The read timeout holds between pieces, and at least 1 KiB per 30 s must
 * arrive; else CONN_TIMEOUT, and the sink is not called any more.
 */
void conn_spool(struct conn *c, struct conn_sink *s, int64_t deadline_us);
bool conn_has_input(struct conn *c);                    /* more input is buffered (pipelined) */

/* For the next complete unit, from parking; wake-ups and timers do not renew it. 0 = none. Default 30 s. */
void conn_set_read_timeout(struct conn *c, int64_t us);
/* For sending what one unit wrote, from when the peer did not take something at once; then the connection fails. Default 30 s. */
void conn_set_write_timeout(struct conn *c, int64_t us);
/* Bounds buffered input; more is not read until a unit was framed. When this much is there and no unit, CONN_BAD_INPUT with
 * ERR_LIMIT is delivered, unless the framer returned an error of its own. Default 16 KiB. */
void conn_set_input_limit(struct conn *c, size_t n);
void conn_set_timer(struct conn *c, int64_t us);        /* one-shot, from now; 0 cancels */
void conn_want_wake(struct conn *c, bool on);           /* IDLE, NOTIFY. A wake that came while off is delivered when turned on */
/* Tarpit, by the loop: 1 s before each read, output byte by byte with 1 s between (with 5 s to the write deadline, at once). */
void conn_set_slow(struct conn *c, bool on);
enum conn_class { CONN_CONTROL, CONN_AUTHENTICATED, CONN_UNAUTHENTICATED, CONN_BACKGROUND };
void conn_set_class(struct conn *c, enum conn_class class);
/* Units of one group (account) share a cap of running workers, from the next unit on; 0 = none. */
void conn_set_group(struct conn *c, uint64_t group);
void conn_set_user(struct conn *c, struct str user);    /* login name for logs (copied) */

/* --- from any thread --- */

/* conn_wake delivers CONN_WAKE. Never lost: a wake of a running connection is remembered. Coalesced. */
void conn_wake(struct conn_server *s, struct conn_id id);

/* --- server --- */

struct conn_server_opts {
	unsigned loops;                 /* 0: one per core, at most 4 */
	unsigned workers_min, workers_max;      /* 0: 8 and 512 */
	unsigned queue_max;             /* units waiting for a worker; 0: 4096 */
	unsigned group_max;             /* running units per group; 0: 8 */
	const char *tmp_dir;            /* for output that a peer does not take while too many workers wait already; NULL: /tmp */
	int64_t slow_us;                /* the delay of slow mode; 0: 1 s */
	int64_t rate_window_us;         /* over which the minimum rates hold; 0: 30 s (tests: shorter, with the same bytes) */
	const struct log *log;          /* parent of the connections' logs; may be NULL */
};

struct conn_limits {
	bool enabled;                   /* per IP class of /32 /26 /21 (IPv6 /64 /48 /32): */
	unsigned rate[3];               /* new connections per minute; zeros: 300, 900, 2700 */
	unsigned open[3];               /* open connections; zeros: 30, 90, 270 */
	bool exempt_loopback;
};

struct conn_listener_opts {
	const char *name;               /* of the configured listener, for logs and metrics */
	const struct conn_proto *proto;
	void *arg;                      /* conn_listener_arg; must outlive the server */
	struct tls_ctx *tls;            /* a reference is taken; NULL = no TLS */
	bool implicit_tls;
	struct conn_limits limits;
	/* refuse, when not NULL, is asked at accept (on the loop: quick), after the rate and before the count of open
	 * connections: true refuses the address. For the failed-authentication limiter. */
	bool (*refuse)(void *arg, const struct ip *remote);
	int64_t handshake_timeout_us;   /* 0: 60 s */
};

struct conn_server *conn_server_new(const struct conn_server_opts *o);
/* conn_server_listen adopts the listening socket. Before or after conn_server_start. */
int conn_server_listen(struct conn_server *s, int fd, const struct conn_listener_opts *o, struct errmsg *e) must_use_;
/* For all listeners of a name; open connections keep what they have. The calls return when it is done. */
void conn_server_unlisten(struct conn_server *s, const char *name);
void conn_server_set_tls(struct conn_server *s, const char *name, struct tls_ctx *tls);
void conn_server_set_limits(struct conn_server *s, const char *name, const struct conn_limits *limits);
/* conn_listen_socket makes a listening TCP socket (SO_REUSEADDR, IPV6_V6ONLY, non-blocking, cloexec). */
int conn_listen_socket(const struct ipport *addr, int *r_fd, struct errmsg *e) must_use_;
/* conn_server_adopt serves a connected socket (ctl, tests); the descriptor is taken over. */
int conn_server_adopt(struct conn_server *s, int fd, const struct conn_listener_opts *o, struct conn_id *r_id) must_use_;
void conn_server_start(struct conn_server *s);          /* starts loop and worker threads */
/*
 * conn_server_stop: no new connections; CONN_SHUTDOWN to parked ones; running units finish; after grace_us (3 s) all blocked
 * waits are freed by the stop descriptor, a second later what is left is logged and closed. Returns when all threads ended.
 */
void conn_server_stop(struct conn_server *s, int64_t grace_us);
void conn_server_free(struct conn_server **s);
/* conn_server_run_background queues fn for a worker in the background class. fn must obey ctx (canceled when draining begins).
 * False when stopping or when the queue is full. */
bool conn_server_run_background(struct conn_server *s, void (*fn)(void *arg, const struct ctx *ctx), void *arg);
size_t conn_server_count(struct conn_server *s);        /* open connections */

/* --- inline, for tests and fuzzers --- */

/* conn_inline_new makes a connection over fd (non-blocking is set; taken over) that runs on the caller's thread. */
struct conn *conn_inline_new(int fd, const struct conn_listener_opts *o, const struct ipport *remote, const struct ipport *local);
/* conn_inline_run does what can be done now: reads, frames, handles, writes; timers fire at once when wait_timers. False when
 * the connection closed. */
bool conn_inline_run(struct conn *c, bool wait_timers);
void conn_inline_wake(struct conn *c);
/* conn_inline_due makes an event happen at the next run: CONN_TIMEOUT, CONN_SHUTDOWN (conn_stopping is true from then on) or
 * CONN_TIMER. */
void conn_inline_due(struct conn *c, enum conn_unit_kind kind);
void conn_inline_free(struct conn **c);                 /* closes */

#endif
