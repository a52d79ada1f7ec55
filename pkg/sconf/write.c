/* SPDX-License-Identifier: MIT */
/* The writers. */
#include "sconf/sconf_internal.h"

#define COMMENT_WIDTH 80

void
sconf_out_fail(struct sconf_out *o, const char *what, const char *name)
{
	if (o->err == 0)
		o->err = err_set(o->e, ERR_INVALID, "%s: %s", name, what);
}

void
sconf_out_tabs(struct sconf_out *o)
{
	for (unsigned i = 0; i < o->depth; i++)
		buf_addc(o->b, '\t');
	o->begun = true;
}

/* A paragraph as comments, broken between words. */
static void
comment_paragraph(struct sconf_out *o, struct str text)
{
	size_t width = COMMENT_WIDTH - MIN(8 * o->depth, COMMENT_WIDTH / 2U) - 2, n = 0;

	sconf_out_tabs(o);
	buf_addc(o->b, '#');
	while (text.n) {
		struct str line = text, word;

		if (str_find(line, '\n') >= 0)
			line = str_upto(line, (size_t)str_find(line, '\n'));
		word = str_split(&line, ' ');
		text = str_from(text, word.n + 1);
		if (n > 0 && n + 1 + word.n > width) {
			buf_addc(o->b, '\n');
			sconf_out_tabs(o);
			buf_addc(o->b, '#');
			n = 0;
		}
		buf_addf(o->b, " " STRF, STRA(word));
		n += 1 + word.n;
	}
	buf_addc(o->b, '\n');
}

static void
comment(struct sconf_out *o, const struct typedesc_field *f)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	struct str rest;

	if (o->mode == SCONF_WRITE || f->doc[0] == '\0')
		return;
	buf_addz(&text, f->doc);
	if (f->def)
		buf_addf(&text, " Default: %s.", f->def);
	if (f->flags & TYPEDESC_DEPRECATED)
		buf_addz(&text, " Deprecated.");
	if (f->flags & TYPEDESC_OPTIONAL)
		buf_addz(&text, " (optional)");
	if (o->begun)
		buf_addc(o->b, '\n');
	for (rest = buf_str(&text); rest.n;) {
		ssize_t end = str_search(rest, S("\n\n"));
		size_t n = end < 0 ? rest.n : (size_t)end;

		comment_paragraph(o, str_upto(rest, n));
		rest = str_from(rest, n + 2);
	}
	buf_done(&text);
}

const struct typedesc_field *
sconf_filler(const struct typedesc *t)
{
	for (size_t i = 0; i < t->nfields; i++)
		if (sconf_has_field(&t->fields[i]) && sconf_is_scalar(t->fields[i].type))
			return &t->fields[i];
	return NULL;
}

bool
sconf_is_written(const struct typedesc_field *f, const void *v)
{
	return sconf_has_field(f) && (!(f->flags & TYPEDESC_OPTIONAL) || !typedesc_is_zero(f->type, v));
}

void
sconf_out_field(struct sconf_out *o, const struct typedesc_field *f, const void *v)
{
	comment(o, f);
	struct buf head = BUF_INIT(1000);
	buf_addf(&head, "%s:", f->name);
	sconf_out_value(o, buf_str(&head), f->type, v, false);
	buf_done(&head);
}

/* Whether a struct is being expanded already, so that a recursive type ends. */
static bool
is_open(const struct sconf_out *o, const struct typedesc *t)
{
	while (t->elem)
		t = t->elem;
	for (unsigned i = 0; i < o->nin; i++)
		if (o->in[i] == t)
			return true;
	return false;
}

void
sconf_out_struct(struct sconf_out *o, const struct typedesc *t, const void *v)
{
	size_t n = 0;

	if (o->depth >= SCONF_MAX_DEPTH) {
		sconf_out_fail(o, "nested too deeply", t->name);
		return;
	}
	o->in[o->nin++] = t;
	for (size_t i = 0; i < t->nfields; i++) {
		const struct typedesc_field *f = &t->fields[i];
		const void *at = (const char *)v + f->offset;

		if (o->mode == SCONF_DESCRIBE ? !sconf_has_field(f) || is_open(o, f->type) : !sconf_is_written(f, at))
			continue;
		sconf_out_field(o, f, at);
		n++;
	}
	if (n == 0) {
		const struct typedesc_field *f = sconf_filler(t);

		if (f)
			sconf_out_field(o, f, (const char *)v + f->offset);
		else
			sconf_out_fail(o, "an empty value cannot be written", t->name);
	}
	o->nin--;
}

