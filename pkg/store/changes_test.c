/* SPDX-License-Identifier: MIT */
#include "store/changes.h"

#include <pthread.h>

#include "base/limits.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

static void
count_wake(void *arg)
{
	++*(int *)arg;
}

/* take describes what is pending and acknowledges it. */
static struct str
take_all(struct store_comm *c)
{
	struct store_batch **v;
	size_t n;
	bool overflow;
	struct strlist l = { 0 };
	struct arena *a = test_arena();
	store_comm_take(c, a, &v, &n, &overflow);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < v[i]->n; j++) {
			const struct store_change *ch = &v[i]->v[j];
			switch (ch->kind) {
			case STORE_CHANGE_ADD_UID:
				strlist_add(a, &l, str_fmt(a, "add %u/%lld unseen %lld", ch->uid, (long long)ch->messages, (long long)ch->unseen));
				break;
			case STORE_CHANGE_REMOVE_UIDS:
				strlist_add(a, &l, str_fmt(a, "remove %zu of %zu", store_uidset_count(&ch->uids), ch->nids));
				break;
			case STORE_CHANGE_FLAGS:
				strlist_add(a, &l, str_fmt(a, "flags %u mask %u now %u " STRF, ch->uid, ch->mask, ch->flags, STRA(ch->keywords)));
				break;
			case STORE_CHANGE_COUNTS:
				strlist_add(a, &l, str_fmt(a, "counts %lld/%lld", (long long)ch->messages, (long long)ch->unseen));
				break;
			case STORE_CHANGE_KEYWORDS:
				strlist_add(a, &l, str_fmt(a, "keywords " STRF, STRA(ch->keywords)));
				break;
			case STORE_CHANGE_ADD_MAILBOX:
				strlist_add(a, &l, str_fmt(a, "mailbox " STRF "%s", STRA(ch->name), ch->subscribed ? "+" : ""));
				break;
			case STORE_CHANGE_REMOVE_MAILBOX:
				strlist_add(a, &l, str_fmt(a, "gone " STRF, STRA(ch->name)));
				break;
			case STORE_CHANGE_RENAME_MAILBOX:
				strlist_add(a, &l, str_fmt(a, STRF " to " STRF, STRA(ch->old_name), STRA(ch->name)));
				break;
			case STORE_CHANGE_USE:
				strlist_add(a, &l, str_fmt(a, "use " STRF " %u", STRA(ch->name), ch->use));
				break;
			case STORE_CHANGE_ADD_SUBSCRIPTION:
			case STORE_CHANGE_REMOVE_SUBSCRIPTION:
				strlist_add(a, &l, str_fmt(a, "%s " STRF "%s", ch->subscribed ? "sub" : "unsub", STRA(ch->name), ch->nonexistent ? "?" : ""));
				break;
			case STORE_CHANGE_ANNOTATION:
				strlist_add(a, &l, str_fmt(a, "annotation " STRF STRF, STRA(ch->name), STRA(ch->key)));
				break;
			default:
				strlist_add(a, &l, S("other"));
				break;
			}
		}
		store_batch_release(c, v[i]);
	}
	if (overflow)
		strlist_add(a, &l, S("overflow"));
	return strlist_join(a, &l, S(", "));
}

static void
expunge(struct store_account *a, const char *mailbox, uint32_t uid, struct store_comm *origin)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	struct store_message m;
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_find(&tx, str_of(mailbox), &mb), 1);
	assert_int_equal(store_message_by_uid(&tx, mb.id, uid, &m), 1);
	assert_ok(store_expunge(&tx, &mb, &m, 1));
	assert_ok(store_tx_commit(&tx, origin));
}

static void
flag(struct store_account *a, uint32_t uid, unsigned flags, const char *keywords, struct store_comm *origin)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	struct store_message m;
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &mb), 1);
	assert_int_equal(store_message_by_uid(&tx, mb.id, uid, &m), 1);
	assert_int_equal(store_message_flags(&tx, &mb, &m, STORE_FLAG_ADD, flags, str_of(keywords)), 1);
	assert_ok(store_tx_commit(&tx, origin));
}

