/* SPDX-License-Identifier: MIT */
#include "auth/auth_internal.h"

#include "base/fd.h"
#include "metrics/metrics.h"
#include "testutil/testutil.h"

static const char static_conf[] =
    "DataDir: data\nLogLevel: error\nUser: 0\nHostname: mox.example\nPostmaster:\n\tAccount: mjl\n\tMailbox: Inbox\nListeners:\n\tlocal:\n\t\tIPs:\n\t\t\t- 127.0.0.1\n";
static const char dynamic_conf[] =
    "Domains:\n"
    "\tmox.example:\n"
    "\t\tLocalpartCatchallSeparator: +\n"
    "\t\tAliases:\n"
    "\t\t\tlist:\n"
    "\t\t\t\tAddresses:\n"
    "\t\t\t\t\t- mjl@mox.example\n"
    "\tdisabled.example:\n"
    "\t\tDisabled: true\n"
    "Accounts:\n"
    "\tmjl:\n"
    "\t\tDomain: mox.example\n"
    "\t\tDestinations:\n"
    "\t\t\tmjl@mox.example: nil\n"
    "\t\t\tt\xc3\xa9st@mox.example: nil\n"
    "\t\t\tmjl@disabled.example: nil\n"
    "\tgone:\n"
    "\t\tDomain: mox.example\n"
    "\t\tLoginDisabled: we miss you\n"
    "\t\tDestinations:\n"
    "\t\t\tgone@mox.example: nil\n"
    "\tfresh:\n"
    "\t\tDomain: mox.example\n"
    "\t\tDestinations:\n"
    "\t\t\tfresh@mox.example: nil\n";

static struct {
	struct config *cfg;
	struct store *store;
	struct auth *auth;
	int64_t now;
	bool crammd5;
} t;

static int64_t
fake_now(void *arg unused_)
{
	return t.now;
}
static const struct clock fake_clock = { .now_us = fake_now };

static struct config *
current_config(void *arg unused_)
{
	return config_ref(t.cfg);
}

static int
account_config(void *arg unused_, struct arena *a, struct str name, struct store_account_config *r_c)
{
	const struct config_account *acct = config_account(t.cfg, name);

	if (acct == NULL)
		return ERR_NOTFOUND;
	*r_c = (struct store_account_config){ .login_disabled = str_dup(a, acct->login_disabled) };
	return 0;
}

static void
open_auth(void)
{
	struct errmsg e = { 0 };
	const char *dir = str_fmt(test_arena(), "%s/data", test_dir()).p;

	assert_ok(auth_open(&(struct auth_opts){ .data_dir = dir, .store = t.store, .config = current_config, .clock = &fake_clock, .secret = S("secret"),
	    .crammd5 = t.crammd5 }, &t.auth, &e));
}

static void
set_up(bool crammd5)
{
	struct config_problems problems = { 0 };
	struct errmsg e = { 0 };
	const char *dir = str_fmt(test_arena(), "%s/data", test_dir()).p;

	memset(&t, 0, sizeof(t));
	t.now = time_now_us();
	t.crammd5 = crammd5;
	assert_ok(fd_mkdirs(dir, 0770, &e));
	if (config_parse(test_dir(), str_of(static_conf), str_of(dynamic_conf), CONFIG_NO_KEYS, &t.cfg, &problems) < 0)
		fail_msg(STRF, STRA(config_problems_text(test_arena(), &problems)));
	config_problems_done(&problems);
	assert_ok(store_open(&(struct store_opts){ .data_dir = dir, .account_config = account_config, .check_on_close = true }, &t.store, &e));
	open_auth();
}

static void
tear_down(void)
{
	auth_close(&t.auth);
	store_close(&t.store);
	config_unref(&t.cfg);
}

static int
check(const char *address, const char *password, const char *want_account)
{
	cleanup_(auth_user_done) struct auth_user user = { 0 };
	struct errmsg e = { 0 };

	int err = auth_password(t.auth, test_arena(), str_of(address), str_of(password), &user, &e);
	if (err == 0) {
		assert_strz(user.account, want_account);
		assert_str(store_account_name(user.acct), user.account);
	}
	return err;
}

