/* SPDX-License-Identifier: MIT */
/*
 * Submission (RFC 6409): what a user may send, and what is added where the user's program left it out.
 */
#include "message/header.h"
#include "message/authres.h"
#include "message/compose.h"
#include "smtpserver/smtpserver_internal.h"

static int
refused(struct session *s unused_, const char *result)
{
	metrics_add(&smtpserver_m_submission, 1, result, NULL);
	return -1;
}

/* check_author: exactly one From with one address, which the account may send as. */
static int
check_author(struct session *s)
{
	struct errmsg e = { 0 };
	struct smtp_address from;

	if (message_from(&s->tx.arena, s->data->header, &from, &e) < 0) {
		smtpserver_userf(s, 550, SMTP_E_CONTENT_OTHER, "message must have exactly one From address: %s", e.text);
		return refused(s, "badheader");
	}
	s->data->msgfrom = from;
	if (smtpserver_may_send(s, &from, "From header") < 0) {
		log_info(conn_log(s->c), "submission with From of somebody else", log_s("from", smtp_address_log(conn_arena(s->c), &from)),
		    log_s("account", s->user.account));
		return refused(s, "badfrom");
	}
	return 0;
}

/* add_missing makes the fields that every message must have: rfc/6409:743, rfc/6409:749 */
static void
add_missing(struct session *s, const struct config *cfg)
{
	struct arena *a = conn_arena(s->c);
	struct str header = s->data->header;
	struct buf b = BUF_ARENA(&s->tx.arena, 64 * 1024);

	if (message_header_get(a, header, S("Message-Id")).n == 0)
		buf_addf(&b, "Message-Id: <" STRF ">\r\n", STRA(message_new_id(a, &cfg->hostname)));
	if (!message_field_find(header, S("Date"), &(struct message_field){ 0 }))
		buf_addf(&b, "Date: " STRF "\r\n", STRA(smtpserver_date(s, s->data->received_us)));

	/* The signature covers what was added so far. */
	buf_add(&b, smtpserver_dkim(s, cfg, str_dup(a, buf_str(&b))));

	struct str from = smtp_path(a, &s->tx.from, s->data->utf8_needed);
	struct message_authprop prop = { .type = S("smtp"), .property = S("mailfrom"), .value = from, .is_addr = true };
	struct message_authmethod method = { .method = S("auth"), .result = S("pass"), .props = &prop, .nprops = from.n > 0 ? 1 : 0 };
	message_authres_add(&b, &(struct message_authres){ .hostname = cfg->hostname.ascii, .methods = &method, .nmethods = 1 });
	s->data->prefix = buf_str(&b);
}

int
smtpserver_submit_check(struct session *s)
{
	cleanup_(config_unref) struct config *cfg = smtpserver_config(s->srv);

	TRY(check_author(s));
	if (cfg->pedantic && message_field_count(s->data->header, S("Return-Path")) > 0) {
		smtpserver_userf(s, 550, SMTP_E_CONTENT_OTHER, "message must not have a Return-Path header");  // rfc/5321:3204
		return refused(s, "badheader");
	}
	add_missing(s, cfg);
	return 0;
}
