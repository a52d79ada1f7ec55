/* SPDX-License-Identifier: MIT */
/* Values to JSON. */
#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "typedesc/typedesc_internal.h"

struct enc {
	struct buf *b;
	unsigned flags, depth;
};

static void encode(struct enc *x, const struct typedesc *t, const void *v);

/* The letter of a two-character escape, or 0. */
static char
short_escape(uint32_t cp)
{
	switch (cp) {
	case '\b': return 'b';
	case '\f': return 'f';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	case '"':
	case '\\': return (char)cp;
	default: return 0;
	}
}

/* Characters that end a script element, or a line of JavaScript. */
static bool
unsafe_in_html(uint32_t cp)
{
	return cp == '<' || cp == '>' || cp == '&' || cp == 0x2028 || cp == 0x2029;
}

static void
add_chars(struct buf *b, struct str s, unsigned flags, bool quoted)
{
	uint32_t cp;
	int n;

	for (; s.n; s = str_from(s, (size_t)n)) {
		n = utf8_next(s, &cp);
		if (n < 0) {
			n = 1;
			buf_addz(b, "\xef\xbf\xbd");
		} else if (quoted && short_escape(cp)) {
			buf_addf(b, "\\%c", short_escape(cp));
		} else if ((quoted && (cp < 0x20 || cp == 0x7f)) || (flags & TYPEDESC_JSON_HTML && unsafe_in_html(cp))) {
			buf_addf(b, "\\u%04x", (unsigned)cp);
		} else {
			buf_add(b, str_upto(s, (size_t)n));
		}
	}
}

void
typedesc_json_string(struct buf *b, struct str s, unsigned flags)
{
	buf_addc(b, '"');
	add_chars(b, s, flags, true);
	buf_addc(b, '"');
}

static void
newline(struct enc *x)
{
	if (!(x->flags & TYPEDESC_JSON_INDENT))
		return;
	buf_addc(x->b, '\n');
	for (unsigned i = 0; i < x->depth; i++)
		buf_addc(x->b, '\t');
}

/* Begins, separates and ends the members of an object or array. */
static void
begin(struct enc *x, char c)
{
	buf_addc(x->b, c);
	x->depth++;
}

static void
next(struct enc *x, bool *first)
{
	if (!*first)
		buf_addc(x->b, ',');
	*first = false;
	newline(x);
}

static void
end(struct enc *x, char c, bool empty)
{
	x->depth--;
	if (!empty)
		newline(x);
	buf_addc(x->b, c);
}

static void
name(struct enc *x, struct str s)
{
	typedesc_json_string(x->b, s, x->flags);
	buf_addz(x->b, x->flags & TYPEDESC_JSON_INDENT ? ": " : ":");
}

/* The shortest of three lengths that reads as the same number; the last always does. */
static void
encode_float(struct enc *x, double d)
{
	char text[40];

	if (!isfinite(d)) {
		buf_addz(x->b, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	buf_addz(x->b, text);
}

static void
encode_text(struct enc *x, const struct typedesc *t, const void *v)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);

	typedesc_print(&b, t, v);
	typedesc_json_string(x->b, buf_str(&b), x->flags);
	buf_done(&b);
}

static void
encode_list(struct enc *x, const struct typedesc *t, const struct typedesc_list *l)
{
	bool map = t->kind == TYPEDESC_MAP, first = true;

	if (t->nullable && l->null && l->n == 0) {
		buf_addz(x->b, "null");
		return;
	}
	begin(x, map ? '{' : '[');
	for (size_t i = 0; i < l->n; i++) {
		next(x, &first);
		if (map)
			name(x, *typedesc_key(t, l, i));
		encode(x, t->elem, typedesc_elem(t, l, i));
	}
	end(x, map ? '}' : ']', first);
}

static void
encode_field(struct enc *x, const struct typedesc_field *f, const void *v)
{
	if (f->flags & TYPEDESC_SECRET && !(x->flags & TYPEDESC_JSON_SECRETS) && !typedesc_is_zero(f->type, v))
		typedesc_json_string(x->b, S(TYPEDESC_MASK), x->flags);
	else
		encode(x, f->type, v);
}

static void
encode_struct(struct enc *x, const struct typedesc *t, const void *v)
{
	bool first = true;

	begin(x, '{');
	for (size_t i = 0; i < t->nfields; i++) {
		const struct typedesc_field *f = &t->fields[i];
		const void *at = typedesc_at_const(v, f);

		if (f->flags & TYPEDESC_INTERNAL || (f->flags & TYPEDESC_OMITEMPTY && typedesc_is_zero(f->type, at)))
			continue;
		next(x, &first);
		name(x, str_of(f->name));
		encode_field(x, f, at);
	}
	end(x, '}', first);
}

static void
encode_duration(struct enc *x, const void *v)
{
	int64_t us, ns;

	memcpy(&us, v, sizeof(us));
	if (__builtin_mul_overflow(us, 1000, &ns))
		ns = us < 0 ? INT64_MIN : INT64_MAX;
	buf_addi(x->b, ns);
}

static void
encode(struct enc *x, const struct typedesc *t, const void *v)
{
	switch (t->kind) {
	case TYPEDESC_BOOL:
	case TYPEDESC_I32:
	case TYPEDESC_U32:
	case TYPEDESC_I64: typedesc_print(x->b, t, v); break;
	case TYPEDESC_F64: encode_float(x, *(const double *)v); break;
	case TYPEDESC_DURATION: encode_duration(x, v); break;
	case TYPEDESC_STRING: typedesc_json_string(x->b, *(const struct str *)v, x->flags); break;
	case TYPEDESC_BYTES:
	case TYPEDESC_TIME:
	case TYPEDESC_ENUM: encode_text(x, t, v); break;
	case TYPEDESC_JSON:
		add_chars(x->b, ((const struct str *)v)->n ? *(const struct str *)v : S("null"), x->flags, false);
		break;
	case TYPEDESC_STRUCT: encode_struct(x, t, v); break;
	case TYPEDESC_LIST:
	case TYPEDESC_MAP: encode_list(x, t, v); break;
	case TYPEDESC_PTR:
		if (typedesc_ptr(v))
			encode(x, t->elem, typedesc_ptr(v));
		else
			buf_addz(x->b, "null");
		break;
	case TYPEDESC_OPAQUE: bug("%s in JSON", t->name);
	}
}

void
typedesc_json_encode(struct buf *b, const struct typedesc *t, const void *v, unsigned flags)
{
	struct enc x = { b, flags, 0 };

	encode(&x, t, v);
}

void
typedesc_json_result(struct buf *b, const struct typedesc_func *f, const void *out, unsigned flags)
{
	struct enc x = { b, flags, 1 };

	buf_addz(b, "{\"result\":");
	if (f->out->nfields == 0)
		buf_addz(b, "null");
	else if (f->out->nfields > 1)
		buf_addc(b, '[');
	for (size_t i = 0; i < f->out->nfields; i++) {
		if (i)
			buf_addc(b, ',');
		encode_field(&x, &f->out->fields[i], typedesc_at_const(out, &f->out->fields[i]));
	}
	buf_addz(b, f->out->nfields > 1 ? "]}" : "}");
}
