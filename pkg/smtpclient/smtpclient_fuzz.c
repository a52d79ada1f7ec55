/* SPDX-License-Identifier: MIT */
/*
 * A hostile server: the input is all that it ever says. Two recipients, then a second message on the same connection.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "smtpclient/smtpclient_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_reply(const struct smtpclient_reply *r)
{
	bug_if(r->code != 0 && (r->code < 200 || r->code > 599));
	bug_if(r->more.n > LIMIT_SMTP_PEER_REPLY_LINES);
}

static void
send_one(struct smtpclient *c, struct arena *a, bool utf8)
{
	struct smtpclient_rcpt r[2] = { { .address = S("a@x.example") },
		{ .address = S("b@x.example"), .notify = S("NEVER") } };
	struct smtpclient_message m = {
		.from = S("me@us.example"), .content = message_source_mem(S("S: t\r\n\r\n.\r\n")), .smtputf8 = utf8
	};
	struct smtpclient_error e = { 0 };
	int rv = smtpclient_deliver(c, a, &m, r, 2, &e);

	bug_if(rv < 0 && (e.text.n == 0 || e.cause != rv));
	for (int i = 0; i < 2; i++) {
		check_reply(&r[i].reply);
		bug_if(rv == 0 && r[i].status == SMTPCLIENT_RCPT_UNKNOWN);
		bug_if(r[i].status == SMTPCLIENT_RCPT_DELIVERED && r[i].reply.code != 250);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum sasl_mech mechs[] = { SASL_SCRAM_SHA256, SASL_CRAM_MD5, SASL_PLAIN };
	static const struct smtpclient_auth auth = { S("user"), S("secret"), mechs, ARRAY_LEN(mechs) };
	struct arena a = { 0 };
	struct smtpclient *c = NULL;
	struct smtpclient_error e = { 0 };
	struct ctx ctx = { 0 };
	int fds[2];

	/* What fits into a socket at once; the client's commands are few. */
	if (size < 1 || size > 60000)
		return 0;
	bug_if(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0);
	bug_if(send(fds[0], data + 1, size - 1, MSG_NOSIGNAL) != (ssize_t)size - 1);
	shutdown(fds[0], SHUT_WR);
	struct smtpclient_opts o = {
		.fd = fds[1],
		.ctx = &ctx,
		.ehlo = S("us.example"),
		.mode = SMTPCLIENT_TLS_SKIP,
		.remote_name = S("mx.example"),
		.auth = data[0] & 1 ? &auth : NULL,
		.no_chunking = data[0] & 2,
	};
	int rv = smtpclient_new(&a, &o, &c, NULL, &e);
	bug_if(rv < 0 && (e.text.n == 0 || e.cause != rv));
	if (rv == 0) {
		send_one(c, &a, data[0] & 4);
		send_one(c, &a, false);
		bug_if(smtpclient_transcript(&a, c).n > 8192);
	}
	smtpclient_close(&c);
	close(fds[0]);
	arena_done(&a);
	return 0;
}
