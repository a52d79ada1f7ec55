/* SPDX-License-Identifier: MIT */
/*
 * Hold rules, and addresses that an account does not send to any more.
 */
#include "queue/queue_internal.h"

/* --- hold rules --- */

static struct db_sql q_rules = DB_SQL("SELECT id, account, sender_domain, recipient_domain FROM hold_rule ORDER BY id");
static struct db_sql q_rule_add =
    DB_SQL("INSERT INTO hold_rule (account, sender_domain, recipient_domain) VALUES ($1, $2, $3)");
static struct db_sql q_rule_remove = DB_SQL("DELETE FROM hold_rule WHERE id = $1");
static struct db_sql q_rule_apply = DB_SQL(
    "UPDATE msg SET hold = 1 WHERE hold = 0 AND ($1 = '' OR account = $1) AND ($2 = '' OR sender_domain = $2) AND ($3 = '' OR recipient_domain = $3)");

int
queue_rules(struct queue_tx *tx, struct arena *a, struct queue_hold_rule **r_v, size_t *r_n)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_rules, DB_NOARGS);
	struct queue_hold_rule *v = NULL;
	size_t n = 0;
	int rv;

	while ((rv = db_next(&rows)) == 1) {
		v = arena_grow(a, v, n, n + 1, sizeof(*v));
		v[n++] = (struct queue_hold_rule){
			.id = db_col_int(&rows, 0),
			.account = db_col_str(a, &rows, 1),
			.sender_domain = db_col_str(a, &rows, 2),
			.recipient_domain = db_col_str(a, &rows, 3),
		};
	}
	*r_v = v;
	*r_n = n;
	return rv;
}

static bool
field_matches(struct str rule, struct str value)
{
	return rule.n == 0 || str_is(rule, value);
}

/* Every field that is set must match: a rule for a domain is not one for all the rest. */
bool
queue_rule_matches(const struct queue_hold_rule *r, const struct queue_msg *m)
{
	return field_matches(r->account, m->sender_account) && field_matches(r->sender_domain, m->sender_domain) &&
	    field_matches(r->recipient_domain, m->recipient_domain);
}

int
queue_holdrules(struct queue *q, struct arena *a, struct queue_hold_rule **r_v, size_t *r_n)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };

	TRY(queue_begin(q, &tx));
	return queue_rules(&tx, a, r_v, r_n);
}

int
queue_holdrule_add(struct queue *q, const struct queue_hold_rule *r, int64_t *r_id)
{
	struct queue_tx tx = { 0 };
	int64_t id;

	TRY(queue_begin(q, &tx));
	int rv = db_exec(&tx.db, &q_rule_add,
	    DB_ARGS(db_str(r->account), db_str(r->sender_domain), db_str(r->recipient_domain)), NULL);
	id = rv == 0 ? db_last_id(&tx.db) : 0;
	if (rv == 0)
		rv = db_exec(&tx.db, &q_rule_apply,
		    DB_ARGS(db_str(r->account), db_str(r->sender_domain), db_str(r->recipient_domain)), NULL);
	if (rv == 0)
		rv = queue_commit(&tx);
	queue_end(&tx);
	if (rv == 0 && r_id)
		*r_id = id;
	if (rv == 0)
		queue_kick(q, S(""));
	return rv;
}

int
queue_holdrule_remove(struct queue *q, int64_t id)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	int64_t n = 0;

	TRY(queue_begin(q, &tx));
	TRY(db_exec(&tx.db, &q_rule_remove, DB_ARGS(db_int(id)), &n));
	TRY(queue_commit(&tx));
	return n > 0 ? 0 : ERR_NOTFOUND;
}

/* --- suppression --- */

#define COLUMNS "id, created, account, base_address, original_address, manual, reason"
static struct db_sql q_list =
    DB_SQL("SELECT " COLUMNS " FROM suppression WHERE $1 = '' OR account = $1 ORDER BY account, base_address");
static struct db_sql q_get = DB_SQL(
    "SELECT " COLUMNS " FROM suppression WHERE base_address = $1 AND ($2 = '' OR account = $2) ORDER BY id LIMIT 1");
static struct db_sql q_add =
    DB_SQL("INSERT INTO suppression (created, account, base_address, original_address, manual, reason)"
    " VALUES ($1, $2, $3, $4, $5, $6)");
