/* SPDX-License-Identifier: MIT */
/*
 * Delivery to the hosts of the recipient's domain.
 *
 * For each host, in order: is it one that the MTA-STS policy names; do TLSA records say how its certificate has to
 * be; then a connection with TLS as that demands. Only where neither speaks for TLS, or the sender wants the message
 * delivered rather than protected (TLS-Required: No, rfc/8689:208), a failure of TLS is followed by another try
 * without. The table of all cases is in ../spec/queue.md 5.
 */
#include "queue/queue_internal.h"

#include "base/mem.h"
#include "dane/dane.h"

#define DIAL_US (30 * TIME_SEC)
#define SMTP_US (30 * TIME_MIN)
#define DIALED_MAX 4096 /* of the list of earlier connections */

static struct metric m_destinations =
    METRICS_COUNTER_INIT("mox_queue_destinations_total", "Domains that were looked up.");
static struct metric m_authentic =
    METRICS_COUNTER_INIT("mox_queue_destinations_authentic_total", "Domains whose hosts are known by DNSSEC.");
static struct metric m_dane_required =
    METRICS_COUNTER_INIT("mox_queue_destination_dane_required_total", "Hosts with TLSA records.");
static struct metric m_dane_unverified = METRICS_COUNTER_INIT(
    "mox_queue_destination_dane_starttlsunverified_total", "Hosts with unusable TLSA records only.");
static struct metric m_dane_errors =
    METRICS_COUNTER_INIT("mox_queue_destination_dane_gathertlsa_errors_total", "Failed look-ups of TLSA records.");
static struct metric m_tlsno = METRICS_COUNTER_INIT(
    "mox_queue_tlsrequiredno_ignored_total", "Reasons against delivery that TLS-Required: No overrode.", "ignored");
static struct metric m_requiretls =
    METRICS_COUNTER_INIT("mox_queue_requiretls_unsupported_total", "REQUIRETLS that could not be.", "reason");
static struct metric m_plaintext =
    METRICS_COUNTER_INIT("mox_queue_plaintext_fallback_total", "Second tries without TLS.");

struct delivery {
	struct queue_attempt *at;
	struct queue_session *s;
	struct str domain; /* ASCII, or IP as text */
	bool is_ip;
	bool tls_no, tls_yes; /* TLS-Required: No; REQUIRETLS */
	struct smtpclient_destinations dest;
	struct queue_sts sts;
	bool enforce;
};

/* What became of one host. */
struct host_result {
	bool done;          /* every message has its outcome */
	bool tls_failed;    /* STARTTLS refused, or the handshake failed */
	bool dane;          /* TLSA records exist */
	bool no_requiretls; /* the host cannot do what REQUIRETLS asks */
	struct smtpclient_error e;
	struct str mta, ip;
};

struct dane_arg {
	struct queue *q;
	struct arena *a;
	const struct smtpclient_tlsa *tlsa;
	struct strlist names;
};

static struct ctx
ctx_of(struct queue_attempt *at, int64_t us)
{
	struct ctx c = { .stop = &at->q->stop, .stop_fd = at->q->stop_fd };

	return ctx_within(&c, us);
}

static int
verify_dane(void *arg, X509 *leaf, STACK_OF(X509) * chain, bool *r_errors, struct errmsg *e)
{
	const struct dane_arg *d = arg;
	struct dane_record *records = ARENA_NEWN(d->a, d->tlsa->n, struct dane_record);
	struct dane_result result = { 0 };

	if (d->q->o.dane)
		return d->q->o.dane(d->q->o.arg, d->tlsa->v, d->tlsa->n, &d->names, leaf, chain, r_errors, e);
	for (size_t i = 0; i < d->tlsa->n; i++) {
		const struct dns_record *r = &d->tlsa->v[i];
		records[i] = (struct dane_record){ r->usage, r->selector, r->matching, r->data };
	}
	struct dane_check check = {
		.records = records, .n = d->tlsa->n, .usages = DANE_SMTP, .names = d->names.v, .nnames = d->names.n
	};
	int rv = dane_verify(d->a, &check, chain, &result, e);
	*r_errors = result.nfailures > 0;
	return rv;
}

