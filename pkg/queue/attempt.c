/* SPDX-License-Identifier: MIT */
/*
 * An attempt: before it touches the network, and after.
 *
 * Crash order. The state is advanced first: a crash during the attempt costs a later one, never a message, and never
 * a storm of attempts. What the sender is to be told is on disk before the message is forgotten: a crash between the
 * two tells twice rather than not at all.
 */
#include "queue/queue_internal.h"

#include "base/randutil.h"

#define BACKOFF_US (450 * TIME_SEC)
#define BACKOFF_STEPS 16 /* doubled at most so often */
#define JITTER_S 10      /* -5 .. +4 */
#define SIBLINGS_SLACK_US (5 * TIME_SEC)
#define KEEP_UNKNOWN_US (7 * TIME_DAY) /* retired messages of an account that is gone */
#define HEAD_MAX (256 * 1024)          /* of the message, for the DSN: only its header counts */

static struct metric m_delivery = METRICS_HISTOGRAM_INIT("mox_queue_delivery_duration_seconds",
    "Attempts to deliver from the queue.", metrics_buckets_a120, "attempt", "transport", "tlsmode", "result");
static struct metric m_dmarc_failure =
    METRICS_COUNTER_INIT("mox_queue_dmarcreport_failure_total", "DMARC reports that could not be delivered.");

int64_t
queue_backoff(int64_t attempts)
{
	return BACKOFF_US << MIN(attempts, (int64_t)BACKOFF_STEPS);
}

int64_t
queue_max_attempts(const struct queue_msg *m)
{
	return m->max_attempts > 0 ? m->max_attempts : QUEUE_ATTEMPTS;
}

static int64_t
jittered(int64_t attempts)
{
	int64_t jitter = ((int64_t)rand_below(JITTER_S) - 5) * TIME_SEC;

	return (BACKOFF_US + jitter) << MIN(attempts, (int64_t)BACKOFF_STEPS);
}

static bool
same_bool(const bool *x, const bool *y)
{
	return x && y ? *x == *y : x == y;
}

/* transport_of: the one that is forced, or that a route picks for the number of attempts so far. */
static struct str
transport_of(struct queue_attempt *at, const struct queue_msg *m)
{
	struct idna_domain from = { 0 }, to = { 0 };

	if (m->transport.n > 0)
		return m->transport;
	/* What is no domain (an IP, a null sender) stays zero, which routes for "." match. */
	ignore_result(idna_parse(at->a, m->sender_domain, IDNA_UNDERSCORE, &from, NULL) < 0);
	ignore_result(idna_parse(at->a, m->recipient_domain, IDNA_UNDERSCORE, &to, NULL) < 0);
	return config_route(at->cfg, config_account(at->cfg, m->sender_account), &from, &to, m->attempts);
}

/* advance counts the attempt, and sets the time of the next one. */
static int
advance(struct queue_tx *tx, struct queue_attempt *at, struct queue_msg *m)
{
	struct queue_result running = {
		.start = at->start_us, .error = S(QUEUE_DELIVERING), .transport = at->transport
	};

	TRY(queue_msg_body(tx, at->a, m));
	TRY(queue_msg_results(tx, at->a, m));
	m->next_attempt = at->start_us + jittered(m->attempts);
	m->attempts++;
	m->last_attempt = at->start_us;
	TRY(queue_msg_update(tx, m));
	return queue_result_insert(tx, m->id, (int64_t)m->results.n, &running);
}

static bool
is_skipped(const int64_t *skip, size_t nskip, int64_t id)
{
	for (size_t i = 0; i < nskip; i++)
		if (skip[i] == id)
			return true;
	return false;
}

/* gather takes the first due message, and what can go with it in one transaction. */
static int
gather(struct queue_tx *tx, struct queue_attempt *at, struct str domain, const int64_t *skip, size_t nskip)
{
	struct queue_msg *others = NULL, first;
	size_t n = 0;
	int rv = queue_due(tx, at->a, domain, at->start_us, skip, nskip, &first);

	if (rv != 1)
		return rv;
	at->transport = transport_of(at, &first);
	TRY(queue_siblings(tx, at->a, &first, MAX(first.next_attempt, at->start_us) + SIBLINGS_SLACK_US, &others, &n));
	at->v = ARENA_NEWN(at->a, n + 1, struct queue_msg);
	at->v[at->n++] = first;
	for (size_t i = 0; i < n; i++)
		if (same_bool(others[i].require_tls, first.require_tls) &&
		    str_is(transport_of(at, &others[i]), at->transport) && !is_skipped(skip, nskip, others[i].id))
			at->v[at->n++] = others[i];
	return 1;
}

