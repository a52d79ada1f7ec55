/* SPDX-License-Identifier: MIT */
#include "base/enc.h"
#include "scram/scram.h"
#include "testutil/testutil.h"

/* rfc/5802:496, rfc/7677:126 */
static const struct vector {
	enum scram_hash hash;
	const char *client_nonce, *server_nonce, *salt64;
	const char *client_first, *server_first, *client_final, *server_final, *stored64, *server64;
} vectors[] = {
	{ SCRAM_SHA1, "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92",
	    "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
	    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
	    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
	    "6dlGYMOdZcOPutkcNY8U2g7vK9Y=", "D+CSWLOshSulAsxiupA+qs2/fTE=" },
	{ SCRAM_SHA256, "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ==",
	    "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
	    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=" },
};

static struct scram_keys
keys_for(enum scram_hash h, struct str password)
{
	struct scram_keys k = { .salt = S("0123456789ab"), .iterations = 4096 };
	scram_derive(h, password, &k);
	return k;
}

TEST(vectors)
{
	struct arena *a = test_arena();

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct scram_server s;
		struct scram_client c;
		struct str msg;
		struct scram_keys k = { .iterations = 4096 };
		size_t n = scram_hash_len(v->hash);

		test_row("hash %d", (int)v->hash);
		assert_ok(enc_unbase64(a, str_of(v->salt64), ENC_STD, &k.salt));
		scram_derive(v->hash, S("pencil"), &k);
		assert_strz(enc_base64(a, str_n((char *)k.stored_key, n), ENC_STD), v->stored64);
		assert_strz(enc_base64(a, str_n((char *)k.server_key, n), ENC_STD), v->server64);

		assert_ok(scram_client_first(&c, a, &(struct scram_client_args){ .hash = v->hash, .user = S("user"), .password = S("pencil"),
		    .nonce = str_of(v->client_nonce) }, &msg));
		assert_strz(msg, v->client_first);
		assert_ok(scram_server_start(&s, a, &(struct scram_server_args){ .hash = v->hash, .nonce = str_of(v->server_nonce) }, msg));
		assert_strz(s.user, "user");
		assert_strz(s.authzid, "");
		struct str challenge = scram_server_challenge(&s, &k);
		assert_strz(challenge, v->server_first);
		assert_ok(scram_client_final(&c, challenge, &msg));
		assert_strz(msg, v->client_final);
		assert_ok(scram_server_finish(&s, msg));
		assert_strz(s.reply, v->server_final);
		assert_ok(scram_client_verify(&c, s.reply));
	}
}

