/* SPDX-License-Identifier: MIT */
/* LOGIN, AUTHENTICATE, STARTTLS, and what follows failures. */
#include "imapserver/rig_test.h"

#include "base/enc.h"

static struct str
plain(const char *authzid, const char *user, const char *password)
{
	struct buf b = BUF_ARENA(test_arena(), 1000);

	buf_addz(&b, authzid);
	buf_addc(&b, '\0');
	buf_addz(&b, user);
	buf_addc(&b, '\0');
	buf_addz(&b, password);
	return enc_base64(test_arena(), buf_str(&b), ENC_STD);
}

TEST(login)
{
	struct rig r;

	rig_start(&r, RIG_PASSWORDS);
	rig_script(&r,
	    "a+\na< * OK ...\n"
	    "a> login\na< x BAD ...\n"
	    "a> login x\na< x BAD ...\n"
	    "a> login x y z\na< x BAD ...\n"
	    "a> login mjl@mox.example bad\na< x NO [AUTHENTICATIONFAILED] bad credentials\n"          /* rfc/9051:1597 */
	    "a> login mjl testtest1\na< x NO [AUTHENTICATIONFAILED] bad credentials\n"                 /* no address */
	    "a> login nobody@mox.example testtest1\na< x NO [AUTHENTICATIONFAILED] bad credentials\n"
	    "a! x login \"\xff@mox.example\" testtest1\\r\\n\na< x NO [AUTHENTICATIONFAILED] bad credentials\n"
	    "a> login gone@mox.example bad\na< x NO [AUTHENTICATIONFAILED] bad credentials\n"
	    "a> login gone@mox.example testtest1\na< x NO we miss you\n"                               /* only to who knows the password */
	    "a> login mjl@mox.example \"testtest1\"\na< x OK [CAPABILITY IMAP4rev2 ... LITERAL+ ...] done\n"
	    "a> login mjl@mox.example testtest1\na< x NO already logged in\n"
	    "b+\nb< * OK ...\n"
	    "b! x login {15}\\r\\nmjl@mox.example {9}\\r\\ntesttest1\\r\\n\nb< + \nb< + \nb< x OK [CAPABILITY ...] done\n");
	rig_stop(&r);
}

TEST(authenticate_plain)
{
	struct rig r;
	const char *u = "mjl@mox.example", *p = "testtest1";

	rig_start(&r, RIG_PASSWORDS);
	rig_script(&r, rig_fmt(
	    "a+\na< * OK ...\n"
	    "a> authenticate\na< x BAD ...\n"
	    "a> authenticate bogus\na< x NO mechanism not supported\n"
	    "a> authenticate login\na< x NO mechanism not supported\n"
	    "a> authenticate plain not!base64\na< x BAD malformed base64\n"
	    "a> authenticate plain " STRF "\na< x NO [AUTHENTICATIONFAILED] bad credentials\n"
	    "a> authenticate plain " STRF "\na< x NO [AUTHENTICATIONFAILED] bad credentials\n"
	    "a> authenticate plain " STRF "\na< x BAD malformed response\n"
	    "a> authenticate plain " STRF "\na< x NO [AUTHORIZATIONFAILED] cannot act as someone else\n"
	    "a> authenticate plain " STRF "\na< x NO we miss you\n"
	    "a> authenticate plain\na< + \na! *\\r\\n\na< x BAD authentication aborted\n"              /* rfc/9051:1440 */
	    "a> authenticate plain\na< + \na! " STRF "\\r\\n\na< x OK [CAPABILITY ...] done\n"
	    "b+\nb< * OK ...\nb> authenticate PLAIN " STRF "\nb< x OK [CAPABILITY ...] done\n"
	    "b> select nobox\nb< x NO [NONEXISTENT] no such mailbox\n",
	    STRA(plain("", u, "bad")), STRA(plain("", "mjl", p)), STRA(enc_base64(test_arena(), S("x"), ENC_STD)), STRA(plain("other@mox.example", u, p)),
	    STRA(plain("", "gone@mox.example", p)), STRA(plain("", u, p)), STRA(plain(u, u, p))));
	rig_stop(&r);
}

