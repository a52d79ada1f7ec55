/* SPDX-License-Identifier: MIT */
#include "idna/idna.h"

#include <cjson/cJSON.h>

#include "base/utf8.h"
#include "testutil/testutil.h"

TEST(parse)
{
	static const struct {
		const char *in;
		unsigned flags;
		const char *ascii, *unicode;    /* ascii NULL: invalid */
	} rows[] = {
		{ "example.org", 0, "example.org", "" },
		{ "EXAMPLE.Org", 0, "example.org", "" },
		{ "localhost", 0, "localhost", "" },
		{ "1.2.3.4", 0, "1.2.3.4", "" },
		{ "m\xc3\xb6x.example", 0, "xn--mx-fka.example", "m\xc3\xb6x.example" },
		{ "M\xc3\x96X.example", 0, "xn--mx-fka.example", "m\xc3\xb6x.example" },
		{ "mo\xcc\x88x.example", 0, "xn--mx-fka.example", "m\xc3\xb6x.example" },
		{ "xn--mx-fka.example", 0, "xn--mx-fka.example", "m\xc3\xb6x.example" },
		{ "XN--MX-FKA.example", 0, "xn--mx-fka.example", "m\xc3\xb6x.example" },
		{ "stra\xc3\x9f" "e.example", 0, "xn--strae-oqa.example", "stra\xc3\x9f" "e.example" },        /* non-transitional */
		{ "m\xc3\xb6x\xe3\x80\x82" "example", 0, "xn--mx-fka.example", "m\xc3\xb6x.example" },         /* ideographic full stop */
		{ "xn--a", 0, NULL, NULL },
		{ "xn--\xc3\xb6", 0, NULL, NULL },
		{ "xn--mx-fka-.example", 0, NULL, NULL },
		{ "", 0, NULL, NULL },
		{ ".", 0, NULL, NULL },
		{ "a..b", 0, NULL, NULL },
		{ ".a", 0, NULL, NULL },
		{ "a.", 0, NULL, NULL },
		{ "a.", IDNA_ROOT_DOT, "a", "" },
		{ "a..", IDNA_ROOT_DOT, NULL, NULL },
		{ "-a.b", 0, NULL, NULL },
		{ "a-.b", 0, NULL, NULL },
		{ "a--b.c", 0, "a--b.c", "" },
		{ "a_b.c", 0, NULL, NULL },
		{ "_dmarc.a_b.c", IDNA_UNDERSCORE, "_dmarc.a_b.c", "" },
		{ "a b", 0, NULL, NULL },
		{ "a@b", 0, NULL, NULL },
		{ "a\xff", 0, NULL, NULL },
		{ "\xe2\x84\x80.example", 0, NULL, NULL },               /* maps to "a/c" */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct idna_domain d;
		struct str in = str_of(rows[i].in);
		test_row("%s", rows[i].in);
		int rc = idna_parse(test_arena(), test_exact(in), rows[i].flags, &d, NULL);
		assert_int_equal(rc, rows[i].ascii ? 0 : ERR_INVALID);
		if (rc < 0)
			continue;
		assert_strz(d.ascii, rows[i].ascii);
		assert_strz(d.unicode, rows[i].unicode);
	}
	struct idna_domain d;
	struct errmsg e = { 0 };
	assert_err(idna_parse(test_arena(), S("a\0b"), 0, &d, &e), ERR_INVALID);
	assert_err(idna_parse(test_arena(), S("\xc3\xb6\0b"), 0, &d, &e), ERR_INVALID);
}

