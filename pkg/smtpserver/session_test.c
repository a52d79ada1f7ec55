/* SPDX-License-Identifier: MIT */
/* Dialogues: each row runs whole and byte by byte. */
#include "smtpserver/rig_test.h"

struct row {
	const char *what;
	unsigned flags;
	const char *script;
};

/* Rows with equal flags share a server. */
static void
run_rows(const struct row *rows, size_t n)
{
	struct rig r;
	bool started = false;

	for (size_t i = 0; i < n; i++) {
		for (unsigned bytes = 0; bytes <= RIG_BYTES; bytes += RIG_BYTES) {
			test_row("%s%s", rows[i].what, bytes ? ", byte by byte" : "");
			if (started && (r.flags & ~(unsigned)RIG_BYTES) == rows[i].flags) {
				rig_hangup(&r);
				rig_connect(&r);
			} else {
				if (started)
					rig_stop(&r);
				rig_start(&r, rows[i].flags);
				started = true;
			}
			r.flags = rows[i].flags | bytes;
			rig_script(&r, rows[i].script);
		}
	}
	if (started)
		rig_stop(&r);
}

#define GREETING "S 220 mx.mox.example ESMTP mox\n"
#define EHLO GREETING "C EHLO client.example\nS* 250 SMTPUTF8\n"
#define MAIL "C MAIL FROM:<a@remote.example>\nS 250 2.1.0 \n"
#define RCPT "C RCPT TO:<mjl@mox.example>\nS 250 2.1.0 \n"
#define BODY "B From: <a@remote.example>\\r\\nSubject: x\\r\\n\\r\\ntext\\r\\n.\\r\\n\n"
#define CLOSES "X\n"

TEST(greeting_and_ehlo)
{
	static const struct row rows[] = {
		{ "EHLO, rfc/5321:1829", 0,
		    GREETING "C EHLO client.example\n"
		    "S 250-mx.mox.example\nS 250-PIPELINING\nS 250-SIZE 100000\nS 250-ENHANCEDSTATUSCODES\nS 250-8BITMIME\n"
		    "S 250-LIMITS RCPTMAX=1000\nS 250 SMTPUTF8\nN\n" },
		{ "with STARTTLS, rfc/3207:92", RIG_TLS,
		    GREETING "C EHLO client.example\nS 250-mx.mox.example\nS 250-PIPELINING\nS 250-SIZE 100000\nS 250-STARTTLS\nS 250-ENHANCEDSTATUSCODES\n"
		    "S* 250 SMTPUTF8\nC STARTTLS\nS 220 2.0.0 \nT\nC EHLO client.example\nS 250-mx.mox.example\nS 250-PIPELINING\nS 250-SIZE 100000\n"
		    "S 250-REQUIRETLS\nS* 250 SMTPUTF8\n" },
		{ "submission without TLS lists no mechanisms", RIG_SUBMISSION | RIG_TLS,
		    GREETING "C EHLO x\nS 250-mx.mox.example\nS 250-PIPELINING\nS 250-SIZE 100000\nS 250-STARTTLS\nS 250-AUTH \nS 250-ENHANCEDSTATUSCODES\n"
		    "S* 250 SMTPUTF8\n" },
		{ "submissions, rfc/8314:143", RIG_SUBMISSION | RIG_IMPLICIT,
		    GREETING "C EHLO x\nS 250-mx.mox.example\nS 250-PIPELINING\nS 250-SIZE 100000\nS 250-REQUIRETLS\n"
		    "S 250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 PLAIN LOGIN\nS* 250 SMTPUTF8\n" },
		{ "CRAM-MD5 where configured", RIG_SUBMISSION | RIG_IMPLICIT | RIG_CRAMMD5,
		    GREETING "C EHLO x\nS 250-mx.mox.example\nS 250-PIPELINING\nS 250-SIZE 100000\nS 250-REQUIRETLS\n"
		    "S 250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN\nS* 250 SMTPUTF8\n" },
		{ "HELO has one line, rfc/5321:995", 0, GREETING "C HELO client.example\nS 250 mx.mox.example\nN\n" },
		{ "literals, rfc/5321:2309", 0,
		    GREETING "C EHLO [1.2.3.4]\nS* 250 SMTPUTF8\nC EHLO [IPv6:2001:db8::1]\nS* 250 SMTPUTF8\nC EHLO [1.2.3.4] more words\nS* 250 SMTPUTF8\n"
		    "C EHLO [2001:db8::1]\nS 501 5.5.2 bad syntax\nC HELO [1.2.3.4]\nS 501 5.5.2 bad syntax\n" },
		{ "bad names", 0,
		    GREETING "C EHLO\nS 501 5.5.2 \nC EHLO \nS 501 5.5.2 \nC EHLO -x.example\nS 501 5.5.2 \nC EHLO b\xc3\xbc""cher.example\nS 501 5.5.2 \n"
		    "C EHLO a..b\nS 501 5.5.2 \nC EHLO win_host\nS* 250 SMTPUTF8\n" },
		{ "case of verbs, rfc/5321:862", 0, GREETING "C eHlO client.example\nS* 250 SMTPUTF8\nC quit\nS 221 2.0.0 \n" CLOSES },
		{ "submission ignores the name", RIG_SUBMISSION, GREETING "C EHLO\nS* 250 SMTPUTF8\nC EHLO not a name!\nS* 250 SMTPUTF8\n" },
		{ "pedantic submission reads it", RIG_SUBMISSION | RIG_PEDANTIC, GREETING "C EHLO not a name!\nS 501 5.5.2 \n" },
		{ "a second EHLO clears the transaction, rfc/5321:2455", 0,
		    EHLO MAIL "C EHLO client.example\nS* 250 SMTPUTF8\nC RCPT TO:<mjl@mox.example>\nS 503 5.5.1 \n" },
		{ "a bad EHLO does not", 0, EHLO MAIL "C EHLO -\nS 501 5.5.2 \n" RCPT },
	};

	run_rows(rows, ARRAY_LEN(rows));
}

