/* SPDX-License-Identifier: MIT */
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "testutil/testutil.h"

static const char *
path_of(const char *name)
{
	return str_fmt(test_arena(), "%s/%s", test_dir(), name).p;
}

static int
open_new(const char *name)
{
	int fd = open(path_of(name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

TEST(fd_closing)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), none = -1;

	fd_close(&none);
	assert_int_equal(none, -1);
	fd_close(&fd);
	assert_int_equal(fd, -1);
}

TEST(fd_whole_writes_and_reads)
{
	cleanup_(fd_close) int fd = open_new("f"), ro = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char p[10];

	assert_ok(fd_write_all(fd, S("abc")));
	assert_ok(fd_write_all(fd, S("")));
	assert_ok(fd_pwrite_all(fd, S("XYZ"), 2));
	assert_ok(fd_pwrite_all(fd, S(""), 2));
	assert_ok(fd_pread_full(fd, p, 5, 0));
	assert_str(str_n(p, 5), S("abXYZ"));
	assert_ok(fd_pread_full(fd, p, 0, 100));
	assert_err(fd_pread_full(fd, p, 6, 0), ERR_CORRUPT);
	assert_err(fd_pread_full(fd, p, 1, 5), ERR_CORRUPT);
	assert_err(fd_pread_full(-1, p, 1, 0), ERR_IO);
	assert_err(fd_write_all(ro, S("x")), ERR_IO);
	assert_err(fd_pwrite_all(ro, S("x"), 0), ERR_IO);
}

/* A full pipe and a signal every millisecond: write returns short, and fails with EINTR. */
static int drain_fd;

static void
drain_some(int sig unused_)
{
	char p[1000];
	int saved = errno;
	ssize_t n = read(drain_fd, p, sizeof(p));

	errno = n < 0 ? errno : saved;
}

TEST(fd_write_all_goes_on_after_signals)
{
	struct sigaction sa = { .sa_handler = drain_some }, old;
	struct itimerval every_ms = { { 0, 1000 }, { 0, 1000 } }, off = { 0 };
	static char text[100 * 1000];
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);        /* on a slow machine signals outrun the writing */
	drain_fd = fds[0];
	sigaction(SIGALRM, &sa, &old);
	setitimer(ITIMER_REAL, &every_ms, NULL);
	assert_ok(fd_write_all(fds[1], str_n(text, sizeof(text))));
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &old, NULL);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

/* Fault injection: which call fails, and how. */
static struct {
	const char *call;
	int errnum;             /* of the first call; 0: a short write of one byte, -1: returns 0 */
	int calls;
} fault;

static bool
fails(const char *call)
{
	if (fault.call == NULL || strcmp(fault.call, call) != 0 || fault.calls++ > 0)
		return false;
	errno = fault.errnum;
	return true;
}

static ssize_t
faulty_pwrite(int fd, const void *p, size_t n, off_t off)
{
	if (fails("pwrite")) {
		if (fault.errnum > 0)
			return -1;
		n = fault.errnum == 0 ? 1 : 0;
	}
	return pwrite(fd, p, n, off);
}

static int
faulty_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return fails(S_ISDIR(st.st_mode) ? "fsync dir" : "fsync") ? -1 : fsync(fd);
}

static int
faulty_rename(const char *from, const char *to)
{
	return fails("rename") ? -1 : rename(from, to);
}

static const struct fd_ops faulty = { .pwrite = faulty_pwrite, .fsync = faulty_fsync, .rename = faulty_rename };

