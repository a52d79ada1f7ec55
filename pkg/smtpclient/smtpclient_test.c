/* SPDX-License-Identifier: MIT */
#include "smtpclient/fakeserver_test.h"

static const char msg[] = "Subject: test\r\n\r\n.dot\r\nbye\r\n";
#define MSG_DATA "D Subject: test\\r\\n\\r\\n..dot\\r\\nbye\\r\\n\n"

#define HELLO "S 220 mx.example ESMTP\nC EHLO us.example\n"
#define EHLO_PLAIN "S 250 mx.example\n"
#define EHLO_FULL \
	"S 250-mx.example\nS 250-PIPELINING\nS 250-SIZE 1000\nS 250-enhancedstatuscodes\nS 250-8BITMIME\nS 250-DSN\nS 250 SMTPUTF8\n"
#define BYE "C QUIT\nS 221 bye\nE\n"

static struct ctx no_limit;
static struct smtpclient_tls *client_tls;

static struct smtpclient_opts
opts(int fd, enum smtpclient_tls_mode mode)
{
	return (struct smtpclient_opts){
		.fd = fd,
		.ctx = &no_limit,
		.ehlo = S("us.example"),
		.mode = mode,
		.tls = client_tls,
		.remote_name = S("mx.example"),
		.timeout_us = 10 * TIME_SEC,
		.final_timeout_us = 10 * TIME_SEC,
	};
}

/* --- set-up --- */

TEST(set_up_without_tls)
{
	static const struct {
		const char *script;
		int cause;
		bool permanent;
		int code;
		const char *text; /* part of it */
	} rows[] = {
		{ HELLO EHLO_PLAIN BYE, 0, false, 0, "" },
		{ "S 220-mx.example\nS 220 second line\nC EHLO us.example\n" EHLO_FULL BYE, 0, false, 0, "" },
		{ HELLO "R 250\\r\\n\n" BYE, 0, false, 0, "" }, // no space, rfc/5321:2449
		{ HELLO "S 500 5.5.1 what\nC HELO us.example\nS 250 mx\n" BYE, 0, false, 0, "" }, // rfc/5321:1817
		{ HELLO "S 502 no\nC HELO us.example\nS 550 go away\n" BYE, SMTPCLIENT_STATUS, true, 550,
		    "550 go away" },
		{ HELLO "S 550 go away\n" BYE, SMTPCLIENT_STATUS, true, 550, "permanent: 550 go away" },
		{ HELLO "S 450 later\n" BYE, SMTPCLIENT_STATUS, false, 450, "transient: 450 later" },
		{ "S 554 no service\n" BYE, SMTPCLIENT_STATUS, true, 554, "554 no service" }, // rfc/5321:1652
		{ "S 421 busy\nE\n", SMTPCLIENT_STATUS, false, 421, "421 busy" },
		{ "S hello there\nE\n", SMTPCLIENT_PROTOCOL, false, 0, "malformed" },
		{ "S 22 x\nE\n", SMTPCLIENT_PROTOCOL, false, 0, "malformed" },
		{ "S 220-a\nS 221 b\nE\n", SMTPCLIENT_PROTOCOL, false, 0, "malformed reply: 221 b" },
		{ "R 220 a\nX\n", SMTPCLIENT_IO, false, 0, "closed" },
		{ "X\n", SMTPCLIENT_IO, false, 0, "closed" },
		{ "R 220 a\\r\\n250 b\\r\\n\nE\n", SMTPCLIENT_PROTOCOL, false, 0, "without a command" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fakeserver f;
		struct smtpclient *c = NULL;
		struct smtpclient_error e = { 0 };

		test_row("%s", rows[i].script);
		struct smtpclient_opts o = opts(fakeserver_start(&f, rows[i].script, NULL), SMTPCLIENT_TLS_SKIP);
		int rv = smtpclient_new(test_arena(), &o, &c, NULL, &e);
		if (rv == 0)
			smtpclient_close(&c);
		fakeserver_end(&f);
		assert_int_equal(rv, rows[i].cause);
		assert_int_equal(e.permanent, rows[i].permanent);
		assert_int_equal(e.reply.code, rows[i].code);
		assert_true(str_search(e.text, str_of(rows[i].text)) >= 0);
	}
}

TEST(long_reply)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);

	/* A line beyond the limit, lines without end. */
	for (int row = 0; row < 2; row++) {
		struct fakeserver f;
		struct smtpclient *c = NULL;
		struct smtpclient_error e = { 0 };

		buf_reset(&b);
		buf_addz(&b, "S 220");
		for (int i = 0; row == 0 && i < 3000; i++)
			buf_addc(&b, row == 0 && i == 0 ? ' ' : 'x');
		for (int i = 0; row == 1 && i < 300; i++)
			buf_addz(&b, "-hi\nS 220");
		buf_addz(&b, "\n");
		struct smtpclient_opts o = opts(fakeserver_start(&f, b.p, NULL), SMTPCLIENT_TLS_SKIP);
		assert_err(smtpclient_new(test_arena(), &o, &c, NULL, &e), SMTPCLIENT_PROTOCOL);
		fakeserver_end(&f);
	}
}

