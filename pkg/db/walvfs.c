/* SPDX-License-Identifier: MIT */
/*
 * A VFS in front of the system's that writes the log in few pieces.
 *
 * Implementation notes
 *
 * SQLite writes each frame of the log with two system calls, 24 and 4096 bytes: some 35 calls for a delivery. Here what it writes to the log is collected in
 * memory, as long as it is in sequence, and written when the log is synced; also before anything else looks at the file through the same connection.
 *
 * Other connections read the log by themselves. They read only frames that the log's index in shared memory counts, and a commit counts its frames after its sync:
 * so this holds for synchronous=FULL, and the VFS is used for such databases only. Frames that a transaction writes before its commit, when its
 * cache is full, are counted by nobody else.
 *
 * A write that fails is told by the sync, or whatever made it necessary, instead of the call that brought the data. SQLite undoes the transaction either way.
 */
#include "base/mem.h"
#include "db/db_internal.h"

#define BUFFER (64 * 1024)

struct wal_file {
	sqlite3_file base;              /* must be first */
	sqlite3_file *real;             /* behind this struct */
	char *buf;                      /* of BUFFER bytes, made with the first write; NULL for other files than the log */
	sqlite3_int64 off;              /* where the buffer belongs */
	int n;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;
static sqlite3_io_methods methods;

static struct wal_file *
wal_of(sqlite3_file *f)
{
	return (struct wal_file *)f;
}

static int
flush(struct wal_file *w)
{
	int n = w->n;
	w->n = 0;                       /* a failed write is not tried again: the transaction is undone */
	return n == 0 ? SQLITE_OK : w->real->pMethods->xWrite(w->real, w->buf, n, w->off);
}

static int
w_close(sqlite3_file *f)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w), closed = w->real->pMethods->xClose(w->real);
	mem_free(&w->buf);
	return rc != SQLITE_OK ? rc : closed;
}

static int
w_read(sqlite3_file *f, void *p, int n, sqlite3_int64 off)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w);
	return rc != SQLITE_OK ? rc : w->real->pMethods->xRead(w->real, p, n, off);
}

static int
w_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	struct wal_file *w = wal_of(f);
	if (w->n > 0 && (off != w->off + w->n || w->n + n > BUFFER)) {
		int rc = flush(w);
		if (rc != SQLITE_OK)
			return rc;
	}
	if (n > BUFFER)
		return w->real->pMethods->xWrite(w->real, p, n, off);
	if (!w->buf)
		w->buf = mem_alloc(BUFFER);
	if (w->n == 0)
		w->off = off;
	memcpy(w->buf + w->n, p, (size_t)n);
	w->n += n;
	return SQLITE_OK;
}

static int
w_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w);
	return rc != SQLITE_OK ? rc : w->real->pMethods->xTruncate(w->real, size);
}

static int
w_sync(sqlite3_file *f, int flags)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w);
	return rc != SQLITE_OK ? rc : w->real->pMethods->xSync(w->real, flags);
}

static int
w_size(sqlite3_file *f, sqlite3_int64 *r_size)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w);
	return rc != SQLITE_OK ? rc : w->real->pMethods->xFileSize(w->real, r_size);
}

static int
w_control(sqlite3_file *f, int op, void *arg)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w);
	return rc != SQLITE_OK ? rc : w->real->pMethods->xFileControl(w->real, op, arg);
}

/* The log itself is not locked; SQLite asks these of the database file. */

static int
w_lock(sqlite3_file *f, int level)
{
	return wal_of(f)->real->pMethods->xLock(wal_of(f)->real, level);
}

static int
w_unlock(sqlite3_file *f, int level)
{
	return wal_of(f)->real->pMethods->xUnlock(wal_of(f)->real, level);
}

static int
w_reserved(sqlite3_file *f, int *r_reserved)
{
	return wal_of(f)->real->pMethods->xCheckReservedLock(wal_of(f)->real, r_reserved);
}

static int
w_sector(sqlite3_file *f)
{
	return wal_of(f)->real->pMethods->xSectorSize(wal_of(f)->real);
}

static int
w_device(sqlite3_file *f)
{
	return wal_of(f)->real->pMethods->xDeviceCharacteristics(wal_of(f)->real);
}

/* v_open puts the log behind our methods; all other files are the system's own. */
static int
v_open(sqlite3_vfs *v unused_, sqlite3_filename name, sqlite3_file *f, int flags, int *r_flags)
{
	if (!(flags & SQLITE_OPEN_WAL))
		return real_vfs->xOpen(real_vfs, name, f, flags, r_flags);
	struct wal_file *w = wal_of(f);
	*w = (struct wal_file){ .real = (sqlite3_file *)&w[1] };
	int rc = real_vfs->xOpen(real_vfs, name, w->real, flags, r_flags);
	if (w->real->pMethods)
		f->pMethods = &methods;
	return rc;
}

void
db_wal_install(void)
{
	real_vfs = sqlite3_vfs_find(NULL);      /* also one that tests have put there */
	methods = (sqlite3_io_methods){
		.iVersion = 1, .xClose = w_close, .xRead = w_read, .xWrite = w_write, .xTruncate = w_truncate, .xSync = w_sync, .xFileSize = w_size,
		.xLock = w_lock, .xUnlock = w_unlock, .xCheckReservedLock = w_reserved, .xFileControl = w_control, .xSectorSize = w_sector,
		.xDeviceCharacteristics = w_device,
	};
	vfs = *real_vfs;
	vfs.pNext = NULL;
	vfs.zName = DB_WAL_VFS;
	vfs.szOsFile = (int)sizeof(struct wal_file) + real_vfs->szOsFile;
	vfs.xOpen = v_open;
	sqlite3_vfs_register(&vfs, 0);
}
