/* SPDX-License-Identifier: MIT */
/* arc_verify.c - mox arc verify */
#include "arc/arc.h"
#include "commands.h"
#include "json.h"
#include "tool.h"

static void
print_json(const struct arc_chain *chain)
{
	struct json j = JSON_INIT;

	json_open(&j, NULL, '{');
	json_str(&j, "status", str_of(arc_status_text(chain->status)));
	json_text(&j, "error", chain->problem);
	json_bool(&j, "dnssec", chain->authentic);
	json_open(&j, "sets", '[');
	for (size_t i = 0; chain->sets && i < chain->n; i++) {
		const struct arc_set *s = &chain->sets[i];

		json_open(&j, NULL, '{');
		json_int(&j, "instance", s->instance);
		json_text(&j, "domain", s->seal_domain);
		json_text(&j, "selector", s->seal_selector);
		json_text(&j, "results", s->results);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	json_print(&j);
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct dkim_verify_args args = { 0 };
	struct arc_chain chain = { 0 };
	struct message_source src;
	struct errmsg e = { 0 };
	struct str text;

	if (!tool_message(c, c->argv[0], &text) || !tool_open(c, &t))
		return CMD_FAILED;
	src = message_source_mem(text);
	if (arc_verify(t.dns, c->arena, &t.ctx, &src, &args, &chain, &e) < 0)
		return cmd_fail(c, "%s: %s", c->argv[0], tool_text(c, str_of(e.text)));
	if (cmd_is_set(c, "json")) {
		print_json(&chain);
		return CMD_OK;
	}
	printf("status: %s", arc_status_text(chain.status));
	if (chain.status == ARC_PASS)
		printf(" (%s)", tool_dnssec(chain.authentic));
	printf("\n");
	if (chain.problem.n > 0)
		printf("error: %s\n", tool_text(c, chain.problem));
	for (size_t i = 0; chain.status == ARC_PASS && i < chain.n; i++)
		printf("%d: sealed by %s, selector %s; results: %s\n", chain.sets[i].instance,
		    tool_text(c, chain.sets[i].seal_domain), tool_text(c, chain.sets[i].seal_selector),
		    tool_text(c, chain.sets[i].results));
	return CMD_OK;
}

const struct cmd cmd_arc_verify = {
	.words = "arc verify",
	.params = "file",
	.min_args = 1,
	.max_args = 1,
	.flags = { TOOL_JSON },
	.help = "Validate the ARC chain of a message.\n"
		"\n"
		"Forwarders and mailing lists add a set of ARC fields each: what they found out about\n"
		"the message when it came, and a seal. The message is read from the file, or from\n"
		"standard input for \"-\"; lines that end in LF count as if with CRLF. The status is none\n"
		"(no set), pass or fail. For pass each set is listed: who sealed it, and what it says\n"
		"about the message. Whether to believe that is another question: anybody can seal.\n"
		"\n"
		"The exit status is 0 whatever the result; it is 1 if the message cannot be read.\n"
		"\n"
		"Example:\n"
		"\tmox arc verify message.eml\n",
	.run = run,
};
