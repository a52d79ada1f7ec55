/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/fd.h"
#include "db/db.h"
#include "testutil/testutil.h"

static int
fill(struct db_tx *tx, struct errmsg *e unused_)
{
	static struct db_sql q = DB_SQL("INSERT INTO extra (v) VALUES ($1)");
	return db_exec(tx, &q, DB_ARGS(db_int(7)), NULL);
}

static int
refuse(struct db_tx *tx unused_, struct errmsg *e)
{
	return err_set(e, ERR_INVALID, "refused");
}

#define SCHEMA \
	"CREATE TABLE thing (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, data BLOB, size INTEGER NOT NULL CHECK (size >= 0), " \
	"ratio REAL, yes INTEGER NOT NULL DEFAULT 0) STRICT;" \
	"CREATE TABLE part (id INTEGER PRIMARY KEY, thing_id INTEGER NOT NULL REFERENCES thing(id)) STRICT;"

static const struct db_migration migrations[] = {
	{ 1, SCHEMA, NULL },
	{ 2, "CREATE TABLE extra (v INTEGER NOT NULL) STRICT;", fill },
	{ 3, "CREATE TABLE broken (v INTEGER) STRICT;", refuse },
};
static const struct db_kind kind1 = { "test", 0x6d6f7831, migrations, 1, true };
static const struct db_kind kind2 = { "test", 0x6d6f7831, migrations, 2, true };
static const struct db_kind kind3 = { "test", 0x6d6f7831, migrations, 3, true };
static const struct db_kind other = { "other", 0x6d6f7832, migrations, 1, false };

static struct db_sql q_insert = DB_SQL("INSERT INTO thing (name, data, size) VALUES ($1, $2, $3)");
static struct db_sql q_names = DB_SQL("SELECT name FROM thing ORDER BY id");
static struct db_sql q_count = DB_SQL("SELECT count(*) FROM thing");
static struct db_sql q_part = DB_SQL("INSERT INTO part (id, thing_id) VALUES ($1, $2)");
static struct db_sql q_returning = DB_SQL("UPDATE thing SET size = size + $1 WHERE name = $2 RETURNING size");

static const char *
path(const char *name)
{
	return str_fmt(test_arena(), "%s/%s", test_dir(), name).p;
}

static struct db *
open_kind(const char *name, const struct db_kind *k)
{
	struct db *db = NULL;
	struct errmsg e = { 0 };
	if (db_open(path(name), k, DB_READWRITE_CREATE, &db, &e) < 0)
		fail_msg("%s", e.text);
	return db;
}

static int
insert(struct db *db, const char *name, int64_t size)
{
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	TRY(db_begin(db, &tx));
	TRY(db_exec(&tx, &q_insert, DB_ARGS(db_str(str_of(name)), db_blob(str_of("x\0y")), db_int(size)), NULL));
	return db_commit(&tx);
}

static int64_t
count(struct db *db)
{
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	int64_t n = -1;
	assert_ok(db_begin_read(db, &tx));
	assert_int_equal(db_int1(&tx, &q_count, DB_NOARGS, &n), 1);
	return n;
}

TEST(migrations_run_once_and_in_order)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	assert_ok(insert(db, "one", 1));
	db_close(&db);
	db = open_kind("a.db", &kind2);
	db_close(&db);
	db = open_kind("a.db", &kind2);
	static struct db_sql q = DB_SQL("SELECT sum(v) FROM extra");
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	int64_t v;
	assert_ok(db_begin_read(db, &tx));
	assert_int_equal(db_int1(&tx, &q, DB_NOARGS, &v), 1);
	assert_int_equal(v, 7);
}

