/* SPDX-License-Identifier: MIT */
/* rdap_domainage.c - mox rdap domainage */
#include "base/timeutil.h"
#include "commands.h"
#include "json.h"
#include "rdap/rdap.h"
#include "tool.h"

/* Whole years and the days beyond them, by the calendar. */
static void
age(int64_t since_us, int64_t now_us, int *r_years, int64_t *r_days)
{
	struct time_parts then, now;
	int64_t anniversary = since_us;

	time_split(since_us, 0, &then);
	time_split(now_us, 0, &now);
	for (int year = now.year; year > then.year; year--) {
		struct time_parts p = then;

		p.year = year;
		if (then.month == 2 && then.day == 29)
			p.day = 28;
		if (time_join(&p, &anniversary) == 0 && anniversary <= now_us) {
			*r_years = year - then.year;
			*r_days = (now_us - anniversary) / TIME_DAY;
			return;
		}
	}
	*r_years = 0;
	*r_days = (now_us - since_us) / TIME_DAY;
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	cleanup_(httpclient_free) struct httpclient *http = NULL;
	struct rdap_opts o = { 0 };
	struct json j = JSON_INIT;
	struct idna_domain domain;
	struct errmsg e = { 0 };
	int64_t registered, days, now;
	int rv, years;

	if (!tool_domain(c, c->argv[0], &domain))
		return CMD_USAGE;
	if (!tool_open(c, &t) || !(http = tool_http(c, &t)))
		return CMD_FAILED;
	o.fetcher = httpclient_for(http, "rdap");
	rv = rdap_registered(&o, c->arena, &t.ctx, &domain, &registered, &e);
	if (rv < 0)
		return cmd_fail(c, "%s", e.text[0] ? tool_text(c, str_of(e.text)) : err_text(rv));
	now = time_now_us();
	age(registered, now, &years, &days);
	if (!cmd_is_set(c, "json")) {
		printf("%d year%s, %lld day%s\n", years, years == 1 ? "" : "s", (long long)days, days == 1 ? "" : "s");
		return CMD_OK;
	}
	json_open(&j, NULL, '{');
	json_str(&j, "domain", domain.ascii);
	json_str(&j, "registered", time_rfc3339(c->arena, registered));
	json_int(&j, "ageDays", (now - registered) / TIME_DAY);
	json_close(&j, '}');
	json_print(&j);
	return CMD_OK;
}

const struct cmd cmd_rdap_domainage = {
	.words = "rdap domainage",
	.params = "domain",
	.min_args = 1,
	.max_args = 1,
	.flags = { TOOL_JSON, TOOL_TLSCERTS },
	.help = "Tell how long ago a domain was registered.\n"
		"\n"
		"The server of the registry is found in IANA's list, and asked by RDAP, over HTTPS\n"
		"only. It is asked about the name as you give it, so that should be the registered\n"
		"one: example.org, not mail.example.org. When a domain was registered several times,\n"
		"the last one counts. Receivers distrust mail from domains that are only days old.\n"
		"\n"
		"The exit status is 1 if the date could not be found out.\n"
		"\n"
		"Example:\n"
		"\tmox rdap domainage example.org\n",
	.run = run,
};
