/* SPDX-License-Identifier: MIT */
/* Junk flags that the mailbox implies: ../spec/store.md section 10. */
#include "store/store_internal.h"

unsigned
store_junk_flags(struct store_tx *tx unused_, const struct store_account_config *c unused_, const struct store_mailbox *mb, unsigned flags)
{
	const unsigned both = STORE_JUNK | STORE_NOTJUNK;
	if (mb->use & STORE_USE_JUNK)
		return (flags & ~both) | STORE_JUNK;
	return flags;
}

void
store_junk_rules_done(struct junk_rules *r unused_)
{
}
