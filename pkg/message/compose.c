/* SPDX-License-Identifier: MIT */
/*
 * Writing messages.
 */
#include "message/compose.h"

#include "base/enc.h"
#include "base/randutil.h"
#include "base/timeutil.h"
#include "base/utf8.h"
#include "message/message_internal.h"

#define TEXT_LINE_MAX 76        /* longer lines of text are sent quoted-printable */
#define PIECES_MAX 200          /* of a parameter: below LIMIT_HEADER_PARAMS, which counts them all when reading */

static void
note_8bit(struct message_composer *c, struct str s)
{
	if (!str_is_ascii(s))
		c->has_8bit = true;
}

/* Header */

void
message_add_header(struct message_composer *c, const char *name, struct str value)
{
	struct message_folder f;

	message_folder_begin(&f, c->b, name);
	message_folder_wrap(&f, value, false);
	message_folder_end(&f);
	note_8bit(c, value);
}

/* needs_words: text that must be encoded, or would be taken for encoded. */
static bool
needs_words(struct str s)
{
	return !str_is_ascii(s) || str_starts(s, S("=?"));
}

/* next_word takes a word and returns it; *s then starts with the white space before the next one. */
static struct str
next_word(struct str *s)
{
	size_t i = 0, start;

	if (s->n == 0)
		return (struct str){ 0 };
	while (i < s->n && (s->p[i] == ' ' || s->p[i] == '\t' || s->p[i] == '\r' || s->p[i] == '\n'))
		i++;
	start = i;
	while (i < s->n && s->p[i] != ' ' && s->p[i] != '\t' && s->p[i] != '\r' && s->p[i] != '\n')
		i++;
	struct str word = str_n(s->p + start, i - start);
	*s = str_from(*s, i);
	return word;
}

/* add_words writes the encoded words of a text, a fold between them where a line would be too long. */
static void
add_words(struct message_folder *f, struct str text)
{
	cleanup_(buf_done) struct buf words = BUF_INIT(SIZE_MAX / 2);

	message_encode_words(&words, text);
	for (struct str rest = buf_str(&words); rest.n > 0;)
		message_folder_add(f, S(" "), str_split(&rest, ' '));
}

void
message_add_text_header(struct message_composer *c, const char *name, struct str text)
{
	cleanup_(arena_done) struct arena a = { 0 };
	struct message_folder f;
	struct str first = { 0 }, last = { 0 };

	text = str_trim(message_to_utf8(&a, text));
	message_folder_begin(&f, c->b, name);
	if (!c->smtputf8) {
		/* From the first to the last word that needs it all is encoded, since space between encoded words is not shown. */
		for (struct str rest = text, w; (w = next_word(&rest)).n > 0;) {
			if (!needs_words(w))
				continue;
			last = w;
			if (!first.p)
				first = w;
		}
	}
	for (struct str rest = text, w; (w = next_word(&rest)).n > 0;) {
		if (first.p && w.p == first.p) {
			add_words(&f, str_n(first.p, (size_t)(last.p + last.n - first.p)));
			rest = str_n(last.p + last.n, (size_t)(text.p + text.n - last.p) - last.n);
		} else {
			message_folder_add(&f, S(" "), w);
		}
	}
	message_folder_end(&f);
	if (c->smtputf8)
		note_8bit(c, text);
}

void
message_add_addrs(struct message_composer *c, const char *name, const struct message_mailbox *v, uint32_t n)
{
	struct message_folder f;

	if (n == 0)
		return;
	message_folder_begin(&f, c->b, name);
	for (uint32_t i = 0; i < n; i++) {
		cleanup_(buf_done) struct buf one = BUF_INIT(SIZE_MAX / 2);
		message_format_addr(&one, v[i].name, &v[i].address, c->smtputf8);
		note_8bit(c, buf_str(&one));
		message_folder_add(&f, S(", "), buf_str(&one));
	}
	message_folder_end(&f);
}

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= ' ' || c >= 0x7f || memchr("()<>@,;:\\\"/[]?=", c, 15))
			return false;
	}
	return s.n > 0;
}

/* is_quotable: ASCII without control characters, which a quoted-string loses on its way. */
static bool
is_quotable(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < ' ' || s.p[i] == 0x7f)     /* char is signed: 8-bit characters are below ' ' too */
			return false;
	}
	return true;
}

/* add_param writes one parameter. Non-ASCII and long values take the form of RFC 2231, cut into pieces that fit on a line. */
static void
add_param(struct message_folder *f, struct str name, struct str value)
{
	cleanup_(arena_done) struct arena a = { 0 };
	struct buf b = BUF_ARENA(&a, SIZE_MAX / 2);
	size_t room = name.n < 50 ? 60 - name.n : 10;

	if (is_quotable(value) && value.n <= room) {
		buf_add(&b, name);
		buf_addc(&b, '=');
		if (is_token(value)) {
			buf_add(&b, value);
		} else {
			buf_addc(&b, '"');
			for (size_t i = 0; i < value.n; i++) {
				if (value.p[i] == '"' || value.p[i] == '\\')
					buf_addc(&b, '\\');
				buf_addc(&b, value.p[i]);
			}
			buf_addc(&b, '"');
		}
		message_folder_add(f, S("; "), buf_str(&b));
		return;
	}
	struct buf enc = BUF_ARENA(&a, SIZE_MAX / 2);
	buf_add(&enc, S("utf-8''"));
	enc_percent(&enc, message_to_utf8(&a, value));
	struct str rest = buf_str(&enc);
	/* Readers, we too, take a limited number of pieces: then rather longer lines. */
	room = MAX(room, rest.n / PIECES_MAX + 3);
	for (unsigned i = 0; rest.n > 0; i++) {
		size_t cut = MIN(rest.n, room);
		/* Not within "%XX". */
		for (size_t k = 1; k <= 2 && cut < rest.n && cut > 2; k++) {
			if (rest.p[cut - k] == '%') {
				cut -= k;
				break;
			}
		}
		buf_reset(&b);
		buf_add(&b, name);
		if (i == 0 && cut == rest.n)
			buf_add(&b, S("*="));
		else
			buf_addf(&b, "*%u*=", i);
		buf_add(&b, str_upto(rest, cut));
		message_folder_add(f, S("; "), buf_str(&b));
		rest = str_from(rest, cut);
	}
}

