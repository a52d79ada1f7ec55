/* SPDX-License-Identifier: MIT */
/* dane_dialmx.c - mox dane dialmx */
#include <unistd.h>

#include "commands.h"
#include "dane/dane.h"
#include "smtpclient/smtpclient.h"
#include "tool.h"

#define SMTP_PORT 25

/* What is tried with one host. */
struct attempt {
	const struct cmd_run *c;
	struct tool *t;
	struct smtpclient_tls *tls;
	struct dane_check check;
	struct dane_result result;
};

static int
verify(void *arg, X509 *leaf unused_, STACK_OF(X509) * chain, bool *r_errors, struct errmsg *e)
{
	struct attempt *at = arg;
	int rv = dane_verify(at->c->arena, &at->check, chain, &at->result, e);

	*r_errors = at->result.nfailures > 0;
	return rv;
}

/* Takes over the records that DNS had, with the names that certificates may have. */
static void
prepare(struct attempt *at, const struct smtpclient_destinations *d, const struct smtpclient_host *host,
    const struct smtpclient_ips *ips, const struct smtpclient_tlsa *tlsa, struct str domain, struct strlist *names)
{
	struct arena *a = at->c->arena;
	struct dane_record *records = ARENA_NEWN(a, tlsa->n, struct dane_record);

	for (size_t i = 0; i < tlsa->n; i++)
		records[i] =
		    (struct dane_record){ tlsa->v[i].usage, tlsa->v[i].selector, tlsa->v[i].matching, tlsa->v[i].data };
	smtpclient_tlsa_names(a, d->have_mx, d->expanded_authentic, ips->expanded_authentic, domain, d->expanded,
	    host->name, tlsa->base, names);
	at->check = (struct dane_check){ records, tlsa->n, DANE_SMTP, names->v, names->n, NULL, NULL };
}

/* A dialogue with a verified host, passed on to standard input and output. 0 after its end, 1 when the host is no good. */
static int
talk(struct attempt *at, const struct smtpclient_host *host, const struct smtpclient_ips *ips)
{
	const struct cmd_run *c = at->c;
	struct smtpclient_dial_opts dial = { .ctx = &at->t->ctx, .ips = ips->v, .nips = ips->n, .port = SMTP_PORT };
	struct smtpclient_dane dane = { verify, at };
	struct smtpclient_opts o = {
		.fd = -1, .ctx = &at->t->ctx, .mode = SMTPCLIENT_TLS_REQUIRED, .tls = at->tls, .dane = &dane
	};
	cleanup_(smtpclient_close) struct smtpclient *client = NULL;
	struct smtpclient_tls_facts facts;
	struct smtpclient_error error;
	struct errmsg e = { 0 };
	struct str record;
	size_t index;

	if (smtpclient_dial(&dial, &o.fd, &index, &e) < 0) {
		fprintf(stderr, "%s: %s\n", tool_text(c, host->name), tool_text(c, str_of(e.text)));
		return 1;
	}
	o.ehlo = str_of(cmd_value(c, "ehlohostname"));
	o.remote_name = at->check.names[0];
	if (smtpclient_new(c->arena, &o, &client, &facts, &error) < 0) {
		fprintf(stderr, "%s: %s\n", tool_text(c, host->name), tool_text(c, error.text));
		return 1;
	}
	record = dane_text(c->arena, &at->result.record);
	fprintf(stderr, "connected to %s, " STRF ", verified by %s record " STRF "\n", tool_text(c, host->name),
	    STRA(ip_str(c->arena, &ips->v[index])), dane_usage_text(at->result.record.usage), STRA(record));
	ignore_result(smtpclient_pass(client, STDIN_FILENO, STDOUT_FILENO));
	return 0;
}

/* Why a host is skipped, after what DNS says of it; NULL if it can be tried. */
static const char *
look_up(struct attempt *at, const struct smtpclient_host *host, struct smtpclient_ips *r_ips,
    struct smtpclient_tlsa *r_tlsa)
{
	const struct cmd_run *c = at->c;
	struct tool *t = at->t;
	struct smtpclient_dialed dialed = { 0 };
	struct errmsg e = { 0 };

	if (smtpclient_gather_ips(t->dns, c->arena, &t->ctx, host, 0, &dialed, r_ips, &e) < 0)
		return tool_text(c, str_of(e.text));
	if (!r_ips->authentic)
		return "addresses are not protected by dnssec";
	if (smtpclient_gather_tlsa(
		t->dns, c->arena, &t->ctx, host->name, r_ips->expanded_authentic, r_ips->expanded, r_tlsa, &e) < 0)
		return tool_text(c, str_of(e.text));
	return r_tlsa->n == 0 ? "no usable tlsa records" : NULL;
}

