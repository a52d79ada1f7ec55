/* SPDX-License-Identifier: MIT */
/* queue_messages.c - mox queue list, print, dump, hold, unhold, schedule, transport, requiretls, fail, drop */
#include "commands.h"
#include "queue.h"

#define FILTER \
	QUEUE_F_IDS, QUEUE_F_N, QUEUE_F_ACCOUNT, QUEUE_F_FROM, QUEUE_F_TO, QUEUE_F_SUBMITTED, QUEUE_F_NEXT, \
	    QUEUE_F_TRANSPORT, QUEUE_F_HOLD

#define FILTER_HELP "Without flags it is about all messages; of the flags given, all must match.\n"

static void
print_msg(const struct cmd_run *c, const void *value)
{
	const struct queue_msg *m = value;
	const struct queue_result *last = m->results.n > 0 ? &m->results.v[m->results.n - 1] : NULL;
	struct str queued = time_rfc3339(c->arena, m->queued / TIME_SEC * TIME_SEC);
	struct str next = qcmd_in(c, m->next_attempt), ago = qcmd_ago(c, m->last_attempt);
	struct str error = qcmd_quote(c, last ? last->error : S("")), cause = last ? last->cause : S("");

	printf("%5lld " STRF " from:" STRF " to:" STRF " next " STRF " last " STRF " error " STRF "%s" STRF "%s\n",
	    (long long)m->id, STRA(queued), STRA(m->sender), STRA(m->recipient), STRA(next), STRA(ago), STRA(error),
	    cause.n ? " cause: " : "", STRA(cause), m->hold ? " (on hold)" : "");
}

static int
run_list(struct cmd_run *c)
{
	return qcmd_list(c, "queuelist", &queue_msg_desc, "messages:", print_msg);
}

const struct cmd cmd_queue_list = {
	.words = "queue list",
	.params = "",
	.flags = { FILTER, QUEUE_F_SORT("nextattempt|queued"), QUEUE_F_ASC, QUEUE_F_JSON },
	.help = "List messages that wait to be delivered.\n"
		"\n"
		"For each message: its id, when it was queued, the addresses, in how much time it will\n"
		"be tried (negative: it is late), how long ago the last attempt was, and its error.\n" FILTER_HELP,
	.run = run_list,
};

static int
run_print(struct cmd_run *c)
{
	return qcmd_print_json(c, "queueprint", &queue_msg_desc);
}

const struct cmd cmd_queue_print = {
	.words = "queue print",
	.params = "id",
	.min_args = 1,
	.max_args = 1,
	.help = "Print all that is known of a message, as JSON.\n"
		"\n"
		"With the results of all attempts and what was said to the server.\n",
	.run = run_print,
};

static int
run_dump(struct cmd_run *c)
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	cleanup_(buf_done) struct buf out = BUF_INIT(1024L * 1024 * 1024);
	struct str id = str_of(c->argv[0]);
	struct errmsg e = { 0 };
	int rv = qcmd_request(c, &client, "queuedump", &id, 1);

	if (rv != CMD_OK)
		return rv;
	if (ctl_read_stream(&client, &out, &e) < 0)
		return cmd_fail(c, "%s", e.text);
	fwrite(out.p, 1, out.n, stdout);
	return CMD_OK;
}

const struct cmd cmd_queue_dump = {
	.words = "queue dump",
	.params = "id",
	.min_args = 1,
	.max_args = 1,
	.help = "Print a message of the queue as it will be sent.\n",
	.run = run_dump,
};

/* change sends a filter and further parameters. */
static int
change(struct cmd_run *c, const char *name, struct str p1, struct str p2, size_t n, const char *what)
{
	struct str params[3] = { { 0 }, p1, p2 };
	int rv = qcmd_filter_flags(c, &params[0]);

	if (rv != CMD_OK)
		return rv;
	return qcmd_count(c, name, params, 1 + n, what);
}

static int
run_hold(struct cmd_run *c)
{
	return change(c, "queueholdset", S("true"), S(""), 1, "messages changed");
}

