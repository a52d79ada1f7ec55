/* SPDX-License-Identifier: MIT */
#include "store/store_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "testutil/testutil.h"

struct store_account_config test_config;

static struct store *the_store;

static int
config_of(void *arg unused_, struct arena *a unused_, struct str name, struct store_account_config *r_c)
{
	if (str_starts(name, S("no")))
		return ERR_NOTFOUND;
	*r_c = test_config;
	return 0;
}

struct store *
test_store(void)
{
	if (!the_store) {
		struct store_opts o = { .data_dir = test_dir(), .account_config = config_of, .check_on_close = true, .clock = test_clock() };
		struct errmsg e = { 0 };
		if (store_open(&o, &the_store, &e) < 0)
			fail_msg("%s", e.text);
	}
	return the_store;
}

void
test_store_close(void)
{
	store_close(&the_store);
	test_config = (struct store_account_config){ 0 };
}

struct store *
test_store_again(void)
{
	store_close(&the_store);
	return test_store();
}

struct store_account *
test_account(const char *name)
{
	struct store_account *a = NULL;
	struct errmsg e = { 0 };
	if (store_account_open(test_store(), str_of(name), false, &a, &e) < 0)
		fail_msg("%s", e.text);
	return a;
}

struct str
test_message(const char *headers)
{
	return str_fmt(test_arena(), "From: <x@example.org>\r\n%s\r\nHello.\r\n", headers);
}

struct blob *
test_blob(struct str content)
{
	struct blob *b;
	assert_ok(blob_new(store_tmp_dir(test_store()), &b));
	assert_ok(blob_write(b, content));
	return b;
}

struct store_added
test_deliver(struct store_account *a, const char *mailbox, struct str content)
{
	cleanup_(blob_free) struct blob *b = test_blob(content);
	struct store_added added;
	struct errmsg e = { 0 };
	if (store_deliver(a, str_of(mailbox), &(struct store_add){ .blob = b }, &added, &e) < 0)
		fail_msg("%s", e.text);
	return added;
}

struct store_mailbox
test_mailbox(struct store_account *a, const char *name)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	assert_ok(store_read(a, &tx));
	assert_int_equal(store_mailbox_find(&tx, str_of(name), &mb), 1);
	mb.name = str_dup(test_arena(), mb.name);
	mb.keywords = str_dup(test_arena(), mb.keywords);
	return mb;
}

struct store_message
test_get(struct store_account *a, int64_t id)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_message m;
	assert_ok(store_read(a, &tx));
	assert_int_equal(store_message_get(&tx, id, &m), 1);
	m.keywords = str_dup(test_arena(), m.keywords);
	m.message_id = str_dup(test_arena(), m.message_id);
	m.subject_base = str_dup(test_arena(), m.subject_base);
	m.thread_parent_ids = str_dup(test_arena(), m.thread_parent_ids);
	return m;
}

struct str
test_live(struct store_account *a, const char *mailbox)
{
	struct store_mailbox mb = test_mailbox(a, mailbox);
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_read(a, &tx));
	cleanup_(store_scan_done) struct store_scan s = { .tx = &tx, .mailbox_id = mb.id, .live_only = true };
	struct strlist out = { 0 };
	struct store_message m;
	int got;
	while ((got = store_scan_next(&s, test_arena(), &m, NULL)) == 1)
		strlist_add(test_arena(), &out, str_fmt(test_arena(), "%u:%u:" STRF, m.uid, m.flags, STRA(m.keywords)));
	assert_ok(got);
	return strlist_join(test_arena(), &out, S(", "));
}

void
test_no_wake(void *arg unused_)
{
}

struct str
test_content(struct store_account *a, int64_t id)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_body body;
	cleanup_(blob_close) struct blob_file *f = NULL;
	assert_ok(store_read(a, &tx));
	assert_int_equal(store_message_body(&tx, test_arena(), id, &body), 1);
	assert_ok(store_message_open(a, id, &f));
	size_t n = (size_t)blob_file_size(f);
	char *p = arena_bytes(test_arena(), n);
	assert_ok(blob_file_read(f, p, n, 0));
	return str_cat(test_arena(), body.prefix, str_n(p, n));
}

/* --- accounts --- */

TEST(a_new_account_has_its_mailboxes)
{
	cleanup_(store_account_close) struct store_account *a = test_account("one");
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox *v;
	struct strlist subs = { 0 };
	size_t n;
	assert_ok(store_read(a, &tx));
	assert_ok(store_mailbox_list(&tx, &v, &n));
	static const struct { const char *name; unsigned use; } want[] = {
		{ "Archive", STORE_USE_ARCHIVE }, { "Drafts", STORE_USE_DRAFT }, { "Inbox", 0 }, { "Junk", STORE_USE_JUNK }, { "Sent", STORE_USE_SENT },
		{ "Trash", STORE_USE_TRASH },
	};
	assert_int_equal(n, ARRAY_LEN(want));
	for (size_t i = 0; i < n; i++) {
		assert_strz(v[i].name, want[i].name);
		assert_int_equal(v[i].use, want[i].use);
		assert_int_equal(v[i].uidvalidity, 1700000000 >> 1);
		assert_int_equal(v[i].uidnext, 1);
		assert_true(v[i].modseq == 2 && v[i].createseq == 2);
	}
	assert_ok(store_subscriptions(&tx, &subs));
	assert_int_equal(subs.n, n);
	store_tx_rollback(&tx);
	store_account_close(&a);
	test_store_close();
}

