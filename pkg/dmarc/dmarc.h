/* SPDX-License-Identifier: MIT */
/*
 * dmarc - who may use a domain in From, and what to do with other messages.
 *
 * SPF and DKIM authenticate domains that people do not see. DMARC compares these with the domain in From, the author domain:
 * a message passes when one of them is aligned with it, that is the same domain (strict) or one of the same organisation
 * (relaxed). The owner of a domain publishes in a TXT record at _dmarc.<domain> what receivers should do with messages that
 * fail, and where to report to.
 *
 * What belongs to an organisation is found by walking up the tree of DNS: of the names with a record the one nearest the root
 * is the organisation's, unless records say otherwise (psd=). The public suffix list, by which RFC 7489 decided, still guards
 * that: a record at a suffix that does not say psd= is taken as that of a registry, so that not everybody below it is one
 * organisation.
 *
 * This package reads and writes records, finds the record for a domain, and evaluates the results of SPF and DKIM. It decides
 * nothing about the message. Aggregate reports are in pkg/dmarcrpt; failure reports (RFC 9991) are not sent.
 *
 * RFC 9989 and, of records, 7489 with errata 5440, 6729; RFC 9990 section 4; RFC 8601 2.7.4; RFC 7960.
 */
#ifndef DMARC_DMARC_H
#define DMARC_DMARC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "dkim/dkim.h"
#include "dns/dns.h"
#include "spf/spf.h"

enum dmarc_policy { DMARC_ABSENT, DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };
enum dmarc_psd { DMARC_PSD_UNKNOWN, DMARC_PSD_YES, DMARC_PSD_NO };

enum dmarc_status {             /* rfc/9989:2099 */
	DMARC_STATUS_NONE,      /* no record, so DMARC says nothing */
	DMARC_STATUS_PASS,
	DMARC_STATUS_FAIL,
	DMARC_STATUS_TEMPERROR, /* a look-up failed, so it can be neither */
	DMARC_STATUS_PERMERROR, /* the record cannot be used */
};
const char *dmarc_policy_text(enum dmarc_policy p);     /* "none", ...; "" for DMARC_ABSENT */
const char *dmarc_status_text(enum dmarc_status s);     /* "none", "pass", ... */

/* --- records --- */

struct dmarc_uri {
	struct str uri;                 /* as written, with its percent-encoding; mailto: or another scheme */
	uint64_t max_size;              /* of reports, obsolete; 0: none */
	char unit;                      /* 'k', 'm', 'g', 't' (powers of 1024); 0: octets */
};
struct dmarc_uris {
	struct dmarc_uri *v;
	size_t n;
};
struct dmarc_record {
	enum dmarc_policy p, sp, np;    /* p: absent in records for reports only */
	struct dmarc_uris rua, ruf;
	bool strict_dkim, strict_spf;   /* adkim, aspf */
	enum dmarc_psd psd;
	bool testing;                   /* t=y */
	struct strlist fo;              /* lower case; empty: "0" */
	/* Of RFC 7489: */
	uint32_t ri;                    /* seconds; 86400 if absent */
	uint32_t pct;                   /* 100 if absent */
	struct strlist rf;              /* lower case; empty: "afrf" */
};
enum {
	/*
	 * What is wrong makes the record invalid, and p stands first: for owners who check theirs. Otherwise tags with bad
	 * values are as if absent (rfc/9989:1019), bad URIs are left out.
	 */
	DMARC_STRICT = 1,
	DMARC_REPORT_RECORD = 2,        /* one that permits reports: "v=DMARC1" alone will do: rfc/9990:970 */
};
/*
 * dmarc_parse reads a record. r_is_dmarc tells whether the text is meant to be one. ERR_INVALID: not a list of tags, a tag
 * twice; and, rfc/9989:1320: a bad sp or np or a missing or bad p, and no rua (with rua: p=none, and no sp and np).
 */
int dmarc_parse(struct arena *a, struct str txt, unsigned flags, struct dmarc_record *r_record, bool *r_is_dmarc,
    struct errmsg *e) must_use_;
/* dmarc_pack writes a record without what is default; parsing it again gives an equal one. */
struct str dmarc_pack(struct arena *a, const struct dmarc_record *r);
/* dmarc_uri_size gives the limit in octets, UINT64_MAX for none. */
uint64_t dmarc_uri_size(const struct dmarc_uri *u);

/* --- finding the record --- */

struct dmarc_found {
	enum dmarc_status status;       /* none: no record, or the record was found; temperror, permerror */
	bool found;
	struct str domain;              /* where the record is, or the last one looked at */
	struct str txt;
	struct dmarc_record record;
	bool from_parent;               /* the record is not that of the domain asked for */
	bool authentic;                 /* every answer was, by DNSSEC */
	struct str problem;             /* empty, or what is wrong; may hold text from the outside */
};
/*
 * dmarc_lookup finds the record that applies to a domain: its own, its organisation's, or that of the public suffix:
 * rfc/9989:1276. Names here and below are ASCII, lower case, without final dot.
 */
void dmarc_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain,
    struct dmarc_found *r_found);

/* dmarc_org finds the organisational domain by the tree walk: rfc/9989:1386. Errors of dns when that cannot be known now. */
int dmarc_org(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain, struct str *r_org,
    struct errmsg *e) must_use_;

/* --- evaluating --- */

struct dmarc_args {
	struct str from;                /* author domain */
	const struct dkim_result *dkim;
	size_t ndkim;
	enum spf_status spf;
	struct str spf_domain;          /* that SPF checked; empty: none */
	bool apply_pct;                 /* sample failing messages as pct= asks */
};
struct dmarc_result {
	enum dmarc_status status;
	/*
	 * What the policy asks for, if the message fails: of p, sp or np as it applies, one step weaker with t=y
	 * (rfc/9989:990) or when pct= left the message out (rfc/7489:1451).
	 */
	enum dmarc_policy policy;
	/*
	 * The message should be rejected: it fails, and the policy is quarantine or reject. Quarantine is the same for us. Never
	 * with t=y, or for a message that pct= left out.
	 */
	bool reject;
	bool use;                       /* there is a record, and pct= did not leave the message out */
	bool aligned_spf, aligned_dkim; /* and passed */
	struct str dkim_domain;         /* d= of the first signature that is aligned */
	bool author_missing;            /* the author domain does not exist; known only where np= made us ask */
	bool sampled_out;
	struct dmarc_found found;
};
/* dmarc_verify evaluates a message. Cannot fail: trouble is temperror or permerror. */
void dmarc_verify(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct dmarc_args *args,
    struct dmarc_result *r_result);

/* --- reports to others --- */

struct dmarc_external {
	bool accepted;
	enum dmarc_status status;       /* none, or temperror, or permerror when there are only malformed records */
	struct dmarc_record *records;   /* well-formed ones; their rua may name other addresses at the same host */
	size_t n;
	struct strlist txts;            /* all records that are meant for DMARC */
	bool authentic;
	struct str problem;
};
/*
 * dmarc_check_external asks whether reports about a domain (where its record is) may be sent to a host of another
 * organisation: rfc/9990:949.
 */
void dmarc_check_external(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str policy_domain,
    struct str host, struct dmarc_external *r_external);

#endif
