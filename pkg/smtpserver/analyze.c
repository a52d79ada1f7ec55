/* SPDX-License-Identifier: MIT */
/* The order of decisions of ../spec/delivery-analysis.md 5; the numbers in comments are its rows. */
#include "smtpserver/analyze.h"

#include "base/timeutil.h"
#include "message/header.h"

#define STRICT_THRESHOLD 0.25           /* for suspicious messages */
#define WEAK_MARGIN 0.2                 /* junk by less than this is only weakly junk: its sender may be helped */

static const char error_processing[] = "error processing";

struct run {
	struct arena *a;
	const struct analysis_input *in;
	const struct analysis_hooks *h;
	struct analysis *out;
	const struct config_ruleset *rule;
	struct reputation rep;
	bool suspicious_iprev, listed, weak_junk;
};

static void
why(struct run *r, struct str text)
{
	strlist_add(r->a, &r->out->why, text);
}

static void
accept_as(struct run *r, const char *reason)
{
	r->out->accept = true;
	r->out->reason = reason;
}

/* refuse ends with a reply, or takes the message into the mailbox that the rule has for what is refused. */
static void
refuse(struct run *r, int code, const char *ecode, struct str text, int err, const char *reason)
{
	struct analysis *o = r->out;

	o->reason = reason;
	if (o->mailbox_destined.n == 0)
		o->mailbox_destined = o->mailbox;
	if (r->rule && r->rule->accept_rejects_to_mailbox.n > 0) {
		o->accept = o->is_reject = true;
		o->mailbox = r->rule->accept_rejects_to_mailbox;
		why(r, str_fmt(r->a, "taken into this mailbox although it would be refused: " STRF, STRA(text)));
		return;
	}
	o->mailbox = r->in->account->rejects_mailbox;
	o->code = code;
	o->ecode = ecode;
	o->text = text;
	o->err = err;
	o->user_error = err == 0;
}

static void
refuse_silently(struct run *r, int err, const char *reason)
{
	refuse(r, 451, SMTP_E_SYS_OTHER, str_of(error_processing), err, reason);
}

/* rate: 1. True: it is over a limit, or that could not be found out. */
static bool
rate(struct run *r)
{
	struct str text = { 0 };
	int over = r->h->over_rate(r->h->arg, r->a, &text);

	if (over == 0)
		return false;
	*r->out = (struct analysis){ .c = r->out->c, .reason = over > 0 ? "high-rate" : "reputation-error", .high_rate = over > 0, .user_error = over > 0,
		.code = over > 0 ? 452 : 451, .ecode = over > 0 ? SMTP_E_MAILBOX_FULL : SMTP_E_SYS_OTHER, .text = over > 0 ? text : str_of(error_processing),
		.err = MIN(over, 0) };
	return true;
}

static bool
is_allowed_list(struct run *r)
{
	const struct store_delivery_info *d = &r->in->c.info;

	if (!r->rule || r->rule->list_allow_domain_ascii.n == 0)
		return false;
	if (d->mailfrom_validated && str_is(idna_to_ascii(r->a, d->mailfrom_domain), r->rule->list_allow_domain_ascii))
		return true;
	for (size_t i = 0; i < d->dkim_domains.n; i++)
		if (str_is(idna_to_ascii(r->a, d->dkim_domains.v[i]), r->rule->list_allow_domain_ascii))
			return true;
	return false;
}

/* forward: 4. Nothing of the forwarder must count for or against senders that it brings, or the other way around. */
static void
forward(struct run *r)
{
	struct store_delivery_info *d = &r->out->c.info;
	struct strlist kept = { 0 };

	r->out->is_forward = true;
	r->out->dmarc_override = "forwarded";
	r->out->c.remote = (struct ip){ 0 };
	d->remote_is_forwarder = true;
	d->orig_ehlo_domain = d->ehlo_domain;
	d->ehlo_domain = S("");
	d->mailfrom_domain = S("");
	d->orig_dkim_domains = strlist_join(r->a, &d->dkim_domains, S(" "));
	for (size_t i = 0; i < d->dkim_domains.n; i++)
		if (!str_is(idna_to_ascii(r->a, d->dkim_domains.v[i]), r->rule->verified_domain_ascii))
			strlist_add(r->a, &kept, d->dkim_domains.v[i]);
	d->dkim_domains = kept;
	why(r, S("forwarded: policy and reputation of the forwarder are not used"));
}

/* reports: 6, 7. */
static void
reports(struct run *r)
{
	const struct config_destination *d = r->in->destination;
	bool wanted[] = { [REPORT_DMARC] = d->dmarc_reports, [REPORT_TLS] = d->host_tls_reports || d->domain_tls_reports };

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		if (!wanted[i])
			continue;
		int taken = r->h->take_report(r->h->arg, r->a, (enum report_kind)i, &r->out->report_error[i]);
		r->out->report_taken[i] = taken > 0;
		if (taken < 0 && r->out->report_error[i].n == 0)
			r->out->report_error[i] = S("report could not be read");
	}
}

