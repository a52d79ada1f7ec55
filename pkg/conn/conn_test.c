/* SPDX-License-Identifier: MIT */
/* What handlers see of a connection, and its traces; inline. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "conn/conn_internal.h"
#include "log/log.h"
#include "testutil/testutil.h"

struct probe {
	struct conn_sink sink;
	void (*then)(struct conn *c, const struct conn_unit *u);
	int status;
	const char *again;              /* what the handler saw buffered */
};

static int
frame(struct conn *c, struct str in, struct conn_unit *u, size_t *r_used)
{
	ssize_t lf = str_find(in, '\n');

	if (lf < 0)
		return in.n > 50 ? ERR_INVALID : CONN_FRAME_MORE;
	u->data = str_upto(in, (size_t)lf);
	*r_used = (size_t)lf + 1;
	if (str_starts(u->data, S("LOGIN")))
		conn_trace_in(c, LOG_TRACEAUTH);
	return CONN_FRAME_UNIT;
}

/* Takes everything up to a dot, and fails at an exclamation mark. */
static ssize_t
to_dot(struct conn_sink *s unused_, struct str in, bool *r_done)
{
	ssize_t dot = str_find(in, '.');

	if (str_has(in, '!'))
		return ERR_NOSPACE;
	*r_done = dot >= 0;
	return dot >= 0 ? dot + 1 : (ssize_t)in.n;
}

/* Never takes anything: waits for more. */
static ssize_t
greedy(struct conn_sink *s unused_, struct str in unused_, bool *r_done unused_)
{
	return 0;
}

static enum conn_next
unit(struct conn *c, const struct conn_unit *u)
{
	struct probe *p = conn_data(c);
	struct str text = u->data;

	conn_trace_in(c, LOG_TRACE);
	if (u->kind == CONN_START) {
		conn_write(c, S("hello\n"));
	} else if (u->kind == CONN_SPOOLED || u->kind == CONN_BAD_INPUT) {
		conn_writef(c, "status %d\n", u->status);
	} else if (str_is(text, S("secret"))) {
		conn_write(c, S("before\n"));
		conn_trace_out(c, LOG_TRACEAUTH);
		conn_write(c, S("hidden\n"));
		conn_trace_out(c, LOG_TRACEDATA);
		conn_write(c, S("bulk\n"));
		conn_trace_out(c, LOG_TRACE);
		conn_write(c, S("after\n"));
	} else if (str_is(text, S("spool")) || str_is(text, S("greedy"))) {
		p->sink.write = str_is(text, S("spool")) ? to_dot : greedy;
		conn_spool(c, &p->sink, 0);
	} else if (str_is(text, S("more"))) {
		conn_write(c, conn_has_input(c) ? S("yes\n") : S("no\n"));
	} else if (str_is(text, S("long"))) {
		conn_writef(c, "%0600d\n", 7);
	} else if (str_is(text, S("flush"))) {
		conn_write(c, S("one\n"));
		conn_flush(c);
		assert_false(conn_out_pending(c));
		conn_write(c, S("two\n"));
	} else if (str_is(text, S("who"))) {
		struct str r = ipport_str(conn_arena(c), conn_remote(c)), l = ipport_str(conn_session_arena(c), conn_local(c));

		conn_set_user(c, S("first"));
		conn_set_user(c, S("mjl"));
		conn_writef(c, STRF " " STRF " %d %d\n", STRA(r), STRA(l), conn_ssl(c) == NULL, conn_stopping(c));
		assert_int_not_equal(conn_cid(c), 0);
		assert_int_equal(conn_log(c)->cid, conn_cid(c));
		assert_int_equal(conn_ctx(c)->cid, conn_cid(c));
		assert_int_equal(ctx_check(conn_ctx(c)), 0);
		assert_int_equal(conn_id(c).gen, 0);
	} else {
		conn_write(c, S("?\n"));
	}
	return CONN_NEXT_PARK;
}

static const struct conn_proto proto = {
	.name = "probe", .trace_in = "RC: ", .trace_out = "LS: ", .data_size = sizeof(struct probe), .frame = frame, .unit = unit,
};

