/* SPDX-License-Identifier: MIT */
/*
 * AUTH (RFC 4954): the exchange itself is package sasl's, here is what SMTP says about it.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "smtpserver/smtpserver_internal.h"

#define FAILURES_FREE 3         /* failed attempts of a connection before they cost time */

/* An exchange under way. */
struct exchange {
	struct sasl_server *sasl;
	struct auth_sasl login;
	struct arena arena;             /* for strings of login.user */
	enum sasl_mech mech;
};

bool
smtpserver_client_key(const struct session *s)
{
	const struct tls_info *tls = conn_tls(s->c);

	/* On port 25 some senders present a certificate of theirs, which is no login. */
	return s->l->submission && !s->l->https && !s->l->client_auth_disabled && tls != NULL && tls->client_key.n > 0;
}

static bool
offered(struct session *s, enum sasl_mech m)
{
	if (m == SASL_EXTERNAL)
		return smtpserver_client_key(s);
	if (m == SASL_CRAM_MD5)
		return auth_crammd5_enabled(s->srv->opts.auth);
	return true;
}

struct str
smtpserver_auth_mechs(struct session *s)
{
	struct arena *a = conn_arena(s->c);
	struct strlist names = { 0 };

	/* An empty list tells clients that it takes STARTTLS. */
	if (!conn_is_tls(s->c) && !s->l->no_require_starttls)
		return S("");
	/* -PLUS also where no binding is possible: a client that could bind then sees when somebody took it off the list. */
	for (enum sasl_mech m = 0; m < SASL_MECHS; m++)
		if (offered(s, m))
			strlist_add(a, &names, str_of(sasl_mech_name(m)));
	return strlist_join(a, &names, S(" "));
}

void
smtpserver_auth_free(struct session *s)
{
	struct exchange *x = s->exchange;

	if (x == NULL)
		return;
	sasl_server_free(&x->sasl);
	auth_user_done(&x->login.user);
	arena_erase(&x->arena);
	mem_free(&s->exchange);
}

/* reply_error turns the outcome of an exchange into the failure of the command. */
static int
reply_error(struct session *s, enum sasl_mech mech, int err, const struct errmsg *e)
{
	bool cram = mech == SASL_CRAM_MD5;

	switch (err) {
	case SASL_ABORTED:
		return smtpserver_userf(s, 501, SMTP_E_PROTO_OTHER, "authentication aborted");          // rfc/4954:193
	case SASL_BAD_BASE64:
		return smtpserver_userf(s, 501, SMTP_E_PROTO_SYNTAX, "malformed base64");               // rfc/4954:235
	case SASL_BAD_SYNTAX:
		return smtpserver_userf(s, 501, cram ? SMTP_E_PROTO_ARGS : SMTP_E_PROTO_SYNTAX, "malformed authentication response");
	case SASL_NO_INITIAL:
		return smtpserver_userf(s, 501, SMTP_E_PROTO_SYNTAX, "mechanism has no initial response");   // rfc/4954:195
	case SASL_TLS_REQUIRED:
		return smtpserver_userf(s, 538, "7.11", "mechanism needs TLS");                         // rfc/4954:630
	case SASL_BAD_AUTHZID:
		return smtpserver_userf(s, 535, SMTP_E_POLICY_BAD_CREDS, "cannot act as another user");
	case SASL_BAD_FIRST:
		return smtpserver_userf(s, 455, SMTP_E_POLICY_OTHER, "bad first message");
	case SASL_BAD_BINDING:
		return smtpserver_userf(s, 535, "7.7", "channel bindings do not match");
	case SASL_BAD_FINAL:
		return smtpserver_userf(s, 535, SMTP_E_POLICY_OTHER, "bad final message");
	case SASL_NO_SECRET:
		return cram ? smtpserver_userf(s, 535, SMTP_E_POLICY_BAD_CREDS, "no credentials for mechanism, set the password again") :
		    smtpserver_userf(s, 454, SMTP_E_SYS_OTHER, "no credentials for mechanism, set the password again");
	case SASL_LOGIN_DISABLED:
		return smtpserver_userf(s, 525, SMTP_E_POLICY_ACCOUNT_DISABLED, "%s", e->text);        // rfc/5248:399
	case SASL_SERVER_ERROR:
		return smtpserver_serverf(s, err, "authentication: %s", e->text);
	default:
		return smtpserver_userf(s, 535, SMTP_E_POLICY_BAD_CREDS, "bad user/pass");              // rfc/4954:275
	}
}

