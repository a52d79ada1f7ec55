/* SPDX-License-Identifier: MIT */
/* What is decoded must come back equal after encoding; what is not must leave a message. Nothing may crash on any input. */
#include "typedesc/typedesc.h"
#include "typedesc/typedesc_test_idl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str json = str_n((const char *)data, n);
	struct arena a = { 0 };

	for (size_t i = 0; i < typedesc_typedesc_test_ntypes; i++) {
		const struct typedesc *t = typedesc_typedesc_test_types[i];
		void *v = typedesc_new(&a, t), *w = typedesc_new(&a, t);
		struct buf b = BUF_INIT(64 * 1024 * 1024);
		struct errmsg e = { 0 };

		if (typedesc_json_decode(&a, t, json, 1024 * 1024, TYPEDESC_JSON_LENIENT, v, &e) < 0)
			bug_if(e.text[0] == '\0');
		typedesc_json_encode(&b, t, v, TYPEDESC_JSON_HTML | TYPEDESC_JSON_INDENT);
		buf_reset(&b);
		e = (struct errmsg){ 0 };
		if (typedesc_json_decode(&a, t, json, 1024 * 1024, 0, v, &e) < 0) {
			bug_if(e.text[0] == '\0');
			buf_done(&b);
			continue;
		}
		typedesc_json_encode(&b, t, v, TYPEDESC_JSON_SECRETS);
		if (typedesc_json_decode(&a, t, buf_str(&b), SIZE_MAX, 0, w, &e) < 0)
			bug("%s: " STRF, e.text, STRA(buf_str(&b)));
		bug_if(!typedesc_equal(t, v, w));
		buf_done(&b);
	}
	arena_done(&a);
	return 0;
}