static bool
host_fails(struct delivery *d, struct host_result *r, bool permanent, int code, const char *secode, const char *fmt,
    const char *more)
{
	r->e = (struct smtpclient_error){
		.cause = SMTPCLIENT_IO, .permanent = permanent, .text = str_fmt(d->at->a, "%s%s", fmt, more)
	};
	r->e.reply.code = code;
	snprintf(r->e.reply.secode, sizeof(r->e.reply.secode), "%s", secode);
	return false;
}

/* --- earlier connections, kept with the message: lines "host ip ip" --- */

static struct str
dialed_line(struct str text, struct str host)
{
	while (text.n > 0) {
		struct str line = str_split(&text, '\n'), ips = line;
		if (str_is(str_split(&ips, ' '), host))
			return ips;
	}
	return S("");
}

static struct smtpclient_dialed
dialed_before(struct arena *a, struct str text, struct str host)
{
	struct str ips = dialed_line(text, host);
	struct smtpclient_dialed d = { .v = ARENA_NEWN(a, ips.n / 2 + 1, struct ip) };

	while (ips.n > 0)
		if (ip_parse(str_split(&ips, ' '), &d.v[d.n]) == 0)
			d.n++;
	return d;
}

static void
add_dialed(struct queue_attempt *at, struct str host, const struct ip *ip)
{
	struct str addr = ip_str(at->a, ip);

	for (size_t i = 0; i < at->n; i++) {
		struct str text = at->v[i].dialed_ips, ips = dialed_line(text, host);
		struct buf b = BUF_ARENA(at->a, DIALED_MAX);

		buf_addf(&b, STRF " " STRF "%s" STRF "\n", STRA(host), STRA(ips), ips.n ? " " : "", STRA(addr));
		while (text.n > 0) {
			struct str line = str_split(&text, '\n'), rest = line;
			if (!str_is(str_split(&rest, ' '), host))
				buf_addf(&b, STRF "\n", STRA(line));
		}
		/* After very many connections to very many hosts it starts anew. */
		at->v[i].dialed_ips = b.failed ? S("") : buf_str(&b);
	}
}

/* --- a host --- */

/* find_tlsa: may DANE apply, and what does it say? False: the host is to be skipped. */
static bool
find_tlsa(struct delivery *d, const struct smtpclient_host *host, const struct smtpclient_ips *ips,
    struct smtpclient_tlsa *t, struct host_result *r)
{
	struct ctx ctx = ctx_of(d->at, DIAL_US);
	struct errmsg e = { 0 };

	*t = (struct smtpclient_tlsa){ .base = host->name };
	if (host->is_ip || !ips->authentic || !d->dest.authentic || (d->dest.have_mx && !d->dest.expanded_authentic))
		return true;
	int rv = smtpclient_gather_tlsa(
	    d->at->q->o.resolver, d->at->a, &ctx, host->name, ips->expanded_authentic, ips->expanded, t, &e);
	if (t->required)
		metrics_add(&m_dane_required, 1, NULL);
	if (rv < 0) {
		metrics_add(&m_dane_errors, 1, NULL);
		if (d->tls_no) {
			metrics_add(&m_tlsno, 1, "badtlsa", NULL);
			*t = (struct smtpclient_tlsa){ .base = host->name };
			return true;
		}
		r->dane = true;
		return host_fails(d, r, false, 0, "", "looking up TLSA records: ", e.text);
	}
	r->dane = t->required;
	if (t->required && t->n == 0)
		metrics_add(&m_dane_unverified, 1, NULL);
	return true;
}

static bool
connect_host(struct delivery *d, const struct smtpclient_host *host, const struct smtpclient_ips *ips, int *r_fd,
    struct ip *r_ip, struct host_result *r)
{
	struct queue_attempt *at = d->at;
	struct ctx ctx = ctx_of(at, DIAL_US);
	struct smtpclient_dial_opts o = { .ctx = &ctx, .ips = ips->v, .nips = ips->n, .port = at->q->o.port };
	struct errmsg e = { 0 };
	size_t index = 0, nlocal;

