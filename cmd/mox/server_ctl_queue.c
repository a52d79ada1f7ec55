/* SPDX-License-Identifier: MIT */
/*
 * server_ctl_queue.c - requests about the queue on the control socket.
 *
 * Filters come as JSON (struct Filter of queue.idl); lists go as a stream with one JSON value a line.
 */
#include "server_ctl_queue.h"
#include "server.h"

#define FILTER_MAX (1024 * 1024)
#define LIST_MAX (1024L * 1024 * 1024)

static struct queue *
queue_of(struct ctl_request *r)
{
	return ((struct server *)r->arg)->queue;
}

static void
failed(struct ctl_request *r, int err, const struct errmsg *e)
{
	ctl_error(r, "%s", e->text[0] ? e->text : err_text(err));
}

/* The parts of a decoded filter that the queue wants by reference. */
struct parsed {
	struct queue_filter f;
	struct queue_order o;
	struct str transport;
};

static bool
take_sort(struct ctl_request *r, struct str name, enum queue_sort *r_by)
{
	if (name.n == 0 || str_is(name, S("nextattempt")))
		*r_by = QUEUE_SORT_NEXT_ATTEMPT;
	else if (str_is(name, S("queued")))
		*r_by = QUEUE_SORT_QUEUED;
	else if (str_is(name, S("lastactivity")))
		*r_by = QUEUE_SORT_LAST_ACTIVITY;
	else {
		ctl_error(r, "unknown order, must be nextattempt, queued or lastactivity");
		return false;
	}
	return true;
}

static bool
take_filter(struct ctl_request *r, struct str json, struct parsed *p)
{
	struct queue_filter_json j = { 0 };
	struct errmsg e = { 0 };

	*p = (struct parsed){ 0 };
	int err = typedesc_json_decode(r->arena, &queue_filter_json_desc, json, FILTER_MAX, 0, &j, &e);
	if (err < 0) {
		failed(r, err, &e);
		return false;
	}
	p->f = (struct queue_filter){
		.ids = j.ids.n > 0 ? j.ids.v : NULL,
		.nids = j.ids.n,
		.max = j.max,
		.account = j.account,
		.from = j.from,
		.to = j.to,
		.hold = j.hold ? (*j.hold ? 1 : -1) : 0,
		.submitted = j.submitted,
		.next_attempt = j.next_attempt,
		.last_activity = j.last_activity,
		.event = j.event,
	};
	if (j.transport) {
		p->transport = *j.transport;
		p->f.transport = &p->transport;
	}
	if (j.result.n > 0) {
		if (!str_is(j.result, S("success")) && !str_is(j.result, S("failure"))) {
			ctl_error(r, "result must be success or failure");
			return false;
		}
		p->f.result = str_is(j.result, S("success")) ? 1 : -1;
	}
	p->o.asc = j.asc;
	return take_sort(r, j.sort, &p->o.by);
}

static bool
take_id(struct ctl_request *r, struct str s, int64_t *r_id)
{
	if (str_i64(s, r_id) == 0)
		return true;
	ctl_error(r, "bad id");
	return false;
}

static bool
take_address(struct ctl_request *r, struct str s, struct smtp_path *r_p)
{
	struct errmsg e = { 0 };

	if (smtp_parse_path(r->arena, str_fmt(r->arena, "<" STRF ">", STRA(s)), SMTP_UTF8 | SMTP_UNDERSCORE, r_p, &e) ==
	    0)
		return true;
	ctl_error(r, "bad address: %s", e.text);
	return false;
}

static void
send_count(struct ctl_request *r, int n, const struct errmsg *e)
{
	if (n < 0) {
		failed(r, n, e);
		return;
	}
	ctl_ok(r);
	ctl_line(r, str_fmt(r->arena, "%d", n));
}

/* stream_values sends n values of a type, one a line. */
static void
stream_values(struct ctl_request *r, const struct typedesc *t, const void *v, size_t n)
{
	struct buf b = BUF_ARENA(r->arena, LIST_MAX);

	for (size_t i = 0; i < n; i++) {
		typedesc_json_encode(&b, t, (const char *)v + i * t->size, 0);
		buf_addc(&b, '\n');
	}
	if (b.failed) {
		ctl_error(r, "list is too long, use a filter");
		return;
	}
	ctl_ok(r);
	ctl_stream(r, buf_str(&b));
}

/* --- messages --- */

static void
list(struct ctl_request *r, bool retired)
{
	struct queue_msg *v = NULL;
	struct errmsg e = { 0 };
	struct parsed p;
	size_t n = 0;

	if (!take_filter(r, r->params[0], &p))
		return;
	int err = (retired ? queue_retired_list : queue_list)(queue_of(r), r->arena, &p.f, &p.o, &v, &n, &e);
	if (err < 0) {
		failed(r, err, &e);
		return;
	}
	/* Dialogues are for looking at single messages. */
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < v[i].results.n; j++)
			v[i].results.v[j].transcript = S("");
	stream_values(r, &queue_msg_desc, v, n);
}

static void
ctl_list(struct ctl_request *r)
{
	list(r, false);
}

