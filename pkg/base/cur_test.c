/* SPDX-License-Identifier: MIT */
#include "base/cur.h"

#include "testutil/testutil.h"

static struct cur
over(const char *z)
{
	return cur_of(test_exact(str_of(z)));
}

#define assert_cur_error(c, want) assert_strz(cur_error(test_arena(), (c)), (want))

TEST(cur_classes)
{
#define ODD(w) (CUR_CHAR(w, '\0') | CUR_RANGE(w, 60, 70) | CUR_RANGE(w, 0x7f, 0x80) | CUR_CHAR(w, 0xff) | CUR_RANGE(w, 'x', 'x'))
	static const struct cur_class odd = CUR_CLASS(ODD);
#define ALL(w) CUR_RANGE(w, 0, 255)
	static const struct cur_class all = CUR_CLASS(ALL);
	struct cur_class k = { 0 };

	cur_class_range(&k, 60, 70);
	cur_class_range(&k, 0x7f, 0x80);
	cur_class_range(&k, 255, 255);
	cur_class_range(&k, 0, 0);
	cur_class_add(&k, "x");
	assert_memory_equal(&k, &odd, sizeof(k));
	for (unsigned c = 0; c < 256; c++) {
		bool alpha = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'), digit = c >= '0' && c <= '9';
		bool hex = digit || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');

		test_row("%u", c);
		assert_true(cur_class_has(&all, (unsigned char)c));
		assert_int_equal(cur_class_has(&cur_alpha, (unsigned char)c), alpha);
		assert_int_equal(cur_class_has(&cur_digit, (unsigned char)c), digit);
		assert_int_equal(cur_class_has(&cur_alnum, (unsigned char)c), alpha || digit);
		assert_int_equal(cur_class_has(&cur_hexdig, (unsigned char)c), hex);
		assert_int_equal(cur_class_has(&cur_wsp, (unsigned char)c), c == ' ' || c == '\t');
		assert_int_equal(cur_class_has(&cur_vchar, (unsigned char)c), c > 0x20 && c < 0x7f);
	}
}

TEST(cur_takes_tokens)
{
	struct cur c = over("MAIL FROM:<a>42 rest");

	cur_icase(&c, S("mail"));
	cur_char(&c, ' ');
	assert_false(cur_try_str(&c, S("from")));
	assert_true(cur_try_str(&c, S("FROM")));
	assert_true(cur_is(&c, ':'));
	cur_str(&c, S(":<"));
	assert_int_equal(cur_peek(&c), 'a');
	assert_int_equal(cur_any(&c, "letter"), 'a');
	assert_false(cur_try(&c, 'x'));
	assert_true(cur_try(&c, '>'));
	assert_int_equal(cur_u64(&c, 3, 100, "number"), 42);
	assert_str(cur_rest(&c), S(" rest"));
	assert_int_equal(cur_off(&c), 15);
	assert_int_equal(cur_left(&c), 5);
	assert_str(cur_span(&c, &cur_wsp), S(" "));
	assert_str(cur_span(&c, &cur_wsp), S(""));
	assert_str(cur_span1(&c, &cur_alpha, "word"), S("rest"));
	assert_true(cur_end(&c));
	assert_true(cur_ok(&c));
	assert_true(cur_done(&c));
}

TEST(cur_of_nothing)
{
	struct cur c = cur_of((struct str){ 0 });

	assert_true(cur_end(&c));
	assert_int_equal(cur_peek(&c), -1);
	assert_str(cur_until(&c, 'x'), S(""));
	assert_str(cur_bytes(&c, 0, "nothing"), S(""));
	assert_true(cur_try_str(&c, S("")));
	assert_true(cur_done(&c));
	assert_cur_error(&c, "expected nothing at offset 0");
	assert_int_equal(cur_any(&c, "byte"), 0);
	assert_cur_error(&c, "expected byte at offset 0");
	assert_false(cur_done(&c));
	c = cur_in(test_arena(), S(""));
	assert_ptr_equal(c.a, test_arena());
	assert_true(cur_done(&c));
}

/* After the first failure nothing moves and nothing is returned. */
TEST(cur_failure_is_sticky)
{
	struct cur c = over("abc12");

	cur_char(&c, 'a');
	cur_char(&c, 'x');
	assert_cur_error(&c, "expected 'x' at offset 1");
	cur_char(&c, 'b');
	cur_str(&c, S("bc"));
	cur_icase(&c, S("bc"));
	cur_fail(&c, "something else");
	assert_int_equal(cur_peek(&c), -1);
	assert_false(cur_is(&c, 'b'));
	assert_false(cur_try(&c, 'b'));
	assert_false(cur_try_str(&c, S("b")));
	assert_false(cur_try_str(&c, S("")));
	assert_false(cur_try_icase(&c, S("b")));
	assert_int_equal(cur_any(&c, "any"), 0);
	assert_str(cur_bytes(&c, 1, "one"), S(""));
	assert_str(cur_span(&c, &cur_alpha), S(""));
	assert_str(cur_span1(&c, &cur_alpha, "letters"), S(""));
	assert_str(cur_until(&c, '2'), S(""));
	assert_int_equal(cur_u64(&c, 9, 9, "number"), 0);
	assert_false(cur_enter(&c, 10));
	cur_leave(&c);
	assert_false(cur_done(&c));
	assert_cur_error(&c, "expected 'x' at offset 1");
}