static bool
report_taken(const struct run *r)
{
	return r->out->report_taken[REPORT_DMARC] || r->out->report_taken[REPORT_TLS];
}

/* reputation: 9 to 12. True: decided. */
static bool
reputation(struct run *r)
{
	struct analysis *o = r->out;
	int64_t mailbox_id = 0;
	int err = r->h->mailbox_id(r->h->arg, o->mailbox, &mailbox_id);

	if (err == 0)
		err = smtpserver_reputation(&r->h->history, r->a, &o->c, mailbox_id ? mailbox_id : -1, &o->why, &r->rep);
	if (err < 0) {
		refuse_silently(r, err, "reputation-error");
		return true;
	}
	if (str_is(o->mailbox, S("Inbox")) && r->in->account->introbox.n > 0 && r->rep.method != REPUTATION_MSGFROM &&
	    r->rep.method != REPUTATION_MSGTO && !o->is_forward && !report_taken(r)) {
		o->mailbox_destined = o->mailbox;
		o->mailbox = r->in->account->introbox;
		why(r, S("the sender is not known yet, so it goes to the introbox"));
	}
	if (!r->rep.conclusive)
		return false;
	if (r->rep.verdict == REPUTATION_JUNK)
		refuse_silently(r, 0, smtpserver_method_text(r->rep.method));
	else
		accept_as(r, smtpserver_method_text(r->rep.method));
	return true;
}

/* What is known of the sender is weak: no history, or only that of networks and of domains that vouched. */
static bool
weakly_known(const struct run *r)
{
	switch (r->rep.method) {
	case REPUTATION_NONE:
	case REPUTATION_DKIMSPF:
	case REPUTATION_IP1:
	case REPUTATION_IP2:
	case REPUTATION_IP3:
		return true;
	default:
		return false;
	}
}

/* policies: 14 to 16. True: decided. */
static bool
policies(struct run *r)
{
	int spf = r->in->c.info.mailfrom_validation;

	if (!weakly_known(r))
		return false;
	if (spf == STORE_VALIDATION_FAIL || spf == STORE_VALIDATION_SOFTFAIL) {
		why(r, S("SPF does not permit the client to use the domain of MAIL FROM, and nothing speaks for the sender"));
		refuse_silently(r, 0, "spf-policy");
		return true;
	}
	r->suspicious_iprev = !r->in->iprev_pass;
	if (!r->suspicious_iprev || r->rep.verdict != REPUTATION_JUNK)
		return false;
	why(r, S("the client has no name that leads back to it, and its history is junk"));
	refuse_silently(r, 0, "iprev");
	return true;
}

/* is_addressed: the recipient is in To or Cc, so it is no blind copy or junk to a list of addresses. */
static bool
is_addressed(struct run *r)
{
	struct str rest = r->in->header;
	struct message_field f;
	struct smtp_address want;

	if (r->in->rcpt->localpart.n == 0 || !smtp_path_address(r->in->rcpt, &want))
		return true;
	while (message_field_next(&rest, &f, NULL)) {
		struct message_addrs addrs = { 0 };

		if (!str_icase(f.name, S("To")) && !str_icase(f.name, S("Cc")))
			continue;
		message_parse_addrs(r->a, f.body, &addrs);
		for (uint32_t i = 0; i < addrs.n; i++) {
			struct smtp_address have;

			if (message_addr_address(r->a, &addrs.v[i], &have) == 0 && smtp_address_equal(&have, &want))
				return true;
		}
	}
	return false;
}

/* strict_cause names what makes a message suspicious before its content is looked at; NULL: nothing. */
static const char *
strict_cause(struct run *r)
{
	if (r->suspicious_iprev)
		return "the client has no name that leads back to it";
	if (!r->in->tls)
		return "it came without TLS";
	if (!r->out->is_forward && !is_addressed(r))
		return "the recipient is not in To or Cc";
	return NULL;
}

/* content: 18. 1 acceptable, 0 not, with the reason; negative: refused for an error. */
static int
content(struct run *r, const char **r_reason)
{
	struct content_verdict v = { 0 };
	double threshold = 0;
	const char *cause = NULL;
	int done = r->h->classify(r->h->arg, r->a, &v);

	if (done < 0) {
		refuse_silently(r, done, "junk-classify-error");
		return -1;
	}
	if (done == 0)
		return 1;
	threshold = r->in->account->junk_filter->threshold + r->in->jitter;
	*r_reason = "junk-content";
	if (threshold > STRICT_THRESHOLD && (cause = strict_cause(r))) {
		threshold = STRICT_THRESHOLD;
		*r_reason = "junk-content-strict";
		why(r, str_fmt(r->a, "content is judged strictly: %s", cause));
	}
	why(r, str_fmt(r->a, "content is junk with probability %.2f, threshold %.2f%s", v.probability, threshold,
	    v.significant ? "" : " (the filter has not learned much yet)"));
	if (v.words.n > 0)
		why(r, v.words);
	r->weak_junk = v.probability < threshold + WEAK_MARGIN;
	return v.probability <= threshold || (!v.significant && !r->suspicious_iprev);
}

