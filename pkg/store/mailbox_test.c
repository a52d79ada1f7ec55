/* SPDX-License-Identifier: MIT */
#include "store/mailbox.h"

#include "base/limits.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

TEST(mailbox_names)
{
	static const struct { const char *in, *want; int err; } rows[] = {
		{ "Inbox", "Inbox", 0 }, { "iNBOX", "Inbox", 0 }, { "INBOX/a", "Inbox/a", 0 }, { "Inboxes", "Inboxes", 0 }, { "a/inbox", "a/inbox", 0 },
		{ "a/b/c", "a/b/c", 0 }, { " ", " ", 0 }, { "%*&~", "%*&~", 0 }, { "a#b", "a#b", 0 }, { "...", "...", 0 }, { ".a", ".a", 0 },
		{ "\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9", 0 },
		{ "", NULL, STORE_BAD_NAME }, { "/a", NULL, STORE_BAD_NAME }, { "a/", NULL, STORE_BAD_NAME }, { "a//b", NULL, STORE_BAD_NAME },
		{ ".", NULL, STORE_BAD_NAME }, { "a/..", NULL, STORE_BAD_NAME }, { "../a", NULL, STORE_BAD_NAME }, { "#news", NULL, STORE_BAD_NAME },
		{ "a\x01", NULL, STORE_BAD_NAME }, { "a\x7f", NULL, STORE_BAD_NAME }, { "a\xc2\x85", NULL, STORE_BAD_NAME },
		{ "a\xe2\x80\xa8", NULL, STORE_BAD_NAME }, { "a\xe2\x80\xa9", NULL, STORE_BAD_NAME },
		{ "e\xcc\x81", NULL, STORE_BAD_NAME }, { "a\xff", NULL, STORE_BAD_NAME },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = { 0 };
		struct errmsg e = { 0 };
		test_row("%s", rows[i].in);
		assert_int_equal(store_mailbox_name(test_arena(), str_of(rows[i].in), true, &got, &e), rows[i].err);
		if (rows[i].want)
			assert_strz(got, rows[i].want);
		else
			assert_true(e.text[0] != '\0');
	}
	struct str got, nul = S("a\0b"), longest = { arena_bytes(test_arena(), LIMIT_MAILBOX_NAME + 1), LIMIT_MAILBOX_NAME };
	memset((char *)(uintptr_t)longest.p, 'x', LIMIT_MAILBOX_NAME + 1);
	assert_err(store_mailbox_name(test_arena(), nul, true, &got, NULL), STORE_BAD_NAME);
	assert_ok(store_mailbox_name(test_arena(), longest, true, &got, NULL));
	longest.n++;
	assert_err(store_mailbox_name(test_arena(), longest, true, &got, NULL), STORE_BAD_NAME);
	assert_err(store_mailbox_name(test_arena(), S("inbox"), false, &got, NULL), STORE_IS_INBOX);
	assert_ok(store_mailbox_name(test_arena(), S("inbox/a"), false, &got, NULL));
}

/* names lists the live mailboxes of an account, with marks of their roles. */
static struct str
names(struct store_account *a)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox *v;
	struct strlist l = { 0 };
	size_t n;
	assert_ok(store_read(a, &tx));
	assert_ok(store_mailbox_list(&tx, &v, &n));
	for (size_t i = 0; i < n; i++)
		strlist_add(test_arena(), &l, v[i].use ? str_fmt(test_arena(), STRF "=%u", STRA(v[i].name), v[i].use) : str_dup(test_arena(), v[i].name));
	return strlist_join(test_arena(), &l, S(" "));
}

static int
create(struct store_account *a, const char *name, unsigned use, bool subscribe)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox *made;
	size_t n;
	assert_ok(store_write(a, &tx));
	TRY(store_mailbox_create(&tx, str_of(name), use, subscribe, &made, &n));
	assert_ok(store_tx_commit(&tx, NULL));
	return (int)n;
}

static int
rename_to(struct store_account *a, const char *from, const char *to)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_find(&tx, str_of(from), &mb), 1);
	TRY(store_mailbox_rename(&tx, &mb, str_of(to)));
	assert_ok(store_tx_commit(&tx, NULL));
	return 0;
}

static int
delete(struct store_account *a, const char *name)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_find(&tx, str_of(name), &mb), 1);
	TRY(store_mailbox_delete(&tx, &mb));
	assert_ok(store_tx_commit(&tx, NULL));
	return 0;
}

/* An account with Inbox alone. */
static struct store_account *
bare(void)
{
	static struct str regular[] = { S("Inbox") };
	test_config.regular = (struct strlist){ .v = regular, .n = 1 };
	return test_account("one");
}

TEST(creating_makes_parents)
{
	struct store_account *a = bare();
	assert_int_equal(create(a, "a/b/c", 0, true), 3);
	assert_int_equal(create(a, "a/d", STORE_USE_SENT, false), 1);
	assert_int_equal(create(a, "inbox/x", 0, false), 1);
	assert_strz(names(a), "Inbox Inbox/x a a/b a/b/c a/d=8");
	assert_err(create(a, "a/b", 0, true), STORE_MAILBOX_EXISTS);
	assert_err(create(a, "INBOX", 0, true), STORE_MAILBOX_EXISTS);
	assert_err(create(a, "a/../b", 0, true), STORE_BAD_NAME);
	/* Every mailbox has a UIDVALIDITY of its own, in order; one transaction one modseq. */
	struct store_mailbox b = test_mailbox(a, "a/b"), c = test_mailbox(a, "a/b/c");
	assert_true(c.uidvalidity == b.uidvalidity + 1 && c.modseq == b.modseq && c.parent_id == b.id && b.modseq == 3);
	/* One mailbox has a role at a time, one mailbox may have several. */
	assert_int_equal(create(a, "s", STORE_USE_SENT | STORE_USE_TRASH, true), 1);
	assert_strz(names(a), "Inbox Inbox/x a a/b a/b/c a/d s=24");
	assert_true(test_mailbox(a, "a/d").modseq == test_mailbox(a, "s").modseq);
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_mailbox mb;
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_mailbox_find(&tx, S("a"), &mb), 1);
		assert_ok(store_mailbox_set_use(&tx, &mb, STORE_USE_TRASH));
		assert_ok(store_tx_commit(&tx, NULL));
	}
	assert_strz(names(a), "Inbox Inbox/x a=16 a/b a/b/c a/d s=8");
	store_account_close(&a);
	test_store_close();
}

