/* SPDX-License-Identifier: MIT */
#include "dns/signedzones_test.h"

#include "base/mem.h"
#include "testutil/testutil.h"

struct zone {
	struct signedzone_opts o;
	ldns_rdf *origin;
	ldns_key_list *keys;
	ldns_rr_list *rrs;              /* all, with signatures and proofs */
};

struct signedzones {
	struct zone *v;
	size_t n;
};

/* --- making --- */

static void
add_text(ldns_dnssec_zone *z, const char *line)
{
	ldns_rr *rr = NULL;

	if (ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) != LDNS_STATUS_OK || ldns_dnssec_zone_add_rr(z, rr) != LDNS_STATUS_OK)
		bug("signed zone: %s", line);
}

static const char *
below(const char *prefix, const char *origin)
{
	return str_fmt(test_arena(), "%s%s", prefix, strcmp(origin, ".") == 0 ? "" : origin).p;
}

static void
make_key(struct zone *z)
{
	int algorithm = z->o.algorithm ? z->o.algorithm : LDNS_SIGN_ECDSAP256SHA256;
	int64_t from = z->o.from_s ? z->o.from_s : 1700000000 - 3600, until = z->o.until_s ? z->o.until_s : 1700000000 + 30 * 86400;
	ldns_key *key = ldns_key_new_frm_algorithm((ldns_signing_algorithm)algorithm, 2048);

	bug_if(!key);
	ldns_key_set_pubkey_owner(key, ldns_rdf_clone(z->origin));
	ldns_key_set_flags(key, LDNS_KEY_ZONE_KEY | LDNS_KEY_SEP_KEY);
	ldns_key_set_inception(key, (uint32_t)from);
	ldns_key_set_expiration(key, (uint32_t)until);
	ldns_key_set_origttl(key, 3600);
	ldns_key_set_use(key, 1);
	ldns_key_set_keytag(key, 0);
	z->keys = ldns_key_list_new();
	ldns_key_list_push_key(z->keys, key);
}

static ldns_rr *
key_record(const struct zone *z)
{
	ldns_rr *rr = ldns_key2rr(ldns_key_list_key(z->keys, 0));

	ldns_rr_set_ttl(rr, 3600);
	return rr;
}

static ldns_rr *
ds_of(const struct zone *z)
{
	ldns_rr *key = key_record(z), *ds = ldns_key_rr2ds(key, LDNS_SHA256);

	if (z->o.wrong_ds)
		ldns_rdf_data(ldns_rr_rdf(ds, 3))[0] ^= 1;
	if (z->o.odd_ds)
		ldns_rdf_data(ldns_rr_rdf(ds, 1))[0] = 253;
	ldns_rr_set_ttl(ds, 3600);
	ldns_rr_free(key);
	return ds;
}

static void
push_all(ldns_rr_list *to, const ldns_dnssec_rrs *l)
{
	for (; l; l = l->next)
		ldns_rr_list_push_rr(to, ldns_rr_clone(l->rr));
}

/* Everything of a signed zone as one list of copies. */
static ldns_rr_list *
flatten(ldns_dnssec_zone *z)
{
	ldns_rr_list *l = ldns_rr_list_new();

	for (ldns_rbnode_t *node = ldns_rbtree_first(z->names); node != LDNS_RBTREE_NULL; node = ldns_rbtree_next(node)) {
		const ldns_dnssec_name *name = node->data;

		for (const ldns_dnssec_rrsets *s = name->rrsets; s; s = s->next) {
			push_all(l, s->rrs);
			push_all(l, s->signatures);
		}
		if (name->nsec)
			ldns_rr_list_push_rr(l, ldns_rr_clone(name->nsec));
		push_all(l, name->nsec_signatures);
	}
	return l;
}

static bool
is_child(const struct zone *child, const struct zone *parent)
{
	return ldns_dname_is_subdomain(child->origin, parent->origin);
}

