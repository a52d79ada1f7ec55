/* SPDX-License-Identifier: MIT */
#include "blob/blob.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/limits.h"
#include "testutil/testutil.h"

static const char *
path(const char *name)
{
	return str_fmt(test_arena(), "%s/%s", test_dir(), name).p;
}

static struct str
filled(size_t n)
{
	char *p = arena_bytes(test_arena(), n);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)('a' + i % 23);
	return str_n(p, n);
}

static struct blob *
make(struct str content)
{
	struct blob *b;
	assert_ok(blob_new(test_dir(), &b));
	while (content.n) {             /* in uneven pieces */
		struct str piece = str_upto(content, 30011);
		assert_ok(blob_write(b, piece));
		content = str_from(content, piece.n);
	}
	return b;
}

static int
entries(const char *dir)
{
	struct stat st;
	return stat(dir, &st) == 0 ? (int)st.st_nlink : -1;
}

TEST(paths)
{
	static const struct { int64_t id; const char *want; } rows[] = {
		{ 1, "a/1" }, { 8191, "a/8191" }, { 8192, "b/8192" }, { 8192 * 26, "0/212992" }, { 8192 * 36, "A/294912" }, { 8192 * 62, "-/507904" },
		{ 8192 * 63, "_/516096" }, { 8192 * 64, "ab/524288" }, { 8192 * 65, "bb/532480" }, { INT64_C(8192) * 64 * 64, "aab/33554432" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%lld", (long long)rows[i].id);
		assert_strz(blob_path(test_arena(), rows[i].id), rows[i].want);
	}
	assert_true(blob_path_next(1) == 8192 && blob_path_next(8191) == 8192 && blob_path_next(8192) == 16384);
	blob_set_shift(1);
	assert_strz(blob_path(test_arena(), 2), "b/2");
	blob_set_shift(13);
}

TEST(content_small_and_large)
{
	static const size_t sizes[] = { 0, 1, LIMIT_SPOOL_MEMORY - 1, LIMIT_SPOOL_MEMORY, LIMIT_SPOOL_MEMORY + 1, 3 * LIMIT_SPOOL_MEMORY };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		test_row("%zu bytes", sizes[i]);
		struct str want = filled(sizes[i]), got;
		cleanup_(blob_free) struct blob *b = make(want);
		assert_true(blob_size(b) == (int64_t)want.n);
		assert_int_equal(blob_fd(b) >= 0, want.n > LIMIT_SPOOL_MEMORY);
		assert_ok(blob_view(b, &got));
		assert_str(got, want);
		uint8_t h1[32], h2[32];
		assert_ok(blob_hash(b, h1));
		hash_sha256(want, h2);
		assert_memory_equal(h1, h2, 32);
		char c[2] = { 0 };
		if (want.n > 1) {
			assert_ok(blob_read(b, c, 2, (int64_t)want.n - 2));
			assert_memory_equal(c, want.p + want.n - 2, 2);
		}
		assert_err(blob_read(b, c, 2, (int64_t)want.n - 1), ERR_CORRUPT);
		assert_err(blob_read(b, c, 1, -1), ERR_CORRUPT);
		const char *first = str_fmt(test_arena(), "%s/first%zu", test_dir(), i).p, *second = str_fmt(test_arena(), "%s/second%zu", test_dir(), i).p;
		assert_ok(blob_link(b, first, true, NULL));
		assert_ok(blob_link(b, second, true, NULL));
		assert_str(test_read(first), want);
		struct stat s1, s2;
		assert_int_equal(stat(first, &s1), 0);
		assert_int_equal(stat(second, &s2), 0);
		assert_true(s1.st_ino == s2.st_ino && s1.st_nlink == 2);
		assert_int_equal(s1.st_mode & 07117, 0);
		struct errmsg e = { 0 };
		assert_err(blob_link(b, second, true, &e), ERR_EXISTS);
		/* The first name is gone: the content is still here. */
		assert_ok(blob_remove(first));
		assert_ok(blob_link(b, first, true, NULL));
		assert_str(test_read(first), want);
		blob_free(&b);
		assert_str(test_read(second), want);
	}
}

TEST(unlinked_content_leaves_nothing)
{
	int before = entries(test_dir());
	struct blob *b = make(filled(2 * LIMIT_SPOOL_MEMORY));
	blob_free(&b);
	assert_int_equal(entries(test_dir()), before);
	assert_err(rmdir(test_dir()) < 0 ? ERR_IO : 0, 0);
	assert_int_equal(mkdir(test_dir(), 0700), 0);
}

