/* SPDX-License-Identifier: MIT */
/*
 * subjectpass - a text for the subject by which a sender proves to be no machine that sends junk.
 *
 * A message that looks like junk, but may come from a person, is refused with a text: send it again with this token in the subject. The token holds
 * the time and a MAC over it and the author's address, by a key of the recipient's. So it costs nobody memory, is good for one author, and only for a while.
 */
#ifndef SUBJECTPASS_SUBJECTPASS_H
#define SUBJECTPASS_SUBJECTPASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

/* subjectpass_generate makes the token, "(pass:...)". from is the author's address, with Unicode domain. */
struct str subjectpass_generate(struct arena *a, struct str key, struct str from, int64_t now_us);

enum subjectpass_result {
	SUBJECTPASS_OK,
	SUBJECTPASS_NONE,               /* no token in the subject */
	SUBJECTPASS_MALFORMED,
	SUBJECTPASS_FORGED,             /* not by this key for this author */
	SUBJECTPASS_EXPIRED,
};
const char *subjectpass_result_text(enum subjectpass_result r);         /* "ok", "none", ... */

/* subjectpass_verify looks for a token in a subject (the raw body of the field), made at most period_us ago. Times are rounded down to 256 s. */
enum subjectpass_result subjectpass_verify(struct arena *a, struct str key, struct str subject, struct str from, int64_t period_us, int64_t now_us);

#endif
