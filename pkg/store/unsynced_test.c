/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

/* kept: number of messages whose content is kept in the database. */
static int
kept(struct store_account *a)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct str content;
	int64_t id = 0;
	int n = 0;
	assert_ok(store_read(a, &tx));
	while (store_unsynced_next(&tx, test_arena(), id, &id, &content) == 1)
		n++;
	return n;
}

static const char *
file_of(struct store_account *a, int64_t id)
{
	static char path[PATH_SIZE];
	store_file_path(a, id, path, NULL);
	return path;
}

static void
touch_something(struct store_account *a)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_write(a, &tx));
	assert_ok(store_tx_commit(&tx, NULL));
}

TEST(content_is_kept_until_the_file_is_synced)
{
	struct store_account *a = test_account("one");
	struct str text = test_message("Subject: s\r\n");
	for (int i = 0; i < 3; i++)
		test_deliver(a, "Inbox", text);
	assert_int_equal(kept(a), 3);
	touch_something(a);
	assert_int_equal(kept(a), 3);
	store_syncer_settle(test_store());
	assert_int_equal(kept(a), 3);
	test_deliver(a, "Inbox", text);         /* the next transaction forgets the others */
	assert_int_equal(kept(a), 1);
	assert_int_equal(atomic_load(&a->nunsynced), 1);
	assert_str(test_content(a, 1), text);
	store_account_close(&a);
	test_store_again();
	a = test_account("one");
	assert_int_equal(kept(a), 0);           /* an orderly end forgets all */
	assert_str(test_content(a, 4), text);
	store_account_close(&a);
	test_store_close();
}

TEST(one_transaction_does_not_forget_for_all)
{
	struct store_account *a = test_account("one");
	for (int i = 0; i < 40; i++)
		test_deliver(a, "Inbox", test_message(""));
	store_syncer_settle(test_store());
	touch_something(a);
	assert_int_equal(kept(a), 8);
	touch_something(a);
	assert_int_equal(kept(a), 0);
	store_account_close(&a);
	test_store_close();
}

TEST(large_messages_and_other_file_systems_are_synced_at_once)
{
	struct store_account *a = test_account("one");
	char *large = arena_bytes(test_arena(), LIMIT_SPOOL_MEMORY);
	memset(large, 'x', LIMIT_SPOOL_MEMORY);
	test_deliver(a, "Inbox", str_cat(test_arena(), test_message(""), str_n(large, LIMIT_SPOOL_MEMORY)));
	a->syncs_later = false;
	test_deliver(a, "Inbox", test_message(""));
	assert_int_equal(kept(a), 0);
	assert_int_equal(atomic_load(&a->nunsynced), 0);
	store_account_close(&a);
	test_store_close();
}

TEST(much_content_is_synced_by_itself)
{
	struct store_account *a = test_account("one");
	char *some = arena_bytes(test_arena(), 100000);
	memset(some, 'x', 100000);
	struct str text = str_cat(test_arena(), test_message(""), str_n(some, 100000));
	for (int i = 0; i < 200; i++)
		test_deliver(a, "Inbox", text);
	assert_true(atomic_load(&test_store()->unsynced_size) < 200 * 100000);
	store_account_close(&a);
	test_store_close();
}

/* --- crashes --- */

/* What a power cut may leave of a file that was not synced. */
static const struct { const char *what; int size; const char *content; bool missing; } torn[] = {
	{ "missing", 0, NULL, true }, { "empty", 0, NULL, false }, { "short", 20, NULL, false }, { "zeros", 0, "\0\0\0\0\0\0\0\0", false },
	{ "other", -1, "other content", false }, { "longer", 10000, NULL, false }, { "whole", -1, NULL, false },
};

static struct str
text_of(size_t i)
{
	return test_message(str_fmt(test_arena(), "Subject: number %zu\r\n", i).p);
}

/* A process that delivers, damages its files as the power cut does, and is gone. */
static void
tear_files(void *arg unused_)
{
	struct store_account *a = test_account("one");
	for (size_t i = 0; i < ARRAY_LEN(torn); i++) {
		struct str text = text_of(i);
		const char *path = file_of(a, test_deliver(a, "Inbox", text).id);
		if (torn[i].missing)
			unlink(path);
		else if (torn[i].size >= 0 && truncate(path, torn[i].size) < 0)
			_exit(1);
		if (torn[i].content) {
			FILE *f = fopen(path, "r+");
			fwrite(torn[i].content, 1, 8, f);
			fclose(f);
		}
	}
	_exit(0);
}

TEST(torn_files_are_written_again)
{
	test_dir();
	assert_int_equal(test_child(tear_files, NULL, NULL), 0);
	struct store_account *a = test_account("one");
	for (size_t i = 0; i < ARRAY_LEN(torn); i++) {
		test_row("%s", torn[i].what);
		assert_str(test_content(a, (int64_t)i + 1), text_of(i));
	}
	assert_int_equal(test_deliver(a, "Inbox", text_of(0)).uid, ARRAY_LEN(torn) + 1);
	assert_int_equal(kept(a), 1);           /* the next transaction has forgotten the others */
	store_account_close(&a);
	test_store_close();
}

