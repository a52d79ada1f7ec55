/* SPDX-License-Identifier: MIT */
/*
 * Changing a file: what is equal stays as it was written, the rest is written anew in its place.
 *
 * Implementation notes. Tree, old and new value are walked side by side. Keys keep the order of the file; a new key goes
 * behind the nearest key that comes before it (in the order of the type for structs, of bytes for maps), or to the start.
 * List items are matched by value in order; an item without match takes the lines of an old one at the same place, so that
 * its comments stay.
 */
#include "sconf/sconf_internal.h"

struct rw {
	struct sconf_out o;
	struct arena *a;
};

static void rewrite_block(
    struct rw *w, const struct sconf_node *n, const struct typedesc *t, const void *old_v, const void *new_v);

static void
add_raw(struct rw *w, struct str s)
{
	buf_add(w->o.b, s);
	if (s.n && s.p[s.n - 1] != '\n')
		buf_addc(w->o.b, '\n'); /* the last line of a file may lack it */
}

static void
keep(struct rw *w, const struct sconf_node *n)
{
	add_raw(w, n->above);
	add_raw(w, n->raw);
}

/* What stands above a line that goes: the comment directly above goes too, one before an empty line stays. */
static void
drop(struct rw *w, const struct sconf_node *n)
{
	size_t cut = 0;

	for (size_t i = 0; i < n->above.n; i++)
		if (n->above.p[i] == '\n' && (i == 0 || n->above.p[i - 1] == '\n'))
			cut = i + 1;
	if (str_search(str_upto(n->above, cut), S("#")) >= 0)
		add_raw(w, str_upto(n->above, cut));
}

static const void *
deref(const struct typedesc **t, const void *v)
{
	const void *p = v;

	while ((*t)->kind == TYPEDESC_PTR) {
		memcpy(&p, p, sizeof(p));
		*t = (*t)->elem;
		if (p == NULL)
			break;
	}
	return p;
}

/* A line whose value changes. */
static void
change(struct rw *w, const struct sconf_node *n, struct str head, const struct typedesc *t, const void *old_v, const void *new_v,
    bool in_map)
{
	const struct typedesc *ot = t, *nt = t;

	if (typedesc_equal(t, old_v, new_v)) {
		keep(w, n);
		return;
	}
	add_raw(w, n->above);
	old_v = deref(&ot, old_v);
	new_v = deref(&nt, new_v);
	if (new_v == NULL) {
		sconf_out_fail(&w->o, "a required value is absent", t->name);
	} else if (n->n == 0 || old_v == NULL || (typedesc_is_zero(nt, new_v) && (in_map || nt->kind != TYPEDESC_STRUCT))) {
		sconf_out_value(&w->o, head, nt, new_v, in_map);
		add_raw(w, n->tail);
	} else {
		sconf_out_tabs(&w->o);
		buf_add(w->o.b, head);
		buf_addc(w->o.b, '\n');
		w->o.depth++;
		rewrite_block(w, n, nt, old_v, new_v);
		w->o.depth--;
	}
}

static struct str
head_of(struct rw *w, struct str key)
{
	return str_cat(w->a, key, S(":"));
}

static const struct sconf_node *
find_key(const struct sconf_node *n, struct str key)
{
	struct sconf_line l;

	for (size_t i = 0; i < n->n; i++)
		if (sconf_split_entry(n->v[i].text, &l) == NULL && str_is(l.key, key))
			return &n->v[i];
	return NULL;
}

static bool
stays(const struct sconf_node *n, const struct typedesc_field *f, const void *old_v, const void *new_v)
{
	return find_key(n, str_of(f->name)) &&
	    (sconf_is_written(f, (const char *)new_v + f->offset) ||
		(sconf_has_field(f) &&
		    typedesc_equal(f->type, (const char *)old_v + f->offset, (const char *)new_v + f->offset)));
}

/* Writes fields that the file lacks, from index i until one that it has. */
static size_t
add_fields(struct rw *w, const struct sconf_node *n, const struct typedesc *t, size_t i, const void *old_v, const void *new_v)
{
	size_t added = 0;

	for (; i < t->nfields && !stays(n, &t->fields[i], old_v, new_v); i++) {
		const void *at = (const char *)new_v + t->fields[i].offset;

		if (sconf_is_written(&t->fields[i], at) && !find_key(n, str_of(t->fields[i].name))) {
			sconf_out_field(&w->o, &t->fields[i], at);
			added++;
		}
	}
	return added;
}

static void
rewrite_struct(struct rw *w, const struct sconf_node *n, const struct typedesc *t, const void *old_v, const void *new_v)
{
	size_t written = add_fields(w, n, t, 0, old_v, new_v);
	struct sconf_line l;

	for (size_t i = 0; i < n->n; i++) {
		const struct typedesc_field *f = sconf_split_entry(n->v[i].text, &l) ? NULL : typedesc_field(t, l.key);

		if (f == NULL || !stays(n, f, old_v, new_v)) {
			drop(w, &n->v[i]);
			continue;
		}
		change(w, &n->v[i], head_of(w, l.key), f->type, (const char *)old_v + f->offset, (const char *)new_v + f->offset,
		    false);
		written += 1 + add_fields(w, n, t, (size_t)(f - t->fields) + 1, old_v, new_v);
	}
	if (written == 0 && n->line) {
		const struct typedesc_field *f = sconf_filler(t);

		if (f)
			sconf_out_field(&w->o, f, (const char *)new_v + f->offset);
		else
			sconf_out_fail(&w->o, "an empty value cannot be written", t->name);
	}
}

