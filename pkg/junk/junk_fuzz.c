/* SPDX-License-Identifier: MIT */
/* Words of any message: all bounded, and each is found again. */
#include "junk/junk.h"

#include "base/err.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct message_source src = message_source_mem(str_n((const char *)data, size));
	struct message m;
	struct junk_words w;
	struct junk_params p = { .onegrams = true, .twograms = true, .threegrams = true, .top_words = 10 };
	bug_if(message_parse(&a, &src, 0, &m, NULL) < 0);
	bug_if(junk_words_of(&a, &p, &m, &src, &w) < 0);
	bug_if(w.n > LIMIT_JUNK_WORDS);
	for (size_t i = 0; i < w.n; i++)
		bug_if(w.v[i].n == 0 || w.v[i].n > JUNK_WORD_MAX || !junk_words_has(&w, w.v[i]));
	arena_done(&a);
	return 0;
}
