/* SPDX-License-Identifier: MIT */
/* queue_suppress.c - mox queue suppress list, add, remove, lookup */
#include "commands.h"
#include "queue.h"

static void
print_row(const struct cmd_run *c, const void *value)
{
	const struct queue_suppression *s = value;
	struct str account = qcmd_quote(c, s->account), original = qcmd_quote(c, s->original_address),
	    base = qcmd_quote(c, s->base_address);
	struct str reason = qcmd_quote(c, s->reason),
	    created = time_rfc3339(c->arena, s->created / TIME_SEC * TIME_SEC);

	printf(STRF "\t" STRF "\t%s\t" STRF "\t" STRF "\t" STRF "\n", STRA(account), STRA(original),
	    s->manual ? "Yes" : "No", STRA(created), STRA(base), STRA(reason));
}

static int
run_list(struct cmd_run *c)
{
	struct str account = str_of(cmd_value(c, "account"));

	return qcmd_stream(c, "queuesuppresslist", &account, 1, &queue_suppression_desc,
	    "suppressions (account, address, manual, time added, base address, reason):", print_row);
}

const struct cmd cmd_queue_suppress_list = {
	.words = "queue suppress list",
	.params = "",
	.flags = { QUEUE_F_ACCOUNT, QUEUE_F_JSON },
	.help = "List addresses that accounts do not send to any more.\n"
		"\n"
		"An address gets there when delivery to it failed in a way that says that further mail\n"
		"is pointless, or by hand. Messages to it fail at once.\n",
	.run = run_list,
};

static int
change(struct cmd_run *c, const char *name)
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	struct str params[2] = { str_of(c->argv[0]), str_of(c->argv[1]) };

	return qcmd_request(c, &client, name, params, 2);
}

static int
run_add(struct cmd_run *c)
{
	return change(c, "queuesuppressadd");
}

static int
run_remove(struct cmd_run *c)
{
	return change(c, "queuesuppressremove");
}

const struct cmd cmd_queue_suppress_add = {
	.words = "queue suppress add",
	.params = "account address",
	.min_args = 2,
	.max_args = 2,
	.help = "Add an address to the suppression list of an account.\n",
	.run = run_add,
};

const struct cmd cmd_queue_suppress_remove = {
	.words = "queue suppress remove",
	.params = "account address",
	.min_args = 2,
	.max_args = 2,
	.help = "Remove an address from the suppression list of an account.\n",
	.run = run_remove,
};

static bool found;

static void
print_found(const struct cmd_run *c, const void *value)
{
	const struct queue_suppression *s = value;
	struct str reason = qcmd_quote(c, s->reason),
	    created = time_rfc3339(c->arena, s->created / TIME_SEC * TIME_SEC);

	found = true;
	printf("present\nadded: " STRF "\nmanual: %s\nbase address: " STRF "\nreason: " STRF "\n", STRA(created),
	    s->manual ? "yes" : "no", STRA(s->base_address), STRA(reason));
}

static int
run_lookup(struct cmd_run *c)
{
	struct str params[2] = { str_of(cmd_value(c, "account")), str_of(c->argv[0]) };
	int rv = qcmd_stream(c, "queuesuppresslookup", params, 2, &queue_suppression_desc, NULL, print_found);

	if (rv == CMD_OK && !found)
		printf("not present\n");
	return rv;
}

const struct cmd cmd_queue_suppress_lookup = {
	.words = "queue suppress lookup",
	.params = "address",
	.min_args = 1,
	.max_args = 1,
	.flags = { QUEUE_F_ACCOUNT },
	.help = "Tell whether an address is on the suppression list of an account, or of any.\n",
	.run = run_lookup,
};
