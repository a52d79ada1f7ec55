/* SPDX-License-Identifier: MIT */
/* sign.c - making DKIM-Signature fields. */
#include "base/buf.h"
#include "base/enc.h"
#include "dkim/dkim.h"
#include "message/header.h"
#include "metrics/metrics.h"

#define FIELD_MAX 65536
#define COLUMNS 76

static struct metric metric_sign = METRICS_COUNTER_INIT("mox_dkim_sign_total", "DKIM signatures made.", "key");

static const char *const default_headers[] = {
	"From", "To", "Cc", "Bcc", "Reply-To", "References", "In-Reply-To", "Subject", "Date", "Message-Id", "Content-Type",
};

/* A field that is folded before it passes COLUMNS. */
struct writer {
	struct buf b;
	size_t column;
};

static void
put(struct writer *w, struct str s)
{
	if (w->column > 1 && w->column + s.n > COLUMNS) {
		buf_addz(&w->b, "\r\n\t");
		w->column = 1;
	}
	buf_add(&w->b, s);
	w->column += s.n;
}

/* A tag with a value that must stay in one piece; a space goes before it where the line goes on. */
static void
put_tag(struct writer *w, struct arena *a, const char *name, struct str value, const char *end)
{
	struct str s = str_fmt(a, "%s=" STRF "%s", name, STRA(value), end);

	if (w->column + 1 + s.n > COLUMNS) {
		buf_addz(&w->b, "\r\n\t");
		w->column = 1;
	} else {
		buf_addc(&w->b, ' ');
		w->column++;
	}
	buf_add(&w->b, s);
	w->column += s.n;
}

/* A long value that may be broken between pieces of the given length. */
static void
put_broken(struct writer *w, struct str s)
{
	while (s.n > 0) {
		size_t n = MIN(s.n, w->column < COLUMNS ? COLUMNS - w->column : 0);

		if (n == 0) {
			buf_addz(&w->b, "\r\n\t");
			w->column = 1;
			continue;
		}
		buf_add(&w->b, str_upto(s, n));
		w->column += n;
		s = str_from(s, n);
	}
}

/* The names for h=: each as often as it occurs, and once more where the header is sealed. */
static void
names_to_sign(struct arena *a, struct str header, const struct dkim_signer *s, struct strlist *r_names)
{
	size_t n = s->headers.n > 0 ? s->headers.n : ARRAY_LEN(default_headers);

	for (size_t i = 0; i < n; i++) {
		struct str name = s->headers.n > 0 ? s->headers.v[i] : str_of(default_headers[i]);
		size_t count = message_field_count(header, name);

		if (s->dont_seal)
			count = MAX(count, (size_t)1);
		else
			count++;
		while (count-- > 0)
			strlist_add(a, r_names, name);
	}
}

/* i= is quoted-printable in which ";", "=" and what is not printable is escaped: rfc/6376:1172 */
static struct str
identity(struct arena *a, struct str localpart, struct str domain)
{
	struct buf b = BUF_ARENA(a, FIELD_MAX);

	for (size_t i = 0; i < localpart.n; i++) {
		unsigned char c = (unsigned char)localpart.p[i];

		if (c > ' ' && c != 0x7f && c != ';' && c != '=')
			buf_addc(&b, (char)c);
		else
			buf_addf(&b, "=%02X", c);
	}
	buf_addf(&b, "@" STRF, STRA(domain));
	return buf_str(&b);
}

struct signing {
	struct arena *a;
	struct str header, localpart, domain;
	int64_t now;
	const uint8_t (*hash)[32];      /* by canonicalization */
};

