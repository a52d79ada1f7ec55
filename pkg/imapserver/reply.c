/* SPDX-License-Identifier: MIT */
/*
 * Results of commands, and untagged data that several commands write.
 */
#include "imapserver/imapserver_internal.h"

#define SEND_AT (16 * 1024)

static void printf_(4, 0)
fail(struct imapserver_cmd *c, enum imapserver_status status, const char *code, const char *fmt, va_list ap)
{
	if (c->status != IMAPSERVER_OK)
		return;
	/* Not in the arena: failures may happen inside of an ARENA_SCOPE. */
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	c->status = status;
	c->code = str_of(code);
}

int
imapserver_bad(struct imapserver_cmd *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(c, IMAPSERVER_BAD, NULL, fmt, ap);
	va_end(ap);
	return IMAPSERVER_FAILED;
}

int
imapserver_no(struct imapserver_cmd *c, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(c, IMAPSERVER_NO, code, fmt, ap);
	va_end(ap);
	return IMAPSERVER_FAILED;
}

int
imapserver_uid_required(struct imapserver_cmd *c)
{
	ignore_result(imapserver_bad(c, "message numbers are not allowed with UIDONLY"));
	c->code = S("UIDREQUIRED");             /* rfc/9586:144 */
	return IMAPSERVER_FAILED;
}

/* Where in the line it went wrong is told only to those who logged in. */
int
imapserver_syntax(struct imapserver_cmd *c)
{
	if (c->s->state == IMAPSERVER_NOT_AUTHENTICATED)
		return imapserver_bad(c, "syntax error");
	return imapserver_bad(c, "syntax error: " STRF, STRA(cur_error(c->a, &c->in)));
}

int
imapserver_end(struct imapserver_cmd *c)
{
	return cur_done(&c->in) ? 0 : imapserver_syntax(c);
}

int
imapserver_error(struct imapserver_cmd *c, int err, const struct errmsg *e, const char *what)
{
	const char *detail = e && e->text[0] ? e->text : err_text(err);

	switch (err) {
	case STORE_NO_MAILBOX:
		return imapserver_no(c, "NONEXISTENT", "no such mailbox");
	case STORE_MAILBOX_EXISTS:
		return imapserver_no(c, "ALREADYEXISTS", "mailbox exists");
	case STORE_HAS_CHILDREN:
		return imapserver_no(c, "HASCHILDREN", "mailbox has children");
	case STORE_BAD_NAME:
		return imapserver_no(c, "CANNOT", "invalid mailbox name: %s", detail);
	case STORE_IS_INBOX:
		return imapserver_no(c, NULL, "not possible for Inbox");
	case STORE_BAD_KEYWORD:
		return imapserver_bad(c, "invalid keyword: %s", detail);
	case STORE_MESSAGE_EXPUNGED:
		return imapserver_no(c, "EXPUNGEISSUED", "a message was expunged meanwhile");
	case STORE_LIMIT:
		return imapserver_no(c, "LIMIT", "limit reached: %s", detail);
	case STORE_UID_OVERFLOW:
		return imapserver_no(c, "LIMIT", "no UIDs left in this mailbox, create a new one and move the messages");
	case ERR_OVERQUOTA:
		return imapserver_no(c, "OVERQUOTA", "over quota");
	case ERR_CANCELED:
	case ERR_TIMEOUT:
		return imapserver_no(c, "UNAVAILABLE", "%s took too long or was interrupted", what);
	default:
		break;
	}
	log_error(conn_log(c->conn), what, log_err(detail), log_s("cmd", c->def ? c->def->name : S("")));
	c->server_error = true;
	if (err == ERR_NOSPACE)
		return imapserver_no(c, "UNAVAILABLE", "no space left on the server");
	return imapserver_no(c, err == ERR_CORRUPT ? "CORRUPTION" : "SERVERBUG", "server error %s", what);
}

void
imapserver_code(struct imapserver_cmd *c, const char *fmt, ...)
{
	struct buf b = BUF_ARENA(c->a, 1024 * 1024);
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	c->code = buf_str(&b);
}

void
imapserver_send(struct imapserver_cmd *c, bool now)
{
	if (c->out.n == 0 || (!now && c->out.n < SEND_AT))
		return;
	conn_write(c->conn, buf_str(&c->out));
	buf_reset(&c->out);
}

void
imapserver_add_mailbox(struct imapserver_cmd *c, struct str name)
{
	imap_add_mailbox(&c->out, c->a, name, imapserver_utf8(c->s));
}

