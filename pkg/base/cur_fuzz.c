/* SPDX-License-Identifier: MIT */
/*
 * The input is a program of primitives, up to the first NUL, and the text they run on. Whatever they are: the cursor stays within the
 * text, moves only forward, and neither moves nor returns anything after the first failure.
 */
#include "base/arena.h"
#include "base/cur.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
step(struct cur *c, unsigned char op, char arg)
{
	struct cur before = *c;
	struct str got = { 0 };
	uint64_t v = 0;
	int ch = cur_peek(c);

	switch (op % 16) {
	case 0: v = cur_try(c, arg); break;
	case 1: cur_char(c, arg); break;
	case 2: v = cur_try_str(c, str_n(&arg, 1)); break;
	case 3: v = cur_try_icase(c, S("ab")); break;
	case 4: cur_str(c, S("a")); break;
	case 5: cur_icase(c, S("aB")); break;
	case 6: v = cur_any(c, "any"); break;
	case 7: got = cur_bytes(c, (size_t)arg & 7, "bytes"); break;
	case 8: got = cur_span(c, &cur_alnum); break;
	case 9: got = cur_span1(c, &cur_wsp, "space"); break;
	case 10: got = cur_until(c, arg); break;
	case 11: v = cur_u64(c, (unsigned)arg & 31, 1000, "number"); break;
	case 12:
		v = cur_enter(c, 5);
		break;
	case 13:
		if (c->depth > 0)
			cur_leave(c);
		break;
	case 14: v = cur_is(c, arg); break;
	case 15: v = cur_done(c); break;
	}
	bug_if(c->p < before.p || c->p > c->end || c->end != before.end || c->start != before.start);
	bug_if(!cur_ok(c) && c->p != before.p);
	bug_if(got.n > 0 && (got.p != before.p || got.p + got.n != c->p));
	if (!cur_ok(&before))
		bug_if(got.n > 0 || v != 0 || ch != -1 || c->want != before.want);
	bug_if(cur_off(c) + cur_left(c) != (size_t)(c->end - c->start));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = { 0 };
	struct str text = str_n((const char *)data, n), program = str_split(&text, '\0');
	struct cur c = cur_of(text);

	for (size_t i = 0; i + 1 < program.n; i += 2)
		step(&c, (unsigned char)program.p[i], program.p[i + 1]);
	bug_if(!str_starts(cur_error(&a, &c), S("expected ")));
	arena_done(&a);
	return 0;
}
