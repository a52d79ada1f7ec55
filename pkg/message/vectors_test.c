/* SPDX-License-Identifier: MIT */
/*
 * The header vectors of mail-parser (Stalwart), and its parse results of whole messages.
 */
#include "message/header.h"

#include "base/timeutil.h"
#include "message/body.h"
#include "message/corpus_test.h"
#include "testutil/testutil.h"

static bool
show(void)
{
	return getenv("MOX_TEST_DIFFERENCES") != NULL;
}

static void
differ(int row, struct str in, struct str got, struct str want, const char *why)
{
	if (show()) {
		if (!str_is(got, want))
			fprintf(stderr, "#%d " STRF "\n\tours  " STRF "\n\ttheir " STRF "\n", row, STRA(in), STRA(got), STRA(want));
		return;
	}
	if (why)
		assert_false(str_is(got, want));
	else
		assert_str(got, want);
}

struct own {
	int row;
	const char *why;
};

static const char *
find_own(const struct own *v, size_t n, int row)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].row == row)
			return v[i].why;
	}
	return NULL;
}

/* their_date writes the date of their JSON. */
static struct str
their_date(const cJSON *e)
{
	int h = cJSON_GetObjectItem(e, "tz_hour")->valueint * 60 + cJSON_GetObjectItem(e, "tz_minute")->valueint;

	return str_fmt(test_arena(), "%04d-%02d-%02d %02d:%02d:%02d %+d", cJSON_GetObjectItem(e, "year")->valueint,
		cJSON_GetObjectItem(e, "month")->valueint, cJSON_GetObjectItem(e, "day")->valueint,
		cJSON_GetObjectItem(e, "hour")->valueint, cJSON_GetObjectItem(e, "minute")->valueint,
		cJSON_GetObjectItem(e, "second")->valueint, cJSON_IsTrue(cJSON_GetObjectItem(e, "tz_before_gmt")) ? -h : h);
}

static struct str
our_date(struct str s)
{
	struct time_parts t;
	int64_t us;
	int tz;

	if (message_parse_date(s, &us, &tz) < 0)
		return S("none");
	time_split(us, tz, &t);
	return str_fmt(test_arena(), "%04d-%02d-%02d %02d:%02d:%02d %+d", t.year, t.month, t.day, t.hour, t.min, t.sec, tz);
}

TEST(vectors_date)
{
	static const struct own own[] = {
		{ 12, "numbers only" },
		{ 14, "nested comment that stays open" },
		{ 28, "a Received field, not a date" },
	};
	cJSON *all = corpus_json("headers/mail-parser/date.json"), *row;
	int n = 0;

	cJSON_ArrayForEach(row, all) {
		struct str in = corpus_string(row, "header");
		const cJSON *e = cJSON_GetObjectItem(row, "expected");
		test_row("%d " STRF, n, STRA(in));
		struct str want = cJSON_IsObject(e) ? their_date(e) : S("none");
		differ(n, in, our_date(test_exact(in)), want, find_own(own, ARRAY_LEN(own), n));
		n++;
	}
	cJSON_Delete(all);
}

/* Received fields: what we read of them is the date, behind the last semicolon. */
TEST(vectors_received)
{
	static const struct own own[] = {
		{ 13, "asctime with a zone" }, { 67, "PST is west of Greenwich" }, { 89, "03 is 2003" }, { 90, "04 is 2004" },
		{ 117, "asctime" }, { 118, "asctime" }, { 128, "03 is 2003" }, { 144, "seconds with a fraction" },
		{ 151, "asctime with a zone" }, { 163, "PDT is west of Greenwich" },
	};
	cJSON *all = corpus_json("headers/mail-parser/received.json"), *row;
	int n = 0;

	cJSON_ArrayForEach(row, all) {
		struct str in = corpus_string(row, "header"), got = S("none");
		const cJSON *e = cJSON_GetObjectItem(cJSON_GetObjectItem(row, "expected"), "date");
		test_row("%d " STRF, n, STRA(in));
		ssize_t semicolon = str_rfind(in, ';');
		if (semicolon >= 0)
			got = our_date(test_exact(str_from(in, (size_t)semicolon + 1)));
		differ(n, in, got, cJSON_IsObject(e) ? their_date(e) : S("none"), find_own(own, ARRAY_LEN(own), n));
		n++;
	}
	assert_int_equal(n, 181);
	cJSON_Delete(all);
}

