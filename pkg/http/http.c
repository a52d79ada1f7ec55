/* SPDX-License-Identifier: MIT */
/* http.c - framing, parsing and answering of small requests. */
#include "http/http.h"

#include "base/cur.h"
#include "base/limits.h"
#include "base/timeutil.h"
#include "metrics/metrics.h"

#define HTTP_IDLE_TIMEOUT (30 * TIME_SEC)
#define HTTP_BODY_MAX (16 * 1024 * 1024)

struct session {
	size_t scanned;         /* bytes in which no end of the head was found */
};

/* The end of a head is an empty line. rfc/9112:284 lets a recipient take a lone LF as line end; we do not: strictness costs no real client here. */
static int
frame(struct conn *c, struct str in, struct conn_unit *u, size_t *r_used)
{
	struct session *s = conn_data(c);
	size_t from = s->scanned > 3 ? s->scanned - 3 : 0;
	ssize_t at = str_search(str_from(in, from), S("\r\n\r\n"));

	if (at < 0) {
		s->scanned = in.n;
		return in.n >= LIMIT_HTTP_HEAD ? ERR_LIMIT : CONN_FRAME_MORE;
	}
	s->scanned = 0;
	*r_used = from + (size_t)at + 4;
	u->data = str_upto(in, *r_used);
	return CONN_FRAME_UNIT;
}

/* token = 1*tchar    rfc/9110:1735 */
static const struct cur_class *
tchar(void)
{
	/* Letters, digits and !#$%&'*+-.^_`|~ */
	static const struct cur_class k = { { 0x03ff6cfa00000000, 0x57ffffffc7fffffe, 0, 0 } };

	return &k;
}

/* One field line. Returns 0, or the status that refuses the request. */
static int
parse_field(struct str line, struct http_request *q, unsigned *hosts, bool *keep)
{
	struct cur c = cur_of(line);
	struct str name = cur_span1(&c, tchar(), "field name");
	struct str value;

	cur_char(&c, ':');      /* white space before the colon must be refused: rfc/9112:714 */
	if (!cur_ok(&c))
		return 400;
	value = str_trim(cur_rest(&c));
	if (str_has(value, '\r') || str_has(value, '\n') || str_has(value, '\0'))
		return 400;
	if (str_icase(name, S("Host"))) {
		q->host = value;
		++*hosts;
	} else if (str_icase(name, S("Content-Length"))) {
		if (!str_is(value, S("0")))
			return 413;
	} else if (str_icase(name, S("Transfer-Encoding"))) {
		return 501;
	} else if (str_icase(name, S("Connection"))) {
		if (str_icase(value, S("close")))
			*keep = false;
	}
	return 0;
}

int
http_parse_head(struct str head, struct http_request *r_q, bool *r_keep)
{
	struct http_request q = { .conn = r_q->conn, .arg = r_q->arg };
	struct str line, target, version;
	unsigned hosts = 0;
	bool keep;

	if (!str_ends(head, S("\r\n\r\n")))
		return 400;
	head.n -= 4;
	/* request-line = method SP request-target SP HTTP-version    rfc/9112:377 */
	line = str_split(&head, '\n');
	if (str_ends(line, S("\r")))
		line.n--;
	q.method = str_split(&line, ' ');
	target = str_split(&line, ' ');
	version = line;
	if (q.method.n == 0 || target.n == 0 || !str_starts(version, S("HTTP/")))
		return 400;
	if (!str_is(version, S("HTTP/1.1")) && !str_is(version, S("HTTP/1.0")))
		return 505;
	if (target.p[0] != '/')
		return 400;
	for (size_t i = 0; i < target.n; i++)
		if ((unsigned char)target.p[i] <= ' ' || target.p[i] == 0x7f)
			return 400;
	keep = str_is(version, S("HTTP/1.1"));
	while (head.n > 0) {
		int status;

		line = str_split(&head, '\n');
		if (head.n > 0 && !str_ends(line, S("\r")))
			return 400;
		if (str_ends(line, S("\r")))
			line.n--;
		status = parse_field(line, &q, &hosts, &keep);
		if (status != 0)
			return status;
	}
	/* A server MUST answer 400 to an HTTP/1.1 request without Host or with several: rfc/9112:445 */
	if (hosts > 1 || (hosts == 0 && str_is(version, S("HTTP/1.1"))))
		return 400;
	if (!str_is(q.method, S("GET")) && !str_is(q.method, S("HEAD")))
		return 405;
	q.path = str_split(&target, '?');
	q.query = target;
	*r_q = q;
	*r_keep = keep;
	return 0;
}

static const char *
reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 413: return "Content Too Large";
	case 431: return "Request Header Fields Too Large";
	case 501: return "Unsupported";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: return "Error";
	}
}

static void
respond(struct conn *c, const struct http_response *r, bool with_body, bool keep)
{
	conn_writef(c,
	    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
	    "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n%s%s\r\n",
	    r->status, reason(r->status), r->content_type, r->body.n, r->status == 405 ? "Allow: GET, HEAD\r\n" : "",
	    keep ? "" : "Connection: close\r\n");
	if (with_body)
		conn_write(c, buf_str(&r->body));
}

static enum conn_next
refuse(struct conn *c, int status)
{
	struct http_response r = {
		.status = status, .content_type = "text/plain; charset=utf-8", .body = BUF_ARENA(conn_arena(c), 1024)
	};

	buf_addf(&r.body, "%d %s\n", status, reason(status));
	respond(c, &r, true, false);
	return CONN_NEXT_CLOSE;
}

static enum conn_next
serve(struct conn *c, struct str head)
{
	const struct http_server *s = conn_listener_arg(c);
	struct http_request q = { .conn = c, .arg = s->arg };
	struct http_response r = {
		.status = 200, .content_type = "text/plain; charset=utf-8", .body = BUF_ARENA(conn_arena(c), HTTP_BODY_MAX)
	};
	const struct http_route *route = s->routes;
	bool keep = false;
	int status = http_parse_head(head, &q, &keep);

	if (status != 0)
		return refuse(c, status);
	while (route->path && !str_is(q.path, str_of(route->path)))
		route++;
	if (route->path) {
		route->handle(&q, &r);
	} else {
		r.status = 404;
		buf_addz(&r.body, "404 Not Found\n");
	}
	respond(c, &r, str_is(q.method, S("GET")), keep);
	return keep ? CONN_NEXT_PARK : CONN_NEXT_CLOSE;
}

static enum conn_next
unit(struct conn *c, const struct conn_unit *u)
{
	switch (u->kind) {
	case CONN_START:
		conn_set_read_timeout(c, HTTP_IDLE_TIMEOUT);
		conn_set_input_limit(c, LIMIT_HTTP_HEAD);
		return CONN_NEXT_PARK;
	case CONN_INPUT:
		return serve(c, u->data);
	case CONN_BAD_INPUT:
		return refuse(c, 431);
	case CONN_TIMEOUT:
		return conn_has_input(c) ? refuse(c, 408) : CONN_NEXT_CLOSE;
	default:
		return CONN_NEXT_CLOSE;
	}
}

const struct conn_proto http_proto = {
	.name = "http",
	.data_size = sizeof(struct session),
	.frame = frame,
	.unit = unit,
	.overload_reply = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	.refused_reply = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
};

void
http_metrics(const struct http_request *q unused_, struct http_response *r)
{
	r->content_type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_expose(&r->body);
}
