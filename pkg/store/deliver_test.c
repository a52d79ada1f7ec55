/* SPDX-License-Identifier: MIT */
/* Delivery: sharing of commits, failures apart, the two halves of adding, what a crash leaves, trimming, concurrency. */
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "store/password.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

struct job {
	pthread_t thread;
	struct store_account *a;
	const char *mailbox;
	struct str content;
	bool skip_quota;
	int err;
	struct store_added added;
};

static void *
run_job(void *arg)
{
	struct job *j = arg;
	struct blob *b = NULL;
	j->err = blob_new(store_tmp_dir(j->a->store), &b);
	if (j->err == 0)
		j->err = blob_write(b, j->content);
	if (j->err == 0)
		j->err = store_deliver(j->a, str_of(j->mailbox), &(struct store_add){ .blob = b, .skip_quota = j->skip_quota }, &j->added, NULL);
	blob_free(&b);
	return NULL;
}

static size_t
queued(struct store_account *a)
{
	LOCKED(&a->files_lock);
	return a->nqueued;
}

TEST(waiting_deliveries_share_a_commit)
{
	struct store_account *a = test_account("one");
	struct job jobs[8];
	static const char *const mailboxes[] = { "Inbox", "Archive", "a//bad", "New/x" };
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_write(a, &tx));                 /* holds them up */
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		jobs[i] = (struct job){ .a = a, .mailbox = mailboxes[i % ARRAY_LEN(mailboxes)], .content = test_message("") };
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]), 0);
	}
	while (queued(a) < ARRAY_LEN(jobs))
		sched_yield();
	store_tx_rollback(&tx);
	int64_t modseq = 0;
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		pthread_join(jobs[i].thread, NULL);
		if (i % ARRAY_LEN(mailboxes) == 2) {
			assert_int_equal(jobs[i].err, STORE_BAD_NAME);
			continue;
		}
		assert_int_equal(jobs[i].err, 0);
		if (modseq == 0)
			modseq = jobs[i].added.modseq;
		assert_true(jobs[i].added.modseq == modseq);
	}
	assert_strz(test_live(a, "Inbox"), "1:0:, 2:0:");
	assert_strz(test_live(a, "New/x"), "1:0:, 2:0:");
	store_account_close(&a);
	test_store_close();
}

TEST(over_quota_fails_alone)
{
	struct store_account *a = test_account("one");
	struct str content = test_message("");
	test_config.quota = (int64_t)content.n * 3;
	struct job jobs[6];
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_write(a, &tx));
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		jobs[i] = (struct job){ .a = a, .mailbox = "Inbox", .content = content };
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]), 0);
	}
	while (queued(a) < ARRAY_LEN(jobs))
		sched_yield();
	store_tx_rollback(&tx);
	int good = 0;
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		pthread_join(jobs[i].thread, NULL);
		assert_true(jobs[i].err == 0 || jobs[i].err == ERR_OVERQUOTA);
		good += jobs[i].err == 0;
	}
	assert_int_equal(good, 3);
	assert_strz(test_live(a, "Inbox"), "1:0:, 2:0:, 3:0:");
	store_account_close(&a);
	test_store_close();
}

/* files counts the message files of an account. */
static int
files(struct store_account *a)
{
	int n = 0;
	for (int64_t id = 1; id < 50; id++) {
		struct blob_file *f = NULL;
		n += store_message_open(a, id, &f) == 0;
		blob_close(&f);
	}
	return n;
}

