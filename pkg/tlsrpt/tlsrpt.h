/* SPDX-License-Identifier: MIT */
/*
 * tlsrpt - TLS reports: how mail servers tell each other whether TLS works between them.
 *
 * A domain that wants to know publishes a TXT record at _smtp._tls.<domain> with addresses. Who sends mail there, counts TLS
 * sessions that were good or failed, by policy (DANE, MTA-STS, none), and once a day sends the counts as JSON, in a mail of
 * its own kind.
 *
 * This package reads and writes records and reports, finds the report in a message, adds results up, and gives failures of
 * handshakes the names that reports use. It remembers and sends nothing (tlsrptdb, tlsrptsend do).
 *
 * RFC 8460 with erratum 6241.
 */
#ifndef TLSRPT_TLSRPT_H
#define TLSRPT_TLSRPT_H

#include <openssl/ssl.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "dns/dns.h"
#include "message/message.h"
#include "tlsrpt/tlsrpt_idl.h"

enum tlsrpt_err {
	TLSRPT_NORECORD = -220,         /* the domain does not implement TLSRPT */
	TLSRPT_MULTIPLE = -221,         /* several records: as if none, rfc/8460:376 */
	TLSRPT_SYNTAX = -222,
	TLSRPT_DNS = -223,              /* the record could not be looked up now */
};

/* --- the record --- */

struct tlsrpt_pair {                    /* extension */
	struct str name, value;
};
struct tlsrpt_record {
	struct strlist rua;             /* URIs: mailto:, https: and others; at least one */
	struct tlsrpt_pair *extensions;
	size_t nextensions;
};
/* tlsrpt_parse_record: r_is_tlsrpt tells whether the text is meant to be one ("v=TLSRPTv1" and a delimiter). ERR_INVALID. */
int tlsrpt_parse_record(struct arena *a, struct str txt, struct tlsrpt_record *r_record, bool *r_is_tlsrpt,
    struct errmsg *e) must_use_;
struct str tlsrpt_pack_record(struct arena *a, const struct tlsrpt_record *r);
/* tlsrpt_lookup gets the record of a domain (ASCII). r_txt as far as known. Errors of enum tlsrpt_err, or of the ctx. */
int tlsrpt_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain, struct str *r_txt,
    struct tlsrpt_record *r_record, struct errmsg *e) must_use_;

/* --- reports --- */

/* The types of policies that we know. */
#define TLSRPT_TLSA "tlsa"
#define TLSRPT_STS "sts"
#define TLSRPT_NO_POLICY "no-policy-found"

/*
 * tlsrpt_parse reads a report tolerantly: members in any case, unknown and missing ones, lone strings for arrays, times
 * without zone (UTC), a byte order mark, text behind. ERR_INVALID, or ERR_LIMIT beyond LIMIT_REPORT_SIZE.
 */
int tlsrpt_parse(struct arena *a, struct str json, struct tlsrpt_report *r_report, struct errmsg *e) must_use_;
/* tlsrpt_pack appends a report, indented. */
void tlsrpt_pack(struct buf *out, const struct tlsrpt_report *r);
/*
 * tlsrpt_parse_message finds the report in a message: the message itself, or a part of a multipart/report, of type
 * application/tlsrpt+json or +gzip (its content tells which it is), or application/tlsrpt, as drafts had it. ERR_NOTFOUND
 * without one, ERR_LIMIT for messages beyond LIMIT_REPORT_MESSAGE.
 */
int tlsrpt_parse_message(struct arena *a, const struct message_source *src, struct tlsrpt_report *r_report,
    struct errmsg *e) must_use_;
/* tlsrpt_filename: "mail.sndr.example!example.net!1470013207!1470186006.json.gz": rfc/8460:855 */
struct str tlsrpt_filename(struct arena *a, struct str submitter, struct str domain, int64_t start_us, int64_t end_us);

/*
 * tlsrpt_add adds a result to a list: to the counts of the one with the same policy, if there is one; likewise its failures.
 * Counts do not go below 0. Strings are not copied.
 */
void tlsrpt_add(struct arena *a, struct tlsrpt_result_list *l, const struct tlsrpt_result *r);
/* tlsrpt_add_failure adds failures to a result, or to the same ones there. */
void tlsrpt_add_failure(struct arena *a, struct tlsrpt_result *r, const struct tlsrpt_failure_details *f);

/* --- names of failures --- */

/*
 * What went wrong in a handshake. Zero-initialise; tlsrpt_watch, before it, makes OpenSSL note alerts here (the struct must
 * live as long as the session, or until tlsrpt_watch(ssl, NULL)); tlsrpt_note, after SSL_connect or SSL_read failed with rv,
 * the rest, and leaves OpenSSL's error queue as it is. timeout is for the caller to set.
 */
struct tlsrpt_trouble {
	int verify_error;               /* X509_V_ERR_* of the usual verification; set by the caller, see dane_handshake */
	bool dane_no_match;             /* no TLSA record verified the server; set by the caller */
	bool dane_errors;               /* and some matched, but their chain was not good */
	bool has_remote_alert;
	bool not_tls;                   /* something else than TLS came */
	bool closed;                    /* the other side ended the connection */
	bool has_local_alert;
	bool timeout;
	uint8_t remote_alert, local_alert;
};
void tlsrpt_watch(SSL *ssl, struct tlsrpt_trouble *t);
void tlsrpt_note(SSL *ssl, int rv, struct tlsrpt_trouble *t);
/*
 * tlsrpt_classify gives result type and failure reason code; the latter may be empty. What stands first in the struct and
 * applies decides.
 */
void tlsrpt_classify(struct arena *a, const struct tlsrpt_trouble *t, struct str *r_type, struct str *r_reason);

#endif
