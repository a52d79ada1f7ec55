/* SPDX-License-Identifier: MIT */
/* Rows of mailboxes, subscriptions, and annotations as far as mailboxes are concerned. */
#include "store/mailbox.h"
#include "store/store_internal.h"

#define COLUMNS \
	"id, createseq, modseq, expunged, parent_id, name, uidvalidity, uidnext, use_archive, use_draft, use_junk, use_sent, use_trash, keywords, " \
	"cnt_total, cnt_deleted, cnt_unread, cnt_unseen, cnt_size"

static struct db_sql q_find = DB_SQL("SELECT " COLUMNS " FROM mailbox WHERE name = $1 AND expunged = 0");
static struct db_sql q_get = DB_SQL("SELECT " COLUMNS " FROM mailbox WHERE id = $1");
static struct db_sql q_list = DB_SQL("SELECT " COLUMNS " FROM mailbox WHERE expunged = 0 ORDER BY name");
static struct db_sql q_below = DB_SQL("SELECT " COLUMNS " FROM mailbox WHERE name > $1 AND name < $2 AND expunged = 0 ORDER BY name");
static struct db_sql q_by_use[] = {
	DB_SQL("SELECT " COLUMNS " FROM mailbox WHERE expunged = 0 AND use_archive = 1"),
	DB_SQL("SELECT " COLUMNS " FROM mailbox WHERE expunged = 0 AND use_draft = 1"),
	DB_SQL("SELECT " COLUMNS " FROM mailbox WHERE expunged = 0 AND use_junk = 1"),
	DB_SQL("SELECT " COLUMNS " FROM mailbox WHERE expunged = 0 AND use_sent = 1"),
	DB_SQL("SELECT " COLUMNS " FROM mailbox WHERE expunged = 0 AND use_trash = 1"),
};
static struct db_sql q_insert = DB_SQL(
    "INSERT INTO mailbox (createseq, modseq, parent_id, name, uidvalidity, uidnext, use_archive, use_draft, use_junk, use_sent, use_trash) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
static struct db_sql q_write = DB_SQL(
    "UPDATE mailbox SET modseq = $1, uidnext = $2, keywords = $3, cnt_total = $4, cnt_deleted = $5, cnt_unread = $6, cnt_unseen = $7, cnt_size = $8 "
    "WHERE id = $9");
static struct db_sql q_save_name = DB_SQL(
    "UPDATE mailbox SET modseq = $1, expunged = $2, parent_id = $3, name = $4, use_archive = $5, use_draft = $6, use_junk = $7, use_sent = $8, "
    "use_trash = $9 WHERE id = $10");

static void
read_row(struct db_rows *r, struct store_tx *tx, struct store_mailbox *mb)
{
	struct arena *a = tx->arena;
	*mb = (struct store_mailbox){
		.id = db_col_int(r, 0), .createseq = db_col_int(r, 1), .modseq = db_col_int(r, 2), .expunged = db_col_int(r, 3) != 0,
		.parent_id = db_col_int(r, 4), .name = db_col_str(a, r, 5), .uidvalidity = (uint32_t)db_col_int(r, 6), .uidnext = (uint32_t)db_col_int(r, 7),
		.keywords = db_col_str(a, r, 13), .total = db_col_int(r, 14), .deleted = db_col_int(r, 15), .unread = db_col_int(r, 16),
		.unseen = db_col_int(r, 17), .size = db_col_int(r, 18),
	};
	for (int i = 0; i < 5; i++)
		if (db_col_int(r, 8 + i))
			mb->use |= 1u << i;
	store_stage_overlay(tx, mb);
}

static int
read_one(struct store_tx *tx, struct db_sql *q, struct db_args args, struct store_mailbox *r_mb)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, q, args);
	int got = db_next(&rows);
	if (got == 1)
		read_row(&rows, tx, r_mb);
	return got;
}

static int
read_all(struct store_tx *tx, struct db_sql *q, struct db_args args, struct store_mailbox **r_v, size_t *r_n)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, q, args);
	struct store_mailbox *v = NULL;
	size_t n = 0, cap = 0;
	int got;
	while ((got = db_next(&rows)) == 1) {
		if (n == cap) {
			cap = cap ? cap * 2 : 16;
			v = arena_grow(tx->arena, v, n, cap, sizeof(*v));
		}
		read_row(&rows, tx, &v[n++]);
	}
	if (got < 0)
		return got;
	*r_v = v;
	*r_n = n;
	return 0;
}

int
store_mailbox_find(struct store_tx *tx, struct str name, struct store_mailbox *r_mb)
{
	return read_one(tx, &q_find, DB_ARGS(db_str(name)), r_mb);
}

