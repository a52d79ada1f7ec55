/* SPDX-License-Identifier: MIT */
/*
 * server_internal.h - listeners and the server, shared between the files of conn.
 */
#ifndef CONN_SERVER_INTERNAL_H
#define CONN_SERVER_INTERNAL_H

#include "base/lock.h"
#include "conn/conn_internal.h"

/* A listener. Connections hold references, so it outlives its socket. */
struct conn_listener {
	atomic_uint refs;
	struct conn_listener_opts o;    /* name is ours; tls moves to the field below */
	char *name;
	struct tls_ctx *tls;
};
struct conn_listener *conn_listener_new(const struct conn_listener_opts *o);
struct conn_listener *conn_listener_ref(struct conn_listener *l);
void conn_listener_unref(struct conn_listener **l);
struct tls_ctx *conn_listener_tls(struct conn_listener *l);     /* a reference, or NULL */

struct conn_server {
	const struct log *log;
	atomic_bool draining;           /* no new work; connections say goodbye */
};

#endif
