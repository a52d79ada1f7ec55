/* SPDX-License-Identifier: MIT */
/* validate_test.c - our own validation, over a tree of zones of all kinds. */
#include "base/fd.h"
#include "dns/dns.h"
#include "dns/signedzones_test.h"
#include "testutil/testutil.h"

static const struct signedzone_opts zones[] = {
	{ "sub.plain.test.", "a.sub.plain.test. 300 IN A 192.0.2.1\n", .no_ds = true },  /* an island below what is unsigned */
	{ "plain.test.", "a.plain.test. 300 IN A 192.0.2.1\nto.plain.test. 300 IN CNAME a.sec.test.\n", .unsigned_ = true },
	{ "plain.n3.test.", "a.plain.n3.test. 300 IN A 192.0.2.1\n", .unsigned_ = true },
	{ "plain.opt.test.", "a.plain.opt.test. 300 IN A 192.0.2.1\n", .unsigned_ = true },
	{ "sec.test.",
	    "a.sec.test. 300 IN A 192.0.2.1\na.sec.test. 300 IN TXT \"x\"\n"
	    "flip.sec.test. 300 IN A 192.0.2.1\nnosig.sec.test. 300 IN A 192.0.2.1\nsigner.sec.test. 300 IN A 192.0.2.1\n"
	    "in.sec.test. 300 IN CNAME a.sec.test.\nout.sec.test. 300 IN CNAME a.plain.test.\n"
	    "back.sec.test. 300 IN CNAME to.plain.test.\n"
	    "gone.sec.test. 300 IN CNAME none.sec.test.\ndeep.ent.sec.test. 300 IN A 192.0.2.1\n"
	    "*.wild.sec.test. 300 IN TXT \"w\"\nx.y.wild.sec.test. 300 IN A 192.0.2.1\n*.noproof.sec.test. 300 IN A 192.0.2.2\n"
	    "old.sec.test. 300 IN DNAME new.sec.test.\na.new.sec.test. 300 IN A 192.0.2.3\n",
	    .unsigned_ = false },
	{ "n3.test.",
	    "a.n3.test. 300 IN A 192.0.2.1\ndeep.ent.n3.test. 300 IN A 192.0.2.1\n*.wild.n3.test. 300 IN TXT \"w\"\n"
	    "other.n3.test. 300 IN A 192.0.2.1\n",
	    .nsec3 = true, .iterations = 3 },
	{ "opt.test.", "a.opt.test. 300 IN A 192.0.2.1\n", .nsec3 = true, .opt_out = true },
	{ "costly.test.", "a.costly.test. 300 IN A 192.0.2.1\n", .nsec3 = true, .iterations = 101 },
	{ "expired.test.", "a.expired.test. 300 IN A 192.0.2.1\n", .from_s = 1600000000, .until_s = 1600010000 },
	{ "future.test.", "a.future.test. 300 IN A 192.0.2.1\n", .from_s = 1800000000, .until_s = 1800010000 },
	{ "soon.test.", "a.soon.test. 300 IN A 192.0.2.1\n", .until_s = 1700000000 + 20 },
	{ "wrongds.test.", "a.wrongds.test. 300 IN A 192.0.2.1\n", .wrong_ds = true },
	{ "odd.test.", "a.odd.test. 300 IN A 192.0.2.1\n", .odd_ds = true },
	{ "rsa.test.", "a.rsa.test. 300 IN A 192.0.2.1\n", .algorithm = LDNS_SIGN_RSASHA256 },
	{ "ed.test.", "a.ed.test. 300 IN A 192.0.2.1\n", .algorithm = LDNS_SIGN_ED25519 },
	{ "lie.test.", "a.lie.test. 300 IN A 192.0.2.1\n", .unsigned_ = true },
	{ "test.", "a.test. 300 IN A 192.0.2.1\n", .unsigned_ = false },
	{ ".", "", .unsigned_ = false },
};
static const char quirks[] =
    "!flip.sec.test flip\n!nosig.sec.test nosig\n!signer.sec.test wrongsigner\n!x.noproof.sec.test noproof\n"
    "!noproof.n3.test noproof\n!badproof.sec.test badproof\n!badproof.n3.test badproof\n!lie.test noproof\n";

static struct signedzones *tree;
static struct fake *fake;
static struct dns_resolver *resolver;

static void
begin(const char *anchor, bool dnskey)
{
	const char *path = str_fmt(test_arena(), "%s/anchor", test_dir()).p;
	struct dns_stub_opts o = { .hosts = "", .nservers = 1, .trust_anchor_file = path, .clock = test_clock() };
	struct ipport server;

	tree = signedzones_new(zones, ARRAY_LEN(zones));
	fake = fake_start_with(quirks, signedzones_answer, tree);
	server = fake_addr(fake);
	o.servers = &server;
	assert_ok(fd_write_file(path, str_cat(test_arena(), S("; the anchor\n\n"), signedzones_anchor(tree, anchor, dnskey)), 0644, NULL));
	assert_ok(dns_stub_new(&o, &resolver, NULL));
}