	if (at->conf && at->conf->socks) {
		o.socks = str_dup(at->a, at->conf->socks->address).p;
	} else {
		o.local = queue_local_ips(at, &nlocal);
		o.nlocal = nlocal;
	}
	int rv = at->q->o.dial ? at->q->o.dial(at->q->o.dial_arg, &o, r_fd, &index, &e) :
				 smtpclient_dial(&o, r_fd, &index, &e);
	metrics_add(&queue_m_connection, 1,
	    rv == 0                ? "ok" :
		rv == ERR_TIMEOUT  ? "timeout" :
		rv == ERR_CANCELED ? "canceled" :
		    "error",
	    NULL);
	if (rv < 0)
		return host_fails(d, r, false, 0, "", "connecting to the mail server: ", e.text);
	*r_ip = ips->v[index];
	add_dialed(at, host->name, r_ip);
	r->mta = host->name;
	r->ip = ip_str(at->a, r_ip);
	return true;
}

static const char *
tls_mode_name(struct delivery *d, enum smtpclient_tls_mode mode, const struct smtpclient_tlsa *t)
{
	return str_fmt(d->at->a, "%s%s%s",
	    mode == SMTPCLIENT_TLS_REQUIRED ? "requiredstarttls" :
		mode == SMTPCLIENT_TLS_SKIP ? "skip" :
		    "opportunistic",
	    d->enforce ? "+mtasts" : "", t->n > 0 ? "+dane" : "")
	    .p;
}

/* open_session brings the dialogue up with TLS as policies demand. */
static bool
open_session(struct delivery *d, const struct smtpclient_host *host, const struct smtpclient_ips *ips,
    const struct smtpclient_tlsa *t, bool skip_tls, struct host_result *r)
{
	struct queue_attempt *at = d->at;
	struct queue_session *s = d->s;
	struct dane_arg arg = { at->q, at->a, t, { 0 } };
	struct smtpclient_dane dane = { verify_dane, &arg };
	struct smtpclient_tls_facts facts = { 0 };
	enum smtpclient_tls_mode mode = skip_tls ? SMTPCLIENT_TLS_SKIP :
	    d->enforce || t->required            ? SMTPCLIENT_TLS_REQUIRED :
	    SMTPCLIENT_TLS_OPPORTUNISTIC;
	struct ip ip;
	int fd;

	if (!connect_host(d, host, ips, &fd, &ip, r))
		return false;
	struct ctx ctx = ctx_of(at, SMTP_US);
	struct smtpclient_opts o = {
		.fd = fd,
		.ctx = &ctx,
		.log = at->log,
		.mode = mode,
		.tls = at->q->o.tls,
		.remote_name = host->name,
		.ehlo = at->conf && at->conf->socks ? idna_to_ascii(at->a, at->conf->socks->remote_hostname) :
		    at->cfg->hostname.ascii,
		.verify_pkix = d->enforce,
		.ignore_verify_errors = d->tls_no,
	};
	/*
	 * With an enforced policy the certificate has to be for the host that the policy names, whatever the TLSA
	 * base domain.
	 */
	if (t->n > 0 && !skip_tls) {
		smtpclient_tlsa_names(at->a, d->dest.have_mx, d->dest.expanded_authentic, ips->expanded_authentic,
		    d->domain, d->dest.expanded, host->name, t->base, &arg.names);
		o.dane = &dane;
		if (!d->enforce)
			o.remote_name = t->base;
	}
	int rv = smtpclient_new(at->a, &o, &s->client, &facts, &r->e);
	if (at->q->o.tls_result && !skip_tls)
		at->q->o.tls_result(at->q->o.arg, at->v[0].recipient_domain, host->name, &facts);
	at->tls_mode = tls_mode_name(d, mode, t);
	if (rv < 0) {
		r->tls_failed = r->e.cause == SMTPCLIENT_TLS;
		/* Whoever stands between could refuse STARTTLS with 5xx, too: that must not turn mail away for good. */
		if (r->tls_failed)
			r->e.permanent = false;
		return false;
	}
	s->key = str_dup(&s->arena, queue_session_key(at));
	s->mta = str_dup(&s->arena, host->name);
	s->ip = ip_str(&s->arena, &ip);
	s->opened_mono = time_mono_us();
	s->tls_mode = str_dup(&s->arena, str_of(at->tls_mode)).p;
	return true;
}

static void
note_dual_stack(struct delivery *d, const struct smtpclient_ips *ips, struct host_result *r)
{
	/* Perhaps only one of our addresses has a bad name: the other family is tried next time. */
	if (r->e.permanent && r->e.reply.secode[0] == '7' && d->at->v[0].attempts == 1 && ips->dual_stack)
		r->e.permanent = false;
}

