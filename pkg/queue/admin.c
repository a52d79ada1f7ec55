/* SPDX-License-Identifier: MIT */
/*
 * Looking at the queue, and changing what is in it.
 */
#include "queue/queue_internal.h"

#include <stdlib.h>

/* A filter, understood. Times are absolute. */
struct matcher {
	const struct queue_filter *f;
	struct {
		bool on, after;
		int64_t t;
	} submitted, next, activity;
};

/* "<duration", ">duration", duration "now" for 0. */
static int
parse_time(struct str s, int64_t now, bool *r_on, bool *r_after, int64_t *r_t, struct errmsg *e)
{
	int64_t us = 0;

	if (s.n == 0)
		return 0;
	if (s.p[0] != '<' && s.p[0] != '>')
		return err_set(
		    e, ERR_INVALID, "time \"%.*s\" must begin with \"<\" or \">\"", (int)MIN(s.n, (size_t)50), s.p);
	struct str rest = str_trim(str_from(s, 1));
	if (!str_is(rest, S("now")) && time_parse_duration(rest, &us) < 0)
		return err_set(
		    e, ERR_INVALID, "\"%.*s\" is no duration like 1h30m", (int)MIN(rest.n, (size_t)50), rest.p);
	*r_on = true;
	*r_after = s.p[0] == '>';
	*r_t = now + us;
	return 0;
}

static int
make_matcher(const struct queue *q, const struct queue_filter *f, struct matcher *m, struct errmsg *e)
{
	int64_t now = queue_now(q);

	*m = (struct matcher){ .f = f };
	TRY(parse_time(f->submitted, now, &m->submitted.on, &m->submitted.after, &m->submitted.t, e));
	TRY(parse_time(f->next_attempt, now, &m->next.on, &m->next.after, &m->next.t, e));
	return parse_time(f->last_activity, now, &m->activity.on, &m->activity.after, &m->activity.t, e);
}

static bool
time_fits(bool on, bool after, int64_t limit, int64_t t)
{
	return !on || (after ? t > limit : t < limit);
}

static bool
address_fits(struct str want, struct str address)
{
	if (want.n == 0)
		return true;
	if (str_starts(want, S("@")))
		return str_iends(address, want);
	return str_has(want, '@') ? str_icase(address, want) : str_isearch(address, want) >= 0;
}

static bool
id_fits(const struct queue_filter *f, int64_t id)
{
	for (size_t i = 0; i < f->nids; i++)
		if (f->ids[i] == id)
			return true;
	return f->ids == NULL;
}

static bool
msg_fits(const struct matcher *x, const struct queue_msg *m)
{
	const struct queue_filter *f = x->f;

	return id_fits(f, m->id) && (f->account.n == 0 || str_is(f->account, m->sender_account)) &&
	    address_fits(f->from, m->sender) && address_fits(f->to, m->recipient) &&
	    (f->hold == 0 || m->hold == (f->hold > 0)) &&
	    (f->transport == NULL || str_is(*f->transport, m->transport)) &&
	    (f->result == 0 || m->success == (f->result > 0)) &&
	    time_fits(x->submitted.on, x->submitted.after, x->submitted.t, m->queued) &&
	    time_fits(x->next.on, x->next.after, x->next.t, m->next_attempt) &&
	    time_fits(x->activity.on, x->activity.after, x->activity.t, m->last_activity);
}

/* --- lists --- */

struct collect {
	const struct matcher *x;
	struct arena *a;
	struct queue_msg *v;
	size_t n, cap;
};

static int
collect_msg(void *arg, const struct queue_msg *m)
{
	struct collect *c = arg;

	if (!msg_fits(c->x, m))
		return 0;
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		c->v = arena_grow(c->a, c->v, c->cap, cap, sizeof(*c->v));
		c->cap = cap;
	}
	typedesc_copy(c->a, &queue_msg_desc, &c->v[c->n], m);
	c->v[c->n].content_id = m->content_id;
	c->v[c->n++].dialed_ips = str_dup(c->a, m->dialed_ips);
	return 0;
}