/* A zone of the origin with all that was given, and the delegations of those made before whose closest parent it is. */
static void
make_zone(struct signedzones *all, struct zone *z)
{
	ldns_dnssec_zone *dz = ldns_dnssec_zone_new();
	ldns_rr_list *made = ldns_rr_list_new();
	struct str text = str_of(z->o.records);
	const char *origin = z->o.origin;

	make_key(z);
	add_text(dz, str_fmt(test_arena(), "%s 300 IN SOA %s %s 1 2 3 4 60", origin, below("ns.", origin), below("h.", origin)).p);
	add_text(dz, str_fmt(test_arena(), "%s 300 IN NS %s", origin, below("ns.", origin)).p);
	while (text.n > 0) {
		struct str line = str_split(&text, '\n');

		if (line.n > 0)
			add_text(dz, str_z(test_arena(), line));
	}
	for (struct zone *c = all->v; c < z; c++) {
		bool direct = is_child(c, z);

		for (struct zone *m = c + 1; m < z && direct; m++)
			direct = !(is_child(c, m) && is_child(m, z));
		if (!direct)
			continue;
		add_text(dz, str_fmt(test_arena(), "%s 300 IN NS %s", c->o.origin, below("ns.", c->o.origin)).p);
		if (!c->o.unsigned_ && !c->o.no_ds)
			bug_if(ldns_dnssec_zone_add_rr(dz, ds_of(c)) != LDNS_STATUS_OK);
	}
	if (!z->o.unsigned_) {
		static uint8_t salt[] = { 0xab, 0xcd };
		ldns_status s;

		bug_if(ldns_dnssec_zone_add_rr(dz, key_record(z)) != LDNS_STATUS_OK);
		ldns_key_set_keytag(ldns_key_list_key(z->keys, 0), ldns_calc_keytag(ldns_dnssec_zone_find_rrset(dz, z->origin,
		    LDNS_RR_TYPE_DNSKEY)->rrs->rr));
		ldns_dnssec_zone_mark_glue(dz);
		if (z->o.nsec3)
			s = ldns_dnssec_zone_sign_nsec3(dz, made, z->keys, ldns_dnssec_default_replace_signatures, NULL, 1, z->o.opt_out,
			    (uint16_t)z->o.iterations, sizeof(salt), salt);
		else
			s = ldns_dnssec_zone_sign(dz, made, z->keys, ldns_dnssec_default_replace_signatures, NULL);
		if (s != LDNS_STATUS_OK)
			bug("signing %s: %s", origin, ldns_get_errorstr_by_id(s));
	}
	z->rrs = flatten(dz);
	ldns_rr_list_free(made);
	ldns_dnssec_zone_deep_free(dz);
}

struct signedzones *
signedzones_new(const struct signedzone_opts *o, size_t n)
{
	struct signedzones *z = mem_alloc(sizeof(*z));

	z->v = mem_allocn(n, sizeof(*z->v));
	z->n = n;
	for (size_t i = 0; i < n; i++) {
		z->v[i].o = o[i];
		z->v[i].origin = ldns_dname_new_frm_str(o[i].origin);
		make_zone(z, &z->v[i]);
	}
	return z;
}

void
signedzones_free(struct signedzones **pz)
{
	struct signedzones *z = *pz;

	for (size_t i = 0; i < z->n; i++) {
		ldns_rdf_deep_free(z->v[i].origin);
		ldns_key_list_free(z->v[i].keys);
		ldns_rr_list_deep_free(z->v[i].rrs);
	}
	mem_free(&z->v);
	mem_free(&z);
	*pz = NULL;
}

struct str
signedzones_anchor(struct signedzones *z, const char *origin, bool dnskey)
{
	for (size_t i = 0; i < z->n; i++)
		if (strcmp(z->v[i].o.origin, origin) == 0) {
			ldns_rr *rr = dnskey ? key_record(&z->v[i]) : ds_of(&z->v[i]);
			char *text = ldns_rr2str(rr);
			struct str s = str_dup(test_arena(), str_of(text));

			free(text);
			ldns_rr_free(rr);
			return s;
		}
	bug("no zone %s", origin);
}

/* --- answering --- */

static const struct zone *
zone_of(const struct signedzones *z, const ldns_rdf *name, ldns_rr_type type)
{
	for (size_t i = 0; i < z->n; i++) {
		bool at = ldns_dname_compare(name, z->v[i].origin) == 0;

		/* DS stand above the cut. */
		if (at && type == LDNS_RR_TYPE_DS && i + 1 < z->n)
			continue;
		if (at || ldns_dname_is_subdomain(name, z->v[i].origin))
			return &z->v[i];
	}
	return &z->v[z->n - 1];
}

