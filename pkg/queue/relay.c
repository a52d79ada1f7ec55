/* SPDX-License-Identifier: MIT */
/*
 * Delivery to one configured server: submission and SMTP transports, and ourselves in local test mode.
 */
#include "queue/queue_internal.h"

#include "base/mem.h"

#define DIAL_US (30 * TIME_SEC)
#define SETUP_US (60 * TIME_SEC)
#define TRANSFER_US (60 * TIME_SEC)
#define PER_MIB_US TIME_SEC

static const enum sasl_mech default_mechs[] = { SASL_SCRAM_SHA256_PLUS, SASL_SCRAM_SHA256, SASL_SCRAM_SHA1_PLUS,
	SASL_SCRAM_SHA1, SASL_CRAM_MD5 };

struct relay {
	struct str host; /* name, or IP as text */
	uint16_t port;
	enum smtpclient_tls_mode mode;
	bool verify;
	const struct config_smtp_auth *auth;
	struct ip ip; /* connect here instead of looking the host up */
	bool pedantic;
};

static struct ctx
ctx_of(struct queue_attempt *at, int64_t us)
{
	struct ctx c = { .stop = &at->q->stop, .stop_fd = at->q->stop_fd };

	return ctx_within(&c, us);
}

static void
fail_text(struct queue_attempt *at, const char *what, struct str text)
{
	queue_fail_all(at, false, 0, "", str_fmt(at->a, "%s: " STRF, what, STRA(text)));
}

static bool
connect_to(struct queue_attempt *at, const struct relay *r, int *r_fd, struct ip *r_ip)
{
	struct ctx ctx = ctx_of(at, DIAL_US);
	struct smtpclient_host host = { .name = r->host };
	struct smtpclient_ips ips = { 0 };
	struct errmsg e = { 0 };
	struct ip ip;
	size_t index = 0, nlocal;
	int rv = 0;

	host.is_ip = ip_parse(r->host, &ip) == 0;
	if (r->ip.family) {
		ips.v = ARENA_NEW(at->a, struct ip);
		ips.v[0] = r->ip;
		ips.n = 1;
	} else {
		rv = smtpclient_gather_ips(at->q->o.resolver, at->a, &ctx, &host, 0, NULL, &ips, &e);
	}
	if (rv == 0) {
		struct smtpclient_dial_opts o = { .ctx = &ctx, .ips = ips.v, .nips = ips.n, .port = r->port };
		o.local = queue_local_ips(at, &nlocal);
		o.nlocal = r->ip.family ? 0 : nlocal;
		rv = at->q->o.dial ? at->q->o.dial(at->q->o.dial_arg, &o, r_fd, &index, &e) :
		    smtpclient_dial(&o, r_fd, &index, &e);
		metrics_add(&queue_m_connection, 1,
		    rv == 0                ? "ok" :
			rv == ERR_TIMEOUT  ? "timeout" :
			rv == ERR_CANCELED ? "canceled" :
			    "error",
		    NULL);
	}
	if (rv < 0) {
		fail_text(at, "connecting", str_of(e.text[0] ? e.text : err_text(rv)));
		return false;
	}
	*r_ip = ips.v[index];
	return true;
}

static size_t
pick_mechs(const struct config_smtp_auth *auth, enum sasl_mech *v)
{
	size_t n = 0;

	for (size_t i = 0; i < auth->mechanisms.n && n < SASL_MECHS; i++)
		if (sasl_mech_parse(
			str_of(typedesc_enum_text(&config_sasl_mechanism_desc, &auth->mechanisms.v[i])), &v[n]) == 0)
			n++;
	if (n == 0) {
		memcpy(v, default_mechs, sizeof(default_mechs));
		n = ARRAY_LEN(default_mechs);
	}
	return n;
}

