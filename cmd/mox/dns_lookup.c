/* SPDX-License-Identifier: MIT */
/* dns_lookup.c - mox dns lookup */
#include "base/enc.h"
#include "commands.h"
#include "dane/dane.h"
#include "json.h"
#include "tool.h"

enum { FAMILIES = 1 }; /* asks for A and AAAA */

static const struct kind {
	const char *name;
	enum dns_type type;
	unsigned flags;
	const char *title;
} kinds[] = {
	{ "ptr", DNS_PTR, 0, "names" },
	{ "mx", DNS_MX, 0, "mx records" },
	{ "cname", DNS_CNAME, 0, "" },
	{ "ips", DNS_A, FAMILIES, "records" },
	{ "a", DNS_A, 0, "records" },
	{ "aaaa", DNS_AAAA, 0, "records" },
	{ "ns", DNS_NS, 0, "ns records" },
	{ "txt", DNS_TXT, 0, "txt records" },
	{ "srv", DNS_SRV, 0, "srv records" },
	{ "tlsa", DNS_TLSA, 0, "tlsa records" },
};

/* Names of the values of further TLSA fields, rfc/7218:125 */
static const char *const selectors[] = { "cert", "spki" };
static const char *const matchings[] = { "full", "sha2-256", "sha2-512" };

static const char *
name_of(const char *const *names, size_t n, uint8_t v)
{
	return v < n ? names[v] : "unknown";
}

static void
print_tlsa(const struct cmd_run *c, const struct dns_record *r)
{
	printf("- usage \"%s\" (%u)", dane_usage_text(r->usage), r->usage);
	printf(", selector \"%s\" (%u)", name_of(selectors, ARRAY_LEN(selectors), r->selector), r->selector);
	printf(", matchtype \"%s\" (%u)", name_of(matchings, ARRAY_LEN(matchings), r->matching), r->matching);
	printf(", certificate association data " STRF "\n", STRA(enc_hex(c->arena, r->data)));
}

static void
print_record(const struct cmd_run *c, const struct dns_record *r)
{
	const char *name = tool_text(c, r->name);

	switch (r->type) {
	case DNS_MX: printf("- %s., preference %u\n", name, r->preference); return;
	case DNS_SRV:
		printf("- host %s., port %u, priority %u, weight %u\n", name, r->port, r->priority, r->weight);
		return;
	case DNS_TXT: printf("- %s\n", tool_text(c, r->text)); return;
	case DNS_TLSA: print_tlsa(c, r); return;
	case DNS_A:
	case DNS_AAAA: printf("- " STRF "\n", STRA(ip_str(c->arena, &r->ip))); return;
	case DNS_CNAME:
	case DNS_NS:
	case DNS_PTR: break;
	}
	printf("- %s.\n", name);
}

static void
json_record(const struct cmd_run *c, struct json *j, const struct dns_record *r)
{
	json_open(j, NULL, '{');
	if (r->ip.family != 0)
		json_str(j, "ip", ip_str(c->arena, &r->ip));
	else if (r->type == DNS_TXT)
		json_str(j, "text", r->text);
	else if (r->type != DNS_TLSA)
		json_str(j, "name", r->name);
	if (r->type == DNS_MX)
		json_int(j, "preference", r->preference);
	if (r->type == DNS_SRV) {
		json_int(j, "port", r->port);
		json_int(j, "priority", r->priority);
		json_int(j, "weight", r->weight);
	}
	if (r->type == DNS_TLSA) {
		json_int(j, "usage", r->usage);
		json_int(j, "selector", r->selector);
		json_int(j, "matching", r->matching);
		json_str(j, "data", enc_hex(c->arena, r->data));
	}
	json_close(j, '}');
}

