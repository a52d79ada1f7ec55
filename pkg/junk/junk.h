/* SPDX-License-Identifier: MIT */
/*
 * junk - a Bayesian filter of content: how much does a message look like what its reader called junk before.
 *
 * Each reader teaches the filter with messages of both kinds. It counts in how many junk and in how many other ("ham") messages each word occurs. Of a
 * new message those words decide that tell most: the TopWords most hammy and the TopWords most junky ones.
 *
 * This package is pure: words of a message, and the probability from counts that the caller has. pkg/junkdb keeps counts in a database.
 *
 * What differs from ../spec/junk.md, and why (figures: `make bench-junk`, five seeds of the SpamAssassin corpus, trained on a tenth):
 * - There is no Bloom filter. It kept words out of the counts until their second occurrence, but only when training in bulk, so counts depended on the
 *   order, and untraining could not be exact; and it took 4 MiB per account.
 * - HTML is read with words ending at block elements.
 * - Words are at most JUNK_WORD_MAX bytes instead of 32 KiB; scripts written without spaces give pairs of characters.
 * - Signals: words for the fields of the header and their content, types of parts, elements of HTML, and where links lead. See extract.c. Left out
 *   are fields that relays and mailing lists write, Sender and Return-Path among them.
 * - junk_default_params: one and two words, 1000 TopWords instead of 10, MaxPower 0.02 instead of 0.01, RareWords 6 instead of 2: 97.1 instead of 80 % of
 *   the junk is found, with 0.19 instead of 0.03 % of mail taken for junk.
 */
#ifndef JUNK_JUNK_H
#define JUNK_JUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "message/message.h"

#define JUNK_WORD_MAX 255               /* bytes, with the name of the field */

struct junk_params {                    /* account JunkFilter.Params */
	bool onegrams, twograms, threegrams;
	double max_power;               /* 0..0.5: no word is more certain than this from 0 and 1 */
	int64_t top_words;              /* that decide, of each kind */
	double ignore_words;            /* 0..0.5: nearer to 0.5 than this counts nothing */
	int64_t rare_words;             /* words in at most as many messages are pulled towards 0.5 */
};
extern const struct junk_params junk_default_params;
#define JUNK_DEFAULT_THRESHOLD 0.95     /* a message is junk above it */
#define JUNK_SIGNIFICANT 50             /* ham messages from which on the probability means something */

/* The words of a message: a set, in order of first occurrence. */
struct junk_words {
	struct str *v;
	size_t n;
	/* private */
	size_t cap, nslots;
	uint32_t *slots;
};

/*
 * junk_words_of collects the words of a message, in the arena: at most LIMIT_JUNK_WORDS, from at most LIMIT_JUNK_TEXT bytes of text. Errors are those of
 * reading the source: no set then.
 */
int junk_words_of(struct arena *a, const struct junk_params *p, const struct message *m, const struct message_source *src, struct junk_words *r_w) must_use_;
/* junk_text_words adds the words of UTF-8 text, each prefixed with "field:" if field is not empty. For tests. */
void junk_text_words(struct arena *a, const struct junk_params *p, struct str field, struct str text, struct junk_words *w);
bool junk_words_has(const struct junk_words *w, struct str word);
/* junk_words_add adds one word; copied. False if it is there already, too long, or there are too many. */
bool junk_words_add(struct arena *a, struct junk_words *w, struct str word);

struct junk_counts {                    /* messages: that have a word, or in all */
	int64_t ham, junk;
};

struct junk_word {
	struct str word;
	double score;                   /* 0 ham .. 1 junk */
};
struct junk_result {
	double probability;             /* 0.5 if nothing is known */
	bool significant;
	struct junk_word *ham, *junk;   /* that decided, the most telling first */
	size_t nham, njunk;
};
/* junk_classify: counts[i] are those of w->v[i], 0 and 0 for unknown words. Result in the arena, words are views. */
void junk_classify(struct arena *a, const struct junk_params *p, struct junk_counts total, const struct junk_words *w, const struct junk_counts *counts,
	struct junk_result *r_r);

#endif