static void
out_line(struct sconf_out *o, struct str head, struct str value)
{
	sconf_out_tabs(o);
	buf_add(o->b, head);
	if (value.n)
		buf_addf(o->b, " " STRF, STRA(value));
	buf_addc(o->b, '\n');
}

static void
out_scalar(struct sconf_out *o, struct str head, const struct typedesc *t, const void *v)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);

	typedesc_print(&text, t, v);
	if (str_has(buf_str(&text), '\n') || str_has(buf_str(&text), '\r'))
		sconf_out_fail(o, "the value has a line end", t->name);
	else
		out_line(o, head, buf_str(&text));
	buf_done(&text);
}

void
sconf_out_entry(struct sconf_out *o, struct str key, const struct typedesc *t, const void *v)
{
	struct buf head = BUF_INIT(SIZE_MAX / 2);

	if (key.n == 0 || str_trim(key).n != key.n || str_has(key, ':') || str_has(key, '\n') || str_has(key, '\r') ||
	    key.p[0] == '#') {
		sconf_out_fail(o, "a key is empty, or has a colon, line end, or white space or # at its start", t->name);
		return;
	}
	buf_addf(&head, STRF ":", STRA(key));
	sconf_out_value(o, buf_str(&head), t, v, true);
	buf_done(&head);
}

static void
out_elems(struct sconf_out *o, const struct typedesc *t, const struct typedesc_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *at = (const char *)l->v + i * (t->kind == TYPEDESC_MAP ? t->stride : t->elem->size);

		if (t->kind == TYPEDESC_LIST)
			sconf_out_value(o, S("-"), t->elem, at, false);
		else
			sconf_out_entry(o, *(const struct str *)(const void *)at, t->elem, at + t->value_off);
	}
	if (l->n == 0 && o->mode == SCONF_DESCRIBE) {
		const void *zero = typedesc_new(o->a, t->elem);

		if (t->kind == TYPEDESC_LIST)
			sconf_out_value(o, S("-"), t->elem, zero, false);
		else
			sconf_out_entry(o, S("x"), t->elem, zero);
	}
}

void
sconf_out_value(struct sconf_out *o, struct str head, const struct typedesc *t, const void *v, bool in_map)
{
	if (t->kind == TYPEDESC_PTR) {
		const void *p;

		memcpy(&p, v, sizeof(p));
		if (p == NULL && o->mode != SCONF_DESCRIBE)
			sconf_out_fail(o, "a required value is absent", t->name);
		else
			sconf_out_value(o, head, t->elem, p ? p : typedesc_new(o->a, t->elem), in_map);
		return;
	}
	if (sconf_is_scalar(t)) {
		out_scalar(o, head, t, v);
		return;
	}
	if (o->mode != SCONF_DESCRIBE && typedesc_is_zero(t, v) && (t->kind != TYPEDESC_STRUCT || in_map)) {
		bool required = false;

		for (size_t i = 0; i < t->nfields; i++)
			required |= sconf_has_field(&t->fields[i]) && !(t->fields[i].flags & TYPEDESC_OPTIONAL);
		if (!required) {
			out_line(o, head, S("nil"));
			return;
		}
	}
	out_line(o, head, (struct str){ 0 });
	o->depth++;
	if (t->kind == TYPEDESC_STRUCT)
		sconf_out_struct(o, t, v);
	else
		out_elems(o, t, v);
	o->depth--;
}

int
sconf_write(struct buf *b, const struct typedesc *t, const void *v, struct errmsg *e)
{
	struct sconf_out o = { .b = b, .mode = SCONF_WRITE, .e = e };

	sconf_out_struct(&o, t, v);
	return o.err;
}

int
sconf_write_docs(struct buf *b, const struct typedesc *t, const void *v, struct errmsg *e)
{
	struct sconf_out o = { .b = b, .mode = SCONF_DOCS, .e = e };

	sconf_out_struct(&o, t, v);
	return o.err;
}

void
sconf_describe(struct arena *a, struct buf *b, const struct typedesc *t, const void *v)
{
	struct errmsg e = { 0 };
	struct sconf_out o = { .b = b, .a = a, .mode = SCONF_DESCRIBE, .e = &e };

	sconf_out_struct(&o, t, v);
}