static void
print_json(const struct cmd_run *c, const struct kind *k, struct str name, int rv, const struct dns_result *r,
    const char *error)
{
	struct json j = JSON_INIT;

	json_open(&j, NULL, '{');
	json_str(&j, "type", str_of(k->name));
	json_str(&j, "name", name);
	if (rv < 0)
		json_str(&j, "error", str_of(error));
	json_bool(&j, "notFound", rv == DNS_NOTFOUND);
	json_bool(&j, "dnssec", r->authentic);
	json_text(&j, "canonical", r->canonical);
	if (r->extended_error >= 0)
		json_int(&j, "extendedError", r->extended_error);
	if (rv == 0)
		json_int(&j, "ttl", r->ttl);
	json_open(&j, "records", '[');
	for (size_t i = 0; rv == 0 && i < r->n; i++)
		json_record(c, &j, &r->v[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	json_print(&j);
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	const struct kind *k = NULL;
	struct dns_result r = { .extended_error = -1 };
	struct errmsg e = { 0 };
	struct idna_domain d;
	struct str name = str_of(c->argv[1]);
	struct ip ip;
	const char *error;
	int rv;

	for (size_t i = 0; i < ARRAY_LEN(kinds) && !k; i++)
		if (str_icase(str_of(c->argv[0]), str_of(kinds[i].name)))
			k = &kinds[i];
	if (!k)
		return cmd_misused(c, "unknown type \"%s\"", tool_text(c, str_of(c->argv[0])));
	if (!tool_open(c, &t))
		return CMD_FAILED;

	/* A name that is none may still be in DNS. */
	if (idna_parse(c->arena, name, IDNA_UNDERSCORE | IDNA_ROOT_DOT, &d, NULL) == 0)
		name = d.ascii;
	if (k->type == DNS_PTR && ip_parse(name, &ip) == 0)
		rv = dns_lookup_ptr(t.dns, c->arena, &t.ctx, &ip, &r, &e);
	else if (k->flags & FAMILIES)
		rv = dns_lookup_ip(t.dns, c->arena, &t.ctx, name, 0, &r, &e);
	else
		rv = dns_lookup(t.dns, c->arena, &t.ctx, k->type, name, 0, &r, &e);
	error = e.text[0] ? tool_text(c, str_of(e.text)) : err_text(rv);
	if (cmd_is_set(c, "json"))
		print_json(c, k, name, rv, &r, error);
	if (rv < 0)
		return cmd_fail(c, "%s (%s)", error, tool_dnssec(r.authentic));
	if (cmd_is_set(c, "json"))
		return CMD_OK;
	if (k->type == DNS_CNAME) {
		printf("%s. (%s)\n", tool_text(c, r.n > 0 ? r.v[0].name : r.canonical), tool_dnssec(r.authentic));
		return CMD_OK;
	}
	printf("%s (%zu, %s):\n", k->title, r.n, tool_dnssec(r.authentic));
	for (size_t i = 0; i < r.n; i++)
		print_record(c, &r.v[i]);
	return CMD_OK;
}

const struct cmd cmd_dns_lookup = {
	.words = "dns lookup",
	.params = "type name",
	.min_args = 2,
	.max_args = 2,
	.flags = { TOOL_JSON },
	.help = "Look records up in DNS, and tell whether the answer is authentic.\n"
		"\n"
		"Types are ptr, mx, cname, ips (a and aaaa), a, aaaa, ns, txt, srv and tlsa. For ptr the\n"
		"name may be an IP address. Names are absolute and may be internationalised; what does\n"
		"not look like a host name is asked for as it stands. CNAMEs are followed, but for cname.\n"
		"\n"
		"\"With dnssec\" says that the answer, and each CNAME on the way, was authenticated by\n"
		"DNSSEC. That is so if a resolver that may be believed says it: one on a loopback\n"
		"address, or with \"options trust-ad\" in resolv.conf; or by our own validation, with\n"
		"-trustanchor before the command's name. -resolver names another server to ask.\n"
		"\n"
		"The exit status is 1 if there is no such record or it could not be looked up.\n"
		"\n"
		"Examples:\n"
		"\tmox dns lookup mx example.org\n"
		"\tmox -resolver 127.0.0.1:5353 dns lookup tlsa _25._tcp.mail.example.org\n",
	.run = run,
};
