/* SPDX-License-Identifier: MIT */
/*
 * The dialogue from the greeting to where messages can be sent, and its end.
 */
#include "smtpclient/smtpclient_internal.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define TIMEOUT_US (30 * TIME_SEC)
#define FINAL_TIMEOUT_US (10 * TIME_MIN) /* rfc/5321:3656 */
#define HANDSHAKE_US TIME_MIN
#define QUIT_US (5 * TIME_SEC)
/* Room for the replies that come while a message is written. */
#define IN_MAX (LIMIT_SMTP_PEER_REPLY + 16 * 1024)
#define OUT_MAX (1024 * 1024) /* commands of a pipelined transaction with LIMIT_SMTP_RCPTS recipients */
#define TRANSCRIPT_BUF (16 * 1024)

static int
greeting(struct smtpclient *c, struct arena *a, struct smtpclient_error *r_e)
{
	struct smtpclient_reply r = { 0 };

	c->sent_us = time_mono_us();
	TRY(smtpclient_read_reply(c, a, "(greeting)", false, c->o.timeout_us, &r, r_e));
	if (r.code != 220)
		return smtpclient_fail_reply(a, r_e, SMTPCLIENT_STATUS, "(greeting)", &r);
	c->greeting = str_dup(&c->a, str_from(r.line, MIN(r.line.n, (size_t)4)));
	return 0;
}

static int
start_tls(struct smtpclient *c, struct arena *a, int64_t limit_us, struct smtpclient_error *r_e)
{
	struct errmsg e = { 0 };

	c->ssl = smtpclient_tls_session(c);
	c->facts.tried = true;
	int rv = smtpclient_handshake(c, limit_us, &e);
	smtpclient_tls_result(c, rv == 0, rv);
	if (rv < 0)
		return smtpclient_fail(a, r_e, SMTPCLIENT_TLS, false, "starttls", "%s", e.text);
	c->check_first_read = true;
	smtpclient_note(c,
	    "*: ", str_fmt(a, "TLS " STRF " " STRF, STRA(c->facts.info.version_name), STRA(c->facts.info.cipher_name)));
	return 0;
}

static int
starttls(struct smtpclient *c, struct arena *a, struct smtpclient_error *r_e)
{
	struct smtpclient_reply r = { 0 };

	TRY(smtpclient_command(c, a, "starttls", S("STARTTLS"), c->ext.ecodes, &r, r_e));
	c->facts.tried = true;
	if (r.code != 220) {
		c->facts.handshake = (struct smtpclient_verdict){ .judged = true,
			.type = "starttls-not-supported",
			.reason = str_fmt(&c->a, "smtp-starttls-reply-code-%d", r.code) };
		return smtpclient_fail_reply(a, r_e, SMTPCLIENT_TLS, "starttls", &r);
	}
	/*
	 * What stands behind the reply in plain text would be read as if it had come over TLS: the attack of
	 * rfc/3207:343 on clients. No server does that by itself. Not a TLS error, so that it gains nobody a delivery
	 * without TLS.
	 */
	if (smtpclient_unread(c)) {
		c->botched = true;
		return smtpclient_fail(
		    a, r_e, SMTPCLIENT_PROTOCOL, false, "starttls", "plaintext behind the reply to STARTTLS");
	}
	TRY(start_tls(c, a, HANDSHAKE_US, r_e));
	/* What was learned before is forgotten: rfc/3207:214 */
	return smtpclient_hello(c, a, false, r_e);
}

static int
set_up(struct smtpclient *c, struct arena *a, struct smtpclient_error *r_e)
{
	if (c->o.mode == SMTPCLIENT_TLS_IMMEDIATE)
		TRY(start_tls(c, a, 0, r_e));
	TRY(greeting(c, a, r_e));
	TRY(smtpclient_hello(c, a, true, r_e));
	if (c->o.mode == SMTPCLIENT_TLS_REQUIRED || (c->o.mode == SMTPCLIENT_TLS_OPPORTUNISTIC && c->ext.starttls))
		TRY(starttls(c, a, r_e));
	else if (c->o.mode == SMTPCLIENT_TLS_OPPORTUNISTIC)
		c->facts.not_offered = true;
	if (c->o.auth)
		TRY(smtpclient_login(c, a, r_e));
	return 0;
}

