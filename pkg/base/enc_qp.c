/* SPDX-License-Identifier: MIT */
/*
 * Quoted-printable (RFC 2045 6.7).
 *
 * Implementation notes. The decoder holds back what it cannot judge before the next byte: a run of white space (dropped when a line
 * end follows, rfc/2045:1085), or an escape: '=' with a hex digit, or with the padding and CR of a soft line break (rfc/2045:1223).
 * What it holds always starts with '=', SP or TAB.
 */
#include "base/enc.h"

#include "base/err.h"

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* What was held is no escape, or white space within a line: it passes through. */
static void
release(struct enc_qpdec *d, struct buf *out)
{
	if (d->held[0] == '=')
		d->bad++;
	buf_add(out, str_n(d->held, d->nheld));
	d->nheld = 0;
}

/*
 * Takes c as the continuation of what is held; false if it is none, or if this is a longer run of white space than any legal line has.
 */
static bool
continues(struct enc_qpdec *d, char c, struct buf *out)
{
	char last = d->held[d->nheld - 1];
	bool escape = d->held[0] == '=';

	if (c == '\n') {
		if (escape && enc_hexval(last) >= 0)
			return false;
		if (!escape)
			buf_add(out, last == '\r' ? S("\r\n") : S("\n"));
		d->nheld = 0;
		return true;
	}
	if (escape && d->nheld == 2 && enc_hexval(last) >= 0) {
		if (enc_hexval(c) < 0)
			return false;
		if (last >= 'a' || c >= 'a')
			d->bad++;       /* rfc/2045:1047 */
		buf_addc(out, (char)(enc_hexval(last) << 4 | enc_hexval(c)));
		d->nheld = 0;
		return true;
	}
	if (last == '\r' || (!is_wsp(c) && c != '\r' && (!escape || d->nheld > 1 || enc_hexval(c) < 0)))
		return false;
	if (d->nheld == sizeof(d->held)) {
		d->bad += !escape;
		return false;
	}
	d->held[d->nheld++] = c;
	return true;
}

/* Bytes that stand for themselves wherever they are. */
static bool
is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '=';
}

/* How many bytes at the start stand for themselves: printable ones, line ends, and white space before a printable one. */
static size_t
plain_run(struct str in)
{
	size_t i = 0;

	while (i < in.n) {
		char c = in.p[i];
		if (is_plain(c) || c == '\r' || c == '\n')
			i++;
		else if (is_wsp(c) && i + 1 < in.n && is_plain(in.p[i + 1]))
			i += 2;
		else
			break;
	}
	return i;
}

void
enc_qpdec_add(struct enc_qpdec *d, struct str in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		if (d->nheld == 0) {
			size_t run = plain_run(str_from(in, i));
			buf_add(out, str_upto(str_from(in, i), run));
			i += run;
			if (i == in.n)
				return;
		}
		char c = in.p[i];

		if (d->nheld > 0) {
			if (continues(d, c, out))
				continue;
			release(d, out);
		}
		if (c == '=' || is_wsp(c)) {
			d->held[d->nheld++] = c;
			continue;
		}
		if ((c < ' ' && c != '\r' && c != '\n') || c == 0x7f)   /* also 8-bit characters: char is signed */
			d->bad++;
		buf_addc(out, c);
	}
}

void
enc_qpdec_end(struct enc_qpdec *d, struct buf *out)
{
	if (d->nheld == 0)
		return;
	if (is_wsp(d->held[0])) {
		/* The end of the data is the end of a line. */
		if (d->held[d->nheld - 1] == '\r')
			buf_addc(out, '\r');
	} else if (d->nheld > 1 && enc_hexval(d->held[1]) >= 0) {
		release(d, out);
		return;
	} else {
		/* A soft line break whose line end went to a MIME boundary; not allowed, but common. */
		d->bad++;
	}
	d->nheld = 0;
}

void
enc_qp(struct buf *b, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t col = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		struct str rest = str_from(s, i + 1);
		bool at_end = rest.n == 0 || rest.p[0] == '\n' || str_starts(rest, S("\r\n"));
		bool plain = (c > ' ' && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !at_end);
		size_t width = plain ? 1 : 3;

		if (c == '\n' || (c == '\r' && str_starts(rest, S("\n")))) {
			buf_add(b, S("\r\n"));
			i += c == '\r';
			col = 0;
			continue;
		}
		if (col + width > 75) {         /* one more is for the '=' */
			buf_add(b, S("=\r\n"));
			col = 0;
		}
		if (plain)
			buf_addc(b, s.p[i]);
		else
			buf_add(b, str_n((char[]){ '=', hex[c >> 4], hex[c & 15] }, 3));
		col += width;
	}
}
