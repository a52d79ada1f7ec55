/* SPDX-License-Identifier: MIT */
/* arc_seal.c - mox arc seal */
#include "arc/arc.h"
#include "commands.h"
#include "dkim_key.h"
#include "tool.h"

#define MAX_KEY_FILE (1U << 20)

/* What we can tell about the message without its envelope: signatures and chain. */
static int
own_results(const struct cmd_run *c, struct tool *t, const struct message_source *src, struct str domain,
    const struct arc_chain *chain, struct str *r_results)
{
	struct buf b = BUF_ARENA(c->arena, SIZE_MAX / 2);
	struct dkim_verify_args args = { 0 };
	struct dkim_result *v;
	struct errmsg e = { 0 };
	size_t n;

	if (dkim_verify(t->dns, c->arena, &t->ctx, src, &args, &v, &n, &e) < 0)
		return cmd_fail(c, "%s", tool_text(c, str_of(e.text)));
	buf_add(&b, domain);
	for (size_t i = 0; i < n; i++) {
		buf_addf(&b, "; dkim=%s", dkim_status_text(v[i].status));
		if (v[i].has_signature)
			buf_addf(&b, " header.d=" STRF, STRA(v[i].sig.domain));
	}
	if (n == 0)
		buf_add(&b, S("; dkim=none"));
	buf_addf(&b, "; arc=%s", arc_status_text(chain->status));
	*r_results = buf_str(&b);
	return CMD_OK;
}

static int
seal(const struct cmd_run *c, struct tool *t, const struct message_source *src, struct arc_seal_args *args,
    struct str *r_fields)
{
	struct dkim_verify_args verify = { 0 };
	struct arc_chain chain = { 0 };
	struct errmsg e = { 0 };

	if (arc_verify(t->dns, c->arena, &t->ctx, src, &verify, &chain, &e) < 0)
		return cmd_fail(c, "%s", tool_text(c, str_of(e.text)));
	if (args->results.n == 0 && own_results(c, t, src, args->domain, &chain, &args->results) != CMD_OK)
		return CMD_FAILED;
	if (arc_seal(c->arena, src, &chain, args, r_fields, &e) < 0)
		return cmd_fail(c, "%s", tool_text(c, str_of(e.text)));
	if (r_fields->n == 0)
		return cmd_fail(c, "no set can be added: the chain %s",
		    chain.ended ? "ended with a failure before" : "is too long");
	return CMD_OK;
}

static int
run(struct cmd_run *c)
{
	cleanup_(dkim_key_free) EVP_PKEY *key = NULL;
	cleanup_(tool_close) struct tool t = { 0 };
	struct arc_seal_args args = { .results = str_of(cmd_value(c, "results")) };
	struct idna_domain selector, domain;
	struct message_source src;
	struct errmsg e = { 0 };
	struct str pem, text, fields = { 0 };

	if (!tool_domain(c, c->argv[0], &selector) || !tool_domain(c, c->argv[1], &domain))
		return CMD_USAGE;
	if (!tool_file(c, c->argv[2], MAX_KEY_FILE, &pem))
		return CMD_FAILED;
	if (dkim_key_from_pem(pem, &key, &e) < 0)
		return cmd_fail(c, "%s: %s", c->argv[2], e.text);
	if (!tool_message(c, c->argv[3], &text) || !tool_open(c, &t))
		return CMD_FAILED;
	src = message_source_mem(text);
	args.selector = selector.ascii;
	args.domain = domain.ascii;
	args.key = key;
	if (seal(c, &t, &src, &args, &fields) != CMD_OK)
		return CMD_FAILED;
	fwrite(fields.p, 1, fields.n, stdout);
	fwrite(text.p, 1, text.n, stdout);
	return CMD_OK;
}

const struct cmd cmd_arc_seal = {
	.words = "arc seal",
	.params = "selector domain keyfile file",
	.min_args = 4,
	.max_args = 4,
	.flags = {
	    { "results", "text", NULL, "\"authserv-id; method=result ...\"; default results of dkim and arc" },
	},
	.help =
	    "Add an ARC set to a message, as a forwarder does, and print it.\n"
	    "\n"
	    "The chain so far is validated, then three fields are put before the message: what was\n"
	    "found out about it, a signature of the message as it is now, and a seal over all sets.\n"
	    "The key is a file as of \"mox dkim genrsa\"; its record must be at\n"
	    "SELECTOR._domainkey.DOMAIN. The message is read from the file, or from standard input\n"
	    "for \"-\"; lines that end in LF get CRLF.\n"
	    "\n"
	    "A chain that does not validate is sealed as failed. To one that ended with a failure,\n"
	    "or has 50 sets, nothing can be added: that is an error, with exit status 1.\n"
	    "\n"
	    "Example:\n"
	    "\tmox arc seal 2026b lists.example.org 2026b.rsa2048.pem message.eml > sealed.eml\n",
	.run = run,
};
