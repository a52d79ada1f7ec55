/* SPDX-License-Identifier: MIT */
/*
 * ENVELOPE and BODYSTRUCTURE in IMAP syntax, from the parse result.
 */
#include "message/imap.h"

#include "base/enc.h"
#include "message/compose.h"
#include "message/header.h"
#include "message/message_internal.h"

/* Bytes that a quoted string can hold as they are: rfc/9051:6858 */
static const uint8_t quotable[256] = { [0x20 ... 0x21] = 1, [0x23 ... 0x5b] = 1, [0x5d ... 0x7e] = 1 };

static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!quotable[(unsigned char)s.p[i]])
			return false;
	}
	return true;
}

/* put_odd writes a string with bytes that need care. NUL cannot be sent at all and is left out. */
static void
put_odd(struct buf *b, struct str s, bool utf8)
{
	bool literal = s.n > 1000;
	size_t nul = 0;

	for (size_t i = 0; i < s.n; i++) {
		nul += s.p[i] == '\0';
		literal |= s.p[i] == '\r' || s.p[i] == '\n' || (!utf8 && (unsigned char)s.p[i] >= 0x80);
	}
	if (literal)
		buf_addf(b, "{%zu}\r\n", s.n - nul);
	else
		buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (!literal && (s.p[i] == '"' || s.p[i] == '\\'))
			buf_addc(b, '\\');
		if (s.p[i] != '\0')
			buf_addc(b, s.p[i]);
	}
	if (!literal)
		buf_addc(b, '"');
}

static void
put_string(struct buf *b, struct str s, bool utf8)
{
	if (s.n <= 1000 && is_plain(s)) {
		buf_addc(b, '"');
		buf_add(b, s);
		buf_addc(b, '"');
		return;
	}
	if (str_is_ascii(s)) {
		put_odd(b, s, utf8);
		return;
	}
	cleanup_(arena_done) struct arena a = { 0 };
	put_odd(b, message_to_utf8(&a, s), utf8);
}

void
message_imap_nstring(struct buf *b, struct str s, bool utf8)
{
	if (s.p)
		put_string(b, s, utf8);
	else
		buf_add(b, S("NIL"));
}

/* put_text writes human text, which may be sent as encoded words where raw UTF-8 must not. */
static void
put_text(struct buf *b, struct str s, bool utf8)
{
	if (!s.p || utf8 || str_is_ascii(s)) {
		message_imap_nstring(b, s, utf8);
		return;
	}
	cleanup_(arena_done) struct arena a = { 0 };
	struct buf words = BUF_ARENA(&a, SIZE_MAX / 2);
	message_encode_words(&words, message_decode_words(&a, s));
	put_string(b, buf_str(&words), false);
}

/* Envelope */

static void
put_address(struct buf *b, const struct message_addr *addr, bool utf8)
{
	struct str none = { 0 };

	buf_addc(b, '(');
	switch (addr->kind) {
	case MESSAGE_GROUP_START:
		buf_add(b, S("NIL NIL "));
		put_text(b, addr->name.p ? addr->name : S(""), utf8);
		buf_add(b, S(" NIL"));
		break;
	case MESSAGE_GROUP_END:
		buf_add(b, S("NIL NIL NIL NIL"));
		break;
	default:
		put_text(b, addr->name.n > 0 ? addr->name : none, utf8);
		buf_addc(b, ' ');
		message_imap_nstring(b, addr->route.n > 0 ? addr->route : none, utf8);
		buf_addc(b, ' ');
		put_string(b, addr->localpart, utf8);
		buf_addc(b, ' ');
		/* The host is never NIL, which would make it a group: rfc/9051:6310 */
		if (utf8 || str_is_ascii(addr->domain)) {
			put_string(b, addr->domain, utf8);
		} else {
			cleanup_(arena_done) struct arena a = { 0 };
			put_string(b, idna_to_ascii(&a, addr->domain), utf8);
		}
		break;
	}
	buf_addc(b, ')');
}

static void
put_addresses(struct buf *b, const struct message_addrs *l, bool utf8)
{
	if (l->n == 0) {
		buf_add(b, S("NIL"));
		return;
	}
	buf_addc(b, '(');
	for (uint32_t i = 0; i < l->n; i++)
		put_address(b, &l->v[i], utf8);
	buf_addc(b, ')');
}

void
message_imap_envelope(struct buf *b, const struct message_envelope *env, bool utf8)
{
	buf_addc(b, '(');
	message_imap_nstring(b, env->date, utf8);
	buf_addc(b, ' ');
	put_text(b, env->subject, utf8);
	buf_addc(b, ' ');
	put_addresses(b, &env->from, utf8);
	buf_addc(b, ' ');
	put_addresses(b, env->sender.n > 0 ? &env->sender : &env->from, utf8);          // rfc/9051:6140
	buf_addc(b, ' ');
	put_addresses(b, env->reply_to.n > 0 ? &env->reply_to : &env->from, utf8);
	buf_addc(b, ' ');
	put_addresses(b, &env->to, utf8);
	buf_addc(b, ' ');
	put_addresses(b, &env->cc, utf8);
	buf_addc(b, ' ');
	put_addresses(b, &env->bcc, utf8);
	buf_addc(b, ' ');
	message_imap_nstring(b, env->in_reply_to, utf8);
	buf_addc(b, ' ');
	message_imap_nstring(b, env->message_id, utf8);
	buf_addc(b, ')');
}

/* Structure */

