/* SPDX-License-Identifier: MIT */
/*
 * The connection: framing, events, the table of commands, the dispatcher.
 *
 * Implementation notes. A command is over when its handler returned and nothing is pending: no AUTH exchange, no DATA, no timer that goes on with it
 * (session.resume). Only then its duration is measured and the transaction accounting of the next one starts.
 */
#include "base/mem.h"
#include "smtpserver/smtpserver_internal.h"

/*
 * At least 5 minutes: rfc/5321:3666. While DATA comes in, the same holds between pieces, with a minimum rate by package conn, and a limit for the whole.
 */
#define READ_TIMEOUT_US (5 * TIME_MIN)
#define WRITE_TIMEOUT_US (30 * TIME_SEC)

static const struct command commands[] = {
	{ "EHLO", "ehlo", smtpserver_cmd_ehlo, 0 },
	{ "HELO", "helo", smtpserver_cmd_helo, 0 },
	{ "STARTTLS", "starttls", smtpserver_cmd_starttls, CMD_GREETED },
	{ "AUTH", "auth", smtpserver_cmd_auth, CMD_GREETED | CMD_SUBMISSION },
	{ "MAIL", "mail", smtpserver_cmd_mail, CMD_TRUST | CMD_GREETED | CMD_LOGIN | CMD_NO_TX },
	{ "RCPT", "rcpt", smtpserver_cmd_rcpt, CMD_GREETED | CMD_LOGIN | CMD_TX },
	{ "DATA", "data", smtpserver_cmd_data, CMD_GREETED | CMD_LOGIN | CMD_TX | CMD_RCPT },
	{ "RSET", "rset", smtpserver_cmd_rset, 0 },
	{ "NOOP", "noop", smtpserver_cmd_noop, 0 },
	{ "VRFY", "vrfy", smtpserver_cmd_vrfy, 0 },
	{ "EXPN", "expn", smtpserver_cmd_expn, 0 },
	{ "HELP", "help", smtpserver_cmd_help, 0 },
	{ "QUIT", "quit", smtpserver_cmd_quit, 0 },
};
static const struct command unknown_command = { .verb = "", .label = "(unknown)" };

const char *
smtpserver_kind(const struct session *s)
{
	return s->l->submission ? "submission" : "smtp";
}

bool
smtpserver_requiretls_offered(const struct session *s)
{
	return conn_is_tls(s->c) && (!s->l->no_require_tls || (s->l->submission && !s->l->https));
}

bool
smtpserver_dsn_offered(const struct session *s)
{
	return s->l->submission && s->srv->opts.queue != NULL;
}

bool
smtpserver_starttls_offered(struct session *s)
{
	return !conn_is_tls(s->c) && conn_tls_ctx(s->c) != NULL && !s->l->no_starttls;
}

void
smtpserver_slow(struct session *s, bool on)
{
	if (!s->srv->opts.no_delays)
		conn_set_slow(s->c, on);
}

int
smtpserver_pause(struct session *s, int64_t us, int (*fn)(struct session *s))
{
	if (s->srv->opts.no_delays)
		return fn(s);
	s->resume = fn;
	s->next = CONN_NEXT_WAIT;
	conn_set_timer(s->c, us);
	return 0;
}

void
smtpserver_tx_clear(struct session *s)
{
	smtpserver_data_free(s);
	arena_reset(&s->tx.arena);
	s->tx = (struct transaction){ .arena = s->tx.arena };
}

void
smtpserver_reset(struct session *s)
{
	smtpserver_tx_clear(s);
	arena_reset(&s->helo_arena);
	s->helo = (struct smtp_ipdomain){ 0 };
	s->greeted = s->esmtp = false;
}

/* --- framing --- */

