/* SPDX-License-Identifier: MIT */
/* dkim_test.c - signing and verifying what we signed, and each way in which a signature is refused. */
#include "dkim/dkim.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/mem.h"
#include "dns_mock/dns_mock.h"
#include "testutil/testutil.h"

static const char message[] =
    "From: Me <me@example.org>\r\nTo: you@example.com\r\nSubject: a  folded\r\n\tsubject\r\nDate: Tue, 1 Jan 2019 00:00:00 +0000\r\n"
    "Message-Id: <x@example.org>\r\n\r\nhello  world \r\n\r\nbye\r\n\r\n\r\n";

static int64_t
fixed_now(void *arg unused_)
{
	return INT64_C(1700000000) * TIME_SEC;
}
static const struct clock fixed_clock = { fixed_now, NULL };

static struct dkim_result
verify_with(struct str msg, const char *zone, const char *const *fail, const struct dkim_verify_args *args)
{
	struct dns_mock_opts o = { .zone = zone, .fail = fail, .all_authentic = true };
	struct dns_resolver *r = dns_mock_new(&o);
	struct message_source src = message_source_mem(msg);
	struct dkim_result *v = NULL;
	struct ctx ctx = { 0 };
	size_t n = 0;

	assert_ok(dkim_verify(r, test_arena(), &ctx, &src, args, &v, &n, NULL));
	dns_mock_free(&r);
	assert_true(n >= 1);
	return v[0];
}

static struct dkim_result
verify(struct str msg, const char *zone)
{
	struct dkim_verify_args args = { .clock = &fixed_clock };

	return verify_with(msg, zone, NULL, &args);
}

static const char *
zone_of(EVP_PKEY *key)
{
	struct dkim_record rec;

	assert_ok(dkim_record_of(test_arena(), key, &rec));
	return str_fmt(test_arena(), "s._domainkey.example.org TXT \"" STRF "\"\n", STRA(dkim_pack_record(test_arena(), &rec))).p;
}

static struct str
sign(const struct dkim_signer *s)
{
	struct message_source src = message_source_mem(str_of(message));
	struct str fields;

	assert_ok(dkim_sign(test_arena(), &src, S("me"), S("example.org"), s, 1, &fixed_clock, &fields, NULL));
	for (struct str rest = fields, line; rest.n > 0;) {
		line = str_split(&rest, '\n');
		assert_in_range(line.n, 1, 78);         // rfc/5322:379
	}
	return str_cat(test_arena(), fields, str_of(message));
}

static struct str
with(struct str msg, const char *from, const char *to)
{
	struct str f = str_of(from);
	ssize_t at = str_search(msg, f);

	assert_true(at >= 0);
	return str_fmt(test_arena(), STRF "%s" STRF, STRA(str_upto(msg, (size_t)at)), to, STRA(str_from(msg, (size_t)at + f.n)));
}

TEST(round_trips)
{
	for (int i = 0; i < 16; i++) {
		EVP_PKEY *key = NULL;
		struct dkim_signer s = { .selector = S("s"),
			.header_relaxed = i & 1,
			.body_relaxed = i & 2,
			.dont_seal = i & 4,
			.expiration_us = TIME_DAY };
		struct str signed_msg;
		const char *zone;

		test_row("variant %d", i);
		assert_ok(i & 8 ? dkim_generate_rsa(2048, &key) : dkim_generate_ed25519(&key));
		s.key = key;
		zone = zone_of(key);
		signed_msg = sign(&s);
		assert_int_equal(verify(signed_msg, zone).status, DKIM_PASS);
		assert_true(verify(signed_msg, zone).authentic);
		/* White space may change only in relaxed forms: rfc/6376:833 */
		assert_int_equal(verify(with(signed_msg, "a  folded\r\n\tsubject", "a folded subject"), zone).status,
		    i & 1 ? DKIM_PASS : DKIM_FAIL);
		assert_int_equal(
		    verify(with(signed_msg, "hello  world ", "hello world"), zone).status, i & 2 ? DKIM_PASS : DKIM_FAIL);
		/* Fields cannot be added to a sealed header: rfc/6376:2328 */
		assert_int_equal(verify(str_cat(test_arena(), S("Subject: other\r\n"), signed_msg), zone).status,
		    i & 4 ? DKIM_PASS : DKIM_FAIL);
		assert_int_equal(verify(with(signed_msg, "bye", "BYE"), zone).status, DKIM_FAIL);
		assert_int_equal(verify(with(signed_msg, "To: you", "To: yo"), zone).status, DKIM_FAIL);
		EVP_PKEY_free(key);
	}
}

