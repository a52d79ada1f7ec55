/* SPDX-License-Identifier: MIT */
/*
 * imap/fetch.h - data items of FETCH (rfc/9051:6557).
 */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cur.h"
#include "base/str.h"

enum imap_fetch {
	IMAP_FETCH_ENVELOPE,
	IMAP_FETCH_FLAGS,
	IMAP_FETCH_INTERNALDATE,
	IMAP_FETCH_RFC822_SIZE,
	IMAP_FETCH_BODYSTRUCTURE,
	IMAP_FETCH_BODY,                /* BODY without section: the structure without extension data */
	IMAP_FETCH_SECTION,             /* BODY[...] */
	IMAP_FETCH_BINARY,              /* RFC 3516 */
	IMAP_FETCH_BINARY_SIZE,
	IMAP_FETCH_UID,
	IMAP_FETCH_RFC822,              /* RFC 3501: BODY[] under another name */
	IMAP_FETCH_RFC822_HEADER,
	IMAP_FETCH_RFC822_TEXT,
	IMAP_FETCH_MODSEQ,              /* RFC 7162 */
	IMAP_FETCH_SAVEDATE,            /* RFC 8514 */
	IMAP_FETCH_PREVIEW,             /* RFC 8970 */
	IMAP_FETCH_EMAILID,             /* RFC 8474 */
	IMAP_FETCH_THREADID,
};

enum imap_section_text {
	IMAP_SECTION_ALL,               /* nothing named: the whole of it */
	IMAP_SECTION_HEADER,
	IMAP_SECTION_FIELDS,
	IMAP_SECTION_FIELDS_NOT,
	IMAP_SECTION_TEXT,
	IMAP_SECTION_MIME,              /* only with a part number */
};

struct imap_section {
	uint32_t *part;                 /* part numbers, from the outermost */
	size_t nparts;
	enum imap_section_text text;
	struct strlist fields;          /* of FIELDS and FIELDS_NOT, as the client wrote them */
};

struct imap_fetch_item {
	enum imap_fetch kind;
	bool peek;                      /* .PEEK: do not set \Seen */
	struct imap_section section;    /* SECTION, BINARY (part numbers only), BINARY_SIZE */
	bool partial;
	uint64_t offset, count;         /* <offset.count> */
};

struct imap_fetch_items {
	struct imap_fetch_item *v;
	size_t n;
};

/*
 * imap_fetch_items reads what follows the sequence set: a macro, an item, or a parenthesised list. Macros are
 * expanded (rfc/9051:4356); they are not allowed inside a list.
 */
void imap_fetch_items(struct cur *c, struct imap_fetch_items *r_items);
/* imap_section reads "[" ... "]" of BODY. */
void imap_section(struct cur *c, struct imap_section *r_section);
/* imap_fetch_sets_seen: fetching it sets \Seen. */
bool imap_fetch_sets_seen(const struct imap_fetch_item *item);

#endif
