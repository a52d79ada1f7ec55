/* SPDX-License-Identifier: MIT */
/*
 * Words of text: ../spec/junk.md section 3.
 *
 * Implementation notes. A set of words is an array in order of first occurrence, and a table of indexes into it by hash. Text is cut code point by code
 * point; a word of letters and digits is kept if it looks like one: not too short, not a number, not random.
 */
#include <unictype.h>
#include <unicase.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "junk/junk_internal.h"

/* --- the set --- */

/* slot_of finds where the word is or would be. */
static uint32_t *
slot_of(const struct junk_words *w, struct str word)
{
	size_t at = hash_str(word) & (w->nslots - 1);
	while (w->slots[at] && !str_is(w->v[w->slots[at] - 1], word))
		at = (at + 1) & (w->nslots - 1);
	return &w->slots[at];
}

static void
grow(struct arena *a, struct junk_words *w)
{
	w->v = arena_grow(a, w->v, w->n, w->cap ? w->cap * 2 : 256, sizeof(*w->v));
	w->cap = w->cap ? w->cap * 2 : 256;
	w->nslots = w->cap * 2;
	w->slots = ARENA_NEWN(a, w->nslots, uint32_t);
	for (size_t i = 0; i < w->n; i++)
		*slot_of(w, w->v[i]) = (uint32_t)i + 1;
}

bool
junk_words_has(const struct junk_words *w, struct str word)
{
	return w->n > 0 && *slot_of(w, word) != 0;
}

bool
junk_words_add(struct arena *a, struct junk_words *w, struct str word)
{
	if (word.n > JUNK_WORD_MAX || w->n == LIMIT_JUNK_WORDS)
		return false;
	if (w->n == w->cap)
		grow(a, w);
	uint32_t *slot = slot_of(w, word);
	if (*slot)
		return false;
	w->v[w->n++] = str_dup(a, word);
	*slot = (uint32_t)w->n;
	return true;
}

/* --- what is a word --- */

/* is_random: six or more consonants or digits 2 to 9 in a row are no word of any language written in ASCII. */
static bool
is_random(struct str s)
{
	size_t run = 0;
	if (!str_is_ascii(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		run = (c >= '2' && c <= '9') || (c >= 'a' && c <= 'z' && !strchr("aeiou", c)) ? run + 1 : 0;
		if (run == 6)
			return true;
	}
	return false;
}

static bool
is_numeric(struct str s)
{
	size_t digits = 0, hex = 0;
	if (str_starts(s, S("0x")))
		s = str_from(s, 2);
	for (size_t i = 0; i < s.n; i++) {
		digits += s.p[i] >= '0' && s.p[i] <= '9';
		hex += (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f');
	}
	return digits >= 4 || digits == s.n || (digits >= 3 && hex == s.n);
}

struct cutter {
	struct arena *a;
	const struct junk_params *p;
	struct junk_words *w;
	struct str field;
	size_t min;                     /* bytes of the shortest word */
	char word[JUNK_WORD_MAX + 8];   /* lower-case, so far; with room for one code point too many */
	size_t n;
	bool too_long;
	struct str before[2];           /* the last words kept, the nearest first */
};

/* join puts the parts together with spaces, behind "field:", and adds the word. */
static void
join(struct cutter *c, const struct str *v, size_t n)
{
	char p[JUNK_WORD_MAX + 1];
	struct buf b = { .p = p, .cap = sizeof(p), .max = sizeof(p) - 1 };
	if (c->field.n) {
		buf_add(&b, c->field);
		buf_addc(&b, ':');
	}
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(&b, ' ');
		buf_add(&b, v[i]);
	}
	if (!b.failed)
		junk_words_add(c->a, c->w, buf_str(&b));
}

static void
keep(struct cutter *c, struct str word)
{
	bool pairs = c->p->twograms || c->p->threegrams;
	if (c->p->onegrams)
		join(c, &word, 1);
	if (!pairs)
		return;
	if (c->p->twograms && c->before[0].n)
		join(c, (struct str[]){ c->before[0], word }, 2);
	if (c->p->threegrams && c->before[1].n)
		join(c, (struct str[]){ c->before[1], c->before[0], word }, 3);
	c->before[1] = c->before[0];
	c->before[0] = str_dup(c->a, word);
}

static void
end_word(struct cutter *c)
{
	struct str s = str_n(c->word, c->n);
	bool usable = !c->too_long && s.n >= c->min;
	c->n = 0;
	c->too_long = false;
	if (!usable)
		return;
	while (s.n && s.p[0] == '\'')
		s = str_from(s, 1);
	while (s.n && s.p[s.n - 1] == '\'')
		s.n--;
	if (s.n >= c->min && !is_random(s) && !is_numeric(s))
		keep(c, s);
}

static void
put(struct cutter *c, uint32_t cp)
{
	if (c->too_long)
		return;
	struct buf b = { .p = c->word, .n = c->n, .cap = sizeof(c->word), .max = sizeof(c->word) - 1 };
	utf8_add(&b, cp);
	c->n = b.n;
	c->too_long = c->n > JUNK_WORD_MAX;
}

static bool
is_letter(uint32_t cp)
{
	if (cp < 0x80)
		return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || (cp >= '0' && cp <= '9');
	return uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_Nd);
}

/* is_dense: of scripts written without spaces; two such characters make a word. */
static bool
is_dense(uint32_t cp)
{
	return cp >= 0x0e00 && (cp <= 0x0eff || (cp >= 0x3040 && cp <= 0x30ff) || (cp >= 0x3400 && cp <= 0x9fff) || (cp >= 0xf900 && cp <= 0xfaff) ||
	    (cp >= 0x20000 && cp <= 0x3ffff));
}

static uint32_t
lower(uint32_t cp)
{
	if (cp < 0x80)
		return cp >= 'A' && cp <= 'Z' ? cp | 0x20 : cp;
	return uc_tolower(cp);
}

/* pair adds the word of two dense characters. */
static void
pair(struct cutter *c, uint32_t first, uint32_t second)
{
	end_word(c);
	put(c, first);
	put(c, second);
	end_word(c);
}

/* next takes a code point off the front of *s; invalid bytes read as spaces. 0 at the end. */
static uint32_t
next(struct str *s)
{
	uint32_t cp = ' ';
	if (s->n == 0)
		return 0;
	int n = utf8_next(*s, &cp);
	*s = str_from(*s, n > 0 ? (size_t)n : 1);
	return cp ? cp : ' ';
}

void
junk_text_words(struct arena *a, const struct junk_params *p, struct str field, struct str text, struct junk_words *w)
{
	struct cutter c = { .a = a, .p = p, .w = w, .field = field, .min = field.n ? 4 : 3 };
	uint32_t cp, last_dense = 0;
	while ((cp = next(&text))) {
		if (is_letter(cp) && is_dense(cp)) {
			if (last_dense)
				pair(&c, last_dense, cp);
			else
				end_word(&c);
			last_dense = cp;
			continue;
		}
		last_dense = 0;
		if (is_letter(cp)) {
			put(&c, lower(cp));
		} else if (cp == '\'') {
			/* Within a word it ends the word, elsewhere it is kept, and trimmed at the ends. */
			struct str ahead = text;
			uint32_t after = next(&ahead);
			if (c.n && after && is_letter(after))
				end_word(&c);
			else
				put(&c, cp);
		} else {
			end_word(&c);
		}
	}
	end_word(&c);
}
