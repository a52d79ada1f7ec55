/* SPDX-License-Identifier: MIT */
/* The grammar of the IDL; see idl.h. */
#include "parse.h"
#include "lex.h"

void *
idl_room(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	if (n == *cap) {
		size_t want = *cap ? *cap * 2 : 8;

		v = arena_grow(a, v, n, want, size);
		*cap = want;
	}
	memset((char *)v + n * size, 0, size);
	return v;
}

/*
 * SMTPMaxMessageSize: words end before a capital that a small letter precedes or follows; a plural s belongs to its capitals
 * (IPs).
 */
struct str
idl_lower(struct arena *a, struct str name)
{
	struct buf b = BUF_ARENA(a, 4 * name.n + 1);

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i], prev = i ? name.p[i - 1] : '_', next = i + 1 < name.n ? name.p[i + 1] : '\0';
		bool up = c >= 'A' && c <= 'Z', prev_up = prev >= 'A' && prev <= 'Z', next_low = next >= 'a' && next <= 'z';
		bool plural = next == 's' && (i + 2 == name.n || (name.p[i + 2] >= 'A' && name.p[i + 2] <= 'Z'));

		if (up && prev != '_' && (!prev_up || (next_low && !plural)))
			buf_addc(&b, '_');
		buf_addc(&b, up ? (char)(c | 0x20) : c);
	}
	return str_dup(a, buf_str(&b));
}

static struct idl_type *
parse_type(struct lex *l, unsigned depth)
{
	struct idl_type *t = ARENA_NEW(l->a, struct idl_type);

	t->line = l->tok_line;
	if (depth > IDL_MAX_DEPTH) {
		lex_fail(l, "type nested too deeply");
		return t;
	}
	if (lex_try(l, '?')) {
		struct idl_type *elem = parse_type(l, depth + 1);

		if (elem->kind == IDL_OPT || elem->nullable) {
			lex_fail(l, "\"?\" twice");
		} else if (elem->kind == IDL_LIST || elem->kind == IDL_MAP) {
			elem->nullable = true;
			return elem;
		}
		t->kind = IDL_OPT;
		t->elem = elem;
		return t;
	}
	if (lex_try(l, '[')) {
		lex_want(l, ']', "expected \"]\"");
		t->kind = IDL_LIST;
		t->elem = parse_type(l, depth + 1);
		return t;
	}
	t->name = lex_word(l, "expected a type");
	if (str_is(t->name, S("map"))) {
		lex_want(l, '[', "expected \"[string]\" after map");
		if (!lex_try_word(l, S("string")))
			lex_fail(l, "expected \"string\" as the type of keys");
		lex_want(l, ']', "expected \"]\"");
		t->kind = IDL_MAP;
		t->elem = parse_type(l, depth + 1);
		return t;
	}
	t->kind = idl_is_prim(t->name) ? IDL_PRIM : IDL_NAMED;
	return t;
}

static void
parse_attr(struct lex *l, struct idl_field *f)
{
	struct str name = lex_word(l, "expected an attribute or the end of the line");
	static const struct {
		struct str name;
		size_t offset;
	} flags[] = {
		{ { "optional", 8 }, offsetof(struct idl_field, optional) },
		{ { "deprecated", 10 }, offsetof(struct idl_field, deprecated) },
		{ { "internal", 8 }, offsetof(struct idl_field, internal) },
		{ { "derived", 7 }, offsetof(struct idl_field, derived) },
		{ { "secret", 6 }, offsetof(struct idl_field, secret) },
		{ { "omitempty", 9 }, offsetof(struct idl_field, omitempty) },
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (str_is(name, flags[i].name)) {
			*(bool *)(void *)((char *)f + flags[i].offset) = true;
			return;
		}
	}
	if (l->failed)
		return;
	lex_want(l, '=', "unknown attribute");
	if (str_is(name, S("default"))) {
		f->def = lex_value(l);
		f->has_def = true;
	} else if (str_is(name, S("min"))) {
		f->min = lex_word(l, "expected a number");
	} else if (str_is(name, S("max"))) {
		f->max = lex_word(l, "expected a number");
	} else if (str_is(name, S("c"))) {
		f->c = lex_word(l, "expected a name");
	} else if (str_is(name, S("json"))) {
		f->text = lex_value(l);
	} else {
		lex_fail(l, "unknown attribute");
	}
}

