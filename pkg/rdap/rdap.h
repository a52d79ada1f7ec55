/* SPDX-License-Identifier: MIT */
/*
 * rdap - how old is a domain?
 *
 * Registries answer questions about names with JSON over HTTPS (RDAP, the successor of whois). IANA publishes which server is
 * for which top-level domain. We only want to know when a domain was registered: receivers distrust mail from domains that are a
 * few days old, and an administrator who starts with one should know.
 *
 * RFC 7480, 9082, 9083, 9224.
 */
#ifndef RDAP_RDAP_H
#define RDAP_RDAP_H

#include "base/fetch.h"
#include "base/timeutil.h"
#include "idna/idna.h"

#define RDAP_BOOTSTRAP_URL "https://data.iana.org/rdap/dns.json"

enum rdap_err {
	RDAP_NOSERVICE = -190,          /* no server for the top-level domain (or none that speaks HTTPS) */
	RDAP_UNKNOWN = -191,            /* the registry does not know the domain */
	RDAP_NOEVENT = -192,            /* it does not tell when the domain was registered */
	RDAP_FAILED = -193,             /* fetching failed, or the response is none */
};

struct rdap_opts {
	struct fetcher *fetcher;
	const struct clock *clock;      /* NULL: the system's */
	const char *bootstrap_url;      /* NULL: RDAP_BOOTSTRAP_URL */
};
/*
 * rdap_registered finds when a domain was registered last: the latest of its registrations that is past. The name is asked for
 * as it is, so it should be that of an organisation. Nothing is remembered.
 */
int rdap_registered(const struct rdap_opts *o, struct arena *a, const struct ctx *ctx, const struct idna_domain *domain,
    int64_t *r_us, struct errmsg *e) must_use_;

/*
 * rdap_services gives the base URLs of the servers for a domain, by the longest of the suffixes that the bootstrap text lists
 * (rfc/9224:226). Only https, each with a final slash. ERR_INVALID for a text that is none, RDAP_NOSERVICE.
 */
int rdap_services(struct arena *a, struct str bootstrap, struct str domain, struct strlist *r_urls, struct errmsg *e) must_use_;
/* rdap_registration reads a response about a domain: the latest registration at or before now. RDAP_FAILED, RDAP_NOEVENT. */
int rdap_registration(struct arena *a, struct str response, int64_t now_us, int64_t *r_us, struct errmsg *e) must_use_;

#endif
