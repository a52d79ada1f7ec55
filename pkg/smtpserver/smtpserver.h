/* SPDX-License-Identifier: MIT */
/*
 * smtpserver - SMTP: mail that comes in from other servers (port 25), and mail that our users submit (587, 465). RFC 5321, 6409.
 *
 * A connection is served by smtpserver_proto: package conn frames its input and calls it on a worker for each command. DATA is read by a sink that
 * undoes dot-stuffing, counts, and writes the message's blob in one pass; when its end is there, the message is delivered to the accounts of all recipients
 * before the reply is given: 250 means that it is on disk for each of them.
 *
 * Where things are:
 *   server.c        the server, its listeners, metrics
 *   session.c       the connection: framing, greeting, the table of commands with flags that carry their semantics, the dispatcher
 *   reply.c         the error of a command, and replies
 *   cmd_*.c         one file per command
 *   data.c          from DATA to the end of the message; checks of what was received
 *   submit.c        what is checked and added when a user submits
 *   enqueue.c       what users send to other hosts: DKIM, queue
 *   deliver.c       recipients to accounts, delivery, partial failures
 *   analyze.c       is a message wanted: the decision, with its reason; ruleset.c and reputation.c are parts of it. Delivery does not ask it yet
 *   lookup.c        whose address is it
 *   received.c      header fields put in front
 *   localserve.c    addresses that provoke errors, for testing clients
 *   cid.c           connection ids as peers see them
 *
 * Extensions: PIPELINING (RFC 2920), SIZE (1870), STARTTLS (3207), AUTH (4954), REQUIRETLS (8689), ENHANCEDSTATUSCODES (2034, 3463), 8BITMIME (6152),
 * LIMITS (9422), SMTPUTF8 (6531); for users FUTURERELEASE (4865) and DSN (3461).
 */
#ifndef SMTPSERVER_SMTPSERVER_H
#define SMTPSERVER_SMTPSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/auth.h"
#include "config/config.h"
#include "conn/conn.h"
#include "store/store.h"

struct smtpserver;                      /* shared by all listeners; immutable after smtpserver_new but for its memory of partial deliveries */

struct queue;                           /* package queue */

struct smtpserver_opts {
	struct store *store;
	struct auth *auth;
	/* For mail that users submit to addresses at other hosts. NULL: such addresses are refused. Must outlive the server. */
	struct queue *queue;
	/* config returns the current snapshot, referenced (config_current). */
	struct config *(*config)(void *arg);
	void *config_arg;
	struct str software;            /* in the greeting behind ESMTP: "mox" */
	uint8_t cid_key[16];            /* per-install key and secret that hide connection ids: the first 16 and the last 8 bytes of receivedid.key */
	uint8_t cid_secret[8];
	/*
	 * Local test mode (../spec/smtpserver.md 7): recipients that are not configured go to this account; localparts like "x-temperror" provoke errors;
	 * only messages that parse completely are taken. Empty: off.
	 */
	struct str localserve_account;
	bool no_delays;                 /* no push-back: no delay after failed logins, no slow mode. For tests */
	const struct clock *clock;      /* NULL: the system's */
};

/* Strings are copied. store and auth must outlive the server, and the server all its connections. */
struct smtpserver *smtpserver_new(const struct smtpserver_opts *o);
void smtpserver_free(struct smtpserver **s);

/* The arg of a conn listener that speaks SMTP. Must outlive the connections. Zero is the default of everything but server and hostname. */
struct smtpserver_listener {
	struct smtpserver *server;
	struct idna_domain hostname;    /* of the listener */
	bool submission;                /* for our users: AUTH; else for other servers */
	bool https;                     /* submission on the HTTPS port (ALPN "smtp"): no login by client key */
	int64_t max_message_size;       /* 0: LIMIT_MESSAGE_SIZE */
	bool no_starttls;               /* NoSTARTTLS. Without a TLS context it is not offered anyway */
	bool require_starttls;          /* port 25, RequireSTARTTLS: recipients only over TLS */
	bool no_require_starttls;       /* submission, NoRequireSTARTTLS: passwords and mail also without TLS */
	bool no_require_tls;            /* port 25 and https, NoRequireTLS: REQUIRETLS is not offered */
	bool client_auth_disabled;      /* ClientAuthDisabled */
};

/*
 * For conn listeners; see also conn_listener_opts.limits. Submission listeners set conn_listener_opts.refuse to smtpserver_refuse, which takes the
 * listener arg: addresses with too many failed logins.
 */
extern const struct conn_proto smtpserver_proto;
bool smtpserver_refuse(void *listener_arg, const struct ip *remote);

/* smtpserver_cid_decode gives the connection id of text that smtpserver wrote into replies and Received, for the command `mox cid`. */
struct str smtpserver_cid_encode(struct arena *a, const uint8_t key[16], const uint8_t secret[8], uint64_t cid);
int smtpserver_cid_decode(const uint8_t key[16], const uint8_t secret[8], struct str text, uint64_t *r_cid) must_use_;

#endif
