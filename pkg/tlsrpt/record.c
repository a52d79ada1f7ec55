/* SPDX-License-Identifier: MIT */
/* record.c - the TXT record (rfc/8460:346), and looking it up. */
#include "base/buf.h"
#include "base/cur.h"
#include "base/enc.h"
#include "base/timeutil.h"
#include "metrics/metrics.h"
#include "tlsrpt/tlsrpt.h"

#define MAX_TEXT 65536 /* of a record: that of a DNS message */

#define ALNUM(w) (CUR_RANGE(w, 'a', 'z') | CUR_RANGE(w, 'A', 'Z') | CUR_RANGE(w, '0', '9'))
#define NAME(w) (ALNUM(w) | CUR_CHAR(w, '_') | CUR_CHAR(w, '-') | CUR_CHAR(w, '.'))
#define VALUE(w) (CUR_RANGE(w, 0x21, 0x3a) | CUR_CHAR(w, 0x3c) | CUR_RANGE(w, 0x3e, 0x7e))
#define SCHEME(w) (ALNUM(w) | CUR_CHAR(w, '+') | CUR_CHAR(w, '-') | CUR_CHAR(w, '.'))
/* Printable, without "!" "," ";": rfc/8460:361 */
#define URI(w) (CUR_RANGE(w, 0x22, 0x2b) | CUR_RANGE(w, 0x2d, 0x3a) | CUR_RANGE(w, 0x3c, 0x7e))
static const struct cur_class name_chars = CUR_CLASS(NAME), value_chars = CUR_CLASS(VALUE);
static const struct cur_class scheme_chars = CUR_CLASS(SCHEME), uri_chars = CUR_CLASS(URI);

static struct metric metric_lookup = METRICS_HISTOGRAM_INIT(
    "mox_tlsrpt_lookup_duration_seconds", "TLSRPT lookups with result.", metrics_buckets_a, "result");

/* field-delim = *WSP ";" *WSP. False, without moving, if there is none. */
static bool
delimiter(struct cur *c)
{
	struct cur save = *c;

	cur_span(c, &cur_wsp);
	if (!cur_try(c, ';')) {
		*c = save;
		return false;
	}
	cur_span(c, &cur_wsp);
	return true;
}

/* A URI with scheme; what follows it is only checked for characters and percent-encoding. */
static struct str
uri(struct cur *c)
{
	struct cur at = *c, all;
	struct str scheme = cur_span1(&at, &scheme_chars, "scheme of a URI");

	cur_char(&at, ':');
	if (cur_ok(&at) && (!cur_class_has(&cur_alpha, (unsigned char)scheme.p[0]) || cur_end(&at)))
		cur_fail(&at, "URI");
	if (!cur_ok(&at)) {
		cur_fail(c, at.want);
		return S("");
	}
	all = cur_of(cur_span1(c, &uri_chars, "URI"));
	while (cur_ok(&all) && !cur_end(&all)) {
		if (cur_any(&all, "URI") != '%')
			continue;
		struct str hex = cur_bytes(&all, 2, "two hexadecimal digits behind %");

		if (cur_ok(&all) && (enc_hexval(hex.p[0]) < 0 || enc_hexval(hex.p[1]) < 0))
			cur_fail(&all, "two hexadecimal digits behind %");
	}
	if (!cur_ok(&all))
		cur_fail(c, all.want);
	return str_n(all.start, (size_t)(all.end - all.start));
}

/* tlsrpt-uri *(*WSP "," *WSP tlsrpt-uri) */
static void
rua(struct cur *c, struct arena *a, struct strlist *l)
{
	do {
		struct cur save;
		struct str u = uri(c);

		if (!cur_ok(c))
			return;
		strlist_add(a, l, u);
		save = *c;
		cur_span(c, &cur_wsp);
		if (!cur_try(c, ',')) {
			*c = save;
			return;
		}
		cur_span(c, &cur_wsp);
	} while (cur_ok(c));
}

static struct tlsrpt_pair
extension(struct cur *c)
{
	struct tlsrpt_pair x = { .name = cur_span1(c, &name_chars, "name of a field") };

	if (cur_ok(c) && (x.name.n > 32 || !cur_class_has(&cur_alnum, (unsigned char)x.name.p[0])))
		cur_fail(c, "name of at most 32 characters that starts with a letter or digit");
	cur_char(c, '=');
	x.value = cur_span1(c, &value_chars, "value of a field");
	return x;
}

