/* SPDX-License-Identifier: MIT */
/*
 * The syntax of RE2.
 *
 *	alt = cat *( "|" cat )
 *	cat = *( atom [ ( "*" / "+" / "?" / "{" n [ "," [ m ] ] "}" ) [ "?" ] ] )
 *	atom = "(" [ "?:" / "?P<name>" / "?flags:" ] alt ")" / "(?flags)" / class / "." / "^" / "$" / escape / any other character
 */
#include <unicase.h>

#include "base/cur.h"
#include "base/enc.h"
#include "base/utf8.h"
#include "regexp/regexp_internal.h"

struct flags {
	bool fold, multi, dotall, lazy; /* i m s U */
};

struct parser {
	struct arena *a;
	struct cur c;
	struct flags f;
	unsigned groups, depth;
	struct errmsg *e;
	int err;
};

static struct regexp_node *parse_alt(struct parser *p);

static void
fail(struct parser *p, const char *what)
{
	if (p->err == 0)
		p->err = err_set(p->e, ERR_INVALID, "regular expression: %s at offset %zu", what, cur_off(&p->c));
}

static struct regexp_node *
node(struct parser *p, enum regexp_kind kind)
{
	struct regexp_node *n = ARENA_NEW(p->a, struct regexp_node);

	n->kind = kind;
	return n;
}

static struct regexp_class *
new_class(struct parser *p)
{
	struct regexp_class *k = ARENA_NEW(p->a, struct regexp_class);

	k->fold = p->f.fold;
	return k;
}

static struct regexp_item *
add_item(struct parser *p, struct regexp_class *k)
{
	if (k->n == k->cap) {
		size_t cap = k->cap ? 2 * k->cap : 4;

		k->v = arena_grow(p->a, k->v, k->n, cap, sizeof(*k->v));
		k->cap = cap;
	}
	return &k->v[k->n++];
}

static void
add_range(struct parser *p, struct regexp_class *k, uint32_t lo, uint32_t hi)
{
	*add_item(p, k) = (struct regexp_item){ .lo = lo, .hi = hi };
}

/* Ranges in pairs of characters, or what is outside of them; they are in rising order. */
static void
add_ranges(struct parser *p, struct regexp_class *k, const char *pairs, bool negated)
{
	uint32_t next = 0;

	for (; *pairs; pairs += 2) {
		uint32_t lo = (unsigned char)pairs[0], hi = (unsigned char)pairs[1];

		if (!negated)
			add_range(p, k, lo, hi);
		else if (lo > next)
			add_range(p, k, next, lo - 1);
		next = hi + 1;
	}
	if (negated)
		add_range(p, k, next, UINT32_MAX);
}

/* \d \s \w and their capitals: ASCII, as in RE2. */
static bool
add_perl(struct parser *p, struct regexp_class *k, int ch)
{
	switch (ch | 0x20) {
	case 'd': add_ranges(p, k, "09", ch == 'D'); return true;
	case 's': add_ranges(p, k, "\t\n\f\r  ", ch == 'S'); return true;
	case 'w': add_ranges(p, k, "09AZ__az", ch == 'W'); return true;
	default: return false;
	}
}

/* [:alpha:] and others behind "[". */
static bool
add_posix(struct parser *p, struct regexp_class *k)
{
	static const struct {
		const char *name, *pairs;
	} classes[] = {
		{ "alnum", "09AZaz" },
		{ "alpha", "AZaz" },
		{ "ascii", "\x01\x7f" },
		{ "blank", "\t\t  " },
		{ "cntrl", "\x01\x1f\x7f\x7f" },
		{ "digit", "09" },
		{ "graph", "!~" },
		{ "lower", "az" },
		{ "print", " ~" },
		{ "punct", "!/:@[`{~" },
		{ "space", "\t\r  " },
		{ "upper", "AZ" },
		{ "word", "09AZ__az" },
		{ "xdigit", "09AFaf" },
	};
	struct cur save = p->c;

	if (!cur_try_str(&p->c, S("[:")))
		return false;
	bool negated = cur_try(&p->c, '^');
	struct str name = cur_until(&p->c, ':');
	if (!cur_try_str(&p->c, S(":]"))) {
		p->c = save;
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (str_is(name, str_of(classes[i].name))) {
			add_ranges(p, k, classes[i].pairs, negated);
			return true;
		}
	}
	fail(p, "unknown class");
	return true;
}

