/* SPDX-License-Identifier: MIT */
/* Copies of refused messages: once each, not too many, not too old, and gone when accepted. */
#include "store/rejects.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

static int
reject(struct store_account *a, const char *headers, int64_t received_us)
{
	struct blob *blob = test_blob(test_message(headers));
	int rv = store_reject(a, S("Rejects"), S("Inbox/New"), &(struct store_add){ .blob = blob, .received_us = received_us }, NULL);

	blob_free(&blob);
	return rv;
}

TEST(rejects_are_kept_once)
{
	struct store_account *a = test_account("one");
	int64_t now = store_now_us(test_store());

	assert_int_equal(reject(a, "Message-ID: <1@x>\r\n", now), 1);
	assert_int_equal(reject(a, "Message-ID: <1@X>\r\nSubject: sent again\r\n", now), 0);    /* the same id */
	assert_int_equal(reject(a, "Subject: no id\r\n", now), 1);
	assert_int_equal(reject(a, "Subject: no id\r\n", now), 0);                              /* the same bytes */
	assert_int_equal(reject(a, "Subject: other\r\n", now), 1);
	assert_int_equal(test_mailbox(a, "Rejects").total, 3);
	assert_int_equal(test_mailbox(a, "Rejects").unread, 0);
	struct store_message m = test_get(a, 1);
	assert_true(m.is_reject && m.flags & STORE_SEEN);
	assert_int_equal(m.mailbox_destined_id, test_mailbox(a, "Inbox/New").id);
	store_account_close(&a);
	test_store_close();
}

TEST(old_rejects_go)
{
	struct store_account *a = test_account("one");
	int64_t now = store_now_us(test_store());

	assert_int_equal(reject(a, "Subject: old\r\n", now - STORE_REJECTS_AGE_US - TIME_MIN), 1);
	assert_int_equal(reject(a, "Subject: not so old\r\n", now - STORE_REJECTS_AGE_US + TIME_HOUR), 1);
	assert_int_equal(reject(a, "Subject: new\r\n", now), 1);
	assert_int_equal(test_mailbox(a, "Rejects").total, 2);
	test_config.keep_rejects = true;
	assert_int_equal(reject(a, "Subject: older\r\n", now - 2 * STORE_REJECTS_AGE_US), 1);
	assert_int_equal(reject(a, "Subject: newer\r\n", now), 1);
	assert_int_equal(test_mailbox(a, "Rejects").total, 4);
	test_config.keep_rejects = false;
	store_account_close(&a);
	test_store_close();
}

TEST(rejects_have_a_limit)
{
	struct store_account *a = test_account("one");
	int64_t now = store_now_us(test_store());
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	struct store_added added;

	assert_ok(store_write(a, &tx));
	assert_ok(store_mailbox_ensure(&tx, S("Rejects"), &mb));
	for (int i = 0; i < STORE_REJECTS_MAX - 1; i++) {
		struct blob *blob = test_blob(S("Subject: filler\r\n\r\n"));
		assert_ok(store_add_message(&tx, &mb, &(struct store_add){ .blob = blob, .received_us = now }, &added, NULL));
		blob_free(&blob);
	}
	assert_ok(store_tx_commit(&tx, NULL));
	assert_int_equal(reject(a, "Subject: last\r\n", now), 1);
	assert_int_equal(reject(a, "Subject: one too many\r\n", now), 0);
	test_config.keep_rejects = true;
	assert_int_equal(reject(a, "Subject: one more\r\n", now), 1);
	test_config.keep_rejects = false;
	store_account_close(&a);
	test_store_close();
}

TEST(accepted_messages_leave_rejects)
{
	struct store_account *a = test_account("one");
	int64_t now = store_now_us(test_store());

	assert_int_equal(store_reject_remove(a, S("Rejects"), S("1@x"), 0), 0);         /* there is no such mailbox */
	assert_int_equal(reject(a, "Message-ID: <1@x>\r\n", now), 1);
	assert_int_equal(reject(a, "Message-ID: <2@x>\r\n", now), 1);
	test_deliver(a, "Inbox", test_message("Message-ID: <1@x>\r\n"));
	assert_int_equal(store_reject_remove(a, S("Rejects"), S("1@x"), 1), 0);         /* spared */
	assert_int_equal(store_reject_remove(a, S("Rejects"), S(""), 0), 0);
	assert_int_equal(store_reject_remove(a, S("Rejects"), S("1@x"), 0), 1);
	assert_int_equal(test_mailbox(a, "Rejects").total, 1);
	assert_int_equal(test_mailbox(a, "Inbox").total, 1);
	store_account_close(&a);
	test_store_close();
}
