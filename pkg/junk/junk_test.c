/* SPDX-License-Identifier: MIT */
#include "junk/junk.h"

#include <math.h>

#include "base/limits.h"
#include "testutil/testutil.h"

static const struct junk_params example = { .onegrams = true, .max_power = 0.01, .top_words = 10, .ignore_words = 0.1, .rare_words = 2 };

static struct str
words_str(const struct junk_words *w)
{
	struct strlist l = { .v = w->v, .n = w->n };
	return strlist_join(test_arena(), &l, S("|"));
}

TEST(words_of_text)
{
	static const struct { const char *field, *text, *want; } rows[] = {
		{ "", "Hello, World! hello", "hello|world" },
		{ "", "a an the four", "the|four" },
		{ "", "don't users' 'quoted' x'y'zzz o'clock", "don|users|quoted|zzz|clock" },
		{ "", "12345 123 0x1f2e3 a1b2c3 12ab abc1 x1234 room101", "12ab|abc1|room101" },
		{ "", "bcdfgh strength qwrtyp 2345679 aXbcdfghj rhythms", "strength" },
		{ "", "\xc3\x89T\xc3\x89 stra\xc3\x9f""e \xce\x91\xce\xb2\xce\xb3", "\xc3\xa9t\xc3\xa9|stra\xc3\x9f""e|\xce\xb1\xce\xb2\xce\xb3" },
		{ "", "bad\xff""bytes", "bad|bytes" },
		{ "", "\xe4\xbd\xa0\xe5\xa5\xbd\xe5\x90\x97 tea", "\xe4\xbd\xa0\xe5\xa5\xbd|\xe5\xa5\xbd\xe5\x90\x97|tea" },
		{ "Subject", "the free offer", "Subject:free|Subject:offer" },
		{ "", "", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct junk_words w = { 0 };
		test_row("%s", rows[i].text);
		junk_text_words(test_arena(), &example, str_of(rows[i].field), test_exact(str_of(rows[i].text)), &w);
		assert_strz(words_str(&w), rows[i].want);
	}
}

TEST(words_in_twos_and_threes)
{
	struct junk_params p = { .twograms = true, .threegrams = true };
	struct junk_words w = { 0 };
	/* Words that are left out do not break the sequence. */
	junk_text_words(test_arena(), &p, S(""), S("one two 12345 three"), &w);
	assert_strz(words_str(&w), "one two|two three|one two three");
	w = (struct junk_words){ 0 };
	p = (struct junk_params){ .onegrams = true, .twograms = true };
	junk_text_words(test_arena(), &p, S("Subject"), S("free offer"), &w);
	assert_strz(words_str(&w), "Subject:free|Subject:offer|Subject:free offer");
}

TEST(words_are_bounded)
{
	char longest[JUNK_WORD_MAX + 2];
	struct junk_words w = { 0 };
	for (size_t i = 0; i <= JUNK_WORD_MAX; i++)
		longest[i] = "ab"[i % 2];
	junk_text_words(test_arena(), &example, S(""), str_n(longest, JUNK_WORD_MAX + 1), &w);
	assert_int_equal(w.n, 0);
	junk_text_words(test_arena(), &example, S(""), str_n(longest, JUNK_WORD_MAX), &w);
	assert_int_equal(w.n, 1);
	for (int i = 0; i < LIMIT_JUNK_WORDS + 10; i++)
		junk_words_add(test_arena(), &w, str_fmt(test_arena(), "w%d", i));
	assert_int_equal(w.n, LIMIT_JUNK_WORDS);
	assert_true(junk_words_has(&w, S("w0")) && junk_words_has(&w, S("w5000")) && !junk_words_has(&w, S("w20009")));
	assert_false(junk_words_add(test_arena(), &w, S("w0")));
}

static struct junk_words
of_message(const char *text)
{
	struct message_source src = message_source_mem(test_exact(str_of(text)));
	struct message m;
	struct junk_words w;
	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	assert_ok(junk_words_of(test_arena(), &example, &m, &src, &w));
	return w;
}

TEST(words_of_messages)
{
	static const struct { const char *text, *want; } rows[] = {
		/* No Content-Type counts as text. */
		{ "From: Mary <mary@example.org>\r\nSubject: =?utf-8?q?fine?= morning\r\nReceived: from spammer\r\nList-Id: <list>\r\n\r\nnice day\r\n",
		    "field:From|From:mary|From:example|field:Subject|Subject:fine|Subject:morning|type:text/plain|nice|day" },
		{ "Content-Type: text/html\r\n\r\n<p>v<!-- x -->ia<b>gra</b></p>pills<script>evil()</script><img alt='big deal'>&lt;caf&eacute;&#33;\r\n",
		    "field:Content-Type|Content-Type:text|Content-Type:html|type:text/html|viagra|pills|big|deal|caf\xc3\xa9|html:p|html:b|html:script|html:img" },
		{ "Content-Type: text/html\r\n\r\n<font COLOR=red size='5'><a href=\"http://Shop.example.com/x\">http://10.1.2.3/ http://bank.example@evil.example/</a>\r\n",
		    "field:Content-Type|Content-Type:text|Content-Type:html|type:text/html|http|shop|" },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nalpha\r\n--b\r\nContent-Type: application/pdf\r\n\r\nbeta\r\n--b\r\n"
		    "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ngamma\r\n--b--\r\n", "alpha" },
	};
	struct junk_words w = of_message(rows[0].text);
	assert_strz(words_str(&w), rows[0].want);
	w = of_message(rows[1].text);
	assert_strz(words_str(&w), rows[1].want);
	w = of_message(rows[2].text);
	static const char *const signals[] = { "html:font", "html:font:color=red", "html:font:size=5", "link:example.com", "link:shop.example.com",
		"link:address", "link:@", "link:bank.example" };
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		test_row("%s", signals[i]);
		assert_true(junk_words_has(&w, str_of(signals[i])));
	}
	w = of_message(rows[3].text);
	assert_true(junk_words_has(&w, S("alpha")) && junk_words_has(&w, S("gamma")) && !junk_words_has(&w, S("beta")));
	assert_true(junk_words_has(&w, S("type:application/pdf")) && !junk_words_has(&w, S("Subject:inner")));
}

