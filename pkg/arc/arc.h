/* SPDX-License-Identifier: MIT */
/*
 * arc - Authenticated Received Chain: what a forwarder saw of a message, sealed so that later receivers can rely on it.
 *
 * A mailing list or forwarder that changes a message breaks its DKIM signatures. With ARC it adds a set of three fields
 * with the next instance number: ARC-Authentication-Results (AAR, what it found on arrival), ARC-Message-Signature (AMS,
 * a DKIM-like signature of the message as it leaves) and ARC-Seal (AS, a signature over all sets so far). A receiver
 * that trusts the sealers may accept the message for what the first one saw. A valid chain alone says nothing about the
 * message: anybody can seal.
 *
 * This package validates chains and adds sets, on the parts that package dkim has for it. Whom to trust is for the caller.
 *
 * RFC 8617; RFC 6376 for signatures, RFC 8301 for algorithms.
 */
#ifndef ARC_ARC_H
#define ARC_ARC_H

#include "dkim/dkim.h"

#define ARC_MAX_SETS 50         /* rfc/8617:912 */

/* The fields of a set, in the order in which a seal covers them: rfc/8617:819 */
enum arc_kind { ARC_AAR, ARC_AMS, ARC_AS, ARC_KINDS };

enum arc_status { ARC_NONE, ARC_PASS, ARC_FAIL };
const char *arc_status_text(enum arc_status s);

struct arc_set {
	int instance;                   /* 1..n */
	struct str results;             /* payload of the AAR behind "i=n;", unfolded: "lists.example.org; spf=pass ..." */
	struct str seal_domain;         /* d= of the AS: who sealed */
	struct str seal_selector;
	struct str message_domain;      /* d= of the AMS; of the latest set only */
	struct str field[ARC_KINDS];    /* as in the message */
};
struct arc_chain {
	enum arc_status status;
	const struct arc_set *sets;     /* by instance; complete only for ARC_PASS */
	size_t n;                       /* also for ARC_FAIL where it could be told: the highest instance */
	bool ended;                     /* a sealer said cv=fail: nobody may add a set (rfc/8617:855) */
	struct str problem;             /* why it failed */
	bool authentic;                 /* all keys by DNSSEC */
};
/* arc_verify validates the chain of a message. Fails only when the message cannot be read. */
int arc_verify(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct message_source *msg, const struct dkim_verify_args *args,
    struct arc_chain *r_chain, struct errmsg *e) must_use_;

struct arc_seal_args {
	struct str results;             /* "authserv-id; method=result ..." without line ends: the payload of our AAR; its arc= result is the caller's to include */
	struct str selector, domain;
	EVP_PKEY *key;
	struct strlist headers;         /* for h= of the AMS, in order; empty: a default list. ARC fields and Authentication-Results are left out */
	const struct clock *clock;
};
/*
 * arc_seal makes the next set for a message whose chain was validated: three fields with CRLF, to be put before the
 * message. *r_fields is empty where no set may be added: the chain ended before, or has ARC_MAX_SETS. A chain that fails
 * is sealed with cv=fail, over the new set only.
 */
int arc_seal(struct arena *a, const struct message_source *msg, const struct arc_chain *chain, const struct arc_seal_args *args, struct str *r_fields, struct errmsg *e) must_use_;

#endif