static bool
is_signature_of(const ldns_rr *rr, ldns_rr_type type)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG && ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) == type;
}

/* Adds the records of a type, as if owned by name, and their signatures; returns how many records. */
static size_t
add(const struct zone *z, ldns_pkt *to, ldns_pkt_section section, const ldns_rdf *owner, const ldns_rdf *name, ldns_rr_type type)
{
	size_t n = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(z->rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(z->rrs, i);
		bool hit = ldns_rr_get_type(rr) == type;
		ldns_rr *copy;

		if ((owner && ldns_dname_compare(ldns_rr_owner(rr), owner) != 0) || !(hit || is_signature_of(rr, type)))
			continue;
		copy = ldns_rr_clone(rr);
		if (name) {
			ldns_rdf_deep_free(ldns_rr_owner(copy));
			ldns_rr_set_owner(copy, ldns_rdf_clone(name));
		}
		ldns_pkt_push_rr(to, section, copy);
		n += hit;
	}
	return n;
}

/* A name that owns something, or that a name below it makes exist. */
static bool
exists(const struct zone *z, const ldns_rdf *name)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(z->rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(z->rrs, i);
		ldns_rr_type t = ldns_rr_get_type(rr);

		if (t == LDNS_RR_TYPE_NSEC3 || is_signature_of(rr, LDNS_RR_TYPE_NSEC3))
			continue;
		if (ldns_dname_compare(ldns_rr_owner(rr), name) == 0 || ldns_dname_is_subdomain(ldns_rr_owner(rr), name))
			return true;
	}
	return false;
}

/* The wildcard that stands for a name that does not exist. */
static ldns_rdf *
wildcard_for(const struct zone *z, const ldns_rdf *name)
{
	ldns_rdf *x = ldns_dname_left_chop(name), *up, *w;

	while (!exists(z, x)) {
		up = ldns_dname_left_chop(x);
		ldns_rdf_deep_free(x);
		x = up;
	}
	w = ldns_dname_new_frm_str("*");
	ldns_dname_cat(w, x);
	ldns_rdf_deep_free(x);
	return w;
}

static void
add_proofs(const struct zone *z, ldns_pkt *answer, struct str quirks)
{
	if (fake_has(quirks, "noproof"))
		return;
	add(z, answer, LDNS_SECTION_AUTHORITY, NULL, NULL, LDNS_RR_TYPE_NSEC);
	add(z, answer, LDNS_SECTION_AUTHORITY, NULL, NULL, LDNS_RR_TYPE_NSEC3);
}

static ldns_rdf *
last_target(ldns_pkt *answer, ldns_rr_type type)
{
	const ldns_rr_list *l = ldns_pkt_answer(answer);

	for (size_t i = ldns_rr_list_rr_count(l); i-- > 0;)
		if (ldns_rr_get_type(ldns_rr_list_rr(l, i)) == type)
			return ldns_rr_rdf(ldns_rr_list_rr(l, i), 0);
	bug("no target");
}

/* A DNAME above the name, with the alias made from it. */
static bool
substitute(const struct zone *z, ldns_pkt *answer, const ldns_rdf *name)
{
	ldns_rdf *x = ldns_rdf_clone(name), *up, *target;
	ldns_rr *alias;

	while (ldns_dname_label_count(x) > 1) {
		up = ldns_dname_left_chop(x);
		ldns_rdf_deep_free(x);
		x = up;
		if (add(z, answer, LDNS_SECTION_ANSWER, x, NULL, LDNS_RR_TYPE_DNAME) == 0)
			continue;
		target = ldns_dname_label(name, 0);
		for (uint8_t i = 1; i < ldns_dname_label_count(name) - ldns_dname_label_count(x); i++) {
			ldns_rdf *label = ldns_dname_label(name, i);

			ldns_dname_cat(target, label);
			ldns_rdf_deep_free(label);
		}
		ldns_dname_cat(target, last_target(answer, LDNS_RR_TYPE_DNAME));
		alias = ldns_rr_new();
		ldns_rr_set_owner(alias, ldns_rdf_clone(name));
		ldns_rr_set_type(alias, LDNS_RR_TYPE_CNAME);
		ldns_rr_set_class(alias, LDNS_RR_CLASS_IN);
		ldns_rr_set_ttl(alias, 300);
		ldns_rr_push_rdf(alias, target);
		ldns_pkt_push_rr(answer, LDNS_SECTION_ANSWER, alias);
		ldns_rdf_deep_free(x);
		return true;
	}
	ldns_rdf_deep_free(x);
	return false;
}

