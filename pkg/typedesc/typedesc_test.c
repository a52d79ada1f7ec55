/* SPDX-License-Identifier: MIT */
#include "base/timeutil.h"
#include "testutil/testutil.h"
#include "typedesc/api_test_idl.h"
#include "typedesc/typedesc_test_idl.h"

struct apictx {
	int calls;
};

int
typedesc_add(struct apictx *c, const struct typedesc_add_in *in, struct typedesc_add_out *out)
{
	c->calls++;
	out->result = in->a + in->b;
	return 0;
}

int
typedesc_pair(struct apictx *c, const struct typedesc_pair_in *in, struct typedesc_pair_out *out)
{
	c->calls++;
	out->color = in->all.color;
	out->names = in->all.strings;
	return 0;
}

int
typedesc_ping(struct apictx *c, const struct typedesc_ping_in *in unused_, struct typedesc_ping_out *out unused_)
{
	c->calls++;
	return 0;
}

static bool
contains(struct str s, const char *what)
{
	return str_search(s, str_of(what)) >= 0;
}

TEST(table_of_fields)
{
	const struct typedesc_field *f = typedesc_field(&typedesc_all_desc, S("Note"));

	assert_non_null(f);
	assert_int_equal(f->offset, offsetof(struct typedesc_all, common.note));
	assert_int_equal(f->max, 10);
	f = typedesc_field(&typedesc_all_desc, S("D"));
	assert_true(f->max == 720 * TIME_HOUR);
	assert_strz(str_of(typedesc_field(&typedesc_all_desc, S("Sub"))->doc), "Sub may be absent.");
	assert_non_null(typedesc_field(&typedesc_all_desc, S("dashed-name")));
	assert_null(typedesc_field(&typedesc_all_desc, S("Dashed")));
	assert_strz(str_of(typedesc_all_desc.name), "All");
	assert_strz(str_of(typedesc_all_desc.doc), "All has one of each.");
	assert_int_equal(typedesc_typedesc_test_ntypes, 4);
}

TEST(table_of_row)
{
	const struct typedesc_row *r = &typedesc_message_row;

	assert_int_equal(r->ncols, 7);
	assert_int_equal(r->size, sizeof(struct typedesc_message));
	assert_strz(S(TYPEDESC_MESSAGE_COLUMNS), "id, parent, seen, subject, preview, hash, score");
	assert_int_equal(r->cols[1].kind, TYPEDESC_I64);
	assert_int_equal(r->cols[1].has, offsetof(struct typedesc_message, has_parent));
	assert_int_equal(r->cols[3].has, 0);
	assert_int_equal(r->cols[5].kind, TYPEDESC_BYTES);
	assert_int_equal(r->cols[6].kind, TYPEDESC_F64);
}

TEST(nearest)
{
	static const struct { const char *name, *want; } rows[] = {
		{ "strings", "Strings" }, { "Srtings", "Strings" }, { "NulStrings", "NullStrings" }, { "SubPlane", "SubPlain" }, { "Zebra", NULL }, { "", NULL },
		{ "Hiddn", NULL }, /* internal */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = typedesc_nearest(&typedesc_all_desc, str_of(rows[i].name));

		test_row("%s", rows[i].name);
		assert_strz(str_of(got), rows[i].want ? rows[i].want : "");
	}
}

TEST(zero)
{
	struct typedesc_all v = { 0 };
	struct typedesc_sub sub = { 0 };

	assert_true(typedesc_is_zero(&typedesc_all_desc, &v));
	v.hidden = 1;
	v.ptr = &v;
	assert_true(typedesc_is_zero(&typedesc_all_desc, &v));
	v.strings.null = true;
	assert_true(typedesc_is_zero(&typedesc_all_desc, &v));
	v.sub = &sub;                   /* present but empty */
	assert_false(typedesc_is_zero(&typedesc_all_desc, &v));
	assert_true(typedesc_is_zero(&typedesc_sub_desc, &sub));
	v = (struct typedesc_all){ .tree.value = 1 };
	assert_false(typedesc_is_zero(&typedesc_all_desc, &v));
	v = (struct typedesc_all){ .f64 = -0.0 };
	assert_true(typedesc_is_zero(&typedesc_all_desc, &v));
}

TEST(copy_and_equal)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct typedesc_all v = { 0 }, w, other = { 0 };
		struct arena copy = { 0 };

		test_row("seed %llu", (unsigned long long)seed);
		typedesc_sample(test_arena(), &typedesc_all_desc, seed, &v);
		v.ptr = &v;
		typedesc_copy(&copy, &typedesc_all_desc, &w, &v);
		assert_null(w.ptr);
		assert_true(typedesc_equal(&typedesc_all_desc, &v, &w));
		typedesc_sample(&copy, &typedesc_all_desc, seed + 1000, &other);
		assert_false(typedesc_equal(&typedesc_all_desc, &v, &other));
		arena_done(&copy);
	}
}

