/* SPDX-License-Identifier: MIT */
/* dmarc_lookup.c - mox dmarc lookup */
#include "commands.h"
#include "dmarc/dmarc.h"
#include "json.h"
#include "tool.h"

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct dmarc_found found = { 0 };
	struct json j = JSON_INIT;
	struct idna_domain domain;
	const char *error;

	if (!tool_domain(c, c->argv[0], &domain))
		return CMD_USAGE;
	if (!tool_open(c, &t))
		return CMD_FAILED;
	dmarc_lookup(t.dns, c->arena, &t.ctx, domain.ascii, &found);
	error = found.found ? "" : found.problem.n > 0 ? tool_text(c, found.problem) : "no DMARC record";
	if (cmd_is_set(c, "json")) {
		json_open(&j, NULL, '{');
		json_text(&j, "error", str_of(error));
		json_str(&j, "domain", found.domain);
		json_text(&j, "record", found.txt);
		json_bool(&j, "fromParent", found.from_parent);
		json_bool(&j, "dnssec", found.authentic);
		json_close(&j, '}');
		json_print(&j);
	}
	if (*error)
		return cmd_fail(c, "%s (%s)", error, tool_dnssec(found.authentic));
	if (!cmd_is_set(c, "json"))
		printf("dmarc record at domain %s: %s\n(%s)\n", tool_text(c, found.domain), tool_text(c, found.txt),
		    tool_dnssec(found.authentic));
	return CMD_OK;
}

const struct cmd cmd_dmarc_lookup = {
	.words = "dmarc lookup",
	.params = "domain",
	.min_args = 1,
	.max_args = 1,
	.flags = { TOOL_JSON },
	.help = "Find the DMARC record that applies to a domain, and print it.\n"
		"\n"
		"The record may be the domain's own, at _dmarc.DOMAIN, or that of a domain above it:\n"
		"the one of the organisation. Where it was found is printed with it, and whether DNSSEC\n"
		"protects it. The exit status is 1 if there is no record, or none that can be used.\n"
		"\n"
		"Example:\n"
		"\tmox dmarc lookup mail.example.org\n",
	.run = run,
};
