/* SPDX-License-Identifier: MIT */
#include "store/authdb.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/lock.h"
#include "base/mem.h"
#include "db/db.h"

static const struct db_migration migrations[] = {
	{ 1,
	    "CREATE TABLE tls_public_key ("
	    " fingerprint TEXT PRIMARY KEY,"
	    " created INTEGER NOT NULL,"
	    " type TEXT NOT NULL,"
	    " name TEXT NOT NULL CHECK (name <> ''),"
	    " no_imap_preauth INTEGER NOT NULL DEFAULT 0 CHECK (no_imap_preauth IN (0, 1)),"
	    " cert_der BLOB NOT NULL,"
	    " account TEXT NOT NULL,"
	    " login_address TEXT NOT NULL"
	    ") STRICT;"
	    "CREATE TABLE login_attempt ("
	    " key BLOB PRIMARY KEY,"
	    " last INTEGER NOT NULL,"
	    " first INTEGER NOT NULL,"
	    " count INTEGER NOT NULL,"
	    " account_name TEXT NOT NULL,"
	    " login_address TEXT NOT NULL,"
	    " remote_ip TEXT NOT NULL,"
	    " local_ip TEXT NOT NULL,"
	    " tls TEXT NOT NULL,"
	    " tls_pubkey_fingerprint TEXT NOT NULL,"
	    " protocol TEXT NOT NULL,"
	    " user_agent TEXT NOT NULL,"
	    " auth_mech TEXT NOT NULL,"
	    " result TEXT NOT NULL"
	    ") STRICT;"
	    "CREATE INDEX login_attempt_last ON login_attempt(last);"
	    "CREATE INDEX login_attempt_account ON login_attempt(account_name, last);"
	    "CREATE TABLE login_attempt_state (account_name TEXT PRIMARY KEY, records_failed INTEGER NOT NULL) STRICT;"
	    "CREATE TABLE account_remove (account_name TEXT PRIMARY KEY) STRICT;",
	    NULL },
};
static const struct db_kind kind = {
	.name = "auth", .application_id = 0x6d6f7855, .migrations = migrations, .nmigrations = ARRAY_LEN(migrations), .full_sync = true,
};

#define WAL_PAGES_MAX 500

struct store_authdb {
	struct lock lock;
	struct db *db;
};

int
store_authdb_open(const char *data_dir, struct store_authdb **r_db, struct errmsg *e)
{
	char path[4096];
	struct store_authdb *a = mem_alloc(sizeof(*a));
	snprintf(path, sizeof(path), "%s/auth.db", data_dir);
	int err = db_open(path, &kind, DB_READWRITE_CREATE, &a->db, e);
	if (err < 0) {
		mem_free(&a);
		return err;
	}
	lock_init(&a->lock, LOCK_AUTH, "auth.db");
	*r_db = a;
	return 0;
}

void
store_authdb_close(struct store_authdb **pa)
{
	struct store_authdb *a = take(*pa);
	if (!a)
		return;
	db_close(&a->db);
	lock_done(&a->lock);
	mem_free(&a);
}

/* commit also keeps the log short. */
static int
commit(struct db_tx *tx)
{
	struct db *db = tx->db;
	TRY(db_commit(tx));
	if (db_wal_pages(db) > WAL_PAGES_MAX)
		ignore_result(db_checkpoint(db));       /* tried again at the next commit */
	return 0;
}

/* run executes one statement as a transaction; 1 if it changed a row. */
static int
run(struct store_authdb *a, struct db_sql *q, struct db_args args)
{
	LOCKED(&a->lock);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	int64_t n = 0;
	TRY(db_begin(a->db, &tx));
	TRY(db_exec(&tx, q, args, &n));
	TRY(commit(&tx));
	return n > 0;
}

/* --- TLS client keys --- */

