/* SPDX-License-Identifier: MIT */
/* Decoders take anything; what they decode encodes back; pieces of any size give the same as the whole. */
#include "base/arena.h"
#include "base/enc.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct buf
b64dec(struct arena *a, struct str s, size_t piece, size_t *r_bad)
{
	struct buf b = BUF_ARENA(a, 1 << 24);
	struct enc_b64dec d = { 0 };

	for (; s.n > 0; s = str_from(s, piece))
		enc_b64dec_add(&d, str_upto(s, piece), &b);
	enc_b64dec_end(&d, &b);
	*r_bad = d.bad;
	return b;
}

static struct buf
qpdec(struct arena *a, struct str s, size_t piece, size_t *r_bad)
{
	struct buf b = BUF_ARENA(a, 1 << 24);
	struct enc_qpdec d = { 0 };

	for (; s.n > 0; s = str_from(s, piece))
		enc_qpdec_add(&d, str_upto(s, piece), &b);
	enc_qpdec_end(&d, &b);
	*r_bad = d.bad;
	return b;
}

static void
check_base64(struct arena *a, struct str s, size_t piece)
{
	struct buf whole, pieces, lines = BUF_ARENA(a, 1 << 24);
	size_t bad, bad2;
	struct str out;

	for (int kind = ENC_STD; kind <= ENC_URL; kind++) {
		if (enc_unbase64(a, s, (enum enc_base64)kind, &out) == 0)
			bug_if(!str_is(enc_base64(a, out, (enum enc_base64)kind), s));
		bug_if(enc_unbase64(a, enc_base64(a, s, (enum enc_base64)kind), (enum enc_base64)kind, &out) < 0);
		bug_if(!str_is(out, s));
	}
	whole = b64dec(a, s, s.n + 1, &bad);
	pieces = b64dec(a, s, piece, &bad2);
	bug_if(bad != bad2 || !str_is(buf_str(&whole), buf_str(&pieces)));
	if (enc_unbase64(a, s, ENC_STD, &out) == 0)
		bug_if(bad != 0 || !str_is(out, buf_str(&whole)));
	enc_base64_lines(&lines, s);
	whole = b64dec(a, buf_str(&lines), piece, &bad);
	bug_if(bad != 0 || !str_is(buf_str(&whole), s));
}

static void
check_qp(struct arena *a, struct str s, size_t piece)
{
	struct buf whole, pieces, encoded = BUF_ARENA(a, 1 << 24), crlf = BUF_ARENA(a, 1 << 24);
	size_t bad, bad2;

	whole = qpdec(a, s, s.n + 1, &bad);
	pieces = qpdec(a, s, piece, &bad2);
	bug_if(bad != bad2 || !str_is(buf_str(&whole), buf_str(&pieces)));
	enc_qp(&encoded, s);
	whole = qpdec(a, buf_str(&encoded), piece, &bad);
	/* Comes back with all line ends CRLF. */
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			buf_addc(&crlf, '\r');
		buf_addc(&crlf, s.p[i]);
	}
	bug_if(bad != 0 || !str_is(buf_str(&whole), buf_str(&crlf)));
	for (struct str rest = buf_str(&encoded); rest.n > 0;)
		bug_if(str_split(&rest, '\n').n > 77);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = { 0 };
	struct str s = str_n((const char *)data, n), out;
	struct buf b = BUF_ARENA(&a, 1 << 24);

	if (n == 0)
		return 0;
	/* The first byte chooses the size of the pieces, and is a part of the data all the same. */
	check_base64(&a, s, 1 + data[0] % 40);
	check_qp(&a, s, 1 + data[0] % 40);
	bug_if(enc_unhex(&a, enc_hex(&a, s), &out) < 0 || !str_is(out, s));
	if (enc_unhex(&a, s, &out) == 0)
		bug_if(!str_icase(enc_hex(&a, out), s));
	enc_percent(&b, s);
	bug_if(enc_unpercent(&a, buf_str(&b), &out) < 0 || !str_is(out, s));
	if (enc_unpercent(&a, s, &out) == 0)
		bug_if(out.n > s.n);
	arena_done(&a);
	return 0;
}