TEST(lengths)
{
	struct arena *a = test_arena();
	struct idna_domain d;
	struct buf b = BUF_ARENA(a, 1000);

	for (int i = 0; i < 63; i++)
		buf_addc(&b, 'a');
	assert_ok(idna_parse(a, buf_str(&b), 0, &d, NULL));
	buf_addc(&b, 'a');
	assert_err(idna_parse(a, buf_str(&b), 0, &d, NULL), ERR_INVALID);        // rfc/1035:523
	buf_truncate(&b, 63);
	for (int i = 0; i < 95; i++)
		buf_addz(&b, ".a");
	assert_int_equal(b.n, 253);
	assert_ok(idna_parse(a, buf_str(&b), 0, &d, NULL));
	buf_addc(&b, 'a');
	assert_err(idna_parse(a, buf_str(&b), 0, &d, NULL), ERR_INVALID);        // rfc/1035:525
}

TEST(relations)
{
	struct arena *a = test_arena();
	struct idna_domain d, e, zero = { 0 };

	assert_ok(idna_parse(a, S("sub.m\xc3\xb6x.example"), 0, &d, NULL));
	assert_ok(idna_parse(a, S("xn--mx-fka.example"), 0, &e, NULL));
	assert_true(idna_is_under(&d, &e));
	assert_true(idna_is_under(&e, &e));
	assert_false(idna_is_under(&e, &d));
	assert_false(idna_is_under(&e, &zero));
	struct idna_domain other = { .ascii = S("ample") };
	assert_false(idna_is_under(&e, &other));
	struct idna_domain copy = idna_dup(a, &d);
	assert_true(idna_equal(&copy, &d));
	assert_strz(idna_text(&d, true), "sub.m\xc3\xb6x.example");
	assert_strz(idna_text(&d, false), "sub.xn--mx-fka.example");
	assert_strz(idna_log(a, &d), "sub.m\xc3\xb6x.example/sub.xn--mx-fka.example");
	assert_true(idna_is_zero(&zero));
	assert_strz(idna_to_ascii(a, S("m\xc3\xb6x.example")), "xn--mx-fka.example");
	assert_strz(idna_to_ascii(a, S("x y")), "x y");
	assert_strz(idna_to_ascii(a, S("\xff")), "\xff");
	assert_strz(idna_to_unicode(a, S("xn--mx-fka.example")), "m\xc3\xb6x.example");
	assert_strz(idna_to_unicode(a, S("xn--\x01.example")), "xn--\x01.example");
	assert_strz(idna_to_unicode(a, S("plain.example")), "plain.example");
}

/* Labels of the Punycode vectors: what decodes must encode back to the same. */
TEST(punycode)
{
	struct str text = test_read(test_data("idna/punycode_tests.json"));
	cJSON *all = cJSON_ParseWithLength(text.p, text.n), *row;
	size_t tried = 0;

	cJSON_ArrayForEach(row, all) {
		struct str decoded = str_of(cJSON_GetObjectItem(row, "decoded")->valuestring);
		struct str encoded = str_fmt(test_arena(), "xn--%s", cJSON_GetObjectItem(row, "encoded")->valuestring);
		struct idna_domain d;
		/* Many vectors hold capitals, spaces or signs that no domain may have; those IDNA refuses. */
		if (idna_parse(test_arena(), encoded, 0, &d, NULL) < 0)
			continue;
		test_row("%s", encoded.p);
		assert_str(d.unicode, utf8_lower(test_arena(), decoded));
		tried++;
	}
	cJSON_Delete(all);
	assert_true(tried >= 8);

	text = test_read(test_data("idna/bad_punycode_tests.json"));
	all = cJSON_ParseWithLength(text.p, text.n);
	cJSON_ArrayForEach(row, all) {
		struct idna_domain d;
		struct str decoded = str_of(cJSON_GetObjectItem(row, "decoded")->valuestring);
		assert_err(idna_parse(test_arena(), decoded, 0, &d, NULL), ERR_INVALID);
	}
	cJSON_Delete(all);
}

