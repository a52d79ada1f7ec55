/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include "testutil/testutil.h"

static bool
all_zero(const void *p, size_t n)
{
	const char *c = p;

	for (size_t i = 0; i < n; i++)
		if (c[i] != 0)
			return false;
	return true;
}

TEST(mem_is_zeroed)
{
	cleanup_(mem_cleanup) char *p = mem_alloc(100);
	cleanup_(mem_cleanup) uint32_t *v = mem_allocn(10, sizeof(*v));
	char *none = mem_alloc(0);

	assert_true(all_zero(p, 100));
	assert_true(all_zero(v, 40));
	assert_non_null(none);
	mem_free(&none);
	assert_null(none);
	mem_free(&none);
}

TEST(mem_grow_keeps_and_zeroes)
{
	uint16_t *v = mem_grow(NULL, 0, 4, sizeof(*v));

	for (int i = 0; i < 4; i++) {
		assert_int_equal(v[i], 0);
		v[i] = (uint16_t)(i + 1);
	}
	v = mem_grow(v, 4, 1000, sizeof(*v));
	for (int i = 0; i < 4; i++)
		assert_int_equal(v[i], i + 1);
	assert_true(all_zero(v + 4, 996 * sizeof(*v)));
	v = mem_grow(v, 1000, 2, sizeof(*v));
	assert_int_equal(v[1], 2);
	v = mem_grow(v, 2, 0, sizeof(*v));
	mem_free(&v);
}

static void
allocn_overflows(void *arg unused_)
{
	volatile size_t half = SIZE_MAX / 2;
	void *p = mem_allocn(half, 3);

	mem_free(&p);
}

static void
grow_overflows(void *arg unused_)
{
	volatile size_t half = SIZE_MAX / 2;
	void *p = mem_grow(NULL, 0, half, 3);

	mem_free(&p);
}

TEST(mem_overflow_is_a_bug)
{
	test_bug(allocn_overflows, NULL, "overflows");
	test_bug(grow_overflows, NULL, "overflows");
}

TEST(mem_strings)
{
	cleanup_(mem_cleanup) char *a = mem_strdup("abc"), *b = mem_str(S("x\0y")), *c = mem_str((struct str){ 0 });

	assert_string_equal(a, "abc");
	assert_memory_equal(b, "x\0y", 4);
	assert_string_equal(c, "");
}

TEST(mem_erase_and_equal)
{
	char p[] = "secret";

	assert_true(mem_equal(p, "secret", 6));
	assert_false(mem_equal(p, "secreT", 6));
	assert_true(mem_equal(NULL, NULL, 0));
	mem_erase(p, 6);
	assert_true(all_zero(p, sizeof(p)));
	mem_erase(NULL, 0);
}

TEST(secrets)
{
	cleanup_(secret_done) struct secret s = { 0 };

	assert_str(secret_str(&s), S(""));
	assert_true(secret_equal(&s, S("")));
	secret_set(&s, S("hunter2"));
	assert_str(secret_str(&s), S("hunter2"));
	assert_true(secret_equal(&s, S("hunter2")));
	assert_false(secret_equal(&s, S("hunter3")));
	assert_false(secret_equal(&s, S("hunter")));
	secret_set(&s, str_from(secret_str(&s), 3));    /* from a part of itself */
	assert_str(secret_str(&s), S("ter2"));
	secret_done(&s);
	assert_null(s.p);
	secret_done(&s);
}

TEST(macros)
{
	char *p = mem_strdup("x"), *q = take(p);
	struct outer { int a; int b; } o;
	int calls = 0;

	assert_null(p);
	mem_free(&q);
	assert_ptr_equal(container_of(&o.b, struct outer, b), &o);
	assert_int_equal(MAX(1, MIN(calls++ + 5, 3)), 3);
	assert_int_equal(calls, 1);
	assert_int_equal(ARRAY_LEN(((int[]){ 1, 2, 3 })), 3);
}
