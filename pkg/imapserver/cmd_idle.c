/* SPDX-License-Identifier: MIT */
/* IDLE   rfc/9051:3542 rfc/2177. The session is woken by the store when there are changes; it costs no thread in between. */
#include "imapserver/imapserver_internal.h"

static int
step(struct imapserver_cmd *c, const struct conn_unit *u, void *data)
{
	(void)data;
	if (u->kind == CONN_WAKE) {
		imapserver_tell_changes(c, true);
		return IMAPSERVER_MORE;
	}
	if (u->kind != CONN_INPUT)
		return IMAPSERVER_MORE;
	conn_want_wake(c->conn, false);
	if (str_icase(u->data, S("DONE")))
		return 0;
	/* Whoever sends something else waits for an answer that IDLE would never give. */
	c->close = true;
	return imapserver_bad(c, "expected DONE");
}

const struct imapserver_steps imapserver_idle_steps = { step, NULL, true };

int
imapserver_cmd_idle(struct imapserver_cmd *c)
{
	TRY(imapserver_end(c));
	buf_addz(&c->out, "+ idling\r\n");
	conn_want_wake(c->conn, true);          /* before looking: a change that comes in between wakes */
	imapserver_tell_changes(c, true);
	return imapserver_continue(c, NULL);
}