TEST(prepared_messages)
{
	struct store_account *a = test_account("one");
	cleanup_(blob_free) struct blob *b = test_blob(test_message(""));
	struct store_add add = { .blob = b };
	struct store_added added;
	struct store_prepared *p = NULL, *q = NULL;
	assert_ok(store_prepare(a, &add, &p, NULL));
	assert_int_equal(files(a), 1);
	store_prepared_free(&p);                        /* given up */
	assert_int_equal(files(a), 0);
	assert_ok(store_prepare(a, &add, &p, NULL));
	assert_ok(store_prepare(a, &add, &q, NULL));
	struct store_mailbox mb;
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_write(a, &tx));
	assert_ok(store_mailbox_ensure(&tx, S("Inbox"), &mb));
	add.prepared = p;
	assert_ok(store_add_message(&tx, &mb, &add, &added, NULL));
	store_tx_rollback(&tx);
	assert_int_equal(files(a), 2);                  /* after a rollback it can be added again */
	assert_ok(store_write(a, &tx));
	assert_ok(store_mailbox_ensure(&tx, S("Inbox"), &mb));
	assert_ok(store_add_message(&tx, &mb, &add, &added, NULL));
	assert_ok(store_tx_commit(&tx, NULL));
	add.prepared = q;
	assert_ok(store_deliver(a, S("Inbox"), &add, &added, NULL));
	store_prepared_free(&p);
	store_prepared_free(&q);
	assert_int_equal(files(a), 2);
	assert_strz(test_live(a, "Inbox"), "1:0:, 2:0:");
	store_account_close(&a);
	test_store_close();
}

/* One blob for several accounts: one file with several names. */
TEST(recipients_share_a_file)
{
	struct store_account *a = test_account("one"), *c = test_account("two");
	cleanup_(blob_free) struct blob *b = test_blob(test_message(""));
	struct store_added added;
	char path[PATH_SIZE];
	struct stat st;
	assert_ok(store_deliver(a, S("Inbox"), &(struct store_add){ .blob = b, .prefix = S("X: 1\r\n") }, &added, NULL));
	assert_ok(store_deliver(c, S("Inbox"), &(struct store_add){ .blob = b, .prefix = S("X: 22\r\n") }, &added, NULL));
	store_file_path(c, added.id, path, NULL);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_true(str_starts(test_content(c, 1), S("X: 22\r\nFrom:")));
	store_account_close(&a);
	store_account_close(&c);
	test_store_close();
}

/* --- what a crash leaves --- */

TEST(files_without_messages_are_put_aside)
{
	struct store_account *a = test_account("one");
	test_deliver(a, "Inbox", test_message(""));
	char path[PATH_SIZE], tmp[PATH_SIZE];
	store_account_close(&a);
	test_store_again();
	a = test_account("one");
	store_file_path(a, 5, path, NULL);
	store_account_close(&a);
	store_trim(test_store());
	assert_ok(fd_write_file(path, S("incomplete"), 0600, NULL));
	/* The account is open still (just used); the next start finds it. */
	blob_set_shift(13);
	snprintf(tmp, sizeof(tmp), "%s/orphan-one-5", store_tmp_dir(test_store()));
	struct store *s = test_store();
	s->opts.check_on_close = false;                 /* it would find the file */
	test_store_again();
	a = test_account("one");
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(tmp, F_OK), 0);
	assert_int_equal(test_logged("moved files of messages"), 1);
	assert_true(test_deliver(a, "Inbox", test_message("")).id > 5);
	/* A file that is none of ours is only spoken of. */
	store_account_close(&a);
	snprintf(path, sizeof(path), "%s/accounts/one/msg/a/notes.txt", test_dir());
	assert_ok(fd_write_file(path, S("mine"), 0600, NULL));
	test_store()->opts.check_on_close = false;
	test_store_again();
	expect_log("file that is no message file is ignored");
	a = test_account("one");
	assert_int_equal(unlink(path), 0);
	store_account_close(&a);
	test_store_close();
}

TEST(an_old_database_does_not_reuse_ids)
{
	struct store_account *a = test_account("one");
	test_deliver(a, "Inbox", test_message(""));
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	assert_ok(store_write(a, &tx));
	for (int i = 0; i < ORPHANS_MAX + 5; i++) {     /* as if they had been delivered after the backup */
		int64_t id;
		assert_ok(store_tx_link_file(&tx, 1, &id, NULL));
	}
	tx_priv(&tx)->nlinked = 0;                      /* forget them: the files stay */
	store_tx_rollback(&tx);
	store_account_close(&a);
	test_store()->opts.check_on_close = false;
	test_store_again();
	expect_log("message files without messages are left alone");
	a = test_account("one");
	assert_true(test_deliver(a, "Inbox", test_message("")).id == ORPHANS_MAX + 7);
	store_account_close(&a);
	test_store()->opts.check_on_close = false;
	test_store_close();
}

/* --- trimming --- */

