/* SPDX-License-Identifier: MIT */
/* dnsbl_checkhealth.c - mox dnsbl checkhealth */
#include "commands.h"
#include "dnsbl/dnsbl.h"
#include "tool.h"

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct idna_domain zone;
	struct errmsg e = { 0 };
	int rv;

	if (!tool_domain(c, c->argv[0], &zone))
		return CMD_USAGE;
	if (!tool_open(c, &t))
		return CMD_FAILED;
	rv = dnsbl_check_health(t.dns, c->arena, &t.ctx, zone.ascii, &e);
	if (rv < 0)
		return cmd_fail(c, "%s", e.text[0] ? tool_text(c, str_of(e.text)) : err_text(rv));
	printf("healthy\n");
	return CMD_OK;
}

const struct cmd cmd_dnsbl_checkhealth = {
	.words = "dnsbl checkhealth",
	.params = "zone",
	.min_args = 1,
	.max_args = 1,
	.help = "Check whether a DNS blocklist works.\n"
		"\n"
		"Every list has 127.0.0.2 and does not have 127.0.0.1, for tests. A list that ended\n"
		"its service may list nothing, or everything: mail would be let in, or all refused.\n"
		"Prints \"healthy\", or what is wrong, with exit status 1.\n"
		"\n"
		"Example:\n"
		"\tmox dnsbl checkhealth bl.example.org\n",
	.run = run,
};
