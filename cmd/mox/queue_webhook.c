/* SPDX-License-Identifier: MIT */
/* queue_webhook.c - mox queue webhook list, schedule, cancel, print, retired list, retired print */
#include "commands.h"
#include "queue.h"

#define FILTER QUEUE_F_IDS, QUEUE_F_N, QUEUE_F_ACCOUNT, QUEUE_F_SUBMITTED, QUEUE_F_NEXT, QUEUE_F_EVENT

static struct str
last_error(const struct cmd_run *c, const struct queue_hook *h)
{
	return qcmd_quote(c, h->results.n > 0 ? h->results.v[h->results.n - 1].error : S(""));
}

static void
print_hook(const struct cmd_run *c, const void *value)
{
	const struct queue_hook *h = value;
	struct str submitted = time_rfc3339(c->arena, h->submitted / TIME_SEC * TIME_SEC),
	    next = qcmd_in(c, h->next_attempt), error = last_error(c, h);
	struct str ago = qcmd_ago(c, h->results.n > 0 ? h->results.v[h->results.n - 1].start : 0);

	printf("%5lld " STRF " account:" STRF " next " STRF " last " STRF " error " STRF " url " STRF "\n",
	    (long long)h->id, STRA(submitted), STRA(h->account), STRA(next), STRA(ago), STRA(error), STRA(h->url));
}

static void
print_retired(const struct cmd_run *c, const void *value)
{
	const struct queue_hook *h = value;
	struct str submitted = time_rfc3339(c->arena, h->submitted / TIME_SEC * TIME_SEC),
	    ago = qcmd_ago(c, h->last_activity), error = last_error(c, h);

	printf("%5lld " STRF " %s account:" STRF " last " STRF " error " STRF " url " STRF "\n", (long long)h->id,
	    STRA(submitted), h->success ? "success" : "failure", STRA(h->account), STRA(ago), STRA(error),
	    STRA(h->url));
}

static int
run_list(struct cmd_run *c)
{
	return qcmd_list(c, "queuehooklist", &queue_hook_desc, "webhooks:", print_hook);
}

const struct cmd cmd_queue_webhook_list = {
	.words = "queue webhook list",
	.params = "",
	.flags = { FILTER, QUEUE_F_SORT("nextattempt|queued"), QUEUE_F_ASC, QUEUE_F_JSON },
	.help = "List webhooks that wait to be called.\n",
	.run = run_list,
};

static int
run_schedule(struct cmd_run *c)
{
	struct str params[3] = { { 0 }, cmd_is_set(c, "now") ? S("yes") : S(""), str_of(c->argv[0]) };
	int rv = qcmd_filter_flags(c, &params[0]);

	if (rv != CMD_OK)
		return rv;
	return qcmd_count(c, "queuehookschedule", params, 3, "webhook(s) rescheduled");
}

const struct cmd cmd_queue_webhook_schedule = {
	.words = "queue webhook schedule",
	.params = "duration",
	.min_args = 1,
	.max_args = 1,
	.flags = { FILTER, QUEUE_F_NOW },
	.help = "Change when webhooks are called next.\n",
	.run = run_schedule,
};

static int
run_cancel(struct cmd_run *c)
{
	struct str filter;
	int rv = qcmd_filter_flags(c, &filter);

	if (rv != CMD_OK)
		return rv;
	return qcmd_count(c, "queuehookcancel", &filter, 1, "webhook(s) marked as canceled");
}

const struct cmd cmd_queue_webhook_cancel = {
	.words = "queue webhook cancel",
	.params = "",
	.flags = { FILTER, QUEUE_F_ALL },
	.help = "Cancel webhooks: they are not called.\n",
	.run = run_cancel,
};

static int
run_print(struct cmd_run *c)
{
	return qcmd_print_json(c, "queuehookprint", &queue_hook_desc);
}

const struct cmd cmd_queue_webhook_print = {
	.words = "queue webhook print",
	.params = "id",
	.min_args = 1,
	.max_args = 1,
	.help = "Print all that is known of a webhook, as JSON.\n",
	.run = run_print,
};

static int
run_retired_list(struct cmd_run *c)
{
	return qcmd_list(c, "queuehookretiredlist", &queue_hook_desc, "retired webhooks:", print_retired);
}

const struct cmd cmd_queue_webhook_retired_list = {
	.words = "queue webhook retired list",
	.params = "",
	.flags = { QUEUE_F_IDS, QUEUE_F_N, QUEUE_F_ACCOUNT, QUEUE_F_SUBMITTED, QUEUE_F_LAST, QUEUE_F_EVENT,
	    QUEUE_F_SORT("lastactivity|queued"), QUEUE_F_ASC, QUEUE_F_JSON },
	.help = "List webhooks that were called, failed, or were canceled.\n",
	.run = run_retired_list,
};

static int
run_retired_print(struct cmd_run *c)
{
	return qcmd_print_json(c, "queuehookretiredprint", &queue_hook_desc);
}

const struct cmd cmd_queue_webhook_retired_print = {
	.words = "queue webhook retired print",
	.params = "id",
	.min_args = 1,
	.max_args = 1,
	.help = "Print all that is known of a retired webhook, as JSON.\n",
	.run = run_retired_print,
};
