/* SPDX-License-Identifier: MIT */
/* Flags, keywords, UID sets, copying, moving, quota, junk flags, walking. */
#include "base/limits.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

TEST(flag_lists)
{
	static const struct { const char *in; unsigned flags; const char *keywords; int err; } rows[] = {
		{ "", 0, "", 0 }, { "\\seen \\SEEN $junk b A", STORE_SEEN | STORE_JUNK, "a b", 0 },
		{ "\\Answered \\Flagged \\Deleted \\Draft $Forwarded $NotJunk $Phishing $MDNSent", STORE_FLAGS_ALL & ~(STORE_SEEN | STORE_JUNK), "", 0 },
		{ "x X x", 0, "x", 0 }, { "\\Recent", 0, NULL, STORE_BAD_KEYWORD }, { "a(b", 0, NULL, STORE_BAD_KEYWORD },
		{ "a]b", 0, NULL, STORE_BAD_KEYWORD }, { "caf\xc3\xa9", 0, NULL, STORE_BAD_KEYWORD }, { "a* b", 0, NULL, STORE_BAD_KEYWORD },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strlist in = { 0 };
		struct str rest = str_of(rows[i].in), keywords = { 0 };
		unsigned flags = 0;
		test_row("%s", rows[i].in);
		while (rest.n)
			strlist_add(test_arena(), &in, str_split(&rest, ' '));
		assert_int_equal(store_flags_parse(test_arena(), &in, &flags, &keywords, NULL), rows[i].err);
		assert_int_equal(flags, rows[i].flags);
		if (rows[i].keywords)
			assert_strz(keywords, rows[i].keywords);
	}
	for (unsigned f = 1; f <= STORE_MDNSENT; f <<= 1) {
		struct strlist in = { 0 };
		struct str keywords;
		unsigned flags;
		strlist_add(test_arena(), &in, str_of(store_flag_name((enum store_flag)f)));
		assert_ok(store_flags_parse(test_arena(), &in, &flags, &keywords, NULL));
		assert_int_equal(flags, f);
	}
	assert_err(store_keyword_valid(S("$junk")), STORE_BAD_KEYWORD);
	assert_err(store_keyword_valid(S("")), STORE_BAD_KEYWORD);
	assert_ok(store_keyword_valid(S("$label1")));
}

