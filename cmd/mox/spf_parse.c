/* SPDX-License-Identifier: MIT */
/* spf_parse.c - mox spf parse */
#include "commands.h"
#include "json.h"
#include "spf/spf.h"
#include "tool.h"

static const char *const mechanisms[] = { [SPF_ALL] = "all",
	[SPF_INCLUDE] = "include",
	[SPF_A] = "a",
	[SPF_MX] = "mx",
	[SPF_PTR] = "ptr",
	[SPF_IP4] = "ip4",
	[SPF_IP6] = "ip6",
	[SPF_EXISTS] = "exists" };

static void
json_directive(const struct cmd_run *c, struct json *j, const struct spf_directive *d)
{
	json_open(j, NULL, '{');
	json_str(j, "qualifier", str_n(&d->qualifier, 1));
	json_str(j, "mechanism", str_of(mechanisms[d->mechanism]));
	json_text(j, "domain", d->domain);
	if (d->ip.family != 0)
		json_str(j, "ip", ip_str(c->arena, &d->ip));
	if (d->cidr4 >= 0)
		json_int(j, "ip4Prefix", d->cidr4);
	if (d->cidr6 >= 0)
		json_int(j, "ip6Prefix", d->cidr6);
	json_close(j, '}');
}

static void
print_json(const struct cmd_run *c, const struct spf_record *r)
{
	struct json j = JSON_INIT;

	json_open(&j, NULL, '{');
	json_open(&j, "directives", '[');
	for (size_t i = 0; i < r->ndirectives; i++)
		json_directive(c, &j, &r->directives[i]);
	json_close(&j, ']');
	json_text(&j, "redirect", r->redirect);
	json_text(&j, "explanation", r->exp);
	json_open(&j, "modifiers", '{');
	for (size_t i = 0; i < r->nothers; i++)
		json_str(&j, str_dup(c->arena, r->others[i].name).p, r->others[i].value);
	json_close(&j, '}');
	json_close(&j, '}');
	json_print(&j);
}

static int
run(struct cmd_run *c)
{
	struct spf_record r;
	struct errmsg e = { 0 };

	if (spf_parse(c->arena, str_of(c->argv[0]), &r, &e) < 0)
		return cmd_fail(c, "%s", tool_text(c, str_of(e.text)));
	if (cmd_is_set(c, "json"))
		print_json(c, &r);
	return CMD_OK;
}

const struct cmd cmd_spf_parse = {
	.words = "spf parse",
	.params = "txt",
	.min_args = 1,
	.max_args = 1,
	.flags = { { "json", NULL, NULL, "print the parts of a valid record as JSON" } },
	.help = "Check the syntax of an SPF record before it is published.\n"
		"\n"
		"Nothing is printed for a valid record. For one that is not, the exit status is 1 and\n"
		"the message tells what was expected and where.\n"
		"\n"
		"Example:\n"
		"\tmox spf parse 'v=spf1 ip4:192.0.2.0/24 mx -all'\n",
	.run = run,
};