TEST(initial_mailboxes_come_from_the_configuration)
{
	struct str regular[] = { S("Lists/c/announce"), S("INBOX/sub") };
	test_config = (struct store_account_config){ .archive = S("Box/Old"), .regular = { .v = regular, .n = 2 } };
	cleanup_(store_account_close) struct store_account *a = test_account("one");
	static const char *const names[] = { "Box", "Box/Old", "Inbox", "Inbox/sub", "Lists", "Lists/c", "Lists/c/announce" };
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox *v;
	size_t n;
	assert_ok(store_read(a, &tx));
	assert_ok(store_mailbox_list(&tx, &v, &n));
	assert_int_equal(n, ARRAY_LEN(names));
	for (size_t i = 0; i < n; i++)
		assert_strz(v[i].name, names[i]);
	assert_int_equal(v[1].use, STORE_USE_ARCHIVE);
	store_tx_rollback(&tx);
	store_account_close(&a);
	test_store_close();
}

TEST(accounts_open_by_configuration)
{
	struct store_account *a = NULL, *b = NULL;
	struct errmsg e = { 0 };
	assert_err(store_account_open(test_store(), S("nobody"), false, &a, &e), STORE_NO_ACCOUNT);
	static const char *const bad[] = { "", ".", "..", "a/b" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(store_account_open(test_store(), str_of(bad[i]), false, &a, &e), STORE_NO_ACCOUNT);
	test_config.login_disabled = S("gone fishing");
	assert_ok(store_account_open(test_store(), S("one"), false, &a, &e));
	e = (struct errmsg){ 0 };
	assert_err(store_account_open(test_store(), S("one"), true, &b, &e), STORE_LOGIN_DISABLED);
	assert_non_null(strstr(e.text, "gone fishing"));
	test_config.login_disabled = S("");
	assert_ok(store_account_open(test_store(), S("one"), true, &b, &e));
	assert_ptr_equal(a, b);
	store_account_close(&a);
	store_account_close(&b);
	test_store_close();
}

static void
open_elsewhere(void *arg)
{
	struct store_opts o = { .data_dir = arg, .account_config = config_of };
	struct store *s;
	struct store_account *a;
	struct errmsg e = { 0 };
	if (store_open(&o, &s, &e) < 0)
		_exit(10);
	int err = store_account_open(s, S("one"), false, &a, &e);
	_exit(err == STORE_LOCKED ? 7 : 11);
}

TEST(one_process_owns_an_account)
{
	struct store_account *a = test_account("one");
	char *dir = arena_strdup(test_arena(), test_dir());
	assert_int_equal(WEXITSTATUS(test_child(open_elsewhere, dir, NULL)), 7);
	store_account_close(&a);
	test_store_close();
}

/* --- adding and reading --- */

TEST(a_delivered_message_can_be_read)
{
	struct store_account *a = test_account("one");
	struct str content = test_message("Subject: Re: hi\r\nMessage-ID: <A@B>\r\n");
	cleanup_(blob_free) struct blob *b = test_blob(content);
	struct store_delivery_info d = { .remote_ip = S("10.0.0.1"), .mailfrom = S("x@y"), .ehlo_validated = true, .tls_version = 772 };
	strlist_add(test_arena(), &d.dkim_domains, S("example.org"));
	struct store_add add = { .blob = b, .prefix = S("Received: by us\r\n"), .keywords = S("k1 k2"), .flags = STORE_FLAGGED, .delivery = &d };
	struct store_added added;
	assert_ok(store_deliver(a, S("Inbox"), &add, &added, NULL));
	assert_true(added.uid == 1 && added.id == 1 && added.modseq == 3);
	struct store_message m = test_get(a, added.id);
	assert_strz(m.message_id, "a@b");
	assert_strz(m.subject_base, "hi");
	assert_strz(m.keywords, "k1 k2");
	assert_int_equal(m.flags, STORE_FLAGGED);
	assert_true(m.size == (int64_t)(content.n + add.prefix.n) && m.thread_id == m.id && m.modseq == 3 && m.createseq == 3);
	assert_true(m.received_us == 1700000000 * TIME_SEC && m.save_date_us == m.received_us && m.trained_junk == -1);
	assert_str(test_content(a, m.id), str_cat(test_arena(), add.prefix, content));
	struct store_mailbox mb = test_mailbox(a, "Inbox");
	assert_true(mb.total == 1 && mb.unseen == 1 && mb.unread == 1 && mb.deleted == 0 && mb.size == m.size && mb.uidnext == 2 && mb.modseq == 3);
	assert_strz(mb.keywords, "k1 k2");
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_delivery_info got;
		struct store_message by_uid;
		struct store_body body;
		assert_ok(store_read(a, &tx));
		assert_ok(store_message_delivery(&tx, test_arena(), m.id, &got));
		assert_str(got.remote_ip, d.remote_ip);
		assert_int_equal(got.dkim_domains.n, 1);
		assert_true(got.ehlo_validated && !got.requiretls && got.tls_version == 772);
		assert_int_equal(store_message_by_uid(&tx, mb.id, 1, &by_uid), 1);
		assert_true(by_uid.id == m.id);
		assert_int_equal(store_message_by_uid(&tx, mb.id, 2, &by_uid), 0);
		assert_int_equal(store_message_body(&tx, test_arena(), m.id, &body), 1);
		assert_true(body.parsed.n > 0 && !body.has_preview);
	}
	/* It survives closing. */
	store_account_close(&a);
	test_store_again();
	a = test_account("one");
	assert_strz(test_live(a, "Inbox"), "1:4:k1 k2");
	assert_true(test_deliver(a, "Made/Now", content).id == 2);
	store_account_close(&a);
	test_store_close();
}

