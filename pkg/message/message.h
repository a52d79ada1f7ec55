/* SPDX-License-Identifier: MIT */
/*
 * message - internet messages: header fields and MIME, read leniently, written strictly.
 *
 * A message is parsed once, at delivery, in one pass, into a compact array of parts: byte offsets, sizes, types, and the envelope. That
 * result is serialised into a small blob that the store keeps; IMAP and webmail work from it and read the message file only
 * where they show its content. No body is ever copied by parsing.
 *
 * Parsing does not fail on bad mail. What cannot be understood becomes an opaque part (APPLICATION/OCTET-STREAM), and what was wrong is noted in
 * `flaws` and, for the first fault, in words. Strict callers (submission, localserve) look at that. Reading errors do fail.
 *
 * Headers of this package, one room each:
 *   message/message.h   source of bytes, parts, parsing, serialised form
 *   message/header.h    fields, addresses, dates, encoded words, parameters, Message-IDs, threading, From
 *   message/body.h      reading and decoding bodies, charsets, text of HTML, preview, search text, file names
 *   message/imap.h      ENVELOPE, BODYSTRUCTURE, sections, BINARY
 *   message/compose.h   writing headers and bodies
 *   message/authres.h   Authentication-Results
 *   message/maildir.h   what the names in a maildir say
 *
 * RFC 5322, 2045, 2046, 2047, 2049, 2183, 2231, 6532, 6854; 9051 7.5.2 for what IMAP needs of the structure.
 */
#ifndef MESSAGE_MESSAGE_H
#define MESSAGE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Source: where the bytes of a message are. The store keeps a prefix (Received and the like) in the database and the rest, as it
 * was received, in a file; all offsets of this package count over both together. A source owns nothing; copy it freely.
 */
struct message_source {
	struct str prefix;      /* first bytes, in memory; the whole message for message_source_mem */
	int fd;                 /* the rest, read with pread; -1 if there is none */
	int64_t fd_size;        /* bytes of fd that belong to the message, from its offset 0 */
};

struct message_source message_source_mem(struct str s);
struct message_source message_source_file(struct str prefix, int fd, int64_t fd_size);
int64_t message_source_size(const struct message_source *src);
/* message_source_pread reads exactly n bytes; ERR_INVALID outside the source, ERR_CORRUPT if the file is shorter than it was said to be. */
int message_source_pread(const struct message_source *src, int64_t off, void *p, size_t n) must_use_;
/* message_source_bytes gives a range as one view: without copying if it lies in memory, else read into the arena. */
int message_source_bytes(struct arena *a, const struct message_source *src, int64_t off, int64_t n, struct str *r_s) must_use_;

/* What was wrong with a part. Bits of message_part.flaws. */
enum message_flaw {
	MESSAGE_FLAW_HEADER_LINE = 1 << 0,      /* a header line without colon, or starting with white space as the first line */
	MESSAGE_FLAW_HEADER_END = 1 << 1,       /* header ended by a boundary or the end of input in the middle of a line */
	MESSAGE_FLAW_HEADER_SIZE = 1 << 2,      /* header longer than LIMIT_HEADER_SIZE; the rest counts as body */
	MESSAGE_FLAW_CONTENT_TYPE = 1 << 3,     /* syntax of Content-Type; type, or all parameters, replaced by what could be saved */
	MESSAGE_FLAW_NO_BOUNDARY = 1 << 4,      /* multipart without usable boundary parameter: opaque */
	MESSAGE_FLAW_NO_PARTS = 1 << 5,         /* multipart in which no boundary was found: opaque */
	MESSAGE_FLAW_NOT_CLOSED = 1 << 6,       /* multipart without closing boundary */
	MESSAGE_FLAW_ENCODING = 1 << 7,         /* unknown Content-Transfer-Encoding: body taken as it is */
	MESSAGE_FLAW_DECODE = 1 << 8,           /* body not correct by its transfer encoding */
	MESSAGE_FLAW_BARE_CR = 1 << 9,          /* only looked for with MESSAGE_STRICT */
	MESSAGE_FLAW_BARE_LF = 1 << 10,
	MESSAGE_FLAW_LONG_LINE = 1 << 11,       /* over LIMIT_LINE_LENIENT (LIMIT_LINE_STRICT with MESSAGE_STRICT) */
	MESSAGE_FLAW_DEPTH = 1 << 12,           /* nested deeper than LIMIT_MIME_DEPTH: not entered, opaque */
	MESSAGE_FLAW_PARTS = 1 << 13,           /* more than LIMIT_MIME_PARTS: further ones are left out */
	MESSAGE_FLAW_EMBEDDED = 1 << 14,        /* encoded embedded message too large or too deep to be decoded: opaque */
	MESSAGE_FLAW_DISPOSITION = 1 << 15,     /* syntax of Content-Disposition */
	MESSAGE_FLAW_ADDRESS = 1 << 16,         /* an address field of the envelope with something that is no address */
	MESSAGE_FLAW_DATE = 1 << 17,            /* Date that cannot be read */
	MESSAGE_FLAW_PARAMS = 1 << 18,          /* more than LIMIT_HEADER_PARAMS, or one given twice */
	MESSAGE_FLAW_NUL = 1 << 19,             /* NUL byte in a header */
	MESSAGE_FLAW_LEFT_OUT = 1 << 20,        /* values, parameters or addresses beyond what a parse result keeps in all (limits.h) */
};

