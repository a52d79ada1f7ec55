/* SPDX-License-Identifier: MIT */
/* seal.c - adding a set, rfc/8617:757 */
#include "base/buf.h"
#include "base/enc.h"
#include "base/limits.h"
#include "arc/arc_internal.h"
#include "message/header.h"

#define FIELD_MAX 65536
#define COLUMNS 76

const char *const arc_names[ARC_KINDS] = { "ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal" };

static const char *const default_headers[] = {
	"From",
	"To",
	"Cc",
	"Reply-To",
	"References",
	"In-Reply-To",
	"Subject",
	"Date",
	"Message-Id",
	"Content-Type",
	"Mime-Version",
	"DKIM-Signature",
};

/* Appends base64 in lines. */
static void
add_base64(struct buf *b, struct arena *a, struct str raw)
{
	struct str s = enc_base64(a, raw, ENC_STD);

	while (s.n > 0) {
		struct str line = str_upto(s, COLUMNS - 8);

		buf_add(b, line);
		s = str_from(s, line.n);
		if (s.n > 0)
			buf_addz(b, "\r\n\t");
	}
}

/* Folds a text at spaces. */
static void
add_folded(struct buf *b, struct str s, size_t column)
{
	while (s.n > 0) {
		struct str word = str_split(&s, ' ');

		if (column > 1 && column + 1 + word.n > COLUMNS) {
			buf_addz(b, "\r\n\t");
			column = 1;
		} else if (column > 1) {
			buf_addc(b, ' ');
			column++;
		}
		buf_add(b, word);
		column += word.n;
	}
}

static bool
may_cover(struct str name)
{
	return !str_icase(name, S("Authentication-Results")) && !str_istarts(name, S("ARC-"));
}

static void
names_to_cover(struct arena *a, struct str header, const struct arc_seal_args *g, struct strlist *r_names)
{
	for (size_t i = 0; i < g->headers.n; i++)
		if (may_cover(g->headers.v[i]))
			strlist_add(a, r_names, g->headers.v[i]);
	for (size_t i = 0; g->headers.n == 0 && i < ARRAY_LEN(default_headers); i++)
		for (size_t k = message_field_count(header, str_of(default_headers[i])); k > 0; k--)
			strlist_add(a, r_names, str_of(default_headers[i]));
}

static const char *
algorithm(const struct arc_seal_args *g)
{
	return EVP_PKEY_is_a(g->key, "RSA") == 1 ? "rsa-sha256" : "ed25519-sha256";
}

/* Signs data and ends the field with the signature. */
static int
finish(struct arena *a, const struct arc_seal_args *g, struct str data, struct buf *field)
{
	struct str signature;

	TRY(dkim_sign_data(a, g->key, data, &signature));
	add_base64(field, a, signature);
	buf_addz(field, "\r\n");
	return field->failed ? ERR_LIMIT : 0;
}

static int
message_signature(struct arena *a, const struct message_source *msg, struct str header, const struct arc_seal_args *g,
    size_t instance, long long now, struct buf *field)
{
	struct strlist names = { 0 };
	static const bool want[2] = { [DKIM_RELAXED] = true };
	struct ctx ctx = { 0 };
	uint8_t hash[2][32];
	struct str data;

	names_to_cover(a, header, g, &names);
	TRY(dkim_hash_body(a, &ctx, msg, (int64_t)header.n, want, hash));
	buf_addf(field, "%s: i=%zu; a=%s; c=relaxed/relaxed;\r\n\td=" STRF "; s=" STRF "; t=%lld;\r\n\th=", arc_names[ARC_AMS],
	    instance, algorithm(g), STRA(g->domain), STRA(g->selector), now);
	for (size_t i = 0, column = 3; i < names.n; i++) {
		if (i > 0)
			buf_addc(field, ':');
		if (column + names.v[i].n > COLUMNS) {
			buf_addz(field, "\r\n\t");
			column = 1;
		}
		buf_add(field, names.v[i]);
		column += names.v[i].n + 1;
	}
	buf_addf(field, ";\r\n\tbh=" STRF ";\r\n\tb=", STRA(enc_base64(a, str_n((const char *)hash[DKIM_RELAXED], 32), ENC_STD)));
	TRY(dkim_signed_data(a, header, &names, DKIM_RELAXED, buf_str(field), &data));
	return finish(a, g, data, field);
}

int
arc_seal(struct arena *a, const struct message_source *msg, const struct arc_chain *chain, const struct arc_seal_args *args,
    struct str *r_fields, struct errmsg *e)
{
	struct buf field[ARC_KINDS] = { BUF_ARENA(a, FIELD_MAX), BUF_ARENA(a, FIELD_MAX), BUF_ARENA(a, FIELD_MAX) };
	struct buf data = BUF_ARENA(a, LIMIT_HEADER_SIZE * 2);
	long long now = (long long)(clock_now_us(args->clock) / TIME_SEC);
	size_t instance = chain->n + 1;
	bool failed = chain->status == ARC_FAIL;
	struct str header;
	int rv;

	*r_fields = S("");
	if (chain->ended || instance > ARC_MAX_SETS)
		return 0;
	rv = dkim_read_header(a, msg, &header);
	if (rv < 0)
		return err_set(e, rv, "the header of the message cannot be read");
	buf_addf(&field[ARC_AAR], "%s: i=%zu;", arc_names[ARC_AAR], instance);
	add_folded(&field[ARC_AAR], args->results, field[ARC_AAR].n);
	buf_addz(&field[ARC_AAR], "\r\n");
	rv = message_signature(a, msg, header, args, instance, now, &field[ARC_AMS]);
	if (rv < 0)
		return err_set(e, rv, "signing the message for ARC failed");
	buf_addf(&field[ARC_AS], "%s: i=%zu; a=%s; cv=%s;\r\n\td=" STRF "; s=" STRF "; t=%lld;\r\n\tb=", arc_names[ARC_AS],
	    instance, algorithm(args),
	    failed           ? "fail" :
		chain->n > 0 ? "pass" :
			    "none",
	    STRA(args->domain), STRA(args->selector), now);
	/* Of a failed chain nobody can tell what its sets are, so only the new one is covered: rfc/8617:835 */
	for (size_t i = 0; !failed && i < chain->n; i++)
		for (int k = 0; k < ARC_KINDS; k++)
			dkim_canon_field(&data, chain->sets[i].field[k], DKIM_RELAXED);
	dkim_canon_field(&data, buf_str(&field[ARC_AAR]), DKIM_RELAXED);
	dkim_canon_field(&data, buf_str(&field[ARC_AMS]), DKIM_RELAXED);
	dkim_canon_field(&data, buf_str(&field[ARC_AS]), DKIM_RELAXED);
	rv = data.failed || field[ARC_AAR].failed ? ERR_LIMIT : finish(a, args, buf_str(&data), &field[ARC_AS]);
	if (rv < 0)
		return err_set(e, rv, "sealing failed");
	*r_fields = str_cat(a, str_cat(a, buf_str(&field[ARC_AS]), buf_str(&field[ARC_AMS])), buf_str(&field[ARC_AAR]));
	return 0;
}
