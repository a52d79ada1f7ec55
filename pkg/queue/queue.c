/* SPDX-License-Identifier: MIT */
/*
 * Opening the queue, and adding to it.
 *
 * Order of effects when adding: file of a large content written and synced, its directory synced, rows committed. A
 * file without a row is removed at the next start. When forgetting: rows committed, then the file removed.
 */
#include "queue/queue_internal.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

struct metric queue_m_hold = METRICS_GAUGE_INIT("mox_queue_hold", "Messages on hold.");

static void
update_hold_gauge(struct queue *q)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	int64_t all = 0, held = 0;

	if (queue_begin(q, &tx) == 0 && queue_counts(&tx, &all, &held) == 0)
		metrics_set(&queue_m_hold, (double)held, NULL);
}

int
queue_open(const struct queue_opts *o, struct queue **r_q, struct errmsg *e)
{
	struct queue *q = mem_alloc(sizeof(*q));

	q->o = *o;
	lock_init(&q->lock, LOCK_QUEUE, "queue");
	q->o.data_dir = arena_strdup(&q->arena, o->data_dir);
	q->dir = str_fmt(&q->arena, "%s/queue", o->data_dir).p;
	q->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bug_if(q->stop_fd < 0);
	if (q->o.port == 0)
		q->o.port = 25;
	if (q->o.deliveries == 0)
		q->o.deliveries = 20;
	if (q->o.per_destination == 0)
		q->o.per_destination = 10;
	int rv = fd_mkdirs(q->dir, 0770, e);
	if (rv == 0)
		rv = queue_db_open(q, e);
	if (rv == 0)
		rv = queue_db_recover(q, e);
	if (rv < 0) {
		queue_close(&q);
		return rv;
	}
	update_hold_gauge(q);
	*r_q = q;
	return 0;
}

void
queue_close(struct queue **pq)
{
	struct queue *q = take(*pq);

	if (q == NULL)
		return;
	bug_if(q->sched != NULL);
	db_close(&q->db);
	fd_close(&q->stop_fd);
	lock_done(&q->lock);
	arena_done(&q->arena);
	mem_free(&q);
}

struct str
queue_file_path(struct queue *q, struct arena *a, int64_t content_id)
{
	return str_fmt(a, "%s/" STRF, q->dir, STRA(blob_path(a, content_id)));
}

void
queue_remove_file(struct queue *q, int64_t content_id)
{
	cleanup_(arena_done) struct arena a = { 0 };

	/* What stays behind is removed at the next start. */
	ignore_result(blob_remove(queue_file_path(q, &a, content_id).p) < 0);
}

int
queue_cleanup(struct queue *q)
{
	struct queue_tx tx = { 0 };
	int64_t now = queue_now(q);
	int rv = queue_begin(q, &tx);

	if (rv == 0)
		rv = queue_retired_expired(&tx, now);
	if (rv == 0)
		rv = queue_hooks_expired(&tx, now);
	if (rv == 0)
		rv = queue_commit(&tx);
	queue_end(&tx);
	return rv;
}

int
queue_count(struct queue *q, int64_t *r_n)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };

	TRY(queue_begin(q, &tx));
	return queue_counts(&tx, r_n, NULL);
}

/* --- adding --- */

static int64_t
take_content_id(struct queue *q)
{
	LOCKED(&q->lock);
	return q->next_content_id++;
}

/* write_file makes the file of a large content durable. */
static int
write_file(struct queue *q, struct arena *a, const struct queue_add *add, struct str text, int64_t id, struct errmsg *e)
{
	struct str rel = blob_path(a, id), sub = str_upto(rel, (size_t)str_rfind(rel, '/'));
	struct str dir = str_fmt(a, "%s/" STRF, q->dir, STRA(sub));
	struct blob *own = NULL;
	int rv = blob_mkdir(q->dir, str_dup(a, sub).p);

	if (rv >= 0 && add->content == NULL) {
		rv = blob_new(q->dir, &own);
		if (rv == 0)
			rv = blob_write(own, text);
	}
	if (rv >= 0)
		rv = blob_link(own ? own : add->content, queue_file_path(q, a, id).p, true, e);
	if (rv == 0)
		rv = blob_sync_dir(dir.p);
	blob_free(&own);
	if (rv < 0) {
		queue_remove_file(q, id);
		return err_set(e, rv, "file of the message: %s", err_text(rv));
	}
	return 0;
}

