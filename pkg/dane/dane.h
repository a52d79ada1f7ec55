/* SPDX-License-Identifier: MIT */
/*
 * dane - certificates of TLS servers, vouched for by DNS.
 *
 * Mail servers cannot ask a user whom to trust. With DANE a domain publishes in TLSA records, protected by DNSSEC, which
 * certificate or key its server has (DANE-EE), or which authority issued it (DANE-TA): "_25._tcp.mail.example.org TLSA 3 1 1
 * <SHA-256 of the key>". Who finds such records must use TLS and see that certificate, or not send. The older usages PKIX-TA
 * and PKIX-EE only narrow what the well-known authorities say; SMTP does not use them.
 *
 * This package finds the records of a host, verifies a chain of certificates by them, and plugs that into OpenSSL's
 * handshake. We verify ourselves instead of with SSL_dane_enable: reports to the other side (RFC 8460) tell about DANE and
 * the usual (PKIX) verification separately, each record's failure has its own text, and the usual one goes on where it is
 * only watched. Records are written and made of keys for publishing.
 *
 * RFC 6698, 7671, 7672, 7673; RFC 5280 and 6125 by OpenSSL.
 */
#ifndef DANE_DANE_H
#define DANE_DANE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/str.h"
#include "base/timeutil.h"
#include "dns/dns.h"

enum dane_usage { DANE_PKIX_TA, DANE_PKIX_EE, DANE_DANE_TA, DANE_DANE_EE };     /* rfc/7671:259 */
enum dane_selector { DANE_CERT, DANE_SPKI };    /* the whole certificate, or its public key */
enum dane_matching { DANE_FULL, DANE_SHA256, DANE_SHA512 };

/* Sets of usages: bits 1 << usage. */
#define DANE_ALL 0xfu
#define DANE_SMTP ((1u << DANE_DANE_TA) | (1u << DANE_DANE_EE))         /* rfc/7672:1104 */

enum dane_err {
	DANE_NORECORDS = -210,  /* no TLSA records */
	DANE_INSECURE = -211,   /* not protected by DNSSEC: as if there were no records */
	DANE_UNUSABLE = -212,   /* records, but none that is usable: TLS is required, nobody can be verified: rfc/7672:718 */
	DANE_NOMATCH = -213,    /* no record verifies the server */
};

/* --- records --- */

struct dane_record {
	uint8_t usage, selector, matching;      /* of the enums above, or other numbers */
	struct str data;
};

/*
 * dane_usable: the usage is in the set, selector and matching are known, and the data has the length of its hash, or is a
 * certificate or key: rfc/6698:651
 */
bool dane_usable(const struct dane_record *r, unsigned usages);
/*
 * dane_select returns the records to be used, in order: the usable ones, at most DANE_MAX_RECORDS; of those with the same
 * usage and selector, those with the strongest hash and the full ones: rfc/7671:1304
 */
#define DANE_MAX_RECORDS 64             /* each may cost verifying a chain */
void dane_select(struct arena *a, const struct dane_record *v, size_t n, unsigned usages, struct dane_record **r_v, size_t *r_n);

/* dane_text writes "3 1 1 0123..."; dane_parse reads it, with names in place of numbers and spaces within the data allowed. */
struct str dane_text(struct arena *a, const struct dane_record *r);
int dane_parse(struct arena *a, struct str text, struct dane_record *r_record, struct errmsg *e) must_use_;
/* Names ("pkix-ta", "spki", "sha2-256") or numbers up to 255, as people give them. ERR_INVALID. */
int dane_parse_usage(struct str s, uint8_t *r_v) must_use_;
int dane_parse_selector(struct str s, uint8_t *r_v) must_use_;
int dane_parse_matching(struct str s, uint8_t *r_v) must_use_;
const char *dane_usage_text(uint8_t usage);     /* "dane-ee"; "unknown" */
/* dane_parse_usages reads a list with commas into a set. Usages above 3 are ERR_INVALID. */
int dane_parse_usages(struct str s, unsigned *r_set) must_use_;

/* dane_of_cert and dane_of_key make a record for a certificate or key. ERR_UNSUPPORTED for selectors and matchings unknown. */
int dane_of_cert(struct arena *a, uint8_t usage, uint8_t selector, uint8_t matching, X509 *cert, struct dane_record *r_record,
    struct errmsg *e) must_use_;
int dane_of_key(struct arena *a, uint8_t usage, uint8_t matching, EVP_PKEY *key, struct dane_record *r_record,
    struct errmsg *e) must_use_;
/*
 * dane_of_pem makes one of the first block that will do: a certificate, or for DANE_SPKI also a public or private key.
 * ERR_NOTFOUND if there is none.
 */
int dane_of_pem(struct arena *a, uint8_t usage, uint8_t selector, uint8_t matching, struct str pem,
    struct dane_record *r_record, struct errmsg *e) must_use_;

/* --- verifying --- */

