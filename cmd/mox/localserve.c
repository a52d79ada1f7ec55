/* SPDX-License-Identifier: MIT */
/* localserve.c - mox localserve: a server for this machine, for development and tests. ../spec/operations.md 5 */
#include "localserve.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "commands.h"
#include "server.h"
#include "store/password.h"
#include "version.h"

static const char page[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>mox localserve</title>\n"
    "<style>body{font-family:sans-serif;max-width:45em;margin:2em auto;padding:0 1em}td,th{text-align:left;padding:.1em 1em .1em 0}</style></head><body>\n"
    "<h1>mox localserve</h1>\n<p>A mail server for this machine, for development and tests. Mail to any address is accepted and delivered here;\n"
    "nothing leaves this machine.</p>\n"
    "<table><tr><th>For</th><th>Port</th><th>Security</th></tr>\n"
    "<tr><td>Incoming SMTP</td><td>1025</td><td>none or STARTTLS</td></tr>\n"
    "<tr><td>Submission</td><td>1587</td><td>none or STARTTLS</td></tr>\n"
    "<tr><td>Submission</td><td>1465</td><td>TLS</td></tr>\n"
    "<tr><td>IMAP</td><td>1143</td><td>none or STARTTLS</td></tr>\n"
    "<tr><td>IMAP</td><td>1993</td><td>TLS</td></tr>\n"
    "<tr><td>This page</td><td>1080, 1443</td><td>none, TLS</td></tr>\n"
    "<tr><td><a href=\"/metrics\">Metrics</a></td><td>1080, 1443, 1081</td><td></td></tr></table>\n"
    "<p>User name <code>" LOCALSERVE_ADDRESS "</code>, password <code>" LOCALSERVE_PASSWORD
    "</code>. The TLS certificate is self-signed:\n"
    "<code>localhost.crt</code> in the server's directory.</p>\n"
    "<p>Addresses whose part before the @ ends in <code>temperror</code>, <code>permerror</code>, <code>timeout</code>, or a code from 400 to 600,\n"
    "provoke that error.</p></body></html>\n";

static void
page_start(const struct http_request *q unused_, struct http_response *r)
{
	r->content_type = "text/html; charset=utf-8";
	buf_addz(&r->body, page);
}

static const struct http_route pages[] = { { "/", page_start }, { "/metrics", http_metrics }, { 0 } };

/* $XDG_CONFIG_HOME or ~/.config, and our name. */
static const char *
default_dir(struct arena *a)
{
	const char *xdg = secure_getenv("XDG_CONFIG_HOME"), *home = secure_getenv("HOME");

	if (xdg && *xdg == '/')
		return str_fmt(a, "%s/mox-localserve", xdg).p;
	return home && *home ? str_fmt(a, "%s/.config/mox-localserve", home).p : NULL;
}

static void
started(struct server *s)
{
	cleanup_(config_unref) struct config *cfg = config_current(s->live);

	/* These go to standard output as one piece, so that nothing stands between. */
	printf("mox %s, localserve in " STRF "\n\n"
	    "  Login             %s, password %s\n"
	    "  Send (SMTP)       localhost:1025, no login; any recipient is accepted\n"
	    "  Submission        localhost:1465 (TLS) or localhost:1587\n"
	    "  Read (IMAP)       localhost:1993 (TLS) or localhost:1143\n"
	    "  Status, metrics   http://localhost:1080/ or https://localhost:1443/\n\n"
	    "The TLS certificate is self-signed: " STRF "/localhost.crt\n"
	    "Stop with Ctrl-C, or: mox -config " STRF " stop\n",
	    version_string(), STRA(cfg->dir), LOCALSERVE_ADDRESS, LOCALSERVE_PASSWORD, STRA(cfg->dir), STRA(cfg->static_path));
	fflush(stdout);
	log_print(&s->log, "ready to serve");
}

/* The account's password is set where it has none yet, so that an interrupted first start is repaired. */
static int
set_password(struct server *s, struct errmsg *e)
{
	cleanup_(store_account_close) struct store_account *acct = NULL;
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_password p;
	int rv = store_account_open(s->store, S(LOCALSERVE_ACCOUNT), false, &acct, e);

	if (rv == 0)
		rv = store_read(acct, &tx);
	if (rv == 0)
		rv = store_password_get(&tx, &p);
	store_tx_rollback(&tx);
	return rv == 0 ? auth_set_password(s->auth, S(LOCALSERVE_ACCOUNT), S(LOCALSERVE_PASSWORD), e) : MIN(rv, 0);
}

/* Makes the directory if needed. *r_made tells that it was made now. */
static int
prepare(const struct cmd_run *c, const char *dir, bool *r_made, struct errmsg *e)
{
	const char *ip = cmd_value(c, "ip");
	struct ip parsed;
	struct stat st;
	bool exists = stat(dir, &st) == 0;

	if (ip && ip_parse(str_of(ip), &parsed) < 0)
		return err_set(e, ERR_INVALID, "-ip %s is no IP address", ip);
	if (exists && !cmd_is_set(c, "initonly")) {
		if (stat(str_fmt(c->arena, "%s/mox.conf", dir).p, &st) < 0)
			return err_set(e, ERR_INVALID, "%s exists but has no mox.conf: use another -dir, or remove it", dir);
		if (ip)
			return err_set(e, ERR_INVALID, "-ip is for a new directory; in %s edit mox.conf", dir);
		*r_made = false;
		return 0;
	}
	if (exists)
		fprintf(stderr, "warning: %s exists; its configuration and keys are written anew\n", dir);
	*r_made = true;
	return localserve_init(dir, ip, e);
}

static int
run(struct cmd_run *c)
{
	const char *dir = cmd_value(c, "dir");
	struct server_opts o = {
		.localserve_account = S(LOCALSERVE_ACCOUNT), .exempt_loopback = true, .pages = pages, .started = started
	};
	struct server s = { .stop_fd = -1 };
	struct errmsg e = { 0 };
	char *real = NULL;
	bool made = false;
	int rv;

	if (!dir && !(dir = default_dir(c->arena)))
		return cmd_fail(c, "no directory: set HOME, or use -dir");
	umask(0007);
	if (prepare(c, dir, &made, &e) < 0)
		return cmd_fail(c, "%s", e.text);
	/* Absolute, so that what we print works from anywhere. */
	real = realpath(dir, NULL);
	o.config_path = str_fmt(c->arena, "%s/mox.conf", real ? real : dir).p;
	free(real);

	rv = server_open(&s, c, &o, &e);
	if (rv == 0)
		rv = set_password(&s, &e);
	if (rv == 0 && cmd_is_set(c, "initonly"))
		printf("localserve directory is ready: %s\n", dir);
	else if (rv == 0)
		rv = server_run(&s, &e);
	server_close(&s);
	if (rv < 0)
		return cmd_fail(c, "%s", e.text[0] ? e.text : err_text(rv));
	return rv;
}

const struct cmd cmd_localserve = {
	.words = "localserve",
	.params = "",
	.flags = {
		{ "dir", "path", NULL, "directory for configuration and data; default: mox-localserve in the user's configuration directory" },
		{ "ip", "address", NULL, "listen on this address only instead of 127.0.0.1 and ::1; only for a new directory" },
		{ "initonly", NULL, NULL, "make the directory and do not serve" },
	},
	.help =
	    "Start a mail server for development and tests on this machine.\n"
	    "\n"
	    "At the first start it makes a directory with a configuration, a self-signed\n"
	    "certificate and an account: mox@localhost, password moxmoxmox. It listens on the\n"
	    "usual ports plus 1000 (SMTP 1025, submission 1587 and 1465, IMAP 1143 and 1993) and\n"
	    "on 1080 and 1443 for a status page and /metrics. It needs no privileges.\n"
	    "\n"
	    "Mail to any address is accepted; what has no account of its own goes to the account\n"
	    "mox. Mail that is submitted is delivered here too: nothing leaves the machine.\n"
	    "Messages must be well formed: a refusal names the fault.\n"
	    "\n"
	    "Addresses provoke errors when the part before the @ ends in \"temperror\" (451),\n"
	    "\"permerror\" (550), \"timeout\" (no answer for an hour) or a code from 400 to 600. The\n"
	    "error comes after the message; at MAIL FROM or RCPT TO when the address starts with\n"
	    "\"mailfrom\" or \"rcptto\". With \"queue\" in front, submitted mail goes through the queue and\n"
	    "the error comes at its delivery: see \"mox queue list\".\n"
	    "\n"
	    "Further domains and accounts go into domains.conf in the directory; a new account gets\n"
	    "its password with: mox -config DIR/mox.conf setaccountpassword NAME\n"
	    "\n"
	    "The server stops at SIGINT and SIGTERM, and the exit status is then the signal's\n"
	    "number, or with \"mox stop\", with status 0. A later start continues with the same data.\n",
	.run = run,
};