TEST(keyword_lists)
{
	static const struct { const char *x, *y, *both, *minus; } rows[] = {
		{ "", "", "", "" }, { "a", "", "a", "a" }, { "", "a", "a", "" }, { "a c", "b", "a b c", "a c" }, { "a b c", "b", "a b c", "a c" },
		{ "a b", "a b", "a b", "" }, { "b", "a c", "a b c", "b" }, { "ab", "a", "a ab", "ab" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s + %s", rows[i].x, rows[i].y);
		assert_strz(store_keywords_union(test_arena(), str_of(rows[i].x), str_of(rows[i].y)), rows[i].both);
		assert_strz(store_keywords_minus(test_arena(), str_of(rows[i].x), str_of(rows[i].y)), rows[i].minus);
	}
	assert_int_equal(store_keywords_count(S("")), 0);
	assert_int_equal(store_keywords_count(S("a b c")), 3);
}

static struct str
show(const struct store_uidset *s)
{
	struct strlist l = { 0 };
	for (size_t i = 0; i < s->n; i++)
		strlist_add(test_arena(), &l, str_fmt(test_arena(), "%u:%u", s->v[i].first, s->v[i].last));
	return strlist_join(test_arena(), &l, S(","));
}

TEST(uid_sets)
{
	static const struct { uint32_t v[5][2]; const char *want; size_t count; } rows[] = {
		{ { { 5, 5 }, { 3, 3 }, { 4, 4 } }, "3:5", 3 },
		{ { { 1, 2 }, { 5, 9 }, { 2, 4 } }, "1:9", 9 },
		{ { { 1, 1 }, { 3, 3 }, { 5, 5 }, { 7, 7 }, { 2, 6 } }, "1:7", 7 },
		{ { { 10, 20 }, { 1, 1 }, { 30, 30 } }, "1:1,10:20,30:30", 13 },
		{ { { 4294967295u, 4294967295u }, { 1, 1 }, { 4294967294u, 4294967294u } }, "1:1,4294967294:4294967295", 3 },
		{ { { 1, 4294967295u }, { 7, 9 } }, "1:4294967295", 4294967295u },
		{ { { 5, 4 } }, "", 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_uidset s = { 0 };
		test_row("%zu", i);
		for (size_t j = 0; j < 5; j++)
			if (rows[i].v[j][0])
				store_uidset_add(test_arena(), &s, rows[i].v[j][0], rows[i].v[j][1]);
		assert_strz(show(&s), rows[i].want);
		assert_true(store_uidset_count(&s) == rows[i].count);
	}
	/* against a plain table */
	struct store_uidset s = { 0 };
	bool in[64] = { 0 };
	for (unsigned i = 0, x = 7; i < 200; i++) {
		x = x * 1103515245 + 12345;
		uint32_t first = x >> 16 & 63, last = MIN(first + (x >> 24 & 3), 63u);
		if (i == 100)
			s = (struct store_uidset){ 0 }, memset(in, 0, sizeof(in));
		store_uidset_add(test_arena(), &s, first, last);
		for (uint32_t u = first; u <= last; u++)
			in[u] = true;
		for (uint32_t u = 0; u < 64; u++)
			assert_int_equal(store_uidset_has(&s, u), in[u]);
		for (size_t k = 1; k < s.n; k++)
			assert_true(s.v[k].first > s.v[k - 1].last + 1);
	}
}

/* get reads messages of a mailbox by UID within a transaction. */
static struct store_message *
get(struct store_tx *tx, int64_t mailbox_id, const uint32_t *uids, size_t n)
{
	struct store_message *v = ARENA_NEWN(tx->arena, n, struct store_message);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(store_message_by_uid(tx, mailbox_id, uids[i], &v[i]), 1);
	return v;
}

TEST(copying)
{
	struct store_account *a = test_account("one");
	struct str text = test_message("Message-ID: <m@x>\r\n");
	for (int i = 0; i < 3; i++)
		test_deliver(a, "Inbox", text);
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_mailbox src, dst;
		uint32_t *uids;
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &src), 1);
		assert_int_equal(store_mailbox_find(&tx, S("Archive"), &dst), 1);
		struct store_message *v = get(&tx, src.id, (uint32_t[]){ 1, 3 }, 2);
		assert_int_equal(store_message_flags(&tx, &src, &v[1], STORE_FLAG_ADD, STORE_FLAGGED, S("kw")), 1);
		assert_ok(store_copy(&tx, &src, &dst, v, 2, &uids));
		assert_true(uids[0] == 1 && uids[1] == 2);
		/* Within one mailbox too. */
		assert_ok(store_copy(&tx, &src, &src, v, 1, &uids));
		assert_int_equal(uids[0], 4);
		assert_err(store_copy(&tx, &dst, &src, v, 1, &uids), STORE_MESSAGE_EXPUNGED);
		assert_ok(store_tx_commit(&tx, NULL));
	}
	assert_strz(test_live(a, "Inbox"), "1:0:, 2:0:, 3:4:kw, 4:0:");
	assert_strz(test_live(a, "Archive"), "1:0:, 2:4:kw");
	assert_strz(test_mailbox(a, "Archive").keywords, "kw");
	assert_true(test_mailbox(a, "Inbox").modseq == test_mailbox(a, "Archive").modseq);
	assert_str(test_content(a, 5), text);
	struct store_message m = test_get(a, 5), orig = test_get(a, 3);
	assert_true(m.createseq == m.modseq && m.thread_id == 1 && orig.thread_id == 1);
	assert_str(m.thread_parent_ids, orig.thread_parent_ids);
	assert_true(orig.email_id == 3 && m.email_id == 3);
	store_account_close(&a);
	test_store_close();
}

