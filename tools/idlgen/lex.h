/* SPDX-License-Identifier: MIT */
/* lex - tokens of the IDL. After the first error nothing happens any more; the message is in *e. */
#ifndef IDLGEN_LEX_H
#define IDLGEN_LEX_H

#include "base/cur.h"
#include "idl.h"

enum lex_tok { LEX_END = 1, LEX_NL, LEX_WORD, LEX_TEXT };       /* others are the character */

struct lex {
	struct arena *a;
	struct str path;
	struct errmsg *e;
	struct cur c;
	unsigned line, tok_line;        /* where the cursor is; where the current token began */
	enum lex_tok tok;
	struct str text;                /* of WORD and TEXT */
	struct str doc;                 /* documentation lines read and not yet taken */
	struct str file_doc;            /* those before the first declaration, followed by an empty line */
	unsigned doc_line;
	bool begun;                     /* a token other than LEX_NL was seen */
	bool failed;
};

void lex_init(struct lex *l, struct arena *a, struct str path, struct str text, struct errmsg *e);
void lex_next(struct lex *l);
void lex_fail(struct lex *l, const char *what);
bool lex_is(const struct lex *l, int tok);
bool lex_try(struct lex *l, int tok);
void lex_want(struct lex *l, int tok, const char *what);
bool lex_try_word(struct lex *l, struct str word);
struct str lex_word(struct lex *l, const char *what);
struct str lex_value(struct lex *l);                    /* WORD or TEXT */
void lex_lines(struct lex *l);                          /* skips line ends */
void lex_eol(struct lex *l);
struct str lex_doc(struct lex *l);                      /* takes the documentation */

#endif
