/* SPDX-License-Identifier: MIT */
/*
 * Output in a file. A worker may wait for a slow peer, but only some at a time. The others write the rest of what their unit
 * says to a temporary file without a name, and are done; the loop sends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "conn/server_internal.h"

struct conn_spill {
	int fd;
	off_t sent, size;
};

void
conn_spill_open(struct conn *c)
{
	const char *dir = c->server->o.tmp_dir ? c->server->o.tmp_dir : "/tmp";
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0) {
		conn_fail(c, "temporary file for output", err_from_errno(errno));
		return;
	}
	c->spill = mem_alloc(sizeof(*c->spill));
	*c->spill = (struct conn_spill){ .fd = fd };
}

void
conn_spill_write(struct conn *c, struct str s)
{
	struct conn_spill *p = c->spill;
	int r;

	if ((off_t)s.n > LIMIT_CONN_SPILL - p->size) {
		conn_fail(c, "output that the peer does not take", ERR_LIMIT);
		return;
	}
	r = fd_pwrite_all(p->fd, s, p->size);
	if (r < 0) {
		conn_fail(c, "temporary file for output", r);
		return;
	}
	p->size += (off_t)s.n;
}

void
conn_spill_refill(struct conn *c)
{
	struct conn_spill *p = c->spill;
	size_t n = (size_t)MIN(p->size - p->sent, (off_t)LIMIT_CONN_OUT);
	int r;

	if (n == 0) {
		conn_spill_close(c);
		return;
	}
	ignore_result(buf_reserve(&c->out, n));
	r = fd_pread_full(p->fd, buf_tail(&c->out), n, p->sent);
	if (r < 0) {
		conn_fail(c, "temporary file for output", r);
		return;
	}
	buf_wrote(&c->out, n);
	p->sent += (off_t)n;
	if (p->sent == p->size)
		conn_spill_close(c);
}

void
conn_spill_close(struct conn *c)
{
	if (c->spill == NULL)
		return;
	close(c->spill->fd);
	mem_free(&c->spill);
}
