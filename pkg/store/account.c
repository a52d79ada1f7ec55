/* SPDX-License-Identifier: MIT */
/* Starting and stopping an account: its directory, lock file, database, first contents, and what a crash left behind. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "store/store_internal.h"

#define LOCK_WAIT_US (5 * TIME_SEC)
#define LOCK_RETRY_MS 20
#define FIRST_MODSEQ 2                  /* 0 and 1 mean special things to IMAP clients */

/* lock_directory makes this process the only one to have the account open. */
static int
lock_directory(struct store_account *a, struct errmsg *e)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%s/lock", a->dir);
	a->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	if (a->lock_fd < 0)
		return err_errno(e, errno, "%s", path);
	int64_t deadline = time_mono_us() + LOCK_WAIT_US;
	while (flock(a->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(e, errno, "lock %s", path);
		if (time_mono_us() > deadline)
			return err_set(e, STORE_LOCKED, "account %s is open in another process", a->name);
		poll(NULL, 0, LOCK_RETRY_MS);   /* lint: sleep the kernel tells nobody when a lock becomes free */
	}
	return 0;
}

static int
make_directories(struct store_account *a, struct errmsg *e)
{
	char accounts[PATH_SIZE];
	snprintf(accounts, sizeof(accounts), "%s/accounts", a->store->data_dir);
	int err = blob_mkdir(accounts, a->name);
	if (err >= 0)
		err = blob_mkdir(a->dir, "msg");
	return err < 0 ? err_set(e, err, "%s: %s", a->dir, err_strerror(errno)) : 0;
}

/* on_one_file_system: the account's files are where the syncer syncs. */
static bool
on_one_file_system(const struct store_account *a)
{
	struct stat all, own;
	return a->store->sync_fd >= 0 && fstat(a->store->sync_fd, &all) == 0 && stat(a->msg_dir, &own) == 0 && all.st_dev == own.st_dev;
}

static void
database_path(const struct store_account *a, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/index.db", a->dir);
}

int
store_account_db(struct store_account *a, enum db_mode mode, struct db **r_db, struct errmsg *e)
{
	char path[PATH_SIZE];
	database_path(a, path);
	TRY(db_open(path, &store_kind, mode, r_db, e));
	atomic_fetch_add(&a->store->connections, 1);
	return 0;
}

void
store_account_db_close(struct store_account *a, struct db **db)
{
	if (*db)
		atomic_fetch_sub(&a->store->connections, 1);
	db_close(db);
}

int
store_account_writer(struct store_account *a, struct errmsg *e)
{
	lock_held(&a->lock);
	return a->writer ? 0 : store_account_db(a, DB_READWRITE_CREATE, &a->writer, e);
}

/* --- first contents --- */

/* add_initial makes a mailbox with its missing parents; the role goes to the mailbox itself. */
static int
add_initial(struct store_tx *tx, struct str name, unsigned use, uint32_t uidvalidity, struct errmsg *e)
{
	struct str checked;
	TRY(store_mailbox_name(tx->arena, name, true, &checked, e));
	int64_t parent = 0;
	for (size_t end = 0; end < checked.n;) {
		ssize_t slash = str_find(str_from(checked, end), '/');
		size_t upto = slash < 0 ? checked.n : end + (size_t)slash;
		struct store_mailbox mb;
		int found = store_mailbox_find(tx, str_upto(checked, upto), &mb);
		if (found < 0)
			return found;
		if (!found) {
			mb = (struct store_mailbox){
				.createseq = FIRST_MODSEQ, .modseq = FIRST_MODSEQ, .parent_id = parent, .name = str_upto(checked, upto),
				.uidvalidity = uidvalidity, .uidnext = 1, .use = upto == checked.n ? use : 0,
			};
			TRY(store_mailbox_insert(tx, &mb));
			TRY(store_subscription_put(tx, mb.name));
		}
		parent = mb.id;
		end = upto + 1;
	}
	return 0;
}

static int
fill(struct store_tx *tx, const struct store_account_config *c, struct errmsg *e)
{
	struct store_account *a = tx->acct;
	uint32_t uidvalidity = (uint32_t)(store_now_us(a->store) / TIME_SEC >> 1);
	a->sync = (struct sync_state){ .last_modseq = FIRST_MODSEQ, .highest_deleted_modseq = -1, .next_message_id = 1, .file_floor = 1 };
	TRY(store_sync_create(&tx->db, &a->sync, uidvalidity + 1));
	bool none = c->archive.n + c->draft.n + c->junk.n + c->sent.n + c->trash.n + c->regular.n == 0;
	const struct { struct str name; unsigned use; } initial[] = {
		{ S("Inbox"), 0 },
		{ none ? S("Archive") : c->archive, STORE_USE_ARCHIVE },
		{ none ? S("Drafts") : c->draft, STORE_USE_DRAFT },
		{ none ? S("Junk") : c->junk, STORE_USE_JUNK },
		{ none ? S("Sent") : c->sent, STORE_USE_SENT },
		{ none ? S("Trash") : c->trash, STORE_USE_TRASH },
	};
	for (size_t i = 0; i < ARRAY_LEN(initial); i++)
		if (initial[i].name.n)
			TRY(add_initial(tx, initial[i].name, initial[i].use, uidvalidity, e));
	for (size_t i = 0; i < c->regular.n; i++)
		TRY(add_initial(tx, c->regular.v[i], 0, uidvalidity, e));
	return 0;
}

