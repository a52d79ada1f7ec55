/* SPDX-License-Identifier: MIT */
/*
 * Messages, their content and their results in the database.
 */
#include "queue/queue_internal.h"

#define COLUMNS \
	"id, base_id, queued, hold, account, sender, sender_domain, from_id, recipient, recipient_domain, attempts, max_attempts, next_attempt," \
	" last_attempt, has_8bit, smtputf8, is_dmarc_report, is_tls_report, size, message_id, subject, transport, require_tls, future_release," \
	" extra, dsn_notify, dsn_orcpt, dsn_ret, dsn_envid, dialed_ips, content_id"
#define RETIRED_COLUMNS COLUMNS ", success, last_activity, keep_until"
#define NCOLUMNS 31

/* --- content --- */

static struct db_sql q_content_insert = DB_SQL("INSERT INTO content (id, size, data) VALUES ($1, $2, $3)");
static struct db_sql q_content_get = DB_SQL("SELECT data FROM content WHERE id = $1");
static struct db_sql q_content_used = DB_SQL("SELECT 1 FROM msg WHERE content_id = $1 LIMIT 1");
static struct db_sql q_content_delete = DB_SQL("DELETE FROM content WHERE id = $1 RETURNING data IS NULL");

int
queue_content_insert(struct queue_tx *tx, int64_t id, int64_t size, const struct str *data)
{
	return db_exec(
	    &tx->db, &q_content_insert, DB_ARGS(db_int(id), db_int(size), data ? db_blob(*data) : db_null()), NULL);
}

int
queue_content_get(struct queue_tx *tx, struct arena *a, int64_t id, struct str *r_data, bool *r_in_file)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_content_get, DB_ARGS(db_int(id)));
	int rv = db_next(&rows);

	if (rv == 1) {
		*r_in_file = db_col_null(&rows, 0);
		*r_data = db_col_str(a, &rows, 0);
	}
	return rv;
}

int
queue_content_release(struct queue_tx *tx, int64_t id)
{
	int64_t v = 0;
	int rv = db_int1(&tx->db, &q_content_used, DB_ARGS(db_int(id)), &v);

	if (rv != 0)
		return MIN(rv, 0);
	rv = db_int1(&tx->db, &q_content_delete, DB_ARGS(db_int(id)), &v);
	return rv < 0 ? rv : rv == 1 && v != 0;
}

/* --- rows --- */

struct str
queue_extra_text(struct arena *a, const struct typedesc_str_map *extra)
{
	struct buf b = BUF_ARENA(a, 1024 * 1024);
	struct queue_extra_box box = { .extra = *extra };

	if (extra->n == 0)
		return S("");
	typedesc_json_encode(&b, &queue_extra_box_desc, &box, 0);
	return buf_str(&b);
}

int
queue_extra_parse(struct arena *a, struct str text, struct typedesc_str_map *r_extra)
{
	struct queue_extra_box box = { 0 };

	if (text.n == 0)
		return 0;
	if (typedesc_json_decode(a, &queue_extra_box_desc, text, 1024 * 1024, 0, &box, NULL) < 0)
		return ERR_CORRUPT;
	*r_extra = box.extra;
	return 0;
}

