/* SPDX-License-Identifier: MIT */
/* dane_fuzz.c - records as text come back equal; what is in records is decoded safely. */
#include "dane/dane.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct str s = str_n((const char *)data, size);
	struct dane_record r, again, *v;
	size_t n;

	if (dane_parse(&a, s, &r, NULL) == 0) {
		bug_if(dane_parse(&a, dane_text(&a, &r), &again, NULL) < 0);
		bug_if(!str_is(dane_text(&a, &r), dane_text(&a, &again)));
		dane_select(&a, &r, 1, DANE_ALL, &v, &n);
	}
	if (size > 3 && dane_usable(&(struct dane_record){ data[0] & 3, data[1] & 1, 0, str_from(s, 2) }, DANE_ALL))
		dane_select(
		    &a, &(struct dane_record){ data[0], data[1], data[2], str_from(s, 3) }, 1, DANE_ALL, &v, &n);
	if (dane_of_pem(&a, 3, size & 1, DANE_SHA256, s, &r, NULL) == 0)
		bug_if(!dane_usable(&r, DANE_ALL));
	arena_done(&a);
	return 0;
}
