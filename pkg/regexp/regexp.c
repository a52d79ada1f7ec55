/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. Patterns come from users and subjects from strangers, so time must be linear in the subject whatever
 * the pattern. PCRE2's backtracking is not, and its pcre2_dfa_match is not either: 26 s for ^(a+)+$ on 4,000 characters. So
 * this is a Thompson machine: a program whose states are all followed at once, one code point at a time, none twice. Cost:
 * length of the program times length of the subject at most.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "regexp/regexp_internal.h"

#define MAX_PROGRAM 5000 /* instructions: with REGEXP_MAX_SUBJECT a second in the worst case */

struct compiler {
	struct arena *a;
	struct regexp_inst *prog;
	uint32_t n, cap;
};

static uint32_t
emit(struct compiler *c, enum regexp_op op, uint32_t x, uint32_t y)
{
	if (c->n > MAX_PROGRAM)
		return c->n; /* refused in the end */
	if (c->n == c->cap) {
		uint32_t cap = c->cap ? 2 * c->cap : 32;

		c->prog = arena_grow(c->a, c->prog, c->n, cap, sizeof(*c->prog));
		c->cap = cap;
	}
	c->prog[c->n] = (struct regexp_inst){ .op = op, .x = x, .y = y };
	return c->n++;
}

/* Sets the ways of a SPLIT: into x or past it; lazily the other way round. */
static void
set_split(struct compiler *c, uint32_t at, uint32_t in, uint32_t past, bool lazy)
{
	if (at >= c->n)
		return;
	c->prog[at].x = lazy ? past : in;
	c->prog[at].y = lazy ? in : past;
}

static void generate(struct compiler *c, const struct regexp_node *n);

static void
generate_repeat(struct compiler *c, const struct regexp_node *n)
{
	uint32_t split, last = REGEXP_INF, next;

	for (uint32_t i = 0; i < n->min && c->n <= MAX_PROGRAM; i++)
		generate(c, n->x);
	if (n->max == REGEXP_INF) {
		split = emit(c, REGEXP_OP_SPLIT, 0, 0);
		generate(c, n->x);
		emit(c, REGEXP_OP_JUMP, split, 0);
		set_split(c, split, split + 1, c->n, n->lazy);
		return;
	}
	for (uint32_t i = n->min; i < n->max && c->n <= MAX_PROGRAM; i++) {
		split = emit(c, REGEXP_OP_SPLIT, 0, last); /* linked until it is known where they all lead to */
		last = split;
		generate(c, n->x);
	}
	for (; last < c->n; last = next) {
		next = c->prog[last].y;
		set_split(c, last, last + 1, c->n, n->lazy);
	}
}

static void
generate_alt(struct compiler *c, const struct regexp_node *n)
{
	uint32_t split = emit(c, REGEXP_OP_SPLIT, 0, 0), jump;

	generate(c, n->x);
	jump = emit(c, REGEXP_OP_JUMP, 0, 0);
	set_split(c, split, split + 1, c->n, false);
	generate(c, n->y);
	if (jump < c->n)
		c->prog[jump].x = c->n;
}

static void
generate(struct compiler *c, const struct regexp_node *n)
{
	uint32_t at;

	switch (n->kind) {
	case REGEXP_EMPTY: break;
	case REGEXP_CLASS:
		at = emit(c, REGEXP_OP_CHAR, 0, 0);
		if (at < c->n)
			c->prog[at].class = n->class;
		break;
	case REGEXP_ASSERT: emit(c, REGEXP_OP_ASSERT, n->assert, 0); break;
	case REGEXP_CAT:
		generate(c, n->x);
		generate(c, n->y);
		break;
	case REGEXP_ALT: generate_alt(c, n); break;
	case REGEXP_REPEAT: generate_repeat(c, n); break;
	case REGEXP_GROUP:
		emit(c, REGEXP_OP_SAVE, 2 * n->group, 0);
		generate(c, n->x);
		emit(c, REGEXP_OP_SAVE, 2 * n->group + 1, 0);
		break;
	}
}

int
regexp_compile(struct str pattern, struct regexp **r_re, struct errmsg *e)
{
	struct regexp *re;
	struct regexp_node *root;
	struct compiler c;
	int r;

	if (pattern.n > REGEXP_MAX_PATTERN)
		return err_set(e, ERR_LIMIT, "regular expression: longer than %d bytes", REGEXP_MAX_PATTERN);
	re = mem_alloc(sizeof(*re));
	r = regexp_parse(&re->arena, pattern, &root, &re->groups, e);
	if (r == 0) {
		c = (struct compiler){ .a = &re->arena };
		emit(&c, REGEXP_OP_SAVE, 0, 0);
		generate(&c, root);
		emit(&c, REGEXP_OP_MATCH, 0, 0);
		re->prog = c.prog;
		re->n = c.n;
		if (c.n > MAX_PROGRAM)
			r = err_set(e, ERR_LIMIT, "regular expression: too many repetitions");
	}
	if (r < 0) {
		regexp_free(&re);
		return r;
	}
	*r_re = re;
	return 0;
}

void
regexp_free(struct regexp **re)
{
	if (*re == NULL)
		return;
	arena_done(&(*re)->arena);
	mem_free(re);
}

struct str
regexp_quote(struct arena *a, struct str s)
{
	struct buf b = BUF_ARENA(a, 2 * s.n + 1);

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] && strchr("\\.+*?()|[]{}^$", s.p[i]))
			buf_addc(&b, '\\');
		buf_addc(&b, s.p[i]);
	}
	return buf_str(&b);
}