static int
read_msg(struct db_rows *r, struct arena *a, bool retired, struct queue_msg *m)
{
	*m = (struct queue_msg){
		.id = db_col_int(r, 0),
		.base_id = db_col_int(r, 1),
		.queued = db_col_int(r, 2),
		.hold = db_col_int(r, 3) != 0,
		.sender_account = db_col_str(a, r, 4),
		.sender = db_col_str(a, r, 5),
		.sender_domain = db_col_str(a, r, 6),
		.from_id = db_col_str(a, r, 7),
		.recipient = db_col_str(a, r, 8),
		.recipient_domain = db_col_str(a, r, 9),
		.attempts = db_col_int(r, 10),
		.max_attempts = db_col_int(r, 11),
		.next_attempt = db_col_int(r, 12),
		.last_attempt = db_col_int(r, 13),
		.has_8bit = db_col_int(r, 14) != 0,
		.smtputf8 = db_col_int(r, 15) != 0,
		.is_dmarc_report = db_col_int(r, 16) != 0,
		.is_tls_report = db_col_int(r, 17) != 0,
		.size = db_col_int(r, 18),
		.message_id = db_col_str(a, r, 19),
		.subject = db_col_str(a, r, 20),
		.transport = db_col_str(a, r, 21),
		.future_release_request = db_col_str(a, r, 23),
		.dsn_notify = db_col_str(a, r, 25),
		.dsn_orcpt = db_col_str(a, r, 26),
		.dsn_ret = db_col_str(a, r, 27),
		.dsn_envid = db_col_str(a, r, 28),
		.dialed_ips = db_col_str(a, r, 29),
		.content_id = db_col_int(r, 30),
	};
	if (!db_col_null(r, 22)) {
		m->require_tls = ARENA_NEW(a, bool);
		*m->require_tls = db_col_int(r, 22) != 0;
	}
	if (retired) {
		m->success = db_col_int(r, NCOLUMNS) != 0;
		m->last_activity = db_col_int(r, NCOLUMNS + 1);
		m->keep_until = db_col_int(r, NCOLUMNS + 2);
	}
	return queue_extra_parse(a, db_col_view(r, 24), &m->extra);
}

static struct db_value
require_tls_value(const struct queue_msg *m)
{
	return m->require_tls ? db_bool(*m->require_tls) : db_null();
}

static struct db_sql q_from_id_used = DB_SQL(
    "SELECT 1 FROM msg WHERE from_id = $1 AND from_id <> '' UNION ALL SELECT 1 FROM msg_retired WHERE from_id = $1 AND from_id <> '' LIMIT 1");

int
queue_from_id_used(struct queue_tx *tx, struct str from_id)
{
	int64_t v;

	return db_int1(&tx->db, &q_from_id_used, DB_ARGS(db_str(from_id)), &v);
}

static struct db_sql q_msg_insert = DB_SQL(
    "INSERT INTO msg (base_id, queued, hold, account, sender, sender_domain, from_id, recipient, recipient_domain, attempts, max_attempts, next_attempt,"
    " last_attempt, has_8bit, smtputf8, is_dmarc_report, is_tls_report, size, message_id, subject, transport, require_tls, future_release, extra, dsn_notify,"
    " dsn_orcpt, dsn_ret, dsn_envid, dialed_ips, content_id, prefix, dsn_utf8)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30,"
    " $31, $32)");

int
queue_msg_insert(struct queue_tx *tx, struct queue_msg *m)
{
	struct arena tmp = { 0 };
	int rv = db_exec(&tx->db, &q_msg_insert,
	    DB_ARGS(db_int(m->base_id), db_int(m->queued), db_bool(m->hold), db_str(m->sender_account),
		db_str(m->sender), db_str(m->sender_domain), db_str(m->from_id), db_str(m->recipient),
		db_str(m->recipient_domain), db_int(m->attempts), db_int(m->max_attempts), db_int(m->next_attempt),
		db_int(m->last_attempt), db_bool(m->has_8bit), db_bool(m->smtputf8), db_bool(m->is_dmarc_report),
		db_bool(m->is_tls_report), db_int(m->size), db_str(m->message_id), db_str(m->subject),
		db_str(m->transport), require_tls_value(m), db_str(m->future_release_request),
		db_str(queue_extra_text(&tmp, &m->extra)), db_str(m->dsn_notify), db_str(m->dsn_orcpt),
		db_str(m->dsn_ret), db_str(m->dsn_envid), db_str(m->dialed_ips), db_int(m->content_id),
		db_blob(m->prefix), db_blob(m->dsn_utf8)),
	    NULL);

	arena_done(&tmp);
	if (rv == 0)
		m->id = db_last_id(&tx->db);
	return rv;
}