TEST(idle_accounts_give_back_what_they_hold)
{
	struct store_account *a = test_account("one"), *unused = test_account("two");
	test_deliver(a, "Inbox", test_message(""));
	store_account_close(&unused);
	struct store *s = test_store();
	store_trim(s);
	assert_non_null(a->writer);
	assert_int_equal(s->accounts.n, 2);
	struct str name;
	void *v;
	for (int i = 0; i < 2; i++) {
		for (size_t pos = 0; map_next(&s->accounts, &pos, &name, &v);)
			atomic_store(&((struct store_account *)v)->last_used, time_mono_us() - IDLE_US - 1);
		store_trim(s);
		assert_int_equal(s->accounts.n, 1);
		assert_true(i == 0 ? a->writer != NULL : a->writer == NULL);    /* the file is synced first */
		store_syncer_settle(s);
	}
	assert_int_equal(a->nreaders, 0);
	/* And they come back. */
	assert_strz(test_live(a, "Inbox"), "1:0:");
	atomic_store(&a->last_used, time_mono_us() - IDLE_US - 1);
	store_trim(s);
	assert_int_equal(test_deliver(a, "Inbox", test_message("")).uid, 2);
	store_account_close(&a);
	test_store_close();
}

/* Where many connections are open they go sooner, also the last ones: as many as were few before. */
TEST(many_connections_go_soon)
{
	struct store_account *a = test_account("one");
	struct store *s = test_store();
	assert_int_equal(atomic_load(&s->connections), 1);
	assert_strz(test_live(a, "Inbox"), "");
	assert_int_equal(atomic_load(&s->connections), 2);
	atomic_store(&a->last_used, time_mono_us() - IDLE_MANY_US - 1);
	assert_false(store_trim(s));
	assert_non_null(a->writer);
	atomic_fetch_add(&s->connections, CONNECTIONS_MANY);            /* of other accounts */
	assert_true(store_trim(s));
	assert_null(a->writer);
	assert_int_equal(atomic_load(&s->connections), CONNECTIONS_MANY);
	atomic_fetch_sub(&s->connections, CONNECTIONS_MANY);
	assert_strz(test_live(a, "Inbox"), "");
	atomic_store(&a->last_used, time_mono_us() - IDLE_MANY_US - 1);
	assert_true(store_trim(s));
	assert_int_equal(atomic_load(&s->connections), 0);
	atomic_store(&s->many_until, 0);
	assert_strz(test_live(a, "Inbox"), "");
	atomic_store(&a->last_used, time_mono_us() - IDLE_MANY_US - 1);
	assert_false(store_trim(s));
	store_account_close(&a);
	test_store_close();
}

/* --- passwords and sessions --- */

TEST(password_rows)
{
	struct store_account *a = test_account("one");
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_password p = { .bcrypt = S("$2b$"), .scram256 = { S("salt"), S("stored"), S("server"), 4096 } }, got;
	struct store_session s = { .created_us = 1, .expires_us = 100, .token_hash = S("t1"), .csrf_token = S("c"), .address = S("a@b") }, found, *v;
	size_t n;
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_password_get(&tx, &got), 0);
	assert_ok(store_session_add(&tx, &s));
	assert_int_equal(store_session_find(&tx, S("t1"), &found), 1);
	assert_true(found.id == s.id && found.expires_us == 100);
	assert_int_equal(store_session_extend(&tx, s.id, 200), 1);
	assert_ok(store_password_set(&tx, &p));
	assert_int_equal(store_session_find(&tx, S("t1"), &found), 0);
	assert_int_equal(store_session_extend(&tx, s.id, 200), 0);
	assert_int_equal(store_password_get(&tx, &got), 1);
	assert_str(got.bcrypt, p.bcrypt);
	assert_true(got.scram256.iterations == 4096 && got.scram1.salt.n == 0 && got.crammd5_ipad.n == 0);
	p.bcrypt = S("$other");
	assert_ok(store_password_set(&tx, &p));
	assert_int_equal(store_password_get(&tx, &got), 1);
	assert_str(got.bcrypt, p.bcrypt);
	/* The 101st session pushes out what is expired, then what expires first. */
	int64_t now = clock_now_us(test_clock());
	for (int i = 0; i < STORE_SESSIONS_MAX + 2; i++) {
		s = (struct store_session){ .created_us = now, .expires_us = i == 7 ? now - 1 : now + 1000 + i, .token_hash = str_fmt(test_arena(), "s%d", i) };
		assert_ok(store_session_add(&tx, &s));
	}
	assert_ok(store_session_list(&tx, &v, &n));
	assert_int_equal(n, STORE_SESSIONS_MAX);
	assert_int_equal(store_session_find(&tx, S("s7"), &found), 0);
	assert_int_equal(store_session_find(&tx, S("s0"), &found), 0);
	assert_int_equal(store_session_find(&tx, S("s1"), &found), 1);
	assert_int_equal(store_session_remove(&tx, found.id), 1);
	assert_int_equal(store_session_remove(&tx, found.id), 0);
	assert_ok(store_tx_commit(&tx, NULL));
	store_account_close(&a);
	test_store_close();
}

