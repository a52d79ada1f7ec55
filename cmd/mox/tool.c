/* SPDX-License-Identifier: MIT */
/* tool.c - what the commands that try out protocols share. */
#include "tool.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/timeutil.h"
#include "version.h"

#define TOOL_DEADLINE_US (60 * TIME_SEC)
#define TOOL_MAX_MESSAGE (512U << 20) /* bytes of a message that is read into memory */
#define TOOL_MAX_CERTS (4U << 20)
#define TOOL_MAX_TEXT (64U << 10)     /* bytes of one text shown */

/* "address", "[address]" or either with ":port". */
static int
parse_server(struct str s, struct ipport *r_server)
{
	struct ipport p = { .port = 53 };

	if (ip_parse(s, &p.ip) < 0 && ipport_parse(s, &p) < 0) {
		if (!str_starts(s, S("[")) || !str_ends(s, S("]")) || ip_parse(str_n(s.p + 1, s.n - 2), &p.ip) < 0)
			return ERR_INVALID;
	}
	*r_server = p;
	return 0;
}

bool
tool_open(const struct cmd_run *c, struct tool *r_t)
{
	struct dns_stub_opts o = { .trust_anchor_file = c->trust_anchor };
	struct ipport server;
	struct errmsg e = { 0 };
	int rv;

	*r_t = (struct tool){ .ctx.deadline_us = time_mono_us() + TOOL_DEADLINE_US };
	if (c->resolver) {
		if (parse_server(str_of(c->resolver), &server) < 0) {
			cmd_fail(c, "-resolver: \"%s\" is no address, nor address:port", c->resolver);
			return false;
		}
		o.servers = &server;
		o.nservers = 1;
		o.hosts = "";
	}
	rv = dns_stub_new(&o, &r_t->dns, &e);
	if (rv < 0)
		cmd_fail(c, "%s", e.text[0] ? e.text : err_text(rv));
	return rv == 0;
}

void
tool_close(struct tool *t)
{
	dns_stub_free(&t->dns);
}

bool
tool_domain(const struct cmd_run *c, const char *arg, struct idna_domain *r_d)
{
	struct errmsg e = { 0 };

	if (idna_parse(c->arena, str_of(arg), IDNA_UNDERSCORE | IDNA_ROOT_DOT, r_d, &e) == 0)
		return true;
	cmd_misused(c, "\"%s\" is no domain name: %s", tool_text(c, str_of(arg)), e.text);
	return false;
}

bool
tool_ip(const struct cmd_run *c, const char *arg, struct ip *r_ip)
{
	if (ip_parse(str_of(arg), r_ip) == 0)
		return true;
	cmd_misused(c, "\"%s\" is no IP address", tool_text(c, str_of(arg)));
	return false;
}

bool
tool_stdin(const struct cmd_run *c, size_t max, struct str *r_content)
{
	struct buf b = BUF_ARENA(c->arena, max);
	char piece[16384];
	ssize_t n;

	while ((n = read(STDIN_FILENO, piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0)
			buf_add(&b, str_n(piece, (size_t)n));
	}
	if (n < 0)
		cmd_fail(c, "standard input: %s", err_strerror(errno));
	else if (b.failed)
		cmd_fail(c, "standard input: more than %zu bytes", max);
	else
		*r_content = buf_str(&b);
	return n == 0 && !b.failed;
}

bool
tool_file(const struct cmd_run *c, const char *path, size_t max, struct str *r_content)
{
	struct errmsg e = { 0 };

	if (fd_read_file(c->arena, path, max, r_content, &e) == 0)
		return true;
	cmd_fail(c, "%s", e.text);
	return false;
}

bool
tool_message(const struct cmd_run *c, const char *path, struct str *r_content)
{
	struct str s, line;
	struct buf b = BUF_ARENA(c->arena, SIZE_MAX / 2);

	if (strcmp(path, "-") == 0) {
		if (!tool_stdin(c, TOOL_MAX_MESSAGE, &s))
			return false;
	} else if (!tool_file(c, path, TOOL_MAX_MESSAGE, &s)) {
		return false;
	}
	if (str_search(s, S("\r\n")) < 0) {
		while (s.n > 0) {
			bool ended = str_has(s, '\n');

			line = str_split(&s, '\n');
			buf_add(&b, line);
			if (ended)
				buf_add(&b, S("\r\n"));
		}
		s = buf_str(&b);
	}
	*r_content = s;
	return true;
}

bool
tool_roots(const struct cmd_run *c, struct str *r_pem)
{
	const char *path = cmd_value(c, "tlscerts");

	*r_pem = S("");
	return !path || tool_file(c, path, TOOL_MAX_CERTS, r_pem);
}

struct httpclient *
tool_http(const struct cmd_run *c, const struct tool *t)
{
	struct httpclient_opts o = { .resolver = t->dns };
	struct httpclient *client = NULL;
	struct errmsg e = { 0 };

	o.user_agent = str_fmt(c->arena, "mox/%s", version_string()).p;
	if (!tool_roots(c, &o.extra_cas))
		return NULL;
	if (httpclient_new(&o, &client, &e) < 0)
		cmd_fail(c, "%s", e.text);
	return client;
}

const char *
tool_text(const struct cmd_run *c, struct str s)
{
	return str_dup(c->arena, str_log(c->arena, s, TOOL_MAX_TEXT)).p;
}

const char *
tool_dnssec(bool authentic)
{
	return authentic ? "with dnssec" : "without dnssec";
}
