/* SPDX-License-Identifier: MIT */
/* From the tree to values, by descriptor. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "sconf/sconf_internal.h"

struct dec {
	struct arena *a;
	struct sconf_report *r;
};

static void decode(
    struct dec *d, const struct sconf_node *n, const struct sconf_line *l, const struct typedesc *t, bool in_map, void *v);

bool
sconf_is_scalar(const struct typedesc *t)
{
	return t->kind < TYPEDESC_JSON || t->kind == TYPEDESC_ENUM;
}

bool
sconf_has_field(const struct typedesc_field *f)
{
	return !(f->flags & (TYPEDESC_INTERNAL | TYPEDESC_DERIVED));
}

static void
decode_scalar(struct dec *d, const struct sconf_node *n, const struct sconf_line *l, const struct typedesc *t, void *v)
{
	struct errmsg e = { 0 };

	if (n->n > 0)
		sconf_errorf(d->r, n->v[0].line, "unexpected indented block, the value stands behind the colon or dash");
	else if (typedesc_parse(d->a, t, l->value, v, &e) < 0)
		sconf_errorf(d->r, n->line, STRF "%s%s", STRA(l->key), l->key.n ? ": " : "", e.text);
}

static void
unknown_key(struct dec *d, const struct sconf_node *n, const struct typedesc *t, struct str key)
{
	const char *near = typedesc_nearest(t, key);
	struct str shown = str_log(d->r->a, key, 60);

	if (near)
		sconf_errorf(d->r, n->line, "unknown key \"" STRF "\", did you mean \"%s\"?", STRA(shown), near);
	else
		sconf_errorf(d->r, n->line, "unknown key \"" STRF "\"", STRA(shown));
}

static void
decode_field(struct dec *d, const struct sconf_node *n, const struct sconf_line *l, const struct typedesc_field *f, void *v)
{
	size_t before = d->r->errors.n;
	struct errmsg e = { 0 };

	if (f->flags & TYPEDESC_DEPRECATED)
		sconf_warnf(d->r, n->line, "%s is deprecated", f->name);
	decode(d, n, l, f->type, false, v);
	if (d->r->errors.n == before && typedesc_check(f, v, &e) < 0)
		sconf_errorf(d->r, n->line, "%s: %s", f->name, e.text);
}

static void
decode_struct(struct dec *d, const struct sconf_node *n, const struct typedesc *t, void *v)
{
	unsigned *seen = ARENA_NEWN(d->a, t->nfields + 1, unsigned); /* line of the field */
	struct sconf_line l;
	bool sound = true;

	for (size_t i = 0; i < n->n; i++) {
		const struct sconf_node *c = &n->v[i];
		const char *wrong = sconf_split_entry(c->text, &l);
		const struct typedesc_field *f;

		if (wrong) {
			sconf_errorf(d->r, c->line, "%s", wrong);
			sound = false;
			continue;
		}
		f = typedesc_field(t, l.key);
		if (f == NULL || !sconf_has_field(f)) {
			unknown_key(d, c, t, l.key);
			sound = false;
			continue;
		}
		unsigned *line = &seen[f - t->fields];
		if (*line) {
			sconf_errorf(d->r, c->line, "duplicate key \"%s\", first in line %u", f->name, *line);
			continue;
		}
		*line = c->line;
		decode_field(d, c, &l, f, (char *)v + f->offset);
	}
	/* What looks missing may be what could not be read. */
	for (size_t i = 0; i < t->nfields && sound; i++)
		if (!seen[i] && !(t->fields[i].flags & TYPEDESC_OPTIONAL) && sconf_has_field(&t->fields[i]))
			sconf_errorf(d->r, n->last, "missing required key \"%s\"%s" STRF, t->fields[i].name,
			    n->line ? " in " : "", STRA(n->text));
}

static void
decode_list(struct dec *d, const struct sconf_node *n, const struct typedesc *t, struct typedesc_list *list)
{
	struct sconf_line l;

	list->n = n->n;
	list->v = arena_allocn(d->a, n->n, t->elem->size);
	for (size_t i = 0; i < n->n; i++) {
		const char *wrong = sconf_split_item(n->v[i].text, &l);

		if (wrong)
			sconf_errorf(d->r, n->v[i].line, "%s", wrong);
		else
			decode(d, &n->v[i], &l, t->elem, false, (char *)list->v + i * t->elem->size);
	}
}

