/* SPDX-License-Identifier: MIT */
#include "testutil/testutil.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "log/log.h"
#include "testutil/testutil_internal.h"

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
	log_print(&l, "needs no announcement");
	assert_int_equal(test_logged("something odd"), 1);
	assert_int_equal(test_logged("pkg=test"), 3);
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
	assert_int_equal(test_child(exit_7, text, NULL), status);
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

/* What the harness finds: each of these is run as a test of its own in a child process, and must fail. */
static void
wrong_string(void **state unused_)
{
	test_row("row %d", 7);
	log_debug(NULL, "what happened before");
	assert_str(S("got\n"), S("want"));
}

static void
wrong_code(void **state unused_)
{
	assert_ok(ERR_NOTFOUND);
}

static void
unannounced(void **state unused_)
{
	expect_log("something else");
	log_warn(NULL, "something else");
	log_error(NULL, "a surprise");
}

static void
exits_instead(void *arg unused_)
{
	_exit(3);
}

static void
exit_is_no_bug(void **state unused_)
{
	test_bug(exits_instead, NULL, "");
}

static void
killed_instead(void *arg unused_)
{
	raise(SIGKILL);
}

static void
kill_is_no_bug(void **state unused_)
{
	test_bug(killed_instead, NULL, "");
}

static void
not_logged(void **state unused_)
{
	expect_log("this never comes");
	expect_log("but this does");
	log_warn(NULL, "but this does");
	log_info(NULL, "this never comes");     /* below warn does not count */
}

static void
leaks_descriptor(void **state unused_)
{
	assert_true(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

static void *
wait_for_ever(void *arg)
{
	pause();
	return arg;
}

static void
leaks_thread(void **state unused_)
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, wait_for_ever, NULL), 0);
	pthread_detach(t);
}

static void
unreadable_file(void **state unused_)
{
	test_read("/nowhere");
}

static void
no_bug(void *arg unused_)
{
}

static void
bug_expected(void **state unused_)
{
	test_bug(no_bug, NULL, "x");
}

static void
other_bug_expected(void **state unused_)
{
	test_bug(find_bug, NULL, "number 6");
}

static void
abort_quietly(void *arg unused_)
{
	abort();
}

static void
abort_is_no_bug(void **state unused_)
{
	test_bug(abort_quietly, NULL, "");
}

static void
dir_in_the_way(void **state unused_)
{
	/* So deep that removing it is refused. */
	struct str p = str_of(test_dir());

	for (int i = 0; i < 105; i++)
		p = str_cat(test_arena(), p, S("/d"));
	assert_ok(fd_mkdirs(p.p, 0700, NULL));
}

static void
no_room_for_descriptors(void **state unused_)
{
	struct rlimit few = { 0, 0 };

	setrlimit(RLIMIT_NOFILE, &few);
	ignore_result(test_child(no_bug, NULL, NULL));
}

struct harness {
	const char *name;
	void (*fn)(void **);
	const char *message;    /* part of what is printed */
};

static void
run_harness(void *arg)
{
	const struct harness *h = arg;
	struct testutil_test t = { .name = h->name, .file = "x.c", .fn = h->fn };
	struct CMUnitTest ct = {
		.name = h->name, .test_func = testutil_run, .setup_func = testutil_setup, .teardown_func = testutil_teardown,
		.initial_state = &t,
	};

	if (freopen("/dev/null", "w", stdout) == NULL || _cmocka_run_group_tests("harness", &ct, 1, NULL, NULL) != 1)
		fputs("IT DID NOT FAIL", stderr);
}

TEST(harness_finds_failures)
{
	static struct harness rows[] = {
		{ "wrong_string", wrong_string, "S(\"got\\n\") is\n  \"got\\x0a\", not\n  \"want\"" },
		{ "wrong_string", wrong_string, "in test wrong_string of x.c\nat row row 7\n  log: debug: what happened before\n" },
		{ "wrong_code", wrong_code, "ERR_NOTFOUND is -3 (not found), not 0 (ok)" },
		{ "unannounced", unannounced, "logged without expect_log: error: a surprise" },
		{ "not_logged", not_logged, "announced with expect_log but not logged: this never comes" },
		{ "leaks_descriptor", leaks_descriptor, ": /dev/null\n" },
		{ "leaks_descriptor", leaks_descriptor, " descriptors open, " },
		{ "leaks_thread", leaks_thread, "1 threads left" },
		{ "unreadable_file", unreadable_file, "/nowhere: No such file" },
		{ "bug_expected", bug_expected, "no bug with \"x\"" },
		{ "other_bug_expected", other_bug_expected, "bug at pkg/testutil/testutil_test.c:" },
		{ "abort_is_no_bug", abort_is_no_bug, "no bug with \"\"" },
		{ "exit_is_no_bug", exit_is_no_bug, "wait status 0x300" },
		{ "kill_is_no_bug", kill_is_no_bug, "wait status 0x9" },
		{ "dir_in_the_way", dir_in_the_way, "directories nested too deep" },
		{ "no_room_for_descriptors", no_room_for_descriptors, "fork: Too many open files" },
	};
	const char *dir = test_dir();   /* which the children use as well */

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str err;

		test_row("%zu %s", i, rows[i].name);
		assert_int_equal(test_child(run_harness, &rows[i], &err), 0);
		if (str_search(err, str_of(rows[i].message)) < 0 || str_search(err, S("IT DID NOT FAIL")) >= 0)
			fail_msg("it printed\n" STRF, STRA(err));
	}
	/* What dir_in_the_way left goes in two steps. */
	assert_ok(fd_remove_tree(str_fmt(test_arena(), "%s/d/d/d/d/d/d/d/d", dir).p, NULL));
}

TEST(data_comes_from_the_tree_or_the_environment)
{
	const char *old = getenv("MOX_TESTDATA");

	old = old ? arena_strdup(test_arena(), old) : NULL;
	unsetenv("MOX_TESTDATA");
	assert_string_equal(test_data("a/b"), "testdata/a/b");
	setenv("MOX_TESTDATA", "/x", 1);
	assert_string_equal(test_data("a/b"), "/x/a/b");
	if (old)
		setenv("MOX_TESTDATA", old, 1);
	else
		unsetenv("MOX_TESTDATA");
}

/* Runs this program again, with the arguments, and returns what it prints. */
static void
run_self(void *arg)
{
	char **argv = arg;

	dup2(STDERR_FILENO, STDOUT_FILENO);
	execv("/proc/self/exe", argv);
}

static int
run_with(struct str *r_out, char *a, char *b)
{
	char *argv[] = { (char[]){ "program" }, a, b, NULL };

	return test_child(run_self, argv, r_out);
}

TEST(program_lists_and_selects)
{
	static char list[] = "-l", clock[] = "clock_*", bug_[] = "bug_*", none[] = "nothing*", wrong[] = "-x";
	struct str out;

	assert_int_equal(run_with(&out, list, NULL), 0);
	assert_true(str_search(out, S("\nclock_stands\n")) > 0);
	assert_true(str_search(out, S("RUN")) < 0);
	assert_int_equal(run_with(&out, list, clock), 0);
	assert_str(out, S("clock_stands\n"));
	assert_int_equal(run_with(&out, clock, bug_), 0);
	assert_true(str_search(out, S(" 2 test(s) run.")) > 0);
	assert_int_equal(WEXITSTATUS(run_with(&out, none, NULL)), 1);
	assert_str(out, S("no test has such a name\n"));
	assert_int_equal(WEXITSTATUS(run_with(&out, wrong, NULL)), 2);
	assert_true(str_search(out, S("usage: program [-l] [pattern ...]\n")) > 0);
}