static struct db_sql q_msg_base = DB_SQL("UPDATE msg SET base_id = $1 WHERE id = $2");

int
queue_msg_set_base(struct queue_tx *tx, int64_t id, int64_t base_id)
{
	return db_exec(&tx->db, &q_msg_base, DB_ARGS(db_int(base_id), db_int(id)), NULL);
}

static struct db_sql q_msg_get = DB_SQL("SELECT " COLUMNS " FROM msg WHERE id = $1");
static struct db_sql q_retired_get = DB_SQL("SELECT " RETIRED_COLUMNS " FROM msg_retired WHERE id = $1");

int
queue_msg_get(struct queue_tx *tx, struct arena *a, int64_t id, bool retired, struct queue_msg *r_m)
{
	cleanup_(db_rows_done) struct db_rows rows =
	    db_query(&tx->db, retired ? &q_retired_get : &q_msg_get, DB_ARGS(db_int(id)));
	int rv = db_next(&rows);

	if (rv == 1)
		TRY(read_msg(&rows, a, retired, r_m));
	return rv;
}

static struct db_sql q_msg_body = DB_SQL("SELECT prefix, dsn_utf8 FROM msg WHERE id = $1");

int
queue_msg_body(struct queue_tx *tx, struct arena *a, struct queue_msg *m)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_msg_body, DB_ARGS(db_int(m->id)));
	int rv = db_next(&rows);

	if (rv == 1) {
		m->prefix = db_col_str(a, &rows, 0);
		m->dsn_utf8 = db_col_str(a, &rows, 1);
	}
	return rv;
}

static struct db_sql q_all = DB_SQL("SELECT " COLUMNS " FROM msg ORDER BY id");
static struct db_sql q_all_retired = DB_SQL("SELECT " RETIRED_COLUMNS " FROM msg_retired ORDER BY id");

int
queue_msg_each(struct queue_tx *tx, bool retired, int (*fn)(void *arg, const struct queue_msg *m), void *arg)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, retired ? &q_all_retired : &q_all, DB_NOARGS);
	cleanup_(arena_done) struct arena tmp = { 0 };
	struct queue_msg m;
	int rv;

	while ((rv = db_next(&rows)) == 1) {
		TRY(read_msg(&rows, &tmp, retired, &m));
		TRY(fn(arg, &m));
		arena_reset(&tmp);
	}
	return rv;
}

static struct db_sql q_msg_update = DB_SQL(
    "UPDATE msg SET hold = $1, attempts = $2, next_attempt = $3, last_attempt = $4, transport = $5, require_tls = $6, dialed_ips = $7 WHERE id = $8");

int
queue_msg_update(struct queue_tx *tx, const struct queue_msg *m)
{
	return db_exec(&tx->db, &q_msg_update,
	    DB_ARGS(db_bool(m->hold), db_int(m->attempts), db_int(m->next_attempt), db_int(m->last_attempt),
		db_str(m->transport), require_tls_value(m), db_str(m->dialed_ips), db_int(m->id)),
	    NULL);
}

static struct db_sql q_msg_delete = DB_SQL("DELETE FROM msg WHERE id = $1");
static struct db_sql q_results_delete = DB_SQL("DELETE FROM result WHERE msg_id = $1");

int
queue_msg_delete(struct queue_tx *tx, int64_t id)
{
	return db_exec(&tx->db, &q_msg_delete, DB_ARGS(db_int(id)), NULL);
}

static struct db_sql q_msg_retire =
    DB_SQL("INSERT INTO msg_retired (" RETIRED_COLUMNS ") SELECT " COLUMNS ", $1, $2, $3 FROM msg WHERE id = $4");

