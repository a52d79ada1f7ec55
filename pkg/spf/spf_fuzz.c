/* SPDX-License-Identifier: MIT */
/* spf_fuzz.c - parse, write, parse: what was accepted must come back equal. */
#include "base/err.h"
#include "spf/spf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct spf_record r, again;

	if (size <= 4096 && spf_parse(&a, str_n((const char *)data, size), &r, NULL) == 0) {
		struct str once = spf_pack(&a, &r);

		bug_if(spf_parse(&a, once, &again, NULL) < 0);
		bug_if(!str_is(once, spf_pack(&a, &again)));
	}
	arena_done(&a);
	return 0;
}