/* {Name} or a letter behind \p: general categories and scripts. */
static void
add_property(struct parser *p, struct regexp_class *k, bool negated)
{
	struct str name;
	const char *z;

	if (cur_try(&p->c, '{')) {
		if (cur_try(&p->c, '^'))
			negated = !negated;
		name = cur_until(&p->c, '}');
		cur_char(&p->c, '}');
	} else {
		name = cur_bytes(&p->c, 1, "property");
	}
	z = str_z(p->a, name);
	struct regexp_item *i = add_item(p, k);
	*i = (struct regexp_item){ .negated = negated, .is_category = true };
	if (z == NULL || *z == '\0') {
		fail(p, "unknown property");
		return;
	}
	i->category = uc_general_category_byname(z);
	i->script = uc_script_byname(z);
	if (i->category.bitmask == 0) {
		i->is_category = false;
		if (i->script == NULL)
			fail(p, "unknown property");
	}
}

/* \x7f, \x{10ffff}. */
static uint32_t
parse_hex(struct parser *p)
{
	bool braces = cur_try(&p->c, '{');
	uint32_t v = 0;
	unsigned n = 0;

	while (n < (braces ? 6 : 2) && cur_peek(&p->c) >= 0 && enc_hexval((char)cur_peek(&p->c)) >= 0) {
		v = v << 4 | (uint32_t)enc_hexval((char)cur_any(&p->c, "digit"));
		n++;
	}
	if (n == 0 || (!braces && n != 2) || (braces && !cur_try(&p->c, '}')) || v > 0x10ffff)
		fail(p, "bad hexadecimal escape");
	return v;
}

/* The character that an escape stands for; the backslash and no class letter was seen. */
static uint32_t
parse_escape(struct parser *p)
{
	static const char letters[] = "a\af\fn\nr\rt\tv\v";
	int ch = cur_peek(&p->c);

	if (ch < 0) {
		fail(p, "backslash at the end");
		return 0;
	}
	if (ch >= '1' && ch <= '9') {
		fail(p, "backreferences are not supported");
		return 0;
	}
	if (cur_try(&p->c, 'x'))
		return parse_hex(p);
	if (ch >= 0x80 || cur_class_has(&cur_alnum, (unsigned char)ch)) {
		for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
			if (ch == letters[i]) {
				cur_any(&p->c, "escape");
				return (uint32_t)letters[i + 1];
			}
		}
		fail(p, "unknown escape");
		return 0;
	}
	return cur_any(&p->c, "escape");
}

/* The next code point of the pattern, which is valid UTF-8. */
static uint32_t
parse_char(struct parser *p)
{
	uint32_t cp = 0;
	int n = utf8_next(cur_rest(&p->c), &cp);

	cur_bytes(&p->c, n > 0 ? (size_t)n : 1, "character");
	return cp;
}

/* An end of a range within a class. */
static uint32_t
parse_class_char(struct parser *p)
{
	if (cur_try(&p->c, '\\'))
		return parse_escape(p);
	return parse_char(p);
}

/* Whether the escape at the cursor, behind its backslash, is a class; if so it is added. */
static bool
parse_class_escape(struct parser *p, struct regexp_class *k)
{
	int ch = cur_peek(&p->c);

	if (ch == 'p' || ch == 'P') {
		cur_any(&p->c, "p");
		add_property(p, k, ch == 'P');
		return true;
	}
	if (ch < 0 || !cur_class_has(&cur_alpha, (unsigned char)ch) || !add_perl(p, k, ch))
		return false;
	cur_any(&p->c, "class");
	return true;
}

static struct regexp_node *
parse_class(struct parser *p)
{
	struct regexp_node *n = node(p, REGEXP_CLASS);
	struct regexp_class *k = new_class(p);

	n->class = k;
	k->negated = cur_try(&p->c, '^');
	for (bool first = true; p->err == 0 && (first || !cur_try(&p->c, ']')); first = false) {
		struct cur save = p->c;

		if (cur_end(&p->c)) {
			fail(p, "class without end");
			break;
		}
		if (add_posix(p, k))
			continue;
		if (cur_try(&p->c, '\\') && parse_class_escape(p, k))
			continue;
		p->c = save;
		uint32_t lo = parse_class_char(p), hi = lo;
		save = p->c;
		if (cur_try(&p->c, '-')) {
			if (cur_is(&p->c, ']') || cur_end(&p->c))
				p->c = save; /* a hyphen at the end */
			else
				hi = parse_class_char(p);
		}
		if (hi < lo)
			fail(p, "range out of order");
		add_range(p, k, lo, hi);
	}
	return n;
}

