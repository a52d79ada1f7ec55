/* SPDX-License-Identifier: MIT */
/*
 * The tree of lines.
 *
 * Implementation notes. Nodes that are open form a stack; each is the last child of the one below it, so pointers to them
 * stay valid: an array of children grows only when its last child is closed. `above`, `raw` and `tail` are neighbouring
 * pieces of the text, by which rewriting can copy what it does not change.
 */
#include "base/limits.h"
#include "sconf/sconf_internal.h"

/* Keeps the list in the order of lines; what is about the same line in the order it came. */
static void
add_message(struct arena *a, struct strlist *l, unsigned *lines, unsigned line, struct str text)
{
	size_t i = l->n;

	strlist_add(a, l, text);
	for (; i > 0 && lines[i - 1] > line; i--) {
		lines[i] = lines[i - 1];
		l->v[i] = l->v[i - 1];
	}
	lines[i] = line;
	l->v[i] = text;
}

static struct str message(struct sconf_report *r, unsigned line, const char *fmt, va_list ap) printf_(3, 0);
static struct str
message(struct sconf_report *r, unsigned line, const char *fmt, va_list ap)
{
	struct buf b = BUF_ARENA(r->a, 4096);

	if (r->path)
		buf_addf(&b, "%s:%u: ", r->path, line);
	buf_addv(&b, fmt, ap);
	return buf_str(&b);
}

void
sconf_errorf(struct sconf_report *r, unsigned line, const char *fmt, ...)
{
	va_list ap;

	if (r->errors.n >= SCONF_MAX_ERRORS) {
		r->dropped++;
		return;
	}
	va_start(ap, fmt);
	add_message(r->a, &r->errors, r->error_lines, line, message(r, line, fmt, ap));
	va_end(ap);
}

void
sconf_warnf(struct sconf_report *r, unsigned line, const char *fmt, ...)
{
	va_list ap;

	if (r->warnings.n >= SCONF_MAX_ERRORS)
		return;
	va_start(ap, fmt);
	add_message(r->a, &r->warnings, r->warning_lines, line, message(r, line, fmt, ap));
	va_end(ap);
}

/* A comment or empty line that no node has yet. */
struct pending {
	size_t from, to; /* offsets, with the line end */
	unsigned tabs;
	bool empty;
};

struct parser {
	struct arena *a;
	struct sconf_report *r;
	struct str text;
	struct sconf_node *open[SCONF_MAX_DEPTH + 1]; /* open[d]: whose children are indented by d tabs */
	unsigned nopen;
	struct pending *pend;
	size_t npend, cap;
	unsigned line; /* of the last node */
	unsigned skip; /* lines indented deeper than this belong to one in error; UINT_MAX: none */
};

static unsigned
count_tabs(struct str s)
{
	unsigned n = 0;

	while (n < s.n && s.p[n] == '\t')
		n++;
	return n;
}

static void
set_raw_end(struct parser *p, struct sconf_node *n, size_t end)
{
	n->raw.n = (size_t)(p->text.p + end - n->raw.p);
}

/* Closes nodes until depth ones are left. end: offset behind the last line that belongs to them. */
static void
close_to(struct parser *p, unsigned depth, size_t end)
{
	while (p->nopen > depth + 1) {
		struct sconf_node *n = p->open[--p->nopen];

		set_raw_end(p, n, end);
		n->last = p->line;
	}
}

/*
 * Gives pending lines that are indented deeper than the line to come (at `depth`) to the block that they are indented like,
 * as its tail. Returns where the rest begins, and closes what ends before it.
 */
static size_t
split_pending(struct parser *p, unsigned depth, size_t line_start)
{
	size_t start = p->npend ? p->pend[0].from : line_start, n = 0;
	unsigned tabs = UINT32_MAX;

	for (size_t i = 0; i < p->npend; i++) {
		if (!p->pend[i].empty && p->pend[i].tabs > depth) {
			n = i + 1;
			tabs = MIN(tabs, p->pend[i].tabs);
		}
	}
	if (n > 0 && p->nopen > depth + 1) {
		unsigned block = MIN(tabs, p->nopen - 1);
		size_t end = p->pend[n - 1].to;

		close_to(p, block, start);
		p->open[block]->tail = str_n(p->text.p + start, end - start);
		start = end;
	}
	close_to(p, depth, start);
	p->npend = 0;
	return start;
}

static struct sconf_node *
add_child(struct parser *p, struct sconf_node *n)
{
	if ((n->n & (n->n - 1)) == 0)
		n->v = arena_grow(p->a, n->v, n->n, n->n ? 2 * n->n : 1, sizeof(*n->v));
	return &n->v[n->n++];
}

static void
add_pending(struct parser *p, size_t from, size_t to, unsigned tabs, bool empty)
{
	if (p->npend == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 8;

		p->pend = arena_grow(p->a, p->pend, p->npend, cap, sizeof(*p->pend));
		p->cap = cap;
	}
	p->pend[p->npend++] = (struct pending){ from, to, tabs, empty };
}