/* Lists of text, as in Keywords: commas are looked for before encoded words are decoded. */
TEST(vectors_list)
{
	cJSON *all = corpus_json("headers/mail-parser/list.json"), *row, *item;
	int n = 0;

	cJSON_ArrayForEach(row, all) {
		struct str in = corpus_string(row, "header"), rest = in;
		struct strlist got = { 0 }, want = { 0 };
		test_row("%d " STRF, n, STRA(in));
		while (rest.n > 0) {
			struct str text = message_field_text(test_arena(), str_split(&rest, ','));
			if (text.n > 0)
				strlist_add(test_arena(), &got, text);
		}
		cJSON_ArrayForEach(item, cJSON_GetObjectItem(row, "expected"))
			strlist_add(test_arena(), &want, str_of(item->valuestring));
		differ(n, in, strlist_join(test_arena(), &got, S("|")), strlist_join(test_arena(), &want, S("|")), NULL);
		n++;
	}
	assert_int_equal(n, 7);
	cJSON_Delete(all);
}

TEST(vectors_unstructured)
{
	static const struct own own[] = {
		{ 21, "a space that is not there" },
		{ 22, "a space that is not there" },
		{ 24, "a fold within an encoded word" },
		{ 25, "a fold within an encoded word" },
		{ 26, "a fold within an encoded word" },
		{ 27, "a space that is not there" },
		{ 28, "a space that is not there" },
	};
	cJSON *all = corpus_json("headers/mail-parser/unstructured.json"), *row;
	int n = 0;

	cJSON_ArrayForEach(row, all) {
		struct str in = corpus_string(row, "header");
		const cJSON *e = cJSON_GetObjectItem(row, "expected");
		/* Some rows have the next field behind the first. */
		struct str header = str_cat(test_arena(), S("X:"), in);
		struct message_field f = { 0 };
		test_row("%d " STRF, n, STRA(in));
		message_field_next(&header, &f, NULL);
		differ(n, in, message_field_text(test_arena(), f.body), cJSON_IsString(e) ? str_of(e->valuestring) : S(""), find_own(own, ARRAY_LEN(own), n));
		n++;
	}
	cJSON_Delete(all);
}

TEST(vectors_id)
{
	static const struct own own[] = {
		{ 5, "lower-case is canonical" },
		{ 6, "white space is left out" },
		{ 8, "no brackets, no id" },
		{ 9, "same" },
		{ 10, "same" },
	};
	cJSON *all = corpus_json("headers/mail-parser/id.json"), *row, *item;
	int n = 0;

	cJSON_ArrayForEach(row, all) {
		struct str in = corpus_string(row, "header");
		struct strlist ids = { 0 }, want = { 0 };
		test_row("%d " STRF, n, STRA(in));
		cJSON_ArrayForEach(item, cJSON_GetObjectItem(row, "expected"))
			strlist_add(test_arena(), &want, str_of(item->valuestring));
		message_references(test_arena(), str_cat(test_arena(), S("References:"), in), &ids);
		differ(n, in, strlist_join(test_arena(), &ids, S("|")), strlist_join(test_arena(), &want, S("|")), find_own(own, ARRAY_LEN(own), n));
		n++;
	}
	cJSON_Delete(all);
}

