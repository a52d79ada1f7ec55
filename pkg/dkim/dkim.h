/* SPDX-License-Identifier: MIT */
/*
 * dkim - DomainKeys Identified Mail: a domain takes responsibility for a message by a signature in its header.
 *
 * The signer hashes the body and chosen header fields and signs with a private key; DKIM-Signature says how, by which
 * domain (d=) and with which key: its public half is a TXT record at <selector>._domainkey.<domain>. A verifier
 * recomputes the hashes. A valid signature tells that the domain vouched for the message, nothing about who is in From;
 * DMARC connects the two.
 *
 * This package signs (rsa-sha256, ed25519-sha256), verifies, reads and writes signatures and key records, and makes
 * keys. The body is read once, in pieces, whatever the number of signatures. rsa-sha1 does not verify (RFC 8301), keys
 * below 1024 bits neither, and l= never passes: anybody could append to such a message. Package arc builds on the parts
 * below "for arc".
 *
 * RFC 6376 with errata 4810, 5070; RFC 8301, 8463, 6532, 8616.
 */
#ifndef DKIM_DKIM_H
#define DKIM_DKIM_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/timeutil.h"
#include "dns/dns.h"
#include "message/message.h"

enum dkim_status {              /* RFC 8601 2.7.1 */
	DKIM_NONE,              /* not signed; or a failing signature in test mode (t=y) */
	DKIM_PASS,
	DKIM_FAIL,              /* a hash or the signature is wrong */
	DKIM_POLICY,            /* valid perhaps, but not accepted by policy */
	DKIM_NEUTRAL,
	DKIM_TEMPERROR,         /* the key could not be got now */
	DKIM_PERMERROR,         /* signature or key cannot be used */
};
const char *dkim_status_text(enum dkim_status s);

/* --- the signature field --- */

struct dkim_signature {
	struct str algorithm;           /* a= in lower case: "rsa-sha256" */
	struct str signature, body_hash;/* b=, bh= decoded */
	struct str domain;              /* d=, ASCII lower case */
	struct str selector;            /* s=, lower case */
	struct strlist headers;         /* h= as written */
	struct str canon_header, canon_body;    /* c= in lower case; "simple" where absent */
	int64_t length;                 /* l=; -1 absent */
	bool has_identity;              /* i= is there: */
	struct str identity_localpart;  /* may be empty */
	struct str identity_domain;     /* lower case */
	struct strlist query;           /* q=; empty = dns/txt */
	int64_t sign_time, expire_time; /* t=, x= in seconds; -1 absent */
	struct strlist copied;          /* z= elements as written */
};
enum { DKIM_SMTPUTF8 = 1 };             /* UTF-8 in i= is fine */
/*
 * dkim_parse_signature reads a whole field, from its name to its CRLF. r_verify_form gets what is hashed: the same bytes
 * without the value of b= and the final CRLF. ERR_INVALID with the reason. Checks of its values against each other are
 * made too (x after t, i= within d=, length of bh).
 */
int dkim_parse_signature(struct arena *a, struct str field, unsigned flags, struct dkim_signature *r_sig, struct str *r_verify_form, struct errmsg *e) must_use_;

/* --- the key record --- */

struct dkim_record {
	struct strlist hashes;          /* h= lower case; empty = all */
	struct str key_type;            /* k= lower case; "rsa" if absent */
	struct str notes;               /* n= decoded */
	struct str public_key;          /* p= decoded; empty = revoked */
	struct strlist services;        /* s= lower case; empty = "*" */
	struct strlist flags;           /* t= lower case */
};
/* dkim_parse_record: r_is_dkim tells whether the text is meant to be a key record at all (v=DKIM1, or any tag that parses). */
int dkim_parse_record(struct arena *a, struct str txt, struct dkim_record *r_rec, bool *r_is_dkim, struct errmsg *e) must_use_;
struct str dkim_pack_record(struct arena *a, const struct dkim_record *rec);
/*
 * dkim_lookup gets a key: DKIM_NEUTRAL when found, with *r_rec and *r_txt; else DKIM_PERMERROR or DKIM_TEMPERROR with
 * the reason. authentic: by DNSSEC.
 */
enum dkim_status dkim_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str selector, struct str domain, struct str *r_txt,
    struct dkim_record *r_rec, bool *r_authentic, struct errmsg *e);

/* --- verifying --- */

#define DKIM_MAX_SIGNATURES 20          /* evaluated; more are left out, so that a message cannot cost any number of keys */

struct dkim_verify_args {
	unsigned flags;
	bool ignore_test_mode;          /* t=y of a key changes nothing (command line) */
	bool allow_localhost;           /* d=localhost is fine (localserve) */
	/* public_suffix tells that a domain is one under which others register, so that nobody may sign for it. NULL: only a single label is. */
	bool (*public_suffix)(void *arg, struct str domain);
	void *arg;
	const struct clock *clock;
	int min_rsa_bits;               /* 0: 1024 */
};
struct dkim_result {
	enum dkim_status status;
	bool has_signature;             /* sig could be parsed */
	struct dkim_signature sig;
	bool has_record;
	struct dkim_record record;
	int key_bits;                   /* 0 unknown */
	bool authentic;                 /* the key's record, by DNSSEC */
	struct str problem;             /* empty for pass; may hold text from the message */
};
/*
 * dkim_verify evaluates all signatures of a message, in the order of the header. Keys are looked up before the body is
 * read; all body hashes are computed in one pass. Fails only when the message cannot be read, or its header has no end.
 */
