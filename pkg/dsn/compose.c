/* SPDX-License-Identifier: MIT */
/*
 * Composing DSNs.
 */
#include "dsn/dsn.h"

#include "base/enc.h"
#include "base/timeutil.h"
#include "message/compose.h"

static const char *const actions[] = { "failed", "delayed", "delivered", "relayed", "expanded" };

struct str
dsn_action_name(enum dsn_action action)
{
	return str_of(actions[action]);
}

struct writer {
	struct arena a;
	struct message_composer c;
	bool utf8;
};

/* field writes a status field, folded, whatever its text holds on one line. */
static void
field(struct writer *w, const char *name, struct str value)
{
	message_add_header(&w->c, name, value);
}

static void
field_if(struct writer *w, const char *name, struct str value)
{
	if (value.n > 0)
		field(w, name, value);
}

static void
date_field(struct writer *w, const char *name, int64_t us)
{
	if (us != 0)
		field(w, name, time_rfc5322(&w->a, us, time_local_tz_min(us)));
}

static struct str
literal(struct writer *w, const struct ip *ip)
{
	struct smtp_ipdomain h = { .ip = *ip };

	return smtp_ipdomain(&w->a, &h, false);
}

/* mta writes "dns;name ([ip])". */
static struct str
mta(struct writer *w, const struct dsn_mta *m)
{
	struct str name = smtp_ipdomain(&w->a, &m->name, w->utf8);

	if (m->ip.family == 0)
		return str_cat(&w->a, S("dns;"), name);
	return str_fmt(&w->a, "dns;" STRF " (" STRF ")", STRA(name), STRA(literal(w, &m->ip)));
}

/* address writes a typed address: plain where it is ASCII, else escaped for a 7-bit DSN, or as it is: rfc/6533:211 */
static struct str
address(struct writer *w, const struct smtp_path *p)
{
	if (w->utf8)
		return str_cat(&w->a, S("utf-8;"), smtp_path(&w->a, p, true));
	if (smtp_ipdomain_is_zero(&p->host))
		return str_cat(&w->a, S("rfc822;"), smtp_localpart_dsn(&w->a, p->localpart));
	return str_fmt(&w->a, "rfc822;" STRF "@" STRF, STRA(smtp_localpart_dsn(&w->a, p->localpart)), STRA(smtp_ipdomain(&w->a, &p->host, false)));
}

/* recipient writes the fields of one, behind an empty line: rfc/3464:793 */
static void
recipient(struct writer *w, const struct dsn_recipient *r)
{
	static const char *const statuses[] = { [DSN_FAILED] = "5.0.0", [DSN_DELAYED] = "4.0.0", [DSN_DELIVERED] = "2.0.0", "2.0.0", "2.0.0" };
	struct str status = r->status.n > 0 ? r->status : str_of(statuses[r->action]);

	message_end_header(&w->c);
	if (!smtp_path_is_null(&r->original_recipient))
		field(w, "Original-Recipient", address(w, &r->original_recipient));
	field(w, "Final-Recipient", address(w, &r->final_recipient));
	field(w, "Action", dsn_action_name(r->action));
	if (r->status_comment.n > 0)
		status = str_fmt(&w->a, STRF " (" STRF ")", STRA(status), STRA(r->status_comment));
	field(w, "Status", status);
	if (!smtp_ipdomain_is_zero(&r->remote_mta.name))
		field(w, "Remote-MTA", mta(w, &r->remote_mta));
	if (r->diagnostic.n > 0)
		field(w, "Diagnostic-Code", str_cat(&w->a, S("smtp; "), r->diagnostic));
	date_field(w, "Last-Attempt-Date", r->last_attempt_us);
	field_if(w, "Final-Log-ID", r->final_log_id);
	date_field(w, "Will-Retry-Until", r->will_retry_until_us);
}

/* header_of gives the header of a message without its final empty line; all of it if there is no empty line. */
static struct str
header_of(struct str s)
{
	for (struct str rest = s; rest.n > 0;) {
		struct str line = str_split(&rest, '\n');
		if (line.n == 0 || str_is(line, S("\r")))
			return str_n(s.p, (size_t)(line.p - s.p));
	}
	return s;
}

static void
path_header(struct writer *w, const char *name, const struct smtp_path *p)
{
	message_add_header(&w->c, name, str_fmt(&w->a, "<" STRF ">", STRA(smtp_path(&w->a, p, w->utf8))));
}

static void
part_header(struct writer *w, struct str boundary, const char *type, struct str charset, const char *encoding)
{
	struct message_param p = { S("charset"), charset };

	message_multipart_part(&w->c, boundary);
	message_add_param_header(&w->c, "Content-Type", str_of(type), &p, charset.n > 0);
	message_add_header(&w->c, "Content-Transfer-Encoding", str_of(encoding));
	message_end_header(&w->c);
}

