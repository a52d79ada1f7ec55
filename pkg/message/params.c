/* SPDX-License-Identifier: MIT */
/*
 * Content-Type and Content-Disposition: a value and parameters (RFC 2045 5.1, 2183), with the continuations and charsets of RFC 2231.
 *
 * First the text is cut into pieces, leniently: unquoted values may hold specials, semicolons may be missing or too many, quotes may stay
 * open. Then pieces of one name are joined. Only among the pieces of one name is there a search, and their number is limited.
 */
#include "message/header.h"

#include "base/enc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "message/body.h"
#include "message/message_internal.h"

/* A piece is one "name=value" of the text. */
struct piece {
	struct str name;        /* lower-case, without the marks */
	struct str value;       /* unquoted, not decoded */
	int index;              /* of name*N; -1 for name and name* */
	bool extended;          /* trailing '*': percent-encoded */
	bool used;
	uint16_t next;          /* the following piece of the same name, plus 1; 0: none */
	uint16_t last;          /* of the first piece of a name: the last one */
};

/* All pieces of a field; those of one name are chained, in order, and found by its hash. */
#define SLOTS (2 * LIMIT_HEADER_PARAMS)
struct pieces {
	struct piece v[LIMIT_HEADER_PARAMS];
	uint16_t n;
	uint16_t slots[SLOTS];  /* first piece of a name, plus 1; 0: free */
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* skip_cfws skips white space and comments, nested ones too; an open comment goes to the end. */
static void
skip_cfws(struct str *s)
{
	unsigned depth = 0;
	size_t i = 0;

	for (; i < s->n; i++) {
		char c = s->p[i];
		if (c == '(')
			depth++;
		else if (depth > 0 && c == ')')
			depth--;
		else if (depth > 0 && c == '\\')
			i++;
		else if (depth == 0 && !is_space(c))
			break;
	}
	*s = str_from(*s, MIN(i, s->n));
}

/* take_quoted takes a quoted-string with its content unescaped and unfolded. *r_open: the closing quote is missing. */
static struct str
take_quoted(struct arena *a, struct str *s, bool *r_open)
{
	char *out = arena_bytes(a, s->n + 1);
	size_t n = 0, i = 1;

	*r_open = true;
	for (; i < s->n; i++) {
		char c = s->p[i];
		if (c == '"') {
			*r_open = false;
			i++;
			break;
		}
		if (c == '\\') {
			if (++i == s->n)
				break;
			c = s->p[i];
		}
		if (c != '\r' && c != '\n')
			out[n++] = c;
	}
	*s = str_from(*s, MIN(i, s->n));
	return str_n(out, n);
}

/*
 * ends_unquoted tells whether an unquoted value ends before the white space at the start of s: at a comment, or where "name=" shows
 * that a semicolon is missing.
 */
static bool
ends_unquoted(struct str s)
{
	struct str rest = s;

	skip_cfws(&rest);
	if (rest.n == 0 || rest.p[0] == ';' || rest.n < s.n - 1)
		return true;
	size_t i = 0;
	while (i < rest.n && rest.p[i] > ' ' && !memchr("=;\"()<>@,:/?[]", rest.p[i], 14))
		i++;
	return i > 0 && i + 1 < rest.n && rest.p[i] == '=' && rest.p[i + 1] != '?' && rest.p[i + 1] != '=';
}

/* take_unquoted takes what stands without quotes up to a semicolon, and more than tokens may hold. */
static struct str
take_unquoted(struct str *s, bool *r_odd)
{
	size_t i = 0;

	for (; i < s->n && s->p[i] != ';'; i++) {
		if (is_space(s->p[i])) {
			if (ends_unquoted(str_from(*s, i)))
				break;
			*r_odd = true;
			while (i + 1 < s->n && is_space(s->p[i + 1]))
				i++;
		}
	}
	struct str v = str_trim(str_upto(*s, i));
	*s = str_from(*s, i);
	return v;
}

/* parse_name splits "title*0*" into its parts. False if the marks are not of that form. */
static bool
parse_name(struct arena *a, struct str raw, struct piece *p)
{
	uint32_t index;

	p->index = -1;
	p->extended = false;
	if (str_ends(raw, S("*"))) {
		p->extended = true;
		raw.n--;
	}
	ssize_t star = str_find(raw, '*');
	if (star >= 0) {
		struct str number = str_from(raw, (size_t)star + 1);
		if (number.n > 1 && number.p[0] == '0')
			return false;
		if (str_u32(number, &index) < 0 || index >= LIMIT_HEADER_PARAMS)
			return false;
		p->index = (int)index;
		raw.n = (size_t)star;
	}
	p->name = str_lower(a, raw);
	return raw.n > 0;
}

/* add_piece adds a piece behind those of its name. */
static void
add_piece(struct pieces *all, struct piece p)
{
	size_t at = message_hash(p.name) % SLOTS;
	uint16_t i = all->n;

	while (all->slots[at] && !str_is(all->v[all->slots[at] - 1].name, p.name))
		at = (at + 1) % SLOTS;
	p.last = i;
	if (all->slots[at]) {
		struct piece *first = &all->v[all->slots[at] - 1];
		all->v[first->last].next = (uint16_t)(i + 1);
		first->last = i;
		p.last = UINT16_MAX;    /* not the first */
	} else {
		all->slots[at] = (uint16_t)(i + 1);
	}
	all->v[all->n++] = p;
}

static void
take_pieces(struct arena *a, struct str s, struct pieces *all, uint32_t *flaws)
{
	while (s.n > 0) {
		bool odd = false;
		struct piece p = { 0 };

		skip_cfws(&s);
		if (s.n > 0 && s.p[0] == ';') {
			s = str_from(s, 1);
			continue;
		}
		size_t i = 0;
		while (i < s.n && s.p[i] != '=' && s.p[i] != ';' && s.p[i] != '(' && !is_space(s.p[i]))
			i++;
		struct str raw = str_upto(s, i);
		s = str_from(s, i);
		skip_cfws(&s);
		if (s.n == 0 || s.p[0] != '=') {
			/* A word without value: skip to the next semicolon. */
			if (raw.n > 0 || s.n > 0)
				*flaws |= MESSAGE_FLAW_CONTENT_TYPE;
			str_split(&s, ';');
			continue;
		}
		s = str_from(s, 1);
		skip_cfws(&s);
		if (s.n > 0 && s.p[0] == '"') {
			p.value = take_quoted(a, &s, &odd);
			skip_cfws(&s);
		} else {
			p.value = take_unquoted(&s, &odd);
		}
		if (odd)
			*flaws |= MESSAGE_FLAW_CONTENT_TYPE;
		if (!parse_name(a, raw, &p)) {
			*flaws |= MESSAGE_FLAW_CONTENT_TYPE;
			continue;
		}
		if (all->n == LIMIT_HEADER_PARAMS) {
			*flaws |= MESSAGE_FLAW_PARAMS;
			break;
		}
		add_piece(all, p);
	}
}

/* add_percent decodes "%XX"; other '%' stand for themselves. */
static void
add_percent(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		int hi, lo;
		if (s.p[i] == '%' && i + 2 < s.n && (hi = enc_hexval(s.p[i + 1])) >= 0 && (lo = enc_hexval(s.p[i + 2])) >= 0) {
			buf_addc(out, (char)(hi << 4 | lo));
			i += 2;
		} else {
			buf_addc(out, s.p[i]);
		}
	}
}

