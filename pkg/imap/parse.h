/* SPDX-License-Identifier: MIT */
/*
 * imap/parse.h - tokens and small productions of RFC 9051 section 9.
 *
 * They read a complete command (see frame.h) over a struct cur made by cur_in: literals stand in it as "{n}" CRLF and
 * n octets. Results are views into the command where possible; copies (quoted strings with escapes) are in the
 * cursor's arena. As everywhere with cursors, after a failure they return empty values and do nothing.
 */
#ifndef IMAP_PARSE_H
#define IMAP_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cur.h"
#include "base/str.h"

extern const struct cur_class imap_atom_chars;          /* ATOM-CHAR: rfc/9051:6336 */
extern const struct cur_class imap_astring_chars;       /* ATOM-CHAR and "]": rfc/9051:6332 */
extern const struct cur_class imap_tag_chars;           /* ASTRING-CHAR without "+": rfc/9051:7085 */
extern const struct cur_class imap_list_chars;          /* ASTRING-CHAR and wildcards: rfc/9051:6607 */

void imap_sp(struct cur *c);                            /* exactly one space */
struct str imap_tag(struct cur *c);
struct str imap_atom(struct cur *c);
struct str imap_astring(struct cur *c);
struct str imap_string(struct cur *c);                  /* quoted or literal */
struct str imap_quoted(struct cur *c);
struct str imap_literal(struct cur *c);                 /* without NUL: rfc/9051:6655 */
/* imap_literal8 also takes a literal8, which may hold NUL; *r_binary tells which. */
struct str imap_literal8(struct cur *c, bool *r_binary);
/* imap_nstring: p is NULL for NIL and non-NULL otherwise (also when empty). */
struct str imap_nstring(struct cur *c);

uint32_t imap_number(struct cur *c);                    /* 0..2^32-1: rfc/9051:6789 */
uint32_t imap_nz_number(struct cur *c);                 /* 1..2^32-1 */
uint64_t imap_number64(struct cur *c);                  /* 0..2^63-1: rfc/9051:6793 */
uint64_t imap_nz_number64(struct cur *c);

/* imap_keyword takes the longest run of letters, digits and ".-_=" as one word: names of items and options. Empty fails. */
struct str imap_keyword(struct cur *c);
/* imap_try_keyword takes word (any case) if the run at the cursor is exactly it. */
bool imap_try_keyword(struct cur *c, struct str word);

/*
 * imap_flag reads one flag: a system flag of rfc/9051:6565 or a keyword (atom). Others after "\", also \Recent, fail.
 * The text is as the client wrote it.
 */
struct str imap_flag(struct cur *c);
void imap_flag_list(struct cur *c, struct strlist *r_flags);    /* "(" [flag *(SP flag)] ")" */

/* imap_date reads a date (rfc/9051:6487), quoted or not, as days since 1970-01-01. */
int32_t imap_date(struct cur *c);
/* imap_date_time reads a date-time (rfc/9051:6502) with its zone. */
int64_t imap_date_time(struct cur *c, int *r_tz_min);

/* The announcement of message data that ends a unit (IMAP_UNIT_MESSAGE): [ "~" ] "{" number64 ["+"] "}". */
void imap_announcement(struct cur *c);

#endif
