/* SPDX-License-Identifier: MIT */
/* data.c - what a signature covers: header fields from the bottom up, and the body in one pass for all who need it. */
#include "base/buf.h"
#include "base/limits.h"
#include "dkim/dkim.h"
#include "message/header.h"

#define PIECE (64 * 1024)       /* of the body, per read */

/* All fields of a header. */
static size_t
fields_of(struct arena *a, struct str header, struct message_field **r_v)
{
	struct message_field *v = NULL, f;
	size_t n = 0, cap = 0;

	while (message_field_next(&header, &f, NULL)) {
		if (n == cap) {
			cap = cap ? cap * 2 : 32;
			v = arena_grow(a, v, n, cap, sizeof(*v));
		}
		v[n++] = f;
	}
	*r_v = v;
	return n;
}

int
dkim_signed_data(struct arena *a, struct str header, const struct strlist *names, enum dkim_canon canon, struct str verify_form,
    struct str *r_data)
{
	struct message_field *v;
	size_t n = fields_of(a, header, &v);
	struct buf out = BUF_ARENA(a, 4 * LIMIT_HEADER_SIZE);

	/* Each name takes the last instance not taken yet; one that is not there adds nothing: rfc/6376:2325 */
	for (size_t i = 0; i < names->n; i++)
		for (size_t k = n; k > 0; k--) {
			if (v[k - 1].raw.n == 0 || !str_icase(v[k - 1].name, names->v[i]))
				continue;
			dkim_canon_field(&out, v[k - 1].raw, canon);
			v[k - 1].raw.n = 0;
			break;
		}
	dkim_canon_field(&out, verify_form, canon);
	if (out.failed)
		return ERR_LIMIT;
	*r_data = buf_str(&out);
	return 0;
}

int
dkim_read_header(struct arena *a, const struct message_source *msg, struct str *r_header)
{
	int64_t size = message_source_size(msg);
	struct str all;
	int rv = message_read_header(a, msg, r_header);

	/* A message may consist of a header alone: rfc/5322:344 */
	if (rv != ERR_NOTFOUND || size > LIMIT_HEADER_SIZE)
		return rv;
	TRY(message_source_bytes(a, msg, 0, size, &all));
	if (!str_ends(all, S("\r\n")))
		return ERR_NOTFOUND;
	*r_header = all;
	return 0;
}

int
dkim_hash_body(struct arena *a, const struct ctx *ctx, const struct message_source *msg, int64_t off, const bool want[2],
    uint8_t r_hash[2][32])
{
	int64_t size = message_source_size(msg);
	struct dkim_body body[2] = { { 0 } };
	int rv = 0;

	if (!want[DKIM_SIMPLE] && !want[DKIM_RELAXED])
		return 0;
	ARENA_SCOPE(a);
	char *piece = arena_bytes(a, PIECE);

	for (int c = 0; c < 2; c++)
		if (rv == 0 && want[c])
			rv = dkim_body_init(&body[c], (enum dkim_canon)c);
	while (rv == 0 && off < size) {
		size_t n = (size_t)MIN((int64_t)PIECE, size - off);

		rv = ctx_check(ctx);
		if (rv == 0)
			rv = message_source_pread(msg, off, piece, n);
		for (int c = 0; c < 2; c++)
			if (rv == 0 && want[c])
				dkim_body_add(&body[c], str_n(piece, n));
		off += (int64_t)n;
	}
	for (int c = 0; c < 2; c++) {
		if (rv == 0 && want[c])
			rv = dkim_body_end(&body[c], r_hash[c]);
		dkim_body_done(&body[c]);
	}
	return rv;
}
