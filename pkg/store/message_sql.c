/* SPDX-License-Identifier: MIT */
/* Rows of messages: reading one, inserting, changing, erasing. Walking many is in scan_sql.c. */
#include "base/ip.h"
#include "store/store_internal.h"

void
store_message_row(struct db_rows *r, struct arena *a, struct store_message *r_m)
{
	*r_m = (struct store_message){
		.id = db_col_int(r, 0), .mailbox_id = db_col_int(r, 1), .uid = (uint32_t)db_col_int(r, 2), .createseq = db_col_int(r, 3),
		.modseq = db_col_int(r, 4), .expunged = db_col_int(r, 5) != 0, .erased = db_col_int(r, 6) != 0, .flags = (unsigned)db_col_int(r, 7),
		.keywords = db_col_str(a, r, 8), .size = db_col_int(r, 9), .received_us = db_col_int(r, 10), .received_tz = (int)db_col_int(r, 11),
		.save_date_us = db_col_int(r, 12), .trained_junk = db_col_null(r, 13) ? -1 : (int)db_col_int(r, 13),
		.mailbox_orig_id = db_col_int(r, 14), .mailbox_destined_id = db_col_int(r, 15), .message_id = db_col_str(a, r, 16),
		.subject_base = db_col_str(a, r, 17), .thread_id = db_col_int(r, 18), .thread_parent_ids = db_col_str(a, r, 19),
		.thread_missing_link = db_col_int(r, 20) != 0, .thread_muted = db_col_int(r, 21) != 0, .thread_collapsed = db_col_int(r, 22) != 0,
		.is_dsn = db_col_int(r, 23) != 0, .is_reject = db_col_int(r, 24) != 0, .is_forward = db_col_int(r, 25) != 0,
		.is_mailinglist = db_col_int(r, 26) != 0, .email_id = db_col_int(r, 27),
	};
	if (r_m->email_id == 0)
		r_m->email_id = r_m->id;
}

/* --- reading --- */

static struct db_sql q_get = DB_SQL("SELECT " STORE_MESSAGE_COLUMNS " FROM message m WHERE m.id = $1");
static struct db_sql q_by_uid = DB_SQL("SELECT " STORE_MESSAGE_COLUMNS " FROM message m WHERE m.mailbox_id = $1 AND m.uid = $2");
static struct db_sql q_max_id = DB_SQL("SELECT max(id) FROM message");
static struct db_sql q_body = DB_SQL("SELECT msg_prefix, preview, parsed FROM message_body WHERE id = $1");
static struct db_sql q_delivery = DB_SQL(
    "SELECT remote_ip, ehlo_domain, mailfrom, mailfrom_localpart, mailfrom_domain, rcptto_localpart, rcptto_domain, msgfrom_localpart, "
    "msgfrom_domain, msgfrom_orgdomain, ehlo_validated, mailfrom_validated, msgfrom_validated, ehlo_validation, mailfrom_validation, "
    "msgfrom_validation, orig_ehlo_domain, orig_dkim_domains, tls_version, tls_ciphersuite, requiretls FROM message_delivery WHERE id = $1");
static struct db_sql q_dkim = DB_SQL("SELECT domain FROM message_dkim WHERE message_id = $1 ORDER BY domain");

static int
read_one(struct store_tx *tx, struct db_sql *q, struct db_args args, struct store_message *r_m)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, q, args);
	int got = db_next(&rows);
	if (got == 1)
		store_message_row(&rows, tx->arena, r_m);
	return got;
}

int
store_message_get(struct store_tx *tx, int64_t id, struct store_message *r_m)
{
	return read_one(tx, &q_get, DB_ARGS(db_int(id)), r_m);
}

int
store_message_by_uid(struct store_tx *tx, int64_t mailbox_id, uint32_t uid, struct store_message *r_m)
{
	return read_one(tx, &q_by_uid, DB_ARGS(db_int(mailbox_id), db_int(uid)), r_m);
}

int
store_message_max_id(struct store_tx *tx, int64_t *r_id)
{
	int got = db_int1(&tx->db, &q_max_id, DB_NOARGS, r_id);
	return got < 0 ? got : 0;
}

