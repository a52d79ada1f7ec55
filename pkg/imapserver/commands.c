/* SPDX-License-Identifier: MIT */
/*
 * The table of commands and the dispatcher.
 *
 * The dispatcher does what all commands have in common, by the flags of the table: it checks the state, runs the
 * handler, tells changes by others where the protocol allows that, and writes the tagged response, from what the
 * handler recorded. A handler only does its work and returns.
 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

static struct metric durations = METRICS_HISTOGRAM_INIT("mox_imap_command_duration_seconds", "IMAP command duration and result code, in seconds.",
	metrics_buckets_a, "cmd", "result");

#define OUT_MAX (256 * 1024 * 1024)     /* what a command writes before it is sent; only untagged data of huge mailboxes comes near */

enum {
	ANY = IMAPSERVER_NOT_AUTHENTICATED | IMAPSERVER_AUTHENTICATED | IMAPSERVER_SELECTED,
	NEW = IMAPSERVER_NOT_AUTHENTICATED,
	AUTH = IMAPSERVER_AUTHENTICATED | IMAPSERVER_SELECTED,
	SELECTED = IMAPSERVER_SELECTED,

	UID = IMAPSERVER_F_UID,
	SEQ = IMAPSERVER_F_SEQ,
	QUIET = IMAPSERVER_F_QUIET,
	SECRET = IMAPSERVER_F_SECRET,
	MESSAGE = IMAPSERVER_F_MESSAGE,
	NUMBERS = IMAPSERVER_F_NUMBERS,
};
#define C(name, fn, states, flags) { { name, sizeof(name) - 1 }, imapserver_cmd_##fn, states, flags, NULL }
#define STEPS(name, fn, states, flags) { { name, sizeof(name) - 1 }, imapserver_cmd_##fn, states, flags, &imapserver_##fn##_steps }

static const struct imapserver_command commands[] = {
	/* any state   rfc/9051:1203 */
	C("CAPABILITY", capability, ANY, 0),
	C("NOOP", noop, ANY, 0),
	C("LOGOUT", logout, ANY, QUIET),
	C("ID", id, ANY, 0),
	C("UNAUTHENTICATE", unauthenticate, ANY, QUIET),
	/* not authenticated   rfc/9051:1310 */
	C("STARTTLS", starttls, ANY, QUIET),
	STEPS("AUTHENTICATE", authenticate, NEW, SECRET | QUIET),
	C("LOGIN", login, NEW, SECRET | QUIET),
	/* authenticated   rfc/9051:1641 */
	C("ENABLE", enable, AUTH, 0),
	C("SELECT", select, AUTH, QUIET),
	C("EXAMINE", examine, AUTH, QUIET),
	C("CREATE", create, AUTH, 0),
	C("DELETE", delete, AUTH, 0),
	C("RENAME", rename, AUTH, 0),
	C("SUBSCRIBE", subscribe, AUTH, 0),
	C("UNSUBSCRIBE", unsubscribe, AUTH, 0),
	C("LIST", list, AUTH, 0),
	C("LSUB", lsub, AUTH, 0),
	C("NAMESPACE", namespace, AUTH, 0),
	C("STATUS", status, AUTH, 0),
	STEPS("APPEND", append, AUTH, MESSAGE),
	STEPS("IDLE", idle, AUTH, 0),
	/* selected   rfc/9051:3625 */
	C("CHECK", check, SELECTED, 0),
	C("CLOSE", close, SELECTED, 0),
	C("UNSELECT", unselect, SELECTED, 0),
	C("EXPUNGE", expunge, SELECTED, UID),
	C("SEARCH", search, SELECTED, UID | SEQ | NUMBERS),
	C("SORT", sort, SELECTED, UID | SEQ | NUMBERS),
	C("THREAD", thread, SELECTED, UID | SEQ | NUMBERS),
	C("FETCH", fetch, SELECTED, UID | SEQ | NUMBERS),
	C("STORE", store, SELECTED, UID | SEQ | NUMBERS),
	C("COPY", copy, SELECTED, UID | NUMBERS),
	C("MOVE", move, SELECTED, UID | NUMBERS),
	C("UIDBATCHES", uidbatches, SELECTED, 0),
	STEPS("REPLACE", replace, SELECTED, UID | MESSAGE | NUMBERS),
};
#undef C
#undef STEPS

