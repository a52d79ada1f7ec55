/* SPDX-License-Identifier: MIT */
/*
 * mtasts - MTA Strict Transport Security: a domain says which hosts receive its mail, and that they have good certificates.
 *
 * SMTP servers talk TLS when both sides offer it, so that who stands between can take the offer away. With MTA-STS a domain
 * publishes a policy over HTTPS, at https://mta-sts.<domain>/.well-known/mta-sts.txt: the names of its hosts and for how long
 * senders should remember. A TXT record at _mta-sts.<domain> tells that there is one and when it changed. DANE does the same by
 * DNSSEC and prevails where there is both.
 *
 * This package reads and writes records and policies, looks them up and fetches them, and matches hosts. It remembers nothing
 * (mtastsdb does).
 *
 * RFC 8461.
 */
#ifndef MTASTS_MTASTS_H
#define MTASTS_MTASTS_H

#include "base/fetch.h"
#include "base/str.h"
#include "dns/dns.h"

enum mtasts_err {
	MTASTS_NORECORD = -180,         /* the domain does not implement MTA-STS */
	MTASTS_MULTIPLE = -181,         /* several records: as if none, rfc/8461:332 */
	MTASTS_RECORD_SYNTAX = -182,
	MTASTS_DNS = -183,              /* the record could not be looked up now */
	MTASTS_NOPOLICY = -184,         /* a record, but no policy host, or 404 */
	MTASTS_FETCH = -185,            /* the policy could not be fetched */
	MTASTS_POLICY_SYNTAX = -186,    /* it is no policy, or larger than 64 KiB */
};
/* mtasts_reason gives the failure reason code for TLS reports: "no-mta-sts-dns-txt-record", "dns-lookup", ...; "" for others. */
const char *mtasts_reason(int err);

struct mtasts_pair {                    /* extension */
	struct str name, value;
};

/* --- the record --- */

struct mtasts_record {
	struct str id;                  /* changes with the policy */
	struct mtasts_pair *extensions;
	size_t nextensions;
};
/*
 * mtasts_parse_record: r_is_sts tells whether the text is meant to be one ("v=STSv1" and a delimiter). ERR_INVALID with the
 * reason.
 */
int mtasts_parse_record(struct arena *a, struct str txt, struct mtasts_record *r_record, bool *r_is_sts,
    struct errmsg *e) must_use_;
struct str mtasts_pack_record(struct arena *a, const struct mtasts_record *r);
/*
 * mtasts_lookup gets the record of a domain (ASCII). r_txt, r_authentic as far as known on failure. Errors of enum
 * mtasts_err, or of the ctx.
 */
int mtasts_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain, struct str *r_txt,
    struct mtasts_record *r_record, bool *r_authentic, struct errmsg *e) must_use_;

/* --- the policy --- */

enum mtasts_mode { MTASTS_NONE, MTASTS_TESTING, MTASTS_ENFORCE };
const char *mtasts_mode_text(enum mtasts_mode m);       /* "none", "testing", "enforce" */

#define MTASTS_MAX_AGE 31557600         /* seconds: rfc/8461:384 */
#define MTASTS_MAX_POLICY (64 * 1024)   /* rfc/8461:570 */

struct mtasts_mx {
	struct str domain;              /* ASCII, lower case */
	bool wildcard;                  /* "*." stands before it: exactly one label */
};
struct mtasts_policy {
	enum mtasts_mode mode;
	int64_t max_age_s;
	struct mtasts_mx *mx;
	size_t nmx;
	struct mtasts_pair *extensions;
	size_t nextensions;
};
int mtasts_parse_policy(struct arena *a, struct str text, struct mtasts_policy *r_policy, struct errmsg *e) must_use_;
/* mtasts_pack_policy writes a policy, without its extensions. */
struct str mtasts_pack_policy(struct arena *a, const struct mtasts_policy *p);
struct str mtasts_mx_text(struct arena *a, const struct mtasts_mx *mx);         /* "*.example.net" */
/* mtasts_match: whether a host (ASCII) is among those of the policy: rfc/8461:634 */
bool mtasts_match(const struct mtasts_policy *p, struct str host);

/* What TLS reports tell about a failure to fetch. */
struct mtasts_failure {
	int status;                     /* of HTTP, 0 if there was none */
	int verify_error;               /* X509_V_ERR_*, if the certificate was not good */
};
/*
 * mtasts_fetch gets the policy of a domain (ASCII), within a minute. r_text is what was served, also when it is no policy.
 * Errors of enum mtasts_err; ERR_CANCELED.
 */
int mtasts_fetch(struct fetcher *f, struct arena *a, const struct ctx *ctx, struct str domain, struct mtasts_policy *r_policy,
    struct str *r_text, struct mtasts_failure *r_failure, struct errmsg *e) must_use_;

struct mtasts_result {
	struct mtasts_record record;    /* if has_record */
	bool has_record;
	struct str txt;
	bool authentic;                 /* the record, by DNSSEC */
	struct mtasts_policy policy;    /* on success */
	struct str text;
	struct mtasts_failure failure;
};
/* mtasts_get looks the record up and fetches the policy. */
int mtasts_get(struct dns_resolver *r, struct fetcher *f, struct arena *a, const struct ctx *ctx, struct str domain,
    struct mtasts_result *r_result, struct errmsg *e) must_use_;

#endif
