/* SPDX-License-Identifier: MIT */
/* Judged messages, and recipients of what was sent: the history of senders (history.h). */
#include "store/history.h"
#include "store/store_internal.h"

/* Without "junk IS NOT NULL" the indexes of judged messages are not used. Parameters: mailbox, value, then those that the key has, since, maximum. */
#define JUDGED(localpart, condition, since, max) \
	DB_SQL("SELECT junk, received, " localpart " FROM message_delivery WHERE junk IS NOT NULL AND mailbox_orig_id = $1 AND " condition \
	    " AND received > " since " ORDER BY received DESC LIMIT " max)
#define BY_VALIDATED(localpart, condition) JUDGED(localpart, condition, "$4", "$5")
#define BY_VALUE(condition) JUDGED("''", condition, "$3", "$4")

static struct {
	struct db_sql q;
	bool localpart, validated;      /* are parameters */
} history[STORE_HISTORY_KEYS] = {
	[STORE_HISTORY_MSGFROM] = {
		JUDGED("''", "msgfrom_domain = $2 AND msgfrom_localpart = $3 AND msgfrom_validated = $4", "$5", "$6"), true, true
	},
	[STORE_HISTORY_MSGFROM_DOMAIN] = { BY_VALIDATED("msgfrom_localpart", "msgfrom_domain = $2 AND msgfrom_validated = $3"), false, true },
	[STORE_HISTORY_MSGFROM_ORGDOMAIN] = { BY_VALIDATED("msgfrom_localpart", "msgfrom_orgdomain = $2 AND msgfrom_validated = $3"), false, true },
	[STORE_HISTORY_DKIM_DOMAIN] = {
		DB_SQL("SELECT junk, received, '' FROM message_dkim WHERE junk IS NOT NULL AND mailbox_orig_id = $1 AND domain = $2 AND received > $3 "
		    "ORDER BY received DESC LIMIT $4"), false, false
	},
	[STORE_HISTORY_MAILFROM] = { BY_VALIDATED("''", "mailfrom = $2 AND mailfrom_validated = $3"), false, true },
	[STORE_HISTORY_MAILFROM_DOMAIN] = { BY_VALIDATED("''", "mailfrom_domain = $2 AND mailfrom_validated = $3"), false, true },
	[STORE_HISTORY_EHLO_DOMAIN] = { BY_VALIDATED("''", "ehlo_domain = $2 AND ehlo_validated = $3"), false, true },
	[STORE_HISTORY_IP1] = { BY_VALUE("remote_ip_masked1 = $2"), false, false },
	[STORE_HISTORY_IP2] = { BY_VALUE("remote_ip_masked2 = $2"), false, false },
	[STORE_HISTORY_IP3] = { BY_VALUE("remote_ip_masked3 = $2"), false, false },
};

int
store_history(struct store_tx *tx, struct arena *a, const struct store_history_query *q, struct store_judged **r_v, size_t *r_n)
{
	struct store_judged *v = ARENA_NEWN(a, (size_t)MAX(q->max, 1), struct store_judged);
	struct db_value params[6] = { db_int(q->mailbox_orig_id), db_str(q->value) };
	size_t n = 0, nparams = 2;
	int got;

	if (history[q->key].localpart)
		params[nparams++] = db_str(q->localpart);
	if (history[q->key].validated)
		params[nparams++] = db_bool(q->validated);
	params[nparams++] = db_int(q->since_us);
	params[nparams++] = db_int(q->max);
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &history[q->key].q, (struct db_args){ params, nparams });
	while ((got = db_next(&rows)) == 1)
		v[n++] = (struct store_judged){ db_col_int(&rows, 0) != 0, db_col_int(&rows, 1), db_col_str(a, &rows, 2) };
	*r_v = v;
	*r_n = n;
	return got;
}

static struct db_sql q_sent_address = DB_SQL("SELECT 1 FROM recipient WHERE domain = $1 AND localpart = $2 AND sent >= $3 LIMIT 1");
static struct db_sql q_sent_domain = DB_SQL("SELECT 1 FROM recipient WHERE domain = $1 AND sent >= $2 LIMIT 1");
static struct db_sql q_sent_orgdomain = DB_SQL("SELECT 1 FROM recipient WHERE org_domain = $1 AND sent >= $2 LIMIT 1");

int
store_sent_to_address(struct store_tx *tx, struct str localpart, struct str domain, int64_t since_us)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_sent_address, DB_ARGS(db_str(domain), db_str(localpart), db_int(since_us)));

	return db_next(&rows);
}

int
store_sent_to_domain(struct store_tx *tx, struct str domain, int64_t since_us)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_sent_domain, DB_ARGS(db_str(domain), db_int(since_us)));

	return db_next(&rows);
}

int
store_sent_to_orgdomain(struct store_tx *tx, struct str orgdomain, int64_t since_us)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_sent_orgdomain, DB_ARGS(db_str(orgdomain), db_int(since_us)));

	return db_next(&rows);
}

static struct db_sql q_wanted = DB_SQL("SELECT 1 FROM message_delivery d JOIN message m ON m.id = d.id WHERE d.junk IS NOT NULL AND d.junk = 0 "
    "AND d.msgfrom_orgdomain = $1 AND m.is_reject = 0 LIMIT 1");

int
store_wants_from(struct store_tx *tx, struct str orgdomain)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_wanted, DB_ARGS(db_str(orgdomain)));
	int got = db_next(&rows);

	return got != 0 ? got : store_sent_to_orgdomain(tx, orgdomain, 0);
}

/* --- keeping it up --- */

static struct db_sql q_judge_delivery = DB_SQL("UPDATE message_delivery SET junk = $1, mailbox_orig_id = $2 WHERE id = $3");
static struct db_sql q_judge_dkim = DB_SQL("UPDATE message_dkim SET junk = $1, mailbox_orig_id = $2 WHERE message_id = $3");

int
store_judge(struct store_tx *tx, const struct store_message *m)
{
	bool judged = !m->expunged && m->flags & (STORE_JUNK | STORE_NOTJUNK);
	struct db_args args = DB_ARGS(judged ? db_bool(m->flags & STORE_JUNK) : db_null(), db_int(m->mailbox_orig_id), db_int(m->id));

	TRY(db_exec(&tx->db, &q_judge_delivery, args, NULL));
	return db_exec(&tx->db, &q_judge_dkim, args, NULL);
}
