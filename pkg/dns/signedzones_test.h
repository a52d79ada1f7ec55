/* SPDX-License-Identifier: MIT */
/*
 * signedzones_test.h - a small tree of zones, signed when a test starts, and a server that answers from it as a recursive one
 * does.
 *
 * Zones are given children first; each child's DS records (or none, for unsigned zones) go into its parent. Denials bring all
 * NSEC or NSEC3 records of the zone, which proves at least as much as is needed.
 */
#ifndef DNS_SIGNEDZONES_TEST_H
#define DNS_SIGNEDZONES_TEST_H

#include "dns/fakeserver_test.h"

struct signedzone_opts {
	const char *origin;             /* with final dot */
	const char *records;            /* lines in presentation format; SOA, NS and DNSKEY are added */
	bool unsigned_;
	bool nsec3, opt_out;
	unsigned iterations;
	bool wrong_ds, no_ds, odd_ds;   /* the parent has a DS of another key, none though it is signed, one of an unknown algorithm */
	int64_t from_s, until_s;        /* of the signatures; 0: about the test clock's start */
	int algorithm;                  /* 0: ECDSA P-256 */
};

struct signedzones;
/* The last zone is the root of the tree. */
struct signedzones *signedzones_new(const struct signedzone_opts *o, size_t n);
void signedzones_free(struct signedzones **z);
/* The DS (or DNSKEY) record of a zone, as text. */
struct str signedzones_anchor(struct signedzones *z, const char *origin, bool dnskey);
/* For fake_start_with. Quirks: nosig, flip (a record is changed), noproof, badproof (NSEC changed), wrongsigner */
void signedzones_answer(void *z, const ldns_rr *question, struct str quirks, ldns_pkt *answer);

#endif