enum message_kind {
	MESSAGE_LEAF,           /* has a body and no children */
	MESSAGE_MULTIPART,      /* children are its parts; at least one */
	MESSAGE_EMBEDDED,       /* message/rfc822 or message/global: exactly one child, the root part of the message inside */
};

enum message_encoding {
	MESSAGE_7BIT,           /* also if there is no Content-Transfer-Encoding */
	MESSAGE_8BIT,
	MESSAGE_BINARY,
	MESSAGE_QP,
	MESSAGE_BASE64,
	MESSAGE_UUENCODE,       /* x-uuencode and its spellings */
	MESSAGE_UNKNOWN,        /* read as it is; IMAP BINARY answers UNKNOWN-CTE */
};

/* A parameter of Content-Type or Content-Disposition. */
struct message_param {
	struct str name;        /* lower-case, without the marks of RFC 2231 */
	struct str value;       /* without quotes; joined and decoded to UTF-8 if it came in RFC 2231 form, else the bytes as sent */
};

/* An element of an address list. Groups are kept, as IMAP shows them: a start, members, an end. */
enum message_addr_kind {
	MESSAGE_ADDR,
	MESSAGE_GROUP_START,    /* name is the group's */
	MESSAGE_GROUP_END,
	MESSAGE_ADDR_BAD,       /* not an address: localpart holds what could be read, domain may be empty */
};
struct message_addr {
	struct str name;        /* display name, unfolded and unquoted, encoded words not decoded (see message_decode_words) */
	struct str route;       /* source route of obsolete syntax, "@a,@b"; mostly empty */
	struct str localpart;   /* decoded: without quoting and comments */
	struct str domain;      /* as sent but for comments and white space; may be a literal "[...]", may hold UTF-8 */
	enum message_addr_kind kind;
};
struct message_addrs {
	struct message_addr *v;
	uint32_t n;
};

/*
 * The envelope of a message, in the sense of IMAP. Strings are the raw field values, unfolded and trimmed, encoded words not
 * decoded; p == NULL if the field is absent. Of repeated fields the first counts; repeated address fields are joined.
 */
struct message_envelope {
	struct str date, subject, in_reply_to, message_id;
	bool has_date;          /* date was understood: */
	int64_t date_us;        /* its time */
	int tz_min;             /* and zone, minutes east of UTC */
	struct message_addrs from, sender, reply_to, to, cc, bcc;
};

#define MESSAGE_NONE UINT32_MAX

/*
 * A part. Part 0 is the message itself. Parts stand in the order of the message, a part before its children (pre-order), so the
 * children of part i are i+1 and then `next` of each.
 *
 * header_off <= body_off <= end_off, in the part's coordinate space. The body excludes the line end in front of a boundary,
 * which belongs to that.
 */
