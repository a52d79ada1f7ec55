/* SPDX-License-Identifier: MIT */
#include "imap/fetch.h"

#include "base/arena.h"
#include "base/limits.h"
#include "imap/parse.h"

/* section-part = nz-number *("." nz-number); stops before "." and a letter   rfc/9051:6995 */
static void
section_part(struct cur *c, struct imap_section *s)
{
	size_t cap = 0;

	for (;;) {
		uint32_t n = imap_nz_number(c);
		if (s->nparts == LIMIT_MIME_DEPTH)
			cur_fail(c, "shorter part number");
		if (!cur_ok(c))
			return;
		if (s->nparts == cap) {
			size_t more = cap ? 2 * cap : 4;
			s->part = arena_grow(c->a, s->part, cap, more, sizeof(*s->part));
			cap = more;
		}
		s->part[s->nparts++] = n;
		struct cur t = *c;
		int next = cur_try(&t, '.') ? cur_peek(&t) : -1;
		if (next < '0' || next > '9')
			return;
		*c = t;
	}
}

/* header-list = "(" header-fld-name *(SP header-fld-name) ")"   rfc/9051:6592 */
static void
header_list(struct cur *c, struct strlist *r_fields)
{
	imap_sp(c);
	cur_char(c, '(');
	do {
		struct str field = imap_astring(c);
		if (cur_ok(c))
			strlist_add(c->a, r_fields, field);
	} while (cur_try(c, ' '));
	cur_char(c, ')');
}

/* section-msgtext / "MIME"   rfc/9051:6999 */
static void
section_text(struct cur *c, struct imap_section *s)
{
	if (imap_try_keyword(c, S("HEADER"))) {
		s->text = IMAP_SECTION_HEADER;
	} else if (imap_try_keyword(c, S("TEXT"))) {
		s->text = IMAP_SECTION_TEXT;
	} else if (imap_try_keyword(c, S("HEADER.FIELDS"))) {
		s->text = IMAP_SECTION_FIELDS;
		header_list(c, &s->fields);
	} else if (imap_try_keyword(c, S("HEADER.FIELDS.NOT"))) {
		s->text = IMAP_SECTION_FIELDS_NOT;
		header_list(c, &s->fields);
	} else if (s->nparts > 0 && imap_try_keyword(c, S("MIME"))) {
		s->text = IMAP_SECTION_MIME;
	} else {
		cur_fail(c, "section");
	}
}

void
imap_section(struct cur *c, struct imap_section *r_section)
{
	struct imap_section s = { 0 };

	cur_char(c, '[');
	int next = cur_peek(c);
	if (next >= '0' && next <= '9') {
		section_part(c, &s);
		if (cur_try(c, '.'))
			section_text(c, &s);
	} else if (next != ']') {
		section_text(c, &s);
	}
	cur_char(c, ']');
	if (cur_ok(c))
		*r_section = s;
}

/* section-binary = "[" [section-part] "]"   rfc/9051:6987 */
static void
section_binary(struct cur *c, struct imap_section *r_section)
{
	struct imap_section s = { 0 };

	cur_char(c, '[');
	if (cur_ok(c) && !cur_is(c, ']'))
		section_part(c, &s);
	cur_char(c, ']');
	if (cur_ok(c))
		*r_section = s;
}

/* partial = "<" number64 "." nz-number64 ">"   rfc/9051:6841 */
static void
partial(struct cur *c, struct imap_fetch_item *item)
{
	if (!cur_try(c, '<'))
		return;
	item->partial = true;
	item->offset = imap_number64(c);
	cur_char(c, '.');
	item->count = imap_nz_number64(c);
	cur_char(c, '>');
}

/* "PREVIEW" [SP "(" "LAZY" ")"]   rfc/8970:345 */
static void
preview_modifier(struct cur *c)
{
	struct cur t = *c;

	if (!cur_try(&t, ' ') || !cur_try(&t, '('))
		return;
	if (!imap_try_keyword(&t, S("LAZY")))
		cur_fail(&t, "LAZY");
	cur_char(&t, ')');
	*c = t;
}

enum item_syntax { PLAIN, SECTION, BINARY, BINARY_SIZE, PREVIEW };

