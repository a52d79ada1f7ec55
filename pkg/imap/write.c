/* SPDX-License-Identifier: MIT */
#include "imap/write.h"

#include "base/arena.h"
#include "base/cur.h"
#include "base/timeutil.h"
#include "base/utf8.h"
#include "imap/name.h"
#include "imap/parse.h"

/* How a string can be sent. */
enum form {
	ATOM,                   /* astring characters only, not empty */
	QUOTED,                 /* as it stands between quotes */
	ESCAPED,                /* quotes or backslashes inside */
	LITERAL,
	DAMAGED,                /* a literal once NULs are replaced */
};

static enum form
form_of(struct str s, bool utf8)
{
	bool atom = s.n > 0, escapes = false, high = false, line_end = false;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '\0')
			return DAMAGED;
		atom = atom && cur_class_has(&imap_astring_chars, c);
		escapes = escapes || c == '"' || c == '\\';
		high = high || c >= 0x80;
		line_end = line_end || c == '\r' || c == '\n';
	}
	if (line_end || (high && (!utf8 || !utf8_valid(s))))
		return LITERAL;
	return escapes ? ESCAPED : atom ? ATOM : QUOTED;
}

static void
add_form(struct buf *b, struct str s, enum form form)
{
	switch (form) {
	case ATOM:
		buf_add(b, s);
		break;
	case QUOTED:
		buf_addc(b, '"');
		buf_add(b, s);
		buf_addc(b, '"');
		break;
	case ESCAPED:
		buf_addc(b, '"');
		for (size_t i = 0; i < s.n; i++) {
			if (s.p[i] == '"' || s.p[i] == '\\')
				buf_addc(b, '\\');
			buf_addc(b, s.p[i]);
		}
		buf_addc(b, '"');
		break;
	case LITERAL:
	case DAMAGED:
		buf_addf(b, "{%zu}\r\n", s.n);
		if (form == LITERAL) {
			buf_add(b, s);
			break;
		}
		for (size_t i = 0; i < s.n; i++)
			buf_addc(b, s.p[i] ? s.p[i] : '?');
		break;
	}
}

/* string = quoted / literal   rfc/9051:7081 */
void
imap_add_string(struct buf *b, struct str s, bool utf8)
{
	enum form form = form_of(s, utf8);
	add_form(b, s, form == ATOM ? QUOTED : form);
}

void
imap_add_nstring(struct buf *b, struct str s, bool utf8)
{
	if (s.p)
		imap_add_string(b, s, utf8);
	else
		buf_add(b, S("NIL"));
}

void
imap_add_astring(struct buf *b, struct str s, bool utf8)
{
	/* NIL as an atom could be taken for the absent string. */
	enum form form = form_of(s, utf8);
	add_form(b, s, form == ATOM && str_icase(s, S("NIL")) ? QUOTED : form);
}

void
imap_add_mailbox(struct buf *b, struct arena *a, struct str name, bool utf8)
{
	imap_add_astring(b, utf8 ? name : imap_utf7_encode(a, name), utf8);
}

void
imap_add_text(struct buf *b, struct str s, bool utf8)
{
	bool high = utf8 && utf8_valid(s);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		buf_addc(b, c == '\0' || c == '\r' || c == '\n' || (c >= 0x80 && !high) ? '?' : s.p[i]);
	}
}

void
imap_add_date_time(struct buf *b, int64_t us, int tz_min)
{
	struct time_parts t;
	int zone = tz_min < 0 ? -tz_min : tz_min;

	time_split(us, tz_min, &t);
	buf_addf(b, "\"%2d-%s-%04d %02d:%02d:%02d %c%02d%02d\"", t.day, time_months[t.month - 1], t.year, t.hour, t.min, t.sec,
	    tz_min < 0 ? '-' : '+', zone / 60, zone % 60);
}

void
imap_add_range(struct buf *b, uint32_t first, uint32_t last)
{
	buf_addu(b, first);
	if (last != first) {
		buf_addc(b, ':');
		buf_addu(b, last);
	}
}

void
imap_add_ranges(struct buf *b, const struct imap_range *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(b, ',');
		imap_add_range(b, v[i].first, v[i].last);
	}
}

/* "message-id" as "Message-Id" */
static struct str
canonical_field(struct arena *a, struct str field)
{
	struct str lower = str_lower(a, field);
	char *p = arena_bytes(a, lower.n);

	for (size_t i = 0; i < lower.n; i++) {
		char c = lower.p[i];
		bool first = i == 0 || lower.p[i - 1] == '-';
		p[i] = first && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	return str_n(p, lower.n);
}

void
imap_add_section(struct buf *b, struct arena *a, const struct imap_section *s)
{
	static const char *const names[] = {
		[IMAP_SECTION_ALL] = "", [IMAP_SECTION_HEADER] = "HEADER", [IMAP_SECTION_FIELDS] = "HEADER.FIELDS",
		[IMAP_SECTION_FIELDS_NOT] = "HEADER.FIELDS.NOT", [IMAP_SECTION_TEXT] = "TEXT", [IMAP_SECTION_MIME] = "MIME",
	};

	buf_addc(b, '[');
	for (size_t i = 0; i < s->nparts; i++) {
		if (i > 0)
			buf_addc(b, '.');
		buf_addu(b, s->part[i]);
	}
	if (s->nparts > 0 && s->text != IMAP_SECTION_ALL)
		buf_addc(b, '.');
	buf_addz(b, names[s->text]);
	if (s->fields.n > 0) {
		buf_add(b, S(" ("));
		for (size_t i = 0; i < s->fields.n; i++) {
			if (i > 0)
				buf_addc(b, ' ');
			imap_add_astring(b, canonical_field(a, s->fields.v[i]), false);
		}
		buf_addc(b, ')');
	}
	buf_addc(b, ']');
}
