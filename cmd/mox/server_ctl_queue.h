/* SPDX-License-Identifier: MIT */
/* server_ctl_queue.h - requests about the queue; server_ctl.c has them among its own. */
#ifndef MOX_SERVER_CTL_QUEUE_H
#define MOX_SERVER_CTL_QUEUE_H

#include "ctl/ctl.h"

#define SERVER_CTL_QUEUE_COMMANDS 24
extern const struct ctl_command server_ctl_queue_commands[SERVER_CTL_QUEUE_COMMANDS];

#endif