TEST(small_commands)
{
	static const struct row rows[] = {
		{ "RSET, rfc/5321:2079", 0, EHLO MAIL "C RSET\nS 250 2.0.0 \nC RCPT TO:<mjl@mox.example>\nS 503 5.5.1 \n" MAIL },
		{ "RSET needs no EHLO", 0, GREETING "C RSET\nS 250 2.0.0 \nC RSET x\nS 501 5.5.2 \n" },
		{ "trailing white space, rfc/5321:1759", 0, GREETING "C RSET \nS 250 2.0.0 \nC NOOP \t \nS 250 2.0.0 \nC QUIT \nS 221 2.0.0 \n" CLOSES },
		{ "NOOP, rfc/5321:2191", 0,
		    GREETING "C NOOP\nS 250 2.0.0 \nC NOOP string\nS 250 2.0.0 \nC NOOP \"quoted \\\" string\"\nS 250 2.0.0 \nC NOOP two words\nS 501 5.5.2 \n"
		    "C NOOP \"open\nS 501 5.5.2 \n" },
		{ "VRFY, EXPN, rfc/5321:2820", 0,
		    GREETING "C VRFY mjl\nS 252 2.7.0 \nC EXPN list\nS 252 2.7.0 \nC VRFY mjl SMTPUTF8\nS 252 2.7.0 \nC EXPN list SMTPUTF8\nS 252 2.7.0 \n"
		    "C VRFY\nS 501 5.5.2 \nC EXPN\nS 501 5.5.2 \nC VRFY <mjl@mox.example>\nS 252 2.7.0 \nC VRFY a b\nS 501 5.5.2 \n" },
		{ "HELP, rfc/5321:2151", 0, GREETING "C HELP\nS 214 2.0.0 \nC HELP anything goes\nS 214 2.0.0 \n" },
		{ "QUIT, rfc/5321:2205", 0, GREETING "C QUIT now\nS 501 5.5.2 \nC QUIT\nS 221 2.0.0 \n" CLOSES },
		{ "later unknown commands, rfc/5321:2780", 0, GREETING "C NOOP\nS 250 \nC FROBNICATE\nS 500 5.5.1 \nC \nS 500 5.5.1 \nC NOOP\nS 250 \n" },
		{ "LF ends a line too", 0, GREETING "B NOOP\\nNOOP\\r\\n\nS 250 \nS 250 \nN\n" },
		{ "NUL in a command", 0, GREETING "B NOOP a\\0b\\r\\n\nS 501 5.5.2 \nC NOOP\nS 250 \n" },
		{ "DATA, RCPT, MAIL in wrong order, rfc/5321:2787", 0,
		    GREETING "C MAIL FROM:<>\nS 503 5.5.1 \nC RCPT TO:<mjl@mox.example>\nS 503 5.5.1 \nC DATA\nS 503 5.5.1 \nC EHLO c.example\nS* 250 \n"
		    "C RCPT TO:<mjl@mox.example>\nS 503 5.5.1 \nC DATA\nS 503 5.5.1 \n" MAIL "C DATA\nS 503 5.5.1 \n" RCPT },
		{ "AUTH on port 25", RIG_TLS, EHLO "C AUTH PLAIN\nS 503 5.5.1 \n" },
		{ "submission needs a login, rfc/6409:372", RIG_SUBMISSION,
		    GREETING "C EHLO x\nS* 250 \nC MAIL FROM:<mjl@mox.example>\nS 530 5.7.0 \nC RCPT TO:<mjl@mox.example>\nS 530 5.7.0 \nC DATA\nS 530 5.7.0 \n" },
	};

	run_rows(rows, ARRAY_LEN(rows));
}

