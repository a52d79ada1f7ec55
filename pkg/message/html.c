/* SPDX-License-Identifier: MIT */
/*
 * Text of HTML.
 *
 * Implementation notes. This is a tokenizer after the HTML standard (tags, quoted attributes, comments, raw text of
 * scripts), without a tree: one pass, constant state, so that no nesting, no number of attributes and no missing end
 * tag costs more than its bytes. What a tree would know better, where an element ends whose end tag is missing, matters
 * little for text.
 *
 * Why it is our own though there are libraries: none of Debian 12 is safe on what strangers send, and this runs for
 * every delivery.
 *
 * gumbo 0.10.1: "<p><font color=1><font color=2>...<p>x<p>x..." makes a node for every pair: 1.0 GiB and 4.4 s from
 * 32 KiB, more than 2.4 GiB from 64 KiB. 256 KiB of "<div>" take 13 s, of "<li><ul>" 19 s, of attributes of one tag
 * 8 s: all quadratic. It frees recursively: 13,000 nested elements (64 KiB) overflow a stack of 256 KiB. There is no
 * limit on depth, nodes or memory to set; a cap on its input that bounds memory to 17 MiB is 4 KiB, and the style
 * sheets at the start of newsletters are longer.
 *
 * libxml2 2.9.14 (SAX, without tree): 256 KiB of attributes of one tag take 3.3 s, of "<div>" and then "</p>" 2.4 s:
 * quadratic too.
 *
 * Here the same inputs take at most 40 steps a byte in any size, and no memory but the output's (bomb_html in
 * work_test.c). Where gumbo can be trusted, on the corpora, both find the same text (html_like_gumbo in content_test.c).
 *
 * Output: runs of white space become a space, elements that are no inline elements end a line. Quotes (blockquote) start lines with "> ". The
 * invisible characters that senders use to fill up previews are dropped where several come together.
 */
#include "message/body.h"

#include "base/mem.h"
#include "base/utf8.h"

enum state {
	TEXT,
	ENTITY,                 /* "&" and the name so far */
	TAG_OPEN,               /* "<" */
	TAG_NAME,               /* "<name" or "</name" */
	IN_TAG,                 /* attributes */
	IN_VALUE_START,         /* after "=" */
	IN_QUOTES,
	DECLARATION,            /* "<!" or "<?" up to ">" */
	COMMENT,
	RAW,                    /* script and the like: up to its end tag */
};

enum kind {
	BLOCK,                  /* also all that are not known */
	INLINE,
	VOID_INLINE,
	CELL,                   /* table cells: a space between */
	BREAK,                  /* br */
	QUOTE,
	PRE,
	SKIP,                   /* content is not text to read */
	SKIP_RAW,               /* likewise, and it is no markup either */
};

static const struct {
	const char *name;
	enum kind kind;
} elements[] = {
	{ "a", INLINE }, { "abbr", INLINE }, { "acronym", INLINE }, { "area", VOID_INLINE }, { "b", INLINE }, { "base", VOID_INLINE },
	{ "bdi", INLINE }, { "bdo", INLINE }, { "big", INLINE }, { "blockquote", QUOTE }, { "br", BREAK }, { "cite", INLINE }, { "code", INLINE },
	{ "col", VOID_INLINE }, { "data", INLINE }, { "del", INLINE }, { "dfn", INLINE }, { "dialog", SKIP }, { "em", INLINE }, { "font", INLINE },
	{ "i", INLINE }, { "iframe", SKIP_RAW }, { "img", VOID_INLINE }, { "input", VOID_INLINE }, { "ins", INLINE }, { "kbd", INLINE },
	{ "label", INLINE }, { "link", VOID_INLINE }, { "map", SKIP }, { "mark", INLINE }, { "math", SKIP }, { "meta", VOID_INLINE },
	{ "nobr", INLINE }, { "noembed", SKIP_RAW }, { "noframes", SKIP_RAW }, { "pre", PRE }, { "q", INLINE }, { "rp", INLINE }, { "rt", INLINE },
	{ "ruby", INLINE }, { "s", INLINE }, { "samp", INLINE }, { "script", SKIP_RAW }, { "small", INLINE }, { "span", INLINE },
	{ "strike", INLINE }, { "strong", INLINE }, { "style", SKIP_RAW }, { "sub", INLINE }, { "sup", INLINE }, { "svg", SKIP }, { "td", CELL },
	{ "template", SKIP }, { "th", CELL }, { "time", INLINE }, { "title", SKIP_RAW }, { "tt", INLINE }, { "u", INLINE }, { "var", INLINE },
	{ "wbr", VOID_INLINE }, { "xmp", PRE },
};

