/* SPDX-License-Identifier: MIT */
/*
 * One transaction (rfc/5321:1864): MAIL, RCPT, and the message by DATA or BDAT.
 *
 * With PIPELINING (RFC 2920) all commands up to DATA are written at once. BDAT (RFC 3030) is not pipelined with them:
 * that would send a message to nobody when all recipients are refused, and saves no round trip over DATA, whose 354
 * has to be waited for.
 */
#include "smtp/smtp.h"
#include "smtpclient/smtpclient_internal.h"

#define CHUNK (32 * 1024)

struct transaction {
	struct smtpclient *c;
	struct arena *a;
	const struct smtpclient_message *m;
	struct smtpclient_rcpt *rcpts;
	size_t n;
	size_t accepted;
	struct smtpclient_error *e;
};

/* Addresses and parameters become parts of commands. */
static bool
is_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

static int
precheck(struct transaction *t)
{
	struct smtpclient *c = t->c;
	const struct smtpclient_message *m = t->m;
	int64_t size = message_source_size(&m->content);
	bool clean = is_clean(m->from) && is_clean(m->envid);

	for (size_t i = 0; i < t->n; i++)
		clean = clean && is_clean(t->rcpts[i].address) && is_clean(t->rcpts[i].notify) &&
		    is_clean(t->rcpts[i].orcpt);
	if (!clean)
		return smtpclient_fail(
		    t->a, t->e, SMTPCLIENT_CONTENT, true, "mailfrom", "control character in an address");
	if (m->need_8bitmime && !c->ext.eightbitmime)
		return smtpclient_fail(t->a, t->e, SMTPCLIENT_NO_8BITMIME, true, "mailfrom", "message has 8-bit data");
	if (m->smtputf8 && !c->ext.smtputf8)
		return smtpclient_fail(t->a, t->e, SMTPCLIENT_NO_SMTPUTF8, false, "mailfrom",
		    "message has international addresses or headers");
	if (m->requiretls && (!c->ext.requiretls || !c->ssl))
		return smtpclient_fail(
		    t->a, t->e, SMTPCLIENT_NO_REQUIRETLS, false, "mailfrom", "message requires it"); // rfc/8689:288
	if (c->ext.max_size > 0 && size > c->ext.max_size)
		return smtpclient_fail(t->a, t->e, SMTPCLIENT_SIZE, true, "mailfrom",
		    "message is %lld bytes, server takes %lld", (long long)size, (long long)c->ext.max_size);
	return 0;
}

/* mail = "MAIL FROM:" Reverse-path [SP Mail-parameters]    rfc/5321:1913 */
static struct str
mail_command(struct transaction *t)
{
	const struct smtpclient_message *m = t->m;
	const struct smtpclient_extensions *ext = &t->c->ext;
	struct buf b = BUF_ARENA(t->a, 8192);

	buf_addf(&b, "MAIL FROM:<" STRF ">", STRA(m->from));
	if (ext->size)
		buf_addf(&b, " SIZE=%lld", (long long)message_source_size(&m->content));
	if (ext->eightbitmime)
		buf_addz(&b, m->eightbit ? " BODY=8BITMIME" : " BODY=7BIT");
	if (m->smtputf8)
		buf_addz(&b, " SMTPUTF8");
	if (m->requiretls)
		buf_addz(&b, " REQUIRETLS");
	if (ext->dsn && m->ret)
		buf_addf(&b, " RET=%s", m->ret);
	if (ext->dsn && m->envid.n > 0)
		buf_addf(&b, " ENVID=" STRF, STRA(m->envid));
	return buf_str(&b);
}

static struct str
rcpt_command(struct transaction *t, const struct smtpclient_rcpt *r)
{
	struct buf b = BUF_ARENA(t->a, 8192);

	buf_addf(&b, "RCPT TO:<" STRF ">", STRA(r->address));
	if (t->c->ext.dsn && r->notify.n > 0)
		buf_addf(&b, " NOTIFY=" STRF, STRA(r->notify));
	if (t->c->ext.dsn && r->orcpt.n > 0)
		buf_addf(&b, " ORCPT=" STRF, STRA(r->orcpt));
	return buf_str(&b);
}

static int
read_reply(struct transaction *t, const char *command, int64_t timeout_us, struct smtpclient_reply *r)
{
	return smtpclient_read_reply(t->c, t->a, command, t->c->ext.ecodes, timeout_us, r, t->e);
}

/* Enough of recipients for one transaction: others were taken before. rfc/5321:3573 */
static bool
is_too_many(const struct transaction *t, const struct smtpclient_reply *r)
{
	return t->accepted > 0 && (r->code == 452 || r->code == 552);
}

