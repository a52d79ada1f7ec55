/* SPDX-License-Identifier: MIT */
/*
 * smtpclient - SMTP as a client: from a connected socket to an initialised dialogue (greeting, EHLO, TLS, AUTH), and
 * the delivery of messages over it.
 *
 * Also here: where to deliver (gather.c: MX, CNAME, addresses, TLSA names) and how to connect (dial.c: order of
 * addresses, SOCKS5).
 *
 * Blocking calls with deadlines, for threads of their own: every wait is a poll on the socket and the stop descriptor
 * of the ctx. A client has one user at a time. Nothing a server says is believed beyond its form: reply lines are
 * bounded in length and number, a reply with different codes, a malformed line, and anything that stands behind the
 * reply to STARTTLS or that no command asked for ends the dialogue. What was learned before TLS is forgotten when TLS
 * starts.
 *
 * RFC 5321, 1870 (SIZE), 2034 (enhanced codes), 2920 (PIPELINING), 3030 (CHUNKING), 3207 (STARTTLS), 3461 (DSN), 4954
 * (AUTH), 6152 (8BITMIME), 6531 (SMTPUTF8), 7505 (null MX), 7672 (DANE), 8314 (implicit TLS), 8460 4.3 (what failed),
 * 8689 (REQUIRETLS), 9422 (LIMITS).
 */
#ifndef SMTPCLIENT_SMTPCLIENT_H
#define SMTPCLIENT_SMTPCLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/str.h"
#include "dns/dns.h"
#include "log/log.h"
#include "message/message.h"
#include "sasl/sasl.h"
#include "tls/tls.h"

/* --- what can go wrong --- */

enum smtpclient_cause {
	SMTPCLIENT_SIZE = -200,         /* larger than the server takes */
	SMTPCLIENT_NO_8BITMIME = -201,
	SMTPCLIENT_NO_SMTPUTF8 = -202,
	SMTPCLIENT_NO_REQUIRETLS = -203,
	SMTPCLIENT_STATUS = -204,       /* a reply other than the expected one; see reply */
	SMTPCLIENT_PROTOCOL = -205,     /* not SMTP, or against its rules; also no usable AUTH mechanism (permanent) */
	SMTPCLIENT_TLS = -206,          /* STARTTLS refused, handshake or verification failed */
	SMTPCLIENT_BOTCHED = -207,      /* the dialogue is out of step since an earlier failure */
	SMTPCLIENT_CLOSED = -208,       /* smtpclient_close was called */
	SMTPCLIENT_IO = -209,           /* connection lost, time-out, cancelled */
	SMTPCLIENT_CONTENT = -210,      /* our message cannot be sent: bare CR or LF, or unreadable */
};
const char *smtpclient_cause_text(int cause);

struct smtpclient_reply {
	int code;                       /* 0: none */
	char secode[8];                 /* enhanced code without its class: "7.1"; "" for none */
	struct str line;                /* first line as received, with its code */
	struct strlist more;            /* further lines */
};

/* An error. Strings are in the arena of the call. Only replies of class 5 and what the cause says are permanent. */
struct smtpclient_error {
	int cause;                      /* enum smtpclient_cause */
	bool permanent;
	const char *command;            /* "mailfrom", ... ; as in metrics */
	struct smtpclient_reply reply;  /* code 0 for what we found ourselves */
	struct str text;                /* for people: "smtp status, permanent: 550 5.1.1 no such user" */
};

/* --- TLS --- */

enum smtpclient_tls_mode {
	SMTPCLIENT_TLS_OPPORTUNISTIC,   /* STARTTLS if announced */
	/* STARTTLS is sent in any case (rfc/3207:307: the announcement may have been stripped) */
	SMTPCLIENT_TLS_REQUIRED,
	SMTPCLIENT_TLS_IMMEDIATE,       /* from the first byte on */
	SMTPCLIENT_TLS_SKIP,
};

/*
 * A context for clients: rules of package tls, authorities, verification of both kinds. Shared by threads, immutable.
 */