struct message_part {
	enum message_kind kind;
	bool root;                      /* its header is that of a message: part 0, or the child of an EMBEDDED part */
	bool no_type;                   /* no Content-Type field: type and subtype hold the default */
	bool header_8bit;               /* a byte above 0x7f in the header */
	enum message_encoding encoding;
	uint32_t flaws;                 /* enum message_flaw */
	uint32_t parent, next;          /* MESSAGE_NONE: none. next: the following sibling */
	uint32_t nchildren;
	/*
	 * Offsets count in the message source if space is MESSAGE_NONE. A message/global may be transfer-encoded: then its descendants lie in the
	 * decoded body of part `space`. message_part_source hides that.
	 */
	uint32_t space;
	int64_t boundary_off;           /* of the line that starts the part; -1 for root parts */
	int64_t header_off, body_off, end_off;
	int64_t lines;                  /* lines of the raw body; a last one without line end counts */
	int64_t decoded_size;           /* after transfer decoding, for TEXT (but UTF-16 and -32) with CRLF line ends: what MESSAGE_READ_DECODED gives */
	struct str type, subtype;       /* upper-case, for example "TEXT", "PLAIN"; opaque parts APPLICATION, OCTET-STREAM */
	struct message_param *params;   /* of Content-Type, sorted by name */
	uint32_t nparams;
	struct str cte;                 /* Content-Transfer-Encoding upper-case, also unknown ones; NULL if absent */
	struct str id, description, md5, language, location;    /* Content-*: raw, unfolded; NULL if absent */
	struct str disposition;         /* lower-case type of Content-Disposition; NULL if absent or unreadable */
	struct message_param *disposition_params;
	uint32_t ndisposition_params;
	struct message_envelope *envelope;      /* root parts only, else NULL */
};

/* A parsed message: a view, its memory is that of the arena (and blob) it was made in. */
struct message {
	struct message_part *parts;
	uint32_t nparts;                /* at least 1 */
	int64_t size;                   /* of the source */
	uint32_t flaws;                 /* of all parts together */
	/* The first thing that a strict reading refuses; text is empty if there is none. */
	struct {
		uint32_t part;
		int64_t off;
		struct str text;
	} fault;
};

enum {
	MESSAGE_STRICT = 1,             /* look for bare CR and LF and for long lines too, and fail on the first fault */
};

/*
 * message_parse reads the whole message. Errors: ERR_IO and ERR_CORRUPT of the source; with MESSAGE_STRICT also ERR_INVALID or ERR_LIMIT
 * with the fault in e. In the latter case *r_m is complete and usable all the same. Memory: the arena for the result, at most about 1.2 MiB besides,
 * and the decoded size of transfer-encoded embedded messages (bounded).
 */
int message_parse(struct arena *a, const struct message_source *src, unsigned flags, struct message *r_m, struct errmsg *e) must_use_;

/* Finding one's way */

static inline struct message_part *
message_first_child(const struct message *m, const struct message_part *p)
{
	return p->nchildren ? &m->parts[p - m->parts + 1] : NULL;
}
static inline struct message_part *
message_next_part(const struct message *m, const struct message_part *p)
{
	return p->next == MESSAGE_NONE ? NULL : &m->parts[p->next];
}
bool message_part_is(const struct message_part *p, struct str type, struct str subtype);     /* empty subtype: any; any case */
/* message_part_param returns the value of a parameter (name in lower-case) and whether it is there. */
bool message_part_param(const struct message_part *p, struct str name, struct str *r_value);
bool message_disposition_param(const struct message_part *p, struct str name, struct str *r_value);
/* message_part_source gives the source that the offsets of the part count in; decodes an encoded ancestor into the arena if need be. */
int message_part_source(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p,
	struct message_source *r_src) must_use_;
/* message_part_header reads the header of a part with its final empty line. */
int message_part_header(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p,
	struct str *r_header) must_use_;

/* message_is_dsn: multipart/report whose second part is a delivery status (also its SMTPUTF8 form). */
bool message_is_dsn(const struct message *m);
/* message_needs_smtputf8: a byte above 0x7f in a header of the message or its parts, embedded messages not counted (RFC 6532). */
bool message_needs_smtputf8(const struct message *m);

/*
 * Serialised form: what the store keeps per message, typically 200 to 600 bytes. Raise the version with every change to the form
 * or to what parsing finds; the store then parses again where it meets an older one.
 */
#define MESSAGE_PARSE_VERSION 2
void message_serialize(const struct message *m, struct buf *b);
/*
 * message_load gives the tree of a blob: one allocation for all parts, strings are views of the blob, which must stay. ERR_UNSUPPORTED for another version
 * (parse again), ERR_CORRUPT for bytes that message_serialize did not write; no blob makes it read outside.
 */
int message_load(struct arena *a, struct str blob, struct message *r_m) must_use_;

/* message_json writes the tree as JSON, as `mox message parse -json` shows it. */
void message_json(struct buf *b, const struct message *m);

#endif
