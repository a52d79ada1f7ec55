/* SPDX-License-Identifier: MIT */
/*
 * smtp - what SMTP server, SMTP client, queue and message have in common: addresses and paths, reply codes, parameters of
 * commands, and message data on the wire (dot-stuffing, line ends). Pure functions of bytes; no connection here.
 *
 * A localpart is kept decoded: without quotes and escapes, in Unicode NFC. An empty localpart is legal (""@example.org).
 * It is compared byte by byte; whether case matters is the business of the domain that owns it.
 *
 * RFC 5321, 6531 (SMTPUTF8), 3463 and 5248 (enhanced codes), 3461 (xtext), 6533 (addresses in DSNs).
 */
#ifndef SMTP_SMTP_H
#define SMTP_SMTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/str.h"
#include "idna/idna.h"

/* Errors of this package, beside ERR_INVALID (syntax) and ERR_LIMIT (too long). The two tell which part needs SMTPUTF8. */
enum smtp_err {
	SMTP_ERR_UTF8_LOCALPART = -100,
	SMTP_ERR_UTF8_DOMAIN = -101,
};

/* How strictly to read. Zero is what a command without SMTPUTF8 gets. */
enum {
	SMTP_UTF8 = 1,          /* non-ASCII localparts and domains are allowed */
	SMTP_PEDANTIC = 2,      /* exactly the RFC: localpart at most 64 octets, no space after "FROM:", ... */
	SMTP_EMPTY = 4,         /* paths: <> is allowed (reverse path) */
	SMTP_POSTMASTER = 8,    /* paths: <postmaster> without domain is allowed, any case (forward path) */
	SMTP_UNDERSCORE = 16,   /* domains: '_' is allowed */
};

/* A mailbox with a domain name: what accounts and headers have. */
struct smtp_address {
	struct str localpart;           /* decoded, NFC */
	struct idna_domain domain;
};

/* The name a peer gives in EHLO, or the right side of a path: a domain or an IP address, never both. */
struct smtp_ipdomain {
	struct idna_domain domain;
	struct ip ip;
};

/* A path of MAIL FROM or RCPT TO. Zeroed: the null reverse path <>. A localpart without domain and IP: <postmaster>. */
struct smtp_path {
	struct str localpart;
	struct smtp_ipdomain host;
};

/* Localparts */

/* smtp_parse_localpart reads dot-string or quoted-string (rfc/5321:2316). At most 128 octets, 64 if pedantic. */
int smtp_parse_localpart(struct arena *a, struct str s, unsigned flags, struct str *r_localpart, struct errmsg *e) must_use_;
/* smtp_localpart writes it with quoting where needed, the shortest form: x.y, "x y", "". */
void smtp_localpart_add(struct buf *b, struct str localpart);
struct str smtp_localpart(struct arena *a, struct str localpart);
/* smtp_localpart_dsn: 7-bit form for rfc822 addresses in a DSN, non-ASCII as \x{HEX}: rfc/6533:211. Quoted where needed. */
struct str smtp_localpart_dsn(struct arena *a, struct str localpart);
/* smtp_unescape_dsn decodes \x{HEX} (either case of x and digits); ERR_INVALID for unfinished or surrogate values. */
int smtp_unescape_dsn(struct arena *a, struct str s, struct str *r_out) must_use_;

/* Addresses */

/* smtp_parse_address reads localpart "@" domain, nothing around it. Pass SMTP_UTF8 for configuration and headers. */
int smtp_parse_address(struct arena *a, struct str s, unsigned flags, struct smtp_address *r_addr, struct errmsg *e) must_use_;
/* smtp_make_address makes an address of a localpart that is decoded already and a domain text, as header parsers give them. */
int smtp_make_address(struct arena *a, struct str localpart, struct str domain, struct smtp_address *r_addr, struct errmsg *e) must_use_;
struct str smtp_address(struct arena *a, const struct smtp_address *addr, bool utf8);    /* utf8: domain in U-labels */
/* smtp_address_log writes raw@unicode, and /"quoted"@ascii behind it where these differ. */
struct str smtp_address_log(struct arena *a, const struct smtp_address *addr);
bool smtp_address_equal(const struct smtp_address *x, const struct smtp_address *y);
bool smtp_address_is_zero(const struct smtp_address *addr);
struct smtp_address smtp_address_dup(struct arena *a, const struct smtp_address *addr);

/* Paths */

/*
 * smtp_path_text takes "<...>" from the cursor and returns it with its brackets, undecoded: whether SMTPUTF8 holds is known only
 * after the parameters. A '>' in a quoted localpart does not end it. At most LIMIT_PATH octets.
 */
