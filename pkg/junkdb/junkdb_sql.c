/* SPDX-License-Identifier: MIT */
#include "junkdb/junkdb.h"

#include "base/mem.h"
#include "db/db.h"

#define WAL_PAGES 2000                  /* a commit that finds the log longer is followed by a checkpoint */

/* Words are bytes: names of header fields may be anything. */
static const struct db_migration migrations[] = {
	{ 1,
	    "CREATE TABLE word (word BLOB PRIMARY KEY, ham INTEGER NOT NULL, junk INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	    "CREATE TABLE total (id INTEGER PRIMARY KEY CHECK (id = 1), ham INTEGER NOT NULL, junk INTEGER NOT NULL, mark INTEGER NOT NULL) STRICT;"
	    "INSERT INTO total (id, ham, junk, mark) VALUES (1, 0, 0, 0);",
	    NULL },
};
static const struct db_kind kind = {
	.name = "junk filter", .application_id = 0x6d6f784a, .migrations = migrations, .nmigrations = ARRAY_LEN(migrations),
};

static struct db_sql q_total = DB_SQL("SELECT ham, junk, mark FROM total WHERE id = 1");
static struct db_sql q_total_add = DB_SQL("UPDATE total SET ham = ham + $1, junk = junk + $2 WHERE id = 1");
static struct db_sql q_total_sub = DB_SQL(
    "UPDATE total SET ham = CASE WHEN ham > $1 THEN ham - $1 ELSE 0 END, junk = CASE WHEN junk > $2 THEN junk - $2 ELSE 0 END WHERE id = 1");
static struct db_sql q_total_clear = DB_SQL("UPDATE total SET ham = 0, junk = 0 WHERE id = 1");
static struct db_sql q_mark = DB_SQL("UPDATE total SET mark = $1 WHERE id = 1");
static struct db_sql q_get = DB_SQL("SELECT ham, junk FROM word WHERE word = $1");
static struct db_sql q_add = DB_SQL(
    "INSERT INTO word (word, ham, junk) VALUES ($1, $2, $3) ON CONFLICT (word) DO UPDATE SET ham = ham + excluded.ham, junk = junk + excluded.junk");
static struct db_sql q_sub = DB_SQL(
    "UPDATE word SET ham = CASE WHEN ham > $1 THEN ham - $1 ELSE 0 END, junk = CASE WHEN junk > $2 THEN junk - $2 ELSE 0 END WHERE word = $3");
static struct db_sql q_forget = DB_SQL("DELETE FROM word WHERE word = $1 AND ham = 0 AND junk = 0");
static struct db_sql q_clear = DB_SQL("DELETE FROM word");
static struct db_sql q_each = DB_SQL("SELECT word, ham, junk FROM word ORDER BY word");

struct junkdb {
	struct db *db;
	struct db_tx tx;                /* of changes; zeroed when none runs */
};

int
junkdb_open(const char *path, bool write, struct junkdb **r_db, struct errmsg *e)
{
	struct junkdb *j = mem_alloc(sizeof(*j));
	int err = db_open(path, &kind, write ? DB_READWRITE_CREATE : DB_READONLY, &j->db, e);
	if (err < 0) {
		mem_free(&j);
		return err;
	}
	*r_db = j;
	return 0;
}

void
junkdb_close(struct junkdb **pj)
{
	struct junkdb *j = take(*pj);
	if (!j)
		return;
	db_tx_rollback(&j->tx);
	db_close(&j->db);
	mem_free(&j);
}

const char *
junkdb_error(const struct junkdb *j)
{
	return db_error(j->db);
}

/* --- reading --- */

/* reading gives the running transaction, or begins one in *own. */
static int
reading(struct junkdb *j, struct db_tx *own, struct db_tx **r_tx)
{
	*r_tx = &j->tx;
	if (j->tx.db)
		return 0;
	*r_tx = own;
	return db_begin_read(j->db, own);
}

static int
read_total(struct db_tx *tx, struct junk_counts *r_total, int64_t *r_mark)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(tx, &q_total, DB_NOARGS);
	int got = db_next(&rows);
	if (got <= 0)
		return got < 0 ? got : ERR_CORRUPT;
	*r_total = (struct junk_counts){ db_col_int(&rows, 0), db_col_int(&rows, 1) };
	*r_mark = db_col_int(&rows, 2);
	return 0;
}