TEST(extensions)
{
	struct fakeserver f;
	struct smtpclient *c = NULL;
	struct smtpclient_error e;
	struct smtpclient_opts o = opts(
	    fakeserver_start(&f,
		HELLO "S 250-mx.example\nS 250-size 123\nS 250-AUTH plain LOGIN\nS 250-LIMITS RCPTMAX=20 MAILMAX=5\n"
		    "S 250-CHUNKING\nS 250 requiretls\n" BYE,
		NULL),
	    SMTPCLIENT_TLS_OPPORTUNISTIC);
	struct smtpclient_tls_facts facts;

	assert_ok(smtpclient_new(test_arena(), &o, &c, &facts, &e));
	const struct smtpclient_extensions *x = smtpclient_extensions(c);
	assert_true(x->esmtp && x->size && x->max_size == 123 && x->chunking && x->requiretls);
	assert_false(x->pipelining || x->starttls || x->dsn || x->smtputf8 || x->ecodes || x->eightbitmime);
	assert_strz(x->auth, "PLAIN LOGIN");
	assert_int_equal(x->rcpt_max, 20);
	assert_int_equal(x->mail_max, 5);
	assert_strz(smtpclient_greeting(c), "mx.example ESMTP");
	assert_true(facts.not_offered);
	smtpclient_close(&c);
	fakeserver_end(&f);
}

