/* SPDX-License-Identifier: MIT */
/* What training asks of messages. */
#include "store/store_internal.h"

static struct db_sql q_save = DB_SQL("UPDATE message SET trained_junk = $1 WHERE id = $2");
static struct db_sql q_forget = DB_SQL("UPDATE message SET trained_junk = NULL WHERE trained_junk IS NOT NULL");
/* Exactly one of the flags 64 and 128. */
static struct db_sql q_trainable = DB_SQL(
    "SELECT id FROM message WHERE id > $1 AND expunged = 0 AND (flags & 192 = 64 OR flags & 192 = 128) ORDER BY id LIMIT $2");
static struct db_sql q_trained = DB_SQL(
    "SELECT id FROM message WHERE id > $1 AND expunged = 0 AND trained_junk IS NOT NULL ORDER BY id LIMIT $2");

int
store_message_save_trained(struct store_tx *tx, int64_t id, int class)
{
	return db_exec(&tx->db, &q_save, DB_ARGS(class < 0 ? db_null() : db_int(class), db_int(id)), NULL);
}

int
store_trained_forget(struct store_tx *tx)
{
	return db_exec(&tx->db, &q_forget, DB_NOARGS, NULL);
}

static int
ids_of(struct store_tx *tx, struct db_sql *q, int64_t after, int64_t *v, size_t max, size_t *r_n)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, q, DB_ARGS(db_int(after), db_int((int64_t)max)));
	size_t n = 0;
	int got;
	while ((got = db_next(&rows)) == 1 && n < max)
		v[n++] = db_col_int(&rows, 0);
	if (got < 0)
		return got;
	*r_n = n;
	return 0;
}

int
store_trainable(struct store_tx *tx, int64_t after, int64_t *v, size_t max, size_t *r_n)
{
	return ids_of(tx, &q_trainable, after, v, max, r_n);
}

int
store_trained(struct store_tx *tx, int64_t after, int64_t *v, size_t max, size_t *r_n)
{
	return ids_of(tx, &q_trained, after, v, max, r_n);
}