/* unescape decodes \uXXXX and \x{X} of the vectors' file. False if it stands for what UTF-8 cannot hold. */
static bool
unescape(struct str s, struct str *r_out)
{
	struct buf b = BUF_ARENA(test_arena(), 100000);
	uint32_t high = 0;

	while (s.n > 0) {
		uint32_t cp = 0;
		size_t n = 0;
		if (str_starts(s, S("\\u")) && s.n >= 6)
			n = 6;
		else if (str_starts(s, S("\\x{")))
			n = (size_t)str_find(s, '}') + 1;
		if (n == 0) {
			buf_addc(&b, s.p[0]);
			s = str_from(s, 1);
			continue;
		}
		for (size_t i = n == 6 && s.p[1] == 'u' ? 2 : 3; i < n && s.p[i] != '}'; i++) {
			char c = s.p[i];
			cp = cp << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
		}
		if (cp >= 0xd800 && cp < 0xdc00) {
			high = cp;
		} else if (high && cp >= 0xdc00 && cp < 0xe000) {
			utf8_add(&b, 0x10000 + ((high - 0xd800) << 10) + (cp - 0xdc00));
			high = 0;
		} else if (cp >= 0xd800 && cp < 0xe000) {
			return false;
		} else {
			utf8_add(&b, cp);
		}
		s = str_from(s, n);
	}
	*r_out = buf_str(&b);
	return high == 0;
}

/*
 * Our extra rules make more names invalid than UTS #46 does: empty and root labels, letters-digits-hyphens, hyphens at the ends,
 * lengths. Names that it calls valid and we refuse for one of these:
 */
static bool
refused_by_own_rules(struct str ascii)
{
	if (ascii.n == 0 || ascii.n > 253 || ascii.p[0] == '.' || ascii.p[ascii.n - 1] == '.')
		return true;
	for (struct str rest = ascii; rest.n > 0;) {
		struct str label = str_split(&rest, '.');
		if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
			return true;
		for (size_t i = 0; i < label.n; i++) {
			char c = label.p[i];
			if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
				return true;
		}
	}
	return false;
}

TEST(uts46_vectors)
{
	struct str text = test_read(test_data("idna/IdnaTestV2.txt"));
	size_t valid = 0, invalid = 0, newer = 0, lenient = 0, own = 0;

	while (text.n > 0) {
		struct str line = str_split(&text, '\n'), col[7], source, want, unicode;
		line = str_split(&line, '#');
		if (str_trim(line).n == 0)
			continue;
		for (int i = 0; i < 7; i++)
			col[i] = str_trim(str_split(&line, ';'));
		if (str_is(col[0], S("\"\"")) || !unescape(col[0], &source))
			continue;
		/* An empty column repeats the one before it. */
		struct str u = col[1].n ? col[1] : col[0];
		struct str n = col[3].n ? col[3] : u;
		struct str status = col[4].n ? col[4] : col[2];
		bool bad = status.n > 0 && !str_is(status, S("[]"));
		if (!unescape(n, &want) || !unescape(u, &unicode))
			continue;

		struct idna_domain d;
		int rc = idna_parse(test_arena(), source, 0, &d, NULL);
		test_row(STRF, STRA(col[0]));
		if (bad) {
			if (rc < 0) {
				invalid++;
				continue;
			}
			/* libidn2 checks the bidi rules per label, not for the whole name. [V2]: hyphens in third and fourth place. */
			assert_true(str_starts(status, S("[B")) || str_is(status, S("[V2]")));
			lenient++;
			continue;
		}
		if (rc < 0) {
			if (refused_by_own_rules(want))
				own++;
			else
				newer++;        /* symbols, which IDNA 2008 disallows, and characters newer than the library */
			continue;
		}
		/* The capital sharp s became a letter of its own with Unicode 15.1. */
		if (str_search(source, S("\xe1\xba\x9e")) >= 0)
			continue;
		assert_str(d.ascii, want);
		if (d.unicode.n > 0)
			assert_str(d.unicode, unicode);
		valid++;
	}
	print_message("valid %zu, invalid %zu, newer %zu, lenient %zu, own %zu\n", valid, invalid, newer, lenient, own);
	assert_true(valid > 0);
}
