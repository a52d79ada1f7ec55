/* SPDX-License-Identifier: MIT */
/*
 * publicsuffix - where in a domain name registration begins.
 *
 * A public suffix is a name under which others register: "com", "co.uk". The organisational domain is the public suffix with
 * one more label, the name that somebody registered: "example.co.uk" for "mail.example.co.uk". DMARC (in its older form), DKIM
 * and the junk filter compare organisations.
 *
 * Only the ICANN section of the list counts: suffixes that registries delegate, not those where hosters let customers have
 * names. The list is the newer one of the system's file (Debian package publicsuffix) and what libpsl was built with;
 * publicsuffix_load takes another one while we run. Two properties of libpsl are ours, too: a name that is not listed has the
 * suffix of its last label (rule "*"), and a wildcard "*.x" makes x a suffix as well. All functions are thread-safe.
 *
 * publicsuffix.org; RFC 7489 section 3.2.
 */
#ifndef PUBLICSUFFIX_PUBLICSUFFIX_H
#define PUBLICSUFFIX_PUBLICSUFFIX_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "idna/idna.h"

/*
 * publicsuffix_is: whether a name is a public suffix. It is in ASCII form, lower case, without final dot, as idna_parse
 * makes it.
 */
bool publicsuffix_is(struct str ascii);

/*
 * publicsuffix_org returns the organisational domain: what d ends in, at most one label below the longest suffix
 * (rfc/7489:605). A suffix is its own. The result views the strings of d.
 */
struct idna_domain publicsuffix_org(const struct idna_domain *d);

/*
 * publicsuffix_load replaces the list by one read from a file (text or DAFSA). ERR_IO if it cannot be read; ERR_INVALID when
 * it looks damaged: it lacks suffixes that every list has, or is a text with less than 4/5 of the rules that libpsl brought.
 * The list in use stays then.
 */
int publicsuffix_load(const char *path, struct errmsg *e) must_use_;

#endif
