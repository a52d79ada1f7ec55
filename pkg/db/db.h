/* SPDX-License-Identifier: MIT */
/*
 * db - a small layer over SQLite: open with migrations, transactions that roll back unless committed, statements that are prepared once
 * per connection, typed binding and stepping, mapping of rows by descriptor, online backup.
 *
 * SQL stands in *_sql.c files of layer 4, is the portable subset ($1 parameters, RETURNING, ON CONFLICT; no rowid, no PRAGMA), and is never built by
 * formatting. A connection has one user at a time and no lock of its own (SQLITE_OPEN_NOMUTEX).
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "typedesc/typedesc.h"

/*
 * Errors beside these, of enum err: ERR_IO, ERR_NOSPACE, ERR_CORRUPT (also a statement that does not fit the schema on disk), ERR_BUSY,
 * ERR_DENIED, ERR_LIMIT, ERR_NOTFOUND (db_open without CREATE); ERR_CANCELED and ERR_TIMEOUT from the ctx. Out of memory aborts.
 */
enum db_err {
	DB_UNIQUE = -101,               /* a unique constraint is violated */
	DB_CONSTRAINT = -102,           /* any other constraint */
	DB_SCHEMA = -103,               /* the database is newer than this program, or of another kind */
};

/* A statement: a static object. Each connection prepares it at first use and keeps it until db_shrink. */
struct db_sql {
	const char *sql;
	int _Atomic slot;               /* private: 0 until numbered */
};
#define DB_SQL(text) { .sql = (text) }

/* One step of the schema: brings user_version to `to`, by SQL (several statements) and then fn (either may be NULL). In one transaction each. */
struct db_tx;
struct db_migration {
	int to;
	const char *sql;
	int (*fn)(struct db_tx *tx, struct errmsg *e);
};

struct db_kind {                        /* of a database file */
	const char *name;               /* "account" */
	uint32_t application_id;
	const struct db_migration *migrations;  /* rising */
	size_t nmigrations;
	bool full_sync;                 /* synchronous=FULL for mail; NORMAL otherwise */
};

struct db;                              /* one connection */

enum db_mode { DB_READWRITE_CREATE, DB_READWRITE, DB_READONLY };
/*
 * db_open opens (and with CREATE makes) the file, sets the pragmas, and runs migrations when writable. A file that is not yet a database gets
 * its directory entry synced. A connection that only reads needs one that writes to be open as long as it is. DB_SCHEMA: see there.
 */
int db_open(const char *path, const struct db_kind *kind, enum db_mode mode, struct db **r_db, struct errmsg *e) must_use_;
void db_close(struct db **db);          /* fits cleanup_() */
/* db_error: text of the last failure on this connection. */
const char *db_error(struct db *db);
void db_set_ctx(struct db *db, const struct ctx *ctx);  /* checked in the progress handler; NULL removes */
void db_shrink(struct db *db);          /* gives back cache memory and prepared statements; outside of a transaction */
void db_trim(void);                     /* gives memory of connections that were closed back to the system */
/*
 * The write-ahead log grows until a checkpoint copies it into the database; nothing does that by itself but the last close. db_wal_pages tells how
 * many pages the log had after the last commit of this connection; db_checkpoint copies what no reader needs (ERR_BUSY: another connection is at it).
 */
int db_wal_pages(const struct db *db);
int db_checkpoint(struct db *db) must_use_;

/*
 * A transaction. Zeroed after commit or rollback. cleanup_(db_tx_rollback) is the usual form. A reader's snapshot is that of db_begin_read, not of its
 * first query.
 *
 * After a commit that failed with ERR_IO or ERR_NOSPACE its pages may already stand in the log: until the next commit on this database succeeds (or the
 * database is closed in order), a crash may bring the transaction back. Whoever keeps files beside the database removes none of that transaction before.
 */
struct db_tx {
	struct db *db;
	bool write;
};
int db_begin(struct db *db, struct db_tx *r_tx) must_use_;              /* BEGIN IMMEDIATE */
int db_begin_read(struct db *db, struct db_tx *r_tx) must_use_;
int db_commit(struct db_tx *tx) must_use_;                              /* on failure the transaction is rolled back */
void db_tx_rollback(struct db_tx *tx);                                  /* nothing if already done */
/*
 * Savepoints, for group commit: each delivery of a batch is undone alone. db_release keeps what came since db_savepoint, db_rollback_to undoes it; both
 * end the innermost savepoint. SQLite undoes the whole transaction after some failures (disk full, I/O): then db_rollback_to returns the error too,
 * and so does all that follows.
 */
