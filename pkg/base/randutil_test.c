/* SPDX-License-Identifier: MIT */
#include "base/randutil.h"

#include "base/enc.h"
#include "testutil/testutil.h"

TEST(rand_differs)
{
	char a[32] = { 0 }, b[32] = { 0 };

	rand_bytes(a, sizeof(a));
	rand_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	rand_bytes(NULL, 0);
	assert_true(rand_u64() != rand_u64() || rand_u64() != rand_u64());
}

TEST(rand_below_is_below)
{
	unsigned seen[5] = { 0 };
	unsigned high = 0;

	for (int i = 0; i < 1000; i++) {
		uint64_t v = rand_below(5);

		assert_true(v < 5);
		seen[v]++;
	}
	for (int i = 0; i < 5; i++)
		assert_in_range(seen[i], 100, 300);     /* 200 expected: these bounds are 7 standard deviations away */
	assert_int_equal(rand_below(1), 0);
	/* A bound that throws away almost half of the values. */
	for (int i = 0; i < 1000; i++)
		high += rand_below((UINT64_C(1) << 63) + 1) >= UINT64_C(1) << 62;
	assert_in_range(high, 350, 650);
}

static void
below_zero(void *arg unused_)
{
	rand_below(0);
}

static void
empty_alphabet(void *arg unused_)
{
	rand_text(test_arena(), 1, S(""));
}

static void
large_alphabet(void *arg unused_)
{
	char many[257] = { 0 };

	rand_text(test_arena(), 1, str_n(many, sizeof(many)));
}

TEST(rand_misuse_is_a_bug)
{
	test_bug(below_zero, NULL, "n == 0");
	test_bug(empty_alphabet, NULL, "alphabet");
	test_bug(large_alphabet, NULL, "alphabet");
}

TEST(rand_texts)
{
	struct str alphabet = S("abcdefghijklmnopqrstuvwxyz"), s = rand_text(test_arena(), 1000, alphabet);
	char all[256];

	assert_int_equal(s.n, 1000);
	assert_int_equal(s.p[1000], '\0');
	for (size_t i = 0; i < s.n; i++)
		assert_true(str_has(alphabet, s.p[i]));
	for (size_t i = 0; i < alphabet.n; i++)
		assert_true(str_has(s, alphabet.p[i]));         /* missing one: probability 1e-16 */
	assert_str(rand_text(test_arena(), 3, S("x")), S("xxx"));
	assert_str(rand_text(test_arena(), 0, S("x")), S(""));
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	assert_int_equal(rand_text(test_arena(), 10, str_n(all, 256)).n, 10);
}

TEST(rand_tokens)
{
	struct str t = rand_token(test_arena(), 16), bytes;

	assert_int_equal(t.n, 22);
	assert_ok(enc_unbase64(test_arena(), t, ENC_URL, &bytes));
	assert_int_equal(bytes.n, 16);
	assert_false(str_is(t, rand_token(test_arena(), 16)));
}