/* record notes an attempt for the audit log and the limiters. */
static void
record(struct session *s, struct str mechanism, struct str address, int err)
{
	struct auth *auth = s->srv->opts.auth;
	struct arena *a = conn_arena(s->c);
	const struct tls_info *tls = conn_tls(s->c);
	const struct ip *remote = &conn_remote(s->c)->ip;

	auth_record(auth, &(struct auth_attempt){
		.account = err == 0 ? s->user.account : S(""), .address = address, .remote_ip = ip_str(a, remote),
		.local_ip = ip_str(a, &conn_local(s->c)->ip), .tls = auth_tls_text(a, tls), .client_key = tls ? tls->client_key : S(""),
		.protocol = S("submission"), .mechanism = mechanism, .result = str_of(sasl_result(err)),
	});
	if (err == 0) {
		s->auth_failures = 0;
		auth_succeeded(auth, remote);
		smtpserver_slow(s, false);
	} else if (sasl_counts(err)) {
		s->auth_failures++;
		auth_failed(auth, remote);
		if (s->auth_failures >= FAILURES_FREE)
			smtpserver_slow(s, true);
	}
}

static void
logged_in(struct session *s, struct exchange *x)
{
	auth_user_done(&s->user);
	arena_done(&s->user_arena);
	s->user = x->login.user;
	s->user_arena = x->arena;
	x->login.user = (struct auth_user){ 0 };
	x->arena = (struct arena){ 0 };
	s->logged_in = s->sasl_done = true;
	conn_set_user(s->c, s->user.address);
	conn_set_class(s->c, CONN_AUTHENTICATED);
	conn_set_group(s->c, hash_str(s->user.account) | 1);
	log_info(conn_log(s->c), "login", log_s("address", s->user.address), log_s("account", s->user.account), log_z("mech", sasl_mech_lower(x->mech)));
}

/* step_done goes on from what a step of the exchange came to. */
static int
step_done(struct session *s, int status, struct str challenge)
{
	struct exchange *x = s->exchange;
	struct arena *a = conn_arena(s->c);

	conn_trace_out(s->c, LOG_TRACEAUTH);
	if (status == SASL_CONTINUE) {
		/* Not through smtp_reply_add, which would wrap it. rfc/4954:187 */
		conn_writef(s->c, "334 " STRF "\r\n", STRA(challenge));
		conn_trace_out(s->c, LOG_TRACE);
		return 0;
	}
	conn_trace_out(s->c, LOG_TRACE);
	enum sasl_mech mech = x->mech;
	struct str address = str_dup(a, sasl_server_user(x->sasl));
	struct errmsg e = x->login.err;
	if (status == SASL_BAD_BINDING)
		log_warn(conn_log(s->c), "channel bindings do not match: somebody may sit between client and server", log_s("address", address));
	if (status == 0) {
		if (address.n == 0)
			address = str_dup(a, x->login.user.address);
		logged_in(s, x);
	}
	smtpserver_auth_free(s);
	record(s, str_of(sasl_mech_lower(mech)), address, status);
	if (status < 0)
		return reply_error(s, mech, status, &e);
	smtpserver_reply(s, 235, SMTP_E_POLICY_OTHER, S("nice"));                               // rfc/4954:573
	return 0;
}

int
smtpserver_auth_line(struct session *s, struct str line)
{
	struct str challenge = { 0 };

	int status = sasl_server_line(s->exchange->sasl, line, &challenge);
	return step_done(s, status, challenge);
}

/* begin_failed is for what fails before there is an exchange. */
static int
begin_failed(struct session *s, struct str mechanism, int err)
{
	record(s, mechanism, S(""), err);
	return -1;
}

static bool
is_mech_char(int c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';        // rfc/4422:438
}