static void
ctl_retired_list(struct ctl_request *r)
{
	list(r, true);
}

static void
ctl_holdset(struct ctl_request *r)
{
	struct errmsg e = { 0 };
	struct parsed p;

	if (take_filter(r, r->params[0], &p))
		send_count(r, queue_hold(queue_of(r), &p.f, str_is(r->params[1], S("true")), &e), &e);
}

static bool
take_duration(struct ctl_request *r, struct str s, int64_t *r_us)
{
	if (str_is(s, S("now"))) {
		*r_us = 0;
		return true;
	}
	if (time_parse_duration(s, r_us) == 0)
		return true;
	ctl_error(r, "bad duration, must be like 1h30m");
	return false;
}

static void
ctl_schedule(struct ctl_request *r)
{
	struct errmsg e = { 0 };
	struct parsed p;
	int64_t us;

	if (take_filter(r, r->params[0], &p) && take_duration(r, r->params[2], &us))
		send_count(r, queue_schedule(queue_of(r), &p.f, us, r->params[1].n > 0, &e), &e);
}

static void
ctl_transport(struct ctl_request *r)
{
	struct errmsg e = { 0 };
	struct parsed p;

	if (take_filter(r, r->params[0], &p))
		send_count(r, queue_transport(queue_of(r), &p.f, r->params[1], &e), &e);
}

static void
ctl_requiretls(struct ctl_request *r)
{
	bool yes = str_is(r->params[1], S("true"));
	struct errmsg e = { 0 };
	struct parsed p;

	if (take_filter(r, r->params[0], &p))
		send_count(r, queue_require_tls(queue_of(r), &p.f, r->params[1].n > 0 ? &yes : NULL, &e), &e);
}

static void
ctl_fail(struct ctl_request *r)
{
	struct errmsg e = { 0 };
	struct parsed p;

	if (take_filter(r, r->params[0], &p))
		send_count(r, queue_fail(queue_of(r), &p.f, &e), &e);
}

static void
ctl_drop(struct ctl_request *r)
{
	struct errmsg e = { 0 };
	struct parsed p;

	if (take_filter(r, r->params[0], &p))
		send_count(r, queue_drop(queue_of(r), &p.f, &e), &e);
}

static void
ctl_dump(struct ctl_request *r)
{
	struct errmsg e = { 0 };
	struct str content;
	int64_t id;

	if (!take_id(r, r->params[0], &id))
		return;
	int err = queue_content(queue_of(r), r->arena, id, &content, &e);
	if (err < 0) {
		failed(r, err, &e);
		return;
	}
	ctl_ok(r);
	ctl_stream(r, content);
}

static void
print(struct ctl_request *r, bool retired)
{
	struct queue_msg m;
	int64_t id;

	if (!take_id(r, r->params[0], &id))
		return;
	int rv = queue_get(queue_of(r), r->arena, id, retired, &m);
	if (rv == 1)
		stream_values(r, &queue_msg_desc, &m, 1);
	else
		ctl_error(r, "%s", rv == 0 ? "no such message" : err_text(rv));
}

static void
ctl_retired_print(struct ctl_request *r)
{
	print(r, true);
}

static void
ctl_print(struct ctl_request *r)
{
	print(r, false);
}

/* --- hold rules --- */

static void
ctl_rules_list(struct ctl_request *r)
{
	struct queue_hold_rule *v;
	size_t n;
	int err = queue_holdrules(queue_of(r), r->arena, &v, &n);

	if (err < 0)
		ctl_error(r, "%s", err_text(err));
	else
		stream_values(r, &queue_hold_rule_desc, v, n);
}

static bool
take_domain(struct ctl_request *r, struct str s, struct str *r_d)
{
	struct idna_domain d;
	struct errmsg e = { 0 };

	*r_d = S("");
	if (s.n == 0)
		return true;
	if (idna_parse(r->arena, s, 0, &d, &e) < 0) {
		ctl_error(r, "bad domain: %s", e.text);
		return false;
	}
	*r_d = idna_text(&d, true);
	return true;
}

static void
ctl_rules_add(struct ctl_request *r)
{
	struct queue_hold_rule rule = { .account = r->params[0] };
	int64_t id;

	if (!take_domain(r, r->params[1], &rule.sender_domain) || !take_domain(r, r->params[2], &rule.recipient_domain))
		return;
	int err = queue_holdrule_add(queue_of(r), &rule, &id);
	if (err < 0)
		ctl_error(r, "%s", err_text(err));
	else
		ctl_ok(r);
}

static void
ctl_rules_remove(struct ctl_request *r)
{
	int64_t id;

	if (!take_id(r, r->params[0], &id))
		return;
	int err = queue_holdrule_remove(queue_of(r), id);
	if (err < 0)
		ctl_error(r, "%s", err == ERR_NOTFOUND ? "no such rule" : err_text(err));
	else
		ctl_ok(r);
}

/* --- suppression list --- */

static void
ctl_suppress_list(struct ctl_request *r)
{
	struct queue_suppression *v;
	size_t n;
	int err = queue_suppressions(queue_of(r), r->arena, r->params[0], &v, &n);

	if (err < 0)
		ctl_error(r, "%s", err_text(err));
	else
		stream_values(r, &queue_suppression_desc, v, n);
}

