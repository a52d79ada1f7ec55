/* SPDX-License-Identifier: MIT */
/* dmarc_checkreportaddrs.c - mox dmarc checkreportaddrs */
#include "base/enc.h"
#include "commands.h"
#include "dmarc/dmarc.h"
#include "json.h"
#include "smtp/smtp.h"
#include "tool.h"

/* What was found out about one address. */
struct verdict {
	const char *status; /* "pass", "fail", "skipped" */
	struct str why;
	struct strlist txts;   /* records of the address' domain */
	bool asked, authentic; /* DNS was asked about it */
};

/* The domain of a mailto: URI; false if there is none. */
static bool
host_of(struct arena *a, struct str uri, struct str *r_host)
{
	struct smtp_address address;
	struct str path;

	if (!str_istarts(uri, S("mailto:")))
		return false;
	uri = str_from(uri, strlen("mailto:"));
	path = str_split(&uri, '?');
	if (enc_unpercent(a, path, &path) < 0 || smtp_parse_address(a, path, 0, &address, NULL) < 0)
		return false;
	*r_host = address.domain.ascii;
	return true;
}

/* Reports within an organisation need no leave: rfc/9990:949 */
static struct verdict
judge(const struct cmd_run *c, struct tool *t, struct str policy_domain, struct str uri)
{
	struct dmarc_external external;
	struct errmsg e = { 0 };
	struct str host, org, host_org;

	if (!str_istarts(uri, S("mailto:")))
		return (struct verdict){ .status = "skipped", .why = S("not a mailto: URI") };
	if (!host_of(c->arena, uri, &host))
		return (struct verdict){ .status = "skipped", .why = S("no address") };
	if (dmarc_org(t->dns, c->arena, &t->ctx, policy_domain, &org, &e) < 0 ||
	    dmarc_org(t->dns, c->arena, &t->ctx, host, &host_org, &e) < 0)
		return (struct verdict){ .status = "fail", .why = str_of(tool_text(c, str_of(e.text))) };
	if (str_is(org, host_org))
		return (struct verdict){ .status = "pass", .why = S("same organizational domain") };
	dmarc_check_external(t->dns, c->arena, &t->ctx, policy_domain, host, &external);
	return (struct verdict){
		.status = external.accepted ? "pass" : "fail",
		.why = external.problem,
		.txts = external.txts,
		.asked = true,
		.authentic = external.authentic,
	};
}

static void
report(const struct cmd_run *c, struct tool *t, struct str domain, const char *kind, const struct dmarc_uris *uris,
    struct json *j)
{
	for (size_t i = 0; i < uris->n; i++) {
		struct verdict v = judge(c, t, domain, uris->v[i].uri);

		if (j) {
			json_open(j, NULL, '{');
			json_str(j, "kind", str_of(kind));
			json_str(j, "uri", uris->v[i].uri);
			json_str(j, "status", str_of(v.status));
			json_text(j, "reason", v.why);
			json_list(j, "txts", &v.txts);
			if (v.asked)
				json_bool(j, "dnssec", v.authentic);
			json_close(j, '}');
			continue;
		}
		printf("%s %s: %s", kind, tool_text(c, uris->v[i].uri), v.status);
		if (v.why.n > 0)
			printf(" (%s)", tool_text(c, v.why));
		for (size_t k = 0; k < v.txts.n; k++)
			printf(", txt %s", tool_text(c, v.txts.v[k]));
		printf("%s%s%s\n", v.asked ? " (" : "", v.asked ? tool_dnssec(v.authentic) : "", v.asked ? ")" : "");
	}
}

static void
report_both(const struct cmd_run *c, struct tool *t, const struct dmarc_found *found, struct json *j)
{
	report(c, t, found->domain, "aggregate reporting", &found->record.rua, j);
	report(c, t, found->domain, "failure reporting", &found->record.ruf, j);
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	struct dmarc_found found = { 0 };
	struct json j = JSON_INIT;
	struct idna_domain domain;

	if (!tool_domain(c, c->argv[0], &domain))
		return CMD_USAGE;
	if (!tool_open(c, &t))
		return CMD_FAILED;
	dmarc_lookup(t.dns, c->arena, &t.ctx, domain.ascii, &found);
	if (!found.found)
		return cmd_fail(c, "%s (%s)", found.problem.n > 0 ? tool_text(c, found.problem) : "no DMARC record",
		    tool_dnssec(found.authentic));
	if (!cmd_is_set(c, "json")) {
		printf("dmarc record at domain %s: %s\n(%s)\n", tool_text(c, found.domain), tool_text(c, found.txt),
		    tool_dnssec(found.authentic));
		report_both(c, &t, &found, NULL);
		return CMD_OK;
	}
	json_open(&j, NULL, '{');
	json_str(&j, "domain", found.domain);
	json_str(&j, "record", found.txt);
	json_bool(&j, "dnssec", found.authentic);
	json_open(&j, "addresses", '[');
	report_both(c, &t, &found, &j);
	json_close(&j, ']');
	json_close(&j, '}');
	json_print(&j);
	return CMD_OK;
}

const struct cmd cmd_dmarc_checkreportaddrs = {
	.words = "dmarc checkreportaddrs",
	.params = "domain",
	.min_args = 1,
	.max_args = 1,
	.flags = { TOOL_JSON },
	.help = "Check whether the addresses for DMARC reports about a domain may get them.\n"
		"\n"
		"A DMARC record can name addresses of others for reports (rua=, ruf=). So that nobody is\n"
		"flooded, such a domain must agree, by a TXT record at DOMAIN._report._dmarc.OTHER. For\n"
		"each address is printed: pass, within the same organisation or with the record found;\n"
		"fail; or why it was skipped, as for URIs other than mailto:.\n"
		"\n"
		"The exit status is 1 only if the domain has no DMARC record that can be used.\n"
		"\n"
		"Example:\n"
		"\tmox dmarc checkreportaddrs example.org\n",
	.run = run,
};