static size_t
count_files(void)
{
	DIR *d = opendir(test_dir());
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

TEST(fd_write_file_replaces_or_changes_nothing)
{
	static const struct { const char *call; int errnum, code; const char *message; } rows[] = {
		{ NULL, 0, 0, "" },
		{ "pwrite", 0, 0, "" },                 /* short write: goes on */
		{ "pwrite", EINTR, 0, "" },
		{ "pwrite", -1, ERR_IO, "write " },
		{ "pwrite", ENOSPC, ERR_NOSPACE, "write " },
		{ "fsync", EIO, ERR_IO, "fsync " },
		{ "rename", EDQUOT, ERR_NOSPACE, "rename " },
	};
	const char *path = path_of("f");
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct errmsg e = { 0 };

		test_row("%zu", i);
		assert_ok(fd_write_file(path, S("old"), 0600, NULL));
		fault = (typeof(fault)){ rows[i].call, rows[i].errnum, 0 };
		fd_ops_set(&faulty);
		assert_err(fd_write_file(path, S("new content"), 0640, &e), rows[i].code);
		fd_ops_set(NULL);
		assert_true(str_starts(str_of(e.text), str_of(rows[i].message)));
		assert_str(test_read(path), rows[i].code == 0 ? S("new content") : S("old"));
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, rows[i].code == 0 ? 0640 : 0600);
		assert_int_equal(count_files(), 1);
	}
	/* Of the directory's fsync it is not known what is on disk: the new content stands, the caller learns of it. */
	fault = (typeof(fault)){ "fsync dir", EIO, 0 };
	fd_ops_set(&faulty);
	assert_err(fd_write_file(path, S("newer"), 0640, NULL), ERR_IO);
	fd_ops_set(NULL);
	assert_str(test_read(path), S("newer"));
}

TEST(fd_write_file_paths)
{
	cleanup_(fd_close) int cwd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct errmsg e = { 0 };

	assert_err(fd_write_file(path_of("none/f"), S("x"), 0600, &e), ERR_NOTFOUND);
	assert_true(str_search(str_of(e.text), S("none/f")) > 0);
	assert_int_equal(chdir(test_dir()), 0);
	assert_ok(fd_write_file("here", S("x"), 0600, NULL));
	assert_int_equal(fchdir(cwd), 0);
	assert_str(test_read(path_of("here")), S("x"));
	/* In the root directory; works for root only. */
	ignore_result(fd_write_file("/mox-fd-test", S("x"), 0600, NULL));
	unlink("/mox-fd-test");
}

TEST(fd_sync_dir_needs_a_directory)
{
	cleanup_(fd_close) int fd = open_new("f");

	assert_ok(fd_sync_dir(test_dir()));
	assert_err(fd_sync_dir(path_of("f")), ERR_IO);
	assert_err(fd_sync_dir(path_of("none")), ERR_NOTFOUND);
	fault = (typeof(fault)){ "fsync dir", ENOSPC, 0 };
	fd_ops_set(&faulty);
	assert_ptr_equal(fd_ops(), &faulty);
	assert_err(fd_sync_dir(test_dir()), ERR_NOSPACE);
}

TEST(fd_read_file_sizes)
{
	static char text[100 * 1000];
	const char *path = path_of("f");

	memset(text, 'x', sizeof(text));
	for (size_t n = 0; n < sizeof(text); n = n * 3 + 1) {
		struct errmsg e = { 0 };
		struct str s;

		test_row("%zu", n);
		assert_ok(fd_write_file(path, str_n(text, n), 0600, NULL));
		assert_ok(fd_read_file(test_arena(), path, n, &s, NULL));
		assert_str(s, str_n(text, n));
		assert_int_equal(s.p[n], '\0');
		assert_ok(fd_read_file(test_arena(), path, 1 << 20, &s, NULL));
		assert_str(s, str_n(text, n));
		if (n == 0)
			continue;
		assert_err(fd_read_file(test_arena(), path, n - 1, &s, &e), ERR_LIMIT);
		assert_true(str_search(str_of(e.text), S("larger than")) > 0);
	}
}

TEST(fd_read_file_without_size)
{
	struct errmsg e = { 0 };
	struct str s;

	assert_ok(fd_read_file(test_arena(), "/proc/self/status", 1 << 20, &s, NULL));
	assert_true(s.n > 100);
	assert_ok(fd_read_file(test_arena(), "/proc/self/smaps", 10 << 20, &s, NULL));
	assert_true(s.n > 5000);
	assert_err(fd_read_file(test_arena(), "/dev/zero", 100000, &s, NULL), ERR_LIMIT);
	assert_err(fd_read_file(test_arena(), path_of("none"), 100, &s, &e), ERR_NOTFOUND);
	assert_err(fd_read_file(test_arena(), test_dir(), 1000000, &s, NULL), ERR_IO);
}

