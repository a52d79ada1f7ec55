/* SPDX-License-Identifier: MIT */
/*
 * Training the junk filter.
 *
 * Implementation notes. During a transaction only the wish is noted; the words are counted before its commit, when all that can fail otherwise has not. The
 * writer of the filter belongs to whoever has the account lock, the reader to whoever has junk_lock.
 */
#include "base/mem.h"
#include "junkdb/junkdb.h"
#include "message/message.h"
#include "store/junk.h"
#include "store/store_internal.h"

#define PIECE 500

/* class_of: as what a message with these flags counts, -1 not at all. */
static int
class_of(unsigned flags)
{
	bool junk = flags & STORE_JUNK, ham = flags & STORE_NOTJUNK;
	return junk == ham ? -1 : junk;
}

void
store_junk_note(struct store_tx *tx, const struct store_account_config *c, const struct store_message *m, int trained)
{
	struct tx_priv *p = tx_priv(tx);
	int class = m->expunged ? -1 : class_of(m->flags);
	if (!c->junk_filter.enabled || class == trained)
		return;
	p->junk_params = c->junk_filter.params;
	if (p->njunk == p->junk_cap) {
		p->junk_cap = p->junk_cap ? p->junk_cap * 2 : 8;
		p->junk = arena_grow(&p->mem, p->junk, p->njunk, p->junk_cap, sizeof(*p->junk));
	}
	p->junk[p->njunk++] = m->id;
}

/* --- the filter's database --- */

static void
filter_path(const struct store_account *a, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/junkfilter.db", a->dir);
}

int
store_junk_open(struct store_account *a, struct errmsg *e)
{
	char path[PATH_SIZE];
	lock_held(&a->lock);
	if (a->junk_writer)
		return 0;
	filter_path(a, path);
	return junkdb_open(path, true, &a->junk_writer, e);
}

void
store_junk_close(struct store_account *a)
{
	{
		LOCKED(&a->junk_lock);
		junkdb_close(&a->junk_reader);
	}
	junkdb_close(&a->junk_writer);
}

/* --- training one message --- */

int
store_junk_words(struct store_tx *tx, int64_t id, struct junk_words *r_w)
{
	cleanup_(blob_close) struct blob_file *f = NULL;
	struct store_body body = { 0 };
	struct message m;
	int got = store_message_body(tx, tx->arena, id, &body);
	if (got <= 0)
		return got < 0 ? got : ERR_NOTFOUND;
	TRY(store_message_open(tx->acct, id, &f));
	struct message_source src = message_source_file(body.prefix, blob_file_fd(f), blob_file_size(f));
	if (body.parsed.n == 0 || message_load(tx->arena, body.parsed, &m) < 0)
		TRY(message_parse(tx->arena, &src, 0, &m, NULL));
	return junk_words_of(tx->arena, &tx_priv(tx)->junk_params, &m, &src, r_w);
}

/* train_one makes the filter and the row of a message agree with its flags. */
static int
train_one(struct store_tx *tx, int64_t id)
{
	ARENA_SCOPE(tx->arena);
	struct junkdb *db = tx->acct->junk_writer;
	struct store_message m;
	struct junk_words w;
	int got = store_message_get(tx, id, &m);
	if (got <= 0)
		return got < 0 ? got : ERR_CORRUPT;
	int class = m.expunged ? -1 : class_of(m.flags);
	if (class == m.trained_junk)
		return 0;               /* changed twice */
	int err = store_junk_words(tx, id, &w);
	if (err < 0) {
		log_debug(&store_log, "message is left out of the junk filter", log_err(err_text(err)), log_z("account", tx->acct->name), log_i("id", id));
		return 0;
	}
	if (m.trained_junk >= 0)
		TRY(junkdb_untrain(db, &w, m.trained_junk == 1));
	if (class >= 0)
		TRY(junkdb_train(db, &w, class == 1));
	return store_message_save_trained(tx, id, class);
}

/* --- training anew --- */

/* train_all fills the empty filter from the flags of all live messages. */
static int
train_all(struct store_tx *tx)
{
	int64_t after = 0, ids[PIECE];
	size_t n;
	do {
		TRY(store_trainable(tx, after, ids, PIECE, &n));
		for (size_t i = 0; i < n; i++)
			TRY(train_one(tx, ids[i]));
		after = n ? ids[n - 1] : after;
	} while (n == PIECE);
	return 0;
}

