/* SPDX-License-Identifier: MIT */
/* setaccountpassword.c - mox setaccountpassword */
#include "base/mem.h"
#include "commands.h"
#include "ctl.h"
#include "password.h"

static int
run(struct cmd_run *c)
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	cleanup_(secret_done) struct secret password = { 0 };
	struct errmsg e = { 0 };
	struct str params[2] = { str_of(c->argv[0]) };
	int rv;

	if (password_read(c, &password) != CMD_OK)
		return CMD_FAILED;
	if (cmd_dial(c, &client) != CMD_OK)
		return CMD_FAILED;
	params[1] = secret_str(&password);
	rv = ctl_request(&client, &e, "setaccountpassword", params, 2);
	return rv < 0 ? cmd_fail(c, "%s", e.text) : CMD_OK;
}

const struct cmd cmd_setaccountpassword = {
	.words = "setaccountpassword",
	.params = "account",
	.min_args = 1,
	.max_args = 1,
	.help =
	    "Set the password of an account.\n"
	    "\n"
	    "The password is read from standard input: one line, at least 8 and at most 72 bytes. On\n"
	    "a terminal it is asked for twice and not shown. The running server stores only what\n"
	    "is derived from it, and sessions in the browser end. The argument is the name of the\n"
	    "account, not an address.\n",
	.run = run,
};
