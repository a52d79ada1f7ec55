/* SPDX-License-Identifier: MIT */
/* dmarcrpt_fuzz.c - files and messages; what was read must come back equal when written. */
#include "dmarcrpt/dmarcrpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct arena *a, const struct dmarcrpt_feedback *r)
{
	for (int form = DMARCRPT_RFC7489; form <= DMARCRPT_RFC9990; form++) {
		struct buf once = BUF_ARENA(a, 1 << 26), twice = BUF_ARENA(a, 1 << 26);
		struct dmarcrpt_feedback again;

		dmarcrpt_pack(&once, r, (enum dmarcrpt_form)form);
		bug_if(once.failed || dmarcrpt_parse(a, buf_str(&once), &again, NULL) < 0);
		dmarcrpt_pack(&twice, &again, (enum dmarcrpt_form)form);
		bug_if(!str_is(buf_str(&once), buf_str(&twice)));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct str s = str_n((const char *)data, size);
	struct message_source src = message_source_mem(s);
	struct dmarcrpt_feedback r;

	if (dmarcrpt_parse_file(&a, s, &r, NULL) == 0)
		check(&a, &r);
	if (dmarcrpt_parse_message(&a, &src, &r, NULL) == 0)
		check(&a, &r);
	arena_done(&a);
	return 0;
}
