/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes
 *
 * The log (WAL) file is not truncated while the database is open: a commit that overwrites blocks which the file already has needs no metadata of the file system
 * on disk, so its sync is quicker. Nor is it removed at the end (SQLITE_FCNTL_PERSIST_WAL), since on ext4 creating files where others were deleted is dear. An
 * orderly close empties it, so that the next open has nothing to replay: neither what the database has already, nor a transaction whose
 * commit failed when it was written but not synced. SQLite's own automatic checkpoints are off: they would run inside the commit that a client waits for.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "db/db_internal.h"

#define BUSY_TIMEOUT_MS 5000
#define PROGRESS_OPS 2000               /* virtual machine steps between looks at the ctx: a fraction of a millisecond */

static void
configure_once(void)
{
	db_heap_init();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)     /* they see more with theirs */
	db_heap_install();
#endif
	/* Allocation statistics take a global mutex at each allocation; connections have one user each, so none needs its mutex. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	/* Without this each connection takes 85 KiB for twenty cache pages at once, of which many use five. */
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	sqlite3_initialize();
	db_wal_install();
}

void
db_configure(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, configure_once);
}

static int
classify(sqlite3 *h, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
		if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_ROWID)
			return DB_UNIQUE;
		return DB_CONSTRAINT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_FULL:
		return ERR_NOSPACE;
	case SQLITE_IOERR: {
		int en = h ? sqlite3_system_errno(h) : 0;
		return en == ENOSPC || en == EDQUOT ? ERR_NOSPACE : ERR_IO;
	}
	case SQLITE_CANTOPEN: {
		int en = h ? sqlite3_system_errno(h) : 0;
		return en == 0 ? ERR_IO : err_from_errno(en);
	}
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return ERR_DENIED;
	case SQLITE_TOOBIG:
		return ERR_LIMIT;
	case SQLITE_INTERRUPT:
		return ERR_CANCELED;
	case SQLITE_NOMEM:
		bug("out of memory in SQLite");
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		bug("misuse of SQLite: %s", sqlite3_errstr(rc));
	default:                        /* CORRUPT, NOTADB, ERROR and SCHEMA (what is on disk does not fit our statements) */
		return ERR_CORRUPT;
	}
}

int
db_fail(struct db *db, int rc)
{
	int code = classify(db->h, rc);
	if (code == ERR_CANCELED && db->ctx) {
		int why = ctx_check(db->ctx);
		if (why < 0)
			code = why;
	}
	snprintf(db->error, sizeof(db->error), "%s", sqlite3_errmsg(db->h));
	/* FULL, IOERR, NOMEM, BUSY and INTERRUPT may have undone the whole transaction. */
	if (db->in_tx && db->tx_error == 0 && sqlite3_get_autocommit(db->h))
		db->tx_error = code;
	return code;
}

int
db_run(struct db *db, const char *sql)
{
	int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : db_fail(db, rc);
}

const char *
db_error(struct db *db)
{
	return db->error;
}

static int
on_progress(void *arg)
{
	struct db *db = arg;
	return ctx_check(db->ctx) < 0;
}

void
db_set_ctx(struct db *db, const struct ctx *ctx)
{
	db->ctx = ctx;
	sqlite3_progress_handler(db->h, ctx ? PROGRESS_OPS : 0, ctx ? on_progress : NULL, db);
}

static int
on_wal(void *arg, sqlite3 *h unused_, const char *name unused_, int pages)
{
	struct db *db = arg;
	db->wal_pages = pages;
	return SQLITE_OK;
}

/* pragma reads one integer. */
static int
pragma(struct db *db, const char *sql, int64_t *r_v)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(db->h, sql, -1, &st, NULL);
	if (rc != SQLITE_OK)
		return db_fail(db, rc);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*r_v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : db_fail(db, rc == SQLITE_DONE ? SQLITE_ERROR : rc);
}

/* set_pragma sets an integer. The only formatted SQL there is: PRAGMA takes no parameters. */
static int
set_pragma(struct db *db, const char *name, int64_t v)
{
	char sql[80];
	snprintf(sql, sizeof(sql), "PRAGMA %s = %lld", name, (long long)v);
	return db_run(db, sql);
}

