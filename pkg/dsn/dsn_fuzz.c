/* SPDX-License-Identifier: MIT */
/* DSNs. One that a strict reading accepts can be composed again. */
#include "base/err.h"
#include "dsn/dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct message_source src = message_source_mem(str_n((const char *)data, size));
	struct message m;
	struct dsn_message d;

	bug_if(message_parse(&a, &src, 0, &m, NULL) < 0);
	bool lenient = dsn_parse(&a, &m, &src, 0, &d, NULL) == 0;
	if (dsn_parse(&a, &m, &src, DSN_STRICT, &d, NULL) == 0) {
		struct buf b = BUF_ARENA(&a, SIZE_MAX / 2);
		bool bit8;
		bug_if(!lenient || d.nrecipients == 0);
		if (d.message_id.n == 0)
			d.message_id = S("x@y");
		if (d.reporting_mta.n > 0)
			bug_if(dsn_compose(&b, &d, true, 0, &bit8, NULL) < 0);
	}
	arena_done(&a);
	return 0;
}
