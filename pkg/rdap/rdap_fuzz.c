/* SPDX-License-Identifier: MIT */
/* rdap_fuzz.c - the list of servers, and responses of registries. */
#include "base/err.h"
#include "rdap/rdap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_n((const char *)data, size);
	struct strlist urls = { 0 };
	struct arena a = { 0 };
	int64_t us;

	if (rdap_services(&a, in, S("a.example.com"), &urls, NULL) == 0) {
		bug_if(urls.n == 0);
		for (size_t i = 0; i < urls.n; i++)
			bug_if(!str_istarts(urls.v[i], S("https://")) || !str_ends(urls.v[i], S("/")));
	}
	if (rdap_registration(&a, in, 1700000000 * TIME_SEC, &us, NULL) == 0)
		bug_if(us > 1700000000 * TIME_SEC);
	arena_done(&a);
	return 0;
}
