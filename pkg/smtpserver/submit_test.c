/* SPDX-License-Identifier: MIT */
/* Submission: logging in, and what a user may send. */
#include "base/enc.h"
#include "smtpserver/rig_test.h"

#define TLS (RIG_SUBMISSION | RIG_IMPLICIT | RIG_PASSWORDS)
#define START "S 220 \nC EHLO x\nS* 250 \n"

static struct str
b64(struct str s)
{
	return enc_base64(test_arena(), s, ENC_STD);
}

static struct str
plain(const char *user, const char *password)
{
	char buf[200];
	size_t n = 0;

	buf[n++] = 0;
	memcpy(buf + n, user, strlen(user));
	n += strlen(user);
	buf[n++] = 0;
	memcpy(buf + n, password, strlen(password));
	n += strlen(password);
	return b64(str_n(buf, n));
}

static void
login(struct rig *r)
{
	rig_script(r, str_fmt(test_arena(), "C AUTH PLAIN " STRF "\nS 235 2.7.0 \n", STRA(plain("mjl@mox.example", "test password"))).p);
}

/* auth runs a whole exchange by package sasl's client; returns the final reply. */
static struct str
auth(struct rig *r, enum sasl_mech m, const char *user, const char *password, bool initial)
{
	struct arena *a = test_arena();
	struct scram_binding binding;
	struct sasl_send send;
	struct str reply;

	auth_binding(a, r->ssl, &binding);
	struct sasl_client *c = sasl_client_new(&(struct sasl_client_args){ .mech = m, .user = str_of(user), .password = str_of(password),
	    .binding = r->ssl ? &binding : NULL });
	assert_ok(sasl_client_step(c, NULL, &send));
	if (send.has && initial)
		rig_send(r, str_fmt(a, "AUTH %s " STRF "\r\n", sasl_mech_name(m), STRA(send.data.n ? b64(send.data) : S("="))));
	else {
		rig_send(r, str_fmt(a, "AUTH %s\r\n", sasl_mech_name(m)));
		if (send.has) {
			reply = rig_read(r);
			assert_true(str_starts(reply, S("334 ")));
			rig_send(r, str_fmt(a, STRF "\r\n", STRA(b64(send.data))));
		}
	}
	while (str_starts(reply = rig_read(r), S("334 "))) {
		struct str challenge;
		assert_ok(enc_unbase64(a, str_trim(str_from(reply, 4)), ENC_STD, &challenge));
		int err = sasl_client_step(c, &challenge, &send);
		rig_send(r, err < 0 ? S("*\r\n") : str_fmt(a, STRF "\r\n", STRA(send.has ? b64(send.data) : S(""))));
	}
	sasl_client_free(&c);
	return reply;
}

static void
assert_reply(struct str got, const char *want)
{
	if (!str_starts(got, str_of(want)))
		fail_msg("want \"%s\", got \"" STRF "\"", want, STRA(got));
}