TEST(moving)
{
	struct store_account *a = test_account("one");
	struct str text = test_message("");
	for (int i = 0; i < 3; i++)
		test_deliver(a, "Inbox", text);
	struct store_comm *other = store_comm_new(a, test_no_wake, NULL);
	struct store_mailbox src, dst;
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		uint32_t *uids;
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &src), 1);
		assert_int_equal(store_mailbox_find(&tx, S("Archive"), &dst), 1);
		struct store_message *v = get(&tx, src.id, (uint32_t[]){ 2, 3 }, 2);
		assert_ok(store_move(&tx, &src, &dst, v, 2, &uids));
		assert_true(uids[0] == 1 && uids[1] == 2 && v[0].mailbox_id == dst.id && v[0].id == 2);
		assert_err(store_move(&tx, &dst, &dst, v, 1, &uids), ERR_INVALID);
		assert_ok(store_tx_commit(&tx, NULL));
	}
	assert_strz(test_live(a, "Inbox"), "1:0:");
	assert_strz(test_live(a, "Archive"), "1:0:, 2:0:");
	assert_str(test_content(a, 2), text);
	{
		/* The other session still reads the message at its old place, until it takes notice. */
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_message ghost;
		assert_ok(store_read(a, &tx));
		assert_int_equal(store_message_by_uid(&tx, src.id, 2, &ghost), 1);
		assert_true(ghost.expunged && ghost.id == 4);
		assert_str(test_content(a, ghost.id), text);
	}
	store_comm_free(&other);
	store_settle(test_store());
	struct blob_file *f;
	assert_err(store_message_open(a, 4, &f), ERR_NOTFOUND);
	assert_str(test_content(a, 2), text);
	store_account_close(&a);
	test_store_close();
}

TEST(quota)
{
	struct store_account *a = test_account("one");
	struct str text = test_message("");
	test_config.quota = (int64_t)text.n * 2;
	struct store_added added = test_deliver(a, "Inbox", text);
	test_deliver(a, "Inbox", text);
	cleanup_(blob_free) struct blob *b = test_blob(text);
	struct errmsg e = { 0 };
	assert_err(store_deliver(a, S("Inbox"), &(struct store_add){ .blob = b }, &added, &e), ERR_OVERQUOTA);
	assert_non_null(strstr(e.text, "quota"));
	assert_ok(store_deliver(a, S("Inbox"), &(struct store_add){ .blob = b, .skip_quota = true }, &added, &e));
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox src, dst;
	uint32_t *uids;
	int64_t used, limit;
	assert_ok(store_write(a, &tx));
	assert_ok(store_quota(&tx, &used, &limit));
	assert_true(used == (int64_t)text.n * 3 && limit == test_config.quota);
	assert_err(store_quota_fits(&tx, 1), ERR_OVERQUOTA);
	assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &src), 1);
	assert_int_equal(store_mailbox_find(&tx, S("Archive"), &dst), 1);
	struct store_message *v = get(&tx, src.id, (uint32_t[]){ 1, 2 }, 2);
	assert_err(store_copy(&tx, &src, &dst, v, 1, &uids), ERR_OVERQUOTA);
	assert_ok(store_move(&tx, &src, &dst, v, 2, &uids));
	assert_ok(store_tx_commit(&tx, NULL));
	store_settle(test_store());
	{
		cleanup_(store_tx_rollback) struct store_tx r = { 0 };
		assert_ok(store_read(a, &r));
		assert_ok(store_quota(&r, &used, &limit));
		assert_true(used == (int64_t)text.n * 3);       /* what a move leaves behind does not count */
	}
	store_account_close(&a);
	test_store_close();
}

