/* SPDX-License-Identifier: MIT */
/* packet.c - names and packets: questions made by hand, answers taken apart by ldns. */
#include "base/randutil.h"
#include "base/utf8.h"
#include "dns/dns_internal.h"

#define UDP_SIZE 1232 /* of answers we take over UDP: fits the smallest MTU of IPv6, so never in fragments */
#define CLASS_IN 1
#define OPT_EDE 15            /* rfc/8914:397 */
#define MAX_EXTENDED_TEXT 200 /* of an extended error that is kept */

/* Bits of the second 16 bits of the header, rfc/1035:1406 and rfc/4035:1322. */
enum { QR = 0x8000, OPCODE = 0x7800, RD = 0x0100, RA = 0x0080, AD = 0x0020, CD = 0x0010, RCODE = 0x000f };

/* --- names --- */

int
dns_wire_name(struct arena *a, struct str name, struct str *r_wire)
{
	struct buf b = BUF_ARENA(a, DNS_MAX_WIRE_NAME);

	if (str_is(name, S("."))) {
		*r_wire = S("\0");
		return 0;
	}
	if (str_ends(name, S(".")))
		name.n--;
	if (name.n == 0 || !str_is_ascii(name) || str_ends(name, S(".")))
		return DNS_BADNAME;
	while (name.n > 0) {
		struct str label = str_split(&name, '.');

		if (label.n == 0 || label.n > 63)
			return DNS_BADNAME;
		buf_addc(&b, (char)label.n);
		buf_add(&b, str_lower(a, label));
	}
	buf_addc(&b, '\0');
	if (b.failed)
		return DNS_BADNAME;
	*r_wire = buf_str(&b);
	return 0;
}

static bool
is_host_char(unsigned char c)
{
	return cur_class_has(&cur_alnum, c) || c == '-' || c == '_';
}

int
dns_text_name(struct arena *a, struct str wire, bool host, struct str *r_name)
{
	struct buf b = BUF_ARENA(a, DNS_MAX_WIRE_NAME);

	for (size_t i = 0; i < wire.n && wire.p[i] != 0; i += 1 + (unsigned char)wire.p[i]) {
		struct str label = str_n(wire.p + i + 1, (unsigned char)wire.p[i]);

		for (size_t k = 0; k < label.n; k++) {
			unsigned char c = (unsigned char)label.p[k];

			if (host ? !is_host_char(c) : c <= 0x20 || c >= 0x7f || c == '.' || c == '\\')
				return ERR_INVALID;
		}
		if (i > 0)
			buf_addc(&b, '.');
		buf_add(&b, label);
	}
	*r_name = buf_str(&b);
	return 0;
}

struct str
dns_wire_of(struct arena *a, const ldns_rdf *dname)
{
	/* The octets of lengths are at most 63, below all letters. */
	return str_lower(a, str_n((const char *)ldns_rdf_data(dname), ldns_rdf_size(dname)));
}

struct str
dns_wire_parent(struct str wire)
{
	return wire.n <= 1 ? wire : str_from(wire, 1 + (unsigned char)wire.p[0]);
}

bool
dns_wire_under(struct str name, struct str zone)
{
	while (name.n > zone.n)
		name = dns_wire_parent(name);
	return str_is(name, zone);
}

unsigned
dns_wire_labels(struct str wire)
{
	unsigned n = 0;

	for (; wire.n > 1; wire = dns_wire_parent(wire))
		n++;
	return n;
}

struct str
dns_wire_tail(struct str wire, unsigned n)
{
	for (unsigned have = dns_wire_labels(wire); have > n; have--)
		wire = dns_wire_parent(wire);
	return wire;
}

int
dns_wire_cmp(struct str a, struct str b)
{
	unsigned na = dns_wire_labels(a), nb = dns_wire_labels(b);

	for (unsigned i = 1; i <= na && i <= nb; i++) {
		struct str la = dns_wire_tail(a, i), lb = dns_wire_tail(b, i);
		int c = str_cmp(str_n(la.p + 1, (unsigned char)la.p[0]), str_n(lb.p + 1, (unsigned char)lb.p[0]));

		if (c != 0)
			return c;
	}
	return na < nb ? -1 : na > nb;
}