static int64_t
sort_key(const struct queue_msg *m, enum queue_sort by)
{
	return by == QUEUE_SORT_QUEUED     ? m->queued :
	    by == QUEUE_SORT_LAST_ACTIVITY ? m->last_activity :
	    m->next_attempt;
}

static int
compare(const void *x, const void *y, void *arg)
{
	const struct queue_order *o = arg;
	const struct queue_msg *a = x, *b = y;
	int64_t ka = sort_key(a, o->by), kb = sort_key(b, o->by);
	int c = ka != kb ? (ka < kb ? -1 : 1) : a->id != b->id ? (a->id < b->id ? -1 : 1) : 0;

	return o->asc ? c : -c;
}

/* order_and_cut sorts, and keeps the page behind after_id, of at most max. */
static void
order_and_cut(struct collect *c, struct queue_order *o, int64_t max)
{
	size_t from = 0;

	qsort_r(c->v, c->n, sizeof(*c->v), compare, o);
	for (size_t i = 0; o->after_id != 0 && i < c->n; i++)
		if (c->v[i].id == o->after_id)
			from = i + 1;
	c->v += from;
	c->n -= from;
	if (max > 0)
		c->n = MIN(c->n, (size_t)max);
}

static int
list(struct queue *q, struct arena *a, const struct queue_filter *f, const struct queue_order *o, bool retired,
    struct queue_msg **r_v, size_t *r_n, struct errmsg *e)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	struct queue_order order = o ? *o : (struct queue_order){ 0 };
	struct matcher x;
	struct collect c = { .x = &x, .a = a };

	TRY(make_matcher(q, f, &x, e));
	if (retired && order.by == QUEUE_SORT_NEXT_ATTEMPT)
		order.by = QUEUE_SORT_LAST_ACTIVITY;
	TRY(queue_begin(q, &tx));
	TRY(queue_msg_each(&tx, retired, collect_msg, &c));
	if (c.n > 0)
		order_and_cut(&c, &order, f->max);
	for (size_t i = 0; i < c.n; i++)
		TRY(queue_msg_results(&tx, a, &c.v[i]));
	*r_v = c.v;
	*r_n = c.n;
	return 0;
}

int
queue_list(struct queue *q, struct arena *a, const struct queue_filter *f, const struct queue_order *o,
    struct queue_msg **r_v, size_t *r_n, struct errmsg *e)
{
	return list(q, a, f, o, false, r_v, r_n, e);
}

int
queue_retired_list(struct queue *q, struct arena *a, const struct queue_filter *f, const struct queue_order *o,
    struct queue_msg **r_v, size_t *r_n, struct errmsg *e)
{
	return list(q, a, f, o, true, r_v, r_n, e);
}

int
queue_get(struct queue *q, struct arena *a, int64_t id, bool retired, struct queue_msg *r_m)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };

	TRY(queue_begin(q, &tx));
	int rv = queue_msg_get(&tx, a, id, retired, r_m);
	if (rv == 1)
		TRY(queue_msg_results(&tx, a, r_m));
	return rv;
}

/* read_content: prefix and content of a message; a file is opened within the transaction, so that it is there. */
static int
read_content(struct queue_tx *tx, struct arena *a, int64_t id, struct queue_msg *m, struct str *r_data,
    struct blob_file **r_file)
{
	bool in_file = false;
	int rv = queue_msg_get(tx, a, id, false, m);

	if (rv == 1)
		rv = queue_msg_body(tx, a, m);
	if (rv == 1)
		rv = queue_content_get(tx, a, m->content_id, r_data, &in_file);
	if (rv == 1 && in_file)
		TRY(blob_open(queue_file_path(tx->q, a, m->content_id).p, r_file));
	return rv;
}

int
queue_content(struct queue *q, struct arena *a, int64_t id, struct str *r_content, struct errmsg *e)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	cleanup_(blob_close) struct blob_file *file = NULL;
	struct queue_msg m;
	struct str data = { 0 };

	int rv = queue_begin(q, &tx);
	if (rv == 0)
		rv = read_content(&tx, a, id, &m, &data, &file);
	queue_end(&tx);
	if (rv < 0)
		return err_set(e, rv, "reading message: %s", err_text(rv));
	if (rv == 0)
		return err_set(e, ERR_NOTFOUND, "no such message");
	if (file) {
		char *p = arena_bytes(a, (size_t)blob_file_size(file));
		TRY(blob_file_read(file, p, (size_t)blob_file_size(file), 0));
		data = str_n(p, (size_t)blob_file_size(file));
	}
	*r_content = str_cat(a, m.prefix, data);
	return 0;
}

