/* SPDX-License-Identifier: MIT */
/*
 * MAIL (rfc/5321:1879): opens a transaction.
 */
#include "smtpserver/smtpserver_internal.h"

struct mail_params {
	unsigned seen;                  /* bits of params */
	int64_t size;
	bool body_8bit, utf8, requiretls;
	int64_t release_us;
	struct str future_release, ret, envid;
};

/* SIZE: rfc/1870:186. Declared sizes beyond the limit are refused before the message is sent: rfc/1870:231 */
static int
param_size(struct session *s, struct mail_params *m, struct str value)
{
	struct cur p = cur_of(value);
	int64_t max = s->l->max_message_size ? s->l->max_message_size : LIMIT_MESSAGE_SIZE;
	uint64_t size = cur_u64(&p, 20, INT64_MAX, "size");

	if (!cur_done(&p))
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "bad value of SIZE");
	m->size = (int64_t)size;
	if (m->size <= max)
		return 0;
	/* Beyond what anybody here takes, or only beyond this listener's own limit. */
	return smtpserver_userf(s, 552, m->size >= LIMIT_MESSAGE_SIZE ? SMTP_E_SYS_SIZE : SMTP_E_MAILBOX_SIZE,
	    "message of %lld bytes is too large, limit is %lld", (long long)m->size, (long long)max);
}

/* BODY: rfc/6152:98 */
static int
param_body(struct session *s, struct mail_params *m, struct str value)
{
	m->body_8bit = str_icase(value, S("8BITMIME"));
	if (!m->body_8bit && !str_icase(value, S("7BIT")))
		return smtpserver_userf(s, 555, SMTP_E_PROTO_ARGS, "unknown value of BODY");
	return 0;
}

/* AUTH: who wrote it, as a submitting server says. Read and not used: rfc/4954:491 */
static int
param_auth(struct session *s, struct mail_params *m unused_, struct str value)
{
	struct str decoded;

	if (!str_is(value, S("<>")) && (value.n == 0 || smtp_unxtext(conn_arena(s->c), value, 0, &decoded) < 0))
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "bad value of AUTH");
	return 0;
}

/* SMTPUTF8: rfc/6531:213 */
static int
param_smtputf8(struct session *s, struct mail_params *m, struct str value)
{
	if (value.p != NULL)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "SMTPUTF8 takes no value");
	m->utf8 = true;
	return 0;
}

/* REQUIRETLS: rfc/8689:174 */
static int
param_requiretls(struct session *s, struct mail_params *m, struct str value)
{
	if (value.p != NULL)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "REQUIRETLS takes no value");
	if (!conn_is_tls(s->c))
		return smtpserver_userf(s, 523, SMTP_E_POLICY_ENCRYPTION_NEEDED, "REQUIRETLS needs TLS");
	if (!smtpserver_requiretls_offered(s))
		return smtpserver_userf(s, 555, SMTP_E_SYS_UNSUPPORTED, "REQUIRETLS not offered");
	m->requiretls = true;
	return 0;
}

static int
unknown_param(struct session *s, const char *keyword)
{
	return smtpserver_userf(s, 555, SMTP_E_SYS_UNSUPPORTED, "unknown parameter %s", keyword);       // rfc/5321:2228
}

/* hold keeps what was asked for: at most 60 days, as EHLO says. */
static int
hold(struct session *s, struct mail_params *m, int64_t until_us, struct str request)
{
	int64_t now = clock_now_us(s->srv->opts.clock);

	if (m->future_release.n > 0)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "HOLDFOR and HOLDUNTIL together");   // rfc/4865:153
	if (until_us <= now || until_us > now + SMTPSERVER_HOLD_MAX_US)
		return smtpserver_userf(s, 554, SMTP_E_PROTO_ARGS, "time of release is past, or too far away");
	m->release_us = until_us;
	m->future_release = request;
	return 0;
}

/* HOLDFOR, in seconds: rfc/4865:134 */
static int
param_holdfor(struct session *s, struct mail_params *m, struct str value)
{
	struct cur p = cur_of(value);
	uint64_t seconds;

	if (!smtpserver_dsn_offered(s))
		return unknown_param(s, "HOLDFOR");
	seconds = cur_u64(&p, 9, 999999999, "seconds");
	if (!cur_done(&p) || value.p[0] == '0')
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "bad value of HOLDFOR");
	return hold(s, m, clock_now_us(s->srv->opts.clock) + (int64_t)seconds * TIME_SEC,
	    str_fmt(conn_arena(s->c), "for;" STRF, STRA(value)));
}

/* HOLDUNTIL: a time in UTC */
static int
param_holduntil(struct session *s, struct mail_params *m, struct str value)
{
	int64_t until = 0;

	if (!smtpserver_dsn_offered(s))
		return unknown_param(s, "HOLDUNTIL");
	if (!str_ends(value, S("Z")) || !str_has(value, 'T') || time_parse_rfc3339(value, &until) < 0)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "bad value of HOLDUNTIL");
	return hold(s, m, until, str_fmt(conn_arena(s->c), "until;" STRF, STRA(value)));
}