static void
free_client(struct smtpclient **pc)
{
	struct smtpclient *c = *pc;

	if (c->ssl)
		SSL_free(c->ssl);
	fd_close(&c->fd);
	buf_done(&c->in);
	buf_done(&c->out);
	buf_done(&c->transcript);
	arena_erase(&c->a);
	mem_free(pc);
}

static void
copy_verdict(struct arena *a, struct smtpclient_verdict *v)
{
	v->reason = str_dup(a, v->reason);
}

/* copy_facts: for the caller of smtpclient_new, whose arena outlives a client that failed. */
static void
copy_facts(struct arena *a, const struct smtpclient *c, struct smtpclient_tls_facts *r_facts)
{
	*r_facts = c->facts;
	copy_verdict(a, &r_facts->handshake);
	copy_verdict(a, &r_facts->pkix);
	copy_verdict(a, &r_facts->dane);
	r_facts->info.sni = str_dup(a, c->facts.info.sni);
	r_facts->info.alpn = str_dup(a, c->facts.info.alpn);
}

int
smtpclient_new(struct arena *a, const struct smtpclient_opts *o, struct smtpclient **r_c,
    struct smtpclient_tls_facts *r_facts, struct smtpclient_error *r_e)
{
	struct smtpclient *c = mem_alloc(sizeof(*c));

	c->o = *o;
	c->o.ehlo = str_dup(&c->a, o->ehlo);
	c->o.remote_name = str_dup(&c->a, o->remote_name);
	if (o->dane) {
		struct smtpclient_dane *d = ARENA_NEW(&c->a, struct smtpclient_dane);
		*d = *o->dane;
		c->o.dane = d;
	}
	if (c->o.timeout_us == 0)
		c->o.timeout_us = TIMEOUT_US;
	if (c->o.final_timeout_us == 0)
		c->o.final_timeout_us = FINAL_TIMEOUT_US;
	c->ctx = *o->ctx;
	c->o.ctx = NULL;
	c->fd = o->fd;
	fd_nonblock(c->fd, true);
	buf_init(&c->in, IN_MAX);
	buf_init(&c->out, OUT_MAX);
	buf_init(&c->transcript, TRANSCRIPT_BUF);
	ignore_result(!buf_reserve(&c->in, 1));
	c->alert_in = c->alert_out = -1;

	int rv = set_up(c, a, r_e);
	c->o.auth = NULL; /* not copied */
	c->o.dane = NULL;
	if (r_facts)
		copy_facts(a, c, r_facts);
	if (rv < 0) {
		if (!c->botched)
			smtpclient_close(&c);
		else
			free_client(&c);
		return rv;
	}
	*r_c = c;
	return 0;
}

void
smtpclient_close(struct smtpclient **pc)
{
	struct arena tmp = { 0 };
	struct smtpclient_reply r;
	struct smtpclient_error e;

	if (*pc == NULL)
		return;
	if (!(*pc)->botched && !(*pc)->eof) {
		(*pc)->o.timeout_us = QUIT_US;
		ignore_result(smtpclient_command(*pc, &tmp, "quit", S("QUIT"), false, &r, &e));
	}
	arena_done(&tmp);
	/* Without close_notify: nobody waits for it. */
	free_client(pc);
}

void
smtpclient_set_ctx(struct smtpclient *c, const struct ctx *ctx)
{
	c->ctx = *ctx;
}

const struct smtpclient_extensions *
smtpclient_extensions(const struct smtpclient *c)
{
	return &c->ext;
}

const struct smtpclient_tls_facts *
smtpclient_facts(const struct smtpclient *c)
{
	return &c->facts;
}

bool
smtpclient_is_tls(const struct smtpclient *c)
{
	return c->ssl != NULL;
}

bool
smtpclient_botched(const struct smtpclient *c)
{
	return c->botched;
}

struct str
smtpclient_greeting(const struct smtpclient *c)
{
	return c->greeting;
}

struct str
smtpclient_transcript(struct arena *a, const struct smtpclient *c)
{
	return str_dup(a, buf_str(&c->transcript));
}