struct smtpclient_tls;
struct smtpclient_tls_opts {
	const struct str *ca_pem;       /* certificates of authorities to trust, PEM texts */
	size_t nca;
	bool no_system;                 /* not those of the system too, which are read with the first handshake */
};
int smtpclient_tls_new(const struct smtpclient_tls_opts *o, struct smtpclient_tls **r_tls, struct errmsg *e) must_use_;
void smtpclient_tls_free(struct smtpclient_tls **t);

/*
 * Judges the server's certificates by TLSA records; package dane has it. Called in the handshake. chain are the
 * certificates as sent, the leaf first. 0: a record matches; else negative, with *r_errors true if a record could not
 * be evaluated.
 */
struct smtpclient_dane {
	int (*verify)(void *arg, X509 *leaf, STACK_OF(X509) *chain, bool *r_errors, struct errmsg *e);
	void *arg;
};

/* How one way of judging turned out, in the words of TLS reports (rfc/8460:538). */
struct smtpclient_verdict {
	bool judged;                    /* looked at */
	bool ok;
	const char *type;               /* result type: "certificate-expired"; NULL if ok */
	struct str reason;              /* failure reason code; may be empty */
};

/*
 * What happened with TLS. Filled also when the dialogue failed. Strings live as long as the client, or in the arena
 * of smtpclient_new if that failed.
 */
struct smtpclient_tls_facts {
	bool tried;                     /* STARTTLS was sent, or immediate TLS begun */
	bool established;
	bool not_offered;               /* opportunistic, and STARTTLS was not announced */
	/*
	 * Of the handshake as a whole, when it failed otherwise than by verification: starttls-not-supported,
	 * validation-failure.
	 */
	struct smtpclient_verdict handshake;
	struct smtpclient_verdict pkix; /* always judged; fatal only with verify_pkix */
	struct smtpclient_verdict dane; /* judged if asked for */
	struct tls_info info;           /* if established */
};

/* --- a dialogue --- */

struct smtpclient_auth {
	struct str username, password;
	/* in order of preference; the first that the server has, too, is used. -PLUS ones only over TLS */
	const enum sasl_mech *mechs;
	size_t nmechs;
};

struct smtpclient_opts {
	/* connected stream socket; belongs to the client from the call on, also if it fails */
	int fd;
	const struct ctx *ctx;          /* copied */
	const struct log *log;          /* for traces; NULL: none */
	struct str ehlo;                /* our name, ASCII, or a literal */
	enum smtpclient_tls_mode mode;
	struct smtpclient_tls *tls;     /* not needed with SKIP; must outlive the client */
	/* host name of the server: SNI and the name that PKIX checks; an IP as text: no SNI */
	struct str remote_name;
	bool verify_pkix;               /* fail unless the certificate is valid by authorities */
	/* go on in spite of failures of either kind (TLS-Required: No, rfc/8689:208); verdicts are kept */
	bool ignore_verify_errors;
	const struct smtpclient_dane *dane;     /* NULL: not asked for; copied */
	const struct smtpclient_auth *auth;     /* NULL: no login */
	bool no_chunking;               /* do not use CHUNKING even if offered */
	int64_t timeout_us;             /* for each reply and each write; 0: 30 s */
	int64_t final_timeout_us;       /* for the reply to the message; 0: 10 min (rfc/5321:3656) */
};

/* What the server announced, after TLS if there is any. */
struct smtpclient_extensions {
	bool esmtp, starttls, ecodes, eightbitmime, pipelining, chunking, requiretls, smtputf8, dsn;
	bool size;                      /* announced */
	int64_t max_size;               /* 0: not said */
	struct str auth;                /* mechanisms, upper case, separated by spaces */
	uint32_t mail_max, rcpt_max, rcpt_domain_max;   /* LIMITS (rfc/9422:262); 0: not said */
};