TEST(mail)
{
	static const struct row rows[] = {
		{ "rfc/5321:1913", 0, EHLO "C MAIL FROM:<a@remote.example>\nS 250 2.1.0 \nC MAIL FROM:<a@remote.example>\nS 503 5.5.1 \n" },
		{ "null path, rfc/5321:1895", 0, EHLO "C MAIL FROM:<>\nS 250 2.1.0 \n" },
		{ "a space after the colon", 0, EHLO "C MAIL FROM: <>\nS 250 2.1.0 \nC RSET\nS 250 \nC MAIL FROM:  <>\nS 501 5.5.2 \n" },
		{ "pedantic, without that space", RIG_PEDANTIC, EHLO "C MAIL FROM: <>\nS 501 5.5.2 \n" },
		{ "source route, rfc/5321:2266", 0, EHLO "C MAIL FROM:<@a.example,@b.example:a@remote.example>\nS 250 2.1.0 \n" },
		{ "quoted localpart with '>'", 0, EHLO "C MAIL FROM:<\"a>b\"@remote.example> SIZE=1\nS 250 2.1.0 \n" },
		{ "bad paths", 0,
		    EHLO "C MAIL FROM:a@remote.example\nS 501 5.5.2 \nC MAIL FROM:<a@remote.example\nS 501 5.5.2 \nC MAIL FROM:<a>\nS 501 5.5.2 \n"
		    "C MAIL FROM:<@remote.example>\nS 501 5.5.2 \nC MAIL FROM:<a@-x.example>\nS 501 5.5.2 \nC MAIL\nS 501 5.5.2 \nC MAIL FROM\nS 501 5.5.2 \n"
		    "C MAIL FROM:<>x\nS 501 5.5.2 \nC MAIL TO:<>\nS 501 5.5.2 \n" },
		{ "literals are refused", 0, EHLO "C MAIL FROM:<a@[1.2.3.4]>\nS 550 5.7.0 \n" },
		{ "SIZE, rfc/1870:186", 0,
		    EHLO "C MAIL FROM:<> SIZE=100000\nS 250 2.1.0 \nC RSET\nS 250 \nC MAIL FROM:<> SIZE=100001\nS 552 5.2.3 \nC MAIL FROM:<> SIZE=104857600\nS 552 5.3.4 \n"
		    "C MAIL FROM:<> size=9223372036854775807\nS 552 5.3.4 \nC MAIL FROM:<> SIZE=9223372036854775808\nS 501 5.5.4 \n"
		    "C MAIL FROM:<> SIZE=000000000000000000001\nS 501 5.5.4 \nC MAIL FROM:<> SIZE=\nS 501 5.5.2 \nC MAIL FROM:<> SIZE=-1\nS 501 5.5.4 \n"
		    "C MAIL FROM:<> SIZE=1 SIZE=1\nS 501 5.5.4 \nC MAIL FROM:<> SIZE\nS 501 5.5.4 \n" },
		{ "BODY, rfc/6152:98", 0,
		    EHLO "C MAIL FROM:<> BODY=7bit\nS 250 2.1.0 \nC RSET\nS 250 \nC MAIL FROM:<> BODY=8BitMime\nS 250 2.1.0 \nC RSET\nS 250 \n"
		    "C MAIL FROM:<> BODY=BINARYMIME\nS 555 5.5.4 \n" },
		{ "AUTH, rfc/4954:491", 0,
		    EHLO "C MAIL FROM:<> AUTH=<>\nS 250 2.1.0 \nC RSET\nS 250 \nC MAIL FROM:<> AUTH=e+3Dmc2@example.com\nS 250 2.1.0 \nC RSET\nS 250 \n"
		    "C MAIL FROM:<> AUTH=+\nS 501 5.5.4 \nC MAIL FROM:<> AUTH=a+4\nS 501 5.5.4 \nC MAIL FROM:<> AUTH\nS 501 5.5.4 \n" },
		{ "SMTPUTF8, rfc/6531:213", 0,
		    EHLO "C MAIL FROM:<t\xc3\xa9st@remote.example>\nS 550 5.6.7 \nC MAIL FROM:<a@b\xc3\xbc""cher.example>\nS 501 5.5.2 \n"
		    "C MAIL FROM:<t\xc3\xa9st@b\xc3\xbc""cher.example> SMTPUTF8\nS 250 2.1.0 \nC RSET\nS 250 \nC MAIL FROM:<> SMTPUTF8=1\nS 501 5.5.4 \n"
		    "C MAIL FROM:<\xff@remote.example> SMTPUTF8\nS 501 5.5.2 \n" },
		{ "REQUIRETLS without TLS, rfc/8689:174", 0, EHLO "C MAIL FROM:<> REQUIRETLS\nS 523 5.7.10 \n" },
		{ "REQUIRETLS", RIG_IMPLICIT, EHLO "C MAIL FROM:<> REQUIRETLS\nS 250 2.1.0 \n" },
		{ "unknown parameters, rfc/5321:2228", 0,
		    EHLO "C MAIL FROM:<> FOO=bar\nS 555 5.3.3 \nC MAIL FROM:<> HOLDFOR=10\nS 555 5.3.3 \nC MAIL FROM:<> RET=FULL\nS 555 5.3.3 \nC MAIL FROM:<> -x\nS 501 5.5.2 \n" },
		{ "localpart too long, rfc/5321:3484", 0,
		    EHLO "C MAIL FROM:<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@r.example>\n"
		    "S 501 5.5.2 \n" },
	};

	run_rows(rows, ARRAY_LEN(rows));
}

