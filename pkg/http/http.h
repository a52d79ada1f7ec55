/* SPDX-License-Identifier: MIT */
/*
 * http - HTTP/1.1 (RFC 9112) for small read-only pages: status, metrics, health.
 *
 * It takes GET and HEAD requests without content, keeps connections alive, and answers from a table of paths. Requests
 * are bounded by LIMIT_HTTP_HEAD; what is not understood gets a 4xx and the connection is closed, so nothing can be
 * smuggled behind it.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/buf.h"
#include "base/str.h"
#include "conn/conn.h"

struct http_request {
	struct str method;              /* "GET" or "HEAD" */
	struct str path;                /* before the query, as sent; starts with '/' */
	struct str query;               /* behind '?', may be empty */
	struct str host;                /* Host field, may be empty for HTTP/1.0 */
	struct conn *conn;
	void *arg;                      /* http_server.arg */
};

struct http_response {
	int status;                     /* 200 at the start */
	const char *content_type;       /* "text/plain; charset=utf-8" at the start */
	struct buf body;                /* in the request's arena */
};

struct http_route {
	const char *path;               /* exact; NULL ends the table */
	void (*handle)(const struct http_request *q, struct http_response *r);
};

/* Listener argument of http_proto; must outlive the conn_server. */
struct http_server {
	const struct http_route *routes;
	void *arg;
};

extern const struct conn_proto http_proto;

/* http_metrics answers with all metrics in the Prometheus text format. */
void http_metrics(const struct http_request *q, struct http_response *r);

/*
 * http_parse_head parses the head of a request: everything up to and with the empty line. Returns 0 or the status to
 * refuse it with (400, 405, 413, 501, 505). *r_keep tells whether the connection may serve another request. RFC 9112
 * sections 2.2, 3, 9.3; exported for its fuzzer.
 */
int http_parse_head(struct str head, struct http_request *r_q, bool *r_keep) must_use_;

#endif
