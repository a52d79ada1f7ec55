/* SPDX-License-Identifier: MIT */
/* tlsrpt_fuzz.c - records and reports: what was accepted must come back equal; messages must not be read wrongly. */
#include "tlsrpt/tlsrpt.h"

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_record(struct arena *a, struct str s)
{
	struct tlsrpt_record r, again;
	bool is;

	if (tlsrpt_parse_record(a, s, &r, &is, NULL) == 0) {
		struct str once = tlsrpt_pack_record(a, &r);

		bug_if(!is || tlsrpt_parse_record(a, once, &again, &is, NULL) < 0);
		bug_if(!str_is(once, tlsrpt_pack_record(a, &again)));
	}
}

static void
try_report(struct arena *a, struct str s)
{
	struct tlsrpt_report r, again;

	if (tlsrpt_parse(a, s, &r, NULL) == 0) {
		struct buf b = BUF_ARENA(a, 16 << 20);
		struct tlsrpt_result_list sum = { 0 };

		tlsrpt_pack(&b, &r);
		bug_if(b.failed || tlsrpt_parse(a, buf_str(&b), &again, NULL) < 0);
		bug_if(!typedesc_equal(&tlsrpt_report_desc, &r, &again));
		for (size_t i = 0; i < r.policies.n; i++)
			tlsrpt_add(a, &sum, &r.policies.v[i]);
		bug_if(sum.n > r.policies.n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct str s = str_n((const char *)data, size);
	struct message_source src = message_source_mem(s);
	struct tlsrpt_report r;

	try_record(&a, s);
	try_report(&a, s);
	ignore_result(tlsrpt_parse_message(&a, &src, &r, NULL));
	arena_done(&a);
	return 0;
}
