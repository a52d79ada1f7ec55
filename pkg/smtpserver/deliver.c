/* SPDX-License-Identifier: MIT */
/*
 * Delivery: recipients become targets, an account and a mailbox each, and every target gets the message, before the client gets its answer.
 *
 * SMTP has one answer for all recipients. 250 is given only when the message is on disk for every one of them. RFC 5321 section 4.2.5 wants 250 and
 * a bounce where some could get it and others not; until there is a queue for bounces, such a transaction is refused, and the text tells who got the
 * message and who did not. If what failed may work later (451, 452), the sender tries again, and those who got it are passed over (partial.c).
 * So nothing that was acknowledged is lost, and nobody gets a message twice. Full mailboxes and wrong addresses are refused by RCPT already,
 * each for itself.
 */
#include "base/enc.h"
#include "base/hash.h"
#include "base/mem.h"
#include "smtpserver/smtpserver_internal.h"

/* One copy. Strings are in the arena of the unit. */
struct target {
	const struct smtp_path *rcpt;           /* as in RCPT TO */
	struct str account, mailbox;
	struct str address;                     /* Delivered-To: of the recipient, or of the member of an alias */
	uint8_t key[32];                        /* for partial.c; set when needed */
	bool delivered;
	bool remote;                            /* for the queue; without account and mailbox */
	const struct rcpt *from_rcpt;
	struct failure failure;                 /* why not */
};

struct plan {
	struct target *v;
	size_t n, cap;
};

static void
add_target(struct session *s, struct plan *p, const struct target *t)
{
	/* The same recipient twice is one recipient. */
	for (size_t i = 0; i < p->n; i++)
		if (str_is(p->v[i].account, t->account) && str_is(p->v[i].address, t->address) && !p->v[i].failure.set && !t->failure.set)
			return;
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 4;
		p->v = arena_grow(conn_arena(s->c), p->v, p->n, p->cap, sizeof(*p->v));
	}
	p->v[p->n++] = *t;
}

static struct str
address_text(struct session *s, const struct smtp_path *path)
{
	return smtp_path(conn_arena(s->c), path, s->data->utf8_needed);
}

/* plan_account is the place where a message for an account gets its mailbox. */
static void
plan_account(struct session *s, struct plan *p, const struct rcpt *r, const struct config_address *addr, struct str address)
{
	struct arena *a = conn_arena(s->c);
	struct str mailbox = addr->destination && addr->destination->mailbox.n ? addr->destination->mailbox : S("Inbox");

	add_target(s, p, &(struct target){ .rcpt = &r->path, .account = str_dup(a, addr->account_name), .mailbox = str_dup(a, mailbox), .address = address });
}

static void
plan_failure(struct session *s, struct plan *p, const struct rcpt *r, int code, const char *ecode, const char *text)
{
	struct target t = { .rcpt = &r->path, .address = address_text(s, &r->path), .failure = { .set = true, .code = code, .text = str_of(text) } };

	snprintf(t.failure.ecode, sizeof(t.failure.ecode), "%s", ecode);
	add_target(s, p, &t);
}

/* may_post: members may; others only where the alias is open to all; as the alias itself if it lets its members. */
static bool
may_post(struct session *s, const struct config_address *alias)
{
	struct arena *a = conn_arena(s->c);
	struct str from = smtp_address(a, &s->data->msgfrom, true);

	if (smtp_address_is_zero(&s->data->msgfrom))
		return alias->alias->post_public;
	for (size_t i = 0; i < alias->alias->addresses.n; i++)
		if (str_is(alias->alias->addresses.v[i], from))
			return true;
	if (str_is(alias->alias_address, from))
		return alias->alias->allow_msg_from;
	return alias->alias->post_public;
}

static bool
is_explicit(struct session *s, const struct smtp_address *member)
{
	struct smtp_path path = smtp_path_of(member);

	for (size_t i = 0; i < s->tx.nrcpts; i++)
		if (smtp_path_equal(&s->tx.rcpts[i].path, &path))
			return true;
	return false;
}

/* plan_alias: a copy for each member, but not for the author, nor for members that are recipients of their own. */
static void
plan_alias(struct session *s, const struct config *cfg, struct plan *p, const struct rcpt *r, const struct config_address *alias)
{
	struct arena *a = conn_arena(s->c);

	if (!may_post(s, alias)) {
		plan_failure(s, p, r, 550, "7.2", "not allowed to send to this address");
		return;
	}
	for (size_t i = 0; i < alias->alias->addresses.n; i++) {
		struct str text = alias->alias->addresses.v[i];
		struct smtp_address member;
		struct config_address addr;

		if (smtp_parse_address(a, text, SMTP_UTF8, &member, NULL) < 0 || is_explicit(s, &member) ||
		    (!smtp_address_is_zero(&s->data->msgfrom) && smtp_address_equal(&member, &s->data->msgfrom)))
			continue;
		if (config_lookup_text(cfg, text, 0, &addr) < 0)
			plan_failure(s, p, r, 451, SMTP_E_SYS_OTHER, "error processing");       /* the configuration changed meanwhile */
		else
			plan_account(s, p, r, &addr, str_dup(a, text));
	}
}

