/* SPDX-License-Identifier: MIT */
/* help.c - mox help */
#include "commands.h"

static int
run(struct cmd_run *c)
{
	const struct cmd *cmd;
	int nwords = 0;

	if (c->argc == 0) {
		cmd_list(stdout, NULL);
		return CMD_OK;
	}
	cmd = cmd_find(c->argc, c->argv, &nwords);
	if (cmd && nwords == c->argc) {
		cmd_explain(stdout, cmd);
		return CMD_OK;
	}
	if (c->argc == 1 && cmd_list(stdout, c->argv[0]) > 0)
		return CMD_OK;
	fprintf(stderr, "help: there is no such command; \"mox help\" lists all\n");
	return CMD_USAGE;
}

const struct cmd cmd_help = {
	.words = "help",
	.params = "[command ...]",
	.max_args = -1,
	.help =
	    "Explain a command, or list the commands.\n"
	    "\n"
	    "With the words of a command it prints its usage, flags and description. With the\n"
	    "first word of several commands it lists those, without words all commands.\n",
	.run = run,
};
