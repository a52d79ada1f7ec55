/* SPDX-License-Identifier: MIT */
/*
 * message/compose.h - writing messages: folded headers, encoded words, addresses, text and multipart bodies.
 *
 * A composer appends to a struct buf, whose max is the size limit (check buf.failed once at the end). It writes only CRLF line ends, never a bare control
 * character from its arguments into a header, and lines of at most 78 columns where a fold is possible. With smtputf8 headers
 * carry UTF-8; without, encoded words and A-labels.
 */
#ifndef MESSAGE_COMPOSE_H
#define MESSAGE_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "message/header.h"
#include "smtp/smtp.h"

struct message_composer {
	struct buf *b;
	bool smtputf8;          /* the message may use non-ASCII in headers */
	bool has_8bit;          /* 8BITMIME is needed: set by what is written */
};

/* message_add_header writes "Name: value" for values that are correct as they stand; folded at white space. */
void message_add_header(struct message_composer *c, const char *name, struct str value);
/* message_add_text_header is for unstructured text (Subject): encoded words where needed, folded between words. */
void message_add_text_header(struct message_composer *c, const char *name, struct str text);
/* message_add_addrs writes an address list; nothing if n is 0. */
void message_add_addrs(struct message_composer *c, const char *name, const struct message_mailbox *v, uint32_t n);
/* message_add_param_header writes value *("; " name=value): quoted where needed, RFC 2231 form for non-ASCII, continuations for long ones. */
void message_add_param_header(struct message_composer *c, const char *name, struct str value, const struct message_param *v, uint32_t n);
void message_add_date(struct message_composer *c, int64_t us, int tz_min);
/* message_add_message_id writes Message-ID with the brackets, "<id>". */
void message_add_message_id(struct message_composer *c, struct str id);
void message_end_header(struct message_composer *c);

/* message_new_id makes "random@domain", without brackets. message_new_boundary makes a boundary that occurs nowhere else. */
struct str message_new_id(struct arena *a, const struct idna_domain *domain);
struct str message_new_boundary(struct arena *a);

/* message_add_phrase writes a display name: as it is, quoted, or as encoded words. */
void message_add_phrase(struct buf *b, struct str name, bool utf8);
/* message_format_addr writes one mailbox: name quoted or encoded as needed, <address>. */
void message_format_addr(struct buf *b, struct str name, const struct smtp_address *addr, bool utf8);
/* message_encode_words writes text as encoded words (Q, or B if that is much shorter), UTF-8, each at most 75 columns: rfc/2047:206. */
void message_encode_words(struct buf *b, struct str text);
/* message_header_domain writes a domain for a header: with utf8 U-labels and the A-labels in a comment, else A-labels. */
struct str message_header_domain(struct arena *a, const struct idna_domain *d, bool utf8);

/*
 * message_add_text_part writes Content-Type, Content-Transfer-Encoding, the empty line, and the text (UTF-8; LF or CRLF). Encoding: quoted-printable if a
 * line is longer than 76 bytes or has a bare CR; else 8bit or 7bit.
 */
void message_add_text_part(struct message_composer *c, struct str subtype, struct str text);
/* message_add_base64_part likewise for binary data, with a file name if not empty. */
void message_add_base64_part(struct message_composer *c, struct str content_type, struct str disposition, struct str filename, struct str data);
/* Multipart: begin writes Content-Type with the boundary and the empty line; then for each part message_part_begin and its headers. */
void message_multipart_begin(struct message_composer *c, struct str subtype, const struct message_param *v, uint32_t n, struct str boundary);
void message_multipart_part(struct message_composer *c, struct str boundary);
void message_multipart_end(struct message_composer *c, struct str boundary);

/*
 * message_folder writes a long structured field piece by piece, breaking lines between pieces: "Name: a b" CRLF TAB "c". For headers of our own
 * making (Received, DKIM-Signature, Authentication-Results).
 */
struct message_folder {
	struct buf *b;
	size_t col;             /* columns of the current line */
	bool started;           /* something stands on the line */
};
void message_folder_begin(struct message_folder *f, struct buf *b, const char *name);
void message_folder_add(struct message_folder *f, struct str separator, struct str piece);   /* folds before the piece if it does not fit */
void message_folder_wrap(struct message_folder *f, struct str text, bool anywhere);          /* long text: at white space, or anywhere (base64) */
void message_folder_newline(struct message_folder *f);
void message_folder_end(struct message_folder *f);

#endif
