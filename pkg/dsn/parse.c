/* SPDX-License-Identifier: MIT */
/*
 * Parsing DSNs, our own and foreign ones.
 *
 * The status part is a series of header blocks: one about the message, then one per recipient. Foreign servers leave out fields, add
 * empty lines, invent types; what can be understood is taken, since an address that bounces is worth knowing. DSN_STRICT refuses all that.
 */
#include "dsn/dsn.h"

#include "message/body.h"
#include "message/header.h"

#define STATUS_MAX ((size_t)1024 * 1024)        /* of the status part */
#define TEXT_MAX ((size_t)256 * 1024)           /* of the text for people that is kept */
#define RECIPIENTS_MAX 1000

struct parser {
	struct arena *a;
	bool strict, global;
	struct errmsg *e;
};

/* take_typed splits "type; value". A value without type has an empty one. */
static struct str
take_type(struct str *s)
{
	ssize_t semi = str_find(*s, ';');

	if (semi < 0)
		return (struct str){ 0 };
	struct str type = str_trim(str_upto(*s, (size_t)semi));
	*s = str_trim(str_from(*s, (size_t)semi + 1));
	return type;
}

/* without_comments removes "(...)", nested ones too. */
static struct str
without_comments(struct arena *a, struct str s)
{
	char *out = arena_bytes(a, s.n + 1);
	size_t n = 0;
	unsigned depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && depth > 0)
			depth--;
		else if (depth == 0)
			out[n++] = s.p[i];
	}
	return str_trim(str_n(out, n));
}

/* parse_mta_name: "dns; host". Other types are taken too, unless strict: rfc/3464:530 */
static int
parse_mta_name(struct parser *p, const char *name, struct str value, struct str *r_host)
{
	struct str s = without_comments(p->a, value), type = take_type(&s);

	if (p->strict && (!str_icase(type, S("dns")) || s.n == 0))
		return err_set(p->e, ERR_INVALID, "%s is not of the form dns;name", name);
	*r_host = s;
	return 0;
}

static int
parse_date(struct parser *p, const char *name, struct str value, int64_t *r_us)
{
	int64_t us;
	int tz;

	if (message_parse_date(value, &us, &tz) == 0)
		*r_us = us;
	else if (p->strict)
		return err_set(p->e, ERR_INVALID, "bad date in %s", name);
	return 0;
}

static int
parse_action(struct parser *p, struct str value, enum dsn_action *r_action)
{
	struct str s = without_comments(p->a, value);

	for (enum dsn_action k = DSN_FAILED; k <= DSN_EXPANDED; k++) {
		if (str_icase(s, dsn_action_name(k))) {
			*r_action = k;
			return 0;
		}
	}
	if (!p->strict && str_icase(s, S("expired"))) {         /* SendGrid */
		*r_action = DSN_FAILED;
		return 0;
	}
	return err_set(p->e, ERR_INVALID, "unknown Action \"" STRF "\"", STRA(str_log(p->a, s, 50)));
}

/*
 * parse_address: "type; address". rfc822, and utf-8 in the global form. In a 7-bit DSN non-ASCII characters come as \x{HEX}: rfc/6533:211.
 * An address that is none leaves the path zeroed unless strict.
 */
static int
parse_address(struct parser *p, const char *name, struct str value, struct smtp_path *r_path)
{
	struct str s = value, type = take_type(&s), text = { 0 };
	bool utf8 = str_icase(type, S("utf-8"));
	struct smtp_path path = { 0 };

	if (p->strict && !str_icase(type, S("rfc822")) && !(utf8 && p->global))
		return err_set(p->e, ERR_INVALID, "address type of %s", name);
	if (p->strict && !p->global && !str_is_ascii(s))
		return err_set(p->e, ERR_INVALID, "non-ASCII address in a 7-bit DSN");
	if (smtp_unescape_dsn(p->a, s, &text) < 0) {
		if (p->strict)
			return err_set(p->e, ERR_INVALID, "unfinished escape in %s", name);
		text = s;
	}
	if (!p->strict) {
		text = str_trim(without_comments(p->a, text));
		if (str_starts(text, S("<")) && str_ends(text, S(">")))
			text = str_upto(str_from(text, 1), text.n - 2);
	}
	text = str_fmt(p->a, "<" STRF ">", STRA(text));
	if (smtp_parse_path(p->a, text, SMTP_UTF8 | (p->strict ? 0 : SMTP_UNDERSCORE), &path, NULL) < 0 && p->strict)
		return err_set(p->e, ERR_INVALID, "bad address in %s", name);
	*r_path = path;
	return 0;
}

