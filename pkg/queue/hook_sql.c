/* SPDX-License-Identifier: MIT */
/*
 * Webhooks that wait to be called, and those that are done with. Who calls them is not here.
 */
#include "queue/queue_internal.h"

#define COLUMNS \
	"id, queue_msg_id, from_id, message_id, subject, extra, account, url, authorization, is_incoming, outgoing_event, payload, submitted, attempts," \
	" next_attempt, results"
#define RETIRED_COLUMNS COLUMNS ", success, superseded_by_id, last_activity, keep_until"
#define NCOLUMNS 16

#define PAYLOAD_MAX (4 * 1024 * 1024)
#define RESULTS_MAX (1024 * 1024)

static struct db_sql q_insert = DB_SQL(
    "INSERT INTO hook (queue_msg_id, from_id, message_id, subject, extra, account, url, authorization, is_incoming, outgoing_event, payload, submitted,"
    " attempts, next_attempt, results) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $12, '')");
static struct db_sql q_pending = DB_SQL("SELECT id FROM hook WHERE queue_msg_id = $1 AND id <> $2");
static struct db_sql q_retire =
    DB_SQL("INSERT INTO hook_retired (" RETIRED_COLUMNS ") SELECT " COLUMNS ", 0, $1, $2, $3 FROM hook WHERE id = $4");
static struct db_sql q_delete = DB_SQL("DELETE FROM hook WHERE id = $1");
static struct db_sql q_all = DB_SQL("SELECT " COLUMNS " FROM hook ORDER BY id");
static struct db_sql q_all_retired = DB_SQL("SELECT " RETIRED_COLUMNS " FROM hook_retired ORDER BY id");
static struct db_sql q_schedule = DB_SQL("UPDATE hook SET next_attempt = $1 WHERE id = $2");
static struct db_sql q_expired = DB_SQL("DELETE FROM hook_retired WHERE keep_until < $1");

/* The results of a webhook, as one value. */
static int
read_results(struct arena *a, struct str text, struct queue_hook *h)
{
	struct queue_hook box = { 0 };

	if (text.n == 0)
		return 0;
	if (typedesc_json_decode(a, &queue_hook_desc, text, RESULTS_MAX, TYPEDESC_JSON_LENIENT, &box, NULL) < 0)
		return ERR_CORRUPT;
	h->results = box.results;
	return 0;
}

static int
read_hook(struct db_rows *r, struct arena *a, bool retired, struct queue_hook *h)
{
	*h = (struct queue_hook){
		.id = db_col_int(r, 0),
		.queue_msg_id = db_col_int(r, 1),
		.from_id = db_col_str(a, r, 2),
		.message_id = db_col_str(a, r, 3),
		.subject = db_col_str(a, r, 4),
		.account = db_col_str(a, r, 6),
		.url = db_col_str(a, r, 7),
		.authorization = db_col_str(a, r, 8),
		.is_incoming = db_col_int(r, 9) != 0,
		.outgoing_event = db_col_str(a, r, 10),
		.payload = db_col_str(a, r, 11),
		.submitted = db_col_int(r, 12),
		.attempts = db_col_int(r, 13),
		.next_attempt = db_col_int(r, 14),
	};
	if (retired) {
		h->success = db_col_int(r, NCOLUMNS) != 0;
		h->superseded_by_id = db_col_int(r, NCOLUMNS + 1);
		h->last_activity = db_col_int(r, NCOLUMNS + 2);
		h->keep_until = db_col_int(r, NCOLUMNS + 3);
		h->next_attempt = 0;
	}
	TRY(queue_extra_parse(a, db_col_view(r, 5), &h->extra));
	return read_results(a, db_col_view(r, 15), h);
}

static int64_t
keep_period(const struct config *cfg, struct str account)
{
	const struct config_account *acct = config_account(cfg, account);

	return acct ? acct->keep_retired_webhook_period : 0;
}

