/* SPDX-License-Identifier: MIT */
/*
 * imap/write.h - what goes to the peer: strings as quoted or literal, names, dates, sets.
 *
 * `utf8` is true when the client enabled IMAP4rev2 or UTF8=ACCEPT: quoted strings may then hold UTF-8
 * (rfc/9051:6856); otherwise text beyond ASCII is sent as a literal and mailbox names in modified UTF-7. Nothing here
 * can let a CR or LF of a message or name through unquoted.
 */
#ifndef IMAP_WRITE_H
#define IMAP_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "imap/fetch.h"
#include "imap/set.h"

void imap_add_string(struct buf *b, struct str s, bool utf8);   /* quoted if possible, else a literal. NUL, which neither allows, becomes "?" */
void imap_add_nstring(struct buf *b, struct str s, bool utf8);  /* NIL when s.p is NULL */
void imap_add_astring(struct buf *b, struct str s, bool utf8);  /* atom if possible */
void imap_add_mailbox(struct buf *b, struct arena *a, struct str name, bool utf8);
/* imap_add_text: human text of a response: CR, LF, NUL and what is no UTF-8 become "?" (all of 8 bits unless utf8). */
void imap_add_text(struct buf *b, struct str s, bool utf8);

void imap_add_date_time(struct buf *b, int64_t us, int tz_min); /* quoted date-time, rfc/9051:6502 */
void imap_add_range(struct buf *b, uint32_t first, uint32_t last);
void imap_add_ranges(struct buf *b, const struct imap_range *v, size_t n);      /* "1:3,7" */
/* imap_add_section: "[1.2.HEADER.FIELDS (Date From)]" as an answer has it: field names in canonical form. */
void imap_add_section(struct buf *b, struct arena *a, const struct imap_section *s);

#endif
