/* SPDX-License-Identifier: MIT */
/*
 * server.h - a running server: configuration, store, credentials, protocols, listeners, control socket, signals. Shared
 * by the commands that serve.
 */
#ifndef MOX_SERVER_H
#define MOX_SERVER_H

#include "auth/auth.h"
#include "cmd.h"
#include "config/config.h"
#include "conn/conn.h"
#include "ctl/ctl.h"
#include "http/http.h"
#include "imapserver/imapserver.h"
#include "queue/queue.h"
#include "smtpserver/smtpserver.h"
#include "store/store.h"

struct server;
struct server_opts {
	const char *config_path;        /* mox.conf */
	struct str localserve_account;  /* local test mode: recipients that are not configured go to it; empty = off */
	bool exempt_loopback;           /* no connection limits for loopback addresses, unless the listener's RateLimits say so */
	const struct http_route *pages; /* what the ports of the account pages serve; their arg is the struct server */
	/* started is called once everything listens, before signals are waited for. */
	void (*started)(struct server *s);
};

/* Contexts for TLS of the listeners; kept until the connections are gone. */
struct tls_set;

struct server {
	const struct server_opts *opts;
	struct log log;
	struct arena arena;             /* for the life of the server */
	struct config_live *live;
	struct store *store;
	struct auth *auth;
	struct dns_resolver *resolver;
	struct smtpclient_tls *client_tls;      /* of outgoing connections */
	struct log queue_log;
	struct queue *queue;
	struct smtpserver *smtp;
	struct imapserver *imap;
	struct conn_server *conns;
	struct conn_server *ctl_conns;  /* apart: the control connection that asked to stop ends last */
	struct ctl_server ctl;
	const char *ctl_path;
	struct http_server pages, metrics;
	struct tls_set *tls;
	int stop_fd;                    /* eventfd: readable once the server was told to stop */
};

/* server_open opens the data of a configuration without serving it; server_run serves too. */
int server_open(struct server *s, const struct cmd_run *c, const struct server_opts *o, struct errmsg *e) must_use_;
/* server_close ends what server_open and server_run began; a zeroed server is fine. */
void server_close(struct server *s);
/* server_run listens, calls opts->started, and serves until a signal or "mox stop". Returns the signal's number, 0 for stop, negative on failure. */
int server_run(struct server *s, struct errmsg *e) must_use_;

/* server_listen binds the services of all listeners in the configuration (server_listen.c). */
int server_listen(struct server *s, struct errmsg *e) must_use_;
void server_tls_free(struct server *s);
extern const struct ctl_command server_ctl_commands[];          /* server_ctl.c; arg is the struct server */

#endif
