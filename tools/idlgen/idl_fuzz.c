/* SPDX-License-Identifier: MIT */
/* Any text gives files or a message. */
#include "idl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* An import is the text itself, which must end. */
static int
read_import(void *arg, struct arena *a unused_, struct str path unused_, struct str *r_text, struct errmsg *e unused_)
{
	*r_text = *(const struct str *)arg;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_n((const char *)data, n);
	struct arena a = { 0 };
	struct buf b = BUF_ARENA(&a, 64 * 1024 * 1024);
	struct errmsg e = { 0 };
	struct idl_file *f;

	if (n < 10000 && idl_parse(&a, S("pkg/x/y.idl"), text, read_import, &text, &f, &e) == 0) {
		idl_emit_h(&a, &b, f);
		idl_emit_c(&a, &b, f);
		idl_emit_json(&a, &b, f);
		idl_emit_ts(&a, &b, f);
	} else if (n < 10000) {
		bug_if(e.text[0] == '\0');
	}
	arena_done(&a);
	return 0;
}