#define NAME_MAX 16             /* longer names are no elements that we know */
#define ENTITY_MAX 32

struct message_html {
	struct buf *out;
	size_t start, max;              /* length of out at the start, and how much may be added */
	enum state state;
	char name[NAME_MAX];            /* of the tag */
	size_t nname;
	bool end_tag, self_closing;
	char quote;                     /* that ends the attribute value */
	unsigned dashes;                /* at the end of the comment so far */
	char entity[ENTITY_MAX];
	size_t nentity;
	/* RAW: the end tag to look for, and how much of "</name" was matched. */
	char raw[NAME_MAX + 2];
	size_t nraw, raw_at;
	/* SKIP: depth of elements of the name. */
	char skip[NAME_MAX];
	size_t nskip;
	unsigned skip_depth;
	unsigned quotes, pre;           /* open blockquote and pre elements */
	/* Output that waits for what comes next. */
	bool space;
	char odd[4];                    /* an invisible character; it comes if it stays alone */
	size_t nodd;
	unsigned odd_count;
};

struct message_html *
message_html_open(struct buf *out, size_t max)
{
	struct message_html *h = mem_alloc(sizeof(*h));

	h->out = out;
	h->start = out->n;
	h->max = max;
	return h;
}

/* Output */

static bool
at_line_start(const struct message_html *h)
{
	return h->out->n == h->start || h->out->p[h->out->n - 1] == '\n';
}

static void
end_line(struct message_html *h)
{
	h->space = false;
	h->odd_count = 0;
	buf_addc(h->out, '\n');
}

/* end_block ends the line, and leaves at most one empty line. */
static void
end_block(struct message_html *h)
{
	const struct buf *o = h->out;

	h->space = false;
	h->odd_count = 0;
	if (o->n > h->start && !(o->n >= h->start + 2 && o->p[o->n - 1] == '\n' && o->p[o->n - 2] == '\n'))
		end_line(h);
}

static void
begin_block(struct message_html *h)
{
	if (!at_line_start(h))
		end_line(h);
	h->space = false;
	h->odd_count = 0;
}

static bool
is_invisible(uint32_t cp)
{
	return cp == 0xa0 || (cp >= 0x200b && cp <= 0x200d) || cp == 0xad || cp == 0x34f || cp == 0x2007 || cp == 0xfeff;
}

/* put writes a character that is not white space. */
static void
put(struct message_html *h, struct str s)
{
	if (at_line_start(h)) {
		for (unsigned i = 0; i < h->quotes; i++)
			buf_add(h->out, S("> "));
		h->space = false;
	}
	if (h->odd_count == 1)
		buf_add(h->out, str_n(h->odd, h->nodd));
	h->odd_count = 0;
	if (h->space)
		buf_addc(h->out, ' ');
	h->space = false;
	buf_add(h->out, s);
}

static void
put_invisible(struct message_html *h, struct str s)
{
	if (h->odd_count++ == 0) {
		h->nodd = s.n;
		memcpy(h->odd, s.p, s.n);
	}
}

