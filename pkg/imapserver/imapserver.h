/* SPDX-License-Identifier: MIT */
/*
 * imapserver - IMAP4rev2 (RFC 9051) and IMAP4rev1 (RFC 3501) over the store.
 *
 * A connection is served by imapserver_proto: package conn frames its input, and calls it on a worker for each
 * command. A session in the selected state keeps a view of its mailbox: which UIDs it was told about, so which
 * sequence numbers they have. Changes by others are queued by the store and told to the client where the protocol
 * allows it.
 *
 * Where things are:
 *   server.c        the connection: greeting, units of input, timeouts, end
 *   commands.c      the table of commands, with flags that carry their semantics, and the dispatcher that enforces them
 *   cmd_*.c         one file per command of RFC 9051 section 6 (and of the extensions); UID forms stand with the command
 *   reply.c         results and untagged data
 *   view.c          sequence numbers and UIDs of the selected mailbox
 *   changes.c       changes by others, as untagged responses
 *   fetch_*.c       data items of FETCH; search_*.c evaluation of search keys; thread.c the algorithms of THREAD
 *   upload.c        messages that come with APPEND and REPLACE
 *
 * Extensions: those of the capability list in cmd_capability.c, which names the RFCs.
 */
#ifndef IMAPSERVER_IMAPSERVER_H
#define IMAPSERVER_IMAPSERVER_H

#include <stdbool.h>

#include "auth/auth.h"
#include "config/config.h"
#include "conn/conn.h"
#include "store/store.h"

struct imapserver;                      /* shared by all listeners; immutable after imapserver_new */

struct imapserver_opts {
	struct store *store;
	struct auth *auth;
	/* config returns the current snapshot, referenced (config_current). NULL: no account has options. */
	struct config *(*config)(void *arg);
	void *config_arg;
	struct conn_server *conns;      /* where sessions that idle are woken; NULL for inline connections */
	struct str product;             /* in the greeting and ID: "mox" */
	struct str version;             /* in ID after login */
	struct str hostname;            /* in CRAM-MD5 challenges */
	bool pedantic;                  /* refuse what is tolerated for the sake of some clients */
	int64_t progress_period_us;     /* between reports of long searches; 0: 10 s (tests: shorter) */
	bool no_delays;                 /* no delay after failed logins, no slow mode: tests */
};

/* Strings are copied. auth, store and conns must outlive the server, and the server all its connections. */
struct imapserver *imapserver_new(const struct imapserver_opts *o);
void imapserver_free(struct imapserver **s);

/* The arg of a conn listener that speaks IMAP. Must outlive the connections. */
struct imapserver_listener {
	struct imapserver *server;
	bool no_require_starttls;       /* NoRequireSTARTTLS: passwords may be sent without TLS */
	bool client_auth_disabled;      /* ClientAuthDisabled: certificates of clients are not looked at */
};

/*
 * For conn listeners. For the failed-authentication limiter set conn_listener_opts.refuse to imapserver_refuse: it
 * takes the listener arg.
 */
extern const struct conn_proto imapserver_proto;
bool imapserver_refuse(void *listener_arg, const struct ip *remote);

#endif