/* A line of a map, for sorting: by key, then as they stand. */
struct entry {
	struct sconf_line l;
	const struct sconf_node *n;
};

static int
cmp_entries(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int c = str_cmp(a->l.key, b->l.key);

	return c ? c : a->n->line < b->n->line ? -1 : 1;
}

static void
decode_map(struct dec *d, const struct sconf_node *n, const struct typedesc *t, struct typedesc_list *map)
{
	struct entry *e = ARENA_NEWN(d->a, n->n, struct entry);
	size_t count = 0;

	for (size_t i = 0; i < n->n; i++) {
		const char *wrong = sconf_split_entry(n->v[i].text, &e[count].l);

		if (!wrong && (!utf8_valid(e[count].l.key) || str_has(e[count].l.key, '\0')))
			wrong = "the key is not valid UTF-8";
		e[count].n = &n->v[i];
		if (wrong)
			sconf_errorf(d->r, n->v[i].line, "%s", wrong);
		else
			count++;
	}
	qsort(e, count, sizeof(*e), cmp_entries);
	map->v = arena_allocn(d->a, count, t->stride);
	for (size_t i = 0; i < count; i++) {
		if (i && str_is(e[i].l.key, e[i - 1].l.key)) {
			struct str shown = str_log(d->r->a, e[i].l.key, 60);

			sconf_errorf(d->r, e[i].n->line, "duplicate key \"" STRF "\"", STRA(shown));
			continue;
		}
		char *at = (char *)map->v + map->n++ * t->stride;
		*(struct str *)(void *)at = str_dup(d->a, e[i].l.key);
		decode(d, e[i].n, &e[i].l, t->elem, true, at + t->value_off);
	}
}

/* A struct, list or map stands in a block of its own. */
static void
decode_block(
    struct dec *d, const struct sconf_node *n, const struct sconf_line *l, const struct typedesc *t, bool in_map, void *v)
{
	bool nil = l->has_value && str_is(l->value, S("nil"));

	if (nil && n->n == 0 && (in_map || t->kind == TYPEDESC_LIST || t->kind == TYPEDESC_MAP))
		return;
	if (l->has_value) {
		sconf_errorf(d->r, n->line, "expected an indented block below, not a value");
		return;
	}
	if (n->n == 0) {
		sconf_errorf(d->r, n->line, "expected an indented block below");
		return;
	}
	if (t->kind == TYPEDESC_STRUCT)
		decode_struct(d, n, t, v);
	else if (t->kind == TYPEDESC_LIST)
		decode_list(d, n, t, v);
	else
		decode_map(d, n, t, v);
}

static void
decode(struct dec *d, const struct sconf_node *n, const struct sconf_line *l, const struct typedesc *t, bool in_map, void *v)
{
	if (t->kind == TYPEDESC_PTR) {
		void *p = typedesc_new(d->a, t->elem);

		memcpy(v, &p, sizeof(p));
		decode(d, n, l, t->elem, in_map, p);
	} else if (sconf_is_scalar(t)) {
		decode_scalar(d, n, l, t, v);
	} else {
		decode_block(d, n, l, t, in_map, v);
	}
}

int
sconf_decode(struct arena *a, const struct sconf_node *root, const struct typedesc *t, void *v, struct sconf_report *r)
{
	struct dec d = { a, r };
	size_t before = r->errors.n;

	decode_struct(&d, root, t, v);
	return r->errors.n > before ? ERR_INVALID : 0;
}

int
sconf_read(struct arena *a, struct str text, const struct typedesc *t, void *v, struct sconf_node *r_root, struct sconf_report *r)
{
	struct sconf_node root;
	int parsed = sconf_parse(a, text, &root, r), decoded;

	if (r_root)
		*r_root = root;
	if (text.n > LIMIT_CONFIG_SIZE)
		return parsed;
	decoded = sconf_decode(a, &root, t, v, r);
	return parsed < 0 ? parsed : decoded;
}