/* --- changes --- */

/* change calls fn for each message that fits, in one transaction: how many it changed. */
static int
change(struct queue *q, const struct queue_filter *f, int (*fn)(struct queue_tx *tx, struct queue_msg *m, void *arg),
    void *arg, struct errmsg *e)
{
	cleanup_(arena_done) struct arena a = { 0 };
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	struct queue_order order = { .asc = true };
	struct matcher x;
	struct collect c = { .x = &x, .a = &a };
	int n = 0;

	TRY(make_matcher(q, f, &x, e));
	int rv = queue_begin(q, &tx);
	if (rv == 0)
		rv = queue_msg_each(&tx, false, collect_msg, &c);
	if (rv == 0 && c.n > 0)
		order_and_cut(&c, &order, f->max);
	for (size_t i = 0; rv >= 0 && i < c.n; i++) {
		rv = fn(&tx, &c.v[i], arg);
		n += rv > 0;
	}
	if (rv >= 0)
		rv = queue_commit(&tx);
	if (rv < 0)
		return err_set(e, rv, "queue database: %s", err_text(rv));
	if (n > 0)
		queue_kick(q, S(""));
	return n;
}

static int
set_hold(struct queue_tx *tx, struct queue_msg *m, void *arg)
{
	bool hold = *(const bool *)arg;

	if (m->hold == hold)
		return 0;
	m->hold = hold;
	TRY(queue_msg_update(tx, m));
	return 1;
}

int
queue_hold(struct queue *q, const struct queue_filter *f, bool hold, struct errmsg *e)
{
	int rv = change(q, f, set_hold, &hold, e);
	int64_t all, held = 0;
	struct queue_tx tx = { 0 };

	if (rv > 0 && queue_begin(q, &tx) == 0 && queue_counts(&tx, &all, &held) == 0)
		metrics_set(&queue_m_hold, (double)held, NULL);
	queue_end(&tx);
	return rv;
}

struct when {
	int64_t us, now;
	bool from_now;
};

static int
set_schedule(struct queue_tx *tx, struct queue_msg *m, void *arg)
{
	const struct when *w = arg;

	m->next_attempt = (w->from_now ? w->now : m->next_attempt) + w->us;
	TRY(queue_msg_update(tx, m));
	return 1;
}

int
queue_schedule(struct queue *q, const struct queue_filter *f, int64_t us, bool from_now, struct errmsg *e)
{
	struct when w = { us, queue_now(q), from_now };

	return change(q, f, set_schedule, &w, e);
}

static int
set_transport(struct queue_tx *tx, struct queue_msg *m, void *arg)
{
	m->transport = *(const struct str *)arg;
	TRY(queue_msg_update(tx, m));
	return 1;
}

int
queue_transport(struct queue *q, const struct queue_filter *f, struct str name, struct errmsg *e)
{
	cleanup_(config_unref) struct config *cfg = q->o.config(q->o.config_arg);

	if (name.n > 0 && config_transport(cfg, name) == NULL)
		return err_set(e, QUEUE_NO_TRANSPORT, "no such transport");
	return change(q, f, set_transport, &name, e);
}

static int
set_require_tls(struct queue_tx *tx, struct queue_msg *m, void *arg)
{
	bool *require = arg;

	m->require_tls = require;
	TRY(queue_msg_update(tx, m));
	return 1;
}

int
queue_require_tls(struct queue *q, const struct queue_filter *f, const bool *require, struct errmsg *e)
{
	bool value = require && *require;

	return change(q, f, set_require_tls, require ? &value : NULL, e);
}

/* --- ending --- */

#define CANCELED "delivery canceled by admin"

struct ending {
	struct queue *q;
	struct config *cfg;
	struct arena *a;
	const char *event;
	int64_t *files;
	size_t nfiles;
};