static const struct item {
	struct str name;
	enum imap_fetch kind;
	enum item_syntax syntax;
	bool peek;
} items[] = {
	{ { "UID", 3 }, IMAP_FETCH_UID, PLAIN, false },
	{ { "FLAGS", 5 }, IMAP_FETCH_FLAGS, PLAIN, false },
	{ { "EMAILID", 7 }, IMAP_FETCH_EMAILID, PLAIN, false },
	{ { "THREADID", 8 }, IMAP_FETCH_THREADID, PLAIN, false },
	{ { "ENVELOPE", 8 }, IMAP_FETCH_ENVELOPE, PLAIN, false },
	{ { "BODYSTRUCTURE", 13 }, IMAP_FETCH_BODYSTRUCTURE, PLAIN, false },
	{ { "BODY", 4 }, IMAP_FETCH_SECTION, SECTION, false },
	{ { "BODY.PEEK", 9 }, IMAP_FETCH_SECTION, SECTION, true },
	{ { "BINARY", 6 }, IMAP_FETCH_BINARY, BINARY, false },
	{ { "BINARY.PEEK", 11 }, IMAP_FETCH_BINARY, BINARY, true },
	{ { "BINARY.SIZE", 11 }, IMAP_FETCH_BINARY_SIZE, BINARY_SIZE, true },
	{ { "INTERNALDATE", 12 }, IMAP_FETCH_INTERNALDATE, PLAIN, false },
	{ { "MODSEQ", 6 }, IMAP_FETCH_MODSEQ, PLAIN, false },
	{ { "PREVIEW", 7 }, IMAP_FETCH_PREVIEW, PREVIEW, false },
	{ { "RFC822", 6 }, IMAP_FETCH_RFC822, PLAIN, false },
	{ { "RFC822.HEADER", 13 }, IMAP_FETCH_RFC822_HEADER, PLAIN, true },
	{ { "RFC822.SIZE", 11 }, IMAP_FETCH_RFC822_SIZE, PLAIN, false },
	{ { "RFC822.TEXT", 11 }, IMAP_FETCH_RFC822_TEXT, PLAIN, false },
	{ { "SAVEDATE", 8 }, IMAP_FETCH_SAVEDATE, PLAIN, false },
};

/* fetch-att   rfc/9051:6557 */
static void
item(struct cur *c, struct imap_fetch_item *r_item)
{
	struct cur t = *c;
	struct str word = imap_keyword(&t);
	const struct item *d = items, *end = items + ARRAY_LEN(items);

	while (d < end && !str_icase(word, d->name))
		d++;
	if (d == end) {
		cur_fail(c, "data item");
		return;
	}
	*c = t;
	struct imap_fetch_item it = { .kind = d->kind, .peek = d->peek };
	switch (d->syntax) {
	case PLAIN:
		break;
	case SECTION:
		/* "BODY" alone is the structure; "BODY.PEEK" needs its section. */
		if (!it.peek && !cur_is(c, '[')) {
			it.kind = IMAP_FETCH_BODY;
			break;
		}
		imap_section(c, &it.section);
		partial(c, &it);
		break;
	case BINARY:
		section_binary(c, &it.section);
		partial(c, &it);
		break;
	case BINARY_SIZE:
		section_binary(c, &it.section);
		break;
	case PREVIEW:
		preview_modifier(c);
		break;
	}
	if (cur_ok(c))
		*r_item = it;
}

/* Macros   rfc/9051:4356 */
static const enum imap_fetch macro_items[] = {
	IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_RFC822_SIZE, IMAP_FETCH_ENVELOPE, IMAP_FETCH_BODY,
};
static const struct {
	struct str name;
	size_t n;
} macros[] = { { { "FAST", 4 }, 3 }, { { "ALL", 3 }, 4 }, { { "FULL", 4 }, 5 } };

void
imap_fetch_items(struct cur *c, struct imap_fetch_items *r_items)
{
	struct imap_fetch_items r = { 0 };
	size_t cap = 0;

	for (size_t i = 0; i < ARRAY_LEN(macros); i++) {
		if (!imap_try_keyword(c, macros[i].name))
			continue;
		r.v = ARENA_NEWN(c->a, macros[i].n, struct imap_fetch_item);
		for (; r.n < macros[i].n; r.n++)
			r.v[r.n].kind = macro_items[r.n];
		*r_items = r;
		return;
	}
	bool list = cur_try(c, '(');
	do {
		if (r.n == cap) {
			size_t more = cap ? 2 * cap : 8;
			r.v = arena_grow(c->a, r.v, cap, more, sizeof(*r.v));
			cap = more;
		}
		item(c, &r.v[r.n++]);
	} while (list && cur_try(c, ' '));
	if (list)
		cur_char(c, ')');
	if (cur_ok(c))
		*r_items = r;
}

bool
imap_fetch_sets_seen(const struct imap_fetch_item *it)
{
	switch (it->kind) {
	case IMAP_FETCH_SECTION:
	case IMAP_FETCH_BINARY:
	case IMAP_FETCH_RFC822:
	case IMAP_FETCH_RFC822_TEXT:
		return !it->peek;
	default:
		return false;
	}
}
