/* SPDX-License-Identifier: MIT */
/*
 * Submitted mail for other hosts: signed, and into the queue, for all such recipients of the transaction at once.
 */
#include "base/utf8.h"
#include "dkim/dkim.h"
#include "message/header.h"
#include "queue/queue.h"
#include "smtpserver/smtpserver_internal.h"

static struct metric m_errors =
    METRICS_COUNTER_INIT("mox_smtpserver_errors_total", "Failures of our own in serving SMTP.", "error");

#define EXTRA_MAX 100 /* X-Mox-Extra fields of a message */

bool
smtpserver_is_remote(struct session *s, const struct config *cfg, const struct smtp_path *to)
{
	struct config_address addr;

	if (s->srv->opts.queue == NULL || !s->l->submission)
		return false;
	/* In local test mode nothing leaves; these go through the queue all the same, to show what it does. */
	if (smtpserver_is_localserve(s->srv))
		return str_starts(to->localpart, S("queue"));
	return to->host.ip.family != 0 ||
	    config_lookup_address(cfg, to->localpart, &to->host.domain, CONFIG_LOOKUP_POSTMASTER | CONFIG_LOOKUP_ALIAS,
		&addr) == CONFIG_NO_DOMAIN;
}

/* --- DKIM --- */

/* make_signer: a selector as package dkim takes it; false if its key was not loaded. */
static bool
make_signer(struct arena *a, const struct config_dkim *conf, struct str name, struct dkim_signer *r_s)
{
	const struct config_selector *sel =
	    typedesc_map_find(typedesc_type(&config_dkim_desc, "Selectors"), &conf->selectors, name);

	if (sel == NULL || sel->key == NULL || sel->hash == CONFIG_DKIM_HASH_SHA1)
		return false;
	*r_s = (struct dkim_signer){
		.selector = idna_to_ascii(a, name),
		.key = sel->key,
		.header_relaxed = sel->canonicalization.header_relaxed,
		.body_relaxed = sel->canonicalization.body_relaxed,
		.headers = { .v = sel->headers_effective.v, .n = sel->headers_effective.n },
		.dont_seal = sel->dont_seal_headers,
		.expiration_us = sel->expiration_seconds * TIME_SEC,
	};
	return true;
}

struct str
smtpserver_dkim(struct session *s, const struct config *cfg, struct str before)
{
	struct arena *a = conn_arena(s->c);
	const struct smtp_address *from = &s->data->msgfrom;
	const struct config_hosted *h = config_domain(cfg, &from->domain);
	struct message_source src = message_source_mem(str_cat(a, before, s->data->content));
	struct dkim_signer *signers;
	struct str fields = S("");
	struct errmsg e = { 0 };
	size_t n = 0;

	if (h == NULL || h->conf->dkim.sign.n == 0)
		return fields;
	signers = ARENA_NEWN(a, h->conf->dkim.sign.n, struct dkim_signer);
	for (size_t i = 0; i < h->conf->dkim.sign.n; i++)
		n += make_signer(a, &h->conf->dkim, h->conf->dkim.sign.v[i], &signers[n]);
	if (n < h->conf->dkim.sign.n)
		metrics_add(&m_errors, 1, "dkimsign", NULL);
	if (n == 0)
		return fields;
	/* Who receives it may take it all the same, so it goes out without. */
	if (dkim_sign(a, &src, config_canonical(a, h, from->localpart), from->domain.ascii, signers, n,
		s->srv->opts.clock, &fields, &e) < 0) {
		metrics_add(&m_errors, 1, "dkimsign", NULL);
		log_error(conn_log(s->c), "signing message", log_err(e.text), log_s("domain", from->domain.ascii));
		return S("");
	}
	return fields;
}

/* --- the queue --- */

