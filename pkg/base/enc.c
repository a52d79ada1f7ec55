/* SPDX-License-Identifier: MIT */
/* base64, hexadecimal and percent-encoding; quoted-printable is in enc_qp.c. */
#include "base/enc.h"

#include "base/arena.h"
#include "base/cur.h"
#include "base/err.h"

static const char std_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int
base64_value(char c, enum enc_base64 kind)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (kind == ENC_URL ? '-' : '+'))
		return 62;
	if (c == (kind == ENC_URL ? '_' : '/'))
		return 63;
	return -1;
}

/* Writes the encoding to out, which has room for (n + 2) / 3 * 4 characters, and returns its length. */
static size_t
base64_write(char *out, struct str s, enum enc_base64 kind)
{
	const char *alphabet = kind == ENC_URL ? url_alphabet : std_alphabet;
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = 0, i = 0;

	for (; s.n - i >= 3; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];

		out[n++] = alphabet[v >> 18];
		out[n++] = alphabet[v >> 12 & 63];
		out[n++] = alphabet[v >> 6 & 63];
		out[n++] = alphabet[v & 63];
	}
	if (i < s.n) {
		bool two = s.n - i == 2;
		uint32_t v = (uint32_t)p[i] << 16 | (two ? (uint32_t)p[i + 1] << 8 : 0);

		out[n++] = alphabet[v >> 18];
		out[n++] = alphabet[v >> 12 & 63];
		if (two)
			out[n++] = alphabet[v >> 6 & 63];
		else if (kind == ENC_STD)
			out[n++] = '=';
		if (kind == ENC_STD)
			out[n++] = '=';
	}
	return n;
}

struct str
enc_base64(struct arena *a, struct str s, enum enc_base64 kind)
{
	char *p = arena_bytes(a, (s.n + 2) / 3 * 4 + 1);
	size_t n = base64_write(p, s, kind);

	p[n] = '\0';
	return str_n(p, n);
}

void
enc_base64_add(struct buf *b, struct str s, enum enc_base64 kind)
{
	if (s.n > 0 && buf_reserve(b, (s.n + 2) / 3 * 4))
		buf_wrote(b, base64_write(buf_tail(b), s, kind));
}

void
enc_base64_lines(struct buf *b, struct str s)
{
	while (s.n > 0) {
		enc_base64_add(b, str_upto(s, 57), ENC_STD);
		buf_add(b, S("\r\n"));
		s = str_from(s, 57);
	}
}

int
enc_unbase64(struct arena *a, struct str s, enum enc_base64 kind, struct str *r_out)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t n = 0;
	char *out;

	if (kind == ENC_STD) {
		if (s.n % 4 != 0)
			return ERR_INVALID;
		/* Whether one or two '=' belong there shows in the bits that are left over. */
		if (str_ends(s, S("==")))
			s.n -= 2;
		else if (str_ends(s, S("=")))
			s.n -= 1;
	}
	if (s.n % 4 == 1)
		return ERR_INVALID;
	out = arena_bytes(a, s.n / 4 * 3 + 3);
	for (size_t i = 0; i < s.n; i++) {
		int v = base64_value(s.p[i], kind);

		if (v < 0)
			return ERR_INVALID;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(acc >> bits);
			acc &= (1U << bits) - 1;
		}
	}
	if (acc != 0)
		return ERR_INVALID;
	out[n] = '\0';
	*r_out = str_n(out, n);
	return 0;
}

/* The value of each character of the standard alphabet plus 64; 0 for others. */
static const uint8_t b64_values[256] = {
	['A'] = 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89,
	['a'] = 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115,
	['0'] = 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, ['+'] = 126, ['/'] = 127,
};

/* Ends a group of four characters early: writes the whole bytes that it has. */
static void
b64dec_flush(struct enc_b64dec *d, struct buf *out)
{
	if (d->bits == 6)
		d->bad++;
	if (d->bits >= 12)
		buf_addc(out, (char)(d->acc >> (d->bits - 8)));
	if (d->bits == 18)
		buf_addc(out, (char)(d->acc >> 2));
	if (d->bits >= 12 && (d->acc & (d->bits == 12 ? 15 : 3)) != 0)
		d->bad++;
	d->acc = 0;
	d->bits = 0;
}

static void
b64dec_pad(struct enc_b64dec *d, struct buf *out)
{
	if (d->padded) {
		if (d->pads_due > 0)
			d->pads_due--;
		else
			d->bad++;
		return;
	}
	if (d->bits == 0)
		d->bad++;
	d->pads_due = d->bits == 12 ? 1 : 0;
	b64dec_flush(d, out);
	d->padded = true;
}

