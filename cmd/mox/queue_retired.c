/* SPDX-License-Identifier: MIT */
/* queue_retired.c - mox queue retired list, print */
#include "commands.h"
#include "queue.h"

static void
print_msg(const struct cmd_run *c, const void *value)
{
	const struct queue_msg *m = value;
	const struct queue_result *last = m->results.n > 0 ? &m->results.v[m->results.n - 1] : NULL;
	struct str queued = time_rfc3339(c->arena, m->queued / TIME_SEC * TIME_SEC),
	    ago = qcmd_ago(c, m->last_activity);
	struct str error = qcmd_quote(c, last ? last->error : S(""));

	printf("%5lld " STRF " %s from:" STRF " to:" STRF " last " STRF " error " STRF "\n", (long long)m->id,
	    STRA(queued), m->success ? "success" : "failure", STRA(m->sender), STRA(m->recipient), STRA(ago),
	    STRA(error));
}

static int
run_list(struct cmd_run *c)
{
	return qcmd_list(c, "queueretiredlist", &queue_msg_desc, "retired messages:", print_msg);
}

const struct cmd cmd_queue_retired_list = {
	.words = "queue retired list",
	.params = "",
	.flags = { QUEUE_F_IDS, QUEUE_F_N, QUEUE_F_ACCOUNT, QUEUE_F_FROM, QUEUE_F_TO, QUEUE_F_SUBMITTED, QUEUE_F_LAST,
	    QUEUE_F_TRANSPORT, QUEUE_F_RESULT, QUEUE_F_SORT("lastactivity|queued"), QUEUE_F_ASC, QUEUE_F_JSON },
	.help = "List messages that were delivered, failed, or were dropped.\n"
		"\n"
		"They are kept for the time that KeepRetiredMessagePeriod of the account says.\n",
	.run = run_list,
};

static int
run_print(struct cmd_run *c)
{
	return qcmd_print_json(c, "queueretiredprint", &queue_msg_desc);
}

const struct cmd cmd_queue_retired_print = {
	.words = "queue retired print",
	.params = "id",
	.min_args = 1,
	.max_args = 1,
	.help = "Print all that is known of a retired message, as JSON.\n",
	.run = run_print,
};