/* cut_charset takes "charset'language'" off the first piece of an extended value: rfc/2231:233 */
static struct str
cut_charset(struct str *s)
{
	struct str rest = *s;
	struct str charset = str_split(&rest, '\'');

	if (charset.n == s->n)
		return (struct str){ 0 };
	/* The language may be left out together with its quote. */
	if (str_find(rest, '\'') >= 0)
		str_split(&rest, '\'');
	*s = rest;
	return charset;
}

enum form { PLAIN, EXTENDED, ANY };

/* find_piece looks among the pieces of one name. */
static const struct piece *
find_piece(struct pieces *all, struct piece *first, int index, enum form form)
{
	for (struct piece *p = first; p; p = p->next ? &all->v[p->next - 1] : NULL) {
		if (p->index == index && (form == ANY || p->extended == (form == EXTENDED))) {
			p->used = true;
			return p;
		}
	}
	return NULL;
}

/* append_piece adds a piece to the joined value; an extended first one names the charset. Returns whether it was extended. */
static bool
append_piece(const struct piece *p, bool first, struct str *charset, struct buf *out)
{
	struct str s = p->value;

	if (first && p->extended)
		*charset = cut_charset(&s);
	if (p->extended)
		add_percent(s, out);
	else
		buf_add(out, s);
	return p->extended;
}

