/* SPDX-License-Identifier: MIT */
/* The junk filter's part of the consistency check: its counts are those of the messages that taught it. */
#include "base/mem.h"
#include "junkdb/junkdb.h"
#include "store/store_internal.h"

#define PIECE 500

struct check {
	struct arena mem;
	struct map counts;              /* word -> struct junk_counts, as the messages say; found ones are removed */
	struct junk_counts total;
	void (*report)(void *arg, struct str line);
	void *arg;
};

static void
difference(struct check *c, struct str word, struct junk_counts has, struct junk_counts should)
{
	c->report(c->arg, str_fmt(&c->mem, "junk filter has " STRF " in %lld and %lld messages, it should be %lld and %lld", STRA(str_log(&c->mem, word, 100)),
	    (long long)has.ham, (long long)has.junk, (long long)should.ham, (long long)should.junk));
}

static int
compare(void *arg, struct str word, struct junk_counts has)
{
	struct check *c = arg;
	const struct junk_counts *should = map_del(&c->counts, word);
	if (!should)
		difference(c, word, has, (struct junk_counts){ 0 });
	else if (should->ham != has.ham || should->junk != has.junk)
		difference(c, word, has, *should);
	return 0;
}

static int
count(struct store_tx *tx, struct check *c, int64_t id)
{
	ARENA_SCOPE(tx->arena);
	struct store_message m;
	struct junk_words w;
	int got = store_message_get(tx, id, &m);
	if (got <= 0)
		return got;
	int err = store_junk_words(tx, id, &w);
	if (err < 0) {
		c->report(c->arg, str_fmt(&c->mem, "message %lld taught the junk filter, but cannot be read: %s", (long long)id, err_text(err)));
		return 0;
	}
	*(m.trained_junk ? &c->total.junk : &c->total.ham) += 1;
	for (size_t i = 0; i < w.n; i++) {
		struct junk_counts *n = map_get(&c->counts, w.v[i]);
		if (!n)
			map_set(&c->counts, w.v[i], n = ARENA_NEW(&c->mem, struct junk_counts));
		*(m.trained_junk ? &n->junk : &n->ham) += 1;
	}
	return 0;
}

static int
check(struct store_tx *tx, struct check *c)
{
	struct junkdb *db = tx->acct->junk_writer;
	struct junk_counts has;
	int64_t mark, after = 0, ids[PIECE];
	size_t n, pos = 0;
	struct str word;
	void *value;
	TRY(junkdb_status(db, &has, &mark));
	if (mark != tx_priv(tx)->sync.junk_mark)
		return 0;               /* known: trained anew the next time */
	do {
		TRY(store_trained(tx, after, ids, PIECE, &n));
		for (size_t i = 0; i < n; i++)
			TRY(count(tx, c, ids[i]));
		after = n ? ids[n - 1] : after;
	} while (n == PIECE);
	if (has.ham != c->total.ham || has.junk != c->total.junk)
		difference(c, S("all words"), has, c->total);
	TRY(junkdb_each(db, compare, c));
	while (map_next(&c->counts, &pos, &word, &value))
		difference(c, word, (struct junk_counts){ 0 }, *(struct junk_counts *)value);
	return 0;
}

int
store_junk_check(struct store_tx *tx, const struct store_account_config *cfg, void (*report)(void *arg, struct str line), void *arg)
{
	if (!cfg->junk_filter.enabled || tx_priv(tx)->sync.junk_mark == 0)
		return 0;               /* nothing was trained yet */
	struct check c = { .report = report, .arg = arg };
	tx_priv(tx)->junk_params = cfg->junk_filter.params;
	int err = store_junk_open(tx->acct, NULL);
	if (err == 0)
		err = check(tx, &c);
	map_done(&c.counts);
	arena_done(&c.mem);
	return err;
}
