/* SPDX-License-Identifier: MIT */
/* parse.c - records (rfc/9989:1048, older tags rfc/7489:1138), and writing them again. */
#include "base/buf.h"
#include "base/cur.h"
#include "base/enc.h"
#include "dmarc/dmarc.h"

#define MAX_TEXT 65536 /* of a record: that of a DNS message */
#define MAX_URIS 100   /* of a list; each is somebody who gets reports */
#define DEFAULT_RI 86400
#define DEFAULT_PCT 100

#define ALNUM(w) (CUR_RANGE(w, 'a', 'z') | CUR_RANGE(w, 'A', 'Z') | CUR_RANGE(w, '0', '9'))
#define SCHEME(w) (ALNUM(w) | CUR_CHAR(w, '+') | CUR_CHAR(w, '-') | CUR_CHAR(w, '.'))
#define URI(w) (CUR_RANGE(w, 0x22, 0x2b) | CUR_RANGE(w, 0x2d, 0x3a) | CUR_RANGE(w, 0x3c, 0x7e))
static const struct cur_class scheme_chars = CUR_CLASS(SCHEME), uri_chars = CUR_CLASS(URI);

static const char *const policies[] = { "", "none", "quarantine", "reject" };

const char *
dmarc_policy_text(enum dmarc_policy p)
{
	bug_if((size_t)p >= ARRAY_LEN(policies));
	return policies[p];
}

/* What is known of a record while it is read. */
struct parse {
	struct arena *a;
	struct dmarc_record r;
	const char *problem; /* the first thing that is wrong; NULL: nothing */
	bool bad_policy;     /* p, sp or np has an unknown value */
};

static void
bad(struct parse *p, const char *problem)
{
	if (!p->problem)
		p->problem = problem;
}

static bool
take_policy(struct parse *p, struct str value, enum dmarc_policy *r_policy)
{
	for (int i = DMARC_NONE; i <= DMARC_REJECT; i++)
		if (str_icase(value, str_of(policies[i]))) {
			*r_policy = (enum dmarc_policy)i;
			return true;
		}
	p->bad_policy = true;
	return false;
}

/* One of two letters. */
static void
take_flag(struct parse *p, struct str value, const char *no, const char *yes, bool *r_flag)
{
	if (str_icase(value, str_of(yes)))
		*r_flag = true;
	else if (!str_icase(value, str_of(no)))
		bad(p, "a flag has an unknown value");
}

static void
take_psd(struct parse *p, struct str value)
{
	if (str_icase(value, S("y")))
		p->r.psd = DMARC_PSD_YES;
	else if (str_icase(value, S("n")))
		p->r.psd = DMARC_PSD_NO;
	else if (!str_icase(value, S("u")))
		bad(p, "psd is y, n or u");
}

static void
take_number(struct parse *p, struct str value, uint32_t max, uint32_t *r_v)
{
	uint32_t v;

	if (str_u32(value, &v) < 0 || v > max)
		bad(p, "a number is malformed or too large");
	else
		*r_v = v;
}

/* Values between colons. */
static void
take_fo(struct parse *p, struct str value)
{
	struct strlist l = { 0 };

	do {
		struct str one = str_trim(str_split(&value, ':'));

		if (one.n != 1 || !str_has(S("01dsDS"), one.p[0])) {
			bad(p, "fo is a list of 0, 1, d and s");
			return;
		}
		strlist_add(p->a, &l, str_lower(p->a, one));
	} while (value.n > 0);
	p->r.fo = l;
}

/* Keyword = Ldh-str of RFC 5321: letters, digits, hyphens, the last no hyphen: rfc/7489:1195 */
static void
take_rf(struct parse *p, struct str value)
{
	struct strlist l = { 0 };

	do {
		struct str one = str_trim(str_split(&value, ':'));
		bool ok = one.n > 0 && one.p[one.n - 1] != '-';

		for (size_t i = 0; ok && i < one.n; i++)
			ok = cur_class_has(&cur_alnum, (unsigned char)one.p[i]) || one.p[i] == '-';
		if (!ok) {
			bad(p, "rf is a list of keywords");
			return;
		}
		strlist_add(p->a, &l, str_lower(p->a, one));
	} while (value.n > 0);
	p->r.rf = l;
}

