/* SPDX-License-Identifier: MIT */
/* gzip.c - zlib over whole buffers. */
#include "base/gzip.h"

#define ZLIB_CONST
#include <zlib.h>

#include "base/macros.h"

#define PIECE 16384          /* room made at a time */
#define GZIP_WBITS (15 + 16) /* largest window, gzip header */

/* zlib counts in unsigned int. */
static void
feed(z_stream *z, struct str *s)
{
	size_t n = MIN(s->n, (size_t)1 << 30);

	if (z->avail_in == 0) {
		z->next_in = (const unsigned char *)s->p;
		z->avail_in = (unsigned)n;
		*s = str_from(*s, n);
	}
}

static size_t
room(z_stream *z, struct buf *out)
{
	size_t n = MIN((size_t)PIECE, out->max - out->n);

	if (n == 0 || !buf_reserve(out, n))
		return 0;
	z->next_out = (unsigned char *)buf_tail(out);
	z->avail_out = (unsigned)n;
	return n;
}

void
gzip_pack(struct buf *out, struct str s)
{
	z_stream z = { 0 };
	int rv;

	bug_if(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK);
	do {
		size_t n = room(&z, out);

		if (n == 0) {
			out->failed = true;
			break;
		}
		feed(&z, &s);
		rv = deflate(&z, s.n == 0 ? Z_FINISH : Z_NO_FLUSH);
		buf_wrote(out, n - z.avail_out);
	} while (rv != Z_STREAM_END);
	deflateEnd(&z);
}

/* One stream: takes it off s. */
static int
inflate_one(struct buf *out, struct str *s, struct errmsg *e)
{
	z_stream z = { 0 };
	int rv = Z_OK;
	bool full = false;
	unsigned char spare;

	bug_if(inflateInit2(&z, GZIP_WBITS) != Z_OK);
	while (rv == Z_OK && !full) {
		size_t n = room(&z, out);

		/* At the limit the end of the stream is still fine, another octet is not. */
		if (n == 0) {
			z.next_out = &spare;
			z.avail_out = 1;
		}
		feed(&z, s);
		rv = inflate(&z, Z_NO_FLUSH);
		if (n > 0)
			buf_wrote(out, n - z.avail_out);
		else if (z.avail_out == 0)
			full = true;
	}
	*s = str_n(s->p - z.avail_in, s->n + z.avail_in);
	inflateEnd(&z);
	if (full)
		return err_set(e, ERR_LIMIT, "more than %zu octets when decompressed", out->max);
	if (rv == Z_STREAM_END)
		return 0;
	return err_set(e, ERR_INVALID, rv == Z_BUF_ERROR ? "compressed data ends early" : "compressed data is damaged");
}

int
gzip_unpack(struct buf *out, struct str s, struct errmsg *e)
{
	do
		TRY(inflate_one(out, &s, e));
	while (str_starts(s, S("\x1f\x8b")));
	return 0;
}
