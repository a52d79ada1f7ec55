/* SPDX-License-Identifier: MIT */
#include "store/authdb.h"

#include "base/timeutil.h"
#include "testutil/testutil.h"

static struct store_authdb *
open_db(void)
{
	struct store_authdb *db = NULL;
	struct errmsg e = { 0 };
	if (store_authdb_open(test_dir(), &db, &e) < 0)
		fail_msg("%s", e.text);
	return db;
}

TEST(tls_keys)
{
	cleanup_(store_authdb_close) struct store_authdb *db = open_db();
	struct store_tls_key k = { .fingerprint = S("abc"), .created_us = 7, .type = S("ed25519"), .name = S("phone"), .no_imap_preauth = true,
		.cert_der = S("\1\0\2"), .account = S("one"), .address = S("one@example.org") }, got, *v;
	size_t n;
	assert_ok(store_tls_key_add(db, &k));
	assert_err(store_tls_key_add(db, &k), ERR_EXISTS);
	struct store_tls_key other = k;
	other.fingerprint = S("zzz");
	other.account = S("two");
	assert_ok(store_tls_key_add(db, &other));
	assert_int_equal(store_tls_key_get(db, test_arena(), S("abc"), &got), 1);
	assert_str(got.cert_der, k.cert_der);
	assert_true(got.no_imap_preauth && got.created_us == 7);
	assert_int_equal(store_tls_key_get(db, test_arena(), S("none"), &got), 0);
	assert_ok(store_tls_key_list(db, test_arena(), S("two"), &v, &n));
	assert_int_equal(n, 1);
	assert_ok(store_tls_key_list(db, test_arena(), S(""), &v, &n));
	assert_int_equal(n, 2);
	k.name = S("laptop");
	k.no_imap_preauth = false;
	assert_int_equal(store_tls_key_update(db, &k), 1);
	store_authdb_close(&db);
	db = open_db();
	assert_int_equal(store_tls_key_get(db, test_arena(), S("abc"), &got), 1);
	assert_str(got.name, S("laptop"));
	assert_false(got.no_imap_preauth);
	assert_int_equal(store_tls_key_remove(db, S("abc")), 1);
	assert_int_equal(store_tls_key_remove(db, S("abc")), 0);
	assert_int_equal(store_tls_key_update(db, &k), 0);
}

TEST(login_attempts_alike_are_one_row)
{
	cleanup_(store_authdb_close) struct store_authdb *db = open_db();
	struct store_attempt bad = { .account = S("one"), .address = S("a@b"), .remote_ip = S("10.0.0.1"), .protocol = S("imap"), .mechanism = S("plain"),
		.result = S("badcreds") }, good = bad, *v;
	size_t n;
	good.result = S("ok");
	struct store_attempt batch[] = { bad, good, bad };
	assert_ok(store_attempts_write(db, batch, 3, 100));
	assert_ok(store_attempts_write(db, &bad, 1, 200));
	assert_ok(store_attempts_list(db, test_arena(), S("one"), 0, &v, &n));
	assert_int_equal(n, 2);
	assert_true(v[0].last_us == 200 && v[0].first_us == 100 && v[0].count == 3);
	assert_str(v[0].result, S("badcreds"));
	assert_true(v[1].count == 1);
	assert_ok(store_attempts_list(db, test_arena(), S(""), 1, &v, &n));
	assert_int_equal(n, 1);
	assert_ok(store_attempts_list(db, test_arena(), S("two"), 0, &v, &n));
	assert_int_equal(n, 0);
	assert_ok(store_attempts_expire(db, 150));
	assert_ok(store_attempts_list(db, test_arena(), S(""), 0, &v, &n));
	assert_int_equal(n, 1);
}

TEST(failed_attempts_are_limited_per_account)
{
	cleanup_(store_authdb_close) struct store_authdb *db = open_db();
	enum { N = STORE_ATTEMPTS_FAILED_MAX + 10 };
	struct store_attempt *v = ARENA_NEWN(test_arena(), N, struct store_attempt);
	for (int i = 0; i < N; i++)
		v[i] = (struct store_attempt){ .account = S("one"), .address = str_fmt(test_arena(), "%d", i), .result = i == 0 ? S("ok") : S("baduser") };
	for (int i = 0; i < N; i += 1000)
		assert_ok(store_attempts_write(db, v + i, (size_t)MIN(1000, N - i), i + 1));
	size_t n;
	struct store_attempt *got;
	assert_ok(store_attempts_list(db, test_arena(), S("one"), 0, &got, &n));
	assert_int_equal(n, STORE_ATTEMPTS_FAILED_MAX + 1);     /* the good one stays, however old */
	assert_str(got[n - 1].result, S("ok"));
	assert_ok(store_attempts_expire(db, N));
	assert_ok(store_attempts_write(db, v + 1, 5, N));
	assert_ok(store_attempts_list(db, test_arena(), S("one"), 0, &got, &n));
	assert_int_equal(n, 5);
}

TEST(removing_an_account_forgets_its_rows)
{
	cleanup_(store_authdb_close) struct store_authdb *db = open_db();
	struct store_tls_key k = { .fingerprint = S("abc"), .type = S("rsa-2048"), .name = S("n"), .cert_der = S("x"), .account = S("one"), .address = S("a@b") };
	struct store_attempt t = { .account = S("one"), .result = S("baduser") }, *v;
	struct strlist names = { 0 };
	size_t n;
	assert_ok(store_tls_key_add(db, &k));
	assert_ok(store_attempts_write(db, &t, 1, 5));
	assert_ok(store_removal_add(db, S("one")));
	assert_ok(store_removal_add(db, S("one")));
	assert_ok(store_removal_list(db, test_arena(), &names));
	assert_int_equal(names.n, 1);
	assert_ok(store_removal_done(db, S("one")));
	names.n = 0;
	assert_ok(store_removal_list(db, test_arena(), &names));
	assert_int_equal(names.n, 0);
	assert_int_equal(store_tls_key_get(db, test_arena(), S("abc"), &k), 0);
	assert_ok(store_attempts_list(db, test_arena(), S(""), 0, &v, &n));
	assert_int_equal(n, 0);
}