static struct db_sql q_remove = DB_SQL("DELETE FROM suppression WHERE base_address = $1 AND account = $2");

static struct queue_suppression
read_suppression(struct db_rows *r, struct arena *a)
{
	return (struct queue_suppression){
		.id = db_col_int(r, 0),
		.created = db_col_int(r, 1),
		.account = db_col_str(a, r, 2),
		.base_address = db_col_str(a, r, 3),
		.original_address = db_col_str(a, r, 4),
		.manual = db_col_int(r, 5) != 0,
		.reason = db_col_str(a, r, 6),
	};
}

struct str
queue_base_address(struct arena *a, const struct smtp_path *p)
{
	struct str local = p->localpart;
	struct buf b = BUF_ARENA(a, 1024);

	local = str_split(&local, '+');
	local = str_split(&local, '-');
	for (size_t i = 0; i < local.n; i++)
		if (local.p[i] != '.')
			buf_addc(&b, local.p[i]);
	struct smtp_path base = { .localpart = str_lower(a, buf_str(&b)), .host = p->host };
	return smtp_path(a, &base, true);
}

int
queue_suppressed_tx(
    struct queue_tx *tx, struct arena *a, struct str account, struct str base, struct queue_suppression *r_s)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_get, DB_ARGS(db_str(base), db_str(account)));
	int rv = db_next(&rows);

	if (rv == 1 && r_s)
		*r_s = read_suppression(&rows, a);
	return rv;
}

int
queue_suppressed(struct queue *q, struct arena *a, struct str account, const struct smtp_path *address,
    struct queue_suppression *r_s)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };

	TRY(queue_begin(q, &tx));
	return queue_suppressed_tx(&tx, a, account, queue_base_address(a, address), r_s);
}

int
queue_suppress_tx(struct queue_tx *tx, const struct queue_suppression *s)
{
	int rv = db_exec(&tx->db, &q_add,
	    DB_ARGS(db_int(s->created), db_str(s->account), db_str(s->base_address), db_str(s->original_address),
		db_bool(s->manual), db_str(s->reason)),
	    NULL);

	return rv == DB_UNIQUE ? ERR_EXISTS : rv;
}

int
queue_suppressions(struct queue *q, struct arena *a, struct str account, struct queue_suppression **r_v, size_t *r_n)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	struct queue_suppression *v = NULL;
	size_t n = 0, cap = 0;
	int rv;

	TRY(queue_begin(q, &tx));
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx.db, &q_list, DB_ARGS(db_str(account)));
	while ((rv = db_next(&rows)) == 1) {
		if (n == cap) {
			size_t more = cap ? 2 * cap : 16;
			v = arena_grow(a, v, cap, more, sizeof(*v));
			cap = more;
		}
		v[n++] = read_suppression(&rows, a);
	}
	*r_v = v;
	*r_n = n;
	return rv;
}

int
queue_suppression_add(struct queue *q, struct str account, const struct smtp_path *address, bool manual,
    struct str reason, struct errmsg *e)
{
	cleanup_(arena_done) struct arena a = { 0 };
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	struct queue_suppression s = {
		.created = queue_now(q),
		.account = account,
		.base_address = queue_base_address(&a, address),
		.original_address = smtp_path(&a, address, true),
		.manual = manual,
		.reason = reason,
	};
	int rv = queue_begin(q, &tx);

	if (rv == 0)
		rv = queue_suppress_tx(&tx, &s);
	if (rv == 0)
		rv = queue_commit(&tx);
	if (rv == ERR_EXISTS)
		return err_set(e, rv, "address is on the list already");
	return rv < 0 ? err_set(e, rv, "queue database: %s", err_text(rv)) : 0;
}

int
queue_suppression_remove(struct queue *q, struct str account, const struct smtp_path *address)
{
	cleanup_(arena_done) struct arena a = { 0 };
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	int64_t n = 0;

	TRY(queue_begin(q, &tx));
	TRY(db_exec(&tx.db, &q_remove, DB_ARGS(db_str(queue_base_address(&a, address)), db_str(account)), &n));
	TRY(queue_commit(&tx));
	return n > 0 ? 0 : ERR_NOTFOUND;
}