static void
parse_field(struct lex *l, struct idl_fields *fs)
{
	struct idl_field *f = IDL_PUSH(l->a, fs->v, fs->n, fs->cap);

	f->line = l->tok_line;
	f->doc = lex_doc(l);
	f->name = lex_word(l, "expected a field");
	if (str_is(f->name, S("embed")) && lex_is(l, LEX_WORD)) {
		f->embed = true;
		f->type = parse_type(l, 0);
		f->name = f->type->name;
		ssize_t dot = str_rfind(f->name, '.');
		f->name = str_from(f->name, (size_t)(dot + 1));
	} else {
		f->type = parse_type(l, 0);
	}
	f->text = f->name;
	f->c = idl_lower(l->a, f->name);
	while (!l->failed && !lex_is(l, LEX_NL) && !lex_is(l, LEX_END))
		parse_attr(l, f);
	lex_eol(l);
}

static void
parse_value(struct lex *l, struct idl_decl *d)
{
	struct idl_value *v = IDL_PUSH(l->a, d->values, d->nvalues, d->values_cap);

	v->doc = lex_doc(l);
	v->name = v->text = lex_word(l, "expected a value");
	if (lex_try(l, '='))
		v->text = lex_value(l);
	lex_eol(l);
}

static void
parse_column(struct lex *l, struct idl_decl *d)
{
	struct idl_column *c = IDL_PUSH(l->a, d->cols, d->ncols, d->cols_cap);

	c->doc = lex_doc(l);
	c->name = lex_word(l, "expected a column");
	c->nullable = lex_try(l, '?');
	c->kind = lex_word(l, "expected the kind of the column");
	lex_eol(l);
}

static void
parse_decl(struct lex *l, struct idl_file *f, enum idl_decl_kind kind)
{
	struct idl_decl *d = ARENA_NEW(l->a, struct idl_decl);

	d->kind = kind;
	d->doc = lex_doc(l);
	d->line = l->tok_line;
	d->file = f;
	d->name = lex_word(l, "expected a name");
	d->c = str_fmt(l->a, STRF "_" STRF, STRA(f->pkg), STRA(idl_lower(l->a, d->name)));
	lex_want(l, '{', "expected \"{\"");
	lex_eol(l);
	lex_lines(l);
	while (!l->failed && !lex_is(l, '}')) {
		if (kind == IDL_STRUCT)
			parse_field(l, &d->fields);
		else if (kind == IDL_ENUM)
			parse_value(l, d);
		else
			parse_column(l, d);
		lex_lines(l);
	}
	lex_doc(l);
	lex_want(l, '}', "expected \"}\"");
	lex_eol(l);
	*IDL_PUSH(l->a, f->decls, f->ndecls, f->decls_cap) = d;
}

/* Fields in parentheses, separated by commas. */
static void
parse_params(struct lex *l, struct idl_fields *fs)
{
	lex_want(l, '(', "expected \"(\"");
	lex_lines(l);
	while (!l->failed && !lex_is(l, ')')) {
		struct idl_field *f = IDL_PUSH(l->a, fs->v, fs->n, fs->cap);

		f->line = l->tok_line;
		f->doc = lex_doc(l);
		f->name = f->text = lex_word(l, "expected a parameter");
		f->c = idl_lower(l->a, f->name);
		f->type = parse_type(l, 0);
		lex_lines(l);
		if (!lex_try(l, ','))
			break;
		lex_lines(l);
	}
	lex_want(l, ')', "expected \")\"");
}

static void
parse_func(struct lex *l, struct idl_file *f)
{
	struct idl_func *fn = ARENA_NEW(l->a, struct idl_func);

	fn->doc = lex_doc(l);
	fn->line = l->tok_line;
	fn->name = lex_word(l, "expected a name");
	fn->c = str_fmt(l->a, STRF "_" STRF, STRA(f->pkg), STRA(idl_lower(l->a, fn->name)));
	fn->in = (struct idl_decl){
		.name = str_cat(l->a, fn->name, S("In")), .c = str_cat(l->a, fn->c, S("_in")), .file = f, .line = fn->line
	};
	fn->out = (struct idl_decl){
		.name = str_cat(l->a, fn->name, S("Out")), .c = str_cat(l->a, fn->c, S("_out")), .file = f, .line = fn->line
	};
	parse_params(l, &fn->in.fields);
	if (lex_is(l, '(')) {
		parse_params(l, &fn->out.fields);
	} else if ((lex_is(l, LEX_WORD) && !str_is(l->text, S("errors"))) || lex_is(l, '[') || lex_is(l, '?')) {
		struct idl_field *r = IDL_PUSH(l->a, fn->out.fields.v, fn->out.fields.n, fn->out.fields.cap);

		r->line = l->tok_line;
		r->name = r->text = r->c = S("result");
		r->type = parse_type(l, 0);
	}
	if (lex_try_word(l, S("errors"))) {
		lex_want(l, '(', "expected \"(\"");
		do
			strlist_add(l->a, &fn->errors, lex_word(l, "expected an error code"));
		while (lex_try(l, ','));
		lex_want(l, ')', "expected \")\"");
	}
	lex_eol(l);
	*IDL_PUSH(l->a, f->funcs, f->nfuncs, f->funcs_cap) = fn;
}

