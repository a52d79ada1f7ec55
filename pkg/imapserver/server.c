/* SPDX-License-Identifier: MIT */
/*
 * The connection: what package conn calls. Commands are in commands.c.
 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

static struct metric connections = METRICS_COUNTER_INIT("mox_imap_connection_total", "Incoming IMAP connections.", "service");

#define READ_TIMEOUT_BEFORE_LOGIN (30 * TIME_SEC)
#define WRITE_TIMEOUT_BEFORE_LOGIN (30 * TIME_SEC)
#define PROGRESS_PERIOD (10 * TIME_SEC)                 /* rfc/9585:110 */
#define NONSYNC_BEFORE_LOGIN 4096                       /* LITERAL-: rfc/7888:277 */

struct imapserver *
imapserver_new(const struct imapserver_opts *o)
{
	struct imapserver *s = mem_alloc(sizeof(*s));

	s->store = o->store;
	s->auth = o->auth;
	s->config = o->config;
	s->config_arg = o->config_arg;
	s->conns = o->conns;
	s->product = str_dup(&s->arena, o->product);
	s->version = str_dup(&s->arena, o->version);
	s->hostname = str_dup(&s->arena, o->hostname);
	s->pedantic = o->pedantic;
	s->no_delays = o->no_delays;
	s->progress_period_us = o->progress_period_us ? o->progress_period_us : PROGRESS_PERIOD;
	return s;
}

void
imapserver_free(struct imapserver **s)
{
	if (!*s)
		return;
	arena_done(&(*s)->arena);
	mem_free(s);
}

bool
imapserver_refuse(void *listener_arg, const struct ip *remote)
{
	const struct imapserver_listener *l = listener_arg;
	return auth_refused(l->server->auth, remote);
}

void
imapserver_bye(struct imapserver_session *s, const char *text)
{
	conn_writef(s->conn, "* BYE %s\r\n", text);
}

/* A connection starts, or starts over after STARTTLS: nothing of before counts (rfc/9051:1340). */
void
imapserver_start(struct imapserver_session *s, struct conn *conn)
{
	s->conn = conn;
	s->listener = conn_listener_arg(conn);
	s->server = s->listener->server;
	s->id = conn_id(conn);
	s->state = IMAPSERVER_NOT_AUTHENTICATED;
	s->framer = (struct imap_framer){
		.max_line = LIMIT_IMAP_LINE, .max_literal = LIMIT_IMAP_PREAUTH_INPUT, .max_nonsync = NONSYNC_BEFORE_LOGIN,
		.max_literals = LIMIT_IMAP_PREAUTH_INPUT, .max_command = LIMIT_IMAP_PREAUTH_INPUT,
	};
	conn_set_class(conn, CONN_UNAUTHENTICATED);
	conn_set_input_limit(conn, LIMIT_IMAP_PREAUTH_INPUT);
	conn_set_read_timeout(conn, READ_TIMEOUT_BEFORE_LOGIN);
	conn_set_write_timeout(conn, WRITE_TIMEOUT_BEFORE_LOGIN);
}

/*
 * With implicit TLS a client key that we know logs in at once, unless its owner does not want that. An unknown one
 * was refused in the handshake, but for resumed sessions, which carry the key of their first handshake. False:
 * goodbye was said.
 */
static bool
login_by_key(struct imapserver_session *s)
{
	cleanup_(auth_user_done) struct auth_user user = { 0 };
	const struct tls_info *info = conn_tls(s->conn);
	struct arena *a = conn_arena(s->conn);
	struct store_tls_key key = { 0 };
	struct errmsg e = { 0 };

	if (!info || info->client_key.n == 0 || s->listener->client_auth_disabled)
		return true;
	int r = auth_key_user(s->server->auth, a, info->client_key, &user, &key, &e);
	if (r < 0) {
		log_info(conn_log(s->conn), "client key refused", log_err(e.text[0] ? e.text : err_text(r)));
		imapserver_bye(s, "[ALERT] certificate not accepted");
		return false;
	}
	if (!key.no_imap_preauth) {
		imapserver_login(s, &user);
		imapserver_record(s, store_account_name(s->acct), str_of(s->address), S("tlsclientauth"), S("ok"));
	}
	return true;
}