static void
ctl_suppress_add(struct ctl_request *r)
{
	struct server *s = r->arg;
	cleanup_(config_unref) struct config *cfg = config_current(s->live);
	struct errmsg e = { 0 };
	struct smtp_path p;

	if (config_account(cfg, r->params[0]) == NULL) {
		ctl_error(r, "no such account");
		return;
	}
	if (!take_address(r, r->params[1], &p))
		return;
	int err = queue_suppression_add(s->queue, r->params[0], &p, true, S("added by admin"), &e);
	if (err < 0)
		failed(r, err, &e);
	else
		ctl_ok(r);
}

static void
ctl_suppress_remove(struct ctl_request *r)
{
	struct smtp_path p;

	if (!take_address(r, r->params[1], &p))
		return;
	int err = queue_suppression_remove(queue_of(r), r->params[0], &p);
	if (err < 0)
		ctl_error(r, "%s", err == ERR_NOTFOUND ? "address is not on the list" : err_text(err));
	else
		ctl_ok(r);
}

static void
ctl_suppress_lookup(struct ctl_request *r)
{
	struct queue_suppression s;
	struct smtp_path p;

	if (!take_address(r, r->params[1], &p))
		return;
	int rv = queue_suppressed(queue_of(r), r->arena, r->params[0], &p, &s);
	if (rv < 0)
		ctl_error(r, "%s", err_text(rv));
	else
		stream_values(r, &queue_suppression_desc, &s, (size_t)rv);
}

/* --- webhooks --- */

static void
hook_list(struct ctl_request *r, bool retired)
{
	struct queue_hook *v = NULL;
	struct errmsg e = { 0 };
	struct parsed p;
	size_t n = 0;

	if (!take_filter(r, r->params[0], &p))
		return;
	int err = queue_hooks(queue_of(r), r->arena, &p.f, &p.o, retired, &v, &n, &e);
	if (err < 0)
		failed(r, err, &e);
	else
		stream_values(r, &queue_hook_desc, v, n);
}

static void
ctl_hook_list(struct ctl_request *r)
{
	hook_list(r, false);
}

static void
ctl_hook_retired_list(struct ctl_request *r)
{
	hook_list(r, true);
}

static void
ctl_hook_schedule(struct ctl_request *r)
{
	struct errmsg e = { 0 };
	struct parsed p;
	int64_t us;

	if (take_filter(r, r->params[0], &p) && take_duration(r, r->params[2], &us))
		send_count(r, queue_hook_schedule(queue_of(r), &p.f, us, r->params[1].n > 0, &e), &e);
}

static void
ctl_hook_cancel(struct ctl_request *r)
{
	struct errmsg e = { 0 };
	struct parsed p;

	if (take_filter(r, r->params[0], &p))
		send_count(r, queue_hook_cancel(queue_of(r), &p.f, &e), &e);
}

static void
hook_print(struct ctl_request *r, bool retired)
{
	struct queue_hook h;
	int64_t id;

	if (!take_id(r, r->params[0], &id))
		return;
	int rv = queue_hook_get(queue_of(r), r->arena, id, retired, &h);
	if (rv == 1)
		stream_values(r, &queue_hook_desc, &h, 1);
	else
		ctl_error(r, "%s", rv == 0 ? "no such webhook" : err_text(rv));
}

static void
ctl_hook_print(struct ctl_request *r)
{
	hook_print(r, false);
}

static void
ctl_hook_retired_print(struct ctl_request *r)
{
	hook_print(r, true);
}

const struct ctl_command server_ctl_queue_commands[] = {
	{ "queueholdruleslist", 0, ctl_rules_list },
	{ "queueholdrulesadd", 3, ctl_rules_add },
	{ "queueholdrulesremove", 1, ctl_rules_remove },
	{ "queuelist", 1, ctl_list },
	{ "queueprint", 1, ctl_print },
	{ "queueholdset", 2, ctl_holdset },
	{ "queueschedule", 3, ctl_schedule },
	{ "queuetransport", 2, ctl_transport },
	{ "queuerequiretls", 2, ctl_requiretls },
	{ "queuefail", 1, ctl_fail },
	{ "queuedrop", 1, ctl_drop },
	{ "queuedump", 1, ctl_dump },
	{ "queueretiredlist", 1, ctl_retired_list },
	{ "queueretiredprint", 1, ctl_retired_print },
	{ "queuehooklist", 1, ctl_hook_list },
	{ "queuehookretiredlist", 1, ctl_hook_retired_list },
	{ "queuehookschedule", 3, ctl_hook_schedule },
	{ "queuehookcancel", 1, ctl_hook_cancel },
	{ "queuehookprint", 1, ctl_hook_print },
	{ "queuehookretiredprint", 1, ctl_hook_retired_print },
	{ "queuesuppresslist", 1, ctl_suppress_list },
	{ "queuesuppressadd", 2, ctl_suppress_add },
	{ "queuesuppressremove", 2, ctl_suppress_remove },
	{ "queuesuppresslookup", 2, ctl_suppress_lookup },
};
