/* SPDX-License-Identifier: MIT */
/*
 * ctl - the control socket by which the command line talks to the running server.
 *
 * A unix stream socket, DataDir/ctl; the permissions of the file are the authentication. The server greets with the line
 * "ctlv0". A request is a line with the command's name and one line for each parameter; the reply's first line is "ok"
 * or an error text, after which the server closes. Many requests may follow each other. Lines end in LF. A stream is a
 * sequence of "<count>LF" and count bytes, each answered by "okLF" from the receiver; count 0 ends it.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "conn/conn.h"

/* --- server --- */

/* One request at hand. Replies are written by the functions below; nothing else may write to the connection. */
struct ctl_request {
	struct conn *conn;
	struct arena *arena;            /* of the request */
	const struct str *params;       /* as many as the command declares */
	void *arg;                      /* ctl_server.arg */
	bool failed;                    /* ctl_error was called */
	bool hold;                      /* ctl_hold was called */
};

struct ctl_command {
	const char *name;
	unsigned nparams;
	void (*run)(struct ctl_request *r);
};

/* Listener argument of ctl_proto; must outlive the conn_server. */
struct ctl_server {
	const struct ctl_command *commands;     /* ends with a NULL name */
	void *arg;
};

extern const struct conn_proto ctl_proto;

void ctl_ok(struct ctl_request *r);
/* ctl_error sends an error line (line ends in the text become spaces) in place of "ok"; the connection closes. */
void ctl_error(struct ctl_request *r, const char *fmt, ...) printf_(2, 3);
void ctl_line(struct ctl_request *r, struct str line);
void ctl_stream(struct ctl_request *r, struct str content);      /* the whole stream, with its end */
/* ctl_hold leaves the connection open without a further reply until the server ends ("stop"). */
void ctl_hold(struct ctl_request *r);

/* ctl_listen makes the listening socket at path, mode 0660. A stale one is replaced: call it only once this process is known to be the server. */
int ctl_listen(const char *path, int *r_fd, struct errmsg *e) must_use_;

/* --- client: blocking --- */

struct ctl_client {
	int fd;
	struct buf in;
};
/* ctl_dial connects and checks the greeting. */
int ctl_dial(const char *path, struct ctl_client *r_c, struct errmsg *e) must_use_;
void ctl_close(struct ctl_client *c);           /* fits cleanup_() */
/* ctl_request sends a command with parameters (none may hold LF) and reads the first reply line: 0 for "ok", else ERR_DENIED with its text. */
int ctl_request(struct ctl_client *c, struct errmsg *e, const char *name, const struct str *params, size_t nparams) must_use_;
int ctl_read_line(struct ctl_client *c, struct arena *a, struct str *r_line, struct errmsg *e) must_use_;      /* ERR_CLOSED at the end */
int ctl_read_stream(struct ctl_client *c, struct buf *out, struct errmsg *e) must_use_;

#endif
