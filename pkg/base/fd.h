/* SPDX-License-Identifier: MIT */
/*
 * fd.h - file descriptors that close themselves, whole reads and writes, durable files.
 *
 * write, fsync and rename of files that hold mail go through fd_ops, so that tests can inject ENOSPC and EIO.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* fd_close closes *fd unless it is negative, and sets it to -1. Fits cleanup_(); initialise the variable with -1. */
void fd_close(int *fd);

/* The calls that fault injection replaces. Each behaves as the system call of its name. */
struct fd_ops {
	ssize_t (*pwrite)(int fd, const void *p, size_t n, off_t off);
	int (*fsync)(int fd);
	int (*fdatasync)(int fd);
	int (*syncfs)(int fd);
	int (*rename)(const char *from, const char *to);
	int (*link)(const char *from, const char *to);
	int (*linkat)(int fromdir, const char *from, int todir, const char *to, int flags);
};
/* fd_ops_set replaces the calls (NULL: the system's). For tests; not while other threads write. */
void fd_ops_set(const struct fd_ops *ops);
const struct fd_ops *fd_ops(void);

int fd_write_all(int fd, struct str s) must_use_;                          /* blocking descriptor */
int fd_pwrite_all(int fd, struct str s, off_t off) must_use_;
/* fd_pread_full reads n bytes at off; ERR_CORRUPT when the file ends before. */
int fd_pread_full(int fd, void *p, size_t n, off_t off) must_use_;
/* fd_read_file reads a whole file of at most max bytes (ERR_LIMIT beyond) into the arena. */
int fd_read_file(struct arena *a, const char *path, size_t max, struct str *r_content, struct errmsg *e) must_use_;
/*
 * fd_write_file replaces path atomically: temporary file beside it, fsync, rename, fsync of the directory. If only the last fails, the new
 * content stands, but may not survive a crash.
 */
int fd_write_file(const char *path, struct str content, mode_t mode, struct errmsg *e) must_use_;
int fd_sync_dir(const char *path) must_use_;
int fd_mkdirs(const char *path, mode_t mode, struct errmsg *e) must_use_;  /* with parents; existing ones are fine */
int fd_remove_tree(const char *path, struct errmsg *e) must_use_;          /* does not follow links; absent is fine */
void fd_nonblock(int fd, bool on);
void fd_cloexec(int fd);
int fd_count_open(void);                                                   /* open descriptors of this process; for leak checks */

#endif
