/* SPDX-License-Identifier: MIT */
/*
 * What successful and failed authentications have in common, whichever command brought them.
 */
#include "imapserver/imapserver_internal.h"

#include "base/hash.h"
#include "base/mem.h"

#define READ_TIMEOUT (30 * TIME_MIN)                    /* rfc/9051:1100 */
#define WRITE_TIMEOUT (5 * TIME_MIN)
#define INPUT_MAX (LIMIT_IMAP_COMMAND + 2 * LIMIT_IMAP_LINE)     /* of a command: its literals, and the lines around them */
#define RECORD_DELAY (1 * TIME_SEC)

/* A successful login that is not recorded yet, in case ID tells the program's name. */
struct imapserver_attempt {
	char *mechanism;
	int64_t since_us;               /* monotonic */
};

bool
imapserver_cleartext_allowed(const struct imapserver_session *s)
{
	return conn_is_tls(s->conn) || s->listener->no_require_starttls;
}

bool
imapserver_cert_user(struct imapserver_session *s, struct arena *a, struct auth_user *r_user)
{
	const struct tls_info *info = conn_tls(s->conn);
	struct store_tls_key key = { 0 };

	if (!info || info->client_key.n == 0 || s->listener->client_auth_disabled)
		return false;
	return auth_key_user(s->server->auth, a, info->client_key, r_user, &key, NULL) == 0;
}

bool
imapserver_cert_allows(struct imapserver_session *s, const struct auth_user *user)
{
	cleanup_(auth_user_done) struct auth_user cert = { 0 };
	const struct tls_info *info = conn_tls(s->conn);

	if (!info || info->client_key.n == 0 || s->listener->client_auth_disabled)
		return true;
	return imapserver_cert_user(s, conn_arena(s->conn), &cert) && str_is(cert.account, user->account);
}

static void
wake(void *arg)
{
	struct imapserver_session *s = arg;

	/* The server and the id do not change while the comm is registered. */
	if (s->server->conns)
		conn_wake(s->server->conns, s->id);
}

void
imapserver_login(struct imapserver_session *s, struct auth_user *user)
{
	struct conn *conn = s->conn;

	s->acct = take(user->acct);
	s->address = mem_str(user->address);
	s->comm = store_comm_new(s->acct, wake, s);
	s->state = IMAPSERVER_AUTHENTICATED;
	s->failures = 0;
	if (s->slow)
		conn_set_slow(conn, false);
	s->slow = false;
	s->framer.max_literal = LIMIT_IMAP_LITERAL;
	s->framer.max_nonsync = UINT32_MAX;             /* LITERAL+; what is too large is answered with TOOBIG */
	s->framer.max_literals = LIMIT_IMAP_COMMAND;
	s->framer.max_command = INPUT_MAX;
	conn_set_input_limit(conn, INPUT_MAX);
	conn_set_read_timeout(conn, READ_TIMEOUT);
	conn_set_write_timeout(conn, WRITE_TIMEOUT);
	conn_set_class(conn, CONN_AUTHENTICATED);
	conn_set_group(conn, hash_str(store_account_name(s->acct)));
	conn_set_user(conn, user->address);
	auth_succeeded(s->server->auth, &conn_remote(conn)->ip);
}

void
imapserver_logout(struct imapserver_session *s)
{
	if (!s->acct)
		return;
	imapserver_record_flush(s, true);
	imapserver_unselect(s);         /* with the saved search result */
	store_comm_free(&s->comm);
	store_account_close(&s->acct);
	mem_free(&s->address);
	s->enabled = 0;
	conn_set_group(s->conn, 0);
	conn_set_user(s->conn, S(""));
	imapserver_start(s, s->conn);
}

/* After the third failure the connection turns slow, and each further attempt waits longer. */
void
imapserver_login_failed(struct imapserver_session *s)
{
	auth_failed(s->server->auth, &conn_remote(s->conn)->ip);
	s->failures++;
	if (s->server->no_delays || s->failures < 3)
		return;
	if (!s->slow)
		conn_set_slow(s->conn, true);
	s->slow = true;
	if (s->failures > 3)
		s->wait_us = (int64_t)(s->failures - 3) * TIME_SEC;
}

static void
record(struct imapserver_session *s, struct str account, struct str address, struct str mechanism, struct str result)
{
	struct arena *a = conn_arena(s->conn);
	const struct tls_info *info = conn_tls(s->conn);
	struct auth_attempt t = {
		.account = account, .address = address, .mechanism = mechanism, .result = result,
		.remote_ip = ip_str(a, &conn_remote(s->conn)->ip), .local_ip = ip_str(a, &conn_local(s->conn)->ip),
		.tls = auth_tls_text(a, info), .client_key = info ? info->client_key : S(""),
		.protocol = S("imap"), .user_agent = str_of(s->user_agent),
	};
	auth_record(s->server->auth, &t);
}

void
imapserver_record(struct imapserver_session *s, struct str account, struct str address, struct str mechanism, struct str result)
{
	if (str_is(result, S("ok")) && !s->user_agent) {
		s->attempt = mem_alloc(sizeof(*s->attempt));
		s->attempt->mechanism = mem_str(mechanism);
		s->attempt->since_us = time_mono_us();
		return;
	}
	record(s, account, address, mechanism, result);
}

void
imapserver_record_flush(struct imapserver_session *s, bool now)
{
	struct imapserver_attempt *t = s->attempt;

	if (!t || (!now && !s->user_agent && time_mono_us() - t->since_us < RECORD_DELAY))
		return;
	record(s, store_account_name(s->acct), str_of(s->address), str_of(t->mechanism), S("ok"));
	mem_free(&t->mechanism);
	mem_free(&s->attempt);
}
