/* SPDX-License-Identifier: MIT */
/*
 * Message files that may not be on disk yet.
 *
 * Implementation notes
 *
 * A lone delivery used to wait for three syncs in a row: of the file, its directory, and the commit. Now the transaction that adds a small message keeps its
 * content too (table message_unsynced), so that the commit alone makes it durable. The file is written before the commit, but not synced: whoever learns of the
 * message finds its file. That content is there for the case of a crash only, and goes again:
 *
 *	in message_unsynced and acct->unsynced          file written, perhaps not on disk
 *	in message_unsynced and acct->synced            file on disk
 *	in neither                                      the content was forgotten, by a commit that came after the sync
 *
 * One thread per process syncs the files of all accounts at once, when enough of them wait or when an account is idle. That is one commit of the
 * file system's journal for hundreds of files. The next transaction of the account forgets the content of files that are synced by then.
 *
 * Start: what is in the table goes to its file again, whatever is there: missing, empty, half or whole. Nothing is compared, for the page cache may have what the disk
 * does not. All is synced before it counts as such.
 *
 * A sync that fails says so once, for all files since the last one, and the kernel may have dropped their data. So all of them are restored from the table
 * with a sync each. What fails again waits for the next round; the message stays durable by its row.
 *
 * Copies (a second name of the file for a new id) of such a message get a row of their own: the message that they were made of may be erased before
 * the next sync. Moved messages keep their id. Erasing removes the row.
 *
 * Large content (that is not in memory any more) is not worth the second write: its file is synced before the commit. So are all files where the file system cannot sync
 * everything at once and report what failed (blob_sync_all_open).
 */
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"
#include "store/store_internal.h"

#define UNSYNCED_MAX (8L * 1024 * 1024) /* of content that waits, until the thread syncs: bounds the table, and the work after a crash */
#define FILE_COST 4096                  /* of each file, besides its content */
#define FORGET_MAX 32                   /* files whose content one transaction forgets, or twice as many as it adds: none pays for many others */

static void
push(struct ids *l, const int64_t *v, size_t n)
{
	if (n == 0)
		return;
	if (l->n + n > l->cap) {
		size_t cap = MAX(l->n + n, l->cap * 2);
		l->v = mem_grow(l->v, l->cap, cap, sizeof(*l->v));
		l->cap = cap;
	}
	memcpy(l->v + l->n, v, n * sizeof(*v));
	l->n += n;
}

static void
free_ids(struct ids *l)
{
	mem_free(&l->v);
	*l = (struct ids){ 0 };
}

/* --- transactions --- */

bool
store_unsynced_suits(const struct store_account *a, const struct blob *b)
{
	return a->syncs_later && blob_fd(b) < 0;
}

int
store_unsynced_add(struct store_tx *tx, int64_t id, struct str content)
{
	struct tx_priv *p = tx_priv(tx);
	TRY(store_unsynced_insert(tx, id, content));
	p->unsynced_size += (int64_t)content.n + FILE_COST;
	if (p->nunsynced == p->unsynced_cap) {
		p->unsynced_cap = p->unsynced_cap ? p->unsynced_cap * 2 : 8;
		p->unsynced = arena_grow(&p->mem, p->unsynced, p->nunsynced, p->unsynced_cap, sizeof(*p->unsynced));
	}
	p->unsynced[p->nunsynced++] = id;
	return 0;
}

/* any: some content may be in the table, of this transaction or before. */
static bool
any(struct store_tx *tx)
{
	struct store_account *a = tx->acct;
	if (tx_priv(tx)->nunsynced > 0 || atomic_load(&a->nunsynced) > 0)
		return true;
	LOCKED(&a->files_lock);
	return a->synced.n > 0;
}

int
store_unsynced_copy(struct store_tx *tx, int64_t from_id, int64_t id)
{
	struct str content;
	if (!any(tx))
		return 0;
	ARENA_SCOPE(tx->arena);
	int found = store_unsynced_content(tx, tx->arena, from_id, &content);
	return found == 1 ? store_unsynced_add(tx, id, content) : found;
}

