/* SPDX-License-Identifier: MIT */
/*
 * reputation.h - what the history of an account says of the sender of a message.
 *
 * The steps go from what says most to what says least: the address in From, whether we wrote to it, its domain and organisation, the domains that
 * DKIM and SPF verified, the address of the client and the networks around it. The first step with any history decides, perhaps
 * without certainty: then content counts too. ../spec/delivery-analysis.md 7.
 */
#ifndef SMTPSERVER_REPUTATION_H
#define SMTPSERVER_REPUTATION_H

#include "base/ip.h"
#include "store/history.h"
#include "store/messages.h"

/* Where answers come from: the account's database, or a table in tests. Negative: an error, which ends the analysis. */
struct history {
	int (*judged)(void *arg, struct arena *a, const struct store_history_query *q, struct store_judged **r_v, size_t *r_n);
	/* 1: a message to the domain was sent since then; with a localpart: to that address; with org: to the organisation. */
	int (*sent_to)(void *arg, struct str localpart, struct str domain, bool org, int64_t since_us);
	void *arg;
};

enum reputation_method {
	REPUTATION_NONE,
	REPUTATION_MSGFROM, REPUTATION_MSGTO, REPUTATION_FROM_DOMAIN, REPUTATION_TO_DOMAIN, REPUTATION_FROM_ORGDOMAIN, REPUTATION_TO_ORGDOMAIN,
	REPUTATION_DKIMSPF, REPUTATION_IP1, REPUTATION_IP2, REPUTATION_IP3,
};
const char *smtpserver_method_text(enum reputation_method m);           /* "msgfromfull", ..., also the reason of a decision */

enum reputation_verdict { REPUTATION_UNKNOWN, REPUTATION_HAM, REPUTATION_JUNK };
struct reputation {
	enum reputation_verdict verdict;
	bool conclusive;
	enum reputation_method method;
};

/* What is known of a message at reception, for one account. */
struct candidate {
	struct store_delivery_info info;
	struct ip remote;               /* family 0 for what a forwarder sent: it must not count for or against its network */
	int64_t now_us;
	bool smtputf8;                  /* words that are not ASCII may be shown in the header */
};

/*
 * smtpserver_reputation judges the sender, for a mailbox (0: one that does not exist yet, so without history). Lines of explanation are added to why.
 * Negative: the history could not be read.
 */
int smtpserver_reputation(const struct history *h, struct arena *a, const struct candidate *c, int64_t mailbox_id, struct strlist *why,
    struct reputation *r_rep) must_use_;

#endif
