/* SPDX-License-Identifier: MIT */
/*
 * HELP (rfc/5321:2151).
 */
#include "smtpserver/smtpserver_internal.h"

int
smtpserver_cmd_help(struct session *s, struct cur *args unused_)
{
	smtpserver_reply(s, 214, SMTP_E_OTHER, S("see rfc 5321 (SMTP)"));
	return 0;
}
