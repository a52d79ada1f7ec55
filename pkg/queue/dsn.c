/* SPDX-License-Identifier: MIT */
/*
 * Telling senders: notifications go straight into the mailbox of the account, not over the queue.
 */
#include "queue/queue_internal.h"

#include "dsn/dsn.h"
#include "message/compose.h"
#include "store/messages.h"

#define DSN_MAX (1024 * 1024)

/* NOTIFY of the submitter decides; without it failures and delays are told. rfc/3461:365 */
bool
queue_wants_dsn(const struct queue_msg *m, enum queue_dsn_kind kind)
{
	static const char *const words[] = {
		[QUEUE_DSN_FAILED] = "FAILURE", [QUEUE_DSN_DELAYED] = "DELAY", [QUEUE_DSN_DELIVERED] = "SUCCESS"
	};
	struct str rest = m->dsn_notify;

	if (rest.n == 0)
		return kind != QUEUE_DSN_DELIVERED;
	while (rest.n > 0)
		if (str_icase(str_split(&rest, ','), str_of(words[kind])))
			return true;
	return false;
}

/* give_up_time: when the last attempt will be, by the schedule. */
static int64_t
give_up_time(const struct queue_msg *m)
{
	int64_t t = m->next_attempt;

	for (int64_t i = m->attempts + 1; i < queue_max_attempts(m); i++)
		t += queue_backoff(i);
	return t;
}

static struct str
dsn_text(struct arena *a, const struct queue_msg *m, enum queue_dsn_kind kind, const struct queue_outcome *o,
    int64_t give_up)
{
	struct buf b = BUF_ARENA(a, 64 * 1024);
	struct str cause = queue_cause(o->code, o->secode, o->lines);

	if (kind == QUEUE_DSN_DELIVERED) {
		buf_addf(&b,
		    "Your message was handed over to the mail server of the recipient, as you asked to be told.\n"
		    "That server tells nothing about what becomes of it there.\n\n\t" STRF "\n",
		    STRA(m->recipient));
		return buf_str(&b);
	}
	buf_addz(&b,
	    kind == QUEUE_DSN_FAILED ?
		"Your message could not be delivered to this recipient. It will not be tried again.\n" :
		"Your message could not be delivered to this recipient yet. It will be tried again; you need not do anything.\n");
	buf_addf(&b, "\n\t" STRF "\n", STRA(m->recipient));
	if (cause.n > 0)
		buf_addf(&b, "\nReason: " STRF ".\n", STRA(cause));
	buf_addf(&b, "\nError:\n\n\t" STRF "\n", STRA(o->error));
	if (o->lines.n > 0)
		buf_addf(&b, "\nThe remote server said:\n\n\t" STRF "\n", STRA(o->lines));
	if (kind == QUEUE_DSN_DELAYED)
		buf_addf(&b, "\nThe last attempt will be around " STRF ".\n",
		    STRA(time_rfc5322(a, give_up, time_local_tz_min(give_up))));
	return buf_str(&b);
}

/* parse_stored reads an address of a row, which was made by smtp_path. */
static int
parse_stored(struct arena *a, struct str s, struct smtp_path *r_p)
{
	return smtp_parse_path(
	    a, str_fmt(a, "<" STRF ">", STRA(s)), SMTP_UTF8 | SMTP_UNDERSCORE | SMTP_EMPTY, r_p, NULL);
}

