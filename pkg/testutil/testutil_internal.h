/* SPDX-License-Identifier: MIT */
/*
 * testutil_internal.h - shared between main.c and testutil.c.
 */
#ifndef TESTUTIL_TESTUTIL_INTERNAL_H
#define TESTUTIL_TESTUTIL_INTERNAL_H

struct testutil_test {
	const char *name, *file;
	void (*fn)(void **);
	struct testutil_test *next;
};

/* testutil_tests returns the registered tests in the order of the link and the files. */
const struct testutil_test *testutil_tests(void);

/* The three steps of a test for cmocka; *state is the struct testutil_test. */
int testutil_setup(void **state);
void testutil_run(void **state);
int testutil_teardown(void **state);

#endif
