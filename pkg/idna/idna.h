/* SPDX-License-Identifier: MIT */
/*
 * idna - domain names as people write them and as DNS carries them.
 *
 * An internationalised name has two forms: U-labels (münchen.example), shown to people and used with SMTPUTF8, and A-labels
 * (xn--mnchen-3ya.example), used in DNS, TLS and everywhere else. This package parses either into a struct idna_domain that holds
 * both, by IDNA 2008 with the UTS #46 mapping (non-transitional) of libidn2. Plain ASCII names, nearly all there are, take a
 * path of their own without the library.
 *
 * Names are compared by their ASCII form, which is lower-case. No DNS look-ups here, no public suffixes (pkg/publicsuffix).
 *
 * RFC 5890, 5891, 5892, 5893, 3492; RFC 1035 2.3.4 and RFC 1123 2.1 for sizes and characters.
 */
#ifndef IDNA_IDNA_H
#define IDNA_IDNA_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* A domain name. No trailing dot. Zeroed: no domain. */
struct idna_domain {
	struct str ascii;       /* A-labels, lower-case; empty only if there is no domain */
	struct str unicode;     /* U-labels in NFC, lower-case; empty if the name is all ASCII (also without any xn--) */
};

enum {
	IDNA_UNDERSCORE = 1,    /* takes '_' in labels: names of DNS records, and what some hosts say in EHLO and headers */
	IDNA_ROOT_DOT = 2,      /* takes and drops one trailing dot: names as DNS tools write them */
};

/*
 * idna_parse reads a host or mail domain: labels of letters, digits and hyphens (not first or last), 1 to 63 octets each, at most 253
 * in all (in A-label form), U-labels and A-labels valid by IDNA 2008. ERR_INVALID otherwise, with the reason in e (may be NULL).
 * An A-label that does not decode, or not to what it was encoded from, is invalid too. Results are in the arena.
 */
int idna_parse(struct arena *a, struct str name, unsigned flags, struct idna_domain *r_d, struct errmsg *e) must_use_;

/* idna_text returns the form for display: U-labels if utf8 and there are any, else A-labels. */
struct str idna_text(const struct idna_domain *d, bool utf8);

/* idna_log returns "unicode/ascii" for an internationalised name, else the ASCII name: both must be seen against look-alikes. */
struct str idna_log(struct arena *a, const struct idna_domain *d);

bool idna_equal(const struct idna_domain *a, const struct idna_domain *b);
bool idna_is_zero(const struct idna_domain *d);
/* idna_is_under tells whether d is parent, or below it. */
bool idna_is_under(const struct idna_domain *d, const struct idna_domain *parent);
struct idna_domain idna_dup(struct arena *a, const struct idna_domain *d);

/* idna_to_ascii and idna_to_unicode convert a name without checking more than needed; what cannot be converted is returned as it is. */
struct str idna_to_ascii(struct arena *a, struct str name);
struct str idna_to_unicode(struct arena *a, struct str name);

#endif