/* Every mechanism over TLS 1.2 (tls-unique) and 1.3 (tls-exporter): right, wrong, unknown, empty. */
TEST(auth_mechanisms)
{
	static const enum sasl_mech mechs[] = { SASL_PLAIN, SASL_LOGIN, SASL_CRAM_MD5, SASL_SCRAM_SHA1, SASL_SCRAM_SHA1_PLUS, SASL_SCRAM_SHA256,
	    SASL_SCRAM_SHA256_PLUS };

	for (unsigned v = 0; v <= RIG_TLS12; v += RIG_TLS12) {
		struct rig r;

		rig_start(&r, TLS | RIG_CRAMMD5 | v);
		auth_set_limits(r.auth, false, false);
		for (size_t i = 0; i < ARRAY_LEN(mechs); i++) {
			test_row("%s%s", sasl_mech_name(mechs[i]), v ? ", TLS 1.2" : "");
			rig_hangup(&r);
			rig_connect(&r);
			rig_script(&r, START);
			assert_reply(auth(&r, mechs[i], "mjl@mox.example", "wrong password", false), "535 5.7.8 ");
			assert_reply(auth(&r, mechs[i], "unknown@mox.example", "test password", false), "535 5.7.8 ");
			assert_reply(auth(&r, mechs[i], "other@mox.example", "test password", false), "535 5.7.8 ");   /* no password set */
			assert_reply(auth(&r, mechs[i], "public@mox.example", "test password", false), "535 5.7.8 ");  /* an alias */
			assert_reply(auth(&r, mechs[i], "postmaster@mox.example", "test password", false), "535 5.7.8 ");
			assert_reply(auth(&r, mechs[i], "mjl", "test password", false), "535 5.7.8 ");                 /* no address */
			assert_reply(auth(&r, mechs[i], "gone@mox.example", "test password", false), "525 5.7.13 we miss you");
			assert_reply(auth(&r, mechs[i], "gone@mox.example", "wrong password", false), "535 5.7.8 ");
			for (int initial = 0; initial < 2; initial++) {
				rig_hangup(&r);
				rig_connect(&r);
				rig_script(&r, START);
				assert_reply(auth(&r, mechs[i], "mjl+x@mox.example", "test password", initial), "235 2.7.0 ");
				rig_script(&r, "C AUTH PLAIN\nS 503 5.5.1 \n");
			}
		}
		rig_stop(&r);
	}
}

/* Opaque strings: the same password in other Unicode forms; addresses of disabled domains still log in. */
TEST(auth_names_and_passwords)
{
	struct rig r;

	rig_start(&r, TLS);
	assert_ok(auth_set_password(r.auth, S("mjl"), S("p\xc3\xa4ssw\xc3\xb6rd 1"), NULL));
	rig_script(&r, START);
	assert_reply(auth(&r, SASL_PLAIN, "mjl@mox.example", "pa\xcc\x88sswo\xcc\x88rd\xc2\xa0""1", true), "235 ");
	rig_hangup(&r);
	rig_connect(&r);
	rig_script(&r, START);
	assert_reply(auth(&r, SASL_SCRAM_SHA256, "te\xcc\x81st@mox.example", "p\xc3\xa4ssw\xc3\xb6rd 1", true), "235 ");
	rig_hangup(&r);
	rig_connect(&r);
	rig_script(&r, START);
	assert_reply(auth(&r, SASL_PLAIN, "mjl@disabled.example", "p\xc3\xa4ssw\xc3\xb6rd 1", true), "235 ");
	rig_stop(&r);
}

TEST(auth_syntax)
{
	static const char *const script =
	    START
	    "C AUTH\nS 501 5.5.2 \n"
	    "C AUTH \nS 501 5.5.2 \n"
	    "C AUTH plain\nS 501 5.5.2 \n"                          // names are upper case: rfc/4422:438
	    "C AUTH PLAIN \nS 501 5.5.2 \n"                         // initial response is missing
	    "C AUTH NTLM\nS 504 5.5.4 \n"                           // rfc/4954:179
	    "C AUTH EXTERNAL =\nS 504 5.5.4 \n"                     // not offered without a key
	    "C AUTH AAAAAAAAAAAAAAAAAAAAAAAAA\nS 501 5.5.2 \n"
	    "C AUTH PLAIN !\nS 501 5.5.2 \n"                        // rfc/4954:235
	    "C AUTH PLAIN =\nS 501 5.5.2 \n"                        // empty: no fields
	    "C AUTH PLAIN\nS 334 \nC *\nS 501 5.5.0 \n"             // rfc/4954:193
	    "C AUTH PLAIN\nS 334 \nC =\nS 501 5.5.2 \n"
	    "C AUTH PLAIN\nS 334 \nC AAA\nS 501 5.5.2 \n"
	    "C AUTH CRAM-MD5 =\nS 501 5.5.2 \n"                     // rfc/4954:195
	    "C AUTH CRAM-MD5\nS 334 \nC bm8gZGlnZXN0\nS 501 5.5.4 \n"
	    "C AUTH SCRAM-SHA-256 biws\nS 455 4.7.0 \n"
	    "C AUTH SCRAM-SHA-256 eSwsbj11LHI9MTIzNDU2Nzg=\nS 455 4.7.0 \n" // y: downgrade
	    "C AUTH LOGIN\nS 334 VXNlcm5hbWU6\nC *\nS 501 5.5.0 \n"
	    "C NOOP\nS 250 \n";

	for (unsigned bytes = 0; bytes <= RIG_BYTES; bytes += RIG_BYTES) {
		struct rig r;

		rig_start(&r, RIG_SUBMISSION | RIG_IMPLICIT | RIG_CRAMMD5 | bytes);
		auth_set_limits(r.auth, false, false);
		rig_script(&r, script);
		rig_stop(&r);
	}
}

