/* SPDX-License-Identifier: MIT */
/*
 * RSET (rfc/5321:2079): gives the mail transaction up.
 */
#include "smtpserver/smtpserver_internal.h"

int
smtpserver_cmd_rset(struct session *s, struct cur *args)
{
	TRY(smtpserver_end(s, args));
	smtpserver_tx_clear(s);
	smtpserver_reply(s, 250, SMTP_E_OTHER, S("all clear"));
	return 0;
}
