/* SPDX-License-Identifier: MIT */
#include "store/annotations.h"

#include "base/limits.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

/* list describes the annotations of a mailbox, or of the account for NULL. */
static struct str
list(struct store_account *a, const char *mailbox)
{
	int64_t id = mailbox ? test_mailbox(a, mailbox).id : 0;
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_annotation *v;
	struct strlist l = { 0 };
	size_t n;
	assert_ok(store_read(a, &tx));
	assert_ok(store_annotation_list(&tx, id, &v, &n));
	for (size_t i = 0; i < n; i++) {
		assert_true(v[i].mailbox_id == id && !v[i].expunged);
		strlist_add(test_arena(), &l, str_fmt(test_arena(), STRF "=%s" STRF "@%lld", STRA(v[i].key), v[i].is_string ? "" : "~",
		    STRA(str_log(test_arena(), v[i].value, 100)), (long long)v[i].modseq));
	}
	return strlist_join(test_arena(), &l, S(" "));
}

static int
set(struct store_account *a, const char *mailbox, const struct store_annotation *v, size_t n)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	assert_ok(store_write(a, &tx));
	if (mailbox)
		assert_int_equal(store_mailbox_find(&tx, str_of(mailbox), &mb), 1);
	TRY(store_annotation_set(&tx, mailbox ? &mb : NULL, v, n));
	assert_ok(store_tx_commit(&tx, NULL));
	return 0;
}

static int
set1(struct store_account *a, const char *mailbox, const char *key, const char *value)
{
	return set(a, mailbox, &(struct store_annotation){ .key = str_of(key), .value = str_of(value), .is_string = true, .expunged = !value }, 1);
}

TEST(annotations_of_mailbox_and_account)
{
	struct store_account *a = test_account("one");
	assert_ok(set1(a, "Inbox", "/private/comment", "mine"));
	assert_ok(set1(a, NULL, "/shared/comment", ""));
	const struct store_annotation several[] = {
		{ .key = S("/shared/comment"), .value = S("a\0b") }, { .key = S("/private/absent"), .expunged = true },
		{ .key = S("/private/comment"), .is_string = true, .value = S("new") },
	};
	assert_strz(list(a, "Inbox"), "/private/comment=mine@3");
	assert_ok(set(a, "Inbox", several, ARRAY_LEN(several)));
	assert_strz(list(a, "Inbox"), "/private/comment=new@5 /shared/comment=~a\\x00b@5");
	assert_strz(list(a, NULL), "/shared/comment=@4");
	assert_int_equal(test_mailbox(a, "Inbox").modseq, 5);
	/* What is so already takes no modseq; as a string it is another value. */
	assert_ok(set(a, "Inbox", several, ARRAY_LEN(several)));
	assert_int_equal(test_mailbox(a, "Inbox").modseq, 5);
	assert_ok(set1(a, "Inbox", "/shared/comment", NULL));
	assert_strz(list(a, "Inbox"), "/private/comment=new@5");
	assert_ok(set1(a, "Inbox", "/shared/comment", "again"));
	assert_strz(list(a, "Inbox"), "/private/comment=new@5 /shared/comment=again@7");
	static const char *const bad[] = { "", "x", "/private", "/other/x", "/private/X", "/shared/\xc3\xa9" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(set1(a, "Inbox", bad[i], "v"), ERR_INVALID);
	store_account_close(&a);
	test_store_close();
}

TEST(annotations_end_with_their_mailbox)
{
	struct store_account *a = test_account("one");
	test_deliver(a, "box", test_message(""));
	assert_ok(set1(a, "box", "/private/comment", "x"));
	{
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_mailbox mb;
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_mailbox_find(&tx, S("box"), &mb), 1);
		assert_ok(store_mailbox_delete(&tx, &mb));
		assert_ok(store_tx_commit(&tx, NULL));
	}
	test_deliver(a, "box", test_message(""));
	assert_strz(list(a, "box"), "");
	store_account_close(&a);
	test_store_close();
}

TEST(annotations_are_copied_when_inbox_is_renamed)
{
	struct store_account *a = test_account("one");
	assert_ok(set1(a, "Inbox", "/private/comment", "x"));
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_write(a, &tx));
	assert_ok(store_mailbox_rename_inbox(&tx, S("old")));
	assert_ok(store_tx_commit(&tx, NULL));
	assert_strz(list(a, "Inbox"), "/private/comment=x@3");
	assert_strz(list(a, "old"), "/private/comment=x@4");
	store_account_close(&a);
	test_store_close();
}

TEST(annotations_are_limited_per_account)
{
	struct store_account *a = test_account("one");
	struct store_annotation *v = ARENA_NEWN(test_arena(), LIMIT_ANNOTATIONS + 1, struct store_annotation);
	for (int i = 0; i <= LIMIT_ANNOTATIONS; i++)
		v[i] = (struct store_annotation){ .key = str_fmt(test_arena(), "/private/vendor/x/%d", i), .value = S("v") };
	assert_err(set(a, "Inbox", v, LIMIT_ANNOTATIONS + 1), STORE_LIMIT);
	assert_strz(list(a, "Inbox"), "");
	assert_ok(set(a, "Inbox", v, LIMIT_ANNOTATIONS));
	assert_err(set(a, NULL, v, 1), STORE_LIMIT);
	for (int i = 0; i < LIMIT_ANNOTATIONS; i++)
		v[i].expunged = true;
	assert_ok(set(a, "Inbox", v, LIMIT_ANNOTATIONS));
	/* Bytes of keys and values: exactly as many as are allowed, then one more. */
	size_t n = LIMIT_ANNOTATIONS_SIZE - strlen("/private/big");
	char *big = arena_bytes(test_arena(), n);
	memset(big, 'x', n);
	struct store_annotation one = { .key = S("/private/big"), .value = str_n(big, n) };
	assert_ok(set(a, NULL, &one, 1));
	assert_err(set1(a, "Inbox", "/private/b", ""), STORE_ANNOTATIONS_SIZE);
	one.value.n--;
	assert_ok(set(a, NULL, &one, 1));
	store_account_close(&a);
	test_store_close();
}