/* client-quirks.md: Outlook wants these texts, letter by letter. */
TEST(quirk_outlook_auth_login)
{
	struct rig r;
	struct arena *a = test_arena();

	rig_start(&r, TLS);
	rig_script(&r, str_fmt(a, START "C AUTH LOGIN\nS 334 VXNlcm5hbWU6\nC " STRF "\nS 334 UGFzc3dvcmQ6\nC " STRF "\nS 235 2.7.0 \n",
	    STRA(b64(S("mjl@mox.example"))), STRA(b64(S("test password")))).p);
	rig_stop(&r);
}

/* Windows Mail sends two spaces before the initial response. */
TEST(quirk_windows_mail_auth)
{
	struct rig r;
	struct arena *a = test_arena();
	struct str p = plain("mjl@mox.example", "test password");

	rig_start(&r, TLS);
	rig_script(&r, str_fmt(a, START "C AUTH PLAIN  " STRF "\nS 235 2.7.0 \n", STRA(p)).p);
	rig_stop(&r);
	rig_start(&r, TLS | RIG_PEDANTIC);
	rig_script(&r, str_fmt(a, "S 220 \nC EHLO x.example\nS* 250 \nC AUTH PLAIN  " STRF "\nS 501 5.5.2 \n", STRA(p)).p);
	rig_stop(&r);
}

TEST(auth_needs_tls)
{
	struct rig r;
	struct arena *a = test_arena();
	struct str p = plain("mjl@mox.example", "test password");

	/* Clear text and -PLUS are refused before anything is read; SCRAM without works. */
	rig_start(&r, RIG_SUBMISSION | RIG_TLS | RIG_PASSWORDS);
	rig_script(&r, str_fmt(a, START "C AUTH PLAIN " STRF "\nS 538 5.7.11 \nC AUTH PLAIN\nS 538 5.7.11 \nC AUTH LOGIN\nS 538 5.7.11 \nC AUTH SCRAM-SHA-256-PLUS\nS 538 5.7.11 \n",
	    STRA(p)).p);
	assert_reply(auth(&r, SASL_SCRAM_SHA256, "mjl@mox.example", "test password", true), "235 2.7.0 ");
	/* Mail still needs TLS; after the login there is no STARTTLS. */
	rig_script(&r, "C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 530 5.7.0 \nC RSET\nS 250 \nC STARTTLS\nS 503 5.5.1 already auth\n");
	rig_stop(&r);

	rig_start(&r, RIG_SUBMISSION | RIG_TLS | RIG_PASSWORDS | RIG_NO_REQUIRE_STARTTLS);
	rig_script(&r, str_fmt(a, START "C AUTH PLAIN " STRF "\nS 235 2.7.0 \nC MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 2.1.0 \n", STRA(p)).p);
	rig_stop(&r);
}

TEST(auth_state)
{
	struct rig r;

	rig_start(&r, TLS);
	rig_script(&r, "S 220 \nC AUTH PLAIN\nS 503 5.5.1 send EHLO\nC EHLO x\nS* 250 \n");
	login(&r);
	rig_script(&r, "C AUTH PLAIN\nS 503 5.5.1 already auth\nC EHLO x\nS* 250 \nC AUTH PLAIN\nS 503 5.5.1 already auth\n");  // rfc/4954:154
	rig_stop(&r);
}