struct str smtp_path_text(struct cur *c);
/*
 * smtp_parse_path reads "<" [source-route ":"] mailbox ">" or what SMTP_EMPTY and SMTP_POSTMASTER add (rfc/5321:2264). Source
 * routes are checked and dropped. The domain may be an address literal; its closing bracket may be missing unless pedantic.
 */
int smtp_parse_path(struct arena *a, struct str text, unsigned flags, struct smtp_path *r_path, struct errmsg *e) must_use_;
struct str smtp_path(struct arena *a, const struct smtp_path *p, bool utf8);             /* without brackets around; "" for <> */
struct str smtp_path_log(struct arena *a, const struct smtp_path *p);
/* smtp_path_equal: localparts exact, domains by ASCII form; if either has an IP, the IPs must be equal. */
bool smtp_path_equal(const struct smtp_path *x, const struct smtp_path *y);
bool smtp_path_is_null(const struct smtp_path *p);                                       /* <> */
bool smtp_path_needs_utf8(const struct smtp_path *p);                                    /* non-ASCII localpart: rfc/6531:217 */
struct smtp_path smtp_path_of(const struct smtp_address *addr);
struct smtp_path smtp_path_dup(struct arena *a, const struct smtp_path *p);
/* smtp_path_address gives the address of a path with a domain; false for others. */
bool smtp_path_address(const struct smtp_path *p, struct smtp_address *r_addr);

/* EHLO names and right sides: Domain / address-literal (rfc/5321:1829). General literals ("[tag:...]") are ERR_UNSUPPORTED. */
int smtp_parse_ipdomain(struct arena *a, struct str s, unsigned flags, struct smtp_ipdomain *r_host, struct errmsg *e) must_use_;
/* smtp_ipdomain writes the domain, or [1.2.3.4], or [IPv6:...]. */
struct str smtp_ipdomain(struct arena *a, const struct smtp_ipdomain *h, bool utf8);
struct str smtp_ipdomain_log(struct arena *a, const struct smtp_ipdomain *h);
bool smtp_ipdomain_is_zero(const struct smtp_ipdomain *h);

/* Parameters of MAIL and RCPT */

/*
 * smtp_param takes SP keyword ["=" value] (rfc/5321:2277): false at the end of input, or with the cursor failed for bad syntax. A value that
 * is absent has p == NULL. Values may hold UTF-8. In pedantic mode exactly one space stands before each.
 */
bool smtp_param(struct cur *c, unsigned flags, struct str *r_keyword, struct str *r_value);
/* xtext (rfc/3461:319): '+' and hex digits (upper-case; either case unless pedantic) for what is not 0x21..0x7e, '+' and '='. */
void smtp_xtext_add(struct buf *b, struct str s);
int smtp_unxtext(struct arena *a, struct str s, unsigned flags, struct str *r_out) must_use_;

/* Replies */

/* smtp_code_known tells whether RFC 5321 or an extension that we speak defines the reply code. */
bool smtp_code_known(int code);

/*
 * Enhanced codes are handled without their class digit ("7.1"), which is that of the reply code. The ones used in this program:
 */
#define SMTP_E_OTHER "0.0"
#define SMTP_E_ADDR_OTHER "1.0"
#define SMTP_E_ADDR_MAILBOX "1.1"               /* bad destination mailbox */
#define SMTP_E_ADDR_SYSTEM "1.2"                /* bad destination system */
#define SMTP_E_ADDR_SYNTAX "1.3"                /* bad destination mailbox syntax */
#define SMTP_E_ADDR_AMBIGUOUS "1.4"
#define SMTP_E_ADDR_DEST_OK "1.5"
#define SMTP_E_ADDR_SENDER_SYNTAX "1.7"
#define SMTP_E_ADDR_SENDER_SYSTEM "1.8"
#define SMTP_E_ADDR_NULL_MX "1.10"
#define SMTP_E_MAILBOX_OTHER "2.0"
#define SMTP_E_MAILBOX_DISABLED "2.1"
#define SMTP_E_MAILBOX_FULL "2.2"
#define SMTP_E_MAILBOX_SIZE "2.3"
#define SMTP_E_SYS_OTHER "3.0"
#define SMTP_E_SYS_FULL "3.1"
#define SMTP_E_SYS_NOT_ACCEPTING "3.2"
#define SMTP_E_SYS_UNSUPPORTED "3.3"
#define SMTP_E_SYS_SIZE "3.4"
#define SMTP_E_NET_OTHER "4.0"
#define SMTP_E_NET_NO_ANSWER "4.1"
#define SMTP_E_NET_BAD_CONNECTION "4.2"
#define SMTP_E_NET_DIRECTORY "4.3"
#define SMTP_E_NET_ROUTE "4.4"
#define SMTP_E_NET_CONGESTION "4.5"
#define SMTP_E_NET_LOOP "4.6"
#define SMTP_E_NET_EXPIRED "4.7"
#define SMTP_E_PROTO_OTHER "5.0"
#define SMTP_E_PROTO_COMMAND "5.1"              /* invalid command, or at this point */
#define SMTP_E_PROTO_SYNTAX "5.2"
#define SMTP_E_PROTO_RCPTS "5.3"                /* too many recipients */
#define SMTP_E_PROTO_ARGS "5.4"                 /* invalid arguments */
#define SMTP_E_PROTO_CERT "5.6"
#define SMTP_E_CONTENT_OTHER "6.0"
#define SMTP_E_CONTENT_UTF8_NEEDED "6.7"        /* non-ASCII address not permitted */
#define SMTP_E_CONTENT_UTF8_HEADER "6.9"
#define SMTP_E_POLICY_OTHER "7.0"
#define SMTP_E_POLICY_NOT_AUTHORIZED "7.1"
#define SMTP_E_POLICY_CRYPTO "7.5"
#define SMTP_E_POLICY_BAD_CREDS "7.8"
#define SMTP_E_POLICY_MECH_TOO_WEAK "7.9"
#define SMTP_E_POLICY_ENCRYPTION_NEEDED "7.10"
#define SMTP_E_POLICY_ACCOUNT_DISABLED "7.13"
#define SMTP_E_POLICY_DKIM "7.20"
#define SMTP_E_POLICY_SPF "7.23"
#define SMTP_E_POLICY_REVERSE_IP "7.25"
#define SMTP_E_POLICY_MULTIPLE_AUTH "7.26"
#define SMTP_E_POLICY_SENDER_NULL_MX "7.27"
#define SMTP_E_POLICY_REQUIRETLS "7.30"