int dkim_verify(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, const struct message_source *msg, const struct dkim_verify_args *args,
    struct dkim_result **r_v, size_t *r_n, struct errmsg *e) must_use_;

/* --- signing --- */

struct dkim_signer {                    /* one selector */
	struct str selector;
	EVP_PKEY *key;                  /* RSA of at least 1024 bits, or Ed25519 */
	bool header_relaxed, body_relaxed;
	struct strlist headers;         /* to sign; empty: the default list */
	bool dont_seal;                 /* sealing lists each field once more than it occurs, so that none can be added */
	int64_t expiration_us;          /* x=; 0 = none */
};
/*
 * dkim_sign makes one DKIM-Signature field for each signer, joined, each with CRLF, to be put before the message.
 * Exactly one From field is required. All or nothing. localpart may be empty: then i= is left out.
 */
int dkim_sign(struct arena *a, const struct message_source *msg, struct str localpart, struct str domain, const struct dkim_signer *signers, size_t n,
    const struct clock *clock, struct str *r_fields, struct errmsg *e) must_use_;

/* --- keys --- */

int dkim_generate_rsa(int bits, EVP_PKEY **r_key) must_use_;
int dkim_generate_ed25519(EVP_PKEY **r_key) must_use_;
int dkim_key_from_pem(struct str pem, EVP_PKEY **r_key, struct errmsg *e) must_use_;            /* PKCS #8, RSA or Ed25519 */
int dkim_key_to_pem(struct arena *a, EVP_PKEY *key, struct str *r_pem) must_use_;
/* dkim_record_of makes the record that publishes a key, with h=sha256 and t=s. */
int dkim_record_of(struct arena *a, EVP_PKEY *key, struct dkim_record *r_rec) must_use_;
/* dkim_public_key makes a key of a record's p=: SubjectPublicKeyInfo or RSAPublicKey for rsa, 32 octets for ed25519. ERR_INVALID. */
int dkim_public_key(const struct dkim_record *rec, EVP_PKEY **r_key, int *r_bits, struct errmsg *e) must_use_;

/* --- for arc --- */

enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };
/* dkim_canon_field appends a field in canonical form. field ends with CRLF, and so does the result; without (verify form), neither. */
void dkim_canon_field(struct buf *out, struct str field, enum dkim_canon canon);

/* Hash of a body that comes in pieces. Zero is no valid state: use dkim_body_init. */
struct dkim_body {
	EVP_MD_CTX *md;
	enum dkim_canon canon;
	bool space, cr;                 /* held back: white space (relaxed), a CR */
	bool wrote;                     /* there was content */
	uint64_t line_ends;             /* held back */
};
int dkim_body_init(struct dkim_body *b, enum dkim_canon canon) must_use_;                       /* SHA-256 */
void dkim_body_add(struct dkim_body *b, struct str piece);
int dkim_body_end(struct dkim_body *b, uint8_t r_hash[32]) must_use_;
void dkim_body_done(struct dkim_body *b);

/* dkim_read_header gives the header with the empty line, or the whole message if it has only a header; ERR_NOTFOUND if that
 * has no end. */
int dkim_read_header(struct arena *a, const struct message_source *msg, struct str *r_header) must_use_;
/* dkim_hash_body reads a message once, from off to its end, and hashes it in the canonical forms that are wanted; both by enum
 * dkim_canon. */
int dkim_hash_body(struct arena *a, const struct ctx *ctx, const struct message_source *msg, int64_t off, const bool want[2],
    uint8_t r_hash[2][32]) must_use_;

/*
 * dkim_signed_data joins what a signature covers: for each name the next unused instance from the bottom of the header,
 * then the verify form. ERR_LIMIT beyond the size of a header.
 */
int dkim_signed_data(struct arena *a, struct str header, const struct strlist *names, enum dkim_canon canon, struct str verify_form, struct str *r_data) must_use_;
int dkim_sign_data(struct arena *a, EVP_PKEY *key, struct str data, struct str *r_signature) must_use_;
bool dkim_verify_data(EVP_PKEY *key, struct str data, struct str signature);

/* One tag of a tag-list (rfc/6376:655). */
struct dkim_tag {
	struct str name, value;         /* value trimmed of FWS */
	struct str raw;                 /* everything behind "=" up to ";" or the end */
};
/* dkim_tag_next takes the next tag off *list: 1 found, 0 end, ERR_INVALID. Duplicates are the caller's to find (dkim_tags does). */
int dkim_tag_next(struct str *list, struct dkim_tag *r_tag) must_use_;
struct dkim_tags {
	struct dkim_tag *v;
	size_t n;
};
int dkim_tags(struct arena *a, struct str list, struct dkim_tags *r_tags, struct errmsg *e) must_use_;
const struct dkim_tag *dkim_tag_get(const struct dkim_tags *tags, const char *name);            /* NULL if absent */
/* dkim_unbase64 decodes base64 with FWS anywhere. */
int dkim_unbase64(struct arena *a, struct str s, struct str *r_out) must_use_;
/* dkim_without_b gives a field without the value of its b= tag and without the final CRLF. */
struct str dkim_without_b(struct arena *a, struct str field);

#endif