void
message_add_param_header(struct message_composer *c, const char *name, struct str value, const struct message_param *v, uint32_t n)
{
	struct message_folder f;

	message_folder_begin(&f, c->b, name);
	message_folder_add(&f, S(" "), value);
	for (uint32_t i = 0; i < n; i++)
		add_param(&f, v[i].name, v[i].value);
	message_folder_end(&f);
}

void
message_add_date(struct message_composer *c, int64_t us, int tz_min)
{
	cleanup_(arena_done) struct arena a = { 0 };

	message_add_header(c, "Date", time_rfc5322(&a, us, tz_min));
}

void
message_add_message_id(struct message_composer *c, struct str id)
{
	struct message_folder f;

	message_folder_begin(&f, c->b, "Message-Id");
	message_folder_add(&f, S(""), S("<"));
	message_folder_add(&f, S(""), id);
	message_folder_add(&f, S(""), S(">"));
	message_folder_end(&f);
	note_8bit(c, id);
}

void
message_end_header(struct message_composer *c)
{
	buf_add(c->b, S("\r\n"));
}

struct str
message_new_id(struct arena *a, const struct idna_domain *domain)
{
	uint8_t r[16];

	rand_bytes(r, sizeof(r));
	return str_cat(a, enc_base64(a, str_n((const char *)r, sizeof(r)), ENC_URL), str_cat(a, S("@"), domain->ascii));
}

struct str
message_new_boundary(struct arena *a)
{
	uint8_t r[18];

	/* "=_" occurs neither in quoted-printable nor in base64: rfc/2045:1152 */
	rand_bytes(r, sizeof(r));
	return str_cat(a, S("=_"), enc_hex(a, str_n((const char *)r, sizeof(r))));
}

struct str
message_header_domain(struct arena *a, const struct idna_domain *d, bool utf8)
{
	if (!utf8 || d->unicode.n == 0)
		return d->ascii;
	return str_fmt(a, STRF " (" STRF ")", STRA(d->unicode), STRA(d->ascii));
}

/* Bodies */

/* crlf_text writes text with CRLF line ends, and one at the end. */
static void
crlf_text(struct buf *b, struct str text)
{
	while (text.n > 0) {
		struct str line = str_split(&text, '\n');
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		buf_add(b, line);
		buf_add(b, S("\r\n"));
	}
}

/* needs_qp: a line too long, or a byte that must not stand in a line of text. */
static bool
needs_qp(struct str text)
{
	while (text.n > 0) {
		struct str line = str_split(&text, '\n');
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n > TEXT_LINE_MAX || str_has(line, '\r') || str_has(line, '\0'))
			return true;
	}
	return false;
}

void
message_add_text_part(struct message_composer *c, struct str subtype, struct str text)
{
	cleanup_(arena_done) struct arena a = { 0 };
	bool ascii = str_is_ascii(text), qp = needs_qp(text);
	struct message_param charset = { S("charset"), ascii ? S("us-ascii") : S("utf-8") };

	message_add_param_header(c, "Content-Type", str_cat(&a, S("text/"), subtype), &charset, 1);
	message_add_header(c, "Content-Transfer-Encoding", qp ? S("quoted-printable") : ascii ? S("7bit") : S("8bit"));
	message_end_header(c);
	if (!qp) {
		crlf_text(c->b, text);
		note_8bit(c, text);
		return;
	}
	enc_qp(c->b, text);
	if (!str_ends(buf_str(c->b), S("\r\n")))
		buf_add(c->b, S("\r\n"));
}

void
message_add_base64_part(struct message_composer *c, struct str content_type, struct str disposition, struct str filename, struct str data)
{
	struct message_param name = { S("name"), filename }, fname = { S("filename"), filename };
	uint32_t n = filename.n > 0;

	message_add_param_header(c, "Content-Type", content_type, &name, n);
	message_add_param_header(c, "Content-Disposition", disposition, &fname, n);
	message_add_header(c, "Content-Transfer-Encoding", S("base64"));
	message_end_header(c);
	enc_base64_lines(c->b, data);
}

void
message_multipart_begin(struct message_composer *c, struct str subtype, const struct message_param *v, uint32_t n, struct str boundary)
{
	cleanup_(arena_done) struct arena a = { 0 };
	struct message_param *all = ARENA_NEWN(&a, n + 1, struct message_param);

	for (uint32_t i = 0; i < n; i++)
		all[i] = v[i];
	all[n] = (struct message_param){ S("boundary"), boundary };
	message_add_param_header(c, "Content-Type", str_cat(&a, S("multipart/"), subtype), all, n + 1);
	message_end_header(c);
}

void
message_multipart_part(struct message_composer *c, struct str boundary)
{
	buf_addf(c->b, "\r\n--" STRF "\r\n", STRA(boundary));
}

void
message_multipart_end(struct message_composer *c, struct str boundary)
{
	buf_addf(c->b, "\r\n--" STRF "--\r\n", STRA(boundary));
}
