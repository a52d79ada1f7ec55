/* SPDX-License-Identifier: MIT */
/*
 * blob - files that hold messages, behind a small interface (a later driver may be an object store).
 *
 * A blob under construction is kept in memory up to LIMIT_SPOOL_MEMORY and continues in an unnamed file (O_TMPFILE in the tmp directory, or a named one
 * where the file system lacks it). It becomes a message file by linking, never by copying, and nothing is created that is deleted again: on
 * ext4 creating an inode is 20 times dearer where inodes were deleted shortly before.
 *
 * Message files: <dir>/<blob_path(id)>; the scheme is that of ../spec/store.md section 1. Files are immutable once linked.
 */
#ifndef BLOB_BLOB_H
#define BLOB_BLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* blob_path: relative path "<dir>/<id>" of a message id: id >> 13 in base 64, least significant digit first. */
struct str blob_path(struct arena *a, int64_t id);
int64_t blob_path_next(int64_t id);     /* the first id after this one whose file lies in another directory */
/* blob_set_shift changes the number of low bits (13); tests use 1 to exercise directory changes. */
void blob_set_shift(unsigned bits);

struct blob;                            /* one blob under construction; one user at a time */
int blob_new(const char *tmpdir, struct blob **r_blob) must_use_;
int blob_write(struct blob *b, struct str data) must_use_;      /* appends; ERR_NOSPACE, ERR_IO */
int64_t blob_size(const struct blob *b);
/* blob_read copies n bytes at off; ERR_CORRUPT beyond the end. */
int blob_read(const struct blob *b, void *p, size_t n, int64_t off) must_use_;
/* blob_view: the whole content as memory (mapped if it is in a file), valid until blob_free. */
int blob_view(struct blob *b, struct str *r_content) must_use_;
/* blob_hash: SHA-256 of the content. */
int blob_hash(struct blob *b, uint8_t r_out[32]) must_use_;
/* blob_fd: the file that holds the content, or -1 while it is in memory. */
int blob_fd(const struct blob *b);
/*
 * blob_link gives the blob the name path (which must not exist): the first call writes memory content to a file, later ones make hard links (a copy
 * where linking is impossible). sync: the file's data are on disk when it returns; without, see blob_sync_all. The directory is not synced, see
 * blob_sync_dir. After a failure path does not exist (but see ERR_EXISTS), and the blob may be linked again. Once linked it takes no more data.
 */
int blob_link(struct blob *b, const char *path, bool sync, struct errmsg *e) must_use_;
void blob_free(struct blob **b);                                /* linked names stay */

/* An open message file for reading; immutable, safe for concurrent use. */
struct blob_file;
int blob_open(const char *path, struct blob_file **r_file) must_use_;      /* ERR_NOTFOUND, ERR_IO */
int64_t blob_file_size(const struct blob_file *f);
int blob_file_read(const struct blob_file *f, void *p, size_t n, int64_t off) must_use_;
int blob_file_fd(const struct blob_file *f);
void blob_close(struct blob_file **f);

/* blob_hardlink links a message file under a second name, or copies it where linking is impossible. ERR_NOTFOUND, ERR_EXISTS. */
int blob_hardlink(const char *from, const char *to, bool sync_if_copied, struct errmsg *e) must_use_;
int blob_remove(const char *path) must_use_;                    /* absent: ERR_NOTFOUND */
/* blob_mkdir makes dir/sub if needed, and syncs dir in any case: whoever made it may have died before it did. 1 = made. */
int blob_mkdir(const char *dir, const char *sub) must_use_;
int blob_sync_dir(const char *dir) must_use_;

/* blob_restore writes the content to the file path again, whatever is there; the file is made if it is missing. */
int blob_restore(const char *path, struct str content, bool sync) must_use_;
/*
 * blob_sync_all: every file below dir that was linked or restored without sync, by anyone, is on disk when it returns, with its name. One call costs
 * hardly more than the sync of one file. fd is from blob_sync_all_open, which tells whether the file system can do this and report every failed
 * write: a descriptor, or -1. It must have been opened before the files were made, since it learns only of what fails from then on. After a failure nobody knows
 * which files it struck, and the next call succeeds although their data are lost: restore them all.
 */
int blob_sync_all_open(const char *dir);
int blob_sync_all(int fd) must_use_;

#endif
