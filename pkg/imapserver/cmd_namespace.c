/* SPDX-License-Identifier: MIT */
/* NAMESPACE   rfc/9051:3098 */
#include "imapserver/imapserver_internal.h"

int
imapserver_cmd_namespace(struct imapserver_cmd *c)
{
	TRY(imapserver_end(c));
	buf_addz(&c->out, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	return 0;
}