/* client-first-message; user is what the server must have understood. */
static const struct {
	const char *msg;
	bool plus, tls;
	int err;
	const char *user, *authzid;
} firsts[] = {
	{ "n,,n=user,r=12345678", false, true, 0, "user", "" },
	{ "n,,n=user,r=12345678", false, false, 0, "user", "" },
	{ "n,a=other,n=user,r=12345678", false, true, 0, "user", "other" },
	{ "n,,n=a=2Cb=3Dc,r=12345678", false, true, 0, "a,b=c", "" },                           // rfc/5802:627
	{ "n,a==2C,n=u,r=12345678", false, true, 0, "u", "," },
	{ "n,,n=user,r=12345678,x=ext,y=more", false, true, 0, "user", "" },                    // rfc/5802:717
	{ "n,,n=\xc3\xa9,r=12345678", false, true, 0, "\xc3\xa9", "" },
	{ "p=tls-exporter,,n=user,r=12345678", true, true, 0, "user", "" },
	{ "p=tls-exporter,,n=user,r=12345678", false, true, 0, "user", "" },                    // without -PLUS in the name
	{ "p=tls-server-end-point,,n=user,r=12345678", true, true, 0, "user", "" },

	{ "n,,n=user,r=12345678", true, true, SCRAM_BINDINGS_DONT_MATCH, "", "" },
	{ "y,,n=user,r=12345678", false, true, SCRAM_SERVER_DOES_SUPPORT_BINDING, "", "" },     // rfc/5802:791
	{ "y,,n=user,r=12345678", false, false, SCRAM_SERVER_DOES_SUPPORT_BINDING, "", "" },
	{ "p=tls-unique,,n=user,r=12345678", true, true, SCRAM_BINDINGS_DONT_MATCH, "", "" },   // not with TLS 1.3
	{ "p=tls-exporter,,n=user,r=12345678", true, false, SCRAM_BINDINGS_DONT_MATCH, "", "" },
	{ "p=TLS-EXPORTER,,n=user,r=12345678", true, true, SCRAM_UNSUPPORTED_BINDING_TYPE, "", "" },
	{ "p=other,,n=user,r=12345678", true, true, SCRAM_UNSUPPORTED_BINDING_TYPE, "", "" },   // rfc/5802:801
	{ "p=,,n=user,r=12345678", true, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,,m=ext,n=user,r=12345678", false, true, SCRAM_EXTENSIONS_NOT_SUPPORTED, "", "" },  // rfc/5802:632
	{ "n,,n=user,r=12345678,m=ext", false, true, SCRAM_EXTENSIONS_NOT_SUPPORTED, "", "" },
	{ "n,,n=user,r=1234567", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,,n=user,r=1234 5678", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,,n=user,r=1234\x7f""5678", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,,n=,r=12345678", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,,n=user", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,,r=12345678,n=user", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,n=user,r=12345678", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,,n=user,r=12345678,", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,,n=user,r=12345678,x", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,,n=user,r=12345678,1=x", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n,,n=a=2cb,r=12345678", false, true, SCRAM_INVALID_USERNAME_ENCODING, "", "" },
	{ "n,,n=a=b,r=12345678", false, true, SCRAM_INVALID_USERNAME_ENCODING, "", "" },        // rfc/5802:628
	{ "n,,n=a=2,r=12345678", false, true, SCRAM_INVALID_USERNAME_ENCODING, "", "" },
	{ "n,,n=a=,r=12345678", false, true, SCRAM_INVALID_USERNAME_ENCODING, "", "" },
	{ "n,,n=e\xcc\x81,r=12345678", false, true, SCRAM_INVALID_USERNAME_ENCODING, "", "" },  // not NFC
	{ "n,a=e\xcc\x81,n=u,r=12345678", false, true, SCRAM_INVALID_USERNAME_ENCODING, "", "" },
	{ "n,,n=\xff,r=12345678", false, true, SCRAM_INVALID_USERNAME_ENCODING, "", "" },
	{ "N,,n=user,r=12345678", false, true, SCRAM_INVALID_ENCODING, "", "" },                // rfc/5802:547
	{ "n,,N=user,r=12345678", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "F,n,,n=user,r=12345678", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "", false, true, SCRAM_INVALID_ENCODING, "", "" },
	{ "n", false, true, SCRAM_INVALID_ENCODING, "", "" },
};

TEST(client_first)
{
	struct arena *a = test_arena();
	struct scram_binding b = { .tls_exporter = S("exporter data"), .tls_server_end_point = S("hash") };

	for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
		struct scram_server s;
		struct scram_server_args args = { .hash = SCRAM_SHA256, .plus = firsts[i].plus, .binding = firsts[i].tls ? &b : NULL };
		struct str msg = str_of(firsts[i].msg);

		test_row("%s", firsts[i].msg);
		assert_err(scram_server_start(&s, a, &args, test_exact(msg)), firsts[i].err);
		if (firsts[i].err == 0) {
			assert_strz(s.user, firsts[i].user);
			assert_strz(s.authzid, firsts[i].authzid);
		}
		/* Cut anywhere, it must end in an error or a shorter message, not in a read beyond. */
		for (size_t n = 0; n < msg.n; n++)
			ignore_result(scram_server_start(&s, a, &args, test_exact(str_upto(msg, n))));
	}
}