/* RET and ENVID: rfc/3461:246 */
static int
param_ret(struct session *s, struct mail_params *m, struct str value)
{
	if (!smtpserver_dsn_offered(s))
		return unknown_param(s, "RET");
	if (!str_icase(value, S("FULL")) && !str_icase(value, S("HDRS")))
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "bad value of RET");
	m->ret = value;
	return 0;
}

static int
param_envid(struct session *s, struct mail_params *m, struct str value)
{
	struct str decoded;

	if (!smtpserver_dsn_offered(s))
		return unknown_param(s, "ENVID");
	if (value.n == 0 || value.n > 100 || smtp_unxtext(conn_arena(s->c), value, 0, &decoded) < 0)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "bad value of ENVID");
	m->envid = value;
	return 0;
}

static const struct {
	const char *keyword;
	int (*fn)(struct session *s, struct mail_params *m, struct str value);
} params[] = {
	{ "SIZE", param_size }, { "BODY", param_body }, { "AUTH", param_auth }, { "SMTPUTF8", param_smtputf8 }, { "REQUIRETLS", param_requiretls },
	{ "HOLDFOR", param_holdfor }, { "HOLDUNTIL", param_holduntil }, { "RET", param_ret }, { "ENVID", param_envid },
};

static int
take_param(struct session *s, struct mail_params *m, struct str keyword, struct str value)
{
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		if (!str_icase(keyword, str_of(params[i].keyword)))
			continue;
		if (m->seen & 1u << i)
			return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "parameter %s given twice", params[i].keyword);
		m->seen |= 1u << i;
		return params[i].fn(s, m, value);
	}
	return smtpserver_userf(s, 555, SMTP_E_SYS_UNSUPPORTED, "unknown parameter %s", str_log(conn_arena(s->c), keyword, 40).p);   // rfc/5321:2228
}

/* check_sender: from whom our user may send; servers may not send from addresses without a name. */
static int
check_sender(struct session *s, const struct smtp_path *from)
{
	struct smtp_address addr;

	if (smtp_path_is_null(from))
		return 0;
	if (!smtp_path_address(from, &addr))
		return smtpserver_userf(s, 550, SMTP_E_POLICY_OTHER, "address literals are not accepted in MAIL FROM");
	if (smtpserver_is_localserve(s->srv) && str_starts(from->localpart, S("mailfrom"))) {
		int waits = smtpserver_localserve(s, from->localpart);
		if (waits != 0)
			return waits;
	}
	return s->l->submission ? smtpserver_may_send(s, &addr, "MAIL FROM") : 0;
}

/* mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF    rfc/5321:1913 */
int
smtpserver_cmd_mail(struct session *s, struct cur *args)
{
	cleanup_(config_unref) struct config *cfg = smtpserver_config(s->srv);
	unsigned flags = cfg->pedantic ? SMTP_PEDANTIC : 0;
	struct mail_params m = { 0 };
	struct smtp_path from;
	struct str keyword, value;
	struct errmsg e = { 0 };

	cur_icase(args, S(" FROM:"));
	if (!cfg->pedantic)
		cur_try(args, ' ');
	struct str text = smtp_path_text(args);
	while (smtp_param(args, flags, &keyword, &value))
		TRY(take_param(s, &m, keyword, value));
	TRY(smtpserver_end(s, args));

	/* Only now it is known whether the address may be international. */
	int err = smtp_parse_path(conn_arena(s->c), text, flags | SMTP_EMPTY | (m.utf8 ? SMTP_UTF8 : 0), &from, &e);
	if (err == SMTP_ERR_UTF8_LOCALPART)
		return smtpserver_userf(s, 550, SMTP_E_CONTENT_UTF8_NEEDED, "non-ASCII address needs SMTPUTF8");        // rfc/6531:217
	if (err < 0)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_SYNTAX, "bad syntax: address: %s", e.text[0] ? e.text : err_text(err));
	int waits = check_sender(s, &from);
	if (waits != 0)
		return MIN(waits, 0);

	smtpserver_tx_clear(s);
	s->tx.from = smtp_path_dup(&s->tx.arena, &from);
	s->tx.size = m.size;
	s->tx.body_8bit = m.body_8bit;
	s->tx.utf8 = m.utf8;
	s->tx.requiretls = m.requiretls;
	s->tx.release_us = m.release_us;
	s->tx.future_release = str_dup(&s->tx.arena, m.future_release);
	s->tx.dsn_ret = str_dup(&s->tx.arena, m.ret);
	s->tx.dsn_envid = str_dup(&s->tx.arena, m.envid);
	s->tx.open = true;
	smtpserver_reply(s, 250, SMTP_E_ADDR_OTHER, S("looking good"));
	return 0;
}
