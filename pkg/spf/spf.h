/* SPDX-License-Identifier: MIT */
/*
 * spf - Sender Policy Framework: may this address send mail for that domain?
 *
 * A domain publishes in a TXT record ("v=spf1 ip4:192.0.2.0/24 mx -all") which hosts send its mail. A receiver evaluates
 * the record against the address of the connecting client. The identity checked is the domain of MAIL FROM, or the EHLO
 * name when MAIL FROM is empty.
 *
 * This package parses records, evaluates them with a resolver that is passed in, within the limits of the RFC (10 DNS
 * terms, 2 void look-ups, 10 names of MX and PTR), expands macros, fetches explanations, and writes and parses the
 * Received-SPF field. It decides nothing about mail.
 *
 * RFC 7208 with errata 4751, 5227, 5436, 6216, 6595, 6721; RFC 8601 2.7.2 for how results are reported; RFC 7372.
 */
#ifndef SPF_SPF_H
#define SPF_SPF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/str.h"
#include "dns/dns.h"

enum spf_status {               /* rfc/7208:496 */
	SPF_NONE,               /* no domain to check, or no record */
	SPF_NEUTRAL,            /* the domain says nothing about this address */
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,           /* probably not authorised */
	SPF_TEMPERROR,          /* a temporary, usually DNS, error */
	SPF_PERMERROR,          /* the record cannot be interpreted */
};
const char *spf_status_text(enum spf_status s);         /* "none", ... */

/* --- records --- */

enum spf_mechanism { SPF_ALL, SPF_INCLUDE, SPF_A, SPF_MX, SPF_PTR, SPF_IP4, SPF_IP6, SPF_EXISTS };

struct spf_directive {
	char qualifier;         /* '+', '-', '~', '?'; '+' when none was written */
	bool explicit_plus;     /* the '+' was written */
	enum spf_mechanism mechanism;
	struct str domain;      /* domain-spec with macros as written; empty when absent */
	struct ip ip;           /* ip4, ip6 */
	int cidr4, cidr6;       /* prefix lengths; -1 = not written. ip6 uses cidr6 */
};
struct spf_modifier {           /* other than redirect and exp */
	struct str name, value;
};
struct spf_record {
	struct spf_directive *directives;
	size_t ndirectives;
	struct str redirect, exp;       /* domain-specs; has_ tells that the modifier is present (its value is never empty) */
	bool has_redirect, has_exp;
	struct spf_modifier *others;
	size_t nothers;
};

/* spf_is_record: the text starts with the version section, so that it counts as a record: rfc/7208:831 */
bool spf_is_record(struct str txt);
/* spf_parse parses a record. ERR_INVALID with what was expected. Strings are views of txt. */
int spf_parse(struct arena *a, struct str txt, struct spf_record *r_record, struct errmsg *e) must_use_;
/* spf_pack writes a record; parsing it again gives an equal record. */
struct str spf_pack(struct arena *a, const struct spf_record *r);

/* --- evaluation --- */

struct spf_args {
	struct ip remote_ip;            /* of the connecting client */
	struct str mailfrom_localpart;  /* decoded */
	struct str mailfrom_domain;     /* ASCII; empty for the null reverse path */
	struct str helo_domain;         /* ASCII; empty when the client said an address literal or nothing */
	struct ip helo_ip;              /* the address literal */
	struct ip local_ip;             /* macro c */
	struct str local_hostname;      /* macro r, ASCII */
	const struct clock *clock;      /* macro t; NULL = system */
};

struct spf_result {
	enum spf_status status;
	struct str domain;              /* that was checked; empty for none without a name */
	bool helo_identity;             /* the EHLO name was checked, not MAIL FROM */
	struct str mechanism;           /* the directive that decided, as written ("-all"), or "default" */
	struct str problem;             /* what went wrong, for temperror, permerror and some none; may hold text from the outside */
	struct str explanation;         /* of the domain, for fail: printable ASCII, at most 800 characters, starts "remote claims: "; empty = none */
	bool authentic;                 /* every DNS answer used was */
};

/* spf_evaluate selects the identity, looks up and evaluates. Cannot fail: trouble is temperror or permerror. */
void spf_evaluate(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct spf_args *args, struct spf_result *r_result);

/* spf_lookup finds the record of a domain: SPF_NONE means found (status of the record itself), or SPF_TEMPERROR, SPF_PERMERROR, with r_found telling if there is one. */
enum spf_status spf_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain, bool *r_found, struct str *r_txt, struct spf_record *r_record,
    bool *r_authentic, struct errmsg *e);

/* --- Received-SPF, rfc/7208:2035 --- */

struct spf_received {
	enum spf_status result;
	struct str comment;             /* "" = none */
	struct str client_ip, envelope_from, helo, problem, receiver, identity, mechanism;      /* empty ones of problem and mechanism are left out */
};
/* spf_received_header writes the whole folded field with CRLF. */
struct str spf_received_header(struct arena *a, const struct spf_received *r);
/* spf_received_of fills it from a result; the receiver is args->local_hostname. */
void spf_received_of(struct arena *a, const struct spf_args *args, const struct spf_result *res, struct spf_received *r_received);

#endif
