/* SPDX-License-Identifier: MIT */
/* The header: C types, macros of columns, prototypes of handlers. */
#include "ctype.h"

static void
emit_doc(struct buf *b, struct str doc, const char *indent)
{
	if (doc.n == 0)
		return;
	if (!str_has(doc, '\n')) {
		buf_addf(b, "%s/* " STRF " */\n", indent, STRA(doc));
		return;
	}
	buf_addf(b, "%s/*\n", indent);
	while (doc.n) {
		struct str line = str_split(&doc, '\n');

		buf_addf(b, "%s *%s" STRF "\n", indent, line.n ? " " : "", STRA(line));
	}
	buf_addf(b, "%s */\n", indent);
}

static void
emit_enum(struct arena *a, struct buf *b, const struct idl_decl *d)
{
	struct str prefix = str_upper(a, d->c);
	bool has_zero = false;

	for (size_t i = 0; i < d->nvalues; i++)
		has_zero |= d->values[i].text.n == 0;
	emit_doc(b, d->doc, "");
	buf_addf(b, "enum " STRF " {\n", STRA(d->c));
	if (!has_zero)
		buf_addf(b, "\t" STRF "_UNSET = 0,\n", STRA(prefix));
	for (size_t i = 0; i < d->nvalues; i++) {
		const struct idl_value *v = &d->values[i];

		emit_doc(b, v->doc, "\t");
		buf_addf(b, "\t" STRF "_" STRF " = %zu,\n", STRA(prefix), STRA(str_upper(a, idl_lower(a, v->name))),
		    v->text.n ? i + 1 : 0);
	}
	buf_addz(b, "};\n\n");
}

/* A member: "struct str x;", "bool *x;". */
static void
emit_member(struct arena *a, struct buf *b, const struct idl_file *f, const struct idl_type *t, struct str name)
{
	struct str c = ctype(a, f, t);

	buf_addf(b, "\t" STRF "%s" STRF ";\n", STRA(c), str_ends(c, S("*")) ? "" : " ", STRA(name));
}

static void
emit_list(struct arena *a, struct buf *b, struct str c, struct str name)
{
	(void)a;
	buf_addf(b, "struct " STRF "_list { " STRF "%s*v; size_t n; bool null; };\n", STRA(name), STRA(c),
	    str_ends(c, S("*")) ? "" : " ");
	buf_addf(b, "struct " STRF "_map { struct " STRF "_entry *v; size_t n; bool null; };\n", STRA(name), STRA(name));
}

static void
emit_entry(struct buf *b, struct str c, struct str name)
{
	buf_addf(
	    b, "struct " STRF "_entry { struct str k; " STRF "%sv; };\n", STRA(name), STRA(c), str_ends(c, S("*")) ? "" : " ");
}

static void
emit_fields(struct arena *a, struct buf *b, const struct idl_decl *d)
{
	buf_addf(b, "struct " STRF " {\n", STRA(d->c));
	for (size_t i = 0; i < d->fields.n; i++) {
		emit_doc(b, d->fields.v[i].doc, "\t");
		emit_member(a, b, d->file, d->fields.v[i].type, d->fields.v[i].c);
	}
	if (d->fields.n == 0)
		buf_addz(b, "\tchar none;\n");
	buf_addz(b, "};\n");
}

/* Structs and the maps' entries, each after what it contains. */
struct order {
	const struct idl_decl **v;
	size_t n, cap;
};

static void emit_struct(struct arena *a, struct buf *b, const struct idl_decl *d, struct order *done);

static void
emit_needed(struct arena *a, struct buf *b, const struct idl_file *f, const struct idl_decl *d, struct order *done)
{
	for (size_t i = 0; i < d->fields.n; i++) {
		const struct idl_type *t = d->fields.v[i].type;

		if (t->kind == IDL_NAMED && t->decl->kind == IDL_STRUCT && t->decl->file == f)
			emit_struct(a, b, t->decl, done);
	}
}

static void
emit_struct(struct arena *a, struct buf *b, const struct idl_decl *d, struct order *done)
{
	for (size_t i = 0; i < done->n; i++)
		if (done->v[i] == d)
			return;
	*IDL_PUSH(a, done->v, done->n, done->cap) = d;
	emit_needed(a, b, d->file, d, done);
	emit_doc(b, d->doc, "");
	emit_fields(a, b, d);
	emit_entry(b, str_cat(a, S("struct "), d->c), d->c);
	buf_addc(b, '\n');
}

static void
emit_row(struct arena *a, struct buf *b, const struct idl_decl *d)
{
	static const struct {
		const char *kind, *c;
	} types[] = {
		{ "i64", "int64_t " },
		{ "bool", "bool " },
		{ "real", "double " },
		{ "text", "struct str " },
		{ "blob", "struct str " },
	};

	emit_doc(b, d->doc, "");
	buf_addf(b, "struct " STRF " {\n", STRA(d->c));
	for (size_t i = 0; i < d->ncols; i++) {
		const struct idl_column *c = &d->cols[i];

		emit_doc(b, c->doc, "\t");
		for (size_t k = 0; k < ARRAY_LEN(types); k++)
			if (str_is(c->kind, str_of(types[k].kind)))
				buf_addf(b, "\t%s" STRF ";\n", types[k].c, STRA(c->name));
		if (c->nullable)
			buf_addf(b, "\tbool has_" STRF ";\n", STRA(c->name));
	}
	buf_addf(b, "};\n#define " STRF "_COLUMNS \"", STRA(str_upper(a, d->c)));
	for (size_t i = 0; i < d->ncols; i++)
		buf_addf(b, "%s" STRF, i ? ", " : "", STRA(d->cols[i].name));
	buf_addf(b, "\"\nextern const struct typedesc_row " STRF "_row;\n\n", STRA(d->c));
}

