/* SPDX-License-Identifier: MIT */
#include "base/enc.h"
#include "sasl/sasl.h"
#include "testutil/testutil.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"      /* rows leave out what is zero */

/* --- passwords --- */

/* rfc/8265:868 and what the rules exclude. */
static const struct { const char *in, *out; } opaque[] = {
	{ "correct horse battery staple", "correct horse battery staple" },
	{ "Correct Horse Battery Staple", "Correct Horse Battery Staple" },
	{ "\xcf\x80\xc3\x9f\xc3\xa5", "\xcf\x80\xc3\x9f\xc3\xa5" },
	{ "Jack of \xe2\x99\xa6s", "Jack of \xe2\x99\xa6s" },
	{ "foo\xe1\x9a\x80""bar", "foo bar" },                  // OGHAM SPACE MARK
	{ "foo\xc2\xa0""bar", "foo bar" },
	{ "e\xcc\x81", "\xc3\xa9" },                            // NFC
	{ "\xef\xbd\x81", "\xef\xbd\x81" },                     // full width stays
	{ "\xe2\x85\xa3", "\xe2\x85\xa3" },                     // ROMAN NUMERAL FOUR has a compatibility equivalent
	{ "l\xc2\xb7l", "l\xc2\xb7l" },                         // A.3
	{ "\xcd\xb5\xce\xb1", "\xcd\xb5\xce\xb1" },             // A.4
	{ "\xd7\x90\xd7\xb3", "\xd7\x90\xd7\xb3" },             // A.5
	{ "\xe3\x82\xa2\xe3\x83\xbb", "\xe3\x82\xa2\xe3\x83\xbb" }, // A.7
	{ "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d", "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d" }, // A.2 after a virama
	{ "\xd8\xa8\xe2\x80\x8c\xd8\xa8", "\xd8\xa8\xe2\x80\x8c\xd8\xa8" }, // A.1 between joining letters
	{ "\xd9\xa1\xd9\xa2", "\xd9\xa1\xd9\xa2" },             // A.8
	{ "my cat is a \tby", NULL },                           // control
	{ "", NULL },                                           // rfc/8265:705
	{ "a\x7f", NULL },
	{ "\xc2\xad", NULL },                                   // SOFT HYPHEN is ignorable
	{ "\xe2\x80\x8b", NULL },                               // ZERO WIDTH SPACE
	{ "\xe1\x84\x80", NULL },                               // Hangul Jamo
	{ "\xee\x80\x80", NULL },                               // private use
	{ "\xef\xb7\x90", NULL },                               // noncharacter
	{ "\xcd\xb8", NULL },                                   // unassigned
	{ "\xd9\x80", NULL },                                   // ARABIC TATWEEL
	{ "a\xc2\xb7""b", NULL },
	{ "\xcd\xb5", NULL },
	{ "\xd7\xb3", NULL },
	{ "\xe3\x83\xbb", NULL },
	{ "a\xe2\x80\x8d", NULL },
	{ "\xe2\x80\x8c", NULL },
	{ "a\xe2\x80\x8c""b", NULL },
	{ "\xd8\xa8\xe2\x80\x8c", NULL },
	{ "\xd9\xa1\xdb\xb1", NULL },                           // both kinds of Arabic digits
	{ "\xff", NULL },
	{ "\xed\xa0\x80", NULL },                               // surrogate
};

TEST(opaque_string)
{
	for (size_t i = 0; i < ARRAY_LEN(opaque); i++) {
		struct str out;

		test_row("%zu %s", i, opaque[i].in);
		int err = sasl_opaque_string(test_arena(), test_exact(str_of(opaque[i].in)), &out);
		if (opaque[i].out == NULL) {
			assert_err(err, ERR_INVALID);
			continue;
		}
		assert_ok(err);
		assert_strz(out, opaque[i].out);
	}
}