static void
parse_import(struct lex *l, struct idl_file *f, const struct idl_reader *rd, unsigned depth)
{
	struct str rel = l->text, text;
	unsigned line = l->tok_line;

	lex_want(l, LEX_TEXT, "expected a quoted path");
	lex_eol(l);
	if (l->failed)
		return;
	if (depth >= IDL_MAX_DEPTH) {
		l->tok_line = line;
		lex_fail(l, "imports nested too deeply");
		return;
	}
	ssize_t slash = str_rfind(f->path, '/'), dir = slash < 0 ? -1 : str_rfind(str_upto(f->path, (size_t)slash), '/');
	struct str path = str_fmt(l->a, STRF STRF, STRA(str_upto(f->path, (size_t)(dir + 1))), STRA(rel));
	if (rd->fn == NULL || rd->fn(rd->arg, l->a, path, &text, l->e) < 0) {
		l->tok_line = line;
		lex_fail(l, "the import cannot be read");
		return;
	}
	struct idl_file *imported;
	if (idl_parse_file(l->a, path, text, rd, depth + 1, &imported, l->e) < 0) {
		l->failed = true;
		return;
	}
	*IDL_PUSH(l->a, f->imports, f->nimports, f->imports_cap) = imported;
}

/* ROOT/config/config.idl: package config, base config. */
static void
name_file(struct idl_file *f)
{
	struct str dir = f->path;
	ssize_t slash = str_rfind(dir, '/');

	f->base = str_from(dir, (size_t)(slash + 1));
	if (str_ends(f->base, S(".idl")))
		f->base = str_upto(f->base, f->base.n - 4);
	dir = str_upto(dir, slash < 0 ? 0 : (size_t)slash);
	f->pkg = str_from(dir, (size_t)(str_rfind(dir, '/') + 1));
	if (f->pkg.n == 0)
		f->pkg = f->base;
}

int
idl_parse_file(struct arena *a, struct str path, struct str text, const struct idl_reader *rd, unsigned depth,
    struct idl_file **r_file, struct errmsg *e)
{
	struct idl_file *f = ARENA_NEW(a, struct idl_file);
	struct lex l;

	if (text.n > IDL_MAX_SIZE)
		return err_set(e, ERR_LIMIT, STRF ": too large", STRA(path));
	f->path = path;
	name_file(f);
	lex_init(&l, a, path, text, e);
	for (lex_lines(&l); !l.failed && !lex_is(&l, LEX_END); lex_lines(&l)) {
		if (lex_try_word(&l, S("import")))
			parse_import(&l, f, rd, depth);
		else if (lex_try_word(&l, S("struct")))
			parse_decl(&l, f, IDL_STRUCT);
		else if (lex_try_word(&l, S("enum")))
			parse_decl(&l, f, IDL_ENUM);
		else if (lex_try_word(&l, S("row")))
			parse_decl(&l, f, IDL_ROW);
		else if (lex_try_word(&l, S("func")))
			parse_func(&l, f);
		else
			lex_fail(&l, "expected import, struct, enum, row or func");
	}
	if (l.failed)
		return ERR_INVALID;
	f->doc = l.file_doc;
	TRY(idl_check(a, f, e));
	*r_file = f;
	return 0;
}

int
idl_parse(
    struct arena *a, struct str path, struct str text, idl_read_fn *rd, void *rd_arg, struct idl_file **r_file, struct errmsg *e)
{
	struct idl_reader reader = { rd, rd_arg };

	return idl_parse_file(a, path, text, &reader, 0, r_file, e);
}