/* find_suppressed: those are not tried at all. */
static int
find_suppressed(struct queue_tx *tx, struct queue_attempt *at)
{
	for (size_t i = 0; i < at->n; i++) {
		struct smtp_path to;
		struct str text = str_fmt(at->a, "<" STRF ">", STRA(at->v[i].recipient));

		if (smtp_parse_path(at->a, text, SMTP_UTF8 | SMTP_UNDERSCORE, &to, NULL) < 0)
			continue;
		int rv = queue_suppressed_tx(tx, at->a, at->v[i].sender_account, queue_base_address(at->a, &to), NULL);
		TRY(rv);
		if (rv == 1)
			at->out[i] = (struct queue_outcome){ .done = true,
				.permanent = true,
				.suppressed = true,
				.error = S("recipient address is on the suppression list of the account") };
	}
	return 0;
}

static int
prepare(struct queue_attempt *at, struct str domain, const int64_t *skip, size_t nskip)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	bool in_file = false;

	TRY(queue_begin(at->q, &tx));
	int rv = gather(&tx, at, domain, skip, nskip);
	if (rv != 1)
		return rv;
	at->out = ARENA_NEWN(at->a, at->n, struct queue_outcome);
	for (size_t i = 0; i < at->n; i++)
		TRY(advance(&tx, at, &at->v[i]));
	TRY(find_suppressed(&tx, at));
	int64_t content = at->v[0].content_id;
	rv = queue_content_get(&tx, at->a, content, &at->data, &in_file);
	TRY(rv);
	TRY(queue_commit(&tx));
	if (rv == 0 || (in_file && blob_open(queue_file_path(at->q, at->a, content).p, &at->file) < 0)) {
		log_error(at->log, "content of a message is missing", log_i("msgid", at->v[0].id));
		queue_fail_all(at, false, 0, "", S("content of the message is missing"));
	}
	return 1;
}

int
queue_prepare(
    struct queue *q, struct arena *a, struct str domain, const int64_t *skip, size_t nskip, struct queue_attempt *r_at)
{
	struct queue_attempt at = { .q = q,
		.a = a,
		.log = q->o.log,
		.start_us = queue_now(q),
		.start_mono = time_mono_us(),
		.tls_mode = "skip" };

	at.cfg = q->o.config(q->o.config_arg);
	int rv = prepare(&at, domain, skip, nskip);
	if (rv != 1)
		config_unref(&at.cfg);
	else
		*r_at = at;
	return rv;
}

struct message_source
queue_source(const struct queue_attempt *at)
{
	if (at->file)
		return message_source_file(at->v[0].prefix, blob_file_fd(at->file), blob_file_size(at->file));
	return message_source_mem(str_cat(at->a, at->v[0].prefix, at->data));
}

void
queue_fail_all(struct queue_attempt *at, bool permanent, int code, const char *secode, struct str text)
{
	for (size_t i = 0; i < at->n; i++) {
		struct queue_outcome *o = &at->out[i];

		if (o->done)
			continue;
		o->done = true;
		o->permanent = permanent;
		o->code = code;
		snprintf(o->secode, sizeof(o->secode), "%s", secode);
		o->error = text;
	}
}

void
queue_outcome_reply(struct arena *a, struct queue_outcome *o, const struct smtpclient_reply *r)
{
	struct strlist lines = { 0 };

	o->done = true;
	o->code = r->code;
	memcpy(o->secode, r->secode, sizeof(o->secode));
	o->permanent = r->code / 100 == 5;
	strlist_add(a, &lines, r->line);
	for (size_t i = 0; i < r->more.n; i++)
		strlist_add(a, &lines, r->more.v[i]);
	o->lines = str_log(a, strlist_join(a, &lines, S(" ")), 2000);
	o->error = str_fmt(
	    a, "%s: " STRF, o->permanent ? "permanent error" : "transient error", STRA(str_log(a, r->line, 500)));
}

void
queue_outcome_error(struct queue_attempt *at, struct queue_outcome *o, const struct smtpclient_error *e)
{
	if (e->reply.code > 0)
		queue_outcome_reply(at->a, o, &e->reply);
	o->done = true;
	o->permanent = e->permanent;
	o->error = str_log(at->a, e->text, 500);
}