static void
take_rcpt_reply(struct transaction *t, struct smtpclient_rcpt *rcpt, const struct smtpclient_reply *r)
{
	rcpt->reply = *r;
	if (r->code == 250 || r->code == 251) { // rfc/5321:2449: 251 will be forwarded
		rcpt->status = SMTPCLIENT_RCPT_UNKNOWN;
		t->accepted++;
	} else {
		rcpt->status = is_too_many(t, r) ? SMTPCLIENT_RCPT_LATER : SMTPCLIENT_RCPT_REFUSED;
	}
}

/* One by one. After "too many recipients" the rest need not be asked. */
static int
say_rcpts(struct transaction *t)
{
	struct smtpclient_reply r = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		TRY(smtpclient_command(
		    t->c, t->a, "rcptto", rcpt_command(t, &t->rcpts[i]), t->c->ext.ecodes, &r, t->e));
		take_rcpt_reply(t, &t->rcpts[i], &r);
		for (; t->rcpts[i].status == SMTPCLIENT_RCPT_LATER && i + 1 < t->n; i++) {
			t->rcpts[i + 1].status = SMTPCLIENT_RCPT_LATER;
			t->rcpts[i + 1].reply = r;
		}
	}
	return 0;
}

static int
mail_refused(struct transaction *t, const struct smtpclient_reply *r)
{
	return smtpclient_fail_reply(t->a, t->e, SMTPCLIENT_STATUS, "mailfrom", r);
}

/*
 * end_without_rcpts: DATA was sent along and accepted, though nobody is to get the message: an empty one ends it.
 * rfc/2920:165
 */
static int
end_without_rcpts(struct transaction *t)
{
	struct smtpclient_reply r = { 0 };

	smtpclient_say(t->c, S("."), NULL);
	return read_reply(t, "data", t->c->o.final_timeout_us, &r);
}

/* pipelined writes all commands and takes the replies; *r_data is that to DATA, if it was sent. */
static int
pipelined(struct transaction *t, bool data, struct smtpclient_reply *r_data)
{
	struct smtpclient *c = t->c;
	struct smtpclient_reply mail = { 0 }, r = { 0 };

	if (smtpclient_unread(c)) {
		c->botched = true;
		return smtpclient_fail(
		    t->a, t->e, SMTPCLIENT_PROTOCOL, false, "mailfrom", "server sent a reply without a command");
	}
	smtpclient_say(c, mail_command(t), NULL);
	for (size_t i = 0; i < t->n; i++)
		smtpclient_say(c, rcpt_command(t, &t->rcpts[i]), NULL);
	if (data)
		smtpclient_say(c, S("DATA"), NULL);
	TRY(read_reply(t, "mailfrom", c->o.timeout_us, &mail));
	c->need_rset = true;
	for (size_t i = 0; i < t->n; i++) {
		/* A server that refuses the sender often closes at once; the reply to MAIL is then what counts. */
		if (read_reply(t, "rcptto", c->o.timeout_us, &r) < 0) {
			if (mail.code != 250)
				return mail_refused(t, &mail);
			for (size_t j = 0; j < t->n; j++)
				if (t->rcpts[j].status == SMTPCLIENT_RCPT_LATER)
					t->rcpts[j].status = SMTPCLIENT_RCPT_UNKNOWN;
			return t->e->cause;
		}
		if (mail.code == 250)
			take_rcpt_reply(t, &t->rcpts[i], &r);
	}
	int rv = data ? read_reply(t, "data", c->o.timeout_us, r_data) : 0;
	if (mail.code != 250) {
		if (rv == 0 && r_data->code == 354)
			ignore_result(end_without_rcpts(t));
		return mail_refused(t, &mail);
	}
	if (t->accepted == 0) {
		if (rv == 0 && r_data->code == 354)
			ignore_result(end_without_rcpts(t));
		return 0; /* also if the connection is gone: the recipients have their replies */
	}
	return rv;
}

/* Only line ends of CRLF may go out by BDAT either: the next hop may forward with DATA. */
struct line_ends {
	bool cr, bad, complete;
};

static void
check_line_ends(struct line_ends *l, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		l->bad = l->bad || l->cr != (s.p[i] == '\n');
		l->complete = l->cr && s.p[i] == '\n';
		l->cr = s.p[i] == '\r';
	}
}

static int
bad_content(struct transaction *t, const char *what)
{
	t->c->botched = true; /* what was written cannot be taken back */
	return smtpclient_fail(t->a, t->e, SMTPCLIENT_CONTENT, true, "data", "%s", what);
}

