/* SPDX-License-Identifier: MIT */
/*
 * APPEND   rfc/9051:3406, with MULTIAPPEND (rfc/3502), literal8 (rfc/3516) and UTF8 data (rfc/6855:219).
 *
 * The command continues over several units: the head up to the first literal, the literal's octets (a spool into a
 * blob), what follows up to the next literal, and so on to the end of the line. Mailbox and quota are checked before
 * a client that waits is asked for its octets. One that does not wait sends them anyway: after a failure they are
 * taken and dropped, and the failure is told at the end.
 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

struct appended {
	struct appended *next;
	struct blob *blob;
	struct strlist flags;
	int64_t received_us;            /* 0 = now */
	int received_tz;
};

struct append {
	struct conn_sink sink;
	uint64_t left;                  /* octets of the literal still to come */
	struct blob *into;              /* NULL: dropped */
	int err;                        /* of writing the blob */

	struct arena mem;
	struct str name;                /* of the mailbox */
	struct appended *first, **last;
	size_t n;
	int64_t size;                   /* of all messages so far, the one to come included */
	bool utf8;                      /* the literal stands in "UTF8 (...)": a parenthesis follows it */

	/* The first failure, to be told when the input is through. */
	enum imapserver_status status;
	struct str code;
	char *text;
	bool server_error;
};

static void
append_free(struct imapserver_session *s, void *data)
{
	struct append *ap = data;

	(void)s;
	for (struct appended *m = ap->first; m; m = m->next)
		blob_free(&m->blob);
	mem_free(&ap->text);
	arena_done(&ap->mem);
	mem_free(&ap);
}

/* Takes octets of the literal. It stays in step whatever happens to the blob. */
static ssize_t
take_octets(struct conn_sink *sink, struct str in, bool *r_done)
{
	struct append *ap = container_of(sink, struct append, sink);
	size_t n = (size_t)MIN((uint64_t)in.n, ap->left);

	if (ap->into && ap->err == 0)
		ap->err = MIN(blob_write(ap->into, str_upto(in, n)), 0);
	ap->left -= n;
	*r_done = ap->left == 0;
	return (ssize_t)n;
}

/* Keeps what the handler recorded for the end of the command. */
static void
keep_failure(struct imapserver_cmd *c, struct append *ap)
{
	if (ap->status == IMAPSERVER_OK) {
		ap->status = c->status;
		ap->code = str_dup(&ap->mem, c->code);
		ap->text = mem_strdup(c->text);
		ap->server_error = c->server_error;
	}
	c->status = IMAPSERVER_OK;
	c->code = (struct str){ 0 };
	c->text[0] = '\0';
	c->server_error = false;
}

static int
tell_failure(struct imapserver_cmd *c, const struct append *ap)
{
	c->server_error = ap->server_error;
	if (ap->status == IMAPSERVER_BAD)
		return imapserver_bad(c, "%s", ap->text);
	ignore_result(imapserver_no(c, NULL, "%s", ap->text));
	c->code = str_dup(c->a, ap->code);
	return IMAPSERVER_FAILED;
}

/*
 * [SP flag-list] [SP date-time] SP (literal / literal8 / "UTF8" SP "(" literal8 ")"), up to the announcement
 * rfc/9051:6325 rfc/6855:219
 */
