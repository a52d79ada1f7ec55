/* SPDX-License-Identifier: MIT */
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/randutil.h"

static const struct fd_ops system_ops = {
	.pwrite = pwrite, .fsync = fsync, .fdatasync = fdatasync, .syncfs = syncfs, .rename = rename, .link = link, .linkat = linkat,
};
static const struct fd_ops *ops = &system_ops;

void
fd_ops_set(const struct fd_ops *o)
{
	ops = o ? o : &system_ops;
}

const struct fd_ops *
fd_ops(void)
{
	return ops;
}

void
fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);     /* not repeated on EINTR: Linux has closed it then */
	*fd = -1;
}

int
fd_write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_from_errno(errno);
		s = str_from(s, (size_t)n);
	}
	return 0;
}

int
fd_pwrite_all(int fd, struct str s, off_t off)
{
	while (s.n > 0) {
		ssize_t n = ops->pwrite(fd, s.p, s.n, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_from_errno(errno);
		if (n == 0) {           /* no file system does so; would loop for ever */
			errno = EIO;
			return ERR_IO;
		}
		s = str_from(s, (size_t)n);
		off += n;
	}
	return 0;
}

int
fd_pread_full(int fd, void *p, size_t n, off_t off)
{
	char *at = p;

	while (n > 0) {
		ssize_t r = pread(fd, at, n, off);

		if (r < 0 && errno == EINTR)    /* GCOVR_EXCL_BR_LINE: local file systems do not */
			continue;               /* GCOVR_EXCL_LINE */
		if (r < 0)
			return err_from_errno(errno);
		if (r == 0)
			return ERR_CORRUPT;
		at += r;
		n -= (size_t)r;
		off += r;
	}
	return 0;
}

int
fd_read_file(struct arena *a, const char *path, size_t max, struct str *r_content, struct errmsg *e)
{
	cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t n = 0, cap;
	char *p;

	if (fd < 0 || fstat(fd, &st) < 0)       /* GCOVR_EXCL_BR_LINE: fstat of a descriptor just opened */
		return err_errno(e, errno, "%s", path);
	/* The size is a hint only: files of /proc have none, and a file may grow. One byte more shows the end. */
	cap = st.st_size > 0 && (uintmax_t)st.st_size < max ? (size_t)st.st_size + 1 : MIN(max, (size_t)4096) + 1;
	p = arena_bytes(a, cap + 1);
	for (;;) {
		ssize_t r = read(fd, p + n, cap - n);

		if (r < 0 && errno == EINTR)    /* GCOVR_EXCL_BR_LINE: local file systems do not */
			continue;               /* GCOVR_EXCL_LINE */
		if (r < 0)
			return err_errno(e, errno, "%s", path);
		if (r == 0)
			break;
		n += (size_t)r;
		if (n > max)
			return err_set(e, ERR_LIMIT, "%s: larger than %zu bytes", path, max);
		if (n == cap) {
			cap = MIN(max, cap * 2) + 1;
			p = arena_grow(a, p, n, cap + 1, 1);
		}
	}
	p[n] = '\0';
	*r_content = str_n(p, n);
	return 0;
}

/* Writes, syncs and closes the file; the caller removes it on failure. */
static int
write_new(const char *tmp, struct str content, mode_t mode, struct errmsg *e)
{
	cleanup_(fd_close) int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(e, errno, "create %s", tmp);
	if (fchmod(fd, mode) < 0)                               /* GCOVR_EXCL_BR_LINE: it is our own file */
		return err_errno(e, errno, "chmod %s", tmp);    /* GCOVR_EXCL_LINE */
	if (fd_pwrite_all(fd, content, 0) < 0)
		return err_errno(e, errno, "write %s", tmp);
	if (ops->fsync(fd) < 0)
		return err_errno(e, errno, "fsync %s", tmp);
	return 0;
}

int
fd_write_file(const char *path, struct str content, mode_t mode, struct errmsg *e)
{
	struct arena a = { 0 };
	struct str p = str_of(path);
	ssize_t slash = str_rfind(p, '/');
	struct str name = str_fmt(&a, "%s.tmp-%016" PRIx64, path, rand_u64());
	const char *tmp = name.p;
	const char *dir = slash < 0 ? "." : slash == 0 ? "/" : str_z(&a, str_upto(p, (size_t)slash));
	int r = write_new(tmp, content, mode, e);

	if (r == 0 && ops->rename(tmp, path) < 0)
		r = err_errno(e, errno, "rename %s to %s", tmp, path);
	if (r < 0) {
		int saved = errno;

		unlink(tmp);
		errno = saved;
	} else if ((r = fd_sync_dir(dir)) < 0) {
		r = err_errno(e, errno, "fsync %s", dir);
	}
	arena_done(&a);
	return r;
}

int
fd_sync_dir(const char *path)
{
	cleanup_(fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || ops->fsync(fd) < 0)
		return err_from_errno(errno);
	return 0;
}

static int
make_dir(const char *path, mode_t mode, struct errmsg *e)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return err_errno(e, errno, "mkdir %s", path);
	if (stat(path, &st) < 0)
		return err_errno(e, errno, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_EXISTS, "%s exists and is not a directory", path);
	return 0;
}

