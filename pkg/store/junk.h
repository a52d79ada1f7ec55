/* SPDX-License-Identifier: MIT */
/*
 * store/junk.h - the junk filter of an account: ../spec/store.md 10.
 *
 * Messages with exactly one of the flags Junk and Notjunk teach the filter, if the configuration has one. Whatever changes these flags, or adds, copies,
 * moves or expunges a message, trains and untrains it within its transaction; message.trained_junk says as what it counts. A message that cannot be read
 * is left out.
 *
 * The counts are in a database of their own, committed after the account's. If a crash comes between, both disagree about the last training; the next
 * one finds that out and trains anew from the flags.
 */
#ifndef STORE_JUNK_H
#define STORE_JUNK_H

#include "junk/junk.h"
#include "store/messages.h"

/*
 * store_junk_classify says how much a message looks like the account's junk. It takes no part in transactions. ERR_NOTFOUND when no filter is configured.
 */
int store_junk_classify(struct store_account *a, struct arena *mem, const struct message *m, const struct message_source *src,
	struct junk_result *r_r) must_use_;

/* store_junk_retrain forgets all and trains with the flags of the messages there are. ERR_NOTFOUND when no filter is configured. */
int store_junk_retrain(struct store_account *a, struct errmsg *e) must_use_;

#endif
