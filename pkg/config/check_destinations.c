/* SPDX-License-Identifier: MIT */
/* Destinations and rulesets of accounts. */
#include "base/utf8.h"
#include "config/config_internal.h"

/* "421 text", "550 text"; the text may be missing. */
static void
check_smtp_error(struct config_check *c, struct config_destination *d)
{
	struct str rest = d->smtp_error, code = str_split(&rest, ' ');

	if (str_is(code, S("421")))
		d->smtp_error_code = 421;
	else if (str_is(code, S("550")))
		d->smtp_error_code = 550;
	else
		config_errorf(c, "SMTPError", "must begin with 421 or 550");
	d->smtp_error_text = str_trim(rest);
	if (d->smtp_error_text.n > 256)
		config_errorf(c, "SMTPError", "the text must be at most 256 bytes");
	config_check_text(c, "SMTPError", d->smtp_error_text);
	if (d->mailbox.n || d->rulesets.n)
		config_errorf(c, "SMTPError", "cannot be used together with Mailbox or Rulesets");
}

static void
check_header_patterns(struct config_check *c, struct config_ruleset *r)
{
	struct config_header_re *re = ARENA_NEWN(c->a, r->headers_regexp.n, struct config_header_re);

	for (size_t i = 0; i < r->headers_regexp.n; i++) {
		const struct typedesc_str_entry *e = &r->headers_regexp.v[i];

		if (!str_is(e->k, utf8_lower(c->a, e->k)) || !str_is(e->v, utf8_lower(c->a, e->v)))
			config_errorf(c, "HeadersRegexp", "\"" STRF "\" and its value must be in lower case", STRA(e->k));
		re[i].name = config_check_regexp(c, "HeadersRegexp", e->k);
		re[i].value = config_check_regexp(c, "HeadersRegexp", e->v.n ? e->v : S("^"));
	}
	r->headers_re = re;
}

static void
check_ruleset(struct config_check *c, struct config_ruleset *r)
{
	struct idna_domain d;

	if (r->smtp_mail_from_regexp.n == 0 && r->msg_from_regexp.n == 0 && r->verified_domain.n == 0 && r->headers_regexp.n == 0)
		config_errorf(c, NULL, "needs a criterion: SMTPMailFromRegexp, MsgFromRegexp, VerifiedDomain or HeadersRegexp");
	r->smtp_mail_from_re = config_check_regexp(c, "SMTPMailFromRegexp", r->smtp_mail_from_regexp);
	r->msg_from_re = config_check_regexp(c, "MsgFromRegexp", r->msg_from_regexp);
	check_header_patterns(c, r);
	if (r->verified_domain.n && config_check_domain(c, "VerifiedDomain", r->verified_domain, &d))
		r->verified_domain_ascii = d.ascii;
	if (r->list_allow_domain.n && config_check_domain(c, "ListAllowDomain", r->list_allow_domain, &d))
		r->list_allow_domain_ascii = d.ascii;
	if (r->is_forward && r->list_allow_domain.n)
		config_errorf(c, "IsForward", "cannot be used together with ListAllowDomain");
	if (r->is_forward && (r->smtp_mail_from_regexp.n == 0 || r->verified_domain.n == 0))
		config_errorf(c, "IsForward", "needs SMTPMailFromRegexp and VerifiedDomain");
	if (r->accept_rejects_to_mailbox.n)
		config_check_box(c, "AcceptRejectsToMailbox", &r->accept_rejects_to_mailbox, false);
	config_check_box(c, "Mailbox", &r->mailbox, true);
}

void
config_check_destination(struct config_check *c, struct config_destination *d)
{
	if (d->smtp_error.n)
		check_smtp_error(c, d);
	config_check_text(c, "MessageAuthRequiredSMTPError", d->message_auth_required_smtp_error);
	if (d->mailbox.n)
		config_check_box(c, "Mailbox", &d->mailbox, true);
	else
		d->mailbox = S("Inbox");
	config_enter(c, S("Rulesets"));
	for (size_t i = 0; i < d->rulesets.n; i++) {
		config_enter_index(c, i);
		check_ruleset(c, &d->rulesets.v[i]);
		config_leave(c, 1);
	}
	config_leave(c, 1);
}