struct dane_check {
	const struct dane_record *records;
	size_t n;
	unsigned usages;                /* set; 0: all */
	/*
	 * Names (ASCII) one of which the certificate must have, but for DANE-EE. First the TLSA base domain. For SMTP see
	 * rfc/7672:1328 on the next-hop domain, original and expanded.
	 */
	const struct str *names;
	size_t nnames;
	X509_STORE *roots;              /* well-known authorities, for the PKIX usages; NULL: those never match */
	const struct clock *clock;      /* NULL: the system's */
};
/* A record that matched a certificate, but the chain did not verify by it. */
struct dane_failure {
	struct dane_record record;
	int verify_error;               /* X509_V_ERR_* */
};
struct dane_result {
	struct dane_record record;      /* that verified the server */
	/* of the certificate that it matched among what the server sent; -1: in the record itself, or a root */
	int depth;
	struct dane_failure *failures;
	size_t nfailures;
};
/*
 * dane_verify verifies a chain as sent by a server, its own certificate first. Records are tried in order, the first that
 * verifies wins. DANE-EE looks at the certificate only, not at names, dates, or issuers: rfc/7671:527. 0 verified;
 * DANE_NORECORDS; DANE_UNUSABLE; DANE_NOMATCH, with r_result->failures; ERR_INVALID for an empty chain.
 */
int dane_verify(struct arena *a, const struct dane_check *c, STACK_OF(X509) *chain, struct dane_result *r_result,
    struct errmsg *e) must_use_;

/*
 * dane_verify_pkix verifies a chain as browsers do, for one of the names, or for an address (or NULL) if there are none:
 * X509_V_OK or X509_V_ERR_*; without roots X509_V_ERR_STORE_LOOKUP.
 */
int dane_verify_pkix(X509_STORE *roots, STACK_OF(X509) *chain, const struct str *names, size_t nnames, const struct ip *ip,
    const struct clock *clock);

/*
 * --- the handshake ---
 *
 * dane_ctx makes the sessions of a client context ask us about the server's certificates; dane_attach tells a session, before
 * its handshake, what is wanted, and sends the server name. The struct and what it refers to must outlive the handshake.
 * Both verifications are made and told of; those that are required end the handshake when they fail, with an alert to the
 * server, before anything is sent to it. A session without dane_attach is not verified: opportunistic TLS. Sessions must not
 * be resumed, as then no certificate is sent.
 */
struct dane_handshake {
	struct arena *a;
	struct dane_check check;        /* n = 0: no DANE */
	/* Server name, and the name for PKIX; empty: the address is used, and no name sent. */
	struct str host;
	struct ip ip;
	bool require_dane, require_pkix;

	/* results */
	bool seen;                      /* the server sent certificates, so that the following is known: */
	int dane_error;                 /* 0 or of dane_verify; DANE_NORECORDS without records */
	struct dane_result dane;
	struct errmsg dane_problem;
	int pkix_error;                 /* of dane_verify_pkix */
};
void dane_ctx(SSL_CTX *ctx);
int dane_attach(SSL *ssl, struct dane_handshake *h) must_use_;  /* ERR_INVALID: the name cannot be sent */

/* --- finding records --- */

/*
 * dane_lookup gets the records at _port._tcp.base, CNAMEs followed. 0; DANE_NORECORDS (absence proved, or the zone not
 * signed and no records); DANE_INSECURE (records without DNSSEC); or errors of dns: then a downgrade cannot be excluded and
 * the host must not be used: rfc/7672:574
 */
int dane_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, uint16_t port, struct str base,
    struct dane_record **r_v, size_t *r_n, struct errmsg *e) must_use_;

struct dane_service {
	struct str host;                /* as asked for, ASCII, lower case, without final dot */
	struct str expanded;            /* at the end of its CNAMEs */
	bool authentic;                 /* every CNAME was */
	struct str base;                /* where the records are: SNI and first name */
	struct str names[2];            /* the base, and the host if it is another name: rfc/7671:1021 */
	size_t nnames;
	struct dane_record *records;
	size_t n;
};
#define DANE_MAX_CNAMES 10              /* look-ups, with the last one that finds none */
/*
 * dane_find follows the CNAMEs of a host, noting for each step whether it is authentic, and gets the records at the final
 * name, else at the original one: rfc/7671:1003. DANE_INSECURE already when the first answer is not authentic.
 */
int dane_find(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str host, uint16_t port,
    struct dane_service *r_service, struct errmsg *e) must_use_;

struct dane_dial_args {
	struct str host;                /* ASCII */
	uint16_t port;
	int family;                     /* 0 both, 4, 6 */
	unsigned usages;                /* set; 0: all */
	X509_STORE *roots;
	SSL_CTX *tls;                   /* of a client */
	const struct clock *clock;
	/* connect makes a TCP connection; the descriptor is made non-blocking. */
	int (*connect)(void *arg, const struct ctx *ctx, const struct ipport *to, int *r_fd, struct errmsg *e);
	void *arg;
};
struct dane_conn {
	int fd;
	SSL *ssl;
	struct ipport remote;
	struct dane_service service;
	struct dane_handshake handshake;
};
/*
 * dane_dial finds the records, resolves the addresses of the expanded name (not necessarily authentic), tries them in order,
 * and makes a verified TLS connection over the first that can be reached: TLS 1.2 at least, server name the base domain.
 * Failures of dane_find; DANE_UNUSABLE before dialing; DANE_NOMATCH; ERR_IO and those of ctx. Release with dane_conn_done.
 */
int dane_dial(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct dane_dial_args *args,
    struct dane_conn *r_conn, struct errmsg *e) must_use_;
void dane_conn_done(struct dane_conn *c);

#endif
