/* SPDX-License-Identifier: MIT */
/*
 * Reading bodies in chunks.
 */
#include "message/body.h"

#include "base/limits.h"
#include "base/mem.h"
#include "message/header.h"
#include "message/message_internal.h"

#define CHUNK ((size_t)32 * 1024)

struct message_reader {
	struct message_source src;
	int64_t off, end;
	struct str lead;                /* given out first */
	bool decode, decoded_all;
	struct message_decoder dec;
	struct message_charset *charset;
	bool text;                      /* output has to be UTF-8 */
	char *raw;                      /* CHUNK bytes, if the source is not in memory */
	struct buf decoded, out;
};

struct message_reader *
message_reader_range(const struct message_source *src, int64_t off, int64_t end)
{
	struct message_reader *r = mem_alloc(sizeof(*r));

	r->src = *src;
	r->off = off;
	r->end = end;
	r->decoded = r->out = (struct buf)BUF_INIT(SIZE_MAX / 2);
	return r;
}

/* open_charset chooses how text becomes UTF-8. Missing and unknown charsets are guessed, as message_to_utf8 does. */
static void
open_charset(struct message_reader *r, const struct message_part *p)
{
	struct str name = { 0 };

	r->text = true;
	message_part_param(p, S("charset"), &name);
	if (name.n > 0)
		r->charset = message_charset_open(name);
	if (!r->charset)
		r->charset = message_charset_open(S("us-ascii"));
}

int
message_reader_open(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p,
	enum message_read_as as, struct message_reader **r_r)
{
	struct message_source s;

	TRY(message_part_source(a, m, src, p, &s));
	struct message_reader *r = message_reader_range(&s, p->body_off, p->end_off);
	if (as != MESSAGE_READ_RAW) {
		/* Multiparts and messages have no transfer encoding of their own, whatever they say. */
		enum message_encoding enc = p->kind == MESSAGE_MULTIPART ? MESSAGE_BINARY : p->encoding;
		bool crlf = message_wants_crlf(p);
		r->decode = crlf || enc == MESSAGE_QP || enc == MESSAGE_BASE64 || enc == MESSAGE_UUENCODE;
		message_decoder_init(&r->dec, enc, crlf);
	}
	if (as == MESSAGE_READ_TEXT)
		open_charset(r, p);
	*r_r = r;
	return 0;
}

void
message_reader_lead(struct message_reader *r, struct str lead)
{
	r->lead = lead;
}

void
message_reader_close(struct message_reader **rp)
{
	struct message_reader *r = *rp;

	if (!r)
		return;
	message_charset_close(&r->charset);
	buf_done(&r->decoded);
	buf_done(&r->out);
	mem_free(&r->raw);
	mem_free(rp);
}

/* next_raw gives the next bytes of the range: 1, 0 at its end. */
static int
next_raw(struct message_reader *r, struct str *r_s)
{
	size_t n = (size_t)MIN((int64_t)CHUNK, r->end - r->off);

	if (n == 0)
		return 0;
	if (r->off + (int64_t)n <= (int64_t)r->src.prefix.n) {
		*r_s = str_n(r->src.prefix.p + r->off, n);
	} else {
		if (!r->raw)
			r->raw = mem_alloc(CHUNK);
		TRY(message_source_pread(&r->src, r->off, r->raw, n));
		*r_s = str_n(r->raw, n);
	}
	r->off += (int64_t)n;
	return 1;
}

/* next_decoded gives decoded bytes: 1 (they may be empty), 0 at the end. */
static int
next_decoded(struct message_reader *r, struct str *r_s)
{
	struct str raw;
	int rc = next_raw(r, &raw);

	if (!r->decode || rc < 0) {
		if (rc > 0)
			*r_s = raw;
		return rc;
	}
	if (r->decoded_all)
		return 0;
	buf_reset(&r->decoded);
	if (rc > 0) {
		message_decoder_add(&r->dec, raw, &r->decoded);
	} else {
		message_decoder_end(&r->dec, &r->decoded);
		r->decoded_all = true;
	}
	*r_s = buf_str(&r->decoded);
	return 1;
}

int
message_reader_next(struct message_reader *r, struct str *r_chunk)
{
	if (r->lead.n > 0) {
		*r_chunk = r->lead;
		r->lead = (struct str){ 0 };
		return 1;
	}
	for (;;) {
		struct str s;
		int rc = next_decoded(r, &s);
		if (rc < 0)
			return rc;
		if (!r->text) {
			if (rc > 0 && s.n == 0)
				continue;
			if (rc > 0)
				*r_chunk = s;
			return rc;
		}
		if (!r->charset)
			return 0;
		buf_reset(&r->out);
		if (rc > 0) {
			message_charset_add(r->charset, s, &r->out);
		} else {
			message_charset_end(r->charset, &r->out);
			message_charset_close(&r->charset);
		}
		if (r->out.n > 0) {
			*r_chunk = buf_str(&r->out);
			return 1;
		}
		if (rc == 0)
			return 0;
	}
}

int
message_part_text(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p,
	enum message_read_as as, size_t max, struct str *r_text)
{
	cleanup_(message_reader_close) struct message_reader *r = NULL;
	struct buf b = BUF_ARENA(a, max);
	struct str chunk;
	int rc;

	if (as == MESSAGE_READ_RAW || (as == MESSAGE_READ_DECODED && p->encoding <= MESSAGE_BINARY && !message_is_text(p))) {
		struct message_source s;
		if (p->end_off - p->body_off > (int64_t)max)
			return ERR_LIMIT;
		TRY(message_part_source(a, m, src, p, &s));
		return message_source_bytes(a, &s, p->body_off, p->end_off - p->body_off, r_text);
	}
	TRY(message_reader_open(a, m, src, p, as, &r));
	if (p->decoded_size <= (int64_t)max)
		buf_reserve(&b, (size_t)p->decoded_size);
	while ((rc = message_reader_next(r, &chunk)) > 0) {
		buf_add(&b, chunk);
		if (b.failed)
			return ERR_LIMIT;
	}
	TRY(rc);
	*r_text = buf_str(&b);
	return 0;
}
