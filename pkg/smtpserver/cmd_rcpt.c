/* SPDX-License-Identifier: MIT */
/*
 * RCPT (rfc/5321:1916): names a recipient.
 */
#include "smtpserver/smtpserver_internal.h"

/* Reports that TLS does not work must get through without it: rfc/8460:317 */
static bool
is_tls_report_address(struct session *s, const struct config *cfg, const struct smtp_path *to)
{
	struct config_address addr;

	return smtpserver_lookup(s, cfg, to, &addr) == 0 && addr.destination != NULL &&
	    (addr.destination->host_tls_reports || addr.destination->domain_tls_reports);
}

static int
check_tls(struct session *s, const struct config *cfg, const struct smtp_path *to)
{
	bool required = s->l->submission ? !s->l->no_require_starttls : s->l->require_starttls;

	if (!required || conn_is_tls(s->c) || is_tls_report_address(s, cfg, to))
		return 0;
	return smtpserver_userf(s, 530, SMTP_E_POLICY_OTHER, "STARTTLS is required");       // rfc/3207:148
}

/* check_count: how many recipients a transaction may have. */
static int
check_count(struct session *s)
{
	if (s->tx.nrcpts >= LIMIT_SMTP_RCPTS)
		return smtpserver_userf(s, 452, SMTP_E_PROTO_RCPTS, "at most %d recipients", LIMIT_SMTP_RCPTS);  // rfc/5321:3571
	/* A bounce is for one. */
	if (!s->l->submission && s->tx.nrcpts > 0 && smtp_path_is_null(&s->tx.from))
		return smtpserver_userf(s, 452, SMTP_E_PROTO_RCPTS, "only one recipient is allowed with null reverse address");
	/* One that will be refused after DATA goes alone, for the refusal is said to all of a transaction. */
	if (s->tx.nrcpts > 0 && s->tx.rcpts[0].unknown)
		return smtpserver_userf(s, 452, SMTP_E_PROTO_RCPTS, "send to this recipient separately");
	return 0;
}

/* check_quota refuses one recipient, where after DATA it would be all of them. */
static int
check_quota(struct session *s, const struct config_address *addr)
{
	cleanup_(store_account_close) struct store_account *acct = NULL;
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };

	if (addr->account == NULL || addr->account->quota <= 0)
		return 0;
	int err = store_account_open(s->srv->opts.store, addr->account_name, false, &acct, NULL);
	if (err == 0)
		err = store_read(acct, &tx);
	if (err == 0)
		err = store_quota_fits(&tx, MAX(s->tx.size, (int64_t)1));
	if (err == ERR_OVERQUOTA)
		return smtpserver_userf(s, 452, SMTP_E_MAILBOX_FULL, "mailbox is full");
	if (err < 0)
		return smtpserver_serverf(s, err, "quota of account: %s", err_text(err));
	return 0;
}

/* check_destination: a configured refusal. */
static int
check_destination(struct session *s, const struct config_address *addr)
{
	if (addr->destination == NULL || addr->destination->smtp_error_code == 0)
		return 0;
	struct str text = addr->destination->smtp_error_text;
	if (addr->destination->smtp_error_code == 421)
		return smtpserver_userf(s, 451, SMTP_E_SYS_OTHER, STRF, STRA(text.n ? text : S("error processing")));
	return smtpserver_userf(s, 550, SMTP_E_ADDR_MAILBOX, STRF, STRA(text.n ? text : S("no such user(s)")));
}

/* check_recipient: *r_unknown is set for an address at a domain of ours that does not exist. */
static int
check_recipient(struct session *s, const struct config *cfg, const struct smtp_path *to, bool *r_unknown)
{
	struct config_address addr;

	int err = smtpserver_lookup(s, cfg, to, &addr);
	switch (err) {
	case 0:
		TRY(check_destination(s, &addr));
		return check_quota(s, &addr);
	case CONFIG_DOMAIN_DISABLED:
		return smtpserver_userf(s, 450, SMTP_E_MAILBOX_DISABLED, "domain is temporarily disabled");
	case CONFIG_NO_DOMAIN:
		if (s->l->submission)
			return smtpserver_userf(s, 550, SMTP_E_POLICY_NOT_AUTHORIZED, "not relaying to other hosts");
		if (to->host.ip.family)
			return smtpserver_userf(s, 550, SMTP_E_ADDR_MAILBOX, "not accepting email for address literals");
		return smtpserver_userf(s, 550, SMTP_E_ADDR_MAILBOX, "not accepting email for domain");
	case CONFIG_NO_ADDRESS:
		/*
		 * Alone it is refused only after DATA: a guess costs a whole message. Beside others it is refused at once, see check_count.
		 */
		if (s->l->submission || s->tx.nrcpts > 0)
			return smtpserver_userf(s, 550, SMTP_E_ADDR_MAILBOX, "no such user");
		*r_unknown = true;
		return 0;
	default:
		return smtpserver_serverf(s, err, "looking up recipient: %s", err_text(err));
	}
}