#define KEY_COLUMNS "fingerprint, created, type, name, no_imap_preauth, cert_der, account, login_address"
static struct db_sql q_key_add = DB_SQL("INSERT INTO tls_public_key (" KEY_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
static struct db_sql q_key_get = DB_SQL("SELECT " KEY_COLUMNS " FROM tls_public_key WHERE fingerprint = $1");
static struct db_sql q_key_list = DB_SQL("SELECT " KEY_COLUMNS " FROM tls_public_key ORDER BY account, name, fingerprint");
static struct db_sql q_key_list_account = DB_SQL("SELECT " KEY_COLUMNS " FROM tls_public_key WHERE account = $1 ORDER BY name, fingerprint");
static struct db_sql q_key_update = DB_SQL("UPDATE tls_public_key SET name = $1, no_imap_preauth = $2 WHERE fingerprint = $3");
static struct db_sql q_key_remove = DB_SQL("DELETE FROM tls_public_key WHERE fingerprint = $1");
static struct db_sql q_key_remove_account = DB_SQL("DELETE FROM tls_public_key WHERE account = $1");

int
store_tls_key_add(struct store_authdb *db, const struct store_tls_key *k)
{
	int err = run(db, &q_key_add,
	    DB_ARGS(db_str(k->fingerprint), db_int(k->created_us), db_str(k->type), db_str(k->name), db_bool(k->no_imap_preauth), db_blob(k->cert_der),
	    db_str(k->account), db_str(k->address)));
	return err == DB_UNIQUE ? ERR_EXISTS : err < 0 ? err : 0;
}

static void
read_key(struct db_rows *r, struct arena *a, struct store_tls_key *k)
{
	*k = (struct store_tls_key){
		.fingerprint = db_col_str(a, r, 0), .created_us = db_col_int(r, 1), .type = db_col_str(a, r, 2), .name = db_col_str(a, r, 3),
		.no_imap_preauth = db_col_int(r, 4) != 0, .cert_der = db_col_str(a, r, 5), .account = db_col_str(a, r, 6), .address = db_col_str(a, r, 7),
	};
}

int
store_tls_key_get(struct store_authdb *db, struct arena *a, struct str fingerprint, struct store_tls_key *r_k)
{
	LOCKED(&db->lock);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	TRY(db_begin_read(db->db, &tx));
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx, &q_key_get, DB_ARGS(db_str(fingerprint)));
	int got = db_next(&rows);
	if (got == 1)
		read_key(&rows, a, r_k);
	return got;
}

int
store_tls_key_list(struct store_authdb *db, struct arena *a, struct str account, struct store_tls_key **r_v, size_t *r_n)
{
	LOCKED(&db->lock);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	TRY(db_begin_read(db->db, &tx));
	cleanup_(db_rows_done) struct db_rows rows = account.n ? db_query(&tx, &q_key_list_account, DB_ARGS(db_str(account))) :
	    db_query(&tx, &q_key_list, DB_NOARGS);
	struct store_tls_key *v = NULL;
	size_t n = 0, cap = 0;
	int got;
	while ((got = db_next(&rows)) == 1) {
		if (n == cap) {
			cap = cap ? cap * 2 : 8;
			v = arena_grow(a, v, n, cap, sizeof(*v));
		}
		read_key(&rows, a, &v[n++]);
	}
	if (got < 0)
		return got;
	*r_v = v;
	*r_n = n;
	return 0;
}

int
store_tls_key_update(struct store_authdb *db, const struct store_tls_key *k)
{
	return run(db, &q_key_update, DB_ARGS(db_str(k->name), db_bool(k->no_imap_preauth), db_str(k->fingerprint)));
}

int
store_tls_key_remove(struct store_authdb *db, struct str fingerprint)
{
	return run(db, &q_key_remove, DB_ARGS(db_str(fingerprint)));
}

/* --- login attempts --- */

#define ATTEMPT_COLUMNS \
	"last, first, count, account_name, login_address, remote_ip, local_ip, tls, tls_pubkey_fingerprint, protocol, user_agent, auth_mech, result"