/* rfc/2195:134; the other digests were made with OpenSSL's HMAC-MD5. */
TEST(crammd5)
{
	static const struct { const char *password, *challenge, *digest; } rows[] = {
		{ "tanstaaftanstaaf", "<1896.697170952@postoffice.reston.mci.net>", "b913a602c7eda7a495b4e6e7334d3890" },
		{ "", "", "74e6f7298a9c2d168935f58c001bad88" },
		{ "0123456789012345678901234567890123456789012345678901234567890123", "<1.2@h>", "ab59b7eaf2d40e24f2290c16c6cc6001" },
		{ "01234567890123456789012345678901234567890123456789012345678901234", "<1.2@h>", "1fd120ef550d82b448fa84ef91b7d4e2" },
		{ "key", "a challenge of 55 bytes is the last to fit in one block", "cb217cbf0e1fa0726a71e972574ee364" },
		{ "key", "a challenge longer than one block of sixty-four bytes, so that the loop over blocks runs", "65acc8937152a406416698ed1f121e0a" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sasl_crammd5 states;
		char hex[32];

		test_row("%zu", i);
		sasl_crammd5_derive(str_of(rows[i].password), &states);
		sasl_crammd5_digest(&states, str_of(rows[i].challenge), hex);
		assert_strz(str_n(hex, 32), rows[i].digest);
	}
}

/* --- mechanisms --- */

TEST(mechs)
{
	enum sasl_mech m;

	for (enum sasl_mech i = 0; i < SASL_MECHS; i++) {
		assert_ok(sasl_mech_parse(str_of(sasl_mech_name(i)), &m));
		assert_int_equal(m, i);
		assert_true(str_icase(str_of(sasl_mech_name(i)), str_of(sasl_mech_lower(i))));
		assert_int_equal(sasl_mech_cleartext(i), i == SASL_PLAIN || i == SASL_LOGIN);
	}
	assert_err(sasl_mech_parse(S("plain"), &m), ERR_NOTFOUND);
	assert_err(sasl_mech_parse(S(""), &m), ERR_NOTFOUND);
	assert_err(sasl_mech_parse(S("PLAIN "), &m), ERR_NOTFOUND);
}

/* Credentials for the tests: user "mjl" with password "secret". */
struct users {
	bool disabled, no_secret, broken;
	char who[100];          /* identity established */
};

static int
outcome(struct users *u, struct str user, bool good)
{
	if (u->broken)
		return SASL_SERVER_ERROR;
	if (u->no_secret)
		return SASL_NO_SECRET;
	if (!good || !str_is(user, S("mjl")))
		return SASL_BAD_CREDENTIALS;
	if (u->disabled)
		return SASL_LOGIN_DISABLED;
	snprintf(u->who, sizeof(u->who), STRF, STRA(user));
	return 0;
}

static int
check_password(void *arg, struct arena *a unused_, struct str user, struct str password)
{
	return outcome(arg, user, str_is(password, S("secret")));
}

static int
find_keys(void *arg, struct arena *a, struct str user, enum scram_hash h, struct scram_keys *r_keys)
{
	struct users *u = arg;

	if (u->broken || u->no_secret)
		return outcome(u, user, false);
	r_keys->salt = str_dup(a, S("0123456789ab"));
	r_keys->iterations = 4096;
	scram_derive(h, str_is(user, S("mjl")) ? S("secret") : S("\xff"), r_keys);
	return 0;
}

static int
proved(void *arg, struct arena *a unused_, struct str user)
{
	return outcome(arg, user, true);
}

static int
check_crammd5(void *arg, struct arena *a unused_, struct str user, struct str challenge, struct str digest_hex)
{
	struct sasl_crammd5 states;
	char hex[32];

	sasl_crammd5_derive(S("secret"), &states);
	sasl_crammd5_digest(&states, challenge, hex);
	return outcome(arg, user, str_is(str_n(hex, 32), digest_hex));
}

static int
check_external(void *arg, struct arena *a unused_, struct str authzid)
{
	return outcome(arg, authzid.n ? authzid : S("mjl"), true);
}

static const struct sasl_server_ops ops = { check_password, find_keys, proved, check_crammd5, check_external };

/* A dialogue: lines of the client, each with the answer that must come: a challenge or an outcome. NULL as first line: no initial response. */
struct line {
	const char *c;          /* not encoded; NUL bytes written as | */
	const char *s;          /* challenge; NULL: the exchange ends with the outcome of the row */
};
static const struct row {
	const char *name;
	enum sasl_mech mech;
	struct line lines[5];
	int outcome;
	struct users users;
	const char *user;
	bool notls;
} rows[] = {
	{ "PLAIN", SASL_PLAIN, { { "|mjl|secret" } }, 0, .user = "mjl" },
	{ "PLAIN in two steps", SASL_PLAIN, { { NULL, "" }, { "|mjl|secret" } }, 0, .user = "mjl" },
	{ "PLAIN with the same authzid", SASL_PLAIN, { { "mjl|mjl|secret" } }, 0, .user = "mjl" },
	{ "PLAIN for another", SASL_PLAIN, { { "root|mjl|secret" } }, SASL_BAD_AUTHZID, .user = "mjl" },
	{ "PLAIN wrong password", SASL_PLAIN, { { "|mjl|secretx" } }, SASL_BAD_CREDENTIALS, .user = "mjl" },
	{ "PLAIN unknown user", SASL_PLAIN, { { "|other|secret" } }, SASL_BAD_CREDENTIALS, .user = "other" },
	{ "PLAIN empty fields", SASL_PLAIN, { { "||" } }, SASL_BAD_CREDENTIALS, .user = "" },
	{ "PLAIN normalises", SASL_PLAIN, { { "|e\xcc\x81|x" } }, SASL_BAD_CREDENTIALS, .user = "\xc3\xa9" },
	{ "PLAIN without NUL", SASL_PLAIN, { { "mjl" } }, SASL_BAD_SYNTAX, .user = "" },                // rfc/4616:122
	{ "PLAIN with one NUL", SASL_PLAIN, { { "mjl|secret" } }, SASL_BAD_SYNTAX, .user = "" },
	{ "PLAIN with three NULs", SASL_PLAIN, { { "|mjl|secret|" } }, SASL_BAD_SYNTAX, .user = "" },
	{ "PLAIN empty", SASL_PLAIN, { { "" } }, SASL_BAD_SYNTAX, .user = "" },
	{ "PLAIN disabled", SASL_PLAIN, { { "|mjl|secret" } }, SASL_LOGIN_DISABLED, { .disabled = true }, "mjl" },
	{ "PLAIN disabled, wrong password", SASL_PLAIN, { { "|mjl|x" } }, SASL_BAD_CREDENTIALS, { .disabled = true }, "mjl" },
	{ "PLAIN broken", SASL_PLAIN, { { "|mjl|secret" } }, SASL_SERVER_ERROR, { .broken = true }, "mjl" },

	{ "LOGIN", SASL_LOGIN, { { NULL, "Username:" }, { "mjl", "Password:" }, { "secret" } }, 0, .user = "mjl" },
	{ "LOGIN with initial response", SASL_LOGIN, { { "mjl", "Password:" }, { "secret" } }, 0, .user = "mjl" },
	{ "LOGIN wrong password", SASL_LOGIN, { { "mjl", "Password:" }, { "" } }, SASL_BAD_CREDENTIALS, .user = "mjl" },
	{ "LOGIN with NUL", SASL_LOGIN, { { "m|jl" } }, SASL_BAD_SYNTAX, .user = "" },

	{ "EXTERNAL", SASL_EXTERNAL, { { "" } }, 0, .user = "" },
	{ "EXTERNAL in two steps", SASL_EXTERNAL, { { NULL, "" }, { "mjl" } }, 0, .user = "mjl" },
	{ "EXTERNAL as another", SASL_EXTERNAL, { { "other" } }, SASL_BAD_CREDENTIALS, .user = "other" },

	{ "CRAM-MD5", SASL_CRAM_MD5, { { NULL, "<1.2@h>" }, { "mjl 63ba8d17b4d0e94c82d3f0557ed5f6b1" } }, 0, .user = "mjl" },
	{ "CRAM-MD5 wrong digest", SASL_CRAM_MD5, { { NULL, "<1.2@h>" }, { "mjl 00000000000000000000000000000000" } }, SASL_BAD_CREDENTIALS,
	    .user = "mjl" },
	{ "CRAM-MD5 with initial response", SASL_CRAM_MD5, { { "mjl 63ba8d17b4d0e94c82d3f0557ed5f6b1" } }, SASL_NO_INITIAL, .user = "" },
	{ "CRAM-MD5 upper-case", SASL_CRAM_MD5, { { NULL, "<1.2@h>" }, { "mjl 63bA8d17b4d0e94c82d3f0557ed5f6b1" } }, SASL_BAD_SYNTAX, .user = "" },
	{ "CRAM-MD5 two spaces", SASL_CRAM_MD5, { { NULL, "<1.2@h>" }, { "mjl  63ba8d17b4d0e94c82d3f0557ed5f6b1" } }, SASL_BAD_SYNTAX, .user = "" },
	{ "CRAM-MD5 without user", SASL_CRAM_MD5, { { NULL, "<1.2@h>" }, { " 63ba8d17b4d0e94c82d3f0557ed5f6b1" } }, SASL_BAD_SYNTAX, .user = "" },
	{ "CRAM-MD5 without digest", SASL_CRAM_MD5, { { NULL, "<1.2@h>" }, { "mjl" } }, SASL_BAD_SYNTAX, .user = "" },
	{ "CRAM-MD5 empty", SASL_CRAM_MD5, { { NULL, "<1.2@h>" }, { "" } }, SASL_BAD_SYNTAX, .user = "" },
	{ "CRAM-MD5 without secret", SASL_CRAM_MD5, { { NULL, "<1.2@h>" }, { "mjl 63ba8d17b4d0e94c82d3f0557ed5f6b1" } }, SASL_NO_SECRET,
	    { .no_secret = true }, "mjl" },

	{ "SCRAM authzid", SASL_SCRAM_SHA256, { { "n,a=root,n=mjl,r=12345678" } }, SASL_BAD_AUTHZID, .user = "mjl" },
	{ "SCRAM same authzid", SASL_SCRAM_SHA256, { { "n,a=mjl,n=mjl,r=12345678", "r=12345678<1.2@h>,s=MDEyMzQ1Njc4OWFi,i=4096" },
	    { "x", "e=invalid-encoding" }, { "" } }, SASL_BAD_FINAL, .user = "mjl" },
	{ "SCRAM bad first", SASL_SCRAM_SHA256, { { "n,,n=mjl" } }, SASL_BAD_FIRST, .user = "" },
	{ "SCRAM downgrade", SASL_SCRAM_SHA256, { { "y,,n=mjl,r=12345678" } }, SASL_BAD_FIRST, .user = "" },
	{ "SCRAM PLUS without binding", SASL_SCRAM_SHA256_PLUS, { { "n,,n=mjl,r=12345678" } }, SASL_BAD_FIRST, .user = "" },
	{ "SCRAM without secret", SASL_SCRAM_SHA1, { { "n,,n=mjl,r=12345678" } }, SASL_NO_SECRET, { .no_secret = true }, "mjl" },
	{ "SCRAM bad final, then abort", SASL_SCRAM_SHA1, { { NULL, "" },
	    { "n,,n=mjl,r=12345678", "r=12345678<1.2@h>,s=MDEyMzQ1Njc4OWFi,i=4096" },
	    { "c=biws,r=12345678<1.2@h>,p=AAAA", "e=invalid-proof" }, { "*" } }, SASL_BAD_CREDENTIALS, .user = "mjl" },
	{ "SCRAM other binding", SASL_SCRAM_SHA1_PLUS, {
	    { "p=tls-exporter,,n=mjl,r=12345678", "r=12345678<1.2@h>,s=MDEyMzQ1Njc4OWFi,i=4096" },
	    { "c=biws,r=12345678<1.2@h>,p=AAAA", "e=channel-bindings-dont-match" }, { "" } }, SASL_BAD_BINDING, .user = "mjl" },

	{ "PLAIN without TLS", SASL_PLAIN, { { 0 } }, SASL_TLS_REQUIRED, .notls = true },
	{ "LOGIN without TLS", SASL_LOGIN, { { 0 } }, SASL_TLS_REQUIRED, .notls = true },
	{ "EXTERNAL without TLS", SASL_EXTERNAL, { { 0 } }, SASL_TLS_REQUIRED, .notls = true },
	{ "SCRAM PLUS without TLS", SASL_SCRAM_SHA1_PLUS, { { 0 } }, SASL_TLS_REQUIRED, .notls = true },
	{ "SCRAM without TLS", SASL_SCRAM_SHA1, { { "p=tls-exporter,,n=mjl,r=12345678" } }, SASL_BAD_FIRST, .user = "", .notls = true },
};

static struct str
nuls(const char *s)
{
	struct str out = str_dup(test_arena(), str_of(s));
	char *p = (char *)(uintptr_t)out.p;

	for (size_t i = 0; i < out.n; i++)
		if (p[i] == '|')
			p[i] = '\0';
	return out;
}

TEST(server)
{
	struct arena *a = test_arena();
	struct scram_binding b = { .tls_exporter = S("exporter") };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct users users = r->users;
		struct sasl_server *s = NULL;
		struct str challenge = { 0 };

		test_row("%s", r->name);
		int status = sasl_server_start(&(struct sasl_server_args){ .mech = r->mech, .ops = &ops, .arg = &users, .tls = !r->notls, .binding = &b,
		    .host = S("h"), .nonce = S("<1.2@h>") }, &s);
		for (size_t k = 0; status >= 0; k++) {
			const struct line *l = &r->lines[k];
			struct str in = { 0 };
			if (l->c != NULL)
				in = str_is(str_of(l->c), S("*")) ? S("*") : enc_base64(a, nuls(l->c), ENC_STD);
			if (k == 0)
				status = sasl_server_initial(s, l->c == NULL ? NULL : in.n == 0 ? &S("=") : &in, &challenge);
			else
				status = sasl_server_line(s, test_exact(in), &challenge);
			if (l->s == NULL)
				break;
			assert_int_equal(status, SASL_CONTINUE);
			assert_str(challenge, enc_base64(a, str_of(l->s), ENC_STD));
		}
		assert_int_equal(status, r->outcome);
		assert_int_equal(users.who[0] != '\0', status == 0);
		if (r->user != NULL) {
			assert_strz(sasl_server_user(s), r->user);
			assert_int_equal(sasl_server_mech(s), r->mech);
		}
		sasl_server_free(&s);
	}
}

