/* SPDX-License-Identifier: MIT */
/*
 * Telling sessions of changes.
 *
 * Implementation notes
 *
 * A batch is built during the transaction and published after its commit, still under the account lock: so all sessions get batches in the order
 * of commits. comms_lock guards the list of sessions, their queues, and the count of those that have not yet acknowledged the removal of
 * a message. A comm registers under the account lock too, so that a transaction knows from its start whether there is anybody to tell.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "store/store_internal.h"

struct batch {
	struct store_batch pub;         /* must be first */
	struct arena arena;
	atomic_int refs;
};

struct store_comm {
	struct store_account *acct;
	struct store_comm *prev, *next;
	void (*wake)(void *arg);
	void *arg;
	/* under comms_lock */
	struct batch **queue;
	size_t n, cap;
	size_t changes;                 /* in the queue */
	bool overflow;
};

/* --- recording --- */

static struct store_uidset
copy_uids(struct arena *a, const struct store_uidset *s)
{
	struct store_uidset c = { .n = s->n, .cap = s->n };
	if (s->n) {
		c.v = arena_allocn(a, s->n, sizeof(*c.v));
		memcpy(c.v, s->v, s->n * sizeof(*c.v));
	}
	return c;
}

static const int64_t *
copy_ids(struct arena *a, const int64_t *ids, size_t n)
{
	int64_t *c = arena_allocn(a, n, sizeof(*c));
	memcpy(c, ids, n * sizeof(*c));
	return c;
}

void
store_tx_change(struct store_tx *tx, const struct store_change *c)
{
	struct store_changes *b = tx->changes;
	/* Removals are needed to know what to erase, whoever listens. */
	if (!tx_priv(tx)->listening && c->kind != STORE_CHANGE_REMOVE_UIDS)
		return;
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 8;
		b->v = arena_grow(&b->arena, b->v, b->n, b->cap, sizeof(*b->v));
	}
	struct store_change *d = &b->v[b->n++];
	*d = *c;
	d->keywords = str_dup(&b->arena, c->keywords);
	d->name = str_dup(&b->arena, c->name);
	d->old_name = str_dup(&b->arena, c->old_name);
	d->key = str_dup(&b->arena, c->key);
	d->uids = copy_uids(&b->arena, &c->uids);
	d->ids = c->nids ? copy_ids(&b->arena, c->ids, c->nids) : NULL;
}

/* --- references to removed messages --- */

static struct str
id_key(const int64_t *id)
{
	return str_n((const char *)id, sizeof(*id));
}

/* Ids whose last reference went. Collected under comms_lock, given to the eraser after. */
struct freed {
	int64_t *v;
	size_t n, cap;
};

static void
free_id(struct freed *f, int64_t id)
{
	if (f->n == f->cap) {
		f->v = mem_grow(f->v, f->cap, f->cap * 2 + 16, sizeof(*f->v));
		f->cap = f->cap * 2 + 16;
	}
	f->v[f->n++] = id;
}

static void
reference(struct store_account *a, int64_t id, intptr_t n, struct freed *f)
{
	if (n == 0)
		free_id(f, id);
	else
		map_set(&a->references, id_key(&id), (void *)n);
}

static void
unreference(struct store_account *a, int64_t id, struct freed *f)
{
	intptr_t n = (intptr_t)map_get(&a->references, id_key(&id));
	bug_if(n <= 0);
	if (n > 1) {
		map_set(&a->references, id_key(&id), (void *)(n - 1));
		return;
	}
	map_del(&a->references, id_key(&id));
	free_id(f, id);
}

static void
erase_freed(struct store_account *a, struct freed *f)
{
	if (f->n)
		store_eraser_add(a, f->v, f->n);
	mem_free(&f->v);
}

static void
batch_unref(struct batch *b)
{
	if (atomic_fetch_sub(&b->refs, 1) > 1)
		return;
	arena_done(&b->arena);
	mem_free(&b);
}

/* acknowledge drops one session's references of a batch. Under comms_lock. */
static void
acknowledge(struct store_account *a, const struct batch *b, struct freed *f)
{
	for (size_t i = 0; i < b->pub.n; i++)
		if (b->pub.v[i].kind == STORE_CHANGE_REMOVE_UIDS)
			for (size_t j = 0; j < b->pub.v[i].nids; j++)
				unreference(a, b->pub.v[i].ids[j], f);
}

/* --- publishing --- */

