/* SPDX-License-Identifier: MIT */
#include "conn/testproto.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "conn/stream.h"
#include "testutil/testutil.h"

struct session {
	struct conn_sink sink;
	struct conn *c;
	uint64_t want, got, sum;
	uint64_t lit;                   /* framer: announced octets, "+" was sent */
	bool idle;
	uint64_t wake_bytes;            /* before "WOKEN" */
};

static struct testproto_opts no_opts;

static struct testproto_opts *
opts_of(struct conn *c)
{
	struct testproto_opts *o = conn_listener_arg(c);

	return o ? o : &no_opts;
}

/* count changes a number that tests wait for. */
static void
count(struct testproto_opts *o, atomic_int *n, int by)
{
	uint64_t one = 1;

	atomic_fetch_add(n, by);
	if (o->changed_fd > 0)
		ignore_result(write(o->changed_fd, &one, sizeof(one)) < 0);
}

static uint64_t
sum_of(struct str s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s.n; i++)
		sum += (uint8_t)s.p[i];
	return sum;
}

/* "{123}" at the end of a line announces octets. */
static bool
announced(struct str line, uint64_t *r_n)
{
	ssize_t at = str_rfind(line, '{');

	return str_starts(line, S("LIT ")) && at > 0 && str_ends(line, S("}")) &&
	    str_u64(str_n(line.p + at + 1, line.n - (size_t)at - 2), r_n) == 0;
}

static int
frame(struct conn *c, struct str in, struct conn_unit *u, size_t *r_used)
{
	struct session *s = conn_data(c);
	ssize_t lf = str_find(in, '\n');
	uint64_t n;

	if (lf < 0)
		return CONN_FRAME_MORE;
	u->data = str_trim(str_upto(in, (size_t)lf));
	*r_used = (size_t)lf + 1;
	if (!announced(u->data, &n))
		return CONN_FRAME_UNIT;
	if (s->lit == 0) {
		s->lit = n + 1;
		u->data = S("+\r\n");
		return CONN_FRAME_MORE;
	}
	if (in.n - *r_used < n) {
		u->data = S("");
		return CONN_FRAME_MORE;
	}
	u->literal = n;
	u->data = str_upto(in, *r_used + n);
	*r_used += n;
	s->lit = 0;
	return CONN_FRAME_UNIT;
}

static ssize_t
sink_write(struct conn_sink *k, struct str in, bool *r_done)
{
	struct session *s = container_of(k, struct session, sink);
	size_t n = s->want - s->got < in.n ? (size_t)(s->want - s->got) : in.n;

	s->sum += sum_of(str_upto(in, n));
	s->got += n;
	*r_done = s->got == s->want;
	return (ssize_t)n;
}

/* --- a stream that is no identity --- */

struct xor_stream {
	struct conn_stream s;
	unsigned char key;
	char held[4096];                /* transformed, not taken by the stream below yet */
	size_t held_n, held_off;
};

static ssize_t
xor_read(struct conn_stream *s, void *p, size_t n)
{
	struct xor_stream *x = container_of(s, struct xor_stream, s);
	ssize_t r = s->below->ops->read(s->below, p, n);

	for (ssize_t i = 0; i < r; i++)
		((char *)p)[i] = (char)(((char *)p)[i] ^ x->key);
	return r;
}

static int
xor_flush(struct conn_stream *s)
{
	struct xor_stream *x = container_of(s, struct xor_stream, s);

	while (x->held_off < x->held_n) {
		ssize_t r = s->below->ops->write(s->below, x->held + x->held_off, x->held_n - x->held_off);

		if (r < 0)
			return (int)r;
		x->held_off += (size_t)r;
	}
	x->held_off = x->held_n = 0;
	return 0;
}

static ssize_t
xor_write(struct conn_stream *s, const void *p, size_t n)
{
	struct xor_stream *x = container_of(s, struct xor_stream, s);
	int r = xor_flush(s);

	if (r < 0)
		return r;
	n = MIN(n, sizeof(x->held));
	for (size_t i = 0; i < n; i++)
		x->held[i] = (char)(((const char *)p)[i] ^ x->key);
	x->held_n = n;
	return (ssize_t)n;
}

static bool
xor_pending(struct conn_stream *s)
{
	return s->below->ops->pending(s->below);
}

