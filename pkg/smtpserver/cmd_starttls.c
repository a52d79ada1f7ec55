/* SPDX-License-Identifier: MIT */
/*
 * STARTTLS (RFC 3207).
 */
#include "smtpserver/smtpserver_internal.h"

int
smtpserver_cmd_starttls(struct session *s, struct cur *args)
{
	TRY(smtpserver_end(s, args));                                                   // rfc/3207:108
	if (conn_is_tls(s->c))
		return smtpserver_userf(s, 503, SMTP_E_PROTO_COMMAND, "already speaking TLS");
	if (s->logged_in)
		return smtpserver_userf(s, 503, SMTP_E_PROTO_COMMAND, "already authenticated");
	if (!smtpserver_starttls_offered(s))
		return smtpserver_userf(s, 503, SMTP_E_PROTO_COMMAND, "STARTTLS not offered");
	struct str cid = smtpserver_cid(s);
	smtpserver_replyf(s, 220, SMTP_E_OTHER, "go ahead (" STRF ")", STRA(cid));
	/* What the client sent behind the command is thrown away, never run: it came without protection. */
	s->next = CONN_NEXT_STARTTLS;
	return 0;
}
