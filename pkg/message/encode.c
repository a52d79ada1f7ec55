/* SPDX-License-Identifier: MIT */
/*
 * Writing encoded words, phrases and mailboxes.
 */
#include "message/compose.h"

#include "base/enc.h"
#include "base/utf8.h"
#include "message/message_internal.h"

#define WORD_TEXT_MAX (75 - 12)         /* of "=?utf-8?q?" and "?=": rfc/2047:206 */

/* Characters that need no encoding in Q, wherever a word may stand: rfc/2047:383 */
static bool
is_q_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || memchr("!*+-/", c, 5) != NULL;
}

static size_t
q_width(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += is_q_plain(s.p[i]) || s.p[i] == ' ' ? 1 : 3;
	return n;
}

static void
add_q(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (is_q_plain(s.p[i]))
			buf_addc(b, s.p[i]);
		else if (s.p[i] == ' ')
			buf_addc(b, '_');
		else
			buf_addf(b, "=%02X", (unsigned char)s.p[i]);
	}
}

/* fitting gives the longest start of s, whole characters, whose encoded form fits into one word. */
static struct str
fitting(struct str s, bool q)
{
	size_t n = 0, width = 0;

	while (n < s.n) {
		uint32_t cp;
		int len = utf8_next(str_from(s, n), &cp);
		struct str ch = str_upto(str_from(s, n), len > 0 ? (size_t)len : 1);
		size_t w = q ? width + q_width(ch) : (n + ch.n + 2) / 3 * 4;
		if (w > WORD_TEXT_MAX)
			break;
		width = w;
		n += ch.n;
	}
	return str_upto(s, n);
}

void
message_encode_words(struct buf *b, struct str text)
{
	/* Q can be read as it stands, so B has to be shorter by a third. */
	bool q = q_width(text) * 2 <= (text.n + 2) / 3 * 4 * 3;

	for (bool first = true; text.n > 0; first = false) {
		struct str part = fitting(text, q);
		if (!first)
			buf_addc(b, ' ');
		buf_addz(b, q ? "=?utf-8?q?" : "=?utf-8?b?");
		if (q)
			add_q(b, part);
		else
			enc_base64_add(b, part, ENC_STD);
		buf_add(b, S("?="));
		text = str_from(text, part.n);
	}
}

/* is_atext_or_space: what an unquoted display name may consist of. */
static bool
is_phrase(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool space = c == ' ' && i > 0 && i + 1 < s.n && s.p[i - 1] != ' ';
		if (!(c >= 0x80 || (c > ' ' && c < 0x7f && !memchr("()<>[]:;@\\,.\"", c, 13)) || space))
			return false;
	}
	return s.n > 0;
}

/* add_quoted writes a quoted-string; control characters, which have no place in a header, become spaces. */
static void
add_quoted(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			buf_addc(b, '\\');
		buf_addc(b, c < ' ' || c == 0x7f ? ' ' : (char)c);
	}
	buf_addc(b, '"');
}

/* looks_encoded: text that a reader would take for an encoded word. */
static bool
looks_encoded(struct str s)
{
	return str_search(s, S("=?")) >= 0;
}

void
message_add_phrase(struct buf *b, struct str name, bool utf8)
{
	cleanup_(arena_done) struct arena a = { 0 };

	name = message_to_utf8(&a, name);
	if ((!utf8 && !str_is_ascii(name)) || looks_encoded(name))
		message_encode_words(b, name);
	else if (is_phrase(name))
		buf_add(b, name);
	else
		add_quoted(b, name);
}

void
message_format_addr(struct buf *b, struct str name, const struct smtp_address *addr, bool utf8)
{
	if (name.n > 0) {
		message_add_phrase(b, name, utf8);
		buf_addc(b, ' ');
	}
	buf_addc(b, '<');
	smtp_localpart_add(b, addr->localpart);
	buf_addc(b, '@');
	buf_add(b, idna_text(&addr->domain, utf8));
	buf_addc(b, '>');
}
