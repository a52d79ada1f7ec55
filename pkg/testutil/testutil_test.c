/* SPDX-License-Identifier: MIT */
#include "testutil/testutil.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "log/log.h"

TEST(arena_and_exact)
{
	char *p = arena_alloc(test_arena(), 100);
	struct str s = test_exact(S("abc"));

	assert_non_null(p);
	assert_str(s, S("abc"));
	assert_strz(s, "abc");
	assert_int_equal(test_exact(S("")).n, 0);
}

TEST(dir_is_fresh_and_stays_the_same)
{
	const char *dir = test_dir();
	struct str path = str_fmt(test_arena(), "%s/file", dir);

	assert_ok(fd_write_file(path.p, S("x"), 0600, NULL));
	assert_str(test_read(path.p), S("x"));
	assert_string_equal(dir, test_dir());
}

TEST(log_lines_are_collected)
{
	struct log l = { .pkg = "test" };

	expect_log("something odd");
	log_warn(&l, "something odd happened");
	log_info(&l, "nothing special");
	assert_int_equal(test_logged("something odd"), 1);
	assert_int_equal(test_logged("pkg=test"), 2);
}

TEST(clock_stands)
{
	int64_t t = clock_now_us(test_clock());

	assert_int_equal(t, 1700000000 * TIME_SEC);
	test_clock_add(TIME_MIN);
	assert_int_equal(clock_now_us(test_clock()), t + TIME_MIN);
	test_clock_set(5);
	assert_int_equal(clock_now_us(test_clock()), 5);
}

static void
exit_7(void *arg)
{
	fputs(arg, stderr);
	_exit(7);
}

TEST(child_reports_status_and_stderr)
{
	char text[] = "last words";
	struct str err;
	int status = test_child(exit_7, text, &err);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_str(err, S("last words"));
}

static void
find_bug(void *arg unused_)
{
	bug("number %d", 5);
}

TEST(bug_is_seen)
{
	test_bug(find_bug, NULL, "number 5");
}
