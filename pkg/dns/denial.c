/* SPDX-License-Identifier: MIT */
/*
 * denial.c - what NSEC (RFC 4035 5.4) and NSEC3 (RFC 5155 8) records prove not to exist.
 *
 * Each zone uses one or the other. With NSEC, names stand in canonical order and each record tells its successor, so that what
 * lies between does not exist. With NSEC3 the same holds for hashes of names; ancestors are found by hashing them, and how often
 * a hash is iterated is the zone's choice, which costs us: beyond MAX_ITERATIONS the zone counts as unsigned (rfc/9276:411).
 */
#include "dns/dns_internal.h"

#define MAX_ITERATIONS 100
#define HASH_LEN 20             /* SHA-1, the only one there is */
#define OPT_OUT 1               /* flag of NSEC3: unsigned delegations may hide in the gap */

static bool
has_type(const ldns_rr *rr, int type)
{
	const ldns_rdf *bitmap = ldns_rr_get_type(rr) == LDNS_RR_TYPE_NSEC ? ldns_rr_rdf(rr, 1) : ldns_nsec3_bitmap(rr);

	return bitmap && ldns_nsec_bitmap_covers_type(bitmap, (ldns_rr_type)type);
}

/* A record of a parent zone at a delegation: it tells nothing about what lies at and below, but for DS: rfc/6840:274 */
static bool
is_delegation(const ldns_rr *rr)
{
	return has_type(rr, LDNS_RR_TYPE_NS) && !has_type(rr, LDNS_RR_TYPE_SOA);
}

/*
 * Whether the record of a name says that it has no records of the type: rfc/4035:1765, rfc/5155:1322. For DS, the parent's
 * counts.
 */
static bool
lacks(const ldns_rr *rr, int type)
{
	if (has_type(rr, type) || has_type(rr, LDNS_RR_TYPE_CNAME))
		return false;
	return type == LDNS_RR_TYPE_DS ? !has_type(rr, LDNS_RR_TYPE_SOA) : !is_delegation(rr);
}

/* --- NSEC --- */

struct nsec {
	const ldns_rr *rr;
	struct str owner, next;
};

static bool
nsec_at(struct arena *a, const ldns_rr_list *l, size_t i, struct nsec *r)
{
	const ldns_rr *rr = ldns_rr_list_rr(l, i);

	if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NSEC || ldns_rr_rd_count(rr) != 2)
		return false;
	*r = (struct nsec){ rr, dns_wire_of(a, ldns_rr_owner(rr)), dns_wire_of(a, ldns_rr_rdf(rr, 0)) };
	return true;
}

/* Whether the name would stand between owner and successor; that of the last is the first again. */
static bool
covers(const struct nsec *n, struct str name)
{
	return dns_wire_cmp(n->owner, name) < 0 && (dns_wire_cmp(name, n->next) < 0 || dns_wire_cmp(n->next, n->owner) <= 0);
}

static bool
nsec_match(struct arena *a, const ldns_rr_list *l, struct str name, struct nsec *r)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(l); i++)
		if (nsec_at(a, l, i, r) && str_is(r->owner, name))
			return true;
	return false;
}

/*
 * A record that proves that the name does not exist. Not one from above a delegation or DNAME that the name is below:
 * rfc/6840:290
 */
static bool
nsec_cover(struct arena *a, const ldns_rr_list *l, struct str name, struct nsec *r)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(l); i++)
		if (nsec_at(a, l, i, r) && covers(r, name) &&
		    !(dns_wire_under(name, r->owner) && (is_delegation(r->rr) || has_type(r->rr, LDNS_RR_TYPE_DNAME))))
			return true;
	return false;
}

static struct str
common_ancestor(struct str x, struct str y)
{
	while (!dns_wire_under(x, y))
		y = dns_wire_parent(y);
	return y;
}

/* The longest ancestor of a covered name that exists. */
static struct str
nsec_encloser(const struct nsec *n, struct str name)
{
	struct str x = common_ancestor(name, n->owner), y = common_ancestor(name, n->next);

	return x.n > y.n ? x : y;
}

static enum dns_proof
nsec_denial(struct arena *a, const ldns_rr_list *l, struct str name, int type, bool nxdomain)
{
	struct nsec n, w;
	struct str wildcard;

	if (nsec_match(a, l, name, &n))
		return !nxdomain && lacks(n.rr, type) ? DNS_PROOF_SECURE : DNS_PROOF_NONE;
	if (!nsec_cover(a, l, name, &n))
		return DNS_PROOF_NONE;
	/* The successor is below the name: that exists, though it has nothing. */
	if (dns_wire_under(n.next, name))
		return nxdomain ? DNS_PROOF_NONE : DNS_PROOF_SECURE;
	if (!dns_wire_wildcard(a, nsec_encloser(&n, name), &wildcard))
		return DNS_PROOF_SECURE;
	if (nsec_match(a, l, wildcard, &w))
		return !nxdomain && lacks(w.rr, type) ? DNS_PROOF_SECURE : DNS_PROOF_NONE;
	return nsec_cover(a, l, wildcard, &w) ? DNS_PROOF_SECURE : DNS_PROOF_NONE;
}