struct row {
	const char *word;
	struct junk_counts counts;
};

static struct junk_result
classify(const struct junk_params *p, struct junk_counts total, const struct row *rows, size_t n)
{
	struct junk_words w = { 0 };
	struct junk_counts *counts = ARENA_NEWN(test_arena(), n, struct junk_counts);
	struct junk_result r;
	for (size_t i = 0; i < n; i++) {
		assert_true(junk_words_add(test_arena(), &w, str_of(rows[i].word)));
		counts[i] = rows[i].counts;
	}
	junk_classify(test_arena(), p, total, &w, counts, &r);
	return r;
}

/* The worked example of ../spec/junk.md section 5. */
TEST(probability_of_the_worked_example)
{
	static const struct row rows[] = {
		{ "invoice", { 40, 10 } }, { "meeting", { 60, 0 } }, { "budget", { 1, 1 } }, { "hello", { 50, 100 } }, { "offer", { 10, 90 } },
		{ "viagra", { 0, 30 } }, { "lottery", { 0, 1 } }, { "unknown", { 0, 0 } },
	};
	static const struct { const char *word; double score; } ham[] = { { "meeting", 0.01 }, { "invoice", 0.111111 }, { "budget", 0.35 } },
	    junk[] = { { "viagra", 0.99 }, { "lottery", 0.892 }, { "offer", 0.818182 } };
	struct junk_result r = classify(&example, (struct junk_counts){ 100, 200 }, rows, ARRAY_LEN(rows));
	assert_true(fabs(r.probability - 0.714416) < 1e-6);
	assert_true(r.significant && r.nham == 3 && r.njunk == 3);
	for (size_t i = 0; i < 3; i++) {
		assert_strz(r.ham[i].word, ham[i].word);
		assert_strz(r.junk[i].word, junk[i].word);
		assert_true(fabs(r.ham[i].score - ham[i].score) < 1e-6 && fabs(r.junk[i].score - junk[i].score) < 1e-6);
	}
}

TEST(probability_at_the_edges)
{
	static const struct row ties[] = { { "bbb", { 0, 9 } }, { "aaa", { 0, 9 } }, { "longer", { 0, 9 } }, { "ccc", { 0, 9 } } };
	struct junk_params p = example;
	struct junk_result r = classify(&p, (struct junk_counts){ 0 }, NULL, 0);
	assert_true(r.probability == 0.5 && !r.significant);
	assert_true(classify(&p, (struct junk_counts){ 49, 0 }, NULL, 0).significant == false);
	assert_true(classify(&p, (struct junk_counts){ 50, 0 }, NULL, 0).significant == true);
	/* Longer words first, then in the order of bytes; only so many. */
	p.top_words = 3;
	r = classify(&p, (struct junk_counts){ 10, 10 }, ties, ARRAY_LEN(ties));
	assert_int_equal(r.njunk, 3);
	assert_strz(r.junk[0].word, "longer");
	assert_strz(r.junk[1].word, "aaa");
	assert_strz(r.junk[2].word, "bbb");
	p.top_words = 0;
	assert_true(classify(&p, (struct junk_counts){ 10, 10 }, ties, ARRAY_LEN(ties)).probability == 0.5);
	/* Certain words on both sides. */
	static const struct row both[] = { { "aaa", { 0, 9 } }, { "bbb", { 9, 0 } } };
	p = (struct junk_params){ .top_words = 10 };
	assert_true(classify(&p, (struct junk_counts){ 10, 10 }, both, 2).probability == 0.5);
	assert_true(classify(&p, (struct junk_counts){ 10, 10 }, both, 1).probability == 1);
	/* Trained with one kind only, no division by nothing. */
	assert_true(classify(&p, (struct junk_counts){ 0, 10 }, both, 1).probability == 1);
	assert_true(classify(&p, (struct junk_counts){ 0, 0 }, both, 2).probability == 0.5);
}
