/* SPDX-License-Identifier: MIT */
/*
 * utf8.h - UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* utf8_next decodes the code point at the start of s: its length 1..4, and the value; 0 for an empty s, -1 for invalid bytes. */
int utf8_next(struct str s, uint32_t *r_cp) must_use_;
bool utf8_valid(struct str s);
void utf8_add(struct buf *b, uint32_t cp);                /* an invalid code point is written as U+FFFD */
size_t utf8_count(struct str s);                          /* code points; each invalid byte counts as one */
/* utf8_clean returns s with each invalid byte replaced by U+FFFD; s itself if it is valid. */
struct str utf8_clean(struct arena *a, struct str s);
struct str utf8_cut(struct str s, size_t max);            /* at most max bytes, not inside a code point */

/* Through libunistring. Input must be valid; invalid input is returned as it is (utf8_is_nfc: false). */
bool utf8_is_nfc(struct str s);
struct str utf8_nfc(struct arena *a, struct str s);
struct str utf8_lower(struct arena *a, struct str s);     /* simple lower case per code point */
/* utf8_casemap: for collation by i;unicode-casemap: title case, then compatibility decomposition. Compare octets. */
struct str utf8_casemap(struct arena *a, struct str s);
struct str utf8_casefold(struct arena *a, struct str s);  /* full case folding and NFC, for comparing */

#endif