static struct regexp_node *
literal(struct parser *p, uint32_t cp)
{
	struct regexp_node *n = node(p, REGEXP_CLASS);

	n->class = new_class(p);
	add_range(p, n->class, cp, cp);
	return n;
}

static struct regexp_node *
assertion(struct parser *p, enum regexp_assert kind)
{
	struct regexp_node *n = node(p, REGEXP_ASSERT);

	n->assert = kind;
	return n;
}

static struct regexp_node *
join(struct parser *p, enum regexp_kind kind, struct regexp_node *x, struct regexp_node *y)
{
	struct regexp_node *n = node(p, kind);

	n->x = x;
	n->y = y;
	return n;
}

/* \Q...\E: literal text. */
static struct regexp_node *
parse_quoted(struct parser *p)
{
	struct regexp_node *n = node(p, REGEXP_EMPTY);

	while (!cur_end(&p->c) && !cur_try_str(&p->c, S("\\E")))
		n = join(p, REGEXP_CAT, n, literal(p, parse_char(p)));
	return n;
}

static struct regexp_node *
parse_backslash(struct parser *p)
{
	struct regexp_node *n;

	if (cur_try(&p->c, 'A'))
		return assertion(p, REGEXP_START);
	if (cur_try(&p->c, 'z'))
		return assertion(p, REGEXP_END);
	if (cur_try(&p->c, 'b'))
		return assertion(p, REGEXP_WORD_EDGE);
	if (cur_try(&p->c, 'B'))
		return assertion(p, REGEXP_NO_WORD_EDGE);
	if (cur_try(&p->c, 'Q'))
		return parse_quoted(p);
	n = node(p, REGEXP_CLASS);
	n->class = new_class(p);
	if (parse_class_escape(p, n->class))
		return n;
	return literal(p, parse_escape(p));
}

/* Flags behind "(?"; true if a group follows (":"), false if they hold for the rest of the group at hand (")"). */
static bool
parse_flags(struct parser *p)
{
	bool on = true, some = false;

	for (;; some = true) {
		if (cur_try(&p->c, 'i'))
			p->f.fold = on;
		else if (cur_try(&p->c, 'm'))
			p->f.multi = on;
		else if (cur_try(&p->c, 's'))
			p->f.dotall = on;
		else if (cur_try(&p->c, 'U'))
			p->f.lazy = on;
		else if (on && cur_try(&p->c, '-'))
			on = false;
		else
			break;
	}
	if (cur_try(&p->c, ':'))
		return true;
	if (!some || !cur_try(&p->c, ')'))
		fail(p, "only groups, names and the flags i, m, s, U may follow \"(?\"");
	return false;
}

/* Behind "(". */
static struct regexp_node *
parse_group(struct parser *p)
{
	struct regexp_node *n = node(p, REGEXP_GROUP);
	struct flags save = p->f;
	bool capture = true;

	if (++p->depth > REGEXP_MAX_DEPTH)
		fail(p, "nested too deeply");
	if (cur_try(&p->c, '?')) {
		if (cur_try_str(&p->c, S("P<")) || cur_try(&p->c, '<')) {
			if (cur_span(&p->c, &cur_alnum).n == 0 || !cur_try(&p->c, '>'))
				fail(p, "bad name of a group");
		} else if (parse_flags(p)) {
			capture = false;
		} else {
			p->depth--;
			return node(p, REGEXP_EMPTY);
		}
	}
	if (capture && ++p->groups > REGEXP_MAX_GROUPS)
		fail(p, "too many groups");
	n->group = capture ? p->groups : 0;
	n->x = p->err ? node(p, REGEXP_EMPTY) : parse_alt(p);
	if (!cur_try(&p->c, ')'))
		fail(p, "missing closing parenthesis");
	p->f = save;
	p->depth--;
	return capture ? n : n->x;
}

static struct regexp_node *
parse_dot(struct parser *p)
{
	struct regexp_node *n = node(p, REGEXP_CLASS);

	n->class = new_class(p);
	n->class->negated = true;
	if (!p->f.dotall)
		add_range(p, n->class, '\n', '\n');
	return n;
}