/* ../spec/attack-classes.md, SASL: a client that sends rubbish harms its own exchange only. */
TEST(attack_sasl_bad_base64_is_isolated)
{
	struct rig r;
	struct conn *first;
	SSL *first_ssl;
	int first_fd;

	rig_start(&r, TLS);
	rig_script(&r, START "C AUTH PLAIN\nS 334 \n");
	first = r.c;
	first_ssl = r.ssl;
	first_fd = r.fd;
	rig_connect(&r);
	rig_script(&r, START "C AUTH PLAIN ====\nS 501 5.5.2 \nC AUTH SCRAM-SHA-256 AAAA\nS 455 \n");
	rig_hangup(&r);
	r.c = first;
	r.ssl = first_ssl;
	r.fd = first_fd;
	r.open = true;
	rig_script(&r, str_fmt(test_arena(), "C " STRF "\nS 235 2.7.0 \n", STRA(plain("mjl@mox.example", "test password"))).p);
	rig_stop(&r);
}

/* Failures push back by timers: after more than 3, AUTH waits; the address is limited over all connections. */
TEST(auth_push_back)
{
	struct rig r;
	struct arena *a = test_arena();
	struct str bad = plain("mjl@mox.example", "wrong");

	rig_start(&r, RIG_SUBMISSION | RIG_NO_REQUIRE_STARTTLS | RIG_DELAYS);
	rig_script(&r, "S 220 \n");
	struct str attempt = str_fmt(a, "C AUTH PLAIN " STRF "\nS 535 5.7.8 \n", STRA(bad));
	rig_script(&r, "C EHLO x\nS* 250 \n");
	for (int i = 0; i < 2; i++)
		rig_script(&r, attempt.p);
	rig_stop(&r);

	rig_start(&r, RIG_SUBMISSION | RIG_NO_REQUIRE_STARTTLS);
	rig_script(&r, START);
	for (int i = 0; i < 10; i++)
		rig_script(&r, attempt.p);
	assert_true(smtpserver_refuse(&r.listener, &conn_remote(r.c)->ip));
	rig_script(&r, str_fmt(a, "C AUTH PLAIN " STRF "\nS 421 4.7.0 \nX\n", STRA(bad)).p);
	rig_stop(&r);
}

/* A delayed AUTH goes on where it was. */
TEST(auth_delay_holds_the_line)
{
	struct rig r;
	struct arena *a = test_arena();
	struct session *s;

	rig_start(&r, RIG_SUBMISSION | RIG_NO_REQUIRE_STARTTLS | RIG_PASSWORDS);
	rig_script(&r, START);
	s = conn_data(r.c);
	s->auth_failures = 4;
	r.srv->opts.no_delays = false;
	r.flags |= RIG_DELAYS;
	rig_script(&r, str_fmt(a, "P AUTH PLAIN " STRF "|NOOP\nN\n", STRA(plain("mjl@mox.example", "test password"))).p);
	rig_timer(&r);
	rig_script(&r, "S 235 2.7.0 \nS 250 2.0.0 \n");
	assert_int_equal(s->auth_failures, 0);
	rig_stop(&r);
}

/* Protocol traces show neither passwords nor what proves them. */
TEST(secrets_are_not_traced)
{
	struct rig r;
	struct str p = plain("mjl@mox.example", "test password");

	log_set_package(S("smtpserver"), LOG_TRACE);
	rig_start(&r, TLS);
	rig_script(&r, str_fmt(test_arena(), START "C AUTH PLAIN " STRF "\nS 235 \n", STRA(p)).p);
	rig_hangup(&r);
	r.flags |= RIG_BYTES;
	rig_connect(&r);
	rig_script(&r, str_fmt(test_arena(), START "C AUTH PLAIN\nS 334 \nC " STRF "\nS 235 \nC NOOP shown\nS 250 \n", STRA(p)).p);
	log_unset_package(S("smtpserver"));
	assert_int_equal(test_logged(p.p), 0);
	assert_true(test_logged("NOOP shown") > 0);
	assert_true(test_logged("***") > 0);
	rig_stop(&r);
}