TEST(renaming_takes_children_along)
{
	struct store_account *a = bare();
	create(a, "a/b/c", 0, true);
	create(a, "a/bb", 0, true);
	test_deliver(a, "a/b/c", test_message(""));
	struct store_mailbox before = test_mailbox(a, "a/b/c");
	assert_ok(rename_to(a, "a/b", "x/y"));
	assert_strz(names(a), "Inbox a a/bb x x/y x/y/c");
	struct store_mailbox after = test_mailbox(a, "x/y/c");
	assert_true(before.id == after.id && before.uidvalidity == after.uidvalidity && after.total == 1 && after.modseq > before.modseq);
	assert_true(after.modseq == test_mailbox(a, "x").modseq && test_mailbox(a, "x/y").parent_id == test_mailbox(a, "x").id);
	/* Below itself: the old name is made anew. */
	assert_ok(rename_to(a, "x/y", "x/y/z/w"));
	assert_strz(names(a), "Inbox a a/bb x x/y x/y/z x/y/z/w x/y/z/w/c");
	assert_true(test_mailbox(a, "x/y/z/w/c").id == before.id);
	assert_ok(rename_to(a, "x/y/z/w", "top"));
	assert_strz(names(a), "Inbox a a/bb top top/c x x/y x/y/z");
	assert_true(test_mailbox(a, "top").parent_id == 0);
	assert_err(rename_to(a, "a", "top"), STORE_MAILBOX_EXISTS);
	assert_err(rename_to(a, "a", "a"), STORE_MAILBOX_EXISTS);
	assert_err(rename_to(a, "Inbox", "q"), STORE_IS_INBOX);
	assert_err(rename_to(a, "a", "inbox"), STORE_IS_INBOX);
	assert_err(rename_to(a, "a", "a//b"), STORE_BAD_NAME);
	/* The children's names must fit, too. */
	char longest[LIMIT_MAILBOX_NAME + 1];
	memset(longest, 'n', LIMIT_MAILBOX_NAME);
	longest[LIMIT_MAILBOX_NAME] = '\0';
	assert_err(rename_to(a, "a", longest), STORE_BAD_NAME);
	assert_strz(names(a), "Inbox a a/bb top top/c x x/y x/y/z");
	store_account_close(&a);
	test_store_close();
}

TEST(renaming_inbox_moves_its_messages)
{
	struct store_account *a = bare();
	for (int i = 0; i < 3; i++)
		test_deliver(a, "Inbox", test_message(""));
	create(a, "Inbox/child", 0, false);
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_write(a, &tx));
	assert_err(store_mailbox_rename_inbox(&tx, S("Inbox")), STORE_IS_INBOX);
	assert_ok(store_mailbox_rename_inbox(&tx, S("old/mail")));
	assert_ok(store_tx_commit(&tx, NULL));
	assert_strz(names(a), "Inbox Inbox/child old old/mail");
	assert_strz(test_live(a, "Inbox"), "");
	assert_strz(test_live(a, "old/mail"), "1:0:, 2:0:, 3:0:");
	assert_int_equal(test_mailbox(a, "Inbox").uidnext, 4);
	store_account_close(&a);
	test_store_close();
}

TEST(deleting_removes_messages)
{
	struct store_account *a = bare();
	create(a, "a/b", STORE_USE_TRASH, true);
	for (int i = 0; i < 3; i++)
		test_deliver(a, "a/b", test_message(""));
	assert_err(delete(a, "a"), STORE_HAS_CHILDREN);
	assert_err(delete(a, "Inbox"), STORE_IS_INBOX);
	struct store_mailbox old = test_mailbox(a, "a/b");
	assert_ok(delete(a, "a/b"));
	assert_strz(names(a), "Inbox a");
	store_settle(test_store());
	assert_true(test_get(a, 1).erased);
	/* A new one of the name is another mailbox; the subscription stayed. */
	assert_int_equal(create(a, "a/b", STORE_USE_TRASH, false), 1);
	struct store_mailbox new = test_mailbox(a, "a/b");
	assert_true(new.id != old.id && new.uidvalidity > old.uidvalidity && new.uidnext == 1);
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct strlist subs = { 0 };
	struct store_mailbox mb;
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_get(&tx, old.id, &mb), 1);
	assert_true(mb.expunged && mb.use == 0 && mb.total == 0);
	assert_ok(store_subscriptions(&tx, &subs));
	assert_str(strlist_join(test_arena(), &subs, S(" ")), S("Inbox a a/b"));
	assert_ok(store_subscribe(&tx, S("nowhere")));
	assert_int_equal(store_unsubscribe(&tx, S("a")), 1);
	assert_int_equal(store_unsubscribe(&tx, S("a")), 0);
	assert_ok(store_tx_commit(&tx, NULL));
	store_account_close(&a);
	test_store_close();
}
