/* SPDX-License-Identifier: MIT */
/*
 * validate.c - our own validation: from a trust anchor down to the zone of an answer, and the signatures of the answer.
 *
 * The walk. At each name between an anchor and the wanted one, the DS records are asked for. If there are some, signed by the
 * zone above, a zone begins there whose keys must match them; proof that there are none means that the zone goes on, or that
 * what lies below is not signed and so insecure for good. What is found is kept per name. Then each RRset of the answer must
 * carry a signature by the zone that holds it; without one it is insecure only if the walk says so.
 *
 * Work is bounded (MAX_QUERIES, MAX_CHECKS), whatever keys and signatures an answer brings: keys that share a tag and many
 * signatures are a way to keep a validator busy. A bound that is reached is a failure, not an insecure answer.
 */
#include <stdio.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "dns/dns_internal.h"

#define MAX_QUERIES 48          /* for keys, in one validation: a name of 16 labels has at most 33 */
#define MAX_CHECKS 100          /* signatures computed in one validation; a usual one takes 8 */
#define MAX_SIGNATURES 4        /* tried for one RRset */
#define MAX_SAME_TAG 3          /* keys with the tag and algorithm of a signature */
#define MAX_CUTS 5000           /* names whose place is kept */
#define MAX_CUT_TTL 3600
#define MIN_CUT_TTL 30          /* also where TTLs are 0: an answer asks for the same keys several times */
#define MAX_ANCHOR_FILE 65536

/* Extended errors, rfc/8914:277 */
enum { INDETERMINATE = 5, BOGUS = 6, EXPIRED = 7, NOT_YET = 8, NO_DNSKEY = 9, NO_RRSIG = 10, NO_NSEC = 12 };

enum place {
	SAME_ZONE,              /* no zone begins here */
	SIGNED,                 /* a zone begins, with keys */
	UNSIGNED,               /* a zone begins that is not signed, or not in a way that we know */
};

struct cut {
	enum place place;
	int64_t expires_us;
	ldns_rr_list *keys;
};

struct dns_validator {
	ldns_rr_list *anchors;
	const struct clock *clock;
	struct lock lock;       /* cuts */
	struct map cuts;        /* by name in wire form */
};

/* One validation. */
struct run {
	struct dns_validator *v;
	const struct dns_conf *conf;
	struct arena *a;
	const struct ctx *ctx;
	time_t now;
	unsigned queries, checks;
	uint32_t ttl;
	int extended;
	struct errmsg *e;
};

/* --- small things --- */

static int
bogus(struct run *r, int extended, const char *what, struct str name)
{
	struct str text = S("?");

	ignore_result(dns_text_name(r->a, name, false, &text) < 0);
	r->extended = extended;
	return err_set(r->e, DNS_BOGUS, "not authentic: %s " STRF, what, STRA(text.n > 0 ? text : S(".")));
}

/* The records of a name and type in a section; the records stay the packet's. Free with ldns_rr_list_free. */
static ldns_rr_list *
rrset_of(struct arena *a, const ldns_rr_list *section, struct str name, int type)
{
	ldns_rr_list *l = ldns_rr_list_new();

	for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
		ldns_rr *rr = ldns_rr_list_rr(section, i);

		ARENA_SCOPE(a);
		if ((int)ldns_rr_get_type(rr) == type && ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN &&
		    str_is(dns_wire_of(a, ldns_rr_owner(rr)), name))
			ldns_rr_list_push_rr(l, rr);
	}
	return l;
}

static int
covered_type(const ldns_rr *sig)
{
	return ldns_rr_rd_count(sig) == 9 ? (int)ldns_rdf2native_int16(ldns_rr_rrsig_typecovered(sig)) : -1;
}

/* The signatures over a name and type. Free with ldns_rr_list_free. */
static ldns_rr_list *
signatures_of(struct arena *a, const ldns_rr_list *section, struct str name, int type)
{
	ldns_rr_list *all = rrset_of(a, section, name, LDNS_RR_TYPE_RRSIG), *l = ldns_rr_list_new();

	for (size_t i = 0; i < ldns_rr_list_rr_count(all); i++)
		if (covered_type(ldns_rr_list_rr(all, i)) == type)
			ldns_rr_list_push_rr(l, ldns_rr_list_rr(all, i));
	ldns_rr_list_free(all);
	return l;
}