TEST(schema_that_does_not_fit_is_refused)
{
	struct db *db = open_kind("a.db", &kind2);
	db_close(&db);
	struct errmsg e = { 0 };
	assert_err(db_open(path("a.db"), &other, DB_READWRITE, &db, &e), DB_SCHEMA);
	assert_non_null(strstr(e.text, "not a other database"));
	e = (struct errmsg){ 0 };
	assert_err(db_open(path("a.db"), &kind1, DB_READWRITE, &db, &e), DB_SCHEMA);
	assert_non_null(strstr(e.text, "has version 2, this program knows 1"));
	e = (struct errmsg){ 0 };
	assert_err(db_open(path("a.db"), &kind3, DB_READONLY, &db, &e), DB_SCHEMA);
	/* A failing migration leaves everything as it was. */
	e = (struct errmsg){ 0 };
	assert_err(db_open(path("a.db"), &kind3, DB_READWRITE, &db, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "refused"));
	db = open_kind("a.db", &kind2);
	db_close(&db);
	assert_err(db_open(path("none.db"), &kind1, DB_READWRITE, &db, NULL), ERR_NOTFOUND);
	assert_ok(fd_write_file(path("junk.db"), S("this is no database, whatever it may say, and long enough to show it"), 0600, NULL));
	e = (struct errmsg){ 0 };
	assert_err(db_open(path("junk.db"), &kind1, DB_READWRITE, &db, &e), ERR_CORRUPT);
}

TEST(transactions_roll_back_unless_committed)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	{
		cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
		assert_ok(db_begin(db, &tx));
		assert_ok(db_exec(&tx, &q_insert, DB_ARGS(db_str(S("lost")), db_null(), db_int(1)), NULL));
	}
	assert_int_equal(count(db), 0);
	assert_ok(insert(db, "kept", 1));
	assert_int_equal(count(db), 1);
}

TEST(savepoints_undo_alone)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	assert_ok(db_begin(db, &tx));
	static const char *const names[] = { "a", "b", "a", "c" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_ok(db_savepoint(&tx));
		int err = db_exec(&tx, &q_insert, DB_ARGS(db_str(str_of(names[i])), db_null(), db_int(1)), NULL);
		if (i == 2)
			assert_int_equal(err, DB_UNIQUE);
		if (err == 0 && i != 1)
			assert_ok(db_release(&tx));
		else
			assert_ok(db_rollback_to(&tx));
	}
	assert_ok(db_commit(&tx));
	assert_null(tx.db);
	assert_int_equal(count(db), 2);
}

TEST(error_classes)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	assert_ok(insert(db, "one", 1));
	assert_err(insert(db, "one", 1), DB_UNIQUE);
	assert_non_null(strstr(db_error(db), "UNIQUE"));
	assert_err(insert(db, "two", -1), DB_CONSTRAINT);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	assert_ok(db_begin(db, &tx));
	assert_err(db_exec(&tx, &q_part, DB_ARGS(db_int(1), db_int(99)), NULL), DB_CONSTRAINT);
	static struct db_sql q_bad = DB_SQL("SELECT nonsense FROM thing");
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx, &q_bad, DB_NOARGS);
	assert_err(db_next(&rows), ERR_CORRUPT);
	assert_err(db_next(&rows), ERR_CORRUPT);
	db_tx_rollback(&tx);
	cleanup_(db_close) struct db *ro = NULL;
	assert_ok(db_open(path("a.db"), &kind1, DB_READONLY, &ro, NULL));
	assert_err(insert(ro, "three", 1), ERR_DENIED);
}

TEST(values_round_trip)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	assert_ok(db_begin(db, &tx));
	int64_t changed = 0;
	assert_ok(db_exec(&tx, &q_insert, DB_ARGS(db_str(S("")), db_blob((struct str){ 0 }), db_int(INT64_MAX)), &changed));
	assert_int_equal(changed, 1);
	assert_int_equal(db_last_id(&tx), 1);
	assert_ok(db_exec(&tx, &q_insert, DB_ARGS(db_str(S("n\xc3\xa4me")), db_blob(S("a\0b")), db_int(0)), NULL));
	assert_ok(db_exec(&tx, &q_insert, DB_ARGS(db_str(S("null")), db_null(), db_bool(true)), NULL));
	static struct db_sql q = DB_SQL("SELECT name, data, size FROM thing ORDER BY id");
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx, &q, DB_NOARGS);
	assert_int_equal(db_next(&rows), 1);
	assert_str(db_col_view(&rows, 0), S(""));
	assert_false(db_col_null(&rows, 1));
	assert_true(db_col_int(&rows, 2) == INT64_MAX);
	assert_int_equal(db_next(&rows), 1);
	assert_str(db_col_str(test_arena(), &rows, 0), S("n\xc3\xa4me"));
	assert_str(db_col_view(&rows, 1), S("a\0b"));
	assert_int_equal(db_next(&rows), 1);
	assert_true(db_col_null(&rows, 1));
	assert_str(db_col_view(&rows, 1), S(""));
	assert_int_equal(db_next(&rows), 0);
	assert_int_equal(db_next(&rows), 0);
}