void
imapserver_add_flags(struct buf *b, unsigned flags, struct str keywords)
{
	bool first = true;

	buf_addc(b, '(');
	for (unsigned bit = 1; bit <= STORE_FLAGS_ALL; bit <<= 1) {
		if (!(flags & bit))
			continue;
		if (!first)
			buf_addc(b, ' ');
		first = false;
		buf_addz(b, store_flag_name((enum store_flag)bit));
	}
	if (keywords.n > 0) {
		if (!first)
			buf_addc(b, ' ');
		buf_add(b, keywords);
	}
	buf_addc(b, ')');
}

bool
imapserver_begin_fetch(struct imapserver_cmd *c, uint32_t seq, uint32_t uid)
{
	bool uidonly = c->s->enabled & IMAPSERVER_UIDONLY;

	if (uidonly)                    /* uidfetch-resp   rfc/9586:290 */
		buf_addf(&c->out, "* %u UIDFETCH (", (unsigned)uid);
	else
		buf_addf(&c->out, "* %u FETCH (UID %u", (unsigned)seq, (unsigned)uid);
	return uidonly;
}

void
imapserver_next_item(struct buf *b, bool *first)
{
	if (!*first)
		buf_addc(b, ' ');
	*first = false;
}

void
imapserver_add_fetch_flags(struct imapserver_cmd *c, uint32_t seq, uint32_t uid, unsigned flags, struct str keywords, int64_t modseq)
{
	struct buf *b = &c->out;

	bool first = imapserver_begin_fetch(c, seq, uid);
	imapserver_next_item(b, &first);
	buf_add(b, S("FLAGS "));
	imapserver_add_flags(b, flags, keywords);
	if (c->s->enabled & IMAPSERVER_CONDSTORE) {
		buf_add(b, S(" MODSEQ ("));
		buf_addu(b, (uint64_t)modseq);
		buf_addc(b, ')');
	}
	buf_add(b, S(")\r\n"));
	imapserver_send(c, false);
}

void
imapserver_add_object_id(struct buf *b, char kind, int64_t id)
{
	if (id)
		buf_addf(b, "(%c%lld)", kind, (long long)id);
	else
		buf_addz(b, "NIL");
}

void
imapserver_progress(struct imapserver_cmd *c, uint64_t done, uint64_t total)
{
	int64_t now_us = time_mono_us();

	if (c->progress_us == 0)
		c->progress_us = now_us;
	if (now_us - c->progress_us < c->s->server->progress_period_us || done >= total)
		return;
	c->progress_us = now_us;
	/* resp-text-code =/ "INPROGRESS" ...; a tag with "]" would end the code early   rfc/9585:238 */
	buf_addz(&c->out, "* OK [INPROGRESS (");
	if (str_has(c->tag, ']'))
		buf_addz(&c->out, "NIL");
	else
		imap_add_string(&c->out, c->tag, false);
	buf_addf(&c->out, " %llu %llu)] still at work\r\n", (unsigned long long)done, (unsigned long long)total);
	imapserver_send(c, true);
	conn_flush(c->conn);
}

int
imapserver_mailbox_arg(struct imapserver_cmd *c, struct str *r_name)
{
	struct str name = imap_mailbox(&c->in, imapserver_utf8(c->s));

	if (!cur_ok(&c->in))
		return imapserver_syntax(c);
	*r_name = name;
	return 0;
}

int
imapserver_find(struct imapserver_cmd *c, struct store_tx *tx, struct str name, const char *code, struct store_mailbox *r_mb)
{
	struct errmsg e = { 0 };
	struct str valid;
	int r = store_mailbox_name(c->a, name, true, &valid, &e);

	if (r < 0)
		return imapserver_error(c, r, &e, "checking a mailbox name");
	r = store_mailbox_find(tx, valid, r_mb);
	if (r < 0)
		return imapserver_error(c, r, NULL, "finding a mailbox");
	return r == 0 ? imapserver_no(c, code, "no such mailbox") : 0;
}

int
imapserver_selected(struct imapserver_cmd *c, struct store_tx *tx, struct store_mailbox *r_mb)
{
	int r = store_mailbox_get(tx, c->s->view->mailbox_id, r_mb);

	if (r < 0)
		return imapserver_error(c, r, NULL, "reading the selected mailbox");
	if (r == 0 || r_mb->expunged)
		return imapserver_no(c, "NONEXISTENT", "the mailbox was deleted");
	return 0;
}

int
imapserver_enable_condstore(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_session *s = c->s;
	struct store_mailbox mb;

	if (s->enabled & IMAPSERVER_CONDSTORE)
		return 0;
	s->enabled |= IMAPSERVER_CONDSTORE;
	if (!s->view)
		return 0;
	int r = store_read(s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "reading the selected mailbox");
	TRY(imapserver_selected(c, &tx, &mb));
	buf_addf(&c->out, "* OK [HIGHESTMODSEQ %lld] after CONDSTORE enabling command\r\n", (long long)mb.modseq);
	return 0;
}