static void
xor_free(struct conn_stream *s)
{
	free(container_of(s, struct xor_stream, s));
}

static const struct conn_stream_ops xor_ops = {
	.name = "xor", .read = xor_read, .write = xor_write, .flush = xor_flush, .pending = xor_pending, .free = xor_free,
};

/* --- commands --- */

static enum conn_next
cmd_data(struct conn *c, uint64_t n)
{
	struct session *s = conn_data(c);

	s->sink.write = sink_write;
	s->want = n;
	s->got = s->sum = 0;
	conn_write(c, S("GO\r\n"));
	conn_spool(c, &s->sink, opts_of(c)->spool_us);
	return CONN_NEXT_PARK;
}

static enum conn_next
cmd_xor(struct conn *c, uint64_t n)
{
	struct xor_stream *x = mem_alloc(sizeof(*x));

	x->s.ops = &xor_ops;
	x->key = (unsigned char)n;
	conn_write(c, S("GO\r\n"));
	conn_push_stream(c, &x->s);
	return CONN_NEXT_PARK;
}

static void
write_bulk(struct conn *c, uint64_t n)
{
	char piece[1000];

	memset(piece, 'x', sizeof(piece));
	for (; n > 0 && conn_ok(c); n -= MIN(n, (uint64_t)sizeof(piece)))
		conn_write(c, str_n(piece, MIN(n, (uint64_t)sizeof(piece))));
}

static enum conn_next
cmd_big(struct conn *c, uint64_t n)
{
	write_bulk(c, n);
	conn_write(c, S("\r\n"));
	return CONN_NEXT_PARK;
}

static enum conn_next
cmd_block(struct conn *c)
{
	struct testproto_opts *o = opts_of(c);
	int r;

	count(o, &o->blocked, 1);
	if (o->deaf_us) {
		struct ctx deaf = { .deadline_us = time_mono_us() + o->deaf_us };

		r = ctx_poll(&deaf, o->gate_fd, POLLIN);
	} else {
		r = ctx_poll(conn_ctx(c), o->gate_fd, POLLIN);
	}
	count(o, &o->blocked, -1);
	conn_write(c, r == 1 ? S("DONE\r\n") : S("STOPPED\r\n"));
	return CONN_NEXT_PARK;
}

static enum conn_next
cmd_addr(struct conn *c)
{
	struct str r = ip_str(conn_arena(c), &conn_remote(c)->ip), l = ip_str(conn_arena(c), &conn_local(c)->ip);

	conn_writef(c, STRF " " STRF "\r\n", STRA(r), STRA(l));
	return CONN_NEXT_PARK;
}

static enum conn_next
cmd_idle(struct conn *c, uint64_t n)
{
	struct session *s = conn_data(c);

	s->idle = true;
	s->wake_bytes = n;
	opts_of(c)->last_id = conn_id(c);
	conn_want_wake(c, true);
	conn_write(c, S("+\r\n"));
	return CONN_NEXT_PARK;
}

