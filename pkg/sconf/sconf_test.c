/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "base/timeutil.h"
#include "sconf/sconf.h"
#include "sconf/sconf_test_idl.h"
#include "testutil/testutil.h"

static struct str
lines(const struct strlist *l)
{
	return strlist_join(test_arena(), l, S("\n"));
}

static int
read_text(struct str text, struct sconf_file *v, struct sconf_node *root, struct sconf_report *r)
{
	*r = (struct sconf_report){ .a = test_arena(), .path = "f" };
	*v = (struct sconf_file){ 0 };
	return sconf_read(test_arena(), test_exact(text), &sconf_file_desc, v, root, r);
}

static struct sconf_file
must_read(struct str text)
{
	struct sconf_file v;
	struct sconf_report r;

	if (read_text(text, &v, NULL, &r) < 0)
		fail_msg(STRF "\nof\n" STRF, STRA(r.errors.v[0]), STRA(text));
	return v;
}

static const char example[] =
    "# top\n"
    "\n"
    "Hostname: mail.example.org \n"
    "   # a comment indented by anything\n"
    "Level: debug\n"
    "Flag: true\n"
    "Size: -0\n"
    "Rate: 1e-3\n"
    "Wait: 0s\n"
    "Listeners:\n"
    "\tpublic:\n"
    "\t\tIPs:\n"
    "\t\t\t- 198.51.100.1\n"
    "# out of line\n"
    "\t\t\t- 2001:db8::1 # no comment\n"
    "\t\tSMTP:\n"
    "\t\t\tEnabled: true\n"
    "\tempty: nil\n"
    "Names:\n"
    "\t-\n"
    "\t- \n"
    "\t-  two  \n"
    "Rules:\n"
    "\t-\n"
    "\t\tPattern: ^x: y$\n"
    "\t\tSub:\n"
    "\t\t\tMax: 0\n"
    "\t-\n"
    "\t\tPattern: # b\n"
    "Pairs:\n"
    "\t- x: nil\n"
    "\tb:\n"
    "Tree:\n"
    "\tName: a\n"
    "\tChildren:\n"
    "\t\t-\n"
    "\t\t\tName: b\n"
    "\n"
    "# end";

TEST(read_example)
{
	struct sconf_file v = must_read(str_of(example));

	assert_strz(v.hostname, "mail.example.org ");
	assert_int_equal(v.level, SCONF_LEVEL_DEBUG);
	assert_true(v.flag && v.size == 0 && v.rate == 1e-3);
	assert_true(v.wait && *v.wait == 0);
	assert_int_equal(v.listeners.n, 2);
	assert_strz(v.listeners.v[0].k, "empty");
	assert_int_equal(v.listeners.v[0].v.ips.n, 0);
	assert_strz(v.listeners.v[1].k, "public");
	assert_int_equal(v.listeners.v[1].v.ips.n, 2);
	assert_strz(v.listeners.v[1].v.ips.v[1], "2001:db8::1 # no comment");
	assert_true(v.listeners.v[1].v.smtp.enabled);
	assert_int_equal(v.names.n, 3);
	assert_strz(v.names.v[0], "");
	assert_strz(v.names.v[1], "");
	assert_strz(v.names.v[2], " two  ");
	assert_int_equal(v.rules.n, 2);
	assert_strz(v.rules.v[0].pattern, "^x: y$");
	assert_non_null(v.rules.v[0].sub);      /* present, though all in it is zero */
	assert_null(v.rules.v[1].sub);
	assert_strz(v.rules.v[1].pattern, "# b");
	assert_strz(v.pairs.v[0].k, "- x");
	assert_strz(v.pairs.v[0].v, "nil");     /* nil is for blocks */
	assert_null(v.maybe);
	assert_strz(v.tree->children.v[0].name, "b");
}

#define LEAST "Hostname: h\nListeners: nil\n"