/* Takes the pieces of the message one after the other. */
static int
send_content(struct transaction *t, bool stuffed)
{
	struct smtpclient *c = t->c;
	struct smtp_stuff stuff = { 0 };
	struct line_ends ends = { .complete = true };
	struct errmsg e = { 0 };
	int64_t size = message_source_size(&t->m->content), off = 0;
	char *chunk = arena_bytes(t->a, CHUNK);

	while (off < size) {
		size_t n = (size_t)MIN(size - off, (int64_t)CHUNK);
		if (message_source_pread(&t->m->content, off, chunk, n) < 0) {
			c->botched = true;
			return smtpclient_fail(t->a, t->e, SMTPCLIENT_CONTENT, false, "data", "message cannot be read");
		}
		off += (int64_t)n;
		if (stuffed) {
			if (smtp_stuff_add(&stuff, str_n(chunk, n), &c->out) < 0)
				return bad_content(t, "bare carriage return or line feed");
		} else {
			check_line_ends(&ends, str_n(chunk, n));
			if (ends.bad)
				return bad_content(t, "bare carriage return or line feed");
			buf_add(&c->out, str_n(chunk, n));
		}
		int rv = smtpclient_flush(c, &e);
		if (rv < 0)
			return smtpclient_fail(t->a, t->e, rv, false, "data", "%s", e.text);
	}
	if (stuffed ? smtp_stuff_end(&stuff, &c->out) < 0 : !ends.complete)
		return bad_content(t, "last line has no line end");
	smtpclient_note(c, "C: ", str_fmt(t->a, "(message, %lld bytes)", (long long)size));
	return 0;
}

/* One chunk that is the last: the size is known. rfc/3030:179 */
static int
send_bdat(struct transaction *t)
{
	smtpclient_say(t->c, str_fmt(t->a, "BDAT %lld LAST", (long long)message_source_size(&t->m->content)), NULL);
	return send_content(t, false);
}

/* finish reads the verdict on the message, which holds for all recipients that were accepted. */
static int
finish(struct transaction *t)
{
	struct smtpclient_reply r = { 0 };

	t->c->sent_us = time_mono_us();
	TRY(read_reply(t, "data", t->c->o.final_timeout_us, &r));
	t->c->need_rset = false;
	if (r.code != 250)
		return smtpclient_fail_reply(t->a, t->e, SMTPCLIENT_STATUS, "data", &r);
	for (size_t i = 0; i < t->n; i++) {
		if (t->rcpts[i].status == SMTPCLIENT_RCPT_UNKNOWN) {
			t->rcpts[i].status = SMTPCLIENT_RCPT_DELIVERED;
			t->rcpts[i].reply = r;
		}
	}
	return 0;
}

static int
run(struct transaction *t)
{
	struct smtpclient *c = t->c;
	struct smtpclient_reply r = { 0 };
	bool bdat = c->ext.chunking && !c->o.no_chunking;

	if (c->ext.pipelining) {
		TRY(pipelined(t, !bdat, &r));
	} else {
		TRY(smtpclient_command(c, t->a, "mailfrom", mail_command(t), c->ext.ecodes, &r, t->e));
		c->need_rset = true;
		if (r.code != 250)
			return mail_refused(t, &r);
		TRY(say_rcpts(t));
	}
	if (t->accepted == 0)
		return 0;
	if (bdat) {
		TRY(send_bdat(t));
		return finish(t);
	}
	if (!c->ext.pipelining)
		TRY(smtpclient_command(c, t->a, "data", S("DATA"), c->ext.ecodes, &r, t->e));
	if (r.code != 354)
		return smtpclient_fail_reply(t->a, t->e, SMTPCLIENT_STATUS, "data", &r);
	TRY(send_content(t, true));
	return finish(t);
}

int
smtpclient_deliver(struct smtpclient *c, struct arena *a, const struct smtpclient_message *m,
    struct smtpclient_rcpt *rcpts, size_t n, struct smtpclient_error *r_e)
{
	struct transaction t = { .c = c, .a = a, .m = m, .rcpts = rcpts, .n = n, .e = r_e };
	struct smtpclient_reply r = { 0 };

	bug_if(n == 0 || n > LIMIT_SMTP_RCPTS);
	for (size_t i = 0; i < n; i++) {
		rcpts[i].status = SMTPCLIENT_RCPT_UNKNOWN;
		rcpts[i].reply = (struct smtpclient_reply){ 0 };
	}
	if (c->botched)
		return smtpclient_fail(a, r_e, SMTPCLIENT_BOTCHED, false, "mailfrom", "an earlier command failed");
	if (c->need_rset) {
		TRY(smtpclient_command(c, a, "rset", S("RSET"), c->ext.ecodes, &r, r_e));
		if (r.code != 250) {
			c->botched = true;
			return smtpclient_fail_reply(a, r_e, SMTPCLIENT_STATUS, "rset", &r);
		}
		c->need_rset = false;
	}
	TRY(precheck(&t));
	return run(&t);
}
