/* SPDX-License-Identifier: MIT */
/* stop.c - mox stop */
#include "commands.h"
#include "ctl.h"

static int
run(struct cmd_run *c)
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	struct errmsg e = { 0 };
	struct str line;

	if (cmd_dial(c, &client) != CMD_OK)
		return CMD_FAILED;
	if (ctl_request(&client, &e, "stop", NULL, 0) < 0)
		return cmd_fail(c, "%s", e.text);
	/* The server closes the connection when it has ended. */
	if (ctl_read_line(&client, c->arena, &line, &e) != ERR_CLOSED)
		return cmd_fail(c, "unexpected answer of the server");
	puts("mox stopped");
	return CMD_OK;
}

const struct cmd cmd_stop = {
	.words = "stop",
	.params = "",
	.help =
	    "Stop the running server and wait until it has ended.\n"
	    "\n"
	    "Connections get up to 3 seconds to finish what they do. The server is found by the\n"
	    "configuration (-config), through the socket \"ctl\" in its data directory.\n",
	.run = run,
};
