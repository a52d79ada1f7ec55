/* SPDX-License-Identifier: MIT */
/*
 * The socket and TLS streams. TLS reads and writes through the stream below by a BIO of ours, so that it can stand on
 * anything, and so that we learn whether the socket was drained: with auto-retry off SSL_read returns after every record
 * without data, and a flood of them is bounded and counted here.
 */
#include "conn/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "conn/conn_internal.h"

/* --- socket --- */

static ssize_t
socket_read(struct conn_stream *s, void *p, size_t n)
{
	struct conn_socket *k = container_of(s, struct conn_socket, s);
	ssize_t r;

	do
		r = recv(k->fd, p, n, 0);
	while (r < 0 && errno == EINTR);
	k->drained = r < 0;
	k->eof = r == 0 && n > 0;
	if (r < 0)
		return errno == EAGAIN ? CONN_WANT_READ : ERR_IO;
	k->owes_ack = true;
	return r;
}

static ssize_t
socket_write(struct conn_stream *s, const void *p, size_t n)
{
	struct conn_socket *k = container_of(s, struct conn_socket, s);
	ssize_t r;

	do
		r = send(k->fd, p, n, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EAGAIN ? CONN_WANT_WRITE : ERR_IO;
	k->owes_ack = false;
	return r;
}

static bool
socket_pending(struct conn_stream *s unused_)
{
	return false;
}

static void
socket_free(struct conn_stream *s)
{
	struct conn_socket *k = container_of(s, struct conn_socket, s);

	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

const struct conn_stream_ops conn_socket_ops = {
	.name = "socket",
	.read = socket_read,
	.write = socket_write,
	.pending = socket_pending,
	.free = socket_free,
};

void
conn_ack(struct conn *c)
{
	int one = 1;

	if (!c->sock.owes_ack)
		return;
	c->sock.owes_ack = false;
	ignore_result(setsockopt(c->sock.fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one)) < 0);
}

/* --- the BIO between OpenSSL and the stream below --- */

static int
bio_write(BIO *b, const char *p, int n)
{
	struct conn_stream *below = BIO_get_data(b);
	ssize_t r = below->ops->write(below, p, (size_t)n);

	BIO_clear_retry_flags(b);
	if (r > 0)
		return (int)r;
	if (r == CONN_WANT_WRITE)
		BIO_set_retry_write(b);
	return -1;
}

static int
bio_read(BIO *b, char *p, int n)
{
	struct conn_stream *below = BIO_get_data(b);
	ssize_t r = below->ops->read(below, p, (size_t)n);

	BIO_clear_retry_flags(b);
	if (r >= 0)
		return (int)r;
	if (r == CONN_WANT_READ || r == CONN_WANT_AGAIN)
		BIO_set_retry_read(b);
	return -1;
}

static long
bio_ctrl(BIO *b, int cmd, long num unused_, void *ptr unused_)
{
	struct conn_stream *below = BIO_get_data(b);

	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		/* Below TLS is the socket, or a stream that reports its end as data does not: then the end is an error. */
		return below->ops == &conn_socket_ops && container_of(below, struct conn_socket, s)->eof;
	}
	return 0;
}

static BIO_METHOD *bio_method;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

static void
bio_make_method(void)
{
	bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mox stream");
	bug_if(bio_method == NULL);
	BIO_meth_set_write(bio_method, bio_write);
	BIO_meth_set_read(bio_method, bio_read);
	BIO_meth_set_ctrl(bio_method, bio_ctrl);
}

/* --- TLS --- */

struct tls_stream {
	struct conn_stream s;
	SSL *ssl;
	struct conn_socket *sock;
	unsigned empty;                 /* records without data in a row */
};

/* Maps OpenSSL's reason to ours; r is what the call returned. */
static int
tls_result(struct tls_stream *t, int r)
{
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return CONN_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return CONN_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	}
	return ERR_IO;
}

static ssize_t
tls_read(struct conn_stream *s, void *p, size_t n)
{
	struct tls_stream *t = container_of(s, struct tls_stream, s);
	size_t got;
	int r;

	ERR_clear_error();
	t->sock->drained = false;
	r = SSL_read_ex(t->ssl, p, n, &got);
	if (r == 1) {
		t->empty = 0;
		return (ssize_t)got;
	}
	r = tls_result(t, r);
	if (r == CONN_WANT_READ && !t->sock->drained)
		return ++t->empty > CONN_TLS_EMPTY_MAX ? ERR_IO : CONN_WANT_AGAIN;
	return r;
}

