/* SPDX-License-Identifier: MIT */
/* Whatever the input: results are valid, cuts fall between code points, and what goes to a log is harmless. */
#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_log(struct arena *a, struct str s, size_t max)
{
	struct str out = str_log(a, s, max);

	bug_if(out.n > max + 3 || !utf8_valid(out));
	for (size_t i = 0; i < out.n; i++)
		bug_if((out.p[i] >= 0 && out.p[i] < ' ') || out.p[i] == 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = { 0 };
	struct str s = str_n((const char *)data, n), clean = utf8_clean(&a, s), nfc, cut;
	bool valid = utf8_valid(s);

	bug_if(!utf8_valid(clean) || utf8_count(clean) != utf8_count(s) || (valid && clean.p != s.p));
	nfc = utf8_nfc(&a, clean);
	bug_if(!utf8_is_nfc(nfc) || !str_is(utf8_nfc(&a, nfc), nfc));
	bug_if(!valid && utf8_is_nfc(s));
	bug_if(!utf8_valid(utf8_lower(&a, clean)) || utf8_count(utf8_lower(&a, clean)) != utf8_count(clean));
	bug_if(!utf8_is_nfc(utf8_casefold(&a, clean)));
	bug_if(!valid && (!str_is(utf8_lower(&a, s), s) || !str_is(utf8_casefold(&a, s), s)));
	for (size_t max = 0; max < 20; max++) {
		cut = utf8_cut(clean, max);
		bug_if(cut.n > max || !utf8_valid(cut) || (clean.n > max && cut.n + 3 < max));
		check_log(&a, s, max);
	}
	check_log(&a, s, n * 4);
	arena_done(&a);
	return 0;
}
