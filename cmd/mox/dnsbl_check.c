/* SPDX-License-Identifier: MIT */
/* dnsbl_check.c - mox dnsbl check */
#include "commands.h"
#include "dnsbl/dnsbl.h"
#include "json.h"
#include "tool.h"

static void
print_json(const struct cmd_run *c, const struct dnsbl_result *r)
{
	struct json j = JSON_INIT;

	json_open(&j, NULL, '{');
	json_str(&j, "status", str_of(dnsbl_status_text(r->status)));
	json_text(&j, "explanation", r->explanation);
	json_open(&j, "codes", '[');
	for (size_t i = 0; i < r->ncodes; i++)
		json_str(&j, NULL, ip_str(c->arena, &r->codes[i]));
	json_close(&j, ']');
	json_text(&j, "error", r->problem);
	json_close(&j, '}');
	json_print(&j);
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct dnsbl_result r = { 0 };
	struct idna_domain zone;
	struct ip ip;

	if (!tool_domain(c, c->argv[0], &zone) || !tool_ip(c, c->argv[1], &ip))
		return CMD_USAGE;
	if (!tool_open(c, &t))
		return CMD_FAILED;
	dnsbl_lookup(t.dns, c->arena, &t.ctx, zone.ascii, &ip, &r);
	if (cmd_is_set(c, "json")) {
		print_json(c, &r);
		return CMD_OK;
	}
	printf("status: %s\n", dnsbl_status_text(r.status));
	if (r.status == DNSBL_FAIL)
		printf("explanation: \"%s\"\n", tool_text(c, r.explanation));
	if (r.problem.n > 0)
		printf("error: %s\n", tool_text(c, r.problem));
	return CMD_OK;
}

const struct cmd cmd_dnsbl_check = {
	.words = "dnsbl check",
	.params = "zone ip",
	.min_args = 2,
	.max_args = 2,
	.flags = { TOOL_JSON },
	.help = "Ask a DNS blocklist about an IP address.\n"
		"\n"
		"The zone is the list's name in DNS. The status is pass if the address is not listed,\n"
		"fail if it is, with the explanation that the list gives, and temperror if that could\n"
		"not be found out: DNS does not answer, or the list refuses to, as some do for public\n"
		"resolvers. The exit status is 0 whatever the result.\n"
		"\n"
		"Example:\n"
		"\tmox dnsbl check bl.example.org 192.0.2.1\n",
	.run = run,
};