int db_savepoint(struct db_tx *tx) must_use_;
int db_release(struct db_tx *tx) must_use_;
int db_rollback_to(struct db_tx *tx) must_use_;

/* A bound value. Views must stay valid until the statement is done. */
enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BLOB };
struct db_value {
	enum db_type type;
	int64_t i;
	struct str s;
};
static inline struct db_value db_null(void) { return (struct db_value){ .type = DB_NULL }; }
static inline struct db_value db_int(int64_t v) { return (struct db_value){ .type = DB_INT, .i = v }; }
static inline struct db_value db_bool(bool v) { return db_int(v ? 1 : 0); }
static inline struct db_value db_str(struct str v) { return (struct db_value){ .type = DB_TEXT, .s = v }; }
static inline struct db_value db_blob(struct str v) { return (struct db_value){ .type = DB_BLOB, .s = v }; }
struct db_args {
	const struct db_value *v;
	size_t n;
};
#define DB_ARGS(...) ((struct db_args){ (const struct db_value[]){ __VA_ARGS__ }, sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value) })
#define DB_NOARGS ((struct db_args){ NULL, 0 })

/* db_exec runs a statement without result rows; r_changed (may be NULL) gets the number of rows changed. */
int db_exec(struct db_tx *tx, struct db_sql *q, struct db_args args, int64_t *r_changed) must_use_;
int64_t db_last_id(struct db_tx *tx);                                   /* id of the last insert */

/*
 * Rows of a query. cleanup_(db_rows_done). A failure at the start shows at the first db_next. The same statement may be walked several times at once; the
 * second walk prepares a copy.
 */
struct db_rows {
	void *stmt;
	struct db *db;
	int slot;                       /* of the statement; -1 when stmt is a copy of its own */
	int status;                     /* 0, or the error that ended the walk */
	bool done;
};
struct db_rows db_query(struct db_tx *tx, struct db_sql *q, struct db_args args);
int db_next(struct db_rows *rows) must_use_;                            /* 1 row, 0 end, <0 error */
void db_rows_done(struct db_rows *rows);
int64_t db_col_int(struct db_rows *rows, int col);                      /* NULL reads as 0 */
bool db_col_null(struct db_rows *rows, int col);
struct str db_col_str(struct arena *a, struct db_rows *rows, int col);  /* copied; text or blob */
struct str db_col_view(struct db_rows *rows, int col);                  /* valid until the next step */

/*
 * Mapping: the query's columns are, in order, those of the descriptor (kinds I64, BOOL, F64, STRING, BYTES). db_row fills *r_row from the current row; db_one
 * steps once: 1 found, 0 none.
 */
void db_row(struct db_rows *rows, struct arena *a, const struct typedesc_row *desc, void *r_row);
int db_one(struct db_rows *rows, struct arena *a, const struct typedesc_row *desc, void *r_row) must_use_;
/* db_int1 runs a query for one integer: 1 found, 0 none. */
int db_int1(struct db_tx *tx, struct db_sql *q, struct db_args args, int64_t *r_v) must_use_;

/* db_backup copies a live database to a new file by the backup API, as of one moment. */
int db_backup(struct db *db, const char *path, const struct ctx *ctx, struct errmsg *e) must_use_;
/* db_check runs the integrity check; problems (text lines in the arena) in r_problems, ERR_CORRUPT when there are any. */
int db_check(struct db *db, struct arena *a, struct strlist *r_problems) must_use_;

/*
 * db_plans tells how the connection would run each statement that it has prepared (EXPLAIN QUERY PLAN): pairs of the SQL and the steps, joined by "; ". For
 * tests: after a workload no hot statement may scan or sort.
 */
struct db_plan {
	struct str sql, steps;
};
int db_plans(struct db *db, struct arena *a, struct db_plan **r_v, size_t *r_n) must_use_;

/*
 * Fault injection for tests, through a VFS that db_fault_install puts in front of the system's (before anything is opened). db_fault_set makes the operation
 * that comes after `after` further ones of its kind fail with EIO or ENOSPC, and with `sticky` all behind it too. A failing write tears: half of it is done.
 * after < 0 turns it off. db_fault_hits counts failures injected since db_fault_set. Thread-safe.
 */
enum db_fault { DB_FAULT_WRITE, DB_FAULT_SYNC, DB_FAULT_OPEN };
void db_fault_install(void);
void db_fault_set(enum db_fault what, int after, int errnum, bool sticky);
unsigned db_fault_hits(void);
/* db_fault_nosync leaves out syncs (they are counted, and fail when told): what a killed process leaves is the same, and many more cases can be tried. */
void db_fault_nosync(bool on);

#endif