static bool
is_known_algorithm(int algorithm)
{
	switch (algorithm) {
	case LDNS_RSASHA1:
	case LDNS_RSASHA1_NSEC3:
	case LDNS_RSASHA256:
	case LDNS_RSASHA512:
	case LDNS_ECDSAP256SHA256:
	case LDNS_ECDSAP384SHA384:
	case LDNS_ED25519:
	case LDNS_ED448: return true;
	default: return false;
	}
}

/* A key that may sign a zone: with the zone flag, not revoked, of protocol 3: rfc/4034:237 */
static bool
is_zone_key(const ldns_rr *key)
{
	unsigned flags;

	if (ldns_rr_get_type(key) != LDNS_RR_TYPE_DNSKEY || ldns_rr_rd_count(key) != 4)
		return false;
	flags = ldns_rdf2native_int16(ldns_rr_dnskey_flags(key));
	return (flags & LDNS_KEY_ZONE_KEY) && !(flags & LDNS_KEY_REVOKE_KEY) &&
	    ldns_rdf2native_int8(ldns_rr_dnskey_protocol(key)) == 3;
}

/* --- signatures --- */

/* The keys that a signature may be by. */
static ldns_rr_list *
keys_for(const ldns_rr_list *keys, const ldns_rr *sig)
{
	ldns_rr_list *l = ldns_rr_list_new();

	for (size_t i = 0; i < ldns_rr_list_rr_count(keys) && ldns_rr_list_rr_count(l) < MAX_SAME_TAG; i++) {
		ldns_rr *key = ldns_rr_list_rr(keys, i);

		if (is_zone_key(key) && ldns_calc_keytag(key) == ldns_rdf2native_int16(ldns_rr_rrsig_keytag(sig)) &&
		    ldns_rdf2native_int8(ldns_rr_dnskey_algorithm(key)) == ldns_rdf2native_int8(ldns_rr_rrsig_algorithm(sig)))
			ldns_rr_list_push_rr(l, key);
	}
	return l;
}

static int
extended_of(ldns_status s)
{
	return s == LDNS_STATUS_CRYPTO_SIG_EXPIRED ? EXPIRED : s == LDNS_STATUS_CRYPTO_SIG_NOT_INCEPTED ? NOT_YET : BOGUS;
}

static void
bound_ttl(struct run *r, const ldns_rr *sig)
{
	/* Times are serial numbers, modulo 2^32: rfc/4034:469 */
	int32_t left = (int32_t)(ldns_rdf2native_int32(ldns_rr_rrsig_expiration(sig)) - (uint32_t)r->now);

	r->ttl = MIN(r->ttl, (uint32_t)MAX(left, 0));
}

/*
 * Checks an RRset against the keys of its zone (rfc/4035:1536). 0 if a signature is good, with the labels that it covers: fewer
 * than the name has when a wildcard was expanded.
 */
static int
check_rrset(struct run *r, struct str zone, const ldns_rr_list *keys, struct str name, const ldns_rr_list *rrset,
    const ldns_rr_list *sigs, unsigned *r_labels)
{
	int extended = BOGUS;

	for (size_t i = 0; i < ldns_rr_list_rr_count(sigs) && i < MAX_SIGNATURES; i++) {
		const ldns_rr *sig = ldns_rr_list_rr(sigs, i);
		unsigned labels = ldns_rdf2native_int8(ldns_rr_rrsig_labels(sig));
		ldns_rr_list *candidates;
		ldns_status s;

		if (!str_is(dns_wire_of(r->a, ldns_rr_rrsig_signame(sig)), zone) || labels > dns_wire_labels(name))
			continue;
		candidates = keys_for(keys, sig);
		r->checks += (unsigned)ldns_rr_list_rr_count(candidates);
		if (r->checks > MAX_CHECKS) {
			ldns_rr_list_free(candidates);
			return bogus(r, INDETERMINATE, "too many signatures for", name);
		}
		s = LDNS_STATUS_CRYPTO_NO_MATCHING_KEYTAG_DNSKEY;
		if (ldns_rr_list_rr_count(candidates) > 0)
			s = ldns_verify_rrsig_keylist_time(rrset, sig, candidates, r->now, NULL);
		ldns_rr_list_free(candidates);
		if (s == LDNS_STATUS_OK) {
			bound_ttl(r, sig);
			*r_labels = labels;
			return 0;
		}
		extended = extended_of(s);
	}
	return bogus(r, extended, "no good signature of", name);
}

