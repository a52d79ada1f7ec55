/* SPDX-License-Identifier: MIT */
/* password.h - reading a new password from standard input. */
#ifndef MOX_PASSWORD_H
#define MOX_PASSWORD_H

#include "base/mem.h"
#include "cmd.h"

/* password_read reads one line; on a terminal without echo, twice. CMD_OK, or CMD_FAILED after a message. */
int password_read(const struct cmd_run *c, struct secret *r_password);

#endif
