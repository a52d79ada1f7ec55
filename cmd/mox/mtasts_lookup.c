/* SPDX-License-Identifier: MIT */
/* mtasts_lookup.c - mox mtasts lookup */
#include "commands.h"
#include "json.h"
#include "mtasts/mtasts.h"
#include "tool.h"

static void
json_policy(const struct cmd_run *c, struct json *j, const struct mtasts_policy *p)
{
	json_open(j, "policy", '{');
	json_str(j, "mode", str_of(mtasts_mode_text(p->mode)));
	json_int(j, "maxAge", p->max_age_s);
	json_open(j, "mx", '[');
	for (size_t i = 0; i < p->nmx; i++)
		json_str(j, NULL, mtasts_mx_text(c->arena, &p->mx[i]));
	json_close(j, ']');
	json_close(j, '}');
}

static void
print_json(const struct cmd_run *c, int rv, const char *error, const struct mtasts_result *r)
{
	struct json j = JSON_INIT;

	json_open(&j, NULL, '{');
	if (rv < 0) {
		json_str(&j, "error", str_of(error));
		json_text(&j, "reason", str_of(mtasts_reason(rv)));
	}
	json_text(&j, "txt", r->txt);
	if (r->has_record)
		json_str(&j, "id", r->record.id);
	json_bool(&j, "dnssec", r->authentic);
	if (rv == 0)
		json_policy(c, &j, &r->policy);
	json_close(&j, '}');
	json_print(&j);
}

static void
print(const struct cmd_run *c, struct str domain, int rv, const char *error, const struct mtasts_result *r)
{
	struct str policy, line;

	if (rv < 0)
		printf("error: %s\n", error);
	if (r->txt.n > 0)
		printf("DNS TXT record _mta-sts." STRF ": %s (%s)\n", STRA(domain), tool_text(c, r->txt),
		    tool_dnssec(r->authentic));
	if (rv < 0)
		return;
	printf("\npolicy at https://mta-sts." STRF "/.well-known/mta-sts.txt:\n", STRA(domain));
	policy = mtasts_pack_policy(c->arena, &r->policy);
	while (policy.n > 0) {
		line = str_trim(str_split(&policy, '\n'));
		printf(STRF "\n", STRA(line));
	}
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	cleanup_(httpclient_free) struct httpclient *http = NULL;
	struct mtasts_result r = { 0 };
	struct idna_domain domain;
	struct errmsg e = { 0 };
	const char *error;
	int rv;

	if (!tool_domain(c, c->argv[0], &domain))
		return CMD_USAGE;
	if (!tool_open(c, &t) || !(http = tool_http(c, &t)))
		return CMD_FAILED;
	rv = mtasts_get(t.dns, httpclient_for(http, "mtasts"), c->arena, &t.ctx, domain.ascii, &r, &e);
	error = e.text[0] ? tool_text(c, str_of(e.text)) : err_text(rv);
	if (cmd_is_set(c, "json"))
		print_json(c, rv, error, &r);
	else
		print(c, domain.ascii, rv, error, &r);
	return rv < 0 ? CMD_FAILED : CMD_OK;
}

const struct cmd cmd_mtasts_lookup = {
	.words = "mtasts lookup",
	.params = "domain",
	.min_args = 1,
	.max_args = 1,
	.flags = { TOOL_JSON, TOOL_TLSCERTS },
	.help = "Look up the MTA-STS record of a domain and fetch its policy.\n"
		"\n"
		"With MTA-STS a domain tells senders which hosts receive its mail, and whether to\n"
		"insist on TLS with good certificates. Printed are the TXT record and the policy as it\n"
		"was understood. It must come by HTTPS from mta-sts.DOMAIN, which must have a good\n"
		"certificate itself; redirects are not followed.\n"
		"\n"
		"If the record or the policy cannot be had, \"error:\" tells why, and the exit status is 1.\n"
		"\n"
		"Example:\n"
		"\tmox mtasts lookup example.org\n",
	.run = run,
};