int
store_message_body(struct store_tx *tx, struct arena *a, int64_t id, struct store_body *r_body)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_body, DB_ARGS(db_int(id)));
	int got = db_next(&rows);
	if (got == 1)
		*r_body = (struct store_body){
			.prefix = db_col_str(a, &rows, 0), .has_preview = !db_col_null(&rows, 1), .preview = db_col_str(a, &rows, 1),
			.parsed = db_col_str(a, &rows, 2),
		};
	return got;
}

static int
read_delivery(struct store_tx *tx, struct arena *a, int64_t id, struct store_delivery_info *d)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_delivery, DB_ARGS(db_int(id)));
	struct db_rows *r = &rows;
	int got = db_next(r);
	if (got != 1)
		return got;
	*d = (struct store_delivery_info){
		.remote_ip = db_col_str(a, r, 0), .ehlo_domain = db_col_str(a, r, 1), .mailfrom = db_col_str(a, r, 2),
		.mailfrom_localpart = db_col_str(a, r, 3), .mailfrom_domain = db_col_str(a, r, 4), .rcptto_localpart = db_col_str(a, r, 5),
		.rcptto_domain = db_col_str(a, r, 6), .msgfrom_localpart = db_col_str(a, r, 7), .msgfrom_domain = db_col_str(a, r, 8),
		.msgfrom_orgdomain = db_col_str(a, r, 9), .ehlo_validated = db_col_int(r, 10) != 0, .mailfrom_validated = db_col_int(r, 11) != 0,
		.msgfrom_validated = db_col_int(r, 12) != 0, .ehlo_validation = (int)db_col_int(r, 13), .mailfrom_validation = (int)db_col_int(r, 14),
		.msgfrom_validation = (int)db_col_int(r, 15), .orig_ehlo_domain = db_col_str(a, r, 16), .orig_dkim_domains = db_col_str(a, r, 17),
		.tls_version = (int)db_col_int(r, 18), .tls_cipher = (int)db_col_int(r, 19), .requiretls = db_col_int(r, 20) != 0,
	};
	return 1;
}

int
store_message_delivery(struct store_tx *tx, struct arena *a, int64_t id, struct store_delivery_info *r_d)
{
	struct store_delivery_info d = { 0 };
	TRY(read_delivery(tx, a, id, &d));
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_dkim, DB_ARGS(db_int(id)));
	int got;
	while ((got = db_next(&rows)) == 1)
		strlist_add(a, &d.dkim_domains, db_col_str(a, &rows, 0));
	if (got == 0)
		*r_d = d;
	return got;
}

/* --- inserting --- */

static struct db_sql q_insert = DB_SQL(
    "INSERT INTO message (id, mailbox_id, uid, createseq, modseq, expunged, flags, keywords, size, received, received_tz, save_date, mailbox_orig_id, "
    "mailbox_destined_id, message_id_hdr, subject_base, thread_id, thread_parent_ids, thread_missing_link, thread_muted, thread_collapsed, is_dsn, "
    "is_reject, is_forward, is_mailinglist, email_id) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)");
static struct db_sql q_body_insert = DB_SQL("INSERT INTO message_body (id, msg_prefix, parsed, message_hash) VALUES ($1, $2, $3, $4)");
static struct db_sql q_delivery_insert = DB_SQL(
    "INSERT INTO message_delivery (id, received, remote_ip, remote_ip_masked1, remote_ip_masked2, remote_ip_masked3, ehlo_domain, mailfrom, "
    "mailfrom_localpart, mailfrom_domain, rcptto_localpart, rcptto_domain, msgfrom_localpart, msgfrom_domain, msgfrom_orgdomain, ehlo_validated, "
    "mailfrom_validated, msgfrom_validated, ehlo_validation, mailfrom_validation, msgfrom_validation, orig_ehlo_domain, orig_dkim_domains, "
    "tls_version, tls_ciphersuite, requiretls) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)");
