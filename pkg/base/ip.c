/* SPDX-License-Identifier: MIT */
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "base/err.h"

static struct ip
from_v4(const void *p)
{
	struct ip ip = { .family = 4 };

	memcpy(ip.a, p, 4);
	return ip;
}

static struct ip
from_v6(const void *p)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip ip = { .family = 6 };

	if (memcmp(p, mapped, 12) == 0)
		return from_v4((const char *)p + 12);
	memcpy(ip.a, p, 16);
	return ip;
}

int
ip_parse(struct str s, struct ip *r_ip)
{
	char z[INET6_ADDRSTRLEN];
	uint8_t a[16];

	if (s.n >= sizeof(z) || s.n == 0 || str_has(s, '\0'))
		return ERR_INVALID;
	memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	if (inet_pton(AF_INET, z, a) == 1)
		*r_ip = from_v4(a);
	else if (inet_pton(AF_INET6, z, a) == 1)
		*r_ip = from_v6(a);
	else
		return ERR_INVALID;
	return 0;
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2). */
static void
longest_zeros(const unsigned group[8], int *r_at, int *r_n)
{
	*r_at = -1;
	*r_n = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && group[i + n] == 0)
			n++;
		if (n > *r_n) {
			*r_at = i;
			*r_n = n;
		}
		i += n;
	}
}

struct str
ip_str(struct arena *a, const struct ip *ip)
{
	struct buf b = BUF_ARENA(a, 64);
	unsigned group[8];
	int at, n;

	if (ip->family == 4)
		return str_fmt(a, "%u.%u.%u.%u", ip->a[0], ip->a[1], ip->a[2], ip->a[3]);
	if (ip->family != 6)
		return S("");
	for (int i = 0; i < 8; i++)
		group[i] = (unsigned)ip->a[2 * i] << 8 | ip->a[2 * i + 1];
	longest_zeros(group, &at, &n);
	for (int i = 0; i < 8; i++) {
		if (i == at) {
			buf_add(&b, S("::"));
			i += n - 1;
			continue;
		}
		if (i > 0 && i != at + n)
			buf_addc(&b, ':');
		buf_addf(&b, "%x", group[i]);
	}
	return buf_str(&b);
}

bool
ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->a, b->a, sizeof(a->a)) == 0;
}

struct ip
ip_mask(const struct ip *ip, unsigned bits)
{
	struct ip r = *ip;

	for (unsigned i = 0; i < sizeof(r.a); i++) {
		unsigned keep = bits > i * 8 ? MIN(bits - i * 8, 8U) : 0;

		r.a[i] &= (uint8_t)(0xff00 >> keep);
	}
	return r;
}

/* Whether the address lies in the network given by its first bytes and length in bits. */
static bool
in_net(const struct ip *ip, uint8_t family, const uint8_t *net, unsigned bits)
{
	struct ip m = ip_mask(ip, bits);

	return ip->family == family && memcmp(m.a, net, (bits + 7) / 8) == 0;
}
#define IN_NET(ip, family, bits, ...) in_net((ip), (family), (const uint8_t[]){ __VA_ARGS__ }, (bits))

bool
ip_is_unspecified(const struct ip *ip)
{
	static const uint8_t zero[16];

	return ip->family != 0 && memcmp(ip->a, zero, sizeof(zero)) == 0;
}

bool
ip_is_loopback(const struct ip *ip)
{
	return IN_NET(ip, 4, 8, 127) || IN_NET(ip, 6, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
}

bool
ip_is_private(const struct ip *ip)
{
	return IN_NET(ip, 4, 8, 10) || IN_NET(ip, 4, 12, 172, 16) || IN_NET(ip, 4, 16, 192, 168) || IN_NET(ip, 4, 16, 169, 254) ||
	    IN_NET(ip, 6, 7, 0xfc) || IN_NET(ip, 6, 10, 0xfe, 0x80);
}

struct ip
ip_class(const struct ip *ip, int class_index)
{
	static const unsigned bits4[3] = { 32, 26, 21 }, bits6[3] = { 64, 48, 32 };

	bug_if(class_index < 0 || class_index > 2);
	return ip_mask(ip, ip->family == 6 ? bits6[class_index] : bits4[class_index]);
}

struct ipport
ipport_of(const struct sockaddr *sa)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	/* Copied: the pointer may come from a buffer of bytes. */
	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&sin, sa, sizeof(sin));
		return (struct ipport){ from_v4(&sin.sin_addr), ntohs(sin.sin_port) };
	case AF_INET6:
		memcpy(&sin6, sa, sizeof(sin6));
		return (struct ipport){ from_v6(&sin6.sin6_addr), ntohs(sin6.sin6_port) };
	}
	return (struct ipport){ 0 };
}

socklen_t
ipport_sockaddr(const struct ipport *p, struct sockaddr_storage *r_ss)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(p->port) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(p->port) };

	memset(r_ss, 0, sizeof(*r_ss));
	switch (p->ip.family) {
	case 4:
		memcpy(&sin.sin_addr, p->ip.a, 4);
		memcpy(r_ss, &sin, sizeof(sin));
		return sizeof(sin);
	case 6:
		memcpy(&sin6.sin6_addr, p->ip.a, 16);
		memcpy(r_ss, &sin6, sizeof(sin6));
		return sizeof(sin6);
	}
	return 0;
}

struct str
ipport_str(struct arena *a, const struct ipport *p)
{
	struct str ip = ip_str(a, &p->ip);

	return str_fmt(a, p->ip.family == 6 ? "[" STRF "]:%u" : STRF ":%u", STRA(ip), p->port);
}

int
ipport_parse(struct str s, struct ipport *r_p)
{
	struct ipport p;
	ssize_t colon = str_rfind(s, ':');
	struct str host;
	bool bracketed;
	uint32_t port;

	if (colon < 0)
		return ERR_INVALID;
	host = str_upto(s, (size_t)colon);
	bracketed = str_starts(host, S("[")) && str_ends(host, S("]"));
	if (bracketed)
		host = str_n(host.p + 1, host.n - 2);
	TRY(ip_parse(host, &p.ip));
	TRY(str_u32(str_from(s, (size_t)colon + 1), &port));
	/* Brackets stand around all IPv6 addresses, also mapped ones, and around no others. */
	if (port > UINT16_MAX || bracketed != str_has(host, ':'))
		return ERR_INVALID;
	p.port = (uint16_t)port;
	*r_p = p;
	return 0;
}