static int
migrate_one(struct db *db, const struct db_migration *m, bool first)
{
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	TRY(db_begin(db, &tx));
	if (first)
		TRY(set_pragma(db, "application_id", (int32_t)db->kind->application_id));
	if (m->sql)
		TRY(db_run(db, m->sql));
	if (m->fn) {
		struct errmsg e = { 0 };
		int err = m->fn(&tx, &e);
		if (err < 0) {
			if (e.text[0])
				snprintf(db->error, sizeof(db->error), "%s", e.text);
			return err;
		}
	}
	TRY(set_pragma(db, "user_version", m->to));
	return db_commit(&tx);
}

static int
migrate(struct db *db, bool writable, struct errmsg *e)
{
	const struct db_kind *k = db->kind;
	int last = k->nmigrations ? k->migrations[k->nmigrations - 1].to : 0;
	int64_t app, version, objects;
	int err;
	if ((err = pragma(db, "PRAGMA application_id", &app)) < 0 || (err = pragma(db, "PRAGMA user_version", &version)) < 0 ||
	    (err = pragma(db, "SELECT count(*) FROM sqlite_schema", &objects)) < 0)
		return err_set(e, err, "%s database: %s", k->name, db->error);
	bool fresh = app == 0 && version == 0 && objects == 0;
	if (!fresh && app != (int32_t)k->application_id)
		return err_set(e, DB_SCHEMA, "not a %s database", k->name);
	if (version > last)
		return err_set(e, DB_SCHEMA, "%s database has version %lld, this program knows %d", k->name, (long long)version, last);
	if (version < last && !writable)
		return err_set(e, DB_SCHEMA, "%s database has version %lld and must be upgraded to %d", k->name, (long long)version, last);
	for (size_t i = 0; i < k->nmigrations; i++) {
		if (k->migrations[i].to <= version)
			continue;
		if ((err = migrate_one(db, &k->migrations[i], fresh)) < 0)
			return err_set(e, err, "upgrading %s database to version %d: %s", k->name, k->migrations[i].to, db->error);
		fresh = false;
	}
	return 0;
}

/* sync_parent makes the directory entry of a database file that was just made durable. SQLite does so for the log only. */
static int
sync_parent(const char *path)
{
	char dir[4096];
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return fd_sync_dir(slash ? "/" : ".");
	if ((size_t)(slash - path) >= sizeof(dir))
		return ERR_LIMIT;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	return fd_sync_dir(dir);
}

