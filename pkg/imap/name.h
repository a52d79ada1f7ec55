/* SPDX-License-Identifier: MIT */
/*
 * imap/name.h - mailbox names on the wire (modified UTF-7 or UTF-8) and LIST patterns. The hierarchy separator is "/".
 */
#ifndef IMAP_NAME_H
#define IMAP_NAME_H

#include <stdbool.h>

#include "base/cur.h"
#include "base/str.h"

/*
 * imap_utf7_decode reads modified UTF-7 (rfc/3501:1050) strictly: an unfinished shift, a needless one, printable
 * ASCII in base64, an odd number of octets, a bad surrogate are ERR_INVALID. Bytes above 0x7f pass if they are valid
 * UTF-8, since clients send it. "&-" after a shift back is accepted.
 */
int imap_utf7_decode(struct arena *a, struct str s, struct str *r_utf8) must_use_;
/* imap_utf7_encode writes valid UTF-8 as modified UTF-7; s itself when nothing is to be encoded. */
struct str imap_utf7_encode(struct arena *a, struct str s);

/*
 * imap_mailbox reads a mailbox name: an astring, in modified UTF-7 unless utf8 (the session enabled IMAP4rev2 or
 * UTF8=ACCEPT). The result is UTF-8; whether it is a valid name is the store's question.
 */
struct str imap_mailbox(struct cur *c, bool utf8);
/* imap_list_mailbox reads a pattern: list characters or a string (rfc/9051:6605), decoded alike. */
struct str imap_list_mailbox(struct cur *c, bool utf8);

/*
 * imap_pattern_join interprets a pattern in the context of a reference (rfc/9051:2272): joined with "/", empty
 * elements removed, first element "inbox" in any case made "Inbox". A reference or pattern that starts with "/"
 * matches nothing: the result has p NULL.
 */
struct str imap_pattern_join(struct arena *a, struct str reference, struct str pattern);
/*
 * imap_pattern_match: "*" matches anything, "%" anything but "/". Time is at most proportional to the product of the
 * lengths.
 */
bool imap_pattern_match(struct str pattern, struct str name);

#endif
