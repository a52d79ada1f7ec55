/* SPDX-License-Identifier: MIT */
/* ctl_test.c - the control protocol: server over a socketpair, client against a running server. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ctl/ctl.h"
#include "testutil/testutil.h"

static void
cmd_echo(struct ctl_request *r)
{
	if (r->params[0].n == 0) {
		ctl_error(r, "nothing\nto echo");
		return;
	}
	ctl_ok(r);
	ctl_line(r, str_fmt(r->arena, STRF "-" STRF, STRA(r->params[0]), STRA(r->params[1])));
}

static void
cmd_big(struct ctl_request *r)
{
	char *p = arena_bytes(r->arena, 1000000);

	memset(p, 'x', 1000000);
	ctl_ok(r);
	ctl_stream(r, str_n(p, 1000000));
}

static void
cmd_empty(struct ctl_request *r)
{
	ctl_ok(r);
	ctl_stream(r, S(""));
}

static void
cmd_wait(struct ctl_request *r)
{
	ctl_ok(r);
	ctl_hold(r);
}

static const struct ctl_command commands[] = {
	{ "echo", 2, cmd_echo }, { "big", 0, cmd_big }, { "empty", 0, cmd_empty }, { "wait", 0, cmd_wait }, { 0 },
};
static struct ctl_server server = { commands, NULL };

struct row {
	const char *send, *want;
	bool closes;
};

static const struct row rows[] = {
	{ "", "ctlv0\n", false },
	{ "echo\na\nb\n", "ctlv0\nok\na-b\n", false },
	{ "echo\na\nb\necho\nc\n\n", "ctlv0\nok\na-b\nok\nc-\n", false },
	{ "echo\n\nb\n", "ctlv0\nnothing to echo\n", true },
	{ "bogus\n", "ctlv0\nunrecognized command\n", false },
	{ "bogus\necho\na\nb\n", "ctlv0\nunrecognized command\nok\na-b\n", false },
	{ "empty\nok\necho\na\nb\n", "ctlv0\nok\n0\nok\na-b\n", false },
	{ "empty\nno\n", "ctlv0\nok\n0\n", true },
};

/* Runs a dialogue with the input sent in pieces of the given size. */
static struct str
dialogue(const char *input, size_t piece, bool *r_closed)
{
	struct conn_listener_opts o = { .name = "test", .proto = &ctl_proto, .arg = &server };
	struct ipport none = { 0 };
	struct str in = str_of(input);
	struct buf out = BUF_ARENA(test_arena(), 65536);
	struct conn *c;
	int fds[2];
	bool open;
	ssize_t n;

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	c = conn_inline_new(fds[1], &o, &none, &none);
	open = conn_inline_run(c, false);
	while (open && in.n > 0) {
		assert_ok(fd_write_all(fds[0], str_upto(in, piece)));
		in = str_from(in, MIN(piece, in.n));
		open = conn_inline_run(c, false);
	}
	*r_closed = !open;
	conn_inline_free(&c);
	while (buf_reserve(&out, 4096) && (n = read(fds[0], buf_tail(&out), 4096)) > 0)
		buf_wrote(&out, (size_t)n);
	fd_close(&fds[0]);
	return buf_str(&out);
}

TEST(dialogues_whole_and_byte_by_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t piece = 1; piece <= 1000; piece += 999) {
			bool closed;

			test_row("%s", rows[i].send);
			assert_strz(dialogue(rows[i].send, piece, &closed), rows[i].want);
			assert_int_equal(closed, rows[i].closes);
		}
}

TEST(client_and_server)
{
	struct conn_server_opts so = { .loops = 1 };
	struct conn_listener_opts o = { .name = "ctl", .proto = &ctl_proto, .arg = &server };
	struct conn_server *s = conn_server_new(&so);
	const char *path = str_fmt(test_arena(), "%s/ctl", test_dir()).p;
	struct ctl_client c = { .fd = -1 };
	cleanup_(buf_done) struct buf out = BUF_INIT(2000000);
	struct errmsg e = { 0 };
	struct stat st;
	struct str line = { 0 };
	int fd = -1;

	assert_ok(ctl_listen(path, &fd, &e));
	assert_return_code(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_ok(conn_server_listen(s, fd, &o, &e));
	conn_server_start(s);

	assert_ok(ctl_dial(path, &c, &e));
	assert_ok(ctl_request(&c, &e, "echo", (struct str[]){ S("a"), S("b") }, 2));
	assert_ok(ctl_read_line(&c, test_arena(), &line, &e));
	assert_strz(line, "a-b");
	assert_ok(ctl_request(&c, &e, "big", NULL, 0));
	assert_ok(ctl_read_stream(&c, &out, &e));
	assert_int_equal(out.n, 1000000);
	buf_reset(&out);
	assert_ok(ctl_request(&c, &e, "empty", NULL, 0));
	assert_ok(ctl_read_stream(&c, &out, &e));
	assert_int_equal(out.n, 0);
	assert_err(ctl_request(&c, &e, "echo", (struct str[]){ S("a\nb"), S("b") }, 2), ERR_INVALID);
	e = (struct errmsg){ 0 };
	assert_err(ctl_request(&c, &e, "bogus", NULL, 0), ERR_DENIED);
	assert_strz(str_of(e.text), "unrecognized command");

	/* A held request ends with the server. */
	e = (struct errmsg){ 0 };
	assert_ok(ctl_request(&c, &e, "wait", NULL, 0));
	conn_server_stop(s, 0);
	assert_err(ctl_read_line(&c, test_arena(), &line, &e), ERR_CLOSED);
	ctl_close(&c);
	conn_server_free(&s);
	e = (struct errmsg){ 0 };
	assert_true(ctl_dial(path, &c, &e) < 0);
	assert_non_null(strstr(e.text, "is mox running?"));
}