/* join decodes name* or name*0, name*1, ...; false if there is neither. */
static bool
join(struct arena *a, struct pieces *all, struct piece *first, struct str *r_value)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);
	const struct piece *p = find_piece(all, first, -1, EXTENDED);
	struct str charset = { 0 };
	bool extended = false;

	if (p) {
		extended = append_piece(p, true, &charset, &b);
	} else {
		p = find_piece(all, first, 0, ANY);
		if (!p)
			return false;
		const struct piece *q = p;
		for (int i = 1; q; q = find_piece(all, first, i++, ANY))
			extended |= append_piece(q, q == p, &charset, &b);
	}
	*r_value = extended ? message_charset_decode(a, charset, buf_str(&b)) : buf_str(&b);
	return true;
}

/* decode_all gives the parameters of the pieces, in the order of their first ones. */
static void
decode_all(struct arena *a, struct pieces *all, struct message_params *r)
{
	r->v = ARENA_NEWN(a, all->n, struct message_param);
	for (uint16_t i = 0; i < all->n; i++) {
		struct piece *first = &all->v[i];
		struct message_param *q = &r->v[r->n];
		if (first->last == UINT16_MAX) {
			/* Seen with an earlier piece of its name; what that had no use for is a repetition. */
			if (!first->used)
				r->flaws |= MESSAGE_FLAW_PARAMS;
			continue;
		}
		q->name = first->name;
		/* The forms of RFC 2231 win over a plain parameter, which is there for old readers. */
		bool joined = join(a, all, first, &q->value);
		const struct piece *plain = find_piece(all, first, -1, PLAIN);
		if (!joined && !plain)
			continue;
		if (plain && (!joined || str_search(q->value, S("\xef\xbf\xbd")) >= 0))
			q->value = plain->value;
		r->n++;
	}
}

void
message_parse_params(struct arena *a, struct str body, struct message_params *r_p)
{
	struct message_params r = { 0 };
	struct str s = body;
	bool gap = false;

	/* The value: words up to ';', comments left out, and white space too (for "text / plain"). */
	char *value = arena_bytes(a, body.n + 1);
	size_t nvalue = 0;
	for (skip_cfws(&s); s.n > 0 && s.p[0] != ';'; skip_cfws(&s)) {
		size_t i = 0;
		while (i < s.n && s.p[i] != ';' && s.p[i] != '(' && !is_space(s.p[i]))
			i++;
		/* A word behind the value, not around its slash: parameters without semicolon in front, or rubbish. */
		if (gap && nvalue > 0 && value[nvalue - 1] != '/' && s.p[0] != '/') {
			if (str_find(str_upto(s, i), '=') < 0)
				str_split(&s, ';');
			r.flaws |= MESSAGE_FLAW_CONTENT_TYPE;
			break;
		}
		memcpy(value + nvalue, s.p, i);
		nvalue += i;
		s = str_from(s, i);
		gap = true;
	}
	r.value = str_n(value, nvalue);

	if (s.n > 0) {
		struct pieces all;
		all.n = 0;
		memset(all.slots, 0, sizeof(all.slots));
		take_pieces(a, s, &all, &r.flaws);
		decode_all(a, &all, &r);
	}
	*r_p = r;
}
