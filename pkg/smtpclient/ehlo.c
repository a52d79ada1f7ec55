/* SPDX-License-Identifier: MIT */
/*
 * EHLO and what the server announces.
 */
#include "base/cur.h"
#include "smtp/smtp.h"
#include "smtpclient/smtpclient_internal.h"

#define LIMITS_NAME(w) \
	(CUR_RANGE(w, 'a', 'z') | CUR_RANGE(w, 'A', 'Z') | CUR_RANGE(w, '0', '9') | CUR_CHAR(w, '-') | CUR_CHAR(w, '_'))
#define LIMITS_VALUE(w) (CUR_RANGE(w, 0x21, 0x3a) | CUR_RANGE(w, 0x3c, 0x7e))
static const struct cur_class limits_name = CUR_CLASS(LIMITS_NAME), limits_value = CUR_CLASS(LIMITS_VALUE);

#define LIMITS_MAX 20 /* names looked at */

/* limit_value: 1 to 6 digits, not zero; else the value does not count (rfc/9422:262). */
static uint32_t
limit_value(struct str s)
{
	uint32_t v = 0;

	return s.n >= 1 && s.n <= 6 && str_u32(s, &v) == 0 ? v : 0;
}

/*
 * limits-param = limit-name-registry ["=" limit-value]; a syntax error or a name given twice makes all of it void.
 * rfc/9422:148
 */
void
smtpclient_parse_limits(struct smtpclient_extensions *ext, struct str params)
{
	struct cur p = cur_of(params);
	struct str names[LIMITS_MAX], values[LIMITS_MAX];
	size_t n = 0;

	while (!cur_end(&p) && cur_ok(&p)) {
		if (n == LIMITS_MAX)
			return;
		cur_char(&p, ' ');
		names[n] = cur_span1(&p, &limits_name, "name");
		cur_char(&p, '=');
		values[n] = cur_span1(&p, &limits_value, "value");
		for (size_t i = 0; i < n; i++)
			if (str_icase(names[i], names[n]))
				return;
		n++;
	}
	if (!cur_done(&p))
		return;
	for (size_t i = 0; i < n; i++) {
		if (str_icase(names[i], S("MAILMAX")))
			ext->mail_max = limit_value(values[i]);
		else if (str_icase(names[i], S("RCPTMAX")))
			ext->rcpt_max = limit_value(values[i]);
		else if (str_icase(names[i], S("RCPTDOMAINMAX")))
			ext->rcpt_domain_max = limit_value(values[i]);
	}
}

/* size-value: none and nonsense are an announcement without limit: rfc/1870:94 */
static void
parse_size(struct smtpclient_extensions *ext, struct str params)
{
	uint64_t v = 0;

	if (params.n == 0)
		return;
	ext->size = true;
	if (str_u64(str_trim(params), &v) == 0 && v <= INT64_MAX)
		ext->max_size = (int64_t)v;
}

static void
parse_line(struct smtpclient *c, struct smtpclient_extensions *ext, struct str text)
{
	struct str params = text, keyword = str_split(&params, ' ');
	const struct {
		struct str keyword;
		bool *flag;
	} flags[] = {
		{ S("STARTTLS"), &ext->starttls },
		{ S("ENHANCEDSTATUSCODES"), &ext->ecodes },
		{ S("8BITMIME"), &ext->eightbitmime },
		{ S("PIPELINING"), &ext->pipelining },
		{ S("REQUIRETLS"), &ext->requiretls },
		{ S("SMTPUTF8"), &ext->smtputf8 },
		{ S("CHUNKING"), &ext->chunking },
		{ S("DSN"), &ext->dsn },
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (str_icase(keyword, flags[i].keyword))
			*flags[i].flag = true;
	if (str_icase(keyword, S("SIZE")))
		parse_size(ext, params);
	else if (str_icase(keyword, S("AUTH")))
		ext->auth = str_upper(&c->a, params);
	else if (str_icase(keyword, S("LIMITS")))
		smtpclient_parse_limits(ext, str_from(text, keyword.n));
}

int
smtpclient_hello(struct smtpclient *c, struct arena *a, bool fallback, struct smtpclient_error *r_e)
{
	struct smtpclient_reply r = { 0 };

	c->ext = (struct smtpclient_extensions){ 0 };
	TRY(smtpclient_command(c, a, "ehlo", str_cat(a, S("EHLO "), c->o.ehlo), false, &r, r_e));
	if (r.code >= 500 && r.code <= 504 && fallback) {
		TRY(smtpclient_command(c, a, "helo", str_cat(a, S("HELO "), c->o.ehlo), false, &r, r_e));
		return r.code == 250 ? 0 : smtpclient_fail_reply(a, r_e, SMTPCLIENT_STATUS, "helo", &r);
	}
	if (r.code >= 500 && r.code <= 504)
		return smtpclient_fail_reply(a, r_e, SMTPCLIENT_PROTOCOL, "ehlo", &r);
	if (r.code != 250)
		return smtpclient_fail_reply(a, r_e, SMTPCLIENT_STATUS, "ehlo", &r);
	c->ext.esmtp = true;
	for (size_t i = 0; i < r.more.n; i++) {
		struct smtp_reply_line l;

		/*
		 * The text is what stands behind the code: enhanced codes do not belong here, and a keyword may look
		 * like one.
		 */
		if (smtp_parse_reply_line(r.more.v[i], &l) == 0 && r.more.v[i].n > 4)
			parse_line(c, &c->ext, str_from(r.more.v[i], 4));
	}
	return 0;
}