/* parse_status: code and trailing "(comment)". Foreign ones are searched for a code: "Status: 5.1.1 (unknown)" and "smtp; 5.1.1". */
static void
parse_status(struct parser *p, struct str value, struct dsn_recipient *r)
{
	struct str code = value;
	ssize_t paren = str_find(value, '(');

	if (paren >= 0) {
		code = str_trim(str_upto(value, (size_t)paren));
		struct str c = str_from(value, (size_t)paren + 1);
		r->status_comment = str_ends(c, S(")")) ? str_upto(c, c.n - 1) : c;
	}
	if (!p->strict)
		code = str_split(&code, ' ');
	r->status = code;
}

/* status_in finds "d.d.d" in text such as "550 5.1.1 unknown". */
static struct str
status_in(struct str s)
{
	for (size_t i = 0; i + 5 <= s.n; i++) {
		size_t n = 0, parts = 0;
		if ((s.p[i] != '2' && s.p[i] != '4' && s.p[i] != '5') || s.p[i + 1] != '.' || (i > 0 && s.p[i - 1] >= '0' && s.p[i - 1] <= '9'))
			continue;
		for (n = 1; i + n < s.n && parts < 2; parts++) {
			size_t digits = 0;
			if (s.p[i + n] != '.')
				break;
			while (digits < 3 && i + n + 1 + digits < s.n && s.p[i + n + 1 + digits] >= '0' && s.p[i + n + 1 + digits] <= '9')
				digits++;
			if (digits == 0)
				break;
			n += digits + 1;
		}
		if (parts == 2)
			return str_n(s.p + i, n);
	}
	return (struct str){ 0 };
}

/* next_block takes the next header block of the status part; false if there is none. */
static bool
next_block(struct str *rest, struct str *r_block)
{
	struct str s = *rest, line, after;

	do {
		after = s;
		line = str_trim(str_split(&s, '\n'));
	} while (line.n == 0 && s.n > 0);
	if (line.n == 0)
		return false;
	const char *start = after.p;
	for (;;) {
		after = s;
		if (s.n == 0)
			break;
		line = str_split(&s, '\n');
		if (line.n == 0 || str_is(line, S("\r")))
			break;
	}
	*r_block = str_n(start, (size_t)(after.p - start));
	*rest = s;
	return true;
}

/* get finds a field of a block and gives its unfolded body; NULL if absent. Twice is an error when strict. */
static int
get(struct parser *p, struct str block, const char *name, struct str *r_value)
{
	struct message_field f;
	struct str v = { 0 };

	for (struct str rest = block; message_field_next(&rest, &f, NULL);) {
		if (!str_icase(f.name, str_of(name)))
			continue;
		if (v.p && p->strict)
			return err_set(p->e, ERR_INVALID, "field %s twice", name);
		if (!v.p)
			v = message_unfold(p->a, f.body);
		if (!v.p)
			v = S("");
	}
	*r_value = v;
	return 0;
}

static int
parse_recipient(struct parser *p, struct str block, struct dsn_recipient *r)
{
	struct str v;

	r->header = block;
	TRY(get(p, block, "Final-Recipient", &v));
	if (!v.p)
		TRY(get(p, block, p->strict ? "Final-Recipient" : "Original-Recipient", &v));
	if (!v.p)
		return err_set(p->e, ERR_INVALID, "recipient without Final-Recipient");
	r->final_text = v;
	TRY(parse_address(p, "Final-Recipient", v, &r->final_recipient));
	TRY(get(p, block, "Original-Recipient", &v));
	if (v.p)
		TRY(parse_address(p, "Original-Recipient", v, &r->original_recipient));
	TRY(get(p, block, "Status", &v));
	if (v.p)
		parse_status(p, v, r);
	TRY(get(p, block, "Diagnostic-Code", &v));
	if (v.p) {
		struct str type = take_type(&v);
		if (p->strict && !str_icase(type, S("smtp")))
			return err_set(p->e, ERR_INVALID, "Diagnostic-Code not of type smtp");
		r->diagnostic = v;
	}
	if (!p->strict && (r->status.n == 0 || status_in(r->status).n == 0)) {
		struct str code = status_in(r->diagnostic);
		if (code.n > 0)
			r->status = code;
	}
	TRY(get(p, block, "Action", &v));
	if (!v.p && (p->strict || r->status.n == 0))
		return err_set(p->e, ERR_INVALID, "recipient without Action");
	/* Without a known action the class of the status says it. */
	if (!p->strict && r->status.n > 0)
		r->action = r->status.p[0] == '4' ? DSN_DELAYED : r->status.p[0] == '2' ? DSN_DELIVERED : DSN_FAILED;
	if (v.p && parse_action(p, v, &r->action) < 0 && (p->strict || r->status.n == 0))
		return ERR_INVALID;
	if (r->status.n == 0) {
		if (p->strict)
			return err_set(p->e, ERR_INVALID, "recipient without Status");
		r->status = r->action == DSN_FAILED ? S("5.0.0") : r->action == DSN_DELAYED ? S("4.0.0") : S("2.0.0");
	}
	TRY(get(p, block, "Remote-MTA", &r->remote_text));
	TRY(get(p, block, "Final-Log-ID", &r->final_log_id));
	TRY(get(p, block, "Last-Attempt-Date", &v));
	if (v.p)
		TRY(parse_date(p, "Last-Attempt-Date", v, &r->last_attempt_us));
	TRY(get(p, block, "Will-Retry-Until", &v));
	int64_t us;
	int tz;
	if (v.p && message_parse_date(v, &us, &tz) == 0)
		r->will_retry_until_us = us;
	return 0;
}