/* --- the walk --- */

static int
ask(struct run *r, struct str name, int type, struct dns_response *r_res)
{
	struct dns_exchange x = { .query = { .name = name, .type = type, .check_disabled = true } };

	if (++r->queries > MAX_QUERIES)
		return bogus(r, INDETERMINATE, "too many zones above", name);
	dns_exchange_run(r->conf, r->a, r->ctx, &x, 1);
	if (x.rv < 0)
		return err_set(r->e, x.rv, "%s of a zone: %s", dns_type_name(type), x.e.text);
	*r_res = x.response;
	return 0;
}

/* Whether a DS record is of a kind that we can use. */
static bool
is_known_ds(const ldns_rr *ds)
{
	int digest;

	if (ldns_rr_rd_count(ds) != 4)
		return false;
	digest = ldns_rdf2native_int8(ldns_rr_rdf(ds, 2));
	return is_known_algorithm(ldns_rdf2native_int8(ldns_rr_rdf(ds, 1))) &&
	    (digest == LDNS_SHA1 || digest == LDNS_SHA256 || digest == LDNS_SHA384);
}

static bool
any_known_ds(const ldns_rr_list *ds)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(ds); i++)
		if (is_known_ds(ldns_rr_list_rr(ds, i)))
			return true;
	return false;
}

static bool
same_data(const ldns_rr *x, const ldns_rr *y)
{
	if (ldns_rr_rd_count(x) != ldns_rr_rd_count(y))
		return false;
	for (size_t i = 0; i < ldns_rr_rd_count(x); i++)
		if (ldns_rdf_compare(ldns_rr_rdf(x, i), ldns_rr_rdf(y, i)) != 0)
			return false;
	return true;
}

/* Whether a key is one of those that are trusted: named by a DS record, or itself an anchor. */
static bool
is_trusted_key(const ldns_rr *key, const ldns_rr_list *trusted)
{
	bool found = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(trusted) && !found; i++) {
		const ldns_rr *t = ldns_rr_list_rr(trusted, i);
		ldns_rr *ds;

		if (ldns_rr_get_type(t) == LDNS_RR_TYPE_DNSKEY) {
			found = same_data(key, t);
		} else if (is_known_ds(t) && ldns_calc_keytag(key) == ldns_rdf2native_int16(ldns_rr_rdf(t, 0))) {
			ds = ldns_key_rr2ds(key, (ldns_hash)ldns_rdf2native_int8(ldns_rr_rdf(t, 2)));
			found = ds && same_data(ds, t);
			ldns_rr_free(ds);
		}
	}
	return found;
}

/*
 * Gets the keys of a zone, which one of the trusted ones must have signed: rfc/4035:1449. *r_keys is the caller's, to be freed
 * deep.
 */
static int
zone_keys(struct run *r, struct str zone, const ldns_rr_list *trusted, ldns_rr_list **r_keys, uint32_t *r_ttl)
{
	struct dns_response res = { 0 };
	ldns_rr_list *keys, *sigs, *good = ldns_rr_list_new();
	unsigned labels;
	int rv = ask(r, zone, LDNS_RR_TYPE_DNSKEY, &res);

	if (rv < 0) {
		ldns_rr_list_free(good);
		return rv;
	}
	keys = rrset_of(r->a, ldns_pkt_answer(res.pkt), zone, LDNS_RR_TYPE_DNSKEY);
	sigs = signatures_of(r->a, ldns_pkt_answer(res.pkt), zone, LDNS_RR_TYPE_DNSKEY);
	for (size_t i = 0; i < ldns_rr_list_rr_count(keys); i++)
		if (is_zone_key(ldns_rr_list_rr(keys, i)) && is_trusted_key(ldns_rr_list_rr(keys, i), trusted))
			ldns_rr_list_push_rr(good, ldns_rr_list_rr(keys, i));
	if (ldns_rr_list_rr_count(keys) == 0)
		rv = bogus(r, NO_DNSKEY, "no keys of zone", zone);
	else if (ldns_rr_list_rr_count(good) == 0)
		rv = bogus(r, BOGUS, "no trusted key of zone", zone);
	else
		rv = check_rrset(r, zone, good, zone, keys, sigs, &labels);
	if (rv == 0) {
		*r_ttl = ldns_rr_ttl(ldns_rr_list_rr(keys, 0));
		*r_keys = ldns_rr_list_clone(keys);
	}
	ldns_rr_list_free(keys);
	ldns_rr_list_free(sigs);
	ldns_rr_list_free(good);
	dns_response_done(&res);
	return rv;
}