TEST(errors)
{
	static const struct { const char *text, *errors; } rows[] = {
		{ LEAST, "" },
		{ "Hostname: h\nListeners: nil", "" },          /* no line end at the end */
		{ "Hostname: h\n", "f:1: missing required key \"Listeners\"" },
		{ "", "f:1: missing required key \"Hostname\"\nf:1: missing required key \"Listeners\"" },
		{ LEAST "Flag:true\n", "f:3: missing space after colon" },
		{ LEAST "Flag true\n", "f:3: missing colon, expected \"Key: value\" or \"Key:\"" },
		{ LEAST ": true\n", "f:3: empty key" },
		{ LEAST " Flag: true\n", "f:3: begins with a space, perhaps mixed tab and space indenting" },
		{ LEAST "Flag : true\n", "f:3: white space around the key, perhaps mixed tab and space indenting" },
		{ LEAST "  \n", "f:3: only white space, perhaps stray; empty lines must be empty" },
		{ LEAST "\t\n", "f:3: only white space, perhaps stray; empty lines must be empty" },
		{ LEAST "\tFlag: true\n", "f:2: expected an indented block below, not a value" },
		{ LEAST "\t\tFlag: true\n\t\t\tx: y\nFlag: x\n", "f:3: indented by 2 tabs where at most 1 can be, perhaps stray white space\nf:5: Flag: expected true or false" },
		{ LEAST "flag: true\n", "f:3: unknown key \"flag\", did you mean \"Flag\"?" },
		{ LEAST "Hidden: 1\n", "f:3: unknown key \"Hidden\"" },
		{ LEAST "Shown: 1\n", "f:3: unknown key \"Shown\"" },
		{ LEAST "Flag: true\nFlag: true\n", "f:4: duplicate key \"Flag\", first in line 3" },
		{ LEAST "Flag: TRUE\n", "f:3: Flag: expected true or false" },
		{ LEAST "Flag: true \n", "f:3: Flag: expected true or false" },
		{ LEAST "Flag:\n", "f:3: Flag: expected true or false" },
		{ LEAST "Flag: true\r\nSize: 1\r\n", "f:3: line ends in CR LF, must be LF alone" },
		{ LEAST "Size: -1\n", "f:3: Size: must be at least 0" },
		{ LEAST "Size:\n\tx: 1\n", "f:4: unexpected indented block, the value stands behind the colon or dash" },
		{ LEAST "Level: warn\n", "f:3: Level: unknown value, expected one of: info, debug" },
		{ LEAST "Wait: 5\n", "f:3: Wait: expected a duration like 1h30m" },
		{ LEAST "Names:\n", "f:3: expected an indented block below" },
		{ LEAST "Names: x\n", "f:3: expected an indented block below, not a value" },
		{ LEAST "Names: nil\n", "" },
		{ LEAST "Names:\n\tx\n", "f:4: expected a list item, \"- value\" or \"-\"" },
		{ LEAST "Names:\n\t-x\n", "f:4: missing space after dash" },
		{ LEAST "Names:\n# c\n\t- x\n\n\t# c\n\t- y\n", "" },
		{ LEAST "Limits: nil\n", "f:3: expected an indented block below, not a value" },
		{ LEAST "Pairs:\n\ta: 1\n\tb: 2\n\ta: 3\n", "f:6: duplicate key \"a\"" },
		{ LEAST "Rules:\n\t-\n\t\tTarget: x\n\t-\n\t\tPattern: y\n", "f:5: missing required key \"Pattern\" in -" },
		{ LEAST "Maybe:\n\tMax: 1\n# c\nFlag: maybe\n", "f:6: Flag: expected true or false" },
		{ LEAST "Tree:\n\tChildren: nil\n", "f:4: missing required key \"Name\" in Tree:" },
		{ LEAST "Old: x\n", "" },
		{ LEAST "Hostname\xff: x\n", "f:3: unknown key \"Hostname\\xff\", did you mean \"Hostname\"?" },
		{ LEAST "Names:\n\t- \xff\n", "f:4: not valid UTF-8" },
		/* Several at once, in the order of lines. */
		{ "Hostnme: h\nListeners:\n\ta:\n\t\tPort: x\n\t\tprt: 1\n  \n\tb: nil\nNames: y\n",
		    "f:1: unknown key \"Hostnme\", did you mean \"Hostname\"?\nf:4: Port: expected a decimal number\n"
		    "f:5: unknown key \"prt\", did you mean \"Port\"?\nf:6: only white space, perhaps stray; empty lines must be empty\n"
		    "f:8: expected an indented block below, not a value" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sconf_file v;
		struct sconf_report r;
		int ret = read_text(str_of(rows[i].text), &v, NULL, &r);

		test_row("%s", rows[i].text);
		assert_strz(lines(&r.errors), rows[i].errors);
		assert_int_equal(ret, rows[i].errors[0] ? ERR_INVALID : 0);
	}
}

TEST(deprecated)
{
	struct sconf_report r;
	struct sconf_file v;

	assert_ok(read_text(S(LEAST "Old: x\n"), &v, NULL, &r));
	assert_strz(lines(&r.warnings), "f:3: Old is deprecated");
}

TEST(many_errors_are_cut)
{
	struct buf b = BUF_ARENA(test_arena(), LIMIT_CONFIG_SIZE + 1000);
	struct sconf_report r;
	struct sconf_file v;

	for (int i = 0; i < 150; i++)
		buf_addz(&b, "x\n");
	assert_err(read_text(buf_str(&b), &v, NULL, &r), ERR_INVALID);
	assert_int_equal(r.errors.n, SCONF_MAX_ERRORS);
	assert_int_equal(r.dropped, 50);
}

TEST(too_deep_and_too_long)
{
	struct buf b = BUF_ARENA(test_arena(), LIMIT_CONFIG_SIZE + 1000);
	struct sconf_report r;
	struct sconf_file v;

	for (int depth = 0; depth < 200; depth++) {
		for (int i = 0; i < depth; i++)
			buf_addc(&b, '\t');
		buf_addz(&b, "x:\n");
	}
	assert_err(read_text(buf_str(&b), &v, NULL, &r), ERR_INVALID);
	buf_reset(&b);
	while (b.n <= LIMIT_CONFIG_SIZE)
		buf_addz(&b, "# ................................................................................................................\n");
	assert_err(read_text(buf_str(&b), &v, NULL, &r), ERR_INVALID);
	assert_int_equal(r.errors.n, 1);
}

/* Each prefix is read without a fault; its whole lines as far as they go. */
TEST(truncated)
{
	for (size_t n = 0; n < sizeof(example) - 1; n++) {
		struct sconf_report r;
		struct sconf_file v;

		ignore_result(read_text(str_n(example, n), &v, NULL, &r));
	}
}

TEST(line_of_value)
{
	static const struct { struct str path[4]; size_t n; unsigned line; } rows[] = {
		{ { { 0 } }, 0, 1 },
		{ { S("Hostname") }, 1, 3 },
		{ { S("Listeners"), S("public"), S("SMTP"), S("Enabled") }, 4, 17 },
		{ { S("Listeners"), S("public"), S("IMAP") }, 3, 11 },
		{ { S("Listeners"), S("public"), S("IPs"), S("1") }, 4, 15 },
		{ { S("Rules"), S("1"), S("Pattern") }, 3, 29 },
		{ { S("Rules"), S("7") }, 2, 23 },
		{ { S("Nothing") }, 1, 1 },
	};
	struct sconf_report r;
	struct sconf_node root;
	struct sconf_file v;

	assert_ok(read_text(str_of(example), &v, &root, &r));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		assert_int_equal(sconf_line(&root, rows[i].path, rows[i].n), rows[i].line);
	}
}