/* make_plan looks recipients up again: what RCPT found may have changed since. */
static void
make_plan(struct session *s, struct plan *p)
{
	cleanup_(config_unref) struct config *cfg = smtpserver_config(s->srv);

	for (size_t i = 0; i < s->tx.nrcpts; i++) {
		const struct rcpt *r = &s->tx.rcpts[i];
		struct config_address addr;

		if (r->remote) {
			add_target(s, p, &(struct target){ .rcpt = &r->path, .address = address_text(s, &r->path), .remote = true, .from_rcpt = r });
			continue;
		}
		int err = smtpserver_lookup(s, cfg, &r->path, &addr);

		if (err == CONFIG_DOMAIN_DISABLED)
			plan_failure(s, p, r, 450, SMTP_E_MAILBOX_DISABLED, "domain is temporarily disabled");
		else if (err < 0)
			plan_failure(s, p, r, 550, SMTP_E_ADDR_MAILBOX, "no such user(s)");
		else if (addr.kind == CONFIG_ADDRESS_ALIAS)
			plan_alias(s, cfg, p, r, &addr);
		else
			plan_account(s, p, r, &addr, address_text(s, &r->path));
	}
}

/* make_prefix writes the fields in front of the message for one target; the order is that of ../spec/delivery-analysis.md 12. */
static struct str
make_prefix(struct session *s, const struct target *t)
{
	struct arena *a = conn_arena(s->c);
	struct buf b = BUF_ARENA(a, 64 * 1024);
	/* Who else got a submitted message is seen in its header, or not at all. */
	bool name_rcpt = !s->l->submission || s->tx.nrcpts == 1;

	buf_addf(&b, "Delivered-To: " STRF "\r\n", STRA(t->address));                                   // rfc/9228:230
	buf_addf(&b, "Return-Path: <" STRF ">\r\n", STRA(smtp_path(a, &s->tx.from, false)));            // rfc/5321:3204
	smtpserver_received(s, &b, name_rcpt ? t->rcpt : NULL);
	buf_add(&b, s->data->prefix);
	/* A text without any header is a body. */
	if (!s->data->dot.content.has_body && str_find(s->data->header, ':') < 0)
		buf_add(&b, S("\r\n"));
	return buf_str(&b);
}

static void
fill_delivery_info(struct session *s, const struct target *t, struct store_delivery_info *info)
{
	struct arena *a = conn_arena(s->c);
	const struct tls_info *tls = conn_tls(s->c);
	const struct smtp_path *from = &s->tx.from;

	*info = (struct store_delivery_info){
		.remote_ip = ip_str(a, &conn_remote(s->c)->ip),
		.ehlo_domain = idna_text(&s->helo.domain, true),
		.mailfrom = smtp_path(a, from, false),
		.mailfrom_localpart = from->localpart,
		.mailfrom_domain = idna_text(&from->host.domain, true),
		.rcptto_localpart = t->rcpt->localpart,
		.rcptto_domain = idna_text(&t->rcpt->host.domain, true),
		.msgfrom_localpart = s->data->msgfrom.localpart,
		.msgfrom_domain = idna_text(&s->data->msgfrom.domain, true),
		.tls_version = tls ? tls->version : 1,
		.tls_cipher = tls ? tls->cipher_id : 0,
		.requiretls = s->tx.requiretls,
	};
}

static void
fail_target(struct target *t, int err, const struct errmsg *e)
{
	bool full = err == ERR_NOSPACE;

	if (err == ERR_OVERQUOTA)
		t->failure = (struct failure){ .set = true, .code = 452, .ecode = SMTP_E_MAILBOX_FULL, .text = S("mailbox is full") };
	else
		t->failure = (struct failure){ .set = true, .code = full ? 452 : 451, .ecode = SMTP_E_SYS_OTHER, .text = S("error processing") };
	if (full)
		snprintf(t->failure.ecode, sizeof(t->failure.ecode), "%s", SMTP_E_SYS_FULL);
	t->failure.cause = str_of(e->text[0] ? e->text : err_text(err));
}