const struct imapserver_command *
imapserver_command_find(struct str name, bool uid)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_icase(name, commands[i].name) && (!uid || commands[i].flags & IMAPSERVER_F_UID))
			return &commands[i];
	return NULL;
}

int
imapserver_continue(struct imapserver_cmd *c, void *data)
{
	struct imapserver_running *r = mem_alloc(sizeof(*r));

	bug_if(c->s->running || !c->def->steps);
	r->def = c->def;
	r->tag = mem_str(c->tag);
	r->uid = c->uid;
	r->start_us = time_mono_us();
	r->data = data;
	c->s->running = r;
	return IMAPSERVER_MORE;
}

void
imapserver_end_running(struct imapserver_session *s)
{
	struct imapserver_running *r = s->running;

	if (!r)
		return;
	s->running = NULL;
	if (r->def->steps->free)
		r->def->steps->free(s, r->data);
	mem_free(&r->tag);
	mem_free(&r);
}

static const char *
result_label(const struct imapserver_cmd *c)
{
	if (!conn_ok(c->conn))
		return "ioerror";
	if (c->status == IMAPSERVER_BAD)
		return "badsyntax";
	if (c->status == IMAPSERVER_NO)
		return c->server_error ? "servererror" : "usererror";
	return "ok";
}

static void
tagged(struct imapserver_cmd *c)
{
	static const char *const words[] = { [IMAPSERVER_OK] = "OK", [IMAPSERVER_NO] = "NO", [IMAPSERVER_BAD] = "BAD" };
	struct buf *b = &c->out;

	buf_add(b, c->tag);
	buf_addc(b, ' ');
	buf_addz(b, words[c->status]);
	if (c->code.n > 0) {
		buf_add(b, S(" ["));
		buf_add(b, c->code);
		buf_addc(b, ']');
	}
	buf_addc(b, ' ');
	imap_add_text(b, c->text[0] ? str_of(c->text) : S("done"), imapserver_utf8(c->s));
	buf_add(b, S("\r\n"));
}

/* The command is done: changes by others, then the tagged response. */
static void
finish(struct imapserver_cmd *c, int64_t start_us)
{
	struct imapserver_session *s = c->s;
	bool seq = c->def && c->def->flags & IMAPSERVER_F_SEQ && !c->uid;

	if (s->comm && c->def && !(c->def->flags & IMAPSERVER_F_QUIET) && !seq)
		imapserver_tell_changes(c, true);
	tagged(c);
	if (c->out.failed) {
		log_error(conn_log(c->conn), "reply too large");
		c->close = true;
	}
	imapserver_send(c, true);
	metrics_observe(&durations, (double)(time_mono_us() - start_us) / 1e6, c->def ? c->def->name.p : "(unrecognized)", result_label(c), NULL);
}

static enum conn_next
next(struct imapserver_cmd *c)
{
	struct imapserver_session *s = c->s;

	buf_done(&c->out);
	imapserver_drop_changes(c);
	if (c->close)
		return CONN_NEXT_CLOSE;
	if (c->starttls)
		return CONN_NEXT_STARTTLS;
	if (s->wait_us > 0) {
		conn_set_timer(c->conn, s->wait_us);
		s->wait_us = 0;
		return CONN_NEXT_WAIT;
	}
	return CONN_NEXT_PARK;
}

/*
 * The peer announced octets without waiting and will send them whatever we say. What we did not take cannot be told
 * from commands.
 */
static bool
octets_follow(const struct conn_unit *u)
{
	return (u->flags & (IMAP_UNIT_MESSAGE | IMAP_UNIT_TOOBIG)) && !(u->flags & IMAP_UNIT_SYNC);
}

