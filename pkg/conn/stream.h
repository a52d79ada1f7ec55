/* SPDX-License-Identifier: MIT */
/*
 * stream - the layers between a connection and its socket: socket, TLS, and on top whatever transforms bytes (DEFLATE).
 *
 * A stream never blocks. Only the owner of the connection touches it. It keeps a pointer to the stream below and calls that
 * for its own input and output; the lowest is the socket.
 */
#ifndef CONN_STREAM_H
#define CONN_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct conn;
struct conn_stream;

/* What read and write return besides a count, 0 (end of input) and ERR_IO. */
enum conn_stream_want {
	CONN_WANT_READ = -201,          /* when the socket is readable */
	CONN_WANT_WRITE = -202,         /* when the socket is writable */
	CONN_WANT_AGAIN = -203,         /* nothing yet, but calling again makes progress: a record without data was taken */
};

struct conn_stream_ops {
	const char *name;
	/* read returns at least 1 byte, 0 at the end, or negative. */
	ssize_t (*read)(struct conn_stream *s, void *p, size_t n);
	/* write returns how many bytes it took (n > 0: at least 1), or negative. After a WANT it is called with the same
	 * bytes or more behind them. */
	ssize_t (*write)(struct conn_stream *s, const void *p, size_t n);
	/* flush moves what the stream itself holds down: 0 done, or negative as write. NULL when it holds nothing. */
	int (*flush)(struct conn_stream *s);
	/* pending tells that read would return data that the streams hold, though the socket may have none. */
	bool (*pending)(struct conn_stream *s);
	/* finish says goodbye to the peer (close_notify), once, as far as possible without waiting. NULL when there is no
	 * such thing. */
	void (*finish)(struct conn_stream *s);
	void (*free)(struct conn_stream *s);
};

struct conn_stream {
	const struct conn_stream_ops *ops;
	struct conn_stream *below;      /* NULL for the socket. Set when the stream is pushed. */
};

/*
 * conn_push_stream puts a stream on top of the connection's. It takes effect when what has been written so far was sent;
 * input that is buffered by then is discarded, as for STARTTLS. To be called by a handler, at most once per unit. The
 * connection frees it.
 */
void conn_push_stream(struct conn *c, struct conn_stream *s);

#endif
