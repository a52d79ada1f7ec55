/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a message: a prefix in memory and a file behind it.
 */
#include "message/message.h"


#include "base/fd.h"

struct message_source
message_source_mem(struct str s)
{
	return (struct message_source){ .prefix = s, .fd = -1 };
}

struct message_source
message_source_file(struct str prefix, int fd, int64_t fd_size)
{
	return (struct message_source){ .prefix = prefix, .fd = fd, .fd_size = fd_size };
}

int64_t
message_source_size(const struct message_source *src)
{
	return (int64_t)src->prefix.n + (src->fd >= 0 ? src->fd_size : 0);
}

int
message_source_pread(const struct message_source *src, int64_t off, void *p, size_t n)
{
	int64_t npre = (int64_t)src->prefix.n;
	char *out = p;

	if (off < 0 || (uint64_t)off > (uint64_t)message_source_size(src) || n > (uint64_t)(message_source_size(src) - off))
		return ERR_INVALID;
	if (off < npre) {
		size_t k = MIN(n, (size_t)(npre - off));
		if (k > 0)
			memcpy(out, src->prefix.p + off, k);
		out += k;
		off += (int64_t)k;
		n -= k;
	}
	return n > 0 ? fd_pread_full(src->fd, out, n, (off_t)(off - npre)) : 0;
}

int
message_source_bytes(struct arena *a, const struct message_source *src, int64_t off, int64_t n, struct str *r_s)
{
	int64_t size = message_source_size(src);

	if (off < 0 || n < 0 || off > size || n > size - off)
		return ERR_INVALID;
	if (off + n <= (int64_t)src->prefix.n) {
		*r_s = str_from(str_upto(src->prefix, (size_t)(off + n)), (size_t)off);
		return 0;
	}
	char *p = arena_bytes(a, (size_t)n + 1);
	TRY(message_source_pread(src, off, p, (size_t)n));
	p[n] = '\0';
	*r_s = str_n(p, (size_t)n);
	return 0;
}