/* The NSEC and NSEC3 records of a response with good signatures by the zone. Free with ldns_rr_list_free. */
static ldns_rr_list *
proofs_of(struct run *r, const struct dns_response *res, struct str zone, const ldns_rr_list *keys)
{
	const ldns_rr_list *section = ldns_pkt_authority(res->pkt);
	ldns_rr_list *proofs = ldns_rr_list_new();

	for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
		ldns_rr *rr = ldns_rr_list_rr(section, i);
		int type = (int)ldns_rr_get_type(rr);
		struct str owner = dns_wire_of(r->a, ldns_rr_owner(rr));
		ldns_rr_list *rrset, *sigs;
		struct errmsg ignored = { 0 }, *e = r->e;
		int extended = r->extended;
		unsigned labels;

		if ((type != LDNS_RR_TYPE_NSEC && type != LDNS_RR_TYPE_NSEC3) || !dns_wire_under(owner, zone))
			continue;
		rrset = rrset_of(r->a, section, owner, type);
		sigs = signatures_of(r->a, section, owner, type);
		/* One that is not good, or was made by a wildcard, proves nothing; others may do. */
		r->e = &ignored;
		if (ldns_rr_list_rr_count(rrset) == 1 && check_rrset(r, zone, keys, owner, rrset, sigs, &labels) == 0 &&
		    labels >= dns_wire_labels(owner) - (str_starts(owner, S("\1*")) ? 1 : 0))
			ldns_rr_list_push_rr(proofs, rr);
		r->e = e;
		r->extended = extended;
		ldns_rr_list_free(rrset);
		ldns_rr_list_free(sigs);
	}
	return proofs;
}

static uint32_t
soa_ttl(const struct dns_response *res)
{
	const ldns_rr_list *section = ldns_pkt_authority(res->pkt);

	for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(section, i)) == LDNS_RR_TYPE_SOA)
			return ldns_rr_ttl(ldns_rr_list_rr(section, i));
	return 0;
}

/* What a zone above says about a name: whether a zone begins there, and which keys it has. */
static int
find_place(struct run *r, struct str zone, const ldns_rr_list *keys, struct str name, struct cut *r_cut, uint32_t *r_ttl)
{
	struct dns_response res = { 0 };
	ldns_rr_list *ds, *alias, *sigs, *proofs;
	unsigned labels;
	int rv;

	TRY(ask(r, name, LDNS_RR_TYPE_DS, &res));
	*r_cut = (struct cut){ .place = SAME_ZONE };
	ds = rrset_of(r->a, ldns_pkt_answer(res.pkt), name, LDNS_RR_TYPE_DS);
	alias = rrset_of(r->a, ldns_pkt_answer(res.pkt), name, LDNS_RR_TYPE_CNAME);
	if (ldns_rr_list_rr_count(ds) > 0) {
		*r_ttl = ldns_rr_ttl(ldns_rr_list_rr(ds, 0));
		sigs = signatures_of(r->a, ldns_pkt_answer(res.pkt), name, LDNS_RR_TYPE_DS);
		rv = check_rrset(r, zone, keys, name, ds, sigs, &labels);
		ldns_rr_list_free(sigs);
		/* Only algorithms that we do not know: as if unsigned, rfc/4035:1492 */
		r_cut->place = any_known_ds(ds) ? SIGNED : UNSIGNED;
		if (rv == 0 && r_cut->place == SIGNED) {
			uint32_t ttl = 0;

			rv = zone_keys(r, name, ds, &r_cut->keys, &ttl);
			*r_ttl = MIN(*r_ttl, ttl);
		}
	} else if (ldns_rr_list_rr_count(alias) > 0) {
		/* An alias has nothing beside it, so no zone begins here. */
		*r_ttl = ldns_rr_ttl(ldns_rr_list_rr(alias, 0));
		sigs = signatures_of(r->a, ldns_pkt_answer(res.pkt), name, LDNS_RR_TYPE_CNAME);
		rv = check_rrset(r, zone, keys, name, alias, sigs, &labels);
		ldns_rr_list_free(sigs);
	} else {
		enum dns_proof p;

		*r_ttl = soa_ttl(&res);
		proofs = proofs_of(r, &res, zone, keys);
		p = dns_denial_cut(r->a, proofs, zone, name);
		ldns_rr_list_free(proofs);
		r_cut->place = p == DNS_PROOF_INSECURE ? UNSIGNED : SAME_ZONE;
		rv = p == DNS_PROOF_NONE ? bogus(r, NO_NSEC, "no proof that unsigned is", name) : 0;
	}
	ldns_rr_list_free(ds);
	ldns_rr_list_free(alias);
	dns_response_done(&res);
	return rv;
}

