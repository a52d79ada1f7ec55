/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "base/timeutil.h"
#include "base/utf8.h"
#include "testutil/testutil.h"
#include "typedesc/typedesc_internal.h"
#include "typedesc/api_test_idl.h"
#include "typedesc/typedesc_test_idl.h"

#define MAX_SIZE (1024 * 1024)

static struct str
encode(const struct typedesc *t, const void *v, unsigned flags)
{
	struct buf b = BUF_ARENA(test_arena(), 100 * MAX_SIZE);

	typedesc_json_encode(&b, t, v, flags);
	return buf_str(&b);
}

/* Every type of the API, with random values, survives being written and read. */
TEST(round_trip)
{
	for (size_t k = 0; k < typedesc_typedesc_test_ntypes; k++) {
		const struct typedesc *t = typedesc_typedesc_test_types[k];

		for (uint64_t seed = 0; seed < 300; seed++) {
			void *v = typedesc_new(test_arena(), t), *w = typedesc_new(test_arena(), t);
			unsigned flags = TYPEDESC_JSON_SECRETS | (seed & 1 ? TYPEDESC_JSON_HTML : 0) | (seed & 2 ? TYPEDESC_JSON_INDENT : 0);
			struct errmsg e = { 0 };

			test_row("%s seed %llu", t->name, (unsigned long long)seed);
			typedesc_sample(test_arena(), t, seed, v);
			struct str json = encode(t, v, flags);
			if (t == &typedesc_all_desc && seed == 0)
				((struct typedesc_all *)v)->common.id = 1;
			if (typedesc_json_decode(test_arena(), t, test_exact(json), MAX_SIZE, 0, w, &e) < 0)
				fail_msg("%s: " STRF, e.text, STRA(json));
			if (!typedesc_equal(t, v, w))
				assert_str(encode(t, w, flags), json);
			assert_true(typedesc_equal(t, v, w));
		}
	}
}

TEST(encoding)
{
	struct typedesc_sub sub = { .name = S("a\"\\\n\x01</script>\xe2\x80\xa8\xff"), .port = 1, .rate = 0.1 };

	assert_strz(encode(&typedesc_sub_desc, &sub, 0),
	    "{\"Name\":\"a\\\"\\\\\\n\\u0001</script>\xe2\x80\xa8\xef\xbf\xbd\",\"Port\":1,\"Wait\":null,\"On\":null,\"Level\":\"\",\"Rate\":0.1}");
	assert_strz(encode(&typedesc_sub_desc, &sub, TYPEDESC_JSON_HTML),
	    "{\"Name\":\"a\\\"\\\\\\n\\u0001\\u003c/script\\u003e\\u2028\xef\xbf\xbd\",\"Port\":1,\"Wait\":null,\"On\":null,\"Level\":\"\",\"Rate\":0.1}");
	struct typedesc_tree tree = { .value = 1 };
	assert_strz(encode(&typedesc_tree_desc, &tree, TYPEDESC_JSON_INDENT), "{\n\t\"Value\": 1,\n\t\"Children\": [],\n\t\"Left\": null\n}");
	tree.children.null = true;      /* not declared nullable: still a list */
	assert_strz(encode(&typedesc_tree_desc, &tree, 0), "{\"Value\":1,\"Children\":[],\"Left\":null}");
	struct typedesc_all all = { .secret = S("hunter2"), .d = 90 * TIME_SEC, .null_strings.null = true, .j = S("{\"<\":1}") };
	struct str json = encode(&typedesc_all_desc, &all, TYPEDESC_JSON_HTML);
	assert_true(str_search(json, S("\"Secret\":\"" TYPEDESC_MASK "\"")) > 0);
	assert_true(str_search(json, S("\"D\":90000000000,")) > 0);
	assert_true(str_search(json, S("\"NullStrings\":null,")) > 0);
	assert_true(str_search(json, S("\"NullMap\":{},")) > 0);
	assert_true(str_search(json, S("{\"\\u003c\":1}")) > 0);
	assert_true(str_search(json, S("Omit")) < 0);
	assert_true(str_search(json, S("Hidden")) < 0);
}

struct row {
	const char *json, *error;
	int code;
};

static void
run(const struct typedesc *t, const struct row *rows, size_t n, unsigned flags)
{
	for (size_t i = 0; i < n; i++) {
		struct errmsg e = { 0 };
		void *v = typedesc_new(test_arena(), t);
		int r = typedesc_json_decode(test_arena(), t, test_exact(str_of(rows[i].json)), MAX_SIZE, flags, v, &e);

		test_row("%s", rows[i].json);
		assert_strz(str_of(e.text), rows[i].error);
		assert_int_equal(r, rows[i].error[0] ? (rows[i].code ? rows[i].code : ERR_INVALID) : 0);
		if (r < 0)
			assert_true(typedesc_is_zero(t, v));    /* untouched */
	}
}