static struct regexp_node *
parse_atom(struct parser *p)
{
	if (cur_try(&p->c, '('))
		return parse_group(p);
	if (cur_try(&p->c, '['))
		return parse_class(p);
	if (cur_try(&p->c, '.'))
		return parse_dot(p);
	if (cur_try(&p->c, '^'))
		return assertion(p, p->f.multi ? REGEXP_LINE_START : REGEXP_START);
	if (cur_try(&p->c, '$'))
		return assertion(p, p->f.multi ? REGEXP_LINE_END : REGEXP_END);
	if (cur_try(&p->c, '\\'))
		return parse_backslash(p);
	return literal(p, parse_char(p));
}

/* "{n}", "{n,}", "{n,m}" at the cursor; anything else that begins with "{" is literal text. */
static bool
parse_count(struct parser *p, uint32_t *r_min, uint32_t *r_max)
{
	struct cur save = p->c;
	struct str from, to;

	cur_char(&p->c, '{');
	from = to = cur_span(&p->c, &cur_digit);
	bool comma = cur_try(&p->c, ',');
	if (comma)
		to = cur_span(&p->c, &cur_digit);
	if (from.n == 0 || !cur_try(&p->c, '}')) {
		p->c = save;
		return false;
	}
	*r_max = REGEXP_INF;
	if (str_u32(from, r_min) < 0 || *r_min > 1000 || (to.n && (str_u32(to, r_max) < 0 || *r_max > 1000)))
		fail(p, "more than 1000 repetitions");
	else if (*r_max < *r_min)
		fail(p, "repetitions out of order");
	return true;
}

static bool
parse_quantifier(struct parser *p, uint32_t *r_min, uint32_t *r_max)
{
	*r_min = 0;
	*r_max = REGEXP_INF;
	if (cur_try(&p->c, '*'))
		return true;
	if (cur_try(&p->c, '+')) {
		*r_min = 1;
		return true;
	}
	if (cur_try(&p->c, '?')) {
		*r_max = 1;
		return true;
	}
	return cur_is(&p->c, '{') && parse_count(p, r_min, r_max);
}

static struct regexp_node *
parse_cat(struct parser *p)
{
	struct regexp_node *n = NULL;
	uint32_t min, max;

	while (p->err == 0 && !cur_end(&p->c) && !cur_is(&p->c, '|') && !cur_is(&p->c, ')')) {
		struct regexp_node *x;

		if (parse_quantifier(p, &min, &max)) {
			fail(p, n ? "repetition of a repetition" : "nothing to repeat");
			break;
		}
		x = parse_atom(p);
		if (parse_quantifier(p, &min, &max)) {
			struct regexp_node *r = join(p, REGEXP_REPEAT, x, NULL);

			r->min = min;
			r->max = max;
			r->lazy = cur_try(&p->c, '?') != p->f.lazy;
			x = r;
		}
		n = n ? join(p, REGEXP_CAT, n, x) : x;
	}
	return n ? n : node(p, REGEXP_EMPTY);
}

static struct regexp_node *
parse_alt(struct parser *p)
{
	struct regexp_node *n = parse_cat(p);

	while (p->err == 0 && cur_try(&p->c, '|'))
		n = join(p, REGEXP_ALT, n, parse_cat(p));
	return n;
}

int
regexp_parse(struct arena *a, struct str pattern, struct regexp_node **r_root, unsigned *r_groups, struct errmsg *e)
{
	struct parser p = { .a = a, .c = cur_of(pattern), .e = e };
	struct regexp_node *n;

	if (!utf8_valid(pattern))
		return err_set(e, ERR_INVALID, "regular expression: not valid UTF-8");
	n = parse_alt(&p);
	if (!cur_end(&p.c))
		fail(&p, "unmatched closing parenthesis");
	if (p.err)
		return p.err;
	*r_root = n;
	*r_groups = p.groups;
	return 0;
}

static bool
has(const struct regexp_class *k, uint32_t cp)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct regexp_item *it = &k->v[i];
		bool found = cp >= it->lo && cp <= it->hi;

		if (it->is_category)
			found = uc_is_general_category(cp, it->category) != it->negated;
		else if (it->script)
			found = (uc_script(cp) == it->script) != it->negated;
		if (found)
			return true;
	}
	return false;
}

bool
regexp_class_has(const struct regexp_class *k, uint32_t cp)
{
	return (has(k, cp) || (k->fold && (has(k, uc_tolower(cp)) || has(k, uc_toupper(cp))))) != k->negated;
}
