/* SPDX-License-Identifier: MIT */
/*
 * QUIT (rfc/5321:2205).
 */
#include "smtpserver/smtpserver_internal.h"

int
smtpserver_cmd_quit(struct session *s, struct cur *args)
{
	TRY(smtpserver_end(s, args));
	smtpserver_reply(s, 221, SMTP_E_OTHER, S("okay thanks bye"));
	s->next = CONN_NEXT_CLOSE;
	return 0;
}