TEST(refused)
{
	static const struct row rows[] = {
		{ "{\"Value\":1,\"Children\":[]}", "Left: missing field", 0 },
		{ "{\"Value\":1,\"Children\":null,\"Left\":null}", "", 0 },
		{ "{\"Value\":1,\"Children\":[],\"Left\":null,\"X\":1}", "X: unknown field", 0 },
		{ "{\"Value\":1,\"Children\":[],\"Left\":null,\"value\":1}", "value: unknown field", 0 },
		{ "{\"Value\":1,\"Children\":[],\"Left\":null,\"Value\":1}", "Value: duplicate field", 0 },
		{ "{\"Value\":1,\"Children\":[{\"Value\":2,\"Children\":[],\"Left\":null},{\"Value\":true,\"Children\":[],\"Left\":null}],\"Left\":null}",
		    "Children[1].Value: expected a number", 0 },
		{ "{\"Value\":null,\"Children\":[],\"Left\":null}", "Value: null is not allowed", 0 },
		{ "{\"Value\":\"1\",\"Children\":[],\"Left\":null}", "Value: expected a number", 0 },
		{ "{\"Value\":1.5,\"Children\":[],\"Left\":null}", "Value: expected a whole number", 0 },
		{ "{\"Value\":9007199254740991,\"Children\":[],\"Left\":null}", "", 0 },
		{ "{\"Value\":9007199254740992,\"Children\":[],\"Left\":null}", "Value: number out of range", 0 },
		{ "{\"Value\":9007199254740993,\"Children\":[],\"Left\":null}", "Value: number out of range", 0 },
		{ "{\"Value\":1e400,\"Children\":[],\"Left\":null}", "Value: number out of range", 0 },
		{ "{\"Value\":1,\"Children\":{},\"Left\":null}", "Children: expected an array", 0 },
		{ "{\"Value\":1,\"Children\":[],\"Left\":[]}", "Left: expected an object", 0 },
		{ "[]", "expected an object", 0 },
		{ "null", "null is not allowed", 0 },
	};

	run(&typedesc_tree_desc, rows, ARRAY_LEN(rows), 0);
}

TEST(refused_in_fields)
{
	static const struct row rows[] = {
		{ "{}", "", 0 },
		{ "{\"Level\":\"\"}", "", 0 },
		{ "{\"Level\":\"green\"}", "Level: unknown value, expected one of: red, light green, blue", 0 },
		{ "{\"Wait\":1000}", "", 0 },
		{ "{\"Wait\":31557600000000000}", "", 0 },      /* a year in nanoseconds is beyond 2^53 */
		{ "{\"Wait\":1e300}", "Wait: number out of range", 0 },
		{ "{\"Wait\":\"1s\"}", "Wait: expected a number of nanoseconds", 0 },
		{ "{\"On\":0}", "On: expected true or false", 0 },
		{ "{\"Rate\":1e400}", "Rate: number out of range", 0 },
		{ "{\"Name\":7}", "Name: expected a string", 0 },
	};

	run(&typedesc_sub_desc, rows, ARRAY_LEN(rows), 0);
}

TEST(refused_syntax)
{
	static const struct row rows[] = {
		{ "", "JSON: expected value at offset 0", 0 },
		{ "{\"Name\":\"a\\u0000b\"}", "JSON: expected string without NUL at offset 16", 0 },
		{ "{\"Name\":\"a\nb\"}", "JSON: expected string without control characters at offset 11", 0 },
		{ "{\"Name\":\"\\ud800\"}", "JSON: expected \\u at offset 15", 0 },
		{ "{\"Name\":\"\\udc00\"}", "JSON: expected no lone surrogate at offset 15", 0 },
		{ "{\"Name\":\"\\ud83d\\udce7\"}", "", 0 },
		{ "{\"Name\":\"\\x\"}", "JSON: expected known escape at offset 11", 0 },
		{ "{\"Name\":\"\xff\"}", "JSON: not valid UTF-8", 0 },
		{ "{\"Port\":01}", "JSON: expected '}' at offset 9", 0 },
		{ "{\"Port\":1.}", "JSON: expected digits at offset 10", 0 },
		{ "{\"Port\":+1}", "JSON: expected value at offset 8", 0 },
		{ "{\"Port\":0x1}", "JSON: expected '}' at offset 9", 0 },
		{ "{\"Port\":NaN}", "JSON: expected value at offset 8", 0 },
		{ "{\"Port\":1,}", "JSON: expected '\"' at offset 10", 0 },
		{ "{\"Port\":1} x", "JSON: expected end at offset 11", 0 },
		{ "{} {}", "JSON: expected end at offset 3", 0 },
		{ "\xef\xbb\xbf{}", "JSON: expected value at offset 0", 0 },
		{ "// c\n{}", "JSON: expected value at offset 0", 0 },
	};

	run(&typedesc_sub_desc, rows, ARRAY_LEN(rows), 0);
}