TEST(abort_and_base64)
{
	static const struct { const char *line; int want; } lines[] = {
		{ "*", SASL_ABORTED }, { "**", SASL_BAD_BASE64 }, { "A", SASL_BAD_BASE64 }, { "=", SASL_BAD_BASE64 }, { "AA =", SASL_BAD_BASE64 },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct users users = { 0 };
		struct sasl_server *s;
		struct str challenge;

		test_row("%s", lines[i].line);
		assert_ok(sasl_server_start(&(struct sasl_server_args){ .mech = SASL_PLAIN, .ops = &ops, .arg = &users, .allow_cleartext = true }, &s));
		assert_int_equal(sasl_server_initial(s, NULL, &challenge), SASL_CONTINUE);
		assert_int_equal(sasl_server_line(s, str_of(lines[i].line), &challenge), lines[i].want);
		sasl_server_free(&s);
	}
}

TEST(random_challenge)
{
	struct users users = { 0 };
	struct sasl_server *s;
	struct str challenge;

	assert_ok(sasl_server_start(&(struct sasl_server_args){ .mech = SASL_CRAM_MD5, .ops = &ops, .arg = &users, .host = S("mox.example") }, &s));
	assert_int_equal(sasl_server_step(s, NULL, &challenge), SASL_CONTINUE);
	assert_true(str_starts(challenge, S("<")) && str_ends(challenge, S("@mox.example>")) && str_has(challenge, '.'));
	sasl_server_free(&s);
}