/* --- everything at once, for ThreadSanitizer --- */

struct mixed {
	pthread_t thread;
	struct store *s;
	int number;
	int err;
};

static int
mix(struct mixed *m, struct store_account *a, struct store_comm *c, int i)
{
	struct arena mem = { 0 };
	struct store_tx tx = { 0 };
	struct store_mailbox inbox, archive;
	struct store_message *v;
	uint32_t *uids;
	size_t n = 0;
	int err = store_write(a, &tx);
	if (err == 0)
		err = store_mailbox_ensure(&tx, S("Inbox"), &inbox);
	if (err == 0)
		err = store_mailbox_ensure(&tx, S("Archive"), &archive);
	if (err == 0) {
		v = ARENA_NEWN(tx.arena, 2, struct store_message);
		err = store_message_piece(&tx, inbox.id, 0, v, 2, &n);
	}
	if (err == 0 && n > 0) {
		if ((i + m->number) % 3 == 0)
			err = store_move(&tx, &inbox, &archive, v, n, &uids);
		else if ((i + m->number) % 3 == 1)
			err = store_expunge(&tx, &inbox, v, n);
		else
			err = store_message_flags(&tx, &inbox, &v[0], STORE_FLAG_ADD, STORE_SEEN, S("kw"));
	}
	if (err >= 0)
		err = store_tx_commit(&tx, c);
	else
		store_tx_rollback(&tx);
	struct store_batch **b;
	bool overflow;
	if (err == 0 && (err = store_comm_snapshot(c, &mem, &tx, &b, &n, &overflow)) == 0) {
		for (size_t k = 0; k < n; k++)
			store_batch_release(c, b[k]);
		struct store_uidset set;
		uint32_t unseen;
		err = store_uids(&tx, &mem, inbox.id, &set, &unseen);
		store_tx_rollback(&tx);
	}
	arena_done(&mem);
	return err;
}

static void *
run_mixed(void *arg)
{
	struct mixed *m = arg;
	for (int i = 0; i < 15 && m->err == 0; i++) {
		char name[8];
		struct store_account *a = NULL;
		snprintf(name, sizeof(name), "m%d", (m->number + i) % 2);
		m->err = store_account_open(m->s, str_of(name), false, &a, NULL);
		if (m->err < 0)
			break;
		struct store_comm *c = store_comm_new(a, test_no_wake, NULL);
		struct job j = { .a = a, .mailbox = i % 5 ? "Inbox" : "Other", .content = S("Subject: s\r\n\r\nx\r\n") };
		run_job(&j);
		m->err = j.err;
		if (m->err == 0)
			m->err = mix(m, a, c, i);
		store_comm_free(&c);
		store_account_close(&a);
		if (i % 4 == 0)
			store_trim(m->s);
	}
	return NULL;
}

TEST(everything_at_once)
{
	struct mixed m[6];
	for (size_t i = 0; i < ARRAY_LEN(m); i++) {
		m[i] = (struct mixed){ .s = test_store(), .number = (int)i };
		assert_int_equal(pthread_create(&m[i].thread, NULL, run_mixed, &m[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(m); i++) {
		pthread_join(m[i].thread, NULL);
		assert_int_equal(m[i].err, 0);
	}
	store_settle(test_store());
	test_store_close();
}