struct row {
	int64_t id;
	struct str name, data;
	bool has_data;
	double ratio;
	bool has_ratio, yes;
};
static const struct typedesc_column columns[] = {
	{ "id", TYPEDESC_I64, offsetof(struct row, id), 0 },
	{ "name", TYPEDESC_STRING, offsetof(struct row, name), 0 },
	{ "data", TYPEDESC_BYTES, offsetof(struct row, data), offsetof(struct row, has_data) },
	{ "ratio", TYPEDESC_F64, offsetof(struct row, ratio), offsetof(struct row, has_ratio) },
	{ "yes", TYPEDESC_BOOL, offsetof(struct row, yes), 0 },
};
static const struct typedesc_row row_desc = { "row", sizeof(struct row), columns, ARRAY_LEN(columns) };

TEST(rows_map_by_descriptor)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	static struct db_sql q_in = DB_SQL("INSERT INTO thing (name, data, size, ratio, yes) VALUES ($1, $2, 0, 0.5, $3)");
	static struct db_sql q_one = DB_SQL("SELECT id, name, data, ratio, yes FROM thing WHERE name = $1");
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	assert_ok(db_begin(db, &tx));
	assert_ok(db_exec(&tx, &q_in, DB_ARGS(db_str(S("full")), db_blob(S("d")), db_bool(true)), NULL));
	assert_ok(db_exec(&tx, &q_insert, DB_ARGS(db_str(S("bare")), db_null(), db_int(0)), NULL));
	struct row r;
	{
		cleanup_(db_rows_done) struct db_rows rows = db_query(&tx, &q_one, DB_ARGS(db_str(S("full"))));
		assert_int_equal(db_one(&rows, test_arena(), &row_desc, &r), 1);
	}
	assert_int_equal(r.id, 1);
	assert_str(r.name, S("full"));
	assert_true(r.has_data && r.has_ratio && r.yes && r.ratio == 0.5);
	assert_str(r.data, S("d"));
	{
		cleanup_(db_rows_done) struct db_rows rows = db_query(&tx, &q_one, DB_ARGS(db_str(S("bare"))));
		assert_int_equal(db_one(&rows, test_arena(), &row_desc, &r), 1);
	}
	assert_false(r.has_data || r.has_ratio || r.yes);
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx, &q_one, DB_ARGS(db_str(S("none"))));
	assert_int_equal(db_one(&rows, test_arena(), &row_desc, &r), 0);
}

TEST(a_statement_can_be_walked_twice_at_once)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	assert_ok(insert(db, "a", 1));
	assert_ok(insert(db, "b", 1));
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	assert_ok(db_begin_read(db, &tx));
	cleanup_(db_rows_done) struct db_rows outer = db_query(&tx, &q_names, DB_NOARGS);
	int pairs = 0;
	while (db_next(&outer) == 1) {
		cleanup_(db_rows_done) struct db_rows inner = db_query(&tx, &q_names, DB_NOARGS);
		while (db_next(&inner) == 1)
			pairs++;
	}
	assert_int_equal(pairs, 4);
}

