/* SPDX-License-Identifier: MIT */
/* Training of the junk filter by flags; the consistency check at each close compares its counts with those of the messages. */
#include <pthread.h>
#include <unistd.h>

#include "junkdb/junkdb.h"
#include "store/junk.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

#define HAM "lunch tomorrow with friends"
#define JUNK "cheap pills shipped tomorrow"

static void
with_filter(void)
{
	test_config.junk_filter.enabled = true;
	test_config.junk_filter.params = (struct junk_params){ .onegrams = true, .max_power = 0.01, .top_words = 10, .ignore_words = 0.1 };
}

static struct str
text(const char *body)
{
	return str_fmt(test_arena(), "From: <x@example.org>\r\n\r\n%s\r\n", body);
}

static int64_t
deliver(struct store_account *a, const char *mailbox, const char *body, unsigned flags)
{
	cleanup_(blob_free) struct blob *b = test_blob(text(body));
	struct store_added added;
	assert_ok(store_deliver(a, str_of(mailbox), &(struct store_add){ .blob = b, .flags = flags, .prefix = S("X-Test: yes\r\n") }, &added, NULL));
	return added.id;
}

static void
flag(struct store_account *a, int64_t id, enum store_flag_op op, unsigned flags, bool commit)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_message m;
	struct store_mailbox mb;
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_message_get(&tx, id, &m), 1);
	assert_int_equal(store_mailbox_get(&tx, m.mailbox_id, &mb), 1);
	assert_int_equal(store_message_flags(&tx, &mb, &m, op, flags, S("")), 1);
	if (commit)
		assert_ok(store_tx_commit(&tx, NULL));
}

static double
probability(struct store_account *a, const char *body)
{
	struct message_source src = message_source_mem(text(body));
	struct message m;
	struct junk_result r;
	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	assert_ok(store_junk_classify(a, test_arena(), &m, &src, &r));
	return r.probability;
}

/* counts of messages the filter was taught with, as "ham/junk". */
static struct str
taught(struct store_account *a)
{
	struct junk_counts c;
	int64_t mark;
	LOCKED(&a->lock);
	assert_ok(store_junk_open(a, NULL));
	assert_ok(junkdb_status(a->junk_writer, &c, &mark));
	return str_fmt(test_arena(), "%lld/%lld", (long long)c.ham, (long long)c.junk);
}

TEST(flags_teach_the_filter)
{
	with_filter();
	struct store_account *a = test_account("one");
	assert_true(probability(a, JUNK) == 0.5);
	int64_t plain = deliver(a, "Inbox", HAM, 0), junk = deliver(a, "Inbox", JUNK, STORE_JUNK), both = deliver(a, "Inbox", JUNK, STORE_JUNK | STORE_NOTJUNK);
	assert_true(test_get(a, plain).trained_junk == -1 && test_get(a, junk).trained_junk == 1 && test_get(a, both).trained_junk == -1);
	assert_strz(taught(a), "0/1");
	flag(a, plain, STORE_FLAG_ADD, STORE_NOTJUNK, true);
	assert_int_equal(test_get(a, plain).trained_junk, 0);
	assert_true(probability(a, JUNK) >= 0.9 && probability(a, HAM) <= 0.1);
	/* What is rolled back teaches nothing; a message that turns counts the other way. */
	flag(a, both, STORE_FLAG_REMOVE, STORE_NOTJUNK, false);
	assert_strz(taught(a), "1/1");
	flag(a, junk, STORE_FLAG_SET, STORE_NOTJUNK, true);
	assert_strz(taught(a), "2/0");
	flag(a, junk, STORE_FLAG_REMOVE, STORE_NOTJUNK, true);
	assert_strz(taught(a), "1/0");
	assert_true(probability(a, "cheap pills") < 0.5);     /* the other words are those of the ham */
	store_account_close(&a);
	test_store_again();
	with_filter();
	a = test_account("one");
	assert_strz(taught(a), "1/0");
	store_account_close(&a);
	test_store_close();
}

TEST(moves_copies_and_removals_teach)
{
	with_filter();
	struct store_account *a = test_account("one");
	int64_t id = deliver(a, "Inbox", JUNK, 0);
	deliver(a, "Junk", JUNK, 0);
	assert_strz(taught(a), "0/1");
	struct store_mailbox inbox = test_mailbox(a, "Inbox"), junk = test_mailbox(a, "Junk"), archive = test_mailbox(a, "Archive");
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_message m;
		uint32_t *uids;
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_message_get(&tx, id, &m), 1);
		assert_ok(store_move(&tx, &inbox, &junk, &m, 1, &uids));
		assert_ok(store_copy(&tx, &junk, &archive, &m, 1, &uids));
		assert_ok(store_tx_commit(&tx, NULL));
	}
	assert_strz(taught(a), "0/3");
	/* All of a mailbox go at once; the copy stays. */
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		assert_ok(store_write(a, &tx));
		junk = (struct store_mailbox){ 0 };
		assert_int_equal(store_mailbox_find(&tx, S("Junk"), &junk), 1);
		assert_ok(store_mailbox_delete(&tx, &junk));
		assert_ok(store_tx_commit(&tx, NULL));
	}
	assert_strz(taught(a), "0/1");
	store_settle(test_store());
	store_account_close(&a);
	test_store_close();
}