/*
 * Decodes whole groups of four characters from the start of in, which is most of any body, without looking at room and state for
 * each byte. Returns how many characters it took: it stops at white space, padding, and when out may not take all of it.
 */
static size_t
b64dec_groups(struct str in, struct buf *out)
{
	size_t i = 0, most = in.n / 4 * 3;

	if (in.n < 4 || out->failed || out->max - out->n < most || !buf_reserve(out, most))
		return 0;
	char *p = buf_tail(out), *start = p;
	for (; in.n - i >= 4; i += 4) {
		uint32_t a = b64_values[(unsigned char)in.p[i]], b = b64_values[(unsigned char)in.p[i + 1]];
		uint32_t c = b64_values[(unsigned char)in.p[i + 2]], e = b64_values[(unsigned char)in.p[i + 3]];

		if (!(a & b & c & e & 64))
			break;
		uint32_t v = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (e & 63);
		*p++ = (char)(v >> 16);
		*p++ = (char)(v >> 8);
		*p++ = (char)v;
	}
	buf_wrote(out, (size_t)(p - start));
	return i;
}

void
enc_b64dec_add(struct enc_b64dec *d, struct str in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		if (d->bits == 0 && !d->padded) {
			i += b64dec_groups(str_from(in, i), out);
			if (i == in.n)
				return;
		}
		char c = in.p[i];
		int v = base64_value(c, ENC_STD);

		if (v < 0) {
			if (c == '=')
				b64dec_pad(d, out);
			else if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
				d->bad++;
			continue;
		}
		if (d->padded) {        /* several encodings behind one another */
			d->bad += d->pads_due > 0 ? 2 : 1;
			d->padded = false;
		}
		d->acc = d->acc << 6 | (uint32_t)v;
		d->bits += 6;
		if (d->bits == 24) {
			char three[3] = { (char)(d->acc >> 16), (char)(d->acc >> 8), (char)d->acc };

			buf_add(out, str_n(three, 3));
			d->acc = 0;
			d->bits = 0;
		}
	}
}

void
enc_b64dec_end(struct enc_b64dec *d, struct buf *out)
{
	if (d->bits >= 12 || (d->padded && d->pads_due > 0))
		d->bad++;       /* padding is missing */
	b64dec_flush(d, out);
}

struct str
enc_hex(struct arena *a, struct str s)
{
	static const char hex[] = "0123456789abcdef";
	char *p = arena_bytes(a, s.n * 2 + 1);

	for (size_t i = 0; i < s.n; i++) {
		p[2 * i] = hex[(unsigned char)s.p[i] >> 4];
		p[2 * i + 1] = hex[s.p[i] & 15];
	}
	p[s.n * 2] = '\0';
	return str_n(p, s.n * 2);
}

int
enc_hexval(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
enc_unhex(struct arena *a, struct str s, struct str *r_out)
{
	char *p;

	if (s.n % 2 != 0)
		return ERR_INVALID;
	p = arena_bytes(a, s.n / 2 + 1);
	for (size_t i = 0; i < s.n; i += 2) {
		int x = enc_hexval(s.p[i]), y = enc_hexval(s.p[i + 1]);

		if (x < 0 || y < 0)
			return ERR_INVALID;
		p[i / 2] = (char)(x << 4 | y);
	}
	p[s.n / 2] = '\0';
	*r_out = str_n(p, s.n / 2);
	return 0;
}

/* unreserved  rfc/3986:724 */
#define UNRESERVED(w) \
	(CUR_RANGE(w, 'a', 'z') | CUR_RANGE(w, 'A', 'Z') | CUR_RANGE(w, '0', '9') | CUR_CHAR(w, '-') | CUR_CHAR(w, '.') | \
	CUR_CHAR(w, '_') | CUR_CHAR(w, '~'))
static const struct cur_class unreserved = CUR_CLASS(UNRESERVED);

void
enc_percent(struct buf *b, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (cur_class_has(&unreserved, c))
			buf_addc(b, s.p[i]);
		else
			buf_add(b, str_n((char[]){ '%', hex[c >> 4], hex[c & 15] }, 3));
	}
}

int
enc_unpercent(struct arena *a, struct str s, struct str *r_out)
{
	char *p = arena_bytes(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%') {
			int x = s.n - i > 2 ? enc_hexval(s.p[i + 1]) : -1, y = x >= 0 ? enc_hexval(s.p[i + 2]) : -1;

			if (y < 0)
				return ERR_INVALID;
			p[n++] = (char)(x << 4 | y);
			i += 2;
		} else {
			p[n++] = s.p[i];
		}
	}
	p[n] = '\0';
	*r_out = str_n(p, n);
	return 0;
}
