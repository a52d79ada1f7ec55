/* SPDX-License-Identifier: MIT */
/* NOOP   rfc/9051:1261. Changes are told by the dispatcher. */
#include "imapserver/imapserver_internal.h"

int
imapserver_cmd_noop(struct imapserver_cmd *c)
{
	return imapserver_end(c);
}