static const char *
entry(const struct typedesc *t, const struct typedesc_list *m, size_t i)
{
	return (const char *)m->v + i * t->stride;
}

/* Writes the entries from index i on until one that the file has. */
static void
add_entries(struct rw *w, const struct typedesc *t, const struct typedesc_list *new_m, size_t i, const bool *in_file)
{
	for (; i < new_m->n && !in_file[i]; i++)
		sconf_out_entry(
		    &w->o, *(const struct str *)(const void *)entry(t, new_m, i), t->elem, entry(t, new_m, i) + t->value_off);
}

/* The index of a line's entry in the new map, or n if it has none (any more). */
static size_t
index_of(const struct typedesc *t, const struct typedesc_list *old_m, const struct typedesc_list *new_m,
    const struct sconf_node *n, struct sconf_line *r_l)
{
	const char *v = sconf_split_entry(n->text, r_l) == NULL ? typedesc_map_find(t, new_m, r_l->key) : NULL;

	if (v == NULL || typedesc_map_find(t, old_m, r_l->key) == NULL)
		return new_m->n;
	return (size_t)(v - t->value_off - (const char *)new_m->v) / t->stride;
}

static void
rewrite_map(struct rw *w, const struct sconf_node *n, const struct typedesc *t, const struct typedesc_list *old_m,
    const struct typedesc_list *new_m)
{
	bool *in_file = ARENA_NEWN(w->a, new_m->n + 1, bool);
	struct sconf_line l;

	for (size_t i = 0; i < n->n; i++)
		in_file[index_of(t, old_m, new_m, &n->v[i], &l)] = true;
	add_entries(w, t, new_m, 0, in_file);
	for (size_t i = 0; i < n->n; i++) {
		size_t k = index_of(t, old_m, new_m, &n->v[i], &l);

		if (k == new_m->n) {
			drop(w, &n->v[i]);
			continue;
		}
		change(w, &n->v[i], head_of(w, l.key), t->elem, typedesc_map_find(t, old_m, l.key),
		    entry(t, new_m, k) + t->value_off, true);
		add_entries(w, t, new_m, k + 1, in_file);
	}
}

static const void *
item(const struct typedesc *t, const struct typedesc_list *l, size_t i)
{
	return (const char *)l->v + i * t->elem->size;
}

static void
rewrite_list(struct rw *w, const struct sconf_node *n, const struct typedesc *t, const struct typedesc_list *old_l,
    const struct typedesc_list *new_l)
{
	size_t *match = ARENA_NEWN(w->a, new_l->n, size_t), next = 0; /* index + 1 of the old item; 0: none */

	if (n->n != old_l->n) {
		sconf_out_fail(&w->o, "the file is not what it was", t->name);
		return;
	}
	for (size_t i = 0; i < new_l->n; i++) {
		for (size_t k = next; k < old_l->n && !match[i]; k++)
			if (typedesc_equal(t->elem, item(t, old_l, k), item(t, new_l, i)))
				match[i] = next = k + 1;
	}
	next = 0;
	for (size_t i = 0; i < new_l->n; i++) { /* new items take what lies unmatched before the next match */
		size_t limit = old_l->n;

		for (size_t k = i + 1; k < new_l->n && limit == old_l->n; k++)
			if (match[k])
				limit = match[k] - 1;
		if (!match[i] && next < limit)
			match[i] = next + 1;
		if (match[i])
			next = match[i];
		if (match[i])
			change(w, &n->v[match[i] - 1], S("-"), t->elem, item(t, old_l, match[i] - 1), item(t, new_l, i), false);
		else
			sconf_out_value(&w->o, S("-"), t->elem, item(t, new_l, i), false);
	}
}

/* The children of a line, whose value is neither absent nor nil, before and after. */
static void
rewrite_block(struct rw *w, const struct sconf_node *n, const struct typedesc *t, const void *old_v, const void *new_v)
{
	if (t->kind == TYPEDESC_STRUCT)
		rewrite_struct(w, n, t, old_v, new_v);
	else if (t->kind == TYPEDESC_MAP)
		rewrite_map(w, n, t, old_v, new_v);
	else
		rewrite_list(w, n, t, old_v, new_v);
	add_raw(w, n->tail);
}

int
sconf_rewrite(struct arena *a, struct buf *b, const struct sconf_node *root, const struct typedesc *t, const void *old_v,
    const void *new_v, struct errmsg *e)
{
	struct rw w = { .o = { .b = b, .mode = SCONF_WRITE, .e = e }, .a = a };

	rewrite_block(&w, root, t, old_v, new_v);
	return w.o.err;
}
