/* SPDX-License-Identifier: MIT */
/*
 * What all ways of delivery share: which way, connections that are used again, and the transfer of the messages of an
 * attempt.
 */
#include "queue/queue_internal.h"

#include "base/mem.h"

#define SESSION_MESSAGES 100 /* transactions over one connection: others want to be served, too */
#define SESSION_US (5 * TIME_MIN)

struct metric queue_m_connection =
    METRICS_COUNTER_INIT("mox_queue_connection_total", "Connections to other servers.", "result");

/* --- connections --- */

void
queue_session_close(struct queue_session *s)
{
	smtpclient_close(&s->client);
	arena_done(&s->arena);
	*s = (struct queue_session){ 0 };
}

/* Everything that decides about hosts, TLS and login. */
struct str
queue_session_key(struct queue_attempt *at)
{
	const struct queue_msg *m = &at->v[0];

	return str_fmt(at->a, STRF "\n" STRF "\n%d%d%d", STRA(m->recipient_domain), STRA(at->transport),
	    m->require_tls ? *m->require_tls : 2, m->is_dmarc_report, m->is_tls_report);
}

bool
queue_session_fits(struct queue_session *s, struct str key)
{
	if (s->client &&
	    (!str_is(s->key, key) || smtpclient_botched(s->client) || s->messages >= SESSION_MESSAGES ||
		time_mono_us() - s->opened_mono > SESSION_US || !smtpclient_alive(s->client)))
		queue_session_close(s);
	return s->client != NULL;
}

const struct ip *
queue_local_ips(struct queue_attempt *at, size_t *r_n)
{
	const struct typedesc_str_list *l = config_send_ips(at->cfg);
	struct ip *v = ARENA_NEWN(at->a, l->n, struct ip);

	*r_n = 0;
	for (size_t i = 0; i < l->n; i++)
		if (ip_parse(l->v[i], &v[*r_n]) == 0)
			(*r_n)++;
	return v;
}

/* --- transfer --- */

static int
parse_stored(struct arena *a, struct str s, struct smtp_path *r_p)
{
	return smtp_parse_path(
	    a, str_fmt(a, "<" STRF ">", STRA(s)), SMTP_UTF8 | SMTP_UNDERSCORE | SMTP_EMPTY, r_p, NULL);
}

static struct str
wire_path(struct arena *a, struct str stored, bool utf8)
{
	struct smtp_path p;

	return parse_stored(a, stored, &p) < 0 ? stored : smtp_path(a, &p, utf8);
}

static struct smtpclient_message
make_message(struct queue_attempt *at, const struct smtpclient_extensions *ext, bool pedantic, bool requiretls)
{
	const struct queue_msg *m = &at->v[0];
	struct smtpclient_message r = {
		.eightbit = m->has_8bit, .smtputf8 = m->smtputf8, .requiretls = requiretls, .content = queue_source(at)
	};

	/* Another form of the same message for servers that can have it. */
	if (m->dsn_utf8.n > 0 && ext->smtputf8 && ext->eightbitmime) {
		r.content = message_source_mem(m->dsn_utf8);
		r.eightbit = r.smtputf8 = true;
	}
	r.need_8bitmime = pedantic && r.eightbit;
	r.from = wire_path(at->a, m->sender, r.smtputf8);
	if (str_icase(m->dsn_ret, S("FULL")) || str_icase(m->dsn_ret, S("HDRS")))
		r.ret = str_icase(m->dsn_ret, S("FULL")) ? "FULL" : "HDRS";
	r.envid = m->dsn_envid;
	return r;
}

static void
note_server(struct queue_outcome *o, const struct queue_session *s)
{
	o->remote_mta = s->mta;
	o->remote_ip = s->ip;
}

/* take_result writes what became of one recipient. */
static void
take_result(struct queue_attempt *at, struct queue_session *s, struct queue_outcome *o, const struct smtpclient_rcpt *r)
{
	queue_outcome_reply(at->a, o, &r->reply);
	note_server(o, s);
	if (r->status == SMTPCLIENT_RCPT_DELIVERED) {
		o->success = true;
		o->permanent = false;
		o->expected_dsn = smtpclient_extensions(s->client)->dsn;
	} else if (r->reply.code == 552) {
		o->permanent = false; // rfc/5321:3573
	}
}

/*
 * one_transaction sends to the recipients idx[0..n): 0, or the error of the whole. Those that are to come in another
 * transaction move to idx, *r_left of them.
 */