TEST(rcpt)
{
	static const struct row rows[] = {
		{ "rfc/5321:1985", 0, EHLO MAIL "C RCPT TO:<mjl@mox.example>\nS 250 2.1.0 \nC RCPT TO: <other@mox.example>\nS 250 2.1.0 \n" },
		{ "postmaster, rfc/5321:3395", 0,
		    EHLO MAIL "C RCPT TO:<postmaster>\nS 250 2.1.0 \nC RCPT TO:<PostMaster@mox.example>\nS 250 2.1.0 \nC RCPT TO:<postmaster@catch.example>\nS 250 2.1.0 \n" },
		{ "separators, catch-all, case", 0,
		    EHLO MAIL "C RCPT TO:<mjl+list@mox.example>\nS 250 2.1.0 \nC RCPT TO:<MJL@MOX.example>\nS 250 2.1.0 \nC RCPT TO:<whoever@catch.example>\nS 250 2.1.0 \n"
		    "C RCPT TO:<Mixed@case.example>\nS 250 2.1.0 \nC RCPT TO:<mixed@case.example>\nS 550 5.1.1 \nC RCPT TO:<\"\"@mox.example>\nS 250 2.1.0 \n" },
		{ "unknown domain", 0, EHLO MAIL "C RCPT TO:<a@elsewhere.example>\nS 550 5.1.1 not accepting email for domain\n" },
		{ "disabled domain", 0, EHLO MAIL "C RCPT TO:<mjl@disabled.example>\nS 450 4.2.1 \n" },
		{ "literal", 0, EHLO MAIL "C RCPT TO:<mjl@[127.0.0.1]>\nS 550 5.1.1 \n" },
		{ "configured errors", 0,
		    EHLO MAIL "C RCPT TO:<temp@mox.example>\nS 451 4.3.0 come back later\nC RCPT TO:<perm@mox.example>\nS 550 5.1.1 no such user(s)\n" },
		{ "unknown address: told after DATA", 0,
		    EHLO MAIL "C RCPT TO:<unknown@mox.example>\nS 250 2.1.0 \nC RCPT TO:<mjl@mox.example>\nS 452 4.5.3 \nC DATA\nS 354 \n" BODY "S 550 5.1.1 \n"
		    "C DATA\nS 503 5.5.1 \n" },
		{ "unknown address beside a known one", 0, EHLO MAIL RCPT "C RCPT TO:<unknown@mox.example>\nS 550 5.1.1 \nC DATA\nS 354 \n" BODY "S 250 2.2.0 \n" },
		{ "a bounce has one recipient", 0, EHLO "C MAIL FROM:<>\nS 250 \n" RCPT "C RCPT TO:<other@mox.example>\nS 452 4.5.3 \n" },
		{ "parameters", 0, EHLO MAIL "C RCPT TO:<mjl@mox.example> NOTIFY=NEVER\nS 555 5.3.3 \nC RCPT TO:<mjl@mox.example> =\nS 501 5.5.2 \n" },
		{ "SMTPUTF8, rfc/6531:213", 0,
		    EHLO MAIL "C RCPT TO:<t\xc3\xa9st@mox.example>\nS 553 5.6.7 \nC RSET\nS 250 \nC MAIL FROM:<> SMTPUTF8\nS 250 \nC RCPT TO:<t\xc3\xa9st@mox.example>\nS 250 2.1.0 \n" },
		{ "bad syntax", 0,
		    EHLO MAIL "C RCPT TO:<>\nS 501 5.5.2 \nC RCPT TO:mjl@mox.example\nS 501 5.5.2 \nC RCPT\nS 501 5.5.2 \nC RCPT TO:<mjl>\nS 501 5.5.2 \nC RCPT FROM:<mjl@mox.example>\nS 501 5.5.2 \n" },
		{ "TLS required, rfc/3207:148", RIG_TLS | RIG_REQUIRE_STARTTLS, EHLO MAIL "C RCPT TO:<mjl@mox.example>\nS 530 5.7.0 \n" },
		{ "mailbox full", 0, EHLO "C MAIL FROM:<a@remote.example> SIZE=5000\nS 250 \nC RCPT TO:<full@mox.example>\nS 452 4.2.2 \n" RCPT },
	};

	run_rows(rows, ARRAY_LEN(rows));
}

