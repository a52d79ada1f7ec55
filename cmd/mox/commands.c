/* SPDX-License-Identifier: MIT */
/* commands.c - the table of commands. */
#include "commands.h"

const struct cmd *const cmd_table[] = { CMD_TABLE, NULL };
