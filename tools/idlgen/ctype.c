/* SPDX-License-Identifier: MIT */
#include "ctype.h"

struct prim {
	const char *name, *c, *base; /* base of lists and maps, which kinds of the same C type share */
};

static const struct prim *
prim(struct str name)
{
	static const struct prim prims[] = {
		{ "bool", "bool", "bool" },
		{ "i32", "int32_t", "i32" },
		{ "u32", "uint32_t", "u32" },
		{ "i64", "int64_t", "i64" },
		{ "f64", "double", "f64" },
		{ "string", "struct str", "str" },
		{ "bytes", "struct str", "str" },
		{ "time", "int64_t", "i64" },
		{ "duration", "int64_t", "i64" },
		{ "json", "struct str", "str" },
		{ "opaque", "void *", "opaque" },
	};

	for (size_t i = 0; i < ARRAY_LEN(prims); i++)
		if (str_is(name, str_of(prims[i].name)))
			return &prims[i];
	bug("no simple type");
}

struct str
ctype(struct arena *a, const struct idl_file *f, const struct idl_type *t)
{
	switch (t->kind) {
	case IDL_PRIM: return str_of(prim(t->name)->c);
	case IDL_NAMED: return str_fmt(a, "%s " STRF, t->decl->kind == IDL_ENUM ? "enum" : "struct", STRA(t->decl->c));
	case IDL_OPT: {
		struct str c = ctype(a, f, t->elem);

		return str_ends(c, S("*")) ? str_cat(a, c, S("*")) : str_cat(a, c, S(" *"));
	}
	case IDL_LIST:
	case IDL_MAP: break;
	}
	return str_cat(a, S("struct "), cname(a, f, t));
}

static bool
is_direct(const struct idl_type *t)
{
	return t->kind == IDL_PRIM || t->kind == IDL_NAMED;
}

/* Maps of these are in typedesc.h. */
static bool
has_map(const struct idl_type *t)
{
	struct str base = str_of(prim(t->name)->base);

	return str_is(base, S("str")) || str_is(base, S("bool")) || str_is(base, S("i64"));
}

static bool
is_own(const struct idl_type *t)
{
	if (!is_direct(t->elem))
		return true;
	return t->kind == IDL_MAP && t->elem->kind == IDL_PRIM && !has_map(t->elem);
}

struct str
cname(struct arena *a, const struct idl_file *f, const struct idl_type *t)
{
	struct str inner;

	if (t->kind == IDL_PRIM)
		return str_fmt(a, "typedesc_%s", prim(t->name)->base);
	if (t->kind == IDL_NAMED)
		return t->decl->c;
	inner = cname(a, f, t->elem);
	if (t->kind == IDL_OPT)
		return str_cat(a, inner, S("_ptr"));
	if (is_own(t)) {
		if (str_starts(inner, S("typedesc_")))
			inner = str_from(inner, 9);
		if (!str_starts(inner, str_cat(a, f->pkg, S("_"))))
			inner = str_fmt(a, STRF "_" STRF, STRA(f->pkg), STRA(inner));
	}
	return str_cat(a, inner, t->kind == IDL_LIST ? S("_list") : S("_map"));
}

const char *
pick(const struct idl_type *t, const char *list, const char *map, const char *opt)
{
	return t->kind == IDL_LIST ? list : t->kind == IDL_MAP ? map : opt;
}

static struct str
derived_name(struct arena *a, const struct idl_type *t)
{
	struct str inner;

	if (t->kind == IDL_PRIM)
		return t->name;
	if (t->kind == IDL_NAMED)
		return t->decl->c;
	inner = derived_name(a, t->elem);
	return str_fmt(a, "%s%s_of_" STRF, t->nullable ? "null_" : "", pick(t, "list", "map", "ptr"), STRA(inner));
}

struct str
cdesc(struct arena *a, const struct idl_file *f, const struct idl_type *t)
{
	(void)f;
	if (t->kind == IDL_PRIM)
		return str_fmt(a, "&typedesc_" STRF, STRA(t->name));
	if (t->kind == IDL_NAMED)
		return str_fmt(a, "&" STRF "_desc", STRA(t->decl->c));
	return str_cat(a, S("&"), derived_name(a, t));
}

struct str
idlname(struct arena *a, const struct idl_type *t)
{
	if (is_direct(t))
		return t->name;
	struct str inner = idlname(a, t->elem);
	return str_fmt(a, "%s%s" STRF, t->nullable ? "?" : "", pick(t, "[]", "map[string]", "?"), STRA(inner));
}

static void
derive_type(struct arena *a, const struct idl_type *t, struct deriveds *r)
{
	if (is_direct(t))
		return;
	derive_type(a, t->elem, r);
	struct str name = derived_name(a, t);
	for (size_t i = 0; i < r->n; i++)
		if (str_is(r->v[i].name, name))
			return;
	*IDL_PUSH(a, r->v, r->n, r->cap) = (struct derived){ t, name, t->kind != IDL_OPT && is_own(t) };
}

static void
derive_fields(struct arena *a, const struct idl_decl *d, struct deriveds *r)
{
	struct idl_flats flat = { 0 };

	idl_flatten(a, d, &flat);
	for (size_t i = 0; i < flat.n; i++)
		derive_type(a, flat.v[i].f->type, r);
}

void
derive(struct arena *a, const struct idl_file *f, struct deriveds *r)
{
	for (size_t i = 0; i < f->ndecls; i++)
		derive_fields(a, f->decls[i], r);
	for (size_t i = 0; i < f->nfuncs; i++) {
		derive_fields(a, &f->funcs[i]->in, r);
		derive_fields(a, &f->funcs[i]->out, r);
	}
}