/* --- NSEC3 --- */

struct nsec3 {
	const ldns_rr *rr;
	uint8_t owner[HASH_LEN], next[HASH_LEN];
};

/* The records of a zone, all with the parameters of the first. */
struct nsec3_set {
	struct arena *a;
	struct str zone;
	struct nsec3 *v;
	size_t n;
	uint16_t iterations;
	struct str salt;
	bool costly;
};

static int
nsec3_of(struct arena *a, const ldns_rr *rr, struct str zone, struct nsec3 *r)
{
	struct str owner;
	const ldns_rdf *next;
	const char *label;

	if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NSEC3 || ldns_rr_rd_count(rr) < 5)
		return ERR_INVALID;
	owner = dns_wire_of(a, ldns_rr_owner(rr));
	next = ldns_nsec3_next_owner(rr);
	if (!str_is(dns_wire_parent(owner), zone) || owner.p[0] != 32 || !next || ldns_rdf_size(next) != 1 + HASH_LEN)
		return ERR_INVALID;
	label = str_dup(a, str_n(owner.p + 1, 32)).p;
	if (ldns_b32_pton_extended_hex(label, 32, r->owner, HASH_LEN) != HASH_LEN)
		return ERR_INVALID;
	memcpy(r->next, ldns_rdf_data(next) + 1, HASH_LEN);
	r->rr = rr;
	return 0;
}

static struct nsec3_set
nsec3_collect(struct arena *a, const ldns_rr_list *l, struct str zone)
{
	struct nsec3_set s = { .a = a, .zone = zone, .v = ARENA_NEWN(a, ldns_rr_list_rr_count(l) + 1, struct nsec3) };

	for (size_t i = 0; i < ldns_rr_list_rr_count(l); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(l, i);
		struct nsec3 n;
		struct str salt;

		/* Of an unknown hash or with unknown flags: as if it were not there (rfc/5155:1243). */
		if (nsec3_of(a, rr, zone, &n) < 0 || ldns_nsec3_algorithm(rr) != 1 || (ldns_nsec3_flags(rr) & ~OPT_OUT))
			continue;
		salt = str_n((const char *)ldns_rdf_data(ldns_rr_rdf(rr, 3)) + 1, ldns_nsec3_salt_length(rr));
		if (s.n == 0) {
			s.iterations = ldns_nsec3_iterations(rr);
			s.salt = salt;
			s.costly = s.iterations > MAX_ITERATIONS;
		}
		if (ldns_nsec3_iterations(rr) == s.iterations && str_is(salt, s.salt))
			s.v[s.n++] = n;
	}
	return s;
}

static void
nsec3_hash(const struct nsec3_set *s, struct str name, uint8_t out[HASH_LEN])
{
	ARENA_SCOPE(s->a);
	hash_sha1(str_cat(s->a, name, s->salt), out);
	for (unsigned i = 0; i < s->iterations; i++)
		hash_sha1(str_cat(s->a, str_n((const char *)out, HASH_LEN), s->salt), out);
}

static const struct nsec3 *
nsec3_match(const struct nsec3_set *s, struct str name)
{
	uint8_t h[HASH_LEN];

	nsec3_hash(s, name, h);
	for (size_t i = 0; i < s->n; i++)
		if (memcmp(s->v[i].owner, h, HASH_LEN) == 0)
			return &s->v[i];
	return NULL;
}

static const struct nsec3 *
nsec3_cover(const struct nsec3_set *s, struct str name)
{
	uint8_t h[HASH_LEN];

	nsec3_hash(s, name, h);
	for (size_t i = 0; i < s->n; i++) {
		const struct nsec3 *n = &s->v[i];

		if (memcmp(n->owner, n->next, HASH_LEN) < 0 ?
		    memcmp(n->owner, h, HASH_LEN) < 0 && memcmp(h, n->next, HASH_LEN) < 0 :
		    memcmp(n->owner, h, HASH_LEN) < 0 || memcmp(h, n->next, HASH_LEN) < 0)
			return n;
	}
	return NULL;
}

/*
 * The closest encloser of a name that does not exist, and the record that denies the name one label longer: rfc/5155:1256. NULL
 * without proof.
 */