static void
put_cp(struct message_html *h, uint32_t cp)
{
	char room[8];
	struct buf b = { .p = room, .cap = sizeof(room), .max = sizeof(room) - 1 };

	if (cp == ' ' || cp == '\t' || cp == '\n' || cp == '\r') {
		h->space = true;
		return;
	}
	if (cp < ' ')
		cp = 0xfffd;
	utf8_add(&b, cp);
	if (is_invisible(cp))
		put_invisible(h, buf_str(&b));
	else
		put(h, buf_str(&b));
}

/* Entities */

/* The numbers 128 to 159 mean what they mean in windows-1252. */
static uint32_t
number_of(struct str s)
{
	static const uint16_t c1[32] = {
		0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
		0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
	};
	bool hex = s.n > 0 && (s.p[0] | 0x20) == 'x';
	uint32_t v = 0;

	for (size_t i = hex; i < s.n; i++) {
		char c = s.p[i], l = (char)(c | 0x20);
		uint32_t d = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : (uint32_t)(l - 'a' + 10);
		v = MIN(v * (hex ? 16 : 10) + d, (uint32_t)0x110000);
	}
	if (v >= 0x80 && v < 0xa0)
		return c1[v - 0x80];
	return v == 0 || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0xfffd : v;
}

/* end_entity writes the reference that was gathered, or its text if it is none. */
static void
end_entity(struct message_html *h, bool semicolon)
{
	struct str s = str_n(h->entity, h->nentity);
	uint32_t cp = 0;

	h->state = TEXT;
	if (s.n > 1 && s.p[0] == '#' && !(s.n == 2 && (s.p[1] | 0x20) == 'x'))
		cp = number_of(str_from(s, 1));
	else if (s.n > 0 && s.p[0] != '#')
		cp = message_html_entity(s);
	if (cp) {
		put_cp(h, cp);
		return;
	}
	put(h, S("&"));
	if (s.n > 0)
		put(h, s);
	if (semicolon)
		put(h, S(";"));
}

/* add_entity takes a character after "&"; false if it does not belong to the reference. */
static bool
add_entity(struct message_html *h, char c)
{
	bool digit = c >= '0' && c <= '9', letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', ok;

	if (h->nentity == 0)
		ok = letter || c == '#';
	else if (h->entity[0] != '#')
		ok = letter || digit;
	else if (h->nentity == 1)
		ok = digit || (c | 0x20) == 'x';
	else
		ok = digit || ((h->entity[1] | 0x20) == 'x' && letter && (c | 0x20) <= 'f');
	if (!ok || h->nentity == ENTITY_MAX)
		return false;
	h->entity[h->nentity++] = c;
	return true;
}

/* Elements */

static enum kind
kind_of(struct str name)
{
	size_t lo = 0, hi = ARRAY_LEN(elements);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int r = str_cmp(name, str_of(elements[mid].name));
		if (r == 0)
			return elements[mid].kind;
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return BLOCK;
}

/* In svg and math a start tag of HTML ends them, as the standard says, so an unclosed picture does not swallow the rest. */
static bool
breaks_out(struct str name)
{
	static const char *const names[] = { "p", "div", "table", "span", "body", "br", "center", "li", "ul", "ol", "h1", "h2", "h3", "img", "hr" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_is(name, str_of(names[i])))
			return true;
	}
	return false;
}

/* in_skip acts on a tag within a skipped element; false once that has ended. */
static bool
in_skip(struct message_html *h, struct str name)
{
	struct str skip = str_n(h->skip, h->nskip);

	if (str_is(name, skip)) {
		if (h->end_tag)
			h->skip_depth--;
		else if (!h->self_closing)
			h->skip_depth++;
		return true;
	}
	if (!h->end_tag && breaks_out(name) && (str_is(skip, S("svg")) || str_is(skip, S("math")))) {
		h->skip_depth = 0;
		return false;
	}
	return true;
}

