/* SPDX-License-Identifier: MIT */
/* server.c - the serving side of the control socket. */
#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "ctl/ctl.h"

#define CTL_LINE_MAX (64 * 1024)
#define CTL_PARAMS_MAX 8

/* State of one connection. */
struct session {
	size_t acks;                    /* "ok" lines that the client still owes for chunks of streams */
	const struct ctl_command *cmd;  /* found in the first line of the unit being framed; NULL before, and for unknown ones */
};

static const struct ctl_command *
find_command(const struct ctl_server *s, struct str name)
{
	for (const struct ctl_command *c = s->commands; c->name; c++)
		if (str_is(name, str_of(c->name)))
			return c;
	return NULL;
}

/*
 * A unit is an acknowledgement of a chunk, or a command line with its parameter lines. Nothing is kept between calls but
 * the command: a client on the local socket may cost a second look at a few lines.
 */
static int
frame(struct conn *c, struct str in, struct conn_unit *u, size_t *r_used)
{
	struct session *s = conn_data(c);
	const struct ctl_server *server = conn_listener_arg(c);
	struct str rest = in;
	unsigned want = 1;

	for (unsigned have = 0; have < want; have++) {
		ssize_t lf = str_find(rest, '\n');

		if (lf < 0)
			return rest.n > CTL_LINE_MAX ? ERR_LIMIT : CONN_FRAME_MORE;
		if (have == 0 && s->acks == 0) {
			s->cmd = find_command(server, str_upto(rest, (size_t)lf));
			want = 1 + (s->cmd ? s->cmd->nparams : 0);
		}
		rest = str_from(rest, (size_t)lf + 1);
	}
	*r_used = in.n - rest.n;
	u->data = str_upto(in, *r_used);
	return CONN_FRAME_UNIT;
}

static enum conn_next
run_command(struct conn *c, struct session *s, struct str data)
{
	const struct ctl_server *server = conn_listener_arg(c);
	struct str params[CTL_PARAMS_MAX] = { { 0 } };
	struct ctl_request r = { .conn = c, .arena = conn_arena(c), .params = params, .arg = server->arg };
	struct str name = str_split(&data, '\n');

	if (!s->cmd) {
		conn_write(c, S("unrecognized command\n"));
		log_info(conn_log(c), "unrecognized control command", log_s("cmd", name));
		return CONN_NEXT_PARK;
	}
	for (unsigned i = 0; i < s->cmd->nparams && i < CTL_PARAMS_MAX; i++)
		params[i] = str_split(&data, '\n');
	log_info(conn_log(c), "control command", log_s("cmd", name));
	s->cmd->run(&r);
	if (r.failed)
		return CONN_NEXT_CLOSE;
	return r.hold ? CONN_NEXT_WAIT : CONN_NEXT_PARK;
}

static enum conn_next
unit(struct conn *c, const struct conn_unit *u)
{
	struct session *s = conn_data(c);

	switch (u->kind) {
	case CONN_START:
		conn_set_class(c, CONN_CONTROL);
		conn_set_input_limit(c, (CTL_PARAMS_MAX + 1) * CTL_LINE_MAX);
		conn_write(c, S("ctlv0\n"));
		return CONN_NEXT_PARK;
	case CONN_INPUT:
		if (s->acks == 0)
			return run_command(c, s, u->data);
		if (!str_is(u->data, S("ok\n")))
			return CONN_NEXT_CLOSE;
		s->acks--;
		return CONN_NEXT_PARK;
	default:
		return CONN_NEXT_CLOSE;
	}
}

const struct conn_proto ctl_proto = {
	.name = "ctl",
	.data_size = sizeof(struct session),
	.frame = frame,
	.unit = unit,
	.overload_reply = "too busy, try again\n",
	.refused_reply = "refused\n",
};

void
ctl_ok(struct ctl_request *r)
{
	conn_write(r->conn, S("ok\n"));
}

void
ctl_error(struct ctl_request *r, const char *fmt, ...)
{
	struct buf b = BUF_ARENA(r->arena, CTL_LINE_MAX);
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] == '\n' || b.p[i] == '\r')
			b.p[i] = ' ';
	buf_addc(&b, '\n');
	conn_write(r->conn, buf_str(&b));
	r->failed = true;
}

void
ctl_line(struct ctl_request *r, struct str line)
{
	conn_write(r->conn, line);
	conn_write(r->conn, S("\n"));
}

void
ctl_stream(struct ctl_request *r, struct str content)
{
	struct session *s = conn_data(r->conn);

	if (content.n > 0) {
		conn_writef(r->conn, "%zu\n", content.n);
		conn_write(r->conn, content);
		s->acks++;
	}
	conn_write(r->conn, S("0\n"));
	s->acks++;
}

void
ctl_hold(struct ctl_request *r)
{
	r->hold = true;
}

int
ctl_listen(const char *path, int *r_fd, struct errmsg *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	cleanup_(fd_close) int fd = -1;
	mode_t mask;
	int rv;

	if (strlen(path) >= sizeof(sa.sun_path))
		return err_set(
		    e, ERR_INVALID, "the path of the control socket is longer than %zu bytes: %s", sizeof(sa.sun_path) - 1, path);
	memcpy(sa.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, errno, "control socket");
	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(e, errno, "removing the old control socket %s", path);
	mask = umask(0117);
	rv = bind(fd, (const struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (rv < 0 || listen(fd, 64) < 0)
		return err_errno(e, errno, "control socket %s", path);
	*r_fd = fd;
	fd = -1;
	return 0;
}
