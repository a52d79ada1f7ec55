/* SPDX-License-Identifier: MIT */
/*
 * Bytes in and out of a non-blocking socket.
 *
 * Writing and reading go on together: with pipelining a server that does not read before its replies were taken would
 * otherwise wait for us while we wait for it. A deadline is renewed by every write that makes progress and by every
 * line, not by single bytes of a line.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/fd.h"
#include "smtpclient/smtpclient_internal.h"

#define READ_SIZE 4096
#define TRANSCRIPT_MAX 4096

/* broken: the dialogue ends here. */
static int
broken(struct smtpclient *c, struct errmsg *e, int cause, const char *what, const char *more)
{
	c->botched = true;
	return err_set(e, cause, "%s%s%s", what, *more ? ": " : "", more);
}

/* What an attempt to read or write came to, beside a number of bytes. */
enum { WANT_READ = -1, WANT_WRITE = -2, FAILED = -3 };

static int
tls_outcome(struct smtpclient *c, int rv)
{
	switch (SSL_get_error(c->ssl, rv)) {
	case SSL_ERROR_WANT_READ: return WANT_READ;
	case SSL_ERROR_WANT_WRITE: return WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN: return 0;
	default: return FAILED;
	}
}

static int
raw_read(struct smtpclient *c, char *p, size_t n)
{
	if (c->ssl) {
		ERR_clear_error();
		errno = 0;
		int rv = SSL_read(c->ssl, p, (int)n);
		return rv > 0 ? rv : tls_outcome(c, rv);
	}
	ssize_t rv = recv(c->fd, p, n, 0);
	return rv >= 0 ? (int)rv : errno == EAGAIN || errno == EINTR ? WANT_READ : FAILED;
}

static int
raw_write(struct smtpclient *c, struct str s)
{
	size_t n = MIN(s.n, (size_t)16384);

	if (c->ssl) {
		ERR_clear_error();
		errno = 0;
		int rv = SSL_write(c->ssl, s.p, (int)n);
		return rv > 0 ? rv : tls_outcome(c, rv);
	}
	ssize_t rv = send(c->fd, s.p, n, MSG_NOSIGNAL);
	return rv >= 0 ? (int)rv : errno == EAGAIN || errno == EINTR ? WANT_WRITE : FAILED;
}

static int
failed(struct smtpclient *c, struct errmsg *e, const char *doing)
{
	struct arena tmp = { 0 };
	int err = errno;

	/* TLS 1.3: what the server thinks of the handshake arrives only now. */
	if (c->ssl && c->check_first_read && c->alert_in >= 0) {
		c->facts.established = false;
		smtpclient_tls_alert(&c->a, &c->facts.handshake, true, c->alert_in);
	}
	if (c->ssl && (ERR_peek_error() != 0 || err == 0))
		broken(c, e, SMTPCLIENT_IO, doing, tls_error(&tmp).p);
	else
		broken(c, e, SMTPCLIENT_IO, doing, err_strerror(err));
	arena_done(&tmp);
	return SMTPCLIENT_IO;
}

/* wait_for polls for what the last attempts wanted. */
static int
wait_for(struct smtpclient *c, const struct ctx *op, short events, struct errmsg *e)
{
	int rv = ctx_poll(op, c->fd, events);

	if (rv == 1)
		return 0;
	return broken(c, e, SMTPCLIENT_IO, "waiting for the server", err_text(rv));
}

static bool
has_line(const struct smtpclient *c)
{
	return memchr(c->in.p + c->in_off, '\n', c->in.n - c->in_off) != NULL;
}

/* read_some: 1 progress, 0 would block (*events tells for what), negative failed or the end. */
static int
read_some(struct smtpclient *c, short *events, struct errmsg *e)
{
	if (c->eof)
		return broken(c, e, SMTPCLIENT_IO, "connection closed by the server", "");
	if (c->in_off > 0) {
		buf_drop(&c->in, c->in_off);
		c->in_off = 0;
	}
	if (!buf_reserve(&c->in, READ_SIZE)) {
		c->in.failed = false;
		return broken(c, e, SMTPCLIENT_PROTOCOL, "server sends more than it was asked for", "");
	}
	int n = raw_read(c, buf_tail(&c->in), READ_SIZE);
	if (n > 0) {
		buf_wrote(&c->in, (size_t)n);
		c->check_first_read = false;
		return 1;
	}
	if (n == WANT_READ || n == WANT_WRITE) {
		*events |= n == WANT_READ ? POLLIN : POLLOUT;
		return 0;
	}
	if (n == FAILED && errno != ECONNRESET)
		return failed(c, e, "reading");
	if (n == FAILED && c->alert_in >= 0)
		return failed(c, e, "reading");
	c->eof = true;
	return 1;
}

/* write_some likewise. */
static int
write_some(struct smtpclient *c, short *events, struct errmsg *e)
{
	if (c->out.n == 0)
		return 0;
	int n = raw_write(c, buf_str(&c->out));
	if (n > 0) {
		buf_drop(&c->out, (size_t)n);
		return 1;
	}
	if (n == WANT_READ || n == WANT_WRITE) {
		*events |= n == WANT_READ ? POLLIN : POLLOUT;
		return 0;
	}
	/* A server that refuses and closes has perhaps said why: that counts more than that we cannot go on writing. */
	buf_reset(&c->out);
	if (has_line(c) || !c->eof)
		return 1;
	return failed(c, e, "writing");
}

bool
smtpclient_unread(struct smtpclient *c)
{
	return c->in.n > c->in_off;
}

