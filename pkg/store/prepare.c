/* SPDX-License-Identifier: MIT */
/* The first half of adding a message: what needs no lock. */
#include "base/mem.h"
#include "store/store_internal.h"

static int
make_file(struct store_prepared *p, struct errmsg *e)
{
	struct store_account *a = p->acct;
	char path[PATH_SIZE], dir[16];
	p->id = store_file_id(a, &p->flight);
	store_file_path(a, p->id, path, dir);
	TRY(store_file_dir(a, dir, e));
	p->unsynced = store_unsynced_suits(a, p->add->blob);
	TRY(blob_link(p->add->blob, path, !p->unsynced, e));
	p->state = PREPARED_READY;
	if (p->unsynced)
		return 0;
	int err = store_file_sync(a, dir);
	return err < 0 ? err_set(e, err, "syncing directory of %s: %s", path, err_text(err)) : 0;
}

static int
prepare(struct store_prepared *p, const struct store_account_config *c, struct errmsg *e)
{
	struct store_account *a = p->acct;
	const struct store_add *add = p->add;
	if (c)
		p->config = *c;
	else
		TRY(store_config_of(a->store, &p->arena, str_of(a->name), &p->config, e));
	p->size = (int64_t)add->prefix.n + blob_size(add->blob);
	/* The transaction decides; but no file should be made that is to go again. */
	int64_t quota = p->config.quota;
	if (!add->skip_quota && quota > 0 && p->size > quota - atomic_load_explicit(&a->usage, memory_order_relaxed))
		return err_set(e, ERR_OVERQUOTA, "account is over its quota of %lld bytes", (long long)quota);
	p->received_us = add->received_us ? add->received_us : store_now_us(a->store);
	p->received_tz = add->received_us ? add->received_tz : time_local_tz_min(p->received_us);
	TRY(store_parse(p, e));
	return make_file(p, e);
}

int
store_prepare_with(struct store_account *a, const struct store_add *add, const struct store_account_config *c, struct store_prepared **r_p,
    struct errmsg *e)
{
	struct store_prepared *p = mem_alloc(sizeof(*p));
	p->acct = store_account_ref(a);
	p->add = add;
	p->state = PREPARED_SETTLED;    /* no file yet */
	arena_init(&p->arena, 16 * 1024);
	int err = prepare(p, c, e);
	if (err < 0) {
		store_prepared_free(&p);
		return err;
	}
	*r_p = p;
	return 0;
}

int
store_prepare(struct store_account *a, const struct store_add *add, struct store_prepared **r_p, struct errmsg *e)
{
	return store_prepare_with(a, add, NULL, r_p, e);
}

void
store_prepared_free(struct store_prepared **pp)
{
	struct store_prepared *p = take(*pp);
	if (!p)
		return;
	bug_if(p->state == PREPARED_ADDED);
	if (p->state == PREPARED_READY)
		store_file_remove(p->acct, p->id);
	store_file_landed(p->acct, &p->flight);
	store_account_close(&p->acct);
	arena_done(&p->arena);
	mem_free(&p);
}
