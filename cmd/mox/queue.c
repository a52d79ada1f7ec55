/* SPDX-License-Identifier: MIT */
/* queue.c - what the commands about the queue share. */
#include "queue.h"

#include "base/timeutil.h"

#define FILTER_MAX (1024 * 1024)
#define STREAM_MAX (1024L * 1024 * 1024)
#define VALUE_MAX (64 * 1024 * 1024)

static bool
has_flag(const struct cmd_run *c, const char *name)
{
	for (const struct cmd_flag *f = c->cmd->flags; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return true;
	return false;
}

static struct str
text(const struct cmd_run *c, const char *name)
{
	return has_flag(c, name) ? str_of(cmd_value(c, name)) : S("");
}

static int
usage_error(const struct cmd_run *c, const char *what)
{
	fprintf(stderr, "%s: %s\n", c->cmd->words, what);
	return CMD_USAGE;
}

int
qcmd_filter_flags(const struct cmd_run *c, struct str *r_json)
{
	struct str ids = text(c, "ids"), n = text(c, "n"), hold = text(c, "hold");
	struct buf b = BUF_ARENA(c->arena, FILTER_MAX);
	struct str transport = text(c, "transport");
	bool held = str_is(hold, S("true"));
	struct queue_filter_json f = {
		.account = text(c, "account"),
		.from = text(c, "from"),
		.to = text(c, "to"),
		.submitted = text(c, "submitted"),
		.next_attempt = text(c, "nextattempt"),
		.last_activity = text(c, "lastactivity"),
		.result = text(c, "result"),
		.event = text(c, "event"),
		.sort = text(c, "sort"),
		.asc = has_flag(c, "asc") && cmd_is_set(c, "asc"),
	};

	while (ids.n > 0) {
		int64_t id;
		if (str_i64(str_trim(str_split(&ids, ',')), &id) < 0)
			return usage_error(c, "-ids must be numbers separated by commas");
		f.ids.v = arena_grow(c->arena, f.ids.v, f.ids.n, f.ids.n + 1, sizeof(*f.ids.v));
		f.ids.v[f.ids.n++] = id;
	}
	if (n.n > 0 && (str_i64(n, &f.max) < 0 || f.max < 0))
		return usage_error(c, "-n must be a number");
	if (hold.n > 0) {
		if (!held && !str_is(hold, S("false")))
			return usage_error(c, "-hold must be true or false");
		f.hold = &held;
	}
	if (has_flag(c, "transport") && cmd_value(c, "transport"))
		f.transport = &transport;
	if (has_flag(c, "all") && typedesc_is_zero(&queue_filter_json_desc, &f) && !cmd_is_set(c, "all"))
		return usage_error(c, "without a filter this is about all messages: say -all if that is meant");
	typedesc_json_encode(&b, &queue_filter_json_desc, &f, 0);
	*r_json = buf_str(&b);
	return CMD_OK;
}

int
qcmd_request(const struct cmd_run *c, struct ctl_client *client, const char *name, const struct str *params, size_t n)
{
	struct errmsg e = { 0 };

	for (size_t i = 0; i < n; i++)
		if (str_has(params[i], '\n'))
			return cmd_fail(c, "an argument has a line end in it");
	if (cmd_dial(c, client) != CMD_OK)
		return CMD_FAILED;
	return ctl_request(client, &e, name, params, n) < 0 ? cmd_fail(c, "%s", e.text) : CMD_OK;
}

int
qcmd_count(const struct cmd_run *c, const char *name, const struct str *params, size_t n, const char *what)
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	struct errmsg e = { 0 };
	struct str line;
	int rv = qcmd_request(c, &client, name, params, n);

	if (rv != CMD_OK)
		return rv;
	if (ctl_read_line(&client, c->arena, &line, &e) < 0)
		return cmd_fail(c, "%s", e.text);
	printf(STRF " %s\n", STRA(line), what);
	return CMD_OK;
}

int
qcmd_stream(const struct cmd_run *c, const char *name, const struct str *params, size_t n, const struct typedesc *t,
    const char *title, void (*print)(const struct cmd_run *c, const void *value))
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	cleanup_(buf_done) struct buf out = BUF_INIT(STREAM_MAX);
	struct errmsg e = { 0 };
	int rv = qcmd_request(c, &client, name, params, n);

	if (rv != CMD_OK)
		return rv;
	if (ctl_read_stream(&client, &out, &e) < 0)
		return cmd_fail(c, "%s", e.text);
	struct str rest = buf_str(&out);
	if (has_flag(c, "json") && cmd_is_set(c, "json")) {
		fwrite(rest.p, 1, rest.n, stdout);
		return CMD_OK;
	}
	if (title)
		printf("%s\n", title);
	if (rest.n == 0 && title)
		printf("(none)\n");
	while (rest.n > 0) {
		ARENA_SCOPE(c->arena);
		struct str line = str_split(&rest, '\n');
		void *value = typedesc_new(c->arena, t);
		if (typedesc_json_decode(c->arena, t, line, VALUE_MAX, TYPEDESC_JSON_LENIENT, value, &e) < 0)
			return cmd_fail(c, "reply of the server: %s", e.text);
		print(c, value);
	}
	return CMD_OK;
}

int
qcmd_list(const struct cmd_run *c, const char *name, const struct typedesc *t, const char *title,
    void (*print)(const struct cmd_run *c, const void *value))
{
	struct str filter;
	int rv = qcmd_filter_flags(c, &filter);

	return rv != CMD_OK ? rv : qcmd_stream(c, name, &filter, 1, t, title, print);
}

int
qcmd_print_json(const struct cmd_run *c, const char *name, const struct typedesc *t)
{
	cleanup_(ctl_close) struct ctl_client client = { .fd = -1 };
	cleanup_(buf_done) struct buf out = BUF_INIT(VALUE_MAX), text_out = BUF_INIT(2L * VALUE_MAX);
	struct str id = str_of(c->argv[0]);
	struct errmsg e = { 0 };
	void *value = typedesc_new(c->arena, t);
	int rv = qcmd_request(c, &client, name, &id, 1);

	if (rv != CMD_OK)
		return rv;
	if (ctl_read_stream(&client, &out, &e) < 0 ||
	    typedesc_json_decode(c->arena, t, str_trim(buf_str(&out)), VALUE_MAX, TYPEDESC_JSON_LENIENT, value, &e) < 0)
		return cmd_fail(c, "%s", e.text);
	typedesc_json_encode(&text_out, t, value, TYPEDESC_JSON_INDENT);
	printf(STRF "\n", STRA(buf_str(&text_out)));
	return CMD_OK;
}

struct str
qcmd_in(const struct cmd_run *c, int64_t us)
{
	int64_t d = us - time_now_us();

	return us == 0 ? S("") :
			 time_duration(c->arena, (d + (d < 0 ? -TIME_SEC : TIME_SEC) / 2) / TIME_SEC * TIME_SEC);
}

struct str
qcmd_ago(const struct cmd_run *c, int64_t us)
{
	int64_t d = time_now_us() - us;

	return us == 0 ? S("") : time_duration(c->arena, (d + TIME_SEC / 2) / TIME_SEC * TIME_SEC);
}

struct str
qcmd_quote(const struct cmd_run *c, struct str s)
{
	struct buf b = BUF_ARENA(c->arena, 1024 * 1024);

	typedesc_json_string(&b, s, 0);
	return buf_str(&b);
}