TEST(returning_is_complete_when_read)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	assert_ok(insert(db, "a", 5));
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	assert_ok(db_begin(db, &tx));
	int64_t v = 0;
	assert_int_equal(db_int1(&tx, &q_returning, DB_ARGS(db_int(2), db_str(S("a"))), &v), 1);
	assert_int_equal(v, 7);
	assert_int_equal(db_int1(&tx, &q_returning, DB_ARGS(db_int(2), db_str(S("zz"))), &v), 0);
	assert_ok(db_commit(&tx));
}

TEST(readers_keep_the_snapshot_of_their_begin)
{
	cleanup_(db_close) struct db *w = open_kind("a.db", &kind1);
	cleanup_(db_close) struct db *r = NULL;
	assert_ok(db_open(path("a.db"), &kind1, DB_READONLY, &r, NULL));
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	assert_ok(db_begin_read(r, &tx));
	assert_ok(insert(w, "later", 1));
	int64_t n;
	assert_int_equal(db_int1(&tx, &q_count, DB_NOARGS, &n), 1);
	assert_int_equal(n, 0);
	db_tx_rollback(&tx);
	assert_int_equal(count(r), 1);
	assert_true(db_wal_pages(w) > 0);
	assert_ok(db_checkpoint(w));
	assert_int_equal(db_wal_pages(w), 0);
	db_shrink(w);
	assert_int_equal(count(w), 1);
}

TEST(long_work_stops_when_told)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	static struct db_sql q_long = DB_SQL(
	    "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000000) SELECT count(*) FROM c");
	atomic_bool stop = true;
	struct ctx ctx = { .stop = &stop };
	db_set_ctx(db, &ctx);
	int64_t n;
	{
		cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
		assert_ok(db_begin_read(db, &tx));
		assert_err(db_int1(&tx, &q_long, DB_NOARGS, &n), ERR_CANCELED);
	}
	atomic_store(&stop, false);
	ctx.deadline_us = 1;
	{
		cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
		assert_ok(db_begin_read(db, &tx));
		assert_err(db_int1(&tx, &q_long, DB_NOARGS, &n), ERR_TIMEOUT);
	}
	db_set_ctx(db, NULL);
	assert_int_equal(count(db), 0);
}

TEST(backup_is_a_database_of_one_moment)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	assert_ok(insert(db, "one", 1));
	struct errmsg e = { 0 };
	assert_ok(db_backup(db, path("copy.db"), NULL, &e));
	assert_ok(insert(db, "two", 1));
	assert_err(db_backup(db, path("copy.db"), NULL, &e), ERR_EXISTS);
	cleanup_(db_close) struct db *copy = open_kind("copy.db", &kind1);
	assert_int_equal(count(copy), 1);
	atomic_bool stop = true;
	struct ctx ctx = { .stop = &stop };
	for (int i = 0; i < 3000; i++)          /* more than one step of the copy */
		assert_ok(insert(db, str_fmt(test_arena(), "name %d %0500d", i, i).p, 1));
	assert_err(db_backup(db, path("copy2.db"), &ctx, &e), ERR_CANCELED);
	assert_int_equal(access(path("copy2.db"), F_OK), -1);
}

TEST(check_finds_damage)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	for (int i = 0; i < 500; i++)
		assert_ok(insert(db, str_fmt(test_arena(), "name %0200d", i).p, 1));
	struct strlist problems = { 0 };
	assert_ok(db_check(db, test_arena(), &problems));
	assert_int_equal(problems.n, 0);
	db_close(&db);
	struct str content = test_read(path("a.db"));
	char *p = (char *)(uintptr_t)content.p;
	/* Two neighbouring keys of an index change places in disorder. */
	ssize_t at = str_search(content, S("name 00"));
	assert_true(at > 0);
	p[at + 100] = '9';
	assert_ok(fd_write_file(path("a.db"), content, 0600, NULL));
	db = open_kind("a.db", &kind1);
	assert_err(db_check(db, test_arena(), &problems), ERR_CORRUPT);
	assert_true(problems.n > 0);
}