static int
end_one(struct queue_tx *tx, struct queue_msg *m, void *arg)
{
	struct ending *x = arg;
	struct queue_result r = { .start = queue_now(x->q), .error = S(CANCELED) };
	int64_t file = 0;

	TRY(queue_msg_results(tx, x->a, m));
	TRY(queue_result_insert(tx, m->id, (int64_t)m->results.n, &r));
	TRY(queue_retire(tx, x->a, x->cfg, m, &r, x->event, false, &file));
	if (file) {
		x->files = arena_grow(x->a, x->files, x->nfiles, x->nfiles + 1, sizeof(*x->files));
		x->files[x->nfiles++] = file;
	}
	return 1;
}

static int
finish_all(struct queue *q, struct arena *a, struct config *cfg, const struct queue_filter *f, const char *event,
    struct errmsg *e)
{
	struct ending x = { .q = q, .cfg = cfg, .a = a, .event = event };
	int rv = change(q, f, end_one, &x, e);

	for (size_t i = 0; rv >= 0 && i < x.nfiles; i++)
		queue_remove_file(q, x.files[i]);
	return rv;
}

int
queue_drop(struct queue *q, const struct queue_filter *f, struct errmsg *e)
{
	cleanup_(arena_done) struct arena a = { 0 };
	cleanup_(config_unref) struct config *cfg = q->o.config(q->o.config_arg);

	return finish_all(q, &a, cfg, f, "canceled", e);
}

int
queue_fail(struct queue *q, const struct queue_filter *f, struct errmsg *e)
{
	cleanup_(arena_done) struct arena a = { 0 };
	cleanup_(config_unref) struct config *cfg = q->o.config(q->o.config_arg);
	struct queue_outcome o = { .done = true, .permanent = true, .error = S(CANCELED) };
	struct queue_order order = { .asc = true };
	struct queue_msg *v;
	size_t n;

	/* As for every failure the sender is told first. Exactly those that were told are then ended. */
	TRY(queue_list(q, &a, f, &order, &v, &n, e));
	if (n == 0)
		return 0;
	int64_t *ids = ARENA_NEWN(&a, n, int64_t);
	for (size_t i = 0; i < n; i++) {
		ARENA_SCOPE(&a);
		struct str head = { 0 };

		ids[i] = v[i].id;
		int rv = queue_content(q, &a, v[i].id, &head, e);
		if (rv == ERR_NOTFOUND)
			continue; /* delivered meanwhile */
		TRY(rv);
		if (queue_wants_dsn(&v[i], QUEUE_DSN_FAILED))
			queue_dsn(q, cfg, &v[i], QUEUE_DSN_FAILED, &o, head);
	}
	struct queue_filter these = { .ids = ids, .nids = n };
	return finish_all(q, &a, cfg, &these, "failed", e);
}

/* --- webhooks --- */

static bool
hook_fits(const struct matcher *x, const struct queue_hook *h)
{
	const struct queue_filter *f = x->f;

	return id_fits(f, h->id) && (f->account.n == 0 || str_is(f->account, h->account)) &&
	    (f->event.n == 0 ||
		(str_is(f->event, S("incoming")) ? h->is_incoming : str_is(f->event, h->outgoing_event))) &&
	    time_fits(x->submitted.on, x->submitted.after, x->submitted.t, h->submitted) &&
	    time_fits(x->next.on, x->next.after, x->next.t, h->next_attempt) &&
	    time_fits(x->activity.on, x->activity.after, x->activity.t, h->last_activity);
}

struct collect_hooks {
	const struct matcher *x;
	struct arena *a;
	struct queue_hook *v;
	size_t n, cap;
};

static int
collect_hook(void *arg, const struct queue_hook *h)
{
	struct collect_hooks *c = arg;

	if (!hook_fits(c->x, h))
		return 0;
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 64;
		c->v = arena_grow(c->a, c->v, c->n, c->cap, sizeof(*c->v));
	}
	typedesc_copy(c->a, &queue_hook_desc, &c->v[c->n], h);
	c->v[c->n++].authorization = str_dup(c->a, h->authorization);
	return 0;
}

