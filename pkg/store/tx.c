/* SPDX-License-Identifier: MIT */
/*
 * Transactions.
 *
 * Implementation notes: crash order
 *
 * 1. A message is on disk with the commit that names it: its file and the file's directory entry were synced before, or its content is part of the commit
 *    (unsynced.c). Either way the file is complete when sessions learn of the message. Files of added messages were made by store_prepare; hard links
 *    (copy, move) are made in the transaction and their directories synced before its commit.
 * 2. A file goes after the commit that forgets it; a transaction that is rolled back removes the files it made.
 * 3. A commit that fails may come back: see db.h. Its files stay until a later commit has succeeded ("doubtful").
 * 4. A crash leaves at most files without rows, with ids that were in flight. Each commit notes the lowest such id (file_floor); at the next start files
 *    from there on that have no row are moved to tmp.
 */
#include <errno.h>

#include "base/fd.h"
#include "base/mem.h"
#include "store/store_internal.h"

/* --- readers --- */

struct reader *
store_reader_get(struct store_account *a, int *r_err)
{
	{
		LOCKED(&a->readers_lock);
		while (!a->idle_readers && a->nreaders == READERS_MAX)
			cond_wait(&a->reader_free, &a->readers_lock, 0);
		struct reader *r = a->idle_readers;
		if (r) {
			a->idle_readers = r->next;
			return r;
		}
		a->nreaders++;
	}
	struct reader *r = mem_alloc(sizeof(*r));
	int err;
	{
		LOCKED(&a->lock);
		err = store_account_writer(a, NULL);
	}
	if (err == 0)
		err = store_account_db(a, DB_READONLY, &r->db, NULL);
	if (err == 0)
		return r;
	mem_free(&r);
	LOCKED(&a->readers_lock);
	a->nreaders--;
	cond_signal(&a->reader_free);
	*r_err = err;
	return NULL;
}

void
store_reader_put(struct store_account *a, struct reader *r)
{
	arena_reset(&r->arena);
	LOCKED(&a->readers_lock);
	r->next = a->idle_readers;
	a->idle_readers = r;
	cond_signal(&a->reader_free);
}

int
store_reader_begin(struct store_account *a, struct reader *r, struct store_tx *r_tx)
{
	struct store_tx tx = { .acct = a, .arena = &r->arena };
	TRY(db_begin_read(r->db, &tx.db));
	struct tx_priv *p = ARENA_NEW(tx.arena, struct tx_priv);
	p->reader = r;
	tx.priv = p;
	*r_tx = tx;
	return 0;
}

int
store_read(struct store_account *a, struct store_tx *r_tx)
{
	atomic_store_explicit(&a->last_used, time_mono_us(), memory_order_relaxed);
	int err = 0;
	struct reader *r = store_reader_get(a, &err);
	if (!r)
		return err;
	err = store_reader_begin(a, r, r_tx);
	if (err < 0)
		store_reader_put(a, r);
	return err;
}

/* --- writing --- */

int
store_tx_begin(struct store_account *a, bool with_config, struct store_tx *r_tx, struct errmsg *e)
{
	struct arena mem = { .block_size = 1024 };
	struct store_account_config config = { 0 };
	atomic_store_explicit(&a->last_used, time_mono_us(), memory_order_relaxed);
	if (with_config) {
		int err = store_config_of(a->store, &mem, str_of(a->name), &config, e);
		if (err < 0) {
			arena_done(&mem);
			return err;
		}
	}
	struct store_tx tx = { .acct = a, .arena = &a->writer_arena, .write = true };
	lock_take(&a->lock);
	int err = store_account_writer(a, e);
	if (err == 0 && (err = db_begin(a->writer, &tx.db)) < 0)
		ignore_result(err_set(e, err, "%s", db_error(a->writer)));
	if (err < 0) {
		lock_drop(&a->lock);
		arena_done(&mem);
		return err;
	}
	struct tx_priv *p = ARENA_NEW(tx.arena, struct tx_priv);
	p->mem = mem;
	p->config = config;
	p->sync = a->sync;
	p->prepared_end = &p->prepared;
	{
		LOCKED(&a->comms_lock);
		p->listening = a->ncomms > 0;
	}
	tx.priv = p;
	tx.changes = &p->changes;
	*r_tx = tx;
	return 0;
}

