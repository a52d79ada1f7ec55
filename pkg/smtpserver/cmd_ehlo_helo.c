/* SPDX-License-Identifier: MIT */
/*
 * EHLO and HELO (rfc/5321:1783): who the client is, and what we offer.
 */
#include "smtpserver/smtpserver_internal.h"

/*
 * take_name reads the client's name. Programs of our users say anything there, which nobody uses, so it is not looked at.
 *
 * ehlo = "EHLO" SP ( Domain / address-literal ) CRLF    rfc/5321:1829
 * helo = "HELO" SP Domain CRLF                          rfc/5321:1831
 */
static int
take_name(struct session *s, struct cur *args, bool ehlo)
{
	cleanup_(config_unref) struct config *cfg = smtpserver_config(s->srv);
	struct smtp_ipdomain name;
	struct errmsg e = { 0 };

	if (s->l->submission && !cfg->pedantic) {
		smtpserver_reset(s);
		s->helo.ip = conn_remote(s->c)->ip;
		s->greeted = true;
		s->esmtp = ehlo;
		return 0;
	}
	cur_char(args, ' ');
	struct str text = cur_rest(args);
	/* Behind a literal some hosts say more. */
	if (text.n > 0 && text.p[0] == '[')
		text = str_split(&text, ' ');
	if (!cur_ok(args) || text.n == 0) {
		cur_fail(args, "host name");
		return smtpserver_fail_parse(s, args);
	}
	/* Names of Windows hosts have underscores. */
	int err = smtp_parse_ipdomain(conn_arena(s->c), text, SMTP_UNDERSCORE | (cfg->pedantic ? SMTP_PEDANTIC : 0), &name, &e);
	if (err < 0)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_SYNTAX, "bad syntax: host name: %s", e.text[0] ? e.text : err_text(err));
	if (!ehlo && name.ip.family)
		return smtpserver_userf(s, 501, SMTP_E_PROTO_SYNTAX, "bad syntax: HELO wants a domain");

	smtpserver_reset(s);
	s->helo.ip = name.ip;
	s->helo.domain = idna_dup(&s->helo_arena, &name.domain);
	s->greeted = true;
	s->esmtp = ehlo;
	return 0;
}

int
smtpserver_cmd_ehlo(struct session *s, struct cur *args)
{
	struct arena *a = conn_arena(s->c);
	struct strlist lines = { 0 };
	int64_t max = s->l->max_message_size ? s->l->max_message_size : LIMIT_MESSAGE_SIZE;

	TRY(take_name(s, args, true));
	strlist_add(a, &lines, s->l->hostname.ascii);
	strlist_add(a, &lines, S("PIPELINING"));                                        // rfc/2920:109
	strlist_add(a, &lines, str_fmt(a, "SIZE %lld", (long long)max));                // rfc/1870:132
	if (smtpserver_starttls_offered(s))
		strlist_add(a, &lines, S("STARTTLS"));                                  // rfc/3207:92
	else if (smtpserver_requiretls_offered(s))
		strlist_add(a, &lines, S("REQUIRETLS"));                                // rfc/8689:143
	if (s->l->submission)
		strlist_add(a, &lines, str_cat(a, S("AUTH "), smtpserver_auth_mechs(s)));  // rfc/4954:123
	if (smtpserver_dsn_offered(s)) {
		int64_t until = clock_now_us(s->srv->opts.clock) / TIME_SEC * TIME_SEC + SMTPSERVER_HOLD_MAX_US;
		struct str text = time_rfc3339(a, until);
		strlist_add(a, &lines, str_fmt(a, "FUTURERELEASE %lld " STRF, (long long)(SMTPSERVER_HOLD_MAX_US / TIME_SEC),
		    STRA(text)));                                                   // rfc/4865:99
		strlist_add(a, &lines, S("DSN"));                                       // rfc/3461:233
	}
	strlist_add(a, &lines, S("ENHANCEDSTATUSCODES"));                               // rfc/2034:72
	strlist_add(a, &lines, S("8BITMIME"));                                          // rfc/6152:86
	strlist_add(a, &lines, str_fmt(a, "LIMITS RCPTMAX=%d", LIMIT_SMTP_RCPTS));      // rfc/9422:144
	strlist_add(a, &lines, S("SMTPUTF8"));                                          // rfc/6531:187
	smtpserver_reply_lines(s, 250, &lines);
	return 0;
}

int
smtpserver_cmd_helo(struct session *s, struct cur *args)
{
	TRY(take_name(s, args, false));
	smtpserver_reply(s, 250, NULL, s->l->hostname.ascii);
	return 0;
}