/* start_exchange makes the exchange for a mechanism. */
static int
start_exchange(struct session *s, enum sasl_mech mech)
{
	cleanup_(config_unref) struct config *cfg = smtpserver_config(s->srv);
	struct exchange *x = mem_alloc(sizeof(*x));
	struct scram_binding binding = { 0 };

	x->mech = mech;
	x->login.auth = s->srv->opts.auth;
	x->login.mem = &x->arena;
	x->login.cert = s->cert.acct ? &s->cert : NULL;
	s->exchange = x;
	auth_binding(conn_arena(s->c), conn_ssl(s->c), &binding);
	return sasl_server_start(&(struct sasl_server_args){
		.mech = mech,
		.ops = &auth_sasl_ops,
		.arg = &x->login,
		.tls = conn_is_tls(s->c),
		.allow_cleartext = s->l->no_require_starttls,
		.binding = &binding,
		.host = cfg->hostname.ascii,
	}, &x->sasl);
}

/* auth = "AUTH" SP sasl-mech [SP initial-response] *(CRLF [base64]) [CRLF cancel-response]    rfc/4954:699 */
static int
begin(struct session *s, struct cur *args)
{
	cleanup_(config_unref) struct config *cfg = smtpserver_config(s->srv);
	enum sasl_mech mech;
	struct str challenge = { 0 }, initial = { 0 };

	cur_char(args, ' ');
	const char *from = args->p;
	while (is_mech_char(cur_peek(args)))
		cur_any(args, "mechanism");
	struct str name = str_n(from, (size_t)(args->p - from));
	if (cur_ok(args) && (name.n == 0 || name.n > 20 || (!cur_end(args) && !cur_is(args, ' '))))
		cur_fail(args, "mechanism in upper case");
	bool has_initial = cur_try(args, ' ');
	if (has_initial && !cfg->pedantic)
		while (cur_try(args, ' '))      /* Windows Mail sends two */
			continue;
	initial = cur_rest(args);
	if (!cur_ok(args) || (has_initial && initial.n == 0)) {
		cur_fail(args, "initial response");
		smtpserver_fail_parse(s, args);
		return begin_failed(s, S("(unrecognized)"), SASL_BAD_SYNTAX);
	}
	if (sasl_mech_parse(name, &mech) < 0 || !offered(s, mech)) {
		smtpserver_userf(s, 504, SMTP_E_PROTO_ARGS, "mechanism not supported");         // rfc/4954:179
		return begin_failed(s, S("(unrecognized)"), SASL_BAD_SYNTAX);
	}
	int status = start_exchange(s, mech);
	if (status < 0) {
		smtpserver_auth_free(s);
		reply_error(s, mech, status, NULL);
		return begin_failed(s, str_of(sasl_mech_lower(mech)), status);
	}
	status = sasl_server_initial(s->exchange->sasl, has_initial ? &initial : NULL, &challenge);
	return step_done(s, status, challenge);
}

/* begin_held goes on after the push-back. */
static int
begin_held(struct session *s)
{
	struct str line = str_dup(conn_arena(s->c), str_of(s->held));
	struct cur args = cur_in(conn_arena(s->c), line);

	mem_free(&s->held);
	return begin(s, &args);
}

int
smtpserver_cmd_auth(struct session *s, struct cur *args)
{
	if (s->sasl_done)
		return smtpserver_userf(s, 503, SMTP_E_PROTO_COMMAND, "already authenticated");         // rfc/4954:154
	if (s->tx.open)
		return smtpserver_userf(s, 503, SMTP_E_PROTO_COMMAND, "not within a mail transaction"); // rfc/4954:157
	if (auth_refuse(s->srv->opts.auth, &conn_remote(s->c)->ip, "submission")) {
		s->next = CONN_NEXT_CLOSE;
		return smtpserver_userf(s, 421, SMTP_E_POLICY_OTHER, "too many auth failures");
	}
	if (s->auth_failures <= FAILURES_FREE)
		return begin(s, args);
	/* The line is gone when the timer fires. */
	s->held = mem_str(cur_rest(args));
	return smtpserver_pause(s, (int64_t)(s->auth_failures - FAILURES_FREE) * TIME_SEC, begin_held);
}
