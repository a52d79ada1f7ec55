/* SPDX-License-Identifier: MIT */
/* Content of messages whose files may not be on disk: unsynced.c. */
#include "store/store_internal.h"

static struct db_sql q_insert = DB_SQL("INSERT INTO message_unsynced (id, content) VALUES ($1, $2)");
static struct db_sql q_content = DB_SQL("SELECT content FROM message_unsynced WHERE id = $1");
static struct db_sql q_next = DB_SQL("SELECT id, content FROM message_unsynced WHERE id > $1 ORDER BY id LIMIT 1");
static struct db_sql q_delete = DB_SQL("DELETE FROM message_unsynced WHERE id = $1");

int
store_unsynced_insert(struct store_tx *tx, int64_t id, struct str content)
{
	return db_exec(&tx->db, &q_insert, DB_ARGS(db_int(id), db_blob(content)), NULL);
}

int
store_unsynced_content(struct store_tx *tx, struct arena *a, int64_t id, struct str *r_content)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_content, DB_ARGS(db_int(id)));
	int found = db_next(&rows);
	if (found == 1)
		*r_content = db_col_str(a, &rows, 0);
	return found;
}

int
store_unsynced_next(struct store_tx *tx, struct arena *a, int64_t after, int64_t *r_id, struct str *r_content)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_next, DB_ARGS(db_int(after)));
	int found = db_next(&rows);
	if (found == 1) {
		*r_id = db_col_int(&rows, 0);
		*r_content = db_col_str(a, &rows, 1);
	}
	return found;
}

int
store_unsynced_delete(struct store_tx *tx, int64_t id)
{
	return db_exec(&tx->db, &q_delete, DB_ARGS(db_int(id)), NULL);
}
