/* SPDX-License-Identifier: MIT */
/* Address lists. A list that is correct, written again, reads as the same addresses. */
#include "base/err.h"
#include "message/compose.h"
#include "message/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct str in = str_n((const char *)data, size);
	struct message_addrs l = { 0 };
	struct message_mailbox *v, *w;
	uint32_t n, k;

	message_parse_addrs(&a, in, &l);
	int depth = 0;
	for (uint32_t i = 0; i < l.n; i++) {
		depth += l.v[i].kind == MESSAGE_GROUP_START;
		depth -= l.v[i].kind == MESSAGE_GROUP_END;
		bug_if(depth < 0 || depth > 1);
	}
	bug_if(depth != 0);
	if (message_parse_addrs_strict(&a, in, &v, &n, NULL) == 0) {
		struct buf b = BUF_ARENA(&a, SIZE_MAX / 2);
		struct message_composer c = { .b = &b };
		message_add_addrs(&c, "", v, n);
		bug_if(n > 0 && message_parse_addrs_strict(&a, str_from(buf_str(&b), 1), &w, &k, NULL) < 0);
		bug_if(n > 0 && k != n);
		for (uint32_t i = 0; i < n; i++)
			bug_if(!smtp_address_equal(&v[i].address, &w[i].address));
	}
	arena_done(&a);
	return 0;
}