int
fd_mkdirs(const char *path, mode_t mode, struct errmsg *e)
{
	cleanup_(mem_cleanup) char *p = mem_strdup(path);

	for (char *slash = p; (slash = strchr(slash, '/')) != NULL; slash++) {
		if (slash == p)
			continue;
		*slash = '\0';
		TRY(make_dir(p, mode, e));
		*slash = '/';
	}
	return make_dir(p, mode, e);
}

static int remove_below(int dirfd_, const char *name, unsigned depth, struct errmsg *e);

/* Removes what is in the directory that fd refers to. */
static int
empty_dir(int fd, const char *name, unsigned depth, struct errmsg *e)
{
	DIR *d = fdopendir(fd);
	struct dirent *de;
	int r = 0;

	/* GCOVR_EXCL_START: it is a directory, just opened */
	if (d == NULL) {
		r = err_errno(e, errno, "%s", name);
		close(fd);
		return r;
	}
	/* GCOVR_EXCL_STOP */
	while (r == 0 && (errno = 0, de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			r = remove_below(dirfd(d), de->d_name, depth, e);
	if (r == 0 && errno != 0)                                       /* GCOVR_EXCL_BR_LINE: needs a broken disk */
		r = err_errno(e, errno, "read directory %s", name);     /* GCOVR_EXCL_LINE */
	closedir(d);
	return r;
}

static int
remove_below(int at, const char *name, unsigned depth, struct errmsg *e)
{
	int fd;

	/* A directory that is swapped for a link meanwhile is not followed. */
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT)
			return 0;
		if (errno != ENOTDIR)   /* what a link gives, too */
			return err_errno(e, errno, "%s", name);
		if (unlinkat(at, name, 0) < 0 && errno != ENOENT)       /* GCOVR_EXCL_BR_LINE: ENOENT is a race */
			return err_errno(e, errno, "remove %s", name);
		return 0;
	}
	if (depth == 0) {
		close(fd);
		return err_set(e, ERR_LIMIT, "%s: directories nested too deep", name);
	}
	TRY(empty_dir(fd, name, depth - 1, e));
	if (unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT)    /* GCOVR_EXCL_BR_LINE: as above */
		return err_errno(e, errno, "remove directory %s", name);
	return 0;
}

int
fd_remove_tree(const char *path, struct errmsg *e)
{
	/* Each level holds a descriptor. */
	return remove_below(AT_FDCWD, path, 100, e);
}

static void
set_flag(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);

	if (flags < 0 || fcntl(fd, set, on ? flags | flag : flags & ~flag) < 0) /* GCOVR_EXCL_BR_LINE: the second goes as the first */
		bug("fcntl of descriptor %d: %s", fd, err_strerror(errno));
}

void
fd_nonblock(int fd, bool on)
{
	set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

void
fd_cloexec(int fd)
{
	set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, true);
}

int
fd_count_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (d == NULL)          /* GCOVR_EXCL_BR_LINE: /proc is always there in tests */
		return -1;      /* GCOVR_EXCL_LINE */
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 3;           /* ".", ".." and the directory itself */
}
