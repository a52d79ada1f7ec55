/* SPDX-License-Identifier: MIT */
/*
 * EXPN (rfc/5321:2135): nor who is on a list.
 */
#include "smtpserver/smtpserver_internal.h"

int
smtpserver_cmd_expn(struct session *s, struct cur *args)
{
	smtpserver_string(args);
	cur_try_icase(args, S(" SMTPUTF8"));    // rfc/6531:235
	TRY(smtpserver_end(s, args));
	struct str cid = smtpserver_cid(s);
	smtpserver_replyf(s, 252, SMTP_E_POLICY_OTHER, "no expand but will try delivery (" STRF ")", STRA(cid));
	return 0;
}
