/* SPDX-License-Identifier: MIT */
/* CLOSE   rfc/9051:3636, UNSELECT   rfc/9051:3667 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

void
imapserver_unselect(struct imapserver_session *s)
{
	mem_free(&s->saved);
	s->nsaved = 0;
	if (!s->view)
		return;
	imapserver_view_free(&s->view);
	s->state = IMAPSERVER_AUTHENTICATED;
}

int
imapserver_cmd_unselect(struct imapserver_cmd *c)
{
	TRY(imapserver_end(c));
	imapserver_unselect(c->s);
	return 0;
}

/* Removes what is marked \Deleted, without telling, unless the mailbox is read-only or gone. */
int
imapserver_cmd_close(struct imapserver_cmd *c)
{
	TRY(imapserver_end(c));
	if (!c->s->view->readonly)
		TRY(imapserver_remove_deleted(c, NULL, true));
	imapserver_unselect(c->s);
	return 0;
}
