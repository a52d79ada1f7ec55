/* SPDX-License-Identifier: MIT */
/* retrain.c - mox retrain */
#include "commands.h"
#include "ctl.h"

static int
run(struct cmd_run *c)
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	struct errmsg e = { 0 };
	struct str account = c->argc > 0 ? str_of(c->argv[0]) : S("");
	int rv;

	if (cmd_dial(c, &client) != CMD_OK)
		return CMD_FAILED;
	rv = ctl_request(&client, &e, "retrain", &account, 1);
	return rv < 0 ? cmd_fail(c, "%s", e.text) : CMD_OK;
}

const struct cmd cmd_retrain = {
	.words = "retrain",
	.params = "[account]",
	.min_args = 0,
	.max_args = 1,
	.help =
	    "Train the junk filter of an account, or of all accounts, anew.\n"
	    "\n"
	    "The running server forgets what the filter has learned and teaches it with all\n"
	    "messages that are marked either as junk or as not junk. Needed after a change of the\n"
	    "filter's parameters. An account without junk filter is an error and ends the command.\n"
	    "The account cannot be changed meanwhile; 1000 messages take about two seconds.\n",
	.run = run,
};