TEST(cur_names_what_was_wanted)
{
	static const struct { char ch; const char *name; } rows[] = {
		{ ' ', "space" }, { '\r', "CR" }, { '\n', "LF" }, { '\t', "TAB" }, { '\0', "NUL" }, { '!', "'!'" }, { '~', "'~'" },
		{ '\x7f', "a certain byte" }, { '\x80', "a certain byte" }, { '\x01', "a certain byte" }, { '\'', "'''" }, { '\\', "'\\'" },
		{ 'A', "'A'" }, { 'z', "'z'" }, { '0', "'0'" },
	};
	struct cur c;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		c = over("");
		cur_char(&c, rows[i].ch);
		assert_string_equal(c.want, rows[i].name);
	}
	c = over("ab");
	cur_str(&c, S("abc"));
	assert_cur_error(&c, "expected abc at offset 0");
	c = over("ab");
	cur_icase(&c, S("B"));
	assert_cur_error(&c, "expected B at offset 0");
	c = over("ab");
	assert_false(cur_done(&c));
	assert_cur_error(&c, "expected end at offset 0");
	c = over("ab");
	cur_bytes(&c, 3, "three");
	assert_cur_error(&c, "expected three at offset 0");
	c = over("ab");
	cur_span1(&c, &cur_digit, "digit");
	assert_cur_error(&c, "expected digit at offset 0");
}

TEST(cur_until_stops)
{
	struct cur c = over("ab,cd");

	assert_str(cur_until(&c, ','), S("ab"));
	assert_str(cur_until(&c, ','), S(""));
	cur_char(&c, ',');
	assert_str(cur_until(&c, ','), S("cd"));
	assert_true(cur_done(&c));
}

TEST(cur_bytes_of_any_value)
{
	struct cur c = cur_of(test_exact(S("\xff\0z")));

	assert_int_equal(cur_peek(&c), 0xff);
	assert_true(cur_is(&c, '\xff'));
	assert_int_equal(cur_any(&c, "byte"), 0xff);
	assert_str(cur_bytes(&c, 2, "two"), S("\0z"));
	assert_true(cur_done(&c));
}

TEST(cur_numbers)
{
	static const struct { const char *in; unsigned digits; uint64_t max; int64_t want; } rows[] = {
		{ "0", 1, 0, 0 },
		{ "1", 1, 0, -1 },
		{ "007", 3, 10, 7 },
		{ "007", 2, 10, -1 },
		{ "255x", 3, 255, 255 },
		{ "256x", 3, 255, -1 },
		{ "x", 3, 255, -1 },
		{ "", 3, 255, -1 },
		{ "18446744073709551616", 20, UINT64_MAX, -1 },
		{ "9223372036854775807", 20, UINT64_MAX, INT64_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cur c = over(rows[i].in);
		uint64_t v = cur_u64(&c, rows[i].digits, rows[i].max, "number");

		test_row("%s", rows[i].in);
		assert_int_equal(cur_ok(&c), rows[i].want >= 0);
		assert_int_equal(v, rows[i].want >= 0 ? rows[i].want : 0);
		if (rows[i].want < 0)
			assert_int_equal(cur_off(&c), 0);
	}
}

static void
leave_too_often(void *arg)
{
	cur_leave(arg);
}

TEST(cur_nesting)
{
	struct cur c = over("((");

	assert_true(cur_enter(&c, 2));
	assert_true(cur_enter(&c, 2));
	cur_leave(&c);
	assert_true(cur_enter(&c, 2));
	assert_false(cur_enter(&c, 2));
	assert_cur_error(&c, "expected less nesting at offset 0");
	cur_leave(&c);
	cur_leave(&c);
	cur_leave(&c);
	test_bug(leave_too_often, &c, "depth");
}

TEST(cur_alternatives_by_copy)
{
	struct cur c = over("12a"), saved = c;

	cur_u64(&c, 5, 100, "number");
	assert_false(cur_done(&c));
	c = saved;
	assert_str(cur_span1(&c, &cur_alnum, "word"), S("12a"));
	assert_true(cur_done(&c));
}
