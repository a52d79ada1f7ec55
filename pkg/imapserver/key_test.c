/* SPDX-License-Identifier: MIT */
/* Logins by TLS client key: PREAUTH, AUTHENTICATE EXTERNAL, resumption. */
#include "imapserver/rig_test.h"

#include "base/enc.h"

static struct str
b64(const char *s)
{
	return enc_base64(test_arena(), str_of(s), ENC_STD);
}

static struct str
plain(const char *user)
{
	struct buf b = BUF_ARENA(test_arena(), 1000);

	buf_addc(&b, '\0');
	buf_addz(&b, user);
	buf_add(&b, S("\0testtest1"));
	return enc_base64(test_arena(), buf_str(&b), ENC_STD);
}

/* With implicit TLS a known key logs in before the greeting: rfc/9051:5347 */
TEST(key_preauth)
{
	struct rig r;

	rig_start(&r, RIG_PASSWORDS | RIG_IMPLICIT | RIG_KEYS);
	rig_client_key(&r, "mjl", "mjl@mox.example", false);
	rig_script(&r,
	    "a+\na< * PREAUTH [CAPABILITY IMAP4rev2 ... LITERAL+ AUTH=EXTERNAL ...] mox imap\n"
	    "a> authenticate external =\na< x NO already logged in\n"
	    "a> login mjl@mox.example testtest1\na< x NO already logged in\n"
	    "a> starttls\na< x BAD TLS is active already\n"
	    "a> status inbox (messages)\na< * STATUS Inbox (MESSAGES 0)\na< x OK done\n");
	/* The listener can be told not to look at certificates. */
	r.listener.client_auth_disabled = true;
	rig_script(&r, "b+\nb< * OK [CAPABILITY ... AUTH=PLAIN] mox imap\nb> authenticate external =\nb< x NO ...\n"
	    "b> login mjl@mox.example testtest1\nb< x OK ...\n");
	rig_stop(&r);
}

/* A key whose owner does not want PREAUTH is good for EXTERNAL, and binds other logins to its account. */
TEST(key_external)
{
	static const struct { const char *initial, *want; } rows[] = {
		/* whom the key names: rfc/4422:1671 */
		{ "=", "x OK [CAPABILITY ...] done" },
		{ "mjl@mox.example", "x OK [CAPABILITY ...] done" },
		/* another address of the account */
		{ "m\xc3\xb3x@mox.example", "x OK [CAPABILITY ...] done" },
		{ "other@mox.example", "x NO [AUTHENTICATIONFAILED] bad credentials" },
		/* rfc/5530:127 */
		{ "nobody@else.example", "x NO [AUTHORIZATIONFAILED] cannot act as someone else" },
	};
	struct rig r;

	for (int tls = RIG_IMPLICIT; tls <= RIG_IMPLICIT + RIG_TLS; tls++) {
		unsigned flags = tls == RIG_IMPLICIT ? RIG_IMPLICIT : RIG_TLS;
		rig_start(&r, RIG_PASSWORDS | RIG_KEYS | flags);
		/* After STARTTLS a key never logs in by itself, so there the preference does not matter. */
		rig_client_key(&r, "mjl", "mjl@mox.example", flags == RIG_IMPLICIT);
		const char *hello = flags == RIG_IMPLICIT ? "a+\n"
		    "a< * OK [CAPABILITY ... AUTH=EXTERNAL ...] mox imap\n" :
		    "a+\na< * OK ...\na> starttls\na< x OK ...\na~\na> capability\n"
		    "a< * CAPABILITY ... AUTH=EXTERNAL ...\na< x OK done\n";
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			test_row("%s: %s", flags == RIG_IMPLICIT ? "tls" : "starttls", rows[i].initial);
			const char *initial = rows[i].initial[0] == '=' ? "=" : str_z(test_arena(),
			    b64(rows[i].initial));
			rig_script(&r, hello);
			rig_script(&r, rig_fmt("a> authenticate external %s\na< %s\n", initial, rows[i].want));
			rig_script(&r, hello);
			rig_script(&r, rig_fmt("a> authenticate external\na< + \na! %s\\r\\n\n"
			    "a< %s\n", initial[0] == '=' ? "" : initial, rows[i].want));
		}
		rig_script(&r, hello);
		rig_script(&r, rig_fmt(
		    "a> authenticate plain " STRF "\na< x NO [AUTHENTICATIONFAILED] ...\n"
		    "a> login other@mox.example testtest1\na< x NO [AUTHENTICATIONFAILED] ...\n"
		    "a> authenticate plain " STRF "\n"
		    "a< x OK ...\n", STRA(plain("other@mox.example")), STRA(plain("m\xc3\xb3x@mox.example"))));
		rig_stop(&r);
	}
}

/* A resumed session shows no certificate in its handshake: whom the key logs in is looked up again all the same. */
TEST(key_on_resumption)
{
	struct rig r;

	rig_start(&r, RIG_IMPLICIT | RIG_KEYS);
	struct str key = rig_client_key(&r, "mjl", "mjl@mox.example", false);
	rig_script(&r, "a+\na< * PREAUTH ...\na> noop\na< x OK done\n");
	r.resume = SSL_get1_session(r.clients[0].ssl);
	assert_int_equal(SSL_SESSION_is_resumable(r.resume), 1);
	rig_script(&r, "b+\nb< * PREAUTH ...\nb! x append inbox {1+}\\r\\nx\\r\\n\nb< x OK [APPENDUID ...] done\n");
	assert_int_equal(SSL_session_reused(r.clients[1].ssl), 1);
	/* Removed meanwhile: open sessions stay, new ones do not come in. */
	assert_int_equal(store_tls_key_remove(auth_db(r.auth), key), 1);
	assert_ok(auth_keys_changed(r.auth));
	rig_script(&r, "c+\nc< * BYE [ALERT] certificate not accepted\nc$\nb> noop\nb< x OK done\n");
	assert_int_equal(SSL_session_reused(r.clients[2].ssl), 1);
	SSL_SESSION_free(r.resume);
	rig_stop(&r);
}

/* The key of an account that must not log in, or of an address that went to another account. */
TEST(key_of_others)
{
	static const struct { const char *account, *address; } rows[] = {
		{ "gone", "gone@mox.example" }, { "other", "mjl@mox.example" }, { "mjl", "nobody@else.example" },
	};
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		rig_start(&r, RIG_IMPLICIT);
		rig_client_key(&r, rows[i].account, rows[i].address, false);
		rig_script(&r, "a+\na< * BYE [ALERT] certificate not accepted\na$\n");
		rig_stop(&r);
	}
}
