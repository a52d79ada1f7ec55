/* SPDX-License-Identifier: MIT */
/*
 * Shared between the files of this package.
 */
#ifndef MESSAGE_INTERNAL_H
#define MESSAGE_INTERNAL_H

#include "base/enc.h"
#include "base/str.h"
#include "message/message.h"

/* message_hash is a quick hash for telling strings apart (FNV-1a); collisions only cost time. */
static inline uint32_t
message_hash(struct str s)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619U;
	return h;
}

/* A growing array in an arena: makes room for one more element. */
#define MESSAGE_GROW(a, v, n, cap) do { \
	if ((n) == (cap)) { \
		(cap) = (cap) ? (cap) * 2 : 8; \
		(v) = arena_grow((a), (v), (n), (cap), sizeof((v)[0])); \
	} \
} while (0)

/*
 * A transfer decoder: bytes of a body in pieces of any size in, decoded bytes out. crlf: line ends of the output are made CRLF, as
 * for TEXT parts.
 */
struct message_decoder {
	enum message_encoding encoding;
	bool crlf;
	char last;                      /* last byte given out, when crlf */
	struct enc_b64dec b64;
	struct enc_qpdec qp;
	/* uuencode: a line at a time */
	char line[128];
	size_t nline;
	bool in_data, after_data;
	size_t bad;                     /* faults of the encoding seen */
};
void message_decoder_init(struct message_decoder *d, enum message_encoding encoding, bool crlf);
void message_decoder_add(struct message_decoder *d, struct str in, struct buf *out);
void message_decoder_end(struct message_decoder *d, struct buf *out);

/*
 * A counter gives the size that the decoder would give, without output and faster. It is fed lines: content without line end (in
 * pieces if not `whole`), then the line end once it is known not to belong to a boundary.
 */
struct message_counter {
	enum message_encoding encoding;
	bool crlf;
	bool soft;                      /* quoted-printable: the line's content ended in a soft break */
	bool line_slow;                 /* the slow decoder has taken this line */
	unsigned group;                 /* base64: characters of an unfinished group of four */
	bool padded;
	int64_t size;
	size_t bad;
	struct message_decoder *slow;   /* for what the quick rules do not cover; NULL until then */
	struct buf scratch;
};
void message_counter_init(struct message_counter *c, enum message_encoding encoding, bool crlf);
void message_counter_content(struct message_counter *c, struct str s, bool whole);
void message_counter_eol(struct message_counter *c, struct str eol);
int64_t message_counter_end(struct message_counter *c, size_t *r_bad);  /* also releases memory */

static inline bool
message_is_text(const struct message_part *p)
{
	return str_is(p->type, S("TEXT"));
}

/*
 * message_wants_crlf tells whether a part's decoded bytes have their line ends made CRLF: text, unless its characters are of two or four bytes, which
 * an inserted one would tear apart. (RFC 2781 does not allow these charsets in text, but they are sent.)
 */
bool message_wants_crlf(const struct message_part *p);

/* message_is_flowed: text/plain with format=flowed; only then *r_delsp, the DelSp parameter, is set. */
bool message_is_flowed(const struct message_part *p, bool *r_delsp);

/* What parsing may still keep of a message; strangers must not decide how much memory a result takes. */
struct message_budget {
	size_t strings;                 /* bytes */
	uint32_t params, addrs;
};

/*
 * message_read_part_header fills what the header of a part says: type, encoding, Content-*, and the envelope of a root part. digest:
 * the default type is message/rfc822. What is kept is copied to a; scratch is for the work and may be reset afterwards.
 */
void message_read_part_header(struct arena *a, struct arena *scratch, struct message_budget *budget, struct message_part *p, struct str header,
	bool digest);

/* message_reader_lead makes the reader give these bytes first. */
struct message_reader;
void message_reader_lead(struct message_reader *r, struct str lead);

#endif
