/* SPDX-License-Identifier: MIT */
/* record.c - key records, rfc/6376:1430, and their look-up. */
#include "base/buf.h"
#include "base/enc.h"
#include "dkim/dkim.h"

const char *
dkim_status_text(enum dkim_status s)
{
	static const char *const text[] = { "none", "pass", "fail", "policy", "neutral", "temperror", "permerror" };

	bug_if((size_t)s >= ARRAY_LEN(text));
	return text[s];
}

static void
colon_list(struct arena *a, const struct dkim_tag *g, struct strlist *r_l)
{
	struct str s = g ? g->value : S("");

	while (s.n > 0) {
		struct str item = str_trim(str_split(&s, ':'));

		if (item.n > 0)
			strlist_add(a, r_l, str_lower(a, item));
	}
}

/* Notes are quoted-printable without line breaks: rfc/6376:494 */
static struct str
qp(struct arena *a, struct str s)
{
	struct buf out = BUF_ARENA(a, s.n + 1);
	struct enc_qpdec d = { 0 };

	enc_qpdec_add(&d, s, &out);
	enc_qpdec_end(&d, &out);
	return buf_str(&out);
}

int
dkim_parse_record(struct arena *a, struct str txt, struct dkim_record *r_rec, bool *r_is_dkim, struct errmsg *e)
{
	struct dkim_record rec = { .key_type = S("rsa") };
	struct dkim_tags t = { 0 };
	struct dkim_tag first;
	struct str probe = txt;
	const struct dkim_tag *g;

	*r_is_dkim = dkim_tag_next(&probe, &first) == 1 && !(str_is(first.name, S("v")) && !str_is(first.value, S("DKIM1")));
	TRY(dkim_tags(a, txt, &t, e));
	/* v= is RECOMMENDED, MUST be the first if present, and is "DKIM1": rfc/6376:1448 */
	g = dkim_tag_get(&t, "v");
	if (g && (g != &t.v[0] || !str_is(g->value, S("DKIM1"))))
		return err_set(e, ERR_INVALID, "v= is not first, or not DKIM1");
	colon_list(a, dkim_tag_get(&t, "h"), &rec.hashes);
	if ((g = dkim_tag_get(&t, "k")))
		rec.key_type = str_lower(a, g->value);
	if (!str_is(rec.key_type, S("rsa")) && !str_is(rec.key_type, S("ed25519")))
		return err_set(e, ERR_INVALID, "unknown type of key");
	if ((g = dkim_tag_get(&t, "n")))
		rec.notes = qp(a, g->value);
	colon_list(a, dkim_tag_get(&t, "s"), &rec.services);
	colon_list(a, dkim_tag_get(&t, "t"), &rec.flags);
	if (!(g = dkim_tag_get(&t, "p")))
		return err_set(e, ERR_INVALID, "tag p= is missing");
	if (dkim_unbase64(a, g->value, &rec.public_key) < 0)
		return err_set(e, ERR_INVALID, "p= is no base64");
	if (str_is(rec.key_type, S("ed25519")) && rec.public_key.n != 0 && rec.public_key.n != 32)
		return err_set(e, ERR_INVALID, "an Ed25519 key has 32 octets");
	*r_rec = rec;
	return 0;
}

/* dkim-quoted-printable: everything but printable ASCII without "=" and ";" is escaped. */
static void
add_notes(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c > ' ' && c < 0x7f && c != '=' && c != ';')
			buf_addc(b, (char)c);
		else
			buf_addf(b, "=%02X", c);
	}
}

struct str
dkim_pack_record(struct arena *a, const struct dkim_record *rec)
{
	struct buf b = BUF_ARENA(a, 65536);

	buf_addz(&b, "v=DKIM1");
	if (rec->hashes.n > 0)
		buf_addf(&b, ";h=" STRF, STRA(strlist_join(a, &rec->hashes, S(":"))));
	if (!str_is(rec->key_type, S("rsa")))
		buf_addf(&b, ";k=" STRF, STRA(rec->key_type));
	if (rec->notes.n > 0) {
		buf_addz(&b, ";n=");
		add_notes(&b, rec->notes);
	}
	if (rec->services.n > 0 && !(rec->services.n == 1 && str_is(rec->services.v[0], S("*"))))
		buf_addf(&b, ";s=" STRF, STRA(strlist_join(a, &rec->services, S(":"))));
	if (rec->flags.n > 0)
		buf_addf(&b, ";t=" STRF, STRA(strlist_join(a, &rec->flags, S(":"))));
	buf_addz(&b, ";p=");
	enc_base64_add(&b, rec->public_key, ENC_STD);
	return buf_str(&b);
}

enum dkim_status
dkim_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str selector, struct str domain,
    struct str *r_txt, struct dkim_record *r_rec, bool *r_authentic, struct errmsg *e)
{
	struct str name = str_fmt(a, STRF "._domainkey." STRF, STRA(selector), STRA(domain));
	struct errmsg bad = { 0 };
	struct dns_result res;
	unsigned good = 0;
	int rv = dns_lookup(r, a, ctx, DNS_TXT, name, 0, &res, e);

	*r_authentic = res.authentic;
	if (rv < 0) {
		if (dns_is_temporary(rv))
			return DKIM_TEMPERROR;
		return DKIM_PERMERROR;
	}
	for (size_t i = 0; i < res.n; i++) {
		struct dkim_record rec;
		struct errmsg m = { 0 };
		bool is_dkim;

		if (dkim_parse_record(a, res.v[i].text, &rec, &is_dkim, &m) == 0) {
			if (good++ == 0) {
				*r_rec = rec;
				*r_txt = res.v[i].text;
			}
		} else if (is_dkim && bad.text[0] == '\0') {
			bad = m;
		}
	}
	if (bad.text[0]) {
		err_set(e, ERR_INVALID, "key record: %s", bad.text);
		return DKIM_PERMERROR;
	}
	if (good == 1)
		return DKIM_NEUTRAL;
	/* Several records: the result is undefined (rfc/6376:2612), most likely a change under way. */
	err_set(e, ERR_INVALID, good ? "several key records" : "no key record among the TXT records");
	return DKIM_TEMPERROR;
}