static int
parse_message(struct imapserver_cmd *c, struct append *ap, struct appended *m)
{
	struct cur *in = &c->in;

	in->a = &ap->mem;
	imap_sp(in);
	if (cur_is(in, '(')) {
		imap_flag_list(in, &m->flags);
		for (size_t i = 0; i < m->flags.n; i++)
			m->flags.v[i] = str_dup(&ap->mem, m->flags.v[i]);
		imap_sp(in);
	}
	if (cur_is(in, '"')) {
		m->received_us = imap_date_time(in, &m->received_tz);
		imap_sp(in);
	}
	ap->utf8 = imap_try_keyword(in, S("UTF8"));
	if (ap->utf8) {
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
check(struct imapserver_cmd *c, struct append *ap)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;

	if (ap->n > LIMIT_IMAP_APPEND_MESSAGES)
		return imapserver_no(c, "LIMIT", "too many messages in one command");
	if (c->literal == 0)
		return imapserver_no(c, NULL, "empty message: nothing is appended");      /* rfc/3502:140 */
	if (__builtin_add_overflow(ap->size, (int64_t)c->literal, &ap->size))
		return imapserver_no(c, "OVERQUOTA", "over quota");
	int r = store_read(c->s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "appending a message");
	TRY(imapserver_find(c, &tx, ap->name, "TRYCREATE", &mb));
	r = store_quota_fits(&tx, ap->size);
	return r < 0 ? imapserver_error(c, r, NULL, "appending a message") : 0;
}

/* Reads the head of a message and starts to take its octets. */
static int
begin_message(struct imapserver_cmd *c, struct append *ap)
{
	struct appended *m = ARENA_NEW(&ap->mem, struct appended);
	bool sync = c->unit_flags & IMAP_UNIT_SYNC;

	TRY(parse_message(c, ap, m));
	ap->n++;
	int r = ap->status == IMAPSERVER_OK ? check(c, ap) : IMAPSERVER_FAILED;
	if (r == 0) {
		r = blob_new(store_tmp_dir(c->s->server->store), &m->blob);
		if (r < 0)
			r = imapserver_error(c, r, NULL, "appending a message");
	}
	if (r < 0) {
		keep_failure(c, ap);
		if (sync)
			return tell_failure(c, ap);     /* before "+": the octets do not come */
	} else {
		*ap->last = m;
		ap->last = &m->next;
	}
	if (sync)
		conn_write(c->conn, S("+ \r\n"));
	ap->into = m->blob;
	ap->err = 0;
	ap->left = c->literal;
	if (ap->left > 0)
		conn_spool(c->conn, &ap->sink, 0);
	return IMAPSERVER_MORE;
}

/* The messages are in and acknowledged together, or not at all. */
static int
add_messages(struct imapserver_cmd *c, struct append *ap, struct store_tx *tx, const struct store_add *adds, struct store_added *r_added)
{
	struct store_mailbox mb;
	struct errmsg e = { 0 };

	TRY(imapserver_find(c, tx, ap->name, "TRYCREATE", &mb));
	for (size_t i = 0; i < ap->n; i++) {
		int r = store_add_message(tx, &mb, &adds[i], &r_added[i], &e);
		if (r < 0)
			return imapserver_error(c, r, &e, "appending a message");
	}
	imapserver_take_changes(c);
	int r = store_tx_commit(tx, c->s->comm);
	return r < 0 ? imapserver_error(c, r, NULL, "appending a message") : 0;
}

static int
prepare(struct imapserver_cmd *c, const struct append *ap, struct store_add *adds)
{
	struct errmsg e = { 0 };
	size_t i = 0;

	for (const struct appended *m = ap->first; m; m = m->next, i++) {
		adds[i] = (struct store_add){ .blob = m->blob, .received_us = m->received_us, .received_tz = m->received_tz };
		int r = store_flags_parse(c->a, &m->flags, &adds[i].flags, &adds[i].keywords, &e);
		if (r == 0)
			r = store_prepare(c->s->acct, &adds[i], &adds[i].prepared, &e);
		if (r < 0)
			return imapserver_error(c, r, &e, "appending a message");
	}
	return 0;
}

static int
commit(struct imapserver_cmd *c, struct append *ap)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_session *s = c->s;
	struct store_add *adds = ARENA_NEWN(c->a, ap->n, struct store_add);
	struct store_added *added = ARENA_NEWN(c->a, ap->n, struct store_added);

	int r = prepare(c, ap, adds);
	if (r == 0) {
		r = store_write(s->acct, &tx);
		r = r < 0 ? imapserver_error(c, r, NULL, "appending a message") : add_messages(c, ap, &tx, adds, added);
		store_tx_rollback(&tx);
	}
	for (size_t i = 0; i < ap->n; i++)
		store_prepared_free(&adds[i].prepared);
	if (r < 0)
		return r;

	imapserver_tell_changes(c, false);
	if (s->view && s->view->mailbox_id == added[0].mailbox_id) {
		for (size_t i = 0; i < ap->n; i++)
			imapserver_view_add(s->view, added[i].uid);
		buf_addf(&c->out, "* %u EXISTS\r\n", (unsigned)s->view->count);
	}
	struct buf uids = BUF_ARENA(c->a, 100);
	imap_add_range(&uids, added[0].uid, added[ap->n - 1].uid);
	imapserver_code(c, "APPENDUID %u " STRF, (unsigned)added[0].uidvalidity, STRA(buf_str(&uids)));     /* rfc/4315:148 */
	return 0;
}

static int
step(struct imapserver_cmd *c, const struct conn_unit *u, void *data)
{
	struct append *ap = data;

	if (u->kind == CONN_SPOOLED) {
		int err = u->status < 0 ? u->status : ap->err;
		ap->into = NULL;
		if (err < 0 && ap->status == IMAPSERVER_OK) {
			ignore_result(imapserver_error(c, err, NULL, "receiving a message"));
			keep_failure(c, ap);
		}
		return IMAPSERVER_MORE;
	}
	if (u->kind != CONN_INPUT)
		return IMAPSERVER_MORE;
	if (ap->utf8)
		cur_char(&c->in, ')');
	if (cur_ok(&c->in) && !cur_end(&c->in))
		return begin_message(c, ap);
	TRY(imapserver_end(c));
	return ap->status == IMAPSERVER_OK ? commit(c, ap) : tell_failure(c, ap);
}

const struct imapserver_steps imapserver_append_steps = { step, append_free, false };

int
imapserver_cmd_append(struct imapserver_cmd *c)
{
	struct append *ap = mem_alloc(sizeof(*ap));
	struct str name;

	ap->sink.write = take_octets;
	ap->last = &ap->first;
	imap_sp(&c->in);
	int r = imapserver_mailbox_arg(c, &name);
	if (r == 0) {
		ap->name = str_dup(&ap->mem, name);
		r = begin_message(c, ap);
	}
	if (r == IMAPSERVER_MORE)
		return imapserver_continue(c, ap);
	append_free(c->s, ap);
	return r;
}
