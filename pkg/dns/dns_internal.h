/* SPDX-License-Identifier: MIT */
/*
 * dns_internal.h - shared by the files of dns. From the bottom up: names and packets (packet.c), settings (conf.c), one exchange
 * with the servers (exchange.c), what is remembered (cache.c), our own validation (validate.c), and the resolver over all of it
 * (stub.c).
 *
 * Inside, a name is in wire form, lower case: labels with their lengths, up to and with the root's zero. So bytes that have no
 * plain text are no trouble, and names are equal when their bytes are.
 */
#ifndef DNS_DNS_INTERNAL_H
#define DNS_DNS_INTERNAL_H

#include <ldns/ldns.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/hash.h"
#include "base/lock.h"
#include "dns/dns.h"

#define DNS_MAX_SERVERS 8
#define DNS_MAX_STEPS 16                /* CNAMEs followed; real chains have at most 4 or 5 */
#define DNS_MAX_WIRE_NAME 255           /* rfc/1035:525 */
#define DNS_MAX_MESSAGE 65535           /* what the length of a message over TCP can say: rfc/1035:1784 */

/* --- names (packet.c) --- */

/* dns_wire_name puts a name with or without final dot into wire form, lower case. DNS_BADNAME if it cannot be. */
int dns_wire_name(struct arena *a, struct str name, struct str *r_wire) must_use_;
/*
 * dns_text_name gives the text of a name without final dot, "" for the root. host demands letters, digits, '-' and '_'; else all
 * printable ASCII but '.' and '\' is taken. ERR_INVALID otherwise: such a target cannot be used.
 */
int dns_text_name(struct arena *a, struct str wire, bool host, struct str *r_name) must_use_;
/* dns_wire_of: the name in an rdf of ldns, lower case. */
struct str dns_wire_of(struct arena *a, const ldns_rdf *dname);
/* dns_wire_parent: the name without its first label; of the root, the root. */
struct str dns_wire_parent(struct str wire);
/* dns_wire_under tells whether name is zone, or below it. */
bool dns_wire_under(struct str name, struct str zone);
unsigned dns_wire_labels(struct str wire);      /* without the root's */
const char *dns_type_name(int type);            /* "MX"; "TYPE?" for those we do not ask for */

/* dns_wire_cmp: canonical order of DNSSEC, by labels from the right: rfc/4034:996 */
int dns_wire_cmp(struct str a, struct str b);
/* dns_wire_tail: the last n labels, and the root's. */
struct str dns_wire_tail(struct str wire, unsigned n);
/* dns_wire_wildcard: "*." and the name. False if that is no name any more. */
bool dns_wire_wildcard(struct arena *a, struct str wire, struct str *r_wildcard);

/* --- packets (packet.c) --- */

struct dns_query {
	struct str name;                /* wire form */
	int type;                       /* enum dns_type, and those that validation needs */
	bool want_ad;                   /* ask for AD: rfc/6840:517 */
	bool check_disabled;            /* we validate ourselves: rfc/4035:1316 */
	/* Made by dns_query_build: */
	uint8_t packet[12 + DNS_MAX_WIRE_NAME + 4 + 11];
	size_t n, question;             /* of the packet; of the question section, behind the 12 octets of the header */
};
/* dns_query_build makes a packet with a fresh id and a name in fresh mixed case. */
void dns_query_build(struct dns_query *q, bool edns);

enum dns_match {
	DNS_MATCH_NO,                   /* not an answer to the query: rfc/5452:706 */
	DNS_MATCH_CASE,                 /* it is, but for the case of the name's letters */
	DNS_MATCH,
};
enum dns_match dns_query_match(const struct dns_query *q, const uint8_t *p, size_t n);

struct dns_response {
	ldns_pkt *pkt;
	int rcode;                      /* with the extension of EDNS */
	bool ad, truncated, recursive;  /* recursive: RA is set */
	int extended_error;             /* RFC 8914, -1 = none */
	struct str extended_text;
};
/* dns_response_parse takes a packet apart. ERR_INVALID if it is malformed. Release with dns_response_done. */
int dns_response_parse(struct arena *a, const uint8_t *p, size_t n, struct dns_response *r_res) must_use_;
void dns_response_done(struct dns_response *r);
/* dns_is_bogus: an extended error that tells of failed validation. */
bool dns_is_bogus(int extended_error);

/* What a response says about the question that led to it. */
struct dns_answer {
	struct dns_record *v;
	size_t n;
	struct str *chain;              /* names from the one asked for along CNAMEs, nchain >= 1; wire form */
	size_t nchain;
	uint32_t ttl;                   /* least of all records used; of a denial by its SOA, 0 without */
	bool denied;                    /* the last name has no such records, as the server says */
	bool nxdomain;                  /* the last name does not exist */
	bool loop;                      /* the CNAMEs go in a circle, or are too many */
	size_t unusable;                /* records left out: malformed, or with a target that is no host */
};
/*
 * dns_answer_of follows the answer section from name along CNAMEs to the records of the type. With neither records nor denied,
 * the last name of the chain is to be asked for. The response is one of rcode 0 or 3.
 */
