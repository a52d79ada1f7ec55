/* SPDX-License-Identifier: MIT */
/*
 * dsn - delivery status notifications: telling a sender in a form that machines read what became of a message, and reading what other
 * servers tell us.
 *
 * A DSN is a multipart/report of two or three parts: text for people, the status fields, and the original message or its header. This
 * package composes it, in the 7-bit form and in the internationalised one for receivers with SMTPUTF8, and parses it. Sending and
 * queueing are the business of pkg/queue. Message disposition notifications (RFC 8098) are not handled.
 *
 * RFC 3464, 6522, 6533 (internationalised), 3461 (use of its fields), 5321 4.4 and 6.1, 4865 7 (future release).
 */
#ifndef DSN_DSN_H
#define DSN_DSN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/str.h"
#include "message/message.h"
#include "smtp/smtp.h"

enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED,
	DSN_EXPANDED,
};
/* dsn_action_name gives the word of the Action field. */
struct str dsn_action_name(enum dsn_action action);

/* An MTA: name, and its address if known. Zeroed: none. */
struct dsn_mta {
	struct smtp_ipdomain name;
	struct ip ip;
};

struct dsn_recipient {
	struct smtp_path final_recipient;       /* required for composing. Parsed: zeroed if the address is of a type we cannot use */
	struct str final_text;                  /* parsed only: the field as it stands, with its type */
	enum dsn_action action;
	struct str status;                      /* "5.1.1"; composing: empty for the default of the action */
	struct str status_comment;
	struct smtp_path original_recipient;    /* zeroed: none */
	struct dsn_mta remote_mta;              /* composing */
	struct str remote_text;                 /* parsed only: the field as it stands */
	struct str diagnostic;                  /* Diagnostic-Code without "smtp; "; parsed: also of other types */
	int64_t last_attempt_us;                /* 0: none */
	struct str final_log_id;
	int64_t will_retry_until_us;            /* 0: none */
	struct str header;                      /* parsed only: all fields of the recipient */
};

struct dsn_message {
	bool smtputf8;                          /* the original message used SMTPUTF8; parsed: the DSN is of the global form */
	struct smtp_path from, to;              /* parsed: zeroed unless there is exactly one */
	struct str subject;
	struct str message_id;                  /* of the DSN, without <>; required for composing */
	struct str references;                  /* Message-ID of the original with <>, or empty */
	struct str text;                        /* for people, LF line ends */

	struct str original_envelope_id;
	struct str reporting_mta;               /* host name; required */
	struct str gateway;
	struct dsn_mta received_from;
	int64_t arrival_us;                     /* 0: none; required for composing */
	struct str future_release;              /* "for;n" or "until;..." */
	struct str header;                      /* parsed only: all per-message fields */

	struct dsn_recipient *recipients;
	uint32_t nrecipients;                   /* at least 1 */

	/* Composing: the original message or its header, of which only the header is included unless full; empty: none. Parsed: the header if there is one. */
	struct str original;
	/*
	 * Composing: include the whole original: RET=FULL, for notifications of failure (rfc/3461:1108). The caller sees to it that it is not large, and that no message with
	 * REQUIRETLS goes back whole (rfc/8689:379).
	 */
	bool full;
};

/*
 * dsn_compose writes the message. utf8: the peer that will get it supports SMTPUTF8; honoured only if the original message used it. ERR_INVALID if
 * a required field is missing. *r_has_8bit: 8BITMIME is needed. now_us is the date of the message, in the server's zone.
 */
int dsn_compose(struct buf *b, const struct dsn_message *d, bool utf8, int64_t now_us, bool *r_has_8bit, struct errmsg *e) must_use_;

enum {
	DSN_STRICT = 1,         /* exactly the RFC, as for checking our own: else foreign types, missing and doubled fields are tolerated */
};
/*
 * dsn_parse reads a DSN from a parsed message. ERR_INVALID with the reason in e if it is none, or has no usable recipient; errors of the source.
 * Strings are in the arena.
 */
int dsn_parse(struct arena *a, const struct message *m, const struct message_source *src, unsigned flags, struct dsn_message *r_d,
	struct errmsg *e) must_use_;

#endif
