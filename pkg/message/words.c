/* SPDX-License-Identifier: MIT */
/*
 * Encoded words in headers (RFC 2047) and raw 8-bit text.
 *
 * Read as the world writes them: words next to other text without a space, spaces inside words, characters cut between two words of
 * the same charset. Output is linear in the input; a word that cannot be decoded stays as it is.
 */
#include "message/header.h"

#include "base/enc.h"
#include "base/utf8.h"
#include "message/body.h"
#include "message/message_internal.h"

struct word {
	struct str charset, text;
	char encoding;          /* 'q' or 'b' */
};

/*
 * encoded-word = "=?" charset "?" encoding "?" encoded-text "?="      rfc/2047:186
 * charset may end in "*" language                                     rfc/2231:379
 * Returns its length, or 0 if none starts here.
 */
static size_t
take_word(struct str s, struct word *w)
{
	struct str rest = str_from(s, 2);

	if (!str_starts(s, S("=?")))
		return 0;
	ssize_t q = str_find(str_upto(rest, 64), '?');
	if (q <= 0)
		return 0;
	w->charset = str_upto(rest, (size_t)q);
	ssize_t star = str_find(w->charset, '*');
	if (star >= 0)
		w->charset.n = (size_t)star;
	for (size_t i = 0; i < w->charset.n; i++) {
		if (w->charset.p[i] <= ' ')
			return 0;
	}
	rest = str_from(rest, (size_t)q + 1);
	if (rest.n < 2 || rest.p[1] != '?')
		return 0;
	w->encoding = (char)(rest.p[0] | 0x20);
	if (w->encoding != 'q' && w->encoding != 'b')
		return 0;
	rest = str_from(rest, 2);
	for (size_t i = 0; i + 1 < rest.n; i++) {
		if (rest.p[i] == '?' && rest.p[i + 1] == '=') {
			w->text = str_upto(rest, i);
			return (size_t)(rest.p - s.p) + i + 2;
		}
		/* "?" stands only in Q text of bad senders, and only if what follows does not start another word. */
		if (rest.p[i] == '?' && w->encoding == 'b')
			return 0;
		if (rest.p[i] == '=' && rest.p[i + 1] == '?' && i > 0 && !(i + 2 < rest.n && rest.p[i + 2] == '='))
			return 0;
	}
	return 0;
}

/* Q encoding: "_" is a space, "=XX" a byte  rfc/2047:323 */
static void
add_q(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		int hi, lo;
		if (s.p[i] == '_')
			buf_addc(out, ' ');
		else if (s.p[i] == '=' && i + 2 < s.n && (hi = enc_hexval(s.p[i + 1])) >= 0 && (lo = enc_hexval(s.p[i + 2])) >= 0) {
			buf_addc(out, (char)(hi << 4 | lo));
			i += 2;
		} else {
			buf_addc(out, s.p[i]);
		}
	}
}

static size_t
count_wsp(struct str s)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t' || s.p[n] == '\r' || s.p[n] == '\n'))
		n++;
	return n;
}

/* A run of adjacent words of one charset: their bytes are joined before they are converted. */
struct run {
	struct str charset;
	struct buf bytes;
	struct enc_b64dec b64;
	bool open;
};

static void
flush(struct run *r, struct arena *a, struct buf *out)
{
	if (!r->open)
		return;
	enc_b64dec_end(&r->b64, &r->bytes);
	struct str text = message_charset_decode(a, r->charset, buf_str(&r->bytes));
	/* Nothing that came encoded may act as the end of a header line later. */
	for (size_t i = 0; i < text.n; i++)
		buf_addc(out, text.p[i] == '\r' || text.p[i] == '\n' || text.p[i] == '\0' ? ' ' : text.p[i]);
	buf_reset(&r->bytes);
	r->open = false;
}

static void
add_word(struct run *r, const struct word *w, struct arena *a, struct buf *out)
{
	if (r->open && !str_icase(r->charset, w->charset))
		flush(r, a, out);
	if (!r->open) {
		r->open = true;
		r->charset = w->charset;
		r->b64 = (struct enc_b64dec){ 0 };
	}
	if (w->encoding == 'b') {
		enc_b64dec_add(&r->b64, w->text, &r->bytes);
		/* Words are whole by themselves, but some senders cut one base64 text anywhere: those have no padding and odd ends. */
		if (w->text.n % 4 == 0 || r->b64.padded)
			enc_b64dec_end(&r->b64, &r->bytes);
	} else {
		enc_b64dec_end(&r->b64, &r->bytes);
		add_q(w->text, &r->bytes);
	}
}

static struct str
decode(struct arena *a, struct str s)
{
	struct buf out = BUF_ARENA(a, SIZE_MAX / 2);
	struct run run = { .bytes = BUF_ARENA(a, SIZE_MAX / 2) };
	struct str plain = str_n(s.p, 0);       /* text before s that is not decoded yet */

	buf_reserve(&out, s.n);
	while (s.n > 0) {
		struct word w;
		const char *eq = memchr(s.p, '=', s.n);
		size_t skip = eq ? (size_t)(eq - s.p) : s.n;
		plain.n += skip;
		s = str_from(s, skip);
		size_t n = take_word(s, &w);
		if (n == 0) {
			size_t one = MIN(s.n, (size_t)1);
			plain.n += one;
			s = str_from(s, one);
			continue;
		}
		/* White space between encoded words is not shown: rfc/2047:512 */
		if (!(run.open && count_wsp(plain) == plain.n)) {
			flush(&run, a, &out);
			buf_add(&out, message_to_utf8(a, plain));
		}
		add_word(&run, &w, a, &out);
		s = str_from(s, n);
		plain = str_n(s.p, 0);
	}
	flush(&run, a, &out);
	buf_add(&out, message_to_utf8(a, plain));
	return buf_str(&out);
}

/* Raw ISO-2022-JP is all ASCII bytes: an escape to a Japanese set shows it (RFC 1468). */
static bool
is_iso_2022_jp(struct str s)
{
	const char *esc = s.n > 2 ? memchr(s.p, '\033', s.n - 2) : NULL;

	return esc && esc[1] == '$' && (esc[2] == 'B' || esc[2] == '@');
}

struct str
message_decode_words(struct arena *a, struct str s)
{
	if (is_iso_2022_jp(s))
		return message_charset_decode(a, S("iso-2022-jp"), s);
	if (str_search(s, S("=?")) < 0)
		return message_to_utf8(a, s);
	return decode(a, s);
}
