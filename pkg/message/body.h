/* SPDX-License-Identifier: MIT */
/*
 * message/body.h - reading bodies: raw, decoded, as text; charsets; what to show and what to search.
 */
#ifndef MESSAGE_BODY_H
#define MESSAGE_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "message/message.h"

enum message_read_as {
	MESSAGE_READ_RAW,       /* bytes of the body as they are */
	MESSAGE_READ_DECODED,   /* transfer encoding removed; TEXT parts with CRLF line ends. Exactly part->decoded_size bytes */
	MESSAGE_READ_TEXT,      /* DECODED, then charset parameter to UTF-8 (unknown charset: as message_to_utf8); always valid UTF-8 */
};

/*
 * A reader gives a body in chunks. Usage:
 *
 *	struct message_reader *r;
 *	TRY(message_reader_open(a, m, src, part, MESSAGE_READ_DECODED, &r));
 *	while ((rc = message_reader_next(r, &chunk)) > 0)
 *		use(chunk);
 *	message_reader_close(&r);
 *
 * Memory: two buffers of 32 KiB on the heap. The source must stay as it was.
 */
struct message_reader;
int message_reader_open(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p,
	enum message_read_as as, struct message_reader **r_r) must_use_;
/* message_reader_range reads raw bytes [off, end) of a source. */
struct message_reader *message_reader_range(const struct message_source *src, int64_t off, int64_t end);
/* message_reader_next: 1 and a view that is valid until the next call, 0 at the end, negative errors of the source. */
int message_reader_next(struct message_reader *r, struct str *r_chunk) must_use_;
void message_reader_close(struct message_reader **r);     /* fits cleanup_() */

/* message_part_text reads a whole part; ERR_LIMIT if it has more than max bytes. In the arena. */
int message_part_text(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p,
	enum message_read_as as, size_t max, struct str *r_text) must_use_;

/*
 * Charsets. message_charset_open makes a converter to UTF-8 (iconv for what is not built in); NULL for charsets that mail does not use or
 * that we do not know. Invalid input becomes U+FFFD. Output is always valid UTF-8.
 */
struct message_charset;
struct message_charset *message_charset_open(struct str name);
void message_charset_add(struct message_charset *c, struct str in, struct buf *out);
void message_charset_end(struct message_charset *c, struct buf *out);   /* what is held back of an unfinished character */
void message_charset_close(struct message_charset **c);
/* message_charset_decode converts in one go; message_to_utf8 of the bytes for unknown names. */
struct str message_charset_decode(struct arena *a, struct str name, struct str s);

/*
 * message_html_text adds the text of HTML (UTF-8) to out: blocks as lines, quotes as "> ", entities decoded, scripts and styles left out. It stops after
 * max bytes of output. Linear in the input, without a tree, so it is safe on what strangers send. Streaming: feed pieces to
 * a struct message_html.
 */
struct message_html;
struct message_html *message_html_open(struct buf *out, size_t max);
bool message_html_add(struct message_html *h, struct str piece);         /* false: enough output, stop feeding */
void message_html_close(struct message_html **h);                        /* finishes */
void message_html_text(struct str html, struct buf *out, size_t max);
/* message_html_entity gives the code point of a named character reference, without "&" and ";"; 0 for unknown names. */
uint32_t message_html_entity(struct str name);

/* message_flowed_text undoes format=flowed (RFC 3676): paragraphs on one line, quoting kept as "> ", space-stuffing removed. */
void message_flowed_text(struct str text, bool delsp, struct buf *out);

/*
 * message_display_text adds the text of a TEXT part to out as people read it: that of HTML extracted, format=flowed
 * undone, line ends LF. It stops reading when there are max bytes of text; plain text may be longer by one chunk of the
 * reader.
 */
int message_display_text(struct arena *a, const struct message *m, const struct message_source *src,
	const struct message_part *p, size_t max, struct buf *out) must_use_;

/*
 * message_preview makes the short text for message lists (RFC 8970): at most 256 characters, quotes and signatures left out, lines ended
 * by LF. "" if there is nothing to show. Only ERR_IO and ERR_CORRUPT fail.
 */
int message_preview(struct arena *a, const struct message *m, const struct message_source *src, struct str *r_preview) must_use_;

/*
 * message_search_text writes what IMAP SEARCH and the search index look at, folded for comparing (message_search_fold): header fields of the message,
 * of its parts and of embedded messages, decoded, one per line as "name: value", into header; text of TEXT parts, that of HTML extracted, into body. Either may be NULL.
 * Output beyond the buffers' max is dropped. Raise MESSAGE_SEARCH_VERSION when results change: the index is rebuilt then.
 */
#define MESSAGE_SEARCH_VERSION 1
int message_search_text(const struct message *m, const struct message_source *src, struct buf *header, struct buf *body) must_use_;
/* message_search_fold folds a search term, or text, the same way: NFC, lower case per code point, runs of white space to one space. */
struct str message_search_fold(struct arena *a, struct str s);

/*
 * message_filename gives disposition ("attachment", "inline", ...; empty if none) and file name of a part for people: RFC 2231 and encoded words
 * decoded, Content-Type name as the second choice, and names that the format implies (winmail.dat, invite.ics). Only the last path
 * component, without control characters. Empty if there is no name. *r_bad (may be NULL): a name was not correctly encoded.
 */
void message_filename(struct arena *a, const struct message_part *p, struct str *r_disposition, struct str *r_name, bool *r_bad);
/* message_is_attachment: a leaf that mail programs list as attachment (also embedded messages), not as text to show. */
bool message_is_attachment(const struct message *m, const struct message_part *p);

#endif
