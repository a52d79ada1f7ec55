/* SPDX-License-Identifier: MIT */
/* tlsrpt_parsereportmsg.c - mox tlsrpt parsereportmsg */
#include "commands.h"
#include "tlsrpt/tlsrpt.h"
#include "tool.h"

static int
run(struct cmd_run *c)
{
	for (int i = 0; i < c->argc; i++) {
		cleanup_(buf_done) struct buf out = BUF_INIT(SIZE_MAX / 2);
		struct message_source src;
		struct tlsrpt_report r;
		struct errmsg e = { 0 };
		struct str text;
		int rv;

		if (!tool_message(c, c->argv[i], &text))
			return CMD_FAILED;
		src = message_source_mem(text);
		rv = tlsrpt_parse_message(c->arena, &src, &r, &e);
		if (rv < 0)
			return cmd_fail(
			    c, "%s: %s", c->argv[i], e.text[0] ? tool_text(c, str_of(e.text)) : err_text(rv));
		typedesc_json_encode(&out, &tlsrpt_report_desc, &r, TYPEDESC_JSON_INDENT);
		printf(STRF "\n", STRA(buf_str(&out)));
	}
	return CMD_OK;
}

const struct cmd cmd_tlsrpt_parsereportmsg = {
	.words = "tlsrpt parsereportmsg",
	.params = "file ...",
	.min_args = 1,
	.max_args = -1,
	.help = "Find TLS reports in messages and print them.\n"
		"\n"
		"Each file is a message that carries a report, as JSON or packed by gzip; \"-\" is\n"
		"standard input. The report is printed as indented JSON, one for each file. The exit\n"
		"status is 1 at the first message without a report that can be read.\n"
		"\n"
		"Example:\n"
		"\tmox tlsrpt parsereportmsg report.eml\n",
	.run = run,
};
