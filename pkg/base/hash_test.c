/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include "base/enc.h"
#include "base/mem.h"
#include "testutil/testutil.h"

TEST(siphash_vectors)
{
	/* The first of the vectors published with SipHash-2-4: key 00..0f, input 00, 00 01, 00 01 02 ... */
	static const uint64_t want[] = {
		UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a), UINT64_C(0x85676696d7fb7e2d),
		UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d), UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137),
		UINT64_C(0x93f5f5799a932462),
	};
	uint8_t key[16];
	char in[16];

	for (int i = 0; i < 16; i++)
		key[i] = (uint8_t)(in[i] = (char)i);
	for (size_t n = 0; n < ARRAY_LEN(want); n++)
		assert_int_equal(hash_siphash(key, test_exact(str_n(in, n))), want[n]);
	assert_int_equal(hash_siphash(key, test_exact(str_n(in, 15))), UINT64_C(0xa129ca6149be45e5));
}

TEST(hash_with_the_process_key)
{
	assert_true(hash_str(S("a")) == hash_str(S("a")));
	assert_true(hash_str(S("a")) != hash_str(S("b")));
	assert_true(hash_u64(1) == hash_u64(1));
	assert_true(hash_u64(1) != hash_u64(2));
}

TEST(map_sets_gets_and_deletes)
{
	cleanup_(map_done) struct map m = { 0 };
	char one[] = "1", two[] = "2";

	assert_null(map_get(&m, S("a")));
	assert_null(map_del(&m, S("a")));
	assert_null(map_set(&m, S("a"), one));
	assert_ptr_equal(map_get(&m, S("a")), one);
	assert_ptr_equal(map_set(&m, S("a"), two), one);
	assert_ptr_equal(map_get(&m, S("a")), two);
	assert_int_equal(m.n, 1);
	assert_null(map_get(&m, S("A")));
	assert_null(map_set(&m, S(""), one));
	assert_null(map_set(&m, S("a\0b"), one));
	assert_ptr_equal(map_get(&m, (struct str){ 0 }), one);
	assert_ptr_equal(map_get(&m, S("a\0b")), one);
	assert_ptr_equal(map_del(&m, S("a")), two);
	assert_null(map_del(&m, S("a")));
	assert_null(map_get(&m, S("a")));
	assert_int_equal(m.n, 2);
}

static void
set_null(void *arg)
{
	map_set(arg, S("a"), NULL);
}

TEST(map_value_is_not_null)
{
	struct map m = { 0 };

	test_bug(set_null, &m, "value");
}

TEST(map_grows_and_walks)
{
	cleanup_(map_done) struct map m = { 0 };
	static char seen[5000];
	struct str key;
	size_t pos = 0, n = 0;
	void *value;

	for (int i = 0; i < 5000; i++) {
		assert_null(map_set(&m, str_fmt(test_arena(), "key%d", i), &seen[i]));
		seen[i] = 0;
	}
	while (map_next(&m, &pos, &key, &value)) {
		char *c = value;

		assert_str(key, str_fmt(test_arena(), "key%d", (int)(c - seen)));
		assert_int_equal(*c, 0);
		*c = 1;
		n++;
		if (n % 3 == 0)         /* the current key may go */
			assert_ptr_equal(map_del(&m, key), value);
	}
	assert_int_equal(n, 5000);
	assert_int_equal(m.n, 5000 - 5000 / 3);
	assert_false(map_next(&m, &pos, &key, &value));
}

/* Keys that come and go must not fill the table with the places of removed ones. */
TEST(map_does_not_grow_by_change)
{
	cleanup_(map_done) struct map m = { 0 };
	char v[] = "v";

	for (int i = 0; i < 10000; i++) {
		map_set(&m, str_fmt(test_arena(), "%d", i), v);
		if (i >= 5)
			assert_ptr_equal(map_del(&m, str_fmt(test_arena(), "%d", i - 5)), v);
	}
	assert_int_equal(m.n, 5);
	assert_true(m.cap <= 32);
	for (int i = 9995; i < 10000; i++)
		assert_ptr_equal(map_get(&m, str_fmt(test_arena(), "%d", i)), v);
}

#define assert_hex(bytes, want) assert_strz(enc_hex(test_arena(), str_n((const char *)(bytes), sizeof(bytes))), (want))

TEST(digests)
{
	uint8_t sha256[32], sha1[20];

	hash_sha256(S("abc"), sha256);
	assert_hex(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_sha256((struct str){ 0 }, sha256);
	assert_hex(sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hash_sha1(S("abc"), sha1);
	assert_hex(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
	/* RFC 4231, test cases 2 and 6; and empty ones. */
	hash_hmac_sha256(S("Jefe"), S("what do ya want for nothing?"), sha256);
	assert_hex(sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	char key[131];
	memset(key, 0xaa, sizeof(key));
	hash_hmac_sha256(str_n(key, sizeof(key)), S("Test Using Larger Than Block-Size Key - Hash Key First"), sha256);
	assert_hex(sha256, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	hash_hmac_sha256((struct str){ 0 }, (struct str){ 0 }, sha256);
	assert_hex(sha256, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void
huge_key(void *arg unused_)
{
	uint8_t out[32];

	hash_hmac_sha256(str_n("", (size_t)INT32_MAX + 1), S(""), out);
}

TEST(hmac_key_is_bounded)
{
	test_bug(huge_key, NULL, "key.n");
}
