/* SPDX-License-Identifier: MIT */
/*
 * Message data: reading DATA in pieces gives the same as whole; what is good has only CRLF, and stuffed again reads as the same. No other end than
 * CRLF.CRLF is seen.
 */
#include "base/err.h"
#include "smtp/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct str in = str_n((const char *)data, size);
	struct buf one = BUF_ARENA(&a, SIZE_MAX / 2), two = one, wire = one, back = one;
	struct smtp_dot d = { 0 }, e = { 0 };

	size_t took = smtp_dot_feed(&d, in, &one);
	size_t k = 0;
	while (k < in.n && !e.done)
		k += smtp_dot_feed(&e, str_upto(str_from(in, k), 1 + k % 3), &two);
	bug_if(took != k || d.done != e.done || d.bad != e.bad);
	bug_if(d.bad == SMTP_DOT_GOOD && !str_is(buf_str(&one), buf_str(&two)));
	if (d.done) {
		bug_if(took != 3 && took < 5);
		bug_if(!str_ends(str_upto(in, took), took == 3 ? S(".\r\n") : S("\r\n.\r\n")));
	}
	if (d.done && d.bad == SMTP_DOT_GOOD) {
		struct smtp_stuff w = { 0 };
		struct smtp_dot f = { 0 };
		bug_if(smtp_stuff_add(&w, buf_str(&one), &wire) < 0 || smtp_stuff_end(&w, &wire) < 0);
		bug_if(smtp_dot_feed(&f, buf_str(&wire), &back) != wire.n || !f.done || f.bad != SMTP_DOT_GOOD);
		bug_if(!str_is(buf_str(&back), buf_str(&one)));
	}
	arena_done(&a);
	return 0;
}
