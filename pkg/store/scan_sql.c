/* SPDX-License-Identifier: MIT */
/* Walking the messages of a mailbox. */
#include "store/store_internal.h"

#define FROM_MESSAGE " FROM message m WHERE m.mailbox_id = $1 AND m.uid >= $2 AND m.uid <= $3"
#define BODY ", b.msg_prefix, b.preview, b.parsed"
#define FROM_BODY " FROM message m LEFT JOIN message_body b ON b.id = m.id WHERE m.mailbox_id = $1 AND m.uid >= $2 AND m.uid <= $3"

static struct db_sql q_all = DB_SQL("SELECT " STORE_MESSAGE_COLUMNS FROM_MESSAGE " ORDER BY m.uid");
static struct db_sql q_live = DB_SQL("SELECT " STORE_MESSAGE_COLUMNS FROM_MESSAGE " AND m.expunged = 0 ORDER BY m.uid");
static struct db_sql q_all_body = DB_SQL("SELECT " STORE_MESSAGE_COLUMNS BODY FROM_BODY " ORDER BY m.uid");
static struct db_sql q_live_body = DB_SQL("SELECT " STORE_MESSAGE_COLUMNS BODY FROM_BODY " AND m.expunged = 0 ORDER BY m.uid");
/* Of a large mailbox few messages have changed: the index of modseqs finds them; "+" keeps SQLite from walking all in the order of UIDs. */
static struct db_sql q_changed = DB_SQL(
    "SELECT " STORE_MESSAGE_COLUMNS " FROM message m WHERE m.mailbox_id = $1 AND +m.uid >= $2 AND +m.uid <= $3 AND m.modseq > $4 ORDER BY +m.uid");
static struct db_sql q_changed_body = DB_SQL(
    "SELECT " STORE_MESSAGE_COLUMNS BODY " FROM message m LEFT JOIN message_body b ON b.id = m.id "
    "WHERE m.mailbox_id = $1 AND +m.uid >= $2 AND +m.uid <= $3 AND m.modseq > $4 ORDER BY +m.uid");
static struct db_sql q_piece = DB_SQL(
    "SELECT " STORE_MESSAGE_COLUMNS " FROM message m WHERE m.mailbox_id = $1 AND m.uid > $2 AND m.expunged = 0 ORDER BY m.uid LIMIT $3");
static struct db_sql q_uids = DB_SQL("SELECT uid, flags FROM message WHERE mailbox_id = $1 AND expunged = 0 ORDER BY uid");
static struct db_sql q_vanished = DB_SQL("SELECT uid FROM message WHERE mailbox_id = $1 AND modseq > $2 AND expunged = 1 ORDER BY +uid");

enum { SCAN_NEW, SCAN_OPEN, SCAN_DONE };

static struct db_rows
open_range(struct store_scan *s, uint32_t first, uint32_t last)
{
	struct db_tx *db = &s->tx->db;
	if (s->changed_since > 0)
		return db_query(db, s->with_body ? &q_changed_body : &q_changed,
		    DB_ARGS(db_int(s->mailbox_id), db_int(first), db_int(last), db_int(s->changed_since)));
	struct db_sql *q = s->with_body ? (s->live_only ? &q_live_body : &q_all_body) : (s->live_only ? &q_live : &q_all);
	return db_query(db, q, DB_ARGS(db_int(s->mailbox_id), db_int(first), db_int(last)));
}

/* next_row steps within the range at hand, then to the next range. */
static int
next_row(struct store_scan *s)
{
	size_t ranges = s->set ? s->set->n : 1;
	for (;;) {
		if (s->state == SCAN_OPEN) {
			int got = db_next(&s->rows);
			if (got != 0)
				return got;
			db_rows_done(&s->rows);
			s->state = SCAN_NEW;
			s->range++;
		}
		if (s->range >= ranges)
			return 0;
		const struct store_uidrange *r = s->set ? &s->set->v[s->range] : &(struct store_uidrange){ 1, UINT32_MAX };
		s->rows = open_range(s, r->first, r->last);
		s->state = SCAN_OPEN;
	}
}

/* The walk by modseq does not filter expunged messages by itself: its statement serves both. */
int
store_scan_next(struct store_scan *s, struct arena *a, struct store_message *r_m, struct store_body *r_body)
{
	for (;;) {
		int got = next_row(s);
		if (got <= 0)
			return got;
		if (s->changed_since > 0 && s->live_only && db_col_int(&s->rows, 5))
			continue;
		store_message_row(&s->rows, a, r_m);
		if (r_body)
			*r_body = (struct store_body){ 0 };
		if (r_body && s->with_body && !db_col_null(&s->rows, STORE_MESSAGE_NCOLUMNS))
			*r_body = (struct store_body){
				.prefix = db_col_view(&s->rows, STORE_MESSAGE_NCOLUMNS),
				.has_preview = !db_col_null(&s->rows, STORE_MESSAGE_NCOLUMNS + 1),
				.preview = db_col_view(&s->rows, STORE_MESSAGE_NCOLUMNS + 1),
				.parsed = db_col_view(&s->rows, STORE_MESSAGE_NCOLUMNS + 2),
			};
		return 1;
	}
}

void
store_scan_done(struct store_scan *s)
{
	if (s->state == SCAN_OPEN)
		db_rows_done(&s->rows);
	s->state = SCAN_DONE;
}

int
store_message_piece(struct store_tx *tx, int64_t mailbox_id, uint32_t after, struct store_message *v, size_t max, size_t *r_n)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_piece, DB_ARGS(db_int(mailbox_id), db_int(after), db_int((int64_t)max)));
	size_t n = 0;
	int got;
	while ((got = db_next(&rows)) == 1 && n < max)
		store_message_row(&rows, tx->arena, &v[n++]);
	if (got < 0)
		return got;
	*r_n = n;
	return 0;
}

int
store_uids(struct store_tx *tx, struct arena *a, int64_t mailbox_id, struct store_uidset *r_uids, uint32_t *r_first_unseen_uid)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_uids, DB_ARGS(db_int(mailbox_id)));
	struct store_uidset set = { 0 };
	uint32_t unseen = 0;
	int got;
	while ((got = db_next(&rows)) == 1) {
		uint32_t uid = (uint32_t)db_col_int(&rows, 0);
		store_uidset_add(a, &set, uid, uid);
		if (!unseen && !(db_col_int(&rows, 1) & STORE_SEEN))
			unseen = uid;
	}
	if (got < 0)
		return got;
	*r_uids = set;
	*r_first_unseen_uid = unseen;
	return 0;
}

int
store_vanished(struct store_tx *tx, struct arena *a, int64_t mailbox_id, int64_t since, struct store_uidset *r_uids)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_vanished, DB_ARGS(db_int(mailbox_id), db_int(since)));
	struct store_uidset set = { 0 };
	int got;
	while ((got = db_next(&rows)) == 1) {
		uint32_t uid = (uint32_t)db_col_int(&rows, 0);
		store_uidset_add(a, &set, uid, uid);
	}
	if (got == 0)
		*r_uids = set;
	return got;
}

int
store_highest_deleted_modseq(struct store_tx *tx, int64_t *r_modseq)
{
	struct sync_state s;
	int got = store_sync_load(&tx->db, &s);
	if (got <= 0)
		return got < 0 ? got : ERR_CORRUPT;
	*r_modseq = s.highest_deleted_modseq;
	return 0;
}
