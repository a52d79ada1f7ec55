/* SPDX-License-Identifier: MIT */
/*
 * message/header.h - header fields and what is in them.
 *
 * A header is the bytes of the lines before the body, with or without the empty line; line ends CRLF or LF. All functions are total: they take any
 * bytes. Unless said otherwise results are views of the input where possible, else copies in the arena.
 */
#ifndef MESSAGE_HEADER_H
#define MESSAGE_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "message/message.h"
#include "smtp/smtp.h"

/* Fields */

struct message_field {
	struct str name;        /* as sent, without white space before the colon */
	struct str body;        /* after the colon, still folded, without the last line end */
	struct str raw;         /* the whole field with its continuation lines and last line end */
};
/*
 * message_field_next takes the next field from *rest; false at the empty line or the end. Lines that are no field (without
 * colon, or a continuation of nothing) are skipped; *r_skipped, if not NULL, is set then.
 */
bool message_field_next(struct str *rest, struct message_field *r_f, bool *r_skipped);
/* message_field_find gives the first field of the name (any case); message_field_count how many there are. */
bool message_field_find(struct str header, struct str name, struct message_field *r_f);
size_t message_field_count(struct str header, struct str name);
/*
 * message_unfold returns a field body as one line: white space trimmed at both ends, and each fold with the white space around it one space (senders
 * indent, and fold at tabs that were spaces).
 */
struct str message_unfold(struct arena *a, struct str body);
/* message_field_text is message_unfold with encoded words and 8-bit characters decoded to UTF-8: what to show of Subject and the like. */
struct str message_field_text(struct arena *a, struct str body);
/* message_header_get: the text of the first such field; p == NULL if there is none. */
struct str message_header_get(struct arena *a, struct str header, struct str name);
/* message_field_name writes the canonical spelling: Message-Id, Mime-Version, X-Foo. */
struct str message_field_name(struct arena *a, struct str name);

/* Decoding */

/* message_decode_words decodes RFC 2047 encoded words and raw 8-bit bytes of unstructured text or a phrase into valid UTF-8. */
struct str message_decode_words(struct arena *a, struct str s);
/* message_to_utf8 gives valid UTF-8 for bytes of unknown charset: themselves if valid, else read as windows-1252. */
struct str message_to_utf8(struct arena *a, struct str s);

/* Content-Type and Content-Disposition: value *(";" name "=" value), RFC 2231 forms joined and decoded. */
struct message_params {
	struct str value;               /* "text/plain", "attachment": as sent, without comments */
	struct message_param *v;
	uint32_t n;
	uint32_t flaws;                 /* enum message_flaw: CONTENT_TYPE for bad syntax, PARAMS for too many or double ones */
};
void message_parse_params(struct arena *a, struct str body, struct message_params *r_p);

/* Addresses */

/*
 * message_parse_addrs reads the body of an address field: RFC 5322 with obsolete syntax, groups, comments, and what the world sends
 * instead (missing commas, unquoted dots and specials in names, 8-bit). Never fails; what is no address becomes MESSAGE_ADDR_BAD.
 * At most LIMIT_ADDRESSES elements. Appends to *addrs. True if everything was an address.
 */
bool message_parse_addrs(struct arena *a, struct str body, struct message_addrs *addrs);
/*
 * message_parse_addrs_strict is for what users type and programs submit: any bad element is ERR_INVALID with the reason in e. Gives
 * addresses only, groups flattened. names: the display names, decoded.
 */
struct message_mailbox {
	struct str name;                /* decoded, UTF-8 */
	struct smtp_address address;
};
int message_parse_addrs_strict(struct arena *a, struct str body, struct message_mailbox **r_v, uint32_t *r_n, struct errmsg *e) must_use_;
/* message_addr_address makes an address of a list element; ERR_INVALID for groups, bad ones, literals and invalid domains. */
int message_addr_address(struct arena *a, const struct message_addr *addr, struct smtp_address *r_address) must_use_;

/*
 * message_from gives the author that policies (DMARC, reputation) are about: exactly one From field with exactly one address, else ERR_INVALID
 * with the reason in e. Several From fields are never "first wins": DKIM signs the last. RFC 5322 3.6.2.
 */
int message_from(struct arena *a, struct str header, struct smtp_address *r_from, struct errmsg *e) must_use_;

/* Dates: RFC 5322 with obsolete zones, and the usual mistakes: no or a wrong weekday, 2-digit years, missing seconds or zone, full month
 * names, '-' or '.' as separators, ISO 8601, asctime. */
int message_parse_date(struct str body, int64_t *r_us, int *r_tz_min) must_use_;

/* Message-IDs and threading (RFC 5256, ../spec/threading.md) */

/*
 * message_id_canonical: id without <>, lower-case, localpart with the least quoting. ERR_INVALID if there is none. *r_raw (may be NULL):
 * it is no address. pedantic: nothing may follow the '>'.
 */
int message_id_canonical(struct arena *a, struct str body, bool pedantic, struct str *r_id, bool *r_raw) must_use_;
/* message_references adds the canonical ids of all References fields, in order; only if none, that of In-Reply-To. */
void message_references(struct arena *a, struct str header, struct strlist *r_ids);
/* message_base_subject takes a decoded subject; the base is lower-case. *r_response: it had the marks of a reply or forward. */
struct str message_base_subject(struct arena *a, struct str subject, bool *r_response);

/* message_read_header gives the header at the start of a source, with the empty line; ERR_NOTFOUND if there is no empty line within
 * LIMIT_HEADER_SIZE or at all. */
int message_read_header(struct arena *a, const struct message_source *src, struct str *r_header) must_use_;

#endif
