/* SPDX-License-Identifier: MIT */
/* Names and values of a parsed file: resolved and checked. */
#include <stdlib.h>

#include "base/cur.h"
#include "base/timeutil.h"
#include "parse.h"

struct check {
	struct arena *a;
	struct idl_file *f;
	struct errmsg *e;
	bool failed;
};

static void fail(struct check *c, unsigned line, const char *fmt, ...) printf_(3, 4);
static void
fail(struct check *c, unsigned line, const char *fmt, ...)
{
	va_list ap;
	char text[160];

	if (c->failed)
		return;
	c->failed = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(c->e, ERR_INVALID, STRF ":%u: %s", STRA(c->f->path), line, text);
}

static bool
is_one_of(struct str s, const char *const *list)
{
	for (; *list; list++)
		if (str_is(s, str_of(*list)))
			return true;
	return false;
}

bool
idl_is_prim(struct str name)
{
	static const char *const prims[] = { "bool", "i32", "u32", "i64", "f64", "string", "bytes", "time", "duration", "json",
		"opaque", NULL };

	return is_one_of(name, prims);
}

/* Names become part of C code. */
static void
check_name(struct check *c, struct str name, unsigned line)
{
	static const char *const keywords[] = { "auto", "bool", "break", "case", "char", "const", "continue", "default", "do",
		"double", "else", "enum", "extern", "false", "float", "for", "goto", "if", "inline", "int", "long", "register",
		"restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "true", "typedef", "typeof",
		"union", "unsigned", "void", "volatile", "while", NULL };
	struct cur p = cur_of(name);

	if (!cur_class_has(&cur_alpha, (unsigned char)(name.n ? name.p[0] : 0)))
		fail(c, line, "\"" STRF "\" is no name", STRA(name));
	while (cur_try(&p, '_') || cur_span(&p, &cur_alnum).n)
		continue;
	if (!cur_done(&p))
		fail(c, line, "\"" STRF "\" is no name", STRA(name));
	if (is_one_of(name, keywords))
		fail(c, line, "\"" STRF "\" is a word of C: give another with c=", STRA(name));
}

static const struct idl_decl *
find_decl(const struct idl_file *f, struct str name)
{
	for (size_t i = 0; i < f->ndecls; i++)
		if (str_is(f->decls[i]->name, name))
			return f->decls[i];
	return NULL;
}

static const struct idl_decl *
find(const struct idl_file *f, struct str name)
{
	ssize_t dot = str_find(name, '.');

	if (dot < 0)
		return find_decl(f, name);
	for (size_t i = 0; i < f->nimports; i++)
		if (str_is(f->imports[i]->pkg, str_upto(name, (size_t)dot)))
			return find_decl(f->imports[i], str_from(name, (size_t)dot + 1));
	return NULL;
}

static void
resolve(struct check *c, struct idl_type *t)
{
	const struct idl_type *outer = t;

	for (; t->kind != IDL_PRIM && t->kind != IDL_NAMED; t = t->elem)
		continue;
	if (t->kind == IDL_PRIM) {
		if (t != outer && str_is(t->name, S("opaque")))
			fail(c, t->line, "opaque stands alone");
		return;
	}
	t->decl = find(c->f, t->name);
	if (t->decl == NULL || t->decl->kind == IDL_ROW)
		fail(c, t->line, "unknown type \"" STRF "\"", STRA(t->name));
}

/* The type that a default and, for all but lists and maps, min and max are about. */
static const struct idl_type *
scalar_of(const struct idl_type *t)
{
	return t->kind == IDL_OPT ? t->elem : t;
}

static bool
is_prim(const struct idl_type *t, const char *names)
{
	return t->kind == IDL_PRIM && str_search(str_of(names), t->name) >= 0;
}

static bool
fits(const struct idl_type *t, struct str text)
{
	int64_t i;
	double d;
	char *end, z[64];

	if (is_prim(t, "string"))
		return true;
	if (is_prim(t, "bool"))
		return str_is(text, S("true")) || str_is(text, S("false"));
	if (is_prim(t, "i32 u32 i64"))
		return str_i64(text, &i) == 0;
	if (is_prim(t, "duration"))
		return time_parse_duration(text, &i) == 0;
	if (is_prim(t, "f64")) {
		snprintf(z, sizeof(z), STRF, STRA(text));
		d = strtod(z, &end);
		return text.n > 0 && text.n < sizeof(z) && *end == '\0' && d - d == 0;
	}
	if (t->kind == IDL_NAMED && t->decl && t->decl->kind == IDL_ENUM) {
		for (size_t k = 0; k < t->decl->nvalues; k++)
			if (str_is(t->decl->values[k].text, text))
				return true;
	}
	return false;
}

static void
check_bound(struct check *c, const struct idl_field *f, struct str v)
{
	const struct idl_type *t = scalar_of(f->type);
	int64_t i;

	if (v.p == NULL)
		return;
	if (is_prim(t, "duration") ?
		time_parse_duration(v, &i) == 0 :
		str_i64(v, &i) == 0 && (t->kind == IDL_LIST || t->kind == IDL_MAP || is_prim(t, "i32 u32 i64 f64 string bytes")))
		return;
	fail(c, f->line, "min or max of \"" STRF "\" does not fit its type", STRA(f->name));
}