bool
dns_wire_wildcard(struct arena *a, struct str wire, struct str *r_wildcard)
{
	if (wire.n + 2 > DNS_MAX_WIRE_NAME)
		return false;
	*r_wildcard = str_cat(a, S("\1*"), wire);
	return true;
}

const char *
dns_type_name(int type)
{
	switch (type) {
	case DNS_A: return "A";
	case DNS_NS: return "NS";
	case DNS_CNAME: return "CNAME";
	case DNS_PTR: return "PTR";
	case DNS_MX: return "MX";
	case DNS_TXT: return "TXT";
	case DNS_AAAA: return "AAAA";
	case DNS_SRV: return "SRV";
	case DNS_TLSA: return "TLSA";
	case LDNS_RR_TYPE_DS: return "DS";
	case LDNS_RR_TYPE_DNSKEY: return "DNSKEY";
	default: return "TYPE?";
	}
}

/* --- questions --- */

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned
get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

void
dns_query_build(struct dns_query *q, bool edns)
{
	uint8_t *p = q->packet;
	uint8_t flips[DNS_MAX_WIRE_NAME];

	bug_if(q->name.n == 0 || q->name.n > DNS_MAX_WIRE_NAME);
	rand_bytes(p, 2);
	put16(p + 2, RD | (q->want_ad ? AD : 0U) | (q->check_disabled ? CD : 0U));
	memset(p + 4, 0, 8);
	put16(p + 4, 1);
	p += 12;
	/* Random case, which the answer repeats, is more to guess for who forges answers. */
	rand_bytes(flips, q->name.n);
	for (size_t i = 0; i < q->name.n; i++) {
		char c = q->name.p[i];

		*p++ = (uint8_t)(c >= 'a' && c <= 'z' && (flips[i] & 1) ? c - 'a' + 'A' : c);
	}
	put16(p, (unsigned)q->type);
	put16(p + 2, CLASS_IN);
	p += 4;
	q->question = (size_t)(p - q->packet) - 12;
	if (edns) {
		/* An OPT record: root, type, UDP size, extended rcode and version 0, DO, no options: rfc/6891:374 */
		static const uint8_t opt[11] = { 0, 0, LDNS_RR_TYPE_OPT, UDP_SIZE >> 8, UDP_SIZE & 0xff, 0, 0, 0x80, 0, 0, 0 };

		put16(q->packet + 10, 1);
		memcpy(p, opt, sizeof(opt));
		p += sizeof(opt);
	}
	q->n = (size_t)(p - q->packet);
}

enum dns_match
dns_query_match(const struct dns_query *q, const uint8_t *p, size_t n)
{
	const char *want = (const char *)q->packet + 12, *got = (const char *)p + 12;

	if (n < 12 || memcmp(p, q->packet, 2) != 0 || (get16(p + 2) & (QR | OPCODE)) != QR)
		return DNS_MATCH_NO;
	/* A server from before EDNS may answer with nothing but the header. */
	if (n == 12 && get16(p + 4) == 0 && (get16(p + 2) & RCODE) == LDNS_RCODE_FORMERR)
		return DNS_MATCH;
	if (get16(p + 4) != 1 || n < 12 + q->question)
		return DNS_MATCH_NO;
	if (memcmp(want, got, q->question) == 0)
		return DNS_MATCH;
	/* Type and class must be equal in any case. */
	if (memcmp(want + q->question - 4, got + q->question - 4, 4) == 0 &&
	    str_icase(str_n(want, q->question - 4), str_n(got, q->question - 4)))
		return DNS_MATCH_CASE;
	return DNS_MATCH_NO;
}

/* --- responses --- */

bool
dns_is_bogus(int extended_error)
{
	/*
	 * From "unsupported DNSKEY algorithm" and "DS digest type" (rfc/8914:250), and "indeterminate" to "NSEC missing"
	 * (rfc/8914:277).
	 */
	return extended_error == 1 || extended_error == 2 || (extended_error >= 5 && extended_error <= 12);
}

