/* SPDX-License-Identifier: MIT */
/* Online backup, integrity check, query plans. What goes around the statements of the rest. */
#include <unistd.h>

#include "db/db_internal.h"

#define BACKUP_PAGES 256                /* copied between looks at the ctx: 1 MiB */

static int
copy(struct db *db, sqlite3 *to, const struct ctx *ctx)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", db->h, "main");
	if (!b)
		return sqlite3_errcode(to);
	int rc;
	do
		rc = sqlite3_backup_step(b, BACKUP_PAGES);
	while (rc == SQLITE_OK && (!ctx || ctx_check(ctx) == 0));
	int end = sqlite3_backup_finish(b);
	return rc == SQLITE_DONE ? end : rc == SQLITE_OK ? SQLITE_INTERRUPT : rc;
}

int
db_backup(struct db *db, const char *path, const struct ctx *ctx, struct errmsg *e)
{
	if (access(path, F_OK) == 0)
		return err_set(e, ERR_EXISTS, "%s exists", path);
	/* The open transaction holds one snapshot for all steps; otherwise each commit elsewhere would start the copy anew. */
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	int err = db_begin_read(db, &tx);
	if (err < 0)
		return err_set(e, err, "backup: %s", db->error);
	sqlite3 *to = NULL;
	int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = copy(db, to, ctx);
	if (rc != SQLITE_OK) {
		err = db_fail(db, rc);
		if (ctx && ctx_check(ctx) < 0)
			err = ctx_check(ctx);
		ignore_result(err_set(e, err, "backup to %s: %s", path, to && rc != SQLITE_INTERRUPT ? sqlite3_errmsg(to) : sqlite3_errstr(rc)));
	}
	sqlite3_close(to);
	if (err < 0)
		unlink(path);
	return err;
}

static struct db_sql q_integrity = DB_SQL("PRAGMA integrity_check(20)"), q_foreign = DB_SQL("PRAGMA foreign_key_check");

int
db_check(struct db *db, struct arena *a, struct strlist *r_problems)
{
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	TRY(db_begin_read(db, &tx));
	size_t before = r_problems->n;
	{
		cleanup_(db_rows_done) struct db_rows rows = db_query(&tx, &q_integrity, DB_NOARGS);
		int got;
		while ((got = db_next(&rows)) == 1)
			if (!str_is(db_col_view(&rows, 0), S("ok")))
				strlist_add(a, r_problems, db_col_str(a, &rows, 0));
		TRY(got);
	}
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx, &q_foreign, DB_NOARGS);
	int got;
	while ((got = db_next(&rows)) == 1) {
		struct str table = db_col_str(a, &rows, 0);
		struct str parent = db_col_str(a, &rows, 2);
		strlist_add(a, r_problems, str_fmt(a, "row %lld of " STRF " refers to a missing row of " STRF, (long long)db_col_int(&rows, 1),
		    STRA(table), STRA(parent)));
	}
	TRY(got);
	return r_problems->n > before ? ERR_CORRUPT : 0;
}

static int
explain(struct db *db, struct arena *a, const char *sql, struct str *r_steps)
{
	struct str q = str_fmt(a, "EXPLAIN QUERY PLAN %s", sql);
	struct strlist steps = { 0 };
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db->h, q.p, (int)q.n, &stmt, NULL);
	if (rc != SQLITE_OK)
		return db_fail(db, rc);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		strlist_add(a, &steps, str_dup(a, str_of((const char *)sqlite3_column_text(stmt, 3))));
	sqlite3_finalize(stmt);
	*r_steps = strlist_join(a, &steps, S("; "));
	return rc == SQLITE_DONE ? 0 : db_fail(db, rc);
}

int
db_plans(struct db *db, struct arena *a, struct db_plan **r_v, size_t *r_n)
{
	struct db_plan *v = ARENA_NEWN(a, db->nstmts, struct db_plan);
	size_t n = 0;
	for (size_t i = 0; i < db->nstmts; i++) {
		if (!db->stmts[i].stmt)
			continue;
		const char *sql = sqlite3_sql(db->stmts[i].stmt);
		v[n].sql = str_of(arena_strdup(a, sql));
		TRY(explain(db, a, sql, &v[n].steps));
		n++;
	}
	*r_v = v;
	*r_n = n;
	return 0;
}