TEST(lenient)
{
	static const struct row rows[] = {
		{ "{}", "", 0 },
		{ "{\"X\":[1],\"Value\":3,\"X\":2}", "", 0 },
		{ "{\"Value\":3,\"Value\":3}", "Value: duplicate field", 0 },
		{ "{\"Value\":\"3\"}", "Value: expected a number", 0 },
	};

	run(&typedesc_tree_desc, rows, ARRAY_LEN(rows), TYPEDESC_JSON_LENIENT);
}

TEST(tolerant)
{
	static const struct row rows[] = {
		{ "{\"value\":3,\"CHILDREN\":{\"Value\":4}} trailing", "", 0 },
		{ "{\"Value\":1,\"value\":3,\"x\":null}", "", 0 },
		{ "{\"Value\":null,\"Children\":null}", "", 0 },
		{ "{\"Value\":\"3\"}", "Value: expected a number", 0 },
		{ "{\"Value\":3", "JSON: expected '}' at offset 10", 0 },
	};
	struct typedesc_tree v = { 0 };
	int64_t us = 0;

	run(&typedesc_tree_desc, rows, ARRAY_LEN(rows), TYPEDESC_JSON_TOLERANT);
	assert_ok(typedesc_json_decode(test_arena(), &typedesc_tree_desc, str_of(rows[0].json), MAX_SIZE, TYPEDESC_JSON_TOLERANT, &v, NULL));
	assert_int_equal(v.value, 3);
	assert_int_equal(v.children.n, 1);
	assert_int_equal(v.children.v[0].value, 4);
	assert_ok(typedesc_json_decode(test_arena(), &typedesc_tree_desc, str_of(rows[1].json), MAX_SIZE, TYPEDESC_JSON_TOLERANT, &v, NULL));
	assert_int_equal(v.value, 3);
	assert_ok(typedesc_json_decode(test_arena(), &typedesc_time, S("\"1970-01-01T00:00:01\""), MAX_SIZE, TYPEDESC_JSON_TOLERANT, &us, NULL));
	assert_int_equal(us, TIME_SEC);
	assert_err(typedesc_json_decode(test_arena(), &typedesc_time, S("\"1970-01-01T00:00:01\""), MAX_SIZE, 0, &us, NULL), ERR_INVALID);
}

TEST(maps)
{
	const struct typedesc *t = typedesc_type(&typedesc_all_desc, "NullMap");
	static const struct row rows[] = {
		{ "{\"b\":1,\"a\":2}", "", 0 },
		{ "{\"b\":1,\"a\":2,\"b\":3}", "b: duplicate field", 0 },
		{ "{\"example.org\":null}", "example.org: null is not allowed", 0 },
		{ "[]", "expected an object", 0 },
	};
	struct typedesc_i64_map m = { 0 };

	run(t, rows, ARRAY_LEN(rows), 0);
	assert_ok(typedesc_json_decode(test_arena(), t, S("{\"b\":1,\"a\":2}"), MAX_SIZE, 0, &m, NULL));
	assert_strz(m.v[0].k, "a");
	assert_ok(typedesc_json_decode(test_arena(), t, S("null"), MAX_SIZE, 0, &m, NULL));
	assert_true(m.null && m.n == 0);
}

TEST(secrets)
{
	struct typedesc_all v = { .common.id = 1, .secret = S("x"), .color = TYPEDESC_COLOR_RED }, w = { 0 };
	struct errmsg e = { 0 };

	assert_err(typedesc_json_decode(test_arena(), &typedesc_all_desc, encode(&typedesc_all_desc, &v, 0), MAX_SIZE, 0, &w, &e), ERR_INVALID);
	assert_strz(str_of(e.text), "Secret: the secret is masked, give its value");
	assert_ok(typedesc_json_decode(test_arena(), &typedesc_all_desc, encode(&typedesc_all_desc, &v, TYPEDESC_JSON_SECRETS), MAX_SIZE, 0, &w, NULL));
	v.secret = (struct str){ 0 };   /* no secret is not masked */
	assert_ok(typedesc_json_decode(test_arena(), &typedesc_all_desc, encode(&typedesc_all_desc, &v, 0), MAX_SIZE, 0, &w, NULL));
}

