/* SPDX-License-Identifier: MIT */
/* queue_holdrules.c - mox queue holdrules list, add, remove */
#include "commands.h"
#include "queue.h"

static void
print_part(const struct cmd_run *c, const char **sep, const char *name, struct str value)
{
	struct str quoted = qcmd_quote(c, value);

	if (value.n == 0)
		return;
	printf("%s%s " STRF, *sep, name, STRA(quoted));
	*sep = ", ";
}

static void
print_rule(const struct cmd_run *c, const void *value)
{
	const struct queue_hold_rule *r = value;
	const char *sep = " ";

	printf("id %lld:", (long long)r->id);
	print_part(c, &sep, "account", r->account);
	print_part(c, &sep, "sender domain", r->sender_domain);
	print_part(c, &sep, "recipient domain", r->recipient_domain);
	printf("%s\n", *sep == ' ' ? " all messages" : "");
}

static int
run_list(struct cmd_run *c)
{
	return qcmd_stream(c, "queueholdruleslist", NULL, 0, &queue_hold_rule_desc, "hold rules:", print_rule);
}

const struct cmd cmd_queue_holdrules_list = {
	.words = "queue holdrules list",
	.params = "",
	.flags = { QUEUE_F_JSON },
	.help = "List the rules by which new messages are held.\n"
		"\n"
		"A message that matches a rule is not tried until \"mox queue unhold\" releases it.\n",
	.run = run_list,
};

static int
run_add(struct cmd_run *c)
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	struct str params[3] = { str_of(cmd_value(c, "account")), str_of(cmd_value(c, "senderdom")),
		str_of(cmd_value(c, "recipientdom")) };

	return qcmd_request(c, &client, "queueholdrulesadd", params, 3);
}

const struct cmd cmd_queue_holdrules_add = {
	.words = "queue holdrules add",
	.params = "",
	.flags = {
		{ "account", "name", NULL, "messages of this account" },
		{ "senderdom", "domain", NULL, "messages from this domain" },
		{ "recipientdom", "domain", NULL, "messages to this domain" },
	},
	.help =
	    "Add a rule: new messages that match are held, and those in the queue too.\n"
	    "\n"
	    "All flags that are given must match. Without any, everything is held.\n",
	.run = run_add,
};

static int
run_remove(struct cmd_run *c)
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	struct str id = str_of(c->argv[0]);

	return qcmd_request(c, &client, "queueholdrulesremove", &id, 1);
}

const struct cmd cmd_queue_holdrules_remove = {
	.words = "queue holdrules remove",
	.params = "id",
	.min_args = 1,
	.max_args = 1,
	.help = "Remove a rule.\n"
		"\n"
		"Messages that are on hold stay so: see \"mox queue unhold\".\n",
	.run = run_remove,
};
