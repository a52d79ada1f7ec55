/* SPDX-License-Identifier: MIT */
/* read.c - XML into the types of dmarcrpt.idl, along their descriptions. */
#include <expat.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "dmarcrpt/dmarcrpt_internal.h"
#include "message/body.h"

#define MAX_DEPTH 16          /* of elements that we know; reports have 7 */
#define MAX_NESTING 100       /* of any elements */
#define MAX_FIELD (64 * 1024) /* text of one element */

/* An open element. */
struct frame {
	const struct typedesc *t; /* of the value */
	void *v;
};

struct reader {
	struct arena *a;
	XML_Parser xml;
	struct dmarcrpt_feedback *report;
	struct frame stack[MAX_DEPTH];
	unsigned depth;
	unsigned skip;     /* open elements that are not ours, the outermost among them too */
	unsigned wrappers; /* elements around the report, which some have */
	bool done;         /* the report is complete; what follows does not matter */
	struct str prefix; /* of the root element, with its colon; empty: none */
	struct buf text;   /* of the element at the top, if it has no elements */
	size_t items;      /* list elements made */
	int error;
	struct errmsg *e;
};

static void
stop(struct reader *r, int code, const char *why)
{
	if (r->error < 0)
		return;
	r->error = err_set(r->e, code, "line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(r->xml), why);
	XML_StopParser(r->xml, XML_FALSE);
}

static const struct typedesc_field *
find_field(const struct typedesc *t, struct str name)
{
	char buf[64];

	for (size_t i = 0; i < t->nfields; i++)
		if (str_is(dmarcrpt_element(&t->fields[i], buf), name))
			return &t->fields[i];
	return NULL;
}

/* A new element at the end of a list. Room is made in powers of two, which n alone tells. */
static void *
add_item(struct reader *r, const struct typedesc *t, struct typedesc_list *l)
{
	size_t size = t->elem->size;

	if (++r->items > LIMIT_REPORT_RECORDS)
		stop(r, ERR_LIMIT, "too many records and results");
	if ((l->n & (l->n - 1)) == 0)
		l->v = arena_grow(r->a, l->v, l->n, l->n ? 2 * l->n : 1, size);
	return (char *)l->v + l->n++ * size;
}

static void
push(struct reader *r, const struct typedesc *t, void *v)
{
	if (r->depth == MAX_DEPTH)
		bug("DMARC report types nested too deep");
	r->stack[r->depth++] = (struct frame){ t, v };
	buf_reset(&r->text);
}

/* Opens an element below the one at the top. */
static void
open_field(struct reader *r, struct str name)
{
	struct frame top = r->stack[r->depth - 1];
	const struct typedesc_field *f = top.t->kind == TYPEDESC_STRUCT ? find_field(top.t, name) : NULL;
	void *v;

	if (!f) {
		r->skip = 1;
		return;
	}
	v = (char *)top.v + f->offset;
	if (f->type->kind == TYPEDESC_LIST)
		push(r, f->type->elem, add_item(r, f->type, v));
	else
		push(r, f->type, v);
}

static void XMLCALL
on_start(void *arg, const char *name, const char **attributes unused_)
{
	struct reader *r = arg;
	struct str s = str_of(name);

	if (r->skip > 0) {
		if (++r->skip > MAX_NESTING)
			stop(r, ERR_LIMIT, "elements nested too deep");
		return;
	}
	if (r->depth == 0) {
		size_t colon = (size_t)(str_rfind(s, ':') + 1);

		if (!str_is(str_from(s, colon), S("feedback"))) {
			if (++r->wrappers > MAX_NESTING)
				stop(r, ERR_INVALID, "not a DMARC report");
			return;
		}
		r->prefix = str_dup(r->a, str_upto(s, colon));
		push(r, &dmarcrpt_feedback_desc, r->report);
		return;
	}
	/* Elements of other namespaces are those of extensions. */
	if (r->prefix.n > 0 && str_starts(s, r->prefix))
		s = str_from(s, r->prefix.n);
	open_field(r, s);
}

static void XMLCALL
on_text(void *arg, const char *p, int n)
{
	struct reader *r = arg;

	if (r->skip == 0 && r->depth > 0 && r->stack[r->depth - 1].t->kind != TYPEDESC_STRUCT)
		buf_add(&r->text, str_n(p, (size_t)n));
	if (r->text.failed)
		stop(r, ERR_LIMIT, "text of an element too long");
}

/* A whole number; some write their seconds as "1337270400.0". */
static int
parse_number(struct str s, int64_t *r_v)
{
	struct str whole = str_split(&s, '.');

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '0')
			return ERR_INVALID;
	return str_i64(whole, r_v);
}

static void XMLCALL
on_end(void *arg, const char *name unused_)
{
	struct reader *r = arg;
	struct frame top;
	struct str text;

	if (r->skip > 0) {
		r->skip--;
		return;
	}
	if (r->depth == 0)
		return;
	top = r->stack[--r->depth];
	text = str_trim(buf_str(&r->text));
	if (top.t->kind == TYPEDESC_STRING)
		*(struct str *)top.v = str_dup(r->a, text);
	else if (top.t->kind == TYPEDESC_I64 && text.n > 0 && parse_number(text, top.v) < 0)
		stop(r, ERR_INVALID, "expected a number");
	buf_reset(&r->text);
	if (r->depth == 0) {
		r->done = true;
		XML_StopParser(r->xml, XML_FALSE);
	}
}

