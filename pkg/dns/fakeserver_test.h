/* SPDX-License-Identifier: MIT */
/*
 * fakeserver_test.h - a recursive DNS server on loopback for tests, in a thread of its own, that misbehaves on request.
 *
 * A zone is lines of presentation format ("a.example. 300 IN A 192.0.2.1"), names with the final dot. CNAMEs are followed within
 * it. A name that owns no record is NXDOMAIN. AD is set on answers that use only names below sec.test, if the query asks for it.
 * Denials carry an SOA with TTL 300 and a minimum of 60 seconds.
 *
 * A line "!name word..." makes the server misbehave when asked for that name, "!* word..." always:
 *   drop, drop1 (the first time), servfail, refused, formerr (to EDNS), ede=CODE (SERVFAIL with it and the text "because"),
 *   truncate (UDP), alltruncate, badid, badname, badtype, flood (of wrong ids), lower (name in lower case), garbage,
 *   short (cut at the end), norecursion, nosoa, onestep (CNAMEs are not followed), tcpclose, tcpsilent, tcpslow (octet by
 *   octet), tcpwrong, stop (signals the eventfd, never answers), pair (answers A only once AAAA was asked for),
 *   shortheader (FORMERR of 12 octets to EDNS), cd (SERVFAIL unless CD is set)
 */
#ifndef DNS_FAKESERVER_TEST_H
#define DNS_FAKESERVER_TEST_H

#include <ldns/ldns.h>

#include "base/ip.h"

struct fake;
/* Starts a server on a port of 127.0.0.1 that the system chooses. */
struct fake *fake_start(const char *zone);
/*
 * The same, with a function that fills in answers. The zone only says which names misbehave; quirks are the words for this
 * one.
 */
struct fake *fake_start_with(const char *zone, void (*fn)(void *arg, const ldns_rr *question, struct str quirks, ldns_pkt *answer),
    void *arg);
bool fake_has(struct str quirks, const char *word);
/* Ends it; sets *f to NULL. */
void fake_stop(struct fake **f);
struct ipport fake_addr(const struct fake *f);
void fake_zone(struct fake *f, const char *zone);       /* replaces the zone */
/*
 * Questions that came since the start. Their source ports and ids differ as much as they should: fake_ports tells how many
 * different ones.
 */
unsigned fake_udp(struct fake *f);
unsigned fake_tcp(struct fake *f);
unsigned fake_ports(struct fake *f);
bool fake_mixed_case(struct fake *f);   /* a question came with letters of both cases */
int fake_stop_fd(const struct fake *f); /* the eventfd of "stop" */

#endif
