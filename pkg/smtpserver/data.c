/* SPDX-License-Identifier: MIT */
/*
 * A message was received: is it one that we take?
 *
 * Whatever the answer, the transaction is over (rfc/5321:2036): a client that sends DATA again without MAIL would be answered for something else.
 */
#include "message/header.h"
#include "message/message.h"
#include "smtpserver/smtpserver_internal.h"

#define RECEIVED_MAX 100                /* more of them are a loop: rfc/5321:4069 */
#define UNKNOWN_DELAY_US (5 * TIME_SEC)

/* check_wire: what is wrong with how it came. */
static int
check_wire(struct session *s)
{
	struct data *d = s->data;

	switch (d->dot.bad) {
	case SMTP_DOT_GOOD:
		break;
	case SMTP_DOT_BARE_CR:
		return smtpserver_userf(s, 500, SMTP_E_PROTO_SYNTAX, "bare carriage return in message, refused as smtp smuggling");
	case SMTP_DOT_BARE_LF_DOT:
		return smtpserver_userf(s, 500, SMTP_E_PROTO_SYNTAX, "bare line feed around a dot in message, refused as smtp smuggling");
	}
	if (d->dot.content.size_in > d->max)
		return smtpserver_userf(s, 552, SMTP_E_SYS_SIZE, "message is too large, limit is %lld bytes", (long long)d->max);       // rfc/1870:135
	if (d->err < 0)
		return smtpserver_serverf(s, d->err, "writing message: %s", err_text(d->err));
	int err = blob_view(d->blob, &d->content);
	if (err < 0)
		return smtpserver_serverf(s, err, "reading message: %s", err_text(err));
	d->header = str_upto(d->content, (size_t)d->dot.content.header_size);
	return 0;
}

static bool
non_ascii_path(struct session *s)
{
	bool non_ascii = smtp_path_needs_utf8(&s->tx.from);

	for (size_t i = 0; i < s->tx.nrcpts; i++)
		non_ascii = non_ascii || smtp_path_needs_utf8(&s->tx.rcpts[i].path);
	return non_ascii;
}

/* parts_need_utf8 looks for 8-bit headers in parts; without a message that parses completely, what was declared stands. */
static bool
parts_need_utf8(struct session *s)
{
	struct message_source src = message_source_mem(s->data->content);
	struct message m;

	if (!s->data->dot.content.has_8bit)
		return false;
	if (!str_is_ascii(s->data->header))
		return true;
	if (message_parse(conn_arena(s->c), &src, MESSAGE_STRICT, &m, NULL) < 0)
		return s->tx.utf8;
	return message_needs_smtputf8(&m);
}

/*
 * check_utf8 finds out whether the message needs SMTPUTF8. Who declares it need not need it: then the message can go where SMTPUTF8 is unknown.
 */
static int
check_utf8(struct session *s, bool pedantic)
{
	struct data *d = s->data;

	d->utf8_needed = s->tx.utf8;
	if (s->tx.utf8 || s->l->submission || pedantic)
		d->utf8_needed = non_ascii_path(s) || parts_need_utf8(s);
	if (pedantic && d->utf8_needed && !s->tx.utf8) {
		if (s->l->submission)
			metrics_add(&smtpserver_m_submission, 1, "missingsmtputf8", NULL);
		return smtpserver_userf(s, 550, SMTP_E_CONTENT_OTHER, "message needs SMTPUTF8, which was not declared");
	}
	return 0;
}

/* check_complete: in local test mode people test what they generate, so a message must parse to its end, and they are told where it does not. */
static int
check_complete(struct session *s)
{
	struct message_source src = message_source_mem(s->data->content);
	struct message m;
	struct errmsg e = { 0 };

	if (!smtpserver_is_localserve(s->srv))
		return 0;
	int err = message_parse(conn_arena(s->c), &src, MESSAGE_STRICT, &m, &e);
	if (err == ERR_IO || err == ERR_CORRUPT)
		return smtpserver_serverf(s, err, "parsing message: %s", err_text(err));
	if (err < 0)
		return smtpserver_userf(s, 554, SMTP_E_CONTENT_OTHER, "message does not parse: part %u, at byte %lld: " STRF, m.fault.part + 1,
		    (long long)m.fault.off, STRA(m.fault.text.n ? m.fault.text : str_of(e.text)));
	return 0;
}

static int
check_loop(struct session *s)
{
	if (message_field_count(s->data->header, S("Received")) > RECEIVED_MAX)
		return smtpserver_userf(s, 550, SMTP_E_NET_LOOP, "loop detected, more than %d Received headers", RECEIVED_MAX);
	return 0;
}

static int
unknown_user(struct session *s)
{
	return smtpserver_userf(s, 550, SMTP_E_ADDR_MAILBOX, "no such user(s)");
}

/* accept_message decides, and delivers. Negative: refused, or 0 with the reply written, or 0 with a pause. */
static int
accept_message(struct session *s)
{
	cleanup_(config_unref) struct config *cfg = smtpserver_config(s->srv);
	struct data *d = s->data;

	TRY(check_wire(s));
	if (s->l->submission && !d->dot.content.has_body) {
		metrics_add(&smtpserver_m_submission, 1, "badmessage", NULL);
		return smtpserver_userf(s, 554, SMTP_E_CONTENT_OTHER, "message requires a header and a body, separated by an empty line");
	}
	if (s->l->submission && cfg->pedantic && d->dot.content.has_8bit && !s->tx.body_8bit)
		return smtpserver_userf(s, 500, SMTP_E_CONTENT_OTHER, "8-bit message needs BODY=8BITMIME");
	TRY(check_utf8(s, cfg->pedantic));

	s->bad++;       /* until it turns out well */
	TRY(check_loop(s));
	TRY(check_complete(s));
	ignore_result(message_from(&s->tx.arena, d->header, &d->msgfrom, NULL));
	if (s->l->submission)
		TRY(smtpserver_submit_check(s));
	if (s->tx.rcpts[0].unknown)
		return smtpserver_pause(s, UNKNOWN_DELAY_US, unknown_user);
	for (size_t i = 0; i < s->tx.nrcpts; i++) {
		struct str localpart = s->tx.rcpts[i].path.localpart;
		if (str_starts(localpart, S("rcptto")) || ((s->l->submission || s->srv->opts.queue == NULL) && str_starts(localpart, S("queue"))))
			continue;
		int waits = smtpserver_localserve(s, localpart);
		if (waits != 0)
			return MIN(waits, 0);
	}
	TRY(smtpserver_deliver(s));
	s->bad--;
	s->good++;
	smtpserver_reply(s, 250, SMTP_E_MAILBOX_OTHER, S("it is done"));
	return 0;
}

int
smtpserver_data_spooled(struct session *s, int status)
{
	struct data *d = s->data;

	d->received_us = clock_now_us(s->srv->opts.clock);
	int err = status < 0 ? smtpserver_serverf(s, status, "receiving message: %s", err_text(status)) : accept_message(s);
	if (s->resume == NULL)
		smtpserver_tx_clear(s);
	return err;
}