TEST(results)
{
	assert_string_equal(sasl_result(0), "ok");
	assert_string_equal(sasl_result(SASL_ABORTED), "aborted");
	assert_string_equal(sasl_result(SASL_BAD_SYNTAX), "badprotocol");
	assert_string_equal(sasl_result(SASL_BAD_CREDENTIALS), "badcreds");
	assert_string_equal(sasl_result(SASL_BAD_BINDING), "badchanbind");
	assert_string_equal(sasl_result(SASL_LOGIN_DISABLED), "logindisabled");
	assert_string_equal(sasl_result(SASL_SERVER_ERROR), "error");
	assert_string_equal(sasl_result(SASL_NO_SECRET), "error");
	assert_false(sasl_counts(0));
	assert_false(sasl_counts(SASL_NO_SECRET));
	assert_false(sasl_counts(SASL_SERVER_ERROR));
	assert_true(sasl_counts(SASL_ABORTED));
	assert_true(sasl_counts(SASL_LOGIN_DISABLED));
	assert_true(sasl_counts(SASL_BAD_BASE64));
}

/* --- client against server --- */

static int
talk(enum sasl_mech m, const char *password, int *r_client)
{
	struct scram_binding b = { .tls_exporter = S("exporter") };
	struct users users = { 0 };
	struct sasl_server *s;
	struct str challenge;
	struct sasl_send send = { 0 };
	int status;

	assert_ok(sasl_server_start(&(struct sasl_server_args){ .mech = m, .ops = &ops, .arg = &users, .tls = true, .binding = &b, .host = S("h") }, &s));
	struct sasl_client *c = sasl_client_new(&(struct sasl_client_args){ .mech = m, .user = m == SASL_EXTERNAL ? S("") : S("mjl"),
	    .password = str_of(password), .binding = &b });
	*r_client = sasl_client_step(c, NULL, &send);
	assert_ok(*r_client);
	status = sasl_server_step(s, send.has ? &send.data : NULL, &challenge);
	while (status == SASL_CONTINUE) {
		*r_client = sasl_client_step(c, &challenge, &send);
		struct str data = *r_client == 0 && send.has ? send.data : S("");
		status = sasl_server_step(s, &data, &challenge);
	}
	if (status == 0)
		assert_true(send.last);
	sasl_client_free(&c);
	sasl_server_free(&s);
	return status;
}

