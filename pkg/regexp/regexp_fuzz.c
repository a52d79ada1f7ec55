/* SPDX-License-Identifier: MIT */
/* First line the pattern, then the subject: neither may crash or take long. */
#include "regexp/regexp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str subject = str_n((const char *)data, n), pattern = str_split(&subject, '\n'), out;
	struct arena a = { 0 };
	struct errmsg e = { 0 };
	struct regexp *re;

	if (regexp_compile(pattern, &re, &e) < 0) {
		bug_if(e.text[0] == '\0');
		return 0;
	}
	ignore_result(regexp_match(re, subject));
	ignore_result(regexp_expand(re, &a, subject, S("[$0$1${2}$$]"), &out));
	regexp_free(&re);
	arena_done(&a);
	return 0;
}
