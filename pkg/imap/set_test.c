/* SPDX-License-Identifier: MIT */
#include "testutil/testutil.h"

#include "base/buf.h"
#include "imap/imap.h"

static struct str
ranges_text(const struct imap_ranges *r)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 16);
	imap_add_ranges(&b, r->v, r->n);
	return buf_str(&b);
}

static bool
parse(const char *in, struct imap_set *r_set)
{
	struct cur c = cur_in(test_arena(), test_exact(str_of(in)));
	imap_set(&c, r_set);
	return cur_done(&c);
}

TEST(set)
{
	static const struct {
		const char *in;
		uint32_t max;
		const char *want;
	} rows[] = {
		{ "1", 9, "1" },
		{ "1:3", 9, "1:3" },
		{ "2,4:7,9,12:*", 15, "2,4:7,9,12:15" },        /* rfc/9051:7037 */
		{ "*:4,5:7", 10, "4:10" },                      /* rfc/9051:7041 */
		{ "3291:*", 10, "10:3291" },                    /* the last one, even if it is lower: rfc/9051:7029 */
		{ "*", 0, "" },
		{ "1:*", 0, "1" },
		{ "*:*", 0, "" },
		{ "*", 4294967295u, "4294967295" },
		{ "4294967295,1:4294967294", 1, "1:4294967295" },
		{ "3,1,2,2,9:8", 9, "1:3,8:9" },
		{ "5,1:9,3", 9, "1:9" },
		{ "1,2,3", 9, "1:3" },
		{ "0", 9, NULL },
		{ "1:0", 9, NULL },
		{ "", 9, NULL },
		{ "1,", 9, NULL },
		{ ",1", 9, NULL },
		{ "1:", 9, NULL },
		{ "1:2:3", 9, NULL },
		{ "1 2", 9, NULL },
		{ "4294967296", 9, NULL },
		{ "$", 9, "" },                                 /* rfc/5182:540 */
		{ "$,1", 9, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct imap_set s = { 0 };
		struct imap_ranges r = { 0 };
		test_row("%s", rows[i].in);
		assert_int_equal(parse(rows[i].in, &s), rows[i].want != NULL);
		if (!rows[i].want)
			continue;
		assert_int_equal(s.saved, rows[i].in[0] == '$');
		imap_set_resolve(test_arena(), &s, rows[i].max, &r);
		assert_strz(ranges_text(&r), rows[i].want);
	}
}

TEST(set_star)
{
	struct imap_set s = { 0 };

	assert_true(parse("1:2", &s));
	assert_false(imap_set_has_star(&s));
	assert_true(parse("1,*:2", &s));
	assert_true(imap_set_has_star(&s));
	struct cur c = cur_in(test_arena(), S("1:*"));
	imap_uid_set(&c, &s);
	assert_false(cur_ok(&c));
}

TEST(set_operations)
{
	/* Against bit sets: every pair of subsets of 1..7. */
	for (unsigned x = 0; x < 128; x++) {
		for (unsigned y = 0; y < 128; y++) {
			struct imap_ranges rx = { 0 }, ry = { 0 }, both = { 0 }, rest = { 0 };
			ARENA_SCOPE(test_arena());
			for (uint32_t i = 0; i < 7; i++) {
				if (x >> i & 1)
					imap_ranges_add(test_arena(), &rx, i + 1, i + 1);
				if (y >> i & 1)
					imap_ranges_add(test_arena(), &ry, i + 1, i + 1);
			}
			imap_ranges_and(test_arena(), &rx, &ry, &both);
			imap_ranges_minus(test_arena(), &rx, &ry, &rest);
			for (uint32_t i = 0; i < 7; i++) {
				assert_int_equal(imap_ranges_has(&rx, i + 1), x >> i & 1);
				assert_int_equal(imap_ranges_has(&both, i + 1), (x & y) >> i & 1);
				assert_int_equal(imap_ranges_has(&rest, i + 1), (x & ~y) >> i & 1);
			}
			assert_int_equal(imap_ranges_count(&both), __builtin_popcount(x & y));
			assert_int_equal(imap_ranges_count(&rest), __builtin_popcount(x & ~y));
		}
	}
}