static int
retrain(struct store_tx *tx)
{
	TRY(junkdb_clear(tx->acct->junk_writer));
	TRY(store_trained_forget(tx));
	return train_all(tx);
}

/* agrees tells whether the filter has had the last training that the account knows of: 1 or 0. */
static int
agrees(struct store_tx *tx)
{
	struct junk_counts total;
	int64_t mark;
	TRY(junkdb_status(tx->acct->junk_writer, &total, &mark));
	return mark == tx_priv(tx)->sync.junk_mark;
}

/* change runs within tx what changes the filter; the mark of both becomes the modseq. */
static int
change(struct store_tx *tx, bool anew)
{
	struct tx_priv *p = tx_priv(tx);
	int64_t mark;
	TRY(store_junk_open(tx->acct, NULL));
	int same = agrees(tx);
	if (same < 0)
		return same;
	if (!same)
		log_info(&store_log, "junk filter and messages disagree, training anew", log_z("account", tx->acct->name));
	if (anew || !same)
		TRY(retrain(tx));
	for (size_t i = 0; i < p->njunk; i++)
		TRY(train_one(tx, p->junk[i]));
	TRY(store_tx_modseq(tx, &mark));
	p->sync.junk_mark = mark;
	p->sync_dirty = true;
	p->junk_changed = true;
	return 0;
}

void
store_junk_train(struct store_tx *tx)
{
	struct tx_priv *p = tx_priv(tx);
	if (p->njunk == 0)
		return;
	int err = change(tx, false);
	if (err == 0)
		return;
	/* Mail does not depend on the filter. The marks will differ, so it is trained anew the next time. */
	log_error(&store_log, "training the junk filter", log_err(err_text(err)), log_z("account", tx->acct->name));
	p->junk_changed = false;
	if (store_tx_modseq(tx, &p->sync.junk_mark) == 0)
		p->sync_dirty = true;
}

void
store_junk_end(struct store_tx *tx, bool committed)
{
	struct store_account *a = tx->acct;
	const struct tx_priv *p = tx_priv(tx);
	if (!a->junk_writer)
		return;
	if (!committed || !p->junk_changed) {
		junkdb_rollback(a->junk_writer);
		return;
	}
	int err = junkdb_commit(a->junk_writer, p->sync.junk_mark);
	if (err < 0)                    /* the marks differ now: trained anew the next time */
		log_error(&store_log, "keeping the junk filter", log_err(junkdb_error(a->junk_writer)), log_z("account", a->name));
}

int
store_junk_retrain(struct store_account *a, struct errmsg *e)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	TRY(store_tx_begin(a, true, &tx, e));
	struct tx_priv *p = tx_priv(&tx);
	if (!p->config.junk_filter.enabled)
		return err_set(e, ERR_NOTFOUND, "account has no junk filter");
	p->junk_params = p->config.junk_filter.params;
	int err = change(&tx, true);
	if (err == 0)
		err = store_tx_commit(&tx, NULL);
	return err < 0 ? err_set(e, err, "training the junk filter: %s", err_text(err)) : 0;
}

/* --- classifying --- */

static int
classify(struct store_account *a, struct arena *mem, const struct junk_params *params, const struct junk_words *w, struct junk_result *r_r)
{
	lock_held(&a->junk_lock);
	return junkdb_classify(a->junk_reader, mem, params, w, r_r);
}

int
store_junk_classify(struct store_account *a, struct arena *mem, const struct message *m, const struct message_source *src, struct junk_result *r_r)
{
	struct store_account_config c;
	struct junk_words w;
	char path[PATH_SIZE];
	TRY(store_config_of(a->store, mem, str_of(a->name), &c, NULL));
	if (!c.junk_filter.enabled)
		return ERR_NOTFOUND;
	TRY(junk_words_of(mem, &c.junk_filter.params, m, src, &w));
	{
		LOCKED(&a->junk_lock);
		if (a->junk_reader)
			return classify(a, mem, &c.junk_filter.params, &w, r_r);
	}
	/* A reader needs the writer, which needs the account lock. */
	LOCKED(&a->lock);
	TRY(store_junk_open(a, NULL));
	LOCKED(&a->junk_lock);
	filter_path(a, path);
	if (!a->junk_reader)
		TRY(junkdb_open(path, false, &a->junk_reader, NULL));
	return classify(a, mem, &c.junk_filter.params, &w, r_r);
}
