/* SPDX-License-Identifier: MIT */
/* Rows of passwords and login sessions. */
#include "store/password.h"

#include "base/randutil.h"
#include "store/store_internal.h"

static struct db_sql q_get = DB_SQL(
    "SELECT bcrypt, crammd5_ipad, crammd5_opad, scram1_salt, scram1_iterations, scram1_stored_key, scram1_server_key, scram256_salt, "
    "scram256_iterations, scram256_stored_key, scram256_server_key FROM password WHERE id = 1");
static struct db_sql q_set = DB_SQL(
    "INSERT INTO password (id, bcrypt, crammd5_ipad, crammd5_opad, scram1_salt, scram1_iterations, scram1_stored_key, scram1_server_key, "
    "scram256_salt, scram256_iterations, scram256_stored_key, scram256_server_key) VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
    "ON CONFLICT (id) DO UPDATE SET bcrypt = excluded.bcrypt, crammd5_ipad = excluded.crammd5_ipad, crammd5_opad = excluded.crammd5_opad, "
    "scram1_salt = excluded.scram1_salt, scram1_iterations = excluded.scram1_iterations, scram1_stored_key = excluded.scram1_stored_key, "
    "scram1_server_key = excluded.scram1_server_key, scram256_salt = excluded.scram256_salt, scram256_iterations = excluded.scram256_iterations, "
    "scram256_stored_key = excluded.scram256_stored_key, scram256_server_key = excluded.scram256_server_key");

static struct store_scram
read_scram(struct db_rows *r, struct arena *a, int col)
{
	return (struct store_scram){
		.salt = db_col_str(a, r, col), .iterations = (unsigned)db_col_int(r, col + 1), .stored_key = db_col_str(a, r, col + 2),
		.server_key = db_col_str(a, r, col + 3),
	};
}

int
store_password_get(struct store_tx *tx, struct store_password *r_p)
{
	struct arena *a = tx->arena;
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_get, DB_NOARGS);
	int got = db_next(&rows);
	if (got == 1)
		*r_p = (struct store_password){
			.bcrypt = db_col_str(a, &rows, 0), .crammd5_ipad = db_col_str(a, &rows, 1), .crammd5_opad = db_col_str(a, &rows, 2),
			.scram1 = read_scram(&rows, a, 3), .scram256 = read_scram(&rows, a, 7),
		};
	return got;
}

static struct db_value
blob_or_null(struct str s)
{
	return s.n ? db_blob(s) : db_null();
}

static struct db_value
int_or_null(int64_t v)
{
	return v ? db_int(v) : db_null();
}

int
store_password_set(struct store_tx *tx, const struct store_password *p)
{
	TRY(db_exec(&tx->db, &q_set,
	    DB_ARGS(db_str(p->bcrypt), blob_or_null(p->crammd5_ipad), blob_or_null(p->crammd5_opad), blob_or_null(p->scram1.salt),
	    int_or_null(p->scram1.iterations), blob_or_null(p->scram1.stored_key), blob_or_null(p->scram1.server_key), blob_or_null(p->scram256.salt),
	    int_or_null(p->scram256.iterations), blob_or_null(p->scram256.stored_key), blob_or_null(p->scram256.server_key)), NULL));
	return store_session_remove_all(tx);
}

/* --- keys of subject passes --- */

#define SUBJECTPASS_KEY_SIZE 16

static struct db_sql q_subjectpass_get = DB_SQL("SELECT key FROM subjectpass WHERE email = $1");
static struct db_sql q_subjectpass_add = DB_SQL("INSERT INTO subjectpass (email, key) VALUES ($1, $2)");

int
store_subjectpass_key(struct store_tx *tx, struct str address, struct str *r_key)
{
	const struct str alphabet = S("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	{
		cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_subjectpass_get, DB_ARGS(db_str(address)));
		int got = db_next(&rows);

		if (got == 1)
			*r_key = db_col_str(tx->arena, &rows, 0);
		if (got != 0)
			return MIN(got, 0);
	}
	*r_key = rand_text(tx->arena, SUBJECTPASS_KEY_SIZE, alphabet);
	return db_exec(&tx->db, &q_subjectpass_add, DB_ARGS(db_str(address), db_str(*r_key)), NULL);
}

/* --- login sessions --- */