TEST(limits)
{
	static const struct {
		const char *params;
		uint32_t mail, rcpt, domain;
	} rows[] = {
		// rfc/9422:148
		{ " MAILMAX=10 RCPTMAX=20 RCPTDOMAINMAX=30", 10, 20, 30 },
		{ " rcptmax=1", 0, 1, 0 },
		{ " RCPTMAX=0 MAILMAX=3", 3, 0, 0 },
		{ " RCPTMAX=1234567", 0, 0, 0 },
		{ " RCPTMAX=999999 OTHER=a-b:c", 0, 999999, 0 },
		{ " RCPTMAX=10 RCPTMAX=10", 0, 0, 0 },
		{ " RCPTMAX=10  MAILMAX=1", 0, 0, 0 },
		{ " RCPTMAX=10;", 0, 0, 0 },
		{ " RCPTMAX", 0, 0, 0 },
		{ " RCPTMAX=", 0, 0, 0 },
		{ "", 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtpclient_extensions x = { 0 };

		test_row("%s", rows[i].params);
		smtpclient_parse_limits(&x, test_exact(str_of(rows[i].params)));
		assert_int_equal(x.mail_max, rows[i].mail);
		assert_int_equal(x.rcpt_max, rows[i].rcpt);
		assert_int_equal(x.rcpt_domain_max, rows[i].domain);
	}
}

/* --- TLS --- */

static int
dane_verdict(void *arg, X509 *leaf, STACK_OF(X509) * chain, bool *r_errors unused_, struct errmsg *e)
{
	assert_non_null(leaf);
	assert_true(sk_X509_num(chain) == 1);
	return *(const int *)arg < 0 ? err_set(e, ERR_NOTFOUND, "no record matches") : 0;
}

#define TLS_UP \
	HELLO \
	    "S 250-mx.example\nS 250-SIZE 5\nS 250-SMTPUTF8\nS 250 STARTTLS\nC STARTTLS\nS 220 go\nT\nC EHLO us.example\nS 250 mx.example\n" BYE
#define TLS_FAILS HELLO "S 250-x\nS 250 STARTTLS\nC STARTTLS\nS 220 go\nT\nE\n"

TEST(tls)
{
	static const int yes = 0, no = -1;
	enum {
		TRUSTED = 1,
		VERIFY = 2,
		DANE_OK = 4,
		DANE_BAD = 8,
		IGNORE = 16,
		WRONG_NAME = 32,
		REQUIRED = 64,
		IMMEDIATE = 128
	};
	static const struct {
		const char *script;
		unsigned flags;
		int cause;
		const char *pkix, *dane, *handshake; /* result types; NULL: ok or not judged */
		const char *reason;                  /* of what failed */
	} rows[] = {
		{ TLS_UP, 0, 0, "certificate-not-trusted", NULL, NULL, "" },
		{ TLS_UP, TRUSTED | VERIFY, 0, NULL, NULL, NULL, "" },
		{ TLS_UP, TRUSTED | WRONG_NAME, 0, "certificate-host-mismatch", NULL, NULL, "" },
		{ TLS_UP, DANE_OK, 0, "certificate-not-trusted", NULL, NULL, "" },
		{ TLS_UP, VERIFY | DANE_BAD | IGNORE, 0, "certificate-not-trusted", "validation-failure", NULL,
		    "dane-no-match" }, // rfc/8689:208
		{ TLS_UP, REQUIRED, 0, "certificate-not-trusted", NULL, NULL, "" },
		{ TLS_FAILS, VERIFY, SMTPCLIENT_TLS, "certificate-not-trusted", NULL, NULL, "" },
		{ TLS_FAILS, TRUSTED | VERIFY | WRONG_NAME, SMTPCLIENT_TLS, "certificate-host-mismatch", NULL, NULL,
		    "" },
		{ TLS_FAILS, TRUSTED | VERIFY | DANE_BAD, SMTPCLIENT_TLS, NULL, "validation-failure", NULL,
		    "dane-no-match" },
		{ "T\nS 220 mx.example ESMTP\nC EHLO us.example\nS 250 x\n" BYE, IMMEDIATE | TRUSTED | VERIFY, 0, NULL,
		    NULL, NULL, "" },
		/* Not TLS at all, closed. */
		{ HELLO
		    "S 250-x\nS 250 STARTTLS\nC STARTTLS\nS 220 go\nB \x16\x03\x01\nR not tls, but something else that is long enough\\r\\n\n",
		    0, SMTPCLIENT_TLS, NULL, NULL, "validation-failure", "tls-record-header-error" },
		{ HELLO "S 250-x\nS 250 STARTTLS\nC STARTTLS\nS 220 go\nX\n", 0, SMTPCLIENT_TLS, NULL, NULL,
		    "validation-failure", "connection-closed-during-handshake" },
		/* Refused. REQUIRED asks even when it is not announced. */
		{ HELLO "S 250 x\nC STARTTLS\nS 454 not now\n" BYE, REQUIRED, SMTPCLIENT_TLS, NULL, NULL,
		    "starttls-not-supported", "smtp-starttls-reply-code-454" },
		/* Response injection: rfc/3207:343 */
		{ HELLO "S 250-x\nS 250 STARTTLS\nC STARTTLS\nR 220 go\\r\\n250-evil\\r\\n250 AUTH PLAIN\\r\\n\n", 0,
		    SMTPCLIENT_PROTOCOL, NULL, NULL, NULL, "" },
		{ HELLO "S 250-x\nS 250 STARTTLS\nC STARTTLS\nR 220 go\\r\\n2\n", 0, SMTPCLIENT_PROTOCOL, NULL, NULL,
		    NULL, "" },
	};
	struct str cert;
	struct tls_ctx *server = fakeserver_tls("mx.example", &cert);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned fl = rows[i].flags;
		struct fakeserver f;
		struct smtpclient *c = NULL;
		struct smtpclient_error e = { 0 };
		struct smtpclient_tls_facts facts = { 0 };
		struct smtpclient_dane dane = { dane_verdict, (void *)(uintptr_t)(fl & DANE_OK ? &yes : &no) };

		test_row("%zu: %s", i, rows[i].script);
		assert_ok(smtpclient_tls_new(
		    &(struct smtpclient_tls_opts){ .ca_pem = &cert, .nca = fl & TRUSTED ? 1 : 0, .no_system = true },
		    &client_tls, NULL));
		struct smtpclient_opts o = opts(fakeserver_start(&f, rows[i].script, server),
		    fl & REQUIRED      ? SMTPCLIENT_TLS_REQUIRED :
			fl & IMMEDIATE ? SMTPCLIENT_TLS_IMMEDIATE :
					 SMTPCLIENT_TLS_OPPORTUNISTIC);
		o.verify_pkix = fl & VERIFY;
		o.ignore_verify_errors = fl & IGNORE;
		o.dane = fl & (DANE_OK | DANE_BAD) ? &dane : NULL;
		if (fl & WRONG_NAME)
			o.remote_name = S("other.example");
		int rv = smtpclient_new(test_arena(), &o, &c, &facts, &e);
		if (rv == 0) {
			assert_true(smtpclient_is_tls(c) && facts.established && facts.handshake.ok);
			/* What was announced before TLS is forgotten. */
			assert_false(smtpclient_extensions(c)->size || smtpclient_extensions(c)->smtputf8);
			smtpclient_close(&c);
		}
		fakeserver_end(&f);
		assert_int_equal(rv, rows[i].cause);
		const struct smtpclient_verdict *v[] = { &facts.pkix, &facts.dane, &facts.handshake };
		const char *want[] = { rows[i].pkix, rows[i].dane, rows[i].handshake };
		for (size_t j = 0; j < 3; j++) {
			assert_strz(str_of(v[j]->type), want[j] ? want[j] : "");
			if (want[j] && rows[i].reason[0] && strcmp(want[j], "certificate-not-trusted") != 0)
				assert_strz(v[j]->reason, rows[i].reason);
		}
		smtpclient_tls_free(&client_tls);
	}
	tls_ctx_unref(&server);
}