void dns_answer_of(struct arena *a, const struct dns_response *res, struct str name, int type, struct dns_answer *r_answer);
/* dns_order puts MX and SRV records into the order in which they are to be tried. */
void dns_order(struct dns_record *v, size_t n);

/* --- settings (conf.c) --- */

struct dns_server {
	struct sockaddr_storage addr;
	socklen_t n;
	bool loopback;
};
struct dns_conf {
	struct dns_server servers[DNS_MAX_SERVERS];
	size_t n;
	int64_t timeout_us;             /* for one try with one server */
	int attempts;
	bool trust_ad, rotate, use_tcp;
};
/*
 * dns_conf_parse reads resolv.conf(5). What it does not know is skipped. Without servers: 127.0.0.1 and ::1. "[address]:port"
 * is a server, too.
 */
void dns_conf_parse(struct str text, struct dns_conf *r_conf);
void dns_conf_add(struct dns_conf *c, const struct ipport *server, unsigned scope);
bool dns_conf_trusted(const struct dns_conf *c);        /* whether AD from these servers is believed */
struct str dns_server_str(struct arena *a, const struct dns_server *s);

/* hosts(5): addresses by name. */
struct dns_hosts {
	struct arena arena;
	struct map names;               /* -> struct dns_host */
};
struct dns_host {
	struct ip *v;
	size_t n;
};
void dns_hosts_parse(struct dns_hosts *h, struct str text);     /* replaces the content */
void dns_hosts_done(struct dns_hosts *h);

/* --- exchange (exchange.c) --- */

struct dns_exchange {
	struct dns_query query;
	/*
	 * The outcome: 0 with a response of rcode 0 or 3; else DNS_TEMPORARY, DNS_BOGUS, ERR_TIMEOUT, ERR_CANCELED, with an
	 * extended error in response, if any.
	 */
	int rv;
	struct dns_response response;   /* the caller releases it */
	struct errmsg e;
};
/* dns_exchange_run puts n questions (at most 2) at the same time to the servers, and returns when all have their outcome. */
void dns_exchange_run(const struct dns_conf *c, struct arena *a, const struct ctx *ctx, struct dns_exchange *x, size_t n);

/* --- cache (cache.c) --- */

struct dns_cache {
	struct map map;
	struct dns_cached *first, *last;        /* most recently used first */
	size_t n, bytes, max;
};
/*
 * Not thread-safe: under the resolver's lock. dns_cache_get: true with the outcome, copied to the arena, and what is left of its
 * TTL. dns_cache_put keeps an outcome for ttl seconds.
 */
bool dns_cache_get(struct dns_cache *c, struct arena *a, int64_t now_us, int type, struct str name, int *r_rv,
    struct dns_result *r_result, struct errmsg *e);
void dns_cache_put(struct dns_cache *c, int64_t now_us, int type, struct str name, uint32_t ttl, int rv,
    const struct dns_result *result, const struct errmsg *e);
void dns_cache_done(struct dns_cache *c);

/* --- our own validation (denial.c, validate.c) --- */

enum dns_proof {
	DNS_PROOF_NONE,         /* it is not proved */
	DNS_PROOF_SECURE,       /* it does not exist */
	DNS_PROOF_INSECURE,     /* nor is it signed, or it cannot be told: behind an unsigned delegation, opted out, too costly */
};
/*
 * What NSEC or NSEC3 records prove, that are the zone's and whose signatures are good. dns_denial: there is no name (nxdomain),
 * or it has no records of the type, also none by a wildcard.
 */
enum dns_proof dns_denial(struct arena *a, const ldns_rr_list *proofs, struct str zone, struct str name, int type, bool nxdomain);
/* dns_denial_wildcard: the name itself does not exist, so that a wildcard with this number of labels stands for it. */
enum dns_proof dns_denial_wildcard(struct arena *a, const ldns_rr_list *proofs, struct str zone, struct str name,
    unsigned labels);
/*
 * dns_denial_cut: no DS records at the name. SECURE: because it is not the top of a zone; INSECURE: the zone below is not signed.
 */
enum dns_proof dns_denial_cut(struct arena *a, const ldns_rr_list *proofs, struct str zone, struct str name);

struct dns_validator;
/* dns_validator_new reads DS and DNSKEY records from a file. */
int dns_validator_new(const char *path, const struct clock *clock, struct dns_validator **r_v, struct errmsg *e) must_use_;
void dns_validator_free(struct dns_validator **v);
/*
 * dns_validate follows the signatures of an answer to a trust anchor. r_secure has room for answer->nchain: each alias, and last
 * the records or their denial; an answer that ends in an alias has none. Not secure is no failure; DNS_BOGUS, with an extended
 * error, is what should have been and is not, and other errors are of the look-ups for keys. r_ttl is lowered to the end of the
 * signatures.
 */
int dns_validate(struct dns_validator *v, const struct dns_conf *c, struct arena *a, const struct ctx *ctx,
    const struct dns_response *res, const struct dns_answer *answer, int type, bool *r_secure, uint32_t *r_ttl, int *r_extended,
    struct errmsg *e) must_use_;

#endif