TEST(attempts_are_recorded)
{
	struct rig r;
	struct store_attempt *v;
	size_t n, found = 0;

	rig_start(&r, TLS);
	rig_script(&r, START);
	login(&r);
	rig_hangup(&r);
	rig_connect(&r);
	rig_script(&r, START "C AUTH PLAIN\nS 334 \nC *\nS 501 \nC AUTH FOO\nS 504 \n");
	assert_reply(auth(&r, SASL_SCRAM_SHA256, "mjl@mox.example", "wrong", true), "535 ");
	/* The queue is drained at close. */
	rig_hangup(&r);
	auth_close(&r.auth);
	struct store_authdb *db;
	assert_ok(store_authdb_open(str_fmt(test_arena(), "%s/data", test_dir()).p, &db, NULL));
	assert_ok(store_attempts_list(db, test_arena(), S(""), 0, &v, &n));
	for (size_t i = 0; i < n; i++) {
		found += str_is(v[i].result, S("ok")) && str_is(v[i].account, S("mjl")) && str_is(v[i].mechanism, S("plain")) &&
		    str_is(v[i].address, S("mjl@mox.example")) && str_is(v[i].protocol, S("submission")) && str_is(v[i].remote_ip, S("10.1.2.3")) &&
		    str_starts(v[i].tls, S("version=TLS1.3 "));
		found += str_is(v[i].result, S("aborted")) && str_is(v[i].account, S("-")) && str_is(v[i].mechanism, S("plain"));
		found += str_is(v[i].result, S("badprotocol")) && str_is(v[i].mechanism, S("(unrecognized)"));
		found += str_is(v[i].result, S("badcreds")) && str_is(v[i].mechanism, S("scram-sha-256"));
	}
	assert_int_equal(found, 4);
	store_authdb_close(&db);
	smtpserver_free(&r.srv);
	store_close(&r.store);
	tls_ctx_unref(&r.client_tls);
	tls_ctx_unref(&r.tls);
	config_unref(&r.cfg);
	buf_done(&r.in);
}

/* --- TLS client keys --- */

static void
add_key(struct rig *r, struct str fingerprint, const char *account, const char *address)
{
	assert_ok(store_tls_key_add(auth_db(r->auth), &(struct store_tls_key){ .fingerprint = fingerprint, .created_us = 1, .type = S("ecdsa-p256"), .name = S("laptop"),
	    .account = str_of(account), .address = str_of(address), .cert_der = S("x") }));
	assert_ok(auth_keys_changed(r->auth));
}

TEST(client_key)
{
	struct rig r;
	struct str key;

	rig_start(&r, TLS);
	rig_client_key(&r, "laptop", &key);
	add_key(&r, key, "mjl", "mjl@mox.example");
	rig_hangup(&r);
	rig_connect(&r);
	/* Logged in by the key; AUTH as oneself, as another address of the account, not as another account. */
	rig_script(&r, "S 220 \nC EHLO x\nS 250-\nS 250-\nS 250-\nS 250-\nS 250-AUTH EXTERNAL SCRAM-SHA-256-PLUS \nS* 250 \nC MAIL FROM:<mjl@mox.example>\nS 250 \nC RSET\nS 250 \n");
	rig_script(&r, str_fmt(test_arena(), "C AUTH PLAIN " STRF "\nS 525 \n", STRA(plain("gone@mox.example", "test password"))).p);
	rig_script(&r, "C AUTH EXTERNAL bm9ib2R5QGNhc2UuZXhhbXBsZQ==\nS 535 5.7.8 \n");
	rig_script(&r, str_fmt(test_arena(), "C AUTH EXTERNAL " STRF "\nS 535 5.7.8 \n", STRA(b64(S("other@mox.example")))).p);
	rig_script(&r, str_fmt(test_arena(), "C AUTH EXTERNAL " STRF "\nS 235 \n", STRA(b64(S("mjl+x@mox.example")))).p);
	struct session *s = conn_data(r.c);
	assert_strz(s->user.address, "mjl+x@mox.example");
	rig_hangup(&r);
	rig_connect(&r);
	rig_script(&r, START "C AUTH EXTERNAL =\nS 235 \n");
	rig_hangup(&r);

	/* Without the option the key is no login. */
	r.listener.client_auth_disabled = true;
	rig_connect(&r);
	rig_script(&r, START "C MAIL FROM:<mjl@mox.example>\nS 530 \nC AUTH EXTERNAL =\nS 504 \n");
	rig_stop(&r);
}