static void
drop_cut(struct cut *c)
{
	if (c->keys)
		ldns_rr_list_deep_free(c->keys);
	mem_free(&c);
}

static void
forget(struct dns_validator *v)
{
	struct str key;
	void *value;

	for (size_t pos = 0; map_next(&v->cuts, &pos, &key, &value);)
		drop_cut(value);
	map_done(&v->cuts);
}

/* What is known of a name, with a copy of the keys. */
static bool
recall(struct run *r, struct str name, struct cut *r_cut)
{
	struct cut *c;

	LOCKED(&r->v->lock);
	c = map_get(&r->v->cuts, name);
	if (!c || c->expires_us <= r->now * TIME_SEC)
		return false;
	*r_cut = *c;
	r_cut->keys = c->keys ? ldns_rr_list_clone(c->keys) : NULL;
	return true;
}

static void
remember(struct run *r, struct str name, const struct cut *cut, uint32_t ttl)
{
	struct cut *c = mem_alloc(sizeof(*c)), *old;

	ttl = MIN(MIN(MAX(ttl, (uint32_t)MIN_CUT_TTL), (uint32_t)MAX_CUT_TTL), r->ttl);
	*c = *cut;
	c->keys = cut->keys ? ldns_rr_list_clone(cut->keys) : NULL;
	c->expires_us = (r->now + (int64_t)ttl) * TIME_SEC;
	LOCKED(&r->v->lock);
	if (r->v->cuts.n >= MAX_CUTS)
		forget(r->v);
	old = map_set(&r->v->cuts, name, c);
	if (old)
		drop_cut(old);
}

/* The anchors of the closest zone at or above the name. False if there is none. Free with ldns_rr_list_free. */
static bool
closest_anchors(struct run *r, struct str name, struct str *r_zone, ldns_rr_list **r_anchors)
{
	*r_anchors = ldns_rr_list_new();
	for (struct str x = name;; x = dns_wire_parent(x)) {
		for (size_t i = 0; i < ldns_rr_list_rr_count(r->v->anchors); i++)
			if (str_is(dns_wire_of(r->a, ldns_rr_owner(ldns_rr_list_rr(r->v->anchors, i))), x))
				ldns_rr_list_push_rr(*r_anchors, ldns_rr_list_rr(r->v->anchors, i));
		if (ldns_rr_list_rr_count(*r_anchors) > 0) {
			*r_zone = x;
			return true;
		}
		if (x.n <= 1)
			return false;
	}
}

static int
anchor_cut(struct run *r, struct str zone, const ldns_rr_list *anchors, struct cut *r_cut)
{
	uint32_t ttl = 0;

	if (recall(r, zone, r_cut))
		return 0;
	*r_cut = (struct cut){ .place = SIGNED };
	TRY(zone_keys(r, zone, anchors, &r_cut->keys, &ttl));
	remember(r, zone, r_cut, ttl);
	return 0;
}

