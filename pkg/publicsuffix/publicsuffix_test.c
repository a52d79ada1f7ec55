/* SPDX-License-Identifier: MIT */
#include "publicsuffix/publicsuffix.h"

#include <pthread.h>

#include "base/fd.h"
#include "testutil/testutil.h"

/* The list that fits the vectors, not the one of the machine. */
static void
use_list(void)
{
	assert_ok(publicsuffix_load(test_data("psl/public_suffix_list.dat"), NULL));
}

static struct idna_domain
domain(const char *name)
{
	struct idna_domain d;

	test_row("%s", name);
	assert_ok(idna_parse(test_arena(), str_of(name), 0, &d, NULL));
	return d;
}

TEST(organisational_domains)
{
	static const struct { const char *name, *ascii, *unicode; bool suffix; } rows[] = {
		{ "com", "com", "", true },                                     /* a suffix is its own */
		{ "foo.com", "foo.com", "", false },
		{ "a.b.c.d.example.com", "example.com", "", false },            /* rfc/7489:609 */
		{ "www.example.co.uk", "example.co.uk", "", false },
		{ "c.kobe.jp", "c.kobe.jp", "", true },                         /* *.kobe.jp */
		{ "x.a.b.c.kobe.jp", "b.c.kobe.jp", "", false },
		{ "x.city.kobe.jp", "city.kobe.jp", "", false },                /* !city.kobe.jp */
		{ "www.ck", "www.ck", "", false },                              /* !www.ck beside *.ck */
		{ "x.www.ck", "www.ck", "", false },
		{ "x.y.ck", "x.y.ck", "", false },
		{ "unlisted", "unlisted", "", true },                           /* rule "*" */
		{ "a.b.unlisted", "b.unlisted", "", false },
		{ "a.blogspot.com", "blogspot.com", "", false },                /* the private section does not count */
		{ "a.github.io", "github.io", "", false },
		{ "www.食狮.公司.cn", "xn--85x722f.xn--55qx5d.cn", "食狮.公司.cn", false },
		{ "www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn", "食狮.公司.cn", false },
		{ "公司.cn", "xn--55qx5d.cn", "公司.cn", true },
		{ "münchen.example.com", "example.com", "", false },            /* what is left is ASCII */
	};

	use_list();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct idna_domain d = domain(rows[i].name), o = publicsuffix_org(&d);

		assert_strz(o.ascii, rows[i].ascii);
		assert_strz(o.unicode, rows[i].unicode);
		assert_int_equal(publicsuffix_is(d.ascii), rows[i].suffix);
	}
}

TEST(not_domains)
{
	char big[300];
	struct idna_domain d = { .ascii = str_n(big, sizeof(big)) }, none = { 0 };

	memset(big, 'a', sizeof(big));
	assert_false(publicsuffix_is(S("")));
	assert_false(publicsuffix_is(S("c\0m")));
	assert_false(publicsuffix_is(d.ascii));
	assert_str(publicsuffix_org(&d).ascii, d.ascii);
	assert_true(idna_is_zero(&(struct idna_domain){ .ascii = publicsuffix_org(&none).ascii }));
}

/* Suffixes of the private section, which the vectors take for suffixes and we do not. */
static bool
is_private(struct str name)
{
	return str_is(name, S("uk.com")) || str_ends(name, S(".uk.com"));
}

/* tests.txt of publicsuffix.org: "input registrable-domain|null". */
TEST(vectors)
{
	struct str text = test_read(test_data("psl/tests.txt"));
	unsigned n = 0;

	use_list();
	while (text.n > 0) {
		struct str line = str_trim(str_split(&text, '\n')), want = line, input;
		struct idna_domain d, w;

		if (line.n == 0 || str_starts(line, S("//")))
			continue;
		input = str_split(&want, ' ');
		test_row(STRF, STRA(line));
		n++;
		if (str_is(input, S("null")))
			continue;       /* no name at all cannot be asked for */
		if (idna_parse(test_arena(), input, 0, &d, NULL) < 0) {
			assert_true(str_starts(input, S(".")));
			assert_strz(want, "null");
		} else if (is_private(d.ascii)) {
			assert_strz(publicsuffix_org(&d).ascii, "uk.com");
			assert_false(publicsuffix_is(d.ascii));
		} else if (str_is(want, S("null"))) {
			assert_true(publicsuffix_is(d.ascii));
			assert_str(publicsuffix_org(&d).ascii, d.ascii);
		} else {
			assert_ok(idna_parse(test_arena(), want, 0, &w, NULL));
			assert_false(publicsuffix_is(d.ascii));
			assert_str(publicsuffix_org(&d).ascii, w.ascii);
			assert_str(publicsuffix_org(&d).unicode, w.unicode);
		}
	}
	assert_int_equal(n, 78);
}

TEST(damaged_lists_are_refused)
{
	struct str text = test_read(test_data("psl/public_suffix_list.dat"));
	const char *path = str_fmt(test_arena(), "%s/list", test_dir()).p;
	struct errmsg e = { 0 };

	use_list();
	assert_err(publicsuffix_load(path, &e), ERR_NOTFOUND);
	for (size_t part = 1; part < 3; part++) {
		memset(&e, 0, sizeof(e));
		assert_ok(fd_write_file(path, str_upto(text, text.n * part / 4), 0644, NULL));
		test_row("%zu of 4 parts", part);
		assert_err(publicsuffix_load(path, &e), ERR_INVALID);
		assert_non_null(strstr(e.text, "damaged"));
	}
	assert_true(publicsuffix_is(S("co.uk")));
	assert_ok(fd_write_file(path, text, 0644, NULL));
	assert_ok(publicsuffix_load(path, NULL));
}

static void *
asks(void *arg)
{
	for (unsigned i = 0; i < 200; i++)
		if (!publicsuffix_is(S("co.uk")))
			return arg;
	return NULL;
}

TEST(list_changes_while_in_use)
{
	pthread_t t[3];
	void *failed;

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, asks, t), 0);
	use_list();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		pthread_join(t[i], &failed);
		assert_null(failed);
	}
}