TEST(set_password_rules)
{
	static const struct { const char *password; int err; } rows[] = {
		{ "", AUTH_BAD_PASSWORD },
		{ "1234567", AUTH_BAD_PASSWORD },
		{ "12345678", 0 },
		{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 0 },              /* bytes count */
		{ "e\xcc\x81""e\xcc\x81x", AUTH_BAD_PASSWORD },          /* 7 bytes or fewer after NFC: 2 + 2 + 1 */
		{ "12345678\n", AUTH_BAD_PASSWORD },
		{ "12345678\xff", AUTH_BAD_PASSWORD },
		{ "123456789012345678901234567890123456789012345678901234567890123456789012", 0 },
		{ "1234567890123456789012345678901234567890123456789012345678901234567890123", AUTH_BAD_PASSWORD },
	};

	set_up(false);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct errmsg e = { 0 };
		test_row("%zu", i);
		assert_err(auth_set_password(t.auth, S("mjl"), str_of(rows[i].password), &e), rows[i].err);
		assert_int_equal(e.text[0] != '\0', rows[i].err < 0);
	}
	assert_err(auth_set_password(t.auth, S("nobody"), S("12345678"), NULL), STORE_NO_ACCOUNT);
	tear_down();
}

TEST(login_names)
{
	static const struct { const char *address; int err; } rows[] = {
		{ "mjl@mox.example", 0 }, { "MJL@MOX.EXAMPLE", 0 }, { "mjl+folder@mox.example", 0 }, { "te\xcc\x81st@mox.example", 0 },
		{ "mjl@disabled.example", 0 },
		{ "mjl", AUTH_BAD_CREDENTIALS }, { "", AUTH_BAD_CREDENTIALS }, { "list@mox.example", AUTH_BAD_CREDENTIALS },
		{ "postmaster@mox.example", AUTH_BAD_CREDENTIALS }, { "postmaster", AUTH_BAD_CREDENTIALS }, { "unknown@mox.example", AUTH_BAD_CREDENTIALS },
		{ "mjl@elsewhere.example", AUTH_BAD_CREDENTIALS }, { "\xff@mox.example", AUTH_BAD_CREDENTIALS }, { "fresh@mox.example", AUTH_BAD_CREDENTIALS },
	};

	set_up(false);
	assert_ok(auth_set_password(t.auth, S("mjl"), S("password"), NULL));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].address);
		assert_err(check(rows[i].address, "password", "mjl"), rows[i].err);
	}
	tear_down();
}

TEST(wrong_passwords)
{
	struct auth_user user = { 0 };
	struct errmsg e = { 0 };

	set_up(false);
	assert_ok(auth_set_password(t.auth, S("mjl"), S("123456789012345678901234567890123456789012345678901234567890123456789012"), NULL));
	assert_err(check("mjl@mox.example", "password", ""), AUTH_BAD_CREDENTIALS);
	assert_err(check("mjl@mox.example", "", ""), AUTH_BAD_CREDENTIALS);
	assert_err(check("mjl@mox.example", "pass\nword", ""), AUTH_BAD_CREDENTIALS);
	/* bcrypt looks at 72 bytes only. */
	assert_err(check("mjl@mox.example", "123456789012345678901234567890123456789012345678901234567890123456789012x", ""), AUTH_BAD_CREDENTIALS);
	assert_ok(check("mjl@mox.example", "123456789012345678901234567890123456789012345678901234567890123456789012", "mjl"));

	/* Who has the right password learns why not. */
	assert_ok(auth_set_password(t.auth, S("gone"), S("password"), NULL));
	assert_err(check("gone@mox.example", "wrong password", ""), AUTH_BAD_CREDENTIALS);
	assert_err(auth_password(t.auth, test_arena(), S("gone@mox.example"), S("password"), &user, &e), AUTH_LOGIN_DISABLED);
	assert_string_equal(e.text, "we miss you");
	tear_down();
}

/* Hashes of mox (Go): its bcrypt writes $2a$. */
TEST(bcrypt)
{
	static const struct { const char *hash, *password; bool good; } rows[] = {
		{ "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga", "allmine", true },
		{ "$2b$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga", "allmine", true },
		{ "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga", "allminf", false },
		{ "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcg", "allmine", false },
		/* Malformed hashes let nobody in. */
		{ "$1$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcgaa", "allmine", false },
		{ "$2a$99$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga", "allmine", false },
		{ "*0", "allmine", false },
		{ "", "", false },
	};

	set_up(false);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s %s", rows[i].hash, rows[i].password);
		assert_int_equal(auth_bcrypt_check(t.auth, str_of(rows[i].hash), str_of(rows[i].password)), rows[i].good);
	}
	struct str hash = auth_bcrypt_make(test_arena(), S("p\xc3\xa9"));
	assert_true(str_starts(hash, S("$2b$10$")) && hash.n == 60);
	assert_true(auth_bcrypt_check(t.auth, hash, S("p\xc3\xa9")));
	assert_false(str_is(hash, auth_bcrypt_make(test_arena(), S("p\xc3\xa9"))));
	tear_down();
}