TEST(recipient_limit)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, EHLO MAIL);
	for (int i = 0; i < LIMIT_SMTP_RCPTS; i++)
		rig_script(&r, str_fmt(test_arena(), "C RCPT TO:<u%d@catch.example>\nS 250 2.1.0 \n", i).p);
	rig_script(&r, "C RCPT TO:<mjl@mox.example>\nS 452 4.5.3 \n");
	rig_stop(&r);
}

/* A reply to each command, in order, also behind errors: rfc/2920:134 */
TEST(pipelining)
{
	static const struct row rows[] = {
		{ "all in one", 0,
		    GREETING "P EHLO c.example|MAIL FROM:<a@remote.example>|RCPT TO:<mjl@mox.example>|DATA\nS* 250 SMTPUTF8\nS 250 2.1.0 \nS 250 2.1.0 \nS 354 \n" BODY
		    "S 250 2.2.0 \nC QUIT\nS 221 \n" CLOSES },
		{ "errors in the middle", 0,
		    EHLO "P MAIL FROM:<a@remote.example>|RCPT TO:<a@elsewhere.example>|FOO|RCPT TO:<mjl@mox.example>|MAIL FROM:<>|DATA\nS 250 2.1.0 \nS 550 5.1.1 \nS 500 5.5.1 \n"
		    "S 250 2.1.0 \nS 503 5.5.1 \nS 354 \n" BODY "S 250 2.2.0 \n" },
		{ "no recipient is left", 0,
		    EHLO "P MAIL FROM:<a@remote.example>|RCPT TO:<a@elsewhere.example>|DATA|QUIT\nS 250 2.1.0 \nS 550 5.1.1 \nS 503 5.5.1 \nS 221 \n" CLOSES },
		{ "message and what follows", 0,
		    EHLO MAIL RCPT "B DATA\\r\\nSubject: x\\r\\n\\r\\ntext\\r\\n.\\r\\nNOOP\\r\\nQUIT\\r\\n\nS 354 \nS 250 2.2.0 \nS 250 2.0.0 \nS 221 2.0.0 \n" CLOSES },
		{ "nothing behind QUIT", 0, EHLO "P QUIT|NOOP|NOOP\nS 221 \n" CLOSES },
	};

	run_rows(rows, ARRAY_LEN(rows));
}

