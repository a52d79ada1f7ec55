/* SPDX-License-Identifier: MIT */
#include "sconf/sconf.h"
#include "sconf/sconf_test_idl.h"
#include "testutil/testutil.h"

static struct sconf_file
read_file(struct str text, struct sconf_node *root)
{
	struct sconf_report r = { .a = test_arena(), .path = "f" };
	struct sconf_file v = { 0 };

	if (sconf_read(test_arena(), test_exact(text), &sconf_file_desc, &v, root, &r) < 0)
		fail_msg(STRF "\nof\n" STRF, STRA(r.errors.v[0]), STRA(text));
	return v;
}

/* Changes file `from` to the value of file `to`. */
static struct str
rewrite(const char *from, const char *to)
{
	struct buf b = BUF_ARENA(test_arena(), 1024 * 1024);
	struct sconf_node root, ignored;
	struct sconf_file old_v = read_file(str_of(from), &root), new_v = read_file(str_of(to), &ignored);
	struct errmsg e = { 0 };

	if (sconf_rewrite(test_arena(), &b, &root, &sconf_file_desc, &old_v, &new_v, &e) < 0)
		fail_msg("%s", e.text);
	struct sconf_file got = read_file(buf_str(&b), &ignored);
	assert_true(typedesc_equal(&sconf_file_desc, &got, &new_v));
	return buf_str(&b);
}

#define LISTENERS "Listeners: nil\n"