static void
emit_func(struct arena *a, struct buf *b, const struct idl_func *fn)
{
	emit_fields(a, b, &fn->in);
	emit_fields(a, b, &fn->out);
	emit_doc(b, fn->doc, "");
	buf_addf(b, "int " STRF "(struct apictx *c, const struct " STRF " *in, struct " STRF " *out) must_use_;\n\n", STRA(fn->c),
	    STRA(fn->in.c), STRA(fn->out.c));
}

void
idl_emit_h(struct arena *a, struct buf *b, const struct idl_file *f)
{
	struct str guard = str_fmt(a, STRF "_" STRF "_IDL_H", STRA(str_upper(a, f->pkg)), STRA(str_upper(a, f->base)));
	struct deriveds ds = { 0 };
	struct order done = { 0 };

	derive(a, f, &ds);
	buf_addf(b, "/* Made by idlgen from " STRF ". */\n", STRA(f->path));
	buf_addf(b, "#ifndef " STRF "\n#define " STRF "\n\n", STRA(guard), STRA(guard));
	buf_addz(b, "#include \"typedesc/typedesc.h\"\n");
	for (size_t i = 0; i < f->nimports; i++)
		buf_addf(b, "#include \"" STRF "/" STRF "_idl.h\"\n", STRA(f->imports[i]->pkg), STRA(f->imports[i]->base));
	buf_addc(b, '\n');
	emit_doc(b, f->doc, "");
	buf_addc(b, '\n');
	for (size_t i = 0; i < f->ndecls; i++)
		if (f->decls[i]->kind == IDL_ENUM)
			emit_enum(a, b, f->decls[i]);
	for (size_t i = 0; i < f->ndecls; i++) {
		const struct idl_decl *d = f->decls[i];

		if (d->kind == IDL_ENUM) {
			emit_list(a, b, str_cat(a, S("enum "), d->c), d->c);
			emit_entry(b, str_cat(a, S("enum "), d->c), d->c);
		} else if (d->kind == IDL_STRUCT) {
			buf_addf(b, "struct " STRF ";\n", STRA(d->c));
			emit_list(a, b, str_cat(a, S("struct "), d->c), d->c);
		}
	}
	for (size_t i = 0; i < ds.n; i++) {
		const struct idl_type *t = ds.v[i].t;
		struct str name = cname(a, f, t);

		if (!ds.v[i].own)
			continue;
		name = str_upto(name, name.n - (t->kind == IDL_LIST ? 5 : 4));
		if (t->kind == IDL_LIST)
			buf_addf(b, "struct " STRF "_list { " STRF " *v; size_t n; bool null; };\n", STRA(name),
			    STRA(ctype(a, f, t->elem)));
		else
			buf_addf(b, "struct " STRF "_map { struct " STRF "_entry *v; size_t n; bool null; };\n", STRA(name),
			    STRA(name));
	}
	buf_addc(b, '\n');
	for (size_t i = 0; i < f->ndecls; i++)
		if (f->decls[i]->kind == IDL_STRUCT)
			emit_struct(a, b, f->decls[i], &done);
	for (size_t i = 0; i < ds.n; i++) {
		const struct idl_type *t = ds.v[i].t;
		struct str name = cname(a, f, t);

		if (ds.v[i].own && t->kind == IDL_MAP)
			emit_entry(b, ctype(a, f, t->elem), str_upto(name, name.n - 4));
	}
	for (size_t i = 0; i < f->ndecls; i++)
		if (f->decls[i]->kind == IDL_ROW)
			emit_row(a, b, f->decls[i]);
	for (size_t i = 0; i < f->nfuncs; i++)
		emit_func(a, b, f->funcs[i]);
	for (size_t i = 0; i < f->ndecls; i++)
		if (f->decls[i]->kind != IDL_ROW)
			buf_addf(b, "extern const struct typedesc " STRF "_desc;\n", STRA(f->decls[i]->c));
	buf_addz(b, "/* All structs above; for tests that go over every type. */\n");
	buf_addf(b,
	    "extern const struct typedesc *const " STRF "_" STRF "_types[];\nextern const size_t " STRF "_" STRF "_ntypes;\n",
	    STRA(f->pkg), STRA(f->base), STRA(f->pkg), STRA(f->base));
	if (f->nfuncs)
		buf_addf(b, "extern const struct typedesc_api " STRF "_" STRF "_api;\n", STRA(f->pkg), STRA(f->base));
	buf_addz(b, "\n#endif\n");
}