/* --- afterwards --- */

static bool
is_bad_address_code(const struct queue_result *r)
{
	static const int codes[] = { 521, 550, 551, 553, 556 };
	static const char *const secodes[] = { "1.1", "1.2", "1.3", "1.6", "2.1", "7.1" };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (r->code == codes[i])
			return true;
	for (size_t i = 0; i < ARRAY_LEN(secodes); i++)
		if (r->code / 100 == 5 && str_is(r->secode, str_of(secodes[i])))
			return true;
	return false;
}

/*
 * suppress puts the recipient on the account's list, if its failure says that further mail is pointless: 1 if it did.
 */
static int
suppress(struct queue_tx *tx, struct arena *a, const struct queue_msg *m, const struct queue_result *last)
{
	struct str text = str_fmt(a, "<" STRF ">", STRA(m->recipient)), reason;
	struct smtp_path to;
	int failed, n;

	if (last->code == 0 || smtp_parse_path(a, text, SMTP_UTF8 | SMTP_UNDERSCORE, &to, NULL) < 0)
		return 0;
	if (is_bad_address_code(last)) {
		reason = str_fmt(a, "delivery failure from queue with smtp code %d, enhanced code \"" STRF "\"",
		    (int)last->code, STRA(last->secode));
	} else {
		TRY(queue_recent_failures(tx, m->sender_account, m->recipient, m->id, &failed, &n));
		if (n < 2 || failed < 2)
			return 0;
		reason = S("delivery failure from queue and three consecutive failures");
	}
	struct queue_suppression s = {
		.created = queue_now(tx->q),
		.account = m->sender_account,
		.base_address = queue_base_address(a, &to),
		.original_address = m->recipient,
		.reason = reason,
	};
	int rv = queue_suppressed_tx(tx, a, s.account, s.base_address, NULL);
	if (rv != 0)
		return MIN(rv, 0);
	TRY(queue_suppress_tx(tx, &s));
	return 1;
}

int
queue_retire(struct queue_tx *tx, struct arena *a, const struct config *cfg, struct queue_msg *m,
    const struct queue_result *last, const char *event, bool may_suppress, int64_t *r_file)
{
	const struct config_account *acct = config_account(cfg, m->sender_account);
	int suppressed = may_suppress ? suppress(tx, a, m, last) : 0;

	TRY(suppressed);
	TRY(queue_hook_event(tx, a, cfg, m, event, suppressed == 1, last));
	m->success = last->success;
	m->last_activity = queue_now(tx->q);
	m->keep_until = m->last_activity + (acct ? acct->keep_retired_message_period : KEEP_UNKNOWN_US);
	TRY(queue_msg_retire(tx, m));
	TRY(queue_msg_delete(tx, m->id));
	int rv = queue_content_release(tx, m->content_id);
	TRY(rv);
	*r_file = rv == 1 ? m->content_id : 0;
	return 0;
}

static struct queue_result
result_of(struct queue_attempt *at, const struct queue_outcome *o)
{
	return (struct queue_result){
		.start = at->start_us,
		.duration = time_mono_us() - at->start_mono,
		.success = o->success,
		.code = o->code,
		.secode = str_of(o->secode),
		.error = o->success ? S("") : o->error,
		.transport = at->transport,
		.remote_mta = o->remote_mta,
		.remote_ip = o->remote_ip,
		.transcript = o->success ? S("") : at->transcript,
		.cause = o->success ? S("") : queue_cause(o->code, o->secode, o->lines),
	};
}

static bool
is_final(const struct queue_msg *m, const struct queue_outcome *o)
{
	return o->permanent || m->attempts >= queue_max_attempts(m);
}

/* tell sends the DSN that the outcome calls for, before the outcome is written. */
static void
tell(struct queue_attempt *at, const struct queue_msg *m, const struct queue_outcome *o, struct str head)
{
	if (o->success) {
		if (!o->expected_dsn && queue_wants_dsn(m, QUEUE_DSN_DELIVERED))
			queue_dsn(at->q, at->cfg, m, QUEUE_DSN_DELIVERED, o, head);
	} else if (is_final(m, o)) {
		if (m->is_dmarc_report)
			metrics_add(&m_dmarc_failure, 1, NULL);
		if (queue_wants_dsn(m, QUEUE_DSN_FAILED))
			queue_dsn(at->q, at->cfg, m, QUEUE_DSN_FAILED, o, head);
	} else if (m->attempts == QUEUE_DELAYED_AT && !m->is_dmarc_report && queue_wants_dsn(m, QUEUE_DSN_DELAYED)) {
		queue_dsn(at->q, at->cfg, m, QUEUE_DSN_DELAYED, o, head);
	}
}

