/* SPDX-License-Identifier: MIT */
/*
 * Authentication-Results (RFC 8601).
 */
#include "message/authres.h"

#include "base/cur.h"
#include "base/limits.h"
#include "message/compose.h"
#include "message/message_internal.h"

/* Writing */

/* needs_quotes: what is no value as it stands. '@' may stand only in values that are addresses. */
static bool
needs_quotes(struct str s, bool is_addr)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= ' ' || c == 0x7f || memchr("()<>,;:\\\"/[]?=", c, 14) || (c == '@' && !is_addr))
			return true;
	}
	return s.n == 0;
}

static struct str
value(struct arena *a, struct str s, bool is_addr)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);

	if (!needs_quotes(s, is_addr))
		return s;
	buf_addc(&b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(&b, '\\');
		buf_addc(&b, s.p[i]);
	}
	buf_addc(&b, '"');
	return buf_str(&b);
}

/* comment writes text between parentheses, those within it escaped. */
static struct str
comment(struct arena *a, struct str s)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);

	buf_addc(&b, '(');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '(' || s.p[i] == ')' || s.p[i] == '\\')
			buf_addc(&b, '\\');
		buf_addc(&b, s.p[i]);
	}
	buf_addc(&b, ')');
	return buf_str(&b);
}

void
message_authres_add(struct buf *b, const struct message_authres *r)
{
	cleanup_(arena_done) struct arena a = { 0 };
	struct message_folder f;
	const struct str sp = S(" ");

	message_folder_begin(&f, b, "Authentication-Results");
	if (r->comment.n > 0)
		message_folder_add(&f, sp, comment(&a, r->comment));
	message_folder_add(&f, sp, str_cat(&a, value(&a, r->hostname, false), S(";")));
	for (uint32_t i = 0; i < r->nmethods; i++) {
		const struct message_authmethod *m = &r->methods[i];
		message_folder_newline(&f);
		message_folder_add(&f, sp, str_fmt(&a, STRF "=" STRF, STRA(m->method), STRA(m->result)));
		if (m->comment.n > 0 && (m->reason.n > 0 || m->nprops > 0))
			message_folder_add(&f, sp, comment(&a, m->comment));
		if (m->reason.n > 0)
			message_folder_add(&f, sp, str_cat(&a, S("reason="), value(&a, m->reason, false)));
		for (uint32_t k = 0; k < m->nprops; k++) {
			const struct message_authprop *p = &m->props[k];
			message_folder_add(&f, sp, str_fmt(&a, STRF "." STRF "=" STRF, STRA(p->type), STRA(p->property),
				STRA(value(&a, p->value, p->is_addr))));
			if (p->comment.n > 0)
				message_folder_add(&f, sp, comment(&a, p->comment));
		}
		if (i + 1 < r->nmethods)
			message_folder_add(&f, S(""), S(";"));
	}
	message_folder_end(&f);
}

/* Parsing */

static bool
is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
cfws(struct cur *c)
{
	unsigned depth = 0;

	for (int ch; (ch = cur_peek(c)) >= 0;) {
		if (ch == '(' && ++depth > LIMIT_COMMENT_DEPTH)
			cur_fail(c, "comments nested less deeply");
		else if (depth == 0 && !is_space(ch) && ch != '(')
			return;
		cur_any(c, "comment");
		if (ch == ')' && depth > 0)
			depth--;
		else if (ch == '\\' && depth > 0)
			cur_any(c, "character after backslash");
	}
	if (depth > 0)
		cur_fail(c, ")");
}

/* Keyword = Ldh-str; '_' is what Yahoo writes in results: rfc/8601:679 */
static struct str
keyword(struct cur *c)
{
	const char *start = c->p;

	for (int ch; (ch = cur_peek(c)) >= 0; cur_any(c, "keyword")) {
		bool alnum = (ch >= '0' && ch <= '9') || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z');
		if (!alnum && ch != '-' && ch != '_')
			break;
	}
	if (c->p == start)
		cur_fail(c, "keyword");
	return cur_ok(c) ? str_lower(c->a, str_n(start, (size_t)(c->p - start))) : (struct str){ 0 };
}

static struct str
quoted(struct cur *c)
{
	struct buf b = BUF_ARENA(c->a, SIZE_MAX / 2);

	cur_char(c, '"');
	for (int ch; (ch = cur_peek(c)) >= 0 && ch != '"';) {
		if (ch == '\\')
			cur_char(c, '\\');
		char x = (char)cur_any(c, "quoted string");
		if (x != '\r' && x != '\n')
			buf_addc(&b, x);
	}
	cur_char(c, '"');
	return b.n > 0 ? buf_str(&b) : S("");
}

