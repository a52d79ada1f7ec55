/* SPDX-License-Identifier: MIT */
/* ctl.h - for commands that talk to the running server. */
#ifndef MOX_CTL_H
#define MOX_CTL_H

#include "cmd.h"
#include "ctl/ctl.h"

/* cmd_dial reads the configuration for the data directory and connects to the server's control socket. Returns CMD_OK, or CMD_FAILED after a message. */
int cmd_dial(const struct cmd_run *c, struct ctl_client *r_client);

#endif