static void
log_outcome(struct queue_attempt *at, const struct queue_msg *m, const struct queue_outcome *o)
{
	if (o->success)
		log_info(at->log, "delivered from queue", log_i("msgid", m->id), log_s("to", m->recipient),
		    log_s("from", m->sender), log_i("attempts", m->attempts), log_s("remote", o->remote_mta),
		    log_s("transport", at->transport));
	else
		log_info(at->log, is_final(m, o) ? "delivery failed" : "delivery failed for now",
		    log_s("err", o->error), log_i("msgid", m->id), log_s("to", m->recipient), log_s("from", m->sender),
		    log_i("attempts", m->attempts), log_i("code", o->code), log_s("secode", str_of(o->secode)),
		    log_s("remote", o->remote_mta), log_s("transport", at->transport),
		    log_time("next", m->next_attempt));
}

static int
write_outcome(
    struct queue_tx *tx, struct queue_attempt *at, struct queue_msg *m, const struct queue_outcome *o, int64_t *r_file)
{
	struct queue_result r = result_of(at, o);
	struct queue_msg now;
	int rv = queue_msg_get(tx, at->a, m->id, false, &now);

	TRY(rv);
	if (rv == 0)
		return 0; /* failed or dropped by the administrator meanwhile: that stands */
	/* What was changed meanwhile stands too. */
	m->hold = now.hold;
	m->transport = now.transport;
	m->require_tls = now.require_tls;
	m->next_attempt = now.next_attempt;
	TRY(queue_result_insert(tx, m->id, (int64_t)m->results.n, &r));
	if (o->success || is_final(m, o))
		return queue_retire(tx, at->a, at->cfg, m, &r,
		    o->success        ? "delivered" :
			o->suppressed ? "suppressed" :
					"failed",
		    !o->success && !o->suppressed, r_file);
	TRY(queue_hook_event(tx, at->a, at->cfg, m, "delayed", false, &r));
	return queue_msg_update(tx, m);
}

static void
count(struct queue_attempt *at)
{
	size_t ok = 0, permanent = 0;
	char attempt[8];

	for (size_t i = 0; i < at->n; i++) {
		ok += at->out[i].success;
		permanent += !at->out[i].success && at->out[i].permanent;
	}
	snprintf(attempt, sizeof(attempt), "%d", (int)MIN(at->v[0].attempts, (int64_t)20));
	metrics_observe(&m_delivery, (double)(time_mono_us() - at->start_mono) / 1e6, attempt,
	    at->transport.n ? str_dup(at->a, at->transport).p : "default", at->tls_mode,
	    ok == at->n       ? "ok" :
		ok > 0        ? "okpartial" :
		permanent > 0 ? "permerror" :
				"temperror",
	    NULL);
}

void
queue_finish(struct queue_attempt *at)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	struct message_source src = queue_source(at);
	int64_t *files = ARENA_NEWN(at->a, at->n, int64_t);
	struct str head = { 0 };

	ignore_result(
	    message_source_bytes(at->a, &src, 0, MIN(message_source_size(&src), (int64_t)HEAD_MAX), &head) < 0);
	queue_fail_all(at, false, 0, "", S("delivery was not decided"));
	for (size_t i = 0; i < at->n; i++) {
		log_outcome(at, &at->v[i], &at->out[i]);
		tell(at, &at->v[i], &at->out[i], head);
	}
	count(at);
	int rv = queue_begin(at->q, &tx);
	for (size_t i = 0; rv == 0 && i < at->n; i++)
		rv = write_outcome(&tx, at, &at->v[i], &at->out[i], &files[i]);
	if (rv == 0)
		rv = queue_commit(&tx);
	if (rv < 0)
		log_error(at->log, "result of an attempt cannot be written, messages will be sent again",
		    log_err(err_text(rv)), log_i("msgid", at->v[0].id));
	queue_end(&tx);
	blob_close(&at->file);
	for (size_t i = 0; rv == 0 && i < at->n; i++)
		if (files[i])
			queue_remove_file(at->q, files[i]);
	config_unref(&at->cfg);
}
