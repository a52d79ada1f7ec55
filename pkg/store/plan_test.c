/* SPDX-License-Identifier: MIT */
/* After a workload that uses the whole store, no statement scans a table of messages or sorts, but for those listed here with a reason. */
#include "store/annotations.h"
#include "store/history.h"
#include "store/password.h"
#include "store/rejects.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

/* SQL that may scan or sort: what it begins with, and why. */
static const char *const allowed[] = {
	"SELECT 1 FROM sqlite_schema",                  /* db: one row */
	"SELECT max(id) FROM message",                  /* one step at the end of the table */
	"SELECT id FROM message_erase",                 /* what is pending at a start: all of it */
	"SELECT count(*), COALESCE(sum(length(key)",     /* live annotations: LIMIT_ANNOTATIONS */
	"SELECT name FROM subscription",                /* all, in order */
	"SELECT count(*) FROM login_session",           /* at most STORE_SESSIONS_MAX rows */
	"DELETE FROM login_session",
	"SELECT id FROM login_session",
	"SELECT uid FROM message WHERE mailbox_id = $1 AND modseq > $2",        /* few rows by the index of modseqs, sorted */
};

static bool
is_allowed(struct str sql)
{
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (str_starts(sql, str_of(allowed[i])))
			return true;
	/* store_scan by modseq: the same */
	return str_search(sql, S("ORDER BY +m.uid")) >= 0;
}

static size_t
check_plans(struct db *db)
{
	struct db_plan *v;
	size_t n;
	assert_ok(db_plans(db, test_arena(), &v, &n));
	for (size_t i = 0; i < n; i++) {
		if (is_allowed(v[i].sql) || str_search(v[i].steps, S("SCAN CONSTANT ROW")) >= 0)
			continue;
		if (str_search(v[i].steps, S("TEMP B-TREE")) >= 0 || (str_search(v[i].steps, S("SCAN")) >= 0 && str_search(v[i].steps, S("mailbox_live_name")) < 0))
			fail_msg(STRF "\n\t" STRF, STRA(v[i].sql), STRA(v[i].steps));
	}
	return n;
}

static void
use_everything(struct store_account *a)
{
	for (int i = 0; i < 4; i++)
		test_deliver(a, i ? "Inbox" : "Sent", test_message(str_fmt(test_arena(), "To: x@example.org\r\nMessage-ID: <%d@x>\r\n"
		    "References: <%d@x> <gone@x>\r\nSubject: re: s\r\n", i, i - 1).p));
	test_deliver(a, "Inbox", test_message("Subject: re: s\r\n"));
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox inbox, archive, *made;
	struct store_message v[3];
	struct store_password pw = { .bcrypt = S("x") };
	struct store_session session = { .token_hash = S("t") };
	struct store_annotation note[] = { { .key = S("/shared/k"), .value = S("v") } }, *notes;
	struct strlist names = { 0 };
	uint32_t *uids;
	size_t n;
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &inbox), 1);
	assert_int_equal(store_mailbox_find(&tx, S("Archive"), &archive), 1);
	assert_ok(store_message_piece(&tx, inbox.id, 0, v, 3, &n));
	assert_int_equal(n, 3);
	assert_int_equal(store_message_flags(&tx, &inbox, &v[0], STORE_FLAG_ADD, STORE_SEEN, S("k")), 1);
	assert_ok(store_copy(&tx, &inbox, &archive, v, 2, &uids));
	assert_ok(store_move(&tx, &inbox, &archive, v, 1, &uids));
	assert_ok(store_expunge(&tx, &inbox, &v[1], 1));
	assert_ok(store_mailbox_create(&tx, S("a/b"), STORE_USE_SENT, true, &made, &n));
	assert_ok(store_mailbox_rename(&tx, &made[1], S("c/d")));
	assert_ok(store_mailbox_delete(&tx, &made[1]));
	assert_ok(store_subscribe(&tx, S("q")));
	assert_int_equal(store_unsubscribe(&tx, S("q")), 1);
	assert_ok(store_save_parsed(&tx, v[2].id, S("p")));
	assert_ok(store_save_preview(&tx, v[2].id, S("p")));
	assert_ok(store_annotation_set(&tx, &inbox, note, 1));
	assert_ok(store_annotation_set(&tx, NULL, note, 1));
	assert_ok(store_annotation_set(&tx, &inbox, (struct store_annotation[]){ { .key = note->key, .value = S("w") } }, 1));
	assert_ok(store_annotation_set(&tx, NULL, (struct store_annotation[]){ { .key = note->key, .expunged = true } }, 1));
	assert_ok(store_subjectpass_key(&tx, S("x@y"), &(struct str){ 0 }));
	assert_ok(store_password_set(&tx, &pw));
	assert_ok(store_session_add(&tx, &session));
	assert_int_equal(store_session_extend(&tx, session.id, 9), 1);
	assert_ok(store_tx_commit(&tx, NULL));
	store_settle(test_store());
	struct blob *blob = test_blob(test_message("Message-ID: <r@x>\r\n"));
	assert_int_equal(store_reject(a, S("Rejects"), S("Inbox"), &(struct store_add){ .blob = blob }, NULL), 1);
	blob_free(&blob);
	assert_int_equal(store_reject_remove(a, S("Rejects"), S("r@x"), 0), 1);
	store_settle(test_store());

	struct store_uidset set;
	struct store_delivery_info d;
	struct store_body body;
	uint32_t unseen;
	assert_ok(store_read(a, &tx));
	assert_ok(store_uids(&tx, test_arena(), inbox.id, &set, &unseen));
	assert_ok(store_vanished(&tx, test_arena(), inbox.id, 1, &set));
	assert_ok(store_mailbox_list(&tx, &made, &n));
	assert_ok(store_subscriptions(&tx, &names));
	assert_ok(store_annotation_list(&tx, inbox.id, &notes, &n));
	assert_int_equal(store_mailbox_by_use(&tx, STORE_USE_TRASH, &archive), 1);
	assert_int_equal(store_message_body(&tx, test_arena(), v[2].id, &body), 1);
	assert_ok(store_message_delivery(&tx, test_arena(), v[2].id, &d));
	assert_int_equal(store_session_find(&tx, S("t"), &session), 1);
	for (enum store_history_key key = 0; key < STORE_HISTORY_KEYS; key++) {
		struct store_judged *judged;
		assert_ok(store_history(&tx, test_arena(), &(struct store_history_query){ .key = key, .max = 50 }, &judged, &n));
	}
	assert_int_equal(store_sent_to_address(&tx, S("x"), S("example.org"), 0), 1);
	assert_int_equal(store_sent_to_domain(&tx, S("example.org"), 0), 1);
	assert_int_equal(store_wants_from(&tx, S("y")), 0);
	for (int i = 0; i < 8; i++) {
		struct store_scan s = { .tx = &tx, .mailbox_id = inbox.id, .live_only = i & 1, .with_body = i & 2, .changed_since = i & 4 };
		while (store_scan_next(&s, test_arena(), &v[0], &body) == 1)
			;
		store_scan_done(&s);
	}
}