static void
end(void)
{
	dns_stub_free(&resolver);
	fake_stop(&fake);
	signedzones_free(&tree);
}

static int
ask(enum dns_type type, const char *name, struct dns_result *r, struct errmsg *e)
{
	struct ctx ctx = { 0 };

	memset(e, 0, sizeof(*e));
	return dns_lookup(resolver, test_arena(), &ctx, type, str_of(name), 0, r, e);
}

TEST(zones)
{
	static const struct { enum dns_type type; const char *name; int rv; bool authentic; int extended; const char *steps; } rows[] = {
		{ DNS_A, "a.sec.test", 0, true, -1, "" },
		{ DNS_A, "a.test", 0, true, -1, "" },
		{ DNS_A, "a.rsa.test", 0, true, -1, "" },
		{ DNS_A, "a.ed.test", 0, true, -1, "" },
		{ DNS_A, "a.n3.test", 0, true, -1, "" },
		{ DNS_A, "a.opt.test", 0, true, -1, "" },
		{ DNS_NS, "sec.test", 0, true, -1, "" },
		/* Aliases. */
		{ DNS_A, "in.sec.test", 0, true, -1, "+" },
		{ DNS_A, "out.sec.test", 0, false, -1, "+" },
		{ DNS_A, "back.sec.test", 0, false, -1, "+." },
		{ DNS_A, "to.plain.test", 0, false, -1, "." },
		{ DNS_A, "gone.sec.test", DNS_NOTFOUND, true, -1, "+" },
		{ DNS_A, "a.old.sec.test", 0, true, -1, "+" },                  /* by a DNAME */
		/* Denials: rfc/4035:1756, rfc/5155:1313. */
		{ DNS_A, "none.sec.test", DNS_NOTFOUND, true, -1, "" },
		{ DNS_A, "a.b.c.none.sec.test", DNS_NOTFOUND, true, -1, "" },
		{ DNS_MX, "a.sec.test", DNS_NOTFOUND, true, -1, "" },
		{ DNS_A, "ent.sec.test", DNS_NOTFOUND, true, -1, "" },
		{ DNS_A, "none.n3.test", DNS_NOTFOUND, true, -1, "" },
		{ DNS_A, "a.b.none.n3.test", DNS_NOTFOUND, true, -1, "" },
		{ DNS_MX, "a.n3.test", DNS_NOTFOUND, true, -1, "" },
		{ DNS_A, "ent.n3.test", DNS_NOTFOUND, true, -1, "" },
		{ DNS_A, "none.opt.test", DNS_NOTFOUND, false, -1, "" },        /* opted out */
		{ DNS_A, "none.costly.test", DNS_NOTFOUND, false, -1, "" },     /* rfc/9276:411 */
		{ DNS_A, "none", DNS_NOTFOUND, true, -1, "" },
		/* Wildcards: rfc/4035:1743, rfc/5155:1359. */
		{ DNS_TXT, "q.wild.sec.test", 0, true, -1, "" },
		{ DNS_TXT, "q.r.wild.sec.test", 0, true, -1, "" },
		{ DNS_A, "q.wild.sec.test", DNS_NOTFOUND, true, -1, "" },
		{ DNS_TXT, "q.wild.n3.test", 0, true, -1, "" },
		{ DNS_TXT, "q.r.wild.n3.test", 0, true, -1, "" },
		{ DNS_A, "q.wild.n3.test", DNS_NOTFOUND, true, -1, "" },
		{ DNS_A, "x.noproof.sec.test", DNS_BOGUS, false, 12, "" },
		/* Insecure: the zone above says so. */
		{ DNS_A, "a.plain.test", 0, false, -1, "" },
		{ DNS_A, "none.plain.test", DNS_NOTFOUND, false, -1, "" },
		{ DNS_A, "a.sub.plain.test", 0, false, -1, "" },
		{ DNS_A, "a.plain.n3.test", 0, false, -1, "" },
		{ DNS_A, "a.plain.opt.test", 0, false, -1, "" },
		{ DNS_A, "a.odd.test", 0, false, -1, "" },                      /* rfc/4035:1492 */
		/* Bogus. */
		{ DNS_A, "flip.sec.test", DNS_BOGUS, false, 6, "" },
		{ DNS_A, "nosig.sec.test", DNS_BOGUS, false, 10, "" },
		{ DNS_A, "signer.sec.test", DNS_BOGUS, false, 6, "" },
		{ DNS_A, "a.expired.test", DNS_BOGUS, false, 7, "" },
		{ DNS_A, "a.future.test", DNS_BOGUS, false, 8, "" },
		{ DNS_A, "a.wrongds.test", DNS_BOGUS, false, 6, "" },
		{ DNS_A, "noproof.n3.test", DNS_BOGUS, false, 12, "" },
		{ DNS_A, "badproof.n3.test", DNS_BOGUS, false, 12, "" },
		{ DNS_A, "badproof.sec.test", DNS_BOGUS, false, 12, "" },
		{ DNS_A, "a.lie.test", DNS_BOGUS, false, 12, "" },              /* no proof that it is unsigned */
	};
	struct dns_result r;
	struct errmsg e;

	begin(".", false);
	/* Twice: the second time from the caches. */
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			int rv = ask(rows[i].type, rows[i].name, &r, &e);

			test_row("%s %d: %s", rows[i].name, (int)rows[i].type, e.text);
			assert_int_equal(rv, rows[i].rv);
			assert_int_equal(r.authentic, rows[i].authentic);
			assert_int_equal(r.extended_error, rows[i].extended);
			assert_int_equal(r.nsteps, strlen(rows[i].steps));
			for (size_t k = 0; k < r.nsteps; k++)
				assert_int_equal(r.steps[k].authentic, rows[i].steps[k] == '+');
		}
	end();
}

