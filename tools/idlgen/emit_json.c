/* SPDX-License-Identifier: MIT */
/*
 * api.json: the API for other programs, in the form of sherpadoc, which existing client generators read: types as lists of
 * words, "[]", "{}" and "nullable" before the type they apply to.
 */
#include "idl.h"

static void
string(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c < 0x20)
			buf_addf(b, "\\u%04x", c);
		else
			buf_addc(b, (char)c);
	}
	buf_addc(b, '"');
}

static void
member(struct buf *b, const char *name, struct str v)
{
	buf_addf(b, "\"%s\": ", name);
	string(b, v);
}

static struct str
word(const struct idl_type *t)
{
	static const struct {
		const char *idl, *sherpa;
	} words[] = {
		{ "bool", "bool" },
		{ "i32", "int32" },
		{ "u32", "uint32" },
		{ "i64", "int64" },
		{ "f64", "float64" },
		{ "string", "string" },
		{ "bytes", "string" },
		{ "time", "timestamp" },
		{ "duration", "int64" },
		{ "json", "any" },
	};

	if (t->kind == IDL_NAMED)
		return t->decl->name;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(t->name, str_of(words[i].idl)))
			return str_of(words[i].sherpa);
	bug("no simple type");
}

static void
typewords(struct buf *b, const struct idl_type *t)
{
	buf_addz(b, "\"Typewords\": [");
	for (; t->kind != IDL_PRIM && t->kind != IDL_NAMED; t = t->elem) {
		if (t->nullable || t->kind == IDL_OPT)
			buf_addz(b, "\"nullable\", ");
		if (t->kind != IDL_OPT)
			buf_addf(b, "\"%s\", ", t->kind == IDL_LIST ? "[]" : "{}");
	}
	string(b, word(t));
	buf_addc(b, ']');
}

static void
fields(struct arena *a, struct buf *b, const char *name, const struct idl_decl *d, bool docs)
{
	struct idl_flats flat = { 0 };
	const char *sep = "";

	idl_flatten(a, d, &flat);
	buf_addf(b, ", \"%s\": [", name);
	for (size_t i = 0; i < flat.n; i++) {
		const struct idl_field *f = flat.v[i].f;

		if (f->internal)
			continue;
		buf_addf(b, "%s\n\t\t\t{ ", sep);
		member(b, "Name", f->text);
		if (docs) {
			buf_addz(b, ", ");
			member(b, "Docs", f->doc);
		}
		buf_addz(b, ", ");
		typewords(b, f->type);
		buf_addz(b, " }");
		sep = ",";
	}
	buf_addc(b, ']');
}

static void
emit_enum(struct buf *b, const struct idl_decl *d)
{
	buf_addz(b, ", \"Values\": [");
	for (size_t i = 0; i < d->nvalues; i++) {
		buf_addf(b, "%s\n\t\t\t{ ", i ? "," : "");
		member(b, "Name", d->values[i].name);
		buf_addz(b, ", ");
		member(b, "Value", d->values[i].text);
		buf_addz(b, ", ");
		member(b, "Docs", d->values[i].doc);
		buf_addz(b, " }");
	}
	buf_addc(b, ']');
}

static void
types(struct arena *a, struct buf *b, const char *name, const struct idl_decls *used, enum idl_decl_kind kind)
{
	const char *sep = "";

	buf_addf(b, ",\n\t\"%s\": [", name);
	for (size_t i = 0; i < used->n; i++) {
		const struct idl_decl *d = used->v[i];

		if (d->kind != kind)
			continue;
		buf_addf(b, "%s\n\t\t{ ", sep);
		member(b, "Name", d->name);
		buf_addz(b, ", ");
		member(b, "Docs", d->doc);
		if (kind == IDL_STRUCT)
			fields(a, b, "Fields", d, true);
		else
			emit_enum(b, d);
		buf_addz(b, " }");
		sep = ",";
	}
	buf_addc(b, ']');
}

void
idl_emit_json(struct arena *a, struct buf *b, const struct idl_file *f)
{
	struct idl_decls used = { 0 };

	idl_used(a, f, &used);
	buf_addz(b, "{\n\t");
	member(b, "Name", f->base);
	buf_addz(b, ",\n\t");
	member(b, "Docs", f->doc);
	buf_addz(b, ",\n\t\"Functions\": [");
	for (size_t i = 0; i < f->nfuncs; i++) {
		const struct idl_func *fn = f->funcs[i];

		buf_addf(b, "%s\n\t\t{ ", i ? "," : "");
		member(b, "Name", fn->name);
		buf_addz(b, ", ");
		member(b, "Docs", fn->doc);
		fields(a, b, "Params", &fn->in, false);
		fields(a, b, "Returns", &fn->out, false);
		buf_addz(b, " }");
	}
	buf_addz(b, "],\n\t\"Sections\": []");
	types(a, b, "Structs", &used, IDL_STRUCT);
	buf_addz(b, ",\n\t\"Ints\": []");
	types(a, b, "Strings", &used, IDL_ENUM);
	buf_addz(b, ",\n\t\"SherpaVersion\": 0,\n\t\"SherpadocVersion\": 1\n}\n");
}
