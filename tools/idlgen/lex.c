/* SPDX-License-Identifier: MIT */
/* Words, punctuation and documentation of the IDL. */
#include "lex.h"

static const struct cur_class *
word_class(void)
{
	static struct cur_class k;

	if (!cur_class_has(&k, 'a')) {
		cur_class_range(&k, 'a', 'z');
		cur_class_range(&k, 'A', 'Z');
		cur_class_range(&k, '0', '9');
		cur_class_add(&k, "_.:+-");
	}
	return &k;
}

static void
fail(struct lex *l, const char *what)
{
	if (l->failed)
		return;
	l->failed = true;
	err_set(l->e, ERR_INVALID, STRF ":%u: %s", STRA(l->path), l->line, what);
}

/* A quoted text: any characters but controls, \" and \\ . */
static struct str
quoted(struct lex *l)
{
	struct buf b = BUF_ARENA(l->a, IDL_MAX_SIZE);

	while (cur_peek(&l->c) != '"') {
		int ch = cur_peek(&l->c);

		if (ch < 0x20 || ch == 0x7f) {
			fail(l, "text without closing quote");
			return (struct str){ 0 };
		}
		cur_any(&l->c, "text");
		if (ch == '\\') {
			ch = cur_peek(&l->c);
			if (ch != '"' && ch != '\\') {
				fail(l, "unknown escape in text");
				return (struct str){ 0 };
			}
			cur_any(&l->c, "escape");
		}
		buf_addc(&b, (char)ch);
	}
	cur_char(&l->c, '"');
	return str_dup(l->a, buf_str(&b));
}

/* Skips blanks and remarks; collects documentation. */
static void
skip(struct lex *l)
{
	for (;;) {
		if (cur_try(&l->c, ' ') || cur_try(&l->c, '\t'))
			continue;
		if (cur_try_str(&l->c, S("//"))) {
			bool doc = cur_try(&l->c, '/');
			struct str line = cur_until(&l->c, '\n');

			if (doc) {
				if (str_search(line, S("*/")) >= 0)
					fail(l, "documentation cannot hold the end of a C comment");
				l->doc_line = l->line;
				line = str_starts(line, S(" ")) ? str_from(line, 1) : line;
				l->doc = l->doc.n ? str_fmt(l->a, STRF "\n" STRF, STRA(l->doc), STRA(line)) : line;
			}
			continue;
		}
		return;
	}
}

void
lex_next(struct lex *l)
{
	if (l->failed)
		return;
	skip(l);
	l->tok_line = l->line;
	l->text = (struct str){ 0 };
	if (cur_end(&l->c)) {
		l->tok = LEX_END;
		return;
	}
	int ch = cur_peek(&l->c);
	if (ch == '\n') {
		cur_char(&l->c, '\n');
		if (l->doc.n && l->doc_line != l->line) { /* an empty line: it documents the file, or nothing */
			if (!l->begun)
				l->file_doc = l->doc;
			lex_doc(l);
		}
		l->line++;
		l->tok = LEX_NL;
	} else if (ch == '"') {
		cur_char(&l->c, '"');
		l->text = quoted(l);
		l->tok = LEX_TEXT;
	} else if (cur_class_has(word_class(), (unsigned char)ch)) {
		l->text = cur_span(&l->c, word_class());
		l->tok = LEX_WORD;
	} else if (ch > ' ' && ch < 0x7f && strchr("{}()[],=?", ch)) {
		cur_any(&l->c, "punctuation");
		l->tok = (enum lex_tok)ch;
	} else {
		fail(l, "unexpected character");
	}
	l->begun |= l->tok != LEX_NL;
}

void
lex_init(struct lex *l, struct arena *a, struct str path, struct str text, struct errmsg *e)
{
	*l = (struct lex){ .a = a, .path = path, .e = e, .c = cur_in(a, text), .line = 1 };
	lex_next(l);
}

void
lex_fail(struct lex *l, const char *what)
{
	l->line = l->tok_line;
	fail(l, what);
}

bool
lex_is(const struct lex *l, int tok)
{
	return !l->failed && (int)l->tok == tok;
}

bool
lex_try(struct lex *l, int tok)
{
	if (!lex_is(l, tok))
		return false;
	lex_next(l);
	return true;
}

void
lex_want(struct lex *l, int tok, const char *what)
{
	if (!lex_try(l, tok))
		lex_fail(l, what);
}

bool
lex_try_word(struct lex *l, struct str word)
{
	if (!lex_is(l, LEX_WORD) || !str_is(l->text, word))
		return false;
	lex_next(l);
	return true;
}

struct str
lex_word(struct lex *l, const char *what)
{
	struct str s = l->text;

	if (!lex_is(l, LEX_WORD)) {
		lex_fail(l, what);
		return (struct str){ 0 };
	}
	lex_next(l);
	return s;
}

struct str
lex_value(struct lex *l)
{
	struct str s = l->text;

	if (!lex_is(l, LEX_WORD) && !lex_is(l, LEX_TEXT)) {
		lex_fail(l, "expected a word or a quoted text");
		return (struct str){ 0 };
	}
	lex_next(l);
	return s;
}

void
lex_lines(struct lex *l)
{
	while (lex_is(l, LEX_NL))
		lex_next(l);
}

void
lex_eol(struct lex *l)
{
	if (lex_is(l, LEX_END))
		return;
	lex_want(l, LEX_NL, "expected the end of the line");
}

struct str
lex_doc(struct lex *l)
{
	struct str s = l->doc;

	l->doc = (struct str){ 0 };
	return s;
}