static void
begin_raw(struct message_html *h, struct str name)
{
	h->raw[0] = '<';
	h->raw[1] = '/';
	memcpy(h->raw + 2, name.p, name.n);
	h->nraw = name.n + 2;
	h->raw_at = 0;
	h->state = RAW;
}

/* end_tag acts on a whole tag. */
static void
end_tag(struct message_html *h)
{
	struct str name = str_n(h->name, h->nname);
	enum kind kind = kind_of(name);

	h->state = TEXT;
	if (kind == SKIP_RAW) {
		if (!h->end_tag)
			begin_raw(h, name);
		return;
	}
	if (h->skip_depth > 0 && in_skip(h, name))
		return;
	switch (kind) {
	case SKIP:
		if (!h->end_tag && !h->self_closing) {
			memcpy(h->skip, name.p, name.n);
			h->nskip = name.n;
			h->skip_depth = 1;
		}
		break;
	case INLINE:
	case VOID_INLINE:
	case SKIP_RAW:
		break;
	case CELL:
		h->space = true;
		break;
	case BREAK:
		end_line(h);
		break;
	case QUOTE:
		begin_block(h);
		if (h->end_tag && h->quotes > 0)
			h->quotes--;
		else if (!h->end_tag && h->quotes < 20)
			h->quotes++;
		if (h->end_tag)
			end_block(h);
		break;
	case PRE:
		begin_block(h);
		if (h->end_tag && h->pre > 0)
			h->pre--;
		else if (!h->end_tag)
			h->pre++;
		break;
	case BLOCK:
		if (h->end_tag)
			end_block(h);
		else
			begin_block(h);
		break;
	}
}

/* Tokenizer */

static void
text_char(struct message_html *h, char c)
{
	if (c == '<') {
		h->state = TAG_OPEN;
		h->nname = 0;
		h->end_tag = h->self_closing = false;
	} else if (h->skip_depth > 0) {
		return;
	} else if (c == '&') {
		h->state = ENTITY;
		h->nentity = 0;
	} else if (c == '\n' && h->pre > 0) {
		end_line(h);
	} else {
		put_cp(h, (unsigned char)c);
	}
}

static void
tag_open(struct message_html *h, char c)
{
	bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

	if (letter) {
		h->state = TAG_NAME;
		h->name[h->nname++] = (char)(c | 0x20);
	} else if (c == '/' && !h->end_tag) {
		h->end_tag = true;
	} else if (c == '!' && !h->end_tag) {
		h->state = DECLARATION;
		h->dashes = 0;
		h->nname = 0;
	} else if (c == '?' || h->end_tag) {
		h->state = c == '>' ? TEXT : DECLARATION;
		h->nname = 1;           /* not the start of a comment */
	} else {
		/* A plain "<". */
		h->state = TEXT;
		if (h->skip_depth == 0)
			put(h, S("<"));
		text_char(h, c);
	}
}

static void
in_tag(struct message_html *h, char c)
{
	if (c == '>') {
		end_tag(h);
		return;
	}
	h->self_closing = c == '/';
	h->state = c == '=' ? IN_VALUE_START : IN_TAG;
}

static void
tag_name(struct message_html *h, char c)
{
	if (c == '>' || c == '/' || c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
		in_tag(h, c);
	} else if (h->nname < NAME_MAX) {
		h->name[h->nname++] = c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c;
		if (h->nname == NAME_MAX)
			h->name[0] = '\0';      /* too long to be one of ours */
	}
}

static void
value_start(struct message_html *h, char c)
{
	if (c == '"' || c == '\'') {
		h->quote = c;
		h->state = IN_QUOTES;
	} else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
		h->self_closing = false;
		in_tag(h, c == '=' ? 'x' : c);
		if (c == '/')
			h->self_closing = false;
	}
}

static void
declaration(struct message_html *h, char c)
{
	if (h->nname == 0 && c == '-') {
		if (++h->dashes == 2)
			h->state = COMMENT;
		return;
	}
	h->nname = 1;
	if (c == '>')
		h->state = TEXT;
}