static int64_t
hook_key(const struct queue_hook *h, enum queue_sort by)
{
	return by == QUEUE_SORT_QUEUED     ? h->submitted :
	    by == QUEUE_SORT_LAST_ACTIVITY ? h->last_activity :
	    h->next_attempt;
}

static int
compare_hooks(const void *x, const void *y, void *arg)
{
	const struct queue_order *o = arg;
	const struct queue_hook *a = x, *b = y;
	int64_t ka = hook_key(a, o->by), kb = hook_key(b, o->by);
	int c = ka != kb ? (ka < kb ? -1 : 1) : a->id != b->id ? (a->id < b->id ? -1 : 1) : 0;

	return o->asc ? c : -c;
}

/* hooks_tx lists within a transaction. */
static int
hooks_tx(
    struct queue_tx *tx, const struct matcher *x, const struct queue_order *o, bool retired, struct collect_hooks *c)
{
	struct queue_order order = o ? *o : (struct queue_order){ 0 };
	size_t from = 0;

	if (retired && order.by == QUEUE_SORT_NEXT_ATTEMPT)
		order.by = QUEUE_SORT_LAST_ACTIVITY;
	c->x = x;
	TRY(queue_hook_each(tx, retired, collect_hook, c));
	if (c->n > 0)
		qsort_r(c->v, c->n, sizeof(*c->v), compare_hooks, &order);
	for (size_t i = 0; order.after_id != 0 && i < c->n; i++)
		if (c->v[i].id == order.after_id)
			from = i + 1;
	c->v = c->n > 0 ? c->v + from : NULL;
	c->n -= from;
	if (x->f->max > 0)
		c->n = MIN(c->n, (size_t)x->f->max);
	return 0;
}

int
queue_hooks(struct queue *q, struct arena *a, const struct queue_filter *f, const struct queue_order *o, bool retired,
    struct queue_hook **r_v, size_t *r_n, struct errmsg *e)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	struct collect_hooks c = { .a = a };
	struct matcher x;

	TRY(make_matcher(q, f, &x, e));
	TRY(queue_begin(q, &tx));
	TRY(hooks_tx(&tx, &x, o, retired, &c));
	*r_v = c.v;
	*r_n = c.n;
	return 0;
}

int
queue_hook_get(struct queue *q, struct arena *a, int64_t id, bool retired, struct queue_hook *r_h)
{
	struct queue_filter f = { .ids = &id, .nids = 1 };
	struct queue_hook *v;
	size_t n;

	TRY(queue_hooks(q, a, &f, NULL, retired, &v, &n, NULL));
	if (n > 0)
		*r_h = v[0];
	return n > 0;
}

int
queue_hook_schedule(struct queue *q, const struct queue_filter *f, int64_t us, bool from_now, struct errmsg *e)
{
	cleanup_(arena_done) struct arena a = { 0 };
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	struct collect_hooks c = { .a = &a };
	struct matcher x;

	TRY(make_matcher(q, f, &x, e));
	TRY(queue_begin(q, &tx));
	TRY(hooks_tx(&tx, &x, NULL, false, &c));
	for (size_t i = 0; i < c.n; i++)
		TRY(queue_hook_set_next(&tx, c.v[i].id, (from_now ? queue_now(q) : c.v[i].next_attempt) + us));
	TRY(queue_commit(&tx));
	return (int)c.n;
}

int
queue_hook_cancel(struct queue *q, const struct queue_filter *f, struct errmsg *e)
{
	cleanup_(arena_done) struct arena a = { 0 };
	cleanup_(config_unref) struct config *cfg = q->o.config(q->o.config_arg);
	cleanup_(queue_end) struct queue_tx tx = { 0 };
	struct collect_hooks c = { .a = &a };
	struct matcher x;

	TRY(make_matcher(q, f, &x, e));
	TRY(queue_begin(q, &tx));
	TRY(hooks_tx(&tx, &x, NULL, false, &c));
	for (size_t i = 0; i < c.n; i++)
		TRY(queue_hook_end(&tx, cfg, &c.v[i]));
	TRY(queue_commit(&tx));
	return (int)c.n;
}