/* A line ends with LF, with or without CR before it. What is longer than its limit is an error before its end was seen. */
static int
frame(struct conn *c, struct str in, struct conn_unit *u, size_t *r_used)
{
	struct session *s = conn_data(c);
	bool secret = s->exchange != NULL || str_istarts(in, S("AUTH"));
	size_t max = secret ? LIMIT_SMTP_AUTH_LINE : LIMIT_SMTP_LINE;   // rfc/4954:253, rfc/5321:3498

	conn_trace_in(c, secret ? LOG_TRACEAUTH : LOG_TRACE);
	const char *lf = memchr(in.p, '\n', MIN(in.n, max));
	if (lf == NULL)
		return in.n >= max ? ERR_LIMIT : CONN_FRAME_MORE;
	u->data = str_n(in.p, (size_t)(lf - in.p));
	*r_used = u->data.n + 1;
	if (str_ends(u->data, S("\r")))
		u->data.n--;
	return CONN_FRAME_UNIT;
}

/* --- commands --- */

static bool
is_http_verb(struct str verb)
{
	static const char *const verbs[] = { "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "PRI" };

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (str_is(verb, str_of(verbs[i])))
			return true;
	return false;
}

static const struct command *
find_command(struct str verb)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_icase(verb, str_of(commands[i].verb)))
			return &commands[i];
	return NULL;
}

static int
no_such_command(struct session *s, struct str verb)
{
	/* Something that speaks another protocol, perhaps a browser that was talked into it (cross-protocol attack). */
	if (!s->known_verb || is_http_verb(verb)) {
		s->next = CONN_NEXT_CLOSE;
		return smtpserver_userf(s, 500, SMTP_E_PROTO_SYNTAX, "unknown command, not SMTP");
	}
	return smtpserver_userf(s, 500, SMTP_E_PROTO_COMMAND, "unknown command");
}

/* check_flags enforces what the table says of a command. */
static int
check_flags(struct session *s, unsigned flags)
{
	if ((flags & CMD_TRUST) && s->bad > LIMIT_SMTP_BAD_TRANSACTIONS && s->good == 0) {
		s->next = CONN_NEXT_CLOSE;
		return smtpserver_userf(s, 550, SMTP_E_ADDR_OTHER, "too many failures");
	}
	if ((flags & CMD_GREETED) && !s->greeted)
		return smtpserver_userf(s, 503, SMTP_E_PROTO_COMMAND, "send EHLO or HELO first");
	if ((flags & CMD_SUBMISSION) && !s->l->submission)
		return smtpserver_userf(s, 503, SMTP_E_PROTO_COMMAND, "not on this port");
	if ((flags & CMD_LOGIN) && s->l->submission && !s->logged_in)
		return smtpserver_userf(s, 530, SMTP_E_POLICY_OTHER, "authenticate first");
	if ((flags & CMD_NO_TX) && s->tx.open)
		return smtpserver_userf(s, 503, SMTP_E_PROTO_COMMAND, "already have MAIL");
	if ((flags & CMD_TX) && !s->tx.open)
		return smtpserver_userf(s, 503, SMTP_E_PROTO_COMMAND, "missing MAIL");
	if ((flags & CMD_RCPT) && s->tx.nrcpts == 0)
		return smtpserver_userf(s, 503, SMTP_E_PROTO_COMMAND, "missing RCPT");
	return 0;
}

static int
run_command(struct session *s, struct str line)
{
	struct str rest = line;

	/* Trailing white space is tolerated (rfc/5321:1759), but where it says something: an initial response that is missing. */
	while (!str_istarts(line, S("AUTH ")) && rest.n > 0 && (rest.p[rest.n - 1] == ' ' || rest.p[rest.n - 1] == '\t'))
		rest.n--;
	ssize_t sp = str_find(rest, ' ');
	struct str verb = sp < 0 ? rest : str_upto(rest, (size_t)sp);
	struct cur args = cur_in(conn_arena(s->c), str_from(rest, verb.n));

	s->started_us = time_mono_us();
	const struct command *cmd = find_command(verb);
	if (cmd == NULL) {
		s->cmd = &unknown_command;
		return no_such_command(s, verb);
	}
	s->cmd = cmd;
	s->known_verb = true;
	TRY(check_flags(s, cmd->flags));
	return cmd->fn(s, &args);
}