/* client-final-message, made from the right one by replacing its attributes; %s is the nonce. */
static const struct {
	const char *fmt;
	int err;
	const char *reply;
} finals[] = {
	{ "c=biws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", SCRAM_INVALID_PROOF, "e=invalid-proof" },
	{ "c=biws,r=%s,p=AAAA", SCRAM_INVALID_PROOF, "e=invalid-proof" },
	{ "c=biws,r=%sX,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", SCRAM_INVALID_PROOF, "e=invalid-proof" },            // rfc/5802:646
	{ "c=eSws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", SCRAM_BINDINGS_DONT_MATCH, "e=channel-bindings-dont-match" }, // rfc/5802:805
	{ "c=biw,r=%s,p=AAAA", SCRAM_INVALID_ENCODING, "e=invalid-encoding" },
	{ "c=biws,r=%s,p=AAA", SCRAM_INVALID_ENCODING, "e=invalid-encoding" },
	{ "c=biws,r=%s", SCRAM_INVALID_ENCODING, "e=invalid-encoding" },
	{ "c=biws,r=%s,x=y", SCRAM_INVALID_ENCODING, "e=invalid-encoding" },
	{ "c=biws,r=%s,p=AAAA,x=y", SCRAM_INVALID_ENCODING, "e=invalid-encoding" },
	{ "r=%s,c=biws,p=AAAA", SCRAM_INVALID_ENCODING, "e=invalid-encoding" },
	{ "c=biws,r=%s,m=x,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", SCRAM_EXTENSIONS_NOT_SUPPORTED, "e=extensions-not-supported" },
	{ "c=biws,r=%s,x=y,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", SCRAM_INVALID_PROOF, "e=invalid-proof" },
};

TEST(client_final)
{
	struct arena *a = test_arena();
	struct scram_keys k = keys_for(SCRAM_SHA1, S("pencil"));

	for (size_t i = 0; i < ARRAY_LEN(finals); i++) {
		struct scram_server s;
		char msg[200];

		test_row("%s", finals[i].fmt);
		assert_ok(scram_server_start(&s, a, &(struct scram_server_args){ .hash = SCRAM_SHA1, .nonce = S("server") }, S("n,,n=user,r=12345678")));
		scram_server_challenge(&s, &k);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(msg, sizeof(msg), finals[i].fmt, "12345678server");
#pragma GCC diagnostic pop
		assert_err(scram_server_finish(&s, test_exact(str_of(msg))), finals[i].err);
		assert_strz(s.reply, finals[i].reply);
	}
}

/* Extension attributes of a client are part of what is signed, and ignored otherwise: rfc/5802:717 */
static void
exchange(enum scram_hash h, const struct scram_binding *cb, const struct scram_binding *sb, bool plus, const char *password, int want)
{
	struct arena *a = test_arena();
	struct scram_keys k = keys_for(h, S("pencil"));
	struct scram_server s;
	struct scram_client c;
	struct str msg;

	assert_ok(scram_client_first(&c, a, &(struct scram_client_args){ .hash = h, .user = S("a,b=c"), .password = str_of(password),
	    .plus = plus, .binding = cb }, &msg));
	assert_ok(scram_server_start(&s, a, &(struct scram_server_args){ .hash = h, .plus = plus, .binding = sb }, msg));
	assert_strz(s.user, "a,b=c");
	assert_ok(scram_client_final(&c, scram_server_challenge(&s, &k), &msg));
	assert_err(scram_server_finish(&s, msg), want);
	assert_err(scram_client_verify(&c, s.reply), want);
}

TEST(exchanges)
{
	struct scram_binding exporter = { .tls_exporter = S("exporter") }, unique = { .tls_unique = S("unique") },
	    end = { .tls_server_end_point = S("end") }, other = { .tls_exporter = S("somebody else's") };

	for (enum scram_hash h = SCRAM_SHA1; h <= SCRAM_SHA256; h++) {
		exchange(h, NULL, NULL, false, "pencil", 0);
		exchange(h, NULL, &exporter, false, "pencil", 0);
		exchange(h, &exporter, &exporter, true, "pencil", 0);
		exchange(h, &unique, &unique, true, "pencil", 0);
		exchange(h, &end, &end, true, "pencil", 0);
		exchange(h, &exporter, &other, true, "pencil", SCRAM_BINDINGS_DONT_MATCH);
		exchange(h, NULL, NULL, false, "pencilx", SCRAM_INVALID_PROOF);
		exchange(h, NULL, NULL, false, "", SCRAM_INVALID_PROOF);
	}
}

TEST(no_binding_to_offer)
{
	struct scram_client c;
	struct str msg;
	struct scram_binding none = { 0 };

	assert_err(scram_client_first(&c, test_arena(), &(struct scram_client_args){ .user = S("u"), .plus = true, .binding = &none }, &msg),
	    SCRAM_BINDING_NOT_SUPPORTED);
	assert_ok(scram_client_first(&c, test_arena(), &(struct scram_client_args){ .user = S("u"), .no_server_plus = true, .nonce = S("n"),
	    .authzid = S("z=") }, &msg));
	assert_strz(msg, "y,a=z=3D,n=u,r=n");
}

