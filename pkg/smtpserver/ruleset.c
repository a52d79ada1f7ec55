/* SPDX-License-Identifier: MIT */
/* Rules of a destination: ../spec/delivery-analysis.md 4. */
#include "base/utf8.h"
#include "message/header.h"
#include "smtpserver/analyze.h"

/* is_at: the domain is `at` (ASCII), or below it. */
static bool
is_at(struct arena *a, struct str domain, struct str at)
{
	struct idna_domain d = { .ascii = idna_to_ascii(a, domain) }, parent = { .ascii = at };

	return domain.n > 0 && idna_is_under(&d, &parent);
}

static bool
verified(struct arena *a, const struct store_delivery_info *d, struct str at)
{
	if ((d->ehlo_validated && is_at(a, d->ehlo_domain, at)) || (d->mailfrom_validated && is_at(a, d->mailfrom_domain, at)))
		return true;
	for (size_t i = 0; i < d->dkim_domains.n; i++)
		if (is_at(a, d->dkim_domains.v[i], at))
			return true;
	return false;
}

static bool
header_has(struct arena *a, struct str header, const struct config_header_re *re)
{
	struct message_field f;

	while (message_field_next(&header, &f, NULL)) {
		ARENA_SCOPE(a);
		if (regexp_match(re->name, utf8_lower(a, f.name)) && regexp_match(re->value, utf8_lower(a, message_field_text(a, f.body))))
			return true;
	}
	return false;
}

static bool
matches(struct arena *a, const struct candidate *c, const struct config_ruleset *r, struct str header, bool has_from)
{
	const struct store_delivery_info *d = &c->info;
	const struct config_header_re *re = r->headers_re;

	if (r->smtp_mail_from_re && !regexp_match(r->smtp_mail_from_re, d->mailfrom))
		return false;
	if (r->msg_from_re && (!has_from || !regexp_match(r->msg_from_re,
	    str_fmt(a, STRF "@" STRF, STRA(smtp_localpart(a, d->msgfrom_localpart)), STRA(d->msgfrom_domain)))))
		return false;
	if (r->verified_domain_ascii.n > 0 && !verified(a, d, r->verified_domain_ascii))
		return false;
	for (size_t i = 0; i < r->headers_regexp.n; i++)
		if (!header_has(a, header, &re[i]))
			return false;
	return true;
}

const struct config_ruleset *
smtpserver_ruleset(struct arena *a, const struct candidate *c, const struct config_destination *d, struct str header, bool has_from)
{
	for (size_t i = 0; i < d->rulesets.n; i++)
		if (matches(a, c, &d->rulesets.v[i], header, has_from))
			return &d->rulesets.v[i];
	return NULL;
}
