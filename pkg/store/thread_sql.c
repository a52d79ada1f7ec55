/* SPDX-License-Identifier: MIT */
/* Lookups of threading. Terms that repeat a partial index's condition make SQLite use it. */
#include "store/store_internal.h"

#define COLUMNS "id, thread_id, thread_parent_ids, message_id_hdr, thread_muted, thread_collapsed"

static struct db_sql q_by_id = DB_SQL(
    "SELECT " COLUMNS " FROM message WHERE message_id_hdr = $1 AND message_id_hdr <> '' AND expunged = 0 AND thread_id <> 0 ORDER BY id LIMIT 1");
static struct db_sql q_by_id_subject = DB_SQL(
    "SELECT " COLUMNS " FROM message WHERE message_id_hdr = $1 AND message_id_hdr <> '' AND +subject_base = $2 AND expunged = 0 AND thread_id <> 0 "
    "ORDER BY id LIMIT 1");
static struct db_sql q_by_subject = DB_SQL(
    "SELECT " COLUMNS " FROM message WHERE subject_base = $1 AND subject_base <> '' AND mailbox_orig_id = $2 AND received > $3 AND received < $4 "
    "AND expunged = 0 AND thread_id <> 0 ORDER BY received DESC LIMIT 1");

static int
lookup(struct store_tx *tx, struct db_sql *q, struct db_args args, struct store_thread_hit *h)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, q, args);
	int got = db_next(&rows);
	if (got == 1)
		*h = (struct store_thread_hit){
			.id = db_col_int(&rows, 0), .thread_id = db_col_int(&rows, 1), .parent_ids = db_col_str(tx->arena, &rows, 2),
			.message_id = db_col_str(tx->arena, &rows, 3), .muted = db_col_int(&rows, 4) != 0, .collapsed = db_col_int(&rows, 5) != 0,
		};
	return got;
}

int
store_thread_by_id(struct store_tx *tx, struct str message_id, struct store_thread_hit *r_hit)
{
	return lookup(tx, &q_by_id, DB_ARGS(db_str(message_id)), r_hit);
}

int
store_thread_by_id_subject(struct store_tx *tx, struct str message_id, struct str subject, struct store_thread_hit *r_hit)
{
	return lookup(tx, &q_by_id_subject, DB_ARGS(db_str(message_id), db_str(subject)), r_hit);
}

int
store_thread_by_subject(struct store_tx *tx, struct str subject, int64_t mailbox_orig_id, int64_t after_us, int64_t before_us,
    struct store_thread_hit *r_hit)
{
	return lookup(tx, &q_by_subject, DB_ARGS(db_str(subject), db_int(mailbox_orig_id), db_int(after_us), db_int(before_us)), r_hit);
}