static ssize_t
tls_write(struct conn_stream *s, const void *p, size_t n)
{
	struct tls_stream *t = container_of(s, struct tls_stream, s);
	size_t put;
	int r;

	ERR_clear_error();
	t->sock->drained = false;
	r = SSL_write_ex(t->ssl, p, n, &put);
	if (r == 1)
		return (ssize_t)put;
	r = tls_result(t, r);
	if (r == CONN_WANT_READ && !t->sock->drained)
		return ++t->empty > CONN_TLS_EMPTY_MAX ? ERR_IO : CONN_WANT_AGAIN;
	return r == 0 ? ERR_IO : r;
}

/* Bytes of a record that is still incomplete do not count: they are no reason to call again. */
static bool
tls_pending(struct conn_stream *s)
{
	struct tls_stream *t = container_of(s, struct tls_stream, s);

	return SSL_pending(t->ssl) > 0 || s->below->ops->pending(s->below);
}

static void
tls_finish(struct conn_stream *s)
{
	struct tls_stream *t = container_of(s, struct tls_stream, s);

	ERR_clear_error();
	if (SSL_is_init_finished(t->ssl))
		ignore_result(SSL_shutdown(t->ssl));
}

static void
tls_stream_free(struct conn_stream *s)
{
	struct tls_stream *t = container_of(s, struct tls_stream, s);

	SSL_free(t->ssl);
	free(t);
}

static const struct conn_stream_ops tls_stream_ops = {
	.name = "tls",
	.read = tls_read,
	.write = tls_write,
	.pending = tls_pending,
	.finish = tls_finish,
	.free = tls_stream_free,
};

void
conn_start_tls(struct conn *c)
{
	struct tls_stream *t = mem_alloc(sizeof(*t));
	BIO *b;

	pthread_once(&bio_once, bio_make_method);
	*t = (struct tls_stream){ .s = { &tls_stream_ops, c->top }, .sock = &c->sock };
	t->ssl = tls_ctx_session(c->tls_ctx, -1, true);
	b = BIO_new(bio_method);
	bug_if(b == NULL);
	BIO_set_data(b, c->top);
	BIO_set_init(b, 1);
	SSL_set_bio(t->ssl, b, b);
	c->ssl = t->ssl;
	c->top = &t->s;
	c->state = CONN_S_HANDSHAKE;
	c->want_in = POLLIN;
}

void
conn_handshake_failed(struct conn *c, const char *why)
{
	log_debug(&c->log, "tls handshake failed", log_err(why));
	if (c->proto->tls_failed)
		c->proto->tls_failed(c, why);
	c->failed = true;
}

int
conn_handshake(struct conn *c)
{
	struct tls_stream *t = container_of(c->top, struct tls_stream, s);
	struct arena a = { 0 };
	struct str why;
	int r;

	/* A peer can split its handshake into any number of records and messages; each call takes at most what the socket
	 * holds. */
	for (;;) {
		ERR_clear_error();
		c->sock.drained = false;
		r = SSL_do_handshake(t->ssl);
		if (r == 1)
			break;
		r = tls_result(t, r);
		if (r == CONN_WANT_READ && !c->sock.drained && ++t->empty <= CONN_TLS_EMPTY_MAX)
			continue;
		if (r == CONN_WANT_READ || r == CONN_WANT_WRITE) {
			c->want_in = r == CONN_WANT_READ ? POLLIN : POLLOUT;
			return 0;
		}
		why = tls_error(&a);
		conn_handshake_failed(c, r == 0 ? "connection closed" : why.p);
		arena_done(&a);
		return ERR_IO;
	}
	t->empty = 0;
	c->state = CONN_S_OPEN;
	c->want_in = POLLIN;
	if (c->started)
		c->due |= CONN_DUE_TLS;
	c->tls = ARENA_NEW(&c->session, struct tls_info);
	tls_describe(&c->session, c->ssl, c->tls);
	return 1;
}
