/* SPDX-License-Identifier: MIT */
/* dkim_verify.c - mox dkim verify */
#include "commands.h"
#include "dkim/dkim.h"
#include "json.h"
#include "message/header.h"
#include "publicsuffix/publicsuffix.h"
#include "tool.h"

static bool
is_public_suffix(void *arg unused_, struct str domain)
{
	return publicsuffix_is(domain);
}

/* The record as it would be published; empty if there is none. */
static struct str
record_text(const struct cmd_run *c, const struct dkim_result *r)
{
	return r->has_record ? dkim_pack_record(c->arena, &r->record) : S("");
}

static void
json_result(const struct cmd_run *c, struct json *j, const struct dkim_result *r)
{
	json_open(j, NULL, '{');
	json_str(j, "status", str_of(dkim_status_text(r->status)));
	json_text(j, "error", r->problem);
	if (r->has_signature) {
		json_str(j, "domain", r->sig.domain);
		json_str(j, "selector", r->sig.selector);
		json_str(j, "algorithm", r->sig.algorithm);
		json_str(j, "headerCanonicalization", r->sig.canon_header);
		json_str(j, "bodyCanonicalization", r->sig.canon_body);
		json_list(j, "headers", &r->sig.headers);
		if (r->sig.has_identity)
			json_str(j, "identity",
			    str_fmt(c->arena, STRF "@" STRF, STRA(r->sig.identity_localpart),
				STRA(r->sig.identity_domain)));
		if (r->sig.sign_time >= 0)
			json_int(j, "signTime", r->sig.sign_time);
		if (r->sig.expire_time >= 0)
			json_int(j, "expireTime", r->sig.expire_time);
	}
	json_text(j, "record", record_text(c, r));
	if (r->key_bits > 0)
		json_int(j, "keyBits", r->key_bits);
	json_bool(j, "dnssec", r->authentic);
	json_close(j, '}');
}

/* The next DKIM-Signature field of the header; results come in its order. */
static struct str
next_signature(struct str *header)
{
	struct message_field f;

	while (message_field_next(header, &f, NULL))
		if (str_icase(f.name, S("DKIM-Signature")))
			return f.raw;
	return S("");
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct dkim_verify_args args = { .ignore_test_mode = true, .public_suffix = is_public_suffix };
	struct json j = JSON_INIT;
	struct message_source src;
	struct dkim_result *v;
	struct errmsg e = { 0 };
	struct str text, header;
	size_t n;

	if (!tool_message(c, c->argv[0], &text) || !tool_open(c, &t))
		return CMD_FAILED;
	src = message_source_mem(text);
	if (dkim_verify(t.dns, c->arena, &t.ctx, &src, &args, &v, &n, &e) < 0)
		return cmd_fail(c, "%s: %s", c->argv[0], tool_text(c, str_of(e.text)));
	if (cmd_is_set(c, "json")) {
		json_open(&j, NULL, '{');
		json_open(&j, "signatures", '[');
		for (size_t i = 0; i < n; i++)
			json_result(c, &j, &v[i]);
		json_close(&j, ']');
		json_close(&j, '}');
		json_print(&j);
		return CMD_OK;
	}
	if (n == 0)
		printf("no signatures\n");
	if (dkim_read_header(c->arena, &src, &header) < 0)
		header = S("");
	for (size_t i = 0; i < n; i++) {
		printf("%sstatus \"%s\"", i > 0 ? "\n" : "", dkim_status_text(v[i].status));
		if (v[i].problem.n > 0)
			printf(", err %s", tool_text(c, v[i].problem));
		printf("\nrecord \"%s\"", tool_text(c, record_text(c, &v[i])));
		printf(" (%s)\n%s\n", tool_dnssec(v[i].authentic),
		    tool_text(c, message_unfold(c->arena, next_signature(&header))));
	}
	return CMD_OK;
}

const struct cmd cmd_dkim_verify = {
	.words = "dkim verify",
	.params = "file",
	.min_args = 1,
	.max_args = 1,
	.flags = { TOOL_JSON },
	.help = "Verify the DKIM signatures of a message.\n"
		"\n"
		"The message is read from the file, or from standard input for \"-\". One whose lines all\n"
		"end in LF, as files on disk do, is verified with CRLF. Printed are, for each signature\n"
		"in the order of the header: the status and what is wrong, the key's record with whether\n"
		"DNSSEC protects it, and the signature. Keys in test mode (t=y) are taken seriously here.\n"
		"\n"
		"The exit status is 0 whatever the results; it is 1 if the message cannot be read.\n"
		"\n"
		"Example:\n"
		"\tmox dkim verify message.eml\n",
	.run = run,
};
