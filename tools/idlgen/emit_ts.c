/* SPDX-License-Identifier: MIT */
/* TypeScript: types, a table of them by which values are checked, and a client whose methods are the functions. */
#include "idl.h"

static void
string(struct buf *b, struct str s)
{
	idl_quote(b, s);
}

static void
doc(struct buf *b, struct str text, const char *indent)
{
	while (text.n) {
		struct str line = str_split(&text, '\n');

		buf_addf(b, "%s// " STRF "\n", indent, STRA(line));
	}
}

static const char *
prim(struct str name)
{
	if (str_is(name, S("bool")))
		return "boolean";
	if (str_is(name, S("time")))
		return "Date";
	if (str_is(name, S("json")))
		return "any";
	if (str_is(name, S("string")) || str_is(name, S("bytes")))
		return "string";
	return "number";
}

static void
type(struct buf *b, const struct idl_type *t)
{
	bool null = t->nullable || t->kind == IDL_OPT;

	switch (t->kind) {
	case IDL_PRIM: buf_addz(b, prim(t->name)); break;
	case IDL_NAMED: buf_add(b, t->decl->name); break;
	case IDL_OPT: type(b, t->elem); break;
	case IDL_LIST:
		buf_addz(b, "Array<");
		type(b, t->elem);
		buf_addz(b, ">");
		break;
	case IDL_MAP:
		buf_addz(b, "{ [key: string]: ");
		type(b, t->elem);
		buf_addz(b, " }");
		break;
	}
	if (null)
		buf_addz(b, " | null");
}

/* A type for the table: words as in api.json. */
static void
words(struct buf *b, const struct idl_type *t)
{
	buf_addc(b, '[');
	for (; t->kind != IDL_PRIM && t->kind != IDL_NAMED; t = t->elem) {
		if (t->nullable || t->kind == IDL_OPT)
			buf_addz(b, "\"nullable\", ");
		if (t->kind != IDL_OPT)
			buf_addf(b, "\"%s\", ", t->kind == IDL_LIST ? "[]" : "{}");
	}
	string(b, t->kind == IDL_NAMED ? t->decl->name : str_of(prim(t->name)));
	buf_addc(b, ']');
}

