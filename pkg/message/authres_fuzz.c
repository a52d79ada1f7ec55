/* SPDX-License-Identifier: MIT */
/* Authentication-Results. What is read and written reads the same again. */
#include "base/err.h"
#include "message/authres.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* writable: nothing that a header cannot hold, nor methods that are none. */
static bool
is_writable(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct message_authres r, again;

	if (message_authres_parse(&a, str_n((const char *)data, size), &r, NULL) == 0 && r.nmethods > 0) {
		struct buf b = BUF_ARENA(&a, SIZE_MAX / 2);
		bool ok = is_writable(r.hostname);
		for (uint32_t i = 0; i < r.nmethods; i++) {
			ok &= is_writable(r.methods[i].reason);
			for (uint32_t k = 0; k < r.methods[i].nprops; k++)
				ok &= is_writable(r.methods[i].props[k].value);
		}
		message_authres_add(&b, &r);
		struct str body = str_from(buf_str(&b), strlen("Authentication-Results:"));
		bug_if(ok && message_authres_parse(&a, body, &again, NULL) < 0);
		bug_if(ok && again.nmethods != r.nmethods);
	}
	arena_done(&a);
	return 0;
}
