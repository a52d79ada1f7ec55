/* SPDX-License-Identifier: MIT */
/* dkim_fuzz.c - signature fields, key records (parse, write, parse), canonical forms: idempotent, whatever the pieces. */
#include "base/buf.h"
#include "base/err.h"
#include "dkim/dkim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_n((const char *)data, size);
	struct arena a = { 0 };
	struct dkim_signature sig;
	struct dkim_record rec, again;
	struct str form;
	bool is_dkim;

	if (size > 65536)
		return 0;
	ignore_result(dkim_parse_signature(&a, in, 0, &sig, &form, NULL) < 0);
	if (dkim_parse_record(&a, in, &rec, &is_dkim, NULL) == 0) {
		struct str once = dkim_pack_record(&a, &rec);

		bug_if(dkim_parse_record(&a, once, &again, &is_dkim, NULL) < 0);
		bug_if(!str_is(once, dkim_pack_record(&a, &again)));
	}
	for (int c = 0; c < 2; c++) {
		struct dkim_body whole, split;
		uint8_t h1[32], h2[32];

		bug_if(dkim_body_init(&whole, (enum dkim_canon)c) < 0 || dkim_body_init(&split, (enum dkim_canon)c) < 0);
		dkim_body_add(&whole, in);
		for (size_t i = 0; i < size; i++)
			dkim_body_add(&split, str_n(in.p + i, 1));
		bug_if(dkim_body_end(&whole, h1) < 0 || dkim_body_end(&split, h2) < 0 || memcmp(h1, h2, 32) != 0);
		dkim_body_done(&whole);
		dkim_body_done(&split);
	}
	struct buf once = BUF_ARENA(&a, 1 << 20), twice = BUF_ARENA(&a, 1 << 20);
	dkim_canon_field(&once, in, DKIM_RELAXED);
	dkim_canon_field(&twice, buf_str(&once), DKIM_RELAXED);
	bug_if(!str_is(buf_str(&once), buf_str(&twice)));
	arena_done(&a);
	return 0;
}