TEST(cache)
{
	struct auth_cache c;
	int64_t now = 1000 * TIME_DAY;

	auth_cache_init(&c);
	assert_false(auth_cache_has(&c, now, S("a"), S("hash"), S("password")));
	auth_cache_add(&c, now, S("a"), S("hash"), S("password"));
	assert_true(auth_cache_has(&c, now, S("a"), S("hash"), S("password")));
	assert_false(auth_cache_has(&c, now, S("a"), S("hash"), S("passwore")));
	assert_false(auth_cache_has(&c, now, S("b"), S("hash"), S("password")));
	assert_false(auth_cache_has(&c, now, S("a"), S("other hash"), S("password")));
	assert_false(auth_cache_has(&c, now, S("ah"), S("ash"), S("password")));
	auth_cache_add(&c, now, S("a"), S("hash"), S("password"));
	/* Short ones are never kept. */
	auth_cache_add(&c, now, S("a"), S("hash2"), S("passwor"));
	assert_false(auth_cache_has(&c, now, S("a"), S("hash2"), S("passwor")));
	/* All of it goes after 15 minutes. */
	assert_true(auth_cache_has(&c, now + 15 * TIME_MIN - 1, S("a"), S("hash"), S("password")));
	assert_false(auth_cache_has(&c, now + 15 * TIME_MIN, S("a"), S("hash"), S("password")));
	assert_int_equal(c.map.n, 0);
	auth_cache_done(&c);
}

TEST(verified_passwords_are_cached)
{
	set_up(false);
	assert_ok(auth_set_password(t.auth, S("mjl"), S("password"), NULL));
	assert_ok(check("mjl@mox.example", "password", "mjl"));
	assert_int_equal(t.auth->cache.map.n, 1);
	/* With bcrypt out of order only the cache can answer. */
	t.auth->bcrypt_max = 0;
	assert_ok(check("mjl@mox.example", "password", "mjl"));
	t.auth->bcrypt_max = 1;
	assert_err(check("mjl@mox.example", "passwore", ""), AUTH_BAD_CREDENTIALS);
	assert_ok(auth_set_password(t.auth, S("mjl"), S("another password"), NULL));
	assert_err(check("mjl@mox.example", "password", ""), AUTH_BAD_CREDENTIALS);
	assert_ok(check("mjl@mox.example", "another password", "mjl"));
	tear_down();
}

static struct scram_keys
keys(const char *address, enum scram_hash h)
{
	struct scram_keys k;

	assert_ok(auth_scram_keys(t.auth, test_arena(), str_of(address), h, &k, NULL));
	return k;
}

/* Nobody learns from salts who exists: those of unknown names are theirs for good, other than any other name's. */
TEST(scram_keys_tell_nothing)
{
	set_up(false);
	assert_ok(auth_set_password(t.auth, S("mjl"), S("password"), NULL));
	for (enum scram_hash h = SCRAM_SHA1; h <= SCRAM_SHA256; h++) {
		struct scram_keys real = keys("mjl@mox.example", h), want;
		want = real;
		scram_derive(h, S("password"), &want);
		assert_memory_equal(want.stored_key, real.stored_key, scram_hash_len(h));
		assert_memory_equal(want.server_key, real.server_key, scram_hash_len(h));

		struct scram_keys a = keys("a@elsewhere.example", h), b = keys("b@elsewhere.example", h);
		assert_int_equal(a.iterations, real.iterations);
		assert_int_equal(a.salt.n, real.salt.n);
		assert_false(str_is(a.salt, b.salt));
		auth_close(&t.auth);
		open_auth();
		struct scram_keys again = keys("a@elsewhere.example", h);
		assert_str(again.salt, a.salt);
		assert_memory_not_equal(again.stored_key, a.stored_key, scram_hash_len(h));
	}
	assert_false(str_is(keys("a@elsewhere.example", SCRAM_SHA1).salt, keys("a@elsewhere.example", SCRAM_SHA256).salt));
	tear_down();
}