static bool
check_requiretls(struct delivery *d, const struct smtpclient_tlsa *t, struct host_result *r)
{
	if (!d->tls_yes || d->enforce || t->n > 0)
		return true;
	metrics_add(&m_requiretls, 1, "nopolicy", NULL);
	r->no_requiretls = true;
	return host_fails(d, r, false, 554, SMTP_E_POLICY_REQUIRETLS,
	    "message requires TLS all the way, and neither DANE nor MTA-STS protects the mail server", "");
}

static void
deliver_host(struct delivery *d, const struct smtpclient_host *host, bool skip_tls, struct host_result *r)
{
	struct queue_attempt *at = d->at;
	struct ctx ctx = ctx_of(at, DIAL_US);
	struct smtpclient_dialed dialed = dialed_before(at->a, at->v[0].dialed_ips, host->name);
	const struct config_transport_direct *direct = at->conf ? at->conf->direct : NULL;
	int family = direct && direct->disable_ipv4 ? 6 : direct && direct->disable_ipv6 ? 4 : 0;
	struct smtpclient_ips ips = { 0 };
	struct smtpclient_tlsa t = { .base = host->name };
	struct errmsg e = { 0 };

	*r = (struct host_result){ 0 };
	if (smtpclient_gather_ips(at->q->o.resolver, at->a, &ctx, host, family, &dialed, &ips, &e) < 0) {
		host_fails(d, r, false, 0, "", "looking up the mail server: ", e.text);
		return;
	}
	if ((!skip_tls && !find_tlsa(d, host, &ips, &t, r)) || !check_requiretls(d, &t, r))
		return;
	if (open_session(d, host, &ips, &t, skip_tls, r) &&
	    queue_transfer(at, d->s, at->cfg->pedantic, d->tls_yes, &r->e) == 0)
		r->done = true;
	if (r->e.cause == SMTPCLIENT_NO_REQUIRETLS && !r->done) {
		metrics_add(&m_requiretls, 1, "norequiretls", NULL);
		r->no_requiretls = true;
		r->e.reply.code = 554;
		snprintf(r->e.reply.secode, sizeof(r->e.reply.secode), "%s", SMTP_E_POLICY_REQUIRETLS);
	}
	note_dual_stack(d, &ips, r);
	if (d->s->client && smtpclient_botched(d->s->client))
		queue_session_close(d->s);
	/* Not for the next host. */
	if (!r->done)
		queue_session_close(d->s);
}

/* in_policy: may mail for the domain go to the host? */
static bool
in_policy(struct delivery *d, const struct smtpclient_host *host)
{
	return !d->sts.have || d->sts.policy.mode == MTASTS_NONE || mtasts_match(&d->sts.policy, host->name);
}

static void
fail_with(struct queue_attempt *at, const struct host_result *r)
{
	for (size_t i = 0; i < at->n; i++) {
		struct queue_outcome *o = &at->out[i];

		if (o->done)
			continue;
		if (r->e.reply.line.n > 0) {
			queue_outcome_error(at, o, &r->e);
		} else {
			o->done = true;
			o->permanent = r->e.permanent;
			o->code = r->e.reply.code;
			memcpy(o->secode, r->e.reply.secode, sizeof(o->secode));
			o->error = str_log(at->a, r->e.text, 500);
		}
		o->remote_mta = r->mta;
		o->remote_ip = r->ip;
	}
}