static int
run_unhold(struct cmd_run *c)
{
	return change(c, "queueholdset", S("false"), S(""), 1, "messages changed");
}

const struct cmd cmd_queue_hold = {
	.words = "queue hold",
	.params = "",
	.flags = { FILTER },
	.help = "Hold messages: they are not tried until they are released.\n"
		"\n" FILTER_HELP,
	.run = run_hold,
};

const struct cmd cmd_queue_unhold = {
	.words = "queue unhold",
	.params = "",
	.flags = { FILTER },
	.help = "Release messages that are on hold.\n"
		"\n"
		"Those that are due are tried at once.\n" FILTER_HELP,
	.run = run_unhold,
};

static int
run_schedule(struct cmd_run *c)
{
	return change(c, "queueschedule", cmd_is_set(c, "now") ? S("yes") : S(""), str_of(c->argv[0]), 2,
	    "message(s) rescheduled");
}

const struct cmd cmd_queue_schedule = {
	.words = "queue schedule",
	.params = "duration",
	.min_args = 1,
	.max_args = 1,
	.flags = { FILTER, QUEUE_F_NOW },
	.help = "Change when messages are tried next.\n"
		"\n"
		"The duration (e.g. 1h30m) is added to the time that is set, or with -now to the\n"
		"current time. \"mox queue schedule -now 0s\" tries all messages at once.\n" FILTER_HELP,
	.run = run_schedule,
};

static int
run_transport(struct cmd_run *c)
{
	return change(c, "queuetransport", str_of(c->argv[0]), S(""), 1, "message(s) changed");
}

const struct cmd cmd_queue_transport = {
	.words = "queue transport",
	.params = "name",
	.min_args = 1,
	.max_args = 1,
	.flags = { FILTER },
	.help = "Set the transport of messages, whatever the routes say.\n"
		"\n"
		"With \"\" the routes decide again.\n" FILTER_HELP,
	.run = run_transport,
};

static int
run_requiretls(struct cmd_run *c)
{
	struct str arg = str_of(c->argv[0]);

	if (!str_is(arg, S("yes")) && !str_is(arg, S("no")) && !str_is(arg, S("default"))) {
		fprintf(stderr, "%s: must be yes, no or default\n", c->cmd->words);
		return CMD_USAGE;
	}
	return change(c, "queuerequiretls",
	    str_is(arg, S("yes"))    ? S("true") :
		str_is(arg, S("no")) ? S("false") :
		    S(""),
	    S(""), 1, "message(s) changed");
}

const struct cmd cmd_queue_requiretls = {
	.words = "queue requiretls",
	.params = "yes|no|default",
	.min_args = 1,
	.max_args = 1,
	.flags = { FILTER },
	.help = "Set how much TLS matters for messages.\n"
		"\n"
		"yes: only with verified TLS to servers that promise the same (REQUIRETLS). no: deliver\n"
		"even if TLS fails or is not to be had. default: as policies of the recipient's domain\n"
		"say.\n" FILTER_HELP,
	.run = run_requiretls,
};

static int
run_fail(struct cmd_run *c)
{
	return change(c, "queuefail", S(""), S(""), 0, "message(s) marked as failed");
}

const struct cmd cmd_queue_fail = {
	.words = "queue fail",
	.params = "",
	.flags = { FILTER, QUEUE_F_ALL },
	.help = "Give messages up, and tell their senders.\n"
		"\n"
		"Senders get a notification that says that the administrator canceled delivery.\n",
	.run = run_fail,
};

static int
run_drop(struct cmd_run *c)
{
	return change(c, "queuedrop", S(""), S(""), 0, "message(s) dropped");
}

const struct cmd cmd_queue_drop = {
	.words = "queue drop",
	.params = "",
	.flags = { FILTER, QUEUE_F_ALL },
	.help = "Remove messages without telling their senders.\n"
		"\n"
		"\"mox queue fail\" tells them.\n",
	.run = run_drop,
};