/* hint: 21. A good sender without history may prove to be no machine. True: decided. */
static bool
hint(struct run *r)
{
	struct str token = { 0 };
	int err;

	if (r->in->account->subject_pass.period <= 0 || !r->in->dmarc_pass || r->rep.method != REPUTATION_NONE || !(r->listed || r->weak_junk))
		return false;
	err = r->h->subjectpass_token(r->h->arg, r->a, &token);
	if (err < 0) {
		refuse_silently(r, err, "subjectpass-error");
		return true;
	}
	why(r, S("the sender was told how to get through, by the subject"));
	refuse(r, 550, SMTP_E_POLICY_NOT_AUTHORIZED, str_fmt(r->a, "your message looks like junk; if it is not, send it again with this text added to the subject: "
	    STRF, STRA(token)), 0, "give-subjectpass");
	return true;
}

/* unknown_sender: 17 to 22: what is left when nobody vouches for the sender. */
static void
unknown_sender(struct run *r)
{
	const char *reason = NULL;
	int ok = 0;

	if (r->in->account->subject_pass.period > 0) {
		ok = r->h->subjectpass_ok(r->h->arg);
		if (ok < 0) {
			refuse_silently(r, ok, "subjectpass-error");
			return;
		}
		if (ok > 0) {
			why(r, S("the subject has a pass that we gave to the sender"));
			accept_as(r, "subjectpass");
			return;
		}
	}
	ok = content(r, &reason);
	if (ok > 0) {
		struct str text = { 0 };
		int listed = r->h->block_listed(r->h->arg, r->a, &text);

		/* A list that cannot be asked says nothing. */
		if (listed > 0) {
			r->listed = true;
			ok = 0;
			reason = "dns-blocklisted";
			why(r, text);
		}
	}
	if (ok > 0)
		accept_as(r, "no-bad-signals");
	else if (ok == 0 && !hint(r))
		refuse_silently(r, 0, reason);
}

/* auth_required: 8. True: refused. */
static bool
auth_required(struct run *r)
{
	const struct config_destination *d = r->in->destination;

	if (d->message_auth_required_smtp_error.n == 0 || r->in->c.info.msgfrom_validated)
		return false;
	if (r->in->dmarc_temperror)
		refuse(r, 451, SMTP_E_POLICY_MULTIPLE_AUTH,
		    str_fmt(r->a, STRF " (this could not be checked now, try again later)", STRA(d->message_auth_required_smtp_error)), 0, "msg-auth-required");
	else
		refuse(r, 550, SMTP_E_POLICY_MULTIPLE_AUTH, d->message_auth_required_smtp_error, 0, "msg-auth-required");
	return true;
}

void
smtpserver_analyze(struct arena *a, const struct analysis_input *in, const struct analysis_hooks *h, struct analysis *r_analysis)
{
	struct run r = { .a = a, .in = in, .h = h, .out = r_analysis };

	*r_analysis = (struct analysis){ .c = in->c };
	if (rate(&r))
		return;
	/* 2 */
	r.rule = smtpserver_ruleset(a, &in->c, in->destination, in->header, in->has_from);
	r_analysis->mailbox = r.rule ? r.rule->mailbox : in->destination->mailbox;
	/* 3 */
	if (is_allowed_list(&r)) {
		r_analysis->is_mailinglist = true;
		r_analysis->dmarc_override = "mailing_list";
		why(&r, str_fmt(a, "a rule allows mail of the list " STRF, STRA(r.rule->list_allow_domain)));
		accept_as(&r, "list-allow");
		return;
	}
	if (r.rule && r.rule->is_forward)
		forward(&r);
	/* 5 */
	if (in->dmarc_reject && !r_analysis->is_forward) {
		why(&r, S("the DMARC policy of the domain in From wants it refused"));
		refuse(&r, 550, SMTP_E_POLICY_MULTIPLE_AUTH, S("rejecting per DMARC policy"), 0, "dmarc-policy");
		return;
	}
	reports(&r);
	if (auth_required(&r) || reputation(&r))
		return;
	/* 13 */
	if (report_taken(&r)) {
		accept_as(&r, "reporting");
		return;
	}
	if (!policies(&r))
		unknown_sender(&r);
}
