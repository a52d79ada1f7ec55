/* SPDX-License-Identifier: MIT */
/*
 * The queue's database.
 *
 * Results stand in a table of their own, under the id of the message whether it waits or is retired. What the
 * scheduler asks, the earliest message of a destination, is the first entry of msg_due for it; messages on hold are
 * not in that index.
 */
#include "queue/queue_internal.h"

#include <dirent.h>
#include <unistd.h>

#include "base/fd.h"

#define BOOL(name) name " INTEGER NOT NULL DEFAULT 0 CHECK (" name " IN (0, 1))"

/* What a message has while it waits and afterwards. */
#define MSG_TABLE \
	" id INTEGER PRIMARY KEY AUTOINCREMENT," \
	" base_id INTEGER NOT NULL," \
	" queued INTEGER NOT NULL," \
	" " BOOL("hold") "," \
	" account TEXT NOT NULL," \
	" sender TEXT NOT NULL," \
	" sender_domain TEXT NOT NULL," \
	" from_id TEXT NOT NULL," \
	" recipient TEXT NOT NULL," \
	" recipient_domain TEXT NOT NULL," \
	" attempts INTEGER NOT NULL," \
	" max_attempts INTEGER NOT NULL," \
	" next_attempt INTEGER NOT NULL," \
	" last_attempt INTEGER NOT NULL," \
	" " BOOL("has_8bit") "," \
	" " BOOL("smtputf8") "," \
	" " BOOL("is_dmarc_report") "," \
	" " BOOL("is_tls_report") "," \
	" size INTEGER NOT NULL," \
	" message_id TEXT NOT NULL," \
	" subject TEXT NOT NULL," \
	" transport TEXT NOT NULL," \
	" require_tls INTEGER CHECK (require_tls IN (0, 1))," \
	" future_release TEXT NOT NULL," \
	" extra TEXT NOT NULL," \
	" dsn_notify TEXT NOT NULL," \
	" dsn_orcpt TEXT NOT NULL," \
	" dsn_ret TEXT NOT NULL," \
	" dsn_envid TEXT NOT NULL," \
	" dialed_ips TEXT NOT NULL," \
	" content_id INTEGER NOT NULL"

static const char schema1[] =
	"CREATE TABLE content ("
	" id INTEGER PRIMARY KEY,"
	" size INTEGER NOT NULL,"
	" data BLOB" /* NULL: in a file */
	") STRICT;"
	"CREATE TABLE msg (" MSG_TABLE ","
	" prefix BLOB NOT NULL,"
	" dsn_utf8 BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX msg_due ON msg(recipient_domain, next_attempt, id) WHERE hold = 0;"
	"CREATE INDEX msg_base ON msg(base_id) WHERE base_id <> 0;"
	"CREATE INDEX msg_content ON msg(content_id);"
	"CREATE INDEX msg_from_id ON msg(from_id) WHERE from_id <> '';"
	"CREATE TABLE msg_retired (" MSG_TABLE ","
	" " BOOL("success") ","
	" last_activity INTEGER NOT NULL,"
	" keep_until INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX msg_retired_keep ON msg_retired(keep_until);"
	"CREATE INDEX msg_retired_recipient ON msg_retired(recipient, last_activity);"
	"CREATE INDEX msg_retired_from_id ON msg_retired(from_id) WHERE from_id <> '';"
	"CREATE TABLE result ("
	" msg_id INTEGER NOT NULL,"
	" seq INTEGER NOT NULL,"
	" start INTEGER NOT NULL,"
	" duration INTEGER NOT NULL,"
	" " BOOL("success") ","
	" code INTEGER NOT NULL,"
	" secode TEXT NOT NULL,"
	" error TEXT NOT NULL,"
	" cause TEXT NOT NULL,"
	" transport TEXT NOT NULL,"
	" remote_mta TEXT NOT NULL,"
	" remote_ip TEXT NOT NULL,"
	" transcript TEXT NOT NULL,"
	" PRIMARY KEY (msg_id, seq)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX result_running ON result(error) WHERE error = '" QUEUE_DELIVERING "';"
	"CREATE TABLE hold_rule ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" account TEXT NOT NULL,"
	" sender_domain TEXT NOT NULL,"
	" recipient_domain TEXT NOT NULL"
	") STRICT;"
	"CREATE TABLE suppression ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" created INTEGER NOT NULL,"
	" account TEXT NOT NULL,"
	" base_address TEXT NOT NULL,"
	" original_address TEXT NOT NULL,"
	" " BOOL("manual") ","
	" reason TEXT NOT NULL"
	") STRICT;"
	"CREATE UNIQUE INDEX suppression_address ON suppression(base_address, account);";

