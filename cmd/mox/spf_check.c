/* SPDX-License-Identifier: MIT */
/* spf_check.c - mox spf check */
#include "commands.h"
#include "json.h"
#include "spf/spf.h"
#include "tool.h"

static void
print_json(const struct spf_result *r)
{
	struct json j = JSON_INIT;

	json_open(&j, NULL, '{');
	json_str(&j, "domain", r->domain);
	json_str(&j, "status", str_of(spf_status_text(r->status)));
	json_bool(&j, "dnssec", r->authentic);
	json_text(&j, "mechanism", r->mechanism);
	json_text(&j, "explanation", r->explanation);
	json_text(&j, "error", r->problem);
	json_close(&j, '}');
	json_print(&j);
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct spf_args args = { .mailfrom_localpart = S("user"), .local_hostname = S("localhost") };
	struct spf_result r = { 0 };
	struct idna_domain d;

	if (!tool_domain(c, c->argv[0], &d) || !tool_ip(c, c->argv[1], &args.remote_ip))
		return CMD_USAGE;
	args.mailfrom_domain = args.helo_domain = d.ascii;
	args.local_ip = (struct ip){ .family = 4, .a = { 127, 0, 0, 1 } };
	if (!tool_open(c, &t))
		return CMD_FAILED;
	spf_evaluate(t.dns, c->arena, &t.ctx, &args, &r);
	if (cmd_is_set(c, "json")) {
		print_json(&r);
		return CMD_OK;
	}
	if (r.problem.n > 0)
		printf("error: %s\n", tool_text(c, r.problem));
	if (r.explanation.n > 0)
		printf("explanation: %s\n", tool_text(c, r.explanation));
	printf("status: %s (%s)\n", spf_status_text(r.status), tool_dnssec(r.authentic));
	if (r.mechanism.n > 0)
		printf("mechanism: %s\n", tool_text(c, r.mechanism));
	return CMD_OK;
}

const struct cmd cmd_spf_check = {
	.words = "spf check",
	.params = "domain ip",
	.min_args = 2,
	.max_args = 2,
	.flags = { TOOL_JSON },
	.help = "Check whether an IP address may send mail for a domain.\n"
		"\n"
		"The SPF record of the domain is evaluated as for a message from user@domain that a\n"
		"client at the address sends, with the domain in EHLO. The status is one of none,\n"
		"neutral, pass, fail, softfail, temperror and permerror; the mechanism is the part of\n"
		"the record that decided. The explanation is what the domain says about a fail.\n"
		"\n"
		"\"With dnssec\" says that all DNS answers used were authentic. The exit status is 0\n"
		"whatever the result.\n"
		"\n"
		"Example:\n"
		"\tmox spf check example.org 192.0.2.1\n",
	.run = run,
};
