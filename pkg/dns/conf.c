/* SPDX-License-Identifier: MIT */
/* conf.c - resolv.conf and hosts. Both are read whole; what is not understood is skipped, as every resolver does. */
#include <net/if.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "base/timeutil.h"
#include "dns/dns_internal.h"

#define DEFAULT_TIMEOUT_S 5 /* these three as resolv.conf(5) has them */
#define MAX_TIMEOUT_S 30
#define MAX_ATTEMPTS 5

void
dns_conf_add(struct dns_conf *c, const struct ipport *server, unsigned scope)
{
	struct dns_server *s;

	if (c->n == DNS_MAX_SERVERS)
		return;
	s = &c->servers[c->n++];
	s->n = ipport_sockaddr(server, &s->addr);
	s->loopback = ip_is_loopback(&server->ip);
	if (server->ip.family == 6 && scope != 0)
		((struct sockaddr_in6 *)(void *)&s->addr)->sin6_scope_id = scope;
}

/* The next word; *line keeps the rest. */
static struct str
word(struct str *line)
{
	struct str w;
	size_t n = 0;

	*line = str_trim(*line);
	while (n < line->n && !cur_class_has(&cur_wsp, (unsigned char)line->p[n]))
		n++;
	w = str_upto(*line, n);
	*line = str_from(*line, n);
	return w;
}

/* An address, with the interface of a link-local one behind '%', or "[address]:port" as OpenBSD has it. */
static void
add_server(struct dns_conf *c, struct str s)
{
	struct ipport p = { .port = 53 };
	uint32_t scope = 0, port = 53;
	struct arena a = { 0 };
	struct str address = s, zone;

	if (str_starts(s, S("["))) {
		s = str_from(s, 1);
		address = str_split(&s, ']');
		if (!str_starts(s, S(":")) || str_u32(str_from(s, 1), &port) < 0 || port > 65535)
			return;
	}
	zone = address;
	address = str_split(&zone, '%');
	if (zone.n > 0 && str_u32(zone, &scope) < 0) {
		const char *z = str_z(&a, zone);

		scope = z ? if_nametoindex(z) : 0;
	}
	p.port = (uint16_t)port;
	if (ip_parse(address, &p.ip) == 0)
		dns_conf_add(c, &p, scope);
	arena_done(&a);
}

/* The number of "name:number", at most max and at least 1; 0 if it is something else. */
static unsigned
option_number(struct str option, struct str name, unsigned max)
{
	uint32_t v;

	if (!str_starts(option, name) || str_u32(str_from(option, name.n), &v) < 0)
		return 0;
	return MIN(MAX(v, 1U), max);
}

static void
option(struct dns_conf *c, struct str o)
{
	unsigned v;

	if ((v = option_number(o, S("timeout:"), MAX_TIMEOUT_S)) != 0)
		c->timeout_us = v * TIME_SEC;
	else if ((v = option_number(o, S("attempts:"), MAX_ATTEMPTS)) != 0)
		c->attempts = (int)v;
	else if (str_is(o, S("trust-ad")))
		c->trust_ad = true;
	else if (str_is(o, S("rotate")))
		c->rotate = true;
	else if (str_is(o, S("use-vc")))
		c->use_tcp = true;
}

void
dns_conf_parse(struct str text, struct dns_conf *r_conf)
{
	struct dns_conf c = { .timeout_us = DEFAULT_TIMEOUT_S * TIME_SEC, .attempts = 2 };

	while (text.n > 0) {
		struct str line = str_split(&text, '\n'), key = word(&line), o;

		if (str_is(key, S("nameserver")))
			add_server(&c, word(&line));
		else if (str_is(key, S("options")))
			while ((o = word(&line)).n > 0)
				option(&c, o);
	}
	if (c.n == 0) {
		add_server(&c, S("127.0.0.1"));
		add_server(&c, S("::1"));
	}
	*r_conf = c;
}

bool
dns_conf_trusted(const struct dns_conf *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->servers[i].loopback)
			return c->trust_ad;
	return true;
}

struct str
dns_server_str(struct arena *a, const struct dns_server *s)
{
	struct ipport p = ipport_of((const struct sockaddr *)(const void *)&s->addr);

	return ipport_str(a, &p);
}

/* --- hosts --- */

static void
add_host(struct dns_hosts *h, struct str name, const struct ip *ip)
{
	struct str key;
	struct dns_host *host;

	if (dns_wire_name(&h->arena, name, &key) < 0)
		return;
	host = map_get(&h->names, key);
	if (!host) {
		host = ARENA_NEW(&h->arena, struct dns_host);
		map_set(&h->names, key, host);
	}
	host->v = arena_grow(&h->arena, host->v, host->n, host->n + 1, sizeof(*host->v));
	host->v[host->n++] = *ip;
}

void
dns_hosts_parse(struct dns_hosts *h, struct str text)
{
	dns_hosts_done(h);
	while (text.n > 0) {
		struct str line = str_split(&text, '\n'), rest = line, name;
		struct ip ip;

		line = str_split(&rest, '#');
		if (ip_parse(word(&line), &ip) < 0)
			continue;
		while ((name = word(&line)).n > 0)
			add_host(h, name, &ip);
	}
}

void
dns_hosts_done(struct dns_hosts *h)
{
	map_done(&h->names);
	arena_done(&h->arena);
	*h = (struct dns_hosts){ 0 };
}