/* value = token / quoted-string; pvalue may also be [ [local-part] "@" ] domain-name   rfc/8601:658 */
static struct str
any_value(struct cur *c, bool *r_addr)
{
	const char *start = c->p;

	if (cur_is(c, '"')) {
		struct str s = quoted(c);
		if (r_addr && cur_is(c, '@')) {
			*r_addr = true;
			start = c->p;
			while (!is_space(cur_peek(c)) && cur_peek(c) >= 0 && cur_peek(c) != ';' && cur_peek(c) != '(')
				cur_any(c, "domain");
			return str_fmt(c->a, STRF STRF, STRA(value(c->a, s, false)), STRA(str_n(start, (size_t)(c->p - start))));
		}
		return s;
	}
	for (int ch; (ch = cur_peek(c)) > ' ' && ch != ';' && ch != '(' && ch != ')' && ch != '"' && ch != 0x7f; cur_any(c, "value")) {
		if (r_addr && ch == '@')
			*r_addr = true;
	}
	if (c->p == start)
		cur_fail(c, "value");
	return str_n(start, (size_t)(c->p - start));
}

static struct str
digits(struct cur *c)
{
	return cur_span1(c, &cur_digit, "version");
}

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue        rfc/8601:606 */
static void
propspec(struct cur *c, struct message_authprop *p)
{
	p->type = keyword(c);
	cfws(c);
	cur_char(c, '.');
	cfws(c);
	p->property = keyword(c);
	cfws(c);
	cur_char(c, '=');
	cfws(c);
	p->value = any_value(c, &p->is_addr);
	cfws(c);
}

/* resinfo = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]      rfc/8601:595 */
static void
resinfo(struct cur *c, struct message_authmethod *m)
{
	uint32_t cap = 0;

	m->method = keyword(c);
	cfws(c);
	if (cur_try(c, '/')) {
		cfws(c);
		m->version = digits(c);
		cfws(c);
	}
	cur_char(c, '=');
	cfws(c);
	m->result = keyword(c);
	cfws(c);
	while (cur_ok(c) && !cur_end(c) && !cur_is(c, ';')) {
		struct cur save = *c;
		struct str word = keyword(c);
		cfws(c);
		if (cur_ok(c) && str_is(word, S("reason")) && cur_try(c, '=')) {
			cfws(c);
			m->reason = any_value(c, NULL);
			cfws(c);
			continue;
		}
		*c = save;
		if (m->nprops == LIMIT_HEADER_PARAMS)
			cur_fail(c, "fewer properties");
		MESSAGE_GROW(c->a, m->props, m->nprops, cap);
		m->props[m->nprops] = (struct message_authprop){ 0 };
		propspec(c, &m->props[m->nprops]);
		if (cur_ok(c))
			m->nprops++;
	}
}

int
message_authres_parse(struct arena *a, struct str body, struct message_authres *r_r, struct errmsg *e)
{
	struct cur c = cur_in(a, body);
	struct message_authres r = { 0 };
	uint32_t cap = 0;
	bool none = false;

	cfws(&c);
	r.hostname = any_value(&c, NULL);
	cfws(&c);
	if (cur_ok(&c) && !cur_end(&c) && !cur_is(&c, ';')) {
		r.version = digits(&c);
		cfws(&c);
	}
	while (cur_ok(&c) && !cur_end(&c)) {
		cur_char(&c, ';');
		cfws(&c);
		if (cur_end(&c) && r.nmethods > 0)
			break;          /* Yahoo ends with a semicolon */
		/* no-result = [CFWS] ";" [CFWS] "none", alone: rfc/8601:591 */
		struct cur save = c;
		if (r.nmethods == 0 && cur_try_icase(&c, S("none"))) {
			cfws(&c);
			if (cur_end(&c) && cur_ok(&c)) {
				none = true;
				break;
			}
			c = save;
		}
		if (r.nmethods == LIMIT_HEADER_PARAMS)
			cur_fail(&c, "fewer methods");
		MESSAGE_GROW(a, r.methods, r.nmethods, cap);
		r.methods[r.nmethods] = (struct message_authmethod){ 0 };
		resinfo(&c, &r.methods[r.nmethods]);
		if (cur_ok(&c))
			r.nmethods++;
	}
	if (cur_ok(&c) && r.nmethods == 0 && !none)
		cur_fail(&c, "a result, or none");
	if (!cur_done(&c))
		return err_set(e, ERR_INVALID, "Authentication-Results: expected %s at offset %zu", c.want, cur_off(&c));
	*r_r = r;
	return 0;
}