TEST(automatic_junk_flags)
{
	struct store_account *a = test_account("one");
	static const struct { bool enabled; const char *junk, *neutral, *notjunk, *mailbox; unsigned in, want; } rows[] = {
		{ false, "", "", "", "Inbox", 0, 0 },
		{ false, "", "", "", "Junk", STORE_NOTJUNK, STORE_JUNK },               /* by special use, always */
		{ false, "^inbox", "", "", "Inbox", 0, 0 },
		{ true, "^spam", "^inbox$", "", "Inbox", STORE_JUNK | STORE_SEEN, STORE_SEEN },
		{ true, "^spam", "^inbox$", "", "Archive", 0, STORE_NOTJUNK },          /* the one that is unset catches the rest */
		{ true, "^spam", "^inbox$", "", "Spam/x", 0, STORE_JUNK },
		{ true, "^spam", "", "", "Archive", STORE_JUNK, STORE_JUNK },           /* two are unset: none does */
		{ true, "^(junk|spam)", "^neutral", "^arch", "Archive", STORE_JUNK, STORE_NOTJUNK },
		{ true, "", "^neutral", "^arch", "Lists", 0, STORE_JUNK },
		{ true, "^(junk|spam)", "^neutral", "^arch", "Lists", STORE_JUNK, STORE_JUNK },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		test_config.auto_junk.enabled = rows[i].enabled;
		test_config.auto_junk.junk_regexp = str_of(rows[i].junk);
		test_config.auto_junk.neutral_regexp = str_of(rows[i].neutral);
		test_config.auto_junk.notjunk_regexp = str_of(rows[i].notjunk);
		cleanup_(blob_free) struct blob *b = test_blob(test_message(""));
		struct store_added added;
		assert_ok(store_deliver(a, str_of(rows[i].mailbox), &(struct store_add){ .blob = b, .flags = rows[i].in }, &added, NULL));
		assert_int_equal(test_get(a, added.id).flags, rows[i].want);
	}
	store_account_close(&a);
	test_store_close();
}

TEST(leaving_rejects_and_introbox)
{
	test_config.introbox = S("Intro");
	struct store_account *a = test_account("one");
	test_deliver(a, "Intro", test_message(""));
	test_deliver(a, "Rejects", test_message(""));
	struct store_mailbox inbox = test_mailbox(a, "Inbox");
	cleanup_(blob_free) struct blob *b = test_blob(test_message(""));
	struct store_added intro, reject;
	assert_ok(store_deliver(a, S("Intro"), &(struct store_add){ .blob = b, .mailbox_destined_id = inbox.id }, &intro, NULL));
	assert_ok(store_deliver(a, S("Rejects"),
	    &(struct store_add){ .blob = b, .mailbox_destined_id = inbox.id, .is_reject = true, .flags = STORE_SEEN }, &reject, NULL));
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox from_intro, from_rejects;
	uint32_t *uids;
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_get(&tx, inbox.id, &inbox), 1);
	assert_int_equal(store_mailbox_get(&tx, intro.mailbox_id, &from_intro), 1);
	assert_int_equal(store_mailbox_get(&tx, reject.mailbox_id, &from_rejects), 1);
	assert_ok(store_move(&tx, &from_intro, &inbox, get(&tx, from_intro.id, (uint32_t[]){ 2 }, 1), 1, &uids));
	assert_ok(store_move(&tx, &from_rejects, &inbox, get(&tx, from_rejects.id, (uint32_t[]){ 2 }, 1), 1, &uids));
	assert_ok(store_tx_commit(&tx, NULL));
	struct store_message m = test_get(a, intro.id);
	assert_true(m.flags == STORE_NOTJUNK && m.mailbox_orig_id == inbox.id && m.mailbox_destined_id == 0);
	m = test_get(a, reject.id);
	assert_true(m.flags == 0 && !m.is_reject && m.mailbox_orig_id == inbox.id);
	store_account_close(&a);
	test_store_close();
}

