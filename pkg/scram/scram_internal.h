/* SPDX-License-Identifier: MIT */
/*
 * scram_internal.h - what both sides of SCRAM share.
 */
#ifndef SCRAM_SCRAM_INTERNAL_H
#define SCRAM_SCRAM_INTERNAL_H

#include "base/cur.h"
#include "scram/scram.h"

#define SCRAM_NONCE_BYTES 12            /* random bytes in a nonce of ours */
#define SCRAM_NONCE_MIN 8               /* characters that the other side must contribute */
#define SCRAM_SALT_MIN 8
#define SCRAM_ITERATIONS_MIN 2048
#define SCRAM_ITERATIONS_MAX 2000000    /* more is an attempt to burn our CPU: this many take a second */

void scram_hmac(enum scram_hash h, struct str key, struct str data, uint8_t *r_out);
void scram_digest(enum scram_hash h, struct str data, uint8_t *r_out);

/* scram_client_key is scram_derive that also gives ClientKey, which only the client may know. */
void scram_client_key(enum scram_hash h, struct str password, struct scram_keys *k, uint8_t *r_client_key);

/* scram_attr takes `name "=" value`: value = 1*value-char, up to the next comma (rfc/5802:853). */
struct str scram_attr(struct cur *p, char name);
/* scram_extensions takes *("," attr-val), ignoring them; a mandatory one sets *r_mandatory. With before_proof it stops before ",p=". */
void scram_extensions(struct cur *p, bool before_proof, bool *r_mandatory);
bool scram_nonce_valid(struct str s);   /* printable ASCII without comma */
struct str scram_nonce(struct arena *a, struct str given);

struct str scram_escape(struct arena *a, struct str s);
/* scram_unescape: SCRAM_INVALID_USERNAME_ENCODING unless s is a saslname in UTF-8 and NFC. */
int scram_unescape(struct arena *a, struct str s, struct str *r_out) must_use_;

/* The auth message (rfc/5802:416). */
struct str scram_auth_message(struct arena *a, struct str first_bare, struct str server_first, struct str final_without_proof);

#endif