/* finish renders a failure and, when the command is over, measures it. */
static enum conn_next
finish(struct session *s, int status)
{
	char code[4];

	if (status < 0) {
		smtpserver_render_failure(s);
		s->resume = NULL;
	}
	if (s->cmd != NULL && s->exchange == NULL && s->data == NULL && s->resume == NULL) {
		snprintf(code, sizeof(code), "%03d", s->code);
		metrics_observe(&smtpserver_m_command, (double)(time_mono_us() - s->started_us) / 1e6, smtpserver_kind(s), s->cmd->label, code, s->ecode,
		    NULL);
		s->cmd = NULL;
	}
	return s->next;
}

/* --- events --- */

int
smtpserver_login_key(struct session *s)
{
	struct auth *auth = s->srv->opts.auth;
	const struct ip *remote = &conn_remote(s->c)->ip;
	struct arena *a = conn_arena(s->c);
	struct store_tls_key key;
	struct errmsg e = { 0 };

	/* Over the limit the key is not looked at: the client may still log in with a password, if it gets that far. */
	if (!smtpserver_client_key(s) || auth_refused(auth, remote))
		return 0;
	struct str fingerprint = conn_tls(s->c)->client_key;
	int err = auth_key_user(auth, conn_session_arena(s->c), fingerprint, &s->cert, &key, &e);
	auth_record(auth, &(struct auth_attempt){
		.account = s->cert.account, .address = s->cert.address, .remote_ip = ip_str(a, remote), .local_ip = ip_str(a, &conn_local(s->c)->ip),
		.tls = auth_tls_text(a, conn_tls(s->c)), .client_key = fingerprint, .protocol = S("submission"), .mechanism = S("tlsclientauth"),
		.result = err == 0 ? S("ok") : err == AUTH_LOGIN_DISABLED ? S("logindisabled") : err == AUTH_BAD_CREDENTIALS ? S("badcreds") : S("error"),
	});
	if (err < 0) {
		log_info(conn_log(s->c), "login with TLS client key refused", log_err(e.text), log_s("key", fingerprint));
		auth_failed(auth, remote);
		return err;
	}
	auth_succeeded(auth, remote);
	s->user = (struct auth_user){ .acct = store_account_ref(s->cert.acct), .account = s->cert.account, .address = s->cert.address };
	s->logged_in = true;
	conn_set_user(s->c, s->user.address);
	conn_set_class(s->c, CONN_AUTHENTICATED);
	return 0;
}

static enum conn_next
greet(struct session *s)
{
	metrics_add(&smtpserver_m_connection, 1, s->l->submission ? "submit" : "deliver", NULL);
	if (conn_stopping(s->c)) {
		smtpserver_reply(s, 421, SMTP_E_SYS_NOT_ACCEPTING, S("shutting down"));
		return CONN_NEXT_CLOSE;
	}
	if (smtpserver_login_key(s) < 0) {
		smtpserver_reply(s, 554, SMTP_E_POLICY_BAD_CREDS, S("TLS client key not accepted"));
		return CONN_NEXT_CLOSE;
	}
	smtpserver_replyf(s, 220, NULL, STRF " ESMTP " STRF, STRA(s->l->hostname.ascii), STRA(s->srv->opts.software));
	return CONN_NEXT_PARK;
}

/* State is as after the greeting, but for failed logins and what follows from them: rfc/3207:211 */
static enum conn_next
tls_started(struct session *s)
{
	if (!s->l->submission)
		metrics_add(&smtpserver_m_starttls, 1, NULL);
	smtpserver_reset(s);
	return smtpserver_login_key(s) < 0 ? CONN_NEXT_CLOSE : CONN_NEXT_PARK;
}

static enum conn_next
goodbye(struct session *s, int code, const char *ecode, const char *text)
{
	smtpserver_reply(s, code, ecode, str_of(text));
	return CONN_NEXT_CLOSE;
}