/* Reads "tag SP command" and finds the command; records BAD. */
static int
parse_command(struct imapserver_cmd *c)
{
	struct imapserver_session *s = c->s;
	struct str tag = imap_tag(&c->in);

	imap_sp(&c->in);
	struct str word = cur_span1(&c->in, &cur_alpha, "command");
	if (cur_ok(&c->in))
		c->tag = tag;
	if (cur_ok(&c->in) && str_icase(word, S("UID"))) {
		c->uid = true;
		imap_sp(&c->in);
		word = cur_span1(&c->in, &cur_alpha, "command");
	}
	if (cur_ok(&c->in) && (cur_end(&c->in) || cur_is(&c->in, ' ')))
		c->def = imapserver_command_find(word, c->uid);
	if (c->def)
		return 0;
	if (!s->started) {
		/* Not IMAP: HTTP and the like must not be answered line by line. */
		imapserver_bye(s, "this is an IMAP server");
		c->close = true;
	}
	return cur_ok(&c->in) ? imapserver_bad(c, "unknown command") : imapserver_syntax(c);
}

static int
run_command(struct imapserver_cmd *c, const struct conn_unit *u)
{
	struct imapserver_session *s = c->s;

	TRY(parse_command(c));
	s->started = true;
	if (u->flags & IMAP_UNIT_TOOBIG) {
		if (octets_follow(u))
			imapserver_bye(s, "[ALERT] literal too large");
		ignore_result(imapserver_bad(c, "literal too large"));
		c->code = S("TOOBIG");          /* rfc/4469:231 */
		return IMAPSERVER_FAILED;
	}
	if (!(c->def->states & s->state)) {
		return imapserver_no(c, NULL, "%s", s->state == IMAPSERVER_NOT_AUTHENTICATED ? "log in first" :
		    c->def->states == IMAPSERVER_NOT_AUTHENTICATED ? "already logged in" : "no mailbox is selected");
	}
	if (c->def->flags & IMAPSERVER_F_NUMBERS && !c->uid && s->enabled & IMAPSERVER_UIDONLY)
		return imapserver_uid_required(c);
	if (u->flags & IMAP_UNIT_MESSAGE && !(c->def->flags & IMAPSERVER_F_MESSAGE))
		return imapserver_bad(c, "no message expected");
	return c->def->run(c);
}

enum conn_next
imapserver_unit(struct imapserver_session *s, const struct conn_unit *u)
{
	struct imapserver_cmd c = {
		.s = s, .conn = s->conn, .a = conn_arena(s->conn), .tag = S("*"), .in = cur_in(conn_arena(s->conn), u->data),
		.unit_flags = u->flags, .literal = u->literal, .out = BUF_INIT(OUT_MAX),
	};
	int64_t start_us = time_mono_us();
	int r;

	if (s->running) {
		struct imapserver_running *run = s->running;
		c.def = run->def;
		c.tag = str_dup(c.a, str_of(run->tag));
		c.uid = run->uid;
		start_us = run->start_us;
		r = run->def->steps->run(&c, u, run->data);
		if (r != IMAPSERVER_MORE)
			imapserver_end_running(s);
	} else {
		r = run_command(&c, u);
	}
	if (r == IMAPSERVER_MORE) {
		imapserver_send(&c, true);
		return next(&c);
	}
	if (r < 0 && c.status == IMAPSERVER_OK)
		bug("command " STRF " failed without a reason", STRA(c.def ? c.def->name : S("?")));
	/* Whatever was refused before its octets were read. */
	if (u->kind == CONN_INPUT && u->flags & IMAP_UNIT_MESSAGE) {
		imap_frame_end_command(&s->framer);
		c.close = c.close || octets_follow(u);
	}
	c.close = c.close || (u->flags & IMAP_UNIT_TOOBIG && octets_follow(u));
	/* An announcement that is none: "{99999999999999999999+}"   rfc/7888:277 */
	c.close = c.close || (c.status == IMAPSERVER_BAD && u->kind == CONN_INPUT && str_ends(u->data, S("+}")));
	finish(&c, start_us);
	imapserver_record_flush(s, false);
	return next(&c);
}