/* No entities: they multiply, and lead outside. */
static void XMLCALL
on_entity(void *arg, const char *name unused_, int parameter unused_, const char *value unused_, int n unused_,
    const char *base unused_, const char *system unused_, const char *public unused_, const char *notation unused_)
{
	stop(arg, ERR_INVALID, "the document declares entities");
}

/* Charsets of one octet a character, by their conversion of each octet. */
static int XMLCALL
on_encoding(void *arg, const char *name, XML_Encoding *info)
{
	struct reader *r = arg;
	struct message_charset *c = message_charset_open(str_of(name));

	if (!c)
		return XML_STATUS_ERROR;
	message_charset_close(&c);
	for (int i = 0; i < 256; i++) {
		char octet = (char)i;
		struct str s = message_charset_decode(r->a, str_of(name), str_n(&octet, 1));
		uint32_t cp;
		int n = utf8_next(s, &cp);

		info->map[i] = n > 0 && (size_t)n == s.n && cp != 0xfffd && cp <= 0xffff ? (int)cp : -1;
	}
	return XML_STATUS_OK;
}

static int
run(struct arena *a, struct str xml, struct dmarcrpt_feedback *report, struct errmsg *e)
{
	struct reader r = { .a = a, .report = report, .text = BUF_INIT(MAX_FIELD), .e = e };

	r.xml = XML_ParserCreate(NULL);
	bug_if(!r.xml);
	XML_SetUserData(r.xml, &r);
	XML_SetElementHandler(r.xml, on_start, on_end);
	XML_SetCharacterDataHandler(r.xml, on_text);
	XML_SetEntityDeclHandler(r.xml, on_entity);
	XML_SetUnknownEncodingHandler(r.xml, on_encoding, &r);
	if (XML_Parse(r.xml, xml.p, (int)xml.n, 1) != XML_STATUS_OK && !r.done)
		stop(&r, ERR_INVALID, XML_ErrorString(XML_GetErrorCode(r.xml)));
	else if (!r.done)
		stop(&r, ERR_INVALID, "not a DMARC report");
	XML_ParserFree(r.xml);
	buf_done(&r.text);
	return r.error;
}

/* Values of lists that the standards define, in any case in the reports of some. */
static void
lower(struct arena *a, struct str *s)
{
	*s = str_lower(a, *s);
}

static void
lower_record(struct arena *a, struct dmarcrpt_report_record *rec)
{
	struct dmarcrpt_policy_evaluated *p = &rec->row.policy_evaluated;

	lower(a, &p->disposition);
	lower(a, &p->dkim);
	lower(a, &p->spf);
	for (size_t i = 0; i < p->reasons.n; i++)
		lower(a, &p->reasons.v[i].type);
	for (size_t i = 0; i < rec->auth_results.dkim.n; i++)
		lower(a, &rec->auth_results.dkim.v[i].result);
	for (size_t i = 0; i < rec->auth_results.spf.n; i++) {
		lower(a, &rec->auth_results.spf.v[i].scope);
		lower(a, &rec->auth_results.spf.v[i].result);
	}
}

static void
lower_all(struct arena *a, struct dmarcrpt_feedback *r)
{
	struct dmarcrpt_policy_published *p = &r->policy_published;

	lower(a, &p->adkim);
	lower(a, &p->aspf);
	lower(a, &p->policy);
	lower(a, &p->subdomain_policy);
	lower(a, &p->nonexistent_policy);
	lower(a, &p->discovery_method);
	lower(a, &p->testing);
	for (size_t i = 0; i < r->records.n; i++)
		lower_record(a, &r->records.v[i]);
}

int
dmarcrpt_parse(struct arena *a, struct str xml, struct dmarcrpt_feedback *r_report, struct errmsg *e)
{
	struct dmarcrpt_feedback report = { 0 };
	struct errmsg first = { 0 };
	int rv;

	if (xml.n > LIMIT_REPORT_SIZE)
		return err_set(e, ERR_LIMIT, "report of more than %d octets", LIMIT_REPORT_SIZE);
	/* White space in front of the XML declaration is not allowed, but happens. */
	xml = str_trim(xml);
	rv = run(a, xml, &report, &first);
	if (rv == ERR_INVALID && !utf8_valid(xml)) {
		struct errmsg second = { 0 };

		report = (struct dmarcrpt_feedback){ 0 };
		rv = run(a, utf8_clean(a, xml), &report, &second);
	}
	if (rv < 0)
		return err_set(e, rv, "%s", first.text);
	if (report.policy_published.domain.n == 0)
		return err_set(e, ERR_INVALID, "the report names no domain");
	lower_all(a, &report);
	*r_report = report;
	return 0;
}
