/* SPDX-License-Identifier: MIT */
/* db_internal.h - what the files of db share. */
#ifndef DB_DB_INTERNAL_H
#define DB_DB_INTERNAL_H

#include <sqlite3.h>

#include "db/db.h"

struct db_stmt {
	sqlite3_stmt *stmt;
	bool busy;                      /* being walked */
};

struct db {
	sqlite3 *h;
	const struct db_kind *kind;
	const struct ctx *ctx;
	struct db_stmt *stmts;          /* by slot - 1 */
	size_t nstmts;
	bool writable, in_tx;
	int tx_error;                   /* why SQLite undid the transaction at hand; 0 while it stands */
	int wal_pages;
	char error[256];                /* text of the last failure */
};

/* db_configure sets process-wide options of SQLite, once, before anything else is done with it. */
void db_configure(void);
/* walvfs.c: a VFS over the default one, which must be installed anew when that is replaced. For databases with full_sync only. */
#define DB_WAL_VFS "wal"
void db_wal_install(void);
/* db_fail notes the failure rc of SQLite and returns its class. */
int db_fail(struct db *db, int rc) must_use_;
/* db_run executes constant SQL, possibly several statements, without results. */
int db_run(struct db *db, const char *sql) must_use_;

/*
 * heap.c: memory for SQLite. Like malloc and its relatives; NULL when there is none. db_heap_trim gives empty chunks back. _init once before any
 * other, _install before SQLite is initialized.
 */
void db_heap_init(void);
void db_heap_install(void);
void *db_heap_alloc(size_t n);
void *db_heap_realloc(void *p, size_t n);
void db_heap_free(void *p);
size_t db_heap_size(void *p);           /* at least what was asked for */
void db_heap_trim(void);
/* The class that an object of n octets (up to 32 KiB) is in, and its size. */
unsigned db_heap_class(size_t n);
size_t db_heap_class_size(unsigned class);

#endif
