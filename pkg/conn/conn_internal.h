/* SPDX-License-Identifier: MIT */
/*
 * conn_internal.h - shared between the files of conn.
 *
 * The engine (unit.c, input.c, output.c, spill.c, stream.c) is what the owner of a connection does with it; it knows nothing
 * of threads. Two drivers call it: park.c with worker.c (threads), and inline.c. Behind them stand server.c, accept.c and
 * listener.c.
 */
#ifndef CONN_CONN_INTERNAL_H
#define CONN_CONN_INTERNAL_H

#include <poll.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/timeutil.h"
#include "conn/conn.h"
#include "conn/stream.h"
#include "loop/loop.h"
#include "workpool/workpool.h"

#define CONN_SCRATCH (16 * 1024)                /* one read; the size of a TLS record */
#define CONN_IN_LIMIT (16 * 1024)               /* conn_set_input_limit's default */
#define CONN_READ_TIMEOUT_US (30 * TIME_SEC)    /* defaults, until the protocol sets its own */
#define CONN_WRITE_TIMEOUT_US (30 * TIME_SEC)
#define CONN_UNIT_TIMEOUT_US (30 * TIME_MIN)    /* deadline of conn_ctx: nothing runs forever */
#define CONN_RATE_WINDOW_US (30 * TIME_SEC)     /* a peer that sends or takes bulk moves at least */
#define CONN_RATE_MIN (30 * 1024)               /* this many bytes in it: 1 KiB/s */
#define CONN_IN_RATE_MIN 1024                   /* the same for spooled input: slow uplinks are honest */
#define CONN_HANDSHAKE_TIMEOUT_US TIME_MIN
#define CONN_LINGER_US (2 * TIME_SEC)           /* for how long, and */
/* how much input is thrown away after the last words to a peer that still sends */
#define CONN_LINGER_MAX (1024 * 1024)
#define CONN_SLOW_US TIME_SEC
#define CONN_SLOW_LEFT_US (5 * TIME_SEC)        /* slow output is sent at once when this is left to the write deadline */
#define CONN_READS 8                            /* reads in a row on the loop before others have their turn */
#define CONN_RETRY_US (250 * TIME_MS)           /* when there was no room for input, how long until the next look */
#define CONN_BATCH 32                           /* units one worker handles in a row, */
#define CONN_BATCH_US (50 * TIME_MS)            /* and for how long */
#define CONN_TLS_EMPTY_MAX 100                  /* records without data in a row before a TLS peer is cut off (KeyUpdate flood) */

/* What a thread lends to the connection that it owns. */
struct conn_work {
	struct arena arena;             /* conn_arena */
	char *scratch;                  /* CONN_SCRATCH bytes, for reads */
	struct ctx ctx;                 /* conn_ctx */
};
void conn_work_init(struct conn_work *w);
void conn_work_done(struct conn_work *w);

enum conn_state {
	CONN_S_HANDSHAKE,               /* TLS */
	CONN_S_OPEN,
	CONN_S_CLOSING,                 /* what is buffered is sent, then the connection closes; no more units */
	CONN_S_LINGER,                  /* all is said; input is thrown away until the peer has read it */
};

/* Units that are due before further input is looked at, highest first; bits of conn.due. */
enum conn_due {
	CONN_DUE_START = 1 << 0,
	CONN_DUE_TLS = 1 << 1,
	CONN_DUE_SHUTDOWN = 1 << 2,
	CONN_DUE_TIMER = 1 << 3,
	CONN_DUE_WAKE = 1 << 4,
	CONN_DUE_SPOOLED = 1 << 5,
	CONN_DUE_TIMEOUT = 1 << 6,
};

/* Who has the baton; decides what conn_write does when its buffer is full. */
enum conn_place { CONN_ON_LOOP, CONN_ON_WORKER, CONN_INLINE };

/*
 * The baton: an atomic word, LOOP while the connection is parked. Otherwise a worker or the queue has it, and the loop leaves
 * notes about what happens meanwhile. A worker parks by exchanging AWAY for LOOP; that fails if there is a note, and then it
 * sends the connection to the loop by a message. So nothing that happens is lost, and the usual way back costs no message.
 */
enum conn_baton {
	CONN_BATON_LOOP = 0,
	CONN_BATON_AWAY = 1,
	CONN_BATON_READABLE = 2,        /* note: the socket is; its event was removed */
	CONN_BATON_CALLED = 4,          /* note: the loop has something for it (wake-up, timer, stop) */
};

struct conn_socket {
	struct conn_stream s;
	int fd;
	bool drained;                   /* the last read found nothing more */
	bool eof;
	bool owes_ack;                  /* read since the last write */
};

struct conn_listener;
struct conn_gate;
struct conn_loop;

struct conn {
	const struct conn_proto *proto;
	struct conn_listener *listener;
	struct conn_server *server;     /* NULL: inline */
	struct conn_work *work;         /* the owner's */
	struct log log;
	struct ipport remote, local;

	struct conn_socket sock;
	struct conn_stream *top;        /* where data goes in and out */
	struct conn_stream *push;       /* becomes top when the output is sent; NULL = none */
	struct tls_ctx *tls_ctx;
	SSL *ssl;
	struct tls_info *tls;           /* in the session arena */

	struct buf in;                  /* bytes before in_off are used up; no memory while there is no input */
	size_t in_off, in_limit;
	struct buf out;                 /* bytes before out_off are sent, before out_traced traced; no memory while empty */
	size_t out_off, out_traced;
	struct conn_spill *spill;       /* output that goes behind out; NULL = none */
	struct arena session;

