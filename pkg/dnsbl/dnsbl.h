/* SPDX-License-Identifier: MIT */
/*
 * dnsbl - lists of addresses, published in DNS, that send what people do not want.
 *
 * An address is looked up with its octets (or nibbles) reversed under the list's zone: 192.0.2.1 in bl.example is
 * 1.2.0.192.bl.example. An A record within 127.0.0.0/8 means that it is listed, a TXT record tells why; no record that it is
 * not.
 *
 * Not every A record is a verdict. A list that refuses to answer (a public resolver asked, too many queries) may say so with
 * 127.255.255.0/24, as Spamhaus does; a zone that expired and was parked has addresses outside 127.0.0.0/8 for every name. Both
 * are errors here: taken for listings they would stop all mail.
 *
 * RFC 5782.
 */
#ifndef DNSBL_DNSBL_H
#define DNSBL_DNSBL_H

#include "base/str.h"
#include "dns/dns.h"

enum dnsbl_status {
	DNSBL_PASS,             /* not listed */
	DNSBL_FAIL,             /* listed */
	DNSBL_TEMPERROR,        /* unknown: DNS trouble, or the list refuses */
};
const char *dnsbl_status_text(enum dnsbl_status s);     /* "pass", "fail", "temperror" */

struct dnsbl_result {
	enum dnsbl_status status;
	struct str explanation; /* of the list, for fail: several joined by "; "; may be empty. Text from outside */
	struct ip *codes;       /* addresses that mean listed */
	size_t ncodes;
	bool refused;           /* for temperror: the list, not DNS, is the trouble */
	struct str problem;     /* for temperror */
};
/* dnsbl_lookup asks one list about an address. zone is ASCII. Cannot fail: trouble is temperror. Results are in the arena. */
void dnsbl_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str zone, const struct ip *ip,
    struct dnsbl_result *r_result);

/*
 * dnsbl_check_health asks for the test entries: 127.0.0.1 must not be listed and 127.0.0.2 must be: rfc/5782:357. ERR_INVALID:
 * the list is not sound and must not be used; DNS_TEMPORARY: it could not be found out.
 */
int dnsbl_check_health(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str zone, struct errmsg *e) must_use_;

#endif
