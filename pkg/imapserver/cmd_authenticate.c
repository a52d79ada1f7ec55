/* SPDX-License-Identifier: MIT */
/*
 * AUTHENTICATE   rfc/9051:1403, initial responses rfc/4959. The mechanisms are in package sasl, the credentials in
 * package auth.
 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

/* An exchange that waits for the client. */
struct exchange {
	struct sasl_server *sasl;
	struct auth_sasl creds;
	struct auth_user cert;          /* of the TLS client key */
	struct arena mem;               /* for what the callbacks keep */
};

static void
exchange_free(struct imapserver_session *s, void *data)
{
	struct exchange *x = data;

	(void)s;
	sasl_server_free(&x->sasl);
	auth_user_done(&x->creds.user);
	auth_user_done(&x->cert);
	arena_done(&x->mem);
	mem_free(&x);
}

/* What an outcome of the exchange is to the client. */
static int
refused(struct imapserver_cmd *c, const struct exchange *x, int err)
{
	switch (err) {
	case SASL_ABORTED:
		return imapserver_bad(c, "authentication aborted");
	case SASL_BAD_BASE64:
		return imapserver_bad(c, "malformed base64");
	case SASL_BAD_SYNTAX:
		return imapserver_bad(c, "malformed response");
	case SASL_NO_INITIAL:
		return imapserver_bad(c, "this mechanism has no initial response");
	case SASL_TLS_REQUIRED:
		return imapserver_no(c, "PRIVACYREQUIRED", "TLS is required for this mechanism");
	case SASL_BAD_AUTHZID:
		return imapserver_no(c, "AUTHORIZATIONFAILED", "cannot act as someone else");
	case SASL_BAD_BINDING:
		log_warn(conn_log(c->conn), "channel binding of SCRAM does not match, someone may be in the middle of the connection");
		return imapserver_no(c, "AUTHENTICATIONFAILED", "channel bindings do not match");
	case SASL_BAD_FIRST:
	case SASL_BAD_FINAL:
	case SASL_NO_SECRET:
		return imapserver_no(c, NULL, "not possible with this mechanism");
	case SASL_LOGIN_DISABLED:
		return imapserver_no(c, NULL, "%s", x->creds.err.text);
	case SASL_SERVER_ERROR:
		return imapserver_error(c, ERR_IO, &x->creds.err, "checking credentials");
	default:
		return imapserver_no(c, "AUTHENTICATIONFAILED", "bad credentials");
	}
}

static int
outcome(struct imapserver_cmd *c, struct exchange *x, int r, struct str challenge)
{
	struct imapserver_session *s = c->s;
	struct str mech = str_of(sasl_mech_lower(sasl_server_mech(x->sasl)));

	if (r == SASL_CONTINUE) {
		/* continue-req = "+" SP (resp-text / base64) CRLF   rfc/9051:6480 */
		conn_trace_out(c->conn, LOG_TRACEAUTH);
		conn_writef(c->conn, "+ " STRF "\r\n", STRA(challenge));
		conn_trace_out(c->conn, LOG_TRACE);
		return IMAPSERVER_MORE;
	}
	if (r < 0) {
		imapserver_record(s, S(""), sasl_server_user(x->sasl), mech, str_of(sasl_result(r)));
		if (sasl_counts(r))
			imapserver_login_failed(s);
		return refused(c, x, r);
	}
	imapserver_login(s, &x->creds.user);
	imapserver_record(s, store_account_name(s->acct), str_of(s->address), mech, S("ok"));
	imapserver_capability_code(c);
	return 0;
}

static int
step(struct imapserver_cmd *c, const struct conn_unit *u, void *data)
{
	struct exchange *x = data;
	struct str challenge = { 0 };

	if (u->kind != CONN_INPUT)
		return IMAPSERVER_MORE;
	if (u->data.n > LIMIT_IMAP_AUTH_LINE)
		return imapserver_bad(c, "line too long");
	int r = sasl_server_line(x->sasl, u->data, &challenge);
	return outcome(c, x, r, challenge);
}

const struct imapserver_steps imapserver_authenticate_steps = { step, exchange_free, true };

static int
begin(struct imapserver_cmd *c, struct str name, const struct str *initial, struct exchange *x)
{
	struct imapserver_session *s = c->s;
	struct arena *a = c->a;
	struct str challenge = { 0 };
	struct scram_binding binding = { 0 };
	enum sasl_mech mech;

	if (sasl_mech_parse(str_upper(a, name), &mech) < 0 || mech == SASL_LOGIN ||
	    (mech == SASL_CRAM_MD5 && !auth_crammd5_enabled(s->server->auth))) {
		imapserver_record(s, S(""), S(""), S("(unrecognized)"), S("badprotocol"));
		imapserver_login_failed(s);
		return imapserver_no(c, NULL, "mechanism not supported");
	}
	x->creds.auth = s->server->auth;
	x->creds.mem = &x->mem;
	if (imapserver_cert_user(s, &x->mem, &x->cert))
		x->creds.cert = &x->cert;
	auth_binding(a, conn_ssl(c->conn), &binding);
	struct sasl_server_args args = {
		.mech = mech, .ops = &auth_sasl_ops, .arg = &x->creds, .tls = conn_is_tls(c->conn),
		.allow_cleartext = s->listener->no_require_starttls, .binding = &binding, .host = s->server->hostname,
	};
	int r = sasl_server_start(&args, &x->sasl);
	if (r < 0)
		return refused(c, x, r);
	r = sasl_server_initial(x->sasl, initial, &challenge);
	return outcome(c, x, r, challenge);
}

int
imapserver_cmd_authenticate(struct imapserver_cmd *c)
{
	struct str initial = { 0 };

	/* authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]   rfc/9051:6351 */
	imap_sp(&c->in);
	struct str mech = imap_atom(&c->in);
	bool has_initial = cur_try(&c->in, ' ');
	if (has_initial)
		initial = cur_span1(&c->in, &imap_atom_chars, "initial response");
	TRY(imapserver_end(c));

	struct exchange *x = mem_alloc(sizeof(*x));
	int r = begin(c, mech, has_initial ? &initial : NULL, x);
	if (r == IMAPSERVER_MORE)
		return imapserver_continue(c, x);
	exchange_free(c->s, x);
	return r;
}
