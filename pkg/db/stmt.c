/* SPDX-License-Identifier: MIT */
/* Statements: numbered once per process, prepared once per connection; binding, stepping, columns, mapping of rows. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "db/db_internal.h"

/* slot_of numbers a statement at its first use anywhere. Numbers of lost races stay unused. */
static int
slot_of(struct db_sql *q)
{
	static atomic_int last;
	int slot = atomic_load_explicit(&q->slot, memory_order_acquire);
	if (slot != 0)
		return slot;
	int fresh = atomic_fetch_add(&last, 1) + 1;
	return atomic_compare_exchange_strong(&q->slot, &slot, fresh) ? fresh : slot;
}

static int
prepare(struct db *db, struct db_sql *q, unsigned flags, sqlite3_stmt **r_stmt)
{
	const char *tail;
	int rc = sqlite3_prepare_v3(db->h, q->sql, -1, flags, r_stmt, &tail);
	if (rc != SQLITE_OK)
		return db_fail(db, rc);
	bug_if(*r_stmt == NULL || *tail != '\0');
	return 0;
}

/* acquire finds or prepares the statement and marks it busy; *r_slot is -1 when it had to be prepared apart because the cached one is being walked. */
static int
acquire(struct db *db, struct db_sql *q, sqlite3_stmt **r_stmt, int *r_slot)
{
	size_t i = (size_t)slot_of(q) - 1;
	if (i >= db->nstmts) {
		size_t n = i + 16;
		db->stmts = mem_grow(db->stmts, db->nstmts, n, sizeof(*db->stmts));
		db->nstmts = n;
	}
	struct db_stmt *s = &db->stmts[i];
	if (s->busy) {
		*r_slot = -1;
		return prepare(db, q, 0, r_stmt);
	}
	if (!s->stmt)
		TRY(prepare(db, q, SQLITE_PREPARE_PERSISTENT, &s->stmt));
	s->busy = true;
	*r_stmt = s->stmt;
	*r_slot = (int)i;
	return 0;
}

static void
release(struct db *db, sqlite3_stmt *stmt, int slot)
{
	if (slot < 0) {
		sqlite3_finalize(stmt);
		return;
	}
	sqlite3_reset(stmt);
	db->stmts[slot].busy = false;
}

/* A view may be empty with a NULL pointer, which SQLite would take for NULL. */
static const char *
nonnull(struct str s)
{
	return s.n ? s.p : "";
}

static int
bind_all(struct db *db, sqlite3_stmt *stmt, struct db_args args)
{
	if ((size_t)sqlite3_bind_parameter_count(stmt) != args.n)
		bug("%zu arguments for: %s", args.n, sqlite3_sql(stmt));
	for (size_t i = 0; i < args.n; i++) {
		const struct db_value *v = &args.v[i];
		int rc, col = (int)i + 1;
		switch (v->type) {
		case DB_INT:
			rc = sqlite3_bind_int64(stmt, col, v->i);
			break;
		case DB_TEXT:
			rc = sqlite3_bind_text64(stmt, col, nonnull(v->s), v->s.n, SQLITE_STATIC, SQLITE_UTF8);
			break;
		case DB_BLOB:
			rc = sqlite3_bind_blob64(stmt, col, nonnull(v->s), v->s.n, SQLITE_STATIC);
			break;
		default:
			rc = sqlite3_bind_null(stmt, col);
			break;
		}
		if (rc != SQLITE_OK)
			return db_fail(db, rc);
	}
	return 0;
}

int
db_exec(struct db_tx *tx, struct db_sql *q, struct db_args args, int64_t *r_changed)
{
	struct db *db = tx->db;
	if (db->tx_error < 0)
		return db->tx_error;
	sqlite3_stmt *stmt;
	int slot;
	TRY(acquire(db, q, &stmt, &slot));
	int err = bind_all(db, stmt, args);
	if (err == 0) {
		int rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW)
			bug("rows from a statement that should have none: %s", q->sql);
		if (rc != SQLITE_DONE)
			err = db_fail(db, rc);
		else if (r_changed)
			*r_changed = sqlite3_changes64(db->h);
	}
	release(db, stmt, slot);
	return err;
}