/* DSN parameters (rfc/3461:246), of our users, for recipients at other hosts. */
static int
take_param(struct session *s, struct rcpt *rcpt, struct str keyword, struct str value)
{
	struct str *to = str_icase(keyword, S("NOTIFY")) ? &rcpt->dsn_notify : str_icase(keyword, S("ORCPT")) ? &rcpt->dsn_orcpt : NULL;
	struct str rest = value, decoded;
	bool ok = value.n > 0 && value.n <= 500;

	if (to == NULL || !smtpserver_dsn_offered(s))
		return smtpserver_userf(s, 555, SMTP_E_SYS_UNSUPPORTED, "unknown parameter %s", str_log(conn_arena(s->c), keyword, 40).p);
	if (to->n > 0)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "parameter given twice");
	if (to == &rcpt->dsn_orcpt) {
		ok = ok && str_find(value, ';') > 0 && smtp_unxtext(conn_arena(s->c), value, 0, &decoded) == 0;
	} else if (!str_icase(value, S("NEVER"))) {
		while (ok && rest.n > 0) {
			struct str word = str_split(&rest, ',');
			ok = str_icase(word, S("SUCCESS")) || str_icase(word, S("FAILURE")) || str_icase(word, S("DELAY"));
		}
	}
	if (!ok)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_ARGS, "bad value of %s", to == &rcpt->dsn_orcpt ? "ORCPT" : "NOTIFY");
	*to = str_dup(&s->tx.arena, value);
	return 0;
}

/* rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF    rfc/5321:1985 */
int
smtpserver_cmd_rcpt(struct session *s, struct cur *args)
{
	cleanup_(config_unref) struct config *cfg = smtpserver_config(s->srv);
	unsigned flags = cfg->pedantic ? SMTP_PEDANTIC : 0;
	struct str keyword, value;
	struct rcpt rcpt = { 0 };
	struct smtp_path to;
	struct errmsg e = { 0 };

	cur_icase(args, S(" TO:"));
	if (!cfg->pedantic)
		cur_try(args, ' ');
	struct str text = smtp_path_text(args);
	while (smtp_param(args, flags, &keyword, &value))
		TRY(take_param(s, &rcpt, keyword, value));
	TRY(smtpserver_end(s, args));

	int err = smtp_parse_path(conn_arena(s->c), text, flags | SMTP_POSTMASTER | (s->tx.utf8 ? SMTP_UTF8 : 0), &to, &e);
	if (err == SMTP_ERR_UTF8_LOCALPART)
		return smtpserver_userf(s, 553, SMTP_E_CONTENT_UTF8_NEEDED, "non-ASCII address needs SMTPUTF8");        // rfc/6531:217
	if (err < 0)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_SYNTAX, "bad syntax: address: %s", e.text[0] ? e.text : err_text(err));
	TRY(check_tls(s, cfg, &to));
	TRY(check_count(s));
	if (smtpserver_is_localserve(s->srv) && str_starts(to.localpart, S("rcptto"))) {
		int waits = smtpserver_localserve(s, to.localpart);
		if (waits != 0)
			return MIN(waits, 0);
	}
	rcpt.remote = smtpserver_is_remote(s, cfg, &to);
	if (!rcpt.remote)
		TRY(check_recipient(s, cfg, &to, &rcpt.unknown));

	rcpt.path = smtp_path_dup(&s->tx.arena, &to);
	if (s->tx.nrcpts == s->tx.cap) {
		s->tx.cap = s->tx.cap ? 2 * s->tx.cap : 4;
		s->tx.rcpts = arena_grow(&s->tx.arena, s->tx.rcpts, s->tx.nrcpts, s->tx.cap, sizeof(rcpt));
	}
	s->tx.rcpts[s->tx.nrcpts++] = rcpt;
	smtpserver_reply(s, 250, SMTP_E_ADDR_OTHER, S("now on the list"));
	return 0;
}