static int
compose(struct queue *q, struct arena *a, const struct config *cfg, const struct queue_msg *m, enum queue_dsn_kind kind,
    const struct queue_outcome *o, struct str head, struct buf *b, struct errmsg *e)
{
	int64_t now = queue_now(q), give_up = give_up_time(m);
	struct dsn_recipient r = {
		.action = kind == QUEUE_DSN_FAILED ? DSN_FAILED :
		    kind == QUEUE_DSN_DELAYED      ? DSN_DELAYED :
		    DSN_RELAYED,
		.status = str_fmt(a, "%d.%s",
		    kind == QUEUE_DSN_FAILED      ? 5 :
			kind == QUEUE_DSN_DELAYED ? 4 :
						    2,
		    o->secode[0] ? o->secode : "0.0"),
		.status_comment = kind == QUEUE_DSN_DELIVERED ? S("") : o->error,
		.diagnostic = o->lines,
		.last_attempt_us = m->last_attempt,
		.will_retry_until_us = kind == QUEUE_DSN_DELAYED ? give_up : 0,
	};
	struct dsn_message d = {
		.smtputf8 = m->smtputf8,
		.subject = kind == QUEUE_DSN_FAILED ? S("mail delivery failed") :
		    kind == QUEUE_DSN_DELAYED       ? S("mail delivery delayed") :
		    S("mail delivered"),
		.message_id = message_new_id(a, &cfg->hostname),
		.references = m->message_id,
		.text = dsn_text(a, m, kind, o, give_up),
		.original_envelope_id = m->dsn_envid,
		.reporting_mta = cfg->hostname.ascii,
		.arrival_us = m->queued,
		.future_release = m->future_release_request,
		.recipients = &r,
		.nrecipients = 1,
		.original = head,
	};
	bool has_8bit;

	TRY(parse_stored(a, m->sender, &d.to));
	TRY(parse_stored(a, m->recipient, &r.final_recipient));
	d.from = (struct smtp_path){ .localpart = S("postmaster"), .host = { .domain = cfg->hostname } };
	if (o->remote_mta.n > 0) {
		ignore_result(smtp_parse_ipdomain(a, o->remote_mta, SMTP_UNDERSCORE, &r.remote_mta.name, NULL) < 0);
		ignore_result(ip_parse(o->remote_ip, &r.remote_mta.ip) < 0);
	}
	buf_addz(b, "Return-Path: <>\r\n"); // rfc/5321:3204
	return dsn_compose(b, &d, m->smtputf8, now, &has_8bit, e);
}

static int
deliver(struct queue *q, const struct config *cfg, const struct queue_msg *m, struct str text, struct errmsg *e)
{
	cleanup_(store_account_close) struct store_account *acct = NULL;
	cleanup_(blob_free) struct blob *blob = NULL;
	cleanup_(arena_done) struct arena a = { 0 };
	struct str mailbox = S("Inbox");
	struct store_added added;
	int rv = STORE_NO_ACCOUNT;

	if (m->is_dmarc_report)
		mailbox = str_cat(&a, cfg->postmaster_mailbox, S("/dmarc"));
	else
		rv = store_account_open(q->o.store, m->sender_account, false, &acct, e);
	if (rv == STORE_NO_ACCOUNT) {
		if (!m->is_dmarc_report)
			mailbox = cfg->postmaster_mailbox;
		*e = (struct errmsg){ 0 };
		rv = store_account_open(q->o.store, cfg->postmaster_account, false, &acct, e);
	}
	TRY(rv);
	TRY(blob_new(store_tmp_dir(q->o.store), &blob));
	TRY(blob_write(blob, text));
	struct store_add add = { .blob = blob, .flags = m->is_dmarc_report ? STORE_SEEN : 0 };
	return store_deliver(acct, mailbox, &add, &added, e);
}

void
queue_dsn(struct queue *q, const struct config *cfg, const struct queue_msg *m, enum queue_dsn_kind kind,
    const struct queue_outcome *o, struct str head)
{
	cleanup_(arena_done) struct arena a = { 0 };
	struct buf b = BUF_ARENA(&a, DSN_MAX);
	struct errmsg e = { 0 };

	/* Nobody wants to hear of it: a notification of ours, or of another server. */
	if (m->sender.n == 0) {
		log_info(q->o.log, "no notification about a message with null sender", log_i("msgid", m->id));
		return;
	}
	if (q->o.store == NULL)
		return;
	int rv = compose(q, &a, cfg, m, kind, o, head, &b, &e);
	if (rv == 0 && b.failed)
		rv = ERR_LIMIT;
	if (rv == 0)
		rv = deliver(q, cfg, m, buf_str(&b), &e);
	if (rv < 0)
		log_error(q->o.log, "notification for the sender could not be delivered",
		    log_err(e.text[0] ? e.text : err_text(rv)), log_i("msgid", m->id),
		    log_s("account", m->sender_account));
}