TEST(client_key_refused)
{
	struct rig r;
	struct str key;

	/* Unknown: the handshake fails. */
	rig_start(&r, TLS);
	rig_client_key(&r, "laptop", &key);
	rig_hangup(&r);
	rig_connect(&r);
	assert_str(rig_read(&r), S(""));
	assert_false(r.open);
	/* Of an account that must not log in, and of an address that is another account's now. */
	add_key(&r, key, "gone", "gone@mox.example");
	rig_hangup(&r);
	rig_connect(&r);
	assert_str(rig_read(&r), S(""));
	assert_false(r.open);
	assert_int_equal(store_tls_key_remove(auth_db(r.auth), key), 1);
	add_key(&r, key, "other", "mjl@mox.example");
	rig_hangup(&r);
	rig_connect(&r);
	assert_str(rig_read(&r), S(""));
	assert_false(r.open);
	/* Each counts as a failed login. */
	for (int i = 0; i < 7; i++) {
		rig_hangup(&r);
		rig_connect(&r);
	}
	assert_true(smtpserver_refuse(&r.listener, &conn_remote(r.c)->ip));
	rig_stop(&r);
}

/* A resumed session shows no certificate in its handshake: the key is looked up again all the same. */
TEST(client_key_on_resumption)
{
	struct rig r;
	struct str key;
	SSL_SESSION *session;

	rig_start(&r, TLS);
	rig_client_key(&r, "laptop", &key);
	add_key(&r, key, "mjl", "mjl@mox.example");
	rig_hangup(&r);
	rig_connect(&r);
	rig_script(&r, START "C MAIL FROM:<mjl@mox.example>\nS 250 \n");
	session = SSL_get1_session(r.ssl);
	assert_int_equal(SSL_SESSION_is_resumable(session), 1);

	for (int known = 1; known >= 0; known--) {
		rig_hangup(&r);
		r.resume = session;
		rig_connect(&r);
		assert_int_equal(SSL_session_reused(r.ssl), 1);
		if (known) {
			rig_script(&r, START "C MAIL FROM:<mjl@mox.example>\nS 250 \n");
			assert_int_equal(store_tls_key_remove(auth_db(r.auth), key), 1);
			assert_ok(auth_keys_changed(r.auth));
		} else {
			rig_script(&r, "S 554 5.7.8 \nX\n");
		}
	}
	SSL_SESSION_free(session);
	rig_stop(&r);
}

/* client-quirks.md: Gmail offers a certificate on port 25, which is no login. */
TEST(quirk_gmail_client_certificate)
{
	struct rig r;
	struct str key;

	rig_start(&r, RIG_TLS);
	rig_client_key(&r, "smtp.gmail.example", &key);
	rig_script(&r, "S 220 \nC EHLO g.example\nS* 250 \nC STARTTLS\nS 220 \nT\nC EHLO g.example\nS* 250 \nC MAIL FROM:<a@remote.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 \n");
	rig_stop(&r);
}

/* --- what may be sent --- */

#define MESSAGE(from) "B From: " from "\\r\\nTo: <mjl@mox.example>\\r\\n\\r\\ntext\\r\\n.\\r\\n\n"

