/* SPDX-License-Identifier: MIT */
/*
 * Transfer encodings: decoding bodies, and counting what decoding would give.
 *
 * Implementation notes. Parsing needs the decoded size of every part, and must stay quick, so it does not decode: base64 is counted, lines of
 * quoted-printable are looked at only around '='. Whatever is irregular is given to the decoder itself, whose output is counted, so that the
 * two cannot disagree: readers promise decoded_size bytes. Tests and fuzzers compare them.
 */
#include "message/message_internal.h"

#include "base/mem.h"

/* Decoding */

void
message_decoder_init(struct message_decoder *d, enum message_encoding encoding, bool crlf)
{
	*d = (struct message_decoder){ .encoding = encoding, .crlf = crlf };
}

/* give appends decoded bytes, with line ends made CRLF if asked for. */
static void
give(struct message_decoder *d, struct str s, struct buf *out)
{
	if (!d->crlf) {
		buf_add(out, s);
		return;
	}
	while (s.n > 0) {
		const char *lf = memchr(s.p, '\n', s.n);
		size_t n = lf ? (size_t)(lf - s.p) : s.n;
		if (n > 0) {
			buf_add(out, str_upto(s, n));
			d->last = s.p[n - 1];
		}
		s = str_from(s, n);
		if (!lf)
			break;
		buf_add(out, d->last == '\r' ? S("\n") : S("\r\n"));
		d->last = '\n';
		s = str_from(s, 1);
	}
}

/* uuencode: lines of a length character and groups of four characters, between "begin mode name" and "end". */
static void
uu_line(struct message_decoder *d, struct str s, struct buf *out)
{
	char dec[128];
	size_t n = 0;

	if (!d->in_data) {
		if (!d->after_data && str_starts(s, S("begin ")))
			d->in_data = true;
		return;
	}
	if (str_is(s, S("end"))) {
		d->in_data = false;
		d->after_data = true;
		return;
	}
	if (s.n == 0)
		return;
	size_t want = (size_t)(s.p[0] - ' ') & 63, have = (s.n - 1 + 3) / 4 * 3;
	if (want > have) {
		d->bad++;
		want = have;
	}
	for (size_t i = 1; n < want; i += 4) {
		unsigned v[4];
		/* Spaces at the end of the line may be lost: they are zeros. */
		for (size_t k = 0; k < 4; k++)
			v[k] = i + k < s.n ? (unsigned)(s.p[i + k] - ' ') & 63 : 0;
		dec[n++] = (char)(v[0] << 2 | v[1] >> 4);
		dec[n++] = (char)(v[1] << 4 | v[2] >> 2);
		dec[n++] = (char)(v[2] << 6 | v[3]);
	}
	give(d, str_n(dec, want), out);
}

static void
uu_add(struct message_decoder *d, struct str in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (c == '\n') {
			uu_line(d, str_n(d->line, d->nline), out);
			d->nline = 0;
		} else if (c != '\r' && d->nline < sizeof(d->line)) {
			d->line[d->nline++] = c;
		}
	}
}

void
message_decoder_add(struct message_decoder *d, struct str in, struct buf *out)
{
	/* base64 and quoted-printable go straight out, unless line ends have to be looked at. */
	struct buf tmp = BUF_INIT(SIZE_MAX / 2), *o = d->crlf ? &tmp : out;

	switch (d->encoding) {
	case MESSAGE_BASE64:
		enc_b64dec_add(&d->b64, in, o);
		break;
	case MESSAGE_QP:
		enc_qpdec_add(&d->qp, in, o);
		break;
	case MESSAGE_UUENCODE:
		uu_add(d, in, out);
		return;
	default:
		give(d, in, out);
		return;
	}
	if (d->crlf)
		give(d, buf_str(&tmp), out);
	buf_done(&tmp);
}

void
message_decoder_end(struct message_decoder *d, struct buf *out)
{
	char room[256];
	struct buf tmp = BUF_INIT(sizeof(room));

	switch (d->encoding) {
	case MESSAGE_BASE64:
		enc_b64dec_end(&d->b64, &tmp);
		d->bad += d->b64.bad;
		break;
	case MESSAGE_QP:
		enc_qpdec_end(&d->qp, &tmp);
		d->bad += d->qp.bad;
		break;
	case MESSAGE_UUENCODE:
		if (d->nline > 0)
			uu_line(d, str_n(d->line, d->nline), out);
		if (d->in_data)
			d->bad++;
		break;
	default:
		break;
	}
	give(d, buf_str(&tmp), out);
	buf_done(&tmp);
}

/* Counting */

