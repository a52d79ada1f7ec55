/* SPDX-License-Identifier: MIT */
/*
 * regexp - regular expressions that users write and that are matched against what strangers send.
 *
 * The dialect is that of RE2, as mox (Go) has it: no backreferences, no look-around. Patterns and subjects are UTF-8; an
 * invalid byte of a subject counts as U+FFFD. Matching takes time linear in the subject, whatever the pattern.
 */
#ifndef REGEXP_REGEXP_H
#define REGEXP_REGEXP_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define REGEXP_MAX_PATTERN 4096
#define REGEXP_MAX_GROUPS 50
#define REGEXP_MAX_SUBJECT (64 * 1024)  /* of longer subjects the rest is not looked at */

struct regexp;          /* immutable; may be used by several threads at once */

/*
 * regexp_compile: ERR_INVALID with what is wrong and where; ERR_LIMIT for a pattern or its expanded repetitions that are too
 * long. Release with regexp_free.
 */
int regexp_compile(struct str pattern, struct regexp **r_re, struct errmsg *e) must_use_;
void regexp_free(struct regexp **re);           /* NULL is fine */

/* regexp_match searches the pattern anywhere in the subject. */
bool regexp_match(const struct regexp *re, struct str subject);

/*
 * regexp_expand searches, and if found returns the template with $1 .. $9, ${10} and $0 replaced by what the groups and the
 * whole matched ("" for a group that did not take part, $$ for a dollar). 1 found, 0 not found.
 */
int regexp_expand(const struct regexp *re, struct arena *a, struct str subject, struct str template, struct str *r_out) must_use_;

/* regexp_quote returns a pattern that matches s literally. */
struct str regexp_quote(struct arena *a, struct str s);

#endif