int
store_mailbox_get(struct store_tx *tx, int64_t id, struct store_mailbox *r_mb)
{
	return read_one(tx, &q_get, DB_ARGS(db_int(id)), r_mb);
}

int
store_mailbox_list(struct store_tx *tx, struct store_mailbox **r_v, size_t *r_n)
{
	return read_all(tx, &q_list, DB_NOARGS, r_v, r_n);
}

int
store_mailbox_by_use(struct store_tx *tx, enum store_use use, struct store_mailbox *r_mb)
{
	return read_one(tx, &q_by_use[__builtin_ctz(use)], DB_NOARGS, r_mb);
}

int
store_mailbox_children(struct store_tx *tx, struct str name, struct store_mailbox **r_v, size_t *r_n)
{
	/* '0' is the byte behind '/'. */
	struct str from = str_cat(tx->arena, name, S("/")), to = str_cat(tx->arena, name, S("0"));
	return read_all(tx, &q_below, DB_ARGS(db_str(from), db_str(to)), r_v, r_n);
}

static struct db_value
id_or_null(int64_t id)
{
	return id ? db_int(id) : db_null();
}

static struct db_value
has_use(const struct store_mailbox *mb, enum store_use use)
{
	return db_bool((mb->use & use) != 0);
}

int
store_mailbox_insert(struct store_tx *tx, struct store_mailbox *mb)
{
	TRY(db_exec(&tx->db, &q_insert,
	    DB_ARGS(db_int(mb->createseq), db_int(mb->modseq), id_or_null(mb->parent_id), db_str(mb->name), db_int(mb->uidvalidity), db_int(mb->uidnext),
	    has_use(mb, STORE_USE_ARCHIVE), has_use(mb, STORE_USE_DRAFT), has_use(mb, STORE_USE_JUNK), has_use(mb, STORE_USE_SENT),
	    has_use(mb, STORE_USE_TRASH)), NULL));
	mb->id = db_last_id(&tx->db);
	return 0;
}

int
store_mailbox_write(struct store_tx *tx, const struct store_mailbox *mb)
{
	return db_exec(&tx->db, &q_write,
	    DB_ARGS(db_int(mb->modseq), db_int(mb->uidnext), db_str(mb->keywords), db_int(mb->total), db_int(mb->deleted), db_int(mb->unread),
	    db_int(mb->unseen), db_int(mb->size), db_int(mb->id)), NULL);
}

int
store_mailbox_save_name(struct store_tx *tx, const struct store_mailbox *mb)
{
	return db_exec(&tx->db, &q_save_name,
	    DB_ARGS(db_int(mb->modseq), db_bool(mb->expunged), id_or_null(mb->parent_id), db_str(mb->name), has_use(mb, STORE_USE_ARCHIVE),
	    has_use(mb, STORE_USE_DRAFT), has_use(mb, STORE_USE_JUNK), has_use(mb, STORE_USE_SENT), has_use(mb, STORE_USE_TRASH), db_int(mb->id)), NULL);
}

static struct db_sql q_live = DB_SQL("SELECT 1 FROM mailbox WHERE id = $1 AND expunged = 0");

int
store_mailbox_exists(struct store_tx *tx, int64_t id)
{
	int64_t one;
	return db_int1(&tx->db, &q_live, DB_ARGS(db_int(id)), &one);
}

/* --- subscriptions --- */

static struct db_sql q_sub_has = DB_SQL("SELECT 1 FROM subscription WHERE name = $1");
static struct db_sql q_sub_add = DB_SQL("INSERT INTO subscription (name) VALUES ($1) ON CONFLICT DO NOTHING");
static struct db_sql q_sub_remove = DB_SQL("DELETE FROM subscription WHERE name = $1");
static struct db_sql q_sub_list = DB_SQL("SELECT name FROM subscription ORDER BY name");

int
store_subscription_has(struct store_tx *tx, struct str name)
{
	int64_t one;
	return db_int1(&tx->db, &q_sub_has, DB_ARGS(db_str(name)), &one);
}

int
store_subscription_put(struct store_tx *tx, struct str name)
{
	int64_t n;
	TRY(db_exec(&tx->db, &q_sub_add, DB_ARGS(db_str(name)), &n));
	return n > 0;
}

int
store_subscription_delete(struct store_tx *tx, struct str name)
{
	int64_t n;
	TRY(db_exec(&tx->db, &q_sub_remove, DB_ARGS(db_str(name)), &n));
	return n > 0;
}

int
store_subscriptions(struct store_tx *tx, struct strlist *r_names)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_sub_list, DB_NOARGS);
	int got;
	while ((got = db_next(&rows)) == 1)
		strlist_add(tx->arena, r_names, db_col_str(tx->arena, &rows, 0));
	return got;
}