/* The message is gone for good while its copy, a second name of the same file, is not yet on disk. */
static void
tear_a_copy(void *arg unused_)
{
	struct store_account *a = test_account("one");
	test_deliver(a, "Inbox", text_of(1));
	struct store_mailbox inbox = test_mailbox(a, "Inbox"), archive = test_mailbox(a, "Archive");
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_message m = test_get(a, 1);
	uint32_t *uids;
	assert_ok(store_write(a, &tx));
	assert_ok(store_copy(&tx, &inbox, &archive, &m, 1, &uids));
	assert_ok(store_expunge(&tx, &inbox, &m, 1));
	assert_ok(store_tx_commit(&tx, NULL));
	store_settle(a->store);
	assert_int_equal(access(file_of(a, 1), F_OK), -1);
	assert_int_equal(truncate(file_of(a, 2), 0), 0);
	_exit(kept(a) == 1 ? 0 : 1);
}

TEST(a_copy_is_durable_without_its_original)
{
	test_dir();
	assert_int_equal(test_child(tear_a_copy, NULL, NULL), 0);
	struct store_account *a = test_account("one");
	assert_str(test_content(a, 2), text_of(1));
	store_account_close(&a);
	test_store_close();
}

/* --- syncs that fail --- */

static atomic_int syncfs_fails, fsync_fails, fsyncs;

static int
failing_syncfs(int fd)
{
	if (atomic_load(&syncfs_fails) > 0 && atomic_fetch_sub(&syncfs_fails, 1) > 0) {
		errno = EIO;
		return -1;
	}
	return syncfs(fd);
}

static int
failing_fsync(int fd)
{
	atomic_fetch_add(&fsyncs, 1);
	if (atomic_load(&fsync_fails) > 0 && atomic_fetch_sub(&fsync_fails, 1) > 0) {
		errno = EIO;
		return -1;
	}
	return fsync(fd);
}

TEST(files_are_written_again_when_their_sync_failed)
{
	struct fd_ops ops = *fd_ops();
	struct store_account *a = test_account("one");
	ops.syncfs = failing_syncfs;
	ops.fsync = failing_fsync;
	for (int i = 0; i < 4; i++)
		test_deliver(a, "Inbox", text_of((size_t)i));
	assert_int_equal(truncate(file_of(a, 2), 0), 0);        /* the kernel may drop what it could not write */
	fd_ops_set(&ops);
	atomic_store(&syncfs_fails, 1);
	expect_log("writing them again");
	store_syncer_settle(test_store());
	assert_str(test_content(a, 2), text_of(1));
	assert_true(atomic_load(&fsyncs) >= 4);
	assert_int_equal(atomic_load(&a->nunsynced), 0);
	assert_int_equal(a->synced.n, 4);

	/* One that cannot be written waits for the next round; its content stays. */
	test_deliver(a, "Inbox", text_of(4));
	test_deliver(a, "Inbox", text_of(5));
	atomic_store(&syncfs_fails, 1);
	atomic_store(&fsync_fails, 1);
	expect_log("writing them again");
	expect_log("message files cannot be synced");
	store_syncer_settle(test_store());
	assert_int_equal(atomic_load(&a->nunsynced), 1);
	touch_something(a);
	assert_int_equal(kept(a), 1);
	store_syncer_settle(test_store());
	assert_int_equal(atomic_load(&a->nunsynced), 0);
	touch_something(a);
	assert_int_equal(kept(a), 0);
	fd_ops_set(NULL);
	store_account_close(&a);
	test_store_close();
}

/* Deliveries, erasures and rounds at once. */
struct worker {
	struct store_account *acct;
	struct str text;
};

static void *
deliver_and_erase(void *arg)
{
	struct worker *w = arg;
	struct store_account *a = w->acct;
	for (int i = 0; i < 60; i++) {
		int64_t id = test_deliver(a, "Inbox", w->text).id;
		if (i % 3 == 0)
			store_syncer_ask(a->store);
		if (i % 2)
			continue;
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_mailbox inbox;
		struct store_message m;
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &inbox), 1);
		assert_int_equal(store_message_get(&tx, id, &m), 1);
		assert_ok(store_expunge(&tx, &inbox, &m, 1));
		assert_ok(store_tx_commit(&tx, NULL));
	}
	return NULL;
}

TEST(rounds_run_beside_everything_else)
{
	struct store_account *a = test_account("one"), *b = test_account("two");
	struct worker w[3];
	pthread_t t[3];
	for (int i = 0; i < 3; i++) {
		w[i] = (struct worker){ i == 2 ? b : a, text_of(1) };
		assert_int_equal(pthread_create(&t[i], NULL, deliver_and_erase, &w[i]), 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	store_account_close(&a);
	store_account_close(&b);
	test_store_close();
}