/*
 * Finds the zone that holds a name: 1 with its keys (to be freed deep) and its name, 0 when it is not signed, or an error.
 */
static int
find_zone(struct run *r, struct str name, struct str *r_zone, ldns_rr_list **r_keys)
{
	ldns_rr_list *anchors;
	struct cut cut = { 0 };
	struct str zone;
	int rv = 0;

	if (!closest_anchors(r, name, &zone, &anchors)) {
		ldns_rr_list_free(anchors);
		return 0;
	}
	rv = anchor_cut(r, zone, anchors, &cut);
	ldns_rr_list_free(anchors);
	TRY(rv);
	*r_keys = cut.keys;
	for (unsigned n = dns_wire_labels(zone) + 1; n <= dns_wire_labels(name); n++) {
		struct str x = dns_wire_tail(name, n);
		uint32_t ttl = 0;

		cut = (struct cut){ 0 };
		if (!recall(r, x, &cut)) {
			rv = find_place(r, zone, *r_keys, x, &cut, &ttl);
			if (rv < 0)
				break;
			remember(r, x, &cut, ttl);
		}
		if (cut.place == SAME_ZONE)
			continue;
		ldns_rr_list_deep_free(*r_keys);
		*r_keys = cut.keys;
		zone = x;
		if (cut.place == UNSIGNED)
			return 0;
	}
	if (rv < 0) {
		ldns_rr_list_deep_free(*r_keys);
		return rv;
	}
	*r_zone = zone;
	return 1;
}

/* --- answers --- */

/*
 * Judges one RRset of the answer: 1 authentic, 0 insecure. The signer may be any zone above that the walk confirms: where a
 * server answers for a parent and its child, names do not tell where one ends.
 */
static int
judge_rrset(struct run *r, const struct dns_response *res, struct str name, int type)
{
	ldns_rr_list *rrset = rrset_of(r->a, ldns_pkt_answer(res->pkt), name, type), *keys = NULL, *proofs;
	ldns_rr_list *sigs = signatures_of(r->a, ldns_pkt_answer(res->pkt), name, type);
	struct str zone = { 0 };
	unsigned labels = 0;
	int rv = find_zone(r, name, &zone, &keys);

	if (rv == 1) {
		enum dns_proof p = DNS_PROOF_SECURE;

		if (ldns_rr_list_rr_count(sigs) == 0)
			rv = bogus(r, NO_RRSIG, "no signature of", name);
		else if (check_rrset(r, zone, keys, name, rrset, sigs, &labels) < 0)
			rv = DNS_BOGUS;
		else if (labels < dns_wire_labels(name)) {
			proofs = proofs_of(r, res, zone, keys);
			p = dns_denial_wildcard(r->a, proofs, zone, name, labels);
			ldns_rr_list_free(proofs);
		}
		if (p == DNS_PROOF_NONE)
			rv = bogus(r, NO_NSEC, "wildcard without proof for", name);
		else if (p == DNS_PROOF_INSECURE)
			rv = 0;
		ldns_rr_list_deep_free(keys);
	}
	ldns_rr_list_free(rrset);
	ldns_rr_list_free(sigs);
	return rv;
}

/* An alias that was made from a DNAME above is not signed itself: rfc/6672:749. Judges that instead. */
static int
judge_alias(struct run *r, const struct dns_response *res, struct str name, struct str target)
{
	for (struct str x = dns_wire_parent(name); x.n > 1; x = dns_wire_parent(x)) {
		ldns_rr_list *l = rrset_of(r->a, ldns_pkt_answer(res->pkt), x, LDNS_RR_TYPE_DNAME);
		struct str to = S("");

		if (ldns_rr_list_rr_count(l) == 1 && ldns_rr_rd_count(ldns_rr_list_rr(l, 0)) == 1)
			to = str_cat(r->a, str_upto(name, name.n - x.n), dns_wire_of(r->a, ldns_rr_rdf(ldns_rr_list_rr(l, 0), 0)));
		ldns_rr_list_free(l);
		if (to.n > 0 && str_is(to, target))
			return judge_rrset(r, res, x, LDNS_RR_TYPE_DNAME);
	}
	return judge_rrset(r, res, name, LDNS_RR_TYPE_CNAME);
}