TEST(sessions_are_told_in_order)
{
	struct store_account *a = test_account("one");
	int wakes = 0;
	struct store_comm *c = store_comm_new(a, count_wake, &wakes), *origin = store_comm_new(a, test_no_wake, NULL);
	test_deliver(a, "Inbox", test_message(""));
	test_deliver(a, "Inbox", test_message(""));
	flag(a, 1, STORE_SEEN, "kw", origin);
	expunge(a, "Inbox", 2, origin);
	assert_int_equal(wakes, 1);                     /* once, until it takes */
	assert_true(store_comm_pending(c));
	assert_strz(take_all(c), "add 1/1 unseen 1, counts 1/1, add 2/2 unseen 2, counts 2/2, flags 1 mask 1 now 1 kw, keywords kw, counts 2/1, "
	    "remove 1 of 1, counts 1/0");
	assert_false(store_comm_pending(c));
	assert_strz(take_all(c), "");
	assert_strz(take_all(origin), "add 1/1 unseen 1, counts 1/1, add 2/2 unseen 2, counts 2/2");
	test_deliver(a, "New/Box", test_message(""));
	assert_int_equal(wakes, 2);
	assert_strz(take_all(c), "mailbox New+, mailbox New/Box+, add 1/1 unseen 1, counts 1/1");
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_mailbox mb, sent, *made;
		size_t n;
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_mailbox_find(&tx, S("New"), &mb), 1);
		assert_int_equal(store_mailbox_find(&tx, S("Sent"), &sent), 1);
		assert_ok(store_mailbox_rename(&tx, &mb, S("New/Box2")));
		assert_ok(store_subscribe(&tx, S("Nowhere")));
		assert_ok(store_subscribe(&tx, S("Nowhere")));
		assert_int_equal(store_unsubscribe(&tx, S("Sent")), 1);
		assert_ok(store_mailbox_create(&tx, S("Gone"), STORE_USE_SENT, false, &made, &n));
		assert_ok(store_mailbox_delete(&tx, &sent));
		assert_ok(store_tx_commit(&tx, NULL));
	}
	assert_strz(take_all(c), "New/Box to New/Box2/Box, New to New/Box2, mailbox New+, sub Nowhere?, unsub Sent, use Sent 0, mailbox Gone, gone Sent");
	store_comm_free(&c);
	store_comm_free(&origin);
	store_account_close(&a);
	test_store_close();
}

TEST(nothing_is_told_of_what_was_rolled_back)
{
	struct store_account *a = test_account("one");
	struct store_comm *c = store_comm_new(a, test_no_wake, NULL);
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_mailbox *made;
		size_t n;
		assert_ok(store_write(a, &tx));
		assert_ok(store_mailbox_create(&tx, S("X"), 0, true, &made, &n));
	}
	assert_false(store_comm_pending(c));
	store_comm_free(&c);
	store_account_close(&a);
	test_store_close();
}

static bool
is_erased(struct store_account *a, int64_t id)
{
	store_settle(test_store());
	struct blob_file *f = NULL;
	bool gone = store_message_open(a, id, &f) == ERR_NOTFOUND;
	blob_close(&f);
	assert_int_equal(test_get(a, id).erased, gone);
	return gone;
}

TEST(a_removed_message_stays_until_all_sessions_know)
{
	struct store_account *a = test_account("one");
	for (int i = 0; i < 4; i++)
		test_deliver(a, "Inbox", test_message(""));
	/* Nobody there: at once. */
	expunge(a, "Inbox", 1, NULL);
	assert_true(is_erased(a, 1));
	struct store_comm *c1 = store_comm_new(a, test_no_wake, NULL), *c2 = store_comm_new(a, test_no_wake, NULL);
	expunge(a, "Inbox", 2, NULL);
	assert_false(is_erased(a, 2));
	assert_strz(take_all(c1), "remove 1 of 1, counts 2/2");
	assert_false(is_erased(a, 2));
	assert_strz(take_all(c2), "remove 1 of 1, counts 2/2");
	assert_true(is_erased(a, 2));
	/* The origin knows. */
	expunge(a, "Inbox", 3, c1);
	assert_false(is_erased(a, 3));
	store_comm_free(&c2);                           /* an end acknowledges */
	assert_true(is_erased(a, 3));
	/* Taken, but not yet applied. */
	struct store_batch **v;
	size_t n;
	bool overflow;
	expunge(a, "Inbox", 4, NULL);
	store_comm_take(c1, test_arena(), &v, &n, &overflow);
	assert_int_equal(n, 1);
	assert_false(is_erased(a, 4));
	store_batch_release(c1, v[0]);
	assert_true(is_erased(a, 4));
	store_comm_free(&c1);
	store_account_close(&a);
	test_store_close();
}