int
junkdb_status(struct junkdb *j, struct junk_counts *r_total, int64_t *r_mark)
{
	cleanup_(db_tx_rollback) struct db_tx own = { 0 };
	struct db_tx *tx;
	TRY(reading(j, &own, &tx));
	return read_total(tx, r_total, r_mark);
}

static int
look_up(struct db_tx *tx, struct str word, struct junk_counts *r_c)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(tx, &q_get, DB_ARGS(db_blob(word)));
	int got = db_next(&rows);
	if (got == 1)
		*r_c = (struct junk_counts){ db_col_int(&rows, 0), db_col_int(&rows, 1) };
	return got;
}

int
junkdb_classify(struct junkdb *j, struct arena *a, const struct junk_params *p, const struct junk_words *w, struct junk_result *r_r)
{
	cleanup_(db_tx_rollback) struct db_tx own = { 0 };
	struct junk_counts total, *counts = ARENA_NEWN(a, w->n, struct junk_counts);
	struct db_tx *tx;
	int64_t mark;
	TRY(reading(j, &own, &tx));
	TRY(read_total(tx, &total, &mark));
	for (size_t i = 0; i < w->n; i++)
		TRY(look_up(tx, w->v[i], &counts[i]));
	junk_classify(a, p, total, w, counts, r_r);
	return 0;
}

int
junkdb_each(struct junkdb *j, int (*fn)(void *arg, struct str word, struct junk_counts c), void *arg)
{
	cleanup_(db_tx_rollback) struct db_tx own = { 0 };
	struct db_tx *tx;
	TRY(reading(j, &own, &tx));
	cleanup_(db_rows_done) struct db_rows rows = db_query(tx, &q_each, DB_NOARGS);
	int got;
	while ((got = db_next(&rows)) == 1)
		TRY(fn(arg, db_col_view(&rows, 0), (struct junk_counts){ db_col_int(&rows, 1), db_col_int(&rows, 2) }));
	return got;
}

/* --- changing --- */

static int
writing(struct junkdb *j)
{
	return j->tx.db ? 0 : db_begin(j->db, &j->tx);
}

int
junkdb_train(struct junkdb *j, const struct junk_words *w, bool junk)
{
	struct db_value h = db_int(!junk), s = db_int(junk);
	TRY(writing(j));
	TRY(db_exec(&j->tx, &q_total_add, DB_ARGS(h, s), NULL));
	for (size_t i = 0; i < w->n; i++)
		TRY(db_exec(&j->tx, &q_add, DB_ARGS(db_blob(w->v[i]), h, s), NULL));
	return 0;
}

int
junkdb_untrain(struct junkdb *j, const struct junk_words *w, bool junk)
{
	struct db_value h = db_int(!junk), s = db_int(junk);
	TRY(writing(j));
	TRY(db_exec(&j->tx, &q_total_sub, DB_ARGS(h, s), NULL));
	for (size_t i = 0; i < w->n; i++) {
		TRY(db_exec(&j->tx, &q_sub, DB_ARGS(h, s, db_blob(w->v[i])), NULL));
		TRY(db_exec(&j->tx, &q_forget, DB_ARGS(db_blob(w->v[i])), NULL));
	}
	return 0;
}

int
junkdb_clear(struct junkdb *j)
{
	TRY(writing(j));
	TRY(db_exec(&j->tx, &q_clear, DB_NOARGS, NULL));
	return db_exec(&j->tx, &q_total_clear, DB_NOARGS, NULL);
}

int
junkdb_commit(struct junkdb *j, int64_t mark)
{
	TRY(writing(j));
	int err = db_exec(&j->tx, &q_mark, DB_ARGS(db_int(mark)), NULL);
	if (err == 0)
		err = db_commit(&j->tx);
	if (err < 0) {
		db_tx_rollback(&j->tx);
		return err;
	}
	if (db_wal_pages(j->db) > WAL_PAGES)
		ignore_result(db_checkpoint(j->db));    /* tried again at the next commit */
	return 0;
}

void
junkdb_rollback(struct junkdb *j)
{
	db_tx_rollback(&j->tx);
}
