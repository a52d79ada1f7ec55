/* SPDX-License-Identifier: MIT */
/* Annotations: ../spec/store.md 11. */
#include "base/limits.h"
#include "store/annotations.h"
#include "store/store_internal.h"

#define COLUMNS "id, createseq, modseq, expunged, COALESCE(mailbox_id, 0), key, is_string, value"

/* The expression is that of the index annotation_live. */
static struct db_sql q_get = DB_SQL("SELECT " COLUMNS " FROM annotation WHERE COALESCE(mailbox_id, 0) = $1 AND key = $2 AND expunged = 0");
static struct db_sql q_list = DB_SQL("SELECT " COLUMNS " FROM annotation WHERE COALESCE(mailbox_id, 0) = $1 AND expunged = 0 ORDER BY key");
static struct db_sql q_insert = DB_SQL(
    "INSERT INTO annotation (createseq, modseq, mailbox_id, key, is_string, value) VALUES ($1, $2, $3, $4, $5, $6)");
static struct db_sql q_update = DB_SQL("UPDATE annotation SET modseq = $1, is_string = $2, value = $3 WHERE id = $4");
static struct db_sql q_expunge = DB_SQL("UPDATE annotation SET expunged = 1, modseq = $1, is_string = 0, value = NULL WHERE id = $2");
static struct db_sql q_expunge_all = DB_SQL(
    "UPDATE annotation SET expunged = 1, modseq = $1, is_string = 0, value = NULL WHERE COALESCE(mailbox_id, 0) = $2 AND expunged = 0");
static struct db_sql q_totals = DB_SQL("SELECT count(*), COALESCE(sum(length(key) + length(value)), 0) FROM annotation WHERE expunged = 0");

static void
read_row(struct db_rows *r, struct arena *a, struct store_annotation *n)
{
	*n = (struct store_annotation){
		.id = db_col_int(r, 0), .createseq = db_col_int(r, 1), .modseq = db_col_int(r, 2), .expunged = db_col_int(r, 3) != 0,
		.mailbox_id = db_col_int(r, 4), .key = db_col_str(a, r, 5), .is_string = db_col_int(r, 6) != 0, .value = db_col_str(a, r, 7),
	};
}

int
store_annotation_get(struct store_tx *tx, int64_t mailbox_id, struct str key, struct store_annotation *r_a)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_get, DB_ARGS(db_int(mailbox_id), db_str(key)));
	int got = db_next(&rows);
	if (got == 1)
		read_row(&rows, tx->arena, r_a);
	return got;
}

int
store_annotation_list(struct store_tx *tx, int64_t mailbox_id, struct store_annotation **r_v, size_t *r_n)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_list, DB_ARGS(db_int(mailbox_id)));
	struct store_annotation *v = NULL;
	size_t n = 0, cap = 0;
	int got;
	while ((got = db_next(&rows)) == 1) {
		if (n == cap) {
			cap = cap ? cap * 2 : 8;
			v = arena_grow(tx->arena, v, n, cap, sizeof(*v));
		}
		read_row(&rows, tx->arena, &v[n++]);
	}
	if (got < 0)
		return got;
	*r_v = v;
	*r_n = n;
	return 0;
}

static int
check_key(struct arena *a, struct str key)
{
	if (!str_starts(key, S("/private/")) && !str_starts(key, S("/shared/")))
		return ERR_INVALID;
	return str_is_ascii(key) && str_is(key, str_lower(a, key)) ? 0 : ERR_INVALID;
}

/* write_row makes the row of one key what it should be: 1 changed, 0 it is so already. */
static int
write_row(struct store_tx *tx, int64_t mailbox_id, const struct store_annotation *want, int64_t *r_modseq)
{
	struct store_annotation old;
	struct db_value value = db_blob(want->value);
	TRY(check_key(tx->arena, want->key));
	int found = store_annotation_get(tx, mailbox_id, want->key, &old);
	if (found < 0)
		return found;
	if (want->expunged ? !found : found && old.is_string == want->is_string && str_is(old.value, want->value))
		return 0;
	TRY(store_tx_modseq(tx, r_modseq));
	if (want->expunged)
		TRY(db_exec(&tx->db, &q_expunge, DB_ARGS(db_int(*r_modseq), db_int(old.id)), NULL));
	else if (found)
		TRY(db_exec(&tx->db, &q_update, DB_ARGS(db_int(*r_modseq), db_bool(want->is_string), value, db_int(old.id)), NULL));
	else
		TRY(db_exec(&tx->db, &q_insert,
		    DB_ARGS(db_int(*r_modseq), db_int(*r_modseq), mailbox_id ? db_int(mailbox_id) : db_null(), db_str(want->key), db_bool(want->is_string),
		    value), NULL));
	return 1;
}

static int
check_limits(struct store_tx *tx)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_totals, DB_NOARGS);
	int got = db_next(&rows);
	if (got < 0)
		return got;
	if (db_col_int(&rows, 0) > LIMIT_ANNOTATIONS)
		return STORE_LIMIT;
	return db_col_int(&rows, 1) > LIMIT_ANNOTATIONS_SIZE ? STORE_ANNOTATIONS_SIZE : 0;
}

int
store_annotation_set(struct store_tx *tx, struct store_mailbox *mb, const struct store_annotation *v, size_t n)
{
	int64_t modseq = 0, id = mb ? mb->id : 0;
	bool added = false;
	for (size_t i = 0; i < n; i++) {
		int changed = write_row(tx, id, &v[i], &modseq);
		if (changed < 0)
			return changed;
		if (!changed)
			continue;
		added |= !v[i].expunged;
		store_tx_change(tx, &(struct store_change){
			.kind = STORE_CHANGE_ANNOTATION, .mailbox_id = id, .modseq = modseq, .name = mb ? mb->name : S(""), .key = v[i].key,
		});
	}
	if (modseq && mb) {
		mb->modseq = modseq;
		store_stage(tx, mb, false);
	}
	return added ? check_limits(tx) : 0;
}

int
store_annotation_copy(struct store_tx *tx, int64_t from_id, struct store_mailbox *to)
{
	struct store_annotation *v = NULL;
	size_t n = 0;
	TRY(store_annotation_list(tx, from_id, &v, &n));
	return n ? store_annotation_set(tx, to, v, n) : 0;
}

int
store_annotations_expunge(struct store_tx *tx, int64_t mailbox_id, int64_t modseq)
{
	return db_exec(&tx->db, &q_expunge_all, DB_ARGS(db_int(modseq), db_int(mailbox_id)), NULL);
}