/* lines writes text with CRLF. */
static void
lines(struct writer *w, struct str text)
{
	while (text.n > 0) {
		struct str line = str_split(&text, '\n');
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		buf_add(w->c.b, line);
		buf_add(w->c.b, S("\r\n"));
	}
}

/* whole_part includes the original message. A message/rfc822 part has no encoding (rfc/2046:1582); the internationalised one may have: rfc/6532:373 */
static void
whole_part(struct writer *w, const struct dsn_message *d, struct str boundary)
{
	bool ascii = str_is_ascii(d->original);

	if (!w->utf8 && d->smtputf8 && !ascii) {
		part_header(w, boundary, "message/global", (struct str){ 0 }, "BASE64");
		enc_base64_lines(w->c.b, d->original);
		return;
	}
	part_header(w, boundary, w->utf8 ? "message/global" : "message/rfc822", (struct str){ 0 }, ascii ? "7BIT" : "8BIT");
	lines(w, d->original);
}

static void
original_part(struct writer *w, const struct dsn_message *d, struct str boundary)
{
	struct str header = header_of(d->original);

	if (d->full) {
		whole_part(w, d, boundary);
		return;
	}
	if (w->utf8) {
		part_header(w, boundary, "message/global-headers", (struct str){ 0 }, "8BIT");
		lines(w, header);
	} else if (d->smtputf8) {
		part_header(w, boundary, "text/rfc822-headers", S("utf-8"), "BASE64");
		enc_base64_lines(w->c.b, header);
	} else {
		part_header(w, boundary, "text/rfc822-headers", (struct str){ 0 }, "7BIT");
		lines(w, header);
	}
}

static void
compose(struct writer *w, const struct dsn_message *d, int64_t now_us)
{
	struct message_composer *c = &w->c;
	struct str boundary = message_new_boundary(&w->a);
	struct message_param report = { S("report-type"), S("delivery-status") };

	path_header(w, "From", &d->from);
	path_header(w, "To", &d->to);
	message_add_text_header(c, "Subject", d->subject);
	message_add_message_id(c, d->message_id);
	if (d->references.n > 0)
		message_add_header(c, "References", d->references);
	message_add_date(c, now_us, time_local_tz_min(now_us));
	message_add_header(c, "Auto-Submitted", S("auto-replied"));     // rfc/3834:524
	message_add_header(c, "MIME-Version", S("1.0"));
	message_multipart_begin(c, S("report"), &report, 1, boundary);

	part_header(w, boundary, "text/plain", w->utf8 ? S("utf-8") : (struct str){ 0 }, w->utf8 ? "8BIT" : "7BIT");
	lines(w, d->text);

	part_header(w, boundary, w->utf8 ? "message/global-delivery-status" : "message/delivery-status", (struct str){ 0 }, w->utf8 ? "8BIT" : "7BIT");
	field_if(w, "Original-Envelope-ID", d->original_envelope_id);
	field(w, "Reporting-MTA", str_cat(&w->a, S("dns; "), d->reporting_mta));
	if (d->gateway.n > 0)
		field(w, "DSN-Gateway", str_cat(&w->a, S("dns; "), d->gateway));
	if (!smtp_ipdomain_is_zero(&d->received_from.name))
		field(w, "Received-From-MTA", mta(w, &d->received_from));
	date_field(w, "Arrival-Date", d->arrival_us);
	field_if(w, "Future-Release-Request", d->future_release);
	for (uint32_t i = 0; i < d->nrecipients; i++)
		recipient(w, &d->recipients[i]);

	if (d->original.n > 0)
		original_part(w, d, boundary);
	message_multipart_end(c, boundary);
}

int
dsn_compose(struct buf *b, const struct dsn_message *d, bool utf8, int64_t now_us, bool *r_has_8bit, struct errmsg *e)
{
	if (d->message_id.n == 0)
		return err_set(e, ERR_INVALID, "DSN without Message-ID");
	if (d->nrecipients == 0)
		return err_set(e, ERR_INVALID, "DSN without recipients");
	if (d->reporting_mta.n == 0)
		return err_set(e, ERR_INVALID, "DSN without Reporting-MTA");

	struct writer w = { .utf8 = utf8 && d->smtputf8, .c = { .b = b } };
	w.c.smtputf8 = w.utf8;
	compose(&w, d, now_us);
	arena_done(&w.a);
	*r_has_8bit = w.utf8 || !str_is_ascii(buf_str(b));
	return 0;
}