/* Signatures are damaged only in answers, or the delegations above would be, too. */
static void
damage(ldns_rr_list *l, struct str quirks, bool in_answer)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(l); i++) {
		ldns_rr *rr = ldns_rr_list_rr(l, i);
		ldns_rr_type t = ldns_rr_get_type(rr);

		if (in_answer && fake_has(quirks, "nosig") && t == LDNS_RR_TYPE_RRSIG)
			ldns_rr_set_type(rr, (ldns_rr_type)65281);
		if (fake_has(quirks, "flip") && (t == LDNS_RR_TYPE_A || t == LDNS_RR_TYPE_DS))
			ldns_rdf_data(ldns_rr_rdf(rr, t == LDNS_RR_TYPE_A ? 0 : 3))[3] ^= 1;
		if (fake_has(quirks, "badproof") && (t == LDNS_RR_TYPE_NSEC || t == LDNS_RR_TYPE_NSEC3))
			ldns_rdf_data(ldns_rr_rdf(rr, t == LDNS_RR_TYPE_NSEC ? 1 : 4))[2] ^= 1;
		if (in_answer && fake_has(quirks, "wrongsigner") && t == LDNS_RR_TYPE_RRSIG) {
			ldns_rdf_deep_free(ldns_rr_rdf(rr, 7));
			ldns_rr_set_rdf(rr, ldns_dname_new_frm_str("test."), 7);
		}
	}
}

/* One name's part of an answer: true when it ends in an alias, whose target is then *r_next. */
static bool
answer_name(const struct zone *z, const ldns_rdf *name, ldns_rr_type type, struct str quirks, ldns_pkt *answer, ldns_rdf **r_next)
{
	ldns_rdf *owner = ldns_rdf_clone(name);
	bool there = exists(z, name), alias = false;

	if (!there && substitute(z, answer, name)) {
		*r_next = ldns_rdf_clone(last_target(answer, LDNS_RR_TYPE_CNAME));
		ldns_rdf_deep_free(owner);
		return true;
	}
	if (!there) {
		ldns_rdf_deep_free(owner);
		owner = wildcard_for(z, name);
	}
	if (add(z, answer, LDNS_SECTION_ANSWER, owner, name, type) > 0) {
		if (!there)
			add_proofs(z, answer, quirks);
	} else if (type != LDNS_RR_TYPE_CNAME && add(z, answer, LDNS_SECTION_ANSWER, owner, name, LDNS_RR_TYPE_CNAME) > 0) {
		if (!there)
			add_proofs(z, answer, quirks);
		*r_next = ldns_rdf_clone(last_target(answer, LDNS_RR_TYPE_CNAME));
		alias = true;
	} else {
		ldns_pkt_set_rcode(answer, there || exists(z, owner) ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN);
		add(z, answer, LDNS_SECTION_AUTHORITY, z->origin, NULL, LDNS_RR_TYPE_SOA);
		add_proofs(z, answer, quirks);
	}
	ldns_rdf_deep_free(owner);
	return alias;
}

void
signedzones_answer(void *arg, const ldns_rr *question, struct str quirks, ldns_pkt *answer)
{
	const struct signedzones *z = arg;
	ldns_rdf *name = ldns_rdf_clone(ldns_rr_owner(question)), *next;
	ldns_rr_type type = ldns_rr_get_type(question);

	ldns_dname2canonical(name);
	while (answer_name(zone_of(z, name, type), name, type, quirks, answer, &next)) {
		ldns_rdf_deep_free(name);
		name = next;
	}
	ldns_rdf_deep_free(name);
	damage(ldns_pkt_answer(answer), quirks, true);
	damage(ldns_pkt_authority(answer), quirks, false);
}
