/* SPDX-License-Identifier: MIT */
/*
 * HTML for the filter.
 *
 * Implementation notes. message_html_text makes text for people; here it matters what the sender did to reach the reader's eye: words torn apart by
 * comments or inline tags are whole again, and elements, colours, sizes and the hosts of links are signals of their own.
 */
#include "base/enc.h"
#include "base/utf8.h"
#include "junk/junk_internal.h"
#include "message/body.h"

#define NAME_LEN 16                     /* longer names are no elements that anybody knows */
#define VALUE_MAX 30                    /* longer attribute values are not alike in two messages */

struct html {
	struct str rest;
	struct buf *text, *signals;
	struct buf scratch;             /* an attribute value, decoded */
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Elements that do not separate words. All others do, known or not. */
static bool
is_inline(struct str name)
{
	static const char *const names[] = {
		"a", "abbr", "acronym", "b", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "label", "mark", "nobr", "q", "s", "samp",
		"small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_is(name, str_of(names[i])))
			return true;
	return false;
}

/* take_to cuts up to the first occurrence of end, and that too; all if there is none. */
static struct str
take_to(struct str *s, struct str end)
{
	ssize_t at = str_isearch(*s, end);
	struct str got = at < 0 ? *s : str_upto(*s, (size_t)at);
	*s = at < 0 ? str_from(*s, s->n) : str_from(*s, (size_t)at + end.n);
	return got;
}

/* entity decodes what follows an "&" into b. */
static void
entity(struct str *s, struct buf *b)
{
	size_t n = 0;
	uint32_t cp = 0;
	while (n < s->n && n < 32 && (is_alpha(s->p[n]) || (s->p[n] >= '0' && s->p[n] <= '9') || (n == 0 && s->p[n] == '#')))
		n++;
	struct str name = str_upto(*s, n);
	if (str_istarts(name, S("#x"))) {
		for (size_t i = 2; i < name.n && cp < 0x110000; i++) {
			int digit = enc_hexval(name.p[i]);
			cp = digit < 0 ? 0x110000 : cp * 16 + (uint32_t)digit;
		}
	} else if (str_starts(name, S("#"))) {
		if (str_u32(str_from(name, 1), &cp) < 0)
			cp = 0x110000;
	} else {
		cp = message_html_entity(name);
	}
	if (cp == 0 || cp >= 0x110000) {        /* a plain "&" */
		buf_addc(b, '&');
		return;
	}
	utf8_add(b, cp);
	*s = str_from(*s, n + (n < s->n && s->p[n] == ';'));
}

static void
decode(struct str s, struct buf *b)
{
	while (s.n) {
		ssize_t amp = str_find(s, '&');
		buf_add(b, amp < 0 ? s : str_upto(s, (size_t)amp));
		if (amp < 0)
			return;
		s = str_from(s, (size_t)amp + 1);
		entity(&s, b);
	}
}

/* --- tags --- */

struct attr {
	struct str name, value;
};

/* next_attr takes the next attribute of the tag; false at its end, which is taken too. */
static bool
next_attr(struct str *s, struct attr *r_attr)
{
	struct attr a = { 0 };
	size_t i = 0;
	while (i < s->n && (is_space(s->p[i]) || s->p[i] == '/'))
		i++;
	*s = str_from(*s, i);
	if (s->n == 0 || s->p[0] == '>') {
		*s = str_from(*s, 1);
		return false;
	}
	for (i = 0; i < s->n && !is_space(s->p[i]) && s->p[i] != '>' && (s->p[i] != '=' || i == 0) && (s->p[i] != '/' || i == 0);)
		i++;
	a.name = str_upto(*s, i);
	*s = str_from(*s, i);
	for (i = 0; i < s->n && is_space(s->p[i]);)
		i++;
	if (i < s->n && s->p[i] == '=') {
		for (i++; i < s->n && is_space(s->p[i]);)
			i++;
		*s = str_from(*s, i);
		char q = s->n ? s->p[0] : '\0';
		if (q == '"' || q == '\'') {
			*s = str_from(*s, 1);
			a.value = take_to(s, str_n(&q, 1));
		} else {
			for (i = 0; i < s->n && !is_space(s->p[i]) && s->p[i] != '>';)
				i++;
			a.value = str_upto(*s, i);
			*s = str_from(*s, i);
		}
	}
	*r_attr = a;
	return true;
}

/* add_lower appends ASCII in lower case, without white space and line ends, so that it stays one word. */
static void
add_lower(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_space(s.p[i]))
			buf_addc(b, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i]);
}