/* queue_batch appends to a session's queue; false when it overflows. */
static bool
queue_batch(struct store_comm *c, struct batch *b)
{
	if (c->overflow || c->changes + b->pub.n > LIMIT_CHANGES_PENDING) {
		c->overflow = true;
		return false;
	}
	if (c->n == c->cap) {
		c->queue = mem_grow(c->queue, c->cap, c->cap * 2 + 4, sizeof(struct batch *));
		c->cap = c->cap * 2 + 4;
	}
	c->queue[c->n++] = b;
	c->changes += b->pub.n;
	atomic_fetch_add(&b->refs, 1);
	return true;
}

void
store_broadcast(struct store_account *a, struct store_changes *changes, struct store_comm *origin)
{
	if (changes->n == 0)
		return;
	struct batch *b = mem_alloc(sizeof(*b));
	b->arena = changes->arena;
	changes->arena = (struct arena){ 0 };
	b->pub = (struct store_batch){ .v = changes->v, .n = changes->n };
	atomic_init(&b->refs, 1);
	struct freed freed = { 0 };
	{
		LOCKED(&a->comms_lock);
		intptr_t told = 0;
		for (struct store_comm *c = a->comms; c; c = c->next) {
			if (c == origin)
				continue;
			bool was_idle = c->n == 0 && !c->overflow;
			told += queue_batch(c, b);
			if (was_idle)
				c->wake(c->arg);
		}
		for (size_t i = 0; i < b->pub.n; i++)
			if (b->pub.v[i].kind == STORE_CHANGE_REMOVE_UIDS)
				for (size_t j = 0; j < b->pub.v[i].nids; j++)
					reference(a, b->pub.v[i].ids[j], told, &freed);
	}
	erase_freed(a, &freed);
	batch_unref(b);
}

/* --- sessions --- */

struct store_comm *
store_comm_new(struct store_account *a, void (*wake)(void *arg), void *arg)
{
	struct store_comm *c = mem_alloc(sizeof(*c));
	c->acct = store_account_ref(a);
	c->wake = wake;
	c->arg = arg;
	LOCKED(&a->lock);
	LOCKED(&a->comms_lock);
	c->next = a->comms;
	if (c->next)
		c->next->prev = c;
	a->comms = c;
	a->ncomms++;
	return c;
}

void
store_comm_free(struct store_comm **pc)
{
	struct store_comm *c = take(*pc);
	if (!c)
		return;
	struct store_account *a = c->acct;
	struct freed freed = { 0 };
	{
		LOCKED(&a->comms_lock);
		if (c->prev)
			c->prev->next = c->next;
		else
			a->comms = c->next;
		if (c->next)
			c->next->prev = c->prev;
		a->ncomms--;
		for (size_t i = 0; i < c->n; i++) {
			acknowledge(a, c->queue[i], &freed);
			batch_unref(c->queue[i]);
		}
	}
	erase_freed(a, &freed);
	mem_free(&c->queue);
	store_account_close(&c->acct);
	mem_free(&c);
}

bool
store_comm_pending(struct store_comm *c)
{
	LOCKED(&c->acct->comms_lock);
	return c->n > 0 || c->overflow;
}

void
store_comm_take(struct store_comm *c, struct arena *a, struct store_batch ***r_v, size_t *r_n, bool *r_overflow)
{
	LOCKED(&c->acct->comms_lock);
	struct store_batch **v = c->n ? ARENA_NEWN(a, c->n, struct store_batch *) : NULL;
	for (size_t i = 0; i < c->n; i++)
		v[i] = &c->queue[i]->pub;
	*r_v = v;
	*r_n = c->n;
	*r_overflow = c->overflow;
	c->n = c->changes = 0;
	c->overflow = false;
	mem_free(&c->queue);            /* a parked session keeps nothing */
	c->cap = 0;
}

void
store_batch_release(struct store_comm *c, struct store_batch *pub)
{
	struct batch *b = (struct batch *)pub;
	struct freed freed = { 0 };
	{
		LOCKED(&c->acct->comms_lock);
		acknowledge(c->acct, b, &freed);
	}
	erase_freed(c->acct, &freed);
	batch_unref(b);
}

int
store_comm_snapshot(struct store_comm *c, struct arena *a, struct store_tx *r_tx, struct store_batch ***r_v, size_t *r_n, bool *r_overflow)
{
	struct store_account *acct = c->acct;
	int err = 0;
	struct reader *r = store_reader_get(acct, &err);        /* before the lock: it may have to wait */
	if (!r)
		return err;
	{
		LOCKED(&acct->lock);
		err = store_reader_begin(acct, r, r_tx);
		if (err == 0)
			store_comm_take(c, a, r_v, r_n, r_overflow);
	}
	if (err < 0)
		store_reader_put(acct, r);
	return err;
}

void
store_comms_done(struct store_account *a)
{
	bug_if(a->comms != NULL || a->references.n != 0);
	map_done(&a->references);
}