static bool
is_ident(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (i && c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return s.n > 0;
}

static void
emit_struct(struct arena *a, struct buf *b, const struct idl_decl *d)
{
	struct idl_flats flat = { 0 };

	idl_flatten(a, d, &flat);
	doc(b, d->doc, "");
	buf_addf(b, "export interface " STRF " {\n", STRA(d->name));
	for (size_t i = 0; i < flat.n; i++) {
		const struct idl_field *f = flat.v[i].f;

		if (f->internal)
			continue;
		doc(b, f->doc, "\t");
		buf_addc(b, '\t');
		if (is_ident(f->text))
			buf_add(b, f->text);
		else
			string(b, f->text);
		buf_addz(b, f->optional || f->derived || f->omitempty ? "?: " : ": ");
		type(b, f->type);
		buf_addc(b, '\n');
	}
	buf_addz(b, "}\n\n");
}

static void
emit_enum(struct buf *b, const struct idl_decl *d)
{
	bool has_zero = false;

	doc(b, d->doc, "");
	buf_addf(b, "export type " STRF " =", STRA(d->name));
	for (size_t i = 0; i < d->nvalues; i++) {
		buf_addz(b, i ? " | " : " ");
		string(b, d->values[i].text);
		has_zero |= d->values[i].text.n == 0;
	}
	buf_addz(b, has_zero ? "\n\n" : " | \"\"\n\n");
}

static void
emit_table(struct arena *a, struct buf *b, const struct idl_decls *used)
{
	buf_addz(b, "const types_: { [name: string]: Type_ } = {\n");
	for (size_t i = 0; i < used->n; i++) {
		const struct idl_decl *d = used->v[i];
		struct idl_flats flat = { 0 };

		buf_addf(b, "\t" STRF ": { ", STRA(d->name));
		if (d->kind == IDL_ENUM) {
			buf_addz(b, "Values: [\"\"");
			for (size_t k = 0; k < d->nvalues; k++) {
				if (d->values[k].text.n == 0)
					continue;
				buf_addz(b, ", ");
				string(b, d->values[k].text);
			}
			buf_addz(b, "] },\n");
			continue;
		}
		idl_flatten(a, d, &flat);
		buf_addz(b, "Fields: [");
		for (size_t k = 0; k < flat.n; k++) {
			const struct idl_field *f = flat.v[k].f;

			if (f->internal)
				continue;
			buf_addz(b, "\n\t\t{ Name: ");
			string(b, f->text);
			buf_addf(b, ", Optional: %s, Typewords: ", f->optional || f->derived || f->omitempty ? "true" : "false");
			words(b, f->type);
			buf_addz(b, " },");
		}
		buf_addz(b, "\n\t] },\n");
	}
	buf_addz(b, "}\n\n");
}

static const char runtime[] =
    "interface Field_ { Name: string; Optional: boolean; Typewords: string[] }\n"
    "interface Type_ { Fields?: Field_[]; Values?: string[] }\n"
    "\n"
    "// check returns the value with times as Date, and throws an Error naming the place where it is not of the type. Unknown\n"
    "// fields are ignored, so that older clients work with newer servers.\n"
    "const check = (path: string, words: string[], v: any): any => {\n"
    "\tconst fail = (want: string) => { throw new Error(`${path || 'value'}: expected ${want}`) }\n"
    "\tif (words[0] === 'nullable') {\n"
    "\t\treturn v === null || v === undefined ? null : check(path, words.slice(1), v)\n"
    "\t}\n"
    "\tif (words[0] === '[]') {\n"
    "\t\tif (v === null) { return [] }\n"
    "\t\tif (!Array.isArray(v)) { fail('array') }\n"
    "\t\treturn v.map((e: any, i: number) => check(`${path}[${i}]`, words.slice(1), e))\n"
    "\t}\n"
    "\tif (words[0] === '{}') {\n"
    "\t\tif (v === null) { return {} }\n"
    "\t\tif (typeof v !== 'object' || Array.isArray(v)) { fail('object') }\n"
    "\t\tconst r: { [key: string]: any } = {}\n"
    "\t\tfor (const k of Object.keys(v)) { r[k] = check(`${path}.${k}`, words.slice(1), v[k]) }\n"
    "\t\treturn r\n"
    "\t}\n"
    "\tswitch (words[0]) {\n"
    "\tcase 'any':\n"
    "\t\treturn v\n"
    "\tcase 'Date':\n"
    "\t\tif (v instanceof Date) { return v }\n"
    "\t\tif (typeof v !== 'string' || isNaN(new Date(v).getTime())) { fail('time') }\n"
    "\t\treturn new Date(v)\n"
    "\tcase 'boolean': case 'number': case 'string':\n"
    "\t\tif (typeof v !== words[0]) { fail(words[0]) }\n"
    "\t\treturn v\n"
    "\t}\n"
    "\tconst t = types_[words[0]]\n"
    "\tif (t.Values) {\n"
    "\t\tif (!t.Values.includes(v)) { fail(words[0]) }\n"
    "\t\treturn v\n"
    "\t}\n"
    "\tif (typeof v !== 'object' || v === null || Array.isArray(v)) { fail(words[0]) }\n"
    "\tconst r: { [key: string]: any } = {}\n"
    "\tfor (const f of t.Fields || []) {\n"
    "\t\tif (v[f.Name] === undefined && f.Optional) { continue }\n"
    "\t\tr[f.Name] = check(path ? `${path}.${f.Name}` : f.Name, f.Typewords, v[f.Name])\n"
    "\t}\n"
    "\treturn r\n"
    "}\n"
    "\n"
    "// parse checks a value of a named type, as it comes from JSON.\n"
    "export const parse = (type: string, v: any): any => check('', [type], v)\n"
    "\n";

static const char client[] =
    "// CallError is what a function or the server refused with; code as \"user:error\".\n"
    "export class CallError extends Error {\n"
    "\tconstructor(public code: string, message: string) { super(message) }\n"
    "}\n"
    "\n"
    "export interface ClientOptions {\n"
    "\tcsrfHeader?: string // name of the header that carries the token\n"
    "\tcsrfToken?: () => string\n"
    "\tsignal?: AbortSignal\n"
    "\tonError?: (err: CallError) => void // told of each failure before it is thrown\n"
    "}\n"
    "\n"
    "const call = async (\n"
    "\tbaseURL: string, options: ClientOptions, name: string, params: any[], returns: string[][]\n"
    "): Promise<any> => {\n"
    "\tconst fail = (code: string, message: string): never => {\n"
    "\t\tconst err = new CallError(code, message)\n"
    "\t\tif (options.onError) { options.onError(err) }\n"
    "\t\tthrow err\n"
    "\t}\n"
    "\tconst headers: { [name: string]: string } = { 'Content-Type': 'application/json; charset=utf-8' }\n"
    "\tif (options.csrfHeader && options.csrfToken) { headers[options.csrfHeader] = options.csrfToken() }\n"
    "\tlet resp: Response\n"
    "\ttry {\n"
    "\t\tconst body = JSON.stringify({ params: params })\n"
    "\t\tresp = await fetch(baseURL + name, { method: 'POST', headers: headers, body: body, signal: options.signal })\n"
    "\t} catch (e) {\n"
    "\t\treturn fail('client:connection', 'connection failed: ' + String(e))\n"
    "\t}\n"
    "\tif (resp.status === 404) { return fail('client:badFunction', 'unknown function ' + name) }\n"
    "\tlet body: any\n"
    "\ttry {\n"
    "\t\tbody = await resp.json()\n"
    "\t} catch (e) {\n"
    "\t\treturn fail('client:http', `status ${resp.status}, no JSON in the response`)\n"
    "\t}\n"
    "\tif (body && body.error) { return fail(body.error.code, body.error.message) }\n"
    "\tif (resp.status !== 200) { return fail('client:http', `status ${resp.status}`) }\n"
    "\tif (returns.length === 0) { return }\n"
    "\tconst values = returns.length === 1 ? [body.result] : body.result\n"
    "\ttry {\n"
    "\t\tconst r = returns.map((words, i) => check('result', words, values[i]))\n"
    "\t\treturn returns.length === 1 ? r[0] : r\n"
    "\t} catch (e) {\n"
    "\t\treturn fail('client:badResponse', String(e))\n"
    "\t}\n"
    "}\n"
    "\n";

/* Names that a parameter cannot have: words of the language, and what the method itself uses. */
static void
param(struct buf *b, struct str name)
{
	static const char *const taken[] = {
		"await",
		"break",
		"call",
		"case",
		"catch",
		"class",
		"const",
		"continue",
		"debugger",
		"default",
		"delete",
		"do",
		"else",
		"enum",
		"export",
		"extends",
		"false",
		"finally",
		"for",
		"function",
		"if",
		"implements",
		"import",
		"in",
		"instanceof",
		"interface",
		"let",
		"new",
		"null",
		"package",
		"private",
		"protected",
		"public",
		"return",
		"static",
		"super",
		"switch",
		"this",
		"throw",
		"true",
		"try",
		"typeof",
		"var",
		"void",
		"while",
		"with",
		"yield",
	};

	buf_add(b, name);
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (str_is(name, str_of(taken[i])))
			buf_addc(b, '_');
}

static void
emit_func(struct buf *b, const struct idl_func *fn)
{
	const struct idl_fields *in = &fn->in.fields, *out = &fn->out.fields;

	buf_addc(b, '\n');
	doc(b, fn->doc, "\t");
	buf_addf(b, "\tasync " STRF "(", STRA(fn->name));
	for (size_t i = 0; i < in->n; i++) {
		buf_addz(b, i ? ", " : "");
		param(b, in->v[i].text);
		buf_addz(b, ": ");
		type(b, in->v[i].type);
	}
	buf_addz(b, "): Promise<");
	if (out->n == 0)
		buf_addz(b, "void");
	else if (out->n > 1)
		buf_addc(b, '[');
	for (size_t i = 0; i < out->n; i++) {
		buf_addz(b, i ? ", " : "");
		type(b, out->v[i].type);
	}
	buf_addf(
	    b, "%s> {\n\t\treturn await call(this.baseURL, this.options, \"" STRF "\", [", out->n > 1 ? "]" : "", STRA(fn->name));
	for (size_t i = 0; i < in->n; i++) {
		buf_addz(b, i ? ", " : "");
		param(b, in->v[i].text);
	}
	buf_addz(b, "], [");
	for (size_t i = 0; i < out->n; i++) {
		buf_addz(b, i ? ", " : "");
		words(b, out->v[i].type);
	}
	buf_addz(b, "])\n\t}\n");
}

void
idl_emit_ts(struct arena *a, struct buf *b, const struct idl_file *f)
{
	struct idl_decls used = { 0 };

	idl_used(a, f, &used);
	buf_addf(b, "// Made by idlgen from " STRF ".\n\n", STRA(f->path));
	for (size_t i = 0; i < used.n; i++) {
		if (used.v[i]->kind == IDL_STRUCT)
			emit_struct(a, b, used.v[i]);
		else
			emit_enum(b, used.v[i]);
	}
	buf_addz(b, runtime);
	emit_table(a, b, &used);
	buf_addz(b, client);
	doc(b, f->doc, "");
	buf_addz(b, "export class Client {\n\tconstructor(private baseURL: string, private options: ClientOptions = {}) {}\n");
	for (size_t i = 0; i < f->nfuncs; i++)
		emit_func(b, f->funcs[i]);
	buf_addz(b, "}\n");
}