/* retire ends a webhook; what is not kept is forgotten at once. */
static int
retire(struct queue_tx *tx, const struct config *cfg, int64_t id, struct str account, int64_t by)
{
	int64_t now = queue_now(tx->q), keep = keep_period(cfg, account);

	if (keep > 0)
		TRY(db_exec(
		    &tx->db, &q_retire, DB_ARGS(db_int(by), db_int(now), db_int(now + keep), db_int(id)), NULL));
	return db_exec(&tx->db, &q_delete, DB_ARGS(db_int(id)), NULL);
}

/* supersede: an older event of the same message that nobody was told yet is of no interest any more. */
static int
supersede(struct queue_tx *tx, const struct config *cfg, const struct queue_msg *m, int64_t by)
{
	int64_t id;
	int rv;

	while ((rv = db_int1(&tx->db, &q_pending, DB_ARGS(db_int(m->id), db_int(by)), &id)) == 1)
		TRY(retire(tx, cfg, id, m->sender_account, by));
	return rv;
}

static bool
is_wanted(const struct config_outgoing_webhook *w, const char *event)
{
	for (size_t i = 0; i < w->events.n; i++)
		if (strcmp(typedesc_enum_text(&config_webhook_event_desc, &w->events.v[i]), event) == 0)
			return true;
	return w->events.n == 0;
}

int
queue_hook_event(struct queue_tx *tx, struct arena *a, const struct config *cfg, const struct queue_msg *m,
    const char *event, bool suppressing, const struct queue_result *last)
{
	const struct config_account *acct = config_account(cfg, m->sender_account);
	const struct config_outgoing_webhook *w = acct ? acct->outgoing_webhook : NULL;
	struct buf payload = BUF_ARENA(a, PAYLOAD_MAX);
	int64_t now = queue_now(tx->q);

	if (w == NULL || !is_wanted(w, event))
		return 0;
	struct queue_outgoing out = {
		.event = str_of(event),
		.suppressing = suppressing,
		.queue_msg_id = m->id,
		.from_id = m->from_id,
		.message_id = m->message_id,
		.subject = m->subject,
		.webhook_queued = now,
		.extra = m->extra,
	};
	if (last && strcmp(event, "delivered") != 0) {
		out.smtp_code = last->code;
		out.smtp_enhanced_code =
		    last->secode.n ? str_fmt(a, "%d." STRF, (int)last->code / 100, STRA(last->secode)) : S("");
		out.error = last->error;
	}
	typedesc_json_encode(&payload, &queue_outgoing_desc, &out, 0);
	TRY(db_exec(&tx->db, &q_insert,
	    DB_ARGS(db_int(m->id), db_str(m->from_id), db_str(m->message_id), db_str(m->subject),
		db_str(queue_extra_text(a, &m->extra)), db_str(m->sender_account), db_str(w->url),
		db_str(w->authorization), db_bool(false), db_str(out.event), db_str(buf_str(&payload)), db_int(now)),
	    NULL));
	return supersede(tx, cfg, m, db_last_id(&tx->db));
}

int
queue_hooks_expired(struct queue_tx *tx, int64_t now)
{
	return db_exec(&tx->db, &q_expired, DB_ARGS(db_int(now)), NULL);
}

int
queue_hook_each(struct queue_tx *tx, bool retired, int (*fn)(void *arg, const struct queue_hook *h), void *arg)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, retired ? &q_all_retired : &q_all, DB_NOARGS);
	cleanup_(arena_done) struct arena tmp = { 0 };
	struct queue_hook h;
	int rv;

	while ((rv = db_next(&rows)) == 1) {
		TRY(read_hook(&rows, &tmp, retired, &h));
		TRY(fn(arg, &h));
		arena_reset(&tmp);
	}
	return rv;
}

int
queue_hook_set_next(struct queue_tx *tx, int64_t id, int64_t next)
{
	return db_exec(&tx->db, &q_schedule, DB_ARGS(db_int(next), db_int(id)), NULL);
}

int
queue_hook_end(struct queue_tx *tx, const struct config *cfg, const struct queue_hook *h)
{
	return retire(tx, cfg, h->id, h->account, 0);
}
