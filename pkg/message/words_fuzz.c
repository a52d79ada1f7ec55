/* SPDX-License-Identifier: MIT */
/* Encoded words and charsets. Text that is encoded decodes to itself. */
#include "base/err.h"
#include "base/utf8.h"
#include "message/body.h"
#include "message/compose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = { "utf-8", "iso-8859-1", "us-ascii", "shift_jis", "iso-2022-jp", "gb18030", "utf-7", "utf-16", "euc-kr", "big5", "koi8-r", "cp437" };
	static struct arena a;
	struct str in = str_n((const char *)data, size);
	struct str text = message_decode_words(&a, in);

	bug_if(!utf8_valid(text));
	struct buf b = BUF_ARENA(&a, SIZE_MAX / 2);
	message_encode_words(&b, text);
	struct str back = message_decode_words(&a, buf_str(&b));
	bug_if(back.n != text.n);
	for (size_t i = 0; i < text.n; i++)
		bug_if(back.p[i] != text.p[i] && !(back.p[i] == ' ' && (text.p[i] == '\r' || text.p[i] == '\n' || text.p[i] == '\0')));

	if (size > 0) {
		/* A charset, whole and in two pieces. */
		struct str name = str_of(charsets[data[0] % ARRAY_LEN(charsets)]), s = str_from(in, 1);
		struct buf one = BUF_ARENA(&a, SIZE_MAX / 2), two = one;
		struct message_charset *c = message_charset_open(name);
		if (c) {
			message_charset_add(c, s, &one);
			message_charset_end(c, &one);
			message_charset_close(&c);
			bug_if(!utf8_valid(buf_str(&one)));
			c = message_charset_open(name);
			message_charset_add(c, str_upto(s, s.n / 2), &two);
			message_charset_add(c, str_from(s, s.n / 2), &two);
			message_charset_end(c, &two);
			message_charset_close(&c);
			bug_if(!utf8_valid(buf_str(&two)));
		}
	}
	arena_done(&a);
	return 0;
}
