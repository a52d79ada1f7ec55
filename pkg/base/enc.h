/* SPDX-License-Identifier: MIT */
/*
 * enc.h - base64 (RFC 4648), hexadecimal, quoted-printable (RFC 2045 6.7), percent-encoding.
 *
 * Written by hand because OpenSSL's base64 accepts and hides damage, and mail needs streaming, tolerant decoders with counts.
 */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum enc_base64 {
	ENC_STD,                /* + and /, padded */
	ENC_URL,                /* - and _, not padded */
};

struct str enc_base64(struct arena *a, struct str s, enum enc_base64 kind);
void enc_base64_add(struct buf *b, struct str s, enum enc_base64 kind);
/* Strict: no white space, correct padding (STD) or none (URL), unused bits zero; else ERR_INVALID. */
int enc_unbase64(struct arena *a, struct str s, enum enc_base64 kind, struct str *r_out) must_use_;

struct str enc_hex(struct arena *a, struct str s);        /* lower case */
int enc_unhex(struct arena *a, struct str s, struct str *r_out) must_use_;   /* either case */
int enc_hexval(char c);                                   /* 0..15 or -1 */

/*
 * Streaming decoders for message bodies. They take everything: white space and foreign bytes are skipped (base64), malformed
 * escapes pass through as they stand (quoted-printable); `bad` counts what was not according to the RFC. Feed pieces of any size; output is
 * appended to out (whose max bounds it). Finish with _end.
 */
struct enc_b64dec {
	uint32_t acc;
	unsigned bits;
	bool padded;            /* '=' seen: more of them are ignored until data characters follow */
	unsigned char pads_due; /* how many '=' must still come */
	size_t bad;
};
void enc_b64dec_add(struct enc_b64dec *d, struct str in, struct buf *out);
void enc_b64dec_end(struct enc_b64dec *d, struct buf *out);

struct enc_qpdec {
	char held[80];          /* white space or an escape that may continue in the next piece */
	unsigned nheld;
	size_t bad;
};
void enc_qpdec_add(struct enc_qpdec *d, struct str in, struct buf *out);
void enc_qpdec_end(struct enc_qpdec *d, struct buf *out);

/* enc_base64_lines writes s in lines of 76 characters ended by CRLF, as for a MIME body. */
void enc_base64_lines(struct buf *b, struct str s);
/* enc_qp writes s (line ends CRLF or LF) as quoted-printable with CRLF and lines of at most 76 characters. */
void enc_qp(struct buf *b, struct str s);

/* Percent-encoding for URLs (RFC 3986 unreserved characters stay). */
void enc_percent(struct buf *b, struct str s);
int enc_unpercent(struct arena *a, struct str s, struct str *r_out) must_use_;

#endif