static int
sign_one(const struct signing *g, const struct dkim_signer *s, struct buf *out, struct errmsg *e)
{
	struct writer w = { .b = BUF_ARENA(g->a, FIELD_MAX) };
	struct strlist names = { 0 };
	struct str data, signature;
	bool rsa = EVP_PKEY_is_a(s->key, "RSA") == 1;
	int rv;

	if (rsa && EVP_PKEY_get_bits(s->key) < 1024)
		return err_set(e, ERR_INVALID, "the RSA key of selector " STRF " is shorter than 1024 bits", STRA(s->selector));
	names_to_sign(g->a, g->header, s, &names);
	if (!strlist_ihas(&names, S("From")))
		return err_set(e, ERR_INVALID, "selector " STRF " does not sign From", STRA(s->selector));

	put(&w, S("DKIM-Signature: v=1;"));
	put_tag(&w, g->a, "d", g->domain, ";");
	put_tag(&w, g->a, "s", s->selector, ";");
	if (g->localpart.n > 0)
		put_tag(&w, g->a, "i", identity(g->a, g->localpart, g->domain), ";");
	put_tag(&w, g->a, "a", rsa ? S("rsa-sha256") : S("ed25519-sha256"), ";");
	if (s->header_relaxed || s->body_relaxed)
		put_tag(&w, g->a, "c",
		    str_fmt(g->a, "%s/%s", s->header_relaxed ? "relaxed" : "simple", s->body_relaxed ? "relaxed" : "simple"),
		    ";");
	put_tag(&w, g->a, "t", str_fmt(g->a, "%lld", (long long)g->now), ";");
	if (s->expiration_us > 0)
		put_tag(&w, g->a, "x", str_fmt(g->a, "%lld", (long long)(g->now + s->expiration_us / TIME_SEC)), ";");
	put_tag(&w, g->a, "h", names.v[0], names.n > 1 ? ":" : ";");
	for (size_t i = 1; i < names.n; i++)
		put(&w, str_cat(g->a, names.v[i], i + 1 < names.n ? S(":") : S(";")));
	put_tag(&w, g->a, "bh", S(""), "");
	put_broken(&w, enc_base64(g->a, str_n((const char *)g->hash[s->body_relaxed], 32), ENC_STD));
	put(&w, S(";"));
	put_tag(&w, g->a, "b", S(""), "");

	rv = dkim_signed_data(g->a, g->header, &names, s->header_relaxed ? DKIM_RELAXED : DKIM_SIMPLE, buf_str(&w.b), &data);
	if (rv == 0)
		rv = dkim_sign_data(g->a, s->key, data, &signature);
	if (rv < 0)
		return err_set(e, rv, "signing with selector " STRF " failed", STRA(s->selector));
	put_broken(&w, enc_base64(g->a, signature, ENC_STD));
	buf_addz(&w.b, "\r\n");
	buf_add(out, buf_str(&w.b));
	if (w.b.failed || out->failed)
		return err_set(e, ERR_LIMIT, "the signature field is too large");
	metrics_add(&metric_sign, 1, rsa ? "rsa" : "ed25519", NULL);
	return 0;
}

int
dkim_sign(struct arena *a, const struct message_source *msg, struct str localpart, struct str domain,
    const struct dkim_signer *signers, size_t n, const struct clock *clock, struct str *r_fields, struct errmsg *e)
{
	struct signing g = { .a = a, .localpart = localpart, .domain = domain, .now = clock_now_us(clock) / TIME_SEC };
	bool want[2] = { false, false };
	struct buf out = BUF_ARENA(a, FIELD_MAX * 4);
	struct ctx ctx = { 0 };
	uint8_t hash[2][32];
	int rv = dkim_read_header(a, msg, &g.header);

	if (rv < 0)
		return err_set(e, rv, "the header of the message has no end, or cannot be read");
	if (message_field_count(g.header, S("From")) != 1)
		return err_set(e, ERR_INVALID, "a message to sign has exactly one From field");
	for (size_t i = 0; i < n; i++)
		want[signers[i].body_relaxed] = true;
	rv = dkim_hash_body(a, &ctx, msg, (int64_t)g.header.n, want, hash);
	if (rv < 0)
		return err_set(e, rv, "hashing the message failed");
	g.hash = (const uint8_t (*)[32])hash;
	for (size_t i = 0; i < n; i++)
		TRY(sign_one(&g, &signers[i], &out, e));
	*r_fields = buf_str(&out);
	return 0;
}
