/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "base/mem.h"
#include "testutil/testutil.h"

static void
check_terminated(const struct buf *b)
{
	assert_true(b->n <= b->max);
	assert_true((b->p == NULL) == (b->cap == 0));
	if (b->cap > 0)
		assert_int_equal(b->p[b->n], '\0');
}

TEST(buf_appends)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(1000);

	check_terminated(&b);
	assert_str(buf_str(&b), S(""));
	buf_add(&b, S("a\0b"));
	buf_add(&b, (struct str){ 0 });
	buf_addz(&b, "cd");
	buf_addz(&b, NULL);
	buf_addc(&b, 'e');
	assert_str(buf_str(&b), S("a\0bcde"));
	check_terminated(&b);
	buf_reset(&b);
	buf_addu(&b, 0);
	buf_addc(&b, ' ');
	buf_addu(&b, UINT64_MAX);
	buf_addc(&b, ' ');
	buf_addi(&b, INT64_MIN);
	buf_addc(&b, ' ');
	buf_addi(&b, INT64_MAX);
	buf_addc(&b, ' ');
	buf_addi(&b, -1);
	assert_strz(buf_str(&b), "0 18446744073709551615 -9223372036854775808 9223372036854775807 -1");
	check_terminated(&b);
}

TEST(buf_formats)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(100);
	char fill[101];

	memset(fill, 'x', 100);
	fill[100] = '\0';
	buf_addf(&b, "%d", 7);
	buf_addf(&b, "%.10s", fill);
	assert_strz(buf_str(&b), "7xxxxxxxxxx");
	buf_addf(&b, "%.89s", fill);
	assert_int_equal(b.n, 100);
	assert_false(b.failed);
	buf_addf(&b, "%s", "");
	assert_false(b.failed);
	buf_addf(&b, "y");
	assert_true(b.failed);
	assert_int_equal(b.n, 100);
	check_terminated(&b);
	buf_reset(&b);
	buf_addf(&b, "%s%s", fill, "y");
	assert_true(b.failed);
	assert_str(buf_str(&b), S(""));
	buf_addf(&b, "z");              /* nothing follows what was dropped */
	assert_str(buf_str(&b), S(""));
	buf_done(&b);
	buf_addf(&b, "%s%s", fill, "y");        /* no memory yet, and none needed */
	assert_true(b.failed);
	check_terminated(&b);
}

static void
bad_format(void *arg)
{
	buf_addf(arg, "%ls", L"\x20ac");
}

static void
detach_from_arena(void *arg unused_)
{
	struct buf b = BUF_ARENA(test_arena(), 10);
	size_t n;

	buf_detach(&b, &n);
}

static void
wrote_too_much(void *arg)
{
	buf_wrote(arg, 65);
}

TEST(buf_misuse_is_a_bug)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(100);

	test_bug(bad_format, &b, "%ls");
	test_bug(detach_from_arena, NULL, "b->a");
	assert_true(buf_reserve(&b, 1));
	test_bug(wrote_too_much, &b, "cap");
}

TEST(buf_maximum)
{
	for (size_t max = 0; max < 300; max++) {
		cleanup_(buf_done) struct buf b = BUF_INIT(max);

		test_row("%zu", max);
		for (size_t i = 0; i < max; i++)
			buf_addc(&b, 'x');
		assert_false(b.failed);
		check_terminated(&b);
		assert_true(b.cap <= max + 1);
		buf_addc(&b, 'y');
		assert_true(b.failed);
		assert_int_equal(b.n, max);
		buf_truncate(&b, 0);
		buf_add(&b, S("z"));
		assert_int_equal(b.n, 0);       /* still failed */
		buf_reset(&b);
		assert_false(b.failed);
	}
}

TEST(buf_number_is_dropped_whole)
{
	cleanup_(buf_done) struct buf b;

	buf_init(&b, 3);
	buf_addi(&b, -123);
	assert_true(b.failed);
	assert_str(buf_str(&b), S(""));
	buf_addi(&b, -1);
	assert_str(buf_str(&b), S(""));
}

TEST(buf_reserving)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(10);

	assert_true(buf_reserve(&b, 10));
	memcpy(buf_tail(&b), "0123456789", 10);
	buf_wrote(&b, 0);
	buf_wrote(&b, 4);
	assert_str(buf_str(&b), S("0123"));
	check_terminated(&b);
	assert_true(buf_reserve(&b, 6));
	assert_false(buf_reserve(&b, 7));
	assert_false(buf_reserve(&b, 0));
	buf_reset(&b);
	assert_true(buf_reserve(&b, 0));
}

TEST(buf_truncating_and_dropping)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(100);

	buf_truncate(&b, 0);
	buf_drop(&b, 0);
	buf_add(&b, S("0123456789"));
	buf_truncate(&b, 20);
	buf_truncate(&b, 8);
	assert_str(buf_str(&b), S("01234567"));
	buf_drop(&b, 3);
	assert_str(buf_str(&b), S("34567"));
	check_terminated(&b);
	buf_drop(&b, 6);
	assert_str(buf_str(&b), S(""));
	check_terminated(&b);
}

TEST(buf_detaching)
{
	struct buf b = BUF_INIT(100);
	size_t n = 7;
	char *p = buf_detach(&b, &n);

	assert_string_equal(p, "");
	assert_int_equal(n, 0);
	mem_free(&p);
	buf_add(&b, S("abc"));
	p = buf_detach(&b, &n);
	assert_string_equal(p, "abc");
	assert_int_equal(n, 3);
	assert_null(b.p);
	assert_int_equal(b.max, 100);
	mem_free(&p);
	buf_done(&b);
}

TEST(buf_in_an_arena)
{
	struct buf b = BUF_ARENA(test_arena(), 10000);
	struct str before;

	buf_add(&b, S("abc"));
	before = buf_str(&b);
	for (int i = 0; i < 1000; i++)
		buf_addu(&b, (uint64_t)i % 10);
	assert_int_equal(b.n, 1003);
	assert_str(before, S("abc"));           /* the arena still has the old memory */
	check_terminated(&b);
	buf_done(&b);
	assert_null(b.p);
}