#define HOOK_TABLE \
	" id INTEGER PRIMARY KEY AUTOINCREMENT," \
	" queue_msg_id INTEGER NOT NULL," \
	" from_id TEXT NOT NULL," \
	" message_id TEXT NOT NULL," \
	" subject TEXT NOT NULL," \
	" extra TEXT NOT NULL," \
	" account TEXT NOT NULL," \
	" url TEXT NOT NULL," \
	" authorization TEXT NOT NULL," \
	" " BOOL("is_incoming") "," \
	" outgoing_event TEXT NOT NULL," \
	" payload TEXT NOT NULL," \
	" submitted INTEGER NOT NULL," \
	" attempts INTEGER NOT NULL," \
	" next_attempt INTEGER NOT NULL," \
	" results TEXT NOT NULL" /* JSON */

static const char schema2[] =
	"CREATE TABLE hook (" HOOK_TABLE ") STRICT;"
	"CREATE INDEX hook_msg ON hook(queue_msg_id) WHERE queue_msg_id <> 0;"
	"CREATE INDEX hook_due ON hook(next_attempt);"
	"CREATE TABLE hook_retired (" HOOK_TABLE ","
	" " BOOL("success") ","
	" superseded_by_id INTEGER NOT NULL,"
	" last_activity INTEGER NOT NULL,"
	" keep_until INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX hook_retired_keep ON hook_retired(keep_until);";

static const struct db_migration migrations[] = { { 1, schema1, NULL }, { 2, schema2, NULL } };
static const struct db_kind kind = {
	.name = "queue",
	.application_id = 0x6d6f7851,
	.migrations = migrations,
	.nmigrations = ARRAY_LEN(migrations),
	.full_sync = true,
};

#define WAL_PAGES_MAX 1000

int
queue_begin(struct queue *q, struct queue_tx *r_tx)
{
	lock_take(&q->lock);
	struct db_tx db = { 0 };
	int err = db_begin(q->db, &db);

	if (err < 0) {
		lock_drop(&q->lock);
		return err;
	}
	*r_tx = (struct queue_tx){ q, db };
	return 0;
}

int
queue_commit(struct queue_tx *tx)
{
	int err = db_commit(&tx->db);

	if (err == 0 && db_wal_pages(tx->q->db) > WAL_PAGES_MAX)
		ignore_result(db_checkpoint(tx->q->db)); /* tried again at the next commit */
	lock_drop(&tx->q->lock);
	tx->q = NULL;
	return err;
}

void
queue_end(struct queue_tx *tx)
{
	if (tx->q == NULL)
		return;
	db_tx_rollback(&tx->db);
	lock_drop(&tx->q->lock);
	tx->q = NULL;
}

int
queue_db_open(struct queue *q, struct errmsg *e)
{
	return db_open(str_fmt(&q->arena, "%s/index.db", q->dir).p, &kind, DB_READWRITE_CREATE, &q->db, e);
}

/* --- what a crash leaves --- */

static struct db_sql q_interrupted = DB_SQL("UPDATE result SET error = $1 WHERE error = '" QUEUE_DELIVERING "'");
static struct db_sql q_unused =
    DB_SQL("DELETE FROM content WHERE NOT EXISTS (SELECT 1 FROM msg WHERE msg.content_id = content.id)");
static struct db_sql q_content_max = DB_SQL("SELECT COALESCE(MAX(id), 0) FROM content");
static struct db_sql q_content_known = DB_SQL("SELECT 1 FROM content WHERE id = $1 AND data IS NULL");

/* remove_unknown removes the files of one directory that no row knows, and those that are not named like ours stay. */
static int
remove_unknown(struct queue_tx *tx, const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	cleanup_(arena_done) struct arena a = { 0 };
	int64_t id, known;
	int rv = 0;

	while (d && rv >= 0 && (entry = readdir(d)) != NULL) {
		if (str_i64(str_of(entry->d_name), &id) < 0 || id <= 0)
			continue;
		rv = db_int1(&tx->db, &q_content_known, DB_ARGS(db_int(id)), &known);
		if (rv == 0)
			ignore_result(blob_remove(str_fmt(&a, "%s/%s", path, entry->d_name).p) < 0);
	}
	if (d)
		closedir(d);
	return MIN(rv, 0);
}

int
queue_db_recover(struct queue *q, struct errmsg *e)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	DIR *d = opendir(q->dir);
	struct dirent *entry;
	cleanup_(arena_done) struct arena a = { 0 };
	int64_t max = 0;
	int rv = queue_begin(q, &tx);

	if (rv == 0)
		rv = db_exec(&tx.db, &q_interrupted,
		    DB_ARGS(db_str(S("interrupted: the server ended during the attempt"))), NULL);
	if (rv == 0)
		rv = db_exec(&tx.db, &q_unused, DB_NOARGS, NULL);
	while (d && rv >= 0 && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] != '.' && entry->d_type == DT_DIR)
			rv = remove_unknown(&tx, str_fmt(&a, "%s/%s", q->dir, entry->d_name).p);
	}
	if (d)
		closedir(d);
	if (rv >= 0)
		rv = db_int1(&tx.db, &q_content_max, DB_NOARGS, &max);
	if (rv >= 0)
		rv = queue_commit(&tx);
	if (rv < 0)
		return err_set(e, rv, "queue database: %s", err_text(rv));
	q->next_content_id = max + 1;
	return 0;
}