static struct db_sql q_attempt_again = DB_SQL("UPDATE login_attempt SET count = count + 1, last = $1 WHERE key = $2");
static struct db_sql q_attempt_add = DB_SQL(
    "INSERT INTO login_attempt (" ATTEMPT_COLUMNS ", key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
static struct db_sql q_attempt_list = DB_SQL("SELECT " ATTEMPT_COLUMNS " FROM login_attempt ORDER BY last DESC, key LIMIT $1");
static struct db_sql q_attempt_list_account = DB_SQL(
    "SELECT " ATTEMPT_COLUMNS " FROM login_attempt WHERE account_name = $1 ORDER BY last DESC LIMIT $2");
static struct db_sql q_attempt_old = DB_SQL("SELECT 1 FROM login_attempt WHERE last < $1 LIMIT 1");
static struct db_sql q_attempt_expire = DB_SQL("DELETE FROM login_attempt WHERE last < $1");
static struct db_sql q_attempt_remove_account = DB_SQL("DELETE FROM login_attempt WHERE account_name = $1");
static struct db_sql q_attempt_oldest = DB_SQL(
    "DELETE FROM login_attempt WHERE key IN (SELECT key FROM login_attempt WHERE account_name = $1 AND result <> 'ok' ORDER BY last LIMIT $2)");
static struct db_sql q_failed_get = DB_SQL("SELECT records_failed FROM login_attempt_state WHERE account_name = $1");
static struct db_sql q_failed_add = DB_SQL(
    "INSERT INTO login_attempt_state (account_name, records_failed) VALUES ($1, $2) "
    "ON CONFLICT (account_name) DO UPDATE SET records_failed = records_failed + excluded.records_failed");
static struct db_sql q_failed_forget = DB_SQL("DELETE FROM login_attempt_state");
static struct db_sql q_failed_recount = DB_SQL(
    "INSERT INTO login_attempt_state (account_name, records_failed) "
    "SELECT account_name, count(*) FROM login_attempt WHERE result <> 'ok' GROUP BY account_name");
static struct db_sql q_failed_remove_account = DB_SQL("DELETE FROM login_attempt_state WHERE account_name = $1");

/* attempt_key: the same in all strings, the same row. Their order is that of ../spec/auth-credentials.md section 4. */
static void
attempt_key(const struct store_attempt *t, uint8_t r_key[HASH_SHA256_LEN])
{
	struct arena a = { 0 };
	struct strlist l = { 0 };
	const struct str parts[] = { t->account, t->address, t->remote_ip, t->local_ip, t->tls, t->client_key, t->protocol, t->user_agent, t->mechanism,
		t->result };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		strlist_add(&a, &l, parts[i]);
	hash_sha256(strlist_join(&a, &l, S("")), r_key);
	arena_done(&a);
}

static int
count_failed(struct db_tx *tx, struct str account)
{
	int64_t n = 0;
	TRY(db_exec(tx, &q_failed_add, DB_ARGS(db_str(account), db_int(1)), NULL));
	TRY(db_int1(tx, &q_failed_get, DB_ARGS(db_str(account)), &n));
	if (n <= STORE_ATTEMPTS_FAILED_MAX)
		return 0;
	int64_t over = n - STORE_ATTEMPTS_FAILED_MAX, removed = 0;
	TRY(db_exec(tx, &q_attempt_oldest, DB_ARGS(db_str(account), db_int(over)), &removed));
	return db_exec(tx, &q_failed_add, DB_ARGS(db_str(account), db_int(-removed)), NULL);
}

static int
write_one(struct db_tx *tx, const struct store_attempt *t, int64_t now_us)
{
	uint8_t key[HASH_SHA256_LEN];
	int64_t changed = 0;
	attempt_key(t, key);
	struct db_value k = db_blob(str_n((const char *)key, sizeof(key)));
	TRY(db_exec(tx, &q_attempt_again, DB_ARGS(db_int(now_us), k), &changed));
	if (changed > 0)
		return 0;
	TRY(db_exec(tx, &q_attempt_add,
	    DB_ARGS(db_int(now_us), db_int(now_us), db_int(1), db_str(t->account), db_str(t->address), db_str(t->remote_ip), db_str(t->local_ip),
	    db_str(t->tls), db_str(t->client_key), db_str(t->protocol), db_str(t->user_agent), db_str(t->mechanism), db_str(t->result), k), NULL));
	return str_is(t->result, S("ok")) ? 0 : count_failed(tx, t->account);
}

int
store_attempts_write(struct store_authdb *db, const struct store_attempt *v, size_t n, int64_t now_us)
{
	LOCKED(&db->lock);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	TRY(db_begin(db->db, &tx));
	for (size_t i = 0; i < n; i++)
		TRY(write_one(&tx, &v[i], now_us));
	return commit(&tx);
}

static void
read_attempt(struct db_rows *r, struct arena *a, struct store_attempt *t)
{
	*t = (struct store_attempt){
		.last_us = db_col_int(r, 0), .first_us = db_col_int(r, 1), .count = db_col_int(r, 2), .account = db_col_str(a, r, 3),
		.address = db_col_str(a, r, 4), .remote_ip = db_col_str(a, r, 5), .local_ip = db_col_str(a, r, 6), .tls = db_col_str(a, r, 7),
		.client_key = db_col_str(a, r, 8), .protocol = db_col_str(a, r, 9), .user_agent = db_col_str(a, r, 10), .mechanism = db_col_str(a, r, 11),
		.result = db_col_str(a, r, 12),
	};
}

int
store_attempts_list(struct store_authdb *db, struct arena *a, struct str account, int limit, struct store_attempt **r_v, size_t *r_n)
{
	LOCKED(&db->lock);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	TRY(db_begin_read(db->db, &tx));
	struct db_value max = db_int(limit > 0 ? limit : -1);
	cleanup_(db_rows_done) struct db_rows rows = account.n ? db_query(&tx, &q_attempt_list_account, DB_ARGS(db_str(account), max)) :
	    db_query(&tx, &q_attempt_list, DB_ARGS(max));
	struct store_attempt *v = NULL;
	size_t n = 0, cap = 0;
	int got;
	while ((got = db_next(&rows)) == 1) {
		if (n == cap) {
			cap = cap ? cap * 2 : 32;
			v = arena_grow(a, v, n, cap, sizeof(*v));
		}
		read_attempt(&rows, a, &v[n++]);
	}
	if (got < 0)
		return got;
	*r_v = v;
	*r_n = n;
	return 0;
}

int
store_attempts_expire(struct store_authdb *db, int64_t before_us)
{
	LOCKED(&db->lock);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	int64_t one;
	/* Usually there is none, and the start of the server need not wait for the disk, nor does it need room there. */
	TRY(db_begin_read(db->db, &tx));
	int found = db_int1(&tx, &q_attempt_old, DB_ARGS(db_int(before_us)), &one);
	db_tx_rollback(&tx);
	if (found <= 0)
		return found;
	TRY(db_begin(db->db, &tx));
	TRY(db_exec(&tx, &q_attempt_expire, DB_ARGS(db_int(before_us)), NULL));
	TRY(db_exec(&tx, &q_failed_forget, DB_NOARGS, NULL));
	TRY(db_exec(&tx, &q_failed_recount, DB_NOARGS, NULL));
	return commit(&tx);
}

/* --- accounts being removed --- */

static struct db_sql q_removal_add = DB_SQL("INSERT INTO account_remove (account_name) VALUES ($1) ON CONFLICT DO NOTHING");
static struct db_sql q_removal_list = DB_SQL("SELECT account_name FROM account_remove ORDER BY account_name");
static struct db_sql q_removal_done = DB_SQL("DELETE FROM account_remove WHERE account_name = $1");

int
store_removal_add(struct store_authdb *db, struct str account)
{
	int err = run(db, &q_removal_add, DB_ARGS(db_str(account)));
	return err < 0 ? err : 0;
}

int
store_removal_list(struct store_authdb *db, struct arena *a, struct strlist *r_accounts)
{
	LOCKED(&db->lock);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	TRY(db_begin_read(db->db, &tx));
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx, &q_removal_list, DB_NOARGS);
	int got;
	while ((got = db_next(&rows)) == 1)
		strlist_add(a, r_accounts, db_col_str(a, &rows, 0));
	return got;
}

int
store_removal_done(struct store_authdb *db, struct str account)
{
	LOCKED(&db->lock);
	cleanup_(db_tx_rollback) struct db_tx tx = { 0 };
	struct db_args name = DB_ARGS(db_str(account));
	TRY(db_begin(db->db, &tx));
	TRY(db_exec(&tx, &q_key_remove_account, name, NULL));
	TRY(db_exec(&tx, &q_attempt_remove_account, name, NULL));
	TRY(db_exec(&tx, &q_failed_remove_account, name, NULL));
	TRY(db_exec(&tx, &q_removal_done, name, NULL));
	return commit(&tx);
}