/* take_extra: fields X-Mox-Extra-Name of the message are for the webhooks about it. */
static int
take_extra(struct session *s, struct typedesc_str_map *extra)
{
	struct arena *a = &s->tx.arena;
	struct str rest = s->data->header, prefix = S("X-Mox-Extra-");
	struct message_field f;
	struct str dup;

	*extra = (struct typedesc_str_map){ 0 };
	while (message_field_next(&rest, &f, NULL)) {
		if (!str_istarts(f.name, prefix) || f.name.n == prefix.n)
			continue;
		if (extra->n == EXTRA_MAX)
			return smtpserver_userf(
			    s, 554, SMTP_E_CONTENT_OTHER, "at most %d X-Mox-Extra headers", EXTRA_MAX);
		extra->v = arena_grow(a, extra->v, extra->n, extra->n + 1, sizeof(*extra->v));
		extra->v[extra->n++] = (struct typedesc_str_entry){ message_field_name(a, str_from(f.name, prefix.n)),
			utf8_clean(a, message_unfold(a, f.body)) };
	}
	if (!typedesc_map_sort(typedesc_type(&queue_msg_desc, "Extra"), extra, &dup))
		return smtpserver_userf(s, 554, SMTP_E_CONTENT_OTHER, "duplicate X-Mox-Extra header");
	return 0;
}

/* wants_no_tls: "TLS-Required: No", which REQUIRETLS overrides: rfc/8689:243 */
static bool
wants_no_tls(struct session *s)
{
	struct str v = message_header_get(conn_arena(s->c), s->data->header, S("TLS-Required"));

	return !s->tx.requiretls && str_icase(v, S("no"));
}

static struct str
message_id_of(struct session *s)
{
	struct arena *a = conn_arena(s->c);
	struct str id = message_header_get(a, s->data->header, S("Message-Id"));

	if (id.n == 0)
		id = message_header_get(a, s->data->prefix, S("Message-Id"));
	return str_dup(a, str_log(a, id, 1000));
}

int
smtpserver_enqueue(struct session *s, const struct rcpt *const *rcpts, size_t n)
{
	struct arena *a = conn_arena(s->c);
	const bool yes = true, no = false;
	struct queue_add add = {
		.account = s->user.account,
		.from = s->tx.from,
		.content = s->data->blob,
		.has_8bit = s->data->dot.content.has_8bit || !str_is_ascii(s->data->prefix),
		.smtputf8 = s->data->utf8_needed,
		.require_tls = s->tx.requiretls ? &yes :
		    wants_no_tls(s)             ? &no :
		    NULL,
		.message_id = message_id_of(s),
		.subject = utf8_clean(a, message_header_get(a, s->data->header, S("Subject"))),
		.release_us = s->tx.release_us,
		.future_release = s->tx.future_release,
		.dsn_ret = s->tx.dsn_ret,
		.dsn_envid = s->tx.dsn_envid,
		.rcpts = ARENA_NEWN(a, n, struct queue_add_rcpt),
		.nrcpts = n,
	};
	struct errmsg e = { 0 };

	TRY(take_extra(s, &add.extra));
	for (size_t i = 0; i < n; i++) {
		struct buf b = BUF_ARENA(a, 64 * 1024);

		/* With several recipients their prefixes are the same, so that one transaction can serve them. */
		smtpserver_received(s, &b, s->tx.nrcpts == 1 ? &rcpts[i]->path : NULL);
		buf_add(&b, s->data->prefix);
		add.rcpts[i] = (struct queue_add_rcpt){ .to = rcpts[i]->path,
			.prefix = buf_str(&b),
			.dsn_notify = rcpts[i]->dsn_notify,
			.dsn_orcpt = rcpts[i]->dsn_orcpt };
	}
	int err = queue_add(s->srv->opts.queue, &add, NULL, &e);
	if (err < 0) {
		metrics_add(&smtpserver_m_submission, 1, "queueerror", NULL);
		return smtpserver_serverf(s, err, "queueing message: %s", e.text);
	}
	log_info(conn_log(s->c), "message queued", log_s("from", smtp_path_log(a, &s->tx.from)), log_u("recipients", n),
	    log_i("size", (int64_t)s->data->content.n));
	return 0;
}