/*
 * Extended errors among the options of EDNS: rfc/8914:196. Of several, one that tells of failed validation counts, else the
 * first.
 */
static void
find_extended(struct arena *a, const uint8_t *p, size_t n, struct dns_response *r)
{
	while (n >= 4) {
		unsigned code = get16(p), len = get16(p + 2);

		if (len > n - 4)
			return;
		if (code == OPT_EDE && len >= 2) {
			int info = (int)get16(p + 4);

			if (r->extended_error < 0 || (dns_is_bogus(info) && !dns_is_bogus(r->extended_error))) {
				struct str text = utf8_cut(str_n((const char *)p + 6, len - 2), MAX_EXTENDED_TEXT);

				r->extended_error = info;
				/* It may end with a NUL: rfc/8914:189 */
				while (text.n > 0 && text.p[text.n - 1] == '\0')
					text.n--;
				r->extended_text = str_dup(a, utf8_clean(a, text));
			}
		}
		p += 4 + len;
		n -= 4 + len;
	}
}

int
dns_response_parse(struct arena *a, const uint8_t *p, size_t n, struct dns_response *r_res)
{
	struct dns_response r = { .extended_error = -1 };
	ldns_rdf *opt;

	if (n < 12 || ldns_wire2pkt(&r.pkt, p, n) != LDNS_STATUS_OK)
		return ERR_INVALID;
	r.rcode = (int)(get16(p + 2) & RCODE);
	if (ldns_pkt_edns(r.pkt))
		r.rcode |= ldns_pkt_edns_extended_rcode(r.pkt) << 4;
	r.ad = ldns_pkt_ad(r.pkt);
	r.truncated = ldns_pkt_tc(r.pkt);
	r.recursive = ldns_pkt_ra(r.pkt);
	opt = ldns_pkt_edns_data(r.pkt);
	if (opt)
		find_extended(a, ldns_rdf_data(opt), ldns_rdf_size(opt), &r);
	*r_res = r;
	return 0;
}

void
dns_response_done(struct dns_response *r)
{
	if (r->pkt)
		ldns_pkt_free(r->pkt);
	r->pkt = NULL;
}

/* --- answers --- */

static unsigned
number(const ldns_rr *rr, size_t i)
{
	const ldns_rdf *f = ldns_rr_rdf(rr, i);

	return !f ? 0 : ldns_rdf_size(f) == 1 ? ldns_rdf_data(f)[0] : ldns_rdf_size(f) == 2 ? get16(ldns_rdf_data(f)) : 0;
}

static int
target(struct arena *a, const ldns_rr *rr, size_t i, struct str *r_name)
{
	const ldns_rdf *f = ldns_rr_rdf(rr, i);

	if (!f || ldns_rdf_get_type(f) != LDNS_RDF_TYPE_DNAME)
		return ERR_INVALID;
	return dns_text_name(a, dns_wire_of(a, f), true, r_name);
}

/* The strings of a TXT record, joined without anything between: rfc/7208:656 */
static struct str
joined_text(struct arena *a, const ldns_rr *rr)
{
	struct buf b = BUF_ARENA(a, DNS_MAX_MESSAGE);

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *f = ldns_rr_rdf(rr, i);

		if (ldns_rdf_size(f) > 0)
			buf_add(&b, str_n((const char *)ldns_rdf_data(f) + 1, ldns_rdf_size(f) - 1));
	}
	return buf_str(&b);
}

