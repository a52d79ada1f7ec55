/* SPDX-License-Identifier: MIT */
/* What is read must come back equal after writing, and rewriting it to itself must change no byte. */
#include "sconf/sconf.h"
#include "sconf/sconf_test_idl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_back(struct arena *a, struct buf *b, const struct sconf_file *v, const char *how)
{
	struct sconf_report r = { .a = a, .path = "f" };
	struct sconf_file w = { 0 };

	if (sconf_read(a, buf_str(b), &sconf_file_desc, &w, NULL, &r) < 0)
		bug("%s: " STRF " in " STRF, how, STRA(r.errors.v[0]), STRA(buf_str(b)));
	if (!typedesc_equal(&sconf_file_desc, v, &w))
		bug("%s: differs in " STRF, how, STRA(buf_str(b)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = { 0 };
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	struct str text = str_n((const char *)data, n);
	struct sconf_report r = { .a = &a, .path = "f" };
	struct sconf_file v = { 0 }, w = { 0 };
	struct sconf_node root;
	struct errmsg e = { 0 };

	if (sconf_read(&a, text, &sconf_file_desc, &v, &root, &r) < 0) {
		bug_if(r.errors.n == 0);
	} else {
		if (sconf_write(&b, &sconf_file_desc, &v, &e) == 0)
			check_back(&a, &b, &v, "write");
		buf_reset(&b);
		if (sconf_rewrite(&a, &b, &root, &sconf_file_desc, &v, &v, &e) < 0)
			bug("rewrite: %s", e.text);
		if (!str_is(str_upto(buf_str(&b), n), text))
			bug("rewrite: differs: " STRF, STRA(buf_str(&b)));
		typedesc_sample(&a, &sconf_file_desc, n + 1, &w);
		w.shown = (struct str){ 0 };
		buf_reset(&b);
		if (sconf_rewrite(&a, &b, &root, &sconf_file_desc, &v, &w, &e) == 0)
			check_back(&a, &b, &w, "rewrite");
	}
	buf_done(&b);
	arena_done(&a);
	return 0;
}