static int
try_host(
    struct attempt *at, const struct smtpclient_destinations *d, const struct smtpclient_host *host, struct str domain)
{
	struct smtpclient_ips ips;
	struct smtpclient_tlsa tlsa;
	struct strlist names = { 0 };
	const char *fault = look_up(at, host, &ips, &tlsa);

	if (fault) {
		fprintf(stderr, "%s: %s, skipped\n", tool_text(at->c, host->name), fault);
		return 1;
	}
	prepare(at, d, host, &ips, &tlsa, domain, &names);
	return talk(at, host, &ips);
}

/* The hosts for a domain, or the one that was named. */
static int
find_hosts(const struct cmd_run *c, struct tool *t, struct str domain, struct smtpclient_destinations *r_d)
{
	struct idna_domain host;
	struct errmsg e = { 0 };

	if (c->argc == 2) {
		if (!tool_domain(c, c->argv[1], &host))
			return CMD_USAGE;
		r_d->hosts = ARENA_NEW(c->arena, struct smtpclient_host);
		r_d->hosts[0] = (struct smtpclient_host){ .name = host.ascii, .preference = -1 };
		r_d->nhosts = 1;
		r_d->have_mx = r_d->authentic = r_d->expanded_authentic = true;
		r_d->expanded = domain;
		fprintf(stderr, "mx records of %s are not looked up and taken as protected by dnssec\n",
		    tool_text(c, domain));
		return CMD_OK;
	}
	if (smtpclient_gather_destinations(t->dns, c->arena, &t->ctx, domain, false, r_d, &e) < 0)
		return cmd_fail(c, "%s (%s)", tool_text(c, str_of(e.text)), tool_dnssec(r_d->authentic));
	if (!r_d->authentic || !r_d->expanded_authentic)
		return cmd_fail(c, "destinations of %s are not protected by dnssec", tool_text(c, domain));
	for (size_t i = 0; i < r_d->nhosts; i++)
		fprintf(stderr, "destination: %s\n", tool_text(c, r_d->hosts[i].name));
	return CMD_OK;
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	cleanup_(smtpclient_tls_free) struct smtpclient_tls *tls = NULL;
	struct smtpclient_tls_opts tls_opts = { .no_system = true };
	struct smtpclient_destinations d = { 0 };
	struct idna_domain domain;
	struct errmsg e = { 0 };
	int status;

	if (!tool_domain(c, c->argv[0], &domain))
		return CMD_USAGE;
	if (!tool_open(c, &t))
		return CMD_FAILED;
	if (smtpclient_tls_new(&tls_opts, &tls, &e) < 0)
		return cmd_fail(c, "%s", e.text);
	status = find_hosts(c, &t, domain.ascii, &d);
	if (status != CMD_OK)
		return status;
	for (size_t i = 0; i < d.nhosts; i++) {
		struct attempt at = { .c = c, .t = &t, .tls = tls };

		if (try_host(&at, &d, &d.hosts[i], domain.ascii) == 0)
			return CMD_OK;
	}
	return cmd_fail(c, "no remaining destinations");
}

const struct cmd cmd_dane_dialmx = {
	.words = "dane dialmx",
	.params = "domain [desthost]",
	.min_args = 1,
	.max_args = 2,
	.flags = { { "ehlohostname", "name", "localhost", "our name in EHLO" } },
	.help = "Connect to a mail server of a domain that is verified by DANE.\n"
		"\n"
		"The hosts that receive mail for the domain are found as for delivery: MX records,\n"
		"addresses, and TLSA records at _25._tcp.HOST. The MX records must be protected by\n"
		"DNSSEC; hosts whose addresses are not, or without usable TLSA records, are skipped.\n"
		"With a host as second argument only that is tried, and the MX records do not matter.\n"
		"\n"
		"After EHLO and STARTTLS the certificate must be verified by a record. Progress is told\n"
		"on standard error. Then standard input goes to the server, with the dialogue after\n"
		"EHLO, and what it sends to standard output. If no host is left the exit status is 1.\n"
		"\n"
		"Example:\n"
		"\tprintf 'QUIT\\r\\n' | mox dane dialmx example.org\n",
	.run = run,
};
