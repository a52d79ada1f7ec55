/* SPDX-License-Identifier: MIT */
/* dane_makerecord.c - mox dane makerecord */
#include "commands.h"
#include "dane/dane.h"
#include "json.h"
#include "tool.h"

#define MAX_FILE (1U << 20)

static int
run(struct cmd_run *c)
{
	uint8_t usage, selector, matching;
	struct dane_record r;
	struct json j = JSON_INIT;
	struct errmsg e = { 0 };
	struct str pem, text;
	int rv;

	if (dane_parse_usage(str_of(c->argv[0]), &usage) < 0)
		return cmd_misused(c, "\"%s\" is no usage", tool_text(c, str_of(c->argv[0])));
	if (dane_parse_selector(str_of(c->argv[1]), &selector) < 0)
		return cmd_misused(c, "\"%s\" is no selector", tool_text(c, str_of(c->argv[1])));
	if (dane_parse_matching(str_of(c->argv[2]), &matching) < 0)
		return cmd_misused(c, "\"%s\" is no matching type", tool_text(c, str_of(c->argv[2])));
	if (usage > DANE_DANE_EE)
		fprintf(stderr, "warning: usage %u is unknown, nobody will use such a record\n", usage);
	if (!tool_file(c, c->argv[3], MAX_FILE, &pem))
		return CMD_FAILED;
	rv = dane_of_pem(c->arena, usage, selector, matching, pem, &r, &e);
	if (rv < 0)
		return cmd_fail(c, "%s: %s", c->argv[3], e.text[0] ? e.text : err_text(rv));
	text = dane_text(c->arena, &r);
	if (!cmd_is_set(c, "json")) {
		printf(STRF "\n", STRA(text));
		return CMD_OK;
	}
	json_open(&j, NULL, '{');
	json_str(&j, "record", text);
	json_close(&j, '}');
	json_print(&j);
	return CMD_OK;
}

const struct cmd cmd_dane_makerecord = {
	.words = "dane makerecord",
	.params = "usage selector matchtype file",
	.min_args = 4,
	.max_args = 4,
	.flags = { TOOL_JSON },
	.help = "Make a TLSA record of a certificate or key.\n"
		"\n"
		"Printed is the content of the record, to be published at _PORT._tcp.HOST, in a zone\n"
		"that is signed. Each of the first three arguments is a name or its number:\n"
		"\n"
		"usage: pkix-ta (0), pkix-ee (1), dane-ta (2), dane-ee (3). Mail servers use dane-ee,\n"
		"for the server's own key, or dane-ta, for the authority that issued its certificate.\n"
		"\n"
		"selector: cert (0), the whole certificate, or spki (1), its public key, which stays\n"
		"when a certificate is renewed.\n"
		"\n"
		"matchtype: full (0), sha2-256 (1), sha2-512 (2): the data itself, or a hash of it.\n"
		"\n"
		"The file is in PEM form. For cert the first certificate in it is taken, for spki the\n"
		"first certificate, public or private key.\n"
		"\n"
		"Example:\n"
		"\tmox dane makerecord dane-ee spki sha2-256 mail.example.org.pem\n",
	.run = run,
};