TEST(recipients_of_sent_mail)
{
	struct store_account *a = test_account("one");
	struct store_added added = test_deliver(a, "Sent",
	    test_message("To: A <a@Example.org>, group: b@x.example, not an address;\r\nCc: <c@x.example>\r\nDate: Tue, 24 Nov 2026 14:00:00 +0000\r\n"));
	static struct db_sql q = DB_SQL("SELECT localpart || '@' || domain || ' ' || sent FROM recipient ORDER BY id");
	struct strlist l = { 0 };
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_read(a, &tx));
	{
		cleanup_(db_rows_done) struct db_rows rows = db_query(&tx.db, &q, DB_NOARGS);
		while (db_next(&rows) == 1)
			strlist_add(test_arena(), &l, db_col_str(test_arena(), &rows, 0));
	}
	assert_strz(strlist_join(test_arena(), &l, S(", ")),
	    "a@example.org 1795528800000000, b@x.example 1795528800000000, c@x.example 1795528800000000");
	store_tx_rollback(&tx);
	assert_ok(store_write(a, &tx));
	struct store_mailbox mb;
	assert_int_equal(store_mailbox_get(&tx, added.mailbox_id, &mb), 1);
	assert_ok(store_expunge(&tx, &mb, get(&tx, mb.id, (uint32_t[]){ 1 }, 1), 1));
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx.db, &q, DB_NOARGS);
	assert_int_equal(db_next(&rows), 0);
	db_rows_done(&rows);
	assert_ok(store_tx_commit(&tx, NULL));
	store_account_close(&a);
	test_store_close();
}

TEST(walking)
{
	struct store_account *a = test_account("one");
	for (int i = 0; i < 6; i++)
		test_deliver(a, "Inbox", test_message(""));
	struct store_mailbox mb = test_mailbox(a, "Inbox");
	int64_t before = mb.modseq;
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_write(a, &tx));
	struct store_message *v = get(&tx, mb.id, (uint32_t[]){ 5, 2 }, 2);
	assert_ok(store_expunge(&tx, &mb, &v[1], 1));
	assert_int_equal(store_message_flags(&tx, &mb, &v[0], STORE_FLAG_ADD, STORE_SEEN, S("")), 1);
	assert_ok(store_tx_commit(&tx, NULL));
	struct store_uidset set = { 0 };
	store_uidset_add(test_arena(), &set, 2, 3);
	store_uidset_add(test_arena(), &set, 5, 9);
	store_settle(test_store());
	const struct { const struct store_uidset *set; bool live, body; int64_t since; const char *want; } rows[] = {
		{ NULL, false, false, 0, "1 2 3 4 5 6" }, { NULL, true, false, 0, "1 3 4 5 6" }, { &set, false, true, 0, "2 3 5 6" }, { &set, true, true, 0, "3 5 6" },
		{ NULL, false, false, before, "2 5" }, { NULL, true, false, before, "5" }, { &set, false, true, before, "2 5" }, { NULL, false, true, before + 1, "" },
	};
	assert_ok(store_read(a, &tx));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		struct strlist l = { 0 };
		struct store_scan s = { .tx = &tx, .mailbox_id = mb.id, .set = rows[i].set, .live_only = rows[i].live, .with_body = rows[i].body,
			.changed_since = rows[i].since };
		struct store_message m;
		struct store_body body;
		int got;
		while ((got = store_scan_next(&s, test_arena(), &m, &body)) == 1) {
			strlist_add(test_arena(), &l, str_fmt(test_arena(), "%u", m.uid));
			assert_true((body.parsed.n > 0) == (rows[i].body && !m.erased));
		}
		assert_ok(got);
		assert_int_equal(store_scan_next(&s, test_arena(), &m, NULL), 0);
		store_scan_done(&s);
		assert_strz(strlist_join(test_arena(), &l, S(" ")), rows[i].want);
	}
	store_tx_rollback(&tx);
	store_account_close(&a);
	test_store_close();
}