/* Ed25519 is deterministic: the signature of RFC 8463 appendix A comes out again from its data. */
TEST(rfc8463_signature)
{
	struct str seed, msg = test_read(test_data("dkim/msgs/rfc8463-appendix.eml")), want, got, data, form, field, rest;
	struct dkim_signature sig;
	EVP_PKEY *key;
	ssize_t from = str_search(msg, S("DKIM-Signature: v=1; a=ed25519-sha256"));

	assert_true(from >= 0);
	assert_ok(
	    enc_unbase64(test_arena(), str_trim(test_read(test_data("dkim/sign/rfc8463-ed25519.seed.b64"))), ENC_STD, &seed));
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)seed.p, seed.n);
	assert_non_null(key);
	rest = str_from(msg, (size_t)from);
	field = str_upto(rest, (size_t)str_search(rest, S("\r\nDKIM-Signature")) + 2);
	assert_ok(dkim_parse_signature(test_arena(), field, 0, &sig, &form, NULL));
	want = sig.signature;
	assert_ok(dkim_signed_data(
	    test_arena(), msg, &sig.headers, str_is(sig.canon_header, S("relaxed")) ? DKIM_RELAXED : DKIM_SIMPLE, form, &data));
	assert_ok(dkim_sign_data(test_arena(), key, data, &got));
	assert_str(got, want);
	EVP_PKEY_free(key);
}

struct refusal {
	const char *from, *to;          /* change of the signature */
	const char *key_from, *key_to;  /* change of the record */
	enum dkim_status status;
	const char *problem;            /* contained in the text */
};

static const struct refusal refusals[] = {
	{ "h=From:From:", "h=To:", "", "", DKIM_PERMERROR, "From is not signed" },                      // rfc/6376:2546
	{ "x=1700086400", "x=1699999999", "", "", DKIM_PERMERROR, "x= is not after t=" },               // rfc/6376:1337
	{ "t=1700000000; x=1700086400", "t=1600000000; x=1690000000", "", "", DKIM_PERMERROR, "expired" },
	{ "d=example.org", "d=org", "", "", DKIM_PERMERROR, "public suffix" },
	{ "i=me@example.org; ", "", "", "", DKIM_FAIL, "does not match" },
	{ "a=ed25519-sha256", "a=ed25519-md5", "", "", DKIM_PERMERROR, "unknown algorithm" },
	{ "a=ed25519-sha256", "a=ed25519-sha256; q=http", "", "", DKIM_PERMERROR, "query" },
	{ "a=ed25519-sha256", "a=ed25519-sha256; c=odd", "", "", DKIM_PERMERROR, "canonicalization" },
	{ "a=ed25519-sha256", "a=ed25519-sha256; l=5", "", "", DKIM_POLICY, "l=" },
	{ "a=ed25519-sha256", "a=rsa-sha256", "", "", DKIM_PERMERROR, "not for this algorithm" },
	{ "v=1;", "v=2;", "", "", DKIM_PERMERROR, "version" },
	{ "v=1;", "v=1; v=1;", "", "", DKIM_PERMERROR, "twice" },
	{ "s=s;", "", "", "", DKIM_PERMERROR, "s= is missing" },
	{ "s=s;", "s=other;", "", "", DKIM_PERMERROR, "no such record" },
	{ "", "", "k=ed25519", "k=rsa", DKIM_PERMERROR, "not for this algorithm" },
	{ "", "", "k=ed25519", "k=dsa", DKIM_PERMERROR, "unknown type" },
	{ "", "", "h=sha256", "h=sha1", DKIM_PERMERROR, "not for this hash" },
	{ "", "", "t=s", "s=web", DKIM_PERMERROR, "not for mail" },
	{ "", "", "p=", "q=", DKIM_PERMERROR, "p= is missing" },
	{ "", "", "v=DKIM1", "v=DKIM2", DKIM_TEMPERROR, "no key record" },
	{ "", "", "\"v=DKIM1", "\"x", DKIM_TEMPERROR, "no key record" },
	{ "i=me@example.org", "i=me@sub.example.org", "", "", DKIM_PERMERROR, "subdomains" },           // rfc/6376:1578
};