int
queue_msg_retire(struct queue_tx *tx, const struct queue_msg *m)
{
	if (m->keep_until <= m->last_activity)
		return db_exec(&tx->db, &q_results_delete, DB_ARGS(db_int(m->id)), NULL);
	return db_exec(&tx->db, &q_msg_retire,
	    DB_ARGS(db_bool(m->success), db_int(m->last_activity), db_int(m->keep_until), db_int(m->id)), NULL);
}

/* --- results --- */

#define RESULT_COLUMNS \
	"start, duration, success, code, secode, error, cause, transport, remote_mta, remote_ip, transcript"
static struct db_sql q_result_insert = DB_SQL(
    "INSERT INTO result (msg_id, seq, " RESULT_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (msg_id, seq) DO UPDATE SET start = excluded.start,"
    " duration = excluded.duration, success = excluded.success, code = excluded.code, secode = excluded.secode, error = excluded.error, cause = excluded.cause,"
    " transport = excluded.transport, remote_mta = excluded.remote_mta, remote_ip = excluded.remote_ip, transcript = excluded.transcript");
static struct db_sql q_results = DB_SQL("SELECT " RESULT_COLUMNS " FROM result WHERE msg_id = $1 ORDER BY seq");

int
queue_result_insert(struct queue_tx *tx, int64_t msg_id, int64_t seq, const struct queue_result *r)
{
	return db_exec(&tx->db, &q_result_insert,
	    DB_ARGS(db_int(msg_id), db_int(seq), db_int(r->start), db_int(r->duration), db_bool(r->success),
		db_int(r->code), db_str(r->secode), db_str(r->error), db_str(r->cause), db_str(r->transport),
		db_str(r->remote_mta), db_str(r->remote_ip), db_str(r->transcript)),
	    NULL);
}

int
queue_msg_results(struct queue_tx *tx, struct arena *a, struct queue_msg *m)
{
	cleanup_(db_rows_done) struct db_rows r = db_query(&tx->db, &q_results, DB_ARGS(db_int(m->id)));
	size_t cap = 0;
	int rv;

	m->results = (struct queue_result_list){ 0 };
	while ((rv = db_next(&r)) == 1) {
		if (m->results.n == cap) {
			size_t more = cap ? 2 * cap : 8;
			m->results.v = arena_grow(a, m->results.v, cap, more, sizeof(*m->results.v));
			cap = more;
		}
		m->results.v[m->results.n++] = (struct queue_result){
			.start = db_col_int(&r, 0),
			.duration = db_col_int(&r, 1),
			.success = db_col_int(&r, 2) != 0,
			.code = db_col_int(&r, 3),
			.secode = db_col_str(a, &r, 4),
			.error = db_col_str(a, &r, 5),
			.cause = db_col_str(a, &r, 6),
			.transport = db_col_str(a, &r, 7),
			.remote_mta = db_col_str(a, &r, 8),
			.remote_ip = db_col_str(a, &r, 9),
			.transcript = db_col_str(a, &r, 10),
		};
	}
	return rv;
}

/* --- what is due --- */

static struct db_sql q_due =
    DB_SQL("SELECT " COLUMNS
    " FROM msg WHERE recipient_domain = $1 AND hold = 0 AND next_attempt <= $2 ORDER BY next_attempt, id");

static bool
has_id(const int64_t *v, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == id)
			return true;
	return false;
}

int
queue_due(struct queue_tx *tx, struct arena *a, struct str domain, int64_t now, const int64_t *skip, size_t nskip,
    struct queue_msg *r_m)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_due, DB_ARGS(db_str(domain), db_int(now)));
	int rv;

	while ((rv = db_next(&rows)) == 1)
		if (!has_id(skip, nskip, db_col_int(&rows, 0)))
			break;
	if (rv == 1)
		TRY(read_msg(&rows, a, false, r_m));
	return rv;
}

static struct db_sql q_siblings = DB_SQL(
    "SELECT " COLUMNS
    " FROM msg WHERE base_id = $1 AND base_id <> 0 AND recipient_domain = $2 AND hold = 0 AND next_attempt <= $3 AND attempts = $4 AND id <> $5"
    " ORDER BY id LIMIT $6");

