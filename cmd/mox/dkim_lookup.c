/* SPDX-License-Identifier: MIT */
/* dkim_lookup.c - mox dkim lookup */
#include "commands.h"
#include "dkim/dkim.h"
#include "dkim_key.h"
#include "json.h"
#include "tool.h"

/* "rsa, 2048 bits", "ed25519", "revoked", or what is wrong with the key. */
static struct str
key_text(const struct cmd_run *c, const struct dkim_record *r)
{
	cleanup_(dkim_key_free) EVP_PKEY *key = NULL;
	struct errmsg e = { 0 };
	int bits = 0;

	if (r->public_key.n == 0)
		return S("revoked");
	if (dkim_public_key(r, &key, &bits, &e) < 0)
		return str_fmt(c->arena, "%s, %s", tool_text(c, r->key_type), e.text);
	return str_is(r->key_type, S("rsa")) ? str_fmt(c->arena, "rsa, %d bits", bits) : r->key_type;
}

static const char *
list_text(const struct cmd_run *c, const struct strlist *l, const char *if_empty)
{
	return l->n > 0 ? tool_text(c, strlist_join(c->arena, l, S(","))) : if_empty;
}

static void
print_json(const struct cmd_run *c, enum dkim_status status, const char *error, struct str txt, bool authentic,
    const struct dkim_record *r)
{
	struct json j = JSON_INIT;

	json_open(&j, NULL, '{');
	json_text(&j, "error", str_of(error));
	json_str(&j, "status", str_of(dkim_status_text(status)));
	json_text(&j, "txt", txt);
	json_bool(&j, "dnssec", authentic);
	if (status == DKIM_NEUTRAL) {
		json_open(&j, "record", '{');
		json_list(&j, "hashes", &r->hashes);
		json_str(&j, "key", key_text(c, r));
		json_text(&j, "notes", r->notes);
		json_list(&j, "services", &r->services);
		json_list(&j, "flags", &r->flags);
		json_close(&j, '}');
	}
	json_close(&j, '}');
	json_print(&j);
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct idna_domain selector, domain;
	struct dkim_record r = { 0 };
	struct errmsg e = { 0 };
	struct str txt = { 0 };
	enum dkim_status status;
	bool authentic = false;

	if (!tool_domain(c, c->argv[0], &selector) || !tool_domain(c, c->argv[1], &domain))
		return CMD_USAGE;
	if (!tool_open(c, &t))
		return CMD_FAILED;
	status = dkim_lookup(t.dns, c->arena, &t.ctx, selector.ascii, domain.ascii, &txt, &r, &authentic, &e);
	if (cmd_is_set(c, "json")) {
		print_json(c, status, e.text, txt, authentic, &r);
		return CMD_OK;
	}
	if (e.text[0])
		printf("error: %s\n", tool_text(c, str_of(e.text)));
	if (status != DKIM_NEUTRAL)
		printf("status: %s\n", dkim_status_text(status));
	if (txt.n > 0)
		printf("TXT record: %s\n", tool_text(c, txt));
	printf("dnssec-signed: %s\n", authentic ? "yes" : "no");
	if (status == DKIM_NEUTRAL)
		printf("Record:\n\tversion: DKIM1\n\thashes: %s\n\tkey: %s\n\tnotes: %s\n\tservices: %s\n\tflags: %s\n",
		    list_text(c, &r.hashes, "(all)"), tool_text(c, key_text(c, &r)), tool_text(c, r.notes),
		    list_text(c, &r.services, "*"), list_text(c, &r.flags, ""));
	return CMD_OK;
}

const struct cmd cmd_dkim_lookup = {
	.words = "dkim lookup",
	.params = "selector domain",
	.min_args = 2,
	.max_args = 2,
	.flags = { TOOL_JSON },
	.help = "Look a DKIM key record up and print it.\n"
		"\n"
		"The record stands at SELECTOR._domainkey.DOMAIN. Printed are its text, whether DNSSEC\n"
		"protects it, and what it says. A status is printed only when there is trouble:\n"
		"permerror if no signature can be verified with it, temperror if that may change. The\n"
		"exit status is 0 in any case.\n"
		"\n"
		"Example:\n"
		"\tmox dkim lookup 2026a example.org\n",
	.run = run,
};
