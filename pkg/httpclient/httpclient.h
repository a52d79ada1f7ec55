/* SPDX-License-Identifier: MIT */
/*
 * httpclient - HTTP requests through libcurl, with our resolver, our limits and our way to end what takes too long.
 *
 * For policies of MTA-STS, RDAP, webhooks, ACME: few requests, each on a connection of its own, by threads that may block. Host
 * names are looked up by pkg/dns, so that "does not exist" differs from "cannot be told now". Certificates are checked against
 * the system's authorities and those of the configuration. Redirects are followed here, not by libcurl, so that each new host
 * passes the same checks; credentials in URLs of redirects are refused. Proxies of the environment are not used. A request ends
 * with its ctx: at the deadline, or as soon as its stop descriptor is readable.
 *
 * RFC 9110, 9112, 9113.
 */
#ifndef HTTPCLIENT_HTTPCLIENT_H
#define HTTPCLIENT_HTTPCLIENT_H

#include "base/fetch.h"
#include "dns/dns.h"

struct httpclient_opts {
	struct dns_resolver *resolver;  /* required; must outlive the client */
	const char *user_agent;         /* NULL: "mox" */
	struct str extra_cas;           /* PEM certificates, trusted besides the system's */
	bool no_system_cas;             /* only extra_cas (tests) */
	/*
	 * may_connect decides about an address (for URLs that users give: not to hosts of our own network). NULL: all. When none
	 * of a host's addresses may be used, the request is ERR_DENIED.
	 */
	bool (*may_connect)(void *arg, const struct ip *ip);
	void *arg;
};

struct httpclient;
int httpclient_new(const struct httpclient_opts *o, struct httpclient **r_client, struct errmsg *e) must_use_;
void httpclient_free(struct httpclient **c);
/*
 * httpclient_for returns the interface for a user, whose name labels metrics (mox_httpclient_request_duration_seconds{pkg}). It
 * lives as long as the client.
 */
struct fetcher *httpclient_for(struct httpclient *c, const char *pkg);

#endif
