/* SPDX-License-Identifier: MIT */
/* Who the account's owner has written to: rows from the address fields of sent messages (store.md 7, step 7). */
#include "message/header.h"
#include "store/store_internal.h"

static int
add_list(struct store_tx *tx, const struct store_message *m, const struct message_addrs *list, int64_t sent_us)
{
	struct store *s = tx->acct->store;
	for (uint32_t i = 0; i < list->n; i++) {
		struct smtp_address addr;
		if (message_addr_address(tx->arena, &list->v[i], &addr) < 0 || addr.localpart.n == 0)
			continue;               /* groups, and what is no address */
		struct str domain = idna_text(&addr.domain, true);
		struct str org = s->opts.org_domain ? s->opts.org_domain(s->opts.arg, tx->arena, domain) : domain;
		TRY(store_recipient_insert(tx, m->id, addr.localpart, domain, org.n ? org : domain, sent_us));
	}
	return 0;
}

int
store_recipients_add(struct store_tx *tx, const struct store_prepared *p, const struct store_message *m)
{
	const struct message_envelope *env = p->envelope;
	int64_t sent_us = env->has_date ? env->date_us : m->received_us;
	TRY(add_list(tx, m, &env->to, sent_us));
	TRY(add_list(tx, m, &env->cc, sent_us));
	return add_list(tx, m, &env->bcc, sent_us);
}