/* A line with content at offset `from`; s is without its tabs. */
static void
add_line(struct parser *p, unsigned line, size_t from, struct str s, unsigned tabs)
{
	unsigned max = p->nopen - 1;
	struct sconf_node *n;

	if (p->skip != UINT32_MAX && tabs > p->skip)
		return;
	p->skip = UINT32_MAX;
	if (tabs > max || tabs >= SCONF_MAX_DEPTH) {
		sconf_errorf(p->r, line, "indented by %u tabs where at most %u can be, perhaps stray white space", tabs, max);
		p->skip = max;
		return;
	}
	size_t start = split_pending(p, tabs, from);
	n = add_child(p, p->open[tabs]);
	n->line = n->last = p->line = line;
	n->text = s;
	n->above = str_n(p->text.p + start, from - start);
	n->raw = str_n(p->text.p + from, 0);
	p->open[p->nopen++] = n;
}

static void
take_line(struct parser *p, unsigned line, size_t from, size_t to, bool *cr_told)
{
	struct str s = str_n(p->text.p + from, to - from);
	unsigned tabs;

	if (str_ends(s, S("\n")))
		s.n--;
	if (str_ends(s, S("\r"))) {
		if (!*cr_told)
			sconf_errorf(p->r, line, "line ends in CR LF, must be LF alone");
		*cr_told = true;
		s.n--;
	}
	if (s.n == 0) {
		add_pending(p, from, to, 0, true);
		return;
	}
	tabs = count_tabs(s);
	struct str trimmed = str_trim(s);
	if (trimmed.n == 0) {
		sconf_errorf(p->r, line, "only white space, perhaps stray; empty lines must be empty");
		return;
	}
	if (trimmed.p[0] == '#') {
		add_pending(p, from, to, tabs, false);
		return;
	}
	s = str_from(s, tabs);
	if (s.p[0] == ' ') {
		sconf_errorf(p->r, line, "begins with a space, perhaps mixed tab and space indenting");
		s = trimmed;
	}
	add_line(p, line, from, s, tabs);
}

int
sconf_parse(struct arena *a, struct str text, struct sconf_node *r_root, struct sconf_report *r)
{
	struct parser p = { .a = a, .r = r, .text = text, .skip = UINT32_MAX };
	size_t before = r->errors.n;
	unsigned line = 0;
	bool cr_told = false;

	*r_root = (struct sconf_node){ .raw = text };
	if (text.n > LIMIT_CONFIG_SIZE) {
		sconf_errorf(r, 1, "longer than %d bytes", LIMIT_CONFIG_SIZE);
		return ERR_INVALID;
	}
	p.open[p.nopen++] = r_root;
	for (size_t from = 0, to; from < text.n; from = to) {
		ssize_t lf = str_find(str_from(text, from), '\n');

		to = lf < 0 ? text.n : from + (size_t)lf + 1;
		take_line(&p, ++line, from, to, &cr_told);
	}
	size_t start = split_pending(&p, 0, text.n);
	r_root->tail = str_from(text, start);
	r_root->last = MAX(line, 1U);
	return r->errors.n > before ? ERR_INVALID : 0;
}

const char *
sconf_split_entry(struct str text, struct sconf_line *r_l)
{
	ssize_t colon = str_find(text, ':');
	struct str rest;

	if (colon < 0)
		return "missing colon, expected \"Key: value\" or \"Key:\"";
	*r_l = (struct sconf_line){ .key = str_upto(text, (size_t)colon) };
	if (r_l->key.n == 0)
		return "empty key";
	if (str_trim(r_l->key).n != r_l->key.n)
		return "white space around the key, perhaps mixed tab and space indenting";
	rest = str_from(text, (size_t)colon + 1);
	if (rest.n == 0)
		return NULL;
	if (rest.p[0] != ' ')
		return "missing space after colon";
	r_l->value = str_from(rest, 1);
	r_l->has_value = true;
	return NULL;
}

const char *
sconf_split_item(struct str text, struct sconf_line *r_l)
{
	*r_l = (struct sconf_line){ 0 };
	if (!str_starts(text, S("-")))
		return "expected a list item, \"- value\" or \"-\"";
	if (text.n == 1)
		return NULL;
	if (text.p[1] != ' ')
		return "missing space after dash";
	r_l->value = str_from(text, 2);
	r_l->has_value = true;
	return NULL;
}

unsigned
sconf_line(const struct sconf_node *root, const struct str *path, size_t npath)
{
	const struct sconf_node *n = root;
	struct sconf_line l;

	for (size_t i = 0; i < npath; i++) {
		const struct sconf_node *found = NULL;
		uint64_t index;

		for (size_t k = 0; k < n->n && !found; k++)
			if (sconf_split_entry(n->v[k].text, &l) == NULL && str_is(l.key, path[i]))
				found = &n->v[k];
		if (!found && str_u64(path[i], &index) == 0 && index < n->n && sconf_split_item(n->v[index].text, &l) == NULL)
			found = &n->v[index];
		if (!found)
			break;
		n = found;
	}
	return n->line ? n->line : 1;
}