TEST(limits)
{
	struct typedesc_tree v;
	struct errmsg e = { 0 };
	struct buf b = BUF_ARENA(test_arena(), MAX_SIZE);

	assert_err(typedesc_json_decode(test_arena(), &typedesc_tree_desc, S("{}    "), 5, 0, &v, &e), ERR_LIMIT);
	assert_strz(str_of(e.text), "JSON: longer than 5 bytes");
	for (size_t i = 0; i <= LIMIT_JSON_DEPTH; i++)
		buf_addc(&b, '[');
	e = (struct errmsg){ 0 };
	assert_err(typedesc_json_scan(buf_str(&b), NULL, &e), ERR_LIMIT);
	struct buf many = BUF_ARENA(test_arena(), 10 * MAX_SIZE);
	buf_addc(&many, '[');
	for (size_t i = 0; i < LIMIT_JSON_VALUES; i++)
		buf_addz(&many, "1,");
	buf_addz(&many, "1]");
	assert_err(typedesc_json_scan(buf_str(&many), NULL, NULL), ERR_LIMIT);
	v = (struct typedesc_tree){ 0 };
	assert_err(typedesc_json_decode(test_arena(), &typedesc_all_desc, S("{\"Note\":\"12345678901\"}"), MAX_SIZE, 0, &v, NULL), ERR_LIMIT);
}

/* Every proper prefix of a text fails cleanly. */
TEST(truncated)
{
	struct typedesc_all v = { 0 };

	typedesc_sample(test_arena(), &typedesc_all_desc, 7, &v);
	struct str json = encode(&typedesc_all_desc, &v, TYPEDESC_JSON_SECRETS);
	for (size_t n = 0; n < json.n; n++) {
		struct typedesc_all w;

		assert_true(typedesc_json_decode(test_arena(), &typedesc_all_desc, test_exact(str_upto(json, n)), MAX_SIZE, 0, &w, NULL) < 0);
	}
}

TEST(calls)
{
	const struct typedesc_func *add = typedesc_api_func(&typedesc_api_test_api, S("Add"));
	static const struct { const char *body, *error; int code; } rows[] = {
		{ "{\"params\":[1,2]}", "", 0 },
		{ "{\"params\":[1]}", "Add takes 2 parameters", ERR_UNSUPPORTED },
		{ "{\"params\":[1,\"2\"]}", "b: expected a number", ERR_UNSUPPORTED },
		{ "{\"params\":{}}", "expected an object with only an array \"params\"", ERR_INVALID },
		{ "{\"params\":[1,2],\"x\":1}", "expected an object with only an array \"params\"", ERR_INVALID },
		{ "{}", "expected an object with only an array \"params\"", ERR_INVALID },
		{ "[]", "expected an object with only an array \"params\"", ERR_INVALID },
		{ "{", "JSON: expected '\"' at offset 1", ERR_INVALID },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct errmsg e = { 0 };
		void *in = NULL;

		test_row("%s", rows[i].body);
		assert_int_equal(typedesc_json_params(test_arena(), add, str_of(rows[i].body), MAX_SIZE, &in, &e), rows[i].code);
		assert_strz(str_of(e.text), rows[i].error);
		assert_true((in != NULL) == (rows[i].code == 0));
	}
}

TEST(results)
{
	struct typedesc_add_out out = { .result = 3 };
	struct str names[] = { S("x") };
	struct typedesc_pair_out pair = { .color = TYPEDESC_COLOR_BLUE, .names = { .v = names, .n = 1 } };
	struct buf b = BUF_ARENA(test_arena(), MAX_SIZE);

	typedesc_json_result(&b, typedesc_api_func(&typedesc_api_test_api, S("Add")), &out, 0);
	assert_strz(buf_str(&b), "{\"result\":3}");
	buf_reset(&b);
	typedesc_json_result(&b, typedesc_api_func(&typedesc_api_test_api, S("Pair")), &pair, 0);
	assert_strz(buf_str(&b), "{\"result\":[\"blue\",[\"x\"]]}");
	buf_reset(&b);
	typedesc_json_result(&b, typedesc_api_func(&typedesc_api_test_api, S("Ping")), "", 0);
	assert_strz(buf_str(&b), "{\"result\":null}");
}
