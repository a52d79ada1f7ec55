/* SPDX-License-Identifier: MIT */
/* Singletons of an account: sync_state, next_uidvalidity, meta_upgrade, settings. */
#include "message/message.h"
#include "store/store_internal.h"

static struct db_sql q_load = DB_SQL(
    "SELECT last_modseq, highest_deleted_modseq, message_size, next_message_id, file_floor, junk_mark FROM sync_state WHERE id = 1");
static struct db_sql q_save = DB_SQL(
    "UPDATE sync_state SET last_modseq = $1, highest_deleted_modseq = $2, message_size = $3, next_message_id = $4, file_floor = $5, "
    "junk_mark = $6 WHERE id = 1");
static struct db_sql q_create = DB_SQL(
    "INSERT INTO sync_state (id, last_modseq, highest_deleted_modseq, message_size, next_message_id, file_floor) VALUES (1, $1, $2, $3, $4, $5)");
static struct db_sql q_create_uidvalidity = DB_SQL("INSERT INTO next_uidvalidity (id, next) VALUES (1, $1)");
static struct db_sql q_create_upgrade = DB_SQL("INSERT INTO meta_upgrade (id, threads, message_parse_version) VALUES (1, 2, $1)");
static struct db_sql q_create_settings = DB_SQL("INSERT INTO settings (id, show_address_security) VALUES (1, 1)");
static struct db_sql q_uidvalidity = DB_SQL("SELECT next FROM next_uidvalidity WHERE id = 1");
static struct db_sql q_uidvalidity_set = DB_SQL("UPDATE next_uidvalidity SET next = $1 WHERE id = 1");

int
store_sync_load(struct db_tx *db, struct sync_state *r_s)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(db, &q_load, DB_NOARGS);
	int got = db_next(&rows);
	if (got == 1)
		*r_s = (struct sync_state){
			.last_modseq = db_col_int(&rows, 0), .highest_deleted_modseq = db_col_int(&rows, 1), .message_size = db_col_int(&rows, 2),
			.next_message_id = db_col_int(&rows, 3), .file_floor = db_col_int(&rows, 4), .junk_mark = db_col_int(&rows, 5),
		};
	return got;
}

int
store_sync_save(struct db_tx *db, const struct sync_state *s)
{
	return db_exec(db, &q_save,
	    DB_ARGS(db_int(s->last_modseq), db_int(s->highest_deleted_modseq), db_int(s->message_size), db_int(s->next_message_id),
	    db_int(s->file_floor), db_int(s->junk_mark)), NULL);
}

int
store_sync_create(struct db_tx *db, const struct sync_state *s, uint32_t next_uidvalidity)
{
	TRY(db_exec(db, &q_create,
	    DB_ARGS(db_int(s->last_modseq), db_int(s->highest_deleted_modseq), db_int(s->message_size), db_int(s->next_message_id),
	    db_int(s->file_floor)), NULL));
	TRY(db_exec(db, &q_create_uidvalidity, DB_ARGS(db_int(next_uidvalidity)), NULL));
	TRY(db_exec(db, &q_create_upgrade, DB_ARGS(db_int(MESSAGE_PARSE_VERSION)), NULL));
	return db_exec(db, &q_create_settings, DB_NOARGS, NULL);
}

int
store_uidvalidity_next(struct db_tx *db, uint32_t *r_v)
{
	int64_t next;
	int found = db_int1(db, &q_uidvalidity, DB_NOARGS, &next);
	if (found <= 0)
		return found < 0 ? found : ERR_CORRUPT;
	if (next >= UINT32_MAX)
		return STORE_UID_OVERFLOW;
	TRY(db_exec(db, &q_uidvalidity_set, DB_ARGS(db_int(next + 1)), NULL));
	*r_v = (uint32_t)next;
	return 0;
}