static enum conn_next
greet(struct imapserver_session *s, struct conn *conn)
{
	imapserver_start(s, conn);
	metrics_add(&connections, 1, conn_is_tls(conn) ? "imaps" : "imap", NULL);
	log_debug(conn_log(conn), "new connection", log_s("remote", ipport_str(conn_arena(conn), conn_remote(conn))), log_b("tls", conn_is_tls(conn)));
	if (conn_stopping(conn)) {
		imapserver_bye(s, "shutting down");
		return CONN_NEXT_CLOSE;
	}
	if (!login_by_key(s))
		return CONN_NEXT_CLOSE;
	struct buf b = BUF_ARENA(conn_arena(conn), 4096);
	imapserver_add_capabilities(s, &b);
	/* greeting = "*" SP (resp-cond-auth / resp-cond-bye) CRLF   rfc/9051:6588 */
	conn_writef(conn, "* %s [CAPABILITY " STRF "] " STRF " imap\r\n", s->acct ? "PREAUTH" : "OK", STRA(buf_str(&b)), STRA(s->server->product));
	return CONN_NEXT_PARK;
}

/* The first word after the tag, to know which input is secret. */
static bool
is_secret(struct str unit)
{
	struct cur c = cur_of(unit);

	imap_tag(&c);
	imap_sp(&c);
	struct str word = cur_span(&c, &cur_alpha);
	const struct imapserver_command *def = word.n ? imapserver_command_find(word, false) : NULL;
	return def && def->flags & IMAPSERVER_F_SECRET;
}

static int
frame(struct conn *conn, struct str in, struct conn_unit *u, size_t *r_used)
{
	struct imapserver_session *s = conn_data(conn);
	struct imap_unit unit = { 0 };

	s->framer.lines = s->running && s->running->def->steps->lines;
	int r = imap_frame(&s->framer, in, &unit);
	if (r == IMAP_FRAME_CONTINUE) {
		u->data = S("+ \r\n");          /* rfc/9051:6480 */
		return CONN_FRAME_MORE;
	}
	if (r != IMAP_FRAME_UNIT)
		return r < 0 ? r : CONN_FRAME_MORE;
	bool secret = s->running ? s->running->def->flags & IMAPSERVER_F_SECRET : is_secret(unit.data);
	conn_trace_in(conn, secret ? LOG_TRACEAUTH : LOG_TRACE);
	u->data = unit.data;
	u->literal = unit.literal;
	u->flags = unit.flags;
	*r_used = unit.used;
	return CONN_FRAME_UNIT;
}

static enum conn_next
unit(struct conn *conn, const struct conn_unit *u)
{
	struct imapserver_session *s = conn_data(conn);

	switch (u->kind) {
	case CONN_START:
		return greet(s, conn);
	case CONN_TLS_STARTED:
		imapserver_start(s, conn);
		return CONN_NEXT_PARK;
	case CONN_BAD_INPUT:
		imapserver_bye(s, "[ALERT] line too long");
		return CONN_NEXT_CLOSE;
	case CONN_TIMEOUT:
		imapserver_bye(s, "inactive");
		return CONN_NEXT_CLOSE;
	case CONN_SHUTDOWN:
		imapserver_bye(s, "shutting down");
		return CONN_NEXT_CLOSE;
	case CONN_TIMER:
		break;                          /* the delay after a failed login is over */
	case CONN_INPUT:
	case CONN_SPOOLED:
		return imapserver_unit(s, u);
	case CONN_WAKE:
		if (s->running)
			return imapserver_unit(s, u);
		break;
	}
	return CONN_NEXT_PARK;
}

static void
closed(struct conn *conn)
{
	struct imapserver_session *s = conn_data(conn);

	imapserver_end_running(s);
	imapserver_logout(s);
	mem_free(&s->user_agent);
}

const struct conn_proto imapserver_proto = {
	.name = "imapserver",
	.data_size = sizeof(struct imapserver_session),
	.frame = frame,
	.unit = unit,
	.closed = closed,
	.overload_reply = "* BYE [UNAVAILABLE] too busy, try again later\r\n",
	.refused_reply = "* BYE [UNAVAILABLE] too many connections or failed logins, try again later\r\n",
	.trace_in = "C: ",
	.trace_out = "S: ",
};