TEST(no_filter_no_training)
{
	struct store_account *a = test_account("one");
	int64_t id = deliver(a, "Inbox", JUNK, STORE_JUNK);
	struct junk_result r;
	struct message_source src = message_source_mem(text(JUNK));
	struct message m;
	struct errmsg e = { 0 };
	char path[PATH_SIZE];
	assert_int_equal(test_get(a, id).trained_junk, -1);
	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	assert_err(store_junk_classify(a, test_arena(), &m, &src, &r), ERR_NOTFOUND);
	assert_err(store_junk_retrain(a, &e), ERR_NOTFOUND);
	snprintf(path, sizeof(path), "%s/junkfilter.db", a->dir);
	assert_true(access(path, F_OK) < 0);
	/* Configured later, it learns from the flags there are. */
	with_filter();
	assert_ok(store_junk_retrain(a, &e));
	assert_strz(taught(a), "0/1");
	assert_int_equal(test_get(a, id).trained_junk, 1);
	assert_ok(store_junk_retrain(a, &e));
	assert_strz(taught(a), "0/1");
	store_account_close(&a);
	test_store_close();
}

TEST(a_filter_that_lags_is_trained_anew)
{
	with_filter();
	struct store_account *a = test_account("one");
	char path[PATH_SIZE];
	deliver(a, "Inbox", JUNK, STORE_JUNK);
	deliver(a, "Inbox", HAM, STORE_NOTJUNK);
	/* A crash took the last commit of the filter. */
	{
		struct junk_words w = { 0 };
		LOCKED(&a->lock);
		assert_true(junk_words_add(test_arena(), &w, S("wrong")));
		assert_ok(junkdb_train(a->junk_writer, &w, true));
		assert_ok(junkdb_commit(a->junk_writer, 1));
	}
	assert_strz(taught(a), "1/2");
	deliver(a, "Inbox", HAM, STORE_NOTJUNK);
	assert_strz(taught(a), "2/1");
	/* Or all of it is gone. */
	snprintf(path, sizeof(path), "%s/junkfilter.db", a->dir);
	store_account_close(&a);
	test_store_again();
	assert_int_equal(unlink(path), 0);
	a = test_account("one");
	deliver(a, "Inbox", HAM, STORE_NOTJUNK);
	assert_strz(taught(a), "3/1");
	store_account_close(&a);
	test_store_close();
}

/* --- threads --- */

#define ROUNDS 10

struct worker {
	struct store_account *a;
	struct blob *blob;
	struct message m;
	struct message_source src;
	int kind, err;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	for (int i = 0; i < ROUNDS && w->err == 0; i++) {
		struct arena mem = { 0 };
		struct store_added added;
		struct junk_result r;
		if (w->kind == 2)
			w->err = store_junk_classify(w->a, &mem, &w->m, &w->src, &r);
		else
			w->err = store_deliver(w->a, S("Inbox"), &(struct store_add){ .blob = w->blob, .flags = w->kind ? STORE_JUNK : STORE_NOTJUNK }, &added, NULL);
		arena_done(&mem);
	}
	return NULL;
}

TEST(teaching_and_asking_at_once)
{
	with_filter();
	struct store_account *a = test_account("one");
	struct worker w[6] = { 0 };
	pthread_t t[ARRAY_LEN(w)];
	for (size_t i = 0; i < ARRAY_LEN(w); i++) {
		w[i] = (struct worker){ .a = a, .kind = (int)i % 3, .src = message_source_mem(text(HAM)) };
		w[i].blob = test_blob(text(w[i].kind ? JUNK : HAM));
		assert_ok(message_parse(test_arena(), &w[i].src, 0, &w[i].m, NULL));
		assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
	}
	for (int i = 0; i < 5; i++)
		store_trim(test_store());
	assert_ok(store_junk_retrain(a, NULL));
	for (size_t i = 0; i < ARRAY_LEN(w); i++) {
		pthread_join(t[i], NULL);
		assert_ok(w[i].err);
		blob_free(&w[i].blob);
	}
	assert_strz(taught(a), "20/20");
	store_account_close(&a);
	test_store_close();
}
