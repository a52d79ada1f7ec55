/* SPDX-License-Identifier: MIT */
/* What the emitters share. */
#include "idl.h"

static void
flatten(struct arena *a, const struct idl_decl *d, struct str prefix, struct idl_flats *r)
{
	for (size_t i = 0; i < d->fields.n; i++) {
		const struct idl_field *f = &d->fields.v[i];
		struct str path = prefix.n ? str_fmt(a, STRF "." STRF, STRA(prefix), STRA(f->c)) : f->c;

		if (f->embed)
			flatten(a, f->type->decl, path, r);
		else
			*IDL_PUSH(a, r->v, r->n, r->cap) = (struct idl_flat){ f, path };
	}
}

void
idl_flatten(struct arena *a, const struct idl_decl *d, struct idl_flats *r_flat)
{
	flatten(a, d, (struct str){ 0 }, r_flat);
}

static void
use(struct arena *a, const struct idl_decl *d, struct idl_decls *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i] == d)
			return;
	*IDL_PUSH(a, r->v, r->n, r->cap) = d;
}

/* Adds what the fields name, then what those name, until nothing new comes. */
static void
use_fields(struct arena *a, const struct idl_decl *d, struct idl_decls *r)
{
	struct idl_flats flat = { 0 };

	idl_flatten(a, d, &flat);
	for (size_t i = 0; i < flat.n; i++) {
		const struct idl_type *t = flat.v[i].f->type;

		while (t->kind != IDL_PRIM && t->kind != IDL_NAMED)
			t = t->elem;
		if (t->kind == IDL_NAMED && !flat.v[i].f->internal)
			use(a, t->decl, r);
	}
}

void
idl_used(struct arena *a, const struct idl_file *f, struct idl_decls *r_used)
{
	for (size_t i = 0; i < f->nfuncs; i++) {
		use_fields(a, &f->funcs[i]->in, r_used);
		use_fields(a, &f->funcs[i]->out, r_used);
	}
	if (f->nfuncs == 0)
		for (size_t i = 0; i < f->ndecls; i++)
			if (f->decls[i]->kind != IDL_ROW)
				use(a, f->decls[i], r_used);
	for (size_t i = 0; i < r_used->n; i++)
		use_fields(a, r_used->v[i], r_used);
}

void
idl_quote(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\n')
			buf_addz(b, "\\n");
		else if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			buf_addf(b, "\\%03o", c);
		else
			buf_addc(b, (char)c);
	}
	buf_addc(b, '"');
}