static int
one_transaction(struct queue_attempt *at, struct queue_session *s, const struct smtpclient_message *m, size_t *idx,
    size_t n, size_t *r_left, struct smtpclient_error *r_e)
{
	struct smtpclient_rcpt *rcpts = ARENA_NEWN(at->a, n, struct smtpclient_rcpt);
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		const struct queue_msg *q = &at->v[idx[i]];
		rcpts[i].address = wire_path(at->a, q->recipient, m->smtputf8);
		rcpts[i].notify = q->dsn_notify;
		rcpts[i].orcpt = q->dsn_orcpt;
	}
	int rv = smtpclient_deliver(s->client, at->a, m, rcpts, n, r_e);
	s->messages++;
	for (size_t i = 0; i < n; i++) {
		if (rcpts[i].status == SMTPCLIENT_RCPT_DELIVERED || rcpts[i].status == SMTPCLIENT_RCPT_REFUSED)
			take_result(at, s, &at->out[idx[i]], &rcpts[i]);
		else if (rv == 0)
			idx[left++] = idx[i];
	}
	*r_left = left;
	return rv;
}

int
queue_transfer(
    struct queue_attempt *at, struct queue_session *s, bool pedantic, bool requiretls, struct smtpclient_error *r_e)
{
	const struct smtpclient_extensions *ext = smtpclient_extensions(s->client);
	struct smtpclient_message m = make_message(at, ext, pedantic, requiretls);
	size_t *idx = ARENA_NEWN(at->a, at->n, size_t), n = 0;
	size_t max = ext->rcpt_max > 0 ? MIN((size_t)ext->rcpt_max, (size_t)LIMIT_SMTP_RCPTS) : LIMIT_SMTP_RCPTS;
	bool decided = false;

	for (size_t i = 0; i < at->n; i++)
		if (!at->out[i].done)
			idx[n++] = i;
	while (n > 0) {
		size_t some = MIN(n, max), left = 0;
		int rv = one_transaction(at, s, &m, idx, some, &left, r_e);

		at->transcript = smtpclient_transcript(at->a, s->client);
		if (rv < 0 && !decided && some == n)
			return rv;
		for (size_t i = 0; rv < 0 && i < some; i++) {
			if (!at->out[idx[i]].done)
				queue_outcome_error(at, &at->out[idx[i]], r_e);
			note_server(&at->out[idx[i]], s);
		}
		/* The ones that were too many come first next time. */
		memmove(idx + left, idx + some, (n - some) * sizeof(*idx));
		n = left + (n - some);
		decided = true;
		if (rv < 0 && smtpclient_botched(s->client) && n > 0) {
			for (size_t i = 0; i < n; i++) {
				queue_outcome_error(at, &at->out[idx[i]], r_e);
				at->out[idx[i]].permanent = false;
			}
			break;
		}
	}
	return 0;
}

/* --- which way --- */

static bool
sender_disabled(struct queue_attempt *at)
{
	struct idna_domain d;
	const struct config_hosted *h;

	if (idna_parse(at->a, at->v[0].sender_domain, IDNA_UNDERSCORE, &d, NULL) < 0)
		return false;
	h = config_domain(at->cfg, &d);
	return h && h->conf->disabled;
}

static bool
all_done(const struct queue_attempt *at)
{
	for (size_t i = 0; i < at->n; i++)
		if (!at->out[i].done)
			return false;
	return true;
}

void
queue_deliver(struct queue_attempt *at, struct queue_session *s)
{
	const struct config_transport *t = NULL;

	if (all_done(at))
		return;
	if (sender_disabled(at)) {
		queue_fail_all(at, false, 0, "", S("domain of the sender is disabled"));
		return;
	}
	if (at->transport.n > 0) {
		t = config_transport(at->cfg, at->transport);
		if (t == NULL) {
			queue_fail_all(at, false, 0, "",
			    str_fmt(at->a, "transport \"" STRF "\" is not configured", STRA(at->transport)));
			return;
		}
	}
	at->conf = t;
	if (t && t->fail) {
		struct str text = str_fmt(at->a, "%d %d." SMTP_E_POLICY_OTHER " " STRF, (int)t->fail->code,
		    (int)t->fail->code / 100, STRA(t->fail->message));
		queue_fail_all(at, t->fail->code / 100 == 5, (int)t->fail->code, SMTP_E_POLICY_OTHER, text);
		for (size_t i = 0; i < at->n; i++)
			at->out[i].lines = at->out[i].suppressed ? S("") : text;
	} else if (at->q->o.localserve.port != 0) {
		queue_local(at, s);
	} else if (t && (t->submissions || t->submission || t->smtp)) {
		queue_relay(at, s);
	} else {
		queue_direct(at, s);
	}
}
