/* SPDX-License-Identifier: MIT */
/* UNAUTHENTICATE   rfc/8437:119: back to before login, for whoever serves several users over one connection. TLS stays. */
#include "imapserver/imapserver_internal.h"

int
imapserver_cmd_unauthenticate(struct imapserver_cmd *c)
{
	TRY(imapserver_end(c));
	/* NO is not allowed as an answer: rfc/8437:139 */
	if (c->s->state == IMAPSERVER_NOT_AUTHENTICATED)
		return imapserver_bad(c, "not logged in");
	imapserver_logout(c->s);
	return 0;
}
