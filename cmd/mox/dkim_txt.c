/* SPDX-License-Identifier: MIT */
/* dkim_txt.c - mox dkim txt */
#include "commands.h"
#include "dkim/dkim.h"
#include "dkim_key.h"
#include "json.h"
#include "tool.h"

#define MAX_KEY_FILE (1U << 20)
#define STRING_SIZE 100U /* characters of one string in the record: short enough for every editor of zones */

static int
run(struct cmd_run *c)
{
	cleanup_(dkim_key_free) EVP_PKEY *key = NULL;
	struct json j = JSON_INIT;
	struct dkim_record record;
	struct errmsg e = { 0 };
	struct str pem, txt;

	if (!tool_stdin(c, MAX_KEY_FILE, &pem))
		return CMD_FAILED;
	if (dkim_key_from_pem(pem, &key, &e) < 0)
		return cmd_fail(c, "standard input: %s", e.text);
	if (dkim_record_of(c->arena, key, &record) < 0)
		return cmd_fail(c, "the public key cannot be taken from the private one");
	txt = dkim_pack_record(c->arena, &record);
	if (cmd_is_set(c, "json")) {
		json_open(&j, NULL, '{');
		json_str(&j, "txt", txt);
		json_close(&j, '}');
		json_print(&j);
		return CMD_OK;
	}
	printf("<selector>._domainkey.<your.domain.> TXT");
	for (; txt.n > 0; txt = str_from(txt, STRING_SIZE))
		printf(" \"" STRF "\"", STRA(str_upto(txt, STRING_SIZE)));
	printf("\n");
	return CMD_OK;
}

const struct cmd cmd_dkim_txt = {
	.words = "dkim txt",
	.params = "< key",
	.max_args = 0,
	.flags = { { "json", NULL, NULL, "print the text, in one piece, as JSON" } },
	.help = "Print the DNS record that publishes a DKIM key.\n"
		"\n"
		"The private key is read from standard input, in PEM form, RSA or Ed25519. What is\n"
		"printed fits into a zone file once you put in the names of selector and domain. The\n"
		"strings of the record belong together: receivers join them.\n"
		"\n"
		"Example:\n"
		"\tmox dkim txt < 2026a.ed25519.pem\n",
	.run = run,
};