struct smtpclient;
/*
 * smtpclient_new reads the greeting and brings the dialogue to where messages can be sent. Returns 0 and *r_c, or the
 * cause with *r_e. r_facts (may be NULL) is filled in either case. Long-lived strings of the client are its own;
 * those of an error are in the arena.
 */
int smtpclient_new(struct arena *a, const struct smtpclient_opts *o, struct smtpclient **r_c,
    struct smtpclient_tls_facts *r_facts,
    struct smtpclient_error *r_e) must_use_;
/*
 * smtpclient_close says QUIT (5 s for the reply) unless the dialogue is broken, and frees. NULL is fine; fits
 * cleanup_().
 */
void smtpclient_close(struct smtpclient **c);
/* smtpclient_set_ctx gives a later deadline, for the next message on a connection that is used again. Copied. */
void smtpclient_set_ctx(struct smtpclient *c, const struct ctx *ctx);

const struct smtpclient_extensions *smtpclient_extensions(const struct smtpclient *c);
const struct smtpclient_tls_facts *smtpclient_facts(const struct smtpclient *c);
bool smtpclient_is_tls(const struct smtpclient *c);
bool smtpclient_botched(const struct smtpclient *c);           /* no further use */
struct str smtpclient_greeting(const struct smtpclient *c);    /* text of the greeting behind the code */
/*
 * smtpclient_alive tells whether a connection that was idle can be used: nothing was said meanwhile and it is not
 * closed.
 */
bool smtpclient_alive(struct smtpclient *c);
/*
 * smtpclient_transcript: the last 4 KiB of the dialogue, lines "C: ..." and "S: ..."; secrets and message data left
 * out. Copied to the arena.
 */
struct str smtpclient_transcript(struct arena *a, const struct smtpclient *c);
/*
 * smtpclient_pass copies between the dialogue (after the set-up) and two descriptors until either side ends: mox smtp
 * dial. 0, or the cause.
 */
int smtpclient_pass(struct smtpclient *c, int in_fd, int out_fd) must_use_;

/* --- messages --- */

struct smtpclient_message {
	struct str from;                /* reverse path without brackets, as it goes over the wire; "" for <> */
	struct message_source content;  /* only CRLF line ends, ends in one */
	bool eightbit;                  /* BODY=8BITMIME where announced */
	bool need_8bitmime;             /* fail (permanently) where it is not */
	bool smtputf8;                  /* needed */
	bool requiretls;
	const char *ret;                /* DSN: "FULL", "HDRS" or NULL; dropped where DSN is not announced */
	struct str envid;               /* DSN: xtext as given by the submitter, or empty */
};

enum smtpclient_rcpt_status {
	SMTPCLIENT_RCPT_UNKNOWN,        /* the transaction failed as a whole: see its error */
	SMTPCLIENT_RCPT_DELIVERED,
	SMTPCLIENT_RCPT_REFUSED,        /* reply tells; 5xx is permanent, but 552 is not (rfc/5321:3573) */
	/* too many recipients: 452 or 552 after others were taken; send again in a transaction of its own, now */
	SMTPCLIENT_RCPT_LATER,
};
struct smtpclient_rcpt {
	struct str address;             /* without brackets, as it goes over the wire */
	struct str notify, orcpt;       /* DSN parameters, or empty */
	enum smtpclient_rcpt_status status;     /* result */
	struct smtpclient_reply reply;  /* result: to RCPT if refused, else to the message */
};

/*
 * smtpclient_deliver sends one message to n recipients (at most LIMIT_SMTP_RCPTS) in one transaction. 0: every
 * recipient has its status, perhaps all refused. Negative: the transaction failed with r_e; recipients that were
 * refused individually before keep their status, the others are UNKNOWN. The client can be used again unless it is
 * botched.
 */
int smtpclient_deliver(struct smtpclient *c, struct arena *a, const struct smtpclient_message *m,
    struct smtpclient_rcpt *rcpts, size_t n,
    struct smtpclient_error *r_e) must_use_;

/* --- where to --- */