TEST(each_refusal)
{
	EVP_PKEY *key = NULL;
	struct dkim_signer s = { .selector = S("s"), .expiration_us = TIME_DAY };
	struct str signed_msg, zone;

	assert_ok(dkim_generate_ed25519(&key));
	s.key = key;
	signed_msg = sign(&s);
	zone = str_of(zone_of(key));
	assert_int_equal(verify(signed_msg, zone.p).status, DKIM_PASS);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *f = &refusals[i];
		struct dkim_result r = verify(with(signed_msg, f->from, f->to), with(zone, f->key_from, f->key_to).p);

		test_row("%s -> %s, key %s -> %s: " STRF, f->from, f->to, f->key_from, f->key_to, STRA(r.problem));
		assert_int_equal(r.status, f->status);
		assert_true(str_search(r.problem, str_of(f->problem)) >= 0);
	}
	EVP_PKEY_free(key);
}

TEST(keys_and_records_in_trouble)
{
	static const char *const fail[] = { "txt s._domainkey.example.org", NULL };
	EVP_PKEY *key = NULL, *weak = NULL;
	struct dkim_signer s = { .selector = S("s") };
	struct dkim_verify_args args = { .clock = &fixed_clock };
	struct str signed_msg, both;
	const char *zone;

	assert_ok(dkim_generate_rsa(1024, &key));
	s.key = key;
	signed_msg = sign(&s);
	zone = zone_of(key);
	assert_int_equal(verify_with(signed_msg, zone, fail, &args).status, DKIM_TEMPERROR);
	both = str_fmt(test_arena(), "%s%s", zone, zone);
	assert_int_equal(verify(signed_msg, both.p).status, DKIM_TEMPERROR);
	assert_int_equal(
	    verify(signed_msg, "s._domainkey.example.org TXT \"v=DKIM1; p=\"").status, DKIM_PERMERROR); // revoked, rfc/6376:1502
	/* A domain that tests loses nothing by its failures: rfc/6376:1558 */
	assert_int_equal(verify(with(signed_msg, "bye", "BYE"), with(str_of(zone), "t=s", "t=s:y").p).status, DKIM_NONE);
	args.ignore_test_mode = true;
	assert_int_equal(
	    verify_with(with(signed_msg, "bye", "BYE"), with(str_of(zone), "t=s", "t=s:y").p, NULL, &args).status, DKIM_FAIL);
	EVP_PKEY_free(key);

	/* Short keys are neither used nor accepted: rfc/8301:154 */
	assert_ok(dkim_generate_rsa(768, &weak));
	s.key = weak;
	struct message_source src = message_source_mem(str_of(message));
	struct str fields;
	assert_err(dkim_sign(test_arena(), &src, S("me"), S("example.org"), &s, 1, &fixed_clock, &fields, NULL), ERR_INVALID);
	assert_int_equal(verify(signed_msg, zone_of(weak)).status, DKIM_POLICY);
	EVP_PKEY_free(weak);
}

