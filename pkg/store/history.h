/* SPDX-License-Identifier: MIT */
/*
 * store/history.h - what an account knows of senders: the messages that its owner judged, and whom the owner wrote to.
 *
 * A message is judged when it is flagged $Junk or $NotJunk, not expunged, and was received by SMTP; with both flags it is junk. Reputation counts
 * per original mailbox: where a message would have gone, or went first. The judgement is kept beside the delivery details, in indexes
 * that have judged messages only: a delivery pays nothing for them, and each question is one range of an index, newest first.
 */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include "store/store.h"

enum store_history_key {
	STORE_HISTORY_MSGFROM,          /* address in From: localpart and value, its domain */
	STORE_HISTORY_MSGFROM_DOMAIN,
	STORE_HISTORY_MSGFROM_ORGDOMAIN,
	STORE_HISTORY_DKIM_DOMAIN,      /* d= of a signature that was good */
	STORE_HISTORY_MAILFROM,         /* whole address, as stored: with ASCII domain */
	STORE_HISTORY_MAILFROM_DOMAIN,
	STORE_HISTORY_EHLO_DOMAIN,
	STORE_HISTORY_IP1,              /* address as text; IP2 and IP3 the wider networks, ip_class() */
	STORE_HISTORY_IP2,
	STORE_HISTORY_IP3,
	STORE_HISTORY_KEYS
};

struct store_history_query {
	enum store_history_key key;
	int64_t mailbox_orig_id;
	struct str value;               /* domains in Unicode, lower case */
	struct str localpart;           /* of STORE_HISTORY_MSGFROM */
	bool validated;                 /* only messages for which this key was validated, or else was not; no meaning for DKIM and addresses */
	int64_t since_us;               /* received after this */
	int max;                        /* rows, the newest */
};
struct store_judged {
	bool junk;
	int64_t received_us;
	struct str msgfrom_localpart;   /* of STORE_HISTORY_MSGFROM_DOMAIN and _ORGDOMAIN */
};
/* store_history gives judged messages, newest first, in the arena. */
int store_history(struct store_tx *tx, struct arena *a, const struct store_history_query *q, struct store_judged **r_v, size_t *r_n) must_use_;

/* store_sent_to_*: 1 if a message to the address, domain or organisational domain (Unicode, lower case) was sent at since_us or later, 0 if not. */
int store_sent_to_address(struct store_tx *tx, struct str localpart, struct str domain, int64_t since_us) must_use_;
int store_sent_to_domain(struct store_tx *tx, struct str domain, int64_t since_us) must_use_;
int store_sent_to_orgdomain(struct store_tx *tx, struct str orgdomain, int64_t since_us) must_use_;

/*
 * store_wants_from: 1 if the account has shown that it wants mail of an organisational domain: a message from there is flagged $NotJunk and was
 * not put into Rejects, or the owner has written to it. Else 0.
 */
int store_wants_from(struct store_tx *tx, struct str orgdomain) must_use_;

#endif
