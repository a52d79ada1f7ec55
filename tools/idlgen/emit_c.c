/* SPDX-License-Identifier: MIT */
/* The source: descriptor tables. */
#include "base/timeutil.h"
#include "ctype.h"

static void
emit_derived(struct arena *a, struct buf *b, const struct idl_file *f, const struct derived *d)
{
	const struct idl_type *t = d->t;

	buf_addf(b, "static const struct typedesc " STRF " = {\n\t.kind = TYPEDESC_%s, .nullable = %s, .name = ", STRA(d->name),
	    pick(t, "LIST", "MAP", "PTR"), t->nullable ? "true" : "false");
	idl_quote(b, idlname(a, t));
	buf_addf(b, ", .doc = \"\",\n\t.size = sizeof(%s), .elem = " STRF, t->kind == IDL_OPT ? "void *" : "struct typedesc_list",
	    STRA(cdesc(a, f, t->elem)));
	if (t->kind == IDL_MAP) {
		struct str name = cname(a, f, t);

		name = str_upto(name, name.n - 4);
		buf_addf(b, ",\n\t.stride = sizeof(struct " STRF "_entry), .value_off = offsetof(struct " STRF "_entry, v)",
		    STRA(name), STRA(name));
	}
	buf_addz(b, ",\n};\n");
}

/* A bound as a C constant: durations in microseconds. */
static void
emit_bound(struct buf *b, const char *name, const struct idl_field *f, struct str v)
{
	const struct idl_type *t = f->type->kind == IDL_OPT ? f->type->elem : f->type;
	int64_t i = 0;

	if (v.p == NULL)
		return;
	if (t->kind == IDL_PRIM && str_is(t->name, S("duration")) ? time_parse_duration(v, &i) < 0 : str_i64(v, &i) < 0)
		bug("bound not checked");
	buf_addf(b, ", .%s = INT64_C(%lld)", name, (long long)i);
}

static void
emit_flags(struct buf *b, const struct idl_field *f)
{
	const struct {
		bool on;
		const char *name;
	} flags[] = {
		{ f->optional, "OPTIONAL" },
		{ f->deprecated, "DEPRECATED" },
		{ f->internal, "INTERNAL" },
		{ f->derived, "DERIVED" },
		{ f->secret, "SECRET" },
		{ f->omitempty, "OMITEMPTY" },
		{ f->min.p != NULL, "HAS_MIN" },
		{ f->max.p != NULL, "HAS_MAX" },
	};
	const char *sep = ", .flags = ";

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (!flags[i].on)
			continue;
		buf_addf(b, "%sTYPEDESC_%s", sep, flags[i].name);
		sep = " | ";
	}
}

static void
emit_struct(struct arena *a, struct buf *b, const struct idl_file *f, const struct idl_decl *d, bool global)
{
	struct idl_flats flat = { 0 };

	idl_flatten(a, d, &flat);
	if (flat.n)
		buf_addf(b, "static const struct typedesc_field " STRF "_fields[] = {\n", STRA(d->c));
	for (size_t i = 0; i < flat.n; i++) {
		const struct idl_field *fl = flat.v[i].f;

		buf_addz(b, "\t{ .name = ");
		idl_quote(b, fl->text);
		buf_addf(b, ", .type = " STRF ", .offset = offsetof(struct " STRF ", " STRF ")", STRA(cdesc(a, f, fl->type)),
		    STRA(d->c), STRA(flat.v[i].path));
		emit_flags(b, fl);
		emit_bound(b, "min", fl, fl->min);
		emit_bound(b, "max", fl, fl->max);
		if (fl->has_def) {
			buf_addz(b, ", .def = ");
			idl_quote(b, fl->def);
		}
		buf_addz(b, ",\n\t  .doc = ");
		idl_quote(b, fl->doc);
		buf_addz(b, " },\n");
	}
	if (flat.n)
		buf_addz(b, "};\n");
	buf_addf(b, "%sconst struct typedesc " STRF "_desc = {\n\t.kind = TYPEDESC_STRUCT, .name = ", global ? "" : "static ",
	    STRA(d->c));
	idl_quote(b, d->name);
	buf_addf(b, ", .size = sizeof(struct " STRF "), ", STRA(d->c));
	if (flat.n)
		buf_addf(b, ".fields = " STRF "_fields, .nfields = %zu,", STRA(d->c), flat.n);
	buf_addz(b, "\n\t.doc = ");
	idl_quote(b, d->doc);
	buf_addz(b, ",\n};\n\n");
}

static void
emit_enum(struct buf *b, const struct idl_decl *d)
{
	buf_addf(b, "static const struct typedesc_value " STRF "_values[] = {\n", STRA(d->c));
	for (size_t i = 0; i < d->nvalues; i++) {
		buf_addz(b, "\t{ ");
		idl_quote(b, d->values[i].text);
		buf_addz(b, ", ");
		idl_quote(b, d->values[i].doc);
		buf_addf(b, ", %zu },\n", d->values[i].text.n ? i + 1 : 0);
	}
	buf_addf(b, "};\nconst struct typedesc " STRF "_desc = {\n\t.kind = TYPEDESC_ENUM, .name = ", STRA(d->c));
	idl_quote(b, d->name);
	buf_addf(b, ", .size = sizeof(enum " STRF "), .values = " STRF "_values, .nvalues = %zu,\n\t.doc = ", STRA(d->c),
	    STRA(d->c), d->nvalues);
	idl_quote(b, d->doc);
	buf_addz(b, ",\n};\n\n");
}

