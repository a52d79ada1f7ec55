/* SPDX-License-Identifier: MIT */
/* client.c - the command line's side of the control socket; blocking. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "ctl/ctl.h"

#define CTL_REPLY_MAX (1024 * 1024)

int
ctl_dial(const char *path, struct ctl_client *r_c, struct errmsg *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	cleanup_(ctl_close) struct ctl_client c = { .fd = -1, .in = BUF_INIT(CTL_REPLY_MAX) };
	struct arena a = { 0 };
	struct str line = { 0 };
	int rv;

	if (strlen(path) >= sizeof(sa.sun_path))
		return err_set(e, ERR_INVALID, "the path of the control socket is too long: %s", path);
	memcpy(sa.sun_path, path, strlen(path));
	c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c.fd < 0)
		return err_errno(e, errno, "control socket");
	if (connect(c.fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		int errnum = errno;

		return err_set(e, err_from_errno(errnum), "connecting to control socket at \"%s\": %s (is mox running?)", path,
		    err_strerror(errnum));
	}
	rv = ctl_read_line(&c, &a, &line, e);
	if (rv == 0 && !str_is(line, S("ctlv0")))
		rv = err_set(e, ERR_INVALID, "the server speaks another version of the control protocol");
	arena_done(&a);
	TRY(rv);
	*r_c = c;
	c = (struct ctl_client){ .fd = -1 };
	return 0;
}

void
ctl_close(struct ctl_client *c)
{
	fd_close(&c->fd);
	buf_done(&c->in);
}

/* Reads more input; 0 or an error. */
static int
fill(struct ctl_client *c, struct errmsg *e)
{
	ssize_t n;

	if (!buf_reserve(&c->in, 4096))
		return err_set(e, ERR_LIMIT, "reply of the server is too large");
	do {
		n = read(c->fd, buf_tail(&c->in), 4096);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, errno, "reading from control socket");
	if (n == 0)
		return err_set(e, ERR_CLOSED, "the server closed the control connection");
	buf_wrote(&c->in, (size_t)n);
	return 0;
}

int
ctl_read_line(struct ctl_client *c, struct arena *a, struct str *r_line, struct errmsg *e)
{
	ssize_t lf;

	while ((lf = str_find(buf_str(&c->in), '\n')) < 0)
		TRY(fill(c, e));
	*r_line = str_dup(a, str_upto(buf_str(&c->in), (size_t)lf));
	buf_drop(&c->in, (size_t)lf + 1);
	return 0;
}

int
ctl_request(struct ctl_client *c, struct errmsg *e, const char *name, const struct str *params, size_t nparams)
{
	cleanup_(buf_done) struct buf out = BUF_INIT(CTL_REPLY_MAX);
	struct arena a = { 0 };
	struct str line = { 0 };
	int rv;

	buf_addf(&out, "%s\n", name);
	for (size_t i = 0; i < nparams; i++) {
		if (str_has(params[i], '\n'))
			return err_set(e, ERR_INVALID, "a parameter holds a line end");
		buf_add(&out, params[i]);
		buf_addc(&out, '\n');
	}
	if (out.failed)
		return err_set(e, ERR_LIMIT, "parameters are too large");
	rv = fd_write_all(c->fd, buf_str(&out));
	mem_erase(out.p, out.n);
	if (rv < 0)
		return err_set(e, rv, "writing to control socket failed");
	rv = ctl_read_line(c, &a, &line, e);
	if (rv == 0 && !str_is(line, S("ok")))
		rv = err_set(e, ERR_DENIED, STRF, STRA(line));
	arena_done(&a);
	return rv;
}

int
ctl_read_stream(struct ctl_client *c, struct buf *out, struct errmsg *e)
{
	struct arena a = { 0 };
	uint64_t left = 1;
	int rv = 0;

	while (rv == 0 && left > 0) {
		struct str line = { 0 };

		rv = ctl_read_line(c, &a, &line, e);
		if (rv == 0 && str_u64(line, &left) < 0)
			rv = err_set(e, ERR_DENIED, STRF, STRA(line));
		for (uint64_t n = left; rv == 0 && n > 0;) {
			size_t take = MIN((uint64_t)c->in.n, n);

			buf_add(out, str_upto(buf_str(&c->in), take));
			buf_drop(&c->in, take);
			n -= take;
			if (n > 0)
				rv = fill(c, e);
		}
		if (rv == 0)
			rv = fd_write_all(c->fd, S("ok\n"));
	}
	if (rv == 0 && out->failed)
		rv = err_set(e, ERR_LIMIT, "reply of the server is too large");
	arena_done(&a);
	return rv;
}
