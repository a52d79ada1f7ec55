/* SPDX-License-Identifier: MIT */
/*
 * Replies, and the failure of a command, which only the dispatcher renders.
 */
#include "smtpserver/smtpserver_internal.h"

#define REPLY_MAX (64 * 1024)           /* a reply for 1000 recipients, each with its reason */

struct str
smtpserver_cid(struct session *s)
{
	if (s->cid[0] == '\0') {
		struct str text = smtpserver_cid_encode(conn_arena(s->c), s->srv->opts.cid_key, s->srv->opts.cid_secret, conn_cid(s->c));
		memcpy(s->cid, text.p, MIN(text.n, sizeof(s->cid) - 1));
	}
	return str_of(s->cid);
}

void
smtpserver_reply(struct session *s, int code, const char *ecode, struct str text)
{
	struct buf b = BUF_ARENA(conn_arena(s->c), REPLY_MAX);

	smtp_reply_add(&b, code, ecode, text);
	conn_write(s->c, buf_str(&b));
	s->code = code;
	snprintf(s->ecode, sizeof(s->ecode), "%s", ecode ? ecode : "");
}

void
smtpserver_replyf(struct session *s, int code, const char *ecode, const char *fmt, ...)
{
	struct buf b = BUF_ARENA(conn_arena(s->c), REPLY_MAX);
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	smtpserver_reply(s, code, ecode, buf_str(&b));
}

void
smtpserver_reply_lines(struct session *s, int code, const struct strlist *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		conn_writef(s->c, "%d%c" STRF "\r\n", code, i + 1 < lines->n ? '-' : ' ', STRA(lines->v[i]));
	s->code = code;
	s->ecode[0] = '\0';
}

static int
fail(struct session *s, const char *file, int line, int code, const char *ecode, struct str text, struct str cause)
{
	if (s->failure.set)
		return -1;
	s->failure = (struct failure){ .set = true, .code = code, .text = text, .cause = cause, .file = file, .line = line };
	snprintf(s->failure.ecode, sizeof(s->failure.ecode), "%s", ecode);
	return -1;
}

int
smtpserver_fail_user(struct session *s, const char *file, int line, int code, const char *ecode, const char *fmt, ...)
{
	struct buf b = BUF_ARENA(conn_arena(s->c), REPLY_MAX);
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	return fail(s, file, line, code, ecode, buf_str(&b), S(""));
}

int
smtpserver_fail_server(struct session *s, const char *file, int line, int err, const char *fmt, ...)
{
	struct buf b = BUF_ARENA(conn_arena(s->c), 1024);
	bool full = err == ERR_NOSPACE;
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	/* What went wrong inside is nobody else's business. */
	return fail(s, file, line, full ? 452 : 451, full ? SMTP_E_SYS_FULL : SMTP_E_SYS_OTHER, full ? S("no space") : S("error processing"), buf_str(&b));
}

int
smtpserver_fail_parse(struct session *s, const struct cur *p)
{
	struct arena *a = conn_arena(s->c);
	struct str what = cur_error(a, p);
	struct str rest = { 0 };

	if (s->logged_in)
		rest = str_fmt(a, ", remaining \"%s\"", str_log(a, str_n(p->p, (size_t)(p->end - p->p)), 100).p);
	return smtpserver_userf(s, 501, SMTP_E_PROTO_SYNTAX, "bad syntax: " STRF STRF, STRA(what), STRA(rest));
}

int
smtpserver_end(struct session *s, struct cur *p)
{
	return cur_done(p) ? 0 : smtpserver_fail_parse(s, p);
}

void
smtpserver_render_failure(struct session *s)
{
	struct failure *f = &s->failure;

	if (f->cause.n > 0)
		log_error(conn_log(s->c), "command failed", log_s("err", f->cause), log_z("cmd", s->cmd ? s->cmd->label : ""),
		    log_z("file", f->file), log_i("line", f->line));
	else
		log_debug(conn_log(s->c), "command refused", log_z("cmd", s->cmd ? s->cmd->label : ""), log_i("code", f->code),
		    log_z("ecode", f->ecode), log_s("text", f->text));
	struct str cid = smtpserver_cid(s);
	smtpserver_replyf(s, f->code, f->ecode, STRF " (" STRF ")", STRA(f->text), STRA(cid));
	s->failure.set = false;
}