/* put_name writes a parameter name in one case, with the '*' that tells an extended value. */
static void
put_name(struct buf *b, struct str name, bool upper, bool extended)
{
	if (!is_plain(name)) {
		put_string(b, name, false);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		buf_addc(b, upper && c >= 'a' && c <= 'z' ? (char)(c - 0x20) : c);
	}
	buf_addz(b, extended ? "*\"" : "\"");
}

/*
 * put_params writes parameters, or NIL. A value with non-ASCII characters is sent in the form of RFC 2231 to those that did not ask for
 * UTF-8, who know how to read that.
 */
static void
put_params(struct buf *b, const struct message_param *v, uint32_t n, bool upper, bool utf8)
{
	if (n == 0) {
		buf_add(b, S("NIL"));
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		bool extended = !utf8 && !str_is_ascii(v[i].value);
		buf_addc(b, i == 0 ? '(' : ' ');
		put_name(b, v[i].name, upper, extended);
		buf_addc(b, ' ');
		if (extended) {
			cleanup_(arena_done) struct arena a = { 0 };
			struct buf ext = BUF_ARENA(&a, SIZE_MAX / 2);
			buf_add(&ext, S("utf-8''"));
			enc_percent(&ext, message_to_utf8(&a, v[i].value));
			put_string(b, buf_str(&ext), false);
		} else {
			put_string(b, v[i].value, utf8);
		}
	}
	buf_addc(b, ')');
}

static void
put_disposition(struct buf *b, const struct message_part *p, bool utf8)
{
	if (!p->disposition.p) {
		buf_add(b, S("NIL"));
		return;
	}
	buf_addc(b, '(');
	put_string(b, p->disposition, utf8);
	buf_addc(b, ' ');
	put_params(b, p->disposition_params, p->ndisposition_params, false, utf8);
	buf_addc(b, ')');
}

/* put_language writes NIL, one tag, or a list: rfc/9051:6391 */
static void
put_language(struct buf *b, struct str s, bool utf8)
{
	struct str first = str_trim(str_split(&s, ','));

	if (!first.p || (first.n == 0 && s.n == 0)) {
		buf_add(b, S("NIL"));
		return;
	}
	if (s.n == 0) {
		put_string(b, first, utf8);
		return;
	}
	buf_addc(b, '(');
	put_string(b, first, utf8);
	while (s.n > 0) {
		buf_addc(b, ' ');
		put_string(b, str_trim(str_split(&s, ',')), utf8);
	}
	buf_addc(b, ')');
}

static void
put_extension(struct buf *b, const struct message_part *p, bool utf8)
{
	buf_addc(b, ' ');
	put_disposition(b, p, utf8);
	buf_addc(b, ' ');
	put_language(b, p->language, utf8);
	buf_addc(b, ' ');
	message_imap_nstring(b, p->location, utf8);
}

static void put_body(struct buf *b, const struct message *m, const struct message_part *p, bool extended, bool utf8);

/* body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]        rfc/9051:6411 */
static void
put_multipart(struct buf *b, const struct message *m, const struct message_part *p, bool extended, bool utf8)
{
	for (const struct message_part *q = message_first_child(m, p); q; q = message_next_part(m, q))
		put_body(b, m, q, extended, utf8);
	buf_addc(b, ' ');
	put_string(b, p->subtype, utf8);
	if (!extended)
		return;
	buf_addc(b, ' ');
	put_params(b, p->params, p->nparams, true, utf8);
	put_extension(b, p, utf8);
}

/* body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]     rfc/9051:6404 */
static void
put_single(struct buf *b, const struct message *m, const struct message_part *p, bool extended, bool utf8)
{
	put_string(b, p->type, utf8);
	buf_addc(b, ' ');
	put_string(b, p->subtype, utf8);
	buf_addc(b, ' ');
	if (p->no_type && message_is_text(p))
		buf_add(b, S("(\"CHARSET\" \"US-ASCII\")"));
	else
		put_params(b, p->params, p->nparams, true, utf8);
	buf_addc(b, ' ');
	message_imap_nstring(b, p->id, utf8);
	buf_addc(b, ' ');
	put_text(b, p->description, utf8);
	buf_addc(b, ' ');
	put_string(b, p->cte.n > 0 ? p->cte : S("7BIT"), utf8);
	buf_addc(b, ' ');
	buf_addi(b, p->end_off - p->body_off);
	if (p->kind == MESSAGE_EMBEDDED) {
		const struct message_part *root = message_first_child(m, p);
		buf_addc(b, ' ');
		message_imap_envelope(b, root->envelope, utf8);
		buf_addc(b, ' ');
		put_body(b, m, root, extended, utf8);
	}
	if (p->kind == MESSAGE_EMBEDDED || message_is_text(p)) {
		buf_addc(b, ' ');
		buf_addi(b, p->lines);
	}
	if (!extended)
		return;
	buf_addc(b, ' ');
	message_imap_nstring(b, p->md5, utf8);
	put_extension(b, p, utf8);
}

static void
put_body(struct buf *b, const struct message *m, const struct message_part *p, bool extended, bool utf8)
{
	buf_addc(b, '(');
	if (p->kind == MESSAGE_MULTIPART)
		put_multipart(b, m, p, extended, utf8);
	else
		put_single(b, m, p, extended, utf8);
	buf_addc(b, ')');
}

void
message_imap_bodystructure(struct buf *b, const struct message *m, bool extended, bool utf8)
{
	put_body(b, m, &m->parts[0], extended, utf8);
}
