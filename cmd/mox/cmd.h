/* SPDX-License-Identifier: MIT */
/*
 * cmd.h - the table of subcommands: one description serves dispatch, flags, usage and help.
 *
 * mox [global flags] word [word ...] [flags] [args]. Flags are -x value, -x=value, with one or two dashes, before the
 * arguments; "--" ends them. Each command stands in a file of its own, named after its words, and is listed in
 * commands.c.
 */
#ifndef MOX_CMD_H
#define MOX_CMD_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/macros.h"
#include "base/str.h"
#include "log/log.h"

enum {                          /* exit statuses */
	CMD_OK = 0,
	CMD_FAILED = 1,
	CMD_USAGE = 2,
};

enum {                          /* cmd.attrs */
	CMD_HIDDEN = 1,         /* for development and tests: not in the list of commands */
};

struct cmd_flag {
	const char *name;
	const char *value;      /* what its value is called in usage; NULL for a boolean flag */
	const char *def;        /* default value; NULL = none, or false */
	const char *help;
};

#define CMD_MAX_FLAGS 12

struct cmd_run;
struct cmd {
	const char *words;      /* "config domain add" */
	const char *params;     /* arguments as shown in usage, after the flags; "" for none */
	int min_args, max_args; /* max_args < 0: any number */
	struct cmd_flag flags[CMD_MAX_FLAGS + 1];       /* ends with a zeroed one */
	const char *help;       /* first line: a sentence for lists; then an empty line and paragraphs */
	unsigned attrs;
	int (*run)(struct cmd_run *c);
};

/* What a running command has. */
struct cmd_run {
	const struct cmd *cmd;
	struct arena *arena;            /* released after the command */
	int argc;                       /* arguments after the flags */
	char **argv;
	const char *values[CMD_MAX_FLAGS];      /* flag values by index in cmd->flags; NULL = not given */
	const char *program;            /* argv[0] */
	const char *config;             /* -config, or MOXCONF, or config/mox.conf */
	bool config_given;              /* by flag or environment */
	const char *loglevel;           /* -loglevel, or NULL */
	const char *resolver;           /* -resolver, or NULL: see tool.h */
	const char *trust_anchor;       /* -trustanchor, or NULL */
	bool pedantic, check_consistency;
	struct log log;                 /* package = the command's words joined */
};

extern const struct cmd *const cmd_table[];     /* sorted by words, ends with NULL */

/* cmd_value: value of a flag, or its default, or NULL. The name must be in the command's table. */
const char *cmd_value(const struct cmd_run *c, const char *name);
bool cmd_is_set(const struct cmd_run *c, const char *name);     /* a boolean flag is true */

/* cmd_fail prints "<words>: message" on stderr and returns CMD_FAILED. */
int cmd_fail(const struct cmd_run *c, const char *fmt, ...) printf_(2, 3);

/* cmd_misused prints "<words>: message" and the usage on stderr, for arguments without sense; returns CMD_USAGE. */
int cmd_misused(const struct cmd_run *c, const char *fmt, ...) printf_(2, 3);

void cmd_explain(FILE *f, const struct cmd *cmd);       /* usage, flags, help text */
/* cmd_list prints the commands whose words start with the prefix (NULL: all but hidden ones), each with the first line of its help. Returns how many. */
int cmd_list(FILE *f, const char *prefix);
/* cmd_find: the command whose words all equal the start of argv; *r_nwords says how many. NULL if none. */
const struct cmd *cmd_find(int argc, char **argv, int *r_nwords);
/* cmd_main: everything from argv to exit status. */
int cmd_main(int argc, char **argv);

#endif
