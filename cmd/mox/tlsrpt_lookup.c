/* SPDX-License-Identifier: MIT */
/* tlsrpt_lookup.c - mox tlsrpt lookup */
#include "tlsrpt/tlsrpt.h"

#include "commands.h"
#include "json.h"
#include "tool.h"

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct tlsrpt_record r = { 0 };
	struct json j = JSON_INIT;
	struct idna_domain domain;
	struct errmsg e = { 0 };
	struct str txt = { 0 };
	const char *error;
	int rv;

	if (!tool_domain(c, c->argv[0], &domain))
		return CMD_USAGE;
	if (!tool_open(c, &t))
		return CMD_FAILED;
	rv = tlsrpt_lookup(t.dns, c->arena, &t.ctx, domain.ascii, &txt, &r, &e);
	error = e.text[0] ? tool_text(c, str_of(e.text)) : err_text(rv);
	if (cmd_is_set(c, "json")) {
		json_open(&j, NULL, '{');
		if (rv < 0)
			json_str(&j, "error", str_of(error));
		json_text(&j, "txt", txt);
		json_list(&j, "rua", &r.rua);
		json_close(&j, '}');
		json_print(&j);
	}
	if (rv < 0)
		return cmd_fail(c, "%s", error);
	if (!cmd_is_set(c, "json"))
		printf("%s\n", tool_text(c, txt));
	return CMD_OK;
}

const struct cmd cmd_tlsrpt_lookup = {
	.words = "tlsrpt lookup",
	.params = "domain",
	.min_args = 1,
	.max_args = 1,
	.flags = { TOOL_JSON },
	.help = "Look up where a domain wants TLS reports to be sent, and print the record.\n"
		"\n"
		"The TXT record at _smtp._tls.DOMAIN names addresses (mailto:) or web servers (https:)\n"
		"that senders report to whether TLS worked. The exit status is 1 if there is no record,\n"
		"or none that can be understood.\n"
		"\n"
		"Example:\n"
		"\tmox tlsrpt lookup example.org\n",
	.run = run,
};