int
store_unsynced_forget(struct store_tx *tx, bool all)
{
	struct store_account *a = tx->acct;
	struct tx_priv *p = tx_priv(tx);
	int64_t *ids;
	{
		LOCKED(&a->files_lock);
		p->nforgotten = all ? a->synced.n : MIN(a->synced.n, MAX((size_t)FORGET_MAX, 2 * p->nunsynced));
		ids = ARENA_NEWN(&p->mem, p->nforgotten, int64_t);
		if (p->nforgotten)
			memcpy(ids, a->synced.v, p->nforgotten * sizeof(*ids));
	}
	for (size_t i = 0; i < p->nforgotten; i++)
		TRY(store_unsynced_delete(tx, ids[i]));
	return 0;
}

void
store_unsynced_committed(struct store_tx *tx)
{
	struct store_account *a = tx->acct;
	struct tx_priv *p = tx_priv(tx);
	if (p->nunsynced == 0 && p->nforgotten == 0)
		return;
	{
		LOCKED(&a->files_lock);
		a->synced.n -= p->nforgotten;
		if (a->synced.n)
			memmove(a->synced.v, a->synced.v + p->nforgotten, a->synced.n * sizeof(*a->synced.v));
		push(&a->unsynced, p->unsynced, p->nunsynced);
	}
	atomic_fetch_add(&a->nunsynced, (int)p->nunsynced);
	if (atomic_fetch_add(&a->store->unsynced_size, p->unsynced_size) + p->unsynced_size >= UNSYNCED_MAX)
		store_syncer_ask(a->store);
}

/* --- start and end of an account --- */

static int
restore(struct store_account *a, int64_t id, struct str content, bool sync)
{
	char path[PATH_SIZE], dir[16];
	store_file_path(a, id, path, dir);
	TRY(store_file_dir(a, dir, NULL));
	TRY(blob_restore(path, content, sync));
	return sync ? store_file_sync(a, dir) : 0;
}

/* Writes nothing to the database, so that an account can be opened on a disk without room: later transactions forget the content, as ever. */
int
store_unsynced_recover(struct store_account *a)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	int64_t id = 0;
	struct str content;
	int found;
	TRY(store_tx_begin(a, false, &tx, NULL));
	for (;;) {
		ARENA_SCOPE(tx.arena);
		found = store_unsynced_next(&tx, tx.arena, id, &id, &content);
		if (found <= 0)
			break;
		TRY(restore(a, id, content, !a->syncs_later));
		LOCKED(&a->files_lock);
		push(&a->synced, &id, 1);
	}
	if (found < 0 || a->synced.n == 0)
		return found;
	if (a->syncs_later)
		TRY(blob_sync_all(a->store->sync_fd));
	log_info(&store_log, "wrote message files again that may not have been on disk", log_z("account", a->name), log_u("files", a->synced.n));
	return 0;
}

void
store_unsynced_end(struct store_account *a)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	{
		LOCKED(&a->files_lock);
		if (a->synced.n == 0)
			return;
	}
	int err = store_tx_begin(a, false, &tx, NULL);
	if (err == 0)
		err = store_unsynced_forget(&tx, true);
	if (err == 0)
		err = store_tx_commit(&tx, NULL);
	if (err < 0)                    /* a later transaction does it, or the next start */
		log_debug(&store_log, "forgetting the content of synced files", log_err(err_text(err)), log_z("account", a->name));
}

void
store_unsynced_done(struct store_account *a)
{
	free_ids(&a->unsynced);
	free_ids(&a->synced);
}

/* --- the thread --- */

struct store_syncer {
	struct store *store;
	struct lock lock;               /* LOCK_QUEUE */
	struct cond work, idle;
	pthread_t thread;
	bool started, stop, asked, busy;
};

/* The files of one account in a round. */
struct share {
	struct store_account *acct;     /* referenced */
	struct ids ids;
	struct share *next;
};

