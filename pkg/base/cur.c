/* SPDX-License-Identifier: MIT */
#include "base/cur.h"

#include "base/err.h"

#define ALPHA(w) (CUR_RANGE(w, 'A', 'Z') | CUR_RANGE(w, 'a', 'z'))
#define DIGIT(w) CUR_RANGE(w, '0', '9')
#define ALNUM(w) (ALPHA(w) | DIGIT(w))
#define HEXDIG(w) (DIGIT(w) | CUR_RANGE(w, 'A', 'F') | CUR_RANGE(w, 'a', 'f'))
#define WSP(w) (CUR_CHAR(w, ' ') | CUR_CHAR(w, '\t'))
#define VCHAR(w) CUR_RANGE(w, 0x21, 0x7e)

const struct cur_class cur_alpha = CUR_CLASS(ALPHA);
const struct cur_class cur_digit = CUR_CLASS(DIGIT);
const struct cur_class cur_alnum = CUR_CLASS(ALNUM);
const struct cur_class cur_hexdig = CUR_CLASS(HEXDIG);
const struct cur_class cur_wsp = CUR_CLASS(WSP);
const struct cur_class cur_vchar = CUR_CLASS(VCHAR);

void
cur_class_range(struct cur_class *k, unsigned char from, unsigned char to)
{
	for (unsigned c = from; c <= to; c++)
		k->bits[c >> 6] |= UINT64_C(1) << (c & 63);
}

void
cur_class_add(struct cur_class *k, const char *chars)
{
	for (; *chars; chars++)
		cur_class_range(k, (unsigned char)*chars, (unsigned char)*chars);
}

struct cur
cur_of(struct str s)
{
	return cur_in(NULL, s);
}

struct cur
cur_in(struct arena *a, struct str s)
{
	if (s.n == 0 && s.p == NULL)
		s = S("");
	return (struct cur){ .p = s.p, .end = s.p + s.n, .start = s.p, .a = a };
}

bool
cur_done(struct cur *c)
{
	if (!cur_end(c))
		cur_fail(c, "end");
	return cur_ok(c);
}

void
cur_fail(struct cur *c, const char *want)
{
	if (c->want == NULL)
		c->want = want;
}

struct str
cur_rest(const struct cur *c)
{
	return str_n(c->p, cur_left(c));
}

int
cur_peek(const struct cur *c)
{
	return cur_ok(c) && !cur_end(c) ? (unsigned char)*c->p : -1;
}

bool
cur_is(const struct cur *c, char ch)
{
	return cur_peek(c) == (unsigned char)ch;
}

bool
cur_try(struct cur *c, char ch)
{
	if (!cur_is(c, ch))
		return false;
	c->p++;
	return true;
}

bool
cur_try_str(struct cur *c, struct str s)
{
	if (!cur_ok(c) || !str_starts(cur_rest(c), s))
		return false;
	c->p += s.n;
	return true;
}

bool
cur_try_icase(struct cur *c, struct str s)
{
	if (!cur_ok(c) || !str_istarts(cur_rest(c), s))
		return false;
	c->p += s.n;
	return true;
}

/* The text of what was wanted must outlive the cursor: one constant string per byte. */
static const char *
char_name(char ch)
{
	static const char printable[][4] = {
		"' '", "'!'", "'\"'", "'#'", "'$'", "'%'", "'&'", "'''", "'('", "')'", "'*'", "'+'", "','", "'-'", "'.'", "'/'",
		"'0'", "'1'", "'2'", "'3'", "'4'", "'5'", "'6'", "'7'", "'8'", "'9'", "':'", "';'", "'<'", "'='", "'>'", "'?'",
		"'@'", "'A'", "'B'", "'C'", "'D'", "'E'", "'F'", "'G'", "'H'", "'I'", "'J'", "'K'", "'L'", "'M'", "'N'", "'O'",
		"'P'", "'Q'", "'R'", "'S'", "'T'", "'U'", "'V'", "'W'", "'X'", "'Y'", "'Z'", "'['", "'\\'", "']'", "'^'", "'_'",
		"'`'", "'a'", "'b'", "'c'", "'d'", "'e'", "'f'", "'g'", "'h'", "'i'", "'j'", "'k'", "'l'", "'m'", "'n'", "'o'",
		"'p'", "'q'", "'r'", "'s'", "'t'", "'u'", "'v'", "'w'", "'x'", "'y'", "'z'", "'{'", "'|'", "'}'", "'~'",
	};

	switch (ch) {
	case ' ': return "space";
	case '\r': return "CR";
	case '\n': return "LF";
	case '\t': return "TAB";
	case '\0': return "NUL";
	}
	return ch > ' ' && ch <= '~' ? printable[ch - ' '] : "a certain byte";
}

void
cur_char(struct cur *c, char ch)
{
	if (!cur_try(c, ch))
		cur_fail(c, char_name(ch));
}

void
cur_str(struct cur *c, struct str s)
{
	if (!cur_try_str(c, s))
		cur_fail(c, s.p);
}

void
cur_icase(struct cur *c, struct str s)
{
	if (!cur_try_icase(c, s))
		cur_fail(c, s.p);
}

unsigned char
cur_any(struct cur *c, const char *want)
{
	int ch = cur_peek(c);

	if (ch < 0) {
		cur_fail(c, want);
		return 0;
	}
	c->p++;
	return (unsigned char)ch;
}

static struct str
take_n(struct cur *c, size_t n)
{
	struct str s = str_n(c->p, n);

	c->p += n;
	return s;
}

struct str
cur_bytes(struct cur *c, size_t n, const char *want)
{
	if (n > cur_left(c))
		cur_fail(c, want);
	if (!cur_ok(c))
		return S("");
	return take_n(c, n);
}

struct str
cur_span(struct cur *c, const struct cur_class *k)
{
	size_t n = 0, left = cur_left(c);

	if (!cur_ok(c))
		return S("");
	while (n < left && cur_class_has(k, (unsigned char)c->p[n]))
		n++;
	return take_n(c, n);
}

struct str
cur_span1(struct cur *c, const struct cur_class *k, const char *want)
{
	struct str s = cur_span(c, k);

	if (s.n == 0)
		cur_fail(c, want);
	return s;
}

struct str
cur_until(struct cur *c, char stop)
{
	ssize_t n;

	if (!cur_ok(c))
		return S("");
	n = str_find(cur_rest(c), stop);
	return take_n(c, n < 0 ? cur_left(c) : (size_t)n);
}

uint64_t
cur_u64(struct cur *c, unsigned max_digits, uint64_t max, const char *want)
{
	struct cur at = *c;
	struct str digits = cur_span(&at, &cur_digit);
	uint64_t v;

	if (digits.n == 0 || digits.n > max_digits || str_u64(digits, &v) < 0 || v > max) {
		cur_fail(c, want);
		return 0;
	}
	*c = at;
	return v;
}

bool
cur_enter(struct cur *c, unsigned max)
{
	if (c->depth >= max)
		cur_fail(c, "less nesting");
	c->depth++;
	return cur_ok(c);
}

void
cur_leave(struct cur *c)
{
	bug_if(c->depth == 0);
	c->depth--;
}

struct str
cur_error(struct arena *a, const struct cur *c)
{
	return str_fmt(a, "expected %s at offset %zu", c->want ? c->want : "nothing", cur_off(c));
}