int64_t
db_last_id(struct db_tx *tx)
{
	return sqlite3_last_insert_rowid(tx->db->h);
}

struct db_rows
db_query(struct db_tx *tx, struct db_sql *q, struct db_args args)
{
	struct db *db = tx->db;
	struct db_rows rows = { .db = db, .slot = -1, .status = db->tx_error };
	sqlite3_stmt *stmt;
	if (rows.status < 0)
		return rows;
	rows.status = acquire(db, q, &stmt, &rows.slot);
	if (rows.status < 0)
		return rows;
	rows.stmt = stmt;
	rows.status = bind_all(db, stmt, args);
	return rows;
}

int
db_next(struct db_rows *rows)
{
	if (rows->status < 0)
		return rows->status;
	if (rows->done)
		return 0;
	int rc = sqlite3_step(rows->stmt);
	if (rc == SQLITE_ROW)
		return 1;
	rows->done = true;
	if (rc == SQLITE_DONE)
		return 0;
	return rows->status = db_fail(rows->db, rc);
}

void
db_rows_done(struct db_rows *rows)
{
	if (rows->stmt)
		release(rows->db, rows->stmt, rows->slot);
	*rows = (struct db_rows){ .done = true };
}

int64_t
db_col_int(struct db_rows *rows, int col)
{
	return sqlite3_column_int64(rows->stmt, col);
}

bool
db_col_null(struct db_rows *rows, int col)
{
	return sqlite3_column_type(rows->stmt, col) == SQLITE_NULL;
}

struct str
db_col_view(struct db_rows *rows, int col)
{
	/* For texts in UTF-8 the blob is the text without conversion; the length must be asked for after the pointer. */
	const char *p = sqlite3_column_blob(rows->stmt, col);
	return str_n(p, (size_t)sqlite3_column_bytes(rows->stmt, col));
}

struct str
db_col_str(struct arena *a, struct db_rows *rows, int col)
{
	return str_dup(a, db_col_view(rows, col));
}

void
db_row(struct db_rows *rows, struct arena *a, const struct typedesc_row *desc, void *r_row)
{
	bug_if((size_t)sqlite3_column_count(rows->stmt) != desc->ncols);
	memset(r_row, 0, desc->size);
	for (size_t i = 0; i < desc->ncols; i++) {
		const struct typedesc_column *c = &desc->cols[i];
		char *p = (char *)r_row + c->offset;
		int col = (int)i;
		if (c->has) {
			bool has = !db_col_null(rows, col);
			memcpy((char *)r_row + c->has, &has, sizeof(has));
			if (!has)
				continue;
		}
		switch (c->kind) {
		case TYPEDESC_I64: {
			int64_t v = db_col_int(rows, col);
			memcpy(p, &v, sizeof(v));
			break;
		}
		case TYPEDESC_BOOL: {
			bool v = db_col_int(rows, col) != 0;
			memcpy(p, &v, sizeof(v));
			break;
		}
		case TYPEDESC_F64: {
			double v = sqlite3_column_double(rows->stmt, col);
			memcpy(p, &v, sizeof(v));
			break;
		}
		case TYPEDESC_STRING:
		case TYPEDESC_BYTES: {
			struct str v = db_col_str(a, rows, col);
			memcpy(p, &v, sizeof(v));
			break;
		}
		default:
			bug("column %s of row %s has a kind that rows lack", c->name, desc->name);
		}
	}
}

int
db_one(struct db_rows *rows, struct arena *a, const struct typedesc_row *desc, void *r_row)
{
	int got = db_next(rows);
	if (got == 1)
		db_row(rows, a, desc, r_row);
	return got;
}

int
db_int1(struct db_tx *tx, struct db_sql *q, struct db_args args, int64_t *r_v)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(tx, q, args);
	int got = db_next(&rows);
	if (got == 1) {
		*r_v = db_col_int(&rows, 0);
		/* A statement that changes something (RETURNING) is complete only at its end. */
		int more = db_next(&rows);
		if (more != 0)
			return more < 0 ? more : 1;
	}
	return got;
}
