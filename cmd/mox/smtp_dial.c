/* SPDX-License-Identifier: MIT */
/* smtp_dial.c - mox smtp dial */
#include <unistd.h>

#include "commands.h"
#include "smtpclient/smtpclient.h"
#include "tool.h"

#define PORT 25

/* host[:port], host being a name, an address, or an address in brackets */
static bool
parse_target(const struct cmd_run *c, struct smtpclient_host *r_host, uint16_t *r_port)
{
	struct str arg = str_of(c->argv[0]);
	struct ipport p;
	struct idna_domain d;
	uint32_t port = PORT;

	*r_host = (struct smtpclient_host){ .is_ip = true };
	*r_port = PORT;
	if (ip_parse(arg, &p.ip) == 0) {
		r_host->name = ip_str(c->arena, &p.ip);
		return true;
	}
	if (ipport_parse(arg, &p) == 0) {
		r_host->name = ip_str(c->arena, &p.ip);
		*r_port = p.port;
		return true;
	}
	ssize_t colon = str_rfind(arg, ':');
	if (colon >= 0 && (str_u32(str_from(arg, (size_t)colon + 1), &port) < 0 || port == 0 || port > 65535)) {
		cmd_misused(c, "\"%s\" is not host:port", tool_text(c, arg));
		return false;
	}
	if (!tool_domain(c, str_dup(c->arena, colon >= 0 ? str_upto(arg, (size_t)colon) : arg).p, &d))
		return false;
	r_host->is_ip = false;
	r_host->name = d.ascii;
	*r_port = (uint16_t)port;
	return true;
}

static struct str
own_name(const struct cmd_run *c)
{
	char name[256] = "";

	if (cmd_value(c, "ehlohostname"))
		return str_of(cmd_value(c, "ehlohostname"));
	return gethostname(name, sizeof(name) - 1) == 0 && name[0] ? str_dup(c->arena, str_of(name)) : S("localhost");
}

/* open_dialogue connects and sets up; on failure a message is out. */
static int
open_dialogue(const struct cmd_run *c, struct tool *t, struct smtpclient_tls *tls, struct smtpclient **r_client)
{
	struct smtpclient_host host;
	struct smtpclient_ips ips = { 0 };
	struct smtpclient_tls_facts facts = { 0 };
	struct smtpclient_error error = { 0 };
	struct errmsg e = { 0 };
	size_t index = 0;
	uint16_t port;
	int fd = -1;

	if (!parse_target(c, &host, &port))
		return CMD_USAGE;
	if (smtpclient_gather_ips(t->dns, c->arena, &t->ctx, &host, 0, NULL, &ips, &e) < 0)
		return cmd_fail(c, "%s", tool_text(c, str_of(e.text)));
	struct smtpclient_dial_opts dial = { .ctx = &t->ctx, .ips = ips.v, .nips = ips.n, .port = port };
	if (smtpclient_dial(&dial, &fd, &index, &e) < 0)
		return cmd_fail(c, "%s", tool_text(c, str_of(e.text)));
	const char *remote = cmd_value(c, "remotehostname");
	struct smtpclient_opts o = {
		.fd = fd,
		.ctx = &t->ctx,
		.log = &c->log,
		.ehlo = own_name(c),
		.tls = tls,
		.remote_name = remote ? str_of(remote) : host.name,
		.verify_pkix = cmd_is_set(c, "tlsverify"),
		.mode = cmd_is_set(c, "notls") ? SMTPCLIENT_TLS_SKIP :
		    cmd_is_set(c, "forcetls")  ? SMTPCLIENT_TLS_REQUIRED :
						 SMTPCLIENT_TLS_OPPORTUNISTIC,
	};
	if (smtpclient_new(c->arena, &o, r_client, &facts, &error) < 0)
		return cmd_fail(c, "%s", tool_text(c, error.text));
	if (facts.established)
		fprintf(stderr, "connected to " STRF ", " STRF " " STRF ", certificate %s%s\n",
		    STRA(ip_str(c->arena, &ips.v[index])), STRA(facts.info.version_name), STRA(facts.info.cipher_name),
		    facts.pkix.ok ? "valid" : "not verified: ", facts.pkix.ok ? "" : facts.pkix.type);
	else
		fprintf(stderr, "connected to " STRF ", without TLS\n", STRA(ip_str(c->arena, &ips.v[index])));
	return CMD_OK;
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	cleanup_(smtpclient_tls_free) struct smtpclient_tls *tls = NULL;
	struct smtpclient *client = NULL;
	struct errmsg e = { 0 };
	struct str pem = { 0 };

	if (cmd_is_set(c, "notls") && cmd_is_set(c, "forcetls"))
		return cmd_misused(c, "-notls and -forcetls exclude each other");
	if (!tool_roots(c, &pem) || !tool_open(c, &t))
		return CMD_FAILED;
	if (smtpclient_tls_new(&(struct smtpclient_tls_opts){ .ca_pem = &pem, .nca = pem.n > 0 ? 1 : 0 }, &tls, &e) < 0)
		return cmd_fail(c, "%s", e.text);
	int status = open_dialogue(c, &t, tls, &client);
	if (status != CMD_OK)
		return status;
	/* From here on it lasts as long as both sides want. */
	smtpclient_set_ctx(client, &(struct ctx){ 0 });
	int rv = smtpclient_pass(client, STDIN_FILENO, STDOUT_FILENO);
	smtpclient_close(&client);
	return rv == 0 ? CMD_OK : cmd_fail(c, "the connection broke");
}

const struct cmd cmd_smtp_dial = {
	.words = "smtp dial",
	.params = "host[:port]",
	.min_args = 1,
	.max_args = 1,
	.flags = {
		{ "ehlohostname", "name", NULL, "our name in EHLO; default: the system's" },
		{ "forcetls", NULL, NULL, "use STARTTLS even if the server does not announce it" },
		{ "notls", NULL, NULL, "do not use STARTTLS" },
		{ "remotehostname", "name", NULL, "name of the server to ask for and to verify; default: host" },
		{ "tlsverify", NULL, NULL, "verify the certificate" },
		TOOL_TLSCERTS,
	},
	.help =
	    "Talk to an SMTP server: connect, EHLO, STARTTLS where it is announced, then it is yours.\n"
	    "\n"
	    "Once the dialogue is set up, standard input goes to the server and what it says to\n"
	    "standard output, until the server ends the connection. The port is 25 if not given.\n"
	    "Certificates are not verified unless -tlsverify is given.\n"
	    "\n"
	    "Example:\n"
	    "\n"
	    "\techo QUIT | mox smtp dial -forcetls mail.example.org\n",
	.run = run,
};