/* 1 for the characters of base64. */
static const uint8_t b64_char[256] = {
	['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['0' ... '9'] = 1, ['+'] = 1, ['/'] = 1,
};

void
message_counter_init(struct message_counter *c, enum message_encoding encoding, bool crlf)
{
	*c = (struct message_counter){ .encoding = encoding, .crlf = crlf, .scratch = BUF_INIT(SIZE_MAX / 2) };
}

/* slow counts by decoding, from now on. */
static void
slow(struct message_counter *c, struct str s)
{
	if (!c->slow) {
		c->slow = mem_alloc(sizeof(*c->slow));
		message_decoder_init(c->slow, c->encoding, c->crlf);
	}
	c->line_slow = true;
	message_decoder_add(c->slow, s, &c->scratch);
	c->size += (int64_t)c->scratch.n;
	buf_reset(&c->scratch);
}

static void
count_base64(struct message_counter *c, struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += b64_char[(unsigned char)s.p[i]];
	if (n == s.n && !c->padded) {
		c->size += (int64_t)((c->group + n) / 4 * 3);
		c->group = (unsigned)((c->group + n) % 4);
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '=') {
			/* Ends the group: two characters are one byte, three are two. */
			if (c->group >= 2)
				c->size += c->group - 1;
			if (!c->padded && c->group < 2)
				c->bad++;
			c->group = 0;
			c->padded = true;
		} else if (b64_char[(unsigned char)s.p[i]]) {
			if (c->padded)
				c->bad++;
			c->padded = false;
			if (++c->group == 4) {
				c->group = 0;
				c->size += 3;
			}
		} else if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r') {
			c->bad++;
		}
	}
}

static void
count_qp(struct message_counter *c, struct str s, bool whole)
{
	struct str rest = s;
	int64_t n = 0;

	if (!whole || c->line_slow) {
		slow(c, s);
		return;
	}
	while (rest.n > 0) {
		const char *eq = memchr(rest.p, '=', rest.n);
		if (!eq) {
			/* White space at the end of a line goes. A long run of it the decoder gives in part. */
			size_t wsp = 0;
			while (wsp < rest.n && (rest.p[rest.n - 1 - wsp] == ' ' || rest.p[rest.n - 1 - wsp] == '\t'))
				wsp++;
			/* A CR before it would become part of a line end. */
			if (wsp >= 80 || (wsp > 0 && wsp < rest.n && rest.p[rest.n - 1 - wsp] == '\r')) {
				slow(c, s);
				return;
			}
			n += (int64_t)(rest.n - wsp);
			break;
		}
		n += eq - rest.p;
		rest = str_from(rest, (size_t)(eq - rest.p));
		if (rest.n == 1 && (s.n == 1 || s.p[s.n - 2] != '\r')) {
			c->soft = true;
			break;
		}
		/* Whatever is not "=XX", or could be half of a line end, is left to the decoder. */
		if (rest.n < 3 || enc_hexval(rest.p[1]) < 0 || enc_hexval(rest.p[2]) < 0 ||
		    (c->crlf && rest.p[1] == '0' && ((rest.p[2] | 0x20) == 'a' || (rest.p[2] | 0x20) == 'd'))) {
			slow(c, s);
			return;
		}
		n++;
		rest = str_from(rest, 3);
	}
	c->size += n;
	/* If the decoder takes over again: what it would have given out last is no CR. */
	if (c->slow && n > 0)
		c->slow->last = 0;
}

void
message_counter_content(struct message_counter *c, struct str s, bool whole)
{
	switch (c->encoding) {
	case MESSAGE_BASE64:
		if (c->crlf)
			slow(c, s);
		else
			count_base64(c, s);
		break;
	case MESSAGE_QP:
		count_qp(c, s, whole);
		break;
	case MESSAGE_UUENCODE:
		slow(c, s);
		break;
	default:
		c->size += (int64_t)s.n;
		break;
	}
}

void
message_counter_eol(struct message_counter *c, struct str eol)
{
	switch (c->encoding) {
	case MESSAGE_BASE64:
		break;
	case MESSAGE_UUENCODE:
		slow(c, eol);
		break;
	case MESSAGE_QP:
		if (c->line_slow)
			slow(c, eol);
		else if (!c->soft)
			c->size += c->crlf ? 2 : (int64_t)eol.n;
		if (c->slow && !c->line_slow && !c->soft)
			c->slow->last = '\n';
		c->soft = c->line_slow = false;
		break;
	default:
		c->size += c->crlf ? 2 : (int64_t)eol.n;
		break;
	}
}

int64_t
message_counter_end(struct message_counter *c, size_t *r_bad)
{
	if (c->encoding == MESSAGE_BASE64 && c->group > 0) {
		c->bad++;
		if (c->group >= 2)
			c->size += c->group - 1;
	}
	if (c->soft)
		c->bad++;
	if (c->slow) {
		message_decoder_end(c->slow, &c->scratch);
		c->size += (int64_t)c->scratch.n;
		c->bad += c->slow->bad;
		mem_free(&c->slow);
	}
	buf_done(&c->scratch);
	*r_bad = c->bad;
	return c->size;
}