static const struct nsec3 *
nsec3_encloser(const struct nsec3_set *s, struct str name, struct str *r_encloser)
{
	struct str longer = name;

	for (struct str x = dns_wire_parent(name); dns_wire_under(x, s->zone); x = dns_wire_parent(x)) {
		const struct nsec3 *n = nsec3_match(s, x);

		if (n) {
			if (has_type(n->rr, LDNS_RR_TYPE_DNAME) || is_delegation(n->rr))
				return NULL;
			*r_encloser = x;
			return nsec3_cover(s, longer);
		}
		if (x.n <= 1)
			break;
		longer = x;
	}
	return NULL;
}

static bool
opted_out(const struct nsec3 *n)
{
	return ldns_nsec3_flags(n->rr) & OPT_OUT;
}

static enum dns_proof
nsec3_denial(struct arena *a, const ldns_rr_list *l, struct str zone, struct str name, int type, bool nxdomain)
{
	struct nsec3_set s = nsec3_collect(a, l, zone);
	const struct nsec3 *n, *w;
	struct str encloser, wildcard;

	if (s.costly)
		return DNS_PROOF_INSECURE;
	n = nsec3_match(&s, name);
	if (n)
		return !nxdomain && lacks(n->rr, type) ? DNS_PROOF_SECURE : DNS_PROOF_NONE;
	n = nsec3_encloser(&s, name, &encloser);
	if (!n)
		return DNS_PROOF_NONE;
	/* An unsigned delegation may be there, with anything below: rfc/5155:1334 */
	if (opted_out(n))
		return DNS_PROOF_INSECURE;
	if (!dns_wire_wildcard(a, encloser, &wildcard))
		return DNS_PROOF_SECURE;
	w = nsec3_match(&s, wildcard);
	if (w)
		return !nxdomain && lacks(w->rr, type) ? DNS_PROOF_SECURE : DNS_PROOF_NONE;
	return nxdomain && nsec3_cover(&s, wildcard) ? DNS_PROOF_SECURE : DNS_PROOF_NONE;
}

/* --- all --- */

static bool
is_nsec3(const ldns_rr_list *l)
{
	return ldns_rr_list_rr_count(l) > 0 && ldns_rr_get_type(ldns_rr_list_rr(l, 0)) == LDNS_RR_TYPE_NSEC3;
}

enum dns_proof
dns_denial(struct arena *a, const ldns_rr_list *proofs, struct str zone, struct str name, int type, bool nxdomain)
{
	if (is_nsec3(proofs))
		return nsec3_denial(a, proofs, zone, name, type, nxdomain);
	return nsec_denial(a, proofs, name, type, nxdomain);
}

enum dns_proof
dns_denial_wildcard(struct arena *a, const ldns_rr_list *proofs, struct str zone, struct str name, unsigned labels)
{
	struct str next_closer = dns_wire_tail(name, labels + 1);
	struct nsec n;

	if (is_nsec3(proofs)) {
		struct nsec3_set s = nsec3_collect(a, proofs, zone);
		const struct nsec3 *cover = s.costly ? NULL : nsec3_cover(&s, next_closer);   /* rfc/5155:1359 */

		if (s.costly || (cover && opted_out(cover)))
			return DNS_PROOF_INSECURE;
		return cover ? DNS_PROOF_SECURE : DNS_PROOF_NONE;
	}
	if (nsec_cover(a, proofs, name, &n) && dns_wire_labels(nsec_encloser(&n, name)) == labels)
		return DNS_PROOF_SECURE;
	return DNS_PROOF_NONE;
}

enum dns_proof
dns_denial_cut(struct arena *a, const ldns_rr_list *proofs, struct str zone, struct str name)
{
	struct nsec n;
	const ldns_rr *at = NULL;

	if (is_nsec3(proofs)) {
		struct nsec3_set s = nsec3_collect(a, proofs, zone);
		const struct nsec3 *match = s.costly ? NULL : nsec3_match(&s, name);

		if (s.costly)
			return DNS_PROOF_INSECURE;
		at = match ? match->rr : NULL;
	} else if (nsec_match(a, proofs, name, &n)) {
		at = n.rr;
	}
	if (at && (has_type(at, LDNS_RR_TYPE_DS) || has_type(at, LDNS_RR_TYPE_SOA)))
		return DNS_PROOF_NONE;          /* it has one; or it is the child's own record: rfc/4035:1503 */
	if (at)
		return has_type(at, LDNS_RR_TYPE_NS) ? DNS_PROOF_INSECURE : DNS_PROOF_SECURE;
	/* No such name, or one without anything of its own; or opted out, which is how NSEC3 hides unsigned delegations. */
	if (dns_denial(a, proofs, zone, name, LDNS_RR_TYPE_DS, true) == DNS_PROOF_SECURE)
		return DNS_PROOF_SECURE;
	return dns_denial(a, proofs, zone, name, LDNS_RR_TYPE_DS, false);
}
