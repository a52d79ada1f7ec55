/* SPDX-License-Identifier: MIT */
/* mtasts_fuzz.c - records and policies: what was accepted comes back equal when written and read again. */
#include "base/err.h"
#include "mtasts/mtasts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_n((const char *)data, size);
	struct arena a = { 0 };
	struct mtasts_record record, again;
	struct mtasts_policy policy, policy_again;
	bool is_sts;

	if (mtasts_parse_record(&a, in, &record, &is_sts, NULL) == 0) {
		struct str once = mtasts_pack_record(&a, &record);

		bug_if(!is_sts || mtasts_parse_record(&a, once, &again, &is_sts, NULL) < 0);
		bug_if(!str_is(once, mtasts_pack_record(&a, &again)));
	}
	if (mtasts_parse_policy(&a, in, &policy, NULL) == 0) {
		struct str once = mtasts_pack_policy(&a, &policy);

		if (once.n <= MTASTS_MAX_POLICY) {
			bug_if(mtasts_parse_policy(&a, once, &policy_again, NULL) < 0);
			bug_if(!str_is(once, mtasts_pack_policy(&a, &policy_again)));
		}
		for (size_t i = 0; i < policy.nmx; i++)
			bug_if(!policy.mx[i].wildcard && !mtasts_match(&policy, policy.mx[i].domain));
	}
	ignore_result(mtasts_match(&(struct mtasts_policy){ 0 }, in));
	arena_done(&a);
	return 0;
}