static void
try_hosts(struct delivery *d)
{
	struct host_result r = { 0 };
	bool all_no_requiretls = d->dest.nhosts > 0;

	for (size_t i = 0; i < d->dest.nhosts; i++) {
		const struct smtpclient_host *host = &d->dest.hosts[i];
		bool match = in_policy(d, host);

		if (!match && d->enforce && !d->tls_no) {
			r = (struct host_result){ 0 };
			host_fails(d, &r, false, 0, "", "mail server is not in the MTA-STS policy of the domain: ",
			    str_dup(d->at->a, host->name).p);
			all_no_requiretls = false;
			continue;
		}
		if (!match && d->enforce)
			metrics_add(&m_tlsno, 1, "mtastsmx", NULL);
		deliver_host(d, host, false, &r);
		if (r.tls_failed && !d->tls_yes &&
		    (d->tls_no || (!d->enforce && !r.dane && !d->at->v[0].is_dmarc_report))) {
			metrics_add(&m_plaintext, 1, NULL);
			if (d->tls_no)
				metrics_add(&m_tlsno, 1, "badtls", NULL);
			log_info(d->at->log, "tls failed, trying again without", log_s("host", host->name),
			    log_s("err", r.e.text));
			deliver_host(d, host, true, &r);
		}
		if (r.done)
			return;
		all_no_requiretls = all_no_requiretls && r.no_requiretls;
		if (r.e.permanent || d->at->q->stop)
			break;
	}
	if (all_no_requiretls)
		r.e.permanent = true; // rfc/8689:288
	fail_with(d->at, &r);
}

/* again uses a connection that is still there from the last message: true if that decided everything. */
static bool
use_again(struct queue_attempt *at, struct queue_session *s)
{
	struct smtpclient_error e = { 0 };
	struct ctx ctx = ctx_of(at, SMTP_US);

	if (!queue_session_fits(s, queue_session_key(at)))
		return false;
	at->tls_mode = str_dup(at->a, str_of(s->tls_mode)).p;
	smtpclient_set_ctx(s->client, &ctx);
	int rv = queue_transfer(at, s, at->cfg->pedantic, at->v[0].require_tls && *at->v[0].require_tls, &e);
	if (rv == 0)
		return true;
	if (e.cause == SMTPCLIENT_STATUS && e.reply.code != 421) {
		struct host_result r = { .e = e, .mta = str_dup(at->a, s->mta), .ip = str_dup(at->a, s->ip) };
		fail_with(at, &r);
		return true;
	}
	queue_session_close(s);
	return false;
}

static int
find_policy(struct delivery *d, struct errmsg *e)
{
	struct ctx ctx = ctx_of(d->at, 2 * TIME_MIN);

	if (d->is_ip || d->at->q->o.sts == NULL)
		return 0;
	int rv = d->at->q->o.sts(d->at->q->o.arg, d->at->a, &ctx, d->domain, &d->sts, e);
	if (rv < 0 && d->tls_no) {
		metrics_add(&m_tlsno, 1, "mtastspolicy", NULL);
		d->sts = (struct queue_sts){ 0 };
		return 0;
	}
	d->enforce = rv == 0 && d->sts.have && d->sts.policy.mode == MTASTS_ENFORCE;
	return rv;
}

void
queue_direct(struct queue_attempt *at, struct queue_session *s)
{
	struct delivery d = { .at = at, .s = s };
	const struct queue_msg *m = &at->v[0];
	struct ctx ctx = ctx_of(at, 5 * TIME_MIN);
	struct errmsg e = { 0 };
	struct smtp_ipdomain host;

	if (use_again(at, s))
		return;
	d.tls_no = m->require_tls && !*m->require_tls;
	d.tls_yes = m->require_tls && *m->require_tls;
	if (smtp_parse_ipdomain(at->a, m->recipient_domain, SMTP_UTF8 | SMTP_UNDERSCORE, &host, &e) < 0) {
		queue_fail_all(at, true, 0, "", S("recipient's domain is not valid"));
		return;
	}
	d.is_ip = host.ip.family != 0;
	d.domain = d.is_ip ? ip_str(at->a, &host.ip) : host.domain.ascii;
	metrics_add(&m_destinations, 1, NULL);
	if (smtpclient_gather_destinations(at->q->o.resolver, at->a, &ctx, d.domain, d.is_ip, &d.dest, &e) < 0) {
		queue_fail_all(at, d.dest.permanent, 0, d.dest.permanent && d.dest.have_mx ? SMTP_E_ADDR_NULL_MX : "",
		    str_fmt(at->a, "looking up mail servers: %s", e.text));
		return;
	}
	if (d.dest.authentic)
		metrics_add(&m_authentic, 1, NULL);
	int rv = find_policy(&d, &e);
	if (rv < 0)
		queue_fail_all(
		    at, false, 0, "", str_fmt(at->a, "MTA-STS policy: %s", e.text[0] ? e.text : err_text(rv)));
	else
		try_hosts(&d);
}