static int
parse_message_fields(struct parser *p, struct str block, struct dsn_message *d)
{
	struct str v;

	d->header = block;
	TRY(get(p, block, "Reporting-MTA", &v));
	if (v.p)
		TRY(parse_mta_name(p, "Reporting-MTA", v, &d->reporting_mta));
	else if (p->strict)
		return err_set(p->e, ERR_INVALID, "no Reporting-MTA");
	TRY(get(p, block, "Original-Envelope-ID", &d->original_envelope_id));
	TRY(get(p, block, "DSN-Gateway", &v));
	if (v.p)
		TRY(parse_mta_name(p, "DSN-Gateway", v, &d->gateway));
	TRY(get(p, block, "Received-From-MTA", &v));
	if (v.p) {
		struct str host;
		TRY(parse_mta_name(p, "Received-From-MTA", v, &host));
		if (smtp_parse_ipdomain(p->a, host, SMTP_UTF8 | SMTP_UNDERSCORE, &d->received_from.name, NULL) < 0 && p->strict)
			return err_set(p->e, ERR_INVALID, "bad name in Received-From-MTA");
	}
	TRY(get(p, block, "Arrival-Date", &v));
	if (v.p)
		TRY(parse_date(p, "Arrival-Date", v, &d->arrival_us));
	return get(p, block, "Future-Release-Request", &d->future_release);
}

static int
parse_status_part(struct parser *p, struct str text, struct dsn_message *d)
{
	uint32_t cap = 0;
	bool first = true;

	for (struct str block; next_block(&text, &block); first = false) {
		struct str v;
		TRY(get(p, block, "Final-Recipient", &v));
		if (!v.p && !p->strict)
			TRY(get(p, block, "Original-Recipient", &v));
		if (first) {
			TRY(parse_message_fields(p, block, d));
			/* Some leave the empty line out, and name the recipient among the fields of the message. */
			if (!v.p || p->strict)
				continue;
		} else if (!v.p && !p->strict) {
			continue;       /* fields of some extension */
		}
		if (d->nrecipients == RECIPIENTS_MAX)
			return err_set(p->e, ERR_LIMIT, "more than %d recipients", RECIPIENTS_MAX);
		if (d->nrecipients == cap) {
			cap = cap ? cap * 2 : 4;
			d->recipients = arena_grow(p->a, d->recipients, d->nrecipients, cap, sizeof(d->recipients[0]));
		}
		struct dsn_recipient *r = &d->recipients[d->nrecipients];
		*r = (struct dsn_recipient){ 0 };
		if (parse_recipient(p, block, r) == 0)
			d->nrecipients++;
		else if (p->strict)
			return ERR_INVALID;     /* else the others count */
	}
	return d->nrecipients > 0 ? 0 : err_set(p->e, ERR_INVALID, "no recipient in delivery status");
}

/* Finding the parts */

static bool
is_status(const struct message_part *q)
{
	return message_part_is(q, S("MESSAGE"), S("DELIVERY-STATUS")) || message_part_is(q, S("MESSAGE"), S("GLOBAL-DELIVERY-STATUS"));
}

static bool
is_original(const struct message_part *q)
{
	return message_part_is(q, S("TEXT"), S("RFC822-HEADERS")) || message_part_is(q, S("MESSAGE"), S("GLOBAL-HEADERS")) ||
		message_part_is(q, S("MESSAGE"), S("RFC822")) || message_part_is(q, S("MESSAGE"), S("GLOBAL"));
}