TEST(null_differs_only_where_nullable)
{
	struct typedesc_all v = { 0 }, w = { 0 };

	v.strings.null = true;
	assert_true(typedesc_equal(&typedesc_all_desc, &v, &w));
	v.null_strings.null = true;
	assert_false(typedesc_equal(&typedesc_all_desc, &v, &w));
	w.null_strings.null = true;
	assert_true(typedesc_equal(&typedesc_all_desc, &v, &w));
}

TEST(defaults)
{
	struct typedesc_sub sub = { .port = 26 };
	struct typedesc_all v = { .sub = &sub };
	struct typedesc_sub *s;
	int64_t none = 0;
	bool off = false;

	s = typedesc_map_set(test_arena(), typedesc_type(&typedesc_all_desc, "MapSub"), &v.map_sub, S("k"));
	s->wait = &none;
	s->on = &off;
	typedesc_defaults(test_arena(), &typedesc_all_desc, &v);
	assert_int_equal(sub.port, 26);
	assert_true(*sub.wait == 15 * TIME_SEC);
	assert_true(*sub.on);
	assert_int_equal(sub.level, TYPEDESC_COLOR_GREEN);
	assert_true(sub.rate == 0.5);
	assert_int_equal(v.sub_plain.port, 25);
	s = typedesc_map_find(typedesc_type(&typedesc_all_desc, "MapSub"), &v.map_sub, S("k"));
	assert_int_equal(s->port, 25);
	assert_true(*s->wait == 0 && !*s->on);          /* present and zero is apart from absent */
	assert_null(v.opt_bool);
}

