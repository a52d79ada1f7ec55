/* SPDX-License-Identifier: MIT */
#include "junkdb/junkdb.h"

#include "testutil/testutil.h"

static const struct junk_params params = { .onegrams = true, .max_power = 0.01, .top_words = 10, .ignore_words = 0.1 };

static const char *
path(void)
{
	return str_fmt(test_arena(), "%s/junkfilter.db", test_dir()).p;
}

static struct junkdb *
open_db(void)
{
	struct junkdb *j = NULL;
	struct errmsg e = { 0 };
	if (junkdb_open(path(), true, &j, &e) < 0)
		fail_msg("%s", e.text);
	return j;
}

static struct junk_words
words(const char *text)
{
	struct junk_words w = { 0 };
	junk_text_words(test_arena(), &params, S(""), str_of(text), &w);
	return w;
}

static double
probability(struct junkdb *j, const char *text)
{
	struct junk_words w = words(text);
	struct junk_result r;
	assert_ok(junkdb_classify(j, test_arena(), &params, &w, &r));
	return r.probability;
}

static int
describe(void *arg, struct str word, struct junk_counts c)
{
	strlist_add(test_arena(), arg, str_fmt(test_arena(), STRF "=%lld/%lld", STRA(word), (long long)c.ham, (long long)c.junk));
	return 0;
}

static struct str
content(struct junkdb *j)
{
	struct strlist l = { 0 };
	struct junk_counts total;
	int64_t mark;
	assert_ok(junkdb_status(j, &total, &mark));
	strlist_add(test_arena(), &l, str_fmt(test_arena(), "%lld/%lld@%lld", (long long)total.ham, (long long)total.junk, (long long)mark));
	assert_ok(junkdb_each(j, describe, &l));
	return strlist_join(test_arena(), &l, S(" "));
}

TEST(train_untrain_keep_discard)
{
	struct junkdb *j = open_db();
	struct junk_words ham = words("lunch tomorrow friend"), junk = words("cheap pills tomorrow");
	assert_strz(content(j), "0/0@0");
	assert_true(probability(j, "lunch") == 0.5);
	for (int i = 0; i < 2; i++) {
		assert_ok(junkdb_train(j, &ham, false));
		assert_ok(junkdb_train(j, &junk, true));
	}
	assert_true(probability(j, "lunch with friend") <= 0.1 && probability(j, "cheap pills") >= 0.9);
	assert_ok(junkdb_commit(j, 7));
	const char *want = "2/2@7 cheap=0/2 friend=2/0 lunch=2/0 pills=0/2 tomorrow=2/2";
	assert_strz(content(j), want);
	junkdb_close(&j);
	j = open_db();
	assert_strz(content(j), want);
	/* What is not committed is forgotten. */
	assert_ok(junkdb_train(j, &ham, false));
	junkdb_rollback(j);
	assert_strz(content(j), want);
	assert_ok(junkdb_untrain(j, &junk, true));
	junkdb_close(&j);
	j = open_db();
	assert_strz(content(j), want);
	/* Untraining undoes training; below nothing there is nothing. */
	for (int i = 0; i < 3; i++)
		assert_ok(junkdb_untrain(j, &junk, true));
	assert_ok(junkdb_commit(j, 8));
	assert_strz(content(j), "2/0@8 friend=2/0 lunch=2/0 tomorrow=2/0");
	assert_true(probability(j, "cheap pills") == 0.5);
	assert_ok(junkdb_clear(j));
	assert_ok(junkdb_commit(j, 9));
	assert_strz(content(j), "0/0@9");
	junkdb_close(&j);
}

TEST(a_reader_sees_what_is_committed)
{
	struct junkdb *j = open_db(), *r = NULL;
	struct junk_words ham = words("lunch");
	struct errmsg e = { 0 };
	assert_ok(junkdb_open(path(), false, &r, &e));
	assert_ok(junkdb_train(j, &ham, false));
	assert_strz(content(r), "0/0@0");
	assert_ok(junkdb_commit(j, 1));
	assert_strz(content(r), "1/0@1 lunch=1/0");
	junkdb_close(&r);
	junkdb_close(&j);
	assert_err(junkdb_open("/nonexistent/x", true, &j, &e), ERR_NOTFOUND);
}
