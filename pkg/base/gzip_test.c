/* SPDX-License-Identifier: MIT */
#include "base/gzip.h"

#include "testutil/testutil.h"

static struct str
packed(struct str s)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 24);

	gzip_pack(&b, s);
	assert_false(b.failed);
	return buf_str(&b);
}

static int
unpack(struct str s, size_t max, struct str *r_out)
{
	struct buf b = BUF_ARENA(test_arena(), max);
	int rv = gzip_unpack(&b, test_exact(s), NULL);

	*r_out = buf_str(&b);
	return rv;
}

TEST(gzip_round_trip)
{
	struct buf big = BUF_ARENA(test_arena(), 1 << 20);
	struct str out;

	for (int i = 0; big.n < 100000; i++)
		buf_addf(&big, "%d %x,", i, i * 7919);
	for (size_t n = 0; n <= 40000; n += n < 3 ? 1 : 9999) {
		struct str s = str_upto(buf_str(&big), n), z = packed(s);

		assert_str(packed(s), z);
		assert_ok(unpack(z, n, &out));
		assert_str(out, s);
		if (n > 0)
			assert_err(unpack(z, n - 1, &out), ERR_LIMIT);
		/* Several members, then padding. */
		assert_ok(unpack(str_cat(test_arena(), str_cat(test_arena(), z, z), S("\0\0\0")), 2 * n, &out));
		assert_int_equal(out.n, 2 * n);
	}
}

TEST(gzip_damage)
{
	struct str z = packed(S("hello, hello, hello")), out;
	char *bad = arena_bytes(test_arena(), z.n);

	for (size_t n = 0; n < z.n; n++)
		assert_err(unpack(str_upto(z, n), 100, &out), ERR_INVALID);
	memcpy(bad, z.p, z.n);
	bad[z.n - 5] ^= 1; /* the check sum */
	assert_err(unpack(str_n(bad, z.n), 100, &out), ERR_INVALID);
	assert_err(unpack(S("plain text"), 100, &out), ERR_INVALID);
}

TEST(gzip_bomb)
{
	size_t n = 8 << 20;
	struct str zeros = str_n(arena_alloc(test_arena(), n), n), z = packed(zeros), out;

	assert_true(z.n < 10000);
	assert_err(unpack(z, 65536, &out), ERR_LIMIT);
	assert_true(out.n <= 65536);
	struct buf small = BUF_ARENA(test_arena(), 10);
	gzip_pack(&small, zeros);
	assert_true(small.failed);
}
