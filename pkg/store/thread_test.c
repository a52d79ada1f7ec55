/* SPDX-License-Identifier: MIT */
/* Threads at delivery: the vectors of ../spec/threading.md section 5. */
#include "store/store_test.h"
#include "testutil/testutil.h"

static const struct { const char *name, *id, *refs, *subject, *thread; } rows[] = {
	{ "m0", "m0", "", "test1", "m0" }, { "m1", "m1", "m0", "test1", "m0" }, { "m2", "m2", "m0", "other", "m2" },
	{ "m3", "m3", "!m0", "test1", "m0" }, { "m4", "m4", "", "re: test1", "m0" }, { "m5", "m5", "", "test1 (fwd)", "m0" },
	{ "m6", "m6", "", "[fwd: test1]", "m0" }, { "m7", "m7", "", "test1", "m7" },
	{ "c1", "c1", "c2", "cycle0", "c1" }, { "c2", "c2", "c1", "cycle0", "c1" }, { "c3", "c3", "c1", "cycle0", "c1" },
	{ "c4", "c4", "c2", "cycle0", "c1" }, { "c5", "c5", "c4", "cycle0", "c1" }, { "c5b", "c5", "c4", "cycle0", "c1" },
	{ "c6", "c6", "c5", "cycle0", "c1" }, { "c7", "c7", "c5 c7", "cycle0", "c1" },
	{ "d0", "d0", "d2", "cycle1", "d0" }, { "d1", "d1", "d0", "cycle1", "d0" }, { "d2", "d2", "d1", "cycle1", "d0" },
	{ "e0", "e0", "e1", "cycle2", "e0" }, { "e1", "e1", "e2", "cycle2", "e1" }, { "e2", "e2", "e0", "cycle2", "e0" },
	{ "f0", "f0", "", "cycle3", "f0" }, { "f1", "f1", "f0 f2", "cycle3", "f0" }, { "f2", "f2", "f3", "cycle3", "f2" },
	{ "f3", "f3", "f1", "cycle3", "f0" },
	{ "g0", "g0", "", "dup", "g0" }, { "g0b", "g0", "", "dup", "g0" },
	{ "h0", "h0", "", "dup2", "h0" }, { "h0b", "h0", "", "dup2", "h0" }, { "h1", "h1", "h0", "dup2", "h0" },
	{ "s0", "s0", "s0", "self", "s0" }, { "b0", "b0", "", "nul\1", "b0" }, { "b1", "b1", "", "re: nul\1", "b1" },
	{ "i0", "i0", "i1", "interleaved duplicate", "i0" }, { "i1", "i1", "", "interleaved duplicate", "i1" },
	{ "i2", "i1", "", "interleaved duplicate", "i1" }, { "i3", "i0", "i1", "interleaved duplicate", "i0" },
	{ "j0", "j0", "?", "empty reference", "j0" },
};

/* text makes a message; in refs "!" starts an In-Reply-To, "?" is an empty reference; \1 in a subject stands for NUL. */
static struct str
text(size_t i)
{
	struct arena *a = test_arena();
	struct buf b = BUF_ARENA(a, 10000);
	buf_addf(&b, "From: <x@example.org>\r\nMessage-ID: <%s@localhost>\r\nSubject: %s\r\n", rows[i].id, rows[i].subject);
	struct str refs = str_of(rows[i].refs);
	if (refs.n)
		buf_addz(&b, refs.p[0] == '!' ? "In-Reply-To:" : "References:");
	if (refs.n && refs.p[0] == '!')
		refs = str_from(refs, 1);
	while (refs.n) {
		struct str id = str_split(&refs, ' ');
		if (id.p[0] == '?')
			buf_addz(&b, " <>");
		else
			buf_addf(&b, " <" STRF "@localhost>", STRA(id));
	}
	if (rows[i].refs[0])
		buf_addz(&b, "\r\n");
	buf_addz(&b, "\r\nbody\r\n");
	for (size_t k = 0; k < b.n; k++)
		if (b.p[k] == '\1')
			b.p[k] = '\0';
	return buf_str(&b);
}

TEST(threads_at_delivery)
{
	struct store_account *a = test_account("one");
	int64_t ids[ARRAY_LEN(rows)];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ids[i] = test_deliver(a, "Inbox", text(i)).id;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t want = 0;
		test_row("%s", rows[i].name);
		for (size_t k = 0; k < ARRAY_LEN(rows) && !want; k++)
			if (strcmp(rows[k].name, rows[i].thread) == 0)
				want = ids[k];
		assert_int_equal(test_get(a, ids[i]).thread_id, want);
	}
	store_account_close(&a);
	test_store_close();
}

TEST(parents_and_missing_links)
{
	struct store_account *a = test_account("one");
	struct store_added r = test_deliver(a, "Inbox", test_message("Message-ID: <r@x>\r\nSubject: s\r\n"));
	struct store_added c1 = test_deliver(a, "Archive", test_message("Message-ID: <c1@x>\r\nSubject: Re: s\r\nReferences: <r@x>\r\n"));
	struct store_added c2 = test_deliver(a, "Inbox", test_message("Message-ID: <c2@x>\r\nSubject: Re: s\r\nReferences: <r@x> <c1@x>\r\n"));
	struct store_added c3 = test_deliver(a, "Inbox", test_message("Message-ID: <c3@x>\r\nSubject: Re: s\r\nReferences: <r@x> <gone@x>\r\n"));
	struct store_message m = test_get(a, c2.id);
	assert_str(m.thread_parent_ids, str_fmt(test_arena(), "%lld %lld", (long long)c1.id, (long long)r.id));
	assert_false(m.thread_missing_link);
	m = test_get(a, c3.id);
	assert_str(m.thread_parent_ids, str_fmt(test_arena(), "%lld", (long long)r.id));
	assert_true(m.thread_missing_link);
	/* The subject must agree, but for delivery reports. */
	struct store_added dsn = test_deliver(a, "Inbox",
	    test_message("Message-ID: <d@x>\r\nSubject: failed\r\nReferences: <r@x>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
	    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n--b--\r\n"));
	m = test_get(a, dsn.id);
	assert_true(m.is_dsn && m.thread_id == r.id);
	store_account_close(&a);
	test_store_close();
}

TEST(a_muted_thread_makes_new_messages_seen)
{
	struct store_account *a = test_account("one");
	struct store_added r = test_deliver(a, "Inbox", test_message("Message-ID: <r@x>\r\nSubject: s\r\n"));
	static struct db_sql q = DB_SQL("UPDATE message SET thread_muted = 1, thread_collapsed = 1 WHERE id = $1");
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_write(a, &tx));
	assert_ok(db_exec(&tx.db, &q, DB_ARGS(db_int(r.id)), NULL));
	assert_ok(store_tx_commit(&tx, NULL));
	struct store_added c = test_deliver(a, "Inbox", test_message("Message-ID: <c1@x>\r\nSubject: Re: s\r\nReferences: <r@x>\r\n"));
	struct store_message m = test_get(a, c.id);
	assert_true(m.thread_muted && m.thread_collapsed && m.flags == STORE_SEEN);
	assert_int_equal(test_mailbox(a, "Inbox").unseen, 1);
	store_account_close(&a);
	test_store_close();
}