static struct queue_msg
make_msg(struct queue *q, struct arena *a, const struct queue_add *add, const struct queue_add_rcpt *r,
    int64_t content_id, int64_t size)
{
	const struct smtp_path *from = r->has_from ? &r->from : &add->from;
	int64_t now = queue_now(q);
	struct queue_msg m = {
		.queued = now,
		.sender_account = add->account,
		.sender = smtp_path(a, from, true),
		.sender_domain = idna_text(&from->host.domain, true),
		.from_id = r->from_id,
		.recipient = smtp_path(a, &r->to, true),
		.recipient_domain =
		    r->to.host.ip.family ? smtp_ipdomain(a, &r->to.host, true) : idna_text(&r->to.host.domain, true),
		.max_attempts = add->max_attempts,
		.next_attempt = MAX(now, add->release_us),
		.has_8bit = add->has_8bit,
		.smtputf8 = add->smtputf8,
		.is_dmarc_report = add->is_dmarc_report,
		.is_tls_report = add->is_tls_report,
		.size = size + (int64_t)r->prefix.n,
		.message_id = add->message_id,
		.subject = add->subject,
		.future_release_request = add->future_release,
		.extra = add->extra,
		.dsn_notify = r->dsn_notify,
		.dsn_orcpt = r->dsn_orcpt,
		.dsn_ret = add->dsn_ret,
		.dsn_envid = add->dsn_envid,
		.prefix = r->prefix,
		.dsn_utf8 = add->dsn_utf8,
		.content_id = content_id,
	};

	if (add->require_tls) {
		m.require_tls = ARENA_NEW(a, bool);
		*m.require_tls = *add->require_tls;
	}
	return m;
}

/* same_for_all: one transaction can serve all recipients. */
static bool
same_for_all(const struct queue_msg *v, size_t n, const struct queue_add *add)
{
	for (size_t i = 1; i < n; i++)
		if (!str_is(v[i].sender, v[0].sender) || !str_is(add->rcpts[i].prefix, add->rcpts[0].prefix))
			return false;
	return n > 1;
}

static int
insert_all(struct queue_tx *tx, struct arena *a, const struct queue_add *add, struct queue_msg *v, int64_t content_id,
    struct str text, bool in_file)
{
	struct queue_hold_rule *rules;
	size_t nrules, n = add->nrcpts;
	bool shared = same_for_all(v, n, add);

	TRY(queue_rules(tx, a, &rules, &nrules));
	TRY(queue_content_insert(tx, content_id, (int64_t)text.n, in_file ? NULL : &text));
	for (size_t i = 0; i < n; i++) {
		if (v[i].from_id.n > 0) {
			int used = queue_from_id_used(tx, v[i].from_id);
			TRY(used);
			if (used)
				return QUEUE_FROMID_NOT_UNIQUE;
		}
		for (size_t j = 0; j < nrules; j++)
			v[i].hold = v[i].hold || queue_rule_matches(&rules[j], &v[i]);
		v[i].base_id = shared && i > 0 ? v[0].id : 0;
		TRY(queue_msg_insert(tx, &v[i]));
	}
	return shared ? queue_msg_set_base(tx, v[0].id, v[0].id) : 0;
}

int
queue_add(struct queue *q, const struct queue_add *add, int64_t *r_ids, struct errmsg *e)
{
	cleanup_(arena_done) struct arena a = { 0 };
	struct queue_msg *v = ARENA_NEWN(&a, add->nrcpts, struct queue_msg);
	struct queue_tx tx = { 0 };
	struct str text = add->text;
	int64_t id = take_content_id(q);

	bug_if(add->nrcpts == 0);
	if (add->content) {
		int err = blob_view(add->content, &text);
		if (err < 0)
			return err_set(e, err, "reading message: %s", err_text(err));
	}
	bool in_file = text.n > QUEUE_ROW_CONTENT;
	if (in_file)
		TRY(write_file(q, &a, add, text, id, e));
	for (size_t i = 0; i < add->nrcpts; i++)
		v[i] = make_msg(q, &a, add, &add->rcpts[i], id, (int64_t)text.n);
	int rv = queue_begin(q, &tx);
	if (rv == 0)
		rv = insert_all(&tx, &a, add, v, id, text, in_file);
	if (rv == 0)
		rv = queue_commit(&tx);
	queue_end(&tx);
	if (rv < 0) {
		/*
		 * The commit may have come to the log: a row without its file would be worse than a file without row.
		 */
		if (in_file && rv != ERR_IO && rv != ERR_NOSPACE)
			queue_remove_file(q, id);
		return err_set(e, rv, "%s", rv == QUEUE_FROMID_NOT_UNIQUE ? "from id was used before" : err_text(rv));
	}
	bool held = false;
	for (size_t i = 0; i < add->nrcpts; i++) {
		if (r_ids)
			r_ids[i] = v[i].id;
		held = held || v[i].hold;
		if (!v[i].hold && (i == 0 || !str_is(v[i].recipient_domain, v[i - 1].recipient_domain)))
			queue_kick(q, v[i].recipient_domain);
	}
	if (held)
		update_hold_gauge(q);
	return 0;
}
