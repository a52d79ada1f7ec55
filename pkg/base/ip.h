/* SPDX-License-Identifier: MIT */
/*
 * ip.h - IP addresses with port, and the three network classes that limits and reputation use.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/str.h"

/* An address. IPv4-mapped IPv6 addresses are stored as IPv4. Zeroed = none. */
struct ip {
	uint8_t family;         /* 0 none, 4, 6 */
	uint8_t a[16];          /* network order; 4 or 16 bytes used, the rest 0 */
};
struct ipport {
	struct ip ip;
	uint16_t port;
};

int ip_parse(struct str s, struct ip *r_ip) must_use_;    /* textual form, no brackets, no zone */
struct str ip_str(struct arena *a, const struct ip *ip);  /* RFC 5952 text; "" for none */
bool ip_equal(const struct ip *a, const struct ip *b);
struct ip ip_mask(const struct ip *ip, unsigned bits);    /* the first bits bits, the rest 0 */
bool ip_is_unspecified(const struct ip *ip);              /* 0.0.0.0 or :: */
bool ip_is_loopback(const struct ip *ip);
bool ip_is_private(const struct ip *ip);                  /* RFC 1918, RFC 4193, link-local; not loopback */
/* Class 0 narrow, 1 middle, 2 wide: IPv4 /32 /26 /21, IPv6 /64 /48 /32. */
struct ip ip_class(const struct ip *ip, int class_index);

struct ipport ipport_of(const struct sockaddr *sa);       /* zeroed for families other than INET and INET6 */
socklen_t ipport_sockaddr(const struct ipport *p, struct sockaddr_storage *r_ss);
struct str ipport_str(struct arena *a, const struct ipport *p);   /* "1.2.3.4:25", "[::1]:25" */
int ipport_parse(struct str s, struct ipport *r_p) must_use_;

#endif