int
queue_siblings(struct queue_tx *tx, struct arena *a, const struct queue_msg *m, int64_t due_by, struct queue_msg **r_v,
    size_t *r_n)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_siblings,
	    DB_ARGS(db_int(m->base_id), db_str(m->recipient_domain), db_int(due_by), db_int(m->attempts), db_int(m->id),
		db_int(QUEUE_GROUP_MAX - 1)));
	struct queue_msg *v = NULL;
	size_t n = 0, cap = 0;
	int rv;

	while ((rv = db_next(&rows)) == 1) {
		if (n == cap) {
			size_t more = cap ? 2 * cap : 8;
			v = arena_grow(a, v, cap, more, sizeof(*v));
			cap = more;
		}
		TRY(read_msg(&rows, a, false, &v[n]));
		n++;
	}
	*r_v = v;
	*r_n = n;
	return rv;
}

static struct db_sql q_domains =
    DB_SQL("SELECT recipient_domain, MIN(next_attempt) FROM msg WHERE hold = 0 GROUP BY recipient_domain");
static struct db_sql q_domain_next =
    DB_SQL("SELECT next_attempt FROM msg WHERE recipient_domain = $1 AND hold = 0 ORDER BY next_attempt LIMIT 1");

int
queue_domains(struct queue_tx *tx, void (*fn)(void *arg, struct str domain, int64_t next), void *arg)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_domains, DB_NOARGS);
	int rv;

	while ((rv = db_next(&rows)) == 1)
		fn(arg, db_col_view(&rows, 0), db_col_int(&rows, 1));
	return rv;
}

int
queue_domain_next(struct queue_tx *tx, struct str domain, int64_t *r_next)
{
	return db_int1(&tx->db, &q_domain_next, DB_ARGS(db_str(domain)), r_next);
}

/* --- retired --- */

static struct db_sql q_recent = DB_SQL(
    "SELECT success FROM msg_retired WHERE recipient = $1 AND account = $2 AND id <> $3 ORDER BY last_activity DESC, id DESC LIMIT 2");

int
queue_recent_failures(
    struct queue_tx *tx, struct str account, struct str recipient, int64_t except, int *r_failed, int *r_n)
{
	cleanup_(db_rows_done) struct db_rows rows =
	    db_query(&tx->db, &q_recent, DB_ARGS(db_str(recipient), db_str(account), db_int(except)));
	int rv;

	*r_failed = *r_n = 0;
	while ((rv = db_next(&rows)) == 1) {
		*r_n += 1;
		*r_failed += db_col_int(&rows, 0) == 0;
	}
	return rv;
}

static struct db_sql q_expired_results =
    DB_SQL("DELETE FROM result WHERE msg_id IN (SELECT id FROM msg_retired WHERE keep_until < $1)");
static struct db_sql q_expired = DB_SQL("DELETE FROM msg_retired WHERE keep_until < $1");

int
queue_retired_expired(struct queue_tx *tx, int64_t now)
{
	TRY(db_exec(&tx->db, &q_expired_results, DB_ARGS(db_int(now)), NULL));
	return db_exec(&tx->db, &q_expired, DB_ARGS(db_int(now)), NULL);
}

static struct db_sql q_count = DB_SQL("SELECT COUNT(*) FROM msg");
static struct db_sql q_count_held = DB_SQL("SELECT COUNT(*) FROM msg WHERE hold = 1");

int
queue_counts(struct queue_tx *tx, int64_t *r_all, int64_t *r_held)
{
	int rv = db_int1(&tx->db, &q_count, DB_NOARGS, r_all);

	if (rv >= 0 && r_held)
		rv = db_int1(&tx->db, &q_count_held, DB_NOARGS, r_held);
	return MIN(rv, 0);
}