/* dmarc-uri [ "!" 1*DIGIT [ "k" / "m" / "g" / "t" ] ]: rfc/9989:1031 */
static bool
take_uri(struct str s, struct dmarc_uri *r_uri)
{
	struct cur c = cur_of(s);
	struct dmarc_uri u = { 0 };
	struct str scheme = cur_span1(&c, &scheme_chars, "scheme");

	if (!cur_ok(&c) || !cur_class_has(&cur_alpha, (unsigned char)scheme.p[0]))
		return false;
	cur_char(&c, ':');
	cur_span1(&c, &uri_chars, "URI");
	u.uri = str_upto(s, cur_off(&c));
	for (size_t i = 0; i < u.uri.n; i++)
		if (u.uri.p[i] == '%' &&
		    (i + 2 >= u.uri.n || enc_hexval(u.uri.p[i + 1]) < 0 || enc_hexval(u.uri.p[i + 2]) < 0))
			return false;
	if (cur_ok(&c) && cur_try(&c, '!')) {
		/* 0 would be no limit; there is nothing that small. */
		u.max_size = cur_u64(&c, 20, UINT64_MAX, "size");
		if (!cur_ok(&c) || u.max_size == 0)
			return false;
		if (cur_left(&c) == 1 && str_has(S("kmgtKMGT"), c.p[0]))
			u.unit = (char)(cur_any(&c, "unit") | 0x20);
	}
	*r_uri = u;
	return cur_done(&c);
}

static void
take_uris(struct parse *p, struct str value, struct dmarc_uris *r_uris)
{
	do {
		struct dmarc_uri u;

		if (r_uris->n == MAX_URIS || !take_uri(str_trim(str_split(&value, ',')), &u)) {
			bad(p, "a URI is malformed, has no scheme, or a bad size");
			continue;
		}
		r_uris->v = arena_grow(p->a, r_uris->v, r_uris->n, r_uris->n + 1, sizeof(u));
		r_uris->v[r_uris->n++] = u;
	} while (value.n > 0);
}

enum tag { P, SP, NP, RUA, RUF, ADKIM, ASPF, PSD, T, FO, RI, PCT, RF, NTAGS };
static const char *const tags[NTAGS] = { "p", "sp", "np", "rua", "ruf", "adkim", "aspf", "psd", "t", "fo", "ri", "pct",
	"rf" };

static void
take_tag(struct parse *p, enum tag tag, struct str v)
{
	switch (tag) {
	case P:
		if (!take_policy(p, v, &p->r.p))
			bad(p, "p is none, quarantine or reject");
		break;
	case SP: take_policy(p, v, &p->r.sp); break;
	case NP: take_policy(p, v, &p->r.np); break;
	case RUA: take_uris(p, v, &p->r.rua); break;
	case RUF: take_uris(p, v, &p->r.ruf); break;
	case ADKIM: take_flag(p, v, "r", "s", &p->r.strict_dkim); break;
	case ASPF: take_flag(p, v, "r", "s", &p->r.strict_spf); break;
	case PSD: take_psd(p, v); break;
	case T: take_flag(p, v, "n", "y", &p->r.testing); break;
	case FO: take_fo(p, v); break;
	case RI: take_number(p, v, UINT32_MAX, &p->r.ri); break;
	case PCT: take_number(p, v, 100, &p->r.pct); break;
	case RF: take_rf(p, v); break;
	default: bug("DMARC tag %d", (int)tag);
	}
}

/* "v" *WSP "=" *WSP "DMARC1", the value in this case: rfc/9989:1055 */
static bool
take_version(struct cur *c, unsigned flags)
{
	if (!cur_try_icase(c, S("v")))
		return false;
	cur_span(c, &cur_wsp);
	cur_char(c, '=');
	cur_span(c, &cur_wsp);
	cur_str(c, S("DMARC1"));
	cur_span(c, &cur_wsp);
	return cur_ok(c) && (cur_is(c, ';') || (cur_end(c) && flags & DMARC_REPORT_RECORD));
}

/* The tags behind the version. */
static int
take_tags(struct parse *p, struct str list, struct errmsg *e)
{
	bool seen[NTAGS] = { 0 };
	size_t n = 0;

	while (list.n > 0) {
		struct str spec = str_split(&list, ';'), name, value;
		enum tag tag = P;

		if (str_trim(spec).n == 0) {
			if (list.n > 0 && str_trim(list).n > 0)
				bad(p, "an empty tag");
			continue;
		}
		name = str_trim(str_split(&spec, '='));
		value = str_trim(spec);
		if (value.n == 0)
			bad(p, "a tag without value");
		while (tag < NTAGS && !str_icase(name, str_of(tags[tag])))
			tag++;
		for (size_t i = 0; i < name.n; i++)
			if (!cur_class_has(&cur_alnum, (unsigned char)name.p[i]))
				bad(p, "a tag name is malformed");
		if (tag < NTAGS && seen[tag])
			return err_set(e, ERR_INVALID, "tag %s= occurs twice", tags[tag]);
		if (tag == P && n > 0)
			bad(p, "p must be the first tag");
		n++;
		if (tag == NTAGS)
			continue;
		seen[tag] = true;
		take_tag(p, tag, value);
	}
	return 0;
}