TEST(what_was_not_erased_is_erased_at_the_next_start)
{
	struct store_account *a = test_account("one");
	test_deliver(a, "Inbox", test_message(""));
	{
		/* As if the process had ended between the two phases. */
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_mailbox mb;
		struct store_message m;
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &mb), 1);
		assert_int_equal(store_message_by_uid(&tx, mb.id, 1, &m), 1);
		assert_ok(store_expunge(&tx, &mb, &m, 1));
		tx.changes->n = 0;
		assert_ok(store_tx_commit(&tx, NULL));
	}
	assert_false(is_erased(a, 1));
	store_account_close(&a);
	test_store_again();
	a = test_account("one");
	assert_true(is_erased(a, 1));
	store_account_close(&a);
	test_store_close();
}

TEST(a_session_that_does_not_take_overflows)
{
	struct store_account *a = test_account("one");
	struct store_comm *c = store_comm_new(a, test_no_wake, NULL);
	struct store_added m = test_deliver(a, "Inbox", test_message(""));
	assert_strz(take_all(c), "add 1/1 unseen 1, counts 1/1");
	for (int i = 0; i < 2; i++) {
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		assert_ok(store_write(a, &tx));
		for (int k = 0; k < LIMIT_CHANGES_PENDING / 2; k++) {
			assert_ok(store_subscribe(&tx, S("x")));
			assert_int_equal(store_unsubscribe(&tx, S("x")), 1);
		}
		assert_ok(store_tx_commit(&tx, NULL));
	}
	expunge(a, "Inbox", m.uid, NULL);               /* dropped, small as it is: no reference */
	assert_true(is_erased(a, m.id));
	struct str all = take_all(c);
	assert_true(str_ends(all, S("unsub x?, overflow")));
	test_deliver(a, "Inbox", test_message(""));
	assert_strz(take_all(c), "add 2/1 unseen 1, counts 1/1");
	store_comm_free(&c);
	store_account_close(&a);
	test_store_close();
}

/* --- a snapshot agrees with the changes taken, whatever goes on --- */

static void *
deliver_many(void *arg)
{
	struct store_account *a = arg;
	for (int i = 0; i < 60; i++) {
		struct blob *b;
		struct store_added added;
		if (blob_new(store_tmp_dir(a->store), &b) < 0 || blob_write(b, S("Subject: x\r\n\r\nbody\r\n")) < 0 ||
		    store_deliver(a, S("Inbox"), &(struct store_add){ .blob = b }, &added, NULL) < 0)
			return a;
		blob_free(&b);
	}
	return NULL;
}

TEST(snapshots_include_exactly_the_changes_taken)
{
	struct store_account *a = test_account("one");
	struct store_comm *c = store_comm_new(a, test_no_wake, NULL);
	pthread_t t[3];
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, deliver_many, a), 0);
	size_t seen = 0;
	while (seen < 180) {
		struct store_tx tx;
		struct store_batch **v;
		struct store_mailbox mb;
		size_t n;
		bool overflow;
		struct arena *mem = test_arena();
		assert_ok(store_comm_snapshot(c, mem, &tx, &v, &n, &overflow));
		for (size_t i = 0; i < n; i++) {
			for (size_t j = 0; j < v[i]->n; j++)
				if (v[i]->v[j].kind == STORE_CHANGE_ADD_UID)
					assert_int_equal(v[i]->v[j].uid, ++seen);       /* in order, none left out */
			store_batch_release(c, v[i]);
		}
		assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &mb), 1);
		assert_int_equal(mb.total, seen);
		store_tx_rollback(&tx);
	}
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		void *failed;
		pthread_join(t[i], &failed);
		assert_null(failed);
	}
	store_comm_free(&c);
	store_account_close(&a);
	test_store_close();
}
