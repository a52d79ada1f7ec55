/* SPDX-License-Identifier: MIT */
/* loglevels.c - mox loglevels */
#include "commands.h"
#include "ctl.h"

#define LEVELS_MAX 65536

static int
show(struct cmd_run *c, struct ctl_client *client)
{
	struct buf out = BUF_ARENA(c->arena, LEVELS_MAX);
	struct errmsg e = { 0 };
	struct str rest;

	if (ctl_request(client, &e, "loglevels", NULL, 0) < 0 || ctl_read_stream(client, &out, &e) < 0)
		return cmd_fail(c, "%s", e.text);
	rest = buf_str(&out);
	while (rest.n > 0) {
		struct str line = str_split(&rest, '\n');

		printf("%s" STRF "\n", str_starts(line, S(":")) ? "(default)" : "", STRA(line));
	}
	return CMD_OK;
}

static int
run(struct cmd_run *c)
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	struct errmsg e = { 0 };

	if (cmd_dial(c, &client) != CMD_OK)
		return CMD_FAILED;
	if (c->argc == 0)
		return show(c, &client);
	struct str params[2] = { str_of(c->argc > 1 ? c->argv[1] : ""), str_of(c->argv[0]) };
	return ctl_request(&client, &e, "setloglevels", params, 2) < 0 ? cmd_fail(c, "%s", e.text) : CMD_OK;
}

const struct cmd cmd_loglevels = {
	.words = "loglevels",
	.params = "[level [package]]",
	.max_args = 2,
	.help =
	    "Show or change the log levels of the running server.\n"
	    "\n"
	    "Without arguments it lists the default level and those of packages. With a level it\n"
	    "sets the default, or with a package that package's. An empty level (\"\") with a package\n"
	    "removes the package's. Levels: error, warn, info, debug, trace, traceauth, tracedata;\n"
	    "traceauth shows secrets and tracedata messages. Changes last until the server ends.\n",
	.run = run,
};