static int
record(struct arena *a, const ldns_rr *rr, int type, struct dns_record *r_rec)
{
	struct dns_record rec = { .type = (enum dns_type)type };
	size_t fields = ldns_rr_rd_count(rr);
	const ldns_rdf *f = fields > 0 ? ldns_rr_rdf(rr, 0) : NULL;

	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		if (!f || ldns_rdf_size(f) != (type == DNS_A ? 4 : 16))
			return ERR_INVALID;
		/* As it stands, also an IPv4-mapped one, so that AAAA never gives another family. */
		rec.ip.family = type == DNS_A ? 4 : 6;
		memcpy(rec.ip.a, ldns_rdf_data(f), ldns_rdf_size(f));
		break;
	case DNS_NS:
	case DNS_PTR: TRY(target(a, rr, 0, &rec.name)); break;
	case DNS_CNAME:
		if (!f || ldns_rdf_get_type(f) != LDNS_RDF_TYPE_DNAME)
			return ERR_INVALID;
		TRY(dns_text_name(a, dns_wire_of(a, f), false, &rec.name));
		break;
	case DNS_MX:
		if (fields != 2)
			return ERR_INVALID;
		rec.preference = (uint16_t)number(rr, 0);
		TRY(target(a, rr, 1, &rec.name));
		break;
	case DNS_SRV:
		if (fields != 4)
			return ERR_INVALID;
		rec.priority = (uint16_t)number(rr, 0);
		rec.weight = (uint16_t)number(rr, 1);
		rec.port = (uint16_t)number(rr, 2);
		TRY(target(a, rr, 3, &rec.name));
		break;
	case DNS_TXT: rec.text = joined_text(a, rr); break;
	case DNS_TLSA:
		if (fields != 4)
			return ERR_INVALID;
		rec.usage = (uint8_t)number(rr, 0);
		rec.selector = (uint8_t)number(rr, 1);
		rec.matching = (uint8_t)number(rr, 2);
		f = ldns_rr_rdf(rr, 3);
		rec.data = str_dup(a, str_n((const char *)ldns_rdf_data(f), ldns_rdf_size(f)));
		break;
	default: bug("records of type %d", type);
	}
	*r_rec = rec;
	return 0;
}

/* A TTL with the highest bit set is 0: rfc/2181:570 */
static uint32_t
ttl_of(const ldns_rr *rr)
{
	uint32_t ttl = ldns_rr_ttl(rr);

	return ttl > INT32_MAX ? 0 : ttl;
}

/* How long a denial may be kept: by the SOA of the authority section, the less of its TTL and its last field: rfc/2308:410 */
static uint32_t
denial_ttl(const ldns_pkt *pkt)
{
	const ldns_rr_list *l = ldns_pkt_authority(pkt);

	for (size_t i = 0; i < ldns_rr_list_rr_count(l); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(l, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA && ldns_rr_rd_count(rr) == 7 &&
		    ldns_rdf_size(ldns_rr_rdf(rr, 6)) == 4)
			return MIN(ttl_of(rr), ldns_rdf2native_int32(ldns_rr_rdf(rr, 6)));
	}
	return 0;
}

static bool
has_soa(const ldns_pkt *pkt)
{
	const ldns_rr_list *l = ldns_pkt_authority(pkt);

	for (size_t i = 0; i < ldns_rr_list_rr_count(l); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(l, i)) == LDNS_RR_TYPE_SOA)
			return true;
	return false;
}

/* Whether a record of the answer section is of that name and type. */
static bool
is_of(struct arena *a, const ldns_rr *rr, struct str name, int type)
{
	if ((int)ldns_rr_get_type(rr) != type || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN ||
	    ldns_rdf_size(ldns_rr_owner(rr)) != name.n)
		return false;
	ARENA_SCOPE(a);
	return str_is(dns_wire_of(a, ldns_rr_owner(rr)), name);
}

static void
collect(struct arena *a, const ldns_rr_list *l, struct str name, int type, struct dns_answer *r)
{
	size_t cap = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(l); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(l, i);
		struct dns_record rec;

		if (!is_of(a, rr, name, type))
			continue;
		r->ttl = MIN(r->ttl, ttl_of(rr));
		if (record(a, rr, type, &rec) < 0) {
			r->unusable++;
			continue;
		}
		if (r->n == cap)
			r->v = arena_grow(a, r->v, r->n, cap = MAX(2 * cap, (size_t)4), sizeof(*r->v));
		r->v[r->n++] = rec;
	}
}

