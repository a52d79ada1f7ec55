/* SPDX-License-Identifier: MIT */
/* spf_lookup.c - mox spf lookup */
#include "commands.h"
#include "json.h"
#include "spf/spf.h"
#include "tool.h"

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct json j = JSON_INIT;
	struct idna_domain d;
	struct spf_record record;
	struct str txt = { 0 };
	struct errmsg e = { 0 };
	enum spf_status status;
	bool found = false, authentic = false;
	const char *error;

	if (!tool_domain(c, c->argv[0], &d))
		return CMD_USAGE;
	if (!tool_open(c, &t))
		return CMD_FAILED;
	status = spf_lookup(t.dns, c->arena, &t.ctx, d.ascii, &found, &txt, &record, &authentic, &e);
	error = status == SPF_NONE && found ? "" : e.text[0] ? tool_text(c, str_of(e.text)) : "no SPF record";
	if (cmd_is_set(c, "json")) {
		json_open(&j, NULL, '{');
		json_str(&j, "domain", d.ascii);
		json_text(&j, "record", txt);
		json_bool(&j, "dnssec", authentic);
		json_text(&j, "error", str_of(error));
		json_close(&j, '}');
		json_print(&j);
	}
	if (*error)
		return cmd_fail(c, "%s (%s)", error, tool_dnssec(authentic));
	if (!cmd_is_set(c, "json"))
		printf("%s\n(%s)\n", tool_text(c, txt), tool_dnssec(authentic));
	return CMD_OK;
}

const struct cmd cmd_spf_lookup = {
	.words = "spf lookup",
	.params = "domain",
	.min_args = 1,
	.max_args = 1,
	.flags = { TOOL_JSON },
	.help = "Look the SPF record of a domain up and print it.\n"
		"\n"
		"The second line tells whether DNSSEC protects it. The exit status is 1 if there is no\n"
		"record, more than one, one that cannot be understood, or if DNS does not answer.\n"
		"\n"
		"Example:\n"
		"\tmox spf lookup example.org\n",
	.run = run,
};
