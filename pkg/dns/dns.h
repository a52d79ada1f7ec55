/* SPDX-License-Identifier: MIT */
/*
 * dns - looking names up: a security-aware stub resolver, its cache, and the interface that everything else is written against.
 *
 * The exchange is ours (poll on {socket, ctx->stop_fd}): UDP with EDNS0 and DO from a random port with a random id and
 * mixed-case name (0x20), retries over the servers of resolv.conf, TCP when truncated, answers matched against the question.
 * ldns reads and writes packets. A positive and a negative cache obey TTLs (RFC 2308).
 *
 * Authenticity: an answer is `authentic` when the AD bit is set and the resolver may be believed: all servers are loopback
 * addresses, or resolv.conf says `options trust-ad`; or our own validation is on and the chain of signatures reaches the trust
 * anchor. CNAMEs are followed, and an answer is authentic only if every step was.
 *
 * "Not found" (NXDOMAIN, or no data) is DNS_NOTFOUND, distinct from temporary trouble. An extended error (RFC 8914) of the
 * resolver is kept in the result.
 *
 * RFC 1034, 1035, 2181, 2308, 4033-4035, 5452, 6891, 6698, 7505, 8914, 9018.
 */
#ifndef DNS_DNS_H
#define DNS_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/str.h"

enum dns_type {         /* values of the IANA registry */
	DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28, DNS_SRV = 33, DNS_TLSA = 52,
};

enum dns_err {
	DNS_NOTFOUND = -150,    /* the name, or records of the type, do not exist */
	DNS_TEMPORARY = -151,   /* SERVFAIL, refused, unreachable, malformed answers: trying later may help */
	DNS_BOGUS = -152,       /* DNSSEC validation failed, as an extended error or our validation says; treat as temporary */
	DNS_BADNAME = -153,     /* not a name that DNS can carry */
	/* ERR_TIMEOUT and ERR_CANCELED from ctx */
};
/* dns_is_temporary: whether a failure may go away: anything but DNS_NOTFOUND and DNS_BADNAME. */
bool dns_is_temporary(int err);

struct dns_record {
	enum dns_type type;
	struct ip ip;                   /* A, AAAA */
	/* Target of CNAME, NS, PTR, MX, SRV: lower-case ASCII without the final dot; "" is the root (null MX). */
	struct str name;
	uint16_t preference;            /* MX */
	uint16_t priority, weight, port;/* SRV */
	struct str text;                /* TXT: all strings of the record joined */
	uint8_t usage, selector, matching;      /* TLSA */
	struct str data;                /* TLSA */
};

struct dns_result {
	/* Records of the asked type; MX and SRV in the order to be tried (random within equals). */
	const struct dns_record *v;
	size_t n;
	bool authentic;                 /* of the whole chain; also meaningful with DNS_NOTFOUND (proved absent) */
	struct str canonical;           /* name at the end of the CNAME chain; the asked name without one */
	/* The CNAMEs followed, in order. One is authentic if it and all before it are: rfc/7672:660 */
	struct dns_step { struct str from, to; bool authentic; } *steps;
	size_t nsteps;
	uint32_t ttl;                   /* seconds for which the answer may be used again */
	int extended_error;             /* RFC 8914 info code, -1 = none */
	struct str extended_text;
	bool nxdomain;                  /* with DNS_NOTFOUND: there is no such name, nor any below it: rfc/8020:119 */
};

/* What a look-up came to. */
struct dns_outcome {
	int rv;
	struct dns_result result;
	struct errmsg e;
};

/* A resolver: an interface, so that tests bring their own (pkg/dns_mock). Safe for concurrent use. */
struct dns_resolver {
	/*
	 * lookup asks for records of a type. name is ASCII (A-labels), with or without final dot, always absolute. Results live
	 * in the arena. r_result is filled as far as known also on failure (authentic, extended error); e gets a text for
	 * humans.
	 */
	int (*lookup)(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, enum dns_type type, struct str name,
	    unsigned flags, struct dns_result *r_result, struct errmsg *e);
	/* lookup_both asks for A (out[0]) and AAAA (out[1]) at the same time; may be NULL. */
	void (*lookup_both)(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str name,
	    struct dns_outcome out[2]);
};
enum {
	DNS_BYPASS_CACHE = 1,   /* ask again (administration checks) */
	DNS_NO_CNAME = 2,       /* do not follow a CNAME: it is in steps, with no records */
};

int dns_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, enum dns_type type, struct str name,
    unsigned flags, struct dns_result *r_result, struct errmsg *e) must_use_;
/*
 * dns_lookup_ip asks for A and AAAA (both at once where the resolver can); family 0 both, 4 or 6 one. Not found only if neither
 * exists; one temporary failure with addresses of the other family is a success. authentic only if both answers were.
 */
int dns_lookup_ip(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str name, int family,
    struct dns_result *r_result, struct errmsg *e) must_use_;
/* dns_lookup_ptr: names of an address. */
int dns_lookup_ptr(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct ip *ip,
    struct dns_result *r_result, struct errmsg *e) must_use_;
/*
 * dns_reverse: the name under in-addr.arpa or ip6.arpa, or under another zone (DNSBL): reversed octets or nibbles, a dot, the
 * zone.
 */
struct str dns_reverse(struct arena *a, const struct ip *ip, struct str zone);

/* The stub resolver. */
struct dns_stub_opts {
	/*
	 * NULL: /etc/resolv.conf. Read again when it changes. Unreadable or without servers: 127.0.0.1 and ::1. Its search list
	 * does not matter here: names are absolute. "nameserver [address]:port" is taken, too.
	 */
	const char *resolv_conf;
	/* NULL: /etc/hosts; "": none. Consulted for A and AAAA before asking; never authentic. */
	const char *hosts;
	size_t cache_entries;           /* 0: 20,000; the cache is bounded */
	bool no_cache;
	const struct ipport *servers;   /* instead of resolv.conf (tests, dns_stub over another port) */
	size_t nservers;
	bool trust_ad;                  /* believe AD from these servers whatever their address */
	/* Our own validation from a trust anchor (DS or DNSKEY records in presentation form); off by default. */
	const char *trust_anchor_file;
	const struct clock *clock;
};
int dns_stub_new(const struct dns_stub_opts *o, struct dns_resolver **r_resolver, struct errmsg *e) must_use_;
void dns_stub_free(struct dns_resolver **r);
/*
 * dns_stub_for returns a resolver that shares everything with r but labels metrics (mox_dns_lookup_duration_seconds{pkg})
 * with its user's name.
 */
struct dns_resolver *dns_stub_for(struct dns_resolver *r, const char *pkg);

#endif
