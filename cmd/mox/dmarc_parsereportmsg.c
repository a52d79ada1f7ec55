/* SPDX-License-Identifier: MIT */
/* dmarc_parsereportmsg.c - mox dmarc parsereportmsg */
#include "commands.h"
#include "dmarcrpt/dmarcrpt.h"
#include "tool.h"

#include "base/timeutil.h"

static const char *
date(const struct cmd_run *c, int64_t seconds)
{
	/* Beyond what a time can be: as it stands. */
	if (seconds < INT64_MIN / TIME_SEC || seconds > INT64_MAX / TIME_SEC)
		return str_fmt(c->arena, "%lld", (long long)seconds).p;
	return str_dup(c->arena, time_rfc3339(c->arena, seconds * TIME_SEC)).p;
}

static void
print_record(const struct cmd_run *c, const struct dmarcrpt_report_record *r)
{
	const struct dmarcrpt_policy_evaluated *p = &r->row.policy_evaluated;

	printf("%lld message%s from %s: disposition %s, aligned dkim %s, spf %s", (long long)r->row.count,
	    r->row.count == 1 ? "" : "s", tool_text(c, r->row.source_ip), tool_text(c, p->disposition),
	    tool_text(c, p->dkim), tool_text(c, p->spf));
	for (size_t i = 0; i < p->reasons.n; i++)
		printf(", reason %s%s%s%s", tool_text(c, p->reasons.v[i].type),
		    p->reasons.v[i].comment.n > 0 ? " (" : "", tool_text(c, p->reasons.v[i].comment),
		    p->reasons.v[i].comment.n > 0 ? ")" : "");
	printf("\n\tfrom %s", tool_text(c, r->identifiers.header_from));
	if (r->identifiers.envelope_from.n > 0)
		printf(", envelope from %s", tool_text(c, r->identifiers.envelope_from));
	if (r->identifiers.envelope_to.n > 0)
		printf(", to %s", tool_text(c, r->identifiers.envelope_to));
	printf("\n");
	for (size_t i = 0; i < r->auth_results.dkim.n; i++)
		printf("\tdkim %s: %s, selector %s\n", tool_text(c, r->auth_results.dkim.v[i].result),
		    tool_text(c, r->auth_results.dkim.v[i].domain), tool_text(c, r->auth_results.dkim.v[i].selector));
	for (size_t i = 0; i < r->auth_results.spf.n; i++)
		printf("\tspf %s: %s\n", tool_text(c, r->auth_results.spf.v[i].result),
		    tool_text(c, r->auth_results.spf.v[i].domain));
}

static void
print_report(const struct cmd_run *c, const struct dmarcrpt_feedback *r)
{
	const struct dmarcrpt_report_metadata *m = &r->report_metadata;
	const struct dmarcrpt_policy_published *p = &r->policy_published;

	printf("report %s of %s <%s>\n", tool_text(c, m->report_id), tool_text(c, m->org_name), tool_text(c, m->email));
	printf("period: %s to %s\n", date(c, m->date_range.begin), date(c, m->date_range.end));
	for (size_t i = 0; i < m->errors.n; i++)
		printf("error: %s\n", tool_text(c, m->errors.v[i]));
	printf("policy of %s: p=%s", tool_text(c, p->domain), tool_text(c, p->policy));
	if (p->subdomain_policy.n > 0)
		printf(" sp=%s", tool_text(c, p->subdomain_policy));
	if (p->nonexistent_policy.n > 0)
		printf(" np=%s", tool_text(c, p->nonexistent_policy));
	if (p->adkim.n > 0)
		printf(" adkim=%s", tool_text(c, p->adkim));
	if (p->aspf.n > 0)
		printf(" aspf=%s", tool_text(c, p->aspf));
	printf("\n");
	for (size_t i = 0; i < r->records.n; i++)
		print_record(c, &r->records.v[i]);
}

static int
run(struct cmd_run *c)
{
	for (int i = 0; i < c->argc; i++) {
		cleanup_(buf_done) struct buf out = BUF_INIT(SIZE_MAX / 2);
		struct message_source src;
		struct dmarcrpt_feedback r;
		struct errmsg e = { 0 };
		struct str text;
		int rv;

		if (!tool_message(c, c->argv[i], &text))
			return CMD_FAILED;
		src = message_source_mem(text);
		rv = dmarcrpt_parse_message(c->arena, &src, &r, &e);
		if (rv < 0)
			return cmd_fail(
			    c, "%s: %s", c->argv[i], e.text[0] ? tool_text(c, str_of(e.text)) : err_text(rv));
		if (cmd_is_set(c, "json")) {
			typedesc_json_encode(&out, &dmarcrpt_feedback_desc, &r, TYPEDESC_JSON_INDENT);
			printf(STRF "\n", STRA(buf_str(&out)));
		} else {
			printf("%s", i > 0 ? "\n" : "");
			print_report(c, &r);
		}
	}
	return CMD_OK;
}

const struct cmd cmd_dmarc_parsereportmsg = {
	.words = "dmarc parsereportmsg",
	.params = "file ...",
	.min_args = 1,
	.max_args = -1,
	.flags = { { "json", NULL, NULL, "print each whole report as JSON" } },
	.help = "Find DMARC aggregate reports in messages and print them.\n"
		"\n"
		"Each file is a message with a report, as XML, or packed by gzip or zip; \"-\" is standard\n"
		"input. Printed are who reports, the period, the policy that was found, and for each\n"
		"address that sent in the name of the domain how many messages there were, what was done\n"
		"with them, and what DKIM and SPF said. The exit status is 1 at the first message without\n"
		"a report that can be read.\n"
		"\n"
		"Example:\n"
		"\tmox dmarc parsereportmsg report.eml\n",
	.run = run,
};
