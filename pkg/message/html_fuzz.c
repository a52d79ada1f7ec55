/* SPDX-License-Identifier: MIT */
/* Text of HTML and of format=flowed: valid UTF-8 of bounded size, the same whole and in pieces. */
#include "base/err.h"
#include "base/utf8.h"
#include "message/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct str in = str_n((const char *)data, size);
	struct buf one = BUF_ARENA(&a, SIZE_MAX / 2), two = one, three = one;

	message_html_text(in, &one, 4096);
	bug_if(!utf8_valid(buf_str(&one)) || one.n > 4096);
	if (str_is_ascii(in)) {
		struct message_html *h = message_html_open(&two, 4096);
		message_html_add(h, str_upto(in, in.n / 2));
		message_html_add(h, str_from(in, in.n / 2));
		message_html_close(&h);
		/* Cut at the limit the last characters may come in other pieces. */
		bug_if(one.n < 4000 && !str_is(buf_str(&one), buf_str(&two)));
	}
	message_flowed_text(in, size % 2, &three);
	arena_done(&a);
	return 0;
}