TEST(flags_and_expunge)
{
	struct store_account *a = test_account("one");
	for (int i = 0; i < 5; i++)
		test_deliver(a, "Inbox", test_message(""));
	struct store_mailbox mb = test_mailbox(a, "Inbox");
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_message m;
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_message_by_uid(&tx, mb.id, 2, &m), 1);
		assert_int_equal(store_message_flags(&tx, &mb, &m, STORE_FLAG_ADD, STORE_SEEN | STORE_DELETED, S("x")), 1);
		assert_int_equal(store_message_flags(&tx, &mb, &m, STORE_FLAG_ADD, STORE_SEEN, S("")), 0);
		assert_int_equal(store_message_by_uid(&tx, mb.id, 3, &m), 1);
		assert_int_equal(store_message_flags(&tx, &mb, &m, STORE_FLAG_SET, STORE_DRAFT, S("a z")), 1);
		assert_int_equal(store_message_flags(&tx, &mb, &m, STORE_FLAG_REMOVE, STORE_DRAFT, S("z")), 1);
		assert_ok(store_tx_commit(&tx, NULL));
	}
	assert_strz(test_live(a, "Inbox"), "1:0:, 2:9:x, 3:0:a, 4:0:, 5:0:");
	mb = test_mailbox(a, "Inbox");
	assert_true(mb.total == 4 && mb.deleted == 1 && mb.unseen == 4 && mb.unread == 4);
	assert_strz(mb.keywords, "a x z");
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_message v[2];
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_message_by_uid(&tx, mb.id, 2, &v[0]), 1);
		assert_int_equal(store_message_by_uid(&tx, mb.id, 4, &v[1]), 1);
		assert_ok(store_expunge(&tx, &mb, v, 2));
		assert_err(store_expunge(&tx, &mb, v, 1), STORE_MESSAGE_EXPUNGED);
		assert_ok(store_tx_commit(&tx, NULL));
	}
	store_settle(test_store());
	assert_strz(test_live(a, "Inbox"), "1:0:, 3:0:a, 5:0:");
	struct store_message gone = test_get(a, 2);
	assert_true(gone.expunged && gone.erased && gone.size == 0 && gone.uid == 2);
	struct blob_file *f;
	assert_err(store_message_open(a, 2, &f), ERR_NOTFOUND);
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_uidset uids, vanished;
	uint32_t unseen;
	assert_ok(store_read(a, &tx));
	assert_ok(store_uids(&tx, test_arena(), mb.id, &uids, &unseen));
	assert_true(uids.n == 3 && unseen == 1 && store_uidset_has(&uids, 5) && !store_uidset_has(&uids, 4));
	assert_ok(store_vanished(&tx, test_arena(), mb.id, 2, &vanished));
	assert_true(vanished.n == 2 && store_uidset_has(&vanished, 2) && store_uidset_has(&vanished, 4));
	store_tx_rollback(&tx);
	store_account_close(&a);
	test_store_close();
}

TEST(a_failed_transaction_leaves_nothing)
{
	struct store_account *a = test_account("one");
	struct store_mailbox mb = test_mailbox(a, "Inbox");
	{
		cleanup_(blob_free) struct blob *b = test_blob(test_message(""));
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_added added;
		assert_ok(store_write(a, &tx));
		assert_ok(store_add_message(&tx, &mb, &(struct store_add){ .blob = b }, &added, NULL));
		struct store_mailbox now;
		assert_int_equal(store_mailbox_get(&tx, mb.id, &now), 1);
		assert_true(now.total == 1 && now.uidnext == 2);
	}
	assert_strz(test_live(a, "Inbox"), "");
	assert_true(test_deliver(a, "Inbox", test_message("")).uid == 1);
	store_account_close(&a);
	test_store_close();
}
