/* SPDX-License-Identifier: MIT */
/*
 * junkdb - the counts of a junk filter in a database of its own (accounts/<name>/junkfilter.db): in how many junk and other messages each word occurs.
 *
 * Training changes counts in a transaction that its owner ends after the one that marks the messages as trained. Commits are not synced: a crash may lose
 * the last ones. Therefore each carries a mark; an owner that keeps the last mark elsewhere sees whether both agree, and trains anew if not.
 *
 * A handle has one user at a time. One that only reads needs one that writes to be open.
 */
#ifndef JUNKDB_JUNKDB_H
#define JUNKDB_JUNKDB_H

#include "base/err.h"
#include "junk/junk.h"

struct junkdb;
int junkdb_open(const char *path, bool write, struct junkdb **r_db, struct errmsg *e) must_use_;       /* makes it if need be, when writing */
void junkdb_close(struct junkdb **db);                  /* rolls back; fits cleanup_() */
const char *junkdb_error(const struct junkdb *db);

/* junkdb_status: how many messages it was trained with, and the mark. */
int junkdb_status(struct junkdb *db, struct junk_counts *r_total, int64_t *r_mark) must_use_;
int junkdb_classify(struct junkdb *db, struct arena *a, const struct junk_params *p, const struct junk_words *w, struct junk_result *r_r) must_use_;

/* Changes begin a transaction if none runs; classifying and status see them. */
int junkdb_train(struct junkdb *db, const struct junk_words *w, bool junk) must_use_;
/* junkdb_untrain undoes junkdb_train with the same words. Counts never fall below 0; what is at 0 is forgotten. */
int junkdb_untrain(struct junkdb *db, const struct junk_words *w, bool junk) must_use_;
int junkdb_clear(struct junkdb *db) must_use_;          /* forgets everything */
int junkdb_commit(struct junkdb *db, int64_t mark) must_use_;   /* also without changes: keeps the mark */
void junkdb_rollback(struct junkdb *db);

/* junkdb_each calls fn for every word, in byte order; a negative result ends the walk. The word is valid during the call. */
int junkdb_each(struct junkdb *db, int (*fn)(void *arg, struct str word, struct junk_counts c), void *arg) must_use_;

#endif