static int
resume(struct session *s)
{
	int (*fn)(struct session *) = take(s->resume);
	int status = fn != NULL ? fn(s) : 0;

	/* What waited was the answer to a message. */
	if (s->data != NULL && s->resume == NULL)
		smtpserver_tx_clear(s);
	return status;
}

static enum conn_next
unit(struct conn *c, const struct conn_unit *u)
{
	struct session *s = conn_data(c);

	s->next = CONN_NEXT_PARK;
	switch (u->kind) {
	case CONN_START:
		s->c = c;
		s->l = conn_listener_arg(c);
		s->srv = s->l->server;
		conn_set_read_timeout(c, READ_TIMEOUT_US);
		conn_set_write_timeout(c, WRITE_TIMEOUT_US);
		conn_set_input_limit(c, LIMIT_SMTP_AUTH_LINE);
		conn_set_class(c, CONN_UNAUTHENTICATED);
		return greet(s);
	case CONN_INPUT:
		if (conn_stopping(c))
			return goodbye(s, 421, SMTP_E_SYS_NOT_ACCEPTING, "shutting down");
		return finish(s, s->exchange ? smtpserver_auth_line(s, u->data) : run_command(s, u->data));
	case CONN_SPOOLED:
		return finish(s, smtpserver_data_spooled(s, u->status));
	case CONN_TIMER:
		return finish(s, resume(s));
	case CONN_TLS_STARTED:
		return tls_started(s);
	case CONN_BAD_INPUT:
		return goodbye(s, 500, SMTP_E_PROTO_OTHER, "line too long");
	case CONN_TIMEOUT:
		return goodbye(s, 421, SMTP_E_NET_BAD_CONNECTION, "timeout, closing connection");
	case CONN_SHUTDOWN:
		return goodbye(s, 421, SMTP_E_SYS_NOT_ACCEPTING, "shutting down");
	case CONN_WAKE:
		break;
	}
	return s->next;
}

static void
closed(struct conn *c)
{
	struct session *s = conn_data(c);

	smtpserver_auth_free(s);
	smtpserver_data_free(s);
	auth_user_done(&s->user);
	auth_user_done(&s->cert);
	mem_free(&s->held);
	arena_done(&s->tx.arena);
	arena_done(&s->helo_arena);
	arena_done(&s->user_arena);
}

/* starttls_reason sorts the text of OpenSSL into few classes. */
static const char *
starttls_reason(const char *why)
{
	static const struct { const char *part, *reason; } reasons[] = {
		{ "unexpected eof", "eof" }, { "eof", "eof" }, { "http request", "nottls" }, { "wrong version number", "nottls" },
		{ "packet length too long", "nottls" }, { "unsupported protocol", "unsupportedversions" }, { "unknown ca", "alert-48-unknown-ca" },
		{ "alert bad certificate", "alert-42-bad-certificate" }, { "certificate unknown", "alert-46-certificate-unknown" },
		{ "handshake failure", "alert-40-handshake-failure" }, { "protocol version", "alert-70-protocol-version" },
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (str_isearch(str_of(why), str_of(reasons[i].part)) >= 0)
			return reasons[i].reason;
	return "other";
}

static void
tls_failed(struct conn *c, const char *why)
{
	const struct smtpserver_listener *l = conn_listener_arg(c);

	if (!l->submission)
		metrics_add(&smtpserver_m_starttls_errors, 1, starttls_reason(why), NULL);
	else if (str_search(str_of(why), S("certificate verify failed")) >= 0)
		auth_failed(l->server->opts.auth, &conn_remote(c)->ip);         /* a client key that logs nobody in */
}

const struct conn_proto smtpserver_proto = {
	.name = "smtpserver",
	.trace_in = "RC: ",
	.trace_out = "LS: ",
	.data_size = sizeof(struct session),
	.frame = frame,
	.unit = unit,
	.closed = closed,
	.tls_failed = tls_failed,
	.overload_reply = "421 4.3.2 too busy, try again later\r\n",
	.refused_reply = "421 4.7.0 too many connections or failed logins from your network\r\n",
};