/* --- login --- */

TEST(login)
{
	static const enum sasl_mech all[] = { SASL_SCRAM_SHA256_PLUS, SASL_SCRAM_SHA256, SASL_SCRAM_SHA1, SASL_CRAM_MD5,
		SASL_PLAIN };
	static const struct {
		const char *script;
		bool tls;
		const char *password;
		int cause;
		int code;
	} rows[] = {
		{ HELLO "S 250-x\nS 250 AUTH PLAIN\nA PLAIN\n" BYE, false, "secret", 0, 0 },
		{ HELLO "S 250-x\nS 250 AUTH PLAIN\nA PLAIN\n" BYE, false, "wrong", SMTPCLIENT_STATUS, 535 },
		{ HELLO "S 250-x\nS 250 AUTH PLAIN CRAM-MD5\nA CRAM-MD5\n" BYE, false, "secret", 0, 0 },
		{ HELLO "S 250-x\nS 250 auth plain scram-sha-1\nA SCRAM-SHA-1\n" BYE, false, "secret", 0, 0 },
		{ HELLO "S 250-x\nS 250 AUTH PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS\nA SCRAM-SHA-256\n" BYE, false,
		    "secret", 0, 0 },
		{ HELLO "S 250-x\nS 250 AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS\nA SCRAM-SHA-256-PLUS\n" BYE, true,
		    "secret", 0, 0 },
		{ HELLO "S 250-x\nS 250 AUTH XOAUTH2\n" BYE, false, "secret", SMTPCLIENT_PROTOCOL, 0 },
		{ HELLO "S 250 x\n" BYE, false, "secret", SMTPCLIENT_PROTOCOL, 0 },
		/* Out of order, not base64, several lines: "*" and on. rfc/4954:194 */
		{ HELLO "S 250-x\nS 250 AUTH CRAM-MD5\nC AUTH CRAM-MD5\nS 235 2.7.0 come in\n", false, "secret",
		    SMTPCLIENT_PROTOCOL, 0 },
		{ HELLO "S 250-x\nS 250 AUTH CRAM-MD5\nC AUTH CRAM-MD5\nS 334 !!!\nC *\nS 501 ok\n" BYE, false,
		    "secret", SMTPCLIENT_PROTOCOL, 0 },
		{ HELLO "S 250-x\nS 250 AUTH CRAM-MD5\nC AUTH CRAM-MD5\nS 334-YQ==\nS 334 YQ==\nC *\nS 501 ok\n" BYE,
		    false, "secret", SMTPCLIENT_PROTOCOL, 0 },
		{ HELLO "S 250-x\nS 250 AUTH CRAM-MD5\nC AUTH CRAM-MD5\nS 334 YQ==\nC *\nS 250 what\nE\n", false,
		    "secret", SMTPCLIENT_PROTOCOL, 0 },
		{ HELLO "S 250-x\nS 250 AUTH PLAIN\nC* AUTH PLAIN \nS 334 \nC *\nS 501 ok\n" BYE, false, "secret",
		    SMTPCLIENT_PROTOCOL, 0 },
		{ HELLO "S 250-x\nS 250 AUTH PLAIN\nC* AUTH PLAIN \nS 454 4.7.0 later\n" BYE, false, "secret",
		    SMTPCLIENT_STATUS, 454 },
	};
	struct str cert;
	struct tls_ctx *server = fakeserver_tls("mx.example", &cert);

	assert_ok(smtpclient_tls_new(&(struct smtpclient_tls_opts){ .no_system = true }, &client_tls, NULL));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fakeserver f;
		struct smtpclient *c = NULL;
		struct smtpclient_error e = { 0 };
		struct smtpclient_auth auth = { S("user"), str_of(rows[i].password), all, ARRAY_LEN(all) };
		const char *script = rows[i].tls ? str_fmt(test_arena(), "T\n%s", rows[i].script).p : rows[i].script;

		test_row("%s", script);
		struct smtpclient_opts o = opts(
		    fakeserver_start(&f, script, server), rows[i].tls ? SMTPCLIENT_TLS_IMMEDIATE : SMTPCLIENT_TLS_SKIP);
		o.auth = &auth;
		int rv = smtpclient_new(test_arena(), &o, &c, NULL, &e);
		if (rv == 0) {
			struct str t = smtpclient_transcript(test_arena(), c);
			assert_true(str_search(t, S("C: AUTH ")) >= 0);
			assert_true(str_search(t, S("AHVzZXIAc2VjcmV0")) < 0); /* user and password in base64 */
			smtpclient_close(&c);
		}
		fakeserver_end(&f);
		assert_int_equal(rv, rows[i].cause);
		assert_int_equal(e.reply.code, rows[i].code);
	}
	smtpclient_tls_free(&client_tls);
	tls_ctx_unref(&server);
}