TEST(submission_senders)
{
	static const struct { const char *from, *reply; } rows[] = {
		{ "mjl@mox.example", "250 2.1.0 " }, { "mjl+x@mox.example", "250 2.1.0 " }, { "", "250 2.1.0 " }, { "any@catch.example", "250 2.1.0 " },
		{ "send@mox.example", "250 2.1.0 " },                    /* alias that lets its members */
		{ "public@mox.example", "550 5.7.1 " },
		{ "other@mox.example", "550 5.7.1 " },
		{ "a@remote.example", "550 5.7.1 " },
		{ "postmaster@mox.example", "550 5.7.1 " },
		{ "unknown@mox.example", "550 5.7.1 " },
		{ "mjl@disabled.example", "451 4.3.0 " },
		{ "mjl@[127.0.0.1]", "550 5.7.0 " },
	};
	struct rig r;

	rig_start(&r, TLS);
	rig_script(&r, START);
	login(&r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].from);
		rig_script(&r, str_fmt(test_arena(), "C MAIL FROM:<%s>\nS %s\nC RSET\nS 250 \n", rows[i].from, rows[i].reply).p);
	}
	rig_stop(&r);
}

TEST(submission_author)
{
	static const struct { const char *header, *reply; } rows[] = {
		{ "From: <mjl@mox.example>\\r\\n", "250 2.2.0 " },
		{ "From: \"M. J.\" <mjl+x@mox.example>\\r\\n", "250 2.2.0 " },
		{ "From: <send@mox.example>\\r\\nSender: <whoever@elsewhere.example>\\r\\n", "250 2.2.0 " },
		{ "From: <other@mox.example>\\r\\n", "550 5.7.1 " },
		{ "From: <a@remote.example>\\r\\n", "550 5.7.1 " },
		{ "From: <mjl@disabled.example>\\r\\n", "451 4.3.0 " },
		{ "From: <mjl@mox.example>, <mjl+x@mox.example>\\r\\n", "550 5.6.0 " },
		{ "From: <mjl@mox.example>\\r\\nFrom: <other@mox.example>\\r\\n", "550 5.6.0 " },        /* attack-classes.md: From ambiguity */
		{ "From: undisclosed:;\\r\\n", "550 5.6.0 " },
		{ "Subject: x\\r\\n", "550 5.6.0 " },
	};
	struct rig r;

	rig_start(&r, TLS);
	rig_script(&r, START);
	login(&r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].header);
		rig_script(&r, str_fmt(test_arena(), "C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<other@mox.example>\nS 250 \nC DATA\nS 354 \nB %s\\r\\ntext\\r\\n.\\r\\n\nS %s\n",
		    rows[i].header, rows[i].reply).p);
	}
	rig_script(&r, "C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<other@mox.example>\nS 250 \nC DATA\nS 354 \nB From: <mjl@mox.example>\\r\\n.\\r\\n\nS 554 5.6.0 \n");
	rig_stop(&r);
}

TEST(submission_recipients)
{
	struct rig r;

	rig_start(&r, TLS);
	rig_script(&r, START);
	login(&r);
	rig_script(&r, "C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<a@elsewhere.example>\nS 550 5.7.1 \nC RCPT TO:<unknown@mox.example>\nS 550 5.1.1 \n"
	    "C RCPT TO:<mjl@disabled.example>\nS 450 4.2.1 \nC RCPT TO:<other@mox.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 \nC DATA\nS 354 \n"
	    MESSAGE("<mjl@mox.example>") "S 250 2.2.0 \n");
	assert_int_equal(rig_messages(&r, "other", "Inbox").n, 1);
	assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, 1);
	rig_stop(&r);
}

