/* SPDX-License-Identifier: MIT */
/* Paths, addresses, parameters, replies. A path that is read and written reads as the same. */
#include "base/err.h"
#include "smtp/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct str in = str_n((const char *)data, size), k, v, s;
	struct smtp_path p, q;
	struct smtp_reply_line l;
	struct buf b = BUF_ARENA(&a, SIZE_MAX / 2);
	unsigned flags = size > 0 ? data[0] & 31 : 0;
	struct cur c = cur_of(str_from(in, 1));

	struct str text = smtp_path_text(&c);
	if (cur_ok(&c) && smtp_parse_path(&a, text, flags, &p, NULL) == 0) {
		struct str again = str_fmt(&a, "<" STRF ">", STRA(smtp_path(&a, &p, flags & SMTP_UTF8)));
		bug_if(smtp_parse_path(&a, again, flags | SMTP_UTF8, &q, NULL) < 0 || !smtp_path_equal(&p, &q));
		smtp_path_log(&a, &p);
	}
	while (smtp_param(&c, flags, &k, &v))
		bug_if(k.n == 0);
	smtp_xtext_add(&b, in);
	bug_if(smtp_unxtext(&a, buf_str(&b), SMTP_PEDANTIC, &s) < 0 || !str_is(s, in));
	ignore_result(smtp_unxtext(&a, in, 0, &s));
	ignore_result(smtp_unescape_dsn(&a, in, &s));
	ignore_result(smtp_parse_reply_line(in, &l));
	buf_reset(&b);
	smtp_reply_add(&b, 550, "1.1", in);
	bug_if(!str_ends(buf_str(&b), S("\r\n")));
	arena_done(&a);
	return 0;
}