TEST(line_limits)
{
	struct rig r;
	struct arena *a = test_arena();
	char *x = arena_bytes(a, 20000);

	memset(x, 'x', 20000);
	for (unsigned bytes = 0; bytes <= RIG_BYTES; bytes += RIG_BYTES) {
		/* rfc/5321:3498 asks for 512. With CRLF: 2048. */
		rig_start(&r, bytes);
		rig_script(&r, GREETING);
		rig_send(&r, str_fmt(a, "NOOP " STRF "\r\n", STRA(str_n(x, 2041))));
		rig_script(&r, "S 250 2.0.0 \nN\n");
		rig_send(&r, str_fmt(a, "NOOP " STRF "\r\n", STRA(str_n(x, 2042))));
		rig_script(&r, "S 500 5.5.0 \n" CLOSES);
		rig_stop(&r);

		/* Without an end. */
		rig_start(&r, bytes);
		rig_script(&r, GREETING);
		rig_send(&r, str_n(x, 2048));
		rig_script(&r, "S 500 5.5.0 \n" CLOSES);
		rig_stop(&r);

		/* rfc/4954:253 */
		rig_start(&r, bytes | RIG_SUBMISSION | RIG_NO_REQUIRE_STARTTLS);
		rig_script(&r, GREETING "C EHLO x\nS* 250 \n");
		rig_send(&r, str_fmt(a, "AUTH PLAIN " STRF "\r\n", STRA(str_n(x, 12000))));
		rig_script(&r, "S 501 5.5.2 \nC AUTH PLAIN\nS 334 \n");
		rig_send(&r, str_n(x, 12288));
		rig_script(&r, "S 500 5.5.0 \n" CLOSES);
		rig_stop(&r);
	}
}

/* ../spec/attack-classes.md: cross-protocol */
TEST(attack_cross_protocol_http)
{
	static const struct row rows[] = {
		{ "HTTP", 0, GREETING "P GET / HTTP/1.1|Host: mox.example||EHLO x|MAIL FROM:<>\nS 500 5.5.2 \n" CLOSES },
		{ "HTTP with SMTP in its body", 0, GREETING "P POST / HTTP/1.1||EHLO x\nS 500 5.5.2 \n" CLOSES },
		{ "HTTP verbs later", 0, EHLO "C PUT /x HTTP/1.1\nS 500 5.5.2 \n" CLOSES },
		{ "HTTP/2 preface", 0, GREETING "C PRI * HTTP/2.0\nS 500 5.5.2 \n" CLOSES },
		{ "IMAP", 0, GREETING "C a1 LOGIN user pass\nS 500 5.5.2 \n" CLOSES },
		{ "TLS without being asked", 0, GREETING "B \\0\\0\\0\\0\\n\nS 500 5.5.2 \n" CLOSES },
	};

	run_rows(rows, ARRAY_LEN(rows));
}