int
dmarc_parse(
    struct arena *a, struct str txt, unsigned flags, struct dmarc_record *r_record, bool *r_is_dmarc, struct errmsg *e)
{
	struct parse p = { .a = a, .r = { .ri = DEFAULT_RI, .pct = DEFAULT_PCT } };
	struct cur c = cur_of(txt);

	*r_is_dmarc = take_version(&c, flags);
	if (!*r_is_dmarc)
		return err_set(e, ERR_INVALID, "does not start with \"v=DMARC1;\"");
	cur_try(&c, ';');
	TRY(take_tags(&p, cur_rest(&c), e));
	if (flags & DMARC_STRICT && p.problem)
		return err_set(e, ERR_INVALID, "%s", p.problem);
	if (!(flags & DMARC_REPORT_RECORD) && (p.r.p == DMARC_ABSENT || p.bad_policy)) {
		if (p.r.rua.n == 0)
			return err_set(e, ERR_INVALID, "%s",
			    p.bad_policy ? "p, sp or np is not none, quarantine or reject" : "neither p nor rua");
		p.r.p = DMARC_NONE;
		p.r.sp = p.r.np = DMARC_ABSENT;
	}
	*r_record = p.r;
	return 0;
}

static void
add_tag(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, ";%s=%s", name, value);
}

static void
add_uris(struct buf *b, const char *name, const struct dmarc_uris *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct dmarc_uri *u = &l->v[i];

		if (i == 0)
			add_tag(b, name, "");
		else
			buf_addc(b, ',');
		for (size_t k = 0; k < u->uri.n; k++)
			if (str_has(S(",!;"), u->uri.p[k]))
				buf_addf(b, "%%%02X", u->uri.p[k]);
			else
				buf_addc(b, u->uri.p[k]);
		if (u->max_size > 0)
			buf_addf(b, "!%llu", (unsigned long long)u->max_size);
		if (u->max_size > 0 && u->unit)
			buf_addc(b, u->unit);
	}
}

static void
add_list(struct buf *b, struct arena *a, const char *name, const struct strlist *l, struct str unless)
{
	struct str s = strlist_join(a, l, S(":"));

	if (l->n > 0 && !str_is(s, unless))
		buf_addf(b, ";%s=" STRF, name, STRA(s));
}

struct str
dmarc_pack(struct arena *a, const struct dmarc_record *r)
{
	struct buf b = BUF_ARENA(a, MAX_TEXT);

	buf_addz(&b, "v=DMARC1");
	if (r->p != DMARC_ABSENT)
		add_tag(&b, "p", dmarc_policy_text(r->p));
	if (r->sp != DMARC_ABSENT)
		add_tag(&b, "sp", dmarc_policy_text(r->sp));
	if (r->np != DMARC_ABSENT)
		add_tag(&b, "np", dmarc_policy_text(r->np));
	if (r->psd != DMARC_PSD_UNKNOWN)
		add_tag(&b, "psd", r->psd == DMARC_PSD_YES ? "y" : "n");
	if (r->testing)
		add_tag(&b, "t", "y");
	add_uris(&b, "rua", &r->rua);
	add_uris(&b, "ruf", &r->ruf);
	if (r->strict_dkim)
		add_tag(&b, "adkim", "s");
	if (r->strict_spf)
		add_tag(&b, "aspf", "s");
	add_list(&b, a, "fo", &r->fo, S("0"));
	if (r->ri != DEFAULT_RI)
		buf_addf(&b, ";ri=%u", r->ri);
	add_list(&b, a, "rf", &r->rf, S("afrf"));
	if (r->pct != DEFAULT_PCT)
		buf_addf(&b, ";pct=%u", r->pct);
	/* The version must be followed by one. */
	if (b.n == 8)
		buf_addc(&b, ';');
	return buf_str(&b);
}

uint64_t
dmarc_uri_size(const struct dmarc_uri *u)
{
	unsigned shift = u->unit == 'k' ? 10 : u->unit == 'm' ? 20 : u->unit == 'g' ? 30 : u->unit == 't' ? 40 : 0;

	if (u->max_size == 0 || u->max_size > UINT64_MAX >> shift)
		return UINT64_MAX;
	return u->max_size << shift;
}
