/* SPDX-License-Identifier: MIT */
/* dmarc_verify.c - mox dmarc verify */
#include "commands.h"
#include "dmarc/dmarc.h"
#include "json.h"
#include "message/header.h"
#include "publicsuffix/publicsuffix.h"
#include "smtp/smtp.h"
#include "tool.h"

/* What is known of a message after its checks. */
struct checks {
	bool has_spf; /* there was an envelope */
	struct spf_result spf;
	struct dkim_result *dkim;
	size_t ndkim;
	struct str from; /* domain, ASCII */
	struct dmarc_result dmarc;
};

static bool
is_public_suffix(void *arg unused_, struct str domain)
{
	return publicsuffix_is(domain);
}

/* The arguments about the envelope. Both empty: there is none. */
static bool
parse_envelope(const struct cmd_run *c, struct spf_args *r_args)
{
	struct smtp_address sender;
	struct idna_domain helo;
	struct errmsg e = { 0 };

	if (!tool_ip(c, c->argv[0], &r_args->remote_ip))
		return false;
	if (c->argv[1][0]) {
		if (smtp_parse_address(c->arena, str_of(c->argv[1]), 0, &sender, &e) < 0) {
			cmd_misused(c, "\"%s\" is no address: %s", tool_text(c, str_of(c->argv[1])), e.text);
			return false;
		}
		r_args->mailfrom_localpart = sender.localpart;
		r_args->mailfrom_domain = sender.domain.ascii;
	}
	if (c->argv[2][0]) {
		if (!tool_domain(c, c->argv[2], &helo))
			return false;
		r_args->helo_domain = helo.ascii;
	}
	return true;
}

static bool
check(const struct cmd_run *c, struct tool *t, const struct spf_args *spf, struct str text, struct checks *r)
{
	struct message_source src = message_source_mem(text);
	struct dkim_verify_args dkim = { .public_suffix = is_public_suffix };
	struct dmarc_args args = { 0 };
	struct smtp_address from;
	struct errmsg e = { 0 };
	struct str header;

	if (dkim_read_header(c->arena, &src, &header) < 0) {
		cmd_fail(c, "the header has no end");
		return false;
	}
	if (message_from(c->arena, header, &from, &e) < 0 ||
	    dkim_verify(t->dns, c->arena, &t->ctx, &src, &dkim, &r->dkim, &r->ndkim, &e) < 0) {
		cmd_fail(c, "%s", tool_text(c, str_of(e.text)));
		return false;
	}
	r->from = from.domain.ascii;
	args.from = r->from;
	args.dkim = r->dkim;
	args.ndkim = r->ndkim;
	r->has_spf = spf->mailfrom_domain.n > 0 || spf->helo_domain.n > 0;
	if (r->has_spf) {
		spf_evaluate(t->dns, c->arena, &t->ctx, spf, &r->spf);
		args.spf = r->spf.status;
		args.spf_domain = r->spf.domain;
	}
	dmarc_verify(t->dns, c->arena, &t->ctx, &args, &r->dmarc);
	return true;
}

static void
print_json(const struct checks *r)
{
	const struct dmarc_result *d = &r->dmarc;
	struct json j = JSON_INIT;

	json_open(&j, NULL, '{');
	if (r->has_spf) {
		json_open(&j, "spf", '{');
		json_str(&j, "domain", r->spf.domain);
		json_str(&j, "status", str_of(spf_status_text(r->spf.status)));
		json_bool(&j, "aligned", d->aligned_spf);
		json_bool(&j, "dnssec", r->spf.authentic);
		json_close(&j, '}');
	}
	json_open(&j, "dkim", '[');
	for (size_t i = 0; i < r->ndkim; i++) {
		json_open(&j, NULL, '{');
		json_str(&j, "status", str_of(dkim_status_text(r->dkim[i].status)));
		json_text(&j, "error", r->dkim[i].problem);
		if (r->dkim[i].has_signature)
			json_str(&j, "domain", r->dkim[i].sig.domain);
		json_bool(&j, "dnssec", r->dkim[i].authentic);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_str(&j, "from", r->from);
	json_str(&j, "status", str_of(dmarc_status_text(d->status)));
	json_text(&j, "error", d->found.problem);
	json_bool(&j, "alignedDKIM", d->aligned_dkim);
	json_text(&j, "policy", str_of(dmarc_policy_text(d->policy)));
	json_bool(&j, "reject", d->reject);
	if (d->found.found) {
		json_str(&j, "recordDomain", d->found.domain);
		json_str(&j, "record", d->found.txt);
	}
	json_bool(&j, "dnssec", d->found.authentic);
	json_close(&j, '}');
	json_print(&j);
}

static void
print(const struct cmd_run *c, const struct checks *r)
{
	const struct dmarc_result *d = &r->dmarc;

	if (r->has_spf)
		printf("spf result: %s: %s (%s)\n", tool_text(c, r->spf.domain), spf_status_text(r->spf.status),
		    tool_dnssec(r->spf.authentic));
	for (size_t i = 0; i < r->ndkim; i++) {
		printf("dkim result: \"%s\"", dkim_status_text(r->dkim[i].status));
		if (r->dkim[i].problem.n > 0)
			printf(" (err %s)", tool_text(c, r->dkim[i].problem));
		if (r->dkim[i].has_signature)
			printf(" of %s", tool_text(c, r->dkim[i].sig.domain));
		printf("\n");
	}
	printf("dmarc from: %s\n", tool_text(c, r->from));
	printf("dmarc status: \"%s\"", dmarc_status_text(d->status));
	if (d->found.problem.n > 0)
		printf(" (err %s)", tool_text(c, d->found.problem));
	printf("\ndmarc reject: %s\n", d->reject ? "true" : "false");
	if (d->found.found)
		printf("dmarc record: %s, at %s (%s)\n", tool_text(c, d->found.txt), tool_text(c, d->found.domain),
		    tool_dnssec(d->found.authentic));
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct spf_args spf = { .local_hostname = S("localhost"), .local_ip = { .family = 4, .a = { 127, 0, 0, 1 } } };
	struct checks r = { 0 };
	struct str text;

	if (!parse_envelope(c, &spf))
		return CMD_USAGE;
	if (!tool_message(c, "-", &text) || !tool_open(c, &t) || !check(c, &t, &spf, text, &r))
		return CMD_FAILED;
	if (cmd_is_set(c, "json"))
		print_json(&r);
	else
		print(c, &r);
	return CMD_OK;
}

const struct cmd cmd_dmarc_verify = {
	.words = "dmarc verify",
	.params = "remoteip mailfrom helo < message",
	.min_args = 3,
	.max_args = 3,
	.flags = { TOOL_JSON },
	.help = "Evaluate DMARC for a message, with SPF and DKIM, as if it had just come in.\n"
		"\n"
		"The arguments tell how it came: address of the client, MAIL FROM (empty for the null\n"
		"reverse path), and name in EHLO. With MAIL FROM and EHLO both empty, as \"\", SPF is left\n"
		"out. The message is read from standard input; lines that end in LF get CRLF.\n"
		"\n"
		"Printed are the results of SPF and of each signature, the domain in From, whether the\n"
		"message passes by the DMARC record of that domain, whether it should be rejected, and\n"
		"the record. pct= of old records is not applied. The exit status is 0 whatever the\n"
		"result; it is 1 if the message cannot be read, or has not exactly one author.\n"
		"\n"
		"Example:\n"
		"\tmox dmarc verify 192.0.2.1 alice@example.org mail.example.org < message.eml\n",
	.run = run,
};