static bool
is_one_of(struct str name, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_icase(name, str_of(v[i])))
			return true;
	return false;
}

static void
attribute(struct html *h, struct str element, const struct attr *a)
{
	static const char *const links[] = { "href", "src", "action", "background" }, *const unique[] = { "id", "name", "title", "alt", "value" };
	if (is_one_of(a->name, links, ARRAY_LEN(links))) {
		buf_reset(&h->scratch);
		decode(a->value, &h->scratch);
		junk_links(buf_str(&h->scratch), h->signals);
	} else if (a->value.n <= VALUE_MAX && a->name.n <= NAME_LEN && !is_one_of(a->name, unique, ARRAY_LEN(unique))) {
		buf_add(h->signals, S("html:"));
		buf_add(h->signals, element);
		buf_addc(h->signals, ':');
		add_lower(h->signals, a->name);
		buf_addc(h->signals, '=');
		add_lower(h->signals, a->value);
		buf_addc(h->signals, '\n');
	}
}

/* skip_element leaves out all up to the end tag. */
static void
skip_element(struct html *h, struct str name)
{
	char end[NAME_LEN + 2] = "</";
	memcpy(end + 2, name.p, name.n);
	take_to(&h->rest, str_n(end, name.n + 2));
	take_to(&h->rest, S(">"));
}

/* tag handles what follows "<" and a letter, or "</" and a letter. */
static void
tag(struct html *h, bool end)
{
	char lower[NAME_LEN];
	size_t n = 0;
	struct attr a;
	struct str alt = { 0 };
	while (n < h->rest.n && !is_space(h->rest.p[n]) && h->rest.p[n] != '>' && h->rest.p[n] != '/')
		n++;
	struct str name = str_n(lower, MIN(n, sizeof(lower)));
	for (size_t i = 0; i < name.n; i++)
		lower[i] = h->rest.p[i] >= 'A' && h->rest.p[i] <= 'Z' ? (char)(h->rest.p[i] | 0x20) : h->rest.p[i];
	h->rest = str_from(h->rest, n);
	if (!end) {
		buf_add(h->signals, S("html:"));
		buf_add(h->signals, name);
		buf_addc(h->signals, '\n');
	}
	while (next_attr(&h->rest, &a)) {
		if (end)
			continue;
		attribute(h, name, &a);
		if (alt.n == 0 && str_icase(a.name, S("alt")))
			alt = a.value;
	}
	if (!is_inline(name))
		buf_addc(h->text, '\n');
	if (end)
		return;
	if (str_is(name, S("img")) && alt.n) {
		decode(alt, h->text);
		buf_addc(h->text, '\n');
	}
	if (str_is(name, S("script")) || str_is(name, S("style")) || str_is(name, S("svg")))
		skip_element(h, name);
}

/* markup handles what follows "<". */
static void
markup(struct html *h)
{
	bool end = h->rest.n && h->rest.p[0] == '/';
	struct str inside = str_from(h->rest, end);
	if (inside.n && is_alpha(inside.p[0])) {
		h->rest = inside;
		tag(h, end);
	} else if (str_starts(h->rest, S("!--"))) {
		h->rest = str_from(h->rest, 3);
		take_to(&h->rest, S("-->"));
	} else if (h->rest.n && (end || h->rest.p[0] == '!' || h->rest.p[0] == '?')) {
		take_to(&h->rest, S(">"));
	} else {
		buf_addc(h->text, '<');
	}
}

void
junk_html(struct str html, struct buf *text, struct buf *signals)
{
	struct html h = { .rest = html, .text = text, .signals = signals, .scratch = BUF_INIT(html.n + 1) };
	while (h.rest.n && !text->failed && !signals->failed) {
		ssize_t lt = str_find(h.rest, '<');
		struct str plain = lt < 0 ? h.rest : str_upto(h.rest, (size_t)lt);
		decode(plain, text);
		h.rest = str_from(h.rest, plain.n + (lt >= 0));
		if (lt >= 0)
			markup(&h);
	}
	buf_done(&h.scratch);
}