static int
judge_denial(struct run *r, const struct dns_response *res, struct str name, int type, bool nxdomain)
{
	ldns_rr_list *keys = NULL, *proofs;
	struct str zone = { 0 };
	enum dns_proof p;
	int rv = find_zone(r, name, &zone, &keys);

	if (rv != 1)
		return rv;
	proofs = proofs_of(r, res, zone, keys);
	p = dns_denial(r->a, proofs, zone, name, type, nxdomain);
	if (p == DNS_PROOF_NONE)
		rv = bogus(r, NO_NSEC, "no proof of absence of", name);
	ldns_rr_list_free(proofs);
	ldns_rr_list_deep_free(keys);
	return p == DNS_PROOF_INSECURE ? 0 : rv;
}

int
dns_validate(struct dns_validator *v, const struct dns_conf *c, struct arena *a, const struct ctx *ctx,
    const struct dns_response *res, const struct dns_answer *answer, int type, bool *r_secure, uint32_t *r_ttl, int *r_extended,
    struct errmsg *e)
{
	struct run r = { .v = v, .conf = c, .a = a, .ctx = ctx, .now = (time_t)(clock_now_us(v->clock) / TIME_SEC),
		.ttl = UINT32_MAX, .extended = -1, .e = e };
	struct str last = answer->chain[answer->nchain - 1];
	int rv = 1;

	for (size_t i = 0; i < answer->nchain && rv >= 0; i++) {
		if (i + 1 < answer->nchain)
			rv = judge_alias(&r, res, answer->chain[i], answer->chain[i + 1]);
		else if (answer->n > 0 || answer->unusable > 0)
			rv = judge_rrset(&r, res, last, type);
		else if (answer->denied)
			rv = judge_denial(&r, res, last, type, answer->nxdomain);
		else
			rv = 1;
		r_secure[i] = rv == 1;
	}
	*r_ttl = MIN(*r_ttl, r.ttl);
	if (rv == DNS_BOGUS)
		*r_extended = r.extended;
	return MIN(rv, 0);
}

/* --- life --- */

static int
add_anchor(struct dns_validator *v, struct arena *a, struct str line, struct errmsg *e)
{
	const char *z = str_z(a, line);
	ldns_rr *rr = NULL;

	if (!z || ldns_rr_new_frm_str(&rr, z, 3600, NULL, NULL) != LDNS_STATUS_OK)
		return err_set(e, ERR_INVALID, "not a record: " STRF, STRA(str_log(a, line, 100)));
	if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_DS && !is_zone_key(rr)) {
		ldns_rr_free(rr);
		return err_set(e, ERR_INVALID, "neither DS nor key of a zone: " STRF, STRA(str_log(a, line, 100)));
	}
	ldns_rr_list_push_rr(v->anchors, rr);
	return 0;
}

int
dns_validator_new(const char *path, const struct clock *clock, struct dns_validator **r_v, struct errmsg *e)
{
	struct dns_validator *v;
	struct arena a = { 0 };
	struct str text;
	int rv = fd_read_file(&a, path, MAX_ANCHOR_FILE, &text, e);

	if (rv < 0) {
		arena_done(&a);
		return rv;
	}
	v = mem_alloc(sizeof(*v));
	v->anchors = ldns_rr_list_new();
	v->clock = clock;
	lock_init(&v->lock, LOCK_DNS, "dns keys");
	while (text.n > 0 && rv == 0) {
		struct str line = str_split(&text, '\n');

		line = str_trim(str_split(&line, ';'));
		if (line.n > 0)
			rv = add_anchor(v, &a, line, e);
	}
	if (rv == 0 && ldns_rr_list_rr_count(v->anchors) == 0)
		rv = err_set(e, ERR_INVALID, "%s has no trust anchor", path);
	arena_done(&a);
	if (rv < 0)
		dns_validator_free(&v);
	else
		*r_v = v;
	return rv;
}

void
dns_validator_free(struct dns_validator **pv)
{
	struct dns_validator *v = *pv;

	if (!v)
		return;
	forget(v);
	ldns_rr_list_deep_free(v->anchors);
	lock_done(&v->lock);
	mem_free(&v);
	*pv = NULL;
}
