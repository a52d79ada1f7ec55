/* SPDX-License-Identifier: MIT */
/* main of every test program; a file of its own, so that fuzzers can link this package with another main. */
#include <fnmatch.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "testutil/testutil.h"
#include "testutil/testutil_internal.h"

static bool
is_wanted(const char *name, char **patterns)
{
	if (*patterns == NULL)
		return true;
	for (; *patterns; patterns++)
		if (fnmatch(*patterns, name, 0) == 0)
			return true;
	return false;
}

static void *
do_nothing(void *arg)
{
	return arg;
}

/* ThreadSanitizer starts a thread of its own with the first one; the tests must not count it. */
static void
start_sanitizer_thread(void)
{
	pthread_t t;

	bug_if(pthread_create(&t, NULL, do_nothing, NULL) != 0);
	pthread_join(t, NULL);
}

int
main(int argc, char **argv)
{
	const struct testutil_test *all = testutil_tests();
	bool list = false;
	struct CMUnitTest *tests;
	size_t n = 0;
	int opt;

	while ((opt = getopt(argc, argv, "l")) != -1) {
		if (opt != 'l') {
			fprintf(stderr, "usage: %s [-l] [pattern ...]\n", argv[0]);
			return 2;
		}
		list = true;
	}
	signal(SIGPIPE, SIG_IGN);
	/* Library functions must not depend on the locale; a test that wants another one sets it. */
	setlocale(LC_ALL, "C");
	setlinebuf(stdout);
	start_sanitizer_thread();

	for (const struct testutil_test *t = all; t; t = t->next)
		n++;
	tests = mem_allocn(n, sizeof(tests[0]));
	n = 0;
	for (const struct testutil_test *t = all; t; t = t->next) {
		if (!is_wanted(t->name, argv + optind))
			continue;
		if (list)
			puts(t->name);
		tests[n++] = (struct CMUnitTest){
			.name = t->name,
			.test_func = testutil_run,
			.setup_func = testutil_setup,
			.teardown_func = testutil_teardown,
			.initial_state = (void *)(uintptr_t)t,
		};
	}
	if (!list && n > 0) {
		int failed = _cmocka_run_group_tests(argv[0], tests, n, NULL, NULL);

		free(tests);
		return failed > 0;
	}
	free(tests);
	if (n == 0)
		fprintf(stderr, "no test has such a name\n");
	return n == 0;
}
