/* SPDX-License-Identifier: MIT */
/* publicsuffix_fuzz.c - the organisational domain ends the name, is its own, and is a suffix or one label below one. */
#include "base/err.h"
#include "publicsuffix/publicsuffix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_n((const char *)data, size), parent;
	struct idna_domain d = { .ascii = in }, o, again;
	struct arena a = { 0 };

	if (size > 1024)
		return 0;
	/* Whatever a caller gives. */
	ignore_result(publicsuffix_is(in));
	bug_if(!str_ends(in, publicsuffix_org(&d).ascii));
	if (idna_parse(&a, in, 0, &d, NULL) == 0) {
		o = publicsuffix_org(&d);
		again = publicsuffix_org(&o);
		parent = o.ascii;
		str_split(&parent, '.');
		bug_if(!idna_is_under(&d, &o) || !str_ends(d.unicode, o.unicode));
		bug_if(!idna_equal(&o, &again) || !str_is(o.unicode, again.unicode));
		bug_if(!publicsuffix_is(o.ascii) && !publicsuffix_is(parent));
	}
	arena_done(&a);
	return 0;
}