/* --- messages --- */

#define PIPE HELLO EHLO_FULL
#define MAILCMD "C MAIL FROM:<me@us.example> SIZE=28 BODY=7BIT\n"

TEST(deliver)
{
	/* results: for each recipient d delivered, r refused, l later, u unknown, and its code */
	static const struct {
		const char *script;
		size_t n;
		int cause;
		bool permanent;
		const char *results;
	} rows[] = {
		{ HELLO EHLO_PLAIN
		    "C MAIL FROM:<me@us.example>\nS 250 ok\nC RCPT TO:<r0@x.example>\nS 250 ok\nC DATA\nS 354 go\n" MSG_DATA
		    "S 250 done\n" BYE,
		    1, 0, false, "d250" },
		{ PIPE MAILCMD
		    "C RCPT TO:<r0@x.example>\nC RCPT TO:<r1@x.example>\nC DATA\nS 250 2.1.0 ok\nS 250 ok\nS 250 ok\nS 354 go\n" MSG_DATA
		    "S 250 2.0.0 done\n" BYE,
		    2, 0, false, "d250/0.0 d250/0.0" },
		/* One bad. */
		{ PIPE MAILCMD
		    "C RCPT TO:<r0@x.example>\nC RCPT TO:<r1@x.example>\nC DATA\nS 250 ok\nS 550 5.1.1 who\nS 250 ok\nS 354 go\n" MSG_DATA
		    "S 250 done\n" BYE,
		    2, 0, false, "r550/1.1 d250" },
		/* All bad: an empty message if DATA was taken (rfc/2920:165). */
		{ PIPE MAILCMD
		    "C RCPT TO:<r0@x.example>\nC RCPT TO:<r1@x.example>\nC DATA\nS 250 ok\nS 550 no\nS 450 4.2.0 later\nS 354 go\nC .\nS 554 none\n" BYE,
		    2, 0, false, "r550 r450/2.0" },
		{ PIPE MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 250 ok\nS 550 no\nS 503 no recipients\n" BYE, 1, 0,
		    false, "r550" },
		{ PIPE MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 250 ok\nS 550 no\nX\n", 1, 0, false, "r550" },
		/* Too many: rfc/5321:3573 */
		{ PIPE MAILCMD
		    "C RCPT TO:<r0@x.example>\nC RCPT TO:<r1@x.example>\nC DATA\nS 250 ok\nS 250 ok\nS 452 4.5.3 enough\nS 354 go\n" MSG_DATA
		    "S 250 done\n" BYE,
		    2, 0, false, "d250 l452/5.3" },
		{ PIPE MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 250 ok\nS 552 full\nS 503 none\n" BYE, 1, 0, false,
		    "r552" },
		{ HELLO EHLO_PLAIN
		    "C MAIL FROM:<me@us.example>\nS 250 ok\nC RCPT TO:<r0@x.example>\nS 250 ok\nC RCPT TO:<r1@x.example>\nS 452 enough\nC DATA\nS 354 go\n" MSG_DATA
		    "S 250 done\n" BYE,
		    3, 0, false, "d250 l452 l452" },
		/* The sender is refused, and the server closes at once. */
		{ PIPE MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 550 5.7.1 no\nX\n", 1, SMTPCLIENT_STATUS, true,
		    "u0" },
		{ PIPE MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 451 later\nS 503 x\nS 503 x\n" BYE, 1,
		    SMTPCLIENT_STATUS, false, "u0" },
		{ HELLO EHLO_PLAIN "C MAIL FROM:<me@us.example>\nS 452 full\n" BYE, 1, SMTPCLIENT_STATUS, false, "u0" },
		/* DATA refused, message refused, connection lost. */
		{ PIPE MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 250 ok\nS 250 ok\nS 550 no\n" BYE, 1,
		    SMTPCLIENT_STATUS, true, "u250" },
		{ PIPE MAILCMD
		    "C RCPT TO:<r0@x.example>\nC RCPT TO:<r1@x.example>\nC DATA\nS 250 ok\nS 250 ok\nS 551 no\nS 354 go\n" MSG_DATA
		    "S 554 5.6.0 spam\n" BYE,
		    2, SMTPCLIENT_STATUS, true, "u250 r551" },
		{ PIPE MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 250 ok\nS 250 ok\nS 354 go\n" MSG_DATA "X\n", 1,
		    SMTPCLIENT_IO, false, "u250" },
		{ PIPE MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 250 ok\nX\n", 1, SMTPCLIENT_IO, false, "u0" },
		{ PIPE MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 250 ok\nS 421 bye\nX\n", 1, 0, false, "r421" },
		/* CHUNKING: no dot-stuffing, nothing is sent when nobody gets it. rfc/3030:179 */
		{ HELLO
		    "S 250-x\nS 250 CHUNKING\nC MAIL FROM:<me@us.example>\nS 250 ok\nC RCPT TO:<r0@x.example>\nS 250 ok\nC BDAT 28 LAST\n"
		    "B Subject: test\\r\\n\\r\\n.dot\\r\\nbye\\r\\n\nS 250 done\n" BYE,
		    1, 0, false, "d250" },
		{ HELLO
		    "S 250-x\nS 250-PIPELINING\nS 250 CHUNKING\nC MAIL FROM:<me@us.example>\nC RCPT TO:<r0@x.example>\nS 250 ok\nS 550 no\n" BYE,
		    1, 0, false, "r550" },
		{ HELLO "S 250-x\nS 250 SIZE 27\n" BYE, 1, SMTPCLIENT_SIZE, true, "u0" }, // rfc/1870:134
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = test_arena();
		struct fakeserver f;
		struct smtpclient *c = NULL;
		struct smtpclient_error e = { 0 };
		struct smtpclient_rcpt rcpts[3] = { { .address = S("r0@x.example") }, { .address = S("r1@x.example") },
			{ .address = S("r2@x.example") } };
		struct smtpclient_message m = { .from = S("me@us.example"),
			.content = message_source_mem(str_of(msg)) };
		struct buf got = BUF_ARENA(a, 1000);

		test_row("%s", rows[i].script);
		struct smtpclient_opts o = opts(fakeserver_start(&f, rows[i].script, NULL), SMTPCLIENT_TLS_SKIP);
		int setup = smtpclient_new(a, &o, &c, NULL, &e);
		int rv = setup < 0 ? setup : smtpclient_deliver(c, a, &m, rcpts, rows[i].n, &e);
		smtpclient_close(&c);
		fakeserver_end(&f);
		assert_int_equal(rv, rows[i].cause);
		assert_int_equal(e.permanent, rows[i].permanent);
		for (size_t j = 0; j < rows[i].n; j++)
			buf_addf(&got, "%s%c%d%s%s", j ? " " : "", "udrl"[rcpts[j].status], rcpts[j].reply.code,
			    rcpts[j].reply.secode[0] ? "/" : "", rcpts[j].reply.secode);
		assert_strz(buf_str(&got), rows[i].results);
	}
}

TEST(parameters_and_reuse)
{
	static const char script[] = PIPE
	    "C MAIL FROM:<> SIZE=28 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=abc\n"
	    "C RCPT TO:<r0@x.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@b\nC DATA\nS 250 ok\nS 550 no\nS 503 none\n"
	    "C RSET\nS 250 ok\n" MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 250 ok\nS 250 ok\nS 354 go\n" MSG_DATA
	    "S 250 one\n" MAILCMD "C RCPT TO:<r0@x.example>\nC DATA\nS 250 ok\nS 250 ok\nS 354 go\n" MSG_DATA
	    "S 250 two\n" BYE;
	struct arena *a = test_arena();
	struct fakeserver f;
	struct smtpclient *c = NULL;
	struct smtpclient_error e;
	struct smtpclient_rcpt r = {
		.address = S("r0@x.example"), .notify = S("SUCCESS,FAILURE"), .orcpt = S("rfc822;a@b")
	};
	struct smtpclient_rcpt plain = { .address = S("r0@x.example") };
	struct smtpclient_message full = { .content = message_source_mem(str_of(msg)),
		.eightbit = true,
		.smtputf8 = true,
		.ret = "HDRS",
		.envid = S("abc") };
	struct smtpclient_message m = { .from = S("me@us.example"), .content = message_source_mem(str_of(msg)) };
	struct smtpclient_opts o = opts(fakeserver_start(&f, script, NULL), SMTPCLIENT_TLS_SKIP);

	assert_ok(smtpclient_new(a, &o, &c, NULL, &e));
	assert_ok(smtpclient_deliver(c, a, &full, &r, 1, &e));
	for (int i = 0; i < 2; i++) {
		assert_true(smtpclient_alive(c));
		assert_ok(smtpclient_deliver(c, a, &m, &plain, 1, &e));
		assert_int_equal(plain.status, SMTPCLIENT_RCPT_DELIVERED);
	}
	struct str t = smtpclient_transcript(a, c);
	assert_true(str_search(t, S("S: 250 two\n")) >= 0 && str_search(t, S("C: (message, 28 bytes)\n")) >= 0);
	assert_true(str_search(t, S("bye\r")) < 0);
	smtpclient_close(&c);
	fakeserver_end(&f);
}

/* What cannot be sent: never half of it, never something that a peer could read as commands. */
TEST(refused_content)
{
	static const struct {
		const char *content, *from;
		bool requiretls, smtputf8, need8;
		int cause;
		bool permanent, botched;
	} rows[] = {
		{ "a\nb\r\n", "x@y", false, false, false, SMTPCLIENT_CONTENT, true, true },
		{ "a\r\n.\rMAIL\r\n", "x@y", false, false, false, SMTPCLIENT_CONTENT, true, true },
		{ "no end", "x@y", false, false, false, SMTPCLIENT_CONTENT, true, true },
		{ "a\r\n", "x@y>\r\nRCPT TO:<evil", false, false, false, SMTPCLIENT_CONTENT, true, false },
		{ "a\r\n", "x@y", true, false, false, SMTPCLIENT_NO_REQUIRETLS, false, false },
		{ "a\r\n", "x@y", false, true, false, SMTPCLIENT_NO_SMTPUTF8, false, false },
		{ "a\r\n", "x@y", false, false, true, SMTPCLIENT_NO_8BITMIME, true, false },
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		size_t row = i / 2;
		bool bdat = i % 2;
		struct fakeserver f;
		struct smtpclient *c = NULL;
		struct smtpclient_error e = { 0 };
		struct smtpclient_rcpt r = { .address = S("r0@x.example") };
		struct smtpclient_message m = { .from = str_of(rows[row].from),
			.content = message_source_mem(str_of(rows[row].content)),
			.requiretls = rows[row].requiretls,
			.smtputf8 = rows[row].smtputf8,
			.need_8bitmime = rows[row].need8 };
		const char *script = !rows[row].botched ? HELLO EHLO_PLAIN BYE :
		    bdat ? HELLO "S 250-x\nS 250 CHUNKING\nC* MAIL\nS 250 ok\nC* RCPT\nS 250 ok\n" :
		    HELLO EHLO_PLAIN "C* MAIL\nS 250 ok\nC* RCPT\nS 250 ok\nC DATA\nS 354 go\n";

		test_row("%zu", i);
		struct smtpclient_opts o = opts(fakeserver_start(&f, script, NULL), SMTPCLIENT_TLS_SKIP);
		assert_ok(smtpclient_new(test_arena(), &o, &c, NULL, &e));
		assert_err(smtpclient_deliver(c, test_arena(), &m, &r, 1, &e), rows[row].cause);
		assert_int_equal(e.permanent, rows[row].permanent);
		assert_int_equal(smtpclient_botched(c), rows[row].botched);
		if (rows[row].botched)
			assert_err(smtpclient_deliver(c, test_arena(), &m, &r, 1, &e), SMTPCLIENT_BOTCHED);
		smtpclient_close(&c);
		fakeserver_end(&f);
	}
}

/* A server that does not read before its replies are taken: writing and reading have to go on together. */
TEST(many_recipients)
{
	struct arena *a = test_arena();
	struct buf script = BUF_ARENA(a, 1 << 20);
	struct smtpclient_rcpt *r = ARENA_NEWN(a, 1000, struct smtpclient_rcpt);
	struct fakeserver f;
	struct smtpclient *c = NULL;
	struct smtpclient_error e;
	struct smtpclient_message m = { .from = S("me@us.example"), .content = message_source_mem(str_of(msg)) };

	buf_addz(&script, PIPE MAILCMD "S 250 ok\n");
	for (int i = 0; i < 1000; i++) {
		r[i].address = str_fmt(a, "recipient-with-a-long-name-so-that-buffers-fill-%d@x.example", i);
		buf_addf(&script,
		    "C RCPT TO:<" STRF
		    ">\nS 250 2.1.5 ok, this is a reply that is rather long so that buffers of both sides fill\n",
		    STRA(r[i].address));
	}
	buf_addz(&script, "C DATA\nS 354 go\n" MSG_DATA "S 250 done\n" BYE);
	struct smtpclient_opts o = opts(fakeserver_start(&f, script.p, NULL), SMTPCLIENT_TLS_SKIP);
	assert_ok(smtpclient_new(a, &o, &c, NULL, &e));
	assert_ok(smtpclient_deliver(c, a, &m, r, 1000, &e));
	assert_int_equal(r[999].status, SMTPCLIENT_RCPT_DELIVERED);
	smtpclient_close(&c);
	fakeserver_end(&f);
}

TEST(deadline_and_stop)
{
	atomic_bool stop = true;
	const struct ctx rows[] = { { .deadline_us = time_mono_us() - 1 }, { .stop = &stop } };

	for (size_t i = 0; i < 2; i++) {
		struct fakeserver f;
		struct smtpclient *c = NULL;
		struct smtpclient_error e;
		struct smtpclient_opts o = opts(fakeserver_start(&f, "E\n", NULL), SMTPCLIENT_TLS_SKIP);

		o.ctx = &rows[i];
		assert_err(smtpclient_new(test_arena(), &o, &c, NULL, &e), SMTPCLIENT_IO);
		assert_false(e.permanent);
		fakeserver_end(&f);
	}
}