TEST(plans_can_be_asked_for)
{
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	struct db_plan *v;
	size_t n, counts = 0;
	count(db);
	assert_ok(db_plans(db, test_arena(), &v, &n));
	for (size_t i = 0; i < n; i++)
		counts += str_is(v[i].sql, str_of(q_count.sql)) && str_search(v[i].steps, S("SCAN thing")) >= 0;
	assert_int_equal(counts, 1);
}

/*
 * A commit whose sync fails has failed, but its pages are in the log: a crash may bring it back. The next commit, or an orderly close, rules that
 * out. (The fault tests below rely on it; here is the mechanism.)
 */
TEST(a_failed_commit_does_not_come_back_after_close)
{
	db_fault_install();
	cleanup_(db_close) struct db *db = open_kind("a.db", &kind1);
	assert_ok(insert(db, "one", 1));
	db_fault_set(DB_FAULT_SYNC, 0, EIO, false);
	assert_err(insert(db, "two", 1), ERR_IO);
	assert_int_equal(count(db), 1);
	db_close(&db);
	db = open_kind("a.db", &kind1);
	assert_int_equal(count(db), 1);
}

/* Whatever operation of SQLite fails: the insert says so, or it is there after reopening; nothing said to be there is lost. */
static void
fault_round(enum db_fault what, int errnum, bool sticky)
{
	for (int after = 0;; after++) {
		const char *name = str_fmt(test_arena(), "f%d-%d-%d-%d.db", what, errnum, sticky, after).p;
		test_row("kind %d errno %d sticky %d after %d", what, errnum, sticky, after);
		struct db *db = NULL;
		db_fault_set(what, after, errnum, sticky);
		int got = db_open(path(name), &kind2, DB_READWRITE_CREATE, &db, NULL), acked = 0;
		for (int i = 0; db && i < 5; i++) {
			int err = insert(db, str_fmt(test_arena(), "%d", i).p, i);
			if (err == 0)
				acked++;
			else
				assert_true(err == (errnum == ENOSPC ? ERR_NOSPACE : ERR_IO));
			if (i == 2 && db_checkpoint(db) < 0)
				got = -1;
		}
		unsigned hits = db_fault_hits();
		db_close(&db);
		db_fault_set(what, -1, 0, false);
		db = open_kind(name, &kind2);
		struct strlist problems = { 0 };
		assert_ok(db_check(db, test_arena(), &problems));
		int64_t n = count(db);
		/* When no sync succeeds ever again, nothing can keep the last failed commit from coming back. */
		assert_true(n == acked || (sticky && what == DB_FAULT_SYNC && n == acked + 1));
		db_close(&db);
		if (hits == 0) {
			assert_int_equal(got, 0);
			assert_int_equal(acked, 5);
			break;
		}
	}
}

TEST(failing_writes_and_syncs_lose_nothing)
{
	db_fault_install();
	for (int sticky = 0; sticky < 2; sticky++) {
		fault_round(DB_FAULT_WRITE, ENOSPC, sticky);
		fault_round(DB_FAULT_WRITE, EIO, sticky);
		fault_round(DB_FAULT_SYNC, EIO, sticky);
		fault_round(DB_FAULT_OPEN, EIO, sticky);
	}
}

static void *
count_many(void *arg)
{
	struct db *db = arg;
	for (int i = 0; i < 50; i++)
		count(db);
	return NULL;
}

TEST(connections_work_in_parallel)
{
	cleanup_(db_close) struct db *w = open_kind("a.db", &kind1);
	cleanup_(db_close) struct db *r1 = NULL;
	cleanup_(db_close) struct db *r2 = NULL;
	assert_ok(db_open(path("a.db"), &kind1, DB_READONLY, &r1, NULL));
	assert_ok(db_open(path("a.db"), &kind1, DB_READONLY, &r2, NULL));
	pthread_t t[2];
	assert_int_equal(pthread_create(&t[0], NULL, count_many, r1), 0);
	assert_int_equal(pthread_create(&t[1], NULL, count_many, r2), 0);
	for (int i = 0; i < 100; i++)
		assert_ok(insert(w, str_fmt(test_arena(), "p%d", i).p, i));
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	assert_int_equal(count(r1), 100);
}