	struct conn_unit unit;          /* being handled or about to be */
	size_t unit_used;               /* input to drop after it */
	struct conn_sink *sink;         /* takes the input; NULL = the framer does */
	int sink_status;

	int64_t read_timeout, write_timeout;    /* microseconds, 0 = none */
	int64_t read_at, write_at, spool_at, timer_at;  /* monotonic times at which each runs out; 0 = not running */
	int64_t slow_at;                /* slow mode: no sooner than this is the next byte sent or anything read; 0 = to be set */
	int64_t rate_at;                /* end of the window in which a minimum of bytes must move; 0 = not running */
	uint64_t rate_moved;            /* bytes since the window began */

	uint64_t group;
	char *user;
	short want_in, want_out;        /* POLLIN or POLLOUT: what reading and sending wait for */
	uint8_t state, due, place, class, trace_in, trace_out;
	bool failed;                    /* input or output failed: everything is dropped */
	bool eof;                       /* no more input will come */
	bool started;                   /* the protocol knows of it: closed must be called */
	bool waiting;                   /* CONN_NEXT_WAIT */
	bool starttls;                  /* handshake when the output is sent */
	bool slow;
	bool stopping;                  /* inline: the server would be draining */
	bool want_wake;
	bool woken;                     /* a wake that was not delivered yet */
	bool end_said;                  /* close_notify was sent */
	bool held;                      /* a stream holds output that it could not send yet */
	bool drained;                   /* was told that the server stops */
	/* the peer may still be sending: take that before closing, else it loses our last words */
	bool linger;

	/* Threads: the baton's ways. */
	struct conn_loop *loop;
	struct loop_msg msg;            /* to the loop */
	struct workpool_job job;        /* to a worker */
	_Atomic unsigned baton;         /* enum conn_baton */
	bool parkable;                  /* set when it is sent away, taken back by the worker: the event waits for input */
	/* The loop thread's, whoever has the baton: */
	struct loop_slot slot;
	struct event ev;                /* on the socket */
	struct loop_timer timer;
	struct conn_gate *gate;         /* counts it; NULL = not counted */
	short armed;                    /* POLLIN or POLLOUT that ev waits for; 0 = none */
	short wanted;                   /* what it should wait for */
	bool woken_away;                /* wake that came meanwhile */

	alignas(max_align_t) char data[];
};

/* --- conn.c --- */
struct conn *conn_new(struct conn_server *s, struct conn_listener *l, int fd, const struct ipport *remote,
    const struct ipport *local);
void conn_free(struct conn *c);                         /* closed was called if need be */
/* conn_say_end sends the goodbyes of the streams. conn_hang_up does that, frees the streams and closes the socket. Both once. */
void conn_say_end(struct conn *c);
void conn_hang_up(struct conn *c);
void conn_fail(struct conn *c, const char *why, int code);

/* --- stream.c --- */
extern const struct conn_stream_ops conn_socket_ops;
/*
 * conn_ack acknowledges input at once when no answer of ours did; call it before waiting for more. Many peers send an end (of a
 * literal, of a message) by a write of its own, which their TCP holds back (Nagle) until what it sent before is acknowledged,
 * and ours would delay that by 40 ms, hoping for an answer to go with it.
 */
void conn_ack(struct conn *c);
void conn_start_tls(struct conn *c);                    /* pushes the TLS stream; state HANDSHAKE */
/* conn_handshake: 1 done (state OPEN), 0 wait for c->want_in, negative failed (the protocol was told). */
int conn_handshake(struct conn *c);
void conn_handshake_failed(struct conn *c, const char *why);

/* --- input.c --- */
/* conn_fill reads once. 1 something came, 0 wait for c->want_in (or nothing can be taken now), negative: end or failure. */
int conn_fill(struct conn *c);
/* conn_cut makes c->unit from buffered input: a unit, or that the input is bad. */
bool conn_cut(struct conn *c);
void conn_in_drop(struct conn *c, size_t n);
void conn_in_discard(struct conn *c);
/* conn_in_trim gives back the memory of an empty buffer. */
void conn_in_trim(struct conn *c);
void conn_start_read_timeout(struct conn *c, int64_t now);      /* unless it runs */
bool conn_in_wanted(const struct conn *c);              /* reading makes sense now */
size_t conn_in_total(void);                             /* bytes of all input buffers */
void conn_in_charge(ssize_t n);                         /* counts bytes there (tests: bytes that nobody has) */

/* --- output.c --- */
/* conn_send sends what the peer takes: 0 all, 1 wait for c->want_out, negative failed. conn_send_some stops after max bytes:
 * then also 1. */
int conn_send(struct conn *c);
int conn_send_some(struct conn *c, size_t max);
static inline bool conn_out_pending(const struct conn *c) { return c->out.n > c->out_off || c->held; }
int64_t conn_rate_window(const struct conn *c);

/* --- spill.c --- */
/* conn_spill_open directs what is written from now on to a file, behind what is buffered. */
void conn_spill_open(struct conn *c);
void conn_spill_write(struct conn *c, struct str s);
/* conn_spill_refill moves a piece into the empty output buffer; the file goes when it is used up. */
void conn_spill_refill(struct conn *c);
void conn_spill_close(struct conn *c);

/* --- unit.c --- */
/* conn_pick finds what is due now, as c->unit. */
bool conn_pick(struct conn *c, int64_t now);
/* conn_handle calls the protocol with c->unit and takes its decision. */
void conn_handle(struct conn *c);
/* conn_settle does what waited for the output to be sent: STARTTLS, a pushed stream. Call with nothing pending. */
void conn_settle(struct conn *c);
bool conn_over(const struct conn *c);                   /* nothing left to do but to close */
void conn_closed(struct conn *c);                       /* the protocol's last call, once */

#endif