static struct db_sql q_dkim_insert = DB_SQL("INSERT INTO message_dkim (message_id, domain, received) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
static struct db_sql q_recipient_insert = DB_SQL("INSERT INTO recipient (message_id, localpart, domain, org_domain, sent) VALUES ($1, $2, $3, $4, $5)");

static struct db_value
time_or_null(int64_t us)
{
	return us ? db_int(us) : db_null();
}

static struct db_value
blob_or_null(struct str s)
{
	return s.n ? db_blob(s) : db_null();
}

int
store_message_insert(struct store_tx *tx, const struct store_message *m)
{
	return db_exec(&tx->db, &q_insert,
	    DB_ARGS(db_int(m->id), db_int(m->mailbox_id), db_int(m->uid), db_int(m->createseq), db_int(m->modseq), db_bool(m->expunged), db_int(m->flags),
	    db_str(m->keywords), db_int(m->size), db_int(m->received_us), db_int(m->received_tz), time_or_null(m->save_date_us),
	    db_int(m->mailbox_orig_id), db_int(m->mailbox_destined_id), db_str(m->message_id), db_str(m->subject_base), db_int(m->thread_id),
	    db_str(m->thread_parent_ids), db_bool(m->thread_missing_link), db_bool(m->thread_muted), db_bool(m->thread_collapsed), db_bool(m->is_dsn),
	    db_bool(m->is_reject), db_bool(m->is_forward), db_bool(m->is_mailinglist), db_int(m->email_id)), NULL);
}

int
store_body_insert(struct store_tx *tx, int64_t id, struct str prefix, struct str parsed, struct str hash)
{
	return db_exec(&tx->db, &q_body_insert, DB_ARGS(db_int(id), db_blob(prefix), blob_or_null(parsed), blob_or_null(hash)), NULL);
}

static struct str
masked(struct arena *a, const struct ip *ip, int class)
{
	if (!ip->family)
		return S("");
	struct ip net = ip_class(ip, class);
	return ip_str(a, &net);
}

int
store_delivery_insert(struct store_tx *tx, int64_t id, int64_t received_us, const struct store_delivery_info *d)
{
	struct arena *a = tx->arena;
	struct ip ip = { 0 };
	if (!d->remote_is_forwarder)
		ignore_result(ip_parse(d->remote_ip, &ip));     /* masked forms stay empty for what is no address */
	TRY(db_exec(&tx->db, &q_delivery_insert,
	    DB_ARGS(db_int(id), db_int(received_us), db_str(d->remote_ip), db_str(masked(a, &ip, 0)), db_str(masked(a, &ip, 1)),
	    db_str(masked(a, &ip, 2)), db_str(d->ehlo_domain), db_str(d->mailfrom), db_str(d->mailfrom_localpart), db_str(d->mailfrom_domain),
	    db_str(d->rcptto_localpart), db_str(d->rcptto_domain), db_str(d->msgfrom_localpart), db_str(d->msgfrom_domain),
	    db_str(d->msgfrom_orgdomain), db_bool(d->ehlo_validated), db_bool(d->mailfrom_validated), db_bool(d->msgfrom_validated),
	    db_int(d->ehlo_validation), db_int(d->mailfrom_validation), db_int(d->msgfrom_validation), db_str(d->orig_ehlo_domain),
	    db_str(d->orig_dkim_domains), db_int(d->tls_version), db_int(d->tls_cipher), db_bool(d->requiretls)), NULL));
	for (size_t i = 0; i < d->dkim_domains.n; i++)
		TRY(db_exec(&tx->db, &q_dkim_insert, DB_ARGS(db_int(id), db_str(d->dkim_domains.v[i]), db_int(received_us)), NULL));
	return 0;
}

int
store_recipient_insert(struct store_tx *tx, int64_t id, struct str localpart, struct str domain, struct str org_domain, int64_t sent_us)
{
	return db_exec(&tx->db, &q_recipient_insert, DB_ARGS(db_int(id), db_str(localpart), db_str(domain), db_str(org_domain), db_int(sent_us)), NULL);
}

/* --- copies --- */

static struct db_sql q_body_copy = DB_SQL(
    "INSERT INTO message_body (id, msg_prefix, preview, parsed, message_hash) "
    "SELECT $1, msg_prefix, preview, parsed, message_hash FROM message_body WHERE id = $2");
static struct db_sql q_delivery_copy = DB_SQL(
    "INSERT INTO message_delivery (id, received, remote_ip, remote_ip_masked1, remote_ip_masked2, remote_ip_masked3, ehlo_domain, mailfrom, "
    "mailfrom_localpart, mailfrom_domain, rcptto_localpart, rcptto_domain, msgfrom_localpart, msgfrom_domain, msgfrom_orgdomain, ehlo_validated, "
    "mailfrom_validated, msgfrom_validated, ehlo_validation, mailfrom_validation, msgfrom_validation, orig_ehlo_domain, orig_dkim_domains, "
    "tls_version, tls_ciphersuite, requiretls) "
    "SELECT $1, received, remote_ip, remote_ip_masked1, remote_ip_masked2, remote_ip_masked3, ehlo_domain, mailfrom, mailfrom_localpart, "
    "mailfrom_domain, rcptto_localpart, rcptto_domain, msgfrom_localpart, msgfrom_domain, msgfrom_orgdomain, ehlo_validated, mailfrom_validated, "
    "msgfrom_validated, ehlo_validation, mailfrom_validation, msgfrom_validation, orig_ehlo_domain, orig_dkim_domains, tls_version, "
    "tls_ciphersuite, requiretls FROM message_delivery WHERE id = $2");
static struct db_sql q_dkim_copy = DB_SQL(
    "INSERT INTO message_dkim (message_id, domain, received) SELECT $1, domain, received FROM message_dkim WHERE message_id = $2");
static struct db_sql q_recipient_copy = DB_SQL(
    "INSERT INTO recipient (message_id, localpart, domain, org_domain, sent) "
    "SELECT $1, localpart, domain, org_domain, sent FROM recipient WHERE message_id = $2");

int
store_body_duplicate(struct store_tx *tx, int64_t from_id, int64_t new_id)
{
	return db_exec(&tx->db, &q_body_copy, DB_ARGS(db_int(new_id), db_int(from_id)), NULL);
}

int
store_message_duplicate(struct store_tx *tx, int64_t from_id, int64_t new_id)
{
	struct db_args args = DB_ARGS(db_int(new_id), db_int(from_id));
	TRY(store_body_duplicate(tx, from_id, new_id));
	TRY(db_exec(&tx->db, &q_delivery_copy, args, NULL));
	TRY(db_exec(&tx->db, &q_dkim_copy, args, NULL));
	TRY(store_unsynced_copy(tx, from_id, new_id));
	return db_exec(&tx->db, &q_recipient_copy, args, NULL);
}

/* --- changing --- */

static struct db_sql q_flags = DB_SQL("UPDATE message SET flags = $1, keywords = $2, modseq = $3 WHERE id = $4");
static struct db_sql q_expunge = DB_SQL("UPDATE message SET expunged = 1, flags = $1, modseq = $2 WHERE id = $3");
static struct db_sql q_recipients_delete = DB_SQL("DELETE FROM recipient WHERE message_id = $1");
static struct db_sql q_moved = DB_SQL(
    "UPDATE message SET mailbox_id = $1, uid = $2, createseq = $3, modseq = $4, flags = $5, save_date = $6, mailbox_orig_id = $7, "
    "mailbox_destined_id = $8, is_reject = $9 WHERE id = $10");
static struct db_sql q_parsed = DB_SQL("UPDATE message_body SET parsed = $1 WHERE id = $2");
static struct db_sql q_preview = DB_SQL("UPDATE message_body SET preview = $1 WHERE id = $2");

int
store_message_save_flags(struct store_tx *tx, const struct store_message *m)
{
	return db_exec(&tx->db, &q_flags, DB_ARGS(db_int(m->flags), db_str(m->keywords), db_int(m->modseq), db_int(m->id)), NULL);
}

int
store_message_save_expunged(struct store_tx *tx, const struct store_message *m)
{
	TRY(db_exec(&tx->db, &q_expunge, DB_ARGS(db_int(m->flags), db_int(m->modseq), db_int(m->id)), NULL));
	return db_exec(&tx->db, &q_recipients_delete, DB_ARGS(db_int(m->id)), NULL);
}

int
store_message_save_moved(struct store_tx *tx, const struct store_message *m)
{
	return db_exec(&tx->db, &q_moved,
	    DB_ARGS(db_int(m->mailbox_id), db_int(m->uid), db_int(m->createseq), db_int(m->modseq), db_int(m->flags), time_or_null(m->save_date_us),
	    db_int(m->mailbox_orig_id), db_int(m->mailbox_destined_id), db_bool(m->is_reject), db_int(m->id)), NULL);
}

int
store_save_parsed(struct store_tx *tx, int64_t id, struct str parsed)
{
	return db_exec(&tx->db, &q_parsed, DB_ARGS(db_blob(parsed), db_int(id)), NULL);
}

int
store_save_preview(struct store_tx *tx, int64_t id, struct str preview)
{
	return db_exec(&tx->db, &q_preview, DB_ARGS(db_str(preview), db_int(id)), NULL);
}

/* --- erasing --- */

static struct db_sql q_erase_insert = DB_SQL("INSERT INTO message_erase (id, skip_update_disk_usage) VALUES ($1, $2)");
static struct db_sql q_erase_list = DB_SQL("SELECT id FROM message_erase ORDER BY id");
static struct db_sql q_erase_get = DB_SQL(
    "SELECT e.skip_update_disk_usage, m.size, m.expunged FROM message_erase e JOIN message m ON m.id = e.id WHERE e.id = $1");
static struct db_sql q_erase_delete = DB_SQL("DELETE FROM message_erase WHERE id = $1");
static struct db_sql q_body_delete = DB_SQL("DELETE FROM message_body WHERE id = $1");
static struct db_sql q_delivery_delete = DB_SQL("DELETE FROM message_delivery WHERE id = $1");
static struct db_sql q_dkim_delete = DB_SQL("DELETE FROM message_dkim WHERE message_id = $1");
static struct db_sql q_reduce = DB_SQL(
    "UPDATE message SET erased = 1, flags = 0, keywords = '', size = 0, received = NULL, received_tz = 0, save_date = NULL, trained_junk = NULL, "
    "mailbox_orig_id = 0, mailbox_destined_id = 0, message_id_hdr = '', subject_base = '', thread_parent_ids = '', thread_missing_link = 0, "
    "thread_muted = 0, thread_collapsed = 0, is_dsn = 0, is_reject = 0, is_forward = 0, is_mailinglist = 0 WHERE id = $1");

int
store_erase_insert(struct store_tx *tx, int64_t id, bool skip_usage)
{
	return db_exec(&tx->db, &q_erase_insert, DB_ARGS(db_int(id), db_bool(skip_usage)), NULL);
}

int
store_erase_pending(struct store_tx *tx, struct arena *a, int64_t **r_ids, size_t *r_n)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_erase_list, DB_NOARGS);
	int64_t *v = NULL;
	size_t n = 0, cap = 0;
	int got;
	while ((got = db_next(&rows)) == 1) {
		if (n == cap) {
			cap = cap ? cap * 2 : 64;
			v = arena_grow(a, v, n, cap, sizeof(*v));
		}
		v[n++] = db_col_int(&rows, 0);
	}
	if (got < 0)
		return got;
	*r_ids = v;
	*r_n = n;
	return 0;
}

int
store_erase_row(struct store_tx *tx, int64_t id, int64_t *r_size)
{
	struct db_args args = DB_ARGS(db_int(id));
	{
		cleanup_(db_rows_done) struct db_rows rows = db_query(&tx->db, &q_erase_get, args);
		int got = db_next(&rows);
		if (got != 1)
			return got;
		if (!db_col_int(&rows, 2))
			return ERR_CORRUPT;     /* a live message is never erased */
		*r_size = db_col_int(&rows, 0) ? 0 : db_col_int(&rows, 1);
	}
	TRY(db_exec(&tx->db, &q_erase_delete, args, NULL));
	TRY(db_exec(&tx->db, &q_body_delete, args, NULL));
	TRY(db_exec(&tx->db, &q_delivery_delete, args, NULL));
	TRY(db_exec(&tx->db, &q_dkim_delete, args, NULL));
	TRY(store_unsynced_delete(tx, id));
	TRY(db_exec(&tx->db, &q_reduce, args, NULL));
	return 1;
}