static void
emit_row(struct buf *b, const struct idl_decl *d)
{
	static const struct {
		const char *kind, *name;
	} kinds[] = {
		{ "i64", "I64" },
		{ "bool", "BOOL" },
		{ "real", "F64" },
		{ "text", "STRING" },
		{ "blob", "BYTES" },
	};

	buf_addf(b, "static const struct typedesc_column " STRF "_cols[] = {\n", STRA(d->c));
	for (size_t i = 0; i < d->ncols; i++) {
		const struct idl_column *c = &d->cols[i];

		buf_addf(b, "\t{ \"" STRF "\", ", STRA(c->name));
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			if (str_is(c->kind, str_of(kinds[k].kind)))
				buf_addf(b, "TYPEDESC_%s", kinds[k].name);
		buf_addf(b, ", offsetof(struct " STRF ", " STRF "), ", STRA(d->c), STRA(c->name));
		if (c->nullable)
			buf_addf(b, "offsetof(struct " STRF ", has_" STRF ") },\n", STRA(d->c), STRA(c->name));
		else
			buf_addz(b, "0 },\n");
	}
	buf_addf(b,
	    "};\nconst struct typedesc_row " STRF "_row = { \"" STRF "\", sizeof(struct " STRF "), " STRF "_cols, %zu };\n\n",
	    STRA(d->c), STRA(d->name), STRA(d->c), STRA(d->c), d->ncols);
}

/* A handler takes its own types; the table has one type for all. */
static void
emit_call(struct buf *b, const struct idl_func *fn)
{
	buf_addf(b,
	    "static int\ncall_" STRF "(struct apictx *c, const void *in, void *out)\n{\n\treturn " STRF "(c, in, out);\n}\n",
	    STRA(fn->c), STRA(fn->c));
	if (fn->errors.n == 0)
		return;
	buf_addf(b, "static const char *const " STRF "_errors[] = { ", STRA(fn->c));
	for (size_t i = 0; i < fn->errors.n; i++) {
		idl_quote(b, fn->errors.v[i]);
		buf_addz(b, ", ");
	}
	buf_addz(b, "NULL };\n");
}

static void
emit_api(struct arena *a, struct buf *b, const struct idl_file *f)
{
	for (size_t i = 0; i < f->nfuncs; i++) {
		emit_struct(a, b, f, &f->funcs[i]->in, false);
		emit_struct(a, b, f, &f->funcs[i]->out, false);
		emit_call(b, f->funcs[i]);
	}
	buf_addz(b, "static const char *const no_errors[] = { NULL };\n\n");
	buf_addf(b, "static const struct typedesc_func funcs[] = {\n");
	for (size_t i = 0; i < f->nfuncs; i++) {
		const struct idl_func *fn = f->funcs[i];

		buf_addz(b, "\t{ .name = ");
		idl_quote(b, fn->name);
		buf_addf(b, ", .in = &" STRF "_desc, .out = &" STRF "_desc, .call = call_" STRF ", .errors = ", STRA(fn->in.c),
		    STRA(fn->out.c), STRA(fn->c));
		if (fn->errors.n)
			buf_addf(b, STRF "_errors", STRA(fn->c));
		else
			buf_addz(b, "no_errors");
		buf_addz(b, ",\n\t  .doc = ");
		idl_quote(b, fn->doc);
		buf_addz(b, " },\n");
	}
	buf_addf(b,
	    "};\nconst struct typedesc_api " STRF "_" STRF "_api = { .name = \"" STRF
	    "\", .funcs = funcs, .nfuncs = %zu, .doc = ",
	    STRA(f->pkg), STRA(f->base), STRA(f->base), f->nfuncs);
	idl_quote(b, f->doc);
	buf_addz(b, " };\n\n");
}

void
idl_emit_c(struct arena *a, struct buf *b, const struct idl_file *f)
{
	struct deriveds ds = { 0 };
	size_t ntypes = 0;

	derive(a, f, &ds);
	buf_addf(b, "/* Made by idlgen from " STRF ". */\n#include \"" STRF "/" STRF "_idl.h\"\n\n", STRA(f->path), STRA(f->pkg),
	    STRA(f->base));
	for (size_t i = 0; i < ds.n; i++)
		emit_derived(a, b, f, &ds.v[i]);
	buf_addc(b, '\n');
	for (size_t i = 0; i < f->ndecls; i++) {
		switch (f->decls[i]->kind) {
		case IDL_STRUCT: emit_struct(a, b, f, f->decls[i], true); break;
		case IDL_ENUM: emit_enum(b, f->decls[i]); break;
		case IDL_ROW: emit_row(b, f->decls[i]); break;
		}
	}
	if (f->nfuncs)
		emit_api(a, b, f);
	buf_addf(b, "const struct typedesc *const " STRF "_" STRF "_types[] = {\n", STRA(f->pkg), STRA(f->base));
	for (size_t i = 0; i < f->ndecls; i++) {
		if (f->decls[i]->kind != IDL_STRUCT)
			continue;
		buf_addf(b, "\t&" STRF "_desc,\n", STRA(f->decls[i]->c));
		ntypes++;
	}
	buf_addf(b, "\tNULL\n};\nconst size_t " STRF "_" STRF "_ntypes = %zu;\n", STRA(f->pkg), STRA(f->base), ntypes);
}