/* collect takes all files that wait. */
static struct share *
collect(struct store *s)
{
	struct share *all = NULL;
	size_t pos = 0;
	struct str name;
	void *v;
	LOCKED(&s->lock);
	while (map_next(&s->accounts, &pos, &name, &v)) {
		struct store_account *a = v;
		if (a->state != ACCOUNT_OPEN || atomic_load(&a->nunsynced) == 0)
			continue;
		struct share *h = mem_alloc(sizeof(*h));
		h->acct = a;
		atomic_fetch_add(&a->refs, 1);
		LOCKED(&a->files_lock);
		h->ids = a->unsynced;
		a->unsynced = (struct ids){ 0 };
		h->next = all;
		all = h;
	}
	return all;
}

/* restore_one: after a failed sync. 0 also if the message was erased meanwhile. */
static int
restore_one(struct store_account *a, int64_t id)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct str content;
	TRY(store_read(a, &tx));
	int found = store_unsynced_content(&tx, tx.arena, id, &content);
	return found == 1 ? restore(a, id, content, true) : found;
}

static void
settle_share(struct share *h, bool synced)
{
	struct store_account *a = h->acct;
	struct ids failed = { 0 };
	size_t n = 0;
	for (size_t i = 0; i < h->ids.n; i++) {
		if (!synced && restore_one(a, h->ids.v[i]) < 0)
			push(&failed, &h->ids.v[i], 1);
		else
			h->ids.v[n++] = h->ids.v[i];
	}
	if (failed.n > 0)
		log_warn(&store_log, "message files cannot be synced; will be tried again", log_z("account", a->name), log_u("files", failed.n));
	{
		LOCKED(&a->files_lock);
		push(&a->synced, h->ids.v, n);
		push(&a->unsynced, failed.v, failed.n);
	}
	atomic_fetch_sub(&a->nunsynced, (int)n);
	free_ids(&failed);
	free_ids(&h->ids);
	atomic_fetch_sub(&a->refs, 1);  /* not store_account_close: this was no use */
	mem_free(&h);
}

static void
sync_round(struct store *s)
{
	atomic_store(&s->unsynced_size, 0);     /* before: what comes meanwhile counts for the next round */
	struct share *h, *all = collect(s);
	if (!all)
		return;
	int err = blob_sync_all(s->sync_fd);
	if (err < 0)
		log_warn(&store_log, "syncing message files; writing them again", log_err(err_text(err)));
	while ((h = all)) {
		all = h->next;
		settle_share(h, err == 0);
	}
}

static void *
work(void *arg)
{
	struct store_syncer *y = arg;
	lock_take(&y->lock);
	for (;;) {
		if (!y->asked) {
			y->busy = false;
			cond_broadcast(&y->idle);
			if (y->stop)
				break;
			cond_wait(&y->work, &y->lock, 0);
			continue;
		}
		y->asked = false;
		y->busy = true;
		lock_drop(&y->lock);
		sync_round(y->store);
		lock_take(&y->lock);
	}
	lock_drop(&y->lock);
	return NULL;
}

struct store_syncer *
store_syncer_new(struct store *s)
{
	struct store_syncer *y = mem_alloc(sizeof(*y));
	y->store = s;
	lock_init(&y->lock, LOCK_QUEUE, "syncer");
	cond_init(&y->work);
	cond_init(&y->idle);
	return y;
}

void
store_syncer_free(struct store_syncer **py)
{
	struct store_syncer *y = take(*py);
	if (!y)
		return;
	bool started;
	{
		LOCKED(&y->lock);
		y->stop = true;
		started = y->started;
		cond_signal(&y->work);
	}
	if (started)
		pthread_join(y->thread, NULL);
	sync_round(y->store);           /* what is left */
	lock_done(&y->lock);
	cond_done(&y->work);
	cond_done(&y->idle);
	mem_free(&y);
}

void
store_syncer_ask(struct store *s)
{
	struct store_syncer *y = s->syncer;
	LOCKED(&y->lock);
	if (!y->started) {
		if (thread_start(&y->thread, "mox-syncer", 0, work, y) < 0)
			bug("no thread for syncing files");
		y->started = true;
	}
	y->asked = true;
	cond_signal(&y->work);
}

void
store_syncer_settle(struct store *s)
{
	struct store_syncer *y = s->syncer;
	store_syncer_ask(s);
	LOCKED(&y->lock);
	while (y->asked || y->busy)
		cond_wait(&y->idle, &y->lock, 0);
}
