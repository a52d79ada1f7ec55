/* SPDX-License-Identifier: MIT */
/*
 * The last phase of removing messages: when no session refers to them any more, their files go and their rows are reduced to what synchronisation
 * needs. One thread per process, started with the first message, works off a queue; what it does not get to is in message_erase and done
 * when the account is next started.
 */
#include "base/mem.h"
#include "base/thread.h"
#include "store/store_internal.h"

#define PIECE 500                       /* messages erased in one transaction */

struct job {
	struct store_account *acct;     /* referenced */
	int64_t *ids;
	size_t n;
	struct job *next;
};

struct store_eraser {
	struct lock lock;               /* LOCK_QUEUE */
	struct cond work, idle;
	pthread_t thread;
	bool started, stop, busy;
	struct job *jobs, **end;
};

int
store_erase(struct store_account *a, const int64_t *ids, size_t n)
{
	/* Nobody reads these messages. Files go first: a row without file is found again at the next start, a file without row is not. */
	for (size_t i = 0; i < n; i++)
		store_file_remove(a, ids[i]);
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	TRY(store_tx_begin(a, false, &tx, NULL));
	struct tx_priv *p = tx_priv(&tx);
	for (size_t i = 0; i < n; i++) {
		int64_t size = 0;
		TRY(store_erase_row(&tx, ids[i], &size));
		p->sync.message_size -= size;
	}
	p->sync_dirty = true;
	return store_tx_commit(&tx, NULL);
}

static void
run(struct job *j)
{
	for (size_t i = 0; i < j->n; i += PIECE) {
		int err = store_erase(j->acct, j->ids + i, MIN((size_t)PIECE, j->n - i));
		if (err < 0)            /* background work has nobody else to tell */
			log_error(&store_log, "erasing messages; will be tried again at the next start", log_err(err_text(err)), log_z("account", j->acct->name));
	}
	store_account_close(&j->acct);
	mem_free(&j->ids);
	mem_free(&j);
}

static void *
work(void *arg)
{
	struct store_eraser *e = arg;
	lock_take(&e->lock);
	for (;;) {
		struct job *j = e->jobs;
		if (!j) {
			e->busy = false;
			cond_broadcast(&e->idle);
			if (e->stop)
				break;
			cond_wait(&e->work, &e->lock, 0);
			continue;
		}
		e->jobs = j->next;
		if (!e->jobs)
			e->end = &e->jobs;
		e->busy = true;
		lock_drop(&e->lock);
		run(j);
		lock_take(&e->lock);
	}
	lock_drop(&e->lock);
	return NULL;
}

struct store_eraser *
store_eraser_new(void)
{
	struct store_eraser *e = mem_alloc(sizeof(*e));
	lock_init(&e->lock, LOCK_QUEUE, "eraser");
	cond_init(&e->work);
	cond_init(&e->idle);
	e->end = &e->jobs;
	return e;
}

void
store_eraser_free(struct store_eraser **pe)
{
	struct store_eraser *e = take(*pe);
	if (!e)
		return;
	bool started;
	{
		LOCKED(&e->lock);
		e->stop = true;
		started = e->started;
		cond_signal(&e->work);
	}
	if (started)
		pthread_join(e->thread, NULL);
	lock_done(&e->lock);
	cond_done(&e->work);
	cond_done(&e->idle);
	mem_free(&e);
}

void
store_eraser_add(struct store_account *a, const int64_t *ids, size_t n)
{
	struct store_eraser *e = a->store->eraser;
	struct job *j = mem_alloc(sizeof(*j));
	j->acct = store_account_ref(a);
	j->n = n;
	j->ids = mem_allocn(n, sizeof(*j->ids));
	memcpy(j->ids, ids, n * sizeof(*j->ids));
	LOCKED(&e->lock);
	*e->end = j;
	e->end = &j->next;
	if (!e->started) {
		if (thread_start(&e->thread, "mox-eraser", 0, work, e) < 0)
			bug("no thread for the eraser");
		e->started = true;
	}
	cond_signal(&e->work);
}

void
store_settle(struct store *s)
{
	struct store_eraser *e = s->eraser;
	LOCKED(&e->lock);
	while (e->started && (e->jobs || e->busy))
		cond_wait(&e->idle, &e->lock, 0);
}