int
store_write(struct store_account *a, struct store_tx *r_tx)
{
	return store_tx_begin(a, true, r_tx, NULL);
}

int
store_tx_modseq(struct store_tx *tx, int64_t *r_modseq)
{
	struct tx_priv *p = tx_priv(tx);
	bug_if(!tx->write);
	if (tx->modseq == 0) {
		if (p->sync.last_modseq == INT64_MAX)
			return ERR_LIMIT;
		tx->modseq = ++p->sync.last_modseq;
		p->sync_dirty = true;
	}
	*r_modseq = tx->modseq;
	return 0;
}

int
store_tx_link_file(struct store_tx *tx, int64_t from_id, int64_t *r_id, struct errmsg *e)
{
	struct store_account *a = tx->acct;
	struct tx_priv *p = tx_priv(tx);
	char from[PATH_SIZE], to[PATH_SIZE], dir[16];
	int64_t id = store_file_id(a, &p->flight);
	store_file_path(a, from_id, from, NULL);
	store_file_path(a, id, to, dir);
	struct str last = p->touched.n ? p->touched.v[p->touched.n - 1] : (struct str){ 0 };
	if (!str_is(last, str_of(dir))) {
		TRY(store_file_dir(a, dir, e));
		strlist_add(&p->mem, &p->touched, str_of(arena_strdup(&p->mem, dir)));
	}
	TRY(blob_hardlink(from, to, true, e));
	if (p->nlinked == p->linked_cap) {
		p->linked_cap = p->linked_cap ? p->linked_cap * 2 : 16;
		p->linked = arena_grow(&p->mem, p->linked, p->nlinked, p->linked_cap, sizeof(*p->linked));
	}
	p->linked[p->nlinked++] = id;
	*r_id = id;
	return 0;
}

/* --- the end --- */

static void
release(struct store_tx *tx)
{
	struct store_account *a = tx->acct;
	struct tx_priv *p = tx_priv(tx);
	if (p->reader) {
		store_reader_put(a, p->reader);
	} else {
		struct store_prepared *m;
		while ((m = p->adopted)) {
			p->adopted = m->next_adopted;
			store_prepared_free(&m);
		}
		arena_done(&p->changes.arena);
		arena_done(&p->mem);
		arena_reset(&a->writer_arena);
		lock_drop(&a->lock);
	}
	*tx = (struct store_tx){ 0 };
}

/* keep_doubtful puts the files of a transaction whose commit failed aside. */
static void
keep_doubtful(struct store_tx *tx)
{
	struct store_account *a = tx->acct;
	struct tx_priv *p = tx_priv(tx);
	size_t n = p->nlinked;
	for (struct store_prepared *m = p->prepared; m; m = m->next_in_tx)
		n++;
	if (n == 0)
		return;
	struct doubtful *d = mem_alloc(sizeof(*d));
	d->ids = mem_allocn(n, sizeof(*d->ids));
	for (size_t i = 0; i < p->nlinked; i++)
		d->ids[d->n++] = p->linked[i];
	for (struct store_prepared *m = p->prepared; m; m = m->next_in_tx) {
		d->ids[d->n++] = m->id;
		m->state = PREPARED_SETTLED;
	}
	/* Their ids stay in flight as one node, so that no commit raises the floor above them. */
	LOCKED(&a->files_lock);
	int64_t first = d->ids[0];
	for (size_t i = 0; i < d->n; i++)
		first = MIN(first, d->ids[i]);
	d->flight.first = first;
	struct in_flight *at = a->in_flight.next;
	while (at != &a->in_flight && at->first < first)
		at = at->next;
	d->flight.next = at;
	d->flight.prev = at->prev;
	at->prev->next = &d->flight;
	at->prev = &d->flight;
	d->next = a->doubtful;
	a->doubtful = d;
}

