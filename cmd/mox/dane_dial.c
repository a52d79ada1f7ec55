/* SPDX-License-Identifier: MIT */
/* dane_dial.c - mox dane dial */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/fd.h"
#include "commands.h"
#include "dane/dane.h"
#include "dane_tls.h"
#include "smtpclient/smtpclient.h"
#include "tool.h"

#define PUMP_SIZE 16384

static int
connect_one(void *arg unused_, const struct ctx *ctx, const struct ipport *to, int *r_fd, struct errmsg *e)
{
	struct smtpclient_dial_opts o = { .ctx = ctx, .ips = &to->ip, .nips = 1, .port = to->port };
	size_t index;

	return smtpclient_dial(&o, r_fd, &index, e);
}

/* A session with standard input and output as its other end. */
struct pump {
	SSL *ssl;
	int fd;
	char out[PUMP_SIZE]; /* read from standard input */
	size_t n, off;
	bool in_open, ended; /* ended: the peer will send no more */
	short events;        /* what the session waits for */
};

/* Whether to go on; notes what to wait for. */
static bool
progress(struct pump *p, int rv)
{
	switch (SSL_get_error(p->ssl, rv)) {
	case SSL_ERROR_WANT_READ: p->events |= POLLIN; return true;
	case SSL_ERROR_WANT_WRITE: p->events |= POLLOUT; return true;
	case SSL_ERROR_ZERO_RETURN: p->ended = true; return true;
	default: return false;
	}
}

static bool
from_peer(struct pump *p)
{
	char data[PUMP_SIZE];
	int n;

	for (;;) {
		ERR_clear_error();
		n = SSL_read(p->ssl, data, sizeof(data));
		if (n <= 0)
			return progress(p, n);
		if (fd_write_all(STDOUT_FILENO, str_n(data, (size_t)n)) < 0)
			return false;
	}
}

static bool
to_peer(struct pump *p)
{
	while (p->off < p->n) {
		int n;

		ERR_clear_error();
		n = SSL_write(p->ssl, p->out + p->off, (int)(p->n - p->off));
		if (n <= 0)
			return progress(p, n);
		p->off += (size_t)n;
	}
	return true;
}

/* The next piece of standard input; at its end the peer is told that nothing more comes. */
static bool
take_input(struct pump *p)
{
	ssize_t n = read(STDIN_FILENO, p->out, sizeof(p->out));

	if (n < 0 && errno == EINTR)
		return true;
	p->off = 0;
	p->n = n > 0 ? (size_t)n : 0;
	if (n > 0)
		return true;
	p->in_open = false;
	ERR_clear_error();
	n = SSL_shutdown(p->ssl);
	return n >= 0 || progress(p, (int)n);
}

/* Passes data both ways until the peer ends; false if the connection broke. */
static bool
pump(struct pump *p)
{
	while (!p->ended) {
		struct pollfd fds[2] = { { .fd = p->fd }, { .fd = -1, .events = POLLIN } };

		p->events = 0;
		if (!from_peer(p) || !to_peer(p))
			return false;
		if (p->ended)
			break;
		fds[0].events = p->events;
		if (p->in_open && p->off == p->n)
			fds[1].fd = STDIN_FILENO;
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return false;
		if (fds[1].revents && !take_input(p))
			return false;
	}
	return true;
}

/* host:port */
static bool
parse_target(const struct cmd_run *c, struct str *r_host, uint16_t *r_port)
{
	struct str arg = str_of(c->argv[0]);
	ssize_t colon = str_rfind(arg, ':');
	struct idna_domain d;
	uint32_t port;

	if (colon < 0 || str_u32(str_from(arg, (size_t)colon + 1), &port) < 0 || port == 0 || port > 65535) {
		cmd_misused(c, "\"%s\" is not host:port", tool_text(c, arg));
		return false;
	}
	if (!tool_domain(c, str_dup(c->arena, str_upto(arg, (size_t)colon)).p, &d))
		return false;
	*r_host = d.ascii;
	*r_port = (uint16_t)port;
	return true;
}

static int
run(struct cmd_run *c)
{
	cleanup_(tool_close) struct tool t = { 0 };
	cleanup_(dane_conn_done) struct dane_conn conn = { .fd = -1 };
	cleanup_(dane_tls_free) SSL_CTX *tls = NULL;
	struct dane_dial_args args = { .connect = connect_one };
	struct errmsg e = { 0 };
	struct str record;
	int rv;

	if (!parse_target(c, &args.host, &args.port))
		return CMD_USAGE;
	if (dane_parse_usages(str_of(cmd_value(c, "usages")), &args.usages) < 0)
		return cmd_misused(c, "\"%s\" is no list of usages", tool_text(c, str_of(cmd_value(c, "usages"))));
	if (!tool_open(c, &t) || !(tls = dane_tls_new(c)))
		return CMD_FAILED;
	args.tls = tls;
	args.roots = SSL_CTX_get_cert_store(tls);
	rv = dane_dial(t.dns, c->arena, &t.ctx, &args, &conn, &e);
	if (rv < 0)
		return cmd_fail(c, "%s", e.text[0] ? tool_text(c, str_of(e.text)) : err_text(rv));
	record = dane_text(c->arena, &conn.handshake.dane.record);
	fprintf(stderr, "connected to " STRF ", verified by %s record " STRF "\n",
	    STRA(ipport_str(c->arena, &conn.remote)), dane_usage_text(conn.handshake.dane.record.usage), STRA(record));

	struct pump p = { .ssl = conn.ssl, .fd = conn.fd, .in_open = true };

	return pump(&p) ? CMD_OK : cmd_fail(c, "the connection broke");
}

const struct cmd cmd_dane_dial = {
	.words = "dane dial",
	.params = "host:port",
	.min_args = 1,
	.max_args = 1,
	.flags = {
	    { "usages", "list", "pkix-ta,pkix-ee,dane-ta,dane-ee", "usages of TLSA records to take, or their numbers" },
	    TOOL_TLSCERTS,
	},
	.help = "Connect to a TLS server that is verified by DANE.\n"
		"\n"
		"The TLSA records at _PORT._tcp.HOST are looked up, which must be protected by DNSSEC,\n"
		"and the server must show a certificate that one of them verifies. Which one did is\n"
		"told on standard error. Then standard input goes to the server, and what it sends to\n"
		"standard output, until the server ends the connection.\n"
		"\n"
		"Records of the usages pkix-ta and pkix-ee also need a certificate of an authority\n"
		"that is trusted. TLS must begin at once on the port: for STARTTLS of mail servers\n"
		"there is \"mox dane dialmx\". The exit status is 1 if no verified connection comes about.\n"
		"\n"
		"Example:\n"
		"\tmox dane dial imap.example.org:993\n",
	.run = run,
};