static void
comment(struct message_html *h, char c)
{
	if (c == '>' && h->dashes >= 2)
		h->state = TEXT;
	else if (c == '-')
		h->dashes++;
	else if (c != '!' || h->dashes < 2)
		h->dashes = 0;
}

/* raw looks for the end tag of a raw text element. */
static void
raw(struct message_html *h, char c)
{
	char low = c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c;

	if (h->raw_at == h->nraw) {
		if (c == '>' || c == '/' || c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			memcpy(h->name, h->raw + 2, h->nraw - 2);
			h->nname = h->nraw - 2;
			h->end_tag = true;
			in_tag(h, c);
			return;
		}
		h->raw_at = 0;
	}
	if (low == h->raw[h->raw_at])
		h->raw_at++;
	else
		h->raw_at = low == '<';
}

/* text_run takes plain characters at the start of s at once; returns how many. */
static size_t
text_run(struct message_html *h, struct str s)
{
	size_t n = 0;

	while (n < s.n && (unsigned char)s.p[n] > ' ' && s.p[n] != '<' && s.p[n] != '&' && (unsigned char)s.p[n] < 0x80)
		n++;
	if (n > 0 && h->skip_depth == 0)
		put(h, str_upto(s, n));
	if (n > 0)
		return n;
	/* A character of several bytes; what is no UTF-8 is one byte. Pieces end at whole characters, or that is lost here. */
	if ((unsigned char)s.p[0] >= 0x80) {
		uint32_t cp = 0xfffd;
		int len = utf8_next(s, &cp);
		if (h->skip_depth == 0)
			put_cp(h, cp);
		return len > 0 ? (size_t)len : 1;
	}
	return 0;
}

bool
message_html_add(struct message_html *h, struct str s)
{
	while (s.n > 0) {
		if (h->out->n - h->start >= h->max || h->out->failed)
			return false;
		size_t n = h->state == TEXT ? text_run(h, s) : 0;
		if (n > 0) {
			s = str_from(s, n);
			continue;
		}
		char c = s.p[0];
		switch (h->state) {
		case TEXT:
			text_char(h, c);
			break;
		case ENTITY:
			if (add_entity(h, c))
				break;
			end_entity(h, c == ';');
			if (c != ';')
				continue;
			break;
		case TAG_OPEN:
			tag_open(h, c);
			break;
		case TAG_NAME:
			tag_name(h, c);
			break;
		case IN_TAG:
			in_tag(h, c);
			break;
		case IN_VALUE_START:
			value_start(h, c);
			break;
		case IN_QUOTES: {
			const char *q = memchr(s.p, h->quote, s.n);
			if (!q)
				return true;
			s = str_from(s, (size_t)(q - s.p));
			h->state = IN_TAG;
			h->self_closing = false;
			break;
		}
		case DECLARATION:
			declaration(h, c);
			break;
		case COMMENT:
			comment(h, c);
			break;
		case RAW:
			raw(h, c);
			break;
		}
		s = str_from(s, 1);
	}
	return true;
}

void
message_html_close(struct message_html **hp)
{
	struct message_html *h = *hp;

	if (!h)
		return;
	if (h->state == ENTITY)
		end_entity(h, false);
	while (h->out->n > h->start && at_line_start(h))
		buf_truncate(h->out, h->out->n - 1);
	if (h->out->n > h->start)
		buf_addc(h->out, '\n');
	if (h->out->n - h->start > h->max)
		buf_truncate(h->out, h->start + utf8_cut(str_from(buf_str(h->out), h->start), h->max).n);
	mem_free(hp);
}

void
message_html_text(struct str html, struct buf *out, size_t max)
{
	struct message_html *h = message_html_open(out, max);

	message_html_add(h, html);
	message_html_close(&h);
}