static int
setup(struct db *db, const char *path, enum db_mode mode, struct errmsg *e)
{
	int err, on = 1;
	sqlite3_extended_result_codes(db->h, 1);
	sqlite3_busy_timeout(db->h, BUSY_TIMEOUT_MS);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_limit(db->h, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_wal_hook(db->h, on_wal, db);    /* replaces the automatic checkpoint */
	sqlite3_file_control(db->h, NULL, SQLITE_FCNTL_PERSIST_WAL, &on);
	if ((err = db_run(db, "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; "
	    /* Debian's SQLite overwrites whole pages when they become free: twice the writing. This still overwrites what is deleted within a page. */
	    "PRAGMA secure_delete = FAST")) < 0 ||
	    (err = db_run(db, db->kind->full_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")) < 0)
		return err_set(e, err, "%s: %s", path, db->error);
	if (mode != DB_READONLY) {
		struct stat st;
		bool empty = stat(path, &st) == 0 && st.st_size == 0;
		if ((err = db_run(db, "PRAGMA journal_mode = WAL")) < 0)
			return err_set(e, err, "%s: %s", path, db->error);
		if (empty && (err = sync_parent(path)) < 0)
			return err_set(e, err, "%s: syncing directory", path);
	}
	return migrate(db, mode != DB_READONLY, e);
}

int
db_open(const char *path, const struct db_kind *kind, enum db_mode mode, struct db **r_db, struct errmsg *e)
{
	db_configure();
	struct stat st;
	if (mode != DB_READWRITE_CREATE && stat(path, &st) < 0)
		return err_errno(e, errno, "%s", path);
	struct db *db = mem_alloc(sizeof(*db));
	db->kind = kind;
	db->writable = mode != DB_READONLY;
	int flags = SQLITE_OPEN_NOMUTEX | (mode == DB_READONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	if (mode == DB_READWRITE_CREATE)
		flags |= SQLITE_OPEN_CREATE;
	int rc = sqlite3_open_v2(path, &db->h, flags, kind->full_sync ? DB_WAL_VFS : NULL);
	int err;
	if (rc != SQLITE_OK) {
		err = classify(db->h, rc);
		ignore_result(err_set(e, err, "%s: %s", path, db->h ? sqlite3_errmsg(db->h) : sqlite3_errstr(rc)));
	} else {
		err = setup(db, path, mode, e);
	}
	if (err < 0) {
		db_close(&db);
		return err;
	}
	*r_db = db;
	return 0;
}

static void
finalize_all(struct db *db)
{
	for (size_t i = 0; i < db->nstmts; i++) {
		bug_if(db->stmts[i].busy);
		sqlite3_finalize(db->stmts[i].stmt);
	}
	mem_free(&db->stmts);
	db->nstmts = 0;
}

void
db_close(struct db **pdb)
{
	struct db *db = take(*pdb);
	if (!db)
		return;
	bug_if(db->in_tx);
	finalize_all(db);
	if (db->writable) {
		/* Not when another connection is at it: the last one does. */
		sqlite3_busy_timeout(db->h, 0);
		sqlite3_wal_checkpoint_v2(db->h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	if (db->h && sqlite3_close(db->h) != SQLITE_OK)
		bug("closing a database with statements: %s", sqlite3_errmsg(db->h));
	mem_free(&db);
}

void
db_shrink(struct db *db)
{
	bug_if(db->in_tx);
	finalize_all(db);
	sqlite3_db_release_memory(db->h);
}

void
db_trim(void)
{
	db_heap_trim();
}

int
db_wal_pages(const struct db *db)
{
	return db->wal_pages;
}

int
db_checkpoint(struct db *db)
{
	int left, done;
	int rc = sqlite3_wal_checkpoint_v2(db->h, NULL, SQLITE_CHECKPOINT_PASSIVE, &left, &done);
	if (rc != SQLITE_OK)
		return db_fail(db, rc);
	if (left == done)
		db->wal_pages = 0;
	return 0;
}

/* --- transactions --- */

static int
begin(struct db *db, bool write, struct db_tx *r_tx)
{
	static struct db_sql q_begin_write = DB_SQL("BEGIN IMMEDIATE"), q_begin_read = DB_SQL("BEGIN"),
	    q_pin = DB_SQL("SELECT 1 FROM sqlite_schema LIMIT 1");
	bug_if(db->in_tx);
	struct db_tx tx = { .db = db, .write = write };
	TRY(db_exec(&tx, write ? &q_begin_write : &q_begin_read, DB_NOARGS, NULL));
	db->in_tx = true;
	db->tx_error = 0;
	if (!write) {                   /* BEGIN alone takes no snapshot */
		int64_t one;
		int err = db_int1(&tx, &q_pin, DB_NOARGS, &one);
		if (err < 0) {
			db_tx_rollback(&tx);
			return err;
		}
	}
	*r_tx = tx;
	return 0;
}

int
db_begin(struct db *db, struct db_tx *r_tx)
{
	return begin(db, true, r_tx);
}

int
db_begin_read(struct db *db, struct db_tx *r_tx)
{
	return begin(db, false, r_tx);
}

static struct db_sql q_commit = DB_SQL("COMMIT"), q_rollback = DB_SQL("ROLLBACK"), q_savepoint = DB_SQL("SAVEPOINT s"),
    q_release = DB_SQL("RELEASE s"), q_rollback_to = DB_SQL("ROLLBACK TO s");

int
db_commit(struct db_tx *tx)
{
	int err = db_exec(tx, &q_commit, DB_NOARGS, NULL);
	if (err < 0) {
		db_tx_rollback(tx);
		return err;
	}
	tx->db->in_tx = false;
	*tx = (struct db_tx){ 0 };
	return 0;
}

void
db_tx_rollback(struct db_tx *tx)
{
	struct db *db = tx->db;
	if (!db)
		return;
	char text[sizeof(db->error)];   /* of the failure that led here */
	memcpy(text, db->error, sizeof(text));
	db->tx_error = 0;
	if (!sqlite3_get_autocommit(db->h))
		ignore_result(db_exec(tx, &q_rollback, DB_NOARGS, NULL));
	bug_if(!sqlite3_get_autocommit(db->h));
	memcpy(db->error, text, sizeof(text));
	db->in_tx = false;
	db->tx_error = 0;
	*tx = (struct db_tx){ 0 };
}

int
db_savepoint(struct db_tx *tx)
{
	return db_exec(tx, &q_savepoint, DB_NOARGS, NULL);
}

int
db_release(struct db_tx *tx)
{
	return db_exec(tx, &q_release, DB_NOARGS, NULL);
}

int
db_rollback_to(struct db_tx *tx)
{
	TRY(db_exec(tx, &q_rollback_to, DB_NOARGS, NULL));
	return db_release(tx);
}