static void
check_field(struct check *c, struct idl_field *f)
{
	check_name(c, f->c, f->line);
	resolve(c, f->type);
	if (c->failed)
		return;
	if (f->text.n == 0)
		fail(c, f->line, "empty name");
	if (f->type->kind == IDL_PRIM && str_is(f->type->name, S("opaque")) && !f->internal)
		fail(c, f->line, "\"" STRF "\": opaque is for internal fields", STRA(f->name));
	if (f->embed && (f->type->kind != IDL_NAMED || f->type->decl->kind != IDL_STRUCT))
		fail(c, f->line, "only a struct can be embedded");
	if (f->has_def && !fits(scalar_of(f->type), f->def))
		fail(c, f->line, "default of \"" STRF "\" does not fit its type", STRA(f->name));
	if (f->secret && !is_prim(scalar_of(f->type), "string"))
		fail(c, f->line, "\"" STRF "\": only a string can be secret", STRA(f->name));
	check_bound(c, f, f->min);
	check_bound(c, f, f->max);
}

static void
check_fields(struct check *c, const struct idl_decl *d)
{
	const struct idl_fields *fs = &d->fields;
	struct idl_flats flat = { 0 };

	for (size_t i = 0; i < fs->n && !c->failed; i++) {
		check_field(c, &fs->v[i]);
		for (size_t k = 0; k < i; k++)
			if (str_is(fs->v[i].c, fs->v[k].c))
				fail(c, fs->v[i].line, "\"" STRF "\" is there twice in C", STRA(fs->v[i].c));
	}
	if (c->failed || d->mark != 2)
		return;
	idl_flatten(c->a, d, &flat);
	for (size_t i = 0; i < flat.n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_is(flat.v[i].f->text, flat.v[k].f->text))
				fail(c, flat.v[i].f->line, "\"" STRF "\" is there twice", STRA(flat.v[i].f->text));
}

static void
check_values(struct check *c, const struct idl_decl *d)
{
	for (size_t i = 0; i < d->nvalues; i++) {
		check_name(c, d->values[i].name, d->line);
		for (size_t k = 0; k < i; k++)
			if (str_is(d->values[i].name, d->values[k].name) || str_is(d->values[i].text, d->values[k].text))
				fail(c, d->line, "value \"" STRF "\" is there twice", STRA(d->values[i].name));
	}
	if (d->nvalues == 0)
		fail(c, d->line, "enum without values");
}

static void
check_columns(struct check *c, const struct idl_decl *d)
{
	static const char *const kinds[] = { "i64", "bool", "real", "text", "blob", NULL };

	for (size_t i = 0; i < d->ncols; i++) {
		check_name(c, d->cols[i].name, d->line);
		if (!is_one_of(d->cols[i].kind, kinds))
			fail(c, d->line, "unknown kind of column \"" STRF "\"", STRA(d->cols[i].kind));
		for (size_t k = 0; k < i; k++)
			if (str_is(d->cols[i].name, d->cols[k].name))
				fail(c, d->line, "column \"" STRF "\" is there twice", STRA(d->cols[i].name));
	}
	if (d->ncols == 0)
		fail(c, d->line, "row without columns");
}

/* A struct cannot contain itself but through a list, a map or "?". */
static void
check_cycle(struct check *c, struct idl_decl *d, unsigned depth)
{
	if (d->mark == 2 || c->failed)
		return;
	if (d->mark == 1 || depth > 100) {
		fail(c, d->line, "\"" STRF "\" contains itself", STRA(d->name));
		return;
	}
	d->mark = 1;
	for (size_t i = 0; i < d->fields.n; i++) {
		const struct idl_type *t = d->fields.v[i].type;

		for (size_t k = 0; t->kind == IDL_NAMED && k < c->f->ndecls; k++)
			if (c->f->decls[k] == t->decl)
				check_cycle(c, c->f->decls[k], depth + 1);
	}
	d->mark = 2;
}

static void
check_func(struct check *c, struct idl_func *fn)
{
	check_name(c, fn->name, fn->line);
	fn->in.mark = fn->out.mark = 2;
	check_fields(c, &fn->in);
	check_fields(c, &fn->out);
}

int
idl_check(struct arena *a, struct idl_file *f, struct errmsg *e)
{
	struct check c = { a, f, e, false };

	check_name(&c, f->pkg, 1);
	check_name(&c, f->base, 1);
	for (size_t i = 0; i < f->ndecls; i++) {
		check_name(&c, f->decls[i]->name, f->decls[i]->line);
		for (size_t k = 0; k < i; k++)
			if (str_is(f->decls[i]->c, f->decls[k]->c))
				fail(&c, f->decls[i]->line, "\"" STRF "\" is declared twice", STRA(f->decls[i]->name));
	}
	for (size_t i = 0; i < f->ndecls; i++)
		check_fields(&c, f->decls[i]);
	for (size_t i = 0; i < f->ndecls; i++)
		check_cycle(&c, f->decls[i], 0);
	for (size_t i = 0; i < f->ndecls; i++) {
		check_fields(&c, f->decls[i]);
		if (f->decls[i]->kind == IDL_ENUM)
			check_values(&c, f->decls[i]);
		else if (f->decls[i]->kind == IDL_ROW)
			check_columns(&c, f->decls[i]);
	}
	for (size_t i = 0; i < f->nfuncs; i++) {
		check_func(&c, f->funcs[i]);
		for (size_t k = 0; k < i; k++)
			if (str_is(f->funcs[i]->c, f->funcs[k]->c))
				fail(&c, f->funcs[i]->line, "\"" STRF "\" is declared twice", STRA(f->funcs[i]->name));
	}
	return c.failed ? ERR_INVALID : 0;
}
