/* SPDX-License-Identifier: MIT */
/* commands.h - every command, one per file; keep in alphabetical order of the words. */
#ifndef MOX_COMMANDS_H
#define MOX_COMMANDS_H

#include "cmd.h"

extern const struct cmd cmd_help, cmd_localserve, cmd_loglevels, cmd_message_parse, cmd_setaccountpassword, cmd_stop, cmd_version;

#define CMD_TABLE &cmd_help, &cmd_localserve, &cmd_loglevels, &cmd_message_parse, &cmd_setaccountpassword, &cmd_stop, &cmd_version

#endif