TEST(vectors_content_type)
{
	static const struct own own[] = {
		{ 31, "every piece with a charset of its own" },
		{ 34, "white space between the words within quotes" },
		{ 39, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 40, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 41, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 42, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 43, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 49, "NUL ends a JSON string" },
		{ 59, "asterisks in wrong places" },
		{ 61, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 62, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 63, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 64, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 65, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 66, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 67, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 68, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 69, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 70, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 71, "no media type: our value is the text as it stands, read_type refuses it" },
		{ 72, "no media type: our value is the text as it stands, read_type refuses it" },
	};
	cJSON *all = corpus_json("headers/mail-parser/content_type.json"), *row, *item;
	int n = 0;

	cJSON_ArrayForEach(row, all) {
		struct str in = corpus_string(row, "header"), got, want = S("none");
		const cJSON *e = cJSON_GetObjectItem(row, "expected");
		struct message_params p;
		struct strlist l = { 0 }, w = { 0 };
		test_row("%d " STRF, n, STRA(in));
		struct str header = str_cat(test_arena(), S("X:"), in);
		struct message_field f = { 0 };
		message_field_next(&header, &f, NULL);
		message_parse_params(test_arena(), f.body, &p);
		for (uint32_t i = 0; i < p.n; i++)
			strlist_add(test_arena(), &l, str_fmt(test_arena(), STRF "=" STRF, STRA(p.v[i].name), STRA(message_decode_words(test_arena(), p.v[i].value))));
		strlist_sort(&l);
		got = str_fmt(test_arena(), STRF ";" STRF, STRA(str_lower(test_arena(), p.value)), STRA(strlist_join(test_arena(), &l, S(";"))));
		if (cJSON_IsObject(e)) {
			cJSON_ArrayForEach(item, cJSON_GetObjectItem(e, "attributes")) {
				struct str name = str_of(cJSON_GetArrayItem(item, 0)->valuestring);
				if (!str_ends(name, S("-language")))
					strlist_add(test_arena(), &w, str_fmt(test_arena(), STRF "=%s", STRA(name), cJSON_GetArrayItem(item, 1)->valuestring));
			}
			strlist_sort(&w);
			struct str sub = corpus_string(e, "c_subtype");
			want = str_fmt(test_arena(), STRF "%s" STRF ";" STRF, STRA(corpus_string(e, "c_type")), sub.p ? "/" : "", STRA(sub),
				STRA(strlist_join(test_arena(), &w, S(";"))));
		}
		differ(n, in, got, want, find_own(own, ARRAY_LEN(own), n));
		n++;
	}
	cJSON_Delete(all);
}

static void
add_their(struct strlist *l, const cJSON *list)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		struct str name = corpus_string(item, "name"), address = corpus_string(item, "address");
		strlist_add(test_arena(), l, str_fmt(test_arena(), STRF "<" STRF ">", STRA(name), STRA(address)));
	}
}

TEST(vectors_address)
{
	static const struct own own[] = {
		{ 8, "comments are no part of a name" },
		{ 9, "comments are no part of a name" },
		{ 10, "comments are no part of a name" },
		{ 11, "comments are no part of a name" },
		{ 13, "route and domain taken apart" },
		{ 14, "comments and white space left out of the domain" },
		{ 22, "comments are no part of a name" },
		{ 30, "a line that is no continuation" },
		{ 31, "same" },
		{ 33, "white space around a name is trimmed" },
		{ 42, "no address" },
		{ 55, "words behind an address are nothing" },
		{ 56, "comments are no part of a name" },
	};
	cJSON *all = corpus_json("headers/mail-parser/address.json"), *row, *item;
	int n = 0;

	cJSON_ArrayForEach(row, all) {
		struct str in = corpus_string(row, "header");
		const cJSON *e = cJSON_GetObjectItem(row, "expected");
		struct message_addrs l = { 0 };
		struct strlist got = { 0 }, want = { 0 };
		test_row("%d " STRF, n, STRA(in));
		add_their(&want, cJSON_GetObjectItem(e, "List"));
		cJSON_ArrayForEach(item, cJSON_GetObjectItem(e, "Group")) {
			struct str name = corpus_string(item, "name");
			if (name.p)
				strlist_add(test_arena(), &want, str_cat(test_arena(), name, S(":")));
			add_their(&want, cJSON_GetObjectItem(item, "addresses"));
		}
		message_parse_addrs(test_arena(), in, &l);
		for (uint32_t i = 0; i < l.n; i++) {
			const struct message_addr *x = &l.v[i];
			struct str name = message_decode_words(test_arena(), x->name);
			if (x->kind == MESSAGE_GROUP_START)
				strlist_add(test_arena(), &got, str_cat(test_arena(), name, S(":")));
			else if (x->kind != MESSAGE_GROUP_END)
				strlist_add(test_arena(), &got, str_fmt(test_arena(), STRF "<" STRF "%s" STRF ">", STRA(name), STRA(x->localpart), x->domain.n ? "@" : "", STRA(x->domain)));
		}
		differ(n, in, strlist_join(test_arena(), &got, S(" ")), strlist_join(test_arena(), &want, S(" ")), find_own(own, ARRAY_LEN(own), n));
		n++;
	}
	cJSON_Delete(all);
}