TEST(records)
{
	static const struct { const char *txt; int rv; bool is_dkim;
	} rows[] = {
		{ "v=DKIM1; p=aGVsbG8=", 0, true },
		{ "p=aGVsbG8=", 0, true },
		{ " v = DKIM1 ; k = rsa ; s = * ; t = y : s ; p = aGVs bG8= ; ", 0, true },
		{ "v=DKIM1; p=", 0, true },
		{ "k=rsa; v=DKIM1; p=aGVsbG8=", ERR_INVALID, true },
		{ "v=dkim1; p=aGVsbG8=", ERR_INVALID, false },
		{ "v=DKIM1; p=aGVsbG8=; p=aGVsbG8=", ERR_INVALID, true },
		{ "v=DKIM1; k=ed25519; p=aGVsbG8=", ERR_INVALID, true },
		{ "v=spf1 -all", ERR_INVALID, false },
		{ "", ERR_INVALID, false },
		{ "v=DKIM1; n=a=20b; x=; p=aGVsbG8=", 0, true },
		{ "v=DKIM1;; p=aGVsbG8=", ERR_INVALID, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dkim_record rec, again;
		struct str packed;
		bool is_dkim;

		test_row("%s", rows[i].txt);
		assert_err(dkim_parse_record(test_arena(), test_exact(str_of(rows[i].txt)), &rec, &is_dkim, NULL), rows[i].rv);
		assert_int_equal(is_dkim, rows[i].is_dkim);
		if (rows[i].rv < 0)
			continue;
		packed = dkim_pack_record(test_arena(), &rec);
		assert_ok(dkim_parse_record(test_arena(), packed, &again, &is_dkim, NULL));
		assert_str(dkim_pack_record(test_arena(), &again), packed);
	}
}

TEST(pem)
{
	EVP_PKEY *key = NULL, *again = NULL;
	struct str pem;

	assert_ok(dkim_generate_ed25519(&key));
	assert_ok(dkim_key_to_pem(test_arena(), key, &pem));
	assert_true(str_starts(pem, S("-----BEGIN PRIVATE KEY-----\n")));
	assert_ok(dkim_key_from_pem(pem, &again, NULL));
	assert_int_equal(EVP_PKEY_eq(key, again), 1);
	EVP_PKEY_free(key);
	EVP_PKEY_free(again);
	assert_err(dkim_key_from_pem(S("no key"), &again, NULL), ERR_INVALID);
}

static void
hash_pieces(struct str s, size_t piece, enum dkim_canon canon, uint8_t r_hash[32])
{
	struct dkim_body b;

	assert_ok(dkim_body_init(&b, canon));
	for (; s.n > 0; s = str_from(s, piece))
		dkim_body_add(&b, str_upto(s, piece));
	assert_ok(dkim_body_end(&b, r_hash));
	dkim_body_done(&b);
}

/*
 * All bodies of up to five characters that matter: one in one piece, whose runs are hashed together, has the hash of its
 * bytes one by one.
 */
TEST(bodies_in_pieces)
{
	static const char letters[] = " \t\r\na";

	for (unsigned n = 0, count = 1; n <= 5; n++, count *= 5)
		for (unsigned k = 0; k < count; k++) {
			char text[5];
			unsigned rest = k;

			for (unsigned i = 0; i < n; i++, rest /= 5)
				text[i] = letters[rest % 5];
			for (enum dkim_canon c = DKIM_SIMPLE; c <= DKIM_RELAXED; c++) {
				uint8_t whole[32], bytes[32];

				hash_pieces(test_exact(str_n(text, n)), 5, c, whole);
				hash_pieces(str_n(text, n), 1, c, bytes);
				test_row("%u of length %u", k, n);
				assert_memory_equal(whole, bytes, 32);
			}
		}
}