static bool
is_text(const struct message_part *q)
{
	return q->kind == MESSAGE_LEAF && message_part_is(q, S("TEXT"), S("PLAIN"));
}

struct parts {
	const struct message_part *text, *status, *original;
};

/* find_parts takes the parts of the report, by place and type when strict, else the first of each kind among the children of the root. */
static int
find_parts(struct parser *p, const struct message *m, struct parts *r)
{
	const struct message_part *root = &m->parts[0], *v[3] = { 0 };
	uint32_t n = 0;

	if (root->kind != MESSAGE_MULTIPART || (p->strict && !str_is(root->subtype, S("REPORT"))))
		return err_set(p->e, ERR_INVALID, "not a multipart/report");
	for (const struct message_part *q = message_first_child(m, root); q; q = message_next_part(m, q)) {
		if (n < 3)
			v[n] = q;
		n++;
		if (!r->status && is_status(q))
			r->status = q;
		else if (r->status && !r->original && is_original(q))
			r->original = q;
		else if (!r->text && is_text(q))
			r->text = q;
	}
	if (p->strict) {
		if (n < 2 || n > 3 || !is_text(v[0]) || !is_status(v[1]) || (v[2] && !is_original(v[2])))
			return err_set(p->e, ERR_INVALID, "parts of the report are not those of a DSN");
	}
	if (!r->status)
		return err_set(p->e, ERR_INVALID, "no delivery status part");
	return 0;
}

static int
read_original(struct parser *p, const struct message *m, const struct message_source *src, const struct message_part *q, struct str *r_header)
{
	if (q->kind == MESSAGE_EMBEDDED)
		return message_part_header(p->a, m, src, message_first_child(m, q), r_header);
	int rc = message_part_text(p->a, m, src, q, MESSAGE_READ_DECODED, TEXT_MAX, r_header);
	return rc == ERR_LIMIT ? 0 : rc;
}

/* only gives the address of a list if it is exactly one. */
static int
only(struct parser *p, const char *name, const struct message_addrs *l, struct smtp_path *r_path)
{
	struct smtp_address addr;

	if (l->n != 1)
		return 0;
	if (message_addr_address(p->a, &l->v[0], &addr) == 0)
		*r_path = smtp_path_of(&addr);
	else if (p->strict)
		return err_set(p->e, ERR_INVALID, "bad address in %s", name);
	return 0;
}

static struct str
lf_text(struct arena *a, struct str s)
{
	char *out = arena_bytes(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\r' || i + 1 == s.n || s.p[i + 1] != '\n')
			out[n++] = s.p[i];
	}
	return str_n(out, n);
}

int
dsn_parse(struct arena *a, const struct message *m, const struct message_source *src, unsigned flags, struct dsn_message *r_d, struct errmsg *e)
{
	struct parser p = { .a = a, .strict = flags & DSN_STRICT, .e = e };
	struct dsn_message d = { 0 };
	struct parts parts = { 0 };
	const struct message_envelope *env = m->parts[0].envelope;
	struct str status, text;

	TRY(find_parts(&p, m, &parts));
	p.global = d.smtputf8 = message_part_is(parts.status, S("MESSAGE"), S("GLOBAL-DELIVERY-STATUS"));
	int rc = message_part_text(a, m, src, parts.status, MESSAGE_READ_DECODED, STATUS_MAX, &status);
	if (rc < 0)
		return err_set(e, rc, "reading delivery status: %s", err_text(rc));
	TRY(parse_status_part(&p, status, &d));

	TRY(only(&p, "From", &env->from, &d.from));
	TRY(only(&p, "To", &env->to, &d.to));
	d.subject = message_decode_words(a, env->subject);
	d.message_id = env->message_id;
	if (str_starts(d.message_id, S("<")) && str_ends(d.message_id, S(">")))
		d.message_id = str_upto(str_from(d.message_id, 1), d.message_id.n - 2);
	if (parts.text) {
		rc = message_part_text(a, m, src, parts.text, MESSAGE_READ_TEXT, TEXT_MAX, &text);
		if (rc == 0)
			d.text = lf_text(a, text);
		else if (rc != ERR_LIMIT)
			return err_set(e, rc, "reading text of DSN: %s", err_text(rc));
	}
	if (parts.original) {
		rc = read_original(&p, m, src, parts.original, &d.original);
		if (rc < 0)
			return err_set(e, rc, "reading original of DSN: %s", err_text(rc));
	}
	*r_d = d;
	return 0;
}