TEST(anchors)
{
	struct dns_result r;
	struct errmsg e;

	/* A key as anchor, in the middle of the tree: nothing beside it is known. */
	begin("sec.test.", true);
	assert_ok(ask(DNS_A, "a.sec.test", &r, &e));
	assert_true(r.authentic);
	assert_ok(ask(DNS_A, "a.rsa.test", &r, &e));
	assert_false(r.authentic);
	assert_ok(ask(DNS_A, "a.test", &r, &e));
	assert_false(r.authentic);
	end();
	/* The anchor of another key. */
	begin("wrongds.test.", false);
	assert_err(ask(DNS_A, "a.wrongds.test", &r, &e), DNS_BOGUS);
	assert_ok(ask(DNS_A, "a.sec.test", &r, &e));
	end();
}

TEST(signatures_bound_the_ttl)
{
	struct dns_result r;
	struct errmsg e;

	begin(".", false);
	assert_ok(ask(DNS_A, "a.soon.test", &r, &e));
	assert_true(r.authentic);
	assert_int_equal(r.ttl, 20);
	test_clock_add(21 * TIME_SEC);
	assert_err(ask(DNS_A, "a.soon.test", &r, &e), DNS_BOGUS);
	assert_int_equal(r.extended_error, 7);
	end();
}

TEST(bad_anchor_files)
{
	static const struct { const char *text, *error; } rows[] = {
		{ "; nothing\n", "no trust anchor" },
		{ ". IN A 192.0.2.1\n", "neither DS nor key" },
		{ "gibberish\n", "not a record" },
		{ ". IN DNSKEY 0 3 8 AwEAAQ==\n", "neither DS nor key" },      /* does not sign zones: rfc/4034:237 */
	};
	const char *path = str_fmt(test_arena(), "%s/anchor", test_dir()).p;
	struct dns_stub_opts o = { .trust_anchor_file = path };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct errmsg e = { 0 };

		test_row("%s", rows[i].text);
		assert_ok(fd_write_file(path, str_of(rows[i].text), 0644, NULL));
		assert_err(dns_stub_new(&o, &resolver, &e), ERR_INVALID);
		assert_non_null(strstr(e.text, rows[i].error));
	}
	o.trust_anchor_file = "/nonexistent/anchor";
	assert_true(dns_stub_new(&o, &resolver, NULL) < 0);
	resolver = NULL;
}

/* A server that only has bogus data when asked as by one that does not validate: we ask with CD. */
TEST(checking_is_disabled_at_the_server)
{
	static const char z[] = "a.test. 300 IN A 192.0.2.1\n!* cd\n";
	const char *path = str_fmt(test_arena(), "%s/anchor", test_dir()).p;
	struct dns_stub_opts o = { .hosts = "", .nservers = 1, .trust_anchor_file = path };
	struct ipport server;
	struct dns_result r;
	struct errmsg e;

	fake = fake_start(z);
	server = fake_addr(fake);
	o.servers = &server;
	/* An anchor of another tree says nothing about this name. */
	assert_ok(fd_write_file(path, S("example. IN DS 12345 13 2 "
					"0000000000000000000000000000000000000000000000000000000000000000\n"), 0644, NULL));
	assert_ok(dns_stub_new(&o, &resolver, NULL));
	assert_ok(ask(DNS_A, "a.test", &r, &e));
	assert_false(r.authentic);
	dns_stub_free(&resolver);
	fake_stop(&fake);
}