TEST(files)
{
	struct str want = filled(5000);
	cleanup_(blob_free) struct blob *b = make(want);
	assert_ok(blob_link(b, path("f"), false, NULL));
	cleanup_(blob_close) struct blob_file *f = NULL;
	assert_err(blob_open(path("none"), &f), ERR_NOTFOUND);
	assert_ok(blob_open(path("f"), &f));
	assert_true(blob_file_size(f) == 5000);
	char p[10];
	assert_ok(blob_file_read(f, p, 10, 4990));
	assert_memory_equal(p, want.p + 4990, 10);
	assert_err(blob_file_read(f, p, 10, 4991), ERR_CORRUPT);
	assert_true(blob_file_fd(f) >= 0);
	assert_ok(blob_hardlink(path("f"), path("g"), true, NULL));
	assert_err(blob_hardlink(path("f"), path("g"), true, NULL), ERR_EXISTS);
	assert_err(blob_hardlink(path("none"), path("h"), true, NULL), ERR_NOTFOUND);
	assert_ok(blob_remove(path("f")));
	assert_err(blob_remove(path("f")), ERR_NOTFOUND);
	assert_str(test_read(path("g")), want);
	assert_int_equal(blob_mkdir(test_dir(), "sub"), 1);
	assert_int_equal(blob_mkdir(test_dir(), "sub"), 0);
	assert_err(blob_mkdir(path("none"), "sub"), ERR_NOTFOUND);
	assert_ok(blob_sync_dir(test_dir()));
	assert_err(blob_sync_dir(path("none")), ERR_NOTFOUND);
}

/* --- faults --- */

static int fail_errno, fail_after;
static unsigned hits;

static bool
strikes(void)
{
	if (fail_after < 0 || fail_after-- > 0)
		return false;
	hits++;
	errno = fail_errno;
	return true;
}

static ssize_t
bad_pwrite(int fd, const void *p, size_t n, off_t off)
{
	if (strikes())
		return -1;
	return pwrite(fd, p, n > 7 ? n / 2 : n, off);   /* and short writes all along */
}

static int
bad_fsync(int fd)
{
	return strikes() ? -1 : fsync(fd);
}

static int
bad_link(const char *from, const char *to)
{
	return strikes() ? -1 : link(from, to);
}

static int
bad_linkat(int fromdir, const char *from, int todir, const char *to, int flags)
{
	return strikes() ? -1 : linkat(fromdir, from, todir, to, flags);
}

TEST(every_failure_is_told_and_leaves_no_name)
{
	static const struct fd_ops bad = { .pwrite = bad_pwrite, .fsync = bad_fsync, .fdatasync = bad_fsync, .syncfs = bad_fsync, .rename = rename, .link = bad_link, .linkat = bad_linkat };
	static const int errnos[] = { ENOSPC, EIO, EDQUOT };
	static const size_t sizes[] = { 100, 2 * LIMIT_SPOOL_MEMORY };
	int n = 0;
	for (size_t i = 0; i < ARRAY_LEN(errnos); i++)
		for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
			for (int after = 0;; after++) {
				test_row("errno %d size %zu after %d", errnos[i], sizes[s], after);
				const char *name = str_fmt(test_arena(), "%s/n%d", test_dir(), n++).p, *name2 = str_fmt(test_arena(), "%s/n%d", test_dir(), n++).p;
				fail_errno = errnos[i];
				fail_after = after;
				hits = 0;
				fd_ops_set(&bad);
				cleanup_(blob_free) struct blob *b = NULL;
				assert_ok(blob_new(test_dir(), &b));
				struct str want = filled(sizes[s]);
				int err = blob_write(b, want), err2 = 0;
				int want_err = errnos[i] == EIO ? ERR_IO : ERR_NOSPACE;
				if (err == 0) {
					err = blob_link(b, name, true, NULL);
					if (err < 0)
						assert_int_equal(access(name, F_OK), -1);
					else
						err2 = blob_link(b, name2, true, NULL);
					if (err2 < 0)
						assert_int_equal(access(name2, F_OK), -1);
				} else {
					assert_err(blob_link(b, name, true, NULL), want_err);
				}
				if (err < 0)
					assert_int_equal(err, want_err);
				fd_ops_set(NULL);
				if (err == 0)
					assert_str(test_read(name), want);
				if (err == 0 && err2 == 0)
					assert_str(test_read(name2), want);
				if (hits == 0)
					break;
			}
}
