/* SPDX-License-Identifier: MIT */
/*
 * Messages that come with a command: what APPEND (rfc/9051:3406) and REPLACE (rfc/8508) share, with literal8 (rfc/3516)
 * and UTF8 data (rfc/6855:219).
 *
 * The command continues over several units: the head up to the first literal, the literal's octets (a spool into a
 * blob), what follows up to the next literal, and so on to the end of the line. Mailbox and quota are checked before
 * a client that waits is asked for its octets. One that does not wait sends them anyway: after a failure they are
 * taken and dropped, and the failure is told at the end.
 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

void
imapserver_upload_free(struct imapserver_session *s, void *data)
{
	struct imapserver_upload *up = data;

	(void)s;
	for (struct imapserver_uploaded *m = up->first; m; m = m->next)
		blob_free(&m->blob);
	mem_free(&up->text);
	arena_done(&up->mem);
	mem_free(&up);
}

/* Takes octets of the literal. It stays in step whatever happens to the blob. */
static ssize_t
take_octets(struct conn_sink *sink, struct str in, bool *r_done)
{
	struct imapserver_upload *up = container_of(sink, struct imapserver_upload, sink);
	size_t n = (size_t)MIN((uint64_t)in.n, up->left);

	if (up->into && up->err == 0)
		up->err = MIN(blob_write(up->into, str_upto(in, n)), 0);
	up->left -= n;
	*r_done = up->left == 0;
	return (ssize_t)n;
}

/* Keeps what the handler recorded for the end of the command. */
static void
keep_failure(struct imapserver_cmd *c, struct imapserver_upload *up)
{
	if (up->status == IMAPSERVER_OK) {
		up->status = c->status;
		up->code = str_dup(&up->mem, c->code);
		up->text = mem_strdup(c->text);
		up->server_error = c->server_error;
	}
	c->status = IMAPSERVER_OK;
	c->code = (struct str){ 0 };
	c->text[0] = '\0';
	c->server_error = false;
}

static int
tell_failure(struct imapserver_cmd *c, const struct imapserver_upload *up)
{
	c->server_error = up->server_error;
	if (up->status == IMAPSERVER_BAD)
		return imapserver_bad(c, "%s", up->text);
	ignore_result(imapserver_no(c, NULL, "%s", up->text));
	c->code = str_dup(c->a, up->code);
	return IMAPSERVER_FAILED;
}

/*
 * [SP flag-list] [SP date-time] SP (literal / literal8 / "UTF8" SP "(" literal8 ")"), up to the announcement
 * rfc/9051:6325 rfc/6855:219
 */
static int
parse_message(struct imapserver_cmd *c, struct imapserver_upload *up, struct imapserver_uploaded *m)
{
	struct cur *in = &c->in;

	in->a = &up->mem;
	imap_sp(in);
	if (cur_is(in, '(')) {
		imap_flag_list(in, &m->flags);
		for (size_t i = 0; i < m->flags.n; i++)
			m->flags.v[i] = str_dup(&up->mem, m->flags.v[i]);
		imap_sp(in);
	}
	if (cur_is(in, '"')) {
		m->received_us = imap_date_time(in, &m->received_tz);
		imap_sp(in);
	}
	up->utf8 = imap_try_keyword(in, S("UTF8"));
	if (up->utf8) {
		imap_sp(in);
		cur_char(in, '(');
		if (!cur_is(in, '~'))
			cur_fail(in, "literal8");
	}
	if (!(c->unit_flags & IMAP_UNIT_MESSAGE))
		cur_fail(in, "literal with the message");
	imap_announcement(in);
	return imapserver_end(c);
}

