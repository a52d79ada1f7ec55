/* SPDX-License-Identifier: MIT */
/* queue.h - what the commands about the queue share: flags that make a filter, requests, tables. */
#ifndef MOX_QUEUE_H
#define MOX_QUEUE_H

#include "cmd.h"
#include "ctl.h"
#include "queue/queue_idl.h"

#define QUEUE_F_IDS { "ids", "1,2,3", NULL, "only those with these ids" }
#define QUEUE_F_N { "n", "number", NULL, "at most so many; 0: all" }
#define QUEUE_F_ACCOUNT { "account", "name", NULL, "only of this account" }
#define QUEUE_F_FROM { "from", "text", NULL, "only from this address; part of an address, or @domain" }
#define QUEUE_F_TO { "to", "text", NULL, "only to this address; part of an address, or @domain" }
#define QUEUE_F_SUBMITTED { "submitted", "<time", NULL, \
	"only those that were submitted before (<) or after (>) a time relative to now, e.g. \"<-1h\" for more than an hour ago" }
#define QUEUE_F_NEXT { "nextattempt", "<time", NULL, "only those to be tried before or after a time, e.g. \"<30m\", \">now\"" }
#define QUEUE_F_LAST { "lastactivity", "<time", NULL, "only those with their last activity before or after a time" }
#define QUEUE_F_TRANSPORT { "transport", "name", NULL, "only those with this transport; \"\" for those without one of their own" }
#define QUEUE_F_HOLD { "hold", "true|false", NULL, "only those on hold, or not" }
#define QUEUE_F_RESULT { "result", "success|failure", NULL, "only those that ended so" }
#define QUEUE_F_EVENT { "event", "name", NULL, "only for this event: incoming, delivered, suppressed, delayed, failed, canceled, ..." }
#define QUEUE_F_SORT(values) { "sort", values, NULL, "order" }
#define QUEUE_F_ASC { "asc", NULL, NULL, "lowest first" }
#define QUEUE_F_JSON { "json", NULL, NULL, "print JSON, one value a line" }
#define QUEUE_F_NOW { "now", NULL, NULL, "relative to now instead of the time that is set" }
#define QUEUE_F_ALL { "all", NULL, NULL, "really all of them, where no filter is given" }

/* queue_filter makes the JSON filter of the flags that the command has: CMD_OK, or CMD_USAGE after a message. */
int qcmd_filter_flags(const struct cmd_run *c, struct str *r_json);
/* qcmd_request sends a request and leaves the client ready for what follows "ok". */
int qcmd_request(const struct cmd_run *c, struct ctl_client *client, const char *name,
    const struct str *params, size_t n);
/* qcmd_count sends a request and prints the number of the reply: "3" and what (with %s for the plural "s"). */
int qcmd_count(const struct cmd_run *c, const char *name, const struct str *params, size_t n, const char *what);
/*
 * qcmd_stream sends a request for JSON values, one a line. With -json they are printed as they come; else each is
 * decoded and given to print; without any, "(none)" is printed. title may be NULL.
 */
int qcmd_stream(const struct cmd_run *c, const char *name, const struct str *params, size_t n,
    const struct typedesc *t, const char *title,
	void (*print)(const struct cmd_run *c, const void *value));
/* qcmd_list is qcmd_stream for a request whose only parameter is the filter of the flags. */
int qcmd_list(const struct cmd_run *c, const char *name, const struct typedesc *t, const char *title,
    void (*print)(const struct cmd_run *c, const void *value));
/* qcmd_print_json sends a request for one value and prints it indented. */
int qcmd_print_json(const struct cmd_run *c, const char *name, const struct typedesc *t);

/* qcmd_ago and qcmd_in: a duration in seconds, e.g. "1h2m0s", from now; "" for time 0. */
struct str qcmd_ago(const struct cmd_run *c, int64_t us);
struct str qcmd_in(const struct cmd_run *c, int64_t us);
struct str qcmd_quote(const struct cmd_run *c, struct str s);

#endif