TEST(client)
{
	int client;

	for (enum sasl_mech m = 0; m < SASL_MECHS; m++) {
		test_row("%s", sasl_mech_name(m));
		assert_int_equal(talk(m, "secret", &client), 0);
		assert_int_equal(client, 0);
		if (m == SASL_EXTERNAL)
			continue;
		assert_int_equal(talk(m, "wrong", &client), SASL_BAD_CREDENTIALS);
		if (m <= SASL_SCRAM_SHA1)
			assert_int_equal(client, SASL_BAD_CREDENTIALS);
	}
}

TEST(client_errors)
{
	struct sasl_send send;
	struct str bad[] = { S(""), S("<1.2@h"), S("1.2@h>"), S("<1@h>"), S("<1.@h>"), S("<1.2@>"), S("<1.2@h>x") };

	struct sasl_client *c = sasl_client_new(&(struct sasl_client_args){ .mech = SASL_PLAIN, .user = S("a\0b"), .password = S("p") });
	assert_err(sasl_client_step(c, NULL, &send), SASL_BAD_SYNTAX);
	assert_err(sasl_client_step(c, NULL, &send), ERR_INVALID);
	sasl_client_free(&c);

	c = sasl_client_new(&(struct sasl_client_args){ .mech = SASL_PLAIN, .user = S("u"), .password = S("p") });
	assert_err(sasl_client_step(c, &bad[0], &send), ERR_INVALID);
	assert_ok(sasl_client_step(c, NULL, &send));
	assert_str(send.data, S("\0u\0p"));
	assert_err(sasl_client_step(c, &bad[0], &send), ERR_INVALID);
	sasl_client_free(&c);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c = sasl_client_new(&(struct sasl_client_args){ .mech = SASL_CRAM_MD5, .user = S("u"), .password = S("p") });
		assert_ok(sasl_client_step(c, NULL, &send));
		assert_false(send.has);
		assert_err(sasl_client_step(c, &bad[i], &send), SASL_BAD_SYNTAX);
		sasl_client_free(&c);
	}
	sasl_client_free(&c);
}