/* A next hop, resolved to hosts. */
struct smtpclient_destinations {
	bool have_mx;
	bool authentic;                 /* the first name's answer, by DNSSEC */
	bool expanded_authentic;        /* all answers */
	struct str expanded;            /* name at the end of CNAMEs */
	struct smtpclient_host {
		struct str name;        /* ASCII, or an IP as text */
		bool is_ip;
		int preference;         /* -1 without MX */
	} *hosts;                       /* in the order to be tried */
	size_t nhosts;
	bool permanent;                 /* of the failure: null MX (rfc/7505:127), names that cannot exist */
	int extended_error;             /* of a DNSSEC failure; -1: none */
	struct str extended_text;
};
/*
 * smtpclient_gather_destinations finds the hosts for a domain, or for an IP given as text (is_ip). 0, or an error of
 * package dns or ERR_INVALID (permanent set). On failure r_d is filled as far as known.
 */
int smtpclient_gather_destinations(struct dns_resolver *r, struct arena *a, const struct ctx *ctx,
    struct str next_hop, bool is_ip,
    struct smtpclient_destinations *r_d, struct errmsg *e) must_use_;

/* Earlier connections to a host, oldest first: they decide the order of addresses for the next one. */
struct smtpclient_dialed {
	struct ip *v;
	size_t n;
};
struct smtpclient_ips {
	bool authentic, expanded_authentic;
	struct str expanded;
	struct ip *v;                   /* in the order to be tried */
	size_t n;
	bool dual_stack;                /* both families are there */
	int extended_error;
	struct str extended_text;
};
/*
 * smtpclient_gather_ips resolves a host; family 0 both, 4 or 6. Order: stable but for what dialed says: the family
 * other than that of the last connection first; after exactly one connection within a family the same address again
 * (greylisting).
 */
int smtpclient_gather_ips(struct dns_resolver *r, struct arena *a, const struct ctx *ctx,
    const struct smtpclient_host *host, int family,
    const struct smtpclient_dialed *dialed, struct smtpclient_ips *r_ips, struct errmsg *e) must_use_;

struct smtpclient_tlsa {
	/* records exist, or it is not known whether they do: no plaintext (rfc/7672:629) */
	bool required;
	const struct dns_record *v;     /* usable ones (usage 2, 3) */
	size_t n;
	bool found;                     /* there are records, perhaps only unusable ones */
	struct str base;                /* TLSA base domain: SNI, name in reports */
	int extended_error;
	struct str extended_text;
};
/*
 * smtpclient_gather_tlsa looks up _25._tcp.<base>, for the expanded name if that is authentic, else for the host.
 * Error with required set: the host must be skipped.
 */
int smtpclient_gather_tlsa(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str host,
    bool expanded_authentic, struct str expanded,
    struct smtpclient_tlsa *r_tlsa, struct errmsg *e) must_use_;
/* smtpclient_tlsa_names: names that a DANE-TA certificate may have (rfc/7672:1041), the first is for SNI. */
void smtpclient_tlsa_names(struct arena *a, bool have_mx, bool expanded_nexthop_authentic,
    bool expanded_base_authentic, struct str nexthop,
    struct str expanded_nexthop, struct str host, struct str base, struct strlist *r_names);

/* --- connecting --- */

struct smtpclient_dial_opts {
	const struct ctx *ctx;
	const struct ip *ips;           /* tried in order */
	size_t nips;
	uint16_t port;
	const struct ip *local;         /* addresses to connect from, at most one of each family is used; may be NULL */
	size_t nlocal;
	/* "host:port" of a SOCKS5 proxy that connects for us (RFC 1928), or NULL; resolved by getaddrinfo */
	const char *socks;
};
/*
 * smtpclient_dial connects: *r_fd is non-blocking, *r_index tells which address. Each gets its share of the time that
 * is left, 30 s without a deadline. The error is that of the last address.
 */
int smtpclient_dial(const struct smtpclient_dial_opts *o, int *r_fd, size_t *r_index, struct errmsg *e) must_use_;

#endif