TEST(crammd5_where_configured)
{
	cleanup_(auth_user_done) struct auth_user user = { 0 };
	struct sasl_crammd5 states;
	char hex[32];

	sasl_crammd5_derive(S("password"), &states);
	sasl_crammd5_digest(&states, S("<1.2@h>"), hex);
	struct str digest = str_n(hex, 32);

	set_up(false);
	assert_false(auth_crammd5_enabled(t.auth));
	assert_ok(auth_set_password(t.auth, S("mjl"), S("password"), NULL));
	assert_err(auth_crammd5(t.auth, test_arena(), S("mjl@mox.example"), S("<1.2@h>"), digest, &user, NULL), AUTH_NO_SECRET);
	tear_down();

	set_up(true);
	assert_true(auth_crammd5_enabled(t.auth));
	assert_ok(auth_set_password(t.auth, S("mjl"), S("password"), NULL));
	assert_ok(auth_crammd5(t.auth, test_arena(), S("mjl@mox.example"), S("<1.2@h>"), digest, &user, NULL));
	auth_user_done(&user);
	assert_err(auth_crammd5(t.auth, test_arena(), S("mjl@mox.example"), S("<1.3@h>"), digest, &user, NULL), AUTH_BAD_CREDENTIALS);
	assert_err(auth_crammd5(t.auth, test_arena(), S("mjl@mox.example"), S("<1.2@h>"), S("short"), &user, NULL), AUTH_BAD_CREDENTIALS);
	assert_err(auth_crammd5(t.auth, test_arena(), S("x@mox.example"), S("<1.2@h>"), digest, &user, NULL), AUTH_BAD_CREDENTIALS);
	tear_down();
}

/* 10/30/90 a minute for an address, its /26, its /21; 50 a day. */
TEST(failed_attempts)
{
	struct ip a, b, lo;

	assert_ok(ip_parse(S("10.0.0.1"), &a));
	assert_ok(ip_parse(S("10.0.0.2"), &b));
	assert_ok(ip_parse(S("127.0.0.1"), &lo));
	set_up(false);
	for (int i = 0; i < 10; i++) {
		assert_false(auth_refused(t.auth, &a));
		auth_failed(t.auth, &a);
	}
	assert_true(auth_refused(t.auth, &a));
	assert_true(auth_refuse(t.auth, &a, "imap"));
	assert_false(auth_refused(t.auth, &b));
	auth_succeeded(t.auth, &a);
	assert_false(auth_refused(t.auth, &a));

	for (int minute = 0; minute < 5; minute++) {
		t.now += TIME_MIN;
		for (int i = 0; i < 10; i++)
			auth_failed(t.auth, &a);
	}
	t.now += TIME_MIN;
	assert_true(auth_refused(t.auth, &a));
	t.now += TIME_DAY;
	assert_false(auth_refused(t.auth, &a));

	auth_set_limits(t.auth, true, true);
	for (int i = 0; i < 100; i++)
		auth_failed(t.auth, &lo);
	assert_false(auth_refused(t.auth, &lo));
	auth_set_limits(t.auth, false, false);
	for (int i = 0; i < 100; i++)
		auth_failed(t.auth, &b);
	assert_false(auth_refused(t.auth, &b));
	tear_down();
}

/* Alike ones are one row with a count; old rows go at start and once a day; what a client sent is made fit for the table. */
TEST(attempts)
{
	struct auth_attempt att = { .account = S("mjl"), .address = S("mjl@mox.example"), .remote_ip = S("10.0.0.1"), .protocol = S("imap"), .mechanism = S("plain"),
	    .result = S("badcreds") };
	struct store_attempt *v;
	size_t n;
	char longest[2000];

	memset(longest, 'x', sizeof(longest));
	set_up(false);
	for (int i = 0; i < 300; i++)
		auth_record(t.auth, &att);
	att.account = S("");
	att.address = S("\xff\xfe");
	att.user_agent = str_n(longest, sizeof(longest));
	auth_record(t.auth, &att);
	auth_close(&t.auth);
	open_auth();
	assert_ok(store_attempts_list(auth_db(t.auth), test_arena(), S("mjl"), 0, &v, &n));
	assert_int_equal(n, 1);
	assert_int_equal(v[0].count, 300);
	assert_ok(store_attempts_list(auth_db(t.auth), test_arena(), S("-"), 0, &v, &n));
	assert_int_equal(n, 1);
	assert_int_equal(v[0].user_agent.n, LIMIT_LOGIN_FIELD);
	auth_close(&t.auth);
	t.now += 31 * TIME_DAY;
	open_auth();
	assert_ok(store_attempts_list(auth_db(t.auth), test_arena(), S(""), 0, &v, &n));
	assert_int_equal(n, 0);
	tear_down();
}