TEST(changes)
{
	static const struct { const char *name, *from, *to, *want; } rows[] = {
		{ "nothing: all as it was, also what writing would leave out",
		    "# a\n\nFlag: false\n# b\nHostname: h\n \t# c\n" LISTENERS "# d\n",
		    "Hostname: h\n" LISTENERS,
		    "# a\n\nFlag: false\n# b\nHostname: h\n \t# c\n" LISTENERS "# d\n" },
		{ "a value",
		    "# a\nHostname: h # not a comment\n# b\n" LISTENERS, "Hostname: i\n" LISTENERS, "# a\nHostname: i\n# b\n" LISTENERS },
		{ "a new key goes behind its neighbour of the type",
		    "# l\n" LISTENERS "# h\nHostname: h\n# end\n", "Hostname: h\nSize: 1\nFlag: true\n" LISTENERS, "# l\n" LISTENERS "# h\nHostname: h\nFlag: true\nSize: 1\n# end\n" },
		{ "a new key without neighbour goes to the start",
		    "# s\nHostname: h\nListeners:\n\t# x\n\tx:\n\t\tPort: 1\n",
		    "Hostname: h\nListeners:\n\tx:\n\t\tIPs:\n\t\t\t- 1\n\t\tPort: 1\n",
		    "# s\nHostname: h\nListeners:\n\t# x\n\tx:\n\t\tIPs:\n\t\t\t- 1\n\t\tPort: 1\n" },
		{ "a key that goes takes its own comment along",
		    "Hostname: h\n# section\n\n# flag\nFlag: true\n# list\n" LISTENERS, "Hostname: h\n" LISTENERS, "Hostname: h\n# section\n\n# list\n" LISTENERS },
		{ "to zero",
		    "Hostname: h\nFlag: true\n" LISTENERS, "Hostname: h\nFlag: false\n" LISTENERS, "Hostname: h\n" LISTENERS },
		{ "map entries",
		    "Hostname: h\nListeners:\n\t# c\n\tc: nil\n\t# a\n\ta: nil\n\t# e\n\te:\n\t\tPort: 1\n\t# end\n",
		    "Hostname: h\nListeners:\n\ta:\n\t\tPort: 2\n\tb: nil\n\tc: nil\n\td: nil\n\tf: nil\n",
		    "Hostname: h\nListeners:\n\t# c\n\tc: nil\n\td: nil\n\tf: nil\n\t# a\n\ta:\n\t\tPort: 2\n\tb: nil\n\t# end\n" },
		{ "an entry becomes nil",
		    "Hostname: h\nListeners:\n\tb:\n\t\t# p\n\t\tPort: 1\n\t\t# t\n",
		    "Hostname: h\nListeners:\n\tb: nil\n", "Hostname: h\nListeners:\n\tb: nil\n\t\t# t\n" },
		{ "a nil entry with a commented example gets a block",
		    "Hostname: h\nListeners:\n\tb: nil\n\t\t# Port: 1\n\tc: nil\n",
		    "Hostname: h\nListeners:\n\tb:\n\t\tPort: 2\n\tc: nil\n", "Hostname: h\nListeners:\n\tb:\n\t\tPort: 2\n\t\t# Port: 1\n\tc: nil\n" },
		{ "list: one more in the middle",
		    "Hostname: h\n" LISTENERS "Names:\n\t# a\n\t- a\n\t# c\n\t- c\n", "Hostname: h\n" LISTENERS "Names:\n\t- a\n\t- b\n\t- c\n",
		    "Hostname: h\n" LISTENERS "Names:\n\t# a\n\t- a\n\t- b\n\t# c\n\t- c\n" },
		{ "list: one less",
		    "Hostname: h\n" LISTENERS "Names:\n\t# a\n\t- a\n\t# b\n\t- b\n\t# c\n\t- c\n", "Hostname: h\n" LISTENERS "Names:\n\t- a\n\t- c\n",
		    "Hostname: h\n" LISTENERS "Names:\n\t# a\n\t- a\n\t# c\n\t- c\n" },
		{ "list: an item changes and keeps its comments",
		    "Hostname: h\n" LISTENERS "Rules:\n\t# first\n\t-\n\t\t# p\n\t\tPattern: a\n\t\t# t\n\t\tTarget: x\n\t# second\n\t-\n\t\tPattern: b\n",
		    "Hostname: h\n" LISTENERS "Rules:\n\t-\n\t\tPattern: a\n\t\tTarget: y\n\t-\n\t\tPattern: b\n",
		    "Hostname: h\n" LISTENERS "Rules:\n\t# first\n\t-\n\t\t# p\n\t\tPattern: a\n\t\t# t\n\t\tTarget: y\n\t# second\n\t-\n\t\tPattern: b\n" },
		{ "list: to the end",
		    "Hostname: h\n" LISTENERS "Names:\n\t- a\n\t# end\n", "Hostname: h\n" LISTENERS "Names:\n\t- a\n\t- b\n", "Hostname: h\n" LISTENERS "Names:\n\t- a\n\t- b\n\t# end\n" },
		{ "optional struct with nothing left",
		    "Hostname: h\n" LISTENERS "Maybe:\n\t# m\n\tMin: 1\n", "Hostname: h\n" LISTENERS "Maybe:\n\tMax: 0\n", "Hostname: h\n" LISTENERS "Maybe:\n\tMax: 0\n" },
		{ "optional struct goes",
		    "Hostname: h\n" LISTENERS "Maybe:\n\tMin: 1\n", "Hostname: h\n" LISTENERS, "Hostname: h\n" LISTENERS },
		{ "last line without end",
		    "Listeners: nil\nHostname: h", "Hostname: h\nFlag: true\n" LISTENERS, "Listeners: nil\nHostname: h\nFlag: true\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].name);
		assert_strz(rewrite(rows[i].from, rows[i].to), rows[i].want);
	}
}

/* From any value to any other. */
TEST(random_changes)
{
	for (uint64_t seed = 1; seed < 400; seed++) {
		struct sconf_file v = { 0 }, w = { 0 };
		struct buf b = BUF_ARENA(test_arena(), 1024 * 1024), c = BUF_ARENA(test_arena(), 1024 * 1024);
		struct sconf_node root, ignored;

		test_row("seed %llu", (unsigned long long)seed);
		typedesc_sample(test_arena(), &sconf_file_desc, seed, &v);
		typedesc_sample(test_arena(), &sconf_file_desc, seed & 1 ? seed + 1 : seed, &w);
		v.shown = w.shown = (struct str){ 0 };
		if (!(seed & 1))
			w.flag = !w.flag;
		assert_ok(sconf_write_docs(&b, &sconf_file_desc, &v, NULL));
		struct sconf_file old_v = read_file(buf_str(&b), &root);
		assert_ok(sconf_rewrite(test_arena(), &c, &root, &sconf_file_desc, &old_v, &w, NULL));
		struct sconf_file got = read_file(buf_str(&c), &ignored);
		assert_true(typedesc_equal(&sconf_file_desc, &got, &w));
		/* To itself: byte for byte. */
		buf_reset(&c);
		assert_ok(sconf_rewrite(test_arena(), &c, &root, &sconf_file_desc, &old_v, &old_v, NULL));
		assert_str(buf_str(&c), buf_str(&b));
	}
}
