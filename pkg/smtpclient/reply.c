/* SPDX-License-Identifier: MIT */
/*
 * Replies (rfc/5321:2449), and the errors made of them.
 */
#include "metrics/metrics.h"
#include "smtp/smtp.h"
#include "smtpclient/smtpclient_internal.h"

static struct metric m_command = METRICS_HISTOGRAM_INIT("mox_smtpclient_command_duration_seconds",
    "Commands of the SMTP client, until their reply.", metrics_buckets_a120, "cmd", "code", "secode");

const char *
smtpclient_cause_text(int cause)
{
	switch (cause) {
	case SMTPCLIENT_SIZE: return "message too large for remote server";
	case SMTPCLIENT_NO_8BITMIME: return "remote server does not implement 8bitmime";
	case SMTPCLIENT_NO_SMTPUTF8: return "remote server does not implement smtputf8";
	case SMTPCLIENT_NO_REQUIRETLS: return "remote server does not implement requiretls";
	case SMTPCLIENT_STATUS: return "remote server sent unexpected response status code";
	case SMTPCLIENT_PROTOCOL: return "smtp protocol error";
	case SMTPCLIENT_TLS: return "tls error";
	case SMTPCLIENT_BOTCHED: return "smtp connection is out of step and not usable";
	case SMTPCLIENT_CLOSED: return "client is closed";
	case SMTPCLIENT_IO: return "connection failed";
	case SMTPCLIENT_CONTENT: return "message cannot be sent";
	default: return "unknown error";
	}
}

int
smtpclient_fail(
    struct arena *a, struct smtpclient_error *r_e, int cause, bool permanent, const char *command, const char *fmt, ...)
{
	struct buf b = BUF_ARENA(a, 4096);
	va_list ap;

	buf_addf(&b, "%s, %s: ", smtpclient_cause_text(cause), permanent ? "permanent" : "transient");
	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	*r_e = (struct smtpclient_error){
		.cause = cause, .permanent = permanent, .command = command, .text = buf_str(&b)
	};
	return cause;
}

int
smtpclient_fail_reply(
    struct arena *a, struct smtpclient_error *r_e, int cause, const char *command, const struct smtpclient_reply *reply)
{
	bool permanent = reply->code / 100 == 5;

	*r_e = (struct smtpclient_error){ .cause = cause, .permanent = permanent, .command = command, .reply = *reply };
	r_e->text = str_fmt(
	    a, "%s, %s: " STRF, smtpclient_cause_text(cause), permanent ? "permanent" : "transient", STRA(reply->line));
	return cause;
}

static void
observe(struct smtpclient *c, const char *command, const struct smtpclient_reply *reply)
{
	char code[8];

	/* The label must not depend on a peer beyond what is known. */
	snprintf(code, sizeof(code), "%d", smtp_code_known(reply->code) ? reply->code : reply->code / 100 * 100);
	metrics_observe(&m_command, (double)(time_mono_us() - c->sent_us) / 1e6, command, code, reply->secode, NULL);
}

int
smtpclient_read_reply(struct smtpclient *c, struct arena *a, const char *command, bool ecodes, int64_t timeout_us,
    struct smtpclient_reply *r_reply, struct smtpclient_error *r_e)
{
	struct smtpclient_reply reply = { 0 };
	struct smtp_reply_line l = { .more = true };
	struct errmsg e = { 0 };
	struct str line;
	size_t size = 0;

	for (unsigned n = 0; l.more; n++) {
		int rv = smtpclient_line(c, timeout_us, &line, &e);
		if (rv < 0)
			return smtpclient_fail(a, r_e, rv, false, command, "%s", e.text);
		smtpclient_note(c, "S: ", line);
		size += line.n;
		if (n >= LIMIT_SMTP_PEER_REPLY_LINES || size > LIMIT_SMTP_PEER_REPLY) {
			c->botched = true;
			return smtpclient_fail(a, r_e, SMTPCLIENT_PROTOCOL, false, command, "reply is too long");
		}
		if (smtp_parse_reply_line(line, &l) < 0 || (n > 0 && l.code != reply.code)) {
			c->botched = true;
			return smtpclient_fail(a, r_e, SMTPCLIENT_PROTOCOL, false, command, "malformed reply: " STRF,
			    STRA(str_log(a, line, 200)));
		}
		line = str_dup(a, line);
		if (n > 0) {
			strlist_add(a, &reply.more, line);
			continue;
		}
		reply.code = l.code;
		reply.line = line;
		if (ecodes && l.enhanced.n > 2 && l.enhanced.n - 2 < sizeof(reply.secode))
			memcpy(reply.secode, l.enhanced.p + 2, l.enhanced.n - 2);
	}
	if (reply.code == 421)
		c->botched = true; /* the server goes: rfc/5321:1652 */
	observe(c, command, &reply);
	*r_reply = reply;
	return 0;
}

int
smtpclient_command(struct smtpclient *c, struct arena *a, const char *command, struct str line, bool ecodes,
    struct smtpclient_reply *r_reply, struct smtpclient_error *r_e)
{
	/* Something that nobody asked for would be taken for the reply to this. */
	if (smtpclient_unread(c)) {
		c->botched = true;
		return smtpclient_fail(
		    a, r_e, SMTPCLIENT_PROTOCOL, false, command, "server sent a reply without a command");
	}
	smtpclient_say(c, line, NULL);
	return smtpclient_read_reply(c, a, command, ecodes, c->o.timeout_us, r_reply, r_e);
}
