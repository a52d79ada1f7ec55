/* SPDX-License-Identifier: MIT */
/* http_fuzz.c - heads of requests: accepted ones have a path and a method that we serve. */
#include "base/err.h"
#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request q = { 0 };
	bool keep = false;

	if (http_parse_head(str_n((const char *)data, size), &q, &keep) == 0)
		bug_if(q.path.n == 0 || q.path.p[0] != '/' || q.method.n == 0);
	return 0;
}