TEST(tls_text)
{
	struct tls_info info = { .version_name = S("TLS1.3"), .cipher_name = S("TLS_AES_128_GCM_SHA256"), .sni = S("mx.example"), .resumed = true, .alpn = S("imap") };

	assert_strz(auth_tls_text(test_arena(), NULL), "");
	assert_strz(auth_tls_text(test_arena(), &info), "version=TLS1.3 ciphersuite=TLS_AES_128_GCM_SHA256 sni=mx.example resumed=true alpn=imap");
}

TEST(client_keys)
{
	struct store_tls_key key = { .fingerprint = S("f1"), .created_us = 1, .type = S("ed25519"), .name = S("laptop"), .cert_der = S("x"), .account = S("mjl"),
	    .address = S("mjl@mox.example") }, found;
	cleanup_(auth_user_done) struct auth_user user = { 0 };

	set_up(false);
	assert_int_equal(auth_key_find(t.auth, test_arena(), S("f1"), &found), 0);
	assert_false(auth_key_verify(t.auth, S("f1")));
	assert_ok(store_tls_key_add(auth_db(t.auth), &key));
	assert_int_equal(auth_key_find(t.auth, test_arena(), S("f1"), &found), 0);      /* the snapshot is older */
	assert_ok(auth_keys_changed(t.auth));
	assert_int_equal(auth_key_find(t.auth, test_arena(), S("f1"), &found), 1);
	assert_strz(found.address, "mjl@mox.example");
	assert_true(auth_key_verify(t.auth, S("f1")));
	assert_ok(auth_key_user(t.auth, test_arena(), S("f1"), &user, &found, NULL));
	assert_strz(user.account, "mjl");
	auth_user_done(&user);

	/* Address of another account now; login disabled, with and without preauth. */
	key = (struct store_tls_key){ .fingerprint = S("f2"), .created_us = 1, .type = S("ed25519"), .name = S("a"), .cert_der = S("x"), .account = S("fresh"),
	    .address = S("mjl@mox.example") };
	assert_ok(store_tls_key_add(auth_db(t.auth), &key));
	key.fingerprint = S("f3");
	key.account = S("gone");
	key.address = S("gone@mox.example");
	assert_ok(store_tls_key_add(auth_db(t.auth), &key));
	key.fingerprint = S("f4");
	key.no_imap_preauth = true;
	assert_ok(store_tls_key_add(auth_db(t.auth), &key));
	assert_ok(auth_keys_changed(t.auth));
	assert_false(auth_key_verify(t.auth, S("f2")));
	assert_err(auth_key_user(t.auth, test_arena(), S("f2"), &user, &found, NULL), AUTH_BAD_CREDENTIALS);
	assert_false(auth_key_verify(t.auth, S("f3")));
	assert_err(auth_key_user(t.auth, test_arena(), S("f3"), &user, &found, NULL), AUTH_LOGIN_DISABLED);
	assert_true(auth_key_verify(t.auth, S("f4")));
	assert_err(auth_key_user(t.auth, test_arena(), S("f4"), &user, &found, NULL), AUTH_LOGIN_DISABLED);
	tear_down();
}

static void *
log_in_often(void *arg unused_)
{
	for (int i = 0; i < 20; i++) {
		struct arena a = { 0 };
		struct auth_user user = { 0 };
		struct ip ip = { .family = 4, .a = { 10, 0, 0, 1 } };

		bug_if(auth_password(t.auth, &a, S("mjl@mox.example"), i % 7 ? S("password") : S("wrong"), &user, NULL) != (i % 7 ? 0 : AUTH_BAD_CREDENTIALS));
		auth_user_done(&user);
		auth_record(t.auth, &(struct auth_attempt){ .account = S("mjl"), .protocol = S("imap"), .mechanism = S("plain"), .result = S("ok") });
		auth_failed(t.auth, &ip);
		ignore_result(auth_key_verify(t.auth, S("f1")));
		bug_if(auth_keys_changed(t.auth) < 0);
		arena_done(&a);
	}
	return NULL;
}

TEST(threads)
{
	pthread_t threads[4];

	set_up(false);
	assert_ok(auth_set_password(t.auth, S("mjl"), S("password"), NULL));
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_in_often, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	tear_down();
}