static struct str
write_text(const struct sconf_file *v)
{
	struct buf b = BUF_ARENA(test_arena(), 1024 * 1024);
	struct errmsg e = { 0 };

	if (sconf_write(&b, &sconf_file_desc, v, &e) < 0)
		fail_msg("%s", e.text);
	return buf_str(&b);
}

TEST(write_example)
{
	struct sconf_file v = must_read(str_of(example));

	assert_strz(write_text(&v),
	    "Hostname: mail.example.org \nLevel: debug\nFlag: true\nRate: 0.001000\nWait: 0s\n"
	    "Listeners:\n\tempty: nil\n\tpublic:\n\t\tIPs:\n\t\t\t- 198.51.100.1\n\t\t\t- 2001:db8::1 # no comment\n\t\tSMTP:\n\t\t\tEnabled: true\n"
	    "Names:\n\t-\n\t-\n\t-  two  \nRules:\n\t-\n\t\tPattern: ^x: y$\n\t\tSub:\n\t\t\tMax: 0\n\t-\n\t\tPattern: # b\nPairs:\n\t- x: nil\n\tb:\n"
	    "Tree:\n\tName: a\n\tChildren:\n\t\t-\n\t\t\tName: b\n");
}

TEST(write_refuses)
{
	struct str names[] = { S("a\nb") };
	struct sconf_file v = { .names = { .v = names, .n = 1 } };
	struct typedesc_str_entry pairs[] = { { S("a:b"), S("x") } };
	struct sconf_file w = { .pairs = { .v = pairs, .n = 1 } };
	static const struct str keys[] = { S(""), S(" a"), S("a\t"), S("#a"), S("a\rb"), S("x:y") };
	struct buf b = BUF_ARENA(test_arena(), 100000);

	assert_err(sconf_write(&b, &sconf_file_desc, &v, NULL), ERR_INVALID);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		pairs[0].k = keys[i];
		assert_err(sconf_write(&b, &sconf_file_desc, &w, NULL), ERR_INVALID);
	}
	pairs[0].k = S("a#- b");
	assert_ok(sconf_write(&b, &sconf_file_desc, &w, NULL));
}

