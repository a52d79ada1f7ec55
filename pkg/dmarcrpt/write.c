/* SPDX-License-Identifier: MIT */
/* write.c - reports as XML, along the descriptions of their types. */
#include "base/utf8.h"
#include "dmarcrpt/dmarcrpt_internal.h"

/* Elements whose names are not those of the fields. */
static const struct {
	const char *field, *element;
} renamed[] = {
	{ "Errors", "error" },
	{ "Records", "record" },
	{ "Reasons", "reason" },
	{ "Policy", "p" },
	{ "SubdomainPolicy", "sp" },
	{ "NonexistentPolicy", "np" },
	{ "Percentage", "pct" },
	{ "ReportingOptions", "fo" },
};

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

struct str
dmarcrpt_element(const struct typedesc_field *f, char buf[64])
{
	const char *p = f->name;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(renamed); i++)
		if (strcmp(p, renamed[i].field) == 0)
			return str_of(renamed[i].element);
	for (size_t i = 0; p[i] && n + 2 < 64; i++) {
		/* A word begins behind a small letter, or before one: "ReportID", "DKIMResult". */
		if (i > 0 && is_upper(p[i]) && (!is_upper(p[i - 1]) || (p[i + 1] && !is_upper(p[i + 1]))))
			buf[n++] = '_';
		buf[n++] = is_upper(p[i]) ? (char)(p[i] | 0x20) : p[i];
	}
	return str_n(buf, n);
}

struct writer {
	struct buf *b;
	enum dmarcrpt_form form;
	unsigned depth;
};

/* Elements that only one of the forms has. */
static bool
is_known(const struct writer *w, const struct typedesc *owner, struct str element)
{
	if (w->form == DMARCRPT_RFC9990)
		return !str_is(element, S("pct"));
	return !str_is(element, S("np")) && !str_is(element, S("discovery_method")) && !str_is(element, S("testing")) &&
	    !str_is(element, S("generator")) &&
	    !(owner == &dmarcrpt_spf_auth_result_desc && str_is(element, S("human_result")));
}

/* Text; what would be markup or get lost is escaped. White space around it does not count. */
static void
add_text(struct buf *b, struct str s)
{
	while (s.n > 0) {
		uint32_t cp;
		int n = utf8_next(s, &cp);

		if (n <= 0 || (cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') || cp == 0xfffe || cp == 0xffff) {
			utf8_add(b, 0xfffd);
			n = MAX(n, 1);
		} else if (cp == '&') {
			buf_addz(b, "&amp;");
		} else if (cp == '<') {
			buf_addz(b, "&lt;");
		} else if (cp == '>') {
			buf_addz(b, "&gt;");
		} else if (cp == '\r') {
			buf_addz(b, "&#13;");
		} else {
			buf_add(b, str_upto(s, (size_t)n));
		}
		s = str_from(s, (size_t)n);
	}
}

static void
indent(struct writer *w)
{
	for (unsigned i = 0; i < w->depth; i++)
		buf_addc(w->b, '\t');
}

static void add_fields(struct writer *w, const struct typedesc *t, const void *v);

static void
add_element(struct writer *w, struct str name, const struct typedesc *t, const void *v)
{
	indent(w);
	buf_addf(w->b, "<" STRF ">", STRA(name));
	if (t->kind == TYPEDESC_STRUCT) {
		buf_addc(w->b, '\n');
		w->depth++;
		add_fields(w, t, v);
		w->depth--;
		indent(w);
	} else if (t->kind == TYPEDESC_I64) {
		buf_addi(w->b, *(const int64_t *)v);
	} else {
		add_text(w->b, str_trim(*(const struct str *)v));
	}
	buf_addf(w->b, "</" STRF ">\n", STRA(name));
}

static void
add_fields(struct writer *w, const struct typedesc *t, const void *v)
{
	for (size_t i = 0; i < t->nfields; i++) {
		const struct typedesc_field *f = &t->fields[i];
		const void *value = (const char *)v + f->offset;
		char buf[64];
		struct str name = dmarcrpt_element(f, buf);

		if (!is_known(w, t, name) || (f->flags & TYPEDESC_OPTIONAL && typedesc_is_zero(f->type, value)))
			continue;
		if (f->type->kind == TYPEDESC_LIST) {
			const struct typedesc_list *l = value;

			for (size_t k = 0; k < l->n; k++)
				add_element(w, name, f->type->elem, (const char *)l->v + k * f->type->elem->size);
		} else {
			add_element(w, name, f->type, value);
		}
	}
}

void
dmarcrpt_pack(struct buf *out, const struct dmarcrpt_feedback *r, enum dmarcrpt_form form)
{
	struct writer w = { .b = out, .form = form, .depth = 1 };

	buf_addz(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	buf_addz(out, form == DMARCRPT_RFC9990 ? "<feedback xmlns=\"" DMARCRPT_NAMESPACE "\">\n" : "<feedback>\n");
	add_fields(&w, &dmarcrpt_feedback_desc, r);
	buf_addz(out, "</feedback>\n");
}

struct str
dmarcrpt_filename(struct arena *a, struct str receiver, struct str domain, int64_t begin_s, int64_t end_s)
{
	return str_fmt(
	    a, STRF "!" STRF "!%lld!%lld.xml.gz", STRA(receiver), STRA(domain), (long long)begin_s, (long long)end_s);
}