/* open_session connects and brings the dialogue up. */
static bool
open_session(struct queue_attempt *at, struct queue_session *s, const struct relay *r)
{
	enum sasl_mech mechs[SASL_MECHS];
	struct smtpclient_auth auth;
	struct smtpclient_error e = { 0 };
	struct ip ip;
	int fd;

	if (!connect_to(at, r, &fd, &ip))
		return false;
	struct ctx ctx = ctx_of(at, SETUP_US);
	struct smtpclient_opts o = {
		.fd = fd,
		.ctx = &ctx,
		.log = at->log,
		.ehlo = at->cfg->hostname.ascii,
		.mode = r->mode,
		.tls = at->q->o.tls,
		.remote_name = r->host,
		.verify_pkix = r->verify,
	};
	if (r->auth) {
		auth =
		    (struct smtpclient_auth){ r->auth->username, r->auth->password, mechs, pick_mechs(r->auth, mechs) };
		o.auth = &auth;
	}
	if (smtpclient_new(at->a, &o, &s->client, NULL, &e) < 0) {
		if (e.cause == SMTPCLIENT_TLS)
			e.permanent = false; /* as in direct.c */
		for (size_t i = 0; i < at->n; i++) {
			if (at->out[i].done)
				continue;
			queue_outcome_error(at, &at->out[i], &e);
			at->out[i].remote_mta = e.reply.code ? r->host : S("");
		}
		return false;
	}
	s->key = str_dup(&s->arena, queue_session_key(at));
	s->mta = str_dup(&s->arena, r->host);
	s->ip = ip_str(&s->arena, &ip);
	s->opened_mono = time_mono_us();
	s->tls_mode = r->mode == SMTPCLIENT_TLS_IMMEDIATE ? "immediate" :
	    r->mode == SMTPCLIENT_TLS_REQUIRED            ? "requiredstarttls" :
	    r->mode == SMTPCLIENT_TLS_SKIP                ? "skip" :
							    "opportunistic";
	return true;
}

static void
run(struct queue_attempt *at, struct queue_session *s, const struct relay *r)
{
	struct smtpclient_error e = { 0 };
	bool requiretls = at->v[0].require_tls && *at->v[0].require_tls;

	for (bool again = queue_session_fits(s, queue_session_key(at));; again = false) {
		if (!again && !open_session(at, s, r))
			return;
		at->tls_mode = s->tls_mode;
		struct ctx ctx = ctx_of(at, TRANSFER_US + PER_MIB_US * (at->v[0].size >> 20));
		smtpclient_set_ctx(s->client, &ctx);
		int rv = queue_transfer(at, s, r->pedantic, requiretls, &e);
		if (rv == 0)
			return;
		bool lost = e.cause == SMTPCLIENT_IO || e.cause == SMTPCLIENT_BOTCHED || e.reply.code == 421;
		if (again && lost && !at->q->stop) {
			/* The server had enough of the connection; that says nothing about the message. */
			queue_session_close(s);
			continue;
		}
		for (size_t i = 0; i < at->n; i++) {
			if (at->out[i].done)
				continue;
			queue_outcome_error(at, &at->out[i], &e);
			at->out[i].remote_mta = e.reply.code ? s->mta : S("");
			at->out[i].remote_ip = e.reply.code ? s->ip : S("");
		}
		if (smtpclient_botched(s->client))
			queue_session_close(s);
		return;
	}
}

void
queue_relay(struct queue_attempt *at, struct queue_session *s)
{
	const struct config_transport_smtp *t = at->conf->submissions ? at->conf->submissions :
	    at->conf->submission                                      ? at->conf->submission :
									at->conf->smtp;
	struct relay r = { .host = t->host,
		.port = (uint16_t)t->port,
		.auth = t->auth,
		.mode = SMTPCLIENT_TLS_REQUIRED,
		.verify = true,
		.pedantic = true };

	if (t->port == 0)
		r.port = at->conf->submissions ? 465 : at->conf->submission ? 587 : 25;
	if (at->conf->submissions)
		r.mode = SMTPCLIENT_TLS_IMMEDIATE;
	else if (t->starttls_insecure_skip_verify)
		r.verify = false;
	else if (t->no_starttls)
		r.mode = SMTPCLIENT_TLS_SKIP;
	if (!r.verify)
		r.mode = SMTPCLIENT_TLS_REQUIRED;
	if (at->v[0].require_tls && *at->v[0].require_tls && (r.mode == SMTPCLIENT_TLS_SKIP || !r.verify)) {
		queue_fail_all(at, true, 554, SMTP_E_POLICY_REQUIRETLS,
		    S("message requires verified TLS, which the transport does not have")); // rfc/8689:288
		return;
	}
	run(at, s, &r);
}

void
queue_local(struct queue_attempt *at, struct queue_session *s)
{
	struct relay r = {
		.host = S("localhost"),
		.port = at->q->o.localserve.port,
		.ip = at->q->o.localserve.ip,
		.mode = SMTPCLIENT_TLS_OPPORTUNISTIC,
	};

	run(at, s, &r);
}
