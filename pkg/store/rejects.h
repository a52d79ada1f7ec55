/* SPDX-License-Identifier: MIT */
/*
 * store/rejects.h - copies of mail that was refused as junk, kept for a while so that the owner can look for what was misjudged.
 *
 * The Rejects mailbox holds at most STORE_REJECTS_MAX messages, for STORE_REJECTS_AGE_US, unless the account keeps them all. A message that is sent
 * again is there once. When it is accepted in the end, its copy goes.
 */
#ifndef STORE_REJECTS_H
#define STORE_REJECTS_H

#include "store/messages.h"

#define STORE_REJECTS_MAX 1000
#define STORE_REJECTS_AGE_US (14 * TIME_DAY)

/*
 * store_reject puts a refused message into the mailbox (made if missing): seen, marked as a reject, with the mailbox that it would have gone to (made if
 * missing; empty: none), and its hash. add->blob is required; flags, is_reject, message_hash and mailbox_destined_id are set here. Old rejects are removed
 * first, unless the configuration keeps them. 1 stored; 0 it is there already, or there are too many.
 */
int store_reject(struct store_account *a, struct str mailbox, struct str destined, const struct store_add *add, struct errmsg *e) must_use_;

/* store_reject_remove removes copies of a message with the canonical Message-ID from the Rejects mailbox, all but `spare` (0: none). Returns how many. */
int store_reject_remove(struct store_account *a, struct str mailbox, struct str message_id, int64_t spare) must_use_;

#endif
