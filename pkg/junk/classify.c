/* SPDX-License-Identifier: MIT */
/* From counts to a probability: ../spec/junk.md section 5. */
#include <math.h>
#include <stdlib.h>

#include "junk/junk.h"

const struct junk_params junk_default_params = {
	.onegrams = true, .twograms = true, .max_power = 0.02, .top_words = 1000, .ignore_words = 0.1, .rare_words = 6,
};

/* score_of: false if the word tells nothing. */
static bool
score_of(const struct junk_params *p, struct junk_counts total, struct junk_counts c, double *r_score)
{
	double junk = total.junk > 0 ? (double)c.junk / (double)total.junk : 0, ham = total.ham > 0 ? (double)c.ham / (double)total.ham : 0;
	int64_t seen = c.ham + c.junk;
	if (seen <= 0 || junk + ham <= 0)
		return false;
	double r = junk / (junk + ham);
	if (r < p->max_power)
		r = p->max_power;
	else if (r >= 1 - p->max_power)
		r = 1 - p->max_power;
	if (seen <= p->rare_words)
		r += (double)(1 + p->rare_words - seen) * (0.5 - r) / 10;
	if (fabs(0.5 - r) < p->ignore_words)
		return false;
	*r_score = r;
	return true;
}

/* by_weight puts the most telling words first; among those alike the longer ones, then in the order of bytes, so that results do not vary. */
static int
by_weight(const void *x, const void *y)
{
	const struct junk_word *a = x, *b = y;
	double wa = fabs(a->score - 0.5), wb = fabs(b->score - 0.5);
	if (wa != wb)
		return wa > wb ? -1 : 1;
	if (a->word.n != b->word.n)
		return a->word.n > b->word.n ? -1 : 1;
	return str_cmp(a->word, b->word);
}

/* choose sorts and keeps the top; returns the sum of what they say. */
static double
choose(struct junk_word *v, size_t *n, int64_t top)
{
	double eta = 0;
	if (*n > 1)
		qsort(v, *n, sizeof(*v), by_weight);
	if ((uint64_t)top < *n)
		*n = (size_t)top;
	for (size_t i = 0; i < *n; i++)
		eta += log(1 - v[i].score) - log(v[i].score);
	return eta;
}

void
junk_classify(struct arena *a, const struct junk_params *p, struct junk_counts total, const struct junk_words *w, const struct junk_counts *counts,
    struct junk_result *r_r)
{
	struct junk_result r = {
		.significant = total.ham >= JUNK_SIGNIFICANT, .ham = ARENA_NEWN(a, w->n, struct junk_word), .junk = ARENA_NEWN(a, w->n, struct junk_word),
	};
	for (size_t i = 0; i < w->n; i++) {
		double score;
		if (!score_of(p, total, counts[i], &score))
			continue;
		if (score < 0.5)
			r.ham[r.nham++] = (struct junk_word){ w->v[i], score };
		else if (score > 0.5)
			r.junk[r.njunk++] = (struct junk_word){ w->v[i], score };
	}
	double eta = choose(r.ham, &r.nham, p->top_words) + choose(r.junk, &r.njunk, p->top_words);
	/* With max_power 0 words can be certain: all that are so on one side, or on both. */
	r.probability = isnan(eta) ? 0.5 : 1 / (1 + exp(eta));
	*r_r = r;
}