/*
 * smtp_reply_add writes a whole reply. enhanced may be NULL. Each line of text (separated by LF) becomes a line; lines longer than
 * LIMIT_SMTP_REPLY_LINE are split, control characters replaced, so that no text can break the protocol.
 */
void smtp_reply_add(struct buf *b, int code, const char *enhanced, struct str text);

/* One line of a peer's reply, without CRLF. */
struct smtp_reply_line {
	int code;               /* 200..599 */
	bool more;              /* '-': further lines follow */
	struct str enhanced;    /* "2.1.0" as sent; empty if none or its class is not the code's */
	struct str text;        /* what follows */
};
int smtp_parse_reply_line(struct str line, struct smtp_reply_line *r_line) must_use_;

/*
 * Message data
 *
 * smtp_content normalises what is to be stored: a bare LF becomes CRLF; bare CRs stay. It notes what the store and the SMTP server must
 * know. Pieces may be cut anywhere. Used by DATA (through smtp_dot), APPEND, import, and submission from the web.
 */
struct smtp_content {
	bool has_8bit;          /* a byte above 0x7f was seen */
	bool has_body;          /* the empty line after a header was seen (also as the very first line) */
	bool bare_cr, bare_lf;  /* seen */
	int64_t size_in;        /* bytes taken */
	int64_t size_out;       /* bytes given */
	int64_t header_size;    /* of the output: up to and with the empty line; all of it without one */
	uint8_t last, last2;    /* the state; 0 at the start counts as "after CRLF" */
};
void smtp_content_add(struct smtp_content *w, struct str in, struct buf *out);

/*
 * smtp_dot reads DATA (rfc/5321:3423). Only CRLF.CRLF ends it. A CR without LF, and a lone dot on a line with a bare LF before or after
 * it, make the message bad: bytes are still consumed up to the true end, so that the dialogue stays in step and no smuggled command is
 * seen, but nothing more is given out. A dot that starts a line after CRLF is removed.
 */
enum smtp_dot_bad {
	SMTP_DOT_GOOD,
	SMTP_DOT_BARE_CR,
	SMTP_DOT_BARE_LF_DOT,
};
struct smtp_dot {
	struct smtp_content content;    /* of the un-stuffed data; size_in is what SIZE limits count */
	enum smtp_dot_bad bad;
	bool done;                      /* the end was consumed */
	uint8_t state;
};
/* smtp_dot_feed takes bytes, appends content to out, and returns how many were taken: fewer than given only once done is set. */
size_t smtp_dot_feed(struct smtp_dot *d, struct str in, struct buf *out);

/*
 * smtp_stuff writes DATA. Input must have only CRLF line ends, and be empty or end in one: else ERR_INVALID from add or end, and
 * the connection has to be dropped, because the peer would wait for, or see, another end. Pieces may be cut anywhere.
 */
struct smtp_stuff {
	bool in_line;           /* some byte of the current line was written */
	bool cr;                /* the last byte was CR */
};
int smtp_stuff_add(struct smtp_stuff *w, struct str in, struct buf *out) must_use_;
int smtp_stuff_end(struct smtp_stuff *w, struct buf *out) must_use_;     /* writes the final dot line */

#endif