TEST(fd_mkdirs_makes_parents)
{
	cleanup_(fd_close) int fd = open_new("file");
	struct errmsg e = { 0 };
	struct stat st;

	assert_ok(fd_mkdirs(path_of("a/b/c"), 0700, NULL));
	assert_int_equal(stat(path_of("a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_ok(fd_mkdirs(path_of("a/b/c"), 0700, NULL));
	assert_ok(fd_mkdirs(path_of("a//b/c/"), 0700, NULL));
	assert_ok(fd_mkdirs("/", 0700, NULL));
	assert_err(fd_mkdirs(path_of("file"), 0700, &e), ERR_EXISTS);
	assert_err(fd_mkdirs(path_of("file/x"), 0700, NULL), ERR_EXISTS);
	assert_err(fd_mkdirs("/proc/self/none", 0700, NULL), ERR_NOTFOUND);
	assert_err(fd_mkdirs("", 0700, NULL), ERR_NOTFOUND);
	assert_int_equal(symlink("nowhere", path_of("dangling")), 0);
	assert_err(fd_mkdirs(path_of("dangling"), 0700, NULL), ERR_NOTFOUND);
}

TEST(fd_remove_tree_removes)
{
	cleanup_(fd_close) int outside = open_new("outside"), f1 = -1, f2 = -1;
	struct stat st;

	assert_ok(fd_mkdirs(path_of("t/a/b"), 0700, NULL));
	f1 = open_new("t/f");
	f2 = open_new("t/a/f");
	assert_int_equal(symlink("../outside", path_of("t/link")), 0);
	assert_int_equal(symlink("..", path_of("t/dirlink")), 0);
	assert_int_equal(symlink("nowhere", path_of("t/dangling")), 0);
	assert_int_equal(mkfifo(path_of("t/fifo"), 0600), 0);
	assert_ok(fd_remove_tree(path_of("t"), NULL));
	assert_int_equal(lstat(path_of("t"), &st), -1);
	assert_int_equal(lstat(path_of("outside"), &st), 0);
	assert_ok(fd_remove_tree(path_of("t"), NULL));          /* absent is fine */
	assert_ok(fd_remove_tree(path_of("outside"), NULL));    /* a file as well */
	assert_int_equal(lstat(path_of("outside"), &st), -1);
}

TEST(fd_remove_tree_failures)
{
	cleanup_(fd_close) int cwd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct errmsg e = { 0 }, e2 = { 0 }, e3 = { 0 };
	const char *long_name;
	struct str p = str_of(path_of("d"));

	/* What /proc holds cannot be removed. */
	assert_err(fd_remove_tree("/proc/self/stat", &e), ERR_DENIED);
	assert_true(str_search(str_of(e.text), S("remove")) >= 0);
	assert_true(fd_remove_tree("/proc/self/task", &e3) < 0);
	long_name = str_fmt(test_arena(), "%0300d", 5).p;
	assert_err(fd_remove_tree(long_name, NULL), ERR_IO);
	/* An empty directory that does not go: it has no name in a parent. */
	assert_int_equal(chdir(test_dir()), 0);
	assert_err(fd_remove_tree(".", NULL), ERR_IO);
	assert_int_equal(fchdir(cwd), 0);
	for (int i = 0; i < 101; i++)
		p = str_cat(test_arena(), p, S("/d"));
	assert_ok(fd_mkdirs(p.p, 0700, NULL));
	assert_err(fd_remove_tree(path_of("d"), &e2), ERR_LIMIT);
	assert_string_equal(e2.text, "d: directories nested too deep");
	/* From one level below it is shallow enough. */
	assert_ok(fd_remove_tree(path_of("d/d/d"), NULL));
}

static void
nonblock_of_nothing(void *arg unused_)
{
	fd_nonblock(-1, true);
}

TEST(fd_flags)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	fd_nonblock(fds[0], true);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	fd_nonblock(fds[0], false);
	assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	fd_cloexec(fds[0]);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	test_bug(nonblock_of_nothing, NULL, "fcntl");
}

TEST(fd_counting)
{
	int n = fd_count_open(), fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(fd_count_open(), n + 1);
	fd_close(&fd);
	assert_int_equal(fd_count_open(), n);
}
