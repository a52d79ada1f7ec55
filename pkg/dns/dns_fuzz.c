/* SPDX-License-Identifier: MIT */
/*
 * dns_fuzz.c - answers from servers: the first octet chooses the type asked for, the rest is the packet, with our id and
 * question put in. Also the settings files and names, and that what the cache gives back is what it got.
 */
#include "dns/dns_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The proofs in the authority section, as if their signatures were good; signatures, with keys of the additional section. */
static void
signatures(struct arena *a, const struct dns_response *res, struct str name, int type)
{
	const ldns_rr_list *proofs = ldns_pkt_authority(res->pkt), *answer = ldns_pkt_answer(res->pkt);
	const ldns_rr_list *keys = ldns_pkt_additional(res->pkt);
	ldns_rr_list *good = ldns_rr_list_new();

	for (int nx = 0; nx < 2; nx++)
		ignore_result(dns_denial(a, proofs, S("\4test\0"), name, type, nx) == DNS_PROOF_NONE);
	ignore_result(dns_denial_wildcard(a, proofs, S("\4test\0"), name, 1) == DNS_PROOF_NONE);
	ignore_result(dns_denial_cut(a, proofs, S("\4test\0"), name) == DNS_PROOF_NONE);
	for (size_t i = 0; i < ldns_rr_list_rr_count(keys); i++) {
		ldns_rr *key = ldns_rr_list_rr(keys, i);

		if (ldns_rr_get_type(key) == LDNS_RR_TYPE_DNSKEY && ldns_rr_rd_count(key) == 4) {
			ldns_rr_free(ldns_key_rr2ds(key, LDNS_SHA256));
			ldns_rr_list_push_rr(good, key);
		}
	}
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *sig = ldns_rr_list_rr(answer, i);

		if (ldns_rr_get_type(sig) == LDNS_RR_TYPE_RRSIG && ldns_rr_rd_count(sig) == 9 && i > 0) {
			ldns_rr_list *set = ldns_rr_list_new();

			ldns_rr_list_push_rr(set, ldns_rr_list_rr(answer, 0));
			ignore_result(ldns_verify_rrsig_keylist_notime(set, sig, good, NULL) == LDNS_STATUS_OK);
			ldns_rr_list_free(set);
		}
	}
	ldns_rr_list_free(good);
}

static void
packet(struct arena *a, int type, uint8_t *p, size_t n)
{
	struct dns_query q = { .name = S("\1a\4test\0"), .type = type };
	struct dns_response res;
	struct dns_answer answer;

	dns_query_build(&q, true);
	if (n >= 12 + q.question) {
		memcpy(p, q.packet, 2);
		memcpy(p + 12, q.packet + 12, q.question);
	}
	ignore_result(dns_query_match(&q, p, n) == DNS_MATCH);
	if (dns_response_parse(a, p, n, &res) < 0)
		return;
	dns_answer_of(a, &res, q.name, type, &answer);
	signatures(a, &res, q.name, type);
	bug_if(answer.nchain == 0 || answer.nchain > DNS_MAX_STEPS + 1 || (answer.denied && answer.n > 0));
	if (answer.n > 0) {
		struct dns_cache c = { .max = 1 };
		struct dns_result r = { .v = answer.v, .n = answer.n, .canonical = S("a.test") }, got;
		struct errmsg e = { 0 };
		int rv;

		dns_order(answer.v, answer.n);
		dns_cache_put(&c, 0, type, q.name, 1, 0, &r, &e);
		if (dns_cache_get(&c, a, 0, type, q.name, &rv, &got, &e)) {
			bug_if(got.n != r.n);
			for (size_t i = 0; i < r.n; i++)
				bug_if(!str_is(got.v[i].name, r.v[i].name) || !str_is(got.v[i].text, r.v[i].text) ||
				    !str_is(got.v[i].data, r.v[i].data));
		}
		dns_cache_done(&c);
	}
	dns_response_done(&res);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int types[] = { DNS_A, DNS_NS, DNS_CNAME, DNS_PTR, DNS_MX, DNS_TXT, DNS_AAAA, DNS_SRV, DNS_TLSA };
	struct str in = str_n((const char *)data, size), wire, text, again;
	struct dns_hosts hosts = { 0 };
	struct dns_conf conf;
	struct arena a = { 0 };

	if (size == 0 || size > DNS_MAX_MESSAGE)
		return 0;
	/* A heap block of the exact size. */
	uint8_t *copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	packet(&a, types[data[0] % ARRAY_LEN(types)], copy, size - 1);
	free(copy);
	dns_conf_parse(in, &conf);
	bug_if(conf.n == 0);
	dns_hosts_parse(&hosts, in);
	dns_hosts_done(&hosts);
	if (dns_wire_name(&a, in, &wire) == 0 && dns_text_name(&a, wire, false, &text) == 0 && text.n > 0) {
		bug_if(dns_wire_name(&a, text, &again) < 0 || !str_is(wire, again));
	}
	arena_done(&a);
	return 0;
}
