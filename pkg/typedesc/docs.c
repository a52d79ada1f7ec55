/* SPDX-License-Identifier: MIT */
/* Documentation of an API as text. */
#include "base/timeutil.h"
#include "typedesc/typedesc_internal.h"

struct docs {
	struct buf *b;
	struct arena a;
	const struct typedesc **used; /* structs and enums seen, in order */
	size_t n, cap;
};

static void
use(struct docs *d, const struct typedesc *t)
{
	while (t->elem)
		t = t->elem;
	if (t->kind != TYPEDESC_STRUCT && t->kind != TYPEDESC_ENUM)
		return;
	for (size_t i = 0; i < d->n; i++)
		if (d->used[i] == t)
			return;
	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 16;

		d->used = arena_grow(&d->a, d->used, d->n, cap, sizeof(*d->used));
		d->cap = cap;
	}
	d->used[d->n++] = t;
}

static void
lines(struct docs *d, const char *indent, const char *doc)
{
	struct str rest = str_of(doc);

	while (rest.n) {
		struct str line = str_split(&rest, '\n');

		buf_addf(d->b, "%s" STRF "\n", indent, STRA(line));
	}
}

static void
bound(struct docs *d, const struct typedesc_field *f, const char *what, int64_t v)
{
	const struct typedesc *t = f->type->kind == TYPEDESC_PTR ? f->type->elem : f->type;

	if (t->kind == TYPEDESC_DURATION)
		buf_addf(d->b, ", %s " STRF, what, STRA(time_duration(&d->a, v)));
	else
		buf_addf(d->b, ", %s %lld", what, (long long)v);
}

static void
field(struct docs *d, const struct typedesc_field *f)
{
	buf_addf(d->b, "\t%s %s", f->name, f->type->name);
	if (f->flags & TYPEDESC_OPTIONAL)
		buf_addz(d->b, ", optional");
	if (f->flags & TYPEDESC_DERIVED)
		buf_addz(d->b, ", derived");
	if (f->flags & TYPEDESC_DEPRECATED)
		buf_addz(d->b, ", deprecated");
	if (f->flags & TYPEDESC_SECRET)
		buf_addz(d->b, ", secret");
	if (f->def)
		buf_addf(d->b, ", default %s", f->def);
	if (f->flags & TYPEDESC_HAS_MIN)
		bound(d, f, "at least", f->min);
	if (f->flags & TYPEDESC_HAS_MAX)
		bound(d, f, "at most", f->max);
	buf_addc(d->b, '\n');
	lines(d, "\t\t", f->doc);
}

static void
params(struct docs *d, const struct typedesc *t)
{
	for (size_t i = 0; i < t->nfields; i++) {
		buf_addf(d->b, "%s%s %s", i ? ", " : "", t->fields[i].name, t->fields[i].type->name);
		use(d, t->fields[i].type);
	}
}

static void
func(struct docs *d, const struct typedesc_func *f)
{
	buf_addf(d->b, "%s(", f->name);
	params(d, f->in);
	buf_addz(d->b, f->out->nfields ? ") (" : ")");
	params(d, f->out);
	buf_addz(d->b, f->out->nfields ? ")\n" : "\n");
	lines(d, "\t", f->doc);
	if (f->errors[0])
		buf_addz(d->b, "\tErrors:");
	for (size_t i = 0; f->errors[i]; i++)
		buf_addf(d->b, " %s", f->errors[i]);
	buf_addz(d->b, f->errors[0] ? "\n\n" : "\n");
}

static void
type(struct docs *d, const struct typedesc *t)
{
	buf_addf(d->b, "%s\n", t->name);
	lines(d, "\t", t->doc);
	for (size_t i = 0; i < t->nvalues; i++) {
		buf_addf(d->b, "\t\"%s\"\n", t->values[i].text);
		lines(d, "\t\t", t->values[i].doc);
	}
	for (size_t i = 0; i < t->nfields; i++) {
		if (t->fields[i].flags & TYPEDESC_INTERNAL)
			continue;
		field(d, &t->fields[i]);
		use(d, t->fields[i].type);
	}
	buf_addc(d->b, '\n');
}

void
typedesc_docs(struct buf *b, const struct typedesc_api *api)
{
	struct docs d = { .b = b };

	buf_addf(b, "%s\n", api->name);
	lines(&d, "", api->doc);
	buf_addz(b, "\nFunctions\n\n");
	for (size_t i = 0; i < api->nfuncs; i++)
		func(&d, &api->funcs[i]);
	buf_addz(b, "Types\n\n");
	for (size_t i = 0; i < d.n; i++) /* grows while it is walked */
		type(&d, d.used[i]);
	arena_done(&d.a);
}