/* deliver_target stores the message for one account. */
static void
deliver_target(struct session *s, struct target *t)
{
	cleanup_(store_account_close) struct store_account *acct = NULL;
	struct store_delivery_info info;
	struct store_added added = { 0 };
	struct errmsg e = { 0 };

	int err = store_account_open(s->srv->opts.store, t->account, false, &acct, &e);
	if (err == 0) {
		fill_delivery_info(s, t, &info);
		err = store_deliver(acct, t->mailbox, &(struct store_add){
			.blob = s->data->blob,
			.prefix = make_prefix(s, t),
			.received_us = s->data->received_us,
			.received_tz = time_local_tz_min(s->data->received_us),
			.delivery = &info,
		}, &added, &e);
	}
	if (err < 0) {
		fail_target(t, err, &e);
		metrics_add(&smtpserver_m_delivery, 1, "delivererror", "", NULL);
		log_error(conn_log(s->c), "delivering message", log_s("err", t->failure.cause), log_s("account", t->account));
		return;
	}
	t->delivered = true;
	metrics_add(&smtpserver_m_delivery, 1, "delivered", "", NULL);
	log_info(conn_log(s->c), "message delivered", log_s("account", t->account), log_s("mailbox", t->mailbox), log_i("id", added.id),
	    log_u("uid", added.uid), log_s("from", smtp_path_log(conn_arena(s->c), &s->tx.from)), log_s("to", t->address),
	    log_i("size", (int64_t)s->data->content.n));
}

/* enqueue_targets queues for all recipients at other hosts at once. */
static void
enqueue_targets(struct session *s, struct plan *p)
{
	const struct rcpt **rcpts = ARENA_NEWN(conn_arena(s->c), p->n, const struct rcpt *);
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].remote && !p->v[i].delivered)
			rcpts[n++] = p->v[i].from_rcpt;
	if (n == 0)
		return;
	bool ok = smtpserver_enqueue(s, rcpts, n) == 0;
	for (size_t i = 0; i < p->n; i++) {
		if (!p->v[i].remote || p->v[i].delivered)
			continue;
		p->v[i].delivered = ok;
		if (!ok)
			p->v[i].failure = s->failure;
	}
	/* It is rendered with those of the other recipients. */
	s->failure = (struct failure){ 0 };
}

/* target_keys: what a target is known by when the same message is sent again. */
static int
target_keys(struct session *s, struct plan *p)
{
	struct arena *a = conn_arena(s->c);
	uint8_t content[32];

	TRY(blob_hash(s->data->blob, content));
	struct str from = smtp_path(a, &s->tx.from, false);
	for (size_t i = 0; i < p->n; i++)
		hash_sha256(str_fmt(a, "%s\n" STRF "\n" STRF "\n" STRF, enc_hex(a, str_n((const char *)content, 32)).p, STRA(from), STRA(p->v[i].account),
		    STRA(p->v[i].address)), p->v[i].key);
	return 0;
}

/* refuse answers for a transaction that failed for some or all. */
static int
refuse(struct session *s, struct plan *p, size_t delivered)
{
	struct buf b = BUF_ARENA(conn_arena(s->c), 32 * 1024);
	const struct failure *first = NULL;
	bool temporary = false, same = delivered == 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct failure *f = &p->v[i].failure;
		if (!f->set)
			continue;
		temporary = temporary || f->code < 500;
		if (first == NULL)
			first = f;
		else if (f->code != first->code || strcmp(f->ecode, first->ecode) != 0)
			same = false;
	}
	if (same)
		return smtpserver_userf(s, first->code, first->ecode, STRF, STRA(first->text));
	for (size_t i = 0; i < p->n; i++) {
		const struct target *t = &p->v[i];
		if (t->failure.set)
			buf_addf(&b, "<" STRF ">: %d %d.%s " STRF "\n", STRA(t->address), t->failure.code, t->failure.code / 100, t->failure.ecode,
			    STRA(t->failure.text));
		else
			buf_addf(&b, "<" STRF ">: delivered\n", STRA(t->address));
	}
	buf_add(&b, S("multiple errors"));
	if (temporary && delivered > 0 && target_keys(s, p) == 0)
		for (size_t i = 0; i < p->n; i++)
			if (p->v[i].delivered)
				smtpserver_partial_add(s->srv->partial, p->v[i].key);
	return smtpserver_userf(s, temporary ? 451 : 554, SMTP_E_SYS_OTHER, STRF, STRA(buf_str(&b)));
}

int
smtpserver_deliver(struct session *s)
{
	struct plan p = { 0 };
	size_t delivered = 0, failed = 0;
	bool again = !smtpserver_partial_empty(s->srv->partial);

	make_plan(s, &p);
	if (again && target_keys(s, &p) < 0)
		again = false;
	for (size_t i = 0; i < p.n; i++) {
		struct target *t = &p.v[i];
		if (!t->failure.set && again && smtpserver_partial_has(s->srv->partial, t->key))
			t->delivered = true;
	}
	enqueue_targets(s, &p);
	for (size_t i = 0; i < p.n; i++) {
		struct target *t = &p.v[i];
		if (!t->failure.set && !t->delivered)
			deliver_target(s, t);
		delivered += t->delivered;
		failed += t->failure.set;
	}
	if (failed > 0)
		return refuse(s, &p, delivered);
	for (size_t i = 0; again && i < p.n; i++)
		smtpserver_partial_del(s->srv->partial, p.v[i].key);
	if (s->l->submission)
		metrics_add(&smtpserver_m_submission, 1, "ok", NULL);
	return 0;
}