int
smtpclient_line(struct smtpclient *c, int64_t timeout_us, struct str *r_line, struct errmsg *e)
{
	struct ctx op = ctx_within(&c->ctx, timeout_us);

	for (;;) {
		short events = 0;

		if (c->in.n > c->in_off) {
			struct str rest = str_from(buf_str(&c->in), c->in_off);
			ssize_t lf = str_find(rest, '\n');
			if (lf < 0 ? rest.n > LIMIT_SMTP_LINE : (size_t)lf >= LIMIT_SMTP_LINE)
				return broken(c, e, SMTPCLIENT_PROTOCOL, "reply line is too long", "");
			if (lf >= 0) {
				c->in_off += (size_t)lf + 1;
				*r_line = str_upto(rest, (size_t)lf);
				if (str_ends(*r_line, S("\r")))
					r_line->n--;
				return 0;
			}
		}
		int w = write_some(c, &events, e);
		if (w < 0)
			return w;
		int r = read_some(c, &events, e);
		if (r < 0)
			return r;
		if (w > 0)
			op = ctx_within(&c->ctx, timeout_us);
		if (w == 0 && r == 0)
			TRY(wait_for(c, &op, events, e));
	}
}

int
smtpclient_flush(struct smtpclient *c, struct errmsg *e)
{
	struct ctx op = ctx_within(&c->ctx, c->o.timeout_us);

	while (c->out.n > 0) {
		short events = 0;
		int w = write_some(c, &events, e);

		if (w < 0)
			return w;
		if (w > 0) {
			op = ctx_within(&c->ctx, c->o.timeout_us);
			continue;
		}
		/* Replies that come meanwhile are taken, as long as it is not too much. */
		if (c->in.n - c->in_off < LIMIT_SMTP_PEER_REPLY) {
			int r = c->eof ? broken(c, e, SMTPCLIENT_IO, "connection closed by the server", "") :
					 read_some(c, &events, e);
			if (r < 0)
				return r;
			if (r > 0)
				continue;
		}
		TRY(wait_for(c, &op, events, e));
	}
	return 0;
}

void
smtpclient_note(struct smtpclient *c, const char *who, struct str line)
{
	log_trace(LOG_TRACE, c->o.log, who, line);
	buf_addz(&c->transcript, who);
	buf_add(&c->transcript, line);
	buf_addc(&c->transcript, '\n');
	while (c->transcript.n > TRANSCRIPT_MAX) {
		ssize_t lf = str_find(buf_str(&c->transcript), '\n');
		buf_drop(&c->transcript, (size_t)lf + 1);
	}
}

void
smtpclient_say(struct smtpclient *c, struct str line, const char *shown)
{
	smtpclient_note(c, "C: ", shown ? str_of(shown) : line);
	buf_add(&c->out, line);
	buf_add(&c->out, S("\r\n"));
	c->sent_us = time_mono_us();
}

/* handshake_failed keeps what OpenSSL says. Returns why, for TLS reports: ERR_CLOSED, ERR_INVALID (not TLS), ERR_IO. */
static int
handshake_failed(struct smtpclient *c, int how, struct errmsg *e)
{
	int err = errno, reason = ERR_GET_REASON(ERR_peek_error()), why = ERR_IO;
	struct arena tmp = { 0 };

	if (how == SSL_ERROR_ZERO_RETURN || ERR_peek_error() == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		why = ERR_CLOSED;
	else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG)
		why = ERR_INVALID;
	if (why != ERR_CLOSED)
		broken(c, e, SMTPCLIENT_TLS, "tls handshake", tls_error(&tmp).p);
	else
		broken(c, e, SMTPCLIENT_TLS, "tls handshake", err ? err_strerror(err) : "connection closed");
	arena_done(&tmp);
	return why;
}

int
smtpclient_handshake(struct smtpclient *c, int64_t timeout_us, struct errmsg *e)
{
	struct ctx op = timeout_us > 0 ? ctx_within(&c->ctx, timeout_us) : c->ctx;

	for (;;) {
		ERR_clear_error();
		errno = 0;
		int rv = SSL_do_handshake(c->ssl);
		if (rv == 1)
			return 0;
		int how = SSL_get_error(c->ssl, rv);
		if (how != SSL_ERROR_WANT_READ && how != SSL_ERROR_WANT_WRITE)
			return handshake_failed(c, how, e);
		rv = ctx_poll(&op, c->fd, how == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
		if (rv != 1) {
			broken(c, e, SMTPCLIENT_TLS, "tls handshake", err_text(rv));
			return rv;
		}
	}
}

bool
smtpclient_alive(struct smtpclient *c)
{
	short events = 0;

	if (c->botched || c->eof || smtpclient_unread(c))
		return false;
	/* A reply that nobody asked for is a 421: the server goes. Reading also takes TLS session tickets. */
	return read_some(c, &events, NULL) == 0;
}

int
smtpclient_pass(struct smtpclient *c, int in_fd, int out_fd)
{
	bool in_open = true;
	char data[READ_SIZE];

	for (;;) {
		short events = 0;
		struct pollfd p[2] = { { .fd = c->fd },
			{ .fd = in_open && c->out.n == 0 ? in_fd : -1, .events = POLLIN } };

		if (smtpclient_unread(c)) {
			if (fd_write_all(out_fd, str_from(buf_str(&c->in), c->in_off)) < 0)
				return SMTPCLIENT_IO;
			c->in_off = c->in.n;
		}
		if (c->eof)
			return 0;
		int w = write_some(c, &events, NULL);
		if (w < 0)
			return w;
		int r = read_some(c, &events, NULL);
		if (r < 0)
			return r;
		if (w > 0 || r > 0)
			continue;
		p[0].events = events;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return SMTPCLIENT_IO;
		if (p[1].revents) {
			ssize_t n = read(in_fd, data, sizeof(data));
			if (n <= 0)
				in_open = false;
			else
				buf_add(&c->out, str_n(data, (size_t)n));
		}
	}
}
