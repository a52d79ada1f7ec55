/* SPDX-License-Identifier: MIT */
/* Domain names: both forms of what is valid are valid and the same. */
#include "base/err.h"
#include "base/utf8.h"
#include "idna/idna.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct str in = str_n((const char *)data, size);
	struct idna_domain d, e;

	if (idna_parse(&a, in, IDNA_UNDERSCORE, &d, NULL) == 0) {
		bug_if(d.ascii.n == 0 || d.ascii.n > 253 || !str_is_ascii(d.ascii) || !utf8_valid(d.unicode));
		bug_if(idna_parse(&a, d.ascii, IDNA_UNDERSCORE, &e, NULL) < 0 || !idna_equal(&d, &e));
		if (d.unicode.n > 0)
			bug_if(idna_parse(&a, d.unicode, IDNA_UNDERSCORE, &e, NULL) < 0 || !idna_equal(&d, &e));
	}
	idna_to_ascii(&a, in);
	idna_to_unicode(&a, in);
	arena_done(&a);
	return 0;
}
