/* SPDX-License-Identifier: MIT */
/* LOGOUT   rfc/9051:1290 */
#include "imapserver/imapserver_internal.h"

int
imapserver_cmd_logout(struct imapserver_cmd *c)
{
	TRY(imapserver_end(c));
	buf_addz(&c->out, "* BYE thanks\r\n");
	c->close = true;
	return 0;
}
