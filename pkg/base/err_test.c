/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>

#include "testutil/testutil.h"

TEST(err_texts)
{
	for (int code = 0; code >= ERR_CLOSED; code--) {
		assert_string_not_equal(err_text(code), "unknown error");
		for (int other = 0; other > code; other--)
			assert_string_not_equal(err_text(code), err_text(other));
	}
	assert_string_equal(err_text(ERR_CLOSED - 1), "unknown error");
	assert_string_equal(err_text(1), "unknown error");
}

TEST(err_errno_codes)
{
	static const struct { int errnum, code; } rows[] = {
		{ ENOENT, ERR_NOTFOUND }, { EEXIST, ERR_EXISTS }, { ENOSPC, ERR_NOSPACE }, { EDQUOT, ERR_NOSPACE }, { EACCES, ERR_DENIED },
		{ EPERM, ERR_DENIED }, { ETIMEDOUT, ERR_TIMEOUT }, { EIO, ERR_IO }, { 0, ERR_IO }, { 99999, ERR_IO },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(err_from_errno(rows[i].errnum), rows[i].code);
	assert_string_equal(err_strerror(ENOENT), "No such file or directory");
	assert_string_equal(err_strerror(99999), "unknown system error");
}

TEST(err_first_message_wins)
{
	struct errmsg e = { 0 };

	assert_int_equal(err_set(&e, ERR_LIMIT, "more than %d", 5), ERR_LIMIT);
	assert_string_equal(e.text, "more than 5");
	assert_int_equal(err_set(&e, ERR_IO, "second"), ERR_IO);
	assert_int_equal(err_errno(&e, ENOSPC, "third"), ERR_NOSPACE);
	assert_string_equal(e.text, "more than 5");
	assert_int_equal(err_set(NULL, ERR_IO, "x"), ERR_IO);
	assert_int_equal(err_errno(NULL, ENOENT, "x"), ERR_NOTFOUND);
}

TEST(err_messages_are_bounded)
{
	struct errmsg e = { 0 }, e2 = { 0 };
	char fill[300];

	memset(fill, 'x', sizeof(fill));
	err_set(&e, ERR_IO, "%.300s", fill);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_int_equal(err_errno(&e2, ENOENT, "open %s", "/x"), ERR_NOTFOUND);
	assert_string_equal(e2.text, "open /x: No such file or directory");
	e = (struct errmsg){ 0 };
	err_errno(&e, ENOENT, "%.300s", fill);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static void
first_hook(void)
{
	fputs("the hook ran\n", stderr);
	bug("within the hook");
}

static void
bug_with_hook(void *arg unused_)
{
	err_bug_hook = first_hook;
	bug_if(1 + 1 == 2);
}

static void
bug_without_hook(void *arg)
{
	err_bug_hook = NULL;
	bug_if(arg != NULL);
	bug("count is %d", 5);
}

TEST(bugs_abort)
{
	struct str err;

	test_bug(bug_without_hook, NULL, "count is 5");
	test_bug(bug_with_hook, NULL, "1 + 1 == 2");
	ignore_result(test_child(bug_with_hook, NULL, &err));
	assert_true(str_search(err, S("the hook ran\n")) > 0);
	assert_true(str_search(err, S("within the hook")) > 0);
	assert_true(str_search(err, S("err_test.c:")) > 0);
}