int
tlsrpt_parse_record(
    struct arena *a, struct str txt, struct tlsrpt_record *r_record, bool *r_is_tlsrpt, struct errmsg *e)
{
	struct tlsrpt_record r = { 0 };
	struct cur c = cur_of(txt);

	cur_str(&c, S("v=TLSRPTv1"));
	*r_is_tlsrpt = cur_ok(&c) && delimiter(&c);
	if (!*r_is_tlsrpt)
		return err_set(e, ERR_INVALID, "does not start with \"v=TLSRPTv1;\"");
	while (cur_ok(&c) && !cur_end(&c)) {
		if (cur_try_str(&c, S("rua="))) {
			rua(&c, a, &r.rua);
		} else {
			struct tlsrpt_pair x = extension(&c);

			if (cur_ok(&c)) {
				r.extensions = arena_grow(a, r.extensions, r.nextensions, r.nextensions + 1, sizeof(x));
				r.extensions[r.nextensions++] = x;
			}
		}
		if (cur_ok(&c) && !delimiter(&c))
			break;
	}
	if (!cur_done(&c))
		return err_set(e, ERR_INVALID, STRF, STRA(cur_error(a, &c)));
	if (r.rua.n == 0)
		return err_set(e, ERR_INVALID, "rua is missing");
	*r_record = r;
	return 0;
}

static void
add_uri(struct buf *b, struct str u)
{
	for (size_t i = 0; i < u.n; i++)
		if (str_has(S(",!;"), u.p[i]))
			buf_addf(b, "%%%02X", u.p[i]);
		else
			buf_addc(b, u.p[i]);
}

struct str
tlsrpt_pack_record(struct arena *a, const struct tlsrpt_record *r)
{
	struct buf b = BUF_ARENA(a, MAX_TEXT);

	buf_addz(&b, "v=TLSRPTv1; rua=");
	for (size_t i = 0; i < r->rua.n; i++) {
		if (i > 0)
			buf_addc(&b, ',');
		add_uri(&b, r->rua.v[i]);
	}
	for (size_t i = 0; i < r->nextensions; i++)
		buf_addf(&b, "; " STRF "=" STRF, STRA(r->extensions[i].name), STRA(r->extensions[i].value));
	return buf_str(&b);
}

static int
lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain, struct str *r_txt,
    struct tlsrpt_record *r_record, struct errmsg *e)
{
	struct dns_result res;
	struct errmsg why = { 0 };
	size_t found = 0;
	int rv = dns_lookup(r, a, ctx, DNS_TXT, str_cat(a, S("_smtp._tls."), domain), 0, &res, &why), parsed = 0;

	if (rv == DNS_NOTFOUND || rv == DNS_BADNAME)
		return err_set(e, TLSRPT_NORECORD, "no TLSRPT record");
	if (rv == ERR_CANCELED)
		return rv;
	if (rv < 0)
		return err_set(e, TLSRPT_DNS, "%s", why.text);
	for (size_t i = 0; i < res.n; i++) {
		struct errmsg problem = { 0 };
		struct tlsrpt_record record = { 0 };
		bool is;
		int one = tlsrpt_parse_record(a, res.v[i].text, &record, &is, &problem);

		if (!is)
			continue;
		if (++found > 1)
			return err_set(e, TLSRPT_MULTIPLE, "more than one TLSRPT record");
		*r_txt = res.v[i].text;
		*r_record = record;
		parsed = one;
		why = problem;
	}
	if (found == 0)
		return err_set(e, TLSRPT_NORECORD, "no TLSRPT record");
	return parsed < 0 ? err_set(e, TLSRPT_SYNTAX, "%s", why.text) : 0;
}

static const char *
label(int rv)
{
	switch (rv) {
	case 0: return "ok";
	case TLSRPT_NORECORD: return "notfound";
	case TLSRPT_MULTIPLE: return "multiple";
	case TLSRPT_DNS: return "temperror";
	case TLSRPT_SYNTAX: return "malformed";
	default: return "error";
	}
}

int
tlsrpt_lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain, struct str *r_txt,
    struct tlsrpt_record *r_record, struct errmsg *e)
{
	int64_t start = time_mono_us();
	int rv;

	*r_txt = (struct str){ 0 };
	rv = lookup(r, a, ctx, domain, r_txt, r_record, e);
	metrics_observe(&metric_lookup, (double)(time_mono_us() - start) / 1e6, label(rv), NULL);
	return rv;
}