/* The target of a CNAME at the name, or false. */
static bool
cname(struct arena *a, const ldns_rr_list *l, struct str name, struct dns_answer *r, struct str *r_next)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(l); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(l, i);
		const ldns_rdf *f = ldns_rr_rd_count(rr) == 1 ? ldns_rr_rdf(rr, 0) : NULL;

		if (is_of(a, rr, name, DNS_CNAME) && f && ldns_rdf_get_type(f) == LDNS_RDF_TYPE_DNAME) {
			r->ttl = MIN(r->ttl, ttl_of(rr));
			*r_next = dns_wire_of(a, f);
			return true;
		}
	}
	return false;
}

void
dns_answer_of(struct arena *a, const struct dns_response *res, struct str name, int type, struct dns_answer *r_answer)
{
	const ldns_rr_list *l = ldns_pkt_answer(res->pkt);
	struct dns_answer r = { .ttl = UINT32_MAX, .chain = ARENA_NEWN(a, DNS_MAX_STEPS + 1, struct str) };

	r.chain[r.nchain++] = name;
	for (;;) {
		struct str next;

		collect(a, l, name, type, &r);
		if (r.n > 0 || r.unusable > 0 || !cname(a, l, name, &r, &next))
			break;
		if (r.nchain > DNS_MAX_STEPS) {
			r.loop = true;
			break;
		}
		r.chain[r.nchain++] = name = next;
	}
	if (r.n == 0 && r.unusable == 0 && !r.loop) {
		r.nxdomain = res->rcode == LDNS_RCODE_NXDOMAIN;
		/* Behind a CNAME, only an SOA (or NXDOMAIN) tells that the server looked for the target, too: rfc/2308:233 */
		r.denied = r.nxdomain || r.nchain == 1 || has_soa(res->pkt);
		r.ttl = MIN(r.ttl, denial_ttl(res->pkt));
	}
	*r_answer = r;
}

/* --- order --- */

struct drawn {
	struct dns_record rec;
	uint32_t lot;
};

static int
by_preference(const void *pa, const void *pb)
{
	const struct drawn *a = pa, *b = pb;
	unsigned x = a->rec.type == DNS_MX ? a->rec.preference : a->rec.priority;
	unsigned y = b->rec.type == DNS_MX ? b->rec.preference : b->rec.priority;

	if (x != y)
		return x < y ? -1 : 1;
	/* Weight 0 stands before the others of its priority: rfc/2782:179 */
	if (a->rec.type == DNS_SRV && (a->rec.weight == 0) != (b->rec.weight == 0))
		return a->rec.weight == 0 ? -1 : 1;
	return a->lot < b->lot ? -1 : a->lot > b->lot;
}

/* Draws the order of SRV records of one priority by their weights: rfc/2782:183 */
static void
order_weights(struct dns_record *v, size_t n)
{
	for (; n > 1; v++, n--) {
		uint64_t sum = 0, running = 0, lot;
		struct dns_record chosen;
		size_t i;

		for (i = 0; i < n; i++)
			sum += v[i].weight;
		lot = rand_below(sum + 1);
		for (i = 0; i < n - 1; i++) {
			running += v[i].weight;
			if (running >= lot)
				break;
		}
		chosen = v[i];
		memmove(v + 1, v, i * sizeof(*v));
		v[0] = chosen;
	}
}

void
dns_order(struct dns_record *v, size_t n)
{
	struct arena a = { 0 };
	struct drawn *d;

	if (n < 2 || (v[0].type != DNS_MX && v[0].type != DNS_SRV))
		return;
	d = ARENA_NEWN(&a, n, struct drawn);
	for (size_t i = 0; i < n; i++)
		d[i] = (struct drawn){ v[i], (uint32_t)rand_u64() };
	qsort(d, n, sizeof(*d), by_preference);
	for (size_t i = 0; i < n; i++)
		v[i] = d[i].rec;
	arena_done(&a);
	for (size_t i = 0, k; v[0].type == DNS_SRV && i < n; i = k) {
		for (k = i; k < n && v[k].priority == v[i].priority; k++)
			continue;
		order_weights(v + i, k - i);
	}
}
