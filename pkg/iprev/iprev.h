/* SPDX-License-Identifier: MIT */
/*
 * iprev - does the name that an address claims lead back to it?
 *
 * The PTR record of an address is made by who runs the network, the A or AAAA record of a name by who owns the name. When both
 * agree, the name may be shown for the address ("mail.example.org [192.0.2.1]"). Many senders of junk have no such name, or one
 * that does not agree.
 *
 * RFC 8601 section 3 and 2.7.3.
 */
#ifndef IPREV_IPREV_H
#define IPREV_IPREV_H

#include "base/str.h"
#include "dns/dns.h"

enum iprev_status {             /* rfc/8601:1087 */
	IPREV_PASS,
	IPREV_FAIL,             /* there are names, none leads back */
	IPREV_TEMPERROR,        /* DNS does not answer now */
	IPREV_PERMERROR,        /* the address has no name */
};
const char *iprev_status_text(enum iprev_status s);     /* "pass", ... */

#define IPREV_MAX_NAMES 10      /* looked up for one address: rfc/8601:1317 */

struct iprev_result {
	enum iprev_status status;
	struct str name;        /* the one that leads back (pass), else empty */
	struct strlist names;   /* all of the address, also those that do not lead back; they are the claim of the network only */
	bool authentic;         /* every DNS answer that counted was */
	struct str problem;     /* for temperror */
};

/* iprev_lookup cannot fail: trouble is temperror. Strings are in the arena. */
void iprev_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct ip *ip, struct iprev_result *r_result);

#endif
