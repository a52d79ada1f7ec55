/* SPDX-License-Identifier: MIT */
/*
 * A connection as its handlers see it. See conn_internal.h for how the files divide the work.
 */
#include "conn/conn.h"

#include <sys/socket.h>

#include "base/mem.h"
#include "conn/conn_internal.h"
#include "conn/server_internal.h"

/* Connection ids: unique in the process, and over restarts as far as the clock goes. */
static _Atomic uint64_t next_cid;

static uint64_t
make_cid(void)
{
	uint64_t zero = 0;

	if (atomic_load_explicit(&next_cid, memory_order_relaxed) == 0)
		atomic_compare_exchange_strong(&next_cid, &zero, (uint64_t)(time_now_us() / TIME_MS));
	return atomic_fetch_add_explicit(&next_cid, 1, memory_order_relaxed);
}

void
conn_work_init(struct conn_work *w)
{
	*w = (struct conn_work){ .scratch = mem_alloc(CONN_SCRATCH) };
	arena_init(&w->arena, 16 * 1024);
}

void
conn_work_done(struct conn_work *w)
{
	arena_done(&w->arena);
	mem_free(&w->scratch);
}

struct conn *
conn_new(struct conn_server *s, struct conn_listener *l, int fd, const struct ipport *remote, const struct ipport *local)
{
	struct conn *c = mem_alloc(sizeof(*c) + l->o.proto->data_size);

	c->proto = l->o.proto;
	c->listener = conn_listener_ref(l);
	c->server = s;
	if (remote)
		c->remote = *remote;
	if (local)
		c->local = *local;
	c->log = (struct log){ .pkg = c->proto->name, .parent = s ? s->log : NULL, .cid = make_cid() };
	c->sock = (struct conn_socket){ .s = { &conn_socket_ops, NULL }, .fd = fd };
	c->top = &c->sock.s;
	c->tls_ctx = l->tls ? tls_ctx_ref(l->tls) : NULL;
	c->want_in = POLLIN;
	c->in.max = SIZE_MAX / 4;       /* in_limit and LIMIT_CONN_OUT rule */
	c->out.max = SIZE_MAX / 4;
	c->in_limit = CONN_IN_LIMIT;
	arena_init(&c->session, 256);
	c->read_timeout = CONN_READ_TIMEOUT_US;
	c->write_timeout = CONN_WRITE_TIMEOUT_US;
	c->class = CONN_UNAUTHENTICATED;
	c->trace_in = c->trace_out = LOG_TRACE;
	c->due = CONN_DUE_START;
	c->state = CONN_S_OPEN;
	if (l->o.implicit_tls)
		conn_start_tls(c);
	return c;
}

static void
free_streams(struct conn_stream *s)
{
	while (s) {
		struct conn_stream *below = s->below;

		s->ops->free(s);
		s = below;
	}
}

void
conn_say_end(struct conn *c)
{
	for (struct conn_stream *s = c->top; s && !c->failed && !c->end_said; s = s->below)
		if (s->ops->finish)
			s->ops->finish(s);
	c->end_said = true;
}

void
conn_hang_up(struct conn *c)
{
	conn_say_end(c);
	if (c->push) {
		c->push->below = NULL;
		free_streams(c->push);
	}
	free_streams(c->top);
	c->top = c->push = NULL;
	c->ssl = NULL;
	c->failed = true;
}

void
conn_free(struct conn *c)
{
	bug_if(c->started);
	conn_gate_leave(&c->gate, &c->remote.ip);
	conn_hang_up(c);
	conn_in_discard(c);
	buf_done(&c->out);
	conn_spill_close(c);
	arena_done(&c->session);
	mem_free(&c->user);
	tls_ctx_unref(&c->tls_ctx);
	conn_listener_unref(&c->listener);
	free(c);
}

void
conn_fail(struct conn *c, const char *why, int code)
{
	if (c->failed)
		return;
	/* What the peer does not take would stay in the kernel, for minutes after the close. */
	if (conn_out_pending(c) && c->sock.fd >= 0)
		ignore_result(setsockopt(c->sock.fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)) < 0);
	c->failed = true;
	log_debug(&c->log, "connection failed", log_err(err_text(code)), log_z("why", why), log_z("user", c->user));
	buf_done(&c->out);
	conn_spill_close(c);
	c->out_off = c->out_traced = 0;
	c->held = false;
}

void *
conn_data(struct conn *c)
{
	return c->data;
}

void *
conn_listener_arg(struct conn *c)
{
	return c->listener->o.arg;
}

struct arena *
conn_arena(struct conn *c)
{
	return &c->work->arena;
}

struct arena *
conn_session_arena(struct conn *c)
{
	return &c->session;
}

struct conn_id
conn_id(struct conn *c)
{
	if (c->loop == NULL)
		return (struct conn_id){ 0 };
	return (struct conn_id){ c->slot.index * CONN_LOOPS_MAX + c->loop->index, c->slot.gen };
}

uint64_t
conn_cid(struct conn *c)
{
	return c->log.cid;
}

struct log *
conn_log(struct conn *c)
{
	return &c->log;
}

const struct ctx *
conn_ctx(struct conn *c)
{
	return &c->work->ctx;
}

const struct ipport *
conn_remote(struct conn *c)
{
	return &c->remote;
}

const struct ipport *
conn_local(struct conn *c)
{
	return &c->local;
}

bool
conn_is_tls(struct conn *c)
{
	return c->tls != NULL;
}

const struct tls_info *
conn_tls(struct conn *c)
{
	return c->tls;
}

SSL *
conn_ssl(struct conn *c)
{
	return c->tls ? c->ssl : NULL;
}

struct tls_ctx *
conn_tls_ctx(struct conn *c)
{
	return c->tls_ctx;
}

bool
conn_stopping(struct conn *c)
{
	return c->stopping || (c->server && atomic_load_explicit(&c->server->draining, memory_order_relaxed));
}

bool
conn_ok(const struct conn *c)
{
	return !c->failed;
}

void
conn_set_read_timeout(struct conn *c, int64_t us)
{
	c->read_timeout = us;
}

void
conn_set_write_timeout(struct conn *c, int64_t us)
{
	c->write_timeout = us;
}

void
conn_set_input_limit(struct conn *c, size_t n)
{
	c->in_limit = n;
}

void
conn_set_timer(struct conn *c, int64_t us)
{
	c->timer_at = us > 0 ? time_mono_us() + us : 0;
	c->due &= (uint8_t)~CONN_DUE_TIMER;
}

void
conn_want_wake(struct conn *c, bool on)
{
	c->want_wake = on;
}

void
conn_set_slow(struct conn *c, bool on)
{
	c->slow = on;
}

void
conn_set_class(struct conn *c, enum conn_class class)
{
	c->class = class;
}

void
conn_set_group(struct conn *c, uint64_t group)
{
	c->group = group;
}

void
conn_set_user(struct conn *c, struct str user)
{
	mem_free(&c->user);
	if (user.n > 0)
		c->user = mem_str(user);
}

void
conn_push_stream(struct conn *c, struct conn_stream *s)
{
	bug_if(c->push != NULL);
	c->push = s;
}