TEST(maps_stay_sorted)
{
	const struct typedesc *t = typedesc_type(&typedesc_all_desc, "Map");
	struct typedesc_str_map m = { 0 };
	static const char *const keys[] = { "m", "b", "z", "a", "mm", "", "b" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		*(struct str *)typedesc_map_set(test_arena(), t, &m, str_of(keys[i])) = str_of(keys[i]);
	assert_int_equal(m.n, 6);
	for (size_t i = 0; i < m.n; i++) {
		assert_true(i == 0 || str_cmp(m.v[i - 1].k, m.v[i].k) < 0);
		assert_true(str_is(m.v[i].k, m.v[i].v));
	}
	assert_non_null(typedesc_map_find(t, &m, S("mm")));
	assert_null(typedesc_map_find(t, &m, S("mn")));
	assert_true(typedesc_map_del(t, &m, S("b")));
	assert_false(typedesc_map_del(t, &m, S("b")));
	assert_int_equal(m.n, 5);
}

TEST(lists_grow)
{
	const struct typedesc *t = typedesc_type(&typedesc_all_desc, "Strings");
	struct str fixed[] = { S("x"), S("y"), S("z") };
	struct typedesc_str_list l = { .v = fixed, .n = 3 };    /* an array of our own is never written behind its end */

	for (size_t i = 0; i < 100; i++)
		*(struct str *)typedesc_list_add(test_arena(), t, &l) = S("more");
	assert_int_equal(l.n, 103);
	assert_strz(l.v[2], "z");
	assert_strz(l.v[102], "more");
}

TEST(scalars)
{
	static const struct {
		const struct typedesc *t;
		const char *text, *print, *error;       /* print NULL: as text */
	} rows[] = {
		{ &typedesc_bool, "true", NULL, NULL },
		{ &typedesc_bool, "True", NULL, "expected true or false" },
		{ &typedesc_bool, "", NULL, "expected true or false" },
		{ &typedesc_i32, "2147483647", NULL, NULL },
		{ &typedesc_i32, "2147483648", NULL, "number out of range" },
		{ &typedesc_u32, "4294967295", NULL, NULL },
		{ &typedesc_u32, "-1", NULL, "number out of range" },
		{ &typedesc_i64, "-9223372036854775808", NULL, NULL },
		{ &typedesc_i64, "9223372036854775808", NULL, "expected a decimal number" },
		{ &typedesc_i64, "+5", "5", NULL },
		{ &typedesc_i64, "5 ", NULL, "expected a decimal number" },
		{ &typedesc_i64, "0x10", NULL, "expected a decimal number" },
		{ &typedesc_f64, "0.95", "0.950000", NULL },
		{ &typedesc_f64, "1e-9", "1.0000000000000001e-09", NULL },
		{ &typedesc_f64, "-1.5E+3", "-1500.000000", NULL },
		{ &typedesc_f64, "nan", NULL, "expected a number" },
		{ &typedesc_f64, "inf", NULL, "expected a number" },
		{ &typedesc_f64, "0x1p3", NULL, "expected a number" },
		{ &typedesc_f64, ".5", NULL, "expected a number" },
		{ &typedesc_f64, "1e999", NULL, "number out of range" },
		{ &typedesc_string, "any \xe2\x82\xac", NULL, NULL },
		{ &typedesc_string, "\xff", NULL, "not valid UTF-8" },
		{ &typedesc_bytes, "AAEC", NULL, NULL },
		{ &typedesc_bytes, "AAE", NULL, "expected base64" },
		{ &typedesc_time, "2024-02-29T12:00:00Z", NULL, NULL },
		{ &typedesc_time, "2024-02-30T12:00:00Z", NULL, "expected a time like 2006-01-02T15:04:05Z" },
		{ &typedesc_duration, "1h30m", "1h30m0s", NULL },
		{ &typedesc_duration, "0", "0s", NULL },
		{ &typedesc_duration, "5", NULL, "expected a duration like 1h30m" },
		{ &typedesc_color_desc, "light green", NULL, NULL },
		{ &typedesc_color_desc, "Green", NULL, "unknown value, expected one of: red, light green, blue" },
		{ &typedesc_color_desc, "", NULL, "unknown value, expected one of: red, light green, blue" },
		{ &typedesc_mood_desc, "", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct errmsg e = { 0 };
		struct buf b = BUF_ARENA(test_arena(), 1000);
		union { struct str s; int64_t i; double d; } v = { 0 };
		int r = typedesc_parse(test_arena(), rows[i].t, test_exact(str_of(rows[i].text)), &v, &e);

		test_row("%s %s", rows[i].t->name, rows[i].text);
		assert_strz(str_of(e.text), rows[i].error ? rows[i].error : "");
		assert_int_equal(r, rows[i].error ? ERR_INVALID : 0);
		if (r < 0)
			continue;
		typedesc_print(&b, rows[i].t, &v);
		assert_strz(buf_str(&b), rows[i].print ? rows[i].print : rows[i].text);
	}
}

TEST(bounds)
{
	static const struct { const char *field; int64_t v; const char *error; } rows[] = {
		{ "ID", 0, "must be at least 1" }, { "ID", 1, "" }, { "I64", -6, "must be at least -5" }, { "D", 721 * TIME_HOUR, "must be at most 720h0m0s" },
	};
	struct errmsg e = { 0 };
	struct str note = S("12345678901");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct errmsg msg = { 0 };

		test_row("%s %lld", rows[i].field, (long long)rows[i].v);
		assert_int_equal(typedesc_check(typedesc_field(&typedesc_all_desc, str_of(rows[i].field)), &rows[i].v, &msg), rows[i].error[0] ? ERR_LIMIT : 0);
		assert_strz(str_of(msg.text), rows[i].error);
	}
	assert_err(typedesc_check(typedesc_field(&typedesc_all_desc, S("Note")), &note, &e), ERR_LIMIT);
	assert_strz(str_of(e.text), "must be at most 10 bytes");
	e = (struct errmsg){ 0 };
	struct typedesc_list l = { .n = 4 };
	assert_err(typedesc_check(typedesc_field(&typedesc_all_desc, S("Strings")), &l, &e), ERR_LIMIT);
	assert_strz(str_of(e.text), "must be at most 3 elements");
}

TEST(functions)
{
	const struct typedesc_func *f = typedesc_api_func(&typedesc_api_test_api, S("Add"));
	struct typedesc_add_in in = { .a = 2, .b = 3 };
	struct typedesc_add_out out = { 0 };
	struct apictx c = { 0 };

	assert_int_equal(f->call(&c, &in, &out), 0);
	assert_int_equal(out.result, 5);
	assert_int_equal(c.calls, 1);
	assert_null(typedesc_api_func(&typedesc_api_test_api, S("add")));
	f = typedesc_api_func(&typedesc_api_test_api, S("Pair"));
	assert_strz(str_of(f->errors[1]), "user:other");
	assert_null(f->errors[2]);
}

TEST(docs)
{
	struct buf b = BUF_ARENA(test_arena(), 100000);

	typedesc_docs(&b, &typedesc_api_test_api);
	assert_true(contains(buf_str(&b), "An API with types from elsewhere.\n"));
	assert_true(contains(buf_str(&b), "Add(a i64, b i64) (result i64)\n\tAdd adds.\n\tBoth numbers.\n\n"));
	assert_true(contains(buf_str(&b), "Pair(all All) (color Color, names []string)\n\tErrors: user:notFound user:other\n"));
	assert_true(contains(buf_str(&b), "\tD duration, at least 0s, at most 720h0m0s\n"));
	assert_true(contains(buf_str(&b), "\tPort i64, optional, default 25\n"));
	assert_true(contains(buf_str(&b), "Tree\n\tValue i64\n\tChildren []Tree\n\tLeft ?Tree\n"));
	assert_true(contains(buf_str(&b), "\t\"red\"\n\t\tLike blood.\n"));
	assert_false(contains(buf_str(&b), "Hidden"));
}
