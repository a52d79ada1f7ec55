/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <unistd.h>

#include "db/db_internal.h"
#include "testutil/testutil.h"

static const struct db_migration migrations[] = { { 1, "CREATE TABLE big (id INTEGER PRIMARY KEY, v BLOB NOT NULL) STRICT;", NULL } };
static const struct db_kind kind = { "test", 0x6d6f7833, migrations, 1, true };

static struct db_sql q_insert = DB_SQL("INSERT INTO big (v) VALUES ($1)");
static struct db_sql q_update = DB_SQL("UPDATE big SET v = $1 WHERE id % 7 = 0");
static struct db_sql q_sum = DB_SQL("SELECT sum(length(v)) FROM big");

enum { ROWS = 100, SIZE = 3000 };

static struct db *
open_db(const char *name, enum db_mode mode)
{
	struct db *db = NULL;
	assert_ok(db_open(str_fmt(test_arena(), "%s/%s", test_dir(), name).p, &kind, mode, &db, NULL));
	assert_ok(db_run(db, "PRAGMA cache_size = 10"));        /* far less than a transaction: pages go to the log before its commit */
	return db;
}

static int64_t
sum(struct db *db)
{
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	int64_t n = -1;
	assert_ok(db_begin_read(db, &tx));
	assert_int_equal(db_int1(&tx, &q_sum, DB_NOARGS, &n), 1);
	return n;
}

/* fill adds ROWS rows; then a savepoint that changes many of them is undone. */
static int
fill(struct db *db)
{
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	char *p = arena_bytes(test_arena(), SIZE);
	memset(p, 'v', SIZE);
	TRY(db_begin(db, &tx));
	for (int i = 0; i < ROWS; i++)
		TRY(db_exec(&tx, &q_insert, DB_ARGS(db_blob(str_n(p, SIZE))), NULL));
	TRY(db_savepoint(&tx));
	TRY(db_exec(&tx, &q_update, DB_ARGS(db_blob(S("short"))), NULL));
	TRY(db_rollback_to(&tx));
	return db_commit(&tx);
}

TEST(transactions_larger_than_the_cache)
{
	cleanup_(db_close) struct db *db = open_db("a.db", DB_READWRITE_CREATE);
	cleanup_(db_close) struct db *reader = open_db("a.db", DB_READONLY);
	assert_int_equal(sum(reader), 0);
	for (int i = 1; i <= 3; i++) {
		assert_ok(fill(db));
		assert_int_equal(sum(db), i * ROWS * SIZE);
		assert_int_equal(sum(reader), i * ROWS * SIZE);
		if (i == 2)
			assert_ok(db_checkpoint(db));
	}
	{       /* what is not committed is seen by nobody, also what already stands in the log */
		cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
		int64_t n;
		assert_ok(db_begin(db, &tx));
		assert_ok(db_exec(&tx, &q_update, DB_ARGS(db_blob(S(""))), NULL));
		assert_int_equal(db_int1(&tx, &q_sum, DB_NOARGS, &n), 1);
		assert_true(n < 3 * ROWS * SIZE);
		assert_int_equal(sum(reader), 3 * ROWS * SIZE);
	}
	assert_int_equal(sum(db), 3 * ROWS * SIZE);
	struct strlist problems = { 0 };
	assert_ok(db_check(db, test_arena(), &problems));
}

/* A write of collected data fails long after the call that brought them. */
TEST(late_failures_undo_the_transaction)
{
	db_fault_install();
	db_fault_nosync(true);
	for (int after = 0;; after++) {
		const char *name = str_fmt(test_arena(), "f%d.db", after).p;
		test_row("after %d", after);
		struct db *db = open_db(name, DB_READWRITE_CREATE);
		assert_ok(fill(db));
		db_fault_set(DB_FAULT_WRITE, after, ENOSPC, false);
		int err = fill(db);
		unsigned hits = db_fault_hits();
		db_fault_set(DB_FAULT_WRITE, -1, 0, false);
		if (hits)
			assert_err(err, ERR_NOSPACE);
		int64_t want = (hits ? 1 : 2) * ROWS * SIZE;
		assert_int_equal(sum(db), want);
		assert_ok(fill(db));
		db_close(&db);
		db = open_db(name, DB_READWRITE_CREATE);
		struct strlist problems = { 0 };
		assert_ok(db_check(db, test_arena(), &problems));
		assert_int_equal(sum(db), want + ROWS * SIZE);
		db_close(&db);
		if (!hits)
			break;
	}
	db_fault_nosync(false);
}