/* What a client must not accept of a server. */
static const struct {
	const char *msg;
	int err;
} server_firsts[] = {
	{ "r=abcdefgh12345678,s=MTIzNDU2Nzg=,i=4096", 0 },
	{ "r=abcdefgh12345678,s=MTIzNDU2Nzg=,i=2048,x=y", 0 },
	{ "r=abcdefgh1234567,s=MTIzNDU2Nzg=,i=4096", SCRAM_WEAK_SERVER },
	{ "r=abcdefgh12345678,s=MTIzNDU2Nw==,i=4096", SCRAM_WEAK_SERVER },
	{ "r=abcdefgh12345678,s=MTIzNDU2Nzg=,i=2047", SCRAM_WEAK_SERVER },
	{ "r=abcdefgh12345678,s=MTIzNDU2Nzg=,i=2000001", SCRAM_WEAK_SERVER },
	{ "r=abcdefgh12345678,s=MTIzNDU2Nzg=,i=1000000000000", SCRAM_INVALID_ENCODING },
	{ "r=abcdefgh12345678,s=MTIzNDU2Nzg=,i=04096", SCRAM_INVALID_ENCODING },                // rfc/5802:880
	{ "r=xbcdefgh12345678,s=MTIzNDU2Nzg=,i=4096", SCRAM_INVALID_ENCODING },                 // rfc/5802:644
	{ "m=x,r=abcdefgh12345678,s=MTIzNDU2Nzg=,i=4096", SCRAM_EXTENSIONS_NOT_SUPPORTED },
	{ "r=abcdefgh12345678,s=MTIzNDU2Nzg=,i=4096,m=x", SCRAM_EXTENSIONS_NOT_SUPPORTED },
	{ "s=MTIzNDU2Nzg=,r=abcdefgh12345678,i=4096", SCRAM_INVALID_ENCODING },
	{ "r=abcdefgh12345678,s=MTIzNDU2Nzg,i=4096", SCRAM_INVALID_ENCODING },
	{ "e=no-resources", SCRAM_INVALID_ENCODING },
	{ "", SCRAM_INVALID_ENCODING },
};

TEST(client_refuses_weak_servers)
{
	for (size_t i = 0; i < ARRAY_LEN(server_firsts); i++) {
		struct scram_client c;
		struct str msg;

		test_row("%s", server_firsts[i].msg);
		assert_ok(scram_client_first(&c, test_arena(), &(struct scram_client_args){ .hash = SCRAM_SHA256, .user = S("u"), .password = S("p"),
		    .nonce = S("abcdefgh") }, &msg));
		assert_err(scram_client_final(&c, test_exact(str_of(server_firsts[i].msg)), &msg), server_firsts[i].err);
	}
}

TEST(client_verifies)
{
	static const struct { const char *msg; int err; } rows[] = {
		{ "v=AAAA", SCRAM_BAD_SIGNATURE },
		{ "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", SCRAM_BAD_SIGNATURE },
		{ "v=AAA", SCRAM_INVALID_ENCODING },
		{ "v=AAAA,m=x", SCRAM_EXTENSIONS_NOT_SUPPORTED },
		{ "e=invalid-proof", SCRAM_INVALID_PROOF },
		{ "e=unknown-user", SCRAM_UNKNOWN_USER },
		{ "e=other-error", SCRAM_OTHER_ERROR },
		{ "e=new-kind-of-error", SCRAM_OTHER_ERROR },                                   // rfc/5802:987
		{ "e=", SCRAM_INVALID_ENCODING },
		{ "", SCRAM_INVALID_ENCODING },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scram_client c;
		struct str msg;

		test_row("%s", rows[i].msg);
		assert_ok(scram_client_first(&c, test_arena(), &(struct scram_client_args){ .user = S("u"), .password = S("p"), .nonce = S("abcdefgh") },
		    &msg));
		assert_ok(scram_client_final(&c, S("r=abcdefgh12345678,s=MTIzNDU2Nzg=,i=4096"), &msg));
		assert_err(scram_client_verify(&c, test_exact(str_of(rows[i].msg))), rows[i].err);
	}
}
