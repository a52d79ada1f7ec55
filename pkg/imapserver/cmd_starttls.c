/* SPDX-License-Identifier: MIT */
/* STARTTLS   rfc/9051:1340 */
#include "imapserver/imapserver_internal.h"

int
imapserver_cmd_starttls(struct imapserver_cmd *c)
{
	TRY(imapserver_end(c));
	if (conn_is_tls(c->conn))
		return imapserver_bad(c, "TLS is active already");      /* in every state: rfc/9051:1353 */
	if (c->s->state != IMAPSERVER_NOT_AUTHENTICATED)
		return imapserver_no(c, NULL, "already logged in");
	if (!conn_tls_ctx(c->conn))
		return imapserver_bad(c, "TLS is not available");
	snprintf(c->text, sizeof(c->text), "begin TLS negotiation (cid %llx)", (unsigned long long)conn_cid(c->conn));
	c->starttls = true;
	return 0;
}
