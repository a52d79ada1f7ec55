/* SPDX-License-Identifier: MIT */
/*
 * message/imap.h - what IMAP FETCH shows of a message: ENVELOPE, BODY, BODYSTRUCTURE, sections, BINARY.
 *
 * ENVELOPE and BODYSTRUCTURE are written in IMAP syntax from the parse result alone. Strings stand as in the header, encoded words not
 * decoded, as other servers do. utf8 is true in sessions with IMAP4rev2 or UTF8=ACCEPT: non-ASCII characters are then sent as they are; otherwise they are
 * sent as encoded words, and parameters in the form of RFC 2231, since old clients break on raw UTF-8.
 *
 * RFC 9051 6.4.5.1, 7.5.2; 3501; 3516 (BINARY).
 */
#ifndef MESSAGE_IMAP_H
#define MESSAGE_IMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "message/body.h"
#include "message/message.h"

/* message_imap_envelope writes "(date subject from ...)". Sender and Reply-To default to From. */
void message_imap_envelope(struct buf *b, const struct message_envelope *env, bool utf8);
/* message_imap_bodystructure writes BODYSTRUCTURE, or BODY if not extended. */
void message_imap_bodystructure(struct buf *b, const struct message *m, bool extended, bool utf8);
/* message_imap_nstring writes NIL (s.p == NULL), a quoted string, or a literal, as the bytes need. */
void message_imap_nstring(struct buf *b, struct str s, bool utf8);

enum message_section_kind {
	MESSAGE_SECTION_ALL,            /* BODY[], BODY[1.2] */
	MESSAGE_SECTION_HEADER,
	MESSAGE_SECTION_HEADER_FIELDS,
	MESSAGE_SECTION_HEADER_FIELDS_NOT,
	MESSAGE_SECTION_TEXT,
	MESSAGE_SECTION_MIME,
};
struct message_section {
	const uint32_t *path;           /* part numbers, from 1 */
	size_t npath;
	enum message_section_kind kind;
	const struct str *names;        /* of HEADER.FIELDS and .NOT */
	size_t nnames;
};

/* Bytes of a section: [off, end) of src. Partial fetches narrow the range. Send them with message_reader_range. */
struct message_bytes {
	struct message_source src;
	int64_t off, end;
};

/*
 * message_section finds the bytes. ERR_NOTFOUND if there is no such part, or HEADER or TEXT are asked of a part that is no message. What
 * is not a range of the message (some fields of a header, MIME) is made in the arena.
 */
int message_section(struct arena *a, const struct message *m, const struct message_source *src, const struct message_section *s,
	struct message_bytes *r_bytes) must_use_;
/* message_section_part finds the part of a path; NULL if there is none. An empty path is part 0. */
const struct message_part *message_section_part(const struct message *m, const uint32_t *path, size_t npath);

/*
 * BINARY[path]: the decoded body; for the empty path the whole message, header without Content-Transfer-Encoding and body decoded. ERR_NOTFOUND:
 * no such part, or one that is multipart or a message (only leaves can be decoded); ERR_UNSUPPORTED: unknown transfer encoding (UNKNOWN-CTE).
 * *r_size is what the reader will give in all, which is BINARY.SIZE.
 */
int message_binary_size(struct arena *a, const struct message *m, const struct message_source *src, const uint32_t *path, size_t npath,
	int64_t *r_size) must_use_;
int message_binary_open(struct arena *a, const struct message *m, const struct message_source *src, const uint32_t *path, size_t npath,
	int64_t *r_size, struct message_reader **r_r) must_use_;

#endif