static struct db_sql q_session_add = DB_SQL(
    "INSERT INTO login_session (created, expires, token_hash, csrf_token, login_address) VALUES ($1, $2, $3, $4, $5)");
static struct db_sql q_session_list = DB_SQL(
    "SELECT id, created, expires, token_hash, csrf_token, login_address FROM login_session ORDER BY id");
static struct db_sql q_session_find = DB_SQL(
    "SELECT id, created, expires, token_hash, csrf_token, login_address FROM login_session WHERE token_hash = $1");
static struct db_sql q_session_count = DB_SQL("SELECT count(*) FROM login_session");
static struct db_sql q_session_expire = DB_SQL("DELETE FROM login_session WHERE expires <= $1");
static struct db_sql q_session_first = DB_SQL("SELECT id FROM login_session ORDER BY expires, id LIMIT 1");
static struct db_sql q_session_extend = DB_SQL("UPDATE login_session SET expires = $1 WHERE id = $2");
static struct db_sql q_session_remove = DB_SQL("DELETE FROM login_session WHERE id = $1");
static struct db_sql q_session_remove_all = DB_SQL("DELETE FROM login_session");

static void
read_session(struct db_rows *r, struct arena *a, struct store_session *s)
{
	*s = (struct store_session){
		.id = db_col_int(r, 0), .created_us = db_col_int(r, 1), .expires_us = db_col_int(r, 2), .token_hash = db_col_str(a, r, 3),
		.csrf_token = db_col_str(a, r, 4), .address = db_col_str(a, r, 5),
	};
}

static int
make_room(struct store_tx *tx)
{
	int64_t n = 0, first = 0;
	int got = db_int1(&tx->db, &q_session_count, DB_NOARGS, &n);
	if (got < 0 || n < STORE_SESSIONS_MAX)
		return got < 0 ? got : 0;
	TRY(db_exec(&tx->db, &q_session_expire, DB_ARGS(db_int(store_now_us(tx->acct->store))), NULL));
	TRY(db_int1(&tx->db, &q_session_count, DB_NOARGS, &n));
	if (n < STORE_SESSIONS_MAX)
		return 0;
	TRY(db_int1(&tx->db, &q_session_first, DB_NOARGS, &first));
	return db_exec(&tx->db, &q_session_remove, DB_ARGS(db_int(first)), NULL);
}

int
store_session_add(struct store_tx *tx, struct store_session *s)
{
	TRY(make_room(tx));
	TRY(db_exec(&tx->db, &q_session_add,
	    DB_ARGS(db_int(s->created_us), db_int(s->expires_us), db_blob(s->token_hash), db_blob(s->csrf_token), db_str(s->address)), NULL));
	s->id = db_last_id(&tx->db);
	return 0;
}

int
store_session_list(struct store_tx *tx, struct store_session **r_v, size_t *r_n)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_session_list, DB_NOARGS);
	struct store_session *v = ARENA_NEWN(tx->arena, STORE_SESSIONS_MAX, struct store_session);
	size_t n = 0;
	int got;
	while ((got = db_next(&rows)) == 1 && n < STORE_SESSIONS_MAX)
		read_session(&rows, tx->arena, &v[n++]);
	if (got < 0)
		return got;
	*r_v = v;
	*r_n = n;
	return 0;
}

int
store_session_find(struct store_tx *tx, struct str token_hash, struct store_session *r_s)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_session_find, DB_ARGS(db_blob(token_hash)));
	int got = db_next(&rows);
	if (got == 1)
		read_session(&rows, tx->arena, r_s);
	return got;
}

static int
change(struct store_tx *tx, struct db_sql *q, struct db_args args)
{
	int64_t n = 0;
	TRY(db_exec(&tx->db, q, args, &n));
	return n > 0;
}

int
store_session_extend(struct store_tx *tx, int64_t id, int64_t expires_us)
{
	return change(tx, &q_session_extend, DB_ARGS(db_int(expires_us), db_int(id)));
}

int
store_session_remove(struct store_tx *tx, int64_t id)
{
	return change(tx, &q_session_remove, DB_ARGS(db_int(id)));
}

int
store_session_remove_all(struct store_tx *tx)
{
	return db_exec(&tx->db, &q_session_remove_all, DB_NOARGS, NULL);
}