/* Sends the input at once and returns all that the connection answers. */
static struct str
talk(const char *in, bool *r_open)
{
	struct conn_listener_opts o = { .name = "test", .proto = &proto };
	struct ipport remote = { .port = 1234 }, local = { .port = 25 };
	struct conn *c;
	char out[4000];
	int fds[2];
	ssize_t n;

	assert_ok(ip_parse(S("10.0.0.1"), &remote.ip));
	assert_ok(ip_parse(S("::1"), &local.ip));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	fd_nonblock(fds[1], true);
	c = conn_inline_new(fds[0], &o, &remote, &local);
	conn_set_input_limit(c, 60);
	assert_int_equal(write(fds[1], in, strlen(in)), strlen(in));
	*r_open = conn_inline_run(c, true);
	n = read(fds[1], out, sizeof(out));
	conn_inline_free(&c);
	conn_inline_free(&c);
	close(fds[1]);
	return str_dup(test_arena(), str_n(out, n > 0 ? (size_t)n : 0));
}

TEST(conn_handlers)
{
	static const struct {
		const char *in, *out;
		bool closes;
	} rows[] = {
		{ "who\n", "hello\n10.0.0.1:1234 [::1]:25 1 0\n", false },
		{ "more\nmore\n", "hello\nyes\nno\n", false },
		{ "more\nmo", "hello\nyes\n", false },
		{ "flush\n", "hello\none\ntwo\n", false },
		{ "spool\nabc.more\n", "hello\nstatus 0\nno\n", false },
		{ "spool\n.x\n", "hello\nstatus 0\n?\n", false },
		/* The sink's error is told at once; the rest is input again. */
		{ "spool\na!b\n", "hello\nstatus -11\n?\n", false },
		/* A sink that takes nothing of all that may be buffered. */
		{ "greedy\n0123456789012345678901234567890123456789012345678901234567890123456789",
		    "hello\nstatus -5\nstatus -2\n", true },
		/* The framer's error; the framer that wants ever more. */
		{ "012345678901234567890123456789012345678901234567890123", "hello\nstatus -2\n", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool open;

		test_row("%s", rows[i].in);
		assert_strz(talk(rows[i].in, &open), rows[i].out);
		assert_int_equal(open, !rows[i].closes);
	}
}

TEST(conn_long_line)
{
	bool open;
	struct str out = talk("long\n", &open);

	assert_int_equal(out.n, 6 + 601);
	assert_true(str_ends(out, S("0007\n")));
}

/* Traces name the direction, and hide what the configured level does not show. */
TEST(conn_traces)
{
	static const struct {
		enum log_level level;
		int hidden, bulk, login, data;
	} rows[] = {
		{ LOG_DEBUG, 0, 0, 0, 0 },
		{ LOG_TRACE, 0, 0, 0, 0 },
		{ LOG_TRACEAUTH, 1, 0, 1, 0 },
		{ LOG_TRACEDATA, 1, 1, 1, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t hidden = test_logged("hidden"), bulk = test_logged("bulk");
		size_t login = test_logged("open sesame"), data = test_logged("spooled text");
		size_t in = test_logged("RC: secret"), out = test_logged("LS: before"), after = test_logged("LS: after");
		int traced = rows[i].level != LOG_DEBUG;
		bool open;

		test_row("level %d", (int)rows[i].level);
		log_set_package(S("probe"), rows[i].level);
		talk("secret\nLOGIN open sesame\nspool\nspooled text.more\n", &open);
		log_unset_package(S("probe"));
		assert_int_equal(test_logged("hidden") - hidden, rows[i].hidden);
		assert_int_equal(test_logged("bulk") - bulk, rows[i].bulk);
		assert_int_equal(test_logged("open sesame") - login, rows[i].login);
		assert_int_equal(test_logged("spooled text") - data, rows[i].data);
		assert_int_equal(test_logged("RC: secret") - in, traced);
		assert_int_equal(test_logged("LS: before") - out, traced);
		assert_int_equal(test_logged("LS: after") - after, traced);
	}
}
