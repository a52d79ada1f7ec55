/* SPDX-License-Identifier: MIT */
/* Copies of refused messages (rejects.h). */
#include "store/rejects.h"

#include "store/store_internal.h"

static struct db_sql q_old = DB_SQL("SELECT " STORE_MESSAGE_COLUMNS " FROM message m WHERE m.mailbox_id = $1 AND m.expunged = 0 AND m.received < $2");
static struct db_sql q_by_id = DB_SQL(
    "SELECT " STORE_MESSAGE_COLUMNS " FROM message m WHERE m.message_id_hdr = $1 AND m.message_id_hdr <> '' AND m.mailbox_id = $2 AND m.expunged = 0");
static struct db_sql q_by_hash = DB_SQL(
    "SELECT 1 FROM message_body b JOIN message m ON m.id = b.id WHERE b.message_hash = $1 AND b.message_hash IS NOT NULL AND m.mailbox_id = $2 "
    "AND m.expunged = 0 LIMIT 1");

/* read_rows gives messages of a query, in tx's arena. */
static int
read_rows(struct store_tx *tx, struct db_sql *q, struct db_args args, struct store_message **r_v, size_t *r_n)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, q, args);
	struct store_message *v = NULL;
	size_t n = 0, cap = 0;
	int got;

	while ((got = db_next(&rows)) == 1) {
		if (n == cap) {
			cap = cap ? 2 * cap : 16;
			v = arena_grow(tx->arena, v, n, cap, sizeof(*v));
		}
		store_message_row(&rows, tx->arena, &v[n++]);
	}
	*r_v = v;
	*r_n = n;
	return got;
}

static int
is_there(struct store_tx *tx, const struct store_mailbox *mb, const struct store_prepared *p)
{
	struct store_message *v;
	size_t n = 0;

	if (p->message_id.n > 0)
		TRY(read_rows(tx, &q_by_id, DB_ARGS(db_str(p->message_id), db_int(mb->id)), &v, &n));
	if (n > 0)
		return 1;
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_by_hash, DB_ARGS(db_blob(p->add->message_hash), db_int(mb->id)));
	return db_next(&rows);
}

static int
remove_old(struct store_tx *tx, struct store_mailbox *mb)
{
	struct store_message *v;
	size_t n;

	TRY(read_rows(tx, &q_old, DB_ARGS(db_int(mb->id), db_int(store_now_us(tx->acct->store) - STORE_REJECTS_AGE_US)), &v, &n));
	return n > 0 ? store_expunge(tx, mb, v, n) : 0;
}

/* add_reject: 1 added, 0 not wanted. */
static int
add_reject(struct store_tx *tx, struct str mailbox, struct str destined, struct store_add *add, struct errmsg *e)
{
	const struct store_account_config *c = &tx_priv(tx)->config;
	struct store_mailbox mb, dst;
	struct store_added added;
	int there;

	TRY(store_mailbox_ensure(tx, mailbox, &mb));
	there = is_there(tx, &mb, add->prepared);
	if (there != 0)
		return MIN(there, 0);
	if (!c->keep_rejects) {
		TRY(remove_old(tx, &mb));
		if (mb.total + mb.deleted >= STORE_REJECTS_MAX)
			return 0;
	}
	if (destined.n > 0) {
		TRY(store_mailbox_ensure(tx, destined, &dst));
		add->mailbox_destined_id = dst.id;
		TRY(store_mailbox_find(tx, mailbox, &mb));      /* making the other may have made a parent or child of it */
	}
	TRY(store_add_message(tx, &mb, add, &added, e));
	return 1;
}

int
store_reject(struct store_account *a, struct str mailbox, struct str destined, const struct store_add *add, struct errmsg *e)
{
	cleanup_(store_prepared_free) struct store_prepared *prepared = NULL;
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_add copy = *add;
	uint8_t hash[32];
	int rv = blob_hash(add->blob, hash);

	if (rv < 0)
		return err_set(e, rv, "hash of a refused message: %s", err_text(rv));
	copy.message_hash = str_n((const char *)hash, sizeof(hash));
	copy.is_reject = true;
	copy.flags |= STORE_SEEN;
	TRY(store_prepare(a, &copy, &prepared, e));
	copy.prepared = prepared;
	TRY(store_tx_begin(a, true, &tx, e));
	rv = add_reject(&tx, mailbox, destined, &copy, e);
	if (rv < 0)
		return e && e->text[0] ? rv : err_set(e, rv, "mailbox of refused messages: %s", err_text(rv));
	TRY(store_tx_commit(&tx, NULL));
	return rv;
}

int
store_reject_remove(struct store_account *a, struct str mailbox, struct str message_id, int64_t spare)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	struct store_message *v;
	size_t n = 0, kept = 0;
	int found;

	if (message_id.n == 0)
		return 0;
	TRY(store_write(a, &tx));
	found = store_mailbox_find(&tx, mailbox, &mb);
	if (found <= 0)
		return found;
	TRY(read_rows(&tx, &q_by_id, DB_ARGS(db_str(message_id), db_int(mb.id)), &v, &n));
	for (size_t i = 0; i < n; i++)
		if (v[i].id != spare)
			v[kept++] = v[i];
	if (kept == 0)
		return 0;
	TRY(store_expunge(&tx, &mb, v, kept));
	TRY(store_tx_commit(&tx, NULL));
	return (int)kept;
}
