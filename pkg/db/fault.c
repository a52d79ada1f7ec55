/* SPDX-License-Identifier: MIT */
/* A VFS in front of the system's that makes chosen operations fail. Only tests refer to it. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "db/db_internal.h"

struct fault_file {
	sqlite3_file base;              /* must be first */
	sqlite3_file *real;             /* behind this struct */
};

static struct {
	atomic_int left[3];             /* operations of each kind before the failing one; < 0: off */
	atomic_bool sticky[3];
	atomic_int errnum;
	atomic_uint hits;
	atomic_bool nosync;
} fault = { .left = { -1, -1, -1 } };

static sqlite3_vfs *real_vfs;
static sqlite3_io_methods methods;      /* those of the system, with some replaced */

/* strikes tells whether the operation at hand must fail. */
static bool
strikes(enum db_fault what)
{
	int left = atomic_load(&fault.left[what]);
	while (left > 0)
		if (atomic_compare_exchange_weak(&fault.left[what], &left, left - 1))
			return false;
	if (left < 0 || (!atomic_load(&fault.sticky[what]) && !atomic_compare_exchange_strong(&fault.left[what], &left, -1)))
		return false;
	atomic_fetch_add(&fault.hits, 1);
	errno = atomic_load(&fault.errnum);
	return true;
}

static sqlite3_file *
real_of(sqlite3_file *f)
{
	return ((struct fault_file *)f)->real;
}

static int
f_close(sqlite3_file *f)
{
	return real_of(f)->pMethods->xClose(real_of(f));
}

static int
f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 off)
{
	return real_of(f)->pMethods->xRead(real_of(f), p, n, off);
}

static int
f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	if (strikes(DB_FAULT_WRITE)) {
		bool full = errno == ENOSPC;
		ignore_result(real_of(f)->pMethods->xWrite(real_of(f), p, n / 2, off));
		return full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	}
	return real_of(f)->pMethods->xWrite(real_of(f), p, n, off);
}

static int
f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int
f_sync(sqlite3_file *f, int flags)
{
	if (strikes(DB_FAULT_SYNC))
		return errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_FSYNC;
	if (atomic_load(&fault.nosync))
		return SQLITE_OK;
	return real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int
f_size(sqlite3_file *f, sqlite3_int64 *r_size)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), r_size);
}

static int
f_lock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int
f_unlock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int
f_reserved(sqlite3_file *f, int *r_reserved)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), r_reserved);
}

static int
f_control(sqlite3_file *f, int op, void *arg)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int
f_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int
f_device(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int
f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **r_p)
{
	return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, r_p);
}

static int
f_shm_lock(sqlite3_file *f, int off, int n, int flags)
{
	return real_of(f)->pMethods->xShmLock(real_of(f), off, n, flags);
}

static void
f_shm_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int
f_shm_unmap(sqlite3_file *f, int del)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), del);
}

static int
v_open(sqlite3_vfs *vfs unused_, sqlite3_filename name, sqlite3_file *f, int flags, int *r_flags)
{
	struct fault_file *ff = (struct fault_file *)f;
	f->pMethods = NULL;
	if ((flags & SQLITE_OPEN_CREATE) && strikes(DB_FAULT_OPEN))
		return SQLITE_CANTOPEN;
	ff->real = (sqlite3_file *)&ff[1];
	int rc = real_vfs->xOpen(real_vfs, name, ff->real, flags, r_flags);
	if (ff->real->pMethods)
		f->pMethods = &methods;
	return rc;
}

static void
install(void)
{
	static sqlite3_vfs vfs;
	db_configure();
	real_vfs = sqlite3_vfs_find(NULL);
	methods = (sqlite3_io_methods){
		.iVersion = 2, .xClose = f_close, .xRead = f_read, .xWrite = f_write, .xTruncate = f_truncate, .xSync = f_sync, .xFileSize = f_size,
		.xLock = f_lock, .xUnlock = f_unlock, .xCheckReservedLock = f_reserved, .xFileControl = f_control, .xSectorSize = f_sector,
		.xDeviceCharacteristics = f_device, .xShmMap = f_shm_map, .xShmLock = f_shm_lock, .xShmBarrier = f_shm_barrier, .xShmUnmap = f_shm_unmap,
	};
	vfs = *real_vfs;
	vfs.pNext = NULL;
	vfs.zName = "fault";
	vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
	vfs.xOpen = v_open;
	sqlite3_vfs_register(&vfs, 1);
	db_wal_install();
}

void
db_fault_install(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, install);
}

void
db_fault_set(enum db_fault what, int after, int errnum, bool sticky)
{
	atomic_store(&fault.left[what], -1);
	atomic_store(&fault.errnum, errnum);
	atomic_store(&fault.sticky[what], sticky);
	atomic_store(&fault.hits, 0);
	atomic_store(&fault.left[what], after);
}

void
db_fault_nosync(bool on)
{
	atomic_store(&fault.nosync, on);
}

unsigned
db_fault_hits(void)
{
	return atomic_load(&fault.hits);
}