/* Added where missing: Message-Id, Date; Received without the client's address: rfc/6409:749 */
TEST(submission_headers)
{
	struct rig r;

	rig_start(&r, TLS);
	rig_script(&r, START);
	login(&r);
	rig_script(&r, "C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<other@mox.example>\nS 250 \nC DATA\nS 354 \n" MESSAGE("<mjl@mox.example>") "S 250 2.2.0 \n"
	    "C MAIL FROM:<>\nS 250 \nC RCPT TO:<other@mox.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 \nC DATA\nS 354 \n"
	    "B From: <mjl@mox.example>\\r\\nMessage-ID: <own@id>\\r\\nDate: Mon, 1 Jan 2024 00:00:00 +0000\\r\\n\\r\\ntext\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	struct strlist l = rig_messages(&r, "other", "Inbox");
	assert_int_equal(l.n, 2);
	assert_true(str_search(l.v[0], S("\r\nReceived: from mox.example ")) > 0);
	assert_true(str_search(l.v[0], S("10.1.2.3")) < 0);
	assert_true(str_search(l.v[0], S("with ESMTPSA")) > 0);
	assert_true(str_search(l.v[0], S("for <other@mox.example>;")) > 0);
	assert_true(str_search(l.v[0], S("\r\nMessage-Id: <")) > 0);
	assert_true(str_search(l.v[0], S("@mox.example>\r\n")) > 0);
	assert_true(str_search(l.v[0], S("\r\nDate: ")) > 0);
	assert_true(str_search(l.v[0], S("Authentication-Results: mox.example;")) > 0);
	assert_true(str_search(l.v[0], S("auth=pass smtp.mailfrom=mjl@mox.example")) > 0);
	assert_true(str_search(l.v[1], S("Message-Id")) < 0);
	assert_true(str_search(l.v[1], S("for <")) < 0);
	ssize_t date = str_search(l.v[1], S("\r\nDate: "));
	assert_true(date > 0 && str_search(str_from(l.v[1], (size_t)date + 2), S("\r\nDate: ")) < 0);
	rig_stop(&r);
}

/* ../spec/smtpserver.md 10: sender utf8, recipient utf8, header utf8, body utf8 against declared or not, in pedantic mode. */
TEST(smtputf8_matrix)
{
	struct rig r;
	struct arena *a = test_arena();

	rig_start(&r, TLS | RIG_PEDANTIC);
	rig_script(&r, "S 220 \nC EHLO x.example\nS* 250 \n");
	login(&r);
	for (unsigned bits = 0; bits < 32; bits++) {
		bool sender = bits & 1, rcpt = bits & 2, header = bits & 4, body = bits & 8, declared = bits & 16;

		if ((sender || rcpt) && !declared)
			continue;               /* refused at MAIL and RCPT, tested there */
		test_row("sender %d rcpt %d header %d body %d declared %d", sender, rcpt, header, body, declared);
		rig_script(&r, str_fmt(a, "C MAIL FROM:<%s@mox.example> BODY=8BITMIME%s\nS 250 \nC RCPT TO:<%s@mox.example>\nS 250 \nC DATA\nS 354 \n"
		    "B From: <mjl@mox.example>\\r\\nSubject: %s\\r\\n\\r\\n%s\\r\\n.\\r\\n\nS %s\n", sender ? "t\xc3\xa9st" : "mjl", declared ? " SMTPUTF8" : "",
		    rcpt ? "t\xc3\xa9st" : "mjl", header ? "\xc3\xa9" : "e", body ? "\xc3\xa9" : "e", header && !declared ? "550 5.6.0 " : "250 2.2.0 ").p);
	}
	/* 8-bit without BODY=8BITMIME. */
	rig_script(&r, "C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 \nC DATA\nS 354 \nB From: <mjl@mox.example>\\r\\n\\r\\n\xc3\xa9\\r\\n.\\r\\n\nS 500 5.6.0 \n"
	    "C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 \nC DATA\nS 354 \nB From: <mjl@mox.example>\\r\\nReturn-Path: <x@y.example>\\r\\n\\r\\nx\\r\\n.\\r\\n\nS 550 5.6.0 \n");
	rig_stop(&r);
}

TEST(localserve_submission)
{
	struct rig r;

	rig_start(&r, TLS | RIG_LOCALSERVE);
	rig_script(&r, START);
	login(&r);
	rig_script(&r, "C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<a@elsewhere.example>\nS 250 \nC RCPT TO:<other@mox.example>\nS 250 \nC DATA\nS 354 \n"
	    MESSAGE("<mjl@mox.example>") "S 250 2.2.0 \nC MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<temperror@elsewhere.example>\nS 250 \nC DATA\nS 354 \n"
	    MESSAGE("<mjl@mox.example>") "S 451 4.0.0 \n");
	assert_int_equal(rig_messages(&r, "other", "Inbox").n, 1);
	assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, 1);
	rig_stop(&r);
}
