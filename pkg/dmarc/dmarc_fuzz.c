/* SPDX-License-Identifier: MIT */
/* dmarc_fuzz.c - parse, write, parse: what was accepted must come back equal. */
#include "dmarc/dmarc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct dmarc_record r, again;
	bool is, strictly;

	for (unsigned flags = 0; flags < 4 && size <= 4096; flags++) {
		struct str s = str_n((const char *)data, size), once;

		if (dmarc_parse(&a, s, flags, &r, &is, NULL) < 0)
			continue;
		bug_if(!is);
		once = dmarc_pack(&a, &r);
		bug_if(dmarc_parse(&a, once, flags, &again, &is, NULL) < 0);
		bug_if(!str_is(once, dmarc_pack(&a, &again)));
		/* What we write is right by the strict reading, too. */
		bug_if(dmarc_parse(&a, once, flags | DMARC_STRICT, &again, &strictly, NULL) < 0);
	}
	arena_done(&a);
	return 0;
}
