/* SPDX-License-Identifier: MIT */
/*
 * testutil - what every test program shares. Linked by tests only.
 *
 * A test file includes this header and defines TEST(name) { ... }; tests register themselves, the program runs all of a package over
 * cmocka ("-l" lists, further arguments are name patterns with * and ?). After each test: a logged warning or error that was not announced
 * with expect_log fails it, and so do descriptors and threads left open. Temporary directories are removed, fd_ops restored. When a test
 * fails, its row (test_row) and what it logged are printed. Assertions work only in the thread that runs the test.
 *
 * Parser tests run three ways from one table: whole, byte by byte through the framer, and truncated at each length. test_exact copies the
 * input to a heap block of exactly its size, so that AddressSanitizer sees an overread of one byte.
 */
#ifndef TESTUTIL_TESTUTIL_H
#define TESTUTIL_TESTUTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/timeutil.h"

#define TEST(name) \
	static void test_##name(void **state); \
	__attribute__((constructor)) static void test_register_##name(void) { testutil_register(#name, __FILE__, test_##name); } \
	static void test_##name(void **state unused_)
void testutil_register(const char *name, const char *file, void (*fn)(void **));

/* One arena per test, emptied after it. */
struct arena *test_arena(void);
/* A fresh directory of this test, removed after it. Absolute path. */
const char *test_dir(void);
/* Path of a file below testdata/ (found from the working directory or $MOX_TESTDATA). */
const char *test_data(const char *rel);
struct str test_read(const char *path);                    /* content of a file in the test's arena; fails the test if unreadable */
struct str test_exact(struct str s);                       /* copy in an exact-size heap block, freed after the test */

/* A clock that stands still, at 2023-11-14T22:13:20Z (1700000000 s) when a test begins, until the test moves it. */
const struct clock *test_clock(void);
void test_clock_set(int64_t us);
void test_clock_add(int64_t us);

/*
 * test_child runs fn in a forked process and returns its wait status; what it wrote to stderr goes to r_stderr (may be NULL). For code that
 * ends the process. test_bug passes if fn ends in a bug() whose message contains the text.
 */
int test_child(void (*fn)(void *arg), void *arg, struct str *r_stderr) must_use_;
#define test_bug(fn, arg, text) testutil_bug((fn), (arg), (text), __FILE__, __LINE__)
void testutil_bug(void (*fn)(void *arg), void *arg, const char *text, const char *file, int line);

/* expect_log announces that a line at warn or error containing the text will be logged in this test; it must come. */
void expect_log(const char *text);
/* test_logged tells how many lines at any level contained the text since the test began. */
size_t test_logged(const char *text);

/*
 * test_work tells what this thread has done so far. It is for tests of what hostile input costs, which must not
 * depend on how busy the machine is. Only the programs test/NAME-work (tools/targets.mk) count; in others all is
 * 0.
 */
struct test_work {
	uint64_t steps;         /* basic blocks entered, and bytes run over by memchr and the like, 16 for one */
	size_t bytes, peak;     /* on the heap now, and at most since the last call */
};
struct test_work test_work(void);

/* Assertions on strings; on failure they print both, escaped. */
#define assert_str(got, want) testutil_assert_str((got), (want), #got, __FILE__, __LINE__)
#define assert_strz(got, want) testutil_assert_str((got), str_of(want), #got, __FILE__, __LINE__)
void testutil_assert_str(struct str got, struct str want, const char *expr, const char *file, int line);
#define assert_ok(expr) testutil_assert_code((expr), 0, #expr, __FILE__, __LINE__)
#define assert_err(expr, code) testutil_assert_code((expr), (code), #expr, __FILE__, __LINE__)
void testutil_assert_code(int got, int want, const char *expr, const char *file, int line);
/* test_row names the table row at hand; it is printed when an assertion fails. */
void test_row(const char *fmt, ...) printf_(1, 2);

#endif