/* ../spec/attack-classes.md: commands that somebody put behind STARTTLS are not run, in no state. */
TEST(attack_starttls_injection)
{
	static const struct row rows[] = {
		{ "fresh", RIG_TLS, EHLO "P STARTTLS|RSET|NOOP|MAIL FROM:<evil@remote.example>\nS 220 2.0.0 \nT\nN\nC MAIL FROM:<>\nS 503 5.5.1 \n" },
		{ "half a command", RIG_TLS, EHLO "B STARTTLS\\r\\nMAIL FROM:<evil@remote.example>\\r\\nEHLO injec\nS 220 2.0.0 \nT\nN\nC EHLO c.example\nS* 250 \nC NOOP\nS 250 \nN\n" },
		{ "in a transaction", RIG_TLS, EHLO MAIL RCPT "P STARTTLS|DATA|evil|.\nS 220 2.0.0 \nT\nN\nC DATA\nS 503 5.5.1 send EHLO\nC EHLO c.example\nS* 250 \nC DATA\nS 503 5.5.1 missing MAIL\n" },
		{ "submission", RIG_TLS | RIG_SUBMISSION, GREETING "C EHLO x\nS* 250 \nP STARTTLS|EHLO evil|AUTH PLAIN AAAA\nS 220 2.0.0 \nT\nN\nC MAIL FROM:<>\nS 503 5.5.1 \n" },
	};

	/* Whole only: byte by byte the handshake would start between them. */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig r;

		test_row("%s", rows[i].what);
		rig_start(&r, rows[i].flags);
		rig_script(&r, rows[i].script);
		rig_stop(&r);
	}
}

TEST(starttls)
{
	static const struct row rows[] = {
		{ "not offered", 0, EHLO "C STARTTLS\nS 503 5.5.1 \n" },
		{ "before EHLO", RIG_TLS, GREETING "C STARTTLS\nS 503 5.5.1 \n" },
		{ "with arguments, rfc/3207:108", RIG_TLS, EHLO "C STARTTLS x\nS 501 5.5.2 \n" },
		{ "twice", RIG_TLS, EHLO "C STARTTLS\nS 220 \nT\nC EHLO c.example\nS* 250 \nC STARTTLS\nS 503 5.5.1 \n" },
		{ "over implicit TLS", RIG_IMPLICIT, EHLO "C STARTTLS\nS 503 5.5.1 \n" },
		{ "state is gone, rfc/3207:211", RIG_TLS, EHLO MAIL "C STARTTLS\nS 220 \nT\nC RCPT TO:<mjl@mox.example>\nS 503 5.5.1 send EHLO\nC EHLO c.example\nS* 250 \n"
		    "C RCPT TO:<mjl@mox.example>\nS 503 5.5.1 missing MAIL\n" },
		{ "a message over TLS 1.2", RIG_TLS | RIG_TLS12, EHLO "C STARTTLS\nS 220 \nT\nC EHLO c.example\nS* 250 \n" MAIL RCPT "C DATA\nS 354 \n" BODY "S 250 2.2.0 \n" },
	};

	run_rows(rows, ARRAY_LEN(rows));
}

TEST(starttls_failures_are_counted)
{
	struct rig r;

	metrics_reset_all();
	rig_start(&r, RIG_TLS);
	rig_script(&r, EHLO "C STARTTLS\nS 220 \nC EHLO this is no ClientHello, but long enough to be looked at\n" CLOSES);
	assert_true(metrics_get(&smtpserver_m_starttls_errors, "nottls", NULL) == 1);
	rig_hangup(&r);
	rig_connect(&r);
	rig_script(&r, EHLO "C STARTTLS\nS 220 \nT\nC EHLO x.example\nS* 250 \n");
	assert_true(metrics_get(&smtpserver_m_starttls, NULL) == 1);
	assert_true(metrics_get(&smtpserver_m_connection, "deliver", NULL) == 2);
	assert_true(metrics_get(&smtpserver_m_command, "smtp", "starttls", "220", "0.0", NULL) == 2);
	rig_stop(&r);
}