TEST(docs)
{
	struct sconf_file v = { .hostname = S("h") };
	struct buf b = BUF_ARENA(test_arena(), 100000);

	assert_ok(sconf_write_docs(&b, &sconf_file_desc, &v, NULL));
	assert_strz(buf_str(&b),
	    "# Name of the machine. It is long enough to be broken into several lines of\n# comments when it is written with documentation.\nHostname: h\n"
	    "Listeners: nil\n");
}

TEST(describe)
{
	struct sconf_file v = { .hostname = S("h") };
	struct buf b = BUF_ARENA(test_arena(), 100000);

	sconf_describe(test_arena(), &b, &sconf_file_desc, &v);
	assert_true(str_search(buf_str(&b), S("Level:\nFlag: false\nSize: 0\nRate: 0.000000\nWait: 0s\nListeners:\n\tx:\n\t\tIPs:\n\t\t\t-\n\t\tPort: 0\n\t\tSMTP:\n"
	    "\t\t\tEnabled: false\n\t\t\tPort: 0\nNames:\n\t-\nRules:\n\t-\n\t\tPattern:\n")) > 0);
	assert_true(str_search(buf_str(&b), S("Maybe:\n\tMax: 0\n\tMin: 0\n")) > 0);
	assert_true(str_search(buf_str(&b), S("Tree:\n\tName:\n")) > 0);
	assert_true(str_search(buf_str(&b), S("Hidden")) < 0);
	/* What is described is read again. */
	struct sconf_report r;
	struct sconf_file w;
	buf_reset(&b);
	v.level = SCONF_LEVEL_INFO;
	sconf_describe(test_arena(), &b, &sconf_file_desc, &v);
	assert_ok(read_text(buf_str(&b), &w, NULL, &r));
}

/* Values that the format can hold come back. */
TEST(round_trip)
{
	for (size_t k = 0; k < sconf_sconf_test_ntypes; k++) {
		const struct typedesc *t = sconf_sconf_test_types[k];

		for (uint64_t seed = 1; seed < 300; seed++) {
			struct sconf_report r = { .a = test_arena(), .path = "f" };
			struct buf b = BUF_ARENA(test_arena(), 1024 * 1024);
			void *v = typedesc_new(test_arena(), t), *w = typedesc_new(test_arena(), t);
			struct errmsg e = { 0 };

			test_row("%s seed %llu", t->name, (unsigned long long)seed);
			typedesc_sample(test_arena(), t, seed, v);
			if (t == &sconf_file_desc)
				((struct sconf_file *)v)->shown = (struct str){ 0 };
			if (seed & 1)
				assert_ok(sconf_write(&b, t, v, &e));
			else
				assert_ok(sconf_write_docs(&b, t, v, &e));
			assert_ok(sconf_read(test_arena(), test_exact(buf_str(&b)), t, w, NULL, &r));
			assert_true(typedesc_equal(t, v, w));
		}
	}
}
