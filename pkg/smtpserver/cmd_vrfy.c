/* SPDX-License-Identifier: MIT */
/*
 * VRFY (rfc/5321:2108): we tell nobody who exists.
 */
#include "smtpserver/smtpserver_internal.h"

int
smtpserver_cmd_vrfy(struct session *s, struct cur *args)
{
	smtpserver_string(args);
	cur_try_icase(args, S(" SMTPUTF8"));    // rfc/6531:235
	TRY(smtpserver_end(s, args));
	struct str cid = smtpserver_cid(s);
	smtpserver_replyf(s, 252, SMTP_E_POLICY_OTHER, "no verify but will try delivery (" STRF ")", STRA(cid));        // rfc/5321:2820
	return 0;
}
