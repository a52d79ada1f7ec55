/* SPDX-License-Identifier: MIT */
/* Values made up, for examples and tests. */
#include "base/timeutil.h"
#include "typedesc/typedesc_internal.h"

#define MAX_LEVEL 6 /* of lists, maps and pointers inside each other */

struct gen {
	struct arena *a;
	uint64_t state; /* 0: example */
	unsigned level;
};

static void fill(struct gen *g, const struct typedesc *t, const struct typedesc_field *f, void *v);

/* xorshift64*: tests must be repeatable. */
static uint64_t
draw(struct gen *g)
{
	g->state ^= g->state >> 12;
	g->state ^= g->state << 25;
	g->state ^= g->state >> 27;
	return g->state * UINT64_C(2685821657736338717);
}

/* A number in [lo, hi], cut down to what the field allows. */
static int64_t
number(struct gen *g, const struct typedesc_field *f, int64_t lo, int64_t hi)
{
	if (f && f->flags & TYPEDESC_HAS_MIN)
		lo = MAX(lo, f->min);
	if (f && f->flags & TYPEDESC_HAS_MAX)
		hi = MIN(hi, f->max);
	if (g->state == 0 || hi <= lo)
		return lo <= 0 && hi >= 0 ? 0 : lo;
	return lo + (int64_t)(draw(g) % ((uint64_t)hi - (uint64_t)lo + 1));
}

static struct str
text(struct gen *g, const struct typedesc_field *f, bool utf8)
{
	static const char *const pieces[] = { "a", "B", "7", ".", " ", "-", "\"", "\\", "<", "\t", "\xc3\xa9", "\xe2\x82\xac",
		"\xf0\x9f\x93\xa7", "\x7f" };
	size_t max = (size_t)number(g, f, 0, 12);
	struct buf b = BUF_ARENA(g->a, 1024);

	while (g->state && b.n < max) {
		const char *p = pieces[draw(g) % ARRAY_LEN(pieces)];

		if (!utf8)
			buf_addc(&b, (char)draw(g));
		else if (b.n + strlen(p) <= max)
			buf_addz(&b, p);
		else
			break;
	}
	return b.n ? str_dup(g->a, buf_str(&b)) : (struct str){ 0 };
}

static void
fill_list(struct gen *g, const struct typedesc *t, const struct typedesc_field *f, struct typedesc_list *l)
{
	size_t n = g->state ? (size_t)number(g, f, 0, 3) : 1;

	if (g->level >= MAX_LEVEL)
		n = 0;
	g->level++;
	for (size_t i = 0; i < n; i++) {
		if (t->kind == TYPEDESC_LIST)
			fill(g, t->elem, NULL, typedesc_list_add(g->a, t, l));
		else
			fill(g, t->elem, NULL,
			    typedesc_map_set(
				g->a, t, l, g->state ? str_fmt(g->a, "k%llu", (unsigned long long)(draw(g) % 1000)) : S("x")));
	}
	g->level--;
	if (t->nullable && n == 0)
		l->null = g->state && draw(g) & 1;
}

static void
fill_ptr(struct gen *g, const struct typedesc *t, const struct typedesc_field *f, void *v)
{
	void *p;

	if (g->level >= MAX_LEVEL || (g->state && draw(g) & 1))
		return;
	p = typedesc_new(g->a, t->elem);
	g->level++;
	fill(g, t->elem, f, p);
	g->level--;
	memcpy(v, &p, sizeof(p));
}

static void
fill_struct(struct gen *g, const struct typedesc *t, void *v)
{
	for (size_t i = 0; i < t->nfields; i++)
		if (!(t->fields[i].flags & TYPEDESC_INTERNAL))
			fill(g, t->fields[i].type, &t->fields[i], typedesc_at(v, &t->fields[i]));
}

static void
fill(struct gen *g, const struct typedesc *t, const struct typedesc_field *f, void *v)
{
	switch (t->kind) {
	case TYPEDESC_BOOL: *(bool *)v = g->state && draw(g) & 1; break;
	case TYPEDESC_I32: *(int32_t *)v = (int32_t)number(g, f, INT32_MIN, INT32_MAX); break;
	case TYPEDESC_U32: *(uint32_t *)v = (uint32_t)number(g, f, 0, UINT32_MAX); break;
	case TYPEDESC_I64: *(int64_t *)v = number(g, f, -INT64_C(9007199254740991), INT64_C(9007199254740991)); break;
	case TYPEDESC_F64: *(double *)v = (double)number(g, f, -1000000, 1000000) / (g->state ? 1024 : 1); break;
	case TYPEDESC_TIME: *(int64_t *)v = number(g, f, 0, 4000000000 * TIME_SEC); break;
	case TYPEDESC_DURATION: *(int64_t *)v = number(g, f, -1000 * TIME_DAY, 1000 * TIME_DAY); break;
	case TYPEDESC_STRING: *(struct str *)v = text(g, f, true); break;
	case TYPEDESC_BYTES: *(struct str *)v = text(g, f, false); break;
	case TYPEDESC_JSON: *(struct str *)v = g->state & 1 ? S("{\"a\":[1,null]}") : S("null"); break;
	case TYPEDESC_ENUM: memcpy(v, &t->values[g->state ? draw(g) % t->nvalues : 0].value, sizeof(int)); break;
	case TYPEDESC_STRUCT: fill_struct(g, t, v); break;
	case TYPEDESC_LIST:
	case TYPEDESC_MAP: fill_list(g, t, f, v); break;
	case TYPEDESC_PTR: fill_ptr(g, t, f, v); break;
	case TYPEDESC_OPAQUE: break;
	}
}

void
typedesc_sample(struct arena *a, const struct typedesc *t, uint64_t seed, void *v)
{
	struct gen g = { a, seed, 0 };

	fill(&g, t, NULL, v);
}
