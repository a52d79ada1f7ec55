/* SPDX-License-Identifier: MIT */
/*
 * dns_mock - a resolver for tests: records from a table in zone-file form, with lists of what fails, is delayed, or is (not) authentic.
 */
#ifndef DNS_MOCK_DNS_MOCK_H
#define DNS_MOCK_DNS_MOCK_H

#include "dns/dns.h"

struct dns_mock_opts {
	/* Lines "name type value": "example.org MX 10 mail.example.org", "example.org TXT \"v=spf1 -all\"", "x CNAME y". Odd bytes of names as \DDD, those of text in quotes too. ';' starts a comment. */
	const char *zone;
	bool all_authentic;
	const char *const *authentic;   /* "type name" entries, e.g. "tlsa _25._tcp.mail.example.org"; type "*" = any; ends with NULL */
	const char *const *inauthentic; /* exceptions from all_authentic */
	const char *const *fail;        /* entries that give DNS_TEMPORARY */
	const char *const *bogus;       /* entries that give DNS_BOGUS with extended error 6 */
	const char *const *hang;        /* entries that block until ctx's deadline or stop */
};
/* The strings must outlive the mock. Fails (aborts the test) on a malformed line. */
struct dns_resolver *dns_mock_new(const struct dns_mock_opts *o);
void dns_mock_free(struct dns_resolver **r);
/* dns_mock_add adds one record line while the mock is in use. Thread-safe. */
void dns_mock_add(struct dns_resolver *r, const char *line);
unsigned dns_mock_lookups(struct dns_resolver *r);      /* look-ups made so far */

#endif