/* What can be known before the octets come: the mailbox is there, and they fit. */
static int
check(struct imapserver_cmd *c, struct imapserver_upload *up)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	int64_t credit = 0;

	if (up->n > up->max)
		return up->max == 1 ? imapserver_bad(c, "one message only") :
		    imapserver_no(c, "LIMIT", "too many messages");
	if (c->literal == 0)
		return imapserver_no(c, NULL, "empty message: nothing is appended");      /* rfc/3502:140 */
	if (c->literal > LIMIT_IMAP_APPEND)
		return imapserver_no(c, "TOOBIG", "message too large");         /* rfc/7889:219 */
	up->size += (int64_t)c->literal;        /* bounded by the limits of both */
	int r = store_read(c->s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "appending a message");
	TRY(imapserver_find(c, &tx, up->name, "TRYCREATE", &mb));
	if (up->ops->check)
		TRY(up->ops->check(c, up, &tx, &credit));
	r = store_quota_fits(&tx, up->size - credit);
	return r < 0 ? imapserver_error(c, r, NULL, "appending a message") : 0;
}

/* Reads the head of a message and starts to take its octets. */
static int
begin_message(struct imapserver_cmd *c, struct imapserver_upload *up)
{
	struct imapserver_uploaded *m = ARENA_NEW(&up->mem, struct imapserver_uploaded);
	bool sync = c->unit_flags & IMAP_UNIT_SYNC;

	TRY(parse_message(c, up, m));
	up->n++;
	int r = up->status == IMAPSERVER_OK ? check(c, up) : IMAPSERVER_FAILED;
	if (r == 0) {
		r = blob_new(store_tmp_dir(c->s->server->store), &m->blob);
		if (r < 0)
			r = imapserver_error(c, r, NULL, "appending a message");
	}
	if (r < 0) {
		bool endless = c->literal > LIMIT_IMAP_APPEND;
		keep_failure(c, up);
		/* Before "+" the octets do not come; too many that come anyway are not waited for. */
		if (endless && !sync)
			imapserver_bye(c->s, "[ALERT] message too large");
		if (sync || endless)
			return tell_failure(c, up);
	} else {
		*up->last = m;
		up->last = &m->next;
	}
	if (sync)
		conn_write(c->conn, S("+ \r\n"));
	up->into = m->blob;
	up->err = 0;
	up->left = c->literal;
	if (up->left > 0)
		conn_spool(c->conn, &up->sink, 0);
	return IMAPSERVER_MORE;
}

int
imapserver_upload_step(struct imapserver_cmd *c, const struct conn_unit *u, void *data)
{
	struct imapserver_upload *up = data;

	if (u->kind == CONN_SPOOLED) {
		int err = u->status < 0 ? u->status : up->err;
		up->into = NULL;
		if (err < 0 && up->status == IMAPSERVER_OK) {
			ignore_result(imapserver_error(c, err, NULL, "receiving a message"));
			keep_failure(c, up);
		}
		return IMAPSERVER_MORE;
	}
	if (u->kind != CONN_INPUT)
		return IMAPSERVER_MORE;
	if (up->utf8)
		cur_char(&c->in, ')');
	if (cur_ok(&c->in) && !cur_end(&c->in))
		return begin_message(c, up);
	TRY(imapserver_end(c));
	return up->status == IMAPSERVER_OK ? up->ops->commit(c, up) : tell_failure(c, up);
}

int
imapserver_upload(struct imapserver_cmd *c, struct imapserver_upload *up)
{
	struct str name;

	up->sink.write = take_octets;
	up->last = &up->first;
	imap_sp(&c->in);
	int r = imapserver_mailbox_arg(c, &name);
	if (r == 0) {
		up->name = str_dup(&up->mem, name);
		r = begin_message(c, up);
	}
	if (r == IMAPSERVER_MORE)
		return imapserver_continue(c, up);
	imapserver_upload_free(c->s, up);
	return r;
}

int
imapserver_upload_prepare(struct imapserver_cmd *c, const struct imapserver_upload *up, struct store_add *adds)
{
	struct errmsg e = { 0 };
	size_t i = 0;

	for (const struct imapserver_uploaded *m = up->first; m; m = m->next, i++) {
		adds[i].blob = m->blob;
		adds[i].received_us = m->received_us;
		adds[i].received_tz = m->received_tz;
		int r = store_flags_parse(c->a, &m->flags, &adds[i].flags, &adds[i].keywords, &e);
		if (r == 0)
			r = store_prepare(c->s->acct, &adds[i], &adds[i].prepared, &e);
		if (r < 0)
			return imapserver_error(c, r, &e, "appending a message");
	}
	return 0;
}