TEST(no_statement_scans_messages)
{
	struct store_account *a = test_account("one");
	use_everything(a);
	assert_true(check_plans(a->writer) > 40);
	assert_non_null(a->idle_readers);
	size_t n = 0;
	for (struct reader *r = a->idle_readers; r; r = r->next)
		n += check_plans(r->db);
	assert_true(n > 15);
	store_account_close(&a);
	test_store_close();
}

/* What the hottest queries must go by. */
TEST(hot_queries_use_their_index)
{
	static const struct { const char *sql, *step; } rows[] = {
		{ "SELECT uid, flags FROM message WHERE mailbox_id = $1", "USING COVERING INDEX message_live (mailbox_id=?)" },
		{ "SELECT id, thread_id, thread_parent_ids, message_id_hdr, thread_muted, thread_collapsed FROM message WHERE message_id_hdr = $1",
		    "USING INDEX message_hdrid (message_id_hdr=?)" },
		{ "SELECT id, thread_id, thread_parent_ids, message_id_hdr, thread_muted, thread_collapsed FROM message WHERE subject_base = $1",
		    "USING INDEX message_subject (subject_base=? AND received>? AND received<?)" },
		{ "SELECT uid FROM message WHERE mailbox_id = $1 AND modseq > $2", "message_mailbox_modseq (mailbox_id=? AND modseq>?)" },
		{ "SELECT id, createseq, modseq, expunged, parent_id, name", "mailbox_live_name (name=?)" },
	};
	struct store_account *a = test_account("one");
	use_everything(a);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct db_plan *v;
		size_t n, found = 0;
		test_row("%s", rows[i].sql);
		struct db *dbs[] = { a->writer, a->idle_readers->db };
		for (size_t k = 0; k < ARRAY_LEN(dbs); k++) {
			assert_ok(db_plans(dbs[k], test_arena(), &v, &n));
			for (size_t j = 0; j < n; j++)
				found += str_starts(v[j].sql, str_of(rows[i].sql)) && str_search(v[j].steps, str_of(rows[i].step)) >= 0;
		}
		assert_true(found > 0);
	}
	store_account_close(&a);
	test_store_close();
}
