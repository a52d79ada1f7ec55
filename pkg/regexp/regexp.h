/* SPDX-License-Identifier: MIT */
/*
 * regexp - regular expressions that users write and that are matched against what strangers send.
 *
 * The dialect is what RE2 and PCRE2 have in common: no backreferences, no look-around, no recursion, no callouts: those are refused when
 * compiling. Matching keeps to a budget of work and memory; a pattern that would exceed it does not match. Subjects are bytes; where a
 * subject is valid UTF-8, "." and classes match whole code points.
 */
#ifndef REGEXP_REGEXP_H
#define REGEXP_REGEXP_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define REGEXP_MAX_PATTERN 4096
#define REGEXP_MAX_GROUPS 50

struct regexp;          /* immutable; may be used by several threads at once */

/* regexp_compile: ERR_INVALID with what is wrong and where; ERR_LIMIT beyond REGEXP_MAX_PATTERN. Release with regexp_free. */
int regexp_compile(struct str pattern, struct regexp **r_re, struct errmsg *e) must_use_;
void regexp_free(struct regexp **re);           /* NULL is fine */

/* regexp_match searches the pattern anywhere in the subject. */
bool regexp_match(const struct regexp *re, struct str subject);

/*
 * regexp_expand searches, and if found returns the template with $1 .. $9, ${10} and $0 replaced by what the groups and the whole matched
 * ("" for a group that did not take part, $$ for a dollar). 1 found, 0 not found.
 */
int regexp_expand(const struct regexp *re, struct arena *a, struct str subject, struct str template, struct str *r_out) must_use_;

/* regexp_quote returns a pattern that matches s literally. */
struct str regexp_quote(struct arena *a, struct str s);

#endif
