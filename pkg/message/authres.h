/* SPDX-License-Identifier: MIT */
/*
 * message/authres.h - the Authentication-Results header field (RFC 8601): writing ours, reading those of others.
 */
#ifndef MESSAGE_AUTHRES_H
#define MESSAGE_AUTHRES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct message_authprop {
	struct str type;        /* smtp, header, policy, body, ... lower-case */
	struct str property;    /* mailfrom, from, d, ... lower-case */
	struct str value;       /* decoded */
	struct str comment;     /* without parentheses; writing only */
	bool is_addr;           /* the value may hold an unquoted '@' */
};
struct message_authmethod {
	struct str method;      /* lower-case */
	struct str version;     /* empty: none */
	struct str result;      /* lower-case */
	struct str comment;     /* writing only */
	struct str reason;
	struct message_authprop *props;
	uint32_t nprops;
};
struct message_authres {
	struct str hostname;    /* authserv-id */
	struct str version;     /* empty: none. Not written */
	struct str comment;     /* writing only */
	struct message_authmethod *methods;
	uint32_t nmethods;      /* 0: "none" */
};

/* message_authres_add writes the field, one method per line. A method comment is written if a reason or property follows. */
void message_authres_add(struct buf *b, const struct message_authres *r);
/* message_authres_parse reads a field body (folded). Lenient: trailing ';', '_' in results. ERR_INVALID with the reason in e. */
int message_authres_parse(struct arena *a, struct str body, struct message_authres *r_r, struct errmsg *e) must_use_;

#endif