/* forget_doubtful removes the files put aside: the commit that just succeeded has overwritten what could have brought them back. */
static void
forget_doubtful(struct store_account *a)
{
	struct doubtful *d;
	while ((d = a->doubtful)) {
		a->doubtful = d->next;
		for (size_t i = 0; i < d->n; i++)
			store_file_remove(a, d->ids[i]);
		store_file_landed(a, &d->flight);
		mem_free(&d->ids);
		mem_free(&d);
	}
}

/* end_files settles the files of the transaction. */
static void
end_files(struct store_tx *tx, bool committed, bool doubtful)
{
	struct store_account *a = tx->acct;
	struct tx_priv *p = tx_priv(tx);
	if (doubtful) {
		keep_doubtful(tx);
	} else if (!committed) {
		for (size_t i = 0; i < p->nlinked; i++)
			store_file_remove(a, p->linked[i]);
	}
	for (struct store_prepared *m = p->prepared; m; m = m->next_in_tx) {
		if (m->state == PREPARED_ADDED)
			m->state = committed ? PREPARED_SETTLED : PREPARED_READY;
		if (m->state == PREPARED_SETTLED)
			store_file_landed(a, &m->flight);
	}
	store_file_landed(a, &p->flight);
	if (committed)
		forget_doubtful(a);
}

void
store_tx_rollback(struct store_tx *tx)
{
	if (!tx->acct)
		return;
	db_tx_rollback(&tx->db);
	if (tx->write) {
		store_junk_end(tx, false);
		end_files(tx, false, false);
	}
	release(tx);
}

static int
sync_directories(struct store_tx *tx)
{
	struct tx_priv *p = tx_priv(tx);
	for (size_t i = 0; i < p->touched.n; i++)
		TRY(store_file_sync(tx->acct, p->touched.v[i].p));
	return 0;
}

int
store_tx_finish(struct store_tx *tx, struct store_comm *origin, void (*done)(void *arg), void *arg)
{
	struct store_account *a = tx->acct;
	struct tx_priv *p = tx_priv(tx);
	bug_if(!tx->write);
	store_junk_train(tx);
	int err = store_stage_flush(tx);
	if (err == 0)
		err = sync_directories(tx);
	if (err == 0 && (p->sync_dirty || p->nlinked || p->prepared)) {
		store_file_floor(a, &p->sync);
		err = store_sync_save(&tx->db, &p->sync);
	}
	if (err == 0)
		err = store_unsynced_forget(tx, false);
	if (err < 0) {
		store_tx_rollback(tx);
		return err;
	}
	err = db_commit(&tx->db);
	store_junk_end(tx, err == 0);
	end_files(tx, err == 0, err < 0);
	if (err < 0) {
		release(tx);
		return err;
	}
	store_unsynced_committed(tx);
	a->sync = p->sync;
	atomic_store_explicit(&a->usage, a->sync.message_size, memory_order_relaxed);
	store_broadcast(a, &p->changes, origin);
	if (done)
		done(arg);
	/* A checkpoint that fails is tried again after the next commit; nothing depends on it but the size of the log. */
	if (db_wal_pages(a->writer) > WAL_PAGES && (err = db_checkpoint(a->writer)) < 0 && err != ERR_BUSY)
		log_debug(&store_log, "checkpoint", log_err(db_error(a->writer)), log_z("account", a->name));
	release(tx);
	return 0;
}

int
store_tx_commit(struct store_tx *tx, struct store_comm *origin)
{
	if (!tx->write) {
		store_tx_rollback(tx);
		return 0;
	}
	return store_tx_finish(tx, origin, NULL, NULL);
}
