/* SPDX-License-Identifier: MIT */
/*
 * Delivery with group commit.
 *
 * Implementation notes
 *
 * Each thread makes the file of its message by itself, at the same time as all others (and syncs it if it is large: unsynced.c). Then it queues its delivery. Whoever finds nobody
 * leading becomes the leader: it takes the account lock (deliveries that come meanwhile join the queue), and adds all that is queued in one
 * transaction, each under a savepoint of its own, so that one that fails (quota, bad name) does not take the others along. One commit makes all durable.
 * The members are told after the broadcast; then the leader makes the checkpoint, if one is due, and hands leadership to the next in the
 * queue, so that no thread works for others without end.
 */
#include "store/store_internal.h"

struct delivery {
	struct store_prepared *prepared;
	struct str mailbox;
	struct store_added added;
	struct errmsg e;
	int err;
	bool done, lead;                /* under files_lock */
	struct cond told;               /* done or lead has become true */
	struct delivery *next;
};

struct group {
	struct store_account *acct;
	struct delivery *first;
	size_t n;
};

/* add_one adds one message to the transaction. */
static int
add_one(struct store_tx *tx, struct delivery *d)
{
	struct store_mailbox mb;
	int err = store_mailbox_ensure(tx, d->mailbox, &mb);
	if (err < 0)
		return err_set(&d->e, err, "mailbox: %s", err == STORE_BAD_NAME ? "name is not valid" : err_text(err));
	return store_add_prepared(tx, &mb, d->prepared, &d->added, &d->e);
}

/* What a transaction has in memory besides the database, to go back to. */
struct saved {
	struct sync_state sync;
	bool sync_dirty;
	int64_t modseq;
	size_t nstaged, nchanges, njunk, nunsynced;
	int64_t unsynced_size;
	struct staged_mailbox staged[4];
	struct store_prepared **prepared_end;
};

static void
save(const struct store_tx *tx, struct saved *s)
{
	const struct tx_priv *p = tx->priv;
	*s = (struct saved){
		.sync = p->sync, .sync_dirty = p->sync_dirty, .modseq = tx->modseq, .nstaged = p->nstaged, .nchanges = p->changes.n, .njunk = p->njunk,
		.prepared_end = p->prepared_end, .nunsynced = p->nunsynced, .unsynced_size = p->unsynced_size,
	};
	for (size_t i = 0; i < p->nstaged; i++)
		s->staged[i] = p->staged[i];
}

static void
restore(struct store_tx *tx, const struct saved *s)
{
	struct tx_priv *p = tx_priv(tx);
	p->sync = s->sync;
	p->sync_dirty = s->sync_dirty;
	tx->modseq = s->modseq;
	p->nstaged = s->nstaged;
	for (size_t i = 0; i < s->nstaged; i++)
		p->staged[i] = s->staged[i];
	p->changes.n = s->nchanges;
	p->njunk = s->njunk;
	p->nunsynced = s->nunsynced;
	p->unsynced_size = s->unsynced_size;
	p->prepared_end = s->prepared_end;
	*p->prepared_end = NULL;
}

/* add_apart adds one of several messages so that its failure leaves the transaction as it was. Negative only if the whole transaction is lost. */
static int
add_apart(struct store_tx *tx, struct delivery *d)
{
	struct saved s;
	if (tx_priv(tx)->nstaged > ARRAY_LEN(s.staged) - 2)     /* a full table is written and starts anew */
		TRY(store_stage_flush(tx));
	save(tx, &s);
	TRY(db_savepoint(&tx->db));
	d->err = add_one(tx, d);
	if (d->err == 0)
		return db_release(&tx->db);
	restore(tx, &s);
	if (d->prepared->state == PREPARED_ADDED)
		d->prepared->state = PREPARED_READY;
	return db_rollback_to(&tx->db);
}

/* tell wakes the members of the group; it runs when their messages are committed, or have failed. */
static void
tell(void *arg)
{
	struct group *g = arg;
	LOCKED(&g->acct->files_lock);
	for (struct delivery *d = g->first, *next; d; d = next) {
		next = d->next;         /* d is gone as soon as its thread sees done */
		d->done = true;
		cond_signal(&d->told);
	}
}

/* take_queue takes what waits, at most GROUP_MAX. */
static void
take_queue(struct store_account *a, struct group *g)
{
	LOCKED(&a->files_lock);
	struct delivery **end = &a->queue;
	*g = (struct group){ .acct = a, .first = a->queue };
	while (*end && g->n < GROUP_MAX) {
		end = &(*end)->next;
		g->n++;
	}
	a->nqueued -= g->n;
	a->queue = *end;
	if (!a->queue)
		a->queue_end = &a->queue;
	*end = NULL;
}

static void
fail_all(struct group *g, int err, const struct errmsg *e)
{
	for (struct delivery *d = g->first; d; d = d->next) {
		if (d->err == 0) {
			d->err = err;
			ignore_result(err_set(&d->e, err, "%s", e->text[0] ? e->text : err_text(err)));
		}
	}
	tell(g);
}

static int
add_group(struct store_tx *tx, struct group *g)
{
	if (g->n == 1) {
		g->first->err = add_one(tx, g->first);
		return g->first->err;
	}
	for (struct delivery *d = g->first; d; d = d->next)
		TRY(add_apart(tx, d));
	return 0;
}

/* lead commits one group. */
static void
lead(struct store_account *a)
{
	struct store_tx tx = { 0 };
	struct group g;
	struct errmsg e = { 0 };
	int err = store_tx_begin(a, false, &tx, &e);
	take_queue(a, &g);              /* after the account lock was taken: those that came while we waited are in it */
	if (err == 0) {
		err = add_group(&tx, &g);
		if (err < 0) {
			ignore_result(err_set(&e, err, "%s", db_error(tx.db.db)));
			store_tx_rollback(&tx);
		} else {
			err = store_tx_finish(&tx, NULL, tell, &g);
		}
	}
	if (err < 0)
		fail_all(&g, err, &e);
}

/* pass_on hands leadership to the next in the queue, if there is one. */
static void
pass_on(struct store_account *a)
{
	LOCKED(&a->files_lock);
	struct delivery *d = a->queue;
	a->leading = d != NULL;
	if (d) {
		d->lead = true;
		cond_signal(&d->told);
	}
}

static void
enqueue_and_wait(struct store_account *a, struct delivery *d)
{
	bool leader;
	{
		LOCKED(&a->files_lock);
		*a->queue_end = d;
		a->queue_end = &d->next;
		a->nqueued++;
		leader = !a->leading;
		a->leading = true;
		while (!leader && !d->done && !d->lead)
			cond_wait(&d->told, &a->files_lock, 0);
		leader |= d->lead && !d->done;
	}
	if (!leader)
		return;
	lead(a);
	pass_on(a);
}

int
store_deliver(struct store_account *a, struct str mailbox, const struct store_add *add, struct store_added *r_added, struct errmsg *e)
{
	cleanup_(store_prepared_free) struct store_prepared *own = NULL;
	struct delivery d = { .mailbox = mailbox, .prepared = add->prepared };
	if (!d.prepared) {
		TRY(store_prepare(a, add, &own, e));
		d.prepared = own;
	}
	cond_init(&d.told);
	enqueue_and_wait(a, &d);
	cond_done(&d.told);
	if (d.err < 0)
		return err_set(e, d.err, "%s", d.e.text[0] ? d.e.text : err_text(d.err));
	*r_added = d.added;
	return 0;
}