static void
scram(struct rig *r, char client, enum sasl_mech mech, const char *password, const char *want)
{
	struct arena *a = test_arena();
	struct scram_binding binding = { 0 };
	struct rig_client *k = &r->clients[client - 'a'];

	rig_connect(r, client);
	if (!(r->flags & RIG_IMPLICIT))
		buf_reset(&k->in);
	buf_reset(&k->in);
	auth_binding(a, k->ssl, &binding);
	struct sasl_client *sc = sasl_client_new(&(struct sasl_client_args){
		.mech = mech, .user = S("mjl@mox.example"), .password = str_of(password), .binding = k->ssl ? &binding : NULL });
	struct sasl_send send;
	assert_ok(sasl_client_step(sc, NULL, &send));
	rig_send(r, client, str_fmt(a, "x authenticate %s " STRF "\r\n", sasl_mech_name(mech), STRA(enc_base64(a, send.data, ENC_STD))));
	for (int i = 0; i < 2; i++) {
		struct str line = buf_str(&k->in), data;
		assert_true(str_starts(line, S("+ ")) && str_ends(line, S("\r\n")));
		assert_ok(enc_unbase64(a, str_n(line.p + 2, line.n - 4), ENC_STD, &data));
		buf_reset(&k->in);
		if (sasl_client_step(sc, &data, &send) < 0) {
			rig_send(r, client, S("*\r\n"));
			break;
		}
		rig_send(r, client, str_fmt(a, STRF "\r\n", STRA(enc_base64(a, send.data, ENC_STD))));
	}
	sasl_client_free(&sc);
	rig_script(r, rig_fmt("%c< x %s\n", client, want));
}

TEST(authenticate_scram)
{
	struct rig r;

	rig_start(&r, RIG_PASSWORDS);
	scram(&r, 'a', SASL_SCRAM_SHA256, "testtest1", "OK [CAPABILITY ...] done");
	scram(&r, 'a', SASL_SCRAM_SHA1, "testtest1", "OK [CAPABILITY ...] done");
	scram(&r, 'a', SASL_SCRAM_SHA256, "wrong password", "NO [AUTHENTICATIONFAILED] bad credentials");
	rig_script(&r,
	    "a+\na< * OK ...\n"
	    "a> authenticate scram-sha-256 not!base64\na< x BAD malformed base64\n"
	    "a> authenticate scram-sha-256-plus AAAA\na< x NO ...\n"                 /* without TLS there is nothing to bind to */
	    "a> authenticate external =\na< x NO ...\n");
	rig_stop(&r);
}

TEST(authenticate_scram_tls)
{
	struct rig r;

	rig_start(&r, RIG_PASSWORDS | RIG_IMPLICIT);
	scram(&r, 'a', SASL_SCRAM_SHA256_PLUS, "testtest1", "OK [CAPABILITY ...] done");
	scram(&r, 'a', SASL_SCRAM_SHA1_PLUS, "testtest1", "OK [CAPABILITY ...] done");
	rig_stop(&r);
}

TEST(starttls)
{
	struct rig r;

	rig_start(&r, RIG_PASSWORDS | RIG_TLS | RIG_REQUIRE_TLS);
	rig_script(&r,
	    "a+\na< * OK [CAPABILITY ... LITERAL- STARTTLS LOGINDISABLED AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1-PLUS AUTH=SCRAM-SHA-1] mox imap\n"
	    "a> login mjl@mox.example testtest1\na< x NO [PRIVACYREQUIRED] ...\n"
	    "a> authenticate plain AAAA\na< x NO [PRIVACYREQUIRED] ...\n"
	    "a> starttls x\na< x BAD ...\n"
	    /* What was sent in the clear behind STARTTLS is no command: rfc/9051:1340 */
	    "a! x starttls\\r\\nx login mjl@mox.example testtest1\\r\\n\n"
	    "a< x OK begin TLS negotiation ...\n"
	    "a~\n"
	    "a> starttls\na< x BAD TLS is active already\n"
	    "a> capability\na< * CAPABILITY IMAP4rev2 ... LITERAL- AUTH=SCRAM-SHA-256-PLUS ... AUTH=PLAIN\na< x OK done\n"
	    "a> login mjl@mox.example testtest1\na< x OK [CAPABILITY ...] done\n"
	    "a> examine inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 0 EXISTS\na< * OK [U...\na< * OK [U...\na< * LIST ...\na< x OK ...\n"
	    "b+\nb< * OK ...\n");
	rig_stop(&r);
	rig_start(&r, 0);
	rig_script(&r, "a+\na< * OK ...\na> starttls\na< x BAD TLS is not available\n");
	rig_stop(&r);
	rig_start(&r, RIG_IMPLICIT);
	rig_script(&r, "a+\na< * OK [CAPABILITY ... AUTH=PLAIN] mox imap\na> starttls\na< x BAD TLS is active already\n");
	rig_stop(&r);
}

TEST(slow_after_failures)
{
	struct rig r;

	rig_start(&r, RIG_PASSWORDS | RIG_DELAYS);
	rig_script(&r, "a+\na< * OK ...\n");
	for (unsigned i = 1; i <= 2; i++) {
		rig_script(&r, "a> authenticate bogus\na< x NO ...\n");
		assert_int_equal(rig_session(&r, 'a')->failures, i);
		assert_false(rig_session(&r, 'a')->slow);
	}
	rig_send(&r, 'a', S("x authenticate bogus\r\n"));
	assert_true(rig_session(&r, 'a')->slow);
	rig_stop(&r);
}