static enum conn_next
command(struct conn *c, const struct conn_unit *u)
{
	struct session *s = conn_data(c);
	struct str args = u->data, verb;
	uint64_t n = 0;

	if (s->idle) {
		s->idle = false;
		conn_want_wake(c, false);
		conn_write(c, S("OK\r\n"));
		return CONN_NEXT_PARK;
	}
	verb = str_split(&args, ' ');
	ignore_result(str_u64(args, &n) < 0);
	if (str_is(verb, S("ECHO")))
		conn_writef(c, "= " STRF "\r\n", STRA(args));
	else if (str_is(verb, S("DATA")))
		return cmd_data(c, n);
	else if (str_is(verb, S("LIT")))
		conn_writef(c, "LIT %llu %llu\r\n", (unsigned long long)u->literal,
		    (unsigned long long)sum_of(str_from(u->data, u->data.n - (size_t)u->literal)));
	else if (str_is(verb, S("ID")))
		conn_writef(c, "ID %u %u\r\n", conn_id(c).slot, conn_id(c).gen);
	else if (str_is(verb, S("ADDR")))
		return cmd_addr(c);
	else if (str_is(verb, S("BIG")))
		return cmd_big(c, n);
	else if (str_is(verb, S("XOR")))
		return cmd_xor(c, n);
	else if (str_is(verb, S("BLOCK")))
		return cmd_block(c);
	else if (str_is(verb, S("IDLE")))
		return cmd_idle(c, n);
	else if (str_is(verb, S("STARTTLS")) && conn_tls_ctx(c) && !conn_is_tls(c)) {
		conn_write(c, S("GO\r\n"));
		return CONN_NEXT_STARTTLS;
	} else if (str_is(verb, S("SLEEP"))) {
		conn_set_timer(c, (int64_t)n * TIME_MS);
		return CONN_NEXT_WAIT;
	} else if (str_is(verb, S("SLOW"))) {
		conn_set_slow(c, n != 0);
		conn_write(c, S("OK\r\n"));
	} else if (str_is(verb, S("GROUP"))) {
		conn_set_group(c, n);
		conn_write(c, S("OK\r\n"));
	} else if (str_is(verb, S("CLASS"))) {
		conn_set_class(c, (enum conn_class)n);
		conn_write(c, S("OK\r\n"));
	} else if (str_is(verb, S("QUIT"))) {
		conn_write(c, S("BYE\r\n"));
		return CONN_NEXT_CLOSE;
	} else {
		conn_write(c, S("BAD\r\n"));
		return CONN_NEXT_CLOSE;
	}
	return CONN_NEXT_PARK;
}

static enum conn_next
start(struct conn *c)
{
	struct testproto_opts *o = opts_of(c);

	count(o, &o->started, 1);
	if (o->read_timeout_us)
		conn_set_read_timeout(c, o->read_timeout_us);
	if (o->write_timeout_us)
		conn_set_write_timeout(c, o->write_timeout_us);
	if (o->input_limit)
		conn_set_input_limit(c, o->input_limit);
	if (o->class)
		conn_set_class(c, o->class);
	conn_write(c, S("HELLO\r\n"));
	return CONN_NEXT_PARK;
}

static enum conn_next
unit(struct conn *c, const struct conn_unit *u)
{
	struct session *s = conn_data(c);

	switch (u->kind) {
	case CONN_START:
		return start(c);
	case CONN_INPUT:
		return command(c, u);
	case CONN_SPOOLED:
		conn_writef(c, "SUM %llu %llu\r\n", (unsigned long long)s->got, (unsigned long long)s->sum);
		return CONN_NEXT_PARK;
	case CONN_TLS_STARTED:
		conn_write(c, S("TLS\r\n"));
		return CONN_NEXT_PARK;
	case CONN_TIMER:
		conn_write(c, S("AWAKE\r\n"));
		return CONN_NEXT_PARK;
	case CONN_WAKE:
		write_bulk(c, s->wake_bytes);
		conn_write(c, S("WOKEN\r\n"));
		return CONN_NEXT_PARK;
	case CONN_BAD_INPUT:
		conn_write(c, S("BAD\r\n"));
		break;
	case CONN_TIMEOUT:
		conn_write(c, S("TIMEOUT\r\n"));
		break;
	case CONN_SHUTDOWN:
		conn_write(c, S("SHUTDOWN\r\n"));
		break;
	}
	return CONN_NEXT_CLOSE;
}

static void
closed(struct conn *c)
{
	count(opts_of(c), &opts_of(c)->closed, 1);
}

static void
tls_failed(struct conn *c, const char *why unused_)
{
	count(opts_of(c), &opts_of(c)->tls_failed, 1);
}

const struct conn_proto testproto = {
	.name = "testproto",
	.data_size = sizeof(struct session),
	.frame = frame,
	.unit = unit,
	.closed = closed,
	.tls_failed = tls_failed,
	.overload_reply = "OVERLOAD\r\n",
	.refused_reply = "REFUSED\r\n",
};

struct tls_ctx *
testproto_server_tls(const char *alpn)
{
	struct arena a = { 0 };
	struct str cert, key;
	struct tls_ctx *ctx = NULL;
	struct errmsg e = { 0 };

	if (tls_selfsigned(&a, "localhost", 10, &cert, &key, &e) < 0 ||
	    tls_ctx_new(&(struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key, .alpn = alpn, .tickets = true }, &ctx, &e) < 0)
		bug("%s", e.text);
	arena_done(&a);
	return ctx;
}
