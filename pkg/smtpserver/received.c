/* SPDX-License-Identifier: MIT */
/*
 * The trace field (rfc/5321:3302).
 */
#include "message/compose.h"
#include "smtpserver/smtpserver_internal.h"

struct str
smtpserver_date(struct session *s, int64_t us)
{
	return time_rfc5322(conn_arena(s->c), us, time_local_tz_min(us));
}

static struct str
ip_literal(struct arena *a, const struct ip *ip)
{
	return smtp_ipdomain(a, &(struct smtp_ipdomain){ .ip = *ip }, false);
}

/* with_protocol: rfc/3848:29, rfc/6531:803 */
static struct str
with_protocol(struct session *s)
{
	const char *base = s->data->utf8_needed ? "UTF8SMTP" : s->esmtp ? "ESMTP" : "SMTP";

	return str_fmt(conn_arena(s->c), "with %s%s%s", base, conn_is_tls(s->c) ? "S" : "", s->logged_in ? "A" : "");
}

void
smtpserver_received(struct session *s, struct buf *b, const struct smtp_path *rcpt)
{
	cleanup_(config_unref) struct config *cfg = smtpserver_config(s->srv);
	struct arena *a = conn_arena(s->c);
	struct message_folder f;
	const struct tls_info *tls = conn_tls(s->c);
	bool utf8 = s->data->utf8_needed;
	struct str remote = ip_literal(a, &conn_remote(s->c)->ip);
	struct str local = ip_literal(a, &conn_local(s->c)->ip);

	message_folder_begin(&f, b, "Received");
	if (s->l->submission) {
		/* Where our user sits is nobody's business. */
		message_folder_add(&f, S(" "), str_cat(a, S("from "), cfg->hostname.ascii));
	} else {
		struct str name = s->helo.ip.family ? smtp_ipdomain(a, &s->helo, utf8) : message_header_domain(a, &s->helo.domain, utf8);
		message_folder_add(&f, S(" "), str_fmt(a, "from " STRF, STRA(name)));
		message_folder_add(&f, S(" "), str_fmt(a, "(" STRF ")", STRA(remote)));
	}
	message_folder_add(&f, S(" "), str_fmt(a, "by " STRF, STRA(cfg->hostname.ascii)));
	message_folder_add(&f, S(" "), str_fmt(a, "(" STRF ")", STRA(local)));
	message_folder_add(&f, S(" "), S("via tcp"));
	message_folder_add(&f, S(" "), with_protocol(s));
	if (s->tx.requiretls)
		message_folder_add(&f, S(" "), S("(requiretls)"));
	message_folder_add(&f, S(" "), str_cat(a, S("id "), smtpserver_cid(s)));
	if (tls != NULL)
		message_folder_add(&f, S(" "), str_fmt(a, "(" STRF " " STRF ")", STRA(tls->version_name), STRA(tls->cipher_name)));
	if (rcpt != NULL)
		message_folder_add(&f, S(" "), str_fmt(a, "for <" STRF ">", STRA(smtp_path(a, rcpt, false))));
	message_folder_add(&f, S(""), S(";"));
	message_folder_add(&f, S(" "), smtpserver_date(s, s->data->received_us));
	message_folder_end(&f);
}
