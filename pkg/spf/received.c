/* SPDX-License-Identifier: MIT */
/* received.c - the Received-SPF field, rfc/7208:2035 */
#include "base/cur.h"
#include "base/utf8.h"
#include "spf/spf_internal.h"

/* What may stand unquoted: atoms with dots between, and UTF-8 (RFC 6532). */
static bool
is_dot_atom(struct str s)
{
	bool dot = true;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '.') {
			if (dot)
				return false;
			dot = true;
			continue;
		}
		if (c < 0x80 && !cur_class_has(&cur_alnum, c) && !str_has(S("!#$%&'*+-/=?^_`{|}~"), (char)c))
			return false;
		dot = false;
	}
	return !dot;
}

static void
add_quoted(struct buf *b, struct str s)
{
	if (is_dot_atom(s)) {
		buf_add(b, s);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			continue;       /* nothing from outside may end the line */
		if (c == '"' || c == '\\')
			buf_addc(b, '\\');
		buf_addc(b, s.p[i]);
	}
	buf_addc(b, '"');
}

static void
add_comment(struct buf *b, struct str s)
{
	buf_addc(b, '(');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			continue;
		if (c == '(' || c == ')' || c == '\\')
			buf_addc(b, '\\');
		buf_addc(b, s.p[i]);
	}
	buf_addc(b, ')');
}

struct str
spf_received_header(struct arena *a, const struct spf_received *r)
{
	const struct { const char *key; struct str value; bool optional;
	} pairs[] = {
		{ "client-ip", r->client_ip, false },
		{ "envelope-from", r->envelope_from, false },
		{ "helo", r->helo, false },
		{ "problem", utf8_cut(r->problem, 67), true },
		{ "mechanism", r->mechanism, true },
		{ "receiver", r->receiver, false },
		{ "identity", r->identity, true },
	};
	struct buf b = BUF_ARENA(a, SPF_MAX_TEXT);

	buf_addf(&b, "Received-SPF: %s", spf_status_text(r->result));
	if (r->comment.n > 0) {
		buf_addc(&b, ' ');
		add_comment(&b, r->comment);
	}
	for (size_t i = 0, n = 0; i < ARRAY_LEN(pairs); i++) {
		if (pairs[i].optional && pairs[i].value.n == 0)
			continue;
		buf_addf(&b, "%s\r\n\t%s=", n++ > 0 ? ";" : "", pairs[i].key);
		add_quoted(&b, pairs[i].value);
	}
	buf_addz(&b, "\r\n");
	return buf_str(&b);
}

void
spf_received_of(struct arena *a, const struct spf_args *args, const struct spf_result *res, struct spf_received *r_received)
{
	struct spf_received r = {
		.result = res->status, .problem = res->problem, .mechanism = res->mechanism, .receiver = args->local_hostname
	};

	if (res->domain.n > 0) {
		r.comment = str_fmt(
		    a, "domain " STRF "%s", STRA(res->domain), res->helo_identity ? ", from ehlo because mailfrom is empty" : "");
		r.identity = res->helo_identity ? S("helo") : S("mailfrom");
	} else {
		r.comment = S("no domain to check");
	}
	r.client_ip = ip_str(a, &args->remote_ip);
	if (args->mailfrom_domain.n > 0)
		r.envelope_from = str_fmt(a, STRF "@" STRF, STRA(args->mailfrom_localpart), STRA(args->mailfrom_domain));
	r.helo = args->helo_domain.n > 0 ? args->helo_domain : ip_str(a, &args->helo_ip);
	*r_received = r;
}