/* --- start and stop --- */

/* replay finishes erasures that were pending when the account was last open. Nobody reads those messages: files go first, so that none is forgotten. */
static int
replay(struct store_tx *tx)
{
	int64_t *ids = NULL;
	size_t n = 0;
	TRY(store_erase_pending(tx, tx->arena, &ids, &n));
	for (size_t i = 0; i < n; i++) {
		int64_t size;
		store_file_remove(tx->acct, ids[i]);
		TRY(store_erase_row(tx, ids[i], &size));
		tx_priv(tx)->sync.message_size -= size;
		tx_priv(tx)->sync_dirty = true;
	}
	return 0;
}

static int
load(struct store_account *a, struct errmsg *e)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	TRY(store_tx_begin(a, true, &tx, e));
	struct tx_priv *p = tx_priv(&tx);
	int found = store_sync_load(&tx.db, &a->sync);
	if (found < 0)
		return found;
	if (!found)
		TRY(fill(&tx, &p->config, e));
	p->sync = a->sync;
	a->next_id = a->sync.next_message_id;
	TRY(replay(&tx));
	TRY(store_files_recover(a, &tx, e));
	int err = store_tx_commit(&tx, NULL);
	/* Without room: what is new is in memory, the next commit writes it, and erasures stay pending. A new account needs its contents. */
	if (err != ERR_NOSPACE || !found)
		return err;
	log_debug(&store_log, "starting without room on the disk", log_z("account", a->name));
	return 0;
}

int
store_account_start(struct store_account *a, struct errmsg *e)
{
	char path[PATH_SIZE];
	struct stat st;
	database_path(a, path);
	/* The database is made after its directories are on disk. */
	bool fresh = stat(path, &st) < 0;
	if (fresh)
		TRY(make_directories(a, e));
	TRY(lock_directory(a, e));
	a->syncs_later = on_one_file_system(a);
	struct errmsg why = { 0 };
	int err;
	{
		LOCKED(&a->lock);
		err = store_account_writer(a, &why);
	}
	if (err == 0)
		err = load(a, &why);
	if (err == 0)
		err = store_unsynced_recover(a);
	if (err == 0)
		return 0;
	if (!why.text[0])
		ignore_result(err_set(&why, err, "%s", a->writer && db_error(a->writer)[0] ? db_error(a->writer) : err_text(err)));
	ignore_result(err_set(e, err, "opening account %s: %s", a->name, why.text));
	if (fresh) {                    /* nothing is in it yet */
		store_account_db_close(a, &a->writer);
		unlink(path);
	}
	return err;
}

static void
close_readers(struct store_account *a)
{
	lock_held(&a->readers_lock);
	struct reader *r;
	while ((r = a->idle_readers)) {
		a->idle_readers = r->next;
		a->nreaders--;
		store_account_db_close(a, &r->db);
		arena_done(&r->arena);
		mem_free(&r);
	}
}

bool
store_account_trim(struct store_account *a)
{
	bool gave;
	store_unsynced_end(a);
	if (!lock_try(&a->lock))
		return false;           /* in use after all */
	{
		LOCKED(&a->readers_lock);
		gave = a->idle_readers || a->writer;
		close_readers(a);
		/* Readers need the writer: it keeps the log's index alive. */
		if (a->nreaders == 0)
			store_account_db_close(a, &a->writer);
	}
	store_junk_close(a);
	arena_done(&a->writer_arena);
	lock_drop(&a->lock);
	return gave;
}

void
store_account_stop(struct store_account *a)
{
	{
		LOCKED(&a->readers_lock);
		close_readers(a);
		bug_if(a->nreaders != 0);
	}
	store_account_db_close(a, &a->writer);
	store_junk_close(a);
	arena_done(&a->writer_arena);
	store_junk_rules_done(&a->junk_rules);
	store_comms_done(a);
	store_unsynced_done(a);
	struct doubtful *d;
	while ((d = a->doubtful)) {     /* the log is empty after an orderly close; if it is not, the files are looked at when the account starts again */
		a->doubtful = d->next;
		mem_free(&d->ids);
		mem_free(&d);
	}
	struct dir_sync *ds;
	while ((ds = a->dirs)) {
		a->dirs = ds->next;
		mem_free(&ds);
	}
	fd_close(&a->lock_fd);
}