/* ../spec/attack-classes.md: nothing from the envelope can start a line of its own in a header or a reply. */
TEST(attack_envelope_injection)
{
	static const struct row rows[] = {
		{ "CR in a quoted localpart", 0, EHLO "B MAIL FROM:<\"a\\rB: c\"@remote.example>\\r\\n\nS 501 5.5.2 \nN\n" },
		{ "NUL", 0, EHLO "B MAIL FROM:<\"a\\0b\"@remote.example>\\r\\n\nS 501 5.5.2 \nN\n" },
		{ "CR in EHLO", 0, GREETING "B EHLO a\\rb.example\\r\\n\nS 501 5.5.2 \nN\n" },
		{ "CR in a parameter", 0, EHLO "B MAIL FROM:<> FOO\\rBAR=1\\r\\n\nS 501 5.5.2 \nN\n" },
		{ "controls in an unknown verb", 0, EHLO "B \\rX\\0\\r\\n\nS 500 5.5.1 \nN\n" },
	};

	run_rows(rows, ARRAY_LEN(rows));
}

TEST(shutdown_and_timeout)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, EHLO);
	conn_inline_due(r.c, CONN_SHUTDOWN);
	rig_script(&r, "S 421 4.3.2 \n" CLOSES);
	rig_stop(&r);

	rig_start(&r, 0);
	rig_script(&r, EHLO);
	conn_inline_due(r.c, CONN_TIMEOUT);
	rig_script(&r, "S 421 4.4.2 \n" CLOSES);
	rig_stop(&r);
}

/* More than 10 messages refused and none taken: only spammers do that. */
TEST(many_bad_transactions)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, EHLO);
	for (int i = 0; i <= LIMIT_SMTP_BAD_TRANSACTIONS; i++)
		rig_script(&r, MAIL "C RCPT TO:<unknown@mox.example>\nS 250 2.1.0 \nC DATA\nS 354 \n" BODY "S 550 5.1.1 \n");
	rig_script(&r, "C MAIL FROM:<a@remote.example>\nS 550 5.1.0 \n" CLOSES);
	rig_stop(&r);
}

/* Error texts carry the connection id, which decodes to the real one. */
TEST(connection_ids)
{
	static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	static const uint8_t secret[8] = "ABCDEFGH", other[8] = "ABCDEFGI";
	struct rig r;
	uint64_t cid;

	struct str text = smtpserver_cid_encode(test_arena(), key, secret, 1234567);
	assert_strz(text, "P9Y_7Uk03S0NzDIU29KTRQ");
	assert_ok(smtpserver_cid_decode(key, secret, text, &cid));
	assert_int_equal(cid, 1234567);
	assert_err(smtpserver_cid_decode(key, other, text, &cid), ERR_INVALID);
	assert_err(smtpserver_cid_decode(key, secret, S("P9Y_7Uk03S0NzDIU29KTR"), &cid), ERR_INVALID);
	assert_err(smtpserver_cid_decode(key, secret, S(""), &cid), ERR_INVALID);

	rig_start(&r, 0);
	rig_script(&r, GREETING "C MAIL FROM:<>\n");
	struct str reply = rig_read(&r);
	ssize_t open = str_rfind(reply, '(');
	assert_true(open > 0 && str_ends(reply, S(")\r\n")));
	text = str_from(str_upto(reply, reply.n - 3), (size_t)open + 1);
	assert_ok(smtpserver_cid_decode(r.srv->opts.cid_key, r.srv->opts.cid_secret, text, &cid));
	assert_int_equal(cid, conn_cid(r.c));
	rig_stop(&r);
}
